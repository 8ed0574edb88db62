//! Files of every kind, changed and cut: whatever they have become, the answer is a table or a sentence on what is wrong.
//!
//! Nothing may panic, run for ever or ask for more memory than a file may have. The last two are watched by the
//! system: this process may use [`MEMORY`] and [`SECONDS`] of a processor and is ended if it takes more. The same seeds give
//! the same files in every run; `HUILIU_FUZZ=20 ./tests/run damaged` makes twenty times as many, and others with them.

#![allow(clippy::unwrap_used)] // a test that cannot go on should stop where it is

#[path = "../src/read/chance.rs"]
mod chance;

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use huiliu_formats::read::{Limits, ReadError, ReadOptions, Reading, open, open_raw};
use huiliu_stage::{Field, FieldType, RecordSchema};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use self::chance::Numbers;

/// Address space beyond what the process has when it begins, in bytes.
const MEMORY: u64 = 512 << 20;
/// Processor seconds for all files of a test together, many times what they take.
const SECONDS: u64 = 600;
/// Changed files of each file.
const VARIANTS: usize = 160;

/// Bytes that mean something to those who read files: tags, quotes, delimiters, counts, the edges of encodings.
const MARKS: &[u8] = b"<>/\"'=&;,|\t\r\n{}[]:\\09AE-.\0\x01\x7f\x80\xc0\xfe\xff";

fn rounds() -> usize {
    std::env::var("HUILIU_FUZZ").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// Keeps this process from taking more than a file may cost.
fn bound() {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmSize")).unwrap();
    let taken: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    for (what, most) in [(Resource::As, (taken << 10) + MEMORY), (Resource::Cpu, SECONDS * rounds() as u64)] {
        let Rlimit { current, maximum } = getrlimit(what);
        let most = current.map_or(most, |current| current.min(most));
        setrlimit(what, Rlimit { current: Some(most), maximum }).unwrap();
    }
}

/// A record with a field of each kind under headings that the files have.
fn record() -> RecordSchema {
    use FieldType::{Boolean, Date, Integer, List, Money, Number, Text, Timestamp};
    let field = |(name, kind): (&str, FieldType)| Field { name: name.into(), kind, ..Field::default() };
    let fields = [
        ("project_name", Text),
        ("project_code", Text),
        ("owner_name", Text),
        ("construction_nature", Text),
        ("level", List),
        ("total_investment", Money),
        ("annual_plan_investment", Money),
        ("month_investment", Money),
        ("invest_rate", Number),
        ("land_area_mu", Number),
        ("jobs", Integer),
        ("start_date", Date),
        ("plan_finish_date", Date),
        ("is_started", Boolean),
        ("filing_date", Timestamp),
    ];
    RecordSchema { record: "project".into(), label: "项目".into(), fields: fields.map(field).into() }
}

/// Reads a file with and without a record to its end; gives its rows. Refusing it is right as well.
fn read(bytes: &[u8], name: &str) -> usize {
    let mut file = tempfile::Builder::new().suffix(name).tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let limits = Limits { max_unpacked_bytes: 64 << 20, max_sheet_cells: 200_000, ..Limits::default() };
    let mut options = ReadOptions { limits, today: 19_500, ..ReadOptions::default() };
    options.format.limits = options.limits.clone();
    let rows = |reading: Result<Reading, ReadError>| {
        let read = reading.into_iter().flatten().map_while(Result::ok);
        // A file of few bytes may say that a row repeats a million times.
        read.take(40).map(|outcome| outcome.batch.num_rows()).sum::<usize>()
    };
    rows(open(file.path(), &record(), &options)) + rows(open_raw(file.path(), &options))
}

/// Reads a file, damaged in many ways. Whatever happens is the system's to tell: a panic, an abort, a signal.
fn attack(name: &str, original: &[u8], seed: u64) {
    assert!(read(original, name) > 0, "{name} is a table");
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ seed);
    for _ in 0..VARIANTS * rounds() {
        read(&numbers.damage(original, MARKS), name);
    }
    for at in 1..8 {
        read(&original[..original.len() * at / 8], name);
    }
    if !original.starts_with(b"PK") {
        return;
    }
    // A changed byte of packed data rarely gets past its sum, so parts are changed before they are packed.
    let parts = unpacked(original);
    for _ in 0..VARIANTS * rounds() {
        let mut changed = parts.clone();
        let at = numbers.next(changed.len());
        match numbers.next(12) {
            0 => drop(changed.remove(at)),
            1 => changed[at].0 = format!("../{}", changed[at].0),
            _ => changed[at].1 = numbers.damage(&changed[at].1, MARKS),
        }
        read(&packed(&changed), name);
    }
}

fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let count = archive.len();
    let part = |at: usize| {
        let mut entry = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.name().unwrap().into_owned(), content)
    };
    (0..count).map(part).collect()
}

fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Attacks the workbooks of the tests that have one of these endings.
fn workbooks(endings: &[&str]) {
    bound();
    let root = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells it")).join("../..");
    let files = |folder: &str| fs::read_dir(root.join(folder)).unwrap().map(|file| file.unwrap().path());
    let all = files("tests/workbooks").chain(files("crates/huiliu-formats/data/samples"));
    let ends = |path: &PathBuf| path.extension().is_some_and(|ending| endings.iter().any(|of| ending == *of));
    let mut paths: Vec<PathBuf> = all.filter(ends).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for (seed, path) in paths.iter().enumerate() {
        let name = path.file_name().unwrap().to_str().unwrap();
        attack(name, &fs::read(path).unwrap(), seed as u64);
    }
}

#[test]
fn damaged_xlsx_workbooks_do_no_harm() {
    workbooks(&["xlsx"]);
}

#[test]
fn damaged_workbooks_of_the_old_format_do_no_harm() {
    workbooks(&["xls", "et"]);
}

#[test]
fn damaged_opendocument_does_no_harm() {
    workbooks(&["ods", "fods"]);
}

const TABLE: &str = "项目名称,项目代码,总投资(亿元),开工时间,是否开工,项目级别\n\
    示例甲,2306-320412-89-01-830169,1.5,2026年3月,是,省重大\n\
    \"示例乙\n(二期)\",,\"1,200万\",待定,否,\"市重大、区重点\"\n合计,,1.62,,,\n";

#[test]
fn damaged_text_tables_do_no_harm() {
    bound();
    let gbk = encoding_rs::GB18030.encode(TABLE).0.into_owned();
    let units = [0xfeff_u16].into_iter().chain(TABLE.encode_utf16());
    let utf16: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let semicolons = TABLE.replace("\"1,200万\"", "1200").replace(',', ";");
    let tables = [TABLE.as_bytes(), &gbk, &utf16, semicolons.as_bytes()];
    for (seed, bytes) in tables.into_iter().enumerate() {
        attack("table.csv", bytes, seed as u64);
    }
}

#[test]
fn damaged_records_do_no_harm() {
    bound();
    let json = "{\"code\":0,\"data\":{\"rows\":[\n\
        {\"项目名称\":\"示例甲\",\"total_investment\":1.5e3,\"level\":[\"省重大\",\"市重大\"]},\n\
        {\"项目名称\":\"示例\\u4e59\",\"total_investment\":12345678901234567890,\"owner\":{\"name\":null}}]}}";
    let lines = "{\"project_name\":\"示例甲\",\"start_date\":\"2026-03-01\"}\n\
        {\"project_name\":\"示例乙\",\"jobs\":12}\n";
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<表 月=\"4\">\
        <项目 项目代码=\"1\"><项目名称>示例甲</项目名称><总投资 单位=\"亿元\">1.5</总投资></项目>\
        <项目 项目代码=\"2\"><项目名称><![CDATA[示例<乙>]]></项目名称><总投资>2</总投资>\
        <级别>市</级别><级别>区</级别></项目></表>";
    let files = [("a.json", json), ("a.jsonl", lines), ("a.xml", xml)];
    for (seed, (name, text)) in files.into_iter().enumerate() {
        attack(name, text.as_bytes(), seed as u64);
    }
}

#[test]
fn damaged_pages_and_xml_of_excel_2003_do_no_harm() {
    bound();
    let page = "<html><head><meta charset=utf-8><style>td {color: red}</style></head><body><table border=1>\
        <tr><th rowspan=2>项目名称<th colspan=2>投资</tr><tr><th>总投资(万元)<th>本月完成投资</tr>\
        <tr><td>示例甲</td><td x:num=\"100\">100</td><td>&nbsp;5&lt;6</td></tr>\
        <tr><td>示例乙<br>二期</td><td>200</td></tr></table></body></html>";
    let cell =
        |cell: &str| format!("<Cell ss:MergeAcross=\"0\"><Data ss:Type=\"String\">{cell}</Data></Cell>");
    let cells = |row: &str| row.split('|').map(cell).collect::<String>();
    let space = "urn:schemas-microsoft-com:office:spreadsheet";
    let book = format!(
        "<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>\
         <Workbook xmlns=\"{space}\" xmlns:ss=\"{space}\"><Worksheet ss:Name=\"表\"><Table>\
         <Row>{}</Row><Row ss:Index=\"3\">{}</Row></Table></Worksheet></Workbook>",
        cells("项目名称|总投资(万元)|开工时间"),
        cells("示例甲|100|2026年3月")
    );
    for (seed, (name, text)) in [("page.xls", page), ("book.xml", &book)].into_iter().enumerate() {
        attack(name, text.as_bytes(), seed as u64);
    }
}

#[test]
fn damaged_packages_do_no_harm() {
    bound();
    let table = TABLE.replace(",项目级别", ",佐证材料").replace("省重大", "甲.jpg");
    let inner = packed(&[("子表.csv".into(), TABLE.into())]);
    let parts = [
        ("一季度/表.csv".to_owned(), table.into_bytes()),
        ("一季度/示例甲/甲.jpg".to_owned(), b"\xff\xd8\xff\xe0 picture".to_vec()),
        ("更多.zip".to_owned(), inner),
    ];
    attack("package.zip", &packed(&parts), 1);
}

/// A binary workbook of Excel, made record by record: nothing that is free writes one.
fn binary() -> Vec<u8> {
    let record = |kind: u16, data: &[u8]| -> Vec<u8> {
        let kind = match kind {
            0..0x80 => vec![kind as u8],
            _ => vec![(kind & 0x7f) as u8 | 0x80, (kind >> 7) as u8],
        };
        [&kind[..], &[data.len() as u8], data].concat()
    };
    let text = |text: &str| {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        [&(units.len() as u32 / 2).to_le_bytes()[..], &units].concat()
    };
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let shared = ["项目名称", "总投资(万元)", "开工时间", "示例甲", "示例乙"];
    let items: Vec<u8> =
        shared.iter().flat_map(|item| record(0x13, &[&[0][..], &text(item)].concat())).collect();
    let strings = [record(0x9f, &words(&[5, 5])), items, record(0xa0, &[])].concat();
    let sheet = [words(&[0, 1]), text("rId1"), text("表")].concat();
    let book = [
        record(0x83, &[]),
        record(0x99, &[0; 12]),
        record(0x8f, &[]),
        record(0x9c, &sheet),
        record(0x90, &[]),
        record(0x9d, &[0; 8]),
        record(0x84, &[]),
    ];
    let shared = |column: u32, item: u32| record(7, &words(&[column, 0, item]));
    let real =
        |column: u32, value: f64| record(5, &[&words(&[column, 0])[..], &value.to_le_bytes()].concat());
    let short = |column: u32, value: u32| record(2, &words(&[column, 0, value << 2 | 2]));
    let row = |number: u32| record(0, &words(&[number, 0, 0, 0]));
    let own = record(6, &[words(&[2, 0]), text("2026年3月")].concat());
    let cells = [
        row(0),
        shared(0, 0),
        shared(1, 1),
        shared(2, 2),
        row(1),
        shared(0, 3),
        real(1, 1234.5),
        short(2, 45_000),
        row(2),
        shared(0, 4),
        record(3, &[1, 0, 0, 0, 0, 0, 0, 0, 0x2a]),
        own,
    ];
    let sheet = [
        record(0x81, &[]),
        record(0x94, &words(&[0, 2, 0, 2])),
        record(0x91, &[]),
        cells.concat(),
        record(0x92, &[]),
        record(0x82, &[]),
    ];
    let links = |links: &str| {
        let space = "http://schemas.openxmlformats.org/package/2006/relationships";
        format!("<Relationships xmlns=\"{space}\">{links}</Relationships>").into_bytes()
    };
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let link = |id: u8, kind: &str, to: &str| {
        format!("<Relationship Id=\"rId{id}\" Type=\"{office}/{kind}\" Target=\"{to}\"/>")
    };
    let inner =
        link(1, "worksheet", "worksheets/sheet1.bin") + &link(2, "sharedStrings", "sharedStrings.bin");
    let types = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
        <Default Extension=\"bin\" ContentType=\"application/vnd.ms-excel.sheet.binary.macroEnabled.main\"/></Types>";
    packed(&[
        ("[Content_Types].xml".into(), types.into()),
        ("_rels/.rels".into(), links(&link(1, "officeDocument", "xl/workbook.bin"))),
        ("xl/workbook.bin".into(), book.concat()),
        ("xl/_rels/workbook.bin.rels".into(), links(&inner)),
        ("xl/sharedStrings.bin".into(), strings),
        ("xl/worksheets/sheet1.bin".into(), sheet.concat()),
    ])
}

#[test]
fn damaged_binary_workbooks_do_no_harm() {
    bound();
    attack("book.xlsb", &binary(), 1);
}

/// One text of half a megabyte, and a hundred thousand records behind it that have none of their own.
#[test]
fn a_binary_workbook_whose_empty_records_repeat_a_text_is_refused() {
    bound();
    let mut parts = unpacked(&binary());
    let (_, strings) = parts.iter_mut().find(|(name, _)| name.ends_with("sharedStrings.bin")).unwrap();
    let units = 1_u32 << 18;
    let text = [&[0][..], &units.to_le_bytes(), &vec![b'a'; 2 * units as usize]].concat();
    let length =
        [0, 7, 14].map(|shift| (text.len() >> shift) as u8 & 0x7f | if shift < 14 { 0x80 } else { 0 });
    let count = 100_000_u32.to_le_bytes();
    *strings =
        [&[0x9f, 1, 8][..], &count, &count, &[0x13], &length, &text, &[0x13, 0].repeat(100_000)].concat();
    assert_eq!(read(&packed(&parts), "book.xlsb"), 0);
}
