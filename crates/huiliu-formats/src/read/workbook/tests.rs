//! What reading workbooks promises, over whole files.

use calamine::{Data, Reader, Xlsx};
use proptest::prelude::*;
use rust_xlsxwriter::{Format, Formula, Workbook};

use super::*;
use crate::read::package::tests::{file_of, zip_of, zip_with_run};

const WORKBOOK: &[u8] =
    b"<workbook xmlns:r=\"x\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>";

pub(super) fn open(bytes: &[u8]) -> Result<XlsxSource, ReadError> {
    XlsxSource::open(file_of(bytes), &Limits::default())
}

/// A workbook with nothing but one sheet, as careless programs write it.
fn bare(sheet: &str) -> Vec<u8> {
    zip_of(&[("xl/workbook.xml", WORKBOOK), ("xl/worksheets/sheet1.xml", sheet.as_bytes())])
}

/// All cells as row, column, text; and the findings in English.
pub(super) type All = (Vec<(u32, usize, String)>, Vec<String>);

pub(super) fn all(source: &mut XlsxSource, sheet: &str, most: usize) -> Result<All, ReadError> {
    let (mut cells, mut findings) = (Vec::new(), Vec::new());
    let mut chunk = Chunk::default();
    source.load(sheet, 1)?;
    loop {
        chunk.clear(8);
        let Some(text) = source.fill(&mut chunk, most)? else { return Ok((cells, findings)) };
        let view = chunk.view(text);
        for (row, &number) in chunk.numbers.iter().enumerate() {
            let filled = (0..8).map(|column| (number, column, view.get(row, column).to_owned()));
            cells.extend(filled.filter(|(.., text)| !text.is_empty()));
        }
        let aside = chunk.surplus.iter().chain(&chunk.broken);
        cells.extend(aside.map(|&(row, column, span)| (row, column as usize, span.of(text).to_owned())));
        findings.extend(chunk.findings.iter().map(|f| f.message.en.clone()));
    }
}

fn read(bytes: &[u8]) -> All {
    all(&mut open(bytes).unwrap(), "S", 3).unwrap()
}

#[test]
fn a_workbook_with_missing_parts_is_read() {
    let (cells, _) = read(&bare(
        "<worksheet><sheetData><row><c><v>1</v></c><c t=\"inlineStr\"><is><t>中</t></is></c></row></sheetData></worksheet>",
    ));
    assert_eq!(cells, [(1, 0, "1".to_owned()), (1, 1, "中".to_owned())]);
}

#[test]
fn strict_namespaces_absolute_targets_and_other_case_are_read() {
    let bytes = zip_of(&[
        (
            "_rels/.rels",
            b"<Relationships><Relationship Id=\"1\" Type=\"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument\" Target=\"/XL/book.xml\"/></Relationships>",
        ),
        ("xl/book.xml", b"<x:workbook><x:workbookPr date1904=\"1\"/><x:sheets><x:sheet name=\"S\" q:id=\"a\"/><x:sheet name=\"H\" state=\"veryHidden\" q:id=\"b\"/></x:sheets></x:workbook>"),
        (
            "xl/_rels/book.xml.rels",
            b"<Relationships><Relationship Id=\"a\" Type=\"http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet\" Target=\"/xl/Sheets/One.xml\"/>\
              <Relationship Id=\"s\" Type=\"x/styles\" Target=\"look.xml\"/></Relationships>",
        ),
        ("xl/look.xml", b"<styleSheet><cellXfs><xf numFmtId=\"14\"/></cellXfs></styleSheet>"),
        ("xl/sheets/one.xml", b"<x:worksheet><x:sheetData><x:row r=\"4\"><x:c r=\"B4\" s=\"0\"><x:v>43538</x:v></x:c></x:row></x:sheetData></x:worksheet>"),
    ]);
    let mut source = open(&bytes).unwrap();
    assert_eq!(source.sheets(), [("S".to_owned(), true), ("H".to_owned(), false)]);
    assert_eq!(all(&mut source, "S", 9).unwrap().0, [(4, 1, "2023-03-15".to_owned())]);
}

#[test]
fn formulas_errors_merges_and_what_is_hidden_are_known() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("S").unwrap();
    sheet.write(0, 0, "甲").unwrap();
    sheet.write_formula(1, 0, Formula::new("1+1").set_result("2")).unwrap();
    sheet.write_formula(2, 0, Formula::new("A99/0").set_result("#DIV/0!")).unwrap();
    sheet.write_with_format(3, 0, 0.358, &Format::new().set_num_format("0.0%")).unwrap();
    sheet.write(3, 1, "0012").unwrap();
    sheet.write(4, 0, 914_403_123_456_789_000_f64).unwrap();
    sheet.merge_range(5, 0, 6, 2, "合并", &Format::new()).unwrap();
    sheet.set_row_hidden(3).unwrap();
    sheet.set_column_hidden(1).unwrap();
    let mut source = open(&book.save_to_buffer().unwrap()).unwrap();
    let (mut cells, findings) = all(&mut source, "S", 2).unwrap();
    cells.sort();
    let texts: Vec<&str> = cells.iter().map(|(.., text)| text.as_str()).collect();
    assert_eq!(texts, ["甲", "2", "#DIV/0!", "35.8%", "0012", "9.14403123456789e+17", "合并"]);
    assert!(findings.iter().any(|text| text.contains("hidden rows (4)")), "{findings:?}");
    assert!(findings.iter().any(|text| text.contains("hidden columns (B)")), "{findings:?}");
    let merge = Merge { first_row: 6, last_row: 7, first_column: 0, last_column: 2 };
    assert_eq!(source.merges("S").unwrap(), [merge]);
    let mut source = source.with_hidden(Hidden::Skip);
    assert!(source.first_rows("S").unwrap().iter().all(|(row, cells)| *row != 4 && cells.len() == 1));
    let (cells, findings) = all(&mut source, "S", 2).unwrap();
    assert!(cells.iter().all(|(row, column, _)| *row != 4 && *column != 1), "{cells:?}");
    assert!(
        findings.iter().any(|text| text.contains("hidden rows (4), which were left out")),
        "{findings:?}"
    );
    assert!(
        findings.iter().any(|text| text.contains("hidden columns (B), which were left out")),
        "{findings:?}"
    );
}

#[test]
fn hidden_columns_without_cells_are_not_worth_a_word() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("S").unwrap();
    sheet.write(0, 0, "甲").unwrap();
    sheet.write(0, 5, "乙").unwrap();
    sheet.set_column_range_hidden(1, 3).unwrap();
    sheet.set_column_range_hidden(5, 16_383).unwrap();
    let (_, findings) = read(&book.save_to_buffer().unwrap());
    assert_eq!(
        findings,
        ["sheet `S` has hidden columns (F), which were read; delete them if they are not meant"]
    );
}

#[test]
fn formulas_that_were_never_computed_are_told() {
    let (cells, findings) = read(&bare(
        "<worksheet><sheetData><row><c><v>1</v></c><c><f>A1*2</f></c></row><row><c><f>A1</f><v></v></c></row></sheetData></worksheet>",
    ));
    assert_eq!(cells.len(), 1);
    assert!(
        findings.iter().any(|text| text.contains("2 formulas without a stored result (B1、A2)")),
        "{findings:?}"
    );
}

#[test]
fn rows_out_of_order_are_read_and_rows_there_twice_are_refused() {
    let row = |number: u32| format!("<row r=\"{number}\"><c><v>{number}</v></c></row>");
    let sheet = |rows: &[u32]| {
        bare(&format!(
            "<worksheet><sheetData>{}</sheetData></worksheet>",
            rows.iter().map(|n| row(*n)).collect::<String>()
        ))
    };
    let numbers: Vec<u32> = read(&sheet(&[1, 2, 9, 4, 5, 3])).0.iter().map(|cell| cell.0).collect();
    assert_eq!(numbers, [1, 2, 9, 4, 5, 3]);
    let error = all(&mut open(&sheet(&[1, 2, 3, 2])).unwrap(), "S", 9).unwrap_err();
    assert!(error.to_string().contains("row 2 is there twice"), "{error}");
}

#[test]
fn a_sheet_that_ends_within_its_rows_is_damaged_wherever_it_ends() {
    let whole = "<worksheet><sheetData><row r=\"1\"><c><v>1</v></c></row><row r=\"2\"><c><v>2</v></c></row></sheetData>";
    assert_eq!(read(&bare(whole)).0.len(), 2, "what follows the rows does not matter");
    for end in ["</row>", "<row r=\"2\">", "</c>", "</v>"] {
        let cut = whole.rfind(end).unwrap() + end.len();
        let read = open(&bare(&whole[..cut])).and_then(|mut source| all(&mut source, "S", 9));
        let error = read.err().unwrap_or_else(|| panic!("read up to {end}"));
        assert!(
            error.to_string().contains("does not end") || error.to_string().contains("do not end"),
            "{error}"
        );
    }
}

#[test]
fn far_cells_are_read_and_cost_nothing() {
    let bytes = bare(
        "<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>\
         <row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row></sheetData></worksheet>",
    );
    assert_eq!(read(&bytes).0, [(1, 0, "1".to_owned()), (1_048_576, 16_383, "2".to_owned())]);
}

#[test]
fn two_gigabytes_of_one_shared_string_are_refused() {
    // What is packed 1000:1 is refused by its ratio, whatever it is; so some megabytes tell the same as two thousand.
    let bomb = zip_with_run("xl/sharedStrings.xml", 64, &[("xl/workbook.xml", WORKBOOK)]);
    assert!(open(&bomb).err().unwrap().to_string().contains("200 times"));
}

#[test]
fn what_is_no_workbook_is_named() {
    for (part, expected) in [
        ("word/document.xml", "a text document"),
        ("ppt/presentation.xml", "a presentation"),
        ("a.txt", "a file of no known kind"),
    ] {
        let error = open(&zip_of(&[(part, b"<x/>")])).err().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// A cell for the generated workbooks.
#[derive(Clone, Debug)]
enum Written {
    Text(String),
    Number(f64),
    Flag(bool),
    Day(u32),
}

fn written() -> impl Strategy<Value = Written> {
    prop_oneof![
        "[ -~一二三&<>\"']{1,12}".prop_map(Written::Text),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| Written::Number(n + 0.0)),
        (-1_000_000_i64..1_000_000).prop_map(|n| Written::Number(n as f64 / 100.0)),
        any::<bool>().prop_map(Written::Flag),
        (61_u32..60_000).prop_map(Written::Day),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn calamine_reads_the_same(cells in prop::collection::btree_map((0_u32..40, 0_u16..12), written(), 1..60)) {
        let mut book = Workbook::new();
        let day = Format::new().set_num_format("yyyy/m/d");
        let sheet = book.add_worksheet().set_name("S").unwrap();
        for (&(row, column), cell) in &cells {
            match cell {
                Written::Text(text) => sheet.write(row, column, text),
                Written::Number(number) => sheet.write(row, column, *number),
                Written::Flag(flag) => sheet.write(row, column, *flag),
                Written::Day(serial) => sheet.write_with_format(row, column, *serial, &day),
            }.unwrap();
        }
        let bytes = book.save_to_buffer().unwrap();
        let mut theirs = Xlsx::new(std::io::Cursor::new(&bytes)).unwrap();
        let mut expected = Vec::new();
        let range = theirs.worksheet_range("S").unwrap();
        let (top, left) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            let text = match value {
                Data::String(text) => text.clone(),
                Data::Bool(flag) => flag.to_string(),
                Data::DateTime(time) => {
                    let (year, month, day, ..) = time.to_ymd_hms_milli();
                    format!("{year:04}-{month:02}-{day:02}")
                }
                other => other.to_string().parse::<f64>().map(|n| format!("{n:?}")).unwrap_or_default(),
            };
            if !text.trim().is_empty() {
                expected.push((row as u32 + top + 1, column + left as usize, text));
            }
        }
        let mut ours = read(&bytes).0;
        // Of numbers, and of texts that look like such, only the value counts.
        for (.., text) in ours.iter_mut().chain(&mut expected) {
            if let Ok(number) = text.parse::<f64>() {
                *text = format!("{number:?}");
            }
        }
        ours.sort();
        expected.sort();
        prop_assert_eq!(ours, expected);
    }
}

#[test]
fn a_failed_formula_is_null_and_an_error_with_its_address() {
    use arrow::array::Array;
    use huiliu_stage::{Field, FieldType, RecordSchema};

    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, title) in ["项目名称", "总投资", "别的"].iter().enumerate() {
        sheet.write(0, column as u16, *title).unwrap();
    }
    sheet.write(1, 0, "示例").unwrap();
    sheet.write_formula(1, 1, Formula::new("A99").set_result("#REF!")).unwrap();
    sheet.write_formula(1, 2, Formula::new("A99").set_result("#N/A")).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), book.save_to_buffer().unwrap()).unwrap();
    let field = |name: &str, kind| Field { name: name.into(), kind, ..Field::default() };
    let fields = vec![field("project_name", FieldType::Text), field("total_investment", FieldType::Money)];
    let record = RecordSchema { record: "project".into(), label: String::new(), fields };
    let mut reading = crate::read::open(file.path(), &record, &crate::read::ReadOptions::default()).unwrap();
    let outcome = reading.next().unwrap().unwrap();
    assert_eq!(outcome.batch.column(1).null_count(), 1);
    let found: Vec<(&str, Option<&str>, &str)> = outcome
        .findings
        .iter()
        .filter(|f| f.code == "formula-error")
        .map(|f| (f.severity.as_str(), f.field.as_deref(), f.message.en.split(" failed").next().unwrap()))
        .collect();
    let expected =
        [("error", Some("total_investment"), "the formula in B2"), ("warning", None, "the formula in C2")];
    assert_eq!(found, expected);
    assert_eq!(reading.report().format, "xlsx");
}

#[test]
fn an_amount_shown_in_a_unit_is_read_in_it() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("S").unwrap();
    let cells = [(1.5, "0.00\"亿\""), (15_000.0, "0!.0,\"万元\""), (12.0, "#,##0\\亩"), (3.0, "0\"天\"")];
    for (row, (number, format)) in cells.into_iter().enumerate() {
        sheet.write_with_format(row as u32, 0, number, &Format::new().set_num_format(format)).unwrap();
    }
    let cells = read(&book.save_to_buffer().unwrap()).0;
    let texts: Vec<&str> = cells.iter().map(|(.., text)| text.as_str()).collect();
    assert_eq!(texts, ["1.5亿", "1.5万元", "12亩", "3"]);
}

#[test]
fn a_cell_whose_shared_text_is_not_there_costs_that_cell_only() {
    let (cells, findings) = read(&bare(
        "<worksheet><sheetData><row><c><v>1</v></c><c t=\"s\"><v>99</v></c><c t=\"s\"><v>x</v></c></row></sheetData></worksheet>",
    ));
    assert_eq!(cells, [(1, 0, "1".to_owned())]);
    assert!(
        findings.iter().any(|text| text.contains("2 cells of sheet `S` are not in the file (B1、C1)")),
        "{findings:?}"
    );
}

#[test]
fn a_number_in_a_column_of_days_counts_them_as_the_workbook_does() {
    let sheet = b"<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>a</t></is></c><c><v>43538</v></c><c><v>43538</v></c></row></sheetData></worksheet>";
    for (book, expected) in [
        (
            "<workbook><workbookPr date1904=\"1\"/><sheets><sheet name=\"S\" sheetId=\"1\"/></sheets></workbook>",
            "2023-03-15",
        ),
        ("<workbook><sheets><sheet name=\"S\" sheetId=\"1\"/></sheets></workbook>", "43538"),
    ] {
        let bytes = zip_of(&[("xl/workbook.xml", book.as_bytes()), ("xl/worksheets/sheet1.xml", sheet)]);
        let mut source = open(&bytes).unwrap();
        source.expect_dates(vec![1]);
        let cells = all(&mut source, "S", 9).unwrap().0;
        let texts: Vec<&str> = cells.iter().map(|(.., text)| text.as_str()).collect();
        assert_eq!(texts, ["a", expected, "43538"]);
    }
}
