//! `huiliu quarantine`: rows that were refused.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use huiliu_stage::row_number;
use huiliu_store::{QuarantineFilter, QuarantineRow, QuarantineStatus, SqliteStore};

use super::{DataArgs, output};
use crate::daemon::clock::Clock;
use crate::daemon::resend;

/// Rows with an error finding wait in quarantine until they are repaired, retried or discarded.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  huiliu quarantine list --data /srv/huiliu
  huiliu quarantine show 17 --data /srv/huiliu
  huiliu quarantine retry 17 18 --set total_investment=12000 --data /srv/huiliu
  huiliu quarantine discard --delivery 3fa91c0d22e4b7a6 --note 已电话核实 --data /srv/huiliu")]
pub(super) struct QuarantineArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List rows
    List(ListArgs),
    /// Show one row with all that was found
    Show {
        /// Number of the row
        id: i64,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Send rows through their pipeline again, such as after a rule was changed
    Retry {
        #[command(flatten)]
        which: Which,
        /// Repair a value first; may be given several times
        #[arg(long, value_name = "FIELD=VALUE")]
        set: Vec<String>,
    },
    /// Give rows up
    Discard {
        #[command(flatten)]
        which: Which,
        /// Why
        #[arg(long, default_value = "")]
        note: String,
    },
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only this pipeline's
    #[arg(long)]
    pipeline: Option<String>,
    /// Only this delivery's: its id, or the beginning of it
    #[arg(long)]
    delivery: Option<String>,
    /// Only rows refused for this code
    #[arg(long)]
    code: Option<String>,
    /// open, retried, discarded, resolved or all
    #[arg(long, default_value = "open", value_parser = ["open", "retried", "discarded", "resolved", "all"])]
    status: String,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: u32,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Debug, Args)]
struct Which {
    /// Numbers of rows
    #[arg(required_unless_present = "delivery")]
    ids: Vec<i64>,
    /// All open rows of this delivery
    #[arg(long)]
    delivery: Option<String>,
    #[command(flatten)]
    data: DataArgs,
}

impl Which {
    fn ids(&self, store: &SqliteStore) -> anyhow::Result<Vec<i64>> {
        let mut ids = self.ids.clone();
        if let Some(delivery) = &self.delivery {
            let delivery = Some(store.delivery(delivery)?.delivery.id);
            let status = Some(QuarantineStatus::Open);
            let rows = store.quarantine_list(&QuarantineFilter {
                delivery,
                status,
                ..QuarantineFilter::default()
            })?;
            ids.extend(rows.iter().map(|row| row.id));
        }
        if ids.is_empty() {
            bail!("no open rows there");
        }
        Ok(ids)
    }
}

pub(super) fn run(args: &QuarantineArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::List(args) => list(args)?,
        Command::Show { id, data } => show(*id, data)?,
        Command::Retry { which, set } => retry(which, set)?,
        Command::Discard { which, note } => discard(which, note)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let store = SqliteStore::open_reader(&args.data.data)?;
    let delivery = args.delivery.as_ref().map(|id| store.delivery(id)).transpose()?;
    let filter = QuarantineFilter {
        pipeline: args.pipeline.clone(),
        delivery: delivery.map(|entry| entry.delivery.id),
        status: QuarantineStatus::parse(&args.status),
        code: args.code.clone(),
        limit: Some(args.limit),
        ..QuarantineFilter::default()
    };
    let rows = store.quarantine_list(&filter)?;
    if args.data.json {
        return output::print_json(&rows);
    }
    let mut table = output::table(&["row", "sender", "file", "sheet", "line", "stage", "status", "why"]);
    for row in &rows {
        table.add_row([
            row.id.to_string(),
            row.sender.clone(),
            row.file.clone(),
            row.sheet.clone(),
            row_number(row.row).to_string(),
            row.stage.clone(),
            row.status.as_str().to_owned(),
            row.reasons.join(", "),
        ]);
    }
    output::print_table(&table, "nothing in quarantine")
}

fn show(id: i64, data: &DataArgs) -> anyhow::Result<()> {
    let row = SqliteStore::open_reader(&data.data)?.quarantine_show(id)?;
    if data.json {
        return output::print_json(&row);
    }
    output::print(&format!(
        "row         {}\nfrom        {} of {}, sheet {:?}, line {}\nreceived    {}\nrefused by  {}\nstatus      {} {}\n\nvalues\n",
        row.id,
        row.file,
        row.sender,
        row.sheet,
        row_number(row.row),
        output::time(row.received_ms),
        row.stage,
        row.status.as_str(),
        row.note,
    ))?;
    let values: serde_json::Map<String, serde_json::Value> = serde_json::from_str(row.values.get())?;
    for (field, value) in &values {
        output::print(&format!("  {field}: {value}\n"))?;
    }
    output::print("\nfindings\n")?;
    for finding in row.parsed_findings() {
        let (severity, code) = (finding.severity.as_str(), finding.code);
        output::print(&format!("  {severity} {code}: {}\n", finding.message.in_language(&data.language)))?;
    }
    Ok(())
}

fn discard(which: &Which, note: &str) -> anyhow::Result<()> {
    let store = SqliteStore::open_shared(&which.data.data)?;
    let ids = which.ids(&store)?;
    store.quarantine_set(&ids, QuarantineStatus::Discarded, note, Clock::from_env()?.now_ms())?;
    output::print(&format!("{} rows discarded\n", ids.len()))
}

/// Puts the rows as files into the daemon's own folder for retries, each row once however often it is named.
fn retry(which: &Which, set: &[String]) -> anyhow::Result<()> {
    let store = SqliteStore::open_shared(&which.data.data)?;
    let data = &which.data.data;
    resend::finish_interrupted(&store, data)?;
    let repairs = repairs(set)?;
    let ids: BTreeSet<i64> = which.ids(&store)?.into_iter().collect();
    let mut groups: BTreeMap<(String, String, String, String), Vec<QuarantineRow>> = BTreeMap::new();
    for &id in &ids {
        let row = store.quarantine_show(id)?;
        if row.status != QuarantineStatus::Open {
            bail!("row {id} is {} already", row.status.as_str());
        }
        let key = (row.pipeline.clone(), row.stage.clone(), row.sender.clone(), row.file.clone());
        groups.entry(key).or_default().push(row);
    }
    tell_new_names(groups.values().flatten(), &repairs)?;
    for rows in groups.values() {
        resend::send(&store, data, rows, &repairs, Clock::from_env()?.now_ms())?;
    }
    output::print(&format!(
        "{} rows sent again; a running daemon takes them now, else the next run\n",
        ids.len()
    ))
}

/// A repair of a field that a row had no value for may be what was missing, or a slip of the pen. Only the pipeline
/// knows, so it is said and done.
fn tell_new_names<'a>(
    rows: impl Iterator<Item = &'a QuarantineRow>,
    repairs: &[(String, serde_json::Value)],
) -> anyhow::Result<()> {
    let mut known = BTreeSet::new();
    for row in rows {
        let values: serde_json::Map<String, serde_json::Value> = serde_json::from_str(row.values.get())?;
        known.extend(values.into_iter().map(|(name, _)| name));
    }
    for (field, _) in repairs.iter().filter(|(field, _)| !known.contains(field)) {
        let nearest = known
            .iter()
            .filter(|name| strsim::jaro_winkler(name, field) > 0.85)
            .max_by(|a, b| strsim::jaro_winkler(a, field).total_cmp(&strsim::jaro_winkler(b, field)));
        let hint = nearest.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
        anstream::eprintln!(
            "note: none of these rows had a value for `{field}` so far{hint} If the record has no such field, it is kept as an extra column."
        );
    }
    Ok(())
}

fn repairs(set: &[String]) -> anyhow::Result<Vec<(String, serde_json::Value)>> {
    set.iter()
        .map(|text| {
            let (field, value) =
                text.split_once('=').with_context(|| format!("`--set {text}` is not FIELD=VALUE"))?;
            Ok((field.to_owned(), serde_json::Value::String(value.to_owned())))
        })
        .collect()
}
