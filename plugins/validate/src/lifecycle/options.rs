//! The options of `lifecycle`, as they stand in YAML.

use serde::Deserialize;

/// `lifecycle: {states: […], aside: […], record: record_id}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleOptions {
    /// The states in their order, each with the column of its day, a condition, or both.
    pub states: Vec<StateOptions>,
    /// States that outrank the order while their condition is true; of several the first.
    #[serde(default)]
    pub aside: Vec<AsideOptions>,
    /// Column with the id of the record.
    #[serde(default = "record_id")]
    pub record: String,
    /// The column of the state; the others are called after it (`…_since`, `…_history`).
    #[serde(default = "project_state")]
    pub output: String,
}

fn record_id() -> String {
    "record_id".to_owned()
}

fn project_state() -> String {
    "project_state".to_owned()
}

/// A state of the order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateOptions {
    /// What people call it.
    pub state: String,
    /// Column with the day on which it was reached.
    #[serde(default)]
    pub date: Option<String>,
    /// SQL that is true when it is reached without a day; then it counts from the day on which it was first told.
    #[serde(default)]
    pub when: Option<String>,
}

/// A state aside.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsideOptions {
    /// What people call it.
    pub state: String,
    /// SQL that is true while it holds.
    pub when: String,
    /// Column with the day from which it holds; without one the day on which it was first told.
    #[serde(default)]
    pub date: Option<String>,
    /// A state of the order that ends it, whatever is told.
    #[serde(default)]
    pub until: Option<String>,
}
