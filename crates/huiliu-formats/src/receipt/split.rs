//! Cutting the text of a CSV file into rows and cells, for the copy in the receipt.
//!
//! Rows are counted as the reader and a spreadsheet count them: by record, blank ones included. Nothing is
//! repaired here: a file whose quotes are broken is shown as it stands.

/// Bytes kept of one row; what goes beyond (a quote never closed) is not shown.
const MAX_ROW_BYTES: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    CellStart,
    Plain,
    Quoted,
    /// Behind a quote inside a quoted cell: the end of it, or the first half of a doubled one.
    Quote,
}

/// Takes text piece by piece and gives rows.
pub(super) struct Splitter {
    delimiter: Vec<u8>,
    newline: u8,
    at: At,
    cells: Cells,
}

/// The cells of one row.
#[derive(Default)]
pub(super) struct Cells {
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Where text that stands in no quotes begins.
    bare: usize,
}

impl Cells {
    /// The texts, from left to right.
    pub(super) fn iter(&self) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| String::from_utf8_lossy(&self.text[start..end]))
    }

    /// Whether the row has no cells.
    pub(super) fn is_blank(&self) -> bool {
        self.ends.is_empty()
    }

    fn push(&mut self, byte: u8) {
        if self.text.len() < MAX_ROW_BYTES {
            self.text.push(byte);
        }
    }

    /// Whether this byte completes a delimiter that stands in no quotes.
    fn ends_with(&self, delimiter: &[u8], byte: u8) -> bool {
        let Some((last, before)) = delimiter.split_last() else { return false };
        *last == byte && self.text.get(self.bare..).is_some_and(|bare| bare.ends_with(before))
    }

    /// Takes off the first half of a line break of two characters.
    fn drop_cr(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0);
        if self.text.len() > start {
            self.text.pop_if(|last| *last == b'\r');
        }
    }

    fn end_cell(&mut self) {
        if self.ends.len() < MAX_ROW_BYTES {
            self.ends.push(self.text.len());
        }
        self.bare = self.text.len();
    }
}

impl Splitter {
    /// Cells are parted by `delimiter`. Rows end with a line feed if the beginning of the text has one, else
    /// with a carriage return.
    pub(super) fn new(delimiter: &str, beginning: &str) -> Self {
        let newline = if !beginning.contains('\n') && beginning.contains('\r') { b'\r' } else { b'\n' };
        Self { delimiter: delimiter.as_bytes().to_vec(), newline, at: At::CellStart, cells: Cells::default() }
    }

    /// Takes more text; `row` is called with each row that is complete and says whether to go on.
    pub(super) fn feed<E>(
        &mut self,
        text: &str,
        row: &mut impl FnMut(&Cells) -> Result<bool, E>,
    ) -> Result<bool, E> {
        for &byte in text.as_bytes() {
            match (self.at, byte) {
                (At::Quoted, b'"') => {
                    self.at = At::Quote;
                    self.cells.bare = self.cells.text.len();
                }
                (At::Quoted, _) => self.cells.push(byte),
                (At::Quote, b'"') => {
                    self.cells.push(b'"');
                    self.at = At::Quoted;
                }
                (at, byte) if byte == self.newline => {
                    if at == At::Plain {
                        self.cells.drop_cr();
                    }
                    if !self.end_row(row)? {
                        return Ok(false);
                    }
                }
                (_, byte) if self.cells.ends_with(&self.delimiter, byte) => {
                    self.cells.text.truncate(self.cells.text.len() + 1 - self.delimiter.len());
                    self.cells.end_cell();
                    self.at = At::CellStart;
                }
                (At::CellStart, b'"') => self.at = At::Quoted,
                (_, byte) => {
                    self.cells.push(byte);
                    self.at = At::Plain;
                }
            }
        }
        Ok(true)
    }

    /// Gives the last row, if the text did not end with a line break.
    pub(super) fn finish<E>(&mut self, row: &mut impl FnMut(&Cells) -> Result<bool, E>) -> Result<(), E> {
        if self.at != At::CellStart || !self.cells.ends.is_empty() {
            self.end_row(row)?;
        }
        Ok(())
    }

    fn end_row<E>(&mut self, row: &mut impl FnMut(&Cells) -> Result<bool, E>) -> Result<bool, E> {
        // A line with nothing on it has no cell.
        if !self.cells.text.is_empty() || !self.cells.ends.is_empty() || self.at == At::Quote {
            self.cells.end_cell();
        }
        let go_on = row(&self.cells);
        self.cells.text.clear();
        self.cells.ends.clear();
        self.cells.bare = 0;
        self.at = At::CellStart;
        go_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_as_a_spreadsheet_cuts_them() {
        let table: &[(&str, &[&[&str]])] = &[
            ("a,b\nc,d", &[&["a", "b"], &["c", "d"]]),
            ("a,b\r\n\r\nc,\r\n", &[&["a", "b"], &[], &["c", ""]]),
            ("a\rb\r", &[&["a"], &["b"]]),
            ("\"a,\"\"b\"\"\n\",c\n", &[&["a,\"b\"\n", "c"]]),
            ("a\"b,\"\"\n", &[&["a\"b", ""]]),
            ("\"open", &[&["open"]]),
            ("", &[]),
        ];
        for (text, expected) in table {
            // Whole, and byte by byte as it may come from a file.
            for step in [text.len().max(1), 1] {
                let mut found: Vec<Vec<String>> = Vec::new();
                let mut splitter = Splitter::new(",", text);
                let mut row = |cells: &Cells| {
                    found.push(cells.iter().map(|cell| cell.into_owned()).collect());
                    Ok::<_, ()>(true)
                };
                for at in (0..text.len()).step_by(step) {
                    splitter.feed(&text[at..(at + step).min(text.len())], &mut row).unwrap();
                }
                splitter.finish(&mut row).unwrap();
                assert_eq!(found, *expected, "{text:?} in steps of {step}");
            }
        }
    }

    #[test]
    fn a_delimiter_may_be_several_characters() {
        let text = "a||\"b||\"||c|d\n\"|\"||x|||y\n";
        for step in [text.len(), 1] {
            let mut found: Vec<Vec<String>> = Vec::new();
            let mut splitter = Splitter::new("||", text);
            let mut row = |cells: &Cells| {
                found.push(cells.iter().map(|cell| cell.into_owned()).collect());
                Ok::<_, ()>(true)
            };
            for at in (0..text.len()).step_by(step) {
                splitter.feed(&text[at..(at + step).min(text.len())], &mut row).unwrap();
            }
            assert_eq!(found, [vec!["a", "b||", "c|d"], vec!["|", "x", "|y"]]);
        }
    }
}
