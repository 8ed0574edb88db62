//! Encodings of two and four bytes a character, told by where their zero bytes stand.
//!
//! UTF-32 leaves nothing open. UTF-16 of western text is half zeros; of other scripts only its line ends, blanks, commas
//! and figures have any, so they decide, and what they decide must read as text.

use encoding_rs::{UTF_16BE, UTF_16LE};

use super::charset::Charset;

/// Bytes that are looked at.
const MOST: usize = 64 << 10;

/// The wide encoding of a text with zero bytes, if it is one.
pub(super) fn by_zero_bytes(all: &[u8]) -> Option<Charset> {
    memchr::memchr(0, all)?;
    let sample = &all[..all.len().min(MOST)];
    for big in [false, true] {
        let charset = Charset::Utf32 { big };
        let (text, bad) = charset.text(sample, false);
        if sample.len() >= 8 && bad == 0 && !text.contains('\0') {
            return Some(charset);
        }
    }
    if is_narrow(sample) {
        return None;
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
    if is_utf8(sample) {
        return None;
    }
    let little = sample.chunks_exact(2).filter(|pair| pair[1] == 0 && is_mark(pair[0])).count();
    let big = sample.chunks_exact(2).filter(|pair| pair[0] == 0 && is_mark(pair[1])).count();
    let charset = match little.cmp(&big) {
        std::cmp::Ordering::Greater => Charset::Known(UTF_16LE),
        std::cmp::Ordering::Less => Charset::Known(UTF_16BE),
        std::cmp::Ordering::Equal => return None,
    };
    let (text, bad) = charset.text(sample, false);
    let odd = text.chars().filter(|&c| is_odd(c)).count();
    (bad == 0 && odd * 50 <= pairs).then_some(charset)
}

/// What makes a table of a text: line ends, blanks, delimiters, figures.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | b'\t' | b' ' | b',' | b';' | b'|' | b'"' | b'.' | b'-' | b'0'..=b'9')
}

/// Whether letters stand side by side, as in a text of one byte a letter.
fn is_narrow(sample: &[u8]) -> bool {
    let letters = |pair: &&[u8]| pair.iter().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t'));
    sample.chunks_exact(2).filter(letters).count() * 10 > sample.len() / 2 * 6
}

/// Whether the bytes are UTF-8 with hardly a control character but zeros.
fn is_utf8(sample: &[u8]) -> bool {
    let controls = sample.iter().filter(|b| matches!(b, 1..=8 | 11 | 12 | 14..=31 | 127)).count();
    controls * 20 < sample.len() && std::str::from_utf8(sample).is_ok()
}

/// Characters that tables do not hold.
fn is_odd(c: char) -> bool {
    let control = c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    control || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..) || matches!(c, '\u{a000}'..='\u{abff}')
}
