//! Years that texts such as titles and headers name.

use std::collections::BTreeSet;

/// The years of this century that texts name: numbers of four digits that stand alone, if one is followed by 年.
pub(in crate::read) fn years<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeSet<u32> {
    let (mut years, mut named) = (BTreeSet::new(), false);
    for text in texts {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let behind = &rest[at..];
            let length = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
            let (digits, after) = behind.split_at(length);
            if let Some(year) = digits.parse().ok().filter(|year| length == 4 && (2000..2100).contains(year))
            {
                years.insert(year);
                named |= after.trim_start().starts_with('年');
            }
            rest = after;
        }
    }
    if named { years } else { BTreeSet::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_counts_where_it_is_the_only_one_that_is_named() {
        for (text, expected) in [
            ("武进区2023年4月重点项目进展情况表", &[2023][..]),
            ("武高新-2023 年4月.xlsx", &[2023]),
            ("2022-2025年重点项目", &[2022, 2025]),
            ("2023年重点项目2023年4月进展", &[2023]),
            ("20230405", &[]),
            ("第2023号", &[]),
            ("G2023年", &[2023]),
            ("", &[]),
        ] {
            let found: Vec<u32> = years([text].into_iter()).into_iter().collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
