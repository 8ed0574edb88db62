//! Amounts and numbers.
//!
//! Where a unit comes from, strongest first: the cell, the header, the sheet, the field.

use huiliu_stage::{Severity, Text};

use super::decimal::{Decimal, numeral};
use super::{Note, Parsed, Unit, is_placeholder, tidy};

/// Places after the point of an amount.
const PLACES: u32 = 4;
/// Bound of an amount's digits, of the column's type Decimal128(18, 4).
const LIMIT: i128 = 1_000_000_000_000_000_000;

/// Reads amounts of one column.
#[derive(Clone, Debug)]
pub(in crate::read) struct Money {
    field: Option<Unit>,
    /// `10^shift` of the field's unit make one of the column's.
    shift: i32,
    /// The column's unit is of another currency, so bare numbers cannot be read.
    foreign: Option<String>,
}

impl Money {
    /// `field` is the unit of the stored value, `column` that of the header or the sheet.
    pub(in crate::read) fn new(field: Option<Unit>, column: Option<&Unit>) -> Self {
        let (mut shift, mut foreign) = (0, None);
        if let (Some(field), Some(column)) = (&field, column.filter(|u| u.is_money())) {
            match column.power_in(field) {
                Some(power) => shift = power,
                None => foreign = Some(column.name.clone()),
            }
        }
        Self { field, shift, foreign }
    }

    /// Plain digits only.
    #[inline]
    pub(in crate::read) fn strict(&self, text: &str) -> Parsed<i128> {
        match Decimal::plain(text.as_bytes()) {
            Some(value) => self.store(value, self.shift),
            None => not_an_amount(),
        }
    }

    /// Whatever people write for an amount.
    #[inline]
    pub(in crate::read) fn lenient(&self, text: &str) -> Parsed<i128> {
        match Decimal::plain(text.as_bytes()) {
            Some(value) => self.store(value, self.shift),
            None => self.spelled(text),
        }
    }

    #[inline]
    fn store(&self, value: Decimal, shift: i32) -> Parsed<i128> {
        if let Some(currency) = &self.foreign {
            return foreign(currency);
        }
        let stored = match shift {
            0 => value.rounded(PLACES),
            _ => value.shifted(shift).and_then(|v| v.rounded(PLACES)),
        };
        match stored {
            Some(stored) if stored.abs() < LIMIT => Parsed::value(stored),
            _ => {
                Parsed::bad("V07", "金额过大，无法存储；请核对单位", "is too large an amount; check its unit")
            }
        }
    }

    #[cold]
    fn spelled(&self, text: &str) -> Parsed<i128> {
        let tidy = tidy(text);
        if tidy.is_empty() {
            return Parsed::empty();
        }
        if is_placeholder(&tidy) {
            return Parsed::placeholder();
        }
        let Some(Quantity { value, scaled, unit, qualified }) = quantity(&tidy) else {
            return if is_tier(&tidy) { tier() } else { not_an_amount() };
        };
        let parsed = match (unit.as_str(), &self.field) {
            ("", _) if !scaled => self.store(value, self.shift),
            (_, None) => self.store(value, 0),
            ("", Some(field)) => match Unit::parse("元").and_then(|yuan| yuan.power_in(field)) {
                Some(shift) => Self { foreign: None, ..self.clone() }.store(value, shift),
                None => foreign(&tidy),
            },
            (unit, Some(field)) => match Unit::parse(unit) {
                Some(unit) if unit.is_money() => match unit.power_in(field) {
                    Some(shift) => Self { foreign: None, ..self.clone() }.store(value, shift),
                    None => foreign(&tidy),
                },
                _ => not_an_amount(),
            },
        };
        match (&parsed, qualified) {
            (Parsed { value: Some(_), note: None }, true) => qualifier(parsed.value),
            _ => parsed,
        }
    }
}

fn not_an_amount<T>() -> Parsed<T> {
    Parsed::bad(
        "V07",
        "不是金额；请只填数字，如 12000.5",
        "is not an amount; write digits only, such as 12000.5",
    )
}

/// `currency` is the amount or the header's unit, as written.
#[cold]
fn foreign<T>(currency: &str) -> Parsed<T> {
    Parsed::bad(
        "V07",
        &format!("是外币金额（{currency}），没有汇率不能换算；请换算成人民币后填写"),
        &format!("is an amount in another currency ({currency}); convert it before sending"),
    )
}

/// `超百亿`, `千万级`, `十亿元以上`: the class of an amount and not the amount.
fn is_tier(tidy: &str) -> bool {
    let rest = tidy.trim_start_matches(|c| "超过近约逾达突破上数几".contains(c));
    let rest = rest.trim_end_matches(|c| "元人民币级以上左右规模".contains(c));
    !rest.is_empty() && rest.chars().all(|c| "十百千万亿".contains(c))
}

fn tier<T>() -> Parsed<T> {
    Parsed::bad(
        "V07",
        "只是金额的档次，不是金额；请填具体数额，如 120亿元",
        "names a class of amounts and no amount; write the figure, such as 120亿元",
    )
}

fn qualifier<T>(value: Option<T>) -> Parsed<T> {
    Parsed::noted(
        value,
        Severity::Info,
        "V07",
        "带有约数词，按所填数值处理",
        "is qualified (about, over, nearly); the figure itself was taken",
    )
}

/// A numeral with what stands around it.
struct Quantity {
    value: Decimal,
    scaled: bool,
    unit: String,
    qualified: bool,
}

/// Takes a tidy text apart: sign, qualifier, numeral, unit.
fn quantity(tidy: &str) -> Option<Quantity> {
    const BEFORE: [&str; 21] = [
        "不少于",
        "不低于",
        "不超过",
        "大约",
        "约为",
        "超过",
        "将近",
        "接近",
        "至少",
        "突破",
        "约",
        "超",
        "近",
        "逾",
        "达",
        ">=",
        "<=",
        "≥",
        "≤",
        ">",
        "<",
    ];
    const AFTER: [&str; 7] = ["左右", "以上", "以内", "以下", "上下", "多", "余"];
    let mut rest = tidy;
    let mut qualified = false;
    while let Some(word) = BEFORE.iter().find(|word| rest.starts_with(**word)) {
        rest = &rest[word.len()..];
        qualified = true;
    }
    for sign in ["人民币", "RMB", "CNY", "¥", "￥"] {
        rest = rest.strip_prefix(sign).unwrap_or(rest);
    }
    let negative = ["-", "−", "负"].iter().find_map(|sign| rest.strip_prefix(sign));
    rest = negative.unwrap_or(rest);
    let (value, scaled, after) = match Decimal::scientific(rest) {
        Some(value) => (value, false, ""),
        None => {
            let found = numeral(rest)?;
            (found.value, found.scaled, found.rest)
        }
    };
    let mut unit = after;
    for word in AFTER {
        // 10余亿元 and 10亿余元: the word may stand before the unit as well as behind it.
        if let Some(inner) = unit.strip_prefix(word) {
            (unit, qualified) = (inner, true);
        }
        if let Some(inner) = unit.strip_suffix(word) {
            (unit, qualified) = (inner, true);
        }
    }
    let unit = unit.strip_suffix(['整', '正']).unwrap_or(unit).to_owned();
    Some(Quantity {
        value: if negative.is_some() { value.negated() } else { value },
        scaled,
        unit,
        qualified,
    })
}

/// Reads numbers of one column.
#[derive(Clone, Debug)]
pub(in crate::read) struct Number {
    field: Option<Unit>,
    factor: f64,
    /// Bare numbers are shares of one and the field wants percent: 0.358 is 35.8.
    shares: bool,
}

impl Number {
    /// `field` is the unit of the stored value, `column` that of the header or the sheet.
    pub(in crate::read) fn new(field: Option<Unit>, column: Option<&Unit>) -> Self {
        let factor = match (&field, column) {
            (Some(field), Some(column)) => column.factor_in(field).unwrap_or(1.0),
            _ => 1.0,
        };
        Self { field, factor, shares: false }
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
        let text = Text::new(
            "所在列没有大于1的数，整列按小数比例换算成百分数（0.358 即 35.8%）；如本为百分数，请写明 %",
            "stands in a column without a number above 1: the column was taken as shares (0.358 is 35.8 %); write % if it is percent",
        );
        Some((row, cell, Note { severity: Severity::Warning, code: "V07", text }))
    }

    /// A number without a sign of its unit.
    #[inline]
    fn bare(&self, value: Decimal) -> Parsed<f64> {
        let value = if self.shares { value.shifted(2).unwrap_or(value) } else { value };
        self.store(value.to_f64(), self.factor)
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
        let Some(Quantity { value, unit, qualified, .. }) = quantity(&tidy) else {
            return not_a_number();
        };
        let value = value.to_f64();
        let in_percent = self.in_percent();
        let parsed = match (unit.as_str(), &self.field) {
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

/// Whether a text is a number or an amount in any unit.
pub(in crate::read) fn is_number(text: &str) -> bool {
    match Decimal::plain(text.as_bytes()) {
        Some(_) => true,
        None => quantity(&tidy(text))
            .is_some_and(|found| found.unit.is_empty() || Unit::parse(&found.unit).is_some()),
    }
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
    match quantity(&tidy) {
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

    fn money(header: &str) -> Money {
        Money::new(Unit::parse("万元"), Unit::parse(header).as_ref())
    }

    #[test]
    fn amounts_are_read_in_the_unit_of_cell_header_or_field() {
        use Severity::{Error, Info};
        for (header, text, value, severity) in [
            ("", "12000.5", Some(120_005_000), None),
            ("亿元", "12.5", Some(1_250_000_000), None),
            ("元", "125000", Some(125_000), None),
            ("万元", "3.5亿", Some(350_000_000), None),
            ("亿元", "5124.37万元", Some(51_243_700), None),
            ("", "约10亿元", Some(1_000_000_000), Some(Info)),
            ("", "10余亿元", Some(1_000_000_000), Some(Info)),
            ("", "10亿余元", Some(1_000_000_000), Some(Info)),
            ("", "十二万", Some(120_000), None),
            ("", "壹佰元整", Some(100), None),
            ("", "¥1,234.5", Some(12_345_000), None),
            ("", "１２０００", Some(120_000_000), None),
            ("", "-5", Some(-50_000), None),
            ("", "1.2E+05", Some(1_200_000_000), None),
            ("", "超百亿", None, Some(Error)),
            ("", "百亿元以上", None, Some(Error)),
            ("", "三千二百万", Some(32_000_000), None),
            ("", "两亿", Some(200_000_000), None),
            ("", "1.2亿元", Some(120_000_000), None),
            ("", "￥1,200.50", Some(12_005_000), None),
            ("", "不少于3亿元", Some(300_000_000), Some(Info)),
            ("", "1.2亿美元", None, Some(Error)),
            ("", "500万美元", None, Some(Error)),
            ("万美元", "500", None, Some(Error)),
            ("", "1.2.3", None, Some(Error)),
            ("", "1-2亿", None, Some(Error)),
            ("", "待定", None, Some(Info)),
            ("", "——", None, Some(Info)),
            ("", "  ", None, None),
            ("", "99999999999999999", None, Some(Error)),
        ] {
            let found = money(header).lenient(text);
            assert_eq!((found.value, found.note.map(|n| n.severity)), (value, severity), "{header} {text}");
        }
    }

    #[test]
    fn a_class_or_another_currency_is_named_as_such() {
        let note = |text: &str| money("").lenient(text).note.unwrap().text.in_language("zh").to_owned();
        assert!(note("超百亿").contains("档次"));
        assert!(note("千万级").contains("档次"));
        assert!(note("1.2亿美元").contains("1.2亿美元"));
        assert!(note("大约很多").contains("不是金额"));
    }

    #[test]
    fn a_strict_amount_is_digits_and_nothing_else() {
        let good = [("12000.5", 120_005_000), ("-3", -30_000), ("0", 0), ("00012", 120_000)];
        for (text, value) in good {
            assert_eq!(money("").strict(text).value, Some(value), "{text}");
        }
        for text in ["待定", "约5亿", "12,000", "1.2.3", "+1", "1.", ".5", "1e3", " 1", "１", "-"] {
            let found = money("").strict(text);
            assert_eq!((found.value, found.note.map(|n| n.code)), (None, Some("V07")), "{text}");
        }
    }

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
