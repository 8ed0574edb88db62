//! What `score` promises, seen from outside: options and rows in, scores, parts and findings out.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{Float64Type, SchemaRef};
use huiliu_pipeline::expression::{Functions, compile};
use huiliu_score::Score;
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{Field, Host, HostError, OpenStage, Opened, Outcome, RecordSchema, StageError, is_json};
use serde_json::{Value, json};

fn host() -> Arc<dyn Host> {
    let functions = Functions::new();
    let mut host = MemoryHost::default();
    host.compiler = Some(Box::new(move |sql, schema| {
        compile(sql, schema, &functions).map_err(|error| HostError(error.to_string()))
    }));
    Arc::new(host)
}

/// Fields as `name: type`.
fn schema(fields: &[(&str, &str)]) -> SchemaRef {
    let field = |(name, kind): &(&str, &str)| -> Field {
        serde_json::from_value(json!({"name": name, "type": kind})).unwrap()
    };
    let fields = fields.iter().map(field).collect();
    RecordSchema { record: "project".into(), label: String::new(), fields }.to_arrow()
}

/// Rows of texts, read into the schema's types. `_row` counts from 2.
fn batch(schema: &SchemaRef, rows: Value) -> RecordBatch {
    let rows: Vec<Vec<Value>> = serde_json::from_value(rows).unwrap();
    let columns = schema.fields.iter().enumerate().map(|(at, field)| -> ArrayRef {
        match field.name().as_str() {
            "_row" => Arc::new(Int64Array::from_iter_values(2..rows.len() as i64 + 2)),
            "_sheet" => Arc::new(StringArray::from(vec![""; rows.len()])),
            "_extra" => Arc::new(StringArray::from(vec![None::<&str>; rows.len()])),
            _ => {
                let texts: StringArray = rows.iter().map(|row| row[at].as_str()).collect();
                cast(&texts, field.data_type()).unwrap()
            }
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

fn open(options: Value, schema: &SchemaRef) -> Result<Opened, StageError> {
    Score::open_json(&options.to_string(), schema.clone(), host())
}

fn run(options: Value, batch: RecordBatch) -> Outcome {
    let mut opened = open(options, &batch.schema()).unwrap();
    let outcome = opened.stage.process(batch).unwrap();
    assert_eq!(outcome.batch.schema().fields, opened.output.fields, "what was planned is what comes");
    outcome
}

fn numbers(outcome: &Outcome, column: &str) -> Vec<Option<f64>> {
    outcome.batch.column_by_name(column).unwrap().as_primitive::<Float64Type>().iter().collect()
}

fn parts(outcome: &Outcome, row: usize) -> Value {
    let column = outcome.batch.column_by_name("score_parts").unwrap().as_string::<i32>();
    serde_json::from_str(column.value(row)).unwrap()
}

/// Findings as `row severity code field`.
fn told(outcome: &Outcome) -> Vec<String> {
    let line = |f: &huiliu_stage::Finding| {
        let field = f.field.as_deref().unwrap_or("-");
        format!("{} {} {} {field}", f.row.unwrap(), f.severity.as_str(), f.code)
    };
    outcome.findings.iter().map(line).collect()
}

/// Profile `tuanfeng` of the published review tables: the weights are the most of each dimension.
fn tuanfeng() -> Value {
    let graded = |name: &str, weight: u32, value: &str| json!({"name": name, "weight": weight, "value": value, "list": {"优": 1, "良": 0.6, "差": 0}});
    json!({
        "dimensions": [
            {"name": "产业类别", "value": "kind", "list": {"鼓励": 5, "允许": 3}, "otherwise": 0},
            {"name": "科技水平", "value": "high_tech", "yes": 5, "no": 2},
            {"name": "投资规模", "weight": 17, "value": "total / 10000", "linear": {"full": 10}},
            {"name": "投资强度", "value": "per_mu", "steps": [{"from": 150, "points": 8}, {"from": 300, "points": 17}]},
            graded("投资主体", 10, "owner"),
            {"name": "环境影响", "weight": 5, "value": "energy", "linear": {"from": 1.5, "full": 0.5}},
            graded("安全生产", 5, "safety"),
            graded("土地利用", 10, "land"),
            graded("规划设计", 5, "plan"),
            {"name": "税收贡献", "points": "16 * least(tax_per_mu / 30, 1)", "most": 16},
            {"name": "就业安置", "weight": 5, "value": "jobs", "linear": {"full": 200}},
        ],
        "veto": [
            {"name": "banned", "when": "kind = '禁止' OR safety = '不合格'", "message": "禁止类产业一票否决"},
        ],
        "decimals": 2,
    })
}

fn review() -> SchemaRef {
    schema(&[
        ("kind", "text"),
        ("high_tech", "boolean"),
        ("total", "money"),
        ("per_mu", "number"),
        ("owner", "text"),
        ("energy", "number"),
        ("safety", "text"),
        ("land", "text"),
        ("plan", "text"),
        ("tax_per_mu", "money"),
        ("jobs", "integer"),
    ])
}

#[test]
fn the_published_weights_make_a_score_of_100_and_everything_between() {
    let schema = review();
    // A row and its score, added up by hand.
    let table = [
        (json!(["鼓励", "true", "100000", "300", "优", "0.5", "优", "优", "优", "30", "200"]), 100.0),
        (json!(["鼓励", "true", "900000", "999", "优", "0.1", "优", "优", "优", "99", "999"]), 100.0),
        // 3 + 2 + 8.5 + 8 + 6 + 2.5 + 3 + 6 + 3 + 8 + 2.5
        (json!(["允许", "false", "50000", "299.9", "良", "1", "良", "良", "良", "15", "100"]), 52.5),
        (json!(["限制", "false", "0", "149", "差", "9", "差", "差", "差", "0", "0"]), 2.0),
        // A veto that holds makes it 0.
        (json!(["禁止", "true", "100000", "300", "优", "0.5", "优", "优", "优", "30", "200"]), 0.0),
    ];
    let rows = Value::from_iter(table.iter().map(|(row, _)| row.clone()));
    let outcome = run(tuanfeng(), batch(&schema, rows));
    let expected: Vec<_> = table.iter().map(|(_, score)| Some(*score)).collect();
    assert_eq!(numbers(&outcome, "score"), expected);
    assert_eq!(numbers(&outcome, "score_coverage"), [Some(1.0); 5]);
    assert_eq!(told(&outcome), ["6 warning banned kind"]);
    let vetoes = outcome.batch.column_by_name("vetoes").unwrap().as_list::<i32>();
    let lengths: Vec<usize> = (0..5).map(|row| vetoes.value(row).len()).collect();
    assert_eq!(lengths, [0, 0, 0, 0, 1]);
    let shown = parts(&outcome, 2);
    assert_eq!(
        shown["dimensions"]["投资规模"],
        json!({"value": 5, "points": 0.5, "weight": 17, "part": 8.5})
    );
    assert_eq!(shown["dimensions"]["科技水平"], json!({"value": false, "points": 2, "weight": 1, "part": 2}));
    assert_eq!(shown["vetoes"], json!({"banned": "no"}));
    assert!(is_json(outcome.batch.schema().field_with_name("score_parts").unwrap()));
}

#[test]
fn what_is_missing_is_unscored_and_told_and_never_0() {
    let schema = review();
    let rows = json!([
        // No amount, no tax, and a grade that the list lacks: 17 + 16 + 10 of 100 cannot be judged.
        ["鼓励", "true", null, "300", "优", "0.5", "优", "中", "优", null, "200"],
        // A true part decides a veto, whatever the other is; without one it stays open.
        [null, "true", "100000", "300", "优", "0.5", "不合格", "优", "优", "30", "200"],
        [null, null, null, null, null, null, null, null, null, null, null],
    ]);
    let check = |incomplete: &str, expected: [Option<f64>; 3]| {
        let mut options = tuanfeng();
        options["incomplete"] = json!(incomplete);
        let outcome = run(options, batch(&schema, rows.clone()));
        assert_eq!(numbers(&outcome, "score"), expected, "{incomplete}");
        outcome
    };
    // Row 3 fails in safety: `不合格` is in no list, so it is unscored, and the veto holds all the same.
    let outcome = check("sum", [Some(57.0), Some(0.0), None]);
    check("scale", [Some(100.0), Some(0.0), None]);
    check("none", [None, Some(0.0), None]);
    assert_eq!(numbers(&outcome, "score_coverage"), [Some(0.57), Some(0.9), Some(0.0)]);
    assert_eq!(
        told(&outcome)[..7],
        [
            "2 warning unscored total",
            "2 warning unscored land",
            "2 warning unscored tax_per_mu",
            "3 warning banned kind",
            "3 warning unscored kind",
            "3 warning unscored safety",
            "4 warning veto_undecided kind",
        ]
    );
    let shown = parts(&outcome, 0);
    // least(NULL, 1) is 1 for SQL: full points for a project that names no tax.
    assert_eq!(shown["dimensions"]["税收贡献"], json!({"weight": 1, "unscored": "tax_per_mu is missing"}));
    assert_eq!(
        shown["dimensions"]["土地利用"],
        json!({"value": "中", "weight": 10, "unscored": "`中` is not in the list"})
    );
    assert_eq!(parts(&outcome, 1)["vetoes"], json!({"banned": "yes"}));
    assert_eq!(parts(&outcome, 2)["vetoes"], json!({"banned": "undecided"}));
}

#[test]
fn the_benchmarks_expressions_give_its_scores_without_further_columns() {
    let schema = schema(&[("t", "number"), ("p", "number"), ("c", "number"), ("land", "number")]);
    let options = json!({
        "parts": false,
        "coverage": false,
        "dimensions": [
            {"name": "scale", "weight": 0.4, "points": "least(t / 10000, 10)"},
            {"name": "progress", "weight": 0.3, "points": "10 * c / t"},
            {"name": "plan", "weight": 0.2, "points": "least(10 * p / t, 10)"},
            {"name": "land", "weight": 0.1, "points": "least(t / greatest(land, 1) / 100, 10)"},
        ],
    });
    let rows =
        json!([["12345.67", "3000", "2500.5", "40.5"], ["0", "1", "1", "1"], ["5", "1", "coalesced", "0"]]);
    let outcome = run(options, batch(&schema, rows));
    let (t, p, c, land) = (12345.67_f64, 3000.0, 2500.5, 40.5_f64);
    let by_hand = 0.4 * (t / 1e4).min(10.0)
        + 0.3 * 10.0 * c / t
        + 0.2 * (10.0 * p / t).min(10.0)
        + 0.1 * (t / land.max(1.0) / 100.0).min(10.0);
    let found = numbers(&outcome, "score");
    assert_eq!(found[0], Some((by_hand * 1e4).round() / 1e4));
    // A division by zero is no score of infinity, and a missing value none of 0.
    assert!(outcome.findings.iter().any(|f| f.row == Some(3)), "{:?}", told(&outcome));
    assert_eq!(told(&outcome).last().unwrap(), "4 warning unscored c");
    assert_eq!(outcome.batch.num_columns(), schema.fields.len() + 1);
}

#[test]
fn a_column_of_the_right_type_is_filled_in_place() {
    let schema = schema(&[("review_score", "number"), ("a", "integer")]);
    let options = json!({"output": "review_score", "parts": false, "coverage": false,
        "dimensions": [{"name": "a", "value": "coalesce(a, 3)", "linear": {"full": 10, "points": 10}}]});
    let outcome = run(options, batch(&schema, json!([["99", "4"], [null, null]])));
    assert_eq!(outcome.batch.schema(), schema);
    assert_eq!(
        numbers(&outcome, "review_score"),
        [Some(4.0), Some(3.0)],
        "an expression may fill in what is missing"
    );
    assert!(outcome.findings.is_empty());
}

#[test]
fn all_mistakes_in_the_options_are_told_at_once_with_their_paths() {
    let schema = schema(&[("name", "text"), ("n", "number"), ("b", "boolean"), ("score", "text")]);
    let options = json!({
        "decimals": 40,
        "vetoes": "score_parts",
        "incomplete": "scale",
        "dimensions": [
            {"name": "a", "value": "nn", "linear": {"full": 1}},
            {"name": "a", "value": "name", "linear": {"full": 1}},
            {"name": "b", "value": "n"},
            {"name": "c", "value": "n", "linear": {"full": 1}, "yes": 1},
            {"name": "d", "value": "n", "steps": [{"from": 2, "points": 1}, {"from": 1, "points": 2}]},
            {"name": "e", "value": "n", "linear": {"from": 3, "full": 3}},
            {"name": "f", "points": "n", "weight": 0},
            {"name": "g", "value": "b", "list": {"x": 1}},
            {"name": "", "value": "n", "yes": 1, "otherwise": 3},
        ],
        "veto": [{"name": "v", "when": "n"}],
    });
    let error = open(options, &schema).err().unwrap();
    let paths: Vec<&str> = error.problems.iter().map(|p| p.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "dimensions[1].name",
            "dimensions[8].name",
            "decimals",
            "dimensions[0].value",
            "dimensions[1].value",
            "dimensions[2]",
            "dimensions[3]",
            "dimensions[4].steps",
            "dimensions[5].linear",
            "dimensions[6].weight",
            "dimensions[7].value",
            "dimensions[8].otherwise",
            "veto[0].when",
            "dimensions[6].most",
            "output",
            "vetoes",
        ],
        "{error}"
    );
}

#[test]
fn the_options_are_described_in_json_schema() {
    let described = Score::info().options;
    let properties = described["properties"].as_object().unwrap();
    // An option that is described but not known would be refused by its name.
    for (name, schema) in properties {
        assert!(schema["description"].is_string(), "{name}");
        let error = serde_json::from_value::<<Score as OpenStage>::Options>(json!({ name: {"no": "such"} }));
        let error = error.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(!error.contains(&format!("unknown field `{name}`")), "{error}");
    }
}
