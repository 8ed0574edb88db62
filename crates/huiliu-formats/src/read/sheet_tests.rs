//! Workbooks as departments send them, each with a mess of another kind, and the tables that must come of them.
//!
//! A case is two files in `data/sheets`: `NAME.grid` draws the sheet (cells parted by `|`; `<` continues the merged
//! cell at its left, `^` the one above), `NAME.csv` is the expected table by field names. Its lines `# D5` are the
//! cells of which a warning about counts, totals or serial numbers must tell, and no others; its lines `! TEXT` are what
//! some finding (`severity code row: message`) must say. A grid's second line may name fields to fill down.

use std::path::PathBuf;

use rust_xlsxwriter::{Format, Workbook};

use huiliu_stage::{Field, Severity};

use super::tests::{MESSY, collect, options, read};
use super::*;

fn file(name: &str) -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells it"))
        .join("data/sheets")
        .join(name)
}

const FILL_DOWN: &str = "# fill_down: ";

/// Writes the drawn sheet as a workbook.
fn draw(grid: &str) -> tempfile::NamedTempFile {
    let mut lines = grid.lines().filter(|line| !line.starts_with(FILL_DOWN));
    let name = lines.next().and_then(|line| line.strip_prefix("# sheet: ")).unwrap();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split('|').collect()).collect();
    let at = |row: usize, column: usize| rows.get(row).and_then(|r| r.get(column)).copied().unwrap_or("");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name(name).unwrap();
    for (row, cells) in rows.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !matches!(**cell, "" | "<" | "^")) {
            let right = (column + 1..).take_while(|&c| at(row, c) == "<").last().unwrap_or(column);
            let below = (row + 1..).take_while(|&r| at(r, column) == "^").last().unwrap_or(row);
            let (r, c) = (row as u32, column as u16);
            if (right, below) != (column, row) {
                sheet.merge_range(r, c, below as u32, right as u16, cell, &Format::new()).unwrap();
            } else if let Some(text) = cell.strip_prefix('\'') {
                sheet.write_string(r, c, text).unwrap();
            } else if let Ok(number) = cell.parse::<f64>() {
                sheet.write_number(r, c, number).unwrap();
            } else {
                sheet.write_string(r, c, *cell).unwrap();
            }
        }
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    book.save(file.path()).unwrap();
    file
}

/// What is wrong with a case; empty if nothing.
fn differences(name: &str) -> String {
    let grid = std::fs::read_to_string(file(&format!("{name}.grid"))).unwrap();
    let down = grid.lines().find_map(|line| line.strip_prefix(FILL_DOWN)).unwrap_or_default();
    let mut record = shipped();
    for field in &mut record.fields {
        field.fill_down = down.split(' ').any(|name| name == field.name);
    }
    let expected = std::fs::read_to_string(file(&format!("{name}.csv"))).unwrap();
    let drawn = draw(&grid);
    let (rows, findings) = collect(&mut open(drawn.path(), &record, &options()).unwrap()).unwrap();
    let fields: Vec<&str> = expected.lines().next().unwrap().split(',').collect();
    let mut got = vec![fields.join(",")];
    got.extend(
        rows.iter().map(|row| fields.iter().map(|field| value_of(row, field)).collect::<Vec<_>>().join(",")),
    );
    let mut told: Vec<String> = findings
        .iter()
        .filter(|finding| finding.contains(" V15 "))
        .filter_map(|finding| finding.split(": ").nth(1)?.split(' ').next().map(|at| format!("# {at}")))
        .collect();
    told.sort();
    got.extend(told);
    let (says, wanted): (Vec<&str>, Vec<&str>) = expected.lines().partition(|line| line.starts_with("! "));
    let said = |line: &&str| findings.iter().any(|finding| finding.contains(&line[2..]));
    let unsaid: Vec<&&str> = says.iter().filter(|line| !said(line)).collect();
    if got == wanted && unsaid.is_empty() {
        String::new()
    } else {
        format!("{name}: {got:#?}\nexpected {wanted:#?}\n{findings:#?}\nunsaid {unsaid:?}\n")
    }
}

#[test]
fn workbooks_with_every_kind_of_mess_give_the_expected_tables() {
    let mut names: Vec<String> = std::fs::read_dir(file(""))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".grid").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 14, "{names:?}");
    let wrong: String = names.iter().map(|name| differences(name)).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn merged_cells_are_filled_down_only_where_the_record_says_so() {
    let drawn = draw(&std::fs::read_to_string(file("merged_owner.grid")).unwrap());
    let (rows, _) = collect(&mut open(drawn.path(), &shipped(), &options()).unwrap()).unwrap();
    assert_eq!(value_of(&rows[1], "owner_name"), "");
}

#[test]
fn what_the_sender_confirmed_wins() {
    let grid = "# sheet: s\n项目名称|建设单位|累计完成投资|总投资\n甲|乙|5|6\n";
    let drawn = draw(grid);
    let read = |options: &ReadOptions| {
        let mut reading = open(drawn.path(), &shipped(), options).unwrap();
        let (rows, _) = collect(&mut reading).unwrap();
        (rows, reading.report().sheets[0].columns[2].clone())
    };
    let (rows, column) = read(&options());
    assert!(rows[0].contains("_extra={\"累计完成投资\":\"5\"}"), "{rows:?}");
    assert_eq!(column.alternatives, ["ytd_investment", "cumulative_investment"]);
    let mapping = [("累计完成投资".to_owned(), "cumulative_investment".to_owned())].into();
    let (rows, column) = read(&ReadOptions { mapping, ..options() });
    assert_eq!(value_of(&rows[0], "cumulative_investment"), "5");
    assert_eq!((column.how.as_str(), column.field.as_deref()), ("confirmed", Some("cumulative_investment")));
}

/// The shipped record schema: YAML flow mappings, one field a line, read here without a YAML parser.
pub(super) fn shipped() -> RecordSchema {
    let yaml = include_str!("../../../../pipelines/records/project.yaml");
    let value = |line: &str, key: &str| {
        let rest = &line[line.find(&format!("{key}: "))? + key.len() + 2..];
        let end = match rest.starts_with('[') {
            true => rest.find(']')? + 1,
            false => rest.find([',', '}'])?,
        };
        Some(rest[..end].trim_matches(['"', '[', ']']).to_owned())
    };
    let list = |text: Option<String>| -> Vec<String> {
        text.iter().flat_map(|text| text.split(", ")).map(str::to_owned).collect()
    };
    let field = |line: &str| {
        let kind = value(line, "type").unwrap_or_else(|| "text".into());
        Some(Field {
            name: value(line, "name")?,
            kind: serde_json::from_value(serde_json::Value::String(kind)).unwrap(),
            label: value(line, "label")?,
            unit: value(line, "unit"),
            aliases: list(value(line, "aliases")),
            values: list(value(line, "enum")),
            ..Field::default()
        })
    };
    let lines = yaml.lines().filter_map(|line| line.trim().strip_prefix("- {"));
    RecordSchema {
        record: "project".into(),
        label: "重大项目".into(),
        fields: lines.filter_map(field).collect(),
    }
}

/// A row's value of a field as text; empty if there is none.
pub(super) fn value_of(row: &str, field: &str) -> String {
    let Some(at) = format!(" {row}").find(&format!(" {field}=")) else { return String::new() };
    let rest = &row[at + field.len() + 1..];
    let end = rest.find(" ").unwrap_or(rest.len());
    rest[..end].trim_matches(['"', '[', ']']).to_owned()
}

#[test]
fn the_messy_sample_gives_the_expected_table() {
    let expected = include_str!("../../data/messy_sample_expected.csv");
    let (rows, findings) = read(MESSY.as_bytes(), &shipped(), &options());
    let wanted: Vec<Vec<&str>> = expected.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), wanted.len());
    for (row, wanted) in rows.iter().zip(wanted) {
        // Levels by the words of the lists; the code of the place is the region stage's work.
        let level = match wanted[2] {
            "province" => "省重大",
            "district" => "区重点",
            other => other,
        };
        let got = |field: &str| value_of(row, field);
        let number = |field: &str| got(field).parse::<f64>().unwrap();
        assert_eq!(got("_row"), wanted[0]);
        assert_eq!(got("project_name"), wanted[1]);
        assert_eq!(got("level"), level);
        assert_eq!(got("project_code"), wanted[3]);
        assert_eq!(got("owner_name"), wanted[4]);
        assert!(!got("location").is_empty());
        assert_eq!(got("construction_nature"), wanted[6]);
        for (column, field) in
            ["total_investment", "annual_plan_investment", "month_investment", "ytd_investment"]
                .iter()
                .enumerate()
        {
            assert_eq!(number(field), wanted[7 + column].parse::<f64>().unwrap(), "{field}");
        }
        for (column, field) in [(12, "start_date"), (13, "plan_start_date")] {
            let got = got(field);
            assert!(
                got.starts_with(wanted[column]) && got.is_empty() == wanted[column].is_empty(),
                "{field} {got}"
            );
        }
    }
    // Counts and sums of the sample are right.
    assert!(!findings.iter().any(|f| f.contains(" V15 ")), "{findings:#?}");
    assert!(
        findings.iter().any(|f| f.contains("A6 `一、省重大项目(2个)` is the title of a group")),
        "{findings:#?}"
    );
    assert!(!findings.iter().any(|f| f.starts_with("error")), "{findings:#?}");
}

#[test]
fn counts_totals_and_serial_numbers_are_held_against_the_rows() {
    let wrong = MESSY
        .replace("合计(5个)", "合计(6个)")
        .replace("27.75,70000", "27.75,71000")
        .replace("省重大项目(2个)", "省重大项目(3个)")
        .replace("22.5,50000,5700", "23.5,50000,5700")
        .replace("\n3,示例检测", "\n5,示例检测");
    let (rows, findings) = read(wrong.as_bytes(), &shipped(), &options());
    assert_eq!(rows.len(), 5);
    let mut found: Vec<&String> = findings.iter().filter(|f| f.contains(" V15 ")).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "warning V15 13: A13 serial numbers go from 2 to 5; see whether records are missing",
            "warning V15 5: B5 `合计(6个)` declares 6, but 5 rows were read; look for missing or surplus rows",
            "warning V15 5: H5 (年度计划投资) says 71000, but the 5 rows it stands for add up to 70000; check both",
            "warning V15 6: A6 `一、省重大项目(3个)` declares 3, but 2 rows were read; look for missing or surplus rows",
            "warning V15 9: G9 (总投资) says 23.5, but the 2 rows it stands for add up to 22.5; check both",
        ]
    );
}

/// The labels were written by hand before the reader was asked; a column is looked at beside 项目名称 only, so that nothing
/// but its own words counts.
#[test]
fn headers_of_departments_are_taken_for_the_fields_that_people_take_them_for() {
    let labels = include_str!("../../data/header_labels.csv");
    let (mut right, mut wrong) = (0, Vec::new());
    for line in labels.lines().skip(1) {
        let (header, expected) = line.rsplit_once(',').unwrap();
        let (upper, lower) = header.split_once(" > ").unwrap_or((header, ""));
        let name = if expected == "project_name" { "总投资" } else { "项目名称" };
        let book = draw(&format!("# sheet: s\n{name}|{upper}\n|{lower}\n甲|\n"));
        let format = FormatOptions { header_row: Some(1), ..FormatOptions::default() };
        let reading = open(book.path(), &shipped(), &ReadOptions { format, ..options() }).unwrap();
        let columns = &reading.report().sheets[0].columns;
        let found = columns.get(1).and_then(|column| column.field.as_deref()).unwrap_or("-");
        if found == expected { right += 1 } else { wrong.push(format!("{header}: {found}, not {expected}")) }
    }
    println!("{right} of {} headers", right + wrong.len());
    assert_eq!(wrong, Vec::<String>::new());
}

/// Every word of the shipped dictionary, beside a column that may mean nothing else.
#[test]
fn every_word_of_the_dictionary_names_its_field_or_is_told_as_a_weak_one() {
    let record = shipped();
    let names = Names::new(&record, true);
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for line in include_str!("../../data/header_aliases.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [field, _, alias, "exact", strength, ..] = cells[..] else { continue };
        let Some(index) = record.fields.iter().position(|known| known.name == field) else {
            // Serial numbers are no field; they are held against gaps.
            assert_eq!((field, header::is_serial(alias) || strength == "weak"), ("seq_no", true), "{alias}");
            continue;
        };
        seen += 1;
        let beside = if field == "project_name" { "总投资" } else { "项目名称" };
        let grid = vec![(1, vec![beside.to_owned(), alias.to_owned()])];
        let layout = header::find(&grid, &Merged::default(), &names, Some(1)).unwrap();
        let titles: Vec<String> = record.fields.iter().map(|field| field.name.clone()).collect();
        let told = header::findings("", &layout, &titles, &titles);
        let warned = told.iter().any(|finding| finding.severity == Severity::Warning);
        let taken = layout.columns[1].field == Some(index);
        let named = told.iter().any(|finding| finding.message.en.contains(field));
        let right = match strength {
            "strong" => taken && !warned,
            // Taken or not, the sender hears of it.
            _ => warned && (taken || named),
        };
        if !right {
            wrong.push(format!("{alias}: {strength} {field}, {:?} {told:?}", layout.columns[1].field));
        }
    }
    assert!(wrong.is_empty(), "{} of {seen}: {wrong:#?}", wrong.len());
    assert!(seen > 1050, "{seen}");
}

#[test]
fn a_form_or_a_turned_table_is_refused_by_name_and_never_read_as_rows() {
    let form = "# sheet: 基本情况\n项目基本情况表|<|<|<\n项目名称|示例甲项目|建设单位|甲公司\n\
        总投资(万元)|1200|建设地点|湖塘镇\n开工时间|2023年3月|联系人|张三\n";
    let turned = "# sheet: 表\n项目名称|甲项目|乙项目\n总投资(万元)|100|200\n建设单位|甲公司|乙公司\n";
    let pairs = "# sheet: 表\n项目申报表|||\n项目名称|甲项目|建设单位|甲司\n总投资(万元)|100|开工时间|2024-01-01\n\
        项目名称|乙项目|建设单位|乙司\n总投资(万元)|200|开工时间|2024-02-01\n";
    for grid in [form, turned, pairs] {
        let refused = open(draw(grid).path(), &shipped(), &options()).err().unwrap().to_string();
        assert!(refused.contains("a table turned on its side"), "{refused}");
    }
}

#[test]
fn two_tables_side_by_side_are_told_and_the_left_one_is_read() {
    let drawn = draw("# sheet: 表\n项目名称|总投资(万元)||项目名称|总投资(万元)\n甲项目|100||丙项目|300\n");
    let (rows, findings) = collect(&mut open(drawn.path(), &shipped(), &options()).unwrap()).unwrap();
    assert_eq!(value_of(&rows[0], "project_name"), "甲项目");
    assert!(
        rows[0].contains("丙项目")
            && findings.iter().any(|f| f.contains("columns D–E are a second table beside the first")),
        "{rows:?} {findings:?}"
    );
}

#[test]
fn a_header_with_a_slip_of_the_pen_is_told_with_what_it_may_mean_and_not_guessed() {
    let drawn = draw("# sheet: 表\n项目名称|总投资(万元)|建设单为\n甲项目|100|甲公司\n");
    let mut reading = open(drawn.path(), &shipped(), &options()).unwrap();
    let (rows, findings) = collect(&mut reading).unwrap();
    assert!(rows[0].contains("_extra={\"建设单为\":\"甲公司\"}"), "{rows:?}");
    assert!(findings.iter().any(|f| f.contains("`建设单为` may be owner_name")), "{findings:?}");
    assert_eq!(reading.report().sheets[0].columns[2].alternatives, ["owner_name"]);
}

/// Formats of cells as offices use them, beside sheets that hold no data.
#[test]
fn what_a_cell_shows_is_what_is_read_and_sheets_without_data_are_told() {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("封面").unwrap().write_string(0, 0, "重点项目报表").unwrap();
    book.add_worksheet().set_name("空").unwrap();
    let sheet = book.add_worksheet().set_name("续建项目(2个)").unwrap();
    for (column, header) in
        ["项目名称", "投资完成率(%)", "库内编号", "开工时间", "总投资（万元）"].iter().enumerate()
    {
        sheet.write_string(0, column as u16, *header).unwrap();
    }
    let (percent, padded, day) = (
        Format::new().set_num_format("0.0%"),
        Format::new().set_num_format("0000"),
        Format::new().set_num_format("yyyy/m/d"),
    );
    for (row, (name, rate, number, serial)) in
        [("甲项目", 0.358, 12.0, 45_000.0), ("乙项目", 1.02, 345.0, 45_031.0)].into_iter().enumerate()
    {
        let row = row as u32 + 1;
        sheet.write_string(row, 0, name).unwrap();
        sheet.write_number_with_format(row, 1, rate, &percent).unwrap();
        sheet.write_number_with_format(row, 2, number, &padded).unwrap();
        sheet.write_number_with_format(row, 3, serial, &day).unwrap();
        let formula =
            rust_xlsxwriter::Formula::new("=50*2").set_result(if row == 1 { "100" } else { "#REF!" });
        sheet.write_formula(row, 4, formula).unwrap();
    }
    let hidden = book.add_worksheet().set_name("上月").unwrap().set_hidden(true);
    hidden.write_string(0, 0, "项目名称").unwrap().write_string(1, 0, "旧项目").unwrap();
    let notes = book.add_worksheet().set_name("填表说明").unwrap();
    notes.write_string(0, 0, "一、总投资按备案证填写。").unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    book.save(file.path()).unwrap();
    let mut reading = open(file.path(), &shipped(), &options()).unwrap();
    let (rows, findings) = collect(&mut reading).unwrap();
    let got = |row: usize| {
        ["invest_rate", "library_no", "start_date", "total_investment", "construction_nature"]
            .map(|field| value_of(&rows[row], field))
            .join(" ")
    };
    assert_eq!(got(0), "35.8 0012 2023-03-15 100 续建");
    assert_eq!(got(1), "102.0 0345 2023-04-15  续建");
    let told = |text: &str| findings.iter().any(|finding| finding.contains(text));
    assert!(told("info sheet : sheet `封面` has no header"), "{findings:#?}");
    assert!(told("info sheet : sheet `填表说明` has no header"), "{findings:#?}");
    assert!(told("info hidden : sheet `上月` is hidden and was not read"), "{findings:#?}");
    assert!(told("formula in E3 failed (#REF!)"), "{findings:#?}");
    assert_eq!(rows.len(), 2);
}

#[test]
fn days_of_both_date_systems_are_the_same_days() {
    for (system, serial) in [("", 45_000), ("<workbookPr date1904=\"1\"/>", 43_538)] {
        let book = format!(
            "<workbook xmlns:r=\"x\">{system}<sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
        );
        let text = |text: &str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
        let sheet = format!(
            "<worksheet><sheetData><row>{}{}{}</row><row>{}<c s=\"1\"><v>{serial}</v></c><c><v>5</v></c></row></sheetData></worksheet>",
            text("项目名称"),
            text("开工时间"),
            text("总投资"),
            text("甲项目")
        );
        let bytes = super::package::tests::zip_of(&[
            ("xl/workbook.xml", book.as_bytes()),
            (
                "xl/styles.xml",
                b"<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>",
            ),
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ]);
        let (rows, _) = read(&bytes, &shipped(), &options());
        assert_eq!(value_of(&rows[0], "start_date"), "2023-03-15", "{system}");
    }
}

#[test]
fn a_name_that_looks_like_a_title_is_a_record_if_values_stand_behind_it() {
    let table = "项目名称,总投资（万元）,年度计划投资（万元）\n城南小区(3个),5000,300\n城北学校,4000,200\n\
        续建项目(1个),800,100\n城东学校,800,100\n";
    let (rows, findings) = read(table.as_bytes(), &shipped(), &options());
    let names: Vec<String> = rows.iter().map(|row| value_of(row, "project_name")).collect();
    assert_eq!(names, ["城南小区(3个)", "城北学校", "城东学校"], "{findings:#?}");
}

#[test]
fn a_field_is_called_by_its_title_in_chinese() {
    let table = "项目名称,总投资（万元）,年度计划投资（万元）,累计完成投资\n城南学校,5000,300,7\n";
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, table.as_bytes()).unwrap();
    let reading = open(file.path(), &shipped(), &options()).unwrap();
    let told: Vec<String> =
        reading.flat_map(|outcome| outcome.unwrap().findings.0).map(|finding| finding.message.zh).collect();
    assert!(told.iter().any(|text| text.contains("累计完成投资")), "{told:?}");
    assert!(!told.iter().any(|text| text.contains("_investment")), "{told:?}");
}

#[test]
fn groups_totals_and_counts_of_a_table_of_two_columns_are_no_records() {
    let table = "2026年重大项目(6个),\n项目名称,总投资（万元）\n一、产业项目(3个),\n甲项目,100\n乙项目,200\n\
        二、民生项目(1个),\n丙项目,300\n续建项目,\n丁项目,\n合计,700\n注：金额保留整数,\n";
    let (rows, findings) = read(table.as_bytes(), &shipped(), &options());
    let names: Vec<String> = rows.iter().map(|row| value_of(row, "project_name")).collect();
    assert_eq!(names, ["甲项目", "乙项目", "丙项目", "丁项目"], "{findings:#?}");
    assert_eq!(value_of(&rows[3], "construction_nature"), "续建");
    let told: Vec<&String> = findings.iter().filter(|finding| finding.starts_with("warning V15")).collect();
    for (cell, what) in [("A1", "declares 6"), ("A3", "declares 3"), ("B10", "says 700")] {
        assert!(told.iter().any(|f| f.contains(cell) && f.contains(what)), "{cell}: {told:#?}");
    }
    // A name of a place is the record where places are what the table is of.
    let (rows, _) =
        read("所属区域,总投资（万元）\n武进高新区,\n湖塘镇,5\n".as_bytes(), &shipped(), &options());
    assert_eq!(rows.len(), 2);
}
