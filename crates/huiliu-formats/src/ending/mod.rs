//! Does a file end where it should? Looked at before a file is taken whose writer nobody saw closing it.
//!
//! Copies over a network break off, and programs set a file's full size before they fill it. What is looked for
//! depends on the first bytes: the directory and the sums of a zip container ([`zip`]), the sectors of an old workbook
//! ([`compound`]), the last bracket or tag of JSON and XML and the last row of a table ([`text`]).
//!
//! [`check`] only says whether the end is missing. A file that is wrong in any other way ends as it should, and the
//! reader tells what is wrong with it.

mod compound;
mod text;
mod zip;

pub(crate) use self::text::is_footer;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use huiliu_stage::{Finding, Severity, Text};

/// First bytes of an OLE2 container.
const OLE2: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// Bytes looked at where a file begins and where it ends.
const WINDOW: u64 = 64 << 10;

/// How a file ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it should, as far as can be told.
    Whole,
    /// Its end is missing; the text says behind which place.
    Cut(Text),
}

impl Ending {
    /// What to tell the sender of a file that stayed cut off though it was read.
    pub fn finding(&self) -> Option<Finding> {
        let Self::Cut(place) = self else { return None };
        let (zh, en) = (place.in_language("zh"), place.in_language("en"));
        let text = Text::new(
            format!("文件似乎不完整：{zh}；请核对末尾的数据，必要时重新上传完整的文件"),
            format!(
                "the file seems incomplete: {en}; check its last rows and send the whole file if any are missing"
            ),
        );
        Some(Finding::new(None, Severity::Warning, "cut-off", text))
    }
}

/// How much of a file may be read to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Its beginning and its end.
    Ends,
    /// All of it: every entry of a package is unpacked, every value of a JSON document is passed over.
    Whole,
}

/// Looks whether the end of a file is there.
///
/// # Errors
/// The file cannot be read.
pub fn check(file: &File, depth: Depth) -> io::Result<Ending> {
    let length = file.metadata()?.len();
    let head = window(file, 0, length.min(WINDOW))?;
    if head.is_empty() {
        return Ok(Ending::Whole);
    }
    if head.starts_with(b"PK\x03\x04") {
        return zip::check(file, length, depth);
    }
    if head.starts_with(OLE2) {
        return compound::check(file, length);
    }
    if head.iter().all(|byte| *byte == 0) {
        return Ok(cut("文件开头全是空字节", "it begins with nothing but zero bytes"));
    }
    let tail = window(file, length.saturating_sub(WINDOW), length.min(WINDOW))?;
    text::check(file, length, &head, &tail, depth)
}

fn cut(zh: impl Into<String>, en: impl Into<String>) -> Ending {
    Ending::Cut(Text::new(zh, en))
}

/// Part of a file; shorter where the file has become so.
fn window(file: &File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let mut filled = 0;
    while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read_at(room, at + filled as u64)? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests;
