//! Amounts.
//!
//! Where a unit comes from, strongest first: the cell, the header, the sheet, the field.

use huiliu_stage::Severity;

use super::decimal::Decimal;
use super::quantity::{Quantity, is_torn, qualifier, quantity};
use super::{Parsed, Unit, is_placeholder, tidy};

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

    /// Plain digits of which there is nothing to tell.
    #[inline]
    pub(in crate::read) fn plain(&self, text: &str) -> Option<i128> {
        self.store(Decimal::plain(text.as_bytes())?, self.shift).sure()
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
            Some(0) if value.mantissa != 0 => too_small(),
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
        if ["$", "us$", "usd", "€", "£", "hk$"].iter().any(|sign| starts_with(&tidy, sign)) {
            return foreign(&tidy);
        }
        if is_torn(text) {
            return not_an_amount();
        }
        let Some(Quantity { value, scaled, unit, qualified }) = quantity(&tidy) else {
            return if is_tier(&tidy) { tier() } else { not_an_amount() };
        };
        let parsed = match (unit.as_str(), &self.field) {
            ("", _) if !scaled => self.store(value, self.shift),
            // 1亿 in a column of 万美元 are dollars.
            ("", _) if self.foreign.is_some() => foreign(&tidy),
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

fn starts_with(tidy: &str, sign: &str) -> bool {
    tidy.get(..sign.len()).is_some_and(|start| start.eq_ignore_ascii_case(sign))
}

#[cold]
fn too_small() -> Parsed<i128> {
    Parsed::noted(
        Some(0),
        Severity::Warning,
        "V07",
        "小到无法按本字段的单位存储，按0处理；请核对单位",
        "is too small to be stored in the field's unit, 0 was taken; check its unit",
    )
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
        format!("是外币金额（{currency}），没有汇率不能换算；请换算成人民币后填写"),
        format!("is an amount in another currency ({currency}); convert it before sending"),
    )
}

/// `超百亿`, `千万级`, `十亿元以上`: the class of an amount and not the amount.
fn is_tier(tidy: &str) -> bool {
    let unit = |c| matches!(c, '十' | '百' | '千' | '万' | '亿');
    if !tidy.contains(unit) {
        return false;
    }
    let rest = tidy.trim_start_matches(|c| "超过近约逾达突破上数几".contains(c));
    let rest = rest.trim_end_matches(|c| "元人民币级以上左右规模".contains(c));
    !rest.is_empty() && rest.chars().all(unit)
}

fn tier<T>() -> Parsed<T> {
    Parsed::bad(
        "V07",
        "只是金额的档次，不是金额；请填具体数额，如 120亿元",
        "names a class of amounts and no amount; write the figure, such as 120亿元",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(header: &str) -> Money {
        Money::new(Unit::parse("万元"), Unit::parse(header).as_ref())
    }

    #[test]
    fn amounts_are_read_in_the_unit_of_cell_header_or_field() {
        use Severity::{Error, Info, Warning};
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
            ("", "壹亿贰仟万元整", Some(120_000_000), None),
            ("", "5个亿", Some(500_000_000), None),
            ("", "人民币1.2亿元", Some(120_000_000), None),
            ("", "5亿元人民币", Some(500_000_000), None),
            ("", "3000万美元", None, Some(Error)),
            ("", "$3000万", None, Some(Error)),
            ("", "US$500", None, Some(Error)),
            ("", "1.2~1.5亿", None, Some(Error)),
            ("", "五六亿", None, Some(Error)),
            ("", "1.2亿美元", None, Some(Error)),
            ("", "500万美元", None, Some(Error)),
            ("万美元", "500", None, Some(Error)),
            ("万美元", "1亿", None, Some(Error)),
            ("", "1000\n2000", None, Some(Error)),
            ("", "1000 2000", None, Some(Error)),
            ("", "1000①", None, Some(Error)),
            ("", "1 234 567", Some(12_345_670_000), None),
            ("", "1亿2", None, Some(Error)),
            ("", "1.2.3", None, Some(Error)),
            ("", "1-2亿", None, Some(Error)),
            ("", "待定", None, Some(Info)),
            ("", "——", None, Some(Info)),
            ("", "  ", None, None),
            ("", "99999999999999999", None, Some(Error)),
            ("", "0.00001", Some(0), Some(Warning)),
            ("元", "0.5", Some(1), None),
            ("元", "0.4", Some(0), Some(Warning)),
            ("", "0.00", Some(0), None),
        ] {
            let found = money(header).lenient(text);
            assert_eq!((found.value, found.note.map(|n| n.severity)), (value, severity), "{header} {text}");
        }
    }

    #[test]
    fn a_class_or_another_currency_is_named_as_such() {
        let note = |text: &str| money("").lenient(text).note.unwrap().text.zh;
        assert!(note("超百亿").contains("档次"));
        assert!(note("千万级").contains("档次"));
        assert!(note("1.2亿美元").contains("1.2亿美元"));
        assert!(note("$3000万").contains("外币"));
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
}
