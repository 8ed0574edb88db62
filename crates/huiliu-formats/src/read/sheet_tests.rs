//! Workbooks as departments send them, each with a mess of another kind, and the tables that must come of them.
//!
//! A case is two files in `data/sheets`: `NAME.grid` draws the sheet (cells parted by `|`; `<` continues the merged
//! cell at its left, `^` the one above), `NAME.csv` is the expected table by field names. Its lines `# D5` are the
//! cells of which a warning about counts, totals or serial numbers must tell, and no others.

use std::path::PathBuf;

use rust_xlsxwriter::{Format, Workbook};

use super::tests::{collect, options, shipped, value_of};
use super::*;

const CASES: [&str; 11] = [
    "title_and_unit",
    "header_of_three_rows",
    "groups_with_amounts",
    "groups_in_groups",
    "sheet_name",
    "pages",
    "notes_and_footer",
    "ditto",
    "merged_owner",
    "subtotals",
    "names_like_groups",
];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/sheets").join(name)
}

/// Writes the drawn sheet as a workbook.
fn draw(grid: &str) -> tempfile::NamedTempFile {
    let mut lines = grid.lines();
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
fn differences(name: &str, record: &RecordSchema) -> String {
    let grid = std::fs::read_to_string(file(&format!("{name}.grid"))).unwrap();
    let expected = std::fs::read_to_string(file(&format!("{name}.csv"))).unwrap();
    let drawn = draw(&grid);
    let (rows, findings) = collect(&mut open(drawn.path(), record, &options()).unwrap()).unwrap();
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
    let wanted: Vec<&str> = expected.lines().collect();
    if got == wanted {
        String::new()
    } else {
        format!("{name}: {got:#?}\nexpected {wanted:#?}\n{findings:#?}\n")
    }
}

#[test]
fn workbooks_with_every_kind_of_mess_give_the_expected_tables() {
    let mut record = shipped();
    for field in record.fields.iter_mut().filter(|field| field.name == "owner_name") {
        field.fill_down = true;
    }
    let mut plain = shipped();
    plain.fields.retain(|field| !field.fill_down);
    let wrong: String = CASES
        .iter()
        .map(|name| differences(name, if *name == "merged_owner" { &record } else { &plain }))
        .collect();
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
