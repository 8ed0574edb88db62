//! Masks telephone numbers, so that a report can be shown to everybody: 13812345678 becomes 138****5678.
//!
//! `- mask_phone: {columns: [phone]}`

use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use huiliu_stage::{Host, OpenStage, Outcome, Stage, StageError, column_index, text_column};
use serde::Deserialize;

/// What stands in YAML.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Text columns to mask.
    columns: Vec<String>,
}

/// The stage.
#[derive(Debug)]
pub struct MaskPhone {
    columns: Vec<String>,
}

impl OpenStage for MaskPhone {
    const NAME: &'static str = "mask_phone";
    const SUMMARY: &'static str = "masks the middle of telephone numbers";
    const OPTION_SCHEMA: &'static str = r#"{"type": "object", "additionalProperties": false, "required": ["columns"],
        "properties": {"columns": {"type": "array", "items": {"type": "string"}}}}"#;
    type Options = Options;

    fn open(options: Options, input: SchemaRef, _: Arc<dyn Host>) -> Result<(Self, SchemaRef), StageError> {
        let empty = RecordBatch::new_empty(Arc::clone(&input));
        for (i, column) in options.columns.iter().enumerate() {
            text_column(&empty, column)
                .map_err(|error| StageError::at(format!("columns[{i}]"), error.to_string()))?;
        }
        Ok((Self { columns: options.columns }, input))
    }
}

impl Stage for MaskPhone {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let mut columns = batch.columns().to_vec();
        for name in &self.columns {
            let masked: StringArray = text_column(&batch, name)?.iter().map(|cell| cell.map(mask)).collect();
            columns[column_index(batch.schema_ref(), name)?] = Arc::new(masked);
        }
        Ok(RecordBatch::try_new(batch.schema(), columns)?.into())
    }
}

/// Keeps three characters in front and four at the end; of a shorter text, nothing.
fn mask(phone: &str) -> String {
    let length = phone.chars().count();
    let hidden = if length > 7 { 3..length - 4 } else { 0..length };
    phone.chars().enumerate().map(|(i, c)| if hidden.contains(&i) { '*' } else { c }).collect()
}

huiliu_abi::export_plugin!([MaskPhone]);
