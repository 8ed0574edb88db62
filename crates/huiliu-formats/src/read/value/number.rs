//! Numbers: measures, percentages, counts.

use huiliu_stage::Severity;

use super::decimal::Decimal;
use super::quantity::{Quantity, is_torn, qualifier, quantity};
use super::{Note, Parsed, Unit, Words, is_placeholder, tidy};

/// Reads numbers of one column.
#[derive(Clone, Debug)]
pub(in crate::read) struct Number {
    field: Option<Unit>,
    factor: f64,
    /// The same for numbers that bring their own 万 or 亿: 6.67万 in a column of 万平方米 is in 平方米.
    scaled_factor: f64,
    /// Bare numbers are shares of one and the field wants percent: 0.358 is 35.8.
    shares: bool,
    /// The header is in money of another kind, so bare numbers cannot be read.
    unfit: bool,
}

impl Number {
    /// `field` is the unit of the stored value, `column` that of the header or the sheet.
    pub(in crate::read) fn new(field: Option<Unit>, column: Option<&Unit>) -> Self {
        let factor = match (&field, column) {
            (Some(field), Some(column)) => column.factor_in(field).unwrap_or(1.0),
            // 用工人数(万人) of a field that counts heads.
            (None, Some(column)) if column.is_count() => column.factor_in(&column.base()).unwrap_or(1.0),
            _ => 1.0,
        };
        let unfit = field.as_ref().zip(column).is_some_and(|(field, column)| {
            (field.is_money() || column.is_money()) && column.factor_in(field).is_none()
        });
        let scaled_factor = match (&field, column.or(field.as_ref())) {
            (Some(field), Some(column)) => column.base().factor_in(field).unwrap_or(factor),
            _ => factor,
        };
        Self { field, factor, scaled_factor, shares: false, unfit }
    }

    /// Whether the stored value is in percent.
    pub(in crate::read) fn in_percent(&self) -> bool {
        self.field.as_ref().is_some_and(|unit| unit.name == "%")
    }

    /// Decides for a whole column of percentages whether its bare numbers are shares of one. If so, gives the first of
    /// them, by index, with what to tell of it.
    pub(in crate::read) fn decide_shares<'a>(
        &mut self,
        cells: impl Iterator<Item = &'a str>,
    ) -> Option<(usize, &'a str, Note)> {
        let bare = cells.enumerate().filter_map(|(row, cell)| {
            Decimal::plain(cell.trim().as_bytes()).map(|value| (row, cell, value.to_f64().abs()))
        });
        let (mut first, mut count, mut largest) = (None, 0, 0.0_f64);
        for (row, cell, value) in bare.filter(|(.., value)| *value > 0.0) {
            first = first.or(Some((row, cell)));
            (count, largest) = (count + 1, largest.max(value));
        }
        // Some percentages are below one, but hardly all of a column; and one value is no column.
        self.shares = count >= 3 && (0.05..=1.0).contains(&largest);
        let (row, cell) = first.filter(|_| self.shares)?;
        let text = Words::new(
            "所在列没有大于1的数，整列按小数比例换算成百分数（0.358 即 35.8%）；如本为百分数，请写明 %",
            "stands in a column without a number above 1: the column was taken as shares (0.358 is 35.8 %); write % if it is percent",
        );
        Some((row, cell, Note { severity: Severity::Warning, code: "V07", text }))
    }

    /// A number without a sign of its unit.
    #[inline]
    fn bare(&self, value: Decimal) -> Parsed<f64> {
        if self.unfit {
            return other_money();
        }
        let value = if self.shares { value.shifted(2).unwrap_or(value) } else { value };
        self.store(value.to_f64(), self.factor)
    }

    /// Plain digits of which there is nothing to tell.
    #[inline]
    pub(in crate::read) fn plain(&self, text: &str) -> Option<f64> {
        self.bare(Decimal::plain(text.as_bytes())?).sure()
    }

    /// Plain digits only.
    #[inline]
    pub(in crate::read) fn strict(&self, text: &str) -> Parsed<f64> {
        match Decimal::plain(text.as_bytes()) {
            Some(value) => self.bare(value),
            None => not_a_number(),
        }
    }

    /// Whatever people write for a number.
    #[inline]
    pub(in crate::read) fn lenient(&self, text: &str) -> Parsed<f64> {
        match Decimal::plain(text.as_bytes()) {
            Some(value) => self.bare(value),
            None => self.spelled(text),
        }
    }

    #[inline]
    fn store(&self, value: f64, factor: f64) -> Parsed<f64> {
        let value = if factor == 1.0 { value } else { value * factor };
        if value.is_finite() { Parsed::value(value) } else { not_a_number() }
    }

    #[cold]
    fn spelled(&self, text: &str) -> Parsed<f64> {
        let tidy = tidy(text);
        if tidy.is_empty() {
            return Parsed::empty();
        }
        if is_placeholder(&tidy) {
            return Parsed::placeholder();
        }
        // 百分之三十五 is 35 %.
        let (written, share) = match tidy.strip_prefix("百分之") {
            Some(rest) => (rest, true),
            None => (tidy.as_str(), false),
        };
        let Some(Quantity { value, mut unit, qualified, scaled }) =
            quantity(written).filter(|_| !is_torn(text))
        else {
            return not_a_number();
        };
        if share && unit.is_empty() {
            unit.push('%');
        }
        let value = value.to_f64();
        let in_percent = self.in_percent();
        let parsed = match (unit.as_str(), &self.field) {
            ("", _) if self.unfit => other_money(),
            ("", _) if scaled => self.store(value, self.scaled_factor),
            ("", _) => self.store(if self.shares { value * 100.0 } else { value }, self.factor),
            ("%", _) => self.store(value, if in_percent { 1.0 } else { 0.01 }),
            (unit, field) => match (Unit::parse(unit), field) {
                (Some(_), None) => self.store(value, 1.0),
                (Some(unit), Some(field)) => match unit.factor_in(field) {
                    Some(factor) => self.store(value, factor),
                    None => not_a_number(),
                },
                (None, _) => not_a_number(),
            },
        };
        match (&parsed, qualified) {
            (Parsed { value: Some(_), note: None }, true) => qualifier(parsed.value),
            _ => parsed,
        }
    }
}

fn not_a_number<T>() -> Parsed<T> {
    Parsed::bad("V07", "不是数字；请只填数字，如 35.8", "is not a number; write digits only, such as 35.8")
}

#[cold]
fn other_money<T>() -> Parsed<T> {
    Parsed::bad(
        "V07",
        "所在列的单位与本字段的单位不能换算；请按本字段的单位填写",
        "stands in a column whose unit cannot be converted to the field's; write it in the field's unit",
    )
}

fn not_whole<T>() -> Parsed<T> {
    Parsed::bad("V07", "不是整数；请填整数，如 12", "is not a whole number; write digits only, such as 12")
}

/// A whole number in plain digits.
#[inline]
pub(in crate::read) fn strict_integer(text: &str) -> Parsed<i64> {
    match text.parse() {
        Ok(value) if !text.starts_with('+') => Parsed::value(value),
        _ => not_whole(),
    }
}

/// A whole number of plain digits, as people write it: `12`, `12.0`.
#[inline]
pub(in crate::read) fn plain_integer(text: &str) -> Option<i64> {
    Decimal::plain(text.as_bytes())?.integer()
}

/// A whole number as people write it: `1,200`, `十二`, `120人`, `12.0`.
pub(in crate::read) fn integer(text: &str) -> Parsed<i64> {
    if let Some(value) = Decimal::plain(text.as_bytes()) {
        return value.integer().map_or_else(not_whole, Parsed::value);
    }
    let tidy = tidy(text);
    if tidy.is_empty() {
        return Parsed::empty();
    }
    if is_placeholder(&tidy) {
        return Parsed::placeholder();
    }
    match quantity(&tidy).filter(|_| !is_torn(text)) {
        Some(found) if found.unit.is_empty() || (found.unit != "%" && Unit::parse(&found.unit).is_some()) => {
            match (found.value.integer(), found.qualified) {
                (Some(value), true) => qualifier(Some(value)),
                (Some(value), false) => Parsed::value(value),
                (None, _) => not_whole(),
            }
        }
        _ => not_whole(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_know_percent_and_their_own_unit() {
        let number =
            |field: &str, header: &str| Number::new(Unit::parse(field), Unit::parse(header).as_ref());
        for (field, header, text, value) in [
            ("%", "%", "35.8%", Some(35.8)),
            ("%", "", "35.8", Some(35.8)),
            ("", "", "35.8%", Some(0.358)),
            ("亩", "公顷", "2", Some(30.0)),
            ("亩", "", "2公顷", Some(30.0)),
            ("亩", "", "120.5亩", Some(120.5)),
            ("亩", "", "120人", None),
            ("", "", "1,234.5", Some(1234.5)),
            ("%", "", "百分之三十五", Some(35.0)),
            ("%", "", "百分之35.8", Some(35.8)),
            ("%", "", "35.8％", Some(35.8)),
            ("亩", "", "2万平方米", Some(30.0)),
            ("亩", "", "约12公顷", Some(180.0)),
            ("平方米", "万平方米", "1.5", Some(15_000.0)),
            ("平方米", "万平方米", "6.67万", Some(66_700.0)),
            ("万平方米", "", "6.67万", Some(6.67)),
            ("亩", "亩", "1.2万", Some(12_000.0)),
            ("", "", "10 20", None),
            ("", "万人", "5", Some(50_000.0)),
            ("万美元", "万元", "5", None),
            ("万美元", "美元", "50000", Some(5.0)),
            ("平方米", "", "8万㎡", Some(80_000.0)),
            ("平方米", "", "1200m²", Some(1200.0)),
            ("", "", "inf", None),
            ("", "", "0.1", Some(0.1)),
        ] {
            let found = number(field, header).lenient(text).value;
            let near = match (found, value) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                (a, b) => a == b,
            };
            assert!(near, "{field} {header} {text}: {found:?}");
        }
        let mut rate = number("%", "");
        let told = rate.decide_shares(["", "0.358", "0.5", "1"].into_iter());
        assert_eq!(told.map(|(row, cell, _)| (row, cell)), Some((1, "0.358")));
        assert_eq!(["0.358", "35.8%"].map(|text| rate.lenient(text).value), [Some(35.8), Some(35.8)]);
        for percent in [&["0.3", "12", "0.5"][..], &["0.3"], &["35.8%", "0.3%", "1%"]] {
            assert_eq!(rate.decide_shares(percent.iter().copied()), None, "{percent:?}");
        }
        assert_eq!(integer("1,200人").value, Some(1200));
        assert_eq!(integer("12.0").value, Some(12));
        assert_eq!(integer("12.5").value, None);
    }
}
