//! Workbooks of other kinds (`.xls`, WPS `.et`, `.xlsb`, `.ods`), through calamine.
//!
//! Nothing reaches calamine before its size was checked, and a panic of it becomes an error of the delivery.

use std::fs::File;

use super::sheet::{Merge, Row};
use crate::read::error::ReadError;
use crate::read::options::Limits;

pub(super) struct Legacy {}

/// Opens a workbook that is not in Office Open XML; `None` if it is.
pub(super) fn recognize(_file: &File, _limits: &Limits) -> Result<Option<Legacy>, ReadError> {
    Ok(None)
}

impl Legacy {
    pub(super) fn format(&self) -> &'static str {
        "xls"
    }

    pub(super) fn sheets(&self) -> Vec<(String, bool)> {
        Vec::new()
    }

    pub(super) fn start(&mut self, _sheet: &str, _most_cells: usize) -> Result<(), ReadError> {
        Ok(())
    }

    pub(super) fn next_row(&mut self, _row: &mut Row, _text: &mut String) -> bool {
        false
    }

    pub(super) fn merges(&self, _sheet: &str) -> Vec<Merge> {
        Vec::new()
    }
}
