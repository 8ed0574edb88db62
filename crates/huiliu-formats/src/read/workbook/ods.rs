//! OpenDocument spreadsheets: the rows of one table of `content.xml`, as a stream.
//!
//! Cells and rows that repeat are written once with a count. Empty ones cost nothing; repeated values are given as often
//! as the sheet shows them, within the limits. Values are taken as stored (`office:value`), texts as shown; notes
//! on cells are no text. What is shown tells the unit of a number (`1.50亿`) and the zeros of a code. Merged cells say how many they span.

use std::io::Read;

use super::merges::Merge;
use super::number;
use super::sheet::Row;
use super::shown::Label;
use super::styles::Shown;
use super::xml::{Attributes, Scanner, Token, unescape};
use crate::read::chunk::Span;
use crate::read::error::ReadError;
use crate::read::package::Package;

/// Most columns of a sheet.
const MOST_COLUMNS: u32 = 16_384;
/// Most sheets.
const MOST_SHEETS: usize = 4096;
/// Most merged and hidden ranges that are kept.
const MOST_RANGES: usize = 1 << 16;
/// Longest text of a row.
const MOST_TEXT: usize = 16 << 20;

/// Refuses an encrypted document; its parts are there but are no XML.
pub(super) fn check(package: &Package) -> Result<(), ReadError> {
    let Some(entry) = package.entry("META-INF/manifest.xml")? else { return Ok(()) };
    let mut scanner = Scanner::new(entry);
    loop {
        match scanner.next()? {
            Token::Open { name: b"encryption-data", .. } => return Err(ReadError::encrypted()),
            Token::End => return Ok(()),
            _ => {}
        }
    }
}

/// Names of the tables and whether each is shown.
pub(super) fn sheets(part: impl Read) -> Result<Vec<(String, bool)>, ReadError> {
    let mut scanner = Scanner::new(part);
    let (mut sheets, mut hidden, mut style, mut depth) = (Vec::new(), Vec::new(), String::new(), 0_u32);
    loop {
        match scanner.next()? {
            Token::Open { name: b"style", attributes, .. } => {
                style = attributes.text(b"name").unwrap_or_default();
            }
            Token::Open { name: b"table-properties", attributes, .. }
                if attributes.get(b"display") == Some(b"false") && hidden.len() < MOST_SHEETS =>
            {
                hidden.push(std::mem::take(&mut style));
            }
            Token::Open { name: b"table", attributes, empty } => {
                if depth == 0 && sheets.len() < MOST_SHEETS {
                    let style = attributes.text(b"style-name").unwrap_or_default();
                    sheets.push((attributes.text(b"name").unwrap_or_default(), !hidden.contains(&style)));
                }
                depth += u32::from(!empty);
            }
            Token::Close { name: b"table" } => depth = depth.saturating_sub(1),
            Token::End => return Ok(sheets),
            _ => {}
        }
    }
}

/// A table that is being read.
pub(super) struct OdsStream<R> {
    scanner: Scanner<R>,
    number: u32,
    /// The row that was read, its text, and how often it is still to be given.
    kept: Row,
    text: String,
    again: u32,
    /// Column that the next `table-column` describes.
    column: u32,
    pub(super) hidden_columns: Vec<(u32, u32)>,
    pub(super) merges: Vec<Merge>,
    /// The document counts days from 1904.
    date1904: bool,
    /// Columns whose numbers without a format are days, if they are counted from 1904.
    dates: Vec<u32>,
    /// Most cells and most bytes of text that the table may have, repeated rows counted out.
    pub(super) most: (u64, u64),
    over: bool,
}

impl<R: Read> OdsStream<R> {
    /// Goes to the table of that ordinal.
    pub(super) fn open(part: R, ordinal: usize) -> Result<Self, ReadError> {
        let mut scanner = Scanner::new(part);
        let (mut seen, mut depth, mut date1904) = (0, 0_u32, false);
        let over = loop {
            match scanner.next()? {
                Token::Open { name: b"null-date", attributes, .. } => {
                    date1904 = attributes.get(b"date-value").is_some_and(|day| day.starts_with(b"1904"));
                }
                Token::Open { name: b"table", empty, .. } => {
                    if depth == 0 {
                        if seen == ordinal {
                            break empty;
                        }
                        seen += 1;
                    }
                    depth += u32::from(!empty);
                }
                Token::Close { name: b"table" } => depth = depth.saturating_sub(1),
                Token::End => break true,
                _ => {}
            }
        };
        Ok(Self {
            scanner,
            number: 0,
            kept: Row::default(),
            text: String::new(),
            again: 0,
            column: 0,
            hidden_columns: Vec::new(),
            merges: Vec::new(),
            date1904,
            dates: Vec::new(),
            most: (u64::MAX, u64::MAX),
            over,
        })
    }

    /// Says which columns hold days; see [`XlsxSource::expect_dates`](super::XlsxSource::expect_dates).
    pub(super) fn expect_dates(&mut self, columns: &[u32]) {
        self.dates = if self.date1904 { columns.to_vec() } else { Vec::new() };
    }

    /// Reads the next row that holds something, adding its texts to `text`; `false` behind the last one.
    pub(super) fn next_row(&mut self, row: &mut Row, text: &mut String) -> Result<bool, ReadError> {
        loop {
            if self.again > 0 {
                self.again -= 1;
                self.number = self.number.saturating_add(1);
                self.give(row, text);
                return Ok(true);
            }
            if self.over {
                return Ok(false);
            }
            match self.scanner.next()? {
                Token::Open { name: b"table-row", attributes, empty } => {
                    let count = attributes.number(b"number-rows-repeated").unwrap_or(1).max(1);
                    let hidden = is_hidden(attributes);
                    self.kept.clear(0);
                    self.kept.hidden = hidden;
                    self.text.clear();
                    if !empty {
                        self.cells()?;
                    }
                    match self.kept.cells.is_empty() && self.kept.errors.is_empty() {
                        true => self.number = self.number.saturating_add(count),
                        false => {
                            self.check_repeats(count)?;
                            self.again = count;
                        }
                    }
                }
                Token::Open { name: b"table-column", attributes, .. } => {
                    let count = attributes.number(b"number-columns-repeated").unwrap_or(1).max(1);
                    if is_hidden(attributes) && self.hidden_columns.len() < MOST_RANGES {
                        let last = self.column.saturating_add(count - 1).min(MOST_COLUMNS);
                        self.hidden_columns.push((self.column, last));
                    }
                    self.column = self.column.saturating_add(count);
                }
                Token::Close { name: b"table" } | Token::End => self.over = true,
                _ => {}
            }
        }
    }

    /// Refuses a row that would be given more often than any sheet has room for, before it is given once.
    fn check_repeats(&self, count: u32) -> Result<(), ReadError> {
        let spans = self.kept.cells.iter().chain(&self.kept.errors);
        let bytes: u64 = spans.map(|(_, span)| u64::from(span.len())).sum();
        let cells = self.kept.cells.len() as u64;
        let count = u64::from(count);
        if cells.saturating_mul(count) > self.most.0 {
            return Err(ReadError::too_large(
                "工作表的单元格数",
                "the number of cells of a sheet",
                self.most.0,
            ));
        }
        if bytes.saturating_mul(count) > self.most.1 {
            return Err(ReadError::too_large(
                "工作表的文字量（字节）",
                "the texts of a sheet in bytes",
                self.most.1,
            ));
        }
        Ok(())
    }

    /// Goes to the end for what is known only there; repeated rows are passed over at once.
    pub(super) fn pass(&mut self) -> Result<(), ReadError> {
        let (mut row, mut text) = (Row::default(), String::new());
        while self.next_row(&mut row, &mut text)? {
            self.number = self.number.saturating_add(std::mem::take(&mut self.again));
            text.clear();
        }
        Ok(())
    }

    fn give(&self, row: &mut Row, text: &mut String) {
        row.clear(self.number);
        row.hidden = self.kept.hidden;
        for (from, failed) in [(&self.kept.cells, false), (&self.kept.errors, true)] {
            for &(column, span) in from {
                let start = text.len();
                text.push_str(span.of(&self.text));
                let place = (column, Span::new(start, text.len()));
                if failed { row.errors.push(place) } else { row.cells.push(place) }
            }
        }
    }

    fn cells(&mut self) -> Result<(), ReadError> {
        // Bytes of the row's texts, as often as they are shown.
        let (mut column, mut spread) = (0_u32, 0_usize);
        loop {
            match self.scanner.next()? {
                Token::Open { name: name @ (b"table-cell" | b"covered-table-cell"), attributes, empty } => {
                    let covered = name == b"covered-table-cell";
                    let count = attributes.number(b"number-columns-repeated").unwrap_or(1);
                    let count = count.clamp(1, MOST_COLUMNS);
                    let other = meant_otherwise(attributes, &self.dates, (column, count), &mut self.text);
                    let start = self.text.len();
                    let plain = if self.dates.contains(&column) { Shown::Serial } else { Shown::Plain };
                    let value = value(attributes, plain, &mut self.text);
                    if let Some(merge) = spanned(attributes, self.number.saturating_add(1), column)
                        && self.merges.len() < MOST_RANGES
                    {
                        self.merges.push(merge);
                    }
                    if !empty {
                        let name: &[u8] = if covered { b"covered-table-cell" } else { b"table-cell" };
                        let wanted = value != Value::Done;
                        let shown = self.text.len();
                        paragraphs(&mut self.scanner, &mut self.text, name, wanted)?;
                        if value == Value::Number {
                            as_shown(&mut self.text, start, shown);
                        }
                    }
                    let span = Span::new(start, self.text.len());
                    spread = spread.saturating_add((self.text.len() - start).saturating_mul(count as usize));
                    if self.text.get(start..).is_some_and(|text| !text.trim().is_empty()) && !covered {
                        let to =
                            if value == Value::Error { &mut self.kept.errors } else { &mut self.kept.cells };
                        let last = column.saturating_add(count).min(MOST_COLUMNS);
                        let dates = &self.dates;
                        let span = |at: u32| match &other {
                            Some(other) if dates.contains(&at) != dates.contains(&column) => *other,
                            _ => span,
                        };
                        to.extend((column..last).map(|column| (column, span(column))));
                    }
                    if spread > MOST_TEXT {
                        return Err(ReadError::too_large(
                            "一行的文字量（字节）",
                            "the texts of a row in bytes",
                            MOST_TEXT as u64,
                        ));
                    }
                    column = column.saturating_add(count).min(MOST_COLUMNS);
                }
                Token::Close { name: b"table-row" } => return Ok(()),
                Token::Close { name: b"table" } | Token::End => {
                    self.over = true;
                    return Ok(());
                }
                _ => {}
            }
        }
    }
}

/// Whether the value was in the attributes or is the text that follows.
#[derive(PartialEq)]
enum Value {
    Done,
    /// It was, and how it is shown may say more.
    Number,
    Text,
    Error,
}

/// Writes the value of a cell that is not text; `plain` is how a number without a format is meant.
fn value(attributes: Attributes<'_>, plain: Shown, to: &mut String) -> Value {
    // The type may be there a second time under another prefix, which knows errors.
    let mut kind: &[u8] = b"";
    for (_, value) in attributes.filter(|(name, _)| *name == b"value-type") {
        if kind != b"error" {
            kind = value;
        }
    }
    let start = to.len();
    match kind {
        b"error" => return Value::Error,
        b"float" | b"currency" | b"percentage" => {
            let raw = attributes.text(b"value").unwrap_or_default();
            let shown = if kind == b"percentage" { Shown::Percent } else { plain };
            // Days count from 1904 if any do.
            number::write(to, &raw, shown, plain == Shown::Serial);
            if kind != b"percentage" && to.len() > start {
                return Value::Number;
            }
        }
        b"date" => {
            let raw = attributes.text(b"date-value").unwrap_or_default();
            to.push_str(&raw.replace("T00:00:00", "").replacen('T', " ", 1));
        }
        b"boolean" => to.push_str(&attributes.text(b"boolean-value").unwrap_or_default()),
        _ => {}
    }
    if to.len() > start { Value::Done } else { Value::Text }
}

/// One number written for several columns may be a day in some of them and a number in others: its text for those that mean
/// it otherwise than the first.
fn meant_otherwise(
    attributes: Attributes<'_>,
    dates: &[u32],
    (column, count): (u32, u32),
    to: &mut String,
) -> Option<Span> {
    let is_day = dates.contains(&column);
    let mut others = column..column.saturating_add(count);
    if dates.is_empty() || !others.any(|at| dates.contains(&at) != is_day) {
        return None;
    }
    let start = to.len();
    value(attributes, if is_day { Shown::Plain } else { Shown::Serial }, to);
    Some(Span::new(start, to.len()))
}

/// Writes the number that stands in `to` from `start` on as the text from `shown` on says that it is shown: with its
/// unit, or with the zeros in front of a code. The text goes.
fn as_shown(to: &mut String, start: usize, shown: usize) {
    let text = to.split_off(shown);
    let text = text.trim();
    let Some(Ok(number)) = to.get(start..).map(str::parse::<f64>) else { return };
    let zeros = text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    if zeros && text.parse() == Ok(number) {
        to.truncate(start);
        to.push_str(text);
    } else if let Some(label) = Label::of_text(text, number) {
        let raw = to.split_off(start);
        number::write(to, &raw, Shown::Labelled(label), false);
    }
}

/// Reads what stands in a cell up to its end, and keeps the text if it is wanted.
fn paragraphs<R: Read>(
    scanner: &mut Scanner<R>,
    to: &mut String,
    cell: &[u8],
    wanted: bool,
) -> Result<(), ReadError> {
    let (mut notes, mut paragraphs, mut inside) = (0_u32, 0_u32, false);
    let start = to.len();
    loop {
        let token = scanner.next()?;
        let kept = wanted && inside && notes == 0;
        match token {
            Token::Close { name } if name == cell && notes == 0 => return Ok(()),
            Token::Open { name: b"annotation", empty: false, .. } => notes = notes.saturating_add(1),
            Token::Close { name: b"annotation" } => notes = notes.saturating_sub(1),
            Token::Open { name: b"p", empty, .. } if notes == 0 => {
                if paragraphs > 0 && wanted {
                    to.push('\n');
                }
                paragraphs = paragraphs.saturating_add(1);
                inside = !empty;
            }
            Token::Close { name: b"p" } if notes == 0 => inside = false,
            Token::Open { name: b"s", attributes, .. } if kept => {
                let count = attributes.number(b"c").unwrap_or(1).min(1000);
                to.extend(std::iter::repeat_n(' ', count as usize));
            }
            Token::Open { name: b"tab", .. } if kept => to.push('\t'),
            Token::Open { name: b"line-break", .. } if kept => to.push('\n'),
            Token::Text(raw) if kept => unescape(to, raw),
            Token::Literal(raw) if kept => to.push_str(&String::from_utf8_lossy(raw)),
            Token::Close { name: b"table-row" | b"table" } | Token::End => {
                return Err(ReadError::damaged(&"a cell does not end"));
            }
            _ => {}
        }
        if to.len() - start > MOST_TEXT {
            return Err(ReadError::too_large("单元格文字长度", "a cell's text", MOST_TEXT as u64));
        }
    }
}

fn is_hidden(attributes: Attributes<'_>) -> bool {
    matches!(attributes.get(b"visibility"), Some(b"collapse" | b"filter"))
}

fn spanned(attributes: Attributes<'_>, row: u32, column: u32) -> Option<Merge> {
    let columns = attributes.number(b"number-columns-spanned").unwrap_or(1).max(1);
    let rows = attributes.number(b"number-rows-spanned").unwrap_or(1).max(1);
    (columns > 1 || rows > 1).then(|| Merge {
        first_row: row,
        last_row: row.saturating_add(rows - 1),
        first_column: column,
        last_column: column.saturating_add(columns - 1),
    })
}

#[cfg(test)]
mod tests;
