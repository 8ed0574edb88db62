//! Clean tables, polluted in every way we can think of, that must come back clean.
//!
//! Knows nothing of the reader: tests read the texts directly, `examples/csv_pollution.rs` reads them as files and
//! prints how many come back. A pollution changes a [`Draft`](draft::Draft) and the table that it means with it.

mod cell;
mod draft;
mod file;
mod row;
mod shape;
mod tables;

use self::draft::{Draft, PLAIN, Pen};
pub(crate) use self::tables::NAMES;

/// Rows of cells, the header first.
pub(crate) type Table = Vec<Vec<String>>;

/// A clean table and how it is written.
pub(crate) struct Clean {
    pub(crate) table: Table,
    pen: Pen,
}

/// The clean table of this name with so many rows below its header.
pub(crate) fn clean(name: &str, seed: u64, rows: usize) -> Clean {
    let pen = Pen { all_quoted: name.ends_with(" quoted"), ..PLAIN };
    Clean { table: tables::table(name, seed, rows), pen }
}

impl Clean {
    fn draft(&self) -> Draft {
        Draft::new(self.table.clone(), self.pen)
    }
}

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
pub(crate) fn of_file(clean: &Clean) -> Vec<Case> {
    let made = file::all().into_iter().filter_map(|(name, pollute)| {
        let mut draft = clean.draft();
        pollute(&mut draft).then(|| Case::new(name.to_owned(), &draft))
    });
    made.collect()
}

/// The clean table with each pollution of one row, and of one cell of it.
pub(crate) fn of_row(clean: &Clean, row: usize, column: usize) -> Vec<Case> {
    let made = row::all().into_iter().chain(cell::all()).filter_map(|(name, pollute)| {
        let mut draft = clean.draft();
        pollute(&mut draft, row, column).then(|| Case::new(name.to_owned(), &draft))
    });
    made.collect()
}

/// Pollutions of cells only.
pub(crate) fn of_cell(clean: &Clean, row: usize, column: usize) -> Vec<Case> {
    let made = cell::all().into_iter().filter_map(|(name, pollute)| {
        let mut draft = clean.draft();
        pollute(&mut draft, row, column).then(|| Case::new(name.to_owned(), &draft))
    });
    made.collect()
}

/// Two pollutions at once: one of the file, then one of a row; `which` counts through all pairs.
pub(crate) fn of_pair(clean: &Clean, which: usize, row: usize, column: usize) -> Option<Case> {
    let (files, mut rows) = (file::all(), row::all());
    rows.extend(cell::all());
    let (first, of_file) = files[which % files.len()];
    let (second, of_row) = rows[which / files.len() % rows.len()];
    let mut draft = clean.draft();
    if !of_file(&mut draft) || row >= draft.lines.len() || column >= draft.width() {
        return None;
    }
    of_row(&mut draft, row, column).then(|| Case::new(format!("{first} + {second}"), &draft))
}

/// How many pairs there are.
pub(crate) fn pairs() -> usize {
    file::all().len() * (row::all().len() + cell::all().len())
}
