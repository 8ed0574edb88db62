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

/// The shipped pipeline in a folder of its own, with another profile in the place of one.
fn with_profile(shipped: &str, other: &str) -> Home {
    let home = Home::new("");
    for folder in ["", "records", "profiles"] {
        for entry in fs::read_dir(root().join("pipelines").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                home.write(&format!("pipelines/{folder}/{name}"), &fs::read(&path).unwrap());
            }
        }
    }
    let pipeline = fs::read_to_string(home.path("pipelines/projects.yaml")).unwrap();
    assert!(pipeline.contains(shipped), "{shipped}");
    home.write("pipelines/projects.yaml", pipeline.replace(shipped, other).as_bytes());
    home
}

#[test]
fn each_model_of_permit_stages_keeps_its_order_and_skips_none() {
    // The stages of the model in order; then one that comes alone, and the one that it skips.
    for (model, all, (alone, skipped)) in [
        ("three", "基坑支护和土方开挖、地下室、±0.000以上", ("±0.000以上", "基坑支护和土方开挖")),
        ("two", "±0.000以下、±0.000以上", ("±0.000以上", "±0.000以下")),
        ("huhhot", "土方开挖和基坑支护、±0.000以下、±0.000以上", ("±0.000以下", "土方开挖和基坑支护")),
        ("taiyuan", "土方开挖及桩基、主体施工", ("主体施工", "土方开挖及桩基")),
        ("suining", "土方开挖、地基基础、主体结构、装饰装修", ("装饰装修", "土方开挖")),
    ] {
        let home = with_profile("permits_three.yaml", &format!("permits_{model}.yaml"));
        let case = format!(
            "pipeline: ../projects.yaml
about: [V21]
cases:
  - case: {model}
    sent:
      rows:
        - {{项目名称: 示例甲, 项目代码: \"2306-320412-89-01-830169\", 许可阶段: \"{all}\"}}
        - {{项目名称: 示例乙, 项目代码: \"2301-320412-89-01-526019\", 许可阶段: \"{alone}\"}}
    expect:
      quarantined: 1
      findings: [{{row: 3, code: V21, severity: error, field: permit_stage, says: \"“{skipped}”\"}}]
"
        );
        home.write("pipelines/cases/stages.yaml", case.as_bytes());
        home.huiliu(&["test", &home.path("pipelines/cases").to_string_lossy()]).expect(0);
    }
}

#[test]
fn a_changed_profile_is_a_new_version_of_the_rules_and_a_broken_one_is_told_in_its_place() {
    let home = with_profile("permits_three.yaml", "permits_three.yaml");
    let pipeline = home.path("pipelines/projects.yaml").to_string_lossy().into_owned();
    let version = |home: &Home| {
        let out = home.huiliu(&["check", &pipeline]).expect(0).out;
        out.lines().find_map(|line| line.trim().strip_prefix("rules: ").map(str::to_owned)).unwrap()
    };
    let before = version(&home);
    let profile = fs::read_to_string(home.path("pipelines/profiles/nodes.yaml")).unwrap();
    home.write("pipelines/profiles/nodes.yaml", format!("# a comment is no rule\n{profile}").as_bytes());
    assert_eq!(version(&home), before);
    home.write(
        "pipelines/profiles/nodes.yaml",
        profile.replace("required: [投资协议]", "required: [投资协议书]").as_bytes(),
    );
    assert_ne!(version(&home), before);
    home.write("pipelines/profiles/nodes.yaml", profile.replacen("required:", "requird:", 1).as_bytes());
    let told = home.huiliu(&["check", &pipeline]).expect(78).err;
    assert!(told.contains("nodes.yaml:") && told.contains("did you mean `required`?"), "{told}");
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
fn a_case_that_cannot_be_played_fails_alone_and_the_others_are_played() {
    let home = Home::new(&small_pipeline("small", "inbox", "[{validate: {}}]", "[{jsonl: {path: out}}]"));
    let cases = "\
pipeline: ../pipeline.yaml
cases:
  - case: nobody asks
    sent:
      answer: [{project_name: 一号}]
    expect:
      quarantined: 0
  - case: a good row is taken
    sent:
      rows: [{项目代码: P-1, 项目名称: 一号}]
    expect:
      quarantined: 0
";
    let file = home.write("pipelines/cases/some.yaml", cases.as_bytes());
    let folder = home.path("pipelines").to_string_lossy().into_owned();
    for more in [&[][..], &["--update"]] {
        let told = home.huiliu(&[&["test", &*folder], more].concat()).expect(1).out;
        assert!(told.contains("some.yaml: nobody asks\n  it cannot be played: `answer` is for"), "{told}");
        assert!(told.contains("2 cases, 1 not as expected"), "{told}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), cases, "nothing came that could be written");
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
    home.write("pipelines/cases/bad.yaml", CASES.replace("now: 2026-01-01", "now: someday").as_bytes());
    let told = home.huiliu(&["test", &folder]).expect(78).err;
    assert!(told.contains("bad.yaml:5:") && told.contains("`someday` is no time"), "{told}");
    home.write("pipelines/cases/bad.yaml", CASES.as_bytes());
    home.huiliu(&["test", &folder, "--only", "no such case"]).expect(78);
    let told = home.huiliu(&["test", &home.path("nothing").to_string_lossy()]);
    assert_ne!(told.code, 0, "a path without cases is no success");
}
