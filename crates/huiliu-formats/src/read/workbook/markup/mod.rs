//! Tables written in tags: web pages that systems export under the name `.xls`, the XML of Excel 2003, and OpenDocument in
//! one piece (`.fods`).
//!
//! All are texts in any encoding, so they are read through a [`TextReader`]; all are read as streams, from the start
//! again for each table. [`html`] forgives what browsers forgive, the others are proper XML.

mod html;
mod lex;
mod sheetml;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Seek;

use huiliu_stage::{Finding, Severity, Text};

use self::html::HtmlStream;
use self::sheetml::SheetmlStream;
use super::merges::Merge;
use super::ods::{self, OdsStream};
use super::sheet::Row;
use super::xml::{Scanner, Token};
use crate::read::error::ReadError;
use crate::read::kind::Markup;
use crate::read::text::{Charset, TextReader};

/// Most columns of a table.
const MOST_COLUMNS: u32 = 16_384;
/// Most merged and hidden ranges that are kept.
const MOST_RANGES: usize = 1 << 16;
/// Longest text of a row.
const MOST_TEXT: usize = 16 << 20;
/// Most tables or sheets.
const MOST_TABLES: usize = 4096;

/// A file of tables in tags.
pub(in crate::read) struct Tagged {
    file: File,
    charset: Charset,
    markup: Markup,
    sheets: Vec<(String, bool)>,
    /// Cells of each table that hold something.
    cells: Vec<u64>,
    stream: Option<Stream>,
    /// Columns of days of an OpenDocument sheet.
    dates: Vec<u32>,
    /// What its repeated rows may give.
    most: (u64, u64),
}

enum Stream {
    Html(Box<HtmlStream>),
    Sheetml(Box<SheetmlStream>),
    Flat(Box<OdsStream<TextReader>>),
}

impl Tagged {
    /// Looks through a file for its tables.
    ///
    /// # Errors
    /// It holds none, or breaks off.
    pub(super) fn open(file: File, charset: Charset, markup: Markup) -> Result<Self, ReadError> {
        let (sheets, cells) = (Vec::new(), Vec::new());
        let mut tagged = Self {
            file,
            charset,
            markup,
            sheets,
            cells,
            stream: None,
            dates: Vec::new(),
            most: (u64::MAX, u64::MAX),
        };
        let reader = tagged.reader()?;
        match markup {
            Markup::Html => {
                let tables = html::survey(reader)?;
                tagged.cells = tables.iter().map(|table| table.cells).collect();
                tagged.sheets = html::names(&tables);
            }
            Markup::Spreadsheet => tagged.sheets = sheetml::sheets(reader)?,
            Markup::Flat => {
                prove(reader)?;
                tagged.sheets = ods::sheets(tagged.reader()?)?;
            }
        }
        match tagged.sheets.iter().any(|(_, shown)| *shown) {
            true => Ok(tagged),
            false => {
                Err(ReadError::wrong_type("没有表格的网页（HTML）", "a web page (HTML) without a table"))
            }
        }
    }

    pub(super) fn format(&self) -> &'static str {
        match self.markup {
            Markup::Html => "html",
            Markup::Spreadsheet => "xml-spreadsheet",
            Markup::Flat => "fods",
        }
    }

    /// Says which columns hold days; see [`XlsxSource::expect_dates`](super::XlsxSource::expect_dates).
    pub(super) fn expect_dates(&mut self, columns: Vec<u32>) {
        self.dates = columns;
    }

    /// Says how many cells and bytes of text an OpenDocument sheet may give.
    pub(super) fn bound_repeats(&mut self, most: (u64, u64)) {
        self.most = most;
    }

    pub(super) fn sheets(&self) -> &[(String, bool)] {
        &self.sheets
    }

    /// Of a web page's tables the one that holds most, for whoever can read only one.
    pub(super) fn largest(&self) -> Option<&str> {
        let shown = (0..self.sheets.len()).filter(|&at| self.sheets.get(at).is_some_and(|(_, shown)| *shown));
        let largest = shown.rev().max_by_key(|&at| self.cells.get(at).copied())?;
        self.sheets.get(largest).map(|(name, _)| name.as_str()).filter(|_| !self.cells.is_empty())
    }

    /// Begins a table.
    pub(super) fn start(&mut self, sheet: &str) -> Result<(), ReadError> {
        self.stream = None;
        let Some(ordinal) = self.sheets.iter().position(|(name, _)| name == sheet) else { return Ok(()) };
        let reader = self.reader()?;
        self.stream = Some(match self.markup {
            Markup::Html => Stream::Html(Box::new(HtmlStream::open(reader, ordinal)?)),
            Markup::Spreadsheet => Stream::Sheetml(Box::new(SheetmlStream::open(reader, ordinal)?)),
            Markup::Flat => {
                let mut stream = OdsStream::open(reader, ordinal)?;
                stream.expect_dates(&self.dates);
                stream.most = self.most;
                Stream::Flat(Box::new(stream))
            }
        });
        Ok(())
    }

    /// The next row that holds something, its texts added to `text`; `false` behind the last one.
    pub(super) fn next_row(&mut self, row: &mut Row, text: &mut String) -> Result<bool, ReadError> {
        match &mut self.stream {
            Some(Stream::Html(stream)) => stream.next_row(row, text),
            Some(Stream::Sheetml(stream)) => stream.next_row(row, text),
            Some(Stream::Flat(stream)) => stream.next_row(row, text),
            None => Ok(false),
        }
    }

    /// Hidden columns of the table that was begun, as far as it was read.
    pub(super) fn hidden_columns(&self) -> &[(u32, u32)] {
        match &self.stream {
            Some(Stream::Sheetml(stream)) => &stream.hidden_columns,
            Some(Stream::Flat(stream)) => &stream.hidden_columns,
            _ => &[],
        }
    }

    /// What is to be said of the table that was read to its end. A page is forgiven that it is cut off, but not silently.
    pub(super) fn said(&self) -> Option<Finding> {
        let cut = matches!(&self.stream, Some(Stream::Html(stream)) if stream.cut);
        let text = Text::new(
            "网页中的表格没有结尾，文件可能没有导出或复制完；已读取的行照常处理，请核对行数，必要时重新导出后上传",
            "the page ends within its table, perhaps it was not written to its end; the rows that are there were read, count them and export it anew if some are missing",
        );
        cut.then(|| Finding::new(None, Severity::Warning, "V26", text))
    }

    /// The merged ranges of a table. Costs a look through all of it.
    pub(super) fn merges(&mut self, sheet: &str) -> Result<Vec<Merge>, ReadError> {
        self.start(sheet)?;
        let (mut row, mut text) = (Row::default(), String::new());
        if let Some(Stream::Flat(stream)) = &mut self.stream {
            stream.pass()?;
        }
        while self.next_row(&mut row, &mut text)? {
            text.clear();
        }
        Ok(match self.stream.take() {
            Some(Stream::Html(stream)) => stream.merges,
            Some(Stream::Sheetml(stream)) => stream.merges,
            Some(Stream::Flat(stream)) => stream.merges,
            None => Vec::new(),
        })
    }

    /// The file from its start. Only one reader at a time, since all share a place in the file.
    fn reader(&mut self) -> Result<TextReader, ReadError> {
        self.file.rewind().map_err(|e| ReadError::io(&e))?;
        Ok(TextReader::new(self.file.try_clone().map_err(|e| ReadError::io(&e))?, self.charset))
    }
}

/// Looks whether all elements end; in a package the sum of the part's bytes would tell.
fn prove(reader: TextReader) -> Result<(), ReadError> {
    let (mut scanner, mut depth) = (Scanner::new(reader), 0_i64);
    loop {
        match scanner.next()? {
            Token::Open { empty, .. } => depth += i64::from(!empty),
            Token::Close { .. } => depth -= 1,
            Token::End if depth > 0 => return Err(ReadError::damaged(&"its end is missing")),
            Token::End => return Ok(()),
            _ => {}
        }
    }
}

fn too_long() -> ReadError {
    ReadError::too_large("一行的文字量（字节）", "the texts of a row in bytes", MOST_TEXT as u64)
}

/// The range that begins at a cell and spans so many columns and rows; `None` for a single cell.
fn merge(row: u32, column: u32, columns: u32, rows: u32) -> Option<Merge> {
    (columns > 1 || rows > 1).then(|| Merge {
        first_row: row,
        last_row: row.saturating_add(rows.max(1) - 1),
        first_column: column,
        last_column: column.saturating_add(columns.max(1) - 1),
    })
}
