//! What can be read in a sink's folder: which of the dropped rows stand there as complete lines, and since when.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Instant;

/// Before a row's number in its project code. Numbers go through all rows of all files, in order.
pub(crate) const MARK: &str = "9901-320412-89-01-";

/// What was read up to now, file by file as it grows.
pub(crate) struct Seen {
    folder: PathBuf,
    rows: usize,
    read_to: HashMap<PathBuf, u64>,
    came: Vec<bool>,
    missing: Vec<usize>,
    /// When the last row of each file could be read.
    pub(crate) whole_at: Vec<Option<Instant>>,
    /// Rows that came out once more, or were never dropped.
    pub(crate) again: u64,
}

impl Seen {
    /// Nothing yet of so many files of so many rows.
    pub(crate) fn new(folder: PathBuf, files: usize, rows: usize) -> Self {
        Self {
            folder,
            rows,
            read_to: HashMap::new(),
            came: vec![false; files * rows],
            missing: vec![rows; files],
            whole_at: vec![None; files],
            again: 0,
        }
    }

    /// Files come and go while it is looked at: what cannot be read now is read the next time.
    pub(crate) fn look(&mut self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let known = self.read_to.get(&entry.path()).copied().unwrap_or_default();
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if hidden || entry.metadata().map_or(true, |found| found.len() <= known) {
                continue;
            }
            let mut bytes = Vec::new();
            let mut read = || -> std::io::Result<usize> {
                let mut file = File::open(entry.path())?;
                file.seek(SeekFrom::Start(known))?;
                file.read_to_end(&mut bytes)
            };
            if read().is_err() {
                continue;
            }
            let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            self.take(&String::from_utf8_lossy(&bytes[..complete]));
            self.read_to.insert(entry.path(), known + complete as u64);
        }
    }

    fn take(&mut self, lines: &str) {
        let now = Instant::now();
        for line in lines.lines() {
            let digits = line.split_once(MARK).and_then(|(_, behind)| behind.get(..6));
            let Some(number) = digits.and_then(|digits| digits.parse::<usize>().ok()) else { continue };
            match self.came.get_mut(number) {
                Some(came) if !*came => *came = true,
                _ => {
                    self.again += 1;
                    continue;
                }
            }
            let file = number / self.rows;
            self.missing[file] -= 1;
            if self.missing[file] == 0 {
                self.whole_at[file] = Some(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_count_once_and_as_complete_lines_only() {
        let folder = tempfile::tempdir().unwrap();
        let mut seen = Seen::new(folder.path().to_owned(), 3, 2);
        let line = |number: u32| format!("{{\"project_code\":\"{MARK}{number:06}\",\"score\":1.5}}\n");
        let mut write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).unwrap();
            seen.look();
            let whole: Vec<usize> = (0..3).filter(|file| seen.whole_at[*file].is_some()).collect();
            (whole, seen.again)
        };
        let (zero, one, three) = (line(0), line(1), line(3));
        assert_eq!(write("a.jsonl", &zero), (vec![], 0));
        assert_eq!(write(".b.jsonl.tmp", &one), (vec![], 0), "not meant for readers");
        assert_eq!(
            write("a.jsonl", &format!("{zero}{}", one.trim_end())),
            (vec![], 0),
            "a line not yet whole"
        );
        assert_eq!(write("a.jsonl", &format!("{zero}{one}{three}")), (vec![0], 0));
        assert_eq!(write("b.jsonl", &line(2)), (vec![0, 1], 0), "a file's rows may come in any order");
        assert_eq!(write("c.jsonl", &format!("other\n{three}")), (vec![0, 1], 1));
        assert_eq!(write("d.jsonl", &line(6)), (vec![0, 1], 2), "a row that nobody dropped");
    }
}
