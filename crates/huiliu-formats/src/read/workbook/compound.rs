//! OLE2 containers, as far as old workbooks need them.
//!
//! An old workbook (`.xls`, WPS `.et`) is a container with a stream `Workbook`; a new one under a password is a container
//! with a stream `EncryptedPackage`. Chains of sectors are followed with a bound, so that a loop or a cut
//! file is an error here. The stream's records are walked once for a password and for an end that is missing.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::xls::{half, word};
use crate::read::error::ReadError;

/// First bytes of a container.
pub(super) const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// Largest container that is read; sheets of the old format have 65,536 rows.
const MOST_BYTES: u64 = 64 << 20;
/// Sectors from here on are marks, such as the end of a chain.
const MARKS: u32 = 0xffff_fffa;

/// Whether a container's bytes are an old workbook that can be read; gives its records.
pub(super) fn check(file: &File) -> Result<Vec<u8>, ReadError> {
    let length = file.metadata().map_err(|e| ReadError::io(&e))?.len();
    if length > MOST_BYTES {
        return Err(ReadError::too_large(
            "旧格式工作簿的大小（字节）",
            "the size of an old workbook in bytes",
            MOST_BYTES,
        ));
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, 0).map_err(|e| ReadError::io(&e))?;
    let container = Container::open(&bytes)?;
    if container.find("EncryptedPackage").is_some() || container.find("EncryptionInfo").is_some() {
        return Err(ReadError::encrypted());
    }
    let Some(stream) = container.find("Workbook").or_else(|| container.find("Book")) else {
        return Err(match container.find("WordDocument") {
            Some(_) => ReadError::wrong_type("Word 文档", "a text document"),
            None => match container.find("PowerPoint Document") {
                Some(_) => ReadError::wrong_type("演示文稿", "a presentation"),
                None => ReadError::wrong_type("无法识别的文件", "a file of no known kind"),
            },
        });
    };
    let records = container.read(stream)?;
    check_records(&records)?;
    Ok(records)
}

/// An entry of the container's directory.
#[derive(Clone, Copy, Debug)]
struct Stream {
    start: u32,
    length: usize,
}

struct Container<'a> {
    bytes: &'a [u8],
    sector: usize,
    /// The sector behind each sector.
    next: Vec<u32>,
    /// The same for the small sectors, and the stream they stand in.
    small_next: Vec<u32>,
    small: Vec<u8>,
    directory: Vec<(String, Stream)>,
}

impl<'a> Container<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, ReadError> {
        let sector = match half(bytes, 30) {
            Some(9) => 512,
            Some(12) => 4096,
            _ => return Err(cut_off()),
        };
        let mut container = Self {
            bytes,
            sector,
            next: Vec::new(),
            small_next: Vec::new(),
            small: Vec::new(),
            directory: Vec::new(),
        };
        container.read_chains()?;
        // Every sector that is in use must begin within the file.
        let last = container.next.iter().rposition(|next| *next != u32::MAX).unwrap_or(0);
        if last.saturating_add(1).saturating_mul(sector) >= bytes.len() {
            return Err(cut_off());
        }
        let directory = container.chain(word(bytes, 48).ok_or_else(cut_off)?, usize::MAX)?;
        container.directory = directory.chunks_exact(128).map(entry).collect();
        let root = container.directory.first().map(|(_, stream)| *stream).ok_or_else(cut_off)?;
        if word(bytes, 64).is_some_and(|sectors| sectors > 0) {
            container.small = container.chain(root.start, root.length)?;
            let chain = container.chain(word(bytes, 60).ok_or_else(cut_off)?, usize::MAX)?;
            container.small_next = words(&chain).collect();
        }
        Ok(container)
    }

    /// The table of chains stands in sectors that the header names, and further ones in a chain of lists.
    fn read_chains(&mut self) -> Result<(), ReadError> {
        let most = self.bytes.len() / self.sector + 1;
        let mut places: Vec<u32> = words(self.bytes.get(76..512).ok_or_else(cut_off)?).collect();
        let mut list = word(self.bytes, 68).ok_or_else(cut_off)?;
        let mut lists = 0;
        while list < MARKS {
            lists += 1;
            if lists > most {
                return Err(cut_off());
            }
            places.extend(words(self.sector(list)?));
            list = places.pop().ok_or_else(cut_off)?;
        }
        for place in places.into_iter().filter(|place| *place < MARKS) {
            if self.next.len() > most.saturating_mul(2) + self.sector {
                return Err(cut_off());
            }
            let sector = self.sector(place)?;
            self.next.extend(words(sector));
        }
        Ok(())
    }

    fn sector(&self, id: u32) -> Result<&'a [u8], ReadError> {
        let start =
            (id as usize).checked_add(1).and_then(|n| n.checked_mul(self.sector)).ok_or_else(cut_off)?;
        let end = start.saturating_add(self.sector).min(self.bytes.len());
        self.bytes.get(start..end).filter(|sector| !sector.is_empty()).ok_or_else(cut_off)
    }

    /// The bytes of a chain of sectors.
    fn chain(&self, first: u32, length: usize) -> Result<Vec<u8>, ReadError> {
        let (mut bytes, mut id, mut steps) = (Vec::new(), first, 0);
        while id < MARKS && bytes.len() < length {
            steps += 1;
            if steps > self.next.len() {
                return Err(cut_off());
            }
            bytes.extend_from_slice(self.sector(id)?);
            id = *self.next.get(id as usize).ok_or_else(cut_off)?;
        }
        if length != usize::MAX && bytes.len() < length {
            return Err(cut_off());
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    fn find(&self, name: &str) -> Option<Stream> {
        self.directory.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, stream)| *stream)
    }

    fn read(&self, stream: Stream) -> Result<Vec<u8>, ReadError> {
        if stream.length >= 4096 {
            return self.chain(stream.start, stream.length);
        }
        let (mut bytes, mut id) = (Vec::new(), stream.start as usize);
        while bytes.len() < stream.length {
            let start = id.checked_mul(64).ok_or_else(cut_off)?;
            bytes.extend_from_slice(self.small.get(start..start + 64).ok_or_else(cut_off)?);
            id = *self.small_next.get(id).ok_or_else(cut_off)? as usize;
        }
        bytes.truncate(stream.length);
        Ok(bytes)
    }
}

fn entry(bytes: &[u8]) -> (String, Stream) {
    let units = bytes.get(..64).unwrap_or_default().chunks_exact(2);
    let units: Vec<u16> =
        units.map(|pair| half(pair, 0).unwrap_or(0)).take_while(|unit| *unit != 0).collect();
    let stream = Stream {
        start: word(bytes, 116).unwrap_or(u32::MAX),
        length: word(bytes, 120).unwrap_or(0) as usize,
    };
    (String::from_utf16_lossy(&units), stream)
}

/// Walks the records of a workbook: all of them must be there, and none may tell of a password.
fn check_records(stream: &[u8]) -> Result<(), ReadError> {
    const PASSWORD: u16 = 0x002f;
    let mut at = 0;
    while let (Some(kind), Some(length)) = (half(stream, at), half(stream, at + 2)) {
        let Some(data) = stream.get(at + 4..at + 4 + usize::from(length)) else {
            // Only zeros may follow the last sheet.
            return if kind == 0 { Ok(()) } else { Err(cut_off()) };
        };
        if kind == PASSWORD && data.iter().any(|byte| *byte != 0) {
            return Err(ReadError::encrypted());
        }
        at += 4 + usize::from(length);
    }
    Ok(())
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).filter_map(|chunk| word(chunk, 0))
}

fn cut_off() -> ReadError {
    ReadError::new(
        "旧格式工作簿（.xls / .et）不完整或已损坏；请用表格软件打开，另存为 .xlsx 后上传",
        "the workbook of the old format (.xls, .et) is cut off or damaged; open it, save it as .xlsx and send that",
    )
}
