//! Remarks in front of a table, each line of which begins with the same sign.
//!
//! There may be more of them than rows, so they must not speak for the table's width and delimiter.

/// What a line of remarks begins with.
const SIGNS: [&str; 5] = ["#", "%", "//", "!", "*"];
/// Those of them that some programs put around cells.
const QUOTES: [&str; 2] = ["%", "*"];
/// Fewer lines are left to be judged with the table.
const LEAST: usize = 3;

/// Where the last line begins of the remarks that a text begins with: that one may be the header, as `# Year, Value`. 0 if
/// there are none, or there is nothing behind them.
pub(in super::super) fn last_remark(text: &str) -> usize {
    let first = text.trim_start();
    let Some(sign) = SIGNS.into_iter().find(|sign| first.starts_with(sign)) else { return 0 };
    let (mut at, mut last, mut remarks, mut quoted) = (0, 0, 0, 0);
    // Signs around cells stand in pairs.
    let paired = |line: &str| QUOTES.contains(&sign) && line.matches(sign).count() % 2 == 0;
    for line in text.split_inclusive(['\n', '\r']) {
        match line.trim_start() {
            rest if rest.starts_with(sign) => {
                (last, remarks, quoted) = (at, remarks + 1, quoted + usize::from(paired(rest)));
            }
            "" => {}
            _ => break,
        }
        at += line.len();
    }
    if remarks >= LEAST && quoted < remarks && at < text.len() { last } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_remarks_is_found() {
        for (text, found) in [
            ("# a, b\n# c\n\n#\nx,y\n1,2\n", Some("#\nx,y")),
            ("# a\n# b\n# x,y\n1,2\n", Some("# x,y")),
            ("% a\r\n% b\r\n% c\r\nx,y\r\n", Some("% c")),
            ("# a\n# b\nx,y\n", None),                     // Too few.
            ("# a\n# b\n# c\n", None),                     // Nothing behind them.
            ("#,x\n1,2\n#,3\n", None),                     // A column that is called so.
            ("%x%,%y%\n%a%,1\n%b%,2\n%c%,3\nend\n", None), // Cells between such signs.
            ("x,y\n# a\n# b\n# c\n1,2", None),             // They begin later.
            ("", None),
        ] {
            let at = last_remark(text);
            match found {
                Some(found) => assert!(text[at..].starts_with(found), "{text}: {at}"),
                None => assert_eq!(at, 0, "{text}"),
            }
        }
    }
}
