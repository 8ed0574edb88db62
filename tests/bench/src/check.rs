//! Is an output what the generator says it must be? Rows are read one by one, so that a file may be of any size.
//!
//! JSON Lines are read in full: how many, each code once, two sums. Of Parquet the ledger's counts are compared,
//! and that the files are whole: reading their values would bring in all of Arrow.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// What a right run makes of a file; `FILE.csv.expected.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Expected {
    pub(crate) rows: u64,
    /// Rows that break nothing, the first of each project code.
    pub(crate) valid: u64,
    /// Rows that break nothing, after the first of their project code.
    pub(crate) duplicates: u64,
    pub(crate) rejected: u64,
    /// Of each rule, how many rows break it.
    pub(crate) reasons: BTreeMap<String, u64>,
    /// Of the valid rows' `total_investment`.
    pub(crate) sum_total: f64,
    /// Of the valid rows' scores.
    pub(crate) sum_score: f64,
}

impl Expected {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let unknown = || format!("cannot read {}; `huiliu-bench gen` makes it with its file", path.display());
        let text = fs::read(path).with_context(unknown)?;
        serde_json::from_slice(&text).with_context(|| format!("{} is no expectation", path.display()))
    }
}

/// What the valid rows were written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Jsonl,
    Parquet,
}

impl Form {
    fn ending(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }
}

/// What a valid row is looked at for.
#[derive(Deserialize)]
struct Valid {
    project_code: String,
    total_investment: f64,
    score: f64,
}

#[derive(Deserialize)]
struct Reject {
    reasons: Vec<String>,
}

/// One delivery, as `huiliu deliveries --json` tells it.
#[derive(Deserialize)]
struct Delivery {
    state: String,
    rows_in: u64,
    rows_out: u64,
    quarantined: u64,
    dropped: u64,
    balanced: bool,
    codes: BTreeMap<String, u64>,
}

/// What differs in the folder `out`; nothing when the output is right.
pub(crate) fn output(out: &Path, form: Form, expected: &Expected) -> Vec<String> {
    let mut differences = match form {
        Form::Jsonl => told(valid_rows(&out.join("valid"), expected)),
        Form::Parquet => told(whole_parquet(&out.join("valid"), expected)),
    };
    differences.extend(told(rejects(&out.join("rejects"), expected)));
    differences
}

/// An output that cannot be read differs, too.
fn told(differences: Result<Vec<String>>) -> Vec<String> {
    differences.unwrap_or_else(|error| vec![format!("{error:#}")])
}

fn valid_rows(folder: &Path, expected: &Expected) -> Result<Vec<String>> {
    let (mut rows, mut total, mut score) = (0_u64, 0_i64, 0_i64);
    let mut codes: HashSet<[u8; 24]> = HashSet::new();
    each_line(folder, |row: Valid| {
        rows += 1;
        // Whole numbers: a sum that does not hang on the order of the rows.
        total += (row.total_investment * 1e2).round() as i64;
        score += (row.score * 1e4).round() as i64;
        let code = row.project_code.as_bytes().try_into();
        codes.insert(code.with_context(|| format!("project_code `{}`", row.project_code))?);
        Ok(())
    })?;
    let mut differences = Vec::new();
    differ(&mut differences, "valid rows", rows, expected.valid);
    differ(&mut differences, "duplicates left", rows - codes.len() as u64, 0);
    let sums = [
        ("sum of total_investment", total as f64 / 1e2, expected.sum_total, 1.0),
        ("sum of score", score as f64 / 1e4, expected.sum_score, 0.5),
    ];
    for (what, is, must, tolerance) in sums {
        if (is - must).abs() > tolerance {
            differences.push(format!("{what}: {is:.2}, not {must:.2}"));
        }
    }
    Ok(differences)
}

fn rejects(folder: &Path, expected: &Expected) -> Result<Vec<String>> {
    let mut rows = 0;
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    each_line(folder, |row: Reject| {
        rows += 1;
        row.reasons.into_iter().for_each(|reason| *reasons.entry(reason).or_default() += 1);
        Ok(())
    })?;
    let mut differences = Vec::new();
    differ(&mut differences, "refused rows", rows, expected.rejected);
    differ_by_reason(&mut differences, "rows refused for", &reasons, expected);
    Ok(differences)
}

/// Compares the ledger, as `huiliu deliveries --json` prints it.
pub(crate) fn ledger(json: &str, expected: &Expected) -> Result<Vec<String>> {
    let deliveries: Vec<Delivery> =
        serde_json::from_str(json).context("`huiliu deliveries --json` says no such thing")?;
    let [delivery] = deliveries.as_slice() else {
        return Ok(vec![format!("ledger: {} deliveries, not 1", deliveries.len())]);
    };
    let mut differences = Vec::new();
    if delivery.state != "committed" {
        differences.push(format!("ledger: the delivery is {}, not committed", delivery.state));
    }
    if !delivery.balanced {
        differences.push("ledger: rows are missing".to_owned());
    }
    let counts = [
        ("ledger: rows read", delivery.rows_in, expected.rows),
        ("ledger: rows out", delivery.rows_out, expected.valid),
        ("ledger: rows refused", delivery.quarantined, expected.rejected),
        ("ledger: rows dropped", delivery.dropped, expected.duplicates),
    ];
    counts.into_iter().for_each(|(what, is, must)| differ(&mut differences, what, is, must));
    let mut codes = delivery.codes.clone();
    codes.remove("duplicate"); // the rows dropped
    differ_by_reason(&mut differences, "ledger: findings of", &codes, expected);
    Ok(differences)
}

fn differ(differences: &mut Vec<String>, what: &str, is: u64, must: u64) {
    if is != must {
        differences.push(format!("{what}: {is}, not {must}"));
    }
}

fn differ_by_reason(
    differences: &mut Vec<String>,
    what: &str,
    counts: &BTreeMap<String, u64>,
    expected: &Expected,
) {
    for (reason, must) in &expected.reasons {
        let is = counts.get(reason).copied().unwrap_or_default();
        differ(differences, &format!("{what} {reason}"), is, *must);
    }
    for (reason, is) in counts.iter().filter(|(reason, _)| !expected.reasons.contains_key(*reason)) {
        differ(differences, &format!("{what} {reason}"), *is, 0);
    }
}

/// Reads every complete line of every file that readers may see.
fn each_line<Row: for<'de> Deserialize<'de>>(
    folder: &Path,
    mut each: impl FnMut(Row) -> Result<()>,
) -> Result<()> {
    for path in files(folder, Form::Jsonl)? {
        let mut reader = BufReader::with_capacity(1 << 18, File::open(&path)?);
        let mut line = String::new();
        for number in 1.. {
            line.clear();
            let mut take = || -> Result<bool> {
                if reader.read_line(&mut line)? == 0 {
                    return Ok(false);
                }
                ensure!(line.ends_with('\n'), "the last line is cut off");
                each(serde_json::from_str(&line)?)?;
                Ok(true)
            };
            if !take().with_context(|| format!("{} line {number}", path.display()))? {
                break;
            }
        }
    }
    Ok(())
}

/// Begins and ends as a Parquet file does: the end is written last.
fn whole_parquet(folder: &Path, expected: &Expected) -> Result<Vec<String>> {
    let files = files(folder, Form::Parquet)?;
    ensure!(!files.is_empty() || expected.valid == 0, "no Parquet file in {}", folder.display());
    for path in files {
        let mut ends = [[0; 4]; 2];
        let mut file = File::open(&path)?;
        file.read_exact(&mut ends[0])?;
        file.seek(SeekFrom::End(-4))?;
        file.read_exact(&mut ends[1])?;
        ensure!(ends == [*b"PAR1"; 2], "{} is no whole Parquet file", path.display());
    }
    Ok(Vec::new())
}

/// Files in the folder that are meant for readers.
fn files(folder: &Path, form: Form) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if folder.exists() {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !hidden && path.extension().is_some_and(|ending| ending == form.ending()) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
