//! When a schedule is due: the five fields of cron, read in a time zone.
//!
//! `minute hour day month weekday`, each `*`, a number, a name (`mon`, `jan`), a range, a list, with steps: `*/15`,
//! `1-5`, `mon,wed`. Sunday is 0 or 7. Where both day and weekday are given, either will do, as in every cron.
//!
//! A minute that the clock leaves out in spring comes at the moment in which the clock is moved on; one that it has
//! twice in autumn comes once, the first time. So ticks never run backwards, and none is lost.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// How far one looks for a tick: 29 February on a certain weekday may be 40 years away.
const FARTHEST_DAYS: i32 = 41 * 366;

/// A schedule, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    /// One bit for each value.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day must fit both its number and its weekday; else either will do.
    both: bool,
}

/// A field: what it is called, its bounds, the names of its values.
struct FieldKind(&'static str, u32, u32, &'static [&'static str]);

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: [FieldKind; 5] = [
    FieldKind("minute", 0, 59, &[]),
    FieldKind("hour", 0, 23, &[]),
    FieldKind("day", 1, 31, &[]),
    FieldKind("month", 1, 12, &MONTHS),
    FieldKind("weekday", 0, 7, &WEEKDAYS),
];
/// Short forms, as common crons know them.
const SHORT: [(&str, &str); 6] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
];

impl Cron {
    /// Reads the five fields.
    ///
    /// # Errors
    /// Says which field is wrong and how; also when no day ever fits, such as 30 February.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let short = SHORT.iter().find(|(name, _)| text.trim().eq_ignore_ascii_case(name));
        let text = short.map_or(text, |(_, long)| long);
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts[..] else {
            return Err(format!(
                "a schedule has five fields, minute hour day month weekday; this has {}",
                parts.len()
            ));
        };
        let [minutes, hours, days, months, weekdays] = &FIELDS;
        let mut cron = Self {
            minutes: minutes.parse(minute)?,
            hours: hours.parse(hour)?,
            days: days.parse(day)?,
            months: months.parse(month)?,
            weekdays: weekdays.parse(weekday)?,
            both: day.starts_with(['*', '?']) || weekday.starts_with(['*', '?']),
        };
        cron.weekdays |= cron.weekdays >> 7 & 1; // Sunday may be 7.
        let start = Timestamp::UNIX_EPOCH;
        match cron.after(start, &TimeZone::UTC) {
            Some(_) => Ok(cron),
            None => Err(format!("`{text}` never comes: no month has such a day")),
        }
    }

    /// The first tick after `at`; `None` if there is none before the end of time.
    pub(crate) fn after(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let from = zone.to_datetime(at);
        let mut date = from.date();
        for _ in 0..FARTHEST_DAYS {
            if self.fits(date) {
                let found = self.times(date).filter_map(|time| instant(time, zone)).find(|tick| *tick > at);
                if found.is_some() {
                    return found;
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// The last tick at or before `at`; `None` if there is none since the beginning of time.
    pub(crate) fn last(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let from = zone.to_datetime(at);
        let mut date = from.date();
        for _ in 0..FARTHEST_DAYS {
            if self.fits(date) {
                let times: Vec<DateTime> = self.times(date).collect();
                let mut back = times.into_iter().rev().filter_map(|time| instant(time, zone));
                if let Some(found) = back.find(|tick| *tick <= at) {
                    return Some(found);
                }
            }
            date = date.yesterday().ok()?;
        }
        None
    }

    fn fits(&self, date: Date) -> bool {
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        let fits = if self.both { day && weekday } else { day || weekday };
        fits && has(self.months, date.month())
    }

    /// The times of a day that fits, in order.
    fn times(&self, date: Date) -> impl Iterator<Item = DateTime> + '_ {
        let hours = (0..24).filter(|hour| has(self.hours, *hour));
        hours.flat_map(move |hour| {
            let minutes = (0..60).filter(|minute| has(self.minutes, *minute));
            minutes.map(move |minute| date.at(hour, minute, 0, 0))
        })
    }
}

fn has(bits: u64, at: i8) -> bool {
    u32::try_from(at).is_ok_and(|at| bits >> at & 1 == 1)
}

/// When a local time is. Of times that follow each other the later is never earlier.
fn instant(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => {
            let beyond = ambiguous.compatible().ok()?.checked_add(1.nanosecond()).ok()?;
            Some(zone.preceding(beyond).next()?.timestamp())
        }
        _ => ambiguous.compatible().ok(),
    }
}

impl FieldKind {
    /// The bits of a list of parts.
    fn parse(&self, text: &str) -> Result<u64, String> {
        text.split(',').try_fold(0, |bits, part| Ok(bits | self.part(part)?))
    }

    /// `*`, `5`, `1-5`, each perhaps with a step.
    fn part(&self, part: &str) -> Result<u64, String> {
        let Self(name, least, most, _) = self;
        let wrong = |why: &str| format!("the {name} `{part}` {why}");
        let (range, step) = match part.split_once('/') {
            None => (part, None),
            Some((range, step)) => {
                let step = step.parse().ok().filter(|step| (1..=*most).contains(step));
                (range, Some(step.ok_or_else(|| wrong(&format!("needs a step from 1 to {most}")))?))
            }
        };
        let value = |text: &str| self.value(text).ok_or_else(|| wrong(&self.allowed()));
        let (from, to) = match (range, range.split_once('-')) {
            ("*" | "?", _) => (*least, if *most == 7 { 6 } else { *most }),
            (_, Some((from, to))) => {
                let (from, to) = (value(from)?, value(to)?);
                // A week may end with its Sunday.
                (from, if *most == 7 && to == 0 { 7 } else { to })
            }
            (one, None) if step.is_some() => (value(one)?, *most),
            (one, None) => (value(one)?, value(one)?),
        };
        if from > to {
            return Err(wrong("runs backwards; write two ranges with a comma"));
        }
        Ok((from..=to).step_by(step.unwrap_or(1) as usize).fold(0, |bits, at| bits | 1 << at))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let Self(_, least, most, names) = self;
        let named = names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let digits = (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then_some(text);
        let value = named.map(|at| at as u32 + least).or_else(|| digits?.parse().ok())?;
        (*least..=*most).contains(&value).then_some(value)
    }

    fn allowed(&self) -> String {
        let Self(_, least, most, names) = self;
        match names.first() {
            None => format!("is not understood; numbers are {least} to {most}"),
            Some(first) => format!("is not understood; numbers are {least} to {most}, names such as {first}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn local(text: &str, zone: &TimeZone) -> Timestamp {
        zone.to_timestamp(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_next_tick_is_the_first_minute_that_fits() {
        let zone = zone("Asia/Shanghai");
        let table = [
            ("0 8 * * *", "2026-11-24T08:00", "2026-11-25T08:00"), // After, not at.
            ("0 8 * * *", "2026-11-24T07:59:59", "2026-11-24T08:00"),
            ("0 8 * * 1", "2026-11-24T09:00", "2026-11-30T08:00"),
            ("0 8 * * mon-fri", "2026-11-27T09:00", "2026-11-30T08:00"),
            ("0 8 * * 7", "2026-11-24T09:00", "2026-11-29T08:00"),
            ("0 8 * * fri-sun", "2026-11-28T09:00", "2026-11-29T08:00"),
            ("*/15 9-10 * * *", "2026-11-24T09:50", "2026-11-24T10:00"),
            ("5/20 * * * *", "2026-11-24T09:26", "2026-11-24T09:45"),
            ("0 0 29 2 *", "2026-11-24T00:00", "2028-02-29T00:00"),
            ("0 0 13 * 5", "2026-11-24T00:00", "2026-11-27T00:00"), // Either will do.
            ("0 0 */2 * 2", "2026-11-24T00:00", "2026-12-01T00:00"), // A star binds: both.
            ("@monthly", "2026-11-24T00:00", "2026-12-01T00:00"),
            ("30 23 31 DEC ?", "2026-11-24T00:00", "2026-12-31T23:30"),
        ];
        for (cron, at, expected) in table {
            let parsed = Cron::parse(cron).unwrap();
            let found = parsed.after(local(at, &zone), &zone).unwrap();
            assert_eq!(found, local(expected, &zone), "`{cron}` after {at}");
            assert_eq!(parsed.last(found, &zone), Some(found), "`{cron}`: a tick is its own last one");
        }
    }

    #[test]
    fn what_is_no_schedule_is_told_by_its_field() {
        for (cron, told) in [
            ("0 8 * *", "five fields, minute hour day month weekday; this has 4"),
            ("0 8 * * * *", "this has 6"),
            ("60 8 * * *", "the minute `60` is not understood; numbers are 0 to 59"),
            ("0 8 0 * *", "the day `0` is not understood"),
            ("0 8 * okt *", "the month `okt` is not understood; numbers are 1 to 12, names such as jan"),
            ("0 22-2 * * *", "the hour `22-2` runs backwards"),
            ("*/0 8 * * *", "the minute `*/0` needs a step"),
            ("0 8 30 2 *", "never comes"),
            ("+1 8 * * *", "the minute `+1`"),
            ("0 8 * * 1,", "the weekday ``"),
        ] {
            let error = Cron::parse(cron).unwrap_err();
            assert!(error.contains(told), "`{cron}`: {error}");
        }
    }

    #[test]
    fn a_minute_that_the_clock_leaves_out_comes_when_it_is_moved_on_and_a_double_one_once() {
        let berlin = zone("Europe/Berlin");
        let cron = Cron::parse("30 2 * * *").unwrap();
        let moved = cron.after("2026-03-28T12:00:00Z".parse().unwrap(), &berlin).unwrap();
        assert_eq!(moved.to_string(), "2026-03-29T01:00:00Z", "at 03:00 of the new time");
        let once = cron.after("2026-10-24T12:00:00Z".parse().unwrap(), &berlin).unwrap();
        assert_eq!(once.to_string(), "2026-10-25T00:30:00Z");
        assert_eq!(cron.after(once, &berlin).unwrap().to_string(), "2026-10-26T01:30:00Z");
    }

    /// A generator that needs no crate: the same schedules in every run.
    fn chance(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *seed >> 33
    }

    #[test]
    fn ticks_are_just_the_minutes_that_fit_whatever_schedule_zone_and_season() {
        let mut seed = 7;
        for _ in 0..40 {
            let zone =
                zone(["Asia/Shanghai", "Europe/Berlin", "America/New_York"][chance(&mut seed) as usize % 3]);
            let mut field = |least: u64, most: u64| match chance(&mut seed) % 4 {
                0 => "*".to_owned(),
                1 => format!("{}", least + chance(&mut seed) % (most - least + 1)),
                2 => format!("*/{}", 1 + chance(&mut seed) % most),
                _ => {
                    let from = least + chance(&mut seed) % (most - least + 1);
                    format!("{from}-{}", from + chance(&mut seed) % (most - from + 1))
                }
            };
            let text = [field(0, 59), field(0, 23), field(1, 28), "*".to_owned(), field(0, 6)].join(" ");
            let cron = Cron::parse(&text).unwrap();
            let start = ["2026-03-06T00:00", "2026-03-27T00:00", "2026-10-24T00:00", "2026-10-31T00:00"]
                [chance(&mut seed) as usize % 4];
            // All minutes of four days, one by one.
            let mut minute: DateTime = start.parse().unwrap();
            let (mut expected, end) = (Vec::new(), minute.checked_add(4.days()).unwrap());
            while minute < end {
                let bit = |bits: u64, at: i8| bits >> at & 1 == 1;
                let (day, weekday) = (
                    bit(cron.days, minute.day()),
                    bit(cron.weekdays, minute.weekday().to_sunday_zero_offset()),
                );
                let fits = if cron.both { day && weekday } else { day || weekday };
                if fits && bit(cron.hours, minute.hour()) && bit(cron.minutes, minute.minute()) {
                    expected.extend(instant(minute, &zone));
                }
                minute = minute.checked_add(1.minute()).unwrap();
            }
            assert!(expected.is_sorted(), "`{text}` never runs backwards");
            expected.dedup();
            let first = local(start, &zone).checked_sub(1.second()).unwrap();
            let until = local(&end.to_string(), &zone);
            let ticks = std::iter::successors(cron.after(first, &zone), |tick| cron.after(*tick, &zone));
            let ticks: Vec<Timestamp> = ticks.take_while(|tick| *tick < until).collect();
            assert_eq!(ticks, expected, "`{text}` from {start} in {:?}", zone.iana_name());
            for pair in ticks.windows(2) {
                let between = pair[1].checked_sub(1.second()).unwrap();
                assert_eq!(cron.last(between, &zone), Some(pair[0]), "`{text}` before {}", pair[1]);
            }
        }
    }
}
