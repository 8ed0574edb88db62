//! The end record of a zip container, looked at before anything else.
//!
//! A file that was cut off while being copied lacks it, which the sender must hear in those words; and it tells the
//! number of entries before a directory of millions of them is read into memory.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::read::error::ReadError;

const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
/// An end record and the longest comment.
const MOST_TAIL: u64 = 22 + 65_535 + 20 + 56;
/// Longest directory: names and extra fields of the most entries there may be.
const MOST_DIRECTORY: u64 = 16 << 20;

/// Finds the end record and refuses more than `most` entries.
pub(super) fn check(file: &File, length: u64, most: u64) -> Result<(), ReadError> {
    let take = length.min(MOST_TAIL);
    let mut tail = vec![0; take as usize];
    file.read_exact_at(&mut tail, length - take).map_err(|e| ReadError::io(&e))?;
    let Some(at) = memchr::memmem::rfind(&tail, END) else { return Err(cut_off()) };
    let mut entries = [number(&tail, at + 8, 2), number(&tail, at + 10, 2)].into_iter().max().unwrap_or(0);
    let mut directory = number(&tail, at + 12, 4);
    if (entries == 0xffff || directory == 0xffff_ffff)
        && let Some(at) = memchr::memmem::rfind(&tail, END_64)
    {
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
    Ok(())
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
