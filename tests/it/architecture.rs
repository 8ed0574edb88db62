//! Who may know whom, and what is absent where: the walls of the house, read off its manifests and sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::root;

fn metadata() -> Value {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    serde_json::from_slice(&cargo.stdout).unwrap()
}

/// Normal dependencies of every package of ours, by name.
fn known(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let ours = packages.filter(|package| members.contains(package["id"].as_str().unwrap()));
    ours.map(|package| {
        let all = package["dependencies"].as_array().unwrap().iter();
        let normal = all.filter(|dependency| dependency["kind"].is_null());
        let names = normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned());
        (package["name"].as_str().unwrap().to_owned(), names.collect())
    })
    .collect()
}

/// Everything that a package brings along by its normal dependencies.
fn brought(metadata: &Value, package: &str) -> BTreeSet<String> {
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node))
        .collect();
    let mut open: Vec<&str> = names.iter().filter(|(_, name)| **name == package).map(|(id, _)| *id).collect();
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        for dependency in nodes[id]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            let next = dependency["pkg"].as_str().unwrap();
            if kinds.iter().any(|kind| kind["kind"].is_null()) && found.insert(next) {
                open.push(next);
            }
        }
    }
    found.into_iter().map(|id| names[id].to_owned()).collect()
}

/// The table of design.md §2: of ours, what a crate may know.
const MAY_KNOW: [(&str, &[&str]); 5] = [
    ("huiliu-stage", &[]),
    ("huiliu-abi", &["huiliu-stage"]),
    ("huiliu-pipeline", &["huiliu-stage"]),
    ("huiliu-formats", &["huiliu-stage"]),
    ("huiliu-store", &["huiliu-stage", "huiliu-pipeline"]),
];

#[test]
fn each_crate_knows_only_those_it_may() {
    let known = known(&metadata());
    assert!(known.len() >= 10, "{:?}", known.keys());
    for (name, dependencies) in &known {
        let ours: BTreeSet<&str> =
            dependencies.iter().map(String::as_str).filter(|d| known.contains_key(*d)).collect();
        let may: &[&str] = match MAY_KNOW.iter().find(|(crate_name, _)| crate_name == name) {
            Some((_, may)) => may,
            None if name == "huiliu" => continue,
            None if is_plugin(name) => &["huiliu-stage", "huiliu-abi"],
            None => continue, // Benchmarks and tools may know what they measure.
        };
        for crate_name in &ours {
            assert!(may.contains(crate_name), "{name} must not know {crate_name}");
        }
    }
    let namers: Vec<&String> = known
        .iter()
        .filter(|(_, dependencies)| dependencies.iter().any(|d| is_plugin(d)))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(namers, ["huiliu"], "only the daemon names plugins");
}

fn is_plugin(name: &str) -> bool {
    let folder = name.strip_prefix("huiliu-").unwrap_or_default();
    let folder = if folder == "example" { "example-rust" } else { folder };
    !folder.is_empty() && root().join("plugins").join(folder).join("Cargo.toml").exists()
}

/// What opens files, sockets or libraries, or runs things by itself.
const WORLD: [&str; 12] = [
    "tokio",
    "notify",
    "rusqlite",
    "libloading",
    "reqwest",
    "hyper",
    "axum",
    "calamine",
    "rustix",
    "tokio-postgres",
    "mio",
    "object_store",
];

/// The built-in plugins.
const PLUGINS: [&str; 6] = ["validate", "dedup", "commitment", "score", "derive", "classify"];

#[test]
fn the_engine_and_the_plugins_know_nothing_of_the_world() {
    let metadata = metadata();
    let engine = &known(&metadata)["huiliu-pipeline"];
    // What DataFusion's parts bring along is theirs; the engine calls none of it.
    assert!(WORLD.iter().all(|world| !engine.contains(*world)), "{engine:?}");
    for name in [
        "huiliu-stage",
        "huiliu-validate",
        "huiliu-dedup",
        "huiliu-commitment",
        "huiliu-score",
        "huiliu-derive",
    ] {
        let brought = brought(&metadata, name);
        assert!(brought.contains("arrow"), "{brought:?}");
        // Plugins are exported by the crate that also loads them.
        let world = WORLD.into_iter().filter(|world| *world != "libloading");
        let found: Vec<&str> = world.filter(|world| brought.contains(*world)).collect();
        assert!(found.is_empty(), "{name} brings {found:?} along");
        let compiles = brought.iter().any(|name| name.starts_with("datafusion"));
        assert!(!compiles, "{name} compiles expressions by itself, and not through its host");
    }
}

/// The lines of a crate's sources that are neither comments nor tests, each with its place.
fn code(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    list(&root().join(folder), &mut files);
    assert!(!files.is_empty(), "{folder}");
    let mut lines = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for (at, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            lines.push((format!("{}:{}", path.display(), at + 1), line.to_owned()));
        }
    }
    lines
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs")
            && path.file_name().is_some_and(|name| name != "tests.rs")
        {
            files.push(path);
        }
    }
}

#[track_caller]
fn assert_absent(folder: &str, words: &[&str]) {
    let has = |line: &str, word: &str| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
            .any(|token| token == word || (word.contains("::") && token.contains(word)))
    };
    for (place, line) in code(folder) {
        for word in words {
            assert!(!has(&line, word), "{place}: `{word}` has no place here: {line}");
        }
    }
}

#[test]
fn the_engine_opens_nothing_and_asks_nobody_for_the_time() {
    let world =
        ["std::fs", "fs::", "std::net", "std::process", "SystemTime", "Instant::now", "File", "TcpStream"];
    assert_absent("crates/huiliu-pipeline/src", &world);
    let plugins = PLUGINS.map(|plugin| format!("plugins/{plugin}/src"));
    for folder in ["crates/huiliu-stage/src"].into_iter().chain(plugins.iter().map(String::as_str)) {
        assert_absent(folder, &world);
        assert_absent(folder, &["println", "eprintln", "tracing"]);
    }
}

#[test]
fn nothing_but_the_abi_is_unsafe() {
    for entry in ["crates", "plugins"].iter().flat_map(|part| fs::read_dir(root().join(part)).unwrap()) {
        let path = entry.unwrap().path();
        if path.ends_with("huiliu-abi") || !path.join("src").exists() {
            continue;
        }
        let folder = path.strip_prefix(root()).unwrap().join("src");
        assert_absent(&folder.to_string_lossy(), &["unsafe"]);
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""), "and the compiler sees to it");
}
