//! What all sheets of an old workbook share: its sheets, texts, styles, code page and date system.

use encoding_rs::Encoding;

use super::super::styles::Styles;
use super::records::{Long, half, records, short_text_of, text_of};
use crate::read::chunk::Span;

pub(super) const BEGIN: u16 = 0x0809;
pub(super) const END: u16 = 0x000a;
/// `BEGIN` of a workbook of Excel 97 and later names this version.
const VERSION_8: u16 = 0x0600;
/// Most formats and styles of each kind; the format has room for fewer.
const MOST: usize = 1 << 16;

/// A sheet as the workbook names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) name: String,
    /// A sheet of cells that is not hidden.
    pub(super) visible: bool,
    /// Where its records begin.
    pub(super) at: u32,
}

#[derive(Debug, Default)]
pub(super) struct Globals {
    /// Texts are as in Excel 97 and later.
    pub(super) new: bool,
    pub(super) date1904: bool,
    code_page: u16,
    pub(super) styles: Styles,
    pub(super) sheets: Vec<Bound>,
    /// The texts that cells share, and where each stands.
    texts: (String, Vec<Span>),
}

impl Globals {
    pub(super) fn read(stream: &[u8]) -> Self {
        let mut globals = Self::default();
        let (mut formats, mut styles) = (Vec::<(u32, String)>::new(), Vec::<u32>::new());
        let mut sheets: Vec<usize> = Vec::new();
        for (at, kind, data) in records(stream, 0) {
            match kind {
                BEGIN if at == 0 => globals.new = half(data, 0) == Some(VERSION_8),
                END => break,
                0x0022 => globals.date1904 = half(data, 0) == Some(1),
                0x0042 => globals.code_page = half(data, 0).unwrap_or(0),
                0x0085 if sheets.len() < MOST => sheets.push(at),
                0x00e0 if styles.len() < MOST => styles.push(u32::from(half(data, 2).unwrap_or(0))),
                0x041e if formats.len() < MOST => formats.extend(globals.format(stream, at)),
                0x00fc => globals.read_texts(stream, at),
                _ => {}
            }
        }
        formats.sort_by_key(|(id, _)| *id);
        globals.styles = Styles::of(&formats, &styles);
        // The code page may stand behind the names that are written in it.
        globals.sheets = sheets.into_iter().filter_map(|at| globals.bound(stream, at)).collect();
        globals
    }

    pub(super) fn encoding(&self) -> &'static Encoding {
        match self.code_page {
            936 | 54_936 => encoding_rs::GBK,
            950 => encoding_rs::BIG5,
            932 => encoding_rs::SHIFT_JIS,
            949 => encoding_rs::EUC_KR,
            874 => encoding_rs::WINDOWS_874,
            1250 => encoding_rs::WINDOWS_1250,
            1251 => encoding_rs::WINDOWS_1251,
            1253 => encoding_rs::WINDOWS_1253,
            1254 => encoding_rs::WINDOWS_1254,
            1255 => encoding_rs::WINDOWS_1255,
            1256 => encoding_rs::WINDOWS_1256,
            1257 => encoding_rs::WINDOWS_1257,
            1258 => encoding_rs::WINDOWS_1258,
            65_001 => encoding_rs::UTF_8,
            10_000 | 32_768 => encoding_rs::MACINTOSH,
            _ => encoding_rs::WINDOWS_1252,
        }
    }

    /// A shared text.
    pub(super) fn shared(&self, index: usize) -> Option<&str> {
        self.texts.1.get(index).map(|span| span.of(&self.texts.0))
    }

    fn bound(&self, stream: &[u8], record: usize) -> Option<Bound> {
        let mut long = Long::at(stream, record)?;
        let (at, hidden, kind) = (long.word()?, long.byte()?, long.byte()?);
        let mut name = String::new();
        short_text_of(&mut long, self.new, self.encoding(), &mut name);
        name.retain(|c| c != '\0');
        Some(Bound { name, visible: hidden & 3 == 0 && kind == 0, at })
    }

    fn format(&self, stream: &[u8], record: usize) -> Option<(u32, String)> {
        let mut long = Long::at(stream, record)?;
        let id = long.half()?;
        let mut code = String::new();
        match self.new {
            true => text_of(&mut long, true, self.encoding(), &mut code),
            false => short_text_of(&mut long, false, self.encoding(), &mut code),
        }
        Some((u32::from(id), code))
    }

    /// Texts with the lengths of what stands behind each: runs of fonts, and how Japanese is spoken.
    fn read_texts(&mut self, stream: &[u8], record: usize) {
        let Some(mut long) = Long::at(stream, record) else { return };
        long.skip(8);
        let (text, places) = &mut self.texts;
        while !long.is_over() {
            let (Some(count), Some(flags)) = (long.half(), long.byte()) else { break };
            let runs = if flags & 8 != 0 { long.half().unwrap_or(0) } else { 0 };
            let spoken = if flags & 4 != 0 { long.word().unwrap_or(0) } else { 0 };
            let start = text.len();
            long.unicode(usize::from(count), flags & 1 == 1, text);
            places.push(Span::new(start, text.len()));
            long.skip(usize::from(runs) * 4);
            long.skip(spoken as usize);
        }
    }
}

/// Where the first record of a sheet stands, if it is one.
pub(super) fn begins(stream: &[u8], at: usize) -> bool {
    half(stream, at) == Some(BEGIN)
}
