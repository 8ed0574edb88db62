//! Pairs made clusters, by average linkage: two clusters become one when their records agree on average.
//!
//! The best pair of clusters goes first. One vetoed pair keeps two clusters apart, and so does a person's
//! word. Pairs that nobody compared yet are compared when their clusters meet. In a pair of large clusters
//! a sample of fixed size speaks for all.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use hashbrown::HashMap;

/// What is known of a pair of records: its evidence in bits, or a veto.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Evidence {
    /// Bits for being one thing.
    Bits(f32),
    /// They are two things, whatever else speaks for them.
    Veto,
}

/// Members of a cluster that speak for it when it meets another.
const SPEAKERS: usize = 12;

/// The sum over the pairs between two clusters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Link {
    sum: f32,
    pairs: u32,
    veto: bool,
}

impl Link {
    /// Two units that are never one.
    pub const VETO: Self = Self { sum: 0.0, pairs: 0, veto: true };

    /// One more pair.
    pub fn add(&mut self, evidence: Evidence) {
        match evidence {
            Evidence::Bits(bits) => {
                self.sum += bits;
                self.pairs += 1;
            }
            Evidence::Veto => self.veto = true,
        }
    }

    /// Whether a pair keeps the two apart.
    pub fn is_veto(&self) -> bool {
        self.veto
    }

    /// The evidence of a pair on average; less than any where two are kept apart.
    pub fn average(&self) -> f32 {
        if self.veto || self.pairs == 0 { f32::NEG_INFINITY } else { self.sum / self.pairs as f32 }
    }
}

/// Bits in parts so large that the order in which they were added up makes no difference.
pub(super) fn rounded(bits: f32) -> i32 {
    const PARTS: f32 = 1_024.0;
    (bits * PARTS).round() as i32
}

struct Candidate {
    average: f32,
    a: usize,
    b: usize,
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        rounded(self.average).cmp(&rounded(other.average)).then((other.a, other.b).cmp(&(self.a, self.b)))
    }
}

/// Clusters one component: records `0..count`, with the pairs that were compared. Gives the members of each
/// cluster, ascending. `evidence` compares a pair that is not among `pairs`.
pub fn average_linkage(
    count: usize,
    pairs: &[(u32, u32, Evidence)],
    merge: f32,
    evidence: impl FnMut(u32, u32) -> Evidence,
) -> Vec<Vec<u32>> {
    let units = (0..count as u32).map(|record| vec![record]).collect();
    let link = |&(a, b, known): &(u32, u32, Evidence)| {
        let mut link = Link::default();
        link.add(known);
        (a as usize, b as usize, link)
    };
    join_units(units, pairs.iter().map(link), merge, evidence)
}

/// Clusters units of records that are never split, with the links between them that are known. Of links that are equally
/// good that of the first units goes first, and the first records of a unit speak for it. Gives the records of each
/// cluster, ascending.
pub fn join_units(
    mut members: Vec<Vec<u32>>,
    known: impl IntoIterator<Item = (usize, usize, Link)>,
    merge: f32,
    mut evidence: impl FnMut(u32, u32) -> Evidence,
) -> Vec<Vec<u32>> {
    let mut links: Vec<HashMap<usize, Link>> = vec![HashMap::new(); members.len()];
    let mut queue = BinaryHeap::new();
    for (a, b, link) in known {
        let (a, b) = (a.min(b), a.max(b));
        links[a].insert(b, link);
        links[b].insert(a, link);
        push(&mut queue, merge, a, b, link);
    }
    while let Some(Candidate { average, a, b }) = queue.pop() {
        // An entry is stale when one of the two is gone or their link has changed.
        if links[a].get(&b).is_none_or(|link| link.average() != average) {
            continue;
        }
        let moved = std::mem::take(&mut members[b]);
        let mut met: Vec<usize> = links[a].keys().chain(links[b].keys()).copied().collect();
        met.sort_unstable();
        met.dedup();
        for other in met.into_iter().filter(|other| *other != a && *other != b) {
            let link = join(
                links[a].get(&other).copied(),
                links[b].get(&other).copied(),
                (&members[a], &moved, &members[other]),
                &mut evidence,
            );
            links[other].remove(&b);
            links[other].insert(a, link);
            links[a].insert(other, link);
            push(&mut queue, merge, a.min(other), a.max(other), link);
        }
        links[a].remove(&b);
        links[b].clear();
        members[a].extend(moved);
    }
    members.retain(|members| !members.is_empty());
    members.iter_mut().for_each(|members| members.sort_unstable());
    members
}

fn push(queue: &mut BinaryHeap<Candidate>, merge: f32, a: usize, b: usize, link: Link) {
    let average = link.average();
    if average >= merge {
        queue.push(Candidate { average, a, b });
    }
}

/// The link of two joined clusters to a third; what nobody compared yet is compared.
fn join(
    a: Option<Link>,
    b: Option<Link>,
    (of_a, of_b, others): (&[u32], &[u32], &[u32]),
    evidence: &mut impl FnMut(u32, u32) -> Evidence,
) -> Link {
    let veto = a.is_some_and(|link| link.veto) || b.is_some_and(|link| link.veto);
    if veto {
        return Link { sum: 0.0, pairs: 0, veto };
    }
    let mut fresh = |members: &[u32]| {
        let mut link = Link::default();
        for &x in members.iter().take(SPEAKERS) {
            for &y in others.iter().take(SPEAKERS) {
                link.add(evidence(x, y));
                if link.veto {
                    return link;
                }
            }
        }
        // What was sampled speaks for all pairs.
        let all = (members.len() * others.len()) as f32;
        let known = link.pairs.max(1) as f32;
        Link { sum: link.sum * all / known, pairs: all as u32, veto: link.veto }
    };
    let (a, b) = (a.unwrap_or_else(|| fresh(of_a)), b.unwrap_or_else(|| fresh(of_b)));
    Link { sum: a.sum + b.sum, pairs: a.pairs + b.pairs, veto: a.veto || b.veto }
}
