//! What `derive`, `lookup` and `filter` promise, seen from outside: options and rows in, columns and findings out.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field as ArrowField, SchemaRef};
use arrow::util::display::array_value_to_string;
use huiliu_derive::{Derive, Filter, Lookup};
use huiliu_pipeline::expression::{Functions, compile};
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{Field, Host, HostError, OpenStage, Opened, Outcome, RecordSchema, StageError};
use serde_json::{Value, json};

fn host() -> Arc<dyn Host> {
    let functions = Functions::new();
    let mut host = MemoryHost::default();
    host.tables.insert("places".to_owned(), places());
    host.compiler = Some(Box::new(move |sql, schema| {
        compile(sql, schema, &functions).map_err(|error| HostError(error.to_string()))
    }));
    Arc::new(host)
}

/// What is known of projects by name; a name may stand there twice.
fn places() -> RecordBatch {
    let texts = |texts: [&str; 4]| -> ArrayRef {
        Arc::new(texts.into_iter().map(|text| Some(text).filter(|t| !t.is_empty())).collect::<StringArray>())
    };
    RecordBatch::try_from_iter([
        ("title", texts(["二号 厂房", "一号泵站", "一号泵站", "四号学校"])),
        ("sort", texts(["产业", "民生", "民生", ""])),
        ("mu", texts(["12.5", "3", "4", "many"])),
        ("papers", texts(["[\"a\",\"b\"]", "a、b", "b;c", ""])),
    ])
    .unwrap()
}

/// Four projects: name, type, total in 万元, area in 亩, tags.
fn projects() -> RecordBatch {
    let field = |(name, kind): (&str, &str)| -> Field {
        serde_json::from_value(json!({"name": name, "type": kind, "label": format!("列{name}")})).unwrap()
    };
    let kinds =
        [("name", "text"), ("kind", "text"), ("total", "money"), ("area", "number"), ("tags", "list")];
    let fields = kinds.map(field).into();
    let schema = RecordSchema { record: "project".into(), label: String::new(), fields }.to_arrow();
    let rows = [
        ["一号泵站", "民生", "1000", "20", "532"],
        ["二号厂房", "产业", "250000", "0", ""],
        ["三号道路", "基础设施", "", "10", "两湖"],
        ["四号学校", "民生", "5000", "", "民生"],
    ];
    let columns = schema.fields.iter().enumerate().map(|(at, field)| -> ArrayRef {
        match field.name().as_str() {
            "_row" => Arc::new(Int64Array::from_iter_values(2..6)),
            "_sheet" => Arc::new(StringArray::from(vec![""; 4])),
            "_extra" => Arc::new(StringArray::from(vec![None::<&str>; 4])),
            "tags" => {
                let item = ArrowField::new("item", DataType::Utf8, true);
                let mut lists = ListBuilder::new(StringBuilder::new()).with_field(item);
                rows.iter().for_each(|row| match row[at] {
                    "" => lists.append(false),
                    tag => lists.append_value([Some(tag)]),
                });
                Arc::new(lists.finish())
            }
            _ => {
                let texts: StringArray =
                    rows.iter().map(|row| Some(row[at]).filter(|t| !t.is_empty())).collect();
                cast(&texts, field.data_type()).unwrap()
            }
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

fn open<S: OpenStage>(options: &Value, schema: &SchemaRef) -> Result<Opened, StageError> {
    S::open_json(&options.to_string(), schema.clone(), host())
}

fn run<S: OpenStage>(options: Value) -> Outcome {
    let batch = projects();
    let mut opened = open::<S>(&options, &batch.schema()).unwrap();
    let outcome = opened.stage.process(batch).unwrap();
    assert_eq!(outcome.batch.schema(), opened.output, "what was planned is what comes");
    outcome
}

fn texts(outcome: &Outcome, column: &str) -> Vec<String> {
    let column = outcome.batch.column_by_name(column).unwrap();
    (0..column.len()).map(|row| array_value_to_string(column, row).unwrap()).collect()
}

/// Findings as `row severity code field fate`.
fn told(outcome: &Outcome) -> Vec<String> {
    let line = |f: &huiliu_stage::Finding| {
        let field = f.field.as_deref().unwrap_or("-");
        format!("{} {} {} {field} {}", f.row.unwrap(), f.severity.as_str(), f.code, f.fate.as_str())
    };
    outcome.findings.iter().map(line).collect()
}

#[track_caller]
fn refused<S: OpenStage>(options: Value, path: &str, word: &str) {
    let Err(error) = open::<S>(&options, &projects().schema()) else { panic!("{options} was taken") };
    let all = format!("{error:?}");
    assert!(all.contains(&format!("\"{path}\"")) && all.contains(word), "{all}");
}

#[test]
fn a_column_is_what_sql_makes_of_it_or_what_its_type_says() {
    let outcome = run::<Derive>(json!({"columns": [
        {"name": "tier", "label": "层级",
         "value": "CASE WHEN total >= 100000 THEN '10亿以上' WHEN total >= 0 THEN '以下' END"},
        {"name": "twice", "value": "total * 2", "type": "money", "unit": "万元"},
        {"name": "large", "value": "tier = '10亿以上'"},
        {"name": "whole", "value": "area + 0.4", "type": "integer"},
    ]}));
    assert_eq!(texts(&outcome, "tier"), ["以下", "10亿以上", "", "以下"]);
    assert_eq!(texts(&outcome, "twice"), ["2000.0000", "500000.0000", "", "10000.0000"]);
    assert_eq!(
        texts(&outcome, "large"),
        ["false", "true", "", "false"],
        "a later column names an earlier one"
    );
    assert_eq!(texts(&outcome, "whole"), ["20", "0", "10", ""]);
    assert!(outcome.findings.0.is_empty());
    let described = |name: &str| Field::of(outcome.batch.schema().field_with_name(name).unwrap()).unwrap();
    assert_eq!(described("tier").title(), "层级");
    assert_eq!(described("twice").unit.as_deref(), Some("万元"));
}

#[test]
fn a_value_that_cannot_be_computed_is_told_and_the_other_rows_have_theirs() {
    let columns =
        json!([{"name": "per", "label": "强度", "value": "CAST(total AS BIGINT) / CAST(area AS BIGINT)"}]);
    let outcome = run::<Derive>(json!({"columns": columns}));
    assert_eq!(texts(&outcome, "per"), ["50", "", "", ""]);
    assert_eq!(told(&outcome), ["3 warning underived total stays"]);
    assert!(outcome.findings.0[0].message.zh.contains("强度"), "{:?}", outcome.findings.0[0]);
    let outcome = run::<Derive>(
        json!({"columns": [{"name": "n", "value": "name", "type": "integer"}], "failed": "error"}),
    );
    assert_eq!(told(&outcome).len(), 4);
    assert_eq!(outcome.batch.num_rows(), 4, "the engine takes refused rows out");
    let outcome = run::<Derive>(json!({"columns": columns, "failed": "off"}));
    assert!(outcome.findings.0.is_empty());
}

#[test]
fn tags_are_added_once_to_what_is_there_and_a_missing_value_gives_none() {
    let outcome = run::<Derive>(json!({"columns": [
        {"name": "tags", "tags": [
            {"tag": "民生", "when": "kind = '民生'"},
            {"tag": "重大", "when": "total >= 5000"},
        ]},
        {"name": "marks", "tags": [{"tag": "大", "when": "total >= 5000"}]},
    ]}));
    assert_eq!(texts(&outcome, "tags"), ["[532, 民生]", "[重大]", "[两湖]", "[民生, 重大]"]);
    assert_eq!(texts(&outcome, "marks"), ["", "[大]", "", "[大]"]);
    let label = Field::of(outcome.batch.schema().field_with_name("tags").unwrap()).unwrap().label;
    assert_eq!(label, "列tags", "what is known of the column stays");
}

#[test]
fn a_column_that_is_there_is_filled_in_its_place() {
    let outcome = run::<Derive>(json!({"columns": [{"name": "name", "value": "upper(name)"}]}));
    assert_eq!(outcome.batch.schema().index_of("name").ok(), projects().schema().index_of("name").ok());
    assert_eq!(outcome.batch.num_columns(), projects().num_columns());
}

#[test]
fn what_a_table_says_of_a_row_is_added_and_never_written_over_what_the_row_says() {
    let outcome = run::<Lookup>(json!({
        "table": "places", "by": {"name": "title"}, "missing": "warning",
        "take": {
            "sort": "sort",
            "mu": {"from": "mu", "type": "number", "label": "亩"},
            "papers": {"from": "papers", "type": "list"},
            "area": {"from": "mu", "type": "number"},
        },
    }));
    assert_eq!(texts(&outcome, "sort"), ["民生", "产业", "", ""]);
    assert_eq!(
        texts(&outcome, "mu"),
        ["3.0", "12.5", "", ""],
        "the first row counts; what is no number is none"
    );
    assert_eq!(
        texts(&outcome, "papers"),
        ["[a, b, c]", "[a, b]", "", ""],
        "a list takes all rows, each text once"
    );
    assert_eq!(texts(&outcome, "area"), ["20.0", "0.0", "10.0", ""]);
    assert_eq!(told(&outcome), ["4 warning not-found name stays"]);
    assert!(outcome.findings.0[0].message.zh.contains("三号道路"), "{:?}", outcome.findings.0[0]);
}

#[test]
fn of_several_keys_the_first_that_finds_something_counts_and_a_missing_value_finds_nothing() {
    let by = json!([{"area": "mu"}, {"name": "title", "kind": "sort"}]);
    let outcome = run::<Lookup>(json!({
        "table": "places", "by": by, "missing": "info", "code": "V17", "take": {"papers": "papers"},
    }));
    assert_eq!(texts(&outcome, "papers"), ["a、b", "[\"a\",\"b\"]", "", ""]);
    assert_eq!(told(&outcome), ["4 info V17 area stays", "5 info V17 area stays"]);
}

#[test]
fn only_rows_for_which_the_condition_is_true_pass_and_the_others_are_told() {
    let outcome =
        run::<Filter>(json!({"keep": "total > 2000", "message": {"zh": "不够大", "en": "too small"}}));
    assert_eq!(texts(&outcome, "name"), ["二号厂房", "四号学校"]);
    assert_eq!(told(&outcome), ["2 info left-aside - dropped", "4 info left-aside - dropped"]);
    assert_eq!(outcome.findings.0[0].message.zh, "不够大");
    let outcome =
        run::<Filter>(json!({"keep": "CAST(total AS BIGINT) / CAST(area AS BIGINT) > 0", "code": "V18"}));
    assert_eq!(
        texts(&outcome, "name"),
        ["一号泵站", "二号厂房"],
        "it comes out and is refused by its finding"
    );
    assert_eq!(told(&outcome), ["3 error undecided - stays", "4 info V18 - dropped", "5 info V18 - dropped"]);
}

#[test]
fn what_cannot_work_is_refused_before_any_data_flows() {
    let column = |column: Value| json!({"columns": [column]});
    refused::<Derive>(column(json!({"name": "a"})), "columns[0]", "either `value` or `tags`");
    refused::<Derive>(column(json!({"name": "_row", "value": "1"})), "columns[0].name", "engine's");
    refused::<Derive>(column(json!({"name": "a", "value": "nothing + 1"})), "columns[0].value", "nothing");
    refused::<Derive>(column(json!({"name": "a", "value": "NULL"})), "columns[0].value", "always null");
    refused::<Derive>(column(json!({"name": "area", "value": "name"})), "columns[0].name", "already");
    refused::<Derive>(
        column(json!({"name": "name", "tags": [{"tag": "a", "when": "true"}]})),
        "columns[0].name",
        "already",
    );
    refused::<Derive>(
        column(json!({"name": "t", "tags": [{"tag": "a", "when": "area"}]})),
        "columns[0].tags[0].when",
        "true or false",
    );
    refused::<Derive>(
        column(json!({"name": "t", "tags": [{"tag": " ", "when": "true"}]})),
        "columns[0].tags[0].tag",
        "empty",
    );
    refused::<Filter>(json!({"keep": "area + 1"}), "keep", "true or false");
    let lookup = |by: Value, take: Value| json!({"table": "places", "by": by, "take": take});
    refused::<Lookup>(lookup(json!({}), json!({"a": "mu"})), "by", "at least one");
    refused::<Lookup>(lookup(json!({"nam": "title"}), json!({"a": "mu"})), "by", "nam");
    refused::<Lookup>(lookup(json!({"name": "title"}), json!({})), "take", "at least one");
    refused::<Lookup>(lookup(json!({"name": "title"}), json!({"area": "mu"})), "take.area", "already");
    refused::<Lookup>(lookup(json!({"name": "title"}), json!({"_row": "mu"})), "take._row", "engine's");
    let batch = projects();
    let options = lookup(json!({"name": "title"}), json!({"a": "mu_"}));
    let error = open::<Lookup>(&options, &batch.schema()).unwrap().stage.process(batch).unwrap_err();
    assert!(error.to_string().contains("no column `mu_`"), "{error}");
}
