//! What a command costs, exactly: it runs under a helper process of its own (this program again, as `child`), of
//! which it is the only child, so that the kernel's account of the helper's children is the command's. Nothing is
//! sampled, and the memory of the benchmark itself cannot be counted in.
//!
//! And what a running process holds, from `/proc`.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// What one command cost.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) wall_s: f64,
    /// In user mode and in the kernel.
    pub(crate) cpu_s: f64,
    /// The most that was resident at one time.
    pub(crate) peak_bytes: u64,
    /// Exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
}

/// Runs the command in this process, which must not have run another.
pub(crate) fn here(command: &[PathBuf]) -> Result<Cost> {
    let (program, arguments) = command.split_first().context("no command")?;
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(io::stderr()) // ours is for the figures
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let wall_s = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let times = [usage.user_time(), usage.system_time()];
    Ok(Cost {
        wall_s,
        cpu_s: times.iter().map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6).sum(),
        peak_bytes: u64::try_from(usage.max_rss())? * 1024,
        code: status.code(),
    })
}

/// Runs the command under a helper, with what it says going to the log; an error if it fails.
pub(crate) fn command(program: &Path, arguments: &[&Path], log: &Path) -> Result<Cost> {
    let helper = with_own_settings(&env::current_exe()?)
        .arg("child")
        .arg("--")
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(File::create(log)?)
        .output()
        .context("cannot run this program again")?;
    ensure!(helper.status.success(), "{} could not be measured:\n{}", program.display(), tail(log));
    let cost: Cost = serde_json::from_slice(&helper.stdout).context("the helper printed no figures")?;
    match cost.code {
        Some(0) => Ok(cost),
        Some(code) => bail!("{} ended with code {code}:\n{}", program.display(), tail(log)),
        None => bail!("{} was ended by a signal:\n{}", program.display(), tail(log)),
    }
}

/// A command that takes no setting of Huiliu's from the environment: figures must not hang on them.
pub(crate) fn with_own_settings(program: &Path) -> Command {
    let mut command = Command::new(program);
    let names = env::vars_os().map(|(name, _)| name);
    names.filter(|name| name.as_encoded_bytes().starts_with(b"HUILIU_")).for_each(|name| {
        command.env_remove(name);
    });
    command
}

/// The last lines of a log, for an error.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return "(it said nothing)".to_owned();
    }
    lines[lines.len().saturating_sub(10)..].join("\n")
}

/// What a running process holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) rss_bytes: u64,
    /// Resident memory, of pages shared with others only the part that falls to this process.
    pub(crate) pss_bytes: u64,
    pub(crate) threads: u64,
    /// Since its start.
    pub(crate) cpu_s: f64,
}

impl Held {
    pub(crate) fn by(pid: u32) -> Result<Self> {
        let read = |name: &str| {
            let path = format!("/proc/{pid}/{name}");
            fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
        };
        let (status, rollup, stat) = (read("status")?, read("smaps_rollup")?, read("stat")?);
        // Behind the name, which may hold anything: state is the first, user and system ticks the 12th and 13th.
        let behind = stat.rsplit_once(") ").context("/proc/PID/stat holds no name")?.1;
        let ticks: u64 =
            behind.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Ok(Self {
            rss_bytes: number(&status, "VmRSS:")? * 1024,
            pss_bytes: number(&rollup, "Pss:")? * 1024,
            threads: number(&status, "Threads:")?,
            cpu_s: ticks as f64 / 100.0, // USER_HZ, which is 100 wherever /proc is
        })
    }
}

/// The number behind a key at the beginning of a line.
fn number(text: &str, key: &str) -> Result<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(key));
    let first = value.and_then(|value| value.split_whitespace().next());
    first.and_then(|number| number.parse().ok()).with_context(|| format!("/proc says no `{key}`"))
}

/// The middle one, or the mean of the two middle ones.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

/// The smallest value that so many of a hundred are not above. The values are sorted.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles_are_those_of_the_book() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert!(median(std::iter::empty()).is_nan());
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        for (percent, value) in [(0, 1.0), (1, 1.0), (50, 50.0), (90, 90.0), (99, 99.0), (100, 100.0)] {
            assert_eq!(percentile(&hundred, percent), value, "{percent} %");
        }
        assert_eq!(percentile(&[7.0], 99), 7.0);
        assert_eq!(percentile(&[1.0, 2.0, 3.0], 50), 2.0);
        assert!(percentile(&[], 50).is_nan());
    }

    #[test]
    fn this_process_holds_something() {
        let held = Held::by(std::process::id()).unwrap();
        assert!(held.rss_bytes > 100_000 && held.pss_bytes > 100_000 && held.threads > 0, "{held:?}");
    }

    #[test]
    fn a_command_is_charged_with_what_it_did() {
        let cost = here(&["sh", "-c", "exit 3"].map(PathBuf::from)).unwrap();
        assert_eq!(cost.code, Some(3));
        assert!(cost.wall_s > 0.0 && cost.peak_bytes > 100_000, "{cost:?}");
        let missing = here(&[PathBuf::from("/nonexistent/huiliu")]).unwrap_err().to_string();
        assert_eq!(missing, "cannot run /nonexistent/huiliu");
    }
}
