//! Files as offices and machines really write them, and what they should be read as.

use super::sniff::Known;
use super::table::Plan;

/// Header rows, then all rows with `¦` between their cells.
fn read(text: &str) -> (usize, Vec<String>) {
    let mut plan = Plan::new(text, &Known::default(), None, true);
    let rows = plan.rows(text);
    (plan.outline.header, rows.iter().map(|row| row.cells.join("¦")).collect())
}

/// The cases of `real/*.txt`: a name, header rows, then the file and its rows.
fn cases() -> impl Iterator<Item = (&'static str, usize, String, Vec<&'static str>)> {
    let all = [
        include_str!("real/statistics.txt"),
        include_str!("real/machines.txt"),
        include_str!("real/offices.txt"),
        include_str!("real/texts.txt"),
        include_str!("real/headless.txt"),
        include_str!("real/headers.txt"),
        include_str!("real/frames.txt"),
        include_str!("real/portals.txt"),
        include_str!("real/surveys.txt"),
        include_str!("real/notes.txt"),
        include_str!("real/exports.txt"),
        include_str!("real/registers.txt"),
        include_str!("real/downloads.txt"),
        include_str!("real/departments.txt"),
    ];
    all.into_iter().flat_map(|file| file.split("==== ").skip(1)).map(|case| {
        let (head, rest) = case.split_once('\n').unwrap_or((case, ""));
        let (name, header) = head.rsplit_once(' ').unwrap_or((head, "0"));
        let (text, rows) = rest.split_once("----\n").unwrap_or((rest, ""));
        let text = text.replace("<TAB>", "\t").replace("<NUL>", "\0").replace("<CR>", "\r");
        (name, header.parse().unwrap_or(0), text, rows.lines().collect())
    })
}

#[test]
fn files_from_the_world_are_read_as_they_were_meant() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (name, header, text, expected) in cases() {
        let (height, rows) = read(&text);
        count += 1;
        // A line of three dots stands for the rows between.
        let rows: Vec<String> = rows.iter().map(|row| row.replace('\n', "↵").replace('\r', "")).collect();
        let same = match expected.iter().position(|row| *row == "...") {
            None => rows == expected,
            Some(at) => {
                let behind = &expected[at + 1..];
                rows.len() >= at + behind.len()
                    && rows[..at] == expected[..at]
                    && rows[rows.len() - behind.len()..] == *behind
            }
        };
        if height != header || !same {
            wrong.push(format!("{name}: {height} rows of header for {header}\n{}", rows.join("\n")));
        }
    }
    assert!(count > 40, "only {count} files");
    assert!(wrong.is_empty(), "{} of {count} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn nothing_in_a_text_makes_it_panic_or_stand_still() {
    let parts = ["\"", ",", "\n", "a", "é项", "\\", "'", ";", " ", "\r", "1", "||", "\u{feff}", "\0"];
    let mut state = 9_u64;
    for _ in 0..1500 {
        let mut text = String::new();
        for _ in 0..60 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            text.push_str(parts[(state >> 33) as usize % parts.len()]);
        }
        read(&text);
    }
}
