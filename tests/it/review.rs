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
