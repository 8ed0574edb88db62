//! Units that cells around a table declare: `单位：万元`, `（金额单位：亿元、亩）`, `本表以亿元计`.

use super::names::{named_unit, tidy};
use crate::read::value::Unit;

/// Most characters of a unit of money.
const LONGEST: usize = 5;
/// What may stand right behind a unit: the next word of the form, another unit.
const NEXT: &str = "填制报日时第审统表联负面金投单及和截亩公平美";

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

/// The unit that a cell such as `金额单位：万元`, `单位：亿元 填报日期：5月` or `金额以万元计` declares; of several that of money.
pub(in crate::read) fn declared_unit(cell: &str) -> Option<Unit> {
    let named = cell.contains(['单', '單']) && cell.contains('位') || cell.contains("金额");
    if !named && !cell.contains(['计', '計']) {
        return None;
    }
    let text = tidy(cell);
    if let Some((_, unit)) = counted_in(&text) {
        return Some(unit);
    }
    let behind = text.split("单位").skip(1).chain(text.split("金额:").skip(1));
    let lists: Vec<&str> = behind
        .map(|behind| behind.trim_start_matches([':', '(', '为', '均', '是']))
        .filter_map(|behind| behind.split([')', '。']).next())
        .collect();
    let parts =
        |list: &&'_ str| list.split([',', ';', '、', '/', '|']).map(str::to_owned).collect::<Vec<_>>();
    let mut money = lists.iter().flat_map(parts);
    let other = || {
        let first = lists.iter().filter_map(|list| list.split([',', ';', '、', '|']).next());
        first.filter_map(named_unit).last()
    };
    money.find_map(|part| money_at_start(&part)).or_else(other)
}

/// The unit of money that a text begins with, if what follows is none of its letters.
fn money_at_start(text: &str) -> Option<Unit> {
    let ends: Vec<usize> = text.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST).collect();
    ends.into_iter().rev().find_map(|end| {
        let next = text[end..].chars().next();
        let over = next.is_none_or(|next| !next.is_alphabetic() || NEXT.contains(next));
        named_unit(&text[..end]).filter(|unit| over && unit.is_money())
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
        Some((&tidied[..at], named_unit(&behind[..end]).filter(Unit::is_money)?))
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
