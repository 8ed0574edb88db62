//! Packages: a table and the files that prove it, sent as one zip.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::{Home, small_pipeline};

const TABLE: &str = "\
项目代码,项目名称,总投资（万元）,佐证材料
P-1,一号泵站,100,施工许可证.pdf；现场照片.jpg
P-2,二号泵站,200,没有寄来.pdf
";

/// A zip with entries that are not packed, as the format's specification has it; several names may share a content.
fn zip(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let place = zip.len() as u32;
        let facts = facts(name, content);
        zip.extend([b"PK\x03\x04\x14\0".as_slice(), &facts, name, content].concat());
        let behind = [&[0; 10], place.to_le_bytes().as_slice()].concat();
        directory.extend([b"PK\x01\x02\x14\0\x14\0".as_slice(), &facts, &behind, name].concat());
    }
    end(zip, &directory, entries.len() as u16)
}

/// Flags (none) to the length of the name, as they stand in both headers.
fn facts(name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_le_bytes();
    let name = (name.len() as u16).to_le_bytes();
    [&[0; 8], crc(content).to_le_bytes().as_slice(), &length, &length, &name, &[0; 2]].concat()
}

fn end(mut zip: Vec<u8>, directory: &[u8], entries: u16) -> Vec<u8> {
    let (place, length, entries) = (zip.len() as u32, directory.len() as u32, entries.to_le_bytes());
    zip.extend_from_slice(directory);
    zip.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &entries, &entries].concat());
    zip.extend([length.to_le_bytes(), place.to_le_bytes()].concat());
    zip.extend([0, 0]);
    zip
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// A package as a department's Windows packs it: names in GBK, the table beside a folder of papers.
fn package() -> Vec<u8> {
    let gbk = |name: &str| encoding_rs::GBK.encode(name).0.into_owned();
    let names = [
        "清单.csv",
        "材料/施工许可证.pdf",
        "材料/现场照片.jpg",
        "二号泵站/合同.pdf",
        "材料/多余.pdf",
        "材料/副本.pdf",
    ];
    let contents: [&[u8]; 6] = [
        TABLE.as_bytes(),
        b"%PDF permit",
        b"\xff\xd8\xff photo",
        b"%PDF contract",
        b"%PDF spare",
        b"%PDF spare",
    ];
    let names = names.map(gbk);
    let entries: Vec<_> = names.iter().map(Vec::as_slice).zip(contents).collect();
    zip(&entries)
}

fn home() -> Home {
    let stages = "[validate, {dedup: {match: [{fields: [project_code]}]}}]";
    let pipeline = small_pipeline("packages", "inbox", stages, "[{register: {}}, {jsonl: {path: out}}]");
    Home::new(&pipeline.replace("receipts: json", "receipts: {xlsx: true}"))
}

fn findings(home: &Home, code: &str) -> Vec<Value> {
    let receipt = home.receipt("报送");
    let all = receipt["findings"].as_array().unwrap();
    all.iter().filter(|finding| finding["code"] == code).cloned().collect()
}

/// The contents that are kept, by the end of their path.
fn kept(home: &Home) -> BTreeMap<String, Vec<u8>> {
    let files = home.files("evidence").into_iter();
    files.inspect(|(name, _)| assert_eq!(name.split('/').count(), 3, "evidence/ab/abcd…: {name}")).collect()
}

#[test]
fn a_package_is_one_delivery_and_its_papers_belong_to_its_projects() {
    let mut home = home();
    home.drop_file("甲/报送.zip", &package());
    home.once().expect(0);

    let lines = home.lines("out");
    assert_eq!(lines.len(), 2);
    let missing = findings(&home, "evidence-missing");
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!((&missing[0]["row"], &missing[0]["severity"]), (&3.into(), &"warning".into()));
    assert!(missing[0]["message"].as_str().unwrap().contains("没有寄来.pdf"));
    let loose = findings(&home, "evidence-unreferenced");
    assert_eq!(loose.len(), 2, "{loose:?}");
    assert!(loose[0]["message"].as_str().unwrap().contains("材料/多余.pdf"));
    // Five papers, two of which are one content.
    let contents: Vec<Vec<u8>> = kept(&home).into_values().collect();
    assert_eq!(contents.len(), 4);
    assert!(contents.contains(&b"%PDF permit".to_vec()));

    // Beside the page lies the table itself, marked.
    let answers = home.names("outbox");
    for ending in [".回执.json", ".回执.html", ".回执.zip"] {
        assert!(answers.iter().any(|name| name.ends_with(ending)), "{ending} of {answers:?}");
    }
    let (_, answer) = home.files("outbox").into_iter().find(|(name, _)| name.ends_with(".zip")).unwrap();
    let holds = |name: &str| answer.windows(name.len()).any(|bytes| bytes == name.as_bytes());
    assert!(answer.starts_with(b"PK") && holds("清单.回执.xlsx") && holds("回执.html"));
    assert_eq!(fs::read_dir(home.data("spool/packages")).unwrap().count(), 0, "nothing is left unpacked");

    let told = home.huiliu(&["explain", "一号泵站"]).expect(0).out;
    assert!(told.contains("材料/施工许可证.pdf") && told.contains("材料/现场照片.jpg"), "{told}");
    assert!(!told.contains("合同.pdf"), "{told}");
    let told = home.huiliu(&["explain", "二号泵站", "--json"]).expect(0).json();
    let evidence = told["evidence"].as_array().unwrap();
    assert_eq!(evidence.len(), 1, "{told:#}");
    assert_eq!((&evidence[0]["name"], &evidence[0]["sender"]), (&"二号泵站/合同.pdf".into(), &"甲".into()));
    let hash = evidence[0]["hash"].as_str().unwrap();
    assert_eq!(fs::read(home.data("evidence").join(&hash[..2]).join(hash)).unwrap(), b"%PDF contract");
    let id = home.deliveries()[0]["id"].as_str().unwrap().to_owned();
    let told = home.huiliu(&["deliveries", &id]).expect(0).out;
    assert!(told.contains("材料/多余.pdf") && told.contains("清单.csv 2"), "{told}");
}

#[test]
fn the_same_package_again_links_nothing_new_and_a_later_one_adds_its_papers() {
    let mut home = home();
    home.drop_file("甲/报送.zip", &package());
    home.once().expect(0);
    let (before, picture) = (kept(&home), home.huiliu(&["explain", "一号泵站", "--json"]).expect(0).json());
    home.drop_file("甲/又一次.zip", &package());
    home.once().expect(0);
    assert_eq!(home.deliveries().len(), 1);
    assert_eq!(kept(&home), before);
    assert_eq!(home.huiliu(&["explain", "一号泵站", "--json"]).expect(0).json(), picture);

    // The same values, but another paper: no new revision, and yet the paper is the record's.
    let later =
        zip(&[("清单.csv".as_bytes(), TABLE.as_bytes()), ("一号泵站/监理合同.pdf".as_bytes(), b"%PDF new")]);
    home.drop_file("甲/补充.zip", &later);
    home.once().expect(0);
    let told = home.huiliu(&["explain", "一号泵站"]).expect(0).out;
    assert!(told.contains("监理合同.pdf") && told.contains("施工许可证.pdf"), "{told}");
}

#[test]
fn harmful_packages_go_back_with_a_plain_sentence_and_leave_nothing() {
    let table = ("清单.csv".as_bytes(), TABLE.as_bytes());
    let climbing = zip(&[table, (b"../../etc/passwd", b"x")]);
    let absolute = zip(&[table, (b"/etc/passwd", b"x")]);
    let mut encrypted = zip(&[table, (b"a.pdf", b"x")]);
    let at = encrypted.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    encrypted[at + 8] |= 1;
    let deep = zip(&[table, (b"a.zip", &zip(&[(b"b.zip", &zip(&[(b"c.zip", &zip(&[]))]))]))]);
    for (name, content, expected) in [
        ("climb", climbing, "指向包外的路径"),
        ("absolute", absolute, "指向包外的路径"),
        ("overlap", sharing(300), "互相重叠"),
        ("many", sharing(10_001), "压缩包内文件数超过上限 10000"),
        ("encrypted", encrypted, "密码"),
        ("deep", deep, "嵌套超过2层"),
        ("cut", package()[..200].to_vec(), "文件不完整"),
        ("no table", zip(&[(b"a.pdf", b"%PDF x")]), "压缩包里没有表格"),
    ] {
        let mut home = home();
        home.drop_file("甲/报送.zip", &content);
        home.once();
        let receipt = home.receipt("报送");
        assert_eq!(receipt["state"], "refused", "{name}");
        let message = receipt["findings"][0]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{name}: {message}");
        assert_eq!(kept(&home), BTreeMap::new(), "{name}");
        assert_eq!(home.names("returned").len(), 1, "{name}");
        assert!(home.names("outbox").iter().any(|file| file.ends_with(".html")), "{name}");
    }
}

/// A zip in which many names share one content.
fn sharing(entries: u16) -> Vec<u8> {
    let content = vec![b'0'; 1000];
    let first = zip(&[(b"00000", &content)]);
    let length = first.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    let mut directory = Vec::new();
    for number in 0..entries {
        let name = format!("{number:05}");
        let facts = facts(name.as_bytes(), &content);
        directory.extend([b"PK\x01\x02\x14\0\x14\0".as_slice(), &facts, &[0; 14], name.as_bytes()].concat());
    }
    end(first[..length].to_vec(), &directory, entries)
}

#[test]
fn limits_may_be_set_in_the_pipeline() {
    let pipeline = small_pipeline("packages", "inbox", "[validate]", "[{jsonl: {path: out}}]");
    let mut home = Home::new(&format!("{pipeline}\nformat: {{limits: {{max_entries: 3}}}}\n"));
    home.drop_file("甲/报送.zip", &package());
    home.once();
    let message = home.receipt("报送")["findings"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("压缩包内文件数超过上限 3"), "{message}");
}

#[test]
fn read_prints_the_tables_of_a_package() {
    let home = home();
    let file = home.write("报送.zip", &package()).to_string_lossy().into_owned();
    let ended = home.huiliu(&["read", &file]).expect(0);
    assert!(ended.out.starts_with("项目代码,项目名称,总投资（万元）,佐证材料"), "{}", ended.out);
    assert_eq!(ended.out.lines().count(), 3);
    assert!(ended.err.contains("没有寄来.pdf"), "{}", ended.err);
}

#[test]
fn killed_while_it_reads_packages_it_keeps_every_paper_once() {
    let mut whole = home();
    whole.drop_file("甲/报送.zip", &package());
    whole.once().expect(0);
    let mut home = home();
    let daemon = home.start();
    home.drop_file("甲/报送.zip", &package());
    let mut daemon = daemon;
    daemon.wait("first paper", || !home.names("evidence").is_empty());
    daemon.kill();
    home.once().expect(0);
    assert_eq!(kept(&home), kept(&whole));
    let story =
        |home: &Home| home.huiliu(&["explain", "一号泵站", "--json"]).expect(0).json()["evidence"].clone();
    assert_eq!(story(&home), story(&whole));
}

#[test]
fn a_row_that_comes_back_out_of_quarantine_keeps_its_papers() {
    let mut home = home();
    let table = "项目代码,项目名称,佐证材料\nP-3,,许可证.pdf\n";
    let package =
        zip(&[("清单.csv".as_bytes(), table.as_bytes()), ("许可证.pdf".as_bytes(), b"%PDF permit")]);
    home.drop_file("甲/报送.zip", &package);
    home.once().expect(0);
    assert!(home.lines("out").is_empty());
    home.huiliu(&["quarantine", "retry", "1", "--set", "project_name=三号泵站"]).expect(0);
    home.once().expect(0);
    let told = home.huiliu(&["explain", "三号泵站"]).expect(0).out;
    assert!(told.contains("许可证.pdf"), "{told}");
    assert!(!told.contains("_evidence"), "{told}");
    let told = home.deliveries();
    assert_eq!(told.len(), 2);
    assert!(!told[0]["report"].to_string().contains("_evidence"), "it is no column: {told:#?}");
}

/// The shipped pipeline, and a package of one project whose cell names these files.
fn of_project(code: &str, name: &str, cell: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let table = format!("项目代码,项目名称,佐证材料\n{code},{name},{cell}\n");
    let mut entries = vec![("清单.csv".as_bytes(), table.as_bytes())];
    entries.extend(files.iter().map(|(name, content)| (name.as_bytes(), *content)));
    zip(&entries)
}

const FIRST: (&str, &str) = ("2306-320412-89-01-830169", "示例甲");
const SECOND: (&str, &str) = ("2301-320412-89-01-526019", "示例乙");
const THIRD: (&str, &str) = ("2303-320412-89-01-815907", "示例丙");

/// How many rows came out so far, and how many wait in quarantine.
fn stand(home: &Home) -> (usize, usize) {
    let open = home.huiliu(&["quarantine", "list", "--json"]).expect(0).json();
    (home.lines("out/projects").len(), open.as_array().unwrap().len())
}

#[test]
fn a_retry_is_judged_by_its_files_as_the_package_was() {
    let picture = [("现场照片.jpg", b"\xff\xd8\xff one".as_slice())];
    for (what, second) in [
        ("another project's", of_project(SECOND.0, SECOND.1, "现场照片.jpg", &picture)),
        ("empty", of_project(SECOND.0, SECOND.1, "施工合同.pdf", &[("施工合同.pdf", b"")])),
        ("not there", of_project(SECOND.0, SECOND.1, "没有.pdf", &[("别的.pdf", b"%PDF x")])),
        ("not there, nor any other", of_project(SECOND.0, SECOND.1, "没有.pdf", &[])),
        ("a program", of_project(SECOND.0, SECOND.1, "照片.jpg", &[("照片.jpg", b"MZ\x90\0")])),
    ] {
        let mut home = Home::shipped();
        home.drop_file("甲/p0.zip", &of_project(FIRST.0, FIRST.1, "现场照片.jpg", &picture));
        home.once().expect(0);
        home.drop_file("甲/p1.zip", &second);
        home.once().expect(0);
        assert_eq!(stand(&home), (1, 1), "{what}");
        // Twice, since what comes back from a retry is a delivery of its own.
        for number in ["1", "2"] {
            home.huiliu(&["quarantine", "retry", number]).expect(0);
            home.once().expect(0);
            assert_eq!(stand(&home), (1, 1), "{what}");
        }
        let told = home.huiliu(&["quarantine", "show", "3"]).expect(0).out;
        assert!(told.contains("V13"), "{what}: {told}");
    }
}

#[test]
fn a_retry_that_was_mended_is_taken_and_what_it_used_is_remembered() {
    let mut home = Home::shipped();
    let picture = b"\xff\xd8\xff two".as_slice();
    let package = of_project(SECOND.0, SECOND.1, "没有.jpg", &[("材料/现场照片.jpg", picture)]);
    home.drop_file("甲/p1.zip", &package);
    home.once().expect(0);
    assert_eq!(stand(&home), (0, 1));
    home.huiliu(&["quarantine", "retry", "1", "--set", "evidence=现场照片.jpg"]).expect(0);
    home.once().expect(0);
    assert_eq!(stand(&home), (1, 0));
    let told = home.huiliu(&["explain", SECOND.1]).expect(0).out;
    assert!(told.contains("材料/现场照片.jpg"), "{told}");
    home.drop_file("甲/p2.zip", &of_project(THIRD.0, THIRD.1, "照片.jpg", &[("照片.jpg", picture)]));
    home.once().expect(0);
    assert_eq!(stand(&home), (1, 1), "another project sent the same picture");
}

#[test]
fn a_retry_finds_the_file_that_came_since() {
    let mut home = Home::shipped();
    home.drop_file("甲/p1.zip", &of_project(SECOND.0, SECOND.1, "合同.pdf", &[]));
    home.once().expect(0);
    assert_eq!(stand(&home), (0, 1));
    let later = of_project(THIRD.0, THIRD.1, "", &[("合同.pdf", b"%PDF contract")]);
    home.drop_file("甲/p2.zip", &later);
    home.once().expect(0);
    home.huiliu(&["quarantine", "retry", "1"]).expect(0);
    home.once().expect(0);
    assert_eq!(stand(&home), (2, 0));
    let told = home.huiliu(&["explain", SECOND.1]).expect(0).out;
    assert!(told.contains("合同.pdf"), "{told}");
}

#[test]
fn a_retry_keeps_the_files_of_its_own_folder() {
    let mut home = Home::shipped();
    let table = format!("项目代码,项目名称,佐证材料\n{},甲厂,\n{},,\n", FIRST.0, SECOND.0);
    let own = format!("{}/照片.jpg", SECOND.0);
    let package = zip(&[
        ("清单.csv".as_bytes(), table.as_bytes()),
        ("甲厂/照片.jpg".as_bytes(), b"\xff\xd8\xff one"),
        (own.as_bytes(), b"\xff\xd8\xff two"),
    ]);
    home.drop_file("甲/p1.zip", &package);
    home.once().expect(0);
    assert_eq!(stand(&home), (1, 1));
    // A code mended as well leaves no folder after which the row is named.
    let code = format!("project_code={}", THIRD.0);
    home.huiliu(&["quarantine", "retry", "1", "--set", "project_name=乙厂", "--set", &code]).expect(0);
    home.once().expect(0);
    assert_eq!(stand(&home), (2, 0));
    let told = home.huiliu(&["explain", "乙厂"]).expect(0).out;
    assert!(told.contains(&own) && !told.contains("甲厂/照片.jpg"), "{told}");
}
