//! What one row gave to a record, as it is kept.
//!
//! The id of the [unit](crate::parts) (10 bytes), [`NEW`], the records that it was in (how many, and 10 bytes and a number
//! for each), what brought it (a byte for the length, and its letters), the layout (8 bytes) and the values as those of a
//! record. States of before have eight bytes in the place of `NEW` and the records: when it came once more in its
//! delivery and changed the record again, or 0. Which records such a part was in says the [state of
//! before](crate::former).

use huiliu_stage::StageError;
use xxhash_rust::xxh3::xxh3_64;

use crate::codec::{Input, encode_value, int};
use crate::entity::{Record, Source};
use crate::records::{RecordId, Records};

/// The first of eight bytes of before that tell when a part came again is never this.
const NEW: u8 = 0xff;

/// What one row gave.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// What it belongs to whatever happens.
    pub(crate) unit: RecordId,
    /// What brought it to the record that it came to: the name of a rule, `likeness`, `new`, `content`, `decision` or
    /// `pinned`.
    pub(crate) by: String,
    /// Its values, nearly always all from one place. Its `order` tells when it came.
    pub(crate) row: Record,
    /// The records that it was in and that were merged into the next, the first first. `None` of a part that was kept
    /// before parts told of it.
    pub(crate) former: Option<Vec<Former>>,
}

/// A record that a part was in before that record was merged into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    pub(crate) id: RecordId,
    /// How many rows had come when it was merged.
    pub(crate) at: u64,
    /// Whether a person merged it, and not likeness.
    pub(crate) decided: bool,
}

impl Part {
    pub(crate) fn sender(&self) -> &str {
        self.source().map_or("", |source| &source.sender)
    }

    pub(crate) fn delivery(&self) -> &str {
        self.source().map_or("", |source| &source.delivery)
    }

    pub(crate) fn source(&self) -> Option<&Source> {
        self.row.places.first().map(|place| &*place.source)
    }

    /// The same for the same values of the same sender.
    pub(crate) fn hash(&self) -> u64 {
        let mut bytes = self.sender().as_bytes().to_vec();
        for held in &self.row.values {
            match held {
                Some(held) => encode_value(&mut bytes, &held.value),
                None => bytes.push(0),
            }
        }
        xxh3_64(&bytes)
    }

    /// What brought it to the record that it is in: that of a record which it made and which was merged is the merge.
    pub(crate) fn brought_by(&self) -> &str {
        match self.former.iter().flatten().next() {
            Some(former) if self.by == "new" => {
                if former.decided {
                    "decision"
                } else {
                    "likeness"
                }
            }
            _ => &self.by,
        }
    }

    /// Whether it came in a record that was merged away.
    pub(crate) fn was_in(&self, id: RecordId) -> Option<Former> {
        self.former.iter().flatten().find(|former| former.id == id).copied()
    }

    /// The bytes that are kept.
    pub(crate) fn encode(&self, records: &mut Records) -> Result<Vec<u8>, StageError> {
        let mut out = self.unit.bytes().to_vec();
        let former = self.former.as_deref().unwrap_or_default();
        out.push(NEW);
        int(&mut out, former.len() as u64);
        for former in former {
            out.extend_from_slice(&former.id.bytes());
            int(&mut out, former.at << 1 | u64::from(former.decided));
        }
        let by = self.by.as_bytes();
        let by = &by[..by.len().min(usize::from(u8::MAX))];
        out.push(by.len() as u8);
        out.extend_from_slice(by);
        out.extend_from_slice(&records.layout()?);
        self.row.encode(&mut out);
        Ok(out)
    }

    /// From kept bytes, of which `read` reads the values with their layout. Of before there may be a second one, which
    /// says the same later.
    pub(crate) fn decode<E>(
        kept: &[u8],
        broken: impl Fn() -> E,
        read: impl FnOnce(&[u8]) -> Result<Record, E>,
    ) -> Result<(Self, Option<Self>), E> {
        let (head, rest) = Head::read(kept).ok_or_else(broken)?;
        let Head { unit, by, again, former } = head;
        let part = Self { unit, by, row: read(rest)?, former };
        let second = (again > 0).then(|| {
            let mut second = part.clone();
            second.row.order = again;
            second
        });
        Ok((part, second))
    }
}

/// All of a part but its values.
struct Head {
    unit: RecordId,
    by: String,
    again: u64,
    former: Option<Vec<Former>>,
}

impl Head {
    fn read(kept: &[u8]) -> Option<(Self, &[u8])> {
        let (unit, rest) = kept.split_first_chunk::<10>()?;
        let (again, former, rest) = match rest.strip_prefix(&[NEW]) {
            None => {
                let (again, rest) = rest.split_first_chunk::<8>()?;
                (u64::from_be_bytes(*again), None, rest)
            }
            Some(rest) => {
                let mut input = Input::new(rest);
                let mut former = Vec::new();
                for _ in 0..input.int()? {
                    let (id, at) = (RecordId::from_bytes(input.fixed()?), input.int()?);
                    former.push(Former { id, at: at >> 1, decided: at & 1 == 1 });
                }
                (0, Some(former), input.rest())
            }
        };
        let (&length, rest) = rest.split_first()?;
        let (by, rest) = rest.split_at_checked(usize::from(length))?;
        let by = String::from_utf8_lossy(by).into_owned();
        Some((Self { unit: RecordId::from_bytes(*unit), by, again, former }, rest))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use huiliu_stage::testing::MemoryHost;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_part_comes_back_as_it_was_kept_and_cut_bytes_are_refused(
            unit in any::<[u8; 10]>(),
            by in "[a-z+]{0,30}",
            former_of in proptest::collection::vec((any::<[u8; 10]>(), any::<u32>(), any::<bool>()), 0..4),
            again in any::<u32>(),
        ) {
            let mut records = Records::new(Arc::new(MemoryHost::default()), Vec::new());
            let former = |(id, at, decided): ([u8; 10], u32, bool)| {
                Former { id: RecordId::from_bytes(id), at: u64::from(at), decided }
            };
            let former = Some(former_of.into_iter().map(former).collect());
            let unit = RecordId::from_bytes(unit);
            let part = Part { unit, by, row: Record { order: 7, ..Record::default() }, former };
            let kept = part.encode(&mut records).unwrap();
            let read = |kept: &[u8]| {
                let row = |bytes: &[u8]| Record::decode(bytes.get(8..)?, 0);
                Part::decode(kept, || (), |bytes| row(bytes).ok_or(())).unwrap()
            };
            let (back, second) = read(&kept);
            prop_assert_eq!((back.unit, &back.by, &back.former, back.row.order), (unit, &part.by, &part.former, 7));
            prop_assert!(second.is_none());
            for cut in 0..kept.len() - 11 {
                prop_assert!(Head::read(&kept[..cut]).is_none(), "{}", cut);
            }
            // As the version before kept it.
            let rest = &kept[kept.len() - 12 - part.by.len()..];
            let (first, second) = read(&[&unit.bytes()[..], &u64::from(again).to_be_bytes(), rest].concat());
            prop_assert_eq!((first.unit, &first.by, &first.former, first.row.order), (unit, &part.by, &None, 7));
            prop_assert_eq!(second.map_or(0, |second| second.row.order), u64::from(again));
        }
    }
}
