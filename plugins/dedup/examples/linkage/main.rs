//! Runs a data set with truth through the linkage and prints what it found and what it cost.
//!
//! ```text
//! cargo run --release -p huiliu-dedup --example linkage -- DATASET [--config FILE] [--batch ROWS]
//!     [--threads N] [--settle] [--order SEED] [--weights] [--wrong N] [--merge BITS] [--measure ROWS]
//!     [--online] [--keep FILE --known ROWS] [--restart FILE]
//! ```
//!
//! DATASET is a folder with `records.csv` (id, source, fields) and `matches.csv` or `truth.csv`. Without
//! `--config`, the configuration is the file of the folder's name, up to a digit or in full, beside this
//! program. Without `--batch`, all records are one batch. `--settle` learns once more at the end, as a
//! nightly job would. `--order` shuffles the arrival. `--measure` then takes the last ROWS as late comers to a
//! linkage that knows the others, in batches and one at a time. `--online` then asks for all
//! rows one at a time, as the stage does. `--keep` only takes the first ROWS in and writes them as they are kept, and
//! `--restart` takes those up again as after a start, then asks for as many more as `--measure` says, one at a time; for
//! both, `firsts.txt` in DATASET names the first record of each record's thing. Nothing else is written.

mod measure;
mod restart;
mod rows;
mod warm;

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use huiliu_dedup::link::{Config, Linker, Row};

use rows::Table;

struct Arguments {
    folder: PathBuf,
    config: Option<PathBuf>,
    batch: usize,
    threads: usize,
    settle: bool,
    order: Option<u64>,
    weights: bool,
    wrong: usize,
    merge: Option<f32>,
    measure: usize,
    online: bool,
    keep: Option<PathBuf>,
    known: usize,
    restart: Option<PathBuf>,
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut given = std::env::args().skip(1);
    let mut arguments = Arguments {
        folder: PathBuf::new(),
        config: None,
        batch: usize::MAX,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        settle: false,
        order: None,
        weights: false,
        wrong: 0,
        merge: None,
        measure: 0,
        online: false,
        keep: None,
        known: usize::MAX,
        restart: None,
    };
    while let Some(word) = given.next() {
        let mut value = || given.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--config" => arguments.config = Some(value()?.into()),
            "--batch" => arguments.batch = value()?.parse()?,
            "--threads" => arguments.threads = value()?.parse()?,
            "--order" => arguments.order = Some(value()?.parse()?),
            "--wrong" => arguments.wrong = value()?.parse()?,
            "--merge" => arguments.merge = Some(value()?.parse()?),
            "--measure" => arguments.measure = value()?.parse()?,
            "--keep" => arguments.keep = Some(value()?.into()),
            "--known" => arguments.known = value()?.parse()?,
            "--restart" => arguments.restart = Some(value()?.into()),
            "--online" => arguments.online = true,
            "--settle" => arguments.settle = true,
            "--weights" => arguments.weights = true,
            _ => arguments.folder = word.into(),
        }
    }
    Ok(arguments)
}

fn configuration(arguments: &Arguments) -> Result<Config, Box<dyn Error>> {
    let name = arguments.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/linkage");
    let short: String = name.chars().take_while(|c| !c.is_ascii_digit()).collect();
    let names = [name, short.trim_end_matches('-')].map(|name| beside.join(format!("{name}.json")));
    let file = match &arguments.config {
        Some(file) => file.clone(),
        None => names.into_iter().find(|file| file.exists()).ok_or("no configuration for this data set")?,
    };
    Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments()?;
    let mut config = configuration(&arguments)?;
    config.merge = arguments.merge.or(config.merge);
    if let Some(kept) = &arguments.keep {
        return restart::keep(&config, &arguments.folder, arguments.known, kept);
    }
    if let Some(kept) = &arguments.restart {
        return restart::restart(&config, &arguments.folder, (arguments.measure, arguments.threads), kept);
    }
    let table = Table::read(File::open(arguments.folder.join("records.csv"))?)?;
    let mut order: Vec<usize> = (1..table.rows()).collect();
    if let Some(seed) = arguments.order {
        measure::shuffle(&mut order, seed);
    }
    let column = |name: &str| table.column(name).ok_or(format!("no column {name}"));
    let fields: Vec<usize> =
        config.fields.iter().map(|field| column(&field.field)).collect::<Result<_, _>>()?;
    let (id, source) = (column("id")?, column("source").ok());
    let value = |row: usize, at: usize| Some(table.get(row, at)).filter(|v| !v.trim().is_empty());
    let row = |row: &usize| Row {
        values: fields.iter().map(|at| value(*row, *at)).collect(),
        source: source.map_or("", |at| table.get(*row, at)),
    };
    let rows: Vec<Row<'_>> = order.iter().map(row).collect();
    let before = measure::resident_kib();
    let (started, cpu) = (Instant::now(), measure::cpu_seconds());
    let mut linker = Linker::new(config.clone(), arguments.threads);
    rows.chunks(arguments.batch.min(rows.len().max(1))).for_each(|batch| linker.add(batch));
    if arguments.settle {
        linker.settle();
    }
    let (wall, cpu) = (started.elapsed().as_secs_f64(), measure::cpu_seconds() - cpu);
    let peak = measure::peak_kib();
    let ids: HashMap<&str, u32> =
        order.iter().enumerate().map(|(at, row)| (table.get(*row, id), at as u32)).collect();
    let truth = measure::truth(&arguments.folder, &ids)?;
    let clusters: Vec<u32> = linker.clusters().collect();
    let result = measure::pairwise(&clusters, &truth);
    println!(
        "{}: rows {} precision {:.4} recall {:.4} f1 {:.4} wall {wall:.2}s cpu {cpu:.2}s peak {:.0} MiB (table {:.0}) kept pairs {}",
        arguments.folder.display(),
        clusters.len(),
        result.precision,
        result.recall,
        result.f1,
        peak as f64 / 1024.0,
        before as f64 / 1024.0,
        linker.pairs(),
    );
    let across = measure::pairs_within(&clusters).filter(|(a, b)| linker.apart(*a, *b)).count();
    println!("pairs merged across different phases, lots, quantities or numbers: {across}");
    linker.remarks().iter().for_each(|remark| println!("remark: {remark}"));
    if arguments.weights {
        let model = linker.model();
        println!("prior {:.2} from {} pairs", model.prior, model.pairs);
        for (slot, (weights, usual)) in linker.slots().iter().zip(model.weights.iter().zip(&model.usual)) {
            let bits: Vec<String> = weights[1..9].iter().map(|bits| format!("{bits:6.2}")).collect();
            println!(
                "{:<14} {:<22} {} usual {:.1?}",
                table.get(0, fields[slot.field]),
                format!("{:?}", slot.compare),
                bits.join(" "),
                &usual[1..5]
            );
        }
    }
    for (kind, a, b) in measure::wrong(&clusters, &truth, arguments.wrong) {
        println!("{kind} {}", linker.describe(a, b));
        for row in [a, b] {
            println!("   {}", table.row(order[row as usize]).collect::<Vec<_>>().join(" | "));
        }
    }
    drop(linker);
    if arguments.online {
        let batch = arguments.batch.min(rows.len().max(1));
        let things = warm::online(&config, &rows, batch);
        let result = measure::pairwise(&things, &truth);
        println!(
            "one at a time: precision {:.4} recall {:.4} f1 {:.4}",
            result.precision, result.recall, result.f1
        );
    }
    if arguments.measure > 0 {
        warm::batches(&config, &rows, arguments.measure, arguments.threads);
        warm::single(&config, &rows, &clusters, arguments.measure);
    }
    Ok(())
}
