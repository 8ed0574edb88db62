//! Records that come one by one to a linkage that knows many: how long a started program takes until the first of them is
//! out, how long each of the others takes from its arrival until it is committed and out, and what the program holds.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::measure::{Held, percentile};
use crate::place::Place;
use crate::probe::{Daemon, ms};

/// A large linkage takes a while to be taken up again.
const PATIENCE: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_micros(100);

/// What late records found.
#[derive(Debug, Serialize)]
pub(crate) struct Late {
    records: usize,
    /// From spawn until the first is out.
    ready_s: f64,
    ready_cpu_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// CPU time that each took.
    cpu_ms: f64,
    rss_mb: f64,
}

/// Starts the program, and hands it the records (department and line), each when the one before is out.
pub(crate) fn run(place: &Place, pipeline: &Path, data: &Path, records: &[(String, String)]) -> Result<Late> {
    let (waiting, out) = (data.join("waiting.jsonl"), data.join("out"));
    let arrive = |number: usize| -> Result<()> {
        let (department, line) = &records[number];
        let folder = data.join("inbox").join(department);
        fs::create_dir_all(&folder)?;
        fs::write(&waiting, format!("{line}\n"))?;
        // After all that came before.
        let at = UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number as u64);
        fs::File::options().append(true).open(&waiting)?.set_modified(at)?;
        Ok(fs::rename(&waiting, folder.join(format!("late-{number:06}.jsonl")))?)
    };
    let written = || -> Result<usize> { Ok(fs::read_dir(&out)?.count()) };
    let mut before = written()?;
    arrive(0)?;
    let spawned = Instant::now();
    let mut daemon = Daemon::start(place, pipeline, data)?;
    let mut wait = |daemon: &mut Daemon, since: Instant| -> Result<Duration> {
        while written()? == before {
            daemon.must_run()?;
            ensure!(since.elapsed() < PATIENCE, "a record did not come out in {} s", PATIENCE.as_secs());
            sleep(LOOK_EVERY);
        }
        let took = since.elapsed();
        before = written()?;
        Ok(took)
    };
    let ready = wait(&mut daemon, spawned)?;
    let warm = Held::by(daemon.pid())?;
    let mut took = Vec::new();
    for number in 1..records.len() {
        let since = Instant::now();
        arrive(number)?;
        took.push(ms(wait(&mut daemon, since)?));
    }
    let held = Held::by(daemon.pid())?;
    daemon.end()?;
    took.sort_by(f64::total_cmp);
    Ok(Late {
        records: records.len(),
        ready_s: ready.as_secs_f64(),
        ready_cpu_s: warm.cpu_s,
        p50_ms: percentile(&took, 50),
        p99_ms: percentile(&took, 99),
        cpu_ms: (held.cpu_s - warm.cpu_s) * 1e3 / took.len().max(1) as f64,
        rss_mb: held.rss_bytes as f64 / 1e6,
    })
}

impl Display for Late {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "  started again: the first record is out after {:.2} s (CPU {:.2} s); {} one by one: p50 {:.1} ms, p99 {:.1} ms \
             from arrival to out, CPU {:.2} ms each; {:.1} MB resident",
            self.ready_s, self.ready_cpu_s, self.records, self.p50_ms, self.p99_ms, self.cpu_ms, self.rss_mb
        )
    }
}
