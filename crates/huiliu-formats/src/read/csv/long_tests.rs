//! Cells of very many lines: whatever stands in quotes is one cell, however long, and a quote that is never closed
//! swallows no rows.

use std::fmt::Write;

use tempfile::NamedTempFile;

use crate::read::tests::collect;
use crate::read::{FormatKind, FormatOptions, Limits, ReadError, ReadOptions, open, open_raw};
use huiliu_stage::{Field, FieldType, RecordSchema};

/// 91 rows, one of them with a cell of so many lines.
fn text(delimiter: &str, lines: usize, at: usize) -> (String, String) {
    let mut note = String::new();
    for line in 0..lines {
        let end = if line + 1 < lines { "\n" } else { "" };
        write!(note, "line {line} of the long note{end}").unwrap();
    }
    let mut text = ["id", "name", "note"].join(delimiter) + "\n";
    for row in 0..90 {
        match row == at {
            true => writeln!(text, "{row}{delimiter}乙{delimiter}\"{note}\"").unwrap(),
            false => writeln!(text, "{row}{delimiter}甲{delimiter}fine").unwrap(),
        }
    }
    (text, note)
}

fn record() -> RecordSchema {
    let field = |name: &str, kind| Field { name: name.to_owned(), kind, ..Field::default() };
    let fields =
        vec![field("id", FieldType::Integer), field("name", FieldType::Text), field("note", FieldType::Text)];
    RecordSchema { record: "thing".into(), label: String::new(), fields }
}

fn read(text: &str, schema: bool, limits: Limits) -> Result<(Vec<String>, Vec<String>), ReadError> {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let format = FormatOptions { kind: Some(FormatKind::Csv), ..FormatOptions::default() };
    let options = ReadOptions { format, limits, ..ReadOptions::default() };
    let mut reading = match schema {
        true => open(file.path(), &record(), &options)?,
        false => open_raw(file.path(), &options)?,
    };
    collect(&mut reading)
}

#[test]
fn a_cell_in_quotes_may_hold_any_number_of_lines() {
    for (lines, at) in [(1_000, 50), (1_000, 0), (1_000, 89), (20_000, 50), (20_000, 0), (200_000, 50)] {
        let some = if lines > 100_000 { 2 } else { 6 };
        for (delimiter, schema) in
            [(",", false), (",", true), (";", false), (";", true), ("||", true), ("|", false)]
                .into_iter()
                .take(some)
        {
            let (text, note) = text(delimiter, lines, at);
            let what = format!("{lines} lines in row {at}, {delimiter}, schema {schema}");
            let (rows, findings) = read(&text, schema, Limits::default()).unwrap();
            assert_eq!(rows.len(), 90, "{what}: {:?}", findings.first());
            let shown: String = rows[at].chars().take(80).collect();
            assert!(rows[at].contains("line 0 of") && rows[at].len() > note.len(), "{what}: {shown}");
            assert!(rows[at].contains("name=\"乙\""), "{what}");
            assert!(rows[(at + 1) % 90].contains("fine"), "{what}");
            assert!(findings.is_empty(), "{what}: {findings:?}");
        }
    }
}

#[test]
fn a_title_above_does_not_hide_a_long_cell() {
    let (text, note) = text(",", 5_000, 20);
    let (rows, ..) = read(&format!("List of things\n\n{text}"), false, Limits::default()).unwrap();
    assert_eq!(rows.len(), 90);
    assert!(rows[20].len() > note.len());
}

#[test]
fn a_quote_that_is_never_closed_swallows_no_rows() {
    for rows in [500, 60_000] {
        let mut text = String::from("id,name,note\n");
        for row in 0..rows {
            let open = if row == 40 { "\"" } else { "" };
            writeln!(text, "{row},甲,{open}the note of row {row}").unwrap();
        }
        for schema in [false, true] {
            let (found, findings) = read(&text, schema, Limits::default()).unwrap();
            assert_eq!(found.len(), rows, "schema {schema}");
            assert!(found[40].contains("the note of row 40"), "{}", found[40]);
            assert!(findings.len() < 3, "{findings:?}");
        }
        // Even if a quote closes it in the end.
        text.push_str("x,甲,so it ends\"\n");
        for schema in [false, true] {
            let (found, findings) = read(&text, schema, Limits::default()).unwrap();
            assert_eq!(found.len(), rows + 1, "schema {schema} {:?}", &findings[..findings.len().min(3)]);
        }
    }
}

#[test]
fn a_cell_longer_than_a_row_may_be_is_refused() {
    let limits = Limits { max_row_bytes: 2 << 20, ..Limits::default() };
    let (text, _) = text(",", 200_000, 50);
    for schema in [false, true] {
        let refused = read(&text, schema, limits.clone()).err().map(|error| error.to_string());
        assert!(refused.is_some_and(|words| words.contains("a row's length")), "schema {schema}");
    }
}
