//! `score`: scores rows by weighted dimensions and vetoes, and shows every part.
//!
//! ```yaml
//! - score:
//!     dimensions:
//!       - {name: scale, weight: 17, value: total_investment, linear: {full: 100000}}
//!       - {name: intensity, value: invest_per_mu, steps: [{from: 150, points: 8}, {from: 300, points: 17}]}
//!       - {name: energy, weight: 10, value: energy_intensity, linear: {from: 1.5, full: 0.5}}
//!       - {name: kind, value: project_type, list: {产业: 5, 基础设施: 3}, otherwise: 0}
//!       - {name: listed, value: is_listed, yes: 5, no: 0}
//!       - {name: progress, weight: 0.3, points: 10 * cumulative_investment / total_investment, most: 10}
//!     veto:
//!       - {name: safety, when: safety_opinion = '不通过', message: 安全生产一票否决}
//! ```
//!
//! The score is the sum over the dimensions of **weight x points**. `linear` gives `points` (1 if not said)
//! at its `full` value, so there the weight is the most that the dimension can give; a list or steps in
//! which the full points stand is used without a weight.
//!
//! # What a missing value does
//!
//! | in | a missing value |
//! |---|---|
//! | a dimension | in any column that the expression names: the dimension is unscored, which is told (`unscored`, warning) and stands in the parts with its reason. So is a value that is not in a list without `otherwise`, and one that cannot be computed. An expression that itself speaks of missing values (`coalesce(jobs, 0)`) is taken at its word |
//! | the score | `incomplete: sum` (the usual): the sum of the scored dimensions, with `score_coverage` beside it; `scale`: that sum divided by the coverage; `none`: no score. Where nothing is scored there is no score |
//! | a veto | SQL's logic of three values: true whatever the missing value is, is a veto; false whatever it is, is none; what stays open is told (`veto_undecided`, warning) and stands in the parts |
//!
//! A veto that holds makes the score 0, is named in the column `vetoes` and told under its own name; the parts
//! still show what the dimensions gave.
//!
//! Columns added: `score` (number), `score_parts` (JSON, see `parts.rs`), `score_coverage` (0 to 1), and with vetoes
//! `vetoes` (list). Each can be named otherwise, parts and coverage can be switched off. A column of that
//! name and type that is there already is filled in place.
//!
//! Absent here: anything that looks at two rows (ranking), and grades. Start at [`Score`].

mod dimension;
pub mod options;
mod parts;
mod stage;
mod veto;

pub use stage::Score;

huiliu_abi::export_plugin!(huiliu_plugin_v1_score, [Score]);
