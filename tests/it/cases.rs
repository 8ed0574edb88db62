//! `huiliu test`: the cases beside pipelines.

use std::fs;

use crate::support::{Home, root, small_pipeline};

#[test]
fn the_shipped_cases_are_as_expected_and_each_rule_of_the_catalogue_has_some() {
    let home = Home::shipped();
    let pipelines = root().join("pipelines");
    let played = home.huiliu(&["test", &pipelines.to_string_lossy()]).expect(0).out;
    assert!(played.contains(" 0 not as expected"), "{played}");
    for number in 1..=26 {
        let file = pipelines.join(format!("cases/V{number:02}.yaml"));
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(text.contains(&format!("code: V{number:02},")), "V{number:02} is told in none of its cases");
    }
}

const CASES: &str = "\
pipeline: ../pipeline.yaml
cases:
  - case: a name is needed # and nothing else
    earlier:
      - {rows: [{项目代码: P-0, 项目名称: 零号}], now: 2026-01-01}
    sent:
      rows:
        - {项目代码: P-1, 项目名称: null}
        - {项目代码: P-2, 项目名称: 二号}
    expect:
      quarantined: 0
      findings:
        - {row: 3, code: required, severity: error}
      records:
        - {project_code: P-1}
";

#[test]
fn a_difference_is_told_by_row_and_can_be_taken_over() {
    let home = Home::new(&small_pipeline("small", "inbox", "[{validate: {}}]", "[{jsonl: {path: out}}]"));
    let file = home.write("pipelines/cases/names.yaml", CASES.as_bytes());
    let folder = home.path("pipelines").to_string_lossy().into_owned();
    let told = home.huiliu(&["test", &folder]).expect(1).out;
    for part in [
        "names.yaml: a name is needed",
        "quarantined: expected 0, got 1",
        "+ row 2 required error project_name",
        "- row 3 required error",
        "records 1, project_code: expected \"P-1\", got \"P-2\"",
        "1 cases, 1 not as expected",
    ] {
        assert!(told.contains(part), "`{part}` is not in\n{told}");
    }
    home.huiliu(&["test", &folder, "--update"]).expect(0);
    let now = fs::read_to_string(&file).unwrap();
    assert!(
        now.starts_with(&CASES[..CASES.find("    expect:").unwrap()]),
        "only what was expected changes:\n{now}"
    );
    assert!(now.contains("{row: 2, code: required, severity: error, field: project_name}"), "{now}");
    home.huiliu(&["test", &folder]).expect(0);
}

#[test]
fn a_case_file_that_is_wrong_is_told_with_its_place() {
    let home = Home::new(&small_pipeline("small", "inbox", "[{validate: {}}]", "[{jsonl: {path: out}}]"));
    home.write(
        "pipelines/cases/bad.yaml",
        "pipeline: ../pipeline.yaml\ncases:\n  - {case: a, send: {}}\n".as_bytes(),
    );
    let folder = home.path("pipelines").to_string_lossy().into_owned();
    let told = home.huiliu(&["test", &folder]).expect(78).err;
    assert!(told.contains("bad.yaml:3:"), "{told}");
    assert!(told.contains("unknown key `send`"), "{told}");
    let told = home.huiliu(&["test", &home.path("nothing").to_string_lossy()]);
    assert_ne!(told.code, 0, "a path without cases is no success");
}
