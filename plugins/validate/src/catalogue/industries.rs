//! V06: industry codes against GB/T 4754-2017 (domain.md 2.4).
//!
//! Accepted are `C3821`, `3821` and `38`, also with the name behind it. Codes 79 to 96 of the edition of 2011 became 80
//! to 97: a bare one of them may be of either, unless the name beside it says which. With the letter of its section it
//! is clear. A second table lists kinds of industry that must not be built, or only within limits.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use hashbrown::HashMap;
use huiliu_stage::{Findings, Host, Problem, StageError, Text, column_index};
use serde::Deserialize;

use super::table::{Indexed, cell, maybe, texts};
use super::{CatalogueOptions, Check, Sight};
use crate::options::Options;
use crate::tell::{Kind, Note};

/// `industries: {table: NAME, limits: NAME, code: FIELD, name: FIELD}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndustryOptions {
    /// The reference table, with columns `section`, `code` (two digits), `name`, `code_2011`.
    pub table: String,
    /// A table of what is banned or limited: `code` (as many digits as are meant), `kind`, `note`.
    #[serde(default)]
    pub limits: Option<String>,
    /// The field with the code.
    #[serde(default = "usual_code")]
    pub code: String,
    /// The field with the name; used where the record has it.
    #[serde(default = "usual_name")]
    pub name: String,
}

fn usual_code() -> String {
    "industry_code".to_owned()
}

fn usual_name() -> String {
    "industry_name".to_owned()
}

#[derive(Default)]
struct Index {
    /// Section letter and name by the two digits of 2017.
    now: HashMap<String, (String, String)>,
    /// The two digits of 2017 by the section letter and the two digits of 2011, where they differ.
    before: HashMap<String, String>,
}

#[derive(Default)]
struct Limits(Vec<(String, String, String)>);

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Known,
    Unknown,
    /// Of either edition; the code of 2017 if it is meant by that of 2011.
    Ambiguous(Option<String>),
}

pub(super) struct Industries {
    table: Indexed<Index>,
    limits: Option<Indexed<Limits>>,
    code: usize,
    name: Option<usize>,
    unknown: Option<Note>,
    ambiguous: Option<Note>,
    banned: Option<Note>,
}

impl Industries {
    pub(super) fn of(
        own: &CatalogueOptions,
        schema: &SchemaRef,
        options: &Options,
        host: &dyn Host,
        problems: &mut Vec<Problem>,
    ) -> Option<Box<dyn Check>> {
        let chosen = own.industries.as_ref()?;
        let mut wrong = |key: &str, message: String| {
            problems.push(Problem { path: format!("catalogue.industries.{key}"), message });
        };
        let mut table = Indexed::new(&chosen.table);
        if let Err(error) = table.now(host, Index::of) {
            wrong("table", error.to_string());
        }
        let mut limits = chosen.limits.as_deref().map(Indexed::new);
        if let Some(Err(error)) = limits.as_mut().map(|limits| limits.now(host, Limits::of).map(drop)) {
            wrong("limits", error.to_string());
        }
        let code = match column_index(schema, &chosen.code) {
            Ok(code) if schema.field(code).data_type() == &DataType::Utf8 => code,
            Ok(_) => {
                wrong("code", format!("`{}` is no text", chosen.code));
                return None;
            }
            Err(error) => {
                wrong("code", error.to_string());
                return None;
            }
        };
        let name = schema.index_of(&chosen.name).ok();
        let note = |kind| Note::new(options, schema.field(code), kind);
        Some(Box::new(Self {
            table,
            limits,
            code,
            name: name.filter(|at| schema.field(*at).data_type() == &DataType::Utf8),
            unknown: note(Kind::IndustryUnknown),
            ambiguous: note(Kind::IndustryAmbiguous),
            banned: note(Kind::IndustryBanned),
        }))
    }
}

impl Check for Industries {
    fn judge(&mut self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError> {
        let index = self.table.now(sight.host, Index::of)?;
        let limits = self.limits.as_mut().map(|limits| limits.now(sight.host, Limits::of)).transpose()?;
        let codes = sight.batch.column(self.code).as_string::<i32>();
        let names = self.name.map(|at| sight.batch.column(at).as_string::<i32>());
        for at in (0..codes.len()).filter(|&at| codes.is_valid(at) && !codes.value(at).trim().is_empty()) {
            let (text, row) = (codes.value(at), sight.rows[at]);
            let parsed = parse(text);
            let (note, said) = match index.answer(parsed.as_ref(), cell(names, at)) {
                Answer::Known => (&None, Text::default()),
                Answer::Unknown => (&self.unknown, unknown()),
                Answer::Ambiguous(now) => (&self.ambiguous, ambiguous(now.as_deref())),
            };
            if let Some(note) = note {
                findings.push(note.about_value(row, text, said));
            }
            let limit = limits.as_ref().zip(parsed).and_then(|(limits, (_, digits))| limits.of_code(&digits));
            if let (Some((kind, why)), Some(note)) = (limit, &self.banned) {
                findings.push(note.about_value(row, text, banned(kind, why)));
            }
        }
        Ok(())
    }
}

fn unknown() -> Text {
    Text::new(
        "行业代码不在国民经济行业分类（GB/T 4754-2017）中；请按建成后的用途填写，如 C3821",
        "this is no code of GB/T 4754-2017; give the one for the use of the finished project, such as C3821",
    )
}

fn ambiguous(now: Option<&str>) -> Text {
    let (zh, en) = match now {
        Some(now) => (format!("（若为2011版，现为{now}）"), format!(" (if it is of 2011, it is {now} now)")),
        None => (String::new(), String::new()),
    };
    Text::new(
        format!("行业代码可能是2011版的，79至96在2017版中已顺延{zh}；请加上门类字母或填写行业名称"),
        format!(
            "this code may be of the edition of 2011, of which 79 to 96 were moved{en}; add the letter of the section or the name"
        ),
    )
}

fn banned(kind: &str, why: &str) -> Text {
    Text::new(
        format!("所报行业属于{kind}类（{why}）；请核对行业代码，确属此类的不予受理"),
        format!("this industry is on the list of what is banned or limited ({kind}: {why}); check the code"),
    )
}

impl Index {
    fn of(table: &RecordBatch) -> Result<Self, StageError> {
        let (codes, names) = (texts(table, "code")?, texts(table, "name")?);
        let (section, old) = (maybe(table, "section"), maybe(table, "code_2011"));
        let mut index = Self::default();
        for at in 0..table.num_rows() {
            let (code, letter) = (cell(Some(codes), at), cell(section, at));
            index.now.insert(code.to_owned(), (letter.to_owned(), cell(Some(names), at).to_owned()));
            let old = cell(old, at);
            if !old.is_empty() && old != code {
                index.before.insert(format!("{letter}{old}"), code.to_owned());
                index.before.insert(old.to_owned(), code.to_owned());
            }
        }
        Ok(index)
    }

    /// What a code is; `name`: what stands beside it.
    fn answer(&self, code: Option<&(Option<char>, String)>, name: &str) -> Answer {
        let Some((letter, digits)) = code else { return Answer::Unknown };
        let Some(two) = digits.get(..2) else {
            // A letter alone, or a letter lost: sections are told by letter, so digits are needed without one.
            let known = letter.is_some_and(|l| self.now.values().any(|(section, _)| section.starts_with(l)));
            return if known && digits.is_empty() { Answer::Known } else { Answer::Unknown };
        };
        let now = self.now.get(two);
        let moved = self.before.contains_key(two);
        match letter {
            Some(letter) => match now {
                Some((section, _)) if section.starts_with(*letter) => Answer::Known,
                _ => match self.before.get(&format!("{letter}{two}")) {
                    Some(now) => Answer::Ambiguous(Some(now.clone())),
                    None => Answer::Unknown,
                },
            },
            None if moved && !now.is_some_and(|(_, known)| alike(known, name)) => {
                Answer::Ambiguous(self.before.get(two).cloned())
            }
            None if now.is_some() => Answer::Known,
            None => Answer::Unknown,
        }
    }
}

/// Whether a name in the table and the one in a row are the same, or one is part of the other.
fn alike(known: &str, name: &str) -> bool {
    !name.is_empty() && (known.contains(name) || name.contains(known))
}

impl Limits {
    fn of(table: &RecordBatch) -> Result<Self, StageError> {
        let (codes, kind, note) = (texts(table, "code")?, maybe(table, "kind"), maybe(table, "note"));
        let row =
            |at| (cell(Some(codes), at).to_owned(), cell(kind, at).to_owned(), cell(note, at).to_owned());
        Ok(Self((0..table.num_rows()).map(row).filter(|(code, _, _)| !code.is_empty()).collect()))
    }

    fn of_code(&self, digits: &str) -> Option<(&str, &str)> {
        let found = self.0.iter().find(|(code, _, _)| {
            digits.starts_with(code.trim_start_matches(|c: char| c.is_ascii_alphabetic()))
        });
        found.map(|(_, kind, note)| (kind.as_str(), note.as_str()))
    }
}

/// The section letter, if there is one, and up to four digits; `None` for what is no code.
fn parse(text: &str) -> Option<(Option<char>, String)> {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        other => other,
    };
    let tidy: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).map(narrow).collect();
    let letter = tidy.first().filter(|c| c.is_ascii_alphabetic()).map(char::to_ascii_uppercase);
    let rest = &tidy[usize::from(letter.is_some())..];
    let digits: String = rest.iter().take_while(|c| c.is_ascii_digit()).collect();
    let behind = rest.get(digits.len());
    let fits = digits.len() <= 4 && (letter.is_some() || !digits.is_empty());
    // What follows is a name (3821电动机制造), not the rest of some other number.
    (fits && behind.is_none_or(|c| !c.is_ascii_alphanumeric())).then_some((letter, digits))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    fn table(names: [&'static str; 4], rows: &[[&str; 4]]) -> RecordBatch {
        let columns = names.iter().enumerate().map(|(at, name)| {
            let cells: StringArray = rows.iter().map(|row| Some(row[at])).collect();
            (*name, Arc::new(cells) as ArrayRef)
        });
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn a_code_is_known_unknown_or_of_either_edition() {
        let rows = [
            ["C", "38", "电气机械和器材制造业", "38"],
            ["N", "78", "公共设施管理业", "78"],
            ["N", "79", "土地管理业", ""],
            ["O", "80", "居民服务业", "79"],
            ["O", "82", "其他服务业", "81"],
            ["P", "83", "教育", "82"],
        ];
        let index = Index::of(&table(["section", "code", "name", "code_2011"], &rows)).unwrap();
        let either = |now: &str| Answer::Ambiguous(Some(now.to_owned()));
        for (code, name, expected) in [
            ("C3821", "", Answer::Known),
            ("3821", "", Answer::Known),
            ("38", "", Answer::Known),
            ("Ｃ３８２１", "", Answer::Known),
            ("3821 电动机制造", "", Answer::Known),
            ("C", "", Answer::Known),
            ("7810", "", Answer::Known),
            ("82", "", either("83")),
            ("8210", "", either("83")),
            ("82", "其他服务业", Answer::Known), // The name says that the edition of 2017 is meant.
            ("82", "教育", either("83")),
            ("O82", "", Answer::Known),
            ("P82", "", either("83")), // Education was 82 in 2011.
            ("79", "", either("80")),
            ("98", "", Answer::Unknown),
            ("Z38", "", Answer::Unknown),
            ("A38", "", Answer::Unknown),
            ("3", "", Answer::Unknown),
            ("电池", "", Answer::Unknown),
            ("38210", "", Answer::Unknown),
        ] {
            assert_eq!(index.answer(parse(code).as_ref(), name), expected, "{code} {name}");
        }
    }

    #[test]
    fn a_limit_holds_for_all_codes_below_it() {
        let rows = [["311", "限制", "产能过剩", ""], ["C3041", "禁止", "平板玻璃", ""]];
        let limits = Limits::of(&table(["code", "kind", "note", "x"], &rows)).unwrap();
        for (digits, kind) in [("3110", Some("限制")), ("31", None), ("3041", Some("禁止")), ("3120", None)]
        {
            assert_eq!(limits.of_code(digits).map(|(kind, _)| kind), kind, "{digits}");
        }
    }
}
