//! One record at a time against things that are known: match, review or new.
//!
//! Here the things have names of their own, given by whoever keeps them; a record joins one of them and
//! stays. A record belongs to the thing with whose records it agrees best on average, if no mark vetoes, the
//! evidence reaches the threshold, and the next best thing is clearly worse or turns out to be the same one. A
//! mark that only one side states is no veto, but asks for more.
//!
//! What came first must not matter, so records that come may show that known things are one, or that a known record
//! belongs elsewhere: [`Things::changes_to_make`] tells that ([`revise`](super::revise)) before they are asked for.

use xxhash_rust::xxh3::xxh3_64;

use super::batch::{Plan, With};
use super::compare::Pattern;
use super::engine::{Linker, Row};
use super::index::Search;
use super::judge::{Judged, is_taken, unsure};
use super::likeness::Left;
use super::members::Members;
use super::revise::{Free, Ties};
use super::weights::Model;

/// How much better than the next best thing a match must be.
pub(super) const MARGIN_BITS: f32 = 2.0;
/// Records that are found for one; those of one thing are looked at together, so more than in a batch.
pub(super) const FOUND: usize = 32;
/// Things that are looked at for one record.
const LOOKED_AT: usize = 16;
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
    pub(super) members: Members,
    of: Vec<u32>,
    pub(super) search: Search,
    pub(super) plan: Plan,
    pub(super) left: Left,
    points: Points,
    /// Where to learn and weigh while what is known is taken up again.
    script: Option<Points>,
    /// What was learnt before, which is then not learnt again.
    kept: Option<Learnt>,
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

    /// Whether [chunks](super::chunk) can be taken up: their records are not found before all are taken up, so not where it is to be
    /// learnt in between.
    pub fn takes_chunks(&mut self, linker: &Linker) -> bool {
        self.keep_if_fits(linker);
        self.script.as_ref().is_some_and(|script| self.kept.is_some() || script.learnt.is_empty())
    }

    /// Takes up again records that were known before from their chunk, each with its thing. `None` for one that does not
    /// fit; then all is to be taken up in another way.
    #[must_use]
    pub fn restore_chunk(&mut self, linker: &mut Linker, kept: &[u8], things: &[u32]) -> Option<()> {
        let from = linker.len() as u32;
        let weighed = self.script.as_ref().map(|script| script.weighed);
        if linker.take_chunk(kept, weighed)? != things.len() {
            return None;
        }
        (from..).zip(things).for_each(|(record, thing)| self.belongs(record, *thing));
        Some(())
    }

    /// The last chunk was taken up.
    pub fn end_chunks(&mut self, linker: &mut Linker) {
        linker.end_chunks();
        let weighed = self.script.as_ref().map_or(0, |script| script.weighed);
        if weighed <= linker.len() as u32 {
            self.points.weighed = weighed;
        }
    }

    fn keep_if_fits(&mut self, linker: &Linker) {
        if self.kept.as_ref().is_some_and(|kept| kept.slots != Learnt::of(linker)) {
            self.kept = None;
        }
    }

    /// Does what was done when so many were known.
    fn follow(&mut self, linker: &mut Linker) {
        let known = linker.len() as u32;
        let Some(script) = &self.script else {
            self.refresh(linker);
            return;
        };
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
    pub fn records_of(&self, thing: u32) -> &[u32] {
        self.members.get(thing)
    }

    /// Forgets a thing; its records are to be told where they belong.
    pub fn forget(&mut self, thing: u32) {
        self.members.remove(thing);
    }

    /// Adds a record that belongs to a thing.
    pub fn add(&mut self, linker: &mut Linker, row: &Row<'_>, thing: u32) {
        let record = linker.take(row);
        self.belongs(record, thing);
    }

    /// Bytes that the records of things take.
    pub fn bytes(&self) -> usize {
        self.members.bytes() + self.of.len() * size_of::<u32>()
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
        self.members.push(thing, record);
    }

    /// The thing of a record.
    pub fn of(&self, record: u32) -> Option<u32> {
        self.of.get(record as usize).copied().filter(|thing| *thing != u32::MAX)
    }

    /// Takes one record in and says what it is. The caller then says where it [`belongs`](Self::belongs).
    pub fn ask(&mut self, linker: &mut Linker, row: &Row<'_>) -> (u32, Answer) {
        let record = self.take_all(linker, std::slice::from_ref(row), &mut Free);
        (record, self.answer(linker, record))
    }

    /// Takes a batch in, learns from it, finds out what its records are among what is known and among one another, and
    /// gives the number of the first.
    pub fn take_all(&mut self, linker: &mut Linker, rows: &[Row<'_>], ties: &mut impl Ties) -> u32 {
        let from = linker.take_all(rows).start;
        let learnt = self.refresh(linker);
        self.plan(linker, from, learnt, ties);
        from
    }

    /// What a record of the last batch is. Its records are to be asked for in order, and the caller says of each where
    /// it [`belongs`](Self::belongs) before the next.
    pub fn answer(&mut self, linker: &Linker, record: u32) -> Answer {
        let mut left = std::mem::take(&mut self.left);
        let answer = self.answer_by(linker, record, &mut left);
        self.left = left;
        answer
    }

    fn answer_by(&self, linker: &Linker, record: u32, left: &mut Left) -> Answer {
        let Some(planned) = self.plan.get(record) else { return Answer::New(None) };
        let target = match planned.with {
            With::Alone => None,
            With::First(first) => self.of(first),
        };
        let mut things = self.things_of(&planned.candidates, record);
        things.retain(|thing| !is_taken(linker, self.members.get(*thing), record));
        things.extend(target.filter(|target| !things.contains(target)));
        left.begin(linker.slots().len());
        let mut own = linker.own(record, left);
        let judged = |thing: u32| {
            // Where records have come or moved, what was judged before is of other things.
            let before = planned.judged.iter().find(|(judged, _)| judged.found.thing == thing);
            let same = before.filter(|(_, part)| {
                self.plan.known == linker.len()
                    && planned.compared.are(part.clone(), self.speakers(linker, thing).iter().copied())
            });
            let judge = || self.judge(linker, thing, |other| self.beside(linker, &mut own, other));
            same.map(|(judged, _)| judged.clone()).or_else(judge)
        };
        let mut judged: Vec<Judged> = things.into_iter().filter_map(judged).collect();
        judged.sort_by(|a, b| a.veto.cmp(&b.veto).then(b.found.bits.total_cmp(&a.found.bits)));
        let chosen = judged.iter().position(|judged| Some(judged.found.thing) == target && !judged.veto);
        let Some(chosen) = chosen else { return unsure(linker, judged) };
        let next = judged.iter().enumerate().find(|(at, judged)| *at != chosen && !judged.veto);
        let next = next.map(|(_, judged)| judged.found.bits);
        Answer::Match(Found { next, ..judged.swap_remove(chosen).found })
    }

    /// The known things of a record's lookalikes.
    pub(super) fn things_of(&self, candidates: &[u32], record: u32) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        let own = self.of(record);
        for thing in candidates.iter().filter_map(|other| self.of(*other)) {
            if found.len() == LOOKED_AT {
                break;
            }
            if Some(thing) != own && !found.contains(&thing) {
                found.push(thing);
            }
        }
        found
    }

    /// Weighs and learns when enough is new; tells whether it learnt.
    fn refresh(&mut self, linker: &mut Linker) -> bool {
        let known = linker.len();
        if (known as f64) < f64::from(self.points.weighed) * 1.02 {
            return false;
        }
        self.weigh(linker);
        let learns = known >= ENOUGH && linker.has_grown();
        if learns {
            self.learn(linker);
        }
        learns
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
