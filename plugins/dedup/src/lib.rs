//! Recognises the same thing across rows and deliveries, and makes one record of it.
//!
//! Two ways. `keep: first` lets the first row of each key pass and drops the others: bulk data, a few
//! bytes of memory a row ([`first`]). `keep: merge` keeps one unified record for each thing, field by
//! field, with the origin of every value ([`merge`]).
//!
//! Nothing here knows projects: which columns make a key, what normalises them and which words keep two
//! rows apart is said in the options. Keys are equal or not; likeness is the matter of [`link`].
//!
//! What a missing value does: a rule with a missing (or blank) field does not speak for that row. A row
//! for which no rule speaks passes with `keep: first`; with `keep: merge` its whole content is its key,
//! and a warning says so.
//!
//! Start at [`Options`], then [`first`] or [`merge`].

mod build;
mod chunks;
mod clash;
mod codec;
mod decide;
mod decided;
mod entity;
mod fields;
mod first;
mod former;
mod give;
pub mod inspect;
mod join;
mod kept;
mod key;
pub mod link;
mod linked;
mod merge;
mod merged;
mod name;
mod options;
mod part;
mod parts;
mod pin;
mod policy;
mod queue;
mod recognise;
mod records;
mod regroup;
mod report;
mod revise;
mod seen;
mod settle;
mod survive;
mod ties;
mod value;
mod versions;
mod why;
mod words;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use huiliu_stage::{Host, OpenStage, Outcome, Stage, StageError};

pub use decided::{Decision, Word};
pub use options::{FieldPolicy, Keep, MatchRule, MergeOptions, Normalise, Options, Policy, Priority};

/// The stage `dedup`.
pub struct Dedup {
    way: Way,
}

enum Way {
    First(first::First),
    Merge(Box<merge::Merge>),
}

impl OpenStage for Dedup {
    const NAME: &'static str = "dedup";
    const SUMMARY: &'static str = "recognises the same thing across rows and deliveries, and merges or drops";
    const OPTION_SCHEMA: &'static str = options::OPTION_SCHEMA;
    type Options = Options;

    fn open(
        options: Options,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let (way, output) = match options.keep {
            Keep::First => (Way::First(first::First::open(&options, &input, host)?), input),
            Keep::Merge => {
                let (merge, output) = merge::Merge::open(&options, &input, host)?;
                (Way::Merge(Box::new(merge)), output)
            }
        };
        Ok((Self { way }, output))
    }
}

impl Stage for Dedup {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        match &mut self.way {
            Way::First(first) => first.process(batch),
            Way::Merge(merge) => merge.process(&batch),
        }
    }

    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        match &mut self.way {
            Way::First(_) => Ok(None),
            Way::Merge(merge) => merge.finish(),
        }
    }
}

huiliu_abi::export_plugin!(huiliu_plugin_v1_dedup, [Dedup]);

#[cfg(test)]
mod tests;

#[cfg(test)]
mod tests_decide;

#[cfg(test)]
mod tests_link;

#[cfg(test)]
mod tests_revise;

#[cfg(test)]
mod tests_state;
