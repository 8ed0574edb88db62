//! JSON and XML as systems write them, and as they arrive when something went wrong.

use std::io::Write;

use arrow::array::AsArray;
use huiliu_stage::{Field, FieldType, RecordSchema, row_number};

use crate::read::chance::Numbers;
use crate::read::package::tests::file_of;
use crate::read::{ReadOptions, Reading, open, open_raw, plan};

/// What the reader makes of a file without a record schema: names, then one line a record; findings behind.
fn raw(bytes: &[u8]) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    match open_raw(file.path(), &ReadOptions::default()) {
        Ok(reading) => told(reading),
        Err(error) => error.to_string(),
    }
}

fn told(mut reading: Reading) -> String {
    let columns = reading.schema().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
    let columns: Vec<String> = columns.into_iter().filter(|name| !name.starts_with('_')).collect();
    let mut told = vec![columns.join("|")];
    let mut findings = Vec::new();
    for outcome in reading.by_ref() {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                told.push(error.to_string());
                break;
            }
        };
        for row in 0..outcome.batch.num_rows() {
            let cell = |name: &String| {
                outcome.batch.column_by_name(name).unwrap().as_string::<i32>().value(row).to_owned()
            };
            told.push(columns.iter().map(cell).collect::<Vec<_>>().join("|"));
        }
        findings.extend(outcome.findings.0.iter().map(|f| f.message.in_language("en").to_owned()));
    }
    told.append(&mut findings);
    told.join("\n")
}

fn records(bytes: &[u8], fields: &[(&str, FieldType)]) -> Reading {
    let field =
        |(name, kind): &(&str, FieldType)| Field { name: (*name).into(), kind: *kind, ..Field::default() };
    let record =
        RecordSchema { record: "r".into(), label: String::new(), fields: fields.iter().map(field).collect() };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    open(file.path(), &record, &ReadOptions::default()).unwrap()
}

#[test]
fn an_array_of_objects_is_a_table_wherever_it_stands() {
    let table = "a|b.c|d\n1|x|\n2||p、q";
    for text in [
        r#"[{"a":1,"b":{"c":"x"}},{"a":2,"d":["p","q"]}]"#,
        r#"{"code":0,"rows":[{"a":1,"b":{"c":"x"}},{"a":2,"d":["p","q"]}],"total":2}"#,
        "{\n \"data\": {\"list\": [\n {\"a\":1,\"b\":{\"c\":\"x\"}},\n {\"a\":2,\"d\":[\"p\",\"q\"]},\n ]\n}}",
        "{\"a\":1,\n\"b\":{\"c\":\"x\"}}\n\n{\"a\":2,\n\"d\":[\"p\",\"q\"]}",
    ] {
        assert_eq!(raw(text.as_bytes()), table, "{text}");
        let wide: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(raw(&wide), table, "{text} in UTF-16");
    }
    let gbk = encoding_rs::GBK
        .encode("[{\"项目名称\":\"一号泵站改造工程\"},{\"项目名称\":\"二号泵站改造工程\"}]")
        .0
        .into_owned();
    assert_eq!(raw(&gbk), "项目名称\n一号泵站改造工程\n二号泵站改造工程");
}

#[test]
fn of_several_arrays_the_one_that_the_schema_knows_is_read_and_the_others_are_told() {
    let text = br#"{"columns":[{"id":1},{"id":2},{"id":3}],"rows":[{"name":"x","id":7}]}"#;
    let reading = records(text, &[("name", FieldType::Text), ("id", FieldType::Text)]);
    let told = told(reading);
    assert!(told.starts_with("name|id\nx|7"), "{told}");
    assert!(told.contains("1 more arrays in the file were not read (columns)"), "{told}");
}

#[test]
fn arrays_of_the_same_kind_that_are_not_read_are_an_error() {
    let text =
        br#"{"q1":[{"name":"x","id":1}],"q2":[{"name":"y","id":2},{"name":"z","id":3}],"log":[{"at":1}]}"#;
    let mut reading = records(text, &[("name", FieldType::Text), ("id", FieldType::Text)]);
    let findings = reading.next().unwrap().unwrap().findings.0;
    let told = findings.iter().find(|finding| finding.message.en.contains("2 more arrays")).unwrap();
    assert_eq!(told.severity, huiliu_stage::Severity::Error);
    assert_eq!(raw(b"{\"a\":1},\n{\"a\":2},\n"), "a\n1\n2");
}

#[test]
fn broken_json_is_told_by_record_and_cut_json_as_a_whole() {
    let told = raw(br#"[{"a":1},7,{"a":nonsense},{"a":4}]"#);
    assert!(told.starts_with("a\n1\n\n\n4\n"), "{told}");
    assert!(told.contains("record 2 cannot be understood (not an object)"), "{told}");
    assert!(told.contains("record 3 cannot be understood (expected"), "{told}");
    let whole = br#"{"rows":[{"a":"one"},{"a":"two"}],"total":2}"#;
    for length in 10..whole.len() {
        let told = raw(&whole[..length]);
        assert!(told.contains("cut off"), "{length} bytes: {told}");
    }
    assert!(raw(b"[]").contains("it holds no objects"));
    assert!(raw(b"[{\"a\":1} {\"a\":2}]").contains("a comma is missing"));
    assert!(raw(&[b"[".repeat(100_000), b"{".repeat(2)].concat()).contains("nested too deep"));
}

#[test]
fn repeated_elements_are_a_table_of_attributes_and_children() {
    let told = raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<list total=\"2\">\n\
         <project id=\"7\"><name>一号 &amp; 二号</name><owner kind=\"x\"><name>甲</name></owner>\
         <tag>a</tag><tag>b</tag><empty/></project>\n\
         <!-- no --><project id=\"8\"><name><![CDATA[<三号>]]></name></project></list>"
        .as_bytes());
    assert_eq!(told, "id|name|owner.kind|owner.name|tag|empty\n7|一号 & 二号|x|甲|a;b|\n8|<三号>||||");
}

#[test]
fn numbers_keep_all_their_digits_in_json_lines_as_in_json() {
    let object = r#"{"a":123456789012345678.25,"b":[9007199254740993,-0.10],"c":{"d": 9007199254740993.5}}"#;
    let lines = format!("{object}\n\n{object}\n");
    let row = r#"123456789012345678.25|9007199254740993、-0.10|9007199254740993.5"#;
    for text in [lines, format!("[{object},{object}]")] {
        assert_eq!(raw(text.as_bytes()), format!("a|b|c.d\n{row}\n{row}"));
    }
}

#[test]
fn a_broken_line_is_told_by_its_number_and_costs_no_other() {
    let told = raw(b"{\"a\":1}\n\n7\n{\"a\":\n{\"a\":\"\\ud800\"}\n{\"b\":2}");
    assert!(told.starts_with("a|b\n1|\n|\n|\n|\n|2\n"), "{told}");
    assert!(told.contains("line 3 is no JSON object (not an object); correct this line"), "{told}");
    assert!(told.contains("line 4 is no JSON object (EOF while parsing a value at `{\"a\":`)"), "{told}");
    for line in 4..6 {
        assert!(told.contains(&format!("line {line} is no JSON object (")), "{line}: {told}");
    }
}

#[test]
fn a_key_that_stands_twice_is_told_and_its_last_value_taken() {
    let told = raw(br#"[{"a":1,"b":2,"a":3},{"a":{"x":4},"b":5},{"a.x":6,"a":{"x":7}}]"#);
    assert!(told.starts_with("a|b|a.x\n3|2|\n|5|4\n||7\n"), "{told}");
    assert!(told.contains("record 1 has `a` twice; the last value was taken"), "{told}");
    assert!(told.contains("record 3 has `a.x` twice"), "{told}");
    assert!(!told.contains("record 2"), "{told}");
    assert!(raw(b"{\"a\":1,\"a\":1}\n{\"a\":2}").contains("line 1 has `a` twice"));
}

#[test]
fn what_follows_the_end_of_a_json_file_is_told() {
    for (text, shown) in [
        (r#"[{"a":1}] {"b":2}"#, "{\"b\":2}"),
        (r#"[{"a":1}]]"#, "]"),
        ("{\"rows\":[{\"a\":1}],\n\"n\":1}\n垃圾", "垃圾"),
        ("{\"rows\":[\n{\"a\":1}]}{\"rows\":[{\"a\":2},{\"a\":3}]}", "{\"rows\":"),
    ] {
        let told = raw(text.as_bytes());
        assert!(told.starts_with("a\n1\n"), "{told}");
        assert!(told.contains(&format!("there is more behind the end of the data (`{shown}")), "{told}");
    }
    assert_eq!(raw(b"[{\"a\":1}]\n \n"), "a\n1");
}

#[test]
fn other_elements_that_repeat_are_told() {
    let text = "<?xml version=\"1.0\"?><all><meta><by>x</by></meta>\
         <log><entry at=\"1\"/><entry at=\"2\"/></log>\
         <rows><row><a>1</a><b>1</b><tag k=\"1\"/><tag k=\"2\"/></row><row><a>2</a><b>2</b></row></rows>\
         <contacts><contact><name>y</name></contact><contact><name>z</name></contact></contacts>\
         <p/><p/></all>";
    let told = raw(text.as_bytes());
    assert!(told.starts_with("a|b|tag.k|tag\n1|1|1;2|;\n2|2||\n"), "{told}");
    assert!(told.contains("2 more kinds of elements were not read (log.entry、contacts.contact)"), "{told}");
    assert_eq!(told.matches("not read").count(), 1, "{told}");
}

#[test]
fn a_record_of_the_same_name_in_another_place_is_told() {
    let text = "<all><one><row><name>a</name></row></one><two><row><name>b</name></row></two></all>";
    let told = told(records(text.as_bytes(), &[("name", FieldType::Text)]));
    assert!(told.contains("1 more kinds of elements were not read (two.row)"), "{told}");
}

#[test]
fn a_unit_beside_a_value_is_the_unit_of_the_cell() {
    let text = "<?xml version=\"1.0\"?><l>\
         <r><name unit=\"甲镇\">一号泵站</name><amount unit=\"亿元\">3.5</amount></r>\
         <r><name>二号泵站</name><amount 单位=\"万元\">12,000</amount></r>\
         <r><name>三号泵站</name><amount unit=\"元\">7万元</amount></r></l>";
    let fields = [("name", FieldType::Text), ("amount", FieldType::Money)];
    let mut reading = records(text.as_bytes(), &fields);
    let outcome = reading.next().unwrap().unwrap();
    let amounts = outcome.batch.column_by_name("amount").unwrap();
    let amounts = amounts.as_primitive::<arrow::datatypes::Decimal128Type>();
    assert_eq!(amounts.values().as_ref(), [350_000_000, 120_000_000, 70_000]);
    let told: Vec<&str> = outcome.findings.0.iter().map(|f| f.message.en.as_str()).collect();
    assert!(told.iter().any(|text| text.contains("`name.unit`")), "what is no unit stays: {told:?}");
    // Without a schema values stay as they are written.
    assert!(raw(text.as_bytes()).starts_with("name.unit|name|amount.unit|amount|amount.单位\n"));
}

#[test]
fn the_declared_encoding_of_xml_is_honoured_and_a_wrong_one_is_not_believed() {
    let text = "<?xml version=\"1.0\" encoding=\"GB2312\"?><表><行><名称>泵站</名称></行><行><名称>水厂</名称></行></表>";
    let expected = "名称\n泵站\n水厂";
    assert_eq!(raw(&encoding_rs::GBK.encode(text).0), expected);
    assert_eq!(raw(text.as_bytes()), expected, "called GB2312 and written in UTF-8");
    let big5 = text
        .replace("GB2312", "Big5")
        .replace("名称", "名稱")
        .replace("泵站", "水站")
        .replace("水厂", "水塔");
    assert_eq!(raw(&encoding_rs::BIG5.encode(&big5).0), "名稱\n水站\n水塔");
}

#[test]
fn harmful_and_cut_xml_is_refused() {
    let entity = b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><a><r><x>&b;</x></r></a>";
    assert!(raw(entity).starts_with("the file holds a document type, which is not read"), "{}", raw(entity));
    let whole = b"<?xml version=\"1.0\"?><a><r><x>1</x></r><r><x>2</x></r></a>";
    for length in 25..whole.len() {
        let told = raw(&whole[..length]);
        assert!(told.contains("cut off") || told.contains("ends in the middle"), "{length} bytes: {told}");
        assert!(!told.contains("workbook"), "{told}");
    }
    assert!(raw(b"<a><r><x>1</y></r></a>").contains("`x` is not closed"));
    let deep = [b"<?xml?>".to_vec(), b"<a>".repeat(100)].concat();
    assert!(raw(&deep).contains("the depth of elements exceeds the limit of 64"), "{}", raw(&deep));
}

#[test]
fn an_unknown_field_is_told_without_a_column_that_is_not_there() {
    let mut reading = records(br#"[{"name":"x","zzz":1}]"#, &[("name", FieldType::Text)]);
    let findings = reading.next().unwrap().unwrap().findings.0;
    assert!(findings[0].message.zh.starts_with("字段“zzz”不是已知字段"), "{findings:?}");
    assert!(findings[0].message.en.starts_with("field `zzz` is no known field"), "{findings:?}");
}

#[test]
fn long_names_above_many_others_do_not_multiply() {
    let long = "k".repeat(1 << 20);
    let many: String = (0..50_000).map(|at| format!(",\"a{at}\":1")).collect();
    let json = format!("[{{\"{long}\":{{{}}}}},{{\"ok\":1}}]", &many[1..]);
    assert!(raw(json.as_bytes()).contains("a name is longer than 256 bytes"));
    let json = format!("{{\n\"x\":{{\"{long}\":{{{}}}}},\"rows\":[{{\"ok\":1}}]}}", &many[1..]);
    assert!(raw(json.as_bytes()).starts_with("ok\n1"));
    let json = format!("[{{{}}},{{\"ok\":1}}]", &many[1..]);
    assert!(raw(json.as_bytes()).contains("more than 4096 names"));
    let element = "e".repeat(60_000);
    let xml = format!("<?xml?>{}<a/>", format!("<{element}>").repeat(50));
    assert!(raw(xml.as_bytes()).contains("the length of a name exceeds the limit of 256"));
    let paths: String = (0..1050).map(|at| format!("<a{at}><b/></a{at}>")).collect();
    assert!(!raw(format!("<?xml?><l>{paths}</l>").as_bytes()).is_empty());
}

#[test]
fn findings_name_record_and_field() {
    let mut reading = records(
        br#"[{"name":"x","amount":1},{"name":"y","amount":"viel"}]"#,
        &[("name", FieldType::Text), ("amount", FieldType::Number)],
    );
    let outcome = reading.next().unwrap().unwrap();
    let finding = &outcome.findings.0[0];
    assert_eq!(row_number(finding.row.unwrap()), 2);
    assert_eq!(finding.field.as_deref(), Some("amount"));
    assert!(finding.message.en.starts_with("record 2 (amount) `viel` "), "{}", finding.message.en);
    assert!(finding.message.zh.starts_with("第2条记录（amount）“viel”"), "{}", finding.message.zh);
}

#[test]
fn changed_and_cut_files_never_panic_or_hang() {
    let json = r#"{"code":0,"data":{"list":[{"a":"x\"y","b":{"c":[1,2]},"d":null},{"a":"é","b":1.5e3}],"n":[[1]]},"t":"}"}"#;
    let xml = "<?xml version=\"1.0\"?><l a='1'><r id=\"7\"><n>x &lt; y</n><o><n>z</n></o></r><r/><![CDATA[q]]><r id='8'>t</r></l>";
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for (original, marks) in [(json, &b"{}[]\",:\\ 1"[..]), (xml, b"<>/!?&;='\"")] {
        for _ in 0..1500 {
            let bytes = numbers.damage(original.as_bytes(), marks);
            let length = bytes.len() as u64;
            if let Ok(reading) = plan::of_file(file_of(&bytes), length, None, &ReadOptions::default()) {
                let rows: usize =
                    reading.filter_map(Result::ok).map(|outcome| outcome.batch.num_rows()).sum();
                assert!(rows <= bytes.len(), "no rows out of nothing");
            }
        }
    }
}

/// Reading took the cube of the names once: a quarter of a minute for fifty kilobytes.
#[test]
fn records_that_all_have_names_of_their_own_are_read_in_time_and_too_many_names_are_refused() {
    let json = |count: usize| {
        let one = |at: usize| format!(r#"{{"name":"n{at}","own{at}":1}}"#);
        format!("[{}]", (0..count).map(one).collect::<Vec<_>>().join(","))
    };
    let xml = |count: usize| {
        let one = |at: usize| format!("<r><name>n{at}</name><own{at}>1</own{at}></r>");
        format!("<rs>{}</rs>", (0..count).map(one).collect::<String>())
    };
    for text in [json(1800), xml(1800)] {
        assert_eq!(rows_of(records(text.as_bytes(), &[("name", FieldType::Text)])), 1800);
    }
    for text in [json(5000), xml(5000)] {
        let told = told(records(text.as_bytes(), &[("name", FieldType::Text)]));
        assert!(told.contains("the number of"), "{}", told.lines().last().unwrap_or_default());
    }
}

fn rows_of(reading: Reading) -> usize {
    reading.map(|outcome| outcome.unwrap().batch.num_rows()).sum()
}

#[test]
fn what_is_wrong_with_json_is_told_in_both_languages_at_its_place_and_costs_no_other_word() {
    let fields = [("name", FieldType::Text), ("amount", FieldType::Number)];
    for (text, zh, en) in [
        (
            "{\"name\":\"甲\",\"amount\":1}\n{\"name\":\"乙\",\"amount\":}\n",
            "第2行不是 JSON 对象（“乙\",\"amount\":}”处不符合 JSON 语法）；请改正这一行",
            "line 2 is no JSON object (expected value at `乙\",\"amount\":}`); correct this line",
        ),
        (
            "[{\"name\":\"甲\",\n\"amount\":1},\n{\"name\":\"乙\",\n\"amount\":x1}]",
            "第2条记录看不懂（“\"amount\":x1}”处不符合 JSON 语法）；请改正这一条",
            "record 2 cannot be understood (expected value at `\"amount\":x1}`); mend it",
        ),
    ] {
        let outcome = records(text.as_bytes(), &fields).next().unwrap().unwrap();
        let findings = &outcome.findings.0;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].message.zh.as_str(), findings[0].message.en.as_str()), (zh, en));
        // Its fields are not missing: they could not be read.
        let schema = outcome.batch.schema();
        let unreadable = &schema.metadata()[huiliu_stage::UNREADABLE];
        assert!(unreadable.contains("name") && unreadable.contains("amount"), "{unreadable}");
    }
    let told = raw(b"[{'a':1}]");
    assert!(told.starts_with("record 1 cannot be understood (key must be a string at `{'a':1}`)"), "{told}");
}

#[test]
fn a_value_in_a_line_is_told_by_the_line_and_not_by_a_cell() {
    let fields = [("name", FieldType::Text), ("amount", FieldType::Number)];
    let text = "{\"name\":\"x\"}\n\n{\"name\":\"y\",\"amount\":\"viel\"}\n";
    let outcome = records(text.as_bytes(), &fields).next().unwrap().unwrap();
    let message = &outcome.findings.0[0].message;
    assert!(message.en.starts_with("line 3 (amount) `viel` "), "{message:?}");
    assert!(message.zh.starts_with("第3行（amount）“viel”"), "{message:?}");
}

#[test]
fn arrays_below_an_array_of_names_are_rows() {
    for text in [
        r#"[["a","b"],["x",1],["y",[2,3]],["z"],["w",4,"more"]]"#,
        "{\"code\":0,\"data\":[[\"a\",\"b\"],\n[\"x\",1],[\"y\",[2,3]],[\"z\"],[\"w\",4,\"more\"]]}",
    ] {
        assert_eq!(raw(text.as_bytes()), "a|b|C\nx|1|\ny|2、3|\nz||\nw|4|more", "{text}");
    }
    let told = raw(br#"[["a","b"],["x",1],{"a":2},["y",oops]]"#);
    assert!(told.starts_with("a|b\nx|1\n|\n|\n"), "{told}");
    assert!(told.contains("record 2 cannot be understood (not an array)"), "{told}");
    assert!(raw(br#"[["a","b"],["x",1]"#).contains("cut off"));
    assert!(raw(b"[[1,2],[3,4]]").contains("no objects that could be rows"));
}

#[test]
fn a_name_within_another_is_known_by_itself() {
    let text = "[{\"项目\":{\"name\":\"甲\"},\"投资\":{\"amount\":3}}]";
    let told = told(records(text.as_bytes(), &[("name", FieldType::Text), ("amount", FieldType::Text)]));
    assert!(told.starts_with("name|amount\n甲|3"), "{told}");
}

#[test]
fn arrays_beside_an_array_of_names_are_rows() {
    for text in [
        r#"{"columns":["a","b"],"index":[0,1],"data":[["x",1],["y",null]]}"#,
        r#"{"code":0,"result":{"headers":["a","b"],"rows":[["x",1],["y",""]]}}"#,
        "{\"列名\": [\"a\",\"b\"],\n\"数据\": [[\"x\", \"1\"],\n[\"y\",null]]}",
    ] {
        assert_eq!(raw(text.as_bytes()), "a|b\nx|1\ny|", "{text}");
    }
    assert_eq!(
        raw(br#"{"columns":["a","b"],"data":[["x","1"]]}"#),
        "a|b\nx|1",
        "of one row the names stand elsewhere"
    );
    let below = raw(br#"{"fields":["a","b","c"],"data":[["p","q"],["x","1"]]}"#);
    assert!(below.starts_with("p|q\nx|1"), "names of another width are not those of the rows: {below}");
    let objects = raw(br#"{"columns":[{"name":"a"},{"name":"b"}],"code":1}"#);
    assert!(objects.starts_with("name\na\nb"), "{objects}");
}
