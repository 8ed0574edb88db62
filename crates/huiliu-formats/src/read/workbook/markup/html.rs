//! Tables of a web page, row by row.
//!
//! Cells and rows end where the next begin, whether or not that is written. Merged cells (`colspan`, `rowspan`) have
//! their value in the first place and push the others aside. A table within a cell is a table of its own.

use super::super::merges::Merge;
use super::super::sheet::Row;
use super::lex::{Lexer, Token, attribute};
use super::{MOST_COLUMNS, MOST_RANGES, MOST_TABLES, MOST_TEXT, merge, too_long};
use crate::read::chunk::Span;
use crate::read::error::ReadError;
use crate::read::text::TextReader;

/// Most rows that a cell spans.
const MOST_SPAN: u32 = 65_534;

/// What the survey tells of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    rows: u64,
    /// Cells that hold something.
    pub(super) cells: u64,
    width: u64,
    here: u64,
    filled: bool,
}

impl Table {
    fn end_cell(&mut self) {
        self.cells += u64::from(std::mem::take(&mut self.filled));
    }

    fn end_row(&mut self) {
        self.end_cell();
        self.width = self.width.max(std::mem::take(&mut self.here));
    }
}

/// Counts the rows and cells of every table, in the order in which they begin.
pub(super) fn survey(reader: TextReader) -> Result<Vec<Table>, ReadError> {
    let mut lexer = Lexer::new(reader);
    let (mut tables, mut open): (Vec<Table>, Vec<usize>) = (Vec::new(), Vec::new());
    loop {
        let token = lexer.next()?;
        if let Token::Open(name, _) = &token
            && name == "table"
        {
            if tables.len() >= MOST_TABLES {
                return Err(ReadError::too_large(
                    "网页中的表格数",
                    "the number of tables",
                    MOST_TABLES as u64,
                ));
            }
            open.push(tables.len());
            tables.push(Table::default());
            continue;
        }
        let table = open.last().and_then(|&at| tables.get_mut(at));
        match (token, table) {
            (Token::End, _) => {
                open.iter().for_each(|&at| tables[at].end_row());
                return Ok(tables);
            }
            (Token::Close(name), Some(table)) if name == "table" => {
                table.end_row();
                open.pop();
            }
            (Token::Open(name, _), Some(table)) if name == "tr" => {
                table.end_row();
                table.rows += 1;
            }
            (Token::Open(name, _), Some(table)) if name == "td" || name == "th" => {
                table.end_cell();
                table.here += 1;
            }
            (Token::Text(text), Some(table)) if table.here > 0 => table.filled |= !text.trim().is_empty(),
            _ => {}
        }
    }
}

/// Names of the tables, and whether each is worth to be looked at: layout has one row or one column.
pub(super) fn names(tables: &[Table]) -> Vec<(String, bool)> {
    let shown = |table: &Table| table.rows > 1 && table.width > 1 && table.cells > 1;
    let one = tables.iter().filter(|table| shown(table)).count() == 1;
    let name = |(at, table): (usize, &Table)| match shown(table) && one {
        true => (String::new(), true), // As other files without sheets.
        false => (format!("表{}", at + 1), shown(table)),
    };
    tables.iter().enumerate().map(name).collect()
}

/// A table that is being read.
pub(super) struct HtmlStream {
    lexer: Lexer,
    number: u32,
    /// For each column, how many rows a cell from above still covers.
    covered: Vec<u32>,
    /// The tag of the row that has begun.
    begun: Option<String>,
    pub(super) merges: Vec<Merge>,
    /// The file ended before the table did.
    pub(super) cut: bool,
    over: bool,
}

/// A cell while it is read.
struct Cell {
    column: u32,
    start: usize,
    tag: String,
}

impl HtmlStream {
    /// Goes to the table of that ordinal.
    pub(super) fn open(reader: TextReader, ordinal: usize) -> Result<Self, ReadError> {
        let mut lexer = Lexer::new(reader);
        let mut seen = 0;
        let over = loop {
            match lexer.next()? {
                Token::Open(name, _) if name == "table" => {
                    if seen == ordinal {
                        break false;
                    }
                    seen += 1;
                }
                Token::End => break true,
                _ => {}
            }
        };
        Ok(Self { lexer, number: 0, covered: Vec::new(), begun: None, merges: Vec::new(), cut: false, over })
    }

    /// Reads the next row that holds something, adding its texts to `text`; `false` behind the last one.
    pub(super) fn next_row(&mut self, row: &mut Row, text: &mut String) -> Result<bool, ReadError> {
        while !self.over {
            let tag = match self.begun.take() {
                Some(tag) => tag,
                None => match self.lexer.next()? {
                    Token::Open(name, tag) if name == "tr" => tag,
                    Token::Open(name, _) if name == "table" => {
                        self.pass_table()?;
                        continue;
                    }
                    Token::Close(name) if name == "table" => {
                        self.over = true;
                        continue;
                    }
                    Token::End => {
                        (self.over, self.cut) = (true, true);
                        continue;
                    }
                    _ => continue,
                },
            };
            self.number = self.number.saturating_add(1);
            row.clear(self.number);
            row.hidden = is_hidden(&tag);
            self.cells(row, text)?;
            if !row.cells.is_empty() || !row.errors.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads the cells of a row, to its end or to where the next begins.
    fn cells(&mut self, row: &mut Row, text: &mut String) -> Result<(), ReadError> {
        let begin = text.len();
        let (mut column, mut cell) = (0_u32, None::<Cell>);
        let mut spans = Vec::new();
        loop {
            match self.lexer.next()? {
                Token::Text(piece) => {
                    if let Some(cell) = &cell {
                        push_collapsed(text, cell.start, &piece);
                    }
                }
                Token::Open(name, tag) => match name.as_str() {
                    "td" | "th" => {
                        finish(cell.take(), row, text);
                        (cell, column) = self.begin_cell(tag, column, text.len(), &mut spans);
                    }
                    "tr" => {
                        self.begun = Some(tag);
                        break;
                    }
                    "br" | "p" | "div" | "li" => {
                        if let Some(cell) = &cell
                            && text.len() > cell.start
                        {
                            text.push('\n');
                        }
                    }
                    "table" => self.pass_table()?,
                    _ => {}
                },
                Token::Close(name) => match name.as_str() {
                    "td" | "th" => finish(cell.take(), row, text),
                    "tr" => break,
                    "table" => {
                        self.over = true;
                        break;
                    }
                    _ => {}
                },
                Token::End => {
                    (self.over, self.cut) = (true, true);
                    break;
                }
            }
            if text.len() - begin > MOST_TEXT {
                return Err(too_long());
            }
        }
        finish(cell, row, text);
        self.cover(&spans);
        Ok(())
    }

    /// Begins a cell at the next column that no cell from above covers; gives the column behind it, too.
    fn begin_cell(
        &mut self,
        tag: String,
        mut column: u32,
        start: usize,
        spans: &mut Vec<(u32, u32, u32)>,
    ) -> (Option<Cell>, u32) {
        while self.covered.get(column as usize).is_some_and(|rows| *rows > 0) {
            column = column.saturating_add(1);
        }
        let at = column.min(MOST_COLUMNS);
        let columns = number(&tag, "colspan").min(MOST_COLUMNS.saturating_sub(at).max(1));
        let rows = number(&tag, "rowspan").min(MOST_SPAN);
        if let Some(merge) = merge(self.number, at, columns, rows)
            && self.merges.len() < MOST_RANGES
        {
            self.merges.push(merge);
        }
        if rows > 1 && at < MOST_COLUMNS {
            spans.push((at, columns, rows));
        }
        let cell = (at < MOST_COLUMNS).then_some(Cell { column: at, start, tag });
        (cell, at.saturating_add(columns).min(MOST_COLUMNS))
    }

    /// Cells from above cover one row less; those of this row begin to cover.
    fn cover(&mut self, spans: &[(u32, u32, u32)]) {
        self.covered.iter_mut().for_each(|rows| *rows = rows.saturating_sub(1));
        for &(column, columns, rows) in spans {
            let last = column.saturating_add(columns).min(MOST_COLUMNS) as usize;
            if self.covered.len() < last {
                self.covered.resize(last, 0);
            }
            self.covered[column as usize..last].iter_mut().for_each(|covered| *covered = rows - 1);
        }
    }

    /// Passes over a table within this one.
    fn pass_table(&mut self) -> Result<(), ReadError> {
        let mut depth = 1_u32;
        while depth > 0 {
            match self.lexer.next()? {
                Token::Open(name, _) if name == "table" => depth = depth.saturating_add(1),
                Token::Close(name) if name == "table" => depth -= 1,
                Token::End => return Ok(()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Adds a text with its blanks as a browser shows them: a run of them is one.
fn push_collapsed(text: &mut String, start: usize, piece: &str) {
    for character in piece.chars() {
        let blank = matches!(character, ' ' | '\n' | '\r' | '\t' | '\u{c}');
        if !blank {
            text.push(character);
        } else if text.len() > start && !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}

/// Puts a cell that has ended into its row.
fn finish(cell: Option<Cell>, row: &mut Row, text: &mut String) {
    let Some(Cell { column, start, tag }) = cell else { return };
    let shown = text.get(start..).unwrap_or_default().trim();
    if shown.is_empty() {
        text.truncate(start);
        return;
    }
    // Excel writes the exact number beside the one that is shown. Where the two look different, as dates and percentages
    // do, what is shown tells more.
    let plain = shown.replace(',', "").parse::<f64>().is_ok();
    if let Some(exact) = attribute(&tag, "x:num").filter(|exact| plain && !exact.trim().is_empty()) {
        text.truncate(start);
        text.push_str(exact.trim());
    } else {
        let end = start + text.get(start..).unwrap_or_default().trim_end().len();
        text.truncate(end);
    }
    let failed = attribute(&tag, "x:err").is_some();
    let place = (column, Span::new(start, text.len()));
    if failed { row.errors.push(place) } else { row.cells.push(place) }
}

fn number(tag: &str, name: &str) -> u32 {
    attribute(tag, name).and_then(|value| value.trim().parse().ok()).unwrap_or(1).max(1)
}

fn is_hidden(tag: &str) -> bool {
    attribute(tag, "style")
        .is_some_and(|style| style.replace(' ', "").to_lowercase().contains("display:none"))
}
