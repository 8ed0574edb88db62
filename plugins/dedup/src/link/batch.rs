//! A batch against things that are known and against itself, before any of its records is told what it is.
//!
//! The records of a batch are clustered by average linkage, together with the known things they look like: a known
//! thing is a unit that is never split, and two of them never meet here ([`Things::met`] names those). Of two tables
//! without duplicates each record gets one partner, the best pairs of the batch first. What comes out is only a plan:
//! [`Things::answer`] says of one record after the other what it is.

use hashbrown::{HashMap, HashSet};

use super::cluster::{Evidence, Link, join_units};
use super::engine::Linker;
use super::online::{DELEGATES, FOUND, Judged, MARGIN_BITS, Things, leaning};
use super::pairs::CLOSE_BITS;

/// What a batch's records are to become.
#[derive(Default)]
pub(super) struct Plan {
    /// The number of its first record.
    from: u32,
    rows: Vec<Planned>,
}

/// One record of a batch.
#[derive(Default)]
pub(super) struct Planned {
    /// Lookalikes, most alike first.
    pub(super) candidates: Vec<u32>,
    /// Known things that it was judged beside, each with how many records it had then.
    pub(super) judged: Vec<(Judged, usize)>,
    pub(super) with: With,
}

/// What a record goes with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum With {
    /// Nothing.
    #[default]
    Alone,
    /// A thing that was known before the batch.
    Thing(u32),
    /// The first record of those in the batch that are one thing.
    First(u32),
}

/// What is known between two units.
type Links = Vec<(usize, usize, Link)>;

/// What is one thing after a batch: a known thing, records of the batch, or both.
#[derive(Clone, Debug, Default)]
struct Group {
    thing: Option<u32>,
    rows: Vec<u32>,
}

impl Plan {
    /// What is planned for a record.
    pub(super) fn get(&self, record: u32) -> Option<&Planned> {
        self.rows.get(record.checked_sub(self.from)? as usize)
    }
}

impl Things {
    /// Plans what the records from `from` on are.
    pub(super) fn plan(&mut self, linker: &Linker, from: u32) {
        let mut rows: Vec<Planned> = Vec::with_capacity(linker.len() - from as usize);
        for record in from..linker.len() as u32 {
            let candidates = linker.candidates(record, FOUND, &mut self.search);
            let candidates: Vec<u32> = candidates.iter().map(|&(_, other)| other).collect();
            let things = self.things_of(linker, record, &candidates);
            let judged = things.into_iter().filter_map(|thing| {
                Some((self.judge(linker, record, thing)?, self.members.get(&thing)?.len()))
            });
            let judged = judged.collect();
            rows.push(Planned { candidates, judged, with: With::Alone });
        }
        self.plan = Plan { from, rows };
        match linker.config().one_to_one {
            true => self.assign(linker),
            false => self.cluster(linker),
        }
    }

    /// One partner for each record, the best pairs first.
    fn assign(&mut self, linker: &Linker) {
        let merge = linker.config().merge();
        let mut pairs: Vec<(f32, u32, u32)> = Vec::new();
        for (record, row) in (self.plan.from..).zip(&self.plan.rows) {
            for (judged, _) in row.judged.iter().filter(|(judged, _)| judged.link.average() >= merge) {
                let close = CLOSE_BITS * linker.closeness(record, judged.found.record);
                pairs.push((judged.found.bits + close, record, judged.found.thing));
            }
        }
        pairs.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let (mut placed, mut taken) = (HashSet::new(), HashSet::new());
        for (_, record, thing) in pairs {
            if !placed.contains(&record) && taken.insert(thing) {
                placed.insert(record);
                self.plan.rows[(record - self.plan.from) as usize].with = With::Thing(thing);
            }
        }
    }

    fn cluster(&mut self, linker: &Linker) {
        let Plan { from, rows } = &self.plan;
        let (from, count) = (*from, rows.len());
        // Units: the records of the batch, then the things that they look like.
        let mut things: Vec<u32> = Vec::new();
        let mut unit_of: HashMap<u32, usize> = HashMap::new();
        let mut links: Links = Vec::new();
        let mut compared: HashSet<(u32, u32)> = HashSet::new();
        for (at, row) in rows.iter().enumerate() {
            let record = from + at as u32;
            for &other in row.candidates.iter().filter(|&&other| other >= from) {
                if compared.insert((record.min(other), record.max(other))) {
                    let mut link = Link::default();
                    link.add(leaning_pair(linker, record, other));
                    links.push((at, (other - from) as usize, link));
                }
            }
            for (judged, _) in &row.judged {
                let unit = *unit_of.entry(judged.found.thing).or_insert_with(|| {
                    things.push(judged.found.thing);
                    count + things.len() - 1
                });
                links.push((at, unit, judged.link));
            }
        }
        let groups = self.groups(linker, &things, &links);
        let with: Vec<With> = (from..from + count as u32)
            .map(|record| {
                let at = (record - from) as usize;
                match groups.get(&at) {
                    Some(group) if !self.is_torn(linker, record, (at, &groups), &unit_of) => {
                        group.thing.map_or(With::First(group.rows[0]), With::Thing)
                    }
                    _ => With::Alone,
                }
            })
            .collect();
        self.plan.rows.iter_mut().zip(with).for_each(|(row, with)| row.with = with);
    }

    /// The groups of more than one unit, by unit.
    fn groups(
        &self,
        linker: &Linker,
        things: &[u32],
        links: &[(usize, usize, Link)],
    ) -> HashMap<usize, Group> {
        let Plan { from, rows } = &self.plan;
        let (from, count, merge) = (*from, rows.len(), linker.config().merge());
        let mut above = Components::new(count + things.len());
        links.iter().filter(|(.., link)| link.average() >= merge).for_each(|&(a, b, _)| above.join(a, b));
        let mut components: HashMap<usize, (Vec<usize>, Links)> = HashMap::new();
        for unit in 0..count + things.len() {
            components.entry(above.root(unit)).or_default().0.push(unit);
        }
        for &(a, b, link) in links {
            let root = above.root(a);
            if root == above.root(b)
                && let Some((_, links)) = components.get_mut(&root)
            {
                links.push((a, b, link));
            }
        }
        let mut groups: HashMap<usize, Group> = HashMap::new();
        for (units, links) in components.into_values().filter(|(units, _)| units.len() > 1) {
            let place = |unit: usize| units.binary_search(&unit).unwrap_or_default();
            let known: Vec<usize> = units.iter().copied().filter(|unit| *unit >= count).collect();
            let mut all: Vec<_> = links.into_iter().map(|(a, b, link)| (place(a), place(b), link)).collect();
            // What is known is not put together by a third.
            for (at, &a) in known.iter().enumerate() {
                all.extend(known[at + 1..].iter().map(|&b| (place(a), place(b), Link::VETO)));
            }
            let members = units.iter().map(|&unit| match unit.checked_sub(count) {
                None => vec![from + unit as u32],
                Some(at) => self.delegates(things[at]).collect(),
            });
            let clusters = join_units(members.collect(), all, merge, |a, b| leaning_pair(linker, a, b));
            for cluster in clusters {
                let split = cluster.partition_point(|record| *record < from);
                let thing = cluster[..split].first().and_then(|record| self.of(*record));
                let group = Group { thing, rows: cluster[split..].to_vec() };
                if group.rows.len() + usize::from(thing.is_some()) > 1 {
                    let of_rows = group.rows.iter().map(|record| (record - from) as usize);
                    let unit = thing.and_then(|thing| things.iter().position(|known| *known == thing));
                    for unit in of_rows.chain(unit.map(|at| count + at)) {
                        groups.insert(unit, group.clone());
                    }
                }
            }
        }
        groups
    }

    /// Whether a record could as well go with others, which a mark keeps apart from those it was put with: nothing in it
    /// says which of the two it is.
    fn is_torn(
        &self,
        linker: &Linker,
        record: u32,
        (at, groups): (usize, &HashMap<usize, Group>),
        unit_of: &HashMap<u32, usize>,
    ) -> bool {
        let Some(own) = groups.get(&at) else { return false };
        let Plan { from, rows } = &self.plan;
        let rest: Vec<u32> = self.speakers(own).into_iter().filter(|other| *other != record).collect();
        let least = between(linker, &[record], &rest).average() - MARGIN_BITS;
        let mut others: Vec<Group> = Vec::new();
        let in_batch = rows[at].candidates.iter().filter(|&&other| other >= *from).map(|&other| {
            let alone = || Group { thing: None, rows: vec![other] };
            groups.get(&((other - from) as usize)).cloned().unwrap_or_else(alone)
        });
        let known = rows[at].judged.iter().map(|(judged, _)| {
            let thing = judged.found.thing;
            let alone = || Group { thing: Some(thing), rows: Vec::new() };
            unit_of.get(&thing).and_then(|unit| groups.get(unit)).cloned().unwrap_or_else(alone)
        });
        for other in in_batch.chain(known).filter(|other| !other.rows.contains(&record)) {
            if others.iter().all(|known| (known.thing, &known.rows) != (other.thing, &other.rows)) {
                others.push(other);
            }
        }
        others.iter().any(|other| {
            let other = self.speakers(other);
            between(linker, &[record], &other).average() >= least && between(linker, &rest, &other).is_veto()
        })
    }

    /// Records that speak for a group.
    fn speakers(&self, group: &Group) -> Vec<u32> {
        let known = group.thing.into_iter().flat_map(|thing| self.delegates(thing));
        known.chain(group.rows.iter().copied().take(DELEGATES)).collect()
    }

    /// Records that speak for a thing.
    fn delegates(&self, thing: u32) -> impl Iterator<Item = u32> {
        let members = self.members.get(&thing).map(Vec::as_slice).unwrap_or_default();
        members.iter().copied().step_by(members.len().div_ceil(DELEGATES).max(1))
    }
}

fn leaning_pair(linker: &Linker, a: u32, b: u32) -> Evidence {
    let pattern = linker.pattern(a, b);
    leaning(linker, pattern, linker.score(a, b, pattern))
}

/// The evidence between two sides.
fn between(linker: &Linker, these: &[u32], those: &[u32]) -> Link {
    let mut link = Link::default();
    these.iter().for_each(|&a| those.iter().for_each(|&b| link.add(leaning_pair(linker, a, b))));
    link
}

/// What is connected.
struct Components(Vec<usize>);

impl Components {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, unit: usize) -> usize {
        let mut at = unit;
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
