//! Which of the many encodings of Cyrillic, and which of the two of western Latin.
//!
//! Letters of the same alphabet stand at other places in each encoding, so a text that is read by the wrong one has
//! rare letters and capitals inside words. Only asked where `chardetng` cannot know better: it has no Mac encodings
//! and no IBM 855.

use encoding_rs::{IBM866, ISO_8859_5, KOI8_U, MACINTOSH, WINDOWS_1251, WINDOWS_1252, X_MAC_CYRILLIC};

use super::charset::Charset;

/// Letters from common to rare, of Russian with those of its neighbours behind.
const BY_USE: &str = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґўјљњћџђѕ";
const MOST: usize = 64 << 10;

/// The best reading of bytes as Cyrillic, if they are that at all.
pub(super) fn cyrillic(sample: &[u8]) -> Option<Charset> {
    let bytes = &sample[..sample.len().min(MOST)];
    let known = [WINDOWS_1251, KOI8_U, ISO_8859_5, IBM866, X_MAC_CYRILLIC].map(Charset::Known);
    let mut best: Option<(f64, Charset)> = None;
    for charset in known.into_iter().chain([Charset::Ibm855]) {
        let (text, _) = charset.text(bytes, true);
        let mean = mean(&text);
        if best.is_none_or(|(least, _)| mean > least) {
            best = Some((mean, charset));
        }
    }
    // Letters of running text have about 3 bits each; other alphabets read as Cyrillic lie above 5.
    best.filter(|(mean, _)| *mean > -3.6).map(|(_, charset)| charset)
}

/// Mean likelihood (a logarithm) of the characters beyond ASCII.
fn mean(text: &str) -> f64 {
    let (mut sum, mut count, mut before) = (0.0, 0_usize, ' ');
    for c in text.chars() {
        if !c.is_ascii() {
            sum += weight(c, before);
            count += 1;
        }
        before = c;
    }
    if count == 0 { f64::NEG_INFINITY } else { sum / count as f64 }
}

fn weight(c: char, before: char) -> f64 {
    let lower = c.to_lowercase().next().unwrap_or(c);
    let Some(rank) = BY_USE.chars().position(|letter| letter == lower) else {
        return match c {
            '«' | '»' | '—' | '–' | '“' | '”' | '„' | '№' | '\u{a0}' | '…' => -5.0,
            _ => -9.0,
        };
    };
    let common = -2.2 - 0.12 * rank as f64;
    let inside = before.is_alphabetic();
    match (lower == c, inside) {
        // A letter behind one of ASCII is no Cyrillic word.
        _ if before.is_ascii_alphabetic() => -8.0,
        (true, _) => common,
        (false, false) => common - 1.5,
        // All in capitals, or a capital in the middle of a word.
        (false, true) if before.is_uppercase() => common - 1.8,
        (false, true) => common - 6.0,
    }
}

/// Whether western text is in the encoding of the Mac rather than of Windows: then its letters are symbols in the other.
pub(super) fn is_mac_latin(sample: &[u8]) -> bool {
    let bytes = &sample[..sample.len().min(MOST)];
    let letters = |charset: Charset| {
        let (text, _) = charset.text(bytes, true);
        let (mut good, mut odd, mut before) = (0_usize, 0_usize, ' ');
        for c in text.chars() {
            let inside = before.is_ascii_alphabetic();
            match c {
                _ if c.is_ascii() => {}
                'à'..='ÿ' | 'ß' => good += 1,
                'À'..='Ý' | '“' | '”' | '‘' | '’' | '«' | '»' | '–' | '—' if !before.is_lowercase() =>
                {
                    good += 1;
                }
                '’' => good += 1,
                _ => odd += 1 + usize::from(inside),
            }
            before = c;
        }
        (good, odd)
    };
    let (good, odd) = letters(Charset::Known(MACINTOSH));
    let (windows, strange) = letters(Charset::Known(WINDOWS_1252));
    good > 3 * odd && good > windows && strange > 2 * odd + 1
}
