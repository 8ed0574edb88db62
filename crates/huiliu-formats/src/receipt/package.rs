//! The answer to a package: a zip with the page about all of it and, for each workbook or text table in it, its own
//! marked copy, as it would have come back had it been sent alone.
//!
//! A table's share ([`part`]) is cut out of what is known of the delivery: its sheets under their own names, the
//! findings about them, and no counts of what became of its rows, which are known for the whole package only. The
//! tables are unpacked one after the other, under the limits by which the package was read.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::ops::Range;
use std::path::Path;

use huiliu_stage::{Finding, Severity, row_id, row_number, sheet_ordinal};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::workbook::{CopyLimits, has_cells, workbook};
use super::{ReceiptData, ReceiptError, page};
use crate::read::Unpacker;
use crate::report::{FileReport, ReadReport, SheetReport};

/// Whether a package holds a table of which there can be a marked copy.
pub fn has_copies(data: &ReceiptData) -> bool {
    data.report.format == "zip" && data.report.files.iter().any(can_be_marked)
}

/// Writes the answer to a package to `to`. `source` is the package; of one that cannot be opened any more there is the page
/// alone.
///
/// # Errors
/// When the answer cannot be written.
pub fn package<W: Write + Seek>(
    data: &ReceiptData,
    source: &Path,
    limits: &CopyLimits,
    to: W,
) -> Result<(), ReceiptError> {
    let mut out = ZipWriter::new(to);
    let word = data.language.pick("回执", "receipt");
    out.start_file(format!("{word}.html"), options(CompressionMethod::Deflated))?;
    page(data, Some(source), &mut out)?;
    let unpacker = File::open(source).ok();
    let unpacker =
        unpacker.and_then(|file| Unpacker::open(file, &limits.reading, limits.temp_dir.as_deref()).ok());
    let (mut from, mut seen, mut taken) = (0, HashMap::new(), BTreeSet::new());
    for file in &data.report.files {
        let sheets = sheets_of(data, file, from);
        from = sheets.end;
        let nth: &mut usize = seen.entry(file.name.as_str()).or_default();
        *nth += 1;
        let (Some(unpacker), true) = (&unpacker, can_be_marked(file)) else { continue };
        let mut table = temporary(limits)?;
        // A table that can no longer be unpacked has its findings on the page.
        if !unpacker.unpack(&file.name, *nth - 1, table.as_file_mut()).unwrap_or(false) {
            continue;
        }
        let mut copy = temporary(limits)?;
        let ending = workbook(&part(data, file, sheets), Some(table.path()), limits, copy.as_file_mut())?;
        copy.as_file_mut().rewind()?;
        // A workbook is packed already.
        out.start_file(free_name(&file.name, word, ending, &mut taken), options(CompressionMethod::Stored))?;
        io::copy(copy.as_file_mut(), &mut out)?;
    }
    out.finish()?.flush()?;
    Ok(())
}

/// The same receipt is the same bytes: nothing in it is dated.
fn options(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method).last_modified_time(DateTime::default())
}

fn temporary(limits: &CopyLimits) -> io::Result<tempfile::NamedTempFile> {
    match &limits.temp_dir {
        Some(folder) => tempfile::NamedTempFile::new_in(folder),
        None => tempfile::NamedTempFile::new(),
    }
}

fn can_be_marked(file: &FileReport) -> bool {
    has_cells(&file.format)
}

/// Where the copy stands in the answer: in the table's own folder, under its own name. `taken` are the names in use.
fn free_name(path: &str, word: &str, ending: &str, taken: &mut BTreeSet<String>) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let slash = if folder.is_empty() { "" } else { "/" };
    let mut free = format!("{folder}{slash}{stem}.{word}.{ending}");
    let mut count = 1;
    while !taken.insert(free.to_lowercase()) {
        count += 1;
        free = format!("{folder}{slash}{stem} ({count}).{word}.{ending}");
    }
    free
}

/// The sheets of a table, which follow those of the table before it.
fn sheets_of(data: &ReceiptData, file: &FileReport, from: usize) -> Range<usize> {
    let own = |sheet: &&SheetReport| own_name(file, &sheet.name).is_some();
    let sheets = data.report.sheets.get(from..).unwrap_or_default();
    from..from + sheets.iter().take_while(own).count()
}

/// A sheet's name within its own file.
fn own_name<'a>(file: &FileReport, name: &'a str) -> Option<&'a str> {
    match name.strip_prefix(file.name.as_str())? {
        "" => Some(""),
        rest => rest.strip_prefix('!'),
    }
}

/// What is known of one table of a package, as if it had been sent alone.
fn part(data: &ReceiptData, file: &FileReport, sheets: Range<usize>) -> ReceiptData {
    let reports = data.report.sheets.get(sheets.clone()).unwrap_or_default();
    let own = |sheet: &SheetReport| SheetReport {
        name: own_name(file, &sheet.name).unwrap_or_default().to_owned(),
        ..sheet.clone()
    };
    let reports: Vec<SheetReport> = reports.iter().map(own).collect();
    let within = |finding: &Finding| match finding.row {
        Some(row) => {
            let ordinal = (sheet_ordinal(row) as usize).checked_sub(sheets.start);
            let ordinal = ordinal.filter(|ordinal| *ordinal < sheets.len())?;
            let row = row_id(u32::try_from(ordinal).ok()?, row_number(row));
            Some(Finding { row: Some(row), ..finding.clone() })
        }
        // Of the file as a whole its name is told.
        None => finding.message.zh.contains(file.name.as_str()).then(|| finding.clone()),
    };
    let findings: Vec<Finding> = data.findings.iter().filter_map(within).collect();
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let refused = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let set_aside = refused.filter_map(|finding| finding.row).collect::<BTreeSet<i64>>().len() as u64;
    let mut part = ReceiptData {
        file: file.name.clone(),
        package: Some(data.file.clone()),
        rows_in: reports.iter().map(|sheet| sheet.rows).sum(),
        quarantined: set_aside,
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        infos: count(Severity::Info),
        codes: Default::default(),
        sheets: reports.iter().map(|sheet| sheet.name.clone()).collect(),
        report: ReadReport {
            format: file.format.clone(),
            encoding: file.encoding.clone(),
            delimiter: file.delimiter.clone(),
            dialect: file.dialect.clone(),
            sheets: reports,
            ..ReadReport::default()
        },
        findings,
        ..data.clone()
    };
    for finding in &part.findings {
        *part.codes.entry(finding.code.clone()).or_default() += 1;
    }
    part
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use calamine::{Data, Reader, Xlsx};
    use huiliu_stage::Text;
    use rust_xlsxwriter::Workbook;
    use zip::ZipArchive;

    use super::super::Language;
    use super::*;
    use crate::report::ColumnReport;

    /// A package as a department sends it: a workbook with a sheet of words before the table, a CSV file twice under one
    /// name in different folders, a picture.
    fn sent() -> tempfile::NamedTempFile {
        let mut book = Workbook::new();
        book.add_worksheet().set_name("说明").unwrap().write_string(0, 0, "填报说明").unwrap();
        let sheet = book.add_worksheet().set_name("项目").unwrap();
        sheet.write_string(0, 0, "项目名称").unwrap().write_string(0, 1, "总投资").unwrap();
        sheet.write_string(1, 0, "甲").unwrap().write_string(1, 1, "待定").unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut out = ZipWriter::new(file.reopen().unwrap());
        let csv = "项目名称;总投资\n乙;很多\n";
        let book = book.save_to_buffer().unwrap();
        for (name, bytes) in
            [("四月/清单.xlsx", book.as_slice()), ("乙/表.csv", csv.as_bytes()), ("图.png", b"\x89PNG")]
        {
            out.start_file(name, SimpleFileOptions::default()).unwrap();
            out.write_all(bytes).unwrap();
        }
        out.finish().unwrap();
        file
    }

    fn data() -> ReceiptData {
        let column = |index, header: &str, field: &str| ColumnReport {
            index,
            header: header.into(),
            field: Some(field.into()),
            how: "label".into(),
            ..ColumnReport::default()
        };
        let columns = vec![column(0, "项目名称", "name"), column(1, "总投资", "total")];
        let sheet = |name: &str| SheetReport {
            name: name.into(),
            header_rows: vec![1],
            columns: columns.clone(),
            rows: 1,
            ..SheetReport::default()
        };
        let sheets = vec![
            SheetReport { columns: Vec::new(), rows: 0, ..sheet("四月/清单.xlsx!说明") },
            sheet("四月/清单.xlsx!项目"),
            sheet("乙/表.csv"),
        ];
        let bad = |ordinal, raw: &str| {
            let text = Text::new("不是数字；请填写数字", "is no number");
            Finding::new(Some(row_id(ordinal, 2)), Severity::Error, "V07", text)
                .with_field("total")
                .with_raw(raw)
        };
        let of_file = Text::new("压缩包中的“乙/表.csv”：文件名不对", "");
        let file = |name: &str, format: &str| FileReport {
            name: name.into(),
            format: format.into(),
            delimiter: (format == "csv").then(|| ";".into()),
            ..FileReport::default()
        };
        ReceiptData {
            delivery: "00ff00ff00ff00ff".into(),
            file: "报送.zip".into(),
            state: "committed".into(),
            rows_in: 2,
            quarantined: 2,
            errors: 2,
            infos: 1,
            findings: vec![
                bad(1, "待定"),
                bad(2, "很多"),
                Finding::new(None, Severity::Info, "wrong-name", of_file),
            ],
            sheets: sheets.iter().map(|sheet| sheet.name.clone()).collect(),
            report: ReadReport {
                format: "zip".into(),
                files: vec![file("四月/清单.xlsx", "xlsx"), file("乙/表.csv", "csv")],
                sheets,
                ..ReadReport::default()
            },
            titles: [("total".to_owned(), "总投资".to_owned())].into(),
            language: Language::Zh,
            ..ReceiptData::default()
        }
    }

    fn made(data: &ReceiptData, source: &Path) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        package(data, source, &CopyLimits::default(), &mut out).unwrap();
        out.into_inner()
    }

    fn names_in(zip: &[u8]) -> Vec<String> {
        let archive = ZipArchive::new(Cursor::new(zip)).unwrap();
        archive.file_names().map(|name| name.unwrap().into_owned()).collect()
    }

    fn entry(zip: &[u8], name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
        archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn each_table_of_a_package_comes_back_marked() {
        let (data, sent) = (data(), sent());
        let zip = made(&data, sent.path());
        let names = names_in(&zip);
        assert_eq!(names, ["回执.html", "四月/清单.回执.xlsx", "乙/表.回执.xlsx"]);
        // The sender's workbook with its own sheets, the faulty cell noted.
        let book = entry(&zip, "四月/清单.回执.xlsx");
        let mut xlsx: Xlsx<_> = Xlsx::new(Cursor::new(book.clone())).unwrap();
        assert_eq!(xlsx.sheet_names(), ["回执", "说明", "项目"]);
        let cell = xlsx.worksheet_range("项目").unwrap().get_value((1, 1)).cloned();
        assert_eq!(cell, Some(Data::String("待定".into())));
        let comments = names_in(&book).into_iter().find(|name| name.contains("comments")).unwrap();
        let comments = entry(&book, &comments);
        assert!(String::from_utf8(comments).unwrap().contains("ref=\"B2\""));
        // Only its own findings, and no counts that are the package's.
        let front = xlsx.worksheet_range("回执").unwrap();
        let text: String = front.rows().flatten().map(|cell| format!("{cell}\n")).collect();
        for there in ["报送.zip", "四月/清单.xlsx", "待定", "问题清单（共 1 条）"] {
            assert!(text.contains(there), "{there} is not in\n{text}");
        }
        for other in ["很多", "文件名不对", "已采用", "并入已有记录"] {
            assert!(!text.contains(other), "{other} is in\n{text}");
        }
        let mut xlsx: Xlsx<_> = Xlsx::new(Cursor::new(entry(&zip, "乙/表.回执.xlsx"))).unwrap();
        let cell = xlsx.worksheet_range("报送内容").unwrap().get_value((1, 1)).cloned();
        assert_eq!(cell, Some(Data::String("很多".into())));
        let front = xlsx.worksheet_range("回执").unwrap();
        assert!(front.rows().flatten().any(|cell| cell.to_string().contains("文件名不对")));
        // The same data gives the same bytes.
        assert_eq!(made(&data, sent.path()), zip);
    }

    #[test]
    fn a_package_that_is_gone_or_harmful_by_now_has_its_page() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "no package").unwrap();
        for source in [file.path(), Path::new("/nowhere")] {
            let zip = made(&data(), source);
            assert_eq!(ZipArchive::new(Cursor::new(&zip)).unwrap().len(), 1);
            assert!(String::from_utf8(entry(&zip, "回执.html")).unwrap().contains("很多"));
        }
        assert!(has_copies(&data()));
        let mut other = data();
        other.report.files.retain(|file| file.format == "csv");
        assert!(has_copies(&other));
        other.report.files.clear();
        assert!(!has_copies(&other));
    }

    #[test]
    fn copies_of_one_name_are_kept_apart() {
        let mut taken = BTreeSet::new();
        let mut name = |path: &str| free_name(path, "回执", "xlsx", &mut taken);
        assert_eq!(name("a/表.csv"), "a/表.回执.xlsx");
        assert_eq!(name("a/表.xlsx"), "a/表 (2).回执.xlsx");
        assert_eq!(name("b/表.csv"), "b/表.回执.xlsx");
        assert_eq!(name("无"), "无.回执.xlsx");
    }
}
