//! What known things are to a record that comes, and what it makes of them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::change::To;
use super::online::{Answer, Things};
use super::revise::{Bound, Free, Ties};
use super::{Config, Linker, Row};

fn linker(kinds: &[&str]) -> Linker {
    let field = |(at, kind): (usize, &&str)| serde_json::json!({"field": format!("f{at}"), "kind": kind});
    let fields: Vec<_> = kinds.iter().enumerate().map(field).collect();
    let config: Config = serde_json::from_value(serde_json::json!({"fields": fields})).unwrap();
    Linker::new(config, 1)
}

fn row<'a>(values: &[&'a str]) -> Row<'a> {
    Row { values: values.iter().map(|v| Some(*v).filter(|v| !v.is_empty())).collect(), source: "s" }
}

/// Asks for rows; what matches none becomes a thing of its number.
fn ask(things: &mut Things, linker: &mut Linker, rows: &[&[&str]]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for values in rows {
        let record = things.take_all(linker, &[row(values)], &mut Free);
        for change in things.changes_to_make() {
            let thing = match change.to {
                To::With(record) => things.of(record).unwrap(),
                To::Own => 1_000 + change.records[0],
            };
            things.moved(&change, thing);
        }
        let answer = things.answer(linker, record);
        let thing = if let Answer::Match(found) = &answer { found.thing } else { record };
        things.belongs(record, thing);
        answers.push(answer);
    }
    answers
}

const HALVES: [&[&str]; 3] = [
    &["orchard bridge repair", "mill lane upper town", "", ""],
    &["", "", "harbour office seven", "quay of the fishermen"],
    &["orchard bridge repair", "mill lane upper town", "harbour office seven", "quay of the fishermen"],
];

#[test]
fn a_record_that_is_two_known_things_shows_that_they_are_one() {
    let (mut linker, mut things) = (linker(&["text"; 4]), Things::default());
    let answers = ask(&mut things, &mut linker, &HALVES);
    assert!(!matches!(answers[1], Answer::Match(_)), "{answers:?}");
    assert!(matches!(answers[2], Answer::Match(_)), "{answers:?}");
    assert!(things.of(0) == things.of(1) && things.of(1) == things.of(2));
}

/// Things that a person keeps apart.
struct Apart;

impl Ties for Apart {
    fn bound(&mut self, thing: u32, records: &[u32]) -> Vec<Bound> {
        Free.bound(thing, records)
    }

    fn apart(&mut self, a: u32, b: u32) -> bool {
        (a, b) == (0, 1)
    }
}

#[test]
fn what_a_person_keeps_apart_is_not_brought_together_by_a_third() {
    let (mut linker, mut things) = (linker(&["text"; 4]), Things::default());
    ask(&mut things, &mut linker, &HALVES[..2]);
    things.take_all(&mut linker, &[row(HALVES[2])], &mut Apart);
    assert_eq!(things.changes_to_make(), []);
}

#[test]
fn a_record_without_a_phase_does_not_bring_two_phases_together_and_joins_none() {
    let (mut linker, mut things) = (linker(&["name", "company"]), Things::default());
    let owner = "宏源新材料有限公司";
    let rows: [&[&str]; 3] = [
        &["年产30万吨树脂项目一期", owner],
        &["年产30万吨树脂项目二期", owner],
        &["年产30万吨树脂项目", owner],
    ];
    let answers = ask(&mut things, &mut linker, &rows);
    assert!(matches!(&answers[2], Answer::Review(all) if all.len() == 2), "{answers:?}");
    assert!(things.of(0) != things.of(1));
}

type Said = [&'static str; 3];

/// Records that are much alike, so that many pairs are equally good.
fn alike() -> impl Strategy<Value = Vec<(Said, bool)>> {
    const NAMES: [&str; 6] = [
        "甬江大桥维修工程",
        "甬江大桥改建工程",
        "甬江大桥改造工程",
        "余杭新能源电池项目",
        "余杭新能源电芯项目",
        "余杭新能源电机项目",
    ];
    const OWNERS: [&str; 4] = ["明州华新科技有限公司", "明州华信科技有限公司", "甬江交通投资有限公司", ""];
    const DAYS: [&str; 4] = ["2023-05-01", "2023-05-20", "2023-06-11", ""];
    let record = (0..6usize, 0..4usize, 0..4usize, any::<bool>())
        .prop_map(|(name, owner, day, source)| ([NAMES[name], OWNERS[owner], DAYS[day]], source));
    proptest::collection::btree_set(record, 2..60).prop_map(|records| records.into_iter().collect())
}

/// Who is one with whom, of records that come in one batch in this order.
fn together(records: &[(Said, bool)], one_to_one: bool) -> BTreeSet<BTreeSet<(Said, bool)>> {
    let fields = serde_json::json!({"one_to_one": one_to_one, "fields": [
        {"field": "name", "kind": "name"}, {"field": "owner", "kind": "company"}, {"field": "day", "kind": "date"}]});
    let mut linker = Linker::new(serde_json::from_value(fields).unwrap(), 1);
    let mut things = Things::default();
    let rows: Vec<Row<'_>> = records
        .iter()
        .map(|(said, other)| Row { source: if *other { "b" } else { "a" }, ..row(said) })
        .collect();
    let from = things.take_all(&mut linker, &rows, &mut Free);
    let mut of: BTreeMap<u32, BTreeSet<(Said, bool)>> = BTreeMap::new();
    for (record, said) in (from..).zip(records) {
        let answer = things.answer(&linker, record);
        let thing = if let Answer::Match(found) = &answer { found.thing } else { record };
        things.belongs(record, thing);
        of.entry(thing).or_default().insert(*said);
    }
    of.into_values().collect()
}

proptest! {
    #[test]
    fn between_equals_it_does_not_matter_which_came_first(
        (records, shuffled) in alike().prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle())),
        one_to_one in any::<bool>(),
    ) {
        prop_assert_eq!(together(&records, one_to_one), together(&shuffled, one_to_one));
    }
}
