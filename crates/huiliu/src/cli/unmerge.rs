//! `huiliu unmerge`: takes a record apart again.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use huiliu_store::SqliteStore;

use super::DataArgs;
use super::linkage::{self, Who};
use crate::catalog::records::{Decision, Word, may_split};

/// Splits a record into two. The bigger part keeps the id, the other gets its own from before it was merged, or a new one.
/// No value is lost, and the two stay apart whatever comes.
///
/// Without `--source`, what joined by likeness or by a decision is split off, if that is one thing. `huiliu explain` shows
/// the parts of a record and what brought them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  huiliu unmerge r04hz6w1q8m2kd7ep --data /srv/huiliu
  huiliu unmerge r04hz6w1q8m2kd7ep --source 住建局 --why 一期与二期是两个项目 --data /srv/huiliu
  huiliu unmerge 2208-320412-89-01-011527 --source 五月.xlsx --data /srv/huiliu")]
pub(super) struct UnmergeArgs {
    /// A record: its id, a value such as a project code, or part of a name
    record: String,
    /// What to split off: a sender, a file, a delivery, or the id of a record that was merged into it
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// The pipeline that keeps the record; needed only if several do
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Option<String>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    data: DataArgs,
}

pub(super) fn run(args: UnmergeArgs) -> anyhow::Result<ExitCode> {
    let store = Arc::new(SqliteStore::open_reader(&args.data.data)?);
    let record = linkage::meant(&store, &args.record)?;
    let (keeper, record) = linkage::keeper_of(&store, &record, args.pipeline.as_deref())?;
    let parts = keeper.inspect.parts(&record)?;
    if let Err((zh, en)) = may_split(&parts, &record, args.source.as_deref()) {
        bail!("{}", if args.data.language == "en" { en } else { zh });
    }
    let decision = Decision { source: args.source, ..Decision::new(Word::Unmerge, &record) };
    linkage::decide(&keeper, &args.data, args.who, decision)?;
    Ok(ExitCode::SUCCESS)
}
