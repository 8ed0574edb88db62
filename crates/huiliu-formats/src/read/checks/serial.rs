//! Serial numbers: gaps and repeats tell of rows that were lost or sent twice.

use huiliu_stage::{Finding, cell_address};

use super::differs;

/// Most findings about one sheet's serial numbers.
const MOST_TOLD: usize = 20;

/// The column of serial numbers.
#[derive(Debug, Default)]
pub(in crate::read) struct Serial {
    pub(in crate::read) column: usize,
    last: Option<u32>,
    /// A group or a total was passed, so that counting may begin anew.
    fresh: bool,
    told: usize,
}

impl Serial {
    pub(in crate::read) fn new(column: usize) -> Self {
        Self { column, last: None, fresh: true, told: 0 }
    }

    /// Counting may begin anew.
    pub(in crate::read) fn restart(&mut self) {
        self.fresh = true;
    }

    /// Whether rows have had numbers.
    pub(in crate::read) fn counts(&self) -> bool {
        self.last.is_some()
    }

    /// Takes the serial number of row `number`.
    #[inline]
    pub(in crate::read) fn step(&mut self, sheet: u32, number: u32, cell: &str) -> Option<Finding> {
        let value: u32 = cell.parse().ok().or_else(|| cell.trim().parse().ok())?;
        let last = self.last.replace(value);
        let follows = last.and_then(|last| last.checked_add(1));
        // Counting goes on over a group or begins anew; if it goes on, nothing may be left out.
        let anew = std::mem::take(&mut self.fresh) && follows.is_none_or(|next| value < next);
        if anew || follows == Some(value) {
            return None;
        }
        self.tell(sheet, number, last?, value)
    }

    #[cold]
    fn tell(&mut self, sheet: u32, number: u32, last: u32, value: u32) -> Option<Finding> {
        // A list that was sorted by something else, or that counts anew on each page.
        if value < last || self.told >= MOST_TOLD {
            return None;
        }
        self.told += 1;
        let address = cell_address(self.column, number);
        let (zh, en) = if value == last {
            (
                format!("{address} 序号{value}重复；请核对是否同一项目填了两次"),
                format!(
                    "{address} serial number {value} stands twice; see whether a record was entered twice"
                ),
            )
        } else {
            (
                format!("{address} 序号从{last}跳到{value}；请核对是否漏了项目"),
                format!(
                    "{address} serial numbers go from {last} to {value}; see whether records are missing"
                ),
            )
        };
        Some(differs(sheet, number, zh, en).with_raw(value.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_repeats_are_told_but_no_new_beginnings() {
        let mut serial = Serial::new(0);
        let mut told = String::new();
        for (number, cell) in ["1", "2", "4", "4", "", "甲", " 5", "1", "2"].iter().enumerate() {
            if let Some(finding) = serial.step(0, number as u32 + 1, cell) {
                told += &format!("{}; ", finding.message.en.split(';').next().unwrap_or_default());
            }
        }
        assert_eq!(told, "A3 serial numbers go from 2 to 4; A4 serial number 4 stands twice; ");
        for (cell, is_told) in [("1", false), ("2", false), ("9", true), ("10", false), ("10", false)] {
            serial.restart();
            assert_eq!(serial.step(0, 20, cell).is_some(), is_told, "{cell}");
        }
    }
}
