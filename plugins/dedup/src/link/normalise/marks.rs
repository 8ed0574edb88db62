//! What keeps two things with like names apart: phases, lots, quantities, numbers of lines and roads.
//!
//! A mark is a class, what it counts (吨, 期, 号线) and a value. Marks of a name are cut out of it, so that
//! `年产30万吨聚丙烯项目一期` and `年产300000吨聚丙烯项目(Ⅰ期)` differ in nothing. Units are brought to one
//! base: 150兆瓦 is 150MW. A number before a word nobody listed is a quantity of that word.

use super::numbers::{numbers, numeral, roman};
use super::text::{hash, is_han};

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// 一期, phase 2.
    Phase,
    /// 二标段, lot 3.
    Lot,
    /// 30万吨, 100MW.
    Quantity,
    /// 1号线, 104国道, 第三中学.
    Serial,
    /// 扩建, 续建, 迁建.
    Action,
}

/// One discriminating statement in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// What it says.
    pub class: Class,
    /// What is counted, hashed.
    pub of: u32,
    /// The value, hashed.
    pub value: u32,
}

/// Units, and how many of the base unit each is.
const UNITS: [(&str, &str, f64); 44] = [
    ("兆瓦时", "wh", 1e6),
    ("千瓦时", "wh", 1e3),
    ("mwh", "wh", 1e6),
    ("kwh", "wh", 1e3),
    ("gwh", "wh", 1e9),
    ("兆瓦", "w", 1e6),
    ("千瓦", "w", 1e3),
    ("吉瓦", "w", 1e9),
    ("mwp", "w", 1e6),
    ("kwp", "w", 1e3),
    ("mw", "w", 1e6),
    ("kw", "w", 1e3),
    ("gw", "w", 1e9),
    ("千伏", "v", 1e3),
    ("kv", "v", 1e3),
    ("平方公里", "m2", 1e6),
    ("平方千米", "m2", 1e6),
    ("平方米", "m2", 1.0),
    ("平米", "m2", 1.0),
    ("m2", "m2", 1.0),
    ("公顷", "m2", 1e4),
    ("立方米", "m3", 1.0),
    ("立方", "m3", 1.0),
    ("m3", "m3", 1.0),
    ("公里", "m", 1e3),
    ("千米", "m", 1e3),
    ("km", "m", 1e3),
    ("毫米", "m", 1e-3),
    ("mm", "m", 1e-3),
    ("纳米", "m", 1e-9),
    ("nm", "m", 1e-9),
    ("厘米", "m", 1e-2),
    ("cm", "m", 1e-2),
    ("米", "m", 1.0),
    ("m", "m", 1.0),
    ("千克", "t", 1e-3),
    ("公斤", "t", 1e-3),
    ("kg", "t", 1e-3),
    ("吨", "t", 1.0),
    ("t", "t", 1.0),
    ("英寸", "inch", 1.0),
    ("寸", "inch", 1.0),
    ("inch", "inch", 1.0),
    ("亩", "mu", 1.0),
];

/// What follows a number that says a phase, with what must not follow then.
const PHASES: [(&str, &str); 1] = [("期", "间限货末初内权刊")];
const LOTS: [(&str, &str); 6] = [
    ("号标段", ""),
    ("标段", ""),
    ("合同段", ""),
    ("标包", ""),
    ("标", "准志识杆的本注题"),
    ("包", "装括含"),
];
const SERIALS: [&str; 9] = ["号线", "国道", "省道", "县道", "号楼", "号地块", "地块", "号路", "号"];
const ACTIONS: [(&str, &str); 9] = [
    ("改扩建", "改扩"),
    ("扩建", "扩"),
    ("扩充", "扩"),
    ("扩能", "扩"),
    ("扩产", "扩"),
    ("续建", "续"),
    ("迁建", "迁"),
    ("提标", "提"),
    ("改建", "改"),
];

fn starts(text: &[char], with: &str) -> bool {
    let mut at = text.iter();
    with.chars().all(|c| at.next() == Some(&c))
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn short(text: &[char]) -> u32 {
    hash(text) as u32
}

fn short_of(text: &str) -> u32 {
    xxhash_rust::xxh3::xxh3_64(text.as_bytes()) as u32
}

/// A number hashed so that 30 and 30.0 are one.
fn short_number(value: f64) -> u32 {
    // Seven digits, so that 0.1 × 1000 and 100 are one.
    short_of(&format!("{value:.6e}"))
}

/// Finds the marks of a folded name and leaves in `rest` what is not one.
pub fn cut(folded: &[char], marks: &mut Vec<Mark>, rest: &mut Vec<char>) {
    marks.clear();
    rest.clear();
    let mut at = 0;
    while at < folded.len() {
        match mark(folded, at, marks) {
            Some(next) => {
                // `(一期)` leaves no empty brackets, `-一期` no dash.
                let closed = folded.get(next) == Some(&')');
                if closed && rest.last() == Some(&'(') {
                    rest.pop();
                    at = next + 1;
                } else {
                    // `(Ⅰ)期` closed its brackets itself.
                    if folded[at..next].contains(&')') && rest.last() == Some(&'(') {
                        rest.pop();
                    }
                    at = next;
                }
                if rest.last() == Some(&'-') {
                    rest.pop();
                }
            }
            None => {
                rest.push(folded[at]);
                at += 1;
            }
        }
    }
    for (word, says) in ACTIONS {
        if marks.iter().all(|mark| mark.class != Class::Action)
            && rest.windows(length(word)).any(|window| starts(window, word))
        {
            marks.push(Mark { class: Class::Action, of: 0, value: short_of(says) });
        }
    }
    marks.sort_unstable();
    marks.dedup();
}

/// The mark that begins at `at`, if any, and where it ends.
fn mark(text: &[char], at: usize, marks: &mut Vec<Mark>) -> Option<usize> {
    let before = at.checked_sub(1).map(|at| text[at]);
    let here = text[at];
    if here.is_ascii_alphabetic() && !before.is_some_and(|c| c.is_ascii_alphanumeric()) {
        if let Some(end) = latin(text, at, marks) {
            return Some(end);
        }
        return roman(text, at).and_then(|(value, end)| counted(text, end, &[value], marks));
    }
    if here == '第' {
        let (values, end) = numbers(text, at + 1)?;
        return counted(text, end, &values, marks).or_else(|| {
            let noun = text[end..].iter().take(2).take_while(|c| is_han(**c)).count();
            let of = short(&text[end..end + noun]);
            marks.extend(values.iter().map(|v| Mark { class: Class::Serial, of, value: short_number(*v) }));
            (noun > 0).then_some(end)
        });
    }
    if before.is_some_and(|c| c.is_ascii_digit() || c == '.' && at > 1 && text[at - 2].is_ascii_digit()) {
        return None;
    }
    if here.is_ascii_digit() || numeral(here).is_some() {
        let (values, end) = numbers(text, at)?;
        if let Some(end) = counted(text, end, &values, marks) {
            return Some(end);
        }
        return here.is_ascii_digit().then(|| quantity(text, end, *values.last()?, marks)).flatten();
    }
    None
}

/// `phase 2`, `lot iii`, `g312`, `sn1`.
fn latin(text: &[char], at: usize, marks: &mut Vec<Mark>) -> Option<usize> {
    let letters = text[at..].iter().take_while(|c| c.is_ascii_alphabetic()).count();
    let word: String = text[at..at + letters].iter().collect();
    let class = match word.as_str() {
        "phase" | "stage" => Class::Phase,
        "lot" | "section" | "package" => Class::Lot,
        _ => Class::Serial,
    };
    let mut end = at + letters;
    if class != Class::Serial {
        end += text[end..].iter().take_while(|c| matches!(c, ' ' | '.' | '-' | '#')).count();
        let (value, end) = roman(text, end).or_else(|| {
            let (values, end) = numbers(text, end)?;
            Some((*values.last()?, end))
        })?;
        marks.push(Mark { class, of: 0, value: short_number(value) });
        return Some(end);
    }
    let digits = text[end..].iter().take_while(|c| c.is_ascii_digit()).count();
    if letters > 3 || digits == 0 || digits > 4 {
        return None;
    }
    let value = short(&text[end..end + digits]);
    marks.push(Mark { class, of: short(&text[at..at + letters]), value });
    end += digits;
    Some(end + usize::from(text.get(end) == Some(&'线')))
}

/// A phase, lot or serial whose numbers end at `end`.
fn counted(text: &[char], end: usize, values: &[f64], marks: &mut Vec<Mark>) -> Option<usize> {
    let mut after = end;
    // `(Ⅰ)期`, `1 期`.
    after += text[after..].iter().take_while(|c| matches!(c, ')' | ' ' | '#')).take(2).count();
    let tail = &text[after.min(text.len())..];
    let says = |class: Class, words: &[(&str, &str)]| {
        let (word, _) = words.iter().find(|(word, unless)| {
            starts(tail, word) && !tail.get(length(word)).is_some_and(|c| unless.contains(*c))
        })?;
        Some((class, 0, length(word)))
    };
    let serial = || {
        let word = SERIALS.iter().find(|word| starts(tail, word))?;
        Some((Class::Serial, short_of(word), length(word)))
    };
    let (class, of, took) =
        says(Class::Phase, &PHASES).or_else(|| says(Class::Lot, &LOTS)).or_else(serial)?;
    marks.extend(values.iter().map(|value| Mark { class, of, value: short_number(*value) }));
    Some(after + took)
}

/// A number with its unit; years and months are no quantity.
fn quantity(text: &[char], end: usize, value: f64, marks: &mut Vec<Mark>) -> Option<usize> {
    let mut after = end + usize::from(text.get(end) == Some(&' '));
    let mut value = value;
    while let Some(times) = text.get(after).and_then(|c| match c {
        '百' => Some(1e2),
        '千' if !matches!(text.get(after + 1), Some('瓦' | '伏' | '米' | '克')) => Some(1e3),
        '万' => Some(1e4),
        '亿' => Some(1e8),
        _ => None,
    }) {
        value *= times;
        after += 1;
    }
    let tail = &text[after..];
    let ends = |unit: &&(&str, &str, f64)| {
        starts(tail, unit.0)
            && (!unit.0.is_ascii() || !tail.get(unit.0.len()).is_some_and(|c| c.is_ascii_alphanumeric()))
    };
    if let Some((word, base, times)) = UNITS.iter().find(ends) {
        marks.push(Mark { class: Class::Quantity, of: short_of(base), value: short_number(value * times) });
        return Some(after + length(word));
    }
    let next = *tail.first()?;
    if !is_han(next) || matches!(next, '年' | '月' | '日' | '届' | '号' | '至') {
        return None;
    }
    marks.push(Mark { class: Class::Quantity, of: short(&[next]), value: short_number(value) });
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::super::text::fold;
    use super::*;

    fn cut_of(name: &str) -> (Vec<Mark>, String) {
        let (mut folded, mut marks, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        fold(name, &mut folded);
        cut(&folded, &mut marks, &mut rest);
        (marks, rest.into_iter().collect())
    }

    #[test]
    fn the_same_mark_written_differently_is_one() {
        let table = [
            ("光源(一期)", "光源Ⅰ期"),
            ("光源第一期", "光源1期"),
            ("光源(Ⅰ)期", "光源-一期"),
            ("plant phase 2", "plant stage ii"),
            ("厂房二标段", "厂房第二标"),
            ("年产30万吨树脂", "年产300000 吨树脂"),
            ("150兆瓦光伏", "150MW光伏"),
            ("５万套座椅", "50000套座椅"),
            ("一、二期工程", "1-2期工程"),
        ];
        for (a, b) in table {
            let ((marks_a, rest_a), (marks_b, rest_b)) = (cut_of(a), cut_of(b));
            assert_eq!(marks_a, marks_b, "{a} | {b}");
            assert!(!marks_a.is_empty(), "{a}");
            assert_eq!(rest_a, rest_b, "{a} | {b}");
        }
    }

    #[test]
    fn different_marks_stay_different() {
        let table = [
            ("光源一期", "光源二期"),
            ("光源一期", "光源一二期"),
            ("1号线", "2号线"),
            ("104国道杭州段", "320国道杭州段"),
            ("第一小学", "第二小学"),
            ("8万吨涂料", "8吨涂料"),
            ("市域铁路S1线", "市域铁路S2线"),
        ];
        for (a, b) in table {
            assert_ne!(cut_of(a).0, cut_of(b).0, "{a} | {b}");
        }
    }

    #[test]
    fn words_that_only_look_like_marks_are_none() {
        for name in ["十四五期间改造", "一标准厂房", "三中心一总部", "2023年度计划"] {
            let marks = cut_of(name).0;
            assert!(marks.is_empty(), "{name}: {marks:?}");
        }
    }
}
