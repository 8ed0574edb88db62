//! Tags and texts of a part of a workbook, as a stream.
//!
//! Parts are megabytes of very short tags, so this reader does little: no tree, no namespaces (a prefix is left out:
//! producers choose them freely), no document types, hence no entities but the five of XML. One token at a time
//! stands in the buffer and none may be longer than [`MOST_TOKEN`], whatever the part's size.

use std::io::Read;

use crate::read::error::ReadError;

/// Longest tag or text.
const MOST_TOKEN: usize = 16 << 20;
/// Bytes asked for at once.
const BLOCK: usize = 64 << 10;

/// What stands next in a part. Names are without their prefix.
#[derive(Debug, PartialEq)]
pub(in crate::read) enum Token<'a> {
    Open {
        name: &'a [u8],
        attributes: Attributes<'a>,
        empty: bool,
    },
    Close {
        name: &'a [u8],
    },
    /// Text as it stands in the part, entities not resolved.
    Text(&'a [u8]),
    /// A CDATA section, which has no entities.
    Literal(&'a [u8]),
    End,
}

/// Where a token stands in the buffer.
enum Found {
    Tag(usize, usize),
    Text(usize, usize),
    Literal(usize, usize),
    End,
}

/// Reads tokens from a stream of bytes.
pub(in crate::read) struct Scanner<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    over: bool,
}

impl<R: Read> Scanner<R> {
    pub(in crate::read) fn new(source: R) -> Self {
        Self { source, buffer: vec![0; 2 * BLOCK], start: 0, end: 0, over: false }
    }

    /// Where the tokens come from; it may be ahead of them.
    pub(in crate::read) fn source(&self) -> &R {
        &self.source
    }

    /// The next token.
    #[inline]
    pub(in crate::read) fn next(&mut self) -> Result<Token<'_>, ReadError> {
        let found = self.find()?;
        let slice = |from: usize, to: usize| self.buffer.get(from..to).unwrap_or_default();
        Ok(match found {
            Found::Text(from, to) => Token::Text(slice(from, to)),
            Found::Literal(from, to) => Token::Literal(slice(from, to)),
            Found::Tag(from, to) => tag(slice(from, to)),
            Found::End => Token::End,
        })
    }

    #[inline]
    fn find(&mut self) -> Result<Found, ReadError> {
        loop {
            if self.start == self.end && !self.more()? {
                return Ok(Found::End);
            }
            if self.buffer.get(self.start) != Some(&b'<') {
                let length = self.until(b"<", 0, true)?;
                let from = self.start;
                self.start += length;
                return Ok(Found::Text(from, from + length));
            }
            while self.end - self.start < 2 && self.more()? {}
            // Behind the end stand bytes of before.
            match self.buffer.get(self.start..self.end).and_then(|there| there.get(1)) {
                Some(b'!') => {
                    if let Some(found) = self.declaration()? {
                        return Ok(found);
                    }
                }
                Some(b'?') => self.start += self.until(b"?>", 2, false)? + 2,
                _ => {
                    let length = self.tag_length()?;
                    let from = self.start + 1;
                    self.start += length;
                    return Ok(Found::Tag(from, from + length - 2));
                }
            }
        }
    }

    /// A comment is passed over, a CDATA section is text, a document type is refused.
    #[cold]
    fn declaration(&mut self) -> Result<Option<Found>, ReadError> {
        while self.end - self.start < 9 && self.more()? {}
        let begin = self.buffer.get(self.start..self.end).unwrap_or_default();
        if begin.starts_with(b"<!--") {
            self.start += self.until(b"-->", 4, false)? + 3;
            Ok(None)
        } else if begin.starts_with(b"<![CDATA[") {
            let length = self.until(b"]]>", 9, false)?;
            let from = self.start + 9;
            self.start += length + 3;
            Ok(Some(Found::Literal(from, from + length - 9)))
        } else {
            Err(document_type())
        }
    }

    /// Bytes from the start to `wanted`, looked for from `skip` on. At the part's end a text may end, too.
    #[inline]
    fn until(&mut self, wanted: &[u8], skip: usize, may_end: bool) -> Result<usize, ReadError> {
        let mut from = skip;
        loop {
            let there = self.buffer.get(self.start..self.end).unwrap_or_default();
            let rest = there.get(from..).unwrap_or_default();
            let at = match wanted {
                [one] => memchr::memchr(*one, rest),
                _ => memchr::memmem::find(rest, wanted),
            };
            if let Some(at) = at {
                return Ok(from + at);
            }
            let length = there.len();
            from = from.max(length.saturating_sub(wanted.len() - 1));
            if !self.more()? {
                return if may_end { Ok(length) } else { Err(cut_off()) };
            }
        }
    }

    /// Bytes of the tag that begins at the start, with both brackets. A bracket within quotes is none.
    #[inline]
    fn tag_length(&mut self) -> Result<usize, ReadError> {
        let (mut at, mut quote) = (1, 0_u8);
        loop {
            let there = self.buffer.get(self.start..self.end).unwrap_or_default();
            for &byte in there.get(at..).unwrap_or_default() {
                at += 1;
                match byte {
                    _ if quote != 0 => quote = if byte == quote { 0 } else { quote },
                    b'>' => return Ok(at),
                    b'"' | b'\'' => quote = byte,
                    _ => {}
                }
            }
            if !self.more()? {
                return Err(cut_off());
            }
        }
    }

    /// Reads on; `false` at the part's end.
    fn more(&mut self) -> Result<bool, ReadError> {
        if self.over {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            if self.end >= MOST_TOKEN {
                return Err(ReadError::too_large(
                    "单元格文字长度（字节）",
                    "the length of a text in bytes",
                    MOST_TOKEN as u64,
                ));
            }
            self.buffer.resize((self.end * 2).min(MOST_TOKEN), 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let count = self.source.read(room).map_err(|e| ReadError::damaged(&e))?;
        self.end += count;
        self.over = count == 0;
        Ok(count > 0)
    }
}

fn cut_off() -> ReadError {
    ReadError::damaged(&"a part ends in the middle of a tag")
}

/// What stands between the brackets.
#[inline]
fn tag(inner: &[u8]) -> Token<'_> {
    if let Some(name) = inner.strip_prefix(b"/") {
        return Token::Close { name: local(name.trim_ascii_end()) };
    }
    let (inner, empty) = match inner.strip_suffix(b"/") {
        Some(inner) => (inner, true),
        None => (inner, false),
    };
    let length = inner.iter().position(u8::is_ascii_whitespace).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(length);
    Token::Open { name: local(name), attributes: Attributes(rest), empty }
}

/// A name without its prefix.
#[inline]
fn local(name: &[u8]) -> &[u8] {
    match memchr::memchr(b':', name) {
        Some(colon) => name.get(colon + 1..).unwrap_or_default(),
        None => name,
    }
}

/// Name (without prefix) and raw value of each attribute of a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::read) struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// The raw value of the attribute.
    pub(super) fn get(mut self, name: &[u8]) -> Option<&'a [u8]> {
        self.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The value as text.
    pub(super) fn text(self, name: &[u8]) -> Option<String> {
        let mut text = String::new();
        unescape(&mut text, self.get(name)?);
        Some(text)
    }

    /// The value as a number.
    pub(super) fn number(self, name: &[u8]) -> Option<u32> {
        digits(self.get(name)?)
    }

    /// Whether the value is `1` or `true`.
    pub(super) fn flag(self, name: &[u8]) -> bool {
        matches!(self.get(name), Some(b"1" | b"true" | b"on"))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_ascii_start();
        let equals = memchr::memchr(b'=', rest)?;
        let name = rest.get(..equals)?.trim_ascii_end();
        // `xmlns:r` declares a prefix and is no attribute `r`.
        let name = if name.starts_with(b"xmlns") { name } else { local(name) };
        let behind = rest.get(equals + 1..)?.trim_ascii_start();
        let (&quote, value) = behind.split_first()?;
        if quote != b'"' && quote != b'\'' {
            return None;
        }
        let length = memchr::memchr(quote, value)?;
        self.0 = value.get(length + 1..).unwrap_or_default();
        Some((name, value.get(..length)?))
    }
}

/// A whole number without a sign.
#[inline]
pub(super) fn digits(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u32, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u32::from(byte - b'0')),
        _ => None,
    })
}

/// Adds a raw text with its entities resolved. What is no entity stays as it stands.
pub(in crate::read) fn unescape(to: &mut String, raw: &[u8]) {
    let raw = String::from_utf8_lossy(raw);
    let mut rest = raw.as_ref();
    while let Some(at) = memchr::memchr2(b'&', b'\r', rest.as_bytes()) {
        let (before, behind) = rest.split_at(at);
        to.push_str(before);
        if let Some(behind) = behind.strip_prefix('\r') {
            // XML reads every kind of line end as one line feed.
            to.push('\n');
            rest = behind.strip_prefix('\n').unwrap_or(behind);
            continue;
        }
        let end = behind.bytes().take(12).position(|byte| byte == b';');
        match end.and_then(|end| Some((entity(behind.get(1..end)?)?, end))) {
            Some((character, end)) => {
                to.push(character);
                rest = behind.get(end + 1..).unwrap_or_default();
            }
            None => {
                to.push('&');
                rest = behind.get(1..).unwrap_or_default();
            }
        }
    }
    to.push_str(rest);
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

/// Entities that a document type declares may unfold to anything.
fn document_type() -> ReadError {
    ReadError::new(
        "文件里有文档类型声明（DOCTYPE），为安全起见不读取；请去掉这一声明，或重新导出后上传",
        "the file holds a document type, which is not read for safety; take that declaration out, or export the file anew",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives a byte at a time, so that every token is cut.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn tokens(source: impl Read) -> Result<Vec<String>, ReadError> {
        let mut scanner = Scanner::new(source);
        let mut all = Vec::new();
        loop {
            let shown = match scanner.next()? {
                Token::End => return Ok(all),
                Token::Open { name, attributes, empty } => {
                    let attributes: String = attributes
                        .map(|(n, v)| format!(" {}={}", n.escape_ascii(), v.escape_ascii()))
                        .collect();
                    format!("{}{}{attributes}", name.escape_ascii(), if empty { "/" } else { "" })
                }
                Token::Close { name } => format!("/{}", name.escape_ascii()),
                Token::Text(raw) => {
                    let mut text = String::new();
                    unescape(&mut text, raw);
                    format!("'{text}'")
                }
                Token::Literal(raw) => format!("[{}]", raw.escape_ascii()),
            };
            all.push(shown);
        }
    }

    #[test]
    fn tags_texts_and_attributes_are_found() {
        let part = "<?xml version=\"1.0\"?><!-- <no> --><x:row r='1' a:id=\"a>b\"/><t >1 &lt; 2&#x4e2d;&no;\r\n</x:t>\
            <![CDATA[<&]]>end";
        let expected = ["row/ r=1 id=a>b", "t", "'1 < 2中&no;\n'", "/t", "[<&]", "'end'"];
        assert_eq!(tokens(part.as_bytes()).unwrap(), expected);
        assert_eq!(tokens(Drip(part.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn what_is_cut_or_harmful_is_refused() {
        for part in
            ["T!<><", "<a", "<!-- a", "<![CDATA[ a", "<?x", "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "<a b='>"]
        {
            assert!(tokens(part.as_bytes()).is_err(), "{part}");
        }
        let endless = std::io::repeat(b'x');
        assert!(tokens(endless).unwrap_err().to_string().contains("length of a text"));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_the_cut_of_blocks_does_not_matter(part in "[<>/!?&;a='\"\\[\\]CDATA -]{0,60}") {
            prop_assert_eq!(tokens(part.as_bytes()), tokens(Drip(part.as_bytes())));
        }
    }
}
