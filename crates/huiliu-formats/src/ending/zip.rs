//! The end of a zip container: its end record, its directory inside the file, the sum of every entry.

use std::fs::File;
use std::io::{self, Read};

use super::{Depth, Ending, cut, window};
use crate::read::Limits;
use crate::read::package::Package;

const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
/// An end record and the longest comment behind it.
const MOST_TAIL: u64 = 22 + 65_535;

/// Whether the container's end is there; with [`Depth::Whole`], whether every entry unpacks to what it says.
pub(super) fn check(file: &File, length: u64, depth: Depth) -> io::Result<Ending> {
    let take = length.min(MOST_TAIL);
    let tail = window(file, length - take, take)?;
    let Some(at) = memchr::memmem::rfind(&tail, END) else {
        return Ok(cut("压缩包（工作簿）缺少结尾部分", "the end of the package (the workbook) is missing"));
    };
    let end = tail.get(at..).unwrap_or_default();
    let (size, start) = (number(end, 12), number(end, 16));
    // Larger than four gigabytes, these stand elsewhere; then the directory is looked at when it is opened.
    if start != u64::from(u32::MAX) && size > 0 {
        let there = start + size <= length && window(file, start, ENTRY.len() as u64)? == ENTRY;
        // Bytes may stand before the first entry, which moves the directory.
        let at = length - take + at as u64;
        let moved = at >= size && window(file, at - size, ENTRY.len() as u64)? == ENTRY;
        if !there && !moved {
            return Ok(cut(
                "压缩包（工作簿）的目录不完整",
                "the directory of the package (the workbook) is incomplete",
            ));
        }
    }
    match depth {
        Depth::Ends => Ok(Ending::Whole),
        Depth::Whole => entries(file),
    }
}

/// Unpacks every entry. What may not be unpacked (a bomb, a password) is left to the reader, who refuses it.
fn entries(file: &File) -> io::Result<Ending> {
    let Ok(package) = Package::open(file.try_clone()?, &Limits::default()) else { return Ok(Ending::Whole) };
    let names: Vec<String> = package.names().map(str::to_owned).collect();
    let mut block = vec![0; 64 << 10];
    for name in names {
        let Ok(Some(mut entry)) = package.entry(&name) else { continue };
        loop {
            match entry.read(&mut block) {
                Ok(0) => break,
                Ok(_) => {}
                Err(_) => {
                    let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
                    return Ok(cut(
                        format!("压缩包（工作簿）中的“{name}”不完整"),
                        format!("`{name}` in the package (the workbook) is incomplete"),
                    ));
                }
            }
        }
    }
    Ok(Ending::Whole)
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    bytes.map_or(0, |four| u64::from(u32::from_le_bytes(four)))
}
