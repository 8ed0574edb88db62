//! How a header's text names a field.
//!
//! Strongest first: the field's name, its label, an alias of the record schema, a word of the shipped
//! dictionary, a pattern of it, a weak word of it. Texts are compared tidied (see [`tidy`]), first as they are, then
//! without the unit in brackets; a merged header by its leaf, then by parent and leaf together.

use std::collections::{BTreeMap, HashMap};

use huiliu_stage::{FieldType, RecordSchema};
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

/// NFKC in lower case, without blanks, line breaks and the marks of obligatory fields.
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
            c => c,
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
fn without_unit(tidied: &str) -> Option<(&str, Unit)> {
    let (base, inner) = match tidied.strip_suffix(')') {
        Some(open) => open.rsplit_once('(')?,
        None => tidied.rsplit_once(['/', ',', ':'])?,
    };
    let inner = inner.strip_prefix("单位").unwrap_or(inner).trim_start_matches(':');
    // 总投资(含土地费用,万元): the unit stands last.
    let last = || inner.rsplit([',', ';', '、']).next().and_then(Unit::parse);
    let unit = Unit::parse(inner).or_else(last)?;
    (!base.is_empty()).then_some((base, unit))
}

/// The unit in a header, if there is one. A header that is nothing but a unit stands under its parent.
pub(super) fn unit_of(header: &str) -> Option<Unit> {
    let tidied = tidy(header);
    match without_unit(&tidied) {
        Some((_, unit)) => Some(unit),
        None => lone_unit(&tidied),
    }
}

/// The unit that a cell consists of, such as those in a row of units below the header.
pub(super) fn unit_alone(cell: &str) -> Option<Unit> {
    lone_unit(&tidy(cell))
}

fn lone_unit(tidied: &str) -> Option<Unit> {
    let inner = tidied.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(tidied);
    // 年, 月, 项 and their like are headers of their own.
    (inner.chars().count() > 1 || inner == "%" || inner == "亩").then(|| Unit::parse(inner))?
}

/// The unit that a cell such as `金额单位：万元` declares; of several that of money.
pub(super) fn declared_unit(cell: &str) -> Option<Unit> {
    if !(cell.contains('单') && cell.contains('位')) {
        return None;
    }
    let text = tidy(cell);
    let units = text.split("单位").skip(1).filter_map(|behind| {
        let behind = behind.trim_start_matches([':', '(', '为']);
        let end = behind.find([',', ';', ')', '。', '、', '|']).unwrap_or(behind.len());
        // 金额单位:亿元面积单位:亩 stands without anything between.
        let bare = behind[..end].trim_end_matches(|c| "面积金额投资".contains(c));
        Unit::parse(bare)
    });
    let units: Vec<Unit> = units.collect();
    units.iter().find(|unit| unit.is_money()).or(units.last()).cloned()
}

/// Whether a header or label speaks of the year.
pub(super) fn is_annual(text: &str) -> bool {
    ["年度", "本年", "当年", "全年"].iter().any(|word| text.contains(word))
}

/// Words that a merged header states once, above.
const ABOUT: [&str; 5] = ["投资", "时间", "日期", "单位", "面积"];

/// What a column of a merged header is called that holds what its parent names.
const WHOLE: [&str; 7] = ["合计", "小计", "总计", "总额", "金额", "总数", "数额"];

/// All names of a record's fields.
pub(in crate::read) struct Names {
    words: HashMap<String, Vec<(usize, Rank)>>,
    patterns: Vec<(usize, &'static regex::Regex)>,
    /// Name and kind of each field.
    fields: Vec<(String, FieldType)>,
    /// Of each field, whether its label speaks of the year.
    annual: Vec<bool>,
}

impl Names {
    /// Names from the record schema and, if wanted, from the shipped dictionary.
    pub(in crate::read) fn new(record: &RecordSchema, dictionary: bool) -> Self {
        let fields = record.fields.iter().map(|field| (field.name.clone(), field.kind)).collect();
        let annual = record.fields.iter().map(|field| is_annual(&field.label)).collect();
        let mut names = Self { words: HashMap::new(), patterns: Vec::new(), fields, annual };
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

    /// The fields that a header may mean. `path` holds its rows, the leaf last.
    pub(super) fn claims(&self, path: &[String]) -> Vec<(usize, Rank)> {
        let tidied: Vec<String> = path.iter().map(|part| tidy(part)).collect();
        let confirmed = |meanings: &&Vec<(usize, Rank)>| meanings.iter().any(|m| m.1 == Rank::Confirmed);
        if let Some(meanings) = self.words.get(&tidied.join(">")).filter(confirmed) {
            return meanings.iter().copied().filter(|m| m.1 == Rank::Confirmed).collect();
        }
        // A row of units below the header belongs to its parent.
        let parts = match tidied.split_last() {
            Some((leaf, above)) if !above.is_empty() && lone_unit(leaf).is_some() => above,
            _ => &tidied[..],
        };
        let Some(leaf) = parts.last() else { return Vec::new() };
        let own = self.look_up(leaf);
        if own.iter().any(|(_, rank)| *rank != Rank::Weak) || parts.len() == 1 {
            return own;
        }
        let parent = &parts[parts.len() - 2];
        // 总投资 > 合计: the child says that it is the whole of its parent.
        let base = without_unit(leaf).map_or(leaf.as_str(), |(base, _)| base);
        if WHOLE.contains(&base) {
            return self.look_up(parent);
        }
        let joined = self.look_up(&format!("{parent}{leaf}"));
        // 完成投资情况 > 本月完成: the child leaves out what the parent is about.
        let about = ABOUT.iter().filter(|word| parent.contains(**word) && !leaf.contains(**word));
        let completed =
            about.map(|word| self.look_up(&format!("{leaf}{word}"))).find(|found| !found.is_empty());
        [joined, completed.unwrap_or_default(), own]
            .into_iter()
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }

    fn look_up(&self, word: &str) -> Vec<(usize, Rank)> {
        let word = word.strip_prefix("其中:").unwrap_or(word);
        let base = without_unit(word).map(|(base, _)| base);
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
            // What measures and is not understood, as in 总投资(亿元/亿美元), leaves open what the numbers are.
            let open = |inner: &str| {
                ["元", "美", "亿", "万", "米", "亩", "吨"].iter().any(|word| inner.contains(word))
            };
            let base = word.strip_suffix(')').and_then(|open| open.rsplit_once('('));
            let base = base.filter(|(_, inner)| !open(inner));
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
    fn a_year_and_a_unit_that_is_not_understood_claim_nothing_untold() {
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
            ("项目总投资（亿元/亿美元）", None),
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
            ("年", None),
        ] {
            assert_eq!(unit_of(header).map(|u| u.name).as_deref(), unit, "{header}");
        }
        for (cell, unit) in [
            ("单位：万元", Some("万元")),
            ("金额单位:亿元、亩", Some("亿元")),
            ("填报单位:武进高新区", None),
            ("填报单位：A局   单位：万元", Some("万元")),
            ("金额单位：亿元、面积单位：亩", Some("亿元")),
            ("面积单位:亩 金额单位:万元", Some("万元")),
        ] {
            assert_eq!(declared_unit(cell).map(|u| u.name).as_deref(), unit, "{cell}");
        }
    }
}
