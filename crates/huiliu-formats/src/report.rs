//! What the reader tells about a file: how it was understood, column by column.

use serde::{Deserialize, Serialize};

/// How a file was read. Goes into the ledger and the receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadReport {
    /// `csv`, `xlsx`, `xls`, `ods`, `jsonl`, `json`, `xml`, `html`, `zip` …
    pub format: String,
    /// Text encoding, such as `UTF-8` or `GB18030`; empty for workbooks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub encoding: String,
    /// How the encoding was told: `stated`, `declared`, `byte order mark`, `zero bytes`, `strict`,
    /// `statistics` or, where another is hardly less likely, `guess`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub encoding_by: String,
    /// Field delimiter of a CSV file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// What stands around cells of a CSV file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<char>,
    /// What stands before a quote that is a character of its cell, if quotes are not doubled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escape: Option<char>,
    /// How a CSV file is written, in words: `delimiter ';', quote '"', header in rows 3–4`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dialect: String,
    /// Malformed rows that were read all the same; each has a finding.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repaired: u64,
    /// The tables of a package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileReport>,
    /// Files of a package that are kept as attachments.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attachments: u64,
    /// One per sheet that was looked at; a file without sheets has one with an empty name.
    pub sheets: Vec<SheetReport>,
}

/// How a table of a package was read. Its sheets are among those of the delivery, as `file!sheet`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// Its path in the package.
    pub name: String,
    /// As [`ReadReport::format`].
    pub format: String,
    /// As [`ReadReport::encoding`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub encoding: String,
    /// As [`ReadReport::delimiter`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// As [`ReadReport::dialect`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dialect: String,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// How a sheet was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetReport {
    /// Name of the sheet; empty for a file without sheets.
    pub name: String,
    /// Row numbers (1 is the first) of the header; empty when none was found and the sheet was passed over.
    pub header_rows: Vec<u32>,
    /// A unit that holds for the whole sheet, such as 万元.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What stands above the header: titles, 填报单位, dates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub titles: Vec<String>,
    /// The columns, from left to right.
    pub columns: Vec<ColumnReport>,
    /// Data rows read.
    pub rows: u64,
}

/// How a column was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// Zero-based index in the sheet.
    pub index: usize,
    /// The header as sent; rows of a merged header joined with ` > `.
    pub header: String,
    /// The field it was taken for; `None` for a column that is kept as extra.
    pub field: Option<String>,
    /// Other fields that the header may mean; with no `field`, what the sender may choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
    /// How the field was found: `confirmed`, `name`, `label`, `alias`, `pattern`, `weak alias`, `neighbour`,
    /// `values`, `serial` (numbers of rows, which no field holds) or `unknown`.
    pub how: String,
    /// The unit found in the header or the sheet, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}
