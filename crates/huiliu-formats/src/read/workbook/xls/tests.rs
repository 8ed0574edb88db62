//! Old workbooks made record by record, whole, damaged and lying.

use super::*;
use crate::read::chance::Numbers;

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    [kind.to_le_bytes().as_slice(), &length.to_le_bytes(), data].concat()
}

fn halves(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn begin(version: u16, kind: u16) -> Vec<u8> {
    record(0x0809, &halves(&[version, kind, 0, 0]))
}

/// A workbook of one sheet: what all sheets share, and the records of the sheet.
fn workbook(version: u16, globals: &[Vec<u8>], sheet: &[Vec<u8>]) -> Vec<u8> {
    let name: &[u8] = if version == 0x0600 { b"\x01\0S" } else { b"\x01S" };
    let mut stream = [begin(version, 5), globals.concat()].concat();
    let at = stream.len() + 4 + 6 + name.len() + 4;
    let bound = [&u32::try_from(at).unwrap().to_le_bytes()[..], &[0, 0], name].concat();
    stream.extend([record(0x85, &bound), record(0x000a, &[])].concat());
    assert_eq!(stream.len(), at);
    stream.extend([begin(version, 0x10), sheet.concat(), record(0x000a, &[])].concat());
    stream
}

fn number(row: u16, column: u16, style: u16, value: f64) -> Vec<u8> {
    record(0x203, &[halves(&[row, column, style]), value.to_le_bytes().to_vec()].concat())
}

fn formula(row: u16, column: u16, result: [u8; 8]) -> Vec<u8> {
    record(0x0006, &[halves(&[row, column, 0]), result.to_vec(), vec![0; 8]].concat())
}

/// The rows of the first sheet: `row[ hidden]: column=text … ! column=error … ? uncomputed …`.
fn rows(stream: &[u8]) -> Vec<String> {
    let mut book = Xls::of(stream.to_vec(), &Limits::default());
    let Some((name, _)) = book.sheets().first().cloned() else { return Vec::new() };
    let Ok(()) = book.start(&name) else { return Vec::new() };
    let (mut row, mut text, mut all) = (Row::default(), String::new(), Vec::new());
    while book.next_row(&mut row, &mut text).unwrap() {
        let shown = |cells: &[(u32, Span)]| {
            cells.iter().map(|(column, span)| format!(" {column}={}", span.of(&text))).collect::<String>()
        };
        let mut line =
            format!("{}{}:{}", row.number, if row.hidden { " hidden" } else { "" }, shown(&row.cells));
        if !row.errors.is_empty() {
            line += &format!(" !{}", shown(&row.errors));
        }
        if !row.uncomputed.is_empty() {
            line += &format!(" ? {:?}", row.uncomputed);
        }
        if !row.lost.is_empty() {
            line += &format!(" lost {:?}", row.lost);
        }
        all.push(line);
    }
    all
}

/// Cells of every kind, in a workbook of Excel 97.
fn every_kind() -> Vec<u8> {
    let texts = [
        &[2, 0, 0, 0, 2, 0, 0, 0][..],
        &[2, 0, 1, 0x2d, 0x4e, 0x87, 0x65],
        &[2, 0, 8, 1, 0, b'a', b'b', 0, 0, 0, 0],
    ];
    let percent = [&halves(&[164, 4])[..], &[0], b"0.0%"].concat();
    let globals = [
        record(0x41e, &percent),
        record(0xe0, &halves(&[0, 0])),
        record(0xe0, &halves(&[0, 164])),
        record(0xfc, &texts.concat()),
    ];
    let shared = |column: u16, index: u32| {
        record(0xfd, &[halves(&[0, column, 0]), index.to_le_bytes().to_vec()].concat())
    };
    let result = |text: &str| {
        let length = u16::try_from(text.len()).unwrap();
        record(0x207, &[&halves(&[length])[..], &[0], text.as_bytes()].concat())
    };
    let sheet = [
        shared(0, 0),
        shared(1, 1),
        shared(2, 9),
        number(1, 0, 1, 0.358),
        record(0x27e, &[halves(&[1, 1, 0]), (7_u32 << 2 | 2).to_le_bytes().to_vec()].concat()),
        record(
            0xbd,
            &[
                halves(&[1, 2]),
                halves(&[0]),
                (150_u32 << 2 | 3).to_le_bytes().to_vec(),
                halves(&[1]),
                (1_u32 << 2 | 2).to_le_bytes().to_vec(),
                halves(&[3]),
            ]
            .concat(),
        ),
        record(0x205, &[halves(&[2, 0, 0]), vec![1, 0]].concat()),
        record(0x205, &[halves(&[2, 1, 0]), vec![0x17, 1]].concat()),
        record(0x204, &[&halves(&[2, 2, 0, 2])[..], &[0], b"xy"].concat()),
        formula(3, 0, 12.5_f64.to_le_bytes()),
        formula(3, 1, [0, 0, 0, 0, 0, 0, 0xff, 0xff]),
        result("sum"),
        formula(3, 2, [2, 0, 0x07, 0, 0, 0, 0xff, 0xff]),
        formula(3, 3, [3, 0, 0, 0, 0, 0, 0xff, 0xff]),
        record(0x208, &halves(&[2, 0, 9, 0, 0, 0, 0x20, 0])),
        record(0x7d, &halves(&[2, 3, 0, 0, 1])),
        record(0xe5, &halves(&[2, 4, 5, 0, 1, 5, 4, 0, 1])),
        begin(0x0600, 0x20),
        number(0, 5, 0, 99.0),
        record(0x000a, &[]),
        number(0, 6, 0, 5.0),
    ];
    workbook(0x0600, &globals, &sheet)
}

#[test]
fn cells_of_every_kind_are_read_and_charts_are_not() {
    assert_eq!(
        rows(&every_kind()),
        [
            "1: 0=中文 1=ab 6=5 lost [2]",
            "2: 0=35.8% 1=7 2=1.5 3=100%",
            "3 hidden: 0=true 2=xy ! 1=#REF!",
            "4: 0=12.5 1=sum ! 2=#DIV/0!"
        ]
    );
    let mut book = Xls::of(every_kind(), &Limits::default());
    // A range that ends before it begins is none.
    assert_eq!(book.merges("S").unwrap().len(), 1);
    assert_eq!(book.hidden_columns(), [(2, 3)]);
}

#[test]
fn a_text_goes_on_in_further_records() {
    let texts = |wide: &[u8]| [&[1, 0, 0, 0, 1, 0, 0, 0, 4, 0][..], wide].concat();
    // Two characters in low bytes, then two in UTF-16.
    let globals = [record(0xfc, &texts(&[0, b'a', b'b'])), record(0x3c, &[1, 0x2d, 0x4e, 0x87, 0x65])];
    let sheet = [record(0xfd, &halves(&[0, 0, 0, 0, 0]))];
    assert_eq!(rows(&workbook(0x0600, &globals, &sheet)), ["1: 0=ab中文"]);
    // One that ends too early gives what is there.
    assert_eq!(rows(&workbook(0x0600, &globals[..1], &sheet)), ["1: 0=ab"]);
}

#[test]
fn a_workbook_of_excel_95_is_read_in_the_code_page_of_its_writer() {
    let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
    let label = |column: u16, text: &str| {
        let bytes = gbk(text);
        record(0x204, &[halves(&[0, column, 0, u16::try_from(bytes.len()).unwrap()]), bytes].concat())
    };
    let code = gbk("0.00\"亿\"");
    let format = [&halves(&[164])[..], &[u8::try_from(code.len()).unwrap()], &code].concat();
    let globals = [
        record(0x22, &[1, 0]),
        record(0x42, &halves(&[936])),
        record(0x41e, &format),
        record(0xe0, &halves(&[0, 0])),
        record(0xe0, &halves(&[0, 164])),
    ];
    let stream =
        workbook(0x0500, &globals, &[label(0, "项目名称"), number(0, 1, 1, 1.5), number(0, 2, 0, 43_538.0)]);
    assert_eq!(rows(&stream), ["1: 0=项目名称 1=1.5亿 2=43538"]);
    let mut book = Xls::of(stream, &Limits::default());
    book.expect_dates(vec![2]);
    book.start("S").unwrap();
    let (mut row, mut text) = (Row::default(), String::new());
    assert!(book.next_row(&mut row, &mut text).unwrap());
    assert!(text.ends_with("2023-03-15"), "{text}");
}

#[test]
fn formulas_that_nobody_computed_are_told_from_those_that_give_nothing() {
    let nothing = [3, 0, 0, 0, 0, 0, 0xff, 0xff];
    let none = workbook(0x0600, &[], &[formula(0, 0, nothing), formula(0, 1, nothing), number(0, 2, 0, 1.0)]);
    assert_eq!(rows(&none), ["1: 2=1 ? [0, 1]"]);
    let some = workbook(0x0600, &[], &[formula(0, 0, nothing), formula(0, 1, 2.0_f64.to_le_bytes())]);
    assert_eq!(rows(&some), ["1: 1=2"]);
}

#[test]
fn cells_out_of_order_are_put_in_order_and_the_last_of_two_counts() {
    let sheet = [number(5, 0, 0, 1.0), number(2, 3, 0, 2.0), number(2, 1, 0, 3.0), number(2, 3, 0, 4.0)];
    assert_eq!(rows(&workbook(0x0600, &[], &sheet)), ["3: 1=3 3=4", "6: 0=1"]);
}

#[test]
fn what_a_sheet_claims_takes_no_memory_and_a_row_has_a_bound() {
    let claims = record(0x200, &[&u32::MAX.to_le_bytes()[..]; 4].concat()[..14]);
    let sheet = [claims, number(0, 0, 0, 1.0), number(u16::MAX, u16::MAX, 0, 2.0)];
    assert_eq!(rows(&workbook(0x0600, &[], &sheet)), ["1: 0=1", "65536: 65535=2"]);
    // Cells of one row that share a long text.
    let text = [&[1, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0][..], &[b'x'; 4096]].concat();
    let sheet: Vec<Vec<u8>> = (0..300).map(|column| record(0xfd, &halves(&[0, column, 0, 0, 0]))).collect();
    let limits = Limits { max_row_bytes: 1 << 20, ..Limits::default() };
    let mut book = Xls::of(workbook(0x0600, &[record(0xfc, &text)], &sheet), &limits);
    book.start("S").unwrap();
    assert!(book.next_row(&mut Row::default(), &mut String::new()).is_err());
}

#[test]
fn cut_and_changed_streams_are_read_as_far_as_they_go() {
    let whole = every_kind();
    for length in 0..whole.len() {
        assert!(rows(&whole[..length]).len() <= 5, "{length}");
    }
    let mut numbers = Numbers(0x51_7c_c1_b7_27_22_0a_95);
    for _ in 0..3000 {
        rows(&numbers.damage(&whole, &[0, 1, 2, 3, 8, 0xff, 0x3c, 0xfc, 0xfd]));
    }
}
