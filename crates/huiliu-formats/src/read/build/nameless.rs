//! Columns without a header that hold something: beside the table, or under an empty cell of its header.
//!
//! Their values are kept in `_extra` under the column's letters; the sender is told of each such column once.

use std::collections::BTreeSet;

use huiliu_stage::{Finding, Severity, Text, cell_address, column_letters, row_id};

use crate::read::chunk::Chunk;
use crate::read::header::Layout;

/// Most columns of one sheet that are told of.
const MOST: usize = 50;

#[derive(Debug, Default)]
pub(in crate::read) struct Nameless {
    /// Columns of the table whose header is empty.
    empty: Vec<usize>,
    told: BTreeSet<usize>,
}

impl Nameless {
    pub(super) fn lay_out(&mut self, layout: &Layout) {
        let columns = layout.columns.iter().enumerate();
        let empty = columns.filter(|(_, column)| column.field.is_none() && column.header.is_empty());
        self.empty = empty.map(|(at, _)| at).collect();
    }

    /// What to tell of the columns that hold something for the first time in this chunk.
    pub(in crate::read) fn told(&mut self, sheet: u32, chunk: &Chunk, text: &str) -> Vec<Finding> {
        if self.empty.is_empty() && chunk.surplus.is_empty() {
            return Vec::new();
        }
        let view = chunk.view(text);
        let mut met: Vec<(u32, usize)> = Vec::new();
        for &column in self.empty.iter().filter(|column| !self.told.contains(column)) {
            let filled = (0..chunk.rows()).find(|row| !view.get(*row, column).trim().is_empty());
            met.extend(filled.map(|row| (chunk.numbers[row], column)));
        }
        for (number, column, span) in &chunk.surplus {
            // A text row that is too long is told of as such.
            let is_odd = chunk.odd.iter().any(|(odd, _)| odd == number);
            if !is_odd && !view.text(*span).trim().is_empty() {
                met.push((*number, *column as usize));
            }
        }
        let mut findings = Vec::new();
        for (number, column) in met {
            if self.told.len() < MOST && self.told.insert(column) {
                findings.push(nameless(sheet, number, column));
            }
        }
        findings
    }
}

fn nameless(sheet: u32, number: u32, column: usize) -> Finding {
    let (address, letters) = (cell_address(column, number), column_letters(column));
    let text = Text::new(
        format!(
            "{address} 有内容，但{letters}列没有列名，该列内容原样保留，不作为字段读取；如有用，请写明列名"
        ),
        format!(
            "{address} holds something, but column {letters} has no header; what is in it is kept as it is, name the column if it matters"
        ),
    );
    Finding::new(Some(row_id(sheet, number)), Severity::Info, "V24", text)
}
