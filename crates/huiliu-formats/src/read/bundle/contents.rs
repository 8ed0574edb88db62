//! What a package holds: tables, attachments, and packages within it.
//!
//! The walk looks at the first bytes of every entry and unpacks nothing but inner packages and workbooks, whose kind
//! only their own directory tells. All packages of a delivery share one budget of entries and bytes.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::disguise::disguised;
use super::text;
use crate::read::error::ReadError;
use crate::read::kind;
use crate::read::options::{FormatKind, Limits};
use crate::read::package::{Entry, Package, too_many};

/// First bytes of an entry that are looked at.
const HEAD: u64 = 8 << 10;
/// Endings of text files that may be tables; what else is text is an attachment.
const TEXTS: [&str; 14] =
    ["", "csv", "tsv", "tab", "txt", "dat", "xls", "et", "json", "jsonl", "ndjson", "xml", "htm", "html"];
/// First bytes of old workbooks, of new ones under a password, and of documents and mails.
const OLE2: &[u8] = b"\xd0\xcf\x11\xe0";
/// Endings that tell such workbooks from the others.
const BOOKS: [&str; 7] = ["xls", "et", "xlt", "xlsx", "xlsm", "xlsb", "ods"];

/// A file in a package.
#[derive(Clone, Debug)]
pub(super) struct Inside {
    package: usize,
    /// Its place in that package: two files may have one name.
    entry: usize,
    /// Its path, with those of the packages around it.
    pub(super) path: String,
    pub(super) bytes: u64,
    /// Whether it may be a table.
    pub(super) table: bool,
    /// What it is, in both languages, if its name says otherwise.
    pub(super) disguise: Option<(&'static str, &'static str)>,
}

/// A package with all packages in it.
pub(super) struct Contents {
    packages: Vec<Package>,
    pub(super) files: Vec<Inside>,
}

/// The walk through a package.
struct Walk<'a> {
    contents: Contents,
    limits: &'a Limits,
    temp_dir: Option<&'a Path>,
    entries: u64,
    bytes: u64,
}

impl Contents {
    /// Lists a package whose directory is harmless.
    ///
    /// # Errors
    /// A package within it is harmful, damaged, or too deep; all of them together are too large.
    pub(super) fn list(
        package: Package,
        limits: &Limits,
        temp_dir: Option<&Path>,
    ) -> Result<Self, ReadError> {
        let contents = Self { packages: Vec::new(), files: Vec::new() };
        let mut walk = Walk { contents, limits, temp_dir, entries: 0, bytes: 0 };
        walk.package(package, "", 1)?;
        Ok(walk.contents)
    }

    /// Opens a file of the package.
    pub(super) fn open(&self, file: &Inside) -> Result<Entry, ReadError> {
        let entry =
            self.packages.get(file.package).map(|package| package.entry_at(file.entry)).transpose()?;
        entry.flatten().ok_or_else(|| ReadError::damaged(&"an entry is gone"))
    }

    /// Unpacks a file of the package to a temporary one, which vanishes when it is closed.
    pub(super) fn unpack(&self, file: &Inside, temp_dir: Option<&Path>) -> Result<File, ReadError> {
        unpack(self.open(file)?, &file.path, temp_dir)
    }
}

impl Walk<'_> {
    fn package(&mut self, package: Package, above: &str, level: u32) -> Result<(), ReadError> {
        if level > self.limits.max_nesting {
            return Err(text::too_deep(above, self.limits.max_nesting));
        }
        let names = package.names().enumerate().filter(|(_, name)| !is_litter(name));
        let found: Vec<(usize, String, u64)> =
            names.map(|(at, name)| (at, name.to_owned(), package.size_at(at))).collect();
        self.entries += found.len() as u64;
        self.bytes += found.iter().map(|(_, _, bytes)| bytes).sum::<u64>();
        if self.entries > self.limits.max_entries {
            return Err(too_many(self.limits.max_entries));
        }
        if self.bytes > self.limits.max_unpacked_bytes {
            return Err(text::too_large(self.limits.max_unpacked_bytes));
        }
        let within = self.contents.packages.len();
        self.contents.packages.push(package);
        for (entry, name, bytes) in found {
            let path = if above.is_empty() { name } else { format!("{above}/{name}") };
            self.file(Inside { package: within, entry, path, bytes, table: false, disguise: None }, level)?;
        }
        Ok(())
    }

    fn file(&mut self, mut file: Inside, level: u32) -> Result<(), ReadError> {
        let mut head = Vec::new();
        let entry = self.contents.open(&file)?;
        entry.take(HEAD).read_to_end(&mut head).map_err(|e| text::broken(&file.path, &e))?;
        file.disguise = disguised(&file.path, &head);
        let ending = ending(&file.path);
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            // Documents are packages too, and nobody wants to see their parts.
            if ["docx", "docm", "pptx", "odt", "odp", "ofd", "jar", "apk", "epub"].contains(&&*ending) {
                self.contents.files.push(file);
                return Ok(());
            }
            let inner = self.contents.unpack(&file, self.temp_dir)?;
            return match Package::open(inner, self.limits) {
                Ok(package) => match holding(&package) {
                    Holding::Workbook => self.push(file, true),
                    Holding::Document => self.push(file, false),
                    Holding::Files => self.package(package, &file.path.clone(), level + 1),
                },
                // A workbook that cannot be opened is told by whoever reads tables.
                Err(_) if BOOKS.contains(&&*ending) => self.push(file, true),
                Err(error) => Err(text::within(&file.path, error)),
            };
        }
        file.table = match kind::tell(&head) {
            // Why one cannot be opened is told by whoever reads tables.
            _ if head.is_empty() && !ending.is_empty() => {
                BOOKS.contains(&&*ending) || TEXTS.contains(&&*ending)
            }
            _ if head.starts_with(OLE2) => BOOKS.contains(&&*ending),
            Ok(FormatKind::Zip) | Err(_) => false,
            Ok(_) => TEXTS.contains(&&*ending),
        };
        self.contents.files.push(file);
        Ok(())
    }

    fn push(&mut self, file: Inside, table: bool) -> Result<(), ReadError> {
        self.contents.files.push(Inside { table, ..file });
        Ok(())
    }
}

/// What a zip container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) enum Holding {
    Workbook,
    /// A text document or other file that is a container by its format.
    Document,
    /// Files that somebody packed.
    Files,
}

/// Tells a workbook and other documents from a package of files.
pub(in crate::read) fn holding(package: &Package) -> Holding {
    let has = |name: &str| package.find(name).is_some();
    if has("xl/workbook.xml") || has("xl/workbook.bin") {
        return Holding::Workbook;
    }
    if has("content.xml") && (has("mimetype") || has("META-INF/manifest.xml")) {
        // Whether it has sheets is told by its reader.
        return Holding::Workbook;
    }
    match has("[Content_Types].xml") || has("_rels/.rels") || has("mimetype") || has("META-INF/MANIFEST.MF") {
        true => Holding::Document,
        false => Holding::Files,
    }
}

impl Inside {
    /// Whether it may prove something: a text that may be a table is a list, while a workbook may be either.
    pub(super) fn is_paper(&self) -> bool {
        !self.table || BOOKS.contains(&&*ending(&self.path))
    }
}

/// Lower-case ending of a path's last part, without the dot.
fn ending(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default()
}

/// Folders, and what systems and office programs leave beside files.
fn is_litter(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    last.is_empty()
        || name.starts_with("__MACOSX/")
        || name.contains("/__MACOSX/")
        || [".DS_Store", "Thumbs.db", "desktop.ini"].contains(&last)
        || last.starts_with("~$")
        || last.starts_with("._") // What macOS keeps of a file on other systems' disks.
        || last.starts_with(".~lock.")
}

fn unpack(mut entry: Entry, path: &str, temp_dir: Option<&Path>) -> Result<File, ReadError> {
    let made = match temp_dir {
        Some(folder) => tempfile::tempfile_in(folder),
        None => tempfile::tempfile(),
    };
    let mut file = made.map_err(|e| ReadError::io(&e))?;
    let mut block = vec![0; 128 << 10];
    loop {
        let count = entry.read(&mut block).map_err(|e| text::broken(path, &e))?;
        if count == 0 {
            break;
        }
        file.write_all(block.get(..count).unwrap_or_default()).map_err(|e| ReadError::io(&e))?;
    }
    file.rewind().map_err(|e| ReadError::io(&e))?;
    Ok(file)
}
