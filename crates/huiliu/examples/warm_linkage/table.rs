//! The data set: its records, and batches of them as a reader gives them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::{DataType, SchemaRef};
use huiliu_stage::{Field, Origin, RecordSchema};

/// Records as text.
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    source: Option<usize>,
}

impl Table {
    pub(crate) fn read(dataset: &Path) -> Result<Self> {
        let path = dataset.join("records.csv");
        let read = || -> csv::Result<(Vec<String>, Vec<Vec<String>>)> {
            let mut reader = csv::Reader::from_path(&path)?;
            let header = reader.headers()?.iter().map(str::to_owned).collect();
            Ok((header, reader.records().map(|row| row?.deserialize(None)).collect::<csv::Result<_>>()?))
        };
        let (header, rows) = read().with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(header.iter().any(|name| name == "id"), "{} has no column `id`", path.display());
        let source = header.iter().position(|name| name == "source");
        Ok(Self { header, rows, source })
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Deliveries of the records in a range: of so many that come together, those of one source are one.
    pub(crate) fn deliveries(&self, range: Range<usize>, batch: usize) -> impl Iterator<Item = Vec<usize>> {
        let end = range.end;
        range.step_by(batch.max(1)).flat_map(move |from| {
            let mut of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            (from..end.min(from + batch)).for_each(|row| of.entry(self.sender(row)).or_default().push(row));
            of.into_values()
        })
    }

    /// Who sent a record.
    pub(crate) fn sender(&self, row: usize) -> &str {
        self.source.map_or("all", |at| &self.rows[row][at])
    }

    /// The columns that go in: all but who sent it.
    fn columns(&self) -> impl Iterator<Item = (usize, &String)> {
        self.header.iter().enumerate().filter(|(at, _)| Some(*at) != self.source)
    }

    /// The record schema: everything is text.
    pub(crate) fn schema(&self) -> SchemaRef {
        let fields = self.columns().map(|(_, name)| Field { name: name.clone(), ..Field::default() });
        RecordSchema { record: "thing".into(), label: String::new(), fields: fields.collect() }.to_arrow()
    }

    /// Some records as a batch.
    pub(crate) fn batch(&self, rows: &[usize], origin: &Origin) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (at, _) in self.columns() {
            let cell = |row: &usize| Some(self.rows[*row][at].trim()).filter(|cell| !cell.is_empty());
            columns.push(Arc::new(rows.iter().map(cell).collect::<StringArray>()));
        }
        columns.push(Arc::new(StringArray::from(vec![""; rows.len()])));
        columns.push(Arc::new(Int64Array::from_iter_values(1..=rows.len() as i64)));
        columns.push(new_null_array(&DataType::Utf8, rows.len()));
        Ok(RecordBatch::try_new(Arc::new(origin.mark(&self.schema())), columns)?)
    }
}
