//! Asks the kernel whether anybody has a file open for writing.
//!
//! A read lease is granted only while nobody has, whoever they are and wherever they run, so it answers also where
//! `/proc` does not show other users' programs. It stands in this crate because no library offers the call safely.

use std::fs::File;
use std::io;

/// `F_SETSIG` of `fcntl.h`, which `libc` lacks: the signal that tells of a file that is leased.
#[cfg(target_os = "linux")]
const SET_SIGNAL: libc::c_int = 10;

/// Whether nobody has a file open for writing at this moment. `file` must be open for reading only.
///
/// The lease is given back at once. A program that opens the file for writing in between is held up for that long.
///
/// # Errors
/// The kernel does not tell: the file system knows no leases, or the file is another user's and this process lacks
/// `CAP_LEASE`.
#[cfg(target_os = "linux")]
pub fn nobody_writes(file: &File) -> io::Result<bool> {
    // Who opens the file meanwhile makes the kernel send a signal, as a rule one that ends the process; of this one
    // nobody takes notice unless it asks to.
    command(file, SET_SIGNAL, libc::SIGURG)?;
    match command(file, libc::F_SETLEASE, libc::F_RDLCK) {
        Ok(()) => command(file, libc::F_SETLEASE, libc::F_UNLCK).map(|()| true),
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Other systems do not tell.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn nobody_writes(_: &File) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
fn command(file: &File, command: libc::c_int, argument: libc::c_int) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is open for as long as `file` is borrowed, and the commands used here take a number and
    // touch no memory of ours.
    match unsafe { libc::fcntl(file.as_raw_fd(), command, argument) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_writer_is_seen_for_as_long_as_it_has_the_file_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let writer = File::create(&path).unwrap();
        let file = File::open(&path).unwrap();
        match nobody_writes(&file) {
            Ok(nobody) => assert!(!nobody),
            Err(error) => return eprintln!("NOT CHECKED: no leases where temporary files are: {error}"),
        }
        drop(writer);
        assert!(nobody_writes(&file).unwrap());
        // It was given back: this opens without being held up, and nobody is told.
        drop(File::options().append(true).open(&path).unwrap());
        assert!(nobody_writes(&file).unwrap());
    }

    #[test]
    fn programs_that_open_the_file_meanwhile_end_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        File::create(&path).unwrap();
        let file = File::open(&path).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2000 {
                    drop(File::options().append(true).open(&path).unwrap());
                }
            });
            for _ in 0..2000 {
                if nobody_writes(&file).is_err() {
                    return;
                }
            }
        });
    }
}
