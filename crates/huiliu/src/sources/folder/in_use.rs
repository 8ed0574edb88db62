//! Who has a file open: told by the lock files that office programs put beside it, and on a Windows share by the
//! server, which refuses a second writer.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// More of a lock file is never read.
const MOST: u64 = 4096;
/// Longest name told.
const NAME: usize = 60;

/// Who has `path` open in an office program, by a lock file younger than `age`.
pub(crate) fn in_office(path: &Path, age: Duration) -> Option<String> {
    lock_files(path).into_iter().find_map(|lock| {
        let meta = fs::metadata(&lock).ok()?;
        // Of a share whose clock is ahead of ours a lock seems to be of tomorrow; it is young.
        let old = meta.modified().ok()?.elapsed().unwrap_or_default();
        (old < age).then(|| who(&lock))
    })
}

/// What office programs call the lock file of this file.
fn lock_files(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
        return Vec::new();
    };
    // Word processors cut the first two characters of long names.
    let cut: String = name.chars().skip(2).collect();
    [format!("~${name}"), format!("~${cut}"), format!(".~lock.{name}#")]
        .map(|lock| path.with_file_name(lock))
        .into()
}

/// The user's name in a lock file, or the lock file's own where there is none.
fn who(lock: &Path) -> String {
    let name = lock.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let small = fs::metadata(lock).is_ok_and(|meta| meta.len() <= MOST);
    let bytes = if small { fs::read(lock).unwrap_or_default() } else { Vec::new() };
    let user = if name.ends_with('#') { libre_user(&bytes) } else { microsoft_user(&bytes) };
    user.unwrap_or(name)
}

/// `name,login,machine,time,profile;` with a backslash before commas of a name.
fn libre_user(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let (mut parts, mut part, mut chars) = (Vec::new(), String::new(), text.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => part.extend(chars.next()),
            ',' | ';' => parts.push(std::mem::take(&mut part)),
            _ => part.push(c),
        }
    }
    parts.into_iter().take(3).find_map(|part| clean(&part))
}

/// A length and a name in one byte a character, then at byte 54 or 55 the same in UTF-16.
fn microsoft_user(bytes: &[u8]) -> Option<String> {
    let at = if bytes.len() == 162 { 54 } else { 55 };
    let length = usize::from(*bytes.get(at)?);
    let wide = bytes.get(at + 2..at + 2 + 2 * length).unwrap_or_default();
    let units: Vec<u16> = wide
        .chunks_exact(2)
        .map(|two| two.iter().rev().fold(0, |unit, byte| unit << 8 | u16::from(*byte)))
        .collect();
    let narrow = bytes.get(1..=usize::from(*bytes.first()?)).unwrap_or_default();
    clean(&String::from_utf16_lossy(&units)).or_else(|| clean(&String::from_utf8_lossy(narrow)))
}

fn clean(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_control()).take(NAME).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Whether the server of a Windows share says that somebody has the file open: it does not let us open it for
/// writing. Nothing is written.
pub(crate) fn refused_by_share(path: &Path) -> bool {
    OpenOptions::new().write(true).open(path).err().is_some_and(|error| is_sharing_violation(&error))
}

/// How Linux tells a sharing violation. A missing right to write is none.
fn is_sharing_violation(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let told = error.raw_os_error();
    [Errno::BUSY, Errno::TXTBSY, Errno::AGAIN].iter().any(|errno| told == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Excel writes it: 165 bytes.
    fn excel(name: &str) -> Vec<u8> {
        let mut bytes = vec![b' '; 55];
        bytes[0] = 4;
        bytes[1..5].copy_from_slice(b"user");
        let units: Vec<u16> = name.encode_utf16().collect();
        bytes.extend([units.len() as u8, 0]);
        bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes.resize(165, 0);
        bytes
    }

    #[test]
    fn the_name_in_a_lock_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let hour = Duration::from_secs(3600);
        for (lock, content, told) in [
            ("~$清单.xlsx", excel("王小明"), Some("王小明")),
            ("~$清单.xlsx", b"\x04user".to_vec(), Some("~$清单.xlsx")),
            (".~lock.清单.xlsx#", "李\\, 某,li,PC-7,24.11.2026 09:00,file:///x;".into(), Some("李, 某")),
            (".~lock.清单.xlsx#", ",li,PC-7,24.11.2026 09:00,file:///x;".into(), Some("li")),
            (".~lock.清单.xlsx#", Vec::new(), Some(".~lock.清单.xlsx#")),
            ("~$别的.xlsx", excel("王小明"), None),
        ] {
            let lock = folder.path().join(lock);
            fs::write(&lock, content).unwrap();
            let file = folder.path().join("清单.xlsx");
            assert_eq!(in_office(&file, hour).as_deref(), told, "{}", lock.display());
            fs::remove_file(lock).unwrap();
        }
    }

    #[test]
    fn a_lock_that_a_crash_left_behind_is_not_believed_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("~$a.xlsx");
        let now = std::time::SystemTime::now();
        let hour = Duration::from_secs(3600);
        for (changed, believed) in
            [(now - 13 * hour, false), (now - 11 * hour, true), (now + 24 * hour, true)]
        {
            fs::File::create(&lock).unwrap().set_modified(changed).unwrap();
            assert_eq!(in_office(&folder.path().join("a.xlsx"), 12 * hour).is_some(), believed);
        }
    }

    #[test]
    fn only_a_second_writer_counts_as_in_use() {
        for (errno, expected) in [(16, true), (26, true), (11, true), (13, false), (30, false), (2, false)] {
            assert_eq!(is_sharing_violation(&io::Error::from_raw_os_error(errno)), expected, "{errno}");
        }
    }
}
