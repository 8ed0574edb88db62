//! Calendar days and points in time, as people write them.
//!
//! A text is cut into numbers and the marks between them; the shape (`N年N月N日`) decides what the numbers
//! are. Forms coarser than a day become their first day, and say so.

use arrow::temporal_conversions::date32_to_datetime;
use huiliu_stage::Severity;

use super::decimal::numeral;
use super::{Parsed, is_placeholder, tidy};

/// Days since 1970-01-01; `None` if there is no such day.
fn day(year: i64, month: i64, day: i64) -> Option<i32> {
    if !(1000..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day > length {
        return None;
    }
    // Years begin in March, so that the leap day comes last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let in_year = (153 * m + 2) / 5 + day - 1;
    let days = y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + in_year - 719_468;
    i32::try_from(days).ok()
}

/// `2024-05-01`.
pub(in crate::read) fn iso(days: i32) -> Option<String> {
    date32_to_datetime(days).map(|time| time.date().to_string())
}

fn year_of(days: i32) -> i64 {
    // 400 years have 146 097 days; the estimate is off by one at most.
    let estimate = 1970 + (i64::from(days) * 400).div_euclid(146_097);
    (estimate - 1..=estimate + 1)
        .rev()
        .find(|&y| day(y, 1, 1).is_some_and(|first| first <= days))
        .unwrap_or(1970)
}

#[inline]
fn digits(bytes: &[u8]) -> Option<i64> {
    let mut value = 0;
    for &byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

/// `2024-05-01`, `2024/05/01`, `2024年05月01日` or `20240501`; `None` for anything else.
#[inline]
pub(in crate::read) fn strict_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    let (y, m, d) = match bytes {
        [y @ .., b'-', m1, m2, b'-', d1, d2] | [y @ .., b'/', m1, m2, b'/', d1, d2] if y.len() == 4 => {
            (digits(y)?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?)
        }
        _ if bytes.len() == 8 => (digits(&bytes[..4])?, digits(&bytes[4..6])?, digits(&bytes[6..])?),
        _ if bytes.len() == 17 => {
            let (y, rest) = text.split_once('年')?;
            let (m, rest) = rest.split_once('月')?;
            let d = rest.strip_suffix('日')?;
            if y.len() != 4 || m.len() != 2 {
                return None;
            }
            (digits(y.as_bytes())?, digits(m.as_bytes())?, digits(d.as_bytes())?)
        }
        _ => return None,
    };
    day(y, m, d)
}

/// What a field of dates asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::read) struct Asked {
    /// A plan, so that `计划6月` is an answer and not one to another question.
    pub(in crate::read) planned: bool,
    /// Which end of a period such as `2022-2025`; `None` if neither.
    pub(in crate::read) end: Option<End>,
}

/// One of the two ends of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) enum End {
    First,
    Last,
}

impl Asked {
    /// By the name and the title of the field.
    pub(in crate::read) fn by(name: &str, title: &str) -> Self {
        let holds = |words: &[&str]| words.iter().any(|word| name.contains(word) || title.contains(word));
        let end = match (
            holds(&["start", "begin", "开工", "开始", "起始", "启动"]),
            holds(&[
                "complet", "finish", "_end", "end_", "竣工", "完工", "完成", "建成", "投产", "结束", "截止",
            ]),
        ) {
            (true, false) => Some(End::First),
            (false, true) => Some(End::Last),
            _ => None,
        };
        Self { planned: holds(&["plan", "计划"]), end }
    }
}

/// Whatever people write for a day.
pub(in crate::read) fn date(text: &str, today: i32, asked: Asked) -> Parsed<i32> {
    if let Some(day) = strict_date(text) {
        return Parsed::value(day);
    }
    let tidy = tidy(before_time(text.trim()));
    if tidy.is_empty() {
        return Parsed::empty();
    }
    if is_placeholder(&tidy) || tidy.starts_with("未") {
        return Parsed::placeholder();
    }
    let plan = ["计划", "预计", "拟", "力争", "争取", "预期"].iter().find_map(|word| tidy.strip_prefix(word));
    if let Some(rest) = plan {
        if asked.planned {
            return spelled(rest, today, asked);
        }
        return Parsed::noted(
            None,
            Severity::Warning,
            "V11",
            "是计划，不是已发生的日期，没有采用；请填到计划日期一栏",
            "is a plan and no date that has come; it was not taken, write it into the column for plans",
        );
    }
    spelled(&tidy, today, asked)
}

/// A tidy text without the words around it.
fn spelled(tidy: &str, today: i32, asked: Asked) -> Parsed<i32> {
    if let Some(found) = shaped(tidy, today) {
        return found;
    }
    period(tidy, today, asked).unwrap_or_else(|| {
        Parsed::bad(
            "V11",
            "不是能识别的日期；请按 2023-03-15 的格式填写",
            "is not a date that can be read; write it like 2023-03-15",
        )
    })
}

/// The part in front of a time of day such as `08:00:00`, all if there is none.
fn before_time(text: &str) -> &str {
    let Some((front, back)) = text.split_once([' ', 'T']) else { return text };
    let time = back
        .trim()
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'Z' | b'+' | b'-' | b' '));
    if time && back.contains(':') { front } else { text }
}

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

fn shaped(tidy: &str, today: i32) -> Option<Parsed<i32>> {
    let (numbers, shape) = cut(tidy)?;
    let shape = coarse(&shape);
    let at = |i: usize| numbers.get(i).copied().unwrap_or_default();
    // 23年 is 2023; but a year without 年 must be written out.
    let short = |(n, width): (i64, usize)| if width == 2 { 2000 + n } else { n };
    let full = |(n, width): (i64, usize)| (width == 4).then_some(n);
    let here = year_of(today);
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
        "N年第N季度" | "N年N季度" | "NQN" | "N年QN" | "N年第N季" => {
            quarter(at(1).0).and_then(|m| day(short(at(0)), m, 1)).map(|d| first(d, "季度", "quarter"))
        }
        "N季度" | "第N季度" | "QN" => quarter(at(0).0).and_then(|m| day(here, m, 1)).map(this_year),
        _ => None,
    }
}

/// One end of a period: `2022-2025`, `2022—2024年`, `2022.5-2024.12`, `2023年3-6月`.
fn period(tidy: &str, today: i32, asked: Asked) -> Option<Parsed<i32>> {
    let parted = tidy.char_indices().filter(|(_, c)| matches!(c, '-' | '—' | '–' | '~' | '至' | '到' | '/'));
    let (first, last) = parted
        .filter_map(|(at, c)| {
            let before = tidy[..at].trim_end_matches(['-', '—', '–', '~']);
            let behind = tidy[at + c.len_utf8()..].trim_start_matches(['-', '—', '–', '~']);
            Some((bound(before, behind, today)?, bound(behind, before, today)?))
        })
        .find(|(first, last)| first <= last)?;
    let (value, zh, en) = match asked.end {
        Some(End::First) => (first, "取其起始", "its beginning was taken"),
        Some(End::Last) => (last, "取其结束", "its end was taken"),
        None => {
            return Some(Parsed::bad(
                "V11",
                "是一段时间，不是一个日期；请只填一个日期，如 2023-03-15",
                "is a period and no date; write one date, like 2023-03-15",
            ));
        }
    };
    let zh = format!("是一段时间，{zh}，按所写年份或月份的第一天处理；请只填一个日期");
    let en = format!("is a period; {en}, as the first day of the year or month written; write one date");
    Some(Parsed::noted(Some(value), Severity::Info, "V11", &zh, &en))
}

/// A bound of a period; what it leaves out stands in the `other`: the year in front, 年 or 月 behind.
fn bound(text: &str, other: &str, today: i32) -> Option<i32> {
    if text.is_empty() || other.is_empty() {
        return None;
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    let whole = match (plain, text.len()) {
        // 2022 of 2022-2025.
        (true, 4) => format!("{text}年"),
        // 23 of 23-25年.
        (true, 2) if other.ends_with('年') => format!("{text}年"),
        (true, 1 | 2) if other.ends_with('月') && !other.contains('年') => format!("{text}月"),
        _ => match other.split_once('年') {
            // 6月 of 2023年3-6月.
            Some((year, _)) if text.ends_with('月') && !text.contains('年') => format!("{year}年{text}"),
            _ if text.contains('年')
                && text.ends_with(|c: char| c.is_ascii_digit())
                && other.ends_with('月') =>
            {
                format!("{text}月")
            }
            _ => text.to_owned(),
        },
    };
    let parts = whole.matches(['.', '年', '月', '/', '-']).count();
    (parts > 0).then(|| shaped(&whole, today)?.value)?
}

/// Leaves away words that only make a month vaguer.
fn coarse(shape: &str) -> &str {
    let mut shape = shape;
    for word in ["左右", "以前", "前后", "前", "份", "上旬", "中旬", "下旬", "中", "底", "末", "初"]
    {
        if let Some(rest) = shape.strip_suffix(word)
            && (rest.ends_with('月') || rest.ends_with("月份"))
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
    Parsed::noted(Some(day), Severity::Info, "V11", &zh, &en)
}

fn month(day: i32) -> Parsed<i32> {
    first(day, "月份", "month")
}

fn this_year(day: i32) -> Parsed<i32> {
    Parsed::noted(
        Some(day),
        Severity::Info,
        "V11",
        "没有写年份，按当前年份处理",
        "has no year; the current one was taken",
    )
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

/// A point in time in milliseconds; without an offset it is China's. A day alone is its first moment.
pub(in crate::read) fn timestamp(text: &str, today: i32, strict: bool) -> Parsed<i64> {
    const CHINA: i64 = 8 * 3_600_000;
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Parsed::empty();
    }
    let front = before_time(trimmed);
    let found = match strict {
        true => strict_date(front).map(Parsed::value),
        false => Some(date(front, today, Asked::default())),
    };
    let Some(Parsed { value, note }) = found else { return not_a_time() };
    let Some(day) = value else { return Parsed { value: None, note } };
    let back = trimmed.get(front.len()..).unwrap_or_default().trim_start_matches([' ', 'T']);
    let (clock, offset) = match back.find(['Z', '+', '-']) {
        Some(at) => (&back[..at], offset(&back[at..])),
        None => (back, Some(CHINA)),
    };
    match (time_of_day(clock.trim()), offset) {
        (Some(time), Some(offset)) => {
            Parsed { value: Some(i64::from(day) * 86_400_000 + time - offset), note }
        }
        _ => not_a_time(),
    }
}

fn not_a_time() -> Parsed<i64> {
    Parsed::bad(
        "V11",
        "不是能识别的时间；请按 2023-03-15 08:30:00 的格式填写",
        "is not a time that can be read; write it like 2023-03-15 08:30:00",
    )
}

fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let body: String = text.get(1..)?.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match body.len() {
        2 => (digits(body.as_bytes())?, 0),
        4 => (digits(&body.as_bytes()[..2])?, digits(&body.as_bytes()[2..])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000)
}

fn time_of_day(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.split(':').map(|p| if p.len() <= 2 { digits(p.as_bytes()) } else { None });
    let (h, m, s) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    if h > 23 || m > 59 || s > 59 || parts.next().is_some() || fraction.len() > 9 {
        return None;
    }
    let millis = digits(format!("{:0<3.3}", fraction).as_bytes())?;
    Some(((h * 60 + m) * 60 + s) * 1000 + millis)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn iso(day: i32) -> String {
        super::iso(day).unwrap()
    }

    #[test]
    fn dates_of_forms_are_read_and_coarse_ones_say_so() {
        use Severity::{Error, Info, Warning};
        let today = strict_date("2023-06-01").unwrap();
        for (text, expected, severity) in [
            ("2023-03-15", Some("2023-03-15"), None),
            ("2023/3/15", Some("2023-03-15"), None),
            ("2023.3.15", Some("2023-03-15"), None),
            ("20230315", Some("2023-03-15"), None),
            ("2023年3月15日", Some("2023-03-15"), None),
            ("２０２３年３月１５日", Some("2023-03-15"), None),
            ("二〇二三年三月十五日", Some("2023-03-15"), None),
            ("2023-03-15 00:00:00", Some("2023-03-15"), None),
            ("23年3月", Some("2023-03-01"), Some(Info)),
            ("2023年3月", Some("2023-03-01"), Some(Info)),
            ("2023年3月底", Some("2023-03-01"), Some(Info)),
            ("2022-10", Some("2022-10-01"), Some(Info)),
            ("2023.2", Some("2023-02-01"), Some(Info)),
            ("2023.1", Some("2023-01-01"), Some(Warning)),
            ("2023.10", Some("2023-10-01"), Some(Info)),
            ("202303", Some("2023-03-01"), Some(Info)),
            ("3月", Some("2023-03-01"), Some(Info)),
            ("2023年底", Some("2023-12-01"), Some(Info)),
            ("2023上半年", Some("2023-01-01"), Some(Info)),
            ("2023年第三季度", Some("2023-07-01"), Some(Info)),
            ("一季度", Some("2023-01-01"), Some(Info)),
            ("2023年", Some("2023-01-01"), Some(Info)),
            ("45000", Some("2023-03-15"), Some(Info)),
            ("45000.5", Some("2023-03-15"), Some(Info)),
            ("待定", None, Some(Info)),
            ("/", None, Some(Info)),
            ("", None, None),
            ("计划6月", None, Some(Warning)),
            ("已开工", None, Some(Error)),
            ("2023-02-29", None, Some(Error)),
            ("2022-2025", None, Some(Error)),
            ("2023.13", None, Some(Error)),
            ("3/15/2023", None, Some(Error)),
            ("12000", None, Some(Error)),
        ] {
            let found = date(text, today, Asked::default());
            let value = found.value.map(iso);
            assert_eq!((value.as_deref(), found.note.map(|n| n.severity)), (expected, severity), "{text}");
        }
        let planned = Asked { planned: true, end: None };
        assert_eq!(date("计划6月", today, planned).value.map(iso).as_deref(), Some("2023-06-01"));
    }

    #[test]
    fn of_a_period_the_end_is_taken_that_the_field_asks_for() {
        let today = strict_date("2023-06-01").unwrap();
        for (text, first, last) in [
            ("2022-2025", "2022-01-01", "2025-01-01"),
            ("2022—2024年", "2022-01-01", "2024-01-01"),
            ("2022年至2024年", "2022-01-01", "2024-01-01"),
            ("2022.5-2024.12", "2022-05-01", "2024-12-01"),
            ("2022.5——2024.12", "2022-05-01", "2024-12-01"),
            ("2022年5月-2024年12月", "2022-05-01", "2024-12-01"),
            ("2023年3-6月", "2023-03-01", "2023-06-01"),
            ("2023-03-15至2023-06-30", "2023-03-15", "2023-06-30"),
            ("2023/3/15-2023/6/30", "2023-03-15", "2023-06-30"),
        ] {
            let at = |end| date(text, today, Asked { planned: false, end: Some(end) });
            let (found, until) = (at(End::First), at(End::Last));
            assert_eq!(found.value.map(iso).as_deref(), Some(first), "{text}");
            assert_eq!(until.value.map(iso).as_deref(), Some(last), "{text}");
            assert_eq!(found.note.map(|n| n.severity), Some(Severity::Info), "{text}");
            let neither = date(text, today, Asked::default());
            assert_eq!(
                (neither.value, neither.note.map(|n| n.severity)),
                (None, Some(Severity::Error)),
                "{text}"
            );
        }
        assert_eq!(date("2025-2022", today, Asked::by("start_date", "开工时间")).value, None);
        assert_eq!(Asked::by("completion_date", "竣工时间").end, Some(End::Last));
        assert_eq!(Asked::by("admitted_date", "入库时间").end, None);
    }

    #[test]
    fn strict_dates_have_four_spellings() {
        for text in ["2024-05-01", "2024/05/01", "2024年05月01日", "20240501"] {
            assert_eq!(strict_date(text).map(iso).as_deref(), Some("2024-05-01"), "{text}");
        }
        for text in
            ["2024-5-1", "2024-05/01", "2024.05.01", "2024-02-30", "2024年5月01日 ", " 2024-05-01", ""]
        {
            assert_eq!(strict_date(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_of_china_unless_they_say_otherwise() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01 08:00:00", Some(0)),
            ("1970-01-01 08:00", Some(0)),
            ("1970-01-01T00:00:00.250+00:00", Some(250)),
            ("1970-01-02", Some(57_600_000)),
            ("1970-01-01 25:00", None),
        ] {
            assert_eq!(timestamp(text, 0, false).value, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_day_of_the_calendar_comes_back(number in -350_000_i32..2_900_000) {
            let text = iso(number);
            prop_assert_eq!(strict_date(&text), Some(number));
            prop_assert_eq!(year_of(number).to_string(), text[..4].to_owned());
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC{0,24}", digits in "[0-9年月日.\\-/十二万亿余约,eE+]{0,16}") {
            for text in [&text, &digits] {
                let _ = date(text, 19_000, Asked { planned: true, end: Some(End::Last) });
                let _ = timestamp(text, 19_000, false);
                let _ = super::super::Money::new(None, None).lenient(text);
                let _ = super::super::integer(text);
            }
        }
    }
}
