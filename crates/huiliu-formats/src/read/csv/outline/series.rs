//! Names of columns that are values themselves: years, days, hours, wavelengths, the columns counted.

use super::super::shape::{Kind, Profile, kind};
use super::Line;

/// What a number costs in a column where it looks like no other.
const STRANGE: f64 = 1.1;
/// What the likeliest cell costs at the most in a column whose cells are of one kind.
const ALIKE: f64 = 0.45;
/// Rows below that tell so.
const LEAST_BELOW: usize = 4;
/// Rows that tell whether a column holds years, and between what its numbers lie.
const LOOKED_AT: usize = 50;
/// Rows below that must not count on where a row of counted names does.
const NEXT: usize = 3;

/// Whether a row counts the columns from one on, words' columns too: `1,2,3,4`.
pub(super) fn numbers_columns(line: &Line<'_>, columns: &[Profile]) -> bool {
    let mut cells = line.record.cells.iter().zip(1_usize..);
    columns.len() > 2
        && columns.iter().any(|column| column.values() < 0.3)
        && cells.all(|(cell, number)| cell.text.trim().parse() == Ok(number))
}

/// Whether a row's values are years, days, hours, counted or rising numbers that name columns of other values. Below other
/// names (`further`) they may repeat.
pub(super) fn is_series(line: &Line<'_>, columns: &[Profile], below: &[Line<'_>], further: bool) -> bool {
    let names = values(line);
    let words = line.record.cells.iter().any(|cell| matches!(kind(&cell.text), Kind::Word | Kind::Text));
    let corner = line.record.cells.first().is_some_and(|cell| cell.text.trim().is_empty());
    let dated = names.iter().all(|(_, text)| is_date(text));
    let like_others = |at: usize, text: &str| match is_year(text) {
        // Counts have four digits as well.
        true => holds_years(below, at),
        false => columns.get(at).is_some_and(|column| column.knows(text) || column.cost(text) < 0.5),
    };
    for (seen, &(at, text)) in names.iter().enumerate() {
        let own = dated && like_others(at, text);
        let again = names[..seen].iter().any(|(_, other)| *other == text);
        if own || again && !(further && dated) {
            return false;
        }
    }
    let strange = |least: f64| {
        let cost = |at: usize, text: &str| columns.get(at).is_some_and(|column| column.cost(text) > least);
        names.iter().all(|&(at, text)| cost(at, text))
    };
    let known = below.len() >= LEAST_BELOW;
    let counted = is_counted(&names) && !below.iter().take(NEXT).any(|line| is_counted(&values(line)));
    match names.len() {
        0 => false,
        // One alone may be the first row's own, or a key's above the header, unless all others are values of one kind.
        1 => {
            dated
                && words
                && !further
                && known
                && strange(STRANGE)
                && are_alike(&names, columns)
                && stand_above_values(&names, below)
        }
        count => {
            dated
                || (counted && (words || corner) && count > 3)
                || (counted && corner && !further && counts_rows(below))
                || (rise(&names) && words && known && count > 3 && strange(STRANGE))
                || (are_steps(&names) && words && known && !further && lie_outside(&names, below))
        }
    }
}

/// The values of a row and the columns that they stand in.
fn values<'a>(line: &'a Line<'_>) -> Vec<(usize, &'a str)> {
    let cells = line.record.cells.iter().map(|cell| cell.text.trim()).enumerate();
    cells.filter(|(_, text)| kind(text).is_value()).collect()
}

fn is_date(text: &str) -> bool {
    is_year(text) || matches!(kind(text), Kind::Date | Kind::Time | Kind::Stamp)
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && (text.starts_with("19") || text.starts_with("20")) && kind(text) == Kind::Integer
}

/// Whether each number is the one after the number before it.
fn is_counted(names: &[(usize, &str)]) -> bool {
    let number = |text: &str| text.parse::<u32>().ok();
    let first = names.first().and_then(|(_, text)| number(text));
    let Some(first) = first.filter(|_| names.len() > 1) else { return false };
    names.iter().zip(first..).all(|((_, text), expected)| number(text) == Some(expected))
}

/// Whether whole numbers rise from left to right.
fn rise(names: &[(usize, &str)]) -> bool {
    let mut last = 0;
    names.iter().all(|(_, text)| match text.parse::<u32>() {
        Ok(number) if number > last => {
            last = number;
            true
        }
        _ => false,
    })
}

/// Whether three numbers or more rise by even steps, as wavelengths and depths do.
fn are_steps(names: &[(usize, &str)]) -> bool {
    let numbers: Option<Vec<f64>> = names.iter().map(|(_, text)| text.parse().ok()).collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() > 2) else { return false };
    let step = numbers[1] - numbers[0];
    step > 0.0 && numbers.windows(2).all(|two| (two[1] - two[0] - step).abs() < step * 1e-3)
}

/// Whether each number is less, or more, than all those of its column.
fn lie_outside(names: &[(usize, &str)], below: &[Line<'_>]) -> bool {
    names.iter().all(|&(at, text)| {
        let cells = below.iter().take(LOOKED_AT).filter_map(|line| line.record.cells.get(at));
        let numbers: Vec<f64> = cells.filter_map(|cell| cell.text.trim().parse().ok()).collect();
        let Ok(own) = text.parse::<f64>() else { return false };
        numbers.len() >= LEAST_BELOW
            && (numbers.iter().all(|number| *number < own) || numbers.iter().all(|number| *number > own))
    })
}

/// Whether the first column counts the rows from nought or one.
fn counts_rows(below: &[Line<'_>]) -> bool {
    let mut firsts =
        below.iter().take(LOOKED_AT).map(|line| line.record.cells.first()?.text.trim().parse().ok());
    let Some(Some(first @ (0_u32 | 1))) = firsts.next() else { return false };
    below.len() > 1 && firsts.zip(first + 1..).all(|(number, expected)| number == Some(expected))
}

/// Whether the columns of these names hold one kind of value each, as a list of keys and their values does not.
fn are_alike(names: &[(usize, &str)], columns: &[Profile]) -> bool {
    names.iter().all(|&(at, _)| columns.get(at).is_some_and(|column| column.usual() < ALIKE))
}

/// Whether the next rows have values in the columns of these names as well.
fn stand_above_values(names: &[(usize, &str)], below: &[Line<'_>]) -> bool {
    let value = |line: &Line<'_>, at: usize| {
        line.record
            .cells
            .get(at)
            .is_some_and(|cell| matches!(kind(&cell.text), Kind::Empty) || kind(&cell.text).is_value())
    };
    below.iter().take(LEAST_BELOW).all(|line| names.iter().all(|&(at, _)| value(line, at)))
}

/// Whether a good part of a column's cells could be years.
fn holds_years(rows: &[Line<'_>], column: usize) -> bool {
    let cells = || {
        let cells = rows.iter().take(LOOKED_AT).filter_map(|row| row.record.cells.get(column));
        cells.map(|cell| cell.text.trim()).filter(|text| !text.is_empty())
    };
    cells().filter(|text| is_year(text)).count() * 3 > cells().count()
}
