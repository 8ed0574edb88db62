//! Records of a linkage as they are kept, so that after a start nothing is normalised again: as they lie in
//! [memory](super::store), the keys of the terms that are new in them, and [who has which terms](super::posted).
//!
//! A chunk begins with its version, a hash of what is compared, and a hash of all that follows: what does not fit is not
//! taken up, and the records are made from their rows instead.

use xxhash_rust::xxh3::xxh3_64;

use super::engine::Linker;
use super::index::Term;
use super::posted;
use crate::codec::{Input, bytes, int};

/// To be raised when the same values give other words: normalising, packing, hashing.
const VERSION: u8 = 4;

/// What chunks hold already; the next one begins behind it.
#[derive(Clone, Copy)]
pub(super) struct Chunked {
    terms: u32,
    words: u32,
}

impl Default for Chunked {
    fn default() -> Self {
        Self { terms: 0, words: 1 }
    }
}

/// What a chunk consists of.
struct Parts<'a> {
    kinds: &'a [u8],
    keys: &'a [[u8; 8]],
    words: &'a [[u8; 4]],
    senders: &'a [[u8; 2]],
    contents: &'a [[u8; 4]],
    refs: &'a [[u8; 4]],
    posted: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Parts of records that have so many places; `None` for what makes no sense.
    fn of(rest: &mut Input<'a>, width: usize) -> Option<Self> {
        let terms = usize::try_from(rest.int()?).ok()?;
        let kinds = rest.take(terms)?;
        let keys = rest.take(terms.checked_mul(8)?)?.as_chunks().0;
        let words = usize::try_from(rest.int()?).ok()?;
        let words = rest.take(words.checked_mul(4)?)?.as_chunks().0;
        let records = usize::try_from(rest.int()?).ok()?;
        let senders = rest.take(records.checked_mul(2)?)?.as_chunks().0;
        let contents = rest.take(records.checked_mul(4)?)?.as_chunks().0;
        let refs = rest.take(records.checked_mul(4 * width)?)?.as_chunks().0;
        let posted = usize::try_from(rest.int()?).ok()?;
        let posted = rest.take(posted)?;
        rest.is_empty().then_some(Self { kinds, keys, words, senders, contents, refs, posted })
    }
}

fn head(linker: &Linker, rest: &[u8]) -> [u8; 17] {
    let compared = format!("{:?} {:?}", linker.slots, linker.config.fields);
    let mut head = [VERSION; 17];
    head[1..9].copy_from_slice(&xxh3_64(compared.as_bytes()).to_be_bytes());
    head[9..].copy_from_slice(&xxh3_64(rest).to_be_bytes());
    head
}

impl Linker {
    /// Takes up a chunk, when all chunks before were; tells how many records it has. All terms are weighed when
    /// `weighed` records are known, if that is within the chunk. `None` for one that is damaged, of another linkage or of
    /// another place. [`end_chunks`](Self::end_chunks) is to follow when all are taken up.
    pub fn take_chunk(&mut self, kept: &[u8], weighed: Option<u32>) -> Option<usize> {
        let (head, rest) = kept.split_first_chunk::<17>()?;
        if *head != self::head(self, rest) {
            return None;
        }
        let mut rest = Input::new(rest);
        let mut sources = Vec::new();
        for _ in 0..rest.int()? {
            sources.push(rest.text()?.to_owned());
        }
        if sources.len() > self.sources.len() {
            self.sources = sources;
        }
        let place =
            Chunked { terms: u32::from_le_bytes(rest.fixed()?), words: u32::from_le_bytes(rest.fixed()?) };
        if (place.terms as usize, place.words) != (self.dictionary.len(), self.store.end()) {
            return None;
        }
        let parts = Parts::of(&mut rest, self.store.width())?;
        let (first, records) = (self.len() as u32, parts.senders.len());
        let (last, weighed) = (first + records as u32, weighed.filter(|weighed| *weighed > first));
        let splits = weighed.is_some_and(|weighed| weighed < last);
        // Who has which terms is made beside what is compared: neither needs the other.
        let (dictionary, store) = (&mut self.dictionary, &mut self.store);
        let (senders, contents) = (&mut self.senders, &mut self.contents);
        let posted = std::thread::scope(|scope| {
            let beside = scope.spawn(|| {
                store.extend(parts.words.iter().map(|word| u32::from_le_bytes(*word)));
                senders.extend(parts.senders.iter().map(|sender| u16::from_le_bytes(*sender)));
                contents.extend(parts.contents.iter().map(|content| u32::from_le_bytes(*content)));
                store.extend_refs(parts.refs.iter().map(|place| u32::from_le_bytes(*place)))
            });
            for (key, kind) in parts.keys.iter().zip(parts.kinds) {
                dictionary.append(u64::from_le_bytes(*key), Term::from_number(*kind)?);
            }
            if !splits {
                posted::post(dictionary, parts.posted, first)?;
            }
            beside.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause)).then_some(())
        });
        posted?;
        self.chunked = Chunked { terms: self.dictionary.len() as u32, words: self.store.end() };
        match weighed.filter(|weighed| *weighed <= last) {
            // What was known then ends somewhere in this chunk.
            Some(weighed) if splits => {
                self.post_records(first..weighed);
                self.dictionary.weigh(weighed as usize);
                self.post_records(weighed..last);
            }
            at_its_end => at_its_end.iter().for_each(|weighed| self.dictionary.weigh(*weighed as usize)),
        }
        Some(records)
    }

    /// Posts records one by one.
    fn post_records(&mut self, records: std::ops::Range<u32>) {
        let mut seen: Vec<u32> = Vec::new();
        for record in records {
            seen.clear();
            self.store.get(record).each_terms(|terms| seen.extend(terms));
            seen.sort_unstable();
            seen.dedup();
            self.dictionary.post_all(&seen, record);
        }
    }

    /// The last chunk was taken up.
    pub fn end_chunks(&mut self) {
        self.dictionary.find_appended(self.threads);
    }

    /// These records are in a chunk already.
    pub fn pass_over(&mut self, records: std::ops::Range<u32>) {
        let Chunked { mut terms, mut words } = self.chunked;
        for record in records {
            let last = |of: &[u32]| of.iter().max().map_or(0, |last| last + 1);
            self.store.get(record).each_terms(|of| terms = terms.max(last(of)));
            let places = self.store.refs_of(record).iter().enumerate();
            let ends = places.map(|(field, place)| self.store.end_of(field, *place));
            words = words.max(ends.max().unwrap_or(0));
        }
        self.chunked = Chunked { terms, words };
    }

    /// Some records as a chunk: the next ones after those of the last chunk.
    pub fn chunk(&mut self, records: std::ops::Range<u32>) -> Vec<u8> {
        let from = self.chunked;
        self.pass_over(records.clone());
        let to = self.chunked;
        let mut rest = Vec::new();
        int(&mut rest, self.sources.len() as u64);
        self.sources.iter().for_each(|source| bytes(&mut rest, source.as_bytes()));
        rest.extend_from_slice(&from.terms.to_le_bytes());
        rest.extend_from_slice(&from.words.to_le_bytes());
        let terms: Vec<(u64, Term)> = self.dictionary.keys(from.terms..to.terms).collect();
        int(&mut rest, terms.len() as u64);
        rest.extend(terms.iter().map(|(_, term)| term.number()));
        rest.extend(terms.iter().flat_map(|(key, _)| key.to_le_bytes()));
        int(&mut rest, u64::from(to.words - from.words));
        let words = self.store.words(from.words, to.words).flatten();
        words.for_each(|word| rest.extend_from_slice(&word.to_le_bytes()));
        int(&mut rest, records.len() as u64);
        let senders = &self.senders[records.start as usize..records.end as usize];
        rest.extend(senders.iter().flat_map(|sender| sender.to_le_bytes()));
        let contents = &self.contents[records.start as usize..records.end as usize];
        rest.extend(contents.iter().flat_map(|content| content.to_le_bytes()));
        let places = records.clone().flat_map(|record| self.store.refs_of(record));
        places.for_each(|place| rest.extend_from_slice(&place.to_le_bytes()));
        bytes(&mut rest, &posted::of_records(&self.store, &self.dictionary, records));
        [head(self, &rest).as_slice(), &rest].concat()
    }

    /// Bytes that are in use, by what for.
    pub fn bytes(&self) -> Vec<(&'static str, usize)> {
        let (terms, lists) = self.dictionary.bytes();
        let (places, bodies) = self.store.bytes();
        vec![
            ("terms", terms),
            ("lists", lists),
            ("places", places),
            ("bodies", bodies),
            ("senders", self.senders.len() * 2),
            ("contents", self.contents.len() * 4),
            ("pairs", size_of_val(self.pairs.as_slice()) + self.of_cluster.len() * 8),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::Row;
    use super::super::index::Search;
    use super::*;

    fn linker() -> Linker {
        let fields = serde_json::json!({"fields": [
            {"field": "name", "kind": "name"}, {"field": "owner", "kind": "company"},
            {"field": "amount", "kind": "money"}, {"field": "day", "kind": "date"}, {"field": "code", "kind": "identifier"}]});
        Linker::new(serde_json::from_value(fields).unwrap(), 1)
    }

    /// Names with words that all have, that many have, and that few have; owners, days and amounts that come again.
    fn rows(count: usize) -> Vec<[String; 5]> {
        let row = |at: usize| {
            let owner = ["宏源新材料", "恒立智能", "金石水务", "远东电缆", "海天精工"][at * at % 5];
            let product = ["树脂", "传感器", "光伏组件", "轴承", "薄膜", "电池", "齿轮"][at % 7];
            let kinds = char::from_u32(0x4e00 + (at * 7 % 900) as u32).unwrap();
            [
                format!("{owner}年产{}万套{product}{kinds}生产线{}期项目", at / 3, at % 3),
                format!("{owner}有限公司"),
                [format!("{}.5万元", at % 40), format!("{}亿元", at % 90), "0.123元".into(), String::new()]
                    [at % 4]
                    .clone(),
                [format!("2021-0{}-11", 1 + at % 9), "2020".into(), "1956-03-01".into(), String::new()]
                    [at % 4]
                    .clone(),
                if at.is_multiple_of(2) { format!("C{:05}", at / 4) } else { String::new() },
            ]
        };
        (0..count).map(row).collect()
    }

    fn take(linker: &mut Linker, rows: &[[String; 5]]) {
        let value = |value: &'_ String| Some(value.clone()).filter(|value| !value.is_empty());
        for row in rows {
            let values: Vec<Option<String>> = row.iter().map(value).collect();
            linker.take(&Row { values: values.iter().map(Option::as_deref).collect(), source: &row[1][..6] });
        }
    }

    #[test]
    fn records_that_are_taken_up_from_chunks_are_found_weighed_and_compared_as_those_that_came() {
        const CHUNK: usize = 500;
        let rows = rows(3_100);
        for weighed in [0, 700, 1_000, 3_000, 3_050] {
            let (mut came, mut chunks) = (linker(), Vec::new());
            for (at, rows) in rows.chunks(CHUNK).enumerate() {
                for row in rows {
                    take(&mut came, std::slice::from_ref(row));
                    if came.len() == weighed {
                        came.weigh();
                    }
                }
                if rows.len() == CHUNK {
                    chunks.push(came.chunk((at * CHUNK) as u32..((at + 1) * CHUNK) as u32));
                }
            }
            let mut taken = linker();
            for chunk in &chunks {
                assert_eq!(taken.take_chunk(chunk, Some(weighed as u32)), Some(CHUNK));
            }
            taken.end_chunks();
            for row in &rows[chunks.len() * CHUNK..] {
                take(&mut taken, std::slice::from_ref(row));
                if taken.len() == weighed {
                    taken.weigh();
                }
            }
            assert_eq!((taken.len(), taken.dictionary.len()), (came.len(), came.dictionary.len()));
            assert!((0..came.dictionary.len() as u32).any(|term| came.dictionary.is_closed(term)));
            let (mut one, mut other) = (Search::default(), Search::default());
            for record in 0..came.len() as u32 {
                let found = came.candidates(record, 12, &mut one);
                assert_eq!(found, taken.candidates(record, 12, &mut other), "{record}, weighed {weighed}");
                for &(_, with) in found {
                    assert_eq!(came.pattern(record, with), taken.pattern(record, with));
                }
            }
            // What is written next is the same too.
            assert_eq!(came.chunk(3_000..3_100), taken.chunk(3_000..3_100));
        }
    }

    #[test]
    fn records_that_say_the_same_share_what_is_compared() {
        let mut linker = linker();
        let rows = rows(4);
        take(&mut linker, &rows);
        let words = linker.store.end();
        for _ in 0..2_000 {
            take(&mut linker, &rows[..1]);
        }
        assert_eq!(linker.store.end(), words, "also when so many have it that it finds nothing any more");
    }

    #[test]
    fn a_chunk_in_another_place_or_cut_or_changed_is_refused() {
        let mut came = linker();
        take(&mut came, &rows(40));
        let chunks = [came.chunk(0..20), came.chunk(20..40)];
        assert_eq!(linker().take_chunk(&chunks[1], None), None);
        let mut twice = linker();
        assert_eq!(twice.take_chunk(&chunks[0], None), Some(20));
        assert_eq!(twice.take_chunk(&chunks[0], None), None);
        for at in 0..chunks[0].len() {
            let mut changed = chunks[0].clone();
            changed[at] ^= 0x11;
            assert_eq!(linker().take_chunk(&changed, None), None, "{at}");
            assert_eq!(linker().take_chunk(&chunks[0][..at], None), None, "{at}");
        }
    }
}
