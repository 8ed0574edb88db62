//! Lists of materials as people write them, and whether one of them is what is wanted.

use unicode_normalization::UnicodeNormalization;

/// Splits at `、 , ， ; ；` and line breaks, but not inside brackets: 现场照片（地点、时间）is one.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    let parts = text.split(move |c: char| {
        match c {
            '(' | '（' | '[' | '【' => depth += 1,
            ')' | '）' | ']' | '】' => depth = (depth - 1).max(0),
            // A bracket that is never closed ends with its line.
            '\n' | '\r' => depth = 0,
            _ => {}
        }
        depth == 0 && matches!(c, '、' | ',' | '，' | ';' | '；' | '\n' | '\r')
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// The comparable form of a material: half width, without blanks, without the ending of a file name
/// (`.pdf`) and without remarks in brackets at the end.
pub(crate) fn plain(text: &str) -> String {
    let mut plain: String = text.nfkc().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    if let Some((stem, ending)) = plain.rsplit_once('.')
        && (1..=5).contains(&ending.len())
        && ending.chars().all(|c| c.is_ascii_alphanumeric())
        && !stem.is_empty()
    {
        plain.truncate(stem.len());
    }
    while let Some(at) = plain.strip_suffix(')').and_then(|rest| rest.rfind('(')).filter(|&at| at > 0) {
        plain.truncate(at);
    }
    plain
}

/// A material that a node wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// As written in the options, with 或 between alternatives.
    pub(crate) title: String,
    /// The comparable forms, any of which will do.
    forms: Vec<String>,
}

impl Wanted {
    /// From `施工许可证` or, with alternatives, `施工许可证|分阶段许可`; `None` if there is no name in it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let names: Vec<&str> = text.split('|').map(str::trim).filter(|name| !name.is_empty()).collect();
        let forms = names.iter().map(|name| plain(name)).collect();
        (!names.is_empty()).then(|| Self { title: names.join("或"), forms })
    }

    /// Whether it is among materials in comparable form.
    pub(crate) fn is_among(&self, given: &[String]) -> bool {
        self.forms.iter().any(|form| given.contains(form))
    }

    /// Whether both want the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.forms == other.forms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_at_its_marks_but_not_inside_brackets() {
        for (text, parts) in [
            ("施工许可证、施工合同，现场照片", vec!["施工许可证", "施工合同", "现场照片"]),
            ("a; b；c\nd\r\ne,,", vec!["a", "b", "c", "d", "e"]),
            ("现场照片（地点、时间）、合同", vec!["现场照片（地点、时间）", "合同"]),
            ("照片（地点、合同\n许可", vec!["照片（地点、合同", "许可"]),
            (" 、 ", vec![]),
        ] {
            assert_eq!(split(text).collect::<Vec<_>>(), parts, "{text}");
        }
    }

    #[test]
    fn a_material_is_found_however_the_file_was_named() {
        let wanted = Wanted::parse("施工许可证|分阶段许可").unwrap();
        for (given, found) in [
            ("施工许可证", true),
            ("施工 许可证（扫描件）.PDF", true),
            ("分阶段许可.jpg", true),
            ("施工许可证申请表", false),
            ("", false),
        ] {
            assert_eq!(wanted.is_among(&[plain(given)]), found, "{given}");
        }
        assert_eq!(wanted.title, "施工许可证或分阶段许可");
        assert_eq!(Wanted::parse(" | "), None);
    }
}
