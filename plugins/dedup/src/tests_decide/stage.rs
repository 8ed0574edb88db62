//! A stage to be tested: deliveries and decisions go in, and all that is known afterwards can be looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{DECISIONS, Field, FieldType, MERGED_INTO, OpenStage, Origin, Outcome, RecordSchema};

use crate::Dedup;
use crate::entity::{Held, Record};
use crate::inspect::Inspect;
use crate::merge::Merge;
use crate::records::{RecordId, Records};
use crate::survive::made_of;

const OPTIONS: &str = r#"{
    "match": [{"fields": ["code"]}],
    "merge": {"fields": {"total": "max", "leader": {"priority": ["统计局", "发改局"]}, "place": "majority"}},
    "link": {"review": -6, "fields": [{"field": "name", "kind": "name"}, {"field": "owner", "kind": "company"}]}}"#;

pub(super) const COLUMNS: [&str; 6] = ["code", "owner", "name", "leader", "place", "total"];

pub(super) fn schema() -> SchemaRef {
    let kind = |name: &str| if name == "total" { FieldType::Integer } else { FieldType::Text };
    let fields = COLUMNS.map(|name| Field { name: name.into(), kind: kind(name), ..Field::default() });
    RecordSchema { record: "project".into(), label: String::new(), fields: fields.into() }.to_arrow()
}

/// Code, owner, name, leader, place; empty is missing. Then the total; 0 is missing.
pub(super) type Sent = ([&'static str; 5], i64);

pub(super) const SENDERS: [&str; 3] = ["发改局", "住建局", "统计局"];

/// What one delivery is: its sender, which of the sender's files, how many rows arrive together, and the rows.
pub(super) type Delivery = (usize, usize, usize, Vec<Sent>);

pub(super) struct Stage {
    pub(super) host: Arc<MemoryHost>,
    pub(super) deliveries: usize,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self { host: Arc::default(), deliveries: 0 }
    }

    /// A delivery of `sender` in a file of its own, to a stage opened for it.
    pub(super) fn send(&mut self, sender: &str, rows: &[Sent]) -> Outcome {
        let file = format!("{}.xlsx", self.deliveries + 1);
        self.send_file(sender, &file, rows)
    }

    /// The same in a file of this name.
    pub(super) fn send_file(&mut self, sender: &str, file: &str, rows: &[Sent]) -> Outcome {
        self.send_batches(sender, file, rows, rows.len()).remove(0)
    }

    /// The same in batches of so many rows.
    pub(super) fn send_batches(
        &mut self,
        sender: &str,
        file: &str,
        rows: &[Sent],
        many: usize,
    ) -> Vec<Outcome> {
        self.deliveries += 1;
        let origin = Origin {
            delivery: format!("delivery-{}", self.deliveries),
            sender: sender.into(),
            file: file.into(),
            received_ms: self.deliveries as i64,
            ..Origin::default()
        };
        let mut opened = Dedup::open_json(OPTIONS, schema(), self.host.clone()).unwrap();
        let batches = rows.chunks(many).enumerate().map(|(at, rows)| batch(&origin, at * many, rows));
        let outcomes = batches.map(|batch| opened.stage.process(batch).unwrap()).collect();
        opened.stage.finish().unwrap();
        outcomes
    }

    /// One of the [`deliveries`]; gives how many records changed.
    pub(super) fn deliver(&mut self, (sender, file, many, rows): &Delivery) -> usize {
        let own = format!("{}.xlsx", self.deliveries + 1);
        let file = ["甲.xlsx", "乙.xlsx", "丙.xlsx"].get(*file).map_or(own, |name| (*name).to_owned());
        let outcomes = self.send_batches(SENDERS[*sender], &file, rows, *many);
        outcomes.iter().map(|outcome| outcome.batch.num_rows()).sum()
    }

    /// A decision; gives what comes out at the end of its delivery, or why it was refused.
    pub(super) fn decide(
        &mut self,
        word: &str,
        record: &str,
        more: &[(&str, &str)],
    ) -> Result<RecordBatch, String> {
        let mut decision = serde_json::json!({"word": word, "record": record, "by": "王", "at_ms": 1});
        for (key, value) in more {
            decision[*key] = (*value).into();
        }
        let mut schema = schema().as_ref().clone();
        schema.metadata.insert(DECISIONS.into(), format!("[{decision}]"));
        let mut opened = Dedup::open_json(OPTIONS, self::schema(), self.host.clone()).unwrap();
        let outcome = opened.stage.process(RecordBatch::new_empty(Arc::new(schema))).unwrap();
        assert_eq!(outcome.batch.num_rows(), 0);
        let finding = &outcome.findings.0[0];
        let made = opened.stage.finish().unwrap().map(|outcome| outcome.batch);
        match &*finding.code {
            "decided" => Ok(made.unwrap_or(outcome.batch)),
            _ => Err(finding.message.en.clone()),
        }
    }

    /// Two are one, and then two again.
    pub(super) fn there_and_back(&mut self, one: &str, other: &str) {
        let (stays, goes) = self.unite(one, other);
        self.decide("unmerge", &stays, &[("source", &goes)]).unwrap();
    }

    /// Two are one; which one stays, and which one goes.
    pub(super) fn unite(&mut self, one: &str, other: &str) -> (String, String) {
        let made = self.decide("accept", one, &[("other", other)]).unwrap();
        let goes = texts(&made, "record_id")[0].clone();
        (texts(&made, MERGED_INTO)[0].clone(), goes)
    }

    /// Each record made anew of its parts, as they are kept.
    pub(super) fn made_anew(&self) -> BTreeMap<String, Vec<String>> {
        let options = serde_json::from_str(OPTIONS).unwrap();
        let (mut merge, _) = Merge::open(&options, &schema(), self.host.clone()).unwrap();
        let one = |id: String| {
            let parts = merge.parts_of(RecordId::parse(&id).unwrap()).unwrap();
            let made = made_of(&merge.fields, &parts, merge.tolerance);
            let shown = made.values.iter().take(COLUMNS.len()).map(|held| with_place(held, &made)).collect();
            (id, shown)
        };
        self.records().into_keys().map(one).collect()
    }

    /// The records that are: by id, their values, each with where it came from.
    pub(super) fn with_places(&self) -> BTreeMap<String, Vec<String>> {
        self.each_value(with_place)
    }

    /// The records that are: by id, their values.
    pub(super) fn records(&self) -> BTreeMap<String, Vec<String>> {
        let shown = |held: &Option<Held>, _: &Record| {
            held.as_ref().map_or("-".to_owned(), |held| held.value.show(&DataType::Utf8))
        };
        self.each_value(shown)
    }

    /// All that is known of the records: their values with where these came from, and their parts.
    pub(super) fn everything(&self) -> BTreeMap<String, Vec<String>> {
        let inspect = Inspect::new(self.host.clone());
        let mut all = self.with_places();
        for (id, all) in &mut all {
            all.extend(inspect.parts(id).unwrap().into_iter().map(|part| format!("{part:?}")));
        }
        all
    }

    pub(super) fn each_value(
        &self,
        show: impl Fn(&Option<Held>, &Record) -> String,
    ) -> BTreeMap<String, Vec<String>> {
        let state = self.host.state();
        let ids = state
            .keys()
            .filter(|key| key.starts_with(b"e/") && key.len() == 12)
            .map(|key| RecordId::from_bytes(key[2..].try_into().unwrap()));
        let fields = schema()
            .fields
            .iter()
            .filter(|f| !f.name().starts_with('_') || f.name() == "_extra")
            .map(|f| (f.name().clone(), f.data_type().clone()))
            .collect();
        let mut records = Records::new(self.host.clone(), fields);
        ids.map(|id| {
            let record = records.get(id).unwrap();
            let shown = record.values.iter().take(COLUMNS.len()).map(|held| show(held, record));
            (id.to_string(), shown.collect())
        })
        .collect()
    }

    /// The record with this value.
    #[track_caller]
    pub(super) fn id(&self, value: &str) -> String {
        let found: Vec<String> = self
            .records()
            .into_iter()
            .filter(|(_, values)| values.iter().any(|v| v == value))
            .map(|(id, _)| id)
            .collect();
        assert_eq!(found.len(), 1, "{value}: {:?}", self.records());
        found[0].clone()
    }

    /// Which records have which key, in their order.
    pub(super) fn keys(&self) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
        let state = self.host.state().into_iter().filter(|(key, _)| key.starts_with(b"k/"));
        let ids = |kept: Vec<u8>| {
            let ids = kept.len() / 10 - kept.len() % 10;
            kept.chunks(10).take(ids).map(<[u8]>::to_vec).collect()
        };
        state.map(|(key, kept)| (key, ids(kept))).collect()
    }

    /// Which rows of which record the linkage knows.
    pub(super) fn linked_rows(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.host.state().into_iter().filter(|(key, _)| key.starts_with(b"n/")).collect()
    }

    /// What people are asked, but for this pair.
    pub(super) fn questions(&self, pair: [&String; 2]) -> BTreeSet<String> {
        let queue = Inspect::new(self.host.clone()).queue().unwrap();
        let others = queue.iter().filter(|q| !(pair.contains(&&q.record) && pair.contains(&&q.other)));
        others.map(|question| format!("{question:?}")).collect()
    }

    pub(super) fn values(&self, id: &str) -> Vec<String> {
        self.records()[id].clone()
    }
}

/// A value with where it came from.
fn with_place(held: &Option<Held>, record: &Record) -> String {
    let place = held.as_ref().map(|held| &record.places[held.place as usize]);
    let value = held.as_ref().map(|held| held.value.show(&DataType::Utf8));
    format!("{value:?} {:?}", place.map(|place| (&place.source, place.row)))
}

pub(super) fn batch(origin: &Origin, first: usize, rows: &[Sent]) -> RecordBatch {
    let text = |at: usize| -> ArrayRef {
        let texts = rows.iter().map(|(row, _)| Some(row[at]).filter(|text| !text.is_empty()));
        Arc::new(texts.collect::<StringArray>())
    };
    let mut columns: Vec<ArrayRef> = (0..5).map(text).collect();
    let totals = rows.iter().map(|&(_, total)| Some(total).filter(|t| *t > 0));
    columns.push(Arc::new(totals.collect::<Int64Array>()));
    columns.push(Arc::new(StringArray::from(vec!["表1"; rows.len()])));
    columns.push(Arc::new(Int64Array::from_iter_values((first..first + rows.len()).map(|row| row as i64))));
    columns.push(Arc::new(StringArray::from(vec![None::<&str>; rows.len()])));
    RecordBatch::try_new(Arc::new(origin.mark(&schema())), columns).unwrap()
}

pub(super) fn texts(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = batch.column_by_name(name).unwrap();
    column.as_string::<i32>().iter().map(|text| text.unwrap_or("-").to_owned()).collect()
}
