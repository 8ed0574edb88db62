//! What stands around a table and what its header is like.

use super::{Chance, Table};

/// A way of framing a table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Frame {
    Bare,
    NoHeader,
    Title,
    /// A dozen lines with a key and its value each.
    Keys(&'static str),
    /// Lines of keys with the file's own delimiter.
    OwnKeys,
    /// Blocks of words with blank lines between.
    Blocks,
    Comments,
    Units,
    Footnote,
    Prose,
}

pub(crate) const FRAMES: [Frame; 11] = [
    Frame::Bare,
    Frame::NoHeader,
    Frame::Title,
    Frame::Keys(": "),
    Frame::Keys(":\t"),
    Frame::OwnKeys,
    Frame::Blocks,
    Frame::Comments,
    Frame::Units,
    Frame::Footnote,
    Frame::Prose,
];

impl Frame {
    pub(crate) fn name(&self) -> String {
        format!("{self:?}")
    }

    /// Whether many lines stand before the table.
    pub(crate) fn is_tall(self) -> bool {
        matches!(self, Self::Keys(_) | Self::OwnKeys | Self::Blocks)
    }

    /// Changes the table; the number of its header rows.
    pub(crate) fn shape(self, table: &mut Table, chance: &mut Chance) -> usize {
        match self {
            Self::NoHeader => {
                table.remove(0);
                0
            }
            Self::Units => {
                let numbers = |column: usize| {
                    table[1..]
                        .iter()
                        .all(|row| row[column].chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-'))
                };
                let width = table[0].len();
                let units = (0..width)
                    .map(|c| if numbers(c) { chance.pick(&["万元", "kg", "mm", "EUR"]) } else { "" });
                let units: Vec<String> = units.map(str::to_owned).collect();
                if units.iter().filter(|unit| !unit.is_empty()).count() < 2 {
                    return 1;
                }
                table.insert(1, units);
                2
            }
            _ => 1,
        }
    }

    /// The lines before the table.
    pub(crate) fn before(self, delimiter: &str, width: usize, chance: &mut Chance) -> Vec<String> {
        let lines: &[&str] = match self {
            Self::Title => &["2023年重点项目投资计划表", ""],
            Self::Comments => &["# exported by station 17", "# depth in metres, speed in knots"],
            Self::Blocks => &[
                "Statistical office",
                "Table 12: Population by region; years as shown",
                "",
                "Contact",
                "info@statistics.example, phone 030 1234-5678",
                "",
                "Method",
                "Figures are rounded, differences may occur.",
                "Revised: March 2021",
                "",
                "All rights reserved",
                "",
            ],
            Self::Prose => &["This file lists what was sold, by day and place, to the end of the year.", ""],
            _ => &[],
        };
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let keys = |between: &str, chance: &mut Chance| -> Vec<String> {
            let names = [
                "Station", "Operator", "Device", "Serial", "Version", "Site", "Project", "Start", "Mode",
                "Note",
            ];
            let words =
                ["Hill North", "M. Lee", "A-17", "2023-05-01", "4.2.1", "automatic", "12.5", "see manual"];
            names.map(|name| format!("{name}{between}{}", chance.pick(&words))).to_vec()
        };
        match self {
            Self::Keys(between) => lines.extend(keys(between, chance)),
            Self::OwnKeys if width > 2 => lines.extend(keys(delimiter, chance)),
            _ => return lines,
        }
        lines.push(String::new());
        lines
    }

    /// The lines behind it.
    pub(crate) fn behind(self, delimiter: &str, width: usize) -> Vec<String> {
        let lines: &[&str] = match self {
            Self::Footnote if width > 1 && delimiter != " " => &[
                "",
                "Notes: figures are provisional, see the yearbook, page 12",
                "Source: statistical office, 2021; own calculations",
            ],
            _ => &[],
        };
        lines.iter().map(|line| (*line).to_owned()).collect()
    }
}
