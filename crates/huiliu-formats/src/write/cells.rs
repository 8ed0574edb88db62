//! The values of a batch, bound to their types once, and the page they are written on.
//!
//! A [`Page`] is the tail of the caller's buffer with some room already laid out, so that short pieces
//! are copied in whole registers, the surplus being overwritten by what comes next. What a value looks
//! like (numbers, days, times) is the same in JSON and CSV; what surrounds it is the encoder's.

use arrow::array::{Array, AsArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMillisecondType,
};
use arrow::record_batch::RecordBatch;
use huiliu_stage::json;

use super::columns::{Outgoing, WriteError};
use super::scan::{Special, Texts};

/// Bytes copied at once.
const STRIDE: usize = 32;
/// Room laid out at a time: small enough to be still in the nearest cache when it is written on.
const STEP: usize = 64 * 1024;
const MS_PER_DAY: i64 = 86_400_000;
/// Days of 0000-01-01 and 9999-12-31, between which a date has four digits of year.
const FOUR_DIGIT_YEARS: std::ops::RangeInclusive<i32> = -719_528..=2_932_896;

/// The digits of 00 to 99.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut i = 0;
    while i < 100 {
        pairs[i] = [b'0' + (i / 10) as u8, b'0' + (i % 10) as u8];
        i += 1;
    }
    pairs
};

/// The digits of a number below 100.
#[inline]
fn pair(number: u32) -> [u8; 2] {
    PAIRS[number as usize % 100]
}

/// A fixed text, laid out so that it is copied in whole strides.
pub(super) struct Piece {
    padded: Vec<u8>,
    len: usize,
}

impl Piece {
    /// Makes a piece of `text`.
    pub(super) fn new(text: &str) -> Self {
        let mut padded = text.as_bytes().to_vec();
        padded.resize(text.len().next_multiple_of(STRIDE), 0);
        Self { padded, len: text.len() }
    }
}

/// The end of a buffer that is being written on.
pub(super) struct Page<'a> {
    out: &'a mut Vec<u8>,
    at: usize,
}

impl<'a> Page<'a> {
    /// Goes on at the end of `out`, where about `expected` bytes will follow.
    pub(super) fn new(out: &'a mut Vec<u8>, expected: usize) -> Self {
        let at = out.len();
        out.reserve(expected);
        Self { out, at }
    }

    /// Takes off the room that was not used.
    pub(super) fn finish(self) {
        self.out.truncate(self.at);
    }

    /// Makes sure that `wanted` bytes can be written.
    #[inline]
    fn room(&mut self, wanted: usize) {
        if self.out.len() - self.at < wanted {
            self.grow(wanted);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, wanted: usize) {
        self.out.resize(self.at + wanted.max(STEP), 0);
    }

    /// Writes one byte.
    #[inline]
    pub(super) fn byte(&mut self, byte: u8) {
        self.room(1);
        self.out[self.at] = byte;
        self.at += 1;
    }

    /// Takes the last byte back.
    #[inline]
    pub(super) fn back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// Writes an array of a length known when this is compiled, of which the first `len` bytes count.
    #[inline]
    pub(super) fn fixed<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        self.room(N);
        self.out[self.at..self.at + N].copy_from_slice(bytes);
        self.at += len.min(N);
    }

    /// Writes bytes.
    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.room(bytes.len());
        self.out[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// Writes a piece.
    #[inline]
    pub(super) fn piece(&mut self, piece: &Piece) {
        self.room(piece.padded.len());
        let (strides, _) = piece.padded.as_chunks::<STRIDE>();
        let mut at = self.at;
        for stride in strides {
            self.out[at..at + STRIDE].copy_from_slice(stride);
            at += STRIDE;
        }
        self.at += piece.len;
    }

    /// Writes `bytes[start..end]`, in strides where the bytes behind it allow that.
    #[inline]
    pub(super) fn window(&mut self, bytes: &[u8], start: usize, end: usize) {
        let len = end - start;
        if len > 2 * STRIDE || start + 2 * STRIDE > bytes.len() {
            return self.bytes(&bytes[start..end]);
        }
        self.room(2 * STRIDE);
        let (from, to) = (&bytes[start..start + 2 * STRIDE], &mut self.out[self.at..self.at + 2 * STRIDE]);
        to[..STRIDE].copy_from_slice(&from[..STRIDE]);
        if len > STRIDE {
            to[STRIDE..].copy_from_slice(&from[STRIDE..]);
        }
        self.at += len;
    }

    /// Writes a whole number.
    #[inline]
    pub(super) fn integer(&mut self, value: i64) {
        self.bytes(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Writes a finite number, as short as it can be read back; says `false` if it is not finite.
    #[inline]
    pub(super) fn float(&mut self, value: f64) -> bool {
        if value.is_finite() {
            self.bytes(zmij::Buffer::new().format_finite(value).as_bytes());
        }
        value.is_finite()
    }

    /// Writes an amount without trailing zeros.
    #[inline]
    pub(super) fn amount(&mut self, value: i128, scale: i8) {
        match i64::try_from(value) {
            Ok(small) if scale == 4 && small != i64::MIN => self.amount_of_4_places(small),
            _ => {
                let mut text = String::new();
                json::write_decimal(&mut text, value, scale);
                self.bytes(text.as_bytes());
            }
        }
    }

    #[inline]
    fn amount_of_4_places(&mut self, value: i64) {
        if value < 0 {
            self.byte(b'-');
        }
        let value = value.unsigned_abs();
        let (whole, part) = (value / 10_000, (value % 10_000) as u32);
        self.bytes(itoa::Buffer::new().format(whole).as_bytes());
        if part > 0 {
            let ([a, b], [c, d]) = (pair(part / 100), pair(part));
            let digits = [b'.', a, b, c, d];
            let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
            self.fixed(&digits, digits.len() - zeros);
        }
    }

    /// Writes `2024-05-01`.
    #[inline]
    pub(super) fn day(&mut self, days: i32) -> bool {
        if !FOUR_DIGIT_YEARS.contains(&days) {
            return self.far_day(days);
        }
        let (year, month, day) = civil(days);
        let ([a, b], [c, d], [e, f], [g, h]) = (pair(year / 100), pair(year), pair(month), pair(day));
        self.fixed(&[a, b, c, d, b'-', e, f, b'-', g, h], 10);
        true
    }

    /// A day outside the years 0 to 9999, written as the house does elsewhere; `false` if there is none such.
    #[cold]
    fn far_day(&mut self, days: i32) -> bool {
        let mut text = String::new();
        json::write_value(&mut text, &arrow::array::Date32Array::from(vec![days]), 0, false);
        let found = text != "null";
        if found {
            self.bytes(text.trim_matches('"').as_bytes());
        }
        found
    }

    /// Writes `2024-05-01T08:00:00.000Z`.
    #[inline]
    pub(super) fn time(&mut self, ms: i64) -> bool {
        let Ok(days) = i32::try_from(ms.div_euclid(MS_PER_DAY)) else { return false };
        if !self.day(days) {
            return false;
        }
        let rest = ms.rem_euclid(MS_PER_DAY) as u32;
        let (seconds, ms) = (rest / 1000, rest % 1000);
        let ([a, b], [c, d], [e, f]) = (pair(seconds / 3600), pair(seconds / 60 % 60), pair(seconds % 60));
        let (g, [h, i]) = (b'0' + (ms / 100) as u8, pair(ms));
        self.fixed(&[b'T', a, b, b':', c, d, b':', e, f, b'.', g, h, i, b'Z'], 14);
        true
    }
}

/// Year, month and day of a day within [`FOUR_DIGIT_YEARS`], counted in eras of 400 years that begin on
/// the first of March.
#[inline]
fn civil(days: i32) -> (u32, u32, u32) {
    // Not negative: the range begins 60 days after the first era does.
    let since = (days + 719_468 + 146_097) as u32;
    let (era, of_era) = (since / 146_097, since % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u32::from(month <= 2) - 400, month, day)
}

/// The values of a column.
pub(super) enum Values<'a, S> {
    Text(Texts<'a, S>),
    Json(Texts<'a, S>),
    Integer(&'a [i64]),
    Number(&'a [f64]),
    Amount(&'a [i128], i8),
    Boolean(&'a BooleanBuffer),
    Day(&'a [i32]),
    Time(&'a [i64]),
    List(&'a [i32], Texts<'a, S>, Option<&'a NullBuffer>),
}

/// A column of a batch, bound to its type.
pub(super) struct Cells<'a, S> {
    pub(super) values: Values<'a, S>,
    nulls: Option<&'a NullBuffer>,
}

impl<'a, S: Special> Cells<'a, S> {
    /// Binds the column that goes out as `column`.
    pub(super) fn new(column: &Outgoing, batch: &'a RecordBatch) -> Result<Self, WriteError> {
        let array = column.of(batch)?;
        let values = match &column.data_type {
            DataType::Utf8 if column.json => Values::Json(Texts::new(array.as_string::<i32>())),
            DataType::Utf8 => Values::Text(Texts::new(array.as_string::<i32>())),
            DataType::Int64 => Values::Integer(array.as_primitive::<Int64Type>().values()),
            DataType::Float64 => Values::Number(array.as_primitive::<Float64Type>().values()),
            DataType::Decimal128(_, scale) => {
                Values::Amount(array.as_primitive::<Decimal128Type>().values(), *scale)
            }
            DataType::Boolean => Values::Boolean(array.as_boolean().values()),
            DataType::Date32 => Values::Day(array.as_primitive::<Date32Type>().values()),
            DataType::Timestamp(..) => {
                Values::Time(array.as_primitive::<TimestampMillisecondType>().values())
            }
            DataType::List(_) => {
                let lists = array.as_list::<i32>();
                let items = lists.values().as_string::<i32>();
                Values::List(lists.value_offsets(), Texts::new(items), items.nulls())
            }
            other => {
                let (column, found) = (column.name.clone(), other.to_string());
                return Err(WriteError::UnsupportedType { column, found });
            }
        };
        Ok(Self { values, nulls: array.nulls().filter(|nulls| nulls.null_count() > 0) })
    }

    /// Whether there is no value at `row`.
    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }
}
