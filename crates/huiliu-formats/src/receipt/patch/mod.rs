//! The sender's own workbook with the faulty cells marked: a patch of its zip file.
//!
//! Parts that are not touched are copied as they lie, still compressed; so whatever the sender put in is
//! still there. A sheet with findings is rewritten as a stream ([`sheet`]), styles and notes are added to
//! what is there ([`styles`], [`notes`]), and the summary goes in front ([`front`], [`book`]). Where any of
//! it does not fit, the answer is [`PatchError`] and the caller rebuilds the copy from its values instead.
//! Start at [`patch`].

mod book;
mod front;
#[cfg(test)]
mod libre;
mod notes;
mod package;
mod plan;
mod sheet;
mod styles;
mod tags;
#[cfg(test)]
mod tests;
mod window;
mod xml;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use self::package::{MAX_SHEET_BYTES, Package};
use self::plan::Plan;
use super::ReceiptData;
use super::workbook::CopyLimits;

/// Why a workbook cannot be patched.
#[derive(Debug, thiserror::Error)]
pub(super) enum PatchError {
    /// It is not of the form that is understood, or larger than allowed.
    #[error("{0}")]
    Unfit(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Zip(#[from] zip::result::ZipError),
    #[error(transparent)]
    Xml(#[from] quick_xml::Error),
    #[error(transparent)]
    Summary(#[from] rust_xlsxwriter::XlsxError),
}

impl From<quick_xml::events::attributes::AttrError> for PatchError {
    fn from(error: quick_xml::events::attributes::AttrError) -> Self {
        Self::Xml(error.into())
    }
}

fn unfit<T>(why: impl Into<String>) -> Result<T, PatchError> {
    Err(PatchError::Unfit(why.into()))
}

/// Makes the marked copy of the workbook `source` in a temporary file, which is given back at its start, with the ending
/// that its name must have.
///
/// # Errors
/// When the workbook cannot be patched; nothing is left behind.
pub(super) fn patch(
    data: &ReceiptData,
    source: &Path,
    limits: &CopyLimits,
) -> Result<(File, &'static str), PatchError> {
    let mut package = Package::open(source)?;
    let plan = Plan::make(data, &mut package)?;
    let folder = limits.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
    let mut out = ZipWriter::new(BufWriter::with_capacity(1 << 18, tempfile::tempfile_in(folder)?));
    let ending = plan.ending;
    write(&mut package, plan, &mut out)?;
    let buffered = out.finish()?;
    let mut file = buffered.into_inner().map_err(|error| error.into_error())?;
    file.seek(SeekFrom::Start(0))?;
    Ok((file, ending))
}

/// Goes through the parts in their order, so that readers which look at the first one are content.
fn write<W: Write + Seek>(
    package: &mut Package,
    mut plan: Plan,
    out: &mut ZipWriter<W>,
) -> Result<(), PatchError> {
    for index in 0..package.len() {
        let name = package.name(index)?;
        if name == plan.styles_part {
            continue; // Which styles are needed is known behind the last sheet.
        } else if let Some(text) = plan.texts.remove(&name) {
            add(out, &name, text.as_bytes())?;
        } else if let Some(sheet) = plan.sheets.remove(&name) {
            out.start_file(&*name, options(BULK_LEVEL).large_file(package.size(index)? > 3 << 30))?;
            let input = package.stream(index, MAX_SHEET_BYTES)?;
            sheet::rewrite(input, &mut *out, &sheet, &mut plan.styles)?;
        } else {
            out.raw_copy_file(package.raw(index)?)?;
        }
    }
    let styles = plan.styles.finish()?;
    add(out, &plan.styles_part, styles.as_bytes())?;
    // What is left was not there before.
    for (name, text) in std::mem::take(&mut plan.texts) {
        add(out, &name, text.as_bytes())?;
    }
    match plan.sheets.is_empty() {
        true => Ok(()),
        false => unfit("a sheet is not where the workbook says"),
    }
}

/// Sheets are large: a few per cent more bytes cost less than the time.
const BULK_LEVEL: i64 = 2;
const LEVEL: i64 = 6;

fn options(level: i64) -> SimpleFileOptions {
    // The time of writing would make each copy differ.
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(level))
        .last_modified_time(DateTime::default())
}

fn add<W: Write + Seek>(out: &mut ZipWriter<W>, name: &str, bytes: &[u8]) -> Result<(), PatchError> {
    out.start_file(name, options(LEVEL))?;
    Ok(out.write_all(bytes)?)
}

/// Reads a part that has to be held as a whole.
fn held(input: &mut dyn Read, limit: u64) -> Result<String, PatchError> {
    let mut text = String::new();
    input.take(limit + 1).read_to_string(&mut text)?;
    if text.len() as u64 > limit {
        return unfit(format!("a part takes more than {limit} bytes"));
    }
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    text.drain(..start);
    Ok(text)
}

/// Parts of the copy that are written as texts, by their names.
type Texts = BTreeMap<String, String>;
