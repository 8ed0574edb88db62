//! Time as a source: ticks ask the register, are run once each at their own time, and are made up for after a sleep.

use std::fs;

use crate::support::Home;

const PROJECTS: &str = "
pipeline: projects
record:
  record: project
  fields:
    - {name: project_code}
    - {name: project_name, required: true}
    - {name: plan_start_date, type: date}
    - {name: total_investment, type: money, unit: 万元}
    - {name: tags, type: list}
source:
  folder: {path: 'inbox/{department}', settle_ms: 0}
receipts: json
stages:
  - dedup: {match: [{fields: [project_code]}]}
sinks:
  - register: {}
";

/// Each day at eight: the projects whose start is due by then.
const REMINDERS: &str = "
pipeline: reminders
record:
  record: reminder
  fields:
    - {name: project_name}
    - {name: total_investment, type: money, unit: 万元}
    - {name: tags, type: list}
    - {name: asked_on, type: date}
source:
  schedule:
    cron: '0 8 * * *'
    catch_up: CATCH
    query: >
      SELECT project_name, total_investment, tags, :today AS asked_on FROM projects
      WHERE plan_start_date <= :today ORDER BY project_name
stages: []
sinks:
  - jsonl: {path: out/reminders}
";

const ROWS: &str = "项目代码,项目名称,计划开工时间,总投资(亿元),标签\n\
                    A1,一号泵站,2026-11-22,1.5,532、两湖\nA2,二号泵站,2026-11-24,3,\nA3,三号泵站,,3,\n";

fn home(catch_up: &str) -> Home {
    let mut home = Home::new(PROJECTS);
    home.write("pipelines/reminders.yaml", REMINDERS.replace("CATCH", catch_up).as_bytes());
    home.config = home.path("pipelines");
    home
}

/// Day asked and project of each line.
fn reminders(home: &Home) -> Vec<String> {
    let mut lines: Vec<String> = home
        .lines("out/reminders")
        .iter()
        .map(|line| {
            format!("{} {}", line["asked_on"].as_str().unwrap(), line["project_name"].as_str().unwrap())
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn a_single_run_takes_the_files_and_then_the_tick_that_is_due() {
    let mut home = home("once");
    home.drop_file("甲/a.csv", ROWS.as_bytes());
    home.once_at("2026-11-23T09:00").expect(0);
    assert_eq!(reminders(&home), ["2026-11-23 一号泵站"]);
    let line = &home.lines("out/reminders")[0];
    assert_eq!(
        (line["total_investment"].as_f64(), &line["tags"][1]),
        (Some(15000.0), &"两湖".into()),
        "{line}"
    );
    let tick = &home.deliveries()[0];
    assert_eq!((tick["file"].as_str(), tick["answered"].as_bool()), (Some("2026-11-23-0800"), Some(true)));
    assert_eq!(tick["received_ms"], 1_795_392_000_000_i64, "it is as old as its tick");

    let before = home.picture();
    let again = home.once_at("2026-11-23T23:00").expect(0);
    assert!(!again.err.contains("tick="), "nothing is due: {}", again.err);
    home.picture().assert_same(&before, "a second run on the same day");
}

#[test]
fn missed_ticks_are_run_as_the_schedule_says_each_at_its_own_time() {
    for (catch_up, expected) in [
        ("once", &["2026-11-22 一号泵站", "2026-11-25 一号泵站", "2026-11-25 二号泵站"][..]),
        (
            "all",
            &[
                "2026-11-22 一号泵站",
                "2026-11-23 一号泵站",
                "2026-11-24 一号泵站",
                "2026-11-24 二号泵站",
                "2026-11-25 一号泵站",
                "2026-11-25 二号泵站",
            ],
        ),
        ("none", &["2026-11-22 一号泵站"]),
    ] {
        let mut home = home(catch_up);
        home.drop_file("甲/a.csv", ROWS.as_bytes());
        home.once_at("2026-11-22T08:00").expect(0);
        home.once_at("2026-11-25T10:00").expect(0);
        assert_eq!(reminders(&home), expected, "catch_up: {catch_up}");
    }
}

#[test]
fn a_running_daemon_ticks_when_its_clock_says_so_and_knows_what_it_slept_over() {
    let mut home = home("all");
    let clock = home.write("clock", b"2026-11-22T07:00:00+08:00");
    let set = |at: &str| {
        let part = clock.with_extension("part");
        fs::write(&part, format!("{at}:00+08:00")).unwrap();
        fs::rename(part, &clock).unwrap();
    };
    home.clock = Some(format!("@{}", clock.display()));
    home.drop_file("甲/a.csv", ROWS.as_bytes());
    let mut daemon = home.start();
    daemon.wait("the file", || home.answered() == 1);
    assert!(reminders(&home).is_empty(), "a new schedule missed nothing");
    set("2026-11-22T08:00");
    daemon.wait("the tick", || reminders(&home) == ["2026-11-22 一号泵站"]);
    set("2026-11-23T08:01");
    daemon.wait("the next", || reminders(&home).len() == 2);
    daemon.kill();

    set("2026-11-25T12:00");
    let mut daemon = home.start();
    daemon.wait("what was missed", || reminders(&home).len() == 6);
    assert!(daemon.stop().success());
    assert_eq!(home.picture().outcome().0["projects"].lines().count(), 3);
}

#[test]
fn check_tells_the_next_ticks_and_what_a_query_names_wrongly() {
    let home = home("once");
    let checked = home.check().expect(0);
    let told = "next ticks: 2026-05-09 08:00, 2026-05-10 08:00, 2026-05-11 08:00 (Asia/Shanghai)";
    assert!(checked.out.contains(told), "{}", checked.out);
    for (from, to, told) in [
        ("plan_start_date <=", "plan_start <=", "reminders.yaml:16:13: there is no column `plan_start`"),
        ("FROM projects", "FROM project", "reminders.yaml:15:76: there is no register `project`"),
        ("AS asked_on", "AS asked", "the query gives `asked`, which is no field of the record"),
        ("ORDER BY project_name", "ORDER BY date('now')", "differs from run to run"),
        ("SELECT project_name", "DELETE project_name", "a query begins with SELECT"),
        ("0 8 * * *", "0 25 * * *", "reminders.yaml:12:11: the hour `25` is not understood"),
        ("catch_up: CATCH", "catch_up: twice", "reminders.yaml:13:15: `twice` is not known here"),
        (
            "catch_up: CATCH",
            "timezone: Asia/Wujin",
            "reminders.yaml:13:15: there is no time zone `Asia/Wujin`",
        ),
    ] {
        let text = REMINDERS.replace(from, to).replace("CATCH", "once");
        assert_ne!(text, REMINDERS, "{from}");
        home.write("pipelines/reminders.yaml", text.as_bytes());
        let checked = home.check().expect(78);
        assert!(checked.err.contains(told), "`{told}` is not in\n{}", checked.err);
    }
}

#[test]
fn a_tick_that_was_interrupted_is_run_again_and_counts_once() {
    let mut home = home("all");
    home.drop_file("甲/a.csv", ROWS.as_bytes());
    home.once_at("2026-11-22T08:00").expect(0);
    let before = home.picture();
    // As if it had been killed after the commit and before the note: the note is that of the day before.
    let store = huiliu_store::SqliteStore::open_exclusive(&home.data("")).unwrap();
    store.set_note("reminders/@schedule", "done", b"2026-11-21T00:00:00Z").unwrap();
    drop(store);
    let again = home.once_at("2026-11-22T08:00").expect(0);
    assert!(again.err.contains("known already"), "{}", again.err);
    home.picture().assert_same(&before, "run again");
}
