//! `classify`: what remarks speak of, by keywords, one row for each matter.
//!
//! ```yaml
//! tables: {issue_types: {csv: profiles/issue_types.csv}}
//! stages:
//!   - classify:
//!       text: [issues, remarks]
//!       kinds: {table: issue_types, copy: {lead_department: usual_department}}
//!       states: {closed: [已解决, 已办结, 已落实]}
//! ```
//!
//! A cell such as `1.征地未完成；2.临时用电已解决` is two matters, of the kinds `land` (open) and `power` (closed). The row comes
//! out once for each, with the columns `issue_type`, `issue_label`, `issue_text`, `issue_state` added. A row that says
//! nothing (empty, 无, 暂无问题) is left out and told. Coordination issues of projects (domain.md 13) are made so.
//!
//! Which keywords mean what, and what counts as nothing, is data: see `options.rs`. How a cell is parted is in
//! [`statements`], how a matter's kind is found in [`kinds`], what becomes
//! of matters that were open before in [`known`]. Absent here: keeping them (`dedup` after it) and deadlines (`derive`).

mod kinds;
mod known;
mod options;
mod stage;
mod statements;

pub use options::Options;
pub use stage::Classify;

huiliu_abi::export_plugin!(huiliu_plugin_v1_classify, [Classify]);
