//! Which rules a record was made by: thresholds, weights and lists are data, and what they were shows in what they made.

use serde_json::Value;

use crate::support::Home;

/// A threshold in the pipeline and a list beside it.
const PIPELINE: &str = "
pipeline: projects
record:
  record: project
  fields:
    - {name: project_code}
    - {name: project_name, required: true}
    - {name: remarks, label: 备注}
    - {name: total_investment, type: money, unit: 万元}
source:
  folder: {path: 'inbox/{department}', settle_ms: 0}
receipts: json
tables:
  kinds: {csv: kinds.csv}
stages:
  - derive: {columns: [{name: tier, value: \"CASE WHEN total_investment >= 10000 THEN '大' ELSE '小' END\"}]}
  - classify: {text: [remarks], kinds: {table: kinds}}
  - dedup: {match: [{fields: [project_code]}]}
sinks:
  - register: {}
";

const KINDS: &str = "code,zh,keywords\nland,用地,征地 拆迁\n";
const HEADER: &str = "项目代码,项目名称,备注,总投资(万元)\n";

fn home() -> Home {
    let home = Home::new(PIPELINE);
    home.write("pipelines/kinds.csv", KINDS.as_bytes());
    home
}

fn send(home: &mut Home, name: &str, rows: &[&str]) {
    home.drop_file(&format!("甲/{name}.csv"), format!("{HEADER}{}\n", rows.join("\n")).as_bytes());
}

/// What `huiliu check` calls the rules as they are now.
fn checked(home: &Home) -> String {
    let out = home.check().expect(0).out;
    let line = out.lines().find_map(|line| line.trim().strip_prefix("rules: ")).map(str::to_owned);
    line.unwrap_or_else(|| panic!("no version in {out}"))
}

/// A record's revisions as `huiliu explain` tells them: the rules of each, and the tier with the rules that made it.
fn told(home: &Home, record: &str) -> (Vec<String>, String) {
    let story = home.huiliu(&["explain", record, "--json"]).expect(0).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let revisions = story["revisions"].as_array().unwrap().iter().map(|r| text(&r["rules"])).collect();
    let tier = story["fields"].as_array().unwrap().iter().find(|field| field["field"] == "tier").unwrap();
    (revisions, format!("{} {}", text(&tier["current"]["value"]), text(&tier["current"]["rules"])))
}

#[test]
fn a_changed_threshold_is_a_new_version_of_the_rules_in_the_records_it_touches() {
    let mut home = home();
    send(&mut home, "一", &["A1,一号泵站,征地未完成,15000", "A2,二号泵站,征地未完成,15000"]);
    home.once().expect(0);
    let before = checked(&home);
    assert!(before.len() == 12 && before.bytes().all(|b| b.is_ascii_hexdigit()), "{before}");
    assert_eq!(told(&home, "A1"), (vec![before.clone()], format!("大 {before}")));

    home.write("pipelines/pipeline.yaml", PIPELINE.replace("10000", "20000").as_bytes());
    let after = checked(&home);
    assert_ne!(after, before, "check knows the new threshold without a build");
    send(&mut home, "二", &["A1,一号泵站,征地未完成,16000"]);
    home.once().expect(0);
    assert_eq!(told(&home, "A1"), (vec![before.clone(), after.clone()], format!("小 {after}")));
    assert_eq!(told(&home, "A2"), (vec![before.clone()], format!("大 {before}")), "nobody touched it");

    let versions: Vec<Value> = home.deliveries().into_iter().map(|line| line["rules"].clone()).collect();
    assert_eq!(versions, [after.clone(), before], "newest first");
    let id = home.deliveries()[0]["id"].as_str().unwrap().to_owned();
    let shown = home.huiliu(&["deliveries", &id]).expect(0).out;
    assert!(shown.contains(&format!("rules       {after}\n")), "{shown}");
    assert!(home.huiliu(&["explain", "A1"]).expect(0).out.contains(&after));
}

#[test]
fn how_a_file_is_laid_out_is_no_rule_but_each_list_weight_and_code_is() {
    let home = home();
    let now = checked(&home);
    let with = |pipeline: &str, kinds: &str| {
        home.write("pipelines/pipeline.yaml", pipeline.as_bytes());
        home.write("pipelines/kinds.csv", kinds.as_bytes());
        checked(&home)
    };
    assert_eq!(with(&PIPELINE.replace("stages:", "# 阈值见办法第三条\n\nstages:"), KINDS), now);
    assert_eq!(with(&PIPELINE.replace("receipts: json\n", "").replace("inbox", "in"), KINDS), now);
    let mut seen = vec![now.clone()];
    for (pipeline, kinds) in [
        (PIPELINE.to_owned(), KINDS.replace("拆迁", "拆迁 供地")),
        (PIPELINE.replace("required: true", "required: false"), KINDS.to_owned()),
        (PIPELINE.replace("sinks:", "findings: {merged: {code: V16}}\nsinks:"), KINDS.to_owned()),
        (PIPELINE.replace("fields: [project_code]", "fields: [project_name]"), KINDS.to_owned()),
    ] {
        let version = with(&pipeline, &kinds);
        assert!(!seen.contains(&version), "{pipeline}{kinds}");
        seen.push(version);
    }
    assert_eq!(with(PIPELINE, KINDS), now, "the same rules bear the same name again");
}

#[test]
fn a_list_that_changes_while_the_daemon_runs_is_told_from_the_next_delivery_on() {
    let mut home = home();
    let before = checked(&home);
    send(&mut home, "一", &["A1,一号泵站,征地未完成,15000"]);
    let mut daemon = home.start();
    daemon.wait("the first delivery", || home.answered() == 1);
    home.write("pipelines/kinds.csv", KINDS.replace("拆迁", "拆迁 供地").as_bytes());
    let after = checked(&home);
    send(&mut home, "二", &["A1,一号泵站,供地未落实,15000"]);
    let written = || home.store().records("projects", "", 9).unwrap_or_default();
    daemon.wait("the second revision", || written().first().is_some_and(|record| record.revision == 2));
    assert!(daemon.stop().success());
    assert_eq!(told(&home, "A1").0, [before, after]);
}
