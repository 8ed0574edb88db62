//! `profile: PATH` in the options of a stage: the keys of another YAML file, as if they stood there.
//!
//! ```yaml
//! - history: {profile: profiles/permits_three.yaml, key: [[project_code]]}
//! ```
//!
//! The path is relative to the file in which it stands. A key that stands beside `profile` goes before the one in the
//! file. What is wrong in a profile is told with its place in the profile. A profile may take another one.

use std::path::Path;

use super::node::{Node, Value};
use super::{Files, read};
use crate::diagnostic::Diagnostic;

/// The key.
const KEY: &str = "profile";
/// How far profiles may take one another: more is a circle.
const MOST: usize = 8;

/// Where texts of files and variables of the environment come from.
pub(super) struct Profiles<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
}

impl Profiles<'_> {
    /// Puts profiles in their place, in all mappings below a node of a file in `folder`.
    pub(super) fn fill(&self, node: &mut Node, folder: &Path, problems: &mut Vec<Diagnostic>) {
        self.below(node, folder, 0, problems);
    }

    fn below(&self, node: &mut Node, folder: &Path, depth: usize, problems: &mut Vec<Diagnostic>) {
        match &mut node.value {
            Value::Seq(items) => {
                items.iter_mut().for_each(|item| self.below(item, folder, depth, problems));
            }
            Value::Map(entries) => {
                let at = entries.iter().position(|entry| entry.key == KEY);
                let named = at.map(|at| entries.remove(at).value);
                entries.iter_mut().for_each(|entry| self.below(&mut entry.value, folder, depth, problems));
                let Some(profile) = named.and_then(|named| self.read(&named, folder, depth, problems)) else {
                    return;
                };
                if let Value::Map(more) = profile.value {
                    for entry in more {
                        if !entries.iter().any(|own| own.key == entry.key) {
                            entries.push(entry);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// The file that a `profile` names, its own profiles in their place.
    fn read(
        &self,
        named: &Node,
        folder: &Path,
        depth: usize,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Node> {
        let Some(file) = named.as_str() else {
            problems.push(
                named.problem(format!("the path of a profile is needed here, this is {}", named.describe())),
            );
            return None;
        };
        if depth >= MOST {
            problems.push(named.problem("these profiles take one another without end"));
            return None;
        }
        let path = folder.join(file);
        // A file that is not there is a mistake of the one who names it.
        if let Err(error) = self.files.read(&path) {
            problems.push(named.problem(format!("cannot read `{}`: {error}", path.display())));
            return None;
        }
        let (tree, found) = read(&path, self.files, self.env);
        problems.extend(found);
        let mut tree = tree?;
        if tree.entries().is_none() {
            let message = format!("a profile is a mapping of options, this is {}", tree.describe());
            problems.push(tree.problem(message));
            return None;
        }
        self.below(&mut tree, path.parent().unwrap_or(Path::new("")), depth + 1, problems);
        Some(tree)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io;

    use super::*;

    fn filled(files: &[(&str, &str)]) -> (serde_json::Value, Vec<String>) {
        let texts: BTreeMap<String, String> =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let files = |path: &Path| -> io::Result<String> {
            let text = texts.get(&*path.to_string_lossy()).cloned();
            text.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "not found"))
        };
        let (node, mut problems) = read(Path::new("p.yaml"), &files, &|_| None);
        let mut node = node.unwrap();
        Profiles { files: &files, env: &|_| None }.fill(&mut node, Path::new(""), &mut problems);
        let told = problems.iter().map(|p| format!("{}:{}: {}", p.file.display(), p.line, p.message));
        (node.to_json(), told.collect())
    }

    #[test]
    fn a_profile_gives_the_keys_that_do_not_stand_beside_it() {
        let (json, told) = filled(&[
            ("p.yaml", "- history: {profile: profiles/a.yaml, late: 5}\n- x: [{profile: profiles/b.yaml}]\n"),
            ("profiles/a.yaml", "late: 10\nstages: [甲]\nprofile: b.yaml\n"),
            ("profiles/b.yaml", "words: {w: 1}\n"),
        ]);
        let expected =
            r#"[{"history":{"late":5,"stages":["甲"],"words":{"w":1}}},{"x":[{"words":{"w":1}}]}]"#;
        assert_eq!((json.to_string(), told), (expected.to_owned(), vec![]));
    }

    #[test]
    fn a_profile_that_cannot_be_had_is_told_where_it_is_named_and_a_broken_one_where_it_is_broken() {
        for (files, expected) in [
            (&[("p.yaml", "a:\n  profile: none.yaml\n")][..], "p.yaml:2: cannot read `none.yaml`: not found"),
            (
                &[("p.yaml", "a:\n  profile: [1]\n")],
                "p.yaml:2: the path of a profile is needed here, this is a list",
            ),
            (
                &[("p.yaml", "profile: l.yaml\n"), ("l.yaml", "- 1\n")],
                "l.yaml:1: a profile is a mapping of options, this is a list",
            ),
            (&[("p.yaml", "profile: p.yaml\n")], "p.yaml:1: these profiles take one another without end"),
        ] {
            assert_eq!(filled(files).1, [expected], "{expected}");
        }
        let (_, told) = filled(&[("p.yaml", "profile: b.yaml\n"), ("b.yaml", "a: [\n")]);
        assert!(told[0].starts_with("b.yaml:"), "{told:?}");
    }
}
