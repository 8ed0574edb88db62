//! What known things are to a record that comes, and what it makes of them.

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
