//! Records of named values: what is read from JSON, JSON Lines and XML, which have no rows and columns.
//!
//! A name met for the first time becomes a column behind the others, so that records which differ are read as well.
//! The number of a record, or of its line, stands for its row. What gives the records ([`json`], [`xml`]) holds one of
//! them at a time.

pub(super) mod json;
#[cfg(test)]
mod tests;
pub(super) mod xml;

use std::collections::{HashMap, HashSet, VecDeque};

use huiliu_stage::{Finding, Severity, Text, row_id};

use self::json::JsonRecords;
use self::json::lines::LineRecords;
use self::xml::XmlRecords;
use super::chunk::{Chunk, Span};
use super::error::ReadError;
use super::header::{Layout, Names};
use super::value::ITEM;

/// Most different names of a file.
const MOST_NAMES: usize = 4096;
/// Names that are weighed to tell which of several tables is meant.
const MOST_WEIGHED: usize = 1024;
/// Longest name; those of nested values are made of several.
const LONGEST_NAME: usize = 256;
/// Records that are looked at for their names before the first is given.
const AHEAD: usize = 1000;
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
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Record(Vec<(String, Value)>),
    Fault {
        why: Text,
        raw: String,
    },
    /// No record, but word of the file as a whole.
    Told(Finding),
}

/// What gives the records.
pub(super) enum Pieces {
    Json(Box<JsonRecords>),
    Lines(LineRecords),
    Xml(Box<XmlRecords>),
}

impl Pieces {
    fn next(&mut self) -> Result<Option<Piece>, ReadError> {
        match self {
            Self::Json(records) => records.next(),
            Self::Lines(records) => records.next(),
            Self::Xml(records) => records.next(),
        }
    }

    fn done(&self) -> u64 {
        match self {
            Self::Json(records) => records.done(),
            Self::Lines(records) => records.done(),
            Self::Xml(records) => records.done(),
        }
    }
}

/// A file of records that is being read.
pub(super) struct KeyedSource {
    pieces: Pieces,
    /// Read ahead, with their numbers.
    waiting: VecDeque<(u32, Piece)>,
    /// The name of each column.
    names: Vec<String>,
    columns: HashMap<String, usize>,
    /// The record that gave each column its last value.
    filled: Vec<u32>,
    /// Number of the last record that was read.
    number: u32,
    text: String,
    /// What ends the file early, met while reading ahead; the records before it come first.
    failed: Option<ReadError>,
    over: bool,
}

impl KeyedSource {
    pub(super) fn new(pieces: Pieces) -> Self {
        Self {
            pieces,
            waiting: VecDeque::new(),
            names: Vec::new(),
            columns: HashMap::new(),
            filled: Vec::new(),
            number: 0,
            text: String::new(),
            failed: None,
            over: false,
        }
    }

    /// Bytes read so far.
    pub(super) fn done(&self) -> u64 {
        self.pieces.done()
    }

    /// Whether records are known by their lines, and so have places in the file.
    pub(super) fn has_lines(&self) -> bool {
        matches!(self.pieces, Pieces::Lines(_))
    }

    /// Why nothing that was read ahead is a record.
    pub(super) fn no_record(&self) -> ReadError {
        let mut faults = self.waiting.iter().filter_map(|(number, piece)| match piece {
            Piece::Fault { why, .. } => Some(no_record(*number, why)),
            _ => None,
        });
        faults.next().map_or_else(ReadError::empty, |text| ReadError::new(text.zh, text.en))
    }

    /// Whether nothing was read ahead, not even what is no record.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next piece and its number.
    fn pull(&mut self) -> Result<Option<(u32, Piece)>, ReadError> {
        let Some(piece) = self.pieces.next()? else { return Ok(None) };
        self.number = match (&self.pieces, &piece) {
            (Pieces::Lines(lines), _) => lines.number(),
            (_, Piece::Told(_)) => self.number,
            _ => self.number.saturating_add(1),
        };
        Ok(Some((self.number, piece)))
    }

    /// The names in the first records, in the order in which they are met.
    pub(super) fn first_names(&mut self) -> Result<Vec<String>, ReadError> {
        let (mut names, mut met, mut text) = (Vec::<String>::new(), HashSet::new(), 0);
        while self.waiting.len() < AHEAD && text < AHEAD_TEXT {
            let Some((number, piece)) = self.pull()? else { break };
            if let Piece::Record(fields) = &piece {
                for (name, value) in fields {
                    text += name.len() + value.len();
                    if names.len() < MOST_NAMES && !met.contains(name) {
                        met.insert(name.clone());
                        names.push(name.clone());
                    }
                }
            }
            self.waiting.push_back((number, piece));
        }
        Ok(names)
    }

    /// Gives the names their columns.
    pub(super) fn lay_out(&mut self, found: &[String], layout: &mut Layout, names: &Names) {
        for name in found {
            if !self.columns.contains_key(name) {
                self.columns.insert(name.clone(), layout.columns.len());
                self.names.push(name.clone());
                self.filled.push(0);
                layout.push(name, names);
            }
        }
    }

    /// The column of a name. Records mostly have the same names in the same order, so the column behind the last is
    /// looked at first.
    fn column(&self, name: &str, behind: usize) -> Option<usize> {
        match self.names.get(behind) {
            Some(known) if known == name => Some(behind),
            _ => self.columns.get(name).copied(),
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
        while chunk.rows() < most && self.text.len() < CHUNK_TEXT && !self.over {
            let next = match self.waiting.pop_front() {
                Some(next) => Some(next),
                None => match self.failed.take() {
                    Some(error) => return Err(error),
                    None => self.pull()?,
                },
            };
            match next {
                None => self.over = true,
                Some((_, Piece::Told(finding))) => chunk.findings.push(finding),
                Some((number, Piece::Fault { why, raw })) => {
                    let text =
                        if self.has_lines() { no_object(number, &why) } else { no_record(number, &why) };
                    let id = Some(row_id(0, number));
                    chunk.findings.push(Finding::new(id, Severity::Error, "json", text).with_raw(raw));
                    chunk.cells.resize(chunk.cells.len() + chunk.width, Span::default());
                    chunk.numbers.push(number);
                    chunk.unread.push(number);
                }
                Some((number, Piece::Record(fields))) => {
                    if self.is_new(&fields) {
                        self.waiting.push_front((number, Piece::Record(fields)));
                        let fresh = self.fresh();
                        if self.columns.len() + fresh.len() > MOST_NAMES {
                            let most = MOST_NAMES as u64;
                            return Err(ReadError::too_large("列名的种数", "the number of names", most));
                        }
                        self.lay_out(&fresh, layout, names);
                        return Ok(Some(&self.text));
                    }
                    self.put(chunk, number, &fields, layout, names);
                }
            }
        }
        let some = chunk.rows() > 0 || !chunk.findings.is_empty() || !self.over;
        Ok(some.then_some(&self.text))
    }

    /// Whether a record has a name without a column.
    fn is_new(&self, fields: &[(String, Value)]) -> bool {
        let mut behind = 0;
        fields.iter().any(|(name, _)| match self.column(name, behind) {
            Some(column) => {
                behind = column + 1;
                false
            }
            None => true,
        })
    }

    /// Names without a column in the records that wait. More are read ahead first: columns that come one by one would
    /// each cost a look at all others, so that a file of records that all differ took the square of its length.
    fn fresh(&mut self) -> Vec<String> {
        let size = |piece: &Piece| match piece {
            Piece::Record(fields) => fields.iter().map(|(name, value)| name.len() + value.len()).sum(),
            Piece::Fault { .. } | Piece::Told(_) => 0,
        };
        let mut text: usize = self.waiting.iter().map(|(_, piece)| size(piece)).sum();
        while self.waiting.len() < AHEAD && text < AHEAD_TEXT && self.failed.is_none() {
            match self.pull() {
                Ok(Some(next)) => {
                    text += size(&next.1);
                    self.waiting.push_back(next);
                }
                Ok(None) => break,
                Err(error) => self.failed = Some(error),
            }
        }
        let (mut met, mut fresh) = (HashSet::new(), Vec::new());
        for (_, piece) in &self.waiting {
            let Piece::Record(fields) = piece else { continue };
            for (name, _) in fields {
                if !self.columns.contains_key(name) && met.insert(name.as_str()) {
                    fresh.push(name.clone());
                }
            }
        }
        fresh
    }

    fn put(
        &mut self,
        chunk: &mut Chunk,
        number: u32,
        fields: &[(String, Value)],
        layout: &Layout,
        names: &Names,
    ) {
        let row = chunk.cells.len();
        chunk.cells.resize(row + chunk.width, Span::default());
        let (mut behind, mut twice) = (0, Vec::<&str>::new());
        for (name, value) in fields {
            let Some(column) = self.column(name, behind).filter(|column| *column < chunk.width) else {
                continue;
            };
            behind = column + 1;
            let field = layout.columns.get(column).and_then(|column| column.field);
            let start = self.text.len();
            value.write(&mut self.text, field.is_some_and(|field| names.is_list(field)));
            if let Some(cell) = chunk.cells.get_mut(row + column) {
                *cell = Span::new(start, self.text.len());
            }
            if let Some(last) = self.filled.get_mut(column)
                && std::mem::replace(last, number) == number
                && !twice.contains(&name.as_str())
            {
                twice.push(name);
            }
        }
        if !twice.is_empty() {
            let text = written_twice(self.has_lines(), number, &twice);
            let id = Some(row_id(0, number));
            chunk.findings.push(Finding::new(id, Severity::Warning, "json", text));
        }
        chunk.numbers.push(number);
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

fn no_record(number: u32, Text { zh, en }: &Text) -> Text {
    Text::new(
        format!("第{number}条记录看不懂（{zh}）；请改正这一条"),
        format!("record {number} cannot be understood ({en}); mend it"),
    )
}

fn no_object(number: u32, Text { zh, en }: &Text) -> Text {
    Text::new(
        format!("第{number}行不是 JSON 对象（{zh}）；请改正这一行"),
        format!("line {number} is no JSON object ({en}); correct this line"),
    )
}

/// Word of names that stand more than once in a record.
fn written_twice(lines: bool, number: u32, names: &[&str]) -> Text {
    let shown: Vec<&str> = names.iter().take(5).copied().collect();
    let (zh, en) = if lines { ("行", "line") } else { ("条记录", "record") };
    Text::new(
        format!("第{number}{zh}里“{}”写了不止一次，取了最后一个值；请只保留一个", shown.join("”“")),
        format!(
            "{en} {number} has `{}` twice; the last value was taken, keep one of them",
            shown.join("`, `")
        ),
    )
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
    found.iter().take(MOST_WEIGHED).filter_map(field).collect::<HashSet<_>>().len()
}
