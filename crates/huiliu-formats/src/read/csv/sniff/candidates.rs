//! What a text may be cut and quoted by: delimiters in daily use that occur, and any other sign that stands equally
//! often in its lines.

use std::collections::HashMap;

use super::QUOTES;

/// Delimiters of one character, the commoner first.
pub(super) const SINGLE: [&str; 15] =
    [",", ";", "\t", "|", " ", ":", "^", "~", "#", "&", "\u{1}", "\u{1f}", "*", "，", "；"];
/// Delimiters that stand for empty cells where two of them follow each other.
const CELLS: [&str; 2] = [",", "\t"];
/// Signs that part words or numbers in any text, but never cells.
const PARTS: &str = "._-?()[]{}<>\\（）【】《》。！？“”‘’：…—";
/// Lines that are looked at.
const LOOKED_AT: usize = 400;
/// Most rare signs that are tried.
const MOST_RARE: usize = 3;

/// The lines of a text, however they end.
pub(super) fn lines_in<'a>(text: &'a str, newline: Option<&str>) -> Vec<&'a str> {
    let filled = |line: &&str| !line.trim().is_empty();
    match newline {
        Some(newline) => text.split(newline).filter(filled).take(LOOKED_AT).collect(),
        None => text.split(['\n', '\r']).filter(filled).take(LOOKED_AT).collect(),
    }
}

/// Whole lines of the first `most` bytes.
pub(super) fn lines_of<'a>(sample: &'a str, most: usize, newline: Option<&str>) -> &'a str {
    if sample.len() <= most {
        return sample;
    }
    let end = (0..=most).rev().find(|&at| sample.is_char_boundary(at)).unwrap_or(0);
    let cut = match newline {
        Some(newline) => sample[..end].rfind(newline).map(|at| at + newline.len()),
        None => sample[..end].rfind(['\n', '\r']).map(|at| at + 1),
    };
    &sample[..cut.unwrap_or(end)]
}

/// All that may cut a text.
pub(super) fn delimiters(sample: &str, newline: Option<&str>) -> Vec<String> {
    // A comma that does not occur stands for a text of one column.
    let mut all = vec![SINGLE[0].to_owned()];
    let lines = lines_in(sample, newline);
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
        let double = format!("{single}{single}");
        for longer in [format!("{single} "), double.clone(), format!(" {single} ")] {
            let there = sample.matches(&longer).count();
            // Where every one stands beside another each second column is empty, and some are where all lines have
            // equally many.
            let hollow = longer == double
                && CELLS.contains(&single)
                && (there * 2 >= count || are_even(&lines, single));
            if there * 3 >= count && !hollow {
                all.push(longer);
            }
        }
    }
    for other in long_delimiters(&lines).into_iter().chain(rare_delimiters(&lines)) {
        if !all.contains(&other) && newline != Some(other.as_str()) {
            all.push(other);
        }
    }
    all
}

/// Whether a sign stands equally often in nearly all lines.
fn are_even(lines: &[&str], sign: &str) -> bool {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    lines.iter().for_each(|line| *counts.entry(line.matches(sign).count()).or_default() += 1);
    counts.values().any(|&same| same * 10 >= lines.len() * 9)
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
    // A dash or two in place of a value.
    let dashes = |run: &str| run.bytes().all(|b| b == b'-');
    let hollow = |run: &str| CELLS.iter().any(|cell| run.trim_matches(|c| cell.starts_with(c)).is_empty());
    let mut common: Vec<(usize, &str)> = runs.into_iter().map(|(run, (seen, _))| (seen, run)).collect();
    // Words before the table have their own signs.
    common.retain(|(seen, run)| *seen > 1 && seen * 5 >= lines.len() * 2 && !hollow(run) && !dashes(run));
    common.retain(|(_, run)| !is_quoted(run, lines));
    common.sort_unstable_by(|a, b| b.cmp(a));
    common.into_iter().take(3).map(|(_, run)| run.to_owned()).collect()
}

/// Whether a run is a delimiter between two quotes: `~,~` in lines that begin and end with `~`.
fn is_quoted(run: &str, lines: &[&str]) -> bool {
    let Some(quote) = run.chars().next().filter(|quote| run.len() > 2 && run.ends_with(*quote)) else {
        return false;
    };
    let within = lines.iter().filter(|line| line.starts_with(quote) && line.trim_end().ends_with(quote));
    within.count() * 5 >= lines.len() * 4
}

/// Signs that stand equally often in most lines and that hardly anyone uses.
fn rare_delimiters(lines: &[&str]) -> Vec<String> {
    // Lines by sign and by how often it stands in them.
    let mut seen: HashMap<(char, usize), usize> = HashMap::new();
    let mut own: HashMap<char, usize> = HashMap::new();
    let rare = |c: char| {
        let sign = c.is_ascii_punctuation() || c.is_ascii_control() || !c.is_ascii() && !c.is_alphanumeric();
        let known = c.is_ascii() && QUOTES.contains(&(c as u8))
            || matches!(c, '\t' | '\n' | '\r' | '\0' | '\u{fffd}');
        sign && !known && !c.is_whitespace() && !PARTS.contains(c)
    };
    for line in lines {
        own.clear();
        let signs = line.char_indices().filter(|&(at, c)| rare(c) && !(c == '+' && is_exponent(line, at)));
        signs.for_each(|(_, c)| *own.entry(c).or_default() += 1);
        own.iter().for_each(|(&c, &count)| *seen.entry((c, count)).or_default() += 1);
    }
    let mut common: Vec<(usize, usize, char)> =
        seen.into_iter().map(|((c, count), lines)| (lines, count, c)).collect();
    common.retain(|(seen, _, c)| {
        let single = SINGLE.iter().any(|single| single.starts_with(*c));
        *seen > 1 && seen * 5 >= lines.len() * 2 && !single
    });
    common.sort_unstable_by(|a, b| b.cmp(a));
    common.into_iter().take(MOST_RARE).map(|(.., c)| c.to_string()).collect()
}

/// Whether the sign at `at` is that of an exponent: `1.5e+03`.
fn is_exponent(line: &str, at: usize) -> bool {
    let mut before = line[..at].bytes().rev();
    let marked = matches!(before.next(), Some(b'e' | b'E'))
        && before.next().is_some_and(|b| b.is_ascii_digit() || b == b'.');
    marked && line.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit)
}

/// How far a delimiter that nobody would think of first is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// In daily use, or made for it.
    Usual,
    /// No part of words or numbers, but of texts.
    Sign,
    /// Part of numbers, addresses and sentences: only where all else speaks for it.
    Doubtful,
}

/// How far a delimiter is trusted.
pub(super) fn trust(delimiter: &str) -> Trust {
    let mut chars = delimiter.chars();
    match (chars.next(), chars.next()) {
        (Some(',' | ';' | '\t' | '|'), None) => Trust::Usual,
        (Some(c), None) if c.is_ascii_control() => Trust::Usual,
        (Some('^' | '~' | '，' | '；'), None) => Trust::Sign,
        (Some(c), None) if !c.is_ascii() && c != '、' => Trust::Sign,
        (Some(_), None) => Trust::Doubtful,
        // A sign and the first one of the cell behind it: `=/`.
        _ if !is_balanced(delimiter.trim()) => Trust::Doubtful,
        _ => Trust::Usual,
    }
}

/// Whether a run of signs looks alike from both ends: `||`, `|~|`, `<=>`; arrows do as well.
fn is_balanced(run: &str) -> bool {
    let mirrored = |c: char| match c {
        '<' => '>',
        '[' => ']',
        '{' => '}',
        '(' => ')',
        c => c,
    };
    let back: String = run.chars().rev().map(mirrored).collect();
    let there: String = run.chars().map(mirrored).collect();
    back == there || matches!(run, "->" | "=>" | "~>" | "<-")
}
