//! V17: projects that stood in a sender's file last month and are not in this month's.
//!
//! Files are compared with files of their own kind: of the same sender, with a name that differs in dates, versions and
//! copies only (武高新-2026年4月.csv and 武高新-2026年5月(最终版).csv). A file of the same month adds to the list.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::SchemaRef;
use huiliu_stage::{Host, Origin, StageError};
use serde::{Deserialize, Serialize};

/// The projects of the delivery that is being read.
#[derive(Default)]
pub(super) struct Roll {
    /// Sender and kind of file.
    family: Option<String>,
    month: i32,
    /// Keys and names in the order of the file.
    names: Vec<(String, String)>,
    /// The schema of the batches, for the empty one that the finding comes with.
    pub(super) schema: Option<SchemaRef>,
}

/// The projects of the last file of a kind, by key.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    month: i32,
    names: BTreeMap<String, String>,
}

impl Roll {
    /// Takes note of a project of the file.
    pub(super) fn note(&mut self, origin: &Origin, month: i32, key: &str, name: &str) {
        if self.family.is_none() {
            self.family = Some(format!("{}\u{1f}{}", origin.sender, kind(&origin.file)));
        }
        self.month = self.month.max(month);
        self.names.push((key.to_owned(), name.to_owned()));
    }

    /// The names of the projects that the last file had and this one lacks, if it is of the month after.
    pub(super) fn close(self, host: &dyn Host) -> Result<Option<(Vec<String>, SchemaRef)>, StageError> {
        let Some(family) = self.family else { return Ok(None) };
        let state = format!("f/{family}");
        let before = match host.state_get(state.as_bytes())? {
            None => Kept::default(),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                StageError::new(format!("the list of projects of `{family}` is broken: {error}"))
            })?,
        };
        let mut now = Kept { month: self.month, names: self.names.into_iter().collect() };
        let mut missing = Vec::new();
        if before.month == now.month {
            now.names.extend(before.names);
        } else if before.month > now.month {
            return Ok(None); // An older month sent late: it says nothing of the present.
        } else {
            let here: BTreeSet<&String> = now.names.values().collect();
            let gone = before
                .names
                .iter()
                .filter(|(key, name)| !now.names.contains_key(*key) && !here.contains(name));
            missing.extend(gone.map(|(_, name)| name.clone()));
        }
        let bytes = serde_json::to_vec(&now).map_err(|error| StageError::new(error.to_string()))?;
        host.state_put(state.as_bytes(), &bytes)?;
        missing.sort();
        Ok(self.schema.filter(|_| !missing.is_empty()).map(|schema| (missing, schema)))
    }
}

/// What kind of file it is: its name without ending, numbers, dates, and words for versions and copies.
fn kind(file: &str) -> String {
    const WORDS: [&str; 16] = [
        "最终", "终版", "定稿", "副本", "修改", "更新", "更正", "修订", "新版", "版", "上报", "年", "月份",
        "月", "日", "季度",
    ];
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let mut kind: String = stem.chars().filter(|c| c.is_alphabetic()).collect();
    // Numbers in Chinese stand before 月 and 季度 only: 一月, 十二月.
    for month in ["十二", "十一", "十", "九", "八", "七", "六", "五", "四", "三", "二", "一"] {
        for unit in ["月", "季度"] {
            kind = kind.replace(&format!("{month}{unit}"), "");
        }
    }
    for word in WORDS {
        kind = kind.replace(word, "");
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn files_of_one_kind_differ_in_dates_and_versions_only() {
        for (one, other, same) in [
            ("武高新-2026年4月.csv", "武高新-2026年5月(最终版).xlsx", true),
            ("项目清单 四月.xlsx", "项目清单 十二月（副本）.xlsx", true),
            ("省重大 4月.xlsx", "市重大 5月.xlsx", false),
            ("三一重工 4月.xlsx", "重工 5月.xlsx", false),
        ] {
            assert_eq!(kind(one) == kind(other), same, "{one} {other}");
        }
    }
}
