//! The answer to the sender: what became of a delivery, as JSON for programs and as a workbook for people.
//!
//! [`ReceiptData`] is all that is known; [`json`], [`workbook`] and [`page`] are views of it. The workbook's
//! first sheet sums up, the others are what was sent, at the same addresses, faulty cells coloured and
//! with a note that says what is wrong and what to do.
//!
//! A receipt knows no ledger and decides nothing. The same data gives the same bytes. A workbook comes back
//! as it was sent, marked in place ([`patch`]); of a CSV file, a workbook of another kind, or one too broken for
//! that, the copy is made anew from its values ([`copy`]). What has no cells comes back as a page, a package with a zip of
//! such copies beside it ([`package`](package())).

mod codes;
mod copy;
mod html;
mod json;
mod marks;
mod package;
mod patch;
mod place;
#[cfg(test)]
mod sample;
mod sheet;
mod split;
mod summary;
mod table;
mod words;
mod workbook;
mod written;
mod zone;

use std::collections::BTreeMap;

use huiliu_stage::{Finding, Severity};
use serde::{Deserialize, Serialize};

pub use self::html::page;
pub use self::json::json;
pub use self::package::{has_copies, package};
pub use self::workbook::{CopyLimits, has_workbook, workbook};
pub use self::zone::{UnknownZone, Zone};
use crate::report::ReadReport;

/// The language of a receipt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// The word for [`huiliu_stage::Text::in_language`].
    pub fn code(self) -> &'static str {
        self.pick("zh", "en")
    }

    /// The one of two texts that is in this language.
    pub(crate) fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    fn severity(self, severity: Severity) -> &'static str {
        match severity {
            Severity::Error => self.pick("错误", "error"),
            Severity::Warning => self.pick("警告", "warning"),
            Severity::Info => self.pick("提示", "note"),
        }
    }
}

/// An earlier delivery of the same file name and sender, whose values the new one replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// Its id.
    pub delivery: String,
    /// When it was received, milliseconds since 1970 UTC.
    pub received_ms: i64,
}

/// Everything a receipt is made of.
#[derive(Clone, Debug, Default)]
pub struct ReceiptData {
    /// Id of the delivery.
    pub delivery: String,
    /// The pipeline it went through.
    pub pipeline: String,
    /// Name of the file, without folders.
    pub file: String,
    /// The package that it came in, for one table of such; then only what is known of that table is there.
    pub package: Option<String>,
    /// Who sent it.
    pub sender: String,
    /// The earlier delivery that this one corrects.
    pub corrects: Option<Corrected>,
    /// When it was received, milliseconds since 1970 UTC.
    pub received_ms: i64,
    /// `committed` or `refused`.
    pub state: String,
    /// Data rows read.
    pub rows_in: u64,
    /// Rows taken.
    pub accepted: u64,
    /// Rows set aside until repaired.
    pub quarantined: u64,
    /// Rows that went into another row or record.
    pub merged: u64,
    /// Rows left out on purpose.
    pub dropped: u64,
    /// Rows of a delivery that was refused as a whole.
    pub refused: u64,
    /// Findings of severity error, shown or not.
    pub errors: u64,
    /// Findings of severity warning, shown or not.
    pub warnings: u64,
    /// Findings of severity info, shown or not.
    pub infos: u64,
    /// How often each code was reported.
    pub codes: BTreeMap<String, u64>,
    /// The findings to show.
    pub findings: Vec<Finding>,
    /// Names of the sheets by ordinal.
    pub sheets: Vec<String>,
    /// How the file was read.
    pub report: ReadReport,
    /// Field -> what people call it.
    pub titles: BTreeMap<String, String>,
    /// The language it is written in.
    pub language: Language,
    /// Where the clock hangs by which times are printed.
    pub zone: Zone,
}

impl ReceiptData {
    /// How many findings there are, shown or not.
    pub fn findings_total(&self) -> u64 {
        self.errors + self.warnings + self.infos
    }

    /// What to call a field when talking to people.
    fn title<'a>(&'a self, field: &'a str) -> &'a str {
        self.titles.get(field).map_or(field, String::as_str)
    }

    /// What became of the delivery, and what to do, in one sentence.
    fn outcome(&self) -> String {
        let say = self.language;
        if self.package.is_some() && self.state != "refused" {
            return say.pick(
                format!("本表有 {} 行需要改正；整份报送的结果见压缩包的回执", self.quarantined),
                format!(
                    "{} rows of this table are to be mended; what became of all that was sent is told by the package's receipt",
                    self.quarantined
                ),
            );
        }
        if self.state == "refused" {
            return say
                .pick(
                    "整份退回：没有采用任何数据，请按下列问题改正后重新上传",
                    "returned as a whole: nothing was taken; mend what is listed below and send it again",
                )
                .to_owned();
        }
        match (self.quarantined, self.warnings) {
            _ if self.rows_in == 0 => say
                .pick(
                    "没有读到任何数据行，没有采用任何内容；如果文件中有数据，请按下列问题检查后重新上传",
                    "no row of data was read, so nothing was taken; if the file holds some, see what is listed below and send it again",
                )
                .to_owned(),
            // What is wrong with a whole column or table has no row to set aside.
            (0, _) if self.errors > 0 => say.pick(
                format!(
                    "读到的行全部接收；但有 {} 处错误，文件中有内容没有读取或不能采用，请按下列问题改正后重新上传",
                    self.errors
                ),
                format!(
                    "all rows that were read were taken, but {} errors tell of what was not; mend what is listed below and send it again",
                    self.errors
                ),
            ),
            (0, 0) => say.pick("全部接收", "all rows were taken").to_owned(),
            (0, warnings) => say.pick(
                format!("全部接收；另有 {warnings} 条警告请核对"),
                format!("all rows were taken; {warnings} warnings should be looked at"),
            ),
            (rows, _) if self.accepted + self.merged + self.dropped == 0 => say.pick(
                format!("没有采用：{rows} 行都有错误；请改正后重新上传"),
                format!("nothing was taken: all {rows} rows have errors; mend them and send them again"),
            ),
            (rows, _) => say.pick(
                format!("部分接收：{rows} 行有错误，未采用；请改正后重新上传"),
                format!(
                    "taken in part: {rows} rows have errors and were set aside; mend them and send them again"
                ),
            ),
        }
    }
}

/// Why a receipt's workbook could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The workbook could not be made or written.
    #[error("cannot write the workbook of the receipt")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),

    /// Writing failed in a way its library does not report, such as a full disk.
    #[error("writing the workbook of the receipt broke off: {0}")]
    BrokeOff(String),
}

impl From<std::io::Error> for ReceiptError {
    fn from(error: std::io::Error) -> Self {
        Self::BrokeOff(error.to_string())
    }
}

impl From<zip::result::ZipError> for ReceiptError {
    fn from(error: zip::result::ZipError) -> Self {
        Self::BrokeOff(error.to_string())
    }
}
