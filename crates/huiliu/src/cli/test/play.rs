//! Plays one case: its deliveries and ticks, one after the other, on a store in a temporary folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, bail};
use huiliu_pipeline::expression::Functions;
use huiliu_pipeline::plan::Plan;
use huiliu_pipeline::ports::{LedgerEntry, State, Stream};
use huiliu_stage::Finding;
use huiliu_stage::json::{json_columns, write_value};
use huiliu_store::Record;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::Value;

use super::case::{Case, CaseFile, Content, Fate, Row, Sent};
use super::package;
use crate::catalog;
use crate::daemon::registers;
use crate::daemon::rehearse::Rehearsal;
use crate::sources::folder::place::one_component;

/// Columns that begin with this tell of commitments; the first says how one stands.
const COMMITMENT: &str = "commitment_status";

/// What is needed to play the cases of one file.
pub(super) struct Player<'a> {
    /// The pipeline that the cases are about, and those that play along.
    pub(super) plans: &'a [Plan],
    pub(super) functions: &'a Arc<Functions>,
    pub(super) file: &'a CaseFile,
    /// Folder of the case file, to which its paths are relative.
    pub(super) folder: &'a Path,
}

/// What came of a case: of its last delivery, or of all ticks of its last step.
pub(super) struct Got {
    pub(super) state: Fate,
    pub(super) quarantined: u64,
    pub(super) findings: Vec<Finding>,
    /// Rows that came out of the last stage in the last delivery.
    pub(super) records: Vec<Row>,
    /// The last row of each record over all deliveries that has a commitment.
    pub(super) commitments: Vec<Row>,
    /// All records of the register that the pipeline fills or changes, in the order in which they first came.
    pub(super) register: Vec<Row>,
}

/// A case while it is played.
struct Stage<'a> {
    rehearsal: Rehearsal<'a>,
    data: PathBuf,
    /// By pipeline: up to when its ticks are done. What has none yet began with the case.
    ticked: BTreeMap<String, Timestamp>,
    began: Timestamp,
}

/// A folder that is gone when it is let go of.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("huiliu-test-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("cannot make folder `{}`", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "not removed");
        }
    }
}

impl Player<'_> {
    /// Plays a case.
    ///
    /// # Errors
    /// It cannot be played: a file it names is not there, a time is none, the temporary folder cannot be used.
    pub(super) fn play(&self, case: &Case) -> anyhow::Result<Got> {
        let scratch = Scratch::new()?;
        let first = case.earlier.first().unwrap_or(&case.sent);
        let mut stage = Stage {
            rehearsal: Rehearsal::open(&scratch.0, self.plans, self.functions.clone())?,
            data: scratch.0.clone(),
            ticked: BTreeMap::new(),
            began: self.moment(self.plan(first)?, first)?,
        };
        let (mut all, mut last) = (Vec::new(), Vec::new());
        for (number, sent) in case.earlier.iter().chain([&case.sent]).enumerate() {
            last = self.step(&mut stage, sent, number)?;
            all.extend(last.iter().flat_map(|(_, records)| records.iter().cloned()));
        }
        let mut got = Got {
            state: Fate::Committed,
            quarantined: 0,
            findings: Vec::new(),
            records: Vec::new(),
            register: self.register(&stage, &all)?,
            commitments: commitments(all),
        };
        for (entry, records) in last {
            if entry.state != State::Committed {
                got.state = Fate::Refused;
            }
            got.quarantined += entry.counts.quarantined;
            let findings = stage.rehearsal.store.findings(&entry.delivery.id)?;
            got.findings.extend(findings.into_iter().map(|(finding, _)| finding));
            got.records.extend(records);
        }
        Ok(got)
    }

    /// Plays a delivery, or the ticks that are due by then: the lines of the ledger and the rows that came out.
    fn step(
        &self,
        stage: &mut Stage<'_>,
        sent: &Sent,
        number: usize,
    ) -> anyhow::Result<Vec<(LedgerEntry, Vec<Row>)>> {
        let plan = self.plan(sent)?;
        let now = self.moment(plan, sent)?;
        let rehearsal = &stage.rehearsal;
        // The rows are read before a register that has taken them lets the log go of them.
        let keep = |entry: LedgerEntry| -> anyhow::Result<(LedgerEntry, Vec<Row>)> {
            let rows = records(rehearsal, &entry)?;
            rehearsal.fill_registers(plan)?;
            Ok((entry, rows))
        };
        if !sent.tick {
            let entry = self.deliver(stage, plan, sent, (number, now))?;
            return Ok(vec![keep(entry)?]);
        }
        let after = stage.ticked.get(&plan.name).copied().unwrap_or(stage.began);
        let ticks = rehearsal.ticks(plan, after, now)?;
        if ticks.is_empty() {
            bail!("the schedule of `{}` has no tick after {after} up to {now}", plan.name);
        }
        let played = ticks.into_iter().map(|at| keep(rehearsal.tick(plan, at)?)).collect();
        stage.ticked.insert(plan.name.clone(), now);
        played
    }

    /// The pipeline that a delivery is for.
    fn plan(&self, sent: &Sent) -> anyhow::Result<&Plan> {
        let named = |plan: &&Plan| sent.to.as_ref().is_none_or(|name| plan.name == *name);
        let found = self.plans.iter().find(named);
        found.with_context(|| {
            let names: Vec<&str> = self.plans.iter().map(|plan| &*plan.name).collect();
            let name = sent.to.as_deref().unwrap_or_default();
            format!("no pipeline `{name}` plays along; there are {}", names.join(", "))
        })
    }

    fn moment(&self, plan: &Plan, sent: &Sent) -> anyhow::Result<Timestamp> {
        let zone = catalog::time_zone(&plan.timezone).map_err(anyhow::Error::msg)?;
        moment(sent.now.as_deref().unwrap_or(&self.file.now), &zone)
    }

    fn deliver(
        &self,
        stage: &Stage<'_>,
        plan: &Plan,
        sent: &Sent,
        (number, now): (usize, Timestamp),
    ) -> anyhow::Result<LedgerEntry> {
        if let Some(rows) = &sent.answer {
            return stage.rehearsal.answered(plan, now, Self::answer(plan, rows)?);
        }
        let sender = sent.sender.as_deref().unwrap_or("发改局");
        let (made_up, content) = self.content(sent, number)?;
        let folder = stage.data.join("inbox").join(one_component(sender));
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(one_component(sent.name.as_deref().unwrap_or(&made_up)));
        std::fs::write(&path, content).with_context(|| format!("cannot write `{}`", path.display()))?;
        stage.rehearsal.deliver(plan, &path, sender, now.as_millisecond())
    }

    /// What a query gives, as lines of JSON.
    fn answer(plan: &Plan, rows: &[Row]) -> anyhow::Result<Vec<u8>> {
        if catalog::schedule_of(plan).is_none() {
            bail!("`answer` is for pipelines with a schedule; send `rows` to `{}`", plan.name);
        }
        let known = |name: &str| plan.record.fields.iter().any(|field| field.name == name);
        let mut lines = Vec::new();
        for row in rows {
            if let Some(name) = row.keys().find(|name| !known(name)) {
                bail!("`{name}` is no field of the record of `{}`", plan.name);
            }
            serde_json::to_writer(&mut lines, row)?;
            lines.push(b'\n');
        }
        Ok(lines)
    }

    /// The register of the pipeline that the cases are about. `rows`: all that ever came out of a pipeline.
    fn register(&self, stage: &Stage<'_>, rows: &[Row]) -> anyhow::Result<Vec<Row>> {
        let Some((name, id)) = self.plans.first().and_then(registers::of) else { return Ok(Vec::new()) };
        let mut records = Vec::new();
        let mut after = String::new();
        loop {
            let page = stage.rehearsal.store.records(&name, &after, 1000)?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.id);
            records.extend(page);
        }
        let came = |record: &Record| {
            rows.iter().position(|row| row.get(&id).and_then(Value::as_str) == Some(&*record.id))
        };
        records.sort_by_key(|record| (came(record).is_none(), came(record)));
        let row = |record: Record| record.data.0.into_iter().map(|(field, value)| (field, value.value()));
        Ok(records.into_iter().map(|record| row(record).collect()).collect())
    }

    /// The usual name and the bytes of a delivery.
    fn content(&self, sent: &Sent, number: usize) -> anyhow::Result<(String, Vec<u8>)> {
        if let Some(rows) = &sent.rows {
            return Ok((format!("清单{number}.csv"), package::csv(rows)));
        }
        if let Some(text) = &sent.text {
            return Ok((format!("清单{number}.csv"), text.clone().into_bytes()));
        }
        if let Some(file) = &sent.file {
            let path = self.folder.join(file);
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
            let name = file.file_name().context("`file` names no file")?;
            return Ok((name.to_string_lossy().into_owned(), bytes));
        }
        let files = sent.files.iter().flatten().map(|(name, content)| {
            let content = match content {
                Content::Text(text) => text.clone().into_bytes(),
                Content::Rows(rows) => package::csv(rows),
            };
            (name.clone(), content)
        });
        let zip = package::zip(&files.collect::<Vec<_>>()).context("the package is too large")?;
        Ok((format!("材料{number}.zip"), zip))
    }
}

/// The rows that a delivery gave to the sinks.
fn records(rehearsal: &Rehearsal<'_>, entry: &LedgerEntry) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    if entry.state != State::Committed {
        return Ok(rows);
    }
    for batch in rehearsal.store.read_log(entry.seq, Stream::Records)? {
        let batch = batch?;
        let schema = batch.schema();
        let json = json_columns(&schema);
        for at in 0..batch.num_rows() {
            let mut row = Row::new();
            for ((field, column), json) in schema.fields.iter().zip(batch.columns()).zip(&json) {
                let mut text = String::new();
                write_value(&mut text, column, at, *json);
                row.insert(field.name().clone(), serde_json::from_str(&text)?);
            }
            rows.push(row);
        }
    }
    Ok(rows)
}

/// The last row of each record, in the order in which records first came, of those with a commitment.
fn commitments(rows: Vec<Row>) -> Vec<Row> {
    let mut last: Vec<(String, Row)> = Vec::new();
    for row in rows {
        let id =
            row.get("record_id").or(row.get("project_name")).map(ToString::to_string).unwrap_or_default();
        match last.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known = row,
            None => last.push((id, row)),
        }
    }
    let has_one =
        |row: &Row| row.get(COMMITMENT).and_then(|v| v.as_str()).is_some_and(|status| status != "none");
    last.into_iter().map(|(_, row)| row).filter(has_one).collect()
}

/// A time of a case: a day (nine in the morning), a local time, or a time with its zone.
pub(super) fn moment(text: &str, zone: &TimeZone) -> anyhow::Result<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let local = match (text.parse::<civil::DateTime>(), text.contains('T') || text.contains(' ')) {
        (Ok(at), true) => at,
        (Ok(at), false) => at.date().at(9, 0, 0, 0),
        (Err(_), _) => {
            bail!("`{text}` is no time; write 2026-05-06, 2026-05-06T14:30 or 2026-05-06T14:30:00+08:00")
        }
    };
    Ok(zone.to_timestamp(local)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_local_unless_it_names_its_zone() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        for (text, utc) in [
            ("2026-05-06", "2026-05-06T01:00:00Z"),
            ("2026-05-06T23:30", "2026-05-06T15:30:00Z"),
            ("2026-05-06T10:00:00Z", "2026-05-06T10:00:00Z"),
            ("2026-05-06T10:00:00+08:00", "2026-05-06T02:00:00Z"),
        ] {
            let expected: jiff::Timestamp = utc.parse().unwrap();
            assert_eq!(moment(text, &zone).unwrap(), expected, "{text}");
        }
        assert!(moment("五月六日", &zone).is_err());
    }

    #[test]
    fn a_commitment_is_told_as_the_last_delivery_left_it() {
        let rows: Vec<Row> = serde_json::from_str(
            r#"[{"record_id": "a", "commitment_status": "open"}, {"record_id": "b", "commitment_status": "none"},
                {"record_id": "a", "commitment_status": "fulfilled"}]"#,
        )
        .unwrap();
        let left: Vec<_> = commitments(rows).iter().map(|row| row["commitment_status"].clone()).collect();
        assert_eq!(left, ["fulfilled"]);
    }
}
