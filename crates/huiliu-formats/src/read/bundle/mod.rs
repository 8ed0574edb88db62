//! Zip packages: tables together with the files that prove what they say (佐证材料).
//!
//! A package is one delivery. Each table in it is read as if it had come alone ([`contents`] lists them, the
//! readers are the usual ones); its rows get the file's name in front of their sheet's. Every other file is an
//! attachment, [`link`]ed to rows by the names in their cells or by the folder that it lies in, and handed to whoever
//! keeps attachments ([`KeepAttachment`]) when all rows have been read.
//!
//! One table is open at a time. What is unpacked for it is a temporary file without a name.

mod batches;
pub(super) mod contents;
mod disguise;
mod link;
mod relink;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use huiliu_stage::{Finding, Findings, Outcome, RecordSchema, row_id, row_number, sheet_ordinal};

use self::batches::{internal, marked, moved_batch, sheet_name};
use self::contents::Contents;
pub use self::disguise::wrong_type;
use self::link::Linker;
pub use self::relink::Relinker;
use super::error::ReadError;
use super::options::{Limits, ReadOptions};
use super::package::Package;
use super::{Reading, named, plan};
use crate::report::{FileReport, ReadReport};

/// Most attachments without a row that are named one by one.
const MOST_NAMED: usize = 100;

/// Keeps attachments outside of this crate, which writes nothing.
pub trait KeepAttachment: fmt::Debug + Send + Sync {
    /// Keeps a content durably and gives its hash. The same content gives the same hash and is kept once.
    ///
    /// # Errors
    /// It could not be kept, or could not be read to its end.
    fn keep(&self, content: &mut dyn Read) -> io::Result<String>;
}

/// A file of a package that is no table, or that a row names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its path in the package, with those of packages around it.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// What [`KeepAttachment::keep`] said; empty if nobody keeps attachments.
    pub hash: String,
}

/// A row has an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Place in [`Evidence::attachments`].
    pub attachment: usize,
    /// The `_row`.
    pub row: i64,
    /// The field whose cell names the attachment; `None` for one that lies in the row's folder, or is named in a
    /// column without a field.
    pub field: Option<String>,
}

/// The attachments of a delivery and the rows that they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// In the order of the package.
    pub attachments: Vec<Attachment>,
    /// In the order of the rows.
    pub links: Vec<Link>,
}

/// Name, length and hash of the files that rows came with, by `_row`.
type FilesOfRows = BTreeMap<i64, Vec<(String, u64, String)>>;

/// The table that is being read.
struct Current {
    path: String,
    reading: Box<Reading>,
    /// Ordinal of its first sheet in the delivery.
    base: u32,
}

/// An open package.
pub(super) struct BundleSource {
    contents: Contents,
    known: Option<RecordSchema>,
    options: ReadOptions,
    schema: SchemaRef,
    /// Places of the files that may be tables and were not looked at yet.
    queue: VecDeque<usize>,
    /// Files that were read as tables.
    tables: HashSet<usize>,
    /// Files that look like tables and could not be read as such.
    unread: HashSet<usize>,
    current: Option<Current>,
    linker: Option<Linker>,
    pub(super) findings: Vec<Finding>,
    report: ReadReport,
    evidence: Evidence,
    /// Hashes of the files that were kept already, by their place.
    kept: HashMap<usize, String>,
    done: u64,
}

impl BundleSource {
    /// Opens a package and the first table in it.
    ///
    /// # Errors
    /// The package is harmful or holds no table that can be read.
    pub(super) fn open(
        package: Package,
        known: Option<RecordSchema>,
        options: &ReadOptions,
    ) -> Result<Self, ReadError> {
        let contents = Contents::list(package, &options.limits, options.temp_dir.as_deref())?;
        let attachments = contents.files.iter().any(|file| !file.table);
        let paths = contents.files.iter().map(|file| file.path.as_str());
        let linker = Linker::new(&options.format, known.as_ref(), paths, attachments);
        let mut options = options.clone();
        options.format.kind = None;
        let queue = (0..contents.files.len()).filter(|&at| contents.files[at].table).collect();
        let mut source = Self {
            contents,
            known,
            options,
            schema: Arc::new(arrow::datatypes::Schema::empty()),
            queue,
            tables: HashSet::new(),
            unread: HashSet::new(),
            current: None,
            linker: Some(linker),
            findings: Vec::new(),
            report: ReadReport { format: "zip".to_owned(), ..ReadReport::default() },
            evidence: Evidence::default(),
            kept: HashMap::new(),
            done: 0,
        };
        let mut why = None;
        while source.current.is_none() {
            let Some(at) = source.queue.pop_front() else { return Err(why.unwrap_or_else(text::no_table)) };
            if let Err(error) = source.open_table(at)? {
                let path = &source.contents.files[at].path;
                source.findings.push(text::unread(path, &error));
                source.unread.insert(at);
                why.get_or_insert_with(|| text::within(path, error));
            }
        }
        Ok(source)
    }

    /// The schema of all batches.
    pub(super) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    pub(super) fn report(&self) -> &ReadReport {
        &self.report
    }

    pub(super) fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Bytes of the tables that were read, unpacked.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// The next batch of whichever table.
    pub(super) fn next(&mut self) -> Result<Option<Outcome>, ReadError> {
        loop {
            let Some(current) = &mut self.current else {
                match self.queue.pop_front() {
                    Some(at) => {
                        if let Err(error) = self.open_table(at)? {
                            self.findings.push(text::unread(&self.contents.files[at].path, &error));
                            self.unread.insert(at);
                        }
                        continue;
                    }
                    None => return self.finish(),
                }
            };
            match current.reading.next() {
                Some(Ok(outcome)) => {
                    let outcome = self.place(outcome)?;
                    return Ok(Some(outcome));
                }
                Some(Err(error)) => return Err(text::within(&current.path, error)),
                None => self.close_table(),
            }
        }
    }

    /// Opens a file as a table. The inner error says why it is none.
    fn open_table(&mut self, at: usize) -> Result<Result<(), ReadError>, ReadError> {
        let Some(file) = self.contents.files.get(at) else { return Ok(Ok(())) };
        let unpacked = self.contents.unpack(file, self.options.temp_dir.as_deref())?;
        let known = self.known.as_ref().map(|record| super::known(record, &self.options));
        let opened = plan::of_file(unpacked, file.bytes, known, &self.options);
        let reading = match opened {
            Ok(reading) if matches!(reading.source, super::Source::Bundle(_)) => {
                return Ok(Err(text::no_table())); // Listed as a table by mistake of its first bytes.
            }
            Ok(mut reading) => {
                reading.general.extend(named::otherwise(&file.path, &reading.report.format));
                reading
            }
            Err(error) => return Ok(Err(error)),
        };
        if self.tables.is_empty() {
            self.schema = reading.schema();
        } else if reading.schema().fields() != self.schema.fields() {
            self.findings.push(text::other_columns(&file.path));
            return Ok(Ok(()));
        }
        self.tables.insert(at);
        let base = u32::try_from(self.report.sheets.len()).unwrap_or(u32::MAX);
        self.current = Some(Current { path: file.path.clone(), reading: Box::new(reading), base });
        self.take_report();
        Ok(Ok(()))
    }

    /// Brings the report up to what the current table tells.
    fn take_report(&mut self) {
        let Some(current) = &self.current else { return };
        let inner = current.reading.report();
        self.report.sheets.truncate(current.base as usize);
        for sheet in &inner.sheets {
            let mut sheet = sheet.clone();
            sheet.name = sheet_name(&current.path, &sheet.name);
            self.report.sheets.push(sheet);
        }
    }

    fn close_table(&mut self) {
        self.take_report();
        let Some(current) = self.current.take() else { return };
        let inner = current.reading.report();
        self.report.repaired += inner.repaired;
        self.report.files.push(FileReport {
            name: current.path.clone(),
            format: inner.format.clone(),
            encoding: inner.encoding.clone(),
            delimiter: inner.delimiter.clone(),
            dialect: inner.dialect.clone(),
        });
        self.done += current.reading.total;
    }

    /// Gives a batch its place in the delivery: ordinals and names of sheets, and attachments.
    fn place(&mut self, outcome: Outcome) -> Result<Outcome, ReadError> {
        let Some(current) = &self.current else { return Ok(outcome) };
        let Outcome { batch, findings } = outcome;
        let inner = current.reading.report();
        // The receipt counts the sheets that were looked at; a workbook also those that were not.
        let names = current.reading.sheets();
        let ordinals: HashMap<u32, u32> = (0_u32..)
            .zip(&names)
            .filter_map(|(ordinal, name)| {
                let at = inner.sheets.iter().position(|sheet| sheet.name == *name)?;
                Some((ordinal, current.base.saturating_add(u32::try_from(at).ok()?)))
            })
            .collect();
        let moved = |row: i64| {
            let ordinal = ordinals.get(&sheet_ordinal(row)).copied();
            row_id(ordinal.unwrap_or(current.base), row_number(row))
        };
        let batch = moved_batch(&batch, &current.path, &moved)?;
        let mut findings = findings.0;
        for finding in &mut findings {
            match finding.row {
                Some(row) => finding.row = Some(moved(row)),
                None => finding.message = text::inside(&current.path, &finding.message),
            }
        }
        findings.append(&mut self.findings);
        let before = self.linker.as_ref().map_or(0, |linker| linker.links().len());
        let rows = self.linker.as_mut().map(|linker| linker.link(&batch, &mut findings)).unwrap_or_default();
        self.take_report();
        let files = self.files_of(before)?;
        self.tell_disguises(before, &mut findings);
        let batch = self.named_in_cells(batch, before)?;
        Ok(Outcome { batch: marked(batch, &rows, &files)?, findings: Findings(findings) })
    }

    /// The files of the rows that were linked after the first `before` links, kept so that their hashes are known.
    fn files_of(&mut self, before: usize) -> Result<FilesOfRows, ReadError> {
        let links: Vec<(usize, i64)> = match &self.linker {
            Some(linker) => {
                linker.links().iter().skip(before).map(|link| (link.attachment, link.row)).collect()
            }
            None => Vec::new(),
        };
        let mut files = FilesOfRows::new();
        for (at, row) in links {
            let hash = self.keep(at)?;
            let Some(file) = self.contents.files.get(at) else { continue };
            files.entry(row).or_default().push((file.path.clone(), file.bytes, hash));
        }
        Ok(files)
    }

    /// Tells of the files of rows, linked after the first `before` links, that are not what their names say.
    fn tell_disguises(&self, before: usize, findings: &mut Vec<Finding>) {
        let links = self.linker.iter().flat_map(|linker| linker.links().iter().skip(before));
        let mut last = None;
        for link in links {
            let Some((file, what)) =
                self.contents.files.get(link.attachment).and_then(|file| Some((file, file.disguise?)))
            else {
                continue;
            };
            // Two columns of a row may name one file.
            if last.replace((link.row, link.attachment)) != Some((link.row, link.attachment)) {
                findings.push(disguise::told(link.row, link.field.as_deref(), &file.path, what));
            }
        }
    }

    /// The batch with the files that rows were given otherwise than by a cell, such as those in their folders, named in
    /// the column that names files: whatever is asked of named files is asked of them too.
    fn named_in_cells(&self, batch: RecordBatch, before: usize) -> Result<RecordBatch, ReadError> {
        let (Some(_), Some(linker)) = (&self.known, &self.linker) else { return Ok(batch) };
        let mut names: HashMap<i64, Vec<&str>> = HashMap::new();
        for link in linker.links().iter().skip(before).filter(|link| link.field.is_none()) {
            let Some(file) = self.contents.files.get(link.attachment) else { continue };
            if self.tables.contains(&link.attachment) || !file.is_paper() {
                continue; // The list itself lies in the folder of its project.
            }
            names.entry(link.row).or_default().push(file.path.rsplit('/').next().unwrap_or_default());
        }
        batches::name_files(batch, &self.options.format.evidence, &names).map_err(|e| internal(&e))
    }

    /// Keeps a file, unless that was done already, and gives its hash; empty when nobody keeps files.
    fn keep(&mut self, at: usize) -> Result<String, ReadError> {
        if let Some(hash) = self.kept.get(&at) {
            return Ok(hash.clone());
        }
        let (Some(keeper), Some(file)) = (&self.options.keeper, self.contents.files.get(at)) else {
            return Ok(String::new());
        };
        let mut entry = self.contents.open(file)?;
        let hash = keeper.keep(&mut entry).map_err(|e| text::broken(&file.path, &e))?;
        self.kept.insert(at, hash.clone());
        Ok(hash)
    }

    /// Keeps the attachments and says which of them nobody named; once.
    fn finish(&mut self) -> Result<Option<Outcome>, ReadError> {
        let Some(linker) = self.linker.take() else { return Ok(None) };
        let (links, linked) = linker.finish();
        let mut findings = std::mem::take(&mut self.findings);
        let (mut places, mut loose) = (HashMap::new(), Vec::new());
        for at in 0..self.contents.files.len() {
            if self.tables.contains(&at) && !linked.contains(&at) {
                continue;
            }
            let hash = self.keep(at)?;
            let Some(file) = self.contents.files.get(at) else { continue };
            // What could not be read as a table is told already.
            if !linked.contains(&at) && !self.unread.contains(&at) {
                loose.push((hash.clone(), file.path.clone()));
            }
            places.insert(at, self.evidence.attachments.len());
            self.evidence.attachments.push(Attachment { name: file.path.clone(), bytes: file.bytes, hash });
        }
        // What some row has under another name is not missed.
        let has = |at: &usize| places.get(at).and_then(|place: &usize| self.evidence.attachments.get(*place));
        let had: HashSet<&str> =
            linked.iter().filter_map(has).map(|attachment| attachment.hash.as_str()).collect();
        loose.retain(|(hash, _)| hash.is_empty() || !had.contains(hash.as_str()));
        findings.extend(loose.iter().take(MOST_NAMED).map(|(_, path)| text::unreferenced(path)));
        if loose.len() > MOST_NAMED {
            findings.push(text::more_unreferenced(loose.len() - MOST_NAMED));
        }
        let placed = links
            .into_iter()
            .filter_map(|link| places.get(&link.attachment).map(|&attachment| Link { attachment, ..link }));
        self.evidence.links = placed.collect();
        self.report.attachments = self.evidence.attachments.len() as u64;
        Ok((!findings.is_empty()).then(|| Outcome {
            batch: RecordBatch::new_empty(self.schema.clone()),
            findings: Findings(findings),
        }))
    }
}

/// Unpacks the tables of a package once more, for whoever shows them to their sender.
pub(crate) struct Unpacker {
    contents: Contents,
}

impl Unpacker {
    /// Lists what a package holds, refusing what reading it would refuse.
    ///
    /// # Errors
    /// It is no package, or a harmful one.
    pub(crate) fn open(file: File, limits: &Limits, temp_dir: Option<&Path>) -> Result<Self, ReadError> {
        Ok(Self { contents: Contents::list(Package::open(file, limits)?, limits, temp_dir)? })
    }

    /// Writes the table with this path to `to`, of several with one path the one that stands behind `before` others;
    /// `false` if there is none.
    ///
    /// # Errors
    /// It is damaged, or cannot be written.
    pub(crate) fn unpack(&self, path: &str, before: usize, to: &mut dyn Write) -> Result<bool, ReadError> {
        let mut of_name = self.contents.files.iter().filter(|file| file.table && file.path == path);
        let Some(file) = of_name.nth(before) else { return Ok(false) };
        let mut entry = self.contents.open(file)?;
        io::copy(&mut entry, to).map_err(|e| text::broken(path, &e))?;
        Ok(true)
    }
}

/// The first zip container of a file, if it is a package and no workbook.
pub(super) fn recognize(file: &File, options: &ReadOptions) -> Result<Option<Package>, ReadError> {
    let package = Package::open(file.try_clone().map_err(|e| ReadError::io(&e))?, &options.limits)?;
    Ok((contents::holding(&package) == contents::Holding::Files).then_some(package))
}
