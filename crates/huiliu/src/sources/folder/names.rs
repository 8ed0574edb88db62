//! Which files are looked at: the wanted ones, and never a program's temporary ones.

use std::path::Path;

use globset::{Glob, GlobSet, GlobSetBuilder};

const UNFINISHED: [&str; 12] = [
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".filepart",
    ".crdownload",
    ".download",
    ".opdownload",
    ".aria2",
    ".swp",
    ".bak",
    "~",
];

/// Include and exclude patterns, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    include: GlobSet,
    exclude: GlobSet,
}

impl Wanted {
    /// Compiles the patterns. They match file names without folders, letter case aside.
    ///
    /// # Errors
    /// The pattern that is wrong, and why.
    pub(crate) fn new(include: &[String], exclude: &[String]) -> Result<Self, String> {
        let set = |patterns: &[String]| {
            let mut set = GlobSetBuilder::new();
            for pattern in patterns {
                set.add(Glob::new(&pattern.to_lowercase()).map_err(|error| error.to_string())?);
            }
            set.build().map_err(|error| error.to_string())
        };
        Ok(Self { include: set(include)?, exclude: set(exclude)? })
    }

    /// Whether a file of this name is to be taken.
    pub(crate) fn wants(&self, path: &Path) -> bool {
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().to_lowercase()) else {
            return false;
        };
        !unfinished(&name) && self.include.is_match(&name) && !self.exclude.is_match(&name)
    }
}

/// Lock files, dot files and what programs call a file they have not finished.
fn unfinished(name: &str) -> bool {
    name.starts_with('.')
        || name.starts_with("~$")
        || UNFINISHED.iter().any(|ending| name.ends_with(ending))
        || ["thumbs.db", "desktop.ini"].contains(&name)
        || is_excel_draft(name)
}

/// Excel saves as eight hex digits without an ending, then renames.
fn is_excel_draft(name: &str) -> bool {
    name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_and_partial_files_are_never_taken() {
        let all = Wanted::new(&["*".into()], &["*草稿*".into()]).unwrap();
        for (name, wanted) in [
            ("武高新-2023年4月.xlsx", true),
            ("A.CSV", true),
            ("~$武高新.xlsx", false),
            (".~lock.a.xlsx#", false),
            (".hidden.csv", false),
            ("a.csv.part", false),
            ("a.csv.tmp", false),
            ("a.xlsx.crdownload", false),
            ("Thumbs.db", false),
            ("草稿1.xlsx", false),
            ("a.csv~", false),
            ("5F3A7C00", false),
            ("20260401.csv", true),
            ("清单", true),
        ] {
            assert_eq!(all.wants(Path::new(name)), wanted, "{name}");
        }
        let some = Wanted::new(&["*.xlsx".into()], &[]).unwrap();
        assert!(some.wants(Path::new("x/A.XLSX")) && !some.wants(Path::new("a.csv")));
    }
}
