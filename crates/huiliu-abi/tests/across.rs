//! One stage, linked in and behind its own C tables: the same batches, findings, state and errors.
#![allow(clippy::unwrap_used)] // Helpers of tests; clippy.toml knows only the tests themselves.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Int64Array, ListArray, RecordBatch,
    StringArray,
};
use arrow::compute::kernels::cmp::gt;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use huiliu_abi::StageFactory;
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{
    Expression, Fate, Finding, Findings, Host, HostError, Level, OpenStage, Origin, Outcome, Severity, Stage,
    StageError, json_field,
};
use serde::Deserialize;

/// Uses every service of its host.
struct Busy {
    host: Arc<dyn Host>,
    check: Box<dyn Expression>,
    same: Box<dyn Expression>,
    held: Option<RecordBatch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BusyOptions {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    check: String,
}

impl OpenStage for Busy {
    const NAME: &'static str = "busy";
    const SUMMARY: &'static str = "uses every service of its host";
    const OPTION_SCHEMA: &'static str = r#"{"type": "object"}"#;
    type Options = BusyOptions;

    fn open(
        options: BusyOptions,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let mut problems = Vec::new();
        let mut compiled = Vec::new();
        for (i, rule) in options.rules.iter().enumerate() {
            match host.compile(&rule.check, &input) {
                Ok(expression) => compiled.push(expression),
                Err(error) => {
                    problems.extend(StageError::at(format!("rules[{i}].check"), error.to_string()).problems)
                }
            }
        }
        StageError::all(problems)?;
        let same = compiled.pop().ok_or_else(|| StageError::new("no rules"))?;
        let check = compiled.pop().ok_or_else(|| StageError::new("one rule"))?;
        let mut fields = input.fields().to_vec();
        fields.push(Arc::new(Field::new("passed", check.data_type(), true)));
        fields.push(Arc::new(json_field("note", false)));
        Ok((Self { host, check, same, held: None }, Arc::new(Schema::new(fields))))
    }
}

impl Stage for Busy {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let host = &self.host;
        host.log(Level::Warn, &format!("{} rows from {}", batch.num_rows(), Origin::of(&batch).sender));
        host.count("rows", batch.num_rows() as u64);
        let (passed, same) = (self.check.evaluate(&batch)?, self.same.evaluate(&batch)?);
        assert_eq!(same.data_type(), &DataType::Utf8);

        let seen = host.state_get(b"seen")?.map_or(0, |bytes| i64::from(bytes[0])) + batch.num_rows() as i64;
        host.state_put(b"seen", &[seen as u8])?;
        host.state_put(b"empty", b"")?;
        host.state_put(b"gone", b"1")?;
        host.state_delete(b"gone")?;
        let mut keys = Vec::new();
        host.state_scan(b"", &mut |key, value| {
            keys.push(format!("{}={}", String::from_utf8_lossy(key), value.len()));
            keys.len() < 2
        })?;
        let units = host.table("units")?;
        let note = format!(
            "{{\"keys\":{:?},\"empty\":{},\"absent\":{},\"units\":{},\"day\":{},\"now\":{},\"stop\":{}}}",
            keys,
            host.state_get(b"empty")?.is_some(),
            host.state_get(b"gone")?.is_none(),
            units.num_rows(),
            host.today(),
            host.now_ms(),
            host.cancelled(),
        );

        let rows = batch.column_by_name("_row").unwrap().as_primitive::<Int64Type>();
        let mut findings = Findings::none();
        for i in (0..batch.num_rows()).filter(|&i| passed.is_valid(i) && !passed.as_boolean().value(i)) {
            let text = huiliu_stage::Text::new("太小", "too small");
            findings
                .push(Finding::new(Some(rows.value(i)), Severity::Error, "small", text).with_field("amount"));
        }
        let mut fields = batch.schema().fields().to_vec();
        fields.push(Arc::new(Field::new("passed", DataType::Boolean, true)));
        fields.push(Arc::new(json_field("note", false)));
        let schema = Arc::new(Schema::new_with_metadata(fields, batch.schema().metadata().clone()));
        let mut columns = batch.columns().to_vec();
        columns.push(passed);
        columns.push(Arc::new(StringArray::from(vec![note; batch.num_rows()])));
        let batch = RecordBatch::try_new(schema, columns)?;
        self.held = Some(batch.slice(0, batch.num_rows().min(1)));
        Ok(Outcome { batch, findings })
    }

    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        let Some(batch) = self.held.take() else { return Ok(None) };
        let finding = Finding::new(None, Severity::Info, "held", "留到最后".into())
            .with_fate(Fate::Merged)
            .with_raw("1");
        Ok(Some(Outcome { batch, findings: Findings(vec![finding]) }))
    }
}

/// `amount > N` in whole numbers, or the name of a column.
struct Toy(Option<i64>);

impl Expression for Toy {
    fn data_type(&self) -> DataType {
        if self.0.is_some() { DataType::Boolean } else { DataType::Utf8 }
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, HostError> {
        let Some(limit) = self.0 else { return Ok(Arc::clone(batch.column(0))) };
        let limit = Int64Array::new_scalar(limit);
        let amounts = batch.column_by_name("count").unwrap();
        Ok(Arc::new(gt(amounts, &limit).map_err(|error| HostError(error.to_string()))?))
    }
}

fn host() -> Arc<MemoryHost> {
    let units = Schema::new(vec![Field::new("unit", DataType::Utf8, true)]);
    let units = RecordBatch::try_new(Arc::new(units), vec![Arc::new(StringArray::from(vec!["亩", "万元"]))]);
    let mut host = MemoryHost::on_day(19_850);
    host.tables.insert("units".into(), units.unwrap());
    host.compiler = Some(Box::new(|sql, schema| match sql.strip_prefix("count > ") {
        Some(limit) => Ok(Box::new(Toy(Some(limit.parse().unwrap())))),
        None if schema.index_of(sql).is_ok() => Ok(Box::new(Toy(None))),
        None => Err(HostError(format!("there is no column `{sql}`"))),
    }));
    Arc::new(host)
}

/// Every type that rows may have, with nulls, and facts about where it came from.
fn batch() -> RecordBatch {
    let list: ListArray = {
        let mut lists = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
        lists.append_value([Some("民生"), Some("532")]);
        lists.append_null();
        lists.append_value([Some("")]);
        lists.finish()
    };
    let field =
        huiliu_stage::Field { name: "name".into(), label: "项目名称".into(), ..Default::default() };
    let columns: Vec<(Field, ArrayRef)> = vec![
        (field.to_arrow(), Arc::new(StringArray::from(vec![Some("泵站"), None, Some("道路")]))),
        (
            Field::new("count", DataType::Int64, true),
            Arc::new(Int64Array::from(vec![Some(3), None, Some(30)])),
        ),
        (
            Field::new("amount", DataType::Decimal128(18, 4), true),
            Arc::new(
                Decimal128Array::from(vec![Some(1), Some(-5), None]).with_precision_and_scale(18, 4).unwrap(),
            ),
        ),
        (
            Field::new("ok", DataType::Boolean, true),
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        (
            Field::new("day", DataType::Date32, true),
            Arc::new(Date32Array::from(vec![Some(19_850), None, Some(0)])),
        ),
        (Field::new("tags", list.data_type().clone(), true), Arc::new(list)),
        (Field::new("_row", DataType::Int64, false), Arc::new(Int64Array::from(vec![2, 3, 4]))),
    ];
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let origin = Origin {
        delivery: "d1".into(),
        sender: "发改局".into(),
        file: "a.xlsx".into(),
        received_ms: 7,
        columns: HashMap::from([("name".to_owned(), 2)]),
    };
    RecordBatch::try_new(Arc::new(origin.mark(&Schema::new(fields))), arrays).unwrap()
}

fn both<T: OpenStage>() -> [StageFactory; 2] {
    [StageFactory::linked::<T>("test", "1"), StageFactory::across::<T>("test", "1").unwrap()]
}

#[test]
fn a_stage_behaves_alike_linked_and_across() {
    let options = r#"{"rules": [{"check": "count > 5"}, {"check": "name"}]}"#;
    let plan = Arc::new(Schema::new(batch().schema().fields().clone()));
    let [linked, across] = both::<Busy>().map(|factory| {
        let host = host();
        let mut opened = factory.open(options, Arc::clone(&plan), host.clone()).unwrap();
        assert!(opened.stage.finish().unwrap().is_none());
        let mut outcomes = Vec::new();
        for batch in [batch(), batch().slice(1, 2), batch().slice(0, 0)] {
            outcomes.push(opened.stage.process(batch).unwrap());
        }
        outcomes.push(opened.stage.finish().unwrap().unwrap());
        assert!(opened.stage.finish().unwrap().is_none());
        let done: Vec<(RecordBatch, Findings)> =
            outcomes.into_iter().map(|outcome| (outcome.batch, outcome.findings)).collect();
        drop(opened.stage);
        assert_eq!(Arc::strong_count(&host), 1, "the host is let go when the stage is closed");
        (factory.info.clone(), opened.output, done, host.state(), host.lines())
    });
    assert_eq!(linked, across);
    let (_, _, done, state, _) = across;
    assert_eq!(done[0].1.len(), 1);
    assert_eq!(Origin::of(&done[0].0).sender, "发改局");
    assert_eq!(state.get(b"seen".as_slice()), Some(&vec![5]));
    assert_eq!(
        huiliu_stage::text_column(&done[0].0, "note").unwrap().value(0),
        r#"{"keys":["empty=0", "seen=1"],"empty":true,"absent":true,"units":2,"day":19850,"now":1715040000000,"stop":false}"#
    );
}

#[test]
fn mistakes_are_told_alike_with_their_places() {
    let table = [
        (
            r#"{"rules": [{"check": "a"}, {"check": "name"}, {"check": "b"}]}"#,
            "`rules[0].check`: there is no column `a`; `rules[2].check`: there is no column `b`",
        ),
        (r#"{"rules": [{"chekc": "a"}]}"#, "`rules[0].chekc`: unknown field `chekc`, expected `check`"),
        (r#"{"rules": 5}"#, "`rules`: invalid type: integer `5`, expected a sequence"),
        (r#"{"rules": []}"#, "no rules"),
    ];
    for (options, expected) in table {
        for factory in both::<Busy>() {
            let error = factory.open(options, batch().schema(), host()).err().unwrap();
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[test]
fn columns_that_a_stage_passes_on_are_not_copied() {
    let [_, across] = both::<Busy>();
    let options = r#"{"rules": [{"check": "count > 5"}, {"check": "name"}]}"#;
    let mut opened = across.open(options, batch().schema(), host()).unwrap();
    let given = batch();
    let back = opened.stage.process(given.clone()).unwrap().batch;
    for (given, back) in given.columns().iter().zip(back.columns()) {
        assert!(given.to_data().ptr_eq(&back.to_data()), "{}", given.data_type());
    }
}

/// A host whose clock is broken, and a stage that panics inside a scan.
struct Scans(Arc<dyn Host>);

#[derive(Deserialize)]
struct Nothing {}

impl OpenStage for Scans {
    const NAME: &'static str = "scans";
    const SUMMARY: &'static str = "panics inside a scan";
    const OPTION_SCHEMA: &'static str = "{}";
    type Options = Nothing;

    fn open(_: Nothing, input: SchemaRef, host: Arc<dyn Host>) -> Result<(Self, SchemaRef), StageError> {
        Ok((Self(host), input))
    }
}

impl Stage for Scans {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        self.0.state_put(b"a", b"1")?;
        self.0.state_scan(b"a", &mut |_, _| panic!("inside the scan"))?;
        Ok(batch.into())
    }
}

#[test]
fn a_panic_inside_a_callback_crosses_no_border() {
    for factory in both::<Scans>() {
        let mut stage = factory.open("{}", batch().schema(), host()).unwrap().stage;
        for expected in
            ["panicked: inside the scan; it is not called again", "panicked before and is not called again"]
        {
            let told = stage.process(batch()).unwrap_err().to_string();
            assert_eq!(told, format!("stage `scans` of plugin `test` {expected}"));
        }
    }
}
