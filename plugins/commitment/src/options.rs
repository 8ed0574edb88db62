//! The options of `commitment`, and their JSON Schema for `huiliu stages` and for editors.

use huiliu_stage::Severity;
use serde::Deserialize;

/// The options as they stand in YAML.
///
/// ```yaml
/// commitment:
///   nodes:
///     - node: start
///       label: 开工
///       when: start_date IS NOT NULL
///       required: [施工许可证|分阶段许可, 施工合同, 现场照片]
///       may_be_missing: [现场照片]
///   materials: evidence
///   commitment: {no: commitment_no, date: commitment_date, deadline: commitment_deadline,
///                missing: missing_materials, fulfilled: commitment_fulfilled_date}
///   limit_workdays: 20
///   calendar: {holidays: [2024-10-01], workdays: [2024-10-12]}
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The nodes whose materials are checked; none where only the time of commitments passes.
    #[serde(default)]
    pub nodes: Vec<NodeOptions>,

    /// Column that lists what was handed in: a list, or text separated by `、 , ; ` or line breaks.
    pub materials: String,

    /// Columns of the commitment. Without them nothing may be missing.
    #[serde(default)]
    pub commitment: Option<CommitmentColumns>,

    /// Columns with what letters of their own promise, which another pipeline keeps.
    #[serde(default)]
    pub letters: Option<LetterColumns>,

    /// Most working days from the commitment to its deadline.
    #[serde(default = "twenty")]
    pub limit_workdays: u32,

    /// Working days by which the deadline lies before the promised handling of the matter (`commitment.handling`).
    #[serde(default = "two")]
    pub handling_lead_workdays: u32,

    /// Working days to the deadline when none is given; if not set, 20 or the limit, whichever is less.
    #[serde(default)]
    pub default_workdays: Option<u32>,

    /// With at most this many working days left, a commitment is due soon.
    #[serde(default = "five")]
    pub due_soon_workdays: u32,

    /// Most working days by which an extension may move the deadline.
    #[serde(default = "ten")]
    pub extension_workdays: u32,

    /// Working days after the deadline with which a commitment is breached; if not set, time alone breaches none.
    #[serde(default)]
    pub breach_workdays: Option<u32>,

    /// Months for which a breach keeps the company from committing.
    #[serde(default = "twelve")]
    pub block_months: u32,

    /// Who commits, for limits and the credit list; without it neither is checked.
    #[serde(default)]
    pub applicant: Option<ApplicantOptions>,

    /// Column with the status that was last known: rows whose status is still the same are left out.
    #[serde(default)]
    pub previous: Option<String>,

    /// Holidays and make-up days; without them Monday to Friday are worked.
    #[serde(default)]
    pub calendar: CalendarOptions,

    /// How much each kind of finding weighs.
    #[serde(default)]
    pub severity: Severities,
}

impl Options {
    /// Working days to the deadline when none is given.
    pub(crate) fn default_workdays(&self) -> u32 {
        self.default_workdays.unwrap_or(self.limit_workdays.min(twenty()))
    }
}

/// A node and what it wants.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeOptions {
    /// Short name.
    pub node: String,

    /// What people call it.
    #[serde(default)]
    pub label: String,

    /// SQL condition under which a row claims the node. Unknown (null) claims nothing.
    pub when: String,

    /// Materials that must be there; `a|b` is satisfied by either.
    pub required: Vec<String>,

    /// Those of `required` that a commitment may stand in for.
    #[serde(default)]
    pub may_be_missing: Vec<String>,
}

/// Names of the columns of a commitment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitmentColumns {
    /// Its number (text).
    #[serde(default)]
    pub no: Option<String>,

    /// The day it was made (date).
    pub date: String,

    /// Its deadline: a date, or a whole number of working days after `date`.
    #[serde(default)]
    pub deadline: Option<String>,

    /// When the matter is promised to be handled: a date, or a whole number of working days after `date`. The deadline
    /// must not be later than some days before it.
    #[serde(default)]
    pub handling: Option<String>,

    /// The materials it promises (list or text). Without this column it stands for all that may be missing.
    #[serde(default)]
    pub missing: Option<String>,

    /// The day on which it was fulfilled (date).
    #[serde(default)]
    pub fulfilled: Option<String>,

    /// The later day that an extension has granted (date).
    #[serde(default)]
    pub extended_to: Option<String>,

    /// Why it was extended (text). With this column an extension without a reason does not count.
    #[serde(default)]
    pub extension_reason: Option<String>,

    /// How the authority has ended it (text): 终止, 退件, 撤回 … or 虚假, 不实 …
    #[serde(default)]
    pub outcome: Option<String>,

    /// The day of that (date); without it, the day on which it is told.
    #[serde(default)]
    pub outcome_date: Option<String>,
}

/// Lists of materials that letters of their own promise (texts or lists).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetterColumns {
    /// Those that are waited for: they may be missing, and a node that lacks one rests on a commitment.
    pub open: String,

    /// Those that have come: they count as handed in.
    #[serde(default)]
    pub done: Option<String>,
}

/// Who may commit, and how often.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicantOptions {
    /// Column with the company (text).
    pub company: String,

    /// Column with the project (text).
    pub project: String,

    /// Most commitments of a company that are open at once.
    #[serde(default = "three")]
    pub max_open: usize,

    /// How often a project may promise the same material.
    #[serde(default = "one")]
    pub max_per_material: usize,

    /// The credit list.
    #[serde(default)]
    pub credit: Option<CreditOptions>,
}

/// A reference table of companies that may not commit, read anew for each delivery.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditOptions {
    /// The table's name under `tables:`.
    pub table: String,

    /// Its column with the company.
    #[serde(default = "uscc")]
    pub company: String,

    /// Its column with the status.
    #[serde(default = "credit_status")]
    pub status: String,

    /// Its column with the day of listing; without a day the company was always listed.
    #[serde(default)]
    pub since: Option<String>,

    /// Its column with the day of repair; without a day it is listed still.
    #[serde(default)]
    pub repaired: Option<String>,

    /// Statuses that keep a company from committing.
    #[serde(default = "blocking")]
    pub blocking: Vec<String>,
}

#[cfg(test)]
impl CreditOptions {
    /// With the names that tests use.
    pub(crate) fn named(table: &str) -> Self {
        Self {
            table: table.to_owned(),
            company: uscc(),
            status: credit_status(),
            since: Some("listed_date".to_owned()),
            repaired: Some("repaired_date".to_owned()),
            blocking: blocking(),
        }
    }
}

fn three() -> usize {
    3
}

fn one() -> usize {
    1
}

fn uscc() -> String {
    "uscc".to_owned()
}

fn credit_status() -> String {
    "credit_status".to_owned()
}

/// domain.md section 10: 失信被执行人, 经营异常, 严重违法失信, 虚假承诺, 逾期.
fn blocking() -> Vec<String> {
    ["失信被执行人", "经营异常", "严重违法", "虚假承诺", "逾期"].map(str::to_owned).to_vec()
}

/// Days that differ from the rule of the week.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarOptions {
    /// Days not worked, such as `2024-10-01`.
    #[serde(default)]
    pub holidays: Vec<String>,

    /// Weekend days that are worked (调休).
    #[serde(default)]
    pub workdays: Vec<String>,

    /// Reference table with columns `date` and `kind` (`holiday`/休 or `workday`/班), read anew for each delivery.
    #[serde(default)]
    pub table: Option<String>,
}

/// How much each kind of finding weighs.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Severities {
    /// A required material is missing and no commitment covers it.
    pub missing: Severity,
    /// The commitment's date or deadline is missing, unreasonable or beyond the limit.
    pub deadline: Severity,
    /// The deadline has passed.
    pub overdue: Severity,
    /// The company may not commit, or not once more.
    pub applicant: Severity,
}

impl Default for Severities {
    fn default() -> Self {
        Self {
            missing: Severity::Error,
            deadline: Severity::Error,
            overdue: Severity::Warning,
            applicant: Severity::Error,
        }
    }
}

fn twenty() -> u32 {
    20
}

fn two() -> u32 {
    2
}

fn ten() -> u32 {
    10
}

fn twelve() -> u32 {
    12
}

fn five() -> u32 {
    5
}

pub(crate) const OPTION_SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["materials"],
  "properties": {
    "nodes": {
      "description": "The nodes whose materials are checked.",
      "type": "array",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["node", "when", "required"],
        "properties": {
          "node": {"description": "Short name, such as `start`.", "type": "string"},
          "label": {"description": "What people call it, such as 开工.", "type": "string"},
          "when": {"description": "SQL condition under which a row claims the node, such as `start_date IS NOT NULL`. Unknown (null) claims nothing.", "type": "string"},
          "required": {"description": "Materials that must be there; `a|b` is satisfied by either.", "type": "array", "minItems": 1, "items": {"type": "string"}},
          "may_be_missing": {"description": "Those of `required` that a commitment may stand in for.", "type": "array", "items": {"type": "string"}}
        }
      }
    },
    "materials": {"description": "Column that lists what was handed in: a list, or text separated by 、 , ; or line breaks. Null is nothing.", "type": "string"},
    "commitment": {
      "description": "Columns of the commitment. Without them nothing may be missing.",
      "type": "object",
      "additionalProperties": false,
      "required": ["date"],
      "properties": {
        "no": {"description": "Its number (text).", "type": "string"},
        "date": {"description": "The day it was made (date).", "type": "string"},
        "deadline": {"description": "Its deadline: a date, or a whole number of working days after `date`.", "type": "string"},
        "handling": {"description": "When the matter is promised to be handled: a date, or a whole number of working days after `date`.", "type": "string"},
        "missing": {"description": "The materials it promises (list or text); an empty value promises nothing. Without this column it stands for all that may be missing.", "type": "string"},
        "fulfilled": {"description": "The day on which it was fulfilled (date). Without a day, materials that are there count as in time.", "type": "string"},
        "extended_to": {"description": "The later day that an extension has granted (date).", "type": "string"},
        "extension_reason": {"description": "Why it was extended (text). With this column an extension without a reason does not count.", "type": "string"},
        "outcome": {"description": "How the authority has ended it (text): 终止, 退件, 撤回; 虚假, 不实.", "type": "string"},
        "outcome_date": {"description": "The day of that (date); without it, the day on which it is told.", "type": "string"}
      }
    },
    "letters": {
      "description": "Columns with what letters of their own promise, which another pipeline keeps.",
      "type": "object",
      "additionalProperties": false,
      "required": ["open"],
      "properties": {
        "open": {"description": "Materials that are waited for (list or text): they may be missing.", "type": "string"},
        "done": {"description": "Materials that have come (list or text): they count as handed in.", "type": "string"}
      }
    },
    "handling_lead_workdays": {"description": "Working days by which the deadline lies before the promised handling of the matter.", "type": "integer", "minimum": 0, "default": 2},
    "limit_workdays": {"description": "Most working days from the commitment to its deadline.", "type": "integer", "minimum": 1, "maximum": 2000, "default": 20},
    "default_workdays": {"description": "Working days to the deadline when none is given; if not set, 20 or the limit, whichever is less.", "type": "integer", "minimum": 1, "maximum": 2000},
    "due_soon_workdays": {"description": "With at most this many working days left, a commitment is due soon.", "type": "integer", "minimum": 0, "default": 5},
    "extension_workdays": {"description": "Most working days by which an extension may move the deadline.", "type": "integer", "minimum": 1, "default": 10},
    "breach_workdays": {"description": "Working days after the deadline with which a commitment is breached; if not set, time alone breaches none.", "type": "integer", "minimum": 1},
    "block_months": {"description": "Months for which a breach keeps the company from committing.", "type": "integer", "minimum": 0, "default": 12},
    "applicant": {
      "description": "Who commits, for limits and the credit list; without it neither is checked.",
      "type": "object",
      "additionalProperties": false,
      "required": ["company", "project"],
      "properties": {
        "company": {"description": "Column with the company (text).", "type": "string"},
        "project": {"description": "Column with the project (text).", "type": "string"},
        "max_open": {"description": "Most commitments of a company that are open at once.", "type": "integer", "minimum": 0, "default": 3},
        "max_per_material": {"description": "How often a project may promise the same material.", "type": "integer", "minimum": 1, "default": 1},
        "credit": {
          "description": "Reference table of companies that may not commit, read anew for each delivery.",
          "type": "object",
          "additionalProperties": false,
          "required": ["table"],
          "properties": {
            "table": {"description": "The table's name under `tables:`.", "type": "string"},
            "company": {"description": "Its column with the company.", "type": "string", "default": "uscc"},
            "status": {"description": "Its column with the status.", "type": "string", "default": "credit_status"},
            "since": {"description": "Its column with the day of listing.", "type": "string"},
            "repaired": {"description": "Its column with the day of repair.", "type": "string"},
            "blocking": {"description": "Statuses that keep a company from committing.", "type": "array", "items": {"type": "string"}}
          }
        }
      }
    },
    "previous": {"description": "Column (text) with the status that was last known: rows whose status is still the same are left out.", "type": "string"},
    "calendar": {
      "description": "Holidays and make-up days; without them Monday to Friday are worked.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "holidays": {"description": "Days not worked.", "type": "array", "items": {"type": "string", "format": "date"}},
        "workdays": {"description": "Weekend days that are worked (调休).", "type": "array", "items": {"type": "string", "format": "date"}},
        "table": {"description": "Reference table with columns `date` and `kind` (`holiday` or 休, `workday` or 班), read anew for each delivery.", "type": "string"}
      }
    },
    "severity": {
      "description": "How much each kind of finding weighs.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "missing": {"description": "A required material is missing and no commitment covers it.", "enum": ["info", "warning", "error"], "default": "error"},
        "deadline": {"description": "The commitment's date or deadline is missing, unreasonable or beyond the limit.", "enum": ["info", "warning", "error"], "default": "error"},
        "applicant": {"description": "The company may not commit, or not once more.", "enum": ["info", "warning", "error"], "default": "error"},
        "overdue": {"description": "The deadline has passed. As an error the row would not reach the register.", "enum": ["info", "warning", "error"], "default": "warning"}
      }
    }
  }
}"#;
