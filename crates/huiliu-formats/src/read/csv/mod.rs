//! CSV files: text cut by a delimiter.
//!
//! [`CsvSource::open`] tells encoding and dialect from the file's beginning and gives its first rows for the search
//! of the header; [`CsvSource::fill`] then hands out the rows behind it, block by block. The buffer
//! holds one block and the row at its end, never the file.

#[cfg(test)]
mod clean_tests;
#[cfg(test)]
mod dialect_tests;
#[cfg(test)]
mod dialects;
mod doubt;
mod hollow;
mod lex;
mod long;
#[cfg(test)]
mod long_tests;
mod misfit;
mod outline;
#[cfg(test)]
mod pollution;
mod proof;
#[cfg(test)]
mod real;
#[cfg(test)]
mod recovery;
mod repair;
mod rewrite;
mod rownames;
#[cfg(test)]
mod schema_tests;
mod shape;
#[cfg(test)]
mod short_tests;
mod sniff;
mod source;
mod split;
#[cfg(test)]
mod stated_tests;
mod table;
mod tell;

pub(super) use self::source::TableSource;

use std::fs::File;

use self::misfit::{EVIDENCE, Stopped, mended, tell};
use self::rewrite::Rewrite;
use self::shape::Profile;
use self::split::{Dialect, Progress, Range, split};
use self::table::{Plan, Row};
use self::tell::{ends_early, tell_damage, tell_nuls, tell_stray, tell_swallowed};
use super::chunk::{Chunk, Span};
use super::error::ReadError;
use super::header::{Grid, SEARCH_ROWS};
use super::options::ReadOptions;
use super::text::{Charset, Home, TextReader};
use crate::ending::is_footer;

/// Widest row of the sample.
const SAMPLE_WIDTH: usize = 1024;

/// An open CSV file.
pub(super) struct CsvSource {
    reader: TextReader,
    dialect: Dialect,
    /// How the text is written, and what its columns hold: for rows that are not well formed.
    plan: Plan,
    /// Number of the next row.
    number: u32,
    longest_row: usize,
    /// Text of a block that was not all UTF-8.
    mended: String,
    repaired: u64,
}

impl CsvSource {
    /// Opens the file for reading from its start, and gives its first rows; `None` if it is written in a way that only
    /// a [`TableSource`] reads.
    pub(super) fn open(
        file: File,
        charset: Charset,
        options: &ReadOptions,
    ) -> Result<Option<(Self, Grid)>, ReadError> {
        let mut reader = TextReader::new(file, charset);
        while !reader.is_over() && reader.unread().len() < 64 << 10 {
            reader.more().map_err(|e| ReadError::io(&e))?;
        }
        let mut start = start_of_text(reader.unread(), options.format.skip);
        while start.is_none() && !reader.is_over() {
            if reader.unread().len() > options.limits.max_row_bytes {
                return Err(too_much_skipped(options));
            }
            reader.more().map_err(|e| ReadError::io(&e))?;
            start = start_of_text(reader.unread(), options.format.skip);
        }
        let (length, number) =
            start.unwrap_or((reader.unread().len(), options.format.skip.saturating_add(1)));
        reader.advance(length);
        let whole = reader.is_over();
        let longest_row = options.limits.max_row_bytes;
        let sample = String::from_utf8_lossy(reader.unread());
        let known = source::known(options);
        let plan = Plan::new(&sample, &known, None, whole).with_rows_up_to(longest_row);
        if Rewrite::needed(&sample, &plan, &known, whole).is_some() {
            return Ok(None);
        }
        let Some(dialect) = plain_dialect(&plan, reader.unread(), longest_row) else { return Ok(None) };
        let mut source =
            Self { reader, dialect, plan, number, longest_row, mended: String::new(), repaired: 0 };
        let mut grid = source.first_rows();
        // A first row longer than what was read so far.
        while grid.is_empty() && !source.reader.is_over() {
            source.read_on()?;
            grid = source.first_rows();
        }
        Ok(Some((source, grid)))
    }

    /// Reads another block, unless a row is longer than any row should be.
    fn read_on(&mut self) -> Result<(), ReadError> {
        if self.reader.unread().len() > self.longest_row {
            return Err(ReadError::too_large("单行长度", "a row's length", self.longest_row as u64));
        }
        self.reader.more().map_err(|e| ReadError::io(&e))
    }

    /// What stands between two cells, before and behind a cell, and before a character that means itself.
    pub(super) fn dialect(&self) -> (&str, Option<char>, Option<char>) {
        self.plan.form.told()
    }

    /// Goes on in the buffers of a thread.
    pub(super) fn settle(&mut self, home: &mut Home) {
        self.reader.settle(home);
    }

    /// Leaves these buffers for another thread's.
    pub(super) fn leave(&mut self, home: &mut Home) {
        self.reader.leave(home);
    }

    /// Rows repaired so far.
    pub(super) fn repaired(&self) -> u64 {
        self.repaired
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
        let (over, all) = (self.reader.is_over(), Range::default());
        split(self.dialect, text.as_bytes(), all, over, most, self.number, &mut chunk);
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
            let text = self.reader.unread();
            let progress = split(self.dialect, text, Range::default(), over, 1, self.number, &mut chunk);
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
            let progress = self.split_block(over, most, chunk);
            if progress.consumed > 0 {
                break progress;
            }
            if over {
                return Ok(None);
            }
            chunk.clear(width);
            self.read_on()?;
        };
        if self.reader.is_over() && progress.consumed == self.reader.unread().len() {
            self.tell_cut_off(chunk);
        }
        tell_stray(chunk);
        let first = self.number;
        self.number = self.number.saturating_add(progress.lines);
        self.reader.advance(progress.consumed);
        let decoded_badly = self.reader.was_damaged();
        match simdutf8::basic::from_utf8(self.reader.taken(progress.consumed)) {
            Ok(text) => {
                if decoded_badly {
                    tell_damage(chunk, text);
                }
                tell_nuls(chunk, text);
                if memchr::memchr_iter(b'\n', text.as_bytes()).count() > progress.lines as usize {
                    tell_swallowed(chunk, text, &self.plan.form.delimiter);
                }
                Ok(Some(text))
            }
            Err(_) => {
                self.mended = String::from_utf8_lossy(self.reader.taken(progress.consumed)).into_owned();
                chunk.clear(width);
                split(self.dialect, self.mended.as_bytes(), Range::default(), true, most, first, chunk);
                tell_damage(chunk, &self.mended);
                tell_nuls(chunk, &self.mended);
                tell_swallowed(chunk, &self.mended, &self.plan.form.delimiter);
                Ok(Some(&self.mended))
            }
        }
    }
}

impl CsvSource {
    /// Tells of the chunk's last row, the last one of the file, if that seems to be cut.
    fn tell_cut_off(&self, chunk: &mut Chunk) {
        let text = std::str::from_utf8(self.reader.unread()).unwrap_or_default();
        let (Some(row), false) = (chunk.rows().checked_sub(1), text.ends_with(['\n', '\r'])) else { return };
        let number = chunk.numbers[row];
        // A row that ends early where no other does.
        let short = matches!(chunk.odd[..], [(odd, cells)] if odd == number && (cells as usize) < chunk.width && cells > 1);
        let first = chunk.view(text).get(row, 0);
        if short && self.plan.is_even() && !(first.trim().is_empty() || is_footer(first)) {
            chunk.odd.clear();
            chunk.findings.push(ends_early(number));
            return;
        }
        let cells: Vec<&str> = chunk.view(text).row(row).collect();
        chunk.findings.extend(self.plan.cut_off(&cells, number));
    }
}

impl CsvSource {
    /// Splits the unread text; rows whose cells are not the table's go through repair.
    fn split_block(&mut self, over: bool, most: usize, chunk: &mut Chunk) -> Progress {
        // A header that knows more columns than the table has cells says nothing of where cells belong.
        let seen = self.plan.outline.columns.first().map_or(0, Profile::rows);
        let stops = self.plan.outline.width >= chunk.width && chunk.width > 1 && seen > 0;
        let thin = seen < EVIDENCE;
        let mut range = Range { from: 0, stop_from: stops.then_some(0) };
        let mut lines = 0;
        loop {
            let text = self.reader.unread();
            let progress = split(self.dialect, text, range, over, most, self.number + lines, chunk);
            lines += progress.lines;
            let at = progress.consumed;
            if !progress.stopped {
                return Progress { lines, ..progress };
            }
            match mended(&mut self.plan, text, at, over, thin) {
                Stopped::Cut => return Progress { lines, ..progress },
                Stopped::Left => range = Range { from: at, stop_from: Some(at + 1) },
                Stopped::Unsure(row) => {
                    tell(chunk, text, at, &row, self.number + lines, thin);
                    range = Range { from: at, stop_from: Some(at + 1) };
                }
                Stopped::Mended(row) => {
                    let number = self.number + lines;
                    tell(chunk, text, at, &row, number, thin);
                    put_row(chunk, &row, number);
                    self.repaired += 1;
                    lines += 1;
                    range = Range { from: at + row.next, stop_from: Some(at + row.next) };
                    if chunk.numbers.len() >= most {
                        return Progress { consumed: range.from, lines, stopped: false };
                    }
                }
            }
        }
    }
}

fn put_row(chunk: &mut Chunk, row: &Row, number: u32) {
    let before = chunk.numbers.len() * chunk.width;
    for (column, cell) in row.cells.iter().enumerate() {
        let span = chunk.aside(cell);
        if column < chunk.width {
            chunk.cells.push(span);
        } else if !cell.is_empty() {
            chunk.surplus.push((number, column as u32, span));
        }
    }
    chunk.cells.resize(before + chunk.width, Span::default());
    chunk.numbers.push(number);
}

/// The dialect as the fast splitter knows it, if it does.
fn plain_dialect(plan: &Plan, sample: &[u8], longest_row: usize) -> Option<Dialect> {
    let width = plan.outline.width;
    // Where rows have several cells one that is too long is refused, not read as thousands of rows.
    let longest = if width > 1 { usize::MAX } else { long::longest_cell(width, longest_row) };
    let newline = match plan.form.newline.as_deref() {
        None if !sample.contains(&b'\n') && sample.contains(&b'\r') => b'\r',
        None | Some("\n") => b'\n',
        Some("\r") => b'\r',
        Some(_) => return None,
    };
    match *plan.form.delimiter.as_bytes() {
        _ if plan.form.comment.is_some() => None,
        [delimiter] if plan.form.quote == Some(b'"') && plan.form.escape.is_none() => {
            Some(Dialect { delimiter, newline, width, longest })
        }
        _ => None,
    }
}

/// Where the text begins that is to be looked at, and the number of its first line: behind `skip` lines, or behind one that
/// only names the delimiter. `None` if so many lines are not there.
fn start_of_text(bytes: &[u8], skip: u32) -> Option<(usize, u32)> {
    if skip == 0 {
        return Some(separator_line(bytes).map_or((0, 1), |length| (length, 2)));
    }
    let mut at = 0;
    for _ in 0..skip {
        let end = at + memchr::memchr2(b'\n', b'\r', &bytes[at..])?;
        // The other half of a line end may not be there yet.
        let next = *bytes.get(end + 1)?;
        at = end + if bytes[end] == b'\r' && next == b'\n' { 2 } else { 1 };
    }
    Some((at, skip.saturating_add(1)))
}

/// What is passed over unseen is held until its end is found.
fn too_much_skipped(options: &ReadOptions) -> ReadError {
    let limit = options.limits.max_row_bytes as u64;
    ReadError::too_large("开头跳过的各行的长度", "the length of the lines that are skipped", limit)
}

/// A first line `sep=;` as spreadsheets write it. The delimiter it names shows in the other lines as well.
fn separator_line(bytes: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b'\n', &bytes[..bytes.len().min(16)])?;
    let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    (line.len() == 5 && line[..4].eq_ignore_ascii_case(b"sep=")).then_some(end + 1)
}
