//! The words that departments use as headers, shipped as `data/header_aliases.csv`.

use std::sync::LazyLock;

use regex::Regex;

use super::tidy;

/// One line of the dictionary.
pub(super) struct Entry {
    /// The field that the word names.
    pub(super) field: &'static str,
    /// The word, tidied.
    pub(super) word: String,
    /// May mean other things too; counts only where nothing else claims the field.
    pub(super) weak: bool,
}

/// A pattern of the dictionary, such as one for `2023年计划投资`.
pub(super) struct Pattern {
    /// The field that the pattern names.
    pub(super) field: &'static str,
    /// For tidied headers.
    pub(super) regex: Regex,
}

/// The shipped dictionary.
pub(super) struct Dictionary {
    pub(super) entries: Vec<Entry>,
    pub(super) patterns: Vec<Pattern>,
}

pub(super) static DICTIONARY: LazyLock<Dictionary> =
    LazyLock::new(|| parse(include_str!("../../../data/header_aliases.csv")));

/// Lines are `field,zh_label,alias,match,strength,…`, without quotes; a test holds the file to that.
fn parse(csv: &'static str) -> Dictionary {
    let mut dictionary = Dictionary { entries: Vec::new(), patterns: Vec::new() };
    for line in csv.lines().skip(1) {
        let mut cells = line.split(',');
        let mut next = || cells.next().unwrap_or_default();
        let (field, _label, alias, kind, strength) = (next(), next(), next(), next(), next());
        match kind {
            "exact" => {
                dictionary.entries.push(Entry { field, word: tidy(alias), weak: strength == "weak" });
            }
            "regex" => {
                dictionary.patterns.extend(Regex::new(alias).ok().map(|regex| Pattern { field, regex }))
            }
            _ => {}
        }
    }
    dictionary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_shipped_file_is_taken() {
        let csv = include_str!("../../../data/header_aliases.csv");
        assert!(!csv.contains('"'), "the parser knows no quotes");
        assert_eq!(DICTIONARY.entries.len() + DICTIONARY.patterns.len(), csv.lines().count() - 1);
    }
}
