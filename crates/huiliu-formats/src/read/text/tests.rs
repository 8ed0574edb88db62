//! One table in many encodings: the same batches; and bytes that mean nothing are told with their cells.

use std::io::Write;

use arrow::array::RecordBatch;
use encoding_rs::{BIG5, GB18030};
use huiliu_stage::Finding;

use crate::read::{ReadOptions, open_raw};
use crate::report::ReadReport;

fn read(bytes: &[u8]) -> (Vec<RecordBatch>, Vec<Finding>, ReadReport) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let mut reading = open_raw(file.path(), &ReadOptions::default()).unwrap();
    let (mut batches, mut findings) = (Vec::new(), Vec::new());
    for outcome in &mut reading {
        let outcome = outcome.unwrap();
        batches.push(outcome.batch);
        findings.extend(outcome.findings.0);
    }
    (batches, findings, reading.report().clone())
}

fn wide(text: &str, mark: bool, bytes: impl Fn(u32) -> Vec<u8>, four: bool) -> Vec<u8> {
    let mark = mark.then_some(0xfeff);
    match four {
        true => mark.into_iter().chain(text.chars().map(u32::from)).flat_map(bytes).collect(),
        false => mark.into_iter().chain(text.encode_utf16().map(u32::from)).flat_map(bytes).collect(),
    }
}

#[test]
fn one_table_gives_the_same_batches_in_every_encoding() {
    // Characters that all of them have.
    let text = "名稱,投資,地址\n工業園區一期,12.5,中山路100號\n污水處理中心,10,人民大道\n".repeat(40);
    let (expected, _, report) = read(text.as_bytes());
    assert_eq!((report.encoding.as_str(), report.encoding_by.as_str()), ("UTF-8", "strict"));
    let low = |unit: u32| unit.to_le_bytes()[..2].to_vec();
    let high = |unit: u32| unit.to_be_bytes()[2..].to_vec();
    for (name, bytes) in [
        ("GB18030", GB18030.encode(&text).0.into_owned()),
        ("Big5", BIG5.encode(&text).0.into_owned()),
        ("UTF-8", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("UTF-16LE", wide(&text, false, low, false)),
        ("UTF-16LE", wide(&text, true, low, false)),
        ("UTF-16BE", wide(&text, false, high, false)),
        ("UTF-16BE", wide(&text, true, high, false)),
        ("UTF-32LE", wide(&text, false, |unit| unit.to_le_bytes().to_vec(), true)),
        ("UTF-32LE", wide(&text, true, |unit| unit.to_le_bytes().to_vec(), true)),
        ("UTF-32BE", wide(&text, true, |unit| unit.to_be_bytes().to_vec(), true)),
    ] {
        let (batches, findings, report) = read(&bytes);
        assert_eq!(report.encoding, name);
        assert_eq!(batches, expected, "{name}");
        assert!(findings.iter().all(|finding| finding.code != "encoding"), "{name}");
    }
}

#[test]
fn every_cell_with_bad_bytes_is_told() {
    // More rows than a chunk holds, all of them in one block of the file: none may hide behind another.
    let text = "名称,投资\n".to_owned() + &"项目,1\n".repeat(6000);
    let mut bytes = GB18030.encode(&text).0.into_owned();
    let row = GB18030.encode("项目,1\n").0.len();
    let header = GB18030.encode("名称,投资\n").0.len();
    for at in [10, 2500, 5000] {
        bytes[header + at * row] = 0xff;
    }
    let (_, findings, _) = read(&bytes);
    let told = findings.iter().filter(|finding| finding.code == "encoding").count();
    assert_eq!(told, 3);
}

#[test]
fn rows_that_end_strangely_are_read_and_told_and_no_table_is_empty_without_a_word() {
    let (batches, findings, report) = read("id;name\u{2028}1;a\u{2028}2;b\u{2028}".as_bytes());
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    assert!(report.dialect.ends_with("line end U+2028"), "{}", report.dialect);
    assert!(findings.iter().any(|finding| finding.message.en.contains("U+2028")), "{findings:?}");
    let (batches, findings, _) = read(b"id,name\n");
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    assert!(findings.iter().any(|finding| finding.message.en.starts_with("no row of data")), "{findings:?}");
}

#[test]
fn two_byte_order_marks_are_no_part_of_the_first_name() {
    let text = "\u{feff}\u{feff}名称,投资\n项目,12.5\n基地,10\n";
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [text.as_bytes(), &utf_16] {
        let (batches, ..) = read(bytes);
        assert_eq!(batches[0].schema().field(0).name(), "名称");
    }
}
