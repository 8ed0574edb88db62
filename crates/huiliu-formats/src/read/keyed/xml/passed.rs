//! Elements that stand outside the records, for word of those that repeat like records and are not read.

use std::collections::HashMap;

use huiliu_stage::{Finding, Severity, Text};

/// Most paths that are told apart.
const MOST_PASSED: usize = 256;

/// Elements outside the records.
#[derive(Default)]
pub(super) struct Passed {
    /// In the order in which they were met: path, how often, whether they hold anything but text.
    met: Vec<(Vec<String>, u64, bool)>,
    at: HashMap<Vec<String>, usize>,
}

impl Passed {
    /// Takes note of an element that begins; what the table stands in is none of it.
    pub(super) fn note(&mut self, open: &[String], table: &[String], attributes: bool) {
        if table.starts_with(open) {
            return;
        }
        if let Some((_, above)) = open.split_last()
            && let Some((_, _, holds)) = self.at.get(above).and_then(|at| self.met.get_mut(*at))
        {
            *holds = true;
        }
        if let Some((_, count, holds)) = self.at.get(open).and_then(|at| self.met.get_mut(*at)) {
            *count += 1;
            *holds |= attributes;
        } else if self.met.len() < MOST_PASSED {
            self.at.insert(open.to_vec(), self.met.len());
            self.met.push((open.to_vec(), 1, attributes));
        }
    }

    /// Word of elements that repeat like records, or are called as they are in another place; once.
    pub(super) fn told(&mut self, table: &[String]) -> Option<Finding> {
        let met = std::mem::take(self).met;
        let mut others: Vec<&[String]> = Vec::new();
        let namesake = |path: &[String]| path.last() == table.last();
        for (path, ..) in met.iter().filter(|(path, count, holds)| *holds && (*count > 1 || namesake(path))) {
            if !others.iter().any(|other| path.starts_with(other)) {
                others.push(path);
            }
        }
        // The root is the same for all.
        let name = |path: &&[String]| path.get(1..).unwrap_or_default().join(".").chars().take(80).collect();
        let shown = others.iter().take(5).map(name).collect::<Vec<String>>().join("、");
        let text = Text::new(
            format!("文件里另有{}种重复的元素没有读取（{shown}）；如需要，请单独上传", others.len()),
            format!(
                "{} more kinds of elements were not read ({shown}); send them alone if they are meant",
                others.len()
            ),
        );
        let severity =
            if met.iter().any(|(path, ..)| namesake(path)) { Severity::Warning } else { Severity::Info };
        (!others.is_empty()).then(|| Finding::new(None, severity, "xml", text))
    }
}
