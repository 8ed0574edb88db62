//! Plain JSON: an array of objects, wherever it stands, one of arrays below or beside one of names, or objects one
//! after the other.
//!
//! The beginning of the file is surveyed for such arrays; the one whose names the record schema knows best is
//! the table, without a schema the longest. Then the file is read from its start, object by object: what is before
//! and behind the table is passed over byte by byte, so memory does not grow with the file.

mod cursor;
mod fields;
pub(in crate::read) mod lines;
mod survey;

use huiliu_stage::{Finding, Severity, Text};

use self::cursor::{Cursor, cut_off, malformed};
use self::fields::{DEEPEST, names_in, piece, row};
pub(in crate::read) use self::survey::{Table, others, survey};
use super::Piece;
use crate::read::error::ReadError;
use crate::read::text::TextReader;

/// A JSON file that is being read.
pub(in crate::read) struct JsonRecords {
    cursor: Cursor,
    /// Whether the records are elements of an array.
    array: bool,
    /// The names of the values of records that are arrays themselves.
    names: Option<Vec<String>>,
    /// Objects around that array.
    depth: usize,
    first: bool,
    over: bool,
}

impl JsonRecords {
    /// Goes to the records that `survey` has found.
    pub(in crate::read) fn open(
        reader: TextReader,
        longest: usize,
        table: &Table,
    ) -> Result<Self, ReadError> {
        let mut cursor = Cursor { reader, longest };
        let array = table.0.path.is_some();
        for key in table.0.path.iter().flatten() {
            cursor.enter(key)?;
        }
        if array {
            cursor.expect(b'[')?;
        }
        let beside = table.0.names_beside().map(<[String]>::to_vec);
        let first = !table.0.rows || beside.is_some();
        let names = if first { beside } else { Some(names_in(cursor.value()?)) };
        let depth = table.0.path.as_ref().map_or(0, Vec::len);
        Ok(Self { cursor, array, first, names, depth, over: false })
    }

    pub(super) fn done(&self) -> u64 {
        self.cursor.reader.done()
    }

    pub(super) fn next(&mut self) -> Result<Option<Piece>, ReadError> {
        if self.over {
            return Ok(None);
        }
        let next = self.cursor.peek()?;
        if !self.array {
            return match next {
                Some(_) => self.cursor.value().map(|bytes| Some(piece(bytes, DEEPEST))),
                None => {
                    self.over = true;
                    Ok(None)
                }
            };
        }
        match next {
            Some(b']') => {
                self.over = true;
                self.cursor.reader.advance(1);
                return Ok(self.cursor.rest(self.depth)?.map(|shown| Piece::Told(left_over(&shown))));
            }
            Some(b',') if !self.first => self.cursor.reader.advance(1),
            Some(_) if self.first => {}
            Some(_) => {
                return Err(malformed("两个对象之间缺少逗号", "a comma is missing between two objects"));
            }
            None => return Err(cut_off()),
        }
        self.first = false;
        match self.cursor.peek()? {
            Some(b']') => self.next(), // A comma behind the last one.
            _ => {
                let bytes = self.cursor.value()?;
                Ok(Some(match &self.names {
                    Some(names) => row(bytes, names),
                    None => piece(bytes, DEEPEST),
                }))
            }
        }
    }
}

/// Word of what stands behind the end, which may be rows that somebody misses.
fn left_over(shown: &str) -> Finding {
    let text = Text::new(
        format!("数据结束之后还有内容（“{shown}”），没有读取；如是数据，请并入前面的数组后重新上传"),
        format!(
            "there is more behind the end of the data (`{shown}`), which was not read; if it is data, move it into the array and send the file again"
        ),
    );
    Finding::new(None, Severity::Error, "json", text)
}
