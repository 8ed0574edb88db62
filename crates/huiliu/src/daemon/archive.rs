//! Putting a file away when it is done with, never over another one.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::sinks::{named, sync_folder};

/// Where the file of a delivery is put away in `folder`: its own name with the delivery's id before the
/// ending. The same content gets the same name, another content never.
pub(crate) fn place(folder: &Path, file: &str, id: &str) -> PathBuf {
    let path = Path::new(file);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let name = named(&stem, id);
    match path.extension() {
        Some(extension) => folder.join(format!("{name}.{}", extension.to_string_lossy())),
        None => folder.join(name),
    }
}

/// Moves a file to `target`, or to `target` with a number if that is taken. Gives the place it got.
///
/// # Errors
/// Nothing was moved.
pub(crate) fn put_away(from: &Path, target: &Path) -> io::Result<PathBuf> {
    let folder = target.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    for number in 1..10_000 {
        let to = numbered(target, number);
        match renameat_with(CWD, from, CWD, &to, RenameFlags::NOREPLACE) {
            Ok(()) => {
                sync_folder(to.parent())?;
                return Ok(to);
            }
            Err(rustix::io::Errno::EXIST) => {}
            // Another file system, or one that cannot rename without replacing.
            Err(rustix::io::Errno::XDEV | rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                match copy_away(from, &to) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    done => return done.map(|()| to),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "ten thousand files of this name are there"))
}

fn numbered(target: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return target.to_owned();
    }
    let stem = target.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    match target.extension() {
        Some(extension) => {
            target.with_file_name(format!("{stem} ({number}).{}", extension.to_string_lossy()))
        }
        None => target.with_file_name(format!("{stem} ({number})")),
    }
}

/// Copies, makes the copy durable, removes the original.
fn copy_away(from: &Path, to: &Path) -> io::Result<()> {
    let mut copy = std::fs::File::create_new(to)?;
    let copied = std::fs::File::open(from).and_then(|mut file| io::copy(&mut file, &mut copy));
    if let Err(error) = copied.and_then(|_| copy.sync_all()) {
        std::fs::remove_file(to)?;
        return Err(error);
    }
    sync_folder(to.parent())?;
    std::fs::remove_file(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_ever_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("archive/a.xlsx");
        for (content, name) in [("1", "a.xlsx"), ("2", "a (2).xlsx"), ("3", "a (3).xlsx")] {
            let from = folder.path().join("in.xlsx");
            std::fs::write(&from, content).unwrap();
            let to = put_away(&from, &target).unwrap();
            assert_eq!(to.file_name().unwrap(), name);
            assert_eq!(std::fs::read_to_string(to).unwrap(), content);
            assert!(!from.exists());
        }
    }

    #[test]
    fn the_place_is_the_files_own_name_with_the_id() {
        let at = |file| place(Path::new("archive/甲"), file, "00ff");
        assert_eq!(at("2023年4月.xlsx"), Path::new("archive/甲/2023年4月.00ff.xlsx"));
        assert_eq!(at("清单"), Path::new("archive/甲/清单.00ff"));
    }
}
