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
    let page = "<html><head><meta http-equiv=Content-Type content=\"text/html; charset=gb2312\"></head><body>\
        <table><tr><td>菜单</td></tr></table>\
        <table border=1><tr><th colspan=5>2026年4月情况表</th></tr>\
        <tr><th>项目代码<th>项目名称<th>挂钩领导<th>总投资(亿元)<th>开工时间</tr>\
        <tr><td>P-1<td>一号泵站<td>李某<td>1.5<td>2026年3月2日</tr>\
        <tr><td>P-2</td><td>二号泵站<br>(续建)</td><td>&nbsp;</td><td>１２</td><td>2026-04-01</td></tr></table>";
    let cells = |row: &str| -> String {
        row.split('|').map(|cell| format!("<Cell><Data ss:Type=\"String\">{cell}</Data></Cell>")).collect()
    };
    let book = format!(
        "<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>\
         <Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\">\
         <Worksheet ss:Name=\"四月\"><Table><Row>{}</Row><Row>{}</Row><Row>{}</Row></Table></Worksheet></Workbook>",
        cells("项目代码|项目名称|挂钩领导|总投资(亿元)|开工时间"),
        cells("P-1|一号泵站|李某|1.5|2026年3月2日"),
        cells("P-2|二号泵站&#10;(续建)||１２|2026-04-01"),
    );
    let xml = "<?xml version=\"1.0\" encoding=\"GBK\"?>\n<报表 月份=\"4\">\n\
        <项目 项目代码=\"P-1\"><项目名称>一号泵站</项目名称><挂钩领导>李某</挂钩领导><总投资>15000</总投资><开工时间>2026-03-02</开工时间></项目>\n\
        <项目 项目代码=\"P-2\"><项目名称>二号泵站\n(续建)</项目名称><挂钩领导/><总投资>120000</总投资><开工时间>2026-04-01</开工时间></项目>\n</报表>";
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
        ("page.xls", gb18030(page)),
        ("book.xls", book.into_bytes()),
        ("table.xml", gb18030(xml)),
        (
            "wrapped.json",
            "{\"code\": 0, \"data\": {\"columns\": [{\"id\": 1}, {\"id\": 2}, {\"id\": 3}], \"rows\": [\n\
             {\"project_code\":\"P-1\",\"project_name\":\"一号泵站\",\"leader\":\"李某\",\"total_investment\":15000,\"start_date\":\"2026-03-02\"},\n\
             {\"project_code\":\"P-2\",\"project_name\":\"二号泵站\\n(续建)\",\"leader\":null,\"total_investment\":120000,\"start_date\":\"2026-04-01\"}]}}"
                .into(),
        ),
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

/// What has sheets comes back as a workbook, the tables of web pages and of XML too.
#[test]
fn the_copies_of_tables_in_tags_give_the_same_records() {
    let pages = |(name, _): &(&str, Vec<u8>)| matches!(*name, "page.xls" | "book.xls");
    let pipeline = small_pipeline("formats", "inbox", "[validate]", "[{jsonl: {path: out}}]");
    let pipeline = pipeline.replace("receipts: json\n", "");
    for (name, content) in variants().into_iter().filter(pages) {
        let mut home = Home::new(&pipeline);
        home.drop_file(&format!("甲/{name}"), &content);
        home.once().expect(0);
        let answers = home.files("outbox");
        let copy = answers.iter().find(|(file, _)| file.ends_with(".xlsx")).map(|(_, copy)| copy);
        let copy = copy.unwrap_or_else(|| panic!("{name}: {:?}", answers.keys()));
        let mut again = Home::new(&pipeline);
        again.drop_file("甲/again.xlsx", copy);
        again.once().expect(0);
        assert_eq!(again.lines("out"), home.lines("out"), "{name}");
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

#[test]
fn a_file_that_cannot_be_read_goes_back_with_a_sentence_on_why() {
    for (name, content, expected) in [
        ("cut.json", b"[{\"project_name\":\"a\"},{\"project_n".to_vec(), "JSON 文件不完整"),
        (
            "cut.xml",
            "<?xml version=\"1.0\"?><表><行><项目名称>一</项目名称></行><行><项".into(),
            "XML 文件已损坏或不完整",
        ),
        (
            "entity.xml",
            b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><a><b>1</b></a>".to_vec(),
            "文档类型声明",
        ),
        ("empty.json", b"[]".to_vec(), "没有对象"),
        ("page.html", b"<html><body>404</body></html>".to_vec(), "没有表格的网页"),
        ("scan.zip", b"%PDF-1.7 ...".to_vec(), "PDF"),
        ("strange.json", "{\"project_name\": \"一号泵站\",\n 12}".into(), "JSON 文件格式有误"),
    ] {
        let pipeline = small_pipeline("formats", "inbox", "[validate]", "[{jsonl: {path: out}}]");
        let mut home = Home::new(&pipeline);
        home.drop_file(&format!("甲/{name}"), &content);
        home.once();
        let receipt = home.receipt(name.split('.').next().unwrap());
        assert_eq!(receipt["state"], "refused", "{name}");
        let message = receipt["findings"][0]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{name}: {message}");
    }
}

#[test]
fn a_bad_value_of_json_is_told_by_record_and_field() {
    let mut home = Home::new(&small_pipeline("formats", "inbox", "[validate]", "[{jsonl: {path: out}}]"));
    let content = "[{\"project_name\":\"一\"},\n{\"project_name\":\"二\",\"total_investment\":\"很多\"}]";
    home.drop_file("甲/数据.json", content.as_bytes());
    home.once().expect(0);
    let receipt = home.receipt("数据");
    let findings = receipt["findings"].as_array().unwrap();
    let bad = findings.iter().find(|finding| finding["severity"] == "error").unwrap();
    assert_eq!(
        (&bad["row"], &bad["field"], &bad["cell"]),
        (&2.into(), &"total_investment".into(), &Value::Null)
    );
    assert!(bad["message"].as_str().unwrap().starts_with("第2条记录"), "{bad}");
}
