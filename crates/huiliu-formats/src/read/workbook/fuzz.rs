//! Damaged workbooks of every kind: whatever is changed or cut, the answer is a table or a finding, never a panic.
//!
//! Bounded and repeatable: fixed seeds, some hundred variants of each small file. Parts of a package are also changed
//! before they are packed, since a changed byte of packed data rarely gets past its checksum.

use std::io::{Cursor, Read};

use rust_xlsxwriter::{Format, Formula, Workbook};

use super::tests::{all, open};
use super::*;
use crate::read::chance::Numbers;
use crate::read::package::tests::{file_of, zip_of};

const XLS: &[u8] = include_bytes!("../../../data/samples/small.xls");
const ODS: &[u8] = include_bytes!("../../../data/samples/small.ods");
/// Variants of each file.
const VARIANTS: u64 = 150;

/// Bytes that mean something to those who read workbooks.
const MARKS: &[u8] = b"<>/\"=&;09A\0\xff";

/// Reads all of a workbook as the reader does; both answers are right.
fn read(bytes: &[u8]) -> usize {
    let limits = Limits { max_sheet_cells: 5_000, max_unpacked_bytes: 8 << 20, ..Limits::default() };
    let Ok(mut source) = XlsxSource::open(file_of(bytes), &limits) else { return 0 };
    let names: Vec<String> = source.sheets().iter().map(|(name, _)| name.clone()).collect();
    let mut cells = 0;
    for name in names.iter().take(3) {
        let _ = source.first_rows(name);
        let _ = source.merges(name);
        cells += all(&mut source, name, 7).map_or(0, |(cells, _)| cells.len());
    }
    cells
}

fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    for row in 0..6 {
        sheet.write(row, 0, format!("示例{row}")).unwrap();
        sheet.write(row, 1, f64::from(row) * 1.25).unwrap();
        sheet.write_with_format(row, 2, 45_000 + row, &day).unwrap();
        sheet.write_formula(row, 3, Formula::new("B1*2").set_result("2.5")).unwrap();
    }
    sheet.merge_range(7, 0, 8, 2, "合并", &Format::new()).unwrap();
    sheet.set_row_hidden(2).unwrap();
    book.save_to_buffer().unwrap()
}

fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.name().unwrap().into_owned(), content)
        })
        .collect()
}

#[test]
fn small_files_of_each_kind_are_read() {
    for bytes in [XLS, ODS] {
        let mut source = open(bytes).unwrap();
        let name = source.sheets()[0].0.clone();
        let (mut cells, _) = all(&mut source, &name, 5).unwrap();
        cells.sort();
        let texts: Vec<&str> = cells.iter().map(|(.., text)| text.as_str()).collect();
        assert_eq!(
            texts[..8],
            ["项目名称", "总投资", "日期", "比例", "序号", "示例一", "1234.5", "2023-03-15"],
            "{}",
            source.format()
        );
    }
}

#[test]
fn changed_and_cut_files_never_panic() {
    for (seed, original) in [XLS.to_vec(), ODS.to_vec(), workbook()].iter().enumerate() {
        assert!(read(original) > 10);
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ seed as u64);
        for _ in 0..VARIANTS {
            read(&numbers.damage(original, MARKS));
        }
        for length in (0..original.len() - 512).step_by(original.len() / 60 + 1) {
            assert!(open(&original[..length]).is_err(), "{length} bytes");
        }
    }
}

#[test]
fn changed_parts_never_panic() {
    for (seed, original) in [ODS.to_vec(), workbook()].iter().enumerate() {
        let parts = unpacked(original);
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d ^ seed as u64);
        for _ in 0..VARIANTS {
            let mut changed = parts.clone();
            let index = numbers.next(changed.len());
            changed[index].1 = numbers.damage(&changed[index].1, MARKS);
            let entries: Vec<(&str, &[u8])> =
                changed.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
            read(&zip_of(&entries));
        }
    }
}
