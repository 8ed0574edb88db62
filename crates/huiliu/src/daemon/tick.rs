//! What a worker does at a tick of a schedule: asks the register, and runs the rows as a delivery.
//!
//! The delivery is named by pipeline and time, so a tick is run once however often it is offered. For its stages it is
//! the time of the tick. Nobody sent it, so there is nobody to answer and nothing to put away.

use std::io::Cursor;

use huiliu_pipeline::ports::{Delivery, State, Store, StoreError};
use huiliu_pipeline::run::{Now, Ran, ReadStop, Reader, RunError};
use huiliu_stage::{Finding, Outcome, Severity, Text};
use jiff::Timestamp;
use tracing::info;

use super::clock::at_in;
use super::identify::{delivery_id, origin_of};
use super::retry::RetryReader;
use super::worker::{Totals, Worker, local_day};
use crate::sources::Tick;

/// What the origin of a tick begins with, where that of a file is its path.
pub(crate) const ORIGIN: &str = "schedule:";
/// Who a tick is from.
const SENDER: &str = "schedule";

/// Under which id the tick of a pipeline at a time is in the ledger.
pub(super) fn tick_id(pipeline: &str, at: Timestamp) -> String {
    delivery_id(pipeline, SENDER, &at.to_string())
}

impl Worker {
    /// Runs a tick to its end, unless it was run before; tells whether it was committed. One that was refused (a query
    /// or stage failed) is nobody's to send again, so it is to be offered again.
    ///
    /// # Errors
    /// The store failed or the daemon stops; nothing of it is kept.
    pub(super) fn tick(&mut self, tick: &Tick) -> Result<bool, RunError> {
        let now = at_in(tick.at.as_millisecond(), &self.zone);
        let delivery = self.delivery_of(tick.at, &tick.file, now);
        self.tick_with(&delivery, now, None)
    }

    /// Runs the tick of a time as if the register had answered with these rows (JSON Lines): how cases are played.
    ///
    /// # Errors
    /// As [`tick`](Self::tick).
    pub(super) fn answered(&mut self, at: Timestamp, rows: Vec<u8>) -> Result<String, RunError> {
        let now = at_in(at.as_millisecond(), &self.zone);
        let delivery = self.delivery_of(at, &at.strftime("%Y-%m-%d-%H%M").to_string(), now);
        self.tick_with(&delivery, now, Some(rows))?;
        Ok(delivery.id)
    }

    fn tick_with(&mut self, delivery: &Delivery, now: Now, rows: Option<Vec<u8>>) -> Result<bool, RunError> {
        let entry = self.store.see(delivery)?;
        match entry.state {
            State::Committed => {
                info!(pipeline = self.pipeline, tick = delivery.file, "known already");
                Totals::add(&self.totals.known);
                self.store.set_answered(&delivery.id, "")?;
                return Ok(true);
            }
            // The pipeline may know better now.
            State::Refused => self.store.reopen(&delivery.id)?,
            State::Seen => {}
        }
        let answer = rows.map_or_else(|| self.ask(now), Ok).map_err(|error| error.to_string());
        let today = local_day(now.utc_ms + now.offset_ms);
        let schema = self.record.to_arrow();
        let mut open = || -> Result<Box<dyn Reader>, RunError> {
            Ok(match &answer {
                Ok(lines) => {
                    let lines = Box::new(Cursor::new(lines.clone()));
                    Box::new(RetryReader::over(lines, schema.clone(), &origin_of(delivery), today))
                }
                Err(why) => Box::new(Failing(Some(why.clone()))),
            })
        };
        let committed = self.committed.clone();
        let ran = self.runner.run(delivery, &mut open, 0, now, &|| committed.stopped())?;
        self.note_tick(&delivery.file, &ran);
        self.store.set_answered(&delivery.id, "")?;
        Ok(matches!(ran, Ran::Committed { .. }))
    }

    fn delivery_of(&self, at: Timestamp, file: &str, now: Now) -> Delivery {
        let time = at.to_string();
        Delivery {
            id: tick_id(&self.pipeline, at),
            pipeline: self.pipeline.clone(),
            sender: SENDER.to_owned(),
            file: file.to_owned(),
            origin: format!("{ORIGIN}{time}"),
            content_hash: blake3::hash(format!("{}@{time}", self.pipeline).as_bytes()).to_hex().to_string(),
            bytes: 0,
            received_ms: now.utc_ms,
        }
    }

    /// What the register answers at a time, as JSON Lines.
    fn ask(&self, now: Now) -> Result<Vec<u8>, StoreError> {
        let query = self.query.as_ref().ok_or_else(|| {
            StoreError::Missing(format!("pipeline `{}` has no query for its ticks", self.pipeline))
        })?;
        let at =
            self.zone.to_datetime(Timestamp::from_millisecond(now.utc_ms).unwrap_or(Timestamp::UNIX_EPOCH));
        let (today, time) = (at.strftime("%Y-%m-%d").to_string(), at.strftime("%Y-%m-%d %H:%M").to_string());
        query.rows(&self.store, &self.record.to_arrow(), &today, &time)
    }

    fn note_tick(&self, tick: &str, ran: &Ran) {
        let pipeline = &*self.pipeline;
        match ran {
            Ran::Committed { counts, .. } => {
                let (rows, quarantined) = (counts.rows_in, counts.quarantined);
                info!(pipeline, tick, rows, quarantined, "committed");
                Totals::add(&self.totals.committed);
                self.committed.tick();
            }
            Ran::Refused { why } => {
                tracing::warn!(pipeline, tick, reason = why.message.in_language("en"), "refused");
                Totals::add(&self.totals.failed);
            }
        }
    }
}

/// In the place of rows that the register could not give.
struct Failing(Option<String>);

impl Reader for Failing {
    fn next(&mut self) -> Option<Result<Outcome, ReadStop>> {
        let why = self.0.take()?;
        let text = Text::new(
            format!("定时任务查询统一库失败，请联系管理员：{why}"),
            format!("the register could not be asked at this tick; tell the administrator: {why}"),
        );
        Some(Err(ReadStop::Refuse(Box::new(Finding::new(None, Severity::Error, "schedule-query", text)))))
    }

    fn sheets(&self) -> Vec<String> {
        Vec::new()
    }

    fn report(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}
