//! The register: unified records, every earlier version of them, and where each value came from.
//!
//! [`RegisterSink`] writes it, a delivery and the sink's cursor in one transaction, so each delivery
//! counts exactly once. [`read`] answers the questions.
//!
//! A record is its current revision in `record`; when it changes, what it was moves to `record_version`.
//! Values that stay the same make no revision, whatever order their columns have.

pub(crate) mod read;
mod redirect;
mod shape;
#[cfg(test)]
mod tests;
mod write;

pub use read::{FieldStory, Record, RecordStory, Revision, ValueStory};
pub use write::{RegisterOptions, RegisterSink};
