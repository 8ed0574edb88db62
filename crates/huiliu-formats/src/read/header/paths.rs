//! What stands above each column: the rows of a header, a merged cell counted for all that it covers.

use crate::read::merged::MergedRows;

/// The texts of each column's header, from above. A merged cell counts for all that it covers; where a row has none, a
/// text reaches to the right over blanks that have something below.
pub(super) fn paths(rows: &[(u32, Vec<String>)], merged: &MergedRows) -> Vec<Vec<String>> {
    let width = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let mut paths = vec![Vec::<String>::new(); width];
    let cell = |row: usize, column: usize| rows[row].1.get(column).map_or("", |text| text.trim());
    let shown = |number: u32, column: usize| {
        let range = merged.around(number, column)?;
        let row = rows.iter().position(|(of, _)| *of == range.first_row)?;
        Some(cell(row, range.first_column as usize)).filter(|text| !text.is_empty())
    };
    for (row, (number, _)) in rows.iter().enumerate() {
        let guessed = !merged.joins_columns(*number);
        let mut parent = "";
        for (column, path) in paths.iter_mut().enumerate() {
            let text = cell(row, column);
            let below = (row + 1..rows.len()).any(|r| !cell(r, column).is_empty());
            if !text.is_empty() {
                parent = text;
            } else if let Some(text) = shown(*number, column) {
                parent = text;
            } else if !below || !guessed {
                parent = "";
            }
            if !parent.is_empty() && path.last().is_none_or(|above| above != parent) {
                path.push(parent.to_owned());
            }
        }
    }
    // A column that shows nothing but the merged cells of the one before it has no header of its own.
    for column in (1..width).rev() {
        if (0..rows.len()).all(|row| cell(row, column).is_empty()) && paths[column] == paths[column - 1] {
            paths[column].clear();
        }
    }
    paths
}
