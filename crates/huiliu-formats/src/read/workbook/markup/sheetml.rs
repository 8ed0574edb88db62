//! The XML of Excel 2003 (`urn:schemas-microsoft-com:office:spreadsheet`), which many systems still export.
//!
//! Rows and cells follow one another unless an index says otherwise. Of formats only percentages matter: numbers are
//! stored plainly and dates as such.

use std::collections::HashSet;

use super::super::merges::Merge;
use super::super::number;
use super::super::sheet::Row;
use super::super::styles::Shown;
use super::super::xml::{Attributes, Scanner, Token, unescape};
use super::{MOST_COLUMNS, MOST_RANGES, MOST_TABLES, MOST_TEXT, merge, too_long};
use crate::read::chunk::Span;
use crate::read::error::ReadError;
use crate::read::text::TextReader;

/// Most styles that are remembered.
const MOST_STYLES: usize = 1 << 16;

/// Names of the sheets, and whether each is shown; also proves that the file is whole.
pub(super) fn sheets(reader: TextReader) -> Result<Vec<(String, bool)>, ReadError> {
    let mut scanner = Scanner::new(reader);
    let (mut sheets, mut depth, mut hidden) = (Vec::<(String, bool)>::new(), 0_i64, false);
    loop {
        match scanner.next()? {
            Token::Open { name, attributes, empty } => {
                depth += i64::from(!empty);
                if name == b"Worksheet" && sheets.len() < MOST_TABLES {
                    sheets.push((attributes.text(b"Name").unwrap_or_default(), true));
                }
                hidden = name == b"Visible" && !empty;
            }
            Token::Text(text) | Token::Literal(text) if hidden => {
                if let Some((_, shown)) = sheets.last_mut() {
                    *shown &= !text.trim_ascii().starts_with(b"SheetHidden")
                        && !text.trim_ascii().starts_with(b"SheetVeryHidden");
                }
            }
            Token::Close { .. } => {
                (depth, hidden) = (depth - 1, false);
            }
            Token::End if depth > 0 => return Err(ReadError::damaged(&"its end is missing")),
            Token::End => return Ok(sheets),
            _ => {}
        }
    }
}

/// A sheet that is being read.
pub(super) struct SheetmlStream {
    scanner: Scanner<TextReader>,
    percents: HashSet<String>,
    number: u32,
    column: u32,
    pub(super) hidden_columns: Vec<(u32, u32)>,
    pub(super) merges: Vec<Merge>,
    over: bool,
}

impl SheetmlStream {
    /// Goes to the sheet of that ordinal; notes the styles on the way.
    pub(super) fn open(reader: TextReader, ordinal: usize) -> Result<Self, ReadError> {
        let mut scanner = Scanner::new(reader);
        let (mut percents, mut style, mut seen) = (HashSet::new(), String::new(), 0);
        let over = loop {
            match scanner.next()? {
                Token::Open { name: b"Style", attributes, .. } => {
                    style = attributes.text(b"ID").unwrap_or_default();
                }
                Token::Open { name: b"NumberFormat", attributes, .. } => {
                    let format = attributes.text(b"Format").unwrap_or_default();
                    if (format.contains('%') || format == "Percent") && percents.len() < MOST_STYLES {
                        percents.insert(std::mem::take(&mut style));
                    }
                }
                Token::Open { name: b"Worksheet", empty, .. } => {
                    if seen == ordinal {
                        break empty;
                    }
                    seen += 1;
                }
                Token::End => break true,
                _ => {}
            }
        };
        let (hidden_columns, merges) = (Vec::new(), Vec::new());
        Ok(Self { scanner, percents, number: 0, column: 0, hidden_columns, merges, over })
    }

    /// Reads the next row that holds something, adding its texts to `text`; `false` behind the last one.
    pub(super) fn next_row(&mut self, row: &mut Row, text: &mut String) -> Result<bool, ReadError> {
        while !self.over {
            match self.scanner.next()? {
                Token::Open { name: b"Row", attributes, empty } => {
                    let index = attributes.number(b"Index").unwrap_or(0);
                    let span = attributes.number(b"Span").unwrap_or(0);
                    let hidden = attributes.flag(b"Hidden");
                    // An index that goes back would give a row twice.
                    self.number = self.number.saturating_add(1).max(index);
                    row.clear(self.number);
                    row.hidden = hidden;
                    if !empty {
                        self.cells(row, text)?;
                    }
                    self.number = self.number.saturating_add(span);
                    if !row.cells.is_empty() || !row.errors.is_empty() {
                        return Ok(true);
                    }
                }
                Token::Open { name: b"Column", attributes, .. } => {
                    let column = column_of(attributes);
                    self.note_column(column);
                }
                Token::Close { name: b"Table" | b"Worksheet" } | Token::End => self.over = true,
                _ => {}
            }
        }
        Ok(false)
    }

    fn note_column(&mut self, (index, span, hidden): (Option<u32>, u32, bool)) {
        let first = index.map_or(self.column, |index| index.saturating_sub(1)).min(MOST_COLUMNS);
        let last = first.saturating_add(span).min(MOST_COLUMNS);
        if hidden && self.hidden_columns.len() < MOST_RANGES {
            self.hidden_columns.push((first, last));
        }
        self.column = last.saturating_add(1);
    }

    fn cells(&mut self, row: &mut Row, text: &mut String) -> Result<(), ReadError> {
        let (begin, mut next) = (text.len(), 0_u32);
        loop {
            match self.scanner.next()? {
                Token::Open { name: b"Cell", attributes, empty } => {
                    let index = attributes.number(b"Index").map(|index| index.saturating_sub(1));
                    let column = index.unwrap_or(next).max(next);
                    let across = attributes.number(b"MergeAcross").unwrap_or(0).min(MOST_COLUMNS);
                    let down = attributes.number(b"MergeDown").unwrap_or(0);
                    let formula = attributes.get(b"Formula").is_some();
                    let percent = attributes.text(b"StyleID").is_some_and(|id| self.percents.contains(&id));
                    next = column.saturating_add(across).saturating_add(1);
                    let merge = merge(self.number, column, across.saturating_add(1), down.saturating_add(1));
                    if let Some(merge) = merge.filter(|_| self.merges.len() < MOST_RANGES) {
                        self.merges.push(merge);
                    }
                    row.formulas += u32::from(formula);
                    if empty || column >= MOST_COLUMNS {
                        if formula && column < MOST_COLUMNS {
                            row.uncomputed.push(column);
                        }
                        continue;
                    }
                    self.cell(row, text, column, percent)?;
                }
                Token::Close { name: b"Row" } => return Ok(()),
                Token::End => return Err(ReadError::damaged(&"a row does not end")),
                _ => {}
            }
            if text.len() - begin > MOST_TEXT {
                return Err(too_long());
            }
        }
    }

    /// Reads a cell to its end. Notes on it are no text.
    fn cell(
        &mut self,
        row: &mut Row,
        text: &mut String,
        column: u32,
        percent: bool,
    ) -> Result<(), ReadError> {
        let (start, mut inside, mut kind) = (text.len(), false, Kind::Text);
        loop {
            match self.scanner.next()? {
                Token::Open { name: b"Data", attributes, empty } if !inside => {
                    kind = Kind::of(attributes.get(b"Type").unwrap_or_default());
                    inside = !empty;
                }
                Token::Open { name: b"Comment", empty: false, .. } => self.pass_comment()?,
                Token::Close { name: b"Data" } => inside = false,
                Token::Text(raw) if inside => unescape(text, raw),
                Token::Literal(raw) if inside => text.push_str(&String::from_utf8_lossy(raw)),
                Token::Close { name: b"Cell" } => break,
                Token::End => return Err(ReadError::damaged(&"a cell does not end")),
                _ => {}
            }
            if text.len() - start > MOST_TEXT {
                return Err(too_long());
            }
        }
        let raw = text.get(start..).unwrap_or_default().to_owned();
        if raw.trim().is_empty() {
            text.truncate(start);
            return Ok(());
        }
        match kind {
            Kind::Text | Kind::Error => {}
            Kind::Number => {
                text.truncate(start);
                number::write(text, raw.trim(), if percent { Shown::Percent } else { Shown::Plain }, false);
            }
            Kind::Date => {
                text.truncate(start);
                let whole = raw.trim().trim_end_matches(".000");
                text.push_str(&whole.replace("T00:00:00", "").replacen('T', " ", 1));
            }
            Kind::Flag => {
                text.truncate(start);
                text.push_str(if raw.trim() == "1" { "true" } else { "false" });
            }
        }
        let place = (column, Span::new(start, text.len()));
        if kind == Kind::Error {
            row.errors.push(place)
        } else {
            row.cells.push(place)
        }
        Ok(())
    }

    fn pass_comment(&mut self) -> Result<(), ReadError> {
        loop {
            match self.scanner.next()? {
                Token::Close { name: b"Comment" } => return Ok(()),
                Token::End => return Err(ReadError::damaged(&"a comment does not end")),
                _ => {}
            }
        }
    }
}

/// Index, span and whether it is hidden, of the tag of a column.
fn column_of(attributes: Attributes<'_>) -> (Option<u32>, u32, bool) {
    (attributes.number(b"Index"), attributes.number(b"Span").unwrap_or(0), attributes.flag(b"Hidden"))
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Date,
    Flag,
    Error,
}

impl Kind {
    fn of(word: &[u8]) -> Self {
        match word {
            b"Number" => Self::Number,
            b"DateTime" => Self::Date,
            b"Boolean" => Self::Flag,
            b"Error" => Self::Error,
            _ => Self::Text,
        }
    }
}
