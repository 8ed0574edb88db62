//! A text on its way from a clean table to a polluted one.

use super::Table;

/// How a row is written.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    pub(super) delimiter: &'static str,
    pub(super) quote: char,
    pub(super) escape: Option<char>,
    pub(super) all_quoted: bool,
    /// Quotes within cells are left as they are.
    pub(super) careless: bool,
}

pub(super) const PLAIN: Pen =
    Pen { delimiter: ",", quote: '"', escape: None, all_quoted: false, careless: false };

impl Pen {
    pub(super) fn cell(&self, cell: &str) -> String {
        let special = cell.contains(self.delimiter)
            || (self.delimiter.len() > 1 && cell.contains(self.delimiter.trim()))
            || cell.contains([self.quote, '\n', '\r'])
            || self.escape.is_some_and(|escape| cell.contains(escape));
        if !special && !self.all_quoted {
            return cell.to_owned();
        }
        let escape = self.escape.unwrap_or(self.quote);
        let mut out = String::from(self.quote);
        for c in cell.chars() {
            if (c == self.quote || Some(c) == self.escape) && !self.careless {
                out.push(escape);
            }
            out.push(c);
        }
        out.push(self.quote);
        out
    }

    pub(super) fn line(&self, row: &[String]) -> Line {
        let cells = row.iter().map(|cell| self.cell(cell)).collect();
        Line { cells, delimiter: self.delimiter.to_owned(), end: None }
    }

    pub(super) fn text(&self, table: &[Vec<String>], newline: &str) -> String {
        table.iter().map(|row| self.line(row).text() + newline).collect()
    }
}

/// A row as it is written, cell by cell.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) cells: Vec<String>,
    pub(super) delimiter: String,
    /// Its own line end.
    pub(super) end: Option<String>,
}

impl Line {
    pub(super) fn text(&self) -> String {
        self.cells.join(&self.delimiter)
    }
}

/// A text and the table that it means.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) pen: Pen,
    pub(super) newline: &'static str,
    pub(super) before: String,
    pub(super) lines: Vec<Line>,
    pub(super) after: String,
    /// Whether the last row has a line end.
    pub(super) ended: bool,
    pub(super) header: usize,
    pub(super) table: Table,
}

impl Draft {
    pub(super) fn new(table: Table, pen: Pen) -> Self {
        let mut draft = Self {
            pen,
            newline: "\n",
            before: String::new(),
            lines: Vec::new(),
            after: String::new(),
            ended: true,
            header: 1,
            table,
        };
        draft.write(pen);
        draft
    }

    /// Writes all rows anew.
    pub(super) fn write(&mut self, pen: Pen) {
        self.pen = pen;
        self.lines = self.table.iter().map(|row| pen.line(row)).collect();
    }

    /// Gives the text another table.
    pub(super) fn set(&mut self, table: Table) {
        self.table = table;
        self.write(self.pen);
    }

    pub(super) fn width(&self) -> usize {
        self.table.first().map_or(0, Vec::len)
    }

    pub(super) fn text(&self) -> String {
        let mut out = self.before.clone();
        for (at, line) in self.lines.iter().enumerate() {
            out.push_str(&line.text());
            if at + 1 < self.lines.len() || self.ended {
                out.push_str(line.end.as_deref().unwrap_or(self.newline));
            }
        }
        out + &self.after
    }
}
