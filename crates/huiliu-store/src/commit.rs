//! The one commit point: a delivery becomes so in one transaction, or not at all.
//!
//! A file that came before from the same sender under the same name, with other content, is corrected by the new
//! one: the ledger links them, and what was still open in quarantine of the earlier one is resolved.

use std::collections::BTreeMap;

use huiliu_pipeline::ports::{Commit, Counts, Delivery, State, Stream};
use huiliu_stage::Finding;

use crate::database::{Database, Durability};
use crate::error::{Error, Result};
use crate::ledger::{self, Finished};
use crate::log::{LogFolder, Sealed};
use crate::{evidence, quarantine, replaced, state};

/// From so many changes on, a larger cache is worth its memory while it lasts: the upper pages of a tree with millions of
/// keys are read once then, and not for every change.
const BULK: usize = 2_000;

/// Commits; a delivery that is committed already stays as it is, the new log is dropped and the
/// answer is the place of the first. So a delivery run twice counts once.
pub(crate) fn commit(database: &Database, logs: &LogFolder, mut commit: Commit<'_>) -> Result<u64> {
    let name = commit.log.name();
    let sealed = logs.sealed(&name)?;
    let changes: usize = commit.state.iter().map(|(_, changes)| changes.len()).sum();
    let (rejects, _) = commit.log.size(Stream::Rejects);
    let work = |transaction: &rusqlite::Transaction<'_>| {
        let id = &commit.delivery.id;
        match ledger::line(transaction, commit.delivery)? {
            (State::Committed, seq) => return Ok((seq, false)),
            (State::Refused, _) => return Err(Error::failed(format!("delivery `{id}` was refused already"))),
            (State::Seen, _) => {}
        }
        for (slot, changes) in &mut commit.state {
            state::apply(transaction, slot, changes)?;
        }
        ledger::put_findings(transaction, id, &commit.findings)?;
        evidence::put(transaction, id, &commit.evidence)?;
        replaced::put(transaction, id, &commit.replaced)?;
        quarantine::put(transaction, id, logs.read(&name, Stream::Rejects, sealed.rejects.clone())?)?;
        let seq = ledger::next_seq(transaction)?;
        let end = Finished {
            state: State::Committed,
            seq,
            counts: commit.counts,
            codes: &commit.codes,
            report: &commit.report,
            sheets: &commit.sheets,
            rules: &commit.rules,
            log: Some(&name),
            sealed,
        };
        ledger::finish(transaction, id, &end)?;
        if let Some(earlier) = ledger::corrected(transaction, commit.delivery)? {
            ledger::set_supersedes(transaction, id, &earlier)?;
            quarantine::resolve(transaction, &earlier, id, commit.delivery.received_ms)?;
        }
        Ok((seq, true))
    };
    let (seq, new) = match changes + rejects as usize {
        0..BULK => database.write(Durability::Synced, work)?,
        _ => database.write_bulk(Durability::Synced, work)?,
    };
    if new {
        logs.keep(&name);
    }
    Ok(seq)
}

/// Notes that a delivery was not taken. Refusing again changes what is said; a committed delivery
/// cannot be refused.
pub(crate) fn refuse(
    database: &Database,
    delivery: &Delivery,
    counts: Counts,
    findings: &[Finding],
    sheets: &[String],
    report: &serde_json::Value,
) -> Result<()> {
    let mut codes = BTreeMap::new();
    for finding in findings {
        *codes.entry(finding.code.clone()).or_default() += 1;
    }
    database.write(Durability::Synced, |transaction| {
        let id = &delivery.id;
        if let (State::Committed, _) = ledger::line(transaction, delivery)? {
            return Err(Error::failed(format!("delivery `{id}` was committed already")));
        }
        ledger::put_findings(transaction, id, findings)?;
        let end = Finished {
            state: State::Refused,
            seq: 0,
            counts,
            codes: &codes,
            report,
            sheets,
            rules: "",
            log: None,
            sealed: Sealed::default(),
        };
        ledger::finish(transaction, id, &end)
    })
}

#[cfg(test)]
mod tests {
    use huiliu_pipeline::ports::{Counts, State, Store, Stream};
    use huiliu_stage::{Finding, Severity, row_id};

    use crate::testing::*;
    use crate::{QuarantineFilter, QuarantineStatus, SqliteStore};

    fn names(cells: &[&str]) -> arrow::array::RecordBatch {
        batch(&[("name", cells)], 1)
    }

    #[test]
    fn a_commit_survives_and_nothing_before_it_does() {
        let (folder, store) = store();
        let delivery = delivery("a");
        assert_eq!(store.see(&delivery).unwrap().attempts, 1);
        let entry = store.see(&delivery).unwrap();
        assert_eq!((entry.attempts, entry.state, entry.seq), (2, State::Seen, 0));
        let streams = [(Stream::Records, names(&["甲", "乙"])), (Stream::Rejects, rejects(&[3]))];
        let mut commit = outcome(&delivery, sealed(&store, &delivery, &streams));
        let shown = Finding::new(Some(row_id(1, 3)), Severity::Error, "V04", "信用代码错误".into());
        commit.findings = vec![shown.clone(), Finding::new(None, Severity::Info, "note", "好".into())];
        commit.state = vec![("projects/dedup".into(), vec![(b"k".to_vec(), Some(b"v".to_vec()))])];
        let seq = store.commit(commit).unwrap();
        drop(store);

        let store = SqliteStore::open_exclusive(folder.path()).unwrap();
        let entry = store.see(&delivery).unwrap();
        assert_eq!((entry.attempts, entry.state, entry.seq), (2, State::Committed, seq));
        assert_eq!((entry.counts.rows_in, entry.counts.quarantined), (3, 1));
        assert_eq!(entry.codes["V04"], 1);
        assert_eq!(entry.report["format"], "xlsx");
        let findings = store.findings("a").unwrap();
        assert_eq!(findings[0], (shown, "二".to_owned()));
        assert_eq!(findings[1].1, "");
        assert_eq!(store.state_get("projects/dedup", b"k").unwrap(), Some(b"v".to_vec()));
        assert_eq!(store.quarantine_list(&QuarantineFilter::default()).unwrap().len(), 1);
        assert_eq!(store.check_balance().unwrap(), []);
    }

    #[test]
    fn a_file_of_the_same_name_corrects_the_earlier_one_and_closes_its_open_rows() {
        let (_folder, store) = store();
        let sent = |id: &str, sender: &str, rows: &[i64]| {
            let file = "周报.xlsx".to_owned();
            let delivery = huiliu_pipeline::ports::Delivery { sender: sender.into(), file, ..delivery(id) };
            store.see(&delivery).unwrap();
            let streams = [(Stream::Rejects, rejects(rows))];
            store.commit(outcome(&delivery, sealed(&store, &delivery, &streams))).unwrap();
            store.delivery(id).unwrap().supersedes
        };
        assert_eq!(sent("a", "发改局", &[1, 2]), None);
        store.quarantine_set(&[1], QuarantineStatus::Discarded, "重复", 7).unwrap();
        assert_eq!(sent("b", "住建局", &[1]), None, "another sender's file");
        assert_eq!(sent("c", "发改局", &[1]), Some("a".into()));
        assert_eq!(sent("d", "发改局", &[]), Some("c".into()), "the last one");
        let status: Vec<_> = store.quarantine_list(&QuarantineFilter::default()).unwrap();
        let status: Vec<_> = status.iter().map(|row| (&*row.delivery, row.status, &*row.note)).collect();
        use QuarantineStatus::{Discarded, Open, Resolved};
        assert_eq!(
            status,
            [
                ("a", Discarded, "重复"),
                ("a", Resolved, "corrected by delivery c"),
                ("b", Open, ""),
                ("c", Resolved, "corrected by delivery d"),
            ]
        );
    }

    #[test]
    fn a_delivery_committed_twice_counts_once() {
        let (folder, store) = store();
        let rows = [(Stream::Records, large()), (Stream::Rejects, rejects(&[2]))];
        let first = commit(&store, "a", &rows).unwrap();
        let again = commit(&store, "a", &rows).unwrap();
        assert_eq!((first, again), (1, 1));
        assert_eq!(log_files(&folder), ["a-1.records.arrow"]);
        assert_eq!(store.quarantine_list(&QuarantineFilter::default()).unwrap().len(), 1);
        assert_eq!(commit(&store, "b", &rows).unwrap(), 2);
    }

    #[test]
    fn a_commit_that_fails_leaves_the_delivery_as_it_was() {
        let (folder, store) = store();
        let delivery = delivery("a");
        store.see(&delivery).unwrap();
        let streams = [(Stream::Records, large()), (Stream::Rejects, names(&["not the shape of rejects"]))];
        let mut commit = outcome(&delivery, sealed(&store, &delivery, &streams));
        commit.state = vec![("s".into(), vec![(b"k".to_vec(), Some(b"v".to_vec()))])];
        commit.findings = vec![Finding::new(None, Severity::Info, "note", "好".into())];
        assert!(store.commit(commit).is_err());
        assert_eq!(store.state_get("s", b"k").unwrap(), None);
        assert_eq!(store.findings("a").unwrap(), []);
        assert_eq!(store.delivery("a").unwrap().state, State::Seen);
        assert!(log_files(&folder).is_empty());
    }

    #[test]
    fn a_delivery_is_committed_or_refused_and_not_both() {
        let (_folder, store) = store();
        let refuse = |id: &str| {
            let finding = Finding::new(None, Severity::Error, "unreadable", "无法读取".into());
            let counts = Counts { rows_in: 5, refused: 5, errors: 1, ..Counts::default() };
            store.refuse(&delivery(id), counts, vec![finding], vec![], serde_json::Value::Null)
        };
        refuse("bad").unwrap();
        refuse("bad").unwrap();
        let entry = store.see(&delivery("bad")).unwrap();
        assert_eq!((entry.state, entry.seq, entry.codes["unreadable"]), (State::Refused, 0, 1));
        assert!(commit(&store, "bad", &[]).is_err());
        commit(&store, "good", &[]).unwrap();
        assert!(refuse("good").is_err());
        assert_eq!(store.delivery("good").unwrap().state, State::Committed);
        assert_eq!(store.check_balance().unwrap(), []);

        store.reopen("bad").unwrap();
        assert!(store.reopen("good").is_err());
        commit(&store, "bad", &[]).unwrap();
    }

    #[test]
    fn rows_that_are_not_accounted_for_are_told() {
        let (_folder, store) = store();
        let delivery = delivery("a");
        let mut commit = outcome(&delivery, sealed(&store, &delivery, &[(Stream::Records, names(&["甲"]))]));
        commit.counts.rows_in = 3;
        commit.counts.merged = 1;
        store.commit(commit).unwrap();
        let problems = store.check_balance().unwrap();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].problem.starts_with("3 rows came in, but accepted 1"), "{:?}", problems[0]);
    }
}
