//! What a pipeline says of its files beforehand: lines to pass over, lines that are no rows.

use tempfile::NamedTempFile;

use crate::read::tests::{collect, options};
use crate::read::{FormatOptions, Limits, ReadOptions, open, open_raw};
use huiliu_stage::{Field, FieldType, RecordSchema};

fn record() -> RecordSchema {
    let field = |name: &str, kind| Field { name: name.to_owned(), kind, ..Field::default() };
    let fields = vec![
        field("code", FieldType::Text),
        field("title", FieldType::Text),
        field("sum", FieldType::Number),
    ];
    RecordSchema { record: "thing".into(), label: String::new(), fields }
}

/// Rows, findings and the words about how the file is written, with a record schema or without one.
fn read(text: &str, skip: u32, comment: Option<&str>, raw: bool) -> (Vec<String>, Vec<String>, String) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let format = FormatOptions { skip, comment: comment.map(str::to_owned), ..FormatOptions::default() };
    let options = ReadOptions { format, ..options() };
    let opened = if raw { open_raw(file.path(), &options) } else { open(file.path(), &record(), &options) };
    let mut reading = opened.unwrap();
    let (rows, findings) = collect(&mut reading).unwrap();
    (rows, findings, reading.report().dialect.clone())
}

const TABLE: &str =
    "code,title,sum\n-- first\nA1,Lamp,1\n-- a,b,c,d;e\nA2,\"two\n-- lines\",2\nA3,Door,3\n--\n";

#[test]
fn lines_that_are_no_rows_are_left_out() {
    for raw in [false, true] {
        let (rows, findings, dialect) = read(TABLE, 0, Some("--"), raw);
        let told: Vec<&str> = rows.iter().map(|row| row.split(" _").next().unwrap()).collect();
        let sums = if raw { ["\"1\"", "\"2\"", "\"3\""] } else { ["1.0", "2.0", "3.0"] };
        let expected = [
            format!("code=\"A1\" title=\"Lamp\" sum={}", sums[0]),
            format!("code=\"A2\" title=\"two\\n-- lines\" sum={}", sums[1]),
            format!("code=\"A3\" title=\"Door\" sum={}", sums[2]),
        ];
        assert_eq!(told, expected);
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!(dialect, "delimiter ',', quote '\"', header in row 1, comments '--'");
        // Rows keep the numbers that the sender sees.
        assert!(rows[0].contains("_row=3") && rows[1].contains("_row=5"), "{rows:?}");
    }
}

#[test]
fn lines_at_the_beginning_are_passed_over_unseen() {
    // Each of these would be taken for a header, or a table.
    let head = "code,title,sum\r\n1,2,3\rx;y;z\n";
    for (raw, text) in [(false, "A9,Bed,9\n"), (true, "A9,Bed,9\n"), (false, "\"A,9\",Bed,9\n")] {
        let (rows, findings, dialect) = read(&format!("{head}code,title,sum\n{text}"), 3, None, raw);
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert!(rows[0].contains("title=\"Bed\"") && rows[0].contains("_row=5"), "{rows:?}");
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!(dialect, "delimiter ',', quote '\"', header in row 4, first 3 lines skipped");
    }
    let (rows, ..) = read("sep=;\ncode,title,sum\nA1,Lamp,1\n", 1, None, false);
    assert_eq!(rows.len(), 1);
    // Far more than there is.
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TABLE).unwrap();
    let format = FormatOptions { skip: u32::MAX, ..FormatOptions::default() };
    let options = ReadOptions { format, ..options() };
    for error in [open(file.path(), &record(), &options).err(), open_raw(file.path(), &options).err()] {
        assert!(error.unwrap().to_string().contains("empty"));
    }
}

#[test]
fn a_beginning_without_end_is_not_held() {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "x\n".repeat(4 << 20)).unwrap();
    let format = FormatOptions { skip: u32::MAX, ..FormatOptions::default() };
    let limits = Limits { max_row_bytes: 1 << 20, ..Limits::default() };
    let options = ReadOptions { format, limits, ..options() };
    for error in [open(file.path(), &record(), &options).err(), open_raw(file.path(), &options).err()] {
        let told = error.unwrap().to_string();
        assert!(told.contains("lines that are skipped"), "{told}");
    }
}

#[test]
fn a_long_beginning_is_passed_over_too() {
    let head = format!("{}\n", "x".repeat(3 << 20)).repeat(2);
    for raw in [false, true] {
        let (rows, ..) = read(&format!("{head}code,title,sum\nA1,Lamp,1\n"), 2, None, raw);
        assert_eq!(rows.len(), 1, "{rows:?}");
    }
}
