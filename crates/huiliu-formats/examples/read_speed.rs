//! How fast a file is read into typed batches: `cargo run --release -p huiliu-formats --example read_speed FILE`.
//!
//! `read_speed generate FILE ENCODING MEGABYTES` makes a file of Chinese project records first, 14 columns, in UTF-8 or
//! GB18030.
//! Knows the 15 columns of the benchmark's project file (`tests/bench`); their values are read strictly.
//! A second argument `lenient` reads them as a department's file, `raw` without a record schema. Prints rows, findings, CPU seconds
//! (from `/proc/self/stat`) and peak memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use encoding_rs::Encoding;
use huiliu_formats::read::{ReadOptions, open, open_raw};
use huiliu_stage::{Field, FieldType, RecordSchema};

const COLUMNS: [&str; 15] = [
    "project_code",
    "project_name",
    "company",
    "credit_code",
    "township",
    "industry_code",
    "total_investment",
    "planned_investment_this_year",
    "completed_investment",
    "land_area_mu",
    "admitted_date",
    "start_date",
    "completion_date",
    "contact_phone",
    "status",
];

fn record(strict: bool) -> RecordSchema {
    let kind = |name: &str| match name {
        "land_area_mu" => FieldType::Number,
        name if name.contains("investment") => FieldType::Money,
        name if name.ends_with("_date") => FieldType::Date,
        _ => FieldType::Text,
    };
    let field = |name: &str| Field { name: name.to_owned(), kind: kind(name), strict, ..Field::default() };
    RecordSchema { record: "project".into(), label: String::new(), fields: COLUMNS.map(field).into() }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: read_speed FILE [lenient|raw]")?;
    if file == "generate" {
        let mut next = || arguments.next().ok_or("usage: read_speed generate FILE ENCODING MEGABYTES");
        return generate(Path::new(&next()?), &next()?, next()?.parse()?);
    }
    let how = arguments.next().unwrap_or_default();
    let start = Instant::now();
    let mut reading = match how.as_str() {
        "raw" => open_raw(Path::new(&file), &ReadOptions::default())?,
        how => open(Path::new(&file), &record(how != "lenient"), &ReadOptions::default())?,
    };
    let (mut rows, mut batches, mut findings) = (0, 0, 0);
    for outcome in &mut reading {
        let outcome = outcome?;
        rows += outcome.batch.num_rows();
        findings += outcome.findings.len();
        batches += 1;
    }
    let wall = start.elapsed().as_secs_f64();
    let (cpu, size) = (cpu_seconds()?, std::fs::metadata(&file)?.len() as f64 / 1e6);
    println!(
        "{rows} rows in {batches} batches, {findings} findings, {wall:.3} s wall, {cpu:.2} s CPU, {:.0} MB a CPU second",
        size / cpu.max(0.01)
    );
    println!("{}", peak_memory()?);
    Ok(())
}

/// Writes project records that differ from row to row.
fn generate(file: &Path, encoding: &str, megabytes: u64) -> Result<(), Box<dyn std::error::Error>> {
    const PLACES: [&str; 6] =
        ["东湖高新区", "江夏区", "黄陂区", "蔡甸经济开发区", "新洲区阳逻街道", "汉南区"];
    const THINGS: [&str; 6] = [
        "新能源汽车零部件生产基地",
        "光电子信息产业园（二期）",
        "生物医药研发中心",
        "污水处理厂扩建工程",
        "智能装备制造项目",
        "物流仓储中心",
    ];
    const STATUS: [&str; 4] = ["已开工", "前期工作", "已竣工", "在建"];
    let encoding = Encoding::for_label(encoding.as_bytes()).ok_or("no such encoding")?;
    let mut out = BufWriter::new(File::create(file)?);
    let columns: Vec<&str> = COLUMNS.into_iter().filter(|name| *name != "admitted_date").collect();
    writeln!(out, "{}", columns.join(","))?;
    let (mut seed, mut written) = (7_u64, 0);
    for row in 0_u64.. {
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let (place, thing) = (PLACES[random(6) as usize], THINGS[random(6) as usize]);
        let total = random(9_000_000) + 1_000_000;
        let line = format!(
            "2024-{:06}-{:02}-01-{:06},{place}{thing}第{row}号,武汉{thing}有限公司,91420100MA{:08}X,{place},C{:04},{}.{:02},{}.{:02},{}.{:02},{}.{},2023-{:02}-{:02},2025-{:02}-{:02},138{:08},{}\n",
            random(1_000_000),
            random(99),
            random(1_000_000),
            random(100_000_000),
            random(9999),
            total / 100,
            total % 100,
            total / 300,
            random(100),
            total / 700,
            random(100),
            random(900),
            random(10),
            random(12) + 1,
            random(28) + 1,
            random(12) + 1,
            random(28) + 1,
            random(100_000_000),
            STATUS[random(4) as usize]
        );
        let bytes = encoding.encode(&line).0;
        written += bytes.len() as u64;
        out.write_all(&bytes)?;
        if written >= megabytes * 1_000_000 {
            break;
        }
    }
    Ok(out.flush()?)
}

/// User and system time of this process, in hundredths of a second as Linux counts them.
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit_once(')').ok_or("/proc/self/stat is of another form")?.1;
    let ticks: Vec<u64> =
        behind_name.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<u64>() as f64 / 100.0)
}

fn peak_memory() -> Result<String, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    Ok(status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned())
}
