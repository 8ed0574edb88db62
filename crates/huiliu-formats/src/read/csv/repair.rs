//! What a record that is not well formed most likely was meant to be.
//!
//! The text of the record is cut at every delimiter, in quotes or not. [`Reader::best`] then seeks the
//! cheapest way to make the table's width of these pieces: pieces taken together (a delimiter in quotes, or
//! one that should have been), an empty piece left out, an empty cell put in, a piece parted in two. Each
//! way has a price, and so has a cell that does not look like its column's. Never is text lost or invented.

use super::lex::{Form, line, record, unescaped};
use super::shape::{Kind, Profile, kind};

/// Most pieces of a record that is mended.
const MOST_PIECES: usize = 400;
/// Most states of the search for one reading.
const MOST_STATES: usize = 12_000;
/// Most pieces that one cell is made of.
const LONGEST_JOIN: usize = 40;
/// Most lines of a record that is mended.
const MOST_LINES: usize = 12;
/// Most characters of a record that is mended.
const LONGEST: usize = 64 << 10;
/// Longest piece that is parted in two.
const LONGEST_PARTED: usize = 400;

/// What was done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Repair {
    /// A stray quote was taken for a character.
    Quote,
    /// A quote that is missing was added in thought.
    Unclosed,
    /// An escape that the file does not use elsewhere.
    Escape,
    /// A quote that the file does not use elsewhere.
    OtherQuote,
    /// A delimiter that the file does not use elsewhere.
    OtherDelimiter,
    /// A delimiter without quotes around it was taken for a character.
    Joined,
    /// A line break without quotes around it was taken for a character.
    LineBreak,
    /// An empty cell too many was left out.
    Surplus,
    /// An empty cell was put in.
    Missing,
    /// Two cells without a delimiter between them were parted.
    Parted,
    /// Nothing made sense of it.
    Failed,
}

/// A record after its repair.
#[derive(Clone, Debug)]
pub(super) struct Mended {
    pub(super) cells: Vec<String>,
    pub(super) end: usize,
    pub(super) next: usize,
    pub(super) repairs: Vec<Repair>,
    cost: f64,
}

/// Finds the best reading of the record that begins at `from`.
pub(super) fn mend(text: &str, from: usize, form: &Form, columns: &[Profile]) -> Mended {
    let (main_form, (first_end, first_next)) = (form, line(text, from));
    let mut best: Option<Mended> = None;
    let mut consider = |found: Option<Mended>| {
        if let Some(found) = found
            && best.as_ref().is_none_or(|best| found.cost < best.cost - 1e-9)
        {
            best = Some(found);
        }
    };
    let (mut end, mut next) = (first_end, first_next);
    for lines in 0..MOST_LINES {
        let Some(record) = text.get(from..end).filter(|record| record.len() <= LONGEST) else { break };
        let reader = Reader { form, columns, record };
        let cost = 0.6 * lines as f64 + left_over(text, next, form, columns.len());
        let found = reader.best().map(|found| Mended { cost: found.cost + cost, end, next, ..found });
        // Lines are joined only where a quote is open at the end of the first or cells are lacking.
        let lacking = record.matches(&form.delimiter).count() + 1 < columns.len();
        consider(found);
        let open = lines < 6 && record.bytes().any(|b| Some(b) == form.quote || b == b'\'')
            || form.quote.is_some_and(|q| record.bytes().filter(|&b| b == q).count() % 2 == 1);
        if next >= text.len() || !(open || lacking || lines > 0) {
            break;
        }
        let following = line(text, next);
        if following.0 == next && !open {
            break;
        }
        (end, next) = following;
    }
    for delimiter in [",", ";", "\t", "|", " ", ":", ", ", "; ", "||"] {
        let form = Form { delimiter: delimiter.to_owned(), ..form.clone() };
        let (mut end, mut next) = (first_end, first_next);
        for lines in 0..2 {
            let Some(record) = text.get(from..end).filter(|record| record.len() <= LONGEST) else { break };
            let plenty = record.matches(delimiter).count() + 1 >= columns.len() && columns.len() > 1;
            if plenty && delimiter != main_form.delimiter {
                let cost = 0.6 * f64::from(lines) + left_over(text, next, main_form, columns.len());
                let found = Reader { form: &form, columns, record }.best();
                consider(found.map(|mut found| {
                    found.repairs.insert(0, Repair::OtherDelimiter);
                    let doubt = if delimiter == " " { 4.5 } else { 3.0 };
                    Mended { cost: found.cost + cost + doubt, end, next, ..found }
                }));
            }
            (end, next) = line(text, next);
        }
    }
    best.unwrap_or_else(|| unmended(text, from, form, columns.len()))
}

/// What it costs when the next line could not be a row of its own.
fn left_over(text: &str, next: usize, form: &Form, width: usize) -> f64 {
    if next >= text.len() {
        return 0.0;
    }
    let following = record(text, next, form, 4 << 10);
    let fits = following.is_blank() || (following.cells.len() == width && !following.odd);
    if fits { 0.0 } else { 2.5 }
}

/// The pieces as they are, all text kept: what is lacking is empty, what is too much stays in the last cell.
pub(super) fn unmended(text: &str, from: usize, form: &Form, width: usize) -> Mended {
    let (end, next) = line(text, from);
    let record = text.get(from..end).unwrap_or_default();
    let mut cells: Vec<String> = record.splitn(width.max(1), &form.delimiter).map(str::to_owned).collect();
    cells.resize(width.max(1), String::new());
    Mended { cells, end, next, repairs: vec![Repair::Failed], cost: f64::MAX }
}

/// A way to read one cell.
struct Value {
    text: String,
    cost: f64,
    repairs: Vec<Repair>,
}

#[derive(Clone, Copy)]
enum Step {
    /// So many pieces are a cell.
    Cell(usize),
    Surplus,
    Missing,
    /// The piece is two cells, the second beginning at this byte.
    Parted(usize),
}

struct Reader<'a> {
    form: &'a Form,
    columns: &'a [Profile],
    record: &'a str,
}

impl Reader<'_> {
    /// The cheapest reading with the table's width.
    fn best(&self) -> Option<Mended> {
        let pieces = self.pieces();
        let (count, width) = (pieces.len(), self.columns.len());
        let states = (count + 1) * (count.saturating_sub(width) + 4).min(width + 1);
        if count > MOST_PIECES || states > MOST_STATES || width == 0 || count + 3 < width {
            return None;
        }
        // Pieces in quotes may be one cell, so that others are lacking.
        let lacking = count < width || self.record.contains(['"', '\'']);
        // State: pieces used, cells made.
        let at = |used: usize, made: usize| used * (width + 1) + made;
        let mut prices: Vec<(f64, Option<Step>)> = vec![(f64::MAX, None); (count + 1) * (width + 1)];
        prices[0].0 = 0.0;
        for used in 0..=count {
            for made in 0..=width {
                let (price, _) = prices[at(used, made)];
                if price == f64::MAX || made > used + 3 || width - made > count - used + 3 {
                    continue;
                }
                let mut relax = |to: usize, cost: f64, step: Step| {
                    if price + cost < prices[to].0 - 1e-9 {
                        prices[to] = (price + cost, Some(step));
                    }
                };
                if used < count && pieces[used].0 == pieces[used].1 && count > width {
                    relax(at(used + 1, made), 2.0, Step::Surplus);
                }
                if made == width {
                    continue;
                }
                let column = &self.columns[made];
                if lacking || used == count {
                    let last = if used == count { 2.2 } else { 2.6 };
                    relax(at(used, made + 1), last + column.cost(""), Step::Missing);
                }
                for pieces_taken in self.joins(&pieces, used, width - made) {
                    let raw = self.raw(&pieces, used, pieces_taken);
                    if let Some(value) = self.value(raw, pieces_taken, column) {
                        let cost = value.cost + column.cost(&value.text);
                        relax(at(used + pieces_taken, made + 1), cost, Step::Cell(pieces_taken));
                    }
                }
                if lacking && used < count && made + 2 <= width {
                    let raw = self.raw(&pieces, used, 1);
                    if let Some((place, cost)) = self.parted(raw, made) {
                        relax(at(used + 1, made + 2), cost, Step::Parted(place));
                    }
                }
            }
        }
        self.walk(&pieces, &prices)
    }

    /// Goes the cheapest way back from its end.
    fn walk(&self, pieces: &[(usize, usize)], prices: &[(f64, Option<Step>)]) -> Option<Mended> {
        let width = self.columns.len();
        let (mut used, mut made) = (pieces.len(), width);
        let cost = prices[used * (width + 1) + made].0;
        if cost == f64::MAX {
            return None;
        }
        let (mut cells, mut repairs) = (Vec::with_capacity(width), Vec::new());
        while used > 0 || made > 0 {
            match prices[used * (width + 1) + made].1? {
                Step::Surplus => {
                    repairs.push(Repair::Surplus);
                    used -= 1;
                }
                Step::Missing => {
                    repairs.push(Repair::Missing);
                    cells.push(String::new());
                    made -= 1;
                }
                Step::Cell(taken) => {
                    (used, made) = (used - taken, made - 1);
                    let value = self.value(self.raw(pieces, used, taken), taken, &self.columns[made])?;
                    repairs.extend(value.repairs);
                    cells.push(value.text);
                }
                Step::Parted(place) => {
                    (used, made) = (used - 1, made - 2);
                    let raw = self.raw(pieces, used, 1);
                    for (column, half) in [(made + 1, &raw[place..]), (made, &raw[..place])] {
                        let value = self.value(half, 1, &self.columns[column])?;
                        cells.push(value.text);
                    }
                    repairs.push(Repair::Parted);
                }
            }
        }
        cells.reverse();
        repairs.sort_unstable();
        repairs.dedup();
        Some(Mended { cells, end: 0, next: 0, repairs, cost })
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

    /// What the cell with this raw text says, made of so many pieces.
    fn value(&self, raw: &str, pieces: usize, column: &Profile) -> Option<Value> {
        let joined = (pieces - 1) as f64;
        let breaks = raw.bytes().filter(|&b| b == b'\n' || b == b'\r').count() as f64;
        if let Some(quote) = self.form.quote
            && let Some(value) = self.wrapped(raw, quote, pieces, column)
        {
            return Some(value);
        }
        for other in [b'"', b'\''] {
            if Some(other) == self.form.quote || self.form.quote.is_none() {
                continue;
            }
            // Another quote: where the column is quoted as a rule, or where a delimiter stands in it.
            if let Some(inner) = inside(raw, other)
                && (pieces > 1 || column.quoted() > 0.5)
                && !inner.contains(char::from(other))
            {
                let cost = 1.2 + breaks;
                return Some(Value { text: inner.to_owned(), cost, repairs: vec![Repair::OtherQuote] });
            }
        }
        let mut repairs = Vec::new();
        // A comma with a blank behind it stands in a sentence rather than between cells.
        let sentence = raw.matches(&format!("{} ", self.form.delimiter)).count() as f64;
        let mut cost = 2.8 * joined - 0.8 * sentence.min(joined) + 3.0 * breaks;
        if pieces > 1 {
            repairs.push(Repair::Joined);
        }
        if breaks > 0.0 {
            repairs.push(Repair::LineBreak);
        }
        let strays = self.form.quote.map_or(0, |quote| raw.bytes().filter(|&b| b == quote).count());
        if strays > 0 {
            cost += 1.5 + 0.5 * strays as f64;
            repairs.push(Repair::Quote);
        }
        Some(Value { text: unescape_plain(raw, self.form), cost, repairs })
    }

    /// The cell as a quoted one, if it begins or ends with a quote.
    fn wrapped(&self, raw: &str, quote: u8, pieces: usize, column: &Profile) -> Option<Value> {
        let trimmed = raw.trim_matches(' ');
        let mark = char::from(quote);
        let breaks = raw.bytes().filter(|&b| b == b'\n').count() as f64 * 0.3;
        if let Some(inner) = inside(trimmed, quote) {
            let (faults, other) = self.faults(inner, quote);
            let text = match other {
                Some(escape) => {
                    let form = Form { escape: Some(escape), ..self.form.clone() };
                    unescaped(inner, &form).into_owned()
                }
                None => unescape_quoted(inner, self.form, quote),
            };
            let repairs = match (other.is_some(), faults > 0) {
                (true, _) => vec![Repair::Escape],
                (_, true) => vec![Repair::Quote],
                _ => Vec::new(),
            };
            let mut cost = breaks + if other.is_some() { 1.0 } else { 1.6 * faults as f64 };
            // A quote next to a delimiter within rather closes a cell.
            let delimiter = &self.form.delimiter;
            if faults > 0 && pieces > 1 {
                let closes = inner.contains(&format!("{mark}{delimiter}"));
                let opens = inner.contains(&format!("{delimiter}{mark}"));
                cost += 3.0 * f64::from(u8::from(closes) + u8::from(opens));
            }
            return Some(Value { text, cost, repairs });
        }
        if column.quoted() < 0.5 || pieces > 1 {
            return None;
        }
        // All cells of the column are quoted: one of this one's quotes is missing.
        let inner = match (trimmed.strip_prefix(mark), trimmed.strip_suffix(mark)) {
            (Some(inner), None) | (None, Some(inner)) if !inner.contains(mark) => inner,
            _ => return None,
        };
        Some(Value { text: inner.to_owned(), cost: 2.0, repairs: vec![Repair::Unclosed] })
    }

    /// Quotes within a quoted cell that are not as the file writes them, and the other escape that explains them.
    fn faults(&self, inner: &str, quote: u8) -> (usize, Option<u8>) {
        let bytes = inner.as_bytes();
        let (mut at, mut faults, mut escapes) = (0, 0, Vec::new());
        while let Some(&byte) = bytes.get(at) {
            let escaped = self.form.escape == Some(byte) && at + 1 < bytes.len();
            if escaped || (byte == quote && bytes.get(at + 1) == Some(&quote)) {
                at += 2;
            } else {
                if byte == quote {
                    faults += 1;
                    escapes.push(at.checked_sub(1).map(|before| bytes[before]));
                }
                at += 1;
            }
        }
        let other = match escapes.first() {
            Some(&Some(first @ (b'\\' | b'/' | b'^' | b'$' | b'@' | b'!')))
                if escapes.iter().all(|&e| e == Some(first)) =>
            {
                Some(first)
            }
            _ => None,
        };
        (faults, other)
    }

    /// The best place to part a piece into the cells of two columns, and what both cost.
    fn parted(&self, raw: &str, made: usize) -> Option<(usize, f64)> {
        if raw.len() < 2 || raw.len() > LONGEST_PARTED {
            return None;
        }
        let (left, right) = (self.columns.get(made)?, self.columns.get(made + 1)?);
        let whole = inside(raw.trim(), self.form.quote.unwrap_or(b'"')).is_some();
        let mut best: Option<(usize, f64)> = None;
        for (place, next) in raw.char_indices().skip(1) {
            let (one, two) = (&raw[..place], &raw[place..]);
            let quote = |text: &str, at_end: bool| {
                let last = if at_end { text.chars().last() } else { text.chars().next() };
                last == self.form.quote.map(char::from)
            };
            let seam = quote(one, true) || quote(two, false);
            if whole && !(quote(one, true) && quote(two, false)) {
                continue;
            }
            let (Some(a), Some(b)) = (self.value(one, 1, left), self.value(two, 1, right)) else { continue };
            let before = one.chars().last().unwrap_or(' ');
            let same = before.is_alphanumeric()
                && next.is_alphanumeric()
                && (before.is_ascii_digit() == next.is_ascii_digit())
                && !(before.is_lowercase() && next.is_uppercase());
            let mut cost = a.cost + left.cost(&a.text) + b.cost + right.cost(&b.text) + 2.0;
            cost += match (seam, same) {
                (true, _) => 0.0,
                (_, true) => 0.6,
                _ => 0.2,
            };
            let values = kind(&a.text).is_value() && kind(&b.text) == Kind::Odd;
            cost += if values { 1.0 } else { 0.0 };
            if best.is_none_or(|(_, least)| cost < least - 1e-9) {
                best = Some((place, cost));
            }
        }
        best
    }
}

/// What stands between two quotes.
fn inside(raw: &str, quote: u8) -> Option<&str> {
    raw.strip_prefix(char::from(quote))?.strip_suffix(char::from(quote))
}

fn unescape_quoted(inner: &str, form: &Form, quote: u8) -> String {
    if form.quote == Some(quote) { unescaped(inner, form).into_owned() } else { inner.to_owned() }
}

fn unescape_plain(raw: &str, form: &Form) -> String {
    match form.escape {
        Some(escape) if raw.contains(char::from(escape)) => {
            unescaped(raw, &Form { quote: None, ..form.clone() }).into_owned()
        }
        _ => raw.to_owned(),
    }
}
