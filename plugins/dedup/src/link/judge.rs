//! A record beside one thing: how much speaks for it to be of it, and what keeps it from that.
//!
//! The evidence is that of all records of the thing on average. A mark of one of them that differs is a veto; one that
//! only one side states asks for more.

use std::borrow::Cow;

use super::beside::Beside;
use super::cluster::{Evidence, Link};
use super::compare::Pattern;
use super::engine::Linker;
use super::features::Compare;
use super::online::{Answer, Found, Things};

/// How much more a match must have when a mark is stated on one side only.
const UNSAID_BITS: f32 = 2.0;
/// Things that a person is asked about, for one record.
const ASKED: usize = 3;
/// Members of a thing that are compared with a record.
const SPEAKERS: usize = 24;

/// A thing beside a record.
#[derive(Clone)]
pub(super) struct Judged {
    pub(super) found: Found,
    pub(super) veto: bool,
    /// The evidence as it counts when the record is to join.
    pub(super) link: Link,
}

impl Things {
    /// The records that speak for a thing: the same ones, whichever of them came first.
    pub(super) fn speakers(&self, linker: &Linker, thing: u32) -> Cow<'_, [u32]> {
        speakers(linker, self.members.get(thing), SPEAKERS)
    }

    /// A record against one thing: its best pair, the average, and whether any member vetoes. `beside` gives the pair with
    /// another record.
    pub(super) fn judge(
        &self,
        linker: &Linker,
        thing: u32,
        mut beside: impl FnMut(u32) -> Beside,
    ) -> Option<Judged> {
        let (mut sum, mut count, mut veto) = (0.0, 0.0f32, false);
        let mut best: Option<(f32, u32, Pattern)> = None;
        let mut link = Link::default();
        for &other in &*self.speakers(linker, thing) {
            let Beside { pattern, bits, .. } = beside(other);
            let leaning = leaning(linker, pattern, bits);
            let vetoes = leaning == Evidence::Veto;
            link.add(leaning);
            sum += bits;
            count += 1.0;
            // The clash is what people must see, when there is one.
            if best.is_none_or(|(most, ..)| if vetoes != veto { vetoes } else { bits > most }) {
                best = Some((bits, other, pattern));
            }
            veto |= vetoes;
        }
        let (_, other, pattern) = best?;
        let bits = if veto { without_marks(linker, pattern) } else { sum / count.max(1.0) };
        Some(Judged { found: Found { thing, record: other, bits, next: None, pattern }, veto, link })
    }
}

/// So many of these records that speak for all.
pub(super) fn speakers<'a>(linker: &Linker, records: &'a [u32], most: usize) -> Cow<'a, [u32]> {
    if records.len() <= most {
        return Cow::Borrowed(records);
    }
    let mut ranked = records.to_vec();
    ranked.select_nth_unstable_by_key(most, |record| linker.rank(*record));
    ranked.truncate(most);
    ranked.sort_unstable();
    Cow::Owned(ranked)
}

/// What is said of a record that joins nothing.
pub(super) fn unsure(linker: &Linker, judged: Vec<Judged>) -> Answer {
    let (merge, review) = (linker.config().merge(), linker.config().review);
    let open = judged.iter().filter(|judged| !judged.veto && judged.found.bits >= review);
    let open: Vec<Found> = open.take(ASKED).map(|judged| judged.found.clone()).collect();
    if !open.is_empty() {
        return Answer::Review(open);
    }
    let lookalike = judged.into_iter().next().filter(|judged| judged.veto && judged.found.bits >= merge);
    Answer::New(lookalike.map(|judged| judged.found))
}

/// The evidence of a pair as it counts when things are to become one: a mark that only one side states is no veto, but
/// asks for more.
pub(super) fn leaning(linker: &Linker, pattern: Pattern, bits: f32) -> Evidence {
    match linker.evidence(pattern, bits) {
        Evidence::Bits(bits) if is_unsaid(linker, pattern) => Evidence::Bits(bits - UNSAID_BITS),
        evidence => evidence,
    }
}

/// Whether a thing of these records has its one record of the source already.
pub(super) fn is_taken(linker: &Linker, members: &[u32], record: u32) -> bool {
    linker.config().one_to_one && members.iter().any(|&member| linker.same_source(member, record))
}

/// Whether only one side states a mark.
fn is_unsaid(linker: &Linker, pattern: Pattern) -> bool {
    let mut slots = linker.slots().iter().enumerate();
    slots.any(|(at, slot)| matches!(slot.compare, Compare::Marks(_)) && pattern.level(at) == 2)
}

/// The evidence of a vetoed pair without its marks: how alike the two look.
fn without_marks(linker: &Linker, pattern: Pattern) -> f32 {
    let model = linker.model();
    model.sum(linker.slots(), |slot| match linker.slots()[slot].compare {
        Compare::Marks(_) => 0.0,
        _ => model.weights[slot][pattern.level(slot)],
    })
}
