//! Time as a source: at each tick of a schedule the register is asked, and the rows are a delivery.
//!
//! [`ScheduleSource`] is its configuration, [`cron`] says when it ticks, [`ticks`] which ticks are due after a time in
//! which the daemon did not run, and [`watch`] is the task that offers them one after the other. What a tick does is the
//! worker's affair (`daemon/tick.rs`), what may be asked that of `daemon/registers.rs`.

pub(crate) mod cron;
pub(crate) mod ticks;
pub(crate) mod watch;

use huiliu_pipeline::config::{Node, from_node};
use huiliu_pipeline::diagnostic::Diagnostic;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use cron::Cron;

/// Asks the register at set times: `source: {schedule: {cron: "0 8 * * 1", query: "SELECT … FROM register"}}`.
///
/// Each tick is a delivery, named by its time, whose rows are those of the query; for its stages it is the time of the
/// tick, however late it is run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Minute, hour, day, month, weekday.
    cron: String,

    /// IANA name of the zone in which `cron` is read; by default the pipeline's.
    #[serde(default)]
    timezone: Option<String>,

    /// What becomes of ticks that were missed because the daemon did not run.
    #[serde(default)]
    catch_up: CatchUp,

    /// `SELECT` over registers; its columns are fields of the record.
    query: String,

    /// The register that `register` means in the query; needed only where there are several.
    #[serde(default)]
    register: Option<String>,
}

/// What becomes of missed ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CatchUp {
    /// The last of them is run.
    #[default]
    Once,
    /// All of them are run, in order, each at its own time.
    All,
    /// They are left out.
    None,
}

/// A schedule, read and checked but for its query.
#[derive(Clone, Debug)]
pub(crate) struct ScheduleSource {
    pub(crate) cron: Cron,
    pub(crate) zone: TimeZone,
    pub(crate) catch_up: CatchUp,
    pub(crate) query: String,
    pub(crate) register: Option<String>,
}

impl ScheduleSource {
    /// Reads the options of a schedule in a pipeline whose zone is `timezone`.
    ///
    /// # Errors
    /// Everything that is wrong, with its place.
    pub(crate) fn parse(options: &Node, timezone: &str) -> Result<Self, Vec<Diagnostic>> {
        let Options { cron, timezone: own, catch_up, query, register } = from_node(options)?;
        let at = |key: &str, why: String| Diagnostic::new(&options.locate(key, false), why);
        let cron = Cron::parse(&cron).map_err(|why| at("cron", why));
        let zone =
            crate::catalog::time_zone(own.as_deref().unwrap_or(timezone)).map_err(|why| at("timezone", why));
        match (cron, zone) {
            (Ok(cron), Ok(zone)) => Ok(Self { cron, zone, catch_up, query, register }),
            (cron, zone) => Err(cron.err().into_iter().chain(zone.err()).collect()),
        }
    }

    /// The next ticks after `now`, as people of the schedule's zone read them.
    pub(crate) fn next(&self, now: Timestamp, count: usize) -> Vec<String> {
        let ticks =
            std::iter::successors(self.cron.after(now, &self.zone), |at| self.cron.after(*at, &self.zone));
        ticks.take(count).map(|tick| self.local(tick, "%Y-%m-%d %H:%M")).collect()
    }

    /// A tick in the schedule's zone.
    pub(crate) fn local(&self, tick: Timestamp, format: &str) -> String {
        self.zone.to_datetime(tick).strftime(format).to_string()
    }
}
