//! Parquet, with memory bounded by the row group.
//!
//! A row group is closed as soon as what is buffered reaches [`ParquetOptions::row_group_bytes`]. Whether
//! a column is worth a dictionary is decided from the first batch: building one for values that hardly
//! ever come again is the dearest part of writing. Nothing in the file tells when or by which version it
//! was written, nor the delivery: the same batches give the same bytes.

use std::collections::HashSet;
use std::hash::Hash;
use std::io::Write;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Field, Float64Type, Int64Type, Schema,
    SchemaRef, TimestampMillisecondType,
};

use super::columns::{Outgoing, WriteError, outgoing};

/// Rows of the first batch that are looked at.
const SAMPLE_ROWS: usize = 4096;

/// How the pages of a file are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParquetCodec {
    /// Zstandard at its fastest level.
    #[default]
    Zstd,
    /// Snappy: less processor time, larger files.
    Snappy,
    /// Not at all.
    None,
}

/// How Parquet is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParquetOptions {
    /// How pages are compressed.
    pub codec: ParquetCodec,
    /// A row group is closed when it holds this many bytes in memory.
    pub row_group_bytes: usize,
}

impl Default for ParquetOptions {
    fn default() -> Self {
        Self { codec: ParquetCodec::default(), row_group_bytes: 8 << 20 }
    }
}

/// Writes batches as one Parquet file.
pub struct ParquetWriter<W: Write + Send> {
    columns: Vec<Outgoing>,
    schema: SchemaRef,
    options: ParquetOptions,
    state: State<W>,
}

/// The file is begun with the first batch, which says how its columns are best written.
enum State<W: Write + Send> {
    Waiting(W),
    Writing(Box<ArrowWriter<W>>),
    /// Beginning failed; the error was given to the caller.
    Broken,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Writes the `columns` named, by default all but the engine's, and `_extra` as `extra`, to `to`.
    ///
    /// # Errors
    /// Names the column that is not there or cannot be written.
    pub fn new(
        to: W,
        schema: &SchemaRef,
        columns: Option<&[String]>,
        options: ParquetOptions,
    ) -> Result<Self, WriteError> {
        let columns = outgoing(schema, columns)?;
        // Without metadata: what rides on a schema is the delivery's and differs from file to file.
        let field = |column: &Outgoing| Field::new(&column.name, column.data_type.clone(), true);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        Ok(Self { columns, schema, options, state: State::Waiting(to) })
    }

    /// Writes the rows of `batch`.
    ///
    /// # Errors
    /// When the batch has other types than the schema this was made for, or writing fails.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        let arrays = self.columns.iter().map(|column| {
            column.of(batch)?;
            Ok(Arc::clone(batch.column(column.index)))
        });
        let arrays = arrays.collect::<Result<Vec<_>, WriteError>>()?;
        let rows = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &rows)?;
        let limit = self.options.row_group_bytes;
        let writer = self.begin(&batch)?;
        writer.write(&batch)?;
        if writer.memory_size() >= limit {
            writer.flush()?;
        }
        Ok(())
    }

    /// Ends the file and gives back what it was written to. A file without rows has its columns too.
    pub fn finish(mut self) -> Result<W, WriteError> {
        let none = RecordBatch::new_empty(Arc::clone(&self.schema));
        self.begin(&none)?;
        match self.state {
            State::Writing(writer) => Ok((*writer).into_inner()?),
            State::Waiting(_) | State::Broken => Err(broken()),
        }
    }

    fn begin(&mut self, first: &RecordBatch) -> Result<&mut ArrowWriter<W>, WriteError> {
        if matches!(self.state, State::Waiting(_))
            && let State::Waiting(to) = std::mem::replace(&mut self.state, State::Broken)
        {
            let options = ArrowWriterOptions::new()
                .with_properties(properties(first, self.options))
                .with_skip_arrow_metadata(true);
            let schema = Arc::clone(&self.schema);
            self.state = State::Writing(Box::new(ArrowWriter::try_new_with_options(to, schema, options)?));
        }
        match &mut self.state {
            State::Writing(writer) => Ok(writer),
            State::Waiting(_) | State::Broken => Err(broken()),
        }
    }
}

fn broken() -> WriteError {
    ::parquet::errors::ParquetError::General("the file could not be begun".to_owned()).into()
}

fn properties(first: &RecordBatch, options: ParquetOptions) -> WriterProperties {
    let codec = match options.codec {
        ParquetCodec::Zstd => Compression::ZSTD(ZstdLevel::default()),
        ParquetCodec::Snappy => Compression::SNAPPY,
        ParquetCodec::None => Compression::UNCOMPRESSED,
    };
    let mut properties = WriterProperties::builder()
        .set_created_by("huiliu".to_owned())
        .set_compression(codec)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(None);
    for (array, field) in first.columns().iter().zip(first.schema_ref().fields()) {
        if !is_repetitive(array) {
            let path = ColumnPath::new(vec![field.name().clone()]);
            properties = properties.set_column_dictionary_enabled(path, false);
        }
    }
    properties.build()
}

/// Whether the values come again often enough for a dictionary: less than half of a sample is new.
fn is_repetitive(array: &dyn Array) -> bool {
    fn primitive<T: ArrowPrimitiveType<Native: Copy>, K: Hash + Eq>(
        array: &dyn Array,
        key: impl Fn(T::Native) -> K,
    ) -> bool {
        let values = array.as_primitive::<T>().iter().flatten().take(SAMPLE_ROWS);
        mostly_old(values.map(key))
    }
    match array.data_type() {
        DataType::Utf8 => mostly_old(array.as_string::<i32>().iter().flatten().take(SAMPLE_ROWS)),
        DataType::Int64 => primitive::<Int64Type, _>(array, |value| value),
        DataType::Float64 => primitive::<Float64Type, _>(array, f64::to_bits),
        DataType::Decimal128(..) => primitive::<Decimal128Type, _>(array, |value| value),
        DataType::Date32 => primitive::<Date32Type, _>(array, |value| value),
        DataType::Timestamp(..) => primitive::<TimestampMillisecondType, _>(array, |value| value),
        _ => true,
    }
}

fn mostly_old<K: Hash + Eq>(values: impl Iterator<Item = K>) -> bool {
    let mut seen = HashSet::new();
    let (mut all, mut new) = (0_usize, 0_usize);
    for value in values {
        all += 1;
        new += usize::from(seen.insert(value));
    }
    new * 2 <= all
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use huiliu_stage::Origin;

    use super::super::sample::rows;
    use super::*;

    fn written(batches: &[RecordBatch], options: ParquetOptions) -> Vec<u8> {
        let mut writer = ParquetWriter::new(Vec::new(), &rows().schema(), None, options).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.finish().unwrap()
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn open(bytes: &[u8]) -> ParquetRecordBatchReaderBuilder<File> {
        ParquetRecordBatchReaderBuilder::try_new(file(bytes)).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back_without_the_engines_columns() {
        let batch = rows();
        for codec in [ParquetCodec::Zstd, ParquetCodec::Snappy, ParquetCodec::None] {
            let bytes =
                written(std::slice::from_ref(&batch), ParquetOptions { codec, ..ParquetOptions::default() });
            let read = open(&bytes).build().unwrap().next().unwrap().unwrap();
            let names: Vec<&str> = read.schema_ref().fields().iter().map(|f| f.name().as_str()).collect();
            assert_eq!(names, ["name", "count", "share", "total", "open", "day", "at", "list", "extra"]);
            for column in [0, 1, 3, 4, 5] {
                assert_eq!(read.column(column), batch.column(column), "column {column}");
            }
        }
    }

    #[test]
    fn the_same_rows_give_the_same_bytes_whichever_delivery_they_came_with() {
        let batch = rows();
        let origin = Origin { delivery: "d2".into(), ..Origin::default() };
        let marked = Arc::new(origin.mark(&batch.schema()));
        let other = RecordBatch::try_new(marked, batch.columns().to_vec()).unwrap();
        let options = ParquetOptions::default();
        assert_eq!(written(&[batch], options), written(&[other], options));
    }

    #[test]
    fn a_row_group_ends_when_it_is_full_and_a_file_without_rows_has_its_columns() {
        let options = ParquetOptions { row_group_bytes: 1, ..ParquetOptions::default() };
        let bytes = written(&[rows(), rows()], options);
        let reader = SerializedFileReader::new(file(&bytes)).unwrap();
        assert_eq!(reader.num_row_groups(), 2);
        let empty = written(&[], options);
        assert_eq!(open(&empty).schema().fields().len(), 9);
    }
}
