//! How fast a file is read into typed batches: `cargo run --release -p huiliu-formats --example read_speed FILE`.
//!
//! Knows the 15 columns of the benchmark's project file (`tests/bench`); their values are read strictly.
//! A second argument `lenient` reads them as a department's file. Prints rows, findings, CPU seconds
//! (from `/proc/self/stat`) and peak memory.

use std::path::Path;
use std::time::Instant;

use huiliu_formats::read::{ReadOptions, open};
use huiliu_stage::{Field, FieldType, RecordSchema};

const COLUMNS: [&str; 15] = [
    "project_code",
    "project_name",
    "company",
    "credit_code",
    "township",
    "industry_code",
    "total_investment",
    "planned_investment_this_year",
    "completed_investment",
    "land_area_mu",
    "admitted_date",
    "start_date",
    "completion_date",
    "contact_phone",
    "status",
];

fn record(strict: bool) -> RecordSchema {
    let kind = |name: &str| match name {
        "land_area_mu" => FieldType::Number,
        name if name.contains("investment") => FieldType::Money,
        name if name.ends_with("_date") => FieldType::Date,
        _ => FieldType::Text,
    };
    let field = |name: &str| Field { name: name.to_owned(), kind: kind(name), strict, ..Field::default() };
    RecordSchema { record: "project".into(), label: String::new(), fields: COLUMNS.map(field).into() }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: read_speed FILE [lenient]")?;
    let strict = arguments.next().is_none_or(|word| word != "lenient");
    let start = Instant::now();
    let mut reading = open(Path::new(&file), &record(strict), &ReadOptions::default())?;
    let (mut rows, mut batches, mut findings) = (0, 0, 0);
    for outcome in &mut reading {
        let outcome = outcome?;
        rows += outcome.batch.num_rows();
        findings += outcome.findings.len();
        batches += 1;
    }
    let wall = start.elapsed().as_secs_f64();
    println!(
        "{rows} rows in {batches} batches, {findings} findings, {wall:.3} s wall, {:.2} s CPU",
        cpu_seconds()?
    );
    println!("{}", peak_memory()?);
    Ok(())
}

/// User and system time of this process, in hundredths of a second as Linux counts them.
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit_once(')').ok_or("/proc/self/stat is of another form")?.1;
    let ticks: Vec<u64> =
        behind_name.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<u64>() as f64 / 100.0)
}

fn peak_memory() -> Result<String, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    Ok(status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned())
}
