//! One slot of a record as it lies in memory.

/// Marks a place that says itself what is compared, and is no place of a body.
pub(super) const INLINE: u32 = 1 << 31;
/// Of an amount in a place: it counts ten thousands.
pub(super) const WAN: u32 = 1 << 30;

/// One packed slot: counts (terms in 2 bits, words in 6, chars in 7, grams in 17), then each. Other slots may follow.
#[derive(Clone, Copy, Default)]
pub struct Packed<'a> {
    words: &'a [u32],
    inline: u32,
}

impl<'a> Packed<'a> {
    /// The slot that begins with these words.
    pub(super) fn of(words: &'a [u32]) -> Self {
        Self { words, inline: 0 }
    }

    /// A slot that is said in its place.
    pub(super) fn inline(place: u32) -> Self {
        Self { words: &[], inline: place }
    }

    /// Whether nothing is known.
    pub fn is_missing(&self) -> bool {
        self.words.is_empty() && self.inline == 0
    }

    fn counts(&self) -> (usize, usize, usize, usize) {
        let Some(head) = self.words.first() else { return (0, 0, 0, 0) };
        let part = |shift: u32, mask: u32| ((head >> shift) & mask) as usize;
        (part(0, 3), part(2, 63), part(8, 127), part(15, 0x1ffff))
    }

    /// How many words it has.
    pub(super) fn size(&self) -> usize {
        let (terms, words, chars, grams) = self.counts();
        1 + terms + words + chars.div_ceil(2) + grams
    }

    /// Ids of whole values.
    pub fn terms(&self) -> &'a [u32] {
        let (terms, ..) = self.counts();
        self.words.get(1..1 + terms).unwrap_or_default()
    }

    /// Plain words: marks, places.
    pub fn words(&self) -> &'a [u32] {
        let (terms, words, ..) = self.counts();
        self.words.get(1 + terms..1 + terms + words).unwrap_or_default()
    }

    /// First and last day of a date.
    pub fn days(&self) -> Option<(i32, i32)> {
        if self.inline != 0 {
            let day = (self.inline << 1) as i32 >> 1;
            return Some((day, day));
        }
        let [first, last] = self.words() else { return None };
        Some((*first as i32, *last as i32))
    }

    /// An amount.
    pub fn amount(&self) -> f64 {
        if self.inline != 0 {
            let unit = if self.inline & WAN != 0 { 1e4 } else { 1.0 };
            return f64::from(self.inline & (WAN - 1)) * unit;
        }
        let word = |at: usize| u64::from(self.words().get(at).copied().unwrap_or(0));
        f64::from_bits(word(0) | word(1) << 32)
    }

    /// The characters, two to a word; none when the text is too long.
    pub fn chars(&self, out: &mut [u16; 64]) -> usize {
        let (terms, words, chars, _) = self.counts();
        let start = 1 + terms + words;
        let packed = self.words.get(start..start + chars.div_ceil(2)).unwrap_or_default();
        for (pair, word) in out.chunks_mut(2).zip(packed) {
            pair[0] = *word as u16;
            pair[1] = (*word >> 16) as u16;
        }
        chars.min(64)
    }

    /// How many characters are kept.
    pub fn length(&self) -> usize {
        self.counts().2
    }

    /// Ids of grams, ascending.
    pub fn grams(&self) -> &'a [u32] {
        let (terms, words, chars, grams) = self.counts();
        let start = 1 + terms + words + chars.div_ceil(2);
        self.words.get(start..start + grams).unwrap_or_default()
    }
}
