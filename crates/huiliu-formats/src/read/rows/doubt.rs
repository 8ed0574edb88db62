//! Rows that look like one thing and may be another: a list numbered as groups are, the header again with another unit,
//! a name with nothing beside it.

use super::RowKinds;
use super::group::{Style, lone_number, numeral};
use super::kind::Kind;
use super::words::{is_footer, is_note, is_numeric};
use crate::read::checks::Serial;
use crate::read::chunk::View;
use crate::read::header::{self, Names, tidy};
use crate::read::value::Unit;

/// Columns with a field from which on a row with a name alone is none.
const LEAST_MAPPED: usize = 3;

impl RowKinds {
    /// Whether a row of a table of several fields has one word and nothing else.
    pub(super) fn is_bare(&self, view: View<'_>, row: usize) -> bool {
        if self.mapped < LEAST_MAPPED || !self.leading.iter().any(|&column| view.get(row, column).is_empty())
        {
            return false;
        }
        let mut filled = view
            .row(row)
            .enumerate()
            .filter(|(column, cell)| !cell.trim().is_empty() && !self.is_serial(*column));
        let first = filled.next();
        first.is_some_and(|(column, _)| self.noun == Some(column)) && filled.next().is_none()
    }

    /// Whether a row has no number where the rows above have theirs.
    pub(super) fn is_unnumbered(&self, view: View<'_>, row: usize) -> bool {
        let blank = |serial: &Serial| serial.counts() && view.get(row, serial.column).trim().is_empty();
        self.serial.as_ref().is_some_and(blank)
    }

    /// What looks like the title of a group is a row of a list that is numbered in words if the next row goes on with
    /// the numbers, or if it goes on with none: groups have rows, and begin with one.
    pub(super) fn listed(&mut self, view: View<'_>, row: usize, kind: Option<Kind>) -> Option<Kind> {
        let Some(Kind::Group(_, title)) = &kind else {
            if kind.is_none() {
                self.list = None;
            }
            return kind;
        };
        // What stands alone in its row, but for a number, has nothing that a record has.
        let filled = view.row(row).filter(|cell| !cell.trim().is_empty());
        let alone = filled.filter(|cell| lone_number(cell).is_none()).count() < 2;
        let plain = !alone && title.declared.is_none() && title.means.is_none();
        let Some(number) = title.number.filter(|_| plain) else {
            self.list = None;
            self.note_number(title.style, title.number.unwrap_or(0));
            return kind;
        };
        let before = self.numbered.iter().find(|(style, _)| *style == title.style).map(|(_, number)| *number);
        let follows = number == 1 || before == number.checked_sub(1);
        let next = self.kind(view, row + 1, 0);
        let titled = matches!(&next, Some(Kind::Group(_, next))
            if next.style == title.style && next.declared.is_none() && next.means.is_none());
        // The next number stands before a row that is none for sure.
        let first = view.row(row + 1).map(tidy).find(|cell| !cell.is_empty()).unwrap_or_default();
        let numbered = next.is_none()
            && lone_number(&first) == Some(title.style)
            && numeral(first.trim_start_matches('(')) == Some(number + 1);
        let goes_on = titled || numbered;
        if !follows || goes_on || self.list == Some(title.style) {
            self.list = Some(title.style);
            return None;
        }
        self.note_number(title.style, number);
        kind
    }

    /// Remembers the last number of a style, and no other: a file may have any number of groups.
    fn note_number(&mut self, style: Style, number: u32) {
        match self.numbered.iter_mut().find(|(of, _)| *of == style) {
            Some((_, last)) => *last = number,
            None => self.numbered.push((style, number)),
        }
    }

    /// Whether a row that is mostly the header again names another field somewhere, or another unit: what follows would
    /// be read as what it is not.
    pub(super) fn differs(&self, view: View<'_>, row: usize, names: &Names) -> bool {
        let mut filled = view.row(row).enumerate().filter(|(_, cell)| !cell.trim().is_empty());
        filled.any(|(column, cell)| {
            if self.texts.get(column).is_some_and(|texts| texts.contains(&tidy(cell))) {
                return false;
            }
            let own = self.units.get(column).cloned().flatten();
            let other_unit = header::unit_of(cell).is_some_and(|unit| {
                let usual = || self.unit.clone().or_else(|| Unit::parse("万元"));
                let own = own.or_else(|| usual().filter(|_| unit.is_money()));
                own.is_none_or(|own| !own.is_same(&unit))
            });
            let claims = names.claims(&[cell.to_owned()]);
            let field = (0..self.fields.len()).find(|field| self.filler.column_of(*field) == Some(column));
            let firm: Vec<usize> = claims
                .iter()
                .filter(|(_, rank)| *rank != header::Rank::Weak)
                .map(|(field, _)| *field)
                .collect();
            other_unit || field.is_some_and(|field| !firm.is_empty() && !firm.contains(&field))
        })
    }

    /// A row that only says which unit amounts are in, or a note, footer or title that says so among other things.
    pub(super) fn unit_row(&self, filled: &[(usize, &str)]) -> Option<Kind> {
        match filled {
            [(_, cell)] => self.unit_alone(cell),
            // 二、新建 | 单位：亿元
            _ if filled.len() <= 3 && filled.iter().all(|(_, cell)| !is_numeric(cell)) => {
                let says = |cell: &str| says_only_unit(&tidy(cell), cell);
                let mut units = filled.iter().filter(|(_, cell)| says(cell));
                let (Some((at, unit)), None) = (units.next(), units.next()) else { return None };
                let rest: Vec<(usize, &str)> = filled.iter().filter(|(of, _)| of != at).copied().collect();
                match self.unit_alone(unit)? {
                    Kind::Unit => self.title(&rest, 0, self.counts()).or(Some(Kind::Unit)),
                    kind => Some(kind),
                }
            }
            _ => None,
        }
    }

    fn unit_alone(&self, cell: &str) -> Option<Kind> {
        let word = tidy(cell);
        let numbered = numeral(word.trim_start_matches('(')).is_some();
        let only = says_only_unit(&word, cell);
        let declared = header::declared_unit(cell).filter(|_| is_of_all(&word));
        // 二、民生项目(亿元)
        let bracketed = || header::unit_of(cell).filter(|_| only || numbered);
        let unit = declared.or_else(bracketed).filter(Unit::is_money)?;
        let own = self.unit.clone().or_else(|| Unit::parse("万元"))?;
        match own.is_same(&unit) {
            // No note, below which a title would be one too.
            true => only.then_some(Kind::Unit),
            false => {
                (only || numbered || is_note(&word) || is_footer(&word)).then_some(Kind::OtherUnit(unit.name))
            }
        }
    }
}

/// Whether a cell is about the unit and nothing else.
fn says_only_unit(word: &str, cell: &str) -> bool {
    const BEGINNINGS: [&str; 8] =
        ["单位:", "单位(", "金额单位", "金额:", "(单位", "计量单位", "投资单位", "货币单位"];
    BEGINNINGS.iter().any(|begin| word.starts_with(begin)) || header::unit_alone(cell).is_some()
}

/// Whether the unit that a text declares is that of all amounts, by the words before it; units of some columns
/// ([`header::declared_unit`]) are not declared at all.
fn is_of_all(word: &str) -> bool {
    const ALL: [&str; 10] =
        ["金额", "投资", "投资额", "资金", "数据", "表中", "本表", "以上", "货币", "各项"];
    let counted =
        header::counted_in(word).map(|(before, _)| before.trim_end_matches(['均', '都', '全', '一', '律']));
    let before = counted.unwrap_or_else(|| {
        let before = word.rsplit_once("单位").map_or(word, |(before, _)| before);
        before.split("金额:").next().unwrap_or_default()
    });
    let last = before.rsplit([':', '(', ',', '。', '、']).next().unwrap_or_default();
    // 填报单位:湖塘镇单位:亿元: a word without a sign before the next label.
    let footer = is_footer(word);
    footer || last.is_empty() || last.ends_with("计量") || ALL.iter().any(|end| last.ends_with(end))
}
