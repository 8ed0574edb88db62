//! Zip containers opened safely: workbooks are such, and packages of files.
//!
//! [`Package::open`] looks only at the directory and refuses what could harm before a byte is inflated: too many
//! or too large entries, too high a ratio, entries that share bytes, that lead outside, are links or encrypted.
//! Sizes in a directory may lie, so an [`Entry`] gives exactly what was declared: one byte more is an error.
//! No entry's compressed bytes overlap another's, so what all of them can inflate to is bounded by the file.
//!
//! Nothing here knows what the entries are; whoever opens nested packages counts the levels.

mod end;
mod entry;
mod names;
#[cfg(test)]
pub(crate) mod tests;

use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

pub(crate) use self::entry::Entry;
use super::error::ReadError;
use super::options::Limits;

/// Inflated size up to which the ratio does not matter: a nearly empty part may be a single run.
const SMALL: u64 = 8 << 20;
/// Longest name of an entry.
const MOST_NAME: usize = 4096;

/// An entry of the directory.
#[derive(Clone, Debug)]
struct Record {
    name: String,
    start: u64,
    packed: u64,
    size: u64,
    crc: u32,
    stored: bool,
    known: bool,
}

/// A zip container whose directory has been found harmless.
pub(crate) struct Package {
    file: Arc<File>,
    records: Vec<Record>,
}

impl Package {
    /// Reads and checks the directory.
    ///
    /// # Errors
    /// The file is cut off or damaged, is encrypted, or would exceed a limit; the finding says which.
    pub(crate) fn open(file: File, limits: &Limits) -> Result<Self, ReadError> {
        let length = file.metadata().map_err(|e| ReadError::io(&e))?.len();
        let end = end::check(&file, length, limits.max_entries)?;
        let reader = BufReader::with_capacity(4096, file.try_clone().map_err(|e| ReadError::io(&e))?);
        let mut archive = ZipArchive::new(reader).map_err(|e| ReadError::damaged(&e))?;
        if archive.len() as u64 > limits.max_entries {
            return Err(too_many(limits.max_entries));
        }
        // Of two entries with one name the archive keeps the last.
        if (archive.len() as u64) < end.entries
            && let Some(name) = end.twin(&file)?
        {
            return Err(twins(&name));
        }
        let ratio = limits.max_ratio.max(1);
        let (mut total, mut packed) = (0_u64, 0_u64);
        for index in 0..archive.len() {
            let entry = archive.by_index_data(index).map_err(|e| ReadError::damaged(&e))?;
            check_entry(&entry, ratio)?;
            total = total.saturating_add(entry.size());
            packed = packed.saturating_add(entry.compressed_size());
        }
        if total > limits.max_unpacked_bytes {
            return Err(ReadError::too_large(
                "解压后的大小（字节）",
                "the unpacked size in bytes",
                limits.max_unpacked_bytes,
            ));
        }
        if total > SMALL && total / ratio > packed.min(length) {
            return Err(too_dense(None, ratio));
        }
        if archive.has_overlapping_files().map_err(|e| ReadError::damaged(&e))? {
            return Err(overlapping());
        }
        let records = records(&mut archive, length)?;
        Ok(Self { file: Arc::new(file), records })
    }

    /// Names of all entries, with forward slashes, in the order of the directory.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(|record| record.name.as_str())
    }

    /// The declared size of an entry, which is also the most that it gives.
    pub(crate) fn size(&self, name: &str) -> Option<u64> {
        self.record(name).map(|record| record.size)
    }

    /// The name as it stands in the directory, of an entry that is asked for in whatever case.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.record(name).map(|record| record.name.as_str())
    }

    /// Opens an entry; `None` if there is no such. Several may be read at the same time.
    ///
    /// # Errors
    /// The entry is packed by a method other than deflate.
    pub(crate) fn entry(&self, name: &str) -> Result<Option<Entry>, ReadError> {
        self.record(name).map(|record| self.opened(record)).transpose()
    }

    /// Opens the entry at a place of [`names`](Self::names): two may have one name.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub(crate) fn entry_at(&self, at: usize) -> Result<Option<Entry>, ReadError> {
        self.records.get(at).map(|record| self.opened(record)).transpose()
    }

    /// The declared size of the entry at a place.
    pub(crate) fn size_at(&self, at: usize) -> u64 {
        self.records.get(at).map_or(0, |record| record.size)
    }

    fn opened(&self, record: &Record) -> Result<Entry, ReadError> {
        if !record.known {
            let name = shown(&record.name);
            return Err(ReadError::new(
                format!("压缩包中的“{name}”使用了不支持的压缩方式；请用普通 zip 方式重新打包"),
                format!("`{name}` is packed by a method that is not supported; pack it anew as a plain zip"),
            ));
        }
        Ok(Entry::new(self.file.clone(), record))
    }

    /// An exact name goes before one that differs in case.
    fn record(&self, name: &str) -> Option<&Record> {
        let name = name.trim_start_matches('/');
        let exact = self.records.iter().find(|record| record.name == name);
        exact.or_else(|| self.records.iter().find(|record| record.name.eq_ignore_ascii_case(name)))
    }
}

fn check_entry(entry: &zip::read::ZipFileEntry<'_>, ratio: u64) -> Result<(), ReadError> {
    let name = names::decode(entry.name_raw());
    if entry.encrypted() {
        return Err(ReadError::encrypted());
    }
    if name.len() > MOST_NAME {
        return Err(long_name(&name));
    }
    if leads_outside(&name) || entry.is_symlink() {
        return Err(dangerous(&name));
    }
    if entry.size() > SMALL && entry.size() / ratio > entry.compressed_size() {
        return Err(too_dense(Some(&name), ratio));
    }
    Ok(())
}

/// Where each entry's bytes stand; none may reach beyond the file.
fn records(archive: &mut ZipArchive<BufReader<File>>, length: u64) -> Result<Vec<Record>, ReadError> {
    let mut records = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|e| ReadError::damaged(&e))?;
        let name = names::decode(entry.name_raw()).replace('\\', "/");
        let (Some(start), packed) = (entry.data_start(), entry.compressed_size()) else {
            return Err(ReadError::damaged(&"an entry has no place"));
        };
        if start.checked_add(packed).is_none_or(|end| end > length) {
            return Err(ReadError::damaged(&"an entry reaches beyond the end of the file"));
        }
        let method = entry.compression();
        records.push(Record {
            name,
            start,
            packed,
            size: entry.size(),
            crc: entry.crc32(),
            stored: method == CompressionMethod::Stored,
            known: matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated),
        });
    }
    Ok(records)
}

/// Whether a name is absolute, climbs with `..`, or holds what no name should.
fn leads_outside(name: &str) -> bool {
    let drive = matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    drive
        || name.starts_with(['/', '\\'])
        || name.contains('\0')
        || name.split(['/', '\\']).any(|part| part == "..")
}

pub(in crate::read) fn too_many(most: u64) -> ReadError {
    ReadError::too_large("压缩包内文件数", "the number of files in the package", most)
}

fn too_dense(name: Option<&str>, ratio: u64) -> ReadError {
    let (of_zh, of) = match name {
        Some(name) => (format!("“{name}”"), format!("`{}`", shown(name))),
        None => ("压缩包".to_owned(), "the package".to_owned()),
    };
    ReadError::new(
        format!(
            "{of_zh}解压后超过压缩前的 {ratio} 倍，疑为压缩炸弹，已拒收；请检查文件，去掉多余的空白内容后重新保存上传"
        ),
        format!(
            "{of} unpacks to more than {ratio} times its size, as a zip bomb does, and was refused; \
             look what the file holds, remove what is superfluous and save it anew"
        ),
    )
}

fn overlapping() -> ReadError {
    ReadError::new(
        "压缩包内的文件互相重叠，疑为压缩炸弹，已拒收；请重新打包后上传",
        "entries of the package share bytes, as in a zip bomb, and it was refused; pack it anew",
    )
}

fn twins(name: &str) -> ReadError {
    let name = shown(name);
    ReadError::new(
        format!("压缩包内有两个同名文件“{name}”，分不清该用哪一个，已拒收；请改名后重新打包上传"),
        format!(
            "two files of the package are named `{name}`, and nothing tells which one is meant; rename one of them and pack it anew"
        ),
    )
}

fn long_name(name: &str) -> ReadError {
    let name = shown(name);
    ReadError::new(
        format!("压缩包内“{name}…”的文件名太长，已拒收；请改短后重新打包上传"),
        format!(
            "the name of `{name}…` in the package is too long, and it was refused; shorten it and pack it anew"
        ),
    )
}

fn dangerous(name: &str) -> ReadError {
    let name = shown(name);
    ReadError::new(
        format!("压缩包内“{name}”是链接或指向包外的路径，已拒收；请只打包普通文件后重新上传"),
        format!(
            "`{name}` in the package is a link or a path that leads outside, and it was refused; pack plain files only"
        ),
    )
}

/// A name as it may stand in a message.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(80).collect()
}
