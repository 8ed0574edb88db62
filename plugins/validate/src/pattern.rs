//! Patterns that a whole text must match.
//!
//! `\d` means the digits 0 to 9, as in JSON Schema, not those of every script: a phone number in
//! full-width digits is no phone number to the programs that come after. Everything else is as the
//! `regex` crate has it.
//!
//! Most patterns for codes are a fixed row of characters and classes (`[0-9A-HJ-NPQRTUWXY]{18}`).
//! These are matched by table, several times faster than by the automaton of a regular expression;
//! see [`Row`]. A test compares the two.

use regex::Regex;

/// A pattern, ready to match.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Row(Row),
    Regex(Regex),
}

impl Pattern {
    /// # Errors
    /// What is wrong with the pattern, in one line.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let plain = with_plain_digits(text);
        // Alone first: `a)|(b` must not become sound by the brackets put around it.
        Regex::new(&plain).map_err(|error| one_line(&error))?;
        let regex = Regex::new(&format!(r"\A(?:{plain})\z")).map_err(|error| one_line(&error))?;
        Ok(Row::parse(text).map_or(Self::Regex(regex), Self::Row))
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Row(row) => row.matches(text.as_bytes()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// `\d` and `\D` as classes of 0 to 9.
fn with_plain_digits(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('d')) => out.push_str("[0-9]"),
            ('\\', Some('D')) => out.push_str("[^0-9]"),
            (c, next) => {
                out.push(c);
                out.extend(next);
            }
        }
    }
    out
}

/// A fixed row of ASCII characters and classes: literals, `\d`, `\-`, `[0-9A-Z]`, each perhaps with `{n}`.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// For each byte, the classes that it is in, one bit each.
    classes_of: Box<[u32; 256]>,
    /// For each place, the bit of its class.
    places: Vec<u32>,
}

impl Row {
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        text.len() == self.places.len()
            && text
                .iter()
                .zip(&self.places)
                .fold(true, |good, (&b, place)| good & (self.classes_of[b as usize] & place != 0))
    }

    /// `None` for anything that is not plainly a fixed row; the regular expression then does it.
    fn parse(pattern: &str) -> Option<Self> {
        const LONGEST: usize = 256;
        let mut rest = pattern.strip_prefix('^').unwrap_or(pattern);
        rest = match rest.strip_suffix('$') {
            Some(head) if !head.ends_with('\\') => head,
            _ => rest,
        };
        let mut classes: Vec<Vec<u8>> = Vec::new();
        let mut places = Vec::new();
        while !rest.is_empty() {
            let (class, after) = class(rest)?;
            let (times, after) = times(after)?;
            let known = classes.iter().position(|c| *c == class).unwrap_or(classes.len());
            if known == classes.len() {
                classes.push(class);
            }
            let bit = 1_u32.checked_shl(u32::try_from(known).ok()?)?;
            if places.len() + times > LONGEST {
                return None;
            }
            places.extend(std::iter::repeat_n(bit, times));
            rest = after;
        }
        let mut classes_of = Box::new([0; 256]);
        for (i, class) in classes.iter().enumerate() {
            for &b in class {
                classes_of[b as usize] |= 1 << i;
            }
        }
        Some(Self { classes_of, places })
    }
}

/// The class at the start of a pattern, and what follows.
fn class(pattern: &str) -> Option<(Vec<u8>, &str)> {
    let first = *pattern.as_bytes().first()?;
    match first {
        b'[' => {
            let end = pattern.find(']')?;
            Some((bracket(&pattern.as_bytes()[1..end])?, &pattern[end + 1..]))
        }
        b'\\' => match *pattern.as_bytes().get(1)? {
            b'd' => Some(((b'0'..=b'9').collect(), &pattern[2..])),
            b if b.is_ascii_punctuation() => Some((vec![b], &pattern[2..])),
            _ => None,
        },
        b if b.is_ascii_alphanumeric() || b"-_/:@#%=,;'\"!<>~ ".contains(&b) => {
            Some((vec![b], &pattern[1..]))
        }
        _ => None,
    }
}

/// What stands in a bracket: single characters and ranges, `\d`, `\-`.
fn bracket(inside: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < inside.len() {
        let b = inside[at];
        at += 1;
        match (b, inside.get(at), inside.get(at + 1)) {
            (b'\\', Some(b'd'), _) => {
                all.extend(b'0'..=b'9');
                at += 1;
            }
            (b'\\', Some(&next), _) if next.is_ascii_punctuation() => {
                all.push(next);
                at += 1;
            }
            (from, Some(b'-'), Some(&to)) if from.is_ascii_alphanumeric() => {
                if !to.is_ascii_alphanumeric() || to < from {
                    return None;
                }
                all.extend(from..=to);
                at += 2;
            }
            (b, _, _) if b.is_ascii_alphanumeric() || b == b'_' => all.push(b),
            _ => return None,
        }
    }
    all.sort_unstable();
    all.dedup();
    (!all.is_empty()).then_some(all)
}

/// `{n}` at the start of a pattern, else once; `None` for any other repetition.
fn times(pattern: &str) -> Option<(usize, &str)> {
    match pattern.as_bytes().first() {
        Some(b'{') => {
            let end = pattern.find('}')?;
            let times = &pattern[1..end];
            let digits = !times.is_empty() && times.bytes().all(|b| b.is_ascii_digit());
            let rest = &pattern[end + 1..];
            let again = matches!(rest.as_bytes().first(), Some(b'*' | b'+' | b'?' | b'{'));
            (digits && !again).then(|| times.parse().ok().map(|n| (n, rest)))?
        }
        Some(b'*' | b'+' | b'?') => None,
        _ => Some((1, pattern)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_holds_for_the_whole_text() {
        // Pattern, whether it is matched by table, texts that match, texts that do not.
        let table: [(&str, bool, &[&str], &[&str]); 9] = [
            (
                r"\d{4}-\d{6}-\d{2}-\d{2}-\d{6}",
                true,
                &["2509-320193-89-01-544060"],
                &["2509-320193-89-01-54406", "2509-320193-89-01-5440600", "x2509-320193-89-01-544060", ""],
            ),
            (
                "^[0-9A-HJ-NPQRTUWXY]{18}$",
                true,
                &["91350100M000100Y43"],
                &["91350100M000100Y4I", "91350100m000100y43"],
            ),
            (r"1[3-9]\d{9}", true, &["13812345678"], &["12812345678", "1381234567８", "无"]),
            ("", true, &[""], &["a"]),
            ("a|bc", false, &["a", "bc"], &["ab", "bca", "b"]),
            ("^a$|^b$", false, &["a", "b"], &["ab"]),
            (
                r"\d{3,4}-?\d{8}",
                false,
                &["0519-12345678", "05112345678"],
                &["0519-1234567", "０５１９12345678"],
            ),
            (r"[\u4e00-\u9fa5]+镇", false, &["湖塘镇"], &["湖塘", "镇"]),
            (r"\D+", false, &["湖塘", "５"], &["5", "a5"]),
        ];
        for (text, by_table, good, bad) in table {
            let pattern = Pattern::new(text).unwrap();
            assert_eq!(matches!(pattern, Pattern::Row(_)), by_table, "{text}");
            for good in good {
                assert!(pattern.matches(good), "{text} should match {good}");
            }
            for bad in bad {
                assert!(!pattern.matches(bad), "{text} should not match {bad}");
            }
        }
        assert_eq!(Pattern::new("[a-").unwrap_err(), "unclosed character class");
        assert_eq!(Pattern::new("a)|(b").unwrap_err(), "unopened group");
    }

    proptest! {
        /// Whatever is matched by table is matched alike by the regular expression.
        #[test]
        fn a_table_says_what_the_regular_expression_says(
            pattern in r"(\^)?(([a-c0-2_\-]|\\d|\\-|\\.|\[[a-c0-2]{1,3}\]|\[a-c\]|\[\\d_\]|\[a-\]|\.|\?)(\{[0-3]\}|\+)?){0,4}(\$)?",
            text in "[a-c0-3_.镇-]{0,8}",
        ) {
            if let (Some(row), Ok(regex)) =
                (Row::parse(&pattern), Regex::new(&format!(r"\A(?:{})\z", with_plain_digits(&pattern))))
            {
                prop_assert_eq!(row.matches(text.as_bytes()), regex.is_match(&text), "{} {}", pattern, text);
            }
        }
    }
}
