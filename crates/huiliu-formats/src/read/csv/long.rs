//! Cells of many lines: how a text is known to be in order although they hold most of it, and when what seems to be
//! such a cell is rows that a stray quote would swallow.

use super::lex::{Form, Record, record};

/// Lines of a cell that are looked at, and the least number that tells anything.
pub(super) const LOOKED_AT: usize = 64;
pub(super) const LEAST: usize = 8;
/// Most rows of words before a table that is in order otherwise.
const MOST_WORDS: usize = 8;

/// Most records of other widths behind the first rows of such a table.
const MOST_OTHERS: usize = 3;

/// Whether so many of the lines within quotes have the table's number of cells that they are its rows.
pub(super) fn are_rows(alike: usize, lines: usize, width: usize) -> bool {
    // One comma in a line is nothing rare in prose.
    let (least, tenths) = if width > 2 { (LEAST, 6) } else { (2 * LEAST, 9) };
    width > 1 && lines >= least && alike * 10 >= lines * tenths
}

/// How long a quoted cell may be. Where there is but one column nothing tells a cell from rows save its length.
pub(super) fn longest_cell(width: usize, longest_row: usize) -> usize {
    if width > 1 { longest_row } else { longest_row.min(1 << 20) }
}

/// Whether a text within quotes is rows of the table rather than a cell.
pub(super) fn holds_rows(inside: &str, form: &Form, width: usize) -> bool {
    // The first line began before the quote.
    let lines = inside.split('\n').skip(1).take(LOOKED_AT);
    let (mut alike, mut count) = (0, 0);
    for line in lines.filter(|line| !line.trim().is_empty()) {
        count += 1;
        alike += usize::from(line.matches(&form.delimiter).count() + 1 == width);
    }
    are_rows(alike, count, width)
}

/// Rows that end or begin within a quoted cell, if it is what two stray quotes make of them: its first line completes the
/// row before it, its last one lacks what stands behind it, and each between is a row.
pub(super) fn rows_within(cell: &str, column: usize, width: usize, delimiter: &str) -> Option<usize> {
    let mut lines = cell.split('\n').map(|line| line.matches(delimiter).count());
    let (first, last) = (lines.next()?, lines.next_back()?);
    // One comma in a line is nothing rare in prose.
    let told = width > 2 || width == 2 && lines.clone().count() > 0;
    let fits = told
        && first + column + 1 == width
        && last == column
        && lines.clone().all(|marks| marks + 1 == width);
    fits.then(|| lines.count() + 2)
}

/// The length of a cell of the record that is rows of the table.
pub(super) fn swallowed(record: &Record<'_>, form: &Form, width: usize) -> Option<usize> {
    let quoted = record.cells.iter().filter(|cell| cell.quoted && cell.text.contains('\n'));
    quoted.filter(|cell| holds_rows(&cell.text, form, width)).map(|cell| cell.text.len()).min()
}

/// Whether the record at `from` opens a quote that the text does not close, before lines that are no rows: more text is
/// needed to read it.
pub(super) fn goes_on(text: &str, from: usize, form: &Form, width: usize) -> bool {
    let record = record(text, from, form, usize::MAX);
    match record.open {
        Some(open) => !holds_rows(&text[open..], form, width),
        None => record.end >= text.len(),
    }
}

/// The records of a sample that a form explains to the last byte: nothing odd, all of one width but for a few words before
/// them and a few rows and notes. Only for texts with a cell of several lines, for in others every line tells.
pub(super) fn in_order<'a>(
    sample: &'a str,
    whole: bool,
    form: &Form,
    most: usize,
) -> Option<Vec<Record<'a>>> {
    let (mut rows, mut at): (Vec<Record<'a>>, _) = (Vec::new(), 0);
    let (mut run, mut others, mut broken) = (Run::default(), 0, false);
    while at < sample.len() {
        let found = record(sample, at, form, usize::MAX);
        let next = found.next.max(at + 1);
        if found.is_blank() {
            at = next;
            continue;
        }
        if let Some(open) = found.open.filter(|_| !whole) {
            let cut = broken_line(&sample[open..]) && !holds_rows(&sample[open..], form, run.width);
            broken |= cut;
            if !cut {
                return None;
            }
            break;
        }
        let cut = !whole && next >= sample.len();
        if cut && !found.odd {
            break;
        }
        if found.odd || swallowed(&found, form, run.width).is_some() {
            return None;
        }
        let width = found.cells.len();
        if width != run.width && run.count > MOST_WORDS.max(run.before) {
            // A row that is not in order, or a note: not the first row of the table.
            others += 1;
            at = next;
            continue;
        }
        if width != run.width {
            run = Run { width, count: 0, before: run.before + run.count };
            if run.before > MOST_WORDS {
                return None;
            }
            broken = false;
            rows.clear();
        }
        broken |= found.cells.iter().any(|cell| cell.quoted && broken_line(&cell.text));
        run.count += 1;
        if rows.len() < most {
            rows.push(found);
        }
        at = next;
    }
    let few = others <= MOST_OTHERS && run.count > 3 * (run.before + others);
    (run.width > 1 && broken && few).then_some(rows)
}

/// Records of one width, and how many of other widths stand before them.
#[derive(Default)]
struct Run {
    width: usize,
    count: usize,
    before: usize,
}

fn broken_line(text: &str) -> bool {
    memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_some()
}
