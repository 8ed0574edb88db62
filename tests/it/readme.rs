//! `pipelines/README.md` names every key that the program knows, and no other: each section is held against what
//! `huiliu check` says of a key that cannot be.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Home, root};

const RECORD: &str = "\
record: thing
fields:
  - {name: a, type: text}
  - {name: n, type: number}
";

const PIPELINE: &str = "\
pipeline: things
record: record.yaml
source: {folder: {path: inbox}}
format: {limits: {}}
stages:
  - validate: {rules: [{id: r, check: n > 0}]}
  - dedup: {match: [{fields: [a]}]}
  - commitment: {nodes: [{node: s, label: S, when: n > 0, required: [x]}], materials: a}
  - derive: {columns: [{name: c, value: n}]}
  - lookup: {table: t, by: {a: a}, take: {b: b}}
  - filter: {keep: n > 0}
  - classify: {text: [a], kinds: []}
  - score: {dimensions: [{name: d, value: n, linear: {full: 1}}]}
sinks:
  - register: {}
  - jsonl: {path: out/a}
  - csv: {path: out/b}
  - parquet: {path: out/c}
receipts: {}
";

/// A key that nothing has.
const NONE: &str = "qqxx";

/// Heading of the section, which of its tables, and where an unknown key is written: after this text.
const SECTIONS: [(&str, usize, &str); 20] = [
    ("## The pipeline file", 0, "PIPELINE"),
    ("### `record`", 0, "RECORD"),
    ("### `record`", 1, "{name: n, "),
    ("### `source: folder`", 0, "folder: {"),
    ("### `format`", 0, "format: {"),
    ("### `format`", 1, "limits: {"),
    ("### `stages: validate`", 0, "validate: {"),
    ("### `stages: validate`", 1, "{id: r, "),
    ("### `stages: dedup`", 0, "dedup: {"),
    ("### `stages: commitment`", 0, "commitment: {"),
    ("### `stages: score`", 0, "score: {"),
    ("### `stages: score`", 1, "{name: d, "),
    ("### `stages: derive`", 0, "derive: {"),
    ("### `stages: derive`", 1, "{name: c, "),
    ("### `stages: lookup`", 0, "lookup: {"),
    ("### `stages: filter`", 0, "filter: {"),
    ("### `stages: classify`", 0, "classify: {"),
    ("### `sinks`", 0, "jsonl: {"),
    ("### `sinks`", 0, "parquet: {"),
    ("### `receipts`", 0, "receipts: {"),
];

/// The keys that `check` offers in place of an unknown one.
fn known(after: &str) -> BTreeSet<String> {
    let put = |text: &str| match after {
        "PIPELINE" | "RECORD" => format!("{text}{NONE}: 1\n"),
        _ => text.replace(after, &format!("{after}{NONE}: 1, ")).replace(", }", "}"),
    };
    let in_record = after == "RECORD" || RECORD.contains(after);
    let (record, pipeline) = match in_record {
        true => (put(RECORD), PIPELINE.to_owned()),
        false => (RECORD.to_owned(), put(PIPELINE)),
    };
    let home = Home::new(&pipeline);
    home.write("pipelines/record.yaml", record.as_bytes());
    let said = home.check().expect(78);
    let text = format!("{}{}", said.out, said.err);
    let mut lines = text.lines().skip_while(|line| !line.contains(NONE));
    let offered = lines.find_map(|line| line.split_once("there are: "));
    quoted(offered.unwrap_or_else(|| panic!("no keys offered for {after}: {text}")).1)
}

/// What stands in backticks, up to the first dot, brace or colon.
fn quoted(text: &str) -> BTreeSet<String> {
    let parts = text.split('`').skip(1).step_by(2);
    let plain = parts.filter_map(|part| part.split(['.', ':', '{', ' ']).next());
    plain.filter(|part| part.starts_with(|c: char| c.is_ascii_lowercase())).map(str::to_owned).collect()
}

/// The keys in the first column of a section's table; of the sinks' in the second, of one kind.
fn documented(readme: &str, heading: &str, table: usize, kind: Option<&str>) -> BTreeSet<String> {
    let section = readme.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}")).1;
    let section = section.split("\n## ").next().unwrap().split("\n### ").next().unwrap();
    let tables: Vec<&str> =
        section.split("\n\n").map(str::trim).filter(|part| part.starts_with('|')).collect();
    let rows = tables.get(table).unwrap_or_else(|| panic!("{heading} has no table {table}")).lines().skip(2);
    let mut keys = BTreeSet::new();
    let mut of = String::new();
    for row in rows {
        let mut cells = row.split(" | ").map(|cell| cell.trim_matches(['|', ' ']));
        let first = cells.next().unwrap_or_default();
        match kind {
            None => keys.extend(quoted(first)),
            Some(kind) => {
                of = if first.is_empty() { of } else { first.trim_matches('`').to_owned() };
                let named = cells.next().unwrap_or_default();
                if of == kind {
                    keys.extend(quoted(named));
                }
            }
        }
    }
    keys
}

#[test]
fn every_key_is_described_and_no_other() {
    let readme = fs::read_to_string(root().join("pipelines/README.md")).unwrap();
    let mut wrong = Vec::new();
    for (heading, table, after) in SECTIONS {
        let kind = (heading == "### `sinks`").then(|| after.trim_end_matches(": {"));
        let (known, told) = (known(after), documented(&readme, heading, table, kind));
        let missing: Vec<_> = known.difference(&told).collect();
        let unknown: Vec<_> = told.difference(&known).collect();
        if !(missing.is_empty() && unknown.is_empty()) {
            wrong.push(format!("{heading}, table {table}: not described {missing:?}, unknown {unknown:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
