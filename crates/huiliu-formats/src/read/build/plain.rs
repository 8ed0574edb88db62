//! Values of one size, and where there are none.
//!
//! Arrow's own builder keeps a bit for each row from the first null of a batch on, so that one bad cell makes all cells
//! behind it dearer. Here the places of nulls are kept, and bits are set when the batch is done.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::DataType;

/// Builds a column of one primitive type.
pub(super) struct Plain<T: ArrowPrimitiveType> {
    kind: DataType,
    values: Vec<T::Native>,
    /// Rows without a value.
    nulls: Vec<usize>,
}

impl<T: ArrowPrimitiveType> Plain<T> {
    /// A column of `kind`, one of the data types that `T` stands for.
    pub(super) fn new(kind: DataType) -> Self {
        Self { kind, values: Vec::new(), nulls: Vec::new() }
    }

    /// Another one of the same kind, without rows.
    pub(super) fn fork(&self) -> Self {
        Self::new(self.kind.clone())
    }

    /// Makes room for so many rows.
    pub(super) fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows);
    }

    #[inline]
    pub(super) fn push(&mut self, value: T::Native) {
        self.values.push(value);
    }

    #[inline]
    pub(super) fn push_null(&mut self) {
        self.nulls.push(self.values.len());
        self.values.push(T::Native::default());
    }

    /// Gives a row another value; `from_end` is 1 for the last one. It must not have been pushed as null.
    pub(super) fn set(&mut self, from_end: usize, value: Option<T::Native>) {
        let Some(row) = self.values.len().checked_sub(from_end) else { return };
        match (value, self.values.get_mut(row)) {
            (Some(value), Some(place)) => *place = value,
            (None, Some(_)) => self.nulls.push(row),
            (_, None) => {}
        }
    }

    pub(super) fn push_nulls(&mut self, rows: usize) {
        let before = self.values.len();
        self.nulls.extend(before..before + rows);
        self.values.resize(before + rows, T::Native::default());
    }

    /// The values of these rows, zero where there is none; nothing if there are not so many rows.
    pub(super) fn values(&self, rows: Range<usize>) -> &[T::Native] {
        self.values.get(rows).unwrap_or_default()
    }

    /// The column so far. The next one will be about as long: its memory is asked for at once.
    pub(super) fn finish(&mut self) -> ArrayRef {
        let rows = self.values.len();
        let values = std::mem::replace(&mut self.values, Vec::with_capacity(rows));
        let nulls = (!self.nulls.is_empty()).then(|| {
            let mut bits = vec![0xff_u8; rows.div_ceil(8)];
            for row in self.nulls.drain(..) {
                if let Some(byte) = bits.get_mut(row / 8) {
                    *byte &= !(1 << (row % 8));
                }
            }
            NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bits), 0, rows))
        });
        Arc::new(PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(self.kind.clone()))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, Decimal128Builder, Int64Builder};
    use arrow::datatypes::{Decimal128Type, Int64Type};

    use super::*;

    #[test]
    fn a_column_is_the_one_that_arrow_builds() {
        for rows in [0, 1, 7, 8, 9, 64, 1000] {
            for step in [1, 2, 3, 64, 5000] {
                let (mut ours, mut theirs) = (Plain::<Int64Type>::new(DataType::Int64), Int64Builder::new());
                // The second batch is built in the memory of the first.
                for _ in 0..2 {
                    let value = |row: i64| (row % step != step - 1).then_some(row);
                    // Of two rows in three it shows later what they are.
                    let is_left = |row: i64| row % 3 != 0;
                    for row in 0..rows {
                        match value(row) {
                            _ if is_left(row) => ours.push(7),
                            Some(value) => ours.push(value),
                            None => ours.push_null(),
                        }
                        theirs.append_option(value(row));
                    }
                    for row in (0..rows).filter(|row| is_left(*row)) {
                        ours.set((rows - row) as usize, value(row));
                    }
                    let (ours, theirs) = (ours.finish(), theirs.finish());
                    assert_eq!(ours.as_primitive::<Int64Type>(), &theirs, "{rows} {step}");
                    assert_eq!(ours.null_count(), theirs.null_count(), "{rows} {step}");
                    assert_eq!(ours.nulls().is_some(), theirs.nulls().is_some(), "{rows} {step}");
                }
            }
        }
    }

    #[test]
    fn nulls_in_a_row_and_the_kind_are_kept() {
        let kind = DataType::Decimal128(18, 4);
        let mut ours = Plain::<Decimal128Type>::new(kind.clone());
        let mut theirs = Decimal128Builder::new().with_data_type(kind);
        ours.push(5);
        ours.push_nulls(9);
        ours.push(7);
        theirs.append_value(5);
        theirs.append_nulls(9);
        theirs.append_value(7);
        assert_eq!(ours.values(0..11).iter().sum::<i128>(), 12);
        assert_eq!(ours.values(5..12), []);
        let (ours, theirs) = (ours.finish(), theirs.finish());
        assert_eq!(ours.as_primitive::<Decimal128Type>(), &theirs);
        assert_eq!(ours.data_type(), theirs.data_type());
    }
}
