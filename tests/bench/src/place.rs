//! Where it is measured: the program, the folder, the machine.

use std::env;
use std::fmt::{self, Display, Formatter};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

/// The root of the tree that this program was built from.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}

/// A pipeline of the benchmark.
pub(crate) fn pipeline(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(name)
}

pub(crate) struct Place {
    pub(crate) huiliu: PathBuf,
    /// Where inputs are kept and data folders are made.
    pub(crate) dir: PathBuf,
    /// Held as long as it is measured here: two at a time would measure each other.
    _lock: File,
}

impl Place {
    pub(crate) fn open(huiliu: Option<&Path>, dir: Option<&Path>) -> Result<Self> {
        let huiliu = match huiliu {
            Some(path) => {
                ensure!(path.is_file(), "{} is no program; build one with `{BUILD}`", path.display());
                path.canonicalize()?
            }
            None => {
                let found = find()?;
                warn_if_older_than_its_sources(&found);
                found
            }
        };
        let dir = dir.map_or_else(default_dir, Path::to_owned);
        let prepare = || -> Result<_> {
            fs::create_dir_all(&dir)?;
            let dir = dir.canonicalize()?;
            let lock = File::create(dir.join(".lock"))?;
            Ok((dir, lock))
        };
        let (dir, lock) =
            prepare().with_context(|| format!("cannot use {}; choose another --dir", dir.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { huiliu, dir, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!("another huiliu-bench measures in {}; wait for it, or it measures you", dir.display())
            }
            Err(TryLockError::Error(error)) => Err(error).context("cannot lock the folder"),
        }
    }

    /// An empty folder of this name, whatever was left there before.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf> {
        let folder = self.dir.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    pub(crate) fn machine(&self) -> Result<Machine> {
        let version = Command::new(&self.huiliu).arg("--version").output();
        let version = version.with_context(|| format!("cannot run {}", self.huiliu.display()))?;
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpus
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|pair| pair.1));
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Ok(Machine {
            huiliu: self.huiliu.clone(),
            version: String::from_utf8_lossy(&version.stdout).trim().to_owned(),
            cpu: cpu.unwrap_or("unknown processor").to_owned(),
            processors: available_parallelism().map_or(1, usize::from),
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
            dir: self.dir.clone(),
            file_system: file_system(&self.dir),
        })
    }
}

const BUILD: &str = "cargo build --release -p huiliu";

fn find() -> Result<PathBuf> {
    let built = root().join("target/release/huiliu");
    let beside = env::current_exe()?.with_file_name("huiliu");
    let found = [&built, &beside].into_iter().find(|path| path.is_file());
    found.cloned().with_context(|| {
        let (built, beside) = (built.display(), beside.display());
        format!("no huiliu to measure, neither {built} nor {beside}; build it with `{BUILD}`, or say --huiliu PATH")
    })
}

fn default_dir() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.join("huiliu-bench") } else { env::temp_dir().join("huiliu-bench") }
}

/// An old binary is what one measures by mistake.
fn warn_if_older_than_its_sources(huiliu: &Path) {
    let built = huiliu.metadata().and_then(|found| found.modified());
    let newest = ["crates", "plugins"].iter().filter_map(|part| newest_source(&root().join(part))).max();
    if let (Ok(built), Some(newest)) = (built, newest)
        && newest > built
    {
        eprintln!("note: {} is older than the sources here; `{BUILD}` makes a new one", huiliu.display());
    }
}

fn newest_source(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let times = entries.filter_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            newest_source(&path)
        } else {
            let counts = path.extension().is_some_and(|ending| ending == "rs" || ending == "toml");
            counts.then(|| entry.metadata().ok()?.modified().ok()).flatten()
        }
    });
    times.max()
}

/// The kind of file system that a folder is on.
fn file_system(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mounted = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (at, kind) = (words.next()?, words.next()?);
        folder.starts_with(at).then_some((at.len(), kind))
    });
    mounted.max_by_key(|(length, _)| *length).map_or("unknown file system", |(_, kind)| kind).to_owned()
}

/// What figures hang on.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    huiliu: PathBuf,
    version: String,
    cpu: String,
    processors: usize,
    /// Over the last minute, before anything was measured.
    load: f64,
    dir: PathBuf,
    file_system: String,
}

impl Display for Machine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.version, self.huiliu.display())?;
        writeln!(f, "{} processors ({}), load {:.2}", self.processors, self.cpu, self.load)?;
        write!(f, "data in {} ({})", self.dir.display(), self.file_system)
    }
}
