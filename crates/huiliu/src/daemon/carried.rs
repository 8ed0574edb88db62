//! Files that belong to rows which come back out of quarantine.
//!
//! A retried row is a line of a delivery of its own. It was first sent in a package; `quarantine retry` writes into its line
//! which row that was, and here the line is linked to the package's files anew: its cells may have been mended. So it is
//! judged by its files as a row of the package is, and a file that it names and that still is not there is told again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use huiliu_formats::read::{FormatOptions, Relinker, wrong_type};
use huiliu_pipeline::ports::{Evidence, StoreError};
use huiliu_pipeline::run::{ReadStop, Reader};
use huiliu_stage::{EVIDENCE, EVIDENCE_FILES, Finding, Outcome, ROW, RecordSchema};
use huiliu_store::SqliteStore;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::evidence::{FOLDER, place};

/// Key of a retried line that names the row it was.
pub(crate) const KEY: &str = "_evidence";

/// Key of a retry's report: the packages that its rows came from, by the ids of their deliveries.
const PACKAGES: &str = "packages";
/// What tells that a file which a cell names is not there.
const MISSING: &str = "evidence-missing";
/// Most files sent later among which a missing one is looked for.
const MOST_LATER: u32 = 10_000;
/// First bytes of a file that tell its kind.
const HEAD: u64 = 512;

/// The row that a retried line was in a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Was {
    /// Its delivery.
    pub(crate) delivery: String,
    /// Its `_row`.
    pub(crate) row: i64,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_evidence")]
    was: Option<Was>,
}

/// Files of a package that retried lines came from.
#[derive(Default)]
struct Package {
    /// Each once; those of the package itself, whoever they belonged to.
    files: Vec<Evidence>,
    /// As they belonged to rows.
    linked: Vec<Evidence>,
    /// What the sender sent later.
    later: Vec<Evidence>,
}

/// The packages of the lines of a retried file.
#[derive(Default)]
pub(crate) struct Carried {
    /// By number: the place of the package, and the row in it.
    lines: HashMap<i64, (usize, i64)>,
    packages: Vec<Package>,
    /// The deliveries that brought the packages.
    ids: Vec<String>,
}

/// The deliveries whose files rows of a delivery may have: itself if it is a package, or those that a retry came from.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn sources(store: &SqliteStore, delivery: &str) -> Result<Vec<String>, StoreError> {
    let report = store.delivery(delivery)?.report;
    let ids = report[PACKAGES].as_array().into_iter().flatten();
    let mut all: Vec<String> = ids.filter_map(Value::as_str).map(str::to_owned).collect();
    if !all.is_empty() || report["format"] == "zip" || !store.evidence(delivery)?.is_empty() {
        all.insert(0, delivery.to_owned());
    }
    Ok(all)
}

impl Carried {
    /// Of a retried file. A line that cannot be read is told by whoever reads rows.
    ///
    /// # Errors
    /// The file or the store cannot be read.
    pub(crate) fn of_file(path: &Path, store: &SqliteStore) -> Result<Self, StoreError> {
        let failed =
            |error: std::io::Error| StoreError::Failed(format!("cannot read `{}`: {error}", path.display()));
        let mut carried = Self::default();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (number, line) in (1_i64..).zip(BufReader::new(File::open(path).map_err(failed)?).lines()) {
            let line = line.map_err(failed)?;
            let was = serde_json::from_str::<Line>(&line).ok().and_then(|line| line.was);
            let Some(was) = was else { continue };
            let at = match known.get(&was.delivery) {
                Some(at) => *at,
                None => {
                    let at = carried.add(&was.delivery, store)?;
                    known.insert(was.delivery, at);
                    at
                }
            };
            carried.lines.insert(number, (at, was.row));
        }
        Ok(carried)
    }

    fn add(&mut self, delivery: &str, store: &SqliteStore) -> Result<usize, StoreError> {
        let mut package = Package { linked: store.evidence(delivery)?, ..Package::default() };
        let mut known = HashSet::new();
        for source in sources(store, delivery)? {
            let files = store.evidence(&source)?.into_iter();
            package.files.extend(files.filter(|file| known.insert((file.name.clone(), file.hash.clone()))));
            if !self.ids.contains(&source) {
                self.ids.push(source);
            }
        }
        // Of what was sent under one name again the last counts.
        let mut known = HashSet::new();
        package.later = store.evidence_since(delivery, MOST_LATER)?;
        package.later.retain(|file| known.insert(file.name.clone()));
        self.packages.push(package);
        Ok(self.packages.len() - 1)
    }
}

fn is_same(one: &Evidence, other: &Evidence) -> bool {
    one.name == other.name && one.hash == other.hash
}

/// A name without the folders.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A package's files by their names.
struct Linkers {
    own: Relinker,
    later: Relinker,
}

/// A reader whose rows have these files besides its own.
pub(crate) struct Carrying {
    inner: Box<dyn Reader>,
    carried: Arc<Carried>,
    linkers: Vec<Linkers>,
    /// Where contents are kept.
    folder: PathBuf,
    /// What the rows so far were linked to.
    found: Vec<Evidence>,
}

impl Carrying {
    pub(crate) fn new(
        inner: Box<dyn Reader>,
        carried: Arc<Carried>,
        format: &FormatOptions,
        record: &RecordSchema,
        data: &Path,
    ) -> Self {
        let over = |files: &[Evidence]| {
            Relinker::new(format, Some(record), files.iter().map(|file| file.name.as_str()))
        };
        let linkers = carried.packages.iter();
        let linkers =
            linkers.map(|package| Linkers { own: over(&package.files), later: over(&package.later) });
        Self { inner, linkers: linkers.collect(), carried, folder: data.join(FOLDER), found: Vec::new() }
    }

    /// Tells the engine and the stages which rows have which files.
    fn mark(&mut self, mut outcome: Outcome) -> Outcome {
        let carried = Arc::clone(&self.carried);
        let rows = outcome.batch.column_by_name(ROW).and_then(|rows| rows.as_primitive_opt::<Int64Type>());
        let Some(rows) = rows.filter(|_| !carried.lines.is_empty()).cloned() else { return outcome };
        let mut files: BTreeMap<i64, Vec<(String, u64, String)>> = BTreeMap::new();
        for (at, &row) in rows.values().iter().enumerate() {
            let Some(&(package, was)) = carried.lines.get(&row) else { continue };
            for mut file in self.link(&outcome.batch, at, package, was, &mut outcome.findings.0) {
                file.row = Some(row);
                outcome.findings.0.extend(self.disguised(&file));
                let Evidence { name, bytes, hash, .. } = file.clone();
                files.entry(row).or_default().push((name, bytes, hash));
                self.found.push(file);
            }
        }
        if files.is_empty() {
            return outcome;
        }
        let with: Vec<i64> = files.keys().copied().collect();
        let mut schema = outcome.batch.schema().as_ref().clone();
        schema.metadata.insert(EVIDENCE.to_owned(), serde_json::to_string(&with).unwrap_or_default());
        schema.metadata.insert(EVIDENCE_FILES.to_owned(), serde_json::to_string(&files).unwrap_or_default());
        // The same columns under the same fields: this cannot fail.
        if let Ok(batch) = outcome.batch.clone().with_schema(Arc::new(schema)) {
            outcome.batch = batch;
        }
        outcome
    }

    /// The files of a line that was the row `was` of a package.
    fn link(
        &mut self,
        batch: &RecordBatch,
        at: usize,
        package: usize,
        was: i64,
        findings: &mut Vec<Finding>,
    ) -> Vec<Evidence> {
        let (Some(linkers), Some(package)) =
            (self.linkers.get_mut(package), self.carried.packages.get(package))
        else {
            return Vec::new();
        };
        let mut told = Vec::new();
        let links = linkers.own.link(batch, at, &mut told);
        let file = |file: &Evidence, field| Evidence { field, record: None, ..file.clone() };
        let linked = links.into_iter();
        let mut all: Vec<Evidence> =
            linked.filter_map(|link| Some(file(package.files.get(link.attachment)?, link.field))).collect();
        // Files of the row's folder are named in its cell without the folder, which other projects' files may be called too.
        let of_folder = package.linked.iter().filter(|old| old.row == Some(was) && old.field.is_none());
        let of_folder: Vec<&Evidence> = of_folder.collect();
        let other = |found: &Evidence| {
            of_folder.iter().any(|old| last(&old.name) == last(&found.name))
                && !of_folder.iter().any(|old| is_same(old, found))
        };
        all.retain(|found| !other(found));
        // What a cell named, the cell decides; what the row had otherwise, it has still.
        let seen =
            |old: &Evidence| old.field.as_ref().is_some_and(|name| batch.column_by_name(name).is_some());
        for old in package.linked.iter().filter(|old| old.row == Some(was) && !seen(old)) {
            if !all.iter().any(|other| is_same(other, old)) {
                all.push(file(old, old.field.clone()));
            }
        }
        for finding in told {
            let name = finding.raw.as_deref().filter(|_| finding.code == MISSING);
            let came = name.and_then(|name| package.later.get(linkers.later.find(name)?));
            match came {
                Some(came) => all.push(file(came, finding.field.clone())),
                None => findings.push(finding),
            }
        }
        all
    }

    /// What is to be said of a file whose content is of another kind than its name.
    fn disguised(&self, file: &Evidence) -> Option<Finding> {
        let mut head = Vec::new();
        // One that cannot be read is told by whoever looks after the folder, not to the sender.
        File::open(self.folder.join(place(&file.hash))).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
        wrong_type(file.row?, file.field.as_deref(), &file.name, &head)
    }
}

impl Reader for Carrying {
    fn next(&mut self) -> Option<Result<Outcome, ReadStop>> {
        let next = self.inner.next()?;
        Some(next.map(|outcome| self.mark(outcome)))
    }

    fn sheets(&self) -> Vec<String> {
        self.inner.sheets()
    }

    fn report(&self) -> Value {
        let mut report = self.inner.report();
        if let (Some(report), false) = (report.as_object_mut(), self.carried.ids.is_empty()) {
            report.insert(PACKAGES.to_owned(), self.carried.ids.clone().into());
        }
        report
    }

    fn evidence(&self) -> Vec<Evidence> {
        let mut all = self.inner.evidence();
        all.extend(self.found.iter().cloned());
        all
    }
}
