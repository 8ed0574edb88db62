//! Rows in quarantine: seen, repaired and sent again, or given up, from the command line.

use serde_json::Value;

use crate::support::{Home, small_pipeline};

const STAGES: &str = "[{validate: {rules: [{id: within, check: ytd_investment <= total_investment, message: 超过总投资}]}},
  {dedup: {match: [{fields: [project_code]}]}},
  {use: validate, name: late, with: {rules: [{id: has-leader, check: leader IS NOT NULL, message: 缺挂钩领导}]}}]";

const ROWS: &str = "\
项目代码,项目名称,挂钩领导,总投资(万元),年度累计完成投资(万元),网格员
P-1,一号泵站,李某,100,50,甲
P-2,二号泵站,李某,100,150,乙
P-3,,李某,100,50,丙
P-4,四号泵站,,100,50,丁
P-5,五号泵站,李某,很多,50,戊
";

fn home() -> Home {
    let mut home =
        Home::new(&small_pipeline("projects", "inbox", STAGES, "[register, {jsonl: {path: out}}]"));
    home.drop_file("水务局/a.csv", ROWS.as_bytes());
    home.once().expect(0);
    home
}

fn list(home: &Home, status: &str) -> Vec<Value> {
    let listed = home.huiliu(&["quarantine", "list", "--json", "--status", status]).expect(0);
    listed.json().as_array().unwrap().clone()
}

fn names(home: &Home) -> Vec<String> {
    let listed = home.huiliu(&["explain", "--list", "--json"]).expect(0).json();
    let mut names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["data"]["project_name"].as_str().unwrap_or("?").to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn rows_are_listed_and_shown_with_their_stage_and_reasons() {
    let home = home();
    let rows = list(&home, "open");
    let told: Vec<_> =
        rows.iter().map(|row| format!("{} {} {}", row["id"], row["stage"], row["reasons"])).collect();
    assert_eq!(
        told,
        [
            r#"1 "validate" ["within"]"#,
            r#"2 "validate" ["required"]"#,
            r#"3 "validate" ["V07"]"#,
            r#"4 "dedup" ["has-leader"]"#
        ]
    );
    let shown = home.huiliu(&["quarantine", "show", "1"]).expect(0).out;
    for part in ["a.csv of 水务局", "line 3", "refused by  validate", "project_code: \"P-2\"", "超过总投资"]
    {
        assert!(shown.contains(part), "`{part}` is not in\n{shown}");
    }
    let table = home.huiliu(&["quarantine", "list", "--code", "within"]).expect(0).out;
    assert_eq!(table.lines().count(), 2, "{table}");
    home.huiliu(&["quarantine", "show", "99"]).expect(69);
}

#[test]
fn a_repaired_row_goes_on_where_it_was_refused() {
    let home = home();
    assert_eq!(names(&home), ["一号泵站"]);
    for (id, repair) in [("1", "ytd_investment=80"), ("2", "project_name=三号泵站"), ("4", "leader=王某")]
    {
        home.huiliu(&["quarantine", "retry", id, "--set", repair]).expect(0);
    }
    home.once().expect(0);
    assert_eq!(names(&home), ["一号泵站", "三号泵站", "二号泵站", "四号泵站"]);
    assert_eq!((list(&home, "open").len(), list(&home, "retried").len()), (1, 3));
    // The second time there is nothing to retry, and nothing changes.
    home.huiliu(&["quarantine", "retry", "1"]).expect(1);
    let before = home.picture().outcome();
    home.once().expect(0);
    assert_eq!(home.picture().outcome(), before);

    let story = home.huiliu(&["explain", "P-4", "--json"]).expect(0).json();
    assert_eq!(story["record"]["data"]["leader"], "王某", "{story:#}");
    let story = home.huiliu(&["explain", "P-2", "--json"]).expect(0).json();
    assert_eq!(story["revisions"][0]["sender"], "水务局", "{story:#}");
    assert!(story.to_string().contains("网格员"), "columns of no field are kept: {story:#}");
}

#[test]
fn a_row_that_was_not_repaired_comes_back_to_quarantine_as_it_was() {
    let home = home();
    let by_code = |mut rows: Vec<Value>| {
        rows.sort_by_key(|row| row["values"]["project_code"].to_string());
        rows
    };
    let before = by_code(list(&home, "open"));
    home.huiliu(&["quarantine", "retry", "1", "--set", "ytd_investment=200"]).expect(0);
    home.huiliu(&["quarantine", "retry", "2", "3", "4"]).expect(0);
    home.once().expect(0);
    let after = by_code(list(&home, "open"));
    let told = |rows: &[Value]| rows.iter().map(|row| row["values"].to_string()).collect::<Vec<_>>();
    assert_eq!(after.len(), 4, "of {:#?} there are still {:#?}", told(&before), told(&after));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before["reasons"], after["reasons"], "{after:#}");
        let (mut values, changed) = (before["values"].clone(), &after["values"]);
        if values["project_code"] == "P-2" {
            values["ytd_investment"] = changed["ytd_investment"].clone();
        }
        assert_eq!(values, *changed);
    }
    assert_eq!(names(&home), ["一号泵站"]);
}

#[test]
fn a_running_daemon_takes_retried_rows_at_once() {
    let home = home();
    let mut daemon = home.start();
    daemon.hear("ready");
    home.huiliu(&["quarantine", "retry", "1", "--set", "ytd_investment=80"]).expect(0);
    daemon.wait("the repaired record", || names(&home) == ["一号泵站", "二号泵站"]);
    assert!(daemon.stop().success());
}

#[test]
fn rows_are_given_up_with_a_note() {
    let home = home();
    let delivery = home.deliveries()[0]["id"].as_str().unwrap().to_owned();
    home.huiliu(&["quarantine", "discard", "1", "--note", "已电话核实"]).expect(0);
    let discarded = list(&home, "discarded");
    assert_eq!((discarded.len(), &discarded[0]["note"]), (1, &"已电话核实".into()));
    home.huiliu(&["quarantine", "discard", "--delivery", &delivery]).expect(0);
    assert_eq!((list(&home, "open").len(), list(&home, "discarded").len()), (0, 4));
    home.huiliu(&["quarantine", "discard", "--delivery", &delivery]).expect(1);
    home.huiliu(&["quarantine", "retry", "1"]).expect(1);
}

#[test]
fn a_row_named_twice_is_sent_once() {
    let home = home();
    let delivery = home.deliveries()[0]["id"].as_str().unwrap().to_owned();
    home.huiliu(&["quarantine", "retry", "1", "1", "--delivery", &delivery]).expect(0);
    home.once().expect(0);
    assert_eq!(list(&home, "retried").len(), 4);
    assert_eq!(list(&home, "open").len(), 4, "each came back, once");
}

#[test]
fn what_is_refused_again_can_be_sent_again() {
    let home = home();
    for id in ["1", "5", "6"] {
        home.huiliu(&["quarantine", "retry", id]).expect(0);
        home.once().expect(0);
    }
    let open: Vec<Value> = list(&home, "open").iter().map(|row| row["id"].clone()).collect();
    assert_eq!(open, [2, 3, 4, 7], "never lost, though the same content comes each time");
}

#[test]
fn an_interrupted_retry_is_finished_by_the_next_run() {
    let home = home();
    home.huiliu(&["quarantine", "retry", "1", "--set", "ytd_investment=80"]).expect(0);
    // As if killed between the mark in the store and the last rename.
    let folder = home.data("retry/projects/validate/水务局");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    std::fs::rename(file.path(), folder.join(format!(".{}", file.file_name().display()))).unwrap();
    // As if killed before the mark: the row is still open.
    std::fs::write(folder.join(".b.retry-1.jsonl"), "{\"project_code\":\"P-9\"}\n").unwrap();
    home.once().expect(0);
    assert_eq!(names(&home), ["一号泵站", "二号泵站"]);
    assert_eq!(list(&home, "open").len(), 3);
}

#[test]
fn a_name_that_no_row_has_is_told() {
    let home = home();
    let ended = home.huiliu(&["quarantine", "retry", "1", "--set", "ytd_investmnet=80"]).expect(0);
    assert!(ended.err.contains("did you mean `ytd_investment`?"), "{}", ended.err);
}

#[test]
fn a_repair_at_a_later_stage_is_read_as_a_cell_would_be() {
    let home = home();
    let repairs = ["--set", "leader=王某", "--set", "total_investment=1.2亿元"];
    home.huiliu(&[&["quarantine", "retry", "4"][..], &repairs].concat()).expect(0);
    home.once().expect(0);
    let story = home.huiliu(&["explain", "P-4", "--json"]).expect(0).json();
    assert_eq!(story["record"]["data"]["total_investment"], 12000, "{story:#}");
    // What cannot be read is told of that row, which waits as before.
    home.huiliu(&["quarantine", "retry", "1", "--set", "ytd_investment=很少"]).expect(0);
    home.once().expect(0);
    assert_eq!(list(&home, "open").len(), 3);
}
