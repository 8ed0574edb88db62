//! A file's bytes as UTF-8, block by block, whatever its encoding.
//!
//! The encoding is told once ([`encoding_of`]): as the options say, or by the file's beginning. A UTF-8 file is not
//! decoded at all; whoever takes text from the buffer checks it. Nothing here holds more of a file than its
//! longest row.

mod charset;
mod cyrillic;
mod detect;
#[cfg(test)]
mod languages;
mod likely;
mod mixed;
mod wide;

use std::fs::File;
use std::io::{self, Read};

pub(super) use self::charset::Charset;
use self::charset::Decoding;
use self::detect::{How, detect};
pub(super) use self::mixed::other_lines;
use super::error::ReadError;
use super::options::ReadOptions;

/// Bytes read at once. Small enough that a block's cells stay in the processor's cache.
const BLOCK: usize = 256 << 10;
/// How much of a file is looked at before it is read.
const SAMPLE: u64 = 1 << 20;
/// How far the first character beyond ASCII is looked for.
const ASCII_SEARCH: usize = 64 << 20;

/// What a text file's beginning told.
pub(super) struct Told {
    pub(super) charset: Charset,
    pub(super) how: How,
    /// The beginning itself.
    pub(super) sample: Vec<u8>,
}

impl Told {
    /// Whether the encoding is one of those that no text contradicts and was weighed only, or no likelier than another.
    pub(super) fn is_wild_guess(&self) -> bool {
        let any_byte = matches!(self.charset, Charset::Known(encoding) if encoding.is_single_byte());
        self.how == How::Guess || any_byte && self.how == How::Statistics
    }
}

/// The encoding of a text file: as stated, or from its sample and, while that is all ASCII, from what follows.
pub(super) fn encoding_of(file: &mut File, options: &ReadOptions) -> Result<Told, ReadError> {
    let mut sample = Vec::new();
    file.take(SAMPLE).read_to_end(&mut sample).map_err(|e| ReadError::io(&e))?;
    let whole = (sample.len() as u64) < SAMPLE;
    if let Some(label) = &options.format.encoding {
        let charset = Charset::of_label(label).ok_or_else(|| {
            ReadError::new(
                format!("不认识的文字编码：{label}；请写 utf-8 或 gb18030 等"),
                format!("the encoding `{label}` is not known; try `utf-8` or `gb18030`"),
            )
        })?;
        return Ok(Told { charset, how: How::Stated, sample });
    }
    if !whole && sample.is_ascii() && memchr::memchr2(0, 0x1b, &sample).is_none() {
        let mut block = vec![0; SAMPLE as usize];
        for _ in 0..ASCII_SEARCH / block.len() {
            let count = file.read(&mut block).map_err(|e| ReadError::io(&e))?;
            if count == 0 || !block[..count].is_ascii() {
                // ASCII in front of the block changes no guess, save that it begins between characters.
                let from = block[..count].iter().position(|b| !b.is_ascii()).unwrap_or(0);
                let (charset, how) = detect(&block[from..count], false);
                return Ok(Told { charset, how, sample });
            }
        }
    }
    let (charset, how) = detect(&sample, whole);
    Ok(Told { charset, how, sample })
}

/// The encoding of XML or HTML: as it declares itself, unless its bytes say otherwise.
pub(super) fn encoding_of_markup(file: &mut File, options: &ReadOptions) -> Result<Told, ReadError> {
    let told = encoding_of(file, options)?;
    if !matches!(told.how, How::Statistics | How::Guess) {
        return Ok(told);
    }
    let declared = declared(told.sample.get(..DECLARED).unwrap_or(&told.sample));
    match declared.and_then(|label| Charset::of_label(&label)) {
        // Bytes that are no UTF-8 do not become so by being called that.
        Some(charset) if charset != Charset::UTF8 && !charset.is_wide() => {
            Ok(Told { charset, how: How::Declared, ..told })
        }
        _ => Ok(told),
    }
}

/// How far into a file its encoding may be declared.
const DECLARED: usize = 4096;

/// `encoding="GBK"` of XML, `charset=gb2312` of HTML.
fn declared(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head).to_lowercase();
    let at = ["encoding=", "charset="].iter().filter_map(|word| Some(text.find(word)? + word.len())).min()?;
    let label = text.get(at..)?.trim_start_matches(['"', '\'', ' ']);
    let end = label.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c))).unwrap_or(label.len());
    label.get(..end).map(str::to_owned)
}

/// A file as UTF-8 text.
pub(super) struct TextReader {
    file: File,
    decoding: Option<Decoding>,
    raw: Vec<u8>,
    buffer: Vec<u8>,
    /// Unread text is `buffer[start..end]`.
    start: usize,
    end: usize,
    done: u64,
    over: bool,
    /// The last text that holds marks of bad bytes is `buffer[damaged.0..damaged.1]`.
    damaged: Option<(usize, usize)>,
}

impl TextReader {
    /// Reads from the file's start; a byte order mark is left out.
    pub(super) fn new(file: File, charset: Charset) -> Self {
        let decoding = charset.decoding();
        Self {
            file,
            raw: if decoding.is_some() { vec![0; BLOCK] } else { Vec::new() },
            decoding,
            buffer: vec![0; BLOCK],
            start: 0,
            end: 0,
            done: 0,
            over: false,
            damaged: None,
        }
    }

    /// What is there and not yet taken.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// `count` bytes of the unread were taken.
    pub(super) fn advance(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// The `count` bytes that were taken last.
    pub(super) fn taken(&self, count: usize) -> &[u8] {
        &self.buffer[self.start.saturating_sub(count)..self.start]
    }

    /// Whether nothing is left to be read from the file.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Bytes read from the file so far.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// Whether the text taken so far may hold marks (U+FFFD) of bytes that the encoding does not know.
    pub(super) fn was_damaged(&mut self) -> bool {
        let Some((from, to)) = self.damaged else { return false };
        if to <= self.start {
            self.damaged = None;
        }
        from < self.start
    }

    /// Reads on. The unread text moves to the front, so that the buffer grows only for a long row.
    pub(super) fn more(&mut self) -> io::Result<()> {
        if self.over {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        let taken = self.start;
        self.damaged = self.damaged.and_then(|range| behind(range, taken));
        (self.start, self.end) = (0, self.end - self.start);
        if self.buffer.len() - self.end < BLOCK / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        match self.decoding.take() {
            None => {
                // Not more because there is room: what is read is soon cut, and should still be in the cache.
                let room = self.buffer.len().min(self.end + BLOCK);
                let count = read_some(&mut self.file, &mut self.buffer[self.end..room])?;
                self.over = count == 0;
                if self.done == 0 {
                    self.start = marks(&self.buffer[..count]);
                }
                self.end += count;
                self.done += count as u64;
            }
            Some(mut decoding) => {
                let count = read_some(&mut self.file, &mut self.raw)?;
                self.over = count == 0;
                self.decode(&mut decoding, count);
                if self.done == 0 {
                    self.start = marks(&self.buffer[..self.end]);
                }
                self.done += count as u64;
                self.decoding = Some(decoding);
            }
        }
        Ok(())
    }

    /// Goes on in the buffers of `home`. Lines of memory that another processor wrote to are slow to write to.
    pub(super) fn settle(&mut self, home: &mut Home) {
        let unread = self.unread().len();
        if home.buffer.len() < unread + BLOCK {
            home.buffer.resize(unread + BLOCK, 0);
        }
        home.buffer[..unread].copy_from_slice(&self.buffer[self.start..self.end]);
        self.swap(home, unread);
    }

    /// Takes what is unread along and leaves the buffers to `home`.
    pub(super) fn leave(&mut self, home: &mut Home) {
        home.buffer.clear();
        home.buffer.extend_from_slice(&self.buffer[self.start..self.end]);
        let unread = home.buffer.len();
        self.swap(home, unread);
    }

    fn swap(&mut self, home: &mut Home, unread: usize) {
        let taken = self.start;
        self.damaged = self.damaged.and_then(|range| behind(range, taken));
        std::mem::swap(&mut self.buffer, &mut home.buffer);
        if self.decoding.is_some() {
            home.raw.resize(BLOCK, 0);
            std::mem::swap(&mut self.raw, &mut home.raw);
        }
        (self.start, self.end) = (0, unread);
    }

    fn decode(&mut self, decoding: &mut Decoding, count: usize) {
        let mut from = 0;
        loop {
            let done = decoding.decode(&self.raw[from..count], &mut self.buffer[self.end..], self.over);
            let before = self.end;
            from += done.read;
            self.end += done.written;
            if done.bad {
                let first = self.damaged.map_or(before, |(first, _)| first);
                self.damaged = Some((first, self.end));
            }
            if !done.full {
                return;
            }
            self.buffer.resize(self.buffer.len() + BLOCK, 0);
        }
    }
}

/// Buffers of one thread, in which several may read on one after the other.
#[derive(Debug, Default)]
pub(super) struct Home {
    buffer: Vec<u8>,
    raw: Vec<u8>,
}

/// What is left of a range of bytes when the first `taken` bytes are gone.
fn behind((from, to): (usize, usize), taken: usize) -> Option<(usize, usize)> {
    let (from, to) = (from.saturating_sub(taken), to.saturating_sub(taken));
    (to > 0).then_some((from, to))
}

/// The text as a stream of bytes.
impl Read for TextReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.unread().is_empty() && !self.is_over() {
            self.more()?;
        }
        let count = self.unread().read(buffer)?;
        self.advance(count);
        Ok(count)
    }
}

/// The length of the byte order marks that a text begins with: some programs write one before another's.
fn marks(text: &[u8]) -> usize {
    let mark = "\u{feff}".as_bytes();
    text.chunks_exact(mark.len()).take_while(|chunk| *chunk == mark).count() * mark.len()
}

fn read_some(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests;
