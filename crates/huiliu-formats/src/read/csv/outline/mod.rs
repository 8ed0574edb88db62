//! Where the table begins and ends in a text: preamble, header, data, footnotes, further tables.
//!
//! Decided over the whole sample at once, since each of these shows only against the others: the width of the
//! table says what the preamble is, its columns' values say what the header is, and what fits neither and
//! comes last is a footnote or another table.

mod end;
mod header;
mod keys;
mod ragged;
mod remarks;
mod series;
mod stacked;
mod start;
#[cfg(test)]
mod tests;
mod width;
mod words;
#[cfg(test)]
mod words_tests;

use self::end::end_of_table;
use self::header::{Height, height};
use self::ragged::is_ragged;
pub(super) use self::remarks::last_remark;
use self::start::first_row;
use self::width::width_of_first_table;
use super::lex::{Form, Record, record};
use super::long::{goes_on, swallowed};
use super::shape::{Profile, profiles, profiles_of_short};

/// Most rows of a header.
const MOST_HEADER_ROWS: usize = 4;
/// Longest quoted cell after a quote that was never closed.
const LONGEST: usize = 256 << 10;

/// How a text is laid out. Places are bytes of the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    pub(super) width: usize,
    /// Where the header, or without one the first row, begins.
    pub(super) start: usize,
    /// Rows of the header.
    pub(super) header: usize,
    /// Where the table ends, if something else follows.
    pub(super) end: Option<usize>,
    /// What the rows before the table and behind it say.
    pub(super) before: Vec<String>,
    pub(super) behind: Vec<String>,
    pub(super) columns: Vec<Profile>,
    /// Empty cells at the end of all rows for which the header has no names: delimiters that say nothing.
    pub(super) surplus: usize,
    /// A line of strokes stands below the header: `---,----,---`.
    pub(super) ruled: bool,
    /// Rows end before their last cells where these are empty.
    pub(super) ragged: bool,
}

/// Delimiters that a row of a file may be written with which has another one. A colon has a blank behind it in titles.
const CUTS: [&str; 9] = ["||", ";;", ",", ";", "\t", "|", "^", "~", ":"];

/// Whether a line is cut into so many cells by another delimiter than the file's.
fn is_cut_otherwise(text: &str, width: usize) -> bool {
    let cut = |delimiter: &&str| text.matches(*delimiter).count() + 1 == width;
    CUTS.iter().filter(|delimiter| **delimiter != ":" || !text.contains(": ")).any(cut)
        || is_cut_by(text, width, &CUTS)
}

/// Whether one of these delimiters cuts a line, which has quotes, into so many cells.
fn is_cut_by(text: &str, width: usize, delimiters: &[&str]) -> bool {
    let mut others = delimiters.iter().filter(|delimiter| text.matches(**delimiter).count() + 1 >= width);
    text.contains('"')
        && others.any(|delimiter| {
            let (delimiter, quote) = ((*delimiter).to_owned(), Some(b'"'));
            let form = Form { delimiter, quote, escape: None, newline: None, comment: None };
            let found = record(text, 0, &form, text.len());
            found.cells.len() == width && !found.odd
        })
}

/// A record of the sample, blank lines too.
struct Line<'a> {
    start: usize,
    text: &'a str,
    record: Record<'a>,
    /// Blank, or nothing but delimiters.
    empty: bool,
    /// Blank lines stand before it.
    gap: bool,
}

/// Lays out a text. `header` is the number of header rows if the caller knows it; `whole` says that there is no more
/// text behind the sample.
pub(super) fn outline(sample: &str, form: &Form, header: Option<usize>, whole: bool) -> Outline {
    let mut lines = lines(sample, form, whole);
    let width = width_of_first_table(&lines);
    let Some(first) = first_row(&lines, width) else { return Outline { width, ..Outline::default() } };
    let ruled = lines.get(first + 1).is_some_and(|line| is_drawn(&lines[first], line, form));
    if ruled {
        lines.remove(first + 1);
    }
    let end = end_of_table(&lines, first, width);
    let table = &lines[first..end];
    let found = || match height(table, width) {
        // A row of nothing names nothing.
        _ if table.first().is_some_and(|line| line.empty) => 0,
        Height::Sure(rows) => rows,
        Height::Likely => 1,
    };
    let height = header.unwrap_or_else(found).min(table.len());
    let mut columns = columns(width, &table[height..]);
    let surplus = if height == 1 { surplus(&table[0], &columns) } else { 0 };
    columns.truncate(width - surplus);
    let ragged = is_ragged(&table[height..], &columns);
    let texts = |lines: &[Line<'_>]| {
        let filled = lines.iter().filter(|line| !line.empty);
        filled.map(|line| line.text.chars().take(200).collect()).collect()
    };
    Outline {
        width: width - surplus,
        surplus,
        start: lines[first].start,
        header: height,
        end: lines.get(end).map(|line| line.start),
        before: texts(&lines[..first]),
        behind: texts(&lines[end..]),
        columns,
        ruled,
        ragged,
    }
}

/// Whether a line draws strokes below names, none of them shorter than its name.
fn is_drawn(names: &Line<'_>, line: &Line<'_>, form: &Form) -> bool {
    let mut cells = names.record.cells.iter().zip(&line.record.cells);
    is_rule(line.text, &form.delimiter, names.record.cells.len())
        && cells.all(|(name, stroke)| stroke.text.trim().len() >= name.text.trim().chars().count())
}

/// Whether strokes stand in all cells of a line, as some clients of databases draw them below the names.
pub(super) fn is_rule(line: &str, delimiter: &str, width: usize) -> bool {
    let mut cells = line.split(delimiter).map(str::trim);
    let stroke = |cell: &str| !cell.is_empty() && cell.bytes().all(|b| b == b'-');
    width > 1 && line.contains("--") && line.split(delimiter).count() == width && cells.all(stroke)
}

impl Outline {
    /// The same in a text in front of which `front` stands.
    pub(super) fn behind(mut self, front: &str) -> Self {
        let remarks = front.lines().filter(|line| !line.trim().is_empty());
        let remarks = remarks.map(|line| line.chars().take(200).collect());
        self.before = remarks.chain(self.before).collect();
        self.start += front.len();
        self.end = self.end.map(|end| end + front.len());
        self
    }
}

/// The last columns that have neither a name nor anything in any row, if the header ends before them.
fn surplus(header: &Line<'_>, columns: &[Profile]) -> usize {
    let names = header.record.cells.len();
    let named =
        !header.record.odd && header.record.cells.last().is_some_and(|cell| !cell.text.trim().is_empty());
    let hollow = columns.iter().skip(names).all(|column| column.rows() > 0 && column.share_filled() == 0.0);
    let there =
        names > 1 && columns.iter().take(names).next_back().is_some_and(|last| last.share_filled() > 0.0);
    if named && hollow && there { columns.len().saturating_sub(names) } else { 0 }
}

/// The profiles of the columns, from the rows beyond doubt.
fn columns(width: usize, lines: &[Line<'_>]) -> Vec<Profile> {
    let proper = |of: usize| {
        let rows = lines.iter().filter(move |line| line.record.cells.len() == of && !line.record.odd);
        rows.map(|line| &line.record.cells[..])
    };
    let widest = lines.iter().map(|line| line.record.cells.len()).filter(|of| *of < width).max();
    match (proper(width).next(), widest) {
        // The last columns are empty in all rows and were left out.
        (None, Some(widest)) => profiles_of_short(width, proper(widest)),
        _ => profiles(width, proper(width)),
    }
}

/// Whether a line is nothing but delimiters, which have blanks beside them in other lines: `,,,` where `, ` parts cells.
fn is_hollow(line: Option<&str>, delimiter: &str) -> bool {
    let bare = delimiter.trim_matches(' ');
    let mut signs = line.unwrap_or_default().trim().chars().peekable();
    bare.len() < delimiter.len() && signs.peek().is_some() && signs.all(|c| c == ' ' || bare.contains(c))
}

fn lines<'a>(sample: &'a str, form: &Form, whole: bool) -> Vec<Line<'a>> {
    let (mut all, mut at, mut gap, mut longest): (Vec<Line<'_>>, _, _, _) =
        (Vec::new(), 0, false, sample.len());
    while at < sample.len() {
        let mut record = record(sample, at, form, longest);
        let width = all.last().map_or(0, |line| line.record.cells.len());
        if !whole && record.open.is_some() && goes_on(sample, at, form, width) {
            // A cell that the sample ends in.
            break;
        }
        if let Some(longest) = swallowed(&record, form, width) {
            record = self::record(sample, at, form, longest);
        }
        longest = if record.odd { (longest.min(LONGEST) / 2).max(1 << 10) } else { longest };
        let (start, blank) = (at, record.is_blank());
        at = record.next.max(at + 1);
        if !whole && at >= sample.len() {
            // Cut by the sample's end.
            break;
        }
        let empty = record.filled() == 0 || is_hollow(sample.get(start..record.end), &form.delimiter);
        if form.is_comment(sample, start) {
            // What stands between two rows without parting them.
            continue;
        }
        if !blank {
            let text = sample.get(start..record.end).unwrap_or_default();
            all.push(Line { start, text, record, empty, gap });
        }
        gap = blank;
    }
    all
}
