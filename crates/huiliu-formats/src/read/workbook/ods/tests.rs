//! Tables of OpenDocument as programs write them.

use super::*;
use crate::read::options::Limits;
use crate::read::package::tests::{file_of, zip_of};
use crate::read::workbook::XlsxSource;

const PART: &str = "<office:document-content><style:style style:name=\"h\"><style:table-properties table:display=\"false\"/></style:style>\
        <table:table table:name=\"一\"><table:table-column/><table:table-column table:visibility=\"collapse\"/>\
        <table:table-row table:number-rows-repeated=\"3\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>\
        <table:table-row table:number-rows-repeated=\"2\"><table:table-cell office:value-type=\"float\" office:value=\"1.50\"><text:p>1.5</text:p></table:table-cell>\
        <table:table-cell table:number-columns-spanned=\"2\" office:value-type=\"string\"><office:annotation><text:p>note</text:p></office:annotation><text:p>a<text:s text:c=\"2\"/>b</text:p><text:p>c</text:p></table:table-cell>\
        <table:covered-table-cell/><table:table-cell office:value-type=\"percentage\" office:value=\"0.358\"/></table:table-row>\
        <table:table-row table:visibility=\"collapse\"><table:table-cell office:value-type=\"date\" office:date-value=\"2023-03-15T00:00:00\" table:number-columns-repeated=\"2\"/>\
        <table:table-cell office:value-type=\"string\" calcext:value-type=\"error\"><text:p>#REF!</text:p></table:table-cell></table:table-row>\
        <table:table-row table:number-rows-repeated=\"1048576\"/></table:table><table:table table:name=\"二\" table:style-name=\"h\"/></office:document-content>";

#[test]
fn a_number_is_read_as_it_is_shown() {
    for (number, shown, expected) in [
        ("1.5", "1.50亿", "1.5亿"),
        ("15000", "1.5万元", "1.5万元"),
        ("123", "0000123", "0000123"),
        ("123", "0000124", "123"),
        ("1.5", "2", "1.5"),
        ("0", "0", "0"),
    ] {
        let part = format!(
            "<table:table><table:table-row><table:table-cell office:value-type=\"float\" office:value=\"{number}\">\
                <text:p>{shown}</text:p></table:table-cell></table:table-row></table:table>"
        );
        let mut stream = OdsStream::open(part.as_bytes(), 0).unwrap();
        let (mut row, mut text) = (Row::default(), String::new());
        assert!(stream.next_row(&mut row, &mut text).unwrap());
        assert_eq!(text, expected, "{number} shown as {shown}");
    }
}

#[test]
fn tables_rows_and_repeats_are_read() {
    assert_eq!(sheets(PART.as_bytes()).unwrap(), [("一".to_owned(), true), ("二".to_owned(), false)]);
    let mut stream = OdsStream::open(PART.as_bytes(), 0).unwrap();
    let (mut row, mut text, mut all) = (Row::default(), String::new(), Vec::new());
    while stream.next_row(&mut row, &mut text).unwrap() {
        let cells = row.cells.iter().chain(&row.errors);
        let cells: Vec<String> = cells.map(|(column, span)| format!("{column}={}", span.of(&text))).collect();
        all.push(format!("{} {} {}", row.number, row.hidden, cells.join(" ")));
    }
    let same = "0=1.5 1=a  b\nc 3=35.8%";
    assert_eq!(
        all,
        [
            format!("4 false {same}"),
            format!("5 false {same}"),
            "6 true 0=2023-03-15 1=2023-03-15 2=#REF!".to_owned()
        ]
    );
    assert_eq!(stream.hidden_columns, [(1, 1)]);
    assert_eq!(stream.merges, [Merge { first_row: 4, last_row: 4, first_column: 1, last_column: 2 }]);
}

/// A sheet of some hundred bytes may say that it is full of a text; it is refused before a row of it is given.
#[test]
fn a_row_that_repeats_without_end_is_refused_at_once() {
    let cell = |count: u32| {
        format!("<table-cell number-columns-repeated=\"{count}\"><p>{}</p></table-cell>", "x".repeat(500))
    };
    for (rows, columns, refused) in
        [(1, 10, false), (50_000, 2, false), (1_048_576, 16_384, true), (u32::MAX, u32::MAX, true)]
    {
        let part = format!(
            "<spreadsheet><table name=\"S\"><table-row number-rows-repeated=\"{rows}\">{}</table-row></table></spreadsheet>",
            cell(columns)
        );
        let bytes = zip_of(&[("content.xml", part.as_bytes())]);
        let mut source = XlsxSource::open(file_of(&bytes), &Limits::default()).unwrap();
        assert_eq!(source.first_rows("S").is_err(), refused, "{rows} {columns}");
    }
}
