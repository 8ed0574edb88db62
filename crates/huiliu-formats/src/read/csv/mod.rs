//! CSV files: text cut by a delimiter.
//!
//! [`CsvSource::open`] tells encoding and dialect from the file's beginning and gives its first rows for the search
//! of the header; [`CsvSource::fill`] then hands out the rows behind it, block by block. The buffer
//! holds one block and the row at its end, never the file.

mod dialect;
mod lex;
mod outline;
#[cfg(test)]
mod pollution;
#[cfg(test)]
mod real;
#[cfg(test)]
mod recovery;
mod repair;
mod shape;
mod sniff;
mod source;
mod split;
mod table;

pub(super) use self::source::TableSource;

use std::fs::File;

use huiliu_stage::{Finding, Severity, Text, cell_address, row_id};

use self::split::{Dialect, split};
use super::chunk::Chunk;
use super::error::ReadError;
use super::header::{Grid, SEARCH_ROWS};
use super::options::ReadOptions;
use super::text::{Charset, TextReader};

/// Widest row of the sample.
const SAMPLE_WIDTH: usize = 1024;

/// An open CSV file.
pub(super) struct CsvSource {
    reader: TextReader,
    dialect: Dialect,
    /// Number of the next row.
    number: u32,
    longest_row: usize,
    /// Text of a block that was not all UTF-8.
    mended: String,
}

impl CsvSource {
    /// Opens the file for reading from its start, and gives its first rows.
    pub(super) fn open(
        file: File,
        charset: Charset,
        options: &ReadOptions,
    ) -> Result<(Self, Grid), ReadError> {
        let mut reader = TextReader::new(file, charset);
        while !reader.is_over() && reader.unread().len() < 64 << 10 {
            reader.more().map_err(|e| ReadError::io(&e))?;
        }
        let mut number = 1;
        if let Some(length) = separator_line(reader.unread()) {
            reader.advance(length);
            number = 2;
        }
        let mut dialect = dialect::guess(reader.unread(), reader.is_over());
        if let Some(delimiter) = &options.format.delimiter {
            dialect.delimiter = match delimiter.as_bytes() {
                [byte] if byte.is_ascii() => *byte,
                _ => {
                    return Err(ReadError::new(
                        format!("分隔符“{delimiter}”不可用"),
                        format!("the delimiter `{delimiter}` is not an ASCII character"),
                    ));
                }
            };
        }
        let longest_row = options.limits.max_row_bytes;
        let mut source = Self { reader, dialect, number, longest_row, mended: String::new() };
        let mut grid = source.first_rows();
        // A first row longer than what was read so far.
        while grid.is_empty() && !source.reader.is_over() {
            source.read_on()?;
            grid = source.first_rows();
        }
        Ok((source, grid))
    }

    /// Reads another block, unless a row is longer than any row should be.
    fn read_on(&mut self) -> Result<(), ReadError> {
        if self.reader.unread().len() > self.longest_row {
            return Err(ReadError::too_large("单行长度", "a row's length", self.longest_row as u64));
        }
        self.reader.more().map_err(|e| ReadError::io(&e))
    }

    /// The delimiter.
    pub(super) fn delimiter(&self) -> char {
        char::from(self.dialect.delimiter)
    }

    /// Bytes read so far.
    pub(super) fn done(&self) -> u64 {
        self.reader.done()
    }

    fn first_rows(&self) -> Grid {
        let mut chunk = Chunk::default();
        chunk.clear(SAMPLE_WIDTH);
        let text = String::from_utf8_lossy(self.reader.unread());
        let most = SEARCH_ROWS + 3;
        split(self.dialect, text.as_bytes(), self.reader.is_over(), most, self.number, &mut chunk);
        let view = chunk.view(&text);
        let trimmed = |row: usize| {
            let mut cells: Vec<String> = view.row(row).map(str::to_owned).collect();
            let width = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |at| at + 1);
            cells.truncate(width);
            cells
        };
        chunk.numbers.iter().enumerate().map(|(row, &number)| (number, trimmed(row))).collect()
    }

    /// Passes over the rows up to and including number `last`.
    pub(super) fn skip_to(&mut self, last: u32) -> Result<(), ReadError> {
        let mut chunk = Chunk::default();
        while self.number <= last {
            chunk.clear(1);
            let over = self.reader.is_over();
            let progress = split(self.dialect, self.reader.unread(), over, 1, self.number, &mut chunk);
            self.reader.advance(progress.consumed);
            self.number += progress.lines;
            if progress.lines == 0 {
                if over {
                    break;
                }
                self.read_on()?;
            }
        }
        Ok(())
    }

    /// Fills the (cleared) chunk with at most `most` rows and gives their text; `None` at the end.
    pub(super) fn fill(&mut self, chunk: &mut Chunk, most: usize) -> Result<Option<&str>, ReadError> {
        let width = chunk.width;
        let progress = loop {
            let over = self.reader.is_over();
            let progress = split(self.dialect, self.reader.unread(), over, most, self.number, chunk);
            if progress.consumed > 0 {
                break progress;
            }
            if over {
                return Ok(None);
            }
            chunk.clear(width);
            self.read_on()?;
        };
        let first = self.number;
        self.number = self.number.saturating_add(progress.lines);
        self.reader.advance(progress.consumed);
        let decoded_badly = self.reader.was_damaged();
        match simdutf8::basic::from_utf8(self.reader.taken(progress.consumed)) {
            Ok(text) => {
                if decoded_badly {
                    tell_damage(chunk, text);
                }
                Ok(Some(text))
            }
            Err(_) => {
                self.mended = String::from_utf8_lossy(self.reader.taken(progress.consumed)).into_owned();
                chunk.clear(width);
                split(self.dialect, self.mended.as_bytes(), true, most, first, chunk);
                tell_damage(chunk, &self.mended);
                Ok(Some(&self.mended))
            }
        }
    }
}

/// A first line `sep=;` as spreadsheets write it. The delimiter it names shows in the other lines as well.
fn separator_line(bytes: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b'\n', &bytes[..bytes.len().min(16)])?;
    let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    (line.len() == 5 && line[..4].eq_ignore_ascii_case(b"sep=")).then_some(end + 1)
}

/// Reports the cells that hold the mark of bytes that could not be decoded.
fn tell_damage(chunk: &mut Chunk, text: &str) {
    let view = chunk.view(text);
    let mut found = Vec::new();
    for (row, &number) in chunk.numbers.iter().enumerate() {
        for (column, cell) in view.row(row).enumerate().filter(|(_, cell)| cell.contains('\u{fffd}')) {
            let address = cell_address(column, number);
            let text = Text::new(
                format!("{address} 含有无法解码的文字；请把文件另存为 UTF-8 编码后重新上传"),
                format!("{address} holds bytes that are no text; save the file in UTF-8 and send it again"),
            );
            found.push(
                Finding::new(Some(row_id(0, number)), Severity::Error, "encoding", text).with_raw(cell),
            );
        }
    }
    chunk.findings.extend(found);
}
