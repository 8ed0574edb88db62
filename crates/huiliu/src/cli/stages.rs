//! `huiliu stages`: what stages there are.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use huiliu_pipeline::diagnostic::nearest;

use super::{CONFIG, PluginArgs, output};
use crate::catalog::Catalog;

/// Lists the stages at hand, or describes one with its options.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  huiliu stages\n  huiliu stages validate\n  huiliu stages --plugins /usr/lib/huiliu"
)]
pub(super) struct StagesArgs {
    /// A stage to describe
    stage: Option<String>,

    /// Print JSON, for programs
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    plugins: PluginArgs,
}

pub(super) fn run(args: &StagesArgs) -> anyhow::Result<ExitCode> {
    let catalog = Catalog::new(args.plugins.plugins.as_deref(), !args.plugins.without_builtin);
    match &args.stage {
        Some(name) => describe(&catalog, name, args.json)?,
        None => list(&catalog, args.json)?,
    }
    Ok(if catalog.refused().is_empty() { ExitCode::SUCCESS } else { ExitCode::from(CONFIG) })
}

fn list(catalog: &Catalog, json: bool) -> anyhow::Result<()> {
    if json {
        let all: Vec<_> = catalog
            .stages()
            .iter()
            .map(|stage| {
                serde_json::json!({
                    "name": stage.info.name, "summary": stage.info.summary, "plugin": stage.plugin,
                    "version": stage.version, "builtin": Catalog::is_builtin(stage),
                    "origin": stage.origin.to_string(), "options": stage.info.options,
                })
            })
            .collect();
        return output::print_json(&serde_json::json!({ "stages": all, "refused": catalog.refused() }));
    }
    let mut table = output::table(&["stage", "what it does", "plugin", "where"]);
    for stage in catalog.stages() {
        let plugin = format!("{} {}", stage.plugin, stage.version);
        table.add_row([
            stage.info.name.clone(),
            stage.info.summary.clone(),
            plugin,
            stage.origin.to_string(),
        ]);
    }
    output::print_table(&table, "no stages")
}

fn describe(catalog: &Catalog, name: &str, json: bool) -> anyhow::Result<()> {
    let stages = catalog.stages();
    let Some(stage) = stages.iter().find(|stage| stage.info.name == name) else {
        let names = stages.iter().map(|stage| stage.info.name.as_str());
        match nearest(name, names.clone()) {
            Some(near) => bail!("there is no stage `{name}`; did you mean `{near}`?"),
            None => bail!("there is no stage `{name}`; there are: {}", names.collect::<Vec<_>>().join(", ")),
        }
    };
    if json {
        return output::print_json(&stage.info.options);
    }
    output::print(&format!(
        "{}: {}\nplugin {} {}, {}\n\noptions (JSON Schema):\n{}\n",
        stage.info.name,
        stage.info.summary,
        stage.plugin,
        stage.version,
        stage.origin,
        serde_json::to_string_pretty(&stage.info.options)?
    ))
}
