//! What the caller may say about a file; everything here has a default that suits an unknown file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use huiliu_stage::Origin;
use serde::{Deserialize, Serialize};

use super::bundle::KeepAttachment;

/// Kinds of file that are read. Told by the first bytes, never by the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FormatKind {
    /// Text with a delimiter: comma, semicolon, tab or vertical bar.
    Csv,
    /// A workbook: Office Open XML, or one of the older and other kinds, which are told by their bytes; a table of a web
    /// page too.
    Xlsx,
    /// One JSON object per line.
    Jsonl,
    /// One JSON value that is, or holds, an array of objects; or objects one after the other.
    Json,
    /// A table of repeated elements.
    Xml,
    /// A zip package of tables with the files that prove what they say.
    Zip,
}

impl FormatKind {
    /// The word used in YAML and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Jsonl => "jsonl",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Zip => "zip",
        }
    }
}

/// What becomes of the hidden rows and columns of a workbook. The sender is told of them either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hidden {
    /// They are read like all others.
    #[default]
    Read,
    /// They are left out.
    Skip,
}

/// How a source's files are to be understood: `format: {delimiter: ";", header_row: 3}`.
///
/// Every key is found out from the file when it is left away, which is right for nearly all files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FormatOptions {
    /// `csv`, `xlsx`, `jsonl`, `json`, `xml` or `zip`, for files whose kind cannot be told from their first bytes.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<FormatKind>,
    /// Text encoding, by its WHATWG label: `utf-8`, `gb18030`, `big5`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// What stands between two cells of a CSV file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// The ASCII character around cells of a CSV file; an empty text says that there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// The ASCII character that takes a quote's meaning from it; an empty text says that quotes are doubled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape: Option<String>,
    /// What ends a row of a CSV file: `\n`, `\r\n`, `\r` or any other text. Line breaks that are something else are
    /// then part of their cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newline: Option<String>,
    /// What a line of a CSV file begins with that is no row: `#`. Within a quoted cell it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Lines at the beginning of a CSV file that are passed over unseen.
    #[serde(skip_serializing_if = "is_zero")]
    pub skip: u32,
    /// How many rows the header of a CSV file has, where it is read without a record schema; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_rows: Option<u32>,
    /// The one sheet of a workbook to read. Without it, all visible sheets that have a header are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Number of the row (1 is the first) that holds the headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u32>,
    /// Whether headers are also looked up in the shipped dictionary. It holds the words that departments use
    /// for the fields of a project record; only entries whose field exists in the record schema apply.
    pub dictionary: bool,
    /// Which columns of a package's tables name files of the package: fields of the record schema, or headings.
    pub evidence: Vec<String>,
    /// Fields whose value a folder of a package may be named after: its files belong to that row.
    pub folders: Vec<String>,
    /// How much a file may ask of the machine.
    pub limits: Limits,
    /// Hidden rows and columns of a workbook: `read` or `skip`.
    pub hidden: Hidden,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Headings under which departments list the files that they send along.
const EVIDENCE: [&str; 7] = ["evidence", "佐证材料", "附件", "证明材料", "证明文件", "附件材料", "附件名称"];
/// What departments name the folders of a package after.
const FOLDERS: [&str; 4] = ["project_code", "project_name", "项目代码", "项目名称"];

impl Default for FormatOptions {
    fn default() -> Self {
        Self {
            kind: None,
            encoding: None,
            delimiter: None,
            quote: None,
            escape: None,
            newline: None,
            comment: None,
            skip: 0,
            header_rows: None,
            sheet: None,
            header_row: None,
            dictionary: true,
            evidence: EVIDENCE.map(str::to_owned).to_vec(),
            folders: FOLDERS.map(str::to_owned).to_vec(),
            limits: Limits::default(),
            hidden: Hidden::Read,
        }
    }
}

/// How much a file may ask of the machine. What is larger is refused with a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Longest row of a text file, in bytes.
    pub max_row_bytes: usize,
    /// Largest workbook or package after unpacking, in bytes.
    pub max_unpacked_bytes: u64,
    /// Most cells of one sheet.
    pub max_sheet_cells: usize,
    /// Most columns of one sheet.
    pub max_columns: usize,
    /// Most files of a package, those of packages within it included.
    pub max_entries: u64,
    /// Most bytes that a packed byte may become.
    pub max_ratio: u64,
    /// Most packages within one another: 1 is a package that holds no other.
    pub max_nesting: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 30,
            max_row_bytes: 16 << 20,
            max_unpacked_bytes: 4 << 30,
            max_sheet_cells: 20_000_000,
            max_columns: 16_384,
            max_entries: 10_000,
            max_ratio: 200,
            max_nesting: 2,
        }
    }
}

/// Everything that reading a file depends on besides its bytes and the record schema.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Delivery, sender, file and time to mark batches with; the reader adds the columns.
    pub origin: Origin,
    /// Most rows in one batch. Larger batches run faster and hold more memory.
    pub batch_rows: usize,
    /// Threads that a large text file may be read by: 2, or 1 for the caller's alone. The batches are the same.
    pub threads: usize,
    /// Today, days since 1970-01-01: the year of dates such as `3月`.
    pub today: i32,
    /// What is known about the file beforehand.
    pub format: FormatOptions,
    /// How much the file may ask for.
    pub limits: Limits,
    /// Columns that the sender has confirmed: header text (rows joined by ` > `) and name of the field.
    pub mapping: BTreeMap<String, String>,
    /// Who keeps the attachments of a package; without anybody they are only listed.
    pub keeper: Option<Arc<dyn KeepAttachment>>,
    /// Folder for what is unpacked while it is read; the system's own if there is none.
    pub temp_dir: Option<PathBuf>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            origin: Origin::default(),
            batch_rows: 4096,
            threads: 2,
            today: 0,
            format: FormatOptions::default(),
            limits: Limits::default(),
            mapping: BTreeMap::new(),
            keeper: None,
            temp_dir: None,
        }
    }
}
