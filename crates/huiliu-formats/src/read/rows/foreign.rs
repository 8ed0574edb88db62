//! The header of a table below the first one whose words nobody knows: 企业名称, 产值, 税收 under a list of projects.
//!
//! Such a row stands apart, names something in words, and has a word where this table has numbers and dates, right
//! above a row that has numbers there. All three must hold: the rows below a header are not read.

use huiliu_stage::FieldType;

use super::words::{is_mark, is_numeric};
use crate::read::chunk::View;
use crate::read::header::{self, Names, tidy};

/// Longest name of a column, in characters.
const LONGEST: usize = 20;

/// Whether fields of this type hold numbers or dates.
pub(super) fn is_figure(kind: FieldType) -> bool {
    use FieldType::{Date, Integer, Money, Number, Timestamp};
    matches!(kind, Date | Integer | Money | Number | Timestamp)
}

/// Whether another table begins at a row, with its header or with its title; `figures` are the columns of this table
/// that hold numbers or dates.
pub(super) fn begins(view: View<'_>, row: usize, figures: &[usize], names: &Names) -> bool {
    if is_header(view, row, figures, names) {
        return true;
    }
    let mut filled = view.row(row).filter(|cell| !cell.trim().is_empty());
    let alone = filled.next().is_some() && filled.next().is_none();
    let below: Vec<&str> = view.row(row + 1).collect();
    let known = header::is_header(&below, names);
    alone && is_header(view, row + 1, figures, names) && !known
}

/// Whether a row behind a gap says how many or what share there is of something, where this table has words: 发改局 | 3, 开工率 | 50%.
/// A record may have a number among its words too, but where records have numbers it has one as well.
pub(super) fn is_count_of(view: View<'_>, row: usize, words: &[usize]) -> bool {
    const LONGEST: usize = 4;
    let mut filled = view.row(row).enumerate().filter(|(_, cell)| !cell.trim().is_empty());
    let label = filled.next().is_some_and(|(_, cell)| !has_digit(cell));
    let mut among_words = false;
    // Longer ones are codes and numbers of telephones.
    let all = filled.all(|(column, cell)| {
        among_words |= words.contains(&column);
        is_numeric(cell) && has_digit(cell) && cell.trim().chars().count() <= LONGEST
    });
    label && all && among_words
}

fn is_header(view: View<'_>, row: usize, figures: &[usize], names: &Names) -> bool {
    let filled: Vec<&str> = view.row(row).map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let named = filled.len() >= 2
        && filled.iter().all(|cell| cell.chars().count() <= LONGEST)
        && filled.iter().any(|cell| is_name(cell) || header::is_name_of_field(cell, names));
    if named && is_narrow(view, row, figures) {
        return true;
    }
    let mut words = figures.iter().filter(|column| !view.get(row, **column).trim().is_empty()).peekable();
    named
        && words.peek().is_some()
        && words.clone().all(|column| !has_value(view.get(row, *column)))
        && words.any(|column| has_digit(view.get(row + 1, *column)))
}

/// Whether a row of words ends before the first column of figures, and the next fills the same columns, with a number below
/// a word: 责任单位 | 项目数 above 发改局 | 3.
fn is_narrow(view: View<'_>, row: usize, figures: &[usize]) -> bool {
    let columns = |row: usize| view.filled(row).iter().map(|(column, _)| *column).collect::<Vec<usize>>();
    let words = columns(row);
    let ends_before =
        |columns: &[usize]| columns.iter().all(|column| figures.iter().all(|figure| column < figure));
    ends_before(&words)
        && words == columns(row + 1)
        && words.iter().all(|&column| !has_value(view.get(row, column)))
        && words.iter().any(|&column| is_numeric(view.get(row + 1, column)))
}

/// Whether a cell names a column and no thing: 企业名称, 序号.
fn is_name(cell: &str) -> bool {
    let word = tidy(cell);
    let ends = [
        "名称",
        "姓名",
        "编号",
        "代码",
        "日期",
        "时间",
        "金额",
        "数量",
        "项目数",
        "个数",
        "开工数",
        "竣工数",
        "开工率",
    ];
    header::is_serial(cell) || ends.iter().any(|end| word.ends_with(end))
}

/// Whether a cell says a number or a date, or that there is none.
fn has_value(cell: &str) -> bool {
    let word = tidy(cell);
    let none = ["无", "暂无", "没有", "待定", "未定", "不详", "未知", "空"];
    has_digit(cell) || is_mark(cell) || none.contains(&word.as_str())
}

fn has_digit(cell: &str) -> bool {
    cell.chars().any(|c| c.is_ascii_digit() || ('０'..='９').contains(&c))
}
