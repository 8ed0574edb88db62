//! JSON Lines: one object a line.
//!
//! A line that is no object costs that line only. Objects within an object give names of their own, as in plain JSON.

use super::super::Piece;
use super::fields::{DEEPEST, piece};
use crate::read::error::ReadError;
use crate::read::text::TextReader;

/// A JSON Lines file that is being read.
pub(in crate::read) struct LineRecords {
    reader: TextReader,
    longest: usize,
    number: u32,
}

impl LineRecords {
    /// Reads from the start of a file; no line may be longer than `longest` bytes.
    pub(in crate::read) fn open(reader: TextReader, longest: usize) -> Self {
        Self { reader, longest, number: 0 }
    }

    pub(in crate::read::keyed) fn done(&self) -> u64 {
        self.reader.done()
    }

    /// The number of the line that was given last.
    pub(in crate::read::keyed) fn number(&self) -> u32 {
        self.number
    }

    pub(in crate::read::keyed) fn next(&mut self) -> Result<Option<Piece>, ReadError> {
        loop {
            let unread = self.reader.unread();
            let length = match memchr::memchr(b'\n', unread) {
                Some(end) => end + 1,
                None if self.reader.is_over() => unread.len(),
                None if unread.len() > self.longest => {
                    return Err(ReadError::too_large("单行长度", "a row's length", self.longest as u64));
                }
                None => {
                    self.reader.more().map_err(|e| ReadError::io(&e))?;
                    continue;
                }
            };
            if length == 0 {
                return Ok(None);
            }
            self.number = self.number.saturating_add(1);
            self.reader.advance(length);
            let line = self.reader.taken(length).trim_ascii();
            // Lines that were taken out of an array keep its commas.
            let line = line.strip_suffix(b",").filter(|line| line.ends_with(b"}")).unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            let mut piece = piece(line, DEEPEST);
            if let Piece::Record(fields) = &mut piece {
                // Word of the daemon to itself, on rows that come back out of quarantine.
                fields.retain(|(name, _)| name != "_evidence" && !name.starts_with("_evidence."));
            }
            return Ok(Some(piece));
        }
    }
}
