//! Who has a file open for writing on this machine.
//!
//! A read lease is granted only while nobody writes, so asking for one tells for sure; but the kernel grants it only to
//! the file's owner or with `CAP_LEASE`, and not on all file systems. Otherwise, and for the writer's name, there is
//! `/proc`, which tells of each open file of a process: its inode and how it was opened. Other users' processes can be
//! looked into only by root; then the answer is honest and says [`Open::Unknown`].

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Access mode in the flags of an open file: write, or read and write.
const WRITES: u32 = 0o3;

/// An open file as `/proc` tells of it without touching the disk that it lies on.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    inode: u64,
    mount: u64,
    writes: bool,
}

/// A process that has a file open for writing.
#[derive(Debug)]
struct Writer {
    process: u32,
    mount: u64,
    /// Where the kernel shows the open file.
    link: PathBuf,
}

/// Tells writers at one moment. `/proc` is looked through once, and only if the kernel grants no lease.
#[derive(Debug, Default)]
pub(crate) struct Writers(OnceCell<Shown>);

/// All files that `/proc` shows as open for writing, by inode.
#[derive(Debug, Default)]
struct Shown {
    open: HashMap<u64, Vec<Writer>>,
    unknown: bool,
}

/// What is known of one file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// By this process, as far as it can be named.
    By(String),
    /// By nobody.
    No,
    /// There are processes that could not be looked into.
    Unknown,
}

impl Writers {
    /// Who has this file open for writing.
    pub(crate) fn of(&self, path: &Path) -> Open {
        let Ok(file) = File::open(path) else { return Open::Unknown };
        let shown = || self.0.get_or_init(Shown::now).of(&file);
        match huiliu_abi::nobody_writes(&file) {
            Ok(true) => Open::No,
            Ok(false) => match shown() {
                Open::No | Open::Unknown => Open::By("another program".to_owned()),
                named => named,
            },
            Err(_) => shown(),
        }
    }
}

impl Shown {
    /// Looks through all processes but this one.
    fn now() -> Self {
        let mut found = Self::default();
        let Ok(processes) = fs::read_dir("/proc") else {
            return Self { unknown: true, ..found };
        };
        let mine = std::process::id();
        let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        for process in numbers.filter(|process| *process != mine) {
            if let Err(error) = found.add(process) {
                // A process that ended meanwhile has nothing open.
                found.unknown |= !ended(&error);
            }
        }
        found
    }

    fn add(&mut self, process: u32) -> io::Result<()> {
        for entry in fs::read_dir(format!("/proc/{process}/fdinfo"))? {
            let entry = entry?;
            let told = match fs::read_to_string(entry.path()) {
                Ok(told) => told,
                Err(error) if ended(&error) => continue,
                Err(error) => return Err(error),
            };
            if let Some(Told { inode, mount, writes: true }) = parse(&told) {
                let link = Path::new("/proc").join(process.to_string()).join("fd").join(entry.file_name());
                self.open.entry(inode).or_default().push(Writer { process, mount, link });
            }
        }
        Ok(())
    }

    fn of(&self, file: &File) -> Open {
        // Our own descriptor of the file is told of in the same words.
        let own = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd()));
        let (Some(own), Ok(meta)) = (own.ok().and_then(|told| parse(&told)), file.metadata()) else {
            return Open::Unknown;
        };
        let same = |writer: &&Writer| {
            // Through another mount, as from a container, only the device tells.
            let elsewhere =
                || fs::metadata(&writer.link).is_ok_and(|m| (m.dev(), m.ino()) == (meta.dev(), meta.ino()));
            writer.mount == own.mount || elsewhere()
        };
        match self.open.get(&own.inode).and_then(|writers| writers.iter().find(same)) {
            Some(writer) => Open::By(name(writer.process)),
            None if self.unknown => Open::Unknown,
            None => Open::No,
        }
    }
}

fn ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

/// A process as its name and number.
fn name(process: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    format!("{} ({process})", name.trim())
}

fn parse(text: &str) -> Option<Told> {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let flags = u32::from_str_radix(value("flags:")?, 8).ok()?;
    // Kernels before 5.14 do not tell the inode.
    let (inode, mount) = (value("ino:")?.parse().ok()?, value("mnt_id:")?.parse().ok()?);
    Some(Told { inode, mount, writes: flags & WRITES != 0 })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn what_the_kernel_tells_is_understood() {
        let told = |flags: &str| parse(&format!("pos:\t0\nflags:\t{flags}\nmnt_id:\t24\nino:\t3\n"));
        for (flags, writes) in [("0100000", false), ("0100001", true), ("0102002", true)] {
            assert_eq!(told(flags), Some(Told { inode: 3, mount: 24, writes }), "{flags}");
        }
        assert_eq!(parse("flags:\t01\n"), None);
    }

    #[test]
    fn a_writing_program_is_found_until_it_closes_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        // It says when the file is open, and ends with its input.
        let mut writer = Command::new("sh")
            .args(["-c", "exec 3>\"$0\"; echo open; read end"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 4];
        io::Read::read_exact(writer.stdout.as_mut().unwrap(), &mut said).unwrap();
        let named = |found: &Open| matches!(found, Open::By(who) if who.contains(&writer.id().to_string()));
        let (found, shown) = (Writers::default().of(&path), Shown::now().of(&File::open(&path).unwrap()));
        assert!(named(&found) && named(&shown), "{found:?} {shown:?}");
        drop(writer.stdin.take());
        writer.wait().unwrap();
        assert!(!matches!(Writers::default().of(&path), Open::By(_)));
        assert!(!matches!(Shown::now().of(&File::open(&path).unwrap()), Open::By(_)));
    }
}
