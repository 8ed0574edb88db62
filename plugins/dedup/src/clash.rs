//! The words that keep two names apart, for people: `一期 <> 二期`.
//!
//! The linkage keeps of such words only what they mean; here they are found again in the texts.

use crate::link::normalise::marks::{Mark, cut};
use crate::link::normalise::text::fold;

/// No telling word has more characters.
const MOST: usize = 16;

/// The telling words of two texts that contradict each other, each as it stands in its text (folded).
pub(crate) fn clashes(a: &str, b: &str) -> Vec<(String, String)> {
    let (a, b) = (folded(a), folded(b));
    let (of_a, of_b) = (marks(&a), marks(&b));
    let mut found: Vec<(String, String)> = Vec::new();
    for mark in of_a.iter().filter(|mark| !of_b.contains(mark)) {
        let against = of_b
            .iter()
            .find(|other| other.class == mark.class && other.of == mark.of && !of_a.contains(other));
        if let Some((one, other)) = against.and_then(|other| Some((words(&a, mark)?, words(&b, other)?)))
            && !found.iter().any(|(known, _)| *known == one)
        {
            found.push((one, other));
        }
    }
    found
}

fn folded(text: &str) -> Vec<char> {
    let mut out = Vec::new();
    fold(text, &mut out);
    out
}

fn marks(folded: &[char]) -> Vec<Mark> {
    let (mut marks, mut rest) = (Vec::new(), Vec::new());
    cut(folded, &mut marks, &mut rest);
    marks
}

/// The longest piece of a text that means just this and nothing else.
fn words(folded: &[char], mark: &Mark) -> Option<String> {
    let (mut marks, mut rest) = (Vec::new(), Vec::new());
    let pieces = (1..=MOST).rev().flat_map(|length| folded.windows(length));
    let mut fitting = pieces.filter(|piece| {
        cut(piece, &mut marks, &mut rest);
        marks.as_slice() == std::slice::from_ref(mark) && rest.iter().all(|c| !c.is_alphanumeric())
    });
    let piece: String = fitting.next()?.iter().collect();
    Some(piece.trim_matches(['(', ')', '-', ' ']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_clash_are_named_as_they_stand() {
        let table = [
            ("江松科技光伏自动化设备二期", "江松科技光伏自动化设备一期", vec![("二期", "一期")]),
            ("东路（第一标段）", "东路2标段", vec![("第一标段", "2标段")]),
            ("年产30万吨树脂项目", "年产300000吨树脂项目", vec![]), // The same quantity.
            ("年产30万吨树脂项目", "年产50万吨树脂项目", vec![("30万吨", "50万吨")]),
            ("东山泵站一期", "东山泵站", vec![]), // Stated on one side only.
            ("", "", vec![]),
        ];
        for (a, b, expected) in table {
            let expected: Vec<(String, String)> =
                expected.into_iter().map(|(a, b): (&str, &str)| (a.to_owned(), b.to_owned())).collect();
            assert_eq!(clashes(a, b), expected, "{a} {b}");
        }
    }
}
