//! XML tables: elements that repeat, their attributes and children as columns.
//!
//! The beginning of the file is surveyed: of the elements that hold others or have attributes, the one whose names the
//! record schema knows best is the record, without a schema the one that brings most cells. Then the file is read from
//! its start as a stream. Document types are refused, so there are no entities but the five of XML.

mod passed;

use std::cmp::Reverse;
use std::collections::HashMap;

use self::passed::Passed;
use super::{LONGEST_NAME, MOST_WEIGHED, Piece, Value, worth};
use crate::read::error::ReadError;
use crate::read::header::Names;
use crate::read::text::TextReader;
use crate::read::value::Unit;
use crate::read::workbook::xml::{Scanner, Token, unescape};

/// Bytes that are surveyed.
const SURVEY: u64 = 4 << 20;
/// Most elements within one another.
const MOST_DEPTH: usize = 64;
/// Most different paths of elements; each is remembered with all names in it.
const MOST_PATHS: usize = 2_000;
/// Elements that are compared, those first that bring most cells.
const COMPARED: usize = 64;

/// Tokens with the names of the elements around them checked.
struct Elements {
    scanner: Scanner<TextReader>,
    open: Vec<String>,
    longest: usize,
}

/// What comes next.
enum Next {
    /// An element begins, with these attributes.
    Open(Vec<(String, String)>),
    /// The last element that began ends.
    Close,
    Text(String),
    End,
}

impl Elements {
    fn new(reader: TextReader, longest: usize) -> Self {
        Self { scanner: Scanner::new(reader), open: Vec::new(), longest }
    }

    fn done(&self) -> u64 {
        self.scanner.source().done()
    }

    /// An empty element gives an open and a close.
    fn next(&mut self, waiting: &mut bool) -> Result<Next, ReadError> {
        if std::mem::take(waiting) {
            return Ok(Next::Close);
        }
        match self.scanner.next().map_err(|e| e.of_xml())? {
            Token::Open { name, attributes, empty } => {
                if self.open.len() >= MOST_DEPTH {
                    return Err(ReadError::too_large(
                        "XML 嵌套层数",
                        "the depth of elements",
                        MOST_DEPTH as u64,
                    ));
                }
                if name.len() > LONGEST_NAME {
                    return Err(ReadError::too_large(
                        "XML 元素名长度",
                        "the length of a name",
                        LONGEST_NAME as u64,
                    ));
                }
                self.open.push(String::from_utf8_lossy(name).into_owned());
                let attributes = attributes.filter(|(name, _)| !name.starts_with(b"xmlns"));
                let attributes = attributes.map(|(name, value)| {
                    let mut text = String::new();
                    unescape(&mut text, value);
                    (String::from_utf8_lossy(name).into_owned(), text)
                });
                *waiting = empty;
                Ok(Next::Open(attributes.collect()))
            }
            Token::Close { name } => match self.open.last() {
                Some(open) if open.as_bytes() == name || String::from_utf8_lossy(name) == *open => {
                    Ok(Next::Close)
                }
                Some(open) => Err(malformed(
                    &format!("元素 {open} 没有正确结束"),
                    &format!("element `{open}` is not closed"),
                )),
                None => Err(malformed("多出一个结束标记", "an element ends that never began")),
            },
            Token::Text(raw) => {
                if raw.len() > self.longest {
                    return Err(too_long(self.longest));
                }
                let mut text = String::new();
                unescape(&mut text, raw);
                Ok(Next::Text(text))
            }
            Token::Literal(raw) => Ok(Next::Text(String::from_utf8_lossy(raw).into_owned())),
            Token::End => match self.open.last() {
                Some(_) => Err(cut_off()),
                None => Ok(Next::End),
            },
        }
    }
}

/// The path of the element that is the record.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::read) struct Table(Vec<String>);

/// An element that was met in the survey.
#[derive(Default)]
struct Met {
    count: u64,
    /// Attributes and, once they turn out to hold only text, children.
    names: Vec<String>,
    holds: bool,
}

impl Met {
    fn cells(&self) -> u64 {
        self.count.saturating_mul(self.names.len() as u64)
    }
}

/// Looks for the element that is the record.
///
/// # Errors
/// It is no XML, or no element repeats values.
pub(in crate::read) fn survey(
    reader: TextReader,
    longest: usize,
    names: Option<&Names>,
) -> Result<Table, ReadError> {
    let mut elements = Elements::new(reader, longest);
    let mut met: HashMap<Vec<String>, Met> = HashMap::new();
    let mut waiting = false;
    let ended = loop {
        if elements.done() > SURVEY {
            break Ok(());
        }
        match elements.next(&mut waiting) {
            Err(error) => break Err(error),
            Ok(Next::End) => break Ok(()),
            Ok(Next::Text(_)) => {}
            Ok(Next::Close) => drop(elements.open.pop()),
            Ok(Next::Open(attributes)) => {
                if met.len() >= MOST_PATHS {
                    break Err(ReadError::too_large(
                        "XML 元素的种数",
                        "the number of elements",
                        MOST_PATHS as u64,
                    ));
                }
                note(&mut met, &elements.open, attributes);
            }
        }
    };
    // Paths decide between equals, since the order of a map is any.
    let mut found: Vec<(&Vec<String>, &Met)> =
        met.iter().filter(|(_, one)| one.holds && !one.names.is_empty()).collect();
    found.sort_by_key(|(path, one)| (Reverse(one.cells()), path.len(), *path));
    found.truncate(COMPARED);
    let rank = |(path, one): &(&Vec<String>, &Met)| {
        (worth(&one.names, names), one.count > 1, one.cells(), Reverse(path.len()))
    };
    // Of equals the last is taken, so the first must come last.
    let best = found.into_iter().rev().max_by_key(rank);
    match (best, ended) {
        (Some((path, _)), _) => Ok(Table(path.clone())),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Err(malformed("其中没有表格数据", "it holds no table")),
    }
}

/// Takes note of an element that begins.
fn note(met: &mut HashMap<Vec<String>, Met>, open: &[String], attributes: Vec<(String, String)>) {
    if let Some((last, above)) = open.split_last()
        && let Some(parent) = met.get_mut(above)
    {
        parent.holds = true;
        add(&mut parent.names, last.clone());
    }
    let one = met.entry(open.to_vec()).or_default();
    one.count += 1;
    for (name, _) in attributes {
        one.holds = true;
        add(&mut one.names, name);
    }
}

fn add(names: &mut Vec<String>, name: String) {
    if names.len() < MOST_WEIGHED && !names.contains(&name) {
        names.push(name);
    }
}

/// Attributes that hold the unit of the value in their element.
const UNITS: [&str; 6] = ["unit", "units", "uom", "dw", "单位", "计量单位"];

/// An XML file that is being read.
pub(in crate::read) struct XmlRecords {
    elements: Elements,
    table: Vec<String>,
    waiting: bool,
    /// Whether a unit in an attribute becomes part of its element's value.
    units: bool,
    passed: Passed,
}

impl XmlRecords {
    /// Reads the records that `survey` has found; with `units` a unit that stands in an attribute beside a value is
    /// read as if it stood behind the value, without it both are as they are written.
    pub(in crate::read) fn open(reader: TextReader, longest: usize, table: Table, units: bool) -> Self {
        let elements = Elements::new(reader, longest);
        Self { elements, table: table.0, waiting: false, units, passed: Passed::default() }
    }

    pub(super) fn done(&self) -> u64 {
        self.elements.done()
    }

    pub(super) fn next(&mut self) -> Result<Option<Piece>, ReadError> {
        loop {
            match self.elements.next(&mut self.waiting)? {
                Next::End => return Ok(self.passed.told(&self.table).map(Piece::Told)),
                Next::Close => drop(self.elements.open.pop()),
                Next::Text(_) => {}
                Next::Open(attributes) if self.elements.open == self.table => {
                    return self.record(attributes).map(|fields| Some(Piece::Record(fields)));
                }
                Next::Open(attributes) => {
                    self.passed.note(&self.elements.open, &self.table, !attributes.is_empty());
                }
            }
        }
    }

    /// Reads to the end of the record that has begun.
    fn record(&mut self, attributes: Vec<(String, String)>) -> Result<Vec<(String, Value)>, ReadError> {
        let top = self.elements.open.len();
        let mut fields =
            Fields { all: Vec::new(), at: HashMap::new(), bytes: 0, longest: self.elements.longest };
        for (name, text) in attributes {
            fields.add(name, text)?;
        }
        // The text of each open element, whether it holds others, and the unit beside it with its attribute's name.
        let mut texts = vec![(String::new(), false, None)];
        loop {
            match self.elements.next(&mut self.waiting)? {
                Next::End => return Err(cut_off()),
                Next::Text(text) => {
                    if let Some((known, ..)) = texts.last_mut() {
                        known.push_str(&text);
                        fields.count(text.len())?;
                    }
                }
                Next::Open(attributes) => {
                    if let Some((_, holds, _)) = texts.last_mut() {
                        *holds = true;
                    }
                    let name = self.name(top);
                    let mut unit = None;
                    for (attribute, text) in attributes {
                        let full = format!("{name}.{attribute}");
                        match unit.is_none() && self.units && is_unit(&attribute, &text) {
                            true => unit = Some((full, text)),
                            false => fields.add(full, text)?,
                        }
                    }
                    texts.push((String::new(), false, unit));
                }
                Next::Close => {
                    let (mut text, holds, unit) = texts.pop().unwrap_or_default();
                    match unit {
                        Some((_, unit)) if !holds && is_bare(&text) => {
                            text.truncate(text.trim_end().len());
                            text.push_str(&unit);
                        }
                        Some((name, unit)) => fields.add(name, unit)?,
                        None => {}
                    }
                    let name = match self.elements.open.len() == top {
                        true => self.table.last().cloned().unwrap_or_default(),
                        false => self.name(top),
                    };
                    let text = text.trim();
                    // An empty element is an empty cell, text around elements is layout.
                    if !text.is_empty() || (!holds && self.elements.open.len() > top) {
                        fields.add(name, text.to_owned())?;
                    }
                    self.elements.open.pop();
                    if self.elements.open.len() < top {
                        return Ok(fields.all);
                    }
                }
            }
        }
    }

    /// The name of the open element within the record: `a.b`.
    fn name(&self, top: usize) -> String {
        self.elements.open.get(top..).unwrap_or_default().join(".")
    }
}

fn is_unit(attribute: &str, text: &str) -> bool {
    UNITS.iter().any(|unit| attribute.eq_ignore_ascii_case(unit)) && Unit::parse(text.trim()).is_some()
}

/// Whether a text is a number without a unit of its own.
fn is_bare(text: &str) -> bool {
    text.trim_end().chars().last().is_some_and(char::is_numeric) && !text.contains(char::is_alphabetic)
}

/// The values of a record while it is read.
struct Fields {
    all: Vec<(String, Value)>,
    at: HashMap<String, usize>,
    bytes: usize,
    longest: usize,
}

impl Fields {
    fn count(&mut self, bytes: usize) -> Result<(), ReadError> {
        self.bytes += bytes;
        if self.bytes > self.longest { Err(too_long(self.longest)) } else { Ok(()) }
    }

    /// A name that comes again makes a list of its values.
    fn add(&mut self, name: String, text: String) -> Result<(), ReadError> {
        self.count(name.len() + text.len())?;
        let Some(&at) = self.at.get(&name) else {
            self.at.insert(name.clone(), self.all.len());
            self.all.push((name, Value::One(text)));
            return Ok(());
        };
        if let Some((_, value)) = self.all.get_mut(at) {
            match value {
                Value::Many(texts, _) => texts.push(text),
                Value::One(first) => *value = Value::Many(vec![std::mem::take(first), text], ';'),
            }
        }
        Ok(())
    }
}

fn too_long(limit: usize) -> ReadError {
    ReadError::too_large("单条记录的长度（字节）", "the length of a record in bytes", limit as u64)
}

fn cut_off() -> ReadError {
    ReadError::new(
        "XML 文件不完整（结尾缺失），可能没有导出或复制完；请重新导出后上传",
        "the XML file is cut off, perhaps it was not written to its end; export it anew and send that",
    )
}

fn malformed(zh: &str, en: &str) -> ReadError {
    ReadError::new(
        format!("XML 文件格式有误（{zh}）；请重新导出后上传"),
        format!("the file is no proper XML ({en}); export it anew and send that"),
    )
}
