//! Matters that were open before: what is told again goes on, what is told no more is over.
//!
//! Rows name them in a column, each as `KIND` or `KIND@SINCE`. With such a column a row comes out once for each kind: a
//! register of issues has one open issue of a kind for each project (domain.md 13), so two remarks of one kind are one
//! matter, which is open while any of them is.

use crate::kinds::Kinds;
use crate::stage::{Matter, OPEN};

/// State of a known matter that is told no more.
pub(crate) const OVER: &str = "closed";

/// What stands between two remarks of one kind.
const JOIN: char = '；';

/// A kind that was open before, and since when, as the column says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    kind: String,
    since: Option<String>,
}

impl Known {
    /// From an item of the column.
    pub(crate) fn parse(item: &str) -> Option<Self> {
        let (kind, since) = item.split_once('@').unwrap_or((item, ""));
        let (kind, since) = (kind.trim(), since.trim());
        let since = (!since.is_empty()).then(|| since.to_owned());
        (!kind.is_empty()).then(|| Self { kind: kind.to_owned(), since })
    }
}

/// The matters of the row `at`, one for each kind: those that are told, then those that are told no more.
pub(crate) fn one_for_each_kind(at: usize, told: Vec<Matter>, known: &[Known], kinds: &Kinds) -> Vec<Matter> {
    let mut all: Vec<Matter> = Vec::new();
    for matter in told {
        match all.iter_mut().find(|other| other.kind.code == matter.kind.code) {
            Some(same) => join(same, matter),
            None => all.push(matter),
        }
    }
    for Known { kind, since } in known {
        match all.iter_mut().find(|matter| matter.kind.code == *kind) {
            Some(matter) if matter.since.is_none() => matter.since.clone_from(since),
            Some(_) => {}
            None => {
                let (kind, state, since) = (kinds.named(kind), OVER.to_owned(), since.clone());
                all.push(Matter { at, text: None, kind, state, since });
            }
        }
    }
    all
}

fn join(same: &mut Matter, matter: Matter) {
    if let (Some(text), Some(more)) = (&mut same.text, &matter.text) {
        text.push(JOIN);
        text.push_str(more);
    }
    if matter.state == OPEN {
        same.state = matter.state;
    }
}
