//! Packages as departments send them, and as nobody should.

use std::io::Write;
use std::sync::Mutex;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use huiliu_stage::{Field, FieldType, ROW, SHEET};
use rust_xlsxwriter::Workbook;

use super::*;
use crate::read::chance::Numbers;
use crate::read::options::Limits;
use crate::read::package::tests::{zip_of, zip_with_run};
use crate::read::{open, open_raw};

const TABLE: &str = "项目代码,项目名称,总投资（万元）,佐证材料\n\
    P-1,一号泵站,100,施工许可证.pdf；照片1.jpg\n\
    P-2,二号泵站,200,没有这个.pdf\n";

/// The beginning of a workbook under a password.
const PROTECTED: &[u8] =
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";

/// Gives the content itself as its hash.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<String>>);

impl KeepAttachment for Kept {
    fn keep(&self, content: &mut dyn Read) -> io::Result<String> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.0.lock().unwrap().push(text.clone());
        Ok(text)
    }
}

fn record() -> RecordSchema {
    let field = |name: &str, label: &str, kind| Field {
        name: name.into(),
        label: label.into(),
        kind,
        ..Field::default()
    };
    RecordSchema {
        record: "project".into(),
        label: String::new(),
        fields: vec![
            field("project_code", "项目代码", FieldType::Text),
            field("project_name", "项目名称", FieldType::Text),
            field("evidence", "佐证材料", FieldType::List),
        ],
    }
}

/// What a package gave: rows as `sheet row code`, findings as `row code raw`, links as `file row field`.
#[derive(Debug, Default, PartialEq)]
struct Told {
    rows: Vec<String>,
    findings: Vec<String>,
    links: Vec<String>,
    names: Vec<String>,
}

fn read(bytes: &[u8]) -> Result<Told, String> {
    read_with(bytes, &ReadOptions { keeper: Some(Arc::new(Kept::default())), ..ReadOptions::default() })
}

fn read_with(bytes: &[u8], options: &ReadOptions) -> Result<Told, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let mut reading = open(file.path(), &record(), options).map_err(|e| e.to_string())?;
    let mut read = Told::default();
    for outcome in reading.by_ref() {
        let Outcome { batch, findings } = outcome.map_err(|e| e.to_string())?;
        let column = |name| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let (sheets, codes) = (column(SHEET), column("project_code"));
        let ids = batch.column_by_name(ROW).unwrap().as_primitive::<Int64Type>().clone();
        for at in 0..batch.num_rows() {
            let (sheet, row) = (sheet_ordinal(ids.value(at)), row_number(ids.value(at)));
            read.rows.push(format!("{} {sheet}:{row} {}", sheets.value(at), codes.value(at)));
        }
        let told = findings.0.iter().filter(|f| f.code.starts_with("evidence") || f.code == "package");
        read.findings.extend(told.map(|f| {
            let row =
                f.row.map_or(String::new(), |row| format!("{}:{} ", sheet_ordinal(row), row_number(row)));
            let field = f.field.as_deref().map_or(String::new(), |field| format!("{field} "));
            format!("{row}{field}{} {}", f.code, f.raw.as_deref().unwrap_or_default())
        }));
    }
    let sheets = reading.sheets();
    assert_eq!(sheets, reading.report().sheets.iter().map(|s| s.name.clone()).collect::<Vec<_>>());
    let evidence = reading.evidence().unwrap();
    read.names = evidence.attachments.iter().map(|a| format!("{} {}", a.name, a.hash)).collect();
    read.links = evidence
        .links
        .iter()
        .map(|link| {
            let name = &evidence.attachments[link.attachment].name;
            let (sheet, row) = (sheet_ordinal(link.row), row_number(link.row));
            format!("{name} {sheet}:{row} {}", link.field.as_deref().unwrap_or("-"))
        })
        .collect();
    Ok(read)
}

fn workbook(sheets: &[(&str, &[[&str; 2]])]) -> Vec<u8> {
    let mut book = Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        for (at, row) in rows.iter().enumerate() {
            for (column, text) in row.iter().enumerate() {
                sheet.write(at as u32, column as u16, *text).unwrap();
            }
        }
    }
    book.save_to_buffer().unwrap()
}

#[test]
fn attachments_are_linked_by_name_and_folder_and_the_others_are_told() {
    let package = zip_of(&[
        ("材料/", b""),
        ("清单.csv", TABLE.as_bytes()),
        ("材料/施工许可证.pdf", b"%PDF permit"),
        ("材料/照片1.jpg", b"\xff\xd8\xff photo"[..3].as_ref()),
        ("二号泵站/合同.docx", b"contract"),
        ("别的.pdf", b"%PDF other"),
        ("__MACOSX/._清单.csv", b"x"),
        ("._清单.csv", b"\x00\x05\x16\x07"),
    ]);
    let options = ReadOptions::default();
    let read = read_with(&package, &options).unwrap();
    assert_eq!(read.rows, ["清单.csv 0:2 P-1", "清单.csv 0:3 P-2"]);
    assert_eq!(
        read.findings,
        ["0:3 evidence evidence-missing 没有这个.pdf", "evidence-unreferenced 别的.pdf"]
    );
    assert_eq!(
        read.links,
        ["材料/施工许可证.pdf 0:2 evidence", "材料/照片1.jpg 0:2 evidence", "二号泵站/合同.docx 0:3 -"]
    );
    assert_eq!(read.names.len(), 4);
}

#[test]
fn a_copy_of_what_a_row_names_is_not_missed() {
    let package = zip_of(&[
        ("清单.csv", TABLE.as_bytes()),
        ("副本.pdf", b"%PDF permit"),
        ("施工许可证.pdf", b"%PDF permit"),
        ("照片1.jpg", b"photo"),
        ("没有这个.pdf", b"%PDF this"),
        ("另一个.pdf", b"%PDF other"),
    ]);
    let told = read(&package).unwrap();
    assert_eq!(told.findings, ["evidence-unreferenced 另一个.pdf"]);
    assert_eq!(told.names.len(), 5, "copies are kept all the same");
}

#[test]
fn a_missing_file_is_told_by_the_title_of_its_column() {
    let package = zip_of(&[("清单.csv", TABLE.as_bytes()), ("施工许可证.pdf", b"%PDF permit")]);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&package).unwrap();
    let reading = open(file.path(), &record(), &ReadOptions::default()).unwrap();
    let told: Vec<Finding> = reading.flat_map(|outcome| outcome.unwrap().findings.0).collect();
    let missing: Vec<&str> =
        told.iter().filter(|f| f.code == "evidence-missing").map(|f| f.message.zh.as_str()).collect();
    assert_eq!(missing.len(), 2);
    assert!(missing.iter().all(|text| text.starts_with("“佐证材料”中写的")), "{missing:?}");
}

#[test]
fn several_tables_are_one_delivery_and_each_row_names_its_file() {
    let head = ["项目代码", "项目名称"];
    let book = workbook(&[
        ("甲", &[head, ["P-1", "一号"]]),
        ("说明", &[["无", "关"], ["x", "y"]]),
        ("乙", &[head, ["P-2", "二号"]]),
    ]);
    let inner = zip_of(&[("b.csv", "项目代码,项目名称\nP-3,三号\n".as_bytes()), ("附图.png", b"\x89PNG 1")]);
    let package = zip_of(&[
        ("a.xlsx", &book),
        ("更多.zip", &inner),
        (
            "c.jsonl",
            "{\"project_code\":\"P-4\",\"project_name\":\"四号\",\"附件\":\"附图.png\"}\n".as_bytes(),
        ),
        ("读我.txt", "请查收\n谢谢\n".as_bytes()),
    ]);
    let read = read(&package).unwrap();
    assert_eq!(
        read.rows,
        ["a.xlsx!甲 0:2 P-1", "a.xlsx!乙 2:2 P-2", "更多.zip/b.csv 3:2 P-3", "c.jsonl 4:1 P-4"]
    );
    assert_eq!(read.links, ["更多.zip/附图.png 4:1 evidence"]);
    assert_eq!(read.findings, ["package 读我.txt"], "told once");
}

#[test]
fn one_content_is_kept_once_for_each_name_and_nothing_is_kept_of_a_refused_package() {
    let kept = Arc::new(Kept::default());
    let options = ReadOptions { keeper: Some(kept.clone()), ..ReadOptions::default() };
    let package =
        zip_of(&[("清单.csv", TABLE.as_bytes()), ("施工许可证.pdf", b"one"), ("照片1.jpg", b"two")]);
    let read = read_with(&package, &options).unwrap();
    assert_eq!(read.names, ["施工许可证.pdf one", "照片1.jpg two"]);
    assert_eq!(*kept.0.lock().unwrap(), ["one", "two"]);
    assert!(
        read_with(&zip_of(&[("施工许可证.pdf", b"one")]), &options).unwrap_err().contains("holds no table")
    );
    assert_eq!(kept.0.lock().unwrap().len(), 2);
}

#[test]
fn harmful_packages_are_refused_by_name_at_every_level() {
    let table = ("清单.csv", TABLE.as_bytes());
    let bomb = zip_with_run("zeros.bin", 40, &[]);
    let deep = zip_of(&[("c.zip", &zip_of(&[("d.csv", b"x")]))]);
    let climbing = zip_of(&[("../../etc/passwd", b"x")]);
    for (package, expected) in [
        (zip_with_run("zeros.bin", 40, &[table]), "`zeros.bin` unpacks to more than 200 times"),
        (
            zip_of(&[table, ("内.zip", &bomb)]),
            "`内.zip` in the package: `zeros.bin` unpacks to more than 200",
        ),
        (zip_of(&[table, ("b.zip", &deep)]), "`b.zip/c.zip` is a package within more than 2 levels"),
        (zip_of(&[table, ("b.zip", &climbing)]), "leads outside"),
        (zip_of(&[table, ("b.zip", &climbing[..60])]), "`b.zip` in the package: the file is cut off"),
        (zip_of(&[]), "holds no table"),
        (
            zip_of(&[("a.xlsx", PROTECTED), ("b.msg", PROTECTED)]),
            "`a.xlsx` in the package: the file is protected by a password",
        ),
    ] {
        let error = read(&package).unwrap_err();
        assert!(error.contains(expected), "{error} for {expected}");
    }
}

#[test]
fn all_packages_share_one_budget() {
    let inner = zip_of(&[("a", &[7; 600]), ("b", &[8; 600])]);
    let package = zip_of(&[("清单.csv", TABLE.as_bytes()), ("i.zip", &inner), ("j.zip", &inner)]);
    let with = |limits| read_with(&package, &ReadOptions { limits, ..ReadOptions::default() });
    assert!(with(Limits::default()).is_ok());
    let error = with(Limits { max_entries: 6, ..Limits::default() }).unwrap_err();
    assert!(error.contains("the number of files in the package exceeds the limit of 6"), "{error}");
    let error = with(Limits { max_unpacked_bytes: 2400, ..Limits::default() }).unwrap_err();
    assert!(error.contains("the unpacked size"), "{error}");
}

#[test]
fn names_from_chinese_windows_are_read() {
    let names = [("清单.csv", TABLE.as_bytes()), ("材料/施工许可证.pdf", b"%PDF".as_slice())];
    let placeholder =
        |name: &str| if name.contains('/') { "y" } else { "x" }.repeat(encoding_rs::GBK.encode(name).0.len());
    let renamed: Vec<(String, &[u8])> =
        names.iter().map(|(name, bytes)| (placeholder(name), *bytes)).collect();
    let entries: Vec<(&str, &[u8])> = renamed.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let mut package = zip_of(&entries);
    for (name, _) in names {
        let (gbk, old) = (encoding_rs::GBK.encode(name).0.into_owned(), placeholder(name));
        while let Some(at) = memchr::memmem::find(&package, old.as_bytes()) {
            package[at..at + gbk.len()].copy_from_slice(&gbk);
        }
    }
    let read = read(&package).unwrap();
    assert_eq!(read.links, ["材料/施工许可证.pdf 0:2 evidence"]);
}

#[test]
fn a_package_without_a_schema_gives_the_tables_that_are_alike() {
    let table = |code: &str| format!("项目代码,项目名称\n{code},名\n");
    let package = zip_of(&[
        ("a.csv", table("P-1").as_bytes()),
        ("b.csv", b"x,y,z\n1,2,3\n"),
        ("c.csv", table("P-2").as_bytes()),
    ]);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&package).unwrap();
    let mut reading = open_raw(file.path(), &ReadOptions::default()).unwrap();
    let rows: usize = reading.by_ref().map(|outcome| outcome.unwrap().batch.num_rows()).sum();
    assert_eq!(rows, 2);
    assert_eq!(reading.report().format, "zip");
}

#[test]
fn changed_packages_never_panic_and_give_every_row_a_sheet() {
    let head = ["项目代码", "项目名称"];
    let book = workbook(&[("甲", &[head, ["P-1", "一号"]])]);
    let inner = zip_of(&[("b.csv", "项目代码,项目名称\nP-3,三号\n".as_bytes()), ("附图.png", b"\x89PNG 1")]);
    let parts: [(&str, &[u8]); 6] = [
        ("清单.csv", TABLE.as_bytes()),
        ("a.xlsx", &book),
        ("更多.zip", &inner),
        ("d.json", b"[{\"project_code\":\"P-5\"}]"),
        ("e.xls", b"<table><tr><td>project_code<td>project_name<tr><td>P-6<td>x</table>"),
        ("施工许可证.pdf", b"%PDF permit"),
    ];
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for variant in 0..300 {
        let mut parts: Vec<(&str, Vec<u8>)> =
            parts.iter().map(|(name, bytes)| (*name, bytes.to_vec())).collect();
        // Half are changed before they are packed, which no checksum notices.
        let mut package = Vec::new();
        let (at, bit) = (numbers.next(parts.len()), 1 << numbers.next(8));
        if variant % 2 == 0 {
            let place = numbers.next(parts[at].1.len());
            parts[at].1[place] ^= bit;
        }
        let entries: Vec<(&str, &[u8])> =
            parts.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        package.extend(zip_of(&entries));
        if variant % 2 == 1 {
            let place = numbers.next(package.len());
            package[place] ^= bit;
            package.truncate(package.len() - numbers.next(40) / 30);
        }
        if let Ok(told) = read(&package) {
            assert!(told.rows.iter().all(|row| !row.starts_with(' ')), "{:?}", told.rows);
        }
    }
}

#[test]
fn files_in_the_folder_of_a_row_are_named_in_its_cell_and_its_list_is_not() {
    let package = zip_of(&[
        (
            "一号泵站/清单.csv",
            "项目代码,项目名称,佐证材料\nP-1,一号泵站,施工许可证.pdf\nP-2,二号泵站,\nP-3,三号泵站,\n"
                .as_bytes(),
        ),
        ("一号泵站/施工许可证.pdf", b"%PDF permit"),
        ("一号泵站/现场照片.jpg", b"\xff\xd8\xff photo"),
        ("2、二号泵站/合同.pdf", b"%PDF contract"),
        ("2、二号泵站/说明.txt", "请查收\n谢谢\n".as_bytes()),
        ("2、二号泵站/程序.jpg", b"MZ\x90\0"),
    ]);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&package).unwrap();
    let reading = open(file.path(), &record(), &ReadOptions::default()).unwrap();
    let (mut cells, mut wrong) = (Vec::new(), Vec::new());
    for outcome in reading {
        let Outcome { batch, findings } = outcome.unwrap();
        let lists = batch.column_by_name("evidence").unwrap().as_list::<i32>().clone();
        cells.extend(lists.iter().map(|items| {
            items.map(|items| items.as_string::<i32>().iter().flatten().collect::<Vec<_>>().join(" "))
        }));
        let told = findings.0.into_iter().filter(|finding| finding.code == "evidence-type");
        wrong.extend(told.map(|finding| (finding.row, finding.raw)));
    }
    assert_eq!(
        cells,
        [Some("施工许可证.pdf 现场照片.jpg".to_owned()), Some("合同.pdf 程序.jpg".to_owned()), None]
    );
    assert_eq!(wrong, [(Some(3), Some("2、二号泵站/程序.jpg".to_owned()))]);
}
