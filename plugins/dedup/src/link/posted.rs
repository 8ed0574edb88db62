//! Which records of a chunk have which terms, as it is kept: so the lists of very many records are made term by term, and
//! nobody looks at each record again. Of a term whose list was let go already only the number of records is kept.
//!
//! For each term, ascending: how much greater it is than the one before, and twice the number of records, plus one where
//! the list was let go; then the records, or the last of them: two bytes each, counted from the first of the chunk.

use super::index::Dictionary;
use super::store::Store;
use crate::codec::{Input, int};

/// The terms of some records and who has them, as bytes. Not more than 65,536 records.
pub(super) fn of_records(store: &Store, dictionary: &Dictionary, records: std::ops::Range<u32>) -> Vec<u8> {
    let (first, mut all) = (records.start, Vec::new());
    debug_assert!(records.len() <= 1 << 16);
    for record in records {
        let one = |term: &u32| u64::from(*term) << 16 | u64::from(record - first);
        store.get(record).each_terms(|terms| all.extend(terms.iter().map(one)));
    }
    all.sort_unstable();
    // A term comes more than once when several fields say the same.
    all.dedup();
    let (mut out, mut before) = (Vec::new(), 0);
    for of_term in all.chunk_by(|a, b| a >> 16 == b >> 16) {
        let term = (of_term[0] >> 16) as u32;
        let closed = dictionary.is_closed(term);
        int(&mut out, u64::from(term - before));
        int(&mut out, 2 * of_term.len() as u64 + u64::from(closed));
        let told = if closed { &of_term[of_term.len() - 1..] } else { of_term };
        told.iter().for_each(|record| out.extend_from_slice(&(*record as u16).to_le_bytes()));
        before = term;
    }
    out
}

/// Terms whose lists come into the cache together.
const AT_ONCE: usize = 64;

/// Posts what was kept of the records from `first` on. `None` for what makes no sense.
pub(super) fn post(dictionary: &mut Dictionary, kept: &[u8], first: u32) -> Option<()> {
    let (mut kept, mut term) = (Input::new(kept), 0_u32);
    let mut some = Vec::with_capacity(AT_ONCE);
    let record = |bytes: &[u8; 2]| first + u32::from(u16::from_le_bytes(*bytes));
    while !kept.is_empty() {
        some.clear();
        while some.len() < AT_ONCE && !kept.is_empty() {
            let (next, of_term) = of_term(&mut kept, term)?;
            if next as usize >= dictionary.len() {
                return None;
            }
            term = next;
            some.push((term, of_term));
        }
        dictionary.fetch(some.iter().map(|(term, _)| *term));
        for (term, OfTerm { count, closed, told }) in &some {
            match told.last() {
                Some(last) if *closed => dictionary.post_closed(*term, *count, record(last)),
                _ => dictionary.post(*term, told.iter().map(record)),
            }
        }
    }
    Some(())
}

/// What is kept of one term.
struct OfTerm<'a> {
    count: u32,
    closed: bool,
    told: &'a [[u8; 2]],
}

/// The next term behind one, and what is kept of it.
fn of_term<'a>(kept: &mut Input<'a>, before: u32) -> Option<(u32, OfTerm<'a>)> {
    let term = before.checked_add(u32::try_from(kept.int()?).ok()?)?;
    let count = kept.int()?;
    let (count, closed) = (u32::try_from(count >> 1).ok()?, count & 1 == 1);
    let told = kept.take(2 * if closed { 1 } else { count as usize })?.as_chunks::<2>().0;
    Some((term, OfTerm { count, closed, told }))
}
