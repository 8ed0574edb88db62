//! What a spreadsheet program left in place of a text: a code that it took for a number and so destroyed, the mark of a formula
//! that failed.

use huiliu_stage::Severity;

use super::{Note, Words};

/// Whether a field of this name holds codes.
pub(in crate::read) fn is_code(field: &str) -> bool {
    ["_code", "_uscc", "_no", "phone"].iter().any(|end| field.ends_with(end))
}

/// What to tell, for a field of this name, of a code that has only its first digits: `9.14403E+17`, `320412198001010000`. It is never guessed.
#[inline]
pub(in crate::read) fn destroyed(text: &str, field: &str) -> Option<Note> {
    let bytes = text.as_bytes();
    // A number keeps fifteen digits; a longer one ends in zeros. A code may end in two of them.
    let cut =
        bytes.len() > 15 && bytes.iter().all(u8::is_ascii_digit) && bytes[15..].iter().all(|b| *b == b'0');
    let cut = cut && bytes.len() >= 18;
    (cut || is_power(text)).then(|| note(field))
}

/// What to tell of a text that is the mark of a formula that failed, as text files and web pages have it: `#REF!`.
#[inline]
pub(in crate::read) fn failed(text: &str) -> Option<Note> {
    const MARKS: [&str; 7] = ["#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#N/A"];
    if !text.starts_with('#') || !MARKS.contains(&text) {
        return None;
    }
    let text = Words::new(
        "是公式出错留下的标记，没有值；请改正公式或直接填写内容",
        "is the mark of a formula that failed and no value; correct it or write the value itself",
    );
    Some(Note { severity: Severity::Error, code: "formula-error", text })
}

/// `9.14403E+17`
fn is_power(text: &str) -> bool {
    let Some((digits, power)) = text.split_once(['e', 'E']) else { return false };
    let power = power.strip_prefix('+').unwrap_or(power);
    let digit = |b: u8| b.is_ascii_digit();
    digits.len() >= 3
        && digits.contains('.')
        && digits.bytes().all(|b| digit(b) || b == b'.')
        && matches!(power.len(), 1..=3)
        && power.bytes().all(digit)
}

/// Faults of credit codes and project codes have numbers of their own, whoever finds them.
#[cold]
fn note(field: &str) -> Note {
    let code = match field {
        field if field.ends_with("uscc") => "V04",
        field if field.ends_with("project_code") => "V02",
        _ => "code-destroyed",
    };
    let text = Words::new(
        "是被表格软件当作数字破坏的代码，末几位已丢失，无法恢复；请把该列设为文本后重新填写完整代码",
        "is a code that a spreadsheet took for a number: its last digits are lost; format the column as text and write the whole code",
    );
    Note { severity: Severity::Error, code, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fault_has_the_number_that_its_kind_of_code_has_elsewhere() {
        for (field, code) in [("owner_uscc", "V04"), ("project_code", "V02"), ("filing_no", "code-destroyed")]
        {
            assert_eq!(destroyed("9.14403E+17", field).map(|note| note.code), Some(code));
        }
    }

    #[test]
    fn the_mark_of_a_failed_formula_is_no_text() {
        assert!(failed("#REF!").is_some() && failed("#N/A").is_some());
        assert!(failed("#1厂房").is_none() && failed("REF!").is_none() && failed("").is_none());
    }

    #[test]
    fn codes_without_their_last_digits_are_told_and_others_left_alone() {
        for text in [
            "9.14403E+17",
            "9.14403123456789e+17",
            "9.14403001234567E+017",
            "1.23E17",
            "320412198001010000",
            "320412000000000000",
        ] {
            assert!(destroyed(text, "permit_no").is_some(), "{text}");
        }
        for text in [
            "91350100M000100Y43",
            "914403001234567800",
            "0012",
            "1E5",
            "2509-320193-89-01-544060",
            "",
            "3E",
            "12.5",
        ] {
            assert!(destroyed(text, "permit_no").is_none(), "{text}");
        }
    }
}
