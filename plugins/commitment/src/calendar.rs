//! Working days: Monday to Friday, less holidays, plus the make-up days (调休) that fall on weekends.
//!
//! Days are counted from 1970-01-01, as Arrow's Date32 does. The day one counts from is not itself counted: with
//! a deadline of one working day, what was promised on Friday is due on Monday.
//!
//! The daemon lends it to expressions as well (`workdays_between`, `add_workdays`), so that all count alike.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Date32Type;

/// What an official list says, before it is put in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// Days not worked.
    pub holidays: Vec<i32>,
    /// Worked days that fall on a weekend.
    pub workdays: Vec<i32>,
    /// Days in years whose holidays are not announced yet: only what the law fixes is known of them.
    pub unannounced: Vec<i32>,
}

impl Days {
    /// Adds the rows of a table with the columns `date` and `kind` (`holiday`, `workday` or `unannounced`).
    ///
    /// # Errors
    /// Says which row is wrong and how.
    pub fn add(&mut self, table: &RecordBatch) -> Result<(), String> {
        let dates = table.column_by_name("date").ok_or("there is no column `date`")?;
        let kinds = table.column_by_name("kind").and_then(|kinds| kinds.as_string_opt::<i32>());
        let kinds = kinds.ok_or("there is no column `kind` of texts")?;
        for row in 0..table.num_rows() {
            let day = day_of(dates, row).map_err(|what| format!("row {}: {what}", row + 1))?;
            match if kinds.is_valid(row) { kinds.value(row).trim() } else { "" } {
                "holiday" | "休" | "休假" | "节假日" => self.holidays.push(day),
                "workday" | "班" | "上班" | "调休" => self.workdays.push(day),
                "unannounced" | "未公布" => self.unannounced.push(day),
                other => {
                    return Err(format!("row {}: `{other}` is neither `holiday` nor `workday`", row + 1));
                }
            }
        }
        Ok(())
    }
}

fn day_of(dates: &dyn Array, row: usize) -> Result<i32, String> {
    if dates.is_null(row) {
        return Err("the date is missing".to_owned());
    }
    match (dates.as_primitive_opt::<Date32Type>(), dates.as_string_opt::<i32>()) {
        (Some(days), _) => Ok(days.value(row)),
        (_, Some(texts)) => parse(texts.value(row)),
        _ => Err(format!("column `date` is {}, a date or text is needed", dates.data_type())),
    }
}

/// Which days are worked, beyond the rule of the week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Holidays that fall on Monday to Friday, in order.
    holidays: Vec<i32>,
    /// Worked days that fall on a weekend, in order.
    make_up: Vec<i32>,
    /// The years of which all is known, in order.
    years: Vec<i16>,
}

/// Most working days that are counted one by one.
pub const MOST_WORKDAYS: u32 = 2_000;

impl Calendar {
    /// From holidays and worked days in any order. Holidays on weekends and worked days in the week say
    /// nothing new; they are welcome, since official lists hold them.
    pub fn new(days: &Days) -> Self {
        let Days { holidays, workdays, unannounced } = days;
        let sorted = |days: &[i32], weekend: bool| {
            let mut days: Vec<i32> =
                days.iter().copied().filter(|&day| is_weekend(day.into()) == weekend).collect();
            days.sort_unstable();
            days.dedup();
            days
        };
        let mut years: Vec<i16> =
            holidays.iter().chain(workdays).filter_map(|&day| Some(date(day)?.year())).collect();
        let open: Vec<i16> = unannounced.iter().filter_map(|&day| Some(date(day)?.year())).collect();
        years.retain(|year| !open.contains(year));
        years.sort_unstable();
        years.dedup();
        Self { holidays: sorted(holidays, false), make_up: sorted(workdays, true), years }
    }

    /// Whether the holidays of the year in which the day lies are known.
    pub fn knows(&self, day: i32) -> bool {
        date(day).is_some_and(|date| self.years.binary_search(&date.year()).is_ok())
    }

    /// Whether there is any year of which the holidays are known.
    pub(crate) fn has_years(&self) -> bool {
        !self.years.is_empty()
    }

    /// Whether the day is worked.
    pub fn is_workday(&self, day: i32) -> bool {
        match is_weekend(day.into()) {
            true => self.make_up.binary_search(&day).is_ok(),
            false => self.holidays.binary_search(&day).is_err(),
        }
    }

    /// The `count`-th working day after `from`; the day itself for 0. Stops at the end of time.
    pub fn after(&self, from: i32, count: u32) -> i32 {
        let mut day = from;
        let mut left = count.min(MOST_WORKDAYS);
        while left > 0 && day < i32::MAX {
            day += 1;
            left -= u32::from(self.is_workday(day));
        }
        day
    }

    /// The `count`-th working day before `from`; the day itself for 0. Stops at the beginning of time.
    pub fn before(&self, from: i32, count: u32) -> i32 {
        let mut day = from;
        let mut left = count.min(MOST_WORKDAYS);
        while left > 0 && day > i32::MIN {
            day -= 1;
            left -= u32::from(self.is_workday(day));
        }
        day
    }

    /// How many working days lie after `from`, up to and with `to`; negative when `to` is earlier.
    pub fn between(&self, from: i32, to: i32) -> i64 {
        if to < from {
            return -self.between(to, from);
        }
        let count = |days: &[i32]| {
            (days.partition_point(|&day| day <= to) - days.partition_point(|&day| day <= from)) as i64
        };
        weekdays_up_to(to.into()) - weekdays_up_to(from.into()) - count(&self.holidays) + count(&self.make_up)
    }
}

/// Monday is 0; 1970-01-01 was a Thursday.
fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

fn is_weekend(day: i64) -> bool {
    weekday(day) >= 5
}

/// Days from Monday to Friday up to and with `day`, counted from a fixed Monday long ago.
fn weekdays_up_to(day: i64) -> i64 {
    (day + 3).div_euclid(7) * 5 + (weekday(day) + 1).min(5)
}

/// The day of a text such as `2024-10-01`.
pub(crate) fn parse(text: &str) -> Result<i32, String> {
    let date: jiff::civil::Date =
        text.trim().parse().map_err(|_| format!("`{text}` is not a day; write it as `2024-10-01`"))?;
    let days = jiff::civil::date(1970, 1, 1).until(date).map_err(|error| error.to_string())?;
    Ok(days.get_days())
}

fn date(day: i32) -> Option<jiff::civil::Date> {
    let days = jiff::Span::new().try_days(day).ok()?;
    jiff::civil::date(1970, 1, 1).checked_add(days).ok()
}

/// The same day of the month so many months later, or the last one of a shorter month.
pub(crate) fn months_after(day: i32, months: u32) -> i32 {
    let later = date(day).and_then(|date| date.checked_add(jiff::Span::new().try_months(months).ok()?).ok());
    later.and_then(|later| parse(&later.to_string()).ok()).unwrap_or(day)
}

/// The day as people write it.
pub(crate) fn show(day: i32) -> String {
    date(day).map_or_else(|| format!("1970-01-01{day:+}d"), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i32 {
        parse(text).unwrap()
    }

    /// 国庆 2024 (1 to 7 October, 29 September and 12 October worked), 元旦 and 春节 2025.
    fn calendar() -> Calendar {
        let days = |list: &[&str]| list.iter().map(|text| day(text)).collect::<Vec<_>>();
        let holidays: Vec<i32> = (day("2024-10-01")..=day("2024-10-07"))
            .chain([day("2025-01-01")])
            .chain(day("2025-01-28")..=day("2025-02-04"))
            .collect();
        let workdays = days(&["2024-09-29", "2024-10-12", "2025-01-26", "2025-02-08"]);
        Calendar::new(&Days { holidays, workdays, unannounced: Vec::new() })
    }

    #[test]
    fn of_a_year_that_is_not_announced_only_what_the_law_fixes_is_known() {
        let days = Days {
            holidays: vec![day("2026-10-01"), day("2027-01-01")],
            workdays: Vec::new(),
            unannounced: vec![day("2027-01-01")],
        };
        let calendar = Calendar::new(&days);
        assert!(calendar.knows(day("2026-12-31")) && !calendar.knows(day("2027-03-01")));
        assert_eq!(show(calendar.after(day("2026-12-31"), 1)), "2027-01-04", "New Year and the weekend");
    }

    #[test]
    fn counting_backwards_is_the_same_the_other_way_round() {
        let calendar = calendar();
        assert_eq!(show(calendar.before(day("2024-10-08"), 1)), "2024-09-30");
        assert_eq!(show(calendar.before(day("2024-09-30"), 1)), "2024-09-29", "a Sunday that is worked");
        for start in (day("2024-09-01")..day("2024-11-01")).filter(|&day| calendar.is_workday(day)) {
            assert_eq!(calendar.between(calendar.before(start, 7), start), 7, "{}", show(start));
        }
    }

    #[test]
    fn working_days_are_counted_around_weekends_holidays_and_make_up_days() {
        let calendar = calendar();
        for (from, count, to) in [
            ("2024-09-06", 1, "2024-09-09"),  // Friday to Monday.
            ("2024-09-07", 1, "2024-09-09"),  // Saturday, too.
            ("2024-09-06", 0, "2024-09-06"),  // None: the day itself.
            ("2024-09-27", 1, "2024-09-29"),  // A Sunday that is worked.
            ("2024-09-30", 1, "2024-10-08"),  // Over the holiday week.
            ("2024-09-30", 5, "2024-10-12"),  // To a Saturday that is worked.
            ("2024-12-31", 1, "2025-01-02"),  // Over the turn of the year.
            ("2025-01-24", 3, "2025-02-05"),  // Sunday worked, Monday, then the festival.
            ("2024-09-02", 20, "2024-09-29"), // The usual limit.
        ] {
            assert_eq!(show(calendar.after(day(from), count)), to, "{count} after {from}");
            assert_eq!(calendar.between(day(from), day(to)), i64::from(count), "{from} to {to}");
            assert_eq!(calendar.between(day(to), day(from)), -i64::from(count), "{to} back to {from}");
        }
    }

    #[test]
    fn counting_in_one_step_agrees_with_counting_day_by_day() {
        let calendar = calendar();
        let start = day("2024-09-01");
        let mut counted = 0;
        for to in start + 1..start + 400 {
            counted += i64::from(calendar.is_workday(to));
            assert_eq!(calendar.between(start, to), counted, "{}", show(to));
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let calendar = calendar();
        assert_eq!(calendar.after(i32::MAX - 1, 20), i32::MAX);
        assert!(calendar.between(i32::MIN, i32::MAX) > 3_000_000_000);
        assert!(!calendar.knows(i32::MIN));
        assert!(calendar.knows(day("2025-06-01")) && !calendar.knows(day("2026-06-01")));
        assert!(parse("2024-13-01").is_err());
    }
}
