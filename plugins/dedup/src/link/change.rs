//! What is to be changed of what is known, for records to be together as they were clustered anew.
//!
//! A thing that is several clusters keeps its name in one of them: in the one of which a person said that it is the
//! thing, else in the one with most of its records, else in that of its first record. Where several things are one
//! cluster it has the name of one of them by the same rule. So as few records as possible go elsewhere.

use hashbrown::{HashMap, HashSet};

use super::cluster::Link;
use super::engine::Linker;
use super::online::{Found, Things};
use super::revise::Ties;

/// Records of a side that speak for it.
const SPEAKERS: usize = 12;

/// Where records go that leave their thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// They are a thing of their own.
    Own,
    /// They belong to the thing of this record.
    With(u32),
}

/// Known records that belong to another thing than was thought.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The records.
    pub records: Vec<u32>,
    /// The thing that they leave; it is no more when these are all its records.
    pub from: u32,
    /// Where they go.
    pub to: To,
}

impl Things {
    /// What is to be changed for known records to be together as in these clusters.
    pub(super) fn changes(&self, clusters: &[Vec<u32>], ties: &mut impl Ties) -> Vec<Change> {
        // For each thing its records by cluster; nothing is to be done for one that is a cluster.
        let mut shares: HashMap<u32, Vec<(usize, Vec<u32>)>> = HashMap::new();
        let mut of_cluster: Vec<Vec<u32>> = vec![Vec::new(); clusters.len()];
        for (at, cluster) in clusters.iter().enumerate() {
            for &record in cluster {
                let Some(thing) = self.of(record) else { continue };
                let share = shares.entry(thing).or_default();
                match share.last_mut() {
                    Some((last, records)) if *last == at => records.push(record),
                    _ => {
                        share.push((at, vec![record]));
                        of_cluster[at].push(thing);
                    }
                }
            }
        }
        let mut claims: Vec<(bool, usize, u32, u32, usize)> = Vec::new();
        for (&thing, share) in &shares {
            let disputed = share.len() > 1 || of_cluster[share[0].0].len() > 1;
            let stay: HashSet<u32> = match share.len() > 1 {
                true => self.pinned(thing, ties),
                false => HashSet::new(),
            };
            for (at, records) in share.iter().filter(|_| disputed) {
                let stays = records.iter().any(|record| stay.contains(record));
                claims.push((stays, records.len(), records[0], thing, *at));
            }
        }
        // What a person said, then the greater part, then what came first.
        claims.sort_unstable_by(|a, b| (b.0, b.1, a.2).cmp(&(a.0, a.1, b.2)));
        let (mut owner, mut named) = (HashMap::new(), HashSet::new());
        for &(_, _, first, thing, at) in &claims {
            if !owner.contains_key(&at) && !named.contains(&thing) {
                named.insert(thing);
                owner.insert(at, (thing, first));
            }
        }
        claims.sort_unstable_by_key(|claim| claim.2);
        let mut changes = Vec::new();
        for (_, _, first, thing, at) in claims {
            let to = match owner.get(&at) {
                Some((own, _)) if *own == thing => continue,
                Some((_, with)) => To::With(*with),
                None => {
                    owner.insert(at, (u32::MAX, first));
                    To::Own
                }
            };
            let share = shares.get_mut(&thing).and_then(|share| share.iter_mut().find(|share| share.0 == at));
            let records = share.map(|(_, records)| std::mem::take(records)).unwrap_or_default();
            changes.push(Change { records, from: thing, to });
        }
        changes
    }

    fn pinned(&self, thing: u32, ties: &mut impl Ties) -> HashSet<u32> {
        let members = self.members.get(thing);
        let stay = ties.bound(thing, members).into_iter().filter(|bound| bound.stays);
        stay.flat_map(|bound| bound.records).collect()
    }

    /// The pair that speaks most for a change: a record that goes, and the one it is most like where it goes; of records
    /// that go nowhere, where they were.
    pub fn reason(&self, linker: &Linker, change: &Change) -> Option<(u32, Found)> {
        let thing = match change.to {
            To::With(record) => self.of(record)?,
            To::Own => self.of(*change.records.first()?)?,
        };
        let others = self.members.get(thing).iter().filter(|other| !change.records.contains(other));
        let others: Vec<u32> = others.copied().take(SPEAKERS).collect();
        let (mut link, mut best) = (Link::default(), None::<(u32, Found)>);
        for &record in change.records.iter().take(SPEAKERS) {
            for &other in &others {
                let pattern = linker.pattern(record, other);
                let bits = linker.score(record, other, pattern);
                link.add(linker.evidence(pattern, bits));
                if best.as_ref().is_none_or(|(_, found)| found.bits < bits) {
                    best = Some((record, Found { thing, record: other, bits, next: None, pattern }));
                }
            }
        }
        let average = link.average();
        best.map(|(record, found)| {
            let bits = if average.is_finite() { average } else { found.bits };
            (record, Found { bits, ..found })
        })
    }

    /// Carries a change out: these records belong to another thing from now on.
    pub fn moved(&mut self, change: &Change, thing: u32) {
        let gone: HashSet<u32> = change.records.iter().copied().collect();
        let left = self.members.remove(change.from).into_iter().filter(|record| !gone.contains(record));
        left.for_each(|record| self.members.push(change.from, record));
        change.records.iter().for_each(|record| self.belongs(*record, thing));
        self.members.sort(thing);
    }
}
