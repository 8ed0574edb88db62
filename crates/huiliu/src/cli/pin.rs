//! `huiliu pin`: sets a value of a record by hand.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use huiliu_store::SqliteStore;

use super::DataArgs;
use super::linkage::{self, Who};
use crate::catalog::records::{Decision, Word};

/// Sets a value of a record by hand. It stands whatever is sent, until it is released; a sender of another value is told.
///
/// `huiliu explain` shows who set it, `huiliu review log` what came of it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  huiliu pin r04hz6w1q8m2kd7ep total_investment 12000 --why 按批复文件核定 --data /srv/huiliu
  huiliu pin 2208-320412-89-01-011527 开工时间 2026-03-01 --by 张三 --data /srv/huiliu
  huiliu pin r04hz6w1q8m2kd7ep total_investment --release --data /srv/huiliu")]
pub(super) struct PinArgs {
    /// A record: its id, a value such as a project code, or part of a name
    record: String,
    /// The field, by its name or its title
    field: String,
    /// Its value: numbers in the unit of the field, days as 2026-03-01
    #[arg(required_unless_present = "release", conflicts_with = "release", allow_hyphen_values = true)]
    value: Option<String>,
    /// Have again what was sent of the field
    #[arg(long)]
    release: bool,
    /// The pipeline that keeps the record; needed only if several do
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Option<String>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    data: DataArgs,
}

pub(super) fn run(args: PinArgs) -> anyhow::Result<ExitCode> {
    let store = Arc::new(SqliteStore::open_reader(&args.data.data)?);
    let record = linkage::meant(&store, &args.record)?;
    let (keeper, record) = linkage::keeper_of(&store, &record, args.pipeline.as_deref())?;
    let word = if args.release { Word::Release } else { Word::Pin };
    let decision = Decision { field: Some(args.field), value: args.value, ..Decision::new(word, &record) };
    linkage::decide(&keeper, &args.data, args.who, decision)?;
    Ok(ExitCode::SUCCESS)
}
