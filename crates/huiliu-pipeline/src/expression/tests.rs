//! What expressions promise, over one small batch.

use std::sync::Arc;

use arrow::array::{
    Array, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray,
    StringArray,
};
use arrow::datatypes::{Field, Int32Type, Int64Type};
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
    ]), @"
    completed <= total
        Boolean: false, false, -
    total > 0
        Boolean: true, true, -
    total = 100
        Boolean: true, true, -
    completed <= total * 1.15
        Boolean: true, true, -
    1.15 * total >= completed
        Boolean: true, true, -
    total in (100.0, 7)
        Boolean: true, true, -
    total between 99.9999 and 100.5
        Boolean: true, true, -
    completed / total
        Float64: 1.15, 1.149999, -
    completed + total
        Decimal128(19, 4): 215.0000, 214.9999, -
    0.4 * least(per_mu / 300, 1)
        Float64: 0.4, 0.2, 0.4
    0.4 * least(total / 10000, 10)
        Float64: 0.004, 0.004, 4.0
    0.4
        Float64: 0.4, 0.4, 0.4
    jobs * 2
        Int64: 20, 0, -
    jobs / 4
        Int64: 2, 0, -
    start_date >= '2024-01-01'
        Boolean: true, false, -
    start_date between '2024-01-01' and '2024-12-31'
        Boolean: true, false, -
    end_date - start_date
        Int64: 7, 0, -
    start_date + interval '1' day
        Date32: 2024-01-02, 2024-01-01, -
    extract(year from start_date)
        Int64: 2024, 2023, -
    urgent and total > 0
        Boolean: true, false, -
    urgent = true
        Boolean: true, false, -
    not urgent
        Boolean: false, true, -
    name is null
        Boolean: false, false, true
    coalesce(name, '无')
        Utf8: 东湖 大道, Bridge 2, 无
    nullif(jobs, 0)
        Int64: 10, -, -
    name like '%大道'
        Boolean: true, false, -
    regexp_like(name, '^[A-Z]')
        Boolean: false, true, -
    length(replace(name, ' ', ''))
        Int64: 4, 7, -
    upper(substr(name, 1, 3)) || '!'
        Utf8: 东湖 !, BRI!, -
    case when total > 0 then '有' else '无' end
        Utf8: 有, 有, 无
    even_length(name)
        Boolean: false, true, -
    round(per_mu / 7, 2)
        Float64: 428.57, 21.43, -
    Jobs + 1
        Int64: 11, 1, -
    1 = 1
        Boolean: true, true, true
    tags
        List(Utf8): [路, 桥], [], -
    cast(per_mu as int)
        Int64: 3000, 150, -
    try_cast(name as double)
        Float64: -, -, -
    null and urgent
        Boolean: -, false, -
    array_has(tags, '桥')
        Boolean: true, false, -
    array_has_any(tags, make_array('桥', '隧'))
        Boolean: true, false, -
    array_length(tags)
        Int64: 2, 0, -
    array_to_string(tags, '、')
        Utf8: 路、桥, , -
    ");
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
    ]), @r#"
        the expression is empty
    completed <= totl
        there is no column `totl` here; did you mean `total`?
    completed <=
        this is not an expression: expected an expression, found EOF
    total > 5 extra
        this is not an expression at character 11: expected end of expression, found extra
    name > 5
        cannot be compared: `name` is text, `5` is a number; `try_cast(name as double)` reads a number
    name = jobs
        cannot be compared: `name` is text, `jobs` is a number; `try_cast(name as double)` reads a number
    jobs > '5'
        cannot be compared: `jobs` is a number, `'5'` is text
    urgent > 1
        cannot be compared: `urgent` is true or false, `1` is a number
    start_date > 5
        cannot be compared: `start_date` is a date, `5` is a number
    start_date >= '2024-13-01'
        cannot convert string '2024-13-01' to value of Date32 type; dates are written '2024-01-31'; `try_cast(… as …)` gives null where `cast` fails
    start_date >= name
        cannot be compared: `start_date` is a date, `name` is text
    jobs in ('a', 'b')
        cannot be compared: `jobs` is a number, `'a'` is text
    name + 1
        `+` needs a number on both sides: `name` is text
    jobs and urgent
        `AND` needs a condition on both sides: `jobs` is a number
    not jobs
        Unary operator 'NOT' requires a boolean expression, got Int64
    jobs like '1%'
        `like` needs text: `jobs` is a number
    name = "东湖"
        there is no column `东湖` here; texts stand in single quotes: '东湖'
    p.total > 1
        there is no table here to take `p.total` from; did you mean `total`?
    lenght(name)
        there is no function `lenght`; did you mean `length`?
    sum(total) > 1
        `sum` looks at many rows; an expression sees one
    max(total, completed)
        `max` looks at many rows; an expression sees one; `greatest(a, b)` is the greatest of several values of one row
    row_number() over (order by total)
        `row_number` looks at many rows; an expression sees one
    total > (select 1)
        an expression sees one row of one batch; it cannot hold a query
    jobs in (select 1)
        an expression sees one row of one batch; it cannot hold a query
    now() > start_date
        `now` is not offered: the same delivery must always give the same result
    random()
        `random` is not offered: the same delivery must always give the same result
    even_length(jobs)
        `even_length` needs text here: `jobs` is a number
    even_length()
        `even_length` takes 1 values, 0 are given
    regexp_like(name, '(')
        this is not a regular expression: unclosed group
    null
        this is always null
    interval '1' day
        the value is of type Interval(MonthDayNano), which no column of a record can have; convert it with `cast(… as …)`
    total as t
        `as t` has no meaning here
    jobs / 0
        division by zero; write `a / nullif(b, 0)`
    10 / jobs
        division by zero; write `a / nullif(b, 0)`
    select 1
        this is not an expression at character 8: expected end of expression, found 1
    'open
        this is not an expression at character 1: Unterminated string literal
    drop table x
        this is not an expression at character 6: expected end of expression, found table
    $1 > 2
        Placeholder '$1' was not provided a value for execution
    @x > 2
        there is no column `@x` here; there are: `name`, `total`, `completed`, `per_mu`, `jobs`, `start_date`, `end_date`, `urgent`, `tags`
    cast(name as int)
        cannot convert string '东湖 大道' to value of Int32 type; dates are written '2024-01-31'; `try_cast(… as …)` gives null where `cast` fails
    *
        this is not an expression at character 1: expected an expression, found *
    struct(1, 2)
        the value is of type Struct("c0": Int64, "c1": Int64), which no column of a record can have; convert it with `cast(… as …)`
    make_date(jobs, 1, 1)
        Date32: 0010-01-01, 0000-01-01, -
    "#);
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
fn an_expression_is_compiled_once_for_its_columns_and_again_for_others() {
    let (batch, mut functions) = (batch(), functions());
    let ints = |name: &str| {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![7]));
        RecordBatch::try_from_iter([(name, column)]).unwrap()
    };
    let value = |batch: &RecordBatch, functions: &Functions| {
        let compiled = compile("x + 1", &batch.schema(), functions).map_err(|error| error.to_string())?;
        compiled.evaluate(batch).map(|value| value.as_primitive::<Int64Type>().value(0)).map_err(|e| e.0)
    };
    assert_eq!((value(&ints("x"), &functions), value(&ints("x"), &functions)), (Ok(8), Ok(8)));
    assert!(value(&ints("y"), &functions).is_err() && value(&batch, &functions).is_err());
    // A function of the same name that does something else counts from then on.
    let twice = |functions: &Functions| {
        let compiled = compile("abs(x)", &ints("x").schema(), functions).unwrap();
        compiled.evaluate(&ints("x")).unwrap().as_primitive::<Int64Type>().value(0)
    };
    assert_eq!(twice(&functions), 7);
    functions.register(Function {
        name: "abs".into(),
        arguments: vec![DataType::Int64],
        returns: DataType::Int64,
        call: Arc::new(|columns| Ok(Arc::new(Int64Array::from(vec![99; columns[0].len()])))),
    });
    assert_eq!(twice(&functions), 99);
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
