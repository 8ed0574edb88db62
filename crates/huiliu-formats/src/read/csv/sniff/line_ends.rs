//! What ends the rows of a text where neither `\n` nor `\r` does.
//!
//! Printers' and Unicode's line ends, separators of records from old machines, and `\r\n` that went through one
//! program too many. Such a text is a single line to whoever does not know its line end, and a table of no rows.

/// Marks that Unicode calls line ends: they need no other evidence where a text has no usual ones.
const BREAKS: [&str; 5] = ["\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"];
/// Marks that end records in some files and part cells in others.
const SEPARATORS: [&str; 4] = ["\u{1e}", "\u{1d}", "\u{1c}", "||"];
/// What the rows may be cut by, to see whether they are alike.
const CUTS: [char; 9] = [',', ';', '\t', '|', '\u{1f}', '\u{1c}', '^', '~', ':'];
/// Rows that are looked at.
const LOOKED_AT: usize = 200;

/// What ends the rows; `None` if the usual line ends do.
pub(super) fn line_end(sample: &str) -> Option<String> {
    let usual = usual_lines(sample);
    let worn = sample.matches("\r\r\n").count();
    if worn > 1 && worn * 10 >= sample.matches('\n').count() * 9 {
        return Some("\r\r\n".to_owned());
    }
    let mut best: Option<(usize, &str)> = None;
    for mark in BREAKS.into_iter().chain(SEPARATORS) {
        let count = sample.matches(mark).count();
        if SEPARATORS.contains(&mark) && parts_lines(sample, mark) {
            continue;
        }
        let enough = count > 0 && (usual == 0 || count > 1 && count >= 4 * usual);
        if !enough || best.is_some_and(|(most, _)| most >= count) {
            continue;
        }
        let known = usual == 0 && BREAKS.contains(&mark);
        if known || alike(sample, mark) {
            best = Some((count, mark));
        }
    }
    best.map(|(_, mark)| mark.to_owned())
}

/// Usual line ends with text behind them.
fn usual_lines(sample: &str) -> usize {
    let text = sample.trim_end_matches(['\n', '\r']);
    text.matches('\n').count().max(text.matches('\r').count())
}

/// Whether each of several lines with usual ends has as many of these marks: they part its cells.
fn parts_lines(sample: &str, mark: &str) -> bool {
    // The last may be cut off by the sample's end.
    let whole = sample.rfind(['\n', '\r']).and_then(|end| sample.get(..end)).unwrap_or_default();
    let lines = whole.split(['\n', '\r']).filter(|line| !line.trim().is_empty()).take(LOOKED_AT);
    let counts: Vec<usize> = lines.map(|line| line.matches(mark).count()).collect();
    counts.len() > 1 && counts[0] > 0 && counts.windows(2).all(|two| two[0] == two[1])
}

/// Whether the mark cuts the text into rows that a delimiter cuts into as many cells each.
fn alike(sample: &str, mark: &str) -> bool {
    let rows: Vec<&str> = sample.split(mark).filter(|row| !row.trim().is_empty()).take(LOOKED_AT).collect();
    // The last may be cut off by the sample's end.
    let rows = if rows.len() > 2 { &rows[..rows.len() - 1] } else { &rows[..] };
    rows.len() > 1
        && CUTS.into_iter().filter(|cut| !mark.contains(*cut)).any(|cut| {
            let mut counts: Vec<usize> = rows.iter().map(|row| row.matches(cut).count()).collect();
            counts.sort_unstable();
            let most = counts.chunk_by(|a, b| a == b).filter(|run| run[0] > 0).map(<[usize]>::len).max();
            // Words may stand before and behind the table.
            most.is_some_and(|most| most > 1 && most * 10 >= rows.len() * 4)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_line_ends_are_found_where_there_are_no_usual_ones() {
        for mark in ["\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}", "\u{1e}", "||", "\r\r\n"] {
            let text = format!("a,b{mark}1,2{mark}3,4{mark}");
            assert_eq!(line_end(&text).as_deref(), Some(mark), "{text:?}");
        }
        for text in [
            "a,b\n1,2\n",
            "a,b\r1,2\r",
            "a\u{1f}b\u{1e}1\u{1f}2\n",
            "a||b||c\n1||2||3\n",
            "a||b||c",
            "id||name||c||note\n1||Rome, Italy||5||x, y\n2||Oslo, Norway||6||z, w\n3||Bern, Swiss||7||u, v\n",
            "a\u{1e}b\u{1e}c\n",
            "a,b\n\"1\u{b}2\u{b}3\u{b}4\u{b}5\",x\n",
            "page 1\n1,2\n3,4\n\u{c}page 2\n5,6\n",
            "a,b\r\n\r\n1,2\r\n\r\n",
            "",
        ] {
            let wanted = (text.contains('\u{1f}')).then_some("\u{1e}");
            assert_eq!(line_end(text).as_deref(), wanted, "{text:?}");
        }
        // Line ends within cells, and a row less in one of the lines.
        let text = "a,b||1,\"x\ny\"||3,4||5,6||7,8||9,0||1,\"z\nw\"||2,3||4,5||6,7||";
        assert_eq!(line_end(text).as_deref(), Some("||"));
    }
}
