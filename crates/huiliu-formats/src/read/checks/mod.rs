//! What a sheet says of itself, held against what was read: declared numbers of rows, totals, serial numbers.
//!
//! While rows are told apart, `rows` notes where a group begins and where a total stands ([`Mark`]). After the rows
//! were built, [`Checks::after`] walks over these marks with the sums of the typed columns, so that a row
//! costs nothing but an addition. A total is compared with every part of the sheet that it may stand for, and the part
//! that fits best is taken. Differences are warnings (V15); nothing is corrected.

mod serial;
mod total;

pub(super) use serial::Serial;
pub(super) use total::{Printed, Total, is_summed};

use std::ops::Range;

use huiliu_stage::{Finding, Severity, Text, row_id};

use super::build::Assembler;
use total::{Part, compare};

/// Most totals that wait for the rows below them.
const MOST_WAITING: usize = 1000;

/// Something that a sheet says of its rows, between two of them.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// A group begins; so many groups stay open around it.
    Group { around: usize, says: Total },
    /// A total.
    Total(Total),
}

/// Marks of a chunk, each behind so many of the chunk's rows.
pub(super) type Marks = Vec<(usize, Mark)>;

/// Rows and sums from the sheet's beginning on.
#[derive(Clone, Debug, Default)]
struct Sums {
    rows: u64,
    sums: Vec<i128>,
}

/// A group that is open.
#[derive(Clone, Debug)]
struct Group {
    says: Total,
    start: Sums,
    /// Totals that stand above the rows they are of.
    above: Vec<Total>,
}

/// Holds what a sheet declares against its rows.
#[derive(Debug, Default)]
pub(super) struct Checks {
    sheet: u32,
    /// Fields whose columns are summed.
    fields: Vec<usize>,
    here: Sums,
    /// Where the rows since the last group or total begin.
    block: Sums,
    groups: Vec<Group>,
    above: Vec<Total>,
    /// Titles that declare a number of rows.
    titles: Vec<Total>,
}

impl Checks {
    /// `fields` are those that are summed; `titles` what the rows above the header declare.
    pub(super) fn new(sheet: u32, fields: Vec<usize>, titles: Vec<Total>) -> Self {
        let none = Sums { rows: 0, sums: vec![0; fields.len()] };
        Self { sheet, fields, here: none.clone(), block: none, titles, ..Self::default() }
    }

    /// A chunk's rows are in the assembler, and `marks` stand among them.
    pub(super) fn after(&mut self, assembler: &mut Assembler, rows: Range<usize>, marks: Marks) {
        let (from, end) = (rows.start, rows.end);
        let mut done = from;
        for (rows, mark) in marks {
            let at = (from + rows).min(end);
            self.add(assembler, done, at);
            done = at;
            match mark {
                Mark::Group { around, says } => self.begin(assembler, around, says),
                Mark::Total(total) => self.total(assembler, total),
            }
        }
        self.add(assembler, done, end);
    }

    /// The sheet is over.
    pub(super) fn finish(&mut self, assembler: &mut Assembler) {
        while let Some(group) = self.groups.pop() {
            self.close(assembler, &group);
        }
        let whole = self.since(&Sums::default());
        for total in std::mem::take(&mut self.above).iter().chain(&std::mem::take(&mut self.titles)) {
            compare(self.sheet, &self.fields, assembler, total, std::slice::from_ref(&whole), 0);
        }
    }

    fn add(&mut self, assembler: &Assembler, from: usize, to: usize) {
        self.here.rows += to.saturating_sub(from) as u64;
        for (sum, field) in self.here.sums.iter_mut().zip(&self.fields) {
            *sum = sum.saturating_add(assembler.sum(*field, from..to));
        }
    }

    fn since(&self, start: &Sums) -> Part {
        let before = |index: usize| start.sums.get(index).copied().unwrap_or(0);
        let sums = self.here.sums.iter().enumerate().map(|(i, sum)| sum.saturating_sub(before(i)));
        Part { rows: self.here.rows - start.rows, sums: sums.collect() }
    }

    fn begin(&mut self, assembler: &mut Assembler, around: usize, says: Total) {
        while self.groups.len() > around {
            if let Some(group) = self.groups.pop() {
                self.close(assembler, &group);
            }
        }
        self.groups.push(Group { says, start: self.here.clone(), above: Vec::new() });
        self.block = self.here.clone();
    }

    fn close(&self, assembler: &mut Assembler, group: &Group) {
        let part = self.since(&group.start);
        for total in std::iter::once(&group.says).chain(&group.above) {
            compare(self.sheet, &self.fields, assembler, total, std::slice::from_ref(&part), 0);
        }
    }

    fn total(&mut self, assembler: &mut Assembler, total: Total) {
        let start = self.groups.last().map_or(0, |group| group.start.rows);
        if self.here.rows == start {
            let waiting = self.groups.last_mut().map_or(&mut self.above, |group| &mut group.above);
            if waiting.len() < MOST_WAITING {
                waiting.push(total);
            }
            return;
        }
        let starts = std::iter::once(&self.block).chain(self.groups.iter().rev().map(|group| &group.start));
        let mut parts: Vec<Part> = starts.map(|start| self.since(start)).collect();
        parts.push(self.since(&Sums::default()));
        parts.retain(|part| part.rows > 0);
        parts.dedup_by_key(|part| part.rows);
        let likely = if total.part { 0 } else { parts.len() - 1 };
        compare(self.sheet, &self.fields, assembler, &total, &parts, likely);
        self.block = self.here.clone();
    }
}

/// A warning about the row with this number.
fn differs(sheet: u32, number: u32, zh: String, en: String) -> Finding {
    Finding::new(Some(row_id(sheet, number)), Severity::Warning, "V15", Text::new(zh, en))
}
