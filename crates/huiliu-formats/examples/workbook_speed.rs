//! How fast a workbook is read: `cargo run --release -p huiliu-formats --example workbook_speed [FILE]`.
//!
//! Without a file one of 100,000 rows and 20 columns (2.0 M cells: texts, numbers, dates) is made in the folder
//! for temporary files. It is read in a process of its own, so that the peak memory is the reader's alone; every
//! column is text, so that cells and not values are measured. `calamine FILE` reads with calamine's stream of cells.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Instant;

use calamine::{Reader, Xlsx};
use huiliu_formats::read::{ReadOptions, open_raw};
use rust_xlsxwriter::{Format, Workbook};

const ROWS: u32 = 100_000;
const COLUMNS: u16 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let path = std::env::temp_dir().join("workbook_speed.xlsx");
            make(&path)?;
            let mut child = std::process::Command::new(std::env::current_exe()?);
            child.arg(&path).status()?;
            let mut child = std::process::Command::new(std::env::current_exe()?);
            child.arg("calamine").arg(&path).status()?;
            Ok(())
        }
        ["calamine", file] => with_calamine(Path::new(file)),
        [file] => with_ours(Path::new(file)),
        _ => Err("usage: workbook_speed [[calamine] FILE]".into()),
    }
}

fn make(path: &PathBuf) -> Result<(), Box<dyn Error>> {
    let mut book = Workbook::new();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    let sheet = book.add_worksheet_with_constant_memory()?;
    for column in 0..COLUMNS {
        sheet.write(0, column, format!("第{}列", column + 1))?;
    }
    for row in 1..=ROWS {
        if row == 50 {
            sheet.set_row_hidden(row)?;
        }
        for column in 0..COLUMNS {
            match column % 4 {
                0 => sheet.write(row, column, format!("示例项目{}", u64::from(row) * 7919 % 100_003))?,
                1 => sheet.write(row, column, f64::from(row * 37 % 1_000_000) / 100.0)?,
                2 => sheet.write_with_format(row, column, 40_000 + row % 5000, &day)?,
                _ => sheet.write(row, column, row + u32::from(column))?,
            };
        }
    }
    sheet.merge_range(ROWS + 1, 0, ROWS + 1, 3, "合计", &Format::new())?;
    book.save(path)?;
    println!("{} MB, {ROWS} rows, {COLUMNS} columns", std::fs::metadata(path)?.len() / 1_000_000);
    Ok(())
}

fn with_ours(path: &Path) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let (mut rows, mut findings) = (0, 0);
    for outcome in &mut open_raw(path, &ReadOptions::default())? {
        let outcome = outcome?;
        rows += outcome.batch.num_rows();
        findings += outcome.findings.len();
    }
    tell("ours", &format!("{rows} rows, {findings} findings"), start)
}

fn with_calamine(path: &Path) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let mut book = Xlsx::new(BufReader::new(File::open(path)?))?;
    let name = book.sheet_names().first().cloned().unwrap_or_default();
    let mut cells = book.worksheet_cells_reader(&name)?;
    let mut count = 0_u64;
    while cells.next_cell()?.is_some() {
        count += 1;
    }
    tell("calamine", &format!("{count} cells"), start)
}

fn tell(who: &str, what: &str, start: Instant) -> Result<(), Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    println!("{who}: {what}, {:.3} s, {peak}", start.elapsed().as_secs_f64());
    Ok(())
}
