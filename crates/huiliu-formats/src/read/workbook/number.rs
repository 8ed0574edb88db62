//! A cell's number as text: days of both date systems, percentages, and no digit more or less than was stored.
//!
//! Programs store numbers in binary, so `0.1` stands in a part as `0.10000000000000001`; the shortest text that is
//! the same number is what the sender typed. Numbers above nine quadrillions keep their exponent: a code
//! of 18 digits that became `9.14403E+17` has lost its end and must not look like a code again. One whose digits all stand in
//! the part has lost nothing.

use std::fmt::Write;

use super::styles::Shown;

/// Days from 1899-12-31 to 1904-01-01, the first day of the other date system.
const DAYS_1904: i64 = 1462;
/// Last day of the year 9999.
const LAST_DAY: i64 = 2_958_465;
/// Serial numbers of the years that projects have: 1954 to 2119 in the first system, four years more in the second.
const DAYS_NOW: std::ops::RangeInclusive<f64> = 20_000.0..=80_000.0;
/// Digits that are never more than a binary number holds.
const SAFE_DIGITS: usize = 15;
/// Up to here a binary number holds every whole number.
const LAST_WHOLE: f64 = 9_007_199_254_740_992.0;
/// Most digits of a code.
const MOST_DIGITS: usize = 38;

/// Adds a number as it is meant; `raw` is its text in the part.
pub(super) fn write(to: &mut String, raw: &str, shown: Shown, date1904: bool) {
    let raw = raw.trim();
    if shown == Shown::Plain && is_short(raw) || is_long(raw) {
        to.push_str(raw);
        return;
    }
    let Some(number) = raw.parse::<f64>().ok().filter(|number| number.is_finite()) else {
        to.push_str(raw);
        return;
    };
    let start = to.len();
    match shown {
        Shown::Date if write_date(to, number, date1904) => {}
        // A smaller number is a year, a larger one a day in digits.
        Shown::Serial if DAYS_NOW.contains(&number) && write_date(to, number, date1904) => {}
        Shown::Time if (0.0..1.0).contains(&number) => write_time(to, (number * 86_400.0).round() as i64),
        Shown::Time if number >= 1.0 && write_date(to, number, date1904) => {}
        Shown::Percent => {
            write_moved(to, number, 2);
            to.push('%');
        }
        Shown::Labelled(label) => {
            write_moved(to, number, -i32::from(label.places));
            to.push_str(label.unit);
        }
        Shown::Padded(width) if number >= 0.0 && number.fract() == 0.0 && number < 1e15 => {
            // Writing to a String cannot fail.
            let _ = write!(to, "{:0width$}", number as i64, width = usize::from(width));
        }
        Shown::Places(places) => {
            write_plain(to, number);
            pad_places(to, start, usize::from(places));
        }
        _ => write_plain(to, number),
    }
}

/// Digits with at most one point that are already the shortest text of their number.
#[inline]
fn is_short(raw: &str) -> bool {
    let digits = raw.strip_prefix('-').unwrap_or(raw).as_bytes();
    if digits.is_empty() || digits.len() > SAFE_DIGITS + 1 {
        return false;
    }
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {}
            b'.' if point.is_none() => point = Some(at),
            _ => return false,
        }
    }
    let (first, last) = (digits.first(), digits.last());
    match point {
        None => digits.len() <= SAFE_DIGITS && (first != Some(&b'0') || raw == "0"),
        Some(at) => {
            at > 0 && !matches!(last, Some(b'0' | b'.')) && (first != Some(&b'0') || at == 1) && raw != "-0"
        }
    }
}

/// Whole numbers of more digits than a binary number holds, which no binary number can have been: whoever wrote the
/// part had them as text, and they are all there.
fn is_long(raw: &str) -> bool {
    (SAFE_DIGITS + 1..=MOST_DIGITS).contains(&raw.len())
        && raw.bytes().all(|byte| byte.is_ascii_digit())
        && raw.bytes().skip(SAFE_DIGITS).any(|byte| byte != b'0')
        && raw.parse::<u128>().is_ok_and(|whole| (whole as f64) as u128 != whole)
}

/// The shortest text that is this number, without an exponent where one is not needed.
pub(super) fn write_plain(to: &mut String, number: f64) {
    if number.fract() == 0.0 && number.abs() <= LAST_WHOLE {
        to.push_str(itoa::Buffer::new().format(number as i64));
    } else {
        to.push_str(zmij::Buffer::new().format(number));
    }
}

/// A fraction as it is shown: `2023.1` under `0.00` is `2023.10`. Whole numbers and longer fractions stay.
fn pad_places(to: &mut String, start: usize, places: usize) {
    let text = to.get(start..).unwrap_or_default();
    if let Some((_, fraction)) = text.split_once('.')
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        let missing = places.saturating_sub(fraction.len());
        to.extend(std::iter::repeat_n('0', missing));
    }
}

/// The number times `10^by`, by moving the point of its text, so that no digit changes.
fn write_moved(to: &mut String, number: f64, by: i32) {
    let mut text = String::new();
    write_plain(&mut text, number);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return write_plain(to, number * 10_f64.powi(by));
    }
    let room = by.unsigned_abs() as usize;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (mut moved, point) = match by >= 0 {
        true => (format!("{whole}{fraction:0<room$}"), whole.len() + room),
        false => {
            let whole = format!("{whole:0>width$}", width = room + 1);
            (format!("{whole}{fraction}"), whole.len() - room)
        }
    };
    let rest = moved.split_off(point.min(moved.len()));
    let whole = moved.trim_start_matches('0');
    to.push_str(sign);
    to.push_str(if whole.is_empty() { "0" } else { whole });
    let rest = rest.trim_end_matches('0');
    if !rest.is_empty() {
        to.push('.');
        to.push_str(rest);
    }
}

/// A serial number as a day, `false` if it is none. Day 60 of the first system is the 29th of February 1900, which
/// never was; days before it count from one later.
pub(super) fn write_date(to: &mut String, number: f64, date1904: bool) -> bool {
    if !(0.0..=LAST_DAY as f64 + 1.0).contains(&number) || (number < 1.0 && !date1904) {
        return false;
    }
    let seconds = (number * 86_400.0).round() as i64;
    let (mut serial, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    if date1904 {
        serial += DAYS_1904;
    }
    if serial > LAST_DAY {
        return false;
    }
    if serial == 60 {
        to.push_str("1900-02-29");
    } else {
        let since = if serial < 60 { serial } else { serial - 1 };
        let (year, month, day) = civil(since);
        // Writing to a String cannot fail.
        let _ = write!(to, "{year:04}-{month:02}-{day:02}");
    }
    if second != 0 {
        to.push(' ');
        write_time(to, second);
    }
    true
}

fn write_time(to: &mut String, second: i64) {
    let second = second.min(86_399);
    let _ = write!(to, "{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
}

/// Year, month and day of the days since 1899-12-31, by the 400-year cycle counted from the 1st of March.
fn civil(since: i64) -> (i64, i64, i64) {
    let days = since + 693_900;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, turn) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + turn, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::shown::Label;
    use super::*;

    fn text(raw: &str, shown: Shown) -> String {
        let mut to = String::new();
        write(&mut to, raw, shown, false);
        to
    }

    fn labelled(unit: &'static str, places: u8) -> Shown {
        Shown::Labelled(Label { unit, places })
    }

    #[test]
    fn days_of_both_systems() {
        for (raw, expected) in [
            ("1", "1900-01-01"),
            ("59", "1900-02-28"),
            ("60", "1900-02-29"),
            ("61", "1900-03-01"),
            ("45000", "2023-03-15"),
            ("45000.5", "2023-03-15 12:00:00"),
            ("2958465", "9999-12-31"),
            ("2958466", "2958466"),
            ("0", "0"),
            ("-3", "-3"),
            ("0.5", "0.5"),
        ] {
            assert_eq!(text(raw, Shown::Date), expected);
        }
        let mut to = String::new();
        write(&mut to, "43538", Shown::Date, true);
        assert_eq!(to, "2023-03-15");
        for (raw, expected) in
            [("43538", "2023-03-15"), ("2023", "2023"), ("2023.5", "2023.5"), ("20230315", "20230315")]
        {
            to.clear();
            write(&mut to, raw, Shown::Serial, true);
            assert_eq!(to, expected);
        }
        assert_eq!(text("0.35416666666666669", Shown::Time), "08:30:00");
    }

    #[test]
    fn percentages_codes_and_places_are_as_shown() {
        for (raw, shown, expected) in [
            ("0.35799999999999998", Shown::Percent, "35.8%"),
            ("1", Shown::Percent, "100%"),
            ("0", Shown::Percent, "0%"),
            ("-0.005", Shown::Percent, "-0.5%"),
            ("0.07", Shown::Percent, "7%"),
            ("12.5", Shown::Percent, "1250%"),
            ("123", Shown::Padded(6), "000123"),
            ("2023.1", Shown::Places(2), "2023.10"),
            ("12", Shown::Places(2), "12"),
            ("3.14159", Shown::Places(2), "3.14159"),
            ("1.5", labelled("亿", 0), "1.5亿"),
            ("15000", labelled("万元", 4), "1.5万元"),
            ("-15", labelled("", 3), "-0.015"),
            ("0", labelled("亩", 6), "0亩"),
            ("2.5", labelled("亿", 6), "0.0000025亿"),
        ] {
            assert_eq!(text(raw, shown), expected);
        }
    }

    #[test]
    fn stored_digits_are_neither_lost_nor_invented() {
        for (raw, expected) in [
            ("0.10000000000000001", "0.1"),
            ("12000.5", "12000.5"),
            ("-7", "-7"),
            ("1.50", "1.5"),
            ("1E3", "1000"),
            ("007", "7"),
            ("999999999999999", "999999999999999"),
            ("9.1440312345678899E+17", "9.14403123456789e+17"),
            ("914403123456788992", "9.14403123456789e+17"),
            ("914403123456789000", "9.14403123456789e+17"),
            ("220832041289010115", "220832041289010115"),
            ("2208320412890101", "2208320412890101"),
            ("", ""),
            ("n/a", "n/a"),
        ] {
            assert_eq!(text(raw, Shown::Plain), expected);
        }
    }

    proptest! {
        #[test]
        fn a_number_stays_that_number(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
            let told = text(&format!("{number}"), Shown::Plain);
            prop_assert_eq!(told.parse::<f64>().unwrap(), number);
        }

        #[test]
        fn days_are_those_of_a_calendar(serial in 61_i64..LAST_DAY) {
            let epoch = jiff::civil::date(1899, 12, 30);
            let day = epoch.checked_add(jiff::Span::new().days(serial)).unwrap();
            prop_assert_eq!(text(&serial.to_string(), Shown::Date), day.to_string());
        }

        #[test]
        fn nothing_panics(raw in "[-+0-9.eE ]{0,24}", date1904: bool) {
            for shown in [Shown::Plain, Shown::Date, Shown::Time, Shown::Percent, Shown::Padded(9), Shown::Places(3), labelled("亿", 12)] {
                write(&mut String::new(), &raw, shown, date1904);
            }
        }
    }
}
