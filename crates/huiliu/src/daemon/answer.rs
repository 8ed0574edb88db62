//! Answers a delivery: the receipt to the sender's outbox, the file to the archive.
//!
//! Everything here can be done twice. Killed in between, the daemon finds the delivery unanswered in the
//! ledger and does it again; names depend on the delivery alone, so the second time meets the first.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use huiliu_formats::read::Limits;
use huiliu_formats::receipt::{self, CopyLimits, Corrected, Language, ReceiptData, Zone};
use huiliu_pipeline::ports::{LedgerEntry, State};
use huiliu_store::SqliteStore;
use tracing::warn;

use super::archive;
use super::spool::{self, Taken};
use crate::sinks::{WholeFile, named};
use crate::sources::folder::FolderSource;
use crate::sources::folder::place::{Names, Template, readable};
use crate::sources::folder::ready::Stamp;

/// Answers the deliveries of one pipeline.
pub(crate) struct Answerer {
    pub(crate) data: PathBuf,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) archive: Template,
    pub(crate) returned: Template,
    pub(crate) outbox: Template,
    pub(crate) source: Template,
    pub(crate) json: bool,
    pub(crate) xlsx: bool,
    pub(crate) language: Language,
    pub(crate) zone: Zone,
    /// By which packages are unpacked.
    pub(crate) limits: Limits,
    pub(crate) titles: std::collections::BTreeMap<String, String>,
}

impl Answerer {
    /// Where things go for a folder source.
    pub(crate) fn templates(source: &FolderSource, outbox: Option<&Path>) -> Result<[Template; 4], String> {
        let outbox = super::outbox(outbox);
        Ok([
            Template::parse(&source.archive)?,
            Template::parse(&source.returned)?,
            Template::parse(&outbox)?,
            Template::parse(&source.path)?,
        ])
    }

    /// Writes the receipt, puts away what was sent as `file` and notes both in the ledger. `taken` is what was read
    /// of it; a delivery that is left over from before a restart has none.
    ///
    /// # Errors
    /// Nothing is noted; it is to be tried again.
    pub(crate) fn answer(
        &self,
        entry: &LedgerEntry,
        file: &Path,
        taken: Option<&Taken>,
        names: &Names,
    ) -> anyhow::Result<()> {
        if entry.answered && !file.exists() {
            return Ok(()); // Offered once more before the last answer had put it away.
        }
        let sender = &entry.delivery.sender;
        let home = match entry.state {
            State::Refused => &self.returned,
            State::Seen | State::Committed => &self.archive,
        };
        let home = self.data.join(home.fill(names, sender));
        let target = archive::place(&home, &entry.delivery.file, &entry.delivery.id);
        // The sender may have written another file of this name since; that is a delivery of its own.
        let same = match taken {
            Some(taken) => taken.is_still(file),
            None => spool::hash(file).is_ok_and(|hash| hash == entry.delivery.content_hash),
        };
        // Killed after the move and before the note, the file is already there.
        let content = match taken {
            Some(taken) if taken.copied => &*taken.content,
            _ if same => file,
            _ => &*target,
        };
        // The same content may have come under another name; whoever sent that looks for an answer to it.
        let name = file.file_name().map_or_else(|| entry.delivery.file.clone(), readable);
        self.write_receipts(entry, &name, content, &self.data.join(self.outbox.fill(names, sender)))?;
        let kept = Self::put_away(file, taken, same, &target)
            .with_context(|| format!("cannot move `{}` to `{}`", file.display(), target.display()))?;
        let kept = kept.strip_prefix(&self.data).unwrap_or(&kept).to_string_lossy().into_owned();
        self.store.set_answered(&entry.delivery.id, &kept)?;
        Ok(())
    }

    /// Moves the file to `target`, or what was taken of it if the file is another one by now. Gives the place.
    fn put_away(file: &Path, taken: Option<&Taken>, same: bool, target: &Path) -> std::io::Result<PathBuf> {
        if same {
            let kept = archive::put_away(file, target)?;
            let moved =
                taken.is_none_or(|taken| Stamp::at(&kept).is_some_and(|now| now.same_content(taken.stamp)));
            if moved {
                return Ok(kept);
            }
            // Written to in the very moment of the move: it goes back, and comes again as a delivery of its own.
            archive::put_away(&kept, file)?;
        }
        match taken {
            Some(taken) if taken.copied && taken.content.exists() => {
                archive::put_away(&taken.content, target)
            }
            Some(_) => {
                warn!(file = %file.display(), "not archived, it was replaced after it had been read");
                Ok(target.to_owned())
            }
            None => Ok(target.to_owned()),
        }
    }

    /// The names in the path of a file that was sent.
    pub(crate) fn names_of(&self, file: &Path) -> Names {
        let folder = file.parent().and_then(|folder| folder.strip_prefix(&self.data).ok());
        folder.and_then(|folder| self.source.names_in(folder)).unwrap_or_default()
    }

    fn write_receipts(
        &self,
        entry: &LedgerEntry,
        name: &str,
        content: &Path,
        outbox: &Path,
    ) -> anyhow::Result<()> {
        if !self.json && !self.xlsx {
            return Ok(());
        }
        let data = self.receipt(entry)?;
        let stem = Path::new(name).file_stem().map(|s| s.to_string_lossy()).unwrap_or_default();
        let word = match self.language {
            Language::Zh => "回执",
            Language::En => "receipt",
        };
        let base = format!("{}.{word}", named(&stem, &entry.delivery.id));
        if self.json {
            let path = outbox.join(format!("{base}.json"));
            let mut file =
                WholeFile::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
            file.write_all(&receipt::json(&data))?;
            file.finish().with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        if self.xlsx {
            // A workbook shows tables again, a page what has none.
            match receipt::has_workbook(&data) {
                true => self.write_workbook(&data, content, outbox, &base)?,
                false => Self::write_page(&data, content, &outbox.join(format!("{base}.html")))?,
            }
            if receipt::has_copies(&data) && content.exists() {
                self.write_package(&data, content, outbox, &base)?;
            }
        }
        Ok(())
    }

    fn write_workbook(
        &self,
        data: &ReceiptData,
        content: &Path,
        outbox: &Path,
        base: &str,
    ) -> anyhow::Result<()> {
        let path = outbox.join(format!("{base}.xlsx"));
        let write = || -> anyhow::Result<()> {
            let mut file = WholeFile::create(&path)?;
            // On the disk of the data: the system's folder for temporary files may be small, or memory.
            let limits = self.copy_limits(outbox.to_owned());
            let source = Some(content).filter(|path| path.exists());
            let ending = receipt::workbook(data, source, &limits, &mut file)?;
            Ok(file.finish_as(outbox.join(format!("{base}.{ending}")))?)
        };
        write().with_context(|| format!("cannot write `{}`", path.display()))
    }

    fn write_package(
        &self,
        data: &ReceiptData,
        content: &Path,
        outbox: &Path,
        base: &str,
    ) -> anyhow::Result<()> {
        let path = outbox.join(format!("{base}.zip"));
        let write = || -> anyhow::Result<()> {
            let mut file = WholeFile::create(&path)?;
            // What is unpacked has names while it is marked: in the spool nobody meets them, and a crash leaves none.
            let spool = self.data.join("spool").join(&data.pipeline);
            std::fs::create_dir_all(&spool)?;
            receipt::package(data, content, &self.copy_limits(spool), &mut file)?;
            Ok(file.finish()?)
        };
        write().with_context(|| format!("cannot write `{}`", path.display()))
    }

    fn copy_limits(&self, temporary: PathBuf) -> CopyLimits {
        CopyLimits { temp_dir: Some(temporary), reading: self.limits.clone(), ..CopyLimits::default() }
    }

    fn write_page(data: &ReceiptData, content: &Path, path: &Path) -> anyhow::Result<()> {
        let write = || -> anyhow::Result<()> {
            let mut file = WholeFile::create(path)?;
            receipt::page(data, Some(content).filter(|path| path.exists()), &mut file)?;
            Ok(file.finish()?)
        };
        write().with_context(|| format!("cannot write `{}`", path.display()))
    }

    fn receipt(&self, entry: &LedgerEntry) -> anyhow::Result<ReceiptData> {
        let findings = self.store.findings(&entry.delivery.id)?;
        let report: huiliu_formats::report::ReadReport =
            serde_json::from_value(entry.report.clone()).unwrap_or_default();
        let counts = entry.counts;
        let corrects = entry.supersedes.as_deref().map(|earlier| self.store.delivery(earlier)).transpose()?;
        Ok(ReceiptData {
            delivery: entry.delivery.id.clone(),
            pipeline: entry.delivery.pipeline.clone(),
            file: entry.delivery.file.clone(),
            package: None,
            sender: entry.delivery.sender.clone(),
            corrects: corrects.map(|earlier| Corrected {
                delivery: earlier.delivery.id,
                received_ms: earlier.delivery.received_ms,
            }),
            received_ms: entry.delivery.received_ms,
            state: if entry.state == State::Refused { "refused" } else { "committed" }.to_owned(),
            rows_in: counts.rows_in,
            accepted: counts.accepted,
            quarantined: counts.quarantined,
            merged: counts.merged,
            dropped: counts.dropped,
            refused: counts.refused,
            errors: counts.errors,
            warnings: counts.warnings,
            infos: counts.infos,
            codes: entry.codes.clone(),
            sheets: self.store.sheets(&entry.delivery.id)?,
            findings: findings.into_iter().map(|(finding, _)| finding).collect(),
            report,
            titles: self.titles.clone(),
            language: self.language,
            zone: self.zone.clone(),
        })
    }
}
