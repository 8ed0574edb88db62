//! Files with a frame drawn around their cells, as databases print tables and wikis write them: `| a | b |`, and lines of
//! `+---+---+` or `|---|:--|` between.

use super::{each_line, put_row};

/// Least number of rows that tells anything.
const LEAST: usize = 2;

/// Whether all lines of a sample are rows in strokes, of as many cells, or lines of the frame.
pub(super) fn is_framed(sample: &str, whole: bool) -> bool {
    let end = if whole { sample.len() } else { sample.rfind('\n').unwrap_or(0) };
    let lines = || sample[..end].lines().map(str::trim).filter(|line| !line.is_empty());
    if !lines().next().is_some_and(|line| line.starts_with(['|', '+'])) {
        return false;
    }
    // A note without a stroke is no row.
    let mut rows = lines().filter(|line| line.contains('|') && !is_rule(line)).map(cells);
    let Some(width) = rows.next().flatten().map(|cells| cells.len()) else { return false };
    let (mut count, mut alike) = (1, true);
    for row in rows {
        count += 1;
        alike &= row.is_some_and(|cells| cells.len() == width);
    }
    count >= LEAST && alike && lines().any(is_rule)
}

/// Writes rows as cells with commas between; see [`Rewrite::write`](super::Rewrite::write). What is no row is kept.
pub(super) fn write(text: &str, over: bool, into: &mut String) -> usize {
    each_line(text, over, |line| match cells(line.trim()) {
        _ if is_rule(line.trim()) => into.push('\n'),
        Some(cells) => put_row(&cells, into),
        None => put_row(&[line], into),
    })
}

/// The cells between the strokes of a row.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

fn is_rule(line: &str) -> bool {
    line.contains("--") && line.chars().all(|c| matches!(c, '-' | '=' | '+' | '|' | ':' | ' '))
}
