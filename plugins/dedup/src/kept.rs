//! A row of the linkage as it is kept: the record it belongs to, who sent it, and the values that are compared.
//!
//! Ten bytes of the record's id, a byte that says how the rest is written, the sender, and each value behind its length
//! plus one (0 for a missing one). States of before that keep a JSON list behind the id are read as well.

use crate::codec::{Input, bytes, int};
use crate::records::RecordId;

/// How rows are written now. JSON begins with a bracket, so no version is that.
const VERSION: u8 = 1;

/// The values of a row that are compared.
pub(crate) type Values = Vec<Option<String>>;

/// A row without its record: who sent it, and its values.
pub(crate) type KeptRow = (String, Values);

/// The bytes that are kept of a row.
pub(crate) fn encode(id: RecordId, source: &str, values: &[Option<String>]) -> Vec<u8> {
    let texts: usize = values.iter().flatten().map(|value| value.len() + 2).sum();
    let mut out = Vec::with_capacity(16 + source.len() + values.len() + texts);
    out.extend_from_slice(&id.bytes());
    out.push(VERSION);
    bytes(&mut out, source.as_bytes());
    int(&mut out, values.len() as u64);
    for value in values {
        match value {
            None => out.push(0),
            Some(value) => {
                int(&mut out, value.len() as u64 + 1);
                out.extend_from_slice(value.as_bytes());
            }
        }
    }
    out
}

/// The same row of another record.
pub(crate) fn of_record(kept: &[u8], id: RecordId) -> Option<Vec<u8>> {
    let (_, rest) = kept.split_first_chunk::<10>()?;
    Some([id.bytes().as_slice(), rest].concat())
}

/// A row from kept bytes; `None` for bytes that make no sense.
pub(crate) fn decode(kept: &[u8]) -> Option<(RecordId, KeptRow)> {
    let (id, rest) = kept.split_first_chunk::<10>()?;
    let id = RecordId::from_bytes(*id);
    if rest.first() == Some(&b'[') {
        return Some((id, serde_json::from_slice(rest).ok()?));
    }
    let mut input = Input::new(rest);
    if input.byte()? != VERSION {
        return None;
    }
    let source = input.text()?.to_owned();
    let count = input.int()?;
    let mut values = Vec::new();
    for _ in 0..count {
        values.push(match input.int()? {
            0 => None,
            length => Some(input.text_of(usize::try_from(length - 1).ok()?)?.to_owned()),
        });
    }
    input.is_empty().then_some((id, (source, values)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_row_comes_back_as_it_was_kept_and_so_does_one_of_an_older_version(
            id in any::<[u8; 10]>(),
            source in ".{0,20}",
            values in proptest::collection::vec(proptest::option::of(".{0,200}"), 0..9),
        ) {
            let row = (RecordId::from_bytes(id), (source, values));
            let kept = encode(row.0, &row.1.0, &row.1.1);
            prop_assert_eq!(decode(&kept), Some(row.clone()));
            let older = [id.as_slice(), &serde_json::to_vec(&row.1).unwrap()].concat();
            prop_assert_eq!(decode(&older), Some(row));
            for cut in 0..kept.len() {
                prop_assert_eq!(decode(&kept[..cut]), None);
            }
        }

        #[test]
        fn bytes_that_nobody_wrote_are_refused_and_harm_nothing(kept in proptest::collection::vec(any::<u8>(), 0..60)) {
            decode(&kept);
        }
    }
}
