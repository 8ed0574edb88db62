//! Where a table ends, and what says that something else follows.

use super::super::shape::{Kind, Profile, is_sentence, kind};
use super::header::{Height, height, looks_like_header};
use super::start::is_labels;
use super::words::{begins_another, begins_words, is_next_title};
use super::{Line, columns, is_cut_by, is_cut_otherwise};

/// Least difference between what cells cost in their own table and in another one.
const MISFIT: f64 = 1.2;

/// Index behind the last row of the table that begins at `first`.
pub(super) fn end_of_table(lines: &[Line<'_>], first: usize, width: usize) -> usize {
    let mut end = last_row(lines, first, width);
    // Who filled in the sheet, and where it is from, may stand right below the last row.
    let label = |at: usize| width > 2 && !lines[at].empty && is_labels(&lines[at]);
    if end > first + 2 && label(end - 1) && !label(first + 1) {
        let profiles = columns(width, &lines[first + 1..end]);
        // A row that is cut by colons is one all the same, and so is the half of one.
        let row = |at: usize| {
            let line = &lines[at];
            let cut = line.record.cells.len() == 1 && is_cut_otherwise(line.text, width);
            cut || is_torn_off(lines, at, width, &profiles)
        };
        while end > first + 2 && label(end - 1) && !row(end - 1) {
            end -= 1;
        }
    }
    // Rows of nothing before a note belong to it.
    while end < lines.len() && end > first + 1 && lines[end - 1].empty {
        end -= 1;
    }
    end
}

fn last_row(lines: &[Line<'_>], first: usize, width: usize) -> usize {
    let header: Vec<&str> = lines[first].record.cells.iter().map(|cell| cell.text.as_ref()).collect();
    let body = &lines[(first + 1).min(lines.len())..];
    let half = body.iter().take_while(|line| !line.gap || line.record.cells.len() == width).count();
    // Notes right below the rows must not speak for the columns.
    let notes =
        body[..half].iter().rev().take(MOST_SIGNED).take_while(|line| is_labelled_alone(line)).count();
    let profiles = columns(width, &body[..half - notes]);
    let like = Like::new(lines, width);
    let mut gaps = 0;
    for at in first + 1..lines.len() {
        let line = &lines[at];
        let cells = line.record.cells.len();
        let hollow = lines[at - 1].empty;
        if (line.gap || hollow) && cells == width && at > first + 1 {
            let same = line.record.cells.iter().map(|c| c.text.as_ref()).eq(header.iter().copied());
            gaps += usize::from(line.gap);
            let misfit =
                line.gap && gaps <= MOST_GAPS && is_misfit(&lines[first + 1..at], &lines[at..], width);
            let named = looks_like_header(&line.record, &profiles)
                || line.gap && gaps <= MOST_GAPS && begins_words(&lines[first + 1..at], &lines[at..], width);
            if same || misfit || named {
                return at;
            }
            if (line.gap || is_alone(lines, at)) && begins_another(lines, first, at, width) {
                return at;
            }
        }
        if (line.gap || hollow) && at > first + 1 && is_next_title(lines, first, at, width) {
            return at;
        }
        let aside = (line.gap || hollow)
            && at > first + 1
            && (is_aside(line, &profiles) || is_padded_note(line, width) || is_count(line))
            || width == 2 && is_padded_note(line, width) && is_foreign_note(line, &profiles);
        // In a list only what stands behind a blank line may be a note.
        let apart = width == 1 && at > first + 1 && (line.gap || is_foreign_note(line, &profiles));
        if cells == width && line.record.filled() > usize::from(width > 2) && !aside && !apart {
            continue;
        }
        if ends_here(lines, at, width, &profiles, &like) {
            return at;
        }
    }
    lines.len()
}

/// Whether the row of nothing before this one has none beside it.
fn is_alone(lines: &[Line<'_>], at: usize) -> bool {
    at > 1 && lines[at - 1].empty && !lines[at - 2].empty
}

/// Where the rows are that are like the table's: a sheet may have thousands of others at its end, each of which asks for
/// the next of these.
struct Like {
    /// For each line the first of them behind it, or the number of lines.
    next: Vec<usize>,
}

impl Like {
    fn new(lines: &[Line<'_>], width: usize) -> Self {
        let mut next = vec![lines.len(); lines.len()];
        let mut last = lines.len();
        for (at, line) in lines.iter().enumerate().rev() {
            next[at] = last;
            if line.record.cells.len() == width && line.record.filled() > 1 {
                last = at;
            }
        }
        Self { next }
    }

    /// Those behind the line at `at`.
    fn behind(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(at), |at| self.next.get(*at).copied())
            .skip(1)
            .take_while(|at| *at < self.next.len())
    }
}

/// Most lines behind a table that are looked at whether they are notes.
const MOST_NOTES: usize = 1000;

/// Most blank lines at which the rows before and behind are compared.
const MOST_GAPS: usize = 3;

/// Whether the rows behind a blank line fit the columns much less than those before it.
fn is_misfit(before: &[Line<'_>], behind: &[Line<'_>], width: usize) -> bool {
    let proper = |line: &&Line<'_>| line.record.cells.len() == width && !line.empty;
    let (own, other): (Vec<_>, Vec<_>) = (
        before.iter().rev().filter(proper).take(5).collect(),
        behind.iter().filter(proper).take(5).collect(),
    );
    if before.len() < 5 || other.len() < 4 || width < 2 {
        return false;
    }
    let profiles = columns(width, before);
    let cost = |rows: &[&Line<'_>]| -> f64 {
        let cells = rows.iter().flat_map(|line| line.record.cells.iter().zip(&profiles));
        cells.map(|(cell, column)| column.cost(&cell.text)).sum::<f64>() / (rows.len() * width) as f64
    };
    cost(&other) > cost(&own) + MISFIT
}

/// Whether the row at `at`, which is not like the table's, begins something else.
fn ends_here(lines: &[Line<'_>], at: usize, width: usize, columns: &[Profile], like: &Like) -> bool {
    let line = &lines[at];
    let rest = &lines[at..];
    // What stands behind a blank line, or a row of nothing, stands there to its end.
    let mut gap = line.gap || at.checked_sub(1).is_some_and(|before| lines[before].empty);
    let filled = line.record.filled();
    if filled == 0 && !line.gap {
        return false;
    }
    // Rows like the table's follow: whatever this is, it stands inside of it.
    let back = like.behind(at).map(|at| &lines[at]).find(|line| !(gap && is_aside(line, columns)));
    if let Some(back) = back {
        // Unless a blank line, a title and another header of the same width stand between.
        let title = gap && !line.empty && filled <= 1 && width > 2;
        return (title && looks_like_header(&back.record, columns))
            || (line.gap && another_table(rest, width, columns));
    }
    if filled == 0 {
        return false;
    }
    if is_torn_off(lines, at, width, columns) {
        return false;
    }
    if another_table(rest, width, columns) {
        return true;
    }
    // The tail: sentences are notes; rows of about the table's width are damaged rows of the table.
    rest.len() <= MOST_NOTES
        && rest.iter().enumerate().all(|(at, line)| {
            gap |= line.gap || line.empty;
            // Behind one footnote another may have the delimiter in it.
            let footnote =
                || (at > 0 || is_marked(line)) && is_prose(line) && line.record.cells.len() < width;
            line.empty || is_note(line, gap, width, columns) || footnote()
        })
}

/// Whether the row at `at` is what the row before it lacks: a line break tore them.
fn is_torn_off(lines: &[Line<'_>], at: usize, width: usize, columns: &[Profile]) -> bool {
    let (Some(before), line) = (at.checked_sub(1).map(|before| &lines[before]), &lines[at]) else {
        return false;
    };
    let (left, right) = (before.record.cells.len(), line.record.cells.len());
    if line.gap || left >= width || left + right < width || left + right > width + 1 || right > width {
        return false;
    }
    let own = line.record.cells.iter().zip(&columns[width - right..]);
    let cost: f64 = own.clone().map(|(cell, column)| column.cost(&cell.text)).sum();
    let labelled = line.record.cells.first().is_some_and(|cell| !cell.quoted && is_labelled(&cell.text));
    !labelled && cost < TORN * own.count() as f64
}

/// What a cell of a torn row costs on the average where it is at home.
const TORN: f64 = 1.5;

/// Whether a row's cells are the pieces of a sentence.
fn is_prose(line: &Line<'_>) -> bool {
    let mut others = line.record.cells.iter().skip(1);
    line.record.cells.len() > 1
        && line.text.split_whitespace().count() >= 2 * line.record.cells.len()
        && others.all(|cell| !cell.quoted && cell.text.starts_with(' ') && !kind(&cell.text).is_value())
}

/// Whether a row is a labelled note whose commas cut it into cells: `Source: statistics office, 2021`. A blank stands
/// behind each, which it does not in the table.
fn is_aside(line: &Line<'_>, columns: &[Profile]) -> bool {
    let mut others = line.record.cells.iter().skip(1).filter(|cell| !cell.text.is_empty()).peekable();
    others.peek().is_some()
        && others.all(|cell| !cell.quoted && cell.text.starts_with(' '))
        && columns.iter().skip(1).all(|column| column.is_hardly_indented() || !column.has_indented())
        && line.record.cells.first().is_some_and(|cell| is_labelled(&cell.text))
}

/// Whether a row of two columns is a labelled note with a delimiter behind it: `Source: statistics office,`.
fn is_padded_note(line: &Line<'_>, width: usize) -> bool {
    let [first, second] = &line.record.cells[..] else { return false };
    width == 2 && second.text.is_empty() && !second.quoted && is_labelled(&first.text)
}

/// Whether a labelled sentence, which delimiters cut into other than so many cells, begins like no row.
fn is_cut_sentence(line: &Line<'_>, width: usize, columns: &[Profile]) -> bool {
    let cells = &line.record.cells;
    let foreign = || columns[0].is_foreign(&cells[0].text) && columns[0].rows() > 2;
    let plain = || cells.iter().all(|cell| !cell.quoted && !kind(&cell.text).is_value());
    let said = is_labelled(line.text) && is_sentence(line.text);
    said && cells.len() > 1 && cells.len() != width && !columns.is_empty() && plain() && foreign()
}

/// Characters of a note right below rows.
const LEAST_SAID: usize = 8;

/// Most labelled lines right below a table.
const MOST_SIGNED: usize = 5;

/// Whether a row holds one text alone, which begins with a label.
fn is_labelled_alone(line: &Line<'_>) -> bool {
    line.record.filled() == 1 && line.record.cells.first().is_some_and(|first| is_labelled(&first.text))
}

/// Whether a row of one text begins with a label where the first column holds nothing but values, addresses or codes.
fn is_foreign_note(line: &Line<'_>, columns: &[Profile]) -> bool {
    let Some((first, column)) = line.record.cells.first().zip(columns.first()) else { return false };
    let coded = column.addresses().max(column.digits()).max(column.values()) > 0.9;
    // A few signs may be a cell all the same.
    let said = first.text.chars().count() >= LEAST_SAID;
    coded
        && said
        && !first.quoted
        && is_labelled(&first.text)
        && column.is_foreign(&first.text)
        && column.rows() > 2
}

/// Whether a line tells in brackets how many rows there are: `(3 rows affected)`.
fn is_count(line: &Line<'_>) -> bool {
    let inner =
        line.text.trim().strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or_default();
    let word = |c: char| c.is_alphabetic() || c == ' ';
    let rest = inner.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < inner.len() && rest.chars().any(char::is_alphabetic) && rest.chars().all(word)
}

/// Whether a line begins with the mark of a footnote: `(1) Estimated`, `* see below`.
fn is_marked(line: &Line<'_>) -> bool {
    let Some((mark, _)) = line.text.split_once(' ') else { return false };
    let inner = mark.strip_prefix(['(', '[']).unwrap_or(mark).strip_suffix([')', ']']);
    let short =
        |inner: &str| (1..3).contains(&inner.len()) && inner.bytes().all(|b| b.is_ascii_alphanumeric());
    inner.is_some_and(short) || !mark.is_empty() && mark.bytes().all(|b| b == b'*')
}

fn is_note(line: &Line<'_>, gap: bool, width: usize, columns: &[Profile]) -> bool {
    let (cells, filled) = (line.record.cells.len(), line.record.filled());
    if gap && (is_prose(line) || is_aside(line, columns) || is_padded_note(line, width) || is_count(line)) {
        return true;
    }
    if line.record.odd && (cells > 1 || line.text.contains("\"\"")) {
        return false;
    }
    let first = line.record.cells.first().map_or("", |cell| cell.text.as_ref());
    // A row of the table with another delimiter.
    let cut = |delimiter: &str| match gap && delimiter != " " {
        // Sentences have their commas.
        true => (first.matches(delimiter).count() + 1) - first.matches(&format!("{delimiter} ")).count(),
        false => first.matches(delimiter).count() + 1,
    };
    let rough = [",", ";", "\t", "|"].iter().any(|delimiter| cut(delimiter) + 1 >= width)
        || ["^", "~", ":"].iter().any(|delimiter| cut(delimiter) == width);
    let values = first.split(' ').filter(|part| kind(part).is_value()).count();
    // Behind a blank line it must begin like a row, and not with a label: `Page 1 of 1`, `As of: 01.02.2021 / 10:00`.
    let begins = first.split(' ').next().unwrap_or(first);
    let foreign = gap
        && (is_labelled(first) && first.contains(": ")
            || columns.first().is_some_and(|column| column.is_foreign(begins)));
    if cells == 1 && width > 2 && (rough || (!foreign && cut(" ") >= width && values >= 2)) {
        return false;
    }
    let strange = columns.first().is_some_and(|column| column.cost(first) > 0.9);
    let own =
        |column: &Profile| column.digits() > 0.8 && column.has_look(first.split(' ').next().unwrap_or(first));
    let coded = columns.first().is_some_and(own);
    let spaced = || is_cut_by(line.text, width, &[" "]);
    if cells == 1 && width > 2 && (coded && cut(" ") == width || (coded || width > 3) && spaced()) {
        return false;
    }
    // Blanks in quotes are a cell's text.
    let alone = !first.is_empty() && line.record.cells.iter().skip(1).all(|cell| cell.text.is_empty());
    match width {
        _ if is_cut_sentence(line, width, columns) => true,
        1 if is_foreign_note(line, columns) => true,
        1 => gap && kind(first) == Kind::Text && (strange || is_labelled(first)),
        2 if is_padded_note(line, width) && is_foreign_note(line, columns) => true,
        2 => cells == 1 && (gap || strange),
        _ => {
            // A word of the column's own is a row whose other cells were left out.
            let known = || !gap && columns.first().is_some_and(|column| column.knows(first));
            let cut_row = cells == 1 && ((kind(first).is_value() || coded) && !strange || known());
            (filled == 1 && alone && cells != width - 1 && (gap || strange || cells == 1 && !cut_row))
                || (gap && cells * 2 <= width)
        }
    }
}

/// Whether a table of another width begins here.
fn another_table(rest: &[Line<'_>], width: usize, columns: &[Profile]) -> bool {
    let Some(other) = rest.first().map(|line| line.record.cells.len()) else { return false };
    let (title, gap) = (other <= 1, rest.first().is_some_and(|line| line.gap));
    let run = &rest[usize::from(title)..];
    let run = &run[..run.iter().take(LEAST_OWN).take_while(|line| !line.empty).count()];
    let Some(other) = run.first().map(|line| line.record.cells.len()) else { return false };
    let same = run.iter().skip(1).filter(|line| line.record.cells.len() == other).count();
    other > 1
        && other != width
        && same >= if gap { 1 } else { 2 }
        && (title || !are_ragged_rows(run, (other, gap), columns))
}

/// Rows that tell whether a table begins with them.
const LEAST_OWN: usize = 4;

/// Whether rows that are all of another width than the table are rows of it, with cells lacking at their ends or a new
/// column begun: their first cells are at home in its columns, and no header stands above them. What a blank line parts
/// from the table must show by its values that it belongs to it: words are at home anywhere.
fn are_ragged_rows(run: &[Line<'_>], (other, gap): (usize, bool), columns: &[Profile]) -> bool {
    let cells = || run.iter().flat_map(|line| line.record.cells.iter().zip(columns));
    let cost: f64 = cells().map(|(cell, column)| column.cost(&cell.text)).sum();
    let valued = || cells().any(|(cell, column)| column.values() > 0.6 && kind(&cell.text).is_value());
    let headed = matches!(height(run, other), Height::Sure(rows) if rows > 0);
    cost < TORN * cells().count() as f64 && !headed && (!gap || valued())
}

/// Whether a text begins like a note: `Source: …`, `注：…`.
fn is_labelled(text: &str) -> bool {
    let label = text.split([':', '：']).next().unwrap_or_default();
    label.len() < text.len() && label.chars().count() <= 12 && label.chars().all(char::is_alphabetic)
}
