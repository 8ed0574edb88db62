//! Realistic files in every dialect we know of, each with its label: what the finder of dialects is measured by.
//!
//! Knows nothing of the reader. Tests read some of these in memory; `examples/csv_dialects.rs` reads hundreds as files
//! and prints how many labels are found, by delimiter, line end and frame.

mod frames;
mod themes;

use self::frames::{FRAMES, Frame};
use self::themes::{THEMES, theme};

/// Chance that repeats itself.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1))
    }

    pub(crate) fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below.max(1)
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.next(from.len())]
    }
}

/// Rows of cells, the header first if there is one.
pub(crate) type Table = Vec<Vec<String>>;

/// A file and what is true of it.
pub(crate) struct Labelled {
    /// What it was made of: delimiter, line end, frame, theme, writing of cells.
    pub(crate) made_of: [String; 5],
    pub(crate) text: String,
    pub(crate) delimiter: &'static str,
    /// Around at least one cell.
    pub(crate) quote: Option<char>,
    /// Rows of the header.
    pub(crate) header: usize,
    pub(crate) table: Table,
}

/// What stands between two cells: those in daily use, then those that are met now and then.
#[rustfmt::skip]
pub(crate) const DELIMITERS: [&str; 33] = [
    ",", ";", "\t", "|", ", ", "||", "::", " | ", "; ", "|~|", ":", "~", "^", "#", "&", "@", "!", "%", "§", "/", "*",
    "+", "=", "，", "；", "、", "\u{1}", "\u{1f}", "\u{1e}", "\t ", "¦", "$", "<>",
];
/// Those that make a table of two columns.
const SURE: [&str; 8] = [",", ";", "\t", "|", "||", "::", " | ", "|~|"];
/// How many of them are in daily use.
const DAILY: usize = 4;

/// What ends a row, likewise.
pub(crate) const LINE_ENDS: [&str; 12] = [
    "\n", "\r\n", "\r", "\n\r", "\r\r\n", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}", "\u{1e}",
    "mixed",
];

/// How the cells of a file are written.
struct Pen {
    delimiter: &'static str,
    quote: char,
    backslash: bool,
    /// 0: only where it must be; 1: texts; 2: all.
    quoting: usize,
}

impl Pen {
    fn cell(&self, cell: &str) -> String {
        let must = cell.contains(self.delimiter)
            || cell.contains(self.delimiter.trim()) && !self.delimiter.trim().is_empty()
            || cell.contains([self.quote, '\n', '\r']);
        let text = cell.contains(char::is_alphabetic);
        if !must && (self.quoting == 0 || self.quoting == 1 && !text) {
            return cell.to_owned();
        }
        let escape = if self.backslash { "\\" } else { &self.quote.to_string() };
        format!("{0}{1}{0}", self.quote, cell.replace(self.quote, &format!("{escape}{}", self.quote)))
    }

    fn row(&self, row: &[String]) -> String {
        row.iter().map(|cell| self.cell(cell)).collect::<Vec<_>>().join(self.delimiter)
    }
}

/// The file with this number; the same number gives the same file.
pub(crate) fn labelled(number: u64) -> Labelled {
    let mut chance = Chance::new(number);
    let daily = chance.next(10) < 5;
    let delimiter = DELIMITERS[chance.next(if daily { DAILY } else { DELIMITERS.len() })];
    let line_end = if chance.next(6) == 0 { chance.pick(&LINE_ENDS) } else { ["\n", "\r\n"][chance.next(2)] };
    let frame = if chance.next(2) == 0 { FRAMES[chance.next(FRAMES.len())] } else { FRAMES[0] };
    let which = THEMES[chance.next(THEMES.len())];
    let quote = if chance.next(6) == 0 { ['\'', '`'][chance.next(2)] } else { '"' };
    let quoting = chance.next(8).saturating_sub(5);
    let pen = Pen { delimiter, quote, backslash: chance.next(8) == 0, quoting };
    // A key and its value may be cut by anything; so may a few rows below many lines of words.
    let which = if which == "pairs" && !SURE.contains(&delimiter) { "numbers" } else { which };
    let rows = if frame.is_tall() { 16 } else { 4 } + chance.next(40);
    let table = theme(which, &mut chance, rows);
    let line_end = if line_end == "\u{1e}" && delimiter == "\u{1e}" { "\n" } else { line_end };
    build(&pen, line_end, &frame, which, table, &mut chance)
}

fn build(
    pen: &Pen,
    line_end: &str,
    frame: &Frame,
    which: &str,
    mut table: Table,
    chance: &mut Chance,
) -> Labelled {
    let header = frame.shape(&mut table, chance);
    let width = table.first().map_or(1, Vec::len);
    let lines = table.iter().map(|row| pen.row(row));
    let mut text = frame.before(pen.delimiter, width, chance);
    text.extend(lines);
    text.extend(frame.behind(pen.delimiter, width));
    let quoted = table.iter().flatten().any(|cell| pen.cell(cell).len() > cell.len());
    let end = |at: usize| match line_end {
        "mixed" => ["\n", "\r\n", "\n", "\r"][at % 4],
        other => other,
    };
    let text = text.iter().enumerate().map(|(at, line)| format!("{line}{}", end(at))).collect();
    Labelled {
        made_of: [
            format!("delimiter {:?}", pen.delimiter),
            format!("line end {line_end:?}"),
            format!("frame {}", frame.name()),
            format!("theme {which}"),
            format!("quote {:?}, backslash {}, quoting {}", pen.quote, pen.backslash, pen.quoting),
        ],
        text,
        delimiter: pen.delimiter,
        quote: quoted.then_some(pen.quote),
        header,
        table,
    }
}
