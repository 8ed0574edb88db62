//! One record at a time against things that are known: match, review or new.
//!
//! Here the things have names of their own, given by whoever keeps them; a record joins one of them and
//! stays. A record belongs to the thing with whose records it agrees best on average, if no mark vetoes, the
//! evidence reaches the threshold, and the next best thing is clearly worse. A mark that only one side
//! states is no veto, but asks for more.

use hashbrown::HashMap;

use super::cluster::Evidence;
use super::compare::Pattern;
use super::engine::{Linker, Row};
use super::features::Compare;
use super::index::Search;

/// How much better than the next best thing a match must be.
const MARGIN_BITS: f32 = 2.0;
/// How much more a match must have when a mark is stated on one side only.
const UNSAID_BITS: f32 = 2.0;
/// Things that a person is asked about, for one record.
const ASKED: usize = 3;
/// Members of a thing that are compared.
const SPEAKERS: usize = 24;
/// Records from which a model is learnt; fewer say nothing.
const ENOUGH: usize = 300;

/// What a record is.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is one of the known things.
    Match(Found),
    /// It may be one of these, most likely first; a person should say.
    Review(Vec<Found>),
    /// It is none of them. A lookalike that a mark kept apart is named.
    New(Option<Found>),
}

/// A known thing that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The thing.
    pub thing: u32,
    /// The record of it that is most alike.
    pub record: u32,
    /// The evidence, averaged over the thing's records.
    pub bits: f32,
    /// The evidence of the next best thing.
    pub next: Option<f32>,
    /// The levels of the pair with `record`.
    pub pattern: Pattern,
}

/// The records of each thing.
#[derive(Default)]
pub struct Things {
    members: HashMap<u32, Vec<u32>>,
    of: Vec<u32>,
    search: Search,
    weighed_at: usize,
}

impl Things {
    /// Adds a record that is known to belong to a thing.
    pub fn restore(&mut self, linker: &mut Linker, row: &Row<'_>, thing: u32) {
        let record = linker.take(row);
        // The same as when it was asked for, so that what is built from the state is what was there before.
        self.refresh(linker);
        self.belongs(record, thing);
    }

    /// Says to which thing the record that was asked for last belongs.
    pub fn belongs(&mut self, record: u32, thing: u32) {
        self.of.resize(record as usize + 1, u32::MAX);
        self.of[record as usize] = thing;
        self.members.entry(thing).or_default().push(record);
    }

    /// Takes a record in and says what it is. The caller then says where it [`belongs`](Self::belongs).
    pub fn ask(&mut self, linker: &mut Linker, row: &Row<'_>) -> (u32, Answer) {
        let record = linker.take(row);
        self.refresh(linker);
        let mut found: Vec<u32> = Vec::new();
        for &(_, other) in linker.candidates(record, super::engine::CANDIDATES, &mut self.search) {
            let thing = self.of.get(other as usize).copied().unwrap_or(u32::MAX);
            if thing != u32::MAX
                && !found.contains(&thing)
                && !is_taken(linker, self.members.get(&thing), record)
            {
                found.push(thing);
            }
        }
        let mut judged: Vec<(Found, bool)> =
            found.into_iter().filter_map(|thing| self.judge(linker, record, thing)).collect();
        judged.sort_by(|(a, veto_a), (b, veto_b)| veto_a.cmp(veto_b).then(b.bits.total_cmp(&a.bits)));
        (record, self.answer(linker, judged))
    }

    fn answer(&self, linker: &Linker, judged: Vec<(Found, bool)>) -> Answer {
        let (merge, review) = (linker.config().merge(), linker.config().review);
        let open = judged.iter().filter(|(found, veto)| !veto && found.bits >= review);
        let open: Vec<Found> = open.take(ASKED).map(|(found, _)| found.clone()).collect();
        let next = judged.get(1).filter(|(_, veto)| !veto).map(|(found, _)| found.bits);
        let Some((best, veto)) = judged.into_iter().next() else { return Answer::New(None) };
        let best = Found { next, ..best };
        if veto {
            return Answer::New((best.bits >= merge).then_some(best));
        }
        let unsaid = linker
            .slots()
            .iter()
            .enumerate()
            .any(|(at, slot)| matches!(slot.compare, Compare::Marks(_)) && best.pattern.level(at) == 2);
        let needed = merge + if unsaid { UNSAID_BITS } else { 0.0 };
        let clear = next.is_none_or(|next| best.bits - next >= MARGIN_BITS);
        match best.bits {
            bits if bits >= needed && clear => Answer::Match(best),
            _ if !open.is_empty() => Answer::Review(open),
            _ => Answer::New(None),
        }
    }

    /// A record against one thing: its best pair, the average, and whether any member vetoes.
    fn judge(&self, linker: &Linker, record: u32, thing: u32) -> Option<(Found, bool)> {
        let members = self.members.get(&thing)?;
        let step = members.len().div_ceil(SPEAKERS).max(1);
        let (mut sum, mut count, mut veto) = (0.0, 0.0f32, false);
        let mut best: Option<(f32, u32, Pattern)> = None;
        for &other in members.iter().step_by(step) {
            let pattern = linker.pattern(record, other);
            let bits = linker.score(record, other, pattern);
            let vetoes = linker.evidence(pattern, bits) == Evidence::Veto;
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
        Some((Found { thing, record: other, bits, next: None, pattern }, veto))
    }

    /// Weighs and learns when enough is new.
    fn refresh(&mut self, linker: &mut Linker) {
        let known = linker.len();
        if known as f64 >= self.weighed_at as f64 * 1.02 {
            linker.weigh();
            self.weighed_at = known;
            if known >= ENOUGH {
                linker.learn_if_grown();
            }
        }
    }
}

/// Whether a thing of these records has its one record of the source already.
fn is_taken(linker: &Linker, members: Option<&Vec<u32>>, record: u32) -> bool {
    linker.config().one_to_one
        && members.into_iter().flatten().any(|&member| linker.same_source(member, record))
}

/// The evidence of a vetoed pair without its marks: how alike the two look.
fn without_marks(linker: &Linker, pattern: Pattern) -> f32 {
    let model = linker.model();
    model.sum(linker.slots(), |slot| match linker.slots()[slot].compare {
        Compare::Marks(_) => 0.0,
        _ => model.weights[slot][pattern.level(slot)],
    })
}
