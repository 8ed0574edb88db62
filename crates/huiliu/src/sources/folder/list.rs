//! The files in a watched folder, and the clock that file systems stamp them with.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::warn;

use super::ready::Stamp;

/// Files exactly `depth` levels below `folder`, in no order. Links are not followed.
pub(super) fn files(folder: &Path, depth: usize) -> Vec<(PathBuf, Stamp)> {
    let mut files = Vec::new();
    list(folder, depth, &mut files);
    files.into_iter().filter_map(|path| Stamp::at(&path).map(|stamp| (path, stamp))).collect()
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return warn!(folder = %folder.display(), %error, "folder cannot be read"),
    };
    for entry in entries.filter_map(Result::ok) {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => list(&entry.path(), depth - 1, files),
            Ok(kind) if kind.is_file() && depth == 0 => files.push(entry.path()),
            _ => {}
        }
    }
}

/// The time of day that file systems stamp files with, which moves in ticks of some milliseconds.
pub(super) fn tick() -> i128 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec)
}

/// Waits until the clock has moved; a clock that was set back is not waited for.
pub(super) fn next_tick(after: i128) -> i128 {
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(1));
        if tick() > after {
            break;
        }
    }
    tick()
}
