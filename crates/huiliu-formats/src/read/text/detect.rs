//! Which encoding a text is in, and how that was told.
//!
//! What proves itself comes first: a byte order mark, the zero bytes of wide encodings, strict UTF-8. What is left is
//! weighed: `chardetng` knows the languages, [`likely`] and [`cyrillic`] what it is weak at. Whatever is decided
//! so can be wrong; so bytes that do not fit are counted and placed by whoever decodes.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, IBM866, ISO_2022_JP, ISO_8859_5, KOI8_U, MACINTOSH, SHIFT_JIS,
    UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252,
};

use super::charset::Charset;
use super::cyrillic::{cyrillic, is_mac_latin};
use super::likely::likely;

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
        }
    }
}

/// The encoding of a text that begins with `sample`; `whole` says that there is no more of it.
pub(super) fn detect(sample: &[u8], whole: bool) -> (Charset, How) {
    if let Some(charset) = by_mark(sample) {
        return (charset, How::Mark);
    }
    if let Some(charset) = by_zero_bytes(sample) {
        return (charset, How::ZeroBytes);
    }
    match std::str::from_utf8(sample) {
        // ISO 2022 is ASCII to whoever does not know its escapes.
        Ok(_) if sample.windows(3).any(|w| matches!(w, [0x1b, b'$', b'@' | b'B'])) => {
            return (Charset::Known(ISO_2022_JP), How::Statistics);
        }
        Ok(_) => return (Charset::UTF8, How::Strict),
        // Cut inside a character.
        Err(error) if error.error_len().is_none() && !whole => return (Charset::UTF8, How::Strict),
        Err(_) => {}
    }
    (weighed(sample, whole), How::Statistics)
}

fn by_mark(sample: &[u8]) -> Option<Charset> {
    match sample {
        [0xff, 0xfe, 0, 0, ..] => Some(Charset::Utf32 { big: false }),
        [0, 0, 0xfe, 0xff, ..] => Some(Charset::Utf32 { big: true }),
        [0x84, 0x31, 0x95, 0x33, ..] => Some(Charset::Known(GB18030)),
        _ => Encoding::for_bom(sample).map(|(encoding, _)| Charset::Known(encoding)),
    }
}

/// Wide encodings have zeros at places of their own: in UTF-32 each fourth byte, in UTF-16 one of two for ASCII.
fn by_zero_bytes(sample: &[u8]) -> Option<Charset> {
    memchr::memchr(0, sample)?;
    for big in [false, true] {
        let charset = Charset::Utf32 { big };
        let (text, bad) = charset.text(sample, false);
        if sample.len() >= 8 && bad == 0 && !text.contains('\0') {
            return Some(charset);
        }
    }
    let pairs = sample.len() / 2;
    let count = |offset: usize| sample.chunks_exact(2).filter(|pair| pair[offset] == 0).count();
    let (high, low) = (count(0), count(1));
    let (zeros, charset) =
        if high > low { (high, Charset::Known(UTF_16BE)) } else { (low, Charset::Known(UTF_16LE)) };
    let others = high.min(low);
    if zeros * 5 > pairs && others * 5 <= pairs {
        return Some(charset);
    }
    // Mostly Chinese: few zeros, for commas and line ends, and nothing odd among the characters.
    if zeros * 100 < pairs || others * 8 > zeros || std::str::from_utf8(sample).is_ok() {
        return None;
    }
    let (text, bad) = charset.text(sample, false);
    let odd = text.chars().filter(|&c| is_odd(c)).count();
    (bad == 0 && odd * 50 <= pairs).then_some(charset)
}

/// Characters that tables do not hold.
fn is_odd(c: char) -> bool {
    let control = c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    control || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..) || matches!(c, '\u{a000}'..='\u{abff}')
}

fn weighed(sample: &[u8], whole: bool) -> Charset {
    // Mostly UTF-8 with some damage is UTF-8 with some damage.
    if mostly_utf8(sample) {
        return Charset::UTF8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, whole);
    let guess = detector.guess(Some(b"cn"), Utf8Detection::Deny);
    let asian = |e: &'static Encoding| {
        Charset::of(e) == Charset::Known(GB18030) || [BIG5, EUC_KR, SHIFT_JIS, EUC_JP].contains(&e)
    };
    if let Some(found) = likely(sample) {
        let text = found.mean > if asian(guess) { -10.5 } else { -8.6 };
        if text && found.bad * 20 <= found.count {
            return found.charset;
        }
    }
    let guess = if asian(guess) { detector.guess(None, Utf8Detection::Deny) } else { guess };
    let slavic = [WINDOWS_1251, KOI8_U, ISO_8859_5, IBM866].contains(&guess);
    if let Some(charset) = cyrillic(sample)
        && (slavic || charset != Charset::Known(guess))
    {
        return charset;
    }
    if !asian(guess) && !slavic && is_mac_latin(sample) {
        return Charset::Known(MACINTOSH);
    }
    match Charset::of(guess) {
        charset if charset.text(sample, whole).1 == 0 => charset,
        _ if asian(guess) => Charset::Known(GB18030),
        _ => Charset::Known(WINDOWS_1252),
    }
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
