//! How a header's text names a field.
//!
//! Strongest first: the field's name, its label, an alias of the record schema, a word of the shipped
//! dictionary, a pattern of it, a weak word of it. Texts are compared tidied (see [`tidy`]), first as they are, then
//! without the unit in brackets; a merged header by its leaf, then by parent and leaf together.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use huiliu_stage::{FieldType, RecordSchema, simplified};
use regex::Regex;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::dictionary::DICTIONARY;
use super::fuzzy;
use crate::read::value::Unit;

/// How firmly a header names a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::read) enum Rank {
    /// By the mapping that the sender has confirmed.
    Confirmed,
    /// By the field's name.
    Name,
    /// By its label.
    Label,
    /// By an alias of the record schema or a firm word of the dictionary.
    Alias,
    /// By a pattern of the dictionary.
    Pattern,
    /// By a word that may mean other things too.
    Weak,
}

impl Rank {
    pub(super) const ALL: [Self; 6] =
        [Self::Confirmed, Self::Name, Self::Label, Self::Alias, Self::Pattern, Self::Weak];

    /// The word used in the report.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Name => "name",
            Self::Label => "label",
            Self::Alias => "alias",
            Self::Pattern => "pattern",
            Self::Weak => "weak alias",
        }
    }
}

/// NFKC in lower case and simplified characters, without blanks, line breaks and the marks of obligatory fields.
pub(in crate::read) fn tidy(header: &str) -> String {
    // Most headers are as they should be, and asking costs a tenth of making them so.
    match is_nfkc_quick(header.chars()) {
        IsNormalized::Yes => tidy_normal(header.chars()),
        _ => tidy_normal(header.nfkc()),
    }
}

fn tidy_normal(header: impl Iterator<Item = char>) -> String {
    let text: String = header
        .filter(|c| {
            !c.is_whitespace() && !c.is_control() && !matches!(c, '*' | '★' | '☆' | '\u{200b}' | '\u{feff}')
        })
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            '【' | '[' | '〔' => '(',
            '】' | ']' | '〕' => ')',
            c => simplified(c),
        })
        .collect();
    let mut rest = text.as_str();
    for mark in ["(必填)", "(必填项)", "(选填)", "(非必填)"] {
        rest = rest.strip_suffix(mark).unwrap_or(rest);
        rest = rest.strip_prefix(mark).unwrap_or(rest);
    }
    rest.trim_end_matches([':', '、']).to_owned()
}

/// A header without the unit at its end, and the unit: `总投资(亿元)`, `总投资(单位:亿元)`, `总投资/亿元`.
pub(super) fn without_unit(tidied: &str) -> Option<(&str, Unit)> {
    let (base, inner) = match tidied.strip_suffix(')') {
        Some(open) => open.rsplit_once('(')?,
        None => tidied.rsplit_once(['/', ',', ':', '_']).or_else(|| unit_behind(tidied))?,
    };
    let inner = inner.strip_prefix("单位").unwrap_or(inner).trim_start_matches(':');
    // 总投资(含土地费用,万元): a remark beside the unit.
    let beside = || {
        let mut units = inner.split([',', ';', '、']).filter_map(named_unit);
        units.next().filter(|_| units.next().is_none())
    };
    match named_unit(inner).or_else(beside) {
        Some(unit) => (!base.is_empty()).then_some((base, unit)),
        // 总投资(亿元)(含土地)
        None if tidied.ends_with(')') && base.ends_with(')') => without_unit(base),
        None => None,
    }
}

/// 总投资万元: a unit of money right behind its word, which is no number.
fn unit_behind(tidied: &str) -> Option<(&str, &str)> {
    let unit =
        ["百万元", "千万元", "亿元", "万元", "千元"].into_iter().find(|unit| tidied.ends_with(unit))?;
    let (base, unit) = tidied.split_at(tidied.len() - unit.len());
    let counts = |c: char| c.is_numeric() || "十百千万亿几数过".contains(c);
    (!base.is_empty() && !base.ends_with(counts)).then_some((base, unit))
}

/// The currency that amounts are in anyway: it says nothing on how many of it are a unit.
const OWN_CURRENCY: [&str; 3] = ["人民币", "rmb", "cny"];

/// The unit that a text names. 万方 and 万平 are what builders say for ten thousand square metres.
pub(super) fn named_unit(text: &str) -> Option<Unit> {
    // 人民币万元, RMB亿元
    let bare = OWN_CURRENCY.into_iter().find_map(|sign| text.strip_prefix(sign));
    match bare.filter(|unit| !unit.is_empty()).unwrap_or(text) {
        "万方" | "万平" => Unit::parse("万平方米"),
        "仟元" => Unit::parse("千元"),
        // A currency, and no word on how many of it: 总投资(人民币) is in the field's own unit.
        text if OWN_CURRENCY.contains(&text) => None,
        text => Unit::parse(text),
    }
}

/// A header without the currency in brackets at its end.
fn without_currency(tidied: &str) -> Option<&str> {
    let (base, inner) = tidied.strip_suffix(')')?.rsplit_once('(')?;
    OWN_CURRENCY.contains(&inner).then_some(base)
}

/// What stands in brackets at the end of a header and looks like a unit, though it is none: `总投资(亿元/亿美元)`.
pub(super) fn strange_unit(header: &str) -> Option<String> {
    let tidied = tidy(header);
    if without_unit(&tidied).is_some() || lone_unit(&tidied).is_some() {
        return None;
    }
    let (base, inner) = tidied.strip_suffix(')')?.rsplit_once('(')?;
    let inner = inner.strip_prefix("单位").unwrap_or(inner).trim_start_matches(':');
    let like = |part: &str| {
        let scaled =
            part.strip_prefix(['万', '亿', '千', '百']).is_some_and(|unit| unit.chars().count() <= 3);
        scaled || (part.chars().count() > 1 && named_unit(part).is_some())
    };
    let parts = inner.split(['/', ',', '、', ';', '或', '和', '及', '|']).map(str::trim);
    (!base.is_empty() && parts.into_iter().any(like)).then(|| inner.to_owned())
}

/// The unit in a header, if there is one. A header that is nothing but a unit stands under its parent.
pub(in crate::read) fn unit_of(header: &str) -> Option<Unit> {
    let tidied = tidy(header);
    match without_unit(&tidied) {
        Some((_, unit)) => Some(unit),
        None => lone_unit(&tidied),
    }
}

/// The unit that a cell consists of, such as those in a row of units below the header.
pub(in crate::read) fn unit_alone(cell: &str) -> Option<Unit> {
    lone_unit(&tidy(cell))
}

/// Whether a tidy text is a unit and nothing else.
pub(super) fn is_unit(tidied: &str) -> bool {
    lone_unit(tidied).is_some()
}

fn lone_unit(tidied: &str) -> Option<Unit> {
    let inner = tidied.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(tidied);
    // 年, 月, 项 and their like are headers of their own.
    (inner.chars().count() > 1 || inner == "%" || inner == "亩").then(|| named_unit(inner))?
}

/// Whether a header or label speaks of the year.
pub(super) fn is_annual(text: &str) -> bool {
    ["年度", "本年", "当年", "全年"].iter().any(|word| text.contains(word))
}

/// Words that a merged header states once, above.
pub(super) const ABOUT: [&str; 5] = ["投资", "时间", "日期", "单位", "面积"];

/// What a column of a merged header is called that holds what its parent names.
pub(super) const WHOLE: [&str; 7] = ["合计", "小计", "总计", "总额", "金额", "总数", "数额"];

/// Investment of some year, of which the words do not say whether it is planned, done in this year or done before it.
static OF_A_YEAR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^20\d{2}年度?(?:(已|实际|累计)*(?P<done>完成)的?)?投资(总?额|情况|完成额)?$").ok()
});

/// All names of a record's fields.
pub(in crate::read) struct Names {
    words: HashMap<String, Vec<(usize, Rank)>>,
    patterns: Vec<(usize, &'static regex::Regex)>,
    /// Name and kind of each field.
    fields: Vec<(String, FieldType)>,
    /// Unit of each field whose values have one.
    units: Vec<Option<Unit>>,
    /// Of each field, whether its label speaks of the year.
    annual: Vec<bool>,
}

impl Names {
    /// Names from the record schema and, if wanted, from the shipped dictionary.
    pub(in crate::read) fn new(record: &RecordSchema, dictionary: bool) -> Self {
        let fields = record.fields.iter().map(|field| (field.name.clone(), field.kind)).collect();
        let units = record.fields.iter().map(|f| f.unit.as_deref().and_then(Unit::parse)).collect();
        let annual = record.fields.iter().map(|field| is_annual(&field.label)).collect();
        let mut names = Self { words: HashMap::new(), patterns: Vec::new(), fields, units, annual };
        for (index, field) in record.fields.iter().enumerate() {
            names.add(&tidy(&field.name), index, Rank::Name);
            names.add(&tidy(&field.label), index, Rank::Label);
            for alias in &field.aliases {
                names.add(&tidy(alias), index, Rank::Alias);
            }
        }
        if dictionary {
            let index_of = |name: &str| record.fields.iter().position(|field| field.name == name);
            for entry in &DICTIONARY.entries {
                if let Some(index) = index_of(entry.field) {
                    names.add(&entry.word, index, if entry.weak { Rank::Weak } else { Rank::Alias });
                }
            }
            let known = DICTIONARY.patterns.iter();
            names.patterns = known.filter_map(|p| Some((index_of(p.field)?, &p.regex))).collect();
        }
        names
    }

    /// Adds what the sender has confirmed: a header, with its rows joined by `>`, and the name of its field. It wins
    /// over everything else.
    pub(in crate::read) fn confirm(
        mut self,
        record: &RecordSchema,
        mapping: &BTreeMap<String, String>,
    ) -> Self {
        for (header, field) in mapping {
            if let Some(index) = record.fields.iter().position(|known| known.name == *field) {
                self.add(&tidy(header), index, Rank::Confirmed);
            }
        }
        self
    }

    fn add(&mut self, word: &str, field: usize, rank: Rank) {
        if word.is_empty() {
            return;
        }
        let meanings = self.words.entry(word.to_owned()).or_default();
        match meanings.iter_mut().find(|(known, _)| *known == field) {
            Some((_, known)) => *known = rank.min(*known),
            None => meanings.push((field, rank)),
        }
    }

    /// Whether a field is of one year by its label.
    pub(super) fn is_annual(&self, field: usize) -> bool {
        self.annual.get(field).is_some_and(|annual| *annual)
    }

    /// Name and kind of a field.
    pub(super) fn kind(&self, field: usize) -> Option<(&str, FieldType)> {
        self.fields.get(field).map(|(name, kind)| (name.as_str(), *kind))
    }

    /// The fields that a header such as `2023年完成投资` may mean, which is done money of this year or one before it.
    /// Which it is decides nobody but the sender.
    pub(super) fn of_a_year(&self, path: &[String]) -> Vec<usize> {
        let leaf = path.last().map(|leaf| tidy(leaf)).unwrap_or_default();
        let bare = without_unit(&leaf).map_or(leaf.as_str(), |(base, _)| base);
        let found = OF_A_YEAR.as_ref().and_then(|regex| regex.captures(bare));
        let may = found.map_or([].as_slice(), |found| match found.name("done") {
            Some(_) => ["ytd_investment", "prior_cumulative_investment"].as_slice(),
            None => ["annual_plan_investment", "ytd_investment"].as_slice(),
        });
        may.iter().filter_map(|name| self.field(name)).collect()
    }

    /// Whether a column in `unit` cannot be a number of the field: amounts and areas are of one currency or measure.
    pub(super) fn contradicts(&self, field: usize, unit: &Unit) -> bool {
        let own = self.units.get(field).and_then(Option::as_ref);
        let differs = || own.is_some_and(|own| unit.factor_in(own).is_none());
        match self.kind(field) {
            // Another currency is told with each cell, since a cell may have a unit of its own.
            Some((_, FieldType::Money)) => !unit.is_money() && (own.is_none() || differs()),
            Some((_, FieldType::Number | FieldType::Integer)) => {
                (unit.is_money() || own.is_some_and(Unit::is_money)) && differs()
            }
            _ => false,
        }
    }

    /// The unit that a field's values are kept in.
    pub(super) fn unit(&self, field: usize) -> Option<&Unit> {
        self.units.get(field).and_then(Option::as_ref)
    }

    /// The field of this name.
    pub(super) fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|(known, _)| known == name)
    }

    /// The fields that a header nobody knows is nearly a name of.
    pub(super) fn near(&self, path: &[String]) -> Vec<usize> {
        let leaf = path.last().map(|leaf| tidy(leaf)).unwrap_or_default();
        let bare = without_unit(&leaf).map_or(leaf.as_str(), |(base, _)| base);
        let words = self.words.iter().flat_map(|(word, meanings)| {
            let firm = meanings.iter().filter(|(_, rank)| *rank != Rank::Weak);
            firm.map(|(field, _)| (word.as_str(), *field))
        });
        fuzzy::near(bare, words)
    }

    /// How many fields there are.
    pub(super) fn fields(&self) -> usize {
        self.fields.len()
    }

    /// Whether a field is a list.
    pub(in crate::read) fn is_list(&self, field: usize) -> bool {
        self.kind(field).is_some_and(|(_, kind)| kind == FieldType::List)
    }

    /// What the sender has confirmed that a header means, its rows joined by `>`.
    pub(super) fn confirmed(&self, header: &str) -> Option<Vec<(usize, Rank)>> {
        let confirmed = |meanings: &&Vec<(usize, Rank)>| meanings.iter().any(|m| m.1 == Rank::Confirmed);
        let meanings = self.words.get(header).filter(confirmed)?;
        Some(meanings.iter().copied().filter(|m| m.1 == Rank::Confirmed).collect())
    }

    /// The fields that a text without parents names.
    pub(super) fn look_up(&self, word: &str) -> Vec<(usize, Rank)> {
        let word = word.strip_prefix("其中:").unwrap_or(word);
        let base = without_unit(word).map(|(base, _)| base).or_else(|| without_currency(word));
        let mut found: Vec<(usize, Rank)> = Vec::new();
        for word in [Some(word), base].into_iter().flatten() {
            if let Some(meanings) = self.words.get(word) {
                found.extend(meanings);
            } else if let Some(&(field, _)) = self.patterns.iter().find(|(_, regex)| regex.is_match(word)) {
                found.push((field, Rank::Pattern));
            }
            if found.iter().any(|(_, rank)| *rank != Rank::Weak) {
                break;
            }
        }
        if found.is_empty() {
            // 建设单位(业主): what stands in brackets may narrow the meaning, so this is a weak word.
            let base = base.unwrap_or(word).strip_suffix(')').and_then(|open| open.rsplit_once('('));
            let firm = base.and_then(|(base, _)| self.words.get(base)).into_iter().flatten();
            found.extend(firm.filter(|(_, rank)| *rank != Rank::Weak).map(|(field, _)| (*field, Rank::Weak)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_year_has_done_is_no_plan_and_a_remark_may_stand_beside_a_unit() {
        let field = |name: &str| huiliu_stage::Field {
            name: name.into(),
            kind: FieldType::Money,
            ..huiliu_stage::Field::default()
        };
        let fields = ["total_investment", "annual_plan_investment", "ytd_investment"].map(field);
        let record = RecordSchema { record: "p".into(), label: String::new(), fields: fields.into() };
        let names = Names::new(&record, true);
        let claimed = |header: &str| {
            names.claims(&[header.to_owned()]).first().map(|(field, _)| record.fields[*field].name.clone())
        };
        for (header, field) in [
            ("2023年计划投资", Some("annual_plan_investment")),
            ("2023年度投资计划（亿元）", Some("annual_plan_investment")),
            ("2023年计划完成投资", Some("annual_plan_investment")),
            ("2023年完成投资", None),
            ("2022年投资额", None),
            ("项目总投资（亿元）", Some("total_investment")),
            ("项目总投资（含土地，万元）", Some("total_investment")),
        ] {
            assert_eq!(claimed(header).as_deref(), field, "{header}");
        }
    }

    #[test]
    fn headers_are_compared_without_what_forms_put_around_them() {
        for (header, tidied) in [
            ("项 目\n名 称", "项目名称"),
            ("*项目名称（必填）", "项目名称"),
            ("★总投资（亿元）", "总投资(亿元)"),
            ("ＮＯ．", "no."),
            ("项目名称：", "项目名称"),
        ] {
            assert_eq!(tidy(header), tidied);
        }
    }

    #[test]
    fn the_unit_is_found_where_forms_put_it() {
        for (header, unit) in [
            ("总投资（亿元）", Some("亿元")),
            ("总投资(单位：万元)", Some("万元")),
            ("用地面积[亩]", Some("亩")),
            ("完成率(%)", Some("%")),
            ("亩均税收(万元/亩)", Some("万元/亩")),
            ("万元", Some("万元")),
            ("项目代码(24位)", None),
            ("总投资 万元", Some("万元")),
            ("总投资_亿元", Some("亿元")),
            ("总投资（含土地）（亿元）", Some("亿元")),
            ("总投资（亿元）（含土地）", Some("亿元")),
            ("总投资（仟元）", Some("千元")),
            ("总投资5亿元", None),
            ("年", None),
        ] {
            assert_eq!(unit_of(header).map(|u| u.name).as_deref(), unit, "{header}");
        }
    }
}
