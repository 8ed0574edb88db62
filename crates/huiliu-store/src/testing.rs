//! Deliveries, batches and commits for the tests of this crate.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder};
use huiliu_pipeline::ports::{
    Commit, Counts, Delivery, LogWriter, Store, StoreError, Stream, rejects_schema,
};
use huiliu_stage::{ROW, SHEET};

use crate::SqliteStore;

pub(crate) const PIPELINE: &str = "projects";

pub(crate) fn store() -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_exclusive(folder.path()).unwrap();
    (folder, store)
}

pub(crate) fn delivery(id: &str) -> Delivery {
    Delivery {
        id: id.into(),
        pipeline: PIPELINE.into(),
        sender: "发改局".into(),
        file: format!("{id}.xlsx"),
        origin: format!("inbox/发改局/{id}.xlsx"),
        content_hash: format!("hash of {id}"),
        bytes: 100,
        received_ms: 1_700_000_000_000,
    }
}

/// Columns of text from cells; an empty cell is null. `_sheet` and `_row` (from `first` on) are added.
pub(crate) fn batch(columns: &[(&str, &[&str])], first: i64) -> RecordBatch {
    let rows = columns[0].1.len();
    let text = |cells: &[&str]| -> ArrayRef {
        Arc::new(cells.iter().map(|cell| (!cell.is_empty()).then_some(*cell)).collect::<StringArray>())
    };
    let mut all: Vec<(&str, ArrayRef)> = columns.iter().map(|(name, cells)| (*name, text(cells))).collect();
    all.push((SHEET, Arc::new(StringArray::from(vec!["一"; rows]))));
    all.push((ROW, Arc::new(Int64Array::from_iter_values(first..first + rows as i64))));
    RecordBatch::try_from_iter(all).unwrap()
}

/// A row that is too large for the database, so that its log is a file.
pub(crate) fn large() -> RecordBatch {
    batch(&[("name", &[&"甲".repeat(100_000)])], 1)
}

/// Refused rows, one for each row number.
pub(crate) fn rejects(rows: &[i64]) -> RecordBatch {
    let texts = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows.len()])) };
    let mut reasons = ListBuilder::new(StringBuilder::new());
    for _ in rows {
        reasons.append_value([Some("required"), Some("V04")]);
    }
    let findings = r#"[{"row":7,"field":"name","severity":"error","code":"V04","message":"错"}]"#;
    let columns: Vec<ArrayRef> = vec![
        texts("一"),
        Arc::new(Int64Array::from(rows.to_vec())),
        texts("validate"),
        texts(r#"{"name":"甲","total":12345678901234.5678}"#),
        Arc::new(reasons.finish()),
        texts(findings),
    ];
    RecordBatch::try_new(rejects_schema(), columns).unwrap()
}

/// A sealed log with these batches.
pub(crate) fn sealed(
    store: &SqliteStore,
    delivery: &Delivery,
    batches: &[(Stream, RecordBatch)],
) -> Box<dyn LogWriter> {
    let mut log = store.log(delivery).unwrap();
    for (stream, batch) in batches {
        log.append(*stream, batch).unwrap();
    }
    log.seal().unwrap();
    log
}

/// What a delivery with this log would commit, counted so that it balances.
pub(crate) fn outcome<'a>(delivery: &'a Delivery, log: Box<dyn LogWriter>) -> Commit<'a> {
    let ((accepted, _), (quarantined, _)) = (log.size(Stream::Records), log.size(Stream::Rejects));
    let counts = Counts {
        rows_in: accepted + quarantined,
        accepted,
        quarantined,
        rows_out: accepted,
        ..Counts::default()
    };
    Commit {
        delivery,
        counts,
        codes: [("V04".to_owned(), quarantined)].into(),
        findings: Vec::new(),
        sheets: vec!["一".into(), "二".into()],
        report: serde_json::json!({"format": "xlsx"}),
        state: Vec::new(),
        evidence: Vec::new(),
        replaced: Vec::new(),
        rules: "3f9a01c2b4d5".into(),
        log,
    }
}

/// Sees and commits a delivery with these batches.
pub(crate) fn commit(
    store: &SqliteStore,
    id: &str,
    batches: &[(Stream, RecordBatch)],
) -> Result<u64, StoreError> {
    let delivery = delivery(id);
    store.see(&delivery)?;
    store.commit(outcome(&delivery, sealed(store, &delivery, batches)))
}

/// Names of the files in the log folder, sorted.
pub(crate) fn log_files(folder: &tempfile::TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path().join("log")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
