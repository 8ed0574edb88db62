//! The merged cells of a sheet, for those who join headers, tell rows apart and fill cells down.
//!
//! Rows count from 1, columns from 0. A text file has none, so its blanks are all that there is to go by.

use std::collections::BTreeMap;

use super::workbook::Merge;

/// Merged ranges, in order of their first rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Merged {
    ranges: Vec<Merge>,
}

impl Merged {
    pub(super) fn new(mut ranges: Vec<Merge>) -> Self {
        // A range of one cell says nothing.
        ranges.retain(|r| r.first_row < r.last_row || r.first_column < r.last_column);
        ranges.sort_by_key(|range| (range.first_row, range.first_column));
        Self { ranges }
    }

    /// All of them.
    pub(super) fn ranges(&self) -> &[Merge] {
        &self.ranges
    }

    /// Those that begin in the rows from `first` to `last`.
    fn begun(&self, first: u32, last: u32) -> &[Merge] {
        let from = self.ranges.partition_point(|range| range.first_row < first);
        let to = self.ranges.partition_point(|range| range.first_row <= last);
        self.ranges.get(from..to.max(from)).unwrap_or_default()
    }

    /// The ranges that cover some of these rows.
    pub(super) fn over(&self, rows: impl Iterator<Item = u32>) -> MergedRows {
        let of = |row: u32| {
            let mut here: Vec<Merge> =
                self.begun(0, row).iter().filter(|r| row <= r.last_row).copied().collect();
            here.sort_by_key(|range| range.first_column);
            (row, here)
        };
        MergedRows { rows: rows.map(of).collect() }
    }

    /// Those that join rows of one column below row `header`, in their order.
    pub(super) fn down(&self, column: usize, header: u32) -> impl Iterator<Item = &Merge> {
        self.begun(header.saturating_add(1), u32::MAX).iter().filter(move |range| {
            range.first_row < range.last_row
                && (range.first_column as usize..=range.last_column as usize).contains(&column)
        })
    }
}

/// The merged ranges of a few rows, each row's from left to right.
#[derive(Clone, Debug, Default)]
pub(super) struct MergedRows {
    rows: BTreeMap<u32, Vec<Merge>>,
}

impl MergedRows {
    fn of(&self, row: u32) -> &[Merge] {
        self.rows.get(&row).map(Vec::as_slice).unwrap_or_default()
    }

    /// The range that a cell belongs to.
    pub(super) fn around(&self, row: u32, column: usize) -> Option<&Merge> {
        let here = self.of(row);
        let at = here.partition_point(|range| range.first_column as usize <= column);
        here.get(at.checked_sub(1)?).filter(|range| column <= range.last_column as usize)
    }

    /// Whether some cells of a row are merged with those beside them.
    pub(super) fn joins_columns(&self, row: u32) -> bool {
        self.of(row).iter().any(|range| range.first_column < range.last_column)
    }

    /// Whether the rows from `first` to `last` cut a range of at most `most` rows.
    pub(super) fn cut_by(&self, first: u32, last: u32, most: usize) -> bool {
        let crosses = |range: &Merge, row: u32| range.first_row < row && row <= range.last_row;
        self.rows.values().flatten().any(|range| {
            ((range.last_row - range.first_row) as usize) < most
                && (crosses(range, first) || crosses(range, last.saturating_add(1)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_cuts_a_merged_cell_is_none() {
        let range = |first_row, last_row, first_column, last_column| Merge {
            first_row,
            last_row,
            first_column,
            last_column,
        };
        let merged =
            Merged::new(vec![range(3, 4, 0, 0), range(1, 1, 0, 5), range(6, 9, 2, 2), range(7, 7, 1, 1)]);
        let rows = merged.over(1..=9);
        // (first, last) of a header, and whether it cuts A3:A4. C6:C9 is longer than a header.
        for ((first, last), cuts) in
            [((3, 3), true), ((4, 4), true), ((3, 4), false), ((2, 5), false), ((7, 7), false)]
        {
            assert_eq!(rows.cut_by(first, last, 3), cuts, "{first}–{last}");
        }
        assert_eq!(merged.down(2, 4).map(|r| (r.first_row, r.last_row)).collect::<Vec<_>>(), [(6, 9)]);
        assert!(rows.joins_columns(1) && !rows.joins_columns(3));
        assert_eq!(rows.around(8, 2).map(|range| range.first_row), Some(6));
    }
}
