//! A workbook with everything an office puts into one comes back with everything in it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use calamine::{Data, Reader as _, Xlsx};
use quick_xml::events::Event;
use rust_xlsxwriter::{
    Chart, ChartType, Color, ConditionalFormatCell, ConditionalFormatCellRule, DataValidation, Format,
    FormatBorder, Formula, Image, Note, Workbook,
};

use super::super::sample::sample;
use super::super::{CopyLimits, Language, ReceiptData, workbook};

/// A picture of one dot.
const DOT: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0,
    1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 12, 0x49, 0x44, 0x41, 0x54, 0x08, 0xd7, 0x63, 0xf8,
    0xcf, 0xc0, 0, 0, 3, 1, 1, 0, 0x18, 0xdd, 0x8d, 0xb0, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42,
    0x60, 0x82,
];

/// What a department sent.
pub(super) fn rich() -> Vec<u8> {
    let mut book = Workbook::new();
    let note = book.add_worksheet().set_name("说明").unwrap();
    note.write_string(0, 0, "填报说明").unwrap();
    note.insert_note(0, 0, &Note::new("先看这里").set_author("甲")).unwrap();
    note.insert_image(3, 3, &Image::new_from_buffer(DOT).unwrap()).unwrap();
    let sheet = book.add_worksheet().set_name("项目").unwrap();
    let title = Format::new().set_bold().set_font_size(18);
    let money = Format::new().set_num_format("#,##0.00").set_border(FormatBorder::Thin);
    sheet.merge_range(0, 1, 0, 3, "重大项目表", &title).unwrap();
    for (column, header) in [(1, "项目名称"), (2, "总投资(亿元)"), (3, "备注")] {
        sheet.write_string(1, column, header).unwrap();
        sheet.set_column_width(column, 20).unwrap();
    }
    sheet.write_string(2, 1, "甲").unwrap().write_string_with_format(2, 2, "待定", &money).unwrap();
    sheet.merge_range(3, 1, 6, 1, "乙", &Format::new()).unwrap();
    sheet.write_number_with_format(3, 2, 1.5, &money).unwrap();
    sheet.write_number(4, 2, 2.5).unwrap();
    sheet.write_formula(8, 2, Formula::new("SUM(C4:C5)").set_result("4")).unwrap();
    sheet.write_url(9, 1, "https://example.org/").unwrap();
    sheet.insert_note(2, 2, &Note::new("领导看过").set_author("乙")).unwrap();
    let red = Format::new().set_font_color(Color::Red);
    let over =
        ConditionalFormatCell::new().set_rule(ConditionalFormatCellRule::GreaterThan(2)).set_format(red);
    sheet.add_conditional_format(2, 2, 6, 2, &over).unwrap();
    let list = DataValidation::new().allow_list_strings(&["是", "否"]).unwrap();
    sheet.add_data_validation(2, 3, 20, 3, &list).unwrap();
    let mut chart = Chart::new(ChartType::Column);
    chart.add_series().set_values("项目!$C$4:$C$5");
    sheet.insert_chart(11, 1, &chart).unwrap();
    sheet.set_print_area(0, 0, 10, 3).unwrap();
    sheet.set_freeze_panes(2, 0).unwrap();
    book.add_worksheet().set_name("空").unwrap();
    book.define_name("合计", "=项目!$C$9").unwrap();
    book.save_to_buffer().unwrap()
}

pub(super) fn answered(data: &ReceiptData, sent: &[u8]) -> Vec<u8> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(sent).unwrap();
    marked(data, file.path())
}

fn marked(data: &ReceiptData, sent: &Path) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    workbook(data, Some(sent), &CopyLimits::default(), &mut out).unwrap();
    out.into_inner()
}

pub(super) fn parts(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let read = |index| {
        let mut entry = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.name().unwrap().into_owned(), String::from_utf8_lossy(&bytes).into_owned())
    };
    let count = zip::ZipArchive::new(Cursor::new(bytes)).unwrap().len();
    (0..count).map(read).collect()
}

/// The tags of a part, those of cells without their style.
fn tags(text: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut tags = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return tags,
            Event::Start(tag) | Event::Empty(tag) => {
                let plain =
                    super::xml::with(&tag, &[("s", None), ("tabSelected", None), ("spans", None)]).unwrap();
                tags.push(plain);
            }
            Event::Text(text) => tags.push(text.to_string()),
            _ => {}
        }
    }
}

fn well_formed(name: &str, text: &str) {
    let seen = super::xml::walk(text, |_| Ok(()));
    assert!(seen.is_ok(), "{name}: {seen:?}");
}

#[test]
fn all_parts_that_need_no_change_are_the_same_bytes() {
    // Made once: a workbook holds the second in which it was made.
    let sent = rich();
    let copy = answered(&sample("xlsx", Language::Zh), &sent);
    let (before, after) = (parts(&sent), parts(&copy));
    let mut touched = Vec::new();
    for (name, text) in &before {
        let new = after.get(name).unwrap_or_else(|| panic!("{name} is lost"));
        if !name.ends_with(".png") {
            well_formed(name, new);
        }
        if new != text {
            touched.push(name.as_str());
        }
    }
    assert_eq!(
        touched,
        [
            "[Content_Types].xml",
            "xl/_rels/workbook.xml.rels",
            "xl/comments2.xml",
            "xl/drawings/vmlDrawing2.vml",
            "xl/styles.xml",
            "xl/workbook.xml",
            "xl/worksheets/sheet1.xml", // Is no longer the sheet that is shown.
            "xl/worksheets/sheet2.xml",
        ]
    );
    let new: Vec<&String> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    assert_eq!(new, ["xl/worksheets/sheet4.xml"]);
    well_formed("sheet4", &after["xl/worksheets/sheet4.xml"]);
    assert_eq!(tags(&before["xl/worksheets/sheet1.xml"]), tags(&after["xl/worksheets/sheet1.xml"]));
}

#[test]
fn a_marked_sheet_differs_in_the_marked_cells_only() {
    let (sent, copy) = (rich(), answered(&sample("xlsx", Language::Zh), &rich()));
    let sheet = "xl/worksheets/sheet2.xml";
    let (before, after) = (parts(&sent)[sheet].clone(), parts(&copy)[sheet].clone());
    assert_eq!(tags(&before), tags(&after));
    let (old, new): (Vec<&str>, Vec<&str>) = (before.split("<c ").collect(), after.split("<c ").collect());
    let changed: Vec<&str> =
        old.iter().zip(&new).skip(1).filter(|(a, b)| a != b).map(|(a, _)| &a[..6]).collect();
    // B4 and B6 are one merged cell, whose first cell is the one that is seen.
    assert_eq!(changed, ["r=\"C3\"", "r=\"B4\""]);
}

#[test]
fn a_marked_cell_keeps_its_number_format_and_borders() {
    let copy = answered(&sample("xlsx", Language::Zh), &rich());
    let parts = parts(&copy);
    let sheet = &parts["xl/worksheets/sheet2.xml"];
    let at = sheet.find("r=\"C3\" s=\"").unwrap() + 10;
    let look: usize = sheet[at..].split('"').next().unwrap().parse().unwrap();
    let styles = &parts["xl/styles.xml"];
    let looks = &styles[styles.find("<cellXfs").unwrap()..];
    let look = looks.split("<xf ").nth(look + 1).unwrap();
    assert!(look.contains("applyBorder=\"1\"") && look.contains("applyNumberFormat=\"1\""), "{look}");
    assert!(look.contains("applyFill=\"1\"") && !look.contains("fillId=\"0\""), "{look}");
    for list in ["fonts", "fills", "borders", "cellXfs"] {
        let text = &styles
            [styles.find(&format!("<{list} count=\"")).unwrap()..styles.find(&format!("</{list}>")).unwrap()];
        let child = match list {
            "cellXfs" => "<xf ".to_owned(),
            _ => format!("<{}>", &list[..list.len() - 1]),
        };
        let count: usize = text.split('"').nth(1).unwrap().parse().unwrap();
        assert_eq!(count, text.matches(&child).count(), "{list}: {text}");
    }
}

#[test]
fn comments_of_the_sender_stay_and_ours_are_added() {
    let copy = answered(&sample("xlsx", Language::Zh), &rich());
    let notes = &parts(&copy)["xl/comments2.xml"];
    let c3 = &notes[notes.find("ref=\"C3\"").unwrap()..];
    let c3 = &c3[..c3.find("</comment>").unwrap()];
    assert!(c3.contains("领导看过") && c3.contains("错误：【总投资】不是数字；请填写数字"), "{c3}");
    let b4 = &notes[notes.find("ref=\"B4\"").unwrap()..];
    assert!(b4.contains("没有项目代码；请补填") && b4.contains("行是空的"));
    let boxes = &parts(&copy)["xl/drawings/vmlDrawing2.vml"];
    assert_eq!(boxes.matches("<x:Row>").count(), 2, "one box for each cell with a note: {boxes}");
    assert!(boxes.contains("data=\"2,3\""), "{boxes}");
}

#[test]
fn the_summary_is_in_front_and_names_still_mean_their_sheets() {
    let copy = answered(&sample("xlsx", Language::Zh), &rich());
    let mut xlsx: Xlsx<_> = Xlsx::new(Cursor::new(copy.clone())).unwrap();
    assert_eq!(xlsx.sheet_names(), ["回执", "说明", "项目", "空"]);
    let summary = xlsx.worksheet_range("回执").unwrap();
    assert_eq!(summary.get_value((0, 0)), Some(&Data::String("报送回执".into())));
    assert_eq!(xlsx.worksheet_range("项目").unwrap().get_value((4, 2)), Some(&Data::Float(2.5)));
    let book = &parts(&copy)["xl/workbook.xml"];
    assert!(book.contains("localSheetId=\"2\"") && !book.contains("localSheetId=\"1\""), "{book}");
}

#[test]
fn the_same_workbook_is_marked_with_the_same_bytes() {
    let (data, sent) = (sample("xlsx", Language::En), rich());
    assert_eq!(answered(&data, &sent), answered(&data, &sent));
}

/// The workbook with one part changed, or without it.
pub(super) fn altered(bytes: &[u8], change: impl Fn(&str, String) -> Option<String>) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let new = match String::from_utf8(bytes) {
            Ok(text) => change(&name, text).map(String::into_bytes),
            Err(error) => Some(error.into_bytes()),
        };
        if let Some(bytes) = new {
            out.start_file(&*name, zip::write::SimpleFileOptions::default()).unwrap();
            out.write_all(&bytes).unwrap();
        }
    }
    out.finish().unwrap().into_inner()
}

#[test]
fn a_workbook_without_styles_gets_those_of_the_marks() {
    let sent = altered(&rich(), |name, text| match name {
        "xl/styles.xml" => None,
        "xl/_rels/workbook.xml.rels" => Some(
            regex::Regex::new("<Relationship [^>]*styles[^>]*/>").unwrap().replace(&text, "").into_owned(),
        ),
        "[Content_Types].xml" => {
            Some(regex::Regex::new("<Override [^>]*styles[^>]*/>").unwrap().replace(&text, "").into_owned())
        }
        _ => Some(regex::Regex::new(" s=\"[0-9]+\"").unwrap().replace_all(&text, "").into_owned()),
    });
    let parts = parts(&answered(&sample("xlsx", Language::Zh), &sent));
    let styles = &parts["xl/styles1.xml"];
    well_formed("styles", styles);
    assert!(parts["[Content_Types].xml"].contains("/xl/styles1.xml"));
    assert!(parts["xl/_rels/workbook.xml.rels"].contains("/xl/styles1.xml"));
    let cell = &parts["xl/worksheets/sheet2.xml"];
    let c3 = cell.split("<c ").find(|cell| cell.starts_with("r=\"C3\"")).unwrap();
    assert!(c3.split('>').next().unwrap().contains(" s=\""), "it is marked: {c3}");
    assert!(!parts["xl/worksheets/sheet4.xml"].contains("不能直接标注"));
}

#[test]
fn a_workbook_with_macros_keeps_its_kind() {
    let plain = "spreadsheetml.sheet.main+xml";
    let sent = altered(&rich(), |_, text| {
        Some(text.replace(
            &format!("application/vnd.openxmlformats-officedocument.{plain}"),
            "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
        ))
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for (bytes, ending) in [(sent, "xlsm"), (rich(), "xlsx")] {
        file.as_file_mut().set_len(0).unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut out = Cursor::new(Vec::new());
        let data = sample("xlsx", Language::Zh);
        let told = workbook(&data, Some(file.path()), &CopyLimits::default(), &mut out).unwrap();
        assert_eq!(told, ending);
    }
}
