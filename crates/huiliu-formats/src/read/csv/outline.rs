//! Where the table begins and ends in a text: preamble, header, data, footnotes, further tables.
//!
//! Decided over the whole sample at once, since each of these shows only against the others: the width of the
//! table says what the preamble is, its columns' values say what the header is, and what fits neither and
//! comes last is a footnote or another table.

use super::lex::{Form, Record, record};
use super::shape::{Kind, Profile, kind, profiles};

/// Most rows of a header.
const MOST_HEADER_ROWS: usize = 4;
/// Longest quoted cell.
const LONGEST: usize = 256 << 10;

/// How a text is laid out. Places are bytes of the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    pub(super) width: usize,
    /// Where the header, or without one the first row, begins.
    pub(super) start: usize,
    /// Rows of the header.
    pub(super) header: usize,
    /// Where the table ends, if something else follows.
    pub(super) end: Option<usize>,
    /// What the rows before the table and behind it say.
    pub(super) before: Vec<String>,
    pub(super) behind: Vec<String>,
    pub(super) columns: Vec<Profile>,
}

/// A record of the sample, blank lines too.
struct Line<'a> {
    start: usize,
    record: Record<'a>,
    /// Blank, or nothing but delimiters.
    empty: bool,
    /// Blank lines stand before it.
    gap: bool,
}

/// Lays out a text. `header` is the number of header rows if the caller knows it; `whole` says that there is no more
/// text behind the sample.
pub(super) fn outline(sample: &str, form: &Form, header: Option<usize>, whole: bool) -> Outline {
    let lines = lines(sample, form, whole);
    let width = width_of_first_table(&lines);
    let Some(first) = first_row(&lines, width) else { return Outline { width, ..Outline::default() } };
    let end = end_of_table(&lines, first, width);
    let table = &lines[first..end];
    let height = header.unwrap_or_else(|| header_rows(table, width)).min(table.len());
    let body = table[height..].iter().filter(|line| line.record.cells.len() == width && !line.record.odd);
    let texts = |lines: &[Line<'_>]| {
        let filled = lines.iter().filter(|line| !line.empty);
        filled.map(|line| sample[line.start..line.record.end].chars().take(200).collect()).collect()
    };
    Outline {
        width,
        start: lines[first].start,
        header: height,
        end: lines.get(end).map(|line| line.start),
        before: texts(&lines[..first]),
        behind: texts(&lines[end..]),
        columns: profiles(width, body.map(|line| &line.record.cells[..])),
    }
}

fn lines<'a>(sample: &'a str, form: &Form, whole: bool) -> Vec<Line<'a>> {
    let (mut all, mut at, mut gap, mut longest): (Vec<Line<'_>>, _, _, _) = (Vec::new(), 0, false, LONGEST);
    while at < sample.len() {
        let record = record(sample, at, form, longest);
        longest = if record.odd { (longest / 2).max(1 << 10) } else { longest };
        let (start, blank) = (at, record.is_blank());
        at = record.next.max(at + 1);
        if !whole && at >= sample.len() {
            // Cut by the sample's end.
            break;
        }
        let empty = record.filled() == 0;
        if !blank {
            all.push(Line { start, record, empty, gap });
        }
        gap = blank;
    }
    all
}

/// The width that most rows have, or that of an earlier run of rows which is a table of its own.
fn width_of_first_table(lines: &[Line<'_>]) -> usize {
    let filled: Vec<&Line<'_>> = lines.iter().filter(|line| !line.empty).collect();
    let widths: Vec<usize> = filled.iter().map(|line| line.record.cells.len()).collect();
    let count = |width: usize| widths.iter().filter(|&&w| w == width).count();
    let mut kinds = widths.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let weight = |width: usize| count(width) * count(width) * (width.min(20) + if width > 1 { 4 } else { 0 });
    let Some(mode) = kinds.iter().copied().max_by_key(|&w| (weight(w), w)) else { return 1 };
    let begins = widths.iter().position(|&w| w == mode).unwrap_or(0);
    // An earlier table: several rows of another width, most of what stands before, and no small part of all.
    let earlier = kinds.iter().copied().filter(|&w| w > 1 && w != mode).find(|&width| {
        let before = widths[..begins].iter().filter(|&&w| w == width).count();
        before >= 3 && before * 5 >= begins * 4 && before * 6 >= count(mode)
    });
    earlier.unwrap_or(mode)
}

/// Index of the first row of the table, its header.
fn first_row(lines: &[Line<'_>], width: usize) -> Option<usize> {
    let proper = |line: &Line<'_>| {
        let cells = line.record.cells.len();
        let filled = line.record.filled();
        if width < 3 {
            return cells == width && filled > 0;
        }
        // A title with delimiters behind it fills one cell; a header may lack or have one too many.
        (cells == width || cells == width + 1 || cells + 1 == width) && filled >= 2 && filled * 3 >= width
    };
    let remark = |line: &Line<'_>| {
        line.record.cells.first().is_some_and(|cell| cell.text.trim_start().starts_with(['#', '%']))
    };
    let full = lines.iter().position(|line| !line.empty && line.record.cells.len() == width && proper(line));
    let first = match full {
        // The row right before may be a header whose width is off.
        Some(at)
            if at > 0
                && width >= 3
                && !lines[at].gap
                && proper(&lines[at - 1])
                && !remark(&lines[at - 1])
                && !lines[at - 1].empty =>
        {
            at - 1
        }
        Some(at) => at,
        None => lines.iter().position(|line| !line.empty)?,
    };
    // Merged cells above the names: a row of the same width with gaps, not a title.
    let mut top = first;
    while top > 0 && first - top < MOST_HEADER_ROWS - 1 {
        let above = &lines[top - 1];
        if above.record.cells.len() != width || above.record.filled() < 2 || lines[top].gap || width < 3 {
            break;
        }
        top -= 1;
    }
    Some(top)
}

/// Index behind the last row of the table that begins at `first`.
fn end_of_table(lines: &[Line<'_>], first: usize, width: usize) -> usize {
    let header: Vec<&str> = lines[first].record.cells.iter().map(|cell| cell.text.as_ref()).collect();
    let body = lines[(first + 1).min(lines.len())..].iter();
    let half = body.take_while(|line| !line.gap || line.record.cells.len() == width);
    let proper = half.filter(|line| line.record.cells.len() == width && !line.record.odd);
    let columns = profiles(width, proper.map(|line| &line.record.cells[..]));
    for at in first + 1..lines.len() {
        let line = &lines[at];
        let cells = line.record.cells.len();
        if line.gap && cells == width && at > first + 1 {
            let same = line.record.cells.iter().map(|c| c.text.as_ref()).eq(header.iter().copied());
            if same || looks_like_header(&line.record, &columns) {
                return at;
            }
        }
        if cells == width && line.record.filled() > usize::from(width > 2) {
            continue;
        }
        if ends_here(lines, at, width, &columns) {
            return at;
        }
    }
    lines.len()
}

/// Whether the row at `at`, which is not like the table's, begins something else.
fn ends_here(lines: &[Line<'_>], at: usize, width: usize, columns: &[Profile]) -> bool {
    let line = &lines[at];
    let rest = &lines[at..];
    let later = rest.iter().skip(1).filter(|l| l.record.cells.len() == width && l.record.filled() > 1);
    // Rows like the table's follow: whatever this is, it stands inside of it.
    let back = later.clone().next();
    let filled = line.record.filled();
    if let Some(back) = back {
        // Unless a blank line, a title and another header of the same width stand between.
        let title = line.gap && filled <= 1 && width > 2;
        return (title && looks_like_header(&back.record, columns))
            || (line.gap && another_table(rest, width));
    }
    if filled == 0 {
        return false;
    }
    if another_table(rest, width) {
        return true;
    }
    // The tail: sentences are notes; rows of about the table's width are damaged rows of the table.
    let notes = rest.iter().filter(|l| !l.empty);
    notes.clone().all(|l| is_note(l, width, columns))
}

fn is_note(line: &Line<'_>, width: usize, columns: &[Profile]) -> bool {
    let (cells, filled) = (line.record.cells.len(), line.record.filled());
    if line.record.odd && cells > 1 {
        return false;
    }
    let first = line.record.cells.first().map_or("", |cell| cell.text.as_ref());
    // A row of the table with another delimiter.
    let cut = |delimiter: &str| first.matches(delimiter).count() + 1;
    let rough = [",", ";", "\t", "|"].iter().any(|delimiter| cut(delimiter) + 1 >= width);
    let values = first.split(' ').filter(|part| kind(part).is_value()).count();
    if cells == 1 && width > 2 && (rough || (cut(" ") >= width && values >= 2)) {
        return false;
    }
    let strange = columns.first().is_some_and(|column| column.cost(first) > 0.9);
    match width {
        1 => line.gap && kind(first) == Kind::Text && strange,
        2 => cells == 1 && (line.gap || strange),
        _ => {
            (filled == 1 && cells != width - 1 && (line.gap || strange || cells == 1))
                || (line.gap && cells * 2 <= width)
        }
    }
}

/// Whether a table of another width begins here.
fn another_table(rest: &[Line<'_>], width: usize) -> bool {
    let Some(other) = rest.first().map(|line| line.record.cells.len()) else { return false };
    let skip = usize::from(other <= 1);
    let mut run = rest.iter().skip(skip).take_while(|l| !l.empty).take(4);
    let Some(other) = run.next().map(|l| l.record.cells.len()) else { return false };
    let same = run.filter(|l| l.record.cells.len() == other).count();
    other > 1 && other != width && same >= if rest.first().is_some_and(|l| l.gap) { 1 } else { 2 }
}

/// Whether a row's cells are names where the columns hold values.
fn looks_like_header(record: &Record<'_>, columns: &[Profile]) -> bool {
    let typed: Vec<usize> = (0..columns.len()).filter(|&c| columns[c].values() > 0.6).collect();
    let name = |column: usize| {
        record
            .cells
            .get(column)
            .is_some_and(|cell| matches!(kind(&cell.text), Kind::Word | Kind::Text | Kind::Code))
    };
    let named = typed.iter().filter(|&&column| name(column)).count();
    !typed.is_empty() && named * 2 > typed.len() && record.cells.iter().all(|c| !kind(&c.text).is_value())
}

/// How many of the table's first rows are its header: those that do not look like the others.
fn header_rows(table: &[Line<'_>], width: usize) -> usize {
    let Some(first) = table.first() else { return 0 };
    let rest = |from: usize| {
        let body = table.get(from..).unwrap_or_default().iter();
        profiles(
            width,
            body.filter(|l| l.record.cells.len() == width && !l.record.odd).map(|l| &l.record.cells[..]),
        )
    };
    // Columns are judged by what stands below any header.
    let below = if table.len() > 2 * MOST_HEADER_ROWS { MOST_HEADER_ROWS } else { 1 };
    let columns = rest(below.min(table.len().saturating_sub(1)));
    let values = first.record.cells.iter().filter(|cell| kind(&cell.text).is_value()).count();
    if table.len() == 1 {
        return usize::from(values == 0);
    }
    let strange = |line: &Line<'_>| {
        let (mut against, mut with) = (0, 0);
        for (cell, column) in line.record.cells.iter().zip(&columns) {
            let kind = kind(&cell.text);
            if column.values() > 0.6 && kind != Kind::Empty {
                if kind.is_value() { with += 1 } else { against += 1 }
            }
        }
        (against, with)
    };
    if is_years(first, &columns) {
        return 1;
    }
    match strange(&table[0]) {
        (against, with) if against > with => {}
        (0, 0) => return usize::from(is_plain_header(first, &columns, values)),
        _ => return 0,
    }
    let more = table[1..].iter().take(MOST_HEADER_ROWS - 1).take_while(|line| {
        let (against, with) = strange(line);
        // A row of data with one bad cell is no header.
        let names = line
            .record
            .cells
            .iter()
            .filter(|c| matches!(kind(&c.text), Kind::Word | Kind::Text | Kind::Code));
        with == 0
            && against >= 2.min(columns.iter().filter(|c| c.values() > 0.6).count())
            && names.count() >= 2.min(width)
            && !line.empty
    });
    1 + more.count()
}

/// Years as the names of columns of other numbers.
fn is_years(line: &Line<'_>, columns: &[Profile]) -> bool {
    let cells = line.record.cells.iter().zip(columns);
    let mut years: Vec<&str> = Vec::new();
    for (cell, column) in cells.filter(|(cell, _)| kind(&cell.text).is_value()) {
        let text = cell.text.trim();
        let year = text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
        if !year || years.contains(&text) || column.knows(text) || column.cost(text) < 0.5 {
            return false;
        }
        years.push(text);
    }
    years.len() > 1
}

/// A first row among columns of words: a header unless its texts are texts of the columns or values.
fn is_plain_header(line: &Line<'_>, columns: &[Profile], values: usize) -> bool {
    let cells = &line.record.cells;
    let known = cells
        .iter()
        .zip(columns)
        .filter(|(cell, column)| !cell.text.trim().is_empty() && column.knows(&cell.text));
    let repeats = known.count();
    let addresses = cells.iter().filter(|c| kind(&c.text) == Kind::Address).count();
    let long = cells.iter().filter(|c| c.text.chars().count() > 80).count();
    repeats == 0 && values == 0 && addresses == 0 && long == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(text: &str) -> (usize, usize, String, Option<String>) {
        let form = Form { delimiter: ",".to_owned(), quote: Some(b'"'), escape: None };
        let found = outline(text, &form, None, true);
        let line = |at: usize| text[at..].lines().next().unwrap_or_default().to_owned();
        (found.width, found.header, line(found.start), found.end.map(line))
    }

    #[test]
    fn preamble_header_and_end_are_found_together() {
        let body = "1,a,2020-01-01\n2,b,2020-01-02\n3,c,2020-01-03\n4,d,2020-01-04\n";
        for (text, header, start, end) in [
            (format!("id,n,d\n{body}"), 1, "id,n,d", None),
            (body.to_owned(), 0, "1,a,2020-01-01", None),
            (format!("Title\n\nid,n,d\n{body}"), 1, "id,n,d", None),
            (format!("Title,,\n,,\nid,n,d\n{body}"), 1, "id,n,d", None),
            (format!("id,n,d\n{body}\nSource: us\n"), 1, "id,n,d", Some("Source: us")),
            (format!("id,n,d\n{body}Source: us\n"), 1, "id,n,d", Some("Source: us")),
            (format!("id,n,d\nkey,name,day\n{body}"), 2, "id,n,d", None),
            (format!("id,n,d\n{body}\nx,y\n1,2\n2,3\n"), 1, "id,n,d", Some("x,y")),
            (format!("id,n,d\n{body}\nid,n,d\n{body}"), 1, "id,n,d", Some("id,n,d")),
            (format!("id,n,d\n{body}x,y,z,w\n1,2,3,4\n2,3,4,5\n"), 1, "id,n,d", Some("x,y,z,w")),
            (format!("id,n,d\n{body}5,2020-01-01\n"), 1, "id,n,d", None),
            ("id,n,d\n".to_owned(), 1, "id,n,d", None),
        ] {
            let (width, rows, first, last) = laid(&text);
            let found = (width, rows, first.as_str(), last.as_deref());
            assert_eq!(found, (3, header, start, end), "{text}");
        }
    }
}
