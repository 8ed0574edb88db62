//! Merged ranges of a sheet, and the addresses they are written with.
//!
//! They stand behind all rows, so the rows are passed over as bytes and not as cells to get there.

use std::io::Read;

use super::xml::{Scanner, Token};
use crate::read::error::ReadError;

/// Most merged ranges that are kept.
const MOST_RANGES: usize = 1 << 18;

/// Cells that are shown as one; the value stands in the first. Rows count from 1, columns from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) struct Merge {
    pub(in crate::read) first_row: u32,
    pub(in crate::read) last_row: u32,
    pub(in crate::read) first_column: u32,
    pub(in crate::read) last_column: u32,
}

impl Merge {
    /// How many columns it joins.
    pub(in crate::read) fn columns(&self) -> u32 {
        self.last_column - self.first_column + 1
    }
}

/// Column and, where there is one, row of an address such as `AB12`.
#[inline]
pub(super) fn address(text: &[u8]) -> Option<(u32, Option<u32>)> {
    let (mut column, mut row, mut letters, mut numbers) = (0_u32, 0_u32, 0, 0);
    for byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' if letters < 4 && numbers == 0 => {
                column = column * 26 + u32::from(byte & 0x1f);
                letters += 1;
            }
            b'0'..=b'9' if letters > 0 && numbers < 9 => {
                row = row * 10 + u32::from(byte - b'0');
                numbers += 1;
            }
            b'$' => {}
            _ => return None,
        }
    }
    (letters > 0).then(|| (column - 1, (numbers > 0).then_some(row)))
}

/// The merged ranges of a sheet, which stand behind its rows.
pub(super) fn merges(mut part: impl Read) -> Result<Vec<Merge>, ReadError> {
    const WORD: &[u8] = b"mergeCells";
    let mut block = vec![0; 64 << 10];
    let mut kept = 0;
    loop {
        let room = block.get_mut(kept..).unwrap_or_default();
        let count = part.read(room).map_err(|e| ReadError::damaged(&e))?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let there = block.get(..kept + count).unwrap_or_default();
        if let Some(at) = memchr::memmem::find(there, WORD) {
            let rest = there.get(at + WORD.len()..).unwrap_or_default().to_vec();
            return read_merges(rest.chain(part));
        }
        // The word may be cut by the block's end.
        let tail = there.len().saturating_sub(WORD.len() - 1);
        let end = there.len();
        block.copy_within(tail..end, 0);
        kept = end - tail;
    }
}

fn read_merges(part: impl Read) -> Result<Vec<Merge>, ReadError> {
    behind(&mut Scanner::new(part))
}

/// The merged ranges that stand behind what was read of a sheet's part.
pub(super) fn behind(scanner: &mut Scanner<impl Read>) -> Result<Vec<Merge>, ReadError> {
    let mut merges = Vec::new();
    loop {
        match scanner.next()? {
            Token::Open { name: b"mergeCell", attributes, .. } if merges.len() < MOST_RANGES => {
                merges.extend(attributes.get(b"ref").and_then(range));
            }
            Token::Close { name: b"mergeCells" } | Token::End => return Ok(merges),
            _ => {}
        }
    }
}

/// A range such as `B2:D3`.
fn range(text: &[u8]) -> Option<Merge> {
    let colon = memchr::memchr(b':', text)?;
    let (first_column, first_row) = address(text.get(..colon)?)?;
    let (last_column, last_row) = address(text.get(colon + 1..)?)?;
    let (first_row, last_row) = (first_row?, last_row?);
    (first_row <= last_row && first_column <= last_column).then_some(Merge {
        first_row,
        last_row,
        first_column,
        last_column,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_are_found_behind_any_number_of_rows() {
        let filler = "<row><c><v>1</v></c></row>".repeat(9000);
        let part = format!(
            "<sheetData>{filler}</sheetData><mergeCells count=\"2\"><mergeCell ref=\"B2:D3\"/>\
             <mergeCell ref=\"bad\"/><mergeCell ref=\"A10:A12\"/></mergeCells>"
        );
        let merge = |first_row, last_row, first_column, last_column| Merge {
            first_row,
            last_row,
            first_column,
            last_column,
        };
        assert_eq!(merges(part.as_bytes()).unwrap(), [merge(2, 3, 1, 3), merge(10, 12, 0, 0)]);
        assert_eq!(merges(filler.as_bytes()).unwrap(), []);
    }
}
