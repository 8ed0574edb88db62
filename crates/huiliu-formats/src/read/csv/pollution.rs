//! Clean tables, polluted in every way we can think of, must come back clean.
//!
//! `cargo test -p huiliu-formats pollution -- --nocapture` prints the rate of exact recoveries per pollution.

use std::collections::BTreeMap;

use super::sniff::Known;
use super::table::Plan;

type Table = Vec<Vec<String>>;

/// A small generator of numbers; the same seed gives the same table.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.next(from.len())]
    }
}

/// A clean table, its header first: numbers, dates, codes, texts of several kinds.
fn table(seed: u64, rows: usize) -> Table {
    let mut chance = Chance(seed.wrapping_mul(7919).wrapping_add(17));
    let chinese = seed % 3 == 1;
    let mut all: Table = vec![
        match (chinese, seed % 3) {
            (true, _) => ["编号", "开工日期", "时间", "总投资", "项目名称", "地区", "网址", "备注"],
            (_, 0) => ["ID", "DATE", "TIME", "Price", "Product", "Region", "URL", "Comments"],
            _ => ["code", "day", "at", "amount", "title", "place", "link", "note"],
        }
        .map(str::to_owned)
        .to_vec(),
    ];
    for row in 0..rows {
        let id = match seed % 2 {
            0 => format!("{}", 1000 + row),
            _ => format!("AB-{:05}", row * 37 % 9973),
        };
        let date = format!("20{:02}-{:02}-{:02}", chance.next(24), 1 + chance.next(12), 1 + chance.next(28));
        let time = format!("{:02}:{:02}:{:02}", chance.next(24), chance.next(60), chance.next(60));
        let price = format!("{}.{:02}", chance.next(9000), chance.next(100));
        let (name, region, note) = if chinese {
            (
                format!(
                    "{}{}项目",
                    chance.pick(&["新能源", "装备制造", "生物医药", "储能"]),
                    chance.pick(&["一期", "二期", "基地"])
                ),
                chance.pick(&["合肥市", "芜湖市", "安庆市"]).to_owned(),
                chance
                    .pick(&["", "", "含土地费，另报", "规模:5,000吨", "他说\"可以\"，待定", "第一行\n第二行"])
                    .to_owned(),
            )
        } else {
            (
                format!(
                    "{} {}",
                    chance.pick(&["Blue", "Green", "Small", "Heavy"]),
                    chance.pick(&["Lamp", "Chair", "Box", "Rope"])
                ),
                chance.pick(&["North", "South", "East"]).to_owned(),
                chance
                    .pick(&[
                        "",
                        "",
                        "fragile, handle with care",
                        "says \"new\"",
                        "5\" wide",
                        "first line\nsecond, line",
                        "ok",
                    ])
                    .to_owned(),
            )
        };
        let link = format!("http://example.org/{}?q={}", region.len(), chance.next(1000));
        all.push(vec![id, date, time, price, name, region, link, note]);
    }
    all
}

/// How a table is written.
#[derive(Clone)]
struct Pen {
    delimiter: &'static str,
    quote: char,
    escape: Option<char>,
    newline: &'static str,
    all_quoted: bool,
}

const PLAIN: Pen = Pen { delimiter: ",", quote: '"', escape: None, newline: "\n", all_quoted: false };

impl Pen {
    fn cell(&self, cell: &str) -> String {
        let special = cell.contains(self.delimiter)
            || (self.delimiter.len() > 1 && cell.contains(self.delimiter.trim()))
            || cell.contains([self.quote, '\n', '\r'])
            || self.escape.is_some_and(|e| cell.contains(e));
        if !special && !self.all_quoted {
            return cell.to_owned();
        }
        let escape = self.escape.unwrap_or(self.quote);
        let mut out = String::from(self.quote);
        for c in cell.chars() {
            if c == self.quote || Some(c) == self.escape {
                out.push(escape);
            }
            out.push(c);
        }
        out.push(self.quote);
        out
    }

    fn line(&self, row: &[String]) -> String {
        row.iter().map(|cell| self.cell(cell)).collect::<Vec<_>>().join(self.delimiter)
    }

    fn text(&self, table: &[Vec<String>]) -> String {
        table.iter().map(|row| self.line(row) + self.newline).collect()
    }
}

/// What the reader makes of a text.
fn read(text: &str) -> (usize, Table) {
    let mut plan = Plan::new(text, &Known::default(), None, true);
    let mut rows = Vec::new();
    let mut at = plan.outline.start;
    let end = plan.outline.end.unwrap_or(text.len());
    while at < end {
        let row = plan.row(text, at, rows.len() < plan.outline.header);
        at = row.next;
        if !row.blank {
            rows.push(row.cells);
        }
    }
    (plan.outline.header, rows)
}

/// A polluted text and the table that it should give: rows of header and rows.
type Case = (String, usize, Table);

/// Every pollution by name. `a` and `b` choose row and column.
fn pollutions(seed: u64, rows: usize, a: usize, b: usize) -> Vec<(&'static str, Case)> {
    let clean = table(seed, rows);
    let (row, column) = (1 + a % rows, b % clean[0].len());
    let text = PLAIN.text(&clean);
    let mut all: Vec<(&'static str, Case)> = Vec::new();
    let mut add = |name: &'static str, text: String| all.push((name, (text, 1, clean.clone())));
    add("none", text.clone());
    for (name, delimiter) in [
        ("delimiter ;", ";"),
        ("delimiter tab", "\t"),
        ("delimiter |", "|"),
        ("delimiter ||", "||"),
        ("delimiter ', '", ", "),
        ("delimiter space", " "),
        ("delimiter ^", "^"),
        ("delimiter ~", "~"),
        ("delimiter ' | '", " | "),
    ] {
        add(name, Pen { delimiter, ..PLAIN }.text(&clean));
    }
    add("quote '", Pen { quote: '\'', ..PLAIN }.text(&clean));
    add("quoted all", Pen { all_quoted: true, ..PLAIN }.text(&clean));
    add("quoted all '", Pen { quote: '\'', all_quoted: true, ..PLAIN }.text(&clean));
    add("escape \\", Pen { escape: Some('\\'), ..PLAIN }.text(&clean));
    add("lines \\r\\n", Pen { newline: "\r\n", ..PLAIN }.text(&clean));
    add("lines \\r", Pen { newline: "\r", ..PLAIN }.text(&clean));
    add("two line ends", text.clone() + "\n");
    add("no line end", text.trim_end().to_owned());
    add("title", format!("Report of the year\n\n{text}"));
    add("titles with delimiters", format!("Report of the year,,,,,,,\n,,,,,,,\n{text}"));
    add("comment", format!("# made by a program, 2024\n# second line\n{text}"));
    add("footnote", format!("{text}\nSource: somebody\n"));
    add("footnote close", format!("{text}Source: somebody\n"));
    let other: Table = table(seed + 3, 12);
    add("another table", format!("{text}\n{}", PLAIN.text(&other)));
    let narrow: Table = other.iter().map(|r| r[..4].to_vec()).collect();
    add("narrower table", format!("{text}\n{}", PLAIN.text(&narrow)));
    add("narrower table close", format!("{text}{}", PLAIN.text(&narrow)));
    let wide: Table = other.iter().map(|r| [&r[..], &r[..2]].concat()).collect();
    add("wider table", format!("{text}\n{}", PLAIN.text(&wide)));
    add("wider table close", format!("{text}{}", PLAIN.text(&wide)));
    let lines: Vec<String> = clean.iter().map(|r| PLAIN.line(r)).collect();
    let with_line = |line: String| {
        let mut lines = lines.clone();
        lines[row] = line;
        lines.join("\n") + "\n"
    };
    let cells: Vec<String> = clean[row].iter().map(|c| PLAIN.cell(c)).collect();
    let header_cells: Vec<String> = clean[0].clone();
    // One separator too many: an empty cell.
    let mut more = cells.clone();
    more.insert(column, String::new());
    add("empty cell too many", with_line(more.join(",")));
    add("separator too many at the end", with_line(cells.join(",") + ","));
    let mut more = header_cells.clone();
    more.insert(column, String::new());
    add("empty cell too many in the header", format!("{}\n{}", more.join(","), lines[1..].join("\n")));
    // One too few: two cells glued.
    if column + 1 < cells.len() && column != 4 {
        let mut glued = cells.clone();
        let second = glued.remove(column + 1);
        glued[column].push_str(&second);
        add("two cells glued", with_line(glued.join(",")));
    }
    let mut without = clean.clone();
    without[row][7].clear();
    let shorter = PLAIN.line(&without[row][..7]);
    let lacking = with_line(shorter);
    // An unquoted delimiter in a cell.
    let mut unquoted = clean.clone();
    unquoted[row][7] = "one, two".to_owned();
    let line = format!("{},one, two", PLAIN.line(&clean[row][..7]));
    let loose = with_line(line);
    for (name, pen) in [
        ("row with ;", Pen { delimiter: ";", ..PLAIN }),
        ("row with tab", Pen { delimiter: "\t", ..PLAIN }),
        ("row with |", Pen { delimiter: "|", ..PLAIN }),
        ("row with ', '", Pen { delimiter: ", ", ..PLAIN }),
        ("row with space", Pen { delimiter: " ", ..PLAIN }),
        ("row with quote '", Pen { quote: '\'', ..PLAIN }),
        ("row with escape \\", Pen { escape: Some('\\'), ..PLAIN }),
    ] {
        add(name, with_line(pen.line(&clean[row])));
    }
    for (name, end) in [("row ends \\r", "\r"), ("row ends \\r\\n", "\r\n"), ("row ends \\n\\n", "\n\n")] {
        let mut out = String::new();
        for (at, line) in lines.iter().enumerate() {
            out.push_str(line);
            out.push_str(if at == row { end } else { "\n" });
        }
        add(name, out);
    }
    let quoted_all = Pen { all_quoted: true, ..PLAIN };
    let quoted_rows: Vec<String> = clean.iter().map(|r| quoted_all.line(r)).collect();
    let mut lost = quoted_rows.clone();
    let (before, after) =
        (quoted_all.line(&clean[row][..column]), quoted_all.line(&clean[row][column + 1..]));
    let cell = clean[row][column].clone();
    if !cell.contains(['"', ',', '\n']) && !cell.is_empty() {
        let join = |middle: String| {
            [before.clone(), middle, after.clone()]
                .into_iter()
                .filter(|s| !s.is_empty())
                .collect::<Vec<_>>()
                .join(",")
        };
        lost[row] = join(format!("\"{cell}"));
        add("closing quote lost", lost.join("\n"));
        lost[row] = join(format!("{cell}\""));
        add("opening quote lost", lost.join("\n"));
    }
    all.push(("last cell missing", (lacking, 1, without)));
    all.push(("unquoted delimiter", (loose, 1, unquoted)));
    // A stray quote is a character of its cell.
    for (name, place) in [("quote at the start", 0), ("quote in the middle", 1), ("quote at the end", 2)] {
        let cell = &clean[row][column];
        if cell.contains(['"', ',', '\n']) || cell.is_empty() {
            continue;
        }
        let at = match place {
            0 => 0,
            1 => cell.char_indices().nth(cell.chars().count() / 2).map_or(0, |(at, _)| at),
            _ => cell.len(),
        };
        let mut stray = clean.clone();
        stray[row][column].insert(at, '"');
        let mut cells = cells.clone();
        cells[column].insert(at, '"');
        all.push((name, (with_line(cells.join(",")), 1, stray)));
    }
    // Rows of another kind, kept as they are.
    let mut hollow = clean.clone();
    hollow[row] = vec![String::new(); 8];
    all.push(("row of empty cells", (PLAIN.text(&hollow), 1, hollow)));
    let mut twins = clean.clone();
    twins[0][2] = twins[0][1].clone();
    twins[0][5].clear();
    all.push(("names twice and empty", (PLAIN.text(&twins), 1, twins)));
    let mut odd = clean.clone();
    odd[row][1] = "5. März 21".to_owned();
    odd[row][3] = "1 200,5".to_owned();
    all.push(("values of another format", (PLAIN.text(&odd), 1, odd)));
    all.push(("no header", (PLAIN.text(&clean[1..]), 0, clean[1..].to_vec())));
    let mut tall = clean.clone();
    tall.insert(1, ["#", "yyyy", "hh", "EUR", "text", "text", "text", "text"].map(str::to_owned).to_vec());
    all.push(("header of two rows", (PLAIN.text(&tall), 2, tall.clone())));
    tall.insert(2, ["x", "y", "z", "u", "v", "w", "r", "s"].map(str::to_owned).to_vec());
    all.push(("header of three rows", (PLAIN.text(&tall), 3, tall)));
    all.push(("header only", (PLAIN.text(&clean[..1]), 1, clean[..1].to_vec())));
    all.push(("one row", (PLAIN.text(&clean[..2]), 1, clean[..2].to_vec())));
    let single: Table = clean.iter().map(|r| vec![r[b % 6].clone()]).collect();
    all.push(("one column", (PLAIN.text(&single), 1, single)));
    all
}

/// Pollutions that have one right reading only, so that each must come back.
const SURE: [&str; 24] = [
    "none",
    "delimiter ;",
    "delimiter tab",
    "delimiter |",
    "delimiter ||",
    "delimiter ^",
    "delimiter ~",
    "quote '",
    "quoted all",
    "quoted all '",
    "lines \\r\\n",
    "lines \\r",
    "two line ends",
    "no line end",
    "title",
    "titles with delimiters",
    "footnote",
    "narrower table",
    "wider table",
    "row ends \\r",
    "row ends \\r\\n",
    "no header",
    "header only",
    "names twice and empty",
];

#[test]
fn single_pollutions_come_back_clean() {
    recover(3, &[(40, 3), (83, 6)]);
}

/// The same for more tables and places: some minutes without optimisation.
#[test]
#[ignore = "long"]
fn single_pollutions_come_back_clean_wherever_they_are() {
    recover(12, &[(0, 0), (1, 3), (5, 1), (17, 7), (40, 4), (83, 2), (30, 6), (61, 5)]);
}

fn recover(seeds: u64, places: &[(usize, usize)]) {
    let mut rates: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut shown = Vec::new();
    for seed in 0..seeds {
        for &(a, b) in places {
            for (name, (text, header, expected)) in pollutions(seed, 84, a, b) {
                let (found_header, found) = read(&text);
                let exact = found_header == header && found == expected;
                let rate = rates.entry(name).or_default();
                rate.0 += usize::from(exact);
                rate.1 += 1;
                if !exact && shown.iter().filter(|n| **n == name).count() < 2 {
                    shown.push(name);
                    let at = found.iter().zip(&expected).position(|(f, e)| f != e);
                    let there = |t: &Table| at.and_then(|at| t.get(at).cloned());
                    println!(
                        "{name} (seed {seed}, {a}, {b}): header {found_header} for {header}, {} rows for {}, first other {at:?}:\n  {:?}\n  {:?}",
                        found.len(),
                        expected.len(),
                        there(&found),
                        there(&expected)
                    );
                }
            }
        }
    }
    let (mut exact, mut all) = (0, 0);
    for (name, (good, of)) in &rates {
        (exact, all) = (exact + good, all + of);
        println!("{good:4} of {of:4}  {name}");
    }
    println!("{exact} of {all} exact");
    for name in SURE {
        let (good, of) = rates[name];
        assert_eq!(good, of, "{name}");
    }
    assert!(exact * 100 >= all * 97, "{exact} of {all}");
}
