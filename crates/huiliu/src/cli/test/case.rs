//! A case file: what is sent, and what is expected to come of it.
//!
//! ```yaml
//! pipeline: ../projects.yaml      # relative to this file
//! now: 2026-05-06                 # the day on which everything is sent, unless a case says otherwise
//! about: [V08]                    # of findings only these codes are compared; without it all are
//! cases:
//!   - case: a plan above the total is told, one that equals it is not
//!     earlier:                    # deliveries before it, which the store remembers
//!       - {sender: 统计局, now: 2026-04-06, rows: [{项目名称: 甲, 总投资: 100}]}
//!     sent:
//!       rows:                     # a table; or `file: path`, or `text: |`, or `files: {name: …}` for a package
//!         - {项目名称: 甲, 总投资: 100, 年度计划投资: 200}
//!     expect:
//!       findings:
//!         - {row: 2, code: V08, severity: warning, field: annual_plan_investment}
//! ```
//!
//! Of a pipeline with a schedule `sent: {now: 2026-10-13T00:05, tick: true}` is the time that has come. The pipelines
//! whose registers it asks are named by `with`, and a delivery says `to: projects` which of them it is for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use huiliu_pipeline::config::{self, Node, from_node};
use huiliu_pipeline::diagnostic::Diagnostic;
use huiliu_stage::Severity;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::play::moment;

/// A row or record: columns and values, in the order of the file.
pub(super) type Row = Map<String, Value>;

/// A file of cases about one pipeline.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseFile {
    /// The pipeline file, relative to the case file.
    pub(super) pipeline: PathBuf,
    /// Other pipeline files that play along, relative to the case file: those that fill registers which it asks.
    #[serde(default)]
    pub(super) with: Vec<PathBuf>,
    /// When everything is sent: a day, a local time, or a time with its zone.
    #[serde(default = "default_now")]
    pub(super) now: String,
    /// Codes of the findings that are compared; none: all findings are.
    #[serde(default)]
    pub(super) about: Vec<String>,
    /// The cases.
    pub(super) cases: Vec<Case>,
}

fn default_now() -> String {
    "2026-05-06".to_owned()
}

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// The sentence that it proves.
    pub(super) case: String,
    /// In place of the file's.
    #[serde(default)]
    pub(super) about: Option<Vec<String>>,
    /// What was sent before.
    #[serde(default)]
    pub(super) earlier: Vec<Sent>,
    /// What is sent.
    pub(super) sent: Sent,
    /// What comes of it; what is not named is not compared.
    #[serde(default)]
    pub(super) expect: Expect,
}

/// A delivery, or a time that has come. Exactly one of `rows`, `text`, `file`, `files`, `answer` and `tick` is its content.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Sent {
    /// Who sends it; 发改局 when left out.
    pub(super) sender: Option<String>,
    /// Name of the pipeline that takes it; the one that the cases are about when left out.
    pub(super) to: Option<String>,
    /// When; the file's `now` when left out.
    pub(super) now: Option<String>,
    /// Under which name; made up when left out.
    pub(super) name: Option<String>,
    /// A table by headings, sent as CSV. Row 1 is the heading, so the first is row 2.
    pub(super) rows: Option<Vec<Row>>,
    /// The text of a CSV file.
    pub(super) text: Option<String>,
    /// A file, relative to the case file.
    pub(super) file: Option<PathBuf>,
    /// A package (zip): names with their content, each a table by headings or a text.
    pub(super) files: Option<BTreeMap<String, Content>>,
    /// What the query of a schedule gives at this time, in place of the register: rows by column.
    pub(super) answer: Option<Vec<Row>>,
    /// `true`, of a schedule: the ticks since the one before (or since the case began) up to `now`, of which those are
    /// run that its `catch_up` has run after a daemon slept.
    pub(super) tick: bool,
}

/// What a file of a package holds.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of rows")]
pub(super) enum Content {
    /// A text as it is.
    Text(String),
    /// A table.
    Rows(Vec<Row>),
}

/// What is expected. What is left out is not compared.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Expect {
    /// Whether the file was committed, or refused as a whole.
    pub(super) state: Option<Fate>,
    /// How many rows went to quarantine.
    pub(super) quarantined: Option<u64>,
    /// All findings (of the codes that the case is about), in any order.
    pub(super) findings: Option<Vec<Told>>,
    /// All rows that came out of the last stage, in their order: the columns that matter.
    pub(super) records: Option<Vec<Row>>,
    /// All records with a commitment, as the last delivery left them: the columns that matter.
    pub(super) commitments: Option<Vec<Row>>,
    /// All records of the register that the pipeline fills or changes, in the order in which they first came.
    pub(super) register: Option<Vec<Row>>,
}

/// What becomes of a file as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fate {
    /// Its rows were taken, or went to quarantine one by one.
    #[default]
    Committed,
    /// Nothing of it was taken.
    Refused,
}

impl Fate {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Refused => "refused",
        }
    }
}

/// A finding that is expected.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    /// The row as the sender sees it; left out for one about the file.
    #[serde(default)]
    pub(super) row: Option<u32>,
    pub(super) code: String,
    #[serde(default)]
    pub(super) severity: Option<Severity>,
    #[serde(default)]
    pub(super) field: Option<String>,
    /// Something that the message says, in either language.
    #[serde(default)]
    pub(super) says: Option<String>,
}

impl CaseFile {
    /// Reads a case file; the path of the pipeline comes back complete.
    ///
    /// # Errors
    /// Every mistake in it, with its place.
    pub(super) fn read(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let files = |path: &Path| std::fs::read_to_string(path);
        let (node, mut problems) = config::read(path, &files, &|_| None);
        let Some(node) = node else { return Err(problems) };
        let mut file = match from_node::<Self>(&node) {
            Ok(file) => file,
            Err(found) => {
                problems.extend(found);
                return Err(problems);
            }
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        file.check(&node, folder, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        file.pipeline = folder.join(&file.pipeline);
        file.with.iter_mut().for_each(|other| *other = folder.join(&*other));
        Ok(file)
    }
}

impl CaseFile {
    /// Tells what is wrong in a file whose keys are right.
    fn check(&self, node: &Node, folder: &Path, problems: &mut Vec<Diagnostic>) {
        let mut wrong = |place: &str, to_key: bool, message: String| {
            problems.push(Diagnostic::new(&node.locate(place, to_key), message));
        };
        if self.cases.is_empty() {
            wrong("cases", true, "there is no case here, so this file proves nothing".to_owned());
        }
        let when = |place: String, now: &str, wrong: &mut dyn FnMut(&str, bool, String)| {
            // Any zone will do: only the form is looked at.
            if let Err(error) = moment(now, &TimeZone::UTC) {
                wrong(&place, false, error.to_string());
            }
        };
        when("now".to_owned(), &self.now, &mut wrong);
        for (at, case) in self.cases.iter().enumerate() {
            let sent =
                case.earlier.iter().enumerate().map(|(i, sent)| (format!("cases[{at}].earlier[{i}]"), sent));
            for (place, sent) in sent.chain([(format!("cases[{at}].sent"), &case.sent)]) {
                if let Err(message) = sent.check() {
                    wrong(&place, true, message.to_owned());
                }
                if let Some(now) = &sent.now {
                    when(format!("{place}.now"), now, &mut wrong);
                }
                if let Some(file) = sent.file.as_ref().filter(|file| !folder.join(file).is_file()) {
                    let message = format!("there is no file `{}`", folder.join(file).display());
                    wrong(&format!("{place}.file"), false, message);
                }
            }
            let about = case.about.as_ref().unwrap_or(&self.about);
            for (i, told) in case.expect.findings.iter().flatten().enumerate() {
                if !about.is_empty() && !about.contains(&told.code) {
                    let message = format!(
                        "`{}` is not among the codes that are compared here: {}",
                        told.code,
                        about.join(", ")
                    );
                    wrong(&format!("cases[{at}].expect.findings[{i}].code"), false, message);
                }
            }
        }
    }

    /// The pipeline that the cases are about, and after it those that play along.
    pub(super) fn pipelines(&self) -> Vec<PathBuf> {
        std::iter::once(&self.pipeline).chain(&self.with).cloned().collect()
    }
}

impl Sent {
    fn check(&self) -> Result<(), &'static str> {
        let given = [
            self.rows.is_some(),
            self.text.is_some(),
            self.file.is_some(),
            self.files.is_some(),
            self.answer.is_some(),
            self.tick,
        ];
        match given.iter().filter(|given| **given).count() {
            1 => Ok(()),
            0 => Err("nothing is sent here: give `rows`, `text`, `file`, `files`, `answer` or `tick`"),
            _ => Err(
                "more than one thing is sent here: give one of `rows`, `text`, `file`, `files`, `answer`, `tick`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CaseFile, Vec<Diagnostic>> {
        let name = std::thread::current().name().unwrap_or("case").replace("::", "-");
        let path = std::env::temp_dir().join(format!("huiliu-{}-{name}.yaml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let read = CaseFile::read(&path);
        std::fs::remove_file(&path).unwrap();
        read
    }

    #[test]
    fn a_row_keeps_the_order_of_its_columns() {
        let file = read("pipeline: p.yaml\ncases: [{case: c, sent: {rows: [{乙: 1, 甲: x, 丙: null}]}}]\n");
        let file = file.unwrap();
        let rows = file.cases[0].sent.rows.as_ref().unwrap();
        assert_eq!(rows[0].keys().collect::<Vec<_>>(), ["乙", "甲", "丙"]);
    }

    #[test]
    fn a_delivery_without_content_and_a_wrong_key_are_told_with_their_place() {
        let found = read("pipeline: p.yaml\ncases:\n  - case: c\n    sent: {sender: 甲}\n").unwrap_err();
        assert_eq!(
            (found[0].line, &*found[0].message),
            (4, "nothing is sent here: give `rows`, `text`, `file`, `files`, `answer` or `tick`")
        );
        let found = read("pipeline: p.yaml\ncases:\n  - case: c\n    send: {rows: []}\n").unwrap_err();
        assert_eq!((found[0].line, &*found[0].message), (4, "unknown key `send`"));
    }

    #[test]
    fn a_case_that_could_never_hold_is_told_with_its_place() {
        let case = |more: &str| format!("pipeline: p.yaml\nabout: [V08]\ncases:\n  - case: c\n{more}\n");
        for (text, line, message) in [
            ("pipeline: p.yaml\ncases: []\n".to_owned(), 2, "there is no case here"),
            (case("    sent: {rows: [], now: 五月}"), 5, "`五月` is no time"),
            (case("    sent: {file: none.csv}"), 5, "there is no file"),
            (case("    sent: {rows: []}\n    expect: {state: commited}"), 6, "`commited` is not known here"),
            (
                case("    sent: {rows: []}\n    expect: {findings: [{row: 2, code: V09}]}"),
                6,
                "`V09` is not among the codes that are compared here: V08",
            ),
        ] {
            let found = read(&text).unwrap_err();
            assert_eq!(found[0].line, line, "{text}: {}", found[0].message);
            assert!(found[0].message.contains(message), "{}", found[0].message);
        }
    }
}
