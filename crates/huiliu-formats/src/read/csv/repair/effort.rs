//! How much work the repair of a file may take, and how its rows were repaired before.
//!
//! To try all readings of a row costs a thousand times what a sound row costs: worth it where some rows are damaged, but
//! a file of nothing but damage must end as well. Work is counted in bytes looked at, so that a file is always read in
//! the same way; what sound rows save is earned. When there is none left, a row is read like an earlier one of the
//! same looks, and one that looks like none is left as it is and told.

use std::cell::Cell;
use std::collections::HashMap;

use super::super::shape::looks;
use super::search::Step;
use super::{Mended, Repair};

/// Work that a file begins with: some thousand rows.
const FIRST: usize = 150_000_000;
/// Most work for one row.
const ROW: usize = 40_000_000;
/// Least work with which a repair is begun.
const LEAST: usize = 20_000;
/// Work earned by each byte of a sound row.
const EARNED: usize = 4;
/// Most looks of rows that are remembered.
const MOST_LOOKS: usize = 4096;

/// Work for the repairs of a file.
#[derive(Clone, Debug)]
pub(in crate::read::csv) struct Effort {
    left: usize,
    ways: HashMap<u64, Way>,
}

/// How rows of one look are read.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) steps: Vec<Step>,
    pub(super) delimiter: Option<&'static str>,
    pub(super) escape: Option<u8>,
}

/// Work for one row.
pub(super) struct Purse(Cell<usize>);

impl Default for Effort {
    fn default() -> Self {
        Self { left: FIRST, ways: HashMap::new() }
    }
}

impl Effort {
    /// Takes a sound row of so many bytes into account.
    pub(in crate::read::csv) fn earn(&mut self, bytes: usize) {
        self.left = self.left.saturating_add(bytes.saturating_mul(EARNED)).min(FIRST);
    }

    /// What the next row may cost, if anything is left.
    pub(super) fn purse(&self) -> Option<Purse> {
        (self.left >= LEAST).then(|| Purse(Cell::new(self.left.min(ROW))))
    }

    /// Takes away what was spent of a purse.
    pub(super) fn pay(&mut self, purse: &Purse) {
        let given = self.left.min(ROW);
        self.left -= given.saturating_sub(purse.0.get());
    }

    /// Keeps how a row of one line was read, unless that hangs on more than its looks.
    pub(super) fn remember(&mut self, row: &str, found: &Mended) {
        let by_place = found.steps.iter().any(|step| matches!(step, Step::Parted(..)));
        if by_place || found.repairs.contains(&Repair::Failed) || self.ways.len() >= MOST_LOOKS {
            return;
        }
        let way = || Way { steps: found.steps.clone(), delimiter: found.delimiter, escape: found.escape };
        self.ways.entry(looks(row)).or_insert_with(way);
    }

    /// How a row that looks like this one was read.
    pub(super) fn recall(&self, row: &str) -> Option<Way> {
        self.ways.get(&looks(row)).cloned()
    }
}

impl Purse {
    /// One that lasts for any single reading.
    pub(super) fn full() -> Self {
        Self(Cell::new(ROW))
    }

    pub(super) fn spend(&self, work: usize) {
        self.0.set(self.0.get().saturating_sub(work));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.get() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sniff::Known;
    use super::super::super::table::Plan;
    use super::*;

    /// A table with a surplus cell in every third row.
    fn text(rows: usize) -> String {
        let row = |at: usize| match at % 3 {
            0 => format!("A-{at},,2021-02-03,{at}.5\n"),
            _ => format!("A-{at},2021-02-03,{at}.5\n"),
        };
        "code,day,amount\n".to_owned() + &(0..rows).map(row).collect::<String>()
    }

    fn read(text: &str, effort: Effort) -> Vec<(Vec<String>, Vec<Repair>)> {
        let mut plan = Plan::new(text, &Known::default(), None, true);
        plan.effort = effort;
        let (mut rows, mut at) = (Vec::new(), text.find('\n').map_or(0, |at| at + 1));
        while at < text.len() {
            let row = plan.row(text, at, false);
            at = row.next;
            rows.push((row.cells, row.repairs));
        }
        rows
    }

    #[test]
    fn rows_that_look_like_a_repaired_one_are_repaired_when_no_work_is_left() {
        let text = text(300);
        let (rich, poor) = (Effort::default(), Effort { left: LEAST, ..Effort::default() });
        assert_eq!(read(&text, poor), read(&text, rich));
    }

    #[test]
    fn rows_that_look_like_none_are_kept_and_told_when_no_work_is_left() {
        let text = text(30).replace("A-3,,", "A-3,zz,");
        for (at, (cells, repairs)) in
            read(&text, Effort { left: 0, ..Effort::default() }).into_iter().enumerate().take(4)
        {
            match at % 3 {
                0 => {
                    assert_eq!(repairs, [Repair::Failed]);
                    let line = text.lines().nth(at + 1).unwrap();
                    assert_eq!(cells.join(","), line, "no text is lost");
                }
                _ => assert!(repairs.is_empty(), "{cells:?}"),
            }
        }
    }

    #[test]
    fn a_file_of_damage_spends_no_more_than_there_is() {
        let mut effort = Effort { left: 3 * LEAST, ..Effort::default() };
        for _ in 0..100 {
            let Some(purse) = effort.purse() else { break };
            purse.spend(usize::MAX);
            effort.pay(&purse);
        }
        assert_eq!(effort.left, 0);
        effort.earn(usize::MAX);
        assert_eq!(effort.left, FIRST);
    }
}
