//! Reads tables of many languages in all encodings that can spell them, and prints how many come back right, wrong
//! with a finding, and wrong without a word, which must never be.
//!
//! `cargo run --release -p huiliu-formats --example encodings [show N]`
//!
//! Each table is read whole, in its first rows, as its first column alone and as its header alone: short texts are what
//! encodings are hard to tell of.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use arrow::array::{Array, AsArray};
use encoding_rs::Encoding;
use huiliu_formats::read::{FormatKind, FormatOptions, ReadOptions, open_raw};
use huiliu_stage::{EXTRA, ROW, SHEET};

#[path = "../src/read/text/languages.rs"]
mod languages;

use languages::{LANGUAGES, Language};

/// Right, wrong and told, wrong without a word.
#[derive(Clone, Copy, Default)]
struct Tally([u32; 3]);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let at = arguments.iter().position(|argument| argument == "show");
    let mut show: u32 = at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(0);
    let path = std::env::temp_dir().join(format!("encodings-{}.csv", std::process::id()));
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for language in &LANGUAGES {
        for (size, text) in sizes(language) {
            for (encoding, bytes) in spellings(language, &text) {
                std::fs::write(&path, &bytes)?;
                let (found, told, name) = read(&path)?;
                let verdict = match (found == cells(&text), told) {
                    (true, _) => 0,
                    (false, true) => 1,
                    (false, false) => 2,
                };
                let keys = [
                    format!("language {}", language.name),
                    format!("encoding {encoding}"),
                    format!("size {size}"),
                ];
                for key in keys.into_iter().chain(["all".to_owned()]) {
                    tallies.entry(key).or_default().0[verdict] += 1;
                }
                if verdict > 0 && show > 0 {
                    show -= 1;
                    println!("{} in {encoding}, {size}: as {name}: {found:?}", language.name);
                }
            }
        }
    }
    std::fs::remove_file(&path)?;
    for (key, Tally([right, told, silent])) in tallies {
        if told + silent > 0 || key == "all" {
            println!("{key:32} right {right:4}, wrong and told {told:3}, wrong without a word {silent:3}");
        }
    }
    Ok(())
}

/// The table in several sizes.
fn sizes(language: &Language) -> Vec<(&'static str, String)> {
    let lines: Vec<&str> = language.table.lines().collect();
    let first = |line: &&str| line.split(',').next().unwrap_or_default().to_owned();
    let join = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let all: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let column: Vec<String> = lines.iter().map(first).collect();
    let long: Vec<String> = all.iter().chain((0..7).flat_map(|_| &all[1..])).cloned().collect();
    vec![
        ("long", join(&long)),
        ("whole", join(&all)),
        ("three rows", join(&all[..3])),
        ("column", join(&column)),
        ("three of a column", join(&column[..3])),
        ("header", join(&all[..1])),
    ]
}

/// The text in each encoding that can spell it.
fn spellings(language: &Language, text: &str) -> Vec<(String, Vec<u8>)> {
    let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    let low: Vec<u8> = units(text).into_iter().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units(text).into_iter().flat_map(u16::to_be_bytes).collect();
    let mut all = vec![
        ("UTF-8".to_owned(), text.as_bytes().to_vec()),
        ("UTF-8 with mark".to_owned(), [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("UTF-16LE with mark".to_owned(), [b"\xff\xfe", &low[..]].concat()),
        ("UTF-16BE with mark".to_owned(), [b"\xfe\xff", &big[..]].concat()),
        ("UTF-16LE".to_owned(), low),
        ("UTF-16BE".to_owned(), big),
        ("UTF-32LE".to_owned(), text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect()),
        ("UTF-32BE".to_owned(), text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect()),
    ];
    for label in language.encodings {
        let Some(encoding) = Encoding::for_label(label.as_bytes()) else { continue };
        let (bytes, _, bad) = encoding.encode(text);
        if !bad {
            all.push((encoding.name().to_owned(), bytes.into_owned()));
        }
    }
    all
}

/// All texts of a table, its header's too.
fn cells(text: &str) -> Vec<String> {
    text.lines().flat_map(|line| line.split(',')).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

/// What a file is read as, whether a finding casts doubt on its encoding, and the encoding's name.
fn read(path: &Path) -> Result<(Vec<String>, bool, String), Box<dyn Error>> {
    let format = FormatOptions { kind: Some(FormatKind::Csv), ..FormatOptions::default() };
    let mut reading = match open_raw(path, &ReadOptions { format, ..ReadOptions::default() }) {
        Ok(reading) => reading,
        Err(error) => return Ok((vec![error.to_string()], true, String::new())),
    };
    let mut all: Vec<String> = reading.header().unwrap_or_default().iter().flatten().cloned().collect();
    let mut told = false;
    for outcome in &mut reading {
        let outcome = outcome?;
        told |= outcome.findings.0.iter().any(|finding| finding.code == "encoding");
        let schema = outcome.batch.schema();
        let columns: Vec<_> = (0..outcome.batch.num_columns())
            .filter(|&at| ![SHEET, ROW, EXTRA].contains(&schema.field(at).name().as_str()))
            .filter_map(|at| outcome.batch.column(at).as_string_opt::<i32>())
            .collect();
        for row in 0..outcome.batch.num_rows() {
            let filled = columns.iter().filter(|column| !column.is_null(row));
            all.extend(filled.map(|column| column.value(row).to_owned()));
        }
    }
    all.retain(|cell| !cell.is_empty());
    Ok((all, told, reading.report().encoding.clone()))
}
