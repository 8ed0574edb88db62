//! What is left of a linkage that knows very many records when it is taken up after a start: how long that takes, what it
//! holds, and how long one record takes then. Records are read and kept piece by piece, so that only the linkage counts.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::time::Instant;

use huiliu_dedup::link::online::{Points, Things};
use huiliu_dedup::link::{Config, Linker, Row};

use crate::measure;
use crate::rows::Table;

/// Records of a chunk, as the stage has it.
const CHUNK: usize = 4_096;

/// The records of a data set, a chunk at a time, each with the number of the first record of its thing.
struct Records {
    records: BufReader<File>,
    things: BufReader<File>,
    header: Table,
}

impl Records {
    fn open(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let open = |name: &str| Ok::<_, std::io::Error>(BufReader::new(File::open(folder.join(name))?));
        let (mut records, things, mut line) = (open("records.csv")?, open("firsts.txt")?, String::new());
        records.read_line(&mut line)?;
        Ok(Self { records, things, header: Table::read(line.as_bytes())? })
    }

    fn next(&mut self, most: usize) -> Result<(Table, Vec<u32>), Box<dyn Error>> {
        let (mut text, mut things) = (String::new(), Vec::new());
        for _ in 0..most {
            if self.records.read_line(&mut text)? == 0 {
                break;
            }
            let mut thing = String::new();
            self.things.read_line(&mut thing)?;
            things.push(thing.trim().parse()?);
        }
        Ok((Table::read(text.as_bytes())?, things))
    }

    /// The rows of a table as they are compared.
    fn rows<'t>(&self, config: &Config, table: &'t Table) -> Result<Vec<Row<'t>>, Box<dyn Error>> {
        let column = |name: &str| self.header.column(name).ok_or(format!("no column {name}"));
        let fields: Vec<usize> = config.fields.iter().map(|f| column(&f.field)).collect::<Result<_, _>>()?;
        let source = column("source")?;
        let value = |row: usize, at: usize| Some(table.get(row, at)).filter(|v| !v.trim().is_empty());
        let row = |row: usize| Row {
            values: fields.iter().map(|at| value(row, *at)).collect(),
            source: table.get(row, source),
        };
        Ok((0..table.rows()).map(row).collect())
    }
}

/// Takes in the first `known` records and writes them to a file as they are kept.
pub(crate) fn keep(config: &Config, folder: &Path, known: usize, to: &Path) -> Result<(), Box<dyn Error>> {
    let (mut records, mut linker) = (Records::open(folder)?, Linker::new(config.clone(), 1));
    let mut out = BufWriter::new(File::create(to)?);
    let (cpu, mut size) = (measure::cpu_seconds(), 0);
    while linker.len() + CHUNK <= known {
        let (table, things) = records.next(CHUNK)?;
        let taken = linker.take_all(&records.rows(config, &table)?);
        let chunk = linker.chunk(taken);
        out.write_all(&(chunk.len() as u64).to_le_bytes())?;
        out.write_all(&chunk)?;
        things.iter().try_for_each(|thing| out.write_all(&thing.to_le_bytes()))?;
        size += chunk.len();
    }
    out.flush()?;
    println!(
        "{} records taken in, {:.1} CPU s; {:.0} bytes of each are kept",
        linker.len(),
        measure::cpu_seconds() - cpu,
        size as f64 / linker.len() as f64
    );
    tell(&linker, &Things::default());
    Ok(())
}

fn tell(linker: &Linker, things: &Things) {
    let all = linker.bytes().into_iter().chain([("members", things.bytes())]);
    let each = |(what, bytes)| format!("{what} {:.1}", bytes as f64 / linker.len() as f64);
    println!("bytes of a record: {}", all.map(each).collect::<Vec<_>>().join(", "));
}

/// Takes up what a file keeps, then asks for `late` records, one by one.
pub(crate) fn restart(
    config: &Config,
    folder: &Path,
    (late, threads): (usize, usize),
    kept: &Path,
) -> Result<(), Box<dyn Error>> {
    let mut kept = BufReader::with_capacity(1 << 20, File::open(kept)?);
    let (cpu, started, mut reading) = (measure::cpu_seconds(), Instant::now(), 0.0);
    let mut linker = Linker::new(config.clone(), threads);
    let mut things = Things::following(Points::from_bytes(&u32::MAX.to_be_bytes()), None);
    if !things.takes_chunks(&linker) {
        return Err("something is to be learnt first".into());
    }
    let mut length = [0; 8];
    while kept.read_exact(&mut length).is_ok() {
        let before = measure::cpu_seconds();
        let mut chunk = vec![0; u64::from_le_bytes(length) as usize];
        let mut of_things = vec![0; CHUNK * 4];
        kept.read_exact(&mut chunk)?;
        kept.read_exact(&mut of_things)?;
        reading += measure::cpu_seconds() - before;
        let of: Vec<u32> =
            of_things.as_chunks::<4>().0.iter().map(|thing| u32::from_le_bytes(*thing)).collect();
        things.restore_chunk(&mut linker, &chunk, &of).ok_or("a chunk does not fit")?;
    }
    let taken = measure::cpu_seconds() - cpu;
    things.end_chunks(&mut linker);
    println!(
        "{} records ready in {:.2} s, CPU {:.2} s: reading {reading:.2}, taking up {:.2}, index {:.2}; resident {:.0} MiB, at most {:.0}",
        linker.len(),
        started.elapsed().as_secs_f64(),
        measure::cpu_seconds() - cpu,
        taken - reading,
        measure::cpu_seconds() - cpu - taken,
        measure::resident_kib() as f64 / 1024.0,
        measure::peak_kib() as f64 / 1024.0,
    );
    tell(&linker, &things);
    let mut records = Records::open(folder)?;
    for _ in 0..linker.len() / CHUNK {
        records.next(CHUNK)?;
    }
    let (table, of) = records.next(late + 1)?;
    let mut micros = Vec::new();
    let (rows, mut cpu) = (records.rows(config, &table)?, measure::cpu_seconds());
    for (row, thing) in rows.iter().zip(of) {
        let start = Instant::now();
        let (record, _) = things.ask(&mut linker, row);
        if micros.is_empty() {
            // Nothing was learnt before, so that came with this one.
            cpu = measure::cpu_seconds();
        }
        micros.push(start.elapsed().as_micros());
        things.belongs(record, thing);
    }
    micros.swap_remove(0);
    micros.sort_unstable();
    let part = |share: f64| micros.get((micros.len() as f64 * share) as usize).copied().unwrap_or(0);
    println!(
        "{} more, one by one: p50 {} µs, p99 {} µs, most {} µs, CPU {:.0} µs; resident {:.0} MiB",
        micros.len(),
        part(0.5),
        part(0.99),
        part(0.9999),
        (measure::cpu_seconds() - cpu) * 1e6 / micros.len().max(1) as f64,
        measure::resident_kib() as f64 / 1024.0
    );
    Ok(())
}
