//! Files with a frame drawn around their cells, as databases print tables and wikis write them: `| a | b |`, lines of
//! `+---+---+` or `|---|:--|` between; the strokes at both ends may be left out.

use super::{each_line, put_row};

/// Least number of rows that tells anything.
const LEAST: usize = 2;
/// Most lines that are neither rows nor frame: a title, how many rows there are.
const MOST_WORDS: usize = 4;

/// Whether the frame has strokes before the first cell and behind the last one. Without them a stroke at the edge stands
/// beside an empty cell.
#[derive(Clone, Copy, Debug)]
pub(in crate::read::csv) struct Frame {
    before: bool,
    behind: bool,
}

/// The frame of a sample whose lines are rows in strokes, of as many cells, with a line of the frame above or below the
/// first that has as many parts.
pub(super) fn frame(sample: &str, whole: bool) -> Option<Frame> {
    let end = if whole { sample.len() } else { sample.rfind('\n').unwrap_or(0) };
    let lines = || sample[..end].lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines().position(|line| line.contains('|') && !is_rule(line))?;
    let names = lines().nth(first).unwrap_or_default();
    let frame = Frame { before: names.starts_with('|'), behind: names.ends_with('|') };
    let width = cells(names, frame).len();
    let near = [first.checked_sub(1), Some(first + 1)].into_iter().flatten().filter_map(|at| lines().nth(at));
    let parts = |rule: &str| rule.trim_matches(['|', '+', ' ']).split(['|', '+']).count();
    if width < 2 || !near.into_iter().any(|line| is_rule(line) && parts(line) == width) {
        return None;
    }
    let (mut rows, mut words) = (0, 0);
    for line in lines().filter(|line| !is_rule(line)) {
        match line.contains('|') {
            true if cells(line, frame).len() != width => return None,
            true => rows += 1,
            false => words += 1,
        }
    }
    (rows >= LEAST && words <= MOST_WORDS).then_some(frame)
}

/// Writes rows as cells with commas between; see [`Rewrite::write`](super::Rewrite::write). What is no row is kept.
pub(super) fn write(text: &str, frame: Frame, over: bool, into: &mut String) -> usize {
    each_line(text, over, |line| match line.trim() {
        line if is_rule(line) || is_count(line) => into.push('\n'),
        line if line.contains('|') => {
            let cells = cells(line, frame);
            put_row(&cells.iter().map(String::as_str).collect::<Vec<&str>>(), into);
        }
        "" => into.push('\n'),
        line => put_row(&[line], into),
    })
}

/// The cells between the strokes of a row. A stroke behind a backslash is text.
fn cells(line: &str, frame: Frame) -> Vec<String> {
    let inner = line.strip_prefix('|').filter(|_| frame.before).unwrap_or(line);
    let inner =
        inner.strip_suffix('|').filter(|inner| frame.behind && !inner.ends_with('\\')).unwrap_or(inner);
    let (mut all, mut from) = (Vec::new(), 0);
    let mut push = |cell: &str| {
        all.push(cell.trim().replace("\\|", "|"));
    };
    for (at, _) in inner.match_indices('|') {
        if !inner[..at].ends_with('\\') {
            push(&inner[from..at]);
            from = at + 1;
        }
    }
    push(&inner[from..]);
    all
}

/// A line of the frame.
fn is_rule(line: &str) -> bool {
    line.contains("--") && line.chars().all(|c| matches!(c, '-' | '=' | '+' | '|' | ':' | ' '))
}

/// How many rows a database has printed: `(2 rows)`, `2 rows in set (0.00 sec)`, `(2 行受影响)`.
fn is_count(line: &str) -> bool {
    let rest = line.trim_start_matches('(').trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < line.trim_start_matches('(').len()
        && (rest.starts_with(" row") || rest.trim_start().starts_with('行'))
}
