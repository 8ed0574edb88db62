//! The answer to the sender: which cell, what is wrong, what to do.

use calamine::{Data, Reader};

use crate::support::{Home, samples, small_pipeline};

/// Cell, code, severity and a part of the message, in the sample with one kind of mistake a row.
const EXPECTED: [(&str, &str, &str, &str); 9] = [
    ("B17", "V01", "error", "项目名称"),
    ("C16", "V02", "error", ""),
    ("E13", "V04", "error", ""),
    ("E14", "V04", "error", ""),
    ("G18", "V07", "error", "约十亿左右?"),
    ("L19", "V11", "error", ""),
    ("J20", "total-covers-cumulative", "error", "累计完成投资不能大于总投资"),
    ("G21", "V07", "error", ""),
    ("F22", "enum", "error", "新开"),
];

#[test]
fn the_bad_sample_is_answered_cell_by_cell() {
    let mut home = Home::shipped();
    let (place, content) = samples().into_iter().find(|(place, _)| place.starts_with("湖塘镇")).unwrap();
    home.drop_file(&place, &content);
    home.once().expect(0);

    let receipt = home.receipt("湖塘镇");
    assert_eq!((&receipt["state"], &receipt["sender"]), (&"committed".into(), &"湖塘镇".into()));
    let counts = &receipt["counts"];
    assert_eq!(counts["rows_in"], 30, "{receipt:#}");
    let findings = receipt["findings"].as_array().unwrap();
    for (cell, code, severity, part) in EXPECTED {
        let found = findings.iter().find(|finding| {
            finding["cell"] == cell
                && finding["code"] == code
                && finding["severity"] == severity
                && finding["message"].as_str().is_some_and(|text| text.contains(part))
        });
        assert!(found.is_some(), "no {severity} {code} at {cell} with `{part}` in {findings:#?}");
    }
    let errors = findings.iter().filter(|finding| finding["severity"] == "error").count();
    assert_eq!(counts["errors"], errors, "all are shown");
    assert!(findings.iter().all(|finding| finding["row"].is_null() || finding["sheet"] == "湖塘镇4月"));
}

#[test]
fn the_workbook_for_people_is_what_was_sent_and_a_summary_before_it() {
    let mut home = Home::shipped();
    home.drop_samples();
    home.once().expect(0);
    let workbooks: Vec<_> =
        home.files("outbox").into_iter().filter(|(name, _)| name.ends_with(".xlsx")).collect();
    assert_eq!(workbooks.len(), 3);
    for (name, bytes) in workbooks {
        let mut book = calamine::Xlsx::new(std::io::Cursor::new(bytes))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let sheets = book.sheet_names();
        assert!(sheets.len() >= 2, "{name}: {sheets:?}");
        let summary = text_of(&book.worksheet_range(&sheets[0]).unwrap());
        assert!(summary.contains("接收"), "{name}: {summary}");
        let copies: String =
            sheets[1..].iter().map(|sheet| text_of(&book.worksheet_range(sheet).unwrap())).collect();
        assert!(copies.contains("统一社会信用代码") || copies.contains("信用代码"), "{name}: {copies}");
    }
}

fn text_of(range: &calamine::Range<Data>) -> String {
    range.rows().flatten().map(|cell| format!("{cell} ")).collect()
}

#[test]
fn a_pipeline_may_want_the_json_alone_or_no_receipt() {
    for (receipts, files) in [("json", 1), ("{xlsx: false, json: false}", 0), ("{json: false}", 1)] {
        let pipeline = crate::support::small_pipeline("p", "inbox", "[validate]", "[{jsonl: {path: out}}]");
        let mut home = Home::new(&pipeline.replace("receipts: json", &format!("receipts: {receipts}")));
        home.drop_file("甲/a.csv", "项目名称\n一号泵站\n".as_bytes());
        home.once().expect(0);
        assert_eq!(home.names("outbox").len(), files, "{receipts}");
        assert_eq!(home.answered(), 1, "{receipts}");
    }
}

#[test]
fn a_hidden_sheet_in_front_moves_no_mark_to_another_sheet() {
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().set_name("填报说明").unwrap().set_hidden(true);
    let sheet = book.add_worksheet().set_name("项目").unwrap().set_active(true);
    for (row, cells) in [["项目名称", "总投资(万元)"], ["一号泵站", "多少"]].iter().enumerate()
    {
        for (column, cell) in cells.iter().enumerate() {
            sheet.write_string(row as u32, column as u16, *cell).unwrap();
        }
    }
    let sent = book.save_to_buffer().unwrap();
    let pipeline = small_pipeline("hidden", "inbox", "[validate]", "[{jsonl: {path: out}}]");
    let mut home = Home::new(&pipeline.replace("receipts: json\n", ""));
    home.drop_file("甲/a.xlsx", &sent);
    home.once().expect(0);
    let receipt = home.receipt("a");
    let found =
        receipt["findings"].as_array().unwrap().iter().find(|found| found["field"] == "total_investment");
    let found = found.unwrap_or_else(|| panic!("{receipt:#}"));
    assert_eq!((&found["sheet"], &found["cell"]), (&"项目".into(), &"B2".into()), "{receipt:#}");
    let (_, copy) = home.files("outbox").into_iter().find(|(name, _)| name.ends_with(".xlsx")).unwrap();
    let has = |part: &str| copy.windows(part.len()).any(|bytes| bytes == part.as_bytes());
    assert!(has("xl/comments"), "the cell has a note");
}
