//! `huiliu pin`: sets a value of a record by hand.

use std::process::ExitCode;

use clap::Args;

use super::linkage::{self, About};
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
    #[command(flatten)]
    about: About,
    /// The field, by its name or its title
    field: String,
    /// Its value: numbers in the unit of the field, days as 2026-03-01
    #[arg(required_unless_present = "release", conflicts_with = "release", allow_hyphen_values = true)]
    value: Option<String>,
    /// Have again what was sent of the field
    #[arg(long)]
    release: bool,
}

pub(super) fn run(args: PinArgs) -> anyhow::Result<ExitCode> {
    let (keeper, record) = args.about.keeper()?;
    let word = if args.release { Word::Release } else { Word::Pin };
    let decision = Decision { field: Some(args.field), value: args.value, ..Decision::new(word, &record) };
    linkage::decide(&keeper, &args.about.data, args.about.who, decision)?;
    Ok(ExitCode::SUCCESS)
}
