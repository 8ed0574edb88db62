//! Forms and turned tables: the names of fields stand below one another, each beside its value.
//!
//! Such a sheet holds one record, or a record in each column. It is not read, since its rows are no records, and the
//! sender is told so.

use std::collections::BTreeSet;

use super::names::{Names, Rank};
use super::{Grid, SEARCH_ROWS};

/// Fewest different fields that are named one below the other.
const FEWEST: usize = 3;

/// Fewest rows of names and values in turns that are no chance.
const FEWEST_ROWS: usize = 2;

/// Whether several rows are names of fields and their values in turns: 项目名称 | 甲项目 | 建设单位 | 甲公司.
fn is_of_pairs(grid: &Grid, names: &Names) -> bool {
    let firm = |cell: &str| names.claims(&[cell.to_owned()]).iter().any(|(_, rank)| *rank != Rank::Weak);
    let (mut rows, mut pairs) = (0, 0);
    for (_, cells) in grid.iter().take(SEARCH_ROWS) {
        let filled: Vec<&str> =
            cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
        if filled.len() < 2 {
            continue;
        }
        rows += 1;
        let turns = filled.len() >= 4
            && filled.chunks(2).all(|pair| firm(pair[0]) && !pair.get(1).is_some_and(|value| firm(value)));
        pairs += usize::from(turns);
    }
    pairs >= FEWEST_ROWS && pairs * 2 > rows
}

/// Whether most rows begin with the name of a field of their own, or hold such names and their values in turns.
pub(in crate::read) fn is_form(grid: &Grid, names: &Names) -> bool {
    // A table below has a row of nothing but names.
    let firm =
        |cell: &String| names.claims(std::slice::from_ref(cell)).iter().any(|(_, rank)| *rank != Rank::Weak);
    let header = |cells: &[String]| {
        let mut filled = cells.iter().filter(|cell| !cell.trim().is_empty());
        filled.clone().count() > 2 && filled.all(firm)
    };
    if grid.iter().take(SEARCH_ROWS).any(|(_, cells)| header(cells)) {
        return false;
    }
    if is_of_pairs(grid, names) {
        return true;
    }
    let (mut rows, mut labels, mut fields) = (0, 0, BTreeSet::new());
    for (_, cells) in grid.iter().take(SEARCH_ROWS) {
        let mut filled = cells.iter().filter(|cell| !cell.trim().is_empty());
        let (Some(first), Some(_)) = (filled.next(), filled.next()) else { continue };
        rows += 1;
        let firm =
            names.claims(std::slice::from_ref(first)).into_iter().find(|(_, rank)| *rank != Rank::Weak);
        if let Some((field, _)) = firm {
            labels += 1;
            fields.insert(field);
        }
    }
    fields.len() >= FEWEST && labels * 2 > rows
}
