//! What is remembered of a project, and what a new report looks like beside it. Pure: no host, no batches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::options::HistoryOptions;
use super::text::Found;

/// One report of a project. Amounts in the record's unit; what was not reported is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Report {
    /// Months since the year 0.
    pub(super) month: i32,
    /// Whether the sender gave the month. Of a list that bears none it is not known whether it is a monthly report.
    #[serde(default)]
    pub(super) dated: bool,
    pub(super) total: Option<f64>,
    pub(super) plan: Option<f64>,
    pub(super) in_month: Option<f64>,
    pub(super) ytd: Option<f64>,
    pub(super) cumulative: Option<f64>,
    /// Works and installation.
    pub(super) works: Option<f64>,
    pub(super) percent: Option<f64>,
    pub(super) progress: Option<String>,
    /// How many reports before this one had its figures.
    #[serde(default)]
    pub(super) same: u32,
    /// How many months up to this one had investment and no works.
    #[serde(default)]
    pub(super) idle: u32,
}

/// All that is remembered of a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Past {
    /// The last report.
    pub(super) last: Option<Report>,
    /// The last report of an earlier month: what a correction of the last one is compared with.
    pub(super) before: Option<Report>,
    /// Investment by month of the last year reported.
    #[serde(default)]
    pub(super) months: BTreeMap<i32, f64>,
    /// Permit stages seen, by their place in the profile.
    #[serde(default)]
    pub(super) stages: Vec<usize>,
    /// The name under which the stages were permitted.
    #[serde(default)]
    pub(super) permitted_as: Option<String>,
}

impl Past {
    /// Takes in a report and tells what is odd about it beside what came before, each with the field to point at.
    pub(super) fn take(&mut self, mut now: Report, options: &HistoryOptions) -> Vec<(&'static str, Found)> {
        let mut found = Vec::new();
        let newest = self.last.as_ref().is_none_or(|last| now.month >= last.month);
        if !newest {
            // A month sent after a later one: it fills its place and is compared with nothing.
            if let Some(amount) = now.in_month.filter(|_| self.same_year(now.month)) {
                self.months.insert(now.month, amount);
            }
            return found;
        }
        if self.last.as_ref().is_some_and(|last| last.month < now.month) {
            self.before = self.last.take();
        }
        if let Some(before) = &self.before {
            compare(before, &mut now, options, &mut found);
        } else if now.in_month.is_some_and(|amount| amount > 0.0) && now.stands_still() {
            now.idle = 1;
        }
        self.sum_of_months(&now, options, &mut found);
        now.keep_what_is_not_said(self.last.as_ref().or(self.before.as_ref()));
        self.last = Some(now);
        found
    }

    fn same_year(&self, month: i32) -> bool {
        self.last.as_ref().is_some_and(|last| last.month.div_euclid(12) == month.div_euclid(12))
    }

    /// Keeps the months of the year, and adds them up once all are there.
    fn sum_of_months(
        &mut self,
        now: &Report,
        options: &HistoryOptions,
        found: &mut Vec<(&'static str, Found)>,
    ) {
        let january = now.month - now.month.rem_euclid(12);
        self.months.retain(|month, _| *month >= january);
        let Some(amount) = now.in_month else { return };
        self.months.insert(now.month, amount);
        let whole = (january..=now.month).all(|month| self.months.contains_key(&month));
        // A single month is no sum of months.
        if let Some(year) = now.ytd.filter(|_| whole && now.month > january) {
            let sum: f64 = self.months.values().sum();
            if (sum - year).abs() > options.sum_tolerance + 1e-9 {
                found.push(("ytd_investment", Found::Months { sum: round(sum), year }));
            }
        }
    }

    /// Takes in permit stages; gives the first that was skipped, and the one that stands behind it.
    pub(super) fn take_stages(&mut self, stages: &[usize]) -> Option<(usize, usize)> {
        for stage in stages {
            if !self.stages.contains(stage) {
                self.stages.push(*stage);
            }
        }
        let highest = self.stages.iter().max().copied()?;
        let skipped = (0..highest).find(|stage| !self.stages.contains(stage))?;
        Some((skipped, highest))
    }
}

impl Report {
    /// Whether neither works nor progress are reported.
    fn stands_still(&self) -> bool {
        self.works == Some(0.0) && self.percent.is_none_or(|percent| percent == 0.0)
    }

    /// Whether it tells anything that changes from month to month.
    fn has_figures(&self) -> bool {
        self.in_month.is_some() || self.ytd.is_some() || self.cumulative.is_some() || self.percent.is_some()
    }

    /// Whether it has the figures of another report.
    fn repeats(&self, other: &Self) -> bool {
        let amounts = |report: &Self| [report.in_month, report.ytd, report.cumulative, report.percent];
        amounts(self) == amounts(other) && self.progress == other.progress
    }

    /// A report of one department does not take back what another told.
    fn keep_what_is_not_said(&mut self, before: Option<&Self>) {
        let Some(before) = before else { return };
        let same_month = before.month == self.month;
        self.total = self.total.or(before.total);
        self.plan = self.plan.or(before.plan);
        self.cumulative = self.cumulative.or(before.cumulative);
        self.percent = self.percent.or(before.percent);
        if same_month {
            self.in_month = self.in_month.or(before.in_month);
            self.ytd = self.ytd.or(before.ytd);
            self.works = self.works.or(before.works);
        }
    }
}

/// Compares a report with the one of an earlier month.
fn compare(
    before: &Report,
    now: &mut Report,
    options: &HistoryOptions,
    found: &mut Vec<(&'static str, Found)>,
) {
    for (field, title, old, new) in [
        ("total_investment", "总投资", before.total, now.total),
        ("annual_plan_investment", "年度计划投资", before.plan, now.plan),
        ("cumulative_investment", "开工以来累计完成投资", before.cumulative, now.cumulative),
    ] {
        if let (Some(old), Some(new)) = (old, new)
            && wrong_unit(old, new)
        {
            found.push((field, Found::Unit { title: title.to_owned(), before: old, now: new }));
        }
    }
    let unit = !found.is_empty();
    if let (Some(old), Some(new)) = (before.cumulative, now.cumulative)
        && new < old
        && !unit
    {
        found.push(("cumulative_investment", Found::Fell { before: old, now: new }));
    }
    let dated = now.dated && before.dated;
    if dated && now.month > before.month + 1 {
        found.push(("report_month", Found::MonthsMissing { from: before.month + 1, to: now.month - 1 }));
    }
    if dated && now.has_figures() && now.repeats(before) {
        now.same = before.same + 1;
        if now.same >= options.same_months {
            found.push(("cumulative_investment", Found::Same { months: now.same }));
        }
    }
    three_quantities(before, now, options, found);
}

/// Domain.md section 12: investment, works and physical progress move together.
fn three_quantities(
    before: &Report,
    now: &mut Report,
    options: &HistoryOptions,
    found: &mut Vec<(&'static str, Found)>,
) {
    let climbed = match (before.percent, now.percent) {
        (Some(old), Some(new)) if new < old => {
            found.push(("progress_percent", Found::ProgressFell { before: old, now: new }));
            false
        }
        (Some(old), Some(new)) => new > old,
        _ => false,
    };
    let spent = now.in_month.unwrap_or(0.0) > 0.0;
    if spent && now.works == Some(0.0) && !climbed {
        now.idle = before.idle + 1;
        if now.idle >= options.idle_months {
            found.push(("month_investment", Found::MoneyOnly { months: now.idle }));
        }
    }
    if climbed && now.in_month == Some(0.0) {
        let (old, new) = (before.percent.unwrap_or(0.0), now.percent.unwrap_or(0.0));
        found.push(("progress_percent", Found::WorksOnly { before: old, now: new }));
    }
}

/// Whether two amounts differ by a factor near ten thousand: 万元 taken for 元, 亿元 for 万元 (domain.md section 3).
fn wrong_unit(old: f64, new: f64) -> bool {
    if old <= 0.0 || new <= 0.0 {
        return false;
    }
    let factor = if new > old { new / old } else { old / new };
    (5_000.0..=20_000.0).contains(&factor)
}

/// To the four places that amounts have.
fn round(amount: f64) -> f64 {
    (amount * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> HistoryOptions {
        serde_json::from_str(r#"{"key": [["project_code"]]}"#).unwrap()
    }

    fn month(number: i32) -> Report {
        Report { month: 2026 * 12 + number - 1, dated: true, ..Report::default() }
    }

    fn names(found: &[(&'static str, Found)]) -> Vec<&'static str> {
        found.iter().map(|(_, found)| found.name()).collect()
    }

    #[test]
    fn a_correction_is_compared_with_the_month_before_not_with_what_it_corrects() {
        let (mut past, options) = (Past::default(), options());
        let report = |at, cumulative| Report { cumulative: Some(cumulative), ..month(at) };
        assert!(past.take(report(3, 100.0), &options).is_empty());
        assert_eq!(names(&past.take(report(4, 90.0), &options)), ["V08.fell"]);
        assert!(past.take(report(4, 110.0), &options).is_empty(), "corrected upwards");
        assert!(past.take(report(4, 105.0), &options).is_empty(), "still above March");
        assert_eq!(names(&past.take(report(4, 99.0), &options)), ["V08.fell"]);
    }

    #[test]
    fn the_same_figures_three_times_and_not_twice_are_told() {
        let (mut past, options) = (Past::default(), options());
        let report = |at| Report { cumulative: Some(7.0), ..month(at) };
        let told: Vec<_> = (1..=4).map(|at| names(&past.take(report(at), &options)).len()).collect();
        assert_eq!(told, [0, 0, 0, 1]);
        let mut other = Past::default();
        for at in 1..=4 {
            assert!(other.take(month(at), &options).is_empty(), "nothing is told of what is not reported");
        }
    }

    #[test]
    fn a_list_without_a_month_misses_none() {
        let (mut past, options) = (Past::default(), options());
        let list = |at| Report { cumulative: Some(7.0), dated: false, ..month(at) };
        for at in [1, 4, 5, 6, 7] {
            assert!(past.take(list(at), &options).is_empty(), "{at}");
        }
    }

    #[test]
    fn a_unit_is_suspected_near_ten_thousand_times_only() {
        for (old, new, wrong) in [
            (5.0, 50_000.0, true),
            (50_000.0, 5.0, true),
            (5.0, 70_000.0, true),
            (5.0, 500.0, false),
            (5.0, 5_000_000.0, false),
            (0.0, 10_000.0, false),
        ] {
            assert_eq!(wrong_unit(old, new), wrong, "{old} {new}");
        }
    }

    #[test]
    fn months_are_added_up_when_all_of_them_are_there() {
        let (mut past, options) = (Past::default(), options());
        let report = |at, amount, year| Report { in_month: Some(amount), ytd: Some(year), ..month(at) };
        assert!(past.take(report(1, 10.0, 10.0), &options).is_empty());
        assert!(past.take(report(2, 20.0, 30.0), &options).is_empty());
        assert_eq!(names(&past.take(report(3, 20.0, 60.0), &options)), ["V09.months"]);
        let mut gap = Past::default();
        gap.take(report(1, 10.0, 10.0), &options);
        assert_eq!(names(&gap.take(report(3, 20.0, 60.0), &options)), ["V14.missing"]);
    }

    #[test]
    fn a_stage_may_come_with_others_and_none_may_be_skipped() {
        let mut past = Past::default();
        assert_eq!(past.take_stages(&[0, 1]), None);
        assert_eq!(past.take_stages(&[2]), None);
        assert_eq!(Past::default().take_stages(&[0, 2]), Some((1, 2)));
        assert_eq!(Past::default().take_stages(&[1]), Some((0, 1)));
    }
}
