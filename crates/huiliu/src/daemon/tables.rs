//! Reference tables that a pipeline declares.
//!
//! CSV files are read when first asked for and again when they change; all columns are text, named by the first line
//! as it stands. A file that was changed into one that cannot be used (gone, no table, a column less, a calendar with a
//! wrong day) does not stop deliveries: the last good one is used on, and the log says so once. A table by query is what
//! the registers hold when it is asked for, all columns text too: so a list that a department drops into a folder of its
//! own is at hand for other pipelines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema};
use huiliu_commitment::calendar::Days;
use huiliu_formats::read::{FormatOptions, ReadOptions, open_raw};
use huiliu_pipeline::config::Table;
use huiliu_pipeline::host::Tables;
use huiliu_stage::HostError;
use huiliu_store::{RegisterQuery, SqliteStore};

use super::functions::HOLIDAYS;

/// The tables of one pipeline.
pub(crate) struct PlanTables {
    paths: BTreeMap<String, PathBuf>,
    /// Tables by query; `None` while there is no store to ask.
    queries: BTreeMap<String, Option<RegisterQuery>>,
    store: Option<Arc<SqliteStore>>,
    loaded: Mutex<BTreeMap<String, Loaded>>,
}

/// A table as it was last good, and when the file was last changed that was looked at; nothing: it was gone.
struct Loaded {
    changed: Option<SystemTime>,
    good: RecordBatch,
}

impl PlanTables {
    /// Tables as a pipeline file declares them, for planning; paths are complete.
    pub(crate) fn new(tables: &BTreeMap<String, Table>) -> Self {
        let files = tables.iter().filter(|(_, table)| table.query.is_none());
        let paths = files.map(|(name, table)| (name.clone(), table.csv.clone())).collect();
        let queries = tables.iter().filter(|(_, table)| table.query.is_some());
        let queries = queries.map(|(name, _)| (name.clone(), None)).collect();
        Self { paths, queries, store: None, loaded: Mutex::default() }
    }

    /// The same for running, with a store and the queries planned.
    pub(crate) fn on(mut self, store: Arc<SqliteStore>, queries: BTreeMap<String, RegisterQuery>) -> Self {
        self.queries = queries.into_iter().map(|(name, query)| (name, Some(query))).collect();
        self.store = Some(store);
        self
    }

    /// What a query gives now.
    fn ask(&self, name: &str, query: Option<&RegisterQuery>) -> Result<RecordBatch, HostError> {
        let (Some(query), Some(store)) = (query, &self.store) else {
            return Err(HostError(format!("table `{name}` is asked for when the pipeline runs, not before")));
        };
        let wrong = |why: &dyn std::fmt::Display| HostError(format!("table `{name}`: {why}"));
        let columns = query.texts(store, "", "").map_err(|error| wrong(&error))?;
        let fields = query.columns().iter().map(|name| Field::new(name, DataType::Utf8, true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let arrays =
            columns.into_iter().map(|texts| Arc::new(StringArray::from(texts)) as ArrayRef).collect();
        RecordBatch::try_new(schema, arrays).map_err(|error| wrong(&error))
    }
}

impl Tables for PlanTables {
    fn table(&self, name: &str) -> Result<RecordBatch, HostError> {
        if let Some(query) = self.queries.get(name) {
            return self.ask(name, query.as_ref());
        }
        let path = self.paths.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.paths.keys().chain(self.queries.keys()).map(String::as_str).collect();
            HostError(format!(
                "there is no table `{name}`; declared under `tables:` are: {}",
                known.join(", ")
            ))
        })?;
        let changed = std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let before = loaded.get_mut(name);
        if let Some(before) = before.as_ref().filter(|before| before.changed == changed) {
            return Ok(before.good.clone());
        }
        let read = read(path).and_then(|table| sound(name, table)).and_then(|table| {
            match before.as_ref().and_then(|b| lost(&b.good, &table)) {
                Some(column) => Err(format!("the column `{column}`, which was there, is gone")),
                None => Ok(table),
            }
        });
        match (read, before) {
            (Ok(good), _) => {
                loaded.insert(name.to_owned(), Loaded { changed, good: good.clone() });
                Ok(good)
            }
            (Err(why), Some(before)) => {
                tracing::warn!(table = name, file = %path.display(), reason = %why,
                    "the changed table cannot be used; the one before is used on");
                before.changed = changed;
                Ok(before.good.clone())
            }
            (Err(why), None) => Err(HostError(format!("table `{name}` (`{}`): {why}", path.display()))),
        }
    }
}

/// The table, unless a calendar's days are wrong: they would stop each delivery that asks for one.
fn sound(name: &str, table: RecordBatch) -> Result<RecordBatch, String> {
    if name == HOLIDAYS {
        Days::default().add(&table)?;
    }
    Ok(table)
}

/// A column that a table had and has no more.
fn lost(before: &RecordBatch, now: &RecordBatch) -> Option<String> {
    let (before, now) = (before.schema(), now.schema());
    before.fields.iter().find(|field| now.index_of(field.name()).is_err()).map(|field| field.name().clone())
}

/// A file as a table.
fn read(path: &Path) -> Result<RecordBatch, String> {
    let wrong = |why: &dyn std::fmt::Display| why.to_string();
    std::fs::metadata(path).map_err(|error| wrong(&error))?;
    // Reference tables are made by hand for programs: the first row names the columns.
    let format = FormatOptions { header_row: Some(1), ..FormatOptions::default() };
    let reading =
        open_raw(path, &ReadOptions { format, ..ReadOptions::default() }).map_err(|error| wrong(&error))?;
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
    concat_batches(&schema, &batches).map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_table_that_was_broken_while_running_is_used_as_it_was_until_it_is_whole_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("places.csv");
        let mut times = 0;
        let mut write = |text: &str| {
            times += 10;
            std::fs::write(&path, text).unwrap();
            let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000 + times);
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
        };
        let rows = of(&path, "places");
        assert!(rows().is_err(), "what was never good cannot be used on");
        write("code,name\n1,a\n");
        assert_eq!(rows().unwrap(), 1);
        write("code,name\n1,a\n2,b\n");
        assert_eq!(rows().unwrap(), 2, "a changed file is read anew");
        write("name,note\nx,y\n");
        assert_eq!(rows().unwrap(), 2, "a column is gone");
        write("");
        assert_eq!(rows().unwrap(), 2, "nothing is in it");
        write("code,name\n1,a\n2,b\n3,c\n");
        assert_eq!(rows().unwrap(), 3);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(rows().unwrap(), 3, "it is gone");
    }

    /// How many rows the table of this name and file has now.
    fn of(path: &Path, name: &'static str) -> impl Fn() -> Result<usize, HostError> + use<> {
        let table = Table { csv: path.to_owned(), query: None, optional: false, span: None };
        let tables = PlanTables::new(&BTreeMap::from([(name.to_owned(), table)]));
        move || tables.table(name).map(|table| table.num_rows())
    }

    #[test]
    fn a_calendar_with_a_wrong_day_is_no_calendar() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("days.csv");
        for (text, right) in [
            ("date,kind\n2026-10-01,holiday\n", true),
            ("date,kind\n2026-99-99,holiday\n", false),
            ("date,kind\n2026-10-01,holyday\n", false),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(of(&path, HOLIDAYS)().is_ok(), right, "{text}");
            assert!(of(&path, "other")().is_ok(), "{text}");
        }
    }
}
