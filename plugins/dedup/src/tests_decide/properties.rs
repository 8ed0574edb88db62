//! What holds whatever is sent in whatever order.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::stage::{COLUMNS, Delivery, SENDERS, Sent, Stage};
use crate::inspect::Inspect;

/// Deliveries of three senders about few codes and names, some without a code, some corrections of others.
fn deliveries() -> impl Strategy<Value = Vec<Delivery>> {
    let pick = |options: &'static [&'static str]| proptest::sample::select(options);
    let names = pick(&["", "海晨物流中心一期", "海晨物流中心项目(Ⅰ期)", "海晨物流中心二期", "南湖泵站"]);
    let values = (pick(&["", "张", "李"]), pick(&["", "东", "西"]), 0..4_i64);
    let row = (pick(&["K1", "K2", "K3", ""]), names, values)
        .prop_map(|(code, name, (leader, place, total))| ([code, "", name, leader, place], total));
    let delivery = (0..3_usize, 0..4_usize, 1..4_usize, proptest::collection::vec(row, 1..5));
    proptest::collection::vec(delivery, 2..7)
}

/// A value, its field and who sent it.
type Word = (String, String, String);

/// All values in the parts of all records, each with its sender.
fn all_values(stage: &Stage) -> BTreeSet<Word> {
    let inspect = Inspect::new(stage.host.clone());
    let parts = stage.records().into_keys().flat_map(|id| inspect.parts(&id).unwrap());
    let values = parts.flat_map(|part| {
        let sender = part.sender;
        part.values.into_iter().map(move |said| (sender.clone(), said.field, said.value))
    });
    values.collect()
}

/// The same as it was sent.
fn said_by(sender: &str, rows: &[Sent]) -> BTreeSet<Word> {
    let of = |(row, total): &Sent| -> Vec<(&str, String)> {
        let texts = COLUMNS.iter().zip(row).map(|(field, value)| (*field, (*value).to_owned()));
        texts.chain([("total", total.to_string())]).collect()
    };
    let values = rows.iter().flat_map(of).filter(|(_, value)| !value.is_empty() && value != "0");
    values.map(|(field, value)| (sender.to_owned(), field.to_owned(), value)).collect()
}

/// How many cases of each property; `HUILIU_CASES=10000` looks longer.
fn cases() -> ProptestConfig {
    let wanted = std::env::var("HUILIU_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(wanted.unwrap_or(96))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn taking_apart_what_was_put_together_restores_both(sent in deliveries()) {
        let mut stage = Stage::new();
        for delivery in &sent {
            stage.deliver(delivery);
        }
        let (before, whole) = (stage.records(), stage.everything());
        let (keys, rows) = (stage.keys(), stage.linked_rows());
        prop_assume!(before.len() > 1);
        let ids: Vec<String> = before.keys().cloned().collect();
        let asked = stage.questions([&ids[0], &ids[1]]);
        stage.there_and_back(&ids[0], &ids[1]);
        prop_assert_eq!(stage.records(), before);
        prop_assert_eq!(stage.everything(), whole);
        prop_assert_eq!(stage.keys(), keys);
        prop_assert_eq!(stage.linked_rows(), rows);
        prop_assert_eq!(stage.questions([&ids[0], &ids[1]]), asked);
    }

    #[test]
    fn several_that_were_put_together_are_taken_apart_in_any_order(
        sent in deliveries(),
        order in Just([0, 1, 2]).prop_shuffle(),
    ) {
        let mut stage = Stage::new();
        for delivery in &sent {
            stage.deliver(delivery);
        }
        let whole = stage.everything();
        let ids: Vec<String> = whole.keys().cloned().collect();
        let mut gone: Vec<String> = Vec::new();
        for other in ids.iter().skip(1).take(3) {
            gone.push(stage.unite(&ids[0], other).1);
        }
        // Each is named as the record that it was: it leads to the one that it is in.
        for gone in order.iter().filter_map(|at| gone.get(*at)) {
            stage.decide("unmerge", gone, &[("source", gone)]).unwrap();
        }
        prop_assert_eq!(stage.everything(), whole);
    }

    #[test]
    fn a_record_is_what_its_parts_give(sent in deliveries(), one in 0..4_usize, other in 0..4_usize) {
        let (mut stage, mut united) = (Stage::new(), None);
        for (at, delivery) in sent.iter().enumerate() {
            stage.deliver(delivery);
            prop_assert_eq!(stage.made_anew(), stage.with_places(), "after delivery {}", at + 1);
            let ids: Vec<String> = stage.records().into_keys().collect();
            if at == 1 && one != other && ids.len() > one.max(other) {
                united = Some(stage.unite(&ids[one], &ids[other]));
            } else if at > 2
                && let Some((stays, goes)) = united.take()
            {
                // Later rows may have shown that all of it belongs elsewhere: then there is nothing to be taken apart.
                let _ = stage.decide("unmerge", &stays, &[("source", &goes)]);
                prop_assert_eq!(stage.made_anew(), stage.with_places(), "taken apart after delivery {}", at + 1);
            }
        }
    }

    #[test]
    fn a_released_pin_leaves_nothing_behind(
        sent in deliveries(),
        at in 0..4_usize,
        field in proptest::sample::select(vec![("total", "7"), ("leader", "钱"), ("place", "南")]),
    ) {
        let (mut stage, mut never, mut pinned) = (Stage::new(), Stage::new(), false);
        for (number, delivery) in sent.iter().enumerate() {
            stage.deliver(delivery);
            never.deliver(delivery);
            if let Some(id) = stage.records().into_keys().next().filter(|_| number == at) {
                stage.decide("pin", &id, &[("field", field.0), ("value", field.1)]).unwrap();
                pinned = true;
            }
            prop_assert_eq!(stage.made_anew(), stage.with_places(), "after delivery {}", number + 1);
        }
        // Later rows may have shown that what was one record is two: then the pin is in one of them, and never lost.
        let mut all = stage.with_places();
        all.retain(|_, values| values.iter().any(|value| value.contains("\"pinned\"")));
        prop_assert_eq!(all.len(), usize::from(pinned));
        for id in all.into_keys() {
            stage.decide("release", &id, &[("field", field.0)]).unwrap();
        }
        prop_assert_eq!(stage.with_places(), never.with_places());
    }

    #[test]
    fn no_value_is_ever_lost(sent in deliveries(), split in 0..3_usize) {
        let mut stage = Stage::new();
        let mut said = BTreeSet::new();
        for delivery in &sent {
            stage.deliver(delivery);
            said.extend(said_by(SENDERS[delivery.0], &delivery.3));
        }
        prop_assert_eq!(&all_values(&stage), &said);
        let ids: Vec<String> = stage.records().into_keys().collect();
        if ids.len() > 1 {
            stage.decide("accept", &ids[0], &[("other", &ids[1])]).unwrap();
        }
        let id = stage.records().into_keys().next().unwrap();
        let _ = stage.decide("unmerge", &id, &[("source", SENDERS[split])]);
        prop_assert_eq!(&all_values(&stage), &said);
    }

    #[test]
    fn a_delivery_twice_changes_nothing_also_after_decisions(sent in deliveries()) {
        let mut stage = Stage::new();
        for delivery in &sent {
            stage.deliver(delivery);
        }
        let ids: Vec<String> = stage.records().into_keys().collect();
        if ids.len() > 1 {
            stage.decide("accept", &ids[0], &[("other", &ids[1])]).unwrap();
        }
        // The same delivery once more, as after a crash: it is no correction of itself. In one batch, since a value that
        // is replaced in one batch and comes back in another has changed twice.
        let (sender, file, _, rows) = sent.last().unwrap().clone();
        let last = &(sender, file, rows.len(), rows);
        stage.deliveries -= 1;
        stage.deliver(last);
        let mut before = stage.host.state();
        before.retain(|key, _| !key.starts_with(b"f/"));
        stage.deliveries -= 1;
        let out = stage.deliver(last);
        let mut after = stage.host.state();
        after.retain(|key, _| !key.starts_with(b"f/"));
        prop_assert_eq!(out, 0);
        prop_assert_eq!(after, before);
    }
}
