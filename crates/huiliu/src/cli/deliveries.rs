//! `huiliu deliveries`: what came in, and what became of it.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use huiliu_formats::report::ReadReport;
use huiliu_pipeline::ports::{Evidence, LedgerEntry, State};
use huiliu_stage::{Origin, row_number, sheet_ordinal};
use huiliu_store::{DeliveryFilter, SqliteStore};
use serde::Serialize;

use super::{DataArgs, output};
use crate::daemon::evidence;

/// Lists deliveries, newest first; with an id, all that is known of one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  huiliu deliveries --data /srv/huiliu
  huiliu deliveries 3fa9 --data /srv/huiliu
  huiliu deliveries --json --data /srv/huiliu | jq '.[] | select(.balanced | not)'")]
pub(super) struct DeliveriesArgs {
    /// A delivery's id, or its beginning
    id: Option<String>,

    /// Only this pipeline's
    #[arg(long)]
    pipeline: Option<String>,

    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,

    #[command(flatten)]
    data: DataArgs,
}

/// A ledger line as programs get it.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    entry: &'a LedgerEntry,
    /// Whether every row that came in is accounted for.
    balanced: bool,
}

impl<'a> Line<'a> {
    fn new(entry: &'a LedgerEntry) -> Self {
        Self { entry, balanced: entry.counts.balance() }
    }
}

pub(super) fn run(args: &DeliveriesArgs) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open_reader(&args.data.data)?;
    match &args.id {
        Some(id) => show(&store, id, &args.data)?,
        None => list(&store, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(store: &SqliteStore, args: &DeliveriesArgs) -> anyhow::Result<()> {
    let filter = DeliveryFilter { pipeline: args.pipeline.clone(), state: None, limit: Some(args.limit) };
    let entries = store.deliveries(&filter)?;
    if args.data.json {
        return output::print_json(&entries.iter().map(Line::new).collect::<Vec<_>>());
    }
    let mut table = output::table(&[
        "id",
        "received",
        "pipeline",
        "sender",
        "file",
        "state",
        "rows",
        "accepted",
        "quarantined",
        "merged",
        "dropped",
        "refused",
    ]);
    for LedgerEntry { delivery, state, counts, .. } in &entries {
        table.add_row([
            delivery.id.clone(),
            output::time(delivery.received_ms),
            delivery.pipeline.clone(),
            delivery.sender.clone(),
            delivery.file.clone(),
            word(*state).to_owned(),
            counts.rows_in.to_string(),
            counts.accepted.to_string(),
            counts.quarantined.to_string(),
            counts.merged.to_string(),
            counts.dropped.to_string(),
            counts.refused.to_string(),
        ]);
    }
    output::print_table(&table, "no deliveries yet")
}

fn show(store: &SqliteStore, id: &str, args: &DataArgs) -> anyhow::Result<()> {
    let entry = store.delivery(id)?;
    let findings = store.findings(&entry.delivery.id)?;
    let evidence = store.evidence(&entry.delivery.id)?;
    if args.json {
        let findings: Vec<_> = findings
            .iter()
            .map(|(finding, sheet)| serde_json::json!({"sheet": sheet, "finding": finding}))
            .collect();
        return output::print_json(
            &serde_json::json!({ "delivery": Line::new(&entry), "findings": findings, "evidence": evidence }),
        );
    }
    let LedgerEntry { delivery, state, counts, codes, .. } = &entry;
    output::print(&format!(
        "delivery    {}\nfile        {} ({} bytes)\nsender      {}\npipeline    {}\nreceived    {}\nstate       {}\n\
         rules       {}\narchived    {}\n{}rows        {} in = {} accepted + {} quarantined + {} merged + {} dropped + {} refused\n\
         findings    {} errors, {} warnings, {} notes: {}\n",
        delivery.id,
        delivery.file,
        delivery.bytes,
        delivery.sender,
        delivery.pipeline,
        output::time(delivery.received_ms),
        word(*state),
        entry.rules,
        entry.archived,
        entry.supersedes.iter().map(|id| format!("corrects    {id}\n")).collect::<String>(),
        counts.rows_in,
        counts.accepted,
        counts.quarantined,
        counts.merged,
        counts.dropped,
        counts.refused,
        counts.errors,
        counts.warnings,
        counts.infos,
        codes.iter().map(|(code, times)| format!("{code} ×{times}")).collect::<Vec<_>>().join(", "),
    ))?;
    if !evidence.is_empty() {
        print_evidence(&entry, &evidence)?;
    }
    let mut table = output::table(&["severity", "sheet", "cell", "code", "what"]);
    let columns = columns(&entry);
    for (finding, sheet) in &findings {
        let place = match (finding.row, &finding.field) {
            (Some(row), Some(field)) => {
                columns.cell(field, row).unwrap_or_else(|| row_number(row).to_string())
            }
            (Some(row), None) => row_number(row).to_string(),
            (None, _) => String::new(),
        };
        let what = finding.message.in_language(&args.language).to_owned();
        table.add_row([
            finding.severity.as_str().to_owned(),
            sheet.clone(),
            place,
            finding.code.clone(),
            what,
        ]);
    }
    output::print_table(&table, "no findings")
}

/// The attachments of a package: what each is called, where it is kept, which rows it belongs to.
fn print_evidence(entry: &LedgerEntry, evidence: &[Evidence]) -> anyhow::Result<()> {
    let report: ReadReport = serde_json::from_value(entry.report.clone()).unwrap_or_default();
    let mut table = output::table(&["attachment", "bytes", "kept as", "row"]);
    for Evidence { name, hash, bytes, row, field, .. } in evidence {
        let row = row.map_or(String::new(), |row| {
            let sheet =
                report.sheets.get(sheet_ordinal(row) as usize).map_or("", |sheet| sheet.name.as_str());
            let field = field.as_deref().map_or(String::new(), |field| format!(" ({field})"));
            format!("{sheet} {}{field}", row_number(row))
        });
        table.add_row([name.clone(), bytes.to_string(), kept_as(hash), row]);
    }
    output::print_table(&table, "no attachments")?;
    output::print("\n")
}

/// Path below the data folder of what is kept under a hash.
pub(super) fn kept_as(hash: &str) -> String {
    Path::new(evidence::FOLDER).join(evidence::place(hash)).display().to_string()
}

/// Which column each field was read from, as the reader's report tells for the first sheet that has it.
fn columns(entry: &LedgerEntry) -> Origin {
    let report: ReadReport = serde_json::from_value(entry.report.clone()).unwrap_or_default();
    let mut origin = Origin::default();
    if ["json", "xml"].contains(&&*report.format) {
        return origin; // Records have no cells.
    }
    for column in report.sheets.iter().flat_map(|sheet| &sheet.columns) {
        if let Some(field) = &column.field {
            origin.columns.entry(field.clone()).or_insert(column.index);
        }
    }
    origin
}

pub(super) fn word(state: State) -> &'static str {
    match state {
        State::Seen => "seen",
        State::Committed => "committed",
        State::Refused => "refused",
    }
}
