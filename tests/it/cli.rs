//! What a person meets first: the help of every command, and the demo.

use crate::support::Home;

#[test]
fn every_command_has_a_help_with_an_example() {
    let home = Home::shipped();
    let commands = [
        "run",
        "check",
        "read",
        "deliveries",
        "quarantine",
        "review",
        "unmerge",
        "pin",
        "explain",
        "stages",
        "demo",
    ];
    let top = home.huiliu(&["--help"]).expect(0).out;
    assert!(top.contains("Examples:"), "{top}");
    for command in commands {
        assert!(top.contains(&format!("\n  {command}")), "`{command}` is not in\n{top}");
        let help = home.huiliu(&[command, "--help"]).expect(0).out;
        assert!(help.contains("Examples:"), "{help}");
        assert!(help.contains(&format!("huiliu {command}")), "{help}");
    }
    for command in ["list", "show", "retry", "discard"] {
        home.huiliu(&["quarantine", command, "--help"]).expect(0);
    }
    for command in ["list", "show", "accept", "reject", "log"] {
        let help = home.huiliu(&["review", command, "--help"]).expect(0).out;
        let example = help.split("Example").nth(1).unwrap_or_default();
        assert!(example.contains(&format!("huiliu review {command}")), "{help}");
    }
    assert!(home.huiliu(&["--version"]).expect(0).out.starts_with("huiliu "));
}

#[test]
fn wrong_usage_is_exit_code_2_and_a_folder_without_a_store_69() {
    let home = Home::shipped();
    home.huiliu(&["rnu"]).expect(2);
    home.huiliu(&["check"]).expect(2);
    let none = home.huiliu(&["deliveries"]).expect(69);
    assert!(none.err.contains("`huiliu run` makes one"), "{}", none.err);
}

#[test]
fn stages_are_listed_and_described() {
    let home = Home::shipped();
    let listed = home.huiliu(&["stages"]).expect(0).out;
    for stage in crate::stages::STAGES {
        assert!(listed.contains(&format!("{stage} ")), "{stage} is not in\n{listed}");
    }
    let options = home.huiliu(&["stages", "dedup", "--json"]).expect(0).json();
    assert!(options["properties"]["match"].is_object(), "{options:#}");
    let unknown = home.huiliu(&["stages", "dedupe"]).expect(1);
    assert!(unknown.err.contains("did you mean `dedup`?"), "{}", unknown.err);
}

#[test]
fn the_demo_shows_three_departments_and_a_record_merged_from_two() {
    let home = Home::shipped();
    let folder = home.path("demo").to_string_lossy().into_owned();
    let shown = home.huiliu(&["demo", "--dir", &folder]).expect(0).out;
    for part in [
        "发改局",
        "武进高新区",
        "湖塘镇",
        "== What came in ==",
        "unified records",
        "并入依据",
        "错误",
        "警告",
    ] {
        assert!(shown.contains(part), "`{part}` is not in\n{shown}");
    }
    for file in
        ["outbox/发改局/", "outbox/武进高新区/", "outbox/湖塘镇/", "out/projects/", "回执.xlsx", "回执.json"]
    {
        assert!(shown.contains(file), "`{file}` is not in\n{shown}");
    }
    // The record that is shown has values of two departments, each with file and cell.
    let record: Vec<&str> = shown.lines().skip_while(|line| !line.starts_with("记录 ")).collect();
    let record = record.join("\n");
    let record = record.split("\n==").next().unwrap();
    assert!(record.contains("进展情况!") && record.contains("武高新-2026年4月.csv"), "{record}");
    // And the folder goes on to work, with the commands that it named.
    let listed = home.huiliu(&["deliveries", "--json", "--data", &folder]).expect(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    let other = home.path("english").to_string_lossy().into_owned();
    let shown = home.huiliu(&["demo", "--dir", &other, "--language", "en"]).expect(0).out;
    for part in ["merged because", "\n  error ", "\n  warning "] {
        assert!(shown.contains(part), "`{part}` is not in\n{shown}");
    }
    let again = home.huiliu(&["demo", "--dir", &folder]).expect(1);
    assert!(again.err.contains("is not empty"), "{}", again.err);
}
