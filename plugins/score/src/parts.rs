//! The column of parts: what every dimension gave, as JSON, for whoever asks why a score is what it is.
//!
//! ```json
//! {"dimensions": {"scale": {"value": 6.2, "points": 6.2, "weight": 0.4, "part": 2.48},
//!                 "tax": {"weight": 16, "unscored": "tax_per_mu is missing"}},
//!  "vetoes": {"safety": "no", "environment": "undecided"}}
//! ```

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Float64Type};

use crate::dimension::{Points, Scored, Why};
use crate::veto::{Barred, Said};

/// The column for a batch.
pub(crate) fn column(
    batch: &RecordBatch,
    dimensions: &[(&Scored, &Points)],
    vetoes: &[(&Barred, &Said)],
    decimals: u8,
) -> ArrayRef {
    let rows = batch.num_rows();
    let heads: Vec<String> = dimensions.iter().map(|(d, _)| quoted(&d.name) + ":{").collect();
    let veto_heads: Vec<String> = vetoes.iter().map(|(v, _)| quoted(&v.name) + ":").collect();
    let mut all = StringBuilder::with_capacity(rows, rows * 64 * dimensions.len());
    let mut text = String::new();
    for row in 0..rows {
        text.clear();
        text.push_str("{\"dimensions\":{");
        for (i, ((dimension, points), head)) in dimensions.iter().zip(&heads).enumerate() {
            if i > 0 {
                text.push(',');
            }
            text.push_str(head);
            part(&mut text, batch, dimension, points, row, decimals);
            text.push('}');
        }
        text.push('}');
        if !vetoes.is_empty() {
            text.push_str(",\"vetoes\":{");
            for (i, ((_, said), head)) in vetoes.iter().zip(&veto_heads).enumerate() {
                if i > 0 {
                    text.push(',');
                }
                text.push_str(head);
                let word = match (said.holds.value(row), said.open.value(row)) {
                    (true, _) => "\"yes\"",
                    (_, true) => "\"undecided\"",
                    _ => "\"no\"",
                };
                text.push_str(word);
            }
            text.push('}');
        }
        text.push('}');
        all.append_value(&text);
    }
    Arc::new(all.finish())
}

fn part(text: &mut String, batch: &RecordBatch, of: &Scored, points: &Points, row: usize, decimals: u8) {
    if let Some(value) = &points.value
        && value.is_valid(row)
    {
        text.push_str("\"value\":");
        match value.data_type() {
            DataType::Float64 => number(text, value.as_primitive::<Float64Type>().value(row)),
            DataType::Boolean => text.push_str(if value.as_boolean().value(row) { "true" } else { "false" }),
            _ => text.push_str(&quoted(value.as_string::<i32>().value(row))),
        }
        text.push(',');
    }
    if points.scored.as_ref().is_none_or(|scored| scored.value(row)) {
        let got = points.points[row];
        text.push_str("\"points\":");
        number(text, rounded(got, decimals));
        text.push_str(",\"weight\":");
        number(text, of.weight);
        text.push_str(",\"part\":");
        number(text, rounded(got * of.weight, decimals));
    } else {
        text.push_str("\"weight\":");
        number(text, of.weight);
        text.push_str(",\"unscored\":");
        text.push_str(&quoted(&reason(&of.why(batch, points, row))));
    }
}

/// Why a dimension is unscored, for programs and IT staff.
pub(crate) fn reason(why: &Why) -> String {
    match why {
        Why::Missing(field) => format!("{field} is missing"),
        Why::NoValue => "no value".to_owned(),
        Why::NotListed(value) => format!("`{value}` is not in the list"),
        Why::Failed(error) => format!("cannot be computed: {error}"),
    }
}

/// Half away from zero, as people round.
pub(crate) fn rounded(number: f64, decimals: u8) -> f64 {
    let scale = 10_f64.powi(i32::from(decimals));
    let scaled = number * scale;
    if scaled.is_finite() { scaled.round() / scale } else { number }
}

fn number(text: &mut String, number: f64) {
    match number.is_finite() {
        // Writing to a text cannot fail. Adding 0 turns -0 into 0.
        true => _ = write!(text, "{}", number + 0.0),
        false => text.push_str("null"),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
