//! The engine in memory: plain Rust stages, a store in a map.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use hashbrown::HashSet;
use huiliu_stage::{EVIDENCE, Fate, Field, NO_SHEET, Outcome, ROW, RecordSchema, Severity, UNREADABLE};

use super::*;
use crate::account::without;
use crate::expression::Functions;
use crate::host::NoTables;
use crate::ports::{LedgerEntry, StateChange, Stream};

type Entries = BTreeMap<(String, Vec<u8>), Vec<u8>>;

/// What a commit left behind.
#[derive(Default)]
struct Kept {
    state: Entries,
    records: Vec<RecordBatch>,
    rejects: Vec<RecordBatch>,
    counts: Option<Counts>,
    findings: Vec<Finding>,
    refused: Vec<Finding>,
    evidence: Vec<Evidence>,
}

#[derive(Default)]
struct MemoryStore {
    kept: Mutex<Kept>,
    log: Arc<Mutex<Vec<(Stream, RecordBatch)>>>,
}

struct MemoryLog(Arc<Mutex<Vec<(Stream, RecordBatch)>>>);

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LogWriter for MemoryLog {
    fn append(&mut self, stream: Stream, batch: &RecordBatch) -> Result<(), StoreError> {
        held(&self.0).push((stream, batch.clone()));
        Ok(())
    }

    fn seal(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn name(&self) -> String {
        "log".into()
    }

    fn size(&self, _stream: Stream) -> (u64, u64) {
        (0, 0)
    }
}

impl Store for MemoryStore {
    fn see(&self, _delivery: &Delivery) -> Result<LedgerEntry, StoreError> {
        Err(StoreError::Missing("not used here".into()))
    }

    fn state_get(&self, slot: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(held(&self.kept).state.get(&(slot.to_owned(), key.to_vec())).cloned())
    }

    fn state_scan(
        &self,
        slot: &str,
        prefix: &[u8],
        each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        let state = held(&self.kept).state.clone();
        for ((of, key), value) in &state {
            if of == slot && key.starts_with(prefix) && !each(key, value) {
                break;
            }
        }
        Ok(())
    }

    fn log(&self, _delivery: &Delivery) -> Result<Box<dyn LogWriter>, StoreError> {
        held(&self.log).clear();
        Ok(Box::new(MemoryLog(self.log.clone())))
    }

    fn commit(&self, commit: Commit<'_>) -> Result<u64, StoreError> {
        let mut kept = held(&self.kept);
        for (slot, changes) in commit.state {
            for (key, change) in changes as Vec<StateChange> {
                match change {
                    Some(value) => kept.state.insert((slot.clone(), key), value),
                    None => kept.state.remove(&(slot.clone(), key)),
                };
            }
        }
        for (stream, batch) in held(&self.log).drain(..) {
            match stream {
                Stream::Records => kept.records.push(batch),
                Stream::Rejects => kept.rejects.push(batch),
            }
        }
        kept.counts = Some(commit.counts);
        kept.findings = commit.findings;
        kept.evidence = commit.evidence;
        Ok(1)
    }

    fn refuse(
        &self,
        _delivery: &Delivery,
        counts: Counts,
        findings: Vec<Finding>,
        _sheets: Vec<String>,
        _report: serde_json::Value,
    ) -> Result<(), StoreError> {
        let mut kept = held(&self.kept);
        kept.counts = Some(counts);
        kept.refused = findings;
        Ok(())
    }
}

/// Gives batches that a test made.
struct Given(std::vec::IntoIter<Result<Outcome, ReadStop>>);

impl Reader for Given {
    fn next(&mut self) -> Option<Result<Outcome, ReadStop>> {
        self.0.next()
    }

    fn sheets(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn report(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

fn schema() -> SchemaRef {
    let name = Field { name: "name".into(), ..Field::default() };
    RecordSchema { fields: vec![name], ..RecordSchema::default() }.to_arrow()
}

/// Rows numbered from `first`.
fn rows(first: i64, names: &[&str]) -> RecordBatch {
    let count = names.len();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(names.to_vec())),
        Arc::new(StringArray::from(vec![""; count])),
        Arc::new(Int64Array::from_iter_values((first..).take(count))),
        Arc::new(StringArray::from(vec![None::<&str>; count])),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

/// A stage made of a closure.
struct Closure<F>(F, Arc<dyn Host>);

impl<F: FnMut(RecordBatch, &dyn Host) -> Result<Outcome, StageError> + Send> Stage for Closure<F> {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        (self.0)(batch, &*self.1)
    }
}

/// A stage at its place; `checks` says that it wants to see refused rows.
fn slot<F>(name: &str, store: &Arc<MemoryStore>, checks: bool, work: F) -> Slot
where
    F: Fn(RecordBatch, &dyn Host) -> Result<Outcome, StageError> + Send + Sync + Clone + 'static,
{
    let mut output = (*schema()).clone();
    if checks {
        output.metadata.insert(SEES_REFUSED.to_owned(), "true".to_owned());
    }
    let output = Arc::new(output);
    let host =
        EngineHost::new(&format!("p/{name}"), store.clone(), Arc::new(Functions::new()), Arc::new(NoTables));
    let planned = output.clone();
    Slot {
        name: name.to_owned(),
        open: Box::new(move |host| {
            Ok(Opened { stage: Box::new(Closure(work.clone(), host)), output: planned.clone() })
        }),
        host: Arc::new(host),
        output,
    }
}

fn delivery() -> Delivery {
    Delivery {
        id: "d".into(),
        pipeline: "p".into(),
        sender: String::new(),
        file: "f".into(),
        origin: String::new(),
        content_hash: String::new(),
        bytes: 0,
        received_ms: 0,
    }
}

fn run(runner: &mut Runner, read: Vec<Result<Outcome, ReadStop>>) -> Result<Ran, RunError> {
    let now = Now { utc_ms: 0, offset_ms: 0 };
    let mut open = || -> Result<Box<dyn Reader>, RunError> { Ok(Box::new(Given(read.clone().into_iter()))) };
    runner.run(&delivery(), &mut open, 0, now, &|| false)
}

fn error(row: i64) -> Finding {
    Finding::new(Some(row), Severity::Error, "bad", "不对".into())
}

/// Refuses rows named `bad`, merges those named `twin`.
fn judge(batch: RecordBatch, _host: &dyn Host) -> Result<Outcome, StageError> {
    let names = huiliu_stage::text_column(&batch, "name")?;
    let ids = batch.column_by_name(ROW).unwrap().as_primitive::<Int64Type>();
    let mut findings = Findings::none();
    let mut merged = HashSet::new();
    for at in 0..batch.num_rows() {
        match names.value(at) {
            "bad" => findings.push(error(ids.value(at))),
            "twin" => {
                let finding = Finding::new(Some(ids.value(at)), Severity::Info, "merged", "并入".into());
                findings.push(finding.with_fate(Fate::Merged).with_raw("r1"));
                merged.insert(ids.value(at));
            }
            _ => {}
        }
    }
    let batch = without(&batch, &merged)?;
    Ok(Outcome { batch, findings })
}

fn names_of(batches: &[RecordBatch]) -> Vec<String> {
    let texts = batches.iter().map(|batch| batch.column(0).as_string::<i32>().clone());
    texts.flat_map(|t| t.iter().flatten().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn every_row_is_taken_refused_or_merged() {
    let store = Arc::new(MemoryStore::default());
    let mut runner = Runner::new(vec![slot("judge", &store, false, judge)], store.clone(), 10);
    let read = vec![Ok(rows(2, &["a", "bad", "twin"]).into()), Ok(rows(5, &["b"]).into())];
    assert!(matches!(run(&mut runner, read), Ok(Ran::Committed { seq: 1, .. })));
    let kept = held(&store.kept);
    assert_eq!(names_of(&kept.records), ["a", "b"]);
    let counts = kept.counts.unwrap();
    assert_eq!((counts.rows_in, counts.accepted, counts.quarantined, counts.merged), (4, 2, 1, 1));
    assert!(counts.balance());
    assert_eq!(kept.rejects.len(), 1);
    assert_eq!(huiliu_stage::text_column(&kept.rejects[0], "stage").unwrap().value(0), "judge");
}

/// Gives batches, and a file for each of some rows.
struct Proven(Given, Vec<i64>);

impl Reader for Proven {
    fn next(&mut self) -> Option<Result<Outcome, ReadStop>> {
        self.0.next()
    }

    fn sheets(&self) -> Vec<String> {
        self.0.sheets()
    }

    fn report(&self) -> serde_json::Value {
        self.0.report()
    }

    fn evidence(&self) -> Vec<Evidence> {
        let file = |row: &i64| Evidence {
            name: format!("{row}.pdf"),
            hash: String::new(),
            bytes: 1,
            row: Some(*row),
            field: None,
            record: None,
        };
        self.1.iter().map(file).collect()
    }
}

#[test]
fn files_of_a_row_that_was_merged_become_those_of_its_record() {
    let store = Arc::new(MemoryStore::default());
    let mut runner = Runner::new(vec![slot("judge", &store, false, judge)], store.clone(), 10);
    let mut schema = (*schema()).clone();
    schema.metadata.insert(EVIDENCE.to_owned(), "[2,3]".to_owned());
    let marked = rows(2, &["a", "twin", "twin"]).with_schema(Arc::new(schema)).unwrap();
    let given = || Given(vec![Ok(marked.clone().into())].into_iter());
    let now = Now { utc_ms: 0, offset_ms: 0 };
    let mut open = || -> Result<Box<dyn Reader>, RunError> { Ok(Box::new(Proven(given(), vec![2, 3]))) };
    runner.run(&delivery(), &mut open, 0, now, &|| false).unwrap();
    let kept = held(&store.kept);
    let records: Vec<_> = kept.evidence.iter().map(|file| (file.row, file.record.as_deref())).collect();
    assert_eq!(records, [(Some(2), None), (Some(3), Some("r1"))]);
}

#[test]
fn a_stage_that_only_checks_sees_what_the_reader_refused_and_others_do_not() {
    for (checks, refused_by, seen) in [(true, "stage", 2), (false, "read", 1)] {
        let store = Arc::new(MemoryStore::default());
        let count = Arc::new(Mutex::new(0));
        let counted = count.clone();
        let look = move |batch: RecordBatch, _: &dyn Host| {
            *held(&counted) += batch.num_rows();
            let unreadable = batch.schema_ref().metadata.get(UNREADABLE).cloned();
            assert_eq!(unreadable.as_deref(), checks.then_some(r#"{"name":[3]}"#));
            Ok(batch.into())
        };
        let mut runner = Runner::new(vec![slot("stage", &store, checks, look)], store.clone(), 10);
        let findings = Findings(vec![error(3).with_field("name")]);
        let read = vec![Ok(Outcome { batch: rows(2, &["a", "b"]), findings })];
        assert!(run(&mut runner, read).is_ok());
        assert_eq!(*held(&count), seen);
        let kept = held(&store.kept);
        assert_eq!(names_of(&kept.records), ["a"]);
        assert_eq!(huiliu_stage::text_column(&kept.rejects[0], "stage").unwrap().value(0), refused_by);
        assert!(kept.counts.unwrap().balance());
    }
}

#[test]
fn a_stage_that_loses_a_row_is_named_and_nothing_is_kept() {
    let store = Arc::new(MemoryStore::default());
    let lose = |batch: RecordBatch, host: &dyn Host| {
        host.state_put(b"k", b"v")?;
        Ok(batch.slice(0, 1).into())
    };
    let mut runner = Runner::new(vec![slot("leaky", &store, false, lose)], store.clone(), 10);
    let ended = run(&mut runner, vec![Ok(rows(1, &["a", "b"]).into())]);
    let Ok(Ran::Refused { why }) = ended else { panic!("{ended:?}") };
    assert_eq!(why.code, "stage-failed");
    assert!(why.message.en.contains("stage `leaky` failed"), "{}", why.message.en);
    assert!(why.message.en.contains("row 2 was lost"), "{}", why.message.en);
    let kept = held(&store.kept);
    assert!(kept.state.is_empty() && kept.records.is_empty());
    assert_eq!(kept.counts.unwrap().refused, 2);
    assert!(kept.counts.unwrap().balance());
}

#[test]
fn state_is_kept_with_the_delivery_and_gone_when_it_fails() {
    let store = Arc::new(MemoryStore::default());
    let count = |batch: RecordBatch, host: &dyn Host| {
        let before = host.state_get(b"n")?.map_or(0, |v| v[0]);
        host.state_put(b"n", &[before + 1])?;
        let names = huiliu_stage::text_column(&batch, "name")?;
        if names.value(0) == "fail" {
            return Err(StageError::new("as asked"));
        }
        Ok(batch.into())
    };
    let mut runner = Runner::new(vec![slot("count", &store, false, count)], store.clone(), 10);
    let one = |name| vec![Ok(rows(1, &[name]).into())];
    assert!(matches!(run(&mut runner, one("a")), Ok(Ran::Committed { .. })));
    assert!(matches!(run(&mut runner, one("fail")), Ok(Ran::Refused { .. })));
    assert!(matches!(run(&mut runner, one("b")), Ok(Ran::Committed { .. })));
    let state = held(&store.kept).state.clone();
    assert_eq!(state, Entries::from([(("p/count".to_owned(), b"n".to_vec()), vec![2])]));
}

#[test]
fn findings_are_all_counted_and_the_first_are_kept() {
    let store = Arc::new(MemoryStore::default());
    let mut runner = Runner::new(vec![slot("judge", &store, false, judge)], store.clone(), 2);
    assert!(run(&mut runner, vec![Ok(rows(1, &["bad"; 5]).into())]).is_ok());
    let kept = held(&store.kept);
    assert_eq!((kept.findings.len(), kept.counts.unwrap().errors), (2, 5));
}

#[test]
fn an_unreadable_delivery_is_refused_with_its_reason_first() {
    let store = Arc::new(MemoryStore::default());
    let mut runner = Runner::new(Vec::new(), store.clone(), 10);
    let why = Finding::new(None, Severity::Error, "V26", "读不了".into());
    let read = vec![
        Ok(Outcome { batch: rows(1, &["a"]), findings: Findings(vec![error(1)]) }),
        Err(ReadStop::Refuse(Box::new(why.clone()))),
    ];
    assert!(matches!(run(&mut runner, read), Ok(Ran::Refused { .. })));
    let kept = held(&store.kept);
    assert_eq!(kept.refused[0], why);
    assert!(kept.records.is_empty() && kept.counts.unwrap().balance());
}

#[test]
fn a_changed_file_is_left_for_later() {
    let store = Arc::new(MemoryStore::default());
    let mut runner = Runner::new(Vec::new(), store.clone(), 10);
    let ended = run(&mut runner, vec![Err(ReadStop::Again("changed".into()))]);
    assert!(matches!(ended, Err(RunError::Again(_))));
    assert!(held(&store.kept).counts.is_none());
}

#[test]
fn the_overlay_and_the_store_are_scanned_as_one_in_order() {
    let store = Arc::new(MemoryStore::default());
    for key in [&b"a1"[..], b"a3", b"a5", b"b1"] {
        held(&store.kept).state.insert(("p/s".into(), key.to_vec()), b"old".to_vec());
    }
    let host = EngineHost::new("p/s", store, Arc::new(Functions::new()), Arc::new(NoTables));
    host.begin(0, 0);
    host.state_put(b"a2", b"new").unwrap();
    host.state_put(b"a3", b"new").unwrap();
    host.state_delete(b"a5").unwrap();
    host.state_put(b"a6", b"new").unwrap();
    let mut seen = Vec::new();
    let mut each = |key: &[u8], value: &[u8]| {
        seen.push(format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value)));
        true
    };
    host.state_scan(b"a", &mut each).unwrap();
    assert_eq!(seen, ["a1=old", "a2=new", "a3=new", "a6=new"]);
}

/// Remembers the name of each row, and gives on the last one of a batch for all of it.
fn remember(batch: RecordBatch, host: &dyn Host) -> Result<Outcome, StageError> {
    let names = huiliu_stage::text_column(&batch, "name")?;
    let ids = batch.column_by_name(ROW).unwrap().as_primitive::<Int64Type>();
    let last = batch.num_rows().saturating_sub(1);
    let mut findings = Findings::none();
    for at in 0..batch.num_rows() {
        let seen = host.state_get(names.value(at).as_bytes())?.map_or(0, |times| times[0]);
        host.state_put(names.value(at).as_bytes(), &[seen + 1])?;
        if at < last {
            let into = Finding::new(Some(ids.value(at)), Severity::Info, "merged", "并入".into());
            findings.push(into.with_fate(Fate::Merged));
        }
    }
    Ok(Outcome { batch: batch.slice(last, batch.num_rows().min(1)), findings })
}

/// The reader, a stage that counts how often it sees rows, one that remembers them and one that judges.
fn remembering(store: &Arc<MemoryStore>) -> (Runner, Arc<Mutex<usize>>) {
    let runs = Arc::new(Mutex::new(0));
    let counted = runs.clone();
    let look = move |batch: RecordBatch, _: &dyn Host| {
        *held(&counted) += 1;
        Ok(batch.into())
    };
    let slots = vec![
        slot("look", store, false, look),
        slot("remember", store, false, remember),
        slot("judge", store, false, judge),
    ];
    (Runner::new(slots, store.clone(), 100), runs)
}

fn remembered(store: &MemoryStore) -> Vec<String> {
    let kept = held(&store.kept);
    kept.state.keys().map(|(_, key)| String::from_utf8(key.clone()).unwrap()).collect()
}

#[test]
fn what_a_stage_remembered_of_a_row_that_is_refused_later_is_forgotten() {
    let store = Arc::new(MemoryStore::default());
    let (mut runner, runs) = remembering(&store);
    let read = vec![Ok(rows(1, &["a"]).into()), Ok(rows(2, &["bad"]).into()), Ok(rows(3, &["b"]).into())];
    assert!(matches!(run(&mut runner, read), Ok(Ran::Committed { .. })));
    assert_eq!((remembered(&store), *held(&runs)), (vec!["a".to_owned(), "b".to_owned()], 6));
    let kept = held(&store.kept);
    assert_eq!(names_of(&kept.records), ["a", "b"]);
    // It waits before the stage that remembers, for the reason it was refused for.
    let stage = huiliu_stage::text_column(&kept.rejects[0], "stage").unwrap().value(0).to_owned();
    let reasons = kept.rejects[0].column_by_name("reasons").unwrap().as_list::<i32>().value(0);
    assert_eq!((&*stage, reasons.as_string::<i32>().value(0)), ("remember", "bad"));
    let counts = kept.counts.unwrap();
    assert_eq!((counts.rows_in, counts.accepted, counts.quarantined, counts.errors), (3, 2, 1, 1));
    assert!(counts.balance());
}

#[test]
fn a_refused_row_that_hid_behind_another_is_found_too() {
    let store = Arc::new(MemoryStore::default());
    let (mut runner, _) = remembering(&store);
    let read = vec![Ok(rows(1, &["bad", "bad"]).into()), Ok(rows(3, &["a", "bad"]).into())];
    assert!(matches!(run(&mut runner, read), Ok(Ran::Committed { .. })));
    assert_eq!(remembered(&store), ["a"]);
    let kept = held(&store.kept);
    assert_eq!(kept.counts.unwrap().quarantined, 3);
    assert!(kept.counts.unwrap().balance());
}

#[test]
fn as_many_rows_as_there_are_can_be_refused_one_behind_the_other() {
    let store = Arc::new(MemoryStore::default());
    let (mut runner, runs) = remembering(&store);
    assert!(matches!(run(&mut runner, vec![Ok(rows(1, &["bad"; 40]).into())]), Ok(Ran::Committed { .. })));
    assert!(remembered(&store).is_empty());
    assert_eq!(held(&store.kept).counts.unwrap().quarantined, 40);
    // One batch; then one by one, which finds all of them; then without any of them.
    assert_eq!(*held(&runs), 1 + 40 + 40);
}

#[test]
fn a_delivery_of_which_a_row_more_is_refused_each_time_is_refused_as_a_whole() {
    let store = Arc::new(MemoryStore::default());
    let times = Arc::new(Mutex::new(0));
    let fickle = move |batch: RecordBatch, _: &dyn Host| {
        *held(&times) += 1;
        let findings = Findings(vec![error(*held(&times))]);
        Ok(Outcome { batch, findings })
    };
    let slots = vec![slot("remember", &store, false, mark), slot("fickle", &store, false, fickle)];
    let mut runner = Runner::new(slots, store.clone(), 10);
    let ended = run(&mut runner, vec![Ok(rows(1, &["a"; 100]).into())]);
    let Ok(Ran::Refused { why }) = ended else { panic!("{ended:?}") };
    assert_eq!(why.code, "rows-refused");
    assert!(why.message.en.contains("correct rows such as "), "{}", why.message.en);
    assert!(held(&store.kept).state.is_empty() && held(&store.kept).records.is_empty());
    assert!(held(&store.kept).counts.unwrap().balance());
}

/// Remembers that there was a batch, and gives it on.
fn mark(batch: RecordBatch, host: &dyn Host) -> Result<Outcome, StageError> {
    host.state_get(b"seen")?;
    host.state_put(b"seen", b"1")?;
    Ok(batch.into())
}

/// All rows are one record, which is `bad` once a row of it was.
fn one_record(batch: RecordBatch, host: &dyn Host) -> Result<Outcome, StageError> {
    let names = huiliu_stage::text_column(&batch, "name")?;
    let ids = batch.column_by_name(ROW).unwrap().as_primitive::<Int64Type>();
    let (count, mut bad) = (batch.num_rows(), host.state_get(b"bad")?.is_some());
    let mut findings = Findings::none();
    for at in 0..count {
        bad |= names.value(at) == "bad";
        if at + 1 < count {
            let into = Finding::new(Some(ids.value(at)), Severity::Info, "merged", "并入".into());
            findings.push(into.with_fate(Fate::Merged));
        }
    }
    if count == 0 {
        return Ok(batch.into());
    }
    let last = ids.value(count - 1);
    let earlier = host.state_get(b"last")?.map(|row| i64::from(row[0]));
    host.state_put(b"last", &[last as u8])?;
    if bad {
        host.state_put(b"bad", b"1")?;
    }
    let name = if bad { "bad" } else { names.value(count - 1) };
    let mut schema = (*batch.schema()).clone();
    if let Some(earlier) = earlier {
        schema.metadata.insert(huiliu_stage::REPLACES.to_owned(), format!("[[{last},{earlier}]]"));
    }
    let batch = rows(last, &[name]).with_schema(Arc::new(schema))?;
    Ok(Outcome { batch, findings })
}

#[test]
fn a_row_is_not_refused_for_what_another_of_its_record_said() {
    let batch = |first, names: &[&str]| Ok(Outcome::from(rows(first, names)));
    for read in [
        vec![batch(1, &["bad", "a", "b"])],
        vec![batch(1, &["a", "bad", "b"])],
        vec![batch(1, &["a", "b", "bad"])],
        vec![batch(1, &["bad"]), batch(2, &["a"]), batch(3, &["b"])],
        vec![batch(1, &["a", "bad"]), batch(3, &["b"])],
    ] {
        let store = Arc::new(MemoryStore::default());
        let slots = vec![slot("one", &store, false, one_record), slot("judge", &store, false, judge)];
        let mut runner = Runner::new(slots, store.clone(), 10);
        assert!(matches!(run(&mut runner, read.clone()), Ok(Ran::Committed { .. })), "{read:?}");
        let kept = held(&store.kept);
        assert_eq!(kept.counts.unwrap().quarantined, 1, "{read:?}");
        assert!(kept.counts.unwrap().balance(), "{read:?}");
        assert!(!kept.state.contains_key(&("p/one".to_owned(), b"bad".to_vec())), "{read:?}");
        let values = huiliu_stage::text_column(&kept.rejects[0], "values").unwrap().value(0).to_owned();
        assert_eq!(values, r#"{"name":"bad"}"#, "{read:?}");
    }
}

/// Refuses the third row and later ones; remembers how many there were.
fn two_at_most(batch: RecordBatch, host: &dyn Host) -> Result<Outcome, StageError> {
    let ids = batch.column_by_name(ROW).unwrap().as_primitive::<Int64Type>();
    let mut count = host.state_get(b"n")?.map_or(0, |n| n[0]);
    let mut findings = Findings::none();
    for row in ids.values() {
        count += 1;
        if count > 2 {
            findings.push(error(*row));
        }
    }
    host.state_put(b"n", &[count.min(2)])?;
    Ok(Outcome { batch, findings })
}

#[test]
fn a_row_that_a_limit_refuses_is_judged_again_without_those_that_do_not_count() {
    let store = Arc::new(MemoryStore::default());
    let slots = vec![
        slot("mark", &store, false, mark),
        slot("limit", &store, false, two_at_most),
        slot("judge", &store, false, judge),
    ];
    let mut runner = Runner::new(slots, store.clone(), 10);
    let read = ["bad", "a", "b", "c"].iter().enumerate();
    let read = read.map(|(at, name)| Ok(Outcome::from(rows(at as i64 + 1, &[name])))).collect();
    assert!(matches!(run(&mut runner, read), Ok(Ran::Committed { .. })));
    let kept = held(&store.kept);
    assert_eq!(names_of(&kept.records), ["a", "b"]);
    let told: Vec<_> = kept
        .rejects
        .iter()
        .flat_map(|batch| {
            huiliu_stage::text_column(batch, "values")
                .unwrap()
                .iter()
                .flatten()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(told, [r#"{"name":"bad"}"#, r#"{"name":"c"}"#]);
}

#[test]
fn what_was_said_of_a_row_after_it_was_remembered_is_kept_with_its_refusal() {
    let store = Arc::new(MemoryStore::default());
    let warn = |batch: RecordBatch, host: &dyn Host| {
        let given = mark(batch, host)?;
        let said = Finding::new(Some(1), Severity::Warning, "fell", "下降".into());
        let said = if given.batch.num_rows() > 0 { vec![said] } else { Vec::new() };
        Ok(Outcome { findings: Findings(said), ..given })
    };
    let slots = vec![slot("warn", &store, false, warn), slot("judge", &store, false, judge)];
    let mut runner = Runner::new(slots, store.clone(), 10);
    let ended = run(&mut runner, vec![Ok(rows(1, &["bad"]).into())]);
    assert!(matches!(ended, Ok(Ran::Committed { .. })), "{ended:?}");
    let kept = held(&store.kept);
    let told: Vec<&str> = kept.findings.iter().map(|finding| &*finding.code).collect();
    assert!(told.contains(&"fell") && told.contains(&"bad"), "{told:?}");
}

#[test]
fn rows_refused_where_nothing_was_remembered_cost_no_second_run() {
    let store = Arc::new(MemoryStore::default());
    let runs = Arc::new(Mutex::new(0));
    let counted = runs.clone();
    let look = move |batch: RecordBatch, _: &dyn Host| {
        *held(&counted) += 1;
        Ok(batch.into())
    };
    let slots = vec![
        slot("look", &store, false, look),
        slot("judge", &store, false, judge),
        slot("remember", &store, false, remember),
    ];
    let mut runner = Runner::new(slots, store.clone(), 10);
    assert!(run(&mut runner, vec![Ok(rows(1, &["a", "bad"]).into())]).is_ok());
    assert_eq!((remembered(&store), *held(&runs)), (vec!["a".to_owned()], 1));
}

/// Gives on what comes, and at the end a `bad` row of its own making.
struct Makes(Arc<dyn Host>, Arc<Mutex<usize>>);

impl Stage for Makes {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        mark(batch, &*self.0)
    }

    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        *held(&self.1) += 1;
        Ok(Some(rows(huiliu_stage::row_id(NO_SHEET, 1), &["bad"]).into()))
    }
}

#[test]
fn a_refused_row_that_a_stage_made_itself_is_none_that_was_sent_and_cannot_be_taken_out() {
    let store = Arc::new(MemoryStore::default());
    let runs = Arc::new(Mutex::new(0));
    let counted = runs.clone();
    let open: Opener =
        Box::new(move |host| Ok(Opened { stage: Box::new(Makes(host, counted.clone())), output: schema() }));
    let makes = Slot { open, ..slot("makes", &store, false, mark) };
    let mut runner = Runner::new(vec![makes, slot("judge", &store, false, judge)], store.clone(), 10);
    assert!(matches!(run(&mut runner, vec![Ok(rows(1, &["a"]).into())]), Ok(Ran::Committed { .. })));
    let kept = held(&store.kept);
    assert_eq!((*held(&runs), names_of(&kept.records)), (1, vec!["a".to_owned()]));
    assert_eq!((kept.rejects.len(), kept.counts.unwrap().quarantined), (1, 0));
    assert!(kept.counts.unwrap().balance());
}
