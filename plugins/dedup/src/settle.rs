//! After a batch: what it changed of each record it touched, and what is kept of it.
//!
//! A record is what its [parts](crate::parts) give, one after the other. So of what a batch gave to a record either all is
//! kept, and the record is what came out of it, or nothing, and the record is what it was before. Nothing is kept where
//! all was said before and the record comes out with the values that it had, even if rows replaced them in between: so
//! the same file again leaves no trace, whatever its rows say against one another.

use std::sync::Arc;

use hashbrown::HashSet;
use huiliu_stage::StageError;

use crate::entity::{Held, Record, Source};
use crate::fields::MergeField;
use crate::merge::{Merge, View};
use crate::part::Part;
use crate::recognise::{By, Recognised};
use crate::records::RecordId;
use crate::survive::made_of;
use crate::value::Value;

/// A record touched by a batch.
pub(crate) struct Touched {
    pub(crate) id: RecordId,
    pub(crate) by: By,
    pub(crate) new: bool,
    pub(crate) last: usize,
    /// Values before the batch, for the fields that were replaced; not kept for a new record.
    pub(crate) before: Vec<(usize, Option<Held>)>,
    pub(crate) changed: bool,
    /// What its first row gave, as long as no other row is kept.
    pub(crate) first: Option<Part>,
    /// What the rows of this batch gave, but for what this delivery said before and what changed nothing.
    pub(crate) came: Vec<Part>,
    /// The hashes of what came.
    said: HashSet<u64>,
    /// What the sender said in fields that ask all senders.
    voted: Vec<Vote>,
}

/// What a sender said of a field before a batch, and says now.
struct Vote {
    field: usize,
    before: Option<Value>,
    now: Option<Value>,
}

impl Touched {
    pub(crate) fn new(found: &Recognised, at: usize) -> Self {
        Self {
            id: found.record,
            by: found.by,
            new: found.new,
            last: at,
            before: Vec::new(),
            changed: false,
            first: None,
            came: Vec::new(),
            said: HashSet::new(),
            voted: Vec::new(),
        }
    }

    /// Whether a row says something else than its sender said last, in a field that asks all senders: that counts when
    /// others vote, even if it changes nothing yet. `votes` are the parts of the record so far.
    pub(crate) fn votes_anew(&mut self, fields: &[MergeField], part: &Part, votes: &[Part]) -> bool {
        let mut anew = false;
        for (at, held) in part.row.values.iter().enumerate().filter(|(at, _)| fields[*at].choose.votes()) {
            let Some(held) = held else { continue };
            let now = Some(held.value.clone());
            match self.voted.iter_mut().find(|vote| vote.field == at) {
                Some(vote) => {
                    anew |= vote.now != now;
                    vote.now = now;
                }
                None => {
                    let own = votes.iter().rev().filter(|other| other.sender() == part.sender());
                    let before = own.filter_map(|other| other.row.values[at].as_ref()).next();
                    let before = before.map(|held| held.value.clone());
                    anew |= before != now;
                    self.voted.push(Vote { field: at, before, now });
                }
            }
        }
        anew
    }

    /// Whether a row of this delivery has said the same, as far as that is known without asking the state.
    pub(crate) fn says_already(&mut self, part: &Part) -> bool {
        let hash = part.hash();
        let is_first = |first: &Part| first.hash() == hash && first.delivery() == part.delivery();
        self.first.as_ref().is_some_and(is_first) || !self.said.insert(hash)
    }
}

/// What became of the values of a record.
struct News {
    /// One is another value now.
    changed: bool,
    /// One is the same, and stands on the word of others: that decides what may replace it.
    moved: bool,
}

impl News {
    fn of(fields: &[MergeField], record: &Record, before: &[(usize, Option<Held>)], now: &Source) -> Self {
        let mut news = Self { changed: false, moved: false };
        for (i, was) in before {
            let (Some(was), Some(is)) = (was, &record.values[*i]) else {
                news.changed = true;
                continue;
            };
            news.changed |= was.value != is.value;
            let source =
                |held: &Held| record.places.get(held.place as usize).map(|place| place.source.clone());
            let (was, is) = (source(was), source(is));
            let sender = |source: &Option<Arc<Source>>| source.as_ref().map(|source| source.sender.clone());
            // Whose value it is decides what may replace it.
            news.moved |= fields[*i].choose.trusts() && sender(&was) != sender(&is);
            // So does a value that another file still says, when the one that said it first is corrected: else the
            // correction of that other one would not reach it.
            news.moved |= was.as_ref().is_some_and(|was| was.is_corrected_by(now)) && was != is;
        }
        news
    }
}

impl Merge {
    /// Finds out which records have changed, and keeps those. Gives the rows under which they come out now, with those
    /// under which they came out of an earlier batch of the same delivery.
    pub(crate) fn settle(
        &mut self,
        touched: &mut [Touched],
        view: &View<'_>,
        delivery: u32,
    ) -> Result<Vec<(i64, i64, RecordId)>, StageError> {
        let (mut buffer, mut replaces) = (Vec::new(), Vec::new());
        for touched in touched {
            if !self.settle_parts(touched, &view.source)? {
                continue;
            }
            let record = self.records.get(touched.id)?;
            record.revision += i64::from(touched.changed);
            let row = view.rows.value(touched.last);
            if touched.changed
                && let Some((before, earlier)) = record.given.replace((delivery, row))
                && before == delivery
                && earlier != row
            {
                replaces.push((row, earlier, touched.id));
            }
            self.records.keep(touched.id, &mut buffer)?;
        }
        self.parts.settle()?;
        Ok(replaces)
    }

    /// Keeps what the rows gave to a record, or nothing of it. Tells whether the record is another one now than the one
    /// that is kept, if only in where its values came from.
    fn settle_parts(&mut self, touched: &mut Touched, now: &Source) -> Result<bool, StageError> {
        let (id, came) = (touched.id, std::mem::take(&mut touched.came));
        let first = touched.first.take().filter(|_| !came.is_empty());
        let before = std::mem::take(&mut touched.before);
        let mut news = News::of(&self.fields, self.records.get(id)?, &before, now);
        news.moved |= touched.voted.iter().any(|vote| vote.before != vote.now);
        touched.changed = touched.new || news.changed;
        if !touched.changed && !news.moved && !self.is_news(id, first.as_ref(), &came)? {
            let record = self.records.get(id)?;
            before.into_iter().for_each(|(i, held)| record.values[i] = held);
            record.tidy();
            return Ok(false);
        }
        let parted = first.is_some();
        let forgot = self.keep_parts(id, first, &came)?;
        if forgot {
            touched.changed = self.make_anew(id, &before)? || touched.new;
        }
        let record = self.records.get(id)?;
        record.tidy();
        record.parted |= parted;
        Ok(touched.changed || parted || forgot || !before.is_empty())
    }

    /// Whether anything of what came was never said of the record.
    fn is_news(&self, id: RecordId, first: Option<&Part>, came: &[Part]) -> Result<bool, StageError> {
        let known = first.map(Part::hash);
        for part in came {
            let hash = part.hash();
            let is_known = match known {
                Some(known) => known == hash,
                None => self.parts.has(id, hash)?,
            };
            if !is_known {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps what came, and what was the only part so far. Tells whether something that was said before is forgotten for it.
    fn keep_parts(&mut self, id: RecordId, first: Option<Part>, came: &[Part]) -> Result<bool, StageError> {
        let (mut forgot, mut came) = (false, came);
        if let Some(first) = first {
            self.parts.keep_new(&mut self.records, id, &first)?;
            // Mostly there is one more, which says something else: that needs no look at the state.
            if let Some((second, rest)) = came.split_first()
                && second.hash() != first.hash()
            {
                self.parts.keep_new(&mut self.records, id, second)?;
                came = rest;
            }
        }
        for part in came {
            forgot |= self.parts.keep(&mut self.records, id, part)?;
        }
        Ok(forgot)
    }

    /// Makes a record of what is kept of it. Tells whether its values are others than they were before the batch.
    fn make_anew(&mut self, id: RecordId, before: &[(usize, Option<Held>)]) -> Result<bool, StageError> {
        let parts = self.parts.of(&mut self.records, id)?;
        let made = made_of(&self.fields, &parts, self.tolerance);
        let record = self.records.get(id)?;
        let was = |i: usize| {
            let replaced = before.iter().find(|(field, _)| *field == i);
            replaced.map_or(record.values[i].as_ref(), |(_, held)| held.as_ref())
        };
        let value = |held: Option<&Held>| held.map(|held| held.value.clone());
        let differs = (0..made.values.len()).any(|i| value(was(i)) != value(made.values[i].as_ref()));
        (record.values, record.places) = (made.values, made.places);
        Ok(differs)
    }
}
