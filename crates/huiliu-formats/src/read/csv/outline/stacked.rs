//! Rows between the names of columns and their values that say more about the columns: facts of each series, one below the
//! other, or the names again where cells were merged.

use super::super::shape::{Kind, Profile, kind};
use super::header::is_nothing;
use super::{Line, columns};

/// Most rows of such a stack.
const MOST_ROWS: usize = 12;
/// Least rows of values below.
const LEAST_BELOW: usize = 6;

/// How many rows below the first one name, unlike all others, a fact in the column of days, numbers or codes that comes first:
/// `Unit`, `Source`, `Frequency`. Two at least: a single one may be a bad cell.
pub(super) fn facts(table: &[Line<'_>], width: usize) -> usize {
    let key = |line: &Line<'_>| line.record.cells.first().map_or(String::new(), |cell| cell.text.to_string());
    let digit = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    let fact = |line: &&Line<'_>| {
        let key = key(line);
        let name = matches!(kind(&key), Kind::Word | Kind::Text) && !digit(&key) && !is_nothing(&key);
        name && line.record.cells.len() == width && !line.gap
    };
    let most = table.len().min(MOST_ROWS + 1);
    let rows = table[..most].iter().skip(1).take_while(|line| line.empty || fact(line)).count();
    let below = &table[most.min(1 + rows)..];
    if width < 2 || rows < 2 || below.len() < LEAST_BELOW.max(rows / 2) || !fact(&&table[0]) {
        return 0;
    }
    let valued = below.iter().take(LEAST_BELOW).all(|line| digit(&key(line)));
    let columns = columns(width, below);
    let typed = columns.first().is_some_and(|column| column.values().max(column.digits()) >= 0.98);
    if valued && typed { rows } else { 0 }
}

/// Whether the second row says again what stands above it, which no other row says, and names the rest: cells that were
/// merged over both.
pub(super) fn repeats_names(rows: &[Line<'_>], columns: &[Profile]) -> bool {
    let [first, second, below @ ..] = rows else { return false };
    if second.gap || second.record.cells.len() != first.record.cells.len() || below.is_empty() {
        return false;
    }
    let cells = || first.record.cells.iter().zip(&second.record.cells).zip(columns).enumerate();
    let said = |at: usize, text: &str| {
        below.iter().take(200).any(|line| line.record.cells.get(at).is_some_and(|cell| cell.text == text))
    };
    let again = cells().filter(|(at, ((above, cell), _))| {
        let name = matches!(kind(&cell.text), Kind::Word | Kind::Text);
        name && cell.text == above.text && cell.text.chars().count() > 2 && !said(*at, &cell.text)
    });
    let again: Vec<usize> = again.map(|(at, _)| at).collect();
    let rest = || cells().filter(|(at, _)| !again.contains(at));
    let differs = rest().all(|(at, ((above, cell), column))| {
        let strange = match kind(&cell.text).is_value() {
            true => !kind(&above.text).is_value() && column.cost(&cell.text) > 0.5,
            false => column.values() > 0.6,
        };
        !cell.text.trim().is_empty() && strange && !said(at, &cell.text)
    });
    !again.is_empty() && again.len() < first.record.cells.len() && differs
}
