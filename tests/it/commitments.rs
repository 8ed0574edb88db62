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

#[test]
fn who_is_on_the_credit_list_may_not_commit_until_the_credit_is_repaired() {
    let mut home = Home::shipped();
    home.config = root().join("pipelines");
    let list = |repaired: &str| {
        format!(
            "统一社会信用代码,企业名称,失信类型,列入日期,修复日期\n91350100M000100Y43,示例公司,失信被执行人,2026-08-03,{repaired}\n"
        )
    };
    let promise = |no: &str, date: &str, deadline: &str| {
        let header = HEADER.replace("容缺材料", "统一社会信用代码,容缺材料");
        format!(
            "{header}{CODE},示例泵站,2026-08-31,{PAPERS},91350100M000100Y43,监理合同,{no},{date},{deadline}\n"
        )
    };
    home.write("data/credit/信用办/名单.csv", list("").as_bytes());
    home.drop_file("审批局/一.csv", promise("容1", "2026-09-02", "2026-09-18").as_bytes());
    home.once_at("2026-09-02T09:00").expect(0);
    let quarantine = home.store().quarantine_list(&huiliu_store::QuarantineFilter::default()).unwrap();
    let told = format!("{quarantine:?}");
    assert!(
        quarantine.len() == 1 && told.contains("企业信用状况为“失信被执行人”（2026-08-03列入）"),
        "{told}"
    );

    home.write("data/credit/信用办/名单二.csv", list("2026-09-07").as_bytes());
    home.drop_file("审批局/二.csv", promise("容2", "2026-09-08", "2026-09-18").as_bytes());
    home.once_at("2026-09-08T09:00").expect(0);
    assert_eq!(field(&home, "commitment_status"), "\"open\"", "the credit is repaired");
    assert_eq!(field(&home, "commitment_no"), "\"容2\"");
}

#[test]
fn the_nightly_pipeline_alone_is_told_that_it_needs_the_one_that_fills_the_register() {
    let mut home = Home::shipped();
    home.config = root().join("pipelines/commitments.yaml");
    let checked = home.check().expect(78);
    assert!(checked.err.contains("there is no register `projects`"), "{}", checked.err);
    assert!(checked.err.contains("name the pipelines that fill it as well"), "{}", checked.err);
}
