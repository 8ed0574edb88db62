//! Pollutions of one row, or of one cell in it.

use super::draft::{Draft, PLAIN, Pen};

/// Changes row and column of a text; `false` where it does not apply.
pub(super) type RowPollution = (&'static str, fn(&mut Draft, usize, usize) -> bool);

/// All pollutions of one row: the column does not matter.
pub(super) fn rows() -> Vec<RowPollution> {
    vec![
        ("row with ;", |d, r, _| rewrite(d, r, Pen { delimiter: ";", ..PLAIN })),
        ("row with tab", |d, r, _| rewrite(d, r, Pen { delimiter: "\t", ..PLAIN })),
        ("row with |", |d, r, _| rewrite(d, r, Pen { delimiter: "|", ..PLAIN })),
        ("row with ', '", |d, r, _| rewrite(d, r, Pen { delimiter: ", ", ..PLAIN })),
        ("row with space", |d, r, _| rewrite(d, r, Pen { delimiter: " ", ..PLAIN })),
        ("row with quote '", |d, r, _| {
            rewrite(d, r, Pen { quote: '\'', delimiter: d.pen.delimiter, ..PLAIN })
        }),
        ("row with escape \\", |d, r, _| {
            rewrite(d, r, Pen { escape: Some('\\'), delimiter: d.pen.delimiter, ..PLAIN })
        }),
        ("row with escape /", |d, r, _| {
            let escaped = d.table[r].iter().any(|cell| cell.contains('"'));
            rewrite(d, r, Pen { escape: Some('/'), delimiter: d.pen.delimiter, ..PLAIN }) && escaped
        }),
        ("row quoted", |d, r, _| {
            rewrite(d, r, Pen { all_quoted: true, delimiter: d.pen.delimiter, ..PLAIN })
        }),
        ("row not quoted", |d, r, _| {
            d.write(Pen { all_quoted: true, ..d.pen });
            rewrite(d, r, Pen { all_quoted: false, ..d.pen })
        }),
        ("row in quotes as one cell", |d, r, _| {
            let text = d.lines[r].text().replace('"', "\"\"");
            d.lines[r].cells = vec![format!("\"{text}\"")];
            d.width() > 2 && d.pen.quote == '"' && d.pen.escape.is_none() && !d.pen.careless
        }),
        ("row quoted in '", |d, r, _| {
            let pen = Pen { quote: '\'', all_quoted: true, delimiter: d.pen.delimiter, ..PLAIN };
            rewrite(d, r, pen) && d.width() > 2 && d.pen.quote == '"'
        }),
        ("line end lost", |d, r, _| {
            let next = d.lines.get(r + 1).map(|line| line.cells.clone()).unwrap_or_default();
            if r < d.header || next.len() < 4 || next.iter().any(|cell| cell.contains('\n')) {
                return false;
            }
            d.lines.remove(r + 1);
            let line = &mut d.lines[r].cells;
            let glued = line.pop().unwrap_or_default() + &next[0];
            line.push(glued);
            line.extend_from_slice(&next[1..]);
            true
        }),
        ("row ends \\r", |d, r, _| end(d, r, "\r")),
        ("row ends \\r\\n", |d, r, _| end(d, r, "\r\n")),
        ("row ends \\n", |d, r, _| end(d, r, "\n")),
        ("row ends \\n\\n", |d, r, _| end(d, r, "\n\n")),
        ("row of empty cells", |d, r, _| {
            if r < d.header || d.width() == 1 {
                return false;
            }
            d.table[r] = vec![String::new(); d.width()];
            d.lines[r] = d.pen.line(&d.table[r]);
            true
        }),
    ]
}

/// All pollutions of one cell.
pub(super) fn cells() -> Vec<RowPollution> {
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
        ("other separator once", |d, r, c| {
            if c + 1 >= d.width() || d.lines[r].cells[c..c + 2].iter().any(|cell| cell.contains(';')) {
                return false;
            }
            let second = d.lines[r].cells.remove(c + 1);
            d.lines[r].cells[c].push_str(&format!(";{second}"));
            d.pen.delimiter != ";" && d.pen.delimiter != ";;" && d.pen.delimiter != "; "
        }),
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

fn rewrite(draft: &mut Draft, row: usize, pen: Pen) -> bool {
    draft.lines[row] = pen.line(&draft.table[row]);
    draft.width() > 1
}

fn end(draft: &mut Draft, row: usize, end: &str) -> bool {
    draft.lines[row].end = Some(end.to_owned());
    end != draft.newline
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

/// A quote is missing in a row of a file that quotes all cells.
fn lost(draft: &mut Draft, row: usize, column: usize, opening: bool) -> bool {
    draft.write(Pen { all_quoted: true, ..draft.pen });
    let raw = &mut draft.lines[row].cells[column];
    let plain = !draft.table[row][column].contains(['"', ',', '\n', '\'']);
    *raw = if opening { raw[1..].to_owned() } else { raw[..raw.len() - 1].to_owned() };
    plain && !draft.table[row][column].is_empty()
}
