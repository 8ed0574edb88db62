//! Columns out of single values.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListBuilder, StringArray,
    StringBuilder, TimestampMillisecondArray,
};
use arrow::datatypes::DataType;
use huiliu_stage::StageError;

use crate::value::Value;

/// A column of type `kind`. Values that do not fit it cannot come here; they would be missing.
pub(crate) fn column<'a>(
    kind: &DataType,
    values: impl Iterator<Item = Option<&'a Value>>,
) -> Result<ArrayRef, StageError> {
    macro_rules! pick {
        ($variant:path) => {
            values.map(|value| match value {
                Some($variant(value)) => Some(value),
                _ => None,
            })
        };
    }
    Ok(match kind {
        DataType::Utf8 => Arc::new(pick!(Value::Text).collect::<StringArray>()),
        DataType::Int64 => Arc::new(pick!(Value::Int).map(Option::<&i64>::copied).collect::<Int64Array>()),
        DataType::Float64 => {
            Arc::new(pick!(Value::Float).map(Option::<&f64>::copied).collect::<Float64Array>())
        }
        DataType::Boolean => {
            Arc::new(pick!(Value::Bool).map(Option::<&bool>::copied).collect::<BooleanArray>())
        }
        DataType::Date32 => Arc::new(pick!(Value::Day).map(Option::<&i32>::copied).collect::<Date32Array>()),
        DataType::Decimal128(precision, scale) => {
            let amounts = pick!(Value::Amount).map(|value| value.map(|bytes| i128::from_le_bytes(*bytes)));
            Arc::new(amounts.collect::<Decimal128Array>().with_precision_and_scale(*precision, *scale)?)
        }
        DataType::Timestamp(_, zone) => {
            let times = pick!(Value::Time).map(Option::<&i64>::copied).collect::<TimestampMillisecondArray>();
            Arc::new(times.with_timezone_opt(zone.clone()))
        }
        DataType::List(item) => {
            let mut builder = ListBuilder::new(StringBuilder::new()).with_field(item.clone());
            for value in pick!(Value::List) {
                match value {
                    Some(items) => builder.append_value(items.iter().map(Option::as_deref)),
                    None => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        other => return Err(StageError::new(format!("a record cannot hold {other}"))),
    })
}
