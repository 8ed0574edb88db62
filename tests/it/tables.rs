//! The profiles that are shipped say what the project's reference tables say, where these lie beside the repository.

use std::fs;
use std::path::PathBuf;

use crate::support::root;

/// A reference table, line by line without its heading; `None`, and a word about it, where there is none.
fn reference(name: &str) -> Option<Vec<String>> {
    let path = root().join("../shared/data/projects").join(name);
    if !path.exists() {
        eprintln!("NOT CHECKED: {} is not there", path.display());
        return None;
    }
    Some(lines(path))
}

fn lines(path: PathBuf) -> Vec<String> {
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.trim_start_matches('\u{feff}').lines().skip(1).map(str::to_owned).collect()
}

fn profile(name: &str) -> PathBuf {
    root().join("pipelines/profiles").join(name)
}

#[test]
fn divisions_and_industries_are_shipped_whole() {
    for (name, shipped) in [("division_codes.csv", "divisions.csv"), ("industry_codes.csv", "industries.csv")]
    {
        let Some(reference) = reference(name) else { continue };
        let ours = lines(profile(shipped));
        for line in &reference {
            assert!(ours.contains(line), "{shipped} lacks `{line}`");
        }
    }
}

#[test]
fn types_of_issues_have_all_their_words() {
    let Some(reference) = reference("issue_types.csv") else { return };
    let ours = lines(profile("issue_types.csv"));
    for line in &reference {
        let cells: Vec<&str> = line.split(',').collect();
        let row = ours.iter().find(|row| row.starts_with(&format!("{},{},", cells[0], cells[1])));
        let row: Vec<&str> = row.unwrap_or_else(|| panic!("no type `{}`", cells[0])).split(',').collect();
        for word in cells[2].split(' ') {
            assert!(row[2].split(' ').any(|ours| ours == word), "{} lacks `{word}`", cells[0]);
        }
        assert_eq!(row[3], cells[3], "{}", cells[0]);
    }
}

#[test]
fn every_node_asks_for_its_papers() {
    let Some(reference) = reference("node_evidence.csv") else { return };
    let ours = fs::read_to_string(profile("nodes.yaml")).unwrap();
    for line in &reference {
        let cells: Vec<&str> = line.split(',').collect();
        let start =
            ours.find(&format!("node: {}", cells[0])).unwrap_or_else(|| panic!("no node `{}`", cells[0]));
        let node = &ours[start..];
        let node = node[1..].find("node: ").map_or(node, |end| &node[..=end]);
        for paper in cells[3].split("; ").map(|paper| paper.split('(').next().unwrap_or(paper)) {
            for word in paper.split(['或', '/']) {
                assert!(node.contains(word), "`{word}` ({paper}) is not asked for by\n{node}");
            }
        }
    }
}

#[test]
fn every_model_of_permit_stages_has_its_stages_in_order() {
    let Some(reference) = reference("phased_permit_rules.csv") else { return };
    for (model, shipped) in [
        ("three_stage", "permits_three.yaml"),
        ("two_stage", "permits_two.yaml"),
        ("huhhot", "permits_huhhot.yaml"),
        ("taiyuan", "permits_taiyuan.yaml"),
        ("suining", "permits_suining.yaml"),
    ] {
        let stages = reference.iter().filter_map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[0] == model).then(|| cells[2].split('(').next().unwrap_or_default().trim().to_owned())
        });
        let text = fs::read_to_string(profile(shipped)).unwrap();
        let ours = text.lines().filter_map(|line| line.strip_prefix("  - "));
        let ours: Vec<&str> = ours.filter_map(|words| words.split('|').next()).collect();
        assert_eq!(ours, stages.collect::<Vec<_>>(), "{shipped}");
    }
}

#[test]
fn commitments_have_the_limits_of_their_rules() {
    let Some(reference) = reference("credit_commitment_rules.csv") else { return };
    let ours = fs::read_to_string(root().join("pipelines/projects.yaml")).unwrap();
    for (rule, keys) in [
        ("20 / 5,2 / 1x10", &["limit_workdays: 20", "due_soon_workdays: 5", "extension_workdays: 10"][..]),
        (",3 / 1,", &["max_open: 3", "max_per_material: 1"]),
        (",12 months,", &["block_months: 12"]),
    ] {
        assert!(reference.iter().any(|line| line.contains(rule)), "the rules say no longer `{rule}`");
        for key in keys {
            assert!(ours.contains(key), "projects.yaml lacks `{key}`");
        }
    }
}
