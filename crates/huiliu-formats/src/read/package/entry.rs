//! The bytes of one entry, unpacked as they are asked for.
//!
//! An entry owns its way to the file, so that a reader of rows may keep it between two batches. It gives at most what
//! the directory declared and checks the sum at the end.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::Record;

/// Packed bytes read at once.
const BLOCK: usize = 32 << 10;

/// Part of a file.
struct Section {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let Some(buffer) = buffer.get_mut(..most) else { return Ok(0) };
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

enum Content {
    Stored(Section),
    Deflated(Box<DeflateDecoder<BufReader<Section>>>),
}

/// A reader of one entry.
pub(crate) struct Entry {
    content: Content,
    /// Declared bytes that were not given yet.
    left: u64,
    wanted: u32,
    sum: Crc,
    over: bool,
}

impl Entry {
    pub(super) fn new(file: Arc<File>, record: &Record) -> Self {
        let section = Section { file, at: record.start, left: record.packed };
        let content = match record.stored {
            true => Content::Stored(section),
            false => {
                let packed = BufReader::with_capacity(BLOCK, section);
                Content::Deflated(Box::new(DeflateDecoder::new(packed)))
            }
        };
        Self { content, left: record.size, wanted: record.crc, sum: Crc::new(), over: false }
    }

    fn unpack(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.content {
            Content::Stored(section) => section.read(buffer),
            Content::Deflated(decoder) => decoder.read(buffer),
        }
    }

    /// What was declared has been given; nothing may follow, and the sum must be right.
    fn end(&mut self) -> io::Result<usize> {
        if !self.over {
            self.over = true;
            if self.unpack(&mut [0])? != 0 {
                return Err(io::Error::other("an entry is larger than it says"));
            }
            if self.sum.sum() != self.wanted {
                return Err(io::Error::other("the checksum of an entry is wrong"));
            }
        }
        Ok(0)
    }
}

impl Read for Entry {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return self.end();
        }
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let Some(buffer) = buffer.get_mut(..most) else { return Ok(0) };
        let count = self.unpack(buffer)?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "an entry is cut off"));
        }
        self.sum.update(buffer.get(..count).unwrap_or_default());
        self.left -= count as u64;
        Ok(count)
    }
}
