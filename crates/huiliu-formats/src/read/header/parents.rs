//! What a header of several rows means: its leaf says what, the row above it which.
//!
//! 计划 above 开工时间 makes another field of it, 本月 above 完成投资 too; 上年, 一期 or 监理单位 above a leaf that names a
//! field by itself make it the field of something else, which no column of the record holds.

use huiliu_stage::FieldType;

use super::names::{ABOUT, Names, Rank, WHOLE, is_unit, tidy, without_unit};
use crate::read::value::years;

/// Words of a parent whose children are of another time, whatever they are called.
const TIMES: [&str; 15] = [
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
];
/// Words of a parent whose amounts are of a part.
const PARTS: [&str; 5] = ["外资", "设备", "一期", "二期", "三期"];
/// Words of a parent whose people are somebody else's, and its last words then.
const WHOSE: [&str; 6] = ["施工", "监理", "设计", "勘察", "包联", "挂钩"];
const WHO: [&str; 5] = ["单位", "企业", "公司", "领导", "方"];
/// Words of a parent whose days and progress are still to come, unless it says how far they have come.
const PLANS: [&str; 2] = ["计划", "目标"];
const DONE: [&str; 3] = ["完成", "执行", "进展"];
/// Words of a parent whose amount is of some time, if its leaf says no more than that it is one.
const PERIODS: [&str; 9] = ["本年", "年度", "当年", "累计", "完成", "季度", "月", "目前", "截至"];
const AMOUNTS: [&str; 4] = ["投资额", "投资", "金额", "投资金额"];
/// Leaves that name what their parent is.
const NAMES_OF_UNITS: [&str; 4] = ["单位名称", "单位", "名称", "全称"];
/// Endings of a parent that say nothing on which of its children's fields is meant.
const EMPTY: [&str; 8] = ["完成情况", "进展情况", "情况", "进展", "完成", "进度", "工期", "时间"];
/// Leaves that name who their parent is, and those that tell what their parent is about as it is now.
const NAMES_OF_PEOPLE: [&str; 2] = ["姓名", "名字"];
const NOW: [&str; 5] = ["实际", "当前", "目前", "实际情况", "现状"];

fn is_firm(found: &[(usize, Rank)]) -> bool {
    found.iter().any(|(_, rank)| *rank != Rank::Weak)
}

impl Names {
    /// The fields that a header may mean. `path` holds its rows, the leaf last.
    pub(in crate::read) fn claims(&self, path: &[String]) -> Vec<(usize, Rank)> {
        let tidied: Vec<String> = path.iter().map(|part| tidy(part)).collect();
        if let Some(confirmed) = self.confirmed(&tidied.join(">")) {
            return confirmed;
        }
        let parts = named(&tidied);
        let Some((leaf, above)) = parts.split_last() else { return Vec::new() };
        let own = self.look_up(leaf);
        let Some(parent) = above.last() else { return own };
        // 责任单位 > 单位名称
        let names_parent = parent.ends_with("单位") && NAMES_OF_UNITS.contains(&leaf.as_str());
        if names_parent || NAMES_OF_PEOPLE.contains(&leaf.as_str()) {
            return self.look_up(parent);
        }
        // 形象进度 > 实际, beside what was planned.
        if NOW.contains(&leaf.as_str()) && self.is_words(parent) {
            return self.look_up(parent);
        }
        // 总投资 > 合计: the child says that it is the whole of its parent.
        let base = without_unit(leaf).map_or(leaf.as_str(), |(base, _)| base);
        if !is_firm(&own) && WHOLE.contains(&base) {
            return self.look_up(parent);
        }
        let joined = self.joined(parent, leaf);
        if joined.is_empty() && self.is_of_another(parent, leaf, &own) {
            return Vec::new();
        }
        if is_firm(&own) {
            return if joined.is_empty() { own } else { joined };
        }
        // 投资完成情况 > 本年累计, 完成投资 > 本月数
        let done = (parent.contains("完成") && parent.contains("投资") && !leaf.contains("投资"))
            .then(|| {
                self.look_up(&format!(
                    "{}完成投资",
                    base.trim_end_matches("完成").trim_end_matches(['数', '额'])
                ))
            })
            .filter(|found| joined.is_empty() && !found.is_empty());
        if let Some(done) = done {
            return done;
        }
        // 完成投资情况 > 本月完成: the child leaves out what the parent is about.
        let about = ABOUT.iter().filter(|word| parent.contains(**word) && !leaf.contains(**word));
        let completed =
            about.map(|word| self.look_up(&format!("{leaf}{word}"))).find(|found| !found.is_empty());
        [joined, completed.unwrap_or_default(), own]
            .into_iter()
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }

    /// The fields that a header may mean whose parent makes it another's: for people, nothing is read by them.
    pub(super) fn of_another(&self, path: &[String]) -> Vec<usize> {
        let tidied: Vec<String> = path.iter().map(|part| tidy(part)).collect();
        let [.., parent, leaf] = named(&tidied) else { return Vec::new() };
        let own = self.look_up(leaf);
        match self.joined(parent, leaf).is_empty() && self.is_of_another(parent, leaf, &own) {
            true => own.into_iter().map(|(field, _)| field).collect(),
            false => Vec::new(),
        }
    }

    /// Whether a text firmly names a field of words.
    fn is_words(&self, text: &str) -> bool {
        let is_text = |field| self.kind(field).is_some_and(|(_, kind)| kind == FieldType::Text);
        self.look_up(text).iter().any(|(field, rank)| *rank != Rank::Weak && is_text(*field))
    }

    /// What parent and leaf mean as one word: 计划 > 开工时间, 开工时间 > 计划, 4月进展 > 完成投资, 年度计划 > 投资额.
    fn joined(&self, parent: &str, leaf: &str) -> Vec<(usize, Rank)> {
        let parent = without_unit(parent).map_or(parent, |(base, _)| base);
        let (bare, unit) = without_unit(leaf).map_or((leaf, ""), |(base, _)| (base, &leaf[base.len()..]));
        let ends = EMPTY.iter().filter_map(|end| parent.strip_suffix(end));
        let parents = std::iter::once(parent).chain(ends).filter(|parent| !parent.is_empty());
        let short = bare.strip_suffix("额").filter(|short| short.ends_with("投资"));
        let words = parents.flat_map(|parent| {
            let forms = [Some(bare), short].into_iter().flatten();
            forms.map(move |bare| format!("{parent}{bare}{unit}"))
        });
        // 计划开竣工时间 > 开工时间
        let planned = parent.contains("计划")
            && ["时间", "日期", "开工", "竣工", "完工"].iter().any(|w| bare.contains(w));
        let planned = planned.then(|| format!("计划{bare}"));
        // 开工时间 > 实际, 开工时间 > 实际时间
        let which = without_day(leaf).filter(|_| without_day(parent).is_some()).unwrap_or(leaf);
        let turned = [parent, without_day(parent).unwrap_or(parent)].map(|parent| format!("{which}{parent}"));
        let mut all = words.chain([format!("{leaf}{parent}")]).chain(turned).chain(planned);
        all.find_map(|word| Some(self.look_up(&word)).filter(|found| !found.is_empty())).unwrap_or_default()
    }

    /// Whether what a leaf names is something else's below this parent.
    fn is_of_another(&self, parent: &str, leaf: &str, own: &[(usize, Rank)]) -> bool {
        let (parent, leaf) = (bare(parent), bare(leaf));
        if own.is_empty() || parent.contains(leaf) {
            return false;
        }
        let is = |kinds: &[FieldType]| {
            own.iter().any(|(field, _)| self.kind(*field).is_some_and(|(_, kind)| kinds.contains(&kind)))
        };
        let has = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
        let amount = is(&[FieldType::Money]);
        let progress = has(leaf, &["进度", "进展", "完成率"]);
        // 建设计划 is no 设计.
        let parent = parent.replace("建设", "");
        let of_people = has(leaf, &["人", "电话", "方式", "单位", "领导"]);
        let time = (amount || progress) && has(&parent, &TIMES);
        let part = amount && has(&parent.replace("内外资", ""), &PARTS);
        let whose = of_people && has(&parent, &WHOSE) && WHO.iter().any(|who| parent.ends_with(who));
        let plan = (is(&[FieldType::Date]) || progress)
            && has(&parent, &PLANS)
            && !has(&parent, &DONE)
            && !has(leaf, &PLANS);
        let vague = AMOUNTS.contains(&leaf) && (has(&parent, &PERIODS) || has_year(&parent));
        // 2022年 > 完成投资, and the leaf does not say itself of when it is.
        let says_when = has(leaf, &["年度", "本年", "当年", "全年", "计划", "月", "累计", "至今"]);
        let year = own.iter().any(|(field, _)| self.is_annual(*field)) && !says_when && has_year(&parent);
        // 一季度 > 计划投资, 6月计划 > 完成投资
        let of_part =
            amount && !has(leaf, &["年度", "本年", "累计", "月", "总"]) && has(&parent, &["季度", "月"]);
        let to_come = amount
            && (has(&parent, &["下一步"])
                || leaf.contains("完成") && has(&parent, &PLANS) && !has(&parent, &DONE));
        time || part || whose || plan || vague || year || of_part || to_come
    }
}

/// A header without its unit and what stands in brackets at its end.
fn bare(text: &str) -> &str {
    let text = without_unit(text).map_or(text, |(base, _)| base);
    text.strip_suffix(')').and_then(|open| open.rsplit_once('(')).map_or(text, |(base, _)| base)
}

/// 开工 of 开工时间.
fn without_day(text: &str) -> Option<&str> {
    let bare = ["时间", "日期"].iter().find_map(|end| text.strip_suffix(end));
    bare.filter(|bare| !bare.is_empty())
}

/// Whether a text names a year.
fn has_year(text: &str) -> bool {
    !years(std::iter::once(text)).is_empty()
}

/// The rows of a header without one of units below its leaf, which belongs to its parent.
fn named(tidied: &[String]) -> &[String] {
    match tidied.split_last() {
        Some((leaf, above)) if !above.is_empty() && is_unit(leaf) => above,
        _ => tidied,
    }
}

#[cfg(test)]
mod tests {
    use huiliu_stage::{Field, RecordSchema};

    use super::*;

    #[test]
    fn the_row_above_says_which_of_several_fields_a_leaf_is() {
        let money = ["total_investment", "annual_plan_investment", "month_investment", "ytd_investment"];
        let others = ["start_date", "plan_start_date", "progress_text", "contact"];
        let field = |name: &&str| Field {
            name: (*name).into(),
            label: if *name == "ytd_investment" { "年度累计完成投资".into() } else { String::new() },
            kind: match *name {
                name if money.contains(&name) => FieldType::Money,
                name if name.ends_with("date") => FieldType::Date,
                _ => FieldType::Text,
            },
            ..Field::default()
        };
        let fields = money.iter().chain(&others).map(field).collect();
        let record = RecordSchema { record: "p".into(), label: String::new(), fields };
        let names = Names::new(&record, true);
        for (path, field) in [
            ("计划>开工时间", Some("plan_start_date")),
            ("实际>开工时间", Some("start_date")),
            ("项目进度>开工时间", Some("start_date")),
            ("本月>完成投资（万元）", Some("month_investment")),
            ("4月进展>完成投资（万元）", Some("month_investment")),
            ("本月完成情况>完成投资", Some("month_investment")),
            ("年度计划>投资额（万元）", Some("annual_plan_investment")),
            ("1-4月完成情况>投资额", Some("ytd_investment")),
            ("2023年1-4月>完成投资", Some("ytd_investment")),
            ("2024年>计划投资", Some("annual_plan_investment")),
            ("投资情况（万元）>总投资", Some("total_investment")),
            ("项目基本情况>总投资（亿元）", Some("total_investment")),
            ("年度目标>形象进度", None),
            ("下月计划>形象进度", None),
            ("上月>完成投资", None),
            ("去年同期>完成投资", None),
            ("2022年>完成投资", None),
            ("一期>总投资", None),
            ("外资>总投资", None),
            ("施工单位>联系人", None),
            ("责任单位>联系人", Some("contact")),
            ("2023年投资情况（万元）>年度计划投资", Some("annual_plan_investment")),
            ("2023年5月进展情况>年度累计完成投资", Some("ytd_investment")),
            ("截至2023年5月底>年度累计完成投资", Some("ytd_investment")),
            ("2023年建设计划>年度计划投资（万元）", Some("annual_plan_investment")),
            ("2023年建设计划>开工时间", Some("plan_start_date")),
            ("计划开竣工时间>开工时间", Some("plan_start_date")),
            ("施工进度>形象进度", Some("progress_text")),
            ("年度计划完成情况>形象进度", Some("progress_text")),
            ("形象进度及下一步计划>形象进度", Some("progress_text")),
            ("固定资产投资（含设备投资）>总投资", Some("total_investment")),
            ("内外资情况>总投资", Some("total_investment")),
            ("参建单位（建设、设计、施工、监理）>联系人", Some("contact")),
            ("2023年完成情况>投资额（万元）", None),
            ("投资完成情况（万元）>本年累计", Some("ytd_investment")),
            ("投资完成情况（万元）>本月", Some("month_investment")),
            ("5月>计划投资（万元）", None),
            ("一季度>完成投资（万元）", None),
            ("1-5月>完成投资", Some("ytd_investment")),
            ("6月计划>完成投资（万元）", None),
            ("实际完成>投资额", None),
            ("实际>开工", Some("start_date")),
            ("开工>实际", Some("start_date")),
            ("开工时间>实际", Some("start_date")),
            ("开工时间>实际时间", Some("start_date")),
            ("开工>计划", Some("plan_start_date")),
            ("开工时间>计划时间", Some("plan_start_date")),
            ("实际工期>开工", Some("start_date")),
            ("计划工期>开工", Some("plan_start_date")),
            ("形象进度>实际", Some("progress_text")),
            ("形象进度>计划", None),
            ("联系人>姓名", Some("contact")),
            ("施工单位>姓名", None),
            ("5月>形象进度", Some("progress_text")),
            ("总投资>实际", None),
        ] {
            let path: Vec<String> = path.split('>').map(str::to_owned).collect();
            let claimed = names.claims(&path).first().map(|(field, _)| record.fields[*field].name.clone());
            assert_eq!(claimed.as_deref(), field, "{path:?}");
            let told = names.of_another(&path);
            assert!(field.is_none() || told.is_empty(), "{path:?} {told:?}");
        }
    }
}
