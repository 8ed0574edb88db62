//! What cells look like, and what the cells of a column usually look like.
//!
//! A [`Profile`] is made from the rows that are beyond doubt. It says how well a text would fit into a
//! column ([`Profile::cost`]), which decides between the readings of a row that is in doubt.

mod profile;

pub(super) use self::profile::{Profile, profiles, profiles_of_short};

use std::hash::{Hash, Hasher};

/// What a cell holds, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Empty,
    Integer,
    Decimal,
    /// A number with a sign of currency, per cent, or grouped digits.
    Amount,
    Date,
    Time,
    Stamp,
    Address,
    /// Letters and digits in one piece.
    Code,
    Word,
    Text,
    /// Looks like several cells, or like half a cell.
    Odd,
}

impl Kind {
    /// Whether a header would hardly look like this.
    pub(super) fn is_value(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal | Self::Amount | Self::Date | Self::Time | Self::Stamp)
    }

    /// How likely a cell of this kind is a whole cell.
    pub(super) fn weight(self) -> f64 {
        match self {
            Self::Integer | Self::Decimal | Self::Amount | Self::Date | Self::Time => 1.0,
            Self::Stamp | Self::Address => 1.0,
            Self::Code | Self::Word => 0.95,
            Self::Text => 0.8,
            Self::Empty => 0.7,
            Self::Odd => 0.15,
        }
    }
}

/// Tells what a cell holds.
pub(super) fn kind(cell: &str) -> Kind {
    let text = cell.trim();
    if text.is_empty() {
        return Kind::Empty;
    }
    let digits = text.len() <= 40 && text.bytes().any(|b| b.is_ascii_digit());
    if let Some(kind) = digits.then(|| value_kind(text)).flatten() {
        return kind;
    }
    let wrapped = |q: char| text.starts_with(q) || text.ends_with(q);
    if text.contains([';', '|', '\t']) || wrapped('"') || text.matches('"').count() % 2 == 1 {
        return Kind::Odd;
    }
    let blank = text.contains(char::is_whitespace);
    if !blank
        && (text.contains("://") || text.starts_with("www.") || (text.contains('@') && text.contains('.')))
    {
        return Kind::Address;
    }
    if wrapped('\'') || text.starts_with([',', ':', '^', '~']) || text.ends_with([',', '^', '~']) {
        return Kind::Odd;
    }
    match (blank || text.contains(','), text.bytes().any(|b| b.is_ascii_digit())) {
        (false, true) => Kind::Code,
        (false, false) => Kind::Word,
        (true, _) => Kind::Text,
    }
}

fn value_kind(text: &str) -> Option<Kind> {
    let bytes = text.as_bytes();
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !body.is_empty() && body.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Kind::Integer);
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let count = |b: u8| bytes.iter().filter(|&&c| c == b).count();
    let only = |extra: &[u8]| bytes.iter().all(|b| b.is_ascii_digit() || extra.contains(b));
    let (starts, ends) = (bytes.first()?.is_ascii_digit(), bytes.last()?.is_ascii_digit());
    if body.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && body.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'))
        && body.parse::<f64>().is_ok()
    {
        return Some(Kind::Decimal);
    }
    if starts && ends && count(b':') >= 1 && only(b":.") && digits <= 12 {
        return Some(Kind::Time);
    }
    let upper = text.to_ascii_uppercase();
    if starts
        && count(b':') >= 1
        && let Some(clock) = upper.strip_suffix("AM").or(upper.strip_suffix("PM"))
        && clock.trim_end().bytes().all(|b| b.is_ascii_digit() || b == b':')
    {
        return Some(Kind::Time);
    }
    if is_date(text, bytes) {
        return Some(Kind::Date);
    }
    if let Some((day, clock)) = text.split_once([' ', 'T'])
        && is_date(day, day.as_bytes())
        && clock.starts_with(|c: char| c.is_ascii_digit())
        && clock.contains(':')
    {
        return Some(Kind::Stamp);
    }
    let bare = body.trim_start_matches(['$', '€', '£', '¥', '￥', '(', ' ', '-']);
    let bare = bare.trim_end_matches(['%', '％', '€', '$', ')', ' ', '元', '万', '亿']);
    let grouped = bare.starts_with(|c: char| c.is_ascii_digit())
        && bare.ends_with(|c: char| c.is_ascii_digit())
        && bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.' | b'\'' | b' '))
        && groups(bare);
    grouped.then_some(Kind::Amount)
}

/// Digits in groups of three, or with a decimal comma.
fn groups(bare: &str) -> bool {
    let parts: Vec<&str> = bare.split([',', '.', '\'', ' ']).collect();
    match parts.len() {
        1 => true,
        2 => !parts[0].is_empty() && !bare.contains(' '),
        n => parts[1..n - 1].iter().all(|p| p.len() == 3) && !parts[n - 1].is_empty(),
    }
}

fn is_date(text: &str, bytes: &[u8]) -> bool {
    // A name of a column may have a year in it.
    let part = |c: char| c.is_ascii_digit() || "年月日号时分秒初底末上中下旬半前后约 -~至.".contains(c);
    if text.contains('年') && text.len() <= 20 && text.chars().all(part) {
        return true;
    }
    for mark in [b'-', b'/', b'.'] {
        let parts: Vec<&[u8]> = bytes.split(|&b| b == mark).collect();
        let sizes = |p: &&[u8]| (1..=4).contains(&p.len()) && p.iter().all(u8::is_ascii_digit);
        if parts.len() == 3 && parts.iter().all(sizes) && parts.iter().any(|p| p.len() >= 2) {
            return true;
        }
        let month = |p: &[u8]| p.len() == 3 && p.iter().all(u8::is_ascii_alphabetic);
        if parts.len() == 3 && sizes(&parts[0]) && month(parts[1]) && sizes(&parts[2]) {
            return true;
        }
    }
    false
}

/// The look of a text: its runs of digits and letters, and everything else as it stands.
pub(super) fn pattern(cell: &str) -> u64 {
    let mut hasher = Mixer::default();
    let (mut last, mut run) = ('\0', 0_u8);
    for c in cell.trim().chars().take(48) {
        let class = match c {
            '0'..='9' => '9',
            'a'..='z' => 'a',
            'A'..='Z' => 'A',
            c if c.is_alphanumeric() => '文',
            c => c,
        };
        if class != last {
            if last == '9' {
                // One digit or two are the same in dates and small numbers.
                run.clamp(2, 6).hash(&mut hasher);
            }
            class.hash(&mut hasher);
            (last, run) = (class, 0);
        }
        run = run.saturating_add(1);
    }
    if last == '9' {
        run.clamp(2, 6).hash(&mut hasher);
    }
    hasher.finish()
}

/// The look of a whole row: every run of digits and of letters counts as one sign, whatever its length.
pub(super) fn looks(row: &str) -> u64 {
    let (mut hasher, mut last) = (Mixer::default(), '\0');
    for c in row.chars() {
        let class = match c {
            '0'..='9' => '9',
            c if c.is_alphanumeric() => 'a',
            c => c,
        };
        if class != last || !class.is_alphanumeric() {
            class.hash(&mut hasher);
        }
        last = class;
    }
    hasher.finish()
}

/// Whether a text ends like a sentence: `How do I apply?`
pub(super) fn is_sentence(cell: &str) -> bool {
    cell.trim_end().ends_with(['.', '?', '!', '。', '？', '！'])
}

/// A quick hash for looks and values; what a sender could do with collisions is misjudge his own columns.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_cells() {
        for (cell, expected) in [
            ("", Kind::Empty),
            ("-12", Kind::Integer),
            ("3.14", Kind::Decimal),
            ("1,234.5", Kind::Amount),
            ("12%", Kind::Amount),
            ("$ 12,000", Kind::Amount),
            ("1,5", Kind::Amount),
            ("2023-01-05", Kind::Date),
            ("8/2/2018", Kind::Date),
            ("2023年3月15日", Kind::Date),
            ("2023年投资", Kind::Code),
            ("12:30:05", Kind::Time),
            ("1:05 PM", Kind::Time),
            ("2023-01-05 12:30", Kind::Stamp),
            ("http://x.org/a?b", Kind::Address),
            ("AB-12", Kind::Code),
            ("项目", Kind::Word),
            ("two words", Kind::Text),
            ("5;2", Kind::Odd),
            ("\"half", Kind::Odd),
        ] {
            assert_eq!(kind(cell), expected, "{cell}");
        }
        assert_eq!(pattern("1/12/2020"), pattern("11/2/1999"));
        assert_ne!(pattern("12:30"), pattern("12.30"));
    }
}
