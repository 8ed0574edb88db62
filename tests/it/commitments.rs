//! Time passes for commitments without a delivery: the shipped pipelines, a set clock, weekends, holidays, make-up
//! days, and a daemon that slept.

use crate::support::{Home, root};

const HEADER: &str = "项目代码,项目名称,开工时间,佐证材料,容缺材料,承诺书编号,承诺日期,补正期限\n";
const CODE: &str = "2208-320412-89-01-011527";
const PAPERS: &str = "施工许可证、施工合同、现场照片、开工报告";

/// The shipped pipelines on 2026-09-02; a start whose 监理合同 is promised by `deadline`.
fn home(deadline: &str) -> Home {
    let mut home = Home::shipped();
    home.config = root().join("pipelines");
    let row = format!("{CODE},示例泵站,2026-08-31,{PAPERS},监理合同,容2026-1,2026-09-02,{deadline}\n");
    home.drop_file("行政审批局/承诺.csv", format!("{HEADER}{row}").as_bytes());
    home.once_at("2026-09-02T09:00").expect(0);
    home
}

/// What the sink of the nightly pipeline was given: night, status, the day on which it began.
fn changes(home: &Home) -> Vec<String> {
    let files = home.files("out/commitments");
    let lines = files.iter().flat_map(|(name, content)| {
        let night = name.rsplit('/').next().unwrap().get(..10).unwrap().to_owned();
        let text = String::from_utf8(content.clone()).unwrap();
        let rows: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        rows.into_iter().map(move |row| {
            let (status, since) = (row["commitment_status"].clone(), row["commitment_since"].clone());
            format!("{night} {} {}", status.as_str().unwrap(), since.as_str().unwrap())
        })
    });
    lines.collect()
}

/// A field of the one record in the register.
fn field(home: &Home, name: &str) -> String {
    let records = home.store().records("projects", "", 9).unwrap();
    assert_eq!(records.len(), 1);
    records[0].data.get(name).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn each_night_a_commitment_moves_on_the_right_working_day() {
    let home = home("2026-09-30");
    assert_eq!(field(&home, "commitment_status"), "\"open\"");
    assert_eq!(field(&home, "commitment_nodes"), "[\"开工\"]", "the start rests on it: 容缺");
    // Before 国庆 with 中秋 and its make-up Sunday behind it; 10 October is a Saturday that is worked.
    for (night, status) in [
        ("2026-09-21", "open"),
        ("2026-09-22", "due_soon"),
        ("2026-09-30", "due_soon"),
        ("2026-10-01", "overdue"),
        ("2026-10-12", "overdue"),
        ("2026-10-13", "breached"),
        ("2026-10-14", "breached"),
    ] {
        home.once_at(&format!("{night}T00:05")).expect(0);
        assert_eq!(field(&home, "commitment_status"), format!("\"{status}\""), "on {night}");
    }
    let expected =
        ["2026-09-22 due_soon 2026-09-22", "2026-10-01 overdue 2026-10-01", "2026-10-13 breached 2026-10-13"];
    assert_eq!(changes(&home), expected, "sinks are given changes and nothing else");
    assert_eq!(field(&home, "blocked_until"), "\"2027-10-13\"");
    assert_eq!(field(&home, "project_name"), "\"示例泵站\"", "the rest of the record is left alone");
}

#[test]
fn a_daemon_that_slept_over_the_deadline_dates_each_change_on_its_own_day() {
    let home = home("2026-09-18");
    home.once_at("2026-11-02T09:00").expect(0);
    let expected = [
        "2026-09-11 due_soon 2026-09-11",
        "2026-09-19 overdue 2026-09-19",
        "2026-09-24 breached 2026-09-24", // Sunday the 20th was worked.
    ];
    assert_eq!(changes(&home), expected);
    let story = home.store().records("projects", "", 9).unwrap().remove(0);
    assert_eq!(story.revision, 4);
    let night = 1_790_179_500_000; // 2026-09-24T00:05 in Beijing.
    assert_eq!(story.at_ms, night, "the register knows the day, not when the daemon woke");
}

#[test]
fn what_was_promised_and_comes_in_time_ends_it_before_any_night_does() {
    let mut home = home("2026-09-30");
    let row = format!("{CODE},示例泵站,2026-08-31,{PAPERS}、监理合同,,容2026-1,2026-09-02,2026-09-30\n");
    home.drop_file("行政审批局/补正.csv", format!("{HEADER}{row}").as_bytes());
    home.once_at("2026-09-10T09:00").expect(0);
    assert_eq!(field(&home, "commitment_status"), "\"fulfilled\"");
    home.once_at("2026-12-01T09:00").expect(0);
    assert_eq!(changes(&home), Vec::<String>::new());
    assert_eq!(field(&home, "commitment_status"), "\"fulfilled\"");
    assert_eq!(field(&home, "commitment_nodes"), "", "nothing rests on it any more");
}
