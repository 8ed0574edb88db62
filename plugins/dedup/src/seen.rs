//! Which keys were seen before, in few bytes each.
//!
//! A key is kept as a fingerprint of 72 bits: 8 choose one of 256 shards, 64 stand in it. Among n keys
//! the odds that any two different ones look alike are n² / 2^73: 2.6·10^-9 at 5 million, 10^-8 at 10
//! million. A shard is a table with linear probing that grows by a quarter, so it is between 64 % and
//! 80 % full: 10 to 12.5 bytes a key, where hashbrown (powers of two, a control byte) takes 10 to 21,
//! and no moment at which the whole set is there twice.
//!
//! On disk the fingerprints lie in blocks, state keys `seen/<counter>`. Each batch puts one block with
//! what was new in it. When 16 blocks of about the same size have gathered they are made one, as in a
//! log-structured merge tree, up to blocks that are large enough to stay: a delivery of a hundred rows puts a
//! kilobyte, each fingerprint is rewritten at most three times or so, and opening reads few blocks.

use huiliu_stage::{Host, StageError};

const PREFIX: &[u8] = b"seen/";
/// Bytes of a fingerprint in a block.
const WIDTH: usize = 9;
/// Blocks of a tier that are made one.
const FAN: usize = 16;
/// From this size on a block stays as it is.
const FULL: usize = 256 << 10;

/// The set of all keys seen so far.
pub(crate) struct Seen {
    shards: Vec<Shard>,
    blocks: Vec<Block>,
    counter: u64,
    fresh: Vec<u8>,
}

struct Block {
    counter: u64,
    bytes: usize,
}

impl Block {
    fn key(&self) -> Vec<u8> {
        [PREFIX, format!("{:016x}", self.counter).as_bytes()].concat()
    }

    /// 0 below 4 KiB, 1 below 64 KiB, 2 below [`FULL`]; `None` for those that stay.
    fn tier(&self) -> Option<usize> {
        [4 << 10, 64 << 10, FULL].into_iter().position(|limit| self.bytes < limit)
    }
}

impl Seen {
    /// Reads what earlier deliveries left.
    pub(crate) fn load(host: &dyn Host) -> Result<Self, StageError> {
        let mut seen = Self {
            shards: (0..256).map(|_| Shard::default()).collect(),
            blocks: Vec::new(),
            counter: 0,
            fresh: Vec::new(),
        };
        let mut broken = None;
        host.state_scan(PREFIX, &mut |key, value| {
            let counter = key.get(PREFIX.len()..).and_then(|hex| std::str::from_utf8(hex).ok());
            let counter = counter.and_then(|hex| u64::from_str_radix(hex, 16).ok());
            let (Some(counter), (prints, [])) = (counter, value.as_chunks::<WIDTH>()) else {
                broken = Some(String::from_utf8_lossy(key).into_owned());
                return false;
            };
            for &[shard, print @ ..] in prints {
                seen.shards[usize::from(shard)].insert(u64::from_le_bytes(print));
            }
            seen.counter = seen.counter.max(counter + 1);
            seen.blocks.push(Block { counter, bytes: value.len() });
            true
        })?;
        match broken {
            Some(key) => {
                Err(StageError::new(format!("the kept state `{key}` is not a block of fingerprints")))
            }
            None => Ok(seen),
        }
    }

    /// Adds a key; false if it was there. What is added must be [kept](Self::keep).
    pub(crate) fn insert(&mut self, key: u128) -> bool {
        let (shard, print) = ((key >> 64) as u8, key as u64);
        let new = self.shards[usize::from(shard)].insert(print);
        if new {
            self.fresh.push(shard);
            self.fresh.extend_from_slice(&print.to_le_bytes());
        }
        new
    }

    /// Brings the slots of some keys near. A look-up that misses the cache costs more than all the rest of
    /// it; of a few dozen done at once, with nothing to wait for, the processor overlaps the waiting.
    pub(crate) fn touch(&self, keys: impl Iterator<Item = u128>) {
        let look = |key: u128| {
            let slots = &self.shards[usize::from((key >> 64) as u8)].slots;
            slots.get(Shard::home(slots.len(), key as u64)).copied().unwrap_or_default()
        };
        std::hint::black_box(keys.map(look).fold(0, |all, slot| all ^ slot));
    }

    /// Gives what was added since the last call to the host to keep.
    pub(crate) fn keep(&mut self, host: &dyn Host) -> Result<(), StageError> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        let fresh = std::mem::take(&mut self.fresh);
        self.put(host, &fresh)?;
        self.fresh = fresh;
        self.fresh.clear();
        for tier in 0..3 {
            if self.blocks.iter().filter(|block| block.tier() == Some(tier)).count() >= FAN {
                self.join(host, tier)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, host: &dyn Host, bytes: &[u8]) -> Result<(), StageError> {
        let block = Block { counter: self.counter, bytes: bytes.len() };
        host.state_put(&block.key(), bytes)?;
        self.counter += 1;
        self.blocks.push(block);
        Ok(())
    }

    /// Makes one block of all those of a tier.
    fn join(&mut self, host: &dyn Host, tier: usize) -> Result<(), StageError> {
        let (small, rest) =
            std::mem::take(&mut self.blocks).into_iter().partition(|b| b.tier() == Some(tier));
        self.blocks = rest;
        let small: Vec<Block> = small;
        let mut joined = Vec::with_capacity(small.iter().map(|block| block.bytes).sum());
        for block in &small {
            let key = block.key();
            let value = host.state_get(&key)?;
            joined.extend(
                value.ok_or_else(|| StageError::new("a block of fingerprints has vanished from state"))?,
            );
            host.state_delete(&key)?;
        }
        self.put(host, &joined)
    }
}

/// A set of 64-bit fingerprints. The value 0 marks a free slot; the fingerprint 0 stands as 1.
#[derive(Default)]
struct Shard {
    slots: Box<[u64]>,
    held: usize,
}

impl Shard {
    fn insert(&mut self, print: u64) -> bool {
        if self.held * 5 >= self.slots.len() * 4 {
            self.grow();
        }
        let new = Self::place(&mut self.slots, print.max(1));
        self.held += usize::from(new);
        new
    }

    /// Where a fingerprint would like to stand. Slots are in the order of the fingerprints, near enough, so
    /// that growing reads and writes in one direction.
    fn home(slots: usize, print: u64) -> usize {
        ((u128::from(print) * slots as u128) >> 64) as usize
    }

    fn place(slots: &mut [u64], print: u64) -> bool {
        let mut at = Self::home(slots.len(), print);
        loop {
            match slots[at] {
                0 => {
                    slots[at] = print;
                    return true;
                }
                there if there == print => return false,
                _ => at = if at + 1 == slots.len() { 0 } else { at + 1 },
            }
        }
    }

    fn grow(&mut self) {
        let mut larger = vec![0; (self.slots.len() * 5 / 4).max(16)].into_boxed_slice();
        for &print in self.slots.iter().filter(|&&print| print != 0) {
            Self::place(&mut larger, print);
        }
        self.slots = larger;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use huiliu_stage::testing::MemoryHost;
    use xxhash_rust::xxh3::xxh3_128;

    use super::*;

    #[test]
    fn what_was_seen_is_seen_again_after_opening_and_the_number_of_blocks_stays_bounded() {
        let host = MemoryHost::default();
        let mut seen = Seen::load(&host).unwrap();
        for delivery in 0..2_000_u32 {
            for row in 0..100 {
                assert!(seen.insert(xxh3_128(&(delivery * 100 + row).to_le_bytes())));
            }
            seen.keep(&host).unwrap();
            assert!(host.state().len() < 3 * FAN + (200_000 * WIDTH) / FULL, "delivery {delivery}");
        }
        let mut again = Seen::load(&host).unwrap();
        assert!((0..200_000_u32).all(|n| !again.insert(xxh3_128(&n.to_le_bytes()))));
        assert!(again.insert(xxh3_128(b"new")));
        assert_eq!(host.state().values().map(Vec::len).sum::<usize>(), 200_000 * WIDTH);
    }

    #[test]
    fn a_shard_is_a_set_and_takes_few_bytes() {
        let (mut shard, mut expected) = (Shard::default(), HashSet::new());
        for n in 0..20_000_u64 {
            let print = if n < 3 { n } else { (xxh3_128(&(n % 15_000).to_le_bytes())) as u64 };
            assert_eq!(shard.insert(print), expected.insert(print.max(1)), "{n}");
        }
        assert!(shard.slots.len() * 8 <= shard.held * 13);
    }

    #[test]
    fn state_that_is_not_fingerprints_is_refused() {
        let host = MemoryHost::default();
        host.state_put(b"seen/0000000000000000", &[1, 2, 3]).unwrap();
        let error = Seen::load(&host).err().unwrap().to_string();
        assert_eq!(error, "the kept state `seen/0000000000000000` is not a block of fingerprints");
    }
}
