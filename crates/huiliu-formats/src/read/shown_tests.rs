//! Numbers, hidden rows and date systems over whole workbooks of several kinds: the same sheet gives the same table.

use arrow::array::AsArray;

use super::sheet_tests::{shipped, value_of};
use super::tests::{options, read};
use super::*;

/// The same sheet in four kinds of workbook, all with days of 1904; LibreOffice made the others of `shown.xlsx`.
const SHOWN: [&[u8]; 4] = [
    include_bytes!("../../data/samples/shown.xlsx"),
    include_bytes!("../../data/samples/shown.xls"),
    include_bytes!("../../data/samples/shown.ods"),
    include_bytes!("../../data/samples/shown.fods"),
];

#[test]
fn numbers_are_read_as_they_are_shown_in_every_kind_of_workbook() {
    for bytes in SHOWN {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        let mut reading = open_raw(file.path(), &options()).unwrap();
        let outcome = reading.next().unwrap().unwrap();
        let format = reading.report().format.clone();
        let rows: Vec<String> = (0..3)
            .map(|row| {
                let cell = |name: &str| {
                    let column = outcome.batch.column_by_name(name).unwrap();
                    column.as_string::<i32>().value(row).to_owned()
                };
                ["项目代码", "总投资", "投资完成率", "开工时间"].map(cell).join(" ")
            })
            .collect();
        let expected = [
            "01234567 1.5亿 35.8% 2023-03-15",
            "00000007 15000.5亿元 100% 2023-03-16",
            "00000089 2万元 7% 2023-03-17",
        ];
        assert_eq!(rows, expected, "{format}");
        let told: Vec<&str> = outcome.findings.0.iter().map(|f| f.message.en.as_str()).collect();
        assert!(
            told.iter().any(|t| t.contains("row")) && told.iter().any(|t| t.contains("G")),
            "{format}: {told:?}"
        );
    }
}

#[test]
fn days_of_1904_need_no_format_in_a_column_of_days() {
    for bytes in SHOWN {
        let (rows, findings) = read(bytes, &shipped(), &options());
        assert_eq!(value_of(&rows[0], "finish_date"), "2023-03-15", "{findings:#?}");
        assert!(!findings.iter().any(|finding| finding.contains("cell-format")), "{findings:#?}");
    }
}

#[test]
fn hidden_rows_and_columns_of_an_old_workbook_can_be_left_out() {
    let options = ReadOptions {
        format: FormatOptions { hidden: Hidden::Skip, ..FormatOptions::default() },
        ..options()
    };
    for bytes in SHOWN {
        let (rows, findings) = read(bytes, &shipped(), &options);
        assert_eq!(rows.len(), 2, "{findings:#?}");
    }
}

#[test]
fn an_old_workbook_shows_its_percentages_and_codes() {
    type Case = (&'static [u8], &'static str, [&'static str; 2]);
    let cases: [Case; 2] = [
        (include_bytes!("../../data/samples/percent.xls"), "invest_rate", ["35.8", "50.0"]),
        (include_bytes!("../../data/samples/codes.xls"), "project_code", ["", "0000123"]),
    ];
    for (bytes, field, expected) in cases {
        let (rows, findings) = read(bytes, &shipped(), &options());
        assert_eq!([0, 1].map(|row| value_of(&rows[row], field)), expected, "{findings:#?}");
        assert!(!findings.iter().any(|f| f.contains("cell-format")), "{findings:#?}");
    }
}
