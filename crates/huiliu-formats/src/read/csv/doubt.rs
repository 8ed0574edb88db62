//! Rows that are by the book and yet may mean something else.
//!
//! A row written in another way than the rest of its file may have the table's width by chance. Where the table does not
//! prove which way is meant, the row is read by the book: nothing is lost or moved that a person did not write. But its
//! sender must be told, since such a row is wrong in silence otherwise.

use super::lex::{self, Cell, Form, Record};
use super::shape::{Profile, kind};

/// Delimiters that another program may have written a row with.
const OTHERS: [&str; 3] = ["\t", ";", "|"];

/// Whether a well formed record, which stands in the text as `line`, may be written in another way.
pub(super) fn is_doubtful(line: &str, record: &Record<'_>, form: &Form, columns: &[Profile]) -> bool {
    is_spaced(record, form, columns)
        || is_quoted_otherwise(record, form)
        || is_cut_otherwise(line, record, form, columns)
}

/// Whether the row that ends a text without a line end is cut in its last cell, as where a copy broke off.
pub(super) fn is_cut_off(cells: &[impl AsRef<str>], columns: &[Profile]) -> bool {
    let (Some(last), Some(column)) = (cells.last(), columns.last()) else { return false };
    cells.len() == columns.len() && cells.len() > 1 && column.is_cut(last.as_ref())
}

/// A blank stands behind each delimiter, where it hardly does in other rows.
fn is_spaced(record: &Record<'_>, form: &Form, columns: &[Profile]) -> bool {
    let others = || record.cells.iter().zip(columns).skip(1);
    !form.delimiter.ends_with(' ')
        && record.cells.len() > 1
        && others().all(|(cell, column)| {
            cell.quoted || (cell.text.len() > 1 && cell.text.starts_with(' ') && column.is_hardly_indented())
        })
        && others().any(|(cell, _)| !cell.quoted)
}

/// All cells stand in quotes of another kind, or one that has such quotes within.
fn is_quoted_otherwise(record: &Record<'_>, form: &Form) -> bool {
    ['\'', '"'].into_iter().filter(|quote| form.quote != Some(*quote as u8)).any(|quote| {
        let inner = |text: &str| text.strip_prefix(quote)?.strip_suffix(quote).map(str::to_owned);
        let all = || record.cells.iter().all(|cell| !cell.quoted && inner(&cell.text).is_some());
        let within = || {
            let mut cells = record.cells.iter().filter(|cell| !cell.quoted);
            cells.any(|cell| inner(&cell.text).is_some_and(|inner| inner.contains(quote)))
        };
        (record.cells.len() > 1 && all()) || within()
    })
}

/// Another delimiter cuts the line into as many cells, and one that the file's own cuts it into is not at home in its
/// column. A tab is hardly typed into a cell at all.
fn is_cut_otherwise(line: &str, record: &Record<'_>, form: &Form, columns: &[Profile]) -> bool {
    let strange = || {
        record.cells.iter().zip(columns).any(|(cell, column)| {
            column.values() > 0.8 && !cell.text.is_empty() && !kind(&cell.text).is_value()
        })
    };
    let width = record.cells.len();
    let cut = |other: &&str| width > 1 && line.matches(other).count() + 1 == width;
    let mut others = OTHERS.into_iter().filter(|other| !form.delimiter.contains(other)).filter(cut);
    others.any(|other| (other == "\t" && width > 2) || strange())
}

/// What it costs that a row has another delimiter than its file, and what the file's own must cost more to be no match.
const OTHER: f64 = 3.0;

/// The cells of such a record as another delimiter cuts it, if they are at home in its columns much rather.
pub(super) fn cut_otherwise(
    line: &str,
    record: &Record<'_>,
    form: &Form,
    columns: &[Profile],
) -> Option<Vec<String>> {
    let cost = |cells: &[Cell<'_>]| -> f64 {
        cells.iter().zip(columns).map(|(cell, column)| column.cost(&cell.text)).sum()
    };
    let own = cost(&record.cells) - OTHER;
    let width = record.cells.len();
    let others = OTHERS.into_iter().filter(|other| {
        width > 1 && !form.delimiter.contains(other) && line.matches(other).count() + 1 == width
    });
    others.into_iter().find_map(|other| {
        let form = Form { delimiter: other.to_owned(), ..form.clone() };
        let found = lex::record(line, 0, &form, line.len());
        let fits = found.cells.len() == width && !found.odd && found.next >= line.len();
        (fits && cost(&found.cells) < own)
            .then(|| found.cells.into_iter().map(|cell| cell.text.into_owned()).collect())
    })
}

#[cfg(test)]
mod tests {
    use tempfile::NamedTempFile;

    use crate::read::tests::collect;
    use crate::read::{FormatKind, FormatOptions, ReadOptions, open_raw};

    fn findings(table: &str) -> Vec<String> {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), table).unwrap();
        let format = FormatOptions { kind: Some(FormatKind::Csv), ..FormatOptions::default() };
        let mut reading = open_raw(file.path(), &ReadOptions { format, ..ReadOptions::default() }).unwrap();
        collect(&mut reading).unwrap().1
    }

    /// Twenty rows of a number, a word and a sentence, and one more.
    fn table(row: &str) -> String {
        let body: String = (1..=20).map(|n| format!("{n},lamp {n},all about it\n")).collect();
        format!("no,what,note\n{body}{row}\n")
    }

    #[test]
    fn a_row_that_may_mean_something_else_is_told() {
        for row in
            ["21,\"a, \"\"b\"\"\",c", "21,lamp,", "21,'lamp,it's", "21,lamp, care", "21,l|m,x", "x,lamp,a;b"]
        {
            assert_eq!(findings(&table(row)), Vec::<String>::new(), "{row}");
        }
        let pairs = |row: &str| (1..=20).map(|n| format!("{n},lamp {n}\n")).collect::<String>() + row + "\n";
        for text in [
            format!("no,what\n{}", pairs("21, lamp")),
            format!("no,what\n{}", pairs("21;with, comma")),
            table("21,'it's here',x"),
            table("21\tlamp,care\t,x"),
        ] {
            let found = findings(&text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].starts_with("warning repair ") && found[0].contains("another way"), "{found:?}");
        }
    }
}
