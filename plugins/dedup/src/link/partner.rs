//! Of two tables without duplicates each record gets one partner: the best pairs go first, whatever came first.
//!
//! A record without a partner proposes to its lookalikes, the best first. One that has a partner already takes the
//! better of the two, and the other one proposes anew. So what comes out is what one would find that had all records
//! at once: a pair stays only as long as neither of the two finds a better one that wants it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use hashbrown::{HashMap, HashSet};

use super::batch::With;
use super::cluster::{Evidence, Link, rounded};
use super::engine::Linker;
use super::index::Search;
use super::online::{FOUND, Things};
use super::pairs::CLOSE_BITS;
use super::revise::Ties;

/// A record wants to join another one.
struct Proposal {
    bits: f32,
    from: u32,
    to: u32,
    /// [What decides](Linker::rank) between equals.
    ranks: [(u32, u32); 2],
}

impl PartialEq for Proposal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Proposal {}

impl PartialOrd for Proposal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Proposal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bits.total_cmp(&other.bits).then(other.ranks.cmp(&self.ranks))
    }
}

/// Who is with whom, as far as it differs from what is known.
struct Groups<'a> {
    things: &'a Things,
    of: HashMap<u32, usize>,
    rows: Vec<Vec<u32>>,
    of_thing: HashMap<u32, usize>,
}

impl<'a> Groups<'a> {
    fn new(things: &'a Things) -> Self {
        Self { things, of: HashMap::new(), rows: Vec::new(), of_thing: HashMap::new() }
    }

    fn add(&mut self, rows: Vec<u32>) -> usize {
        self.of.extend(rows.iter().map(|record| (*record, self.rows.len())));
        self.rows.push(rows);
        self.rows.len() - 1
    }

    fn of(&mut self, record: u32) -> usize {
        if let Some(at) = self.of.get(&record) {
            return *at;
        }
        let Some(thing) = self.things.of(record) else { return self.add(vec![record]) };
        if let Some(at) = self.of_thing.get(&thing) {
            return *at;
        }
        let at = self.add(self.things.members.get(thing).to_vec());
        self.of_thing.insert(thing, at);
        at
    }

    /// Takes a record out of its group into one of its own.
    fn leave(&mut self, record: u32) {
        let at = self.of(record);
        self.rows[at].retain(|other| *other != record);
        self.add(vec![record]);
    }

    /// Lets a record that is alone join the group of another one.
    fn join(&mut self, record: u32, with: u32) {
        let (alone, at) = (self.of(record), self.of(with));
        self.rows[alone].clear();
        self.rows[at].push(record);
        self.of.insert(record, at);
    }
}

impl Things {
    /// Gives partners to the records of the batch, and to all records anew where all is looked at anew.
    pub(super) fn pair_up(&mut self, linker: &Linker, anew: bool, ties: &mut impl Ties) {
        let from = self.plan.from;
        let mut search = std::mem::take(&mut self.search);
        let mut groups = Groups::new(self);
        let mut fixed = Fixed { things: self, known: HashMap::new() };
        let mut proposals = BinaryHeap::new();
        for record in if anew { 0 } else { from }..linker.len() as u32 {
            let at = groups.of(record);
            if groups.rows[at].len() > 1 && !fixed.is(record, ties) {
                groups.leave(record);
            }
        }
        for record in if anew { 0 } else { from }..linker.len() as u32 {
            let at = groups.of(record);
            if groups.rows[at].len() == 1 {
                proposals.extend(self.proposals(linker, record, &mut search));
            }
        }
        while let Some(Proposal { bits, from, to, ranks }) = proposals.pop() {
            let (own, at) = (groups.of(from), groups.of(to));
            if groups.rows[own].len() > 1 || own == at {
                continue;
            }
            let (same, rest): (Vec<u32>, Vec<u32>) =
                groups.rows[at].iter().partition(|other| linker.same_source(**other, from));
            let now = self.weight(linker, from, &rest);
            if now.is_none_or(|now| now < bits) {
                // Others have joined since: the proposal is weighed anew.
                proposals.extend(now.map(|bits| Proposal { bits, from, to, ranks }));
                continue;
            }
            if let (Some(a), Some(b)) = (self.of(from), self.of(to))
                && a != b
                && ties.apart(a, b)
            {
                continue;
            }
            match same.as_slice() {
                [] => groups.join(from, to),
                [rival]
                    if !fixed.is(*rival, ties)
                        && self.weight(linker, *rival, &rest).is_none_or(|held| {
                            held < bits || held == bits && linker.rank(from) < linker.rank(*rival)
                        }) =>
                {
                    groups.leave(*rival);
                    groups.join(from, to);
                    proposals.extend(self.proposals(linker, *rival, &mut search));
                }
                _ => {}
            }
        }
        let mut clusters: Vec<Vec<u32>> = groups.rows.into_iter().filter(|rows| !rows.is_empty()).collect();
        clusters.iter_mut().for_each(|rows| rows.sort_unstable());
        clusters.sort_unstable();
        self.search = search;
        self.plan.changes = self.changes(&clusters, ties);
        for cluster in clusters.iter().filter(|cluster| cluster.len() > 1) {
            let split = cluster.partition_point(|record| *record < from);
            for record in &cluster[split..] {
                self.plan.rows[(record - from) as usize].with = With::First(cluster[0]);
            }
        }
    }

    fn proposals(&self, linker: &Linker, record: u32, search: &mut Search) -> Vec<Proposal> {
        let lookalikes = self.lookalikes(linker, record, FOUND, search);
        let weighed = lookalikes.into_iter().filter(|other| !linker.same_source(*other, record));
        let proposal = |to: u32| {
            let ranks = [linker.rank(record), linker.rank(to)];
            Some(Proposal { bits: self.weight(linker, record, &[to])?, from: record, to, ranks })
        };
        weighed.filter_map(proposal).collect()
    }

    /// What speaks for a record to be with these, if it is enough: the evidence, and how alike the texts are, in [parts of
    /// bits](rounded).
    fn weight(&self, linker: &Linker, record: u32, others: &[u32]) -> Option<f32> {
        let mut link = Link::default();
        let mut close = 0.0f32;
        for &other in others {
            let evidence = self.leaning_pair(linker, record, other);
            link.add(evidence);
            if matches!(evidence, Evidence::Veto) {
                return None;
            }
            close += linker.closeness(record, other);
        }
        let average = link.average();
        let weight = || average + CLOSE_BITS * close / others.len() as f32;
        // In whole parts, so that what is equally good is equal in whatever order it was added up.
        (average >= linker.config().merge()).then(|| rounded(weight()) as f32)
    }
}

/// Which records cannot leave their thing.
struct Fixed<'a> {
    things: &'a Things,
    known: HashMap<u32, HashSet<u32>>,
}

impl Fixed<'_> {
    fn is(&mut self, record: u32, ties: &mut impl Ties) -> bool {
        let Some(thing) = self.things.of(record) else { return false };
        let fixed = self.known.entry(thing).or_insert_with(|| {
            let members = self.things.members.get(thing);
            let bound = ties.bound(thing, members).into_iter();
            bound.filter(|bound| bound.stays || bound.records.len() > 1).flat_map(|b| b.records).collect()
        });
        fixed.contains(&record)
    }
}
