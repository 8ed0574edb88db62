//! What happens to any code that people type or paste, before it is read.

use std::borrow::Cow;

/// The text without blanks (also inside), with full-width characters narrowed, dashes of all kinds as
/// `-` and letters in upper case. Nothing is copied when there is nothing to do.
pub(crate) fn tidy(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || b == b'-') {
        return Cow::Borrowed(text);
    }
    let tidy: String = text.chars().filter_map(narrow).collect();
    Cow::Owned(tidy)
}

/// One character narrowed; `None` for blanks and marks that cannot be seen.
fn narrow(c: char) -> Option<char> {
    let c = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        _ => c,
    };
    let unseen =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\'' | '`' | '\u{2018}' | '\u{2019}');
    (!c.is_whitespace() && !unseen).then(|| c.to_ascii_uppercase())
}

/// Without a heading such as `项目代码：` that was typed into the cell.
pub(crate) fn without_heading(tidy: &str) -> &str {
    match tidy.rsplit_once(':') {
        Some((heading, code)) if heading.ends_with("码") || heading.ends_with("CODE") => code,
        _ => tidy,
    }
}

/// Whether a tidy text says that there is no code (yet).
pub(crate) fn is_placeholder(tidy: &str) -> bool {
    const WORDS: [&str; 17] = [
        "暂无",
        "无",
        "没有",
        "办理中",
        "正在办理",
        "申报中",
        "申请中",
        "待定",
        "待办",
        "待补",
        "待补充",
        "未办理",
        "暂未办理",
        "暂缺",
        "N/A",
        "NA",
        "NULL",
    ];
    !tidy.is_empty()
        && (tidy.chars().all(|c| matches!(c, '/' | '-' | '\\' | '*' | '?')) || WORDS.contains(&tidy))
}

/// Whether a tidy text is a number in the notation into which spreadsheets turn long codes (`9.14E+17`).
pub(crate) fn is_scientific(tidy: &str) -> bool {
    let Some((head, exponent)) = tidy.split_once('E') else { return false };
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let (whole, part) = head.split_once('.').unwrap_or((head, "0"));
    whole.len() == 1 && digits(whole) && digits(part) && exponent.len() <= 2 && digits(exponent)
}
