//! What the numbers of a text are, by the marks between them: `N年N月N日`, `N.N`, `N年第N季度`.
//!
//! Forms coarser than a day become their first day, and say so.

use huiliu_stage::Severity;

use super::calendar::{day, digits, year_of};
use crate::read::value::Parsed;
use crate::read::value::decimal::numeral;

/// Numbers of a text and its shape, each number an `N`.
fn cut(tidy: &str) -> Option<(Vec<(i64, usize)>, String)> {
    let (mut numbers, mut shape, mut rest) = (Vec::new(), String::new(), tidy);
    while let Some(c) = rest.chars().next() {
        let run = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if run > 0 {
            if run > 9 {
                return None;
            }
            numbers.push((digits(&rest.as_bytes()[..run])?, run));
            shape.push('N');
            rest = &rest[run..];
        } else if "〇零一二三四五六七八九十".contains(c) {
            let length =
                rest.len() - rest.trim_start_matches(|c| "〇零一二三四五六七八九十".contains(c)).len();
            let value = numeral(&rest[..length])?.value.integer()?;
            numbers.push((value, length / 3));
            shape.push('N');
            rest = &rest[length..];
        } else {
            shape.push(if matches!(c, '—' | '–' | '~' | '至' | '到') { '~' } else { c });
            rest = &rest[c.len_utf8()..];
        }
        if numbers.len() > 3 || shape.len() > 40 {
            return None;
        }
    }
    Some((numbers, shape))
}

pub(super) fn shaped(tidy: &str, today: i32) -> Option<Parsed<i32>> {
    let (numbers, shape) = cut(tidy)?;
    // A text without a number may be a part of a year, and nothing else.
    if numbers.is_empty() && !shape.contains('年') {
        return None;
    }
    let shape = coarse(&shape);
    let at = |i: usize| numbers.get(i).copied().unwrap_or_default();
    // 23年 is 2023; but a year without 年 must be written out.
    let short = |(n, width): (i64, usize)| if width == 2 { 2000 + n } else { n };
    let full = |(n, width): (i64, usize)| (width == 4).then_some(n);
    let here = year_of(today);
    let this_year = |day| this_year(day, here);
    match shape {
        "N年N月N日" | "N年N月N号" | "N年N月N" => {
            day(short(at(0)), at(1).0, at(2).0).map(Parsed::value)
        }
        "N-N-N" | "N/N/N" | "N.N.N" => day(full(at(0))?, at(1).0, at(2).0).map(Parsed::value),
        "N月N日" | "N月N号" => day(here, at(0).0, at(1).0).map(this_year),
        "N年N月" => day(short(at(0)), at(1).0, 1).map(month),
        "N-N" | "N/N" => day(full(at(0))?, at(1).0, 1).map(month),
        "N.N" if at(0).1 == 5 => serial(at(0).0),
        "N.N" => {
            let found = day(full(at(0))?, at(1).0, 1)?;
            Some(if at(1) == (1, 1) { january(found) } else { month(found) })
        }
        "N月" => day(here, at(0).0, 1).map(this_year),
        "N" => match at(0) {
            (n, 8) => day(n / 10_000, n / 100 % 100, n % 100).map(Parsed::value),
            (n, 6) => day(n / 100, n % 100, 1).map(month),
            (n, 5) => serial(n),
            (n @ 1900..=2199, 4) => day(n, 1, 1).map(|d| first(d, "年份", "year")),
            _ => None,
        },
        "N年" => day(short(at(0)), 1, 1).map(|d| first(d, "年份", "year")),
        "N年底" | "N年末" => day(short(at(0)), 12, 1).map(month),
        "N年初" => day(short(at(0)), 1, 1).map(month),
        "N上半年" | "N年上半年" => day(short(at(0)), 1, 1).map(|d| first(d, "半年", "half year")),
        "N下半年" | "N年下半年" => day(short(at(0)), 7, 1).map(|d| first(d, "半年", "half year")),
        "上半年" => day(here, 1, 1).map(this_year),
        "下半年" => day(here, 7, 1).map(this_year),
        "年底" | "年末" => day(here, 12, 1).map(this_year),
        "N年第N季度" | "N年N季度" | "NQN" | "NqN" | "N年QN" | "N年第N季" => {
            quarter(at(1).0).and_then(|m| day(short(at(0)), m, 1)).map(|d| first(d, "季度", "quarter"))
        }
        "N季度" | "第N季度" | "QN" => quarter(at(0).0).and_then(|m| day(here, m, 1)).map(this_year),
        _ => None,
    }
}

/// Leaves away words that only make a day, month or quarter vaguer.
fn coarse(shape: &str) -> &str {
    let mut shape = shape;
    for word in ["左右", "以前", "之前", "前后", "前"] {
        // 3年前 is three years ago.
        if let Some(rest) = shape.strip_suffix(word).filter(|rest| !rest.ends_with('年')) {
            shape = rest;
        }
    }
    for word in ["份", "上旬", "中旬", "下旬", "中", "底", "末", "初"] {
        if let Some(rest) = shape.strip_suffix(word)
            && (rest.ends_with('月') || rest.ends_with("月份") || rest.ends_with("季度"))
        {
            shape = rest.strip_suffix('份').unwrap_or(rest);
        }
    }
    match shape {
        "N年度" => "N年",
        "N年年底" | "N年年末" => "N年底",
        "N年年初" => "N年初",
        _ => shape,
    }
}

fn quarter(number: i64) -> Option<i64> {
    (1..=4).contains(&number).then(|| number * 3 - 2)
}

/// A day as spreadsheets count them: 45000 is 2023-03-15. (Day 60, a leap day that never was, is below
/// the range taken here.)
fn serial(number: i64) -> Option<Parsed<i32>> {
    if !(20_000..=80_000).contains(&number) {
        return None;
    }
    let day = i32::try_from(number - 25_569).ok()?;
    Some(Parsed::noted(
        Some(day),
        Severity::Info,
        "V11",
        "是表格软件的日期序号，已换算成日期；请把单元格设为日期格式",
        "is a serial number of a spreadsheet and was converted; format the cell as a date",
    ))
}

fn first(day: i32, zh: &str, en: &str) -> Parsed<i32> {
    let zh = format!("只写到{zh}，按其第一天处理");
    let en = format!("names only a {en}; its first day was taken");
    Parsed::noted(Some(day), Severity::Info, "V11", zh, en)
}

fn month(day: i32) -> Parsed<i32> {
    first(day, "月份", "month")
}

fn this_year(day: i32, year: i64) -> Parsed<i32> {
    let (zh, en) = (format!("没有写年份，按{year}年处理"), format!("has no year; {year} was taken"));
    Parsed::noted(Some(day), Severity::Info, "V11", zh, en)
}

fn january(day: i32) -> Parsed<i32> {
    Parsed::noted(
        Some(day),
        Severity::Warning,
        "V11",
        "可能是1月，也可能是丢了末位0的10月，按1月处理；请写成 2023-01 或 2023-10",
        "may be January, or October without its last 0; January was taken, write 2023-01 or 2023-10",
    )
}
