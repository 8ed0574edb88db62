//! The search for the cheapest way to make the table's width of a record's pieces.

use super::super::lex::Form;
use super::super::shape::{Kind, Profile, kind};
use super::cell::inside;
use super::effort::Purse;
use super::names::doubt;
use super::{Mended, Repair};

/// How some of a record's pieces become cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many pieces are a cell.
    Cell(usize),
    Surplus,
    Missing,
    /// Everything from this cell on is missing.
    Tail(usize),
    /// So many pieces are two cells, the second beginning at this byte.
    Parted(usize, usize),
}

impl Step {
    /// Pieces that it takes.
    pub(super) fn pieces(self) -> usize {
        match self {
            Self::Cell(taken) | Self::Parted(taken, _) => taken,
            Self::Surplus => 1,
            Self::Missing | Self::Tail(_) => 0,
        }
    }

    /// The pieces used and cells made before it.
    fn back(self, (used, made): (usize, usize)) -> (usize, usize) {
        let cells = match self {
            Self::Cell(_) | Self::Missing => 1,
            Self::Surplus => 0,
            Self::Parted(..) => 2,
            Self::Tail(from) => made.saturating_sub(from),
        };
        (used.saturating_sub(self.pieces()), made.saturating_sub(cells))
    }
}

/// Most pieces of a record that is mended.
const MOST_PIECES: usize = 400;
/// Most states of the search for one reading.
const MOST_STATES: usize = 12_000;
/// Most pieces that one cell is made of.
const LONGEST_JOIN: usize = 40;
/// Most names that tell how the header writes them.
const MOST_NAMES: usize = 50;
/// Work of looking at one place where a piece may be parted.
const PLACE: usize = 4;
/// Longest piece that is parted in two.
const LONGEST_PARTED: usize = 400;

/// Reads one record in all ways that are worth a try.
pub(super) struct Reader<'a> {
    pub(super) form: &'a Form,
    pub(super) columns: &'a [Profile],
    pub(super) record: &'a str,
    /// The delimiter as it stands in sentences.
    pub(super) spaced: String,
    /// Whether there are quotes of any kind, and line breaks.
    pub(super) quotes: bool,
    pub(super) broken: bool,
    /// The work that may be done.
    pub(super) purse: &'a Purse,
}

/// What is known of a state of the search: its price and the step that led to it.
type State = (f64, Option<Step>);

impl<'a> Reader<'a> {
    pub(super) fn new(form: &'a Form, columns: &'a [Profile], record: &'a str, purse: &'a Purse) -> Self {
        purse.spend(record.len());
        let quotes = record.bytes().any(|b| matches!(b, b'"' | b'\'') || Some(b) == form.quote);
        let broken = memchr::memchr2(b'\n', b'\r', record.as_bytes()).is_some();
        let bare = form.delimiter.trim_end_matches(' ');
        let spaced = if bare.is_empty() { "  ".to_owned() } else { format!("{bare} ") };
        Self { form, columns, record, spaced, quotes, broken, purse }
    }

    /// The cheapest reading with the table's width, if it costs less than `bound`.
    pub(super) fn best(&self, bound: f64) -> Option<Mended> {
        let pieces = self.pieces();
        let (count, width) = (pieces.len(), self.columns.len());
        let states = (count + 1) * (count.saturating_sub(width) + 4).min(width + 1);
        if count > MOST_PIECES || states > MOST_STATES || width == 0 || bound <= 0.0 {
            return None;
        }
        let mut prices: Vec<State> = vec![(f64::MAX, None); (count + 1) * (width + 1)];
        prices[0].0 = 0.0;
        for used in 0..=count {
            for made in 0..=width {
                // State: pieces used, cells made.
                let price = prices[used * (width + 1) + made].0;
                if price == f64::MAX || made > used + 3 {
                    continue;
                }
                if self.purse.is_empty() {
                    return None;
                }
                self.steps(&pieces, (used, made), bound - price, |used, made, cost, step| {
                    let to = &mut prices[used * (width + 1) + made];
                    if price + cost < to.0 - 1e-9 && price + cost < bound {
                        *to = (price + cost, Some(step));
                    }
                });
            }
        }
        self.purse.spend(prices.len());
        let cost = prices[count * (width + 1) + width].0;
        let (mut at, mut steps) = ((count, width), Vec::new());
        while cost < f64::MAX && at != (0, 0) {
            let step = prices[at.0 * (width + 1) + at.1].1?;
            steps.push(step);
            at = step.back(at);
        }
        (cost < f64::MAX).then(|| self.walk(&pieces, steps, cost))?
    }

    /// The reading that these steps lead to, which another record was read by.
    pub(super) fn repeated(&self, steps: &[Step], delimiter: Option<&'static str>) -> Option<Mended> {
        let pieces = self.pieces();
        let taken: usize = steps.iter().map(|step| step.pieces()).sum();
        let mut found = (taken == pieces.len()).then(|| self.walk(&pieces, steps.to_vec(), 0.0))??;
        if delimiter.is_some() {
            found.repairs.insert(0, Repair::OtherDelimiter);
        }
        Some(found)
    }

    /// All steps from a state, each with where it leads and what it costs; none that costs more than `most`.
    fn steps(
        &self,
        pieces: &[(usize, usize)],
        (used, made): (usize, usize),
        most: f64,
        mut relax: impl FnMut(usize, usize, f64, Step),
    ) {
        let (count, width) = (pieces.len(), self.columns.len());
        // Pieces in quotes may be one cell, so that others are lacking.
        let lacking = count < width || self.quotes;
        if used < count && pieces[used].0 == pieces[used].1 && count > width {
            relax(used + 1, made, 2.0, Step::Surplus);
        }
        if made == width {
            return;
        }
        let column = &self.columns[made];
        if used == count {
            relax(used, width, self.tail(made), Step::Tail(made));
        } else if lacking && most > 2.6 {
            relax(used, made + 1, 2.6 + column.cost(""), Step::Missing);
        }
        for taken in self.joins(pieces, used, width - made) {
            let raw = self.raw(pieces, used, taken);
            let value = self.value(raw, taken, column);
            if value.cost < most {
                relax(used + taken, made + 1, value.cost + column.cost(&value.text), Step::Cell(taken));
            }
        }
        if lacking && used < count && made + 2 <= width && most > 2.0 {
            let marked = |at: usize| self.has_quote(self.raw(pieces, at, 1));
            let longest = if self.quotes && marked(used) { LONGEST_JOIN.min(count - used) } else { 1 };
            for taken in (1..=longest).filter(|&taken| taken == 1 || marked(used + taken - 1)) {
                let raw = self.raw(pieces, used, taken);
                if let Some((place, cost)) = self.parted(raw, taken, made) {
                    relax(used + taken, made + 2, cost, Step::Parted(taken, place));
                }
            }
        }
    }

    /// What it costs that the row ends before this cell: rows cut short are common, whatever their columns hold.
    fn tail(&self, made: usize) -> f64 {
        let lacking = &self.columns[made..];
        let emptiness: f64 = lacking.iter().map(|column| column.cost("")).sum();
        let count = lacking.len().max(1) as f64;
        match lacking.len() {
            0 | 1 => 2.2 + emptiness,
            _ if lacking[0].is_name() => 2.2 + emptiness,
            _ => 2.2 + 0.1 * count + 0.5 * emptiness / count,
        }
    }

    /// Makes the cells that the steps lead to, which stand here from the last one to the first.
    fn walk(&self, pieces: &[(usize, usize)], steps: Vec<Step>, cost: f64) -> Option<Mended> {
        let width = self.columns.len();
        let mut at = (pieces.len(), width);
        let (mut cells, mut repairs) = (Vec::with_capacity(width), Vec::new());
        for &step in &steps {
            let (used, made) = step.back(at);
            at = (used, made);
            match step {
                Step::Tail(from) => {
                    repairs.push(Repair::Missing);
                    cells.resize(width - from, String::new());
                }
                Step::Surplus => repairs.push(Repair::Surplus),
                Step::Missing => {
                    repairs.push(Repair::Missing);
                    cells.push(String::new());
                }
                Step::Cell(taken) => {
                    let value = self.value(self.raw(pieces, used, taken), taken, self.columns.get(made)?);
                    repairs.extend(value.repairs);
                    cells.push(value.text.into_owned());
                }
                Step::Parted(taken, place) => {
                    let raw = self.raw(pieces, used, taken);
                    for (column, half) in [(made + 1, raw.get(place..)?), (made, raw.get(..place)?)] {
                        let value = self.value(half, 1, self.columns.get(column)?);
                        cells.push(value.text.into_owned());
                    }
                    repairs.push(Repair::Parted);
                }
            }
        }
        cells.reverse();
        repairs.sort_unstable();
        repairs.dedup();
        Some(Mended { cells, end: 0, next: 0, repairs, cost, steps, delimiter: None })
    }

    /// Places of the pieces between all delimiters but escaped ones.
    fn pieces(&self) -> Vec<(usize, usize)> {
        let (mut all, mut from) = (Vec::new(), 0);
        for (at, delimiter) in self.record.match_indices(&self.form.delimiter) {
            if at < from {
                continue;
            }
            let before = &self.record.as_bytes()[from..at];
            let escapes = before.iter().rev().take_while(|&&b| Some(b) == self.form.escape).count();
            if escapes % 2 == 0 {
                all.push((from, at));
                from = at + delimiter.len();
            }
            if all.len() > MOST_PIECES {
                break;
            }
        }
        all.push((from, self.record.len()));
        all
    }

    fn raw(&self, pieces: &[(usize, usize)], from: usize, taken: usize) -> &str {
        let (start, end) = (pieces[from].0, pieces[from + taken - 1].1);
        &self.record[start..end]
    }

    /// Numbers of pieces that may be one cell from here on.
    fn joins(&self, pieces: &[(usize, usize)], used: usize, columns_left: usize) -> Vec<usize> {
        let left = pieces.len() - used;
        let mut all = Vec::new();
        let opens = |quote: u8| left > 0 && self.record.as_bytes().get(pieces[used].0) == Some(&quote);
        let quoted = self.form.quote.is_some_and(opens) || opens(b'\'') || opens(b'"');
        let surplus = (left + 1).saturating_sub(columns_left);
        let most = if quoted { LONGEST_JOIN } else { (surplus + 2).min(6) };
        all.extend(1..=left.min(most.max(1)));
        all
    }

    /// The best place to part so many pieces into the cells of two columns, and what both cost. Several pieces are
    /// parted only at a quote, for only quotes keep them together.
    fn parted(&self, raw: &str, pieces: usize, made: usize) -> Option<(usize, f64)> {
        let quote = self.form.quote.map(char::from);
        let edge = |text: &str| quote.is_some_and(|q| text.starts_with(q) || text.ends_with(q));
        if raw.len() < 2 || raw.len() > LONGEST_PARTED || (pieces > 1 && !edge(raw)) {
            return None;
        }
        let (left, right) = (self.columns.get(made)?, self.columns.get(made + 1)?);
        self.purse.spend(PLACE * raw.len());
        let whole = inside(raw.trim(), self.form.quote.unwrap_or(b'"')).is_some();
        let names = left.is_name().then(|| self.record.split(self.form.delimiter.as_str()));
        let others: Vec<&str> =
            names.into_iter().flatten().filter(|name| *name != raw).take(MOST_NAMES).collect();
        let mut best: Option<(usize, f64)> = None;
        for (place, next) in raw.char_indices().skip(1) {
            let (one, two) = (&raw[..place], &raw[place..]);
            let before = one.chars().last();
            let (closes, opens) = (before == quote, Some(next) == quote);
            let seam = closes || opens;
            if (whole && !(closes && opens)) || (pieces > 1 && !(seam && self.keeps_together(one, two))) {
                continue;
            }
            let (a, b) = (self.value(one, 1, left), self.value(two, 1, right));
            let alike = before.is_some_and(|before| {
                before.is_alphanumeric()
                    && next.is_alphanumeric()
                    && (before.is_ascii_digit() == next.is_ascii_digit())
                    && !(before.is_lowercase() && next.is_uppercase())
            });
            let mut cost = a.cost + left.cost(&a.text) + b.cost + right.cost(&b.text) + 2.0;
            cost += match (closes || opens, alike) {
                (true, _) => 0.0,
                // Names are not parted where nothing shows.
                (_, true) if left.is_name() => doubt(one, two, &others).unwrap_or(3.6),
                (_, false) if left.is_name() => doubt(one, two, &others).unwrap_or(0.2),
                (_, true) => 0.6,
                _ => 0.2,
            };
            let values = kind(&a.text).is_value() && kind(&b.text) == Kind::Odd;
            cost += if values { 1.0 } else { 0.0 };
            // Another delimiter stands there.
            let sign = |c: char| matches!(c, ';' | '|' | '\t');
            cost += if sign(next) || before.is_some_and(sign) { 2.0 } else { 0.0 };
            if best.is_none_or(|(_, least)| cost < least - 1e-9) {
                best = Some((place, cost));
            }
        }
        best
    }

    /// Whether each of two halves is either in quotes or without a delimiter.
    fn keeps_together(&self, one: &str, two: &str) -> bool {
        self.purse.spend(one.len() + two.len());
        let quoted = |text: &str| {
            let inner = self.form.quote.and_then(|quote| inside(text.trim(), quote));
            inner.is_some_and(|inner| self.faults(inner, self.form.quote.unwrap_or(b'"')).0 == 0)
        };
        let plain = |text: &str| !text.contains(&self.form.delimiter) && !self.has_quote(text);
        (quoted(one) && (quoted(two) || plain(two))) || (plain(one) && quoted(two))
    }

    fn has_quote(&self, text: &str) -> bool {
        self.form.quote.is_some_and(|quote| text.as_bytes().contains(&quote))
    }
}
