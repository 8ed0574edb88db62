//! From the columns of a batch to the parts of a record.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, Schema};
use huiliu_stage::json::{write_text, write_value};
use huiliu_stage::{EXTRA, MERGED_INTO, ROW, SHEET, is_json};

use super::RegisterOptions;
use crate::error::{Error, Result};

/// Which column is which. Made once for all batches of a delivery.
pub(super) struct Shape {
    id: Option<usize>,
    origins: Option<usize>,
    matched: Option<usize>,
    extra: Option<usize>,
    into: Option<usize>,
    sheet: Option<usize>,
    row: usize,
    /// Column, `"name":`, whether its texts are JSON already.
    data: Vec<(usize, String, bool)>,
}

impl Shape {
    /// Columns that begin with `_` are the engine's and no part of the data.
    pub(super) fn of(schema: &Schema, options: &RegisterOptions) -> Result<Self> {
        let at = |name: &str| schema.index_of(name).ok();
        let row = at(ROW).filter(|&at| schema.field(at).data_type() == &DataType::Int64);
        let row =
            row.ok_or_else(|| Error::failed("the records have no column `_row`, or not of type Int64"))?;
        let (id, origins, matched) = (at(&options.id), at(&options.origins), at(&options.matched));
        let mut data = Vec::with_capacity(schema.fields.len());
        for (at, field) in schema.fields.iter().enumerate() {
            let special = [id, origins, matched].contains(&Some(at)) || field.name().starts_with('_');
            if !special {
                let mut key = String::new();
                write_text(&mut key, field.name());
                key.push(':');
                data.push((at, key, is_json(field)));
            }
        }
        Ok(Self {
            id,
            origins,
            matched,
            extra: at(EXTRA),
            into: at(MERGED_INTO),
            sheet: at(SHEET),
            row,
            data,
        })
    }
}

/// One row as the register keeps it. Its buffers are used again for the next.
#[derive(Default)]
pub(super) struct RowText {
    pub(super) id: String,
    pub(super) data: String,
    pub(super) extra: Option<String>,
    pub(super) origins: Option<String>,
    pub(super) matched: Option<String>,
    /// The record that this one was merged into by a person's decision.
    pub(super) into: Option<String>,
    pub(super) sheet: String,
    pub(super) row: i64,
    /// How many rows of the same `_row` came just before: stages may multiply rows.
    repeat: u32,
}

impl RowText {
    pub(super) fn fill(&mut self, shape: &Shape, batch: &RecordBatch, i: usize, delivery: &str) {
        let row = batch.column(shape.row).as_primitive::<Int64Type>().value(i);
        self.repeat = if row == self.row { self.repeat + 1 } else { 0 };
        self.row = row;
        self.fill_id(shape, batch, i, delivery);
        self.sheet.clear();
        if let Some(sheet) = shape.sheet {
            push_text(&mut self.sheet, batch.column(sheet), i);
        }
        fill_optional(&mut self.extra, shape.extra, batch, i);
        fill_optional(&mut self.origins, shape.origins, batch, i);
        fill_optional(&mut self.matched, shape.matched, batch, i);
        fill_optional(&mut self.into, shape.into, batch, i);
        self.data.clear();
        self.data.push('{');
        for (at, key, json) in &shape.data {
            let column = batch.column(*at);
            // Without nulls, a field that is added to the schema later changes no record.
            if column.is_valid(i) {
                if self.data.len() > 1 {
                    self.data.push(',');
                }
                self.data.push_str(key);
                write_value(&mut self.data, column, i, *json);
            }
        }
        self.data.push('}');
    }

    /// The id that a stage gave, else one made of delivery and row.
    fn fill_id(&mut self, shape: &Shape, batch: &RecordBatch, i: usize, delivery: &str) {
        self.id.clear();
        if let Some(id) = shape.id {
            push_text(&mut self.id, batch.column(id), i);
        }
        if self.id.is_empty() {
            self.id = match self.repeat {
                0 => format!("{delivery}-{}", self.row),
                n => format!("{delivery}-{}.{n}", self.row),
            };
        }
    }
}

/// Appends a value without quotes; nothing for null.
fn push_text(out: &mut String, column: &dyn Array, i: usize) {
    match column.as_string_opt::<i32>() {
        _ if column.is_null(i) => {}
        Some(texts) => out.push_str(texts.value(i)),
        None => write_value(out, column, i, false),
    }
}

fn fill_optional(out: &mut Option<String>, at: Option<usize>, batch: &RecordBatch, i: usize) {
    let column = at.map(|at| batch.column(at)).filter(|column| column.is_valid(i));
    match column {
        None => *out = None,
        Some(column) => {
            let text = out.get_or_insert_default();
            text.clear();
            push_text(text, column, i);
        }
    }
}
