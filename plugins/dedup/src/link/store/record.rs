//! One record as it lies in the store: its slots.

use super::super::features::MOST_SLOTS;
use super::super::packed::{INLINE, Packed};
use super::{Place, Store};

/// A packed record.
#[derive(Clone, Copy)]
pub struct Features<'a> {
    pub(super) store: &'a Store,
    pub(super) refs: &'a [u32],
}

impl<'a> Features<'a> {
    /// The slot, empty when the record has no value there.
    pub fn slot(&self, at: usize) -> Packed<'a> {
        let Place { field, at, several } = self.store.places[at];
        let place = self.refs[usize::from(field)];
        if place == 0 {
            return Packed::default();
        }
        if place & INLINE != 0 {
            return Packed::inline(place);
        }
        let body = self.store.body(place);
        if !several {
            return Packed::of(body);
        }
        let present = body[0];
        if present >> at & 1 == 0 {
            return Packed::default();
        }
        let before = (present & ((1 << at) - 1)).count_ones();
        let mut words = &body[1..];
        for _ in 0..before {
            words = words.get(Packed::of(words).size()..).unwrap_or_default();
        }
        Packed::of(words)
    }

    /// All slots, each as [`slot`](Self::slot) gives it: to go through the bodies once takes less than to look for each.
    pub(in crate::link) fn slots(&self) -> [Packed<'a>; MOST_SLOTS] {
        self.slots_beside(Self { refs: &[], ..*self }, &[Packed::default(); MOST_SLOTS])
    }

    /// The same beside another record whose slots are known: bodies that the two share are not gone through.
    pub(in crate::link) fn slots_beside(
        &self,
        other: Self,
        known: &[Packed<'a>; MOST_SLOTS],
    ) -> [Packed<'a>; MOST_SLOTS] {
        let mut all = [Packed::default(); MOST_SLOTS];
        for (number, (field, &place)) in self.store.fields.iter().zip(self.refs).enumerate() {
            let slots = &mut all[field.slots.clone()];
            match (place, slots) {
                (0, _) => {}
                (_, slots) if other.refs.get(number) == Some(&place) => {
                    slots.copy_from_slice(&known[field.slots.clone()]);
                }
                (place, [only]) if place & INLINE != 0 => *only = Packed::inline(place),
                (place, [only]) => *only = Packed::of(self.store.body(place)),
                (place, slots) => {
                    let Some((present, mut words)) = self.store.body(place).split_first() else { continue };
                    for (_, slot) in slots.iter_mut().enumerate().filter(|(at, _)| present >> at & 1 == 1) {
                        *slot = Packed::of(words);
                        words = words.get(slot.size()..).unwrap_or_default();
                    }
                }
            }
        }
        all
    }

    /// Calls `each` with the terms and grams of each slot.
    pub(in crate::link) fn each_terms(&self, mut each: impl FnMut(&'a [u32])) {
        for (field, &place) in self.store.fields.iter().zip(self.refs) {
            if place == 0 || place & INLINE != 0 {
                continue;
            }
            let mut words = self.store.body(place);
            let mut slots = 1;
            if field.slots.len() > 1 {
                (slots, words) = (words[0].count_ones(), &words[1..]);
            }
            for _ in 0..slots {
                let packed = Packed::of(words);
                each(packed.terms());
                each(packed.grams());
                words = words.get(packed.size()..).unwrap_or_default();
            }
        }
    }
}
