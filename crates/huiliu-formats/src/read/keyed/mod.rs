//! Records of named values: what is read from JSON and XML, which have no rows and columns.
//!
//! A name met for the first time becomes a column behind the others, so that records which differ are read as well.
//! The number of a record stands for its row. What gives the records ([`json`], [`xml`]) holds one of them at a time.

pub(super) mod json;
#[cfg(test)]
mod tests;
pub(super) mod xml;

use std::collections::{HashMap, HashSet, VecDeque};

use huiliu_stage::{Finding, Severity, Text, row_id};

use self::json::JsonRecords;
use self::xml::XmlRecords;
use super::chunk::{Chunk, Span};
use super::error::ReadError;
use super::header::{Layout, Names};
use super::value::ITEM;

/// Most different names of a file.
const MOST_NAMES: usize = 1024;
/// Longest name; those of nested values are made of several.
const LONGEST_NAME: usize = 256;
/// Records that are looked at for their names before the first is given.
const AHEAD: usize = 200;
/// Their text, at most.
const AHEAD_TEXT: usize = 1 << 20;
/// Text after which a chunk is full.
const CHUNK_TEXT: usize = 1 << 20;

/// A value of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    One(String),
    /// Several, and what parts them where they are to stand in one cell.
    Many(Vec<String>, char),
}

/// One record, or why there is none where one should be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Record(Vec<(String, Value)>),
    Fault { why: String, raw: String },
}

/// What gives the records.
pub(super) enum Pieces {
    Json(Box<JsonRecords>),
    Xml(Box<XmlRecords>),
}

impl Pieces {
    fn next(&mut self) -> Result<Option<Piece>, ReadError> {
        match self {
            Self::Json(records) => records.next(),
            Self::Xml(records) => records.next(),
        }
    }

    fn done(&self) -> u64 {
        match self {
            Self::Json(records) => records.done(),
            Self::Xml(records) => records.done(),
        }
    }
}

/// A file of records that is being read.
pub(super) struct KeyedSource {
    pieces: Pieces,
    /// Read ahead.
    waiting: VecDeque<Piece>,
    columns: HashMap<String, usize>,
    number: u32,
    text: String,
    over: bool,
}

impl KeyedSource {
    pub(super) fn new(pieces: Pieces) -> Self {
        Self {
            pieces,
            waiting: VecDeque::new(),
            columns: HashMap::new(),
            number: 0,
            text: String::new(),
            over: false,
        }
    }

    /// Bytes read so far.
    pub(super) fn done(&self) -> u64 {
        self.pieces.done()
    }

    /// The names in the first records, in the order in which they are met.
    pub(super) fn first_names(&mut self) -> Result<Vec<String>, ReadError> {
        let (mut names, mut text) = (Vec::<String>::new(), 0);
        while self.waiting.len() < AHEAD && text < AHEAD_TEXT {
            let Some(piece) = self.pieces.next()? else { break };
            if let Piece::Record(fields) = &piece {
                for (name, value) in fields {
                    text += name.len() + value.len();
                    if !names.contains(name) && names.len() < MOST_NAMES {
                        names.push(name.clone());
                    }
                }
            }
            self.waiting.push_back(piece);
        }
        Ok(names)
    }

    /// Gives the names their columns.
    pub(super) fn lay_out(&mut self, found: &[String], layout: &mut Layout, names: &Names) {
        for name in found {
            self.add(name, layout, names);
        }
    }

    fn add(&mut self, name: &str, layout: &mut Layout, names: &Names) {
        if !self.columns.contains_key(name) {
            self.columns.insert(name.to_owned(), layout.columns.len());
            layout.push(name, names);
        }
    }

    /// Fills the (cleared) chunk with at most `most` rows and gives their text; `None` at the end. With new
    /// names it stops early, so that the caller takes over the wider layout: then the chunk may be empty.
    pub(super) fn fill(
        &mut self,
        chunk: &mut Chunk,
        most: usize,
        layout: &mut Layout,
        names: &Names,
    ) -> Result<Option<&str>, ReadError> {
        self.text.clear();
        while chunk.rows() < most && self.text.len() < CHUNK_TEXT {
            let piece = match self.waiting.pop_front() {
                Some(piece) => piece,
                None if self.over => break,
                None => match self.pieces.next()? {
                    Some(piece) => piece,
                    None => {
                        self.over = true;
                        break;
                    }
                },
            };
            if let Piece::Record(fields) = &piece
                && let fresh = fields.iter().filter(|(name, _)| !self.columns.contains_key(name))
                && let fresh = fresh.map(|(name, _)| name.clone()).collect::<Vec<_>>()
                && !fresh.is_empty()
            {
                if self.columns.len() + fresh.len() > MOST_NAMES {
                    return Err(ReadError::too_large("列名的种数", "the number of names", MOST_NAMES as u64));
                }
                self.lay_out(&fresh, layout, names);
                self.waiting.push_front(piece);
                return Ok(Some(&self.text));
            }
            self.number = self.number.saturating_add(1);
            match piece {
                Piece::Record(fields) => self.put(chunk, &fields, layout, names),
                Piece::Fault { why, raw } => fault(chunk, self.number, &why, &raw),
            }
        }
        Ok(if chunk.rows() == 0 && self.over { None } else { Some(&self.text) })
    }

    fn put(&mut self, chunk: &mut Chunk, fields: &[(String, Value)], layout: &Layout, names: &Names) {
        let row = chunk.cells.len();
        chunk.cells.resize(row + chunk.width, Span::default());
        for (name, value) in fields {
            let Some(&column) = self.columns.get(name).filter(|column| **column < chunk.width) else {
                continue;
            };
            let field = layout.columns.get(column).and_then(|column| column.field);
            let start = self.text.len();
            value.write(&mut self.text, field.is_some_and(|field| names.is_list(field)));
            if let Some(cell) = chunk.cells.get_mut(row + column) {
                *cell = Span::new(start, self.text.len());
            }
        }
        chunk.numbers.push(self.number);
    }
}

impl Value {
    fn len(&self) -> usize {
        match self {
            Self::One(text) => text.len(),
            Self::Many(texts, _) => texts.iter().map(String::len).sum(),
        }
    }

    fn write(&self, to: &mut String, list: bool) {
        match self {
            Self::One(text) => to.push_str(text),
            Self::Many(texts, part) => {
                let part = if list { ITEM } else { *part };
                for (index, text) in texts.iter().enumerate() {
                    // A list of one is marked as a list too.
                    if index > 0 || list {
                        to.push(part);
                    }
                    to.push_str(text);
                }
            }
        }
    }
}

fn fault(chunk: &mut Chunk, number: u32, why: &str, raw: &str) {
    let text = Text::new(
        format!("第{number}条记录看不懂（{why}）；请改正这一条"),
        format!("record {number} cannot be understood ({why}); mend it"),
    );
    chunk.findings.push(Finding::new(Some(row_id(0, number)), Severity::Error, "json", text).with_raw(raw));
    chunk.cells.resize(chunk.cells.len() + chunk.width, Span::default());
    chunk.numbers.push(number);
}

/// How well names do as columns: how many fields they name.
fn worth(found: &[String], names: Option<&Names>) -> usize {
    let Some(names) = names else { return 0 };
    // Each by itself: what names mean together is worked out once, for the table that is read.
    let field = |name: &String| {
        let mut layout = Layout::default();
        layout.push(name, names);
        layout.columns.first().and_then(|column| column.field)
    };
    found.iter().take(MOST_NAMES).filter_map(field).collect::<HashSet<_>>().len()
}
