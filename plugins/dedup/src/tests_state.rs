//! What the stage keeps: a state of before goes on as if nothing had changed, what was learnt is not learnt again, and a
//! decision touches only the rows of its records.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{DECISIONS, Host, OpenStage, Opened, Origin};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Dedup;
use crate::kept;
use crate::tests_link::schema;

const LINK: &str = r#"{"match": [{"fields": ["code"], "normalise": {"code": "code"}}],
    "link": {"fields": [{"field": "name", "kind": "name"}, {"field": "owner", "kind": "company"}]}}"#;

type State = std::collections::BTreeMap<Vec<u8>, Vec<u8>>;

/// Hands a delivery of rows to a freshly opened stage; gives what came out and the findings.
fn give(host: &Arc<MemoryHost>, delivery: &str, rows: &[[String; 3]]) -> (RecordBatch, Vec<String>) {
    hand(&mut Dedup::open_json(LINK, schema(), host.clone()).unwrap(), delivery, rows)
}

fn hand(opened: &mut Opened, delivery: &str, rows: &[[String; 3]]) -> (RecordBatch, Vec<String>) {
    let column = |at: usize| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(&*row[at]).filter(|v| !v.is_empty())).collect::<StringArray>())
    };
    let columns = vec![
        column(0),
        column(1),
        column(2),
        Arc::new(StringArray::from(vec!["表1"; rows.len()])),
        Arc::new(Int64Array::from_iter_values(0..rows.len() as i64)),
        Arc::new(StringArray::from(vec![None::<&str>; rows.len()])),
    ];
    let origin = Origin { delivery: delivery.into(), sender: delivery.into(), ..Origin::default() };
    let batch = RecordBatch::try_new(Arc::new(origin.mark(&schema())), columns).unwrap();
    let outcome = opened.stage.process(batch).unwrap();
    opened.stage.finish().unwrap();
    (outcome.batch, outcome.findings.iter().map(|f| format!("{} {}", f.code, f.message.en)).collect())
}

fn decide(host: &Arc<MemoryHost>, word: &str, record: &str, other: &str) {
    let decision =
        serde_json::json!([{"word": word, "record": record, "other": other, "by": "王", "at_ms": 1}]);
    let mut schema = schema().as_ref().clone();
    schema.metadata.insert(DECISIONS.into(), decision.to_string());
    let mut opened = Dedup::open_json(LINK, self::schema(), host.clone()).unwrap();
    let outcome = opened.stage.process(RecordBatch::new_empty(Arc::new(schema))).unwrap();
    assert_eq!(&*outcome.findings.0[0].code, "decided", "{:?}", outcome.findings);
    opened.stage.finish().unwrap();
}

/// Each thing in one of three ways of writing it; every third row has a code.
fn rows(from: usize, count: usize) -> Vec<[String; 3]> {
    let row = |at: usize| {
        let (thing, way) = (at / 3, at % 3);
        let company = ["宏源新材料", "恒立智能", "金石水务", "远东电缆", "海天精工"][thing % 5];
        let product = ["树脂", "传感器", "光伏组件", "轴承", "薄膜", "电池", "齿轮"][thing % 7];
        let name = match way {
            0 => format!("{company}有限公司年产{}万套{product}项目", thing + 10),
            1 => format!("{company}年产{}万套{product}生产线建设项目", thing + 10),
            _ => format!("年产{}万套{product}工程", thing + 10),
        };
        let code = if way == 1 { format!("C{thing:04}") } else { String::new() };
        [code, format!("{company}有限公司"), name]
    };
    (from..from + count).map(row).collect()
}

/// The same state as the version before wrote it.
fn downgraded(host: &MemoryHost) -> Arc<MemoryHost> {
    let old = Arc::new(MemoryHost::default());
    let (mut chain, mut count) = (0, 0u32);
    for (key, value) in host.state() {
        let put = |key: &[u8], value: &[u8]| old.state_put(key, value).unwrap();
        if key == b"v#"
            || key == b"c#"
            || key.starts_with(b"c/")
            || key.starts_with(b"j/")
            || key == b"n#"
            || key == b"n*"
            || key.starts_with(b"y/")
        {
            continue;
        }
        if key.starts_with(b"n/") {
            let (id, row) = kept::decode(&value).unwrap();
            let value = [id.bytes().as_slice(), &serde_json::to_vec(&row).unwrap()].concat();
            chain = xxh3_64_with_seed(&value, chain);
            count += 1;
            put(&key, &value);
        } else if key.starts_with(b"e/") && key.len() > 12 {
            if key[12] == b'p' {
                put(&[b"p/", &key[2..12], &key[13..]].concat(), &value);
            }
        } else if key.starts_with(b"k/") && value.len() % 10 == 1 {
            let ids = value.len() - 11;
            put(&key, &value[..ids]);
            put(&[b"u/", &key[2..]].concat(), &value[ids..ids + 10]);
        } else {
            put(&key, &value);
        }
    }
    old.state_put(b"n#", &[count.to_be_bytes().as_slice(), &u64::to_be_bytes(chain)].concat()).unwrap();
    old
}

#[test]
fn a_state_of_before_goes_on_as_if_nothing_had_changed() {
    let new = Arc::new(MemoryHost::default());
    give(&new, "甲", &rows(0, 400));
    give(&new, "乙", &rows(50, 200));
    let old = downgraded(&new);
    assert_ne!(new.state(), old.state());
    for (delivery, from) in [("丙", 100), ("丁", 420), ("甲", 0)] {
        let (one, other) = (give(&new, delivery, &rows(from, 90)), give(&old, delivery, &rows(from, 90)));
        assert_eq!(one, other, "{delivery}");
    }
    let record = |key: &[u8]| key.starts_with(b"e/") && (key.len() == 12 || key[12] == b'p');
    let records = |host: &MemoryHost| {
        host.state().into_iter().filter(|(key, _)| record(key) && key.len() == 12).collect::<Vec<_>>()
    };
    assert_eq!(records(&new), records(&old));
}

#[test]
fn a_stage_that_is_opened_anew_uses_the_weights_that_were_learnt_and_says_the_same() {
    let (open, anew) = (Arc::new(MemoryHost::default()), Arc::new(MemoryHost::default()));
    give(&open, "甲", &rows(0, 400));
    give(&anew, "甲", &rows(0, 400));
    assert!(open.state().contains_key(b"n*".as_slice()), "enough for learning");
    // Without what was learnt it is learnt again, from the same rows.
    anew.state_delete(b"n*").unwrap();
    for from in [30, 300, 430] {
        assert_eq!(give(&open, "乙", &rows(from, 50)), give(&anew, "乙", &rows(from, 50)));
    }
    let learnt = open.state().remove(b"n*".as_slice());
    assert!(learnt.is_some());
    let rest = |host: &MemoryHost| {
        let mut state = host.state();
        state.remove(b"n*".as_slice());
        state
    };
    let (open, anew) = (rest(&open), rest(&anew));
    let keys = |one: &State, other: &State| {
        one.iter()
            .filter(|(key, value)| other.get(*key) != Some(value))
            .map(|(key, _)| key.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!((keys(&open, &anew), keys(&anew, &open)), (Vec::new(), Vec::new()));
}

#[test]
fn a_stage_that_takes_its_rows_up_in_chunks_says_what_one_says_that_stayed_open() {
    let (open, anew) = (Arc::new(MemoryHost::default()), Arc::new(MemoryHost::default()));
    let mut stage = Dedup::open_json(LINK, schema(), open.clone()).unwrap();
    for (from, count) in [(0, 300), (200, 250), (500, 40), (100, 60), (540, 260)] {
        let said = hand(&mut stage, "甲", &rows(from, count));
        assert_eq!(said, give(&anew, "甲", &rows(from, count)), "{from}");
    }
    assert!(open.state().keys().filter(|key| key.starts_with(b"c/")).count() > 1);
    assert_eq!(open.state(), anew.state());
}

#[test]
fn a_damaged_or_missing_chunk_is_told_and_nothing_else_changes() {
    let sound = Arc::new(MemoryHost::default());
    give(&sound, "甲", &rows(0, 700));
    let chunks: Vec<Vec<u8>> = sound.state().into_keys().filter(|key| key.starts_with(b"c/")).collect();
    assert_eq!(chunks.len(), 2);
    let copy = || {
        let host = Arc::new(MemoryHost::default());
        sound.state().into_iter().for_each(|(key, value)| host.state_put(&key, &value).unwrap());
        host
    };
    let right = give(&copy(), "乙", &rows(650, 100));
    for chunk in &chunks {
        let kept = sound.state()[chunk].clone();
        let places = [0, 9, 20, 256 * 18 + 8, 256 * 18 + 12, kept.len() / 2, kept.len() - 1];
        let damaged = places.map(|at| {
            let mut damaged = kept.clone();
            damaged[at] ^= 0x55;
            Some(damaged)
        });
        let cut = Some(kept[..kept.len() - 3].to_vec());
        for damaged in damaged.into_iter().chain([None, Some(Vec::new()), cut]) {
            let host = copy();
            match damaged {
                Some(damaged) => host.state_put(chunk, &damaged).unwrap(),
                None => host.state_delete(chunk).unwrap(),
            }
            assert_eq!(give(&host, "乙", &rows(650, 100)), right);
            let told = host.lines();
            assert!(told.iter().any(|(_, line)| line.contains("made anew from the rows")), "{told:?}");
        }
    }
}

/// What another version of the normaliser made comparable is not compared with what this one makes: all of it is made
/// from the rows again, that is told, and it is written as this version has it.
#[test]
fn chunks_of_another_version_are_dropped_told_and_made_anew() {
    let sound = Arc::new(MemoryHost::default());
    give(&sound, "甲", &rows(0, 700));
    let older = Arc::new(MemoryHost::default());
    sound.state().into_iter().for_each(|(key, value)| older.state_put(&key, &value).unwrap());
    let is_chunk = |key: &Vec<u8>| key.starts_with(b"c/");
    for (key, mut chunk) in sound.state().into_iter().filter(|(key, _)| is_chunk(key)) {
        let version = &mut chunk[8 + crate::chunks::ROWS as usize * 18];
        // The first version did not set aside the county before the name of a company.
        assert_ne!(*version, 1, "what a chunk holds has changed since");
        *version = 1;
        older.state_put(&key, &chunk).unwrap();
    }
    assert_eq!(give(&older, "乙", &rows(650, 100)), give(&sound, "乙", &rows(650, 100)));
    let told = older.lines();
    assert!(told.iter().any(|(_, line)| line.contains("made anew from the rows")), "{told:?}");
    let version = |chunk: &Vec<u8>| chunk[8 + crate::chunks::ROWS as usize * 18];
    let written = older.state().into_iter().filter(|(key, _)| is_chunk(key));
    assert!(written.map(|(_, chunk)| version(&chunk)).all(|version| version != 1), "they are written again");
    assert_eq!(give(&older, "丙", &rows(0, 10)), give(&sound, "丙", &rows(0, 10)));
    assert_eq!(older.lines().len(), told.len(), "it is told once");
}

#[test]
fn rows_that_people_moved_are_where_they_were_moved_when_their_chunk_is_taken_up() {
    let host = Arc::new(MemoryHost::default());
    let (batch, _) = give(&host, "甲", &rows(0, 600));
    let ids = batch.column_by_name("record_id").unwrap().as_string::<i32>();
    decide(&host, "accept", ids.value(1), ids.value(4));
    assert!(host.state().keys().any(|key| key.starts_with(b"j/")));
    let without = Arc::new(MemoryHost::default());
    let kept = host.state().into_iter().filter(|(key, _)| !key.starts_with(b"c"));
    kept.for_each(|(key, value)| without.state_put(&key, &value).unwrap());
    for from in [0, 300] {
        assert_eq!(give(&host, "乙", &rows(from, 80)), give(&without, "乙", &rows(from, 80)));
    }
    assert!(host.lines().is_empty(), "{:?}", host.lines());
}

#[test]
fn a_decision_writes_only_the_rows_that_it_moves() {
    let host = Arc::new(MemoryHost::default());
    let name = |text: &str| [String::new(), String::new(), text.to_owned()];
    let (batch, _) = give(
        &host,
        "甲",
        &[name("orchard bridge repair"), name("harbour office seven"), name("quay of the fishermen")],
    );
    let ids: Vec<String> = batch
        .column_by_name("record_id")
        .unwrap()
        .as_string::<i32>()
        .iter()
        .flatten()
        .map(String::from)
        .collect();
    assert_eq!(ids.len(), 3);
    let before = host.state();
    decide(&host, "accept", &ids[0], &ids[1]);
    let after = host.state();
    let rows: Vec<_> = after.iter().filter(|(key, _)| key.starts_with(b"n/")).collect();
    let moved = rows.iter().filter(|(key, value)| before.get(*key) != Some(*value)).count();
    assert_eq!((rows.len(), moved), (3, 1));
    let of: std::collections::BTreeSet<_> =
        rows.iter().map(|(_, value)| kept::decode(value).unwrap().0).collect();
    assert_eq!(of.len(), 2);
}
