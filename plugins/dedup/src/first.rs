//! `keep: first`: the first row of each key passes, later ones are dropped.
//!
//! Rows are not looked at beyond their keys; a batch without a duplicate passes untouched. All keys of a
//! row count as seen once it came by, so a row with code and name stands for later ones with the name alone.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::Schema;
use huiliu_stage::{Findings, Host, Outcome, Problem, ROW, StageError, column_index};

use crate::key::{KeyRule, Scratch};
use crate::options::Options;
use crate::report;
use crate::seen::Seen;

pub(crate) struct First {
    rules: Vec<KeyRule>,
    row_column: usize,
    host: Arc<dyn Host>,
    /// Read with the first batch, so that a stage that is only checked or idle holds nothing.
    seen: Option<Seen>,
    keys: Vec<Vec<Option<u128>>>,
}

impl First {
    pub(crate) fn open(options: &Options, input: &Schema, host: Arc<dyn Host>) -> Result<Self, StageError> {
        let mut problems = Vec::new();
        let rules = KeyRule::all(&options.rules, input, &mut problems);
        let mut refuse = |path: String, what: &str| {
            let message =
                format!("{what} needs `keep: merge`, since `keep: first` keeps no values to compare with");
            problems.push(Problem { path, message });
        };
        if options.merge.is_some() {
            refuse("merge".to_owned(), "`merge`");
        }
        if !options.apart.is_empty() {
            refuse("apart".to_owned(), "`apart`");
        }
        for (i, _) in options.rules.iter().enumerate().filter(|(_, rule)| !rule.unless.is_empty()) {
            refuse(format!("match[{i}].unless"), "`unless`");
        }
        StageError::all(problems)?;
        let row_column = column_index(input, ROW)?;
        Ok(Self { keys: vec![Vec::new(); rules.len()], rules, row_column, host, seen: None })
    }

    pub(crate) fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let mut scratch = Scratch::default();
        for (rule, keys) in self.rules.iter().zip(&mut self.keys) {
            let cells = rule.cells(&batch)?;
            keys.clear();
            keys.extend((0..batch.num_rows()).map(|row| rule.key(&cells, row, &mut scratch)));
        }
        let seen = match &mut self.seen {
            Some(seen) => seen,
            none => none.insert(Seen::load(&*self.host)?),
        };
        let mut twins = Vec::new();
        for start in (0..batch.num_rows()).step_by(32) {
            let few = start..(start + 32).min(batch.num_rows());
            seen.touch(self.keys.iter().flat_map(|keys| &keys[few.clone()]).filter_map(|key| *key));
            for row in few {
                let mut by = None;
                for (rule, keys) in self.keys.iter().enumerate() {
                    if let Some(key) = keys[row]
                        && !seen.insert(key)
                    {
                        by = by.or(Some(rule));
                    }
                }
                twins.extend(by.map(|rule| (row, rule)));
            }
        }
        seen.keep(&*self.host)?;
        if twins.is_empty() {
            return Ok(batch.into());
        }
        self.host.count("duplicates", twins.len() as u64);
        let rows = report::row_ids(&batch, self.row_column)?;
        let mut findings = Findings::none();
        let mut keep = vec![true; batch.num_rows()];
        for (row, rule) in twins {
            keep[row] = false;
            findings.push(report::duplicate(rows.value(row), &self.rules[rule], &batch, row));
        }
        let keep = BooleanArray::new(BooleanBuffer::from(keep), None);
        Ok(Outcome { batch: filter_record_batch(&batch, &keep)?, findings })
    }
}
