//! Writing a delivery's log.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use huiliu_pipeline::ports::{LogWriter, StoreError, Stream};

use super::{Kept, LogFolder, Sealed};
use crate::database::held;
use crate::error::{Error, Result};

/// The longest stream that is kept in the database: about 200 rows of 30 columns.
const INSIDE_BYTES: usize = 128 * 1024;

/// A delivery's log while it is written.
pub(crate) struct Log {
    folder: Arc<LogFolder>,
    name: String,
    records: Option<StreamLog>,
    rejects: Option<StreamLog>,
    sealed: bool,
}

impl Log {
    pub(super) fn new(folder: Arc<LogFolder>, name: String) -> Self {
        Self { folder, name, records: None, rejects: None, sealed: false }
    }

    fn try_append(&mut self, stream: Stream, batch: &RecordBatch) -> Result<()> {
        if self.sealed {
            return Err(Error::failed(format!("log `{}` is sealed", self.name)));
        }
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let path = self.folder.file(&self.name, stream);
        let log = match stream {
            Stream::Records => &mut self.records,
            Stream::Rejects => &mut self.rejects,
        };
        match log {
            Some(log) => log.append(batch),
            None => log.insert(StreamLog::new(path, batch)?).append(batch),
        }
    }

    fn try_seal(&mut self) -> Result<()> {
        if self.sealed {
            return Ok(());
        }
        let seal = |log: &mut Option<StreamLog>| log.as_mut().map_or(Ok(Kept::Nowhere), StreamLog::seal);
        let sealed = Sealed { records: seal(&mut self.records)?, rejects: seal(&mut self.rejects)? };
        if [&sealed.records, &sealed.rejects].iter().any(|kept| matches!(kept, Kept::File(_))) {
            self.folder.sync()?;
        }
        held(&self.folder.open).insert(self.name.clone(), Some(sealed));
        self.sealed = true;
        Ok(())
    }
}

impl LogWriter for Log {
    fn append(&mut self, stream: Stream, batch: &RecordBatch) -> Result<(), StoreError> {
        Ok(self.try_append(stream, batch)?)
    }

    fn seal(&mut self) -> Result<(), StoreError> {
        Ok(self.try_seal()?)
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn size(&self, stream: Stream) -> (u64, u64) {
        let log = match stream {
            Stream::Records => &self.records,
            Stream::Rejects => &self.rejects,
        };
        log.as_ref().map_or((0, 0), |log| (log.rows, log.writer.get_ref().bytes))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let ours = held(&self.folder.open).remove(&self.name).is_some();
        if ours && let Err(error) = self.folder.remove(&self.name) {
            // Not lost: the next start sweeps the folder.
            tracing::warn!(log = self.name, %error, "an abandoned log could not be removed");
        }
    }
}

/// One stream of a log.
struct StreamLog {
    /// As it is written: without what rides on the schema of single batches.
    schema: SchemaRef,
    writer: StreamWriter<Spill>,
    rows: u64,
}

impl StreamLog {
    fn new(path: PathBuf, first: &RecordBatch) -> Result<Self> {
        let schema: SchemaRef = Schema::new(first.schema_ref().fields.clone()).into();
        let spill = Spill { path, memory: Vec::new(), file: None, bytes: 0 };
        let writer = StreamWriter::try_new(spill, &schema)?;
        Ok(Self { schema, writer, rows: 0 })
    }

    fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.schema_ref().fields != self.schema.fields {
            let text = "the batches of a delivery have different columns".to_owned();
            return Err(ArrowError::SchemaError(text).into());
        }
        self.writer.write(batch)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends the stream and makes its file durable, if it has one.
    fn seal(&mut self) -> Result<Kept> {
        self.writer.finish()?;
        let spill = self.writer.get_mut();
        match &spill.file {
            Some(file) => {
                file.get_ref().sync_data().map_err(Error::file(&spill.path))?;
                Ok(Kept::File(spill.bytes))
            }
            None => Ok(Kept::Inside(std::mem::take(&mut spill.memory))),
        }
    }
}

/// Memory that becomes a file when it grows large.
struct Spill {
    path: PathBuf,
    memory: Vec<u8>,
    file: Option<BufWriter<File>>,
    bytes: u64,
}

impl Spill {
    fn create(path: &Path, begun: &[u8]) -> io::Result<BufWriter<File>> {
        let mut file = BufWriter::new(File::create_new(path)?);
        file.write_all(begun)?;
        Ok(file)
    }
}

impl Write for Spill {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && self.memory.len() + bytes.len() > INSIDE_BYTES {
            self.file = Some(Self::create(&self.path, &self.memory)?);
            self.memory = Vec::new();
        }
        let written = match &mut self.file {
            Some(file) => file.write(bytes)?,
            None => self.memory.write(bytes)?,
        };
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}
