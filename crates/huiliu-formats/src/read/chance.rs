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
}
