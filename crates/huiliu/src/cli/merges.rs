//! The part of a record's story that the merging stage knows: what it is made of, which values were set aside, and why
//! rows were taken for it or kept apart.

use std::sync::Arc;

use huiliu_store::SqliteStore;
use serde::Serialize;

use super::linkage::{came, keepers_of, told, verdict, weight};
use super::output;
use crate::catalog::records::{PartStory, Why};

/// What the stage keeps of a record; nothing for a pipeline that does not merge.
#[derive(Default, Serialize)]
pub(super) struct Kept {
    /// The rows it is made of, in the order of arrival.
    parts: Vec<PartStory>,
    /// Each merge by likeness, each question and each pair kept apart, with its comparison.
    comparisons: Vec<Why>,
    /// Decisions of people about it.
    decisions: Vec<serde_json::Value>,
}

impl Kept {
    /// Of a record in a register, as the pipeline that fills it knows it.
    pub(super) fn of(store: &Arc<SqliteStore>, register: &str, id: &str) -> anyhow::Result<Self> {
        let mut keepers = keepers_of(store, id, None)?;
        let own = keepers.iter().position(|(keeper, _)| keeper.pipeline == register).unwrap_or_default();
        if keepers.is_empty() {
            return Ok(Self::default());
        }
        let (keeper, _) = keepers.swap_remove(own);
        let parts = keeper.inspect.parts(id)?;
        let mut ids: Vec<String> =
            parts.iter().map(|part| part.unit.clone()).chain([id.to_owned()]).collect();
        ids.sort_unstable();
        ids.dedup();
        let comparisons = keeper.inspect.reasons(&ids)?;
        let mut decisions = keeper.inspect.decisions()?;
        let names = |entry: &serde_json::Value| {
            let named = ["record", "other"].map(|key| entry["decision"][key].as_str());
            let came = entry["came"].as_str().unwrap_or_default();
            ids.iter().any(|id| named.contains(&Some(id)) || came.contains(id.as_str()))
        };
        decisions.retain(names);
        Ok(Self { parts, comparisons, decisions })
    }

    pub(super) fn print(&self, id: &str, language: &str) -> anyhow::Result<()> {
        if self.parts.len() > 1 {
            self.print_parts(id, language)?;
            self.print_other_values(language)?;
        }
        self.comparisons.iter().try_for_each(|why| print_why(why, language))?;
        for entry in &self.decisions {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let (by, why) = (text(&entry["decision"]["by"]), text(&entry["decision"]["why"]));
            let at = output::time(entry["decision"]["at_ms"].as_i64().unwrap_or_default());
            let word = if language == "en" { "decision" } else { "决定" };
            output::print(&format!("\n{word} {at} {by} {why}: {}\n", came(entry, language)))?;
        }
        Ok(())
    }

    fn print_parts(&self, id: &str, language: &str) -> anyhow::Result<()> {
        let head = match language {
            "en" => ["part", "received", "sender", "file", "row", "came by"],
            _ => ["组成", "收到", "报送", "文件", "行", "并入依据"],
        };
        let mut table = output::table(&head);
        for part in &self.parts {
            let unit = if part.unit == id { "" } else { &*part.unit };
            let at = match (part.row, &*part.sheet) {
                // Set by hand.
                (0, _) => String::new(),
                (row, "") => row.to_string(),
                (row, sheet) => format!("{sheet}!{row}"),
            };
            let received = output::time(part.received_ms);
            table.add_row([unit, &received, &part.sender, &part.file, &at, &part.by]);
        }
        output::print("\n")?;
        output::print_table(&table, "")
    }

    /// Fields of which the parts say different things: every value with its origin.
    fn print_other_values(&self, language: &str) -> anyhow::Result<()> {
        let head = match language {
            "en" => ["field", "value", "said by", "cell"],
            _ => ["字段", "值", "来源", "单元格"],
        };
        let mut table = output::table(&head);
        let mut fields: Vec<&str> = Vec::new();
        for said in self.parts.iter().flat_map(|part| &part.values) {
            if !fields.contains(&&*said.field) {
                fields.push(&said.field);
            }
        }
        for field in fields {
            let of = |part: &'_ PartStory| part.values.iter().position(|said| said.field == field);
            let all: Vec<_> =
                self.parts.iter().filter_map(|part| Some((part, &part.values[of(part)?]))).collect();
            if all.iter().all(|(_, said)| said.value == all[0].1.value) {
                continue;
            }
            for (part, said) in all {
                let from = format!("{} {}", part.sender, part.file);
                table.add_row([field, &said.value, from.trim(), &said.cell]);
            }
        }
        if table.row_count() > 0 {
            let title = if language == "en" {
                "what the parts say differently"
            } else {
                "各来源说法不同的字段"
            };
            output::print(&format!("\n{title}\n"))?;
            output::print_table(&table, "")?;
        }
        Ok(())
    }
}

/// One comparison: the two rows side by side, the weights, and what came of it.
fn print_why(why: &Why, language: &str) -> anyhow::Result<()> {
    if why.is_conflict() {
        return output::print(&format!("\n{} {}\n", why.sender, verdict(why, language)));
    }
    let came = match (&*why.answer, language) {
        ("match", "en") => "merged with",
        ("match", _) => "并入",
        ("review", "en") => "may be",
        ("review", _) => "疑为",
        (_, "en") => "kept apart from",
        _ => "未并入",
    };
    output::print(&format!("\n{} {came} {}: {}\n", why.sender, why.other, verdict(why, language)))?;
    let head = match language {
        "en" => ["field", "row", "record", "comparison", "bits"],
        _ => ["字段", "本行", "已有", "比对", "权重"],
    };
    let mut table = output::table(&head);
    for line in &why.lines {
        let values = why.values.iter().find(|values| values.field == line.field);
        let text = |value: Option<&Option<String>>| value.cloned().flatten().unwrap_or_default();
        table.add_row([
            line.field.clone(),
            text(values.map(|values| &values.row)),
            text(values.map(|values| &values.with)),
            told(why, line, language),
            weight(line),
        ]);
    }
    output::print_table(&table, "")
}
