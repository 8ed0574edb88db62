//! Reference tables: CSV files that a pipeline declares, read when first asked for and again when they change.
//!
//! All columns are text, named by the first line as it stands.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use huiliu_formats::read::{FormatOptions, ReadOptions, open_raw};
use huiliu_pipeline::config::Table;
use huiliu_pipeline::host::Tables;
use huiliu_stage::HostError;

/// The tables of one pipeline.
pub(crate) struct CsvTables {
    paths: BTreeMap<String, PathBuf>,
    loaded: Mutex<BTreeMap<String, (SystemTime, RecordBatch)>>,
}

impl CsvTables {
    /// Tables as a pipeline file declares them; paths are complete.
    pub(crate) fn new(tables: &BTreeMap<String, Table>) -> Self {
        let paths = tables.iter().map(|(name, table)| (name.clone(), table.csv.clone())).collect();
        Self { paths, loaded: Mutex::default() }
    }
}

impl Tables for CsvTables {
    fn table(&self, name: &str) -> Result<RecordBatch, HostError> {
        let path = self.paths.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.paths.keys().map(String::as_str).collect();
            HostError(format!(
                "there is no table `{name}`; declared under `tables:` are: {}",
                known.join(", ")
            ))
        })?;
        let wrong =
            |why: &dyn std::fmt::Display| HostError(format!("table `{name}` (`{}`): {why}", path.display()));
        let changed =
            std::fs::metadata(path).and_then(|meta| meta.modified()).map_err(|error| wrong(&error))?;
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, batch)) = loaded.get(name)
            && *at == changed
        {
            return Ok(batch.clone());
        }
        // Reference tables are made by hand for programs: the first row names the columns.
        let format = FormatOptions { header_row: Some(1), ..FormatOptions::default() };
        let reading = open_raw(path, &ReadOptions { format, ..ReadOptions::default() })
            .map_err(|error| wrong(&error))?;
        let all = reading.schema();
        let plain: Vec<usize> =
            (0..all.fields.len()).filter(|&at| !all.field(at).name().starts_with('_')).collect();
        // Without the metadata of single batches, so that they can be put together.
        let schema = Arc::new(Schema::new(plain.iter().map(|&at| all.field(at).clone()).collect::<Vec<_>>()));
        let mut batches = Vec::new();
        for outcome in reading {
            let batch = outcome.map_err(|error| wrong(&error))?.batch;
            let columns = plain.iter().map(|&at| batch.column(at).clone()).collect();
            batches.push(RecordBatch::try_new(schema.clone(), columns).map_err(|error| wrong(&error))?);
        }
        let batch = concat_batches(&schema, &batches).map_err(|error| wrong(&error))?;
        loaded.insert(name.to_owned(), (changed, batch.clone()));
        Ok(batch)
    }
}
