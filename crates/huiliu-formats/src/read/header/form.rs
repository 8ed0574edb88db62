//! Forms and turned tables: the names of fields stand below one another, each beside its value.
//!
//! Such a sheet holds one record, or a record in each column. It is not read, since its rows are no records, and the
//! sender is told so.

use std::collections::BTreeSet;

use super::names::{Names, Rank};
use super::{Grid, SEARCH_ROWS};

/// Fewest different fields that are named one below the other.
const FEWEST: usize = 3;

/// Whether most rows begin with the name of a field of their own.
pub(in crate::read) fn is_form(grid: &Grid, names: &Names) -> bool {
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
