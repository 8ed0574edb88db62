//! Records that may be one: the queue, what people decide, and what becomes of the register.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Home, root};

const PIPELINE: &str = "pipeline: projects
record:
  record: project
  fields:
    - {name: project_code}
    - {name: project_name, required: true}
    - {name: owner}
    - {name: leader}
    - {name: total_investment, type: money, unit: 万元}
source:
  folder: {path: \"inbox/{department}\", settle_ms: 0}
receipts: json
stages:
  - dedup:
      match:
        - {fields: [project_code], normalise: {project_code: code}}
      merge: {fields: {total_investment: max, leader: {priority: [统计局]}}}
      link:
        review: -6
        fields:
          - {field: project_name, kind: name}
          - {field: project_code, kind: identifier}
          - {field: owner, kind: company}
sinks:
  - register: {}
  - jsonl: {path: out/projects}
";

const HEAD: &str = "project_code,project_name,owner,leader,total_investment\n";

impl Home {
    fn send(&mut self, place: &str, rows: &str) {
        self.drop_file(place, format!("{HEAD}{rows}").as_bytes());
        self.once().expect(0);
    }

    /// The register, by name of the project.
    fn register(&self) -> BTreeMap<String, Value> {
        let mut dump = Vec::new();
        self.store().dump("projects", &mut dump).unwrap();
        let lines = String::from_utf8(dump).unwrap();
        let record = |line| {
            let record: Value = serde_json::from_str(line).unwrap();
            (record["data"]["project_name"].as_str().unwrap().to_owned(), record)
        };
        lines.lines().map(record).collect()
    }

    fn id(&self, name: &str) -> String {
        self.register()[name]["id"].as_str().unwrap().to_owned()
    }

    fn queue(&self) -> Vec<[String; 2]> {
        let queue = self.huiliu(&["review", "list", "--json"]).expect(0).json();
        let pair =
            |question: &Value| ["record", "other"].map(|key| question[key].as_str().unwrap().to_owned());
        queue.as_array().unwrap().iter().map(pair).collect()
    }
}

#[test]
fn the_labelled_pairs_are_merged_kept_apart_or_asked_about_by_the_pipeline_as_it_is_shipped() {
    let mut home = Home::shipped();
    let pairs = std::fs::read_to_string(root().join("plugins/dedup/testdata/dedup_pairs.csv")).unwrap();
    let pairs: Vec<Vec<&str>> = pairs.lines().skip(1).map(|line| line.splitn(4, ',').collect()).collect();
    for side in 0..2 {
        // Where the label rests on the investor and not on the names, the row states the investor.
        let owner = |pair: &[&str]| if pair[3].contains("same investor") { "琥崧科技" } else { "" };
        let rows = pairs.iter().map(|pair| format!("{},{}\n", pair[side], owner(pair)));
        let file = format!("项目名称,建设单位\n{}", rows.collect::<String>());
        home.drop_file(&format!("部门{side}/名单{side}.csv"), file.as_bytes());
        home.once().expect(0);
    }
    // Every name that was sent, with the record it went to.
    let mut of: BTreeMap<String, String> = BTreeMap::new();
    for id in home.register().values().map(|record| record["id"].as_str().unwrap().to_owned()) {
        let story = home.huiliu(&["explain", &id, "--json"]).expect(0).json();
        for part in story["parts"].as_array().unwrap() {
            let name = part["values"].as_array().unwrap().iter().find(|said| said["field"] == "project_name");
            of.insert(name.unwrap()["value"].as_str().unwrap().to_owned(), id.clone());
        }
    }
    let queue = home.queue();
    for pair in &pairs {
        let (a, b) = (&of[pair[0].trim()], &of[pair[1].trim()]);
        let asked = queue.iter().any(|asked| asked.contains(a) && asked.contains(b));
        match pair[2] {
            "same" => assert_eq!(a, b, "{pair:?}"),
            "different" => assert_ne!(a, b, "{pair:?}"),
            _ => assert!(a != b && asked, "{pair:?}"),
        }
    }
}

const PLATFORM: &str = ",民用飞机航电系统集成平台,,张工,100\n";
const CENTRES: &str = ",民用飞机航电系统“三中心一总部”项目,,李工,90\n";

#[test]
fn an_accepted_pair_becomes_one_record_and_the_other_id_answers_with_it() {
    let mut home = Home::new(PIPELINE);
    home.send("发改局/a.csv", PLATFORM);
    home.send("住建局/b.csv", CENTRES);
    let [one, other] = home.queue().pop().unwrap();
    let shown = home.huiliu(&["review", "show", &one]).expect(0).out;
    for part in ["民用飞机航电系统集成平台", "三中心一总部", "合计", "字段", "张工"] {
        assert!(shown.contains(part), "{shown}");
    }
    let shown = home.huiliu(&["review", "show", &one, "--language", "en"]).expect(0).out;
    assert!(shown.contains("comparison") && shown.contains("merge from"), "{shown}");

    let (a, b) = (home.id("民用飞机航电系统集成平台"), home.id("民用飞机航电系统“三中心一总部”项目"));
    home.huiliu(&["review", "accept", &one, &other, "--by", "王科长", "--why", "已电话核实"]).expect(0);
    home.once().expect(0);
    let register = home.register();
    assert_eq!(register.len(), 1, "{register:?}");
    let record = register.values().next().unwrap();
    assert_eq!((record["id"].as_str(), record["matched"].as_str()), (Some(&*a), Some("decision")));
    assert_eq!(
        (&record["data"]["total_investment"], &record["data"]["leader"]),
        (&100.into(), &"李工".into())
    );
    assert_eq!(record["origins"]["leader"]["sender"], "住建局");
    assert!(home.queue().is_empty());
    // The id that is no more means the record that is.
    let story = home.huiliu(&["explain", &b]).expect(0).out;
    for part in [&*a, &*b, "王科长", "已电话核实", "张工", "李工", "比对"] {
        assert!(story.contains(part), "`{part}` is not in {story}");
    }
    let log = home.huiliu(&["review", "log"]).expect(0).out;
    assert!(log.contains("accept") && log.contains("王科长"), "{log}");
    // The file sinks are told of both.
    let told: Vec<(Value, Value)> = home
        .lines("out/projects")
        .into_iter()
        .filter(|line| line["matched_by"] == "decision")
        .map(|line| (line["record_id"].clone(), line["project_name"].clone()))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");

    // What was decided is obeyed when the rows come again, and carrying it out twice changes nothing.
    home.send("住建局/c.csv", &CENTRES.replace("90", "120"));
    let register = home.register();
    assert_eq!(register.len(), 1, "{register:?}");
    assert_eq!(register.values().next().unwrap()["data"]["total_investment"], 120);
    assert!(home.store().check_balance().unwrap().is_empty());
}

#[test]
fn the_queue_is_shown_in_pages_and_can_be_searched() {
    let mut home = Home::new(PIPELINE);
    let pairs = [
        ("民用飞机航电系统集成平台", "民用飞机航电系统“三中心一总部”项目"),
        ("太湖水利枢纽调度平台", "太湖水利枢纽“一网统管”项目"),
        ("轨道交通检修基地", "轨道交通“双创中心”项目"),
    ];
    let rows = |side: fn(&(&'static str, &'static str)) -> &'static str| {
        pairs.iter().map(|pair| format!(",{},,张三,\n", side(pair))).collect::<String>()
    };
    home.send("发改局/a.csv", &rows(|pair| pair.0));
    home.send("住建局/b.csv", &rows(|pair| pair.1));
    assert_eq!(home.queue().len(), 3, "{:?}", home.huiliu(&["review", "list"]));
    let list = |more: &[&str]| home.huiliu(&[&["review", "list"], more].concat()).expect(0).out;
    let rows = |out: &str| {
        out.lines()
            .filter(|line| line.trim_start().split(' ').next().is_some_and(|id| id.len() == 17))
            .count()
    };
    let page = list(&["--limit", "2"]);
    assert!(rows(&page) == 2 && page.contains("第1至2对，共3对"), "{page}");
    let page = list(&["--limit", "2", "--offset", "2", "--language", "en"]);
    assert!(rows(&page) == 1 && page.contains("3 to 3 of 3 pairs"), "{page}");
    let page = list(&["--offset", "9"]);
    assert!(rows(&page) == 0 && page.contains("共3对"), "{page}");
    let found = list(&["--find", "水利"]);
    assert!(rows(&found) == 1 && !found.contains("共"), "{found}");
    assert!(list(&["--find", "nowhere"]).contains("没有待核对的记录"));
    let page = home.huiliu(&["review", "list", "--json", "--limit", "1", "--offset", "1"]).expect(0).json();
    assert_eq!(page.as_array().unwrap().len(), 1);
}

#[test]
fn decisions_are_carried_out_in_their_order_and_one_that_cannot_be_is_told_in_the_log() {
    let mut home = Home::new(PIPELINE);
    home.send("发改局/a.csv", PLATFORM);
    home.send("住建局/b.csv", CENTRES);
    let [one, other] = home.queue().pop().unwrap();
    // No daemon runs: what is said later counts later, also when it cannot be done any more.
    home.huiliu(&["review", "reject", &one, &other, "--why", "先"]).expect(0);
    home.huiliu(&["review", "accept", &one, &other, "--why", "后"]).expect(0);
    home.huiliu(&["review", "reject", &one, &other, "--why", "太迟"]).expect(0);
    home.once().expect(0);
    assert_eq!(home.register().len(), 1);
    let log = home.huiliu(&["review", "log"]).expect(0).out;
    let lines: Vec<&str> = log.lines().skip(1).collect();
    for (line, parts) in lines.iter().zip([
        ["reject", "不是同一项", "先"],
        ["accept", "现已撤销", "后"],
        ["reject", "未执行", "太迟"],
    ]) {
        assert!(parts.iter().all(|part| line.contains(part)), "{parts:?} are not in {log}");
    }
    let log = home.huiliu(&["review", "log", "--language", "en"]).expect(0).out;
    assert!(log.contains("refused: ") && log.contains("was taken back"), "{log}");
    // Ids that are nobody's, and the same twice.
    for (pair, told) in
        [([&*one, "r0000000000000000"], "keeps no record"), ([&one, &other], "one record already")]
    {
        let err = home.huiliu(&["review", "accept", pair[0], pair[1]]).expect(1).err;
        assert!(err.contains(told), "{err}");
    }
}

#[test]
fn two_records_that_the_keys_of_one_row_name_are_asked_about() {
    let pipeline = PIPELINE.replace(
        "normalise: {project_code: code}}",
        "normalise: {project_code: code}}\n        - {fields: [owner, project_name]}",
    );
    let mut home = Home::new(&pipeline);
    home.send("发改局/a.csv", "K1,东山泵站,甲水务有限公司,张工,100\n");
    home.send("住建局/b.csv", "K2,西河磨坊,乙磨坊有限公司,李工,90\n");
    home.send("统计局/c.csv", "K1,西河磨坊,乙磨坊有限公司,王工,95\n");
    let [one, other] = home.queue().pop().unwrap();
    let list = home.huiliu(&["review", "list"]).expect(0).out;
    assert!(list.contains("标识冲突"), "{list}");
    let shown = home.huiliu(&["review", "show", &one]).expect(0).out;
    assert!(shown.contains("却是另一记录") && shown.contains("王工"), "{shown}");
    home.huiliu(&["review", "reject", &one, &other]).expect(0);
    home.once().expect(0);
    home.send("统计局/d.csv", "K1,西河磨坊,乙磨坊有限公司,王工,99\n");
    assert!(home.queue().is_empty());
    let records = home.huiliu(&["explain", "--list", "--json"]).expect(0).json();
    assert_eq!(records.as_array().unwrap().len(), 2);
}

#[test]
fn a_record_that_two_pipelines_keep_is_decided_about_in_the_one_that_is_named() {
    let mut home = Home::new(PIPELINE);
    home.send("发改局/a.csv", "K1,东山泵站,甲水务有限公司,张工,100\nK2,西河磨坊,乙磨坊有限公司,李工,90\n");
    let second = PIPELINE.replace("pipeline: projects", "pipeline: others").replace("inbox/", "inbox2/");
    home.write("pipelines/pipeline.yaml", second.replace("out/projects", "out/others").as_bytes());
    let rows = format!("{HEAD}K1,东山泵站,甲水务有限公司,张工,100\nK2,西河磨坊,乙磨坊有限公司,李工,90\n");
    let path = home.write("data/inbox2/发改局/a.csv", rows.as_bytes());
    assert!(path.exists());
    home.once().expect(0);
    let (one, other) = (home.id("东山泵站"), home.id("西河磨坊"));
    let err = home.huiliu(&["review", "accept", &one, &other]).expect(1).err;
    assert!(err.contains("--pipeline") && err.contains("others") && err.contains("projects"), "{err}");
    home.huiliu(&["review", "accept", &one, &other, "--pipeline", "others"]).expect(0);
    home.once().expect(0);
    let count = |register: &str| {
        let mut dump = Vec::new();
        home.store().dump(register, &mut dump).unwrap();
        String::from_utf8(dump).unwrap().lines().count()
    };
    assert_eq!((count("projects"), count("others")), (2, 1));
}

#[test]
fn a_rejected_pair_stays_two_and_is_not_asked_about_again() {
    let mut home = Home::new(PIPELINE);
    home.send("发改局/a.csv", PLATFORM);
    home.send("住建局/b.csv", CENTRES);
    let [one, other] = home.queue().pop().unwrap();
    home.huiliu(&["review", "reject", &one, &other]).expect(0);
    home.once().expect(0);
    home.send("住建局/c.csv", &CENTRES.replace("90", "120"));
    home.send("发改局/d.csv", &PLATFORM.replace("100", "130"));
    assert_eq!((home.register().len(), home.queue().len()), (2, 0));
    let refused = home.huiliu(&["review", "show", &one]).expect(1).err;
    assert!(refused.contains("review list"), "{refused}");
}

#[test]
fn a_record_taken_apart_is_two_again_and_stays_two() {
    let mut home = Home::new(PIPELINE);
    home.send("发改局/a.csv", "K1,东山泵站,甲水务有限公司,张工,100\n");
    home.send("住建局/b.csv", "K1,东山水库,甲水务有限公司,李工,90\n");
    let id = home.id("东山水库");
    let refused = home.huiliu(&["unmerge", &id]).expect(1).err;
    assert!(refused.contains("--source"), "{refused}");
    home.huiliu(&["unmerge", "K1", "--source", "住建局", "--why", "两个项目"]).expect(0);
    home.once().expect(0);
    let register = home.register();
    assert_eq!(register.len(), 2, "{register:?}");
    assert_eq!(register["东山泵站"]["id"], *id);
    assert_eq!(register["东山泵站"]["data"]["leader"], "张工");
    assert_eq!(register["东山水库"]["data"]["total_investment"], 90);
    // Put together again by hand, and taken apart once more: the same two.
    let other = home.id("东山水库");
    home.huiliu(&["review", "accept", &id, &other]).expect(0);
    home.once().expect(0);
    assert_eq!(home.register().len(), 1);
    home.huiliu(&["unmerge", &id, "--source", &other]).expect(0);
    home.once().expect(0);
    let again = home.register();
    for name in ["东山泵站", "东山水库"] {
        let what = |register: &BTreeMap<String, Value>| {
            let mut record = register[name].clone();
            record["data"]["revision"].take();
            (record["id"].clone(), record["data"].clone(), record["origins"].clone())
        };
        assert_eq!(what(&again), what(&register));
    }
    home.send("住建局/c.csv", "K1,东山水库,甲水务有限公司,李工,95\n");
    assert_eq!(home.register()["东山水库"]["data"]["total_investment"], 95);
    assert_eq!(home.register()["东山泵站"]["data"]["total_investment"], 100);
    assert!(home.store().check_balance().unwrap().is_empty());
}

#[test]
fn a_value_set_by_hand_stands_whatever_is_sent_until_it_is_released() {
    let mut home = Home::new(PIPELINE);
    home.send("发改局/四月.csv", "P-1,一号泵站,甲水务,李某,1500\n");
    let id = home.id("一号泵站");
    let pin = ["pin", "一号泵站", "total_investment", "1200", "--by", "张三", "--why", "按批复"];
    home.huiliu(&pin).expect(0);
    home.once().expect(0);
    home.send("统计局/五月.csv", "P-1,一号泵站,,王某,9000\n");
    let record = home.register()["一号泵站"].clone();
    assert_eq!(record["data"]["total_investment"], 1200, "{record}");
    assert_eq!(record["data"]["leader"], "王某", "other values go on");
    let told = home.receipt("五月");
    assert!(told["findings"].to_string().contains("conflict-value"), "{told}");
    let explained = home.huiliu(&["explain", &id]).expect(0).out;
    assert!(explained.contains("张三") && explained.contains("按批复"), "{explained}");

    home.huiliu(&["pin", &id, "code", "1"]).expect(0);
    home.once().expect(0);
    let log = home.huiliu(&["review", "log"]).expect(0).out;
    assert!(log.contains("核定为“1200”") && log.contains("没有可以核定的字段“code”"), "{log}");
    home.huiliu(&["pin", &id, "total_investment"]).expect(2);

    home.huiliu(&["pin", &id, "total_investment", "--release"]).expect(0);
    home.once().expect(0);
    assert_eq!(home.register()["一号泵站"]["data"]["total_investment"], 9000, "the greatest that was sent");
    assert_eq!(home.lines("out").len(), 4, "each change is given out");
}

#[test]
fn two_records_that_a_row_shows_to_be_one_are_put_together_by_themselves_and_can_be_taken_apart() {
    let link = "        review: -6
        fields:
          - {field: project_name, kind: name}
          - {field: project_code, kind: identifier}
          - {field: owner, kind: company}
";
    let texts = "        merge: 0
        review: 0
        fields:
          - {field: owner, kind: text}
          - {field: leader, kind: text}
";
    assert!(PIPELINE.contains(link));
    let mut home = Home::new(&PIPELINE.replace(link, texts));
    home.send("发改局/a.csv", "K1,东山泵站,orchard bridge repair at mill lane,,100\n");
    home.send("住建局/b.csv", "K2,东山水厂,,harbour office of the fishermen,90\n");
    let (a, b) = (home.id("东山泵站"), home.id("东山水厂"));
    let both = ",东山泵站水厂,orchard bridge repair at mill lane,harbour office of the fishermen,95\n";
    home.send("统计局/c.csv", both);
    let register = home.register();
    assert_eq!(register.len(), 1, "{register:?}");
    let record = register.values().next().unwrap();
    let stays = record["id"].as_str().unwrap().to_owned();
    let gone = if stays == a { &b } else { &a };
    assert_eq!(record["data"]["total_investment"], 100, "the greatest of three");
    assert!(home.queue().is_empty(), "nobody is asked");
    // Both ids mean the one record, which tells how it came to be.
    for id in [&a, &b] {
        let story = home.huiliu(&["explain", id]).expect(0).out;
        for part in [&*a, &*b, "发改局", "住建局", "统计局", "并入"] {
            assert!(story.contains(part), "`{part}` is not in {story}");
        }
    }
    let lines = home.lines("out/projects");
    assert!(
        lines.iter().any(|line| line["record_id"] == **gone && line["matched_by"] == "likeness"),
        "{lines:?}"
    );
    // The same again changes nothing; a person may say that they are two, and then they are.
    home.send("统计局/d.csv", both);
    assert_eq!(home.register().len(), 1);
    home.huiliu(&["unmerge", &stays, "--source", gone, "--why", "两个项目"]).expect(0);
    home.once().expect(0);
    let names = |home: &Home| home.register().keys().cloned().collect::<Vec<_>>();
    assert_eq!(home.register().len(), 2, "{:?}", names(&home));
    home.send("统计局/e.csv", both);
    home.send("审计局/f.csv", both);
    assert!(home.register().values().any(|record| record["id"] == **gone), "{:?}", names(&home));
    assert!(home.register().values().any(|record| record["id"] == *stays), "{:?}", names(&home));
    assert!(home.store().check_balance().unwrap().is_empty());
}

#[test]
fn a_merge_and_a_veto_are_explained_in_both_languages() {
    let mut home = Home::new(PIPELINE);
    home.send("发改局/a.csv", ",年产30万吨树脂项目一期,宏源新材料有限公司,,\n");
    let again = ",宏源新材料年产300000吨树脂建设项目(Ⅰ期),宏源新材料,,\n";
    home.send("住建局/b.csv", &format!("{again},年产30万吨树脂项目二期,宏源新材料有限公司,,\n"));
    let register = home.register();
    assert_eq!(register.len(), 2, "{register:?}");
    let first = register.iter().find(|(name, _)| !name.contains("二期")).unwrap().1["id"].as_str().unwrap();
    let story = home.huiliu(&["explain", first]).expect(0).out;
    for part in ["期次相同", "合并线", "likeness", "发改局 a.csv", "住建局 b.csv"] {
        assert!(story.contains(part), "`{part}` is not in {story}");
    }
    let second = home.huiliu(&["explain", "年产30万吨树脂项目二期"]).expect(0).out;
    assert!(second.contains("期次不同 二期 <> 一期（不得合并）"), "{second}");
    let second = home.huiliu(&["explain", "年产30万吨树脂项目二期", "--language", "en"]).expect(0).out;
    assert!(second.contains("other phase 二期 <> 一期 (keeps apart)"), "{second}");
}

#[test]
fn one_record_in_several_batches_of_a_delivery_comes_out_once() {
    let mut home = Home::new(PIPELINE);
    let mut rows = "K1,东山泵站,,张工,100\n".to_owned();
    (0..40_000).for_each(|at| rows.push_str(&format!("N{at},第{at}号水井,,,1\n")));
    rows.push_str("K1,东山泵站,,李工,300\n");
    home.send("水务局/a.csv", &rows);
    let lines = home.lines("out/projects");
    let pump: Vec<&Value> = lines.iter().filter(|line| line["project_code"] == "K1").collect();
    assert_eq!(pump.len(), 1, "{pump:?}");
    assert_eq!((&pump[0]["leader"], &pump[0]["total_investment"]), (&"李工".into(), &300.into()));
    assert_eq!(home.register()["东山泵站"]["revision"], 1);
    let delivery = &home.deliveries()[0];
    let count = |key: &str| delivery[key].as_u64().unwrap();
    assert_eq!((count("rows_in"), count("accepted"), count("merged")), (40_002, 40_001, 1));
    assert_eq!((count("rows_out"), lines.len()), (40_001, 40_001));
    assert_eq!(delivery["balanced"], true);
}

#[test]
fn wrong_rules_of_survivorship_are_refused_with_their_place() {
    let cases = [
        ("leader: {priority: []}", "wants at least one sender"),
        ("leader: {priority: [统计局], then: union}", "none can have priority"),
        ("leader: {priorty: [统计局]}", "priorty"),
        ("leader: newst", "newst"),
        ("leader: max", "chooses among numbers"),
        ("leedr: latest", "leedr"),
    ];
    for (wrong, told) in cases {
        let home = Home::new(&PIPELINE.replace("leader: {priority: [统计局]}", wrong));
        let err = home.check().expect(78).err;
        assert!(err.contains(told) && err.contains("pipeline.yaml:17:"), "{wrong}: {err}");
    }
}
