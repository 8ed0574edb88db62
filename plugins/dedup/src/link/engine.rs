//! Drives a linkage: records come in batches, clusters are asked for at any time.
//!
//! A batch is made comparable in parallel, its terms are numbered and posted in order, then candidates are
//! searched and compared in parallel; so nothing depends on the number of threads. Pairs that may be one
//! thing are kept with their pattern. What a batch touches is clustered again, component by component.
//! The model is learnt anew when the number of records has grown by half: how many candidates are matches
//! depends on how much is known. Then the pairs that are kept are weighed anew and all is clustered anew; as
//! long as little is known, all records are compared anew as well.

use super::chunk::Chunked;
use super::compare::{Own, Pattern, compare};
use super::config::Config;
use super::draft::{self, Scratch, draft};
use super::features::{Compare, Slot, slots};
use super::guards::Remark;
use super::index::{Dictionary, Search};
use super::kinds;
use super::likeness::Left;
use super::pairs::Pair;
use super::parallel::parallel;
use super::store::Store;
use super::weights::Model;

/// Candidates that are compared with a record.
pub(crate) const CANDIDATES: usize = 12;
/// Records from which a new model no longer compares all of them anew.
const SETTLED: usize = 150_000;

/// A record as it comes: a value for each field of the configuration, and who sent it.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Values in the order of the configuration's fields.
    pub values: Vec<Option<&'a str>>,
    /// Who sent it.
    pub source: &'a str,
}

/// No record, no pair.
pub(super) const NONE: u32 = u32::MAX;

/// A linkage under way.
pub struct Linker {
    given: Config,
    pub(super) config: Config,
    pub(super) slots: Vec<Slot>,
    pub(super) dictionary: Dictionary,
    pub(super) store: Store,
    /// The place in `sources` of who sent each record.
    pub(super) senders: Vec<u16>,
    /// What each record says, as a [number](draft::content).
    pub(super) contents: Vec<u32>,
    pub(super) sources: Vec<String>,
    /// What chunks hold already.
    pub(super) chunked: Chunked,
    pub(super) pairs: Vec<Pair>,
    /// The first pair and the cluster of each record that was [added](Self::add); not of those that are only taken.
    pub(super) first_pairs: Vec<u32>,
    pub(super) of_cluster: Vec<u32>,
    pub(super) model: Model,
    pub(super) remarks: Vec<Remark>,
    pub(super) learnt_at: usize,
    pub(super) threads: usize,
}

impl Linker {
    /// A linkage that knows nothing yet. `threads` changes how fast it is, never what it finds.
    ///
    /// Kinds of fields that the configuration leaves open are told by their names, and by the values of the
    /// first batch that is [added](Self::add).
    pub fn new(given: Config, threads: usize) -> Self {
        let mut config = given.clone();
        kinds::complete(&mut config);
        let slots = slots(&config);
        let model = Model::usual(&slots);
        Self {
            given,
            store: Store::new(&slots),
            config,
            slots,
            dictionary: Dictionary::default(),
            senders: Vec::new(),
            contents: Vec::new(),
            sources: Vec::new(),
            chunked: Chunked::default(),
            pairs: Vec::new(),
            first_pairs: Vec::new(),
            of_cluster: Vec::new(),
            model,
            remarks: Vec::new(),
            learnt_at: 0,
            threads: threads.max(1),
        }
    }

    /// The weights in use.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What people should know of the weights in use: fields that count twice, values that say nothing.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// What is compared.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// How many records are known.
    pub fn len(&self) -> usize {
        self.senders.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.senders.is_empty()
    }

    /// How many pairs are kept.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The cluster of each record: the number of its first record.
    pub fn clusters(&self) -> impl Iterator<Item = u32> {
        self.of_cluster.iter().copied()
    }

    /// What is compared, as it was configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Takes one record in, and gives its number; nothing is linked.
    pub fn take(&mut self, row: &Row<'_>) -> u32 {
        self.take_all(std::slice::from_ref(row)).start
    }

    /// Takes records in, and gives their numbers; nothing is linked.
    pub fn take_all(&mut self, rows: &[Row<'_>]) -> std::ops::Range<u32> {
        let from = self.len() as u32;
        self.take_in(rows);
        from..self.len() as u32
    }

    /// Uses weights that were learnt when `learnt_at` records were known.
    pub(super) fn use_model(&mut self, model: Model, learnt_at: usize) {
        (self.model, self.learnt_at) = (model, learnt_at);
    }

    /// Weighs all terms by how rare they are now.
    pub fn weigh(&mut self) {
        self.dictionary.weigh(self.len());
    }

    /// Whether enough is known that was not known when it was learnt the last time.
    pub(super) fn has_grown(&self) -> bool {
        // Learning is cheap while little is known; done so often, it does not matter in which order records came.
        let growth = if self.len() < 8_000 { 1.03 } else { 1.5 };
        self.len() as f64 >= self.learnt_at as f64 * growth
    }

    /// Adds a batch, and clusters what it touches.
    pub fn add(&mut self, rows: &[Row<'_>]) {
        let from = self.len();
        if from == 0 {
            self.config = kinds::complete_by_values(&self.given, rows);
            self.slots = slots(&self.config);
            self.store = Store::new(&self.slots);
            self.model = Model::usual(&self.slots);
        }
        self.take_in(rows);
        self.of_cluster.extend(self.of_cluster.len() as u32..self.len() as u32);
        self.first_pairs.resize(self.len(), NONE);
        self.dictionary.weigh(self.len());
        if !self.has_grown() {
            self.find(from..self.len());
            self.gather(from..self.len());
        } else if self.len() < SETTLED || self.learnt_at == 0 {
            self.settle();
        } else {
            self.learn();
            self.find(from..self.len());
            self.weigh_pairs();
            self.gather(0..self.len());
        }
    }

    /// Learns from all that is known, and compares and clusters all anew.
    pub fn settle(&mut self) {
        self.dictionary.weigh(self.len());
        self.learn();
        self.forget_pairs();
        self.find(0..self.len());
        self.gather(0..self.len());
    }

    fn take_in(&mut self, rows: &[Row<'_>]) {
        let (config, slots) = (&self.config, &self.slots);
        // Some at a time: drafts are many small pieces of memory, which are used again while they are in the cache.
        for rows in rows.chunks(512) {
            let drafts = parallel(self.threads, rows.len(), Scratch::default, |at, scratch| {
                let row = &rows[at];
                let draft = draft(config, slots, &row.values, row.source, scratch);
                (draft::content(&draft, row.source), draft)
            });
            let mut seen = Vec::new();
            for (row, (content, draft)) in rows.iter().zip(&drafts) {
                let number = self.senders.len() as u32;
                self.store.pack(draft, &mut self.dictionary, &mut seen);
                self.dictionary.post_all(&seen, number);
                let source = self.sources.iter().position(|known| known == row.source);
                let source = source.unwrap_or_else(|| {
                    self.sources.push(row.source.to_owned());
                    self.sources.len() - 1
                });
                self.contents.push(*content);
                self.senders.push(u16::try_from(source).unwrap_or(u16::MAX));
            }
        }
    }

    /// Candidates of a record, best first.
    pub(crate) fn candidates<'s>(
        &self,
        record: u32,
        most: usize,
        search: &'s mut Search,
    ) -> &'s [(f32, u32)] {
        let features = self.store.get(record);
        search.begin();
        for (slot, packed) in self.slots.iter().zip(features.slots()) {
            if !matches!(slot.compare, Compare::Marks(_) | Compare::Action | Compare::Numbers) {
                search.slot(&self.dictionary, packed.terms(), packed.grams());
            }
        }
        let source = self.senders[record as usize];
        let allowed = |other: u32| {
            other != record && !(self.config.one_to_one && self.senders[other as usize] == source)
        };
        search.run(&self.dictionary, most, allowed, |record| self.rank(record))
    }

    /// By what records come one after the other where nothing else says so: what they say, so that it does not matter
    /// which of them came first.
    pub(super) fn rank(&self, record: u32) -> (u32, u32) {
        (self.contents[record as usize], record)
    }

    pub(crate) fn pattern(&self, a: u32, b: u32) -> Pattern {
        self.pattern_of(&mut self.own(a, &mut Left::default()), b)
    }

    /// A record that is compared with others; with several, `left` begins with it.
    pub(super) fn own<'a>(&'a self, record: u32, left: &'a mut Left) -> Own<'a> {
        Own::new(record, self.store.get(record), left)
    }

    /// The levels of a record and another one.
    pub(super) fn pattern_of(&self, own: &mut Own<'_>, other: u32) -> Pattern {
        let other = own.slots_of(self.store.get(other));
        compare(&self.slots, &self.dictionary, own, &other)
    }

    /// The levels of a record and another one, and their evidence: the [score](Self::score) of the pair.
    pub(super) fn weighed(&self, own: &mut Own<'_>, other: u32) -> (Pattern, f32) {
        let other = own.slots_of(self.store.get(other));
        let pattern = compare(&self.slots, &self.dictionary, own, &other);
        (pattern, self.evidence_of(pattern, |slot| (own.slots[slot], other[slot])))
    }

    /// Says that some records are to be compared next with one.
    pub(super) fn fetch(&self, own: u32, records: impl Iterator<Item = u32> + Clone) {
        self.store.fetch(own, records);
    }

    /// Whether two records are from one source.
    pub(super) fn same_source(&self, a: u32, b: u32) -> bool {
        self.senders[a as usize] == self.senders[b as usize]
    }

    /// Whether a phase, a lot, a quantity or a number keeps two records apart.
    pub fn apart(&self, a: u32, b: u32) -> bool {
        self.pattern(a, b).vetoed(&self.slots)
    }

    /// The levels and weights of a pair, for people who look for mistakes.
    pub fn describe(&self, a: u32, b: u32) -> String {
        let pattern = self.pattern(a, b);
        let kept = self.pairs_of(a).any(|pair| pair.a == b || pair.b == b);
        let slots = self.slots.iter().enumerate().filter(|(at, _)| pattern.level(*at) > 0);
        let levels: Vec<String> = slots
            .map(|(at, slot)| {
                let (name, level) = (&self.config.fields[slot.field].field, pattern.level(at));
                format!("{name}/{:?} {level} {:.1}", slot.compare, self.model.weights[at][level])
            })
            .collect();
        format!("{:.1} bits, kept {kept}: {}", self.score(a, b, pattern), levels.join(", "))
    }
}
