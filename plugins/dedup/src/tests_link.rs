//! What likeness promises: lookalikes that are one meet, lookalikes that are two stay apart, people are asked
//! in between, and neither order, restart nor repetition changes that.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{Field, FieldType, MERGED_INTO, OpenStage, Opened, Origin, Outcome, RecordSchema};
use proptest::prelude::*;

use super::Dedup;
use crate::inspect::{Inspect, Why};
use crate::link::{Config, Linker, Row};
use crate::records::RecordId;

const PAIRS: &str = include_str!("../testdata/dedup_pairs.csv");

const LINK: &str = r#"{"match": [{"fields": ["code"], "normalise": {"code": "code"}}],
    "link": {"review": -6, "fields": [
        {"field": "name", "kind": "name"}, {"field": "code", "kind": "identifier"},
        {"field": "owner", "kind": "company"}]}}"#;

/// Code, owner and name.
pub(crate) fn schema() -> SchemaRef {
    let fields = ["code", "owner", "name"].map(|name| Field {
        name: name.into(),
        kind: FieldType::Text,
        ..Field::default()
    });
    RecordSchema { record: "project".into(), label: String::new(), fields: fields.into() }.to_arrow()
}

/// Hands rows (code, owner, name; empty is missing) to a freshly opened stage and ends the delivery.
fn give(host: &Arc<MemoryHost>, rows: &[[&str; 3]]) -> Outcome {
    hand(&mut Dedup::open_json(LINK, schema(), host.clone()).unwrap(), rows)
}

/// Hands rows to a stage and ends the delivery.
fn hand(opened: &mut Opened, rows: &[[&str; 3]]) -> Outcome {
    hand_to_end(opened, rows).0
}

fn texts(outcome: &Outcome, name: &str) -> Vec<String> {
    let column = outcome.batch.column_by_name(name).unwrap().as_string::<i32>();
    column.iter().map(|text| text.unwrap_or("-").to_owned()).collect()
}

/// The same; gives what comes out at the end too.
fn hand_to_end(opened: &mut Opened, rows: &[[&str; 3]]) -> (Outcome, Option<Outcome>) {
    let column = |at: usize| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(row[at]).filter(|v| !v.is_empty())).collect::<StringArray>())
    };
    let columns = vec![
        column(0),
        column(1),
        column(2),
        Arc::new(StringArray::from(vec!["表1"; rows.len()])),
        Arc::new(Int64Array::from_iter_values(0..rows.len() as i64)),
        Arc::new(StringArray::from(vec![None::<&str>; rows.len()])),
    ];
    let origin = Origin { delivery: "d".into(), sender: "s".into(), ..Origin::default() };
    let batch = RecordBatch::try_new(Arc::new(origin.mark(&schema())), columns).unwrap();
    let outcome = opened.stage.process(batch).unwrap();
    let end = opened.stage.finish().unwrap();
    (outcome, end)
}

/// The records that the kept rows belong to, by name.
fn records(host: &MemoryHost) -> BTreeMap<String, Vec<u8>> {
    let state = host.state();
    let rows = state.iter().filter(|(key, _)| key.starts_with(b"n/"));
    rows.map(|(_, value)| {
        let (id, (_, values)) = crate::kept::decode(value).unwrap();
        (values[0].clone().unwrap(), id.bytes().to_vec())
    })
    .collect()
}

/// Why rows went where they went.
fn reasons(host: &Arc<MemoryHost>) -> Vec<Why> {
    let mut ids: Vec<Vec<u8>> = records(host).into_values().collect();
    ids.sort_unstable();
    ids.dedup();
    let ids = ids.iter().map(|id| RecordId::from_bytes(id.as_slice().try_into().unwrap()).to_string());
    Inspect::new(host.clone()).reasons(&ids.collect::<Vec<_>>()).unwrap()
}

fn queued(host: &MemoryHost, a: &[u8], b: &[u8]) -> bool {
    let (first, second) = if a < b { (a, b) } else { (b, a) };
    host.state().contains_key(&[b"q/", first, second].concat())
}

#[test]
fn the_labelled_pairs_are_merged_kept_apart_or_queued_as_a_person_labelled_them() {
    let host = Arc::new(MemoryHost::default());
    let pairs: Vec<Vec<&str>> =
        PAIRS.lines().skip(1).map(|line| line.splitn(4, ',').collect::<Vec<_>>()).collect();
    for side in 0..2 {
        // Where the label rests on the investor and not on the names, the row states the investor.
        let owner = |pair: &[&str]| if pair[3].contains("same investor") { "琥崧科技" } else { "" };
        let rows: Vec<[&str; 3]> = pairs.iter().map(|pair| ["", owner(pair), pair[side]]).collect();
        give(&host, &rows);
    }
    let records = records(&host);
    for pair in &pairs {
        let (a, b) = (&records[pair[0]], &records[pair[1]]);
        match pair[2] {
            "same" => assert_eq!(a, b, "{pair:?}"),
            "different" => assert_ne!(a, b, "{pair:?}"),
            _ => assert!(a != b && queued(&host, a, b), "{pair:?}"),
        }
    }
}

#[test]
fn a_merge_and_a_veto_are_explained_in_both_languages_and_kept() {
    let host = Arc::new(MemoryHost::default());
    give(&host, &[["", "宏源新材料有限公司", "年产30万吨树脂项目一期"]]);
    let outcome = give(
        &host,
        &[
            ["", "宏源新材料", "宏源新材料年产300000吨树脂建设项目(Ⅰ期)"],
            ["", "宏源新材料有限公司", "年产30万吨树脂项目二期"],
        ],
    );
    let said: Vec<(&str, &str, &str)> =
        outcome.findings.iter().map(|f| (&*f.code, &*f.message.zh, &*f.message.en)).collect();
    assert_eq!(said[0].0, "linked");
    assert!(said[0].1.contains("期次相同") && said[0].2.contains("same phase"), "{said:?}");
    assert_eq!(said[1].0, "apart");
    assert!(said[1].1.contains("期次不同") && said[1].2.contains("other phase"), "{said:?}");
    assert_eq!(reasons(&host).len(), 2);
    let by = outcome.batch.column_by_name("matched_by").unwrap().as_string::<i32>();
    assert_eq!(by.iter().flatten().collect::<Vec<_>>(), ["likeness", "new"]);
}

/// Two rows with nothing in common, and a third that is like both.
const HALVES: [[&str; 3]; 3] = [
    ["", "orchard bridge repair at mill lane", ""],
    ["", "", "harbour office seven, quay of the fishermen"],
    ["", "orchard bridge repair at mill lane", "harbour office seven, quay of the fishermen"],
];

const TEXTS: &str = r#"{"match": [{"fields": ["code"]}], "link": {"merge": 0, "review": 0, "fields": [
    {"field": "name", "kind": "text"}, {"field": "owner", "kind": "text"}]}}"#;

#[test]
fn two_records_that_a_row_shows_to_be_one_become_one_and_the_other_id_answers_with_it() {
    let host = Arc::new(MemoryHost::default());
    let mut stage = Dedup::open_json(TEXTS, schema(), host.clone()).unwrap();
    let known = texts(&hand(&mut stage, &HALVES[..2]), "record_id");
    assert_eq!(known.len(), 2, "nothing brings the two together");
    let (outcome, end) = hand_to_end(&mut stage, &HALVES[2..]);
    let codes: Vec<&str> = outcome.findings.iter().map(|finding| &*finding.code).collect();
    assert_eq!(codes, ["united", "linked", "unchanged"], "{:?}", outcome.findings);
    // The row says nothing that the two do not; so both come out at the end, the one with where it went.
    assert_eq!(outcome.batch.num_rows(), 0);
    let end = end.unwrap();
    assert_eq!(texts(&end, "record_id"), [known[1].clone(), known[0].clone()]);
    assert_eq!(texts(&end, MERGED_INTO), [known[0].clone(), "-".to_owned()]);
    let inspect = crate::inspect::Inspect::new(host.clone());
    assert_eq!(inspect.now(&known[1]).unwrap(), Some(known[0].clone()));
    assert_eq!(inspect.parts(&known[0]).unwrap().len(), 3);
    let reasons = inspect.reasons(std::slice::from_ref(&known[0])).unwrap();
    assert!(reasons.iter().any(|why| why.answer == "match" && why.other == known[1]), "{reasons:?}");
    assert!(inspect.queue().unwrap().is_empty());
    // A stage that is opened anew knows it as well.
    let mut anew = Dedup::open_json(TEXTS, schema(), host.clone()).unwrap();
    assert_eq!(hand(&mut anew, &HALVES).batch.num_rows(), 0);
}

#[test]
fn a_row_between_two_phases_joins_neither_wherever_in_the_batch_it_stands() {
    let (first, second) = (Arc::new(MemoryHost::default()), Arc::new(MemoryHost::default()));
    give(
        &first,
        &[
            ["", "宏源", "年产30万吨树脂项目"],
            ["", "宏源", "年产30万吨树脂项目一期"],
            ["", "宏源", "年产30万吨树脂项目二期"],
        ],
    );
    give(
        &second,
        &[
            ["", "宏源", "年产30万吨树脂项目一期"],
            ["", "宏源", "年产30万吨树脂项目二期"],
            ["", "宏源", "年产30万吨树脂项目"],
        ],
    );
    for host in [first, second] {
        let of: Vec<_> = records(&host).into_values().collect();
        assert!(of[0] != of[1] && of[1] != of[2] && of[0] != of[2], "which phase it is, a person says");
    }
}

#[test]
fn the_same_delivery_again_changes_nothing() {
    let host = Arc::new(MemoryHost::default());
    let rows = [["K1", "甲公司", "海晨物流项目"], ["", "乙公司", "海晨物流"], ["", "", "南湖泵站工程"]];
    give(&host, &rows);
    let before = host.state();
    let outcome = give(&host, &rows);
    assert_eq!(outcome.batch.num_rows(), 0);
    assert_eq!(host.state(), before);
}

/// A thing, and one of the ways in which it is written: code, owner, name.
fn written(company: usize, product: usize, phase: usize, way: usize) -> (usize, [String; 3]) {
    const COMPANIES: [&str; 6] = ["宏源化工", "金禾塑胶", "航康食品", "信达电子", "景祥水务", "远辰半导体"];
    const PRODUCTS: [&str; 6] = ["聚丙烯", "不锈钢管", "预制菜", "电子铜箔", "污水处理厂", "储能电池"];
    let thing = (company * 6 + product) * 4 + phase;
    let (company, product) = (COMPANIES[company], PRODUCTS[product]);
    let name = match way {
        0 => format!("{company}有限公司{product}生产线项目{}期", ["", "一", "二", "三"][phase]),
        1 => format!("{company}{product}生产线({phase}期)"),
        2 => format!("{product}生产线项目第{}期", ["", "一", "二", "三"][phase]),
        _ => format!("{company} {product}生产线建设项目－{phase}期"),
    };
    (thing, [String::new(), format!("{company}有限公司"), name])
}

#[test]
fn a_stage_opened_anew_says_the_same_also_when_it_has_learnt_and_what_is_known_is_looked_at_anew() {
    // All that can be written, some of it without saying whose it is, in an order of no meaning: more than it takes to
    // learn.
    let row = |at: usize| {
        let (_, [code, owner, name]) = written(at / 72, at / 12 % 6, at / 4 % 3 + 1, at % 4);
        [code, if at.is_multiple_of(3) { String::new() } else { owner }, name]
    };
    let mut rows: Vec<[String; 3]> = (0..432).map(row).collect();
    rows.sort_by_key(|row| xxhash_rust::xxh3::xxh3_64(row[2].as_bytes()));
    let rows: Vec<[&str; 3]> = rows.iter().map(|row| [&*row[0], &*row[1], &*row[2]]).collect();
    let (open, anew) = (Arc::new(MemoryHost::default()), Arc::new(MemoryHost::default()));
    let mut stage = Dedup::open_json(LINK, schema(), open.clone()).unwrap();
    let mut codes = Vec::new();
    for part in rows.chunks(24) {
        let told = hand(&mut stage, part).findings;
        codes.extend(told.iter().map(|finding| finding.code.clone()));
        give(&anew, part);
        assert!(open.state() == anew.state(), "after {} rows", codes.len());
    }
    assert!(codes.iter().any(|code| code == "united" || code == "revised"), "nothing was looked at anew");
}

/// Small worlds: companies, products, phases; each thing is written in one of several ways.
fn world() -> impl Strategy<Value = Vec<(usize, [String; 3])>> {
    let record = (0..6usize, 0..6usize, 1..4usize, 0..4usize);
    proptest::collection::vec(record, 20..60).prop_map(|rows| {
        rows.into_iter().map(|(company, product, phase, way)| written(company, product, phase, way)).collect()
    })
}

/// A world in which every two rows of a thing are far above the threshold and other things are far below: each company
/// makes one product, and only phases look alike.
fn clear_world() -> impl Strategy<Value = Vec<(usize, [String; 3])>> {
    let record = (0..6usize, 1..4usize, 0..4usize);
    proptest::collection::vec(record, 10..40)
        .prop_map(|rows| rows.into_iter().map(|(at, phase, way)| written(at, at, phase, way)).collect())
}

fn linker(rows: &[(usize, [String; 3])], batch: usize, threads: usize) -> Vec<u32> {
    let config: Config = serde_json::from_str(
        r#"{"fields": [{"field": "name", "kind": "name"}, {"field": "owner", "kind": "company"}]}"#,
    )
    .unwrap();
    let mut linker = Linker::new(config, threads);
    for batch in rows.chunks(batch) {
        let rows: Vec<Row<'_>> = batch
            .iter()
            .map(|(_, [_, owner, name])| Row { values: vec![Some(name), Some(owner)], source: "s" })
            .collect();
        linker.add(&rows);
    }
    linker.clusters().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn neither_the_number_of_threads_nor_chance_changes_a_cluster(rows in world()) {
        let rows: Vec<_> = std::iter::repeat_n(rows, 8).flatten().collect();
        let once = linker(&rows, rows.len(), 1);
        prop_assert_eq!(&once, &linker(&rows, rows.len(), 3));
        prop_assert_eq!(&once, &linker(&rows, rows.len(), 2));
    }

    #[test]
    fn things_of_different_phases_never_meet_and_no_row_is_lost(rows in world(), batch in 1..20usize) {
        let clusters = linker(&rows, batch, 1);
        prop_assert_eq!(clusters.len(), rows.len());
        for (a, (thing_a, _)) in rows.iter().enumerate() {
            for (b, (thing_b, _)) in rows.iter().enumerate() {
                let phases_differ = thing_a % 4 != thing_b % 4;
                prop_assert!(!(phases_differ && clusters[a] == clusters[b]), "{:?} {:?}", rows[a], rows[b]);
            }
        }
    }

    #[test]
    fn a_stage_opened_anew_for_each_delivery_says_what_one_that_stayed_open_says(rows in world()) {
        let rows: Vec<[&str; 3]> = rows.iter().map(|(_, row)| [&*row[0], &*row[1], &*row[2]]).collect();
        let (open, anew) = (Arc::new(MemoryHost::default()), Arc::new(MemoryHost::default()));
        let mut stage = Dedup::open_json(LINK, schema(), open.clone()).unwrap();
        for part in rows.chunks(7) {
            hand(&mut stage, part);
            give(&anew, part);
        }
        prop_assert_eq!(open.state(), anew.state());
    }

    #[test]
    fn the_order_of_deliveries_does_not_change_who_is_one_with_whom(
        (rows, order) in clear_world().prop_flat_map(|rows| {
            let order: Vec<usize> = (0..rows.len()).collect();
            (Just(rows), Just(order).prop_shuffle())
        }),
    ) {
        let rows: Vec<[&str; 3]> = rows.iter().map(|(_, row)| [&*row[0], &*row[1], &*row[2]]).collect();
        let (one, other) = (Arc::new(MemoryHost::default()), Arc::new(MemoryHost::default()));
        rows.chunks(5).for_each(|rows| drop(give(&one, rows)));
        let shuffled: Vec<[&str; 3]> = order.iter().map(|&at| rows[at]).collect();
        shuffled.chunks(5).for_each(|rows| drop(give(&other, rows)));
        let (one, other) = (records(&one), records(&other));
        for (a, in_one) in &one {
            for (b, with) in &one {
                prop_assert_eq!(in_one == with, other[a] == other[b], "{} and {}", a, b);
            }
        }
    }
}
