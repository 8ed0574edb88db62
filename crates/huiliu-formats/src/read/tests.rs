//! What reading promises, over whole files of each format.

use arrow::array::{Array, AsArray};
use huiliu_stage::json::write_value;
use huiliu_stage::{Field, FieldType, Origin, is_json};
use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::*;

pub(super) const MESSY: &str = include_str!("../../data/messy_sample_grid.csv");

fn field(name: &str, kind: FieldType) -> Field {
    Field { name: name.into(), kind, ..Field::default() }
}

fn record() -> RecordSchema {
    use FieldType::{Date, Money, Number, Text};
    let fields = [
        ("project_name", Text),
        ("project_code", Text),
        ("owner_name", Text),
        ("location", Text),
        ("construction_nature", Text),
        ("total_investment", Money),
        ("annual_plan_investment", Money),
        ("month_investment", Money),
        ("ytd_investment", Money),
        ("invest_rate", Number),
        ("start_date", Date),
        ("remark", Text),
    ];
    RecordSchema {
        record: "project".into(),
        label: "项目".into(),
        fields: fields.map(|(name, kind)| field(name, kind)).into(),
    }
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

/// Rows as JSON texts, and findings as `severity code row: english`.
pub(super) fn collect(reading: &mut Reading) -> Result<(Vec<String>, Vec<String>), ReadError> {
    let (mut rows, mut findings) = (Vec::new(), Vec::new());
    for outcome in reading {
        let Outcome { batch, findings: found } = outcome?;
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let mut cells = Vec::new();
            for (field, column) in schema.fields().iter().zip(batch.columns()) {
                if column.is_valid(row) {
                    let mut text = String::new();
                    write_value(&mut text, column.as_ref(), row, is_json(field));
                    cells.push(format!("{}={text}", field.name()));
                }
            }
            rows.push(cells.join(" "));
        }
        findings.extend(found.iter().map(|f| {
            let row = f.row.map(|row| row.to_string()).unwrap_or_default();
            format!("{} {} {row}: {}", f.severity.as_str(), f.code, f.message.en)
        }));
    }
    Ok((rows, findings))
}

pub(super) fn read(bytes: &[u8], record: &RecordSchema, options: &ReadOptions) -> (Vec<String>, Vec<String>) {
    collect(&mut open(file(bytes).path(), record, options).unwrap()).unwrap()
}

pub(super) fn options() -> ReadOptions {
    ReadOptions { today: 19_500, ..ReadOptions::default() }
}

#[test]
fn the_messy_sample_is_understood() {
    let (rows, findings) = read(MESSY.as_bytes(), &record(), &options());
    let expected = "project_name=\"示例储能电池一期项目\" project_code=\"2212-320412-89-01-291412\" \
        owner_name=\"示例储能科技(常州)有限公司\" location=\"武进高新区\" construction_nature=\"新建\" \
        total_investment=125000 annual_plan_investment=30000 month_investment=4200 ytd_investment=10740 \
        invest_rate=35.8 start_date=\"2023-02-01\" _sheet=\"\" _row=7 _extra={\"序号\":\"1\"}";
    assert_eq!(rows[0], expected);
    let names: Vec<&str> = rows.iter().map(|r| r.split(['"']).nth(1).unwrap()).collect();
    assert_eq!(
        names,
        [
            "示例储能电池一期项目",
            "示例智能装备制造基地",
            "示例汽车零部件扩建项目",
            "示例医疗器械项目",
            "示例检测中心项目"
        ]
    );
    assert!(rows[4].contains("total_investment=10500 ") && rows[4].contains("start_date=\"2023-03-15\""));
    let skipped = findings.iter().filter(|f| f.contains(" skipped ")).count();
    assert_eq!(skipped, 7, "{findings:#?}");
    assert!(findings.iter().any(|f| f.starts_with("warning V11 12: L12 ")), "{findings:#?}");
    assert!(!findings.iter().any(|f| f.starts_with("error")), "{findings:#?}");
}

#[test]
fn encodings_and_formats_give_the_same_rows() {
    let expected = read(MESSY.as_bytes(), &record(), &options());
    let gb = encoding_rs::GB18030.encode(MESSY).0.into_owned();
    let bom = [b"\xef\xbb\xbf", MESSY.as_bytes()].concat();
    let wide: Vec<u8> =
        "\u{feff}".encode_utf16().chain(MESSY.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let tabs = MESSY.replace(',', "\t").into_bytes();
    for (what, bytes) in [("GB18030", gb), ("BOM", bom), ("UTF-16", wide), ("tabs", tabs)] {
        assert_eq!(read(&bytes, &record(), &options()), expected, "{what}");
    }
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet().set_name("进展").unwrap();
    for (row, line) in MESSY.lines().enumerate() {
        for (column, cell) in line.split(',').enumerate().filter(|(_, cell)| !cell.is_empty()) {
            match cell.parse::<f64>() {
                Ok(number) => sheet.write(row as u32, column as u16, number).unwrap(),
                Err(_) => sheet.write(row as u32, column as u16, cell).unwrap(),
            };
        }
    }
    let (rows, _) = read(&book.save_to_buffer().unwrap(), &record(), &options());
    let named: Vec<String> = expected.0.iter().map(|r| r.replace("_sheet=\"\"", "_sheet=\"进展\"")).collect();
    assert_eq!(rows, named);
}

#[test]
fn a_far_cell_costs_no_memory_and_second_sheets_keep_their_row_numbers() {
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().set_name("说明").unwrap().write(0, 0, "请按要求填写").unwrap();
    let sheet = book.add_worksheet().set_name("数据").unwrap();
    sheet.write_row(0, 0, ["项目名称", "总投资"]).unwrap();
    sheet.write_row(4, 0, ["甲", "1亿"]).unwrap();
    sheet.write(1_048_575, 16_383, "远").unwrap();
    let (rows, findings) = read(&book.save_to_buffer().unwrap(), &record(), &options());
    assert_eq!(
        rows,
        [
            "project_name=\"甲\" total_investment=10000 _sheet=\"数据\" _row=4294967301",
            "_sheet=\"数据\" _row=4296015872 _extra={\"XFD\":\"远\"}"
        ]
    );
    assert!(findings[0].starts_with("info sheet : sheet `说明` has no header"), "{findings:?}");
    // Without a record schema neither: it makes no sixteen thousand columns.
    let book = file(&book.save_to_buffer().unwrap());
    let format = FormatOptions { sheet: Some("数据".into()), ..FormatOptions::default() };
    let reading = open_raw(book.path(), &ReadOptions { format, ..ReadOptions::default() }).unwrap();
    assert!(reading.schema().fields().len() < 300);
}

#[test]
fn a_cell_that_cannot_be_read_is_null_and_named_by_its_address() {
    let text = "项目名称,总投资(亿元),开工时间,列外\n甲,约五六亿,去年,x\n乙,3.5,2023-01-02,\n丙,待定,/,\n丁,4\n戊,5,2023-01-02,,多\n";
    let mut record = record();
    record.fields[5].label = "总投资".into();
    record.fields[10].code = Some("date_order".into());
    let options = ReadOptions { origin: Origin { delivery: "d".into(), ..Origin::default() }, ..options() };
    let mut reading = open(file(text.as_bytes()).path(), &record, &options).unwrap();
    let outcome = reading.next().unwrap().unwrap();
    let unreadable = &outcome.batch.schema().metadata["huiliu.unreadable"];
    assert_eq!(unreadable, "{\"start_date\":[2],\"total_investment\":[2]}");
    assert_eq!(Origin::of(&outcome.batch).cell("start_date", 2).as_deref(), Some("C2"));
    let told: Vec<String> = outcome
        .findings
        .iter()
        .map(|f| format!("{} {} {:?} {}", f.severity.as_str(), f.code, f.field, f.message.en))
        .collect();
    assert_eq!(
        told,
        [
            "info V24 None column D `列外` is no known field; its values are kept as they are",
            "error V07 Some(\"total_investment\") B2 (总投资) `约五六亿` is not an amount; write digits only, such as 12000.5",
            "error date_order Some(\"start_date\") C2 (start_date) `去年` is not a date that can be read; write it like 2023-03-15",
            "info placeholder Some(\"total_investment\") B4 (总投资) `待定` taken as not filled in",
            "info placeholder Some(\"start_date\") C4 (start_date) `/` taken as not filled in",
            "warning width None row 5 has 2 cells, the header has 4; look for a missing or surplus delimiter",
            "error repair None row 6 is malformed; in reading it a surplus empty cell was left out; please check",
        ]
    );
    let extra = outcome.batch.column_by_name("_extra").unwrap().as_string::<i32>();
    assert_eq!((extra.value(0), extra.value(4)), ("{\"列外\":\"x\"}", "{\"列外\":\"多\"}"));
    assert!(reading.next().is_none());
    assert_eq!(reading.report().sheets[0].rows, 5);
}

#[test]
fn bytes_that_are_no_text_are_reported_and_nothing_is_lost() {
    let mut bytes = "项目名称,总投资\n".as_bytes().to_vec();
    for row in 0..500 {
        bytes.extend_from_slice(format!("项目{row},{row}\n").as_bytes());
    }
    let at = bytes.windows(3).position(|w| w == b"200").unwrap();
    bytes[at] = 0xff;
    let at = bytes.windows(4).position(|w| w == b",10\n").unwrap();
    bytes[at + 1] = 0xfe;
    let (rows, findings) = read(&bytes, &record(), &options());
    assert_eq!(rows.len(), 500);
    let findings: Vec<&String> = findings.iter().filter(|f| f.contains("encoding")).collect();
    assert_eq!(
        findings,
        [
            "error encoding 12: B12 holds bytes that are no text; save the file in UTF-8 and send it again",
            "error encoding 202: A202 holds bytes that are no text; save the file in UTF-8 and send it again",
        ]
    );
}

#[test]
fn json_lines_are_read_by_their_keys_wherever_they_first_appear() {
    let text = "{\"项目名称\":\"甲\",\"total_investment\":12.5,\"x\":[1,2]}\n\nnot json\n{\"开工时间\":\"2023-03-15\",\"项目名称\":\"乙\"}\n";
    let (rows, findings) = read(text.as_bytes(), &record(), &options());
    assert_eq!(
        rows,
        [
            "project_name=\"甲\" total_investment=12.5 _sheet=\"\" _row=1 _extra={\"x\":\"1、2\"}",
            "_sheet=\"\" _row=3",
            "project_name=\"乙\" start_date=\"2023-03-15\" _sheet=\"\" _row=4",
        ]
    );
    assert!(findings.iter().any(|f| f.starts_with("error json 3: line 3 is no JSON object")), "{findings:?}");
}

#[test]
fn a_programs_file_loses_no_row_however_empty() {
    let mut text = "project_code,project_name,owner_name\n".to_owned();
    for (code, name, owner) in
        [("", "甲", "乙"), ("1", "", ""), ("合计", "合计大厦", "某公司"), ("1、某", "x", "y"), ("", "", "z")]
    {
        text.push_str(&format!("{code},{name},{owner}\n"));
    }
    let (rows, findings) = read(text.as_bytes(), &record(), &options());
    assert_eq!((rows.len(), findings.len()), (5, 0), "{findings:?}");
}

#[test]
fn without_a_record_every_column_is_text() {
    let mut reading = open_raw(file(b"\xb1\xea\xcc\xe2\n\nid,id,\n1,2,3\n").path(), &options()).unwrap();
    let (rows, _) = collect(&mut reading).unwrap();
    assert_eq!(rows, ["id=\"1\" id (2)=\"2\" C=\"3\" _sheet=\"\" _row=4"]);
    assert_eq!(reading.header(), Some(&[["id", "id", ""].map(str::to_owned).to_vec()][..]));
}

#[test]
fn rows_longer_than_a_block_are_rows_and_too_long_ones_are_refused() {
    let long = "长".repeat(200_000);
    let text = format!("项目名称,总投资,{long}\n{long},1,\"{long}\n\"\n乙,2,\n");
    let (rows, _) = read(text.as_bytes(), &record(), &options());
    assert_eq!((rows.len(), rows[1].contains("_row=3")), (2, true));
    let limits = Limits { max_row_bytes: 300_000, ..Limits::default() };
    let refused =
        open(file(text.as_bytes()).path(), &record(), &ReadOptions { limits, ..options() }).err().unwrap();
    assert_eq!(refused.to_string(), "a row's length exceeds the limit of 300000; split the file");
}

#[test]
fn batches_are_no_larger_than_asked_and_end_with_the_file() {
    let text = "project_name,total_investment\n".to_owned() + &"甲,1\n".repeat(10_001);
    let options = ReadOptions { batch_rows: 4000, ..options() };
    let mut reading = open(file(text.as_bytes()).path(), &record(), &options).unwrap();
    let sizes: Vec<usize> = reading.by_ref().map(|o| o.unwrap().batch.num_rows()).collect();
    assert_eq!(sizes, [4000, 4000, 2001]);
    let (done, total) = reading.progress();
    assert_eq!((done, total), (text.len() as u64, text.len() as u64));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_csv_table_comes_back_cell_by_cell(
        rows in prop::collection::vec(prop::collection::vec("[a-z0-9项目\"\n,;]{1,6}", 3), 1..20)
    ) {
        let line = |cells: &[String]| {
            cells.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect::<Vec<_>>().join(",") + "\n"
        };
        let header = ["ha", "hb", "hc"].map(str::to_owned);
        let text: String = std::iter::once(line(&header)).chain(rows.iter().map(|r| line(r))).collect();
        // Among cells of chance nothing tells a header from a row, so the caller does.
        let format = FormatOptions { header_rows: Some(1), ..FormatOptions::default() };
        let options = ReadOptions { format, ..options() };
        let reading = open_raw(file(text.as_bytes()).path(), &options).unwrap();
        let mut found = Vec::new();
        for outcome in reading {
            let batch = outcome.unwrap().batch;
            for row in 0..batch.num_rows() {
                let cell = |c: usize| batch.column(c).as_string::<i32>().value(row).to_owned();
                found.push((0..3).map(cell).collect::<Vec<_>>());
            }
        }
        prop_assert_eq!(found, rows);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        start in prop::sample::select(vec![&b""[..], b"PK\x03\x04", b"{", b"project_name,total_investment\n", b"\xff\xfe", b"sep=;\n"]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let file = file(&[start, &rest].concat());
        if let Ok(mut reading) = open(file.path(), &record(), &options()) {
            let _ = collect(&mut reading);
        }
        if let Ok(mut reading) = open_raw(file.path(), &options()) {
            let _ = collect(&mut reading);
        }
    }
}

#[test]
fn remarks_among_rows_are_left_out_and_told() {
    let text = b"# unit m\ncode,day,amount\nA-1,2021-02-03,1.5\nA-2,2021-02-04,2.5\n# pump changed\nA-3,2021-02-05,3.5\n";
    let (rows, findings) = collect(&mut open_raw(file(text).path(), &options()).unwrap()).unwrap();
    assert_eq!(rows.len(), 3);
    assert!(
        findings.iter().any(|finding| finding.contains("row 5") && finding.contains("remark")),
        "{findings:?}"
    );
}

#[test]
fn of_two_tables_in_a_file_the_first_is_read_and_the_other_told() {
    let text = "项目名称,总投资(万元)\n甲,3\n乙,4\n丙,4\n\n项目名称,建设单位,总投资(亿元)\n丁,某公司,5\n";
    let (rows, findings) = read(text.as_bytes(), &record(), &options());
    let names: Vec<&str> = rows.iter().filter_map(|row| row.split(' ').next()).collect();
    assert_eq!(names, [r#"project_name="甲""#, r#"project_name="乙""#, r#"project_name="丙""#]);
    assert!(findings.iter().any(|finding| finding.contains("second-table 6")), "{findings:?}");
}

#[test]
fn a_row_of_units_below_the_header_may_name_kinds_of_cells_too() {
    let text = "项目名称,总投资,开工时间\n（文本）,（亿元）,（日期）\n甲,3,2023-03-15\n";
    let (rows, findings) = read(text.as_bytes(), &record(), &options());
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].contains("total_investment=30000"), "{rows:?} {findings:?}");
}

/// Names and rows of a workbook that is read without a record schema; `*` for the names if it has no header.
fn raw_sheet(rows: &[&str], merges: &[(u32, u16, u32, u16)]) -> Vec<String> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, line) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(line.split('|')) {
            match cell.parse::<f64>() {
                Ok(number) => sheet.write_number(row, column, number).unwrap(),
                Err(_) => sheet.write_string(row, column, cell).unwrap(),
            };
        }
    }
    for &(row, column, last_row, last_column) in merges {
        let text = rows[row as usize].split('|').nth(column as usize).unwrap();
        sheet.merge_range(row, column, last_row, last_column, text, &rust_xlsxwriter::Format::new()).unwrap();
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    book.save(file.path()).unwrap();
    let mut reading = open_raw(file.path(), &ReadOptions::default()).unwrap();
    let names: Vec<String> = reading.schema().fields().iter().map(|f| f.name().clone()).collect();
    let names = names.iter().filter(|name| !name.starts_with('_')).cloned().collect::<Vec<_>>().join("|");
    let mut told = vec![if reading.header().is_some() { "*".to_owned() } else { names }];
    told.extend(
        collect(&mut reading).unwrap().0.iter().map(|row| row.split(" _").next().unwrap().to_owned()),
    );
    told
}

#[test]
fn a_sheet_without_a_schema_has_the_header_that_its_merged_cells_make_or_none() {
    let joined = ["名称|投资||时间", "|总投资|年度|", "甲|100|50|2026-01-02"];
    for merges in [&[(0, 0, 1, 0), (0, 1, 0, 2), (0, 3, 1, 3)][..], &[(0, 1, 0, 2)]] {
        let found = raw_sheet(&joined, merges);
        assert_eq!(found[0], "名称|投资 > 总投资|投资 > 年度|时间", "{merges:?}");
        assert_eq!(found.len(), 2, "{found:?}");
    }
    let found = raw_sheet(&["甲|100|2026-01-02", "乙|200|2026-02-03"], &[]);
    assert_eq!((found[0].as_str(), found.len()), ("*", 3), "{found:?}");
    let found = raw_sheet(&["地区|2024|2025", "甲|100|3", "乙|200|4"], &[]);
    assert_eq!((found[0].as_str(), found.len()), ("地区|2024|2025", 3));
}
