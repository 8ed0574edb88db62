//! What is known, looked at anew: which of the known things turn out to be one, and which records turn out to belong
//! to another thing than the one they joined.
//!
//! What a record is must not depend on what came before it. So where a batch touches several known things, or one that
//! a mark keeps apart from what the batch is near to, the records of these things are clustered once more, as if all
//! had come together; and after each learning all records are. What differs from what is known comes out as
//! [`Change`](super::change::Change)s. Whoever keeps the things carries them out, and says through [`Ties`] what may not be changed: records
//! that a key or a person holds together, things that a person keeps apart.

use hashbrown::{HashMap, HashSet};

use super::batch::Components;
use super::cluster::{Evidence, Link, join_units};
use super::engine::{CANDIDATES, Linker};
use super::index::Search;
use super::judge::speakers;
use super::likeness::Left;
use super::online::{MARGIN_BITS, Things};
use super::parallel::parallel;

/// Records that are looked at anew for one batch, at most; and for each record of the batch.
const MOST: usize = 2_048;
const MOST_FOR_EACH: usize = 16;
/// Pairs with less evidence than this are not remembered.
const KEPT_BITS: f32 = -8.0;
/// Records of a cluster that speak for it.
const SPEAKERS: usize = 12;

/// Records of a thing that go together, whatever the evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The records.
    pub records: Vec<u32>,
    /// Whether they belong to the thing itself, because a person said so.
    pub stays: bool,
}

/// What those who keep the things know beside the evidence.
pub trait Ties {
    /// The records of a thing, each in the group that it cannot be parted from.
    fn bound(&mut self, thing: u32, records: &[u32]) -> Vec<Bound>;

    /// Whether a person keeps two things apart.
    fn apart(&mut self, a: u32, b: u32) -> bool;
}

/// Nothing is known beside the evidence.
pub struct Free;

impl Ties for Free {
    fn bound(&mut self, _: u32, records: &[u32]) -> Vec<Bound> {
        records.iter().map(|&record| Bound { records: vec![record], stays: false }).collect()
    }

    fn apart(&mut self, _: u32, _: u32) -> bool {
        false
    }
}

/// A pair of records and its evidence.
type Pair = (u32, u32, Evidence);

/// What is looked at anew: records, and the pairs that were found between them.
#[derive(Default)]
pub(super) struct Region {
    rows: Vec<u32>,
    seen: HashSet<u32>,
    /// Pairs that were compared: what one side found the other mostly finds as well.
    compared: HashSet<(u32, u32)>,
    pairs: Vec<Pair>,
}

impl Region {
    fn enter(&mut self, record: u32) {
        if self.seen.insert(record) {
            self.rows.push(record);
        }
    }
}

impl Things {
    /// Walks from records of a batch to all known records that they may be one with by way of others. Nothing, if that
    /// is too much to be looked at.
    pub(super) fn region(&self, linker: &Linker, seeds: &[u32], search: &mut Search) -> Option<Region> {
        let merge = linker.config().merge();
        let most = MOST.max(MOST_FOR_EACH * seeds.len());
        let (mut region, mut left) = (Region::default(), Left::default());
        seeds.iter().for_each(|seed| region.enter(*seed));
        let mut at = 0;
        while let Some(&record) = region.rows.get(at) {
            at += 1;
            if let Some(thing) = self.of(record) {
                self.members.get(thing).iter().for_each(|member| region.enter(*member));
            }
            let compared = &mut region.compared;
            let is_new = |other: &u32| compared.insert((record.min(*other), record.max(*other)));
            for pair in self.found(linker, record, (search, &mut left), is_new) {
                region.pairs.push(pair);
                if matches!(pair.2, Evidence::Bits(bits) if bits >= merge) {
                    region.enter(pair.0);
                    region.enter(pair.1);
                }
            }
            if region.rows.len() > most {
                return None;
            }
        }
        Some(region)
    }

    /// The pairs of a record with those of its lookalikes that are asked for, as far as they are worth remembering.
    fn found(
        &self,
        linker: &Linker,
        record: u32,
        (search, left): (&mut Search, &mut Left),
        asked: impl FnMut(&u32) -> bool,
    ) -> Vec<Pair> {
        let mut candidates = self.lookalikes(linker, record, CANDIDATES, search);
        candidates.retain(asked);
        linker.fetch(record, candidates.iter().copied());
        left.begin(linker.slots().len());
        let mut own = linker.own(record, left);
        let pair = |&other: &u32| {
            let beside = self.beside(linker, &mut own, other);
            (record.min(other), record.max(other), beside.leaning(linker))
        };
        let worth = |pair: &Pair| !matches!(pair.2, Evidence::Bits(bits) if bits < KEPT_BITS);
        candidates.iter().map(pair).filter(worth).collect()
    }

    /// All records.
    pub(super) fn everything(&self, linker: &Linker) -> Region {
        let pairs = parallel(linker.threads, linker.len(), Default::default, |record, scratch| {
            let (search, left): &mut (Search, Left) = scratch;
            self.found(linker, record as u32, (search, left), |_| true)
        });
        let rows: Vec<u32> = (0..linker.len() as u32).collect();
        let pairs = pairs.into_iter().flatten().collect();
        Region { seen: rows.iter().copied().collect(), rows, pairs, ..Region::default() }
    }

    /// Clusters what is looked at anew. Gives all clusters, of one record too.
    pub(super) fn clusters(&self, linker: &Linker, region: Region, ties: &mut impl Ties) -> Vec<Vec<u32>> {
        let Region { mut rows, mut pairs, .. } = region;
        rows.sort_unstable();
        let place = |record: u32| rows.binary_search(&record).ok();
        pairs.retain(|(a, b, _)| place(*a).is_some() && place(*b).is_some());
        pairs.sort_unstable_by_key(|pair| (pair.0, pair.1));
        pairs.dedup_by_key(|pair| (pair.0, pair.1));
        let merge = linker.config().merge();
        let mut above = Components::new(rows.len());
        for &(a, b, evidence) in &pairs {
            if let (Evidence::Bits(bits), Some(a), Some(b)) = (evidence, place(a), place(b))
                && bits >= merge
            {
                above.join(a, b);
            }
        }
        // What is one already stays in one component, so that it can be held together.
        let mut first_of: HashMap<u32, usize> = HashMap::new();
        for (at, &record) in rows.iter().enumerate() {
            if let Some(thing) = self.of(record) {
                above.join(at, *first_of.entry(thing).or_insert(at));
            }
        }
        let mut components: Vec<(Vec<u32>, Vec<Pair>)> = vec![Default::default(); rows.len()];
        rows.iter().enumerate().for_each(|(at, &record)| components[above.root(at)].0.push(record));
        for pair in pairs {
            if let (Some(a), Some(b)) = (place(pair.0), place(pair.1))
                && above.root(a) == above.root(b)
            {
                components[above.root(a)].1.push(pair);
            }
        }
        let mut clusters = Vec::new();
        for (rows, pairs) in components.into_iter().filter(|(rows, _)| !rows.is_empty()) {
            match rows.len() {
                1 => clusters.push(rows),
                _ => clusters.extend(self.component(linker, &rows, &pairs, ties)),
            }
        }
        clusters
    }

    /// Clusters one component: freely first; where that would part what is one, once more with what holds it together.
    fn component(
        &self,
        linker: &Linker,
        rows: &[u32],
        pairs: &[Pair],
        ties: &mut impl Ties,
    ) -> Vec<Vec<u32>> {
        let mut alone: Vec<Vec<u32>> = rows.iter().map(|record| vec![*record]).collect();
        alone.sort_unstable_by_key(|unit| linker.rank(unit[0]));
        let free = self.joined(linker, alone.clone(), pairs, &[]);
        let mut things: Vec<u32> = rows.iter().filter_map(|record| self.of(*record)).collect();
        things.sort_unstable();
        things.dedup();
        let is_parted = |thing: &u32| {
            let holds = |rows: &&Vec<u32>| rows.iter().any(|record| self.of(*record) == Some(*thing));
            free.iter().filter(holds).count() > 1
        };
        let parted: Vec<u32> = things.iter().copied().filter(is_parted).collect();
        let mut units: Vec<Vec<u32>> = Vec::new();
        for thing in parted {
            let members = self.members.get(thing);
            let mut stay = Vec::new();
            for Bound { mut records, stays } in ties.bound(thing, members) {
                records.retain(|record| rows.contains(record));
                match stays {
                    true => stay.extend(records),
                    false => units.push(records),
                }
            }
            units.push(stay);
        }
        units.retain(|unit| unit.len() > 1);
        let mut apart = Vec::new();
        for (at, &a) in things.iter().enumerate() {
            let others = things[at + 1..].iter().copied();
            apart.extend(others.filter(|b| ties.apart(a, *b)).map(|b| (a, b)));
        }
        if units.is_empty() && apart.is_empty() {
            return free;
        }
        let in_unit: HashSet<u32> = units.iter().flatten().copied().collect();
        units.extend(alone.into_iter().filter(|row| !in_unit.contains(&row[0])));
        units.iter_mut().for_each(|unit| unit.sort_unstable_by_key(|record| linker.rank(*record)));
        units.sort_unstable_by_key(|unit| linker.rank(unit[0]));
        let of = |unit: &Vec<u32>, thing: u32| unit.iter().any(|record| self.of(*record) == Some(thing));
        let mut vetoes = Vec::new();
        for (a, b) in apart {
            let of_b: Vec<usize> = (0..units.len()).filter(|at| of(&units[*at], b)).collect();
            let of_a = (0..units.len()).filter(|at| of(&units[*at], a));
            vetoes.extend(of_a.flat_map(|a| of_b.iter().map(move |b| (a, *b))));
        }
        self.joined(linker, units, pairs, &vetoes)
    }

    /// Average linkage over units that are never split, some of which are never to meet. A record that could as well go
    /// elsewhere is left alone.
    fn joined(
        &self,
        linker: &Linker,
        units: Vec<Vec<u32>>,
        pairs: &[Pair],
        vetoes: &[(usize, usize)],
    ) -> Vec<Vec<u32>> {
        let mut unit_of: HashMap<u32, usize> = HashMap::new();
        for (at, unit) in units.iter().enumerate() {
            unit_of.extend(unit.iter().map(|record| (*record, at)));
        }
        let held: HashSet<u32> = units.iter().filter(|unit| unit.len() > 1).flatten().copied().collect();
        let mut links: HashMap<(usize, usize), Link> = HashMap::new();
        for &(a, b, evidence) in pairs {
            let (a, b) = (unit_of[&a], unit_of[&b]);
            if a != b {
                links.entry((a.min(b), a.max(b))).or_default().add(evidence);
            }
        }
        for &(a, b) in vetoes {
            links.insert((a.min(b), a.max(b)), Link::VETO);
        }
        let mut links: Vec<(usize, usize, Link)> =
            links.into_iter().map(|((a, b), link)| (a, b, link)).collect();
        links.sort_unstable_by_key(|link| (link.0, link.1));
        let merge = linker.config().merge();
        let clusters = join_units(units, links, merge, |a, b| self.leaning_pair(linker, a, b));
        let mut cluster_of: HashMap<u32, usize> = HashMap::new();
        for (at, cluster) in clusters.iter().enumerate() {
            cluster_of.extend(cluster.iter().map(|record| (*record, at)));
        }
        // For each record the other clusters that it is near to.
        let mut near: HashMap<u32, Vec<usize>> = HashMap::new();
        for &(a, b, evidence) in pairs.iter().filter(|(a, b, _)| cluster_of[a] != cluster_of[b]) {
            if matches!(evidence, Evidence::Bits(bits) if bits >= merge - MARGIN_BITS) {
                near.entry(a).or_default().push(cluster_of[&b]);
                near.entry(b).or_default().push(cluster_of[&a]);
            }
        }
        let torn: HashSet<u32> = near
            .into_iter()
            .filter(|(record, others)| {
                let own = &clusters[cluster_of[record]];
                own.len() > 1
                    && !held.contains(record)
                    && self.is_torn(linker, (*record, own, others), &clusters)
            })
            .map(|(record, _)| record)
            .collect();
        let mut out: Vec<Vec<u32>> = torn.iter().map(|record| vec![*record]).collect();
        out.extend(clusters.into_iter().map(|mut cluster| {
            cluster.retain(|record| !torn.contains(record));
            cluster
        }));
        out.retain(|cluster| !cluster.is_empty());
        out.sort_unstable();
        out
    }

    /// Whether a record could as well go with others, which a mark keeps apart from those it was put with: nothing in it
    /// says which of the two it is.
    fn is_torn(
        &self,
        linker: &Linker,
        (record, own, others): (u32, &[u32], &[usize]),
        clusters: &[Vec<u32>],
    ) -> bool {
        let rest: Vec<u32> = own.iter().copied().filter(|other| *other != record).collect();
        let rest = speakers(linker, &rest, SPEAKERS);
        let least = self.between(linker, &[record], &rest).average() - MARGIN_BITS;
        let mut others = others.to_vec();
        others.sort_unstable();
        others.dedup();
        others.into_iter().any(|other| {
            let other = speakers(linker, &clusters[other], SPEAKERS);
            self.between(linker, &[record], &other).average() >= least
                && self.between(linker, &rest, &other).is_veto()
        })
    }

    /// The evidence between two sides.
    fn between(&self, linker: &Linker, these: &[u32], those: &[u32]) -> Link {
        let mut link = Link::default();
        these.iter().for_each(|&a| those.iter().for_each(|&b| link.add(self.leaning_pair(linker, a, b))));
        link
    }
}
