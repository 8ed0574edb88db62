//! One table, however an office program saved it, gives one and the same records.

use serde_json::Value;

use crate::support::{Home, root, small_pipeline};

const TABLE: &str = "\
项目代码,项目名称,挂钩领导,总投资(亿元),开工时间
P-1,一号泵站,李某,1.5,2026年3月2日
P-2,\"二号泵站\n(续建)\",,１２,2026-04-01
";

/// The same table in the encodings and with the delimiters that office programs write here.
fn variants() -> Vec<(&'static str, Vec<u8>)> {
    let gb18030 = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    let bom = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let title = format!(
        "2026年4月重点项目情况表,,,,\n单位：万元,,,,\n{}",
        TABLE.replace("(亿元)", "").replace("1.5", "15000").replace("１２", "120000")
    );
    vec![
        ("utf8.csv", TABLE.as_bytes().to_vec()),
        ("bom.csv", bom(TABLE)),
        ("gbk.csv", gb18030(TABLE)),
        ("semicolon.csv", TABLE.replace(',', ";").into_bytes()),
        ("semicolon-gbk.csv", gb18030(&TABLE.replace(',', ";"))),
        ("tab.tsv", TABLE.replace(',', "\t").into_bytes()),
        ("crlf.csv", bom(&TABLE.replace('\n', "\r\n").replace("泵站\r\n(", "泵站\n("))),
        ("title.csv", title.into_bytes()),
        (
            "lines.jsonl",
            "{\"project_code\":\"P-1\",\"project_name\":\"一号泵站\",\"leader\":\"李某\",\"total_investment\":15000,\"start_date\":\"2026-03-02\"}\n\
             {\"project_code\":\"P-2\",\"project_name\":\"二号泵站\\n(续建)\",\"leader\":null,\"total_investment\":120000,\"start_date\":\"2026-04-01\"}\n"
                .into(),
        ),
    ]
}

#[test]
fn one_table_gives_the_same_records_in_every_encoding_and_with_every_delimiter() {
    let mut expected: Option<Vec<Value>> = None;
    for (name, content) in variants() {
        let mut home = Home::new(&small_pipeline("formats", "inbox", "[validate]", "[{jsonl: {path: out}}]"));
        home.drop_file(&format!("甲/{name}"), &content);
        home.once().expect(0);
        let lines = home.lines("out");
        let expected = expected.get_or_insert_with(|| {
            assert_eq!(lines.len(), 2);
            assert_eq!(lines[0]["total_investment"], 15000);
            assert_eq!(lines[1]["start_date"], "2026-04-01");
            lines.clone()
        });
        assert_eq!(lines, *expected, "{name}");
    }
}

#[test]
fn read_prints_the_clean_table_and_tells_the_rest_on_stderr() {
    let home = Home::shipped();
    let record = root().join("pipelines/records/project.yaml").to_string_lossy().into_owned();
    let mut printed = Vec::new();
    for (name, content) in variants() {
        let file = home.write(name, &content).to_string_lossy().into_owned();
        let lines = home.huiliu(&["read", &file, "--record", &record, "--format", "jsonl"]).expect(0);
        printed.push((name, lines.out));
    }
    assert!(printed.iter().all(|(_, out)| *out == printed[0].1), "{printed:#?}");
    assert!(printed[0].1.contains("\"project_name\":\"一号泵站\""), "{}", printed[0].1);

    let bad = home
        .write("bad.csv", "项目名称,总投资(万元)\n一号泵站,很多\n".as_bytes())
        .to_string_lossy()
        .into_owned();
    let ended = home.huiliu(&["read", &bad, "--record", &record]).expect(0);
    assert!(ended.err.starts_with("error B2 V07: "), "{}", ended.err);
    assert_eq!(ended.out.lines().count(), 2, "the row stands there without the value: {}", ended.out);

    let raw = home.huiliu(&["read", &bad]).expect(0);
    assert!(
        raw.out.starts_with("项目名称,总投资(万元)") && raw.out.contains("\n一号泵站,很多"),
        "{}",
        raw.out
    );
    let none = home.write("none.xlsx", b"PK\x03\x04 no workbook").to_string_lossy().into_owned();
    let ended = home.huiliu(&["read", &none]).expect(1);
    assert!(ended.out.is_empty() && ended.err.contains("none.xlsx"), "{ended:?}");
}
