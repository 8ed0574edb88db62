//! What comparing records of a batch with others gave: a pair is asked about several times before it is known what its
//! record is, and compared once.

use std::ops::Range;

use super::cluster::Evidence;
use super::compare::{Own, Pattern};
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
    pub(super) fn of(linker: &Linker, own: &mut Own<'_>, other: u32) -> Self {
        let (pattern, bits) = linker.weighed(own, other);
        Self { other, pattern, bits }
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
    pub(super) fn beside(&self, linker: &Linker, own: &mut Own<'_>, other: u32) -> Beside {
        self.compared(linker, own.record, other).unwrap_or_else(|| Beside::of(linker, own, other))
    }

    /// A pair one of which is of the batch, if the two were compared.
    fn compared(&self, linker: &Linker, a: u32, b: u32) -> Option<Beside> {
        // Records that came since make values less rare.
        let plan = Some(&self.plan).filter(|plan| plan.known == linker.len())?;
        let of = |a: u32, b: u32| plan.get(a)?.compared.with(b);
        of(a, b).or_else(|| Some(Beside { other: b, ..of(b, a)? }))
    }

    /// The evidence of a pair as it counts when things are to become one.
    pub(super) fn leaning_pair(&self, linker: &Linker, a: u32, b: u32) -> Evidence {
        let compare = || Beside::of(linker, &mut linker.own(a, &mut Left::default()), b);
        self.compared(linker, a, b).unwrap_or_else(compare).leaning(linker)
    }
}
