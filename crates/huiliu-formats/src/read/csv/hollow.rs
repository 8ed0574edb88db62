//! Rows of delimiters alone.
//!
//! Between others such a row is an empty one. At the end of a table they are what a spreadsheet writes of rows that were
//! once filled or coloured: several are no data and left out, one alone is kept, and either is told. Which it is shows
//! only behind them, so they are held until then.

use huiliu_stage::{Finding, Severity, Text, row_id};

use super::table::Row;

/// Most rows that are held. More than that in a row are no data wherever they stand.
const MOST: usize = 4096;

/// Numbers of the rows that are held.
#[derive(Debug, Default)]
pub(super) struct Hollow {
    held: Vec<u32>,
    /// Rows that were too many to be held.
    left_out: u64,
}

impl Hollow {
    /// Whether a row is well formed and holds nothing.
    pub(super) fn is(row: &Row) -> bool {
        row.cells.len() > 1 && row.repairs.is_empty() && row.cells.iter().all(String::is_empty)
    }

    /// Such a row.
    pub(super) fn row(&self) -> Row {
        Row { cells: vec![String::new()], ..Row::default() }
    }

    pub(super) fn hold(&mut self, number: u32) {
        if self.left_out > 0 || self.held.len() >= MOST {
            self.left_out += 1 + std::mem::take(&mut self.held).len() as u64;
        } else {
            self.held.push(number);
        }
    }

    /// The rows held are followed by another one: they are empty rows of the table.
    pub(super) fn release(&mut self, findings: &mut Vec<Finding>) -> Vec<u32> {
        if std::mem::take(&mut self.left_out) as usize > 0 {
            findings.push(many());
        }
        std::mem::take(&mut self.held)
    }

    /// Nothing follows. Gives the one row that is kept all the same.
    pub(super) fn end(&mut self, findings: &mut Vec<Finding>) -> Option<u32> {
        let (held, left_out) = (std::mem::take(&mut self.held), std::mem::take(&mut self.left_out));
        match (held[..].first(), held.len() as u64 + left_out) {
            (_, 0) => None,
            (Some(&number), 1) => {
                findings.push(one(number));
                Some(number)
            }
            (_, count) => {
                findings.push(last(count));
                None
            }
        }
    }
}

fn one(number: u32) -> Finding {
    let text = Text::new(
        format!("最后一行（第{number}行）只有分隔符，按空行保留；如果不是数据，请删除"),
        format!(
            "the last row, {number}, holds nothing but delimiters and was kept as an empty one; delete it if it is none"
        ),
    );
    Finding::new(Some(row_id(0, number)), Severity::Info, "outline", text)
}

fn last(count: u64) -> Finding {
    let text = Text::new(
        format!("表格末尾有{count}行只有分隔符，没有作为数据读取"),
        format!("the last {count} rows hold nothing but delimiters and were not read as data"),
    );
    Finding::new(None, Severity::Info, "outline", text)
}

fn many() -> Finding {
    let text = Text::new(
        "表格中间有几千行只有分隔符，没有作为数据读取；请核对",
        "thousands of rows within the table hold nothing but delimiters and were not read as data; please check",
    );
    Finding::new(None, Severity::Warning, "outline", text)
}

#[cfg(test)]
mod tests {
    use tempfile::NamedTempFile;

    use crate::read::tests::collect;
    use crate::read::{FormatKind, FormatOptions, ReadOptions, open_raw};

    /// Rows, and findings, of a text that is read without a record schema.
    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let format = FormatOptions { kind: Some(FormatKind::Csv), ..FormatOptions::default() };
        let mut reading = open_raw(file.path(), &ReadOptions { format, ..ReadOptions::default() }).unwrap();
        collect(&mut reading).unwrap()
    }

    const TABLE: &str = "code,title,sum\nA1,Lamp,1\nA2,Bed,2\nA3,Door,3\n";

    #[test]
    fn rows_of_delimiters_alone_at_the_end_are_left_out_and_told() {
        for (tail, rows, told) in [
            ("", 3, ""),
            (",,\n", 4, "the last row, 5, holds nothing but delimiters and was kept"),
            (",,\n,,\n", 3, "the last 2 rows hold nothing but delimiters"),
            (",,\n,,\n\n,,", 3, "the last 3 rows hold nothing but delimiters"),
            (",,\n,,\nA4,Desk,4\n", 6, ""),
            (",,\n,,\nA4,Desk,4\n,,\n,,\n", 6, "the last 2 rows"),
        ] {
            let (found, findings) = read(&format!("{TABLE}{tail}"));
            assert_eq!(found.len(), rows, "{tail:?}: {found:?}");
            assert_eq!(findings.len(), usize::from(!told.is_empty()), "{tail:?}: {findings:?}");
            assert!(findings.iter().all(|finding| finding.contains(told)), "{tail:?}: {findings:?}");
        }
    }

    #[test]
    fn a_million_of_them_are_not_held() {
        let tail = ",,\n".repeat(super::MOST + 1);
        let (rows, findings) = read(&format!("{TABLE}{tail}"));
        assert_eq!((rows.len(), findings.len()), (3, 1), "{findings:?}");
        assert!(findings[0].contains("the last 4097 rows"), "{findings:?}");
        let (rows, findings) = read(&format!("{TABLE}{tail}A4,Desk,4\n"));
        assert_eq!((rows.len(), findings.len()), (4, 1), "{findings:?}");
        assert!(findings[0].contains("within the table"), "{findings:?}");
        let (rows, findings) = read(&format!("code,title,sum\n{tail}"));
        assert_eq!((rows.len(), findings.len()), (0, 2), "{findings:?}");
    }

    #[test]
    fn delimiters_in_pairs_are_one_and_told() {
        let doubled = |text: &str, single: &str| text.replace(',', &single.repeat(2));
        for single in [",", "\t"] {
            // An empty cell between two pairs is one.
            let text = doubled(&TABLE.replace("Bed", ""), single);
            let (rows, findings) = read(&text);
            let cells: Vec<&str> = rows.iter().map(|row| row.split(" _").next().unwrap()).collect();
            assert_eq!(
                cells,
                [
                    r#"code="A1" title="Lamp" sum="1""#,
                    r#"code="A2" sum="2""#,
                    r#"code="A3" title="Door" sum="3""#
                ]
            );
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert!(findings[0].contains("two delimiters stand between all cells"), "{findings:?}");
        }
        // Two tabs set two columns; two commas may part them by an empty one.
        let (rows, findings) = read("code\t\ttitle\nA1\t\tLamp\nA2\t\tBed\n");
        assert!(
            rows[1].starts_with(r#"code="A2" title="Bed""#) && findings.len() == 1,
            "{rows:?} {findings:?}"
        );
        for other in ["code,,title\nA1,,Lamp\nA2,,Bed\n", "code,,title,,sum\nA1,,Lamp,x,1\nA2,,Bed,,2\n"] {
            let (rows, findings) = read(other);
            assert!(rows[1].contains(r#"title="Bed""#), "{rows:?}");
            assert!(findings.is_empty(), "{findings:?}");
        }
    }
}
