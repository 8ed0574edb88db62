//! What reports of bad cells cost: the same table read clean, with a bad cell in one row of a hundred, and with one cell of
//! all hundred bad, which is one row in seven.
//!
//! `cargo run --release -p huiliu-formats --example bad_cells [ROWS] [ONE_ROW_IN]`
//!
//! All are read in turns in one run, so that whatever else the machine does strikes all; the ratio of the medians is
//! the answer. The mark (shared/files.md section 5: at most 1.05) is held against one row of a hundred, as a table that
//! people filled in may have; a table with a fault in each seventh row shows what a finding costs. Times are
//! of the processor, of both threads that read.

use std::error::Error;
use std::io::{BufWriter, Write};
use std::path::Path;

use huiliu_formats::read::{ReadOptions, open};
use huiliu_stage::{Field, FieldType, RecordSchema};

/// Rounds of which the median is taken.
const ROUNDS: usize = 21;
/// Cells of a row; those from the third on are numbers, amounts and days.
const COLUMNS: [(&str, FieldType); 14] = [
    ("project_code", FieldType::Text),
    ("project_name", FieldType::Text),
    ("company", FieldType::Text),
    ("township", FieldType::Text),
    ("status", FieldType::Text),
    ("contact_phone", FieldType::Text),
    ("total_investment", FieldType::Money),
    ("planned_investment", FieldType::Money),
    ("completed_investment", FieldType::Money),
    ("land_area_mu", FieldType::Number),
    ("floor_area", FieldType::Number),
    ("jobs", FieldType::Integer),
    ("start_date", FieldType::Date),
    ("completion_date", FieldType::Date),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().map_or(Ok(200_000), |rows| rows.parse())?;
    let one_in: usize = arguments.next().map_or(Ok(100), |one| one.parse())?;
    let folder = tempfile::tempdir()?;
    // Cells between one bad cell and the next; 0: there is none.
    let files = [0, one_in * COLUMNS.len(), 100];
    let path = |every: usize| folder.path().join(format!("{every}.csv"));
    for every in files {
        write(&path(every), rows, every)?;
    }
    let mut times = files.map(|_| Vec::new());
    let mut told = files.map(|_| 0);
    for _ in 0..ROUNDS {
        for (at, every) in files.into_iter().enumerate() {
            let before = processor_seconds();
            told[at] = read(&path(every), rows)?;
            times[at].push(processor_seconds() - before);
        }
    }
    let times = times.map(median);
    println!("{rows} rows of {} cells, clean: {:.3} s, {} findings", COLUMNS.len(), times[0], told[0]);
    for at in [1, 2] {
        let (more, findings) = (times[at] - times[0], told[at]);
        println!(
            "one bad cell in {}: {:.3} s, {findings} findings, ratio {:.3}, {:.2} us a finding",
            files[at],
            times[at],
            times[at] / times[0],
            more * 1e6 / findings.max(1) as f64
        );
    }
    Ok(())
}

/// Reads a file as the daemon does and gives the number of findings.
fn read(file: &Path, rows: usize) -> Result<usize, Box<dyn Error>> {
    let field = |(name, kind): (&str, FieldType)| Field { name: name.to_owned(), kind, ..Field::default() };
    let record =
        RecordSchema { record: "project".into(), label: String::new(), fields: COLUMNS.map(field).into() };
    let (mut seen, mut findings) = (0, 0);
    for outcome in open(file, &record, &ReadOptions::default())? {
        let outcome = outcome?;
        seen += outcome.batch.num_rows();
        findings += outcome.findings.len();
    }
    if seen == rows { Ok(findings) } else { Err(format!("{seen} of {rows} rows were read").into()) }
}

/// Writes the table; of the cells that must be numbers or days one in `one_in` of all is none, 0 for none.
fn write(file: &Path, rows: usize, one_in: usize) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    writeln!(out, "{}", COLUMNS.map(|(name, _)| name).join(","))?;
    let mut left = one_in;
    for row in 0..rows {
        let day =
            |from: usize| format!("20{}-{:02}-{:02}", 20 + row % 6, 1 + (row + from) % 12, 1 + row % 28);
        let mut cells = [
            format!("2024-320412-89-01-{row:06}"),
            format!("年产{row}万套新能源汽车零部件生产基地"),
            format!("常州恒瑞机械{}有限公司", row % 99),
            "湖塘镇".to_owned(),
            "在建".to_owned(),
            format!("138{:08}", row % 100_000_000),
            format!("{}.{:02}", 1000 + row * 7 % 90_000, row % 100),
            format!("{}.{:02}", 300 + row % 9_000, row % 97),
            format!("{}.{:02}", 100 + row % 700, row % 89),
            format!("{}.{}", row % 900, row % 10),
            format!("{}", 500 + row % 70_000),
            format!("{}", row % 3_000),
            day(0),
            day(5),
        ];
        // A bad cell falls on columns in turn, six in fourteen of all places hold words.
        for at in 0..COLUMNS.len() {
            left = left.saturating_sub(1);
            if one_in > 0 && left == 0 {
                left = one_in;
                if let Some(cell) = cells.get_mut(6 + (row + at) % 8) {
                    *cell = "待定中".to_owned();
                }
            }
        }
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(out.flush()?)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Time of this process on processors, of all its threads: a large file is read by two.
fn processor_seconds() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}
