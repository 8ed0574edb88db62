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
use xxhash_rust::xxh3::xxh3_64;

use super::batch::{Plan, With};
use super::chunk::Chunk;
use super::cluster::{Evidence, Link};
use super::compare::Pattern;
use super::engine::{Linker, Row};
use super::features::Compare;
use super::index::Search;
use super::weights::Model;

/// How much better than the next best thing a match must be.
pub(super) const MARGIN_BITS: f32 = 2.0;
/// How much more a match must have when a mark is stated on one side only.
const UNSAID_BITS: f32 = 2.0;
/// Things that a person is asked about, for one record.
const ASKED: usize = 3;
/// Records that are found for one; those of one thing are looked at together, so more than in a batch.
pub(super) const FOUND: usize = 32;
/// Things that are looked at for one record.
const LOOKED_AT: usize = 16;
/// Members of a thing that are compared with a record.
const SPEAKERS: usize = 24;
/// Members of each of two things that are compared with one another.
pub(super) const DELEGATES: usize = 12;
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
#[derive(Clone)]
pub(super) struct Judged {
    pub(super) found: Found,
    veto: bool,
    /// The evidence of the best pair.
    best: f32,
    /// The evidence as it counts when the record is to join.
    pub(super) link: Link,
}

/// The records of each thing.
#[derive(Default)]
pub struct Things {
    pub(super) members: HashMap<u32, Vec<u32>>,
    of: Vec<u32>,
    pub(super) search: Search,
    pub(super) plan: Plan,
    points: Points,
    /// Where to learn and weigh while what is known is taken up again.
    script: Option<Points>,
    /// What was learnt before, which is then not learnt again.
    kept: Option<Learnt>,
    /// Other things that the record that was answered last may be as well.
    near: Vec<u32>,
}

/// How many records were known when the linkage learnt and when it weighed last: with those, what is built from
/// the same records is the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    learnt: Vec<u32>,
    weighed: u32,
}

impl Points {
    /// As they are kept: four bytes each, the last weighing at the end.
    pub fn bytes(&self) -> Vec<u8> {
        self.learnt.iter().chain([&self.weighed]).flat_map(|at| at.to_be_bytes()).collect()
    }

    /// From how they are kept.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (all, []) = bytes.as_chunks::<4>() else { return None };
        let (weighed, learnt) = all.split_last()?;
        let number = |bytes: &[u8; 4]| u32::from_be_bytes(*bytes);
        Some(Self { learnt: learnt.iter().map(number).collect(), weighed: number(weighed) })
    }
}

/// What a linkage learnt: with it, nothing is learnt again after a start.
#[derive(Clone, Debug)]
pub struct Learnt {
    /// What was compared when it was learnt.
    slots: u64,
    at: u32,
    model: Model,
}

impl Learnt {
    /// As it is kept.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.slots.to_be_bytes().to_vec();
        out.extend_from_slice(&self.at.to_be_bytes());
        self.model.encode(&mut out);
        out
    }

    /// From how it is kept; nothing for what is to be learnt again.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (slots, rest) = bytes.split_first_chunk::<8>()?;
        let (at, rest) = rest.split_first_chunk::<4>()?;
        let (slots, at) = (u64::from_be_bytes(*slots), u32::from_be_bytes(*at));
        Some(Self { slots, at, model: Model::decode(rest)? })
    }

    /// When it was learnt.
    pub fn at(&self) -> u32 {
        self.at
    }

    /// What of the slots must be the same for the weights to be good.
    fn of(linker: &Linker) -> u64 {
        xxh3_64(format!("{:?}", linker.slots()).as_bytes())
    }
}

impl Things {
    /// Things that are to be taken up again by [`restore_all`](Self::restore_all), learning where it was learnt before
    /// unless what was learnt then is `kept`.
    pub fn following(script: Option<Points>, kept: Option<Learnt>) -> Self {
        Self { script, kept, ..Self::default() }
    }

    /// Takes up again a record that was known before.
    pub fn restore(&mut self, linker: &mut Linker, row: &Row<'_>, thing: u32) {
        self.restore_all(linker, std::slice::from_ref(row), &[thing]);
    }

    /// Takes up again records that were known before, each with its thing. To be ended by [`restored`](Self::restored).
    pub fn restore_all(&mut self, linker: &mut Linker, rows: &[Row<'_>], things: &[u32]) {
        self.keep_if_fits(linker);
        let mut from = 0;
        while from < rows.len() {
            let stop = self.next_stop(linker.len()).unwrap_or(usize::MAX);
            let to = rows.len().min(from + (stop - linker.len()));
            let records = linker.take_all(&rows[from..to]);
            records.zip(&things[from..to]).for_each(|(record, thing)| self.belongs(record, *thing));
            from = to;
            self.follow(linker);
        }
    }

    /// Takes up again records that were known before from their [chunk](super::chunk), each with its thing. `None` for one
    /// that does not fit; then all is to be taken up in another way.
    pub(crate) fn restore_chunk(&mut self, linker: &mut Linker, kept: &[u8], things: &[u32]) -> Option<()> {
        self.keep_if_fits(linker);
        let mut chunk = Chunk::open(linker, kept)?;
        for &thing in things {
            chunk.next(linker)?;
            self.belongs(linker.len() as u32 - 1, thing);
            self.follow(linker);
        }
        Some(())
    }

    fn keep_if_fits(&mut self, linker: &Linker) {
        if self.kept.as_ref().is_some_and(|kept| kept.slots != Learnt::of(linker)) {
            self.kept = None;
        }
    }

    /// Does what was done when so many were known.
    fn follow(&mut self, linker: &mut Linker) {
        let known = linker.len() as u32;
        let Some(script) = &self.script else { return self.refresh(linker) };
        let learnt = self.kept.is_none() && script.learnt.binary_search(&known).is_ok();
        if learnt || script.weighed == known {
            self.weigh(linker);
        }
        if learnt {
            self.learn(linker);
        }
    }

    /// How many are known when something is to be done next.
    fn next_stop(&self, known: usize) -> Option<usize> {
        let Some(script) = &self.script else { return Some(known + 1) };
        let learnt = script.learnt.iter().filter(|_| self.kept.is_none());
        learnt.chain([&script.weighed]).map(|at| *at as usize).filter(|at| *at > known).min()
    }

    /// Ends taking up: what was learnt before is in use again.
    pub fn restored(&mut self, linker: &mut Linker) {
        let script = self.script.take();
        if let Some((learnt, script)) = self.kept.take().zip(script) {
            linker.use_model(learnt.model, learnt.at as usize);
            self.points.learnt = script.learnt;
        }
    }

    /// What was learnt last, to be kept.
    pub fn learnt(&self, linker: &Linker) -> Option<Learnt> {
        let at = *self.points.learnt.last()?;
        Some(Learnt { slots: Learnt::of(linker), at, model: linker.model().clone() })
    }

    /// When it was learnt last.
    pub fn learnt_at(&self) -> Option<u32> {
        self.points.learnt.last().copied()
    }

    /// All records of a thing, in the order of arrival.
    pub fn records_of(&self, thing: u32) -> Vec<u32> {
        self.members.get(&thing).cloned().unwrap_or_default()
    }

    /// Forgets a thing; its records are to be told where they belong.
    pub fn forget(&mut self, thing: u32) {
        self.members.remove(&thing);
    }

    /// Adds a record that belongs to a thing.
    pub fn add(&mut self, linker: &mut Linker, row: &Row<'_>, thing: u32) {
        let record = linker.take(row);
        self.belongs(record, thing);
    }

    /// Where it was learnt and weighed.
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// Says to which thing a record belongs.
    pub fn belongs(&mut self, record: u32, thing: u32) {
        if self.of.len() <= record as usize {
            self.of.resize(record as usize + 1, u32::MAX);
        }
        self.of[record as usize] = thing;
        self.members.entry(thing).or_default().push(record);
    }

    /// The thing of a record.
    pub(super) fn of(&self, record: u32) -> Option<u32> {
        self.of.get(record as usize).copied().filter(|thing| *thing != u32::MAX)
    }

    /// Takes one record in and says what it is. The caller then says where it [`belongs`](Self::belongs).
    pub fn ask(&mut self, linker: &mut Linker, row: &Row<'_>) -> (u32, Answer) {
        let record = self.take_all(linker, std::slice::from_ref(row));
        (record, self.answer(linker, record))
    }

    /// Takes a batch in, learns from it, finds out what its records are among what is known and among one another, and
    /// gives the number of the first.
    pub fn take_all(&mut self, linker: &mut Linker, rows: &[Row<'_>]) -> u32 {
        let from = linker.take_all(rows).start;
        self.refresh(linker);
        self.plan(linker, from);
        from
    }

    /// What a record of the last batch is. Its records are to be asked for in order, and the caller says of each where
    /// it [`belongs`](Self::belongs) before the next.
    pub fn answer(&mut self, linker: &Linker, record: u32) -> Answer {
        self.near.clear();
        let Some(planned) = self.plan.get(record) else { return Answer::New(None) };
        let target = match planned.with {
            With::Alone => None,
            With::Thing(thing) => Some(thing),
            With::First(first) => self.of(first),
        };
        let mut things = self.things_of(linker, record, &planned.candidates);
        things.extend(target.filter(|target| !things.contains(target)));
        let judged = |thing: u32| {
            let before = planned.judged.iter().find(|(judged, _)| judged.found.thing == thing);
            let same =
                before.filter(|(_, count)| self.members.get(&thing).is_some_and(|m| m.len() == *count));
            same.map(|(judged, _)| judged.clone()).or_else(|| self.judge(linker, record, thing))
        };
        let mut judged: Vec<Judged> = things.into_iter().filter_map(judged).collect();
        judged.sort_by(|a, b| a.veto.cmp(&b.veto).then(b.found.bits.total_cmp(&a.found.bits)));
        let chosen = judged.iter().position(|judged| Some(judged.found.thing) == target && !judged.veto);
        let Some(chosen) = chosen else { return unsure(linker, judged) };
        // What a person is asked is not decided in another way.
        self.near = near(linker, &judged);
        let next = judged.iter().enumerate().find(|(at, judged)| *at != chosen && !judged.veto);
        let next = next.map(|(_, judged)| judged.found.bits);
        Answer::Match(Found { next, ..judged.swap_remove(chosen).found })
    }

    /// The known things of a record's lookalikes.
    pub(super) fn things_of(&self, linker: &Linker, record: u32, candidates: &[u32]) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        let own = self.of(record);
        for thing in candidates.iter().filter_map(|other| self.of(*other)) {
            if found.len() == LOOKED_AT {
                break;
            }
            if Some(thing) != own
                && !found.contains(&thing)
                && !is_taken(linker, self.members.get(&thing), record)
            {
                found.push(thing);
            }
        }
        found
    }

    /// A record against one thing: its best pair, the average, and whether any member vetoes.
    pub(super) fn judge(&self, linker: &Linker, record: u32, thing: u32) -> Option<Judged> {
        let members = self.members.get(&thing)?;
        let step = members.len().div_ceil(SPEAKERS).max(1);
        let (mut sum, mut count, mut veto) = (0.0, 0.0f32, false);
        let mut best: Option<(f32, u32, Pattern)> = None;
        let mut link = Link::default();
        for &other in members.iter().step_by(step) {
            let pattern = linker.pattern(record, other);
            let bits = linker.score(record, other, pattern);
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
        let (best, other, pattern) = best?;
        let bits = if veto { without_marks(linker, pattern) } else { sum / count.max(1.0) };
        Some(Judged { found: Found { thing, record: other, bits, next: None, pattern }, veto, best, link })
    }

    /// A known thing that is the same as that of a record which was asked for last, once it [`belongs`](Self::belongs)
    /// there: the most likely one, without those that the caller `refused` to unite. To be called until there is none.
    pub fn met(&self, linker: &Linker, record: u32, refused: &HashSet<u32>) -> Option<Met> {
        let thing = self.of(record)?;
        let others: HashSet<u32> = self.near.iter().filter_map(|near| self.of(*near)).collect();
        let mut others: Vec<u32> =
            others.into_iter().filter(|other| *other != thing && !refused.contains(other)).collect();
        others.sort_unstable();
        others.retain(|other| !self.share_a_source(linker, thing, *other));
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

    /// Whether two things each have their one record of a source.
    fn share_a_source(&self, linker: &Linker, thing: u32, other: u32) -> bool {
        let members = self.members.get(&other);
        let of = |thing| self.members.get(&thing).into_iter().flatten();
        of(thing).any(|&record| is_taken(linker, members, record))
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
        if known as f64 >= f64::from(self.points.weighed) * 1.02 {
            self.weigh(linker);
            if known >= ENOUGH && linker.has_grown() {
                self.learn(linker);
            }
        }
    }

    fn weigh(&mut self, linker: &mut Linker) {
        linker.weigh();
        self.points.weighed = linker.len() as u32;
    }

    fn learn(&mut self, linker: &mut Linker) {
        linker.learn();
        self.points.learnt.push(linker.len() as u32);
    }
}

/// What is said of a record that joins nothing.
fn unsure(linker: &Linker, judged: Vec<Judged>) -> Answer {
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
fn is_taken(linker: &Linker, members: Option<&Vec<u32>>, record: u32) -> bool {
    linker.config().one_to_one
        && members.into_iter().flatten().any(|&member| linker.same_source(member, record))
}

/// Whether the evidence suffices; a mark that is stated on one side only asks for more.
fn sure(linker: &Linker, found: &Found) -> bool {
    found.bits >= linker.config().merge() + if is_unsaid(linker, found.pattern) { UNSAID_BITS } else { 0.0 }
}

/// Whether only one side states a mark.
fn is_unsaid(linker: &Linker, pattern: Pattern) -> bool {
    let mut slots = linker.slots().iter().enumerate();
    slots.any(|(at, slot)| matches!(slot.compare, Compare::Marks(_)) && pattern.level(at) == 2)
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
