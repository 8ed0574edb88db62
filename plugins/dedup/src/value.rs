//! One value of a field, outside of its column: taken from a cell, compared, kept, put back.

use std::cmp::Ordering;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    ListArray, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType,
};
use huiliu_stage::{StageError, json};

/// A value that is there. Amounts are kept as bytes so that a value takes 24 bytes and not 48.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(Box<str>),
    Int(i64),
    Float(f64),
    Amount([u8; 16]),
    Bool(bool),
    Day(i32),
    Time(i64),
    List(Box<[Option<Box<str>>]>),
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            // Bit by bit, so that a value that is no number equals itself and is not news for ever.
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Amount(a), Self::Amount(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Day(a), Self::Day(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            _ => false,
        }
    }
}

impl Value {
    /// Which is greater; `None` for values that have no order.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) | (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Amount(a), Self::Amount(b)) => Some(i128::from_le_bytes(*a).cmp(&i128::from_le_bytes(*b))),
            (Self::Day(a), Self::Day(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// As a number, for tolerances. The scale of amounts does not matter to a share.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Amount(bytes) => Some(i128::from_le_bytes(*bytes) as f64),
            _ => None,
        }
    }

    /// A number as people read it; `kind` is the column's type.
    pub(crate) fn show(&self, kind: &DataType) -> String {
        let mut out = String::new();
        match (self, kind) {
            (Self::Int(value), _) => out = value.to_string(),
            (Self::Float(value), _) => out = value.to_string(),
            (Self::Amount(bytes), DataType::Decimal128(_, scale)) => {
                json::write_decimal(&mut out, i128::from_le_bytes(*bytes), *scale);
            }
            (Self::Text(text), _) => out.push_str(text),
            _ => {}
        }
        out
    }

    /// Whether the value can stand in a column of this type.
    pub(crate) fn fits(&self, kind: &DataType) -> bool {
        matches!(
            (self, kind),
            (Self::Text(_), DataType::Utf8)
                | (Self::Int(_), DataType::Int64)
                | (Self::Float(_), DataType::Float64)
                | (Self::Amount(_), DataType::Decimal128(..))
                | (Self::Bool(_), DataType::Boolean)
                | (Self::Day(_), DataType::Date32)
                | (Self::Time(_), DataType::Timestamp(TimeUnit::Millisecond, _))
                | (Self::List(_), DataType::List(_))
        )
    }
}

/// Whether a column of this type can be part of a record.
pub(crate) fn may_be_kept(kind: &DataType) -> bool {
    match kind {
        DataType::List(item) => item.data_type() == &DataType::Utf8,
        DataType::Utf8
        | DataType::Int64
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Boolean
        | DataType::Date32
        | DataType::Timestamp(TimeUnit::Millisecond, _) => true,
        _ => false,
    }
}

/// A column of a batch, ready to be read by row.
pub(crate) enum Cells<'a> {
    Text(&'a StringArray),
    Int(&'a Int64Array),
    Float(&'a Float64Array),
    Amount(&'a Decimal128Array),
    Bool(&'a BooleanArray),
    Day(&'a Date32Array),
    Time(&'a TimestampMillisecondArray),
    List(&'a ListArray, &'a StringArray),
}

impl<'a> Cells<'a> {
    pub(crate) fn of(array: &'a ArrayRef) -> Result<Self, StageError> {
        let found = match array.data_type() {
            DataType::Utf8 => array.as_string_opt().map(Self::Text),
            DataType::Int64 => array.as_primitive_opt::<Int64Type>().map(Self::Int),
            DataType::Float64 => array.as_primitive_opt::<Float64Type>().map(Self::Float),
            DataType::Decimal128(..) => array.as_primitive_opt::<Decimal128Type>().map(Self::Amount),
            DataType::Boolean => array.as_boolean_opt().map(Self::Bool),
            DataType::Date32 => array.as_primitive_opt::<Date32Type>().map(Self::Day),
            DataType::List(_) => array
                .as_list_opt::<i32>()
                .and_then(|list| Some(Self::List(list, list.values().as_string_opt()?))),
            _ => array.as_primitive_opt::<TimestampMillisecondType>().map(Self::Time),
        };
        found.ok_or_else(|| StageError::new(format!("a column came as {}", array.data_type())))
    }

    /// The value at `row`, if there is one.
    pub(crate) fn value(&self, row: usize) -> Option<Value> {
        fn given<A: Array>(array: &A, row: usize) -> Option<&A> {
            array.is_valid(row).then_some(array)
        }
        Some(match self {
            Self::Text(array) => Value::Text(given(*array, row)?.value(row).into()),
            Self::Int(array) => Value::Int(given(*array, row)?.value(row)),
            Self::Float(array) => Value::Float(given(*array, row)?.value(row)),
            Self::Amount(array) => Value::Amount(given(*array, row)?.value(row).to_le_bytes()),
            Self::Bool(array) => Value::Bool(given(*array, row)?.value(row)),
            Self::Day(array) => Value::Day(given(*array, row)?.value(row)),
            Self::Time(array) => Value::Time(given(*array, row)?.value(row)),
            Self::List(array, items) => {
                let offsets = given(*array, row)?.value_offsets();
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                Value::List(range.map(|i| items.is_valid(i).then(|| items.value(i).into())).collect())
            }
        })
    }

    /// Whether the value at `row` is this one; spares making it.
    pub(crate) fn is(&self, row: usize, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(array), Value::Text(text)) => array.is_valid(row) && array.value(row) == &**text,
            _ => self.value(row).as_ref() == Some(value),
        }
    }
}
