//! Reads clean tables, polluted in every way we can think of, as files, and prints how many come back clean.
//!
//! `cargo run --release -p huiliu-formats --example csv_pollution [TABLE…] [rows N] [both N] [size N] [show N]`
//!
//! `rows 1` pollutes every row (the default is every third), `both 1` takes every pair of pollutions (every fifth),
//! `size N` makes tables of N rows (83), `show N` prints the first N failures of each pollution. At the end stand the milliseconds that it takes to open a
//! file, which is to tell its encoding, dialect, header and outline, and to read it.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, AsArray};
use huiliu_formats::read::{FormatKind, FormatOptions, ReadOptions, Reading, open_raw};
use huiliu_stage::{EXTRA, Outcome, ROW, SHEET};

#[path = "../src/read/csv/pollution/mod.rs"]
mod pollution;

use pollution::{Case, Clean, NAMES, Table, clean, of_cell, of_file, of_pair, of_row, pairs};

#[derive(Default)]
struct Tally {
    /// Exact recoveries and tries.
    of: BTreeMap<String, (usize, usize)>,
    /// Those that are wrong without a finding that says that something may be.
    silent: BTreeMap<String, usize>,
    opening: Duration,
    reading: Duration,
    files: u32,
    show: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |word: &str, otherwise: usize| {
        let at = arguments.iter().position(|argument| argument == word);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(otherwise)
    };
    let (rows, step) = (number("rows", 3).max(1), number("both", 5).max(1));
    let size = number("size", 83).max(12);
    let chosen: Vec<&str> = NAMES.into_iter().filter(|name| arguments.iter().any(|a| a == name)).collect();
    let path = std::env::temp_dir().join(format!("polluted-{}.csv", std::process::id()));
    let mut all = Tally::default();
    for name in if chosen.is_empty() { NAMES.to_vec() } else { chosen } {
        let mut tally = Tally { show: number("show", 0), ..Tally::default() };
        let clean = clean(name, 5, size);
        for case in cases(&clean, rows, step) {
            tally.take(name, &case, &path)?;
        }
        println!("== {name}");
        tally.tell();
        for (name, (exact, tries)) in tally.of {
            let sum = all.of.entry(name).or_default();
            *sum = (sum.0 + exact, sum.1 + tries);
        }
        for (name, silent) in tally.silent {
            *all.silent.entry(name).or_default() += silent;
        }
        all.opening += tally.opening;
        all.reading += tally.reading;
        all.files += tally.files;
    }
    std::fs::remove_file(&path)?;
    println!("== all");
    all.tell();
    Ok(())
}

fn cases(clean: &Clean, rows: usize, step: usize) -> Vec<Case> {
    let mut all = of_file(clean);
    let width = clean.table.first().map_or(1, Vec::len);
    for row in
        (0..clean.table.len()).filter(|row| row % rows == 0 || *row == 1 || row + 1 == clean.table.len())
    {
        all.extend(of_row(clean, row, 0));
        all.extend((1..width).flat_map(|column| of_cell(clean, row, column)));
    }
    let some = (0..pairs()).step_by(step);
    all.extend(
        some.filter_map(|which| of_pair(clean, which, which * 13 % clean.table.len(), which * 7 % width)),
    );
    all
}

impl Tally {
    fn take(&mut self, table: &str, case: &Case, path: &Path) -> Result<(), Box<dyn Error>> {
        std::fs::write(path, &case.text)?;
        let begin = Instant::now();
        let format = FormatOptions { kind: Some(FormatKind::Csv), ..FormatOptions::default() };
        let reading = open_raw(path, &ReadOptions { format, ..ReadOptions::default() });
        self.opening += begin.elapsed();
        self.files += 1;
        let (header, rows, told) = match reading {
            Ok(reading) => rows(reading)?,
            Err(error) => (usize::MAX, vec![vec![error.to_string()]], true),
        };
        self.reading += begin.elapsed();
        let exact = header == case.header && rows == case.table;
        let pairs = if case.name.contains(" + ") { "(pairs)" } else { &case.name };
        let rate = self.of.entry(pairs.to_owned()).or_default();
        *rate = (rate.0 + usize::from(exact), rate.1 + 1);
        if !exact && !told {
            *self.silent.entry(pairs.to_owned()).or_default() += 1;
        }
        if !exact && rate.1 - rate.0 <= self.show {
            let at = rows.iter().zip(&case.table).position(|(found, meant)| found != meant);
            let there = |table: &Table| at.and_then(|at| table.get(at)).map(|row| row.join("¦"));
            println!(
                "{} of `{table}`{}: header {header} for {}, {} rows for {}, first other {at:?}\n  {:?}\n  {:?}",
                case.name,
                if told { "" } else { ", silently" },
                case.header,
                rows.len(),
                case.table.len(),
                there(&rows),
                there(&case.table)
            );
        }
        Ok(())
    }

    fn tell(&self) {
        let (mut exact, mut tries) = (0, 0);
        for (name, (good, of)) in &self.of {
            (exact, tries) = (exact + good, tries + of);
            if good < of {
                let silent = self.silent.get(name).copied().unwrap_or(0);
                println!("{good:6} of {of:6}, {silent:4} wrong without a word  {name}");
            }
        }
        let each = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(self.files.max(1));
        println!(
            "{exact} of {tries} exact ({:.2} %), {} wrong without a word, opened in {:.2} ms, read in {:.2} ms each",
            100.0 * exact as f64 / tries.max(1) as f64,
            self.silent.values().sum::<usize>(),
            each(self.opening),
            each(self.reading)
        );
    }
}

/// Header rows and all rows of a file, and whether its sender is told to look at it.
fn rows(mut reading: Reading) -> Result<(usize, Table, bool), Box<dyn Error>> {
    let mut all: Table = reading.header().ok_or("not read as a table")?.to_vec();
    let (header, mut told) = (all.len(), false);
    for outcome in &mut reading {
        let Outcome { batch, findings } = outcome?;
        told |= !findings.is_empty();
        for row in 0..batch.num_rows() {
            let text = |column: &ArrayRef| match column.as_string_opt::<i32>() {
                Some(texts) if !texts.is_null(row) => texts.value(row).to_owned(),
                _ => String::new(),
            };
            let schema = batch.schema();
            let own = (0..batch.num_columns())
                .filter(|&at| ![SHEET, ROW, EXTRA].contains(&schema.field(at).name().as_str()));
            all.push(own.map(|at| text(batch.column(at))).collect());
        }
    }
    Ok((header, all, told))
}
