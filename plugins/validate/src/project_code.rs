//! The project code (投资项目统一代码, GB/T 40058-2021) and its form before 2021.
//!
//! 20 digits in five groups, `YYMM-RRRRRR-DD-TT-NNNNNC`: month, region, department, type, number and
//! a check digit (ISO/IEC 7064, MOD 11,10). The old form begins with the full year, 2015 to 2020, and has
//! no check digit. A code may carry a suffix of three digits for a part of the project.
//!
//! Whether the county of the region is known, and whether it is ours, is not asked here: that takes a
//! table, and a table is the pipeline's. The first two digits (province) are checked.
//!
//! The daemon makes the SQL function `project_code_valid` of [`is_valid`].

use std::borrow::Cow;

use crate::repair;

/// What a text is, as a project code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// The code in groups, without suffix: borrowed if it was written so. The tidied text if it is no code.
    pub code: Cow<'a, str>,
    /// The three digits of a part of the project, such as `000`.
    pub suffix: Option<String>,
    /// How good it is.
    pub grade: Grade,
}

/// How good a project code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// The new form with the right check digit.
    Valid,
    /// The form of 2015 to 2020, which has no check digit.
    Old,
    /// The new form with another check digit than the rule asks for.
    CheckFails {
        /// The digit that the rule asks for.
        expected: char,
    },
    /// No province has the first two digits of the region.
    Province,
    /// The first four digits are neither a month of the new form nor a year of the old one.
    Time,
    /// Not 20 digits; how many there are.
    Digits(usize),
    /// Something else than digits and hyphens.
    Character(char),
    /// A spreadsheet took it for a number, and its last digits are lost.
    Destroyed,
    /// `暂无`, `办理中`, `/` and the like: there is no code.
    Placeholder,
}

/// Judges a text. Blanks, width, dashes, missing hyphens, a heading and a suffix are repaired.
pub fn check(text: &str) -> Verdict<'_> {
    if let Some(digits) = written_right(text) {
        return Verdict { code: Cow::Borrowed(text), suffix: None, grade: grade(&digits) };
    }
    let tidy = repair::tidy(text);
    let tidy = repair::without_heading(&tidy);
    let none = |grade| Verdict { code: Cow::Owned(tidy.to_owned()), suffix: None, grade };
    if repair::is_placeholder(tidy) {
        return none(Grade::Placeholder);
    }
    if repair::is_scientific(tidy) {
        return none(Grade::Destroyed);
    }
    if let Some(other) = tidy.chars().find(|c| !c.is_ascii_digit() && *c != '-') {
        return none(Grade::Character(other));
    }
    let digits: String = tidy.chars().filter(char::is_ascii_digit).collect();
    let (main, suffix) = match digits.len() {
        23 => digits.split_at(20),
        _ => (&*digits, ""),
    };
    let Ok(main) = <&[u8; 20]>::try_from(main.as_bytes()) else { return none(Grade::Digits(digits.len())) };
    let suffix = (!suffix.is_empty()).then(|| suffix.to_owned());
    Verdict { code: Cow::Owned(in_groups(main)), suffix, grade: grade(main) }
}

/// Whether a text is a project code: of the new form with its check digit, or of the old form.
pub fn is_valid(text: &str) -> bool {
    matches!(check(text).grade, Grade::Valid | Grade::Old)
}

/// The digits of a code that stands in its five groups and has nothing else about it.
fn written_right(text: &str) -> Option<[u8; 20]> {
    let bytes = <&[u8; 24]>::try_from(text.as_bytes()).ok()?;
    let mut digits = [0; 20];
    let mut at = 0;
    for (i, &b) in bytes.iter().enumerate() {
        if matches!(i, 4 | 11 | 14 | 17) {
            if b != b'-' {
                return None;
            }
        } else if b.is_ascii_digit() {
            *digits.get_mut(at)? = b;
            at += 1;
        } else {
            return None;
        }
    }
    Some(digits)
}

fn in_groups(digits: &[u8; 20]) -> String {
    let mut code = String::with_capacity(24);
    for (i, &b) in digits.iter().enumerate() {
        if matches!(i, 4 | 10 | 12 | 14) {
            code.push('-');
        }
        code.push(b as char);
    }
    code
}

fn grade(digits: &[u8; 20]) -> Grade {
    let number = |at: usize| u32::from(digits[at] - b'0') * 10 + u32::from(digits[at + 1] - b'0');
    let (first, second, province) = (number(0), number(2), number(4));
    // Months 15 to 20 do not exist, so the year of an old code is never a month of a new one.
    let old = first == 20 && (15..=20).contains(&second);
    if !old && (first < 20 || !(1..=12).contains(&second)) {
        return Grade::Time;
    }
    if !is_province(province) {
        return Grade::Province;
    }
    let expected = check_digit(digits);
    match digits[19] == expected {
        _ if old => Grade::Old,
        true => Grade::Valid,
        false => Grade::CheckFails { expected: expected as char },
    }
}

/// The provinces of GB/T 2260; 00 stands for projects of central departments, 66 for the Xinjiang corps.
fn is_province(code: u32) -> bool {
    matches!(code, 0 | 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=66 | 71 | 81 | 82)
}

/// ISO/IEC 7064 MOD 11,10 over the first 19 digits.
fn check_digit(digits: &[u8; 20]) -> u8 {
    let mut product = 10;
    for &b in &digits[..19] {
        let sum = match (product + u32::from(b - b'0')) % 10 {
            0 => 10,
            sum => sum,
        };
        product = sum * 2 % 11;
    }
    b'0' + ((11 - product) % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLES: &str = include_str!("../testdata/project_code_samples.csv");

    #[test]
    fn the_published_codes_get_the_published_results() {
        for line in SAMPLES.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let verdict = check(cells[0]);
            let expected = match cells[1] {
                "new" | "synthetic_new" => Grade::Valid,
                "new_fake" => Grade::CheckFails { expected: '0' },
                "old" | "old_suffix" => Grade::Old,
                "malformed" => Grade::Digits(19),
                other => panic!("unknown kind {other}"),
            };
            assert_eq!(verdict.grade, expected, "{line}");
            assert_eq!(verdict.suffix.as_deref(), (cells[1] == "old_suffix").then_some("000"), "{line}");
        }
    }

    #[test]
    fn messy_forms_are_brought_into_groups() {
        let good = "2509-320193-89-01-544060";
        let table = [
            (good, good, None, Grade::Valid),
            ("25093201938901544060", good, None, Grade::Valid),
            ("２５０９－３２０１９３－８９－０１－５４４０６０", good, None, Grade::Valid),
            (" 2509–320193—89－01-544060 ", good, None, Grade::Valid),
            ("2509 320193 89 01 544060", good, None, Grade::Valid),
            ("项目代码：2509-320193-89-01-544060", good, None, Grade::Valid),
            ("2509-320193-89-01-544060-002", good, Some("002"), Grade::Valid),
            (
                "2012-320193-89-01-544060",
                "2012-320193-89-01-544060",
                None,
                Grade::CheckFails { expected: '4' },
            ),
            ("2018-320412-89-01-544060", "2018-320412-89-01-544060", None, Grade::Old),
            ("2514-320193-89-01-544060", "2514-320193-89-01-544060", None, Grade::Time),
            ("1909-320193-89-01-544060", "1909-320193-89-01-544060", None, Grade::Time),
            ("2509-990193-89-01-544060", "2509-990193-89-01-544060", None, Grade::Province),
            ("2509-3201X3-89-01-544060", "2509-3201X3-89-01-544060", None, Grade::Character('X')),
            ("苏发改〔2023〕5号", "苏发改〔2023〕5号", None, Grade::Character('苏')),
            ("2.50932E+19", "2.50932E+19", None, Grade::Destroyed),
            ("办理中", "办理中", None, Grade::Placeholder),
            ("——", "--", None, Grade::Placeholder),
            ("", "", None, Grade::Digits(0)),
        ];
        for (text, code, suffix, grade) in table {
            let verdict = check(text);
            let found = (&*verdict.code, verdict.suffix.as_deref(), verdict.grade);
            assert_eq!(found, (code, suffix, grade), "{text}");
        }
        assert!(matches!(check(good).code, Cow::Borrowed(_)));
    }

    proptest! {
        /// Whatever is made of a text needs nothing more to be made of it; and no text is too odd to judge.
        #[test]
        fn a_repaired_code_needs_no_repair(text in "[0-9０-９ —-]{18,30}|.{0,40}") {
            let verdict = check(&text);
            if matches!(verdict.grade, Grade::Valid | Grade::Old | Grade::CheckFails { .. }) {
                let again = check(&verdict.code);
                prop_assert_eq!((&again.code, again.grade), (&verdict.code, verdict.grade));
                prop_assert!(matches!(again.code, Cow::Borrowed(_)));
            }
        }
    }

    #[test]
    fn one_changed_digit_fails_the_check() {
        let good = *b"25093201938901544060";
        for at in 0..20 {
            for other in (b'0'..=b'9').filter(|&b| b != good[at]) {
                let mut bad = good;
                bad[at] = other;
                let bad = std::str::from_utf8(&bad).unwrap();
                assert_ne!(check(bad).grade, Grade::Valid, "{bad}");
            }
        }
    }
}
