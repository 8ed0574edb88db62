//! What a package may not do, with bombs made here.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

/// A zip of the given entries.
pub(crate) fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A zip with one entry of `megabytes` times the same byte, and others.
pub(crate) fn zip_with_run(name: &str, megabytes: usize, others: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .large_file(true);
    for (name, bytes) in others {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.start_file(name, options).unwrap();
    let block = vec![b'0'; 1 << 20];
    for _ in 0..megabytes {
        writer.write_all(&block).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn open(bytes: &[u8]) -> Result<Package, ReadError> {
    Package::open(file_of(bytes), &Limits::default())
}

fn refusal(bytes: &[u8]) -> String {
    match open(bytes) {
        Ok(package) => panic!("taken: {:?}", package.names().collect::<Vec<_>>()),
        Err(error) => error.to_string(),
    }
}

fn read_all(package: &Package, name: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut package.entry(name).unwrap().unwrap(), &mut bytes)?;
    Ok(bytes)
}

/// One packed run of zeros, named by as many entries of the directory as asked for (all share its bytes).
fn overlapping_bomb(copies: u16) -> Vec<u8> {
    let one = zip_with_run("a", 20, &[]);
    let directory = memchr::memmem::rfind(&one, b"PK\x01\x02").unwrap();
    let end = memchr::memmem::rfind(&one, b"PK\x05\x06").unwrap();
    let record = one[directory..end].to_vec();
    let mut bytes = one[..directory].to_vec();
    for copy in 0..copies {
        let mut record = record.clone();
        record[46] = b'a' + (copy % 26) as u8;
        let digits = format!("{copy:04}");
        let name_length = u16::from_le_bytes([record[28], record[29]]) + 4;
        record[28..30].copy_from_slice(&name_length.to_le_bytes());
        record.splice(47..47, digits.bytes());
        bytes.extend(record);
    }
    let size = (bytes.len() - directory) as u32;
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(copies.to_le_bytes());
    bytes.extend(copies.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend((directory as u32).to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn entries_are_found_whatever_their_case_and_read_whole() {
    let package = open(&zip_of(&[("xl/Workbook.xml", b"<a/>"), ("b\\c.txt", b"text")])).unwrap();
    assert_eq!(package.names().collect::<Vec<_>>(), ["xl/Workbook.xml", "b/c.txt"]);
    assert_eq!(read_all(&package, "/XL/workbook.xml").unwrap(), b"<a/>");
    assert_eq!(read_all(&package, "b/c.txt").unwrap(), b"text");
    assert_eq!(package.size("b/c.txt"), Some(4));
    assert!(package.entry("none").unwrap().is_none());
}

#[test]
fn forty_two_kilobytes_that_would_become_four_gigabytes_are_refused() {
    let bomb = overlapping_bomb(220);
    assert!(bomb.len() < 42 << 10, "{}", bomb.len());
    let said = refusal(&bomb);
    assert!(said.contains("200 times") || said.contains("unpacked size"), "{said}");
}

#[test]
fn entries_that_share_bytes_are_refused_even_if_small() {
    let one = zip_of(&[("a", &[7; 900]), ("b", &[7; 900])]);
    let first = memchr::memmem::find(&one, b"PK\x01\x02").unwrap();
    let second = memchr::memmem::rfind(&one, b"PK\x01\x02").unwrap();
    let mut bytes = one.clone();
    let place: [u8; 4] = one[first + 42..first + 46].try_into().unwrap();
    bytes[second + 42..second + 46].copy_from_slice(&place);
    assert!(refusal(&bytes).contains("share bytes"));
}

#[test]
fn half_a_gigabyte_out_of_half_a_megabyte_is_refused() {
    let bomb = zip_with_run("xl/worksheets/sheet1.xml", 500, &[("xl/workbook.xml", b"<workbook/>")]);
    assert!(bomb.len() < 600 << 10);
    assert!(refusal(&bomb).contains("`xl/worksheets/sheet1.xml` unpacks to more than 200 times"));
}

#[test]
fn sizes_that_lie_give_what_was_declared_and_an_error() {
    let honest = zip_of(&[("a", &[5; 100_000])]);
    let directory = memchr::memmem::rfind(&honest, b"PK\x01\x02").unwrap();
    for (declared, expected) in [(10_u32, "larger than it says"), (200_000, "cut off")] {
        let mut lying = honest.clone();
        lying[directory + 24..directory + 28].copy_from_slice(&declared.to_le_bytes());
        let error = read_all(&open(&lying).unwrap(), "a").unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let mut lying = honest.clone();
    lying[directory + 16] ^= 1;
    assert!(read_all(&open(&lying).unwrap(), "a").unwrap_err().to_string().contains("checksum"));
    let mut lying = honest;
    lying[directory + 20..directory + 24].copy_from_slice(&900_000_u32.to_le_bytes());
    let _ = refusal(&lying);
}

#[test]
fn ten_thousand_and_one_entries_are_refused() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for number in 0..10_001 {
        writer.start_file(format!("{number}"), options).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    assert!(refusal(&bytes).contains("the number of files in the package exceeds the limit of 10000"));
}

#[test]
fn paths_that_lead_outside_and_links_are_refused() {
    for name in ["../a", "a/../../b", "/etc/passwd", "C:\\a", "..\\a", "\\\\host\\a"] {
        assert!(refusal(&zip_of(&[(name, b"x")])).contains("leads outside"), "{name}");
    }
    assert!(refusal(&zip_of(&[(&*"x".repeat(5000), b"x")])).contains("too long"));
    assert!(open(&zip_of(&[("1:清单.csv", b"x")])).is_ok(), "a number is no drive");
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_symlink("a", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    assert!(refusal(&writer.finish().unwrap().into_inner()).contains("is a link"));
    assert!(open(&zip_of(&[("a..b/c...xml", b"x")])).is_ok());
}

#[test]
fn two_entries_of_one_name_are_refused_by_name() {
    let mut bytes = zip_of(&[("清单/一.csv", b"one"), ("清单/二.csv", b"two"), ("其他.csv", b"x")]);
    let (second, first) = ("二.csv".as_bytes(), "一.csv".as_bytes());
    while let Some(at) = memchr::memmem::find(&bytes, second) {
        bytes[at..at + first.len()].copy_from_slice(first);
    }
    let said = refusal(&bytes);
    assert!(said.contains("two files of the package are named `清单/一.csv`"), "{said}");
    let said = refusal(&[b"before".as_slice(), &bytes].concat());
    assert!(said.contains("`清单/一.csv`"), "{said}");
}

#[test]
fn encrypted_entries_and_cut_files_are_named_as_such() {
    let mut bytes = zip_of(&[("a", b"secret")]);
    let directory = memchr::memmem::rfind(&bytes, b"PK\x01\x02").unwrap();
    bytes[directory + 8] |= 1;
    assert!(refusal(&bytes).contains("password"));
    let whole = zip_of(&[("a", &[9; 5000]), ("b", b"text")]);
    assert!(refusal(&whole[..whole.len() - 23]).contains("cut off"));
    assert!(refusal(&whole[..10]).contains("cut off"));
}

proptest! {
    #[test]
    fn any_damage_is_an_error_or_the_declared_bytes(at in 0_usize..400, bit in 0_u8..8) {
        let mut bytes = zip_of(&[("one.xml", &[b'1'; 300]), ("two.xml", b"<some>text</some>")]);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(package) = open(&bytes) {
            for name in package.names().map(str::to_owned).collect::<Vec<_>>() {
                if let Ok(Some(mut entry)) = package.entry(&name) {
                    let size = package.size(&name).unwrap();
                    let mut given = Vec::new();
                    if std::io::Read::read_to_end(&mut entry, &mut given).is_ok() {
                        prop_assert_eq!(given.len() as u64, size);
                    }
                }
            }
        }
    }
}
