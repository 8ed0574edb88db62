//! Two threads give what one gives, byte by byte; and errors, panics and readers that go away end both.

use std::fmt::Write;

use huiliu_stage::{Field, FieldType, RecordSchema};
use proptest::prelude::*;
use tempfile::NamedTempFile;

use crate::read::{Limits, ReadError, ReadOptions, Reading, Source, open, open_raw};
use huiliu_stage::Outcome;

fn record() -> RecordSchema {
    let field = |(name, label, kind): (&str, &str, FieldType)| Field {
        name: name.to_owned(),
        label: label.to_owned(),
        kind,
        fill_down: name == "place",
        ..Field::default()
    };
    let fields = [
        ("name", "项目名称", FieldType::Text),
        ("place", "所属板块", FieldType::Text),
        ("total", "总投资", FieldType::Money),
        ("share", "完成率", FieldType::Number),
        ("start", "开工日期", FieldType::Date),
        ("jobs", "用工人数", FieldType::Integer),
    ];
    let mut fields: Vec<Field> = fields.map(field).into();
    fields[3].unit = Some("%".to_owned());
    RecordSchema { record: "project".into(), label: String::new(), fields }
}

fn options(batch_rows: usize) -> ReadOptions {
    let limits = Limits { max_row_bytes: 1 << 20, ..Limits::default() };
    ReadOptions { batch_rows, limits, today: 19_500, ..ReadOptions::default() }
}

/// Opens a file so that from the second batch on, which comes early, two threads read.
fn opened(file: &NamedTempFile, batch_rows: usize, threads: u64) -> Reading {
    let mut reading = open(file.path(), &record(), &options(batch_rows)).unwrap();
    reading.worth = (threads > 1).then_some(0);
    reading
}

fn all(reading: &mut Reading) -> (Vec<Outcome>, Option<ReadError>) {
    let (mut outcomes, mut error) = (Vec::new(), None);
    for read in reading {
        match read {
            Ok(outcome) => outcomes.push(outcome),
            Err(why) => error = Some(why),
        }
    }
    (outcomes, error)
}

/// Reads by one thread and by two, which must agree in everything; tells whether there were two, and the rows.
fn compared(bytes: &[u8], batch_rows: usize) -> (bool, usize) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    alike(opened(&file, batch_rows, 1), opened(&file, batch_rows, 2))
}

/// The same without a record schema.
fn compared_raw(bytes: &[u8], batch_rows: usize) -> (bool, usize) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let mut two = [1, 2].map(|_| open_raw(file.path(), &options(batch_rows)).unwrap());
    (two[0].worth, two[1].worth) = (None, Some(0));
    let [one, two] = two;
    alike(one, two)
}

fn alike(mut one: Reading, mut two: Reading) -> (bool, usize) {
    let ((ours, error), (theirs, other)) = (all(&mut one), all(&mut two));
    assert_eq!(error, other);
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.batch, theirs.batch);
        assert_eq!(ours.findings.0, theirs.findings.0);
    }
    if error.is_none() {
        assert_eq!(one.report(), two.report());
        assert_eq!(one.progress(), two.progress());
        assert_eq!(one.header(), two.header());
    }
    let rows = ours.iter().map(|outcome| outcome.batch.num_rows()).sum();
    (matches!(two.source, Source::Ahead(_)), rows)
}

const HEADER: &str = "序号,项目名称,所属板块,总投资（万元）,完成率,开工日期,用工人数,备注";

/// A table with all that makes rows depend on one another, and all that is mended in one.
fn mess(rows: usize) -> String {
    let mut text = format!("某区重点项目表(共{}个)\n{HEADER}\n", rows + 1);
    for row in 1..=rows {
        let total = row * 100;
        match row % 53 {
            3 => {
                writeln!(text, "{row},\"甲,\n乙 {row}\n丙\",东区,{total},35%,2023-02-01,5,\"他说\"\"好\"\"\"")
                    .unwrap()
            }
            7 => writeln!(text, "{row},项目{row},东区,{total},0.35,2023年3月,5").unwrap(),
            11 => writeln!(text, "{row},项目{row},东区,约{total}万元,35%,2023.3,五,好,多出,一格").unwrap(),
            13 => writeln!(text, "{row},项\"目{row},东区,{total},35%,不详,5,\"好").unwrap(),
            17 => writeln!(text, "{row},,,{total},,,,").unwrap(),
            19 => writeln!(text, "合计,,,{total},,,,").unwrap(),
            23 => {
                writeln!(text, "二、续建项目(9个),,,,,,,\n\n{row},项目{row},,{total},1,45000,5,好").unwrap()
            }
            29 => writeln!(text, "{HEADER}\n{row},项目{row},同上,abc,35%,2023-02-30,1.5,好").unwrap(),
            31 => writeln!(text, "{row};项目{row};东区;{total};35%;2023-02-01;5;好").unwrap(),
            37 => writeln!(text, "{},项目{row},东区,{total},35%,2023-02-01,5,\0", row + 1).unwrap(),
            41 => writeln!(text, "{row},项目{row},东区,{total},35%,2023-02-01,5,好,,,").unwrap(),
            _ => {
                writeln!(text, "{row},项目{row},东区,{total}.5,35%,2023-02-{:02},5,好", row % 28 + 1).unwrap()
            }
        }
    }
    text
}

#[test]
fn two_threads_give_what_one_gives() {
    let text = mess(1500);
    for batch_rows in [1, 7, 64, 1000] {
        let (shared, rows) = compared(text.as_bytes(), batch_rows);
        assert!(shared && rows > 1400, "{rows} rows by {batch_rows}");
    }
    let gb = encoding_rs::GB18030.encode(&text).0.into_owned();
    assert!(compared(&gb, 64).0);
    // Bytes that are no text, among those that are.
    let mut damaged = gb.clone();
    damaged.iter_mut().skip(9000).step_by(7001).for_each(|byte| *byte = 0xff);
    assert!(compared(&damaged, 64).0);
    let wide: Vec<u8> =
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert!(compared(&wide, 64).0);
    // In a dialect of which each row is taken apart by the general reader.
    let (apart, rows) = compared(text.replace(',', "||").as_bytes(), 64);
    assert!(apart && rows > 1400, "{rows} rows");
}

#[test]
fn without_a_record_schema_two_threads_give_what_one_gives() {
    // Rows of delimiters alone are held until it is known whether they end the table.
    let mut table = mess(300).replace("\n100,", "\n,,,,,,,\n,,,,,,,\n100,");
    table.push_str(",,,,,,,\n,,,,,,,\n");
    for batch_rows in [1, 7, 64] {
        let (shared, rows) = compared_raw(table.as_bytes(), batch_rows);
        assert!(shared && rows > 280, "{rows} rows by {batch_rows}");
    }
    let gb = encoding_rs::GB18030.encode(&table.replace(',', "||")).0.into_owned();
    assert!(compared_raw(&gb, 16).0);
}

#[test]
fn quoted_cells_go_on_over_the_ends_of_blocks() {
    // A block is 256 KiB: cells of 100 KiB with line ends and delimiters in quotes stand over each of their ends.
    let long = "甲,\r\n乙\"\"丙\n".repeat(6000);
    let mut text = format!("{HEADER}\r\n");
    for row in 0..60 {
        write!(text, "{row},\"项目{row}\",东区,{row},35%,2023-02-01,5,\"{long}\"\r\n").unwrap();
        write!(text, "{row},项目{row}又,东区,{row},35%,2023-02-01,5,好\r\n").unwrap();
    }
    for batch_rows in [3, 50] {
        assert_eq!(compared(text.as_bytes(), batch_rows), (true, 120));
    }
}

#[test]
fn a_file_of_hardly_any_data_is_not_held() {
    // Of 3000 rows one in 500 is data, so that one batch takes many blocks.
    let mut text = format!("{HEADER}\n");
    for row in 0..3000 {
        match row % 500 {
            0 => writeln!(text, "{row},项目{row},东区,{row},35%,2023-02-01,5,好").unwrap(),
            _ => writeln!(text, "合计,,,{},,,,{}", row * 100, "注".repeat(300)).unwrap(),
        }
    }
    assert_eq!(compared(text.as_bytes(), 2), (true, 6));
}

#[test]
fn an_error_comes_behind_the_batches_before_it() {
    let mut text = mess(400);
    writeln!(text, "401,\"{}", "长,".repeat(1 << 20)).unwrap();
    assert!(compared(text.as_bytes(), 16).0);
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{HEADER}\n{}", "x".repeat(3 << 20))).unwrap();
    let (one, two) = (all(&mut opened(&file, 16, 1)), all(&mut opened(&file, 16, 2)));
    assert_eq!(one.1, two.1);
}

#[test]
fn a_reader_that_goes_away_ends_the_helper() {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), mess(1200)).unwrap();
    for taken in [0, 1, 2, 5] {
        let mut reading = opened(&file, 16, 2);
        for outcome in reading.by_ref().take(taken) {
            outcome.unwrap();
        }
        // Returns only when the helper has ended.
        drop(reading);
    }
}

#[test]
fn small_files_are_read_by_one_thread() {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), mess(500)).unwrap();
    let options = ReadOptions { batch_rows: 16, ..ReadOptions::default() };
    let mut reading = open(file.path(), &record(), &options).unwrap();
    assert!(all(&mut reading).0.len() > 20 && matches!(reading.source, Source::Csv(_)));
    let long = format!("{HEADER}\n")
        + &format!("1,甲,东区,100,35%,2023-02-01,5,{}\n", "好".repeat(10_000)).repeat(200);
    std::fs::write(file.path(), long).unwrap();
    for threads in [1, 2] {
        let options = ReadOptions { batch_rows: 16, threads, ..ReadOptions::default() };
        let mut reading = open(file.path(), &record(), &options).unwrap();
        for outcome in reading.by_ref().take(3) {
            outcome.unwrap();
        }
        let shared = threads > 1 && super::may_help();
        assert_eq!(matches!(reading.source, Source::Ahead(_)), shared, "{threads} threads");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_table_is_read_alike(
        rows in prop::collection::vec(prop::collection::vec("[合计0-9年,;\"\n. ]{0,5}", 1..10), 20..60),
        batch_rows in 1_usize..9,
    ) {
        let mut text = format!("{HEADER}\n");
        for row in &rows {
            let cell = |cell: &String| if cell.len().is_multiple_of(3) { cell.clone() } else { format!("\"{}\"", cell.replace('"', "\"\"")) };
            text.push_str(&row.iter().map(cell).collect::<Vec<_>>().join(","));
            text.push('\n');
        }
        compared(text.as_bytes(), batch_rows);
    }
}
