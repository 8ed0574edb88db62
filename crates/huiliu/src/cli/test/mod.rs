//! `huiliu test`: do the pipelines do what their cases say?
//!
//! A case file stands in a folder `cases` beside its pipeline. Each case sends a file or answers a schedule's
//! query ([`case`]), is played on the real
//! engine with a clock that stands still and a store of its own ([`play`]), and what came of it is held against what was
//! expected ([`compare`]); `--update` writes what came into the case file ([`update`]).

mod case;
mod compare;
mod package;
mod play;
mod update;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use huiliu_pipeline::diagnostic::Diagnostic;
use huiliu_pipeline::expression::Functions;
use huiliu_pipeline::plan::Plan;

use self::case::CaseFile;
use super::{CONFIG, FAILED, PluginArgs, load, output};
use crate::catalog::Catalog;
use crate::daemon::functions::functions;

/// Plays the cases and shows every difference between what was expected and what came, by row.
///
/// Nothing is read or written but the case files, their pipelines and a temporary folder.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  huiliu test pipelines/
  huiliu test pipelines/cases/V08.yaml --only 年度计划
  huiliu test pipelines/cases/V08.yaml --update    write what came; then read the change before keeping it

Exit codes: 0 all as expected; 1 something differs, or a case could not be played; 78 a case file or a pipeline is
wrong, or there is no such case")]
pub(super) struct TestArgs {
    /// Case files, or folders: of these every `*.yaml` in a folder `cases` at any depth
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Play only cases whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,

    /// Write what came into the case files, in the place of what was expected
    #[arg(long, conflicts_with = "only")]
    update: bool,

    #[command(flatten)]
    plugins: PluginArgs,
}

/// How many cases there were, how many were not as expected, and how many of these could not be played at all.
#[derive(Default)]
struct Score {
    all: usize,
    failed: usize,
    unplayed: usize,
}

pub(super) fn run(args: &TestArgs) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let mut files = Vec::new();
    for path in &args.paths {
        find(path, false, &mut files)?;
    }
    if files.is_empty() {
        eprintln!("huiliu: there is no case file here; cases are `*.yaml` in a folder named `cases`");
        return Ok(ExitCode::from(CONFIG));
    }
    let (read, mut problems) = read_all(&files);
    let functions = functions();
    let catalog = Catalog::new(args.plugins.plugins.as_deref(), !args.plugins.without_builtin);
    // The first of each is the one that the cases are about.
    let mut plans: BTreeMap<Vec<PathBuf>, Vec<Plan>> = BTreeMap::new();
    for (_, file) in &read {
        let pipelines = file.pipelines();
        if let Entry::Vacant(free) = plans.entry(pipelines) {
            let mut checked = check(free.key(), &catalog, &functions)?;
            problems.append(&mut checked.problems);
            checked.plans.sort_by_key(|plan| plan.path.file_name() != file.pipeline.file_name());
            free.insert(checked.plans);
        }
    }
    if !problems.is_empty() {
        load::print_problems(&problems);
        return Ok(ExitCode::from(CONFIG));
    }
    let mut score = Score::default();
    for (path, file) in &read {
        let Some(plans) = plans.get(&file.pipelines()) else { continue };
        let player = play::Player { plans, functions: &functions, file, folder: folder_of(path) };
        one_file(args, path, file, &player, &mut score)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let Score { all, failed, unplayed } = score;
    if let Some(only) = args.only.as_ref().filter(|_| all == 0) {
        eprintln!("huiliu: no case has `{only}` in its name");
        return Ok(ExitCode::from(CONFIG));
    }
    output::print(&format!("{all} cases, {failed} not as expected, {seconds:.1} s\n"))?;
    // What came of a case that could not be played is nothing that could be written.
    let failed = if args.update { unplayed } else { failed };
    Ok(if failed > 0 { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// Checks pipelines alone; one that asks registers which others fill, together with those beside it.
fn check(
    pipelines: &[PathBuf],
    catalog: &Catalog,
    functions: &Arc<Functions>,
) -> anyhow::Result<load::Checked> {
    let alone = load::check(pipelines, catalog, functions)?;
    let [pipeline] = pipelines else { return Ok(alone) };
    if alone.problems.is_empty() {
        return Ok(alone);
    }
    let beside = load::check(&[folder_of(pipeline).to_owned()], catalog, functions)?;
    Ok(if beside.problems.is_empty() { beside } else { alone })
}

/// Plays the cases of one file.
fn one_file(
    args: &TestArgs,
    path: &Path,
    file: &CaseFile,
    player: &play::Player<'_>,
    score: &mut Score,
) -> anyhow::Result<()> {
    let mut blocks = Vec::new();
    for case in &file.cases {
        if args.only.as_ref().is_some_and(|only| !case.case.contains(&**only)) {
            continue;
        }
        score.all += 1;
        let got = match player.play(case) {
            Ok(got) => got,
            Err(error) => {
                score.failed += 1;
                score.unplayed += 1;
                let told =
                    format!("FAILED {}: {}\n  it cannot be played: {error:#}\n\n", path.display(), case.case);
                output::print(&told)?;
                blocks.push((true, Vec::new()));
                continue;
            }
        };
        let about = case.about.as_ref().unwrap_or(&file.about);
        let differences = compare::differences(&case.expect, &got, about);
        if !differences.is_empty() {
            score.failed += 1;
            let word = if args.update { "CHANGED" } else { "FAILED" };
            output::print(&format!("{word} {}: {}\n{differences}\n", path.display(), case.case))?;
        }
        blocks.push((differences.is_empty(), update::block(&case.expect, &got, about)));
    }
    if args.update && blocks.iter().any(|(same, _)| !same) {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let text = update::rewrite(&text, &blocks).with_context(|| format!("`{}`", path.display()))?;
        std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

fn read_all(files: &[PathBuf]) -> (Vec<(&Path, CaseFile)>, Vec<Diagnostic>) {
    let (mut read, mut problems) = (Vec::new(), Vec::new());
    for path in files {
        match CaseFile::read(path) {
            Ok(file) => read.push((path.as_path(), file)),
            Err(found) => problems.extend(found),
        }
    }
    (read, problems)
}

/// The case files of a path: itself, or what lies in folders named `cases` below it.
fn find(path: &Path, below_cases: bool, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let here = below_cases || path.file_name().is_some_and(|name| name == "cases");
    let wrong = || format!("cannot read folder `{}`", path.display());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).with_context(wrong)? {
        entries.push(entry.with_context(wrong)?.path());
    }
    entries.sort();
    for entry in entries {
        let yaml = entry.extension().is_some_and(|e| e == "yaml" || e == "yml");
        if entry.is_dir() {
            find(&entry, here, files)?;
        } else if here && yaml {
            files.push(entry);
        }
    }
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}
