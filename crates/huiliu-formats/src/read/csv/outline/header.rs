//! How many rows the header has: those that do not look like what stands below them.

use super::super::lex::{Cell, Record};
use super::super::shape::{Kind, Profile, is_sentence, kind};
use super::series::{is_series, numbers_columns};
use super::stacked::{facts, repeats_names};
use super::{Line, MOST_HEADER_ROWS, columns};

/// What stands in cells that have no value: no name of a column.
#[rustfmt::skip]
const NOTHING: [&str; 22] = [
    "-", "--", "---", "—", "/", "n/a", "na", "n.a.", "nan", "null", "none", "nil", "unknown", "k.a.", "tbc",
    "missing", "suppressed", "withheld", "not available", "not applicable", "无", "暂无",
];

/// Whether a cell has a mark in place of a value.
pub(super) fn is_nothing(text: &str) -> bool {
    NOTHING.contains(&text.trim().to_lowercase().as_str())
}

/// Rows of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Height {
    /// So many rows differ from those below.
    Sure(usize),
    /// One, for want of anything against it.
    Likely,
}

/// How many of the table's first rows are its header.
pub(super) fn height(table: &[Line<'_>], width: usize) -> Height {
    let Some(first) = table.first() else { return Height::Sure(0) };
    let values = first.record.cells.iter().filter(|cell| kind(&cell.text).is_value()).count();
    if table.len() == 1 {
        return if values == 0 { Height::Likely } else { Height::Sure(0) };
    }
    let facts = facts(table, width);
    if facts > 0 {
        return Height::Sure(1 + facts);
    }
    // Columns are judged by what stands below any header.
    let below = if table.len() > 2 * MOST_HEADER_ROWS { MOST_HEADER_ROWS } else { 1 };
    let columns = columns(width, &table[below.min(table.len() - 1)..]);
    // A list may hold the same text twice, but not among texts with numbers one without.
    let odd_one = || width == 1 && lacks_digits(first) && columns.iter().all(|column| column.digits() > 0.9);
    let twin =
        |line: &&Line<'_>| (line.record.filled() > 1 || odd_one()) && line.record.cells == first.record.cells;
    let twins = table[1..].iter().take(MOST_HEADER_ROWS - 1).take_while(twin).count();
    if twins > 0
        && values == 0
        && columns.iter().zip(&first.record.cells).any(|(c, cell)| !c.knows(&cell.text))
    {
        return Height::Sure(1 + twins);
    }
    // Further rows of a short table's header must not speak for its columns.
    let deeper = self::columns(width, &table[((table.len() - 1) / 2).clamp(1, MOST_HEADER_ROWS)..]);
    if !is_series(first, &columns, &table[1..], false) {
        match evidence(first, &columns) {
            (against, with) if against > with => {}
            (0, 0) if matches!(evidence(first, &deeper), (against, 0) if against > 0) => {}
            _ if is_group_row(table, &deeper) || is_numbered(table, &deeper) => {}
            (0, 0) if is_plain_header(first, &columns, values) => {
                let strange = |line: &&Line<'_>| is_strange_to_closed(line, &columns);
                let more = table[1..].iter().take(MOST_HEADER_ROWS - 1).take_while(strange).count();
                return if more > 0 { Height::Sure(1 + more) } else { Height::Likely };
            }
            _ => return Height::Sure(0),
        }
    }
    let further = |at: &usize| {
        let rows = &table[*at..];
        is_further_row(rows, &columns)
            || (is_spelled(&rows[0]) && is_further_row(rows, &deeper))
            || completes(&table[at - 1..], &deeper)
            || names_the_corner(table, *at)
            || repeats_names(&table[at - 1..], &deeper)
    };
    let more = (1..table.len().min(MOST_HEADER_ROWS)).take_while(further);
    Height::Sure(1 + more.count())
}

/// Whether there is no digit in a row.
pub(super) fn lacks_digits(line: &Line<'_>) -> bool {
    !line.text.bytes().any(|b| b.is_ascii_digit())
}

/// Whether no cell is a mere mark, as of values that are kept back.
fn is_spelled(line: &Line<'_>) -> bool {
    line.record.cells.iter().all(|cell| cell.text.is_empty() || cell.text.trim().len() > 2)
}

/// Whether the first row names groups of the columns that the second one names: it has gaps, the second has none and
/// is a header without doubt.
fn is_group_row(table: &[Line<'_>], columns: &[Profile]) -> bool {
    let [first, second, ..] = table else { return false };
    let gaps = first.record.cells.iter().skip(1).filter(|cell| cell.text.trim().is_empty()).count();
    let (against, with) = evidence(second, columns);
    let named = |cell: &Cell<'_>| !cell.text.trim().is_empty() && !kind(&cell.text).is_value();
    gaps > 1 && against > with + 1 && second.record.cells.iter().skip(1).all(named)
}

/// Whether the first row has names, and a number where another name might be, above a row of names alone: `x-axis,2` above
/// `second,Volt` above values.
fn is_numbered(table: &[Line<'_>], columns: &[Profile]) -> bool {
    let [first, second, ..] = table else { return false };
    let typed = columns.iter().all(|column| column.values() > 0.9);
    let named = first.record.cells.iter().any(|cell| kind(&cell.text) == Kind::Word);
    let names = second.record.cells.iter().all(|cell| matches!(kind(&cell.text), Kind::Word | Kind::Text));
    typed && named && names && first.record.cells.len() == columns.len() && table.len() > MOST_HEADER_ROWS
}

/// Whether the second row names what the first one leaves without a name, and has no value where the table has some.
fn completes(rows: &[Line<'_>], columns: &[Profile]) -> bool {
    let [first, second, ..] = rows else { return false };
    let both = || first.record.cells.iter().zip(&second.record.cells).zip(columns);
    let gaps = both().skip(1).filter(|((above, _), _)| above.text.trim().is_empty()).count();
    let filled = both().skip(1).all(|((above, below), _)| {
        !above.text.trim().is_empty() || matches!(kind(&below.text), Kind::Word | Kind::Text | Kind::Code)
    });
    let typed = || both().filter(|(_, column)| column.values() > 0.6);
    let bare = typed().all(|((_, below), _)| !kind(&below.text).is_value());
    gaps > 1 && filled && bare && typed().count() > 0
}

/// Whether a row below several header rows fills no more than the corner that they leave empty, and no later row groups
/// others in this way.
fn names_the_corner(table: &[Line<'_>], at: usize) -> bool {
    let corner = |line: &Line<'_>| line.record.cells.first().is_some_and(|cell| !cell.text.trim().is_empty());
    let alone = |line: &Line<'_>| corner(line) && line.record.filled() == 1 && line.record.cells.len() > 2;
    at > 1
        && alone(&table[at])
        && !table[..at].iter().any(corner)
        && table.len() > at + 2
        && !table[at + 1..].iter().any(alone)
}

/// Cells that do not look like their columns', and cells that do, where columns hold one kind of thing.
fn evidence(line: &Line<'_>, columns: &[Profile]) -> (usize, usize) {
    let (mut against, mut with) = (0, 0);
    for (cell, column) in line.record.cells.iter().zip(columns) {
        let kind = kind(&cell.text);
        let like = match kind {
            Kind::Empty => continue,
            _ if column.values() > 0.6 => kind.is_value(),
            _ if column.addresses() > 0.8 => kind == Kind::Address,
            // Codes of one look are not like a name with a digit in it: `E00000001` below `OA11CD`.
            _ if column.digits() > 0.8 => {
                cell.text.bytes().any(|b| b.is_ascii_digit()) && !column.is_strange(&cell.text)
            }
            _ => continue,
        };
        if like { with += 1 } else { against += 1 }
    }
    (against, with)
}

/// Whether the first of these rows, which stands below a header, belongs to it as well. A row of data with a bad cell
/// does not.
fn is_further_row(rows: &[Line<'_>], columns: &[Profile]) -> bool {
    let Some((line, below)) = rows.split_first() else { return false };
    if line.empty || line.record.cells.len() != columns.len() {
        return false;
    }
    let cells = || line.record.cells.iter().zip(columns);
    let name = |text: &str| matches!(kind(text), Kind::Word | Kind::Text | Kind::Code) && !is_nothing(text);
    let typed = columns.iter().filter(|column| column.values() > 0.6).count();
    let against = cells().filter(|(cell, column)| {
        column.values() > 0.6 && name(&cell.text) && !cell.text.bytes().all(|b| b.is_ascii_digit() || b == 0)
    });
    let lettered = against.filter(|(cell, _)| {
        let unit = cell.text.contains(['%', '€', '£', '$', '¥', '￥', '°']);
        unit || cell.text.chars().any(char::is_alphabetic) || cell.text.len() < 3
    });
    let names = cells().filter(|(cell, _)| name(&cell.text)).count();
    // Texts of the columns are no names.
    let known = below.iter().take(200).any(|row| {
        let pairs = row.record.cells.iter().zip(&line.record.cells);
        pairs.into_iter().any(|(cell, name)| name.text.chars().count() > 2 && cell.text == name.text)
    });
    let with = cells().filter(|(cell, column)| column.values() > 0.6 && kind(&cell.text).is_value()).count();
    let strange = !known && is_strange_to_closed(line, columns);
    let series = with > 0 && (is_series(line, columns, below, true) || numbers_columns(line, columns));
    series
        || strange
        || (with == 0 && !known && lettered.count() >= typed.clamp(1, 2) && names >= columns.len().min(2))
}

/// Whether all cells of a row that stand in columns of few values, which come again and again, are none of these, nor
/// of another such column's, as those of a shifted row are.
fn is_strange_to_closed(line: &Line<'_>, columns: &[Profile]) -> bool {
    if line.record.cells.len() != columns.len() || line.record.odd {
        return false;
    }
    let cells = line.record.cells.iter().zip(columns).filter(|(cell, _)| !cell.text.trim().is_empty());
    let (mut strange, mut known) = (0, 0);
    for (cell, column) in cells {
        // A row may be written in other quotes than the rest.
        let text = cell.text.trim().trim_matches(['\'', '"']);
        let closed = || columns.iter().filter(|column| column.is_closed());
        if kind(text).is_value() || closed().any(|column| column.knows(text)) {
            known += 1;
        } else {
            strange += usize::from(column.is_closed());
        }
    }
    strange > 1 && known == 0
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
    // Sentences above sentences: a list of questions and answers, say.
    let sentences =
        cells.iter().zip(columns).any(|(c, column)| is_sentence(&c.text) && column.is_of_sentences());
    repeats == 0 && values == 0 && addresses == 0 && long == 0 && !sentences
}

/// Whether a row's cells are names where the columns hold values.
pub(super) fn looks_like_header(record: &Record<'_>, columns: &[Profile]) -> bool {
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
