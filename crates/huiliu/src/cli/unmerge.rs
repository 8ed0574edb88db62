//! `huiliu unmerge`: takes a record apart again.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::linkage::{self, About};
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
    #[command(flatten)]
    about: About,
    /// What to split off: a sender, a file, a delivery, or the id of a record that was merged into it
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
}

pub(super) fn run(args: UnmergeArgs) -> anyhow::Result<ExitCode> {
    let (keeper, record) = args.about.keeper()?;
    let parts = keeper.inspect.parts(&record)?;
    if let Err((zh, en)) = may_split(&parts, &record, args.source.as_deref()) {
        bail!("{}", if args.about.data.language == "en" { en } else { zh });
    }
    let decision = Decision { source: args.source, ..Decision::new(Word::Unmerge, &record) };
    linkage::decide(&keeper, &args.about.data, args.about.who, decision)?;
    Ok(ExitCode::SUCCESS)
}
