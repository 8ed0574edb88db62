//! What `classify` promises, seen from outside: options and rows in, matters and findings out.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field as ArrowField, Int64Type, Schema, SchemaRef};
use huiliu_classify::Classify;
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{Field, OpenStage, Opened, Outcome, RecordSchema, StageError};
use serde_json::{Value, json};

fn types() -> RecordBatch {
    let column = |name: &str, texts: [&str; 4]| -> (ArrowField, ArrayRef) {
        (ArrowField::new(name, DataType::Utf8, true), Arc::new(StringArray::from(texts.to_vec())))
    };
    let (fields, columns): (Vec<_>, Vec<_>) = [
        column("code", ["land", "power", "fund", "other"]),
        column("zh", ["用地", "用电", "资金", "其他"]),
        column("keywords", ["征地 拆迁 土地指标", "用电 电力 临时用电", "资金 融资", ""]),
        column("usual_department", ["自然资源和规划局", "供电公司", "财政局", ""]),
    ]
    .into_iter()
    .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn batch(rows: &[(&str, Option<&str>, Option<&str>)]) -> RecordBatch {
    let fields =
        ["name", "issues", "remarks"].map(|name| Field { name: name.to_owned(), ..Field::default() });
    let schema = RecordSchema { record: "p".into(), label: String::new(), fields: fields.into() }.to_arrow();
    let columns = schema.fields.iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "_row" => Arc::new(Int64Array::from_iter_values(2..rows.len() as i64 + 2)),
            "_sheet" => Arc::new(StringArray::from(vec![""; rows.len()])),
            "name" => Arc::new(rows.iter().map(|row| Some(row.0)).collect::<StringArray>()),
            "issues" => Arc::new(rows.iter().map(|row| row.1).collect::<StringArray>()),
            "remarks" => Arc::new(rows.iter().map(|row| row.2).collect::<StringArray>()),
            _ => Arc::new(StringArray::from(vec![None::<&str>; rows.len()])),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

fn open(options: &Value, schema: &SchemaRef) -> Result<Opened, StageError> {
    let mut host = MemoryHost::default();
    host.tables.insert("issue_types".to_owned(), types());
    Classify::open_json(&options.to_string(), schema.clone(), Arc::new(host))
}

fn run(options: Value, batch: RecordBatch) -> Outcome {
    let mut opened = open(&options, &batch.schema()).unwrap();
    let outcome = opened.stage.process(batch).unwrap();
    assert_eq!(outcome.batch.schema(), opened.output, "what was planned is what comes");
    outcome
}

/// Rows as `row kind state text`.
fn lines(outcome: &Outcome) -> Vec<String> {
    let text = |name: &str, at: usize| {
        outcome.batch.column_by_name(name).unwrap().as_string::<i32>().value(at).to_owned()
    };
    let rows = outcome.batch.column_by_name("_row").unwrap().as_primitive::<Int64Type>();
    let line = |at| {
        format!(
            "{} {} {} {}",
            rows.value(at),
            text("issue_type", at),
            text("issue_state", at),
            text("issue_text", at)
        )
    };
    (0..outcome.batch.num_rows()).map(line).collect()
}

fn options() -> Value {
    json!({"text": ["issues", "remarks"], "kinds": {"table": "issue_types", "copy": {"lead": "usual_department"}}})
}

#[test]
fn a_row_comes_out_once_for_each_matter_with_its_kind_and_state() {
    let outcome = run(
        options(),
        batch(&[
            ("甲", Some("1.征地未完成；2.临时用电已解决"), Some("资金缺口3.5亿元")),
            ("乙", Some("暂无"), None),
            ("丙", Some("征地未完成"), Some("征地未完成")),
            ("丁", Some("主体结构封顶"), Some("/")),
        ]),
    );
    assert_eq!(
        lines(&outcome),
        [
            "2 land open 征地未完成",
            "2 power closed 临时用电已解决",
            "2 fund open 资金缺口3.5亿元",
            "4 land open 征地未完成",
            "5 other open 主体结构封顶",
        ]
    );
    let told: Vec<_> = outcome.findings.iter().map(|f| (f.row, f.code.as_str(), f.fate.as_str())).collect();
    assert_eq!(told, [(Some(3), "no-matter", "dropped")]);
    let leads = outcome.batch.column_by_name("lead").unwrap().as_string::<i32>();
    assert_eq!((leads.value(1), leads.is_null(4)), ("供电公司", true));
}

#[test]
fn the_kind_of_which_more_is_told_is_meant_and_of_equals_the_one_told_first() {
    let options = json!({
        "text": ["issues"],
        "kinds": [
            {"code": "a", "keywords": ["资金"]},
            {"code": "b", "keywords": ["用电", "变电站"]},
            {"code": "c", "keywords": ["征地"]},
        ],
        "other": {"code": "rest"},
        "states": {},
    });
    let matters = [
        ("甲", Some("资金和变电站"), None),
        ("乙", Some("征地资金"), None),
        ("丙", Some("天气已解决"), None),
    ];
    let outcome = run(options, batch(&matters));
    assert_eq!(lines(&outcome), ["2 b open 资金和变电站", "3 c open 征地资金", "4 rest open 天气已解决"]);
}

#[test]
fn a_kind_that_was_open_goes_on_while_it_is_told_and_is_over_when_it_is_not() {
    let mut options = options();
    options["text"] = json!(["issues"]);
    options["known"] = json!("remarks");
    let outcome = run(
        options,
        batch(&[
            ("甲", Some("1.征地未完成；2.土地指标已落实；3.临时用电已解决"), Some("land@2026-03-02")),
            ("乙", Some("无"), Some("power@2026-04-07")),
            ("丙", None, Some("quota")),
            ("丁", Some("征地未完成；融资未落实"), Some(" ")),
            ("戊", None, None),
        ]),
    );
    assert_eq!(
        lines(&outcome),
        [
            "2 land open 征地未完成；土地指标已落实",
            "2 power closed 临时用电已解决",
            "3 power closed ",
            "4 quota closed ",
            "5 land open 征地未完成",
            "5 fund open 融资未落实",
        ]
    );
    let since = outcome.batch.column_by_name("issue_since").unwrap().as_string::<i32>();
    let since: Vec<_> = since.iter().collect();
    assert_eq!(since, [Some("2026-03-02"), None, Some("2026-04-07"), None, None, None]);
    let told: Vec<_> = outcome.findings.iter().map(|f| (f.row, f.code.as_str())).collect();
    assert_eq!(told, [(Some(6), "no-matter")], "only who tells of nothing and had nothing is left out");
}

#[test]
fn what_cannot_work_is_refused_or_told() {
    let schema = batch(&[]).schema();
    for (options, path) in [
        (json!({"text": [], "kinds": []}), "text"),
        (json!({"text": ["nothing"], "kinds": []}), "text[0]"),
        (json!({"text": ["issues"], "kinds": [], "known": "nothing"}), "known"),
        (json!({"text": ["_row"], "kinds": []}), "text[0]"),
        (json!({"text": ["issues"], "kinds": [], "output": {"kind": "name"}}), "output.kind"),
        (
            json!({"text": ["issues"], "kinds": {"table": "t", "copy": {"issue_type": "x"}}}),
            "kinds.copy.issue_type",
        ),
    ] {
        let Err(error) = open(&options, &schema) else { panic!("{options} was taken") };
        assert!(error.problems.iter().any(|problem| problem.path == path), "{error:?}");
    }
    let options = json!({"text": ["issues"], "kinds": {"table": "issue_types", "keywords": "words"}});
    let mut opened = open(&options, &schema).unwrap();
    let error = opened.stage.process(batch(&[("甲", Some("征地"), None)])).unwrap_err();
    assert!(error.to_string().contains("has no column `words`; there are `code`"), "{error}");
}
