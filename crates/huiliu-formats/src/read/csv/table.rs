//! Reading a text as one clean table, row by row.
//!
//! [`Plan`] holds what the sample told: form, outline, columns. [`Plan::row`] reads the next row from any part of
//! the text: by the book where that gives the table's width without anything odd, else by [`repair`](super::repair).

use std::borrow::Cow;

use huiliu_stage::Finding;

use super::doubt::{cut_otherwise, is_cut_off, is_doubtful};
use super::lex::{self, Cell, Form, Record};
use super::long;
use super::outline::{Outline, is_rule, last_remark, outline};
use super::proof::proven;
use super::repair::{Effort, Mended, Repair, header_and_row, mend};
use super::rownames::lacks_name_of_rows;
use super::shape::{Profile, kind};
use super::sniff::{Known, sniff};
use super::tell::cut_off;

/// Longest quoted cell that is read without a second look.
pub(super) const LONGEST_CELL: usize = 256 << 10;
/// Least length at which a quoted cell is given up after others were never closed.
const LEAST_PATIENCE: usize = 4 << 10;

/// Longest row, if the caller says nothing else.
const LONGEST_ROW: usize = 16 << 20;
/// Quotes that were never closed, one after the other, before no end is looked for far away.
const FAR_LOOKS: u8 = 16;

/// How a text is read.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) form: Form,
    pub(super) outline: Outline,
    /// How far the end of a quoted cell is looked for.
    patience: usize,
    /// Longest row, and how often the end of a cell may still be looked for so far away.
    longest_row: usize,
    far_looks: u8,
    /// Lines that begin with `#` may be remarks: one before the table does, or the header.
    remarks: bool,
    /// What repairs may still cost: a file of nothing but damage must end as well.
    pub(super) effort: Effort,
}

/// A row of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) repairs: Vec<Repair>,
    /// Where its text ends, and where the next row begins.
    pub(super) end: usize,
    pub(super) next: usize,
    pub(super) blank: bool,
}

impl Plan {
    /// Works out how to read a text from its sample; `whole` says that there is no more of it.
    pub(super) fn new(sample: &str, known: &Known, header: Option<usize>, whole: bool) -> Self {
        // Signs of remarks that the caller names are passed over everywhere.
        let (front, sample) = match known.comment {
            None => sample.split_at(last_remark(sample)),
            Some(_) => ("", sample),
        };
        let form = proven(sample, sniff(sample, known, whole), known, whole);
        let outline = outline(sample, &form, header, whole);
        let named =
            outline.header > 0 && sample.get(outline.start..).is_some_and(|header| header.starts_with("# "));
        let outline = outline.behind(front);
        let remarks = named || outline.before.iter().any(|line| line.starts_with('#'));
        Self {
            form,
            outline,
            remarks,
            patience: LONGEST_CELL,
            longest_row: LONGEST_ROW,
            far_looks: FAR_LOOKS,
            effort: Effort::default(),
        }
    }

    /// Rows may have so many bytes.
    pub(super) fn with_rows_up_to(self, longest_row: usize) -> Self {
        Self { longest_row, ..self }
    }

    /// Whether the row at `from` has a cell in quotes that goes on behind the text.
    pub(super) fn goes_on(&self, text: &str, from: usize) -> bool {
        self.far_looks > 0 && long::goes_on(text, from, &self.form, self.outline.width)
    }

    /// How long a quoted cell may be.
    pub(super) fn longest_cell(&self) -> usize {
        long::longest_cell(self.outline.width, self.longest_row)
    }

    /// The record at `from` by the book; a quoted cell may be as long as a row, unless it is rows of the table.
    fn record<'a>(&mut self, text: &'a str, from: usize) -> Record<'a> {
        let mut record = lex::record(text, from, &self.form, self.patience);
        if record.open.is_some() && self.far_looks > 0 {
            let far = lex::record(text, from, &self.form, self.longest_cell());
            match far.open {
                Some(_) => self.far_looks -= 1,
                None => (record, self.far_looks) = (far, FAR_LOOKS),
            }
        }
        match long::swallowed(&record, &self.form, self.outline.width) {
            Some(length) => lex::record(text, from, &self.form, length),
            None => record,
        }
    }

    /// Reads the row at `from`; the text must reach [`LONGEST_CELL`] beyond it or to the end of the file.
    pub(super) fn row(&mut self, text: &str, from: usize, is_header: bool) -> Row {
        let width = self.outline.width;
        if let Some(row) = self.remark(text, from).filter(|_| !is_header) {
            return row;
        }
        if let Some(row) = self.in_other_quotes(text, from, is_header) {
            return row;
        }
        let (mut record, mut repairs) = self.spaced(text, from);
        self.drop_surplus(&mut record);
        if record.is_blank() {
            return Row { end: record.end, next: record.next, blank: true, ..Row::default() };
        }
        if let Some(row) = self.unwrapped(&record).filter(|row| is_header || self.is_pasted(&record, row)) {
            self.effort.earn(record.next - from);
            return row;
        }
        if is_header {
            self.mend_header(&mut record, &mut repairs);
        }
        let sound = record.cells.len() == width && !record.odd;
        if sound && !self.other_quotes(&record) && !self.is_torn(text, &record) {
            self.patience = LONGEST_CELL;
            self.effort.earn(record.next - from);
            let line = text.get(from..record.end).unwrap_or_default();
            return self.sound(line, record, repairs, is_header);
        }
        if record.odd {
            // Unclosed quotes everywhere must not make every row look through all of the text.
            self.patience = (self.patience / 2).max(LEAST_PATIENCE);
        }
        self.mended((text, from), record.cells.len(), is_header)
    }

    /// The record at `from`, cut at the delimiter with a blank behind it where that gives the width as well.
    fn spaced<'t>(&mut self, text: &'t str, from: usize) -> (Record<'t>, Vec<Repair>) {
        let (record, width) = (self.record(text, from), self.outline.width);
        if record.cells.len() == width && self.is_spaced(&record) {
            let delimiter = format!("{} ", self.form.delimiter);
            let other = lex::record(text, from, &Form { delimiter, ..self.form.clone() }, self.patience);
            if other.cells.len() == width && !other.odd {
                return (other, vec![Repair::OtherDelimiter]);
            }
        }
        (record, Vec::new())
    }

    /// Takes the empty cells off a row that all rows have behind their last one.
    fn drop_surplus(&self, record: &mut Record<'_>) {
        let (width, surplus) = (self.outline.width, self.outline.surplus);
        let empty = |cell: &Cell<'_>| cell.text.is_empty() && !cell.quoted;
        let all = surplus > 0 && record.cells.len() == width + surplus;
        if all && !record.odd && record.cells[width..].iter().all(empty) {
            record.cells.truncate(width);
        }
    }

    /// Takes the sign of a remark off a header, and gives it the name that its first column lacks.
    fn mend_header(&self, record: &mut Record<'_>, repairs: &mut Vec<Repair>) {
        if is_marked(record, self.outline.width) {
            record.cells.remove(0);
            *repairs = vec![Repair::Remark];
        }
        if lacks_name_of_rows(record, &self.form, &self.outline.columns) {
            record.cells.insert(0, Cell { text: Cow::Borrowed(""), quoted: false });
            *repairs = vec![Repair::Missing];
        }
    }

    /// A row of the table's width; where its cells are not at home it is cut otherwise, or told.
    fn sound(&self, line: &str, record: Record<'_>, mut repairs: Vec<Repair>, is_header: bool) -> Row {
        let (end, next) = (record.end, record.next);
        let columns = &self.outline.columns;
        if !is_header && repairs.is_empty() && is_doubtful(line, &record, &self.form, columns) {
            match cut_otherwise(line, &record, &self.form, columns) {
                Some(cells) => {
                    return Row { cells, repairs: vec![Repair::OtherDelimiter], end, next, blank: false };
                }
                None => repairs.push(Repair::Kept),
            }
        }
        let cells = record.cells.into_iter().map(|cell| cell.text.into_owned()).collect();
        Row { cells, repairs, end, next, blank: false }
    }

    /// A row of another width, or with quotes that do not pair, which was cut into so many cells.
    fn mended(&mut self, (text, from): (&str, usize), cells: usize, is_header: bool) -> Row {
        let names: Vec<Profile> = match is_header {
            true => self.outline.columns.iter().map(|of| of.for_name(&self.outline.columns)).collect(),
            false => Vec::new(),
        };
        let own = &self.outline.columns;
        let glued = match is_header && cells + 1 >= 2 * self.outline.width {
            true => header_and_row(text, from, &self.form, (&names, own), &mut self.effort),
            false => None,
        };
        let columns = if is_header { &names } else { own };
        let ragged = self.outline.ragged && !is_header;
        let Mended { cells, end, next, repairs, .. } =
            glued.unwrap_or_else(|| mend((text, from), &self.form, (columns, ragged), &mut self.effort));
        Row { cells, repairs, end, next: next.max(from + 1), blank: false }
    }

    /// The line at `from`, if it is a remark like those before the table, or like the header, and not as wide as a row; or
    /// the one of strokes below the header.
    fn remark(&self, text: &str, from: usize) -> Option<Row> {
        let first = text.as_bytes().get(from)?;
        let ruled = self.outline.ruled && *first == b'-';
        if !(ruled || self.remarks && *first == b'#') {
            return None;
        }
        let (end, next) = lex::line(text, from, &self.form);
        let (line, width) = (text.get(from..end)?, self.outline.width);
        let remark = match ruled {
            true => is_rule(line, &self.form.delimiter, width),
            false => line.matches(&self.form.delimiter).count() + 1 != width,
        };
        let repairs = vec![Repair::Remark];
        (remark && next > from).then(|| Row { repairs, end, next, blank: true, ..Row::default() })
    }

    /// The row within a record that is a single quoted cell, if it is one by the book: some programs quote whole lines,
    /// and spreadsheets do when all of a row was pasted into its first cell.
    fn unwrapped(&self, record: &Record<'_>) -> Option<Row> {
        let (first, others) = record.cells.split_first()?;
        let alone =
            first.quoted && !record.odd && others.iter().all(|cell| !cell.quoted && cell.text.is_empty());
        if !alone || self.outline.width < 2 || !first.text.contains(&self.form.delimiter) {
            return None;
        }
        let inner = lex::record(&first.text, 0, &self.form, self.patience);
        let whole = inner.cells.len() == self.outline.width && !inner.odd && inner.next >= first.text.len();
        // A cell of two columns may hold one delimiter as well, and nothing stand beside it.
        let sure = self.outline.width > 2 || others.is_empty();
        (whole && sure && inner.filled() > 1).then(|| Row {
            cells: inner.cells.into_iter().map(|cell| cell.text.into_owned()).collect(),
            repairs: vec![Repair::Unwrapped],
            end: record.end,
            next: record.next,
            blank: false,
        })
    }

    /// Whether the cells within the first one of a record are at home in the table rather than that cell as it stands, with
    /// empty ones beside it: a place and its country have commas as well.
    fn is_pasted(&self, record: &Record<'_>, row: &Row) -> bool {
        let columns = &self.outline.columns;
        if record.cells.len() != columns.len() {
            return true;
        }
        let within: f64 = row.cells.iter().zip(columns).map(|(cell, column)| column.cost(cell)).sum();
        let outside: f64 =
            record.cells.iter().zip(columns).map(|(cell, column)| column.cost(&cell.text)).sum();
        within < outside
    }

    /// The row at `from` if all its cells, empty ones too, stand in quotes of another kind than the file's.
    fn in_other_quotes(&self, text: &str, from: usize, is_header: bool) -> Option<Row> {
        let (first, own) = (*text.as_bytes().get(from)?, self.form.quote?);
        if self.outline.width < 2 || first == own || !matches!(first, b'\'' | b'"') {
            return None;
        }
        let form = Form { quote: Some(first), ..self.form.clone() };
        let record = lex::record(text, from, &form, LEAST_PATIENCE);
        let throughout = !record.odd && record.cells.iter().all(|cell| cell.quoted);
        let whole = throughout && record.cells.len() == self.outline.width;
        // Two words in quotes may be just that in a header as well.
        let is_header = is_header && self.outline.width > 2;
        (whole && (is_header || self.need_no_quotes(text, from, &record))).then(|| Row {
            cells: record.cells.into_iter().map(|cell| cell.text.into_owned()).collect(),
            repairs: vec![Repair::OtherQuote],
            end: record.end,
            next: record.next,
            blank: false,
        })
    }

    /// Whether the quotes of such a row are no part of its cells: they keep cells together, or a value within them is one
    /// of its column's, or they are too many for chance. Three words in quotes may be just that.
    fn need_no_quotes(&self, text: &str, from: usize, record: &Record<'_>) -> bool {
        let plain = lex::record(text, from, &self.form, LEAST_PATIENCE);
        let parted = plain.cells.len() != self.outline.width || plain.next != record.next;
        let fits = record.cells.iter().zip(&self.outline.columns).any(|(cell, column)| {
            let (value, code) = (kind(&cell.text).is_value(), cell.text.bytes().any(|b| b.is_ascii_digit()));
            (column.values() > 0.6 && value)
                || (column.digits() > 0.8 && code)
                || (!cell.text.is_empty() && column.is_closed() && column.knows(&cell.text))
        });
        parted || fits || record.filled() > 3
    }

    /// Reads the row at `from` of a table among which rows of words stand: less than half a row is no damaged one.
    pub(super) fn ragged_row(&mut self, text: &str, from: usize) -> Row {
        let record = self.record(text, from);
        let short = record.cells.len() == 1 || record.cells.len() * 2 < self.outline.width;
        if let Some(row) = self.unwrapped(&record).filter(|row| self.is_pasted(&record, row)) {
            return row;
        }
        if !short || record.odd || record.is_blank() {
            return self.row(text, from, false);
        }
        let cells = record.cells.into_iter().map(|cell| cell.text.into_owned()).collect();
        Row { cells, repairs: Vec::new(), end: record.end, next: record.next, blank: false }
    }

    /// Makes room for a header that is wider than the rows of the sample.
    pub(super) fn widen(&mut self, width: usize) {
        if width > self.outline.width && self.outline.width > 0 {
            self.outline.width = width;
            self.outline.columns.resize(width, Profile::default());
        }
    }

    /// The cells of the first record of a text, by the book.
    pub(super) fn cells_of(&self, text: &str) -> Option<Vec<String>> {
        let record = lex::record(text, 0, &self.form, self.patience);
        (!record.odd).then(|| record.cells.into_iter().map(|cell| cell.text.into_owned()).collect())
    }

    /// Whether cells at the end of rows are never left out: the last column is always filled.
    pub(super) fn is_even(&self) -> bool {
        self.outline.columns.last().is_some_and(|column| column.rows() > 1 && column.share_filled() > 0.99)
    }

    /// What to tell of the row that ends the file without a line end.
    pub(super) fn cut_off(&self, cells: &[impl AsRef<str>], number: u32) -> Option<Finding> {
        let last = cells.last().filter(|_| is_cut_off(cells, &self.outline.columns))?;
        Some(cut_off(last.as_ref(), cells.len() - 1, number))
    }

    /// Whether a blank stands behind each delimiter, which it does not in the rest of the file.
    fn is_spaced(&self, record: &lex::Record<'_>) -> bool {
        let mut others = record.cells.iter().skip(1);
        // With two cells alone the one blank may be the cell's own, unless the rest of the column stands in quotes.
        let sure = |column: &Profile| {
            record.cells.len() > 2 || (column.is_hardly_indented() && column.is_mostly_quoted())
        };
        record.cells.len() > 1
            && self.outline.columns.get(1).is_some_and(sure)
            && !self.form.delimiter.ends_with(' ')
            && others.all(|cell| cell.quoted || cell.text.starts_with(' '))
    }

    /// Whether the record's last cell, which has quotes, seems to go on in the next line: that is no row of its own, and
    /// has the other half of a pair of quotes.
    fn is_torn(&self, text: &str, record: &lex::Record<'_>) -> bool {
        let Some(last) = record.cells.last() else { return false };
        let other = ['\'', '"'].into_iter().find(|q| last.text.starts_with(*q)).map(|q| q as u8);
        let quote = if last.quoted { self.form.quote } else { other };
        let Some(quote) = quote else { return false };
        let following = lex::record(text, record.next, &self.form, LEAST_PATIENCE);
        let rest = text.get(record.next..following.end).unwrap_or_default();
        following.cells.len() < self.outline.width && rest.bytes().filter(|&b| b == quote).count() % 2 == 1
    }

    /// Whether cells stand in other quotes where the column's stand in the file's.
    fn other_quotes(&self, record: &lex::Record<'_>) -> bool {
        let other = |text: &str, q: char| text.len() > 1 && text.starts_with(q) && text.ends_with(q);
        let Some(quote) = self.form.quote else { return false };
        record.cells.iter().zip(&self.outline.columns).any(|(cell, column)| {
            !cell.quoted
                && ['\'', '"'].into_iter().any(|q| {
                    q != char::from(quote)
                        && other(&cell.text, q)
                        && (column.quoted() > 0.5 || cell.text.contains(&format!("{q}{q}")))
                })
        })
    }
}

#[cfg(test)]
impl Plan {
    /// All rows of a text as a source hands them out: what stands behind the table is not there for its last row.
    pub(super) fn rows(&mut self, text: &str) -> Vec<Row> {
        let text = &text[..self.outline.end.unwrap_or(text.len())];
        let (mut rows, mut at) = (Vec::new(), self.outline.start);
        while at < text.len() {
            let row = self.row(text, at, rows.len() < self.outline.header);
            assert!(row.next > at, "{row:?}");
            at = row.next;
            if !row.blank {
                rows.push(row);
            }
        }
        rows
    }
}

/// Whether a mark stands before a header's names that has no column: `#Fields: date time`.
fn is_marked(record: &Record<'_>, width: usize) -> bool {
    let mark = |text: &str| text.starts_with('#') && text.ends_with(':');
    record.cells.len() == width + 1
        && !record.odd
        && record.cells.first().is_some_and(|cell| mark(&cell.text))
}
