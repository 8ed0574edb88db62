//! Reading without a record schema: the header's texts become the columns, all of them text.

use std::collections::HashSet;

use huiliu_stage::{EXTRA, Field, ROW, RecordSchema, SHEET, column_letters};

use super::header::{self, Grid, Layout, MOST_HEADER_ROWS, Names, SEARCH_ROWS};
use super::merged::Merged;

/// A record with one text field per header, under names that are not taken yet.
pub(super) fn record(headers: &[String]) -> (RecordSchema, Names) {
    let mut taken: HashSet<String> = [SHEET, ROW, EXTRA].map(str::to_owned).into();
    let mut fields = Vec::with_capacity(headers.len());
    for (index, header) in headers.iter().enumerate() {
        let shown = header.split_whitespace().collect::<Vec<_>>().join(" ");
        let base = if shown.is_empty() { column_letters(index) } else { shown };
        let mut name = base.clone();
        let mut count = 1;
        while !taken.insert(name.clone()) {
            count += 1;
            name = format!("{base} ({count})");
        }
        fields.push(Field { name, ..Field::default() });
    }
    let record = RecordSchema { record: String::new(), label: String::new(), fields };
    let names = Names::new(&record, false);
    (record, names)
}

/// Like [`record`], its texts kept with all their blanks.
pub(super) fn as_written(headers: &[String]) -> (RecordSchema, Names) {
    let (mut known, names) = record(headers);
    known.fields.iter_mut().for_each(|field| field.strict = true);
    (known, names)
}

/// One text per column from the rows of a header, the upper ones before the lower ones.
pub(super) fn headers(rows: &[Vec<String>], width: usize) -> Vec<String> {
    let of = |column: usize| {
        let mut parts: Vec<&str> = rows.iter().filter_map(|row| row.get(column)).map(|c| c.trim()).collect();
        parts.retain(|part| !part.is_empty());
        parts.dedup();
        parts.join(" > ")
    };
    (0..width).map(of).collect()
}

/// How a text table is written, in words.
pub(super) fn dialect(form: (&str, Option<char>, Option<char>), header_rows: &[u32]) -> String {
    let (delimiter, quote, escape) = form;
    let mut words = format!("delimiter '{}'", delimiter.replace('\t', "TAB"));
    if let Some(quote) = quote {
        words.push_str(&format!(", quote '{quote}'"));
    }
    if let Some(escape) = escape {
        words.push_str(&format!(", escape '{escape}'"));
    }
    match header_rows {
        [] => words.push_str(", no header"),
        [row] => words.push_str(&format!(", header in row {row}")),
        [first, .., last] => words.push_str(&format!(", header in rows {first}–{last}")),
    }
    words
}

/// A line end as it is spoken of: `U+2028`, `'||'`.
pub(super) fn name_of_line_end(line_end: &str) -> String {
    match line_end.chars().all(|c| c.is_ascii_graphic()) {
        true => format!("'{line_end}'"),
        false => line_end.chars().map(|c| format!("U+{:04X}", u32::from(c))).collect::<Vec<_>>().join(" "),
    }
}

/// The header is the row the caller names, else the first that is nearly as wide as the table and holds no values, with
/// the rows below that its merged cells reach into. Where all rows hold values there is none.
pub(super) fn lay_out(
    grid: &Grid,
    merged: &Merged,
    row: Option<u32>,
) -> Option<((RecordSchema, Names), Layout)> {
    let filled = |cells: &[String]| cells.iter().filter(|cell| !cell.trim().is_empty()).count();
    let searched = &grid[..grid.len().min(SEARCH_ROWS)];
    let widest = searched.iter().map(|(_, cells)| filled(cells)).max()?;
    let fits = |cells: &[String]| filled(cells) * 10 >= widest * 6 && names_columns(cells);
    let found = match row {
        Some(row) => Some(searched.iter().position(|(number, _)| *number == row)?),
        None => searched.iter().position(|(_, cells)| fits(cells)),
    };
    let Some(at) = found else {
        let nameless = vec![String::new(); width(grid, 0)];
        return Some((record(&nameless), Layout::plain(Vec::new(), &nameless)));
    };
    let header = header(grid, merged, at, row.is_some());
    let mut headers = header::joined(header, &merged.over(header.iter().map(|(number, _)| *number)));
    headers.resize(width(grid, headers.len()), String::new());
    let numbers = header.iter().map(|(number, _)| *number).collect();
    Some((record(&headers), Layout::plain(numbers, &headers)))
}

/// Columns without a name that a sheet may have beside those with one; a lone cell far away makes no table so wide.
const MOST_NAMELESS: usize = 256;

/// The columns of a sheet of which so many have a name.
fn width(grid: &Grid, named: usize) -> usize {
    let widest = grid.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    widest.clamp(named, named + MOST_NAMELESS)
}

/// The rows of the header that begins with the row at `at`; of one that the caller named that row alone.
fn header<'a>(grid: &'a Grid, merged: &Merged, at: usize, named: bool) -> &'a [(u32, Vec<String>)] {
    let rows = merged.over(grid.iter().map(|(number, _)| *number));
    let ends = |height: &usize| {
        let (first, last) = (grid[at].0, grid[at + height - 1].0);
        let below = grid.get(at + height);
        // A name over several columns stands above those of each.
        let parent = rows.joins_columns(last) && below.is_some_and(|(_, cells)| names_columns(cells));
        !parent && !rows.cut_by(first, last, MOST_HEADER_ROWS)
    };
    let most = if named { 1 } else { MOST_HEADER_ROWS.min(grid.len() - at) };
    let height = (1..=most).find(ends).unwrap_or(1);
    &grid[at..at + height]
}

/// Whether cells may be names of columns. Years may.
fn names_columns(cells: &[String]) -> bool {
    let year = |text: &str| text.len() == 4 && matches!(text.parse(), Ok(1900..=2100_u16));
    let value = |cell: &String| {
        let text = cell.trim();
        let mark = |c: char| c.is_ascii_digit() || "+-.,/:% 年月日元万亿".contains(c);
        text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(mark) && !year(text)
    };
    !cells.iter().any(value) && cells.iter().any(|cell| !cell.trim().is_empty() && !year(cell.trim()))
}
