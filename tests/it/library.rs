//! The project library as it is shipped, through the turn of a year: who goes over, that it happens once whatever runs again, and
//! that pipelines which could do without others run alone.

use crate::support::{Home, root};

const HEADER: &str = "项目代码,项目名称,年度,项目级别,建设性质,开工时间,年度计划投资(万元),年度累计完成投资(万元),开工以来累计完成投资(万元)\n";

/// All shipped pipelines, with two projects of 2026, one of which is taken out by a document.
fn home() -> Home {
    let mut home = Home::shipped();
    home.config = root().join("pipelines");
    let rows = "2208-320412-89-01-011527,示例泵站,2026,市重点,新建,2026-03-20,8000,7000,7000\n\
                2301-320412-89-01-526019,示例厂房,2026,区重点,新建,,5000,,\n";
    home.drop_file("发改局/清单.csv", format!("{HEADER}{rows}").as_bytes());
    home.once_at("2026-11-20T09:00").expect(0);
    let change = "项目代码,项目名称,调整类型,批准文号,批准日期\n\
                  2301-320412-89-01-526019,示例厂房,调出,武政办发〔2026〕65号,2026-11-30\n";
    home.write("data/changes/发改局/调整.csv", change.as_bytes());
    home.once_at("2026-12-01T09:00").expect(0);
    home
}

/// Name, year, way in, state and amounts of each project.
fn library(home: &Home) -> Vec<String> {
    let fields = [
        "project_name",
        "list_year",
        "entry",
        "list_state",
        "construction_nature",
        "prior_cumulative_investment",
        "ytd_investment",
    ];
    let records = home.store().records("projects", "", 9).unwrap();
    let mut all: Vec<String> = records
        .iter()
        .map(|record| {
            let text = |name: &&str| {
                record.data.get(name).map_or("-".to_owned(), |value| value.to_string().replace('"', ""))
            };
            fields.iter().map(text).collect::<Vec<_>>().join(" ")
        })
        .collect();
    all.sort();
    all
}

#[test]
fn unfinished_projects_go_over_once_and_a_later_report_does_not_take_them_back() {
    let mut home = home();
    let taken_out = "示例厂房 2026 新增 调出 新建 - -";
    assert_eq!(library(&home), [taken_out, "示例泵站 2026 新增 在库 新建 - 7000"]);

    // The daemon slept over New Year.
    home.once_at("2027-01-04T09:00").expect(0);
    let carried = "示例泵站 2027 结转 在库 续建 7000 -";
    assert_eq!(library(&home), [taken_out, carried]);
    let before = home.picture();
    home.once_at("2027-01-04T10:00").expect(0);
    home.picture().assert_same(&before, "a second run changes nothing");

    let row = "2208-320412-89-01-011527,示例泵站,2026,市重点,新建,2026-03-20,8000,7000,7100\n";
    home.drop_file("发改局/清单二.csv", format!("{HEADER}{row}").as_bytes());
    home.once_at("2027-01-05T09:00").expect(0);
    assert_eq!(library(&home), [taken_out, carried], "last year's figures are not this year's");
    let revisions: Vec<u64> =
        home.store().records("projects", "", 9).unwrap().iter().map(|record| record.revision).collect();
    assert!(revisions.contains(&3), "each step is in its history: {revisions:?}");
    assert_eq!(home.store().records("carried", "", 9).unwrap().len(), 1);
}

#[test]
fn what_could_do_without_other_pipelines_runs_alone_and_the_others_are_told_what_they_need() {
    let mut home = Home::shipped();
    home.config = root().join("pipelines/projects.yaml");
    home.check().expect(0);
    home.config = root().join("pipelines/letters.yaml");
    home.check().expect(0);
    home.config = root().join("pipelines/carry_over.yaml");
    let told = home.check().expect(78).err;
    assert!(told.contains("carry_over.yaml:52:12: there is no register `projects`"), "{told}");
}
