//! That no folder of a pipeline gets in another's way.
//!
//! A file that the daemon writes into a folder that it watches would come in as a delivery; of two pipelines that
//! watch for the same files, the faster would put them away under the slower; two sinks with the same file names
//! would write over each other. Each part is right by itself, so it is seen only here, with all plans at hand.

use std::path::{Path, PathBuf};

use huiliu_pipeline::config::Node;
use huiliu_pipeline::diagnostic::{Diagnostic, Span};
use huiliu_pipeline::plan::Plan;

use crate::catalog;
use crate::daemon::outbox;
use crate::sources::folder::FolderSource;
use crate::sources::folder::place::Template;

/// Names in the data folder that are the daemon's own.
const OWN: [&str; 7] = ["log", "retry", "spool", "evidence", "lock", "store.sqlite", "huiliu.lock"];

/// Where a diagnostic is to point.
enum At {
    Key(Span),
    File,
}

/// A folder that is written to.
struct Written {
    folder: PathBuf,
    what: String,
    at: At,
}

/// Everything that is wrong between the folders of all pipelines.
pub(super) fn check(plans: &[Plan]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let sources: Vec<(&Plan, FolderSource)> =
        plans.iter().filter_map(|plan| Some((plan, catalog::watched_folder(plan)?))).collect();
    for plan in plans {
        let source = sources.iter().find(|(other, _)| std::ptr::eq(*other, plan)).map(|(_, source)| source);
        if let Some(source) = source {
            found.extend(own(&base(&source.path), &plan.source.1.locate("path", false)));
        }
        for written in written(plan, source) {
            if let At::Key(span) = &written.at
                && let Some(wrong) = own(&written.folder, span)
            {
                found.push(wrong);
                continue;
            }
            for (other, into) in
                sources.iter().filter(|(_, other)| overlap(&base(&other.path), &written.folder))
            {
                found.push(swallowed(plan, &written, other, into));
            }
        }
        found.extend(same_files(plan));
    }
    for (at, (plan, source)) in sources.iter().enumerate() {
        let before = sources.iter().take(at).find(|(_, other)| same_source(source, other));
        if let Some((other, _)) = before {
            let text = format!("pipeline `{}` already takes such files from this folder", other.name);
            let help = "give each pipeline a folder or `include` patterns of its own";
            found.push(Diagnostic::new(&plan.source.1.locate("path", false), text).with_help(help));
        }
    }
    found
}

fn swallowed(plan: &Plan, written: &Written, other: &Plan, into: &FolderSource) -> Diagnostic {
    let text = format!(
        "{} would be taken for a delivery: pipeline `{}` watches `{}`",
        written.what, other.name, into.path
    );
    let text = match &written.at {
        At::Key(span) => return Diagnostic::new(span, text).with_help("choose a folder outside of it"),
        At::File => text,
    };
    Diagnostic::in_file(&plan.path, text).with_help("choose a folder outside of it")
}

/// Folders that a pipeline writes to.
fn written(plan: &Plan, source: Option<&FolderSource>) -> Vec<Written> {
    let key = |node: &Node, key: &str| At::Key(node.locate(key, false));
    let options = &plan.source.1;
    let mut all = Vec::new();
    if let Some(source) = source {
        all.extend([
            Written {
                folder: base(&source.archive),
                what: "what is archived".into(),
                at: key(options, "archive"),
            },
            Written {
                folder: base(&source.returned),
                what: "what is returned".into(),
                at: key(options, "returned"),
            },
            Written {
                folder: base(&outbox(plan.receipts.path.as_deref())),
                what: "a receipt".into(),
                at: At::File,
            },
        ]);
    }
    for sink in &plan.sinks {
        if let Some(path) = sink.options.get("path").and_then(Node::as_str) {
            all.push(Written {
                folder: clean(path),
                what: format!("what the sink `{}` writes", sink.name),
                at: key(&sink.options, "path"),
            });
        }
    }
    all
}

/// Two sinks of one kind in one folder: their files have the same names.
fn same_files(plan: &Plan) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let place = |at: usize| {
        let sink = plan.sinks.get(at)?;
        Some((&sink.kind, clean(sink.options.get("path").and_then(Node::as_str)?)))
    };
    for at in 0..plan.sinks.len() {
        let first = (0..at).find(|&first| place(at).is_some() && place(first) == place(at));
        if let (Some(first), Some(sink)) = (first.and_then(|first| plan.sinks.get(first)), plan.sinks.get(at))
        {
            let text = format!("the sink `{}` writes files of the same names into this folder", first.name);
            found.push(Diagnostic::new(&sink.options.locate("path", false), text));
        }
    }
    found
}

fn own(folder: &Path, span: &Span) -> Option<Diagnostic> {
    let text = match folder.components().next() {
        None => "the data folder itself cannot be used; name a folder in it".to_owned(),
        Some(first) if OWN.iter().any(|own| first.as_os_str() == *own) => {
            format!("`{}` in the data folder is the daemon's own", first.as_os_str().display())
        }
        Some(_) => return None,
    };
    Some(Diagnostic::new(span, text))
}

/// Whether two sources would take the same file. Of patterns only the plain case is seen: that one takes what the
/// other one's pattern looks like.
fn same_source(a: &FolderSource, b: &FolderSource) -> bool {
    let takes = |one: &FolderSource, other: &FolderSource| {
        other.include.iter().any(|pattern| one.takes(&pattern.replace(['*', '?'], "x")))
    };
    overlap(&base(&a.path), &base(&b.path)) && (takes(a, b) || takes(b, a))
}

/// Whether one is the other or lies in it.
fn overlap(a: &Path, b: &Path) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

fn base(template: &str) -> PathBuf {
    Template::parse(template).map(|template| template.base()).unwrap_or_default()
}

fn clean(path: &str) -> PathBuf {
    Path::new(path).components().filter(|part| *part != std::path::Component::CurDir).collect()
}
