//! Which columns go out, and under which name.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, TimeUnit};
use huiliu_stage::{EXTRA, Field, is_json};

/// Why batches could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A column was asked for that nobody makes.
    #[error("there is no column `{column}` to write; there are: {}", there.join(", "))]
    MissingColumn {
        /// The name asked for.
        column: String,
        /// The names there are.
        there: Vec<String>,
    },

    /// A column has a type outside the contract of records.
    #[error("column `{column}` is {found}, which records may not have and sinks cannot write")]
    UnsupportedType {
        /// The column.
        column: String,
        /// Its Arrow type.
        found: String,
    },

    /// A batch differs from the schema that the writer was made for.
    #[error("a batch has {found} in the place of column `{column}`, which was planned as {planned}")]
    OtherSchema {
        /// The column.
        column: String,
        /// The type planned.
        planned: String,
        /// What is there instead.
        found: String,
    },

    /// The Parquet writer failed.
    #[error("cannot write parquet")]
    Parquet(#[from] ::parquet::errors::ParquetError),

    /// A batch could not be rebuilt.
    #[error("cannot arrange the columns")]
    Arrow(#[from] arrow::error::ArrowError),
}

/// A column that goes out.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    /// Where it stands in the batch.
    pub(super) index: usize,
    /// The name it is written under.
    pub(super) name: String,
    /// What people call it.
    pub(super) title: String,
    /// Its type.
    pub(super) data_type: DataType,
    /// Whether its texts are JSON already.
    pub(super) json: bool,
    /// Whether it is the engine's column of unknown values, which most rows do not have.
    pub(super) extra: bool,
}

impl Outgoing {
    fn new(schema: &Schema, index: usize) -> Result<Self, WriteError> {
        let field = schema.field(index);
        let extra = field.name() == EXTRA;
        // A record may have a field of its own called `extra`; then the engine's keeps its full name.
        let name = match extra && schema.index_of("extra").is_err() {
            true => "extra".to_owned(),
            false => field.name().clone(),
        };
        if !is_supported(field.data_type()) {
            let found = field.data_type().to_string();
            return Err(WriteError::UnsupportedType { column: name, found });
        }
        let title = match Field::of(field) {
            Some(described) => described.title().to_owned(),
            None if extra => "其他列".to_owned(),
            None => name.clone(),
        };
        Ok(Self { index, name, title, data_type: field.data_type().clone(), json: is_json(field), extra })
    }

    /// The column of a batch, which must have the planned type.
    pub(super) fn of<'a>(&self, batch: &'a RecordBatch) -> Result<&'a dyn arrow::array::Array, WriteError> {
        let found = match batch.columns().get(self.index) {
            Some(array) if array.data_type() == &self.data_type => return Ok(array.as_ref()),
            Some(array) => array.data_type().to_string(),
            None => "nothing".to_owned(),
        };
        Err(WriteError::OtherSchema { column: self.name.clone(), planned: self.data_type.to_string(), found })
    }
}

/// The types of design.md §4.1, and no others.
fn is_supported(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8
        | DataType::Int64
        | DataType::Float64
        | DataType::Boolean
        | DataType::Date32
        | DataType::Timestamp(TimeUnit::Millisecond, _) => true,
        DataType::Decimal128(_, scale) => (0..=18).contains(scale),
        DataType::List(item) => item.data_type() == &DataType::Utf8,
        _ => false,
    }
}

/// The columns asked for, in that order; by default all but the engine's, and `_extra` at the end.
///
/// # Errors
/// Names the column that is not there, or whose type cannot be written.
pub(super) fn outgoing(schema: &Schema, columns: Option<&[String]>) -> Result<Vec<Outgoing>, WriteError> {
    let find = |name: &String| {
        schema.index_of(name).map_err(|_| WriteError::MissingColumn {
            column: name.clone(),
            there: schema.fields.iter().map(|field| field.name().clone()).collect(),
        })
    };
    let mut indices: Vec<usize> = match columns {
        Some(names) => names.iter().map(find).collect::<Result<_, _>>()?,
        None => (0..schema.fields.len())
            .filter(|&i| !schema.field(i).name().starts_with('_') || schema.field(i).name() == EXTRA)
            .collect(),
    };
    // Last, since most rows have none and JSON Lines leaves it out then.
    indices.sort_by_key(|&i| schema.field(i).name() == EXTRA);
    indices.into_iter().map(|index| Outgoing::new(schema, index)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Field as ArrowField;

    use super::*;

    fn names(fields: &[&str], columns: Option<&[&str]>) -> Result<Vec<String>, String> {
        let fields: Vec<_> = fields.iter().map(|n| ArrowField::new(*n, DataType::Utf8, true)).collect();
        let columns: Option<Vec<String>> = columns.map(|c| c.iter().map(|&n| n.to_owned()).collect());
        let all = outgoing(&Schema::new(fields), columns.as_deref()).map_err(|error| error.to_string())?;
        Ok(all.into_iter().map(|column| column.name).collect())
    }

    #[test]
    fn the_engines_columns_stay_inside_unless_asked_for() {
        let there = ["_extra", "a", "_sheet", "b"];
        assert_eq!(names(&there, None).unwrap(), ["a", "b", "extra"]);
        assert_eq!(names(&there, Some(&["b", "_sheet"])).unwrap(), ["b", "_sheet"]);
        assert_eq!(names(&["extra", "_extra"], None).unwrap(), ["extra", "_extra"]);
        assert_eq!(names(&["a"], Some(&["b"])).unwrap_err(), "there is no column `b` to write; there are: a");
    }

    #[test]
    fn a_type_outside_the_contract_is_refused_when_the_writer_is_made() {
        let schema = Schema::new(vec![ArrowField::new("n", DataType::Int32, true)]);
        let error = outgoing(&Arc::new(schema), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `n` is Int32, which records may not have and sinks cannot write"
        );
    }
}
