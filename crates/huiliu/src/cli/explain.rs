//! `huiliu explain`: a record's story.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use huiliu_store::{Record, RecordEvidence, RecordStory, SqliteStore, ValueStory};
use serde::Serialize;
use serde_json::Value;

use super::deliveries::kept_as;
use super::merges::Kept;
use super::{DataArgs, output};

/// Tells of a record: each field's value, where it came from, what it was before, and why rows were merged.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  huiliu explain 2208-320412-89-01-011527 --data /srv/huiliu
  huiliu explain 储能电池 --data /srv/huiliu
  huiliu explain r04hz6w1q8m2kd7ep --language en --data /srv/huiliu
  huiliu explain --list --data /srv/huiliu")]
pub(super) struct ExplainArgs {
    /// A record: its id, a value such as a project code, or part of a name
    #[arg(required_unless_present = "list")]
    record: Option<String>,

    /// List the records in place of explaining one
    #[arg(long)]
    list: bool,

    /// Name of the register; needed only if several know the record
    #[arg(long)]
    register: Option<String>,

    #[command(flatten)]
    data: DataArgs,
}

/// All that is known of a record.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    story: RecordStory,
    #[serde(flatten)]
    kept: Kept,
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let store = Arc::new(SqliteStore::open_reader(&args.data.data)?);
    let key = args.record.as_deref().filter(|_| !args.list);
    let register = register(&store, args.register.as_deref(), key)?;
    let Some(key) = key else {
        list(&store, &register, args.data.json)?;
        return Ok(ExitCode::SUCCESS);
    };
    let found = store.find_records(&register, key, 21)?;
    let record = match found.as_slice() {
        [] => {
            bail!("no record of register `{register}` is called `{key}`; `huiliu explain --list` shows all")
        }
        [one] => one,
        many => {
            print_records(many)?;
            bail!("`{key}` may mean any of these {}; name one by its id", many.len());
        }
    };
    let whole = Whole {
        story: store.explain(&register, &record.id)?,
        kept: Kept::of(&store, &register, &record.id)?,
    };
    if args.data.json {
        output::print_json(&whole)?;
    } else {
        print_story(&whole.story, &args.data.language)?;
        whole.kept.print(&whole.story.record.id, &args.data.language)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The register that is meant: the one named, the only one, or the only one that knows `key`.
fn register(store: &SqliteStore, name: Option<&str>, key: Option<&str>) -> anyhow::Result<String> {
    let mut all = store.registers()?;
    if let (None, Some(key), 2..) = (name, key, all.len()) {
        let mut knowing = Vec::new();
        for register in &all {
            if !store.find_records(register, key, 1)?.is_empty() {
                knowing.push(register.clone());
            }
        }
        if knowing.is_empty() {
            bail!("no register knows `{key}`; there are: {}", all.join(", "));
        }
        all = knowing;
    }
    match (name, all.as_slice()) {
        (Some(name), _) if all.iter().any(|known| known == name) => Ok(name.to_owned()),
        (Some(name), _) => bail!("there is no register `{name}`; there are: {}", all.join(", ")),
        (None, []) => bail!("no register has a record yet"),
        (None, [one]) => Ok(one.clone()),
        (None, many) => bail!("there are several registers, name one with --register: {}", many.join(", ")),
    }
}

fn list(store: &SqliteStore, register: &str, json: bool) -> anyhow::Result<()> {
    let records = store.records(register, "", 100_000)?;
    match json {
        true => output::print_json(&records),
        false => print_records(&records),
    }
}

fn print_records(records: &[Record]) -> anyhow::Result<()> {
    let mut table = output::table(&["id", "revision", "record"]);
    for record in records {
        table.add_row([record.id.clone(), record.revision.to_string(), headline(record)]);
    }
    output::print_table(&table, "no records")
}

/// The first few values of a record, to recognise it by.
fn headline(record: &Record) -> String {
    let values = record.data.0.iter().filter(|(_, value)| value.get().starts_with('"')).take(3);
    values.map(|(_, value)| plain(value.get())).collect::<Vec<_>>().join(", ")
}

/// JSON without the quotes of a text.
pub(super) fn plain(json: &str) -> String {
    match serde_json::from_str(json) {
        Ok(Value::String(text)) => text,
        _ => json.to_owned(),
    }
}

pub(super) fn print_story(story: &RecordStory, language: &str) -> anyhow::Result<()> {
    let record = &story.record;
    let mut deliveries: Vec<&str> = story.revisions.iter().map(|r| &*r.delivery).collect();
    deliveries.sort_unstable();
    deliveries.dedup();
    let (id, revision, deliveries) = (&record.id, record.revision, deliveries.len());
    let former = story.former.join(if language == "en" { ", " } else { "、" });
    output::print(&match (language, former.is_empty()) {
        ("en", true) => format!("record {id}, revision {revision}, from {deliveries} deliveries\n\n"),
        ("en", false) => {
            format!(
                "record {id} ({former} mean it too), revision {revision}, from {deliveries} deliveries\n\n"
            )
        }
        (_, true) => format!("记录 {id}，第{revision}版，来自{deliveries}次报送\n\n"),
        (_, false) => format!("记录 {id}（已并入：{former}），第{revision}版，来自{deliveries}次报送\n\n"),
    })?;
    let mut table = output::table(match language {
        "en" => &["field", "value", "from", "before"],
        _ => &["字段", "值", "来源", "此前"],
    });
    for field in &story.fields {
        let before = field.earlier.iter().map(|value| format!("{} ({})", shown(value), origin(value)));
        table.add_row([
            field.field.clone(),
            shown(&field.current),
            origin(&field.current),
            before.collect::<Vec<_>>().join("; "),
        ]);
    }
    output::print_table(&table, if language == "en" { "no fields" } else { "没有字段" })?;
    output::print("\n")?;
    let mut table = output::table(match language {
        "en" => &["revision", "received", "sender", "file", "rules", "merged because"],
        _ => &["版本", "收到", "报送", "文件", "规则", "并入依据"],
    });
    for revision in &story.revisions {
        table.add_row([
            revision.revision.to_string(),
            output::time(revision.at_ms),
            revision.sender.clone(),
            revision.file.clone(),
            revision.rules.clone(),
            revision.matched.clone().unwrap_or_default(),
        ]);
    }
    output::print_table(&table, if language == "en" { "no revisions" } else { "没有版本" })?;
    match story.evidence.is_empty() {
        true => Ok(()),
        false => print_evidence(story, language),
    }
}

/// The files that were sent to prove the record, and where each is kept.
fn print_evidence(story: &RecordStory, language: &str) -> anyhow::Result<()> {
    output::print("\n")?;
    let mut table = output::table(match language {
        "en" => &["evidence", "bytes", "kept as", "sender", "package"],
        _ => &["佐证材料", "字节", "存为", "报送", "压缩包"],
    });
    for RecordEvidence { sender, file, evidence, .. } in &story.evidence {
        table.add_row([
            evidence.name.clone(),
            evidence.bytes.to_string(),
            kept_as(&evidence.hash),
            sender.clone(),
            file.clone(),
        ]);
    }
    output::print_table(&table, "")
}

/// Longer values are cut in tables; `--json` has them whole.
const SHOWN_CHARS: usize = 60;

fn shown(value: &ValueStory) -> String {
    let text = value.value.as_ref().map(|json| plain(json.get())).unwrap_or_default();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// `武高新 a.xlsx Sheet1!C5`: from what the merging stage tells, else from the row of the revision.
fn origin(value: &ValueStory) -> String {
    let told: Option<Value> = value.origin.as_ref().and_then(|json| serde_json::from_str(json.get()).ok());
    let Some(told) = told else {
        return format!("{} {}", value.sender, value.file).trim().to_owned();
    };
    let part = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or_default();
    let cell = match (part("sheet"), part("cell")) {
        ("", cell) => cell.to_owned(),
        (sheet, cell) => format!("{sheet}!{cell}"),
    };
    [part("sender"), part("file"), &cell]
        .iter()
        .filter(|p| !p.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}
