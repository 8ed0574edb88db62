//! What the values of a column say of a header whose words may mean several fields.
//!
//! Only weak words are judged: a firm word whose values do not suit it is a matter of the cells, and told with each of
//! them. Credit codes and project codes are known by their shape and check digit, whatever stands above them.

use huiliu_stage::FieldType;

use super::names::{Names, Rank, tidy};
use super::{Column, Grid, Layout, NEIGHBOUR};
use crate::read::value::{Asked, date, is_number};

/// How a column was understood whose values decided.
pub(super) const VALUES: &str = "values";
/// Fewest values that say something.
const FEWEST: usize = 2;

/// The share of a column's values that may be of each kind.
#[derive(Debug, Default)]
struct Evidence {
    filled: usize,
    numbers: usize,
    dates: usize,
    /// Of the rest, which are words.
    words: usize,
    credit_codes: usize,
    project_codes: usize,
}

impl Evidence {
    fn of(grid: &Grid, layout: &Layout, column: usize) -> Self {
        let last = layout.header_rows.last().copied().unwrap_or(0);
        let mut found = Self::default();
        for (_, cells) in grid.iter().filter(|(number, _)| *number > last) {
            // A title of a group or a footer fills few cells, and says nothing of its column.
            let filled = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
            let Some(cell) = cells.get(column).map(|cell| cell.trim()).filter(|cell| !cell.is_empty()) else {
                continue;
            };
            if filled >= 2 {
                found.add(cell);
            }
        }
        found
    }

    fn add(&mut self, cell: &str) {
        let word = tidy(cell);
        let digits = word.chars().filter(char::is_ascii_digit).count();
        self.filled += 1;
        if is_credit_code(&word) {
            self.credit_codes += 1;
        } else if is_project_code(&word) {
            self.project_codes += 1;
        } else if is_number(cell) {
            self.numbers += 1;
        } else if digits > 0 && date(cell, 0, Asked { planned: true, end: None }).value.is_some() {
            self.dates += 1;
        } else if digits * 2 < word.chars().count() {
            self.words += 1;
        }
    }

    fn mostly(&self, count: usize) -> bool {
        self.filled >= FEWEST && count * 5 >= self.filled * 4
    }

    /// Whether a field of this kind and name cannot be what the column holds.
    fn excludes(&self, field: &str, kind: FieldType) -> bool {
        let codes = self.credit_codes + self.project_codes;
        if field == "project_code" {
            return self.filled >= FEWEST && self.project_codes == 0;
        }
        if field == "owner_uscc" {
            return self.filled >= FEWEST && self.credit_codes == 0;
        }
        match kind {
            FieldType::Money | FieldType::Number | FieldType::Integer => {
                self.mostly(self.dates + self.words + codes)
            }
            FieldType::Date | FieldType::Timestamp => self.mostly(self.numbers + self.words + codes),
            FieldType::Text | FieldType::List => {
                self.mostly(self.numbers + self.dates + codes) && !is_key(field)
            }
            FieldType::Boolean => false,
        }
    }
}

/// Whether a text field holds numbers or codes by its nature.
fn is_key(field: &str) -> bool {
    ["_no", "_code", "uscc", "phone"].iter().any(|end| field.ends_with(end))
}

/// Takes weak decisions back that the values contradict, and decides where they leave one field only.
pub(super) fn decide(grid: &Grid, layout: &mut Layout, names: &Names) {
    for at in 0..layout.columns.len() {
        let Some(column) = layout.columns.get(at) else { continue };
        if column.header.is_empty() {
            continue;
        }
        let weak = [Rank::Weak.as_str(), NEIGHBOUR].contains(&column.how);
        if column.field.is_some() && !weak {
            continue;
        }
        let evidence = Evidence::of(grid, layout, at);
        let decided = choose(layout, names, at, &evidence);
        if let Some(column) = layout.columns.get_mut(at) {
            settle(column, decided);
        }
    }
}

/// What a column is by its values.
enum Decided {
    /// Nothing that was not known.
    Nothing,
    /// The values contradict the field that it was taken for; what its words may mean.
    Not(Vec<usize>),
    Field(usize),
}

fn choose(layout: &Layout, names: &Names, at: usize, evidence: &Evidence) -> Decided {
    let Some(column) = layout.columns.get(at) else { return Decided::Nothing };
    let free = |field: usize| layout.column_of(field).is_none_or(|of| of == at);
    for (name, count) in [("owner_uscc", evidence.credit_codes), ("project_code", evidence.project_codes)] {
        if let Some(field) = names.field(name).filter(|field| evidence.mostly(count) && free(*field)) {
            return Decided::Field(field);
        }
    }
    let mut may: Vec<usize> = column.field.into_iter().chain(column.others.iter().copied()).collect();
    may.dedup();
    let kind = |field: usize| names.kind(field);
    let excluded = |field: usize| kind(field).is_some_and(|(name, kind)| evidence.excludes(name, kind));
    let left: Vec<usize> = may.iter().copied().filter(|field| free(*field) && !excluded(*field)).collect();
    match (left.as_slice(), column.field) {
        (_, Some(field)) if !excluded(field) => Decided::Nothing,
        ([field], _) if may.len() > 1 => Decided::Field(*field),
        // Numbers are a text as well, if there is nothing else that they may be.
        ([], Some(field)) if kind(field).is_some_and(|(_, kind)| kind == FieldType::Text) => Decided::Nothing,
        (_, Some(_)) => Decided::Not(may),
        _ => Decided::Nothing,
    }
}

fn settle(column: &mut Column, decided: Decided) {
    match decided {
        Decided::Nothing => {}
        Decided::Not(others) => (column.field, column.how, column.others) = (None, "unknown", others),
        Decided::Field(field) => {
            (column.field, column.how) = (Some(field), VALUES);
            column.others.retain(|other| *other != field);
        }
    }
}

/// Whether a tidy text is a unified social credit code whose check character is right (GB 32100).
fn is_credit_code(word: &str) -> bool {
    const CHARACTERS: &str = "0123456789abcdefghjklmnpqrtuwxy";
    let values: Option<Vec<usize>> = word.chars().map(|c| CHARACTERS.find(c)).collect();
    let Some(values) = values.filter(|values| values.len() == 18) else { return false };
    let (mut weight, mut sum) = (1, 0);
    for value in &values[..17] {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    // The number of a person has eighteen characters too.
    let place = word.as_bytes()[2..8].iter().all(u8::is_ascii_digit);
    place && values[17] == (31 - sum % 31) % 31
}

/// Whether a tidy text has the shape of a project code: twenty digits, with or without their hyphens.
fn is_project_code(word: &str) -> bool {
    let parts: Vec<usize> = word.split(['-', '—', '–']).map(str::len).collect();
    word.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '—' | '–'))
        && (parts == [20] || parts.get(..5) == Some(&[4, 6, 2, 2, 6]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_by_their_shape_and_check_digit() {
        for (word, credit, project) in [
            ("91350100m000100y43", true, false),
            ("91350100m000100y44", false, false),
            ("2509-320193-89-01-544060", false, true),
            ("25093201938901544060", false, true),
            ("2509-320193-89-01-544060-000", false, true),
            ("110101199003077758", false, false),
            ("示例", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_credit_code(word), is_project_code(word)), (credit, project), "{word}");
        }
    }
}
