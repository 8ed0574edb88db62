//! Which delimiter, quote and escape a text is written with, by evidence over the whole sample.
//!
//! Every candidate cuts the sample; the one wins whose rows are of the same width, whose cells look like whole
//! cells, and whose columns hold one kind of thing each.

mod candidates;
mod line_ends;
mod score;

use self::candidates::{Trust, delimiters, lines_in, lines_of, trust};
use self::score::{records, score, score_of};
use super::lex::{Form, Record};
use super::long::in_order;

const QUOTES: [u8; 3] = [b'"', b'\'', b'`'];
/// Characters that stand before a quote to take its meaning.
const ESCAPES: [u8; 7] = [b'\\', b'/', b'^', b'$', b'@', b'!', 0];
/// Text that candidates are judged by.
const JUDGED: usize = 16 << 10;

/// Delimiters that stand in any prose.
const WEAK: [&str; 6] = [" ", ":", "#", "&", "*", "，"];
/// Records that are judged of a text that is in order.
const ENOUGH: usize = 200;

/// What the caller knows beforehand.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) delimiter: Option<String>,
    /// `Some(None)`: there are no quotes.
    pub(super) quote: Option<Option<u8>>,
    pub(super) escape: Option<Option<u8>>,
    /// What ends a record.
    pub(super) newline: Option<String>,
    /// What a line begins with that is no row.
    pub(super) comment: Option<String>,
}

/// Tells how a text is written from its beginning; `whole` says that there is no more of it.
pub(super) fn sniff(all: &str, known: &Known, whole: bool) -> Form {
    let newline = known.newline.clone().or_else(|| line_ends::line_end(lines_of(all, JUDGED, None)));
    let known = &Known { newline, ..known.clone() };
    let newline = known.newline.as_deref();
    let sample = lines_of(all, JUDGED, newline);
    let mut delimiters = match &known.delimiter {
        Some(delimiter) if !delimiter.is_empty() => vec![delimiter.clone()],
        _ => delimiters(sample, newline),
    };
    let quotes: Vec<Option<u8>> = match known.quote {
        Some(quote) => vec![quote],
        None => {
            let there = QUOTES.iter().filter(|q| sample.as_bytes().contains(q)).map(|&q| Some(q));
            let mut all: Vec<Option<u8>> = there.collect();
            if !all.contains(&Some(b'"')) {
                all.insert(0, Some(b'"'));
            }
            all.extend(wrapping(&lines_in(sample, newline)).map(Some));
            all
        }
    };
    let mut best: Option<(f64, Form)> = None;
    for delimiter in &delimiters {
        for (quote, escape) in written(sample, &quotes, known) {
            let form = Form {
                delimiter: delimiter.clone(),
                quote,
                escape,
                newline: known.newline.clone(),
                comment: known.comment.clone(),
            };
            let score = score(sample, &form);
            if best.as_ref().is_none_or(|(most, _)| score > most + 1e-9) {
                best = Some((score, form));
            }
        }
    }
    let fallback = Form {
        delimiter: ",".to_owned(),
        quote: Some(b'"'),
        escape: None,
        newline: known.newline.clone(),
        comment: known.comment.clone(),
    };
    let mut form = best.map_or(fallback, |(_, form)| form);
    if known.quote.is_none()
        && let Some(quote) = rare_quote(sample, &form)
    {
        form.quote = Some(quote);
    }
    if known.escape.is_none() {
        form.escape = None;
        form.escape = escape(sample, &form);
    }
    let judged = records(sample, &form);
    let even = judged.windows(2).all(|two| two[0].cells.len() == two[1].cells.len());
    if even && judged.iter().all(|record| !record.odd) {
        return form;
    }
    if known.delimiter.is_none() {
        // A cell of many lines hides what the other lines are cut by; the header and the first row show it.
        let head = lines_in(all, newline).into_iter().take(2).collect::<Vec<_>>().join("\n");
        delimiters.extend(self::delimiters(&head, None));
    }
    explained(all, whole, &delimiters, &quotes, known).unwrap_or(form)
}

/// The quotes to try, each without an escape, and with a backslash where one stands before it: else an apostrophe in some cell
/// would seem a better quote than one whose cells all look broken.
fn written(sample: &str, quotes: &[Option<u8>], known: &Known) -> Vec<(Option<u8>, Option<u8>)> {
    let plain = quotes.iter().map(|&quote| (quote, known.escape.flatten()));
    let escaped = quotes.iter().copied().filter(|quote| {
        let before = |quote| memchr::memmem::find(sample.as_bytes(), &[b'\\', quote]).is_some();
        known.escape.is_none() && quote.is_some_and(before)
    });
    plain.chain(escaped.map(|quote| (quote, Some(b'\\')))).collect()
}

/// The form that explains the whole text with nothing left over, if there is one: it beats all that is likely.
fn explained(
    all: &str,
    whole: bool,
    delimiters: &[String],
    quotes: &[Option<u8>],
    known: &Known,
) -> Option<Form> {
    let mut best: Option<(f64, Form)> = None;
    let strong = |delimiter: &&String| {
        known.delimiter.is_some()
            || (!WEAK.contains(&delimiter.as_str()) && trust(delimiter) != Trust::Doubtful)
    };
    for delimiter in delimiters.iter().filter(strong) {
        for &quote in quotes.iter().filter(|quote| quote.is_some()) {
            let escapes = match known.escape {
                Some(escape) => vec![escape],
                None => vec![None, Some(b'\\')],
            };
            for escape in escapes {
                let (newline, comment) = (known.newline.clone(), known.comment.clone());
                let form = Form { delimiter: delimiter.clone(), quote, escape, newline, comment };
                let Some(records) = in_order(all, whole, &form, ENOUGH) else { continue };
                let score = score_of(&records, all, &form);
                if best.as_ref().is_none_or(|(most, _)| score > most + 1e-9) {
                    best = Some((score, form));
                }
            }
        }
    }
    best.map(|(_, form)| form)
}

/// Signs that some programs put around texts.
const RARE_QUOTES: [u8; 5] = *b"~^$%*";

/// The sign that nearly all lines begin and end with.
fn wrapping(lines: &[&str]) -> Option<u8> {
    let within = |quote: u8| {
        let around = |line: &&&str| [line.bytes().next(), line.trim_end().bytes().last()] == [Some(quote); 2];
        lines.iter().filter(|line| line.len() > 1).filter(around).count()
    };
    RARE_QUOTES.into_iter().find(|&quote| lines.len() > 1 && within(quote) * 5 >= lines.len() * 4)
}

/// The sign around many cells of a text without other quotes, if there is one.
fn rare_quote(sample: &str, form: &Form) -> Option<u8> {
    let all = records(sample, form);
    let cells = || all.iter().filter(|record| record.cells.len() > 1).flat_map(|record| &record.cells);
    let there = cells().filter(|cell| !cell.text.is_empty()).count();
    if cells().any(|cell| cell.quoted) {
        return None;
    }
    let around = |quote: u8| {
        let wrapped =
            |text: &str| text.len() > 1 && [text.bytes().next(), text.bytes().last()] == [Some(quote); 2];
        cells().filter(|cell| wrapped(&cell.text)).count()
    };
    let other = RARE_QUOTES.into_iter().filter(|quote| !form.delimiter.as_bytes().contains(quote));
    let (count, quote) = other.map(|quote| (around(quote), quote)).max()?;
    // A whole column of three, or a third of the cells.
    (count > 3 && count * 3 >= there).then_some(quote)
}

/// Quotes that are doubled within a cell: two alone are an empty one.
fn doubled(sample: &str, quote: u8, form: &Form) -> usize {
    let ends =
        |text: &str| text.is_empty() || text.starts_with(['\n', '\r']) || text.starts_with(&form.delimiter);
    let begins =
        |text: &str| text.is_empty() || text.ends_with(['\n', '\r']) || text.ends_with(&form.delimiter);
    let pair = [quote, quote];
    let all = memchr::memmem::find_iter(sample.as_bytes(), &pair);
    all.filter(|&at| !(begins(&sample[..at]) && ends(&sample[at + 2..]))).count()
}

/// The escape, if one explains quotes that nothing else does in more than a stray row.
fn escape(sample: &str, form: &Form) -> Option<u8> {
    let plain = records(sample, form);
    let odd = |records: &[Record<'_>]| records.iter().filter(|record| record.odd).count();
    let width = |records: &[Record<'_>]| {
        let mut widths: Vec<usize> = records.iter().map(|r| r.cells.len()).collect();
        widths.sort_unstable();
        let mode = widths.chunk_by(|a, b| a == b).max_by_key(|run| run.len());
        mode.map_or(0, |run| run.len())
    };
    let (faults, most) = (odd(&plain), width(&plain));
    let mut best = (faults, None);
    for escape in ESCAPES {
        let Some(quote) = form.quote else { break };
        let pair = [escape, quote];
        let uses = memchr::memmem::find_iter(sample.as_bytes(), &pair).count();
        let doubled = doubled(sample, quote, form);
        let uses_before_delimiter = escape == b'\\' && sample.contains(&format!("\\{}", form.delimiter));
        if (uses == 0 || uses < doubled) && !uses_before_delimiter {
            continue;
        }
        let records = records(sample, &Form { escape: Some(escape), ..form.clone() });
        // One row alone may be the one that is written in another way.
        let explained = best.0.saturating_sub(odd(&records)) + width(&records).saturating_sub(most);
        let rare = explained == 1 && plain.len() > 8 && doubled > 0;
        if explained > 0 && !rare && width(&records) >= most {
            best = (odd(&records), Some(escape));
        }
    }
    best.1
}

#[cfg(test)]
mod tests;
