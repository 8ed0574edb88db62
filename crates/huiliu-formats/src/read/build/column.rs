//! The builder of one typed column.
//!
//! A chunk's cells are read in two goes. The first takes what is written plainly, the second ([`ColumnBuilder::append_rest`])
//! what is left of all columns: how people write is found out by much code, which a bad cell here and there would have
//! to fetch from far away each time.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayBuilder, ArrayRef, ArrowPrimitiveType, BooleanBuilder, ListBuilder, StringBuilder};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMillisecondType};
use huiliu_stage::{Field, FieldType, Severity};

use super::plain::Plain;
use crate::read::chunk::{Chunk, View};
use crate::read::value::{
    Asked, Money, Note, Number, Parsed, Unit, Words, boolean, date, destroyed, failed, integer, is_code,
    list_items, plain_integer, strict_date, strict_integer, timestamp, trimmed,
};

/// Told of each cell with a note: index of the row in the chunk, its text, the note.
type Tell<'a> = &'a mut dyn FnMut(usize, &str, Note);

enum Values {
    Text(StringBuilder),
    Integer(Plain<Int64Type>),
    Number(Plain<Float64Type>, Number),
    Money(Plain<Decimal128Type>, Money),
    Date(Plain<Date32Type>),
    Boolean(BooleanBuilder),
    List(ListBuilder<StringBuilder>),
    Timestamp(Plain<TimestampMillisecondType>),
}

impl Values {
    fn new(kind: FieldType, number: impl FnOnce() -> Number, money: impl FnOnce() -> Money) -> Self {
        match kind {
            FieldType::Text => Self::Text(StringBuilder::new()),
            FieldType::Integer => Self::Integer(Plain::new(kind.arrow())),
            FieldType::Number => Self::Number(Plain::new(kind.arrow()), number()),
            FieldType::Money => Self::Money(Plain::new(kind.arrow()), money()),
            FieldType::Date => Self::Date(Plain::new(kind.arrow())),
            FieldType::Boolean => Self::Boolean(BooleanBuilder::new()),
            FieldType::List => Self::List(ListBuilder::new(StringBuilder::new())),
            FieldType::Timestamp => Self::Timestamp(Plain::new(kind.arrow())),
        }
    }

    /// What reads in the same way and holds nothing.
    fn fork(&self, kind: FieldType) -> Self {
        match self {
            Self::Number(b, number) => Self::Number(b.fork(), number.clone()),
            Self::Money(b, money) => Self::Money(b.fork(), money.clone()),
            _ => Self::new(kind, || Number::new(None, None), || Money::new(None, None)),
        }
    }
}

/// Reads the cells of one field.
pub(super) struct ColumnBuilder {
    values: Values,
    field: Arc<Field>,
    unit: Option<Unit>,
    today: i32,
    asked: Asked,
    /// Reads counts whose header is in another size than the field's unit: 万人.
    scaled: Option<Number>,
    /// Percentages of which it is still open whether they are written as shares of one.
    open: bool,
    /// Rows of the chunk whose cells are left for the second go.
    left: Vec<usize>,
    /// Rows of the chunk whose cells are read, and what there is to tell of them.
    told: Vec<(usize, Note)>,
}

impl ColumnBuilder {
    pub(super) fn new(field: &Field, today: i32) -> Self {
        let kind = field.kind;
        let unit = match (&field.unit, kind) {
            (Some(unit), _) => Unit::parse(unit),
            (None, FieldType::Money) => Unit::parse("万元"),
            (None, _) => None,
        };
        let number = || Number::new(unit.clone(), None);
        let values = Values::new(kind, number, || Money::new(unit.clone(), None));
        let asked = Asked::by(&field.name, field.title());
        Self {
            values,
            field: Arc::new(field.clone()),
            unit,
            today,
            asked,
            scaled: None,
            open: false,
            left: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Another one for the same column, without cells.
    pub(super) fn fork(&self) -> Self {
        Self {
            values: self.values.fork(self.field.kind),
            field: Arc::clone(&self.field),
            unit: self.unit.clone(),
            scaled: self.scaled.clone(),
            left: Vec::new(),
            told: Vec::new(),
            ..*self
        }
    }

    /// The field as the record schema has it.
    pub(super) fn field(&self) -> &Arc<Field> {
        &self.field
    }

    /// The unit of the column: that of its header, else, for amounts, that of the sheet.
    pub(super) fn set_unit(&mut self, header: Option<&Unit>, sheet: Option<&Unit>) {
        match &mut self.values {
            Values::Money(_, money) => {
                // A sheet in 万元 says nothing about its one column in another currency.
                let field = self.unit.as_ref();
                let sheet = sheet.filter(|sheet| field.is_none_or(|field| sheet.power_in(field).is_some()));
                *money = Money::new(self.unit.clone(), header.filter(|u| u.is_money()).or(sheet));
            }
            Values::Number(_, number) => {
                // People have no unit of their own to be told of, but ten thousand of them are counted as such.
                let counted = header.filter(|unit| unit.is_count()).map(Unit::base);
                *number = Number::new(self.unit.clone().or(counted), header);
                self.open = number.in_percent() && header.is_none();
            }
            Values::Integer(_) => {
                let counted =
                    header.filter(|unit| unit.is_count() && unit.factor_in(&unit.base()) != Some(1.0));
                let own = counted.map(|unit| self.unit.clone().unwrap_or_else(|| unit.base()));
                self.scaled = own.map(|own| Number::new(Some(own), counted));
            }
            _ => {}
        }
    }

    pub(super) fn append_nulls(&mut self, rows: usize) {
        match &mut self.values {
            Values::Text(b) => b.append_nulls(rows),
            Values::Integer(b) => b.push_nulls(rows),
            Values::Number(b, _) => b.push_nulls(rows),
            Values::Money(b, _) => b.push_nulls(rows),
            Values::Date(b) => b.push_nulls(rows),
            Values::Boolean(b) => b.append_nulls(rows),
            Values::List(b) => (0..rows).for_each(|_| b.append_null()),
            Values::Timestamp(b) => b.push_nulls(rows),
        }
    }

    /// Adds the cells of `column`, one for each row of the chunk, but for what [`append_rest`](Self::append_rest) adds.
    pub(super) fn append(&mut self, chunk: &Chunk, view: View<'_>, column: usize) {
        let cells = (0..chunk.rows()).map(|row| view.get(row, column));
        let (left, told) = (&mut self.left, &mut self.told);
        if let Values::Number(_, number) = &mut self.values
            && self.open
            && chunk.rows() > 0
        {
            self.open = false;
            told.extend(number.decide_shares(cells.clone()).map(|(row, _, note)| (row, note)));
        }
        let strict = self.field.strict;
        match &mut self.values {
            Values::Text(builder) => {
                let code = !strict && is_code(&self.field.name);
                for (row, cell) in cells.enumerate() {
                    let text = if strict { cell } else { trimmed(cell) };
                    let broken = if strict { None } else { failed(text) };
                    if let Some(note) =
                        broken.or_else(|| code.then(|| destroyed(text, &self.field.name)).flatten())
                    {
                        told.push((row, note));
                        builder.append_null();
                        continue;
                    }
                    match text.is_empty() {
                        true => builder.append_null(),
                        false => builder.append_value(text),
                    }
                }
            }
            Values::Integer(b) if self.scaled.is_some() => plainly(cells, |_| None, b, left),
            Values::Integer(b) if strict => plainly(cells, |c| strict_integer(c).sure(), b, left),
            Values::Integer(b) => plainly(cells, plain_integer, b, left),
            Values::Number(b, number) => plainly(cells, |c| number.plain(c), b, left),
            Values::Money(b, money) => plainly(cells, |c| money.plain(c), b, left),
            Values::Date(b) => plainly(cells, strict_date, b, left),
            Values::Timestamp(b) => plainly(cells, |_| None, b, left),
            Values::Boolean(builder) => {
                for (row, cell) in cells.enumerate() {
                    let Parsed { value, note } = if cell.is_empty() {
                        Parsed { value: None, note: None }
                    } else {
                        boolean(cell, strict)
                    };
                    builder.append_option(value);
                    told.extend(note.map(|note| (row, *note)));
                }
            }
            Values::List(builder) => {
                for cell in cells {
                    let mut any = false;
                    for item in list_items(cell) {
                        builder.values().append_value(item);
                        any = true;
                    }
                    builder.append(any);
                }
            }
        }
    }

    /// Reads the cells that [`append`](Self::append) left of the same chunk, and tells of all that there is to tell of.
    pub(super) fn append_rest(&mut self, chunk: &Chunk, view: View<'_>, column: usize, tell: Tell<'_>) {
        let cell = |row: usize| view.get(row, column);
        self.told.drain(..).for_each(|(row, note)| tell(row, cell(row), note));
        if self.left.is_empty() {
            return;
        }
        let mut left = std::mem::take(&mut self.left);
        let cells = left.iter().map(|&row| (row, cell(row)));
        let (strict, today, asked, rows) = (self.field.strict, self.today, self.asked, chunk.rows());
        match (&mut self.values, &self.scaled) {
            (Values::Integer(b), Some(number)) => rest(cells, tell, |c| whole(number.lenient(c)), b, rows),
            (Values::Integer(b), None) if strict => rest(cells, tell, strict_integer, b, rows),
            (Values::Integer(b), None) => rest(cells, tell, integer, b, rows),
            (Values::Number(b, number), _) if strict => rest(cells, tell, |c| number.strict(c), b, rows),
            (Values::Number(b, number), _) => rest(cells, tell, |c| number.lenient(c), b, rows),
            (Values::Money(b, money), _) if strict => rest(cells, tell, |c| money.strict(c), b, rows),
            (Values::Money(b, money), _) => rest(cells, tell, |c| money.lenient(c), b, rows),
            (Values::Date(b), _) if strict => rest(cells, tell, strictly_dated, b, rows),
            (Values::Date(b), _) => rest(cells, tell, |c| date(c, today, asked), b, rows),
            (Values::Timestamp(b), _) => rest(cells, tell, |c| timestamp(c, today, strict), b, rows),
            (Values::Text(_) | Values::Boolean(_) | Values::List(_), _) => {}
        }
        left.clear();
        self.left = left;
    }

    /// The sum of the values in these rows since the last batch; nulls count nothing.
    pub(super) fn sum(&self, rows: Range<usize>) -> i128 {
        match &self.values {
            Values::Money(b, _) => b.values(rows).iter().sum(),
            Values::Number(b, _) => (b.values(rows).iter().sum::<f64>() * 10_000.0).round() as i128,
            Values::Integer(b) => b.values(rows).iter().map(|&value| i128::from(value) * 10_000).sum(),
            _ => 0,
        }
    }

    /// A text read as the column's cells are, in units of a ten-thousandth.
    pub(super) fn amount(&self, text: &str) -> Option<i128> {
        match &self.values {
            Values::Money(_, money) => money.lenient(text).value,
            Values::Number(_, number) => number.lenient(text).value.map(|n| (n * 10_000.0).round() as i128),
            Values::Integer(_) => match &self.scaled {
                Some(number) => Some(i128::from(whole(number.lenient(text)).value?) * 10_000),
                None => Some(i128::from(integer(text).value?) * 10_000),
            },
            _ => None,
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        match &mut self.values {
            Values::Text(b) => {
                // The next batch will be about as large: its memory is asked for at once.
                let (rows, bytes) = (b.len(), b.values_slice().len());
                let done = Arc::new(b.finish());
                *b = StringBuilder::with_capacity(rows, bytes + bytes / 8);
                done
            }
            Values::Integer(b) => b.finish(),
            Values::Number(b, _) => b.finish(),
            Values::Money(b, _) => b.finish(),
            Values::Date(b) => b.finish(),
            Values::Boolean(b) => Arc::new(b.finish()),
            Values::List(b) => Arc::new(b.finish()),
            Values::Timestamp(b) => b.finish(),
        }
    }
}

/// A count that was read as a number: 0.5 of 万人 are 5000, half a person is none.
fn whole(parsed: Parsed<f64>) -> Parsed<i64> {
    let Some(value) = parsed.value else { return Parsed { value: None, note: parsed.note } };
    let rounded = value.round();
    if (value - rounded).abs() < 1e-6 && rounded.abs() < 9e15 {
        return Parsed { value: Some(rounded as i64), note: parsed.note };
    }
    let text =
        Words::new("换算后不是整数；请核对单位", "is no whole number in the field's unit; check the unit");
    Parsed { value: None, note: Some(Box::new(Note { severity: Severity::Error, code: "V07", text })) }
}

#[inline]
fn strictly_dated(text: &str) -> Parsed<i32> {
    match strict_date(text) {
        Some(day) => Parsed { value: Some(day), note: None },
        None => date_fault(),
    }
}

#[cold]
fn date_fault() -> Parsed<i32> {
    let text = Words::new("不是日期；请按 2024-05-01 的格式填写", "is not a date; write it like 2024-05-01");
    Parsed { value: None, note: Some(Box::new(Note { severity: Severity::Error, code: "V11", text })) }
}

/// Reads cells into a column of values of one size, those that `plain` can read; the others are `left`.
#[inline]
fn plainly<'a, T: ArrowPrimitiveType>(
    cells: impl ExactSizeIterator<Item = &'a str>,
    mut plain: impl FnMut(&str) -> Option<T::Native>,
    into: &mut Plain<T>,
    left: &mut Vec<usize>,
) {
    into.reserve(cells.len());
    for (row, cell) in cells.enumerate() {
        if cell.is_empty() {
            into.push_null();
            continue;
        }
        let value = plain(cell);
        if value.is_none() {
            left.push(row);
        }
        into.push(value.unwrap_or_default());
    }
}

/// Reads cells that were left of the last `rows` rows.
fn rest<'a, T: ArrowPrimitiveType>(
    cells: impl Iterator<Item = (usize, &'a str)>,
    tell: Tell<'_>,
    mut parse: impl FnMut(&str) -> Parsed<T::Native>,
    into: &mut Plain<T>,
    rows: usize,
) {
    for (row, cell) in cells {
        let Parsed { value, note } = parse(cell);
        into.set(rows - row, value);
        if let Some(note) = note {
            tell(row, cell, *note);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_in_ten_thousands_are_counted_out() {
        let field = Field {
            name: "jobs".into(),
            kind: FieldType::Integer,
            unit: Some("人".into()),
            ..Field::default()
        };
        let mut column = ColumnBuilder::new(&field, 0);
        column.set_unit(Unit::parse("万人").as_ref(), None);
        assert_eq!(column.amount("5"), Some(50_000 * 10_000));
        assert_eq!(column.amount("0.35"), Some(3_500 * 10_000));
        assert_eq!(column.amount("0.00001"), None);
        column.set_unit(Unit::parse("人").as_ref(), None);
        assert_eq!(column.amount("5"), Some(5 * 10_000));
    }
}
