//! Record linkage: which records speak of the same thing, learnt without labelled data.
//!
//! One road: text is made comparable ([`normalise`]), candidates are found in an inverted index
//! ([`index`]), each pair is compared field by field into levels ([`compare`], texts by [`likeness`]), once in a batch
//! (`beside`), levels weigh what expectation-maximisation has learnt of them ([`weights`], `learn`) once the model has passed its
//! [`guards`], and pairs become clusters by average linkage under vetoes (`pairs`, [`cluster`]).
//! [`engine::Linker`] drives it, batch by batch; [`online::Things`] asks what the records of a batch are (`batch`), and what
//! known things turn out to be then ([`revise`], `partner`, [`change`]), for hosts
//! that keep the things themselves; [`explain`] says why. What fields hold is guessed where it is not
//! configured (`kinds`).
//!
//! Nothing here knows projects, departments or sheets: fields and their kinds come from [`config::Config`].
//! Nothing here keeps state or does I/O. The same records in the same batches give the same clusters,
//! whatever the number of threads.

mod batch;
mod beside;
pub mod change;
pub(crate) mod chunk;
pub mod cluster;
pub mod compare;
pub mod config;
pub mod draft;
pub mod engine;
pub mod explain;
pub mod features;
pub mod guards;
pub mod index;
mod judge;
mod kinds;
mod learn;
pub mod likeness;
mod lists;
mod members;
pub mod normalise;
mod numbers;
pub mod online;
pub mod packed;
mod pairs;
mod parallel;
mod partner;
mod posted;
pub mod revise;
pub mod store;
pub mod weights;

pub use config::{Config, FieldConfig, Kind};
pub use engine::{Linker, Row};

#[cfg(test)]
mod tests;
