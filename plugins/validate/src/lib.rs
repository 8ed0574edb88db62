//! `validate`: checks rows against the record schema and against rules, and repairs codes.
//!
//! ```yaml
//! - validate:
//!     rules:
//!       - id: within-total
//!         check: cumulative_investment <= total_investment
//!         message: {zh: 累计完成投资不能大于总投资, en: more was completed than planned in total}
//!       - id: date-order
//!         when: construction_nature <> '续建'
//!         check: admit_date <= start_date AND start_date <= finish_date
//!         missing: pass
//!     checks:
//!       uscc: [owner_uscc, {field: builder_uscc, allow: [91350211M0000XUF46]}]
//!       project_code: [{field: project_code, suffix: project_code_suffix}]
//!     codes: {required: V01, total_investment: V07, contact_phone.required: phone}
//!     severity: {project_code_old: off, uscc_doubtful: error}
//!     messages: {contact_phone: {zh: 请填写11位手机号, en: a mobile number of 11 digits is needed}}
//! ```
//!
//! Which values a field may have stands in the record schema: `required`, `min`, `max`, `min_length`,
//! `max_length` (characters), `pattern` (whole text; `\d` is 0 to 9), `enum`. Whether a cell is of the field's
//! type at all was told by the reader. Every fault of a row is told, not only the first.
//!
//! # What a missing value does
//!
//! Missing is null, the empty text and the empty list. For SQL it is null alone.
//!
//! | check | a missing value |
//! |---|---|
//! | `required` | is its finding, unless the reader already told that the cell could not be read |
//! | type | is not told again: the reader told of the cell that it made null |
//! | `min`, `max`, `min_length`, `max_length`, `pattern`, `enum` | is passed over; absence is the matter of `required`. A missing item of a list is passed over too |
//! | `uscc`, `project_code` | is passed over. A placeholder (`暂无`, `/`) becomes missing, with an info finding, before `required` looks |
//! | rule, `missing: report` (the usual) | in any column that `check` or `when` names: the row passes with a finding `unchecked` (info) |
//! | rule, `missing: pass` | the same, and nothing is told |
//! | rule, `missing: fail` | the same breaks the rule |
//! | rule, `missing: sql` | SQL decides; an answer of null breaks the rule. The usual for a check that says `IS NULL`, `COALESCE` or the like |
//!
//! In all modes but `sql` the columns are looked at before SQL is asked, so `NULL AND false` does not fail
//! a row and `NULL OR true` does not pass one. A row that is not meant (`when` is false, and all it names
//! is there) is left alone whatever its check lacks. A row that cannot be computed breaks the rule.
//!
//! # Codes, severities, messages
//!
//! A finding's code is the rule's id, or the kind's: `required`, `min`, … Keys of `codes`, `severity` and
//! `messages` are a kind (`required`), a field (all its kinds but `required` and `unchecked`; for severity
//! and message only its faults, not what was merely noted) or `field.kind`; the closest wins.
//!
//! The catalogue of checks V01 to V26 is [`catalogue`]; what needs a project's past is the second stage of this crate,
//! [`history`]; the third, [`land`], tells how soon after its land a project starts, and the fourth, [`lifecycle`], the
//! state of each record with its history.
//!
//! Absent here: reading and typing of cells (the reader), holidays, anything that looks at two rows of a delivery at
//! once. Start at [`Validate`]; the code algorithms are [`uscc`] and [`project_code`].

pub mod catalogue;
mod codes;
mod constraints;
pub mod history;
pub mod land;
pub mod lifecycle;
pub mod options;
mod pattern;
pub mod project_code;
mod repair;
mod rules;
mod stage;
mod tell;
mod unreadable;
pub mod uscc;

pub use history::History;
pub use land::LandStart;
pub use lifecycle::Lifecycle;
pub use stage::Validate;

huiliu_abi::export_plugin!(huiliu_plugin_v1_validate, [Validate, History, LandStart, Lifecycle]);
