//! A text file as one clean table: the reader for files that the fast splitter alone would not do justice to.
//!
//! [`TableSource::open`] looks at the first megabyte and plans ([`Plan`]); [`TableSource::fill`] hands out row after row,
//! each repaired where it has to be and each repair a finding. The text held is the sample at first, then
//! what one row may need.

use std::borrow::Cow;
use std::fs::File;

use huiliu_stage::Finding;

use super::hollow::Hollow;
use super::lex;
use super::proof::is_pair;
use super::put_row;
use super::rewrite::Rewrite;
use super::sniff::Known;
use super::table::{LONGEST_CELL, Plan, Row};
use super::tell::{no_rows, outside, paired, repaired, tell_damage, tell_nuls, tell_repairs, tell_swallowed};
use crate::read::chunk::Chunk;
use crate::read::error::ReadError;
use crate::read::header::{Grid, SEARCH_ROWS};
use crate::read::options::ReadOptions;
use crate::read::text::{Charset, TextReader};

/// Text that is looked at before the first row is read.
const SAMPLE: usize = 1 << 20;
/// Most text of one chunk.
const MOST_TEXT: usize = 4 << 20;

/// An open text file that is read as a table.
pub(in crate::read) struct TableSource {
    reader: TextReader,
    plan: Plan,
    /// How the lines must be written anew before they are read, and the text for which that is still to be done.
    rewrite: Option<Rewrite>,
    unwritten: String,
    text: String,
    at: usize,
    /// Where the table ends in the text, once that is near.
    end: Option<usize>,
    /// Number of the next row.
    number: u32,
    header: Vec<Vec<String>>,
    header_rows: Vec<u32>,
    findings: Vec<Finding>,
    repaired: u64,
    damaged: bool,
    /// No row was handed out so far.
    hollow: bool,
    /// The header is found by the names of a record schema, and not by what the rows look like.
    searched: bool,
    /// Rows of delimiters alone that may be the table's last.
    held: Hollow,
}

impl TableSource {
    fn new(file: File, charset: Charset) -> Self {
        Self {
            reader: TextReader::new(file, charset),
            plan: Plan::new("", &Known::default(), None, true),
            rewrite: None,
            unwritten: String::new(),
            text: String::new(),
            at: 0,
            end: None,
            number: 1,
            header: Vec::new(),
            header_rows: Vec::new(),
            findings: Vec::new(),
            repaired: 0,
            damaged: false,
            hollow: true,
            searched: false,
            held: Hollow::default(),
        }
    }

    /// Opens a file from its start.
    pub(in crate::read) fn open(
        file: File,
        charset: Charset,
        options: &ReadOptions,
    ) -> Result<Self, ReadError> {
        let mut source = Self::new(file, charset);
        source.look(options)?;
        let outline = &mut source.plan.outline;
        source.end = outline.end.map(|end| end + source.at);
        let start = outline.start + source.at;
        source.skip_lines(start);
        let told = source.plan.outline.clone();
        source.tell_outline(&told.before, true);
        source.tell_outline(&told.behind, false);
        while source.header.len() < told.header {
            let number = source.number;
            let Some(row) = source.next_row(true)? else { break };
            if !row.blank {
                source.tell_repairs(&row, number, true);
                source.header.push(row.cells);
                source.header_rows.push(number);
            }
        }
        Ok(source)
    }

    /// Opens a file whose header is to be searched for in its first rows, which are given as well.
    pub(in crate::read) fn open_for_search(
        file: File,
        charset: Charset,
        options: &ReadOptions,
    ) -> Result<(Self, Grid), ReadError> {
        let mut source = Self { searched: true, ..Self::new(file, charset) };
        source.look(options)?;
        source.plan.outline.end = None;
        let (mut grid, mut at, mut number) = (Grid::new(), source.at, source.number);
        while grid.len() < SEARCH_ROWS + 3 && at < source.text.len() {
            let record = lex::record(&source.text, at, &source.plan.form, usize::MAX);
            if record.open.is_some() && !source.reader.is_over() && source.plan.goes_on(&source.text, at) {
                break;
            }
            if !record.is_blank() {
                let width =
                    record.cells.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |at| at + 1);
                let cells = record.cells.iter().take(width);
                grid.push((number, cells.map(|cell| cell.text.to_string()).collect()));
            }
            (at, number) = (record.next.max(at + 1), number + 1);
        }
        Ok((source, grid))
    }

    /// Works out how the file is written.
    fn look(&mut self, options: &ReadOptions) -> Result<(), ReadError> {
        self.read_up_to(SAMPLE)?;
        (self.at, self.number) = self.start_of_text(options)?;
        if self.at > 0 && self.at >= self.text.len() {
            return Err(ReadError::empty());
        }
        let whole = self.reader.is_over();
        let known = known(options);
        let header = options.format.header_rows.map(|rows| rows as usize);
        let mut plan = Plan::new(&self.text[self.at..], &known, header, whole);
        if let Some(rewrite) = Rewrite::needed(&self.text[self.at..], &plan, &known, whole) {
            self.unwritten = self.text.split_off(self.at);
            self.findings.push(rewrite.told());
            let known = rewrite.known(&known);
            self.rewrite = Some(rewrite);
            self.write_anew();
            plan = Plan::new(&self.text[self.at..], &known, header, whole);
        }
        if options.format.delimiter.is_none() && is_pair(&plan.form.delimiter) {
            self.findings.push(paired());
        }
        self.plan = plan.with_rows_up_to(options.limits.max_row_bytes);
        Ok(())
    }

    /// Where the text begins that is to be looked at, and the number of its first line.
    fn start_of_text(&mut self, options: &ReadOptions) -> Result<(usize, u32), ReadError> {
        let skip = options.format.skip;
        let mut start = super::start_of_text(self.text.as_bytes(), skip);
        while start.is_none() && !self.reader.is_over() {
            if self.text.len() > options.limits.max_row_bytes {
                return Err(super::too_much_skipped(options));
            }
            self.read_up_to(2 * self.text.len().max(SAMPLE))?;
            start = super::start_of_text(self.text.as_bytes(), skip);
        }
        Ok(start.unwrap_or((self.text.len(), skip.saturating_add(1))))
    }

    /// Moves the unwritten lines to the text as they are to be read.
    fn write_anew(&mut self) {
        if let Some(rewrite) = &self.rewrite {
            let used = rewrite.write(&self.unwritten, self.reader.is_over(), &mut self.text);
            self.unwritten.drain(..used);
        }
    }

    /// Passes over the rows up to and including number `last`.
    pub(in crate::read) fn skip_to(&mut self, last: u32) {
        while self.number <= last && self.at < self.text.len() {
            let next = lex::record(&self.text, self.at, &self.plan.form, LONGEST_CELL).next;
            self.at = next.max(self.at + 1);
            self.number += 1;
        }
    }

    /// The header as sent: no row, one or several.
    pub(in crate::read) fn header(&self) -> &[Vec<String>] {
        &self.header
    }

    /// Numbers of the header's rows.
    pub(in crate::read) fn header_rows(&self) -> &[u32] {
        &self.header_rows
    }

    /// Cells per row.
    pub(in crate::read) fn width(&self) -> usize {
        self.plan.outline.width
    }

    /// What stands between two cells, before and behind a cell, and before a character that means itself.
    pub(in crate::read) fn dialect(&self) -> (&str, Option<char>, Option<char>) {
        self.plan.form.told()
    }

    /// What ends a row, if only one text does.
    pub(in crate::read) fn line_end(&self) -> Option<&str> {
        self.plan.form.newline.as_deref()
    }

    /// Rows repaired so far.
    pub(in crate::read) fn repaired(&self) -> u64 {
        self.repaired
    }

    /// Bytes read so far.
    pub(in crate::read) fn done(&self) -> u64 {
        self.reader.done()
    }

    /// Fills the (cleared) chunk with at most `most` rows; `false` at the end. All texts stand aside.
    pub(in crate::read) fn fill(&mut self, chunk: &mut Chunk, most: usize) -> Result<bool, ReadError> {
        let mut blank_only = true;
        self.plan.widen(chunk.width);
        while chunk.numbers.len() < most && chunk.side.len() < MOST_TEXT {
            let number = self.number;
            let Some(row) = self.next_row(false)? else {
                if let Some(last) = self.held.end(&mut self.findings) {
                    (blank_only, self.hollow) = (false, false);
                    put_row(chunk, &self.held.row(), last);
                }
                if std::mem::take(&mut self.hollow) {
                    self.findings.push(no_rows());
                }
                break;
            };
            blank_only = false;
            self.tell_repairs(&row, number, false);
            if row.blank {
                continue;
            }
            if !self.searched && Hollow::is(&row) {
                self.held.hold(number);
                continue;
            }
            self.hollow = false;
            for number in self.held.release(&mut self.findings) {
                put_row(chunk, &self.held.row(), number);
            }
            if self.at >= self.text.len() && self.reader.is_over() && !self.text.ends_with(['\n', '\r']) {
                self.findings.extend(self.plan.cut_off(&row.cells, number));
            }
            put_row(chunk, &row, number);
        }
        chunk.findings.append(&mut self.findings);
        if self.damaged {
            tell_damage(chunk, "");
        }
        tell_nuls(chunk, "");
        tell_swallowed(chunk, "", &self.plan.form.delimiter);
        Ok(!blank_only || !chunk.findings.is_empty())
    }

    fn next_row(&mut self, header: bool) -> Result<Option<Row>, ReadError> {
        if self.end.is_none() && self.text.len() - self.at < 2 * LONGEST_CELL && !self.reader.is_over() {
            self.text.drain(..self.at);
            self.at = 0;
            self.read_up_to(SAMPLE)?;
        }
        if self.at >= self.end.unwrap_or(self.text.len()) {
            return Ok(None);
        }
        let mut row = self.row_here(header);
        while !row.blank && !row.repairs.is_empty() && self.end.is_none() && !self.reader.is_over() {
            let there = self.text.len() - self.at;
            if !self.plan.goes_on(&self.text, self.at) {
                break;
            } else if there > self.plan.longest_cell() {
                if self.plan.outline.width > 1 {
                    return Err(ReadError::too_large(
                        "单行长度",
                        "a row's length",
                        self.plan.longest_cell() as u64,
                    ));
                }
                break;
            }
            // A cell longer than the text that is there.
            self.text.drain(..self.at);
            self.at = 0;
            self.read_up_to(2 * self.text.len().max(SAMPLE))?;
            row = self.row_here(header);
        }
        let lines = row.next > self.at;
        self.number = self.number.saturating_add(u32::from(lines));
        let from = std::mem::replace(&mut self.at, row.next);
        if !row.repairs.is_empty() {
            self.repaired += 1;
            self.findings.push(repaired(self.text.get(from..row.end).unwrap_or_default()));
        }
        Ok(Some(row))
    }

    fn row_here(&mut self, header: bool) -> Row {
        let end = self.end.unwrap_or(self.text.len());
        match self.searched {
            true => self.plan.ragged_row(&self.text[..end], self.at),
            false => self.plan.row(&self.text[..end], self.at, header),
        }
    }

    fn read_up_to(&mut self, length: usize) -> Result<(), ReadError> {
        while self.text.len() < length && !self.reader.is_over() {
            self.reader.more().map_err(|e| ReadError::io(&e))?;
            let unread = self.reader.unread();
            let taken = match simdutf8::compat::from_utf8(unread) {
                Err(error) if error.error_len().is_none() && !self.reader.is_over() => error.valid_up_to(),
                _ => unread.len(),
            };
            let text = match simdutf8::basic::from_utf8(&unread[..taken]) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => String::from_utf8_lossy(&unread[..taken]),
            };
            self.damaged |= matches!(text, Cow::Owned(_));
            match self.rewrite {
                None => self.text.push_str(&text),
                Some(_) => self.unwritten.push_str(&text),
            }
            self.reader.advance(taken);
            self.damaged |= self.reader.was_damaged();
            self.write_anew();
        }
        Ok(())
    }

    /// Goes on to the place `to`, counting rows on the way.
    fn skip_lines(&mut self, to: usize) {
        while self.at < to {
            self.at = lex::record(&self.text, self.at, &self.plan.form, LONGEST_CELL).next.max(self.at + 1);
            self.number = self.number.saturating_add(1);
        }
    }

    fn tell_outline(&mut self, rows: &[String], before: bool) {
        self.findings.extend(outside(rows, before));
    }

    /// Completes the finding that [`next_row`](Self::next_row) began.
    fn tell_repairs(&mut self, row: &Row, number: u32, header: bool) {
        if !row.repairs.is_empty()
            && let Some(finding) = self.findings.last_mut()
        {
            tell_repairs(finding, row, number, header);
        }
    }
}

pub(super) fn known(options: &ReadOptions) -> Known {
    let format = &options.format;
    let byte = |text: &String| text.bytes().next().filter(u8::is_ascii);
    Known {
        delimiter: format.delimiter.clone(),
        quote: format.quote.as_ref().map(byte),
        escape: format.escape.as_ref().map(byte),
        newline: format.newline.clone().filter(|newline| !newline.is_empty()),
        comment: format.comment.clone().filter(|comment| !comment.is_empty()),
    }
}
