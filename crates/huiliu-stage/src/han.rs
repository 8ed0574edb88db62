//! Chinese characters in their simplified form, for whoever compares texts or headings that may be in the traditional one.

use std::sync::OnceLock;

/// Pairs of a traditional character and its simplified form.
const SIMPLIFIED: &str = include_str!("simplified.txt");

/// First character of the table, and its last.
const FIRST: u32 = 0x4e00;
const LAST: u32 = 0x9fff;

/// The simplified form of a character; what has none stays as it is.
pub fn simplified(c: char) -> char {
    static TABLE: OnceLock<Vec<char>> = OnceLock::new();
    let Some(at) = u32::from(c).checked_sub(FIRST).filter(|at| *at <= LAST - FIRST) else { return c };
    let table = TABLE.get_or_init(|| {
        let mut table: Vec<char> = (FIRST..=LAST).filter_map(char::from_u32).collect();
        for pair in SIMPLIFIED.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace) {
            let mut chars = pair.chars();
            if let (Some(from), Some(to)) = (chars.next(), chars.next())
                && let Some(at) = u32::from(from).checked_sub(FIRST)
                && let Some(entry) = table.get_mut(at as usize)
            {
                *entry = to;
            }
        }
        table
    });
    table.get(at as usize).copied().unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traditional_headings_are_the_simplified_ones() {
        let of = |text: &str| text.chars().map(simplified).collect::<String>();
        assert_eq!(of("項目名稱，總投資（萬元）"), "项目名称，总投资（万元）");
        assert_eq!(of("项目 abc 一\u{9fff}\u{a000}😀"), "项目 abc 一\u{9fff}\u{a000}😀");
    }

    #[test]
    fn no_simplified_character_is_taken_for_another_and_none_has_two_forms() {
        let pairs = SIMPLIFIED.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
        let pairs: Vec<(char, char)> = pairs
            .map(|pair| {
                let mut chars = pair.chars();
                (chars.next().unwrap(), chars.next().unwrap())
            })
            .collect();
        let from: std::collections::BTreeSet<char> = pairs.iter().map(|pair| pair.0).collect();
        assert_eq!(from.len(), pairs.len(), "a character is listed twice");
        for (_, to) in pairs {
            assert!(!from.contains(&to), "{to} is simplified and would map on");
        }
    }
}
