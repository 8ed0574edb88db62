//! `huiliu demo`: the whole of it on sample deliveries, in a fresh folder.
//!
//! The samples and the shipped pipeline are part of the program, so this works wherever it is installed.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use huiliu_pipeline::ports::{LedgerEntry, State};
use huiliu_stage::{Severity, row_number};
use huiliu_store::{DeliveryFilter, QuarantineFilter, QuarantineStatus, RecordStory, SqliteStore};
use include_dir::{Dir, File, include_dir};
use tokio::sync::watch;

use super::{FAILED, explain, load, output};
use crate::catalog::Catalog;
use crate::daemon::clock::Clock;
use crate::daemon::functions::functions;
use crate::daemon::{Daemon, Summary};

/// Starts the daemon in a fresh folder, drops sample deliveries of three departments into its inbox and shows
/// what comes out. On a terminal it keeps watching, so that files of one's own can be dropped.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  huiliu demo\n  huiliu demo --dir /tmp/try --language en </dev/null")]
pub(super) struct DemoArgs {
    /// Folder to use; it must be empty or not there yet
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Language of findings and of the record's story
    #[arg(long, env = "HUILIU_LANGUAGE", default_value = "zh", value_parser = ["zh", "en"])]
    language: String,
}

const PIPELINE: &[u8] = include_bytes!("../../../../pipelines/projects.yaml");
static RECORDS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../pipelines/records");
static PROFILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../pipelines/profiles");
/// A folder for each department, with what it sends.
static SAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../pipelines/samples/inbox");

/// After this long something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let home = fresh_folder(args.dir)?;
    let pipelines = home.join("pipelines");
    write(&pipelines.join("projects.yaml"), PIPELINE)?;
    for (folder, files) in [("records", &RECORDS), ("profiles", &PROFILES)] {
        for file in files.files() {
            write(&pipelines.join(folder).join(file.path()), file.contents())?;
        }
    }
    let functions = functions();
    for sample in samples() {
        write(&ready_to_send(&home, sample.path()), sample.contents())?;
    }
    let checked = load::check(&[pipelines], &Catalog::new(None, true), &functions)?;
    if !checked.problems.is_empty() {
        load::print_problems(&checked.problems);
        bail!("the shipped pipeline is not right");
    }
    let sinks: Vec<String> =
        checked.plans.iter().flat_map(|plan| &plan.sinks).map(|sink| sink.name.clone()).collect();
    let daemon = Daemon {
        data: home.clone(),
        plans: checked.plans,
        functions,
        clock: Clock::from_env()?,
        once: false,
        backlog: 1 << 30,
    };
    output::print(&format!("Huiliu demo in {}\n", home.display()))?;
    let (stop, stopped) = watch::channel(false);
    let running = std::thread::Builder::new().name("daemon".into()).spawn(move || serve(daemon, stopped))?;
    let shown = show(&home, &running, &sinks, &args.language);
    // The daemon may have ended already, in which case nobody listens.
    let _ = stop.send(true);
    let ended = running.join().map_err(|_| anyhow::anyhow!("the daemon panicked"))?;
    shown?;
    let summary = ended?;
    Ok(if summary.behind.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn serve(daemon: Daemon, stopped: watch::Receiver<bool>) -> anyhow::Result<Summary> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(daemon.run(stopped))
}

fn fresh_folder(dir: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let home = match dir {
        Some(dir) => crate::daemon::absolute(&dir)?,
        None => {
            let base = std::env::temp_dir();
            let free = (1..1000)
                .map(|number| base.join(format!("huiliu-demo-{number}")))
                .find(|path| !path.exists());
            free.with_context(|| format!("`{}` is full of demo folders; remove some", base.display()))?
        }
    };
    std::fs::create_dir_all(&home).with_context(|| format!("cannot make folder `{}`", home.display()))?;
    if std::fs::read_dir(&home)?.next().is_some() {
        bail!("folder `{}` is not empty; a demo starts in a fresh one", home.display());
    }
    Ok(home)
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let wrong = || format!("cannot write `{}`", path.display());
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).with_context(wrong)?;
    std::fs::write(path, content).with_context(wrong)
}

type Running = std::thread::JoinHandle<anyhow::Result<Summary>>;

/// Waits until `done` says so, or the daemon has ended.
fn wait_for(
    running: &Running,
    what: &str,
    mut done: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let start = Instant::now();
    while !done()? {
        if running.is_finished() {
            bail!("the daemon ended while waiting for {what}");
        }
        if start.elapsed() > PATIENCE {
            bail!("no {what} after {} seconds", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn show(home: &Path, running: &Running, sinks: &[String], language: &str) -> anyhow::Result<()> {
    wait_for(running, "inbox", || Ok(home.join("inbox").exists() && home.join("store.sqlite").exists()))?;
    let samples = samples();
    let bar = indicatif::ProgressBar::new(samples.len() as u64)
        .with_style(indicatif::ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}")?);
    bar.set_message("deliveries of three departments");
    for sample in samples {
        let name = sample.path();
        send(home, name)?;
        let mut store = None;
        wait_for(running, "answer", || {
            if store.is_none() {
                store = SqliteStore::open_reader(home).ok();
            }
            let entries =
                store.as_ref().map(|store| store.deliveries(&DeliveryFilter::default())).transpose()?;
            Ok(entries.unwrap_or_default().iter().any(|e| name.ends_with(&e.delivery.file) && e.answered))
        })?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let store = SqliteStore::open_reader(home)?;
    let last = store.deliveries(&DeliveryFilter::default())?.iter().map(|entry| entry.seq).max().unwrap_or(0);
    wait_for(running, "sinks", || {
        for sink in sinks {
            if store.cursor("projects", sink)? < last {
                return Ok(false);
            }
        }
        Ok(true)
    })?;
    print_results(&store, home, language)?;
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        keep_watching(&store, home, running)?;
    }
    Ok(())
}

/// What the departments send, in the order of their names.
fn samples() -> Vec<&'static File<'static>> {
    let mut files: Vec<_> = SAMPLES.dirs().flat_map(Dir::files).collect();
    files.sort_by_key(|file| file.path());
    files
}

/// Where the departments' files lie before they are sent.
fn ready_to_send(home: &Path, name: &Path) -> PathBuf {
    home.join("outgoing").join(name)
}

/// As an upload program does it: the file is moved in when it is whole.
fn send(home: &Path, name: &Path) -> anyhow::Result<()> {
    let target = home.join("inbox").join(name);
    let wrong = || format!("cannot write `{}`", target.display());
    std::fs::create_dir_all(target.parent().unwrap_or(home)).with_context(wrong)?;
    std::fs::rename(ready_to_send(home, name), &target).with_context(wrong)
}

fn print_results(store: &SqliteStore, home: &Path, language: &str) -> anyhow::Result<()> {
    output::print("\n== What came in ==\n")?;
    let mut entries = store.deliveries(&DeliveryFilter::default())?;
    entries.reverse();
    let mut table =
        output::table(&["sender", "file", "rows", "accepted", "quarantined", "merged", "findings"]);
    for entry in &entries {
        table.add_row(line(entry));
    }
    output::print_table(&table, "nothing")?;

    let records = store.records("projects", "", 10_000)?;
    output::print(&format!("\n== The register: {} unified records; one of them ==\n", records.len()))?;
    match most_merged(store, &records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>())? {
        Some(story) => explain::print_story(&story, language)?,
        None => bail!("no record was merged from two departments"),
    }

    output::print("\n== Findings, as the departments read them (the first of each file) ==\n")?;
    for entry in &entries {
        print_findings(store, entry, language)?;
    }
    let open = QuarantineFilter { status: Some(QuarantineStatus::Open), ..QuarantineFilter::default() };
    let waiting = store.quarantine_list(&open)?.len();

    output::print("\n== Where things are ==\n")?;
    for (what, folder) in [("receipts", "outbox"), ("records", "out"), ("files taken", "archive")] {
        let mut files = Vec::new();
        list_files(&home.join(folder), &mut files)?;
        output::print(&format!("{what}\n"))?;
        for file in files {
            output::print(&format!("  {}\n", file.display()))?;
        }
    }
    output::print(&format!(
        "\n{waiting} rows wait in quarantine. Go on with:\n  \
         huiliu quarantine list --data {home}\n  huiliu deliveries --data {home}\n  huiliu explain --list --data {home}\n",
        home = home.display()
    ))
}

fn line(entry: &LedgerEntry) -> [String; 7] {
    let counts = entry.counts;
    [
        entry.delivery.sender.clone(),
        entry.delivery.file.clone(),
        counts.rows_in.to_string(),
        counts.accepted.to_string(),
        counts.quarantined.to_string(),
        counts.merged.to_string(),
        format!("{} errors, {} warnings, {} notes", counts.errors, counts.warnings, counts.infos),
    ]
}

/// The record with values from the most senders.
fn most_merged(store: &SqliteStore, ids: &[&str]) -> anyhow::Result<Option<RecordStory>> {
    let mut best: Option<(usize, RecordStory)> = None;
    for id in ids {
        let story = store.explain("projects", id)?;
        let mut senders: Vec<&str> = story.revisions.iter().map(|revision| &*revision.sender).collect();
        senders.sort_unstable();
        senders.dedup();
        if senders.len() > best.as_ref().map_or(1, |(most, _)| *most) {
            best = Some((senders.len(), story));
        }
    }
    Ok(best.map(|(_, story)| story))
}

fn print_findings(store: &SqliteStore, entry: &LedgerEntry, language: &str) -> anyhow::Result<()> {
    output::print(&format!("{} ({})\n", entry.delivery.file, entry.delivery.sender))?;
    let mut findings = store.findings(&entry.delivery.id)?;
    findings.sort_by_key(|(finding, _)| std::cmp::Reverse(finding.severity));
    for (finding, sheet) in findings.iter().filter(|(f, _)| f.severity > Severity::Info).take(6) {
        let message = finding.message.in_language(language);
        let (error, row) = (finding.severity == Severity::Error, finding.row.map(row_number));
        let line = match (language, row) {
            ("en", Some(row)) => {
                format!("{} {sheet} row {row}: {message}", if error { "error" } else { "warning" })
            }
            ("en", None) => format!("{} {sheet} {message}", if error { "error" } else { "warning" }),
            (_, Some(row)) => format!("{} {sheet} 第{row}行 {message}", if error { "错误" } else { "警告" }),
            (_, None) => format!("{} {sheet} {message}", if error { "错误" } else { "警告" }),
        };
        output::print(&format!("  {line}\n"))?;
    }
    Ok(())
}

fn list_files(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        entries.push(entry?.path());
    }
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => list_files(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

/// Tells of every further delivery until the user interrupts the program.
fn keep_watching(store: &SqliteStore, home: &Path, running: &Running) -> anyhow::Result<()> {
    let inbox = home.join("inbox").join("发改局");
    output::print(&format!(
        "\nStill watching. Drop a file of your own into {}; Ctrl-C ends.\n",
        inbox.display()
    ))?;
    let mut known: Vec<String> = Vec::new();
    let answered = |entry: &LedgerEntry| entry.answered && entry.state != State::Seen;
    for entry in store.deliveries(&DeliveryFilter::default())?.iter().filter(|entry| answered(entry)) {
        known.push(entry.delivery.id.clone());
    }
    while !running.is_finished() {
        for entry in store.deliveries(&DeliveryFilter::default())?.iter().filter(|entry| answered(entry)) {
            if !known.contains(&entry.delivery.id) {
                known.push(entry.delivery.id.clone());
                output::print(&format!("{}\n", line(entry).join("  ")))?;
                std::io::stdout().flush()?;
            }
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
