//! What expressions promise, over one small batch.

use std::sync::Arc;

use arrow::array::{
    Array, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray,
    StringArray,
};
use arrow::datatypes::{Field, Int32Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use proptest::prelude::*;

use super::*;

/// Three rows; in the last everything is missing.
fn batch() -> RecordBatch {
    let money = |values: [Option<i128>; 3]| -> ArrayRef {
        Arc::new(Decimal128Array::from(values.to_vec()).with_precision_and_scale(18, 4).unwrap())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("name", Arc::new(StringArray::from(vec![Some("东湖 大道"), Some("Bridge 2"), None]))),
        ("total", money([Some(1_000_000), Some(100_0000), None])),
        ("completed", money([Some(1_150_000), Some(114_9999), None])),
        ("per_mu", Arc::new(Float64Array::from(vec![Some(3000.0), Some(150.0), None]))),
        ("jobs", Arc::new(Int64Array::from(vec![Some(10), Some(0), None]))),
        ("start_date", Arc::new(Date32Array::from(vec![Some(19_723), Some(19_722), None]))),
        ("end_date", Arc::new(Date32Array::from(vec![Some(19_730), Some(19_722), None]))),
        ("urgent", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("tags", {
            let mut tags = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
            tags.append_value([Some("路"), Some("桥")]);
            tags.append_value([] as [Option<&str>; 0]);
            tags.append_null();
            Arc::new(tags.finish()) as Arc<ListArray>
        }),
    ];
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, array)| array).collect())
        .unwrap()
}

fn functions() -> Functions {
    let mut functions = Functions::new();
    functions.register(Function {
        name: "even_length".into(),
        arguments: vec![DataType::Utf8],
        returns: DataType::Boolean,
        call: Arc::new(|columns| {
            let texts = columns[0].as_string_opt::<i32>().ok_or("text is needed")?;
            let even = texts.iter().map(|text| text.map(|text| text.chars().count() % 2 == 0));
            Ok(Arc::new(even.collect::<BooleanArray>()))
        }),
    });
    functions
}

fn evaluate(sql: &str) -> Result<ArrayRef, String> {
    let batch = batch();
    let compiled = compile(sql, &batch.schema(), &functions()).map_err(|error| error.to_string())?;
    let value = compiled.evaluate(&batch).map_err(|error| error.to_string())?;
    assert_eq!(*value.data_type(), compiled.data_type(), "{sql}");
    assert_eq!(value.len(), batch.num_rows(), "{sql}");
    Ok(value)
}

/// `type: value, value, value`, `-` for null; or the error.
fn shown(sql: &str) -> String {
    let value = match evaluate(sql) {
        Ok(value) => value,
        Err(error) => return error,
    };
    let options = FormatOptions::default().with_null("-");
    let format = ArrayFormatter::try_new(&value, &options).unwrap();
    let values: Vec<String> = (0..value.len()).map(|row| format.value(row).to_string()).collect();
    format!("{}: {}", value.data_type(), values.join(", "))
}

fn table(rows: &[&str]) -> String {
    rows.iter().map(|sql| format!("{sql}\n    {}\n", shown(sql))).collect()
}

#[test]
fn values_are_typed_and_null_stays_null() {
    insta::assert_snapshot!(table(&[
        "completed <= total",
        "total > 0",
        "total = 100",
        "completed <= total * 1.15",
        "1.15 * total >= completed",
        "total in (100.0, 7)",
        "total between 99.9999 and 100.5",
        "completed / total",
        "completed + total",
        "0.4 * least(per_mu / 300, 1)",
        "0.4 * least(total / 10000, 10)",
        "0.4",
        "jobs * 2",
        "jobs / 4",
        "start_date >= '2024-01-01'",
        "start_date between '2024-01-01' and '2024-12-31'",
        "end_date - start_date",
        "start_date + interval '1' day",
        "extract(year from start_date)",
        "urgent and total > 0",
        "urgent = true",
        "not urgent",
        "name is null",
        "coalesce(name, '无')",
        "nullif(jobs, 0)",
        "name like '%大道'",
        "regexp_like(name, '^[A-Z]')",
        "length(replace(name, ' ', ''))",
        "upper(substr(name, 1, 3)) || '!'",
        "case when total > 0 then '有' else '无' end",
        "even_length(name)",
        "round(per_mu / 7, 2)",
        "Jobs + 1",
        "1 = 1",
        "tags",
        "cast(per_mu as int)",
        "try_cast(name as double)",
        "null and urgent",
        "array_has(tags, '桥')",
        "array_has_any(tags, make_array('桥', '隧'))",
        "array_length(tags)",
        "array_to_string(tags, '、')",
    ]), @"");
}

#[test]
fn mistakes_are_told_with_the_way_out() {
    insta::assert_snapshot!(table(&[
        "",
        "completed <= totl",
        "completed <=",
        "total > 5 extra",
        "name > 5",
        "name = jobs",
        "jobs > '5'",
        "urgent > 1",
        "start_date > 5",
        "start_date >= '2024-13-01'",
        "start_date >= name",
        "jobs in ('a', 'b')",
        "name + 1",
        "jobs and urgent",
        "not jobs",
        "jobs like '1%'",
        "name = \"东湖\"",
        "p.total > 1",
        "lenght(name)",
        "sum(total) > 1",
        "max(total, completed)",
        "row_number() over (order by total)",
        "total > (select 1)",
        "jobs in (select 1)",
        "now() > start_date",
        "random()",
        "even_length(jobs)",
        "even_length()",
        "regexp_like(name, '(')",
        "null",
        "interval '1' day",
        "total as t",
        "jobs / 0",
        "10 / jobs",
        "select 1",
        "'open",
        "drop table x",
        "$1 > 2",
        "@x > 2",
        "cast(name as int)",
        "*",
        "struct(1, 2)",
        "make_date(jobs, 1, 1)",
    ]), @"");
}

#[test]
fn an_expression_as_large_as_allowed_fits_a_thread_of_two_megabytes() {
    let chain = |link: &str, links: usize| format!("jobs{}", link.repeat(links));
    let table = [
        (chain(" + 1", 199), true),
        (chain(" + 1", 201), false),
        (format!("urgent{}", " or jobs = 1".repeat(99)), true),
        (format!("{}jobs{}", "(".repeat(30), ")".repeat(30)), true),
        (format!("{}jobs{}", "(".repeat(4_000), ")".repeat(4_000)), false),
        (format!("{}jobs", "-".repeat(5_000)), false),
        (format!("{}urgent", "not ".repeat(39)), true),
        (format!("jobs in ({}1)", "1, ".repeat(3_000)), true),
        (format!("name = '{}'", "x".repeat(20_000)), false),
    ];
    let run = move || {
        for (sql, fits) in table {
            let found = evaluate(&sql);
            assert_eq!(found.is_ok(), fits, "{} … {:?}", &sql[..40], found.err());
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_batch_of_another_shape_is_refused() {
    let batch = batch();
    let compiled = compile("jobs + 1", &batch.schema(), &functions()).unwrap();
    let error = compiled.evaluate(&batch.project(&[0, 1]).unwrap()).unwrap_err();
    assert_eq!(error.0, "the batch has 2 columns, the expression knows 9");
    assert_eq!(compiled.evaluate(&batch.slice(0, 0)).unwrap().len(), 0);
}

#[test]
fn a_dictionary_column_gives_plain_text() {
    let value: arrow::array::DictionaryArray<Int32Type> = vec!["a", "b", "a"].into_iter().collect();
    let field = Field::new("d", value.data_type().clone(), true);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(value)]).unwrap();
    let compiled = compile("d", &batch.schema(), &functions()).unwrap();
    assert_eq!(compiled.evaluate(&batch).unwrap().data_type(), &DataType::Utf8);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(sql in ".{0,60}") {
        let _ = evaluate(&sql);
    }

    #[test]
    fn no_arrangement_of_words_panics(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "name", "total", "jobs", "start_date", "urgent", "tags", "1", "0.5", "'x'", "'2024-01-01'", "null",
                "+", "-", "*", "/", "%", "=", "<", "and", "or", "not", "in", "(", ")", ",", "is", "like", "between",
                "case", "when", "then", "else", "end", "coalesce(", "substr(", "least(", "round(", "date_trunc(",
                "cast(", "as", "int", "interval", "||", "~", "[", "]", "::", "to_char(", "regexp_like(", "power(",
            ]),
            1..14,
        ),
    ) {
        let _ = evaluate(&words.join(" "));
    }
}
