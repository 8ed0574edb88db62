//! The walls of the engine: what it needs of the world, as traits.
//!
//! The engine opens nothing itself. A [`Store`] keeps what must survive, a [`Sink`] takes what a
//! delivery produced. The daemon brings both; tests bring them in memory.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use huiliu_stage::{Finding, ROW, SHEET, json_field};
use serde::{Deserialize, Serialize};

/// One inbound thing: a file, a request body, one tick of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Made of pipeline, sender and content: the same file again has the same id. 16 hex digits.
    pub id: String,
    /// Name of the pipeline it goes through.
    pub pipeline: String,
    /// Who sent it, such as the department's folder; may be empty.
    pub sender: String,
    /// File name without folders.
    pub file: String,
    /// Where it was found; a path for files.
    pub origin: String,
    /// BLAKE3 of the content, hex.
    pub content_hash: String,
    /// Length of the content in bytes.
    pub bytes: u64,
    /// When it was noticed, milliseconds since 1970 UTC.
    pub received_ms: i64,
}

/// How far a delivery has come. It only moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Noticed and named; nothing of it is kept yet. Found after a crash, it is run from its start.
    Seen,
    /// Its outcome is durable. Only a refused or committed delivery is answered.
    Committed,
    /// It could not be taken as a whole (unreadable file, failing stage); its findings say why.
    Refused,
}

/// What became of a delivery's rows. `rows_in = accepted + quarantined + merged + dropped` for a
/// committed delivery; for a refused one all rows are refused with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Data rows read.
    pub rows_in: u64,
    /// Input rows that came out of the last stage under their own `_row`.
    pub accepted: u64,
    /// Rows sent to quarantine.
    pub quarantined: u64,
    /// Rows whose values went into another row or an existing record.
    pub merged: u64,
    /// Rows that a stage left out on purpose.
    pub dropped: u64,
    /// Rows of a delivery that was refused as a whole.
    pub refused: u64,
    /// Rows written for the sinks (may differ from `accepted` when a stage makes rows).
    pub rows_out: u64,
    /// Findings of severity error.
    pub errors: u64,
    /// Findings of severity warning.
    pub warnings: u64,
    /// Findings of severity info.
    pub infos: u64,
}

impl Counts {
    /// Whether every row that came in is accounted for.
    pub fn balance(&self) -> bool {
        self.rows_in == self.accepted + self.quarantined + self.merged + self.dropped + self.refused
    }
}

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// How far it has come.
    pub state: State,
    /// Position in the commit log; 0 until committed. Grows over the whole store.
    pub seq: u64,
    /// What became of its rows.
    #[serde(flatten)]
    pub counts: Counts,
    /// How often each finding code was reported.
    pub codes: BTreeMap<String, u64>,
    /// What the reader found (encoding, delimiter, header rows, columns …), as JSON.
    pub report: serde_json::Value,
    /// Whether the receipt was written and the file put away.
    pub answered: bool,
    /// Where the file was put away; empty until then.
    pub archived: String,
    /// How often it was tried before it was committed or refused.
    pub attempts: u32,
    /// The delivery that this one corrects: the last of the same sender and file name, if there was one.
    pub supersedes: Option<String>,
    /// Version of the rules that it was run by, the same for the same rules; empty until committed, and for what was
    /// committed before versions were noted.
    #[serde(default)]
    pub rules: String,
}

/// A file that came with a delivery to prove what it says (佐证材料), and a row that it belongs to. What is in it is kept
/// by its hash before the delivery is committed, by whoever reads deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its name in the delivery, with folders.
    pub name: String,
    /// BLAKE3 of its content, hex.
    pub hash: String,
    /// Length of its content in bytes.
    pub bytes: u64,
    /// The `_row`; `None` for a file that belongs to the delivery alone. One with several rows is there several times.
    pub row: Option<i64>,
    /// The field whose cell names it, if one does.
    pub field: Option<String>,
    /// The record that the row was merged into, if it did not come out itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

/// A change of stage state: `None` deletes.
pub type StateChange = (Vec<u8>, Option<Vec<u8>>);

/// Everything one delivery produced, for the one transaction that makes it so.
pub struct Commit<'a> {
    /// The delivery.
    pub delivery: &'a Delivery,
    /// What became of its rows.
    pub counts: Counts,
    /// How often each finding code was reported.
    pub codes: BTreeMap<String, u64>,
    /// The first findings, as many as the pipeline shows; all are counted in `codes`.
    pub findings: Vec<Finding>,
    /// Sheet names by ordinal, so that a finding's `_row` can be told as sheet and row.
    pub sheets: Vec<String>,
    /// What the reader found.
    pub report: serde_json::Value,
    /// State written by each stage, by its slot (see [`Store::state_get`]).
    pub state: Vec<(String, Vec<StateChange>)>,
    /// Files that came with it.
    pub evidence: Vec<Evidence>,
    /// Rows (`_row`) in the log that went into later rows of it, and are not for the sinks.
    pub replaced: Vec<i64>,
    /// Version of the rules that its stages ran by; empty where nobody tells one.
    pub rules: String,
    /// The sealed log of this delivery.
    pub log: Box<dyn LogWriter>,
}

/// The two streams of a delivery's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Rows that passed every stage.
    Records,
    /// Rows that went to quarantine, in the shape of [`rejects_schema`].
    Rejects,
}

/// The shape in which refused rows are logged and offered to sinks: sheet, row, the stage before which
/// it waits (the one that refused it or the first one before it that remembers rows; `read` for the reader), the values as JSON text (as sent where they could not be read), the codes of
/// the error findings, and all findings of the row as JSON text.
pub fn rejects_schema() -> SchemaRef {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    let item = Field::new("item", DataType::Utf8, true);
    Schema::new(vec![
        text(SHEET, false),
        Field::new(ROW, DataType::Int64, false),
        text("stage", false),
        json_field("values", false),
        Field::new("reasons", DataType::List(item.into()), false),
        json_field("findings", false),
    ])
    .into()
}

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk or the database failed; trying again may help.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The thing asked for is not there.
    #[error("{0}")]
    Missing(String),
}

/// A delivery's log while it is written. Dropped without a commit, it leaves nothing behind.
pub trait LogWriter: Send {
    /// Adds a batch to one of the two streams.
    fn append(&mut self, stream: Stream, batch: &RecordBatch) -> Result<(), StoreError>;

    /// Makes everything appended durable. Called once, before the commit.
    fn seal(&mut self) -> Result<(), StoreError>;

    /// Name of the sealed log for the ledger; meaningful to the store that made it.
    fn name(&self) -> String;

    /// Rows and bytes of a stream so far.
    fn size(&self, stream: Stream) -> (u64, u64);
}

/// What must survive: ledger, commit log, stage state. Thread-safe; blocking.
pub trait Store: Send + Sync {
    /// Makes a line for a delivery, or finds the one there is. Counts an attempt if it is not done yet.
    fn see(&self, delivery: &Delivery) -> Result<LedgerEntry, StoreError>;

    /// The committed value of a stage's key. A slot is `{pipeline}/{stage}`.
    fn state_get(&self, slot: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Calls `each` with the committed entries of a slot under a prefix, in key order, until it says `false`.
    fn state_scan(
        &self,
        slot: &str,
        prefix: &[u8],
        each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError>;

    /// Starts the log of a delivery.
    fn log(&self, delivery: &Delivery) -> Result<Box<dyn LogWriter>, StoreError>;

    /// Makes a delivery so: state, findings, quarantine, ledger line, log file, in one transaction.
    /// Gives its position in the log.
    fn commit(&self, commit: Commit<'_>) -> Result<u64, StoreError>;

    /// Notes that a delivery was not taken, with the findings that say why.
    fn refuse(
        &self,
        delivery: &Delivery,
        counts: Counts,
        findings: Vec<Finding>,
        sheets: Vec<String>,
        report: serde_json::Value,
    ) -> Result<(), StoreError>;
}

/// Why a sink could not take a delivery. It is asked again later, for ever, with growing pauses.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SinkError(pub String);

/// Batches of one stream of one delivery, read back from the log.
pub type Batches<'a> = &'a mut dyn Iterator<Item = Result<RecordBatch, StoreError>>;

/// A place where records go. Used by one thread; blocking.
pub trait Sink: Send {
    /// Which stream it wants.
    fn stream(&self) -> Stream {
        Stream::Records
    }

    /// Writes one delivery, whole or not at all.
    ///
    /// It may be called again with a delivery it already wrote (the daemon was killed before it could
    /// note the success), and must then leave things as they are after one call.
    fn deliver(&mut self, entry: &LedgerEntry, batches: Batches<'_>) -> Result<(), SinkError>;
}
