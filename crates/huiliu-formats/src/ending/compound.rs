//! The end of an old workbook (`.xls`, `.et`): every sector that its tables name lies inside the file.

use std::fs::File;
use std::io;

use super::{Ending, cut, window};

/// Sectors of the allocation table that the header names itself; larger files name the rest elsewhere.
const NAMED: usize = 109;
const FREE: u32 = 0xffff_ffff;
/// What the allocation table says of its own sectors.
const TABLE: u32 = 0xffff_fffd;

/// Whether the sectors in use lie inside the file.
pub(super) fn check(file: &File, length: u64) -> io::Result<Ending> {
    let header = window(file, 0, 512)?;
    let shift = header.get(30..32).map_or(9, |two| u32::from(two.first().copied().unwrap_or(9)));
    if !(9..=12).contains(&shift) {
        return Ok(Ending::Whole); // Not such a container after all: the reader will tell.
    }
    let sector = 1_u64 << shift;
    let tables = (0..NAMED).filter_map(|at| word(&header, 76 + 4 * at)).take_while(|id| *id < TABLE);
    let mut last_used = 0;
    for (order, table) in (0_u64..).zip(tables) {
        let at = (u64::from(table) + 1) * sector;
        let bytes = window(file, at, sector)?;
        if (bytes.len() as u64) < sector || (order == 0 && !marked(file, &header, sector)?) {
            return Ok(missing());
        }
        let ids = bytes.chunks_exact(4).filter_map(|four| word(four, 0));
        let used = (0_u64..).zip(ids).filter(|(_, next)| *next != FREE).map(|(id, _)| id).last();
        if let Some(id) = used {
            last_used = order * (sector / 4) + id;
        }
    }
    // Some programs leave the last sector unfinished, but never out.
    match (last_used + 1) * sector < length {
        true => Ok(Ending::Whole),
        false => Ok(missing()),
    }
}

/// Whether the first sector of the table knows itself: in a file whose tail is still zeros it does not.
fn marked(file: &File, header: &[u8], sector: u64) -> io::Result<bool> {
    let Some(first) = word(header, 76) else { return Ok(false) };
    if u64::from(first) >= sector / 4 {
        return Ok(true); // It is told of in another part.
    }
    let at = (u64::from(first) + 1) * sector + u64::from(first) * 4;
    Ok(word(&window(file, at, 4)?, 0) == Some(TABLE))
}

fn missing() -> Ending {
    cut("旧格式工作簿缺少结尾部分", "the end of the workbook of the old format is missing")
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}
