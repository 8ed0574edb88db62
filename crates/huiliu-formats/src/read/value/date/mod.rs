//! Calendar days and points in time, as people write them.
//!
//! A text is cut into numbers and the marks between them; its shape decides what the numbers are ([`shape`]).
//! A period gives the end that the field asks for ([`period`]).

mod calendar;
mod period;
mod shape;
mod time;

use huiliu_stage::Severity;

pub(in crate::read) use self::calendar::{iso, strict_date};
use self::period::period;
use self::shape::shaped;
pub(in crate::read) use self::time::timestamp;
use super::{Parsed, is_placeholder, tidy};

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

#[cfg(test)]
mod tests {
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
            ("2023年二季度末", Some("2023-04-01"), Some(Info)),
            ("2023Q3", Some("2023-07-01"), Some(Info)),
            ("2023年6月底前", Some("2023-06-01"), Some(Info)),
            ("2023年底前", Some("2023-12-01"), Some(Info)),
            ("2023年6月30日前", Some("2023-06-30"), None),
            ("2023年3月上旬", Some("2023-03-01"), Some(Info)),
            ("下半年", Some("2023-07-01"), Some(Info)),
            ("年底", Some("2023-12-01"), Some(Info)),
            ("3年前", None, Some(Error)),
            ("五六月", None, Some(Error)),
            ("未开工", None, Some(Info)),
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
}
