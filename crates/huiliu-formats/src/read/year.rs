//! The year that a table is about, for days such as `3月` that do not name theirs.
//!
//! It is looked for where people write it: in the titles above the table, in the name of the sheet, in that of the file.
//! Where one of these names several years it says nothing; where none says anything, it is the current year.

use std::collections::BTreeSet;

use super::header::Layout;
use super::value::strict_date;

/// A day of the year that a table is about; `today` if it does not say.
pub(super) fn day_of(layout: &Layout, sheet: &str, file: &str, today: i32) -> i32 {
    let file = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let titles = layout.titles().iter().map(String::as_str);
    let said = [years(titles), years([sheet].into_iter()), years([file].into_iter())];
    let one = said.into_iter().find(|years| !years.is_empty()).filter(|years| years.len() == 1);
    let year = one.and_then(|years| years.first().copied());
    year.and_then(|year| strict_date(&format!("{year:04}-07-01"))).unwrap_or(today)
}

/// The years of this century that texts name: numbers of four digits that stand alone, if one is followed by 年.
fn years<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeSet<u32> {
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
