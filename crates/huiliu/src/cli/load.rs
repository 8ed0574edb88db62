//! From paths on the command line to checked plans.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use huiliu_pipeline::diagnostic::Diagnostic;
use huiliu_pipeline::expression::Functions;
use huiliu_pipeline::host::EngineHost;
use huiliu_pipeline::plan::{Plan, StagePlace, plan};

use super::places;
use crate::catalog::Catalog;
use crate::daemon::functions::{HOLIDAYS, with_calendar};
use crate::daemon::{plan_tables, registers};

/// What checking gave: the plans that are right and everything that is wrong.
pub(super) struct Checked {
    pub(super) plans: Vec<Plan>,
    pub(super) problems: Vec<Diagnostic>,
    pub(super) files: Vec<PathBuf>,
}

/// Checks pipeline files; a folder stands for the `*.yaml` and `*.yml` in it.
///
/// # Errors
/// A path cannot be read.
pub(super) fn check(
    paths: &[PathBuf],
    catalog: &Catalog,
    functions: &Arc<Functions>,
) -> anyhow::Result<Checked> {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let found = pipeline_files(path)?;
        if found.is_empty() {
            problems.push(Diagnostic::in_file(path, "there is no pipeline (*.yaml) in this folder"));
        }
        files.extend(found);
    }
    let mut checked = Checked { plans: Vec::new(), problems, files: Vec::new() };
    for file in &files {
        // Made once for a pipeline that has a calendar, and kept: what was compiled while planning is there for running.
        let own = OnceCell::new();
        let hosts = |place: &StagePlace<'_>| -> Arc<dyn huiliu_stage::Host> {
            let slot = format!("{}/{}", place.pipeline, place.stage);
            let tables = plan_tables(place.tables);
            let functions = match place.tables.contains_key(HOLIDAYS) {
                true => own.get_or_init(|| with_calendar(tables.clone())).clone(),
                false => functions.clone(),
            };
            Arc::new(EngineHost::for_planning(&slot, functions, tables))
        };
        let read = |path: &Path| std::fs::read_to_string(path);
        let (planned, problems) = plan(file, &read, &|name| std::env::var(name).ok(), catalog, &hosts);
        checked.plans.extend(planned.map(|plan| Plan { functions: own.get().cloned(), ..plan }));
        checked.problems.extend(problems);
    }
    checked.problems.extend(same_names(&checked.plans));
    checked.problems.extend(places::check(&checked.plans));
    // What a plan that is wrong would fill is not known, and its absence would only repeat the mistake.
    if checked.problems.is_empty() {
        checked.problems.extend(registers::check(&checked.plans));
    }
    checked.problems.extend(checked.plans.iter().flat_map(missing_tables).collect::<Vec<_>>());
    checked.files = files;
    Ok(checked)
}

/// State and ledger belong to a pipeline's name, so no two may share one.
fn same_names(plans: &[Plan]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (at, plan) in plans.iter().enumerate() {
        if let Some(first) = plans.iter().take(at).find(|first| first.name == plan.name) {
            let text =
                format!("the pipeline `{}` is named as in `{}`; rename one", plan.name, first.path.display());
            found.push(Diagnostic::in_file(&plan.path, text));
        }
    }
    found
}

/// Reference tables belong to the configuration: one that cannot be read would refuse every delivery.
fn missing_tables(plan: &Plan) -> Vec<Diagnostic> {
    let tables = plan_tables(&plan.tables);
    let files = plan.tables.iter().filter(|(_, table)| table.query.is_none());
    let wrong = files.filter_map(|(name, _)| tables.table(name).err());
    wrong.map(|error| Diagnostic::in_file(&plan.path, error.to_string())).collect()
}

fn pipeline_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries =
        std::fs::read_dir(path).with_context(|| format!("cannot read folder `{}`", path.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry?.path();
        if file.is_file() && file.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Prints what is wrong to stderr, as `file:line:column: message` with the line shown.
pub(super) fn print_problems(problems: &[Diagnostic]) {
    use std::io::IsTerminal;
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    for problem in problems {
        eprintln!("{}", problem.render(color).trim_end());
    }
    let many = if problems.len() == 1 { "mistake" } else { "mistakes" };
    eprintln!("{} {many} found", problems.len());
}
