//! Workbooks with every kind of mess, read by the real program, and what must come of each.
//!
//! The workbooks in `tests/workbooks` are made by `make.py` there or were sent by somebody. Beside `NAME.xlsx` (or another ending)
//! `NAME.table.csv` holds the columns of the record that get a value, `NAME.told.txt` all findings word for word.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::support::{Home, root};

/// The workbooks by their names, in order.
fn workbooks() -> Vec<(String, PathBuf)> {
    let paths = fs::read_dir(root().join("tests/workbooks")).unwrap().map(|entry| entry.unwrap().path());
    let is_book = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        !["py", "csv", "txt"].contains(&ending)
    };
    let name = |path: PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path);
    let mut all: Vec<(String, PathBuf)> = paths.filter(is_book).map(name).collect();
    all.sort();
    all
}

/// The rows as a table of the columns that hold something; a line break within a cell is written `\\n`.
fn table(lines: &str) -> String {
    let rows: Vec<Map<String, Value>> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut columns: Vec<&String> = Vec::new();
    for (name, value) in rows.iter().flatten() {
        if !value.is_null() && !columns.contains(&name) {
            columns.push(name);
        }
    }
    let cell = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.replace('\n', "\\n"),
        Some(value) => value.to_string(),
    };
    let quoted = |text: String| match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    };
    let line = |cells: Vec<String>| cells.into_iter().map(quoted).collect::<Vec<_>>().join(",") + "\n";
    let head = line(columns.iter().map(|name| (*name).clone()).collect());
    rows.iter()
        .map(|row| line(columns.iter().map(|name| cell(row.get(*name))).collect()))
        .fold(head, |all, row| all + &row)
}

/// Compares with a file beside the workbook, or writes it if `INSTA_UPDATE=always` asks for that.
fn differs(path: &Path, got: &str) -> Option<String> {
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(path, got).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    (expected != got).then(|| format!("{}\n-- expected\n{expected}-- got\n{got}", path.display()))
}

#[test]
fn workbooks_of_every_mess_give_their_tables_and_tell_the_rest() {
    let home = Home::shipped();
    let record = root().join("pipelines/records/project.yaml").to_string_lossy().into_owned();
    let all = workbooks();
    assert!(all.len() >= 18, "{all:?}");
    let mut wrong = Vec::new();
    for (name, path) in &all {
        let file = path.to_string_lossy();
        let ended = home.huiliu(&["read", &file, "--record", &record, "--format", "jsonl"]).expect(0);
        let beside = |ending: &str| path.with_file_name(format!("{name}.{ending}"));
        wrong.extend(differs(&beside("table.csv"), &table(&ended.out)));
        wrong.extend(differs(&beside("told.txt"), &ended.err));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the reader gives is all accounted for by the shipped pipeline: kept, merged or in quarantine.
#[test]
fn every_row_of_these_workbooks_goes_through_the_shipped_pipeline_and_is_answered() {
    let mut home = Home::shipped();
    let all = workbooks();
    for (name, path) in &all {
        let file = path.file_name().unwrap().to_str().unwrap();
        home.drop_file(&format!("{name}/{file}"), &fs::read(path).unwrap());
    }
    home.once().expect(0);
    home.picture(); // Fails if some row is not accounted for.
    let rows: BTreeMap<String, u64> = home
        .deliveries()
        .iter()
        .map(|told| (told["sender"].as_str().unwrap().to_owned(), told["rows_in"].as_u64().unwrap()))
        .collect();
    for (name, path) in &all {
        let table = fs::read_to_string(path.with_file_name(format!("{name}.table.csv"))).unwrap();
        let wanted = table.lines().count() as u64 - 1;
        assert_eq!(rows.get(name), Some(&wanted), "{name}");
    }
}

/// A department corrects the marked copy and sends it again: but for the marks it must be what was sent, whatever kind
/// of workbook that was.
#[test]
fn the_marked_copy_of_every_workbook_gives_the_same_table() {
    let mut home = Home::shipped();
    let record = root().join("pipelines/records/project.yaml").to_string_lossy().into_owned();
    let all = workbooks();
    for (name, path) in &all {
        let file = path.file_name().unwrap().to_str().unwrap();
        home.drop_file(&format!("{name}/{file}"), &fs::read(path).unwrap());
    }
    home.once().expect(0);
    for (name, path) in &all {
        let copy = home.files(&format!("outbox/{name}")).into_keys().find(|file| file.ends_with(".xlsx"));
        let copy = home.data(&copy.unwrap_or_default());
        let read = |file: &Path| {
            let file = file.to_string_lossy();
            home.huiliu(&["read", &file, "--record", &record, "--format", "jsonl"]).expect(0).out
        };
        assert_eq!(table(&read(&copy)), table(&read(path)), "{name}");
    }
}
