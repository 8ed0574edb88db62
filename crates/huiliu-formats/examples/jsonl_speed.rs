//! What writing costs: a million rows of 16 columns to JSON Lines, CSV and Parquet, in CPU seconds.
//!
//! `cargo run --release -p huiliu-formats --example jsonl_speed [ROWS]`
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use huiliu_formats::write::{
    CsvEncoder, CsvOptions, JsonLinesEncoder, ParquetCodec, ParquetOptions, ParquetWriter,
};
use huiliu_stage::{Field, FieldType, RecordSchema};

const BATCH: usize = 8192;

fn main() {
    let rows: usize = std::env::args().nth(1).map_or(1_000_000, |rows| rows.parse().unwrap());
    let batches: Vec<RecordBatch> =
        (0..rows.div_ceil(BATCH)).map(|i| batch(i * BATCH, BATCH.min(rows - i * BATCH))).collect();
    let schema = batches[0].schema();

    let mut jsonl = JsonLinesEncoder::new(&schema, None).unwrap();
    measure("jsonl", || {
        let (mut out, mut bytes) = (Vec::new(), 0);
        for batch in &batches {
            out.clear();
            jsonl.encode(batch, &mut out).unwrap();
            bytes += out.len();
        }
        bytes
    });
    let mut csv = CsvEncoder::new(&schema, None, CsvOptions::default()).unwrap();
    measure("csv", || {
        let (mut out, mut bytes) = (Vec::new(), 0);
        for batch in &batches {
            out.clear();
            csv.encode(batch, &mut out).unwrap();
            bytes += out.len();
        }
        bytes
    });
    for codec in [ParquetCodec::Zstd, ParquetCodec::Snappy, ParquetCodec::None] {
        measure(&format!("parquet {codec:?}"), || {
            let options = ParquetOptions { codec, ..ParquetOptions::default() };
            let mut writer = ParquetWriter::new(Vec::new(), &schema, None, options).unwrap();
            for batch in &batches {
                writer.write(batch).unwrap();
            }
            writer.finish().unwrap().len()
        });
    }
}

/// Runs three times and prints the best.
fn measure(name: &str, mut run: impl FnMut() -> usize) {
    let mut best = (f64::MAX, f64::MAX, 0);
    for _ in 0..3 {
        let (cpu, wall) = (cpu_seconds(), Instant::now());
        let bytes = run();
        let took = (cpu_seconds() - cpu, wall.elapsed().as_secs_f64(), bytes);
        if took.0 < best.0 {
            best = took;
        }
    }
    let (cpu, wall, bytes) = best;
    println!("{name:16} {cpu:6.3} CPU s  {wall:6.3} s  {:7.1} MB", bytes as f64 / 1e6);
}

/// User and system time of this process, from `/proc/self/schedstat` (nanoseconds on the processor; there
/// is one thread).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Rows like those of the common measuring stick.
fn batch(from: usize, rows: usize) -> RecordBatch {
    // A fixed sequence that looks random.
    let mix = |i: usize, salt: usize| {
        (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt.wrapping_mul(0xD1B5_4A32)) >> 20
    };
    let all = || from..from + rows;
    let text =
        |f: &dyn Fn(usize) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(all().map(f))) };
    let money = |salt: usize| -> ArrayRef {
        let cents = all().map(move |i| (mix(i, salt) % 200_000_000) as i128 * 100);
        Arc::new(Decimal128Array::from_iter_values(cents).with_precision_and_scale(18, 4).unwrap())
    };
    let day = |salt: usize| -> ArrayRef {
        Arc::new(Date32Array::from_iter_values(all().map(move |i| 18_628 + (mix(i, salt) % 1_500) as i32)))
    };
    let towns = ["湖塘镇", "牛塘镇", "横山桥镇", "南夏墅街道"];
    let kinds = ["机械制造", "新材料科技", "汽车零部件", "电子科技"];
    let states = ["前期", "拟建", "在建", "竣工", "停工"];
    let columns: Vec<(&str, FieldType, ArrayRef)> = vec![
        (
            "project_code",
            FieldType::Text,
            text(&|i| format!("2404-320412-89-01-{:06}", mix(i, 1) % 1_000_000)),
        ),
        (
            "project_name",
            FieldType::Text,
            text(&|i| match i % 200 {
                0 => format!("年产{}万套锂离子电池隔膜\"重点\"", mix(i, 2) % 900),
                _ => format!("年产{}万套锂离子电池隔膜智能化升级项目", mix(i, 2) % 900),
            }),
        ),
        (
            "company",
            FieldType::Text,
            text(&|i| format!("常州恒瑞{}{}有限公司", kinds[mix(i, 3) % 4], mix(i, 4) % 99)),
        ),
        ("credit_code", FieldType::Text, text(&|i| format!("91320412{:010}", mix(i, 5) % 10_000_000_000))),
        ("township", FieldType::Text, text(&|i| towns[mix(i, 6) % 4].to_owned())),
        ("industry_code", FieldType::Text, text(&|i| format!("{}", 1300 + mix(i, 7) % 3000))),
        ("total_investment", FieldType::Money, money(8)),
        ("planned_investment_this_year", FieldType::Money, money(9)),
        ("completed_investment", FieldType::Money, money(10)),
        (
            "land_area_mu",
            FieldType::Number,
            Arc::new(Float64Array::from_iter_values(all().map(|i| (mix(i, 11) % 4000) as f64 / 10.0))),
        ),
        ("admitted_date", FieldType::Date, day(12)),
        ("start_date", FieldType::Date, day(13)),
        ("completion_date", FieldType::Date, day(14)),
        ("contact_phone", FieldType::Text, text(&|i| format!("13{:09}", mix(i, 15) % 1_000_000_000))),
        ("status", FieldType::Text, text(&|i| states[mix(i, 16) % 5].to_owned())),
        (
            "score",
            FieldType::Number,
            Arc::new(Float64Array::from_iter_values(all().map(|i| (mix(i, 17) % 100_000) as f64 / 10_000.0))),
        ),
    ];
    let field = |(name, kind, _): &(&str, FieldType, ArrayRef)| Field {
        name: (*name).to_owned(),
        kind: *kind,
        ..Field::default()
    };
    let record = RecordSchema { fields: columns.iter().map(field).collect(), ..RecordSchema::default() };
    let schema = record.to_arrow();
    let mut arrays: Vec<ArrayRef> = columns.into_iter().map(|(.., array)| array).collect();
    arrays.push(text(&|_| String::new()));
    arrays.push(Arc::new(arrow::array::Int64Array::from_iter_values(all().map(|i| i as i64))));
    arrays.push(arrow::array::new_null_array(&DataType::Utf8, rows));
    RecordBatch::try_new(schema, arrays).unwrap()
}
