//! `derive` adds columns that SQL computes and tags that rules give; `lookup` adds what a reference table says; `filter` says
//! which rows go on.
//!
//! ```yaml
//! - derive:
//!     columns:
//!       - {name: tier, label: 投资层级, value: "CASE WHEN total_investment >= 100000 THEN '10亿元以上' ELSE '10亿元以下' END"}
//!       - {name: intensity, type: number, value: total_investment / land_area_mu}
//!       - name: tags
//!         tags:
//!           - {tag: 民生, when: project_type = '民生'}
//!           - {tag: 两湖, when: "location LIKE '%滆湖%' OR location LIKE '%长荡湖%'"}
//! - lookup: {table: places, by: {region_name: name}, take: {area: area}}
//! - filter: {keep: "construction_nature = '新建'"}
//! ```
//!
//! Tiers, levels and tags of projects are rules of a district, so they are data in a pipeline and never code.
//!
//! | in | a missing value |
//! |---|---|
//! | `value` | does what SQL says; a row whose value cannot be computed (a division by zero) has none, which is told (`underived`) |
//! | `when` of a tag | the tag is not given: only true gives it |
//! | `by` | nothing is looked up, and nothing is told of it |
//! | `keep` | the row does not go on, as SQL's WHERE has it |
//!
//! Absent here: anything that looks at two rows. Start at [`Derive`], [`Lookup`] and [`Filter`].

mod derived;
mod filter;
mod lookup;
mod options;
mod stage;
mod tags;

pub use filter::{Filter, FilterOptions};
pub use lookup::{By, Lookup, LookupOptions, Taken, TakenAs};
pub use options::{Column, Options, Tag};
pub use stage::Derive;

huiliu_abi::export_plugin!(huiliu_plugin_v1_derive, [Derive, Lookup, Filter]);
