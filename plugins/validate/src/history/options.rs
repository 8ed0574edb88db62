//! The options of `history`, as they stand in YAML.

use std::collections::BTreeMap;

use huiliu_stage::Severity;
use serde::Deserialize;

use super::text::PARTS;
use crate::options::Level;

/// `history: {key: [[project_code], [owner_uscc, project_name]], stages: […], …}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryOptions {
    /// Fields that tell one project from another; the first list of which all are filled in counts.
    pub key: Vec<Vec<String>>,
    /// Field with the month that is reported; without it the month in the file's name counts, or else that of receipt.
    #[serde(default = "usual_month")]
    pub month: String,
    /// The stages of a construction permit in their order, each as words parted by `|`.
    #[serde(default)]
    pub stages: Vec<String>,
    /// Day of the following month after which a month's report is late.
    #[serde(default = "ten")]
    pub late_day: u32,
    /// So many months with the same figures are told.
    #[serde(default = "three")]
    pub same_months: u32,
    /// So many months with investment and without works are told.
    #[serde(default = "two")]
    pub idle_months: u32,
    /// By how much the sum of months may differ from the year, in the unit of the amounts.
    #[serde(default = "hundredth")]
    pub sum_tolerance: f64,
    /// Other severities, by code (`V14`) or code and part (`V14.late`).
    #[serde(default)]
    pub severity: BTreeMap<String, Level>,
}

fn usual_month() -> String {
    "report_month".to_owned()
}

fn ten() -> u32 {
    10
}

fn three() -> u32 {
    3
}

fn two() -> u32 {
    2
}

fn hundredth() -> f64 {
    0.01
}

impl HistoryOptions {
    /// The severity of a part of a rule; `None` when it is off.
    pub(super) fn severity(&self, name: &str, usual: Severity) -> Option<Severity> {
        let code = name.split_once('.').map_or(name, |(code, _)| code);
        let level = self.severity.get(name).or_else(|| self.severity.get(code));
        level.map_or(Some(usual), |level| level.0)
    }

    /// Keys of `severity` that mean nothing.
    pub(super) fn unknown_keys(&self) -> Vec<String> {
        let known =
            |key: &str| PARTS.iter().any(|(name, _)| *name == key || name.split('.').next() == Some(key));
        self.severity.keys().filter(|key| !known(key)).cloned().collect()
    }
}
