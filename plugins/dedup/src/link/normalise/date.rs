//! Dates as intervals of days: any separator, 年月日, or only a year and a month.

use std::ops::RangeInclusive;

/// Days since 1970-01-01, first and last; nothing for what is no date or a stand-in (1900-01-01).
pub fn date(folded: &[char]) -> Option<(i32, i32)> {
    let runs = folded.split(|c| !c.is_ascii_digit()).filter(|run| !run.is_empty()).take(3);
    let groups: Vec<(u32, usize)> = runs
        .map(|run| Some((run.iter().collect::<String>().parse().ok()?, run.len())))
        .collect::<Option<_>>()?;
    let (year, month, day) = match groups.as_slice() {
        [(whole, 8), ..] => (whole / 10_000, whole / 100 % 100, Some(whole % 100)),
        [(whole, 6)] => (whole / 100, whole % 100, None),
        [(year, 4), (month, 1..=2)] => (*year, *month, None),
        [(year, 4), (month, 1..=2), (day, 1..=2), ..] => (*year, *month, Some(*day)),
        [(day, 1..=2), (month, 1..=2), (year, 4)] => (*year, *month, Some(*day)),
        [(year, 4)] => {
            return if plausible(*year) { span(*year, 1, 1).zip(span(*year, 12, 31)) } else { None };
        }
        _ => return None,
    };
    if !plausible(year) {
        return None;
    }
    match day {
        Some(day) => span(year, month, day).map(|at| (at, at)),
        None => {
            let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            Some((span(year, month, 1)?, span(next_year, next, 1)? - 1))
        }
    }
}

fn plausible(year: u32) -> bool {
    const YEARS: RangeInclusive<u32> = 1901..=2200;
    YEARS.contains(&year)
}

/// Days since 1970-01-01.
fn span(year: u32, month: u32, day: u32) -> Option<i32> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month, day) = (year as i32, month as i32, day as i32);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Year, month and day of a number of days since 1970-01-01.
pub fn civil(days: i32) -> (i64, u8, u8) {
    let shifted = i64::from(days) + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let of_year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * of_year + of_year / 4 - of_year / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (of_year + era * 400 + i64::from(month <= 2), month as u8, day as u8)
}

/// A day as `2019-08-16`, from days since 1970-01-01.
pub fn iso(days: i32) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_same_however_it_is_written() {
        let day = |text: &str| date(&text.chars().collect::<Vec<_>>());
        for text in ["2019-8-16", "2019/08/16", "20190816", "2019年8月16日", "2019-08-16 00:00:00"] {
            assert_eq!(day(text), Some((18124, 18124)), "{text}");
        }
        assert_eq!(iso(18124), "2019-08-16");
        assert_eq!(day("2019年8月"), Some((18109, 18139)));
        for text in ["1900-01-01", "", "暂无", "2019-13-01", "99999999999999999999"] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
