//! A batch against things that are known and against itself, before any of its records is told what it is.
//!
//! A record that is near to one known thing and to nothing else goes with that thing. All others are clustered by
//! average linkage together with the records of the things they are near to ([`revise`](super::revise)), so that it
//! does not matter which of them came first. Of two tables without duplicates each record gets one partner
//! ([`partner`](super::partner)). After each learning all that is known is looked at anew. What comes out is only a
//! plan: [`Things::changes_to_make`] names known records that belong elsewhere, and [`Things::answer`] says of one
//! record after the other what it is.

use std::ops::Range;

use hashbrown::HashSet;

use super::beside::{Beside, Compared};
use super::change::Change;
use super::cluster::Evidence;
use super::engine::{CANDIDATES, Linker};
use super::index::Search;
use super::judge::Judged;
use super::online::{FOUND, Things};
use super::revise::Ties;

/// Records up to which all are looked at anew after each learning.
const SETTLED: usize = 150_000;

/// What a batch's records are to become.
#[derive(Default)]
pub(super) struct Plan {
    /// The number of its first record.
    pub(super) from: u32,
    pub(super) rows: Vec<Planned>,
    pub(super) changes: Vec<Change>,
    /// How many records were known when it was made.
    pub(super) known: usize,
}

/// One record of a batch.
#[derive(Default)]
pub(super) struct Planned {
    /// Lookalikes, most alike first.
    pub(super) candidates: Vec<u32>,
    /// Whom it was compared with.
    pub(super) compared: Compared,
    /// Known things that it was judged beside, each with the part of what was compared that spoke for it.
    pub(super) judged: Vec<(Judged, Range<usize>)>,
    pub(super) with: With,
}

/// What a record goes with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum With {
    /// Nothing.
    #[default]
    Alone,
    /// The thing of another record: a known one, or the first of those in the batch that are one.
    First(u32),
}

impl Plan {
    /// What is planned for a record.
    pub(super) fn get(&self, record: u32) -> Option<&Planned> {
        self.rows.get(record.checked_sub(self.from)? as usize)
    }
}

impl Things {
    /// Plans what the records from `from` on are; `anew` when all that is known is to be looked at once more.
    pub(super) fn plan(&mut self, linker: &Linker, from: u32, anew: bool, ties: &mut impl Ties) {
        self.plan = Plan { from, known: linker.len(), ..Plan::default() };
        let mut left = std::mem::take(&mut self.left);
        for record in from..linker.len() as u32 {
            let candidates = linker.candidates(record, FOUND, &mut self.search);
            let candidates: Vec<u32> = candidates.iter().map(|&(_, other)| other).collect();
            linker.fetch(record, candidates.iter().copied());
            let things = self.things_of(&candidates, record);
            let mut compared = Compared::for_pairs(candidates.len() + CANDIDATES);
            left.begin(linker.slots().len());
            let mut own = linker.own(record, &mut left);
            let judged = things.into_iter().filter_map(|thing| {
                let first = compared.len();
                let judged = self.judge(linker, thing, |other| {
                    let beside = Beside::of(linker, &mut own, other);
                    compared.push(beside);
                    beside
                });
                Some((judged?, first..compared.len()))
            });
            let judged = judged.collect();
            // Others of the batch are of no thing yet.
            for &other in candidates.iter().take(CANDIDATES).filter(|other| **other >= from) {
                compared.push(self.beside(linker, &mut own, other));
            }
            self.plan.rows.push(Planned { candidates, compared, judged, with: With::Alone });
        }
        self.left = left;
        let anew = anew && linker.len() <= SETTLED;
        match linker.config().one_to_one {
            true => self.pair_up(linker, anew, ties),
            false => self.cluster(linker, anew, ties),
        }
    }

    /// Known records that belong to other things than was thought, now that the batch is known: to be carried out
    /// before the batch's records are asked for.
    pub fn changes_to_make(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.plan.changes)
    }

    fn cluster(&mut self, linker: &Linker, anew: bool, ties: &mut impl Ties) {
        let seeds = self.seeds(linker);
        let mut search = std::mem::take(&mut self.search);
        let region = match anew {
            true => Some(self.everything(linker)),
            false if seeds.is_empty() => None,
            false => self.region(linker, &seeds, &mut search),
        };
        self.search = search;
        let Some(region) = region else {
            // Too much hangs together: each record goes with what is best for it alone.
            seeds.into_iter().for_each(|seed| self.go_with_best(linker, seed));
            return;
        };
        let clusters = self.clusters(linker, region, ties);
        self.plan.changes = self.changes(&clusters, ties);
        let from = self.plan.from;
        for cluster in &clusters {
            let split = cluster.partition_point(|record| *record < from);
            let first = cluster.iter().copied().next().filter(|_| cluster.len() > 1);
            for record in &cluster[split..] {
                self.plan.rows[(record - from) as usize].with = first.map_or(With::Alone, With::First);
            }
        }
    }

    /// The records of the batch that are near to more than one known thing, or to one another; of the others it is
    /// planned at once what they go with.
    fn seeds(&mut self, linker: &Linker) -> Vec<u32> {
        let merge = linker.config().merge();
        let Plan { from, rows, .. } = &self.plan;
        let mut seeds = Vec::new();
        let mut withs: Vec<(usize, With)> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let record = from + at as u32;
            let candidates = row.candidates.iter().take(CANDIDATES);
            let near = candidates.filter(|&&other| {
                matches!(self.leaning_pair(linker, record, other), Evidence::Bits(bits) if bits >= merge)
            });
            let things: HashSet<Option<u32>> = near.map(|other| self.of(*other)).collect();
            let only = things.iter().copied().next().flatten().filter(|_| things.len() == 1);
            let joins = only.and_then(|thing| {
                let judged = row.judged.iter().find(|(judged, _)| judged.found.thing == thing);
                let judged = judged.filter(|(judged, _)| judged.link.average() >= merge);
                judged.map(|(judged, _)| With::First(judged.found.record))
            });
            match joins {
                Some(with) => withs.push((at, with)),
                None if things.is_empty() => {}
                None => seeds.push(record),
            }
        }
        withs.into_iter().for_each(|(at, with)| self.plan.rows[at].with = with);
        seeds
    }

    fn go_with_best(&mut self, linker: &Linker, record: u32) {
        let Some(row) = self.plan.rows.get_mut((record - self.plan.from) as usize) else { return };
        let best = row.judged.iter().max_by(|a, b| a.0.link.average().total_cmp(&b.0.link.average()));
        let best = best.filter(|(judged, _)| judged.link.average() >= linker.config().merge());
        row.with = best.map_or(With::Alone, |(judged, _)| With::First(judged.found.record));
    }

    /// The candidates of a record: those that were found for a record of the batch, else a new search's.
    pub(super) fn lookalikes(
        &self,
        linker: &Linker,
        record: u32,
        most: usize,
        search: &mut Search,
    ) -> Vec<u32> {
        match self.plan.get(record) {
            Some(row) => row.candidates.iter().copied().take(most).collect(),
            None => linker.candidates(record, most, search).iter().map(|&(_, other)| other).collect(),
        }
    }
}

/// What is connected.
pub(super) struct Components(Vec<usize>);

impl Components {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    pub(super) fn root(&mut self, unit: usize) -> usize {
        let mut at = unit;
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
