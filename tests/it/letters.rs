//! Commitments and a daemon that lives through them: the shipped pipelines, a clock that is set, a sleep of three weeks, a kill,
//! a clock that goes back, and midnight in two time zones.

use std::fs;

use crate::support::{Home, root};

const HEADER: &str = "项目代码,项目名称,开工时间,佐证材料,容缺材料,承诺书编号,承诺日期,补正期限\n";
const PAPERS: &str = "施工许可证、施工合同、现场照片、开工报告";

/// The shipped pipelines of projects and commitments, with a clock that is set, and three starts whose 监理合同 is promised by
/// different days.
struct Watched {
    home: Home,
    clock: std::path::PathBuf,
}

impl Watched {
    fn new(now: &str) -> Self {
        let mut home = Home::shipped();
        let shipped = |path: &str| fs::read_to_string(root().join("pipelines").join(path)).unwrap();
        let projects = shipped("projects.yaml")
            .replace("    path: inbox/{department}\n", "    path: inbox/{department}\n    settle_ms: 0\n");
        home.write("pipelines/projects.yaml", projects.as_bytes());
        for path in ["commitments.yaml", "records/project.yaml"] {
            home.write(&format!("pipelines/{path}"), shipped(path).as_bytes());
        }
        for entry in fs::read_dir(root().join("pipelines/profiles")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            home.write(
                &format!("pipelines/profiles/{name}"),
                shipped(&format!("profiles/{name}")).as_bytes(),
            );
        }
        home.config = home.path("pipelines");
        let clock = home.write("clock", format!("{now}:00+08:00").as_bytes());
        home.clock = Some(format!("@{}", clock.display()));
        Self { home, clock }
    }

    fn set(&self, at: &str) {
        let part = self.clock.with_extension("part");
        fs::write(&part, format!("{at}:00+08:00")).unwrap();
        fs::rename(part, &self.clock).unwrap();
    }

    fn promise(&mut self) {
        let row = |code: &str, name: &str, no: &str, deadline: &str| {
            format!("{code},{name},2026-08-31,{PAPERS},监理合同,{no},2026-09-02,{deadline}\n")
        };
        let rows = [
            row("2208-320412-89-01-011527", "示例泵站", "容1", "2026-09-30"),
            row("2306-320412-89-01-830169", "示例水厂", "容2", "2026-09-18"),
            row("2301-320412-89-01-526019", "示例道路", "容3", "2026-09-09"),
        ];
        self.home.drop_file("行政审批局/承诺.csv", format!("{HEADER}{}", rows.concat()).as_bytes());
    }

    /// What the nightly sink was given: commitment, status, the day on which it began, in the order of nights.
    fn changes(&self) -> Vec<String> {
        let files = self.home.files("out/commitments");
        // What is still being written has a name that begins with a dot.
        let whole = files.iter().filter(|(name, _)| !name.rsplit('/').next().unwrap().starts_with('.'));
        let lines = whole.flat_map(|(name, content)| {
            let night = name.rsplit('/').next().unwrap().get(..10).unwrap().to_owned();
            let text = String::from_utf8(content.clone()).unwrap();
            let rows: Vec<serde_json::Value> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            rows.into_iter().map(move |row| {
                let field = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
                assert_eq!(field("commitment_since"), night, "each change comes in its own night");
                format!("{night} {} {}", field("commitment_no"), field("commitment_status"))
            })
        });
        let mut all: Vec<String> = lines.collect();
        all.sort();
        all
    }

    fn statuses(&self) -> Vec<String> {
        let records = self.home.store().records("projects", "", 9).unwrap();
        let mut all: Vec<String> = records
            .iter()
            .map(|record| {
                let field = |name: &str| record.data.get(name).map(ToString::to_string).unwrap_or_default();
                format!("{} {}", field("commitment_no"), field("commitment_status")).replace('"', "")
            })
            .collect();
        all.sort();
        all
    }
}

/// All that happens up to 13 October.
const ALL: [&str; 9] = [
    "2026-09-09 容3 due_soon",
    "2026-09-10 容3 overdue",
    "2026-09-11 容2 due_soon",
    "2026-09-16 容3 breached",
    "2026-09-19 容2 overdue",
    "2026-09-22 容1 due_soon",
    "2026-09-24 容2 breached",
    "2026-10-01 容1 overdue",
    "2026-10-13 容1 breached",
];

/// Of the third, due within five working days, it is due soon from the start.
fn expected() -> Vec<String> {
    ALL.into_iter().skip(1).map(str::to_owned).collect()
}

#[test]
fn a_daemon_that_was_down_for_weeks_and_is_killed_as_it_wakes_gives_each_change_once_on_its_own_night() {
    let mut it = Watched::new("2026-09-02T09:00");
    it.promise();
    let mut daemon = it.home.start();
    daemon.wait("the commitments", || it.home.answered() == 1 && it.statuses().len() == 3);
    it.set("2026-09-10T00:06");
    daemon.wait("the first night", || it.changes() == expected()[..1]);
    daemon.kill();

    // Three weeks and more later it wakes, and is killed in the middle of what it makes up for.
    it.set("2026-10-13T08:00");
    let mut daemon = it.home.start();
    daemon.wait("some nights", || it.changes().len() >= 3);
    daemon.kill();
    let mut daemon = it.home.start();
    daemon.wait("all nights", || it.changes().len() >= expected().len());
    assert_eq!(it.changes(), expected());

    // The clock is set back, and then on: nothing is done again.
    it.set("2026-09-20T12:00");
    it.set("2026-10-14T00:06");
    daemon
        .wait("the next night", || it.home.deliveries().iter().any(|line| line["file"] == "2026-10-14-0005"));
    assert!(daemon.stop().success());
    assert_eq!(it.changes(), expected());
    assert_eq!(it.statuses(), ["容1 breached", "容2 breached", "容3 breached"]);
}

#[test]
fn a_night_begins_at_midnight_of_the_pipeline_and_not_of_the_machine() {
    let mut it = Watched::new("2026-09-02T09:00");
    it.promise();
    let mut daemon = it.home.start();
    daemon.wait("the commitments", || it.home.answered() == 1 && it.statuses().len() == 3);
    // In Beijing it is half past midnight of the 10th, in UTC still the afternoon of the 9th.
    it.set("2026-09-10T00:04");
    assert!(it.changes().is_empty());
    it.set("2026-09-10T00:30");
    daemon.wait("the night", || it.changes() == ["2026-09-10 容3 overdue"]);
    assert!(daemon.stop().success());
}

#[test]
fn a_night_whose_calendar_cannot_be_read_is_run_once_it_can() {
    let mut it = Watched::new("2026-09-02T09:00");
    it.promise();
    let mut daemon = it.home.start();
    daemon.wait("the commitments", || it.home.answered() == 1 && it.statuses().len() == 3);
    let holidays = it.home.path("pipelines/profiles/holidays.csv");
    let sound = fs::read(&holidays).unwrap();
    fs::write(&holidays, "date,kind\n2026-10-01,who knows\n").unwrap();
    it.set("2026-09-10T00:06");
    daemon.wait("the refusal", || {
        it.home
            .deliveries()
            .iter()
            .any(|line| line["file"] == "2026-09-03-0005" && line["state"] == "refused")
    });
    assert!(it.changes().is_empty());
    fs::write(&holidays, sound).unwrap();
    daemon.wait("the night", || it.changes() == ["2026-09-10 容3 overdue"]);
    assert!(daemon.stop().success());
}
