//! Runs a data set with truth through the merging stage in a real pipeline, records arriving in deliveries, and compares
//! the register of records that comes of it with the truth, pair by pair.
//!
//! A data set is a folder with `records.csv` (`id`, mostly `source`, then fields) and `truth.csv` (id, thing) or
//! `matches.csv` (pairs of ids). Each source is a department; each delivery holds what one department has of so many
//! records. The record carries a list of the ids that went into it, so the output itself says who was taken for whom.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::{self, Display, Formatter};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::late::{self, Late};
use crate::measure::{self, Cost};
use crate::place::{self, Place};

/// What is to be run.
pub(crate) struct Options {
    pub(crate) dataset: PathBuf,
    /// What is compared, as `link` of the stage's options; else the shipped one of the data set's name.
    pub(crate) config: Option<PathBuf>,
    /// Records of all departments that arrive together.
    pub(crate) batch: usize,
    /// Another order of arrival.
    pub(crate) order: Option<u64>,
    /// So many of the last records come one by one to a program that is started for them.
    pub(crate) late: usize,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Linkage {
    dataset: PathBuf,
    records: usize,
    /// Records that were refused.
    missing: usize,
    deliveries: usize,
    things: usize,
    precision: f64,
    recall: f64,
    f1: f64,
    /// Pairs that wait for people.
    asked: usize,
    cost: Cost,
    late: Option<Late>,
}

struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut rows = cells(&text).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(!rows.is_empty(), "{} is empty", path.display());
        let header = rows.remove(0);
        if let Some(at) = rows.iter().position(|row| row.len() != header.len()) {
            bail!(
                "{}: record {} has {} cells and not {}",
                path.display(),
                at + 1,
                rows[at].len(),
                header.len()
            );
        }
        Ok(Self { header, rows })
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }
}

/// Comma-separated values with quotes.
fn cells(text: &str) -> Result<Vec<Vec<String>>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    Ok(reader.deserialize().collect::<csv::Result<_>>()?)
}

/// Runs a data set.
pub(crate) fn run(place: &Place, options: &Options) -> Result<Linkage> {
    let mut table = Table::read(&options.dataset.join("records.csv"))?;
    let id = table.column("id").context("records.csv has no column `id`")?;
    if let Some(seed) = options.order {
        shuffle(&mut table.rows, seed);
    }
    let folder = place.fresh("linkage")?;
    let pipeline = folder.join("linkage.yaml");
    fs::write(&pipeline, pipeline_of(&table, &link(options)?)?)?;
    let data = folder.join("data");
    let late = table.rows.split_off(table.rows.len().saturating_sub(options.late));
    let deliveries = deliver(&table, options.batch, &data)?;
    let log = place.dir.join("linkage.log");
    let arguments = ["run".as_ref(), &*pipeline, "--data".as_ref(), &*data, "--once".as_ref()];
    let cost = measure::command(&place.huiliu, &arguments, &log)?;
    let known = table.rows.len();
    let late =
        (!late.is_empty()).then(|| one_by_one(place, (&pipeline, &data), &mut table, late)).transpose()?;
    let of = things(&data.join("out"))?;
    let missing = table.rows.iter().filter(|row| !of.contains_key(&row[id])).count();
    // A reader may refuse a cell, such as a code that looks like a number that lost its end; never many.
    let few = missing * 10_000 <= table.rows.len();
    ensure!(few, "{missing} records are in no record of the output; {} is kept", data.display());
    let truth = Truth::read(&options.dataset)?;
    let figures = truth.compare(&of);
    let linkage = Linkage {
        dataset: options.dataset.clone(),
        records: known,
        missing,
        deliveries,
        things: of.values().collect::<HashSet<_>>().len(),
        precision: figures.0,
        recall: figures.1,
        f1: figures.2,
        asked: asked(place, &data)?,
        cost,
        late,
    };
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(linkage)
}

/// Hands over the late records one by one; they are in the table then, like all others.
fn one_by_one(
    place: &Place,
    (pipeline, data): (&Path, &Path),
    table: &mut Table,
    late: Vec<Vec<String>>,
) -> Result<Late> {
    let (id, source) = (table.column("id").unwrap_or(0), table.column("source"));
    let records = late.iter().map(|row| (department(row, source).to_owned(), line(table, row, id, source)));
    let records: Vec<(String, String)> = records.collect();
    let found = late::run(place, pipeline, data, &records);
    table.rows.extend(late);
    found
}

fn department(row: &[String], source: Option<usize>) -> &str {
    match source.map_or("all", |at| &row[at]) {
        "" => "none",
        name => name,
    }
}

/// The option `link` for the data set.
fn link(options: &Options) -> Result<Value> {
    let name = options.dataset.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let shipped = place::root().join("plugins/dedup/examples/linkage");
    let short = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == 'k');
    let first = name.split('-').take(2).collect::<Vec<_>>().join("-");
    let path = match &options.config {
        Some(path) => path.clone(),
        None => [name, short, &first]
            .iter()
            .map(|name| shipped.join(format!("{name}.json")))
            .find(|path| path.exists())
            .with_context(|| format!("no configuration is shipped for `{name}`; say --config FILE.json"))?,
    };
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

/// The pipeline: only likeness decides, since no two rows have one id.
fn pipeline_of(table: &Table, link: &Value) -> Result<String> {
    let mut fields = vec![json!({"name": "id", "required": true}), json!({"name": "ids", "type": "list"})];
    let own = table.header.iter().filter(|name| !["id", "ids", "source"].contains(&name.as_str()));
    fields.extend(own.map(|name| json!({"name": name})));
    let dedup = json!({"match": [{"fields": ["id"]}], "merge": {"fields": {"ids": "union"}}, "link": link});
    // JSON is YAML.
    let pipeline = json!({
        "pipeline": "linkage",
        "record": {"record": "thing", "fields": fields},
        "source": {"folder": {"path": "inbox/{department}", "include": ["*.jsonl"], "settle_ms": 0}},
        "receipts": {"json": false, "xlsx": false, "findings": 0},
        "stages": [{"dedup": dedup}],
        "sinks": [{"jsonl": {"path": "out", "columns": ["record_id", "revision", "ids", "_merged_into"]}}],
    });
    Ok(serde_json::to_string_pretty(&pipeline)?)
}

/// Puts the records into the inbox, a file for each department and batch, each a second younger than the one before.
fn deliver(table: &Table, batch: usize, data: &Path) -> Result<usize> {
    let (id, source) = (table.column("id").unwrap_or(0), table.column("source"));
    let mut files = 0;
    for (number, rows) in table.rows.chunks(batch.max(1)).enumerate() {
        let mut of: BTreeMap<&str, Vec<&Vec<String>>> = BTreeMap::new();
        for row in rows {
            of.entry(department(row, source)).or_default().push(row);
        }
        for (department, rows) in of {
            let folder = data.join("inbox").join(department);
            fs::create_dir_all(&folder)?;
            let path = folder.join(format!("{number:06}.jsonl"));
            let mut out = BufWriter::new(File::create(&path)?);
            for row in rows {
                writeln!(out, "{}", line(table, row, id, source))?;
            }
            let file = out.into_inner().map_err(|error| error.into_error())?;
            files += 1;
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + files as u64))?;
        }
    }
    Ok(files)
}

fn line(table: &Table, row: &[String], id: usize, source: Option<usize>) -> String {
    let mut members = Map::new();
    members.insert("id".to_owned(), row[id].clone().into());
    members.insert("ids".to_owned(), json!([row[id]]));
    for (at, (name, value)) in table.header.iter().zip(row).enumerate() {
        if at != id && Some(at) != source && !value.trim().is_empty() {
            members.insert(name.clone(), value.clone().into());
        }
    }
    Value::Object(members).to_string()
}

/// For each id of a row the record that it went to: the last revision of each record lists its ids. One that was merged
/// into another lists those that it had then, which that one lists as well.
fn things(out: &Path) -> Result<HashMap<String, String>> {
    let mut last: HashMap<String, (i64, Vec<String>)> = HashMap::new();
    for file in fs::read_dir(out).with_context(|| format!("nothing came out in {}", out.display()))? {
        let path = file?.path();
        for line in fs::read_to_string(&path)?.lines() {
            let line: Value = serde_json::from_str(line)?;
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let record = text(&line["record_id"]).context("a line without `record_id`")?;
            let revision = line["revision"].as_i64().unwrap_or_default();
            let ids = match line["_merged_into"].is_string() {
                true => Vec::new(),
                false => line["ids"].as_array().into_iter().flatten().filter_map(text).collect(),
            };
            let newest = last.get(&record).is_none_or(|(known, _)| *known < revision);
            if newest {
                last.insert(record, (revision, ids));
            }
        }
    }
    Ok(last
        .into_iter()
        .flat_map(|(record, (_, ids))| ids.into_iter().map(move |id| (id, record.clone())))
        .collect())
}

fn asked(place: &Place, data: &Path) -> Result<usize> {
    let mut command = measure::with_own_settings(&place.huiliu);
    let said = command.args(["review", "list", "--json", "--data"]).arg(data).output()?;
    ensure!(
        said.status.success(),
        "`huiliu review list` failed: {}",
        String::from_utf8_lossy(&said.stderr).trim()
    );
    let queue: Value = serde_json::from_slice(&said.stdout)?;
    Ok(queue.as_array().map_or(0, Vec::len))
}

/// What is one in truth.
enum Truth {
    Things(HashMap<String, String>),
    Pairs(Vec<(String, String)>),
}

impl Truth {
    fn read(dataset: &Path) -> Result<Self> {
        let things = dataset.join("truth.csv");
        let pairs = |path: &Path| -> Result<Vec<(String, String)>> {
            let rows = Table::read(path)?.rows;
            rows.into_iter()
                .map(|row| match <[String; 2]>::try_from(row) {
                    Ok([a, b]) => Ok((a, b)),
                    Err(row) => bail!("{}: `{}` is no pair", path.display(), row.join(",")),
                })
                .collect()
        };
        match things.exists() {
            true => Ok(Self::Things(pairs(&things)?.into_iter().collect())),
            false => Ok(Self::Pairs(pairs(&dataset.join("matches.csv"))?)),
        }
    }

    /// Precision, recall and F1 over pairs.
    fn compare(&self, of: &HashMap<String, String>) -> (f64, f64, f64) {
        let count = |all: &mut dyn Iterator<Item = Vec<&str>>| {
            let mut sizes: HashMap<Vec<&str>, u64> = HashMap::new();
            all.for_each(|key| *sizes.entry(key).or_default() += 1);
            sizes.values().map(|size| size * (size - 1) / 2).sum::<u64>()
        };
        let said = count(&mut of.values().map(|record| vec![record.as_str()]));
        let (right, all) = match self {
            Self::Things(things) => {
                let both = |(id, record): (&'_ String, &'_ String)| (things.get(id).cloned(), record.clone());
                let both: Vec<(Option<String>, String)> = of.iter().map(both).collect();
                let known = both.iter().filter_map(|(thing, record)| Some((thing.as_deref()?, &**record)));
                let right = count(&mut known.map(|(thing, record)| vec![thing, record]));
                (right, count(&mut things.values().map(|thing| vec![thing.as_str()])))
            }
            Self::Pairs(pairs) => {
                let pairs: HashSet<(&str, &str)> =
                    pairs.iter().map(|(a, b)| if a < b { (&**a, &**b) } else { (&**b, &**a) }).collect();
                let one =
                    |(a, b): &&(&str, &str)| of.get(*a).is_some_and(|record| of.get(*b) == Some(record));
                (pairs.iter().filter(one).count() as u64, pairs.len() as u64)
            }
        };
        let (right, said, all) = (right as f64, said as f64, all as f64);
        (right / said.max(1.0), right / all.max(1.0), 2.0 * right / (said + all).max(1.0))
    }
}

/// Puts rows into another order, the same for the same seed.
fn shuffle<T>(rows: &mut [T], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for at in (1..rows.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        rows.swap(at, (state % (at as u64 + 1)) as usize);
    }
}

impl Display for Linkage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} records in {} deliveries -> {} things; precision {:.4} recall {:.4} F1 {:.4}; {} pairs to review; \
             wall {:.2} s, CPU {:.2} s, {:.0} records/CPU s, peak {:.1} MB",
            self.dataset.display(),
            self.records,
            self.deliveries,
            self.things,
            self.precision,
            self.recall,
            self.f1,
            self.asked,
            self.cost.wall_s,
            self.cost.cpu_s,
            self.records as f64 / self.cost.cpu_s.max(1e-9),
            self.cost.peak_bytes as f64 / 1e6
        )?;
        if self.missing > 0 {
            write!(f, "; {} records were refused", self.missing)?;
        }
        self.late.iter().try_for_each(|late| write!(f, "\n{late}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_commas_quotes_and_line_breaks() {
        let table = [
            ("a,b\n1,2\n", vec![vec!["a", "b"], vec!["1", "2"]]),
            ("\u{feff}a\r\n\"x,\"\"y\"\"\nz\"", vec![vec!["a"], vec!["x,\"y\"\nz"]]),
            (",\n", vec![vec!["", ""]]),
            ("", vec![]),
        ];
        for (text, expected) in table {
            assert_eq!(cells(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn figures_count_pairs() {
        let of = |pairs: &[(&str, &str)]| -> HashMap<String, String> {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        // Three pairs are said (a b, a c, b c), two are true (a b, d e), one of them is right.
        let said = of(&[("a", "1"), ("b", "1"), ("c", "1"), ("d", "2"), ("e", "3")]);
        let things = Truth::Things(of(&[("a", "x"), ("b", "x"), ("c", "y"), ("d", "z"), ("e", "z")]));
        let pairs = Truth::Pairs(vec![("b".into(), "a".into()), ("d".into(), "e".into())]);
        for truth in [things, pairs] {
            let (precision, recall, f1) = truth.compare(&said);
            assert!((precision - 1.0 / 3.0).abs() < 1e-9 && recall == 0.5 && (f1 - 0.4).abs() < 1e-9);
        }
    }
}
