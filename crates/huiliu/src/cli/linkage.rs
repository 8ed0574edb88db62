//! What `review`, `unmerge` and `explain` have in common: finding the stage that keeps a record, showing a comparison,
//! sending a decision.

use std::sync::Arc;

use anyhow::bail;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use clap::Args;
use comfy_table::Table;
use huiliu_pipeline::ports::Store;
use huiliu_stage::{Expression, Host, HostError, Level};
use huiliu_store::SqliteStore;

use super::{DataArgs, output};
use crate::catalog::records::{Decision, Inspect, Line, Said, Why, side_by_side};
use crate::daemon::clock::Clock;
use crate::daemon::decision;

/// A stage that keeps records.
pub(super) struct Keeper {
    pub(super) pipeline: String,
    pub(super) stage: String,
    pub(super) inspect: Inspect,
}

/// The state of one stage; of a host's services only reading is there.
struct ReadState {
    store: Arc<SqliteStore>,
    slot: String,
}

fn refused<T>() -> Result<T, HostError> {
    Err(HostError("the state is only looked at here".into()))
}

impl Host for ReadState {
    fn log(&self, _: Level, _: &str) {}

    fn now_ms(&self) -> i64 {
        0
    }

    fn today(&self) -> i32 {
        0
    }

    fn state_get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        self.store.state_get(&self.slot, key).map_err(|error| HostError(error.to_string()))
    }

    fn state_put(&self, _: &[u8], _: &[u8]) -> Result<(), HostError> {
        refused()
    }

    fn state_delete(&self, _: &[u8]) -> Result<(), HostError> {
        refused()
    }

    fn state_scan(&self, prefix: &[u8], each: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), HostError> {
        self.store.state_scan(&self.slot, prefix, each).map_err(|error| HostError(error.to_string()))
    }

    fn compile(&self, _: &str, _: &SchemaRef) -> Result<Box<dyn Expression>, HostError> {
        refused()
    }

    fn table(&self, _: &str) -> Result<RecordBatch, HostError> {
        refused()
    }

    fn count(&self, _: &str, _: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// All stages that keep anything, in the order of their names.
pub(super) fn keepers(store: &Arc<SqliteStore>) -> anyhow::Result<Vec<Keeper>> {
    let slots = store.slots()?;
    let keeper = |slot: String| {
        let (pipeline, stage) = slot.split_once('/')?;
        let (pipeline, stage) = (pipeline.to_owned(), stage.to_owned());
        let inspect = Inspect::new(Arc::new(ReadState { store: store.clone(), slot }));
        Some(Keeper { pipeline, stage, inspect })
    };
    Ok(slots.into_iter().filter_map(keeper).collect())
}

/// The stages that keep a record, each with the id that it has now: a record that was merged into another is that one.
/// Ids come from keys, so two pipelines may know the same one.
pub(super) fn keepers_of(
    store: &Arc<SqliteStore>,
    id: &str,
    pipeline: Option<&str>,
) -> anyhow::Result<Vec<(Keeper, String)>> {
    let mut found = Vec::new();
    for keeper in keepers(store)? {
        if pipeline.is_none_or(|name| name == keeper.pipeline)
            && let Some(now) = keeper.inspect.now(id)?
        {
            found.push((keeper, now));
        }
    }
    Ok(found)
}

/// The one stage that keeps a record, with the id that it has now.
pub(super) fn keeper_of(
    store: &Arc<SqliteStore>,
    id: &str,
    pipeline: Option<&str>,
) -> anyhow::Result<(Keeper, String)> {
    let mut found = keepers_of(store, id, pipeline)?;
    match (found.pop(), found.as_slice()) {
        (Some(one), []) => Ok(one),
        (Some((last, _)), more) => {
            let mut names: Vec<&str> = more.iter().map(|(keeper, _)| &*keeper.pipeline).collect();
            names.push(&last.pipeline);
            bail!("several pipelines keep a record `{id}`, name one with --pipeline: {}", names.join(", "))
        }
        (None, _) => match pipeline {
            Some(name) => bail!("pipeline `{name}` keeps no record `{id}`"),
            None => bail!("no stage keeps a record `{id}`; `huiliu explain --list` shows all"),
        },
    }
}

/// The id of the record that a person means: its id, a value such as a code, or part of a name.
pub(super) fn meant(store: &SqliteStore, key: &str) -> anyhow::Result<String> {
    let mut found = Vec::new();
    for register in store.registers()? {
        found.extend(store.find_records(&register, key, 21)?.into_iter().map(|record| record.id));
    }
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        // A pipeline without a register: the stage knows its ids.
        [] => Ok(key.to_owned()),
        many => bail!("`{key}` may mean any of these: {}; name one by its id", many.join(", ")),
    }
}

/// What is decided about, and by whom.
#[derive(Debug, Args)]
pub(super) struct About {
    /// A record: its id, a value such as a project code, or part of a name
    record: String,
    /// The pipeline that keeps the record; needed only if several do
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Option<String>,
    #[command(flatten)]
    pub(super) who: Who,
    #[command(flatten)]
    pub(super) data: DataArgs,
}

impl About {
    /// The one stage that keeps the record, with the id that it has now.
    pub(super) fn keeper(&self) -> anyhow::Result<(Keeper, String)> {
        let store = Arc::new(SqliteStore::open_reader(&self.data.data)?);
        keeper_of(&store, &meant(&store, &self.record)?, self.pipeline.as_deref())
    }
}

/// Who decides, and why.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// Who decides; by default the user of the machine
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why
    #[arg(long, default_value = "", value_name = "TEXT")]
    why: String,
}

/// Sends a decision to the stage that keeps its record.
pub(super) fn decide(keeper: &Keeper, data: &DataArgs, who: Who, decision: Decision) -> anyhow::Result<()> {
    let by = who.by.or_else(|| std::env::var("USER").ok()).unwrap_or_default();
    let decision = Decision { by, why: who.why, at_ms: Clock::from_env()?.now_ms(), ..decision };
    let after = keeper.inspect.decisions()?.len() as u64;
    decision::send(&data.data, &keeper.pipeline, &keeper.stage, &decision, after)?;
    match data.json {
        true => output::print_json(&decision),
        false => output::print(match &*data.language {
            "en" => "decided; a running daemon carries it out now, else the next run\n",
            _ => "已记下；守护进程在运行则立即执行，否则下次运行时执行。结果见 huiliu review log\n",
        }),
    }
}

/// A level in the reader's language.
pub(super) fn words<'a>(line: &'a Line, language: &str) -> &'a str {
    if language == "en" { &line.en } else { &line.zh }
}

/// Two records field by field, with what the comparison says of each field.
pub(super) fn comparison(a: &[Said], b: &[Said], why: &Why, language: &str) -> Table {
    let head = match language {
        "en" => ["field", "one", "other", "comparison", "bits"],
        _ => ["字段", "甲", "乙", "比对", "权重"],
    };
    let mut table = output::table(&head);
    for (field, one, other) in side_by_side(a, b) {
        let lines: Vec<&Line> = why.lines.iter().filter(|line| line.field == field).collect();
        let said = lines.iter().map(|line| told(why, line, language)).collect::<Vec<_>>().join("; ");
        let bits = lines.iter().map(|line| weight(line)).collect::<Vec<_>>().join("; ");
        table.add_row([field, one, other, said, bits]);
    }
    table
}

/// What a line says, and whether it alone decides or does not count.
pub(super) fn told(why: &Why, line: &Line, language: &str) -> String {
    let clash = why.clash(line);
    let clash = if clash.is_empty() { clash } else { format!(" {clash}") };
    let remark = match (line.veto, line.counts, language) {
        (true, _, "en") => " (keeps apart)",
        (true, ..) => "（不得合并）",
        (_, false, "en") => " (same story, not counted twice)",
        (_, false, _) => "（同组，不重复计）",
        _ => "",
    };
    format!("{}{clash}{remark}", words(line, language))
}

pub(super) fn weight(line: &Line) -> String {
    format!("{:+.1}", line.bits)
}

/// What came of a decision.
pub(super) fn came(entry: &serde_json::Value, language: &str) -> String {
    let text = |key: &str| entry[key].as_str().map(str::to_owned);
    let told = text("came_zh").filter(|_| language != "en").or_else(|| text("came")).unwrap_or_default();
    match (entry["refused"].as_bool(), language) {
        (Some(true), "en") => format!("refused: {told}"),
        (Some(true), _) => format!("未执行：{told}"),
        _ => told,
    }
}

/// The sum, and what it is measured by; of a conflict of keys, which keys.
pub(super) fn verdict(why: &Why, language: &str) -> String {
    if why.is_conflict() {
        return if language == "en" { why.en.clone() } else { why.zh.clone() };
    }
    let next = why.next.map(|next| match language {
        "en" => format!(", next best {next:+.1}"),
        _ => format!("，次优 {next:+.1}"),
    });
    match language {
        "en" => format!("sum {:+.1}, merge from {:+.1}{}", why.bits, why.merge, next.unwrap_or_default()),
        _ => format!("合计 {:+.1}，合并线 {:+.1}{}", why.bits, why.merge, next.unwrap_or_default()),
    }
}
