//! Finding the few bytes that need an escape among the many that do not.
//!
//! The texts of a column lie one after the other in one buffer, and rows are written in order. So one
//! pass over the buffer serves all of them: [`Texts`] remembers where the next special byte is, and
//! every text that ends before it is copied as it is.

use std::marker::PhantomData;

use arrow::array::StringArray;

/// Bytes examined at a time; wide enough for the compiler to use vector registers.
const BLOCK: usize = 64;

/// Which bytes a format does not take as they are.
pub(super) trait Special {
    /// Whether `byte` is one of them.
    fn is(byte: u8) -> bool;
}

/// Those of a JSON string.
pub(super) struct JsonSpecial;

impl Special for JsonSpecial {
    #[inline]
    fn is(byte: u8) -> bool {
        (byte < 0x20) | (byte == b'"') | (byte == b'\\')
    }
}

/// Those of a CSV cell.
pub(super) struct CsvSpecial;

impl Special for CsvSpecial {
    #[inline]
    fn is(byte: u8) -> bool {
        (byte == b'"') | (byte == b',') | (byte == b'\r') | (byte == b'\n')
    }
}

/// Position of the first special byte at or after `from`, else the length.
pub(super) fn find<S: Special>(bytes: &[u8], from: usize) -> usize {
    let Some(tail) = bytes.get(from..) else { return bytes.len() };
    let (blocks, rest) = tail.as_chunks::<BLOCK>();
    let mut at = from;
    for block in blocks {
        // No early exit inside a block: that is what lets it be vectorised.
        if block.iter().fold(false, |any, &byte| any | S::is(byte)) {
            return at + block.iter().position(|&byte| S::is(byte)).unwrap_or(0);
        }
        at += BLOCK;
    }
    at + rest.iter().position(|&byte| S::is(byte)).unwrap_or(rest.len())
}

/// The texts of a column, asked for in ascending order.
pub(super) struct Texts<'a, S> {
    /// All texts, one after the other.
    pub(super) bytes: &'a [u8],
    offsets: &'a [i32],
    next: usize,
    special: PhantomData<S>,
}

impl<'a, S: Special> Texts<'a, S> {
    /// The texts of `array`.
    pub(super) fn new(array: &'a StringArray) -> Self {
        let offsets = array.value_offsets();
        let bytes = array.value_data();
        let start = offsets.first().map_or(0, |&offset| offset as usize);
        Self { bytes, offsets, next: find::<S>(bytes, start), special: PhantomData }
    }

    /// Where the text at `row` begins and ends, and whether it has no special byte.
    #[inline]
    pub(super) fn at(&mut self, row: usize) -> (usize, usize, bool) {
        // Arrow keeps its offsets ascending and inside the buffer.
        let (start, end) = (self.offsets[row] as usize, self.offsets[row + 1] as usize);
        if end <= self.next {
            return (start, end, true);
        }
        (start, end, self.seek(start, end))
    }

    /// Moves on to the first special byte from `start`; says whether it lies after `end`.
    #[cold]
    fn seek(&mut self, start: usize, end: usize) -> bool {
        if self.next < start {
            self.next = find::<S>(self.bytes, start);
        }
        self.next >= end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_byte_is_found_wherever_it_stands() {
        for length in [0, 1, 63, 64, 65, 130] {
            let plain = vec![b'a'; length];
            assert_eq!(find::<JsonSpecial>(&plain, 0), length);
            for at in 0..length {
                let mut bytes = plain.clone();
                bytes[at] = b'"';
                assert_eq!(find::<JsonSpecial>(&bytes, 0), at);
                assert_eq!(find::<CsvSpecial>(&bytes, at + 1), length);
            }
        }
    }
}
