//! What is whole and what is cut off, kind by kind.

use std::io::Write;

use super::*;
use crate::read::package::tests::{file_of, zip_of};

fn ending(bytes: &[u8]) -> Ending {
    check(&file_of(bytes), Depth::Whole).unwrap()
}

#[track_caller]
fn assert_cut(bytes: &[u8], what: &str) {
    let found = ending(bytes);
    assert!(matches!(found, Ending::Cut(_)), "{what} is cut off");
}

#[track_caller]
fn assert_whole(bytes: &[u8], what: &str) {
    assert_eq!(ending(bytes), Ending::Whole, "{what} is whole");
}

/// A file of its full size whose tail was not written yet.
fn with_zero_tail(bytes: &[u8], written: usize) -> Vec<u8> {
    let mut torn = bytes.to_vec();
    torn[written..].fill(0);
    torn
}

#[test]
fn a_zip_is_cut_off_wherever_it_breaks_off() {
    let long: Vec<u8> = (0..20_000_u32).flat_map(|n| (n * 7919).to_le_bytes()).collect();
    let whole = zip_of(&[("a.xml", &long), ("b.xml", b"<b/>")]);
    assert_whole(&whole, "a zip");
    for part in 1..40 {
        let at = whole.len() * part / 40;
        assert_cut(&whole[..at], &format!("{at} of {} bytes", whole.len()));
        assert_cut(&with_zero_tail(&whole, at), &format!("{at} of {} bytes, then zeros", whole.len()));
    }
    let mut hole = whole.clone();
    hole[5000..9096].fill(0);
    assert_cut(&hole, "a block that was not written");
}

#[test]
fn texts_are_cut_off_where_their_last_piece_is_missing() {
    let table = "项目名称,总投资,备注\n甲,5,\n乙,6,\n丙,7,好\n";
    for (whole, text) in [
        ("a table", table.as_bytes().to_vec()),
        ("a table without the last line end", table.trim_end().as_bytes().to_vec()),
        ("a table with a footer", format!("{table}填报人：张三").into_bytes()),
        ("a table with a note", format!("{table}注 数据截至四月").into_bytes()),
        ("a table in GBK", encoding_rs::GB18030.encode(table.trim_end()).0.into_owned()),
        ("lines of JSON", b"{\"a\":1}\n{\"a\":2}".to_vec()),
        ("a JSON array", b"[\n {\"a\": [1]},\n {\"a\": [2]}\n]\n".to_vec()),
        ("a JSON object", b"{\n \"a\": {\"b\": 1}\n}".to_vec()),
        ("XML", b"<?xml version=\"1.0\"?><!-- x --><r a=\"1\"><c/></r >\n<!-- y -->\n".to_vec()),
        ("an empty root", b"<r a='1'/>".to_vec()),
        ("wrong JSON", b"[{\"a\": x}]".to_vec()),
        ("UTF-16", table.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("one line", "only words".as_bytes().to_vec()),
        ("nothing", Vec::new()),
    ] {
        assert_whole(&text, whole);
    }
    for (cut, text) in [
        ("a last row that is too narrow", "项目名称,总投资,备注\n甲,5,\n乙,6,\n丙,7".as_bytes().to_vec()),
        ("the same in GBK", encoding_rs::GB18030.encode("名称,额,注\n甲,5,\n乙,6,\n丙").0.into_owned()),
        ("zeros behind a table", [table.as_bytes(), &[0; 40]].concat()),
        ("a single zero", [table.as_bytes(), &[0]].concat()),
        ("nothing but zeros", vec![0; 5000]),
        ("a line of JSON", b"{\"a\":1}\n{\"a\":".to_vec()),
        ("a JSON array", b"[\n {\"a\": [1]},\n {\"a\": [2]".to_vec()),
        ("a JSON array that ends in another bracket", b"[{\"a\": [1]".to_vec()),
        ("a JSON object", b"{\n \"a\": {\"b\": 1}\n".to_vec()),
        ("XML", b"<?xml version=\"1.0\"?><r><c/><c>".to_vec()),
        ("XML behind an inner end", b"<r><c></c>".to_vec()),
        ("zeros behind UTF-16", table.encode_utf16().flat_map(u16::to_le_bytes).chain([0; 8]).collect()),
    ] {
        assert_cut(&text, cut);
    }
}

#[test]
fn the_row_behind_which_it_is_cut_off_is_told() {
    let rows: String = (0..812).map(|n| format!("{n},甲,乙\n")).collect();
    let finding = ending(format!("{rows}812,甲").as_bytes()).finding().unwrap();
    assert_eq!(
        finding.message.in_language("en"),
        "the file seems incomplete: it looks cut off after row 812; check its last rows and send the whole file if any are missing"
    );
    assert!(finding.message.in_language("zh").contains("在第 812 行之后被截断"));
}

#[test]
fn an_old_workbook_is_cut_off_when_a_sector_in_use_is_missing() {
    // Header, one sector of the allocation table, three sectors of content.
    let mut whole = vec![0_u8; 512 * 5];
    whole[..8].copy_from_slice(OLE2);
    whole[30] = 9;
    whole[76..512].fill(0xff);
    whole[76..80].copy_from_slice(&0_u32.to_le_bytes());
    whole[512..1024].fill(0xff);
    for (id, next) in [(0, 0xffff_fffd_u32), (1, 2), (2, 3), (3, 0xffff_fffe)] {
        whole[512 + 4 * id..516 + 4 * id].copy_from_slice(&next.to_le_bytes());
    }
    assert_whole(&whole, "an old workbook");
    assert_whole(&whole[..whole.len() - 100], "one whose last sector is short");
    for length in [600, 1024, 1500, 2048] {
        assert_cut(&whole[..length], &format!("{length} bytes of it"));
    }
    assert_cut(&with_zero_tail(&whole, 512), "zeros behind the header");
}

#[test]
fn looking_at_both_ends_alone_reads_no_entries() {
    let mut hole = zip_of(&[("a.xml", &[7; 9000])]);
    hole[40] ^= 0xff;
    let mut file = file_of(&hole);
    file.flush().unwrap();
    assert_eq!(check(&file, Depth::Ends).unwrap(), Ending::Whole);
    assert!(matches!(check(&file, Depth::Whole).unwrap(), Ending::Cut(_)));
}
