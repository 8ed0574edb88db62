//! Titles of groups, and what they say of the rows below them.
//!
//! A title such as `一、省重大项目(2个)` is taken apart into its numbering, its text and the number of rows it
//! declares. Which field its text belongs to is decided by the record schema (a value of a field's `enum`) and by the
//! shipped `data/group_words.csv`. Titles nest by the style of their numbering: a style that comes
//! again ends the groups that were opened since.

use std::sync::LazyLock;

use huiliu_stage::{FieldType, RecordSchema};
use regex::Regex;

use super::words::counted;
use crate::read::header::tidy;

/// Most groups in one another; a file that opens more has none.
const DEEPEST: usize = 16;

/// How a title is numbered; titles of one style are of one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `一、`
    Chinese,
    /// `（一）`
    ChineseBracket,
    /// `1、`
    Digit,
    /// `(1)`
    DigitBracket,
    /// Not numbered; those that speak of the same field are of one level.
    Bare(Option<usize>),
}

/// A title taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Title {
    pub(super) style: Style,
    /// The number in Chinese numerals that it begins with.
    pub(super) number: Option<u32>,
    /// Without numbering and count.
    pub(super) text: String,
    /// The number of rows that it declares.
    pub(super) declared: Option<u32>,
    /// The field that it is about, and the value for the rows below.
    pub(super) means: Option<(usize, String)>,
    /// Which of [`ALIKE`] that field is one of.
    alike: Option<usize>,
}

/// Fields by one of which a list is parted, but not by one inside the other: how far projects are, and who has them.
const ALIKE: [&[&str]; 2] =
    [&["construction_nature", "build_status"], &["region_name", "responsible_unit", "competent_dept"]];

/// Words that say which projects a title is about, and not of which industry they are.
const WHICH: [&str; 19] = [
    "重点",
    "其他",
    "其它",
    "续建",
    "新建",
    "新开工",
    "开工",
    "重大",
    "以上",
    "以下",
    "级",
    "年",
    "第",
    "储备",
    "在建",
    "竣工",
    "前期",
    "谋划",
    "民生",
];

/// Ends of words that end as names of places do, and are none.
const NO_PLACES: [&str; 6] = ["超市", "夜市", "菜市", "集市", "门市", "都市"];

struct Word {
    field: &'static str,
    pattern: Regex,
    value: &'static str,
}

static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let lines = include_str!("../../../data/group_words.csv").lines().skip(1);
    let word = |line: &'static str| {
        // A pattern may hold commas; the first and the last one part the line.
        let (field, rest) = line.split_once(',')?;
        let (pattern, value) = rest.rsplit_once(',')?;
        Some(Word { field, pattern: Regex::new(pattern).ok()?, value })
    };
    lines.filter_map(word).collect()
});

/// What titles of groups can mean in one record schema.
#[derive(Clone, Debug, Default)]
pub(super) struct Meanings {
    /// Index and allowed values of fields that hold words.
    values: Vec<(usize, Vec<String>)>,
    /// Indices of the shipped words' fields, in the order of the words.
    words: Vec<Option<usize>>,
    /// Indices of fields that are among [`ALIKE`], and of which.
    alike: Vec<(usize, usize)>,
}

impl Meanings {
    pub(super) fn new(record: &RecordSchema) -> Self {
        let of_words = |kind: FieldType| matches!(kind, FieldType::Text | FieldType::List);
        let fields = || record.fields.iter().enumerate().filter(|(_, field)| of_words(field.kind));
        let values = fields()
            .filter(|(_, field)| !field.values.is_empty())
            .map(|(index, field)| (index, field.values.clone()))
            .collect();
        let index_of = |name: &str| fields().find(|(_, field)| field.name == name).map(|(index, _)| index);
        let alike =
            ALIKE.iter().enumerate().flat_map(|(kind, names)| names.iter().map(move |name| (kind, *name)));
        let alike = alike.filter_map(|(kind, name)| Some((index_of(name)?, kind))).collect();
        Self { values, words: WORDS.iter().map(|word| index_of(word.field)).collect(), alike }
    }

    /// The field and the value that a title's text names.
    pub(super) fn of(&self, text: &str) -> Option<(usize, String)> {
        let mut short = text;
        for end in ["建设项目", "项目", "工程", "类"] {
            short = short.strip_suffix(end).unwrap_or(short);
        }
        let forms = || [text, short].into_iter().filter(|form| !form.is_empty());
        for (field, values) in &self.values {
            if let Some(value) = values.iter().find(|value| forms().any(|form| tidy(value) == form)) {
                return Some((*field, value.clone()));
            }
        }
        WORDS.iter().zip(&self.words).find_map(|(word, field)| {
            let field = (*field)?;
            let value = forms().find_map(|form| {
                let found = word.pattern.captures(form)?;
                let mut value = String::new();
                found.expand(word.value, &mut value);
                Some(value)
            })?;
            // 续建产业, 亿元以上产业: which projects these are, and no industry.
            if word.field == "industry_name" && WHICH.iter().any(|which| value.contains(which)) {
                return None;
            }
            // 平价超市 is no place.
            if word.field == "region_name" && NO_PLACES.iter().any(|end| value.ends_with(end)) {
                return None;
            }
            // A value that the schema would refuse helps nobody.
            let allowed = self.values.iter().find(|(of, _)| *of == field);
            allowed.is_none_or(|(_, values)| values.contains(&value)).then_some((field, value))
        })
    }

    /// Takes a cell apart if it may be the title of a group. Whether it is one depends on the rest of its row.
    pub(super) fn title(&self, cell: &str) -> Title {
        let word = tidy(cell);
        let (style, rest) = numbered(&word);
        let (text, declared) = counted(rest);
        let means = self.of(text).map(|(field, value)| (field, as_written(value, cell)));
        let style = style.unwrap_or(Style::Bare(means.as_ref().map(|(field, _)| *field)));
        let number = numeral(word.trim_start_matches('('));
        let alike = means.as_ref().and_then(|(of, _)| self.alike.iter().find(|(field, _)| field == of));
        let alike = alike.map(|(_, kind)| *kind);
        Title { style, number, text: text.to_owned(), declared, means, alike }
    }
}

/// A value as the cell has it, with its capitals.
fn as_written(value: String, cell: &str) -> String {
    let lower = cell.to_lowercase();
    let at = lower.find(&value).filter(|_| lower.len() == cell.len());
    at.and_then(|at| cell.get(at..at + value.len())).map_or(value.clone(), str::to_owned)
}

const NUMERALS: &str = "一二三四五六七八九十百";

/// Whether a text begins with Chinese numerals and the sign behind them: `一、`.
#[inline]
pub(super) fn is_numbered(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| NUMERALS.contains(c));
    rest.len() < text.len() && rest.starts_with('、')
}

/// The number that a tidy text begins with in Chinese numerals, up to ninety-nine.
pub(super) fn numeral(word: &str) -> Option<u32> {
    let digit =
        |c: char| "一二三四五六七八九".chars().position(|d| d == c).and_then(|at| u32::try_from(at + 1).ok());
    let numerals: Vec<char> = word.chars().take_while(|c| NUMERALS.contains(*c)).collect();
    match numerals[..] {
        ['十'] => Some(10),
        [one] => digit(one),
        ['十', ones] => Some(10 + digit(ones)?),
        [tens, '十'] => Some(10 * digit(tens)?),
        [tens, '十', ones] => Some(10 * digit(tens)? + digit(ones)?),
        _ => None,
    }
}

/// The style of a tidy text's numbering, and what stands behind it.
fn numbered(word: &str) -> (Option<Style>, &str) {
    let chinese = |text: &str| text.trim_start_matches(|c: char| NUMERALS.contains(c)).len();
    let digits = |text: &str| text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let behind = |text: &str, left: usize, ends: &[char]| -> Option<usize> {
        let rest = &text[text.len() - left..];
        let end = rest.chars().next().filter(|c| ends.contains(c))?;
        (left < text.len()).then_some(left - end.len_utf8())
    };
    if let Some(inner) = word.strip_prefix('(') {
        for (left, style) in [(chinese(inner), Style::ChineseBracket), (digits(inner), Style::DigitBracket)] {
            if let Some(left) = behind(inner, left, &[')']) {
                return (Some(style), inner[inner.len() - left..].trim_start_matches(['、', '.']));
            }
        }
        return (None, word);
    }
    if let Some(left) = behind(word, chinese(word), &['、', '.', ',']) {
        return (Some(Style::Chinese), &word[word.len() - left..]);
    }
    // 1.2亿 is no numbering.
    match behind(word, digits(word), &['、', '.']) {
        Some(left) if !word[word.len() - left..].starts_with(|c: char| c.is_ascii_digit()) => {
            (Some(Style::Digit), &word[word.len() - left..])
        }
        _ => (None, word),
    }
}

/// The style of a numbering that stands in a cell of its own: `一`, `(一)`, `一、`.
pub(super) fn lone_number(cell: &str) -> Option<Style> {
    let word = tidy(cell);
    let probe = match word.starts_with('(') {
        true => word.clone(),
        false => format!("{}、", word.trim_end_matches(['、', '.'])),
    };
    match numbered(&probe) {
        (Some(style @ (Style::Chinese | Style::ChineseBracket)), "") => Some(style),
        _ => None,
    }
}

/// A group that is open.
#[derive(Clone, Debug)]
struct Open {
    style: Style,
    means: Option<(usize, String)>,
    alike: Option<usize>,
    /// Rows stand right below its title.
    rows: bool,
}

/// The groups that the next row stands in, the outermost first.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    /// What holds for the whole sheet.
    sheet: Option<(usize, String)>,
    open: Vec<Open>,
}

impl Groups {
    pub(super) fn for_sheet(means: Option<(usize, String)>) -> Self {
        Self { sheet: means, open: Vec::new() }
    }

    /// Opens a group; gives how many groups stay open above it.
    pub(super) fn open(&mut self, title: &Title) -> usize {
        // What nobody understands and has no number may be of the level of any that has none: it ends them all.
        let ends = |group: &Open| match title.style {
            Style::Bare(None) => matches!(group.style, Style::Bare(_)),
            style => {
                group.style == style || group.style == Style::Bare(None) && matches!(style, Style::Bare(_))
            }
        };
        // 前期 behind the rows of 新开工 stands beside that title and not inside.
        let beside = |group: &Open| {
            let bare = matches!((group.style, title.style), (Style::Bare(_), Style::Bare(_)));
            bare && group.rows && group.alike.is_some() && group.alike == title.alike
        };
        let level = self
            .open
            .iter()
            .position(ends)
            .or_else(|| self.open.last().is_some_and(beside).then(|| self.open.len() - 1));
        self.open.truncate(level.unwrap_or(self.open.len()).min(DEEPEST - 1));
        self.open.push(Open {
            style: title.style,
            means: title.means.clone(),
            alike: title.alike,
            rows: false,
        });
        self.open.len() - 1
    }

    /// A row stands below the last title.
    pub(super) fn take_row(&mut self) {
        if let Some(group) = self.open.last_mut() {
            group.rows = true;
        }
    }

    /// Whether the last title has no number.
    pub(super) fn is_bare(&self) -> bool {
        self.open.last().is_some_and(|group| matches!(group.style, Style::Bare(_)))
    }

    /// Ends the groups without a number.
    pub(super) fn end_bare(&mut self) {
        let first = self.open.iter().position(|group| matches!(group.style, Style::Bare(_)));
        self.open.truncate(first.unwrap_or(self.open.len()));
    }

    /// The value of each field that the groups speak of; the innermost wins.
    pub(super) fn values(&self) -> Vec<(usize, String)> {
        let mut values: Vec<(usize, String)> = Vec::new();
        for (field, value) in self.sheet.iter().chain(self.open.iter().filter_map(|g| g.means.as_ref())) {
            match values.iter_mut().find(|(of, _)| of == field) {
                Some((_, known)) => known.clone_from(value),
                None => values.push((*field, value.clone())),
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use huiliu_stage::Field;

    use super::*;

    fn meanings() -> Meanings {
        let field = |name: &str, values: &[&str]| Field {
            name: name.into(),
            values: values.iter().map(|&v| v.to_owned()).collect(),
            ..Field::default()
        };
        let nature = ["新建", "续建", "技改"];
        let fields = ["level", "region_name", "project_type", "responsible_unit", "batch", "build_status"];
        let mut all = vec![field("construction_nature", &nature)];
        all.extend(fields.map(|name| field(name, &[])));
        Meanings::new(&RecordSchema { fields: all, ..RecordSchema::default() })
    }

    #[test]
    fn titles_are_taken_apart_and_given_to_fields() {
        use Style::{Bare, Chinese, ChineseBracket, Digit};
        for (cell, style, text, declared, means) in [
            ("一、省重大项目(2个)", Chinese, "省重大项目", Some(2), Some((1, "省重大"))),
            ("一、产业项目（180个）", Chinese, "产业项目", Some(180), Some((3, "产业"))),
            ("(一) 科创中心 (8项)", ChineseBracket, "科创中心", Some(8), None),
            ("1、合肥市(915个)", Digit, "合肥市", Some(915), Some((2, "合肥市"))),
            ("续建项目(597个)", Bare(Some(0)), "续建项目", Some(597), Some((0, "续建"))),
            ("计划新开工", Bare(Some(0)), "计划新开工", None, Some((0, "新建"))),
            ("武进高新区", Bare(Some(2)), "武进高新区", None, Some((2, "武进高新区"))),
            ("区住建局", Bare(Some(4)), "区住建局", None, Some((4, "区住建局"))),
            ("第二批项目", Bare(Some(5)), "第二批项目", None, Some((5, "第二批"))),
            ("重点预备", Bare(Some(6)), "重点预备", None, Some((6, "重点预备"))),
            ("示例综合保税区", Bare(None), "示例综合保税区", None, None),
            ("阳光小区", Bare(None), "阳光小区", None, None),
            ("一汽大众基地", Bare(None), "一汽大众基地", None, None),
            ("1.2亿", Bare(None), "1.2亿", None, None),
        ] {
            let means = means.map(|(field, value): (usize, &str)| (field, value.to_owned()));
            let found = meanings().title(cell);
            let title =
                Title { number: found.number, alike: found.alike, style, text: text.into(), declared, means };
            assert_eq!(found, title, "{cell}");
        }
        for (text, number) in [
            ("一、甲", Some(1)),
            ("十、", Some(10)),
            ("十二", Some(12)),
            ("二十", Some(20)),
            ("九十九", Some(99)),
            ("百", None),
            ("甲", None),
        ] {
            assert_eq!(numeral(text), number, "{text}");
        }
        assert_eq!(lone_number("一"), Some(Chinese));
        assert_eq!(lone_number("（二）"), Some(ChineseBracket));
        assert_eq!(lone_number("1"), None);
        assert_eq!(lone_number("一期"), None);
    }

    #[test]
    fn every_line_of_the_shipped_words_is_taken() {
        assert_eq!(WORDS.len() + 1, include_str!("../../../data/group_words.csv").lines().count());
    }

    #[test]
    fn a_style_that_comes_again_ends_the_groups_inside() {
        let meanings = meanings();
        let mut groups = Groups::default();
        let mut at = |cell: &str| {
            let level = groups.open(&meanings.title(cell));
            let values: Vec<String> = groups.values().into_iter().map(|(_, value)| value).collect();
            (level, values.join(" "))
        };
        assert_eq!(at("一、省重大项目"), (0, "省重大".into()));
        assert_eq!(at("(一)合肥市"), (1, "省重大 合肥市".into()));
        assert_eq!(at("续建项目"), (2, "省重大 合肥市 续建".into()));
        assert_eq!(at("(二)芜湖市"), (1, "省重大 芜湖市".into()));
        assert_eq!(at("二、市重点项目"), (0, "市重点".into()));
    }
}
