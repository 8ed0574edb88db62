//! Workbooks: sheets of cells, row by row.
//!
//! Office Open XML is read here, as a stream: `parts` finds the sheets in a checked
//! [`Package`](super::package::Package), `strings` and `styles` hold what all sheets share, `sheet` gives one row after
//! the other. Workbooks of the old format are read in `xls`, OpenDocument in `ods`, tables in tags in `markup`, binary ones by
//! calamine behind `xlsb`. Of a sheet nothing is held but the rows of one chunk.
//!
//! A merged range has its value in its first cell only; whether it holds for the others is for whoever knows the
//! table ([`XlsxSource::merges`]). Hidden rows and columns are told, and read like all others unless the caller wants them
//! left out.

mod compound;
#[cfg(test)]
mod fuzz;
mod markup;
mod merges;
mod number;
mod ods;
mod parts;
mod sections;
mod sheet;
mod shown;
mod strings;
mod styles;
#[cfg(test)]
mod tests;
mod told;
mod xls;
mod xlsb;
pub(super) mod xml;

use std::collections::BTreeMap;
use std::fs::File;

use self::markup::Tagged;
pub(super) use self::merges::Merge;
use self::ods::OdsStream;
use self::parts::Parts;
use self::sheet::{Row, Shared, SheetStream};
use self::strings::Strings;
use self::styles::Styles;
use self::told::Told;
use self::xls::Xls;
pub(super) use self::xlsb::Bare;
use self::xlsb::Binary;
use super::chunk::{Chunk, Span};
use super::error::ReadError;
use super::header::{Grid, SEARCH_ROWS};
use super::kind::{self, Markup};
use super::options::{Hidden, Limits, ReadOptions};
use super::package::{Entry, Package};
use super::text::{self, Charset};

/// The part of an OpenDocument file that holds its tables.
const CONTENT: &str = "content.xml";
/// Bytes of text after which a chunk is full, however few its rows are.
const CHUNK_TEXT: usize = 16 << 20;
/// Bytes of text that the cells of any sheet may give, however small its file.
const SMALL_SPREAD: u64 = 256 << 20;
/// Longest text of a row; places in a chunk's text are 31 bits wide.
const MOST_TEXT: usize = 64 << 20;

/// A row's number, its cells by column, and the text in which they stand.
pub(super) type ShownRow<'a> = (u32, &'a [(u32, Span)], &'a str);

/// An open workbook and the sheet that is being read.
pub(super) struct XlsxSource {
    book: Book,
    limits: Limits,
    /// Name, visible.
    sheets: Vec<(String, bool)>,
    text: String,
    /// Number of the first row that is data.
    first: u32,
    row: Row,
    /// The row was read and belongs to the next chunk.
    waiting: bool,
    told: Told,
    cells: usize,
    /// Bytes of text that the sheet's cells gave; a text that is shared by many counts for each.
    spread: u64,
    over: bool,
    hidden: Hidden,
    /// Columns of days of an OpenDocument sheet, whose date system stands before its rows.
    dates: Vec<u32>,
}

enum Book {
    Own { package: Package, parts: Parts, shared: Box<Shared>, stream: Option<Box<SheetStream<Entry>>> },
    Ods { package: Package, stream: Option<Box<OdsStream<Entry>>>, sheets: Vec<(String, bool)> },
    Xls(Box<Xls>),
    Xlsb(Box<Binary>),
    Tagged(Box<Tagged>),
}

impl XlsxSource {
    /// Opens a workbook whose container promises to stay within the limits.
    pub(super) fn open(file: File, limits: &Limits) -> Result<Self, ReadError> {
        let length = file.metadata().map_err(|e| ReadError::io(&e))?.len();
        Ok(Self::opened(file, limits)?.of_length(length))
    }

    fn opened(file: File, limits: &Limits) -> Result<Self, ReadError> {
        if let Some(old) = xls::recognize(&file, limits)? {
            return Ok(Self::of(Book::Xls(Box::new(old)), limits));
        }
        let package = Package::open(file.try_clone().map_err(|e| ReadError::io(&e))?, limits)?;
        let book = match xlsb::recognize(&file, &package)? {
            Some(binary) => Book::Xlsb(Box::new(binary)),
            None => Self::own(package, limits)?,
        };
        Ok(Self::of(book, limits))
    }

    /// Opens a workbook of any kind whose first bytes are `head`; of one in tags it tells the encoding as well.
    pub(super) fn open_any(
        mut file: File,
        head: &[u8],
        options: &ReadOptions,
    ) -> Result<(Self, Option<text::Told>), ReadError> {
        let Some(markup) = kind::markup(head) else {
            return Ok((Self::open(file, &options.limits)?, None));
        };
        let told = text::encoding_of_markup(&mut file, options)?;
        let source = Self::open_tagged(file, told.charset, markup, &options.limits)?;
        Ok((source, Some(told)))
    }

    /// Opens a table in tags, in the encoding that it was found to have.
    fn open_tagged(file: File, charset: Charset, markup: Markup, limits: &Limits) -> Result<Self, ReadError> {
        let length = file.metadata().map_err(|e| ReadError::io(&e))?.len();
        let book = Book::Tagged(Box::new(Tagged::open(file, charset, markup)?));
        Ok(Self::of(book, limits).of_length(length))
    }

    /// Bounds what cells that share or repeat a text may give by the length of the file, as unpacking is.
    fn of_length(mut self, length: u64) -> Self {
        let most = SMALL_SPREAD.max(length.saturating_mul(self.limits.max_ratio));
        self.limits.max_unpacked_bytes = self.limits.max_unpacked_bytes.min(most);
        self.bound_repeats();
        self
    }

    /// Tells the stream of an OpenDocument sheet how much its repeated rows may give.
    fn bound_repeats(&mut self) {
        let most = (self.limits.max_sheet_cells as u64, self.limits.max_unpacked_bytes);
        match &mut self.book {
            Book::Ods { stream: Some(stream), .. } => stream.most = most,
            Book::Tagged(tagged) => tagged.bound_repeats(most),
            _ => {}
        }
    }

    fn of(book: Book, limits: &Limits) -> Self {
        let sheets = match &book {
            Book::Own { parts, .. } => parts.sheets.iter().map(|s| (s.name.clone(), s.visible)).collect(),
            Book::Ods { sheets, .. } => sheets.clone(),
            Book::Xls(old) => old.sheets(),
            Book::Xlsb(binary) => binary.sheets(),
            Book::Tagged(tagged) => tagged.sheets().to_vec(),
        };
        Self {
            book,
            limits: limits.clone(),
            sheets,
            text: String::new(),
            first: 1,
            row: Row::default(),
            waiting: false,
            told: Told::default(),
            cells: 0,
            spread: 0,
            over: true,
            hidden: Hidden::Read,
            dates: Vec::new(),
        }
    }

    /// Says what becomes of hidden rows and columns; without it they are read.
    pub(super) fn with_hidden(self, hidden: Hidden) -> Self {
        Self { hidden, ..self }
    }

    fn own(package: Package, limits: &Limits) -> Result<Book, ReadError> {
        if package.find("xl/workbook.xml").is_none() && package.find("_rels/.rels").is_none() {
            ods::check(&package)?;
            if let Some(part) = package.entry(CONTENT)? {
                let sheets = ods::sheets(part)?;
                return match sheets.is_empty() {
                    true => Err(ReadError::wrong_type(
                        "OpenDocument 文件（无工作表）",
                        "an OpenDocument file without sheets",
                    )),
                    false => Ok(Book::Ods { package, stream: None, sheets }),
                };
            }
        }
        let parts = Parts::find(&package)?;
        let mut shared = Shared {
            date1904: parts.date1904,
            most_text: limits.max_row_bytes.min(MOST_TEXT),
            ..Shared::default()
        };
        if let Some(part) = parts.strings.as_deref().map(|name| package.entry(name)).transpose()?.flatten() {
            shared.strings = Strings::read(part)?;
        }
        if let Some(part) = parts.styles.as_deref().map(|name| package.entry(name)).transpose()?.flatten() {
            shared.styles = Styles::read(part)?;
        }
        Ok(Book::Own { package, parts, shared: Box::new(shared), stream: None })
    }

    /// The word for the kind of workbook in reports.
    pub(super) fn format(&self) -> &'static str {
        match &self.book {
            Book::Own { .. } => "xlsx",
            Book::Ods { .. } => "ods",
            Book::Xls(_) => "xls",
            Book::Xlsb(_) => "xlsb",
            Book::Tagged(tagged) => tagged.format(),
        }
    }

    /// Of the tables of a web page the one that holds most; `None` for what has sheets.
    pub(super) fn largest(&self) -> Option<&str> {
        match &self.book {
            Book::Tagged(tagged) => tagged.largest(),
            _ => None,
        }
    }

    /// Whether a sheet that is not visible was hidden by somebody. A web page hides none: there it is layout.
    pub(super) fn hides_sheets(&self) -> bool {
        self.format() != "html"
    }

    /// Names of all sheets in their order, and whether each is a visible sheet of cells.
    pub(super) fn sheets(&self) -> &[(String, bool)] {
        &self.sheets
    }

    /// Numbers whose formats the file hides, by column, in the sheet that was last looked at. `None` if it hides none.
    pub(super) fn bare(&self) -> Option<&BTreeMap<u32, Bare>> {
        match &self.book {
            Book::Xlsb(binary) => Some(binary.bare()),
            _ => None,
        }
    }

    /// The first rows of a sheet, for the search of its header.
    pub(super) fn first_rows(&mut self, sheet: &str) -> Result<Grid, ReadError> {
        let mut grid = Grid::new();
        let most_columns = self.limits.max_columns;
        self.start(sheet)?;
        let (mut row, mut text) = (Row::default(), String::new());
        let skip = self.hidden == Hidden::Skip;
        while grid.len() < SEARCH_ROWS + 3 && self.book.next_row(&mut row, &mut text)? {
            let mut cells: Vec<String> = Vec::new();
            let hidden = if skip { self.book.hidden_columns() } else { &[] };
            let kept =
                |column: &u32| (*column as usize) < most_columns && told::range_of(hidden, *column).is_none();
            if skip && row.hidden {
                continue;
            }
            for &(column, span) in row.cells.iter().filter(|(column, _)| kept(column)) {
                cells.resize(column as usize, String::new());
                cells.push(span.of(&text).to_owned());
            }
            if !cells.is_empty() && grid.last().is_none_or(|(number, _)| *number < row.number) {
                grid.push((row.number, cells));
            }
            text.clear();
        }
        Ok(grid)
    }

    /// Says which columns hold days. There a number without a format counts days as the workbook does; in one that
    /// counts from 1900 the reader of dates knows that anyway.
    pub(super) fn expect_dates(&mut self, columns: Vec<u32>) {
        match &mut self.book {
            Book::Own { shared, .. } => shared.dates = if shared.date1904 { columns } else { Vec::new() },
            Book::Xls(old) => old.expect_dates(columns),
            Book::Ods { .. } => self.dates = columns,
            Book::Tagged(tagged) => tagged.expect_dates(columns),
            Book::Xlsb(_) => {}
        }
    }

    /// Takes in a sheet from row `first` on.
    pub(super) fn load(&mut self, sheet: &str, first: u32) -> Result<(), ReadError> {
        self.start(sheet)?;
        (self.first, self.waiting, self.over) = (first, false, false);
        (self.cells, self.spread) = (0, 0);
        self.text.clear();
        let untold = matches!(&self.book, Book::Xlsb(_));
        self.told = Told::new(sheet, self.hidden, untold);
        Ok(())
    }

    /// Fills the (cleared) chunk with at most `most` rows and gives their text; `None` at the sheet's end.
    pub(super) fn fill(&mut self, chunk: &mut Chunk, most: usize) -> Result<Option<&str>, ReadError> {
        if !self.waiting {
            self.text.clear();
        }
        while !self.over && chunk.rows() < most && self.text.len() < CHUNK_TEXT {
            let before = self.text.len();
            if !std::mem::take(&mut self.waiting) && !self.book.next_row(&mut self.row, &mut self.text)? {
                self.over = true;
                if let Book::Tagged(tagged) = &self.book {
                    chunk.findings.extend(tagged.said());
                }
                self.told.finish(chunk);
                break;
            }
            self.count_text(before)?;
            if self.row.number < self.first {
                continue;
            }
            if chunk.numbers.last().is_some_and(|last| self.row.number <= *last) {
                // Rows of a chunk are in order; one that stands elsewhere begins the next.
                self.waiting = true;
                break;
            }
            self.take_row(chunk)?;
        }
        let some = chunk.rows() > 0 || !chunk.findings.is_empty();
        Ok(some.then_some(&self.text))
    }

    /// The next row of the sheet that was [loaded](Self::load), for those who only copy it: its number, its cells that are
    /// not empty, and the text in which they stand.
    pub(super) fn next_row(&mut self) -> Result<Option<ShownRow<'_>>, ReadError> {
        self.text.clear();
        if self.over || !self.book.next_row(&mut self.row, &mut self.text)? {
            self.over = true;
            return Ok(None);
        }
        self.count_text(0)?;
        self.row.cells.append(&mut self.row.errors);
        self.count_cells()?;
        Ok(Some((self.row.number, &self.row.cells, &self.text)))
    }

    /// Holds the texts that the sheet has given, of which `before` bytes were counted, against the limit.
    fn count_text(&mut self, before: usize) -> Result<(), ReadError> {
        self.spread += (self.text.len() - before) as u64;
        let limit = self.limits.max_unpacked_bytes;
        match self.spread > limit {
            true => {
                Err(ReadError::too_large("工作表的文字量（字节）", "the texts of a sheet in bytes", limit))
            }
            false => Ok(()),
        }
    }

    /// Holds the cells that the sheet has given against the limit.
    fn count_cells(&mut self) -> Result<(), ReadError> {
        self.cells += self.row.cells.len();
        let limit = self.limits.max_sheet_cells;
        match self.cells > limit {
            true => {
                Err(ReadError::too_large("工作表的单元格数", "the number of cells of a sheet", limit as u64))
            }
            false => Ok(()),
        }
    }

    fn take_row(&mut self, chunk: &mut Chunk) -> Result<(), ReadError> {
        self.told.columns(self.book.hidden_columns());
        let hidden = self.told.row(&self.row)?;
        if self.hidden == Hidden::Skip {
            if hidden {
                return Ok(());
            }
            let hidden = self.book.hidden_columns();
            self.row.cells.retain(|(column, _)| told::range_of(hidden, *column).is_none());
            self.row.errors.retain(|(column, _)| told::range_of(hidden, *column).is_none());
        }
        if self.row.cells.is_empty() && self.row.errors.is_empty() {
            return Ok(());
        }
        self.count_cells()?;
        let row = &self.row;
        let start = chunk.cells.len();
        chunk.cells.resize(start + chunk.width, Span::default());
        for &(column, span) in &row.cells {
            match chunk.cells.get_mut(start + column as usize) {
                Some(cell) if (column as usize) < chunk.width => *cell = span,
                _ => chunk.surplus.push((row.number, column, span)),
            }
        }
        chunk.broken.extend(row.errors.iter().map(|&(column, span)| (row.number, column, span)));
        chunk.numbers.push(row.number);
        Ok(())
    }

    /// The merged ranges of a sheet. Costs a look through the whole sheet.
    pub(super) fn merges(&mut self, sheet: &str) -> Result<Vec<Merge>, ReadError> {
        match &mut self.book {
            Book::Own { package, parts, .. } => match part_of(package, parts, sheet)? {
                Some(entry) => merges::merges(entry),
                None => Ok(Vec::new()),
            },
            Book::Ods { package, sheets, .. } => {
                let Some(mut stream) = ods_stream(package, sheets, sheet)? else { return Ok(Vec::new()) };
                stream.pass()?;
                Ok(stream.merges)
            }
            Book::Xls(old) => old.merges(sheet),
            Book::Xlsb(_) => Ok(Vec::new()),
            Book::Tagged(tagged) => tagged.merges(sheet),
        }
    }

    /// The merged ranges of the sheet whose rows were all read; costs no look through it.
    pub(super) fn merges_behind(&mut self, sheet: &str) -> Result<Vec<Merge>, ReadError> {
        match &mut self.book {
            Book::Own { stream, .. } => stream.as_mut().map_or(Ok(Vec::new()), |s| s.merges_behind()),
            Book::Ods { stream, .. } => Ok(stream.as_mut().map_or_else(Vec::new, |s| s.merges.clone())),
            Book::Xls(_) | Book::Xlsb(_) | Book::Tagged(_) => self.merges(sheet),
        }
    }

    /// Begins a sheet.
    fn start(&mut self, sheet: &str) -> Result<(), ReadError> {
        match &mut self.book {
            Book::Own { package, parts, stream, .. } => {
                let entry = part_of(package, parts, sheet)?;
                *stream = entry.map(SheetStream::open).transpose()?.map(Box::new);
                Ok(())
            }
            Book::Ods { package, stream, sheets } => {
                *stream = ods_stream(package, sheets, sheet)?.map(Box::new);
                stream.iter_mut().for_each(|stream| stream.expect_dates(&self.dates));
                self.bound_repeats();
                Ok(())
            }
            Book::Xls(old) => old.start(sheet),
            Book::Xlsb(binary) => binary.start(sheet, self.limits.max_sheet_cells),
            Book::Tagged(tagged) => tagged.start(sheet),
        }
    }
}

impl Book {
    /// Hidden columns of the sheet that is being read: first and last of each range. An OpenDocument sheet knows them
    /// from its first row on; `.xlsb` does not say.
    fn hidden_columns(&self) -> &[(u32, u32)] {
        match self {
            Self::Own { stream: Some(stream), .. } => &stream.hidden_columns,
            Self::Ods { stream: Some(stream), .. } => &stream.hidden_columns,
            Self::Tagged(tagged) => tagged.hidden_columns(),
            Self::Xls(old) => old.hidden_columns(),
            Self::Own { stream: None, .. } | Self::Ods { stream: None, .. } | Self::Xlsb(_) => &[],
        }
    }

    fn next_row(&mut self, row: &mut Row, text: &mut String) -> Result<bool, ReadError> {
        match self {
            Self::Own { shared, stream: Some(stream), .. } => stream.next_row(shared, row, text),
            Self::Ods { stream: Some(stream), .. } => stream.next_row(row, text),
            Self::Own { stream: None, .. } | Self::Ods { stream: None, .. } => Ok(false),
            Self::Xls(old) => old.next_row(row, text),
            Self::Xlsb(binary) => Ok(binary.next_row(row, text)),
            Self::Tagged(tagged) => tagged.next_row(row, text),
        }
    }
}

/// A sheet's part; `None` for a sheet of no cells, such as a chart.
fn part_of(package: &Package, parts: &Parts, sheet: &str) -> Result<Option<Entry>, ReadError> {
    let found = parts.sheets.iter().find(|part| part.name == sheet);
    match found.and_then(|sheet| sheet.part.as_deref()) {
        Some(part) => package.entry(part),
        None => Ok(None),
    }
}

fn ods_stream(
    package: &Package,
    sheets: &[(String, bool)],
    sheet: &str,
) -> Result<Option<OdsStream<Entry>>, ReadError> {
    let Some(ordinal) = sheets.iter().position(|(name, _)| name == sheet) else { return Ok(None) };
    package.entry(CONTENT)?.map(|part| OdsStream::open(part, ordinal)).transpose()
}
