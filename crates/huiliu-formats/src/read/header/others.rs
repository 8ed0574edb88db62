//! What a leaf names that is something else's by the row above it: 上年 > 完成投资, 一期 > 总投资, 监理单位 > 联系人. No column of
//! the record holds such, and what is read by them would be wrong.

use huiliu_stage::FieldType;

use super::names::{Names, Rank};
use super::vocabulary::{
    AMOUNTS, DONE, PERIODS, PLANS, TIMES, WHEN, WHO, WHOSE, bare, has_year, is_part, is_plan,
};

impl Names {
    /// Whether a child tells which part of its parent it is, where this is the amount of some time: 年度计划投资 > 其中设备.
    /// The parts of the whole investment have fields of their own.
    pub(super) fn is_part_of(
        &self,
        of_parent: &[(usize, Rank)],
        leaf: &str,
        found: &[(usize, Rank)],
    ) -> bool {
        let (Some((parent, _)), Some((child, _))) = (of_parent.first(), found.first()) else { return false };
        let is_money = self.kind(*child).is_some_and(|(_, kind)| kind == FieldType::Money);
        let says_when = WHEN.iter().chain(&DONE).chain(&PLANS).any(|word| leaf.contains(word));
        is_money && parent != child && !says_when && self.field("total_investment") != Some(*parent)
    }

    /// Whether what a leaf names is something else's below this parent.
    pub(super) fn is_of_another(&self, parent: &str, leaf: &str, own: &[(usize, Rank)]) -> bool {
        let (parent, leaf) = (bare(parent), bare(leaf));
        if own.is_empty() || parent.contains(leaf) && !AMOUNTS.contains(&leaf) {
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
        let part = amount && is_part(&parent);
        let whose = of_people && has(&parent, &WHOSE) && WHO.iter().any(|who| parent.ends_with(who));
        let work = has(leaf, &["建设内容", "工程内容"]);
        let plan = (is(&[FieldType::Date]) || progress || work) && is_plan(&parent) && !has(leaf, &PLANS);
        let vague = AMOUNTS.contains(&leaf) && (has(&parent, &PERIODS) || has_year(&parent));
        // 2022年 > 完成投资, and the leaf does not say itself of when it is.
        let says_when = has(leaf, &WHEN) || leaf.contains("计划");
        // 2022年 > 完成率, 一季度 > 完成率
        let rate = leaf.contains("完成率")
            && (has(&parent, &["季度"]) || has_year(&parent) && !parent.contains('月'));
        let year = own.iter().any(|(field, _)| self.is_annual(*field)) && !says_when && has_year(&parent);
        // 一季度 > 计划投资, 6月计划 > 完成投资
        let of_part = amount
            && !has(leaf, &["年度", "本年", "累计", "月", "总"])
            && !has_year(leaf)
            && has(&parent, &["季度", "月"]);
        let to_come = amount
            && (has(&parent, &["下一步"])
                || leaf.contains("投资") && parent.starts_with("预计")
                || leaf.contains("完成") && is_plan(&parent));
        time || part || whose || plan || vague || year || rate || of_part || to_come
    }
}
