//! The tags of a sheet and the addresses in them, as the rewriter needs them.

use std::io::Write;

use quick_xml::Writer;
use quick_xml::events::BytesStart;

use super::PatchError;
use super::package::relations_space;
use super::sheet::RowMarks;
use super::xml::{Kind, attribute, number, with};

/// Writes a tag outside the rows. The summary is the sheet that is shown, so no other may be chosen: what is
/// typed into one of several chosen sheets goes into all of them.
pub(super) fn write_head_tag<W: Write>(
    out: &mut Writer<W>,
    tag: BytesStart<'_>,
    kind: Kind,
) -> Result<(), PatchError> {
    if tag.local_name().into_inner() == "sheetView" && attribute(&tag, "tabSelected")?.is_some() {
        return emit(out, &with(&tag, &[("tabSelected", None)])?, kind);
    }
    emit(out, &tag, kind)
}

/// Writes a tag, given between its brackets.
pub(super) fn emit<W: Write>(out: &mut Writer<W>, tag: &str, kind: Kind) -> Result<(), PatchError> {
    let end = if kind == Kind::Empty { "/>" } else { ">" };
    Ok(write!(out.get_mut(), "<{tag}{end}")?)
}

/// Links the drawing that holds the notes.
pub(super) fn link<W: Write>(
    out: &mut Writer<W>,
    prefix: &str,
    drawing: Option<String>,
    strict: bool,
) -> Result<(), PatchError> {
    if let Some(id) = drawing {
        let space = relations_space(strict);
        write!(out.get_mut(), "<{prefix}legacyDrawing xmlns:r=\"{space}\" r:id=\"{id}\"/>")?;
    }
    Ok(())
}

/// The tag of a row whose marked cells may lie outside the span that it states.
pub(super) fn row_tag(tag: &BytesStart<'_>, marks: &RowMarks) -> Result<String, PatchError> {
    let spans = attribute(tag, "spans")?.unwrap_or_default();
    let (first, last) = spans.split_once(':').unwrap_or_default();
    let (first, last) = (first.parse().unwrap_or(0_u32), last.parse().unwrap_or(0_u32));
    let inside = |column: &u16| (first..=last).contains(&(u32::from(*column) + 1));
    match spans.is_empty() || marks.keys().all(inside) {
        true => Ok(tag.to_string()),
        false => with(tag, &[("spans", None)]),
    }
}

/// The style that the cells of a row have when they are not there.
pub(super) fn row_style(tag: &BytesStart<'_>) -> Result<Option<u32>, PatchError> {
    match attribute(tag, "customFormat")?.as_deref() {
        Some("1" | "true") => number(tag, "s"),
        _ => Ok(None),
    }
}

/// The column of an address such as `C5`, from 0.
pub(super) fn column(address: &str) -> Option<u16> {
    let letters = address.bytes().take_while(u8::is_ascii_alphabetic);
    let number =
        letters.take(4).fold(0_u32, |n, letter| n * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1);
    u16::try_from(number.checked_sub(1)?).ok().filter(|&column| column < 16_384)
}

/// The row of an address such as `C5`, from 1.
pub(super) fn row(address: &str) -> Option<u32> {
    address.trim_start_matches(|c: char| c.is_ascii_alphabetic()).parse().ok()
}
