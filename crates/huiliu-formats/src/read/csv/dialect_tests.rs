//! Files in every dialect are read as their labels say: some hundreds of those that
//! `cargo run --release -p huiliu-formats --example csv_dialects` reads as files.

use super::dialects::{Labelled, labelled};
use super::sniff::Known;
use super::table::Plan;

/// Files that are read.
const FILES: u64 = 600;

/// Whether delimiter, quote, header and rows of a file are found.
fn is_found(file: &Labelled) -> bool {
    let mut plan = Plan::new(&file.text, &Known::default(), None, true);
    let rows: Vec<Vec<String>> = plan.rows(&file.text).into_iter().map(|row| row.cells).collect();
    let (delimiter, quote, _) = plan.form.told();
    let same = delimiter == file.delimiter && (file.quote.is_none() || quote == file.quote);
    same && plan.outline.header == file.header && rows == file.table
}

#[test]
fn files_in_every_dialect_are_read_as_labelled() {
    let wrong: Vec<String> = (1..=FILES)
        .map(labelled)
        .filter(|file| !is_found(file))
        .map(|file| file.made_of.join(", "))
        .collect();
    assert!(wrong.len() as u64 * 100 <= 4 * FILES, "{} of {FILES} wrong\n{}", wrong.len(), wrong.join("\n"));
    let daily =
        |file: &String| [",", ";", "\t", "|"].iter().any(|d| file.starts_with(&format!("delimiter {d:?},")));
    let common = wrong.iter().filter(|file| daily(file)).count();
    assert!(common as u64 * 100 <= FILES, "{common} with usual delimiters");
}
