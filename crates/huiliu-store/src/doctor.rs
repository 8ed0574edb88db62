//! Whether what must always be true is true.

use std::collections::HashMap;

use huiliu_pipeline::ports::{LedgerEntry, State, Stream};
use rusqlite::Connection;

use crate::error::Result;
use crate::ledger::{self, DeliveryFilter};
use crate::log::LogFolder;

/// Something in the store that should not be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Imbalance {
    /// The delivery it is about.
    pub delivery: String,
    /// What is wrong, in English, for IT staff.
    pub problem: String,
}

/// Every row that came in is accounted for, every quarantined row is in quarantine, every log that the
/// ledger names is there and whole.
pub(crate) fn check(connection: &Connection, logs: &LogFolder) -> Result<Vec<Imbalance>> {
    let held = quarantined(connection)?;
    let mut problems = Vec::new();
    for entry in ledger::list(connection, &DeliveryFilter::default())? {
        let id = &entry.delivery.id;
        let mut say = |problem| problems.push(Imbalance { delivery: id.clone(), problem });
        if let Some(problem) = unbalanced(&entry, held.get(id).copied().unwrap_or(0)) {
            say(problem);
        }
        if entry.state == State::Committed {
            for stream in [Stream::Records, Stream::Rejects] {
                if let Some(problem) = log_problem(connection, logs, entry.seq, stream) {
                    say(problem);
                }
            }
        }
    }
    Ok(problems)
}

/// What is wrong with a stream that the ledger names. A running daemon may trim it meanwhile, so it is
/// looked up again before anything is said.
fn log_problem(connection: &Connection, logs: &LogFolder, seq: u64, stream: Stream) -> Option<String> {
    let (name, kept) = ledger::log_of(connection, seq, stream).ok()?;
    let problem = logs.read(&name, stream, kept).err()?.to_string();
    ledger::log_of(connection, seq, stream).is_ok().then_some(problem)
}

/// Delivery -> rows in quarantine, whatever their status.
fn quarantined(connection: &Connection) -> Result<HashMap<String, u64>> {
    let mut find = connection.prepare("SELECT delivery, count(*) FROM quarantine GROUP BY delivery")?;
    let found = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn unbalanced(entry: &LedgerEntry, held: u64) -> Option<String> {
    let counts = &entry.counts;
    if !counts.balance() {
        return Some(format!(
            "{} rows came in, but accepted {} + quarantined {} + merged {} + dropped {} + refused {} are not as many",
            counts.rows_in,
            counts.accepted,
            counts.quarantined,
            counts.merged,
            counts.dropped,
            counts.refused
        ));
    }
    // More may be held: a stage that makes rows can have them refused later.
    (held < counts.quarantined)
        .then(|| format!("{} rows were quarantined, but {held} are held", counts.quarantined))
}
