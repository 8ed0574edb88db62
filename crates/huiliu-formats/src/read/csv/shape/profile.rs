//! What the cells of a column usually look like.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use super::super::lex::Cell;
use super::{Kind, Mixer, is_sentence, kind, pattern};

fn value_hash(cell: &str) -> u64 {
    let mut hasher = Mixer::default();
    cell.trim().hash(&mut hasher);
    hasher.finish()
}

/// Digits behind the point of a number.
fn decimals(cell: &str) -> Option<usize> {
    let (whole, part) = cell.trim().rsplit_once('.')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let number = whole.trim_start_matches(['-', '+', '$', '€', '£', '¥', '￥']);
    (!number.is_empty() && digits(number) && digits(part)).then_some(part.len())
}

type Counts<K> = HashMap<K, u32, BuildHasherDefault<Mixer>>;

/// Rows with which a column is hardly known, and how much of a cell of a near kind it may then hold as well; half as
/// much of a number of another kind where it is known.
const FEW: u32 = 8;
const KIN: f64 = 0.3;
/// Rows that tell how long the cells of a column are, and the length of codes, which numbers hardly have.
const LEAST_ROWS: u32 = 3;
const LONG_CODE: usize = 8;

/// Most different looks and values that are kept of one column.
const MOST_KEPT: usize = 2048;

/// What the cells of one column look like.
#[derive(Clone, Debug, Default)]
pub(in crate::read::csv) struct Profile {
    rows: u32,
    /// Cells that need no quotes, and those among them that stand in quotes all the same.
    bare: u32,
    quoted: u32,
    /// Cells in quotes, whether they need them or not.
    wrapped: u32,
    /// Cells with a digit in them, and those outside quotes that begin with a blank.
    digits: u32,
    indented: u32,
    /// Cells outside quotes that end with one.
    trailing: u32,
    /// Cells that end like a sentence.
    stops: u32,
    kinds: Counts<Kind>,
    patterns: Counts<u64>,
    values: Counts<u64>,
    shortest: usize,
    /// The shortest but one.
    second: usize,
    longest: usize,
    /// What the likeliest cell costs.
    usual: f64,
    /// It stands for the column's name, not for its cells.
    name: bool,
    /// Digits behind the points of all numbers, as long as they are equally many.
    decimals: Option<usize>,
    uneven: bool,
    /// The last number, as long as each is more than the one before it.
    rising: Option<u32>,
}

impl Profile {
    /// Takes a cell into account.
    pub(in crate::read::csv) fn add(&mut self, cell: &str, quoted: bool) {
        let length = cell.trim().chars().count();
        if length > 0 {
            if self.longest == 0 {
                (self.shortest, self.second) = (length, usize::MAX);
            } else if length < self.shortest {
                (self.shortest, self.second) = (length, self.shortest);
            } else {
                self.second = self.second.min(length);
            }
            self.longest = self.longest.max(length);
        }
        if self.rows == 0 || self.rising.is_some() {
            let number = cell.trim().parse().ok();
            self.rising = number.filter(|number| self.rising.is_none_or(|last| *number > last));
        }
        if let Some(decimals) = decimals(cell) {
            self.uneven |= self.decimals.is_some_and(|own| own != decimals);
            self.decimals = Some(decimals);
        }
        self.rows += 1;
        self.wrapped += u32::from(quoted);
        self.digits += u32::from(cell.bytes().any(|b| b.is_ascii_digit()));
        self.indented += u32::from(!quoted && cell.starts_with(' '));
        self.trailing += u32::from(!quoted && cell.ends_with(' '));
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
    /// Where the cells cannot do without, the others of the table tell.
    pub(in crate::read::csv) fn for_name(&self, table: &[Self]) -> Self {
        let (bare, quoted) = match self.bare {
            0 => (table.iter().map(|of| of.bare).sum(), table.iter().map(|of| of.quoted).sum()),
            bare => (bare, self.quoted),
        };
        Self { bare, quoted, name: true, ..Self::default() }
    }

    /// Whether this stands for a column's name.
    pub(in crate::read::csv) fn is_name(&self) -> bool {
        self.name
    }

    /// How little a text fits here: 0 for one like all others, some 4 for one like none.
    pub(in crate::read::csv) fn cost(&self, cell: &str) -> f64 {
        if self.rows == 0 {
            let kind = kind(cell);
            return if self.name && (kind == Kind::Empty || kind.is_value()) { 1.0 } else { 0.0 };
        }
        let share = |count: Option<&u32>| f64::from(count.copied().unwrap_or(0)) / f64::from(self.rows);
        let kind = kind(cell);
        let pattern = share(self.patterns.get(&pattern(cell)));
        let value = share(self.values.get(&value_hash(cell)));
        let mut kinds = share(self.kinds.get(&kind));
        let known = self.rows >= FEW;
        if !known || kind.is_value() {
            kinds = kinds.max(self.kin(kind) * if known { KIN / 2.0 } else { KIN });
        }
        let mut likely = 0.02 + 0.5 * kinds + 0.33 * pattern.sqrt() + 0.15 * value.sqrt();
        // Where few values come again and again another one is hardly at home.
        if self.rows >= 20
            && self.values.len() * 5 <= self.rows as usize
            && value == 0.0
            && kind != Kind::Empty
        {
            likely *= 0.4;
        }
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

    /// Whether a number has as many digits behind its point as all others.
    pub(in crate::read::csv) fn has_decimals(&self, cell: &str) -> bool {
        self.rows >= FEW && !self.uneven && self.decimals.is_some() && decimals(cell) == self.decimals
    }

    /// Whether so few cells were seen that they tell little.
    pub(in crate::read::csv) fn is_hardly_known(&self) -> bool {
        self.rows < FEW
    }

    /// Whether nothing like a text was seen here, by its kind and by its looks. An empty one may stand anywhere.
    pub(in crate::read::csv) fn is_foreign(&self, cell: &str) -> bool {
        let kind = kind(cell);
        self.rows > 0 && kind != Kind::Empty && !self.kinds.contains_key(&kind) && !self.has_look(cell)
    }

    /// Share of the cells that are of a kind near to this one: numbers of all kinds, words of all kinds.
    fn kin(&self, kind: Kind) -> f64 {
        let number = |kind: Kind| matches!(kind, Kind::Integer | Kind::Decimal | Kind::Amount);
        let word = |kind: Kind| matches!(kind, Kind::Word | Kind::Text | Kind::Code);
        let near = |of: &Kind| number(*of) && number(kind) || word(*of) && word(kind);
        let count: u32 = self.kinds.iter().filter(|(of, _)| near(of)).map(|(_, count)| count).sum();
        f64::from(count) / f64::from(self.rows.max(1))
    }

    /// Whether a text looks like the beginning of such a cell as all others are: a day without its day, half a code.
    pub(in crate::read::csv) fn is_cut(&self, cell: &str) -> bool {
        let cell = cell.trim();
        let length = cell.chars().count();
        let most = self.kinds.iter().max_by_key(|(_, count)| **count).map(|(kind, _)| *kind);
        // It may be one of those that were seen.
        let seen = self.values.get(&value_hash(cell)).copied().unwrap_or(0);
        let shortest = if seen == 1 { self.second } else { self.shortest };
        let (own, even) = (kind(cell), shortest == self.longest);
        let fixed = matches!(own, Kind::Date | Kind::Stamp | Kind::Time)
            || matches!(own, Kind::Integer | Kind::Code) && self.longest >= LONG_CODE;
        self.rows >= LEAST_ROWS
            && self.digits() > 0.9
            && seen < 2
            && (1..shortest).contains(&length)
            && (even && fixed
                || [Kind::Date, Kind::Stamp].iter().any(|day| most == Some(*day) && own != *day))
    }

    /// What the likeliest cell costs: a row is the same row whether its cells are many or few.
    pub(in crate::read::csv) fn usual(&self) -> f64 {
        self.usual
    }

    /// Works out what shows once all cells are known.
    fn settle(&mut self) {
        let most = |counts: Option<u32>| f64::from(counts.unwrap_or(0)) / f64::from(self.rows.max(1));
        let kind = most(self.kinds.values().max().copied());
        let pattern = most(self.patterns.values().max().copied());
        let value = most(self.values.values().max().copied());
        let likely = 0.02 + 0.5 * kind + 0.33 * pattern.sqrt() + 0.15 * value.sqrt();
        self.usual = if self.rows == 0 { 0.0 } else { -likely.min(1.0).ln() };
    }

    /// Share of cells in quotes among those that need none, or among all where none can do without.
    pub(in crate::read::csv) fn quoted(&self) -> f64 {
        match self.bare {
            0 => f64::from(self.wrapped) / f64::from(self.rows.max(1)),
            bare => f64::from(self.quoted) / f64::from(bare),
        }
    }

    /// Share of the cells that hold something.
    pub(in crate::read::csv) fn share_filled(&self) -> f64 {
        self.filled() / f64::from(self.rows.max(1))
    }

    /// Whether many cells were seen and hardly one ended with a blank.
    pub(in crate::read::csv) fn is_hardly_trailed(&self) -> bool {
        self.rows >= 8 && self.trailing * 10 < self.rows
    }

    /// Whether few values come again and again, and hardly one came once.
    pub(in crate::read::csv) fn is_closed(&self) -> bool {
        let once = self.values.values().filter(|&&count| count == 1).count();
        let rows = self.rows as usize;
        rows >= 20 && self.values.len() * 5 <= rows && once * 50 <= rows
    }

    /// Whether some texts come again, be there few rows or many.
    pub(in crate::read::csv) fn repeats(&self) -> bool {
        let empty = usize::from(self.kinds.contains_key(&Kind::Empty));
        self.rows >= LEAST_ROWS && (self.values.len() - empty) as f64 <= 0.75 * self.filled()
    }

    /// Whether a text looks like some of the cells.
    pub(in crate::read::csv) fn has_look(&self, cell: &str) -> bool {
        self.patterns.contains_key(&pattern(cell))
    }

    /// Whether many cells were seen and hardly one began with a blank.
    pub(in crate::read::csv) fn is_hardly_indented(&self) -> bool {
        self.rows >= 8 && self.indented * 10 < self.rows
    }

    /// Whether no cell is like another, as names of rows: words or codes, or numbers that rise.
    pub(in crate::read::csv) fn names_rows(&self) -> bool {
        let different = self.rows >= LEAST_ROWS && self.values.len() == self.rows as usize;
        different && (self.is_quoted() || self.rising.is_some() || self.values() == 0.0)
    }

    /// Whether each cell stands in quotes.
    pub(in crate::read::csv) fn is_quoted(&self) -> bool {
        self.wrapped == self.rows
    }

    /// Whether a cell outside quotes began, or ended, with a blank.
    pub(in crate::read::csv) fn has_indented(&self) -> bool {
        self.indented > 0
    }

    pub(in crate::read::csv) fn has_trailed(&self) -> bool {
        self.trailing > 0
    }

    /// Whether most cells stand in quotes, for whatever reason.
    pub(in crate::read::csv) fn is_mostly_quoted(&self) -> bool {
        self.wrapped * 2 > self.rows
    }

    /// Cells seen.
    pub(in crate::read::csv) fn rows(&self) -> u32 {
        self.rows
    }

    /// Share of the filled cells that have a digit in them.
    pub(in crate::read::csv) fn digits(&self) -> f64 {
        f64::from(self.digits) / self.filled().max(1.0)
    }

    /// Whether nearly all of some cells have the same look, which is not that of this text.
    pub(in crate::read::csv) fn is_strange(&self, cell: &str) -> bool {
        let most = self.patterns.values().max().copied().unwrap_or(0);
        self.rows >= 3 && most * 20 >= self.rows * 19 && !self.patterns.contains_key(&pattern(cell))
    }

    /// Whether nearly all of some cells end like sentences.
    pub(in crate::read::csv) fn is_of_sentences(&self) -> bool {
        self.rows >= 3 && f64::from(self.stops) > 0.9 * self.filled()
    }

    /// Share of the filled cells that are addresses.
    pub(in crate::read::csv) fn addresses(&self) -> f64 {
        f64::from(self.kinds.get(&Kind::Address).copied().unwrap_or(0)) / self.filled().max(1.0)
    }

    fn filled(&self) -> f64 {
        f64::from(self.rows - self.kinds.get(&Kind::Empty).copied().unwrap_or(0))
    }

    /// Whether a text was seen here.
    pub(in crate::read::csv) fn knows(&self, cell: &str) -> bool {
        self.values.contains_key(&value_hash(cell))
    }

    /// Share of the filled cells that are numbers, dates or times.
    pub(in crate::read::csv) fn values(&self) -> f64 {
        let values: u32 = self.kinds.iter().filter(|(kind, _)| kind.is_value()).map(|(_, n)| n).sum();
        f64::from(values) / self.filled().max(1.0)
    }
}

/// Makes the profiles of a table's columns.
pub(in crate::read::csv) fn profiles<'a>(
    width: usize,
    rows: impl Iterator<Item = &'a [Cell<'a>]>,
) -> Vec<Profile> {
    let mut all = vec![Profile::default(); width];
    for row in rows {
        for (profile, cell) in all.iter_mut().zip(row) {
            profile.add(&cell.text, cell.quoted);
        }
    }
    all.iter_mut().for_each(Profile::settle);
    all
}

/// Makes the profiles of a table's columns from rows that end before the last ones, which are empty.
pub(in crate::read::csv) fn profiles_of_short<'a>(
    width: usize,
    rows: impl Iterator<Item = &'a [Cell<'a>]>,
) -> Vec<Profile> {
    let mut all = vec![Profile::default(); width];
    for row in rows {
        let there = row.iter().map(|cell| (cell.text.as_ref(), cell.quoted));
        for (profile, (text, quoted)) in all.iter_mut().zip(there.chain(std::iter::repeat(("", false)))) {
            profile.add(text, quoted);
        }
    }
    all.iter_mut().for_each(Profile::settle);
    all
}
