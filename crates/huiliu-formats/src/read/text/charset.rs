//! Encodings and their decoders: those of the WHATWG, and two that it leaves out.
//!
//! UTF-32 and IBM 855 occur in files but not in `encoding_rs`. All decoders have one face ([`Decoding`]): bytes in,
//! UTF-8 out, U+FFFD and a flag for bytes that mean nothing.

use encoding_rs::{CoderResult, Decoder, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

use super::mixed::Lines;

/// A text encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) enum Charset {
    /// One that `encoding_rs` knows.
    Known(&'static Encoding),
    /// Four bytes a character, the highest first if `big`.
    Utf32 { big: bool },
    /// Cyrillic of DOS in its first form.
    Ibm855,
    /// Some lines are UTF-8, and the others of this encoding.
    Mixed(&'static Encoding),
}

/// Characters of the bytes 80 to FF.
const IBM855: &str = "ђЂѓЃёЁєЄѕЅіІїЇјЈљЉњЊћЋќЌўЎџЏюЮъЪаАбБцЦдДеЕфФгГ«»░▒▓│┤хХиИ╣║╗╝йЙ┐└┴┬├─┼кК╚╔╩╦╠═╬¤лЛмМнНоОп┘┌█▄Пя▀ЯрРсСтТуУжЖвВьЬ№\u{ad}ыЫзЗшШэЭщЩчЧ§■\u{a0}";

impl Charset {
    pub(in crate::read) const UTF8: Self = Self::Known(UTF_8);

    /// The encoding with this name or WHATWG label.
    pub(super) fn of_label(label: &str) -> Option<Self> {
        let plain: String =
            label.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        match plain.as_str() {
            "utf32" | "utf32le" => Some(Self::Utf32 { big: false }),
            "utf32be" => Some(Self::Utf32 { big: true }),
            "ibm855" | "cp855" => Some(Self::Ibm855),
            _ => Encoding::for_label(label.as_bytes()).map(Self::of),
        }
    }

    /// GBK is read as the larger GB18030.
    pub(super) fn of(encoding: &'static Encoding) -> Self {
        Self::Known(if encoding == GBK { GB18030 } else { encoding })
    }

    /// The name for reports.
    pub(in crate::read) fn name(self) -> String {
        match self {
            Self::Known(encoding) => encoding.name().replace("gb18030", "GB18030"),
            Self::Utf32 { big: true } => "UTF-32BE".to_owned(),
            Self::Utf32 { big: false } => "UTF-32LE".to_owned(),
            Self::Ibm855 => "IBM855".to_owned(),
            Self::Mixed(other) => format!("UTF-8 + {}", Self::Known(other).name()),
        }
    }

    /// Whether characters of ASCII take more than a byte.
    pub(in crate::read) fn is_wide(self) -> bool {
        match self {
            Self::Known(encoding) => encoding == UTF_16LE || encoding == UTF_16BE,
            Self::Utf32 { .. } => true,
            Self::Ibm855 | Self::Mixed(_) => false,
        }
    }

    /// A decoder; `None` for UTF-8, which needs none.
    pub(super) fn decoding(self) -> Option<Decoding> {
        match self {
            Self::Known(encoding) if encoding == UTF_8 => None,
            Self::Known(encoding) => Some(Decoding::Known(encoding.new_decoder_with_bom_removal())),
            Self::Utf32 { big } => Some(Decoding::Units(Units { big, ..Units::default() })),
            Self::Ibm855 => Some(Decoding::Table(IBM855.chars().collect())),
            Self::Mixed(other) => Some(Decoding::Lines(Lines::new(other))),
        }
    }

    /// The text of `bytes`, and how many places of it mean nothing. An end inside a character is none of them
    /// unless the bytes are the `whole`.
    pub(super) fn text(self, bytes: &[u8], whole: bool) -> (String, usize) {
        let Self::Known(encoding) = self else {
            let mut out = vec![0; bytes.len() * 3 + 16];
            let Some(mut decoding) = self.decoding() else { return (String::new(), 0) };
            let done = decoding.decode(bytes, &mut out, whole);
            out.truncate(done.written);
            let text = String::from_utf8_lossy(&out).into_owned();
            let bad = if done.bad { text.matches('\u{fffd}').count() } else { 0 };
            return (text, bad);
        };
        let mut text = String::with_capacity(bytes.len() * 3 + 16);
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let (_, _, bad) = decoder.decode_to_string(bytes, &mut text, whole);
        let bad = if bad { text.matches('\u{fffd}').count() } else { 0 };
        (text, bad)
    }
}

/// What a call of [`Decoding::decode`] did.
pub(super) struct Done {
    pub(super) read: usize,
    pub(super) written: usize,
    /// Whether some bytes meant nothing.
    pub(super) bad: bool,
    /// Whether the room was too small: the call must be repeated with what was not read.
    pub(super) full: bool,
}

/// A decoder with what it remembers between two blocks.
pub(super) enum Decoding {
    Known(Decoder),
    Units(Units),
    Table(Vec<char>),
    Lines(Lines),
}

impl Decoding {
    /// Decodes `from` into `into`; `last` says that nothing follows.
    pub(super) fn decode(&mut self, from: &[u8], into: &mut [u8], last: bool) -> Done {
        match self {
            Self::Known(decoder) => {
                let (result, read, written, bad) = decoder.decode_to_utf8(from, into, last);
                Done { read, written, bad, full: result == CoderResult::OutputFull }
            }
            Self::Units(units) => units.decode(from, into, last),
            Self::Lines(lines) => lines.decode(from, into, last),
            Self::Table(table) => {
                let mut room = Room { into, written: 0 };
                for (read, &byte) in from.iter().enumerate() {
                    let c = match byte {
                        0..=127 => char::from(byte),
                        _ => table.get(usize::from(byte) - 128).copied().unwrap_or('\u{fffd}'),
                    };
                    if !room.put(c) {
                        return Done { read, written: room.written, bad: false, full: true };
                    }
                }
                Done { read: from.len(), written: room.written, bad: false, full: false }
            }
        }
    }
}

/// Where decoded text goes.
pub(super) struct Room<'a> {
    pub(super) into: &'a mut [u8],
    pub(super) written: usize,
}

impl Room<'_> {
    /// Appends a character; `false` if there is no room for it.
    pub(super) fn put(&mut self, c: char) -> bool {
        match self.into.get_mut(self.written..).filter(|rest| rest.len() >= 4) {
            Some(rest) => {
                self.written += c.encode_utf8(rest).len();
                true
            }
            None => false,
        }
    }
}

/// Decoder of UTF-32.
#[derive(Default)]
pub(super) struct Units {
    big: bool,
    /// Bytes of a character that the last block was cut in.
    carry: Vec<u8>,
    begun: bool,
}

impl Units {
    fn decode(&mut self, from: &[u8], into: &mut [u8], last: bool) -> Done {
        let mut room = Room { into, written: 0 };
        let (mut read, mut bad) = (0, false);
        loop {
            while self.carry.len() < 4
                && let Some(&byte) = from.get(read)
            {
                self.carry.push(byte);
                read += 1;
            }
            let unit = match <[u8; 4]>::try_from(self.carry.as_slice()) {
                Ok(unit) if self.big => u32::from_be_bytes(unit),
                Ok(unit) => u32::from_le_bytes(unit),
                Err(_) if last && !self.carry.is_empty() => u32::MAX,
                Err(_) => return Done { read, written: room.written, bad, full: false },
            };
            let c = char::from_u32(unit).unwrap_or('\u{fffd}');
            if (self.begun || c != '\u{feff}') && !room.put(c) {
                return Done { read, written: room.written, bad, full: true };
            }
            bad |= char::from_u32(unit).is_none();
            self.begun = true;
            self.carry.clear();
        }
    }
}
