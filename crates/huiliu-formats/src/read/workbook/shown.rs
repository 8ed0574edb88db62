//! What a number format adds to a number in words: `0.00"亿"` shows 1.5 as `1.50亿`, `0!.0,"万元"` shows 15000 as `1.5万元`.
//!
//! Whoever fills in the sheet sees the unit and not the number that is stored, so both the unit and the scale
//! belong to the value. Only units that change what an amount or an area means are taken; `天` and its like
//! add nothing.

/// Units of formats, as they are written.
const UNITS: [&str; 42] = [
    "元",
    "圆",
    "百元",
    "千元",
    "万元",
    "十万元",
    "百万元",
    "千万元",
    "亿元",
    "十亿元",
    "百亿元",
    "万",
    "十万",
    "百万",
    "千万",
    "亿",
    "十亿",
    "百亿",
    "万人民币",
    "亿人民币",
    "美元",
    "万美元",
    "百万美元",
    "亿美元",
    "欧元",
    "万欧元",
    "亿欧元",
    "港元",
    "万港元",
    "日元",
    "亩",
    "万亩",
    "公顷",
    "万公顷",
    "平方米",
    "万平方米",
    "平米",
    "万平米",
    "平方公里",
    "m2",
    "m²",
    "㎡",
];
/// Most places by which a format moves the point.
const MOST_PLACES: u8 = 12;

/// What a format shows behind a number, and how many places it moves the point to the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) unit: &'static str,
    pub(super) places: u8,
}

impl Label {
    /// Of the first section of a format code in small letters; `None` if numbers are shown as they are.
    pub(super) fn of_code(code: &str) -> Option<Self> {
        let mut parts = Parts::default();
        let mut rest = code;
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            match first {
                ';' => break,
                '"' => {
                    let (literal, behind) = rest.split_once('"').unwrap_or((rest, ""));
                    parts.literal.push_str(literal);
                    rest = behind;
                }
                '\\' | '!' | '_' | '*' => {
                    let next = rest.chars().next()?;
                    rest = &rest[next.len_utf8()..];
                    if matches!(first, '\\' | '!') {
                        parts.literal.push(next);
                    }
                }
                '[' => {
                    let (inner, behind) = rest.split_once(']')?;
                    rest = behind;
                    // A condition makes the section hold for some numbers only.
                    if inner.starts_with(['<', '>', '=']) {
                        return None;
                    }
                    if let Some(currency) = inner.strip_prefix('$') {
                        parts.literal.push_str(currency.split_once('-').map_or(currency, |(name, _)| name));
                    }
                }
                'g' => {
                    let behind = rest.strip_prefix("eneral").or_else(|| rest.strip_prefix("/通用格式"));
                    rest = behind?;
                    parts.digit()?;
                }
                '0' | '#' | '?' => parts.digit()?,
                ',' => parts.commas += 1,
                '.' if parts.point || parts.written_point => return None,
                '.' => {
                    parts.point = true;
                    parts.thousands += std::mem::take(&mut parts.commas);
                }
                '(' | ')' | '+' | '-' | ' ' | '¥' | '￥' => {}
                // Days, percentages, fractions, powers and texts are shown in other ways.
                _ if first.is_ascii() => return None,
                _ => parts.literal.push(first),
            }
        }
        parts.label()
    }

    /// Of a number and the text that is shown for it; `None` if it is shown as it is.
    pub(super) fn of_text(shown: &str, number: f64) -> Option<Self> {
        let shown = shown.trim();
        let ends = |unit: &&&str| shown.ends_with(**unit);
        let unit = *UNITS.iter().filter(ends).max_by_key(|unit| unit.len())?;
        let digits: String = shown.strip_suffix(unit)?.chars().filter(|c| !matches!(c, ',' | ' ')).collect();
        let seen = digits.parse::<f64>().ok().filter(|seen| seen.is_finite())?;
        let decimals = digits.split_once('.').map_or(0, |(_, behind)| behind.len().min(30)) as i32;
        // What is shown is rounded.
        let close = 0.51 * 10_f64.powi(-decimals);
        let fits = |places: &u8| (number / 10_f64.powi(i32::from(*places)) - seen).abs() <= close;
        (0..=MOST_PLACES).find(fits).map(|places| Self { unit, places })
    }
}

/// What was met in a format code.
#[derive(Debug, Default)]
struct Parts {
    /// Words since the last digit.
    literal: String,
    digits: bool,
    point: bool,
    /// The point is a word: digits behind it belong to the whole number.
    written_point: bool,
    /// Digits behind a point in words.
    behind: u8,
    /// Commas since the last digit; behind the last one each divides by a thousand.
    commas: u8,
    thousands: u8,
}

impl Parts {
    fn digit(&mut self) -> Option<()> {
        if self.digits && !self.literal.is_empty() {
            if self.literal != "." || self.point || self.written_point {
                return None;
            }
            self.written_point = true;
        }
        self.literal.clear();
        self.digits = true;
        self.commas = 0;
        self.behind = self.behind.saturating_add(u8::from(self.written_point));
        Some(())
    }

    fn label(self) -> Option<Label> {
        let thousands = self.thousands.saturating_add(self.commas);
        let places = thousands.saturating_mul(3).saturating_add(self.behind);
        let word = self.literal.trim();
        let unit = match UNITS.iter().find(|unit| **unit == word) {
            Some(unit) => *unit,
            None => "",
        };
        let changes = !unit.is_empty() || places > 0;
        (self.digits && changes && places <= MOST_PLACES).then_some(Label { unit, places })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::value::Unit;

    #[test]
    fn units_of_formats_are_units_of_cells() {
        for unit in UNITS {
            assert!(Unit::parse(unit).is_some(), "{unit}");
        }
    }

    #[test]
    fn a_format_tells_its_unit_and_its_scale() {
        for (code, label) in [
            ("0.00\"亿\"", Some(("亿", 0))),
            ("0\\亿", Some(("亿", 0))),
            ("0.0万元", Some(("万元", 0))),
            ("#,##0\"亩\"", Some(("亩", 0))),
            ("#,##0.00\" 亿元\"_);\\(#,##0\\)", Some(("亿元", 0))),
            ("general\"亿\"", Some(("亿", 0))),
            ("g/通用格式\"万元\"", Some(("万元", 0))),
            ("\"约\"0.0\"亿\"", Some(("亿", 0))),
            ("0.00,,\"亿\"", Some(("亿", 6))),
            ("0!.0,\"万元\"", Some(("万元", 4))),
            ("0\\.0000\"万\"", Some(("万", 4))),
            ("0\".\"00,,", Some(("", 8))),
            ("#,##0,", Some(("", 3))),
            ("0,.0", Some(("", 3))),
            ("0.00", None),
            ("#,##0", None),
            ("0\"天\"", None),
            ("general", None),
            ("yyyy\"年\"m\"月\"", None),
            ("0.0%", None),
            ("0.00e+00", None),
            ("[>=10000]0!.0,\"万\";0", None),
            ("0\"-\"00\"万\"", None),
            ("@", None),
            ("0\"", None),
            ("0\\", None),
            ("0[", None),
        ] {
            let label = label.map(|(unit, places)| Label { unit, places });
            assert_eq!(Label::of_code(code), label, "{code}");
        }
    }

    #[test]
    fn a_text_tells_its_unit_and_its_scale() {
        for (shown, number, label) in [
            ("1.50亿", 1.5, Some(("亿", 0))),
            ("1.50亿元", 1.504, Some(("亿元", 0))),
            ("12,000 万元", 12_000.0, Some(("万元", 0))),
            ("1.5万元", 15_000.0, Some(("万元", 4))),
            ("0亿", 0.0, Some(("亿", 0))),
            ("1.5", 1.5, None),
            ("3亿", 1.5, None),
            ("12天", 12.0, None),
            ("亿", 1.0, None),
        ] {
            let label = label.map(|(unit, places)| Label { unit, places });
            assert_eq!(Label::of_text(shown, number), label, "{shown}");
        }
    }
}
