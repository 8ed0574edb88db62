//! The real program in a fresh folder: start it, give it files, kill it, look at what it left.
//!
//! Nothing here sleeps for luck: [`wait`] looks until a thing is there, and gives up with what it saw.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use huiliu_store::{DeliveryFilter, QuarantineFilter, SqliteStore};
use serde_json::Value;
use tempfile::TempDir;

/// What the program takes for now, so that receipts and deadlines are the same in every run.
pub(crate) const NOW: &str = "2026-05-08T01:00:00Z";

/// Long enough for the slowest machine; nobody waits for it unless something is broken.
const PATIENCE: Duration = Duration::from_secs(120);

/// The root of the tree.
pub(crate) fn root() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells it"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A folder with the data of one daemon and the pipelines it runs.
pub(crate) struct Home {
    folder: TempDir,
    /// The pipeline that runs, and further options of `run`.
    pub(crate) config: PathBuf,
    pub(crate) options: Vec<String>,
    /// What the program takes for now, if not [`NOW`].
    pub(crate) clock: Option<String>,
    dropped: u64,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The output, once the exit code is the expected one.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl Home {
    /// With a pipeline file of this text.
    pub(crate) fn new(pipeline: &str) -> Self {
        let home = Self::at(PathBuf::new());
        let config = home.write("pipelines/pipeline.yaml", pipeline.as_bytes());
        Self { config, ..home }
    }

    /// With the pipeline that is shipped.
    pub(crate) fn shipped() -> Self {
        Self::at(root().join("pipelines/projects.yaml"))
    }

    fn at(config: PathBuf) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), config, options: Vec::new(), clock: None, dropped: 0 }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A path below the data folder.
    pub(crate) fn data(&self, path: &str) -> PathBuf {
        self.path("data").join(path)
    }

    /// Writes a file below this folder, with the folders above it.
    pub(crate) fn write(&self, path: &str, content: &[u8]) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Puts a file into the inbox as an upload program does it: written under another name, then renamed.
    /// Each file is a second younger than the one before, long ago.
    pub(crate) fn drop_file(&mut self, place: &str, content: &[u8]) -> PathBuf {
        let target = self.data("inbox").join(place);
        let part = self.write(&format!("data/inbox/{place}.part"), content);
        self.dropped += 1;
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000 + self.dropped);
        fs::File::options().write(true).open(&part).unwrap().set_modified(changed).unwrap();
        fs::rename(&part, &target).unwrap();
        target
    }

    /// Drops the deliveries that are shipped, in a fixed order.
    pub(crate) fn drop_samples(&mut self) {
        for (place, content) in samples() {
            self.drop_file(&place, &content);
        }
    }

    /// The program, with a clock that stands still.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_huiliu"));
        let now = self.clock.as_deref().unwrap_or(NOW);
        command.args(arguments).env("HUILIU_NOW", now).env("HUILIU_DATA", self.path("data"));
        command
            .env("TZ", "Asia/Shanghai")
            .env("NO_COLOR", "1")
            .env_remove("HUILIU_LOG")
            .env_remove("HUILIU_PLUGINS");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn huiliu<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// These arguments, with the options of `run` (plugins) behind them.
    pub(crate) fn with_options(&self, arguments: &[&str]) -> Vec<String> {
        arguments.iter().map(|argument| (*argument).to_owned()).chain(self.options.iter().cloned()).collect()
    }

    /// `check` of the pipeline.
    pub(crate) fn check(&self) -> Ended {
        self.huiliu(&self.with_options(&["check", &self.config.to_string_lossy()]))
    }

    /// `run --once`.
    pub(crate) fn once(&self) -> Ended {
        self.huiliu(&self.with_options(&["run", &self.config.to_string_lossy(), "--once"]))
    }

    /// `run --once` at a minute of Beijing, such as `2026-11-24T08:00`.
    pub(crate) fn once_at(&self, minute: &str) -> Ended {
        let run = self.with_options(&["run", &self.config.to_string_lossy(), "--once"]);
        let output = self.command(&run).env("HUILIU_NOW", format!("{minute}:00+08:00")).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// `run`, in the background.
    pub(crate) fn start(&self) -> Daemon {
        let run = self.with_options(&["run", &self.config.to_string_lossy()]);
        let mut child = self.command(&run).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (hear, stderr) = (said.clone(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                *hear.lock().unwrap() += &format!("{line}\n");
            }
        });
        Daemon { child, said }
    }

    /// The store, for looking at.
    pub(crate) fn store(&self) -> SqliteStore {
        SqliteStore::open_reader(&self.path("data")).unwrap()
    }

    /// How many deliveries have been answered; none while there is no store.
    pub(crate) fn answered(&self) -> usize {
        let Ok(store) = SqliteStore::open_reader(&self.path("data")) else { return 0 };
        let entries = store.deliveries(&DeliveryFilter::default()).unwrap_or_default();
        entries.iter().filter(|entry| entry.answered).count()
    }

    /// Everything that a run leaves behind and that two runs over the same files must agree on.
    pub(crate) fn picture(&self) -> Picture {
        let store = self.store();
        let mut registers = BTreeMap::new();
        for name in store.registers().unwrap() {
            let mut dump = Vec::new();
            store.dump(&name, &mut dump).unwrap();
            registers.insert(name, String::from_utf8(dump).unwrap());
        }
        let quarantine = store.quarantine_list(&QuarantineFilter::default()).unwrap();
        let mut files = BTreeMap::new();
        for folder in ["out", "outbox", "archive", "returned", "inbox", "retry", "log"] {
            files.extend(self.files(folder));
        }
        let balance: Vec<String> = store.check_balance().unwrap().iter().map(|i| format!("{i:?}")).collect();
        assert!(balance.is_empty(), "{balance:#?}");
        Picture {
            registers,
            quarantine: quarantine.iter().map(|row| serde_json::to_string(row).unwrap()).collect(),
            ledger: self.ledger(),
            files,
        }
    }

    /// The ledger's lines, oldest first, without what may differ between two runs: how often a delivery was
    /// tried, and under which folder this test runs.
    fn ledger(&self) -> Vec<String> {
        let mut entries = self.store().deliveries(&DeliveryFilter::default()).unwrap();
        entries.reverse();
        let line = |entry: huiliu_pipeline::ports::LedgerEntry| {
            let mut line = serde_json::to_value(entry).unwrap();
            for key in ["attempts", "origin", "archived"] {
                line.as_object_mut().unwrap().remove(key);
            }
            line.to_string()
        };
        entries.into_iter().map(line).collect()
    }

    /// The files below a folder of the data folder, by their paths in it.
    pub(crate) fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.data(folder)];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(&next).into_iter().flatten().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.data("")).unwrap().to_string_lossy().into_owned();
                    match fs::read(&path) {
                        Ok(content) => drop(files.insert(name, content)),
                        // A running daemon gives a file its last name between the two calls.
                        Err(error) => {
                            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{name}: {error}")
                        }
                    }
                }
            }
        }
        files
    }

    /// The names of the files in a folder, in order.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        self.files(folder).into_keys().collect()
    }

    /// All lines of the JSON Lines files below a folder, in the order of the files' names.
    pub(crate) fn lines(&self, folder: &str) -> Vec<Value> {
        let files = self.files(folder).into_values();
        let texts = files.map(|bytes| String::from_utf8(bytes).unwrap());
        texts
            .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
            .collect()
    }

    /// `deliveries --json`, newest first.
    pub(crate) fn deliveries(&self) -> Vec<Value> {
        let listed = self.huiliu(&["deliveries", "--json", "--limit", "10000"]).expect(0).json();
        listed.as_array().unwrap().clone()
    }

    /// The one receipt for programs that a file of this name got.
    #[track_caller]
    pub(crate) fn receipt(&self, of: &str) -> Value {
        let files = self.files("outbox");
        let mut found = files.iter().filter(|(name, _)| name.contains(of) && name.ends_with(".json"));
        let receipt = found.next().unwrap_or_else(|| panic!("no receipt of `{of}` in {:?}", files.keys()));
        assert!(found.next().is_none(), "two receipts of `{of}` in {:?}", files.keys());
        serde_json::from_slice(receipt.1).unwrap()
    }
}

/// The shipped deliveries: place in the inbox and content, in a fixed order.
pub(crate) fn samples() -> Vec<(String, Vec<u8>)> {
    let inbox = root().join("pipelines/samples/inbox");
    let mut samples = Vec::new();
    for folder in fs::read_dir(&inbox).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let place = path.strip_prefix(&inbox).unwrap().to_string_lossy().into_owned();
            samples.push((place, fs::read(&path).unwrap()));
        }
    }
    samples.sort();
    assert!(samples.len() >= 3, "samples of three departments are shipped");
    samples
}

/// What a run left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    registers: BTreeMap<String, String>,
    quarantine: Vec<String>,
    ledger: Vec<String>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Picture {
    /// Fails at the first difference, and shows it and not the whole.
    #[track_caller]
    pub(crate) fn assert_same(&self, other: &Self, what: &str) {
        same_lines(&self.ledger, &other.ledger, &format!("{what}: ledger"));
        same_lines(&self.quarantine, &other.quarantine, &format!("{what}: quarantine"));
        let names = |picture: &Self| picture.files.keys().cloned().collect::<Vec<_>>();
        same_lines(&names(self), &names(other), &format!("{what}: files"));
        for (name, dump) in &self.registers {
            let others = other.registers.get(name).cloned().unwrap_or_default();
            same_lines(&lines(dump), &lines(&others), &format!("{what}: register `{name}`"));
        }
        for (name, content) in &self.files {
            let other = &other.files[name];
            match (std::str::from_utf8(content), std::str::from_utf8(other)) {
                (Ok(mine), Ok(others)) => {
                    same_lines(&lines(mine), &lines(others), &format!("{what}: `{name}`"))
                }
                _ => assert!(
                    content == other,
                    "{what}: `{name}`: {} and {} bytes differ",
                    content.len(),
                    other.len()
                ),
            }
        }
        assert!(self == other, "{what}");
    }

    /// The same without what tells how it came to be: only sinks and registers.
    pub(crate) fn outcome(&self) -> (BTreeMap<String, String>, BTreeMap<String, Vec<u8>>) {
        let sinks = self.files.iter().filter(|(name, _)| name.starts_with("out/"));
        (self.registers.clone(), sinks.map(|(name, bytes)| (name.clone(), bytes.clone())).collect())
    }
}

fn lines(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}

#[track_caller]
fn same_lines(mine: &[String], others: &[String], what: &str) {
    for at in 0..mine.len().max(others.len()) {
        let (one, other) = (mine.get(at), others.get(at));
        assert!(
            one == other,
            "{what} differs at {at}:\n{one:?}\n{other:?}\n({} and {} lines)",
            mine.len(),
            others.len()
        );
    }
}

/// A running daemon. Dropped, it is killed.
pub(crate) struct Daemon {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Daemon {
    /// Everything on stderr so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// As the kernel does it when memory is out: at once, without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As an operator does it: SIGTERM, and wait for the end.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let (mut status, child) = (None, &mut self.child);
        let ended = patiently(|| {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        assert!(ended, "it did not stop; it said:\n{}", self.said());
        status.unwrap()
    }

    /// Waits for something that the daemon is to do; gives up when it ended or all patience is spent.
    #[track_caller]
    pub(crate) fn wait(&mut self, what: &str, mut done: impl FnMut() -> bool) {
        let child = &mut self.child;
        let mut ended = None;
        let there = patiently(|| {
            ended = child.try_wait().unwrap();
            done() || ended.is_some()
        });
        assert!(there && ended.is_none(), "no {what} (ended: {ended:?}); it said:\n{}", self.said());
    }

    /// Waits until it has said this on stderr.
    #[track_caller]
    pub(crate) fn hear(&mut self, word: &str) {
        let said = self.said.clone();
        self.wait(&format!("`{word}`"), || said.lock().unwrap().contains(word));
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until `done`; `false` if that takes for ever.
fn patiently(mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if done() {
            return true;
        }
        if start.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A pipeline with a small record, taking renamed files at once; `stages` and `sinks` are lists in YAML.
pub(crate) fn small_pipeline(name: &str, inbox: &str, stages: &str, sinks: &str) -> String {
    format!(
        "pipeline: {name}
record:
  record: project
  fields:
    - {{name: project_code}}
    - {{name: project_name, required: true}}
    - {{name: leader}}
    - {{name: phone}}
    - {{name: total_investment, type: money, unit: 万元, min: 0}}
    - {{name: ytd_investment, type: money, unit: 万元, min: 0}}
    - {{name: start_date, type: date}}
source:
  folder: {{path: \"{inbox}/{{department}}\", settle_ms: 0}}
receipts: json
stages: {stages}
sinks: {sinks}
"
    )
}
