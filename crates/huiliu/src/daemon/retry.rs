//! Rows that come back out of quarantine and go on at the stage that refused them.
//!
//! They are JSON Lines of that stage's input: what the stages before it made of them is kept, and is not
//! done to them twice.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Lines};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use huiliu_pipeline::run::{ReadStop, Reader};
use huiliu_stage::{EXTRA, Finding, Findings, Origin, Outcome, ROW, SHEET, Severity, Text};
use serde_json::{Map, Value};

use super::carried::KEY;

const BATCH_ROWS: usize = 1024;

/// Reads a file of retried rows.
pub(crate) struct RetryReader {
    lines: Lines<BufReader<File>>,
    schema: SchemaRef,
    next_row: i64,
}

impl RetryReader {
    /// Opens the file; batches will have `schema`, marked with `origin`.
    pub(crate) fn open(path: &Path, schema: SchemaRef, origin: Origin) -> io::Result<Self> {
        let lines = BufReader::new(File::open(path)?).lines();
        let schema = Arc::new(origin.mark(&schema));
        Ok(Self { lines, schema, next_row: 1 })
    }

    fn batch(&mut self) -> anyhow::Result<Option<RecordBatch>> {
        let plain = self.schema.fields.iter().filter(|field| !field.name().starts_with('_')).cloned();
        let plain = Arc::new(Schema::new(plain.collect::<Vec<_>>()));
        let mut decoder = ReaderBuilder::new(plain)
            .with_batch_size(BATCH_ROWS)
            .with_coerce_primitive(true)
            .build_decoder()?;
        let mut extras = Vec::new();
        for line in self.lines.by_ref().take(BATCH_ROWS) {
            let line = line?;
            let mut row: Map<String, Value> = serde_json::from_str(&line)?;
            row.retain(|key, _| self.schema.field_with_name(key).is_err() && key != KEY);
            extras.push((!row.is_empty()).then(|| Value::Object(row).to_string()));
            // From the text itself, so that an amount of 18 digits keeps them all.
            decoder.decode(line.as_bytes())?;
        }
        let Some(decoded) = decoder.flush()? else { return Ok(None) };
        let count = decoded.num_rows();
        let numbers: Int64Array = (self.next_row..).take(count).map(Some).collect();
        self.next_row += count as i64;
        let columns = self.schema.fields.iter().map(|field| -> anyhow::Result<ArrayRef> {
            Ok(match field.name().as_str() {
                SHEET => Arc::new(StringArray::from(vec![""; count])),
                ROW => Arc::new(numbers.clone()),
                EXTRA => Arc::new(StringArray::from(extras.clone())),
                name => match decoded.column_by_name(name) {
                    Some(column) => column.clone(),
                    None => arrow::array::new_null_array(field.data_type(), count),
                },
            })
        });
        let columns = columns.collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Some(RecordBatch::try_new(self.schema.clone(), columns)?))
    }
}

impl Reader for RetryReader {
    fn next(&mut self) -> Option<Result<Outcome, ReadStop>> {
        match self.batch() {
            Ok(batch) => batch.map(|batch| Ok(Outcome { batch, findings: Findings::none() })),
            Err(error) => {
                let text = Text::new(
                    format!("重新提交的数据无法读取：{error}"),
                    format!("the retried rows cannot be read: {error}"),
                );
                Some(Err(ReadStop::Refuse(Box::new(Finding::new(None, Severity::Error, "V26", text)))))
            }
        }
    }

    fn sheets(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn report(&self) -> Value {
        serde_json::json!({ "format": "jsonl", "sheets": [] })
    }
}

#[cfg(test)]
mod tests {
    use huiliu_stage::{Field, FieldType, RecordSchema};

    use super::*;

    #[test]
    fn a_row_comes_back_with_its_types_and_its_extra_columns() {
        let field = |name: &str, kind| Field { name: name.into(), kind, ..Field::default() };
        let record = RecordSchema {
            fields: vec![
                field("name", FieldType::Text),
                field("total", FieldType::Money),
                field("start", FieldType::Date),
                field("tags", FieldType::List),
            ],
            ..RecordSchema::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let line = r#"{"name":"甲","total":123456789012.3456,"start":"2024-05-01","tags":["a"],"备注":"x"}"#;
        std::fs::write(&path, format!("{line}\n{{}}\n")).unwrap();
        let mut reader = RetryReader::open(&path, record.to_arrow(), Origin::default()).unwrap();
        let batch = reader.next().unwrap().unwrap().batch;
        assert_eq!(batch.num_rows(), 2);
        let mut text = String::new();
        for column in 0..4 {
            huiliu_stage::json::write_value(&mut text, batch.column(column), 0, false);
        }
        assert_eq!(text, r#""甲"123456789012.3456"2024-05-01"["a"]"#);
        assert_eq!(huiliu_stage::text_column(&batch, EXTRA).unwrap().value(0), r#"{"备注":"x"}"#);
        assert!(reader.next().is_none());
    }
}
