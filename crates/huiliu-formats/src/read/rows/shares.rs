//! Parts of a total (其中：省级重点, 市级重点) where rows have no numbers: those below the first look like records, and are
//! none if with them the parts add up to the total.

use crate::read::chunk::View;

/// Most parts of one total.
const MOST: usize = 20;
/// Amounts are printed with at most four places.
const NEAR: f64 = 1e-5;

/// What is left of the total above when its parts are taken from it.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// Columns of amounts, and what is left of each.
    left: Vec<(usize, f64)>,
}

impl Shares {
    /// The total of the rows above stands in this row.
    pub(super) fn begin(&mut self, view: View<'_>, row: usize, columns: impl Iterator<Item = usize>) {
        self.left = columns.filter_map(|column| Some((column, amount(view, row, column)?))).collect();
    }

    /// A part of it stands in this row.
    pub(super) fn take(&mut self, view: View<'_>, row: usize) {
        for (column, left) in &mut self.left {
            *left -= amount(view, row, *column).unwrap_or(0.0);
        }
    }

    /// Whether what is left is what this row says, or this row and some below it of which `is_part` may hold.
    pub(super) fn end_with(&self, view: View<'_>, row: usize, is_part: impl Fn(usize) -> bool) -> bool {
        let mut left: Vec<(usize, f64)> =
            self.left.iter().filter(|(_, left)| *left > NEAR).copied().collect();
        for row in (row..row + MOST).take_while(|row| is_part(*row)) {
            for (column, left) in &mut left {
                *left -= amount(view, row, *column).unwrap_or(0.0);
            }
            if left.iter().any(|(_, left)| left.abs() < NEAR) {
                return left.iter().all(|(_, left)| left.abs() < NEAR);
            }
        }
        false
    }
}

fn amount(view: View<'_>, row: usize, column: usize) -> Option<f64> {
    view.get(row, column).trim().replace([',', '，'], "").parse().ok()
}
