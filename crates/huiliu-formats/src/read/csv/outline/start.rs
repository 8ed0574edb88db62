//! Where a table begins: behind titles, remarks and other words.

use super::super::lex::Cell;
use super::super::shape::{is_sentence, kind};
use super::header::{Height, height, lacks_digits, looks_like_header};
use super::keys::{behind_keys, differs, is_key, stands_above_names};
use super::{Line, MOST_HEADER_ROWS, columns, is_cut_by, is_cut_otherwise};

/// Most rows before a blank line that are taken for words about the table behind it.
pub(super) const MOST_PREAMBLE: usize = 8;
/// Longest cell of a damaged header, in characters.
const LONGEST_NAME: usize = 40;

/// Index of the first row of the table, its header.
pub(super) fn first_row(lines: &[Line<'_>], width: usize) -> Option<usize> {
    let filled = lines.iter().position(|line| !line.empty)?;
    let full = lines.iter().position(|line| is_full(line, width));
    let mut first = behind_gap(lines, full.unwrap_or(filled), width);
    if full.is_some() && first > 1 && is_torn_header(lines, first, width) {
        first -= 2;
    } else if full.is_some() && first > 0 && is_first_above(lines, first, width) {
        first -= 1 + values_above(lines, first, width);
    }
    if is_title_of_list(&lines[first..], width) {
        first += 1;
    }
    first = behind_words(lines, first, width);
    first = behind_keys(lines, first, width);
    first = behind_settings(lines, first, width);
    // Merged cells above the names: a row of the same width with gaps, not a title.
    let mut top = first;
    while top > 0 && first - top < MOST_HEADER_ROWS - 1 {
        let above = &lines[top - 1];
        if above.record.cells.len() != width || above.record.filled() < 2 || lines[top].gap || width < 3 {
            break;
        }
        let words = is_remark(above)
            || is_key(lines, top - 1, width)
            || is_labels(above)
            || is_cut_title(lines, top - 1, width);
        if words || is_numbered_title(above, &lines[top]) {
            break;
        }
        top -= 1;
    }
    Some(top)
}

/// Whether the row right before the first full one is the table's first, whatever became of it.
fn is_first_above(lines: &[Line<'_>], first: usize, width: usize) -> bool {
    is_damaged_header(lines, first, width)
        || is_glued(lines, first, width)
        || is_hollow_row(lines, first, width)
}

/// Whether several words stand above the one that names a list of texts with numbers in them.
fn is_title_of_list(lines: &[Line<'_>], width: usize) -> bool {
    let [title, name, body @ ..] = lines else { return false };
    let blank = |line: &Line<'_>| line.text.trim().contains(' ');
    width == 1
        && body.len() > 4
        && blank(title)
        && !blank(name)
        && lacks_digits(title)
        && lacks_digits(name)
        && columns(1, body).iter().all(|column| column.digits() > 0.9 && column.addresses() < 0.1)
}

/// Whether a row may be one of a table of this width. A title with delimiters behind it fills one cell.
fn is_full(line: &Line<'_>, width: usize) -> bool {
    let filled = line.record.filled();
    line.record.cells.len() == width
        && match width {
            1 => filled > 0 && !is_remark(line),
            2 => filled == 2 && !is_remark(line),
            _ => filled >= 2 && filled * 3 >= width,
        }
}

/// Whether the row right before the first full one, which is no header, has one text in a row of the table's width, and
/// that reads like a name or a value rather than a title: `id,,` or `,,5` above rows of values.
fn is_hollow_row(lines: &[Line<'_>], first: usize, width: usize) -> bool {
    let above = &lines[first - 1];
    let mut texts = above.record.cells.iter().map(|cell| cell.text.trim()).filter(|text| !text.is_empty());
    let (text, other) = (texts.next().unwrap_or_default(), texts.next());
    width > 1
        && above.record.cells.len() == width
        && !lines[first].gap
        && !above.empty
        && other.is_none()
        && !is_remark(above)
        && !is_labels(above)
        && !text.contains(char::is_whitespace)
        && text.chars().count() <= LONGEST_NAME
        && height(&lines[first..], width) == Height::Sure(0)
}

/// How many rows stand right above the one before the first full row that have no more than a value in their first cell
/// as well, and above these, if nothing else is there, rows of nothing: no titles, but rows whose other cells are empty.
fn values_above(lines: &[Line<'_>], first: usize, width: usize) -> usize {
    let value = |line: &Line<'_>| {
        let cells = &line.record.cells;
        cells.len() == width && line.record.filled() == 1 && kind(&cells[0].text).is_value()
    };
    let near = |at: usize| !lines[at].gap && !lines[at - 1].empty;
    if width < 2 || !value(&lines[first - 1]) || height(&lines[first..], width) != Height::Sure(0) {
        return 0;
    }
    let mut top = first - 1;
    while top > 0 && near(top) && value(&lines[top - 1]) {
        top -= 1;
    }
    let hollow = lines[..top].iter().all(|line| line.empty && line.record.cells.len() == width);
    let apart = lines[1..=top].iter().any(|line| line.gap);
    if hollow && !apart { first - 1 } else { first - 1 - top }
}

fn is_remark(line: &Line<'_>) -> bool {
    let first = line.record.cells.first().map_or("", |cell| cell.text.trim_start());
    first == "#"
        || first.starts_with("# ")
        || first.starts_with("% ")
        || first.starts_with("//")
        || first.starts_with("##")
}

/// Whether a row above one with names all along has no more than a number or sign and a title: `T02,"Population, density",,,`.
fn is_numbered_title(above: &Line<'_>, names: &Line<'_>) -> bool {
    let (cells, width) = (&above.record.cells, above.record.cells.len());
    let two =
        width > 4 && above.record.filled() == 2 && cells[..2].iter().all(|cell| !cell.text.trim().is_empty());
    let named = names.record.filled() + 1 >= width
        && names.record.cells.first().is_some_and(|cell| !cell.text.trim().is_empty());
    two && named && cells[1].text.contains(' ') && !cells[0].text.trim().contains(' ')
}

/// Whether all that stands in a row says what it is: `填报单位：市发改委,,,单位：万元`.
pub(super) fn is_labels(line: &Line<'_>) -> bool {
    let mut texts = line.record.cells.iter().map(|cell| cell.text.trim()).filter(|text| !text.is_empty());
    texts.all(|text| {
        let (label, value) = text.split_once([':', '：']).unwrap_or((text, ""));
        !value.trim().is_empty()
            && !value.starts_with("//")
            && label.chars().count() <= 12
            && label.chars().any(char::is_alphabetic)
    })
}

/// Whether a row is a title that its own commas cut into as many cells as the table has: `Population by age, sex, 2015`. A
/// blank stands behind each, which it does not in the row below.
fn is_cut_title(lines: &[Line<'_>], at: usize, width: usize) -> bool {
    let spaced = |line: &Line<'_>| {
        let cells = &line.record.cells;
        cells.len() > 1 && cells.iter().skip(1).all(|cell| !cell.quoted && cell.text.starts_with(' '))
    };
    let line = &lines[at];
    let prose = line.record.cells.first().is_some_and(|cell| cell.text.trim().contains(' '));
    let next = lines.get(at + 1).is_some_and(|next| next.record.cells.len() == width && !spaced(next));
    line.record.cells.len() == width && prose && spaced(line) && next
}

/// The first row behind keys, remarks and titles of the table's width, if a header stands there.
fn behind_words(lines: &[Line<'_>], first: usize, width: usize) -> usize {
    let word = |at: &usize| {
        let line = &lines[*at];
        line.empty || is_remark(line) || is_key(lines, *at, width) || is_cut_title(lines, *at, width)
    };
    let behind = first + (first..lines.len()).take_while(word).count();
    if behind == first || lines.get(behind).is_none_or(|line| !is_full(line, width)) {
        return first;
    }
    // Names alone above words must have no gaps and stand apart from several keys.
    let apart = lines[behind].gap || lines[behind - 1].empty;
    let named = lines[behind].record.filled() == width;
    let keys = (first..behind).filter(|at| is_key(lines, *at, width)).count();
    match height(&lines[behind..], width) {
        Height::Sure(rows) if rows > 0 => behind,
        Height::Likely if named && apart && keys > 1 => behind,
        _ if keys > 0 && stands_above_names(&lines[behind..], width) => behind,
        _ => first,
    }
}

/// The first of two names above numbers in both columns, behind rows of a word and its value each, as instruments write
/// them: `Vertical Units,V`.
fn behind_settings(lines: &[Line<'_>], first: usize, width: usize) -> usize {
    let pair = |line: &&Line<'_>| !line.empty && line.record.cells.len() == 2;
    let value = |line: &Line<'_>, at: usize| kind(&line.record.cells[at].text).is_value();
    let words = lines[first..].iter().take_while(|line| pair(line) && !value(line, 0)).count();
    let behind = first + words;
    if width != 2 || words < 3 || behind >= lines.len() || value(&lines[behind - 1], 1) {
        return first;
    }
    let numbers = lines[behind..].iter().take_while(|line| pair(line) && value(line, 0) && value(line, 1));
    let named = lines[first..behind - 1].iter().any(|line| value(line, 1));
    if named && numbers.count() >= words.max(4) { behind - 1 } else { first }
}

/// The first row behind a blank line, if what stands before it is no more than words about it.
fn behind_gap(lines: &[Line<'_>], first: usize, width: usize) -> usize {
    let gaps = (first + 1..lines.len()).filter(|&at| lines[at].gap || lines[at - 1].empty);
    for gap in gaps.take_while(|&at| at - first <= MOST_PREAMBLE) {
        let rows = lines[gap..].iter().enumerate().take_while(|(at, line)| *at == 0 || !line.gap).count();
        // Keys and values, each on a line of its own, may be as many as the rows.
        let headed = || matches!(height(&lines[first..gap], width), Height::Sure(rows) if rows > 0);
        let table = || width > 2 || headed();
        let least = if table() { 2 * (gap - first) } else { gap - first };
        if lines[gap].record.cells.len() != width || rows < least.max(3) {
            continue;
        }
        let title = |line: &Line<'_>| line.text.trim().contains(' ');
        let alone = width == 1
            && (gap + rows == lines.len() && rows > 4)
            && lines[first..gap].iter().all(title)
            && !title(&lines[gap]);
        let body = &lines[gap + 1..gap + rows];
        if alone || looks_like_header(&lines[gap].record, &columns(width, body)) {
            return gap;
        }
    }
    first
}

/// Whether the row right before the first proper one is a header whose width is off, or that is cut by another
/// delimiter than the table.
fn is_damaged_header(lines: &[Line<'_>], first: usize, width: usize) -> bool {
    let above = &lines[first - 1];
    let cells = &above.record.cells;
    let hollow = cells.len() == width && width > 2;
    if width < 2 || lines[first].gap || above.empty || is_remark(above) || hollow {
        return false;
    }
    let values = cells.iter().filter(|cell| kind(&cell.text).is_value()).count();
    let long = cells.iter().any(|cell| cell.text.chars().count() > LONGEST_NAME);
    let cut = |delimiter: &str| above.text.matches(delimiter).count() + 1 == width;
    let cut_otherwise = cells.iter().all(|cell| !cell.quoted) && is_cut_otherwise(above.text, width);
    let spaced = cut(" ") || is_cut_by(above.text, width, &[" "]);
    // Quotes around one cell may stand around the whole row, unless it is a sentence.
    let wrapped = cells.len() == 1 && cells[0].quoted && !above.text.contains(", ") && cut(",");
    let filled = above.record.filled();
    // Empty cells too many at its end are one fault.
    let there = cells.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
    // All rows end in delimiters behind the last named column.
    let unnamed =
        || columns(width, &lines[first..]).iter().skip(cells.len()).all(|c| c.share_filled() == 0.0);
    let near =
        cells.len().abs_diff(width) <= 1 || there == width || (2..width).contains(&cells.len()) && unnamed();
    // Two names are lacking, or two delimiters.
    let names = width > 4
        && there == cells.len()
        && there + 2 >= width
        && there <= width
        && filled == there
        && values == 0
        && !cells.iter().any(|cell| is_sentence(&cell.text));
    match height(&lines[first..], width) {
        Height::Sure(rows) if rows > 0 => width > 2 && cut_otherwise,
        Height::Likely => {
            // Above three words a name too many must look like one, and these like no names.
            let words =
                || cells.len() > width && !above.text.contains(' ') && !differs(&lines[first..], width);
            let many = near && filled + 1 >= width && values == 0 && !long && (width > 3 || words());
            width > 2 && (cut_otherwise || many)
        }
        _ => {
            let near = near && filled * 3 >= width && (filled >= 2 || width == 2);
            cut_otherwise || wrapped || spaced || ((near || names) && !long)
        }
    }
}

/// Whether the row right before the first proper one is a header with the first row of data behind it: its line end is
/// lost, or became a delimiter.
fn is_glued(lines: &[Line<'_>], first: usize, width: usize) -> bool {
    let above = &lines[first - 1];
    let cells = &above.record.cells;
    if width < 3 || lines[first].gap || cells.len() + 1 < 2 * width || cells.len() > 2 * width {
        return false;
    }
    let columns = columns(width, &lines[first..]);
    let own = cells[cells.len() - (width - 1)..].iter().zip(&columns[1..]);
    let cost: f64 = own.map(|(cell, column)| column.cost(&cell.text)).sum();
    cells[..width - 1].iter().all(|cell| is_name(cell))
        && cost < MOST_COST * (width - 1) as f64
        && !matches!(height(&lines[first..], width), Height::Sure(rows) if rows > 0)
}

/// What a cell of a row costs on the average where it is at home.
const MOST_COST: f64 = 1.5;

/// Whether the two rows right before the first proper one are the halves of a header that a line break tore.
fn is_torn_header(lines: &[Line<'_>], first: usize, width: usize) -> bool {
    let (one, two) = (&lines[first - 2], &lines[first - 1]);
    let (left, right) = (one.record.cells.len(), two.record.cells.len());
    let whole = left + right == width || left + right == width + 1;
    let remark = one.empty || two.empty || is_remark(one) || is_labels(one) || is_labels(two);
    // A single text above may be a title, but hardly so if it is one word and a cell is lacking below.
    let title = one.record.filled() < 2 && one.text.trim().contains(' ');
    if width < 3 || !whole || two.gap || lines[first].gap || remark || title {
        return false;
    }
    let mut cells = one.record.cells.iter().chain(&two.record.cells);
    let names = cells.all(|cell| is_name(cell) && !cell.text.starts_with(' '));
    names
        && match height(&lines[first..], width) {
            Height::Sure(rows) => rows == 0,
            // The first proper row might be the header, and this a title.
            Height::Likely => width > 4 && left > 1 && right > 1,
        }
}

fn is_name(cell: &Cell<'_>) -> bool {
    !kind(&cell.text).is_value() && cell.text.chars().count() <= LONGEST_NAME
}
