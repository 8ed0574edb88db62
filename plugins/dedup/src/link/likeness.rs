//! How much two texts have in common, by the grams that they share.
//!
//! A record is compared with many others, so what its own grams weigh is looked up once ([`Left`]); of most of the others
//! it is enough to know what is shared, to know that it is little.

use super::index::Dictionary;

/// Likeness by which levels are told apart: of the whole, and of the lesser.
const MUCH: f32 = 0.8;
const CONTAINED: f32 = 0.93;
const HALF: f32 = 0.6;
const SOME: f32 = 0.4;
const LITTLE: f32 = 0.2;
/// Room for what sums lose when they are rounded.
const ROUNDED: f32 = 1.01;

/// How much two sets of grams have in common, rare ones counting most.
#[derive(Clone, Copy, Debug)]
pub struct Likeness {
    /// Of the whole.
    pub cosine: f32,
    /// Of the lesser.
    pub containment: f32,
}

/// Grams with what they weigh.
#[derive(Default)]
struct Side {
    weights: Vec<f32>,
    sum: f32,
    squares: f32,
    known: bool,
}

impl Side {
    fn weigh(&mut self, dictionary: &Dictionary, grams: &[u32]) {
        self.weights.clear();
        self.weights.extend(grams.iter().map(|&id| dictionary.weight(id)));
        (self.sum, self.squares) = sums(self.weights.iter().copied());
        self.known = true;
    }
}

/// The sum of weights and of their squares.
fn sums(weights: impl Iterator<Item = f32>) -> (f32, f32) {
    weights.fold((0.0, 0.0), |(sum, squares), weight| (sum + weight, squares + weight * weight))
}

/// A record that is compared with many others: what the grams of each of its slots weigh.
#[derive(Default)]
pub struct Left(Vec<Side>);

impl Left {
    /// Begins with another record, or when grams weigh something else.
    pub fn begin(&mut self, slots: usize) {
        self.0.resize_with(slots, Side::default);
        self.0.iter_mut().for_each(|side| side.known = false);
    }
}

/// What two ascending lists of grams share: the weights, their squares, and how many there are.
fn shared(a: &[u32], weights: &[f32], b: &[u32]) -> (f32, f32, usize) {
    let (mut both, mut both2, mut count, mut at) = (0.0, 0.0, 0, 0);
    for (&id, &weight) in a.iter().zip(weights) {
        while at < b.len() && b[at] <= id {
            if b[at] == id {
                both += weight;
                both2 += weight * weight;
                count += 1;
            }
            at += 1;
        }
        if at == b.len() {
            break;
        }
    }
    (both, both2, count)
}

impl Likeness {
    /// Of two ascending lists of grams.
    pub fn of(dictionary: &Dictionary, a: &[u32], b: &[u32]) -> Self {
        let mut side = Side::default();
        side.weigh(dictionary, a);
        let (both, both2, _) = shared(a, &side.weights, b);
        Self::new(&side, (both, both2), sums(b.iter().map(|&id| dictionary.weight(id))))
    }

    fn new(side: &Side, (both, both2): (f32, f32), (sum, squares): (f32, f32)) -> Self {
        let norm = (side.squares * squares).sqrt();
        let lesser = side.sum.min(sum);
        Self {
            cosine: if norm > 0.0 { both2 / norm } else { 0.0 },
            containment: if lesser > 0.0 { both / lesser } else { 0.0 },
        }
    }

    fn level(&self) -> usize {
        match (self.cosine, self.containment) {
            (cosine, _) if cosine >= MUCH => 3,
            (_, containment) if containment >= CONTAINED => 4,
            (cosine, _) if cosine >= HALF => 5,
            (cosine, _) if cosine >= SOME => 6,
            (cosine, _) if cosine >= LITTLE => 7,
            _ => 8,
        }
    }
}

/// Levels 3 to 8 by shared grams: much alike, one contained in the other, and less. `slot` is what the grams of `a` stand
/// in.
pub fn level(dictionary: &Dictionary, left: &mut Left, slot: usize, a: &[u32], b: &[u32]) -> usize {
    let Some(side) = left.0.get_mut(slot) else { return Likeness::of(dictionary, a, b).level() };
    if !side.known {
        side.weigh(dictionary, a);
    }
    let (both, both2, count) = shared(a, &side.weights, b);
    // What is not shared weighs something at least.
    let (least, rest) = (dictionary.least(), (b.len() - count) as f32);
    let norm = (side.squares * (both2 + rest * least * least)).sqrt();
    let lesser = side.sum.min(both + rest * least);
    if both2 * ROUNDED < LITTLE * norm && both * ROUNDED < CONTAINED * lesser {
        return 8;
    }
    Likeness::new(side, (both, both2), sums(b.iter().map(|&id| dictionary.weight(id)))).level()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::index::Term;
    use super::*;

    proptest! {
        #[test]
        fn a_level_is_that_of_all_grams_however_little_is_looked_at(
            known in proptest::collection::vec(proptest::collection::btree_set(0..60u32, 0..30), 1..40),
            a in proptest::collection::btree_set(0..70u32, 0..30),
            others in proptest::collection::vec(proptest::collection::btree_set(0..70u32, 0..30), 1..9),
        ) {
            let mut dictionary = Dictionary::default();
            for id in 0..70u32 {
                dictionary.id(u64::from(id), if id % 3 == 0 { Term::Gram } else { Term::Pair });
            }
            for (record, grams) in known.iter().enumerate() {
                dictionary.post_all(&grams.iter().copied().collect::<Vec<_>>(), record as u32);
            }
            dictionary.weigh(known.len());
            let (mut left, a) = (Left::default(), a.into_iter().collect::<Vec<_>>());
            left.begin(1);
            for b in others {
                let b: Vec<u32> = b.into_iter().collect();
                let all = Likeness::of(&dictionary, &a, &b).level();
                prop_assert_eq!(level(&dictionary, &mut left, 0, &a, &b), all);
            }
        }
    }
}
