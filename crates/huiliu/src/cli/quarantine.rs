//! `huiliu quarantine`: rows that were refused.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use huiliu_stage::row_number;
use huiliu_store::{QuarantineFilter, QuarantineRow, QuarantineStatus, SqliteStore};

use super::{DataArgs, output};
use crate::daemon::carried::{KEY, Was};
use crate::daemon::clock::Clock;
use crate::daemon::identify::delivery_id;
use crate::sinks::{WholeFile, named};
use crate::sources::RETRY;
use crate::sources::folder::place::{Names, Template};

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
        output::print(&format!("  {severity} {code}: {}\n", finding.message.in_language("zh")))?;
    }
    Ok(())
}

fn discard(which: &Which, note: &str) -> anyhow::Result<()> {
    let store = SqliteStore::open_shared(&which.data.data)?;
    let ids = which.ids(&store)?;
    store.quarantine_set(&ids, QuarantineStatus::Discarded, note, Clock::from_env()?.now_ms())?;
    output::print(&format!("{} rows discarded\n", ids.len()))
}

/// Puts the rows as files into the daemon's own folder for retries. Killed between the file and the note,
/// the rows still count as open; retried again they make the same file, which is known by then.
fn retry(which: &Which, set: &[String]) -> anyhow::Result<()> {
    let store = SqliteStore::open_shared(&which.data.data)?;
    let repairs = repairs(set)?;
    let ids = which.ids(&store)?;
    let mut groups: BTreeMap<(String, String, String, String), Vec<QuarantineRow>> = BTreeMap::new();
    for &id in &ids {
        let row = store.quarantine_show(id)?;
        if row.status != QuarantineStatus::Open {
            bail!("row {id} is {} already", row.status.as_str());
        }
        let key = (row.pipeline.clone(), row.stage.clone(), row.sender.clone(), row.file.clone());
        groups.entry(key).or_default().push(row);
    }
    for ((pipeline, stage, sender, file), rows) in groups {
        let names: Names = [("pipeline", pipeline), ("stage", stage), ("sender", sender)]
            .map(|(name, value)| (name.to_owned(), if value.is_empty() { "_".to_owned() } else { value }))
            .into();
        let template = Template::parse(RETRY).map_err(anyhow::Error::msg)?;
        let folder = which.data.data.join(template.fill(&names, ""));
        write_rows(&store, &folder, &file, &rows, &repairs)?;
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        store.quarantine_take_for_retry(&ids, Clock::from_env()?.now_ms())?;
    }
    output::print(&format!(
        "{} rows sent again; a running daemon takes them now, else the next run\n",
        ids.len()
    ))
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

fn write_rows(
    store: &SqliteStore,
    folder: &std::path::Path,
    file: &str,
    rows: &[QuarantineRow],
    repairs: &[(String, serde_json::Value)],
) -> anyhow::Result<()> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    let stem = PathBuf::from(file).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let name = named(&stem, &format!("retry-{}", delivery_id("", "", &ids.join(","))));
    let path = folder.join(format!("{name}.jsonl"));
    let mut out = WholeFile::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
    let mut with_files: HashMap<String, HashSet<i64>> = HashMap::new();
    for row in rows {
        if !with_files.contains_key(&row.delivery) {
            let files = store.evidence(&row.delivery)?;
            with_files.insert(row.delivery.clone(), files.iter().filter_map(|file| file.row).collect());
        }
        let was = with_files.get(&row.delivery).is_some_and(|rows| rows.contains(&row.row));
        let was = was.then(|| Was { delivery: row.delivery.clone(), row: row.row });
        let line = if repairs.is_empty() {
            with_evidence(row.values.get(), was.as_ref())?
        } else {
            let mut values: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(row.values.get())?;
            values.extend(repairs.iter().cloned());
            with_evidence(&serde_json::Value::Object(values).to_string(), was.as_ref())?
        };
        writeln!(out, "{line}")?;
    }
    out.finish().with_context(|| format!("cannot write `{}`", path.display()))
}

/// An object with word of the row it was, if files came with that. The other values stay the text they are, so that
/// numbers keep all digits.
fn with_evidence(object: &str, was: Option<&Was>) -> anyhow::Result<String> {
    let (Some(was), Some(rest)) = (was, object.trim_start().strip_prefix('{')) else {
        return Ok(object.to_owned());
    };
    let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
    Ok(format!("{{\"{KEY}\":{}{comma}{rest}", serde_json::to_string(was)?))
}
