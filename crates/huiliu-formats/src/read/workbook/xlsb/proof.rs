//! Proves the parts of a binary workbook before calamine reads them.
//!
//! Calamine takes a record's text from where it read the record before, if the record is too short to hold one, and believes
//! a record's length before it is there: a file of some kilobytes whose records are empty would become gigabytes of the one text in
//! front of them, and short cells would show what stood in other cells. Names of sheets are copied into each
//! formula of a name that speaks of them. So all records are walked first, and none is let through that lies.

use std::io::{BufReader, Read};

use crate::read::error::ReadError;

/// Longest record of a sheet's name and place; a name has at most 31 characters.
const MOST_SHEET: u64 = 1024;
/// Longest record of a defined name, whose formula has at most 16 KB.
const MOST_NAME: u64 = 32 << 10;
/// Most bytes of all defined names and of what they refer to.
const MOST_NAMES: u64 = 1 << 20;

/// What a record is, as far as it matters here; the numbers are those of the format.
mod kind {
    pub(super) const ROW: u16 = 0x0000;
    pub(super) const NAME: u16 = 0x0027;
    pub(super) const TEXT: u16 = 0x0013;
    pub(super) const SIZE: u16 = 0x0094;
    pub(super) const SETTINGS: u16 = 0x0099;
    pub(super) const SHEET: u16 = 0x009c;
    pub(super) const TEXTS: u16 = 0x009f;
    pub(super) const SHEETS: u16 = 0x016a;
}

/// The least bytes that a record of this kind has.
fn least(kind: u16) -> u64 {
    match kind {
        kind::SETTINGS => 1,
        kind::ROW | kind::SHEETS => 4,
        kind::TEXT => 5,
        kind::TEXTS => 8,
        // Errors and truths, in cells and as results of formulas.
        0x0003 | 0x0004 | 0x000a | 0x000b => 9,
        // Short numbers, texts and their results.
        0x0002 | 0x0006..=0x0008 => 12,
        kind::NAME => 13,
        0x0005 | 0x0009 | kind::SIZE | kind::SHEET => 16,
        _ => 0,
    }
}

/// Walks the records of a part to its end.
pub(super) fn prove(part: impl Read) -> Result<(), ReadError> {
    let mut records = Records { part: BufReader::new(part) };
    let mut names = 0;
    while let Some((kind, length)) = records.next()? {
        if length < least(kind) {
            return Err(ReadError::damaged(&"a record is too short"));
        }
        let most = match kind {
            kind::SHEET => MOST_SHEET,
            kind::NAME => MOST_NAME,
            _ => u64::MAX,
        };
        names += if matches!(kind, kind::NAME | kind::SHEETS) { length } else { 0 };
        if length > most || names > MOST_NAMES {
            return Err(ReadError::too_large(
                "工作簿中名称的长度（字节）",
                "the bytes of the names in a workbook",
                most.min(MOST_NAMES),
            ));
        }
    }
    Ok(())
}

struct Records<R> {
    part: BufReader<R>,
}

impl<R: Read> Records<R> {
    /// Kind and length of the next record, which is passed over.
    fn next(&mut self) -> Result<Option<(u16, u64)>, ReadError> {
        let Some(first) = self.byte()? else { return Ok(None) };
        let mut kind = u16::from(first & 0x7f);
        if first & 0x80 != 0 {
            kind += u16::from(self.needed()? & 0x7f) << 7;
        }
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.needed()?;
            length += u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let passed = std::io::copy(&mut self.part.by_ref().take(length), &mut std::io::sink());
        match passed.map_err(|error| ReadError::damaged(&error))? {
            passed if passed == length => Ok(Some((kind, length))),
            _ => Err(cut_off()),
        }
    }

    fn byte(&mut self) -> Result<Option<u8>, ReadError> {
        let mut byte = [0];
        let read = self.part.read(&mut byte).map_err(|error| ReadError::damaged(&error))?;
        Ok((read == 1).then_some(byte[0]))
    }

    fn needed(&mut self) -> Result<u8, ReadError> {
        self.byte()?.ok_or_else(cut_off)
    }
}

fn cut_off() -> ReadError {
    ReadError::damaged(&"a record is cut off")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(part: &[u8]) -> String {
        prove(part).err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn records_that_are_short_cut_or_too_long_are_refused() {
        let text = [0x13, 7, 0, 1, 0, 0, 0, b'a', 0];
        assert_eq!(told(&text), "");
        assert_eq!(
            told(&[&text[..], &[0x13, 0]].concat()),
            told(&[0x05, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        );
        assert!(told(&[&text[..], &[0x13, 0]].concat()).contains("too short"));
        assert!(told(&text[..8]).contains("cut off"));
        assert!(told(&[0x13, 0xff, 0xff, 0xff, 0x7f, 1]).contains("cut off"));
        let name = |bytes: u32| {
            let length = [bytes as u8 & 0x7f | 0x80, (bytes >> 7) as u8 & 0x7f | 0x80, (bytes >> 14) as u8];
            [&[0x27][..], &length, &vec![0; bytes as usize]].concat()
        };
        assert_eq!(told(&name(32 << 10).repeat(32)), "");
        assert_ne!(told(&name(32 << 10).repeat(33)), "");
        assert_ne!(told(&name((32 << 10) + 1)), "");
    }
}
