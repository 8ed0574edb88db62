//! What a header of several rows means: its leaf says what, the row above it which.
//!
//! 计划 above 开工时间 makes another field of it, 本月 above 完成投资 too; 上年, 一期 or 监理单位 above a leaf that names a
//! field by itself make it the field of something else, which no column of the record holds.

use huiliu_stage::FieldType;

use super::is_serial;
use super::names::{ABOUT, Names, Rank, WHOLE, is_unit, tidy, without_unit};
use super::vocabulary::{
    AMOUNTS, EMPTY, IS_PLANNED, NAMES_OF_PEOPLE, NAMES_OF_UNITS, NOW, PLANS, STEPS, TIMES, WAS_DONE, WHEN,
    bare, is_part, is_plan, says_more,
};

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
        let Some(parent) = above.last().filter(|_| !is_serial(leaf)) else { return own };
        // 责任单位 > 单位名称
        let names_parent = parent.ends_with("单位") && NAMES_OF_UNITS.contains(&leaf.as_str());
        if names_parent {
            return self.look_up(parent);
        }
        // 挂钩领导 > 姓名, and 联系方式 > 姓名 is who is called there.
        if NAMES_OF_PEOPLE.contains(&leaf.as_str()) {
            let calls = parent.contains("联系") && !parent.ends_with("人") || parent.contains("联系人");
            return self.look_up(if calls { "联系人" } else { parent });
        }
        // 形象进度 > 实际, beside what was planned.
        let progress = ["进度", "进展"].iter().any(|word| parent.contains(word));
        if progress && NOW.contains(&leaf.as_str()) && self.is_words(parent) {
            return self.look_up(parent);
        }
        // 总投资 > 合计: the child says that it is the whole of its parent.
        let base = without_unit(leaf).map_or(leaf.as_str(), |(base, _)| base);
        if !is_firm(&own) && WHOLE.contains(&base) {
            return self.look_up(parent);
        }
        let of_parent = self.money_of(parent);
        // 5月完成投资 > 实际, 本月完成投资 > 完成投资
        let done = WAS_DONE.contains(&base) && (parent.contains("完成") || parent.contains('月'));
        // 年度计划投资 > 计划, beside 完成
        let planned = IS_PLANNED.contains(&base) && is_plan(parent) && parent.contains("投资");
        if !of_parent.is_empty() && (done || planned || bare(parent).ends_with(base)) {
            return of_parent;
        }
        let mut found = self.by_both(parent, leaf, own);
        // 年度计划 > 完成 is an amount, and no rate that would be called so.
        let rate = ['率', '比', '%', '度'].iter().any(|sign| leaf.contains(*sign));
        found.retain(|(field, _)| rate || self.unit(*field).is_none_or(|unit| unit.name != "%"));
        let of_all = found.first().is_some_and(|(field, _)| self.field("total_investment") == Some(*field));
        let part = self.is_part_of(&of_parent, leaf, &found);
        // 计划投资 > 总投资, but 年度计划投资 > 总投资 is of the year.
        let of_some_time = || WHEN.iter().any(|word| parent.contains(word));
        match part && (!of_all || of_some_time()) {
            true => Vec::new(),
            false => found,
        }
    }

    /// What a leaf means by itself and by its parent together.
    fn by_both(&self, parent: &str, leaf: &str, own: Vec<(usize, Rank)>) -> Vec<(usize, Rank)> {
        let joined = self.joined(parent, leaf);
        if !joined.is_empty() {
            return joined;
        }
        if self.is_of_another(parent, leaf, &own) {
            return Vec::new();
        }
        if is_firm(&own) {
            return own;
        }
        let completed = self.completed(parent, leaf);
        if completed.is_empty() { own } else { completed }
    }

    /// What a leaf means that leaves out what its parent is about: 完成投资情况 > 本月完成.
    fn completed(&self, parent: &str, leaf: &str) -> Vec<(usize, Rank)> {
        let base = without_unit(leaf).map_or(leaf, |(base, _)| base);
        let has = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
        let others = says_more(parent) && !has(base, &WHEN) || is_part(parent) || has(parent, &TIMES);
        if parent.contains("投资") && !base.contains("投资") {
            if others {
                return Vec::new();
            }
            let stem = base.trim_end_matches("完成").trim_end_matches(['数', '额']);
            let words = match (WAS_DONE.contains(&base), IS_PLANNED.contains(&base)) {
                // 年度投资 > 实际
                (true, _) => ["完成投资".to_owned(), String::new()],
                (_, true) => ["计划投资".to_owned(), String::new()],
                // 计划投资 > 全年, and 计划投资 > 本月 is no plan of the year.
                _ if is_plan(parent) => [format!("{stem}计划投资"), String::new()],
                // 投资完成情况 > 本年累计, 完成投资 > 本月数
                _ if parent.contains("完成") => [format!("{stem}完成投资"), format!("{base}投资")],
                _ => [format!("{base}投资"), format!("{stem}投资")],
            };
            return self.first_of(words.into_iter().filter(|word| !word.is_empty()));
        }
        let about = ABOUT.iter().filter(|word| parent.contains(**word) && !leaf.contains(**word));
        self.first_of(about.map(|word| format!("{leaf}{word}")))
    }

    /// The fields of the first word that names any.
    fn first_of(&self, mut words: impl Iterator<Item = String>) -> Vec<(usize, Rank)> {
        words.find_map(|word| Some(self.look_up(&word)).filter(|found| !found.is_empty())).unwrap_or_default()
    }

    /// The amount that a text firmly names.
    fn money_of(&self, text: &str) -> Vec<(usize, Rank)> {
        let mut found = self.look_up(text);
        let is_money = |field| self.kind(field).is_some_and(|(_, kind)| kind == FieldType::Money);
        found.retain(|(field, rank)| *rank != Rank::Weak && is_money(*field));
        found
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
        let short = bare.strip_suffix("额").filter(|short| short.ends_with("投资"));
        let forms = || [Some(bare), short].into_iter().flatten();
        let whole = forms().map(|bare| format!("{parent}{bare}{unit}"));
        let ends = EMPTY.iter().filter_map(|end| Some((*end, parent.strip_suffix(end)?)));
        let ends = ends.filter(|(_, stem)| !stem.is_empty());
        let stems = ends.flat_map(|(end, stem)| {
            forms().filter_map(move |bare| Some(format!("{}{unit}", of_stem(stem, end, bare)?)))
        });
        let words = whole.chain(stems);
        // 计划开竣工时间 > 开工时间
        let planned =
            is_plan(parent) && ["时间", "日期", "开工", "竣工", "完工"].iter().any(|w| bare.contains(w));
        let planned = planned.then(|| format!("计划{bare}"));
        // 开工时间 > 实际, 开工时间 > 实际时间
        let which = without_day(leaf).filter(|_| without_day(parent).is_some()).unwrap_or(leaf);
        let turned = [parent, without_day(parent).unwrap_or(parent)].map(|parent| format!("{which}{parent}"));
        // 工期 > 开工
        let term = parent.trim_start_matches("建设").trim_start_matches("项目");
        let step = STEPS.contains(&bare) && ["工期", "时间", "周期", "期限"].contains(&term);
        let step = step.then(|| format!("{bare}时间"));
        self.first_of(words.chain([format!("{leaf}{parent}")]).chain(turned).chain(planned).chain(step))
    }
}

/// A leaf behind its parent without an ending that says little: 完成投资 behind 4月进展, but 投资 behind 年度完成情况 is what was
/// done, and what was done of a plan is no plan.
fn of_stem(stem: &str, end: &str, bare: &str) -> Option<String> {
    let done = ["完成", "进展", "进度"].iter().any(|word| end.contains(word));
    let says = bare.contains("完成");
    let progress = ["进度", "进展"].iter().any(|word| bare.contains(word));
    let planned = PLANS.iter().any(|word| stem.contains(word));
    match (done, end) {
        (true, _) if planned => None,
        // 5月进展 > 形象进度, but 年度进展 > 形象进度 is none of the year's goal.
        (true, _) if progress && stem.contains('月') => Some(format!("{stem}{bare}")),
        (true, _) if !says => Some(format!("{stem}完成{bare}")),
        (_, "情况") if progress || AMOUNTS.contains(&bare) && stem.contains("完成") == planned => None,
        _ => Some(format!("{stem}{bare}")),
    }
}

/// 开工 of 开工时间.
fn without_day(text: &str) -> Option<&str> {
    let bare = ["时间", "日期"].iter().find_map(|end| text.strip_suffix(end));
    bare.filter(|bare| !bare.is_empty())
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
            ("形象进度>本月", Some("progress_text")),
            ("形象进度>上月", None),
            ("施工许可>实际", None),
            ("联系人>姓名", Some("contact")),
            ("施工单位>姓名", None),
            ("5月>形象进度", Some("progress_text")),
            ("总投资>实际", None),
            ("上年投资（万元）>计划", None),
            ("上年投资（万元）>完成", None),
            ("6月投资>计划", None),
            ("外资投资>完成", None),
            ("政府投资>计划投资", None),
            ("累计投资>计划", None),
            ("固定资产投资>计划", None),
            ("年度投资（万元）>计划", Some("annual_plan_investment")),
            ("年度投资（万元）>完成", Some("ytd_investment")),
            ("年度投资>实际", Some("ytd_investment")),
            ("5月完成投资（万元）>计划", None),
            ("5月完成投资（万元）>完成", Some("month_investment")),
            ("5月完成投资（万元）>实际", Some("month_investment")),
            ("本月完成投资>完成投资", Some("month_investment")),
            ("本月投资>实际", Some("month_investment")),
            ("本月投资>计划", None),
            ("1-5月完成投资>实际", Some("ytd_investment")),
            ("计划投资（万元）>本月", None),
            ("计划投资（万元）>6月", None),
            ("计划投资（万元）>全年", Some("annual_plan_investment")),
            ("投资完成情况>完成", Some("ytd_investment")),
            ("截至5月底投资完成情况>本年累计", Some("ytd_investment")),
            ("专项债>完成投资", None),
            ("内资>计划投资", None),
            ("十四五期间>投资额", None),
            ("预计>完成投资", None),
            ("设备投资（万元）>本月", None),
            ("年度计划投资（万元）>总额", Some("annual_plan_investment")),
            ("年度计划投资（万元）>总投资", None),
            ("下周>形象进度", None),
            ("年度完成情况>投资（万元）", Some("ytd_investment")),
            ("年度完成情况>形象进度", Some("progress_text")),
            ("年度进展>形象进度", Some("progress_text")),
            ("年度情况>形象进度", Some("progress_text")),
            ("2023年5月进展情况>建设进度", Some("progress_text")),
            ("完成情况>投资", Some("ytd_investment")),
            ("年度计划>目标", None),
            ("联系方式>姓名", Some("contact")),
            ("责任单位及联系人>姓名", Some("contact")),
            ("年度计划完成情况>完成投资（万元）", Some("ytd_investment")),
            ("年度计划完成情况>投资额", None),
            ("年度计划完成情况>开工时间", Some("start_date")),
            ("计划与实际>开工时间", Some("start_date")),
            ("年度计划投资（万元）>计划", Some("annual_plan_investment")),
            ("年度计划投资（万元）>完成", Some("ytd_investment")),
            ("计划投资（万元）>实际完成", Some("ytd_investment")),
            ("年度投资计划（万元）>目标", Some("annual_plan_investment")),
            ("年度投资（万元）>计划数", Some("annual_plan_investment")),
            ("年度计划（万元）>完成", None),
            ("年度投资完成情况>投资（万元）", None),
            ("工期>开工", Some("start_date")),
            ("计划投资（万元）>总投资", Some("total_investment")),
            ("2023年5月>2023年计划投资", Some("annual_plan_investment")),
            ("本年度投资（万元）>累计完成", Some("ytd_investment")),
        ] {
            let path: Vec<String> = path.split('>').map(str::to_owned).collect();
            let claimed = names.claims(&path).first().map(|(field, _)| record.fields[*field].name.clone());
            assert_eq!(claimed.as_deref(), field, "{path:?}");
            let told = names.of_another(&path);
            assert!(field.is_none() || told.is_empty(), "{path:?} {told:?}");
        }
    }
}
