//! Which delimiter, quote and escape a text is written with, by evidence over the whole sample.
//!
//! Every candidate cuts the sample; the one wins whose rows are of the same width, whose cells look like whole
//! cells, and whose columns hold one kind of thing each.

use std::collections::HashMap;

use super::lex::{Form, Record, record};
use super::long::in_order;
use super::shape::{Kind, kind};

/// Delimiters of one character, the commoner first.
const SINGLE: [&str; 14] = [",", ";", "\t", "|", " ", ":", "^", "~", "#", "&", "\u{1}", "\u{1f}", "*", "，"];
const QUOTES: [u8; 3] = [b'"', b'\'', b'`'];
/// Characters that stand before a quote to take its meaning.
const ESCAPES: [u8; 7] = [b'\\', b'/', b'^', b'$', b'@', b'!', 0];
/// Text that candidates are judged by.
const JUDGED: usize = 16 << 10;
/// Longest quoted cell while judging.
const LONGEST: usize = 16 << 10;

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
}

/// Tells how a text is written from its beginning; `whole` says that there is no more of it.
pub(super) fn sniff(all: &str, known: &Known, whole: bool) -> Form {
    let sample = lines_of(all, JUDGED);
    let mut delimiters = match &known.delimiter {
        Some(delimiter) if !delimiter.is_empty() => vec![delimiter.clone()],
        _ => delimiters(sample),
    };
    let quotes: Vec<Option<u8>> = match known.quote {
        Some(quote) => vec![quote],
        None => {
            let there = QUOTES.iter().filter(|q| sample.as_bytes().contains(q)).map(|&q| Some(q));
            let mut all: Vec<Option<u8>> = there.collect();
            if !all.contains(&Some(b'"')) {
                all.insert(0, Some(b'"'));
            }
            all
        }
    };
    let mut best: Option<(f64, Form)> = None;
    for delimiter in &delimiters {
        for &quote in &quotes {
            let form = Form {
                delimiter: delimiter.clone(),
                quote,
                escape: known.escape.flatten(),
                newline: known.newline.clone(),
            };
            let score = score(sample, &form);
            if best.as_ref().is_none_or(|(most, _)| score > most + 1e-9) {
                best = Some((score, form));
            }
        }
    }
    let fallback =
        Form { delimiter: ",".to_owned(), quote: Some(b'"'), escape: None, newline: known.newline.clone() };
    let mut form = best.map_or(fallback, |(_, form)| form);
    if known.escape.is_none() {
        form.escape = escape(sample, &form);
    }
    let judged = records(sample, &form);
    let even = judged.windows(2).all(|two| two[0].cells.len() == two[1].cells.len());
    if even && judged.iter().all(|record| !record.odd) {
        return form;
    }
    if known.delimiter.is_none() {
        // A cell of many lines hides what the other lines are cut by; the header and the first row show it.
        let head: usize = all.split_inclusive('\n').take(2).map(str::len).sum();
        delimiters.extend(self::delimiters(&all[..head]));
    }
    explained(all, whole, &delimiters, &quotes, known).unwrap_or(form)
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
    let strong = |delimiter: &&String| known.delimiter.is_some() || !WEAK.contains(&delimiter.as_str());
    for delimiter in delimiters.iter().filter(strong) {
        for &quote in quotes.iter().filter(|quote| quote.is_some()) {
            let escapes = match known.escape {
                Some(escape) => vec![escape],
                None => vec![None, Some(b'\\')],
            };
            for escape in escapes {
                let newline = known.newline.clone();
                let form = Form { delimiter: delimiter.clone(), quote, escape, newline };
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

/// Whole lines of the first `most` bytes.
fn lines_of(sample: &str, most: usize) -> &str {
    if sample.len() <= most {
        return sample;
    }
    let end = (0..=most).rev().find(|&at| sample.is_char_boundary(at)).unwrap_or(0);
    let cut = sample[..end].rfind(['\n', '\r']).map_or(end, |at| at + 1);
    &sample[..cut]
}

fn delimiters(sample: &str) -> Vec<String> {
    // A comma that does not occur stands for a text of one column.
    let mut all = vec![SINGLE[0].to_owned()];
    let lines: Vec<&str> =
        sample.split(['\n', '\r']).filter(|line| !line.trim().is_empty()).take(400).collect();
    for single in SINGLE {
        let count = sample.matches(single).count();
        // What a table is cut by stands in more than a few of its lines.
        if count == 0 || lines.iter().filter(|line| line.contains(single)).count() * 6 < lines.len() {
            continue;
        }
        if single != SINGLE[0] {
            all.push(single.to_owned());
        }
        if single == " " {
            continue;
        }
        for longer in [format!("{single} "), format!("{single}{single}"), format!(" {single} ")] {
            if sample.matches(&longer).count() * 3 >= count {
                all.push(longer);
            }
        }
    }
    for long in long_delimiters(&lines) {
        if !all.contains(&long) {
            all.push(long);
        }
    }
    all
}

/// Runs of signs that stand in nearly every line and not by chance: `|~|`, `::`, `<=>`.
fn long_delimiters(lines: &[&str]) -> Vec<String> {
    let mut runs: HashMap<&str, (usize, usize)> = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        let is_sign = |c: char| c.is_ascii_punctuation() && !QUOTES.contains(&(c as u8));
        for run in line.split(|c| !is_sign(c)).filter(|run| (2..=4).contains(&run.len())) {
            let (seen, last) = runs.entry(run).or_insert((0, usize::MAX));
            if *last != at {
                (*seen, *last) = (*seen + 1, at);
            }
        }
    }
    let mut common: Vec<(usize, &str)> = runs.into_iter().map(|(run, (seen, _))| (seen, run)).collect();
    common.retain(|(seen, _)| *seen > 1 && seen * 5 >= lines.len() * 4);
    common.sort_unstable_by(|a, b| b.cmp(a));
    common.into_iter().take(3).map(|(_, run)| run.to_owned()).collect()
}

/// How well a text is cut by a form; higher is better.
fn score(sample: &str, form: &Form) -> f64 {
    score_of(&records(sample, form), sample, form)
}

fn score_of(records: &[Record<'_>], sample: &str, form: &Form) -> f64 {
    let rows = records.len() as f64;
    if rows == 0.0 {
        return 0.0;
    }
    let mut widths: HashMap<usize, usize> = HashMap::new();
    for record in records {
        *widths.entry(record.cells.len()).or_default() += 1;
    }
    let uniform = |(&width, &count): (&usize, &usize)| {
        let width = width as f64;
        (count as f64 / rows).powf(1.5) * (width - 1.0) / width
    };
    // Summed in order, so that the result is the same every time.
    let mut sorted: Vec<_> = widths.iter().collect();
    sorted.sort_unstable();
    let mut score: f64 = sorted.into_iter().map(uniform).sum();
    let mode = widths.iter().max_by_key(|&(&width, &count)| (count * (width.min(50) + 10), width));
    let width = mode.map_or(1, |(&width, _)| width);
    let (kinds, known) = kinds(records, width);
    if width == 1 {
        // One column: worth something only if nothing cuts it into a table.
        let values =
            kinds.first().map_or(0.0, |of| share(of, |kind| kind.is_value() || kind == Kind::Address));
        score = score.max(0.08 + 0.45 * values);
    }
    let even: f64 = kinds.iter().map(main_share).sum::<f64>() / kinds.len().max(1) as f64;
    let hollow = hollow_columns(records, width);
    let odd = records.iter().filter(|record| record.odd).count() as f64 / rows;
    score *= known * (0.5 + 0.5 * even) * (1.0 - 0.6 * odd);
    score *= 1.0 - 0.5 * hollow as f64 / width as f64;
    if hollow > 0 && width > 1 {
        // Columns of nothing do not make a table wider.
        let cells = |width: usize| (width.max(2) - 1) as f64 / width.max(2) as f64;
        score *= cells(width.saturating_sub(hollow)) / cells(width);
    }
    let same = records.iter().filter(|record| record.cells.len() == width).count() as f64 / rows;
    let quoted: usize = records.iter().map(|r| r.cells.iter().filter(|c| c.quoted).count()).sum();
    if form.quote != Some(b'"') && quoted == 0 {
        score *= 0.95;
    }
    let wordy =
        kinds.iter().all(|of| share(of, |kind| matches!(kind, Kind::Word | Kind::Text | Kind::Empty)) > 0.8);
    score
        * match form.delimiter.as_str() {
            "," | ";" | "\t" | "|" | "\u{1}" | "\u{1f}" => 1.0,
            " " if wordy => 0.12,
            // Words stand apart in any text; a table's rows are all cut alike.
            " " => 0.7 * same * same,
            ":" if is_clock(sample) => 0.4,
            ":" | "#" | "&" | "*" => {
                if same > 0.95 && width > 2 {
                    0.8
                } else {
                    0.4
                }
            }
            "^" | "~" | "，" => 0.8,
            other if other.trim().len() < other.len() => 1.02,
            _ => 0.97,
        }
}

fn records<'a>(sample: &'a str, form: &Form) -> Vec<Record<'a>> {
    let (mut all, mut at, mut longest) = (Vec::new(), 0, LONGEST);
    while at < sample.len() {
        let record = record(sample, at, form, longest);
        // Unclosed quotes everywhere must not make every row look through the whole sample.
        longest = if record.odd { (longest / 2).max(256) } else { longest };
        at = record.next.max(at + 1);
        let hollow = record.cells.len() > 1 && record.filled() == 0;
        if !record.is_blank() && !hollow {
            all.push(record);
        }
    }
    all
}

/// Columns without a letter or a digit in any cell.
fn hollow_columns(records: &[Record<'_>], width: usize) -> usize {
    let mut hollow = vec![true; width];
    for record in records.iter().filter(|record| record.cells.len() == width) {
        for (hollow, cell) in hollow.iter_mut().zip(&record.cells) {
            *hollow = *hollow && !cell.text.chars().any(char::is_alphanumeric);
        }
    }
    hollow.into_iter().filter(|&hollow| hollow).count()
}

/// Whether most colons of a text stand before minutes or seconds.
fn is_clock(sample: &str) -> bool {
    let bytes = sample.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let colons: Vec<usize> = memchr::memchr_iter(b':', bytes).collect();
    let clock = |&&at: &&usize| at > 0 && digit(at - 1) && digit(at + 1) && digit(at + 2) && !digit(at + 3);
    colons.iter().filter(clock).count() * 2 > colons.len()
}

type Kinds = HashMap<Kind, usize>;

/// Kinds of the cells of each column, in rows of this width; and how likely cells of all rows are whole cells.
fn kinds(records: &[Record<'_>], width: usize) -> (Vec<Kinds>, f64) {
    let mut columns = vec![Kinds::new(); width];
    let (mut known, mut cells) = (0.0, 0.0);
    for record in records {
        let proper = record.cells.len() == width;
        for (column, cell) in record.cells.iter().enumerate() {
            let kind = match (kind(&cell.text), cell.quoted) {
                (Kind::Odd, true) => Kind::Text,
                (kind, _) => kind,
            };
            let padded = !cell.quoted && cell.text.len() > cell.text.trim().len() && kind != Kind::Empty;
            known += if padded { 0.8 * kind.weight() } else { kind.weight() };
            cells += 1.0;
            if proper {
                *columns[column].entry(kind).or_default() += 1;
            }
        }
    }
    (columns, if cells > 0.0 { known / cells } else { 0.0 })
}

fn share(kinds: &Kinds, of: impl Fn(Kind) -> bool) -> f64 {
    let all: usize = kinds.values().sum();
    let some: usize = kinds.iter().filter(|(kind, _)| of(**kind)).map(|(_, n)| n).sum();
    some as f64 / all.max(1) as f64
}

fn main_share(kinds: &Kinds) -> f64 {
    let filled: Vec<usize> = kinds.iter().filter(|(k, _)| **k != Kind::Empty).map(|(_, &n)| n).collect();
    let all: usize = filled.iter().sum();
    if all == 0 { 1.0 } else { filled.iter().max().copied().unwrap_or(0) as f64 / all as f64 }
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
        let doubled = memchr::memmem::find_iter(sample.as_bytes(), &[quote, quote]).count();
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
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_one_that_makes_a_table() {
        for (text, delimiter, quote, escape) in [
            ("a,b,c\n1,2,3\n", ",", b'"', None),
            ("a;b;c\n1,5;2,5;3,5\n", ";", b'"', None),
            ("a\tb\n1\t2,3\n", "\t", b'"', None),
            ("a||b||c\n1||2||x|y\n3||4||z\n", "||", b'"', None),
            ("a, b, c\n1, 2, 3\n4, 5, 6\n", ", ", b'"', None),
            ("标题\n\na;b\n\"1,2,3\";2\n", ";", b'"', None),
            ("one\ntwo\n", ",", b'"', None),
            ("New York\nLos Angeles\nSan Diego\n", ",", b'"', None),
            ("12:30:00\n12:31:00\n12:32:00\n", ",", b'"', None),
            ("id,'name'\n1,'a,b'\n2,'c,d'\n", ",", b'\'', None),
            ("id,n\n1,\"a\\\"b,c\"\n2,\"d\\\"e,f\"\n3,\"x\"\n", ",", b'"', Some(b'\\')),
            ("t x\n2020-01-02 5\n2020-01-03 6\n", " ", b'"', None),
            ("a,b\r1,2\r", ",", b'"', None),
            ("", ",", b'"', None),
        ] {
            let expected =
                Form { delimiter: delimiter.to_owned(), quote: Some(quote), escape, newline: None };
            let found = sniff(text, &Known::default(), true);
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
