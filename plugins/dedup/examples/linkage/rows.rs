//! Rows of comma-separated values, as the data sets are written.

use std::io::Read;

/// A table in one text: a million rows in texts of their own would take several times the memory of what is measured.
#[derive(Default)]
pub(crate) struct Table {
    text: String,
    /// Where each cell ends.
    ends: Vec<u32>,
    width: usize,
}

impl Table {
    /// All rows, the header among them.
    ///
    /// # Errors
    /// It cannot be read, or its rows are not equally long.
    pub(crate) fn read(from: impl Read) -> csv::Result<Self> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(from);
        let (mut table, mut row) = (Self::default(), csv::StringRecord::new());
        while reader.read_record(&mut row)? {
            table.width = row.len();
            for cell in &row {
                table.text.push_str(cell);
                table.ends.push(table.text.len() as u32);
            }
        }
        Ok(table)
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.ends.len() / self.width.max(1)
    }

    /// A cell.
    pub(crate) fn get(&self, row: usize, column: usize) -> &str {
        let at = row * self.width + column;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[at] as usize]
    }

    /// The cells of a row.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = &str> {
        (0..self.width).map(move |column| self.get(row, column))
    }

    /// The column of this name, by the first row.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        (self.rows() > 0).then(|| self.row(0).position(|column| column == name)).flatten()
    }
}
