//! Measures Huiliu from outside, as those who run it would: a seeded generator of project files, the whole way
//! from a file to checked JSON Lines and Parquet, and latency, start and idle of the waiting daemon.
//!
//! `cargo run --release -p huiliu-bench -- all` is everything. A figure stands only beside what became of the
//! rows: each output is compared with what the generator knows of its file ([`check`]).

mod check;
mod generate;
mod job;
mod late;
mod linkage;
mod measure;
mod place;
mod probe;
mod seen;
#[cfg(test)]
mod smoke;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use serde_json::{Value, json};

use crate::place::Place;

/// An output is not what it must be.
const DIFFERS: u8 = 1;
/// Nothing was measured; wrong usage, too.
const NOT_MEASURED: u8 = 2;

#[derive(Debug, Parser)]
#[command(
    name = "huiliu-bench",
    version,
    about = "Measures Huiliu: CPU seconds, rows a second, peak memory, latency, start and idle",
    after_help = "Exit codes: 0 measured and EQUAL; 1 an output is not what it must be; 2 nothing was measured.

Examples:
  cargo build --release -p huiliu                  what is measured
  cargo run --release -p huiliu-bench -- all       everything, in one report
  cargo run --release -p huiliu-bench -- run --rows 100000 --runs 1
  cargo run --release -p huiliu-bench -- gen 10000000 /tmp/projects.csv"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything: the whole way of a file, then latency, start and idle
    All(AllArgs),
    /// Measure a file's whole way: read, validate, dedup, score, then JSON Lines and Parquet
    Run(RunArgs),
    /// Measure start, idle, and how long from a file's arrival until its rows can be read
    Latency(LatencyArgs),
    /// Run a data set with truth through the merging stage, in deliveries: precision, recall, F1, CPU, memory
    Linkage(LinkageArgs),
    /// Write a project file of any size, and what a right run makes of it
    Gen(GenArgs),
    /// Run one command and print what it cost, as JSON
    #[command(hide = true)]
    Child {
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "The same ROWS and seed give the same bytes. OUT.csv.expected.json tells what a right run makes
of the file: valid rows, duplicates, how many rows break each rule, and two sums.

Examples:
  huiliu-bench gen 1000000 /dev/shm/projects.csv
  huiliu-bench gen 50000 a.csv --seed 7 && huiliu-bench run --input a.csv"
)]
struct GenArgs {
    /// Rows to write, without the header
    #[arg(value_parser = clap::value_parser!(u64).range(1..=generate::MOST_ROWS))]
    rows: u64,
    /// File to write; its expectation is written beside it
    #[arg(value_name = "OUT.csv")]
    out: PathBuf,
    /// Another seed, other rows
    #[arg(long, default_value_t = generate::SEED)]
    seed: u64,
}

#[derive(Debug, Args)]
#[command(
    after_help = "DATASET is a folder with records.csv (id, source, fields) and truth.csv (id, thing) or matches.csv (pairs
of ids). Each source is a department. Pairs within records are compared with the true ones.

Examples:
  huiliu-bench linkage ../shared/data/er/zh-projects-20k
  huiliu-bench linkage ../shared/data/er/febrl3 --batch 100 --order 5
  huiliu-bench linkage my-data --late 1000         restart, latency of one record, memory
  huiliu-bench linkage my-data --config my-link.json --json"
)]
struct LinkageArgs {
    /// Folders with data sets
    #[arg(required = true, value_name = "DATASET")]
    datasets: Vec<PathBuf>,
    /// What is compared, as `link` in a pipeline [default: the shipped one of the data set's name]
    #[arg(long, value_name = "FILE.json")]
    config: Option<PathBuf>,
    /// Records that arrive together
    #[arg(long, default_value_t = 1000, value_name = "RECORDS")]
    batch: usize,
    /// Shuffle the order of arrival with this seed
    #[arg(long, value_name = "SEED")]
    order: Option<u64>,
    /// Records at the end of each data set that come one by one to a program that is started for them: when the first
    /// is out, how long each takes, and what the program holds
    #[arg(long, default_value_t = 0, value_name = "RECORDS")]
    late: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Debug, Args)]
struct PlaceArgs {
    /// Program to measure [default: target/release/huiliu, else the one beside this program]
    #[arg(long, value_name = "PATH")]
    huiliu: Option<PathBuf>,
    /// Folder for input and data [default: /dev/shm/huiliu-bench if there is a /dev/shm, so that the processor is
    /// measured and not the disk; else in the folder for temporary files]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct JobArgs {
    /// Rows of the file
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=generate::MOST_ROWS))]
    rows: u64,
    /// Runs of each pipeline, in turn; the table shows medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Another seed, other rows
    #[arg(long, default_value_t = generate::SEED)]
    seed: u64,
    /// A file from `gen` instead of an own one
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["rows", "seed"])]
    input: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The input is made once and kept in the folder; each run has a fresh data folder, which goes when its
output was checked (and stays when it differs). CPU seconds are user and system; MB are 10^6 bytes.

Examples:
  huiliu-bench run
  huiliu-bench run --rows 100000 --runs 1
  huiliu-bench run --huiliu /tmp/huiliu-before --json | jq '.job.paths[].cpu_s'
  huiliu-bench run --dir /srv/disk                 with a real disk in the way"
)]
struct RunArgs {
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Debug, Args)]
struct DropArgs {
    /// Files to drop, after the one that waits at the start and the one that comes first after the quiet
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    files: u32,
    /// One file each so many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 200)]
    interval_ms: u64,
    /// Seconds over which the waiting daemon is looked at
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    idle: u64,
}

#[derive(Debug, Args)]
#[command(
    after_help = "A file's latency runs from its rename into the inbox until all of its rows can be read as
complete lines in the sink's folder.

Examples:
  huiliu-bench latency
  huiliu-bench latency --files 1000 --rows 10 --interval-ms 20
  huiliu-bench latency --dir /srv/disk             with a real disk in the way"
)]
struct LatencyArgs {
    #[command(flatten)]
    drop: DropArgs,
    /// Rows of each file
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rows: u32,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  huiliu-bench all
  huiliu-bench all --rows 100000 --runs 1 --files 20
  huiliu-bench all --json > before.json")]
struct AllArgs {
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    drop: DropArgs,
    /// Rows of each dropped file
    #[arg(long, value_name = "ROWS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    file_rows: u32,
    #[command(flatten)]
    place: PlaceArgs,
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(DIFFERS),
        Err(error) => {
            eprintln!("huiliu-bench: {error:#}");
            ExitCode::from(NOT_MEASURED)
        }
    }
}

/// Whether every output was what it must be.
fn dispatch(command: Command) -> Result<bool> {
    match command {
        Command::Gen(args) => generate(&args),
        Command::Child { command } => {
            print(&serde_json::to_string(&measure::here(&command)?)?)?;
            Ok(true)
        }
        Command::Run(args) => report(&args.place, Some(&args.job), None),
        Command::Linkage(args) => link(&args),
        Command::Latency(args) => report(&args.place, None, Some((&args.drop, args.rows))),
        Command::All(args) => report(&args.place, Some(&args.job), Some((&args.drop, args.file_rows))),
    }
}

fn generate(args: &GenArgs) -> Result<bool> {
    let expected = generate::file(args.rows, args.seed, &args.out)?;
    let size = fs::metadata(&args.out)?.len() as f64 / 1e6;
    print(&format!(
        "{}: {} rows, {size:.1} MB; {} valid, {} duplicates, {} refused",
        args.out.display(),
        expected.rows,
        expected.valid,
        expected.duplicates,
        expected.rejected
    ))?;
    Ok(true)
}

/// Runs the data sets one after the other; each is printed as soon as it is measured.
fn link(args: &LinkageArgs) -> Result<bool> {
    let place = Place::open(args.place.huiliu.as_deref(), args.place.dir.as_deref())?;
    for dataset in &args.datasets {
        let options = linkage::Options {
            dataset: dataset.clone(),
            config: args.config.clone(),
            batch: args.batch,
            order: args.order,
            late: args.late,
        };
        let linkage = linkage::run(&place, &options)?;
        print(&if args.place.json { serde_json::to_string(&linkage)? } else { linkage.to_string() })?;
    }
    Ok(true)
}

/// Measures what was asked for, and prints it at once: a report is read as a whole.
fn report(place: &PlaceArgs, job: Option<&JobArgs>, drop: Option<(&DropArgs, u32)>) -> Result<bool> {
    if let Some((drop, rows)) = drop {
        let most = probe::MOST_ROWS;
        ensure!(
            (u64::from(drop.files) + 2) * u64::from(rows) <= most,
            "{} files of {rows} rows (and two more) are above {most} rows",
            drop.files
        );
    }
    let as_json = place.json;
    let place = Place::open(place.huiliu.as_deref(), place.dir.as_deref())?;
    let machine = place.machine()?;
    let mut document = json!({ "machine": machine });
    let mut text = format!("{machine}\n");
    let mut equal = true;
    if let Some(args) = job {
        let input = match &args.input {
            Some(path) => job::Input::given(path)?,
            None => job::Input::made(args.rows, args.seed, &place)?,
        };
        let job = job::run(&place, &input, args.runs)?;
        equal &= job.equal();
        text += &format!("\n{job}");
        document["job"] = serde_json::to_value(&job)?;
    }
    if let Some((args, rows)) = drop {
        let options = probe::Options {
            files: args.files,
            rows,
            interval: Duration::from_millis(args.interval_ms),
            idle: Duration::from_secs(args.idle),
        };
        let latency = probe::run(&place, &options)?;
        equal &= latency.equal();
        text += &format!("\n{latency}");
        document["latency"] = serde_json::to_value(&latency)?;
    }
    document["equal"] = Value::Bool(equal);
    print(&if as_json { serde_json::to_string_pretty(&document)? } else { text.trim_end().to_owned() })?;
    Ok(equal)
}

fn print(text: &str) -> Result<()> {
    writeln!(io::stdout(), "{text}").context("cannot write to standard output")
}
