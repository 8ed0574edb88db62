//! The stage: opened with options and schema, it puts every check to every batch.
//!
//! Codes come first, since they repair values and turn placeholders into missing ones; then the
//! constraints of fields, then the rules, both on repaired values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field as ArrowField, Int64Type, Schema, SchemaRef};
use huiliu_stage::{
    Findings, Host, OpenStage, Origin, Outcome, ROW, SEES_REFUSED, Stage, StageError, column,
};

use crate::catalogue::{Catalogue, Sight};
use crate::codes::Codes;
use crate::constraints::Constraints;
use crate::options::Options;
use crate::rules::Rule;
use crate::tell;
use crate::unreadable::Unreadable;

/// Checks rows. See the head of the crate.
pub struct Validate {
    host: Arc<dyn Host>,
    codes: Vec<Codes>,
    constraints: Vec<Constraints>,
    rules: Vec<Rule>,
    catalogue: Catalogue,
}

impl OpenStage for Validate {
    const NAME: &'static str = "validate";
    const SUMMARY: &'static str =
        "checks rows against the record schema and against rules, and repairs codes";
    const OPTION_SCHEMA: &'static str = include_str!("options.json");
    type Options = Options;

    fn open(
        options: Options,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let mut problems = tell::unknown_keys(&options, &input);
        let rules = Rule::of(&input, &options, &*host, &mut problems);
        let codes = Codes::of(&input, &options, &mut problems);
        let constraints = Constraints::of(&input, &options, &mut problems);
        let catalogue = Catalogue::of(&input, &options, &host, &mut problems);
        StageError::all(problems)?;
        let mut output = Schema::clone(&with_suffixes(&input, &codes));
        // A sender hears of all faults of a row at once, also of one in which a cell could not be read.
        output.metadata.insert(SEES_REFUSED.to_owned(), "true".to_owned());
        Ok((Self { host, codes, constraints, rules, catalogue }, Arc::new(output)))
    }
}

impl Stage for Validate {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let cells = Unreadable::of(&batch)?;
        let rows = column(&batch, ROW)?.clone();
        let rows = rows.as_primitive_opt::<Int64Type>().filter(|rows| rows.null_count() == 0);
        let rows = rows.ok_or_else(|| StageError::new(format!("column `{ROW}` is not whole numbers")))?;
        let rows: &[i64] = rows.values();
        let mut findings = Findings::none();
        let (batch, suffixes) = self.codes(batch, rows, &mut findings)?;
        for constraints in &self.constraints {
            constraints.judge(&batch, rows, &cells, &mut findings);
        }
        for rule in &self.rules {
            rule.judge(&batch, rows, &cells, &mut findings)?;
        }
        let origin = Origin::of(&batch);
        let sight = Sight { batch: &batch, rows, cells: &cells, origin: &origin, host: &*self.host };
        self.catalogue.judge(&sight, &mut findings)?;
        // Receipts show the first findings: those of the first rows, not all of the first check.
        findings.0.sort_by_key(|finding| finding.row);
        let batch = if suffixes.is_empty() { batch } else { self.append(batch, suffixes)? };
        Ok(Outcome { batch, findings })
    }
}

impl Validate {
    /// Judges codes: the batch with repaired ones, and the columns of suffixes.
    fn codes(
        &self,
        batch: RecordBatch,
        rows: &[i64],
        findings: &mut Findings,
    ) -> Result<(RecordBatch, Vec<ArrayRef>), StageError> {
        let mut suffixes = Vec::new();
        let mut columns: Option<Vec<ArrayRef>> = None;
        for codes in &self.codes {
            let judged = codes.judge(&batch, rows, findings);
            suffixes.extend(judged.suffixes);
            if let Some(column) = judged.column {
                columns.get_or_insert_with(|| batch.columns().to_vec())[codes.column()] = column;
            }
        }
        match columns {
            None => Ok((batch, suffixes)),
            Some(columns) => Ok((RecordBatch::try_new(batch.schema(), columns)?, suffixes)),
        }
    }

    fn append(&self, batch: RecordBatch, suffixes: Vec<ArrayRef>) -> Result<RecordBatch, StageError> {
        let schema = with_suffixes(batch.schema_ref(), &self.codes);
        let columns = batch.columns().iter().cloned().chain(suffixes).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
    }
}

/// A schema and, at its end, the columns of suffixes.
fn with_suffixes(schema: &SchemaRef, codes: &[Codes]) -> SchemaRef {
    let added: Vec<ArrowField> = codes.iter().filter_map(Codes::suffix_field).collect();
    if added.is_empty() {
        return schema.clone();
    }
    let fields = schema.fields.iter().cloned().chain(added.into_iter().map(Arc::new));
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata.clone()))
}
