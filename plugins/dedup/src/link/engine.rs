//! Drives a linkage: records come in batches, clusters are asked for at any time.
//!
//! A batch is made comparable in parallel, its terms are numbered and posted in order, then candidates are
//! searched and compared in parallel; so nothing depends on the number of threads. Pairs that may be one
//! thing are kept with their pattern. What a batch touches is clustered again, component by component.
//! The model is learnt anew, and all known records are compared anew, when the number of records has grown
//! by half, up to a number from which more records teach nothing new.

use hashbrown::{HashMap, HashSet};

use super::cluster::{Evidence, average_linkage};
use super::compare::{Likeness, Pattern, compare};
use super::config::Config;
use super::features::{Compare, Draft, Handle, Scratch, Slot, Store, draft, pack, slots};
use super::index::{Dictionary, Search};
use super::weights::Model;

/// Candidates that are compared with a record.
pub(crate) const CANDIDATES: usize = 12;
/// Candidates of a record that teach.
const TEACHERS: usize = 5;
/// The same, where most candidates are matches.
const MOST_TEACHERS: usize = 80;
/// Pairs that teach, at most.
const TAUGHT: usize = 400_000;
/// Records from which a model is learnt only when asked for.
const SETTLED: usize = 150_000;
/// Pairs with less evidence than this are forgotten.
const KEPT_BITS: f32 = -8.0;
/// Evidence of one pair in the average of a cluster.
const MOST_BITS: f32 = 20.0;
/// What full likeness adds when one partner is to be chosen.
const CLOSE_BITS: f32 = 4.0;

/// A record as it comes: a value for each field of the configuration, and who sent it.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Values in the order of the configuration's fields.
    pub values: Vec<Option<&'a str>>,
    /// Who sent it.
    pub source: &'a str,
}

struct Known {
    handle: Handle,
    source: u16,
    first_pair: u32,
    cluster: u32,
}

/// A pair that may be one thing, in two chains: that of `a` and that of `b`.
struct Pair {
    a: u32,
    b: u32,
    next_a: u32,
    next_b: u32,
    pattern: Pattern,
    score: f32,
}

const NONE: u32 = u32::MAX;

/// A linkage under way.
pub struct Linker {
    config: Config,
    slots: Vec<Slot>,
    dictionary: Dictionary,
    store: Store,
    known: Vec<Known>,
    sources: Vec<String>,
    pairs: Vec<Pair>,
    model: Model,
    learnt_at: usize,
    threads: usize,
}

impl Linker {
    /// A linkage that knows nothing yet. `threads` changes how fast it is, never what it finds.
    pub fn new(config: Config, threads: usize) -> Self {
        let slots = slots(&config);
        let model = Model::usual(&slots);
        Self {
            config,
            slots,
            dictionary: Dictionary::default(),
            store: Store::default(),
            known: Vec::new(),
            sources: Vec::new(),
            pairs: Vec::new(),
            model,
            learnt_at: 0,
            threads: threads.max(1),
        }
    }

    /// The weights in use.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What is compared.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// How many records are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// How many pairs are kept.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The cluster of each record: the number of its first record.
    pub fn clusters(&self) -> impl Iterator<Item = u32> {
        self.known.iter().map(|known| known.cluster)
    }

    /// What is compared, as it was configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Takes one record in, and gives its number; nothing is linked.
    pub fn take(&mut self, row: &Row<'_>) -> u32 {
        self.take_in(std::slice::from_ref(row));
        self.known.len() as u32 - 1
    }

    /// Weighs all terms by how rare they are now.
    pub fn weigh(&mut self) {
        self.dictionary.weigh(self.known.len());
    }

    /// Learns when enough is known that was not known the last time; links nothing.
    pub fn learn_if_grown(&mut self) {
        let grown = self.known.len() as f64 >= self.learnt_at as f64 * 1.5;
        if grown && (self.known.len() < SETTLED || self.learnt_at == 0) {
            self.learn();
            self.learnt_at = self.known.len();
        }
    }

    /// Adds a batch, and clusters what it touches.
    pub fn add(&mut self, rows: &[Row<'_>]) {
        let from = self.known.len();
        self.take_in(rows);
        self.dictionary.weigh(self.known.len());
        // Learning is cheap while little is known.
        let growth = if self.known.len() < 8_000 { 1.25 } else { 1.5 };
        let grown = self.known.len() as f64 >= self.learnt_at as f64 * growth;
        if grown && (self.known.len() < SETTLED || self.learnt_at == 0) {
            self.settle();
        } else {
            self.link(from..self.known.len());
        }
    }

    /// Learns from all that is known, and compares and clusters all anew.
    pub fn settle(&mut self) {
        self.dictionary.weigh(self.known.len());
        self.learn();
        self.learnt_at = self.known.len();
        self.pairs.clear();
        self.known.iter_mut().for_each(|known| known.first_pair = NONE);
        self.link(0..self.known.len());
    }

    fn take_in(&mut self, rows: &[Row<'_>]) {
        let (config, slots) = (&self.config, &self.slots);
        // A few thousand at a time: drafts are many small pieces of memory.
        for rows in rows.chunks(4_096) {
            let drafts: Vec<Draft> = parallel(self.threads, rows.len(), Scratch::default, |at, scratch| {
                let row = &rows[at];
                draft(config, slots, &row.values, row.source, scratch)
            });
            let mut seen = HashMap::new();
            for (row, draft) in rows.iter().zip(&drafts) {
                let number = self.known.len() as u32;
                let handle = pack(draft, &mut self.dictionary, &mut self.store, &mut seen);
                let mut terms: Vec<u32> = seen.keys().copied().collect();
                terms.sort_unstable();
                terms.into_iter().for_each(|term| self.dictionary.post(term, number));
                let source = self.sources.iter().position(|known| known == row.source);
                let source = source.unwrap_or_else(|| {
                    self.sources.push(row.source.to_owned());
                    self.sources.len() - 1
                });
                let source = u16::try_from(source).unwrap_or(u16::MAX);
                self.known.push(Known { handle, source, first_pair: NONE, cluster: number });
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
        let features = self.store.get(self.known[record as usize].handle);
        search.begin();
        for (at, slot) in self.slots.iter().enumerate() {
            let packed = features.slot(at);
            if !matches!(slot.compare, Compare::Marks(_) | Compare::Action | Compare::Numbers) {
                search.slot(&self.dictionary, packed.terms(), packed.grams());
            }
        }
        let source = self.known[record as usize].source;
        search.run(&self.dictionary, self.known.len(), most, |other| {
            other != record && !(self.config.one_to_one && self.known[other as usize].source == source)
        })
    }

    pub(crate) fn pattern(&self, a: u32, b: u32) -> Pattern {
        let features = |record: u32| self.store.get(self.known[record as usize].handle);
        compare(&self.slots, &self.dictionary, features(a), features(b))
    }

    /// The evidence of a pair; rare values weigh more.
    pub(crate) fn score(&self, a: u32, b: u32, pattern: Pattern) -> f32 {
        let features = self.store.get(self.known[a.min(b) as usize].handle);
        self.model.sum(&self.slots, |slot| {
            let weight = self.model.weights[slot][pattern.level(slot)];
            let usual = self.model.usual[slot];
            let equal = pattern.level(slot) == 1 && usual.is_finite();
            let Some(&term) = features.slot(slot).terms().first().filter(|_| equal) else { return weight };
            weight + (usual - (self.dictionary.records(term) as f32).log2()).clamp(-3.0, 3.0)
        })
    }

    /// Learns from the best candidates of a sample; where most of those are matches, from more of them.
    fn learn(&mut self) {
        let mut teachers = TEACHERS;
        loop {
            let found = self.sample(teachers);
            let mut counts: HashMap<Pattern, u32> = HashMap::new();
            found.iter().for_each(|(_, _, pattern)| *counts.entry(*pattern).or_default() += 1);
            let mut patterns: Vec<(Pattern, u32)> = counts.into_iter().collect();
            patterns.sort_unstable();
            let (model, starved) = Model::learn(&self.slots, &patterns);
            self.model = model;
            if !starved || teachers >= MOST_TEACHERS {
                self.learn_usual(&found);
                return;
            }
            teachers *= 4;
        }
    }

    /// Pairs to learn from: the best candidates of every so many-th record.
    fn sample(&self, teachers: usize) -> Vec<(u32, u32, Pattern)> {
        let step = (self.known.len() * teachers).div_ceil(TAUGHT).max(1);
        let taught = self.known.len().div_ceil(step);
        let found = parallel(self.threads, taught, Search::default, |at, search| {
            let record = (at * step) as u32;
            let candidates = self.candidates(record, teachers, search).to_vec();
            let pair = |&(_, other): &(f32, u32)| (record, other, self.pattern(record, other));
            candidates.iter().map(pair).collect::<Vec<_>>()
        });
        found.into_iter().flatten().collect()
    }

    /// How common equal values usually are in pairs that are two things.
    fn learn_usual(&mut self, pairs: &[(u32, u32, Pattern)]) {
        let mut sums = vec![(0.0f64, 0.0f64); self.slots.len()];
        for &(a, _, pattern) in pairs {
            let bits = self.model.score(&self.slots, pattern);
            let two = 1.0 - 1.0 / (1.0 + f64::from(-bits).exp2());
            let features = self.store.get(self.known[a as usize].handle);
            for (at, (sum, all)) in sums.iter_mut().enumerate().filter(|(at, _)| pattern.level(*at) == 1) {
                if let Some(&term) = features.slot(at).terms().first() {
                    *sum += two * f64::from(self.dictionary.records(term)).log2();
                    *all += two;
                }
            }
        }
        let usual = sums.iter().map(|(sum, all)| if *all > 5.0 { (sum / all) as f32 } else { f32::NAN });
        self.model.usual = usual.collect();
    }

    /// Finds and compares the candidates of records, keeps what may be one thing, clusters what it touches.
    fn link(&mut self, records: std::ops::Range<usize>) {
        let from = records.start;
        let found = parallel(self.threads, records.len(), Search::default, |at, search| {
            let record = (from + at) as u32;
            let candidates = self.candidates(record, CANDIDATES, search).to_vec();
            let pair = |&(_, other): &(f32, u32)| {
                let pattern = self.pattern(record, other);
                let score = self.score(record, other, pattern);
                (score >= KEPT_BITS).then_some((record.min(other), record.max(other), pattern, score))
            };
            candidates.iter().filter_map(pair).collect::<Vec<_>>()
        });
        let mut fresh: Vec<_> = found.into_iter().flatten().collect();
        fresh.sort_unstable_by_key(|pair| (pair.0, pair.1));
        fresh.dedup_by_key(|pair| (pair.0, pair.1));
        for (a, b, pattern, score) in fresh {
            let number = self.pairs.len() as u32;
            let next_a = std::mem::replace(&mut self.known[a as usize].first_pair, number);
            let next_b = std::mem::replace(&mut self.known[b as usize].first_pair, number);
            self.pairs.push(Pair { a, b, next_a, next_b, pattern, score });
        }
        if self.config.one_to_one {
            self.assign();
        } else {
            self.cluster(records);
        }
    }

    /// The pairs of a record.
    fn pairs_of(&self, record: u32) -> impl Iterator<Item = &Pair> {
        let mut at = self.known[record as usize].first_pair;
        std::iter::from_fn(move || {
            let pair = self.pairs.get(at as usize)?;
            at = if pair.a == record { pair.next_a } else { pair.next_b };
            Some(pair)
        })
    }

    pub(crate) fn evidence(&self, pattern: Pattern, score: f32) -> Evidence {
        if pattern.vetoed(&self.slots) {
            Evidence::Veto
        } else {
            Evidence::Bits(score.clamp(-MOST_BITS, MOST_BITS))
        }
    }

    /// Clusters the components that some records belong to.
    fn cluster(&mut self, records: std::ops::Range<usize>) {
        let mut seen = vec![false; self.known.len()];
        let mut components: Vec<Vec<u32>> = Vec::new();
        for start in records {
            if std::mem::replace(&mut seen[start], true) {
                continue;
            }
            let mut component = vec![start as u32];
            let mut at = 0;
            while let Some(&record) = component.get(at) {
                at += 1;
                for pair in self.pairs_of(record) {
                    let other = if pair.a == record { pair.b } else { pair.a };
                    let joins = pair.score >= self.config.merge() && !pair.pattern.vetoed(&self.slots);
                    if joins && !std::mem::replace(&mut seen[other as usize], true) {
                        component.push(other);
                    }
                }
            }
            component.sort_unstable();
            components.push(component);
        }
        let clustered =
            parallel(self.threads, components.len(), || (), |at, ()| self.cluster_component(&components[at]));
        for cluster in clustered.into_iter().flatten() {
            let first = cluster.first().copied().unwrap_or(NONE);
            cluster.iter().for_each(|record| self.known[*record as usize].cluster = first);
        }
    }

    fn cluster_component(&self, component: &[u32]) -> Vec<Vec<u32>> {
        if component.len() == 1 {
            return vec![component.to_vec()];
        }
        let place = |record: u32| component.binary_search(&record).ok().map(|at| at as u32);
        let mut pairs = Vec::new();
        for (at, &record) in component.iter().enumerate() {
            for pair in self.pairs_of(record).filter(|pair| pair.a == record) {
                if let Some(other) = place(pair.b) {
                    pairs.push((at as u32, other, self.evidence(pair.pattern, pair.score)));
                }
            }
        }
        let clusters = average_linkage(component.len(), &pairs, self.config.merge(), |a, b| {
            let (a, b) = (component[a as usize], component[b as usize]);
            let pattern = self.pattern(a, b);
            self.evidence(pattern, self.score(a, b, pattern))
        });
        let name = |members: Vec<u32>| members.into_iter().map(|at| component[at as usize]).collect();
        clusters.into_iter().map(name).collect()
    }

    /// One partner for each record, the best pairs first.
    fn assign(&mut self) {
        let able = |pair: &&Pair| pair.score >= self.config.merge() && !pair.pattern.vetoed(&self.slots);
        let able = self.pairs.iter().filter(able);
        let mut best: Vec<(&Pair, f32)> =
            able.map(|pair| (pair, pair.score + CLOSE_BITS * self.closeness(pair.a, pair.b))).collect();
        best.sort_unstable_by(|(a, near_a), (b, near_b)| {
            near_b.total_cmp(near_a).then((a.a, a.b).cmp(&(b.a, b.b)))
        });
        let mut taken = HashSet::new();
        let mut partners = Vec::new();
        for (pair, _) in best {
            if !taken.contains(&pair.a) && !taken.contains(&pair.b) {
                taken.extend([pair.a, pair.b]);
                partners.push((pair.a, pair.b));
            }
        }
        self.known.iter_mut().enumerate().for_each(|(at, known)| known.cluster = at as u32);
        partners.into_iter().for_each(|(a, b)| self.known[b as usize].cluster = a);
    }

    /// How alike the texts of two records are within their levels: it decides between pairs of one score.
    fn closeness(&self, a: u32, b: u32) -> f32 {
        let features = |record: u32| self.store.get(self.known[record as usize].handle);
        let (a, b) = (features(a), features(b));
        let texts = self.slots.iter().enumerate().filter(|(_, slot)| slot.compare == Compare::Text);
        let cosine = |(at, _)| Likeness::of(&self.dictionary, a.slot(at).grams(), b.slot(at).grams()).cosine;
        texts.map(cosine).sum()
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

/// Calls `each` for `0..count` on several threads, with something of its own for each thread, and gives the
/// results in order.
fn parallel<T: Send, S>(
    threads: usize,
    count: usize,
    own: impl Fn() -> S + Sync,
    each: impl Fn(usize, &mut S) -> T + Sync,
) -> Vec<T> {
    const FEW: usize = 256;
    if threads == 1 || count < FEW {
        let mut own = own();
        return (0..count).map(|at| each(at, &mut own)).collect();
    }
    let share = count.div_ceil(threads);
    let run = |part: usize| {
        let mut own = own();
        (part * share..((part + 1) * share).min(count)).map(|at| each(at, &mut own)).collect::<Vec<T>>()
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|part| scope.spawn(move || run(part))).collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause)))
            .collect()
    })
}
