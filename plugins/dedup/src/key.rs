//! Keys: the fingerprint of a row under a match rule.
//!
//! A key is 128 bits of XXH3 over the rule's values, seeded by the rule's own definition. So rules may be
//! added, taken away or put in another order without a kept key losing its meaning, and two rules never
//! share keys. The texts themselves are not kept: among 10 million keys the odds of any two
//! different ones being equal are 10^14 / 2^129, below 10^-24.

use arrow::array::{
    Array, AsArray, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int64Type, Schema, TimeUnit, TimestampMillisecondType,
};
use huiliu_stage::{Field, Problem, StageError};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use crate::name;
use crate::options::{MatchRule, Normalise, find};

/// A match rule bound to the input's columns.
pub(crate) struct KeyRule {
    /// What the rule is called in `matched_by`: its fields joined by `+`.
    pub(crate) name: String,
    /// What it is called to people.
    pub(crate) title: String,
    /// The first field, for findings.
    pub(crate) field: String,
    /// Columns and how they are normalised.
    pub(crate) columns: Vec<(usize, Normalise)>,
    /// Columns that must not differ.
    pub(crate) unless: Vec<usize>,
    seed: u64,
}

/// Buffers that a row's key is made in.
#[derive(Default)]
pub(crate) struct Scratch {
    text: String,
    bytes: Vec<u8>,
}

impl KeyRule {
    /// Binds all rules; every problem is added to `problems`.
    pub(crate) fn all(rules: &[MatchRule], input: &Schema, problems: &mut Vec<Problem>) -> Vec<Self> {
        if rules.is_empty() {
            let message = "give at least one rule, such as `- {fields: [project_code]}`".to_owned();
            problems.push(Problem { path: "match".to_owned(), message });
        }
        let bind = |(i, rule)| Self::bind(rule, &format!("match[{i}]"), input, problems);
        rules.iter().enumerate().filter_map(bind).collect()
    }

    fn bind(rule: &MatchRule, path: &str, input: &Schema, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let mut columns = Vec::new();
        let mut definition = String::new();
        for (i, field) in rule.fields.iter().enumerate() {
            let at = format!("{path}.fields[{i}]");
            let Some(index) = find(input, field, at.clone(), problems) else { continue };
            let kind = input.field(index).data_type();
            if !may_be_key(kind) {
                let message = format!(
                    "column `{field}` is {kind}; a key is made of text, whole numbers, amounts or dates"
                );
                problems.push(Problem { path: at, message });
            }
            let normalise = rule.normalise.get(field).copied().unwrap_or_default();
            if normalise != Normalise::Exact && kind != &DataType::Utf8 {
                let message = format!("column `{field}` is {kind}; only text is normalised");
                problems.push(Problem { path: format!("{path}.normalise.{field}"), message });
            }
            columns.push((index, normalise));
            definition.push_str(&format!("{field}\0{normalise:?}\0"));
        }
        if rule.fields.is_empty() {
            let message = "name at least one column".to_owned();
            problems.push(Problem { path: format!("{path}.fields"), message });
        }
        for field in rule.normalise.keys().filter(|field| !rule.fields.contains(field)) {
            let message = format!("`{field}` is not among the fields of this rule");
            problems.push(Problem { path: format!("{path}.normalise.{field}"), message });
        }
        let unless = rule.unless.iter().enumerate();
        let unless = unless
            .filter_map(|(i, field)| find(input, field, format!("{path}.unless[{i}]"), problems))
            .collect();
        let title = |&(at, _): &(usize, Normalise)| {
            let field = input.field(at);
            Field::of(field).map_or_else(|| field.name().clone(), |described| described.title().to_owned())
        };
        (problems.len() == before).then(|| Self {
            name: rule.fields.join("+"),
            title: columns.iter().map(title).collect::<Vec<_>>().join("＋"),
            field: rule.fields.first().cloned().unwrap_or_default(),
            seed: xxh3_64(definition.as_bytes()),
            columns,
            unless,
        })
    }

    /// The rule's columns of a batch.
    pub(crate) fn cells<'a>(&self, batch: &'a RecordBatch) -> Result<Vec<KeyCells<'a>>, StageError> {
        self.columns.iter().map(|&(at, normalise)| KeyCells::of(batch.column(at), normalise)).collect()
    }

    /// The key of a row; `None` when a field is missing or blank.
    pub(crate) fn key(&self, cells: &[KeyCells<'_>], row: usize, scratch: &mut Scratch) -> Option<u128> {
        if let [KeyCells::Text(texts, Normalise::Exact)] = cells {
            let given = texts.is_valid(row) && !texts.value(row).is_empty();
            return given.then(|| xxh3_128_with_seed(texts.value(row).as_bytes(), self.seed));
        }
        scratch.bytes.clear();
        for cell in cells {
            if !cell.append(row, scratch) {
                return None;
            }
        }
        Some(xxh3_128_with_seed(&scratch.bytes, self.seed))
    }
}

fn may_be_key(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8
            | DataType::Int64
            | DataType::Decimal128(..)
            | DataType::Boolean
            | DataType::Date32
            | DataType::Timestamp(TimeUnit::Millisecond, _)
    )
}

/// A column that is part of a key.
pub(crate) enum KeyCells<'a> {
    Text(&'a StringArray, Normalise),
    Int(&'a Int64Array),
    Decimal(&'a Decimal128Array),
    Bool(&'a BooleanArray),
    Date(&'a Date32Array),
    Time(&'a TimestampMillisecondArray),
}

impl<'a> KeyCells<'a> {
    fn of(array: &'a dyn Array, normalise: Normalise) -> Result<Self, StageError> {
        let found = match array.data_type() {
            DataType::Utf8 => array.as_string_opt().map(|a| Self::Text(a, normalise)),
            DataType::Int64 => array.as_primitive_opt::<Int64Type>().map(Self::Int),
            DataType::Decimal128(..) => array.as_primitive_opt::<Decimal128Type>().map(Self::Decimal),
            DataType::Boolean => array.as_boolean_opt().map(Self::Bool),
            DataType::Date32 => array.as_primitive_opt::<Date32Type>().map(Self::Date),
            _ => array.as_primitive_opt::<TimestampMillisecondType>().map(Self::Time),
        };
        found.ok_or_else(|| StageError::new(format!("a key column came as {}", array.data_type())))
    }

    /// Adds the row's value with its length, so that `ab` + `c` is not `a` + `bc`. False if there is none.
    fn append(&self, row: usize, scratch: &mut Scratch) -> bool {
        let bytes = &mut scratch.bytes;
        match self {
            Self::Text(texts, normalise) => {
                if texts.is_null(row) {
                    return false;
                }
                let mut value = texts.value(row);
                scratch.text.clear();
                match normalise {
                    Normalise::Exact => {}
                    Normalise::Code => name::code(value, &mut scratch.text),
                    Normalise::Name => name::name(value, &mut scratch.text),
                }
                if *normalise != Normalise::Exact {
                    value = &scratch.text;
                }
                bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
                bytes.extend_from_slice(value.as_bytes());
                !value.is_empty()
            }
            Self::Int(array) => fixed(bytes, array.is_valid(row).then(|| array.value(row).to_le_bytes())),
            Self::Decimal(array) => fixed(bytes, array.is_valid(row).then(|| array.value(row).to_le_bytes())),
            Self::Bool(array) => fixed(bytes, array.is_valid(row).then(|| [u8::from(array.value(row))])),
            Self::Date(array) => fixed(bytes, array.is_valid(row).then(|| array.value(row).to_le_bytes())),
            Self::Time(array) => fixed(bytes, array.is_valid(row).then(|| array.value(row).to_le_bytes())),
        }
    }
}

fn fixed<const N: usize>(bytes: &mut Vec<u8>, value: Option<[u8; N]>) -> bool {
    value.inspect(|value| bytes.extend_from_slice(value)).is_some()
}
