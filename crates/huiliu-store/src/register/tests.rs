//! What the register promises.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use huiliu_pipeline::ports::{Sink, Store, StoreError, Stream};
use huiliu_stage::{EXTRA, MERGED_INTO, ROW, SHEET, json_field};

use crate::testing::*;
use crate::{RegisterOptions, SqliteStore};

type Row<'a> = (&'a str, &'a str, &'a str);

/// Rows of (record id, name, status), each with an origin of its delivery.
fn rows(delivery: &str, rows: &[Row<'_>]) -> RecordBatch {
    let column = |at: usize| -> Vec<&str> { rows.iter().map(|row| [row.0, row.1, row.2][at]).collect() };
    let (ids, names, status) = (column(0), column(1), column(2));
    let origins = format!(r#"{{"name":"{delivery}!B2","status":"{delivery}!C2"}}"#);
    let (origins, by) = (vec![&*origins; rows.len()], format!("by {delivery}"));
    let all = [ids, names, status, origins, vec![&*by; rows.len()]];
    let names = ["record_id", "name", "status", "origins", "matched_by"];
    let columns: Vec<(&str, &[&str])> = names.into_iter().zip(all.iter().map(Vec::as_slice)).collect();
    batch(&columns, 2)
}

fn deliver(store: &SqliteStore, seq: u64) {
    let mut sink = store.register_sink(PIPELINE, "register", RegisterOptions::new("project"));
    let entry = store.next_after(PIPELINE, seq - 1).unwrap().unwrap();
    sink.deliver(&entry, &mut store.read_log(seq, Stream::Records).unwrap()).unwrap();
}

fn send(store: &SqliteStore, id: &str, records: RecordBatch) {
    let seq = commit(store, id, &[(Stream::Records, records)]).unwrap();
    deliver(store, seq);
}

fn dump(store: &SqliteStore) -> String {
    let mut out = Vec::new();
    store.dump("project", &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_delivery_counts_once_however_often_it_is_delivered() {
    let (folder, store) = store();
    send(&store, "a", rows("a", &[("r1", "甲", "在建"), ("r2", "乙", "在建")]));
    send(&store, "b", rows("b", &[("r1", "甲", "竣工")]));
    let before = dump(&store);
    deliver(&store, 1);
    deliver(&store, 2);
    drop(store);
    let store = SqliteStore::open_exclusive(folder.path()).unwrap();
    deliver(&store, 1);
    assert_eq!(dump(&store), before);
    assert_eq!(store.register_count("project").unwrap(), 2);
    assert_eq!(store.cursor(PIPELINE, "register").unwrap(), 2);
    assert_eq!(store.registers().unwrap(), ["project"]);
}

#[test]
fn a_delivery_that_breaks_off_leaves_no_row() {
    let (_folder, store) = store();
    let seq = commit(&store, "a", &[(Stream::Records, rows("a", &[("r1", "甲", "")]))]).unwrap();
    let entry = store.delivery("a").unwrap();
    let mut sink = store.register_sink(PIPELINE, "register", RegisterOptions::new("project"));
    let broken = Err(StoreError::Failed("disk".into()));
    let mut batches = vec![Ok(rows("a", &[("r1", "甲", "")])), broken].into_iter();
    assert!(sink.deliver(&entry, &mut batches).is_err());
    assert_eq!(
        (store.register_count("project").unwrap(), store.cursor(PIPELINE, "register").unwrap()),
        (0, 0)
    );
    deliver(&store, seq);
    assert_eq!(store.register_count("project").unwrap(), 1);
}

#[test]
fn every_value_tells_where_it_came_from_and_what_it_was_before() {
    let (_folder, store) = store();
    send(&store, "a", rows("a", &[("r1", "甲", "前期")]));
    send(&store, "b", rows("b", &[("r1", "甲", "在建")]));
    send(&store, "c", rows("c", &[("r1", "甲", "")]));
    let story = store.explain("project", "r1").unwrap();
    assert_eq!((story.record.revision, &*story.first_delivery), (3, "a"));
    let why: Vec<_> = story.revisions.iter().map(|r| (r.revision, r.matched.as_deref().unwrap())).collect();
    assert_eq!(why, [(1, "by a"), (2, "by b"), (3, "by c")]);
    let text = |value: &crate::ValueStory| {
        let value_text = value.value.as_ref().map_or("missing", |v| v.get());
        let origin = value.origin.as_ref().map_or("", |o| o.get());
        format!("{value_text} from {origin} in {} {}", value.delivery, value.file)
    };
    let fields: Vec<_> = story
        .fields
        .iter()
        .map(|f| (&*f.field, text(&f.current), f.earlier.iter().map(text).collect::<Vec<_>>()))
        .collect();
    let expected = [
        ("name", r#""甲" from "c!B2" in a a.xlsx"#.to_owned(), vec![]),
        (
            "status",
            r#"missing from "c!C2" in c c.xlsx"#.to_owned(),
            vec![
                r#""在建" from "b!C2" in b b.xlsx"#.to_owned(),
                r#""前期" from "a!C2" in a a.xlsx"#.to_owned(),
            ],
        ),
    ];
    assert_eq!(fields, expected);
    assert!(store.explain("project", "r").is_err());
}

#[test]
fn the_same_values_make_no_revision() {
    let (_folder, store) = store();
    send(&store, "a", rows("a", &[("r1", "甲", "在建")]));
    send(&store, "b", rows("b", &[("r1", "甲", "在建")]));
    // The columns in another order, and one more that is empty.
    let columns: &[(&str, &[&str])] =
        &[("status", &["在建"]), ("new", &[""]), ("name", &["甲"]), ("record_id", &["r1"])];
    send(&store, "c", batch(columns, 2));
    let record = store.records("project", "", 9).unwrap().remove(0);
    assert_eq!((record.revision, &*record.delivery), (1, "a"));
    let origin = record.origins.as_ref().and_then(|origins| origins.get("name")).unwrap().to_string();
    assert_eq!(origin, r#""b!B2""#, "the latest word on where a value came from holds");
    let story = store.explain("project", "r1").unwrap();
    assert_eq!(story.revisions.len(), 1);
}

#[test]
fn without_an_id_each_row_is_a_record() {
    let (_folder, store) = store();
    let once = batch(&[("name", &["甲", "乙"])], 5);
    // A stage that multiplies rows gives several of one `_row`.
    let twice = arrow::compute::take_record_batch(&once, &Int64Array::from(vec![0, 0, 1])).unwrap();
    send(&store, "a", twice);
    let ids: Vec<_> = store.records("project", "", 9).unwrap().into_iter().map(|record| record.id).collect();
    assert_eq!(ids, ["a-5", "a-5.1", "a-6"]);
}

#[test]
fn values_are_kept_to_the_last_digit() {
    let (_folder, store) = store();
    let amount = Decimal128Array::from(vec![123_456_789_012_345_678_i128]).with_precision_and_scale(18, 4);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["r1"])),
        Arc::new(amount.unwrap()),
        Arc::new(Date32Array::from(vec![19_844])),
        Arc::new(StringArray::from(vec![r#"{"a":1}"#])),
        Arc::new(StringArray::from(vec!["一"])),
        Arc::new(Int64Array::from(vec![2])),
        Arc::new(StringArray::from(vec![r#"{"备注":"无"}"#])),
    ];
    let field = |name: &str, at: usize| Field::new(name, columns[at].data_type().clone(), true);
    let fields = vec![
        field("record_id", 0),
        field("total", 1),
        field("start", 2),
        json_field("parts", true),
        field(SHEET, 4),
        field(ROW, 5),
        json_field(EXTRA, true),
    ];
    send(&store, "a", RecordBatch::try_new(Schema::new(fields).into(), columns).unwrap());
    let line = dump(&store);
    let expected = concat!(
        r#"{"id":"r1","revision":1,"data":{"total":12345678901234.5678,"start":"2024-05-01","parts":{"a":1}},"#,
        r#""extra":{"备注":"无"},"origins":null,"matched":null,"delivery":"a","sheet":"一","row":2}"#,
        "\n"
    );
    assert_eq!(line, expected);
}

#[test]
fn a_record_is_found_by_what_a_person_knows_of_it() {
    let (_folder, store) = store();
    let all =
        [("p-001", "星辰\"电池\"项目", "2024-A"), ("p-002", "星辰电池", "2024-B"), ("q-1", "桥", "星辰电池")];
    send(&store, "a", rows("a", &all));
    let table: [(&str, &[&str]); 7] = [
        ("p-001", &["p-001"]),
        ("p-", &["p-001", "p-002"]),
        ("2024-B", &["p-002"]),
        ("星辰电池", &["p-002", "q-1"]), // Whole values win over parts.
        ("\"电池\"", &["p-001"]),
        ("name", &[]), // Names of fields are not values.
        ("", &[]),
    ];
    for (key, expected) in table {
        let found = store.find_records("project", key, 9).unwrap();
        assert_eq!(found.iter().map(|record| &*record.id).collect::<Vec<_>>(), expected, "{key}");
    }
}

#[test]
fn the_same_deliveries_give_the_same_register() {
    let run = || {
        let (_folder, store) = store();
        send(&store, "a", rows("a", &[("r2", "乙", "在建"), ("r1", "甲", "在建")]));
        send(&store, "b", rows("b", &[("r1", "甲", "竣工")]));
        dump(&store)
    };
    assert_eq!(run(), run());
}

#[test]
fn a_pipeline_that_knows_a_part_of_a_record_changes_that_part_alone() {
    let (_folder, store) = store();
    send(&store, "a", rows("a", &[("r1", "甲", "在建"), ("r2", "乙", "在建")]));
    let mut options = RegisterOptions::new("project");
    options.only = vec!["status".into(), "light".into()];
    let mut sink = store.register_sink(PIPELINE, "register", options);
    let cells: [(&str, &[&str]); 4] = [
        ("record_id", &["r1", "r2", "r3"]),
        ("name", &["别名", "", "丙"]),
        ("status", &["竣工", "", "在建"]),
        ("light", &["red", "", ""]),
    ];
    let seq = commit(&store, "b", &[(Stream::Records, batch(&cells, 2))]).unwrap();
    let entry = store.next_after(PIPELINE, seq - 1).unwrap().unwrap();
    for _ in 0..2 {
        sink.deliver(&entry, &mut store.read_log(seq, Stream::Records).unwrap()).unwrap();
    }
    let records = store.records("project", "", 9).unwrap();
    let data: Vec<String> = records.iter().map(|record| record.data.to_string()).collect();
    assert_eq!(data, [r#"{"name":"甲","status":"竣工","light":"red"}"#, r#"{"name":"乙"}"#], "no third one");
    let first = &records[0];
    assert_eq!((first.revision, &*first.delivery, first.matched.as_deref()), (2, "b", Some("by a")));
    assert_eq!(store.explain("project", "r1").unwrap().revisions.len(), 2);
}

/// A record that goes into another, as a person's decision gives it out.
fn merged(delivery: &str, id: &str, into: &str, row: Row<'_>) -> RecordBatch {
    let both = rows(delivery, &[(id, "", ""), row]);
    let into: ArrayRef = Arc::new(StringArray::from(vec![Some(into), None]));
    let mut fields: Vec<Arc<Field>> = both.schema_ref().fields.iter().cloned().collect();
    fields.push(Arc::new(Field::new(MERGED_INTO, into.data_type().clone(), true)));
    let columns = both.columns().iter().cloned().chain([into]).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

#[test]
fn a_record_that_went_into_another_answers_with_it_until_it_comes_back() {
    let (_folder, store) = store();
    send(&store, "a", rows("a", &[("r1", "甲", "在建"), ("r2", "乙", "在建"), ("r3", "丙", "在建")]));
    send(&store, "b", rows("b", &[("r2", "乙", "竣工")]));
    send(&store, "c", merged("c", "r2", "r1", ("r1", "甲乙", "竣工")));
    let found = |key: &str| -> Vec<String> {
        store.find_records("project", key, 9).unwrap().into_iter().map(|record| record.id).collect()
    };
    assert_eq!((store.register_count("project").unwrap(), found("r2")), (2, vec!["r1".to_owned()]));
    let story = store.explain("project", "r2").unwrap();
    assert_eq!((&*story.record.id, story.former), ("r1", vec!["r2".to_owned()]));
    // A chain is followed to its end, and is told whole.
    send(&store, "d", merged("d", "r1", "r3", ("r3", "丙", "竣工")));
    assert_eq!(found("r2"), ["r3"]);
    assert_eq!(store.explain("project", "r3").unwrap().former, ["r1", "r2"]);
    // It comes back and counts on from what it was.
    send(&store, "e", rows("e", &[("r2", "乙", "停工")]));
    let story = store.explain("project", "r2").unwrap();
    assert_eq!((&*story.record.id, story.record.revision), ("r2", 3));
    assert_eq!(story.revisions.len(), 3, "what it was before is still told");
    assert_eq!(store.check_balance().unwrap(), []);
}

#[test]
fn rows_that_went_into_later_ones_of_their_delivery_are_given_to_nobody() {
    let (_folder, store) = store();
    let delivery = delivery("a");
    store.see(&delivery).unwrap();
    let batch = rows("a", &[("r1", "甲", "前期"), ("r2", "乙", "在建"), ("r1", "甲", "在建")]);
    let mut commit = outcome(&delivery, sealed(&store, &delivery, &[(Stream::Records, batch)]));
    commit.replaced = vec![2];
    let seq = store.commit(commit).unwrap();
    deliver(&store, seq);
    let first = store.explain("project", "r1").unwrap();
    assert_eq!((first.record.revision, first.record.row), (1, 4));
    let given: usize =
        store.read_log(seq, Stream::Records).unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(given, 2);
}
