//! What the author of a broken pipeline reads, and what a sound one gives.

use std::collections::HashMap;
use std::path::Path;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::Field;
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{Expression, HostError, OpenStage, Outcome, Stage};
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::config::from_node;
use crate::expression::{Functions, compile};

/// Compiles its rules and changes nothing.
struct Check;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[allow(dead_code)]
    id: String,
    check: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    #[allow(dead_code)]
    severity: Option<huiliu_stage::Severity>,
}

impl Stage for Check {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        Ok(batch.into())
    }
}

impl OpenStage for Check {
    const NAME: &'static str = "validate";
    const SUMMARY: &'static str = "";
    const OPTION_SCHEMA: &'static str = "{}";
    type Options = Rules;

    fn open(options: Rules, input: SchemaRef, host: Arc<dyn Host>) -> Result<(Self, SchemaRef), StageError> {
        let mut problems = Vec::new();
        for (i, rule) in options.rules.iter().enumerate() {
            if let Err(error) = host.compile(&rule.check, &input) {
                problems.push(Problem { path: format!("rules[{i}].check"), message: error.to_string() });
            }
        }
        StageError::all(problems)?;
        Ok((Self, input))
    }
}

/// Adds a column.
struct Add(Box<dyn Expression>, SchemaRef);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    column: String,
    value: String,
}

impl Stage for Add {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        columns.push(self.0.evaluate(&batch)?);
        Ok(RecordBatch::try_new(self.1.clone(), columns)?.into())
    }
}

impl OpenStage for Add {
    const NAME: &'static str = "score";
    const SUMMARY: &'static str = "";
    const OPTION_SCHEMA: &'static str = "{}";
    type Options = Column;

    fn open(options: Column, input: SchemaRef, host: Arc<dyn Host>) -> Result<(Self, SchemaRef), StageError> {
        let value = host
            .compile(&options.value, &input)
            .map_err(|error| StageError::at("value", error.to_string()))?;
        let mut fields = input.fields.to_vec();
        fields.push(Arc::new(Field::new(options.column, value.data_type(), true)));
        let output = Arc::new(Schema::new(fields));
        Ok((Self(value, output.clone()), output))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Folder {
    #[allow(dead_code)]
    path: String,
    #[serde(default)]
    #[allow(dead_code)]
    include: Vec<String>,
    #[serde(default)]
    #[allow(dead_code)]
    settle_secs: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Postgres {
    url: String,
    #[allow(dead_code)]
    table: String,
    #[serde(default)]
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

struct Installed;

impl Catalog for Installed {
    fn stage(&self, name: &str) -> Option<StageOpener> {
        match name {
            "validate" => Some(Arc::new(Check::open_json)),
            "score" => Some(Arc::new(Add::open_json)),
            "lose" => Some(Arc::new(|_, input: SchemaRef, _| {
                let kept: Vec<_> = input.fields.iter().filter(|f| f.name() != ROW).cloned().collect();
                Ok(Opened { stage: Box::new(Check), output: Arc::new(Schema::new(kept)) })
            })),
            _ => None,
        }
    }

    fn stage_names(&self) -> Vec<String> {
        ["validate", "score", "lose"].map(str::to_owned).to_vec()
    }

    fn source_kinds(&self) -> Vec<String> {
        vec!["folder".into()]
    }

    fn check_source(&self, _: &str, options: &Node) -> Result<(), Vec<Diagnostic>> {
        from_node::<Folder>(options).map(drop)
    }

    fn check_format(&self, options: &Node) -> Result<(), Vec<Diagnostic>> {
        from_node::<HashMap<String, bool>>(options).map(drop)
    }

    fn sink_kinds(&self) -> Vec<String> {
        ["register", "jsonl", "postgres"].map(str::to_owned).to_vec()
    }

    fn check_sink(&self, kind: &str, options: &Node, schema: &SchemaRef) -> Result<(), Vec<Diagnostic>> {
        if kind != "postgres" {
            return from_node::<Empty>(options).map(drop);
        }
        let sink: Postgres = from_node(options)?;
        if !sink.url.starts_with("postgres://") {
            let message = format!("`{}` is not the address of a database", sink.url);
            return Err(vec![options.get("url").unwrap_or(options).problem(message)]);
        }
        match sink.key.filter(|key| schema.index_of(key).is_err()) {
            Some(key) => Err(vec![options.problem(format!("there is no column `{key}` here"))]),
            None => Ok(()),
        }
    }

    fn check_timezone(&self, name: &str) -> Result<(), String> {
        if name.contains('/') { Ok(()) } else { Err(format!("there is no time zone `{name}`")) }
    }
}

const RECORD: &str = "\
record: project
fields:
  - {name: project_code, required: true}
  - {name: project_name, label: 项目名称, aliases: [名称]}
  - {name: total_investment, type: money, unit: 万元, min: 0}
  - {name: completed_investment, type: money}
  - {name: start_date, type: date}
";

/// Plans `p.yaml` with `record.yaml` beside it, two environment variables and one secret file.
fn try_plan(yaml: &str, record: &str) -> (Option<Plan>, Vec<Diagnostic>) {
    let files = |path: &Path| match path.to_str() {
        Some("conf/p.yaml") => Ok(yaml.to_owned()),
        Some("conf/record.yaml") => Ok(record.to_owned()),
        Some("conf/secret") => Ok("hunter22\n".to_owned()),
        _ => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
    };
    let env = |name: &str| match name {
        "DATABASE_URL" => Some("postgres://u:hunter22@db/x".to_owned()),
        "WRONG_URL" => Some("mysql://u:hunter22@db/x".to_owned()),
        _ => None,
    };
    let hosts = |_: &StagePlace<'_>| -> Arc<dyn Host> {
        let mut host = MemoryHost::default();
        host.compiler = Some(Box::new(|sql, schema| {
            compile(sql, schema, &Functions::new()).map_err(|error| HostError(error.to_string()))
        }));
        Arc::new(host)
    };
    plan(Path::new("conf/p.yaml"), &files, &env, &Installed, &hosts)
}

fn answer(yaml: &str, record: &str) -> String {
    let (plan, problems) = try_plan(yaml, record);
    assert_eq!(plan.is_some(), problems.is_empty(), "a plan or problems, not both: {problems:?}");
    let text: String = problems.iter().map(|problem| problem.render(false)).collect();
    assert!(!text.contains("hunter22"), "a secret is shown: {text}");
    text
}

/// What is said of a pipeline that is sound but for `rest`, which begins with its stages.
fn said(rest: &str) -> String {
    answer(&format!("pipeline: p\nrecord: record.yaml\nsource: {{folder: {{path: inbox}}}}\n{rest}"), RECORD)
}

/// What is said of a sound pipeline whose record schema has these fields.
fn said_of_fields(fields: &str) -> String {
    let yaml = "pipeline: p\nrecord: record.yaml\nsource: {folder: {path: inbox}}\nsinks: [register]\n";
    answer(yaml, &format!("record: project\nfields:\n{fields}"))
}

const SOUND: &str = "\
pipeline: projects
record: record.yaml
language: en
source:
  folder: {path: 'inbox/{department}', include: ['*.xlsx']}
stages:
  - validate:
      rules:
        - {id: within, check: completed_investment <= total_investment}
  - {use: validate, name: again}
  - score: {column: share, value: completed_investment / total_investment}
sinks:
  - register:
  - jsonl: {}
  - jsonl: {name: second}
  - jsonl
  - postgres: {url: '${env:DATABASE_URL}', table: '${file:secret}', key: share}
receipts: json
tables:
  holidays: {csv: holidays.csv}
";

#[test]
fn a_sound_pipeline_becomes_a_plan() {
    let (plan, problems) = try_plan(SOUND, RECORD);
    assert_eq!(problems, []);
    let plan = plan.unwrap();
    assert_eq!(
        (&*plan.name, plan.language, &*plan.timezone),
        ("projects", Language::English, "Asia/Shanghai")
    );
    let names: Vec<&str> = plan.stages.iter().map(|stage| &*stage.name).collect();
    assert_eq!(names, ["validate", "again", "score"]);
    let names: Vec<&str> = plan.sinks.iter().map(|sink| &*sink.name).collect();
    assert_eq!(names, ["register", "jsonl", "second", "jsonl-2", "postgres"]);
    assert_eq!(plan.output.field_with_name("share").unwrap().data_type(), &DataType::Float64);
    assert_eq!(plan.receipts, Receipts { findings: 1000, xlsx: false, json: true, path: None });
    assert_eq!(plan.tables["holidays"].csv, Path::new("conf/holidays.csv"));
    assert_eq!(plan.sinks[4].options.get("table").unwrap().as_str(), Some("hunter22"));
    let host = Arc::new(MemoryHost::default());
    assert!(plan.stages[0].open(host).is_err(), "opened anew it compiles anew, and this host cannot");
}

#[test]
fn secrets_are_shown_nowhere() {
    let (plan, _) = try_plan(SOUND, RECORD);
    let debug = format!("{plan:?}");
    assert!(debug.contains("${env:DATABASE_URL}") && !debug.contains("hunter22"), "{debug}");
}

#[test]
fn the_top_of_a_pipeline() {
    insta::assert_snapshot!(answer("pipelin: p\nrecord: record.yaml\nsource: {folder: {path: x}}\nsinks: [register]\n", RECORD), @"
    conf/p.yaml:1:1: unknown key `pipelin`
      |
    1 | pipelin: p
      | ^^^^^^^
      = help: did you mean `pipeline`?
    ");
    insta::assert_snapshot!(answer("- just\n- a list\n", RECORD), @"
    conf/p.yaml:1:1: a mapping is needed here, this is a list
      |
    1 | - just
      | ^^^^^^
    ");
    insta::assert_snapshot!(answer("", RECORD), @"
    conf/p.yaml:1:1: the key `pipeline` is missing or empty
      |
    1 |
      | ^
    conf/p.yaml:1:1: the key `record` is missing or empty
      |
    1 |
      | ^
    conf/p.yaml:1:1: the key `sinks` is missing or empty
      |
    1 |
      | ^
    conf/p.yaml:1:1: the key `source` is missing or empty
      |
    1 |
      | ^
    ");
    insta::assert_snapshot!(said("language: fr\ntimezone: Shanghai\nsinks: []\n"), @"
    conf/p.yaml:4:11: `fr` is not known here
      |
    4 | language: fr
      |           ^^
      = help: there are: `zh`, `en`
    conf/p.yaml:5:11: there is no time zone `Shanghai`
      |
    5 | timezone: Shanghai
      |           ^^^^^^^^
    conf/p.yaml:6:8: a pipeline without a sink keeps nothing
      |
    6 | sinks: []
      |        ^
    ");
    insta::assert_snapshot!(answer("pipeline: 项目\nrecord: none.yaml\nsource: {folders: {}}\nsinks: [jsonl]\n", RECORD), @"
    conf/p.yaml:1:11: `项目` cannot be used as a name: a name has 1 to 64 lower-case letters, digits, `_` or `-`
      |
    1 | pipeline: 项目
      |           ^^^^
    conf/p.yaml:2:9: cannot read `conf/none.yaml`: entity not found
      |
    2 | record: none.yaml
      |         ^^^^^^^^^
    conf/p.yaml:3:10: there is no source `folders`
      |
    3 | source: {folders: {}}
      |          ^^^^^^^
      = help: did you mean `folder`?
    ");
}

#[test]
fn text_that_is_not_yaml() {
    insta::assert_snapshot!(said("stages: [{validate: {}]\n"), @"
    conf/p.yaml:4:10: this is not YAML: mismatched bracket '{' closed by ']'
      |
    4 | stages: [{validate: {}]
      |          ^
    ");
    insta::assert_snapshot!(said("sinks:\n\t- register\n"), @"
    conf/p.yaml:5:2: this line is indented with a tab
      |
    5 |  - register
      |  ^
      = help: indent with spaces
    ");
    insta::assert_snapshot!(said("sinks: [register]\nsource: {folder: {path: 2}}\n"), @"
    conf/p.yaml:5:1: the key `source` stands here twice
      |
    5 | source: {folder: {path: 2}}
      | ^^^^^^
    ");
    insta::assert_snapshot!(said("sinks:\n  - jsonl: {}\n   - register\n"), @"
    conf/p.yaml:6:4: this is not YAML: while parsing a block collection, did not find expected '-' indicator
      |
    6 |    - register
      |    ^
    ");
    insta::assert_snapshot!(said("sinks: *nowhere\n"), @"
    conf/p.yaml:4:8: this is not YAML: alias references unknown anchor
      |
    4 | sinks: *nowhere
      |        ^
    ");
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", "));
    }
    insta::assert_snapshot!(said(&bomb), @"
    conf/p.yaml:4:34: the aliases (`*name`) of this file unfold to too much
      |
    4 | a0: &a0 [x, x, x, x, x, x, x, x, x]
      |                                  ^
    ");
    insta::assert_snapshot!(said(&format!("stages: {}{}\n", "[".repeat(100), "]".repeat(100))), @"
    conf/p.yaml:4:57: this is nested too deeply
      |
    4 | stages: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
      |                                                         ^
    ");
    insta::assert_snapshot!(said(&format!("# {}", "x".repeat(1 << 20))), @"
    conf/p.yaml:1:1: the file is larger than 1048576 bytes, the most a configuration file may have
      |
    1 | pipeline: p
      | ^
    ");
    insta::assert_snapshot!(said("sinks: [register]\n---\nmore: true\n"), @"
    conf/p.yaml:6:1: a configuration file holds one document only
      |
    6 | more: true
      | ^
    ");
    insta::assert_snapshot!(said("sinks: [18446744073709551615]\n"), @"
    conf/p.yaml:4:9: there is no sink `18446744073709551615`
      |
    4 | sinks: [18446744073709551615]
      |         ^^^^^^^^^^^^^^^^^^^^
      = help: there are: `jsonl`, `postgres`, `register`
    ");
}

#[test]
fn stages() {
    insta::assert_snapshot!(said("stages:\n  - validat: {}\nsinks: [register]\n"), @"
    conf/p.yaml:5:5: there is no stage `validat`
      |
    5 |   - validat: {}
      |     ^^^^^^^
      = help: did you mean `validate`?
    ");
    insta::assert_snapshot!(said("stages:\n  - validate: {}\n    rules: []\nsinks: [register]\n"), @"
    conf/p.yaml:6:5: a stage is a mapping with one key, its kind; `rules` is a second one
      |
    6 |     rules: []
      |     ^^^^^
      = help: indent it further if it is an option of `validate`
    ");
    insta::assert_snapshot!(said("stages: {validate: {}}\nsinks: [register]\n"), @"
    conf/p.yaml:4:9: a list of stages is needed here, this is a mapping
      |
    4 | stages: {validate: {}}
      |         ^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(said("stages: [validate, validate]\nsinks: [register]\n"), @"
    conf/p.yaml:4:20: two stages are named `validate`: state and refused rows carry the name
      |
    4 | stages: [validate, validate]
      |                    ^^^^^^^^
      = help: give one a name: `{use: validate, name: …, with: {…}}`
    ");
    insta::assert_snapshot!(said("stages:\n  - {use: validate, nam: v2}\nsinks: [register]\n"), @"
    conf/p.yaml:5:21: unknown key `nam`
      |
    5 |   - {use: validate, nam: v2}
      |                     ^^^
      = help: did you mean `name`?
    ");
    insta::assert_snapshot!(said("stages:\n  - validate:\n      rule: []\nsinks: [register]\n"), @"
    conf/p.yaml:6:7: unknown key `rule`
      |
    6 |       rule: []
      |       ^^^^
      = help: did you mean `rules`?
    ");
    insta::assert_snapshot!(said("stages:\n  - validate:\n      rules:\n        - {check: 1 = 1}\nsinks: [register]\n"), @"
    conf/p.yaml:7:11: the key `id` is missing
      |
    7 |         - {check: 1 = 1}
      |           ^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(said("stages:\n  - validate:\n      rules:\n        - {id: 7, check: 1 = 1}\nsinks: [register]\n"), @"
    conf/p.yaml:7:16: a text is needed here, not integer `7`
      |
    7 |         - {id: 7, check: 1 = 1}
      |                ^
      = help: put it in quotes
    ");
    insta::assert_snapshot!(said("stages:\n  - validate: {severity: eror}\nsinks: [register]\n"), @"
    conf/p.yaml:5:26: `eror` is not known here
      |
    5 |   - validate: {severity: eror}
      |                          ^^^^
      = help: did you mean `error`?
    ");
    insta::assert_snapshot!(said("stages: [lose]\nsinks: [register]\n"), @"
    conf/p.yaml:4:10: stage `lose` does not give the column `_row` (Int64) on, which every batch has
      |
    4 | stages: [lose]
      |          ^^^^
    ");
}

#[test]
fn expressions_in_stages() {
    insta::assert_snapshot!(said("\
stages:
  - validate:
      rules:
        - id: a
          check: completed_investment <= total_invesment
        - {id: b, check: 'total_investment >'}
        - {id: c, check: project_name > 5}
        - {id: d, check: 'sum(total_investment) > 1'}
        - {id: e, check: start_date >= '2024-01-01'}
sinks: [register]
"), @"
    conf/p.yaml:8:42: there is no column `total_invesment` here
      |
    8 |           check: completed_investment <= total_invesment
      |                                          ^^^^^^^^^^^^^^^
      = help: did you mean `total_investment`?
    conf/p.yaml:9:26: this is not an expression: expected an expression, found EOF
      |
    9 |         - {id: b, check: 'total_investment >'}
      |                          ^^^^^^^^^^^^^^^^^^^^
    conf/p.yaml:10:26: cannot be compared: `project_name` is text, `5` is a number; `try_cast(project_name as double)` reads a number
       |
    10 |         - {id: c, check: project_name > 5}
       |                          ^^^^^^^^^^^^^^^^
    conf/p.yaml:11:26: `sum` looks at many rows; an expression sees one
       |
    11 |         - {id: d, check: 'sum(total_investment) > 1'}
       |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn after_a_stage_that_cannot_be_opened_only_what_is_certain_is_told() {
    insta::assert_snapshot!(said("\
stages:
  - score: {column: share, value: project_name / 2}
  - validate:
      rules:
        - {id: a, check: share < 1}
        - {id: b, check: project_name > 1}
sinks:
  - postgres: {url: '${env:DATABASE_URL}', table: t, key: share}
"), @"
    conf/p.yaml:5:35: `/` needs a number on both sides: `project_name` is text
      |
    5 |   - score: {column: share, value: project_name / 2}
      |                                   ^^^^^^^^^^^^^^^^
    conf/p.yaml:9:26: cannot be compared: `project_name` is text, `1` is a number; `try_cast(project_name as double)` reads a number
      |
    9 |         - {id: b, check: project_name > 1}
      |                          ^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn sources_sinks_receipts_and_tables() {
    insta::assert_snapshot!(said("sinks:\n  - jsonn: {}\n  - excel: {}\n"), @"
    conf/p.yaml:5:5: there is no sink `jsonn`
      |
    5 |   - jsonn: {}
      |     ^^^^^
      = help: did you mean `jsonl`?
    conf/p.yaml:6:5: there is no sink `excel`
      |
    6 |   - excel: {}
      |     ^^^^^
      = help: there are: `jsonl`, `postgres`, `register`
    ");
    insta::assert_snapshot!(said("sinks:\n  - register: {path: out}\n"), @"
    conf/p.yaml:5:16: unknown key `path`
      |
    5 |   - register: {path: out}
      |                ^^^^
    ");
    insta::assert_snapshot!(said("sinks:\n  - postgres: {url: 5, tabel: x}\n"), @"
    conf/p.yaml:5:21: a text is needed here, this is the number `5`
      |
    5 |   - postgres: {url: 5, tabel: x}
      |                     ^
      = help: put it in quotes
    conf/p.yaml:5:24: unknown key `tabel`
      |
    5 |   - postgres: {url: 5, tabel: x}
      |                        ^^^^^
      = help: did you mean `table`?
    ");
    insta::assert_snapshot!(said("sinks:\n  - postgres: {url: '${env:DB}', table: x}\n"), @"
    conf/p.yaml:5:21: the environment variable `DB` is not set
      |
    5 |   - postgres: {url: '${env:DB}', table: x}
      |                     ^^^^^^^^^^^
    ");
    insta::assert_snapshot!(said("sinks:\n  - postgres: {url: '${env:WRONG_URL}', table: '${file:none}'}\n"), @"
    conf/p.yaml:5:21: `${env:WRONG_URL}` is not the address of a database
      |
    5 |   - postgres: {url: '${env:WRONG_URL}', table: '${file:none}'}
      |                     ^^^^^^^^^^^^^^^^^^
    conf/p.yaml:5:48: cannot read `conf/none`: entity not found
      |
    5 |   - postgres: {url: '${env:WRONG_URL}', table: '${file:none}'}
      |                                                ^^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(said("sinks:\n  - postgres: {url: '${env:WRONG_URL}', table: t}\n"), @"
    conf/p.yaml:5:21: `${env:WRONG_URL}` is not the address of a database
      |
    5 |   - postgres: {url: '${env:WRONG_URL}', table: t}
      |                     ^^^^^^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(said("sinks:\n  - jsonl: {name: out}\n  - register: {name: out}\n"), @"
    conf/p.yaml:6:22: two sinks are named `out`: each keeps its progress under its name
      |
    6 |   - register: {name: out}
      |                      ^^^
    ");
    insta::assert_snapshot!(said("sinks: [register]\nreceipts: {xlsx: yes, findings: -1}\n"), @"
    conf/p.yaml:5:18: `true` or `false` is needed here, this is the text `yes`
      |
    5 | receipts: {xlsx: yes, findings: -1}
      |                  ^^^
      = help: did you mean `true`?
    conf/p.yaml:5:33: a whole number of 0 or more is needed here, this is the number `-1`
      |
    5 | receipts: {xlsx: yes, findings: -1}
      |                                 ^^
    ");
    insta::assert_snapshot!(said("sinks: [register]\nreceipts: xlsx\ntables: {holidays: {cvs: a}}\nformat: {header: 1}\n"), @"
    conf/p.yaml:5:11: `xlsx` is not known here: `json`, or a mapping
      |
    5 | receipts: xlsx
      |           ^^^^
      = help: `json` stands for the JSON receipt alone
    conf/p.yaml:6:21: unknown key `cvs`
      |
    6 | tables: {holidays: {cvs: a}}
      |                     ^^^
      = help: did you mean `csv`?
    conf/p.yaml:7:18: `true` or `false` is needed here, this is the number `1`
      |
    7 | format: {header: 1}
      |                  ^
    ");
    insta::assert_snapshot!(answer("pipeline: p\nrecord: record.yaml\nsource: {folder: {}, http: {}}\nsinks: [register]\n", RECORD), @"
    conf/p.yaml:3:22: a source is a mapping with one key, its kind; `http` is a second one
      |
    3 | source: {folder: {}, http: {}}
      |                      ^^^^
      = help: indent it further if it is an option of `folder`
    ");
    insta::assert_snapshot!(answer("pipeline: p\nrecord: record.yaml\nsource: {folder: {include: '*.csv'}}\nsinks: [register]\n", RECORD), @"
    conf/p.yaml:3:18: the key `path` is missing
      |
    3 | source: {folder: {include: '*.csv'}}
      |                  ^^^^^^^^^^^^^^^^^
    conf/p.yaml:3:28: a list is needed here, this is the text `*.csv`
      |
    3 | source: {folder: {include: '*.csv'}}
      |                            ^^^^^^^
    ");
}

#[test]
fn record_schemas() {
    insta::assert_snapshot!(said_of_fields("  - {name: a, requird: true}\n  - {name: b, type: monney}\n  - {type: text}\n"), @"
    conf/record.yaml:3:15: unknown key `requird`
      |
    3 |   - {name: a, requird: true}
      |               ^^^^^^^
      = help: did you mean `required`?
    conf/record.yaml:4:21: `monney` is not known here
      |
    4 |   - {name: b, type: monney}
      |                     ^^^^^^
      = help: did you mean `money`?
    conf/record.yaml:5:5: the key `name` is missing
      |
    5 |   - {type: text}
      |     ^^^^^^^^^^^
    ");
    insta::assert_snapshot!(said_of_fields("  - {name: a, required: yes}\n  - {name: 2}\n  - name: [x]\n"), @"
    conf/record.yaml:3:25: `true` or `false` is needed here, this is the text `yes`
      |
    3 |   - {name: a, required: yes}
      |                         ^^^
      = help: did you mean `true`?
    conf/record.yaml:4:12: a text is needed here, this is the number `2`
      |
    4 |   - {name: 2}
      |            ^
      = help: put it in quotes
    conf/record.yaml:5:11: a text is needed here, this is a list
      |
    5 |   - name: [x]
      |           ^^
    ");
    insta::assert_snapshot!(said_of_fields("  - {name: Total}\n  - {name: _row}\n  - {name: a}\n  - {name: a}\n"), @"
    conf/record.yaml:3:12: `Total` is not a field name: it begins with a letter; lower-case letters, digits and `_` follow; at most 63 characters
      |
    3 |   - {name: Total}
      |            ^^^^^
    conf/record.yaml:4:12: `_row` is not a field name: it begins with a letter; lower-case letters, digits and `_` follow; at most 63 characters
      |
    4 |   - {name: _row}
      |            ^^^^
    conf/record.yaml:6:12: two fields are named `a`
      |
    6 |   - {name: a}
      |            ^
    ");
    insta::assert_snapshot!(said_of_fields("  - {name: a, type: money, min: 10, max: 1}\n  - {name: b, min: 1}\n  - {name: c, min_length: 3, max_length: 2}\n"), @"
    conf/record.yaml:3:33: `min` (10) is greater than `max` (1): no value can pass
      |
    3 |   - {name: a, type: money, min: 10, max: 1}
      |                                 ^^
    conf/record.yaml:4:15: `min` means nothing for a field of type `text`
      |
    4 |   - {name: b, min: 1}
      |               ^^^
    conf/record.yaml:5:27: `min_length` (3) is greater than `max_length` (2): no value can pass
      |
    5 |   - {name: c, min_length: 3, max_length: 2}
      |                           ^
    ");
    insta::assert_snapshot!(said_of_fields("  - {name: a, pattern: '[0-9'}\n"), @"
    conf/record.yaml:3:24: `pattern` is not a regular expression: unclosed character class
      |
    3 |   - {name: a, pattern: '[0-9'}
      |                        ^^^^^^
    ");
    insta::assert_snapshot!(said_of_fields("  - {name: a, label: 总投资}\n  - {name: b, aliases: [投资, 总投资]}\n"), @"
    conf/record.yaml:4:29: the header `总投资` names field `a` already
      |
    4 |   - {name: b, aliases: [投资, 总投资]}
      |                               ^^^^^^
    ");
    insta::assert_snapshot!(said_of_fields("  - {name: a, name: b}\n"), @"
    conf/record.yaml:3:15: the key `name` stands here twice
      |
    3 |   - {name: a, name: b}
      |               ^^^^
    ");
    insta::assert_snapshot!(said_of_fields("  a: text\n"), @"
    conf/record.yaml:3:3: a list of fields is needed here, this is a mapping
      |
    3 |   a: text
      |   ^^^^^^^
    ");
    insta::assert_snapshot!(answer("pipeline: p\nrecord: {fields: []}\nsource: {folder: {path: x}}\nsinks: [register]\n", ""), @"
    conf/p.yaml:2:9: the key `record` is missing or empty
      |
    2 | record: {fields: []}
      |         ^^^^^^^^^^
    conf/p.yaml:2:18: a record has at least one field
      |
    2 | record: {fields: []}
      |                  ^
    ");
}

#[test]
fn two_errors_in_two_files_are_told_at_once() {
    let yaml = "pipeline: p\nrecord: record.yaml\nsource: {folder: {path: x, settle_secs: soon}}\nsinks: [registr]\n";
    insta::assert_snapshot!(answer(yaml, "record: r\nfields:\n  - {name: a, min: x}\n"), @"
    conf/p.yaml:3:41: a whole number is needed here, this is the text `soon`
      |
    3 | source: {folder: {path: x, settle_secs: soon}}
      |                                         ^^^^
    conf/p.yaml:4:9: there is no sink `registr`
      |
    4 | sinks: [registr]
      |         ^^^^^^^
      = help: did you mean `register`?
    conf/record.yaml:3:20: a number is needed here, this is the text `x`
      |
    3 |   - {name: a, min: x}
      |                    ^
    ");
}

#[test]
fn dollars_that_mean_nothing_to_us_are_left_alone() {
    let yaml = SOUND.replace("inbox/{department}", "$${env:X} ${1} $x ${");
    let (plan, problems) = try_plan(&yaml, RECORD);
    assert_eq!(problems, []);
    let source = plan.unwrap().source.1;
    assert_eq!(source.get("path").unwrap().as_str(), Some("${env:X} ${1} $x ${"));
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        answer(&text, &text);
    }

    #[test]
    fn no_damage_to_a_sound_file_panics(at in 0..SOUND.len(), put in "[-\\[\\]{}:,&*!|>'\"%@ \t\na一$]{0,3}", cut in 0usize..9) {
        let end = (at + cut).min(SOUND.len());
        let damaged = format!("{}{put}{}", &SOUND[..at], &SOUND[end..]);
        let (_, problems) = try_plan(&damaged, RECORD);
        for problem in problems {
            prop_assert!(problem.line == 0 || problem.line as usize <= damaged.lines().count().max(8) + 1);
            problem.render(true);
        }
    }
}
