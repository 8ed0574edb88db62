//! What survives: ledger, commit log, quarantine, register and stage state.
//!
//! One SQLite file (`store.sqlite`) holds everything but the rows that wait for a sink; these are Arrow
//! files in `log/`. A delivery comes to be in one transaction ([`Store::commit`](huiliu_pipeline::ports::Store::commit)),
//! which is the only commit point: killed before it, nothing of the delivery is kept; after it, all is.
//!
//! Nothing here asks for the time, knows a field by name, or decides what runs when. Times come with the
//! deliveries; what runs is the daemon's affair. So the same inputs in the same order give the same rows.
//!
//! Start at [`SqliteStore`]; the tables are in `schema.sql`; the commit is in `commit.rs`.

mod commit;
mod cursor;
mod database;
mod doctor;
mod error;
mod evidence;
mod json;
mod ledger;
mod log;
mod mapping;
mod quarantine;
mod query;
mod register;
mod replaced;
mod state;
mod store;
#[cfg(test)]
mod testing;

pub use doctor::Imbalance;
pub use evidence::RecordEvidence;
pub use json::{Fields, Json};
pub use ledger::DeliveryFilter;
pub use log::LogReader;
pub use mapping::Mapping;
pub use quarantine::{QuarantineFilter, QuarantineRow, QuarantineStatus};
pub use query::{PARAMETERS, QueryError, RegisterQuery, RegisterShape};
pub use register::{FieldStory, Record, RecordStory, RegisterOptions, RegisterSink, Revision, ValueStory};
pub use store::SqliteStore;
