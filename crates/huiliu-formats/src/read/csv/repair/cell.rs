//! How one cell may be read: in which quotes, with which escapes, at which price.

use std::borrow::Cow;

use super::super::lex::{Form, unescaped};
use super::super::shape::Profile;
use super::Repair;
use super::search::Reader;

/// Work of looking at the shortest cell.
const VALUE: usize = 32;

/// A way to read one cell.
pub(super) struct Value<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) cost: f64,
    pub(super) repairs: Vec<Repair>,
}

impl Reader<'_> {
    /// What the cell with this raw text says, made of so many pieces.
    pub(super) fn value<'r>(&self, raw: &'r str, pieces: usize, column: &Profile) -> Value<'r> {
        self.purse.spend(VALUE + raw.len());
        if self.quotes
            && let Some(quote) = self.form.quote
        {
            let found = self.wrapped(raw, quote, pieces, column);
            if let Some(value) = found.or_else(|| self.other_quotes(raw, pieces, column)) {
                return value;
            }
        }
        let escaped = format!("\\{}", self.form.delimiter);
        if pieces > 1 && self.form.escape.is_none() && raw.matches(&escaped).count() + 1 == pieces {
            let text = Cow::Owned(raw.replace(&escaped, &self.form.delimiter));
            return Value { text, cost: 0.8, repairs: vec![Repair::Escape] };
        }
        let mut repairs = Vec::new();
        let mut cost = 0.0;
        if pieces > 1 {
            // A comma with a blank behind it stands in a sentence rather than between cells.
            let sentence = raw.matches(&self.spaced).count() as f64;
            let joined = (pieces - 1) as f64;
            cost += 2.8 * joined - 0.8 * sentence.min(joined);
            repairs.push(Repair::Joined);
        }
        let breaks = self.line_breaks(raw);
        // At a cell's edge a line break parts it from another one.
        let raw = if breaks > 0.0 { raw.trim_matches(['\n', '\r']) } else { raw };
        if breaks > 0.0 {
            let within = self.line_breaks(raw);
            cost += 3.0 * within + 1.2 * (breaks - within);
            repairs.push(if within > 0.0 { Repair::LineBreak } else { Repair::Torn });
        }
        // What is left of another delimiter.
        let edge = |sign: char| raw.starts_with(sign) || raw.ends_with(sign);
        if edge('\t') && !self.form.delimiter.contains('\t') {
            cost += 1.5;
        } else if (raw.starts_with(' ') && column.is_hardly_indented())
            || (raw.ends_with(' ') && column.is_hardly_trailed())
        {
            cost += 0.6;
        }
        let strays = match self.form.quote {
            Some(quote) if self.quotes => raw.bytes().filter(|&b| b == quote).count(),
            _ => 0,
        };
        if strays > 0 {
            cost += 1.5 + 0.5 * strays as f64;
            repairs.push(Repair::Quote);
        }
        Value { text: unescape_plain(raw, self.form), cost, repairs }
    }

    fn line_breaks(&self, raw: &str) -> f64 {
        if !self.broken {
            return 0.0;
        }
        let pairs = raw.matches("\r\n").count();
        (raw.bytes().filter(|b| matches!(b, b'\n' | b'\r')).count() - pairs) as f64
    }

    /// The cell in quotes of another kind than the file's: where the column is quoted as a rule, or where the quotes
    /// explain a delimiter, a line break or a doubled quote in it.
    fn other_quotes<'r>(&self, raw: &'r str, pieces: usize, column: &Profile) -> Option<Value<'r>> {
        let own = self.form.quote?;
        let other = [b'"', b'\''].into_iter().filter(|&other| other != own);
        let (inner, mark) = other.filter_map(|q| Some((inside(raw, q)?, char::from(q)))).next()?;
        let doubled = format!("{mark}{mark}");
        let text: Cow<'r, str> = match inner.contains(&doubled) {
            true => Cow::Owned(inner.replace(&doubled, &mark.to_string())),
            false => Cow::Borrowed(inner),
        };
        let breaks = self.line_breaks(raw);
        let explained = pieces > 1 || breaks > 0.0 || text.len() < inner.len() || column.quoted() > 0.5;
        let strays = inner.replace(&doubled, "").contains(mark);
        (explained && !strays).then(|| Value {
            text,
            cost: 1.2 + 0.3 * breaks,
            repairs: vec![Repair::OtherQuote],
        })
    }

    /// The cell as a quoted one, if it begins or ends with a quote.
    fn wrapped<'r>(&self, raw: &'r str, quote: u8, pieces: usize, column: &Profile) -> Option<Value<'r>> {
        let trimmed = raw.trim_matches(' ');
        let mark = char::from(quote);
        let breaks = 0.3 * self.line_breaks(raw);
        if let Some(inner) = inside(trimmed, quote) {
            let (faults, other) = self.faults(inner, quote);
            let text = match other {
                Some(escape) => {
                    let form = Form { escape: Some(escape), ..self.form.clone() };
                    unescaped(inner, &form)
                }
                None => unescape_quoted(inner, self.form, quote),
            };
            let repairs = match (other.is_some(), faults > 0) {
                (true, _) => vec![Repair::Escape],
                (_, true) => vec![Repair::Quote],
                _ => Vec::new(),
            };
            let mut cost = breaks + if other.is_some() { 1.0 } else { 1.6 * faults as f64 };
            // A quote next to a delimiter within rather closes a cell, or opens one.
            let delimiter = &self.form.delimiter;
            if inner.ends_with(delimiter.as_str()) || inner.starts_with(delimiter.as_str()) {
                cost += 2.5;
            }
            if faults > 0 && pieces > 1 {
                let closes = inner.contains(&format!("{mark}{delimiter}"));
                let opens = inner.contains(&format!("{delimiter}{mark}"));
                cost += 3.0 * f64::from(u8::from(closes) + u8::from(opens));
            }
            return Some(Value { text, cost, repairs });
        }
        if column.quoted() < 0.5 && pieces == 1 {
            return None;
        }
        // All cells of the column are quoted, or this one's delimiters want it to be: one of its quotes is missing.
        let inner = match (trimmed.strip_prefix(mark), trimmed.strip_suffix(mark)) {
            (Some(inner), None) | (None, Some(inner)) if self.faults(inner, quote).0 == 0 => inner,
            // One of an empty cell's two.
            (Some(inner), Some(_)) if inner.is_empty() => inner,
            _ => return None,
        };
        let (joined, sentence) = (pieces - 1, inner.matches(&self.spaced).count());
        let cost = 2.0 + breaks + 1.2 * joined as f64 - 0.7 * sentence.min(joined) as f64;
        let text = unescape_quoted(inner, self.form, quote);
        Some(Value { text, cost, repairs: vec![Repair::Unclosed] })
    }

    /// Quotes within a quoted cell that are not as the file writes them, and the other escape that explains them.
    pub(super) fn faults(&self, inner: &str, quote: u8) -> (usize, Option<u8>) {
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
}

/// What stands between two quotes.
pub(super) fn inside(raw: &str, quote: u8) -> Option<&str> {
    raw.strip_prefix(char::from(quote))?.strip_suffix(char::from(quote))
}

fn unescape_quoted<'a>(inner: &'a str, form: &Form, quote: u8) -> Cow<'a, str> {
    if form.quote == Some(quote) { unescaped(inner, form) } else { Cow::Borrowed(inner) }
}

fn unescape_plain<'a>(raw: &'a str, form: &Form) -> Cow<'a, str> {
    match form.escape {
        Some(escape) if raw.contains(char::from(escape)) => {
            unescaped(raw, &Form { quote: None, ..form.clone() })
        }
        _ => Cow::Borrowed(raw),
    }
}
