//! Which encoding a text is in, and how that was told.
//!
//! What proves itself comes first: a byte order mark, the zero bytes of wide encodings, strict UTF-8. What is left is
//! weighed: `chardetng` knows the languages, [`likely`] and [`cyrillic`] what it is weak at. Whatever is decided
//! so can be wrong; so bytes that do not fit are counted and placed by whoever decodes.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, IBM866, ISO_2022_JP, ISO_8859_5, KOI8_U, MACINTOSH, SHIFT_JIS,
    WINDOWS_1251, WINDOWS_1252,
};

use super::charset::Charset;
use super::cyrillic::{cyrillic, is_mac_latin};
use super::likely::{Likely, TEXT, likely};
use super::mixed::other_encoding;
use super::wide::by_zero_bytes;

/// Least lead of an encoding over the next likely one that is no guess, in logarithms of likelihood.
const LEAST_LEAD: f64 = 6.0;
/// Least mean likelihood of East Asian text if the detector thinks so too.
const TEXT_IF_ASIAN: f64 = -10.5;

/// How an encoding was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) enum How {
    /// The options name it.
    Stated,
    /// The file itself declares it.
    Declared,
    /// A byte order mark.
    Mark,
    /// Zero bytes where a wide encoding has them.
    ZeroBytes,
    /// All of the sample is UTF-8 (or ASCII).
    Strict,
    /// The likeliest of several.
    Statistics,
    /// The likeliest of several, but hardly more so than the next.
    Guess,
}

impl How {
    /// The words of the report.
    pub(in crate::read) fn as_str(self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::Declared => "declared",
            Self::Mark => "byte order mark",
            Self::ZeroBytes => "zero bytes",
            Self::Strict => "strict",
            Self::Statistics => "statistics",
            Self::Guess => "guess",
        }
    }
}

/// The encoding of a text that begins with `sample`; `whole` says that there is no more of it.
pub(super) fn detect(sample: &[u8], whole: bool) -> (Charset, How) {
    if let Some(charset) = by_mark(sample) {
        // Rows of another program may follow those behind the mark.
        let other = if charset == Charset::UTF8 { other_encoding(sample) } else { None };
        return (other.map_or(charset, Charset::Mixed), How::Mark);
    }
    if let Some(charset) = by_zero_bytes(sample) {
        return (charset, How::ZeroBytes);
    }
    match std::str::from_utf8(sample) {
        // ISO 2022 is ASCII to whoever does not know its escapes.
        Ok(_) if has_japanese_escape(sample) => {
            return (Charset::Known(ISO_2022_JP), How::Statistics);
        }
        // So are the ways to write Chinese and Korean in seven bits, which nobody decodes any more.
        Ok(text) if is_armoured(text) => return (Charset::UTF8, How::Guess),
        // Two bytes of Chinese may be two of UTF-8, but hardly ever letters that go together.
        Ok(text) if is_medley(text) => {
            let found = likely(sample).filter(|found| found.bad == 0 && found.mean > MEAN_OF_WORDS);
            return (found.map_or(Charset::UTF8, |found| found.charset), How::Guess);
        }
        Ok(_) => return (Charset::UTF8, How::Strict),
        // Cut inside a character.
        Err(error) if error.error_len().is_none() && !whole => return (Charset::UTF8, How::Strict),
        Err(_) => {}
    }
    weighed(sample, whole)
}

/// Whether an escape of ISO 2022 begins Japanese characters.
fn has_japanese_escape(sample: &[u8]) -> bool {
    let begins = |at: usize| matches!(sample.get(at + 1..at + 3), Some([b'$', b'@' | b'B']));
    memchr::memchr_iter(0x1b, sample).any(begins)
}

fn by_mark(sample: &[u8]) -> Option<Charset> {
    match sample {
        [0xff, 0xfe, 0, 0, ..] => Some(Charset::Utf32 { big: false }),
        [0, 0, 0xfe, 0xff, ..] => Some(Charset::Utf32 { big: true }),
        [0x84, 0x31, 0x95, 0x33, ..] => Some(Charset::Known(GB18030)),
        _ => Encoding::for_bom(sample).map(|(encoding, _)| Charset::Known(encoding)),
    }
}

/// The likeliest encoding, and whether it stands apart from the others.
fn weighed(sample: &[u8], whole: bool) -> (Charset, How) {
    if let Some(other) = other_encoding(sample) {
        return (Charset::Mixed(other), How::Statistics);
    }
    // Mostly UTF-8 with some damage is UTF-8 with some damage.
    if mostly_utf8(sample) {
        return (Charset::UTF8, How::Statistics);
    }
    let asian = |e: &'static Encoding| {
        Charset::of(e) == Charset::Known(GB18030) || [BIG5, EUC_KR, SHIFT_JIS, EUC_JP].contains(&e)
    };
    let found = likely(sample).filter(|found| found.bad * 20 <= found.count);
    let how = |found: &Likely| if found.lead < LEAST_LEAD { How::Guess } else { How::Statistics };
    // The detector weighs each byte in forty encodings, which takes as long as reading a hundred megabytes: it is
    // asked only where its word counts.
    if let Some(found) = found.as_ref().filter(|found| found.mean > TEXT) {
        return (found.charset, how(found));
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, whole);
    let guess = detector.guess(Some(b"cn"), Utf8Detection::Deny);
    if let Some(found) = found.filter(|found| asian(guess) && found.mean > TEXT_IF_ASIAN) {
        return (found.charset, how(&found));
    }
    let guess = if asian(guess) { detector.guess(None, Utf8Detection::Deny) } else { guess };
    let slavic = [WINDOWS_1251, KOI8_U, ISO_8859_5, IBM866].contains(&guess);
    if let Some(charset) = cyrillic(sample)
        && (slavic || charset != Charset::Known(guess))
    {
        return (charset, How::Statistics);
    }
    if is_euro_only(sample) {
        return (Charset::Known(WINDOWS_1252), How::Statistics);
    }
    if !asian(guess) && !slavic && is_mac_latin(sample) {
        return (Charset::Known(MACINTOSH), How::Statistics);
    }
    match Charset::of(guess) {
        charset if charset.text(sample, whole).1 == 0 => (charset, How::Statistics),
        _ if asian(guess) => (Charset::Known(GB18030), How::Statistics),
        _ => (Charset::Known(WINDOWS_1252), How::Statistics),
    }
}

/// Whether the one sign beyond ASCII is that of the euro beside an amount, as Windows writes it: elsewhere the byte is a
/// letter, which no number stands beside.
fn is_euro_only(sample: &[u8]) -> bool {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let beside = |at: usize| {
        let before = sample[..at].iter().rev().find(|&&b| b != b' ');
        let behind = sample[at + 1..].iter().find(|&&b| b != b' ');
        digit(before) || digit(behind)
    };
    let mut high = (0..sample.len()).filter(|&at| !sample[at].is_ascii()).peekable();
    high.peek().is_some() && high.all(|at| sample[at] == 0x80 && beside(at))
}

/// Most bytes of a text that is looked at for letters that do not go together.
const MEDLEY: usize = 256;
/// Least mean likelihood of words in one of the East Asian encodings, a logarithm.
const MEAN_OF_WORDS: f64 = -8.0;

/// Whether the letters beyond ASCII are of several alphabets, or of rare parts of one: bytes that are UTF-8 by chance.
fn is_medley(text: &str) -> bool {
    if text.len() > MEDLEY || text.is_ascii() || text.chars().any(|c| c.len_utf8() > 2) {
        return false;
    }
    let alphabet = |c: char| match c {
        '\u{a0}'..='\u{17f}' => Some(0),
        'Ά'..='ώ' => Some(1),
        'Ѐ'..='џ' | 'Ґ' | 'ґ' => Some(2),
        'Ա'..='և' => Some(3),
        'א'..='ת' => Some(4),
        'ء'..='ي' => Some(5),
        _ => None,
    };
    let mut found: Vec<Option<u8>> = text.chars().filter(|c| !c.is_ascii()).map(alphabet).collect();
    found.dedup();
    found.contains(&None) || found.len() > 1 && !found.contains(&Some(0))
}

/// Whether an ASCII text holds another in escapes: ISO 2022 of Korean and Chinese (`ESC $ ) C`), HZ (`~{VPND~}`).
fn is_armoured(text: &str) -> bool {
    if !text.is_ascii() {
        return false;
    }
    let escaped = text.contains("\x1b$)");
    let mut pairs = text.split("~{").skip(1).map(|rest| rest.split_once("~}").map(|(inside, _)| inside));
    let holds = |inside: &str| {
        !inside.is_empty() && inside.len().is_multiple_of(2) && !inside.contains(char::is_whitespace)
    };
    escaped || text.contains("~{") && pairs.all(|inside| inside.is_some_and(holds))
}

/// Characters of three bytes and more hardly come about by chance; a few of them weigh as much as many shorter ones.
fn mostly_utf8(sample: &[u8]) -> bool {
    let (mut good, mut wide, mut bad) = (0_usize, 0_usize, 0_usize);
    for chunk in sample.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        wide += chunk.valid().chars().filter(|c| c.len_utf8() > 2).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > 20 * bad || wide > 3 && wide > 2 * bad
}

#[cfg(test)]
mod tests;
