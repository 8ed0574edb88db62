//! The search for the cheapest way to make the table's width of a record's pieces.

use super::super::lex::Form;
use super::super::shape::Profile;
use super::cell::Value;
use super::effort::{Purse, Way};
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
    /// So many pieces are two cells, parted at the first of these bytes; the second begins at the other one.
    Parted(usize, usize, usize),
}

impl Step {
    /// Pieces that it takes.
    pub(super) fn pieces(self) -> usize {
        match self {
            Self::Cell(taken) | Self::Parted(taken, ..) => taken,
            Self::Surplus => 1,
            Self::Missing | Self::Tail(_) => 0,
        }
    }

    /// The pieces used and cells made behind it, in a row of so many.
    fn on(self, (used, made): (usize, usize), width: usize) -> (usize, usize) {
        let cells = match self {
            Self::Cell(_) | Self::Missing => 1,
            Self::Surplus => 0,
            Self::Parted(..) => 2,
            Self::Tail(_) => width - made,
        };
        (used + self.pieces(), made + cells)
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
/// What it costs more that a delimiter is text in a row that lacks cells.
const JOINED_SHORT: f64 = 3.0;
/// Most pieces that one cell is made of.
const LONGEST_JOIN: usize = 40;
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
    /// Line breaks part cells as delimiters do.
    cuts_at_breaks: bool,
    /// What the cells from each column on cost at the least.
    least: Vec<f64>,
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
        let mut least = vec![0.0; columns.len() + 1];
        for (at, column) in columns.iter().enumerate().rev() {
            least[at] = least[at + 1] + column.usual();
        }
        Self { form, columns, record, spaced, quotes, broken, cuts_at_breaks: false, least, purse }
    }

    /// The same with line breaks that part cells.
    pub(super) fn cut_at_breaks(self) -> Self {
        Self { cuts_at_breaks: self.broken, ..self }
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
                // Nothing is to be gained from here on.
                if price + self.least[made] >= bound {
                    continue;
                }
                self.steps(&pieces, (used, made), bound - price, |used, made, cost, step| {
                    let to = &mut prices[used * (width + 1) + made];
                    if price + cost < to.0 - 1e-9 && price + cost + self.least[made] < bound {
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

    /// The reading of a line as two rows whose line end is lost, and where the second one begins: it must be filled like
    /// a row.
    pub(super) fn two_rows(&self, bound: f64, second: &[Profile]) -> Option<(Mended, usize)> {
        let (pieces, width) = (self.pieces(), self.columns.len());
        if width < 3 || pieces.len() + 1 < 2 * width || second.len() != width {
            return None;
        }
        let twice = [self.columns, second].concat();
        let reader = Reader::new(self.form, &twice, self.record, self.purse);
        let mut found = reader.best(bound)?;
        let filled = found.cells[width..].iter().filter(|cell| !cell.is_empty()).count();
        let usual: f64 = second.iter().map(Profile::share_filled).sum();
        let (mut used, mut made) = (0, 0);
        let mut steps = found.steps.iter().rev();
        let second_from = loop {
            let step = *steps.next()?;
            let from = pieces.get(used)?.0;
            (used, made) = step.on((used, made), 2 * width);
            match step {
                _ if made == width => break pieces.get(used)?.0,
                Step::Parted(.., behind) if made == width + 1 => break from + behind,
                _ if made > width => return None,
                _ => {}
            }
        };
        found.cells.truncate(width);
        found.repairs.push(Repair::Split);
        (filled as f64 * 2.0 >= usual).then_some((found, second_from))
    }

    /// The reading that these steps lead to, which another record was read by.
    pub(super) fn repeated(&self, way: &Way) -> Option<Mended> {
        let steps = &way.steps;
        let pieces = self.pieces();
        let taken: usize = steps.iter().map(|step| step.pieces()).sum();
        let mut found = (taken == pieces.len()).then(|| self.walk(&pieces, steps.clone(), 0.0))??;
        if way.delimiter.is_some() {
            found.repairs.insert(0, Repair::OtherDelimiter);
        }
        if way.escape.is_some() {
            found.repairs.push(Repair::Escape);
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
            relax(used + 1, made, self.surplus(pieces, used, made), Step::Surplus);
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
                // A delimiter too many and one too few are two faults.
                let joined = count < width && value.repairs.contains(&Repair::Joined);
                let cost = value.cost + self.looks(&value, column) + if joined { JOINED_SHORT } else { 0.0 };
                relax(used + taken, made + 1, cost, Step::Cell(taken));
            }
        }
        if lacking && used < count && made + 2 <= width && most > 2.0 {
            let marked = |at: usize| self.has_quote(self.raw(pieces, at, 1));
            let longest = if self.quotes && marked(used) { LONGEST_JOIN.min(count - used) } else { 1 };
            for taken in (1..=longest).filter(|&taken| taken == 1 || marked(used + taken - 1)) {
                let raw = self.raw(pieces, used, taken);
                if let Some((place, behind, cost)) = self.parted(raw, taken, made) {
                    relax(used + taken, made + 2, cost, Step::Parted(taken, place, behind));
                }
            }
        }
    }

    /// What a cell's looks cost: a stray quote in it has its price already.
    fn looks(&self, value: &Value<'_>, column: &Profile) -> f64 {
        match self.form.quote.map(char::from).filter(|_| value.repairs == [Repair::Quote]) {
            Some(quote) => {
                let own = column.cost(&value.text);
                own.min(column.cost(&value.text.replace(quote, "")) + 0.5)
            }
            None => column.cost(&value.text),
        }
    }

    /// What an empty piece too many costs. At the end of a row they are commonest, and there several are one fault.
    fn surplus(&self, pieces: &[(usize, usize)], used: usize, made: usize) -> f64 {
        let last = made == self.columns.len() && pieces[used..].iter().all(|(from, to)| from == to);
        match last {
            false => 2.0,
            true if used + 1 == pieces.len() => 1.5,
            true => 0.4,
        }
    }

    /// What it costs that the row ends before this cell: rows cut short are common, whatever their columns hold.
    fn tail(&self, made: usize) -> f64 {
        let lacking = &self.columns[made..];
        let emptiness: f64 = lacking.iter().map(|column| column.cost("")).sum();
        let count = lacking.len().max(1) as f64;
        match lacking.len() {
            0 | 1 => 2.2 + emptiness,
            // Each name that is lacking stands for one that another name may hold.
            _ if lacking[0].is_name() => 2.2 + emptiness + 1.2 * (count - 1.0),
            // A reading that has cells pays for each of them.
            _ => {
                let usual: f64 = lacking.iter().map(Profile::usual).sum();
                2.2 + 0.1 * count + 0.5 * emptiness / count + usual
            }
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
                Step::Parted(taken, place, behind) => {
                    let raw = self.raw(pieces, used, taken);
                    for (column, half) in [(made + 1, raw.get(behind..)?), (made, raw.get(..place)?)] {
                        let value = self.value(half, 1, self.columns.get(column)?);
                        cells.push(value.text.into_owned());
                    }
                    let sign = raw.get(place..behind).is_some_and(|seam| !seam.trim_matches(' ').is_empty());
                    repairs.push(if sign { Repair::OtherDelimiter } else { Repair::Parted });
                }
            }
        }
        cells.reverse();
        repairs.sort_unstable();
        repairs.dedup();
        Some(Mended { cells, end: 0, next: 0, repairs, cost, steps, delimiter: None, escape: None })
    }

    /// Places of the pieces between all delimiters but escaped ones.
    fn pieces(&self) -> Vec<(usize, usize)> {
        let (mut all, mut from) = (Vec::new(), 0);
        for (at, delimiter) in self.delimiters() {
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

    /// All that may part cells, in order.
    fn delimiters(&self) -> Vec<(usize, &str)> {
        let delimiter = self.form.delimiter.as_str();
        let mut all: Vec<(usize, &str)> = self.record.match_indices(delimiter).collect();
        if self.cuts_at_breaks {
            let ends = self.record.match_indices(['\n', '\r']);
            let ends = ends.map(|(at, end)| match self.record[at..].starts_with("\r\n") {
                true => (at, "\r\n"),
                false => (at, end),
            });
            all.extend(ends);
            all.sort_unstable_by_key(|&(at, _)| at);
        }
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
}
