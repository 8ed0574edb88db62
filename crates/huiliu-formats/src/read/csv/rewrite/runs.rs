//! Files whose cells are parted by several blanks, however many; one blank alone is part of a cell.

use super::super::shape::{Kind, kind};
use super::{each_line, put_row};

/// Least number of lines that tells anything.
const LEAST: usize = 3;

/// How cells are parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read::csv) enum Gap {
    /// By several blanks: one alone is part of a cell.
    Several,
    /// By any blanks: there are only numbers, and a minus or a long one leaves one blank before it.
    Any,
}

/// The number of cells that runs of blanks cut all lines of a sample into, and how; one if they do not cut them alike.
pub(super) fn width(sample: &str, whole: bool) -> (usize, Gap) {
    let end = if whole { sample.len() } else { sample.rfind('\n').unwrap_or(0) };
    let lines = || sample[..end].lines().filter(|line| !line.trim().is_empty());
    let first = |gap: Gap| lines().next().map_or(0, |line| cells(line, gap).len());
    let quoted = |line: &str| line.contains(['"', '\t']);
    let alike = |gap: Gap| {
        let width = first(gap);
        lines().count() >= LEAST && lines().all(|line| cells(line, gap).len() == width && !quoted(line))
    };
    let number = |text: &str| matches!(kind(text), Kind::Integer | Kind::Decimal);
    // Columns of numbers that were filled up, not single blanks throughout.
    let filled = || lines().any(|line| line.trim().contains("  "));
    let numbers = || filled() && lines().all(|line| line.split_whitespace().all(number));
    match () {
        () if alike(Gap::Several) => (first(Gap::Several), Gap::Several),
        () if numbers() && alike(Gap::Any) => (first(Gap::Any), Gap::Any),
        () => (1, Gap::Several),
    }
}

/// Writes lines as cells with commas between; see [`Rewrite::write`](super::Rewrite::write).
pub(super) fn write(text: &str, gap: Gap, over: bool, into: &mut String) -> usize {
    each_line(text, over, |line| match line.trim().is_empty() {
        true => into.push('\n'),
        false => put_row(&cells(line, gap), into),
    })
}

pub(super) fn cells(line: &str, gap: Gap) -> Vec<&str> {
    match gap {
        Gap::Several => line.trim().split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect(),
        Gap::Any => line.split_whitespace().collect(),
    }
}
