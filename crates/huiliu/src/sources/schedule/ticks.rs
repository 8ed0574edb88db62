//! Which ticks are due. Plain times in, plain times out.

use jiff::{Timestamp, ToSpan};

use super::{CatchUp, ScheduleSource};

/// Most ticks that are made up for; of a longer time the latest.
pub(super) const MOST: usize = 1_000;
/// A tick this late is not a missed one.
const ON_TIME_SECS: i64 = 60;

/// What is to be run now, oldest first, and how many ticks are left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) run: Vec<Timestamp>,
    pub(crate) left_out: usize,
}

/// The ticks after `last`, the time up to which all is done, up to and with `now`.
///
/// Without a `last` the schedule is new: nothing was missed. A single run (`once`) then takes the tick that came last,
/// since it will not be there for the next.
pub(crate) fn due(source: &ScheduleSource, last: Option<Timestamp>, now: Timestamp, once: bool) -> Due {
    let Some(last) = last else {
        let run = source.cron.last(now, &source.zone).filter(|_| once);
        return Due { run: run.into_iter().collect(), left_out: 0 };
    };
    // From the latest backwards, so that a time set far ahead costs no more than what is kept.
    let earlier = |tick: &Timestamp| source.cron.last(tick.checked_sub(1.second()).ok()?, &source.zone);
    let ticks = std::iter::successors(source.cron.last(now, &source.zone), earlier);
    let mut run: Vec<Timestamp> = ticks.take_while(|tick| *tick > last).take(MOST).collect();
    run.reverse();
    let keep = match (source.catch_up, run.last()) {
        (CatchUp::All, _) => run.len(),
        (CatchUp::Once, _) => 1,
        (CatchUp::None, Some(tick)) if now.as_second() - tick.as_second() <= ON_TIME_SECS => 1,
        (CatchUp::None, _) => 0,
    };
    let left_out = run.len().saturating_sub(keep);
    Due { run: run.split_off(left_out), left_out }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::super::cron::Cron;
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("{text}:00+08:00").parse().unwrap()
    }

    /// Last done, now, single run; then what each rule runs.
    type Case<'a> = (Option<&'a str>, &'a str, bool, [&'a [&'a str]; 3]);

    #[test]
    fn missed_ticks_are_made_up_for_as_the_schedule_says() {
        let table: [Case<'_>; 8] = [
            (None, "2026-11-24T09:00", false, [&[], &[], &[]]),
            (None, "2026-11-24T09:00", true, [&["24"], &["24"], &["24"]]),
            (Some("2026-11-23T08:00"), "2026-11-24T07:59", false, [&[], &[], &[]]),
            (Some("2026-11-23T08:00"), "2026-11-24T08:00", false, [&["24"], &["24"], &["24"]]),
            (Some("2026-11-23T08:00"), "2026-11-24T08:02", false, [&["24"], &["24"], &[]]),
            (
                Some("2026-11-20T08:00"),
                "2026-11-24T08:00",
                true,
                [&["24"], &["21", "22", "23", "24"], &["24"]],
            ),
            (Some("2026-11-20T08:00"), "2026-11-23T20:00", false, [&["23"], &["21", "22", "23"], &[]]),
            (Some("2026-11-25T08:00"), "2026-11-24T08:00", false, [&[], &[], &[]]), // The clock was set back.
        ];
        for (last, now, once, expected) in table {
            for (catch_up, expected) in [CatchUp::Once, CatchUp::All, CatchUp::None].into_iter().zip(expected)
            {
                let source = ScheduleSource {
                    cron: Cron::parse("0 8 * * *").unwrap(),
                    zone: TimeZone::get("Asia/Shanghai").unwrap(),
                    catch_up,
                    query: String::new(),
                    register: None,
                };
                let due = due(&source, last.map(at), at(now), once);
                let run: Vec<String> = due.run.iter().map(|tick| source.local(*tick, "%d")).collect();
                assert_eq!(run, expected, "{catch_up:?} {last:?} {now}");
            }
        }
    }

    #[test]
    fn a_very_long_sleep_makes_up_for_the_latest_ticks() {
        let source = ScheduleSource {
            cron: Cron::parse("* * * * *").unwrap(),
            zone: TimeZone::UTC,
            catch_up: CatchUp::All,
            query: String::new(),
            register: None,
        };
        let due = due(&source, Some(Timestamp::UNIX_EPOCH), at("2026-11-24T08:00"), false);
        assert_eq!((due.run.len(), due.run.last()), (MOST, Some(&at("2026-11-24T08:00"))));
    }
}
