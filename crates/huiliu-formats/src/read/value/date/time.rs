//! Points in time.

use super::calendar::{digits, strict_date};
use super::{Asked, before_time, date};
use crate::read::value::Parsed;

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
    use super::*;

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
}
