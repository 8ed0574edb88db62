//! Polluted tables come back clean: a sample of the pollutions, read in memory. All of them are read by
//! `cargo run --release -p huiliu-formats --example csv_pollution`, which prints how many come back of each.

use std::collections::BTreeMap;

use super::pollution::{Case, NAMES, Table, clean, of_cell, of_file, of_pair, of_row, pairs};
use super::sniff::Known;
use super::table::Plan;

/// Pollutions of files that leave one reading only, whatever the table.
const SURE: [&str; 22] = [
    "none",
    "delimiter ;",
    "delimiter tab",
    "delimiter |",
    "delimiter ||",
    "delimiter |~|",
    "delimiter ^",
    "delimiter ~",
    "quote '",
    "quoted all",
    "quoted all '",
    "escape \\",
    "lines \\r\\n",
    "lines \\r",
    "two line ends",
    "no line end",
    "byte order mark",
    "titles with delimiters",
    "header only",
    "one row",
    "names twice and empty",
    "many rows",
];

/// What the reader makes of a text.
fn read(text: &str) -> (usize, Table) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut plan = Plan::new(text, &Known::default(), None, true);
    let rows = plan.rows(text);
    (plan.outline.header, rows.into_iter().map(|row| row.cells).collect())
}

/// Exact recoveries and tries, by pollution.
#[derive(Default)]
struct Rates(BTreeMap<String, (usize, usize)>);

impl Rates {
    fn take(&mut self, table: &str, case: &Case) {
        let (header, found) = read(&case.text);
        let exact = header == case.header && found == case.table;
        let rate = self.0.entry(case.name.clone()).or_default();
        (rate.0, rate.1) = (rate.0 + usize::from(exact), rate.1 + 1);
        if exact {
            return;
        }
        let at = found.iter().zip(&case.table).position(|(found, meant)| found != meant);
        let there = |table: &Table| at.and_then(|at| table.get(at)).map(|row| row.join("¦"));
        println!(
            "{} of `{table}`: header {header} for {}, {} rows for {}, first other {at:?}:\n  {:?}\n  {:?}",
            case.name,
            case.header,
            found.len(),
            case.table.len(),
            there(&found),
            there(&case.table)
        );
    }

    /// Demands so many of a hundred.
    fn demand(&self, least: usize) {
        let exact: usize = self.0.values().map(|rate| rate.0).sum();
        let all: usize = self.0.values().map(|rate| rate.1).sum();
        println!("{exact} of {all} exact");
        assert!(all > 0 && exact * 100 >= all * least, "{exact} of {all}");
    }
}

#[test]
fn whole_files_polluted_come_back_clean() {
    let mut rates = Rates::default();
    for name in ["orders", "projects", "sparse", "pairs"] {
        of_file(&clean(name, 5, 30)).iter().for_each(|case| rates.take(name, case));
    }
    rates.demand(97);
    for name in SURE {
        let (exact, all) = rates.0[name];
        assert_eq!(exact, all, "{name}");
    }
}

#[test]
fn polluted_rows_and_cells_come_back_clean() {
    let mut rates = Rates::default();
    for name in ["orders", "projects", "numbers", "people"] {
        let clean = clean(name, 5, 30);
        for (row, column) in [(0, 0), (1, 1), (13, 3), (17, 5), (22, 5), (30, 2)] {
            of_row(&clean, row, column).iter().for_each(|case| rates.take(name, case));
            of_cell(&clean, row, column + 1).iter().for_each(|case| rates.take(name, case));
        }
    }
    rates.demand(95);
}

#[test]
fn two_pollutions_at_once_come_back_clean() {
    let mut rates = Rates::default();
    for (at, name) in NAMES.iter().enumerate().filter(|(_, name)| !["single", "pairs"].contains(name)) {
        let clean = clean(name, 5, 30);
        for which in (at..pairs()).step_by(97) {
            let case = of_pair(&clean, which, 1 + which * 13 % 30, which * 7 % clean.table[0].len());
            case.iter().for_each(|case| rates.take(name, case));
        }
    }
    rates.demand(93);
}
