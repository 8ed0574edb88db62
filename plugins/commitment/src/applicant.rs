//! Who may commit, and how often: what only memory and the credit list know (domain.md section 10, points 4 and 5).
//!
//! Every commitment that was accepted is remembered under its company and under its project. A new one is checked
//! against them and against the credit list on the day it was made; one that was accepted before is not checked
//! again, but it may be extended only once.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use huiliu_stage::{Host, HostError, Text};
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, months_after, parse, show};
use crate::course::{Facts, Pace, Status, course};
use crate::options::{ApplicantOptions, CreditOptions};

/// A commitment as it is remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) facts: Facts,
    /// What it promises, in comparable form.
    pub(crate) materials: Vec<String>,
}

/// Whose commitment it is, and which; parts that are not known are empty.
#[derive(Clone, Debug)]
pub(crate) struct Who<'a> {
    pub(crate) company: &'a str,
    pub(crate) project: &'a str,
    pub(crate) no: &'a str,
}

/// Why a commitment is not open to its applicant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// On the credit list since that day, with this status.
    Listed(String, Option<i32>),
    /// An earlier commitment was breached or false; blocked until.
    Blocked(i32),
    /// So many are open already.
    TooMany(usize),
    /// The project has promised this material before.
    Again(String),
    /// It was extended before.
    SecondExtension,
    /// It was breached on that day, before the extension.
    ExtendedTooLate(i32),
    /// The deadline was put off without an extension.
    Moved(i32),
}

impl Refused {
    /// What the sender is told.
    pub(crate) fn text(&self) -> Text {
        match self {
            Self::Listed(status, since) => {
                let (zh, en) = since.map_or((String::new(), String::new()), |day| {
                    (format!("（{}列入）", show(day)), format!(" since {}", show(day)))
                });
                Text::new(
                    format!("企业信用状况为“{status}”{zh}，信用修复前不适用容缺受理；请按一般程序办理"),
                    format!(
                        "the company is listed as `{status}`{en}; until its credit is repaired it may not commit"
                    ),
                )
            }
            Self::Blocked(until) => Text::new(
                format!("企业此前的容缺承诺违约或不实，{}前不得再作容缺承诺；请按一般程序办理", show(*until)),
                format!(
                    "an earlier commitment of the company was broken or false; it may not commit before {}",
                    show(*until)
                ),
            ),
            Self::TooMany(open) => Text::new(
                format!("企业已有{open}项容缺承诺尚未履行，达到上限；请先补交"),
                format!("the company has {open} commitments open, which is the limit; fulfil one first"),
            ),
            Self::Again(material) => Text::new(
                format!("该项目已就“{material}”作过容缺承诺，不能再次承诺；请直接补交"),
                format!("the project has promised `{material}` before and may not do so again; hand it in"),
            ),
            Self::SecondExtension => Text::new(
                "该承诺已延期一次，不能再次延期",
                "the commitment was extended once and may not be again",
            ),
            Self::ExtendedTooLate(since) => Text::new(
                format!("该承诺已于{}违约，不能再延期", show(*since)),
                format!("the commitment was breached on {} and cannot be extended any more", show(*since)),
            ),
            Self::Moved(before) => Text::new(
                format!("补交期限原为{}，不能直接改晚；如需延期请填写延期后期限和理由", show(*before)),
                format!(
                    "the deadline was {}; to put it off give the extension and its reason",
                    show(*before)
                ),
            ),
        }
    }
}

/// Checks a commitment and, if nothing speaks against it, remembers it when `accept` is called.
pub(crate) struct Applicant<'a> {
    pub(crate) options: &'a ApplicantOptions,
    pub(crate) credit: &'a Credit,
    pub(crate) host: &'a dyn Host,
    pub(crate) calendar: &'a Calendar,
    pub(crate) pace: Pace,
}

impl Applicant<'_> {
    /// Everything that speaks against a commitment; `deadline_given` tells whether its deadline is its own.
    ///
    /// # Errors
    /// The host failed.
    pub(crate) fn check(
        &self,
        who: &Who<'_>,
        entry: &Entry,
        deadline_given: bool,
    ) -> Result<Vec<Refused>, HostError> {
        if let Some(known) = self.known(who, entry.facts.date)? {
            let (before, now) = (&known.facts, &entry.facts);
            let today = course(before, self.pace, self.calendar, self.host.today()).last().copied();
            let late = today.filter(|(_, status)| {
                *status == Status::Breached && now.extended_to.is_some() && before.extended_to.is_none()
            });
            if let Some((since, _)) = late {
                return Ok(vec![Refused::ExtendedTooLate(since)]);
            }
            let again = before.extended_to.is_some()
                && now.extended_to.is_some_and(|to| before.extended_to != Some(to));
            let moved = deadline_given && now.due > before.due;
            let second = again.then_some(Refused::SecondExtension);
            return Ok(second.into_iter().chain(moved.then_some(Refused::Moved(before.due))).collect());
        }
        let day = entry.facts.date;
        let mut refused = Vec::new();
        refused.extend(
            self.credit.listed(who.company, day).map(|(status, since)| Refused::Listed(status, since)),
        );
        let others = self.entries(b'c', who.company)?;
        let stand = |other: &Entry| course(&other.facts, self.pace, self.calendar, day).last().copied();
        let blocked = others.iter().filter_map(|other| {
            let (since, status) = stand(other).filter(|(since, status)| status.blocks() && *since <= day)?;
            debug_assert!(matches!(status, Status::Breached | Status::Revoked));
            let until = months_after(since, self.pace.block_months);
            (day < until && !self.credit.repaired(who.company, since, day)).then_some(until)
        });
        refused.extend(blocked.max().map(Refused::Blocked));
        let pending =
            |other: &&Entry| other.facts.date <= day && stand(other).is_some_and(|(_, s)| s.is_pending());
        let open = others.iter().filter(pending).count();
        if open >= self.options.max_open {
            refused.push(Refused::TooMany(open));
        }
        let before = self.entries(b'p', who.project)?;
        for material in &entry.materials {
            if before.iter().filter(|other| other.materials.contains(material)).count()
                >= self.options.max_per_material
            {
                refused.push(Refused::Again(material.clone()));
            }
        }
        Ok(refused)
    }

    /// What other commitments of the project promise that are still waited for.
    ///
    /// # Errors
    /// The host failed.
    pub(crate) fn promised_otherwise(&self, who: &Who<'_>) -> Result<Vec<String>, HostError> {
        let waits = |other: &Entry| {
            let steps = course(&other.facts, self.pace, self.calendar, self.host.today());
            steps.last().is_some_and(|(_, status)| status.is_pending())
        };
        let others = self.entries(b'p', who.project)?;
        Ok(others.into_iter().filter(waits).flat_map(|other| other.materials).collect())
    }

    /// Remembers a commitment as it is now.
    ///
    /// # Errors
    /// The host failed.
    pub(crate) fn accept(&self, who: &Who<'_>, entry: &Entry) -> Result<(), HostError> {
        let text = serde_json::to_vec(entry).map_err(|error| HostError(error.to_string()))?;
        for (kind, owner) in [(b'c', who.company), (b'p', who.project)] {
            if !owner.is_empty() {
                self.host.state_put(&key(kind, owner, &name(who, entry.facts.date)), &text)?;
            }
        }
        Ok(())
    }

    /// The commitment of that day as it was last remembered.
    ///
    /// # Errors
    /// The host failed.
    pub(crate) fn known(&self, who: &Who<'_>, date: i32) -> Result<Option<Entry>, HostError> {
        for (kind, owner) in [(b'p', who.project), (b'c', who.company)] {
            if owner.is_empty() {
                continue;
            }
            if let Some(text) = self.host.state_get(&key(kind, owner, &name(who, date)))? {
                return Ok(serde_json::from_slice(&text).ok());
            }
        }
        Ok(None)
    }

    fn entries(&self, kind: u8, owner: &str) -> Result<Vec<Entry>, HostError> {
        let mut all = Vec::new();
        if !owner.is_empty() {
            self.host.state_scan(&key(kind, owner, ""), &mut |_, text| {
                all.extend(serde_json::from_slice::<Entry>(text));
                true
            })?;
        }
        Ok(all)
    }
}

/// What tells a commitment from others of the same owner: its project and its number, or its day if it has none.
fn name(who: &Who<'_>, date: i32) -> String {
    match who.no {
        "" => format!("{}\0{date}", who.project),
        no => format!("\0{no}"),
    }
}

fn key(kind: u8, owner: &str, name: &str) -> Vec<u8> {
    [&[kind, 0], owner.as_bytes(), &[0], name.as_bytes()].concat()
}

/// A line of the credit list.
#[derive(Clone, Debug)]
struct Listed {
    status: String,
    since: Option<i32>,
    repaired: Option<i32>,
}

/// The credit list, by company.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credit(HashMap<String, Vec<Listed>>);

impl Credit {
    /// Reads the list. A day that cannot be read counts as not given.
    ///
    /// # Errors
    /// A column is missing.
    pub(crate) fn read(options: &CreditOptions, table: &RecordBatch) -> Result<Self, String> {
        let column = |name: &str| {
            let found = table.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            found.ok_or_else(|| format!("there is no column `{name}` of texts"))
        };
        let (company, status) = (column(&options.company)?, column(&options.status)?);
        let since = options.since.as_deref().map(column).transpose()?;
        let repaired = options.repaired.as_deref().map(column).transpose()?;
        let mut all: HashMap<String, Vec<Listed>> = HashMap::new();
        for row in (0..table.num_rows()).filter(|&row| company.is_valid(row) && status.is_valid(row)) {
            let day = |days: Option<&arrow::array::StringArray>| {
                days.filter(|days| days.is_valid(row)).and_then(|days| parse(days.value(row)).ok())
            };
            let listed = Listed {
                status: status.value(row).trim().to_owned(),
                since: day(since),
                repaired: day(repaired),
            };
            if options.blocking.iter().any(|word| listed.status.contains(word)) {
                all.entry(company.value(row).trim().to_uppercase()).or_default().push(listed);
            }
        }
        Ok(Self(all))
    }

    fn of(&self, company: &str) -> impl Iterator<Item = &Listed> {
        self.0.get(&company.trim().to_uppercase()).into_iter().flatten()
    }

    /// Whether a company was on the list on a day: its status and since when.
    fn listed(&self, company: &str, day: i32) -> Option<(String, Option<i32>)> {
        let stands = |listed: &&Listed| {
            listed.since.is_none_or(|since| since <= day)
                && listed.repaired.is_none_or(|repaired| repaired > day)
        };
        self.of(company).find(stands).map(|listed| (listed.status.clone(), listed.since))
    }

    /// Whether a company's credit was repaired between two days.
    fn repaired(&self, company: &str, from: i32, to: i32) -> bool {
        self.of(company).any(|listed| listed.repaired.is_some_and(|day| (from..=to).contains(&day)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};
    use huiliu_stage::testing::MemoryHost;

    use super::*;

    fn day(text: &str) -> i32 {
        parse(text).unwrap()
    }

    fn entry(date: &str, due: &str, materials: &[&str]) -> Entry {
        let facts = Facts { date: day(date), due: day(due), ..Facts::default() };
        Entry { facts, materials: materials.iter().map(|&text| text.to_owned()).collect() }
    }

    fn with<T>(credit: &Credit, work: impl FnOnce(&Applicant<'_>) -> T) -> T {
        let options = ApplicantOptions {
            company: "c".into(),
            project: "p".into(),
            max_open: 3,
            max_per_material: 1,
            credit: None,
        };
        let pace = Pace { due_soon: 5, breach: Some(5), block_months: 12 };
        let (host, calendar) = (MemoryHost::default(), Calendar::default());
        work(&Applicant { options: &options, credit, host: &host, calendar: &calendar, pace })
    }

    fn who<'a>(project: &'a str, no: &'a str) -> Who<'a> {
        Who { company: "91A", project, no }
    }

    #[test]
    fn a_company_has_so_many_open_and_a_project_promises_a_material_once() {
        with(&Credit::default(), |applicant| {
            let open = entry("2026-03-02", "2026-03-20", &["合同"]);
            for project in ["p1", "p2", "p3"] {
                assert_eq!(applicant.check(&who(project, project), &open, true).unwrap(), []);
                applicant.accept(&who(project, project), &open).unwrap();
            }
            let fourth = entry("2026-03-03", "2026-03-20", &["合同"]);
            assert_eq!(applicant.check(&who("p4", "4"), &fourth, true).unwrap(), [Refused::TooMany(3)]);
            assert_eq!(
                applicant.check(&who("p3", "p3"), &open, true).unwrap(),
                [],
                "the same again is no new one"
            );
            // One is fulfilled: there is room, but not for the same material of the same project.
            let mut done = open.clone();
            done.facts.fulfilled = Some(day("2026-03-03"));
            applicant.accept(&who("p1", "p1"), &done).unwrap();
            assert_eq!(applicant.check(&who("p4", "4"), &fourth, true).unwrap(), []);
            let again = applicant.check(&who("p1", "5"), &fourth, true).unwrap();
            assert_eq!(again, [Refused::Again("合同".into())]);
        });
    }

    #[test]
    fn a_commitment_is_extended_once_and_its_deadline_is_not_moved() {
        with(&Credit::default(), |applicant| {
            let first = entry("2026-03-02", "2026-03-20", &["合同"]);
            applicant.accept(&who("p1", "1"), &first).unwrap();
            let later = entry("2026-03-02", "2026-03-25", &["合同"]);
            let moved = applicant.check(&who("p1", "1"), &later, true).unwrap();
            assert_eq!(moved, [Refused::Moved(day("2026-03-20"))]);
            let mut extended = first.clone();
            extended.facts.extended_to = Some(day("2026-03-27"));
            assert_eq!(applicant.check(&who("p1", "1"), &extended, true).unwrap(), []);
            applicant.accept(&who("p1", "1"), &extended).unwrap();
            extended.facts.extended_to = Some(day("2026-03-31"));
            assert_eq!(
                applicant.check(&who("p1", "1"), &extended, true).unwrap(),
                [Refused::SecondExtension]
            );
        });
    }

    #[test]
    fn who_broke_a_commitment_or_is_on_the_credit_list_may_not_commit_until_it_is_over_or_repaired() {
        let texts = |texts: &[Option<&str>]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
        let list = |repaired: Option<&str>| {
            let table = RecordBatch::try_from_iter([
                ("uscc", texts(&[Some("91b"), Some("91C"), Some("91a")])),
                ("credit_status", texts(&[Some("失信被执行人"), Some("正常"), Some("逾期")])),
                ("listed_date", texts(&[Some("2026-03-01"), None, Some("2026-03-28")])),
                ("repaired_date", texts(&[Some("2026-06-01"), None, repaired])),
            ]);
            Credit::read(&CreditOptions::named("credit"), &table.unwrap()).unwrap()
        };
        let credit = list(Some("2026-05-04"));
        for (company, date, listed) in [
            ("91B", "2026-02-28", false),
            ("91B", "2026-03-01", true),
            ("91B", "2026-05-31", true),
            ("91B", "2026-06-01", false),
            ("91C", "2026-03-01", false),
            ("", "2026-03-01", false),
        ] {
            assert_eq!(credit.listed(company, day(date)).is_some(), listed, "{company} {date}");
        }
        // Due on Friday the 20th, breached on the 27th.
        for (credit, date, refused) in [
            (Credit::default(), "2026-03-26", vec![]),
            (Credit::default(), "2026-03-27", vec![Refused::Blocked(day("2027-03-27"))]),
            (Credit::default(), "2027-03-26", vec![Refused::Blocked(day("2027-03-27"))]),
            (Credit::default(), "2027-03-27", vec![]),
            (list(Some("2026-05-04")), "2026-05-04", vec![]),
        ] {
            with(&credit, |applicant| {
                let broken = entry("2026-03-02", "2026-03-20", &["合同"]);
                applicant.accept(&who("p1", "1"), &broken).unwrap();
                let found = applicant.check(&who("p2", "2"), &entry(date, date, &["照片"]), true).unwrap();
                assert_eq!(found, refused, "{date}");
            });
        }
    }
}
