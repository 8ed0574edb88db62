//! The measuring stick measured: the same seed gives the same bytes, the expectation is what the job's rules say
//! of the text, and an output with one changed line is noticed. No Huiliu is needed for it.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::check::{self, Expected, Form};
use crate::generate::{self, COLUMNS, TOWNSHIPS, score};
use crate::probe;

const ROWS: u64 = 2_000;

/// The lines of the valid rows, and of the refused ones.
type Output = [Vec<Value>; 2];

fn made(rows: u64, seed: u64) -> (String, Expected) {
    let mut bytes = Vec::new();
    let expected = generate::rows(rows, seed, &mut bytes).unwrap();
    (String::from_utf8(bytes).unwrap(), expected)
}

/// The cells of a line without line breaks in quotes.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut signs = line.chars().peekable();
    while let Some(sign) = signs.next() {
        let last = cells.last_mut().unwrap();
        match sign {
            '"' if quoted && signs.next_if_eq(&'"').is_some() => last.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            sign => last.push(sign),
        }
    }
    cells
}

/// `2024-05-01` of any of the four forms.
fn day(cell: &str) -> String {
    let digits: String = cell.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(digits.len(), 8, "{cell}");
    format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..])
}

/// Whether the sign at each place is of the kind that the shape asks for there: `9` a digit, `A` a sign of a
/// credit code, all others themselves.
fn has_shape(cell: &str, shape: &str) -> bool {
    let fits = |(sign, asked): (char, char)| match asked {
        '9' => sign.is_ascii_digit(),
        'A' => sign.is_ascii_digit() || sign.is_ascii_uppercase() && !"IOSVZ".contains(sign),
        asked => sign == asked,
    };
    cell.chars().count() == shape.chars().count() && cell.chars().zip(shape.chars()).all(fits)
}

/// The eight rules, as the README of the job tells them.
fn broken(cells: &[String]) -> BTreeSet<&'static str> {
    let filled = |at: usize| !cells[at].is_empty();
    let total = cells[6].parse::<f64>().ok();
    let mut broken = BTreeSet::new();
    let mut rule = |name, breaks: bool| {
        if breaks {
            broken.insert(name);
        }
    };
    rule("required", [0, 1, 2, 3, 4, 6, 10].iter().any(|at| !filled(*at)));
    rule("project_code", filled(0) && !has_shape(&cells[0], "9999-999999-99-99-999999"));
    rule("credit_code", filled(3) && !has_shape(&cells[3], "AAAAAAAAAAAAAAAAAA"));
    rule("total_investment", filled(6) && !total.is_some_and(|total| total > 0.0));
    let completed: f64 = cells[8].parse().unwrap();
    rule("completed_gt_total", total.is_some_and(|total| total > 0.0 && completed > total));
    let (start, completion) = (day(&cells[11]), day(&cells[12]));
    rule("date_order", filled(10) && !(day(&cells[10]) <= start && start <= completion));
    rule("township", filled(4) && !TOWNSHIPS.contains(&cells[4].as_str()));
    let mobile =
        has_shape(&cells[13], "19999999999") && ('3'..='9').contains(&cells[13].chars().nth(1).unwrap());
    rule("contact_phone", !mobile);
    broken
}

/// Does the whole job by hand, slowly.
fn by_hand(text: &str) -> Output {
    let (mut valid, mut refused) = (Vec::new(), Vec::new());
    let mut codes = HashSet::new();
    for line in text.lines().skip(1) {
        let cells = cells(line);
        assert_eq!(cells.len(), COLUMNS.len(), "{line}");
        let reasons = broken(&cells);
        let number = |at: usize| cells[at].parse::<f64>().unwrap();
        if !reasons.is_empty() {
            refused.push(json!({ "values": {}, "reasons": reasons }));
        } else if codes.insert(cells[0].clone()) {
            let points = score(number(6), number(7), number(8), number(9)) as f64 / 1e4;
            valid.push(json!({ "project_code": cells[0], "total_investment": number(6), "score": points }));
        }
    }
    [valid, refused]
}

fn write(out: &Path, [valid, refused]: &Output) {
    for (folder, rows) in [("valid", valid), ("rejects", refused)] {
        let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
        fs::create_dir_all(out.join(folder)).unwrap();
        fs::write(out.join(folder).join("projects.0123.jsonl"), lines).unwrap();
    }
    // A file that its writer has not finished is nobody's output.
    fs::write(out.join("valid/.projects.4567.jsonl"), "{").unwrap();
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let (text, expected) = made(ROWS, generate::SEED);
    assert_eq!(made(ROWS, generate::SEED), (text.clone(), expected.clone()));
    assert_ne!(made(ROWS, 7).0, text);
    // Other figures are another file: count EDITION up, lest an input kept from before is taken for it.
    let Expected { valid, duplicates, rejected, sum_total, sum_score, .. } = expected;
    assert_eq!((generate::EDITION, text.len()), (2, 464_742));
    assert_eq!(
        (valid, duplicates, rejected, sum_total, sum_score),
        (1_816, 59, 125, 640_616_558.57, 8_548.48)
    );
}

#[test]
fn the_expectation_is_what_the_rules_say_of_the_text() {
    for (rows, seed) in [(1, 1), (2, 2), (50, 3), (ROWS, generate::SEED), (20_000, 4)] {
        let (text, expected) = made(rows, seed);
        let output = by_hand(&text);
        let folder = TempDir::new().unwrap();
        write(folder.path(), &output);
        assert_eq!(check::output(folder.path(), Form::Jsonl, &expected), [""; 0], "{rows} rows, seed {seed}");
        let counts = [expected.valid, expected.rejected].map(|count| count as usize);
        assert_eq!(output.map(|rows| rows.len()), counts, "{rows} rows, seed {seed}");
        assert_eq!(expected.rows, expected.valid + expected.duplicates + expected.rejected);
    }
}

#[test]
fn the_file_is_of_the_kind_that_departments_send() {
    let (text, expected) = made(20_000, generate::SEED);
    let share = |count: u64| count as f64 / 20_000.0;
    assert!((0.05..0.07).contains(&share(expected.rejected)), "{expected:?}");
    assert!((0.02..0.04).contains(&share(expected.duplicates)), "{expected:?}");
    assert!(
        expected.reasons.len() == 8 && expected.reasons.values().all(|count| *count > 100),
        "{expected:?}"
    );
    let width = text.len() / 20_000;
    assert!((215..245).contains(&width), "{width} bytes a row");
    for found in ["(一期,二期)\",", "(\"\"十四五\"\"重点)\",", "年0", "/0", "\"12,000\"", ",\"", ",,"]
    {
        assert!(text.contains(found), "no {found}");
    }
    for shape in ["9999-99-99", "9999/99/99", "9999年99月99日", "99999999"] {
        assert!(text.lines().any(|line| has_shape(&cells(line)[11], shape)), "no {shape}");
    }
}

#[test]
fn one_changed_line_is_noticed() {
    let (text, expected) = made(ROWS, generate::SEED);
    let sound = by_hand(&text);
    let duplicate = sound[0][7].clone();
    type Change<'a> = &'a dyn Fn(&mut Output);
    let changes: [(&str, &str, Change<'_>); 8] = [
        ("a row is missing", "valid rows", &|output| drop(output[0].remove(3))),
        ("a row came out twice", "duplicates left: 1, not 0", &|output| output[0][8] = duplicate.clone()),
        ("another amount", "sum of total_investment", &|output| {
            let row = &mut output[0][5];
            row["total_investment"] = json!(row["total_investment"].as_f64().unwrap() + 2.0);
        }),
        ("another score", "sum of score", &|output| output[0][5]["score"] = json!(-1.0)),
        ("no score", "line 6: invalid type: null, expected f64", &|output| {
            output[0][5]["score"] = Value::Null
        }),
        ("another code", "project_code `x`", &|output| output[0][5]["project_code"] = json!("x")),
        ("a refused row is missing", "refused rows", &|output| drop(output[1].remove(3))),
        ("another reason", "rows refused for V11: 1, not 0", &|output| {
            output[1][0]["reasons"] = json!(["V11"])
        }),
    ];
    for (what, told, change) in changes {
        let folder = TempDir::new().unwrap();
        let mut output = sound.clone();
        change(&mut output);
        write(folder.path(), &output);
        let differences = check::output(folder.path(), Form::Jsonl, &expected).join("; ");
        assert!(differences.contains(told), "{what}: {differences}");
    }
}

#[test]
fn an_output_that_cannot_be_read_differs() {
    let (text, expected) = made(50, 1);
    let folder = TempDir::new().unwrap();
    let nothing = check::output(folder.path(), Form::Jsonl, &expected).join("; ");
    assert!(nothing.contains("valid rows: 0, not"), "{nothing}");
    let nothing = check::output(folder.path(), Form::Parquet, &expected).join("; ");
    assert!(nothing.contains("no Parquet file in"), "{nothing}");

    write(folder.path(), &by_hand(&text));
    let path = folder.path().join("valid/projects.0123.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.trim_end()).unwrap();
    let cut = check::output(folder.path(), Form::Jsonl, &expected).join("; ");
    assert!(cut.contains("jsonl line ") && cut.contains("the last line is cut off"), "{cut}");

    fs::write(folder.path().join("valid/projects.0123.parquet"), b"PAR1....PAR1").unwrap();
    assert_eq!(check::output(folder.path(), Form::Parquet, &expected), [""; 0]);
    fs::write(folder.path().join("valid/projects.0123.parquet"), b"PAR1........").unwrap();
    let cut = check::output(folder.path(), Form::Parquet, &expected).join("; ");
    assert!(cut.contains("is no whole Parquet file"), "{cut}");
}

#[test]
fn the_ledger_is_compared() {
    let (_, expected) = made(ROWS, generate::SEED);
    let mut codes = serde_json::to_value(&expected.reasons).unwrap();
    codes["duplicate"] = json!(expected.duplicates);
    let sound = json!([{
        "state": "committed", "rows_in": expected.rows, "rows_out": expected.valid,
        "quarantined": expected.rejected, "dropped": expected.duplicates, "balanced": true, "codes": codes,
    }]);
    let compare = |ledger: &Value| check::ledger(&ledger.to_string(), &expected).unwrap().join("; ");
    assert_eq!(compare(&sound), "");
    for (key, value, told) in [
        ("rows_out", json!(1), "ledger: rows out: 1, not "),
        ("quarantined", json!(1), "ledger: rows refused: 1, not "),
        ("dropped", json!(1), "ledger: rows dropped: 1, not "),
        ("balanced", json!(false), "ledger: rows are missing"),
        ("state", json!("failed"), "ledger: the delivery is failed, not committed"),
        ("codes", json!({ "V11": 2 }), "ledger: findings of V11: 2, not 0"),
    ] {
        let mut ledger = sound.clone();
        ledger[0][key] = value;
        let differences = compare(&ledger);
        assert!(differences.contains(told), "{key}: {differences}");
    }
    assert_eq!(compare(&json!([])), "ledger: 0 deliveries, not 1");
}

#[test]
fn no_two_numbers_have_the_same_project_code() {
    let (text, expected) = made(20_000, 5);
    let codes =
        |lines: &str| -> Vec<String> { lines.lines().skip(1).map(|line| cells(line)[0].clone()).collect() };
    let distinct: HashSet<String> = codes(&text).into_iter().collect();
    let repeated = 20_000 - distinct.len() as u64;
    // Of the repeated rows, some are broken, and some repeat a broken one.
    assert!(
        repeated >= expected.duplicates && repeated < 3 * expected.duplicates,
        "{repeated}, {expected:?}"
    );
}

#[test]
fn every_row_that_is_dropped_for_latency_is_sound() {
    let text = [0, 1, 900].map(|file| probe::content(file, 1000)).concat();
    let rows = text.lines().filter(|line| !line.starts_with("project_code"));
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    rows.iter().for_each(|row| assert!(row.len() == COLUMNS.len() && broken(row).is_empty(), "{row:?}"));
    let codes: HashSet<&String> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(codes.len(), 3000);
}
