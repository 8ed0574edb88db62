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

/// Whether blanks or marks stand within a text in such a way that its digits are not one number: `1000 2000`, a line
/// break, a footnote's `①` behind an amount. A single blank may part thousands: `1 234 567`.
pub(super) fn is_torn(text: &str) -> bool {
    // Circled and raised digits become plain ones when a text is normalised.
    let raised = |c: &char| matches!(c, '①'..='⓿' | '¹' | '²' | '³' | '⁰'..='₉' | '❶'..='➓');
    let text = text.trim();
    if !text.chars().any(|c| raised(&c) || c.is_whitespace()) {
        return false;
    }
    let chars: Vec<char> = text.chars().collect();
    let digit = |at: usize| chars.get(at).is_some_and(|c| c.is_ascii_digit() || ('０'..='９').contains(c));
    let digits_from = |at: usize| (at..chars.len()).take_while(|at| digit(*at)).count();
    let digits_before = |at: usize| (0..at).rev().take_while(|at| digit(*at)).count();
    chars.iter().enumerate().any(|(at, c)| match c {
        c if raised(c) => at.checked_sub(1).is_some_and(digit) || digit(at + 1),
        c if c.is_whitespace() => {
            let run = (at..chars.len()).take_while(|at| chars[*at].is_whitespace()).count();
            let (before, after) = (digits_before(at), digits_from(at + run));
            let thousands = run == 1 && !"\t\n\r".contains(*c) && before <= 3 && after == 3;
            before > 0 && after > 0 && !thousands
        }
        _ => false,
    })
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
    let first = |text: &str| text.as_bytes().first().copied();
    while let Some(word) = BEFORE.iter().find(|word| first(word) == first(rest) && rest.starts_with(**word)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_in_a_cell_are_not_one() {
        for text in
            ["1000\n2000", "1000 2000", "10 20", "1 2 3", "1000\t200", "1000①", "②1000", "1000²", "1  234"]
        {
            assert!(is_torn(text), "{text:?}");
        }
        for text in
            ["1 234 567", "12 345.5", " 1000 ", "1200 m²", "1.2 亿元", "约 500 万", "１ ０００", "66.7㎡"]
        {
            assert!(!is_torn(text), "{text:?}");
        }
    }
}
