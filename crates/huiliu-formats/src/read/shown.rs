//! What a workbook of any kind shows, row by row, for those who copy it: a receipt.
//!
//! The same streams and limits as for reading ([`workbook`](super::workbook)), without a record schema, a header or findings.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use super::error::ReadError;
use super::options::{FormatOptions, Limits, ReadOptions};
use super::plan::HEAD;
use super::workbook::XlsxSource;

/// A workbook, or the tables of a web page, to be copied.
pub(crate) struct Shown(XlsxSource);

impl Shown {
    /// Opens a workbook that was read before; `encoding` is that of one in tags, as it was told then.
    ///
    /// # Errors
    /// It cannot be read, is no workbook, or promises more than the limits allow.
    pub(crate) fn open(path: &Path, encoding: &str, limits: &Limits) -> Result<Self, ReadError> {
        let mut file = File::open(path).map_err(|e| ReadError::io(&e))?;
        let mut head = Vec::new();
        (&mut file).take(HEAD).read_to_end(&mut head).map_err(|e| ReadError::io(&e))?;
        file.rewind().map_err(|e| ReadError::io(&e))?;
        let format = FormatOptions {
            encoding: Some(encoding.to_owned()).filter(|label| !label.is_empty()),
            limits: limits.clone(),
            ..FormatOptions::default()
        };
        let options = ReadOptions { limits: limits.clone(), format, ..ReadOptions::default() };
        let (source, _) = XlsxSource::open_any(file, &head, &options)?;
        Ok(Self(source))
    }

    /// The names of all sheets in their order, and whether each is visible.
    pub(crate) fn sheets(&self) -> Vec<(String, bool)> {
        self.0.sheets().to_vec()
    }

    /// Whether a sheet that is not visible was hidden by somebody. A web page hides none: there it is layout.
    pub(crate) fn hides_sheets(&self) -> bool {
        self.0.hides_sheets()
    }

    /// Gives `take` each row of a sheet from the top: its number and its cells, which are not empty, by column. It says
    /// whether to go on.
    ///
    /// # Errors
    /// The sheet cannot be read or exceeds the limits, or what `take` says.
    pub(crate) fn rows<E: From<ReadError>>(
        &mut self,
        sheet: &str,
        mut take: impl FnMut(u32, &mut dyn Iterator<Item = (u32, &str)>) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.0.load(sheet, 1)?;
        while let Some((number, cells, text)) = self.0.next_row()? {
            let mut shown = cells.iter().map(|(column, span)| (*column, span.of(text)));
            if !take(number, &mut shown)? {
                break;
            }
        }
        Ok(())
    }
}
