//! Which delimiter and which line end a text uses, by evidence: the delimiter that cuts most lines into
//! the same number of cells.

use super::split::{Dialect, split};
use crate::read::chunk::Chunk;

const CANDIDATES: [u8; 4] = [b',', b'\t', b';', b'|'];
/// Lines looked at.
const LINES: usize = 100;
const WIDEST: usize = 4096;

/// Tells the dialect of a text from its beginning.
pub(super) fn guess(sample: &[u8], whole: bool) -> Dialect {
    let newline = if !sample.contains(&b'\n') && sample.contains(&b'\r') { b'\r' } else { b'\n' };
    let mut best = (0.0, b',');
    for delimiter in CANDIDATES {
        let score = uniformity(Dialect { delimiter, newline }, sample, whole);
        // Earlier candidates are commoner and win ties.
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    Dialect { delimiter: best.1, newline }
}

/// Share of rows that have the commonest number of cells beyond one, a little more for more cells.
fn uniformity(dialect: Dialect, sample: &[u8], whole: bool) -> f64 {
    let mut chunk = Chunk::default();
    chunk.clear(WIDEST);
    let mut widths: Vec<usize> = Vec::new();
    let mut from = 0;
    while widths.len() < LINES {
        chunk.clear(WIDEST);
        let progress = split(dialect, &sample[from..], whole || widths.is_empty(), 1, 1, &mut chunk);
        if progress.consumed == 0 {
            break;
        }
        // Rows are never as wide as the chunk, so each tells its width.
        widths.extend(chunk.odd.first().map(|&(_, cells)| cells as usize));
        from += progress.consumed;
    }
    let common = |w: usize| widths.iter().filter(|&&width| width == w).count();
    let Some(&mode) = widths.iter().filter(|&&w| w > 1).max_by_key(|&&w| (common(w), w)) else { return 0.0 };
    common(mode) as f64 / widths.len() as f64 + (mode.min(100) as f64) * 1e-3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_the_one_that_makes_a_table() {
        for (text, expected) in [
            ("a,b,c\n1,2,3\n", b','),
            ("a;b;c\n1,5;2,5;3,5\n", b';'),
            ("a\tb\n1\t2,3\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("标题\n\na;b\n\"1,2,3\";2\n", b';'),
            ("one\ntwo\n", b','),
            ("a,b\r1,2\r", b','),
            ("", b','),
        ] {
            assert_eq!(guess(text.as_bytes(), true).delimiter, expected, "{text:?}");
        }
        assert_eq!(guess(b"a,b\r1,2\r", true).newline, b'\r');
    }
}
