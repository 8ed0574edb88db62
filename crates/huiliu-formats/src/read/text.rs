//! A file's bytes as UTF-8, block by block, whatever its encoding.
//!
//! The encoding is told once ([`guess_encoding`]): byte order mark, zero bytes, strict UTF-8, and only then by
//! statistics. A UTF-8 file is not decoded at all; whoever takes text from the buffer checks it. Nothing here
//! holds more of a file than its longest row.

use std::fs::File;
use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes read at once. Small enough that a block's cells stay in the processor's cache.
const BLOCK: usize = 256 << 10;

/// A file as UTF-8 text.
pub(super) struct TextReader {
    file: File,
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    buffer: Vec<u8>,
    /// Unread text is `buffer[start..end]`.
    start: usize,
    end: usize,
    done: u64,
    over: bool,
    damaged: bool,
}

impl TextReader {
    /// Reads from the file's start; a byte order mark is left out.
    pub(super) fn new(file: File, encoding: &'static Encoding) -> Self {
        let plain = encoding == UTF_8;
        Self {
            file,
            decoder: (!plain).then(|| encoding.new_decoder_with_bom_removal()),
            raw: if plain { Vec::new() } else { vec![0; BLOCK] },
            buffer: vec![0; BLOCK],
            start: 0,
            end: 0,
            done: 0,
            over: false,
            damaged: false,
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

    /// Whether bytes were met since the last call that the encoding does not know (they became U+FFFD).
    pub(super) fn was_damaged(&mut self) -> bool {
        std::mem::take(&mut self.damaged)
    }

    /// Reads on. The unread text moves to the front, so that the buffer grows only for a long row.
    pub(super) fn more(&mut self) -> io::Result<()> {
        if self.over {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.buffer.len() - self.end < BLOCK / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        match self.decoder.take() {
            None => {
                let count = read_some(&mut self.file, &mut self.buffer[self.end..])?;
                self.over = count == 0;
                if self.done == 0 && self.buffer[..count].starts_with(b"\xef\xbb\xbf") {
                    self.start = 3;
                }
                self.end += count;
                self.done += count as u64;
            }
            Some(mut decoder) => {
                let count = read_some(&mut self.file, &mut self.raw)?;
                self.over = count == 0;
                self.done += count as u64;
                self.decode(&mut decoder, count);
                self.decoder = Some(decoder);
            }
        }
        Ok(())
    }

    fn decode(&mut self, decoder: &mut Decoder, count: usize) {
        let mut from = 0;
        loop {
            let (result, read, written, bad) =
                decoder.decode_to_utf8(&self.raw[from..count], &mut self.buffer[self.end..], self.over);
            from += read;
            self.end += written;
            self.damaged |= bad;
            match result {
                CoderResult::InputEmpty => return,
                CoderResult::OutputFull => self.buffer.resize(self.buffer.len() + BLOCK, 0),
            }
        }
    }
}

fn read_some(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The encoding of a text that begins with `sample`; `whole` says that there is no more of it.
pub(super) fn guess_encoding(sample: &[u8], whole: bool) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(sample) {
        return encoding;
    }
    if let Some(encoding) = by_zero_bytes(sample) {
        return encoding;
    }
    match std::str::from_utf8(sample) {
        Ok(_) => return UTF_8,
        // Cut inside a character.
        Err(error) if error.error_len().is_none() && !whole => return UTF_8,
        Err(_) => {}
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, whole);
    match detector.guess(Some(b"cn"), Utf8Detection::Deny) {
        // Mostly UTF-8 with some damage is UTF-8 with some damage.
        _ if mostly_utf8(sample) => UTF_8,
        guess if guess == GBK || guess == GB18030 => GB18030,
        guess if decodes(guess, sample, whole) => guess,
        _ => GB18030,
    }
}

/// Latin text in UTF-16 has a zero in every other byte.
fn by_zero_bytes(sample: &[u8]) -> Option<&'static Encoding> {
    let pairs = sample.len() / 2;
    let count = |offset: usize| sample.chunks_exact(2).filter(|pair| pair[offset] == 0).count();
    match (pairs > 0, count(0) * 5 > pairs, count(1) * 5 > pairs) {
        (true, true, false) => Some(UTF_16BE),
        (true, false, true) => Some(UTF_16LE),
        _ => None,
    }
}

fn mostly_utf8(sample: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in sample.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > 20 * bad
}

fn decodes(encoding: &'static Encoding, sample: &[u8], whole: bool) -> bool {
    let mut out = String::with_capacity(sample.len() * 3 + 16);
    let (_, _, bad) = encoding.new_decoder_without_bom_handling().decode_to_string(sample, &mut out, whole);
    !bad
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_of_chinese_tables_are_told() {
        let text =
            "项目名称,总投资,开工时间\n示例储能电池一期项目,12.5,2023年2月\n示例装备制造基地,10,2022年9月\n";
        let gbk = GB18030.encode(text).0;
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16_bom: Vec<u8> = [&[0xff, 0xfe], &utf16[..]].concat();
        for (bytes, whole, expected) in [
            (text.as_bytes(), true, UTF_8),
            (&text.as_bytes()[..text.len() - 2], false, UTF_8),
            (&gbk[..], true, GB18030),
            (&utf16_bom[..], true, UTF_16LE),
            (b"id,name\n1,x\n", true, UTF_8),
            (b"i\0d\0,\0n\0\n\0", true, UTF_16LE),
        ] {
            assert_eq!(guess_encoding(bytes, whole), expected);
        }
        let mut damaged = text.repeat(20).into_bytes();
        damaged[400] = 0xff;
        assert_eq!(guess_encoding(&damaged, true), UTF_8);
    }
}
