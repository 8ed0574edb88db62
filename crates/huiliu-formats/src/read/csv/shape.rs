//! What cells look like, and what the cells of a column usually look like.
//!
//! A [`Profile`] is made from the rows that are beyond doubt. It says how well a text would fit into a
//! column ([`Profile::cost`]), which decides between the readings of a row that is in doubt.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

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

fn value_hash(cell: &str) -> u64 {
    let mut hasher = Mixer::default();
    cell.trim().hash(&mut hasher);
    hasher.finish()
}

type Counts<K> = HashMap<K, u32, BuildHasherDefault<Mixer>>;

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

/// Most different looks and values that are kept of one column.
const MOST_KEPT: usize = 2048;

/// What the cells of one column look like.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    rows: u32,
    /// Cells that need no quotes, and those among them that stand in quotes all the same.
    bare: u32,
    quoted: u32,
    /// Cells in quotes, whether they need them or not.
    wrapped: u32,
    /// Cells with a digit in them, and those outside quotes that begin with a blank.
    digits: u32,
    indented: u32,
    /// Cells that end like a sentence.
    stops: u32,
    kinds: Counts<Kind>,
    patterns: Counts<u64>,
    values: Counts<u64>,
    shortest: usize,
    longest: usize,
    /// It stands for the column's name, not for its cells.
    name: bool,
}

impl Profile {
    /// Takes a cell into account.
    pub(super) fn add(&mut self, cell: &str, quoted: bool) {
        let length = cell.trim().chars().count();
        if length > 0 {
            self.shortest = if self.longest == 0 { length } else { self.shortest.min(length) };
            self.longest = self.longest.max(length);
        }
        self.rows += 1;
        self.wrapped += u32::from(quoted);
        self.digits += u32::from(cell.bytes().any(|b| b.is_ascii_digit()));
        self.indented += u32::from(!quoted && cell.starts_with(' '));
        self.stops += u32::from(is_sentence(cell));
        if length > 0 && !cell.contains([',', ';', '\t', '|', '"', '\'', '\n', '\r']) {
            self.bare += 1;
            self.quoted += u32::from(quoted);
        }
        *self.kinds.entry(kind(cell)).or_default() += 1;
        for (map, key) in [(&mut self.patterns, pattern(cell)), (&mut self.values, value_hash(cell))] {
            if map.len() < MOST_KEPT || map.contains_key(&key) {
                *map.entry(key).or_default() += 1;
            }
        }
    }

    /// What the name of this column may look like: in quotes if its cells are, and hardly empty or a value.
    pub(super) fn for_name(&self) -> Self {
        Self { bare: self.bare, quoted: self.quoted, name: true, ..Self::default() }
    }

    /// Whether this stands for a column's name.
    pub(super) fn is_name(&self) -> bool {
        self.name
    }

    /// How little a text fits here: 0 for one like all others, some 4 for one like none.
    pub(super) fn cost(&self, cell: &str) -> f64 {
        if self.rows == 0 {
            let kind = kind(cell);
            return if self.name && (kind == Kind::Empty || kind.is_value()) { 1.0 } else { 0.0 };
        }
        let share = |count: Option<&u32>| f64::from(count.copied().unwrap_or(0)) / f64::from(self.rows);
        let kind = kind(cell);
        let pattern = share(self.patterns.get(&pattern(cell)));
        let value = share(self.values.get(&value_hash(cell)));
        let mut likely =
            0.02 + 0.5 * share(self.kinds.get(&kind)) + 0.33 * pattern.sqrt() + 0.15 * value.sqrt();
        let length = cell.trim().chars().count();
        if kind != Kind::Empty && self.shortest == self.longest && length != self.longest && self.rows > 3 {
            likely *= 0.5;
        } else if kind != Kind::Empty && (length * 2 < self.shortest || length > self.longest * 2) {
            likely *= 0.6;
        } else if kind != Kind::Empty && (length < self.shortest || length > self.longest) {
            likely *= 0.85;
        }
        -likely.min(1.0).ln()
    }

    /// Share of cells in quotes among those that need none.
    pub(super) fn quoted(&self) -> f64 {
        f64::from(self.quoted) / f64::from(self.bare.max(1))
    }

    /// Whether many cells were seen and hardly one began with a blank.
    pub(super) fn is_hardly_indented(&self) -> bool {
        self.rows >= 8 && self.indented * 10 < self.rows
    }

    /// Whether most cells stand in quotes, for whatever reason.
    pub(super) fn is_mostly_quoted(&self) -> bool {
        self.wrapped * 2 > self.rows
    }

    /// Cells seen.
    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// Share of the filled cells that have a digit in them.
    pub(super) fn digits(&self) -> f64 {
        f64::from(self.digits) / self.filled().max(1.0)
    }

    /// Whether nearly all of some cells have the same look, which is not that of this text.
    pub(super) fn is_strange(&self, cell: &str) -> bool {
        let most = self.patterns.values().max().copied().unwrap_or(0);
        self.rows >= 3 && most * 20 >= self.rows * 19 && !self.patterns.contains_key(&pattern(cell))
    }

    /// Whether nearly all of some cells end like sentences.
    pub(super) fn is_of_sentences(&self) -> bool {
        self.rows >= 3 && f64::from(self.stops) > 0.9 * self.filled()
    }

    /// Share of the filled cells that are addresses.
    pub(super) fn addresses(&self) -> f64 {
        f64::from(self.kinds.get(&Kind::Address).copied().unwrap_or(0)) / self.filled().max(1.0)
    }

    fn filled(&self) -> f64 {
        f64::from(self.rows - self.kinds.get(&Kind::Empty).copied().unwrap_or(0))
    }

    /// Whether a text was seen here.
    pub(super) fn knows(&self, cell: &str) -> bool {
        self.values.contains_key(&value_hash(cell))
    }

    /// Share of the filled cells that are numbers, dates or times.
    pub(super) fn values(&self) -> f64 {
        let values: u32 = self.kinds.iter().filter(|(kind, _)| kind.is_value()).map(|(_, n)| n).sum();
        f64::from(values) / self.filled().max(1.0)
    }
}

/// Makes the profiles of a table's columns.
pub(super) fn profiles<'a>(
    width: usize,
    rows: impl Iterator<Item = &'a [super::lex::Cell<'a>]>,
) -> Vec<Profile> {
    let mut all = vec![Profile::default(); width];
    for row in rows {
        for (profile, cell) in all.iter_mut().zip(row) {
            profile.add(&cell.text, cell.quoted);
        }
    }
    all
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
