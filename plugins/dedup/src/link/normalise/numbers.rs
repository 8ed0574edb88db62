//! Numbers as names write them: digits with thousands marks, Chinese numerals, Roman numbers, lists and ranges.

/// The value of one Chinese numeral.
pub(super) fn numeral(c: char) -> Option<u32> {
    "零一二三四五六七八九十".chars().position(|n| n == c).map(|n| n as u32).or(match c {
        '〇' => Some(0),
        '两' => Some(2),
        _ => None,
    })
}

/// One number, or several as in 一、二 and 1-3, and where they end.
pub(super) fn numbers(text: &[char], at: usize) -> Option<(Vec<f64>, usize)> {
    let (mut values, mut end) = number(text, at)?;
    while let Some(between) = text.get(end)
        && matches!(between, '、' | '和' | '及' | '与' | '-' | '至')
        && let Some((more, next)) = number(text, end + 1)
    {
        let range = matches!(between, '-' | '至');
        if let (true, Some(&from), [to]) = (range, values.last(), more.as_slice())
            && *to > from
            && *to - from < 20.0
        {
            let between = (from as u32 + 1..*to as u32).map(f64::from);
            values.extend(between);
        }
        values.extend(more);
        end = next;
    }
    Some((values, end))
}

fn number(text: &[char], at: usize) -> Option<(Vec<f64>, usize)> {
    let first = *text.get(at)?;
    if first.is_ascii_digit() {
        let run = text[at..].iter().enumerate().take_while(|&(i, c)| {
            let inside = text.get(at + i + 1).is_some_and(char::is_ascii_digit);
            c.is_ascii_digit() || matches!(c, '.' | ',') && inside
        });
        let end = at + run.count();
        let digits: String = text[at..end].iter().filter(|c| **c != ',').collect();
        return Some((vec![digits.parse().ok()?], end));
    }
    let run: Vec<u32> = text[at..].iter().map_while(|c| numeral(*c)).take(4).collect();
    let end = at + run.len();
    let values = match run.as_slice() {
        [] => return None,
        [10] => vec![10.0],
        [10, n] => vec![f64::from(10 + n)],
        [n, 10] => vec![f64::from(n * 10)],
        [n, 10, m] => vec![f64::from(n * 10 + m)],
        several => several.iter().map(|n| f64::from(*n)).collect(),
    };
    Some((values, end))
}

/// A Roman number up to 39 that is no part of a longer word.
pub(super) fn roman(text: &[char], at: usize) -> Option<(f64, usize)> {
    let run = text.get(at..)?.iter().take_while(|c| c.is_ascii_alphabetic()).count();
    let letters = &text[at..at + run];
    let digit = |c: &char| match c {
        'i' => Some(1),
        'v' => Some(5),
        'x' => Some(10),
        _ => None,
    };
    let digits: Vec<i32> = letters.iter().map(digit).collect::<Option<_>>()?;
    if digits.is_empty() || digits.len() > 5 {
        return None;
    }
    let sum: i32 = (0..digits.len())
        .map(|i| if digits.get(i + 1).is_some_and(|next| *next > digits[i]) { -digits[i] } else { digits[i] })
        .sum();
    Some((f64::from(sum), at + run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_however_they_are_written() {
        let table: [(&str, &[f64]); 7] = [
            ("十二", &[12.0]),
            ("二十", &[20.0]),
            ("一、二", &[1.0, 2.0]),
            ("1-3", &[1.0, 2.0, 3.0]),
            ("30,000", &[30_000.0]),
            ("2.5", &[2.5]),
            ("两", &[2.0]),
        ];
        for (text, expected) in table {
            let chars: Vec<char> = text.chars().collect();
            assert_eq!(numbers(&chars, 0), Some((expected.to_vec(), chars.len())), "{text}");
        }
        assert_eq!(roman(&['x', 'i', 'v'], 0), Some((14.0, 3)));
        assert_eq!(roman(&['m', 'i', 'x'], 0), None);
    }
}
