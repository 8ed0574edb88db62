//! The whole way of a file: read, validate, dedup, score, then JSON Lines and then Parquet, each in a fresh data
//! folder, each output compared with what the generator says.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::check::{self, Expected, Form};
use crate::generate;
use crate::measure::{self, Cost, median};
use crate::place::{self, Place};

/// A file to run over, and what must come of it.
pub(crate) struct Input {
    path: PathBuf,
    expected: Expected,
    bytes: u64,
}

impl Input {
    /// The file of this size and seed, made unless it is there.
    pub(crate) fn made(rows: u64, seed: u64, place: &Place) -> Result<Self> {
        let path = place.dir.join(format!("projects-{rows}-{seed}-e{}.csv", generate::EDITION));
        if generate::expectation(&path).exists() && path.exists() {
            eprintln!("taking {}", path.display());
        } else {
            eprintln!("making {rows} rows, kept as {}", path.display());
            generate::file(rows, seed, &path)?;
        }
        Self::given(&path)
    }

    /// A file that `gen` made.
    pub(crate) fn given(path: &Path) -> Result<Self> {
        let found = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            expected: Expected::read(&generate::expectation(path))?,
            bytes: found.len(),
        })
    }
}

/// A pipeline that is measured.
struct Way {
    name: &'static str,
    pipeline: &'static str,
    form: Form,
}

const WAYS: [Way; 2] = [
    Way { name: "file -> JSON Lines", pipeline: "job.yaml", form: Form::Jsonl },
    Way { name: "file -> Parquet", pipeline: "job-parquet.yaml", form: Form::Parquet },
];

#[derive(Debug, Serialize)]
pub(crate) struct Job {
    rows: u64,
    input_mb: f64,
    paths: Vec<Figures>,
}

/// Medians of the runs of one pipeline.
#[derive(Debug, Serialize)]
struct Figures {
    name: &'static str,
    pipeline: &'static str,
    wall_s: f64,
    cpu_s: f64,
    rows_per_s: f64,
    mb_per_s: f64,
    rows_per_cpu_s: f64,
    mb_per_cpu_s: f64,
    peak_mb: f64,
    /// What was compared with the expectation.
    compared: &'static str,
    /// Nothing when every run's output was right.
    differences: Vec<String>,
    runs: Vec<Cost>,
}

/// Runs both pipelines in turn, so that a busy minute falls on both.
pub(crate) fn run(place: &Place, input: &Input, runs: u32) -> Result<Job> {
    for way in &WAYS {
        let _ = fs::remove_dir_all(kept(place, way));
    }
    let mut measured: [(Vec<Cost>, Vec<String>); WAYS.len()] = Default::default();
    for run in 1..=runs {
        for (way, (costs, differences)) in WAYS.iter().zip(&mut measured) {
            let (cost, differs) = once(place, input, way)?;
            let verdict = if differs.is_empty() { "EQUAL" } else { "DIFFERS" };
            eprintln!(
                "{}, run {run} of {runs}: {:.2} s, {:.2} CPU s, {verdict}",
                way.name, cost.wall_s, cost.cpu_s
            );
            costs.push(cost);
            // Most differ in every run: once is enough.
            differs.into_iter().for_each(|what| {
                if !differences.contains(&what) {
                    differences.push(what);
                }
            });
        }
    }
    let (rows, mb) = (input.expected.rows as f64, input.bytes as f64 / 1e6);
    let paths = WAYS.iter().zip(measured).map(|(way, (runs, differences))| {
        let (wall_s, cpu_s) = (median(runs.iter().map(|c| c.wall_s)), median(runs.iter().map(|c| c.cpu_s)));
        Figures {
            name: way.name,
            pipeline: way.pipeline,
            wall_s,
            cpu_s,
            rows_per_s: rows / wall_s,
            mb_per_s: mb / wall_s,
            rows_per_cpu_s: rows / cpu_s,
            mb_per_cpu_s: mb / cpu_s,
            peak_mb: median(runs.iter().map(|cost| cost.peak_bytes as f64 / 1e6)),
            compared: match way.form {
                Form::Jsonl => "rows, codes, sums, reasons, ledger",
                Form::Parquet => "reasons, ledger",
            },
            differences,
            runs,
        }
    });
    Ok(Job { rows: input.expected.rows, input_mb: mb, paths: paths.collect() })
}

/// One run in a fresh folder, and what differs in its output.
fn once(place: &Place, input: &Input, way: &Way) -> Result<(Cost, Vec<String>)> {
    let data = place.fresh("run-data")?;
    let log = place.dir.join("run.log");
    let inbox = data.join("inbox");
    fs::create_dir(&inbox)?;
    let dropped = inbox.join("projects.csv");
    // The program moves the file away and leaves its bytes alone: a second name for them will do.
    if fs::hard_link(&input.path, &dropped).is_err() {
        fs::copy(&input.path, &dropped)
            .with_context(|| format!("cannot copy the input into {}", inbox.display()))?;
    }
    let pipeline = place::pipeline(way.pipeline);
    let arguments = ["run".as_ref(), &*pipeline, "--data".as_ref(), &*data, "--once".as_ref()];
    let cost = measure::command(&place.huiliu, &arguments, &log)?;
    let mut differences = check::output(&data.join("out"), way.form, &input.expected);
    differences.extend(check::ledger(&deliveries(place, &data)?, &input.expected)?);
    if differences.is_empty() {
        fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
    } else {
        // For a look; the next run must not take it away.
        let kept = kept(place, way);
        let _ = fs::remove_dir_all(&kept);
        fs::rename(&data, &kept)?;
        eprintln!("what differs is kept in {}", kept.display());
    }
    Ok((cost, differences))
}

/// Where the data folder of a run goes whose output differs.
fn kept(place: &Place, way: &Way) -> PathBuf {
    place.dir.join(format!("differs-{}", way.pipeline.trim_end_matches(".yaml")))
}

/// The ledger, as the program prints it for programs.
fn deliveries(place: &Place, data: &Path) -> Result<String> {
    let mut command = measure::with_own_settings(&place.huiliu);
    let asked = command.args(["deliveries", "--json", "--data"]).arg(data).output()?;
    let said = String::from_utf8_lossy(&asked.stderr);
    ensure!(asked.status.success(), "`huiliu deliveries --json` failed: {}", said.trim());
    Ok(String::from_utf8(asked.stdout)?)
}

impl Job {
    pub(crate) fn equal(&self) -> bool {
        self.paths.iter().all(|path| path.differences.is_empty())
    }
}

impl Display for Job {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let runs = self.paths.first().map_or(0, |path| path.runs.len());
        writeln!(
            f,
            "{} rows, {:.1} MB; median of {runs} run{}",
            self.rows,
            self.input_mb,
            if runs == 1 { "" } else { "s" }
        )?;
        writeln!(
            f,
            "{:<20}{:>8}{:>8}{:>10}{:>8}{:>12}{:>10}{:>9}  output",
            "", "wall s", "CPU s", "rows/s", "MB/s", "rows/CPU s", "MB/CPU s", "peak MB"
        )?;
        for path in &self.paths {
            writeln!(
                f,
                "{:<20}{:>8.2}{:>8.2}{:>10.0}{:>8.1}{:>12.0}{:>10.1}{:>9.1}  {} ({})",
                path.name,
                path.wall_s,
                path.cpu_s,
                path.rows_per_s,
                path.mb_per_s,
                path.rows_per_cpu_s,
                path.mb_per_cpu_s,
                path.peak_mb,
                if path.differences.is_empty() { "EQUAL" } else { "DIFFERS" },
                path.compared
            )?;
        }
        for path in &self.paths {
            for what in &path.differences {
                writeln!(f, "  {}: {what}", path.name)?;
            }
        }
        Ok(())
    }
}
