//! Clean tables come back cell for cell: whoever writes by the book is read by the book, whatever his cells look like.

use super::pollution::Table;
use super::sniff::Known;
use super::table::Plan;

/// Cells that look like something else: quotes of other kinds, remarks, delimiters of other files.
#[rustfmt::skip]
const STRANGE: [&str; 24] = [
    "'q'", "'", "it's", "'s", " lead", "trail ", " both ", "# note", "#", "% share", "// path", "C:\\dir\\", "12:30", "a;b",
    "x|y", "\\", "a\\b", "5\" wide", "say \"hi\"", "one, two", "two\nlines", "`tick`", "a: b", "",
];
const PLAIN: [&str; 6] = ["alpha", "beta", "gamma 2", "delta", "epsilon", "zeta"];

/// A small generator of numbers.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below.max(1)
    }
}

/// A header and rows; one cell in `rare` is a strange one.
fn table(seed: u64, rare: usize) -> Table {
    let mut chance = Chance(seed.wrapping_mul(7919).wrapping_add(3));
    let (width, rows) = (1 + chance.next(6), 1 + chance.next(25));
    let kinds: Vec<usize> = (0..width).map(|_| chance.next(3)).collect();
    let mut all: Table = vec![(0..width).map(|at| format!("name_{}", (b'a' + at as u8) as char)).collect()];
    for _ in 0..rows {
        let mut row: Vec<String> = Vec::new();
        for kind in &kinds {
            row.push(match (chance.next(rare), kind) {
                (0, _) => STRANGE[chance.next(STRANGE.len())].to_owned(),
                (_, 0) => chance.next(5000).to_string(),
                (_, 1) => format!("2021-0{}-1{}", 1 + chance.next(9), chance.next(10)),
                _ => PLAIN[chance.next(PLAIN.len())].to_owned(),
            });
        }
        all.push(row);
    }
    all
}

/// By RFC 4180, quotes only where they are needed.
fn written(table: &Table) -> String {
    let cell = |cell: &String| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.clone(),
    };
    table.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n").collect()
}

fn read(text: &str) -> (Table, Plan) {
    let mut plan = Plan::new(text, &Known::default(), None, true);
    let rows = plan.rows(text);
    (rows.into_iter().map(|row| row.cells).collect(), plan)
}

#[test]
fn clean_tables_come_back_cell_for_cell() {
    let (mut wrong, mut count) = (0, 0);
    for seed in 0..1500 {
        let mut clean = table(seed, 12);
        if clean[0].len() == 1 {
            // A blank line is no row.
            clean.retain(|row| !row[0].trim().is_empty());
        }
        let text = written(&clean);
        let (found, plan) = read(&text);
        count += 1;
        if found != clean {
            wrong += 1;
            let at = found.iter().zip(&clean).position(|(found, meant)| found != meant);
            println!(
                "{seed}: {} rows for {}, {:?} {:?} width {} start {} end {:?}\n  {:?}\n  {:?}",
                found.len(),
                clean.len(),
                plan.form.delimiter,
                plan.form.told(),
                plan.outline.width,
                plan.outline.start,
                plan.outline.end,
                at.and_then(|at| found.get(at)),
                at.and_then(|at| clean.get(at))
            );
        }
    }
    assert!(wrong == 0, "{wrong} of {count}");
}

/// One column of cells that another form would cut, and rows that only look like remarks.
#[test]
fn one_column_is_not_cut_and_nothing_is_taken_off_its_cells() {
    for text in [
        "folder\r\nC:\\data\\\r\nD:\\more\\\r\nC:\\old\\files\\\r\n",
        "link\r\nhttp://example.org/a\r\nhttp://example.org/b\r\n",
        "tag\r\n# note\r\nplain\r\n# other\r\n",
        "word\r\n'\r\nit's\r\nplain\r\n'\r\nlast\r\n",
        "word\r\n lead\r\nplain\r\ntrail \r\n",
    ] {
        let clean: Table = text.lines().map(|line| vec![line.to_owned()]).collect();
        assert_eq!(read(text).0, clean, "{text:?}");
    }
}

#[test]
fn whole_columns_in_other_quotes_are_unwrapped() {
    let text = "code,name\r\n1,'one'\r\n2,'two'\r\n3,'three, or four'\r\n4,'four'\r\n";
    let names: Vec<String> = read(text).0.into_iter().map(|mut row| row.remove(1)).collect();
    assert_eq!(names, ["name", "one", "two", "three, or four", "four"]);
}

#[test]
fn delimiters_behind_the_last_cell_of_all_rows_are_no_column_unless_it_has_a_name() {
    for (text, header) in [
        ("id,name\n1,Ann,\n2,Bob,\n3,Cy,\n", "id|name"),
        ("id,name\n1,Ann,,,\n2,Bob,,,\n3,Cy,,,\n", "id|name"),
        ("id,name,\n1,Ann,\n2,Bob,\n3,Cy,\n", "id|name|"),
        ("id,name,note\n1,Ann,\n2,Bob,\n3,Cy,\n", "id|name|note"),
    ] {
        let rows = read(text).0;
        assert_eq!(rows[0].join("|"), header, "{text}");
        assert!(rows.len() == 4 && rows.iter().all(|row| row.len() == rows[0].len()), "{rows:?}");
    }
    // What stands there in one row is not lost.
    let rows = read("id,name\n1,Ann,\n2,Bob,\n3,Cy,late\n4,Dan,\n").0;
    assert!(rows[3].join("|").contains("late"), "{rows:?}");
}

#[test]
fn a_long_cell_of_many_lines_is_one_though_other_lines_are_not_in_order() {
    let cell = "of much, and, more \"text\" in it\n".repeat(3000);
    let long = format!("\"{}\"", cell.replace('"', "\"\""));
    let rows =
        |from: usize, to: usize| (from..to).map(|n| format!("{n},A{n},x,{n}.5,y\n")).collect::<String>();
    for end in ["", "\nSource: us\n", "30,A30,x\n"] {
        let text = format!("id,code,a,n,b\n{}20,A20,{long},1.5,z\n{}{end}", rows(0, 20), rows(21, 26));
        let found = read(&text).0;
        assert_eq!(
            (found[0].join("|"), found[21][2].as_str()),
            ("id|code|a|n|b".to_owned(), cell.as_str()),
            "{end}"
        );
    }
}

#[test]
fn a_row_of_bare_delimiters_is_one_of_nothing_where_blanks_stand_behind_them() {
    let rows: String = (0..9).map(|n| format!("{n}, A{n}, {n}.5, x\n")).collect();
    let found = read(&format!("Report of 2021,,,\n,,,\nid, code, sum, mark\n{rows}")).0;
    assert_eq!((found[0].join("|"), found.len()), ("id|code|sum|mark".to_owned(), 10));
}
