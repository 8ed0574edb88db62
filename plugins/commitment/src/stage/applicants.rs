//! The applicants of a batch: what the stage remembers of them, and what it makes of that.

use std::collections::HashMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use huiliu_stage::{Finding, Findings, Severity, StageError};

use super::Commitment;
use crate::applicant::{Applicant, Credit, Entry, Refused, Who};
use crate::columns::{Claims, text};
use crate::course::Facts;
use crate::judge::{Claim, Terms, Verdict};
use crate::materials::plain;

impl Commitment {
    /// What speaks against the applicant of a row; if nothing speaks against the row, it is remembered.
    pub(super) fn applicant(
        &self,
        batch: &RecordBatch,
        row: usize,
        claim: &Claim,
        verdict: &Verdict,
        terms: &Terms<'_>,
        said: &Findings,
    ) -> Result<Vec<Refused>, StageError> {
        let (Some((applicant, who)), Some(facts)) =
            (self.applicant_of(batch, row, claim, terms), &verdict.facts)
        else {
            return Ok(Vec::new());
        };
        let promised = claim.promised.clone().filter(|promised| !promised.is_empty());
        let missing = || verdict.missing.iter().flatten().map(|title| plain(title)).collect();
        let entry = Entry { facts: facts.clone(), materials: promised.unwrap_or_else(missing) };
        let refused = applicant.check(&who, &entry, claim.deadline.is_some())?;
        let rows = batch.column(self.row_column).as_primitive_opt::<Int64Type>();
        let number = rows.map(|rows| rows.value(row));
        let wrong = |finding: &Finding| finding.row == number && finding.severity == Severity::Error;
        if refused.is_empty() && !said.iter().any(wrong) {
            applicant.accept(&who, &entry)?;
        }
        Ok(refused)
    }

    /// What the commitments of a batch promise, by project: those of one file need not stand in a certain order.
    pub(super) fn siblings(
        &self,
        batch: &RecordBatch,
        claims: Option<&Claims<'_>>,
    ) -> HashMap<String, Vec<String>> {
        let mut all: HashMap<String, Vec<String>> = HashMap::new();
        let (Some(claims), Some((_, project))) = (claims, self.columns.applicant) else { return all };
        let Some(projects) = batch.column(project).as_string_opt::<i32>() else { return all };
        for row in 0..batch.num_rows() {
            if let (Some(project), Some(claim)) = (text(projects, row), claims.get(row)) {
                all.entry(project.to_owned()).or_default().extend(claim.promised.into_iter().flatten());
            }
        }
        all
    }

    /// What other commitments of a row's project promise, in this file or before.
    pub(super) fn promised_otherwise(
        &self,
        batch: &RecordBatch,
        row: usize,
        claim: &Claim,
        terms: &Terms<'_>,
        siblings: &HashMap<String, Vec<String>>,
    ) -> Result<Vec<String>, StageError> {
        let Some((applicant, who)) = self.applicant_of(batch, row, claim, terms) else {
            return Ok(Vec::new());
        };
        let mut promised = applicant.promised_otherwise(&who)?;
        // Its own are its own affair: a claim whose days do not hold covers nothing.
        promised.extend(siblings.get(who.project).into_iter().flatten().cloned());
        promised.retain(|form| claim.promised.as_ref().is_none_or(|own| !own.contains(form)));
        Ok(promised)
    }

    /// Who commits in a row, and what holds for all; `None` if no applicants are checked.
    fn applicant_of<'a>(
        &'a self,
        batch: &'a RecordBatch,
        row: usize,
        claim: &'a Claim,
        terms: &'a Terms<'_>,
    ) -> Option<(Applicant<'a>, Who<'a>)> {
        let (options, at) = (self.options.applicant.as_ref()?, self.columns.applicant?);
        let of = |at: usize| batch.column(at).as_string_opt::<i32>().and_then(|texts| text(texts, row));
        let (company, project) = (of(at.0).unwrap_or_default(), of(at.1).unwrap_or_default());
        let applicant = Applicant {
            options,
            credit: &self.credit,
            host: &*self.host,
            calendar: terms.calendar,
            pace: terms.pace,
        };
        Some((applicant, Who { company, project, no: &claim.no }))
    }

    /// What was known of a row's commitment before.
    pub(super) fn known(
        &self,
        batch: &RecordBatch,
        row: usize,
        claim: &Claim,
        terms: &Terms<'_>,
    ) -> Result<Option<Facts>, StageError> {
        let (Some((applicant, who)), Some(date)) = (self.applicant_of(batch, row, claim, terms), claim.date)
        else {
            return Ok(None);
        };
        Ok(applicant.known(&who, date)?.map(|entry| entry.facts))
    }

    /// The credit list as it is now.
    pub(super) fn read_credit(&self) -> Result<Credit, StageError> {
        let Some(options) = self.options.applicant.as_ref().and_then(|applicant| applicant.credit.as_ref())
        else {
            return Ok(Credit::default());
        };
        let table = self.host.table(&options.table)?;
        let fault = |why| StageError::at("applicant.credit", format!("table `{}`: {why}", options.table));
        Credit::read(options, &table).map_err(fault)
    }
}
