//! Files whose cells are parted by several blanks, however many; one blank alone is part of a cell.

use super::{each_line, put_row};

/// Least number of lines that tells anything.
const LEAST: usize = 3;

/// The number of cells that runs of blanks cut all lines of a sample into; one if they do not cut them alike.
pub(super) fn width(sample: &str, whole: bool) -> usize {
    let end = if whole { sample.len() } else { sample.rfind('\n').unwrap_or(0) };
    let lines = || sample[..end].lines().filter(|line| !line.trim().is_empty());
    let width = lines().next().map_or(0, |line| cells(line).len());
    let quoted = |line: &str| line.contains(['"', '\t']);
    let alike = lines().count() >= LEAST && lines().all(|line| cells(line).len() == width && !quoted(line));
    if alike { width } else { 1 }
}

/// Writes lines as cells with commas between; see [`Rewrite::write`](super::Rewrite::write).
pub(super) fn write(text: &str, over: bool, into: &mut String) -> usize {
    each_line(text, over, |line| match line.trim().is_empty() {
        true => into.push('\n'),
        false => put_row(&cells(line), into),
    })
}

pub(super) fn cells(line: &str) -> Vec<&str> {
    line.trim().split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}
