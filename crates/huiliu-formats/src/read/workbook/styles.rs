//! How numbers are shown: what of a workbook's number formats changes what a number means.
//!
//! A serial number under a date format is a date, `0.358` under a percent format is `35.8%`, `123` under `000000` is
//! the code `000123`, `1.5` under `0.00"亿"` is `1.5亿`. All other formats (colours, separators, currency) leave the
//! number as it is stored.

use std::io::Read;

use super::sections::Sections;
use super::shown::Label;
use super::xml::{Scanner, Token, unescape};
use crate::read::error::ReadError;

/// Most cell styles; Excel stops at 65 490.
const MOST_STYLES: usize = 1 << 17;
/// Longest format code that is looked at.
const MOST_CODE: usize = 1024;

/// What becomes of a number in a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    #[default]
    Plain,
    Percent,
    /// A day, perhaps with a time.
    Date,
    /// A number in a column of days: a day if it is as large as the days of our time.
    Serial,
    /// A time of day.
    Time,
    /// A whole number shown with at least so many digits.
    Padded(u8),
    /// Shown with so many places behind the point.
    Places(u8),
    /// Shown in a unit or a scale of its own.
    Labelled(Label),
    /// As the section of a format that holds for the number: [`Styles::chosen`].
    Chosen(u16),
}

/// The formats of a workbook's cell styles.
#[derive(Debug, Default)]
pub(super) struct Styles {
    shown: Vec<Shown>,
    /// Formats with conditions.
    chosen: Vec<Sections<Shown>>,
}

impl Styles {
    /// Reads the part `styles.xml`.
    pub(super) fn read(part: impl Read) -> Result<Self, ReadError> {
        let mut scanner = Scanner::new(part);
        let (mut own, mut styles) = (Vec::<(u32, String)>::new(), Vec::new());
        let mut inside = false;
        loop {
            match scanner.next()? {
                Token::Open { name: b"numFmt", attributes, .. } => {
                    let id = attributes.number(b"numFmtId");
                    if let (Some(id), Some(raw)) = (id, attributes.get(b"formatCode"))
                        && own.len() < MOST_STYLES
                    {
                        let mut code = String::new();
                        unescape(&mut code, raw.get(..MOST_CODE).unwrap_or(raw));
                        own.push((id, code));
                    }
                }
                Token::Open { name: b"cellXfs", empty, .. } => {
                    inside = !empty;
                }
                Token::Close { name: b"cellXfs" } => inside = false,
                Token::Open { name: b"xf", attributes, .. } if inside && styles.len() < MOST_STYLES => {
                    styles.push(attributes.number(b"numFmtId").unwrap_or(0));
                }
                Token::End => {
                    own.sort_by_key(|(id, _)| *id);
                    return Ok(Self::of(&own, &styles));
                }
                _ => {}
            }
        }
    }

    /// Of the codes of a workbook's own formats, in order of their numbers, and the format of each style.
    pub(super) fn of(own: &[(u32, String)], styles: &[u32]) -> Self {
        let mut chosen = Vec::new();
        let mut read = |code: &str| match Sections::of_code(code, of_code) {
            Some(sections) => match u16::try_from(chosen.len()) {
                Ok(at) => {
                    chosen.push(sections);
                    Shown::Chosen(at)
                }
                Err(_) => Shown::Plain,
            },
            None => of_code(code),
        };
        let own: Vec<(u32, Shown)> = own.iter().map(|(id, code)| (*id, read(code))).collect();
        let shown = |id: &u32| match own.binary_search_by_key(id, |(id, _)| *id) {
            Ok(at) => own.get(at).map_or(Shown::Plain, |(_, shown)| *shown),
            Err(_) => built_in(*id),
        };
        Self { shown: styles.iter().map(shown).collect(), chosen }
    }

    /// How style number `index` shows numbers.
    #[inline]
    pub(super) fn get(&self, index: u32) -> Shown {
        self.shown.get(index as usize).copied().unwrap_or_default()
    }

    /// How a number is shown where that depends on the number.
    #[inline]
    pub(super) fn chosen(&self, shown: Shown, number: f64) -> Shown {
        let Shown::Chosen(at) = shown else { return shown };
        self.chosen.get(usize::from(at)).and_then(|sections| sections.get(number)).unwrap_or_default()
    }
}

/// Formats that have a number and no code. Those from 27 to 58 are dates and times in Chinese programs.
fn built_in(id: u32) -> Shown {
    match id {
        2 | 4 | 7 | 8 | 39 | 40 => Shown::Places(2),
        9 | 10 => Shown::Percent,
        14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57 | 58 => Shown::Date,
        18..=21 | 32..=35 | 45 | 47 | 55 | 56 => Shown::Time,
        _ => Shown::Plain,
    }
}

/// Reads a format code; its first section, for positive numbers, decides.
fn of_code(code: &str) -> Shown {
    let lower = code.to_lowercase();
    if let Some(label) = Label::of_code(&lower) {
        return Shown::Labelled(label);
    }
    if lower.starts_with("general") || lower.starts_with("g/通用格式") || lower.contains("general;") {
        return Shown::Plain;
    }
    let (bare, elapsed) = bare(&lower);
    if elapsed {
        return Shown::Plain;
    }
    let numeric = bare.contains(['0', '#', '?']);
    if bare.contains('%') {
        return Shown::Percent;
    }
    // Seconds may have a fraction (`ss.00`), numbers an exponent (`0.0e+0`).
    let exponent = bare.contains("e+") || bare.contains("e-");
    if bare.contains(['y', 'd']) || (bare.contains('e') && !exponent && !numeric) {
        return Shown::Date;
    }
    if bare.contains(['h', 's']) {
        return Shown::Time;
    }
    if bare.contains('m') && !numeric {
        return Shown::Date;
    }
    if bare.len() > 1 && bare.bytes().all(|byte| byte == b'0') {
        return Shown::Padded(u8::try_from(bare.len()).unwrap_or(u8::MAX).min(64));
    }
    let places =
        bare.split_once('.').map_or(0, |(_, behind)| behind.bytes().take_while(|byte| *byte == b'0').count());
    match u8::try_from(places) {
        Ok(places @ 1..=30) if !exponent => Shown::Places(places),
        _ => Shown::Plain,
    }
}

/// The first section without what is only shown: quoted and escaped characters, fills, colours, locales. The flag
/// tells of elapsed time (`[h]:mm`), which is a number of hours and no time of day.
fn bare(code: &str) -> (String, bool) {
    let (mut bare, mut elapsed) = (String::new(), false);
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => while characters.next().is_some_and(|c| c != '"') {},
            '\\' | '_' | '*' => {
                characters.next();
            }
            '[' => {
                let inner: String = characters.by_ref().take_while(|c| *c != ']').collect();
                elapsed |= !inner.is_empty() && inner.chars().all(|c| matches!(c, 'h' | 'm' | 's'));
            }
            ';' => break,
            _ => bare.push(character),
        }
    }
    (bare, elapsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_dates_percents_and_codes() {
        for (code, shown) in [
            ("General", Shown::Plain),
            ("G/通用格式", Shown::Plain),
            ("0.00%", Shown::Percent),
            ("yyyy\"年\"m\"月\"d\"日\"", Shown::Date),
            ("[$-804]yyyy\"年\"m\"月\";@", Shown::Date),
            ("[DBNum1][$-804]m\"月\"d\"日\"", Shown::Date),
            ("yyyy/m/d h:mm", Shown::Date),
            ("e/m/d", Shown::Date),
            ("h:mm:ss AM/PM", Shown::Time),
            ("[h]:mm", Shown::Plain),
            ("mmm-yy", Shown::Date),
            ("000000", Shown::Padded(6)),
            ("0.00", Shown::Places(2)),
            ("#,##0.00_);[Red]\\(#,##0.00\\)", Shown::Places(2)),
            ("0.00E+00", Shown::Plain),
            ("0\"天\"", Shown::Plain),
            ("\"day\" 0", Shown::Plain),
            ("@", Shown::Plain),
            ("¥#,##0", Shown::Plain),
            ("0.00\"亿\"", Shown::Labelled(Label { unit: "亿", places: 0 })),
        ] {
            assert_eq!(of_code(code), shown, "{code}");
        }
    }

    #[test]
    fn styles_point_to_formats() {
        let part = "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy&quot;年&quot;\"/></numFmts>\
            <cellStyleXfs><xf numFmtId=\"9\"/></cellStyleXfs>\
            <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/><xf numFmtId=\"10\"></xf><xf/></cellXfs></styleSheet>";
        let styles = Styles::read(part.as_bytes()).unwrap();
        let shown: Vec<Shown> = (0..5).map(|index| styles.get(index)).collect();
        assert_eq!(shown, [Shown::Plain, Shown::Date, Shown::Percent, Shown::Plain, Shown::Plain]);
    }
}
