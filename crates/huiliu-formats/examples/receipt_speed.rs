//! How fast a workbook comes back marked: `cargo run --release -p huiliu-formats --example receipt_speed`.
//!
//! `make FILE [ROWS]` writes a workbook of 20 columns (100 000 rows) to FILE; `mark FILE OUT [MARKS]` marks
//! 1 000 of its cells. Two calls, so that the peak memory printed is that of marking alone.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Instant;

use huiliu_formats::receipt::{CopyLimits, ReceiptData, workbook};
use huiliu_formats::report::{ColumnReport, ReadReport, SheetReport};
use huiliu_stage::{Finding, Severity, Text, row_id};
use rust_xlsxwriter::Workbook;

const COLUMNS: u16 = 20;
const ROWS: u32 = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["make", file] => make(file, ROWS),
        ["make", file, rows] => make(file, rows.parse()?),
        ["mark", file, out] => mark(file, out, 1_000),
        ["mark", file, out, marks] => mark(file, out, marks.parse()?),
        _ => Err("usage: receipt_speed make FILE [ROWS] | mark FILE OUT [MARKS]".into()),
    }
}

fn make(file: &str, rows: u32) -> Result<(), Box<dyn std::error::Error>> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet_with_constant_memory()?;
    sheet.set_name("项目")?;
    for column in 0..COLUMNS {
        sheet.write_string(0, column, format!("列{column}"))?;
    }
    for row in 1..=rows {
        for column in 0..COLUMNS {
            match column % 3 {
                0 => sheet.write_string(row, column, format!("第{row}个项目{column}"))?,
                _ => sheet.write_number(row, column, f64::from(row * 7919 % 100_003) / 100.0)?,
            };
        }
    }
    Ok(book.save(file)?)
}

fn mark(file: &str, out: &str, marks: u32) -> Result<(), Box<dyn std::error::Error>> {
    let column = |index| ColumnReport {
        index,
        header: format!("列{index}"),
        field: Some(format!("f{index}")),
        how: "name".into(),
        unit: None,
        ..ColumnReport::default()
    };
    let columns = (0..usize::from(COLUMNS)).map(column).collect();
    let sheet = SheetReport {
        name: "项目".into(),
        header_rows: vec![1],
        columns,
        rows: u64::from(ROWS),
        ..SheetReport::default()
    };
    let finding = |number: u32| {
        let text = Text::new("不是数字；请填写数字", "not a number; write digits");
        let row = row_id(0, number * (ROWS / marks.max(1)).max(1) + 2);
        Finding::new(Some(row), Severity::Error, "V07", text).with_field(format!("f{}", number % 20))
    };
    let data = ReceiptData {
        file: "项目.xlsx".into(),
        state: "committed".into(),
        rows_in: u64::from(ROWS),
        errors: u64::from(marks),
        findings: (0..marks).map(finding).collect(),
        sheets: vec!["项目".into()],
        report: ReadReport { format: "xlsx".into(), sheets: vec![sheet], ..ReadReport::default() },
        ..ReceiptData::default()
    };
    let start = Instant::now();
    let to = BufWriter::new(File::create(out)?);
    workbook(&data, Some(Path::new(file)), &CopyLimits::default(), to)?;
    println!("{marks} marks, {:.3} s wall", start.elapsed().as_secs_f64());
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    Ok(())
}
