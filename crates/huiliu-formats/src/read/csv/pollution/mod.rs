//! Clean tables, polluted in every way we can think of, that must come back clean.
//!
//! Knows nothing of the reader: tests read the texts directly, `examples/csv_pollution.rs` reads them as files and
//! prints how many come back. A pollution changes a [`Draft`](draft::Draft) and the table that it means with it.

mod draft;
mod file;
mod row;
mod tables;

use self::draft::Draft;
pub(crate) use self::tables::{NAMES, table};

/// Rows of cells, the header first.
pub(crate) type Table = Vec<Vec<String>>;

/// Changes a text; `false` where it does not apply.
type Pollution = (&'static str, fn(&mut Draft) -> bool);

/// A polluted text.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Rows of the header.
    pub(crate) header: usize,
    /// What the text means.
    pub(crate) table: Table,
}

impl Case {
    fn new(name: String, draft: &Draft) -> Self {
        Self { name, text: draft.text(), header: draft.header, table: draft.table.clone() }
    }
}

/// The clean table with each pollution of a whole file.
pub(crate) fn of_file(clean: &Table) -> Vec<Case> {
    let made = file::all().into_iter().filter_map(|(name, pollute)| {
        let mut draft = Draft::new(clean.clone());
        pollute(&mut draft).then(|| Case::new(name.to_owned(), &draft))
    });
    made.collect()
}

/// The clean table with each pollution of one row, and of one cell of it.
pub(crate) fn of_row(clean: &Table, row: usize, column: usize) -> Vec<Case> {
    let made = row::rows().into_iter().chain(row::cells()).filter_map(|(name, pollute)| {
        let mut draft = Draft::new(clean.clone());
        pollute(&mut draft, row, column).then(|| Case::new(name.to_owned(), &draft))
    });
    made.collect()
}

/// Pollutions of cells only.
pub(crate) fn of_cell(clean: &Table, row: usize, column: usize) -> Vec<Case> {
    let made = row::cells().into_iter().filter_map(|(name, pollute)| {
        let mut draft = Draft::new(clean.clone());
        pollute(&mut draft, row, column).then(|| Case::new(name.to_owned(), &draft))
    });
    made.collect()
}

/// Two pollutions at once: one of the file, then one of a row; `which` counts through all pairs.
pub(crate) fn of_pair(clean: &Table, which: usize, row: usize, column: usize) -> Option<Case> {
    let (files, mut rows) = (file::all(), row::rows());
    rows.extend(row::cells());
    let (first, of_file) = files[which % files.len()];
    let (second, of_row) = rows[which / files.len() % rows.len()];
    let mut draft = Draft::new(clean.clone());
    if !of_file(&mut draft) || row >= draft.lines.len() || column >= draft.width() {
        return None;
    }
    of_row(&mut draft, row, column).then(|| Case::new(format!("{first} + {second}"), &draft))
}

/// How many pairs there are.
pub(crate) fn pairs() -> usize {
    file::all().len() * (row::rows().len() + row::cells().len())
}
