//! Exports of systems that call everything `.xls`.

use super::super::XlsxSource;
use super::super::tests::{All, all};
use super::*;
use crate::read::chance::Numbers;
use crate::read::options::Limits;
use crate::read::package::tests::file_of;
use crate::read::{ReadOptions, plan};

fn open(bytes: &[u8], charset: Charset, markup: Markup) -> Result<XlsxSource, ReadError> {
    XlsxSource::open_tagged(file_of(bytes), charset, markup, &Limits::default())
}

fn read(source: &mut XlsxSource, sheet: &str) -> (Vec<String>, Vec<String>) {
    let (cells, findings): All = all(source, sheet, 4).unwrap();
    (cells.into_iter().map(|(row, column, text)| format!("{row}.{column}={text}")).collect(), findings)
}

const PAGE: &str = "<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><head>\
    <meta http-equiv=Content-Type content=\"text/html; charset=gb2312\"><style>td{a:\"<table>\"}</style></head><body>\
    <table><tr><td><table border=1>\n\
    <tr><td colspan=4>标题</td></tr>\
    <tr><th rowspan=2>名称</th><th colspan=2>投资</th><th>完成率<tr style='display: none'><th>计划<th>完成\
    <tr><td>一号&nbsp;泵站<br>\n(续建)</td><td x:num=\"1234.5678\">1,234.57</td><td x:num='0.358'>35.8%</td><td x:err=\"#REF!\">#REF!</td></tr>\
    </table></td></tr></table>\
    <table><tr><td>页脚</td></tr></table>";

#[test]
fn the_table_of_a_web_page_is_found_and_read_as_it_is_shown() {
    let mut source = open(PAGE.as_bytes(), Charset::UTF8, Markup::Html).unwrap();
    assert_eq!(source.format(), "html");
    assert_eq!(
        source.sheets(),
        [("表1".to_owned(), false), (String::new(), true), ("表3".to_owned(), false)]
    );
    let (cells, findings) = read(&mut source, "");
    assert_eq!(
        cells,
        [
            "1.0=标题",
            "2.0=名称",
            "2.1=投资",
            "2.3=完成率",
            "3.1=计划",
            "3.2=完成",
            "4.0=一号\u{a0}泵站\n(续建)",
            "4.1=1234.5678",
            "4.2=35.8%",
            "4.3=#REF!",
        ]
    );
    assert_eq!(findings.len(), 1, "the hidden row: {findings:?}");
    let merges = source.merges("").unwrap();
    assert_eq!(merges.len(), 3);
    assert_eq!(merges[1], Merge { first_row: 2, last_row: 3, first_column: 0, last_column: 0 });
}

#[test]
fn a_page_in_gbk_is_read_by_what_it_declares_and_one_without_tables_is_refused() {
    let gbk = encoding_rs::GBK.encode(PAGE).0.into_owned();
    let told = |bytes: &[u8]| {
        let options = ReadOptions::default();
        let reading = plan::of_file(file_of(bytes), bytes.len() as u64, None, &options);
        reading.map(|reading| (reading.report().format.clone(), reading.report().encoding.clone()))
    };
    assert_eq!(told(&gbk).unwrap(), ("html".to_owned(), "GB18030".to_owned()));
    assert_eq!(told(PAGE.as_bytes()).unwrap(), ("html".to_owned(), "UTF-8".to_owned()));
    let none = told(b"<html><body>hello</body></html>").unwrap_err();
    assert!(none.to_string().contains("a web page (HTML) without a table"), "{none}");
}

#[test]
fn a_page_that_ends_within_its_table_is_read_and_told() {
    let page = "<table><tr><td>a<td>b<tr><td>1<td>2</tr><tr><td>3<td>4";
    let mut source = open(page.as_bytes(), Charset::UTF8, Markup::Html).unwrap();
    let (cells, findings) = read(&mut source, "");
    assert_eq!(cells.len(), 6);
    assert!(findings[0].contains("the page ends within its table"), "{findings:?}");
    let mut source = open(format!("{page}</table>").as_bytes(), Charset::UTF8, Markup::Html).unwrap();
    assert!(read(&mut source, "").1.is_empty());
}

const BOOK: &str = "<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>\n\
    <Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\">\
    <Styles><Style ss:ID=\"s1\"><NumberFormat ss:Format=\"0.0%\"/></Style></Styles>\
    <Worksheet ss:Name=\"四月\"><Table ss:ExpandedColumnCount=\"5\"><Column ss:Width=\"50\"/><Column ss:Index=\"3\" ss:Hidden=\"1\" ss:Span=\"1\"/>\
    <Row ss:Index=\"2\"><Cell ss:MergeAcross=\"1\" ss:MergeDown=\"1\"><Data ss:Type=\"String\">名称 &amp; 代码</Data>\
    <Comment><ss:Data>note</ss:Data></Comment></Cell><Cell ss:Index=\"4\"><ss:Data ss:Type=\"String\"><B>总</B>投资</ss:Data></Cell></Row>\
    <Row ss:Index=\"4\" ss:Hidden=\"1\"><Cell><Data ss:Type=\"Number\">1234567.25</Data></Cell><Cell ss:StyleID=\"s1\"><Data ss:Type=\"Number\">0.358</Data></Cell>\
    <Cell><Data ss:Type=\"DateTime\">2023-03-15T00:00:00.000</Data></Cell><Cell><Data ss:Type=\"Boolean\">1</Data></Cell><Cell ss:Formula=\"=1/0\"><Data ss:Type=\"Error\">#DIV/0!</Data></Cell></Row>\
    </Table></Worksheet><Worksheet ss:Name=\"隐藏\"><Table/><WorksheetOptions><Visible>SheetHidden</Visible></WorksheetOptions></Worksheet></Workbook>";

#[test]
fn the_xml_of_excel_2003_is_read_with_indices_merges_and_types() {
    let mut source = open(BOOK.as_bytes(), Charset::UTF8, Markup::Spreadsheet).unwrap();
    assert_eq!(source.sheets(), [("四月".to_owned(), true), ("隐藏".to_owned(), false)]);
    let (cells, findings) = read(&mut source, "四月");
    assert_eq!(
        cells,
        [
            "2.0=名称 & 代码",
            "2.3=总投资",
            "4.0=1234567.25",
            "4.1=35.8%",
            "4.2=2023-03-15",
            "4.3=true",
            "4.4=#DIV/0!"
        ]
    );
    assert_eq!(findings.len(), 2, "a hidden row and hidden columns: {findings:?}");
    let expected = Merge { first_row: 2, last_row: 3, first_column: 0, last_column: 1 };
    assert_eq!(source.merges("四月").unwrap(), [expected]);
}

#[test]
fn a_cut_workbook_and_one_with_a_document_type_are_refused() {
    for length in (200..BOOK.len()).step_by(7) {
        assert!(
            open(&BOOK.as_bytes()[..length], Charset::UTF8, Markup::Spreadsheet).is_err(),
            "{length} bytes"
        );
    }
    let entity = BOOK.replace("<Workbook", "<!DOCTYPE a [<!ENTITY b \"c\">]><Workbook");
    assert!(open(entity.as_bytes(), Charset::UTF8, Markup::Spreadsheet).is_err());
}

#[test]
fn spans_as_large_as_can_be_written_cost_nothing() {
    let cell = "<td rowspan=4294967295 colspan=4294967295>x</td>";
    let page = format!("<table><tr>{}</tr><tr><td>a<td>b</tr></table>", cell.repeat(2000));
    let mut source = open(page.as_bytes(), Charset::UTF8, Markup::Html).unwrap();
    assert_eq!(read(&mut source, "").0[0], "1.0=x");
    let book = BOOK
        .replace("ss:MergeAcross=\"1\"", "ss:MergeAcross=\"4294967295\"")
        .replace("ss:Index=\"4\"", "ss:Index=\"4294967295\"");
    let mut source = open(book.as_bytes(), Charset::UTF8, Markup::Spreadsheet).unwrap();
    assert!(!read(&mut source, "四月").0.is_empty());
}

#[test]
fn changed_and_cut_files_never_panic_or_hang() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for (original, markup) in [(PAGE, Markup::Html), (BOOK, Markup::Spreadsheet)] {
        for _ in 0..800 {
            let bytes = numbers.damage(original.as_bytes(), b"<>/!?&;='\"-9");
            let Ok(mut source) = open(&bytes, Charset::UTF8, markup) else { continue };
            let names: Vec<String> = source.sheets().iter().map(|(name, _)| name.clone()).collect();
            for name in names.iter().take(4) {
                let _ = source.first_rows(name);
                let _ = source.merges(name);
                let _ = all(&mut source, name, 3);
            }
        }
    }
}

#[test]
fn layout_of_a_page_is_not_called_hidden() {
    let page = "<html><table><tr><td>名称</td><td>数</td></tr><tr><td>甲</td><td>1</td></tr></table>\
        <table><tr><td>填报人：张三</td></tr></table></html>";
    let reading =
        crate::read::open_raw(file_named(page).path(), &crate::read::ReadOptions::default()).unwrap();
    let findings: Vec<_> = reading.flat_map(|outcome| outcome.unwrap().findings.0).collect();
    assert!(findings.is_empty(), "{findings:?}");
}

fn file_named(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    file
}
