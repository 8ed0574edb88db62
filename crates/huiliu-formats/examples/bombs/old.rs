//! Harmful workbooks of the old format (`.xls`), made record by record and sector by sector.

/// Bytes of a sector.
const SECTOR: usize = 512;
/// What stands for the end of a chain.
const END: u32 = 0xffff_fffe;
/// What stands for a sector that holds the table of chains.
const TABLE: u32 = 0xffff_fffd;
/// What stands for a sector that nothing uses.
const FREE: u32 = 0xffff_ffff;
/// Streams below this length would stand in small sectors.
const SHORTEST: usize = 4096;

/// A sheet with its first and its last cell.
pub(super) fn far() -> Vec<u8> {
    container(&workbook(&[], &[number(0, 0), number(u16::MAX, 255)].concat()), false)
}

/// A workbook whose table of texts claims four thousand million of them, the first of 65,535 letters, and holds none.
pub(super) fn claims() -> Vec<u8> {
    let table = record(0x00fc, &[&[0xff; 8][..], &[0xff, 0xff, 0]].concat());
    container(&workbook(&table, &record(0x00fd, &[0; 10])), false)
}

/// A workbook whose last sector is followed by its first.
pub(super) fn round() -> Vec<u8> {
    container(&workbook(&[], &number(0, 0)), true)
}

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

fn number(row: u16, column: u16) -> Vec<u8> {
    let place = [row, column, 0].map(u16::to_le_bytes).concat();
    record(0x0203, &[&place[..], &1_f64.to_le_bytes()].concat())
}

/// The records of a workbook of one sheet, filled up with zeros.
fn workbook(globals: &[u8], cells: &[u8]) -> Vec<u8> {
    let begin = |kind: u16| record(0x0809, &[0x0600, kind, 0, 0].map(u16::to_le_bytes).concat());
    let end = record(0x000a, &[]);
    let head = [&begin(5)[..], globals].concat();
    let name = b"\x01\0S";
    let at = head.len() + 4 + 6 + name.len() + end.len();
    let sheet = record(0x0085, &[&(at as u32).to_le_bytes()[..], &[0, 0], name].concat());
    let mut stream = [&head[..], &sheet, &end, &begin(0x10), cells, &end].concat();
    stream.resize(stream.len().max(SHORTEST).next_multiple_of(SECTOR), 0);
    stream
}

/// A container: its head, the table of chains, the directory, and the stream.
fn container(stream: &[u8], round: bool) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut head = vec![0; 24];
    head[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    head.extend([0x3e_u16, 3, 0xfffe, 9, 6, 0, 0, 0].map(u16::to_le_bytes).concat());
    head.extend(words(&[0, 1, 1, 0, SHORTEST as u32, END, 0, END, 0, 0]));
    head.resize(SECTOR, 0xff);
    let sectors = (stream.len() / SECTOR) as u32;
    let mut next = vec![TABLE, END];
    next.extend(3..2 + sectors);
    next.push(if round { 2 } else { END });
    next.resize(SECTOR / 4, FREE);
    // A stream that is said to be longer than its sectors, if they go round.
    let length = if round { u32::MAX } else { stream.len() as u32 };
    let mut directory = [entry("Root Entry", 5, END, 0), entry("Workbook", 2, 2, length)].concat();
    directory.resize(SECTOR, 0);
    [&head[..], &words(&next), &directory, stream].concat()
}

/// An entry of the directory.
fn entry(name: &str, kind: u8, start: u32, length: u32) -> Vec<u8> {
    let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bytes = entry.len() as u16 + 2;
    entry.resize(64, 0);
    entry.extend(bytes.to_le_bytes());
    entry.extend([kind, 1]);
    let child = if kind == 5 { 1 } else { FREE };
    entry.extend([FREE, FREE, child].map(u32::to_le_bytes).concat());
    entry.resize(116, 0);
    entry.extend([start, length, 0].map(u32::to_le_bytes).concat());
    entry
}
