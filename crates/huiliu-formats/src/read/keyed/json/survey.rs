//! Where in a JSON file the table is: a look through its beginning for arrays of objects.

use huiliu_stage::{Finding, Severity, Text};

use super::super::{LONGEST_NAME, MOST_WEIGHED, worth};
use super::cursor::{Cursor, malformed};
use super::{DEEPEST, Piece, names_in, piece};
use crate::read::error::ReadError;
use crate::read::header::Names;
use crate::read::text::TextReader;

/// Bytes that are surveyed.
const SURVEY: u64 = 4 << 20;
/// How deep an array of objects may lie.
const DEEP: usize = 4;
/// Most arrays that are compared.
const MOST_ARRAYS: usize = 64;

/// A place where records may be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Array {
    /// Keys that lead to it; `None` for the objects at the top themselves.
    pub(super) path: Option<Vec<String>>,
    names: Vec<String>,
    count: u64,
    /// Its elements are arrays, the first of which holds the names unless those stand beside it.
    pub(super) rows: bool,
    pub(super) beside: bool,
}

impl Array {
    /// The names that stand beside an array of arrays.
    pub(super) fn names_beside(&self) -> Option<&[String]> {
        self.beside.then_some(self.names.as_slice())
    }
}

/// What the names of columns are called that stand beside rows without names, lower case.
const NAMES: [&str; 10] = [
    "columns",
    "columnnames",
    "column_names",
    "header",
    "headers",
    "fields",
    "names",
    "列名",
    "表头",
    "字段",
];

/// Where the records of a file are, what else might have been meant, and whether that has the names of fields too.
#[derive(Clone, Debug)]
pub(in crate::read) struct Table(pub(super) Array, Vec<String>, bool);

/// Word of arrays of objects that are not read.
pub(in crate::read) fn others(table: &Table) -> Option<Finding> {
    let Table(_, others, alike) = table;
    let shown =
        others.iter().take(5).map(|path| path.chars().take(80).collect()).collect::<Vec<String>>().join("、");
    let text = Text::new(
        format!("文件里另有{}组数据没有读取（{shown}）；如需要，请单独上传", others.len()),
        format!(
            "{} more arrays in the file were not read ({shown}); send them alone if they are meant",
            others.len()
        ),
    );
    // What has the names of fields too may be rows that somebody misses.
    let severity = if *alike { Severity::Error } else { Severity::Info };
    (!others.is_empty()).then(|| Finding::new(None, severity, "json", text))
}

/// Looks for the table in the beginning of a file.
///
/// # Errors
/// It is no JSON, or holds no object.
pub(in crate::read) fn survey(
    reader: TextReader,
    longest: usize,
    names: Option<&Names>,
) -> Result<Table, ReadError> {
    let mut survey = Survey {
        cursor: Cursor { reader, longest },
        found: Vec::new(),
        path: Vec::new(),
        beside: None,
        later: false,
    };
    let mut top = Array::default();
    let ended = survey.top(&mut top);
    let mut found = survey.found;
    if let Err(error) = ended
        && found.iter().all(|array| array.count == 0)
        && top.count == 0
    {
        return Err(error);
    }
    found.retain(|array| array.count > 0);
    if top.count > 0 {
        found.push(top);
    }
    let rank = |array: &Array| (worth(&array.names, names), array.path.is_some(), array.count);
    // Of equals the first is taken.
    let best = (0..found.len()).rev().max_by_key(|&at| found.get(at).map(rank));
    let Some(best) = best else {
        return Err(malformed("其中没有对象，无法作为表格读取", "it holds no objects that could be rows"));
    };
    let table = found.swap_remove(best);
    let own = worth(&table.names, names);
    let least = if own == 1 { 1 } else { own.div_ceil(2).max(2) };
    let alike = names.is_some() && found.iter().any(|array| worth(&array.names, names) >= least);
    let others = found.iter().filter_map(|array| array.path.as_ref()).map(|path| path.join("."));
    let others = others.filter(|_| table.path.is_some()).collect();
    Ok(Table(table, others, alike))
}

/// Looks through the beginning of a file.
struct Survey {
    cursor: Cursor,
    found: Vec<Array>,
    path: Vec<String>,
    /// Names that stand in an object, and how many keys lead to it: `{"columns": ["a"], "data": [[1]]}`.
    beside: Option<(usize, Vec<String>)>,
    /// The first value is over. A path leads into that one only; others are told as what follows the end.
    later: bool,
}

impl Survey {
    fn top(&mut self, top: &mut Array) -> Result<(), ReadError> {
        while let Some(next) = self.cursor.peek()? {
            if self.enough() {
                break;
            }
            match next {
                b'{' => {
                    let names = self.object()?;
                    top.count += 1;
                    if top.names.is_empty() {
                        top.names = names;
                    }
                }
                b'[' => self.array()?,
                _ => {
                    return Err(malformed(
                        "开头不是对象或数组",
                        "it begins with neither an object nor an array",
                    ));
                }
            }
            self.later = true;
        }
        Ok(())
    }

    fn enough(&self) -> bool {
        self.cursor.reader.done() > SURVEY || self.found.len() >= MOST_ARRAYS
    }

    /// Looks into an object; gives its keys.
    fn object(&mut self) -> Result<Vec<String>, ReadError> {
        self.cursor.expect(b'{')?;
        let mut names = Vec::new();
        loop {
            match self.cursor.peek()? {
                Some(b'}') => {
                    self.cursor.reader.advance(1);
                    return Ok(names);
                }
                Some(b',') => self.cursor.reader.advance(1),
                _ => {
                    let key = self.cursor.key()?;
                    let next = self.cursor.peek()?;
                    // Names that are too long or too many are told when records are read.
                    let known = key.len() <= LONGEST_NAME && names.len() < MOST_WEIGHED;
                    if known {
                        names.push(key.clone());
                    }
                    let are_names = next == Some(b'[')
                        && NAMES.contains(&key.to_lowercase().as_str())
                        && self.cursor.is_of_texts();
                    self.path.push(key);
                    match next {
                        _ if are_names => {
                            let beside = names_in(self.cursor.value()?);
                            self.beside = (beside.len() > 1).then_some((self.path.len(), beside));
                        }
                        Some(b'[') if self.path.len() <= DEEP && !self.enough() => self.array()?,
                        Some(b'{') if self.path.len() < DEEP && !self.enough() => {
                            let inner = self.object()?;
                            if let Some(key) = names.pop_if(|_| known) {
                                let room = MOST_WEIGHED - names.len();
                                names.extend(inner.iter().take(room).map(|name| format!("{key}.{name}")));
                            }
                        }
                        _ => self.cursor.pass()?,
                    }
                    self.path.pop();
                }
            }
        }
    }

    /// Looks into an array of arrays, which is a table if the first one holds names and others follow.
    fn rows(&mut self) -> Result<(), ReadError> {
        let first = self.cursor.value()?;
        let width =
            serde_json::from_slice::<Vec<serde::de::IgnoredAny>>(first).map_or(0, |first| first.len());
        let named =
            self.beside.as_ref().filter(|(depth, names)| *depth == self.path.len() && names.len() == width);
        let (names, beside) = match named {
            Some((_, names)) => (names.clone(), true),
            None => (names_in(first), false),
        };
        let at = self.found.len();
        let mut array =
            Array { path: Some(self.path.clone()), names, rows: true, beside, count: u64::from(beside) };
        if beside {
            self.found.push(array.clone());
        }
        let is_table = array.names.len() > 1;
        while let Some(next) = self.cursor.peek()? {
            match next {
                b']' => {
                    self.cursor.reader.advance(1);
                    break;
                }
                b',' => self.cursor.reader.advance(1),
                b'[' if is_table && !self.enough() => {
                    array.count += 1;
                    // A file that ends within it is told when it is read.
                    self.found.truncate(at);
                    self.found.push(array.clone());
                    self.cursor.pass()?;
                }
                _ => return self.cursor.close(),
            }
        }
        Ok(())
    }

    /// Looks into an array. One of objects is kept as found, also if the file ends within it.
    fn array(&mut self) -> Result<(), ReadError> {
        self.cursor.expect(b'[')?;
        match self.cursor.peek()? {
            Some(b'[') if !self.later => return self.rows(),
            Some(b'{') if !self.later => {}
            _ => return self.cursor.close(),
        }
        let at = self.found.len();
        self.found.push(Array { path: Some(self.path.clone()), ..Array::default() });
        loop {
            match self.cursor.peek()? {
                Some(b']') => {
                    self.cursor.reader.advance(1);
                    return Ok(());
                }
                Some(b',') => self.cursor.reader.advance(1),
                _ if self.enough() => return self.cursor.close(),
                _ => {
                    let fields = match piece(self.cursor.value()?, DEEPEST) {
                        Piece::Record(fields) => fields,
                        Piece::Fault { .. } | Piece::Told(_) => Vec::new(),
                    };
                    let Some(array) = self.found.get_mut(at) else { return Ok(()) };
                    array.count += 1;
                    if array.names.is_empty() {
                        array.names = fields.into_iter().map(|(name, _)| name).collect();
                    }
                }
            }
        }
    }
}
