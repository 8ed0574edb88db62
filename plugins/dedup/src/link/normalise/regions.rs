//! Provinces and cities at the head of names of companies, projects and addresses.

use std::sync::OnceLock;

use hashbrown::HashSet;

use super::text::hash;

const REGIONS: &str = include_str!("regions.txt");

/// What may stand after the short name of a province or city.
const TAILS: [&str; 8] =
    ["壮族自治区", "维吾尔自治区", "回族自治区", "回族自治州", "自治区", "自治州", "省", "市"];

fn known(text: &[char]) -> bool {
    static NAMES: OnceLock<HashSet<u64>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let lines = REGIONS.lines().filter(|line| !line.starts_with('#'));
        lines.flat_map(str::split_whitespace).map(|name| hash(&name.chars().collect::<Vec<_>>())).collect()
    });
    names.contains(&hash(text))
}

/// How many characters at the head are the name of one province or city, with its tail (省, 市).
fn head(text: &[char]) -> usize {
    // 兴安盟 and the like are three long; no listed name is longer than four.
    let Some(length) = (2..=4).rev().find(|length| text.get(..*length).is_some_and(known)) else { return 0 };
    let tail = TAILS.iter().find(|tail| {
        let mut rest = text[length..].iter();
        tail.chars().all(|c| rest.next() == Some(&c))
    });
    length + tail.map_or(0, |tail| tail.chars().count())
}

/// What is left without the provinces and cities at the head.
pub fn without(text: &[char]) -> &[char] {
    let mut rest = text;
    for _ in 0..2 {
        let took = head(rest);
        if took == 0 || rest.len() < took + 2 {
            break;
        }
        rest = &rest[took..];
    }
    rest
}

/// Whether the text is nothing but a province or city.
pub fn is_region(text: &[char]) -> bool {
    !text.is_empty() && head(text) == text.len()
}

/// How many characters at the head are the name of a county, a district, a small city or a town, by how it ends. They are
/// too many to be listed; what ends so and is none (城市, 社区, 超市 …) is left.
pub fn county(text: &[char]) -> usize {
    const KINDS: [(char, usize); 5] = [('县', 1), ('区', 2), ('市', 2), ('旗', 2), ('镇', 2)];
    const NONE: [[char; 2]; 12] = [
        ['城', '市'],
        ['都', '市'],
        ['超', '市'],
        ['夜', '市'],
        ['门', '市'],
        ['集', '市'],
        ['社', '区'],
        ['小', '区'],
        ['园', '区'],
        ['校', '区'],
        ['景', '区'],
        ['地', '区'],
    ];
    // Of a county that is called like a city only how it ends is left by now.
    if text.len() >= 4 && matches!(text[0], '县' | '区' | '旗') {
        return 1;
    }
    let ends = |at: &usize| {
        let kind = KINDS.iter().find(|(kind, _)| text.get(*at) == Some(kind));
        kind.is_some_and(|(kind, least)| at >= least && !NONE.contains(&[text[at - 1], *kind]))
    };
    match (1..=3).find(ends) {
        Some(at) if text.len() >= at + 4 => at + 1,
        _ => 0,
    }
}
