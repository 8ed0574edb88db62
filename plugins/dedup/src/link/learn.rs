//! How a linkage learns its weights from what it knows, and what a pair weighs under them.
//!
//! The best candidates of a sample of records teach; which records those are depends on what they say only.
//! Beside the weights of levels it learns how common values usually are that are equal by chance, so that a
//! rare value in common weighs more than a usual one.

use hashbrown::{HashMap, HashSet};

use super::compare::Pattern;
use super::engine::Linker;
use super::features::Compare;
use super::guards::{self, Remark};
use super::index::Search;
use super::likeness::Left;
use super::packed::Packed;
use super::parallel::parallel;
use super::weights::Model;

/// Candidates of a record that teach.
const TEACHERS: usize = 5;
/// The same, where most candidates are matches.
const MOST_TEACHERS: usize = 80;
/// Pairs that teach, at most.
const TAUGHT: usize = 200_000;
/// What a rare value adds, or a common one takes, at most.
const MOST_RARE: f32 = 3.0;

impl Linker {
    /// The evidence of a pair; rare values weigh more.
    pub(crate) fn score(&self, a: u32, b: u32, pattern: Pattern) -> f32 {
        let (a, b) = (self.store.get(a), self.store.get(b));
        self.evidence_of(pattern, |slot| (a.slot(slot), b.slot(slot)))
    }

    /// The same of two records whose slots `both` gives.
    pub(super) fn evidence_of<'a>(
        &self,
        pattern: Pattern,
        both: impl Fn(usize) -> (Packed<'a>, Packed<'a>),
    ) -> f32 {
        self.model.sum(&self.slots, |slot| {
            let level = pattern.level(slot);
            let weight = self.model.weights[slot][level];
            let usual = self.model.usual[slot][level];
            let common = if usual.is_finite() { self.common(|| both(slot), slot, level) } else { None };
            weight + common.map_or(0.0, |common| (usual - common).clamp(-MOST_RARE, MOST_RARE))
        })
    }

    /// How common the values of a pair are that are equal or nearly so: the logarithm of how many records
    /// hold the commoner one. A value with a slip of the pen is rare; what it was meant to be need not be.
    fn common<'a>(
        &self,
        both: impl FnOnce() -> (Packed<'a>, Packed<'a>),
        slot: usize,
        level: usize,
    ) -> Option<f32> {
        let term = match (self.slots[slot].compare, level) {
            (Compare::Company, 2..=4) => 1,
            (Compare::Text | Compare::Description | Compare::Company, 1..=4) => 0,
            (Compare::Identifier, 1..=3) | (Compare::Place, 1) => 0,
            _ => return None,
        };
        let records = |packed: Packed<'_>| Some(self.dictionary.records(*packed.terms().get(term)?));
        let (a, b) = both();
        let here = records(a)?;
        let most = if level == 1 { here } else { here.max(records(b)?) };
        Some((most as f32).log2())
    }

    /// Learns from the best candidates of a sample; where most of those are matches, from more of them.
    pub(super) fn learn(&mut self) {
        self.learnt_at = self.len();
        let mut teachers = TEACHERS;
        loop {
            let found = self.sample(teachers);
            let mut counts: HashMap<Pattern, u32> = HashMap::new();
            found.iter().for_each(|(_, _, pattern)| *counts.entry(*pattern).or_default() += 1);
            let mut patterns: Vec<(Pattern, u32)> = counts.into_iter().collect();
            patterns.sort_unstable();
            let (model, starved) = Model::learn(&self.slots, &patterns);
            if !starved || teachers >= MOST_TEACHERS {
                self.adopt(model, &patterns, &found);
                return;
            }
            teachers *= 4;
        }
    }

    /// Uses a new model if it passes the guards, and notes what people should know.
    fn adopt(&mut self, model: Model, patterns: &[(Pattern, u32)], found: &[(u32, u32, Pattern)]) {
        self.remarks = self.generic(found);
        // Before the first learning there is no model to go back to.
        if self.model.pairs > 0
            && let Err(refused) = guards::anchor(&self.config, &self.slots, patterns, (&self.model, &model))
        {
            self.remarks.push(refused);
            return;
        }
        self.remarks.extend(guards::correlated(&self.config, &self.slots, patterns, &model));
        self.model = model;
        self.learn_usual(found);
    }

    /// Values of identifying fields that too many records hold.
    fn generic(&self, found: &[(u32, u32, Pattern)]) -> Vec<Remark> {
        let slots = self.slots.iter().enumerate().filter(|(_, slot)| slot.compare == Compare::Identifier);
        let told = slots.filter_map(|(at, slot)| {
            let of = |record: u32| {
                let features = self.store.get(record);
                features.slot(at).terms().first().copied().filter(|term| self.dictionary.is_generic(*term))
            };
            let values: HashSet<u32> = found.iter().filter_map(|&(record, ..)| of(record)).collect();
            let field = self.config.fields[slot.field].field.clone();
            (!values.is_empty()).then_some(Remark::Generic { field, values: values.len() })
        });
        told.collect()
    }

    /// Pairs to learn from: the best candidates of one record in so many.
    fn sample(&self, teachers: usize) -> Vec<(u32, u32, Pattern)> {
        let step = (self.len() * teachers).div_ceil(TAUGHT).max(1) as u32;
        let taught = |record: &u32| self.contents[*record as usize].is_multiple_of(step);
        let taught: Vec<u32> = (0..self.len() as u32).filter(taught).collect();
        let found = parallel(self.threads, taught.len(), Default::default, |at, scratch| {
            let (search, left): &mut (Search, Left) = scratch;
            let record = taught[at];
            let candidates = self.candidates(record, teachers, search);
            self.fetch(record, candidates.iter().map(|&(_, other)| other));
            left.begin(self.slots.len());
            let mut own = self.own(record, left);
            let pair = |&(_, other): &(f32, u32)| (record, other, self.pattern_of(&mut own, other));
            candidates.iter().map(pair).collect::<Vec<_>>()
        });
        found.into_iter().flatten().collect()
    }

    /// How common equal and nearly equal values usually are in pairs that are two things.
    fn learn_usual(&mut self, pairs: &[(u32, u32, Pattern)]) {
        let mut sums = vec![[(0.0f64, 0.0f64); 16]; self.slots.len()];
        for &(a, b, pattern) in pairs {
            let (a, b) = (self.store.get(a), self.store.get(b));
            let bits = self.model.score(&self.slots, pattern);
            let two = 1.0 - 1.0 / (1.0 + f64::from(-bits).exp2());
            for (at, sums) in sums.iter_mut().enumerate() {
                let level = pattern.level(at);
                if let Some(common) = self.common(|| (a.slot(at), b.slot(at)), at, level) {
                    sums[level].0 += two * f64::from(common);
                    sums[level].1 += two;
                }
            }
        }
        let usual = |(sum, all): (f64, f64)| if all > 5.0 { (sum / all) as f32 } else { f32::NAN };
        self.model.usual = sums.into_iter().map(|levels| levels.map(usual)).collect();
    }
}
