//! Units that cells around a table declare: `单位：万元`, `（金额单位：亿元、亩）`, `本表以亿元计`.

use super::names::{named_unit, tidy};
use crate::read::value::Unit;

/// Most characters of a unit of money.
const LONGEST: usize = 5;
/// What may stand right behind a unit: the next word of the form, another unit.
const NEXT: &str = "填制报日时第审统表联负面金投单及和截亩公平";
/// The same behind a unit of one character, with which names begin as well: 元和街道.
const NEXT_WORDS: [&str; 9] = ["填报", "填表", "制表", "审核", "日期", "时间", "报送", "单位", "统计"];
/// Words before a unit that is that of some columns only.
const OF_ONE: [&str; 7] = ["外资", "外汇", "产值", "税", "收入", "土地", "面积"];
/// Signs between the parts of a text.
const SIGNS: [char; 6] = [':', '(', ',', '。', '、', ';'];

/// All units that a cell such as `单位：亿元、公顷` or `(亿元、平方米)` declares.
pub(super) fn declared_units(cell: &str) -> Vec<Unit> {
    let tidied = tidy(cell);
    let list = match tidied.split_once("单位") {
        Some((_, behind)) => behind.trim_start_matches([':', '(', '为']),
        None => tidied.strip_prefix('(').filter(|inner| inner.ends_with(')')).unwrap_or_default(),
    };
    let list = list.split([')', '。']).next().unwrap_or_default();
    let units: Option<Vec<Unit>> = list.split(['、', ',', ';', '/']).map(named_unit).collect();
    units.unwrap_or_default()
}

/// The unit that a cell such as `金额单位：万元`, `单位：亿元 填报日期：5月` or `金额以万元计` declares for all amounts; of several that
/// of money. 产值单位 is that of some columns.
pub(in crate::read) fn declared_unit(cell: &str) -> Option<Unit> {
    let named = cell.contains(['单', '單']) && cell.contains('位') || cell.contains("金额");
    if !named && !cell.contains(['计', '計']) {
        return None;
    }
    let text = tidy(cell);
    if let Some((_, unit)) = counted_in(&text) {
        return Some(unit);
    }
    let at = text.match_indices("单位").chain(text.match_indices("金额:"));
    let lists: Vec<&str> = at
        .filter(|(at, _)| !is_of_one(&text[..*at]))
        .map(|(at, word)| text[at + word.len()..].trim_start_matches([':', '(', '为', '均', '是']))
        .filter_map(|behind| behind.split([')', '。']).next())
        .collect();
    let mut money = lists.iter().flat_map(|list| list.split([',', ';', '、', '/', '|']));
    let other = || {
        let first = text.split("单位").skip(1).filter_map(|behind| {
            let behind = behind.trim_start_matches([':', '(', '为', '均', '是']);
            behind.split([',', ';', '、', '|', ')', '。']).next()
        });
        first.filter_map(named_unit).filter(|unit| !unit.is_money()).last()
    };
    money.find_map(money_at_start).or_else(other)
}

/// Whether what stands before a unit says that it is that of some columns.
fn is_of_one(before: &str) -> bool {
    let last = before.rsplit(SIGNS).next().unwrap_or_default();
    OF_ONE.iter().any(|word| last.contains(word))
}

/// The unit of money that a text begins with, if what follows is none of its letters.
fn money_at_start(text: &str) -> Option<Unit> {
    let ends: Vec<usize> = text.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST).collect();
    ends.into_iter().rev().find_map(|end| {
        let (unit, rest) = text.split_at(end);
        let plain = rest.chars().next().is_none_or(|next| !next.is_alphabetic());
        let over = match unit.chars().count() > 1 && unit.ends_with(['元', '币']) {
            true => rest.starts_with(|next| NEXT.contains(next)),
            false => NEXT_WORDS.iter().any(|word| rest.starts_with(word)),
        };
        named_unit(unit).filter(|unit| (plain || over) && unit.is_money())
    })
}

/// What stands before `以万元计`, `按亿元计算` or `以万元为单位`, and the unit.
pub(in crate::read) fn counted_in(tidied: &str) -> Option<(&str, Unit)> {
    tidied.match_indices(['以', '按']).find_map(|(at, sign)| {
        let behind = &tidied[at + sign.len()..];
        let (end, _) = behind
            .char_indices()
            .take(LONGEST + 1)
            .find(|(end, _)| behind[*end..].starts_with('计') || behind[*end..].starts_with("为单位"))?;
        // 按亿元计算的项目 are some of them.
        let some = behind[end..].strip_prefix("计算").or(behind[end..].strip_prefix('计'));
        let unit = named_unit(&behind[..end]).filter(Unit::is_money)?;
        let all = !some.is_some_and(|rest| rest.starts_with('的')) && !is_of_one(&tidied[..at]);
        all.then_some((&tidied[..at], unit))
    })
}

/// A unit of money in a text that declares it in no way that is known: `重大项目 亿元`; not 亿元以上项目, 5亿元.
pub(super) fn unclear_unit(cell: &str) -> Option<&'static str> {
    const UNITS: [&str; 5] = ["百万元", "千万元", "亿元", "千元", "仟元"];
    const KINDS: [&str; 9] = ["以上", "以下", "级", "项目", "企业", "工程", "产业", "及以", "大"];
    const MOST: usize = 60;
    let text = tidy(cell);
    UNITS.into_iter().filter(|_| text.chars().count() <= MOST).find(|unit| {
        text.match_indices(unit).any(|(at, _)| {
            let (before, behind) = (&text[..at], &text[at + unit.len()..]);
            let counted = before.ends_with(|c: char| c.is_numeric() || "十百千万两几数".contains(c));
            !counted && !KINDS.iter().any(|kind| behind.starts_with(kind))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_declared_in_many_ways() {
        for (cell, unit) in [
            ("单位：万元", Some("万元")),
            ("金额单位:亿元、亩", Some("亿元")),
            ("填报单位:武进高新区", None),
            ("填报单位：A局   单位：万元", Some("万元")),
            ("金额单位：亿元、面积单位：亩", Some("亿元")),
            ("面积单位:亩 金额单位:万元", Some("万元")),
            ("单位：亿元 填报日期：2023年5月", Some("亿元")),
            ("单位：亿元　制表人：张三", Some("亿元")),
            ("单位：亿元 2023年5月", Some("亿元")),
            ("单位：亿元 第1页", Some("亿元")),
            ("单位：亿元（人民币）", Some("亿元")),
            ("（金额：亿元）", Some("亿元")),
            ("填报单位：湖塘镇，金额：亿元", Some("亿元")),
            ("单位：亿元 亩", Some("亿元")),
            ("单位：亿元/亩", Some("亿元")),
            ("单位：个、亿元", Some("亿元")),
            ("單位：項、億元", Some("亿元")),
            ("填报单位：湖塘镇\n单位：亿元\n日期：2023年5月", Some("亿元")),
            ("填报单位：元氏县人民政府", None),
            ("单位：元", Some("元")),
            ("建设单位：万元户集团", None),
            ("面积单位：亩", Some("亩")),
            ("说明：本表金额以亿元计。", Some("亿元")),
            ("（金额均按万元计算）", Some("万元")),
            ("本表以亿元为单位", Some("亿元")),
            ("以2023年计划为准，合计", None),
            ("按投资计", None),
            ("填报单位：元和街道", None),
            ("填报单位：千金镇", None),
            ("填报单位：亿联集团", None),
            ("填报单位：亿美公司", None),
            ("单位：元 填报人：张三", Some("元")),
            ("产值以亿元计，投资以万元计", Some("万元")),
            ("产值单位：亿元", None),
            ("产值单位：亿元；投资单位：万元", Some("万元")),
            ("单位：万元，产值单位：亿元", Some("万元")),
            ("按亿元计算的项目名单", None),
            ("注：总投资以亿元计算的项目请换算", None),
        ] {
            assert_eq!(declared_unit(cell).map(|u| u.name).as_deref(), unit, "{cell}");
        }
    }

    #[test]
    fn a_unit_that_is_declared_in_no_known_way_is_noticed() {
        assert_eq!(unclear_unit("重大项目（总投资 亿元）情况"), Some("亿元"));
        for cell in ["2023年亿元以上重大项目表", "总投资5亿元", "单位：万元", "百亿元产业集群"]
        {
            assert_eq!(unclear_unit(cell), None, "{cell}");
        }
    }
}
