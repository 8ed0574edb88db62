//! Reads labelled files in every dialect and prints how many labels are found, by what the files are made of.
//!
//! `cargo run --release -p huiliu-formats --example csv_dialects [files N] [show N]`
//!
//! A label is found if delimiter, quote, header rows and every cell are. `show N` prints the first N files that were not
//! read so. At the end stand the F1 of the cells of headers (those of a file that has none must not be there, and each counts
//! in the row where it stands), and the milliseconds that it takes to open a file, which is to tell how it is written.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, AsArray};
use huiliu_formats::read::{FormatKind, FormatOptions, ReadOptions, Reading, open_raw};
use huiliu_stage::{EXTRA, ROW, SHEET};

#[path = "../src/read/csv/dialects/mod.rs"]
mod dialects;

use dialects::{DELIMITERS, LINE_ENDS, Table, labelled};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |word: &str, otherwise: u64| {
        let at = arguments.iter().position(|argument| argument == word);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(otherwise)
    };
    let (files, mut show) = (number("files", 1500), number("show", 0));
    let path = std::env::temp_dir().join(format!("dialects-{}.csv", std::process::id()));
    let mut of: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
    let (mut dialects, mut exact, mut opening) = (0, 0, Duration::ZERO);
    let mut headers = Headers::default();
    for file in (1..=files).map(labelled) {
        std::fs::write(&path, &file.text)?;
        let begin = Instant::now();
        let format = FormatOptions { kind: Some(FormatKind::Csv), ..FormatOptions::default() };
        let reading = open_raw(&path, &ReadOptions { format, ..ReadOptions::default() })?;
        opening += begin.elapsed();
        let report = reading.report();
        let dialect = report.delimiter.as_deref() == Some(file.delimiter)
            && (file.quote.is_none() || report.quote == file.quote);
        let (header, rows) = rows(reading)?;
        let all = dialect && header == file.header && rows == file.table;
        headers
            .add(rows.get(..header).unwrap_or(&rows), file.table.get(..file.header).unwrap_or(&file.table));
        dialects += u64::from(dialect);
        exact += u64::from(all);
        for part in &file.made_of {
            let tally = of.entry(part.clone()).or_default();
            *tally = (tally.0 + u64::from(dialect), tally.1 + u64::from(all), tally.2 + 1);
        }
        if !all && show > 0 {
            show -= 1;
            println!("{}: header of {header}, {} rows\n{}", file.made_of.join(", "), rows.len(), file.text);
        }
    }
    std::fs::remove_file(&path)?;
    println!("{files} files with {} delimiters and {} line ends", DELIMITERS.len(), LINE_ENDS.len());
    for (part, (dialects, exact, files)) in of.iter().filter(|(_, (_, exact, files))| exact < files) {
        println!("{part:40} dialect {dialects:4}, every cell {exact:4} of {files}");
    }
    let share = |count: u64| 100.0 * count as f64 / files.max(1) as f64;
    println!("dialect {:.2} %, every cell {:.2} %", share(dialects), share(exact));
    println!("header cells F1 {:.3}", headers.f1());
    println!("opened in {:.2} ms each", opening.as_secs_f64() * 1e3 / files.max(1) as f64);
    Ok(())
}

/// Cells of headers: those that were read, those that are there, and those that are both.
#[derive(Default)]
struct Headers {
    read: usize,
    there: usize,
    both: usize,
}

impl Headers {
    fn add(&mut self, read: &[Vec<String>], there: &[Vec<String>]) {
        let cells = |rows: &[Vec<String>]| {
            let place = |row: usize, cells: &Vec<String>| {
                let filled = cells.iter().cloned().enumerate().filter(|(_, cell)| !cell.is_empty());
                filled.map(|(column, cell)| (row, column, cell)).collect::<Vec<_>>()
            };
            rows.iter().enumerate().flat_map(|(row, cells)| place(row, cells)).collect::<HashSet<_>>()
        };
        let (read, there) = (cells(read), cells(there));
        self.both += read.intersection(&there).count();
        self.read += read.len();
        self.there += there.len();
    }

    fn f1(&self) -> f64 {
        2.0 * self.both as f64 / (self.read + self.there).max(1) as f64
    }
}

/// Header rows and all rows of a file.
fn rows(mut reading: Reading) -> Result<(usize, Table), Box<dyn Error>> {
    let mut all: Table = reading.header().ok_or("not read as a table")?.to_vec();
    let header = all.len();
    for outcome in &mut reading {
        let batch = outcome?.batch;
        let schema = batch.schema();
        let own: Vec<usize> = (0..batch.num_columns())
            .filter(|&at| ![SHEET, ROW, EXTRA].contains(&schema.field(at).name().as_str()))
            .collect();
        let text = |column: &ArrayRef, row: usize| match column.as_string_opt::<i32>() {
            Some(texts) if !texts.is_null(row) => texts.value(row).to_owned(),
            _ => String::new(),
        };
        let rows = 0..batch.num_rows();
        all.extend(rows.map(|row| own.iter().map(|&at| text(batch.column(at), row)).collect::<Vec<_>>()));
    }
    Ok((header, all))
}
