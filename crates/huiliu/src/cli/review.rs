//! `huiliu review`: pairs of records that may be one, for people to say.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use huiliu_store::SqliteStore;
use serde::Serialize;

use super::linkage::{self, Keeper, Who, comparison, keepers, verdict};
use super::{DataArgs, output};
use crate::catalog::records::{Decision, Question, Said, Word};

/// Pairs of records that are alike, but not enough to be merged without asking.
///
/// What is said here is carried out by the daemon, remembered for ever, and goes before whatever the comparison says,
/// also when the records come again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  huiliu review list --data /srv/huiliu
  huiliu review list --find 储能 --limit 20 --offset 40 --data /srv/huiliu
  huiliu review show r04hz6w1q8m2kd7ep --data /srv/huiliu
  huiliu review accept r04hz6w1q8m2kd7ep r9xk2v0f3t5ybn81c --why 已电话核实 --data /srv/huiliu
  huiliu review reject r04hz6w1q8m2kd7ep r9xk2v0f3t5ybn81c --data /srv/huiliu
  huiliu review log --data /srv/huiliu")]
pub(super) struct ReviewArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the pairs that wait: those that keys speak for, then the most alike
    #[command(after_help = "Examples:
  huiliu review list --data /srv/huiliu
  huiliu review list --find 储能 --data /srv/huiliu
  huiliu review list --limit 20 --offset 40 --data /srv/huiliu
  huiliu review list --json --data /srv/huiliu > queue.json")]
    List {
        /// Only this pipeline's
        #[arg(long)]
        pipeline: Option<String>,
        /// Only pairs of which a value, a sender or an id contains this text
        #[arg(long, value_name = "TEXT")]
        find: Option<String>,
        /// Most pairs to show [default: 50; all with --json]
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
        /// Pairs to pass over before the first one shown
        #[arg(long, default_value_t = 0, value_name = "COUNT")]
        offset: usize,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Show a pair side by side, with the comparison and its weights
    #[command(after_help = "Example: huiliu review show r04hz6w1q8m2kd7ep --data /srv/huiliu")]
    Show {
        #[command(flatten)]
        pair: Pair,
    },
    /// The two are one: merge them
    #[command(
        after_help = "Example: huiliu review accept r04hz6w1q8m2kd7ep r9xk2v0f3t5ybn81c --why 已电话核实 --data /srv/huiliu"
    )]
    Accept {
        #[command(flatten)]
        pair: Pair,
        #[command(flatten)]
        who: Who,
    },
    /// The two are two: never merge them and never ask again
    #[command(
        after_help = "Example: huiliu review reject r04hz6w1q8m2kd7ep r9xk2v0f3t5ybn81c --data /srv/huiliu"
    )]
    Reject {
        #[command(flatten)]
        pair: Pair,
        #[command(flatten)]
        who: Who,
    },
    /// List the decisions so far, with what came of each
    #[command(after_help = "Example: huiliu review log --data /srv/huiliu")]
    Log {
        #[command(flatten)]
        data: DataArgs,
    },
}

#[derive(Debug, Args)]
struct Pair {
    /// Id of a record, or the beginning of it
    record: String,
    /// Id of the other record; may be left out if only one question is open about the first
    other: Option<String>,
    /// The pipeline that keeps the records; needed only if several do
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Option<String>,
    #[command(flatten)]
    data: DataArgs,
}

/// A pair as programs are shown it.
#[derive(Serialize)]
struct Listed {
    pipeline: String,
    stage: String,
    #[serde(flatten)]
    question: Question,
    one: Vec<Said>,
    two: Vec<Said>,
}

pub(super) fn run(args: ReviewArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List { pipeline, find, limit, offset, data } => {
            list(pipeline.as_deref(), find.as_deref(), (offset, limit), &data)?;
        }
        Command::Show { pair } => show(&pair)?,
        Command::Accept { pair, who } => decide(Word::Accept, &pair, who)?,
        Command::Reject { pair, who } => decide(Word::Reject, &pair, who)?,
        Command::Log { data } => log(&data)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn open(data: &DataArgs) -> anyhow::Result<Arc<SqliteStore>> {
    Ok(Arc::new(SqliteStore::open_reader(&data.data)?))
}

/// Pairs in a table when nobody says how many.
const SHOWN: usize = 50;

fn list(
    pipeline: Option<&str>,
    find: Option<&str>,
    (offset, limit): (usize, Option<usize>),
    data: &DataArgs,
) -> anyhow::Result<()> {
    let limit = limit.unwrap_or(if data.json { usize::MAX } else { SHOWN });
    let (mut total, mut shown) = (0, Vec::new());
    for keeper in keepers(&open(data)?)? {
        if pipeline.is_some_and(|name| name != keeper.pipeline) {
            continue;
        }
        for question in keeper.inspect.queue()? {
            // The values of pairs that are not shown are read only to look for something in them.
            let wanted = total >= offset && shown.len() < limit;
            let one = (wanted || find.is_some()).then(|| listed(&keeper, question)).transpose()?;
            if let (Some(text), Some(one)) = (find, &one)
                && !one.contains(text)
            {
                continue;
            }
            total += 1;
            shown.extend(one.filter(|_| wanted));
        }
    }
    if data.json {
        return output::print_json(&shown);
    }
    let head = match &*data.language {
        "en" => ["record", "other", "bits", "one", "two"],
        _ => ["记录", "另一记录", "合计", "甲", "乙"],
    };
    let mut table = output::table(&head);
    let last = offset + shown.len();
    for Listed { question, one, two, .. } in shown {
        let bits = match (question.why.is_conflict(), &*data.language) {
            (true, "en") => "keys".to_owned(),
            (true, _) => "标识冲突".to_owned(),
            (false, _) => format!("{:+.1}", question.why.bits),
        };
        table.add_row([question.record, question.other, bits, headline(&one), headline(&two)]);
    }
    output::print_table(
        &table,
        match (total > 0, &*data.language) {
            (true, "en") => "no pairs there",
            (true, _) => "此处没有记录",
            (false, "en") => "nothing waits",
            (false, _) => "没有待核对的记录",
        },
    )?;
    match total > last.saturating_sub(offset) {
        false => Ok(()),
        true => output::print(&match &*data.language {
            "en" => {
                format!("\n{} to {last} of {total} pairs; --offset and --limit show others\n", offset + 1)
            }
            _ => format!("\n第{}至{last}对，共{total}对；用 --offset 和 --limit 翻看其余\n", offset + 1),
        }),
    }
}

impl Listed {
    fn contains(&self, text: &str) -> bool {
        let Question { record, other, why } = &self.question;
        let values = self.one.iter().chain(&self.two).map(|said| &*said.value);
        let mut all = values.chain([&**record, other, &why.sender, &why.with_sender]);
        all.any(|value| value.contains(text))
    }
}

fn listed(keeper: &Keeper, question: Question) -> anyhow::Result<Listed> {
    let (one, two) = (keeper.inspect.values(&question.record)?, keeper.inspect.values(&question.other)?);
    Ok(Listed { pipeline: keeper.pipeline.clone(), stage: keeper.stage.clone(), question, one, two })
}

/// What people call a record: its first texts in words.
fn headline(values: &[Said]) -> String {
    let words = values.iter().filter(|said| !said.value.is_ascii()).take(2);
    let words: Vec<&str> = words.map(|said| &*said.value).collect();
    match words.is_empty() {
        true => values.first().map(|said| said.value.clone()).unwrap_or_default(),
        false => words.join(", "),
    }
}

/// The open question about a pair.
fn asked(pair: &Pair) -> anyhow::Result<Option<(Keeper, Question)>> {
    let other = pair.other.as_deref();
    let mut found = Vec::new();
    for keeper in keepers(&open(&pair.data)?)? {
        if pair.pipeline.as_ref().is_some_and(|name| *name != keeper.pipeline) {
            continue;
        }
        let about = |question: &Question| {
            let is = |one: &str, two: &str| {
                one.starts_with(&pair.record) && other.is_none_or(|other| two.starts_with(other))
            };
            is(&question.record, &question.other) || is(&question.other, &question.record)
        };
        let questions: Vec<Question> = keeper.inspect.queue()?.into_iter().filter(about).collect();
        if let [one] = questions.as_slice() {
            found.push((keeper, one.clone()));
        } else if !questions.is_empty() {
            let pairs: Vec<String> = questions.iter().map(|q| format!("{} {}", q.record, q.other)).collect();
            bail!("several questions are open there, name both records: {}", pairs.join("; "));
        }
    }
    if let [(one, _), (other, _), ..] = found.as_slice() {
        let names = format!("{}, {}", one.pipeline, other.pipeline);
        bail!("several pipelines ask about it, name one with --pipeline: {names}");
    }
    Ok(found.pop())
}

fn show(pair: &Pair) -> anyhow::Result<()> {
    let (keeper, question) =
        asked(pair)?.context("no such question is open; `huiliu review list` shows all")?;
    let listed = listed(&keeper, question)?;
    if pair.data.json {
        return output::print_json(&listed);
    }
    let (question, language) = (&listed.question, &*pair.data.language);
    let (one, two) = if language == "en" { ("one", "other") } else { ("甲", "乙") };
    output::print(&format!("{one}: {}\n{two}: {}\n\n", question.record, question.other))?;
    output::print_table(&comparison(&listed.one, &listed.two, &question.why, language), "")?;
    output::print(&format!("\n{}\n", verdict(&question.why, language)))
}

fn decide(word: Word, pair: &Pair, who: Who) -> anyhow::Result<()> {
    let (keeper, record, other) = match asked(pair)? {
        Some((keeper, question)) => (keeper, question.record, question.other),
        // People may know of pairs that nobody asked about.
        None => {
            let other = pair.other.as_deref();
            let other = other.context("no question is open about it; name both records")?;
            let store = open(&pair.data)?;
            let (record, other) = (linkage::meant(&store, &pair.record)?, linkage::meant(&store, other)?);
            let (keeper, record) = linkage::keeper_of(&store, &record, pair.pipeline.as_deref())?;
            let Some(other) = keeper.inspect.now(&other)? else {
                bail!("pipeline `{}` keeps no record `{other}`", keeper.pipeline);
            };
            if record == other {
                bail!(
                    "`{}` and `{}` are one record already",
                    pair.record,
                    pair.other.as_deref().unwrap_or_default()
                );
            }
            (keeper, record, other)
        }
    };
    let decision = Decision { other: Some(other), ..Decision::new(word, &record) };
    linkage::decide(&keeper, &pair.data, who, decision)
}

fn log(data: &DataArgs) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for keeper in keepers(&open(data)?)? {
        all.extend(keeper.inspect.decisions()?);
    }
    if data.json {
        return output::print_json(&all);
    }
    let head = match &*data.language {
        "en" => ["when", "who", "decision", "what came of it", "why"],
        _ => ["时间", "何人", "决定", "结果", "原因"],
    };
    let mut table = output::table(&head);
    for entry in all {
        let decision = &entry["decision"];
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        table.add_row([
            output::time(decision["at_ms"].as_i64().unwrap_or_default()),
            text(&decision["by"]),
            text(&decision["word"]),
            linkage::came(&entry, &data.language),
            text(&decision["why"]),
        ]);
    }
    output::print_table(&table, if data.language == "en" { "nothing was decided yet" } else { "尚无决定" })
}
