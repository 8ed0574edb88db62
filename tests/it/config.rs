//! What `huiliu check` says of broken configurations, word for word: file, line, column, the line itself.

use crate::support::Home;

const RECORD: &str = "\
record: project
fields:
  - {name: project_code}
  - {name: project_name, required: true}
  - {name: total_investment, type: money, unit: 万元, min: 0}
  - {name: ytd_investment, type: money, unit: 万元, min: 0}
  - {name: start_date, type: date}
";

const SOUND: &str = "\
pipeline: projects
record: record.yaml
source:
  folder: {path: 'inbox/{department}', include: ['*.xlsx', '*.csv']}
stages:
  - validate:
      rules:
        - {id: within, check: ytd_investment <= total_investment, message: 超过总投资}
  - dedup:
      match: [{fields: [project_code]}]
  - score:
      dimensions: [{name: size, value: total_investment, linear: {full: 100}}]
sinks:
  - register: {}
  - jsonl: {path: out/projects, columns: [project_code, score]}
receipts: json
";

/// What is done to the sound pipeline (or, where it is not found there, to its record), and where the mistake
/// must be told.
const BROKEN: [(&str, &str, &str, &str); 30] = [
    ("an unknown key", "receipts: json", "receipt: json", "pipeline.yaml:16:1"),
    (
        "a missing key",
        "sinks:\n  - register: {}\n  - jsonl: {path: out/projects, columns: [project_code, score]}\n",
        "",
        "pipeline.yaml:1:1",
    ),
    (
        "a list that is not closed",
        "include: ['*.xlsx', '*.csv']}",
        "include: ['*.xlsx', '*.csv'}",
        "pipeline.yaml:4:49",
    ),
    ("a sink in the inbox", "path: out/projects", "path: inbox/发改局", "pipeline.yaml:15:19"),
    ("a sink around the inbox", "path: out/projects", "path: ./", "pipeline.yaml:15:19"),
    ("a sink in the daemon's own folder", "path: out/projects", "path: log", "pipeline.yaml:15:19"),
    (
        "an archive in the inbox",
        "'*.csv']}",
        "'*.csv'], archive: 'inbox/{department}'}",
        "pipeline.yaml:4:79",
    ),
    (
        "two sinks that write over each other",
        "receipts: json",
        "  - jsonl: {name: rejects, path: ./out/projects, take: rejects}",
        "pipeline.yaml:16:34",
    ),
    ("a table that is not there", "receipts: json", "tables: {days: {csv: days.csv}}", "pipeline.yaml"),
    ("a tab", "  - dedup:", "\t- dedup:", "pipeline.yaml:9:2"),
    ("a key twice", "receipts: json", "pipeline: again", "pipeline.yaml:16:1"),
    ("a name that is none", "pipeline: projects", "pipeline: 重点 项目", "pipeline.yaml:1:11"),
    ("a record that is not there", "record: record.yaml", "record: recrod.yaml", "pipeline.yaml:2:9"),
    ("an unknown source", "  folder: {", "  foldr: {", "pipeline.yaml:4:3"),
    ("a path that climbs out", "'inbox/{department}'", "../inbox", "pipeline.yaml:4:18"),
    ("a pattern that is none", "'*.xlsx', '*.csv'", "'[*.xlsx'", "pipeline.yaml:4:49"),
    ("an unknown stage", "  - dedup:", "  - dedupe:", "pipeline.yaml:9:5"),
    ("an unknown option of a stage", "      match:", "      matches:", "pipeline.yaml:10:7"),
    (
        "a column that nobody makes",
        "check: ytd_investment <=",
        "check: ytd_invesment <=",
        "pipeline.yaml:8:31",
    ),
    ("SQL that ends too early", "<= total_investment, message", "<=, message", "pipeline.yaml:8:31"),
    (
        "a rule that is no condition",
        "ytd_investment <= total_investment,",
        "ytd_investment + 1,",
        "pipeline.yaml:8:31",
    ),
    (
        "an unknown function",
        "ytd_investment <= total_investment,",
        "'sqroot(ytd_investment) < 1',",
        "pipeline.yaml:8:32",
    ),
    (
        "a key of dedup that is no column",
        "[{fields: [project_code]}]",
        "[{fields: [code]}]",
        "pipeline.yaml:10:25",
    ),
    ("a dimension without points", ", linear: {full: 100}}", "}", "pipeline.yaml:12:20"),
    ("an unknown sink", "  - register: {}", "  - registr: {}", "pipeline.yaml:14:5"),
    (
        "a column that a sink does not get",
        "[project_code, score]",
        "[project_code, scores]",
        "pipeline.yaml:15:42",
    ),
    ("a sink's path that is absolute", "out/projects", "/srv/out", "pipeline.yaml:15:19"),
    ("a variable that is not set", "out/projects", "'${env:HUILIU_TEST_NOT_SET}'", "pipeline.yaml:15:19"),
    ("an unknown type of a field", "type: date", "type: day", "record.yaml:7:30"),
    ("bounds of a text", "{name: project_code}", "{name: project_code, min: 1}", "record.yaml:3:26"),
];

fn home(pipeline: &str, record: &str) -> Home {
    let home = Home::new(pipeline);
    home.write("pipelines/record.yaml", record.as_bytes());
    home
}

/// What `check` says of it on stderr, without the folder of this run.
fn said(home: &Home, code: i32) -> String {
    home.check().expect(code).err.replace(&format!("{}/", home.path("pipelines").display()), "")
}

#[test]
fn a_sound_configuration_is_told_so() {
    let ended = home(SOUND, RECORD).check().expect(0);
    let told = "pipeline `projects` is right: folder -> validate -> dedup -> score -> register, jsonl";
    assert!(ended.out.contains(told), "{}", ended.out);
    assert_eq!(ended.err, "");
    Home::shipped().check().expect(0);
}

#[test]
fn each_mistake_is_told_with_file_line_and_column() {
    let (mut all, mut elsewhere) = (String::new(), String::new());
    for (what, sound, broken, place) in BROKEN {
        let (pipeline, record) = match SOUND.contains(sound) {
            true => (SOUND.replacen(sound, broken, 1), RECORD.to_owned()),
            false => (SOUND.to_owned(), RECORD.replacen(sound, broken, 1)),
        };
        assert!(pipeline != SOUND || record != RECORD, "{what}");
        let told = said(&home(&pipeline, &record), 78);
        if !told.lines().any(|line| line.starts_with(&format!("{place}: "))) {
            elsewhere += &format!("{what}: not at {place}:\n{told}\n");
        }
        all += &format!("== {what}\n{told}\n");
    }
    assert!(elsewhere.is_empty(), "{elsewhere}");
    insta::assert_snapshot!(all);
}

#[test]
fn all_mistakes_are_told_at_once_in_both_files() {
    let pipeline = SOUND.replace("  - register: {}", "  - registr: {}").replace("json\n", "jsn\n");
    let told = said(&home(&pipeline, &RECORD.replace("type: date", "type: day")), 78);
    insta::assert_snapshot!(told);
}

#[test]
fn run_refuses_a_broken_configuration_before_it_touches_anything() {
    let home = home(&SOUND.replace("dedup", "dedupe"), RECORD);
    home.once().expect(78);
    assert!(!home.data("").exists());
}

#[test]
fn two_pipelines_do_not_watch_for_the_same_files() {
    let home = home(SOUND, RECORD);
    let other = SOUND.replace("pipeline: projects", "pipeline: other");
    for (source, right) in [
        ("inbox/{department}', include: ['报表*.csv']", false),
        ("inbox', include: ['*.xlsx']", false),
        ("inbox/{department}', include: ['*.ods']", true),
        ("letters', include: ['*.csv']", true),
    ] {
        let other = other.replace("inbox/{department}', include: ['*.xlsx', '*.csv']", source);
        home.write("pipelines/second.yaml", other.as_bytes());
        let files = ["pipelines/pipeline.yaml", "pipelines/second.yaml"].map(|file| home.path(file));
        let [first, second] = files.each_ref().map(|file| file.to_string_lossy());
        let told = home.huiliu(&["check", &first, &second]).expect(if right { 0 } else { 78 }).err;
        assert_eq!(told.contains("pipeline `projects` already takes such files"), !right, "{source}: {told}");
    }
}
