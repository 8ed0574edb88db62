//! Cutting CSV text into rows and cells.
//!
//! Only delimiters, line ends and quotes are looked at, found many bytes at a time. A cell is a place in the
//! text; only one with doubled quotes is written anew, aside. What is not well formed is read as it most likely was
//! meant: a quote inside a cell is a character, text behind a closing quote belongs to the cell, and a
//! quote that is never closed does not swallow the rest of the file.

use memchr::memchr3_iter;

use super::long::{LOOKED_AT, are_rows};
use crate::read::chunk::{Chunk, Span};

/// How a text is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    /// `\n`, or `\r` where nothing else ends lines.
    pub(super) newline: u8,
    /// Cells of a row; 0 if that is not known.
    pub(super) width: usize,
    /// How far the end of a quoted cell is looked for.
    pub(super) longest: usize,
}

/// What one call of [`split`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Bytes of whole rows, blank ones too.
    pub(super) consumed: usize,
    /// Lines among them, which count as rows for the sender.
    pub(super) lines: u32,
    /// The next row is one that was to be stopped at.
    pub(super) stopped: bool,
}

/// Where to begin and at which rows to stop.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Range {
    /// First byte of the first row.
    pub(super) from: usize,
    /// Rows that begin at this byte or later are stopped at if their cells are too many or too few, save rows of a few
    /// cells that only say something.
    pub(super) stop_from: Option<usize>,
}

struct Row {
    start: usize,
    field: usize,
    column: usize,
    surplus_before: usize,
}

/// Appends the rows of `bytes` to the chunk, at most `most`. `over` says that nothing follows the bytes; else a last
/// row without an end is left for the next call. The first row has the number `number`.
pub(super) fn split(
    dialect: Dialect,
    bytes: &[u8],
    range: Range,
    over: bool,
    most: usize,
    number: u32,
    chunk: &mut Chunk,
) -> Progress {
    let Dialect { delimiter, newline, .. } = dialect;
    let from = range.from.min(bytes.len());
    let mut progress = Progress { consumed: from, ..Progress::default() };
    let mut aside = Vec::new();
    let mut row = Row { start: from, field: from, column: 0, surplus_before: chunk.surplus.len() };
    let (mut base, mut marks) = (from, memchr3_iter(delimiter, newline, b'"', &bytes[from..]));
    let stops = |chunk: &Chunk, row: &Row, span: Span| {
        let cells = row.column + 1;
        let surplus = chunk.surplus.len() > row.surplus_before || (cells > chunk.width && !span.is_empty());
        let short = cells < chunk.width && (cells == 1 && !span.is_empty() || cells * 2 >= chunk.width);
        range.stop_from.is_some_and(|stop| row.start >= stop) && (surplus || short)
    };
    // Content of the cell that is being read, if it was quoted.
    let mut quoted: Option<Span> = None;
    while chunk.numbers.len() < most {
        let Some(at) = marks.next().map(|at| at + base) else { break };
        let mark = bytes[at];
        if mark == delimiter {
            let span = quoted.take().unwrap_or(Span::new(row.field, at));
            put(chunk, &mut row, span, number + progress.lines);
            row.field = at + 1;
        } else if mark == newline {
            let end = if at > row.field && bytes[at - 1] == b'\r' { at - 1 } else { at };
            let span = quoted.take().unwrap_or(Span::new(row.field, end));
            if stops(chunk, &row, span) {
                progress.stopped = true;
                break;
            }
            end_row(chunk, &mut row, span, number + progress.lines, at + 1);
            progress.lines += 1;
            progress.consumed = at + 1;
        } else if at == row.field {
            match closing_quote(&mut marks, bytes, base, dialect, over) {
                Quoted::Closed { close, end, doubled } => {
                    if bytes.get(close + 1..end).is_some_and(|tail| !tail.trim_ascii().is_empty()) {
                        chunk.stray.push((number + progress.lines, row.column as u32));
                    }
                    quoted = Some(content(bytes, at, close, end, doubled, &mut aside, chunk.side.len()));
                    // Behind text after the quote the marks go on where the cell ends.
                    (base, marks) = (end, memchr3_iter(delimiter, newline, b'"', &bytes[end..]));
                }
                Quoted::Clean(close) => quoted = Some(Span::new(at + 1, close)),
                Quoted::Cut if over || bytes.len() - at > dialect.longest => {
                    chunk.stray.push((number + progress.lines, row.column as u32));
                    // A character like any other.
                    (base, marks) = (at + 1, memchr3_iter(delimiter, newline, b'"', &bytes[at + 1..]));
                }
                Quoted::Cut => break,
                Quoted::Stray => {
                    chunk.stray.push((number + progress.lines, row.column as u32));
                    (base, marks) = (at + 1, memchr3_iter(delimiter, newline, b'"', &bytes[at + 1..]));
                }
            }
        }
    }
    let unfinished = row.start < bytes.len() && chunk.numbers.len() < most && !progress.stopped;
    let end = bytes.len() - usize::from(bytes.ends_with(b"\r") && bytes.len() > row.field);
    let last = quoted.unwrap_or(Span::new(row.field, end));
    progress.stopped |= over && unfinished && stops(chunk, &row, last);
    if over && unfinished && !progress.stopped {
        let span = quoted.take().unwrap_or(Span::new(row.field, end));
        end_row(chunk, &mut row, span, number + progress.lines, bytes.len());
        progress.lines += 1;
        progress.consumed = bytes.len();
    } else {
        chunk.cells.truncate(chunk.numbers.len() * chunk.width);
        chunk.surplus.truncate(row.surplus_before);
        // The row is not told of before it is whole.
        let unfinished = number + progress.lines;
        chunk.stray.retain(|(of, _)| *of != unfinished);
    }
    // Cut at ASCII marks from text that is checked as a whole: what was UTF-8 before is so now.
    chunk.side.push_str(&String::from_utf8_lossy(&aside));
    progress
}

#[inline]
fn put(chunk: &mut Chunk, row: &mut Row, span: Span, number: u32) {
    if row.column < chunk.width {
        chunk.cells.push(span);
    } else if !span.is_empty() {
        chunk.surplus.push((number, row.column as u32, span));
    }
    row.column += 1;
}

#[inline]
fn end_row(chunk: &mut Chunk, row: &mut Row, span: Span, number: u32, next: usize) {
    put(chunk, row, span, number);
    if row.column == 1 && span.is_empty() {
        // A blank line.
        chunk.cells.truncate(chunk.numbers.len() * chunk.width);
    } else {
        if row.column < chunk.width {
            chunk.odd.push((number, row.column as u32));
            chunk.cells.resize((chunk.numbers.len() + 1) * chunk.width, Span::default());
        } else if chunk.surplus.len() > row.surplus_before {
            chunk.odd.push((number, row.column as u32));
        }
        chunk.numbers.push(number);
    }
    *row = Row { start: next, field: next, column: 0, surplus_before: chunk.surplus.len() };
}

enum Quoted {
    /// Closed right before a delimiter or line end, nothing doubled: the usual case.
    Clean(usize),
    /// Closed at `close`; the cell ends at `end`.
    Closed { close: usize, end: usize, doubled: bool },
    /// The text ends before the quote does.
    Cut,
    /// Closed on another line and followed by text, or around rows of the table: not a quoted cell at all.
    Stray,
}

/// Looks for the end of the cell whose opening quote was just met.
fn closing_quote(
    marks: &mut memchr::Memchr3<'_>,
    bytes: &[u8],
    base: usize,
    dialect: Dialect,
    over: bool,
) -> Quoted {
    let (mut doubled, mut inside) = (false, Inside::default());
    while let Some(at) = marks.next().map(|at| at + base) {
        match bytes[at] {
            b'"' => {}
            mark => {
                if inside.goes_past(mark, dialect) {
                    return Quoted::Stray;
                }
                continue;
            }
        }
        match bytes.get(at + 1) {
            Some(b'"') => {
                marks.next();
                doubled = true;
            }
            None if !over => return Quoted::Cut,
            next => {
                let ends = |b: u8| b == dialect.delimiter || b == dialect.newline;
                let ended = match next {
                    None => true,
                    Some(b'\r') => bytes.get(at + 2).is_none_or(|&b| ends(b)),
                    Some(&b) => ends(b),
                };
                return match (ended, doubled, inside.lines > 0) {
                    (true, ..) if inside.are_rows(dialect) => Quoted::Stray,
                    (true, false, _) => Quoted::Clean(at),
                    (true, true, _) => Quoted::Closed { close: at, end: at + 1, doubled },
                    (false, _, true) => Quoted::Stray,
                    (false, _, false) => {
                        let rest = &bytes[at + 1..];
                        match memchr::memchr2(dialect.delimiter, dialect.newline, rest) {
                            Some(end) => Quoted::Closed { close: at, end: at + 1 + end, doubled },
                            None if over => Quoted::Closed { close: at, end: bytes.len(), doubled },
                            None => Quoted::Cut,
                        }
                    }
                };
            }
        }
    }
    Quoted::Cut
}

/// The lines within quotes, as far as they are looked at.
#[derive(Default)]
struct Inside {
    /// Line ends.
    lines: usize,
    /// Delimiters in the last line, and lines that have as many as a row.
    delimiters: usize,
    alike: usize,
}

impl Inside {
    /// Counts a delimiter or line end; `true` if these are rows.
    #[inline]
    fn goes_past(&mut self, mark: u8, dialect: Dialect) -> bool {
        if self.lines > LOOKED_AT {
            return false;
        }
        if mark != dialect.newline {
            self.delimiters += 1;
            return false;
        }
        // What stands before the first line end began before the quote.
        self.alike += usize::from(self.lines > 0 && self.delimiters + 1 == dialect.width);
        (self.lines, self.delimiters) = (self.lines + 1, 0);
        self.lines == LOOKED_AT + 1 && self.are_rows(dialect)
    }

    fn are_rows(&self, dialect: Dialect) -> bool {
        are_rows(self.alike, self.lines.saturating_sub(1), dialect.width)
    }
}

/// The text of a quoted cell, written aside if it does not stand in the file as it is.
fn content(
    bytes: &[u8],
    open: usize,
    close: usize,
    end: usize,
    doubled: bool,
    aside: &mut Vec<u8>,
    side: usize,
) -> Span {
    if !doubled && end == close + 1 {
        return Span::new(open + 1, close);
    }
    let start = aside.len();
    let mut quote = false;
    for &byte in &bytes[open + 1..close] {
        // The first of two is written, the second left out.
        quote = byte == b'"' && !quote;
        if byte != b'"' || quote {
            aside.push(byte);
        }
    }
    let tail = &bytes[close + 1..end];
    aside.extend_from_slice(tail.strip_suffix(b"\r").unwrap_or(tail));
    Span::aside(side + start, side + aside.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMA: Dialect = Dialect { delimiter: b',', newline: b'\n', width: 0, longest: 1 << 20 };

    /// Rows of `text` as texts, read in pieces that end after `piece` bytes.
    fn rows(text: &str, width: usize, piece: usize) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        let (mut start, mut end, mut number) = (0, 0, 1);
        loop {
            end = (end + piece).min(text.len());
            let over = end == text.len();
            let mut chunk = Chunk::default();
            chunk.clear(width);
            let bytes = &text.as_bytes()[start..end];
            let progress = split(COMMA, bytes, Range::default(), over, 3, number, &mut chunk);
            let taken = std::str::from_utf8(&bytes[..progress.consumed]).unwrap();
            let view = chunk.view(taken);
            for (row, number) in chunk.numbers.iter().enumerate() {
                let mut cells: Vec<String> = view.row(row).map(str::to_owned).collect();
                let surplus = chunk.surplus.iter().filter(|(of, ..)| of == number);
                cells.extend(surplus.map(|(.., span)| format!("+{}", view.text(*span))));
                all.push(cells);
            }
            start += progress.consumed;
            number += progress.lines;
            if over && progress.consumed == bytes.len() {
                return all;
            }
        }
    }

    #[test]
    fn quotes_are_read_as_they_were_meant() {
        for (text, expected) in [
            ("a,b\r\nc,d", "a|b/c|d"),
            ("\"a,1\",\"b\n2\"\nc,d\n", "a,1|b\n2/c|d"),
            ("\"say \"\"hi\"\"\",b\n", "say \"hi\"|b"),
            ("a\"b,\"c\"d\n", "a\"b|cd"),
            ("\"never closed,b\nc,d\n", "\"never closed|b/c|d"),
            ("\"half\nc\",d\"x\ne,f\n", "half\nc|d\"x/e|f"),
            ("\"lone,b\n\"x\"y,d\n", "\"lone|b/xy|d"),
            ("a\n\nb,c,d,\n", "a|/b|c|+d"),
            ("\"\",\"\"\n,\n", "|/|"),
            ("\"\"\"\",b\n", "\"|b"),
            ("", ""),
        ] {
            for piece in [1, 2, 3, 5, 100] {
                let found = rows(text, 2, piece).iter().map(|r| r.join("|")).collect::<Vec<_>>().join("/");
                assert_eq!(found, expected, "{text:?} in pieces of {piece}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_table_comes_back_cell_by_cell(
            table in prop::collection::vec(prop::collection::vec("[a-z项\"\r\n, ]{0,6}", 3), 1..8),
            piece in 1_usize..40,
        ) {
            // A row number is that of the record, so empty first cells do not matter; blank lines cannot occur.
            let mut text = String::new();
            for row in &table {
                let cells: Vec<String> = row.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect();
                text.push_str(&cells.join(","));
                text.push_str("\r\n");
            }
            let found = rows(&text, 3, text.len());
            prop_assert_eq!(&found, &table);
            let pieces = rows(&text, 3, piece);
            prop_assert_eq!(&pieces, &table);
        }

        #[test]
        fn no_bytes_make_it_panic_or_stand_still(bytes in prop::collection::vec(prop::sample::select(b"a,\"\n\r\xff".to_vec()), 0..60)) {
            let mut chunk = Chunk::default();
            chunk.clear(2);
            let progress = split(COMMA, &bytes, Range::default(), true, usize::MAX, 1, &mut chunk);
            prop_assert_eq!(progress.consumed, bytes.len());
            prop_assert_eq!(chunk.cells.len(), chunk.rows() * 2);
        }
    }
}
