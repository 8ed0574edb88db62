//! The rows of one sheet as a stream of cells; nothing of a sheet is held but the row that is being read.
//!
//! Sizes that a sheet declares are not looked at. A cell without an address stands behind the one before it, a row
//! without a number below the one before it. Merged ranges stand behind all rows (`merges`).

use std::io::Read;

use super::merges::{self, Merge, address};
use super::number;
use super::strings::{Strings, decode_controls, read_rich};
use super::styles::{Shown, Styles};
use super::xml::{Attributes, Scanner, Token, digits, unescape};
use crate::read::chunk::Span;
use crate::read::error::ReadError;

/// Most cells of one row; a sheet has 16 384 columns, and no program writes a cell twice.
const MOST_CELLS: usize = 1 << 17;
/// Most ranges of hidden columns that are kept.
const MOST_RANGES: usize = 1 << 18;

/// What all sheets of a workbook share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) strings: Strings,
    pub(super) styles: Styles,
    pub(super) date1904: bool,
    /// Columns whose numbers without a format are days too.
    pub(super) dates: Vec<u32>,
    /// Most bytes of a row's texts.
    pub(super) most_text: usize,
}

/// One row: its number and the cells that hold something, in order of columns.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) number: u32,
    /// The number is the part's own.
    numbered: bool,
    pub(super) hidden: bool,
    pub(super) cells: Vec<(u32, Span)>,
    /// Cells whose formula failed: column, its text such as `#REF!`.
    pub(super) errors: Vec<(u32, Span)>,
    /// Columns of formulas whose result was not stored.
    pub(super) uncomputed: Vec<u32>,
    /// Columns of cells that name a shared text which is not there.
    pub(super) lost: Vec<u32>,
    /// How many cells hold a formula.
    pub(super) formulas: u32,
}

impl Row {
    /// Begins another row.
    pub(super) fn clear(&mut self, number: u32) {
        self.cells.clear();
        self.errors.clear();
        self.uncomputed.clear();
        self.lost.clear();
        (self.number, self.numbered, self.hidden, self.formulas) = (number, false, false, 0);
    }
}

/// A sheet that is being read.
pub(super) struct SheetStream<R> {
    scanner: Scanner<R>,
    last_row: u32,
    /// Hidden columns, first and last.
    pub(super) hidden_columns: Vec<(u32, u32)>,
    /// Texts of cells and values on their way.
    raw: String,
    over: bool,
}

/// What the attribute `t` of a cell says.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Number,
    Shared,
    Text,
    Boolean,
    Error,
}

impl<R: Read> SheetStream<R> {
    /// Reads up to the first row.
    pub(super) fn open(part: R) -> Result<Self, ReadError> {
        let mut scanner = Scanner::new(part);
        let mut hidden_columns = Vec::new();
        let over = loop {
            match scanner.next()? {
                Token::Open { name: b"sheetData", empty, .. } => break empty,
                Token::Open { name: b"col", attributes, .. }
                    if attributes.flag(b"hidden") && hidden_columns.len() < MOST_RANGES =>
                {
                    let first = attributes.number(b"min").unwrap_or(0);
                    let last = attributes.number(b"max").unwrap_or(first);
                    if first >= 1 && last >= first {
                        hidden_columns.push((first - 1, last - 1));
                    }
                }
                Token::End => break true,
                _ => {}
            }
        };
        hidden_columns.sort_unstable();
        Ok(Self { scanner, last_row: 0, hidden_columns, raw: String::new(), over })
    }

    /// Reads the next row, adding its texts to `text`; `false` behind the last one.
    pub(super) fn next_row(
        &mut self,
        shared: &Shared,
        row: &mut Row,
        text: &mut String,
    ) -> Result<bool, ReadError> {
        while !self.over {
            match self.scanner.next()? {
                Token::Open { name: b"row", attributes, empty } => {
                    let said = attributes.number(b"r").filter(|number| *number > 0);
                    row.clear(said.unwrap_or(self.last_row.saturating_add(1)));
                    row.hidden = attributes.flag(b"hidden");
                    row.numbered = said.is_some();
                    if !empty {
                        self.cells(shared, row, text)?;
                    }
                    self.last_row = row.number;
                    return Ok(true);
                }
                Token::Close { name: b"sheetData" } => self.over = true,
                Token::End => return Err(ReadError::damaged(&"the rows of a sheet do not end")),
                _ => {}
            }
        }
        Ok(false)
    }

    /// The merged ranges, which stand behind the last row.
    pub(super) fn merges_behind(&mut self) -> Result<Vec<Merge>, ReadError> {
        merges::behind(&mut self.scanner)
    }

    fn cells(&mut self, shared: &Shared, row: &mut Row, text: &mut String) -> Result<(), ReadError> {
        let (start, mut next, mut ordered) = (text.len(), 0_u32, true);
        loop {
            match self.scanner.next()? {
                Token::Open { name: b"c", attributes, empty } => {
                    let Cell { kind, style, column, row: number } = cell(attributes, next);
                    next = column.saturating_add(1);
                    if let Some(number) = number.filter(|_| !row.numbered) {
                        (row.number, row.numbered) = (number, true);
                    }
                    if empty {
                        continue;
                    }
                    let shown = style.map_or(Shown::Plain, |style| shared.styles.get(style));
                    let shown = match shown {
                        Shown::Plain if shared.dates.contains(&column) => Shown::Serial,
                        shown => shown,
                    };
                    let from = text.len();
                    self.value(shared, kind, shown, column, row, text)?;
                    let blank = text.get(from..).is_none_or(|text| text.trim().is_empty());
                    if blank {
                        text.truncate(from);
                        continue;
                    }
                    if row.cells.len() >= MOST_CELLS || text.len() - start > shared.most_text {
                        return Err(ReadError::too_large(
                            "一行的文字量（字节）",
                            "the texts of a row in bytes",
                            shared.most_text as u64,
                        ));
                    }
                    ordered &= row.cells.last().is_none_or(|(last, _)| *last < column);
                    let span = Span::new(from, text.len());
                    match kind {
                        Kind::Error => row.errors.push((column, span)),
                        _ => row.cells.push((column, span)),
                    }
                }
                Token::Close { name: b"row" } => break,
                Token::Close { name: b"sheetData" } | Token::End => {
                    return Err(ReadError::damaged(&"a row of a sheet does not end"));
                }
                _ => {}
            }
        }
        if !ordered {
            // Of a cell that is there twice the last one counts, as in the programs that show it.
            row.cells.reverse();
            row.cells.sort_by_key(|(column, _)| *column);
            row.cells.dedup_by_key(|(column, _)| *column);
        }
        Ok(())
    }

    /// Reads a cell's value up to the cell's end.
    #[inline]
    fn value(
        &mut self,
        shared: &Shared,
        kind: Kind,
        shown: Shown,
        column: u32,
        row: &mut Row,
        text: &mut String,
    ) -> Result<(), ReadError> {
        let (mut inside, mut formula) = (false, false);
        self.raw.clear();
        let from = text.len();
        loop {
            match self.scanner.next()? {
                Token::Text(raw) if inside => unescape(&mut self.raw, raw),
                Token::Literal(raw) if inside => self.raw.push_str(&String::from_utf8_lossy(raw)),
                Token::Open { name: b"v", empty, .. } => inside = !empty,
                Token::Close { name: b"v" } => inside = false,
                Token::Close { name: b"c" } => break,
                Token::Open { name: b"f", .. } => formula = true,
                Token::Open { name: b"is", empty: false, .. } => {
                    read_rich(&mut self.scanner, text, b"is", from.saturating_add(shared.most_text))?;
                }
                Token::Close { name: b"row" | b"sheetData" } | Token::End => {
                    return Err(ReadError::damaged(&"a cell does not end"));
                }
                _ => {}
            }
            if self.raw.len() > shared.most_text {
                return Err(ReadError::too_large("单元格文字长度", "a cell's text", shared.most_text as u64));
            }
        }
        row.formulas += u32::from(formula);
        if formula && self.raw.is_empty() && kind != Kind::Text {
            row.uncomputed.push(column);
        }
        if self.raw.is_empty() {
            return Ok(());
        }
        match kind {
            Kind::Number => {
                let shown = match shown {
                    Shown::Chosen(_) => {
                        let number = self.raw.trim().parse().unwrap_or(f64::NAN); // No section holds for what is none.
                        shared.styles.chosen(shown, number)
                    }
                    shown => shown,
                };
                number::write(text, &self.raw, shown, shared.date1904);
            }
            Kind::Shared => {
                let index = self.raw.trim().parse::<usize>().ok();
                match index.and_then(|index| shared.strings.get(index)) {
                    Some(string) => text.push_str(string),
                    None => row.lost.push(column),
                }
            }
            Kind::Text | Kind::Error => {
                text.push_str(&self.raw);
                decode_controls(text, from);
            }
            Kind::Boolean => text.push_str(match self.raw.trim() {
                "0" | "false" | "FALSE" => "false",
                _ => "true",
            }),
        }
        Ok(())
    }
}

/// The attributes of a cell.
struct Cell {
    kind: Kind,
    style: Option<u32>,
    column: u32,
    row: Option<u32>,
}

/// Looks at a cell's attributes; `next` is its column if it has no address.
#[inline]
fn cell(attributes: Attributes<'_>, next: u32) -> Cell {
    let mut cell = Cell { kind: Kind::Number, style: None, column: next, row: None };
    for (name, value) in attributes {
        match name {
            b"r" => {
                if let Some((column, row)) = address(value) {
                    (cell.column, cell.row) = (column, row.filter(|row| *row > 0));
                }
            }
            b"s" => cell.style = digits(value),
            b"t" => {
                cell.kind = match value {
                    b"s" => Kind::Shared,
                    b"str" | b"inlineStr" | b"d" => Kind::Text,
                    b"b" => Kind::Boolean,
                    b"e" => Kind::Error,
                    _ => Kind::Number,
                }
            }
            _ => {}
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(part: &str) -> Result<Vec<String>, ReadError> {
        let strings = Strings::read(&b"<sst><si><t>zero</t></si></sst>"[..])?;
        let shared = Shared { strings, most_text: 1 << 20, ..Shared::default() };
        let mut stream = SheetStream::open(part.as_bytes())?;
        let (mut row, mut text, mut all) = (Row::default(), String::new(), Vec::new());
        while stream.next_row(&shared, &mut row, &mut text)? {
            let shown = |cells: &[(u32, Span)]| {
                let cells = cells.iter().map(|(column, span)| format!(" {column}={}", span.of(&text)));
                cells.collect::<String>()
            };
            let errors =
                if row.errors.is_empty() { String::new() } else { format!(" !{}", shown(&row.errors)) };
            let hidden = if row.hidden { " hidden" } else { "" };
            all.push(format!("{}{hidden}{}{errors}", row.number, shown(&row.cells)));
        }
        Ok(all)
    }

    #[test]
    fn cells_of_every_kind_are_read() {
        let part = "<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData>\
            <row r=\"2\"><c r=\"B2\" t=\"s\"><v>0</v></c><c r=\"D2\"><v>1.5</v></c><c><v>7</v></c></row>\
            <row hidden=\"1\"><c t=\"inlineStr\"><is><r><t>a</t></r><r><t>b</t></r></is></c><c t=\"b\"><v>1</v></c>\
            <c t=\"e\"><f>X1</f><v>#REF!</v></c><c t=\"str\"><f>\"x\"</f><v>x &amp; y</v></c></row>\
            <row/><row r=\"9\"><c r=\"C9\"><v>3</v></c><c r=\"A9\"><v>1</v></c><c r=\"A9\"><v>2</v></c></row>\
            </sheetData><mergeCells/></worksheet>";
        let expected = ["2 1=zero 3=1.5 4=7", "3 hidden 0=ab 1=true 3=x & y ! 2=#REF!", "4", "9 0=2 2=3"];
        assert_eq!(rows(part).unwrap(), expected);
        let prefixed = part.replace('<', "<x:").replace("<x:/", "</x:");
        assert_eq!(rows(&prefixed).unwrap(), expected);
    }

    #[test]
    fn damage_is_an_error() {
        for part in [
            "<worksheet><sheetData><row><c><v>5</v></row></sheetData></worksheet>",
            "<worksheet><sheetData><row><c><v>5",
        ] {
            assert!(rows(part).is_err(), "{part}");
        }
    }
}
