//! GB18030 to UTF-8, faster than by the general decoder.
//!
//! Nearly every character beyond ASCII in a Chinese table has two bytes: those are looked up in a table that is filled
//! once from `encoding_rs`. All else, such as four-byte characters and bytes that mean nothing, is left to that
//! crate, one character at a time, so that the result is the same byte for byte.

use std::sync::OnceLock;

use encoding_rs::GB18030;

use super::charset::Done;

const TRAILS: usize = 0xff - 0x40;

/// UTF-8 of each two-byte character of three bytes, its length in the highest byte; 0 for all others.
fn table() -> &'static [u32] {
    static TABLE: OnceLock<Vec<u32>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let pairs = (0x81..=0xfe_u8).flat_map(|lead| (0x40..=0xfe_u8).map(move |trail| [lead, trail]));
        pairs
            .map(|pair| match GB18030.decode_without_bom_handling_and_without_replacement(&pair) {
                Some(text) if text.chars().count() == 1 && text.len() <= 3 => {
                    let mut bytes = [0; 4];
                    for (to, from) in bytes.iter_mut().zip(text.bytes()) {
                        *to = from;
                    }
                    bytes[3] = text.len() as u8;
                    u32::from_le_bytes(bytes)
                }
                _ => 0,
            })
            .collect()
    })
}

/// Decoder of GB18030.
pub(super) struct Gb18030 {
    table: &'static [u32],
    /// Bytes of a character that the last block was cut in.
    carry: Vec<u8>,
    begun: bool,
}

impl Gb18030 {
    pub(super) fn new() -> Self {
        Self { table: table(), carry: Vec::new(), begun: false }
    }

    pub(super) fn decode(&mut self, from: &[u8], into: &mut [u8], last: bool) -> Done {
        let mut done = Done { read: 0, written: 0, bad: false, full: false };
        if !self.carry.is_empty() || !self.begun {
            self.join(from, into, last, &mut done);
        }
        while !done.full && done.read < from.len() && self.carry.is_empty() {
            let (read, written) = self.quick(&from[done.read..], &mut into[done.written..]);
            done.read += read;
            done.written += written;
            if done.read < from.len() {
                self.odd(from, into, last, &mut done);
            }
        }
        done
    }

    /// Two-byte characters and ASCII, up to the first of any other kind; gives the bytes read and written.
    fn quick(&self, from: &[u8], into: &mut [u8]) -> (usize, usize) {
        let (mut read, mut written) = (0, 0);
        loop {
            // Sixteen bytes of room, for whole words are copied.
            let (Some(source), Some(room)) = (from.get(read..read + 8), into.get_mut(written..written + 16))
            else {
                break;
            };
            let word = u64::from_le_bytes([
                source[0], source[1], source[2], source[3], source[4], source[5], source[6], source[7],
            ]);
            let high = word & 0x8080_8080_8080_8080;
            let ascii = (high.trailing_zeros() / 8) as usize;
            room[..8].copy_from_slice(&word.to_le_bytes());
            (read, written) = (read + ascii, written + ascii);
            if ascii == 8 {
                continue;
            }
            // Then characters of two bytes, as many as follow each other.
            loop {
                let (Some(&[lead, trail]), Some(room)) =
                    (from.get(read..).and_then(<[u8]>::first_chunk), into.get_mut(written..written + 4))
                else {
                    return (read, written);
                };
                if lead < 0x80 {
                    break;
                }
                let at =
                    usize::from(lead.wrapping_sub(0x81)) * TRAILS + usize::from(trail.wrapping_sub(0x40));
                match self.table.get(at) {
                    Some(&entry) if entry != 0 && trail >= 0x40 && trail != 0xff => {
                        room.copy_from_slice(&entry.to_le_bytes());
                        written += (entry >> 24) as usize;
                        read += 2;
                    }
                    _ => return (read, written),
                }
            }
        }
        (read, written)
    }

    /// One character of another kind, or the last bytes of a block, through the general decoder.
    fn odd(&mut self, from: &[u8], into: &mut [u8], last: bool, done: &mut Done) {
        let rest = &from[done.read..];
        let length = match rest {
            [0..=0x80 | 0xff, ..] => Some(1),
            [_, b'0'..=b'9', 0x81..=0xfe, b'0'..=b'9', ..] => Some(4),
            [_, b'0'..=b'9', 0x81..=0xfe] | [_, b'0'..=b'9'] | [_] => None,
            [_, 0x40..=0x7e | 0x80.., ..] => Some(2),
            // Not a character: the first byte is bad, the next begins anew.
            _ => Some(1),
        };
        match length {
            Some(length) => self.general(&rest[..length], into, done),
            None if last => self.general(rest, into, done),
            None => {
                self.carry.extend_from_slice(rest);
                done.read = from.len();
            }
        }
    }

    fn general(&self, bytes: &[u8], into: &mut [u8], done: &mut Done) {
        let Some(room) = into.get_mut(done.written..).filter(|room| room.len() >= 16) else {
            done.full = true;
            return;
        };
        let (text, bad) = GB18030.decode_without_bom_handling(bytes);
        room[..text.len()].copy_from_slice(text.as_bytes());
        done.written += text.len();
        done.read += bytes.len();
        done.bad |= bad;
    }

    /// The first bytes of a block: a byte order mark of this encoding goes, a character cut in two is joined.
    fn join(&mut self, from: &[u8], into: &mut [u8], last: bool, done: &mut Done) {
        const MARK: [u8; 4] = [0x84, 0x31, 0x95, 0x33];
        if into.len() < 32 {
            done.full = true;
            return;
        }
        let before = self.carry.len();
        let mut head = std::mem::take(&mut self.carry);
        head.extend(from.iter().take(4));
        if !self.begun && head.starts_with(&MARK) {
            self.begun = true;
            done.read = MARK.len() - before;
            return;
        }
        if head.is_empty() || before == 0 {
            self.begun = true;
            return;
        }
        self.begun = true;
        // Characters until all bytes of the cut one are used.
        let mut part = Done { read: 0, written: 0, bad: false, full: false };
        while part.read < before && part.read < head.len() {
            let whole = last && from.len() <= 4;
            self.odd(&head, into, whole, &mut part);
        }
        done.read = part.read - before.min(part.read);
        if !self.carry.is_empty() {
            // Still not whole: all of it is remembered, and all of the block was read.
            done.read = from.len();
        }
        done.written = part.written;
        done.bad = part.bad;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: &[u8], piece: usize) -> (String, bool) {
        let (mut gb, mut out, mut bad) = (Gb18030::new(), Vec::new(), false);
        let mut pieces = bytes.chunks(piece).peekable();
        if pieces.peek().is_none() {
            return (String::new(), false);
        }
        while let Some(mut rest) = pieces.next() {
            let last = pieces.peek().is_none();
            loop {
                let mut room = [0; 48];
                let done = gb.decode(rest, &mut room, last);
                out.extend_from_slice(&room[..done.written]);
                bad |= done.bad;
                rest = &rest[done.read..];
                if !done.full && rest.is_empty() {
                    break;
                }
            }
        }
        (String::from_utf8(out).unwrap(), bad)
    }

    proptest! {
        #[test]
        fn text_comes_back_whatever_the_blocks(text in "[a-z0-9,项目总投资（）万元€😀é\u{3000}\n]{0,60}", piece in 1_usize..30) {
            let bytes = GB18030.encode(&text).0;
            prop_assert_eq!(decoded(&bytes, piece), (text, false));
        }

        #[test]
        fn any_bytes_are_decoded_as_the_general_decoder_does(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'0'), 0x81_u8..=0xfe], 0..60),
            piece in 1_usize..30,
        ) {
            let (text, bad) = GB18030.decode_without_bom_handling(&bytes);
            let mark = text.starts_with('\u{feff}');
            let expected = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
            let found = decoded(&bytes, piece);
            prop_assert!(mark || found == (expected, bad), "{:?} {:?}", found, text);
        }
    }
}
