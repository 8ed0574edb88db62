//! Pollutions of a whole file: what its header is, and how many rows and columns it has.

use super::Pollution;
use super::draft::Draft;

/// All of them.
pub(super) fn all() -> Vec<Pollution> {
    let mut all = headers();
    all.extend(sizes());
    all
}

fn headers() -> Vec<Pollution> {
    vec![
        ("no header", |d| {
            d.header = 0;
            d.set(d.table[1..].to_vec());
            true
        }),
        ("header of two rows", |d| taller(d, 1)),
        ("header of three rows", |d| taller(d, 2)),
        ("header twice", |d| {
            let first = d.table[0].clone();
            let mut rows = d.table.clone();
            rows.insert(1, first);
            d.header = 2;
            d.set(rows);
            true
        }),
        ("names twice and empty", |d| {
            let mut rows = d.table.clone();
            let width = d.width();
            rows[0][width / 2] = rows[0][0].clone();
            rows[0][width - 1].clear();
            d.set(rows);
            width > 2
        }),
        ("groups above the header", |d| {
            let mut rows = d.table.clone();
            let group = |at: usize| match at {
                0 => "General",
                at if at == rows[0].len() / 2 => "Details",
                _ => "",
            };
            rows.insert(0, (0..d.width()).map(|at| group(at).to_owned()).collect());
            d.header = 2;
            d.set(rows);
            d.width() > 3
        }),
        ("names with commas", |d| names(d, |name, at| format!("{name}, part {at}"))),
        ("names with line breaks", |d| names(d, |name, at| format!("{name}\n({at})"))),
        ("names with quotes", |d| names(d, |name, at| format!("\"{name}\" {at}"))),
        ("long names", |d| {
            names(d, |name, at| {
                format!("{name} as given by the office in the return number {at} of the year")
            })
        }),
        ("first name empty", |d| {
            let mut rows = d.table.clone();
            rows[0][0].clear();
            d.set(rows);
            d.width() > 2
        }),
        ("rows numbered", |d| {
            let mut rows = d.table.clone();
            for (at, row) in rows.iter_mut().enumerate() {
                row.insert(0, if at == 0 { String::new() } else { at.to_string() });
            }
            d.set(rows);
            d.width() > 2
        }),
        ("empty column", |d| {
            let mut rows = d.table.clone();
            let place = d.width() / 2;
            rows.iter_mut().for_each(|row| row.insert(place, String::new()));
            d.set(rows);
            d.width() > 3
        }),
        ("last name missing", |d| fewer_names(d, 1) && d.width() > 2),
        ("last two names missing", |d| fewer_names(d, 2) && d.width() > 4),
    ]
}

fn sizes() -> Vec<Pollution> {
    vec![
        ("no header, one row", |d| {
            d.header = 0;
            d.set(d.table[1..2].to_vec());
            true
        }),
        ("no header, three rows", |d| {
            d.header = 0;
            d.set(d.table[1..4].to_vec());
            true
        }),
        ("header only", |d| first_rows(d, 1)),
        ("one row", |d| first_rows(d, 2)),
        ("two rows", |d| first_rows(d, 3)),
        ("five rows", |d| first_rows(d, 6)),
        ("first two columns", |d| columns(d, 2)),
        ("first column", |d| columns(d, 1)),
        ("many rows", |d| {
            let body = d.table[1..].to_vec();
            let mut rows = d.table.clone();
            (0..9).for_each(|_| rows.extend(body.iter().cloned()));
            d.set(rows);
            true
        }),
        ("many columns", |d| {
            let wide = |row: &Vec<String>| row.iter().cycle().take(row.len() * 8).cloned().collect();
            d.set(d.table.iter().map(wide).collect());
            d.width() > 16
        }),
    ]
}

fn taller(draft: &mut Draft, more: usize) -> bool {
    let units = ["no.", "yyyy", "hh", "EUR", "text", "group", "name", "web", "free"];
    let short = ["x", "y", "z", "u", "v", "w", "r", "s", "t"];
    let mut rows = draft.table.clone();
    for (at, words) in [units, short].iter().take(more).enumerate() {
        let word = |column: usize| match column / words.len() {
            0 => words[column].to_owned(),
            again => format!("{}{again}", words[column % words.len()]),
        };
        rows.insert(1 + at, (0..draft.width()).map(word).collect());
    }
    draft.header = 1 + more;
    draft.set(rows);
    draft.width() > 2
}

fn names(draft: &mut Draft, name: fn(&str, usize) -> String) -> bool {
    let mut rows = draft.table.clone();
    rows[0] = rows[0].iter().enumerate().map(|(at, old)| name(old, at)).collect();
    draft.set(rows);
    draft.width() > 1
}

/// Leaves out the header's last cells, and the delimiters before them.
fn fewer_names(draft: &mut Draft, fewer: usize) -> bool {
    let left = draft.width().saturating_sub(fewer);
    let mut rows = draft.table.clone();
    rows[0].iter_mut().skip(left).for_each(String::clear);
    draft.set(rows);
    draft.lines[0].cells.truncate(left);
    true
}

fn first_rows(draft: &mut Draft, count: usize) -> bool {
    draft.set(draft.table[..count].to_vec());
    true
}

fn columns(draft: &mut Draft, count: usize) -> bool {
    let wide = draft.width() > count;
    draft.set(draft.table.iter().map(|row| row[..count.min(row.len())].to_vec()).collect());
    wide
}
