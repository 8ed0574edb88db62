//! Batches to bytes: JSON Lines, CSV, Parquet.
//!
//! Each writer is made from a schema and a choice of columns, then given batches of that schema.
//! [`columns`] is the one place that says which columns go out and under which name; [`scan`] finds
//! the bytes that need an escape.
//!
//! Nothing here opens a file: encoders append to a buffer, Parquet writes to what it is given. The same
//! batches give the same bytes. Start at [`JsonLinesEncoder`].

mod cells;
mod columns;
mod csv;
mod jsonl;
mod parquet;
#[cfg(test)]
mod sample;
mod scan;

pub use self::columns::WriteError;
pub use self::csv::{CsvEncoder, CsvHeader, CsvOptions};
pub use self::jsonl::JsonLinesEncoder;
pub use self::parquet::{ParquetCodec, ParquetOptions, ParquetWriter};
