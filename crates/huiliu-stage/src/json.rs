//! One value of a column as JSON text, for everything that keeps single rows: quarantine, register,
//! merged records. (Whole batches are written column by column, in `huiliu-formats`.)

use std::fmt::Write;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, Schema, TimeUnit, TimestampMillisecondType,
};
use arrow::temporal_conversions::{date32_to_datetime, timestamp_ms_to_datetime};

use crate::is_json;

/// Appends `"text"` with JSON's escapes.
pub fn write_text(out: &mut String, text: &str) {
    // Writing to a String cannot fail, and a &str always serialises.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Appends an amount without trailing zeros: 12345.5 for 123455000 with 4 places.
pub fn write_decimal(out: &mut String, value: i128, scale: i8) {
    let scale = u32::from(scale.unsigned_abs());
    let one = 10_u128.pow(scale.min(38));
    let (whole, mut part) = (value.unsigned_abs() / one, value.unsigned_abs() % one);
    if value < 0 {
        out.push('-');
    }
    let _ = write!(out, "{whole}");
    if part > 0 {
        let mut width = scale as usize;
        while part % 10 == 0 {
            part /= 10;
            width -= 1;
        }
        let _ = write!(out, ".{part:0width$}");
    }
}

/// Appends the value of `array` at `row`: numbers and amounts as JSON numbers, days as `"2024-05-01"`,
/// times in RFC 3339, lists as arrays; what is missing or not finite as `null`.
///
/// `json` says that the column's texts are JSON already ([`is_json`]).
pub fn write_value(out: &mut String, array: &dyn Array, row: usize, json: bool) {
    if array.is_null(row) {
        return out.push_str("null");
    }
    match array.data_type() {
        DataType::Utf8 if json => out.push_str(array.as_string::<i32>().value(row)),
        DataType::Utf8 => write_text(out, array.as_string::<i32>().value(row)),
        DataType::Int64 => {
            let _ = write!(out, "{}", array.as_primitive::<Int64Type>().value(row));
        }
        DataType::Float64 => {
            match serde_json::Number::from_f64(array.as_primitive::<Float64Type>().value(row)) {
                Some(number) => {
                    let _ = write!(out, "{number}");
                }
                None => out.push_str("null"),
            }
        }
        DataType::Decimal128(_, scale) => {
            write_decimal(out, array.as_primitive::<Decimal128Type>().value(row), *scale);
        }
        DataType::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Date32 => match date32_to_datetime(array.as_primitive::<Date32Type>().value(row)) {
            Some(day) => {
                // Not by chrono's patterns, which are read anew for each value.
                let _ = write!(out, "\"{}\"", day.date());
            }
            None => out.push_str("null"),
        },
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            match timestamp_ms_to_datetime(array.as_primitive::<TimestampMillisecondType>().value(row)) {
                Some(time) => {
                    let _ = write!(out, "\"{}Z\"", time.format("%Y-%m-%dT%H:%M:%S%.3f"));
                }
                None => out.push_str("null"),
            }
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            out.push('[');
            for i in 0..items.len() {
                if i > 0 {
                    out.push(',');
                }
                write_value(out, &items, i, false);
            }
            out.push(']');
        }
        // No contract type is left; another type cannot pass the plan.
        other => write_text(out, &format!("({other})")),
    }
}

/// Which columns of a schema hold JSON text.
pub fn json_columns(schema: &Schema) -> Vec<bool> {
    schema.fields.iter().map(|field| is_json(field)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_lose_their_trailing_zeros_and_nothing_else() {
        for (value, text) in [
            (0, "0"),
            (1, "0.0001"),
            (123_455_000, "12345.5"),
            (-10_000, "-1"),
            (-5_000, "-0.5"),
            (i128::from(i64::MAX), "922337203685477.5807"),
        ] {
            let mut out = String::new();
            write_decimal(&mut out, value, 4);
            assert_eq!(out, text);
        }
    }
}
