//! Truth, pairwise figures, and what the process has used.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fs::File;
use std::path::Path;

use crate::rows::Table;

/// Which records are one thing.
pub(crate) enum Truth {
    /// For each record, its thing.
    Things(Vec<u32>),
    /// The true pairs.
    Pairs(HashSet<(u32, u32)>),
}

/// Pairwise figures.
pub(crate) struct Figures {
    pub(crate) precision: f64,
    pub(crate) recall: f64,
    pub(crate) f1: f64,
}

/// Reads `truth.csv` or `matches.csv`.
pub(crate) fn truth(folder: &Path, ids: &HashMap<&str, u32>) -> Result<Truth, Box<dyn Error>> {
    let known = |id: &str| ids.get(id).copied().ok_or(format!("no record {id}"));
    let things = folder.join("truth.csv");
    if things.exists() {
        let mut of = vec![0; ids.len()];
        let mut names: HashMap<String, u32> = HashMap::new();
        let things = Table::read(File::open(things)?)?;
        for row in 1..things.rows() {
            let next = names.len() as u32;
            of[known(things.get(row, 0))? as usize] =
                *names.entry(things.get(row, 1).to_owned()).or_insert(next);
        }
        return Ok(Truth::Things(of));
    }
    let mut pairs = HashSet::new();
    let matches = Table::read(File::open(folder.join("matches.csv"))?)?;
    for row in 1..matches.rows() {
        let (a, b) = (known(matches.get(row, 0))?, known(matches.get(row, 1))?);
        pairs.insert((a.min(b), a.max(b)));
    }
    Ok(Truth::Pairs(pairs))
}

fn groups(of: &[u32]) -> HashMap<u32, Vec<u32>> {
    let mut groups: HashMap<u32, Vec<u32>> = HashMap::new();
    of.iter().enumerate().for_each(|(at, thing)| groups.entry(*thing).or_default().push(at as u32));
    groups
}

fn pairs(groups: &HashMap<u32, Vec<u32>>) -> impl Iterator<Item = (u32, u32)> {
    groups.values().flat_map(|members| {
        members.iter().enumerate().flat_map(move |(at, a)| members[at + 1..].iter().map(move |b| (*a, *b)))
    })
}

/// All pairs inside clusters.
pub(crate) fn pairs_within(clusters: &[u32]) -> impl Iterator<Item = (u32, u32)> {
    let groups = groups(clusters);
    pairs(&groups).collect::<Vec<_>>().into_iter()
}

impl Truth {
    fn same(&self, a: u32, b: u32) -> bool {
        match self {
            Self::Things(of) => of[a as usize] == of[b as usize],
            Self::Pairs(pairs) => pairs.contains(&(a.min(b), a.max(b))),
        }
    }

    fn pairs(&self) -> Vec<(u32, u32)> {
        match self {
            Self::Things(of) => pairs(&groups(of)).collect(),
            Self::Pairs(pairs) => pairs.iter().copied().collect(),
        }
    }
}

/// Compares all pairs inside clusters with the true ones.
pub(crate) fn pairwise(clusters: &[u32], truth: &Truth) -> Figures {
    let found = groups(clusters);
    let (mut said, mut right) = (0u64, 0u64);
    for (a, b) in pairs(&found) {
        said += 1;
        right += u64::from(truth.same(a, b));
    }
    let all = truth.pairs().len() as f64;
    let precision = right as f64 / (said as f64).max(1.0);
    let recall = right as f64 / all.max(1.0);
    Figures { precision, recall, f1: 2.0 * right as f64 / (said as f64 + all).max(1.0) }
}

/// Some wrong pairs: merged that are two, and apart that are one.
pub(crate) fn wrong(clusters: &[u32], truth: &Truth, most: usize) -> Vec<(&'static str, u32, u32)> {
    let mut merged: Vec<_> = pairs(&groups(clusters)).filter(|(a, b)| !truth.same(*a, *b)).collect();
    let mut apart = truth.pairs();
    apart.retain(|(a, b)| clusters[*a as usize] != clusters[*b as usize]);
    merged.sort_unstable();
    apart.sort_unstable();
    let spread = |pairs: &[(u32, u32)]| {
        pairs.iter().step_by((pairs.len() / most.max(1)).max(1)).take(most).copied().collect::<Vec<_>>()
    };
    let merged = spread(&merged).into_iter().map(|(a, b)| ("MERGED", a, b));
    merged.chain(spread(&apart).into_iter().map(|(a, b)| ("APART ", a, b))).collect()
}

/// Puts rows into another order, the same for the same seed.
pub(crate) fn shuffle<T>(rows: &mut [T], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for at in (1..rows.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        rows.swap(at, (state % (at as u64 + 1)) as usize);
    }
}

fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// Memory now.
pub(crate) fn resident_kib() -> u64 {
    status("VmRSS:")
}

/// The most memory until now.
pub(crate) fn peak_kib() -> u64 {
    status("VmHWM:")
}

/// User and system time of all threads; clock ticks are hundredths on Linux.
pub(crate) fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = text.rsplit(')').next().unwrap_or_default();
    let ticks =
        |at: usize| after.split_whitespace().nth(at).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
