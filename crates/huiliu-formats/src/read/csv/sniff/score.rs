//! How well a form cuts a text: rows of one width, cells that look whole, columns of one kind of thing each.

use std::collections::HashMap;

use super::super::lex::{Form, Record, record};
use super::super::shape::{Kind, kind};
use super::QUOTES;
use super::candidates::{Trust, trust};

/// Longest quoted cell while judging.
const LONGEST: usize = 16 << 10;

/// How well a text is cut by a form; higher is better.
pub(super) fn score(sample: &str, form: &Form) -> f64 {
    score_of(&records(sample, form), sample, form)
}

pub(super) fn score_of(records: &[Record<'_>], sample: &str, form: &Form) -> f64 {
    let rows = records.len() as f64;
    if rows == 0.0 {
        return 0.0;
    }
    let mut widths: HashMap<usize, usize> = HashMap::new();
    for record in records {
        *widths.entry(record.cells.len()).or_default() += 1;
    }
    let uniform = |(&width, &count): (&usize, &usize)| {
        let width = width as f64;
        (count as f64 / rows).powf(1.5) * (width - 1.0) / width
    };
    // Summed in order, so that the result is the same every time.
    let mut sorted: Vec<_> = widths.iter().collect();
    sorted.sort_unstable();
    let mut score: f64 = sorted.into_iter().map(uniform).sum();
    let mode = widths.iter().max_by_key(|&(&width, &count)| (count * (width.min(50) + 10), width));
    let width = mode.map_or(1, |(&width, _)| width);
    let (kinds, known) = kinds(records, width);
    if width == 1 {
        // One column: worth something only if nothing cuts it into a table.
        let values =
            kinds.first().map_or(0.0, |of| share(of, |kind| kind.is_value() || kind == Kind::Address));
        score = score.max(0.08 + 0.45 * values);
    }
    let even: f64 = kinds.iter().map(main_share).sum::<f64>() / kinds.len().max(1) as f64;
    let hollow = hollow_columns(records, width);
    let odd = records.iter().filter(|record| record.odd).count() as f64 / rows;
    score *= known * (0.5 + 0.5 * even) * (1.0 - 0.6 * odd);
    score *= 1.0 - 0.5 * hollow as f64 / width as f64;
    if hollow > 0 && width > 1 {
        // Columns of nothing do not make a table wider.
        let cells = |width: usize| (width.max(2) - 1) as f64 / width.max(2) as f64;
        score *= cells(width.saturating_sub(hollow)) / cells(width);
    }
    let same = evenness(records, width);
    let quoted: usize = records.iter().map(|r| r.cells.iter().filter(|c| c.quoted).count()).sum();
    if form.quote != Some(b'"') && quoted == 0 {
        score *= 0.95;
    }
    let wordy =
        kinds.iter().all(|of| share(of, |kind| matches!(kind, Kind::Word | Kind::Text | Kind::Empty)) > 0.8);
    let glued = form.delimiter == " " && are_glued(records, width);
    if leaves_delimiters(records, form) {
        score *= 0.4;
    }
    score * weight_of(sample, form, Cut { width, same, wordy, hollow, values: has_values(&kinds), glued })
}

/// Whether each cell of some column is two that a usual delimiter parts: `Time),5924.16`. A decimal comma is none.
fn are_glued(records: &[Record<'_>], width: usize) -> bool {
    let glued = |text: &str| {
        text.char_indices().any(|(at, c)| {
            let before = text[..at].chars().next_back();
            let behind = text[at + c.len_utf8()..].chars().next();
            let digit = |c: char| c.is_ascii_digit();
            let (Some(before), Some(behind)) = (before, behind) else { return false };
            matches!(c, ',' | ';' | '\t' | '|') && !(digit(before) && digit(behind))
        })
    };
    let rows = || records.iter().filter(|record| record.cells.len() == width);
    (0..width).any(|column| {
        let some = rows().filter(|row| !row.cells[column].quoted && glued(&row.cells[column].text)).count();
        some > 1 && some * 10 >= rows().count() * 9
    })
}

/// Whether a usual delimiter is left in the cells of all records alike, the first one too, so that it rather parts them: a
/// tab, which is hardly typed into a cell, or another one that alone cuts the first record.
fn leaves_delimiters(records: &[Record<'_>], form: &Form) -> bool {
    let first = records.first().map_or(0, |header| header.cells.len());
    let left = |record: &Record<'_>, other: char| -> usize {
        let bare = record.cells.iter().filter(|cell| !cell.quoted);
        bare.map(|cell| parting(&cell.text, other)).sum()
    };
    let even = |other: char| {
        let count = records.first().map_or(0, |header| left(header, other));
        count > 0 && records.iter().all(|record| left(record, other) == count)
    };
    let others = ['\t', ',', ';', '|'].into_iter().filter(|other| !form.delimiter.contains(*other));
    records.len() > 2 && others.filter(|other| *other == '\t' || first == 1).any(even)
}

/// How often a sign stands in a text where it may part cells: not between two digits, as in a number.
fn parting(text: &str, sign: char) -> usize {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let parts = |at: &usize| {
        !(digit(text[..*at].chars().next_back()) && digit(text[at + sign.len_utf8()..].chars().next()))
    };
    text.match_indices(sign).map(|(at, _)| at).filter(parts).count()
}

/// Signs that join words.
const JOINS: [&str; 5] = ["，", "；", "&", "#", "*"];

/// What a delimiter makes of a text.
struct Cut {
    width: usize,
    /// Share of rows of this width from the first such row to the last.
    same: f64,
    /// There is nothing but words.
    wordy: bool,
    /// Columns of nothing.
    hollow: usize,
    /// A column holds numbers or days.
    values: bool,
    /// A column holds what a usual delimiter parts.
    glued: bool,
}

/// How far what a delimiter cuts is believed.
fn weight_of(sample: &str, form: &Form, cut: Cut) -> f64 {
    let Cut { width, same, wordy, hollow, values, glued } = cut;
    match (form.delimiter.as_str(), trust(&form.delimiter)) {
        (" ", _) if wordy => 0.12,
        (" ", _) if glued => 0.3,
        // Words stand apart in any text; a table's rows are all cut alike.
        (" ", _) => 0.7 * same * same,
        (":", _) if is_clock(sample) => 0.4,
        (":" | "#" | "&" | "*", _) if same > 0.95 && width > 2 => 0.8,
        (":", _) => 0.4,
        ("#" | "&" | "*", _) => 0.15,
        // Two sentences, or two names, in each line.
        (other, _) if wordy && width == 2 && JOINS.contains(&other.trim_matches(' ')) => 0.1,
        ("^" | "~" | "，", _) => 0.8,
        (_, Trust::Sign) if same > 0.95 => 0.8,
        (_, Trust::Sign) => 0.4,
        (other, Trust::Doubtful) if other.chars().count() > 1 => 0.6,
        (_, Trust::Doubtful) if same > 0.99 && width > 2 && hollow == 0 && values => 0.7,
        (_, Trust::Doubtful) => 0.1,
        (other, Trust::Usual) => match other.chars().count() {
            1 => 1.0,
            _ if other.trim().len() < other.len() => 1.02,
            _ if same > 0.8 => 0.97,
            _ => 0.3,
        },
    }
}

/// Share of the rows with this width between the first and the last that have it: words before and behind a table do
/// not count, if there is a table.
fn evenness(records: &[Record<'_>], width: usize) -> f64 {
    let of_width = |record: &Record<'_>| record.cells.len() == width;
    let (Some(first), Some(last)) = (records.iter().position(of_width), records.iter().rposition(of_width))
    else {
        return 0.0;
    };
    let same = records[first..=last].iter().filter(|record| of_width(record)).count();
    let all = if same * 3 < records.len() { records.len() } else { last - first + 1 };
    same as f64 / all as f64
}

/// Whether some column holds values.
fn has_values(kinds: &[Kinds]) -> bool {
    kinds.iter().any(|of| share(of, Kind::is_value) > 0.7)
}

pub(super) fn records<'a>(sample: &'a str, form: &Form) -> Vec<Record<'a>> {
    let (mut all, mut at, mut longest) = (Vec::new(), 0, LONGEST);
    while at < sample.len() {
        let record = record(sample, at, form, longest);
        // Unclosed quotes everywhere must not make every row look through the whole sample.
        longest = if record.odd { (longest / 2).max(256) } else { longest };
        at = record.next.max(at + 1);
        let hollow = record.cells.len() > 1 && record.filled() == 0;
        if !record.is_blank() && !hollow {
            all.push(record);
        }
    }
    all
}

/// Columns without a letter or a digit in any cell.
fn hollow_columns(records: &[Record<'_>], width: usize) -> usize {
    let mut hollow = vec![true; width];
    for record in records.iter().filter(|record| record.cells.len() == width) {
        for (hollow, cell) in hollow.iter_mut().zip(&record.cells) {
            *hollow = *hollow && !cell.text.chars().any(char::is_alphanumeric);
        }
    }
    hollow.into_iter().filter(|&hollow| hollow).count()
}

/// Whether most colons of a text stand before minutes or seconds.
fn is_clock(sample: &str) -> bool {
    let bytes = sample.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let colons: Vec<usize> = memchr::memchr_iter(b':', bytes).collect();
    let clock = |&&at: &&usize| at > 0 && digit(at - 1) && digit(at + 1) && digit(at + 2) && !digit(at + 3);
    colons.iter().filter(clock).count() * 2 > colons.len()
}

type Kinds = HashMap<Kind, usize>;

/// Kinds of the cells of each column, in rows of this width; and how likely cells of all rows are whole cells.
fn kinds(records: &[Record<'_>], width: usize) -> (Vec<Kinds>, f64) {
    let mut columns = vec![Kinds::new(); width];
    let (mut known, mut cells) = (0.0, 0.0);
    for record in records {
        let proper = record.cells.len() == width;
        for (column, cell) in record.cells.iter().enumerate() {
            let kind = match (kind(&cell.text), cell.quoted) {
                (Kind::Odd, true) => Kind::Text,
                (kind, _) => kind,
            };
            let wrapped = !cell.quoted && is_wrapped(&cell.text);
            let padded = !cell.quoted && cell.text.len() > cell.text.trim().len() && kind != Kind::Empty;
            known += match (padded, wrapped) {
                (_, true) => 0.4,
                (true, _) => 0.8 * kind.weight(),
                _ => kind.weight(),
            };
            cells += 1.0;
            if proper {
                *columns[column].entry(kind).or_default() += 1;
            }
        }
    }
    (columns, if cells > 0.0 { known / cells } else { 0.0 })
}

/// Whether a text stands in quotes that the form does not know.
fn is_wrapped(text: &str) -> bool {
    let bytes = text.as_bytes();
    let quote = bytes.first().filter(|first| QUOTES.contains(first));
    let whole = bytes.len() > 1 && quote.is_some_and(|quote| bytes.last() == Some(quote));
    whole || text.starts_with('`') || text.ends_with('`')
}

fn share(kinds: &Kinds, of: impl Fn(Kind) -> bool) -> f64 {
    let all: usize = kinds.values().sum();
    let some: usize = kinds.iter().filter(|(kind, _)| of(**kind)).map(|(_, n)| n).sum();
    some as f64 / all.max(1) as f64
}

fn main_share(kinds: &Kinds) -> f64 {
    let filled: Vec<usize> = kinds.iter().filter(|(k, _)| **k != Kind::Empty).map(|(_, &n)| n).collect();
    let all: usize = filled.iter().sum();
    if all == 0 { 1.0 } else { filled.iter().max().copied().unwrap_or(0) as f64 / all as f64 }
}
