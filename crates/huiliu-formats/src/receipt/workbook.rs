//! The receipt as a workbook: a summary, then what was sent with the faulty cells marked.

use std::any::Any;
use std::fs::File;
use std::io::{Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use super::copy::{Copied, copy};
use super::patch::patch;
use super::summary::summary;
use super::{ReceiptData, ReceiptError};
use crate::read::Limits;

/// How much of what was sent is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyLimits {
    /// Most rows. A larger file is copied in excerpt: the rows with findings.
    pub max_rows: u64,
    /// Most cells, likewise.
    pub max_cells: u64,
    /// Most bytes of shared texts of a workbook; they have to be held in memory to copy it at all.
    pub max_text_bytes: u64,
    /// Folder for temporary files, by default the system's.
    pub temp_dir: Option<PathBuf>,
    /// By which what was sent is opened again: those by which it was read.
    pub reading: Limits,
}

impl Default for CopyLimits {
    fn default() -> Self {
        Self {
            max_rows: 100_000,
            max_cells: 2_000_000,
            max_text_bytes: 64 << 20,
            temp_dir: None,
            reading: Limits::default(),
        }
    }
}

/// Writes the receipt's workbook to `to`. Gives the ending that its name must have: `xlsx`, or that of a workbook with
/// macros.
///
/// A workbook that was sent comes back as it was, with the faulty cells marked and the summary in front. Of
/// anything else with cells, and of workbooks too broken for that, the cells are copied into a new one.
///
/// `source` is the file that was sent; without it, or where it cannot be read, there is the summary alone,
/// which then says so: an answer is better than a perfect answer.
///
/// # Errors
/// When the workbook cannot be written.
pub fn workbook<W: Write + Seek + Send>(
    data: &ReceiptData,
    source: Option<&Path>,
    limits: &CopyLimits,
    mut to: W,
) -> Result<&'static str, ReceiptError> {
    let why = match source.filter(|_| is_workbook(data)).map(|source| patched(data, source, limits)) {
        Some(Ok((mut file, ending))) => {
            return match std::io::copy(&mut file, &mut to).and_then(|_| to.flush()) {
                Ok(()) => Ok(ending),
                Err(error) => Err(ReceiptError::BrokeOff(error.to_string())),
            };
        }
        Some(Err(why)) => Some(why),
        None => Some(format!("it is of the kind {}", data.report.format))
            .filter(|_| has_sheets(&data.report.format)),
    };
    made_anew(data, source, limits, why, to).map(|()| "xlsx")
}

/// Whether what was sent is told by a workbook: it has cells. Else a [`page`](super::page()) tells it.
pub fn has_workbook(data: &ReceiptData) -> bool {
    has_cells(&data.report.format)
}

/// Whether files of a format, as reports name it, have cells.
pub(super) fn has_cells(format: &str) -> bool {
    format == "csv" || has_sheets(format)
}

/// Whether files of a format have sheets, or are the table of a page.
pub(super) fn has_sheets(format: &str) -> bool {
    matches!(format, "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" | "fods" | "xml-spreadsheet" | "html")
}

/// Whether what was sent is a workbook that was read. One that was refused unread may be anything, a bomb too:
/// it is not opened again.
fn is_workbook(data: &ReceiptData) -> bool {
    let read = data.report.sheets.iter().any(|sheet| !sheet.columns.is_empty());
    read && matches!(data.report.format.as_str(), "xlsx" | "xlsm")
}

/// The sender's own workbook with marks, or why that cannot be.
fn patched(data: &ReceiptData, source: &Path, limits: &CopyLimits) -> Result<(File, &'static str), String> {
    match catch_unwind(AssertUnwindSafe(|| patch(data, source, limits))) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(panic_text(&*panic)),
    }
}

/// Writes a new workbook, with the cells of what was sent.
fn made_anew<W: Write + Seek + Send>(
    data: &ReceiptData,
    source: Option<&Path>,
    limits: &CopyLimits,
    why: Option<String>,
    to: W,
) -> Result<(), ReceiptError> {
    // Libraries that read what strangers sent, or write to a full disk, have been seen to panic.
    let copied = catch_unwind(AssertUnwindSafe(|| with_copy(data, source, limits)));
    let (book, mut copied) = match copied {
        Ok(result) => result?,
        Err(panic) => {
            let broke_off = Some(panic_text(&*panic));
            (Workbook::new(), Copied { broke_off, ..Copied::default() })
        }
    };
    copied.made_anew = why.filter(|_| !copied.worksheets.is_empty());
    let write = AssertUnwindSafe(|| finish(data, book, copied, to));
    match catch_unwind(write) {
        Ok(result) => Ok(result?),
        Err(panic) => Err(ReceiptError::BrokeOff(panic_text(&*panic))),
    }
}

fn with_copy(
    data: &ReceiptData,
    source: Option<&Path>,
    limits: &CopyLimits,
) -> Result<(Workbook, Copied), XlsxError> {
    let mut book = Workbook::new();
    if let Some(folder) = &limits.temp_dir {
        book.set_tempdir(folder)?;
    }
    let copied = match source {
        Some(source) => copy(data, source, limits, &mut book, summary_name(data))?,
        None => Copied::default(),
    };
    Ok((book, copied))
}

fn finish<W: Write + Seek + Send>(
    data: &ReceiptData,
    mut book: Workbook,
    copied: Copied,
    to: W,
) -> Result<(), XlsxError> {
    // The time of making would make each copy differ.
    let created = ExcelDateTime::from_timestamp(data.received_ms.div_euclid(1000))?;
    book.set_properties(&DocProperties::new().set_title(&data.file).set_creation_datetime(&created));
    let mut sheet = summary(data, &copied)?;
    sheet.set_name(summary_name(data))?;
    book.push_worksheet(sheet);
    for sheet in copied.worksheets {
        book.push_worksheet(sheet);
    }
    book.save_to_writer(to)
}

fn summary_name(data: &ReceiptData) -> &'static str {
    data.language.pick("回执", "receipt")
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use calamine::{Data, Reader, Xlsx};
    use encoding_rs::GB18030;
    use rust_xlsxwriter::Format;

    use super::super::Language;
    use super::super::sample::sample;
    use super::*;

    /// What a department sent: a note sheet, then a table under a title, with a day and a formula-like text.
    fn sent() -> tempfile::NamedTempFile {
        let mut book = Workbook::new();
        book.add_worksheet().set_name("说明").unwrap().write_string(0, 0, "填报说明").unwrap();
        let sheet = book.add_worksheet().set_name("项目").unwrap();
        let day = Format::new().set_num_format("yyyy/m/d");
        sheet.write_string(0, 1, "重大项目表").unwrap();
        for (column, header) in [(1, "项目名称"), (2, "总投资(亿元)"), (3, "备注")] {
            sheet.write_string(1, column, header).unwrap();
        }
        sheet.write_string(2, 1, "=甲").unwrap().write_string(2, 2, "待定").unwrap();
        sheet.write_string(3, 1, "乙").unwrap().write_number(3, 2, 1.5).unwrap();
        sheet.write_number_with_format(3, 3, 45_413.0, &day).unwrap();
        sheet.write_string(4, 1, "丙").unwrap().write_boolean(4, 3, true).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        book.save(file.path()).unwrap();
        file
    }

    fn made(data: &ReceiptData, source: Option<&Path>, limits: &CopyLimits) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        workbook(data, source, limits, &mut out).unwrap();
        out.into_inner()
    }

    /// The same, as if the workbook could not be marked as it is.
    fn copied(data: &ReceiptData, source: &Path, limits: &CopyLimits) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        made_anew(data, Some(source), limits, Some("it is broken".into()), &mut out).unwrap();
        out.into_inner()
    }

    fn cell(bytes: &[u8], sheet: &str, row: u32, column: u32) -> Data {
        let mut xlsx: Xlsx<_> = Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
        let range = xlsx.worksheet_range(sheet).unwrap();
        range.get_value((row, column)).cloned().unwrap_or_default()
    }

    /// The texts of the sheet's cells, by rows.
    fn texts(bytes: &[u8], sheet: &str) -> String {
        let mut xlsx: Xlsx<_> = Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
        let line = |row: &[Data]| {
            let cells: Vec<String> = row.iter().map(Data::to_string).collect();
            cells.join("|").trim_end_matches('|').to_owned()
        };
        xlsx.worksheet_range(sheet).unwrap().rows().map(line).collect::<Vec<_>>().join("\n")
    }

    fn part(bytes: &[u8], name: &str) -> String {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes.to_vec())).unwrap();
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn the_summary_says_what_became_of_the_file_and_lists_the_findings() {
        let bytes = made(&sample("jsonl", Language::Zh), None, &CopyLimits::default());
        insta::assert_snapshot!(texts(&bytes, "回执"), @r#"
        报送回执

        文件|项目.jsonl
        报送单位|发改局
        收到时间|2024-06-01 08:00:00
        流程|projects
        编号|00ff00ff00ff00ff
        结果|部分接收：2 行有错误，未采用；请改正后重新上传

        数量
        类别|数量
        数据行|4
        已采用|2
        并入已有记录|0
        略去|0
        待改正|2
        退回|0
        错误|2
        警告|1
        提示|2

        表格是这样理解的
        工作表|列|表头|单位|依据|理解为
        文件格式：jsonl
        |||||表头在第 2 行，数据 4 行
        ||项目名称||别名|项目名称
        ||总投资(亿元)|亿元|别名|总投资
        ||备注|||（未识别，原样保留）

        问题分类
        代码|条数|含义
        V01|1|必填内容没有填
        V07|2|金额或数字看不懂、为负或单位可疑
        note|2|例如：第一张表没有表头

        问题清单（共 5 条，列出前 4 条）
        序号|工作表|位置|程度|字段|问题与改法|报送的值|代码
        1||第 3 行|错误|总投资|不是数字；请填写数字|=待定|V07
        2||第 4 行|错误|项目代码|没有项目代码；请补填||V01
        3||第 6 行|警告|项目名称|行是空的||V07
        4|||提示||第一张表没有表头||note
        "#);
    }

    #[test]
    fn what_was_sent_comes_back_at_the_same_addresses_with_notes_on_faulty_cells() {
        let file = sent();
        let (data, limits) = (sample("xlsx", Language::Zh), CopyLimits::default());
        for bytes in [made(&data, Some(file.path()), &limits), copied(&data, file.path(), &limits)] {
            comes_back(&bytes);
        }
    }

    fn comes_back(bytes: &[u8]) {
        assert_eq!(cell(bytes, "说明", 0, 0), Data::String("填报说明".into()));
        assert_eq!(cell(bytes, "项目", 0, 1), Data::String("重大项目表".into()));
        assert_eq!(cell(bytes, "项目", 2, 1), Data::String("=甲".into()));
        assert_eq!(cell(bytes, "项目", 3, 2), Data::Float(1.5));
        assert_eq!(cell(bytes, "项目", 4, 3), Data::Bool(true));
        assert!(matches!(cell(bytes, "项目", 3, 3), Data::DateTime(day) if day.as_f64() == 45_413.0));
        let notes = part(bytes, "xl/comments1.xml");
        for (address, text) in [
            ("C3", "错误：【总投资】不是数字；请填写数字"),
            ("B4", "错误：【项目代码】没有项目代码；请补填"), // There is no such column: the first cell of the row.
            ("B6", "警告：【项目名称】行是空的"),             // The row was not even in the file.
        ] {
            assert!(notes.contains(&format!("ref=\"{address}\"")), "{address} in {notes}");
            assert!(notes.contains(text), "{text} in {notes}");
        }
        assert!(part(bytes, "xl/styles.xml").contains("FFFFC7CE"));
        assert!(!part(bytes, "xl/worksheets/sheet3.xml").contains("<f>"));
    }

    #[test]
    fn a_csv_comes_back_as_a_sheet_of_texts() {
        let (text, _, _) = GB18030
            .encode("重大项目表\r\n,项目名称,总投资,备注\r\n,=1+1,待定,\"a,\"\"b\"\"\"\r\n\r\n,乙,007\r\n");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        let bytes = made(&sample("csv", Language::En), Some(file.path()), &CopyLimits::default());
        for (row, column, text) in [(0, 0, "重大项目表"), (2, 1, "=1+1"), (2, 3, "a,\"b\""), (4, 2, "007")]
        {
            assert_eq!(cell(&bytes, "what was sent", row, column), Data::String(text.into()));
        }
        assert!(part(&bytes, "xl/comments1.xml").contains("error: [总投资] not a number; write digits"));
    }

    #[test]
    fn beyond_the_limits_only_rows_with_findings_are_copied() {
        let file = sent();
        let limits = CopyLimits { max_rows: 3, ..CopyLimits::default() };
        let bytes = copied(&sample("xlsx", Language::Zh), file.path(), &limits);
        assert_eq!(cell(&bytes, "项目", 1, 1), Data::String("项目名称".into()));
        assert_eq!(cell(&bytes, "项目", 2, 2), Data::String("待定".into()));
        assert_eq!(cell(&bytes, "项目", 4, 1), Data::Empty);
        assert!(part(&bytes, "xl/worksheets/sheet3.xml").contains("zeroHeight"));
        assert!(texts(&bytes, "回执").contains("只列出表头和有问题的行"));
        assert!(texts(&bytes, "回执").contains("原工作簿不能直接标注，后面的工作表是按内容重新生成的"));
    }

    #[test]
    fn a_source_that_cannot_be_read_costs_the_copy_and_not_the_answer() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "not a workbook").unwrap();
        let data = sample("xlsx", Language::Zh);
        for source in [file.path(), Path::new("/nowhere/at/all")] {
            let bytes = made(&data, Some(source), &CopyLimits::default());
            assert!(texts(&bytes, "回执").contains("未能全部附在后面"));
        }
        // A file that was refused unread is not even opened.
        let unread = ReceiptData { report: Default::default(), state: "refused".into(), ..data };
        let bytes = made(&unread, Some(file.path()), &CopyLimits::default());
        assert!(texts(&bytes, "回执").contains("整份退回"));
        assert!(!texts(&bytes, "回执").contains("未能全部附在后面"));
    }

    #[test]
    fn the_same_receipt_has_the_same_bytes() {
        let (file, data) = (sent(), sample("xlsx", Language::Zh));
        let limits = CopyLimits::default();
        assert_eq!(made(&data, Some(file.path()), &limits), made(&data, Some(file.path()), &limits));
    }
}
