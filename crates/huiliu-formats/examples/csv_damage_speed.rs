//! Reads files that are damaged in every row, and prints how long each takes and what became of its rows.
//!
//! `cargo run --release -p huiliu-formats --example csv_damage_speed [MEGABYTES] [schema]`
//!
//! Three megabytes of each kind unless told otherwise, with a record schema if asked for. None may take much longer than a sound file of that size.

use std::error::Error;
use std::time::Instant;

use huiliu_formats::read::{FormatKind, FormatOptions, ReadOptions, open, open_raw};
use huiliu_stage::{Field, RecordSchema};

/// Names and rows; `#` stands for the number of the row.
const KINDS: [(&str, &str); 12] = [
    ("sound", "#,abc,\"d,e\",12.5\n"),
    ("stray quotes", "\"x\"y\"z,\"q,\"\n"),
    ("commas in quotes", "aaa,\",\",\",\n"),
    ("quotes never closed", "#,\"abc,def,12.5\n"),
    ("a quote in the middle", "#,ab\"c,def,12.5\n"),
    ("widths by chance", "#,a,b\n#,c\n#,d,e,f,g\n#\n"),
    ("quotes at all borders", "\"#\",\"\"a\"\",\"b\"\"\n"),
    ("other quotes", "#,'a,b','c''d',e\n"),
    ("two delimiters", "#,a,b,c\n#;a;b;c\n"),
    ("quotes and nothing else", "\"\"\"\n"),
    ("many quoted pieces", "\"#,\"a,\"b,\"c,\"d,\"e,\"f,\"g,\"h,\"i,\"j,\"k,\"l,\"m,\"n,\"\n"),
    (
        "long cells",
        "#,\"long cell with \"many\" words in it, and \"quotes\", and commas, which go on\"and on\",b\n",
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let megabytes: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3);
    let with_schema = std::env::args().any(|argument| argument == "schema");
    let field = |name: &str| Field { name: name.to_owned(), ..Field::default() };
    let record = RecordSchema {
        record: "thing".into(),
        label: String::new(),
        fields: ["one", "two", "three", "four"].map(field).into(),
    };
    let file = tempfile::NamedTempFile::new()?;
    for (name, row) in KINDS {
        let mut text = String::from("one,two,three,four\n");
        for number in 1.. {
            if text.len() >= megabytes << 20 {
                break;
            }
            text.push_str(&row.replace('#', &number.to_string()));
        }
        std::fs::write(file.path(), &text)?;
        let begin = Instant::now();
        let format = FormatOptions { kind: Some(FormatKind::Csv), ..FormatOptions::default() };
        let options = ReadOptions { format, ..ReadOptions::default() };
        let reading = match with_schema {
            true => open(file.path(), &record, &options),
            false => open_raw(file.path(), &options),
        };
        let mut reading = match reading {
            Ok(reading) => reading,
            Err(error) => {
                println!("{name:24} refused: {error}");
                continue;
            }
        };
        let opened = begin.elapsed();
        let (mut rows, mut findings) = (0, 0);
        for outcome in &mut reading {
            let outcome = outcome?;
            rows += outcome.batch.num_rows();
            findings += outcome.findings.0.len();
        }
        let told = reading.report();
        println!(
            "{name:24} {:6.2} s (opened in {:.2}), {rows} rows, {} repaired, {findings} findings, {}",
            begin.elapsed().as_secs_f64(),
            opened.as_secs_f64(),
            told.repaired,
            told.dialect
        );
    }
    Ok(())
}
