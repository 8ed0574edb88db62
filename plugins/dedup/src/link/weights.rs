//! What each level of each slot weighs, learnt without labels.
//!
//! A pair of candidates is one thing or not; how often each level occurs in either class (m and u) is found
//! by expectation-maximisation over counted patterns. It starts from, and is held by, what the kinds of
//! slots usually give, so that ten records and ten million go through the same code. Guards: a vetoed pair
//! is never one thing; a better level never weighs less; no weight leaves ±12 bits; the share of matches
//! among candidates stays between 1 and 60 %; an equal identifier never speaks against, a different one
//! never for. Slots of one group count once: its strongest for and its strongest against.

use super::compare::{Pattern, levels};
use super::features::{Compare, Slot};

/// The most that one slot can weigh, in bits.
const MOST_BITS: f32 = 12.0;
/// Pairs that the usual values count for.
const USUAL_PAIRS: f64 = 40.0;
/// What a vetoed pair counts for.
const VETOED: f64 = 0.2;
const ROUNDS: usize = 60;

/// The weights of all levels of all slots, in bits.
#[derive(Clone, Debug)]
pub struct Model {
    /// Evidence before any comparison.
    pub prior: f32,
    /// For each slot, the weight of each level; level 0 weighs nothing.
    pub weights: Vec<[f32; 16]>,
    /// For each level of each slot, the usual logarithm of how many records hold the commoner of the two
    /// values in pairs that are two things; not a number where nothing is known.
    pub usual: Vec<[f32; 16]>,
    /// How many pairs it was learnt from.
    pub pairs: u64,
}

/// What the levels of a slot usually give: for things that are one, and for candidates that are not.
fn usual(compare: Compare) -> (&'static [f64], &'static [f64]) {
    match compare {
        Compare::Text | Compare::Description => (
            &[0.45, 0.12, 0.15, 0.12, 0.07, 0.05, 0.03, 0.01],
            &[0.012, 0.008, 0.015, 0.04, 0.10, 0.185, 0.28, 0.36],
        ),
        Compare::Company => (
            &[0.50, 0.20, 0.06, 0.12, 0.04, 0.03, 0.03, 0.02],
            &[0.15, 0.05, 0.01, 0.05, 0.04, 0.10, 0.20, 0.40],
        ),
        Compare::Identifier => (&[0.86, 0.06, 0.04, 0.04], &[0.08, 0.01, 0.01, 0.90]),
        Compare::Money => (&[0.60, 0.10, 0.10, 0.02, 0.09, 0.09], &[0.02, 0.02, 0.06, 0.01, 0.20, 0.69]),
        Compare::Date => (&[0.55, 0.12, 0.10, 0.14, 0.09], &[0.01, 0.01, 0.05, 0.30, 0.63]),
        Compare::Place => (
            &[0.50, 0.04, 0.20, 0.08, 0.06, 0.06, 0.04, 0.02],
            &[0.04, 0.01, 0.03, 0.05, 0.05, 0.22, 0.20, 0.40],
        ),
        Compare::Marks(_) => (&[0.959, 0.04, 0.001], &[0.25, 0.35, 0.40]),
        Compare::Action => (&[0.80, 0.17, 0.03], &[0.40, 0.35, 0.25]),
        Compare::Numbers => (&[0.60, 0.15, 0.10, 0.10, 0.05], &[0.15, 0.15, 0.20, 0.15, 0.35]),
    }
}

impl Model {
    /// The weights before anything is learnt.
    pub fn usual(slots: &[Slot]) -> Self {
        let weights = slots.iter().map(|slot| {
            let (m, u) = usual(slot.compare);
            weigh(slot.compare, m, u, m, u)
        });
        Self { prior: -2.0, weights: weights.collect(), usual: vec![[f32::NAN; 16]; slots.len()], pairs: 0 }
    }

    /// As it is kept: every number in four or eight bytes, so that it comes back exactly.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.pairs.to_le_bytes());
        out.extend_from_slice(&self.prior.to_le_bytes());
        let levels =
            self.weights.iter().zip(&self.usual).flat_map(|(weights, usual)| weights.iter().chain(usual));
        levels.for_each(|bits| out.extend_from_slice(&bits.to_le_bytes()));
    }

    /// From how it is kept; `None` for bytes that make no sense.
    pub fn decode(kept: &[u8]) -> Option<Self> {
        let (pairs, rest) = kept.split_first_chunk::<8>()?;
        let (prior, rest) = rest.split_first_chunk::<4>()?;
        let (numbers, []) = rest.as_chunks::<4>() else { return None };
        let numbers: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let (slots, []) = numbers.as_chunks::<16>() else { return None };
        let (slots, []) = slots.as_chunks::<2>() else { return None };
        Some(Self {
            prior: f32::from_le_bytes(*prior),
            weights: slots.iter().map(|[weights, _]| *weights).collect(),
            usual: slots.iter().map(|[_, usual]| *usual).collect(),
            pairs: u64::from_le_bytes(*pairs),
        })
    }

    /// The evidence of a pattern, in bits, without what rare values add.
    pub fn score(&self, slots: &[Slot], pattern: Pattern) -> f32 {
        self.sum(slots, |slot| self.weights[slot][pattern.level(slot)])
    }

    /// The evidence of all slots: of each group only the strongest for and the strongest against.
    pub fn sum(&self, slots: &[Slot], weight: impl Fn(usize) -> f32) -> f32 {
        let mut sum = self.prior;
        let mut groups = [(0.0f32, 0.0f32); 16];
        for (at, slot) in slots.iter().enumerate() {
            let weight = weight(at);
            match slot.group {
                None => sum += weight,
                Some(group) => {
                    let (plus, minus) = &mut groups[group & 15];
                    *plus = plus.max(weight);
                    *minus = minus.min(weight);
                }
            }
        }
        sum + groups.iter().map(|(plus, minus)| plus + minus).sum::<f32>()
    }

    /// Learns from counted patterns of candidates.
    ///
    /// The flag says that the share of matches is at its bound: then the pairs that are none are too few to
    /// learn from, and one must look further down the lists of candidates.
    pub fn learn(slots: &[Slot], patterns: &[(Pattern, u32)]) -> (Self, bool) {
        let mut model = Self::usual(slots);
        let all = patterns.iter().filter(|(pattern, _)| !pattern.vetoed(slots));
        let all: f64 = all.map(|(_, count)| f64::from(*count)).sum();
        model.pairs = all as u64;
        for _ in 0..ROUNDS {
            let before = model.weights.clone();
            model.step(slots, patterns, all);
            let moved = before.iter().zip(&model.weights).flat_map(|(a, b)| a.iter().zip(b));
            if moved.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 0.01 {
                break;
            }
        }
        let starved = model.prior > 0.57;
        (model, starved)
    }

    fn step(&mut self, slots: &[Slot], patterns: &[(Pattern, u32)], all: f64) {
        let mut m = vec![[0.0f64; 16]; slots.len()];
        let mut u = vec![[0.0f64; 16]; slots.len()];
        let mut matches = 0.0;
        for &(pattern, count) in patterns {
            let count = f64::from(count);
            if pattern.vetoed(slots) {
                // Lookalikes that a mark keeps apart teach nothing about pairs that no mark keeps apart;
                // only the marks themselves learn from them.
                let marks =
                    slots.iter().enumerate().filter(|(_, slot)| matches!(slot.compare, Compare::Marks(_)));
                marks.for_each(|(at, _)| u[at][pattern.level(at)] += VETOED * count);
                continue;
            }
            let one = 1.0 / (1.0 + f64::from(-self.score(slots, pattern)).exp2());
            matches += one * count;
            for at in 0..slots.len() {
                m[at][pattern.level(at)] += one * count;
                u[at][pattern.level(at)] += (1.0 - one) * count;
            }
        }
        let share = ((matches + 0.2 * USUAL_PAIRS) / (all + USUAL_PAIRS)).clamp(0.01, 0.60);
        self.prior = (share / (1.0 - share)).log2() as f32;
        for (at, slot) in slots.iter().enumerate() {
            let count = levels(slot.compare);
            let (usual_m, usual_u) = usual(slot.compare);
            self.weights[at] = weigh(slot.compare, &m[at][1..=count], &u[at][1..=count], usual_m, usual_u);
        }
    }
}

/// Weights of levels 1 and up from counts, held by the usual values and monotone.
fn weigh(compare: Compare, m: &[f64], u: &[f64], usual_m: &[f64], usual_u: &[f64]) -> [f32; 16] {
    let (all_m, all_u) = (m.iter().sum::<f64>(), u.iter().sum::<f64>());
    let share = |count: f64, all: f64, usual: f64| (count + USUAL_PAIRS * usual) / (all + USUAL_PAIRS);
    // Neighbouring levels in the wrong order are pooled: (m, u, how many levels).
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for at in 0..m.len() {
        let mut pool = (share(m[at], all_m, usual_m[at]), share(u[at], all_u, usual_u[at]), 1);
        while let Some(last) = pools.last()
            && last.0 / last.1 < pool.0 / pool.1
        {
            pool = (pool.0 + last.0, pool.1 + last.1, pool.2 + last.2);
            pools.pop();
        }
        pools.push(pool);
    }
    let mut weights = [0.0; 16];
    let mut at = 1;
    for (m, u, count) in pools {
        let bits = ((m / u).log2() as f32).clamp(-MOST_BITS, MOST_BITS);
        weights[at..at + count].fill(bits);
        at += count;
    }
    if compare == Compare::Identifier {
        weights[1] = weights[1].max(0.5);
        weights[4] = weights[4].min(-0.5);
    }
    weights
}
