//! Where a piece of a record that holds two cells may be parted.

use super::super::shape::{Kind, Profile, kind};
use super::cell::inside;
use super::names::{blank_doubt, doubt};
use super::search::Reader;

/// Most names that tell how the header writes them.
const MOST_NAMES: usize = 50;
/// Work of looking at one place where a piece may be parted.
const PLACE: usize = 4;
/// Share of values among a column's cells from which on it is one of values.
const VALUES: f64 = 0.95;
/// What a text costs in a column that has nothing like it.
const FOREIGN: f64 = 3.0;
/// Longest piece that is parted in two.
const LONGEST_PARTED: usize = 400;

impl Reader<'_> {
    /// The best place to part so many pieces into the cells of two columns, where the second one begins, and what both
    /// cost. Several pieces are parted only at a quote, for only quotes keep them together.
    pub(super) fn parted(&self, raw: &str, pieces: usize, made: usize) -> Option<(usize, usize, f64)> {
        let quote = self.form.quote.map(char::from);
        let edge = |text: &str| quote.is_some_and(|q| text.starts_with(q) || text.ends_with(q));
        if raw.is_empty() || raw.len() > LONGEST_PARTED || (pieces > 1 && !edge(raw)) {
            return None;
        }
        let (left, right) = (self.columns.get(made)?, self.columns.get(made + 1)?);
        self.purse.spend(PLACE * raw.len());
        let whole = inside(raw.trim_matches(' '), self.form.quote.unwrap_or(b'"')).is_some();
        let names = left.is_name().then(|| self.record.split(self.form.delimiter.as_str()));
        let others: Vec<&str> =
            names.into_iter().flatten().filter(|name| *name != raw).take(MOST_NAMES).collect();
        let mut best: Option<(usize, usize, f64)> = None;
        let name = left.is_name();
        if !name && is_whole(raw, left, right) {
            return None;
        }
        let blanks = Blanks {
            within: name || right.is_hardly_indented(),
            first: !name && right.is_hardly_indented(),
            last: !name && left.is_hardly_trailed(),
        };
        for (place, behind) in seams(raw, blanks) {
            let (one, two) = (&raw[..place], &raw[behind..]);
            let (before, next) = (one.chars().last(), two.chars().next());
            let (closes, opens) = (before.is_some() && before == quote, next.is_some() && next == quote);
            let seam = closes || opens;
            if (whole && !(closes && opens)) || (pieces > 1 && !(seam && self.keeps_together(one, two))) {
                continue;
            }
            let within = !name
                && place == behind
                && (is_within(one, two, (left, right)) || splits_text(raw, one, two, (left, right)));
            if within || name && opens_bracket(one) {
                continue;
            }
            let (a, b) = (self.value(one, 1, left), self.value(two, 1, right));
            if !name && clash(kind(raw).is_value(), (left, &a.text), (right, &b.text)) {
                continue;
            }
            let mut cost = a.cost + left.cost(&a.text) + b.cost + right.cost(&b.text) + 2.0;
            cost += match (seam, behind > place) {
                (true, false) if next.is_some_and(is_sign) || before.is_some_and(is_sign) => 2.0,
                // The blank is what is left of the delimiter.
                (true, false) if two.starts_with(' ') && blanks.within => 0.3,
                (true, _) => 0.0,
                (_, true) if name && raw[place..behind] == *" " => blank_doubt(one, two, &others),
                (_, true) => sign_doubt(raw, (place, behind)),
                _ => seam_doubt(one, two, name.then_some(&others)),
            };
            let values = kind(&a.text).is_value() && kind(&b.text) == Kind::Odd;
            cost += if values { 1.0 } else { 0.0 };
            if best.is_none_or(|(.., least)| cost < least - 1e-9) {
                best = Some((place, behind, cost));
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

    pub(super) fn has_quote(&self, text: &str) -> bool {
        self.form.quote.is_some_and(|quote| text.as_bytes().contains(&quote))
    }
}

/// Whether a piece is one cell rather than two: a day that looks like the others of its column, a number with as many digits
/// behind its point, or one where few are known.
fn is_whole(raw: &str, left: &Profile, right: &Profile) -> bool {
    // A blank at its edge may be what is left of a delimiter.
    if raw.trim_matches([' ', '\t']) != raw {
        return false;
    }
    let day = matches!(kind(raw), Kind::Date | Kind::Time | Kind::Stamp);
    let few = left.is_hardly_known() && kind(raw).is_value();
    day && (left.has_look(raw) || right.has_look(raw))
        || left.has_decimals(raw)
        || few && !(left.is_foreign(raw) && right.is_foreign(raw))
}

/// Whether two halves without anything between them part a word of which neither is known in its column, or a number where
/// not both look like their columns' others.
fn is_within(one: &str, two: &str, (left, right): (&Profile, &Profile)) -> bool {
    let (before, next) = (one.chars().last(), two.chars().next());
    let both = |of: fn(char) -> bool| before.is_some_and(of) && next.is_some_and(of);
    let word = both(|c| !c.is_ascii() && c.is_alphabetic());
    let number = both(|c| c.is_ascii_digit());
    word && !(left.knows(one) || right.knows(two)) || number && !(left.has_look(one) && right.has_look(two))
}

/// Whether two halves without anything between them part a text that may be the first column's as it is: within a word, or
/// beside a blank that neither column has at its edge, nothing shows where to part it unless one half is known in its
/// column, so that the next cell is rather missing.
fn splits_text(raw: &str, one: &str, two: &str, (left, right): (&Profile, &Profile)) -> bool {
    let (Some(before), Some(next)) = (one.chars().last(), two.chars().next()) else { return false };
    let letters = before.is_ascii_alphabetic() && next.is_ascii_alphabetic();
    let seamless = letters && !(before.is_ascii_lowercase() && next.is_ascii_uppercase());
    let blank = before == ' ' && !left.has_trailed() || next == ' ' && !right.has_indented();
    (seamless || blank) && left.cost(raw) < FOREIGN && !(left.knows(one) || right.knows(two))
}

/// Whether two halves cannot be cells of their columns: a number is two only where both are like the others, a text where
/// one of them is; and a column of values has none that is no value.
fn clash(number: bool, (left, one): (&Profile, &str), (right, two): (&Profile, &str)) -> bool {
    let (first, second) = (left.is_foreign(one), right.is_foreign(two));
    let strict = |column: &Profile| number || column.values() > VALUES;
    first && (second || strict(left)) || second && strict(right)
}

/// Whether a bracket is open at the end of a text.
fn opens_bracket(text: &str) -> bool {
    text.matches(['(', '（']).count() > text.matches([')', '）']).count()
}

/// Signs that another row's delimiter may leave between two cells.
fn is_sign(c: char) -> bool {
    matches!(c, ';' | '|' | '\t' | ':' | '^' | '~')
}

/// Where a blank may stand for a delimiter: between two texts, before the only one, or behind it.
#[derive(Clone, Copy)]
struct Blanks {
    within: bool,
    first: bool,
    last: bool,
}

impl Blanks {
    fn part(self, place: usize, behind: usize, length: usize) -> bool {
        match (place == 0, behind == length) {
            (false, false) => self.within,
            (true, false) => self.first,
            (false, true) => self.last,
            (true, true) => self.first && self.last,
        }
    }
}

/// Places at which a piece may be parted, and where the second half begins: at once, or behind a sign of delimiters, or
/// behind a blank where cells hardly have one at this edge.
fn seams(raw: &str, blanks: Blanks) -> impl Iterator<Item = (usize, usize)> + '_ {
    raw.char_indices().flat_map(move |(place, next)| {
        let alike = if is_sign(next) && next != '\t' { next } else { '\0' };
        let run = raw[place..].chars().take_while(|c| *c == alike).count().max(1);
        let behind = place + run * next.len_utf8();
        let skipped = is_sign(next) || (next == ' ' && blanks.part(place, behind, raw.len()));
        [(place > 0).then_some((place, place)), skipped.then_some((place, behind))].into_iter().flatten()
    })
}

/// What it costs that a sign parts two cells where the table has another one. Sentences have blanks behind theirs.
fn sign_doubt(raw: &str, (place, behind): (usize, usize)) -> f64 {
    match raw[place..behind] == *" " {
        true => 0.1,
        _ if raw[behind..].starts_with(' ') => 1.0,
        _ => 0.0,
    }
}

/// What it costs that two cells stand beside each other with nothing between them; names are not parted where nothing
/// shows.
fn seam_doubt(one: &str, two: &str, names: Option<&Vec<&str>>) -> f64 {
    let (Some(before), Some(next)) = (one.chars().last(), two.chars().next()) else { return 0.2 };
    let alike = before.is_alphanumeric()
        && next.is_alphanumeric()
        && (before.is_ascii_digit() == next.is_ascii_digit())
        && !(before.is_lowercase() && next.is_uppercase());
    // Within a name, blanks and strokes join words.
    let joins = |c: char| c == ' ' || c == '_' || c == '-';
    let doubt = match (names, alike) {
        (Some(_), _) if joins(before) || joins(next) => 2.5,
        (Some(others), true) => doubt(one, two, others).unwrap_or(3.6),
        (Some(others), false) => doubt(one, two, others).unwrap_or(0.2),
        (None, true) => 0.6,
        (None, false) => 0.2,
    };
    // A delimiter of other files stands there.
    doubt + if is_sign(before) || is_sign(next) { 2.0 } else { 0.0 }
}
