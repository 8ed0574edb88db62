//! JSON value by value, without holding more than one.
//!
//! Values are cut by their brackets and quotes alone; whether one is proper JSON is for whoever parses it.

use crate::read::error::ReadError;
use crate::read::text::TextReader;

/// How deep values may be nested; more is no data.
const MOST_DEPTH: usize = 512;
/// Characters that a finding repeats of what stands behind the end.
const SHOWN: usize = 40;

/// Reads values byte by byte.
pub(super) struct Cursor {
    pub(super) reader: TextReader,
    pub(super) longest: usize,
}

impl Cursor {
    /// The next byte that is no blank; it stays.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        loop {
            let unread = self.reader.unread();
            match unread.iter().position(|byte| !byte.is_ascii_whitespace()) {
                Some(at) => {
                    let byte = unread.get(at).copied();
                    self.reader.advance(at);
                    return Ok(byte);
                }
                None if self.reader.is_over() => return Ok(None),
                None => {
                    let blanks = unread.len();
                    self.reader.advance(blanks);
                    self.more()?;
                }
            }
        }
    }

    /// Whether the array that comes next begins with a text, as far as one sees.
    pub(super) fn is_of_texts(&self) -> bool {
        let mut unread = self.reader.unread().iter().filter(|byte| !byte.is_ascii_whitespace());
        unread.next() == Some(&b'[') && unread.next() == Some(&b'"')
    }

    fn more(&mut self) -> Result<(), ReadError> {
        self.reader.more().map_err(|e| ReadError::io(&e))
    }

    pub(super) fn expect(&mut self, wanted: u8) -> Result<(), ReadError> {
        match self.peek()? {
            Some(byte) if byte == wanted => {
                self.reader.advance(1);
                Ok(())
            }
            Some(byte) => {
                let (found, wanted) = (char::from(byte), char::from(wanted));
                Err(malformed(
                    &format!("应为“{wanted}”的地方是“{found}”"),
                    &format!("`{found}` stands where `{wanted}` is expected"),
                ))
            }
            None => Err(cut_off()),
        }
    }

    /// A key and its colon.
    pub(super) fn key(&mut self) -> Result<String, ReadError> {
        if self.peek()? != Some(b'"') {
            return Err(malformed("键没有加双引号", "a key has no quotes"));
        }
        let key = serde_json::from_slice(self.value()?).unwrap_or_default();
        self.expect(b':')?;
        Ok(key)
    }

    /// Goes into the value of a key of the object that comes next.
    pub(super) fn enter(&mut self, wanted: &str) -> Result<(), ReadError> {
        self.expect(b'{')?;
        loop {
            match self.peek()? {
                Some(b',') => self.reader.advance(1),
                Some(b'}') => return Err(malformed("结构前后不一致", "its parts contradict each other")),
                _ if self.key()? == wanted => return Ok(()),
                _ => self.pass()?,
            }
        }
    }

    /// Takes the next value whole.
    pub(super) fn value(&mut self) -> Result<&[u8], ReadError> {
        self.peek()?;
        let (mut state, mut at) = (Depth::default(), 0);
        loop {
            let unread = self.reader.unread();
            while let Some(&byte) = unread.get(at) {
                if let Some(length) = state.take(byte, at)? {
                    if length == 0 {
                        return Err(malformed("缺少一个值", "a value is missing"));
                    }
                    self.reader.advance(length);
                    return Ok(self.reader.taken(length));
                }
                at += 1;
            }
            if self.reader.is_over() {
                if !state.is_bare() || at == 0 {
                    return Err(cut_off());
                }
                self.reader.advance(at);
                return Ok(self.reader.taken(at));
            }
            if at > self.longest {
                return Err(ReadError::too_large(
                    "单条记录的长度（字节）",
                    "the length of a record in bytes",
                    self.longest as u64,
                ));
            }
            self.more()?;
        }
    }

    /// Passes over the next value, however long.
    pub(super) fn pass(&mut self) -> Result<(), ReadError> {
        self.peek()?;
        self.pass_until(Depth::default())
    }

    /// Passes over what is left of the array that was gone into.
    pub(super) fn close(&mut self) -> Result<(), ReadError> {
        self.pass_until(Depth { open: 1, ..Depth::default() })
    }

    fn pass_until(&mut self, mut state: Depth) -> Result<(), ReadError> {
        let mut passed = false;
        loop {
            let unread = self.reader.unread();
            let (mut at, mut end) = (0, None);
            while let Some(&byte) = unread.get(at) {
                // What was passed before still counts as the value's beginning.
                if let Some(length) = state.take(byte, at + usize::from(passed))? {
                    end = Some(length - usize::from(passed));
                    break;
                }
                at += 1;
            }
            let length = end.unwrap_or(at);
            passed |= at > 0;
            self.reader.advance(length);
            if end.is_some() {
                return Ok(());
            }
            if self.reader.is_over() {
                return if state.is_bare() && passed { Ok(()) } else { Err(cut_off()) };
            }
            self.more()?;
        }
    }

    /// Passes over what follows the records: `open` objects around them have to be closed. Gives the beginning of
    /// what stands behind the last of them, where nothing should.
    pub(super) fn rest(&mut self, mut open: usize) -> Result<Option<String>, ReadError> {
        let mut state = Depth::default();
        while open > 0 {
            let unread = self.reader.unread();
            let mut length = unread.len();
            for (at, &byte) in unread.iter().enumerate() {
                match byte {
                    _ if state.text => drop(state.take(byte, 1)?),
                    b'"' => state.text = true,
                    b'[' | b'{' => open += 1,
                    b']' | b'}' => open = open.saturating_sub(1),
                    _ => {}
                }
                if open == 0 {
                    length = at + 1;
                    break;
                }
            }
            self.reader.advance(length);
            if open > 0 && self.reader.is_over() {
                return Err(cut_off());
            }
            if open > 0 {
                self.more()?;
            }
        }
        Ok(self.peek()?.map(|_| String::from_utf8_lossy(self.reader.unread()).chars().take(SHOWN).collect()))
    }
}

/// How far into a value one is.
#[derive(Clone, Copy, Debug, Default)]
struct Depth {
    open: usize,
    text: bool,
    escaped: bool,
}

impl Depth {
    /// Takes the byte at `at`; gives the value's length once it is known.
    fn take(&mut self, byte: u8, at: usize) -> Result<Option<usize>, ReadError> {
        if self.text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.text = false;
                    return Ok((self.open == 0).then_some(at + 1));
                }
                _ => {}
            }
            return Ok(None);
        }
        match byte {
            b'"' => self.text = true,
            b'[' | b'{' if self.open >= MOST_DEPTH => {
                return Err(malformed("嵌套太深", "it is nested too deep"));
            }
            b'[' | b'{' => self.open += 1,
            b']' | b'}' if self.open == 0 => return Ok(Some(at)),
            b']' | b'}' => {
                self.open -= 1;
                return Ok((self.open == 0).then_some(at + 1));
            }
            b',' | b':' if self.open == 0 => return Ok(Some(at)),
            _ if self.open == 0 && byte.is_ascii_whitespace() => return Ok(Some(at)),
            _ => {}
        }
        Ok(None)
    }

    /// Whether the file may end here: within a number or a word.
    fn is_bare(self) -> bool {
        self.open == 0 && !self.text
    }
}

pub(super) fn cut_off() -> ReadError {
    ReadError::new(
        "JSON 文件不完整（结尾缺失），可能没有导出或复制完；请重新导出后上传",
        "the JSON file is cut off, perhaps it was not written to its end; export it anew and send that",
    )
}

pub(super) fn malformed(zh: &str, en: &str) -> ReadError {
    ReadError::new(
        format!("JSON 文件格式有误（{zh}）；请重新导出后上传"),
        format!("the file is no proper JSON ({en}); export it anew and send that"),
    )
}
