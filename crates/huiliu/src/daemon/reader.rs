//! The file reader as the engine wants it: read ahead on its own thread, and checked at the end to be the
//! file that was identified.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use huiliu_formats::read::{ReadOptions, Reading, open};
use huiliu_pipeline::ports::Evidence;
use huiliu_pipeline::run::{ReadStop, Reader};
use huiliu_stage::{Finding, Outcome, RecordSchema, Severity, Text};

use super::evidence::EvidenceFolder;
use super::spool::Taken;
use crate::sources::folder::ready::Stamp;

/// Batches that may wait between the reading thread and the stages.
const AHEAD: usize = 2;

/// What the reading thread ends with.
#[derive(Default)]
struct Ended {
    sheets: Vec<String>,
    evidence: Vec<Evidence>,
    report: serde_json::Value,
    error: Option<Finding>,
}

/// Reads a file on a thread of its own.
pub(crate) struct FileReader {
    path: PathBuf,
    stamp: Option<Stamp>,
    /// Where what comes in packages is kept.
    kept: Option<Arc<EvidenceFolder>>,
    /// What is wrong with the file as a whole, told with the first batch.
    notice: Option<Finding>,
    batches: Option<Receiver<Outcome>>,
    thread: Option<JoinHandle<Ended>>,
    ended: Option<Ended>,
}

impl FileReader {
    /// Starts reading what was taken. An original must bear the same stamp at the end; a copy cannot change.
    pub(crate) fn start(
        taken: &Taken,
        notice: Option<Finding>,
        record: &RecordSchema,
        mut options: ReadOptions,
        kept: Option<Arc<EvidenceFolder>>,
    ) -> Self {
        let (path, stamp) = (&taken.content, (!taken.copied).then_some(taken.stamp));
        if let Some(kept) = &kept {
            options.temp_dir = Some(kept.path().to_owned());
            options.keeper = Some(kept.clone());
        }
        let (send, batches) = sync_channel(AHEAD);
        let (at, record) = (path.to_owned(), record.clone());
        let work = move || match open(&at, &record, &options) {
            Err(error) => Ended { error: Some(*error.finding), ..Ended::default() },
            Ok(mut reading) => {
                let mut error = None;
                for read in reading.by_ref() {
                    match read {
                        Ok(outcome) => {
                            if send.send(outcome).is_err() {
                                break; // Nobody receives: the delivery was given up.
                            }
                        }
                        Err(why) => {
                            error = Some(*why.finding);
                            break;
                        }
                    }
                }
                ended(&reading, error)
            }
        };
        let thread = std::thread::Builder::new().name("read".into()).spawn(work);
        let mut reader = Self {
            path: path.clone(),
            stamp,
            notice,
            kept,
            batches: Some(batches),
            thread: None,
            ended: None,
        };
        match thread {
            Ok(thread) => reader.thread = Some(thread),
            Err(error) => reader.ended = Some(broken(&format!("cannot start a thread: {error}"))),
        }
        reader
    }

    /// Waits for the thread and keeps what it ends with.
    fn join(&mut self) -> &Ended {
        let thread = &mut self.thread;
        self.ended.get_or_insert_with(|| match thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(panic)) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                broken(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("panic"))
            }
            None => broken("the reader never started"),
        })
    }

    fn changed(&self) -> bool {
        let Some(stamp) = self.stamp else { return false };
        !std::fs::symlink_metadata(&self.path).is_ok_and(|meta| Stamp::of(&meta) == stamp)
    }
}

fn ended(reading: &Reading, error: Option<Finding>) -> Ended {
    Ended {
        sheets: reading.sheets(),
        evidence: reading.evidence().map(named).unwrap_or_default(),
        report: serde_json::to_value(reading.report()).unwrap_or_default(),
        error,
    }
}

/// The reader itself failed on this file. Only this file is lost for now; it goes back to its sender.
fn broken(why: &str) -> Ended {
    let text = Text::new(
        format!("读取程序在此文件上出错，文件未被接收，请联系管理员：{why}"),
        format!("the reader failed on this file, which was not taken; tell the administrator: {why}"),
    );
    Ended { error: Some(Finding::new(None, Severity::Error, "V26", text)), ..Ended::default() }
}

/// Attachments as the store keeps them: a line for each row, or one for an attachment that belongs to none.
fn named(found: &huiliu_formats::read::Evidence) -> Vec<Evidence> {
    let mut rows = vec![Vec::new(); found.attachments.len()];
    for link in &found.links {
        if let Some(rows) = rows.get_mut(link.attachment) {
            rows.push((Some(link.row), link.field.clone()));
        }
    }
    let mut all = Vec::new();
    for (attachment, mut rows) in found.attachments.iter().zip(rows) {
        if rows.is_empty() {
            rows.push((None, None));
        }
        all.extend(rows.into_iter().map(|(row, field)| Evidence {
            name: attachment.name.clone(),
            hash: attachment.hash.clone(),
            bytes: attachment.bytes,
            row,
            field,
            record: None,
        }));
    }
    all
}

impl Reader for FileReader {
    fn next(&mut self) -> Option<Result<Outcome, ReadStop>> {
        if let Some(mut outcome) = self.batches.as_ref().and_then(|batches| batches.recv().ok()) {
            outcome.findings.0.extend(self.notice.take());
            return Some(Ok(outcome));
        }
        self.batches = None;
        if self.changed() {
            return Some(Err(ReadStop::Again("the file changed while it was read".to_owned())));
        }
        let error = self.join().error.clone();
        if let Some(why) = self.kept.as_ref().and_then(|kept| kept.failure()) {
            return Some(Err(ReadStop::Again(why)));
        }
        error.map(|why| Err(ReadStop::Refuse(Box::new(why))))
    }

    fn sheets(&self) -> Vec<String> {
        self.ended.as_ref().map(|ended| ended.sheets.clone()).unwrap_or_default()
    }

    fn report(&self) -> serde_json::Value {
        self.ended.as_ref().map(|ended| ended.report.clone()).unwrap_or_default()
    }

    fn evidence(&self) -> Vec<Evidence> {
        self.ended.as_ref().map(|ended| ended.evidence.clone()).unwrap_or_default()
    }
}

impl Drop for FileReader {
    fn drop(&mut self) {
        // Without a receiver the thread ends at its next batch.
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
