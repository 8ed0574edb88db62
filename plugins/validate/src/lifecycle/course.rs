//! From what is told of a project to its states by day. Pure: no host, no batches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is told of one state of the order by a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It is not reached.
    No,
    /// It was reached on this day.
    On(i32),
    /// It is reached, and nobody tells since when.
    Undated,
}

/// What cannot be read off the record as it is now. Days since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// The day on which a state without a day of its own was first told.
    #[serde(default)]
    pub(super) seen: BTreeMap<String, i32>,
    /// The states aside with the day from which each held; nothing: the project was back in the order.
    #[serde(default)]
    pub(super) aside: Vec<(i32, Option<String>)>,
}

impl Remembered {
    /// Takes in what a row tells on `today`: which states of the order are reached, and which state aside holds, with its
    /// own day if that is told.
    pub(super) fn take(&mut self, told: &[(&str, Told)], aside: Option<(&str, Option<i32>)>, today: i32) {
        for (state, told) in told {
            match told {
                Told::Undated => drop(self.seen.entry((*state).to_owned()).or_insert(today)),
                Told::No | Told::On(_) => drop(self.seen.remove(*state)),
            }
        }
        let (state, day) = aside.map_or((None, None), |(state, day)| (Some(state.to_owned()), day));
        match self.aside.last_mut() {
            // The day of what holds was corrected.
            Some((since, last)) if *last == state => *since = day.unwrap_or(*since),
            None if state.is_none() => {}
            last => {
                let before = last.map_or(i32::MIN, |(since, _)| *since);
                self.aside.push((day.unwrap_or(today).max(before), state));
            }
        }
    }

    /// Every state with the day since when it holds, oldest first; the last is that of now.
    ///
    /// A state of the order never follows a later one: a permit that comes after the start is no state. While a state
    /// aside holds, those of the order wait behind it.
    pub(super) fn history<'a>(&'a self, told: &[(&'a str, Told)]) -> Vec<(i32, &'a str)> {
        let mut steps = self.steps(told);
        let mut all: Vec<(i32, &str)> = Vec::new();
        steps.reverse();
        let mut reached = None;
        for (at, (day, state)) in self.aside.iter().enumerate() {
            let free = at == 0 || self.aside[at - 1].1.is_none();
            while let Some((since, step)) = steps.pop_if(|(since, _)| *since <= *day) {
                if free {
                    all.push((since, step));
                }
                reached = Some(step);
            }
            if let Some(state) = state.as_deref().or(reached) {
                all.push((*day, state));
            }
        }
        if self.aside.last().is_none_or(|(_, state)| state.is_none()) {
            steps.reverse();
            all.extend(steps);
        }
        all.dedup_by(|next, before| next.1 == before.1);
        all
    }

    /// The states of the order by day, each further than the one before.
    fn steps<'a>(&self, told: &[(&'a str, Told)]) -> Vec<(i32, &'a str)> {
        let mut latest = i32::MIN;
        let mut reached: Vec<(i32, usize, &str)> = Vec::new();
        for (rank, (state, told)) in told.iter().enumerate() {
            let day = match told {
                Told::No => continue,
                Told::On(day) => *day,
                // Told late, it cannot have begun before what it follows.
                Told::Undated => self.seen.get(*state).copied().unwrap_or(latest).max(latest),
            };
            latest = latest.max(day);
            reached.push((day, rank, state));
        }
        reached.sort_unstable();
        let mut furthest = None;
        reached.retain(|(_, rank, _)| {
            let further = furthest.is_none_or(|most| *rank > most);
            if further {
                furthest = Some(*rank);
            }
            further
        });
        reached.into_iter().map(|(day, _, state)| (day, state)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Told::{No, On, Undated};
    use super::*;

    #[test]
    fn the_order_is_one_state_a_day_and_never_goes_back() {
        for (told, expected) in [
            (vec![No, No, No, No], vec![]),
            (vec![On(1), No, On(9), No], vec![(1, "签约"), (9, "开工")]),
            // The permit came after the start: a phased permit.
            (vec![On(1), On(12), On(9), No], vec![(1, "签约"), (9, "开工")]),
            (vec![On(1), On(9), On(9), No], vec![(1, "签约"), (9, "许可"), (9, "开工")]),
            // Started, and nobody says when: since it was first told (20), yet not before the permit.
            (vec![On(1), On(9), Undated, No], vec![(1, "签约"), (9, "许可"), (20, "开工")]),
            (vec![On(1), On(25), Undated, No], vec![(1, "签约"), (25, "许可"), (25, "开工")]),
            // What was told late of an earlier time is behind.
            (vec![No, No, Undated, On(15)], vec![(15, "竣工")]),
        ] {
            let told: Vec<_> = ["签约", "许可", "开工", "竣工"].into_iter().zip(told).collect();
            let mut past = Remembered::default();
            past.take(&told, None, 20);
            assert_eq!(past.history(&told), expected, "{told:?}");
        }
    }

    #[test]
    fn a_state_aside_holds_until_it_is_told_no_more() {
        let mut past = Remembered::default();
        let at = |sign, start| [("签约", sign), ("开工", start)];
        past.take(&at(On(1), No), None, 5);
        assert_eq!(past, Remembered::default(), "what the record holds is not remembered");
        past.take(&at(On(1), No), Some(("暂停", None)), 10);
        past.take(&at(On(1), No), Some(("暂停", None)), 12);
        assert_eq!(past.history(&at(On(1), No)), [(1, "签约"), (10, "暂停")]);
        // It starts while it is told as paused: the pause counts.
        assert_eq!(past.history(&at(On(1), On(11))), [(1, "签约"), (10, "暂停")]);
        past.take(&at(On(1), On(11)), None, 15);
        assert_eq!(past.history(&at(On(1), On(11))), [(1, "签约"), (10, "暂停"), (15, "开工")]);
        past.take(&at(On(1), On(11)), Some(("终止", Some(18))), 20);
        let ended = [(1, "签约"), (10, "暂停"), (15, "开工"), (18, "终止")];
        assert_eq!(past.history(&at(On(1), On(11))), ended);
        let text = serde_json::to_string(&past).unwrap();
        assert_eq!(serde_json::from_str::<Remembered>(&text).unwrap(), past);
    }

    #[test]
    fn a_corrected_day_moves_its_state_and_leaves_no_second_one() {
        let mut past = Remembered::default();
        past.take(&[("开工", Undated)], None, 10);
        past.take(&[("开工", On(7))], None, 12);
        assert_eq!(past.history(&[("开工", On(7))]), [(7, "开工")]);
        past.take(&[("开工", On(7))], Some(("暂停", Some(9))), 12);
        past.take(&[("开工", On(7))], Some(("暂停", Some(8))), 13);
        assert_eq!(past.history(&[("开工", On(7))]), [(7, "开工"), (8, "暂停")]);
    }
}
