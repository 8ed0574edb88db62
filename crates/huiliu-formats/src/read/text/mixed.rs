//! Two encodings in one file: rows of one program pasted below those of another.
//!
//! Each line is one of them for itself: UTF-8 proves itself, and what is none is text of the other. To take all of the
//! file for either would turn a part of it into signs that nobody wrote.

use encoding_rs::Encoding;

use super::charset::{Charset, Done};
use super::likely::{TEXT, likely};

/// Characters of three bytes in lines of UTF-8 that do not come about by chance: in one line, and in all.
const IN_A_LINE: usize = 4;
const IN_ALL: usize = 8;
/// A longer line is decoded in pieces.
const LONGEST: usize = 1 << 20;

/// The encoding of the lines that are no UTF-8, where others can be nothing else.
pub(super) fn other_encoding(sample: &[u8]) -> Option<&'static Encoding> {
    let (mut wide, mut others) = (0, Vec::new());
    for line in whole_lines(sample) {
        match std::str::from_utf8(line) {
            Ok(text) => {
                let found = text.chars().filter(|c| c.len_utf8() > 2).count();
                wide += if found >= IN_A_LINE { found } else { 0 };
            }
            Err(_) => others.extend_from_slice(line),
        }
    }
    if wide < IN_ALL {
        return None;
    }
    let found = likely(&others).filter(|found| found.count > 0 && found.bad == 0 && found.mean > TEXT)?;
    // Lines of damaged UTF-8 still hold whole characters of it.
    let whole = others.utf8_chunks().flat_map(|chunk| chunk.valid().chars()).filter(|c| c.len_utf8() > 2);
    if whole.count() * 8 > found.count {
        return None;
    }
    match found.charset {
        Charset::Known(encoding) => Some(encoding),
        _ => None,
    }
}

/// The number of the first line that is no UTF-8, counted from one, and how many there are.
pub(in crate::read) fn other_lines(sample: &[u8]) -> (usize, usize) {
    let mut others = whole_lines(sample)
        .enumerate()
        .filter(|(_, line)| std::str::from_utf8(line).is_err())
        .map(|(at, _)| at);
    let first = others.next().unwrap_or(0);
    (first + 1, 1 + others.count())
}

/// The lines of a sample; the last one may be cut within a character.
fn whole_lines(sample: &[u8]) -> impl Iterator<Item = &[u8]> {
    let last = sample.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    let rest = &sample[last..];
    let cut = std::str::from_utf8(rest).is_err_and(|error| error.error_len().is_none());
    sample[..if cut { last } else { sample.len() }].split_inclusive(|&b| b == b'\n')
}

/// Decodes line by line.
pub(super) struct Lines {
    other: &'static Encoding,
    /// The line that is not at its end yet.
    line: Vec<u8>,
    /// Text that had no room, and how much of it was handed out.
    text: Vec<u8>,
    given: usize,
}

impl Lines {
    pub(super) fn new(other: &'static Encoding) -> Self {
        Self { other, line: Vec::new(), text: Vec::new(), given: 0 }
    }

    /// As [`Decoding::decode`](super::charset::Decoding::decode).
    pub(super) fn decode(&mut self, from: &[u8], into: &mut [u8], last: bool) -> Done {
        let (mut read, mut written, mut bad) = (0, 0, false);
        loop {
            let waiting = self.text.get(self.given..).unwrap_or_default();
            let count = waiting.len().min(into.len() - written);
            into[written..written + count].copy_from_slice(&waiting[..count]);
            (written, self.given) = (written + count, self.given + count);
            if self.given < self.text.len() {
                return Done { read, written, bad, full: true };
            }
            let rest = &from[read..];
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let end = end.min(LONGEST);
            self.line.extend_from_slice(&rest[..end]);
            read += end;
            let whole =
                self.line.ends_with(b"\n") || self.line.len() >= LONGEST || last && read == from.len();
            if !whole || self.line.is_empty() {
                return Done { read, written, bad, full: false };
            }
            bad |= self.take_line();
        }
    }

    /// Makes text of the line; `true` if some of its bytes mean nothing.
    fn take_line(&mut self) -> bool {
        (self.given, self.text) = (0, Vec::new());
        if simdutf8::basic::from_utf8(&self.line).is_ok() {
            std::mem::swap(&mut self.text, &mut self.line);
            return false;
        }
        let (text, bad) = self.other.decode_without_bom_handling(&self.line);
        self.text.extend_from_slice(text.as_bytes());
        self.line.clear();
        bad
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{BIG5, GB18030};

    use super::*;
    use crate::read::text::detect::detect;

    const ROWS: &str = "名称,单位,投资\n一号水厂,武进区水务局,10\n二号水厂,武进区水务局,20\n";

    #[test]
    fn lines_of_two_encodings_are_each_read_in_their_own() {
        let more = "三号水廠,發展改革局,30\n四号水廠,財政局,40\n";
        for other in [GB18030, BIG5] {
            let encoded = other.encode(&more.replace('号', "號")).0.into_owned();
            for bytes in [[ROWS.as_bytes(), &encoded].concat(), [&encoded, ROWS.as_bytes()].concat()] {
                let (charset, _) = detect(&bytes, true);
                assert_eq!(charset, Charset::Mixed(other));
                let expected = ROWS.lines().chain(more.lines()).map(|line| line.replace('号', "號"));
                let mut expected: Vec<String> = expected.collect();
                let (text, bad) = charset.text(&bytes, true);
                let mut lines: Vec<String> = text.lines().map(|line| line.replace('号', "號")).collect();
                lines.sort();
                expected.sort();
                assert_eq!((lines, bad), (expected, 0));
            }
        }
        let bytes = [ROWS.as_bytes(), &GB18030.encode(more).0].concat();
        assert_eq!(other_lines(&bytes), (4, 2));
    }

    #[test]
    fn no_file_of_one_encoding_is_taken_for_two() {
        let damaged = [ROWS.as_bytes(), b"\xe4\xb8,\xe6\xb0\xb4\xe5\x8e\x82,30\n"].concat();
        let long = ROWS.repeat(50);
        let gbk = GB18030.encode(&long).0.into_owned();
        let cut = &long.as_bytes()[..long.len() - 16];
        for bytes in [damaged.as_slice(), &gbk, long.as_bytes(), cut] {
            assert!(other_encoding(bytes).is_none());
        }
    }

    #[test]
    fn a_line_comes_out_whole_however_small_the_blocks_are() {
        let bytes = [ROWS.as_bytes(), &GB18030.encode("三号水厂,发展改革局,30").0].concat();
        let (expected, _) = Charset::Mixed(GB18030).text(&bytes, true);
        for block in [1, 2, 7, 64] {
            let (mut lines, mut text, mut room) = (Lines::new(GB18030), Vec::new(), [0; 9]);
            let blocks = bytes.chunks(block).map(|chunk| (chunk, false)).chain([(&[][..], true)]);
            for (mut chunk, last) in blocks {
                loop {
                    let done = lines.decode(chunk, &mut room, last);
                    text.extend_from_slice(&room[..done.written]);
                    chunk = &chunk[done.read..];
                    if !done.full {
                        break;
                    }
                }
            }
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }
}
