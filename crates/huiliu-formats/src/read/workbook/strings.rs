//! The strings that cells of a workbook share, one behind the other in one text.
//!
//! Rich text is joined; phonetic guides (`rPh`), which repeat a text in another script, are left out.

use std::io::Read;

use super::xml::{Scanner, Token, unescape};
use crate::read::error::ReadError;

/// Most bytes of all shared strings together.
const MOST_TEXT: usize = 192 << 20;
/// Most shared strings.
const MOST_STRINGS: usize = 1 << 24;

/// All shared strings.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Strings {
    /// Reads the part `sharedStrings.xml`.
    pub(super) fn read(part: impl Read) -> Result<Self, ReadError> {
        let mut scanner = Scanner::new(part);
        let mut strings = Self::default();
        loop {
            match scanner.next()? {
                Token::Open { name: b"si", empty, .. } => {
                    if !empty {
                        read_rich(&mut scanner, &mut strings.text, b"si", MOST_TEXT)?;
                    }
                    if strings.text.len() > MOST_TEXT || strings.ends.len() >= MOST_STRINGS {
                        return Err(too_much());
                    }
                    strings.ends.push(strings.text.len() as u32);
                }
                Token::End => return Ok(strings),
                _ => {}
            }
        }
    }

    /// String number `index`.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = match index {
            0 => 0,
            _ => *self.ends.get(index - 1)? as usize,
        };
        self.text.get(start..end)
    }
}

fn too_much() -> ReadError {
    ReadError::too_large("工作簿的文字量（字节）", "the texts of the workbook in bytes", MOST_TEXT as u64)
}

/// Adds the text of an element with `t` elements in it, up to its end.
pub(super) fn read_rich<R: Read>(
    scanner: &mut Scanner<R>,
    to: &mut String,
    element: &[u8],
    most: usize,
) -> Result<(), ReadError> {
    let start = to.len();
    let (mut text, mut guides) = (false, 0_u32);
    loop {
        match scanner.next()? {
            Token::Open { name: b"t", empty: false, .. } => text = guides == 0,
            Token::Close { name: b"t" } => text = false,
            Token::Open { name: b"rPh", empty: false, .. } => guides = guides.saturating_add(1),
            Token::Close { name: b"rPh" } => guides = guides.saturating_sub(1),
            Token::Text(raw) if text => unescape(to, raw),
            Token::Literal(raw) if text => to.push_str(&String::from_utf8_lossy(raw)),
            Token::Close { name } if name == element => break,
            Token::End => break,
            _ => {}
        }
        if to.len() > most {
            return Err(too_much());
        }
    }
    decode_controls(to, start);
    Ok(())
}

/// Resolves `_x000D_`, by which characters are written that XML does not allow, in the text from `start` on.
pub(super) fn decode_controls(to: &mut String, start: usize) {
    let Some(added) = to.get(start..) else { return };
    if memchr::memmem::find(added.as_bytes(), b"_x").is_none() {
        return;
    }
    let raw = added.to_owned();
    to.truncate(start);
    let mut rest = raw.as_str();
    while let Some(at) = rest.find("_x") {
        let (before, behind) = rest.split_at(at);
        to.push_str(before);
        let code = behind.get(2..6).filter(|_| behind.as_bytes().get(6) == Some(&b'_'));
        let code = code.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(character) => {
                to.push(character);
                rest = behind.get(7..).unwrap_or_default();
            }
            None => {
                to.push_str("_x");
                rest = behind.get(2..).unwrap_or_default();
            }
        }
    }
    to.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rich_texts_are_joined_and_guides_left_out() {
        let part = "<sst count=\"9\"><si><t>一</t></si><si/><si><r><rPr><b/></rPr><t xml:space=\"preserve\">二 </t></r>\
            <r><t>&amp;三</t></r><rPh sb=\"0\" eb=\"1\"><t>ni</t></rPh></si><si><t>a_x000A_b_x_</t></si></sst>";
        let strings = Strings::read(part.as_bytes()).unwrap();
        let all: Vec<Option<&str>> = (0..5).map(|index| strings.get(index)).collect();
        assert_eq!(all, [Some("一"), Some(""), Some("二 &三"), Some("a\nb_x_"), None]);
    }

    #[test]
    fn endless_texts_are_refused() {
        let part = b"<sst><si><t>".chain(std::io::repeat(b'x'));
        assert!(Strings::read(part).is_err());
    }
}
