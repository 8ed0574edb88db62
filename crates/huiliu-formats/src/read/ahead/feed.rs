//! Cutting a file into the rows of batches, in order.

use std::sync::Arc;

use huiliu_stage::Finding;

use crate::read::build::{Assembler, Nameless};
use crate::read::checks::Marks;
use crate::read::chunk::Chunk;
use crate::read::csv::{CsvSource, TableSource};
use crate::read::error::ReadError;
use crate::read::header::Names;
use crate::read::rows::RowKinds;
use crate::read::text::Home;
use crate::read::{BATCH_TEXT, most_rows};

/// A text file whose rows come one after the other.
pub(in crate::read) enum Rows {
    Csv(Box<CsvSource>),
    Table(Box<TableSource>),
}

impl Rows {
    fn fill(&mut self, chunk: &mut Chunk, most: usize) -> Result<Option<&str>, ReadError> {
        match self {
            Self::Csv(source) => source.fill(chunk, most),
            Self::Table(source) => Ok(source.fill(chunk, most)?.then_some("")),
        }
    }

    /// Begins to work on a desk, and ends it. Texts of the other source stand in chunks of the desk anyway.
    fn at_home(&mut self, home: &mut Home, begins: bool) {
        match self {
            Self::Csv(source) if begins => source.settle(home),
            Self::Csv(source) => source.leave(home),
            Self::Table(_) => {}
        }
    }

    fn repaired(&self) -> u64 {
        match self {
            Self::Csv(source) => source.repaired(),
            Self::Table(source) => source.repaired(),
        }
    }

    fn done(&self) -> u64 {
        match self {
            Self::Csv(source) => source.done(),
            Self::Table(source) => source.done(),
        }
    }
}

/// Some rows and the text they stand in.
#[derive(Default)]
pub(super) struct Piece {
    pub(super) chunk: Chunk,
    pub(super) text: String,
    pub(super) nameless: Vec<Finding>,
    pub(super) marks: Marks,
}

/// What a thread works with. It stays its own: memory that two processors write to in turns goes back and forth
/// between their caches, which costs half of what there is to win.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) spare: Vec<Piece>,
    home: Home,
}

/// The rows of a batch.
#[derive(Default)]
pub(super) struct Job {
    pub(super) pieces: Vec<Piece>,
    /// Nothing follows.
    pub(super) last: bool,
    /// Rows repaired and bytes read so far.
    pub(super) repaired: u64,
    pub(super) done: u64,
}

impl Job {
    /// Bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.len() + piece.chunk.side.len()).sum()
    }
}

/// Where rows come from, and what the rows so far say of those to come.
pub(in crate::read) struct Feed {
    rows: Rows,
    kinds: Option<RowKinds>,
    nameless: Nameless,
    names: Arc<Names>,
    width: usize,
    batch_rows: usize,
    ordinal: u32,
}

impl Feed {
    /// Goes on behind the batch that `assembler` gave last.
    pub(in crate::read) fn new(
        rows: Rows,
        kinds: Option<RowKinds>,
        names: Arc<Names>,
        assembler: &mut Assembler,
        (width, batch_rows): (usize, usize),
    ) -> Self {
        let (nameless, ordinal) = (assembler.take_nameless(), assembler.ordinal());
        Self { rows, kinds, nameless, names, width, batch_rows, ordinal }
    }

    /// Cuts the rows of the next batch, which are as many as one thread would put into it.
    pub(super) fn cut(&mut self, desk: &mut Desk) -> Result<Job, ReadError> {
        self.rows.at_home(&mut desk.home, true);
        let job = self.job(&mut desk.spare);
        self.rows.at_home(&mut desk.home, false);
        job
    }

    fn job(&mut self, spare: &mut Vec<Piece>) -> Result<Job, ReadError> {
        let mut job = Job::default();
        let (mut rows, mut long) = (0, false);
        while rows < self.batch_rows.max(1) && !(long && rows > 0) {
            let mut piece = spare.pop().unwrap_or_default();
            piece.chunk.clear(self.width);
            piece.text.clear();
            match self.rows.fill(&mut piece.chunk, most_rows(self.batch_rows, rows, self.width))? {
                Some(text) => piece.text.push_str(text),
                None => {
                    job.last = true;
                    break;
                }
            }
            let Piece { chunk, text, nameless, marks } = &mut piece;
            let cut = chunk.rows();
            long = text.len() >= BATCH_TEXT;
            if let Some(kinds) = &mut self.kinds {
                kinds.filter(chunk, text, &self.names);
                *marks = kinds.take_marks();
            }
            *nameless = self.nameless.told(self.ordinal, chunk, text);
            if chunk.rows() * 4 <= cut {
                // Rows that are no data must not be held until a batch is full of others.
                chunk.stand_alone(text);
                text.clear();
            }
            rows += chunk.rows();
            job.pieces.push(piece);
        }
        (job.repaired, job.done) = (self.rows.repaired(), self.rows.done());
        Ok(job)
    }
}
