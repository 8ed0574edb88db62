//! Names made comparable, and the words in them that keep two things apart.
//!
//! A name's comparable form drops what offices add or leave out at will (blanks, brackets, 项目, 工程).
//! It keeps what tells one phase, section or line from another. Nothing here knows companies, places or
//! units of measure: likeness of names is another matter.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

const BRACKETS: &str = "()[]{}<>《》〈〉【】〖〗「」『』〔〕“”‘’\"'";
const ENDINGS: [&str; 6] = ["重新报批", "建设项目", "建设工程", "项目", "工程", "建设"];

/// Half width, lower case, without blanks and bracket characters (what stands inside them stays).
fn plain(text: &str, out: &mut String) {
    let kept = text.nfkc().flat_map(char::to_lowercase);
    let kept = kept.filter(|c| !c.is_whitespace() && !c.is_control() && !BRACKETS.contains(*c));
    out.extend(kept.map(|c| if matches!(c, '–' | '—' | '―' | '−') { '-' } else { c }));
}

/// Appends the comparable form of a name. `XX项目（一期）` and `XX 一期建设项目` have the same.
pub(crate) fn name(text: &str, out: &mut String) {
    let start = out.len();
    plain(text, out);
    let mut phases: Vec<String> = Vec::new();
    loop {
        let whole = &out[start..];
        let phase_at = whole.strip_suffix('期').and_then(|head| {
            let number = phase_number(head)?;
            let head = &head[..head.len() - number.len()];
            Some((head.strip_suffix('第').unwrap_or(head).len(), canonical(number)))
        });
        if let Some((at, number)) = phase_at.filter(|&(at, _)| at > 0) {
            out.truncate(start + at);
            phases.push(number);
        } else if let Some(head) =
            ENDINGS.iter().find_map(|e| whole.strip_suffix(e)).filter(|h| !h.is_empty())
        {
            let keep = start + head.len();
            out.truncate(keep);
        } else {
            break;
        }
    }
    for number in phases.iter().rev() {
        out.push_str(number);
        out.push('期');
    }
}

/// Appends letters and digits only, upper case, half width.
pub(crate) fn code(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.extend(text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()));
    } else {
        out.extend(text.nfkc().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()));
    }
}

/// The digits at the end of a text, Arabic or Chinese; often empty.
fn digits_at_end(text: &str) -> &str {
    let is_digit = |c: char| c.is_ascii_digit() || "零〇一二三四五六七八九十两".contains(c);
    &text[text.trim_end_matches(is_digit).len()..]
}

/// The Latin letters at the end of a text; often empty.
fn letters_at_end(text: &str) -> &str {
    &text[text.trim_end_matches(|c: char| c.is_ascii_lowercase()).len()..]
}

/// The number before 期: digits, or a Roman number that is not the end of a word (`dvi期`).
fn phase_number(head: &str) -> Option<&str> {
    let (digits, letters) = (digits_at_end(head), letters_at_end(head));
    if digits.is_empty() { roman(letters).map(|_| letters) } else { Some(digits) }
}

/// The number before 线 or 标: digits, also with letters before them (`s1`), or one letter.
fn label(head: &str) -> Option<&str> {
    let digits = digits_at_end(head).len();
    let letters = letters_at_end(&head[..head.len() - digits]).len();
    (digits > 0 || letters == 1).then(|| &head[head.len() - digits - letters..])
}

/// `一`, `1`, `01` and `i` all as `1`; what is no number stays as it is.
fn canonical(number: &str) -> String {
    if number.chars().all(|c| c.is_ascii_digit()) {
        let short = number.trim_start_matches('0');
        return if short.is_empty() { "0".to_owned() } else { short.to_owned() };
    }
    let value = roman(number).or_else(|| chinese(number));
    value.map_or_else(|| number.to_owned(), |value| value.to_string())
}

fn roman(text: &str) -> Option<u32> {
    const ROMAN: [&str; 12] = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"];
    (1..).zip(ROMAN).find(|(_, word)| *word == text).map(|(value, _)| value)
}

/// Chinese numerals below one hundred.
fn chinese(text: &str) -> Option<u32> {
    let digit = |c: char| match c {
        '两' => Some(2),
        '〇' => Some(0),
        _ => "零一二三四五六七八九".chars().position(|d| d == c).map(|d| d as u32),
    };
    let single = |part: &str| {
        let mut chars = part.chars();
        digit(chars.next()?).filter(|_| chars.next().is_none())
    };
    match text.split_once('十') {
        None => single(text),
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { single(tens)? };
            let ones = if ones.is_empty() { 0 } else { single(ones)? };
            Some(tens * 10 + ones)
        }
    }
}

/// The words in a name that tell one phase, section, line or road from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    phases: BTreeSet<String>,
    sections: BTreeSet<String>,
    lines: BTreeSet<String>,
    roads: BTreeSet<String>,
    works: BTreeSet<String>,
}

impl Marks {
    /// Extracts them from a text.
    pub(crate) fn of(text: &str) -> Self {
        let mut plain_text = String::with_capacity(text.len());
        plain(text, &mut plain_text);
        let text = plain_text.as_str();
        let mut marks = Self::default();
        for (at, c) in text.char_indices() {
            let (head, tail) = text.split_at(at);
            let road = || tail[c.len_utf8()..].starts_with('道');
            match c {
                '期' => marks.phases.extend(phase_number(head).map(canonical)),
                '标' => {
                    let after = tail.strip_prefix("标段").and_then(number_at_start);
                    marks.sections.extend(label(head).or(after).map(canonical));
                }
                '线' => {
                    // 一线 is the front line; 一号线 is a line.
                    let (named, head) = head.strip_suffix('号').map_or((false, head), |head| (true, head));
                    marks.lines.extend(label(head).filter(|l| named || l.is_ascii()).map(canonical));
                }
                '国' | '省' | '县' | '乡' if road() => {
                    let number = Some(digits_at_end(head)).filter(|digits| !digits.is_empty());
                    marks.roads.extend(number.map(|number| format!("{c}{}", canonical(number))));
                }
                '扩' | '续' if tail[c.len_utf8()..].starts_with('建') => {
                    marks.works.insert(c.to_string());
                }
                _ => {}
            }
        }
        marks
    }

    /// Whether the two speak of different things: a mark of one kind that both have and that differs, or an
    /// extension (扩建, 续建) that only one has.
    pub(crate) fn differ(&self, other: &Self) -> bool {
        let clash = |a: &BTreeSet<String>, b: &BTreeSet<String>| !a.is_empty() && !b.is_empty() && a != b;
        clash(&self.phases, &other.phases)
            || clash(&self.sections, &other.sections)
            || clash(&self.lines, &other.lines)
            || clash(&self.roads, &other.roads)
            || self.works != other.works
    }
}

fn number_at_start(text: &str) -> Option<&str> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (digits > 0).then(|| &text[..digits])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_names_form_drops_what_offices_add_at_will_and_keeps_what_tells_apart() {
        let form = |text| {
            let mut out = String::new();
            name(text, &mut out);
            out
        };
        for (a, b, same) in [
            ("格力电器杭州智能电器产业园", "格力电器杭州智能电器产业园项目", true),
            ("海晨物流 建设项目", "海晨物流（重新报批）", true),
            ("海晨物流项目（一期）", "海晨物流一期建设项目", true),
            ("海晨物流项目(Ⅰ期)", "海晨物流第1期工程", true),
            ("海晨物流一期", "海晨物流二期", false),
            ("海晨物流", "海晨物流一期", false),
            ("年产30万吨材料", "年产60万吨材料", false),
            ("ＡＢＣ芯片项目", "abc 芯片", true),
            ("dvi二期", "dv二期", false),
        ] {
            assert_eq!(form(a) == form(b), same, "{a} {b}: {} {}", form(a), form(b));
        }
        // A name that is nothing but an ending stays.
        assert_eq!(form("项目"), "项目");
        assert_eq!(form("一期"), "一期");
    }

    #[test]
    fn marks_keep_phases_sections_and_lines_apart() {
        for (a, b, differ) in [
            ("江松科技光伏自动化设备二期", "江松科技光伏自动化设备一期", true),
            ("玉柴工程机械二期", "玉柴工程机械一期续建", true),
            ("温州市域铁路S1线一期工程", "市域铁路S2线一期工程", true),
            ("104国道杭州河庄至衙前段工程", "320国道杭州博陆至仁和段工程", true),
            ("和辉光电生产线", "和辉光电生产线扩建", true),
            ("常泰大桥A标段", "常泰大桥 B 标段", true),
            ("常泰大桥标段1", "常泰大桥一标段", false),
            ("上海光源二期", "上海光源Ⅱ期（线站工程）", false),
            ("上海光源", "上海光源二期", false), // One side says nothing.
            ("地铁十二号线", "地铁12号线", false),
        ] {
            assert_eq!(Marks::of(a).differ(&Marks::of(b)), differ, "{a} {b}");
            assert_eq!(Marks::of(b).differ(&Marks::of(a)), differ, "{b} {a}");
        }
    }

    #[test]
    fn a_code_is_its_letters_and_digits() {
        for (text, expected) in [
            ("2509-320193-89-01-544060", "25093201938901544060"),
            (" ２５０９—320193－89–01 544060 ", "25093201938901544060"),
            ("91350100m000100y43", "91350100M000100Y43"),
            ("暂无", ""),
        ] {
            let mut out = String::new();
            code(text, &mut out);
            assert_eq!(out, expected);
        }
    }
}
