//! Text files: encoding and dialect, and the header of their one table.

use std::fs::File;
use std::io::Seek;

use super::Plan;
use super::tell::{form, guessed, is_too_wide, mixed, unusual_line_end};
use crate::read::csv::{CsvSource, TableSource};
use crate::read::error::ReadError;
use crate::read::header::Layout;
use crate::read::merged::Merged;
use crate::read::text::{Charset, Told, encoding_of, other_lines};
use crate::read::{Reading, Source, kind, raw};

impl Plan<'_> {
    /// A file of text that is cut into cells.
    pub(super) fn text(&mut self, mut file: File) -> Result<Reading, ReadError> {
        let told = encoding_of(&mut file, self.options)?;
        self.expect_text(&told)?;
        let most = self.options.limits.max_columns;
        if is_too_wide(&told.sample, most) {
            return Err(ReadError::too_large("列数", "the number of columns", most as u64));
        }
        file.rewind().map_err(|e| ReadError::io(&e))?;
        self.take_encoding(&told);
        let names = vec![String::new()];
        if self.known.is_none() && self.options.format.header_row.is_none() {
            return self.table(TableSource::open(file, told.charset, self.options)?, names);
        }
        let again = file.try_clone().map_err(|e| ReadError::io(&e))?;
        let (source, grid) = match CsvSource::open(file, told.charset, self.options)? {
            Some((source, grid)) => (Source::Csv(Box::new(source)), grid),
            None => {
                (&again).rewind().map_err(|e| ReadError::io(&e))?;
                let (source, grid) = TableSource::open_for_search(again, told.charset, self.options)?;
                (Source::Table(Box::new(source)), grid)
            }
        };
        if grid.is_empty() {
            return Err(ReadError::empty());
        }
        if self.is_form(&grid) {
            let text = form("");
            return Err(ReadError::new(text.zh, text.en));
        }
        let found = self.find_header(String::new(), 0, &grid, &Merged::default());
        let rows = self.sheets.first().map(|sheet| sheet.layout.header_rows.as_slice()).unwrap_or_default();
        let cut = match &source {
            Source::Csv(source) => Some(source.dialect()),
            Source::Table(source) => Some(source.dialect()),
            _ => None,
        };
        if let Some(cut) = cut {
            let (cut, dialect) = ((cut.0.to_owned(), cut.1, cut.2), raw::dialect(cut, rows));
            self.tell_dialect(cut, dialect);
        }
        if let Source::Table(source) = &source {
            self.tell_line_end(source.line_end());
        }
        if !found {
            let delimiter = self.report.delimiter.as_deref().unwrap_or_default();
            return Err(self.no_header().read_as(&self.report.encoding, delimiter));
        }
        self.reading(source, names)
    }

    /// Refuses what is no text.
    pub(super) fn expect_text(&self, told: &Told) -> Result<(), ReadError> {
        match kind::is_binary(&told.sample, told.charset, self.options.format.kind.is_some()) {
            false => Ok(()),
            true if kind::ends_in_zeros(&told.sample, told.charset) => Err(ReadError::unfilled()),
            true => Err(ReadError::wrong_type("无法识别的文件", "a file of no known kind")),
        }
    }

    /// Says in which encoding the file is read.
    pub(super) fn take_encoding(&mut self, told: &Told) {
        self.report.encoding = told.charset.name();
        self.report.encoding_by = told.how.as_str().to_owned();
        if told.is_wild_guess() {
            self.general.push(guessed(&told.charset.name()));
        }
        if let Charset::Mixed(_) = told.charset {
            self.general.push(mixed(&told.charset.name(), other_lines(&told.sample)));
        }
    }

    fn tell_dialect(&mut self, form: (String, Option<char>, Option<char>), words: String) {
        let (delimiter, quote, escape) = form;
        self.report.delimiter = Some(delimiter);
        (self.report.quote, self.report.escape, self.report.dialect) = (quote, escape, words);
        self.tell_left_out();
    }

    /// Says which lines were left out because the options say so.
    fn tell_left_out(&mut self) {
        let format = &self.options.format;
        match format.skip {
            0 => {}
            1 => self.report.dialect.push_str(", first line skipped"),
            lines => self.report.dialect.push_str(&format!(", first {lines} lines skipped")),
        }
        if let Some(comment) = format.comment.as_deref().filter(|comment| !comment.is_empty()) {
            self.report.dialect.push_str(&format!(", comments '{comment}'"));
        }
    }

    /// Says what ends the rows where that is neither of the usual line ends.
    fn tell_line_end(&mut self, line_end: Option<&str>) {
        let Some(line_end) = line_end.filter(|end| !["\n", "\r", "\r\n"].contains(end)) else { return };
        let name = raw::name_of_line_end(line_end);
        self.report.dialect.push_str(&format!(", line end {name}"));
        if self.options.format.newline.is_none() {
            self.general.push(unusual_line_end(&name));
        }
    }

    /// A text table without a record schema: what its header says, if it has one, names the columns.
    fn table(&mut self, source: TableSource, names: Vec<String>) -> Result<Reading, ReadError> {
        let headers = raw::headers(source.header(), source.width());
        if source.width() == 0 {
            return Err(ReadError::empty());
        }
        let (delimiter, quote, escape) = source.dialect();
        let dialect = raw::dialect(source.dialect(), source.header_rows());
        self.tell_dialect((delimiter.to_owned(), quote, escape), dialect);
        self.tell_line_end(source.line_end());
        self.known = Some(raw::as_written(&headers));
        let layout = Layout::plain(source.header_rows().to_vec(), &headers);
        self.add_sheet(String::new(), 0, layout, None);
        let header = Some(source.header().to_vec());
        Ok(Reading { header, ..self.reading(Source::Table(Box::new(source)), names)? })
    }
}
