//! What a sender is told of a sheet besides its cells: hidden rows and columns, formulas without a result, lost texts.
//!
//! Also keeps which rows were given, so that a sheet that has a row twice is refused and not half read.

use std::fmt::Write;

use huiliu_stage::{Finding, Severity, Text, cell_address, column_letters};

use super::sheet::Row;
use crate::read::chunk::Chunk;
use crate::read::error::ReadError;
use crate::read::options::Hidden;

/// Most addresses and ranges in one message.
const SHOWN: usize = 12;
/// Most rows out of their order; each is looked for among those given.
const MOST_JUMPS: u32 = 1000;
/// Most ranges of rows that are kept.
const MOST_RANGES: usize = 1 << 20;

/// A range of hidden columns.
#[derive(Debug)]
struct HiddenColumns {
    range: (u32, u32),
    /// The first and the last that hold a cell.
    filled: Option<(u32, u32)>,
}

/// Facts about the sheet that is being read.
#[derive(Debug, Default)]
pub(super) struct Told {
    sheet: String,
    hidden: Hidden,
    /// The workbook does not say what is hidden.
    untold: bool,
    columns: Vec<HiddenColumns>,
    /// Hidden rows that hold a cell, first and last.
    rows: Vec<(u32, u32)>,
    /// Rows that were given.
    given: Vec<(u32, u32)>,
    last: u32,
    /// How often a row stood before the one it should follow.
    jumps: u32,
    formulas: u64,
    uncomputed: u64,
    /// The first formulas without a result.
    addresses: Vec<String>,
    /// Row and column of the first cells whose text is lost, and how many there are.
    lost: (Vec<(u32, u32)>, u64),
}

impl Told {
    /// `untold` says that the workbook does not say what is hidden.
    pub(super) fn new(sheet: &str, hidden: Hidden, untold: bool) -> Self {
        Self { sheet: sheet.to_owned(), hidden, untold, ..Self::default() }
    }

    /// Takes over which columns are hidden; those known already come first.
    pub(super) fn columns(&mut self, hidden: &[(u32, u32)]) {
        let new = hidden.get(self.columns.len()..).unwrap_or_default();
        self.columns.extend(new.iter().map(|&range| HiddenColumns { range, filled: None }));
    }

    /// Takes note of a row. Gives whether it is hidden.
    pub(super) fn row(&mut self, row: &Row) -> Result<bool, ReadError> {
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
        for &column in &row.lost {
            self.lost.1 += 1;
            if self.lost.0.len() < SHOWN {
                self.lost.0.push((row.number, column));
            }
        }
        if !self.columns.is_empty() {
            for (column, _) in &row.cells {
                self.cell(*column);
            }
        }
        Ok(row.hidden)
    }

    /// Takes note of a cell if its column is hidden.
    fn cell(&mut self, column: u32) {
        let at = self.columns.partition_point(|hidden| hidden.range.1 < column);
        if let Some(HiddenColumns { range, filled }) = self.columns.get_mut(at)
            && range.0 <= column
        {
            let (low, high) = filled.unwrap_or((column, column));
            *filled = Some((low.min(column), high.max(column)));
        }
    }

    /// Puts what is to be said into the sheet's last chunk.
    pub(super) fn finish(&mut self, chunk: &mut Chunk) {
        let sheet = &self.sheet;
        if !self.rows.is_empty() {
            chunk.findings.push(self.hides(("行", "rows"), &ranges(&self.rows, |row| row.to_string())));
        }
        let columns: Vec<(u32, u32)> = self.columns.iter().filter_map(|hidden| hidden.filled).collect();
        if !columns.is_empty() {
            let shown = ranges(&columns, |column| column_letters(column as usize));
            chunk.findings.push(self.hides(("列", "columns"), &shown));
        }
        if self.untold && self.hidden == Hidden::Skip {
            chunk.findings.push(finding(
                Severity::Warning,
                "hidden",
                format!("工作表“{sheet}”的文件格式看不出哪些行列被隐藏，已全部读取；请另存为 .xlsx 后上传"),
                format!(
                    "of sheet `{sheet}` it cannot be told what is hidden, so all was read; send it as .xlsx"
                ),
            ));
        }
        self.finish_lost(chunk);
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

impl Told {
    /// Tells of cells whose text is not in the file.
    fn finish_lost(&self, chunk: &mut Chunk) {
        let (first, count) = &self.lost;
        if *count == 0 {
            return;
        }
        let sheet = &self.sheet;
        let shown: Vec<String> =
            first.iter().map(|(row, column)| cell_address(*column as usize, *row)).collect();
        let shown = shown.join("、");
        chunk.findings.push(finding(
            Severity::Error,
            "lost-text",
            format!("工作表“{sheet}”有{count}个单元格的文字不在文件中（{shown}），文件已损坏，按空白处理；请用表格软件打开、补全后重新上传"),
            format!("the texts of {count} cells of sheet `{sheet}` are not in the file ({shown}), which is damaged; taken as empty; open it in a spreadsheet program, fill them in and send it again"),
        ));
    }

    /// `what` is hidden, in both languages, at the places `shown`.
    fn hides(&self, what: (&str, &str), shown: &str) -> Finding {
        let (sheet, (zh, en)) = (&self.sheet, what);
        let (zh, en) = match self.hidden {
            Hidden::Read => (
                format!("工作表“{sheet}”有隐藏的{zh}（{shown}），已一并读取；如不需要，请删除这些{zh}"),
                format!(
                    "sheet `{sheet}` has hidden {en} ({shown}), which were read; delete them if they are not meant"
                ),
            ),
            Hidden::Skip => (
                format!("工作表“{sheet}”有隐藏的{zh}（{shown}），按设置没有读取；如需要，请取消隐藏"),
                format!(
                    "sheet `{sheet}` has hidden {en} ({shown}), which were left out as set; show them if they are meant"
                ),
            ),
        };
        finding(Severity::Info, "hidden", zh, en)
    }
}

/// The range that holds a number; ranges are in order.
pub(super) fn range_of(ranges: &[(u32, u32)], number: u32) -> Option<(u32, u32)> {
    let at = ranges.partition_point(|(_, last)| *last < number);
    ranges.get(at).copied().filter(|(first, _)| *first <= number)
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
