//! Rows that come back out of quarantine and go on at the stage before which they wait.
//!
//! They are JSON Lines of that stage's input: what the stages before it made of them is kept, and is not
//! done to them twice.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Lines};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use huiliu_formats::read::value_of;
use huiliu_pipeline::run::{ReadStop, Reader};
use huiliu_stage::{EXTRA, Finding, Findings, Origin, Outcome, ROW, SHEET, Severity, Text};
use serde_json::{Map, Value};

use super::carried::KEY;
use super::resend;

const BATCH_ROWS: usize = 1024;

/// Reads a file of retried rows.
pub(crate) struct RetryReader {
    lines: Lines<Box<dyn BufRead + Send>>,
    schema: SchemaRef,
    next_row: i64,
    /// The day on which `3月` is read as this year's.
    today: i32,
}

impl RetryReader {
    /// Opens the file; batches will have `schema`, marked with `origin`.
    pub(crate) fn open(path: &Path, schema: SchemaRef, origin: Origin, today: i32) -> io::Result<Self> {
        Ok(Self::over(Box::new(BufReader::new(File::open(path)?)), schema, &origin, today))
    }

    /// The same for lines that lie elsewhere, such as the rows that a schedule was answered.
    pub(crate) fn over(
        lines: Box<dyn BufRead + Send>,
        schema: SchemaRef,
        origin: &Origin,
        today: i32,
    ) -> Self {
        Self { lines: lines.lines(), schema: Arc::new(origin.mark(&schema)), next_row: 1, today }
    }

    fn batch(&mut self) -> anyhow::Result<Option<(RecordBatch, Findings)>> {
        let plain = self.schema.fields.iter().filter(|field| !field.name().starts_with('_')).cloned();
        let plain = Arc::new(Schema::new(plain.collect::<Vec<_>>()));
        let mut decoder = ReaderBuilder::new(plain)
            .with_batch_size(BATCH_ROWS)
            .with_coerce_primitive(true)
            .build_decoder()?;
        let (mut extras, mut findings) = (Vec::new(), Findings::none());
        for (row, line) in (self.next_row..).zip(self.lines.by_ref().take(BATCH_ROWS)) {
            let line = typed(&line?, &self.schema, self.today, row, &mut findings)?;
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
        Ok(Some((RecordBatch::try_new(self.schema.clone(), columns)?, findings)))
    }
}

/// A line whose texts in columns of other types are read as cells of a sheet would be: a repair is given as text. One
/// that cannot be read is taken out and becomes a finding.
fn typed(
    line: &str,
    schema: &SchemaRef,
    today: i32,
    row: i64,
    findings: &mut Findings,
) -> anyhow::Result<String> {
    let mut members = Vec::new();
    for (name, value) in resend::members(line).context("a line is no JSON object")? {
        let column =
            schema.field_with_name(&name).ok().filter(|column| *column.data_type() != DataType::Utf8);
        let value = match (column, serde_json::from_str(value)) {
            (Some(column), Ok(Value::String(text))) => {
                let (read, told) = match value_of(&text, column, today) {
                    Ok((read, told)) => (read, told.map(|told| (Severity::Info, told))),
                    Err(wrong) => (Value::Null, Some((Severity::Error, wrong))),
                };
                findings.0.extend(told.map(|(severity, message)| {
                    Finding::new(Some(row), severity, "retry-value", message)
                        .with_field(&*name)
                        .with_raw(&*text)
                }));
                read.to_string()
            }
            _ => value.to_owned(),
        };
        members.push(format!("{}:{value}", Value::String(name)));
    }
    Ok(format!("{{{}}}", members.join(",")))
}

impl Reader for RetryReader {
    fn next(&mut self) -> Option<Result<Outcome, ReadStop>> {
        match self.batch() {
            Ok(batch) => batch.map(|(batch, findings)| Ok(Outcome { batch, findings })),
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
        let mut reader = RetryReader::open(&path, record.to_arrow(), Origin::default(), 20_000).unwrap();
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

    #[test]
    fn a_repair_is_read_as_a_cell_would_be() {
        let field = |name: &str, kind| Field { name: name.into(), kind, ..Field::default() };
        let fields = vec![
            field("name", FieldType::Text),
            field("total", FieldType::Money),
            field("start", FieldType::Date),
            field("tags", FieldType::List),
        ];
        let record = RecordSchema { fields, ..RecordSchema::default() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let lines = [
            r#"{"name":"12","total":"1.2亿元","start":"2024年5月1日","tags":"许可证、合同"}"#,
            r#"{"name":"乙","total":"很多","start":"2024-05-01","tags":["a"]}"#,
        ];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let mut reader = RetryReader::open(&path, record.to_arrow(), Origin::default(), 20_000).unwrap();
        let Outcome { batch, findings } = reader.next().unwrap().unwrap();
        let row = |row| {
            let mut text = String::new();
            for column in 0..4 {
                huiliu_stage::json::write_value(&mut text, batch.column(column), row, false);
            }
            text
        };
        assert_eq!(row(0), r#""12"12000"2024-05-01"["许可证","合同"]"#);
        assert_eq!(row(1), r#""乙"null"2024-05-01"["a"]"#);
        let told: Vec<_> = findings.iter().map(|f| (f.row, f.severity, f.raw.as_deref())).collect();
        assert_eq!(told, [(Some(2), Severity::Error, Some("很多"))]);
    }
}
