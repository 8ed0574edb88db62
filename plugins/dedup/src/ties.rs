//! What holds records together or apart beside the evidence, as the linkage asks for it before it changes what is known.
//!
//! Rows that a key brought together stay together: they are parts of one unit. Rows that a person put somewhere stay
//! there, and records that a person keeps apart never meet. It is asked only where the evidence wants a change, so it
//! costs nothing where all is as it was.

use huiliu_stage::StageError;

use crate::kept::KeptRow;
use crate::link::revise::{Bound, Ties};
use crate::linked::Names;
use crate::merge::Merge;
use crate::records::RecordId;

/// A row of a record: what it belongs to whatever happens, and whether a person put it there.
pub(crate) struct Tied {
    row: KeptRow,
    unit: RecordId,
    bound: bool,
}

/// Who knows the rows of records and what people said of them.
pub(crate) trait Knows {
    /// The rows that a record is made of.
    fn tied(&mut self, id: RecordId) -> Result<Vec<Tied>, StageError>;

    /// Whether a person keeps two records apart.
    fn are_apart(&self, a: RecordId, b: RecordId) -> bool;
}

impl Knows for Merge {
    fn tied(&mut self, id: RecordId) -> Result<Vec<Tied>, StageError> {
        let parts = self.parts.of(&mut self.records, id)?;
        let known = self.known(&parts)?;
        let mut tied = Vec::with_capacity(parts.len());
        for (part, known) in parts.iter().zip(known) {
            let bound = self.decided.bound_to(known.signature)?.is_some();
            tied.push(Tied { row: (part.sender().to_owned(), known.compared), unit: part.unit, bound });
        }
        Ok(tied)
    }

    fn are_apart(&self, a: RecordId, b: RecordId) -> bool {
        self.decided.are_apart(a, b)
    }
}

/// The same for things and rows by their numbers.
pub(crate) struct Bonds<'a, R> {
    pub(crate) names: &'a Names,
    pub(crate) row: R,
    pub(crate) knows: &'a mut dyn Knows,
    /// What went wrong; nothing may be changed then.
    pub(crate) failed: Option<StageError>,
}

impl<R: Fn(u32) -> Result<KeptRow, StageError>> Bonds<'_, R> {
    fn groups(&mut self, thing: u32, records: &[u32]) -> Result<Vec<Bound>, StageError> {
        let Some(id) = self.names.record(thing) else { return Ok(Vec::new()) };
        let tied = self.knows.tied(id)?;
        let mut bound = Bound { records: Vec::new(), stays: true };
        let mut groups: Vec<(Vec<RecordId>, Bound)> = Vec::new();
        for &record in records {
            let row = (self.row)(record)?;
            let of = |tied: &&Tied| tied.row == row;
            if tied.iter().filter(of).any(|tied| tied.bound) {
                bound.records.push(record);
                continue;
            }
            // Parts of several units may say the same, and the linkage knows one row of them: it holds those together.
            let mut units: Vec<RecordId> = tied.iter().filter(of).map(|tied| tied.unit).collect();
            if units.is_empty() {
                units.push(id); // A row that no part tells of belongs to the record itself.
            }
            let mut all = vec![record];
            groups.retain_mut(|(known, bound)| {
                let meets = known.iter().any(|unit| units.contains(unit));
                if meets {
                    units.append(known);
                    all.append(&mut bound.records);
                }
                !meets
            });
            all.sort_unstable();
            groups.push((units, Bound { records: all, stays: false }));
        }
        groups.sort_by(|(_, a), (_, b)| a.records.cmp(&b.records));
        let units = groups.into_iter().map(|(_, bound)| bound);
        Ok(units.chain((!bound.records.is_empty()).then_some(bound)).collect())
    }
}

impl<R: Fn(u32) -> Result<KeptRow, StageError>> Ties for Bonds<'_, R> {
    fn bound(&mut self, thing: u32, records: &[u32]) -> Vec<Bound> {
        match self.groups(thing, records) {
            Ok(groups) => groups,
            Err(error) => {
                self.failed.get_or_insert(error);
                vec![Bound { records: records.to_vec(), stays: true }]
            }
        }
    }

    fn apart(&mut self, a: u32, b: u32) -> bool {
        match (self.names.record(a), self.names.record(b)) {
            (Some(a), Some(b)) => self.knows.are_apart(a, b),
            _ => false,
        }
    }
}
