//! The words that rows of a header use about times, plans, parts and people: what [`parents`](super::parents) and
//! [`others`](super::others) judge by.

use super::names::without_unit;
use crate::read::value::years;

/// Words of a parent whose children are of another time, whatever they are called.
pub(super) const TIMES: [&str; 22] = [
    "上年",
    "去年",
    "往年",
    "历年",
    "前年",
    "明年",
    "下年",
    "同期",
    "上月",
    "下月",
    "上季",
    "下季",
    "上半年",
    "下半年",
    "序时",
    "上周",
    "下周",
    "期间",
    "十三五",
    "十四五",
    "十五五",
    "以来",
];
/// Words of a parent whose amounts are of a part.
pub(super) const PARTS: [&str; 14] = [
    "外资",
    "内资",
    "设备",
    "建安",
    "一期",
    "二期",
    "三期",
    "四期",
    "专项债",
    "债券",
    "国债",
    "预算内",
    "民间投资",
    "社会资本",
];
/// Words of a parent whose people are somebody else's, and its last words then.
pub(super) const WHOSE: [&str; 6] = ["施工", "监理", "设计", "勘察", "包联", "挂钩"];
pub(super) const WHO: [&str; 5] = ["单位", "企业", "公司", "领导", "方"];
/// Words of a parent whose days and progress are still to come, unless it says how far they have come.
pub(super) const PLANS: [&str; 2] = ["计划", "目标"];
pub(super) const DONE: [&str; 6] = ["完成", "执行", "进展", "实际", "实施", "推进"];
/// Words of a parent whose amount is of some time, if its leaf says no more than that it is one.
pub(super) const PERIODS: [&str; 9] = ["本年", "年度", "当年", "累计", "完成", "季度", "月", "目前", "截至"];
pub(super) const AMOUNTS: [&str; 4] = ["投资额", "投资", "金额", "投资金额"];
/// Leaves that name what their parent is.
pub(super) const NAMES_OF_UNITS: [&str; 4] = ["单位名称", "单位", "名称", "全称"];
/// Endings of a parent that say nothing on which of its children's fields is meant.
pub(super) const EMPTY: [&str; 8] = ["完成情况", "进展情况", "情况", "进展", "完成", "进度", "工期", "时间"];
/// Leaves that name who their parent is, and those that tell what their parent is about as it is now.
pub(super) const NAMES_OF_PEOPLE: [&str; 2] = ["姓名", "名字"];
pub(super) const NOW: [&str; 9] =
    ["实际", "当前", "目前", "本月", "本周", "实际情况", "现状", "完成", "完成情况"];
/// Leaves that say of an amount that it was done.
pub(super) const WAS_DONE: [&str; 8] =
    ["完成", "实际", "实际完成", "完成数", "完成额", "实际完成数", "完成值", "实绩"];
/// Leaves that say of an amount that it is planned.
pub(super) const IS_PLANNED: [&str; 7] = ["计划", "计划数", "目标", "目标数", "任务", "任务数", "下达"];
/// Steps whose days are asked for below 工期.
pub(super) const STEPS: [&str; 4] = ["开工", "竣工", "完工", "投产"];
/// What a parent of amounts may say without making them those of something else or of some other time.
pub(super) const PLAIN: [&str; 20] = [
    "本年度",
    "当年度",
    "项目",
    "投资",
    "情况",
    "完成",
    "进展",
    "进度",
    "计划",
    "建设",
    "年度",
    "本年",
    "当年",
    "今年",
    "资金",
    "目标",
    "执行",
    "及",
    "和",
    "与",
];
/// Words of a leaf that say of when its amount is.
pub(super) const WHEN: [&str; 7] = ["年度", "本年", "当年", "全年", "月", "累计", "至今"];

/// Whether what stands below a parent is still to come.
pub(super) fn is_plan(parent: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| parent.contains(word));
    has(&PLANS) && !has(&DONE)
}

/// Whether a parent's amounts are of a part of the investment.
pub(super) fn is_part(parent: &str) -> bool {
    let parent = parent.replace("内外资", "").replace("国内资", "");
    // 政府投资项目 are some projects, and all of their money.
    let government = parent.contains("政府投资") && !parent.contains("项目");
    government || PARTS.iter().any(|word| parent.contains(word))
}

/// A header without its unit and what stands in brackets at its end.
pub(super) fn bare(text: &str) -> &str {
    let text = without_unit(text).map_or(text, |(base, _)| base);
    text.strip_suffix(')').and_then(|open| open.rsplit_once('(')).map_or(text, |(base, _)| base)
}

/// Whether a text names a year.
pub(super) fn has_year(text: &str) -> bool {
    !years(std::iter::once(text)).is_empty()
}

/// Whether a parent of amounts says more than that it is one of the year's: 5月投资, 固定资产投资.
pub(super) fn says_more(parent: &str) -> bool {
    let parent = without_unit(parent).map_or(parent, |(base, _)| base);
    let rest = PLAIN.iter().fold(bare(parent).to_owned(), |rest, word| rest.replace(word, ""));
    rest.chars().any(char::is_alphanumeric)
}
