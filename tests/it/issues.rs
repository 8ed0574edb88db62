//! The register of issues as it is shipped: remarks of projects become issues, rise when nobody solves them, and end.

use serde_json::Value;

use crate::support::{Home, root};

const HEADER: &str = "项目代码,项目名称,责任单位,存在问题,备注\n";
const CODE: &str = "2208-320412-89-01-011527";

/// The two shipped pipelines that it takes, but that a renamed file is taken at once.
fn home() -> Home {
    let mut home = Home::shipped();
    let shipped = |path: &str| std::fs::read_to_string(root().join("pipelines").join(path)).unwrap();
    let projects = shipped("projects.yaml");
    let quick = projects
        .replace("    path: inbox/{department}\n", "    path: inbox/{department}\n    settle_ms: 0\n");
    assert_ne!(quick, projects);
    home.write("pipelines/projects.yaml", quick.as_bytes());
    for path in ["issues.yaml", "records/project.yaml"] {
        home.write(&format!("pipelines/{path}"), shipped(path).as_bytes());
    }
    for entry in std::fs::read_dir(root().join("pipelines/profiles")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        home.write(&format!("pipelines/profiles/{name}"), shipped(&format!("profiles/{name}")).as_bytes());
    }
    home.config = home.path("pipelines");
    home
}

/// What a department says of its project's problems on a day, before that day's question to the register.
fn say(home: &mut Home, day: &str, problems: &str, remark: &str) {
    let row = format!("{CODE},示例泵站,武高新,{problems},{remark}\n");
    home.drop_file(&format!("武高新/周报{day}.csv"), format!("{HEADER}{row}").as_bytes());
    morning(home, day);
}

fn morning(home: &Home, day: &str) {
    home.once_at(&format!("{day}T00:30")).expect(0);
}

/// The issues as the register has them: kind, state, level, raised, due, closed.
fn issues(home: &Home) -> Vec<String> {
    let records = home.store().records("issues", "", 99).unwrap();
    let mut lines: Vec<String> = records
        .iter()
        .map(|record| {
            let text = |field: &str| {
                let value: Value = record
                    .data
                    .get(field)
                    .map_or(Value::Null, |json| serde_json::from_str(json.get()).unwrap());
                value.as_str().unwrap_or("-").to_owned()
            };
            ["raised_date", "issue_type", "issue_state", "issue_level", "due_date", "closed_date"]
                .map(text)
                .join(" ")
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn a_remark_becomes_an_issue_that_rises_with_time_and_ends_when_it_is_told_as_solved() {
    let mut home = home();
    say(&mut home, "2026-03-02", "1.征地未完成；2.临时用电未接通", "3月签约");
    let power = "2026-03-02 power open 区 2026-03-30 -";
    assert_eq!(issues(&home), ["2026-03-02 land open 区 2026-03-30 -", power]);

    say(&mut home, "2026-03-10", "1.征地已完成；2.临时用电未接通，变电站在建", "");
    let land = "2026-03-02 land closed 区 2026-03-30 2026-03-10";
    assert_eq!(issues(&home), [land, power], "told again it is the same issue");
    let lines = home.lines("out/issues").len();
    morning(&home, "2026-03-12");
    assert_eq!(home.lines("out/issues").len(), lines, "a day without a change writes nothing");

    morning(&home, "2026-04-01");
    assert_eq!(
        issues(&home)[1],
        "2026-03-02 power open 市 2026-03-30 -",
        "overdue, so it goes to the next level"
    );
    morning(&home, "2026-04-30");
    assert_eq!(issues(&home)[1], "2026-03-02 power open 省 2026-03-30 -");
    assert_eq!(issues(&home)[0], land, "what is closed stays as it was");
}

#[test]
fn an_issue_that_is_told_no_more_is_closed_and_told_again_is_a_new_one() {
    let mut home = home();
    say(&mut home, "2026-03-02", "征地未完成", "");
    say(&mut home, "2026-03-04", "无", "");
    let first = "2026-03-02 land closed 区 2026-03-30 2026-03-04";
    assert_eq!(issues(&home), [first]);
    let record = home.store().records("issues", "", 9).unwrap().remove(0);
    let field = |name: &str| record.data.get(name).map(ToString::to_string).unwrap_or_default();
    assert_eq!((&*field("issue_text"), &*field("issue_result")), ("\"征地未完成\"", "\"不再提及\""));
    assert_eq!(field("lead_department"), "\"自然资源和规划局\"");

    say(&mut home, "2026-03-09", "征地又受阻", "");
    assert_eq!(issues(&home), [first, "2026-03-09 land open 区 2026-04-07 -"]);
}

#[test]
fn a_remark_counts_only_when_it_tells_of_trouble() {
    let mut home = home();
    say(&mut home, "2026-03-02", "", "已取得施工许可；资金到位");
    assert_eq!(issues(&home), Vec::<String>::new());
    say(&mut home, "2026-03-04", "", "融资未到位；3月签约");
    assert_eq!(issues(&home), ["2026-03-04 fund open 区 2026-04-01 -"]);
}
