//! The course of a commitment in time: on which day it came to be what it is (domain.md section 10).
//!
//! `open → due_soon → fulfilled | extended → fulfilled | overdue → terminated | breached, revoked → blocked`. All of it
//! follows from a few days and the calendar, so whoever looks late (a daemon that slept) finds the same days as one who
//! looked every day. Plain values in, plain values out.

use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, months_after};

/// How a commitment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// There is none.
    None,
    /// Made, the deadline is not near.
    Open,
    /// Few working days are left.
    DueSoon,
    /// A later deadline was granted and is not near.
    Extended,
    /// The deadline has passed.
    Overdue,
    /// What was promised is there.
    Fulfilled,
    /// The procedure was ended.
    Terminated,
    /// The deadline has passed for too long.
    Breached,
    /// It was false, the decision is taken back.
    Revoked,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Open => "open",
            Self::DueSoon => "due_soon",
            Self::Extended => "extended",
            Self::Overdue => "overdue",
            Self::Fulfilled => "fulfilled",
            Self::Terminated => "terminated",
            Self::Breached => "breached",
            Self::Revoked => "revoked",
        }
    }

    /// Whether it is still waited for: the permit rests on a promise.
    pub(crate) fn is_pending(self) -> bool {
        matches!(self, Self::Open | Self::DueSoon | Self::Extended | Self::Overdue)
    }

    /// Whether the company may not commit again for some time.
    pub(crate) fn blocks(self) -> bool {
        matches!(self, Self::Breached | Self::Revoked)
    }
}

/// How an authority has ended a commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    /// The procedure was ended; the loss is the applicant's.
    Terminated,
    /// What was promised or declared was false.
    False,
}

/// What is known of a commitment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// The day it was made.
    pub(crate) date: i32,
    /// The day by which all is to be there, without an extension.
    pub(crate) due: i32,
    /// The later day that was granted.
    pub(crate) extended_to: Option<i32>,
    /// The day on which all was there.
    pub(crate) fulfilled: Option<i32>,
    /// How and when it was ended.
    pub(crate) ended: Option<(Ending, i32)>,
}

/// The numbers by which days are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Working days that are few.
    pub(crate) due_soon: u32,
    /// Working days after the deadline with which it is breached; `None`: time alone breaches nothing.
    pub(crate) breach: Option<u32>,
    /// Months for which a breach keeps a company from committing.
    pub(crate) block_months: u32,
}

/// The steps that a commitment has taken up to `today`, in order, each with its day; the last is how it stands.
pub(crate) fn course(facts: &Facts, pace: Pace, calendar: &Calendar, today: i32) -> Vec<(i32, Status)> {
    let last = last_day(facts.extended_to.unwrap_or(facts.due), calendar);
    let mut steps = vec![(facts.date, Status::Open)];
    let soon = |steps: &mut Vec<(i32, Status)>, due: i32, from: i32| {
        let day = calendar.before(due, pace.due_soon).max(from);
        steps.push((day, Status::DueSoon));
    };
    soon(&mut steps, last_day(facts.due, calendar), facts.date);
    if facts.extended_to.is_some() {
        // An extension is granted before the first deadline has passed; the days before it stay what they were.
        let granted = facts.due.min(today).max(facts.date);
        steps.retain(|(day, _)| *day <= granted);
        steps.push((granted, Status::Extended));
        soon(&mut steps, last, granted);
    }
    steps.push((last.saturating_add(1), Status::Overdue));
    let breach = pace.breach.map(|days| calendar.after(last, days.max(1)));
    steps.extend(breach.map(|day| (day, Status::Breached)));
    let ended = facts.ended.map(|(ending, day)| match ending {
        Ending::Terminated => (day, Status::Terminated),
        Ending::False => (day, Status::Revoked),
    });
    let fulfilled = facts.fulfilled.filter(|day| breach.is_none_or(|breach| *day < breach));
    let fulfilled = fulfilled.map(|day| (day.max(facts.date), Status::Fulfilled));
    // What ends it ends it: nothing follows. That it was false may come out later still.
    for end in [fulfilled, ended].into_iter().flatten() {
        let before = if end.1 == Status::Fulfilled { end.0.saturating_sub(1) } else { end.0 };
        let kept = steps.first().copied();
        steps.retain(|(day, status)| *day <= before || *status == Status::Open);
        if steps.is_empty() {
            steps.extend(kept);
        }
        steps.push(end);
    }
    steps.retain(|(day, status)| *day <= today || *status == Status::Open);
    steps.dedup_by(|later, earlier| {
        let same = later.1 == earlier.1 || later.0 == earlier.0;
        if same && later.1 != earlier.1 {
            *earlier = *later;
        }
        same
    });
    steps
}

/// A deadline on a day that is not worked ends with the next day that is (民法典 203).
pub(crate) fn last_day(due: i32, calendar: &Calendar) -> i32 {
    if calendar.is_workday(due) { due } else { calendar.after(due, 1) }
}

/// Until when a company may not commit, after these steps.
pub(crate) fn blocked_until(steps: &[(i32, Status)], pace: Pace) -> Option<i32> {
    let (day, _) = steps.last().filter(|(_, status)| status.blocks())?;
    Some(months_after(*day, pace.block_months))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Days, parse, show};

    fn day(text: &str) -> i32 {
        parse(text).unwrap()
    }

    /// 2026: 中秋 and 国庆 with their make-up days, as announced.
    fn calendar() -> Calendar {
        let holidays = (day("2026-09-25")..=day("2026-09-27")).chain(day("2026-10-01")..=day("2026-10-07"));
        let workdays = vec![day("2026-09-20"), day("2026-10-10")];
        Calendar::new(&Days { holidays: holidays.collect(), workdays, unannounced: Vec::new() })
    }

    /// The course as `day status`, for a commitment of 2026-09-01, due on `due`.
    fn told(due: &str, change: impl FnOnce(&mut Facts), today: &str) -> Vec<String> {
        let mut facts = Facts { date: day("2026-09-01"), due: day(due), ..Facts::default() };
        change(&mut facts);
        let pace = Pace { due_soon: 5, breach: Some(5), block_months: 12 };
        let steps = course(&facts, pace, &calendar(), day(today));
        steps.iter().map(|(day, status)| format!("{} {}", &show(*day)[5..], status.as_str())).collect()
    }

    #[test]
    fn time_alone_moves_a_commitment_on_the_right_days() {
        let none = |_: &mut Facts| {};
        for (due, today, expected) in [
            ("2026-09-30", "2026-09-21", &["09-01 open"][..]),
            // 23, 24, 28, 29, 30 are left.
            ("2026-09-30", "2026-09-22", &["09-01 open", "09-22 due_soon"]),
            ("2026-09-30", "2026-09-30", &["09-01 open", "09-22 due_soon"]),
            ("2026-09-30", "2026-10-01", &["09-01 open", "09-22 due_soon", "10-01 overdue"]),
            // 8, 9, 10 (a Saturday that is worked), 12, 13: the fifth.
            ("2026-09-30", "2026-10-12", &["09-01 open", "09-22 due_soon", "10-01 overdue"]),
            (
                "2026-09-30",
                "2026-12-31",
                &["09-01 open", "09-22 due_soon", "10-01 overdue", "10-13 breached"],
            ),
            // Over a weekend: due on Friday the 18th; Sunday the 20th is worked.
            ("2026-09-18", "2026-09-23", &["09-01 open", "09-11 due_soon", "09-19 overdue"]),
            (
                "2026-09-18",
                "2026-09-24",
                &["09-01 open", "09-11 due_soon", "09-19 overdue", "09-24 breached"],
            ),
            // Due on a holiday: it ends with the next working day.
            ("2026-10-03", "2026-10-08", &["09-01 open", "09-23 due_soon"]),
            ("2026-10-03", "2026-10-09", &["09-01 open", "09-23 due_soon", "10-09 overdue"]),
            // Due within five days: soon from the first.
            ("2026-09-03", "2026-09-02", &["09-01 due_soon"]),
        ] {
            assert_eq!(told(due, none, today), expected, "due {due}, on {today}");
        }
    }

    #[test]
    fn each_ending_is_reached_on_its_day_and_nothing_follows_it() {
        type Change = fn(&mut Facts);
        let fulfilled: Change = |facts| facts.fulfilled = parse("2026-09-10").ok();
        let late: Change = |facts| facts.fulfilled = parse("2026-10-09").ok();
        let too_late: Change = |facts| facts.fulfilled = parse("2026-10-20").ok();
        let extended: Change = |facts| facts.extended_to = parse("2026-10-14").ok();
        let terminated: Change =
            |facts| facts.ended = Some((Ending::Terminated, parse("2026-10-09").unwrap()));
        let falsified: Change = |facts| {
            facts.fulfilled = parse("2026-09-10").ok();
            facts.ended = Some((Ending::False, parse("2026-11-02").unwrap()));
        };
        for (change, expected) in [
            (fulfilled, &["09-01 open", "09-10 fulfilled"][..]),
            (late, &["09-01 open", "09-22 due_soon", "10-01 overdue", "10-09 fulfilled"]),
            (too_late, &["09-01 open", "09-22 due_soon", "10-01 overdue", "10-13 breached"]),
            (
                extended,
                &[
                    "09-01 open",
                    "09-22 due_soon",
                    "09-30 extended",
                    "10-08 due_soon",
                    "10-15 overdue",
                    "10-21 breached",
                ],
            ),
            (terminated, &["09-01 open", "09-22 due_soon", "10-01 overdue", "10-09 terminated"]),
            (falsified, &["09-01 open", "09-10 fulfilled", "11-02 revoked"]),
        ] {
            assert_eq!(told("2026-09-30", change, "2026-12-31"), expected);
        }
        let pace = Pace { due_soon: 5, breach: Some(5), block_months: 12 };
        assert_eq!(
            blocked_until(&[(day("2026-10-13"), Status::Breached)], pace).map(show).unwrap(),
            "2027-10-13"
        );
        assert_eq!(blocked_until(&[(day("2026-10-13"), Status::Overdue)], pace), None);
    }

    #[test]
    fn whoever_looks_every_day_sees_the_same_steps_as_one_who_slept() {
        for due in ["2026-09-03", "2026-09-18", "2026-09-26", "2026-09-30", "2026-10-03", "2026-10-10"] {
            let whole = told(due, |_| {}, "2026-12-31");
            let mut seen: Vec<String> = Vec::new();
            for today in day("2026-09-01")..=day("2026-12-31") {
                let step = told(due, |_| {}, &show(today)).pop().unwrap();
                if seen.last() != Some(&step) {
                    seen.push(step.clone());
                    assert!(step.starts_with(&show(today)[5..]), "{step} is seen on {}", show(today));
                }
            }
            assert_eq!(seen, whole, "due {due}");
        }
    }
}
