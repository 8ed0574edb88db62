//! Files with a frame drawn around their cells, as databases print tables and wikis write them: `| a | b |`, lines of
//! `+---+---+` or `|---|:--|` between; the strokes at both ends may be left out. A `+` right before a stroke says that the
//! cell goes on in the next line.

use super::columns::width;
use super::{is_there, put_row};

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
    /// Places that a line takes which is filled to its end.
    length: usize,
}

/// The frame of a sample whose lines are rows in strokes, of as many cells, with a line of the frame above or below the
/// first that has as many parts.
pub(super) fn frame(sample: &str, whole: bool) -> Option<Frame> {
    let end = if whole { sample.len() } else { sample.rfind('\n').unwrap_or(0) };
    let lines = || sample[..end].lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines().position(|line| line.contains('|') && !is_rule(line))?;
    let names = lines().nth(first).unwrap_or_default();
    let rule = sample[..end].lines().find(|line| is_rule(line.trim())).map_or(0, places);
    let frame = Frame { before: names.starts_with('|'), behind: names.ends_with('|'), length: rule };
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
    let mut at = 0;
    while at < text.len() {
        let Some((line, mut next)) = line_at(text, at, over) else { break };
        match line.trim() {
            row if row.contains('|') && !is_rule(row) => {
                let (mut cells, mut open) = (cells(row, frame), continued(line, frame));
                while open.contains(&true) {
                    let Some((line, behind)) = line_at(text, next, over) else { return at };
                    if !join(&mut cells, &open, &self::cells(line.trim(), frame)) {
                        break;
                    }
                    (open, next) = (continued(line, frame), behind);
                }
                put_row(&cells.iter().map(String::as_str).collect::<Vec<&str>>(), into);
            }
            row if row.is_empty() || is_rule(row) || is_count(row) => into.push('\n'),
            words => put_row(&[words], into),
        }
        at = next;
    }
    at
}

/// The line that begins at a place, and where the next one does; nothing if not all of it is there. Behind the end of the
/// file stands an empty one.
fn line_at(text: &str, at: usize, over: bool) -> Option<(&str, usize)> {
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    let next = (end + 1).min(text.len());
    (is_there(text, end, over)).then(|| (text[at..end].trim_end_matches('\r'), next))
}

/// Which cells of a row go on in the next line: those with a plus in the place of the blank before the stroke.
fn continued(line: &str, frame: Frame) -> Vec<bool> {
    let row = line.trim_start().strip_prefix('|').filter(|_| frame.before).unwrap_or(line);
    let whole = row.trim_end().strip_suffix('|').filter(|_| frame.behind);
    let mut pieces: Vec<bool> =
        whole.unwrap_or(row).split('|').map(|cell| cell.len() > 1 && cell.ends_with('+')).collect();
    // Without a stroke behind it the last cell may be filled up or not.
    if let (None, Some(last)) = (whole, pieces.last_mut()) {
        *last &= places(line) == frame.length;
    }
    pieces
}

/// Puts the cells of the next line behind those that go on, if there are no others.
fn join(cells: &mut [String], open: &[bool], more: &[String]) -> bool {
    let alone = || more.iter().zip(open).all(|(cell, open)| *open || cell.is_empty());
    if more.len() != cells.len() || open.len() != cells.len() || !alone() {
        return false;
    }
    for ((cell, _), more) in cells.iter_mut().zip(open).zip(more).filter(|((_, open), _)| **open) {
        cell.truncate(cell.strip_suffix('+').map_or(cell.len(), |cell| cell.trim_end().len()));
        cell.push('\n');
        cell.push_str(more);
    }
    true
}

/// Places that a line takes on a screen.
fn places(line: &str) -> usize {
    line.chars().map(|c| width(c, true)).sum()
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
