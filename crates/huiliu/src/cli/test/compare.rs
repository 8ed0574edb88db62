//! What was expected against what came: the differences as lines that a person reads, `-` expected, `+` came.

use std::fmt::Write;

use huiliu_stage::{Finding, row_number};
use serde_json::Value;

use super::case::{Expect, Fate, Row, Told};
use super::play::Got;

/// Every difference, by row; empty if there is none. `about`: codes of the findings that count, all if there are none.
pub(super) fn differences(expect: &Expect, got: &Got, about: &[String]) -> String {
    let mut out = String::new();
    // A file that is refused against expectation explains all that follows, so it is told first.
    let state = expect.state.unwrap_or_default();
    if state != got.state {
        pair(&mut out, "state", state.as_str(), got.state.as_str());
        for finding in got.findings.iter().filter(|_| got.state == Fate::Refused && expect.findings.is_none())
        {
            let _ = writeln!(out, "    + {}", line(finding));
        }
    }
    if let Some(quarantined) = expect.quarantined.filter(|expected| *expected != got.quarantined) {
        pair(&mut out, "quarantined", &quarantined.to_string(), &got.quarantined.to_string());
    }
    if let Some(expected) = &expect.findings {
        findings(&mut out, expected, &in_scope(got, about));
    }
    if let Some(expected) = &expect.records {
        rows(&mut out, "records", expected, &got.records);
    }
    if let Some(expected) = &expect.commitments {
        rows(&mut out, "commitments", expected, &got.commitments);
    }
    if let Some(expected) = &expect.register {
        rows(&mut out, "register", expected, &got.register);
    }
    out
}

/// The findings that a case is about, by row.
pub(super) fn in_scope<'a>(got: &'a Got, about: &[String]) -> Vec<&'a Finding> {
    let mut found: Vec<&Finding> =
        got.findings.iter().filter(|finding| about.is_empty() || about.contains(&finding.code)).collect();
    found.sort_by_key(|finding| (finding.row, finding.code.clone()));
    found
}

fn pair(out: &mut String, what: &str, expected: &str, came: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "  {what}: expected {expected}, got {came}");
}

fn findings(out: &mut String, expected: &[Told], got: &[&Finding]) {
    let mut left: Vec<&Finding> = got.to_vec();
    let mut lines: Vec<(Option<u32>, u8, String)> = Vec::new();
    for told in expected {
        match left.iter().position(|finding| fits(told, finding)) {
            Some(at) => drop(left.remove(at)),
            None => lines.push((told.row, 0, format!("- {}", told_line(told)))),
        }
    }
    lines.extend(left.iter().map(|finding| (finding.row.map(row_number), 1, format!("+ {}", line(finding)))));
    lines.sort();
    if !lines.is_empty() {
        out.push_str("  findings:\n");
    }
    for (_, _, text) in lines {
        let _ = writeln!(out, "    {text}");
    }
}

fn fits(told: &Told, finding: &Finding) -> bool {
    told.code == finding.code
        && told.row == finding.row.map(row_number)
        && told.severity.is_none_or(|severity| severity == finding.severity)
        && told.field.as_ref().is_none_or(|field| finding.field.as_ref() == Some(field))
        && told
            .says
            .as_ref()
            .is_none_or(|says| finding.message.zh.contains(says) || finding.message.en.contains(says))
}

fn told_line(told: &Told) -> String {
    let words = [
        place(told.row),
        told.code.clone(),
        told.severity.map(|s| s.as_str().to_owned()).unwrap_or_default(),
        told.field.clone().unwrap_or_default(),
        told.says.as_ref().map(|says| format!("“{says}”")).unwrap_or_default(),
    ];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn line(finding: &Finding) -> String {
    let field = finding.field.as_deref().unwrap_or_default();
    let row = place(finding.row.map(row_number));
    let words = [&row, &finding.code, finding.severity.as_str(), field, &finding.message.zh];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn place(row: Option<u32>) -> String {
    row.map_or("file".to_owned(), |row| format!("row {row}"))
}

fn rows(out: &mut String, what: &str, expected: &[Row], got: &[Row]) {
    if expected.len() != got.len() {
        pair(out, what, &expected.len().to_string(), &got.len().to_string());
    }
    for (at, expected) in expected.iter().enumerate() {
        let number = at + 1;
        let Some(got) = got.get(at) else {
            let _ = writeln!(out, "    - {number}: {}", Value::Object(expected.clone()));
            continue;
        };
        for (column, value) in expected {
            // A register leaves out what a record has not; the rows of a delivery have all columns.
            let Some(came) = got.get(column).or((what == "register").then_some(&Value::Null)) else {
                let _ = writeln!(out, "    {what} {number}: there is no column `{column}`");
                continue;
            };
            if !same(value, came) {
                let _ = writeln!(out, "    {what} {number}, {column}: expected {value}, got {came}");
            }
        }
    }
    for (at, more) in got.iter().enumerate().skip(expected.len()) {
        let columns: Vec<&String> = expected.first().map(|row| row.keys().collect()).unwrap_or_default();
        let shown: Row = more
            .iter()
            .filter(|(column, value)| match columns.is_empty() {
                true => !value.is_null() && !column.starts_with('_'),
                false => columns.contains(column),
            })
            .map(|(column, value)| (column.clone(), value.clone()))
            .collect();
        let _ = writeln!(out, "    + {}: {}", at + 1, Value::Object(shown));
    }
}

/// Numbers are equal by value (100 and 100.0), texts and numbers by what they look like.
fn same(expected: &Value, came: &Value) -> bool {
    match (expected, came) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::String(a), Value::Number(b)) => *a == b.to_string(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use huiliu_stage::{Severity, Text};

    fn got() -> Got {
        let finding =
            |row, code: &str| Finding::new(Some(row), Severity::Warning, code, Text::new("不对", "wrong"));
        let rows = r#"[{"name": "甲", "amount": 100, "_row": 2}, {"name": "乙", "amount": 7.5, "_row": 3}]"#;
        Got {
            state: Fate::Committed,
            quarantined: 0,
            findings: vec![finding(3, "V08").with_field("amount"), finding(2, "V10")],
            records: serde_json::from_str(rows).unwrap(),
            commitments: Vec::new(),
            register: Vec::new(),
        }
    }

    fn expect(json: &str) -> Expect {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_not_named_is_not_compared_and_what_is_equal_is_not_told() {
        let about = ["V08".to_owned()];
        for json in [
            "{}",
            r#"{"findings": [{"row": 3, "code": "V08", "severity": "warning", "field": "amount", "says": "wrong"}]}"#,
            r#"{"records": [{"amount": 100.0}, {"name": "乙"}], "quarantined": 0}"#,
            r#"{"register": []}"#,
        ] {
            assert_eq!(differences(&expect(json), &got(), &about), "", "{json}");
        }
    }

    #[test]
    fn a_difference_is_told_by_row_with_what_was_expected_first() {
        let json = r#"{"quarantined": 1, "findings": [{"row": 3, "code": "V08", "severity": "error"}],
                       "records": [{"name": "甲", "amount": 90}]}"#;
        let told = differences(&expect(json), &got(), &[]);
        let expected = "  quarantined: expected 1, got 0
  findings:
    + row 2 V10 warning 不对
    - row 3 V08 error
    + row 3 V08 warning amount 不对
  records: expected 1, got 2
    records 1, amount: expected 90, got 100
    + 2: {\"name\":\"乙\",\"amount\":7.5}
";
        assert_eq!(told, expected);
    }

    #[test]
    fn a_column_that_no_row_has_is_told_even_where_nothing_was_expected_in_it() {
        let told = differences(&expect(r#"{"records": [{"nmae": null}, {}]}"#), &got(), &[]);
        assert_eq!(told, "    records 1: there is no column `nmae`\n");
    }
}
