//! Tags and texts of a web page, as browsers forgive them.
//!
//! Attributes need no quotes, a lone `<` is a text, comments and the contents of scripts and styles are passed over, as are the
//! remarks on cells that LibreOffice writes as `comment` elements.
//! Nothing is kept but the token that is given.

use crate::read::error::ReadError;
use crate::read::text::TextReader;

/// Longest tag or text.
const MOST_TOKEN: usize = 16 << 20;

/// What stands next in a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// Name in lower case without a prefix, and all that follows it in the tag.
    Open(String, String),
    Close(String),
    /// Entities are resolved.
    Text(String),
    End,
}

/// Reads tokens.
pub(super) struct Lexer {
    reader: TextReader,
    /// The element whose content is no text: `script`, `style` or `comment`.
    skip: Option<&'static str>,
}

impl Lexer {
    pub(super) fn new(reader: TextReader) -> Self {
        Self { reader, skip: None }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token, ReadError> {
        if let Some(name) = self.skip.take() {
            self.pass(format!("</{name}").as_bytes(), false)?;
        }
        loop {
            let Some(length) = self.find(b"<", 0)? else {
                let rest = self.reader.unread().len();
                return Ok(if rest == 0 { Token::End } else { Token::Text(resolved(&self.take(rest))) });
            };
            if length > 0 {
                return Ok(Token::Text(resolved(&self.take(length))));
            }
            while self.reader.unread().len() < 4 && self.more()? {}
            match self.reader.unread() {
                [_, b'!', b'-', b'-', ..] => self.pass(b"-->", true)?,
                [_, b'!' | b'?', ..] => self.pass(b">", true)?,
                [_, b'/', byte, ..] if byte.is_ascii_alphabetic() => return self.tag(),
                [_, byte, ..] if byte.is_ascii_alphabetic() => return self.tag(),
                _ => {
                    self.reader.advance(1);
                    return Ok(Token::Text("<".to_owned()));
                }
            }
        }
    }

    /// A tag; one that the file cuts off is the end.
    fn tag(&mut self) -> Result<Token, ReadError> {
        let Some(length) = self.tag_length()? else {
            let rest = self.reader.unread().len();
            self.reader.advance(rest);
            return Ok(Token::End);
        };
        let tag = self.take(length);
        let inner = tag.trim_start_matches('<').trim_end_matches('>');
        let (closes, inner) = match inner.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        let end = inner.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inner.len());
        let (name, rest) = inner.split_at(end);
        let name = name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
        if closes {
            return Ok(Token::Close(name));
        }
        self.skip = ["script", "style", "comment"].into_iter().find(|skipped| *skipped == name);
        Ok(Token::Open(name, rest.to_owned()))
    }

    /// Bytes of the tag that comes next. A bracket is within quotes only behind `=`.
    fn tag_length(&mut self) -> Result<Option<usize>, ReadError> {
        let (mut at, mut quote, mut value) = (1, 0_u8, false);
        loop {
            for &byte in self.reader.unread().get(at..).unwrap_or_default() {
                at += 1;
                match byte {
                    _ if quote != 0 => quote = if byte == quote { 0 } else { quote },
                    b'>' => return Ok(Some(at)),
                    b'"' | b'\'' if value => quote = byte,
                    _ => {}
                }
                value = byte == b'=' || (value && byte.is_ascii_whitespace());
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Bytes up to `wanted`, which is looked for from `from` on.
    fn find(&mut self, wanted: &[u8], mut from: usize) -> Result<Option<usize>, ReadError> {
        loop {
            let unread = self.reader.unread();
            if let Some(at) = memchr::memmem::find(unread.get(from..).unwrap_or_default(), wanted) {
                return Ok(Some(from + at));
            }
            from = from.max(unread.len().saturating_sub(wanted.len() - 1));
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Goes on to what is `wanted`, and behind it; to the end if it does not come. Nothing is kept meanwhile.
    fn pass(&mut self, wanted: &[u8], behind: bool) -> Result<(), ReadError> {
        loop {
            let unread = self.reader.unread();
            // Tags of scripts are written in any case.
            let found = match behind {
                true => memchr::memmem::find(unread, wanted),
                false => unread.windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted)),
            };
            let length = match found {
                Some(at) => at + if behind { wanted.len() } else { 0 },
                None => unread.len().saturating_sub(wanted.len() - 1),
            };
            self.reader.advance(length);
            if found.is_some() {
                return Ok(());
            }
            if !self.more()? {
                let rest = self.reader.unread().len();
                self.reader.advance(rest);
                return Ok(());
            }
        }
    }

    fn more(&mut self) -> Result<bool, ReadError> {
        if self.reader.is_over() {
            return Ok(false);
        }
        if self.reader.unread().len() > MOST_TOKEN {
            return Err(ReadError::too_large(
                "单元格文字长度（字节）",
                "the length of a text in bytes",
                MOST_TOKEN as u64,
            ));
        }
        self.reader.more().map_err(|e| ReadError::io(&e))?;
        Ok(true)
    }

    fn take(&mut self, length: usize) -> String {
        self.reader.advance(length);
        String::from_utf8_lossy(self.reader.taken(length)).into_owned()
    }
}

/// The value of an attribute, its name in lower case; with or without quotes.
pub(super) fn attribute(tag: &str, wanted: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let value = behind.trim_start().strip_prefix('=').map(str::trim_start);
        let (value, next) = match value {
            None => ("", behind),
            Some(value) => match value.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let inner = value.get(1..).unwrap_or_default();
                    inner.split_once(quote).unwrap_or((inner, ""))
                }
                _ => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
            },
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(resolved(value));
        }
        // A stray `=` names nothing and is passed over.
        rest = if next.len() < rest.len() { next } else { rest.get(1..).unwrap_or_default() };
    }
}

/// Entities that stand in tables, besides those by number.
const ENTITIES: [(&str, char); 27] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("ensp", ' '),
    ("emsp", ' '),
    ("thinsp", ' '),
    ("yen", '¥'),
    ("middot", '·'),
    ("bull", '•'),
    ("times", '×'),
    ("divide", '÷'),
    ("plusmn", '±'),
    ("deg", '°'),
    ("sup2", '²'),
    ("sup3", '³'),
    ("permil", '‰'),
    ("mdash", '—'),
    ("ndash", '–'),
    ("hellip", '…'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("radic", '√'),
];

/// A text with its entities as characters. What is no entity stays.
fn resolved(text: &str) -> String {
    let (mut to, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, behind)) = rest.split_once('&') {
        to.push_str(before);
        let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '#').unwrap_or(behind.len());
        let (name, after) = behind.split_at(end);
        match entity(name) {
            Some(character) => {
                to.push(character);
                rest = after.strip_prefix(';').unwrap_or(after);
            }
            None => {
                to.push('&');
                rest = behind;
            }
        }
    }
    to.push_str(rest);
    to
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| *c != '\0');
    }
    ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, character)| *character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::package::tests::file_of;
    use crate::read::text::Charset;

    fn tokens(page: &str) -> Vec<Token> {
        use std::io::Seek;
        let mut file = file_of(page.as_bytes());
        file.rewind().unwrap();
        let mut lexer = Lexer::new(TextReader::new(file, Charset::UTF8));
        std::iter::from_fn(|| Some(lexer.next().unwrap()).filter(|token| *token != Token::End)).collect()
    }

    #[test]
    fn what_browsers_forgive_is_forgiven() {
        let open = |name: &str, rest: &str| Token::Open(name.into(), rest.into());
        let text = |text: &str| Token::Text(text.into());
        assert_eq!(
            tokens(
                "<!DOCTYPE html><!-- <td> --><STYLE>td > a {}</Style><TD x=\"a>b\" nowrap>1 < 2 &amp &lt;3&nbsp;<br/>it's</td x>"
            ),
            [
                open("style", ""),
                Token::Close("style".into()),
                open("td", " x=\"a>b\" nowrap"),
                text("1 "),
                text("<"),
                text(" 2 & <3\u{a0}"),
                open("br", "/"),
                text("it's"),
                Token::Close("td".into()),
            ]
        );
        assert_eq!(tokens("a<td colspan="), [text("a")]);
        let tag = " nowrap COLSPAN=2 title='it is' x:num=\"12.5\" = y=";
        for (name, value) in [
            ("colspan", Some("2")),
            ("title", Some("it is")),
            ("x:num", Some("12.5")),
            ("nowrap", Some("")),
            ("z", None),
        ] {
            assert_eq!(attribute(tag, name).as_deref(), value, "{name}");
        }
    }
}
