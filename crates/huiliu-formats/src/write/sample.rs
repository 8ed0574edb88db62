//! Batches for the tests of all writers: every type, nulls, texts that need an escape.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListBuilder, RecordBatch,
    StringArray, StringBuilder, TimestampMillisecondArray,
};
use huiliu_stage::{Field, FieldType, RecordSchema};
use proptest::prelude::*;

/// A row of the sample record.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    pub(super) name: Option<String>,
    pub(super) count: Option<i64>,
    pub(super) share: Option<f64>,
    pub(super) total: Option<i128>,
    pub(super) open: Option<bool>,
    pub(super) day: Option<i32>,
    pub(super) at: Option<i64>,
    pub(super) list: Option<Vec<Option<String>>>,
    pub(super) extra: Option<String>,
}

/// The record's batches.
pub(super) fn batch(rows: &[Sample]) -> RecordBatch {
    let kinds = [
        ("name", "名称", FieldType::Text),
        ("count", "", FieldType::Integer),
        ("share", "", FieldType::Number),
        ("total", "总投资", FieldType::Money),
        ("open", "", FieldType::Boolean),
        ("day", "", FieldType::Date),
        ("at", "", FieldType::Timestamp),
        ("list", "", FieldType::List),
    ];
    let field = |&(name, label, kind): &(&str, &str, FieldType)| Field {
        name: name.to_owned(),
        label: label.to_owned(),
        kind,
        ..Field::default()
    };
    let record = RecordSchema { fields: kinds.iter().map(field).collect(), ..RecordSchema::default() };
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in rows {
        if let Some(items) = &row.list {
            items.iter().for_each(|item| lists.values().append_option(item.as_deref()));
        }
        lists.append(row.list.is_some());
    }
    let totals: Decimal128Array = rows.iter().map(|row| row.total).collect();
    let times: TimestampMillisecondArray = rows.iter().map(|row| row.at).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.name.as_deref()).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.count).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.share).collect::<Float64Array>()),
        Arc::new(totals.with_precision_and_scale(18, 4).unwrap()),
        Arc::new(rows.iter().map(|row| row.open).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|row| row.day).collect::<Date32Array>()),
        Arc::new(times.with_timezone("UTC")),
        Arc::new(lists.finish()),
        Arc::new(rows.iter().map(|_| Some("")).collect::<StringArray>()),
        Arc::new((5..).take(rows.len()).map(Some).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.extra.as_deref()).collect::<StringArray>()),
    ];
    RecordBatch::try_new(record.to_arrow(), columns).unwrap()
}

/// Three rows: values, nulls, edges.
pub(super) fn rows() -> RecordBatch {
    let text = |text: &str| Some(text.to_owned());
    let full = Sample {
        name: text("a \"b\"\n"),
        count: Some(-7),
        share: Some(0.1),
        total: Some(123_455_000),
        open: Some(true),
        day: Some(19_844),
        at: Some(19_844 * 86_400_000 + 8 * 3_600_000 + 5),
        list: Some(vec![text("x"), text("\\")]),
        extra: text("{\"备注\":1}"),
    };
    let edges = Sample {
        name: text(""),
        count: Some(0),
        share: Some(f64::NAN),
        total: Some(-1),
        open: Some(false),
        day: Some(-719_162),
        at: Some(-1),
        list: Some(Vec::new()),
        extra: None,
    };
    batch(&[full, Sample::default(), edges])
}

/// Any text, the awkward ones often.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,90}", "[=+@\t,\"'\r\n\\\\一-龥-]{0,8}", any::<String>()]
}

prop_compose! {
    fn samples()(
        name in proptest::option::of(texts()),
        count in any::<Option<i64>>(),
        share in any::<Option<f64>>(),
        total in proptest::option::of(prop_oneof![-99_999..99_999_i128, -(10_i128.pow(18))..10_i128.pow(18)]),
        open in any::<Option<bool>>(),
        day in proptest::option::of(-800_000..3_000_000_i32),
        at in proptest::option::of(-62_167_219_200_000..253_402_300_800_000_i64),
        list in proptest::option::of(proptest::collection::vec(proptest::option::of(texts()), 0..4)),
        extra in proptest::option::of(Just("{\"a\":[1,\"二\"]}".to_owned())),
    ) -> Sample {
        Sample { name, count, share, total, open, day, at, list, extra }
    }
}

/// Any batch, sliced or not.
pub(super) fn batches() -> impl Strategy<Value = RecordBatch> {
    (proptest::collection::vec(samples(), 1..12), 0..3_usize).prop_map(|(rows, skip)| {
        let batch = batch(&rows);
        let skip = skip.min(batch.num_rows() - 1);
        batch.slice(skip, batch.num_rows() - skip)
    })
}
