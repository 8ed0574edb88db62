//! A receipt for the tests.

use huiliu_stage::{Finding, Severity, Text, row_id};

use super::{Language, ReceiptData};
use crate::report::{ColumnReport, ReadReport, SheetReport};

fn column(index: usize, header: &str, field: Option<&str>, unit: Option<&str>) -> ColumnReport {
    ColumnReport {
        index,
        header: header.to_owned(),
        field: field.map(str::to_owned),
        how: field.map_or("unknown", |_| "alias").to_owned(),
        unit: unit.map(str::to_owned),
        ..ColumnReport::default()
    }
}

/// Two sheets, the second with findings of all kinds.
pub(super) fn sample(format: &str, language: Language) -> ReceiptData {
    let columns = vec![
        column(1, "项目名称", Some("name"), None),
        column(2, "总投资(亿元)", Some("total"), Some("亿元")),
        column(3, "备注", None, None),
    ];
    let second =
        SheetReport {
            name: "项目".into(), header_rows: vec![2], columns, rows: 4, ..SheetReport::default()
        };
    let first = SheetReport { name: "说明".into(), ..SheetReport::default() };
    let finding =
        |row, severity, code: &str, zh: &str, en: &str| Finding::new(row, severity, code, Text::new(zh, en));
    // A file of one table has no names of sheets.
    let (ordinal, sheets, reports) = match format {
        "xlsx" => (1, vec!["说明".to_owned(), "项目".to_owned()], vec![first, second]),
        _ => (0, vec![String::new()], vec![SheetReport { name: String::new(), ..second }]),
    };
    ReceiptData {
        delivery: "00ff00ff00ff00ff".into(),
        pipeline: "projects".into(),
        file: format!("项目.{format}"),
        sender: "发改局".into(),
        received_ms: 1_717_200_000_000,
        state: "committed".into(),
        rows_in: 4,
        accepted: 2,
        quarantined: 2,
        errors: 2,
        warnings: 1,
        infos: 2,
        codes: [("V01", 1), ("V07", 2), ("note", 2)].map(|(code, count)| (code.to_owned(), count)).into(),
        findings: vec![
            finding(
                Some(row_id(ordinal, 3)),
                Severity::Error,
                "V07",
                "不是数字；请填写数字",
                "not a number; write digits",
            )
            .with_field("total")
            .with_raw("=待定"),
            finding(
                Some(row_id(ordinal, 4)),
                Severity::Error,
                "V01",
                "没有项目代码；请补填",
                "the code is missing; add it",
            )
            .with_field("code"),
            finding(Some(row_id(ordinal, 6)), Severity::Warning, "V07", "行是空的", "").with_field("name"),
            finding(None, Severity::Info, "note", "第一张表没有表头", "the first sheet has no header"),
        ],
        sheets,
        report: ReadReport {
            format: format.to_owned(),
            encoding: if format == "csv" { "GB18030".into() } else { String::new() },
            encoding_by: String::new(),
            delimiter: (format == "csv").then(|| ",".to_owned()),
            sheets: reports,
            ..ReadReport::default()
        },
        titles: [("name", "项目名称"), ("total", "总投资"), ("code", "项目代码")]
            .map(|(field, title)| (field.to_owned(), title.to_owned()))
            .into(),
        language,
        ..ReceiptData::default()
    }
}
