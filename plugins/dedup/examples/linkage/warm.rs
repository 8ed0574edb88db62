//! What rows cost that come to a warm linkage: in batches, and one at a time as the stage asks.

use std::collections::BTreeMap;
use std::time::Instant;

use huiliu_dedup::link::change::To;
use huiliu_dedup::link::online::{Answer, Things};
use huiliu_dedup::link::revise::Free;
use huiliu_dedup::link::{Config, Linker, Row};

use crate::measure;

/// Rows of a batch that comes to a warm linkage.
const BATCH: usize = 10_000;

/// Adds the last `late` rows in batches to a linkage that knows the others, and prints rows per CPU second.
pub(crate) fn batches(config: &Config, rows: &[Row<'_>], late: usize, threads: usize) {
    let (first, last) = rows.split_at(rows.len().saturating_sub(late));
    let mut linker = Linker::new(config.clone(), threads);
    linker.add(first);
    let cpu = measure::cpu_seconds();
    last.chunks(BATCH).for_each(|batch| linker.add(batch));
    let spent = measure::cpu_seconds() - cpu;
    println!("warm, batches of {BATCH}: {:.0} rows per CPU second", last.len() as f64 / spent.max(0.01));
}

/// Takes up all but the last `late` rows as the stage does after a start, then asks for those one by one.
pub(crate) fn single(config: &Config, rows: &[Row<'_>], things: &[u32], late: usize) {
    let known = rows.len().saturating_sub(late);
    let (before, started) = (measure::resident_kib(), Instant::now());
    let mut linker = Linker::new(config.clone(), 1);
    let mut asked = Things::default();
    for (row, thing) in rows[..known].iter().zip(things) {
        asked.restore(&mut linker, row, *thing);
    }
    let ready = started.elapsed().as_secs_f64();
    let memory = measure::resident_kib().saturating_sub(before) as f64 / 1024.0;
    let mut micros = Vec::with_capacity(late);
    let (mut matches, mut right) = (0, 0);
    let cpu = measure::cpu_seconds();
    for (at, row) in rows.iter().enumerate().skip(known) {
        let start = Instant::now();
        let (record, answer) = asked.ask(&mut linker, row);
        micros.push(start.elapsed().as_micros());
        if let Answer::Match(found) = &answer {
            matches += 1;
            right += u32::from(found.thing == things[at]);
        }
        asked.belongs(record, things[at]);
    }
    let spent = measure::cpu_seconds() - cpu;
    micros.sort_unstable();
    let part = |share: f64| micros.get((micros.len() as f64 * share) as usize).copied().unwrap_or(0);
    println!(
        "one at a time, {known} known: ready in {ready:.1}s, memory {memory:.0} MiB, {:.0} rows per CPU second, \
         p50 {} µs, p99 {} µs; {matches} matches, {right} right",
        late as f64 / spent.max(0.01),
        part(0.5),
        part(0.99),
    );
}

/// Asks for all rows as the stage does, in deliveries of one source out of so many rows, and gives the thing of each.
pub(crate) fn online(config: &Config, rows: &[Row<'_>], batch: usize) -> Vec<u32> {
    let mut linker = Linker::new(config.clone(), 1);
    let mut asked = Things::default();
    let (mut things, mut places, mut reviews, mut changed) = (Vec::new(), Vec::new(), 0, 0);
    // Things are called after the records that make them; those of records that leave another one have names beyond.
    let mut named = rows.len() as u32;
    let cpu = measure::cpu_seconds();
    for (number, rows) in rows.chunks(batch).enumerate() {
        let mut of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        rows.iter().enumerate().for_each(|(at, row)| of.entry(row.source).or_default().push(at));
        for delivery in of.into_values() {
            let taken: Vec<Row<'_>> = delivery.iter().map(|at| rows[*at].clone()).collect();
            let from = asked.take_all(&mut linker, &taken, &mut Free);
            for change in asked.changes_to_make() {
                changed += change.records.len();
                let thing = match change.to {
                    To::Own => {
                        named += 1;
                        named
                    }
                    To::With(record) => things[record as usize],
                };
                asked.moved(&change, thing);
                change.records.iter().for_each(|record| things[*record as usize] = thing);
            }
            for (record, at) in (from..).zip(delivery) {
                let answer = asked.answer(&linker, record);
                let thing = if let Answer::Match(found) = &answer { found.thing } else { record };
                reviews += u32::from(matches!(answer, Answer::Review(_)));
                asked.belongs(record, thing);
                things.push(thing);
                places.push(number * batch + at);
            }
        }
    }
    let spent = measure::cpu_seconds() - cpu;
    println!(
        "as the stage asks: cpu {spent:.2}s, {reviews} rows to review, {changed} records found to be of other things"
    );
    let mut of = vec![0; things.len()];
    places.into_iter().zip(things).for_each(|(place, thing)| of[place] = thing);
    of
}
