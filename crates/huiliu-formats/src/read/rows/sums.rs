//! Rows that are sums of other rows: totals, parts of them (其中：省级重点, 市级重点), and titles of groups that stand before their
//! sums without being numbered.
//!
//! Where words do not say what a row is, its amounts do: parts add up to their total, and a title's amounts are those of
//! the rows below it.

use super::RowKinds;
use super::group::Style;
use super::kind::Kind;
use super::words::{is_bare_total, is_count, is_mark, is_numeric, is_share, is_total, tells_count};
use crate::read::chunk::View;
use crate::read::header::tidy;

/// Most rows of a group that are added up.
const MOST_ADDED: usize = 400;
/// Most parts of one total.
const MOST: usize = 20;
/// Amounts are printed with at most four places.
const NEAR: f64 = 1e-5;

/// What is left of the total above when its parts are taken from it.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// Columns of amounts, and what is left of each.
    left: Vec<(usize, f64)>,
}

impl Shares {
    /// The total of the rows above stands in this row.
    pub(super) fn begin(&mut self, view: View<'_>, row: usize, columns: impl Iterator<Item = usize>) {
        self.left = columns.filter_map(|column| Some((column, amount(view, row, column)?))).collect();
    }

    /// A part of it stands in this row.
    pub(super) fn take(&mut self, view: View<'_>, row: usize) {
        for (column, left) in &mut self.left {
            *left -= amount(view, row, *column).unwrap_or(0.0);
        }
    }

    /// Whether what is left is what this row says, or this row and some below it of which `is_part` may hold.
    /// Tells whether another row like these follows.
    pub(super) fn end_with(
        &self,
        view: View<'_>,
        row: usize,
        is_part: impl Fn(usize) -> bool,
    ) -> Option<bool> {
        let mut left: Vec<(usize, f64)> =
            self.left.iter().filter(|(_, left)| *left > NEAR).copied().collect();
        for row in (row..row + MOST).take_while(|row| is_part(*row)) {
            for (column, left) in &mut left {
                *left -= amount(view, row, *column).unwrap_or(0.0);
            }
            if left.iter().any(|(_, left)| left.abs() < NEAR) {
                return left.iter().all(|(_, left)| left.abs() < NEAR).then(|| is_part(row + 1));
            }
        }
        None
    }
}

impl RowKinds {
    /// A row of totals: its word, and nothing that a record has besides.
    pub(super) fn total(&self, filled: &[(usize, &str)]) -> Option<Kind> {
        // A serial number may stand before the word, and the word may be set over two cells.
        let set_wide = match filled {
            [(column, first), (_, second), ..] => {
                let one = |cell: &str| tidy(cell).chars().count() == 1;
                (one(first) && one(second) && is_total(&tidy(&format!("{first}{second}")))).then_some(*column)
            }
            _ => None,
        };
        // 共2个项目 | 300
        let counted = filled.first().filter(|(_, cell)| filled.len() > 1 && is_count(&tidy(cell)));
        let total = filled.iter().take(3).find(|(_, cell)| is_total(&tidy(cell))).or(counted);
        let total = total.map(|(column, _)| *column);
        let column = total.or(set_wide)?;
        let bare = |(at, cell): &(usize, &str)| *at == column && is_bare_total(&tidy(cell));
        // 合计 is nobody's name, so whatever words stand behind it are about the rows above.
        let first = filled.iter().find(|(at, cell)| !(self.is_serial(*at) && is_numeric(cell)));
        if first.is_some_and(bare) && filled.iter().any(|(at, cell)| *at != column && is_numeric(cell)) {
            return Some(Kind::Total(column));
        }
        // Where serial numbers stand no record has a word, and in its other columns it has no other word: 本月 beside
        // 累计 are the names of two columns.
        let sure = total.is_some() && self.is_serial(column);
        // 湖塘镇 | 合计 | 3: before the bare word may stand what is totalled.
        let named = filled.iter().any(bare);
        let other_words = |&(at, cell): &(usize, &str)| {
            let before = sure || named && at < column;
            let word = !before && self.words.contains(&at) && !tells_count(&tidy(cell)) && !is_numeric(cell);
            let figure = self.figures.contains(&at) && !cell.contains(|c: char| c.is_numeric());
            at != column && !is_mark(cell) && (word || figure)
        };
        let behind = if total.is_none() { 2 } else { 0 };
        (!filled.iter().skip(behind).any(other_words)).then_some(Kind::Total(column))
    }

    /// A part of a total that says so: 其中 and amounts.
    pub(super) fn share(&self, filled: &[(usize, &str)]) -> Option<Kind> {
        let (&(_, label), rest) = filled.split_first()?;
        let word = tidy(label);
        // 其中 | 续建项目 | 1
        let named = || {
            word == "其中" && rest.split_first().is_some_and(|(_, rest)| self.are_amounts_below_total(rest))
        };
        // 其中村改造 is a name.
        let marked =
            word.starts_with("其中:") || !word.starts_with("其中") || word == "其中" || self.is_below_total();
        (is_share(&word) && marked && (self.are_amounts_below_total(rest) || named())).then_some(Kind::Share)
    }

    /// A part of a total that does not say so, below one that does: with it, or with it and some below, the total is complete.
    pub(super) fn last_share(&self, view: View<'_>, row: usize, filled: &[(usize, &str)]) -> Option<Kind> {
        (self.shared && self.ends_total(view, row, filled)).then_some(Kind::Share)
    }

    /// A part of a total that does not say so, right below the total, or one more below those that do.
    pub(super) fn next_share(&self, view: View<'_>, row: usize, filled: &[(usize, &str)]) -> Option<Kind> {
        let &(column, label) = filled.first()?;
        // Where rows have numbers a row without one is no record; where they have none a record looks the same.
        let unnumbered = self.counts() && self.serial.as_ref().is_some_and(|serial| serial.column <= column);
        let goes_on = self.shared && (unnumbered || self.meanings.title(label).means.is_some());
        (self.may_be_share(filled) && (goes_on || self.ends_total(view, row, filled))).then_some(Kind::Share)
    }

    /// Whether a row below a total is a word without a number before it, and amounts.
    fn may_be_share(&self, filled: &[(usize, &str)]) -> bool {
        let Some((&(_, label), rest)) = filled.split_first() else { return false };
        let bare = matches!(self.meanings.title(label).style, Style::Bare(_));
        let amounts = !is_numeric(label) && !rest.is_empty() && self.are_amounts_below_total(rest);
        self.is_below_total() && bare && amounts
    }

    fn ends_total(&self, view: View<'_>, row: usize, filled: &[(usize, &str)]) -> bool {
        let Some(&(_, label)) = filled.first().filter(|_| self.may_be_share(filled)) else { return false };
        let says = self.meanings.title(label).means.is_some();
        // A total above all rows may have one part only, and the records follow.
        let may_be = says || self.shared && self.any && self.serial.is_none();
        let is_part = |row: usize| self.may_be_share(&view.filled(row));
        // Words that say nothing are a record's name, if records follow.
        may_be && self.shares.end_with(view, row, is_part).is_some_and(|goes_on| says || !goes_on)
    }

    /// Whether all cells are amounts; below a total, numbers of rows may stand where rows have words.
    fn are_amounts_below_total(&self, cells: &[(usize, &str)]) -> bool {
        let below = self.is_below_total();
        cells.iter().all(|(column, cell)| self.is_amount(*column, cell) || below && is_numeric(cell))
    }

    fn is_below_total(&self) -> bool {
        self.totalled || self.shared
    }

    /// A title whose amounts are the sums of the rows below it: 续建 | 300. Its words must say something, unless titles above
    /// had their sums too: by chance the amount of a record may be the sum of the next ones.
    pub(super) fn summed_title(&self, view: View<'_>, row: usize, filled: &[(usize, &str)]) -> Option<Kind> {
        let &(column, label) = filled.first()?;
        if self.header.len() < 3 || !self.may_be_summed(filled) {
            return None;
        }
        let title = self.meanings.title(label);
        // A title that says nothing stands beside one that has no number either.
        if title.means.is_none() && !(self.summed_titles && self.groups.is_bare()) {
            return None;
        }
        let printed = self.summed.iter().filter(|(at, _)| !view.get(row, *at).trim().is_empty());
        let mut left: Vec<(usize, f64)> = printed
            .map(|(at, _)| amount(view, row, *at).map(|amount| (*at, amount)))
            .collect::<Option<_>>()?;
        // Nothing is the sum of many records that have none.
        let nothing = left.iter().all(|(_, amount)| *amount < NEAR);
        if left.is_empty() || nothing && (title.means.is_none() || self.is_below_total()) {
            return None;
        }
        let fits = |left: &[(usize, f64)]| left.iter().all(|(_, left)| left.abs() < NEAR);
        let least = if title.means.is_some() { 1 } else { 2 };
        let (mut rows, mut ended) = (0, false);
        for below in row + 1..(row + 1 + MOST_ADDED).min(view.rows()) {
            let filled = view.filled(below);
            // A record may have nothing but its name and amounts.
            let next = || {
                self.may_be_summed(&filled) && (fits(&left) || self.meanings.of(&tidy(filled[0].1)).is_some())
            };
            ended = filled.len() < 2 || rows > 0 && next() || self.total(&filled).is_some();
            if ended {
                break;
            }
            rows += 1;
            for (at, left) in &mut left {
                let empty = view.get(below, *at).trim().is_empty();
                *left -= if empty { 0.0 } else { amount(view, below, *at)? };
            }
        }
        ended |= row + 1 + rows == view.rows();
        (ended && rows >= least && fits(&left)).then_some(Kind::Group(column, title))
    }

    /// Whether a row is a word and nothing behind it but sums and numbers of rows.
    fn may_be_summed(&self, filled: &[(usize, &str)]) -> bool {
        filled.split_first().is_some_and(|((column, label), amounts)| {
            let number = is_numeric(label) || self.is_serial(*column) && !is_han(label);
            let is_sum = |(at, cell): &(usize, &str)| {
                self.summed.iter().any(|(summed, _)| summed == at) || tells_count(&tidy(cell))
            };
            !number && !amounts.is_empty() && amounts.iter().all(is_sum)
        })
    }
}

/// Whether a text begins in Chinese.
pub(super) fn is_han(cell: &str) -> bool {
    cell.trim_start().starts_with(|c: char| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

fn amount(view: View<'_>, row: usize, column: usize) -> Option<f64> {
    view.get(row, column).trim().replace([',', '，'], "").parse().ok()
}
