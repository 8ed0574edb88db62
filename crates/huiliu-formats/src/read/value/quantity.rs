//! A numeral with what people write around it: sign, currency, qualifier, unit.

use huiliu_stage::Severity;

use super::decimal::{Decimal, numeral};
use super::{Parsed, Unit, tidy};

pub(super) fn qualifier<T>(value: Option<T>) -> Parsed<T> {
    Parsed::noted(
        value,
        Severity::Info,
        "V07",
        "带有约数词，按所填数值处理",
        "is qualified (about, over, nearly); the figure itself was taken",
    )
}

/// A numeral with what stands around it.
pub(super) struct Quantity {
    pub(super) value: Decimal,
    pub(super) scaled: bool,
    pub(super) unit: String,
    pub(super) qualified: bool,
}

/// Takes a tidy text apart: sign, qualifier, numeral, unit.
pub(super) fn quantity(tidy: &str) -> Option<Quantity> {
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
    // 5个亿, as people say it.
    let spoken = tidy.contains("个亿").then(|| tidy.replace("个亿", "亿"));
    let mut rest = spoken.as_deref().unwrap_or(tidy);
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

/// Whether a text is a number or an amount in any unit.
pub(in crate::read) fn is_number(text: &str) -> bool {
    match Decimal::plain(text.as_bytes()) {
        Some(_) => true,
        None => quantity(&tidy(text))
            .is_some_and(|found| found.unit.is_empty() || Unit::parse(&found.unit).is_some()),
    }
}
