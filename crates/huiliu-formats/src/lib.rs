//! Bytes to batches with cell positions, and back.
//!
//! [`read`] turns what a department sent into typed batches, each cell's place kept; [`write`] turns
//! batches into JSON Lines, CSV and Parquet; [`receipt`] makes the answer to the sender. [`report`] is
//! what the reader tells about a file; [`ending`] tells whether it is there to its end.
//!
//! Nothing here knows pipelines, ledgers or projects, and nothing talks to the network: a reader gets a
//! path and a record schema, a writer gets batches.

pub mod ending;
pub mod read;
pub mod receipt;
pub mod report;
pub mod write;
