//! `huiliu read`: the reader alone.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use clap::{Args, ValueEnum};
use huiliu_formats::read::{FormatOptions, ReadOptions, Reading, open, open_raw};
use huiliu_formats::write::{CsvEncoder, CsvHeader, CsvOptions, JsonLinesEncoder};
use huiliu_pipeline::config::{self, check_record};
use huiliu_stage::{EXTRA, Finding, Origin, ROW, RecordSchema, SHEET, row_number};

use super::{CONFIG, FAILED, load, output};
use crate::daemon::clock::Clock;

/// Reads a file as a pipeline would and prints the clean table; what was found goes to stderr.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  huiliu read 武高新-2023年4月.xlsx
  huiliu read 武高新-2023年4月.xlsx --record pipelines/records/project.yaml --format jsonl
  huiliu read table.csv --report > clean.csv")]
pub(super) struct ReadArgs {
    /// File to read
    file: PathBuf,

    /// Record schema; without one, columns are named by the header and all values are text
    #[arg(long, value_name = "YAML")]
    record: Option<PathBuf>,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,

    /// Tell on stderr how the file was understood, as JSON
    #[arg(long)]
    report: bool,

    /// Language of the findings
    #[arg(long, default_value = "zh", value_parser = ["zh", "en"])]
    language: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

pub(super) fn run(args: &ReadArgs) -> anyhow::Result<ExitCode> {
    let record = match args.record.as_deref().map(read_record).transpose()? {
        Some(Err(problems)) => {
            load::print_problems(&problems);
            return Ok(ExitCode::from(CONFIG));
        }
        Some(Ok(record)) => Some(record),
        None => None,
    };
    let options = ReadOptions {
        origin: Origin { file: args.file.display().to_string(), ..Origin::default() },
        today: i32::try_from(Clock::from_env()?.now_ms().div_euclid(86_400_000)).unwrap_or(0),
        format: FormatOptions::default(),
        ..ReadOptions::default()
    };
    let reading = match &record {
        Some(record) => open(&args.file, record, &options),
        None => open_raw(&args.file, &options),
    };
    let mut reading = match reading {
        Ok(reading) => reading,
        Err(error) => {
            eprintln!("{}: {}", args.file.display(), error.finding.message.in_language(&args.language));
            return Ok(ExitCode::from(FAILED));
        }
    };
    let whole = print_table(&mut reading, args)?;
    if args.report {
        eprintln!("{}", serde_json::to_string_pretty(reading.report())?);
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// A record schema from its file, or what is wrong with it.
fn read_record(
    path: &Path,
) -> anyhow::Result<Result<RecordSchema, Vec<huiliu_pipeline::diagnostic::Diagnostic>>> {
    let files = |path: &Path| std::fs::read_to_string(path);
    let (node, problems) = config::read(path, &files, &|name| std::env::var(name).ok());
    match node {
        Some(node) if problems.is_empty() => Ok(check_record(&node)),
        _ => Ok(Err(problems)),
    }
}

enum Encoder {
    Csv(CsvEncoder),
    Jsonl(JsonLinesEncoder),
}

/// Prints all batches; tells whether the file was read to its end.
fn print_table(reading: &mut Reading, args: &ReadArgs) -> anyhow::Result<bool> {
    let schema = reading.schema();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut buffer = Vec::new();
    let text_table = reading.report().format == "csv" && reading.header().is_some();
    // Without a schema cells beyond the columns are rare: theirs is printed only if there may be some.
    let ahead = if args.record.is_none() && !text_table { READ_AHEAD } else { 0 };
    let first: Vec<_> = reading.by_ref().take(ahead).collect();
    let none_beyond =
        first.len() < ahead && first.iter().flatten().all(|outcome| has_no_extra(&outcome.batch));
    let own = text_table || none_beyond;
    let columns = own.then(|| own_columns(&schema));
    let mut encoder = match args.format {
        Format::Csv => {
            // A header is printed as it was sent; none is made up where the file has none.
            let header = if reading.header().is_some() { CsvHeader::Absent } else { CsvHeader::Names };
            let options = CsvOptions { bom: false, header, formula_guard: false };
            let encoder = CsvEncoder::new(&schema, columns.as_deref(), options)?;
            encoder.begin(&mut buffer);
            reading.header().unwrap_or_default().iter().for_each(|row| write_row(row, &mut buffer));
            Encoder::Csv(encoder)
        }
        Format::Jsonl => Encoder::Jsonl(JsonLinesEncoder::new(&schema, None)?),
    };
    for read in first.into_iter().chain(reading.by_ref()) {
        let outcome = match read {
            Ok(outcome) => outcome,
            Err(error) => {
                output::quiet(out.write_all(&buffer))?;
                eprintln!("{}: {}", args.file.display(), error.finding.message.in_language(&args.language));
                return Ok(false);
            }
        };
        let origin = Origin::of(&outcome.batch);
        for finding in outcome.findings.iter() {
            eprintln!("{}", line(finding, &origin, args));
        }
        let encoded = match &mut encoder {
            Encoder::Csv(encoder) => encoder.encode(&outcome.batch, &mut buffer),
            Encoder::Jsonl(encoder) => encoder.encode(&outcome.batch, &mut buffer),
        };
        encoded.context("cannot print the table")?;
        output::quiet(out.write_all(&buffer))?;
        buffer.clear();
    }
    output::quiet(out.write_all(&buffer).and_then(|()| out.flush()))?;
    Ok(true)
}

/// Batches that are read before the first is printed.
const READ_AHEAD: usize = 16;

/// Whether no row has a cell beyond the columns.
fn has_no_extra(batch: &RecordBatch) -> bool {
    batch.column_by_name(EXTRA).is_none_or(|extra| extra.null_count() == extra.len())
}

/// The columns of the file itself.
fn own_columns(schema: &SchemaRef) -> Vec<String> {
    let names = schema.fields().iter().map(|field| field.name());
    names.filter(|name| ![SHEET, ROW, EXTRA].contains(&name.as_str())).cloned().collect()
}

/// One row of a header as RFC 4180 wants it.
fn write_row(cells: &[String], out: &mut Vec<u8>) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        if cell.contains([',', '"', '\r', '\n']) || (cell.is_empty() && cells.len() == 1) {
            out.extend_from_slice(format!("\"{}\"", cell.replace('"', "\"\"")).as_bytes());
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// `error C5 V07: …`
fn line(finding: &Finding, origin: &Origin, args: &ReadArgs) -> String {
    let place = match (finding.row, &finding.field) {
        (Some(row), Some(field)) => {
            origin.cell(field, row).unwrap_or_else(|| format!("row {} {field}", row_number(row)))
        }
        (Some(row), None) => format!("row {}", row_number(row)),
        (None, _) => "file".to_owned(),
    };
    let (severity, message) = (finding.severity.as_str(), finding.message.in_language(&args.language));
    format!("{severity} {place} {}: {message}", finding.code)
}
