//! The linkage is built from the state: from its chunks, and from the rows behind them or all rows.

use hashbrown::HashMap;
use huiliu_stage::StageError;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{BLOCK, LEARNT, Linked, POINTS, ROWS, broken, content, row_of};
use crate::chunks;
use crate::kept::{self, KeptRow};
use crate::link::Row;
use crate::link::online::{Learnt, Points, Things};
use crate::records::RecordId;

impl Linked {
    /// Builds memory anew from so many chunks and the rows behind them; tells whether that is what the state counts.
    pub(super) fn take_up(&mut self, kept: &[u8], chunks: u32) -> Result<bool, StageError> {
        *self = Self {
            source: std::mem::take(&mut self.source),
            ..Self::new(self.host.clone(), self.config.clone())
        };
        let host = self.host.clone();
        let points = host.state_get(POINTS)?.and_then(|points| Points::from_bytes(&points));
        let learnt = host.state_get(LEARNT)?.and_then(|learnt| Learnt::from_bytes(&learnt));
        self.learnt_at = learnt.as_ref().map(Learnt::at);
        self.things = Things::following(points, learnt);
        // Where it is to be learnt again, all is as it was then only when it comes row by row.
        let (written, chunks) =
            if self.things.takes_chunks(&self.linker) { (chunks, chunks) } else { (chunks, 0) };
        let moved = if chunks > 0 { chunks::all_moved(&*host)? } else { HashMap::new() };
        if !chunks::each(&*host, chunks, |chunk| self.restore_chunk(chunk, &moved))? {
            return Ok(false);
        }
        if chunks > 0 {
            self.things.end_chunks(&mut self.linker);
        }
        // Some thousand at a time: a block is made comparable on several threads, and never all of them lie here.
        let (mut block, mut readable, mut chain) = (Vec::new(), true, 0);
        let first = self.count;
        for prefix in first >> 8.. {
            let before = block.len() + self.count as usize;
            // All rows, or 256 of those behind the chunks.
            let number = prefix.to_be_bytes();
            let prefix = [ROWS, if first > 0 { &number[1..] } else { &[] }].concat();
            host.state_scan(&prefix, &mut |_, kept| {
                chain = xxh3_64_with_seed(kept, chain);
                block.push(kept.to_vec());
                if block.len() == BLOCK {
                    readable = self.restore(&std::mem::take(&mut block)).is_some();
                }
                readable
            })?;
            if !readable || first == 0 || block.len() + self.count as usize == before {
                break;
            }
        }
        if !readable || self.restore(&block).is_none() {
            return Err(broken());
        }
        self.things.restored(&mut self.linker);
        self.chunks = written.min(self.count / chunks::ROWS);
        if chunks == 0 {
            // They were of no use for this once; what they hold is the same.
            self.linker.pass_over(0..self.chunks * chunks::ROWS);
        }
        if let (true, Some(sum)) = (chunks > 0, kept.get(4..).and_then(|rest| rest.first_chunk())) {
            // The rows of chunks were not looked at.
            self.sum = u64::from_be_bytes(*sum);
        }
        // States of before have a chain of hashes in the place of their sum.
        let older = [self.count.to_be_bytes().as_slice(), &u64::to_be_bytes(chain)].concat();
        self.open = older == kept;
        Ok(self.stamp() == kept || self.open || self.count == 0)
    }

    fn restore_chunk(&mut self, chunk: &chunks::Kept, moved: &HashMap<u32, chunks::Entry>) -> Option<()> {
        let rows = chunk.rows(moved);
        let things: Vec<u32> =
            rows.iter().zip(self.count..).map(|((id, _), row)| self.names.thing_or(*id, row)).collect();
        self.things.restore_chunk(&mut self.linker, chunk.compared(), &things)?;
        self.contents.extend(rows.iter().map(|(_, content)| content));
        self.count += things.len() as u32;
        Some(())
    }

    /// Writes the chunks whose rows are complete.
    pub(super) fn write_chunks(&mut self) -> Result<(), StageError> {
        let complete = self.count / chunks::ROWS;
        for number in self.chunks..complete.min(self.chunks + chunks::AT_ONCE) {
            let rows = number * chunks::ROWS..(number + 1) * chunks::ROWS;
            let mut entries = Vec::with_capacity(chunks::ROWS as usize);
            for row in rows.clone() {
                // As the state has it, which need not be asked.
                let content = self.contents.get(row as usize).copied();
                entries.push(self.record_of(row).zip(content).ok_or_else(broken)?);
            }
            let compared = self.linker.chunk(rows);
            chunks::put(&*self.host, number, &entries, &compared)?;
            self.chunks = number + 1;
        }
        Ok(())
    }

    fn restore(&mut self, block: &[Vec<u8>]) -> Option<()> {
        let rows: Option<Vec<(RecordId, KeptRow)>> = block.iter().map(|kept| kept::decode(kept)).collect();
        let rows = rows?;
        let first = self.count;
        let taken: Vec<Row<'_>> = rows.iter().map(|(_, (source, values))| row_of(values, source)).collect();
        let named = rows.iter().zip(first..);
        let things: Vec<u32> = named.map(|((id, _), row)| self.names.thing_or(*id, row)).collect();
        self.things.restore_all(&mut self.linker, &taken, &things);
        for ((id, (source, values)), kept) in rows.iter().zip(block) {
            self.note(kept, content(*id, source, values));
        }
        Some(())
    }
}
