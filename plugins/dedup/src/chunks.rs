//! The linkage's rows in chunks, from which it is taken up again after a start: made comparable already.
//!
//! | state key | value |
//! |---|---|
//! | `c/` + number (4 bytes) | [`ROWS`] rows of the linkage: a hash (8 bytes), for each row the id of its record (10 bytes) and a hash of its content (8 bytes), then what is compared, see [`chunk`](crate::link::chunk) |
//! | `c#` | how many chunks there are (4 bytes) |
//! | `j/` + number of a row (4 bytes) | the same two of a row that went to another record after its chunk was written |
//!
//! A chunk is written when its rows are complete, in the same delivery, and never changed; it is of use only behind all
//! chunks before it. Rows themselves stay where they are: what is lost or damaged here, or was written by another version,
//! is made from them, and said.

use std::sync::mpsc::sync_channel;

use hashbrown::HashMap;
use huiliu_stage::{Host, HostError, Level};
use xxhash_rust::xxh3::xxh3_64;

use crate::records::RecordId;

/// Rows of a chunk; a multiple of 256, which is how rows behind it are found.
pub(crate) const ROWS: u32 = if cfg!(test) { 256 } else { 4_096 };
/// Chunks that are written after one batch, where many are missing.
pub(crate) const AT_ONCE: u32 = 8;

const COUNT: &[u8] = b"c#";
const MOVED: &[u8] = b"j/";

/// Where a row belongs, and what it says.
pub(crate) type Entry = (RecordId, u64);

const WIDTH: usize = 18;

fn key(number: u32) -> Vec<u8> {
    [b"c/", number.to_be_bytes().as_slice()].concat()
}

/// How many chunks there are.
pub(crate) fn count(host: &dyn Host) -> Result<u32, HostError> {
    let kept = host.state_get(COUNT)?;
    Ok(kept.and_then(|kept| kept.try_into().ok()).map_or(0, u32::from_be_bytes))
}

/// Writes a chunk; it is the last one then.
pub(crate) fn put(host: &dyn Host, number: u32, rows: &[Entry], compared: &[u8]) -> Result<(), HostError> {
    let mut rest = Vec::with_capacity(rows.len() * WIDTH + compared.len());
    rows.iter().for_each(|entry| rest.extend_from_slice(&entry_bytes(*entry)));
    rest.extend_from_slice(compared);
    let head = xxh3_64(&rest[..rows.len() * WIDTH]).to_be_bytes();
    host.state_put(&key(number), &[head.as_slice(), &rest].concat())?;
    host.state_put(COUNT, &(number + 1).to_be_bytes())
}

/// Notes that a row of a chunk belongs to another record.
pub(crate) fn moved(host: &dyn Host, row: u32, entry: Entry) -> Result<(), HostError> {
    host.state_put(&[MOVED, row.to_be_bytes().as_slice()].concat(), &entry_bytes(entry))
}

/// The rows of a chunk and what is compared of them.
pub(crate) struct Kept {
    bytes: Vec<u8>,
    number: u32,
}

impl Kept {
    /// A chunk; `None` for one that is not there or damaged.
    fn get(host: &dyn Host, number: u32) -> Result<Option<Self>, HostError> {
        let Some(bytes) = host.state_get(&key(number))? else { return Ok(None) };
        let kept = Self { bytes, number };
        let sound = kept.bytes.split_first_chunk::<8>().and_then(|(head, rest)| {
            let rows = rest.get(..ROWS as usize * WIDTH)?;
            (u64::from_be_bytes(*head) == xxh3_64(rows)).then_some(())
        });
        Ok(sound.map(|()| kept))
    }

    /// Its rows, as they are now.
    pub(crate) fn rows(&self, moved: &HashMap<u32, Entry>) -> Vec<Entry> {
        let kept = self.bytes.get(8..8 + ROWS as usize * WIDTH).unwrap_or_default();
        let (rows, _) = kept.as_chunks::<WIDTH>();
        let first = self.number * ROWS;
        (first..)
            .zip(rows)
            .map(|(row, kept)| moved.get(&row).copied().unwrap_or_else(|| entry(kept)))
            .collect()
    }

    /// What is compared of them.
    pub(crate) fn compared(&self) -> &[u8] {
        self.bytes.get(8 + ROWS as usize * WIDTH..).unwrap_or_default()
    }
}

/// Gives so many chunks in their order, reading ahead on another thread, until one is missing, damaged or not wanted; tells
/// whether all were given.
pub(crate) fn each(
    host: &dyn Host,
    chunks: u32,
    mut give: impl FnMut(&Kept) -> Option<()>,
) -> Result<bool, HostError> {
    std::thread::scope(|scope| {
        let (send, read) = sync_channel(1);
        scope.spawn(move || {
            // Nobody receives any more where a chunk was not wanted.
            let _ = (0..chunks).try_for_each(|number| send.send(Kept::get(host, number)));
        });
        for kept in &read {
            let Some(kept) = kept? else { return Ok(false) };
            if give(&kept).is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// Rows that went to another record since their chunk was written.
pub(crate) fn all_moved(host: &dyn Host) -> Result<HashMap<u32, Entry>, HostError> {
    let mut all = HashMap::new();
    host.state_scan(MOVED, &mut |key, value| {
        let row = key.last_chunk::<4>().map(|row| u32::from_be_bytes(*row));
        all.extend(row.zip(value.try_into().ok().map(entry)));
        true
    })?;
    Ok(all)
}

/// Says that chunks were of no use.
pub(crate) fn say_useless(host: &dyn Host) {
    let text =
        "the kept index of record linkage is damaged or of other settings; it is made anew from the rows";
    host.log(Level::Warn, text);
}

fn entry_bytes((id, content): Entry) -> [u8; WIDTH] {
    let mut out = [0; WIDTH];
    out[..10].copy_from_slice(&id.bytes());
    out[10..].copy_from_slice(&content.to_be_bytes());
    out
}

fn entry(kept: &[u8; WIDTH]) -> Entry {
    let (mut id, mut content) = ([0; 10], [0; 8]);
    id.copy_from_slice(&kept[..10]);
    content.copy_from_slice(&kept[10..]);
    (RecordId::from_bytes(id), u64::from_be_bytes(content))
}
