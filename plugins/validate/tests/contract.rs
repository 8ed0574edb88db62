//! What `validate` promises, seen from outside: options and rows in, rows and findings out.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use huiliu_pipeline::expression::{Functions, compile};
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{
    Field, FieldType, Host, HostError, OpenStage, Opened, Outcome, RecordSchema, StageError, UNREADABLE,
};
use huiliu_validate::Validate;
use serde_json::{Value, json};

fn host() -> Arc<dyn Host> {
    let functions = Functions::new();
    let mut host = MemoryHost::default();
    host.compiler = Some(Box::new(move |sql, schema| {
        compile(sql, schema, &functions).map_err(|error| HostError(error.to_string()))
    }));
    Arc::new(host)
}

/// A schema of fields as they stand in YAML, given as JSON.
fn schema(fields: Value) -> SchemaRef {
    let fields: Vec<Field> = serde_json::from_value(fields).unwrap();
    RecordSchema { record: "project".into(), label: String::new(), fields }.to_arrow()
}

/// Rows of texts (`null` is missing, a list is a list), read into the schema's types. `_row` counts from 2.
fn batch(schema: &SchemaRef, rows: Value) -> RecordBatch {
    let rows: Vec<Vec<Value>> = serde_json::from_value(rows).unwrap();
    let columns = schema.fields.iter().enumerate().map(|(at, field)| -> ArrayRef {
        match (field.name().as_str(), Field::of(field).map(|f| f.kind)) {
            ("_row", _) => Arc::new(Int64Array::from_iter_values(2..rows.len() as i64 + 2)),
            ("_sheet", _) => Arc::new(StringArray::from(vec![""; rows.len()])),
            (_, None) => Arc::new(StringArray::from(vec![None::<&str>; rows.len()])),
            (_, Some(FieldType::List)) => {
                let mut lists = ListBuilder::new(StringBuilder::new());
                for row in &rows {
                    let items = row[at].as_array();
                    items.into_iter().flatten().for_each(|item| lists.values().append_option(item.as_str()));
                    lists.append(items.is_some());
                }
                Arc::new(lists.finish())
            }
            _ => {
                let texts: StringArray = rows.iter().map(|row| row[at].as_str()).collect();
                cast(&texts, field.data_type()).unwrap()
            }
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

fn open(options: Value, schema: &SchemaRef) -> Result<Opened, StageError> {
    Validate::open_json(&options.to_string(), schema.clone(), host())
}

fn run(options: Value, batch: RecordBatch) -> Outcome {
    open(options, &batch.schema()).unwrap().stage.process(batch).unwrap()
}

/// Findings as `row severity code field`.
fn told(outcome: &Outcome) -> Vec<String> {
    let line = |f: &huiliu_stage::Finding| {
        let field = f.field.as_deref().unwrap_or("-");
        format!("{} {} {} {field}", f.row.unwrap(), f.severity.as_str(), f.code)
    };
    outcome.findings.iter().map(line).collect()
}

#[test]
fn each_constraint_finds_what_breaks_it_and_passes_over_what_is_missing() {
    // The field's constraint, values that keep it, values that break it, and the code.
    let table = [
        (json!({"type": "money", "min": 0.1}), json!(["0.1", "7", null]), json!(["0.0999", "-3"]), "min"),
        (json!({"type": "money", "max": 99.9999}), json!(["99.9999", null]), json!(["100"]), "max"),
        (json!({"type": "integer", "min": 0.5, "max": 2.5}), json!(["1", "2", null]), json!(["0"]), "min"),
        (
            json!({"type": "number", "max": 1}),
            json!(["1", "-1e300", null]),
            json!(["1.0000001", "NaN"]),
            "max",
        ),
        (json!({"min_length": 2}), json!(["湖塘", "abc", "", null]), json!(["湖", "a"]), "min_length"),
        (json!({"max_length": 2}), json!(["湖塘", "ab", "", null]), json!(["湖塘镇", "abc"]), "max_length"),
        (
            json!({"pattern": r"1[3-9]\d{9}"}),
            json!(["13812345678", "", null]),
            json!(["无", "138123456789"]),
            "pattern",
        ),
        (json!({"pattern": "[一-龥]+镇"}), json!(["湖塘镇", null]), json!(["湖塘", "x湖塘镇"]), "pattern"),
        (
            json!({"enum": ["湖塘镇", "横林镇"]}),
            json!(["湖塘镇", "横林镇", "", null]),
            json!(["湖塘", "横林镇 "]),
            "enum",
        ),
        (
            json!({"type": "list", "enum": ["532", "民生"]}),
            json!([["532"], ["民生", "532"], ["532", null], [], null]),
            json!([["532", "两湖"], ["民生 "]]),
            "enum",
        ),
    ];
    for (constraint, good, bad, code) in table {
        let mut field = constraint.clone();
        field["name"] = json!("x");
        let schema = schema(json!([field]));
        let rows = |values: &Value| Value::from_iter(values.as_array().unwrap().iter().map(|v| json!([v])));
        let kept = run(json!({}), batch(&schema, rows(&good)));
        assert_eq!(told(&kept), [""; 0], "{constraint}");
        let broken = run(json!({}), batch(&schema, rows(&bad)));
        let expected: Vec<String> =
            (0..bad.as_array().unwrap().len()).map(|i| format!("{} error {code} x", i + 2)).collect();
        assert_eq!(told(&broken), expected, "{constraint}");
    }
}

#[test]
fn a_missing_value_breaks_required_unless_the_reader_told_of_it() {
    let schema = schema(json!([
        {"name": "name", "required": true, "min_length": 2},
        {"name": "total", "type": "money", "required": true, "min": 0},
        {"name": "tags", "type": "list", "required": true},
    ]));
    let rows =
        json!([["湖塘项目", "1", ["532"]], [null, null, null], ["", "2", []], ["横林项目", null, ["532"]]]);
    let plain = batch(&schema, rows);
    let mut marked = Schema::clone(&plain.schema());
    // Row 5 held `待定` where an amount should stand: null, but not missing.
    marked.metadata.insert(UNREADABLE.to_owned(), r#"{"total": [5]}"#.to_owned());
    let marked = plain.with_schema(Arc::new(marked)).unwrap();
    let options = json!({"rules": [{"id": "positive", "check": "total > 0", "missing": "fail"}]});
    assert_eq!(
        told(&run(options, marked)),
        [
            "3 error required name",
            "3 error required total",
            "3 error required tags",
            "3 error positive total",
            "4 error required name",
            "4 error required tags",
        ]
    );
}

#[test]
fn no_missing_value_sneaks_through_a_rule() {
    let schema = schema(json!([
        {"name": "a", "type": "number"}, {"name": "b", "type": "number"}, {"name": "c", "type": "number"},
    ]));
    // Rows 2 to 6: all there and good; a missing; b missing; b missing where a and c suffice to fail; all missing.
    let rows =
        json!([["1", "2", "3"], [null, "2", "3"], ["1", null, "3"], ["9", null, "1"], [null, null, null]]);
    let order = "a <= b AND b <= c";
    // What SQL makes of a missing value, and what the rule makes of it.
    let table: [(&str, &str, Value, &[&str]); 14] = [
        (
            order,
            "report",
            json!({}),
            &["3 info unchecked a", "4 info unchecked b", "5 info unchecked b", "6 info unchecked a"],
        ),
        (order, "pass", json!({}), &[]),
        (order, "fail", json!({}), &["3 error r a", "4 error r a", "5 error r a", "6 error r a"]),
        (order, "sql", json!({}), &["3 error r a", "4 error r a", "5 error r a", "6 error r a"]),
        // NULL AND false is false for SQL: a row must not fail for a date it lacks.
        ("a <= c AND b < 0", "pass", json!({}), &["2 error r a"]),
        // NULL OR true is true for SQL: a row must not pass for want of a value.
        (
            "a = 1 OR b > 0",
            "report",
            json!({}),
            &["3 info unchecked a", "4 info unchecked b", "5 info unchecked b", "6 info unchecked a"],
        ),
        ("NOT (a > c)", "pass", json!({}), &["5 error r a"]),
        ("NOT (a > c)", "report", json!({}), &["3 info unchecked a", "5 error r a", "6 info unchecked a"]),
        // least() skips what is missing: SQL alone would judge by what is left.
        ("least(a, b) < 9", "fail", json!({}), &["3 error r a", "4 error r a", "5 error r a", "6 error r a"]),
        // What the check cannot do without may be said.
        ("a <= c OR b > 0", "fail", json!({"needs": ["a"]}), &["3 error r a", "5 error r a", "6 error r a"]),
        // A check that speaks of missing values decides itself, and null is no yes.
        ("a IS NOT NULL", "", json!({}), &["3 error r a", "6 error r a"]),
        ("a IS NULL OR b > 0", "", json!({}), &["4 error r a", "5 error r a"]),
        // Rows that are not meant are left alone; where that is open, so is the rule.
        (
            order,
            "report",
            json!({"when": "a < 5"}),
            &["3 info unchecked a", "4 info unchecked b", "6 info unchecked a"],
        ),
        (order, "sql", json!({"when": "a < 5"}), &["3 error r a", "4 error r a", "6 error r a"]),
    ];
    for (check, missing, more, expected) in table {
        let mut rule = json!({"id": "r", "check": check});
        if !missing.is_empty() {
            rule["missing"] = json!(missing);
        }
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let outcome = run(json!({"rules": [rule]}), batch(&schema, rows.clone()));
        assert_eq!(told(&outcome), expected, "{check} {missing} {more}");
        assert_eq!(outcome.batch, batch(&schema, rows.clone()), "rules change nothing");
    }
}

#[test]
fn a_row_that_cannot_be_computed_breaks_the_rule_alone() {
    let schema = schema(json!([{"name": "a", "type": "integer"}, {"name": "b", "type": "integer"}]));
    let rows = json!([["6", "2"], ["6", "0"], ["6", null], ["1", "9"]]);
    let options = json!({"rules": [{"id": "even", "check": "a % b = 0", "missing": "pass"}]});
    let outcome = run(options, batch(&schema, rows));
    assert_eq!(told(&outcome), ["3 error even a", "5 error even a"]);
    assert!(outcome.findings.0[0].message.zh.contains("无法计算"), "{:?}", outcome.findings.0[0]);
    assert!(!outcome.findings.0[1].message.zh.contains("无法计算"));
}

#[test]
fn codes_are_repaired_told_and_refused() {
    let schema = schema(json!([
        {"name": "code", "label": "项目代码", "required": true}, {"name": "owner", "label": "信用代码"},
    ]));
    let good = "2509-320193-89-01-544060";
    let uscc = "91350100M000100Y43";
    let rows = json!([
        [good, uscc],
        ["25093201938901544060", "91350100m000100y43"],
        ["2509-320193-89-01-544060-002", "91350211M0000XUF46"],
        ["2017-320402-91-01-549145", "91350100M000100Y44"],
        ["2509-320193-89-01-544061", "666666666666666666"],
        ["办理中", "9.14403E+17"],
        ["2509", null],
        [null, "9135O100M000100Y43"],
    ]);
    let options = json!({
        "checks": {
            "project_code": [{"field": "code", "suffix": "part"}],
            "uscc": [{"field": "owner", "allow": ["91350211M0000XUF46"]}],
        },
        "codes": {"project_code_old": "V02-old"},
        "severity": {"uscc_repaired": "off", "project_code_check": "error"},
    });
    let schema_of_output = open(options.clone(), &schema).unwrap().output;
    let outcome = run(options, batch(&schema, rows));
    assert_eq!(
        told(&outcome),
        [
            "3 info V02 code",
            "4 info V02 code",
            "5 warning V04 owner",
            "5 info V02-old code",
            "6 error V04 owner",
            "6 error V02 code",
            "7 error V04 owner",
            "7 info V02 code",
            "7 error required code",
            "8 error V02 code",
            "9 error V04 owner",
            "9 error required code",
        ]
    );
    let text = |name: &str| -> Vec<Option<String>> {
        let column = outcome.batch.column_by_name(name).unwrap().as_string::<i32>();
        column.iter().map(|t| t.map(str::to_owned)).collect()
    };
    assert_eq!(text("code")[..3], [Some(good.into()), Some(good.into()), Some(good.into())]);
    assert_eq!(text("code")[5], None, "a placeholder is no value");
    assert_eq!(text("owner")[..2], [Some(uscc.into()), Some(uscc.into())]);
    assert_eq!(text("owner")[7].as_deref(), Some("9135O100M000100Y43"), "nothing is guessed");
    assert_eq!(text("part")[1..3], [None, Some("002".into())]);
    assert_eq!(outcome.batch.schema().fields, schema_of_output.fields);
    let last = &outcome.findings.0[10];
    assert_eq!(
        last.message.zh,
        "信用代码中不应有“O”，是否应为“91350100M000100Y43”？请核对后更正（填写的是“9135O100M000100Y43”）"
    );
    assert_eq!(last.raw.as_deref(), Some("9135O100M000100Y43"));
}

#[test]
fn codes_severities_and_messages_go_to_the_closest_key() {
    let schema = schema(json!([
        {"name": "total", "label": "总投资", "type": "money", "unit": "万元", "required": true, "min": 1, "max": 9},
        {"name": "phone", "label": "电话", "required": true, "pattern": r"\d{11}", "personal": true},
    ]));
    let rows = json!([["0.5", "1"], ["10", null], [null, "12345678901"]]);
    let options = json!({
        "codes": {"required": "V01", "total": "V07", "phone.required": "phone", "phone": "phone"},
        "severity": {"total.max": "warning", "min": "off"},
        "messages": {"phone": {"zh": "请填写11位手机号", "en": "11 digits, please"}},
    });
    let outcome = run(options, batch(&schema, rows));
    assert_eq!(
        told(&outcome),
        ["2 error phone phone", "3 warning V07 total", "3 error phone phone", "4 error V01 total"]
    );
    let texts: Vec<&str> = outcome.findings.iter().map(|f| f.message.zh.as_str()).collect();
    assert_eq!(texts[0], "请填写11位手机号", "a personal value is not repeated");
    assert_eq!(texts[1], "总投资不能大于9万元，请核对数值和单位（填写的是“10”）");
    assert_eq!(texts[3], "总投资不能为空，请填写");
    assert_eq!(outcome.findings.0[0].raw, None);
}

#[test]
fn a_rule_tells_the_values_it_looked_at() {
    let schema = schema(json!([
        {"name": "done", "label": "累计完成投资", "type": "money"}, {"name": "total", "label": "总投资", "type": "money"},
    ]));
    let rule = json!({
        "id": "within-total", "check": "done <= total", "severity": "warning", "field": "total",
        "message": {"zh": "累计完成投资不能大于总投资", "en": "more was completed than planned"},
    });
    let outcome = run(json!({"rules": [rule]}), batch(&schema, json!([["120.5", "100"], ["1", "1"]])));
    let finding = &outcome.findings.0[0];
    assert_eq!(told(&outcome), ["2 warning within-total total"]);
    assert_eq!(finding.message.zh, "累计完成投资不能大于总投资（累计完成投资：120.5，总投资：100）");
    assert_eq!(finding.message.en, "more was completed than planned (done: 120.5, total: 100)");
    assert_eq!(finding.raw.as_deref(), Some("done=120.5; total=100"));
}

#[test]
fn all_mistakes_in_the_options_are_told_at_once_with_their_paths() {
    let schema = schema(json!([
        {"name": "name", "min": 3}, {"name": "total", "type": "money"}, {"name": "code", "pattern": "("},
    ]));
    let options = json!({
        "rules": [
            {"id": "a", "check": "totl > 0"},
            {"id": "a", "check": "total"},
            {"id": "b", "check": "1 = 1"},
            {"id": "c", "check": "total > 0", "field": "nobody", "needs": ["none"], "when": "name"},
        ],
        "checks": {"uscc": ["total", "nobody"], "project_code": [{"field": "code", "suffix": "name"}]},
        "codes": {"nam": "x", "name.colour": "y"},
    });
    let error = open(options, &schema).err().unwrap();
    let mut paths: Vec<&str> = error.problems.iter().map(|p| p.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "",
            "",
            "checks.project_code[0]",
            "checks.uscc[0]",
            "checks.uscc[1]",
            "codes.nam",
            "codes.name.colour",
            "rules[0].check",
            "rules[1].check",
            "rules[1].id",
            "rules[2].check",
            "rules[3].field",
            "rules[3].needs",
            "rules[3].when",
        ],
        "{error}"
    );
    let wrong = |options: Value| open(options, &schema).err().unwrap().to_string();
    assert!(wrong(json!({"rulez": []})).contains("unknown field `rulez`"));
    assert!(
        wrong(json!({"severity": {"min": "loud"}})).contains("expected `error`, `warning`, `info` or `off`")
    );
}

#[test]
fn the_options_are_described_in_json_schema() {
    let described = Validate::info().options;
    let properties = described["properties"].as_object().unwrap();
    // An option that is described but not known would be refused by its name.
    for (name, schema) in properties {
        assert!(schema["description"].is_string(), "{name}");
        let error =
            serde_json::from_value::<<Validate as OpenStage>::Options>(json!({ name: {"no": "such"} }));
        let error = error.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(!error.contains(&format!("unknown field `{name}`")), "{error}");
    }
}
