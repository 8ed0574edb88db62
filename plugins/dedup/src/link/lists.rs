//! Many short lists of numbers in few large pieces of memory.
//!
//! A list lies in a block with room for 2, 3, 4, 6, 8, 12 … numbers, and moves to a larger one when it is full; blocks
//! that are left are used again. Where a list lies and how long it is is for its owner to keep. A list of one needs no
//! block: the owner keeps the number itself in the place of where the list lies.

/// Lists in blocks, inside pieces that never move.
#[derive(Default)]
pub(super) struct Lists {
    pieces: Vec<Vec<u32>>,
    free: Vec<Vec<u32>>,
}

const PIECE: usize = 1 << 18;

/// The longest list that there is room for.
pub(super) const LONGEST: usize = PIECE / 2;

/// The kind of block for so many numbers, two or more.
fn class(length: usize) -> usize {
    let power = length.next_power_of_two().trailing_zeros() as usize;
    // Two, then for each power of two the half before it.
    match power {
        0 | 1 => 0,
        _ if length <= 3 << (power - 2) => 2 * power - 3,
        _ => 2 * power - 2,
    }
}

/// How many numbers a block of a kind holds.
fn room(class: usize) -> usize {
    (2 + class % 2) << (class / 2)
}

impl Lists {
    /// A block for a list of so many numbers, two or more.
    pub(super) fn allocate(&mut self, length: usize) -> u32 {
        let class = class(length);
        if let Some(at) = self.free.get_mut(class).and_then(Vec::pop) {
            return at;
        }
        if self.pieces.last().is_none_or(|piece| piece.len() + room(class) > PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let number = self.pieces.len() - 1;
        let piece = &mut self.pieces[number];
        let at = piece.len();
        piece.resize(at + room(class), 0);
        (number * PIECE + at) as u32
    }

    /// The list of `length` at `at`.
    pub(super) fn get(&self, at: u32, length: usize) -> &[u32] {
        let start = at as usize % PIECE;
        &self.pieces[at as usize / PIECE][start..start + length]
    }

    /// The last number of the list of `length` at `at`.
    pub(super) fn last(&self, at: u32, length: usize) -> u32 {
        let at = at as usize + length - 1;
        self.pieces[at / PIECE][at % PIECE]
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, at: u32, length: usize) -> &mut [u32] {
        let start = at as usize % PIECE;
        &mut self.pieces[at as usize / PIECE][start..start + length]
    }

    /// Puts a number into the block that this place is in.
    pub(super) fn set(&mut self, at: u32, value: u32) {
        self.pieces[at as usize / PIECE][at as usize % PIECE] = value;
    }

    /// Appends to a list of `length` at `at` (the number itself, when the length is one), and says where it is now.
    pub(super) fn push(&mut self, at: u32, length: usize, value: u32) -> u32 {
        if length > 1 && room(class(length)) > length {
            self.set(at + length as u32, value);
            return at;
        }
        let new = self.moved(at, length, length + 1);
        self.set(new + length as u32, value);
        new
    }

    /// Appends several numbers as [`push`](Self::push) appends one, also to a list that is empty yet: the list moves once
    /// at most.
    pub(super) fn extend(
        &mut self,
        at: u32,
        length: usize,
        mut values: impl ExactSizeIterator<Item = u32>,
    ) -> u32 {
        let all = length + values.len();
        if all < 2 {
            return values.next().unwrap_or(at);
        }
        let fits = length > 1 && room(class(length)) >= all;
        let at = if fits { at } else { self.moved(at, length, all) };
        let places = self.get_mut(at + length as u32, all - length);
        places.iter_mut().zip(values).for_each(|(place, value)| *place = value);
        at
    }

    /// Where a list of `length` lies in a block with room for `all`, two or more.
    fn moved(&mut self, at: u32, length: usize, all: usize) -> u32 {
        let new = self.allocate(all);
        match length {
            0 => {}
            1 => self.set(new, at),
            _ => {
                self.copy(at, new, length);
                self.free(at, length);
            }
        }
        new
    }

    /// Copies numbers from one block to another.
    fn copy(&mut self, from: u32, to: u32, length: usize) {
        let place = |at: u32| (at as usize / PIECE, at as usize % PIECE);
        let ((from_piece, from), (to_piece, to)) = (place(from), place(to));
        if from_piece == to_piece {
            self.pieces[to_piece].copy_within(from..from + length, to);
        } else if let Ok([old, new]) = self.pieces.get_disjoint_mut([from_piece, to_piece]) {
            new[to..to + length].copy_from_slice(&old[from..from + length]);
        }
    }

    /// Lets the block of a list of `length` go, two or more.
    pub(super) fn free(&mut self, at: u32, length: usize) {
        let class = class(length);
        if self.free.len() <= class {
            self.free.resize_with(class + 1, Vec::new);
        }
        self.free[class].push(at);
    }

    /// Bytes that are in use, and those that wait to be used again.
    pub(super) fn bytes(&self) -> (usize, usize) {
        let all = self.pieces.iter().map(Vec::len).sum::<usize>() * 4;
        let free =
            self.free.iter().enumerate().map(|(class, all)| room(class) * all.len()).sum::<usize>() * 4;
        (all - free, free + self.free.iter().map(Vec::capacity).sum::<usize>() * 4)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_block_has_room_for_its_list_and_for_half_as_much_more_at_most() {
        for length in 2..=LONGEST {
            let room = room(class(length));
            assert!(room >= length && (room <= length + length / 2 || length == 2), "{length} {room}");
            assert!(class(length) == 0 || super::room(class(length) - 1) < length, "{length}");
        }
    }

    #[test]
    fn lists_that_grow_in_turns_hold_what_was_appended() {
        let mut lists = Lists::default();
        let mut all: Vec<(u32, Vec<u32>)> = (0..50).map(|i| (i, vec![i])).collect();
        for value in 0..3_000u32 {
            let (at, list) = &mut all[(value * value % 50) as usize];
            *at = lists.push(*at, list.len(), value);
            list.push(value);
        }
        for (at, list) in &all {
            assert!(list.len() == 1 && *at == list[0] || lists.get(*at, list.len()) == list);
        }
    }

    proptest! {
        #[test]
        fn several_numbers_are_appended_as_one_after_the_other(
            steps in proptest::collection::vec((0..12usize, 0..2_000usize), 1..300),
        ) {
            let (mut several, mut single) = (Lists::default(), Lists::default());
            let mut all: Vec<(u32, u32, Vec<u32>)> = vec![(7, 7, Vec::new()); 12];
            for (step, (list, count)) in steps.into_iter().enumerate() {
                let (at, alone, list) = &mut all[list];
                // Mostly few: lists of all lengths lie in many pieces.
                let count = if step % 9 == 0 { count } else { count % 5 };
                let values = (0..count as u32).map(|value| value + step as u32 * 10_000);
                *at = several.extend(*at, list.len(), values.clone());
                for value in values {
                    *alone = if list.is_empty() { value } else { single.push(*alone, list.len(), value) };
                    list.push(value);
                }
            }
            for (at, alone, list) in &all {
                match list.as_slice() {
                    [] => prop_assert_eq!(*at, 7),
                    [only] => prop_assert_eq!((at, alone), (only, only)),
                    list => {
                        prop_assert_eq!(several.get(*at, list.len()), list);
                        prop_assert_eq!(single.get(*alone, list.len()), list);
                    }
                }
            }
            prop_assert_eq!(several.bytes().0 > 0, single.bytes().0 > 0);
        }
    }
}
