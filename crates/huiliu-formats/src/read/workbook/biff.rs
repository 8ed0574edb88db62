//! How the cells of an old workbook (`.xls`, `.et`) are shown, which calamine does not tell: number formats, hidden rows
//! and columns, the date system.
//!
//! Calamine gives the values; this is a second look at the same stream of records for what stands beside them. Records
//! that make no sense are passed over: then a number is read as it is stored, as it would be without this.

use std::collections::HashMap;

use encoding_rs::Encoding;

use super::compound::{half, word};
use super::styles::{Shown, Styles};

const BEGIN: u16 = 0x0809;
const END: u16 = 0x000a;
/// `BEGIN` of a workbook of Excel 97 and later names this version.
const VERSION_8: u16 = 0x0600;
/// Longest format code, in characters.
const MOST_CODE: usize = 1024;

/// What a workbook says about the look of its sheets.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) date1904: bool,
    pub(super) styles: Styles,
    /// In the order in which the workbook names them.
    sheets: Vec<SheetLook>,
}

/// What a sheet says about the look of its cells.
#[derive(Debug, Default)]
pub(super) struct SheetLook {
    /// Row (from 0), column, style of numbers that are not shown as they are; in order.
    styled: Vec<(u16, u16, u16)>,
    /// From 0, in order.
    hidden_rows: Vec<u16>,
    pub(super) hidden_columns: Vec<(u32, u32)>,
}

impl Look {
    /// Looks through the stream `Workbook` of a container.
    pub(super) fn read(stream: &[u8]) -> Self {
        let mut globals = Globals::default();
        let mut sheets: HashMap<u32, SheetLook> = HashMap::new();
        // Where the part begins whose records are looked at; charts stand within sheets and have parts of their own.
        let (mut part, mut depth) = (0_u32, 0_u32);
        for (at, kind, data) in records(stream) {
            match kind {
                BEGIN => {
                    if depth == 0 {
                        part = u32::try_from(at).unwrap_or(u32::MAX);
                    }
                    if at == 0 {
                        globals.new = half(data, 0) == Some(VERSION_8);
                    }
                    depth += 1;
                }
                END => depth = depth.saturating_sub(1),
                _ if depth == 1 && part == 0 => globals.take(kind, data),
                _ if depth == 1 => sheets.entry(part).or_default().take(kind, data),
                _ => {}
            }
        }
        globals.formats.sort_by_key(|(id, _)| *id);
        let styles = Styles::of(&globals.formats, &globals.styles);
        let mut sheets: Vec<SheetLook> =
            globals.sheets.iter().map(|at| sheets.remove(at).unwrap_or_default()).collect();
        sheets.iter_mut().for_each(|sheet| sheet.tidy(&styles));
        Self { date1904: globals.date1904, styles, sheets }
    }

    /// The look of the sheet with that ordinal.
    pub(super) fn sheet(&self, ordinal: usize) -> Option<&SheetLook> {
        self.sheets.get(ordinal)
    }

    /// How the number in a cell is shown; row and column from 0.
    pub(super) fn shown(&self, ordinal: usize, row: u32, column: u32, number: f64) -> Shown {
        let Some(sheet) = self.sheets.get(ordinal) else { return Shown::Plain };
        let place = |&(row, column, _): &(u16, u16, u16)| (u32::from(row), u32::from(column));
        let Ok(at) = sheet.styled.binary_search_by_key(&(row, column), place) else { return Shown::Plain };
        let style = sheet.styled.get(at).map_or(0, |(.., style)| *style);
        self.styles.chosen(self.styles.get(u32::from(style)), number)
    }
}

/// What all sheets share.
#[derive(Default)]
struct Globals {
    /// Texts are as in Excel 97 and later.
    new: bool,
    date1904: bool,
    code_page: u16,
    formats: Vec<(u32, String)>,
    /// The format of each style.
    styles: Vec<u32>,
    /// Where the sheets begin.
    sheets: Vec<u32>,
}

impl Globals {
    fn take(&mut self, kind: u16, data: &[u8]) {
        match kind {
            0x0022 => self.date1904 = half(data, 0) == Some(1),
            0x0042 => self.code_page = half(data, 0).unwrap_or(0),
            0x0085 => self.sheets.extend(word(data, 0)),
            0x00e0 => self.styles.push(u32::from(half(data, 2).unwrap_or(0))),
            0x041e => {
                if let (Some(id), Some(code)) = (half(data, 0), self.code(data)) {
                    self.formats.push((u32::from(id), code));
                }
            }
            _ => {}
        }
    }

    /// The text of a format: in UTF-16 or its low bytes, earlier in the code page of the writer.
    fn code(&self, data: &[u8]) -> Option<String> {
        if !self.new {
            let length = usize::from(*data.get(2)?);
            let bytes = data.get(3..3 + length)?;
            return Some(encoding(self.code_page).decode_without_bom_handling(bytes).0.into_owned());
        }
        let length = usize::from(half(data, 2)?).min(MOST_CODE);
        let wide = data.get(4)? & 1 == 1;
        let bytes = data.get(5..)?;
        let units: Vec<u16> = match wide {
            true => bytes.chunks_exact(2).take(length).filter_map(|pair| half(pair, 0)).collect(),
            false => bytes.iter().take(length).map(|byte| u16::from(*byte)).collect(),
        };
        Some(String::from_utf16_lossy(&units))
    }
}

fn encoding(code_page: u16) -> &'static Encoding {
    match code_page {
        936 => encoding_rs::GBK,
        950 => encoding_rs::BIG5,
        932 => encoding_rs::SHIFT_JIS,
        949 => encoding_rs::EUC_KR,
        1251 => encoding_rs::WINDOWS_1251,
        _ => encoding_rs::WINDOWS_1252,
    }
}

impl SheetLook {
    fn take(&mut self, kind: u16, data: &[u8]) {
        match kind {
            // A formula, a number in 8 bytes, a number in 4.
            0x0006 | 0x0203 | 0x027e => {
                if let (Some(row), Some(column), Some(style)) = (half(data, 0), half(data, 2), half(data, 4))
                {
                    self.styled.push((row, column, style));
                }
            }
            // Numbers side by side: row, first column, style and number of each, last column.
            0x00bd => {
                let (Some(row), Some(first)) = (half(data, 0), half(data, 2)) else { return };
                let cells = data.get(4..data.len().saturating_sub(2)).unwrap_or_default().chunks_exact(6);
                let styles = cells.filter_map(|cell| half(cell, 0));
                self.styled.extend((first..).zip(styles).map(|(column, style)| (row, column, style)));
            }
            0x0208 if half(data, 12).is_some_and(|flags| flags & 0x20 != 0) => {
                self.hidden_rows.extend(half(data, 0));
            }
            0x007d if half(data, 8).is_some_and(|flags| flags & 1 != 0) => {
                if let (Some(first), Some(last)) = (half(data, 0), half(data, 2))
                    && first <= last
                {
                    self.hidden_columns.push((u32::from(first), u32::from(last)));
                }
            }
            _ => {}
        }
    }

    fn tidy(&mut self, styles: &Styles) {
        self.styled.retain(|(.., style)| styles.get(u32::from(*style)) != Shown::Plain);
        self.styled.sort_by_key(|&(row, column, _)| (row, column));
        self.hidden_rows.sort_unstable();
        self.hidden_columns.sort_unstable();
    }

    /// Whether the row with that number (from 1) is hidden.
    pub(super) fn hides(&self, number: u32) -> bool {
        let row = number.checked_sub(1).and_then(|row| u16::try_from(row).ok());
        row.is_some_and(|row| self.hidden_rows.binary_search(&row).is_ok())
    }
}

/// The records of a stream: where each begins, its kind, its bytes.
fn records(stream: &[u8]) -> impl Iterator<Item = (usize, u16, &[u8])> {
    let mut next = 0_usize;
    std::iter::from_fn(move || {
        let at = next;
        let (kind, length) = (half(stream, at)?, half(stream, at + 2)?);
        let data = stream.get(at + 4..at + 4 + usize::from(length))?;
        next = at + 4 + usize::from(length);
        Some((at, kind, data))
    })
}

#[cfg(test)]
mod tests {
    use super::super::shown::Label;
    use super::*;

    fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len()).unwrap();
        [kind.to_le_bytes().as_slice(), &length.to_le_bytes(), data].concat()
    }

    fn halves(values: &[u16]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// A workbook of Excel 95 in Chinese: one format, two styles, one sheet with a chart in it.
    fn old() -> Vec<u8> {
        let code = encoding_rs::GBK.encode("0.00\"亿\"").0.into_owned();
        let format = [&halves(&[164]), &[u8::try_from(code.len()).unwrap()][..], &code].concat();
        let begin = |kind: u16| record(BEGIN, &halves(&[0x0500, kind, 0, 0]));
        let mut globals =
            [begin(5), record(0x22, &[1, 0]), record(0x42, &halves(&[936])), record(0x41e, &format)].concat();
        globals.extend([record(0xe0, &halves(&[0, 0])), record(0xe0, &halves(&[0, 164]))].concat());
        let at = globals.len() + 4 + 8 + 4;
        globals.extend(record(0x85, &[&u32::try_from(at).unwrap().to_le_bytes()[..], &[0; 4]].concat()));
        globals.extend(record(END, &[]));
        assert_eq!(globals.len(), at);
        let sheet = [
            begin(0x10),
            record(0x7d, &halves(&[2, 3, 0, 0, 1])),
            record(0x208, &halves(&[7, 0, 9, 0, 0, 0, 0x20, 0])),
            record(0x203, &[halves(&[7, 1, 1]), vec![0; 8]].concat()),
            record(0xbd, &halves(&[8, 4, 0, 0, 0, 1, 0, 0, 5])),
            begin(0x20),
            record(0x203, &[halves(&[7, 0, 1]), vec![0; 8]].concat()),
            record(END, &[]),
            record(END, &[]),
        ];
        [globals, sheet.concat()].concat()
    }

    #[test]
    fn formats_and_what_is_hidden_are_found() {
        let look = Look::read(&old());
        let labelled = Shown::Labelled(Label { unit: "亿", places: 0 });
        assert!(look.date1904);
        for (row, column, shown) in [
            (7, 1, labelled),
            (7, 0, Shown::Plain),
            (8, 4, Shown::Plain),
            (8, 5, labelled),
            (8, 6, Shown::Plain),
        ] {
            assert_eq!(look.shown(0, row, column, 1.0), shown, "{row} {column}");
        }
        let sheet = look.sheet(0).unwrap();
        assert_eq!(sheet.hidden_columns, [(2, 3)]);
        assert!(sheet.hides(8) && !sheet.hides(7) && !sheet.hides(0));
    }

    #[test]
    fn cut_streams_are_read_as_far_as_they_go() {
        let whole = old();
        for length in 0..whole.len() {
            assert!(Look::read(&whole[..length]).sheets.len() <= 1, "{length}");
        }
    }
}
