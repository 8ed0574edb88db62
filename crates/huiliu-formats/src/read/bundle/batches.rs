//! Batches of a table as they go on as batches of a package.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use arrow::error::ArrowError;
use huiliu_stage::{EVIDENCE, EVIDENCE_FILES, ROW, SHEET, UNREADABLE};

use super::FilesOfRows;
use crate::read::error::ReadError;

/// Between the names in a cell that is one text.
const BETWEEN: &str = "；";

/// `inner.xlsx!Sheet1`; the file's name alone if it has no sheets.
pub(super) fn sheet_name(path: &str, sheet: &str) -> String {
    if sheet.is_empty() { path.to_owned() } else { format!("{path}!{sheet}") }
}

/// The batch with word of which rows have attachments.
pub(super) fn marked(
    batch: RecordBatch,
    rows: &[i64],
    files: &FilesOfRows,
) -> Result<RecordBatch, ReadError> {
    if rows.is_empty() {
        return Ok(batch);
    }
    let mut schema = batch.schema().as_ref().clone();
    schema.metadata.insert(EVIDENCE.to_owned(), serde_json::to_string(rows).unwrap_or_default());
    schema.metadata.insert(EVIDENCE_FILES.to_owned(), serde_json::to_string(files).unwrap_or_default());
    batch.with_schema(Arc::new(schema)).map_err(|e| internal(&e))
}

/// The batch with its rows and sheets as the delivery counts and names them.
pub(super) fn moved_batch(
    batch: &RecordBatch,
    path: &str,
    moved: &impl Fn(i64) -> i64,
) -> Result<RecordBatch, ReadError> {
    let schema = batch.schema();
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    for (at, field) in schema.fields().iter().enumerate() {
        if field.name() == ROW
            && let Some(rows) = columns[at].as_primitive_opt::<Int64Type>()
        {
            columns[at] = Arc::new(rows.values().iter().map(|&row| moved(row)).collect::<Int64Array>());
        } else if field.name() == SHEET
            && let Some(names) = columns[at].as_string_opt::<i32>()
        {
            let names = names.iter().map(|name| sheet_name(path, name.unwrap_or_default()));
            columns[at] = Arc::new(StringArray::from_iter_values(names));
        }
    }
    let mut schema = schema.as_ref().clone();
    if let Some(unreadable) = schema.metadata.get(UNREADABLE) {
        let mut cells: std::collections::BTreeMap<String, Vec<i64>> =
            serde_json::from_str(unreadable).unwrap_or_default();
        cells.values_mut().flatten().for_each(|row| *row = moved(*row));
        let cells = serde_json::to_string(&cells).unwrap_or_default();
        schema.metadata.insert(UNREADABLE.to_owned(), cells);
    }
    RecordBatch::try_new(Arc::new(schema), columns).map_err(|e| internal(&e))
}

/// Adds names, by `_row`, to the cells of the first of these columns that the batch has and that can hold them.
pub(super) fn name_files(
    batch: RecordBatch,
    columns: &[String],
    names: &HashMap<i64, Vec<&str>>,
) -> Result<RecordBatch, ArrowError> {
    let rows = batch.column_by_name(ROW).and_then(|rows| rows.as_primitive_opt::<Int64Type>());
    let (Some(rows), false) = (rows, names.is_empty()) else { return Ok(batch) };
    let new = |at: usize| names.get(&rows.value(at)).map(Vec::as_slice).unwrap_or_default();
    let schema = batch.schema();
    let places = columns.iter().filter_map(|name| schema.index_of(name).ok());
    let mut changed = places.filter_map(|place| Some((place, with(batch.column(place), &new)?)));
    let Some((place, column)) = changed.next() else { return Ok(batch) };
    let mut all = batch.columns().to_vec();
    all[place] = column;
    RecordBatch::try_new(schema, all)
}

/// A column with more names; `None` if it holds neither texts nor lists of them.
fn with<'a>(column: &ArrayRef, new: &impl Fn(usize) -> &'a [&'a str]) -> Option<ArrayRef> {
    match column.data_type() {
        DataType::Utf8 => Some(text(column.as_string_opt::<i32>()?, new)),
        DataType::List(item) if *item.data_type() == DataType::Utf8 => list(column, item, new),
        _ => None,
    }
}

fn text<'a>(column: &StringArray, new: &impl Fn(usize) -> &'a [&'a str]) -> ArrayRef {
    let cell = |(at, before): (usize, Option<&str>)| {
        let kept = before.into_iter().filter(|text| !text.trim().is_empty());
        let all: Vec<&str> = kept.chain(new(at).iter().copied()).collect();
        if all.is_empty() { before.map(str::to_owned) } else { Some(all.join(BETWEEN)) }
    };
    Arc::new(column.iter().enumerate().map(cell).collect::<StringArray>())
}

fn list<'a>(column: &ArrayRef, item: &FieldRef, new: &impl Fn(usize) -> &'a [&'a str]) -> Option<ArrayRef> {
    let lists = column.as_list_opt::<i32>()?;
    let mut made = ListBuilder::new(StringBuilder::new()).with_field(Arc::clone(item));
    for at in 0..lists.len() {
        let more = new(at);
        if lists.is_null(at) && more.is_empty() {
            made.append_null();
            continue;
        }
        if lists.is_valid(at) {
            let items = lists.value(at);
            items.as_string_opt::<i32>()?.iter().for_each(|item| made.values().append_option(item));
        }
        more.iter().for_each(|name| made.values().append_value(name));
        made.append(true);
    }
    Some(Arc::new(made.finish()))
}

pub(super) fn internal(error: &dyn fmt::Display) -> ReadError {
    ReadError::new(format!("内部错误：{error}"), format!("internal error: {error}"))
}
