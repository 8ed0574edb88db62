//! The contract of a stage: what it is given, what it gives back, what it may ask of its host.
//!
//! A stage is opened once with its options and the schema of its input ([`OpenStage::open`]),
//! then handed batches ([`Stage::process`]) until the delivery ends ([`Stage::finish`]). It gives
//! back batches and [`Findings`]. Everything else it needs (state, clock, expressions, tables,
//! log) it asks of its [`Host`].
//!
//! There is no I/O here, no async, no `unsafe`, and no engine: a stage is tested with
//! [`testing::MemoryHost`] and plain batches. The C face of the same contract is `huiliu-abi`;
//! the engine that calls stages is `huiliu-pipeline`.
//!
//! To write a stage, start at [`Stage`]; to read a batch's origin, at [`Origin`].

mod column;
mod error;
mod finding;
mod formula;
mod han;
mod host;
pub mod json;
mod origin;
mod record;
mod stage;
pub mod testing;

pub use arrow;
pub use column::{bool_column, column, column_index, date_column, decimal_column, text_column};
pub use error::{Problem, StageError};
pub use finding::{Fate, Finding, Findings, Severity, Text};
pub use formula::{Evaluated, Formula, present};
pub use han::simplified;
pub use host::{Expression, Host, HostError, Level};
pub use origin::{
    DECISIONS, EVIDENCE, EVIDENCE_FILES, EXTRA, MERGED_INTO, NO_SHEET, Origin, REPLACES, ROW, SEES_REFUSED,
    SHEET, UNREADABLE, cell_address, column_letters, row_id, row_number, sheet_ordinal,
};
pub use record::{Field, FieldType, RecordSchema, is_json, json_field};
pub use stage::{OpenStage, Opened, Outcome, Stage, StageInfo};
