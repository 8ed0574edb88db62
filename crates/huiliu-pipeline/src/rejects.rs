//! The one place where rows are routed to quarantine.
//!
//! A refused row is written with its values as the stage saw them (a cell that could not be read: as it
//! was sent), the codes of its errors and all that was found about it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
};
use arrow::datatypes::SchemaRef;
use hashbrown::HashMap;
use huiliu_stage::json::{write_text, write_value};
use huiliu_stage::{EXTRA, Finding, SHEET, Severity, StageError};

use crate::account::row_ids;
use crate::ports::rejects_schema;

/// Makes batches of [`rejects_schema`].
pub(crate) struct Rejects {
    schema: SchemaRef,
}

impl Rejects {
    /// Ready to make batches.
    pub(crate) fn new() -> Self {
        Self { schema: rejects_schema() }
    }

    /// `refused` are the rows as `stage` was given them; `findings` all findings of the batch so far, the
    /// first `of_reader` of them the reader's, whose raw texts are the cells as they were sent.
    pub(crate) fn batch(
        &self,
        stage: &str,
        refused: &RecordBatch,
        findings: &[Finding],
        of_reader: usize,
    ) -> Result<RecordBatch, StageError> {
        let rows = row_ids(refused)?;
        let mut of_row: HashMap<i64, Vec<&Finding>> = HashMap::with_capacity(rows.len());
        for &row in rows.values() {
            of_row.entry(row).or_default();
        }
        for finding in findings {
            if let Some(list) = finding.row.and_then(|row| of_row.get_mut(&row)) {
                list.push(finding);
            }
        }
        let of_the_reader = findings.get(..of_reader).unwrap_or_default().as_ptr_range();
        let mut reasons = ListBuilder::new(StringBuilder::new());
        let (mut values, mut said) = (StringBuilder::new(), StringBuilder::new());
        let writer = Values::new(refused);
        let mut text = String::new();
        for (at, row) in rows.values().iter().enumerate() {
            let about = &of_row[row];
            let codes: BTreeSet<&str> =
                about.iter().filter(|f| f.severity == Severity::Error).map(|f| &*f.code).collect();
            for code in codes {
                reasons.values().append_value(code);
            }
            reasons.append(true);
            text.clear();
            let sent = about
                .iter()
                .copied()
                .filter(|f| of_the_reader.contains(&std::ptr::from_ref(*f)))
                .collect::<Vec<_>>();
            writer.write(&mut text, at, &sent);
            values.append_value(&text);
            said.append_value(
                serde_json::to_string(about).map_err(|error| StageError::new(error.to_string()))?,
            );
        }
        let columns: Vec<ArrayRef> = vec![
            huiliu_stage::column(refused, SHEET)?.clone(),
            Arc::new(Int64Array::from(rows.values().to_vec())),
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(stage, rows.len()))),
            Arc::new(values.finish()),
            Arc::new(reasons.finish()),
            Arc::new(said.finish()),
        ];
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

/// Writes rows as JSON objects, `{"field":value}`, without the engine's columns and without nulls.
struct Values<'a> {
    batch: &'a RecordBatch,
    columns: Vec<(usize, String)>,
    extra: Option<usize>,
}

impl<'a> Values<'a> {
    fn new(batch: &'a RecordBatch) -> Self {
        let columns =
            batch.schema_ref().fields.iter().enumerate().filter(|(_, f)| !f.name().starts_with('_'));
        let columns = columns.map(|(i, f)| {
            let mut key = String::new();
            write_text(&mut key, f.name());
            (i, key)
        });
        Self { batch, columns: columns.collect(), extra: batch.schema_ref().index_of(EXTRA).ok() }
    }

    fn write(&self, out: &mut String, row: usize, findings: &[&Finding]) {
        out.push('{');
        let mut first = true;
        for (column, key) in &self.columns {
            let array = self.batch.column(*column);
            let raw = || {
                let name = self.batch.schema_ref().field(*column).name();
                findings.iter().find(|f| f.field.as_ref() == Some(name)).and_then(|f| f.raw.as_deref())
            };
            // A null cell that a finding shows as sent was not empty but unreadable.
            let raw = if array.is_null(row) { raw() } else { None };
            if array.is_null(row) && raw.is_none() {
                continue;
            }
            let _ = write!(out, "{}{key}:", if first { "" } else { "," });
            first = false;
            match raw {
                Some(raw) => write_text(out, raw),
                // JSON columns as text, so that a retry finds a text again.
                None => write_value(out, array, row, false),
            }
        }
        self.write_extra(out, row, first);
        out.push('}');
    }

    /// Unknown columns go in as they came, so that a retry under a better schema finds them.
    fn write_extra(&self, out: &mut String, row: usize, first: bool) {
        let extra = self.extra.and_then(|column| self.batch.column(column).as_string_opt::<i32>());
        let Some(extra) = extra.filter(|e| e.is_valid(row)) else { return };
        let inner = extra.value(row).trim().trim_start_matches('{').trim_end_matches('}').trim();
        if !inner.is_empty() {
            let _ = write!(out, "{}{inner}", if first { "" } else { "," });
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;
    use huiliu_stage::{Field, RecordSchema};

    use super::*;

    #[test]
    fn a_refused_row_keeps_what_was_sent() {
        let schema = RecordSchema {
            fields: ["name", "total"].map(|n| Field { name: n.into(), ..Field::default() }).to_vec(),
            ..RecordSchema::default()
        };
        let batch = RecordBatch::try_new(
            schema.to_arrow(),
            vec![
                Arc::new(StringArray::from(vec!["甲\"乙"])),
                Arc::new(StringArray::from(vec![None::<&str>])),
                Arc::new(StringArray::from(vec!["表1"])),
                Arc::new(Int64Array::from(vec![7])),
                Arc::new(StringArray::from(vec![r#"{"备注2":"x"}"#])),
            ],
        )
        .unwrap();
        let finding = Finding::new(Some(7), Severity::Error, "V07", "不是金额".into())
            .with_field("total")
            .with_raw("约十亿");
        let rejects = Rejects::new().batch("read", &batch, &[finding], 1).unwrap();
        let text = |name| huiliu_stage::text_column(&rejects, name).unwrap().value(0).to_owned();
        assert_eq!(text("values"), r#"{"name":"甲\"乙","total":"约十亿","备注2":"x"}"#);
        assert_eq!(text("stage"), "read");
        let reasons = rejects.column(4).as_list::<i32>().value(0);
        assert_eq!(reasons.as_string::<i32>().value(0), "V07");
    }
}
