//! One cell's text to one value, by the type of its field.
//!
//! Each parser gives a value, a [`Note`], or both: an error note when the text cannot be read, an info or a
//! warning when it was read with a choice the sender should know of. A note says what is wrong and what
//! to write instead; who it is about is added by the caller.
//!
//! `strict` parsers are for data from programs: one spelling, no leniency, and fast.

mod code;
mod date;
mod decimal;
mod money;
mod number;
mod other;
#[cfg(test)]
mod properties;
mod quantity;
mod unit;
mod years;

pub(super) use code::{destroyed, failed, is_code};
pub(super) use date::{Asked, date, iso, strict_date, timestamp};
pub(super) use money::Money;
pub(super) use number::{Number, integer, plain_integer, strict_integer};
pub(super) use other::{ITEM, boolean, list_items, trimmed};
pub(super) use quantity::is_number;
pub(super) use unit::Unit;
pub(super) use years::years;

use std::borrow::Cow;

use huiliu_stage::Severity;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Something to tell about a cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Note {
    pub(super) severity: Severity,
    pub(super) code: &'static str,
    /// Begins in the middle of a sentence: `不是金额；请…`.
    pub(super) text: Words,
}

/// The words of a note in both languages. Most are always the same, and are copied only into the finding made of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Words {
    pub(super) zh: Cow<'static, str>,
    pub(super) en: Cow<'static, str>,
}

impl Words {
    pub(super) fn new(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// What a cell's text gave.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parsed<T> {
    pub(super) value: Option<T>,
    pub(super) note: Option<Box<Note>>,
}

impl<T> Parsed<T> {
    #[inline]
    fn value(value: T) -> Self {
        Self { value: Some(value), note: None }
    }

    /// The value, if there is nothing to tell of it.
    #[inline]
    pub(super) fn sure(self) -> Option<T> {
        if self.note.is_none() { self.value } else { None }
    }

    fn empty() -> Self {
        Self { value: None, note: None }
    }

    fn noted(
        value: Option<T>,
        severity: Severity,
        code: &'static str,
        zh: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { value, note: Some(Box::new(Note { severity, code, text: Words::new(zh, en) })) }
    }

    fn bad(code: &'static str, zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self::noted(None, Severity::Error, code, zh, en)
    }

    /// The cell says in words that there is no value.
    fn placeholder() -> Self {
        Self::noted(None, Severity::Info, "placeholder", "按没有填写处理", "taken as not filled in")
    }
}

/// NFKC, without any blanks.
fn tidy(text: &str) -> String {
    let text = other::unguarded(text);
    // Chinese characters, and ASCII without blanks, are as they should be.
    if text.chars().all(|c| matches!(c, '!'..='~' | '\u{4e00}'..='\u{9fff}')) {
        return text.to_owned();
    }
    let kept = |c: &char| !c.is_whitespace() && !matches!(c, '\u{200b}' | '\u{feff}' | '\u{2060}');
    match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => text.chars().filter(kept).collect(),
        _ => text.nfkc().filter(kept).collect(),
    }
}

/// Whether a tidy text stands for an empty cell in columns of numbers and dates.
fn is_placeholder(tidy: &str) -> bool {
    const WORDS: [&str; 21] = [
        "暂无",
        "无",
        "没有",
        "待定",
        "未定",
        "待填",
        "待核实",
        "待明确",
        "不详",
        "未知",
        "不适用",
        "空",
        "na",
        "n/a",
        "#n/a",
        "null",
        "none",
        "nil",
        "tbd",
        "—",
        "/",
    ];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(tidy))
        || (!tidy.is_empty()
            && tidy
                .chars()
                .all(|c| matches!(c, '-' | '—' | '–' | '―' | '─' | '/' | '\\' | '.' | '_' | '…' | '*')))
}
