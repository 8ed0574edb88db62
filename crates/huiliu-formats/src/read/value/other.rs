//! Texts, yes/no and lists.

use huiliu_stage::Severity;

use super::{Parsed, is_placeholder, tidy};

/// Without blanks at both ends, full-width and no-break ones too.
#[inline]
pub(in crate::read) fn trimmed(text: &str) -> &str {
    let plain = |byte: u8| (0x21..=0x7e).contains(&byte);
    // Chinese characters lie between E4 and E9; no blank begins there, and few bytes end one.
    let inner = |byte: u8| plain(byte) || (0xe4..=0xe9).contains(&byte);
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(b'='), Some(b'"')) => unguarded(text),
        (Some(&first), Some(&last)) if inner(first) && (plain(last) || ends_chinese(bytes)) => text,
        (None, _) => text,
        _ => text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}')),
    }
}

/// Without the `="…"` that keeps a spreadsheet program from taking the text of a CSV cell for a number.
pub(in crate::read) fn unguarded(text: &str) -> &str {
    let inner = text.trim().strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    inner.filter(|inner| !inner.contains('"')).unwrap_or(text)
}

#[inline]
fn ends_chinese(bytes: &[u8]) -> bool {
    bytes.len() >= 3 && (0xe4..=0xe9).contains(&bytes[bytes.len() - 3])
}

/// 是/否 in the spellings of forms; an empty cell is unknown, not 否.
pub(in crate::read) fn boolean(text: &str, strict: bool) -> Parsed<bool> {
    match text {
        "" => return Parsed::empty(),
        "true" | "是" => return Parsed::value(true),
        "false" | "否" => return Parsed::value(false),
        _ if strict => return not_a_boolean("请填 true 或 false", "write true or false"),
        _ => {}
    }
    const YES: [&str; 21] = [
        "是", "有", "已", "√", "✓", "✔", "☑", "○", "〇", "对", "1", "1.0", "true", "yes", "y", "t", "是的",
        "属于", "符合", "v", "●",
    ];
    const NO: [&str; 17] = [
        "否", "无", "未", "×", "✗", "✘", "☒", "x", "错", "0", "0.0", "false", "no", "n", "f", "不是", "没有",
    ];
    let tidy = tidy(text).to_lowercase();
    match tidy.as_str() {
        "" => Parsed::empty(),
        word if YES.contains(&word) => Parsed::value(true),
        word if NO.contains(&word) => Parsed::value(false),
        word if is_placeholder(word) => Parsed::placeholder(),
        word => match by_beginning(word) {
            Some(value) => {
                let (zh, en) = if value { ("是", "yes") } else { ("否", "no") };
                let (zh, en) = (format!("按“{zh}”读取"), format!("was taken for {en}"));
                Parsed::noted(Some(value), Severity::Info, "type", zh, en)
            }
            None => not_a_boolean("请填 是 或 否", "write 是 or 否"),
        },
    }
}

/// 已开工 and 未列统: a short answer in a sentence's words. 已批未建 is neither.
fn by_beginning(word: &str) -> Option<bool> {
    let open = ["未", "待", "拟", "部分", "正在", "即将", "计划"];
    if word.chars().count() > 6 {
        return None;
    }
    if let Some(rest) = word.strip_prefix('已') {
        return (!open.iter().any(|w| rest.contains(w))).then_some(true);
    }
    let rest = word.strip_prefix("尚未").or_else(|| word.strip_prefix('未'))?;
    (!rest.contains('已')).then_some(false)
}

fn not_a_boolean(zh: &str, en: &str) -> Parsed<bool> {
    Parsed::bad("type", format!("不是“是/否”；{zh}"), format!("is neither yes nor no; {en}"))
}

/// Parts the items of an array that came from JSON, where an item may hold any other character.
pub(in crate::read) const ITEM: char = '\u{1e}';

/// The items of a list.
pub(in crate::read) fn list_items(text: &str) -> impl Iterator<Item = &str> {
    let json = text.contains(ITEM);
    let parts = move |c: char| match json {
        true => c == ITEM,
        false => matches!(c, '、' | ',' | '，' | ';' | '；' | '\n' | '\r' | '|'),
    };
    text.split(parts).map(trimmed).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_of_every_kind_go_from_both_ends() {
        for (text, expected) in [
            ("=\"0100\"", "0100"),
            ("=\"a\"&\"b\"", "=\"a\"&\"b\""),
            ("", ""),
            (" a ", "a"),
            ("\u{3000}项目\u{3000}", "项目"),
            ("项目", "项目"),
            ("\u{a0}x", "x"),
            ("项 目", "项 目"),
            ("x\n", "x"),
            ("é", "é"),
        ] {
            assert_eq!(trimmed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn yes_and_no_have_many_spellings_and_nothing_is_unknown() {
        for (text, expected) in [
            ("是", Some(true)),
            ("√", Some(true)),
            ("Ｙ", Some(true)),
            ("×", Some(false)),
            ("无", Some(false)),
            ("0", Some(false)),
            ("", None),
            ("—", None),
            ("可能", None),
            ("已开工", Some(true)),
            ("未列统", Some(false)),
            ("尚未开工", Some(false)),
            ("已批未建", None),
            ("未定", None),
        ] {
            assert_eq!(boolean(text, false).value, expected, "{text}");
        }
        assert!(boolean("可能", false).note.is_some());
        assert_eq!(boolean("√", true).value, None);
    }

    #[test]
    fn lists_are_parted_at_the_marks_people_use() {
        let items = |text| list_items(text).collect::<Vec<_>>();
        assert_eq!(items("532、 两湖,民生；\n民生实事"), ["532", "两湖", "民生", "民生实事"]);
        assert_eq!(items("a,b\u{1e}c\u{1e}"), ["a,b", "c"]);
    }
}
