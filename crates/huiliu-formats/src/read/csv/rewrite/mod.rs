//! Files whose every line is written in a way that no delimiter explains, written anew as a table of cells.
//!
//! Some programs put each whole line in quotes ([`wrapped`]), others set their columns one under the other with blanks
//! ([`columns`]) or part their cells with several ([`runs`]), or draw a frame around them ([`framed`]). All are told from the sample and undone line by line while the text is read, before anything else
//! looks at it; the rest of the reader then meets a plain table. What fits no such line is left as it is.

mod columns;
mod framed;
mod runs;
mod wrapped;

use huiliu_stage::{Finding, Severity, Text};

use self::columns::Columns;
use self::framed::Frame;
use self::runs::Gap;
use super::lex::Form;
use super::sniff::Known;
use super::table::Plan;

/// Text by which the way of writing is told.
const JUDGED: usize = 64 << 10;

/// How the lines of a file are written anew.
#[derive(Clone, Debug)]
pub(super) enum Rewrite {
    /// Quotes around whole lines are taken off.
    Unwrap,
    /// Lines are cut at the places where their columns begin.
    Cut(Columns),
    /// Lines are cut at runs of blanks.
    Runs(Gap),
    /// The frame around cells is taken off.
    Unframe(Frame),
}

impl Rewrite {
    /// What must be done to a text before it is read as the plan says, judged by its sample; nothing as a rule.
    pub(super) fn needed(sample: &str, plan: &Plan, known: &Known, whole: bool) -> Option<Self> {
        let end = (0..=sample.len().min(JUDGED)).rev().find(|&at| sample.is_char_boundary(at)).unwrap_or(0);
        let (judged, whole) = (&sample[..end], whole && end == sample.len());
        let own_quotes = matches!(known.quote, None | Some(Some(b'"')));
        if plan.outline.width == 1 && own_quotes && wrapped::is_wrapped(judged, known, whole) {
            return Some(Self::Unwrap);
        }
        if known.delimiter.is_none()
            && known.quote.is_none()
            && let Some(frame) = framed::frame(judged, whole)
        {
            return Some(Self::Unframe(frame));
        }
        if known.delimiter.is_none()
            && known.quote.is_none()
            && let Some(columns) = Columns::ruled(judged, whole)
        {
            return Some(Self::Cut(columns));
        }
        let blanks = plan.form.delimiter.trim_matches(' ').is_empty();
        // What cuts the rows stands in their numbers if it does not cut the names.
        let named =
            sample.get(plan.outline.start..).and_then(|table| table.lines().next()).unwrap_or_default();
        let uncut = plan.outline.header > 0 && !named.contains(&plan.form.delimiter);
        if known.delimiter.is_none() && known.quote.is_none() && (blanks || uncut || plan.outline.width == 1)
        {
            let columns = Columns::of(judged, plan, whole);
            let set = columns.as_ref().map_or(1, Columns::width);
            let cuts_alike = |columns: &Columns| {
                judged.lines().all(|line| columns.cuts(line, &runs::cells(line, Gap::Several)))
            };
            let (runs, gap) = runs::width(judged, whole);
            // Places are good for cells that are empty further below, if they are right above.
            return match columns {
                Some(columns) if runs < set || runs == set && cuts_alike(&columns) => {
                    Some(Self::Cut(columns))
                }
                Some(columns) if runs == 1 => Some(Self::Cut(columns)),
                _ => (runs > 1).then_some(Self::Runs(gap)),
            };
        }
        None
    }

    /// What is known of how the text is written once this is done.
    pub(super) fn known(&self, known: &Known) -> Known {
        match self {
            Self::Unwrap => known.clone(),
            Self::Cut(_) | Self::Runs(_) | Self::Unframe(_) => Known {
                delimiter: Some(",".to_owned()),
                quote: Some(Some(b'"')),
                escape: Some(None),
                newline: Some("\n".to_owned()),
                comment: known.comment.clone(),
            },
        }
    }

    /// Writes the whole lines of `text` into `into`, and the last one too if the file is `over`. Returns the bytes used.
    pub(super) fn write(&self, text: &str, over: bool, into: &mut String) -> usize {
        match self {
            Self::Unwrap => wrapped::write(text, over, into),
            Self::Cut(columns) => columns.write(text, over, into),
            Self::Runs(gap) => runs::write(text, *gap, over, into),
            Self::Unframe(frame) => framed::write(text, *frame, over, into),
        }
    }

    /// Says that it was done.
    pub(super) fn told(&self) -> Finding {
        let text = match self {
            Self::Unwrap => Text::new(
                "文件的每一行都被引号包成了一格，已去掉外层引号后读取；请核对",
                "every line of the file stands in quotes as one cell; it was read without them; please check",
            ),
            Self::Cut(_) => Text::new(
                "文件没有分隔符，各列用空格对齐，已按列的位置拆分；请核对",
                "the file has no delimiter but columns set with blanks; it was cut at their places; please check",
            ),
            Self::Runs(_) => Text::new(
                "文件没有分隔符，各格之间是几个空格，已按连续空格拆分；请核对",
                "the file has no delimiter but several blanks between its cells; it was cut at these; please check",
            ),
            Self::Unframe(_) => Text::new(
                "文件的各格画有边框（| 和 ---），已去掉边框后读取；请核对",
                "a frame of strokes is drawn around the cells of the file; it was read without it; please check",
            ),
        };
        Finding::new(None, Severity::Warning, "outline", text)
    }
}

/// A text as it is cut by a comma and quoted by the book.
fn by_the_book(delimiter: &str) -> Form {
    let (delimiter, quote) = (delimiter.to_owned(), Some(b'"'));
    Form { delimiter, quote, escape: None, newline: None, comment: None }
}

/// The text from `from` on, if it is a whole line or more is not to come.
fn is_there(text: &str, next: usize, over: bool) -> bool {
    over || next < text.len()
}

/// Calls for each whole line of `text`, and for the last one too if the file is `over`; gives the bytes used.
fn each_line(text: &str, over: bool, mut take: impl FnMut(&str)) -> usize {
    let mut at = 0;
    while at < text.len() {
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        if end == text.len() && !is_there(text, end, over) {
            break;
        }
        take(text[at..end].trim_end_matches('\r'));
        at = (end + 1).min(text.len());
    }
    at
}

/// Writes a row with commas between its cells.
fn put_row(cells: &[&str], into: &mut String) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            into.push(',');
        }
        if cell.contains([',', '"', '\r', '\n']) {
            into.push('"');
            into.push_str(&cell.replace('"', "\"\""));
            into.push('"');
        } else {
            into.push_str(cell);
        }
    }
    into.push('\n');
}

#[cfg(test)]
mod tests;
