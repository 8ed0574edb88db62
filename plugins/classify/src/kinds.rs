//! What a matter is about: the kind whose keywords tell most of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use huiliu_stage::{Host, StageError};

use crate::options::{Kind, Kinds as Described, Other, Table};

/// A kind, ready to be found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ready {
    pub(crate) code: String,
    pub(crate) label: String,
    keywords: Vec<String>,
    /// What fills the copied columns.
    pub(crate) copied: BTreeMap<String, String>,
}

/// All kinds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinds {
    all: Vec<Arc<Ready>>,
    other: Arc<Ready>,
}

impl Kinds {
    /// From the options; a table is read as it is now.
    pub(crate) fn read(described: &Described, other: &Other, host: &dyn Host) -> Result<Self, StageError> {
        let all: Vec<Ready> = match described {
            Described::List(list) => list.iter().map(ready).collect(),
            Described::Table(table) => from_table(table, host)?,
        };
        let code = &other.code;
        let listed = all.iter().find(|kind| kind.code == *code).cloned();
        let own = Ready { code: code.clone(), label: other.label.clone(), ..Ready::default() };
        Ok(Self { other: listed.unwrap_or(own).into(), all: all.into_iter().map(Arc::new).collect() })
    }

    /// The kind of this code; one that is in no list any more goes by its code alone.
    pub(crate) fn named(&self, code: &str) -> Arc<Ready> {
        let found = self.all.iter().chain([&self.other]).find(|kind| kind.code == code);
        let alone = || Ready { code: code.to_owned(), label: code.to_owned(), ..Ready::default() }.into();
        found.cloned().unwrap_or_else(alone)
    }

    /// The kind of a matter. Longer keywords tell more; of two kinds that tell as much, the one named earlier in the
    /// matter is meant, then the one that is listed first.
    pub(crate) fn of(&self, matter: &str) -> &Arc<Ready> {
        let mut best: Option<(usize, std::cmp::Reverse<usize>, &Arc<Ready>)> = None;
        for kind in &self.all {
            let found = kind.keywords.iter().filter_map(|word| Some((matter.find(word.as_str())?, word)));
            let (mut told, mut first) = (0, usize::MAX);
            for (at, word) in found {
                told += word.chars().count();
                first = first.min(at);
            }
            let better =
                best.as_ref().is_none_or(|(most, at, _)| (told, std::cmp::Reverse(first)) > (*most, *at));
            if told > 0 && better {
                best = Some((told, std::cmp::Reverse(first), kind));
            }
        }
        best.map_or(&self.other, |(_, _, kind)| kind)
    }
}

fn ready(kind: &Kind) -> Ready {
    Ready {
        code: kind.code.clone(),
        label: if kind.label.is_empty() { kind.code.clone() } else { kind.label.clone() },
        keywords: kind.keywords.iter().filter(|word| !word.is_empty()).cloned().collect(),
        copied: BTreeMap::new(),
    }
}

fn from_table(options: &Table, host: &dyn Host) -> Result<Vec<Ready>, StageError> {
    let table = host.table(&options.table).map_err(|error| StageError::new(error.to_string()))?;
    let codes = texts(&table, &options.table, &options.code)?;
    let labels = texts(&table, &options.table, &options.label)?;
    let keywords = texts(&table, &options.table, &options.keywords)?;
    let mut copied = Vec::new();
    for (column, from) in &options.copy {
        copied.push((column, texts(&table, &options.table, from)?));
    }
    let cell = |column: &StringArray, row: usize| {
        if column.is_valid(row) { column.value(row).trim().to_owned() } else { String::new() }
    };
    let kind = |row: usize| Ready {
        code: cell(&codes, row),
        label: cell(&labels, row),
        keywords: parted(&cell(&keywords, row)),
        copied: copied.iter().map(|(name, from)| ((*name).clone(), cell(from, row))).collect(),
    };
    Ok((0..table.num_rows()).map(kind).filter(|kind| !kind.code.is_empty()).collect())
}

fn parted(words: &str) -> Vec<String> {
    let words = words.split(|c: char| c.is_whitespace() || "、,，;；".contains(c));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn texts(table: &RecordBatch, name: &str, column: &str) -> Result<StringArray, StageError> {
    let found = table.column_by_name(column).ok_or_else(|| {
        let known: Vec<String> =
            table.schema().fields.iter().map(|field| format!("`{}`", field.name())).collect();
        StageError::new(format!("table `{name}` has no column `{column}`; there are {}", known.join(", ")))
    })?;
    let texts = cast(found, &DataType::Utf8)?;
    let texts = texts.as_any().downcast_ref::<StringArray>().cloned();
    texts.ok_or_else(|| StageError::new(format!("column `{column}` of table `{name}` is no text")))
}
