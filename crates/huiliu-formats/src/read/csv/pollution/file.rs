//! Pollutions of a whole file: how it is written, and what stands around its table.

use super::Pollution;
use super::draft::{Draft, PLAIN, Pen};
use super::tables::table;

/// All pollutions of whole files.
pub(super) fn all() -> Vec<Pollution> {
    let mut all: Vec<Pollution> = vec![("none", |_| true)];
    all.extend(writing());
    all.extend(around());
    all.extend(super::shape::all());
    all
}

fn pen(draft: &mut Draft, pen: Pen) -> bool {
    draft.write(pen);
    draft.width() > 1 || pen.delimiter == PLAIN.delimiter
}

/// Puts further cells in quotes, by their text, row and column.
fn quoted(draft: &mut Draft, which: fn(&str, usize, usize) -> bool) -> bool {
    let all = Pen { all_quoted: true, ..draft.pen };
    for (row, (line, cells)) in draft.lines.iter_mut().zip(&draft.table).enumerate() {
        for (column, (raw, cell)) in line.cells.iter_mut().zip(cells).enumerate() {
            if which(cell, row, column) {
                *raw = all.cell(cell);
            }
        }
    }
    !draft.pen.all_quoted
}

fn newline(draft: &mut Draft, newline: &'static str) -> bool {
    draft.newline = newline;
    true
}

fn writing() -> Vec<Pollution> {
    vec![
        ("delimiter ;", |d| pen(d, Pen { delimiter: ";", ..d.pen })),
        ("delimiter tab", |d| pen(d, Pen { delimiter: "\t", ..d.pen })),
        ("delimiter |", |d| pen(d, Pen { delimiter: "|", ..d.pen })),
        ("delimiter space", |d| pen(d, Pen { delimiter: " ", ..d.pen })),
        ("delimiter :", |d| pen(d, Pen { delimiter: ":", ..d.pen })),
        ("delimiter ^", |d| pen(d, Pen { delimiter: "^", ..d.pen })),
        ("delimiter ~", |d| pen(d, Pen { delimiter: "~", ..d.pen })),
        ("delimiter #", |d| pen(d, Pen { delimiter: "#", ..d.pen })),
        ("delimiter &", |d| pen(d, Pen { delimiter: "&", ..d.pen })),
        ("delimiter 0x1f", |d| pen(d, Pen { delimiter: "\u{1f}", ..d.pen })),
        ("delimiter ', '", |d| pen(d, Pen { delimiter: ", ", ..d.pen })),
        ("delimiter '; '", |d| pen(d, Pen { delimiter: "; ", ..d.pen })),
        ("delimiter ||", |d| pen(d, Pen { delimiter: "||", ..d.pen })),
        ("delimiter tab tab", |d| pen(d, Pen { delimiter: "\t\t", ..d.pen })),
        ("delimiter ::", |d| pen(d, Pen { delimiter: "::", ..d.pen })),
        ("delimiter ;;", |d| pen(d, Pen { delimiter: ";;", ..d.pen })),
        ("delimiter |~|", |d| pen(d, Pen { delimiter: "|~|", ..d.pen })),
        ("delimiter ' | '", |d| pen(d, Pen { delimiter: " | ", ..d.pen })),
        ("delimiter ¦", |d| pen(d, Pen { delimiter: "¦", ..d.pen })),
        ("delimiter §", |d| pen(d, Pen { delimiter: "§", ..d.pen })),
        ("delimiter ，", |d| pen(d, Pen { delimiter: "，", ..d.pen })),
        ("quote '", |d| pen(d, Pen { quote: '\'', ..d.pen })),
        ("quote `", |d| pen(d, Pen { quote: '`', ..d.pen })),
        ("quoted all", |d| pen(d, Pen { all_quoted: true, ..d.pen })),
        ("quoted all '", |d| pen(d, Pen { quote: '\'', all_quoted: true, ..d.pen })),
        ("quoted all, ;", |d| pen(d, Pen { delimiter: ";", all_quoted: true, ..d.pen })),
        ("quoted all, escape \\", |d| pen(d, Pen { escape: Some('\\'), all_quoted: true, ..d.pen })),
        ("escape \\", |d| pen(d, Pen { escape: Some('\\'), ..d.pen })),
        ("escape /", |d| {
            // Without a quote that is escaped nothing shows that strokes are doubled.
            let escaped = d.table.iter().flatten().any(|cell| cell.contains('"'));
            pen(d, Pen { escape: Some('/'), ..d.pen }) && escaped
        }),
        ("escape NUL", |d| pen(d, Pen { escape: Some('\0'), ..d.pen })),
        ("quote ', delimiter ;", |d| pen(d, Pen { quote: '\'', delimiter: ";", ..d.pen })),
        ("quote ', escape \\", |d| pen(d, Pen { quote: '\'', escape: Some('\\'), ..d.pen })),
        ("quoted all, ', '", |d| pen(d, Pen { delimiter: ", ", all_quoted: true, ..d.pen })),
        ("quoted all, |", |d| pen(d, Pen { delimiter: "|", all_quoted: true, ..d.pen })),
        ("quoted header", |d| quoted(d, |_, row, _| row == 0)),
        ("quoted body", |d| quoted(d, |_, row, _| row > 0)),
        ("quoted texts", |d| quoted(d, |cell, _, _| cell.parse::<f64>().is_err() && !cell.is_empty())),
        ("quoted second column", |d| quoted(d, |_, row, column| row > 0 && column == 1)),
        ("delimiters escaped, no quotes", |d| {
            let bare = d.table.iter().flatten().all(|cell| !cell.contains(['"', '\n', '\\']));
            for (line, row) in d.lines.iter_mut().zip(&d.table) {
                line.cells = row.iter().map(|cell| cell.replace(',', "\\,")).collect();
            }
            bare && d.table.iter().flatten().any(|cell| cell.contains(','))
        }),
        ("quotes never doubled", |d| pen(d, Pen { careless: true, ..d.pen })),
        ("lines \\r\\n", |d| newline(d, "\r\n")),
        ("lines \\r", |d| newline(d, "\r")),
        ("lines \\n\\r", |d| newline(d, "\n\r")),
        ("lines \\n\\n", |d| newline(d, "\n\n")),
        ("lines \\r\\n\\r\\n", |d| newline(d, "\r\n\r\n")),
        ("lines \\r\\r\\n", |d| newline(d, "\r\r\n")),
        ("lines 0x1e", |d| newline(d, "\u{1e}")),
        ("lines U+2028", |d| newline(d, "\u{2028}")),
        ("lines \\r\\n and \\n", |d| {
            d.lines.iter_mut().step_by(2).for_each(|line| line.end = Some("\r\n".to_owned()));
            true
        }),
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
        ("title padded", |d| {
            let tail = d.pen.delimiter.repeat(d.width() - 1);
            before(d, &format!("Report of the year{tail}\n")) && d.width() > 1
        }),
        ("title in quotes", |d| before(d, "\"Report, of the year\"\n\n") && d.pen.delimiter == ","),
        ("five titles", |d| {
            before(d, "Report of the year\nMade by the office\nVersion 3\nFor use within\nMay 2020\n\n")
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
