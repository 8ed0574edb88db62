//! A buffered reader whose buffer can be searched, and which gives out only so much at a time.
//!
//! What a parser has to hold of a stranger's part, such as one text, is thereby bounded.

use std::io::{self, BufRead, Read};

const STEP: usize = 128 * 1024;

/// The window over a stream.
pub(super) struct Window<R> {
    input: R,
    bytes: Vec<u8>,
    from: usize,
    to: usize,
    allowance: usize,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, bytes: vec![0; 2 * STEP], from: 0, to: 0, allowance: 0 }
    }

    /// How many bytes may be taken until the next call.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.allowance = bytes;
    }

    /// What has been read and not been taken.
    pub(super) fn seen(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    /// Takes `bytes` of what was seen without asking for allowance.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.from = self.from.saturating_add(bytes).min(self.to);
    }

    /// Reads on behind what was seen; `false` at the end of the stream.
    pub(super) fn extend(&mut self) -> io::Result<bool> {
        if self.to == self.bytes.len() {
            if self.from == 0 {
                return Err(io::Error::other("a piece of a sheet is too long"));
            }
            self.bytes.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        let Some(free) = self.bytes.get_mut(self.to..) else { return Ok(false) };
        let read = loop {
            match self.input.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.to += read;
        Ok(read > 0)
    }
}

impl<R: Read> Read for Window<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut seen = self.fill_buf()?;
        let read = seen.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Window<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
            if !self.extend()? {
                return Ok(&[]);
            }
        }
        if self.allowance == 0 {
            return Err(io::Error::other("a text of a sheet is too long"));
        }
        let seen = self.seen();
        Ok(seen.get(..self.allowance.min(seen.len())).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.allowance = self.allowance.saturating_sub(bytes);
        self.pass(bytes);
    }
}
