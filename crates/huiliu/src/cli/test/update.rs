//! `--update`: what came, as YAML in the place of what was expected. All else in the file stays as it was written.

use anyhow::bail;
use huiliu_stage::row_number;
use serde_json::Value;

use super::case::{Expect, Fate, Row};
use super::compare::in_scope;
use super::play::Got;

/// What comes under `expect:`, a line each without indentation: the same keys and columns as were expected before.
pub(super) fn block(expect: &Expect, got: &Got, about: &[String]) -> Vec<String> {
    let fresh = expect.findings.is_none()
        && expect.records.is_none()
        && expect.commitments.is_none()
        && expect.register.is_none()
        && expect.quarantined.is_none();
    let mut lines = Vec::new();
    if expect.state.is_some() || got.state != Fate::Committed {
        lines.push(format!("state: {}", got.state.as_str()));
    }
    if expect.quarantined.is_some() || fresh {
        lines.push(format!("quarantined: {}", got.quarantined));
    }
    if expect.findings.is_some() || fresh {
        let findings = in_scope(got, about).into_iter().map(|finding| {
            let mut row = Row::new();
            row.extend(finding.row.map(|row| ("row".to_owned(), row_number(row).into())));
            row.insert("code".to_owned(), finding.code.clone().into());
            row.insert("severity".to_owned(), finding.severity.as_str().into());
            row.extend(finding.field.clone().map(|field| ("field".to_owned(), field.into())));
            row
        });
        list(&mut lines, "findings", findings.collect());
    }
    if let Some(before) = &expect.records {
        list(&mut lines, "records", columns(before, &got.records));
    }
    if let Some(before) = &expect.commitments {
        list(&mut lines, "commitments", columns(before, &got.commitments));
    }
    if let Some(before) = &expect.register {
        list(&mut lines, "register", columns(before, &got.register));
    }
    lines
}

/// Of each row the columns that were compared before; without any, all that hold something.
fn columns(before: &[Row], got: &[Row]) -> Vec<Row> {
    let of = |at: usize| before.get(at).or(before.last());
    let all = got.iter().enumerate().map(|(at, row)| {
        let wanted = of(at).filter(|wanted| !wanted.is_empty());
        let kept: Row = match wanted {
            Some(wanted) => wanted
                .keys()
                .map(|column| (column.clone(), row.get(column).cloned().unwrap_or_default()))
                .collect(),
            None => row
                .iter()
                .filter(|(column, value)| !column.starts_with('_') && !value.is_null())
                .map(|(column, value)| (column.clone(), value.clone()))
                .collect(),
        };
        kept
    });
    all.collect()
}

fn list(lines: &mut Vec<String>, key: &str, rows: Vec<Row>) {
    if rows.is_empty() {
        return lines.push(format!("{key}: []"));
    }
    lines.push(format!("{key}:"));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|(key, value)| format!("{key}: {}", scalar(value))).collect();
        lines.push(format!("  - {{{}}}", cells.join(", ")));
    }
}

/// A value within `{…}`: words as they are, all else as JSON, which YAML can read.
fn scalar(value: &Value) -> String {
    let plain = |text: &str| {
        let mut chars = text.chars();
        chars.next().is_some_and(char::is_alphabetic)
            && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
            && !["true", "false", "null", "yes", "no", "on", "off"].contains(&&*text.to_lowercase())
    };
    match value {
        Value::String(text) if plain(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text of a case file with new blocks under its `expect:` keys. A block that was as expected is left alone.
///
/// # Errors
/// A case has no `expect:` on a line of its own, so there is no place to write to.
pub(super) fn rewrite(text: &str, blocks: &[(bool, Vec<String>)]) -> anyhow::Result<String> {
    let lines: Vec<&str> = text.lines().collect();
    let starts: Vec<usize> =
        (0..lines.len()).filter(|&at| lines[at].trim_start().starts_with("expect:")).collect();
    if starts.len() != blocks.len() {
        bail!(
            "{} cases but {} lines that begin with `expect:`; give each case one, to be written to",
            blocks.len(),
            starts.len()
        );
    }
    let mut out = String::new();
    let mut next = 0;
    for (&start, (same, block)) in starts.iter().zip(blocks) {
        let end = end_of(&lines, start);
        let keep = if *same { end } else { start };
        lines[next..keep].iter().for_each(|line| push(&mut out, line));
        next = end;
        if !same {
            let indent = &lines[start][..indent(lines[start])];
            push(&mut out, &format!("{indent}expect:"));
            block.iter().for_each(|line| push(&mut out, &format!("{indent}  {line}")));
        }
    }
    lines[next..].iter().for_each(|line| push(&mut out, line));
    Ok(out)
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The line after the block that begins at `start`: the first that is no deeper, without the empty lines before it.
fn end_of(lines: &[&str], start: usize) -> usize {
    let deeper = |line: &&&str| line.trim().is_empty() || indent(line) > indent(lines[start]);
    let mut end = start + 1 + lines[start + 1..].iter().take_while(deeper).count();
    while end > start + 1 && lines[end - 1].trim().is_empty() {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_written_and_comments_elsewhere_stay() {
        let text = "cases:\n  - case: a # why\n    expect:\n      quarantined: 0\n\n  - case: b\n    expect:\n      quarantined: 0\n    # end\n";
        let blocks = [(true, vec![]), (false, vec!["quarantined: 1".to_owned(), "findings: []".to_owned()])];
        let expected = "cases:\n  - case: a # why\n    expect:\n      quarantined: 0\n\n  - case: b\n    expect:\n      quarantined: 1\n      findings: []\n    # end\n";
        assert_eq!(rewrite(text, &blocks).unwrap(), expected);
        assert!(rewrite("cases: []\n", &blocks).is_err());
    }

    #[test]
    fn what_is_written_is_read_back_as_it_was() {
        for (value, text) in [
            (Value::from("V08"), "V08"),
            (Value::from("总投资"), "总投资"),
            (Value::from("no"), "\"no\""),
            (Value::from("2026-05-06"), "\"2026-05-06\""),
            (Value::from("a, b"), "\"a, b\""),
            (Value::from(1.5), "1.5"),
            (Value::Null, "null"),
        ] {
            assert_eq!(scalar(&value), text);
        }
    }
}
