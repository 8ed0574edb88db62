//! What later rows may change of what is known, and what they must not: whatever comes in whatever order gives the same
//! records, the sinks hear of every change, and nothing that was said is lost.
//!
//! `HUILIU_CASES=5000` runs that many cases of each property.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{DECISIONS, Field, FieldType, MERGED_INTO, OpenStage, Origin, Outcome, RecordSchema};
use proptest::prelude::*;

use super::Dedup;
use crate::inspect::Inspect;

const COLUMNS: [&str; 3] = ["code", "name", "owner"];

/// Things are known by two texts, each of which a row may leave out.
const HALVES: &str = r#"{"match": [{"fields": ["code"]}], "link": {"merge": 0, "review": 0, "fields": [
    {"field": "name", "kind": "text"}, {"field": "owner", "kind": "text"}]}}"#;

/// Each sender has each thing once.
const PARTNERS: &str = r#"{"match": [{"fields": ["code"]}], "link": {"one_to_one": true, "fields": [
    {"field": "name", "kind": "text"}, {"field": "owner", "kind": "text"}]}}"#;

/// Code, name, owner; empty is missing.
type Sent = [String; 3];

/// What a sink knows of a record: its values and the record that it went into.
type Seen = (Vec<String>, String);

struct Stage {
    options: &'static str,
    host: Arc<MemoryHost>,
    deliveries: usize,
    /// What a sink has that got all that came out, in the order in which it came.
    sink: BTreeMap<String, Seen>,
}

impl Stage {
    fn new(options: &'static str) -> Self {
        Self { options, host: Arc::default(), deliveries: 0, sink: BTreeMap::new() }
    }

    fn send(&mut self, sender: &str, rows: &[Sent]) -> Vec<Outcome> {
        self.deliveries += 1;
        self.send_as(self.deliveries, sender, rows, rows.len())
    }

    /// The delivery of this number, in batches of so many rows.
    fn send_as(&mut self, number: usize, sender: &str, rows: &[Sent], many: usize) -> Vec<Outcome> {
        let origin = Origin {
            delivery: format!("delivery-{number}"),
            sender: sender.into(),
            file: format!("{number}.xlsx"),
            received_ms: number as i64,
            ..Origin::default()
        };
        let batch = |(at, rows): (usize, &[Sent])| {
            let text = |column: usize| -> ArrayRef {
                let texts = rows.iter().map(|row| Some(row[column].as_str()).filter(|text| !text.is_empty()));
                Arc::new(texts.collect::<StringArray>())
            };
            let first = (at * many) as i64 + 1;
            let mut columns: Vec<ArrayRef> = (0..COLUMNS.len()).map(text).collect();
            columns.push(Arc::new(StringArray::from(vec!["表1"; rows.len()])));
            columns.push(Arc::new(Int64Array::from_iter_values(first..first + rows.len() as i64)));
            columns.push(Arc::new(StringArray::from(vec![None::<&str>; rows.len()])));
            RecordBatch::try_new(Arc::new(origin.mark(&schema())), columns).unwrap()
        };
        self.run(rows.chunks(many).enumerate().map(batch).collect())
    }

    fn run(&mut self, batches: Vec<RecordBatch>) -> Vec<Outcome> {
        let mut opened = Dedup::open_json(self.options, schema(), self.host.clone()).unwrap();
        let mut outcomes: Vec<Outcome> =
            batches.into_iter().map(|batch| opened.stage.process(batch).unwrap()).collect();
        outcomes.extend(opened.stage.finish().unwrap());
        for batch in outcomes.iter().map(|outcome| &outcome.batch) {
            let column = |name: &str| texts(batch, name);
            let values: Vec<Vec<String>> = COLUMNS.iter().map(|name| column(name)).collect();
            let (ids, into) = (column("record_id"), column(MERGED_INTO));
            for at in 0..batch.num_rows() {
                let of_row = values.iter().map(|column| column[at].clone()).collect();
                self.sink.insert(ids[at].clone(), (of_row, into[at].clone()));
            }
        }
        outcomes
    }

    fn unmerge(&mut self, record: &str, source: &str) {
        let decision = serde_json::json!([
            {"word": "unmerge", "record": record, "source": source, "by": "王", "at_ms": 1}
        ]);
        let mut marked = schema().as_ref().clone();
        marked.metadata.insert(DECISIONS.into(), decision.to_string());
        let outcomes = self.run(vec![RecordBatch::new_empty(Arc::new(marked))]);
        assert_eq!(outcomes[0].findings.0[0].code, "decided", "{:?}", outcomes[0].findings);
    }

    /// The records that are: by id, their values.
    fn records(&self) -> BTreeMap<String, Vec<String>> {
        let inspect = Inspect::new(self.host.clone());
        let ids = self.sink.keys().filter(|id| inspect.now(id).unwrap().as_ref() == Some(id));
        let of = |id: &String| {
            let said = inspect.values(id).unwrap();
            let value = |name: &&str| {
                let said = said.iter().find(|said| said.field == **name);
                said.map_or("-".to_owned(), |said| said.value.clone())
            };
            (id.clone(), COLUMNS.iter().map(value).collect())
        };
        ids.map(of).collect()
    }

    /// Which rows, by their sender and values, are one record.
    fn clusters(&self) -> BTreeSet<BTreeSet<(String, Vec<String>)>> {
        let inspect = Inspect::new(self.host.clone());
        let rows = |id: &String| {
            let parts = inspect.parts(id).unwrap().into_iter();
            let row = |part: crate::inspect::PartStory| {
                (part.sender, part.values.into_iter().map(|said| said.value).collect())
            };
            parts.map(row).collect()
        };
        self.records().keys().map(rows).collect()
    }

    /// All that was ever said, each value with who said it.
    fn said(&self) -> BTreeSet<(String, String, String)> {
        let inspect = Inspect::new(self.host.clone());
        let ids = self.records().into_keys();
        let parts = ids.flat_map(|id| inspect.parts(&id).unwrap());
        let values = parts.flat_map(|part| {
            let sender = part.sender;
            part.values.into_iter().map(move |said| (sender.clone(), said.field, said.value))
        });
        values.collect()
    }

    /// The state but for what is remembered of files.
    fn state(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut state = self.host.state();
        state.retain(|key, _| !key.starts_with(b"f/"));
        state
    }
}

fn schema() -> SchemaRef {
    let field = |name: &str| Field { name: name.into(), kind: FieldType::Text, ..Field::default() };
    let fields = COLUMNS.map(field);
    RecordSchema { record: "thing".into(), label: String::new(), fields: fields.into() }.to_arrow()
}

fn texts(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = batch.column_by_name(name).unwrap().as_string::<i32>();
    column.iter().map(|text| text.unwrap_or("-").to_owned()).collect()
}

fn sent(code: &str, name: &str, owner: &str) -> Sent {
    [code, name, owner].map(str::to_owned)
}

const NAMES: [&str; 4] =
    ["orchard bridge repair", "granite quarry railway", "windmill copper foundry", "saltmarsh pumping plant"];
const OWNERS: [&str; 4] =
    ["harbour office seven", "fishermen quay guild", "northern timber union", "castle hill brewery"];

#[test]
fn two_records_that_were_put_together_by_themselves_are_taken_apart_and_stay_so() {
    let mut stage = Stage::new(HALVES);
    stage.send("甲", &[sent("", NAMES[0], "")]);
    stage.send("乙", &[sent("", "", OWNERS[0])]);
    let before = stage.records();
    assert_eq!(before.len(), 2);
    let both = sent("", NAMES[0], OWNERS[0]);
    stage.send("丙", std::slice::from_ref(&both));
    assert_eq!(stage.records().len(), 1);
    let stays = stage.records().into_keys().next().unwrap();
    let gone = before.keys().find(|id| **id != stays).unwrap().clone();
    stage.unmerge(&stays, &gone);
    let after = stage.records();
    assert_eq!(after[&gone], before[&gone]);
    assert_eq!(after.len(), 2);
    // All of it once more, and more like it, does not bring them together again.
    stage.send("甲", &[sent("", NAMES[0], "")]);
    stage.send("乙", &[sent("", "", OWNERS[0])]);
    stage.send("丙", std::slice::from_ref(&both));
    stage.send("丁", &[both]);
    let inspect = Inspect::new(stage.host.clone());
    assert_ne!(inspect.now(&gone).unwrap(), inspect.now(&stays).unwrap());
    assert!(stage.records().len() >= 2, "{:?}", stage.records());
}

/// What a batch of the outcomes of one delivery says of rows that came out before: which stands for which.
fn replaces(batch: &RecordBatch) -> Vec<(i64, i64)> {
    let pairs = batch.schema_ref().metadata.get(huiliu_stage::REPLACES);
    pairs.map_or(Vec::new(), |pairs| serde_json::from_str(pairs).unwrap())
}

fn numbers(batch: &RecordBatch) -> Vec<i64> {
    let rows = batch.column_by_name(huiliu_stage::ROW).unwrap();
    rows.as_primitive::<arrow::datatypes::Int64Type>().values().to_vec()
}

#[test]
fn what_is_revised_after_it_came_out_stands_for_what_came_out() {
    let mut stage = Stage::new(HALVES);
    // One row a batch: two records come out, then a third row shows that they are one.
    let rows = [sent("", NAMES[0], ""), sent("", "", OWNERS[0]), sent("", NAMES[0], OWNERS[0])];
    let outcomes = stage.send_as(1, "甲", &rows, 1);
    assert_eq!(outcomes.len(), 4);
    let earlier: BTreeMap<String, i64> = outcomes[..2]
        .iter()
        .flat_map(|outcome| texts(&outcome.batch, "record_id").into_iter().zip(numbers(&outcome.batch)))
        .collect();
    assert_eq!(earlier.len(), 2, "{earlier:?}");
    // Both come out once more at the end: the one that went, and the one that has all the two said now.
    let (third, end) = (&outcomes[2].batch, &outcomes[3].batch);
    let now = |batch: &RecordBatch| -> Vec<(i64, i64)> {
        let ids = texts(batch, "record_id");
        numbers(batch).into_iter().zip(ids.iter().map(|id| earlier[id])).collect()
    };
    assert_eq!((third.num_rows(), end.num_rows()), (0, 2));
    assert_eq!(replaces(end), now(end));
    // In another delivery there is nothing to stand for.
    let stays = stage.records().into_keys().next().unwrap();
    let gone = earlier.keys().find(|id| **id != stays).unwrap().clone();
    let decision = serde_json::json!([
        {"word": "unmerge", "record": stays, "source": gone, "by": "王", "at_ms": 1}
    ]);
    let mut marked = schema().as_ref().clone();
    marked.metadata.insert(DECISIONS.into(), decision.to_string());
    let outcomes = stage.run(vec![RecordBatch::new_empty(Arc::new(marked))]);
    assert_eq!(outcomes[1].batch.num_rows(), 2);
    assert_eq!(replaces(&outcomes[1].batch), []);
}

#[test]
fn a_partner_is_taken_back_when_a_better_one_comes() {
    let mut stage = Stage::new(PARTNERS);
    let weak = sent("B1", "orchard bridge painting", OWNERS[0]);
    let (ours, strong) = (sent("A1", NAMES[0], OWNERS[0]), sent("B2", NAMES[0], OWNERS[0]));
    stage.send("甲", std::slice::from_ref(&ours));
    let first = stage.records().into_keys().next().unwrap();
    stage.send("乙", std::slice::from_ref(&weak));
    assert_eq!(stage.records().len(), 1, "nothing better is known yet");
    let outcomes = stage.send("乙", std::slice::from_ref(&strong));
    assert_eq!(stage.records().len(), 2, "{:?}", outcomes[0].findings);
    let parts = Inspect::new(stage.host.clone()).parts(&first).unwrap();
    let codes: Vec<&str> = parts.iter().map(|part| &*part.values[0].value).collect();
    assert_eq!(codes, ["A1", "B2"], "the first record has the better partner");
    assert!(outcomes[0].findings.iter().any(|finding| finding.code == "revised"));
    let mut turned = Stage::new(PARTNERS);
    turned.send("乙", &[strong, weak]);
    turned.send("甲", &[ours]);
    assert_eq!(turned.clusters(), stage.clusters());
}

#[test]
fn a_row_that_came_by_a_key_is_not_parted_from_its_record() {
    let mut stage = Stage::new(PARTNERS);
    stage.send("甲", &[sent("A1", NAMES[0], OWNERS[0])]);
    stage.send("乙", &[sent("K1", "orchard bridge painting", OWNERS[0])]);
    assert_eq!(stage.records().len(), 1);
    // By its code: now two rows of that sender stand for one thing there.
    stage.send("乙", &[sent("K1", "orchard bridge paint", OWNERS[0])]);
    stage.send("乙", &[sent("B2", NAMES[0], OWNERS[0])]);
    let inspect = Inspect::new(stage.host.clone());
    let of_key = |id: &String| {
        let parts = inspect.parts(id).unwrap();
        parts.iter().filter(|part| part.values[0].value == "K1").count()
    };
    let counts: Vec<usize> = stage.records().keys().map(of_key).filter(|count| *count > 0).collect();
    assert_eq!(counts, [2], "both rows of the key are of one record");
}

/// How many cases of each property.
fn cases() -> ProptestConfig {
    let wanted = std::env::var("HUILIU_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(wanted.unwrap_or(48))
}

/// Deliveries of three senders about four things.
fn deliveries() -> impl Strategy<Value = Vec<(usize, Vec<Sent>)>> {
    let code = proptest::sample::select(&["", "", "K1", "K2", "K3"][..]);
    let row = (code, 0..=4_usize, 0..=4_usize).prop_map(|(code, name, owner)| {
        let text = |texts: [&'static str; 4], at: usize| at.checked_sub(1).map_or("", |at| texts[at]);
        sent(code, text(NAMES, name), text(OWNERS, owner))
    });
    proptest::collection::vec((0..3_usize, proptest::collection::vec(row, 1..5)), 1..7)
}

const SENDERS: [&str; 3] = ["甲", "乙", "丙"];

/// Rows of things that nobody could take for one another, each row saying the name, the owner or both; in two orders.
fn two_orders() -> impl Strategy<Value = (Vec<Sent>, Vec<Sent>)> {
    let row = (0..4_usize, 0..3_u8).prop_map(|(thing, says)| {
        let (name, owner) =
            (if says == 1 { "" } else { NAMES[thing] }, if says == 0 { "" } else { OWNERS[thing] });
        sent("", name, owner)
    });
    let rows = proptest::collection::vec(row, 1..14);
    rows.prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
}

/// Rows of two senders about things that each has once, some with a lookalike; each with its sender, in two orders.
fn partners() -> impl Strategy<Value = [Vec<(usize, Sent)>; 2]> {
    let mut rows = Vec::new();
    for (name, owner) in NAMES.iter().zip(OWNERS) {
        let (first, rest) = name.split_once(' ').unwrap();
        let shorter = format!("{first} {}", rest.split(' ').next().unwrap());
        // Each row has a code of its own: of what is equal in all a key would say that it is one.
        let mut add =
            |sender, name: &str| rows.push((sender, sent(&format!("C{}", rows.len()), name, owner)));
        add(0, name);
        add(1, name);
        add(1, &shorter);
        add(0, &format!("{first} works"));
    }
    let some = proptest::sample::subsequence(rows.clone(), 1..=rows.len());
    some.prop_flat_map(|rows| [Just(rows.clone()).prop_shuffle(), Just(rows).prop_shuffle()])
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_order_of_arrival_changes_who_is_one_with_whom((one, other) in two_orders(), many in 1..5_usize) {
        let (mut first, mut second) = (Stage::new(HALVES), Stage::new(HALVES));
        one.chunks(many).for_each(|rows| drop(first.send("甲", rows)));
        other.chunks(3).for_each(|rows| drop(second.send("甲", rows)));
        prop_assert_eq!(first.clusters(), second.clusters());
    }

    #[test]
    fn no_order_of_arrival_changes_who_is_whose_partner([one, other] in partners()) {
        let (mut first, mut second) = (Stage::new(PARTNERS), Stage::new(PARTNERS));
        one.iter().for_each(|(sender, row)| drop(first.send(SENDERS[*sender], std::slice::from_ref(row))));
        other.iter().for_each(|(sender, row)| drop(second.send(SENDERS[*sender], std::slice::from_ref(row))));
        prop_assert_eq!(first.clusters(), second.clusters());
    }

    #[test]
    fn the_sinks_hear_of_every_change_and_nothing_is_lost(
        sent in deliveries(),
        partners in any::<bool>(),
        many in 1..5_usize,
    ) {
        let mut stage = Stage::new(if partners { PARTNERS } else { HALVES });
        let mut said = BTreeSet::new();
        for (sender, rows) in &sent {
            stage.deliveries += 1;
            let outcomes = stage.send_as(stage.deliveries, SENDERS[*sender], rows, many);
            let came = outcomes.iter().map(|outcome| &outcome.batch);
            // What stands after the delivery, as a sink sees it that gets each row once: no record twice.
            let mut standing: BTreeMap<i64, String> = BTreeMap::new();
            for batch in came {
                for (_, earlier) in replaces(batch) {
                    prop_assert!(standing.remove(&earlier).is_some(), "{} stood for nothing", earlier);
                }
                standing.extend(numbers(batch).into_iter().zip(texts(batch, "record_id")));
            }
            let ids: BTreeSet<&String> = standing.values().collect();
            prop_assert_eq!(ids.len(), standing.len(), "{:?}", standing);
            for row in rows {
                let values = COLUMNS.iter().zip(row).filter(|(_, value)| !value.is_empty());
                said.extend(values.map(|(field, value)| {
                    (SENDERS[*sender].to_owned(), (*field).to_owned(), value.clone())
                }));
            }
        }
        prop_assert_eq!(stage.said(), said);
        let records = stage.records();
        let inspect = Inspect::new(stage.host.clone());
        for (id, (values, into)) in &stage.sink {
            match records.get(id) {
                Some(record) => prop_assert_eq!((record, &**into), (values, "-"), "{}", id),
                None => {
                    let now = inspect.now(id).unwrap();
                    prop_assert!(now.is_some() && into != "-", "{} is {:?} and went into {}", id, now, into);
                }
            }
        }
        // The last delivery once more changes nothing.
        if let Some((sender, rows)) = sent.last() {
            let number = stage.deliveries;
            stage.send_as(number, SENDERS[*sender], rows, rows.len());
            let before = stage.state();
            let outcomes = stage.send_as(number, SENDERS[*sender], rows, rows.len());
            prop_assert_eq!(outcomes.iter().map(|outcome| outcome.batch.num_rows()).sum::<usize>(), 0);
            prop_assert_eq!(stage.state(), before);
        }
    }

    #[test]
    fn taking_apart_what_was_put_together_restores_it_and_it_stays(sent in deliveries()) {
        let mut stage = Stage::new(HALVES);
        for (at, (sender, rows)) in sent.iter().enumerate() {
            let before = stage.records();
            let outcomes = stage.send(SENDERS[*sender], rows);
            if !outcomes[0].findings.iter().any(|finding| finding.code == "united") {
                continue;
            }
            let after = stage.records();
            let gone = before.keys().find(|id| !after.contains_key(*id)).cloned();
            let Some(gone) = gone else { continue };
            let inspect = Inspect::new(stage.host.clone());
            let stays = inspect.now(&gone).unwrap().unwrap();
            stage.unmerge(&stays, &gone);
            let said = stage.said();
            prop_assert!(stage.records().contains_key(&gone));
            // Whatever comes again: the two stay two.
            for (sender, rows) in &sent[..=at] {
                stage.send(SENDERS[*sender], rows);
            }
            prop_assert_ne!(inspect.now(&gone).unwrap(), inspect.now(&stays).unwrap());
            prop_assert_eq!(stage.said(), said);
            break;
        }
    }
}
