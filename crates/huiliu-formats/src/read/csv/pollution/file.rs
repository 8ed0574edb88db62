//! Pollutions of a whole file: how it is written, and what stands around its table.

use super::Pollution;
use super::draft::{Draft, PLAIN, Pen};
use super::tables::table;

/// All pollutions of whole files.
pub(super) fn all() -> Vec<Pollution> {
    let mut all: Vec<Pollution> = vec![("none", |_| true)];
    all.extend(writing());
    all.extend(around());
    all.extend(shape());
    all
}

fn pen(draft: &mut Draft, pen: Pen) -> bool {
    draft.write(pen);
    draft.width() > 1 || pen.delimiter == PLAIN.delimiter
}

fn newline(draft: &mut Draft, newline: &'static str) -> bool {
    draft.newline = newline;
    true
}

fn writing() -> Vec<Pollution> {
    vec![
        ("delimiter ;", |d| pen(d, Pen { delimiter: ";", ..PLAIN })),
        ("delimiter tab", |d| pen(d, Pen { delimiter: "\t", ..PLAIN })),
        ("delimiter |", |d| pen(d, Pen { delimiter: "|", ..PLAIN })),
        ("delimiter space", |d| pen(d, Pen { delimiter: " ", ..PLAIN })),
        ("delimiter :", |d| pen(d, Pen { delimiter: ":", ..PLAIN })),
        ("delimiter ^", |d| pen(d, Pen { delimiter: "^", ..PLAIN })),
        ("delimiter ~", |d| pen(d, Pen { delimiter: "~", ..PLAIN })),
        ("delimiter #", |d| pen(d, Pen { delimiter: "#", ..PLAIN })),
        ("delimiter &", |d| pen(d, Pen { delimiter: "&", ..PLAIN })),
        ("delimiter 0x1f", |d| pen(d, Pen { delimiter: "\u{1f}", ..PLAIN })),
        ("delimiter ', '", |d| pen(d, Pen { delimiter: ", ", ..PLAIN })),
        ("delimiter '; '", |d| pen(d, Pen { delimiter: "; ", ..PLAIN })),
        ("delimiter ||", |d| pen(d, Pen { delimiter: "||", ..PLAIN })),
        ("delimiter tab tab", |d| pen(d, Pen { delimiter: "\t\t", ..PLAIN })),
        ("delimiter ::", |d| pen(d, Pen { delimiter: "::", ..PLAIN })),
        ("delimiter ;;", |d| pen(d, Pen { delimiter: ";;", ..PLAIN })),
        ("delimiter |~|", |d| pen(d, Pen { delimiter: "|~|", ..PLAIN })),
        ("delimiter ' | '", |d| pen(d, Pen { delimiter: " | ", ..PLAIN })),
        ("delimiter ，", |d| pen(d, Pen { delimiter: "，", ..PLAIN })),
        ("quote '", |d| pen(d, Pen { quote: '\'', ..PLAIN })),
        ("quote `", |d| pen(d, Pen { quote: '`', ..PLAIN })),
        ("quoted all", |d| pen(d, Pen { all_quoted: true, ..PLAIN })),
        ("quoted all '", |d| pen(d, Pen { quote: '\'', all_quoted: true, ..PLAIN })),
        ("quoted all, ;", |d| pen(d, Pen { delimiter: ";", all_quoted: true, ..PLAIN })),
        ("quoted all, escape \\", |d| pen(d, Pen { escape: Some('\\'), all_quoted: true, ..PLAIN })),
        ("escape \\", |d| pen(d, Pen { escape: Some('\\'), ..PLAIN })),
        ("escape /", |d| pen(d, Pen { escape: Some('/'), ..PLAIN })),
        ("escape NUL", |d| pen(d, Pen { escape: Some('\0'), ..PLAIN })),
        ("quotes never doubled", |d| pen(d, Pen { careless: true, ..PLAIN })),
        ("lines \\r\\n", |d| newline(d, "\r\n")),
        ("lines \\r", |d| newline(d, "\r")),
        ("lines \\n\\r", |d| newline(d, "\n\r")),
        ("lines \\n\\n", |d| newline(d, "\n\n")),
        ("no line end", |d| {
            d.ended = false;
            true
        }),
        ("two line ends", |d| after(d, "\n")),
        ("many line ends", |d| after(d, "\n\n\n\n")),
        ("byte order mark", |d| before(d, "\u{feff}")),
    ]
}

fn before(draft: &mut Draft, text: &str) -> bool {
    draft.before = text.replace('\n', draft.newline);
    true
}

fn after(draft: &mut Draft, text: &str) -> bool {
    draft.after = text.replace('\n', draft.newline);
    true
}

/// Another table behind, of the columns `columns` of a table of the same kind.
fn second(draft: &mut Draft, gap: &str, columns: impl Fn(usize) -> Vec<usize>) -> bool {
    let width = draft.width();
    if width < 3 {
        return false;
    }
    let other = table("stock", 91, 12);
    let pick = |row: &Vec<String>| columns(width).iter().map(|c| row[c % row.len()].clone()).collect();
    let rows: Vec<Vec<String>> = other.iter().map(pick).collect();
    draft.after = gap.replace('\n', draft.newline) + &draft.pen.text(&rows, draft.newline);
    true
}

fn around() -> Vec<Pollution> {
    vec![
        ("title", |d| before(d, "Report of the year\n\n")),
        ("title close", |d| before(d, "Report of the year\n")),
        ("long title", |d| before(d, "Report of the year, all parts\nMade on 5 May 2020, by the office\n\n")),
        ("preamble of keys", |d| {
            let own = d.pen.delimiter;
            before(d, &format!("Station{own}Hill\nMade{own}2020-05-05\n\n")) && d.width() > 2
        }),
        ("titles with delimiters", |d| {
            let tail = d.pen.delimiter.repeat(d.width() - 1);
            before(d, &format!("Report of the year{tail}\n{tail}\n")) && d.width() > 1
        }),
        ("comments", |d| before(d, "# made by a program, 2024\n# second line\n")),
        ("blank lines before", |d| before(d, "\n\n\n")),
        ("footnote", |d| after(d, "\nSource: somebody\n")),
        ("footnote close", |d| after(d, "Source: somebody\n") && d.width() > 2),
        ("footnotes", |d| after(d, "\nNote: figures are provisional, see below\nSource: somebody else\n")),
        ("footnote with delimiters", |d| {
            let tail = d.pen.delimiter.repeat(d.width() - 1);
            after(d, &format!("{tail}\nSource: somebody{tail}\n")) && d.width() > 2
        }),
        ("rows of delimiters behind", |d| {
            let row = d.pen.delimiter.repeat(d.width() - 1);
            after(d, &format!("{row}\n{row}\n{row}\n")) && d.width() > 1
        }),
        ("another table", |d| second(d, "\n", |w| (0..w).collect())),
        ("narrower table", |d| second(d, "\n", |w| (0..w - 1).collect())),
        ("narrower table close", |d| second(d, "", |w| (0..w - 2).collect()) && d.width() > 4),
        ("wider table", |d| second(d, "\n", |w| (0..w + 1).collect())),
        ("wider table close", |d| second(d, "", |w| (0..w + 2).collect())),
    ]
}

fn shape() -> Vec<Pollution> {
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
        rows.insert(1 + at, words.iter().take(draft.width()).map(|w| (*w).to_owned()).collect());
    }
    draft.header = 1 + more;
    draft.set(rows);
    draft.width() > 2
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
