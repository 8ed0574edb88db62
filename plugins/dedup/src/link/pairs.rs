//! From candidates to clusters: the pairs that may be one thing are kept, and what they connect is clustered.
//!
//! A component (what kept pairs above the threshold connect) is clustered on its own, so a batch costs what
//! it touches. Of two tables without duplicates each record gets one partner instead.

use hashbrown::HashSet;

use super::cluster::{Evidence, average_linkage, rounded};
use super::compare::Pattern;
use super::engine::{CANDIDATES, Linker, NONE};
use super::features::Compare;
use super::index::Search;
use super::likeness::{Left, Likeness};
use super::parallel::parallel;

/// Pairs with less evidence than this are forgotten.
const KEPT_BITS: f32 = -8.0;
/// Records whose candidates are compared before the pairs are kept.
const AT_A_TIME: usize = 65_536;
/// Evidence of one pair in the average of a cluster.
const MOST_BITS: f32 = 20.0;
/// What full likeness adds when one partner is to be chosen.
pub(super) const CLOSE_BITS: f32 = 4.0;

/// A pair that may be one thing, in two chains: that of `a` and that of `b`.
pub(super) struct Pair {
    pub(super) a: u32,
    pub(super) b: u32,
    next_a: u32,
    next_b: u32,
    pattern: Pattern,
    score: f32,
}

impl Linker {
    /// Finds and compares the candidates of records, and keeps what may be one thing.
    pub(super) fn find(&mut self, records: std::ops::Range<usize>) {
        // Some at a time: what is found lies in many small pieces of memory.
        for from in records.clone().step_by(AT_A_TIME) {
            self.find_some(from..(from + AT_A_TIME).min(records.end));
        }
    }

    fn find_some(&mut self, records: std::ops::Range<usize>) {
        let from = records.start;
        let found = parallel(self.threads, records.len(), Default::default, |at, scratch| {
            let (search, left): &mut (Search, Left) = scratch;
            let record = (from + at) as u32;
            let candidates = self.candidates(record, CANDIDATES, search);
            self.fetch(record, candidates.iter().map(|&(_, other)| other));
            left.begin(self.slots.len());
            let mut own = self.own(record, left);
            let pair = |&(_, other): &(f32, u32)| {
                let (pattern, score) = self.weighed(&mut own, other);
                (score >= KEPT_BITS).then_some((record.min(other), record.max(other), pattern, score))
            };
            candidates.iter().filter_map(pair).collect::<Vec<_>>()
        });
        let mut fresh: Vec<_> = found.into_iter().flatten().collect();
        fresh.sort_unstable_by_key(|pair| (pair.0, pair.1));
        fresh.dedup_by_key(|pair| (pair.0, pair.1));
        // The other side may have found the pair already.
        fresh.retain(|&(a, b, ..)| !self.pairs_of(a.max(b)).any(|pair| (pair.a, pair.b) == (a, b)));
        for (a, b, pattern, score) in fresh {
            let number = self.pairs.len() as u32;
            let next_a = std::mem::replace(&mut self.first_pairs[a as usize], number);
            let next_b = std::mem::replace(&mut self.first_pairs[b as usize], number);
            self.pairs.push(Pair { a, b, next_a, next_b, pattern, score });
        }
    }

    /// Forgets all pairs.
    pub(super) fn forget_pairs(&mut self) {
        self.pairs.clear();
        self.first_pairs.iter_mut().for_each(|first| *first = NONE);
    }

    /// Weighs all kept pairs by the model in use.
    pub(super) fn weigh_pairs(&mut self) {
        let scores = parallel(
            self.threads,
            self.pairs.len(),
            || (),
            |at, ()| {
                let pair = &self.pairs[at];
                self.score(pair.a, pair.b, pair.pattern)
            },
        );
        self.pairs.iter_mut().zip(scores).for_each(|(pair, score)| pair.score = score);
    }

    /// Clusters what some records belong to, or gives each record its partner.
    pub(super) fn gather(&mut self, records: std::ops::Range<usize>) {
        if self.config.one_to_one {
            self.assign();
        } else {
            self.cluster(records);
        }
    }

    /// The pairs of a record.
    pub(super) fn pairs_of(&self, record: u32) -> impl Iterator<Item = &Pair> {
        let mut at = self.first_pairs.get(record as usize).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            let pair = self.pairs.get(at as usize)?;
            at = if pair.a == record { pair.next_a } else { pair.next_b };
            Some(pair)
        })
    }

    pub(crate) fn evidence(&self, pattern: Pattern, score: f32) -> Evidence {
        if pattern.vetoed(&self.slots) {
            Evidence::Veto
        } else {
            Evidence::Bits(score.clamp(-MOST_BITS, MOST_BITS))
        }
    }

    /// Clusters the components that some records belong to.
    fn cluster(&mut self, records: std::ops::Range<usize>) {
        let mut seen = vec![false; self.len()];
        let mut components: Vec<Vec<u32>> = Vec::new();
        for start in records {
            if std::mem::replace(&mut seen[start], true) {
                continue;
            }
            let mut component = vec![start as u32];
            let mut at = 0;
            while let Some(&record) = component.get(at) {
                at += 1;
                for pair in self.pairs_of(record) {
                    let other = if pair.a == record { pair.b } else { pair.a };
                    let joins = pair.score >= self.config.merge() && !pair.pattern.vetoed(&self.slots);
                    if joins && !std::mem::replace(&mut seen[other as usize], true) {
                        component.push(other);
                    }
                }
            }
            component.sort_unstable_by_key(|record| self.rank(*record));
            components.push(component);
        }
        let clustered =
            parallel(self.threads, components.len(), || (), |at, ()| self.cluster_component(&components[at]));
        for cluster in clustered.into_iter().flatten() {
            let first = cluster.iter().copied().min().unwrap_or(NONE);
            cluster.iter().for_each(|record| self.of_cluster[*record as usize] = first);
        }
    }

    fn cluster_component(&self, component: &[u32]) -> Vec<Vec<u32>> {
        if component.len() == 1 {
            return vec![component.to_vec()];
        }
        let place = |record: u32| {
            let at = component.binary_search_by_key(&self.rank(record), |other| self.rank(*other));
            at.ok().map(|at| at as u32)
        };
        let mut pairs = Vec::new();
        for (at, &record) in component.iter().enumerate() {
            for pair in self.pairs_of(record).filter(|pair| pair.a == record) {
                if let Some(other) = place(pair.b) {
                    pairs.push((at as u32, other, self.evidence(pair.pattern, pair.score)));
                }
            }
        }
        let clusters = average_linkage(component.len(), &pairs, self.config.merge(), |a, b| {
            let (a, b) = (component[a as usize], component[b as usize]);
            let pattern = self.pattern(a, b);
            self.evidence(pattern, self.score(a, b, pattern))
        });
        let name = |members: Vec<u32>| members.into_iter().map(|at| component[at as usize]).collect();
        clusters.into_iter().map(name).collect()
    }

    /// One partner for each record, the best pairs first.
    fn assign(&mut self) {
        let able = |pair: &&Pair| pair.score >= self.config.merge() && !pair.pattern.vetoed(&self.slots);
        let able = self.pairs.iter().filter(able);
        let mut best: Vec<(&Pair, f32)> =
            able.map(|pair| (pair, pair.score + CLOSE_BITS * self.closeness(pair.a, pair.b))).collect();
        let ranks = |pair: &Pair| {
            let (a, b) = (self.rank(pair.a), self.rank(pair.b));
            (a.min(b), a.max(b))
        };
        best.sort_unstable_by(|(a, near_a), (b, near_b)| {
            rounded(*near_b).cmp(&rounded(*near_a)).then_with(|| ranks(a).cmp(&ranks(b)))
        });
        let mut taken = HashSet::new();
        let mut partners = Vec::new();
        for (pair, _) in best {
            if !taken.contains(&pair.a) && !taken.contains(&pair.b) {
                taken.extend([pair.a, pair.b]);
                partners.push((pair.a, pair.b));
            }
        }
        self.of_cluster.iter_mut().enumerate().for_each(|(at, cluster)| *cluster = at as u32);
        partners.into_iter().for_each(|(a, b)| self.of_cluster[b as usize] = a);
    }

    /// How alike the texts of two records are within their levels: it decides between pairs of one score.
    pub(super) fn closeness(&self, a: u32, b: u32) -> f32 {
        let features = |record: u32| self.store.get(record);
        let (a, b) = (features(a), features(b));
        let texts = self.slots.iter().enumerate().filter(|(_, slot)| slot.compare == Compare::Text);
        let cosine = |(at, _)| Likeness::of(&self.dictionary, a.slot(at).grams(), b.slot(at).grams()).cosine;
        texts.map(cosine).sum()
    }
}
