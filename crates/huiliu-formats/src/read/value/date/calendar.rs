//! The calendar: days since 1970-01-01 and back, and the one spelling of programs.

use arrow::temporal_conversions::date32_to_datetime;

/// Days since 1970-01-01; `None` if there is no such day.
pub(super) fn day(year: i64, month: i64, day: i64) -> Option<i32> {
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

pub(super) fn year_of(days: i32) -> i64 {
    // 400 years have 146 097 days; the estimate is off by one at most.
    let estimate = 1970 + (i64::from(days) * 400).div_euclid(146_097);
    (estimate - 1..=estimate + 1)
        .rev()
        .find(|&y| day(y, 1, 1).is_some_and(|first| first <= days))
        .unwrap_or(1970)
}

#[inline]
pub(super) fn digits(bytes: &[u8]) -> Option<i64> {
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
    if let [y @ .., b'-', m1, m2, b'-', d1, d2] = bytes
        && let [y1, y2, y3, y4] = y
    {
        // Nearly all.
        let [y1, y2, y3, y4, m1, m2, d1, d2] =
            [y1, y2, y3, y4, m1, m2, d1, d2].map(|byte| byte.wrapping_sub(b'0'));
        if [y1, y2, y3, y4, m1, m2, d1, d2].iter().any(|digit| *digit > 9) {
            return None;
        }
        let two = |tens: u8, ones: u8| i64::from(tens * 10 + ones);
        return day(two(y1, y2) * 100 + two(y3, y4), two(m1, m2), two(d1, d2));
    }
    let (y, m, d) = match bytes {
        [y @ .., b'/', m1, m2, b'/', d1, d2] if y.len() == 4 => {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strict_dates_have_four_spellings() {
        for text in ["2024-05-01", "2024/05/01", "2024年05月01日", "20240501"] {
            assert_eq!(strict_date(text).and_then(iso).as_deref(), Some("2024-05-01"), "{text}");
        }
        for text in
            ["2024-5-1", "2024-05/01", "2024.05.01", "2024-02-30", "2024年5月01日 ", " 2024-05-01", ""]
        {
            assert_eq!(strict_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_day_of_the_calendar_comes_back(number in -350_000_i32..2_900_000) {
            let text = iso(number).unwrap();
            prop_assert_eq!(strict_date(&text), Some(number));
            prop_assert_eq!(year_of(number).to_string(), text[..4].to_owned());
        }
    }
}
