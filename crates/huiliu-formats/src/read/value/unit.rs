//! Units in headers, sheets and cells: 万元, 亿元, 亩, 公顷, 万元/亩, %.

use unicode_normalization::UnicodeNormalization;

/// A unit of money, area or anything else.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::read) struct Unit {
    /// As it was written.
    pub(in crate::read) name: String,
    /// What it measures: units convert only within one measure.
    measure: String,
    /// Its size is `factor * 10^power` of the measure's base; the factor is 1 for money.
    power: i32,
    factor: f64,
}

const YUAN: &str = "元";
const CURRENCIES: [(&str, &str); 14] = [
    ("元", YUAN),
    ("圆", YUAN),
    ("人民币", YUAN),
    ("元人民币", YUAN),
    ("人民币元", YUAN),
    ("rmb", YUAN),
    ("美元", "美元"),
    ("美金", "美元"),
    ("usd", "美元"),
    ("欧元", "欧元"),
    ("日元", "日元"),
    ("港元", "港元"),
    ("港币", "港元"),
    ("英镑", "英镑"),
];
const MU: f64 = 10_000.0 / 15.0;
/// Base in m².
const AREAS: [(&str, f64); 9] = [
    ("平方米", 1.0),
    ("平米", 1.0),
    ("平方", 1.0),
    ("m2", 1.0),
    ("m²", 1.0),
    ("亩", MU),
    ("公顷", 10_000.0),
    ("ha", 10_000.0),
    ("平方公里", 1_000_000.0),
];
const OTHERS: [(&str, &str); 26] = [
    ("%", "%"),
    ("吨标准煤", "吨标准煤"),
    ("吨标煤", "吨标准煤"),
    ("tce", "吨标准煤"),
    ("人", "人"),
    ("名", "人"),
    ("个", "个"),
    ("项", "项"),
    ("家", "家"),
    ("户", "户"),
    ("套", "套"),
    ("台", "台"),
    ("件", "件"),
    ("吨", "吨"),
    ("千瓦", "千瓦"),
    ("千瓦时", "千瓦时"),
    ("度", "千瓦时"),
    ("分", "分"),
    ("米", "米"),
    ("公里", "公里"),
    ("天", "天"),
    ("日", "天"),
    ("工作日", "工作日"),
    ("月", "月"),
    ("年", "年"),
    ("次", "次"),
];

impl Unit {
    /// The unit that `text` names; `None` if it names none that is known.
    pub(in crate::read) fn parse(text: &str) -> Option<Self> {
        let name: String =
            text.nfkc().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect::<String>();
        if name.is_empty() || name.len() > 40 {
            return None;
        }
        let (upper, lower) = match name.split_once(['/', '每']) {
            Some((upper, lower)) => (upper, Some(simple(lower)?)),
            None => (name.as_str(), None),
        };
        let (mut measure, mut power, mut factor) = simple(upper)?;
        if let Some((below, below_power, below_factor)) = lower {
            // 亿元/亿美元 is one or the other, and no rate.
            let money = |measure: &str| CURRENCIES.iter().any(|(_, known)| *known == measure);
            if money(&measure) && money(&below) {
                return None;
            }
            measure = format!("{measure}/{below}");
            power -= below_power;
            factor /= below_factor;
        }
        Some(Self { name, measure, power, factor })
    }

    /// Whether both are the same size of the same measure, however they are written.
    pub(in crate::read) fn is_same(&self, other: &Self) -> bool {
        (&self.measure, self.power) == (&other.measure, other.power) && self.factor == other.factor
    }

    /// Whether it is a currency.
    pub(in crate::read) fn is_money(&self) -> bool {
        CURRENCIES.iter().any(|(_, measure)| *measure == self.measure)
    }

    /// Whether it counts people or things: 人, 个, 万户.
    pub(in crate::read) fn is_count(&self) -> bool {
        ["人", "个", "项", "家", "户", "套", "台", "件", "次"].contains(&self.measure.as_str())
    }

    /// The same without its 千, 万 or 亿: 平方米 for 万平方米, 元/亩 for 万元/亩.
    pub(in crate::read) fn base(&self) -> Self {
        Self { power: 0, ..self.clone() }
    }

    /// `10^n` of `other` make one of this; `None` if they measure different things.
    pub(in crate::read) fn power_in(&self, other: &Self) -> Option<i32> {
        (self.measure == other.measure && self.factor == other.factor).then(|| self.power - other.power)
    }

    /// So many of `other` make one of this; `None` if they measure different things.
    pub(in crate::read) fn factor_in(&self, other: &Self) -> Option<f64> {
        (self.measure == other.measure)
            .then(|| self.factor / other.factor * 10_f64.powi(self.power - other.power))
    }
}

/// Measure, power and factor of a unit without a slash: `万元` is 元, 4, 1.
fn simple(text: &str) -> Option<(String, i32, f64)> {
    let known = |rest: &str| {
        let money = CURRENCIES.iter().find(|(name, _)| *name == rest).map(|(_, m)| ((*m).to_owned(), 1.0));
        let area = || AREAS.iter().find(|(name, _)| *name == rest).map(|&(_, f)| ("平方米".to_owned(), f));
        let other = || OTHERS.iter().find(|(name, _)| *name == rest).map(|(_, m)| ((*m).to_owned(), 1.0));
        money.or_else(area).or_else(other)
    };
    let (mut rest, mut power) = (text, 0);
    loop {
        if let Some((measure, factor)) = known(rest) {
            return Some((measure, power, factor));
        }
        let first = rest.chars().next()?;
        power += match first {
            '十' => 1,
            '百' => 2,
            '千' => 3,
            '万' => 4,
            '亿' => 8,
            _ => return None,
        };
        rest = &rest[first.len_utf8()..];
        if rest.is_empty() {
            return Some((YUAN.to_owned(), power, 1.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_convert_within_their_measure_only() {
        let unit = |text| Unit::parse(text).unwrap();
        assert_eq!(unit("亿元").power_in(&unit("万元")), Some(4));
        assert_eq!(unit("元").power_in(&unit("万元")), Some(-4));
        assert_eq!(unit("万").power_in(&unit("万元")), Some(0));
        assert_eq!(unit("万美元").power_in(&unit("万元")), None);
        assert_eq!(unit("公顷").factor_in(&unit("亩")).map(f64::round), Some(15.0));
        assert_eq!(unit("万元/公顷").factor_in(&unit("万元/亩")).map(|f| (f * 15.0).round()), Some(1.0));
        assert_eq!(Unit::parse("24位"), None);
        assert_eq!(Unit::parse("㎡").map(|u| u.measure), Some("平方米".to_owned()));
    }
}
