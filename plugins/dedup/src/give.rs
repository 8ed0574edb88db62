//! What comes out: changed records as batches, each with where its values came from.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringArray, StringBuilder, UInt32Array, new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field as ArrowField, Schema};
use huiliu_stage::{MERGED_INTO, REPLACES, StageError, json_field};

use crate::build;
use crate::entity::Record;
use crate::merge::Merge;
use crate::settle::Touched;

impl Merge {
    /// The batch of changed records.
    pub(crate) fn give(&self, batch: &RecordBatch, out: &[Touched]) -> Result<RecordBatch, StageError> {
        let records =
            out.iter().map(|touched| self.records.held(touched.id)).collect::<Result<Vec<_>, _>>()?;
        let mut columns = if out.len() == batch.num_rows() && out.iter().all(|touched| touched.new) {
            batch.columns().to_vec()
        } else {
            self.columns(batch, out, &records)?
        };
        let origins = self.all_origins(&records)?;
        let matched = out.iter().map(|touched| if touched.new { "new" } else { self.word(touched.by) });
        columns
            .push(Arc::new(StringArray::from_iter_values(out.iter().map(|touched| touched.id.to_string()))));
        columns.push(Arc::new(Int64Array::from_iter_values(records.iter().map(|record| record.revision))));
        columns.push(Arc::new(origins));
        columns.push(Arc::new(StringArray::from_iter_values(matched)));
        columns.push(new_null_array(&DataType::Utf8, out.len()));
        // The facts of the delivery ride on.
        let metadata = batch.schema_ref().metadata.clone();
        let schema = Schema::new_with_metadata(self.output.fields.clone(), metadata);
        Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
    }

    /// The input's columns with the records' values in them.
    fn columns(
        &self,
        batch: &RecordBatch,
        out: &[Touched],
        records: &[&Record],
    ) -> Result<Vec<ArrayRef>, StageError> {
        let last = UInt32Array::from_iter_values(out.iter().map(|touched| touched.last as u32));
        let mut columns = Vec::with_capacity(self.output.fields.len());
        for at in 0..self.input.fields.len() {
            columns.push(match self.fields.iter().position(|field| field.column == at) {
                None => take(batch.column(at), &last, None)?,
                Some(i) => {
                    let values = records.iter().map(|r| r.values[i].as_ref().map(|held| &held.value));
                    build::column(&self.fields[i].kind, values)?
                }
            });
        }
        Ok(columns)
    }

    pub(crate) fn all_origins(&self, records: &[&Record]) -> Result<StringArray, StageError> {
        let mut origins = StringBuilder::with_capacity(records.len(), 0);
        let (mut text, mut total) = (String::new(), 0);
        for record in records {
            text.clear();
            self.write_origins(record, &mut text);
            total += text.len();
            if total > i32::MAX as usize {
                return Err(StageError::new("the origins of one batch exceed 2 GB; read smaller batches"));
            }
            origins.append_value(&text);
        }
        Ok(origins.finish())
    }

    /// Where each value of a record came from, as JSON in the order of the fields.
    fn write_origins(&self, record: &Record, out: &mut String) {
        out.push('{');
        for (field, held) in self.fields.iter().zip(&record.values) {
            let Some(held) = held.as_ref().filter(|_| !field.name.starts_with('_')) else { continue };
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&field.json_name);
            let place = &record.places[held.place as usize];
            place.source.write(out, held.column, place.row);
        }
        out.push('}');
    }
}

/// Tells the engine which rows of earlier batches the rows of this one stand for.
pub(crate) fn mark(batch: RecordBatch, pairs: &[(i64, i64)]) -> Result<RecordBatch, StageError> {
    if pairs.is_empty() {
        return Ok(batch);
    }
    let mut schema = batch.schema().as_ref().clone();
    let pairs = serde_json::to_string(pairs).map_err(|error| StageError::new(error.to_string()))?;
    schema.metadata.insert(REPLACES.to_owned(), pairs);
    Ok(batch.with_schema(Arc::new(schema))?)
}

pub(crate) fn output(input: &Schema) -> Schema {
    let mut fields: Vec<Arc<ArrowField>> = input.fields.iter().cloned().collect();
    fields.push(Arc::new(ArrowField::new("record_id", DataType::Utf8, false)));
    fields.push(Arc::new(ArrowField::new("revision", DataType::Int64, false)));
    fields.push(Arc::new(json_field("origins", false)));
    fields.push(Arc::new(ArrowField::new("matched_by", DataType::Utf8, false)));
    fields.push(Arc::new(ArrowField::new(MERGED_INTO, DataType::Utf8, true)));
    Schema::new_with_metadata(fields, input.metadata.clone())
}
