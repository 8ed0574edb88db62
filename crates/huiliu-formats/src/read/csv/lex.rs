//! Cutting one record at a time from text in any dialect.
//!
//! Slower and more general than [`split`](super::split): delimiters of several characters, any quote, escapes, any
//! mixture of line ends. It reads by the book and says of each record whether the book was enough
//! ([`Record::odd`]); what to make of one that is odd is for [`repair`](super::repair) to find out.

use std::borrow::Cow;

/// How a text is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// What stands between two cells; never empty.
    pub(super) delimiter: String,
    /// An ASCII character.
    pub(super) quote: Option<u8>,
    /// An ASCII character that takes the meaning from the next one. Doubled quotes always stand for one.
    pub(super) escape: Option<u8>,
    /// What ends a record, if only one text does; else any line end.
    pub(super) newline: Option<String>,
    /// What a line begins with that is no row: it is read as a blank one.
    pub(super) comment: Option<String>,
}

impl Form {
    /// The length of the line end that this text begins with, if it does.
    fn line_end(&self, at: &[u8]) -> Option<usize> {
        let windows = at.starts_with(b"\r\n");
        match self.newline.as_deref() {
            None => match at.first() {
                Some(b'\r') if windows => Some(2),
                Some(b'\r' | b'\n') => Some(1),
                _ => None,
            },
            Some("\n") if windows => Some(2),
            Some(newline) => at.starts_with(newline.as_bytes()).then_some(newline.len()),
        }
    }

    /// The bytes that a line end may begin with.
    fn line_marks(&self) -> (u8, u8) {
        (self.newline.as_deref().and_then(|newline| newline.bytes().next()).unwrap_or(b'\n'), b'\r')
    }

    /// Whether a line that is no row begins here.
    pub(super) fn is_comment(&self, text: &str, from: usize) -> bool {
        let comment = self.comment.as_deref();
        comment.is_some_and(|comment| text.get(from..).is_some_and(|rest| rest.starts_with(comment)))
    }

    /// Delimiter, quote and escape.
    pub(super) fn told(&self) -> (&str, Option<char>, Option<char>) {
        (&self.delimiter, self.quote.map(char::from), self.escape.map(char::from))
    }
}

/// A cell and whether it stood in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) quoted: bool,
}

/// One record of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) cells: Vec<Cell<'a>>,
    /// Where its text ends, before the line end.
    pub(super) end: usize,
    /// Where the next record begins.
    pub(super) next: usize,
    /// A quote stands where it should not, or is never closed.
    pub(super) odd: bool,
    /// The place of the first quote that is not closed in the text, or not soon enough.
    pub(super) open: Option<usize>,
}

impl Record<'_> {
    /// An empty line.
    pub(super) fn is_blank(&self) -> bool {
        matches!(&self.cells[..], [only] if only.text.trim().is_empty() && !only.quoted)
    }

    /// Cells with something in them.
    pub(super) fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.text.trim().is_empty()).count()
    }
}

/// The end of the line that begins at `from`: where its text ends and where the next line begins.
pub(super) fn line(text: &str, from: usize, form: &Form) -> (usize, usize) {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    let (mark, other) = form.line_marks();
    let mut ends = memchr::memchr2_iter(mark, other, rest)
        .filter_map(|at| Some((from + at, from + at + form.line_end(&rest[at..])?)));
    ends.next().unwrap_or((text.len(), text.len()))
}

/// Cuts the record that begins at `from`. A quoted cell longer than `longest` bytes is taken for a stray quote.
pub(super) fn record<'a>(text: &'a str, from: usize, form: &Form, longest: usize) -> Record<'a> {
    let bytes = text.as_bytes();
    if form.is_comment(text, from) {
        let (end, next) = line(text, from, form);
        let cells = vec![Cell { text: Cow::Borrowed(""), quoted: false }];
        return Record { cells, end, next, odd: false, open: None };
    }
    let (mut cells, mut odd, mut open, mut at) = (Vec::new(), false, None, from);
    loop {
        if let Some(quote) = form.quote {
            let blanks = bytes[at..].iter().take_while(|&&b| b == b' ').count();
            if bytes.get(at + blanks) == Some(&quote) {
                match quoted(text, at + blanks, form, quote, longest) {
                    Quoted::Cell(cell, end) => {
                        cells.push(cell);
                        match after(bytes, end, form) {
                            After::Cell(next) => {
                                at = next;
                                continue;
                            }
                            After::Record(next) => return Record { cells, end, next, odd, open },
                            After::Text => {}
                        }
                    }
                    Quoted::Open => open = open.or(Some(at + blanks)),
                    Quoted::Stray => {}
                }
                odd = true;
            }
        }
        let (end, escaped) = plain(bytes, at, form);
        let cell = &text[at..end];
        odd |= form.quote.is_some_and(|quote| cell.as_bytes().contains(&quote));
        let value = if escaped { unescaped(cell, form) } else { Cow::Borrowed(cell) };
        cells.push(Cell { text: value, quoted: false });
        match after(bytes, end, form) {
            After::Cell(next) => at = next,
            After::Record(next) => return Record { cells, end, next, odd, open },
            After::Text => return Record { cells, end, next: end, odd, open },
        }
    }
}

enum After {
    Cell(usize),
    Record(usize),
    Text,
}

fn after(bytes: &[u8], at: usize, form: &Form) -> After {
    let rest = bytes.get(at..).unwrap_or_default();
    if let Some(length) = form.line_end(rest) {
        return After::Record(at + length);
    }
    match rest.first() {
        None => After::Record(at),
        Some(_) if rest.starts_with(form.delimiter.as_bytes()) => After::Cell(at + form.delimiter.len()),
        // Blanks behind a closing quote mean nothing.
        Some(b' ') => {
            let blanks = rest.iter().take_while(|&&b| b == b' ').count();
            match after(bytes, at + blanks, form) {
                After::Text => After::Text,
                other => other,
            }
        }
        Some(_) => After::Text,
    }
}

/// Where the unquoted cell at `from` ends, and whether something in it was escaped.
fn plain(bytes: &[u8], from: usize, form: &Form) -> (usize, bool) {
    let (delimiter, mut at, mut escaped) = (form.delimiter.as_bytes(), from, false);
    let first = delimiter.first().copied().unwrap_or(b',');
    let (mark_of_end, other) = form.line_marks();
    loop {
        let Some(found) = memchr::memchr3(first, mark_of_end, other, &bytes[at..]) else {
            return (bytes.len(), escaped);
        };
        let mark = at + found;
        if form.line_end(&bytes[mark..]).is_some() && (first != bytes[mark] || form.newline.is_some()) {
            return (mark, escaped);
        }
        if !bytes[mark..].starts_with(delimiter) {
            at = mark + 1;
            continue;
        }
        let escapes = match form.escape {
            Some(escape) => bytes[from..mark].iter().rev().take_while(|&&b| b == escape).count(),
            None => 0,
        };
        if escapes % 2 == 0 {
            return (mark, escaped);
        }
        escaped = true;
        at = mark + delimiter.len();
    }
}

enum Quoted<'a> {
    /// The cell and where it ends.
    Cell(Cell<'a>, usize),
    /// Not closed in the text, or not soon enough.
    Open,
    /// Text follows the closing quote.
    Stray,
}

/// The quoted cell that opens at `open`.
fn quoted<'a>(text: &'a str, open: usize, form: &Form, quote: u8, longest: usize) -> Quoted<'a> {
    let bytes = text.as_bytes();
    let limit = bytes.len().min(open.saturating_add(longest));
    let (mut at, mut plain) = (open + 1, true);
    let escape = form.escape.unwrap_or(quote);
    loop {
        let found = bytes.get(at..limit).and_then(|rest| memchr::memchr2(quote, escape, rest));
        let Some(mark) = found.map(|found| at + found) else { return Quoted::Open };
        if bytes[mark] != quote || (form.escape.is_none() && bytes.get(mark + 1) == Some(&quote)) {
            // A doubled quote, or an escape and what it escapes.
            plain = false;
            at = mark + 2;
        } else if form.escape.is_some()
            && bytes.get(mark + 1) == Some(&quote)
            && !matches!(after(bytes, mark + 1, form), After::Cell(_) | After::Record(_))
        {
            plain = false;
            at = mark + 2;
        } else {
            let inner = text.get(open + 1..mark).unwrap_or_default();
            let value = if plain { Cow::Borrowed(inner) } else { unescaped(inner, form) };
            return match after(bytes, mark + 1, form) {
                After::Text => Quoted::Stray,
                _ => Quoted::Cell(Cell { text: value, quoted: true }, mark + 1),
            };
        }
    }
}

/// A cell's text without its escapes. An escape before anything but quote, escape or delimiter is a character.
pub(super) fn unescaped<'a>(inner: &'a str, form: &Form) -> Cow<'a, str> {
    let bytes = inner.as_bytes();
    let marks = [form.quote, form.escape].into_iter().flatten();
    if marks.into_iter().all(|mark| memchr::memchr(mark, bytes).is_none()) {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        let special = |b: u8| Some(b) == form.quote || Some(b) == form.escape;
        if Some(byte) == form.escape {
            let delimiter = bytes[at + 1..].starts_with(form.delimiter.as_bytes());
            if delimiter || next.is_some_and(special) {
                out.push(bytes[at + 1]);
                at += 2;
                continue;
            }
        } else if Some(byte) == form.quote && next == form.quote {
            at += 1;
        }
        out.push(byte);
        at += 1;
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str, delimiter: &str, escape: Option<u8>) -> (Vec<String>, bool) {
        let quote = Some(b'"');
        let form = Form { delimiter: delimiter.to_owned(), quote, escape, newline: None, comment: None };
        let found = record(text, 0, &form, 1000);
        (found.cells.iter().map(|c| c.text.to_string()).collect(), found.odd)
    }

    #[test]
    fn records_are_cut_by_the_book() {
        for (text, delimiter, escape, expected, odd) in [
            ("a,\"b,c\",d\nx", ",", None, "a|b,c|d", false),
            ("a||b||c\r\n", "||", None, "a|b|c", false),
            ("a, \"b\" ,c", ",", None, "a|b|c", false),
            ("\"a\\\"b\",c", ",", Some(b'\\'), "a\"b|c", false),
            ("a\\,b,c", ",", Some(b'\\'), "a,b|c", false),
            ("\"a\"\"b\",c\r", ",", None, "a\"b|c", false),
            ("\"a,b", ",", None, "\"a|b", true),
            ("a\"b,c", ",", None, "a\"b|c", true),
            ("", ",", None, "", false),
        ] {
            let (found, was_odd) = cells(text, delimiter, escape);
            assert_eq!((found.join("|").as_str(), was_odd), (expected, odd), "{text:?}");
        }
    }
}
