//! `huiliu check`: is the configuration right?

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{CONFIG, PluginArgs, load, output};
use crate::catalog::{self, Catalog};
use crate::daemon::clock::Clock;
use crate::daemon::functions::functions;
use crate::daemon::rules::Rules;

/// How many ticks of a schedule are shown.
const NEXT_TICKS: usize = 3;

/// Reads the configuration and the plugins, nothing else, and tells every mistake with file, line and column. A pipeline that
/// is right is told with the version of its rules, which deliveries and records will bear.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  huiliu check pipelines/\n  huiliu check a.yaml b.yaml --plugins /usr/lib/huiliu"
)]
pub(super) struct CheckArgs {
    /// Pipeline files, or folders with pipeline files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    plugins: PluginArgs,
}

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let catalog = Catalog::new(args.plugins.plugins.as_deref(), !args.plugins.without_builtin);
    let checked = load::check(&args.paths, &catalog, &functions())?;
    if !checked.problems.is_empty() || !catalog.refused().is_empty() {
        load::print_problems(&checked.problems);
        return Ok(ExitCode::from(CONFIG));
    }
    let clock = Clock::from_env()?;
    for plan in &checked.plans {
        let stages: Vec<&str> = plan.stages.iter().map(|stage| &*stage.name).collect();
        let sinks: Vec<&str> = plan.sinks.iter().map(|sink| &*sink.name).collect();
        output::print(&format!(
            "{}: pipeline `{}` is right: {} -> {} -> {}\n  rules: {}\n",
            plan.path.display(),
            plan.name,
            plan.source.0,
            if stages.is_empty() { "(no stages)".to_owned() } else { stages.join(" -> ") },
            sinks.join(", "),
            Rules::of(plan).version(),
        ))?;
        if let Some(schedule) = catalog::schedule_of(plan) {
            let next = schedule.next(clock.now(), NEXT_TICKS);
            let zone = schedule.zone.iana_name().unwrap_or_default();
            output::print(&format!("  next ticks: {} ({zone})\n", next.join(", ")))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
