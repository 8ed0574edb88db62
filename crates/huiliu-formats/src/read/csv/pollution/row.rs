//! Pollutions of one row.

use super::draft::{Draft, Pen};

/// Changes row and column of a text; `false` where it does not apply.
pub(super) type RowPollution = (&'static str, fn(&mut Draft, usize, usize) -> bool);

/// All pollutions of one row: the column does not matter.
pub(super) fn all() -> Vec<RowPollution> {
    vec![
        ("row with ;", |d, r, _| rewrite(d, r, Pen { delimiter: ";", ..d.pen })),
        ("row with tab", |d, r, _| rewrite(d, r, Pen { delimiter: "\t", ..d.pen })),
        ("row with |", |d, r, _| rewrite(d, r, Pen { delimiter: "|", ..d.pen })),
        ("row with :", |d, r, _| rewrite(d, r, Pen { delimiter: ":", ..d.pen })),
        ("row with ^", |d, r, _| rewrite(d, r, Pen { delimiter: "^", ..d.pen })),
        ("row with ||", |d, r, _| rewrite(d, r, Pen { delimiter: "||", ..d.pen })),
        ("row with ', '", |d, r, _| rewrite(d, r, Pen { delimiter: ", ", ..d.pen })),
        ("row with space", |d, r, _| rewrite(d, r, Pen { delimiter: " ", ..d.pen })),
        ("row with quote '", |d, r, _| rewrite(d, r, Pen { quote: '\'', ..d.pen })),
        ("row with escape \\", |d, r, _| rewrite(d, r, Pen { escape: Some('\\'), ..d.pen })),
        ("row with escape /", |d, r, _| {
            let escaped = d.table[r].iter().any(|cell| cell.contains('"'));
            rewrite(d, r, Pen { escape: Some('/'), ..d.pen }) && escaped
        }),
        ("row quoted", |d, r, _| rewrite(d, r, Pen { all_quoted: true, ..d.pen })),
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
            let pen = Pen { quote: '\'', all_quoted: true, ..d.pen };
            rewrite(d, r, pen) && d.width() > 2 && d.pen.quote == '"'
        }),
        ("row never quoted", |d, r, _| {
            d.lines[r].cells = d.table[r].clone();
            let cells = &d.table[r];
            let odd = cells.iter().any(|cell| cell.contains(['"', '\n']));
            !odd && d.width() > 1 && cells.iter().any(|cell| cell.contains(", "))
        }),
        ("row's quotes not doubled", |d, r, _| {
            let doubled = d.table[r].iter().any(|cell| cell.contains('"') && !cell.contains("\","));
            rewrite(d, r, Pen { careless: true, ..d.pen }) && doubled && d.pen.quote == '"'
        }),
        ("three separators too many at the end", |d, r, _| {
            d.lines[r].cells.extend(["", "", ""].map(str::to_owned));
            d.width() > 1
        }),
        ("line of blanks before", |d, r, _| {
            let first = format!("   {}{}", d.newline, d.lines[r].cells[0]);
            d.lines[r].cells[0] = first;
            r >= d.header && d.newline == "\n" && d.width() > 1
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

fn rewrite(draft: &mut Draft, row: usize, pen: Pen) -> bool {
    draft.lines[row] = pen.line(&draft.table[row]);
    draft.width() > 1
}

fn end(draft: &mut Draft, row: usize, end: &str) -> bool {
    draft.lines[row].end = Some(end.to_owned());
    end != draft.newline
}
