//! One record at a time against things that are known: match, review or new.
//!
//! Here the things have names of their own, given by whoever keeps them; a record joins one of them and
//! stays. A record belongs to the thing with whose records it agrees best on average, if no mark vetoes, the
//! evidence reaches the threshold, and the next best thing is clearly worse or turns out to be the same one. A
//! mark that only one side states is no veto, but asks for more.
//!
//! What came first must not matter, so a record that has found its thing may show that others are that thing too:
//! [`Things::met`] names them, by the same average linkage as in a batch, and whoever keeps the things
//! [unites](Things::unite) them or refuses.

use hashbrown::{HashMap, HashSet};

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
/// Records that are found for one; those of one thing are looked at together, so more than in a batch.
const FOUND: usize = 32;
/// Things that are looked at for one record.
const LOOKED_AT: usize = 16;
/// Members of a thing that are compared with a record.
const SPEAKERS: usize = 24;
/// Members of each of two things that are compared with one another.
const DELEGATES: usize = 12;
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

/// Two known things that turned out to be one.
#[derive(Clone, Debug, PartialEq)]
pub struct Met {
    /// The thing of the record that was looked at.
    pub thing: u32,
    /// The record of it that is most alike with the other thing.
    pub record: u32,
    /// The other thing, with its record that is most alike.
    pub other: Found,
}

/// A thing beside a record.
struct Judged {
    found: Found,
    veto: bool,
    /// The evidence of the best pair.
    best: f32,
}

/// The records of each thing.
#[derive(Default)]
pub struct Things {
    members: HashMap<u32, Vec<u32>>,
    of: Vec<u32>,
    search: Search,
    weighed_at: usize,
    /// Other things that the record that was asked for last may be as well.
    near: Vec<u32>,
}

impl Things {
    /// Adds a record that is known to belong to a thing.
    pub fn restore(&mut self, linker: &mut Linker, row: &Row<'_>, thing: u32) {
        let record = linker.take(row);
        // The same as when it was asked for, so that what is built from the state is what was there before.
        self.refresh(linker);
        self.near.clear();
        self.belongs(record, thing);
    }

    /// Says to which thing the record that was asked for last belongs.
    pub fn belongs(&mut self, record: u32, thing: u32) {
        self.of.resize(record as usize + 1, u32::MAX);
        self.of[record as usize] = thing;
        self.members.entry(thing).or_default().push(record);
    }

    /// The thing of a record.
    fn of(&self, record: u32) -> Option<u32> {
        self.of.get(record as usize).copied().filter(|thing| *thing != u32::MAX)
    }

    /// Takes a record in and says what it is. The caller then says where it [`belongs`](Self::belongs).
    pub fn ask(&mut self, linker: &mut Linker, row: &Row<'_>) -> (u32, Answer) {
        let record = linker.take(row);
        self.refresh(linker);
        let judged = self.look(linker, record);
        let near = near(linker, &judged);
        let answer = self.answer(linker, record, judged);
        // What a person is asked is not decided in another way.
        self.near = if matches!(answer, Answer::Match(_)) { near } else { Vec::new() };
        (record, answer)
    }

    /// The known things that a record may be, the most likely first.
    fn look(&mut self, linker: &Linker, record: u32) -> Vec<Judged> {
        let mut found: Vec<u32> = Vec::new();
        for &(_, other) in linker.candidates(record, FOUND, &mut self.search) {
            if found.len() == LOOKED_AT {
                break;
            }
            let thing = self.of.get(other as usize).copied().unwrap_or(u32::MAX);
            if thing != u32::MAX
                && !found.contains(&thing)
                && !is_taken(linker, self.members.get(&thing), record)
            {
                found.push(thing);
            }
        }
        let own = self.of(record);
        found.retain(|thing| Some(*thing) != own);
        let mut judged: Vec<Judged> =
            found.into_iter().filter_map(|thing| self.judge(linker, record, thing)).collect();
        judged.sort_by(|a, b| a.veto.cmp(&b.veto).then(b.found.bits.total_cmp(&a.found.bits)));
        judged
    }

    fn answer(&self, linker: &Linker, record: u32, judged: Vec<Judged>) -> Answer {
        let (merge, review) = (linker.config().merge(), linker.config().review);
        let open = judged.iter().filter(|judged| !judged.veto && judged.found.bits >= review);
        let open: Vec<Found> = open.take(ASKED).map(|judged| judged.found.clone()).collect();
        let second = judged.get(1).filter(|judged| !judged.veto).map(|judged| judged.found.clone());
        let Some(Judged { found, veto, .. }) = judged.into_iter().next() else { return Answer::New(None) };
        let best = Found { next: second.as_ref().map(|second| second.bits), ..found };
        if veto {
            return Answer::New((best.bits >= merge).then_some(best));
        }
        let clear = |second: &Found| {
            let one = || self.average(linker, (best.thing, Some(record)), second.thing);
            best.bits - second.bits >= MARGIN_BITS || one().is_some_and(|met| sure(linker, &met.other))
        };
        let taken = sure(linker, &best) && second.as_ref().is_none_or(clear);
        match taken {
            true => Answer::Match(best),
            _ if !open.is_empty() => Answer::Review(open),
            _ => Answer::New(None),
        }
    }

    /// A record against one thing: its best pair, the average, and whether any member vetoes.
    fn judge(&self, linker: &Linker, record: u32, thing: u32) -> Option<Judged> {
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
        let (best, other, pattern) = best?;
        let bits = if veto { without_marks(linker, pattern) } else { sum / count.max(1.0) };
        Some(Judged { found: Found { thing, record: other, bits, next: None, pattern }, veto, best })
    }

    /// A known thing that is the same as that of a record which was asked for last, once it [`belongs`](Self::belongs)
    /// there: the most likely one, without those that the caller `refused` to unite. To be called until there is none.
    pub fn met(&mut self, linker: &Linker, record: u32, refused: &HashSet<u32>) -> Option<Met> {
        let thing = self.of(record)?;
        let others: HashSet<u32> = self.near.iter().filter_map(|near| self.of(*near)).collect();
        let mut others: Vec<u32> =
            others.into_iter().filter(|other| *other != thing && !refused.contains(other)).collect();
        others.sort_unstable();
        let met = others.into_iter().filter_map(|other| self.average(linker, (thing, None), other));
        let mut met: Vec<Met> = met.filter(|met| sure(linker, &met.other)).collect();
        met.sort_by(|a, b| b.other.bits.total_cmp(&a.other.bits));
        let mut met = met.into_iter();
        let (best, second) = (met.next()?, met.next());
        // Of two others that are not one, neither is taken unless it is clearly the better.
        let clear = |second: &Met| {
            let one = || self.average(linker, (best.other.thing, None), second.other.thing);
            best.other.bits - second.other.bits >= MARGIN_BITS
                || one().is_some_and(|met| sure(linker, &met.other))
        };
        second.as_ref().is_none_or(clear).then_some(best)
    }

    /// Two things are one: all records of the first belong to the second from now on. Gives those records.
    pub fn unite(&mut self, from: u32, into: u32) -> Vec<u32> {
        let moved = self.members.remove(&from).unwrap_or_default();
        moved.iter().for_each(|record| self.of[*record as usize] = into);
        let members = self.members.entry(into).or_default();
        members.extend(&moved);
        members.sort_unstable();
        moved
    }

    /// The average evidence between two things, one of them perhaps with a record `more`; nothing if a mark vetoes.
    fn average(&self, linker: &Linker, (thing, more): (u32, Option<u32>), other: u32) -> Option<Met> {
        let (a, b) = (self.members.get(&thing)?, self.members.get(&other)?);
        let step = |members: &[u32]| members.len().div_ceil(DELEGATES).max(1);
        let (mut sum, mut count) = (0.0, 0.0f32);
        let mut best: Option<(f32, u32, u32, Pattern)> = None;
        for &x in a.iter().step_by(step(a)).chain(&more) {
            for &y in b.iter().step_by(step(b)) {
                let pattern = linker.pattern(x, y);
                let bits = linker.score(x, y, pattern);
                let Evidence::Bits(bits) = linker.evidence(pattern, bits) else { return None };
                sum += bits;
                count += 1.0;
                if best.is_none_or(|(most, ..)| bits > most) {
                    best = Some((bits, x, y, pattern));
                }
            }
        }
        let (_, record, with, pattern) = best?;
        let other = Found { thing: other, record: with, bits: sum / count.max(1.0), next: None, pattern };
        Some(Met { thing, record, other })
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

/// Whether the evidence suffices; a mark that is stated on one side only asks for more.
fn sure(linker: &Linker, found: &Found) -> bool {
    let slots = linker.slots().iter().enumerate();
    let mut unsaid = slots.filter(|(_, slot)| matches!(slot.compare, Compare::Marks(_)));
    let unsaid = unsaid.any(|(at, _)| found.pattern.level(at) == 2);
    found.bits >= linker.config().merge() + if unsaid { UNSAID_BITS } else { 0.0 }
}

/// Records of the things that may be one with a record's own, by their best pair.
fn near(linker: &Linker, judged: &[Judged]) -> Vec<u32> {
    let merge = linker.config().merge();
    let near = judged.iter().filter(|judged| !judged.veto && judged.best >= merge);
    near.map(|judged| judged.found.record).collect()
}

/// The evidence of a vetoed pair without its marks: how alike the two look.
fn without_marks(linker: &Linker, pattern: Pattern) -> f32 {
    let model = linker.model();
    model.sum(linker.slots(), |slot| match linker.slots()[slot].compare {
        Compare::Marks(_) => 0.0,
        _ => model.weights[slot][pattern.level(slot)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Config;

    fn linker(kinds: &[&str]) -> Linker {
        let field = |(at, kind): (usize, &&str)| serde_json::json!({"field": format!("f{at}"), "kind": kind});
        let fields: Vec<_> = kinds.iter().enumerate().map(field).collect();
        let config: Config = serde_json::from_value(serde_json::json!({"fields": fields})).unwrap();
        Linker::new(config, 1)
    }

    fn row<'a>(values: &[&'a str]) -> Row<'a> {
        Row { values: values.iter().map(|v| Some(*v).filter(|v| !v.is_empty())).collect(), source: "s" }
    }

    /// Asks for rows; what matches none becomes a thing of its number.
    fn ask(things: &mut Things, linker: &mut Linker, rows: &[&[&str]]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for values in rows {
            let (record, answer) = things.ask(linker, &row(values));
            let thing = if let Answer::Match(found) = &answer { found.thing } else { record };
            things.belongs(record, thing);
            answers.push(answer);
        }
        answers
    }

    const HALVES: [&[&str]; 3] = [
        &["orchard bridge repair", "mill lane upper town", "", ""],
        &["", "", "harbour office seven", "quay of the fishermen"],
        &["orchard bridge repair", "mill lane upper town", "harbour office seven", "quay of the fishermen"],
    ];

    #[test]
    fn a_record_that_is_two_known_things_shows_that_they_are_one() {
        let (mut linker, mut things) = (linker(&["text"; 4]), Things::default());
        let answers = ask(&mut things, &mut linker, &HALVES);
        assert!(!matches!(answers[1], Answer::Match(_)), "{answers:?}");
        assert!(matches!(answers[2], Answer::Match(_)), "{answers:?}");
        let met = things.met(&linker, 2, &HashSet::new()).unwrap();
        assert_eq!(things.unite(met.other.thing, met.thing).len(), 1);
        assert_eq!(things.met(&linker, 2, &HashSet::new()), None, "all is one");
        assert_eq!(things.of(0), things.of(1));
    }

    #[test]
    fn what_may_not_be_united_is_not_named_again() {
        let (mut linker, mut things) = (linker(&["text"; 4]), Things::default());
        ask(&mut things, &mut linker, &HALVES);
        let met = things.met(&linker, 2, &HashSet::new()).unwrap();
        assert_eq!(things.met(&linker, 2, &HashSet::from([met.other.thing])), None);
    }

    #[test]
    fn a_record_without_a_phase_does_not_bring_two_phases_together_and_joins_none() {
        let (mut linker, mut things) = (linker(&["name", "company"]), Things::default());
        let owner = "宏源新材料有限公司";
        let rows: [&[&str]; 3] = [
            &["年产30万吨树脂项目一期", owner],
            &["年产30万吨树脂项目二期", owner],
            &["年产30万吨树脂项目", owner],
        ];
        let answers = ask(&mut things, &mut linker, &rows);
        assert!(matches!(&answers[2], Answer::Review(all) if all.len() == 2), "{answers:?}");
        assert_eq!(things.met(&linker, 2, &HashSet::new()), None);
    }
}
