//! What `commitment` says to the sender of a row. All texts are here.

use huiliu_stage::{Fate, Finding, Severity, Text};

use crate::calendar::show;
use crate::course::Status;
use crate::judge::{Claim, Fault, Node, Terms, Uncovered, Verdict};
use crate::options::Severities;

/// Codes that say of a row that it was accepted on commitment.
const ACCEPTED: [&str; 2] = ["commitment-open", "commitment-due-soon"];

/// Which columns to point at.
pub(crate) struct Fields<'a> {
    pub(crate) no: String,
    pub(crate) materials: &'a str,
    pub(crate) date: String,
    pub(crate) deadline: String,
    pub(crate) fulfilled: String,
    pub(crate) extended_to: String,
}

/// Everything there is to say of a row.
pub(crate) fn findings(
    row: i64,
    nodes: &[&Node],
    claim: Option<&Claim>,
    verdict: &Verdict,
    terms: &Terms<'_>,
    weigh: &Severities,
    fields: &Fields<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (node, material, why) in &verdict.uncovered {
        let node = nodes.get(*node).map_or("", |node| &node.title);
        let finding = Finding::new(Some(row), weigh.missing, "V19", missing(node, material, *why));
        findings.push(finding.with_field(fields.materials).with_raw(material));
    }
    if let Some(fault) = verdict.fault {
        let field = match fault {
            Fault::NoDate | Fault::NotYetMade => &fields.date,
            Fault::Backwards | Fault::TooLong(_) | Fault::BeyondHandling(_) => &fields.deadline,
            Fault::ExtendedBackwards | Fault::ExtendedTooLong(_) | Fault::NoReason => &fields.extended_to,
        };
        let finding = Finding::new(Some(row), weigh.deadline, "V19", days(fault, terms));
        findings.push(finding.with_field(field));
    } else if let (Some(claim), true) = (claim, verdict.unknown) {
        findings.push(unknown(row, &claim.no).with_field(&fields.no));
    } else if let Some(claim) = claim {
        findings.extend(standing(row, claim, verdict, terms, weigh, fields));
    }
    findings.extend(verdict.due.and_then(|due| doubtful(row, due, verdict.status, terms, fields)));
    if verdict.fulfilled_in_future {
        let text = Text::new(
            "承诺履行日期晚于今天，暂不视为已履行；请核对日期",
            "the day of fulfilment lies in the future, so the commitment is not fulfilled yet; check the date",
        );
        let finding = Finding::new(Some(row), Severity::Warning, "commitment-date", text);
        findings.push(finding.with_field(&fields.fulfilled));
    }
    findings
}

/// A deadline that was counted though the holidays of its year are not announced.
fn doubtful(row: i64, due: i32, status: Status, terms: &Terms<'_>, fields: &Fields<'_>) -> Option<Finding> {
    if !status.is_pending() || !terms.calendar.has_years() || terms.calendar.knows(due) {
        return None;
    }
    let day = show(due);
    let year: String = day.chars().take(4).collect();
    let text = Text::new(
        format!(
            "补交期限{day}所在的{year}年放假安排尚未公布（或未录入节假日表），暂按周末和法定节日推算；公布后请更新节假日表"
        ),
        format!(
            "the deadline {day} is in {year}, whose holidays are not announced (or not in the table); it was counted by \
             weekends and the days that the law fixes; bring the table up to date when they are"
        ),
    );
    Some(
        Finding::new(Some(row), Severity::Warning, "calendar", text)
            .with_field(&fields.deadline)
            .with_raw(day),
    )
}

/// Of a row that names a commitment which nobody has made yet.
fn unknown(row: i64, no: &str) -> Finding {
    let text = Text::new(
        format!("还没有收到承诺“{no}”，所报材料先记下，承诺报来后一并核对；如编号有误，请更正"),
        format!(
            "commitment `{no}` has not come yet; what is said of it is kept until it does; check the number"
        ),
    );
    Finding::new(Some(row), Severity::Warning, "commitment-unknown", text)
}

/// Takes back that a row was accepted on commitment when something told of it, from the place `before` on, refuses it.
pub(crate) fn take_back_acceptance(findings: &mut Vec<Finding>, before: usize) {
    let told = findings.split_off(before.min(findings.len()));
    let refused = told.iter().any(|finding| finding.severity == Severity::Error);
    findings.extend(told.into_iter().filter(|finding| !(refused && ACCEPTED.contains(&&*finding.code))));
}

/// Of a row whose status has not changed.
pub(crate) fn unchanged(row: i64) -> Finding {
    let text = Text::new("容缺承诺状态没有变化", "the commitment stands as it did");
    Finding::new(Some(row), Severity::Info, "commitment-unchanged", text).with_fate(Fate::Dropped)
}

fn missing(node: &str, material: &str, why: Uncovered) -> Text {
    let (zh, en) = match why {
        Uncovered::Main => {
            ("，该材料不可容缺，请补交后重报", "it may not be missing; hand it in and send the row again")
        }
        Uncovered::NoCommitment => (
            "；如需容缺受理，请填写承诺日期和补交期限",
            "to hand it in later, give the date and deadline of a commitment",
        ),
        Uncovered::Faulty => (
            "；承诺的日期或期限不符合要求，不能容缺，请更正",
            "the commitment's date or deadline does not hold; correct it or hand the material in",
        ),
        Uncovered::NotPromised => (
            "；承诺书所列材料中没有该项，请补列或补交",
            "the commitment does not name it; add it there or hand the material in",
        ),
        Uncovered::SaidFulfilled => (
            "；承诺已填报为履行完毕，但已交材料中没有该项，请核对",
            "the commitment is said to be fulfilled, yet the material is not among those handed in; please check",
        ),
    };
    Text::new(format!("{node}缺少材料“{material}”{zh}"), format!("{node}: `{material}` is missing; {en}"))
}

fn days(fault: Fault, terms: &Terms<'_>) -> Text {
    let (limit, extension) = (terms.limit, terms.extension);
    match fault {
        Fault::BeyondHandling(last) => Text::new(
            format!("补交期限距承诺办结时限不足{}个工作日，最晚为{}，请提前", terms.lead, show(last)),
            format!(
                "the deadline leaves less than {} working days before the promised handling; give {} or earlier",
                terms.lead,
                show(last)
            ),
        ),
        Fault::ExtendedBackwards => Text::new(
            "延期后的期限不晚于原补交期限，请更正",
            "the extension is not later than the deadline; correct it",
        ),
        Fault::ExtendedTooLong(workdays) => Text::new(
            format!("延期{workdays}个工作日，超过{extension}个工作日的上限，请缩短"),
            format!("the extension is {workdays} working days, the limit is {extension}; shorten it"),
        ),
        Fault::NoReason => Text::new(
            "延期没有填写理由，不予认可；请补填理由（如不可抗力）",
            "the extension has no reason, so it does not count; give one, such as force majeure",
        ),
        Fault::NoDate => Text::new(
            "承诺没有填写日期，无法核对补交期限，请补填承诺日期",
            "the commitment has no date, so its deadline cannot be checked; add the date",
        ),
        Fault::NotYetMade => {
            Text::new("承诺日期晚于今天，请更正", "the commitment's date lies in the future; correct it")
        }
        Fault::Backwards => Text::new(
            "补交期限早于承诺日期或不是正数，请更正",
            "the deadline lies before the commitment or is not a positive number of days; correct it",
        ),
        Fault::TooLong(workdays) => Text::new(
            format!("补交期限为承诺后{workdays}个工作日，超过{limit}个工作日的上限，请缩短期限"),
            format!(
                "the deadline is {workdays} working days after the commitment, the limit is {limit}; shorten it"
            ),
        ),
    }
}

/// What the commitment is waiting for, by its status.
fn standing(
    row: i64,
    claim: &Claim,
    verdict: &Verdict,
    terms: &Terms<'_>,
    weigh: &Severities,
    fields: &Fields<'_>,
) -> Option<Finding> {
    let due = verdict.due?;
    let missing = verdict.missing.as_deref().unwrap_or_default();
    let what = if missing.is_empty() { "承诺补交的材料".to_owned() } else { missing.join("、") };
    let what_en = if missing.is_empty() { "the promised materials".to_owned() } else { missing.join(", ") };
    let no = if claim.no.is_empty() { String::new() } else { format!("（承诺书{}）", claim.no) };
    let day = show(due);
    let left = terms.calendar.between(terms.today, due);
    let (severity, code, text) = match verdict.status {
        Status::Open | Status::Extended => (
            Severity::Info,
            "commitment-open",
            Text::new(
                format!("容缺受理{no}：{what}须于{day}前补交，还有{left}个工作日"),
                format!("accepted on commitment: hand in {what_en} by {day}; {left} working days are left"),
            ),
        ),
        Status::DueSoon => (
            Severity::Warning,
            "commitment-due-soon",
            Text::new(
                format!("容缺承诺即将到期{no}：{what}须于{day}前补交，只剩{left}个工作日"),
                format!(
                    "the commitment is due soon: hand in {what_en} by {day}; only {left} working days are left"
                ),
            ),
        ),
        Status::Overdue => (
            weigh.overdue,
            "V20",
            Text::new(
                format!("容缺承诺已逾期{no}：{what}应于{day}前补交，请立即补交"),
                format!("the commitment is overdue: {what_en} was due on {day}; hand it in now"),
            ),
        ),
        Status::Breached | Status::Revoked => {
            let since = verdict.steps.last().map(|(day, _)| show(*day)).unwrap_or_default();
            let until = verdict.blocked_until.map(show).unwrap_or_default();
            let (why, why_en) = match verdict.status {
                Status::Revoked => ("不实", "was false"),
                _ => ("逾期未补交，已违约", "was not kept"),
            };
            let text = Text::new(
                format!(
                    "容缺承诺{why}{no}：{what}应于{day}前补交；自{since}起，企业在{until}前不得再作容缺承诺"
                ),
                format!(
                    "the commitment {why_en}: {what_en} was due on {day}; since {since} the company may not commit again \
                     before {until}"
                ),
            );
            (weigh.overdue, "V20", text)
        }
        Status::None | Status::Fulfilled | Status::Terminated => return None,
    };
    Some(Finding::new(Some(row), severity, code, text).with_field(fields.materials).with_raw(day))
}
