//! Chance that repeats itself, for the tests that damage files.

/// A small generator of numbers that gives the same ones every time.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    /// A number below `below`; 0 if there is none.
    pub(super) fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }

    /// The bytes with up to six damages: cut, a piece taken out or doubled, a bit turned or a byte made one of
    /// `marks`.
    pub(super) fn damage(&mut self, original: &[u8], marks: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..=self.next(5) {
            if bytes.is_empty() {
                break;
            }
            let at = self.next(bytes.len());
            let length = self.next(40).min(bytes.len() - at);
            match self.next(6) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..at + length)),
                2 => {
                    let piece = bytes[at..at + length].to_vec();
                    bytes.splice(at..at, piece);
                }
                3 => bytes[at] ^= 1 << self.next(8),
                _ => bytes[at] = marks[self.next(marks.len())],
            }
        }
        bytes
    }
}
