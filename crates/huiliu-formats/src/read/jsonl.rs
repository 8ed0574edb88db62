//! JSON Lines: one object per line, its keys matched like headers.
//!
//! A key met for the first time becomes a column behind the others, so that files whose objects differ are read as
//! well. A line that is no object becomes a row without values and with a finding.

use std::collections::HashMap;
use std::fs::File;

use huiliu_stage::{Finding, Severity, Text, row_id};
use serde_json::{Map, Value};

use super::chunk::{Chunk, Span};
use super::error::ReadError;
use super::header::{Layout, Names};
use super::text::{Charset, TextReader};
use super::value::ITEM;

/// Most different keys of a file.
const MOST_KEYS: usize = 4096;

/// An open JSON Lines file.
pub(super) struct JsonlSource {
    reader: TextReader,
    number: u32,
    columns: HashMap<String, usize>,
    longest_row: usize,
    text: String,
}

enum Line {
    Blank,
    Object(Map<String, Value>),
    Fault(String, String),
}

impl JsonlSource {
    pub(super) fn open(file: File, charset: Charset, longest_row: usize) -> Self {
        let reader = TextReader::new(file, charset);
        Self { reader, number: 0, columns: HashMap::new(), longest_row, text: String::new() }
    }

    /// Bytes read so far.
    pub(super) fn done(&self) -> u64 {
        self.reader.done()
    }

    /// The keys of the objects at the file's beginning, in the order in which they are first met.
    pub(super) fn all_keys(&mut self) -> Result<Vec<String>, ReadError> {
        while !self.reader.is_over() && self.reader.unread().len() < 128 << 10 {
            self.reader.more().map_err(|e| ReadError::io(&e))?;
        }
        let mut keys: Vec<String> = Vec::new();
        for line in self.reader.unread().split(|&b| b == b'\n') {
            if let Line::Object(object) = parse(line) {
                keys.extend(object.keys().filter(|key| !keys.contains(key)).cloned().collect::<Vec<_>>());
            }
            if keys.len() > MOST_KEYS {
                break;
            }
        }
        Ok(keys)
    }

    /// Reads on until the first object gave its keys to the layout.
    pub(super) fn first_keys(&mut self, layout: &mut Layout, names: &Names) -> Result<(), ReadError> {
        loop {
            let before = self.reader.unread().to_vec();
            for line in before.split(|&b| b == b'\n') {
                if let Line::Object(object) = parse(line) {
                    for key in object.keys() {
                        self.add(key, layout, names);
                    }
                    return Ok(());
                }
            }
            if self.reader.is_over() || before.len() > self.longest_row {
                return Ok(());
            }
            self.reader.more().map_err(|e| ReadError::io(&e))?;
        }
    }

    fn add(&mut self, key: &str, layout: &mut Layout, names: &Names) {
        if !self.columns.contains_key(key) {
            self.columns.insert(key.to_owned(), layout.columns.len());
            layout.push(key, names);
        }
    }

    /// Fills the (cleared) chunk with at most `most` rows and gives their text; `None` at the end. With new
    /// keys it stops early, so that the caller takes over the wider layout: then the chunk may be empty.
    pub(super) fn fill(
        &mut self,
        chunk: &mut Chunk,
        most: usize,
        layout: &mut Layout,
        names: &Names,
    ) -> Result<Option<&str>, ReadError> {
        self.text.clear();
        while chunk.rows() < most && self.text.len() < 1 << 20 {
            let unread = self.reader.unread();
            let (line, length) = match memchr::memchr(b'\n', unread) {
                Some(end) => (&unread[..end], end + 1),
                None if self.reader.is_over() => (unread, unread.len()),
                None if unread.len() > self.longest_row => {
                    return Err(ReadError::too_large("单行长度", "a row's length", self.longest_row as u64));
                }
                None => {
                    self.reader.more().map_err(|e| ReadError::io(&e))?;
                    continue;
                }
            };
            if length == 0 {
                break;
            }
            let number = self.number.saturating_add(1);
            match parse(line) {
                Line::Blank => {}
                Line::Fault(error, raw) => fault(chunk, number, &error, &raw),
                Line::Object(object) => {
                    let fresh: Vec<&String> =
                        object.keys().filter(|key| !self.columns.contains_key(*key)).collect();
                    if !fresh.is_empty() {
                        if self.columns.len() + fresh.len() > MOST_KEYS {
                            return Err(ReadError::too_large(
                                "键的种数",
                                "the number of keys",
                                MOST_KEYS as u64,
                            ));
                        }
                        let fresh: Vec<String> = fresh.into_iter().cloned().collect();
                        fresh.iter().for_each(|key| self.add(key, layout, names));
                        return Ok(Some(&self.text));
                    }
                    let is_list = |column: usize| {
                        layout
                            .columns
                            .get(column)
                            .and_then(|c| c.field)
                            .is_some_and(|field| names.is_list(field))
                    };
                    put(chunk, number, &object, &self.columns, is_list, &mut self.text);
                }
            }
            self.number = number;
            self.reader.advance(length);
        }
        let over = self.reader.is_over() && self.reader.unread().is_empty();
        Ok(if chunk.rows() == 0 && over { None } else { Some(&self.text) })
    }
}

fn parse(line: &[u8]) -> Line {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Line::Blank;
    }
    match serde_json::from_slice(line) {
        Ok(Value::Object(mut object)) => {
            // Word of the daemon to itself, on rows that come back out of quarantine.
            object.shift_remove("_evidence");
            Line::Object(object)
        }
        Ok(_) => Line::Fault("not an object".to_owned(), lossy(line)),
        Err(error) => Line::Fault(error.to_string(), lossy(line)),
    }
}

fn lossy(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(1000)]).into_owned()
}

fn fault(chunk: &mut Chunk, number: u32, error: &str, raw: &str) {
    let text = Text::new(
        format!("第{number}行不是 JSON 对象（{error}）；请改正这一行"),
        format!("line {number} is no JSON object ({error}); correct this line"),
    );
    chunk.findings.push(Finding::new(Some(row_id(0, number)), Severity::Error, "json", text).with_raw(raw));
    chunk.cells.resize(chunk.cells.len() + chunk.width, Span::default());
    chunk.numbers.push(number);
}

fn put(
    chunk: &mut Chunk,
    number: u32,
    object: &Map<String, Value>,
    columns: &HashMap<String, usize>,
    is_list: impl Fn(usize) -> bool,
    text: &mut String,
) {
    let row = chunk.cells.len();
    chunk.cells.resize(row + chunk.width, Span::default());
    for (key, value) in object {
        // Every key has its column: those that were new made the layout wider before this call.
        let Some(&column) = columns.get(key).filter(|column| **column < chunk.width) else { continue };
        let start = text.len();
        write(text, value, if is_list(column) { ITEM } else { '、' });
        chunk.cells[row + column] = Span::new(start, text.len());
    }
    chunk.numbers.push(number);
}

/// A value as the text that a cell would hold; the items of an array parted by `part`.
fn write(text: &mut String, value: &Value, part: char) {
    match value {
        Value::Null => {}
        Value::String(string) => text.push_str(string),
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            for (index, item) in items.iter().enumerate() {
                // A list of one is marked as a list too.
                if index > 0 || part == ITEM {
                    text.push(part);
                }
                write(text, item, part);
            }
        }
        other => text.push_str(&other.to_string()),
    }
}
