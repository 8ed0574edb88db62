//! Rows of a plainly written file that have not the table's number of cells: at which the fast splitter stops.
//!
//! Each goes through repair by itself, with the text behind it; what repair makes nothing of is left to the reader of
//! rows, which tells what is lacking or too much.

use huiliu_stage::Severity;

use super::repair::Repair;
use super::table::{Plan, Row};
use super::tell::{repaired, tell_repairs};
use crate::read::chunk::Chunk;

/// What became of a row that the splitter stopped at.
pub(super) enum Stopped {
    Mended(Row),
    /// It is as it should be, or nothing is known better.
    Left,
    /// Cells are lacking, and nothing tells which.
    Unsure(Row),
    /// More text is needed to tell.
    Cut,
}

/// Tells what was done to the row at `at`. Where few rows are known (`thin`) it is a guess that a person must confirm.
pub(super) fn tell(chunk: &mut Chunk, text: &[u8], at: usize, row: &Row, number: u32, thin: bool) {
    let shown = String::from_utf8_lossy(text.get(at..at + row.end).unwrap_or_default());
    let mut finding = repaired(&shown);
    tell_repairs(&mut finding, row, number, false);
    if thin {
        finding.severity = Severity::Error;
    }
    chunk.findings.push(finding);
}

/// Rows that must be known before one is repaired by the example of the others without a person's word.
pub(super) const EVIDENCE: u32 = 8;
/// Text that the repair of one row may look at.
const REPAIRED: usize = 64 << 10;
/// Text that should follow a row that is repaired.
const FOLLOWING: usize = 8 << 10;

/// Repairs the row that begins at `from`. Places in it count from there. Where few rows are known (`thin`), only one that
/// has not as many cells as the others, which might stand under other headings.
pub(super) fn mended(plan: &mut Plan, bytes: &[u8], from: usize, over: bool, thin: bool) -> Stopped {
    let rest = bytes.get(from..).unwrap_or_default();
    if !over && rest.len() < FOLLOWING {
        return Stopped::Cut;
    }
    let piece = &rest[..rest.len().min(REPAIRED)];
    let valid = match simdutf8::compat::from_utf8(piece) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&piece[..error.valid_up_to()]).unwrap_or_default(),
    };
    if valid.len() < rest.len() && plan.goes_on(valid, 0) {
        return Stopped::Left;
    }
    let cells = plan.cells_of(valid);
    let short = cells.as_ref().is_some_and(|cells| cells.len() < plan.outline.width);
    if thin && cells.as_ref().is_none_or(|cells| cells.len() == plan.outline.width) {
        return Stopped::Left;
    }
    let row = plan.row(valid, 0, false);
    let cut = row.next >= valid.len() && valid.len() < rest.len();
    let nothing = row.repairs.is_empty() || row.repairs.contains(&Repair::Failed);
    // What a row lacks at its end the reader of rows tells.
    let ended = row.repairs == [Repair::Missing] && row.cells.last().is_none_or(String::is_empty);
    let tail = ended && cells.as_ref().is_some_and(|cells| row.cells.starts_with(cells));
    // Words alone in a row head a group; a row of the table they are only if another delimiter cuts them, or the table's
    // own one once quotes around all of it are gone.
    let words = cells.is_some_and(|cells| cells.len() == 1)
        && !matches!(row.repairs.first(), Some(Repair::OtherDelimiter | Repair::Unwrapped));
    match () {
        () if cut || tail || words || row.blank => Stopped::Left,
        () if nothing && short => Stopped::Unsure(Row { repairs: vec![Repair::Failed], ..row }),
        () if nothing => Stopped::Left,
        () => Stopped::Mended(row),
    }
}
