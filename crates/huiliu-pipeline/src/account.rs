//! Accounting for rows: after every stage, what became of each row it was given.
//!
//! This is where the promise "nothing is lost" is kept: a stage that lets a row vanish without a
//! finding is named, and the delivery is not committed.

use arrow::array::{Array, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use hashbrown::{HashMap, HashSet};
use huiliu_stage::{Fate, Finding, ROW, Severity, StageError};

/// What became of the rows of one batch in one stage.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Rows with an error finding, which go to quarantine.
    pub(crate) refused: HashSet<i64>,
    /// Rows that went into others.
    pub(crate) merged: Vec<i64>,
    /// Rows left out on purpose.
    pub(crate) dropped: u64,
}

/// The `_row` column of a batch.
pub(crate) fn row_ids(batch: &RecordBatch) -> Result<&Int64Array, StageError> {
    let column = huiliu_stage::column(batch, ROW)?;
    match column.as_primitive_opt::<Int64Type>() {
        Some(rows) if rows.null_count() == 0 => Ok(rows),
        _ => Err(StageError::new("column `_row` must be Int64 without nulls")),
    }
}

/// Compares what a stage was given with what it gave back.
///
/// # Errors
/// A row that neither came out nor has a finding saying why: the stage has lost it.
pub(crate) fn account(
    input: &RecordBatch,
    output: &RecordBatch,
    findings: &[Finding],
) -> Result<Account, StageError> {
    let mut account = Account { refused: refused_rows(findings), ..Account::default() };
    let (given, back) = (row_ids(input)?, row_ids(output)?);
    if given.values() == back.values() {
        return Ok(account);
    }
    let back: HashSet<i64> = back.values().iter().copied().collect();
    let fates: HashMap<i64, Fate> = findings
        .iter()
        .filter(|f| f.fate != Fate::Stays)
        .filter_map(|f| f.row.map(|row| (row, f.fate)))
        .collect();
    let gone: HashSet<i64> = given.values().iter().copied().filter(|row| !back.contains(row)).collect();
    for row in gone {
        if account.refused.contains(&row) {
            continue;
        }
        match fates.get(&row) {
            Some(Fate::Merged) => account.merged.push(row),
            Some(Fate::Dropped) => account.dropped += 1,
            Some(Fate::Stays) | None => {
                return Err(StageError::new(format!(
                    "row {} was lost: it did not come out and no finding says why",
                    huiliu_stage::row_number(row)
                )));
            }
        }
    }
    Ok(account)
}

/// The rows that have an error finding.
pub(crate) fn refused_rows(findings: &[Finding]) -> HashSet<i64> {
    findings.iter().filter(|f| f.severity == Severity::Error).filter_map(|f| f.row).collect()
}

/// The batch without the rows in `rows`.
pub(crate) fn without(batch: &RecordBatch, rows: &HashSet<i64>) -> Result<RecordBatch, StageError> {
    if rows.is_empty() {
        return Ok(batch.clone());
    }
    filter(batch, |id| !rows.contains(&id))
}

/// The batch with none but the rows in `rows`.
pub(crate) fn only(batch: &RecordBatch, rows: &HashSet<i64>) -> Result<RecordBatch, StageError> {
    if rows.is_empty() {
        return Ok(batch.slice(0, 0));
    }
    filter(batch, |id| rows.contains(&id))
}

fn filter(batch: &RecordBatch, wanted: impl Fn(i64) -> bool) -> Result<RecordBatch, StageError> {
    let ids = row_ids(batch)?.values();
    let wanted = BooleanBuffer::collect_bool(ids.len(), |at| wanted(ids[at]));
    Ok(filter_record_batch(batch, &BooleanArray::new(wanted, None))?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn rows(ids: &[i64]) -> RecordBatch {
        let schema = Schema::new(vec![Field::new(ROW, DataType::Int64, false)]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(ids.to_vec()))]).unwrap()
    }

    fn said(row: i64, severity: Severity, fate: Fate) -> Finding {
        Finding::new(Some(row), severity, "x", "y".into()).with_fate(fate)
    }

    #[test]
    fn each_row_is_out_refused_merged_or_dropped() {
        let findings = [
            said(2, Severity::Error, Fate::Stays),
            said(3, Severity::Info, Fate::Merged),
            said(4, Severity::Info, Fate::Dropped),
            said(5, Severity::Warning, Fate::Stays),
        ];
        let account = account(&rows(&[1, 2, 3, 4, 5]), &rows(&[5, 1]), &findings).unwrap();
        assert_eq!((account.refused.len(), account.merged.len(), account.dropped), (1, 1, 1));
    }

    #[test]
    fn a_row_that_vanishes_without_a_word_is_told() {
        let findings = [said(2, Severity::Warning, Fate::Stays)];
        let error = account(&rows(&[1, 2]), &rows(&[1]), &findings).unwrap_err();
        assert_eq!(error.to_string(), "row 2 was lost: it did not come out and no finding says why");
    }

    #[test]
    fn refused_rows_are_taken_out_even_when_they_come_back() {
        let (batch, two) = (rows(&[1, 2, 3]), HashSet::from([2]));
        assert_eq!(row_ids(&without(&batch, &two).unwrap()).unwrap().values(), &[1, 3]);
        assert_eq!(row_ids(&only(&batch, &two).unwrap()).unwrap().values(), &[2]);
    }
}
