//! What a sender is told of a sheet besides its cells: hidden rows and columns, formulas without a result.
//!
//! Also keeps which rows were given, so that a sheet that has a row twice is refused and not half read.

use std::fmt::Write;

use huiliu_stage::{Finding, Severity, Text, cell_address, column_letters};

use super::sheet::Row;
use crate::read::chunk::Chunk;
use crate::read::error::ReadError;

/// Most addresses and ranges in one message.
const SHOWN: usize = 12;
/// Most rows out of their order; each is looked for among those given.
const MOST_JUMPS: u32 = 1000;
/// Most ranges of rows that are kept.
const MOST_RANGES: usize = 1 << 20;

/// Facts about the sheet that is being read.
#[derive(Debug, Default)]
pub(super) struct Told {
    sheet: String,
    /// Hidden columns, first and last.
    pub(super) columns: Vec<(u32, u32)>,
    /// Hidden rows, first and last.
    pub(super) rows: Vec<(u32, u32)>,
    /// Rows that were given.
    given: Vec<(u32, u32)>,
    last: u32,
    /// How often a row stood before the one it should follow.
    jumps: u32,
    formulas: u64,
    uncomputed: u64,
    /// The first formulas without a result.
    addresses: Vec<String>,
}

impl Told {
    pub(super) fn new(sheet: &str) -> Self {
        Self { sheet: sheet.to_owned(), ..Self::default() }
    }

    /// Takes note of a row.
    pub(super) fn row(&mut self, row: &Row) -> Result<(), ReadError> {
        if row.number <= self.last {
            self.jumps += 1;
            if self.jumps > MOST_JUMPS {
                return Err(ReadError::damaged(&"its rows are in no order"));
            }
        }
        if row.number <= self.last && self.given.iter().any(|&(a, b)| (a..=b).contains(&row.number)) {
            return Err(ReadError::damaged(&format_args!("row {} is there twice", row.number)));
        }
        self.last = self.last.max(row.number);
        add(&mut self.given, row.number)?;
        if row.hidden && !(row.cells.is_empty() && row.errors.is_empty()) {
            add(&mut self.rows, row.number)?;
        }
        self.formulas += u64::from(row.formulas);
        for &column in &row.uncomputed {
            self.uncomputed += 1;
            if self.addresses.len() < SHOWN {
                self.addresses.push(cell_address(column as usize, row.number));
            }
        }
        Ok(())
    }

    /// Puts what is to be said into the sheet's last chunk.
    pub(super) fn finish(&mut self, chunk: &mut Chunk) {
        let sheet = &self.sheet;
        if !self.rows.is_empty() {
            let shown = ranges(&self.rows, |row| row.to_string());
            chunk.findings.push(finding(
                Severity::Info,
                "hidden",
                format!("工作表“{sheet}”有隐藏的行（{shown}），已一并读取；如不需要，请删除这些行"),
                format!("sheet `{sheet}` has hidden rows ({shown}), which were read; delete them if they are not meant"),
            ));
        }
        if !self.columns.is_empty() {
            let shown = ranges(&self.columns, |column| column_letters(column as usize));
            chunk.findings.push(finding(
                Severity::Info,
                "hidden",
                format!("工作表“{sheet}”有隐藏的列（{shown}），已一并读取；如不需要，请删除这些列"),
                format!("sheet `{sheet}` has hidden columns ({shown}), which were read; delete them if they are not meant"),
            ));
        }
        if self.uncomputed > 0 {
            let (count, shown) = (self.uncomputed, self.addresses.join("、"));
            chunk.findings.push(finding(
                Severity::Warning,
                "formula",
                format!("工作表“{sheet}”有{count}个公式没有保存计算结果（{shown}），按空白处理；请用表格软件打开、保存后重新上传"),
                format!("sheet `{sheet}` has {count} formulas without a stored result ({shown}), taken as empty; open the file in a spreadsheet program, save it and send it again"),
            ));
        }
    }
}

fn finding(severity: Severity, code: &str, zh: String, en: String) -> Finding {
    Finding::new(None, severity, code, Text::new(zh, en))
}

/// Adds a number to ranges, to the last one if it follows it.
fn add(ranges: &mut Vec<(u32, u32)>, number: u32) -> Result<(), ReadError> {
    let room = ranges.len() < MOST_RANGES;
    match ranges.last_mut() {
        Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
        _ if !room => {
            return Err(ReadError::too_large(
                "不相邻的行数",
                "the number of scattered rows",
                MOST_RANGES as u64,
            ));
        }
        _ => ranges.push((number, number)),
    }
    Ok(())
}

/// `3、7–12`, and how many more.
fn ranges(ranges: &[(u32, u32)], name: impl Fn(u32) -> String) -> String {
    let mut shown = String::new();
    for &(first, last) in ranges.iter().take(SHOWN) {
        if !shown.is_empty() {
            shown.push('、');
        }
        shown.push_str(&name(first));
        if last > first {
            // Writing to a String cannot fail.
            let _ = write!(shown, "–{}", name(last));
        }
    }
    if ranges.len() > SHOWN {
        shown.push('…');
    }
    shown
}
