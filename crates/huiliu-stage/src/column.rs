//! Finding columns by name, with errors that say what to do.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, RecordBatch, StringArray,
};
use arrow::datatypes::{Date32Type, Decimal128Type, Schema};

use crate::StageError;

/// Index of the column `name`.
///
/// # Errors
/// Names the column and those there are.
pub fn column_index(schema: &Schema, name: &str) -> Result<usize, StageError> {
    schema.index_of(name).map_err(|_| {
        let there: Vec<&str> =
            schema.fields.iter().map(|f| f.name().as_str()).filter(|n| !n.starts_with('_')).collect();
        StageError::new(format!("there is no column `{name}` here; there are: {}", there.join(", ")))
    })
}

/// The column `name` of a batch.
pub fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, StageError> {
    Ok(batch.column(column_index(batch.schema_ref(), name)?))
}

fn typed<'a, A>(
    batch: &'a RecordBatch,
    name: &str,
    kind: &str,
    cast: impl FnOnce(&'a ArrayRef) -> Option<&'a A>,
) -> Result<&'a A, StageError> {
    let array = column(batch, name)?;
    let found = array.data_type();
    cast(array).ok_or_else(|| StageError::new(format!("column `{name}` is {found}, {kind} is needed")))
}

/// A text column.
pub fn text_column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, StageError> {
    typed(batch, name, "text", |a| a.as_string_opt::<i32>())
}

/// A yes/no column.
pub fn bool_column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray, StageError> {
    typed(batch, name, "a boolean", |a| a.as_boolean_opt())
}

/// A column of calendar days.
pub fn date_column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Date32Array, StageError> {
    typed(batch, name, "a date", |a| a.as_primitive_opt::<Date32Type>())
}

/// A column of amounts.
pub fn decimal_column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Decimal128Array, StageError> {
    typed(batch, name, "an amount", |a| a.as_primitive_opt::<Decimal128Type>())
}
