//! What is missing in a row, what a commitment makes of it, and how the commitment stands.
//!
//! Plain values in, a verdict out: no columns, no clock, no texts.

use crate::calendar::{Calendar, MOST_WORKDAYS};
use crate::course::{Ending, Facts, Pace, Status, blocked_until, course, last_day};
use crate::materials::Wanted;

/// A node and its materials.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// What people call it.
    pub(crate) title: String,
    pub(crate) required: Vec<(Wanted, MayBeMissing)>,
}

/// Whether a commitment may stand in for a material.
pub(crate) type MayBeMissing = bool;

/// A commitment as sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claim {
    pub(crate) no: String,
    pub(crate) date: Option<i32>,
    pub(crate) deadline: Option<Deadline>,
    /// When the matter is promised to be handled.
    pub(crate) handling: Option<Deadline>,
    /// The materials it promises, in comparable form; `None` if the pipeline has no column for them.
    pub(crate) promised: Option<Vec<String>>,
    pub(crate) fulfilled: Option<i32>,
    pub(crate) extended_to: Option<i32>,
    /// Whether a reason for the extension is wanted and not given.
    pub(crate) without_reason: bool,
    /// How the authority has ended it, and when, if that is told.
    pub(crate) ending: Option<Ending>,
    pub(crate) ended_on: Option<i32>,
    /// What was known of it before this row.
    pub(crate) known: Option<Facts>,
}

/// By when the materials are promised.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deadline {
    Day(i32),
    Workdays(i64),
}

/// What the pipeline allows, and the day it is.
#[derive(Clone, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) limit: u32,
    pub(crate) default: u32,
    /// Working days by which the deadline lies before the handling.
    pub(crate) lead: u32,
    pub(crate) pace: Pace,
    /// Most working days of an extension.
    pub(crate) extension: u32,
    pub(crate) calendar: &'a Calendar,
    pub(crate) today: i32,
}

/// Why a commitment's days do not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No day from which to count.
    NoDate,
    /// Made in the future.
    NotYetMade,
    /// The deadline lies before the commitment, or is no positive number of days.
    Backwards,
    /// More working days than the limit.
    TooLong(i64),
    /// Later than this day, the last one before the promised handling.
    BeyondHandling(i32),
    /// The extension is not later than the deadline.
    ExtendedBackwards,
    /// More working days of extension than the limit.
    ExtendedTooLong(i64),
    /// The extension has no reason.
    NoReason,
}

/// Why no commitment covers a missing material.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uncovered {
    /// It must not be missing at all.
    Main,
    /// There is no commitment.
    NoCommitment,
    /// The commitment's days do not hold.
    Faulty,
    /// The commitment does not name it.
    NotPromised,
    /// The commitment is said to be fulfilled, yet the material is not there.
    SaidFulfilled,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) status: Status,
    pub(crate) due: Option<i32>,
    /// Missing materials of the claimed nodes, each once; `None` when no node is claimed.
    pub(crate) missing: Option<Vec<String>>,
    /// Those that nothing covers: index of the node among the claimed ones, the material, and why.
    pub(crate) uncovered: Vec<(usize, String, Uncovered)>,
    /// What is wrong with the days of a commitment that still counts.
    pub(crate) fault: Option<Fault>,
    /// The row only names a commitment that nobody has made yet.
    pub(crate) unknown: bool,
    /// Fulfilment is dated in the future, so it has not come about.
    pub(crate) fulfilled_in_future: bool,
    /// What is known of the commitment, if its days hold.
    pub(crate) facts: Option<Facts>,
    /// The steps it has taken, each with its day.
    pub(crate) steps: Vec<(i32, Status)>,
    /// Until when the company may not commit.
    pub(crate) blocked_until: Option<i32>,
    /// Claimed nodes that rest on it while it is not fulfilled (容缺), by their index.
    pub(crate) resting: Vec<usize>,
}

/// What there is of materials, in comparable form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Papers {
    /// Those handed in.
    pub(crate) given: Vec<String>,
    /// Those that letters of their own promise.
    pub(crate) promised: Vec<String>,
}

/// Judges a row that claims `nodes`, with these materials.
pub(crate) fn judge(nodes: &[&Node], papers: &Papers, claim: Option<&Claim>, terms: &Terms<'_>) -> Verdict {
    let given = papers.given.as_slice();
    let (mut due, mut fault) = claim.map_or((None, None), |claim| days(claim, terms));
    let first_due = due;
    if let (Some(claim), Some(first), None) = (claim, due, fault) {
        let (extended, wrong) = extension(claim, first, terms);
        (due, fault) = (extended.or(due), wrong);
    }
    let said_fulfilled = claim.and_then(|claim| claim.fulfilled);
    let is_fulfilled = said_fulfilled.is_some_and(|day| day <= terms.today);
    let why = |wanted: &Wanted, may_be_missing: bool| match claim {
        _ if !may_be_missing => Some(Uncovered::Main),
        _ if wanted.is_among(&papers.promised) => None,
        None => Some(Uncovered::NoCommitment),
        Some(_) if is_fulfilled => Some(Uncovered::SaidFulfilled),
        Some(_) if fault.is_some() => Some(Uncovered::Faulty),
        Some(claim) => {
            let promised = claim.promised.as_ref().is_none_or(|promised| wanted.is_among(promised));
            (!promised).then_some(Uncovered::NotPromised)
        }
    };
    let (mut missing, mut uncovered): (Vec<String>, Vec<(usize, String, Uncovered)>) = Default::default();
    for (i, node) in nodes.iter().enumerate() {
        for (wanted, may_be_missing) in node.required.iter().filter(|(wanted, _)| !wanted.is_among(given)) {
            if !missing.contains(&wanted.title) {
                missing.push(wanted.title.clone());
            }
            if let Some(why) = why(wanted, *may_be_missing)
                && uncovered.iter().all(|(_, title, _)| *title != wanted.title)
            {
                uncovered.push((i, wanted.title.clone(), why));
            }
        }
    }
    let there = claim.is_some_and(|claim| nothing_pending(nodes, &missing, given, claim));
    // A completion may come before its commitment does: the papers are kept until then.
    let unknown = uncovered.is_empty() && claim.is_some_and(only_names);
    if unknown {
        fault = None;
    }
    let facts = match (claim, first_due) {
        (Some(claim), Some(first)) => {
            let last = last_day(due.unwrap_or(first), terms.calendar);
            let fulfilled = said_fulfilled.filter(|_| is_fulfilled);
            Some(Facts {
                date: claim.date.unwrap_or(first.min(terms.today)),
                due: first,
                extended_to: due.filter(|due| *due != first),
                fulfilled: fulfilled.or(there.then(|| came(claim, last, terms.today))),
                ended: claim.ending.map(|ending| (ending, ended(claim, ending, terms.today))),
            })
        }
        _ => None,
    };
    let steps = facts.as_ref().map(|facts| course(facts, terms.pace, terms.calendar, terms.today));
    let steps = steps.unwrap_or_default();
    let status = match (claim, steps.last()) {
        (None, _) => Status::None,
        _ if unknown => Status::None,
        (Some(_), Some((_, status))) => *status,
        (Some(_), None) if is_fulfilled || there => Status::Fulfilled,
        (Some(_), None) => Status::Open,
    };
    let rests = |node: &&Node| {
        let mut wanted = node.required.iter();
        wanted.any(|(wanted, may_be_missing)| {
            let promised = status.is_pending() || wanted.is_among(&papers.promised);
            *may_be_missing && !wanted.is_among(given) && promised
        })
    };
    let resting = nodes.iter().enumerate().filter(|(_, node)| rests(node));
    Verdict {
        resting: resting.map(|(at, _)| at).collect(),
        blocked_until: blocked_until(&steps, terms.pace),
        facts: facts.filter(|_| fault.is_none()),
        steps,
        status,
        due,
        missing: (!nodes.is_empty()).then_some(missing),
        uncovered,
        unknown,
        fault: fault.filter(|_| status != Status::Fulfilled),
        fulfilled_in_future: said_fulfilled.is_some() && !is_fulfilled,
    }
}

/// Whether nothing is said of a commitment but which one it is.
fn only_names(claim: &Claim) -> bool {
    let promises = claim.promised.as_ref().is_some_and(|promised| !promised.is_empty());
    !claim.no.is_empty()
        && claim.date.is_none()
        && claim.deadline.is_none()
        && !promises
        && claim.extended_to.is_none()
        && claim.ending.is_none()
        && claim.fulfilled.is_none()
}

/// The day a commitment is due, and what is wrong with its days.
fn days(claim: &Claim, terms: &Terms<'_>) -> (Option<i32>, Option<Fault>) {
    let calendar = terms.calendar;
    let Some(date) = claim.date else {
        let due = match claim.deadline {
            Some(Deadline::Day(day)) => Some(day),
            _ => None,
        };
        return (due, Some(Fault::NoDate));
    };
    let (due, workdays, backwards) = match claim.deadline {
        None => (calendar.after(date, terms.default), terms.default.into(), false),
        Some(Deadline::Day(day)) => (day, calendar.between(date, day), day < date),
        Some(Deadline::Workdays(count)) => {
            let counted = count.clamp(0, MOST_WORKDAYS.into()) as u32;
            (calendar.after(date, counted), count, count < 1)
        }
    };
    let fault = if date > terms.today {
        Some(Fault::NotYetMade)
    } else if backwards {
        Some(Fault::Backwards)
    } else {
        let long = (workdays > terms.limit.into()).then_some(Fault::TooLong(workdays));
        long.or_else(|| beyond_handling(claim, date, due, terms))
    };
    (Some(due), fault)
}

/// Whether the deadline leaves no time before the promised handling.
fn beyond_handling(claim: &Claim, date: i32, due: i32, terms: &Terms<'_>) -> Option<Fault> {
    let handled = match claim.handling? {
        Deadline::Day(day) => day,
        Deadline::Workdays(count) => terms.calendar.after(date, count.clamp(0, MOST_WORKDAYS.into()) as u32),
    };
    let last = terms.calendar.before(handled, terms.lead);
    (due > last).then_some(Fault::BeyondHandling(last))
}

/// The day on which all that was promised came, which nobody said: today if the commitment was known to wait for it.
/// Of one that is met for the first time it counts as in time.
fn came(claim: &Claim, last: i32, today: i32) -> i32 {
    match &claim.known {
        Some(known) => known.fulfilled.unwrap_or(today),
        None => today.min(last),
    }
}

/// The day on which a commitment was ended; if nobody said it, the day on which that was first told.
fn ended(claim: &Claim, ending: Ending, today: i32) -> i32 {
    let known = claim.known.as_ref().and_then(|known| known.ended).filter(|(known, _)| *known == ending);
    claim.ended_on.or(known.map(|(_, day)| day)).unwrap_or(today)
}

/// Whether all that was promised is there: what the commitment names, else what the claimed nodes want.
fn nothing_pending(nodes: &[&Node], missing: &[String], given: &[String], claim: &Claim) -> bool {
    match claim.promised.as_deref() {
        Some(promised) if !promised.is_empty() => promised.iter().all(|form| given.contains(form)),
        _ => !nodes.is_empty() && missing.is_empty(),
    }
}

/// The later day that was granted, if it holds; else what is wrong with it.
fn extension(claim: &Claim, due: i32, terms: &Terms<'_>) -> (Option<i32>, Option<Fault>) {
    let Some(to) = claim.extended_to else { return (None, None) };
    let workdays = terms.calendar.between(last_day(due, terms.calendar), to);
    if to <= due {
        (None, Some(Fault::ExtendedBackwards))
    } else if workdays > terms.extension.into() {
        (None, Some(Fault::ExtendedTooLong(workdays)))
    } else if claim.without_reason {
        (None, Some(Fault::NoReason))
    } else {
        (Some(to), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{parse, show};
    use crate::materials::plain;

    const TODAY: &str = "2024-06-14"; // A Friday.

    fn claim(date: &str, deadline: Option<Deadline>) -> Claim {
        let date = (!date.is_empty()).then(|| parse(date).unwrap());
        Claim { no: "容2024-1".into(), date, deadline, ..Claim::default() }
    }

    fn on(text: &str) -> Option<Deadline> {
        Some(Deadline::Day(parse(text).unwrap()))
    }

    fn terms(calendar: &Calendar) -> Terms<'_> {
        let pace = Pace { due_soon: 5, breach: None, block_months: 12 };
        Terms { limit: 20, default: 20, lead: 2, pace, extension: 10, calendar, today: parse(TODAY).unwrap() }
    }

    #[test]
    fn an_extension_counts_once_it_is_reasoned_later_and_not_too_long() {
        // Due on 2024-06-13, the day before today.
        let late = claim("2024-06-03", on("2024-06-13"));
        for (to, without_reason, fault, status, due) in [
            ("2024-06-27", false, None, Status::Extended, "2024-06-27"),
            ("2024-06-21", false, None, Status::DueSoon, "2024-06-21"),
            ("2024-06-28", false, Some(Fault::ExtendedTooLong(11)), Status::Overdue, "2024-06-13"),
            ("2024-06-13", false, Some(Fault::ExtendedBackwards), Status::Overdue, "2024-06-13"),
            ("2024-06-27", true, Some(Fault::NoReason), Status::Overdue, "2024-06-13"),
        ] {
            let claim = Claim { extended_to: parse(to).ok(), without_reason, ..late.clone() };
            let verdict = start(&["许可证"], Some(&claim));
            assert_eq!((verdict.fault, verdict.status), (fault, status), "{to} {without_reason}");
            assert_eq!(verdict.due.map(show).as_deref(), Some(due), "{to} {without_reason}");
        }
    }

    #[test]
    fn a_node_that_rests_on_an_open_commitment_is_told() {
        let open = claim("2024-06-03", None);
        assert_eq!(start(&["许可证"], Some(&open)).resting, [0]);
        assert!(start(&["许可证", "照片"], Some(&open)).resting.is_empty());
        let ended = Claim { ending: Some(Ending::False), ended_on: parse("2024-06-12").ok(), ..open };
        let verdict = start(&["许可证"], Some(&ended));
        assert_eq!((verdict.status, verdict.resting.len()), (Status::Revoked, 0));
        assert_eq!(verdict.blocked_until.map(show).as_deref(), Some("2025-06-12"));
    }

    fn papers(given: &[&str], promised: &[&str]) -> Papers {
        let plain = |texts: &[&str]| texts.iter().map(|text| plain(text)).collect();
        Papers { given: plain(given), promised: plain(promised) }
    }

    #[test]
    fn what_letters_of_their_own_promise_may_be_missing_and_the_node_rests_on_them() {
        for (given, promised, uncovered, resting) in [
            (&["许可证"][..], &["照片"][..], 0, 1),
            (&["许可证"], &["合同"], 1, 0),
            (&["照片"], &["许可证"], 1, 0), // A main material cannot be promised.
            (&["许可证", "照片"], &["照片"], 0, 0),
        ] {
            let verdict = start_with(&papers(given, promised), None);
            let found = (verdict.uncovered.len(), verdict.resting.len());
            assert_eq!(found, (uncovered, resting), "{given:?} {promised:?}");
        }
    }

    #[test]
    fn a_number_alone_waits_for_its_commitment() {
        let verdict = start(&["许可证", "照片"], Some(&claim("", None)));
        assert_eq!((verdict.unknown, verdict.fault, verdict.status), (true, None, Status::None));
        let verdict = start(&["许可证", "照片"], Some(&claim("", on("2024-06-20"))));
        assert!(!verdict.unknown);
    }

    #[test]
    fn a_deadline_leaves_two_working_days_before_the_promised_handling() {
        // Handled on Wednesday the 19th, so by Monday the 17th all must be there.
        for (deadline, handling, fault) in [
            ("2024-06-17", on("2024-06-19"), None),
            ("2024-06-18", on("2024-06-19"), Some(Fault::BeyondHandling(parse("2024-06-17").unwrap()))),
            ("2024-06-13", Some(Deadline::Workdays(10)), None), // By the 17th, a Monday.
            (
                "2024-06-14",
                Some(Deadline::Workdays(10)),
                Some(Fault::BeyondHandling(parse("2024-06-13").unwrap())),
            ),
            ("2024-06-28", None, None),
        ] {
            let claim = Claim { handling, ..claim("2024-06-03", on(deadline)) };
            assert_eq!(start(&["许可证"], Some(&claim)).fault, fault, "{deadline} {handling:?}");
        }
    }

    /// Judges a start that wants a permit and, waivable, a photo.
    fn start(given: &[&str], claim: Option<&Claim>) -> Verdict {
        start_with(&papers(given, &[]), claim)
    }

    fn start_with(papers: &Papers, claim: Option<&Claim>) -> Verdict {
        let wanted = |name| Wanted::parse(name).unwrap();
        let node = Node {
            title: "开工".into(),
            required: vec![(wanted("许可证"), false), (wanted("照片"), true)],
        };
        let calendar = Calendar::default();
        let terms = terms(&calendar);
        judge(&[&node], papers, claim, &terms)
    }

    #[test]
    fn only_what_may_be_missing_and_is_promised_in_time_is_let_through() {
        use Uncovered::{Faulty, Main, NoCommitment, NotPromised, SaidFulfilled};
        let good = claim("2024-06-03", None);
        let promised = |list: &[&str]| {
            let promised = Some(list.iter().map(|text| plain(text)).collect());
            Some(Claim { promised, ..good.clone() })
        };
        let fulfilled = Claim { fulfilled: parse("2024-06-13").ok(), ..good.clone() };
        let table: [(&[&str], Option<Claim>, &[Uncovered]); 12] = [
            (&["许可证", "照片"], None, &[]),
            (&["许可证"], None, &[NoCommitment]),
            (&["许可证"], Some(good.clone()), &[]),
            (&["照片"], Some(good.clone()), &[Main]),
            (&[], None, &[Main, NoCommitment]), // Also what null materials come to.
            (&["许可证"], promised(&["照片"]), &[]),
            (&["许可证"], promised(&["合同"]), &[NotPromised]),
            (&["许可证"], promised(&[]), &[NotPromised]), // A null list promises nothing.
            (&["许可证"], Some(claim("", on("2024-06-20"))), &[Faulty]), // A null date.
            (&["许可证"], Some(claim("", None)), &[Faulty]), // A number alone promises nothing.
            (&["许可证"], Some(claim("2024-06-03", on("2024-09-03"))), &[Faulty]),
            (&["许可证"], Some(fulfilled), &[SaidFulfilled]),
        ];
        for (given, claim, expected) in table {
            let verdict = start(given, claim.as_ref());
            let why: Vec<Uncovered> = verdict.uncovered.iter().map(|(_, _, why)| *why).collect();
            assert_eq!(why, expected, "{given:?} {claim:?}");
        }
    }

    #[test]
    fn a_commitment_stands_by_its_due_day() {
        use Status::{DueSoon, Fulfilled, Open, Overdue};
        let table = [
            (claim("2024-06-03", None), Open, "2024-07-01"), // 20 working days.
            (claim("2024-06-03", Some(Deadline::Workdays(15))), Open, "2024-06-24"), // 6 left.
            (claim("2024-06-03", Some(Deadline::Workdays(14))), DueSoon, "2024-06-21"), // 5 left.
            (claim("2024-06-03", on("2024-06-14")), DueSoon, "2024-06-14"), // Today.
            (claim("2024-06-03", on("2024-06-13")), Overdue, "2024-06-13"),
            (
                Claim { fulfilled: parse("2024-06-14").ok(), ..claim("2024-06-03", None) },
                Fulfilled,
                "2024-07-01",
            ),
            // Fulfilment that lies in the future has not come about.
            (Claim { fulfilled: parse("2024-06-15").ok(), ..claim("2024-06-03", None) }, Open, "2024-07-01"),
        ];
        for (claim, status, due) in table {
            let verdict = start(&["许可证"], Some(&claim));
            assert_eq!((verdict.status, verdict.due.map(show).as_deref()), (status, Some(due)), "{claim:?}");
        }
        // All there: fulfilled without a word about it.
        assert_eq!(start(&["许可证", "照片"], Some(&claim("2024-06-03", None))).status, Fulfilled);
        assert_eq!(start(&["许可证", "照片"], None).status, Status::None);
    }

    #[test]
    fn papers_of_a_known_commitment_came_on_the_day_on_which_they_are_first_seen() {
        let all: &[&str] = &["许可证", "照片"];
        let due = parse("2024-06-07").unwrap(); // A Friday; five working days later is today.
        let waiting = Facts { date: parse("2024-06-03").unwrap(), due, ..Facts::default() };
        let done = Facts { fulfilled: parse("2024-06-05").ok(), ..waiting.clone() };
        for (known, breach, status, since) in [
            (None, Some(5), Status::Fulfilled, "2024-06-07"),
            (Some(&done), Some(5), Status::Fulfilled, "2024-06-05"),
            (Some(&waiting), Some(6), Status::Fulfilled, TODAY),
            (Some(&waiting), None, Status::Fulfilled, TODAY),
            (Some(&waiting), Some(5), Status::Breached, TODAY), // Late papers undo no breach.
        ] {
            let claim = Claim { known: known.cloned(), ..claim("2024-06-03", Some(Deadline::Day(due))) };
            let calendar = Calendar::default();
            let mut terms = terms(&calendar);
            terms.pace.breach = breach;
            let node = Node {
                title: "开工".into(),
                required: vec![
                    (Wanted::parse("许可证").unwrap(), false),
                    (Wanted::parse("照片").unwrap(), true),
                ],
            };
            let verdict = judge(&[&node], &papers(all, &[]), Some(&claim), &terms);
            let (day, last) = verdict.steps.last().unwrap();
            assert_eq!((*last, &*show(*day)), (status, since), "{known:?} {breach:?}");
        }
    }

    #[test]
    fn days_that_do_not_hold_are_told() {
        let table = [
            (claim("", None), Some(Fault::NoDate)),
            (claim("2024-06-15", None), Some(Fault::NotYetMade)),
            (claim("2024-06-03", on("2024-06-01")), Some(Fault::Backwards)),
            (claim("2024-06-03", Some(Deadline::Workdays(0))), Some(Fault::Backwards)),
            (claim("2024-06-03", Some(Deadline::Workdays(20))), None),
            (claim("2024-06-03", Some(Deadline::Workdays(21))), Some(Fault::TooLong(21))),
            (claim("2024-06-03", Some(Deadline::Workdays(i64::MAX))), Some(Fault::TooLong(i64::MAX))),
            (claim("2024-06-03", on("2024-07-01")), None),
            (claim("2024-06-03", on("2024-07-02")), Some(Fault::TooLong(21))),
        ];
        for (claim, fault) in table {
            assert_eq!(start(&["许可证"], Some(&claim)).fault, fault, "{claim:?}");
        }
    }

    #[test]
    fn without_a_claimed_node_nothing_is_missing_and_a_commitment_runs_on() {
        let calendar = Calendar::default();
        let terms = terms(&calendar);
        let none = judge(&[], &Papers::default(), None, &terms);
        assert_eq!((none.status, none.missing), (Status::None, None));
        let early = judge(&[], &Papers::default(), Some(&claim("2024-06-03", None)), &terms);
        assert_eq!((early.status, early.missing), (Status::Open, None));
    }
}
