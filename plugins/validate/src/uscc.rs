//! The unified social credit code (统一社会信用代码, GB 32100-2015).
//!
//! 18 characters of an alphabet of 31. Two tests lie in it: the last character checks the 17 before
//! it, and characters 9 to 17 are an organisation code (GB 11714) with a check of its own. Codes that
//! were given out in early pilot areas pass only the inner test, so one failing test is a warning and
//! two are an error.
//!
//! What people do to codes by typing (blanks, full width, lower case) is repaired. What cannot be
//! known is not guessed: a letter that the alphabet lacks gives at most a suggestion, and a code that
//! a spreadsheet turned into a number is lost.
//!
//! The daemon makes the SQL function `uscc_valid` of [`is_valid`].

use std::borrow::Cow;

use crate::repair;

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
const INNER_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// What a text is, as a credit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// The code without blanks, narrow and in upper case: borrowed if it was written so.
    pub code: Cow<'a, str>,
    /// How good it is.
    pub grade: Grade,
}

/// How good a credit code is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Both tests pass.
    Valid,
    /// The last character is wrong by the rule, but the organisation code inside passes: a real code of the
    /// pilot areas, or a typing error in the last character.
    LastFails {
        /// The last character that the rule asks for.
        expected: char,
    },
    /// The last character is right, but the organisation code inside fails.
    InnerFails,
    /// Both tests fail.
    BothFail {
        /// The last character that the rule asks for.
        expected: char,
    },
    /// Not 18 characters.
    Length(usize),
    /// A character that no code has.
    Character {
        /// The first such character.
        found: char,
        /// The valid code that comes out when letters that look like digits are taken for these.
        suggestion: Option<String>,
    },
    /// A spreadsheet took it for a number, and its last digits are lost.
    Destroyed,
    /// `暂无`, `/` and the like: there is no code.
    Placeholder,
}

/// Judges a text. Only blanks, width and case are repaired.
pub fn check(text: &str) -> Verdict<'_> {
    let code = tidy(text);
    let grade = grade(&code);
    Verdict { code, grade }
}

/// Whether a text is a credit code that passes both tests, after repair of blanks, width and case.
pub fn is_valid(text: &str) -> bool {
    check(text).grade == Grade::Valid
}

fn tidy(text: &str) -> Cow<'_, str> {
    let tidy = repair::tidy(text);
    let code = repair::without_heading(&tidy);
    // The organisation code is often set apart by a hyphen; no code has one.
    match code.contains('-') && code.bytes().any(|b| b.is_ascii_alphanumeric()) {
        true => Cow::Owned(code.replace('-', "")),
        false if code.len() < tidy.len() => Cow::Owned(code.to_owned()),
        false => tidy,
    }
}

fn grade(code: &str) -> Grade {
    if let Ok(bytes) = <&[u8; 18]>::try_from(code.as_bytes())
        && let Some(values) = values(bytes)
    {
        return by_tests(bytes, &values);
    }
    if repair::is_placeholder(code) {
        return Grade::Placeholder;
    }
    if repair::is_scientific(code) {
        return Grade::Destroyed;
    }
    match code.chars().find(|&c| !c.is_ascii() || value(c as u8).is_none()) {
        Some(found) => Grade::Character { found, suggestion: suggestion(code) },
        None => Grade::Length(code.len()),
    }
}

fn by_tests(code: &[u8; 18], values: &[u32; 18]) -> Grade {
    let sum: u32 = values.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    let expected = ALPHABET[((31 - sum % 31) % 31) as usize];
    let (last, inner) = (code[17] == expected, inner_passes(code));
    let expected = expected as char;
    match (last, inner) {
        (true, true) => Grade::Valid,
        (false, true) => Grade::LastFails { expected },
        (true, false) => Grade::InnerFails,
        // A spreadsheet keeps 15 digits of a number and writes zeros for the rest.
        (false, false) if code.iter().all(u8::is_ascii_digit) && code.ends_with(b"000") => Grade::Destroyed,
        (false, false) => Grade::BothFail { expected },
    }
}

/// The organisation code in characters 9 to 17, by its own rule.
fn inner_passes(code: &[u8; 18]) -> bool {
    let value = |b: u8| if b.is_ascii_digit() { b - b'0' } else { b - b'A' + 10 };
    let sum: u32 =
        code[8..16].iter().zip(INNER_WEIGHTS).map(|(&b, weight)| u32::from(value(b)) * weight).sum();
    let expected = match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        digit => b'0' + digit as u8,
    };
    code[16] == expected
}

fn value(b: u8) -> Option<u32> {
    const VALUES: [u8; 256] = {
        let mut table = [u8::MAX; 256];
        let mut i = 0;
        while i < ALPHABET.len() {
            table[ALPHABET[i] as usize] = i as u8;
            i += 1;
        }
        table
    };
    let value = VALUES[b as usize];
    (value != u8::MAX).then_some(u32::from(value))
}

fn values(code: &[u8; 18]) -> Option<[u32; 18]> {
    let mut all = [0; 18];
    for (value_of, &b) in all.iter_mut().zip(code) {
        *value_of = value(b)?;
    }
    Some(all)
}

/// The code with `O`, `I`, `Z`, `S` read as the digits they look like, if it then passes both tests.
fn suggestion(code: &str) -> Option<String> {
    let swapped: String = code
        .chars()
        .map(|c| match c {
            'O' => '0',
            'I' => '1',
            'Z' => '2',
            'S' => '5',
            other => other,
        })
        .collect();
    let bytes = <&[u8; 18]>::try_from(swapped.as_bytes()).ok()?;
    let valid = by_tests(bytes, &values(bytes)?) == Grade::Valid;
    valid.then_some(swapped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `code,note,check_ok,expected_check_char,org_code_check_ok,kind,source`; codes hold no comma.
    const SAMPLES: &str = include_str!("../testdata/uscc_samples.csv");

    #[test]
    fn the_published_codes_get_the_published_results() {
        let mut seen = 0;
        for line in SAMPLES.lines().skip(1) {
            let code = line.split(',').next().unwrap();
            let grade = check(code).grade;
            // A note may hold commas in quotes: what follows it is found from the results on.
            let cells: Vec<&str> = line.split(',').collect();
            let Some(at) = cells.iter().position(|cell| ["yes", "no"].contains(cell)) else { continue };
            let (last, wanted, inner) =
                (cells[at] == "yes", cells[at + 1].chars().next().unwrap(), cells[at + 2] == "yes");
            seen += 1;
            let expected = match (last, inner) {
                // `Z` is no character of a code, whatever the inner test says.
                _ if code.ends_with('Z') => Grade::Character { found: 'Z', suggestion: None },
                (true, true) => Grade::Valid,
                (false, true) => Grade::LastFails { expected: wanted },
                (true, false) => Grade::InnerFails,
                (false, false) => Grade::BothFail { expected: wanted },
            };
            assert_eq!(grade, expected, "{code}");
        }
        assert_eq!(seen, 31);
    }

    #[test]
    fn damage_is_repaired_where_nothing_is_guessed() {
        let good = "91350100M000100Y43";
        let table = [
            ("９１３５０１００Ｍ０００１００Ｙ４３", good, Grade::Valid),
            ("91350100m000100y43", good, Grade::Valid),
            (" 91350100 M000100Y4 3\u{3000}", good, Grade::Valid),
            ("统一社会信用代码：91350100M000100Y43", good, Grade::Valid),
            ("91350100-M000100Y4-3", good, Grade::Valid),
            ("'914403001922038216", "914403001922038216", Grade::Valid),
            (
                "9135O100M000100Y43",
                "9135O100M000100Y43",
                Grade::Character { found: 'O', suggestion: Some(good.into()) },
            ),
            ("91350100M000100Y4I", "91350100M000100Y4I", Grade::Character { found: 'I', suggestion: None }),
            ("91350100M000100Y4", "91350100M000100Y4", Grade::Length(17)),
            ("", "", Grade::Length(0)),
            ("320483000012345", "320483000012345", Grade::Length(15)),
            ("9.14403E+17", "9.14403E+17", Grade::Destroyed),
            ("914403001922038000", "914403001922038000", Grade::Destroyed),
            ("暂无", "暂无", Grade::Placeholder),
            (" / ", "/", Grade::Placeholder),
            ("常州某公司", "常州某公司", Grade::Character { found: '常', suggestion: None }),
        ];
        for (text, code, grade) in table {
            let verdict = check(text);
            assert_eq!((&*verdict.code, verdict.grade), (code, grade), "{text}");
        }
        assert!(matches!(check(good).code, Cow::Borrowed(_)));
    }

    proptest! {
        /// However a code is spread, widened or lowered, it is the same code; and no text is too odd to judge.
        #[test]
        fn writing_does_not_change_a_code(marks in "[ \u{3000}\t\n-]{18}", wide in any::<u32>(), other in ".{0,40}") {
            let good = "91350100M000100Y43";
            let messy: String = good
                .chars()
                .zip(marks.chars())
                .enumerate()
                .flat_map(|(i, (c, mark))| match wide >> i & 1 {
                    1 => [char::from_u32(c as u32 + 0xfee0).unwrap(), mark],
                    _ => [c.to_ascii_lowercase(), mark],
                })
                .collect();
            let verdict = check(&messy);
            prop_assert_eq!((&*verdict.code, verdict.grade), (good, Grade::Valid));
            check(&other);
        }
    }

    #[test]
    fn one_changed_character_never_passes_both_tests() {
        let good = *b"91350100M000100Y43";
        for at in 0..18 {
            for &other in ALPHABET.iter().filter(|&&b| b != good[at]) {
                let mut bad = good;
                bad[at] = other;
                let bad = std::str::from_utf8(&bad).unwrap();
                assert!(!is_valid(bad), "{bad}");
            }
        }
    }
}
