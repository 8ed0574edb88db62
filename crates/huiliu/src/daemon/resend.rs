//! Rows on their way out of quarantine: as files in the daemon's own folder for retries.
//!
//! Three steps, so that a row is sent once whatever happens: the file is written under a hidden name, the rows are
//! marked as retried with the name of the file, the file gets its name. Interrupted before the mark, the
//! rows are still open and the hidden file means nothing; interrupted after it,
//! [`finish_interrupted`] does the last step. `retry.rs` reads the files.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use huiliu_store::{QuarantineFilter, QuarantineRow, QuarantineStatus, SqliteStore};
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};
use tracing::warn;

use super::carried::{KEY, Was, sources};
use super::identify::delivery_id;
use crate::sinks::{WholeFile, named, sync_folder};
use crate::sources::RETRY;
use crate::sources::folder::place::{Names, Template};

/// Sends rows of one pipeline, stage, sender and file.
///
/// # Errors
/// A row is not open any more, or the file cannot be written; then no row was sent.
pub(crate) fn send(
    store: &SqliteStore,
    data: &Path,
    rows: &[QuarantineRow],
    repairs: &[(String, Value)],
    now_ms: i64,
) -> anyhow::Result<()> {
    let Some(first) = rows.first() else { return Ok(()) };
    let names: Names = [("pipeline", &first.pipeline), ("stage", &first.stage), ("sender", &first.sender)]
        .map(|(name, value)| (name.to_owned(), if value.is_empty() { "_".to_owned() } else { value.clone() }))
        .into();
    let template = Template::parse(RETRY).map_err(anyhow::Error::msg)?;
    let folder = data.join(template.fill(&names, ""));
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let name = file_name(&first.file, &ids);
    let hidden = folder.join(format!(".{name}"));
    write(store, &hidden, rows, repairs).with_context(|| format!("cannot write `{}`", hidden.display()))?;
    if let Err(refused) = store.quarantine_take_for_retry(&ids, &name, now_ms) {
        std::fs::remove_file(&hidden).with_context(|| format!("cannot remove `{}`", hidden.display()))?;
        return Err(refused.into());
    }
    show(&hidden, &name)
}

fn file_name(file: &str, ids: &[i64]) -> String {
    let all: Vec<String> = ids.iter().map(i64::to_string).collect();
    let stem = PathBuf::from(file).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{}.jsonl", named(&stem, &format!("retry-{}", delivery_id("", "", &all.join(",")))))
}

fn write(
    store: &SqliteStore,
    path: &Path,
    rows: &[QuarantineRow],
    repairs: &[(String, Value)],
) -> anyhow::Result<()> {
    let mut out = WholeFile::create(path)?;
    // Also of a row without files: it may name one that did not come, or be mended to name one that did.
    let mut packages: HashMap<&str, bool> = HashMap::new();
    for row in rows {
        if !packages.contains_key(&*row.delivery) {
            packages.insert(&row.delivery, !sources(store, &row.delivery)?.is_empty());
        }
        let was = packages.get(&*row.delivery).copied().unwrap_or_default();
        let was = was.then(|| Was { delivery: row.delivery.clone(), row: row.row });
        writeln!(out, "{}", line(was.as_ref(), row.values.get(), repairs)?)?;
    }
    Ok(out.finish()?)
}

/// A row's values with the repairs in place of what was there, and with word of the row it was if that came in a package.
/// Values that are kept are copied as text: an amount of 18 digits would not survive as a number of JSON.
fn line(was: Option<&Was>, values: &str, repairs: &[(String, Value)]) -> anyhow::Result<String> {
    let kept = members(values).context("the row's values are no JSON object")?;
    let kept = kept.into_iter().filter(|(key, _)| repairs.iter().all(|(name, _)| name != key));
    let kept = kept.map(|(key, value)| format!("{}:{value}", Value::String(key)));
    let new = repairs.iter().map(|(name, value)| format!("{}:{value}", Value::String(name.clone())));
    let was = was.map(|was| Ok::<_, serde_json::Error>(format!("\"{KEY}\":{}", serde_json::to_string(was)?)));
    let members: Vec<String> = was.transpose()?.into_iter().chain(kept).chain(new).collect();
    Ok(format!("{{{}}}", members.join(",")))
}

/// The members of a JSON object, each value as it is written.
pub(crate) fn members(object: &str) -> Option<Vec<(String, &str)>> {
    let mut rest = object.trim().strip_prefix('{')?.trim_start();
    let mut found = Vec::new();
    while !rest.starts_with('}') {
        let mut keys = Deserializer::from_str(rest).into_iter::<String>();
        let key = keys.next()?.ok()?;
        rest = rest.get(keys.byte_offset()..)?.trim_start().strip_prefix(':')?.trim_start();
        let mut values = Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let (value, behind) = rest.split_at_checked(values.byte_offset())?;
        found.push((key, value));
        rest = behind.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    Some(found)
}

/// Gives a hidden file its name. Another process may have done so since.
fn show(hidden: &Path, name: &str) -> anyhow::Result<()> {
    let path = hidden.with_file_name(name);
    match std::fs::rename(hidden, &path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot write `{}`", path.display()))
        }
        _ => Ok(sync_folder(path.parent())?),
    }
}

/// Sends what was marked as sent when a retry was interrupted.
///
/// # Errors
/// The store cannot be read. A file that cannot be handled is told and left.
pub(crate) fn finish_interrupted(store: &SqliteStore, data: &Path) -> anyhow::Result<()> {
    let Some(root) = RETRY.split('/').next() else { return Ok(()) };
    let mut folders = vec![data.join(root)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            match name.strip_prefix('.').filter(|name| name.ends_with(".jsonl")) {
                Some(name) if is_marked(store, name)? => {
                    if let Err(error) = show(&path, name) {
                        warn!(error = format!("{error:#}"), "a retry waits");
                    }
                }
                None if entry.file_type().is_ok_and(|kind| kind.is_dir()) => folders.push(path),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether rows were marked as sent in a file of this name: all of its rows are, or none is. The name stands for
/// the rows, and no row is marked twice.
fn is_marked(store: &SqliteStore, name: &str) -> anyhow::Result<bool> {
    let status = Some(QuarantineStatus::Retried);
    let filter =
        QuarantineFilter { status, note: Some(name.to_owned()), limit: Some(1), ..Default::default() };
    Ok(!store.quarantine_list(&filter)?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repaired_line_keeps_every_digit_of_what_was_not_repaired() {
        let values = r#"{"name":"甲\"乙","total":12345678901234.5678,"tags":["a",{"b":1}],"start":null}"#;
        let repairs = [("name".to_owned(), Value::from("丙")), ("leader".to_owned(), Value::from("王某"))];
        assert_eq!(
            line(None, values, &repairs).unwrap(),
            r#"{"total":12345678901234.5678,"tags":["a",{"b":1}],"start":null,"name":"丙","leader":"王某"}"#
        );
        assert_eq!(line(None, "{}", &[]).unwrap(), "{}");
        assert!(line(None, "[1]", &[]).is_err() && line(None, r#"{"a":}"#, &[]).is_err());
    }
}
