//! What comparing records of a batch with others gave: a pair is asked about several times before it is known what its
//! record is, and compared once.

use std::ops::Range;

use super::cluster::Evidence;
use super::compare::{Own, Pattern};
use super::engine::Linker;
use super::judge::leaning;
use super::likeness::Left;
use super::online::Things;

/// A record beside another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    pub(super) other: u32,
    pub(super) pattern: Pattern,
    pub(super) bits: f32,
}

impl Beside {
    pub(super) fn of(linker: &Linker, own: &mut Own<'_>, other: u32) -> Self {
        let (pattern, bits) = linker.weighed(own, other);
        Self { other, pattern, bits }
    }

    /// The evidence as it counts when things are to become one.
    pub(super) fn leaning(&self, linker: &Linker) -> Evidence {
        leaning(linker, self.pattern, self.bits)
    }
}

/// Whom a record of the batch was compared with.
#[derive(Debug, Default)]
pub(super) struct Compared(Vec<Beside>);

impl Compared {
    /// Room for so many pairs, mostly all.
    pub(super) fn for_pairs(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// The pair with another record, if the two were compared.
    pub(super) fn with(&self, other: u32) -> Option<Beside> {
        self.0.iter().find(|beside| beside.other == other).copied()
    }

    pub(super) fn push(&mut self, beside: Beside) {
        self.0.push(beside);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a part of it is these, in this order.
    pub(super) fn are(&self, part: Range<usize>, others: impl Iterator<Item = u32>) -> bool {
        self.0.get(part).is_some_and(|part| part.iter().map(|beside| beside.other).eq(others))
    }
}

impl Things {
    /// A pair of records, one of which may be of the batch: then it is not compared again.
    pub(super) fn beside(&self, linker: &Linker, own: &mut Own<'_>, other: u32) -> Beside {
        self.compared(linker, own.record, other).unwrap_or_else(|| Beside::of(linker, own, other))
    }

    /// A pair one of which is of the batch, if the two were compared.
    fn compared(&self, linker: &Linker, a: u32, b: u32) -> Option<Beside> {
        // Records that came since make values less rare.
        let plan = Some(&self.plan).filter(|plan| plan.known == linker.len())?;
        let of = |a: u32, b: u32| plan.get(a)?.compared.with(b);
        of(a, b).or_else(|| Some(Beside { other: b, ..of(b, a)? }))
    }

    /// The evidence of a pair as it counts when things are to become one.
    pub(super) fn leaning_pair(&self, linker: &Linker, a: u32, b: u32) -> Evidence {
        let compare = || Beside::of(linker, &mut linker.own(a, &mut Left::default()), b);
        self.compared(linker, a, b).unwrap_or_else(compare).leaning(linker)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::compare::compare;
    use super::super::{Config, Row};
    use super::*;

    const NAMES: [&str; 6] = [
        "明州新能源电池一期项目",
        "明州新能源电池二期项目",
        "明州新能源电池项目",
        "甬江大桥维修工程",
        "甬江大桥改建工程3标段",
        "mill lane upper town",
    ];
    const COMPANIES: [&str; 4] = ["明州华新科技有限公司", "华新科技", "甬江交通投资集团有限公司", ""];
    const PLACES: [&str; 4] = ["余杭区文一路12号", "余杭区文一路", "鄞州区甬江路8号", ""];
    const CODES: [&str; 4] =
        ["2301-330110-04-01-123456", "2301-330110-04-01-123457", "2302-330212-04-01-000001", ""];
    const DAYS: [&str; 4] = ["2023-05-01", "2023-05-03", "2023", ""];
    const AMOUNTS: [&str; 4] = ["1200", "1250", "0.1", ""];

    fn linker() -> Linker {
        let kinds = ["name", "company", "place", "project_code", "date", "money"];
        let field = |kind: &str| {
            let group = matches!(kind, "company" | "place").then_some("owner");
            serde_json::json!({"field": kind, "kind": kind, "group": group})
        };
        let fields: Vec<_> = kinds.into_iter().map(field).collect();
        let config: Config = serde_json::from_value(serde_json::json!({"fields": fields})).unwrap();
        Linker::new(config, 1)
    }

    proptest! {
        #[test]
        fn a_pair_is_the_same_from_both_sides_and_however_its_slots_are_looked_for(
            known in proptest::collection::vec((0..6usize, 0..4usize, 0..4usize, 0..4usize, 0..4usize, 0..4usize), 2..40),
        ) {
            let mut linker = linker();
            let row = |&(name, company, place, code, day, amount): &(usize, usize, usize, usize, usize, usize)| {
                let values = [NAMES[name], COMPANIES[company], PLACES[place], CODES[code], DAYS[day], AMOUNTS[amount]];
                Row { values: values.map(|value| Some(value).filter(|value| !value.is_empty())).to_vec(), source: "s" }
            };
            linker.take_all(&known.iter().map(row).collect::<Vec<_>>());
            linker.weigh();
            linker.learn();
            let records = 0..known.len() as u32;
            let mut left = Left::default();
            for a in records.clone() {
                left.begin(linker.slots().len());
                let mut own = linker.own(a, &mut left);
                linker.fetch(a, records.clone());
                for b in records.clone() {
                    let mut slots = [Default::default(); 16];
                    (0..linker.slots().len()).for_each(|at| slots[at] = linker.store.get(b).slot(at));
                    let pattern = compare(linker.slots(), &linker.dictionary, &mut linker.own(a, &mut Left::default()), &slots);
                    prop_assert_eq!(linker.weighed(&mut own, b), (pattern, linker.score(a, b, pattern)));
                    prop_assert_eq!(linker.pattern(b, a), pattern);
                    prop_assert_eq!(linker.score(b, a, pattern), linker.score(a, b, pattern));
                }
            }
        }
    }
}
