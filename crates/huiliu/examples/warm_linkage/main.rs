//! What records cost that come to a linkage which knows many: the merging stage in the real engine on a real store, without
//! folders, readers and sinks. Nothing of it is judged.
//!
//! ```text
//! cargo run --release -p huiliu --example warm_linkage -- DATASET [--config FILE] [--late N] [--batch ROWS] [--single N]
//!     [--memory] [--dir DIR]
//! ```
//!
//! DATASET is a folder with `records.csv` (id, mostly source, fields). All but the last records are made known in large
//! deliveries. Then come `--late` of them in deliveries of `--batch` rows of one source each: rows a CPU second, from the
//! delivery's line in the ledger to its commit. Then `--single` of them come one by one, each a delivery of its own: what
//! the call of the stage takes, and what all takes with the commit. `--memory` does the same on a host that keeps its
//! state in memory, where nothing is committed: the stage alone. At the end comes a hash of all that is kept, to tell whether
//! two programs have said the same. The store lies in `--dir`, else where memory is
//! (`/dev/shm`), so that the processor is measured and not the disk. Without `--config`, what is compared is the shipped
//! `zh-projects`.

mod arguments;
mod engine;
mod table;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;
use rustix::time::ClockId;

use crate::arguments::Arguments;
use crate::engine::{Engine, Took};
use crate::table::Table;

/// Rows that are made known together.
const LOADED: usize = 10_000;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let table = Table::read(&arguments.dataset)?;
    let last = arguments.late + arguments.single;
    ensure!(last < table.len(), "{} records are not more than the {last} late ones", table.len());
    let known = table.len() - last;
    let folder = arguments.folder()?;
    let mut engine = Engine::open((!arguments.memory).then(|| folder.path()), &table, &arguments.link()?)?;

    let (spent, wall) = (cpu(), Instant::now());
    table.deliveries(0..known, LOADED).try_for_each(|delivery| engine.give(&table, &delivery).map(drop))?;
    println!(
        "{known} records made known in deliveries of {LOADED}: CPU {:.2} s, wall {:.2} s",
        cpu() - spent,
        wall.elapsed().as_secs_f64()
    );
    if arguments.late > 0 {
        let spent = cpu();
        let (mut deliveries, mut stage) = (0, Duration::ZERO);
        for delivery in table.deliveries(known..known + arguments.late, arguments.batch) {
            stage += engine.give(&table, &delivery)?.stage;
            deliveries += 1;
        }
        let spent = cpu() - spent;
        println!(
            "{} late records in {deliveries} deliveries: {:.0} rows a CPU second (CPU {spent:.3} s, of which the stage took {:.3} s)",
            arguments.late,
            arguments.late as f64 / spent.max(1e-9),
            stage.as_secs_f64()
        );
    }
    if arguments.single > 0 {
        let spent = cpu();
        let singles = known + arguments.late..table.len();
        let took = singles.map(|row| engine.give(&table, &[row])).collect::<Result<Vec<Took>>>()?;
        let spent = cpu() - spent;
        let part = |name: &str, of: &dyn Fn(&Took) -> Duration| {
            let mut all: Vec<Duration> = took.iter().map(of).collect();
            all.sort_unstable();
            let at = |share: f64| {
                all[((all.len() as f64 * share) as usize).min(all.len() - 1)].as_secs_f64() * 1e3
            };
            format!("{name} p50 {:.3} p99 {:.3} most {:.3} ms", at(0.5), at(0.99), at(1.0))
        };
        println!(
            "{} one by one: CPU {:.3} ms each\n  {}\n  {}\n  {}\n  {}",
            took.len(),
            spent * 1e3 / took.len() as f64,
            part("the stage", &|took| took.stage),
            part("its CPU time", &|took| took.stage_cpu),
            part("with its commit", &|took| took.all),
            part("its CPU time", &|took| took.all_cpu),
        );
    }
    let (keys, hash) = engine.digest()?;
    println!("{keys} keys are kept, with all values {hash:016x}");
    Ok(())
}

/// Seconds of the processor that this program has used.
fn cpu() -> f64 {
    engine::cpu(ClockId::ProcessCPUTime).as_secs_f64()
}
