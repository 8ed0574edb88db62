//! One dimension: from a value to points, for a whole batch.
//!
//! A dimension without a value has no points; it never has 0 for that reason. SQL is not asked for a
//! row in which a column that the expression names is missing, since `least(NULL, 10)` is 10; only an
//! expression that itself speaks of missing values (`coalesce(jobs, 0)`) is taken at its word.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, SchemaRef};
use huiliu_stage::{Field, Formula, Host, StageError};

use crate::options::{Curve, Dimension};

/// A dimension, ready to score batches.
pub(crate) struct Scored {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) weight: f64,
    /// The greatest part of the score it can give, if that is known.
    pub(crate) worth: Option<f64>,
    formula: Formula,
    curve: Curve,
}

/// What a dimension makes of a batch.
pub(crate) struct Points {
    /// The value looked at, as numbers, texts or truth values; `None` when points are computed directly.
    pub(crate) value: Option<ArrayRef>,
    /// Points by row; meaningless where there are none.
    pub(crate) points: Vec<f64>,
    /// The rows that have points; `None` when all have.
    pub(crate) scored: Option<BooleanBuffer>,
    /// Rows that could not be computed, and why.
    failed: HashMap<usize, String>,
}

/// Why a row is unscored in a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// This column is missing.
    Missing(String),
    /// The expression gave null.
    NoValue,
    /// The value is not in the list.
    NotListed(String),
    /// The expression cannot be computed.
    Failed(String),
}

impl Scored {
    /// # Errors
    /// The key of the dimension that is wrong, and why.
    pub(crate) fn new(
        dimension: &Dimension,
        schema: &SchemaRef,
        host: &dyn Host,
    ) -> Result<Self, (&'static str, String)> {
        let (curve, sql) = dimension.curve()?;
        let key = if matches!(curve, Curve::Points) { "points" } else { "value" };
        let formula = Formula::compile(host, sql, schema).map_err(|error| (key, error.to_string()))?;
        let found = formula.data_type();
        let (fits, needed) = match curve {
            Curve::Linear(_) | Curve::Steps(_) | Curve::Points => (found.is_numeric(), "a number"),
            Curve::List(..) => (found.is_integer() || found.is_string(), "a text or a whole number"),
            Curve::YesNo(..) => (found == DataType::Boolean, "a truth value"),
        };
        if !fits {
            return Err((key, format!("this gives {found}, {needed} is needed")));
        }
        Ok(Self {
            name: dimension.name.clone(),
            title: dimension.title().to_owned(),
            weight: dimension.weight,
            worth: curve.most(dimension.most).map(|most| most * dimension.weight),
            formula,
            curve,
        })
    }

    /// Points for every row that has any.
    pub(crate) fn score(&self, batch: &RecordBatch) -> Result<Points, StageError> {
        let found = self.formula.evaluate(batch)?;
        let there = if self.formula.handles_missing() { None } else { self.formula.present(batch) };
        let (value, points, nulls) = match &self.curve {
            Curve::YesNo(yes, no) => {
                let answers = found.values.as_boolean();
                let points = answers.values().iter().map(|is| if is { *yes } else { *no }).collect();
                (found.values.clone(), points, answers.nulls().cloned())
            }
            Curve::List(list, otherwise) => listed(cast(&found.values, &DataType::Utf8)?, list, *otherwise),
            curve => {
                let values = cast(&found.values, &DataType::Float64)?;
                let numbers = values.as_primitive::<Float64Type>();
                let (points, nulls) = (curved(curve, numbers), finite(numbers));
                (values, points, nulls)
            }
        };
        let scored = NullBuffer::union(nulls.as_ref(), there.as_ref());
        Ok(Points {
            value: (!matches!(self.curve, Curve::Points)).then_some(value),
            points,
            scored: scored.filter(|n| n.null_count() > 0).map(|n| n.inner().clone()),
            failed: found.failed.into_iter().collect(),
        })
    }

    /// Why a row has no points.
    pub(crate) fn why(&self, batch: &RecordBatch, points: &Points, row: usize) -> Why {
        let missing = self.formula.columns().iter().find(|&&column| batch.column(column).is_null(row));
        if let Some(&column) = missing {
            return Why::Missing(batch.schema_ref().field(column).name().clone());
        }
        if let Some(error) = points.failed.get(&row) {
            return Why::Failed(error.clone());
        }
        match (&self.curve, &points.value) {
            (Curve::List(..), Some(value)) if value.is_valid(row) => {
                Why::NotListed(value.as_string::<i32>().value(row).to_owned())
            }
            _ => Why::NoValue,
        }
    }

    /// The first column that the expression names, to point at.
    pub(crate) fn column(&self) -> Option<usize> {
        self.formula.columns().first().copied()
    }
}

/// What people call a column.
pub(crate) fn title(batch: &RecordBatch, name: &str) -> String {
    let field = batch.schema_ref().field_with_name(name).ok().and_then(Field::of);
    field.map_or_else(|| name.to_owned(), |field| field.title().to_owned())
}

fn listed(
    values: ArrayRef,
    list: &BTreeMap<String, f64>,
    otherwise: Option<f64>,
) -> (ArrayRef, Vec<f64>, Option<NullBuffer>) {
    let texts = values.as_string::<i32>();
    let found: Vec<Option<f64>> =
        texts.iter().map(|text| text.and_then(|text| list.get(text).copied().or(otherwise))).collect();
    let scored = found.iter().map(Option::is_some).collect::<NullBuffer>();
    let points = found.into_iter().map(Option::unwrap_or_default).collect();
    (values, points, Some(scored))
}

fn curved(curve: &Curve, numbers: &Float64Array) -> Vec<f64> {
    let values = numbers.values().iter();
    match curve {
        Curve::Linear(linear) => {
            let (from, span, points) = (linear.from, linear.full - linear.from, linear.points);
            values.map(|v| ((v - from) / span).clamp(0.0, 1.0) * points).collect()
        }
        Curve::Steps(steps) => values
            .map(|v| steps.iter().rev().find(|step| *v >= step.from).map_or(0.0, |step| step.points))
            .collect(),
        _ => numbers.values().to_vec(),
    }
}

/// The rows whose number is one: a division of floating numbers by zero is no score either.
fn finite(numbers: &Float64Array) -> Option<NullBuffer> {
    if numbers.values().iter().all(|v| v.is_finite()) {
        return numbers.nulls().cloned();
    }
    let finite: NullBuffer = numbers.values().iter().map(|v| v.is_finite()).collect();
    NullBuffer::union(numbers.nulls(), Some(&finite))
}
