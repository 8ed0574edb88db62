//! Number formats whose sections hold under conditions: `[>=10000]0!.0,"万元";0"元"`.
//!
//! Which section shows a number depends on the number, and with it the unit. Formats without conditions have sections
//! too (negative numbers, zero, texts), but these say the same of what a number means, so the first stands for all.

/// When a section holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Less(f64),
    AtMost(f64),
    Equal(f64),
    Unequal(f64),
    AtLeast(f64),
    More(f64),
    Always,
}

impl When {
    fn holds(self, number: f64) -> bool {
        match self {
            Self::Less(bound) => number < bound,
            Self::AtMost(bound) => number <= bound,
            Self::Equal(bound) => number == bound,
            Self::Unequal(bound) => number != bound,
            Self::AtLeast(bound) => number >= bound,
            Self::More(bound) => number > bound,
            Self::Always => true,
        }
    }

    /// Of what stands in brackets.
    fn parse(inner: &str) -> Option<Self> {
        let bound = inner.trim_start_matches(['<', '>', '=']);
        let number = bound.trim().parse::<f64>().ok().filter(|number| number.is_finite())?;
        match inner.strip_suffix(bound)? {
            "<" => Some(Self::Less(number)),
            "<=" => Some(Self::AtMost(number)),
            "=" => Some(Self::Equal(number)),
            "<>" => Some(Self::Unequal(number)),
            ">=" => Some(Self::AtLeast(number)),
            ">" => Some(Self::More(number)),
            _ => None,
        }
    }
}

/// The sections of a format with conditions, each as something that was made of its code.
#[derive(Debug)]
pub(super) struct Sections<T>(Vec<(When, T)>);

impl<T: Copy> Sections<T> {
    /// `None` for a code without conditions.
    pub(super) fn of_code(code: &str, make: impl Fn(&str) -> T) -> Option<Self> {
        let parts: Vec<(Option<When>, String)> = split(code).into_iter().map(without_condition).collect();
        parts.iter().any(|(when, _)| when.is_some()).then(|| {
            let last = parts.len() - 1;
            let when = |(at, when): (usize, Option<When>)| match when {
                Some(when) => when,
                // Between two others the middle one is for negative numbers.
                None if at == 1 && at < last => When::Less(0.0),
                None => When::Always,
            };
            Self(parts.iter().enumerate().map(|(at, part)| (when((at, part.0)), make(&part.1))).collect())
        })
    }

    /// What the section that holds for a number was made into; `None` if none does.
    pub(super) fn get(&self, number: f64) -> Option<T> {
        self.0.iter().find(|(when, _)| when.holds(number)).map(|(_, made)| *made)
    }
}

/// The sections of a code; semicolons within quotes and brackets part nothing.
fn split(code: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let mut characters = code.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => drop(characters.find(|(_, c)| *c == '"')),
            '[' => drop(characters.find(|(_, c)| *c == ']')),
            '\\' | '!' | '_' | '*' => drop(characters.next()),
            ';' => {
                parts.push(code.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(code.get(start..).unwrap_or_default());
    parts
}

/// A section's condition, which may stand behind a colour, and the section without it.
fn without_condition(section: &str) -> (Option<When>, String) {
    let mut from = 0;
    while let Some(rest) = section.get(from..).filter(|rest| rest.starts_with('['))
        && let Some(end) = rest.find(']')
    {
        if let Some(when) = rest.get(1..end).and_then(When::parse) {
            let behind = rest.get(end + 1..).unwrap_or_default();
            return (Some(when), format!("{}{behind}", section.get(..from).unwrap_or_default()));
        }
        from += end + 1;
    }
    (None, section.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_section_whose_condition_holds() {
        for (code, shown) in [
            ("[>=10000]a;b", [(10_000.0, Some("a")), (9_999.0, Some("b")), (-1.0, Some("b"))]),
            ("[Red][<1]a;[<10]b;c", [(0.5, Some("a")), (1.0, Some("b")), (10.0, Some("c"))]),
            ("[>5]a;b;c", [(6.0, Some("a")), (-6.0, Some("b")), (1.0, Some("c"))]),
            ("[=0]\";\"a;[<>1]b", [(0.0, Some("a")), (2.0, Some("b")), (1.0, None)]),
        ] {
            let last = |section: &str| section.chars().last().unwrap_or(' ');
            let sections = Sections::of_code(code, last).unwrap();
            for (number, expected) in shown {
                let expected = expected.and_then(|text: &str| text.chars().next());
                assert_eq!(sections.get(number), expected, "{code} {number}");
            }
        }
        for code in ["0.00;-0.00", "[Red]0", "\"[>1]\"0", "[>x]0", ""] {
            assert!(Sections::of_code(code, |_| ()).is_none(), "{code}");
        }
    }
}
