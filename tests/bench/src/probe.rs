//! The waiting daemon: how long it takes to start, what it holds while nothing comes, and how long from a file's
//! arrival until its rows can be read.
//!
//! It is looked at as its users do: files are renamed into the inbox, and rows count when they stand as complete
//! lines in the sink's folder.

use std::fmt::{self, Display, Formatter, Write};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Serialize;

use crate::generate::COLUMNS;
use crate::measure::{Held, percentile, tail, with_own_settings};
use crate::place::{self, Place};
use crate::seen::{MARK, Seen};

/// So many rows in all: their numbers are six digits of the project code.
pub(crate) const MOST_ROWS: u64 = 1_000_000;

/// How long the daemon is left alone before it is looked at.
const QUIET: Duration = Duration::from_secs(3);
/// Nobody waits that long for rows unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(1);

pub(crate) struct Options {
    pub(crate) files: u32,
    pub(crate) rows: u32,
    pub(crate) interval: Duration,
    pub(crate) idle: Duration,
}

#[derive(Debug, Serialize)]
pub(crate) struct Latency {
    files: u32,
    rows: u32,
    interval_ms: f64,
    /// From spawn until the rows of a file that lay there are readable.
    start_s: f64,
    idle_s: f64,
    idle_rss_mb: f64,
    idle_pss_mb: f64,
    idle_threads: u64,
    idle_cpu_percent: f64,
    /// Of the first file after the quiet time.
    first_ms: f64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// CPU time that the files took, each.
    cpu_ms_per_file: f64,
    busy_rss_mb: f64,
    /// Nothing when every row of every file came out once.
    differences: Vec<String>,
}

pub(crate) fn run(place: &Place, options: &Options) -> Result<Latency> {
    let data = place.fresh("latency-data")?;
    let inbox = Inbox::prepare(&data, options)?;
    let (files, rows) = (options.files as usize + 2, options.rows as usize);
    let mut seen = Seen::new(data.join("out/valid"), files, rows);

    eprintln!("starting the daemon with a file of {} rows in its inbox", options.rows);
    inbox.drop(0)?;
    let spawned = Instant::now();
    let mut daemon = Daemon::start(place, &place::pipeline("job.yaml"), &data)?;
    let arrived = daemon.wait_for(0, &mut seen)?;
    let start_s = (arrived - spawned).as_secs_f64();

    eprintln!("{start_s:.3} s; looking at it for {} s while nothing comes", options.idle.as_secs());
    sleep(QUIET);
    let (before, since) = (Held::by(daemon.pid())?, Instant::now());
    sleep(options.idle);
    let idle = Held::by(daemon.pid())?;
    let idle_cpu_percent = (idle.cpu_s - before.cpu_s) / since.elapsed().as_secs_f64() * 100.0;

    eprintln!("dropping {} files, one each {} ms", options.files, options.interval.as_millis());
    let dropped = inbox.drop(1)?;
    let first_ms = ms(daemon.wait_for(1, &mut seen)? - dropped);
    let latencies = stream(&inbox, options, &mut daemon, &mut seen)?;
    let busy = Held::by(daemon.pid())?;
    daemon.end()?;
    seen.look();

    let mut differences = Vec::new();
    if latencies.len() < options.files as usize {
        let late = PATIENCE.as_secs();
        differences.push(format!("{} of {} files arrived within {late} s", latencies.len(), options.files));
    }
    if seen.again > 0 {
        differences.push(format!("{} rows came out that should not, or more than once", seen.again));
    }
    if differences.is_empty() {
        fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
    } else {
        eprintln!("what differs is kept in {}", data.display());
    }
    Ok(Latency {
        files: options.files,
        rows: options.rows,
        interval_ms: ms(options.interval),
        start_s,
        idle_s: options.idle.as_secs_f64(),
        idle_rss_mb: idle.rss_bytes as f64 / 1e6,
        idle_pss_mb: idle.pss_bytes as f64 / 1e6,
        idle_threads: idle.threads,
        idle_cpu_percent,
        first_ms,
        p50_ms: percentile(&latencies, 50),
        p90_ms: percentile(&latencies, 90),
        p99_ms: percentile(&latencies, 99),
        max_ms: percentile(&latencies, 100),
        cpu_ms_per_file: (busy.cpu_s - idle.cpu_s) * 1e3 / f64::from(options.files + 1),
        busy_rss_mb: busy.rss_bytes as f64 / 1e6,
        differences,
    })
}

/// Drops one file after the other on the beat, however long each takes; the latencies, sorted, of those that
/// arrived.
fn stream(inbox: &Inbox, options: &Options, daemon: &mut Daemon, seen: &mut Seen) -> Result<Vec<f64>> {
    let files = 2..options.files as usize + 2;
    let mut dropped: Vec<Instant> = Vec::new();
    let mut next = Instant::now();
    loop {
        let now = Instant::now();
        if dropped.len() < files.len() && now >= next {
            dropped.push(inbox.drop(files.start + dropped.len())?);
            next += options.interval;
        }
        seen.look();
        let all = dropped.len() == files.len();
        if all && files.clone().all(|file| seen.whole_at[file].is_some()) {
            break;
        }
        if all && dropped.last().is_some_and(|last| last.elapsed() > PATIENCE) {
            break;
        }
        daemon.must_run()?;
        sleep(LOOK_EVERY);
    }
    let arrived = seen.whole_at[files].iter().zip(dropped);
    let mut latencies: Vec<f64> = arrived.filter_map(|(at, dropped)| Some(ms((*at)? - dropped))).collect();
    latencies.sort_by(f64::total_cmp);
    Ok(latencies)
}

pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Files that wait beside the inbox, to be renamed into it: written beforehand, so that writing is not measured.
struct Inbox {
    waiting: PathBuf,
    folder: PathBuf,
}

impl Inbox {
    fn prepare(data: &Path, options: &Options) -> Result<Self> {
        let inbox = Self { waiting: data.join("waiting"), folder: data.join("inbox") };
        fs::create_dir(&inbox.waiting)?;
        fs::create_dir(&inbox.folder)?;
        for file in 0..options.files + 2 {
            fs::write(inbox.waiting.join(name(file as usize)), content(file, options.rows))?;
        }
        Ok(inbox)
    }

    /// The moment before the file was there.
    fn drop(&self, file: usize) -> Result<Instant> {
        let name = name(file);
        let moment = Instant::now();
        fs::rename(self.waiting.join(&name), self.folder.join(&name))
            .context("cannot rename into the inbox")?;
        Ok(moment)
    }
}

fn name(file: usize) -> String {
    format!("{file:06}.csv")
}

/// Sound rows; what they share does not matter here.
pub(crate) fn content(file: u32, rows: u32) -> String {
    let mut text = COLUMNS.join(",") + "\n";
    for row in 0..rows {
        let number = file * rows + row;
        let _ = writeln!(
            text,
            "{MARK}{number:06},年产{number}万套车用传感器扩建项目,江苏恒立智能装备有限公司,91320412MA1X{number:06},\
             湖塘镇,3670,{}.5,{},{},{}.5,2025-03-{:02},2025-05-12,2027-11-30,138{number:08},在建",
            12_000 + row,
            3_000 + row % 900,
            2_400 + row % 700,
            40 + row % 90,
            1 + row % 28,
        );
    }
    text
}

/// The running program; ended in any case.
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    pub(crate) fn start(place: &Place, pipeline: &Path, data: &Path) -> Result<Self> {
        let log = place.dir.join("latency.log");
        let said = File::create(&log)?;
        let child = with_own_settings(&place.huiliu)
            .arg("run")
            .arg(pipeline)
            .arg("--data")
            .arg(data)
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            .spawn()
            .with_context(|| format!("cannot run {}", place.huiliu.display()))?;
        Ok(Self { child, log })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn must_run(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the daemon ended ({status}):\n{}", tail(&self.log)),
        }
    }

    fn wait_for(&mut self, file: usize, seen: &mut Seen) -> Result<Instant> {
        let since = Instant::now();
        loop {
            seen.look();
            if let Some(at) = seen.whole_at[file] {
                return Ok(at);
            }
            self.must_run()?;
            let late = since.elapsed() > PATIENCE;
            ensure!(!late, "no rows of {} after {} s:\n{}", name(file), PATIENCE.as_secs(), tail(&self.log));
            sleep(LOOK_EVERY);
        }
    }

    /// As a service manager ends it.
    pub(crate) fn end(&mut self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.pid())?), Signal::SIGTERM).context("cannot end the daemon")?;
        let since = Instant::now();
        while self.child.try_wait()?.is_none() {
            ensure!(since.elapsed() < PATIENCE, "the daemon does not end on SIGTERM:\n{}", tail(&self.log));
            sleep(LOOK_EVERY);
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // In vain when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Latency {
    pub(crate) fn equal(&self) -> bool {
        self.differences.is_empty()
    }
}

impl Display for Latency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { files, rows, .. } = self;
        writeln!(f, "start     {:.3} s from spawn until {rows} waiting rows are readable", self.start_s)?;
        writeln!(
            f,
            "idle      {:.1} MB resident ({:.1} MB proportional), {} threads, {:.2} % CPU over {:.0} s",
            self.idle_rss_mb, self.idle_pss_mb, self.idle_threads, self.idle_cpu_percent, self.idle_s
        )?;
        writeln!(f, "first     {:.1} ms for the first file after the quiet", self.first_ms)?;
        writeln!(
            f,
            "latency   p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms: {files} files of {rows} rows, one each {:.0} ms",
            self.p50_ms, self.p90_ms, self.p99_ms, self.max_ms, self.interval_ms
        )?;
        let verdict = if self.equal() { "EQUAL (every row once)" } else { "DIFFERS" };
        writeln!(
            f,
            "          {:.1} CPU ms a file, {:.1} MB resident after them; output {verdict}",
            self.cpu_ms_per_file, self.busy_rss_mb
        )?;
        self.differences.iter().try_for_each(|what| writeln!(f, "  {what}"))
    }
}
