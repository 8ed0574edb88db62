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

/// What stands behind a paper's name and says how it was made, not what it is.
const COPIES: [&str; 14] = [
    "扫描件",
    "复印件",
    "影印件",
    "电子版",
    "盖章版",
    "盖章件",
    "签字版",
    "原件",
    "正本",
    "副本",
    "扫描",
    "盖章",
    "最终版",
    "定稿",
];
/// What says of a paper that it is not there.
const NEGATIONS: [&str; 9] = ["无", "未", "没", "缺", "补", "待", "欠", "免", "不"];
/// What may stand between such a word and the paper.
const BETWEEN: [&str; 22] = [
    "办理", "取得", "提供", "提交", "上传", "领取", "签订", "签署", "通过", "完成", "拍摄", "办", "交", "少",
    "有", "领", "签", "拍", "充", "附", "的", "及时",
];
/// What makes another paper of one: it has to be asked for by this name.
const OTHERS: [&str; 1] = ["分阶段"];

/// Whether a file's name, in comparable form, is that of a paper: people put the project before it
/// (横山桥大桥施工许可证) and numbers, days and remarks behind it (现场照片20260825, 施工合同扫描件).
fn is_called(name: &str, paper: &str) -> bool {
    let mut rest = name;
    loop {
        if let Some(before) = rest.strip_suffix(paper)
            && !paper.is_empty()
        {
            return names_the_same(before);
        }
        match without_remark(rest) {
            Some(shorter) => rest = shorter,
            None => return false,
        }
    }
}

/// Whether what stands before a paper's name leaves it that paper, and there. Only right before the name: 无锡 and 未来 are
/// parts of projects' names.
fn names_the_same(before: &str) -> bool {
    let is_mark = |c: char| !c.is_alphanumeric();
    let mut rest = before.trim_end_matches(is_mark);
    if OTHERS.iter().any(|other| rest.ends_with(other)) {
        return false;
    }
    loop {
        if NEGATIONS.iter().any(|word| rest.ends_with(word)) {
            return false;
        }
        match BETWEEN.iter().find_map(|word| rest.strip_suffix(word)) {
            Some(shorter) => rest = shorter.trim_end_matches(is_mark),
            None => return true,
        }
    }
}

/// A name without the last of what may stand behind a paper's; `None` if nothing of the kind does.
fn without_remark(name: &str) -> Option<&str> {
    for (open, close) in [('(', ')'), ('[', ']'), ('【', '】'), ('〔', '〕')] {
        if let Some(at) = name.strip_suffix(close).and_then(|inner| inner.rfind(open)) {
            return name.get(..at);
        }
    }
    if let Some(shorter) = COPIES.iter().find_map(|word| name.strip_suffix(word)) {
        return Some(shorter);
    }
    // A number, or the parts of a day: 3, 之三, 2026年8月25日, -2026.08.25.
    let counts =
        |c: char| c.is_numeric() || "年月日号第之页张份".contains(c) || "一二三四五六七八九十".contains(c);
    let (at, last) = name.char_indices().next_back()?;
    (counts(last) || !last.is_alphanumeric()).then(|| name.get(..at)).flatten()
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
        self.forms.iter().any(|form| given.contains(form) || given.iter().any(|name| is_called(name, form)))
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

    #[test]
    fn a_paper_is_found_under_the_names_that_files_really_have() {
        for (paper, given) in [
            ("现场照片", "现场照片1.jpg"),
            ("现场照片", "现场照片20260825.jpg"),
            ("现场照片", "现场照片 2026-08-25 (2).jpg"),
            ("现场照片", "2026年8月25日现场照片之三.jpg"),
            ("现场照片", "现场照片2026年8月25日.jpg"),
            ("施工许可证", "横山桥大桥施工许可证.pdf"),
            ("施工许可证", "无锡路未来大厦_施工许可证(扫描件)2.pdf"),
            ("施工许可证", "1.施工许可证.pdf"),
            ("施工合同", "施工合同（扫描件）.pdf"),
            ("施工合同", "施工合同扫描件.pdf"),
            ("施工合同", "施工合同【盖章版】复印件-1.pdf"),
            ("施工合同", "施工合同原件"),
            ("分阶段施工许可证", "大桥分阶段施工许可证.pdf"),
        ] {
            assert!(Wanted::parse(paper).unwrap().is_among(&[plain(given)]), "{paper}: {given}");
        }
        for (paper, given) in [
            ("施工许可证", "无施工许可证"),
            ("施工许可证", "未办理施工许可证.pdf"),
            ("施工许可证", "大桥尚未取得施工许可证.pdf"),
            ("施工许可证", "没有施工许可证"),
            ("施工许可证", "缺施工许可证"),
            ("施工许可证", "缺少：施工许可证1"),
            ("施工许可证", "待补施工许可证扫描件.pdf"),
            ("施工许可证", "补施工许可证"),
            ("施工许可证", "施工许可证申请表.pdf"),
            ("施工许可证", "施工许可证办理说明2.pdf"),
            ("施工许可证", "分阶段施工许可证.pdf"),
            ("施工许可证", "大桥分阶段施工许可证.pdf"),
            ("现场照片", "照片1.jpg"),
            ("现场照片", "20260825.jpg"),
            ("现场照片", ""),
        ] {
            assert!(!Wanted::parse(paper).unwrap().is_among(&[plain(given)]), "{paper}: {given}");
        }
    }

    #[test]
    fn what_is_called_exactly_so_is_always_found() {
        let parts =
            ["无", "补", "分阶段", "施工许可证", "扫描件", "2026年", "(1)", "【】", "大桥", "-", "a.b", " "];
        for first in parts {
            for second in parts {
                for third in parts {
                    let name = format!("{first}{second}{third}");
                    let given = [plain(&name)];
                    let Some(wanted) = Wanted::parse(&name) else { continue };
                    assert!(wanted.is_among(&given), "{name}");
                }
            }
        }
    }
}
