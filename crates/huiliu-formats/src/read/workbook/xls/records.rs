//! The records of an old workbook, and texts that go on in further ones.

use encoding_rs::Encoding;

/// A record that goes on with the one before it.
const CONTINUE: u16 = 0x003c;

pub(in crate::read::workbook) fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

pub(in crate::read::workbook) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

/// The records from a place on: where each begins, its kind, its bytes.
pub(super) fn records(stream: &[u8], from: usize) -> impl Iterator<Item = (usize, u16, &[u8])> {
    let mut next = from;
    std::iter::from_fn(move || {
        let (at, kind, data) = record(stream, next)?;
        next = at + 4 + data.len();
        Some((at, kind, data))
    })
}

fn record(stream: &[u8], at: usize) -> Option<(usize, u16, &[u8])> {
    let (kind, length) = (half(stream, at)?, usize::from(half(stream, at + 2)?));
    Some((at, kind, stream.get(at + 4..at + 4 + length)?))
}

/// The bytes of a record and of those that go on with it.
pub(super) struct Long<'a> {
    stream: &'a [u8],
    /// Where the next record begins.
    next: usize,
    rest: &'a [u8],
}

impl<'a> Long<'a> {
    /// The record that begins at a place.
    pub(super) fn at(stream: &'a [u8], at: usize) -> Option<Self> {
        let (at, _, rest) = record(stream, at)?;
        Some(Self { stream, next: at + 4 + rest.len(), rest })
    }

    /// Whether nothing is left.
    pub(super) fn is_over(&mut self) -> bool {
        while self.rest.is_empty() {
            if !self.go_on() {
                return true;
            }
        }
        false
    }

    /// Goes over to the record that goes on with this one.
    fn go_on(&mut self) -> bool {
        match record(self.stream, self.next) {
            Some((at, CONTINUE, rest)) => {
                (self.next, self.rest) = (at + 4 + rest.len(), rest);
                true
            }
            _ => false,
        }
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        if self.is_over() {
            return None;
        }
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(super) fn half(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    pub(super) fn word(&mut self) -> Option<u32> {
        Some(u32::from(self.half()?) | u32::from(self.half()?) << 16)
    }

    pub(super) fn skip(&mut self, mut count: usize) {
        while count > 0 && !self.is_over() {
            let here = count.min(self.rest.len());
            self.rest = self.rest.get(here..).unwrap_or_default();
            count -= here;
        }
    }

    /// Adds a text of so many characters in UTF-16, or in its low bytes if it is not `wide`. Each record that goes on with a
    /// text says anew which.
    pub(super) fn unicode(&mut self, mut count: usize, mut wide: bool, to: &mut String) {
        let mut units: Vec<u16> = Vec::new();
        while count > 0 {
            let size = if wide { 2 } else { 1 };
            let here = count.min(self.rest.len() / size);
            let (bytes, rest) = self.rest.split_at(here * size);
            match wide {
                true => units.extend(bytes.chunks_exact(2).filter_map(|pair| half(pair, 0))),
                false => units.extend(bytes.iter().map(|byte| u16::from(*byte))),
            }
            self.rest = rest;
            count -= here;
            if count > 0 {
                self.rest = &[];
                match self.byte() {
                    Some(flags) => wide = flags & 1 == 1,
                    None => break,
                }
            }
        }
        to.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }

    /// Adds a text of so many bytes in the writer's code page.
    fn coded(&mut self, mut count: usize, encoding: &'static Encoding, to: &mut String) {
        let mut bytes = Vec::new();
        while count > 0 && !self.is_over() {
            let (here, rest) = self.rest.split_at(count.min(self.rest.len()));
            bytes.extend_from_slice(here);
            (self.rest, count) = (rest, count - here.len());
        }
        to.push_str(&encoding.decode_without_bom_handling(&bytes).0);
    }
}

/// Adds a text that begins with its length; `new` is that of Excel 97 and later.
pub(super) fn text_of(long: &mut Long<'_>, new: bool, encoding: &'static Encoding, to: &mut String) {
    let Some(count) = long.half().map(usize::from) else { return };
    named(long, count, new, encoding, to);
}

/// The same of a text whose length is one byte.
pub(super) fn short_text_of(long: &mut Long<'_>, new: bool, encoding: &'static Encoding, to: &mut String) {
    let Some(count) = long.byte().map(usize::from) else { return };
    named(long, count, new, encoding, to);
}

fn named(long: &mut Long<'_>, count: usize, new: bool, encoding: &'static Encoding, to: &mut String) {
    match new {
        true => {
            let Some(flags) = long.byte() else { return };
            long.unicode(count, flags & 1 == 1, to);
        }
        false => long.coded(count, encoding, to),
    }
}
