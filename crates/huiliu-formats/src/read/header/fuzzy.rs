//! Fields that a header nobody knows may mean, because it is nearly one of their names.
//!
//! 开工时间 and 竣工时间 differ in one character and mean the opposite, so nothing is ever read by likeness: the
//! fields are told as candidates, for the sender to confirm.

use super::Layout;
use super::names::Names;

/// Fewest characters of a header that is compared: two of three say little.
const FEWEST: usize = 4;
/// Least share of the characters that must be the same, in percent.
const THRESHOLD: usize = 75;
/// Most candidates of one header.
const MOST: usize = 3;

/// Gives columns that nothing is known of the fields that they may mean.
pub(super) fn suggest(layout: &mut Layout, names: &Names) {
    for at in 0..layout.columns.len() {
        let Some(column) = layout.columns.get(at) else { continue };
        let known = column.field.is_some() || !column.others.is_empty();
        if known || layout.twins.iter().any(|(twin, _)| *twin == at) {
            continue;
        }
        let of = [names.of_another(&column.path), names.of_a_year(&column.path)];
        let may = of.into_iter().find(|may| !may.is_empty()).unwrap_or_else(|| names.near(&column.path));
        let near = may.into_iter().filter(|field| layout.column_of(*field).is_none());
        let near = near.collect();
        if let Some(column) = layout.columns.get_mut(at) {
            column.others = near;
        }
    }
}

/// The fields among `words` that `header` is nearly a name of, the likeliest first. All texts are tidied.
pub(super) fn near<'a>(header: &str, words: impl Iterator<Item = (&'a str, usize)>) -> Vec<usize> {
    let header: Vec<char> = header.chars().collect();
    if header.len() < FEWEST || header.len() > 40 {
        return Vec::new();
    }
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (word, field) in words {
        let word: Vec<char> = word.chars().collect();
        let longer = header.len().max(word.len());
        if word.len() < FEWEST || header.len().abs_diff(word.len()) * 100 > longer * (100 - THRESHOLD) {
            continue;
        }
        let alike = 100 - distance(&header, &word) * 100 / longer;
        if alike < THRESHOLD {
            continue;
        }
        match found.iter_mut().find(|(_, of)| *of == field) {
            Some((best, _)) => *best = alike.max(*best),
            None => found.push((alike, field)),
        }
    }
    found.sort_by_key(|&(alike, field)| (std::cmp::Reverse(alike), field));
    found.into_iter().take(MOST).map(|(_, field)| field).collect()
}

/// How many characters must be changed, added or taken away to make one text of the other (Levenshtein).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut before = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, b) in other.iter().enumerate() {
            let left = row.get(j).copied().unwrap_or(0);
            let Some(cell) = row.get_mut(j + 1) else { continue };
            let changed = before + usize::from(a != b);
            before = *cell;
            *cell = changed.min(*cell + 1).min(left + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_near_and_a_short_word_is_not() {
        let words = [("建设单位", 0), ("竣工时间", 1), ("开工时间", 2), ("单位", 3)];
        let near = |header| near(header, words.into_iter());
        assert_eq!(near("建设单为"), [0]);
        assert_eq!(near("建设单位名"), [0]);
        assert_eq!(near("完工时间"), [1, 2]);
        assert!(near("单为").is_empty());
        assert!(near("存在问题").is_empty());
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("开工"), &chars("计划开工时间")), 4);
    }
}
