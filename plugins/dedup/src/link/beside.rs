//! What comparing records of a batch with others gave: a pair is asked about several times before it is known what its
//! record is, and compared once.

use std::ops::Range;

use super::cluster::Evidence;
use super::compare::Pattern;
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
    pub(super) fn of(linker: &Linker, left: &mut Left, record: u32, other: u32) -> Self {
        let pattern = linker.pattern_of(left, record, other);
        Self { other, pattern, bits: linker.score(record, other, pattern) }
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
    pub(super) fn beside(&self, linker: &Linker, left: &mut Left, a: u32, b: u32) -> Beside {
        let known = || {
            // Records that came since make values less rare.
            let plan = Some(&self.plan).filter(|plan| plan.known == linker.len())?;
            let of = |a: u32, b: u32| plan.get(a)?.compared.with(b);
            of(a, b).or_else(|| Some(Beside { other: b, ..of(b, a)? }))
        };
        known().unwrap_or_else(|| Beside::of(linker, left, a, b))
    }

    /// The evidence of a pair as it counts when things are to become one.
    pub(super) fn leaning_pair(&self, linker: &Linker, a: u32, b: u32) -> Evidence {
        self.beside(linker, &mut Left::default(), a, b).leaning(linker)
    }
}
