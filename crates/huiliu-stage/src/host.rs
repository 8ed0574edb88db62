//! What a stage may ask of the program that runs it.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};

/// Why a host could not do what was asked.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct HostError(pub String);

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Level {
    /// For the author of the stage.
    Debug = 0,
    /// For the operator, in passing.
    Info = 1,
    /// Something to look at.
    Warn = 2,
    /// Something to mend.
    Error = 3,
}

/// A compiled SQL expression. Cheap to evaluate, many times, on batches of the schema it was
/// compiled against.
pub trait Expression: Send + Sync {
    /// The type of its value.
    fn data_type(&self) -> DataType;

    /// Its value for every row, as long as the batch.
    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, HostError>;
}

/// The services of the program that runs a stage, and a stage's only way out.
///
/// All of them may be called from the thread that is calling the stage, and only while it calls.
/// State belongs to the stage's place in its pipeline and to the delivery that is being handled:
/// what was put is seen at once by the same delivery, kept when the delivery commits, and gone
/// when it fails (the stage is then closed and opened anew, so cached state is read again).
/// While a stage is being opened there is no state: read it in the first `process`.
pub trait Host: Send + Sync {
    /// Writes a line to the daemon's log, under the stage's name.
    fn log(&self, level: Level, message: &str);

    /// Now, in milliseconds since 1970-01-01 UTC. The same for a whole delivery.
    fn now_ms(&self) -> i64;

    /// The calendar day it is for the pipeline's people, in days since 1970-01-01.
    fn today(&self) -> i32;

    /// The value under `key`, if any.
    fn state_get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, HostError>;

    /// Puts a value under `key`.
    fn state_put(&self, key: &[u8], value: &[u8]) -> Result<(), HostError>;

    /// Removes `key`; no error if there is none.
    fn state_delete(&self, key: &[u8]) -> Result<(), HostError>;

    /// Calls `each` with every key that begins with `prefix`, in key order, until it says `false`.
    fn state_scan(&self, prefix: &[u8], each: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), HostError>;

    /// Compiles a SQL expression (`completed <= total`) against a schema and checks its types.
    fn compile(&self, sql: &str, schema: &SchemaRef) -> Result<Box<dyn Expression>, HostError>;

    /// A reference table that the pipeline declares, as it is now.
    fn table(&self, name: &str) -> Result<RecordBatch, HostError>;

    /// Adds to a counter of the stage, shown among the daemon's metrics.
    fn count(&self, name: &str, add: u64);

    /// Whether the stage should give up soon, because the daemon stops or the delivery was called off.
    fn cancelled(&self) -> bool;
}
