//! Gives back the memory that code takes which nothing runs any more.
//!
//! Planning a pipeline runs through most of the daemon's code once; its pages would then stay with the process for as
//! long as it waits. It stands in this crate because forgetting pages is `unsafe`, and because loaded libraries have
//! code too. Nothing is lost: what is dropped is exactly what stands in the files, and comes back at the next touch,
//! as a rule from the system's cache.

use std::io;

/// A stretch of memory that the system can fill again from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mapping {
    start: usize,
    bytes: usize,
    resident: u64,
}

/// Drops the pages of code and constants of this process, its own and its libraries', and tells how many bytes were
/// resident. Any thread may go on meanwhile; it takes the pages back that it needs.
///
/// # Errors
/// The system does not tell what is mapped, or refuses.
#[cfg(target_os = "linux")]
pub fn release_code() -> io::Result<u64> {
    let mut released = 0;
    for mapping in droppable(&std::fs::read_to_string("/proc/self/smaps")?) {
        let start = std::ptr::with_exposed_provenance_mut::<libc::c_void>(mapping.start);
        // SAFETY: the range is a whole private mapping of a file that can be read but not written, and of which no
        // page was ever written (`droppable`). For such a mapping MADV_DONTNEED changes no byte that can be read: the
        // next access maps the same page of the file again. A range that is gone by now is refused with ENOMEM.
        if unsafe { libc::madvise(start, mapping.bytes, libc::MADV_DONTNEED) } != 0 {
            return Err(io::Error::last_os_error());
        }
        released += mapping.resident;
    }
    Ok(released)
}

/// Other systems keep the pages.
///
/// # Errors
/// None here.
#[cfg(not(target_os = "linux"))]
pub fn release_code() -> io::Result<u64> {
    Ok(0)
}

/// The mappings in the text of `/proc/self/smaps` that hold nothing but what stands in their files: private, not
/// writable, with an inode, and without a page of their own (a page that was relocated and then protected is one).
fn droppable(smaps: &str) -> Vec<Mapping> {
    let mut found = Vec::new();
    let mut current: Option<Mapping> = None;
    for line in smaps.lines() {
        if let Some((start, bytes, from_file)) = head(line) {
            current = from_file.then_some(Mapping { start, bytes, resident: 0 });
        } else if let Some(mapping) = &mut current {
            match kilobytes(line) {
                Some(("Rss", resident)) => mapping.resident = resident << 10,
                // The last of the lines that matter.
                Some(("Anonymous", own)) => {
                    found.extend(current.take().filter(|mapping| own == 0 && mapping.resident > 0));
                }
                _ => {}
            }
        }
    }
    found
}

/// `55d0c0a00000-55d0c0a21000 r-xp 00002000 fe:00 1310 /usr/bin/huiliu`: start, length, and whether it is a private
/// mapping of a file that nobody can write through.
fn head(line: &str) -> Option<(usize, usize, bool)> {
    let mut parts = line.split_ascii_whitespace();
    let (start, end) = parts.next()?.split_once('-')?;
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    let rights = parts.next()?.as_bytes();
    let inode = parts.nth(2)?;
    let from_file = matches!(rights, [b'r', b'-', _, b'p']) && inode != "0";
    Some((start, end.checked_sub(start)?, from_file))
}

/// `Rss:   44 kB`.
fn kilobytes(line: &str) -> Option<(&str, u64)> {
    let (name, value) = line.split_once(':')?;
    Some((name, value.trim().strip_suffix(" kB")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
55d0c0000000-55d0c0001000 r--p 00000000 fe:00 1310 /usr/bin/huiliu
Rss:                   4 kB
Anonymous:             0 kB
55d0c0a00000-55d0c0a21000 r-xp 00002000 fe:00 1310 /usr/bin/huiliu
Rss:                 100 kB
Private_Dirty:         0 kB
Anonymous:             0 kB
55d0c0a21000-55d0c0a22000 r--p 00023000 fe:00 1310 /usr/bin/huiliu
Rss:                   4 kB
Anonymous:             4 kB
55d0c0a22000-55d0c0a23000 rw-p 00023000 fe:00 1310 /usr/bin/huiliu
Rss:                   4 kB
Anonymous:             4 kB
7f0000000000-7f0000001000 r--s 00000000 fe:00 99 /data/huiliu.db
Rss:                   4 kB
Anonymous:             0 kB
7ffd1b5f1000-7ffd1b5f3000 r-xp 00000000 00:00 0 [vdso]
Rss:                   4 kB
Anonymous:             0 kB
";

    #[test]
    fn only_what_stands_in_a_file_is_dropped() {
        let found = droppable(SMAPS);
        let told: Vec<_> = found.iter().map(|m| (m.start, m.bytes, m.resident)).collect();
        assert_eq!(told, [(0x55d0_c000_0000, 0x1000, 4 << 10), (0x55d0_c0a0_0000, 0x21000, 100 << 10)]);
        assert!(droppable("no such lines\n- - - - -\nRss: x kB\n").is_empty());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn code_runs_on_after_its_pages_were_dropped() {
        let before = std::thread::spawn(|| "drop".repeat(3).len());
        assert!(release_code().expect("the pages are dropped") > 0);
        assert_eq!(before.join().expect("a thread that ran meanwhile"), 12);
        assert_eq!(format!("{:?}", droppable("")), "[]");
    }
}
