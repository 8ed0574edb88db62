//! What a record that is not well formed most likely was meant to be.
//!
//! The text of the record is cut at every delimiter, in quotes or not. [`Reader::best`] then seeks the
//! cheapest way to make the table's width of these pieces: pieces taken together (a delimiter in quotes, or
//! one that should have been), an empty piece left out, an empty cell put in, a piece parted in two. Each
//! way has a price, and so has a cell that does not look like its column's. Never is text lost or invented.

mod cell;
mod effort;
mod names;
mod seam;
mod search;
mod tail;
#[cfg(test)]
pub(super) mod tests;

pub(super) use self::effort::Effort;
pub(super) use self::names::is_known as names_columns;
pub(super) use self::tail::misfit;

use std::ops::Range;

use self::effort::Purse;
use self::search::{Reader, Step};
use self::tail::lacks_tail;
use super::lex::{Form, line, record};
use super::shape::Profile;

/// Most lines of a record that is mended.
const MOST_LINES: usize = 12;
/// Most characters of a record that is mended.
const LONGEST: usize = 64 << 10;

/// What a cell costs more than the likeliest of its column where it is at home all the same.
const AT_HOME: f64 = 1.0;
/// What it costs that a row is of one more line.
const LINE: f64 = 0.6;
/// What it costs that a line break stands where a delimiter should.
const BREAK: f64 = 1.2;
/// What it costs that a line end is missing between two rows.
const SPLIT: f64 = 2.0;

/// What was done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Repair {
    /// A stray quote was taken for a character.
    Quote,
    /// A quote that is missing was added in thought.
    Unclosed,
    /// An escape that the file does not use elsewhere.
    Escape,
    /// A quote that the file does not use elsewhere.
    OtherQuote,
    /// A delimiter that the file does not use elsewhere.
    OtherDelimiter,
    /// A delimiter without quotes around it was taken for a character.
    Joined,
    /// A line break without quotes around it was taken for a character.
    LineBreak,
    /// A row that a line break tore at the edge of a cell was joined.
    Torn,
    /// An empty cell too many was left out.
    Surplus,
    /// An empty cell was put in.
    Missing,
    /// Two cells without a delimiter between them were parted.
    Parted,
    /// The whole row stood in quotes as if it were one cell.
    Unwrapped,
    /// A remark among the rows of a file that has such before its table: no row.
    Remark,
    /// The line end behind it is missing.
    Split,
    /// It may be written in another way than the rest; it was read by the book.
    Kept,
    /// Nothing made sense of it.
    Failed,
}

/// A record after its repair.
#[derive(Clone, Debug)]
pub(super) struct Mended {
    pub(super) cells: Vec<String>,
    pub(super) end: usize,
    pub(super) next: usize,
    pub(super) repairs: Vec<Repair>,
    cost: f64,
    /// The steps that led here, the last one first.
    steps: Vec<Step>,
    /// The delimiter, if it is not the file's.
    delimiter: Option<&'static str>,
    /// The escape, if it is not the file's.
    escape: Option<u8>,
}

/// Finds the best reading of the record that begins at `from`, as long as there is work left for it: else it is read
/// like one that looked the same, or left as it is.
///
/// Where rows are `ragged`, they end before their last cells where these are empty.
pub(super) fn mend(
    (text, from): (&str, usize),
    form: &Form,
    (columns, ragged): (&[Profile], bool),
    effort: &mut Effort,
) -> Mended {
    let (end, next) = line(text, from, form);
    let only = text.get(from..end).unwrap_or_default();
    if let Some(purse) = effort.purse() {
        let mut best = Best::default();
        // What explains the line alone spares the search through those behind it.
        let job = Job { text, from, form, columns, ragged, purse: &purse };
        job.mend_lines(&mut best, 0..1);
        job.mend_otherwise(&mut best);
        job.mend_escaped(&mut best);
        job.mend_lines(&mut best, 1..MOST_LINES);
        effort.pay(&purse);
        if !purse.is_empty() {
            let found = best.found.unwrap_or_else(|| unmended(text, from, form, columns.len()));
            if found.next == next {
                effort.remember(only, &found);
            }
            return found;
        }
    }
    let again = effort.recall(only).and_then(|way| {
        let delimiter = way.delimiter.unwrap_or(&form.delimiter).to_owned();
        let form = Form { delimiter, escape: way.escape.or(form.escape), ..form.clone() };
        Reader::new(&form, columns, only, &Purse::full()).repeated(&way)
    });
    match again {
        Some(found) => Mended { end, next, ..found },
        None => unmended(text, from, form, columns.len()),
    }
}

/// The header at `from` if the first row of data stands behind it in the same line.
pub(super) fn header_and_row(
    text: &str,
    from: usize,
    form: &Form,
    (names, columns): (&[Profile], &[Profile]),
    effort: &mut Effort,
) -> Option<Mended> {
    let (end, _) = line(text, from, form);
    let only = text.get(from..end).filter(|only| only.len() <= LONGEST)?;
    let purse = effort.purse()?;
    let found = Reader::new(form, names, only, &purse).two_rows(f64::MAX, columns);
    effort.pay(&purse);
    let (found, second) = found?;
    Some(Mended { end: from + second, next: from + second, ..found })
}

/// The cheapest reading so far.
struct Best {
    found: Option<Mended>,
    /// What none may cost.
    limit: f64,
}

impl Default for Best {
    fn default() -> Self {
        Self { found: None, limit: f64::MAX }
    }
}

impl Best {
    fn bound(&self) -> f64 {
        self.found.as_ref().map_or(self.limit, |best| best.cost - 1e-9)
    }

    /// Tries a record that ends at `end`; `more` is what stands against it beforehand.
    fn consider(&mut self, reader: &Reader<'_>, more: f64, (end, next): (usize, usize)) -> bool {
        let Some(found) = reader.best(self.bound() - more) else { return false };
        self.found = Some(Mended { cost: found.cost + more, end, next, ..found });
        true
    }
}

/// Characters that another program may have put before quotes, and before themselves.
const ESCAPES: [u8; 3] = *b"\\/^";
/// What it costs that a row has another escape than the file.
const OTHER_ESCAPE: f64 = 0.9;

/// Delimiters that another program may have written a row with. Of two that explain a row alike, the longer one is it.
const OTHERS: [&str; 18] = [
    ", ", "; ", "||", ";;", "::", "|~|", ",", ";", "\t", "|", " ", ":", "^", "~", "\u{1}", "\u{1f}", "，",
    "；",
];

/// A record to be mended: where it begins in its text, how the file is written, and the work that may be done.
#[derive(Clone, Copy)]
struct Job<'a> {
    text: &'a str,
    from: usize,
    form: &'a Form,
    columns: &'a [Profile],
    ragged: bool,
    purse: &'a Purse,
}

impl Job<'_> {
    /// What any reading costs.
    fn usual(&self) -> f64 {
        self.columns.iter().map(Profile::usual).sum()
    }

    /// Tries the line alone and with those behind it, as many as are asked for. Lines are joined only where a quote may
    /// be open at the end of the first or cells are lacking.
    fn mend_lines(&self, best: &mut Best, tried: Range<usize>) {
        let Self { text, from, form, columns, purse, .. } = *self;
        let (mut end, mut next) = line(text, from, form);
        let mut open = false;
        for lines in 0..tried.end {
            let Some(record) = text.get(from..end).filter(|record| record.len() <= LONGEST) else { return };
            if LINE * lines as f64 + self.usual() >= best.bound() || purse.is_empty() {
                return;
            }
            if tried.contains(&lines) {
                self.mend_record((lines, open), (end, next), best);
            }
            let lacking = record.matches(&form.delimiter).count() + 1 < columns.len();
            let half = form.quote.is_some_and(|q| record.bytes().filter(|&b| b == q).count() % 2 == 1);
            open = half || lines < 6 && record.bytes().any(|b| Some(b) == form.quote || b == b'\'');
            let whole = record.contains(&form.delimiter);
            if next >= text.len() || !(open || lacking || lines > 0) || !half && self.is_row(next, whole) {
                return;
            }
            if lines == 0 && !half && self.lacks_tail(next) {
                return;
            }
            let following = line(text, next, form);
            if following.0 == next && !open {
                return;
            }
            (end, next) = following;
        }
    }

    /// Whether a row begins at `at` that is sound and needs nothing from the line before it: its first cell is at home, or
    /// that line has several cells (`parted`), which together with these would be too many.
    fn is_row(&self, at: usize, parted: bool) -> bool {
        let found = record(self.text, at, self.form, 4 << 10);
        let home = |column: &Profile| {
            !column.is_name() && column.cost(&found.cells[0].text) < column.usual() + AT_HOME
        };
        let sound = found.cells.len() == self.columns.len() && !found.odd;
        sound && self.columns.first().is_some_and(|column| parted && !column.is_name() || home(column))
    }

    /// Whether the first line merely ends before its last cells, so that the line at `next` is none of it.
    fn lacks_tail(&self, next: usize) -> bool {
        let first = record(self.text, self.from, self.form, 4 << 10);
        let second = record(self.text, next, self.form, 4 << 10);
        !first.odd && !second.odd && lacks_tail(first.cells.len(), &second, self.columns, self.ragged)
    }

    /// Tries the record that ends at `end`, so many lines below its first: as one row, as two rows, and as a row that a
    /// line break tore.
    fn mend_record(&self, (lines, open): (usize, bool), (end, next): (usize, usize), best: &mut Best) {
        let Some(record) = self.text.get(self.from..end) else { return };
        let more =
            LINE * lines as f64 + left_over(self.text, next, self.form, self.columns.len(), self.purse);
        let reader = Reader::new(self.form, self.columns, record, self.purse);
        best.consider(&reader, more, (end, next));
        if (lines == 0 || lines < 3 && open) && !self.columns.iter().any(Profile::is_name) {
            // The second row is no part of this one.
            let price = SPLIT - self.usual();
            if let Some((found, second)) = reader.two_rows(best.bound() - price, self.columns) {
                let (second, cost) = (self.from + second, found.cost + price);
                best.found = Some(Mended { cost, end: second, next: second, ..found });
            }
        }
        // The line break may stand in place of a delimiter, or beside one.
        if lines == 1
            && best.consider(&reader.cut_at_breaks(), more + BREAK, (end, next))
            && let Some(best) = &mut best.found
        {
            best.repairs.insert(0, Repair::Torn);
        }
    }

    /// Tries escapes where one stands before a quote: who writes a row with them writes all of its cells so.
    fn mend_escaped(&self, best: &mut Best) {
        let (Some(quote), None) = (self.form.quote, self.form.escape) else { return };
        let (end, _) = line(self.text, self.from, self.form);
        let Some(record) = self.text.get(self.from..end) else { return };
        for escape in ESCAPES {
            let there = memchr::memmem::find(record.as_bytes(), &[escape, quote]).is_some();
            if !there || self.purse.is_empty() {
                continue;
            }
            let form = Form { escape: Some(escape), ..self.form.clone() };
            let mut other = Best { found: None, limit: best.bound() - OTHER_ESCAPE };
            Job { form: &form, ..*self }.mend_lines(&mut other, 0..MOST_LINES);
            if let Some(mut found) = other.found {
                found.cost += OTHER_ESCAPE;
                found.escape = Some(escape);
                found.repairs.push(Repair::Escape);
                best.found = Some(found);
            }
        }
    }

    /// Tries other delimiters than the file's.
    fn mend_otherwise(&self, best: &mut Best) {
        let Self { text, from, form: main, columns, purse, .. } = *self;
        if columns.len() < 2 {
            return;
        }
        for delimiter in OTHERS {
            if delimiter == main.delimiter || purse.is_empty() {
                continue;
            }
            let form = Form { delimiter: delimiter.to_owned(), ..main.clone() };
            let (mut end, mut next) = line(text, from, main);
            for lines in 0..2 {
                let Some(record) = text.get(from..end).filter(|record| record.len() <= LONGEST) else {
                    break;
                };
                if record.matches(delimiter).count() + 1 >= columns.len() {
                    let named = columns[0].is_name() && !record.contains(&main.delimiter);
                    let doubt = if delimiter == " " && !named { 4.5 } else { 3.0 };
                    if doubt + self.usual() >= best.bound() {
                        break;
                    }
                    let more = doubt + LINE * f64::from(lines);
                    let more = more + left_over(text, next, main, columns.len(), purse);
                    if best.consider(&Reader::new(&form, columns, record, purse), more, (end, next))
                        && let Some(best) = &mut best.found
                    {
                        best.repairs.insert(0, Repair::OtherDelimiter);
                        best.delimiter = Some(delimiter);
                    }
                }
                (end, next) = line(text, next, main);
            }
        }
    }
}

/// What it costs when the next line could not be a row of its own.
fn left_over(text: &str, next: usize, form: &Form, width: usize, purse: &Purse) -> f64 {
    if next >= text.len() {
        return 0.0;
    }
    let following = record(text, next, form, 4 << 10);
    let fits = following.is_blank() || (following.cells.len() == width && !following.odd);
    let rest = text.get(next..following.end).unwrap_or_default();
    purse.spend(rest.len());
    let half = form.quote.is_some_and(|quote| rest.bytes().filter(|&b| b == quote).count() % 2 == 1);
    match (fits, half) {
        (true, _) => 0.0,
        // The other half of a pair of quotes.
        (_, true) => 3.2,
        _ => 2.5,
    }
}

/// The pieces as they are, all text kept: what is lacking is empty, what is too much stays in the last cell.
fn unmended(text: &str, from: usize, form: &Form, width: usize) -> Mended {
    let (end, next) = line(text, from, form);
    let record = text.get(from..end).unwrap_or_default();
    let mut cells: Vec<String> = record.splitn(width.max(1), &form.delimiter).map(str::to_owned).collect();
    cells.resize(width.max(1), String::new());
    let repairs = vec![Repair::Failed];
    Mended { cells, end, next, repairs, cost: f64::MAX, steps: Vec::new(), delimiter: None, escape: None }
}
