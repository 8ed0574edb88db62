//! Pollutions of one cell.

use super::draft::{Draft, Pen};
use super::row::RowPollution;

/// All pollutions of one cell.
pub(super) fn all() -> Vec<RowPollution> {
    vec![
        ("separator too many", |d, r, c| {
            d.lines[r].cells.insert(c, String::new());
            d.width() > 1
        }),
        ("separator too many at the end", |d, r, _| {
            d.lines[r].cells.push(String::new());
            d.width() > 1
        }),
        ("separator too few", |d, r, c| {
            if c + 1 >= d.width() {
                return false;
            }
            let second = d.lines[r].cells.remove(c + 1);
            d.lines[r].cells[c].push_str(&second);
            true
        }),
        ("two separators too few", |d, r, c| {
            if c + 3 >= d.width() || d.width() < 5 {
                return false;
            }
            for at in [c, c + 1] {
                let second = d.lines[r].cells.remove(at + 1);
                d.lines[r].cells[at].push_str(&second);
            }
            d.table[r][c..c + 4].iter().all(|cell| !cell.is_empty())
        }),
        ("other separator once", |d, r, c| between(d, r, c, ";")),
        ("tab for a separator", |d, r, c| between(d, r, c, "\t")),
        ("| for a separator", |d, r, c| between(d, r, c, "|")),
        ("blank for a separator", |d, r, c| {
            if c + 1 >= d.width() || d.pen.delimiter.ends_with(' ') {
                return false;
            }
            let second = d.lines[r].cells.remove(c + 1);
            d.lines[r].cells[c].push_str(&format!(" {second}"));
            true
        }),
        ("torn at a separator", |d, r, c| {
            if c + 1 >= d.width() || r < d.header || d.width() < 4 {
                return false;
            }
            let second = d.lines[r].cells.remove(c + 1);
            let broken = d.table[r].iter().any(|cell| cell.contains('\n'));
            d.lines[r].cells[c].push_str(&format!("{}{second}", d.newline));
            !broken
        }),
        ("last cells missing", |d, r, c| {
            if c == 0 || r < d.header {
                return false;
            }
            for cell in &mut d.table[r][c..] {
                cell.clear();
            }
            d.lines[r].cells.truncate(c);
            true
        }),
        ("stray quote at the start", |d, r, c| stray(d, r, c, |_| 0)),
        ("stray quote in the middle", |d, r, c| stray(d, r, c, |cell| cell.chars().count() / 2)),
        ("stray quote at the end", |d, r, c| stray(d, r, c, |cell| cell.chars().count())),
        ("closing quote lost", |d, r, c| lost(d, r, c, false)),
        ("opening quote lost", |d, r, c| lost(d, r, c, true)),
        ("needed closing quote lost", |d, r, c| needed(d, r, c, |raw| raw[..raw.len() - 1].to_owned())),
        ("needed opening quote lost", |d, r, c| needed(d, r, c, |raw| raw[1..].to_owned())),
        ("needed quotes are '", |d, r, c| needed(d, r, c, |raw| format!("'{}'", &raw[1..raw.len() - 1]))),
        ("escapes for needed quotes", |d, r, c| {
            needed(d, r, c, |raw| raw[1..raw.len() - 1].replace(',', "\\,"))
        }),
        ("escape \\ for its quotes", |d, r, c| {
            let inner = d.table[r][c].replace('"', "\\\"");
            d.lines[r].cells[c] = format!("\"{inner}\"");
            d.table[r][c].contains('"') && d.pen.quote == '"' && d.pen.escape.is_none()
        }),
        ("quotes lost", |d, r, c| {
            let cell = &d.table[r][c];
            let bare = cell.contains(", ") && !cell.contains(['"', '\n', '\r']);
            d.lines[r].cells[c] = cell.clone();
            bare
        }),
        ("quotes not doubled", |d, r, c| {
            let cell = &d.table[r][c];
            let quoted = cell.contains('"') && !cell.contains("\",");
            d.lines[r].cells[c] = format!("\"{cell}\"");
            quoted && d.pen.quote == '"'
        }),
        ("blanks around", |d, r, c| {
            let quoted = d.lines[r].cells[c].starts_with(d.pen.quote);
            d.lines[r].cells[c] = format!(" {} ", d.lines[r].cells[c]);
            quoted && d.pen.delimiter != " "
        }),
        ("NUL", |d, r, c| {
            let place = middle(&d.table[r][c]);
            d.table[r][c].insert(place, '\0');
            d.lines[r].cells[c] = d.pen.cell(&d.table[r][c]);
            true
        }),
        ("line break not quoted", |d, r, c| {
            let cell = &d.table[r][c];
            let place = cell.find(' ').unwrap_or(0);
            let bare = place > 0 && !cell.contains(['"', ',', '\n']) && r >= d.header;
            if !bare || d.width() < 3 || c + 1 == d.width() || c == 0 {
                return false;
            }
            d.table[r][c].replace_range(place..=place, "\n");
            d.lines[r].cells[c] = d.table[r][c].clone();
            true
        }),
        ("value of another kind", |d, r, c| {
            d.table[r][c] = ["n/a", "12 March 21", "1 200,5", "-"][(r + c) % 4].to_owned();
            d.lines[r].cells[c] = d.pen.cell(&d.table[r][c]);
            r >= d.header
        }),
    ]
}

fn middle(cell: &str) -> usize {
    cell.char_indices().nth(cell.chars().count() / 2).map_or(cell.len(), |(at, _)| at)
}

/// A quote that is a character of its cell, written like any other one.
fn stray(draft: &mut Draft, row: usize, column: usize, place: fn(&str) -> usize) -> bool {
    let quote = draft.pen.quote;
    let cell = &mut draft.table[row][column];
    let at = cell.char_indices().nth(place(cell)).map_or(cell.len(), |(at, _)| at);
    cell.insert(at, quote);
    let raw = &mut draft.lines[row].cells[column];
    if raw.starts_with(quote) {
        // Into the quoted text, where those before it are doubled.
        let place = place(&raw[1..raw.len() - 1]);
        let within = raw.char_indices().nth(place + 1).map_or(raw.len() - 1, |(at, _)| at);
        let between = raw[..within].ends_with(quote) && raw[within..].starts_with(quote);
        raw.insert(within, quote);
        let inner = raw[1..raw.len() - 1].replace(&format!("{quote}{quote}"), &quote.to_string());
        draft.table[row][column] = inner;
        // Between or beside quotes there is no telling which is which.
        return !between && place > 0 && within + 2 < raw.len();
    }
    raw.insert(at, quote);
    raw.chars().count() > 1
}

/// Another sign stands for the delimiter behind a cell.
fn between(draft: &mut Draft, row: usize, column: usize, sign: &str) -> bool {
    let cells = &mut draft.lines[row].cells;
    if column + 1 >= cells.len() || cells[column..column + 2].iter().any(|cell| cell.contains(sign)) {
        return false;
    }
    let second = cells.remove(column + 1);
    cells[column].push_str(&format!("{sign}{second}"));
    draft.pen.delimiter.trim().trim_matches(|c| sign.starts_with(c)) == draft.pen.delimiter.trim()
}

/// The quotes that keep a sentence with commas together are written in another way.
fn needed(draft: &mut Draft, row: usize, column: usize, other: fn(&str) -> String) -> bool {
    let cell = &draft.table[row][column];
    let (plain, raw) =
        (cell.contains(", ") && !cell.contains(['"', '\'', '\n']), &draft.lines[row].cells[column]);
    let quoted = raw.len() > 2 && raw.starts_with('"') && raw.ends_with('"');
    if quoted {
        draft.lines[row].cells[column] = other(raw);
    }
    plain && quoted && draft.pen.delimiter == ","
}

/// A quote is missing in a row of a file that quotes all cells.
fn lost(draft: &mut Draft, row: usize, column: usize, opening: bool) -> bool {
    draft.write(Pen { all_quoted: true, ..draft.pen });
    let raw = &mut draft.lines[row].cells[column];
    let plain = !draft.table[row][column].contains(['"', ',', '\n', '\'']);
    *raw = if opening { raw[1..].to_owned() } else { raw[..raw.len() - 1].to_owned() };
    plain && !draft.table[row][column].is_empty()
}
