//! Why two records were taken for one thing, or kept apart: field by field, in Chinese and English.

use super::compare::{DIFFERENT, Pattern};
use super::engine::Linker;
use super::features::{Compare, Slot};
use super::normalise::marks::Class;

/// One line of an explanation.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The field's name.
    pub field: String,
    /// What was found, in Chinese.
    pub zh: &'static str,
    /// What was found, in English.
    pub en: &'static str,
    /// What it weighs, in bits.
    pub bits: f32,
    /// Whether it counts; of a group only the strongest for and against do.
    pub counts: bool,
    /// Whether it alone keeps the two apart.
    pub veto: bool,
}

/// The lines of a pair, strongest first.
pub fn lines(linker: &Linker, pattern: Pattern) -> Vec<Line> {
    let line = |(slot, bits, counts): (usize, f32, bool)| {
        let Slot { field, compare, .. } = linker.slots()[slot];
        let field = linker.config().fields[field].field.clone();
        line(field, compare, pattern.level(slot), bits, counts)
    };
    let mut lines: Vec<Line> = weights(linker, pattern).into_iter().map(line).collect();
    sort(&mut lines);
    lines
}

/// What each slot that says something weighs, and whether it counts; of a group only the strongest for and against do.
pub fn weights(linker: &Linker, pattern: Pattern) -> Vec<(usize, f32, bool)> {
    let (slots, model) = (linker.slots(), linker.model());
    let weight = |at: usize| model.weights[at][pattern.level(at)];
    let said = slots.iter().enumerate().filter(|(at, _)| pattern.level(*at) > 0);
    said.map(|(at, slot)| {
        let bits = weight(at);
        let stronger = |other: usize| {
            let bits_there = weight(other);
            slots[other].group == slot.group
                && (bits_there > 0.0) == (bits > 0.0)
                && (bits_there.abs() > bits.abs() || bits_there.abs() == bits.abs() && other < at)
        };
        let counts = slot.group.is_none() || !(0..slots.len()).any(|other| other != at && stronger(other));
        (at, bits, counts)
    })
    .collect()
}

/// An explanation as one text in each language.
pub fn text(linker: &Linker, pattern: Pattern, total: f32) -> (String, String) {
    let lines = lines(linker, pattern);
    let one = |line: &Line, what: &str, not: &str, veto: &str| match (line.veto, line.counts) {
        (true, _) => format!("{} {what} ({veto})", line.field),
        (_, false) => format!("{} {what} ({not})", line.field),
        _ => format!("{} {what} {:+.1}", line.field, line.bits),
    };
    let zh: Vec<String> = lines.iter().map(|line| one(line, line.zh, "同组，不重复计", "不得合并")).collect();
    let en: Vec<String> =
        lines.iter().map(|line| one(line, line.en, "same story, not counted twice", "keeps apart")).collect();
    let prior = linker.model().prior;
    let merge = linker.config().merge();
    (
        format!("合计 {total:+.1}（合并线 {merge:+.1}，基准 {prior:+.1}）：{}", zh.join("；")),
        format!("sum {total:+.1} (merge at {merge:+.1}, prior {prior:+.1}): {}", en.join("; ")),
    )
}

/// The line of one level, as [`lines`] gives it.
pub fn line(field: String, compare: Compare, level: usize, bits: f32, counts: bool) -> Line {
    let (zh, en) = words(compare, level);
    let veto = matches!(compare, Compare::Marks(_)) && level == DIFFERENT;
    Line { field, zh, en, bits, counts, veto }
}

/// The strongest first; what keeps two apart before all else.
pub fn sort(lines: &mut [Line]) {
    lines.sort_by(|a, b| b.veto.cmp(&a.veto).then(b.bits.abs().total_cmp(&a.bits.abs())));
}

/// A level in words.
fn words(compare: Compare, level: usize) -> (&'static str, &'static str) {
    match compare {
        Compare::Text | Compare::Description => match level {
            1 => ("相同", "equal"),
            2 => ("仅差一字", "one edit apart"),
            3 => ("很相近", "much alike"),
            4 => ("一个包含另一个", "one contains the other"),
            5 => ("较相近", "rather alike"),
            6 => ("部分相近", "partly alike"),
            7 => ("略有相近", "a little alike"),
            _ => ("不同", "different"),
        },
        Compare::Company => match level {
            1 => ("全称相同", "full name equal"),
            2 => ("去地区和组织形式后相同", "equal but for region and legal form"),
            3 => ("仅差一字", "one edit apart"),
            4 => ("简称包含于全称", "short name contained in full name"),
            5 => ("较相近", "rather alike"),
            6 => ("部分相近", "partly alike"),
            7 => ("略有相近", "a little alike"),
            _ => ("不同", "different"),
        },
        Compare::Identifier => match level {
            1 => ("相同", "equal"),
            2 => ("仅差一位", "one character apart"),
            3 => ("一个被截断", "one cut off"),
            _ => ("不同", "different"),
        },
        Compare::Money => match level {
            1 => ("相同", "equal"),
            2 => ("相差 2% 以内", "within 2 %"),
            3 => ("相差 15% 以内", "within 15 %"),
            4 => ("恰差一万倍，疑为单位不同", "apart by 10 000: a slip of the unit"),
            5 => ("相差 50% 以内", "within 50 %"),
            _ => ("相差较大", "far apart"),
        },
        Compare::Date => match level {
            1 => ("相同", "equal"),
            2 => ("相差两天以内", "within two days"),
            3 => ("相差一个月以内，或仅差一位数字", "within a month, or one digit apart"),
            4 => ("相差一年以内", "within a year"),
            _ => ("相差一年以上", "more than a year apart"),
        },
        Compare::Place => match level {
            1 => ("路名和门牌相同", "same road and number"),
            2 => ("门牌相同，路名差一字", "same number, road one edit apart"),
            3 => ("路名相同，一方无门牌", "same road, one without a number"),
            4 => ("路名相同，门牌不同", "same road, other number"),
            5 => ("描述相近", "described alike"),
            6 => ("同区县，路名不同", "same district, other road"),
            7 => ("路名不同", "other road"),
            _ => ("区县不同", "other district"),
        },
        Compare::Marks(class) => marks(class, level),
        Compare::Action => match level {
            1 => ("建设性质相同", "same kind of work"),
            2 => ("仅一方写明建设性质", "kind of work stated on one side only"),
            _ => ("建设性质不同", "other kind of work"),
        },
        Compare::Numbers => match level {
            1 => ("数字相同", "same numbers"),
            2 | 3 => ("部分数字相同", "some numbers equal"),
            4 => ("仅一方有数字", "numbers on one side only"),
            _ => ("数字不同", "other numbers"),
        },
    }
}

fn marks(class: Class, level: usize) -> (&'static str, &'static str) {
    let pick = |same, one, other| match level {
        1 => same,
        2 => one,
        _ => other,
    };
    match class {
        Class::Phase => pick(
            ("期次相同", "same phase"),
            ("仅一方写明期次", "phase stated on one side only"),
            ("期次不同", "other phase"),
        ),
        Class::Lot => pick(
            ("标段相同", "same lot"),
            ("仅一方写明标段", "lot stated on one side only"),
            ("标段不同", "other lot"),
        ),
        Class::Quantity => pick(
            ("规模相同", "same quantity"),
            ("仅一方写明规模", "quantity stated on one side only"),
            ("规模不同", "other quantity"),
        ),
        Class::Serial | Class::Action => pick(
            ("编号相同", "same number"),
            ("仅一方写明编号", "number stated on one side only"),
            ("编号不同", "other number"),
        ),
    }
}
