//! The end record of a zip container, looked at before anything else.
//!
//! A file that was cut off while being copied lacks it, which the sender must hear in those words; and it tells the
//! number of entries before a directory of millions of them is read into memory.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::read::error::ReadError;

const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
/// An entry of the directory.
const ENTRY: &[u8] = b"PK\x01\x02";
/// An end record and the longest comment.
const MOST_TAIL: u64 = 22 + 65_535 + 20 + 56;
/// Longest directory: names and extra fields of the most entries there may be.
const MOST_DIRECTORY: u64 = 16 << 20;

/// What the end record says of the directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// How many entries it lists.
    pub(super) entries: u64,
    /// Where it begins, and its size in bytes.
    directory: (u64, u64),
}

/// Finds the end record and refuses more than `most` entries.
pub(super) fn check(file: &File, length: u64, most: u64) -> Result<End, ReadError> {
    let take = length.min(MOST_TAIL);
    let mut tail = vec![0; take as usize];
    file.read_exact_at(&mut tail, length - take).map_err(|e| ReadError::io(&e))?;
    let Some(at) = memchr::memmem::rfind(&tail, END) else { return Err(cut_off()) };
    let mut entries = [number(&tail, at + 8, 2), number(&tail, at + 10, 2)].into_iter().max().unwrap_or(0);
    let mut directory = number(&tail, at + 12, 4);
    // The directory ends where its end record begins, whatever stands before the package.
    let mut ends = length - take + at as u64;
    if (entries == 0xffff || directory == 0xffff_ffff)
        && let Some(at) = memchr::memmem::rfind(&tail, END_64)
    {
        ends = length - take + at as u64;
        entries = number(&tail, at + 24, 8).max(number(&tail, at + 32, 8));
        directory = number(&tail, at + 40, 8);
    }
    if entries > most {
        return Err(super::too_many(most));
    }
    if directory > MOST_DIRECTORY {
        return Err(ReadError::too_large(
            "压缩包目录的大小（字节）",
            "the package's directory in bytes",
            MOST_DIRECTORY,
        ));
    }
    Ok(End { entries, directory: (ends.saturating_sub(directory), directory) })
}

impl End {
    /// A name that stands in the directory twice.
    pub(super) fn twin(&self, file: &File) -> Result<Option<String>, ReadError> {
        let (from, size) = self.directory;
        let mut bytes = vec![0; size as usize];
        file.read_exact_at(&mut bytes, from).map_err(|e| ReadError::io(&e))?;
        let (mut seen, mut at) = (HashSet::new(), 0);
        while bytes.get(at..).is_some_and(|rest| rest.starts_with(ENTRY)) {
            let [name, extra, comment] = [28, 30, 32].map(|of| number(&bytes, at + of, 2) as usize);
            let raw = bytes.get(at + 46..at + 46 + name).unwrap_or_default();
            if !seen.insert(raw.to_vec()) {
                return Ok(Some(super::names::decode(raw)));
            }
            at += 46 + name + extra + comment;
        }
        Ok(None)
    }
}

/// A little-endian number; zero where the bytes end.
fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let mut number = [0; 8];
    if let (Some(from), Some(to)) = (bytes.get(at..at + width), number.get_mut(..width)) {
        to.copy_from_slice(from);
    }
    u64::from_le_bytes(number)
}

fn cut_off() -> ReadError {
    ReadError::new(
        "文件不完整（缺少结尾部分），可能没有复制完就被取走；请确认文件能打开后重新上传",
        "the file is cut off (its end is missing), perhaps it was not copied to its end; check that it opens and send it again",
    )
}
