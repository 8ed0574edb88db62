//! From the text of an object to names and values.
//!
//! Numbers stay the text they are: a double would round an amount of 17 digits.

use serde::de::IgnoredAny;

use super::super::{LONGEST_NAME, MOST_NAMES, Piece, Value};
use super::cursor::length_of;

/// Longest piece of a faulty record that a finding repeats.
const SHOWN: usize = 1000;
/// How deep objects give names of their own; what is deeper stays JSON.
const DEEPEST: usize = 16;

/// What a value is as a record.
pub(super) fn piece(bytes: &[u8]) -> Piece {
    let raw =
        || String::from_utf8_lossy(bytes.get(..bytes.len().min(SHOWN)).unwrap_or_default()).into_owned();
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) if bytes.trim_ascii_start().starts_with(b"{") => {
            let mut fields = Vec::new();
            match flatten("", bytes, DEEPEST, &mut fields) {
                Ok(()) => Piece::Record(fields),
                Err(why) => Piece::Fault { why: why.to_owned(), raw: raw() },
            }
        }
        Ok(_) => Piece::Fault { why: "not an object".to_owned(), raw: raw() },
        Err(error) => Piece::Fault { why: error.to_string(), raw: raw() },
    }
}

/// Objects within an object give names such as `a.b`. Names are bounded, since nested ones repeat those above them.
fn flatten(
    above: &str,
    object: &[u8],
    deep: usize,
    fields: &mut Vec<(String, Value)>,
) -> Result<(), &'static str> {
    let mut rest = inner(object);
    while let Some((key, behind)) = part(rest, b':') {
        let Some((value, behind)) = part(behind, b',') else { break };
        rest = behind;
        let key: String = serde_json::from_slice(key).unwrap_or_default();
        if key.len() > LONGEST_NAME {
            return Err("a name is longer than 256 bytes");
        }
        if fields.len() >= MOST_NAMES {
            return Err("it has more than 1024 names");
        }
        let name = if above.is_empty() { key } else { format!("{above}.{key}") };
        match value.first() {
            Some(b'{') if deep > 0 && part(inner(value), b':').is_some() => {
                flatten(&name, value, deep - 1, fields)?;
            }
            Some(b'[') => fields.push((name, list(value))),
            _ => fields.push((name, Value::One(text(value)))),
        }
    }
    Ok(())
}

/// An array of plain values; one that holds others stays JSON.
fn list(array: &[u8]) -> Value {
    let (mut rest, mut items) = (inner(array), Vec::new());
    while let Some((item, behind)) = part(rest, b',') {
        if matches!(item.first(), Some(b'{' | b'[')) {
            return Value::One(text(array));
        }
        items.push(text(item));
        rest = behind;
    }
    Value::Many(items, '、')
}

/// What stands between the brackets.
fn inner(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    value.get(1..value.len().saturating_sub(1)).unwrap_or_default()
}

/// The next value and what follows the sign behind it.
fn part(text: &[u8], sign: u8) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    let (value, behind) = text.split_at_checked(length_of(text)).filter(|(value, _)| !value.is_empty())?;
    let behind = behind.trim_ascii_start();
    Some((value, behind.strip_prefix(&[sign]).unwrap_or(behind)))
}

/// A value as a cell holds it.
fn text(value: &[u8]) -> String {
    let raw = || String::from_utf8_lossy(value).into_owned();
    match value.first() {
        Some(b'n') => String::new(),
        Some(b'"') => serde_json::from_slice(value).unwrap_or_else(|_| raw()),
        // Lists and objects without blanks, numbers without exponents.
        Some(b'{' | b'[') => compact(value).unwrap_or_else(raw),
        _ if value.iter().any(|byte| matches!(byte, b'e' | b'E'))
            && value.first() != Some(&b't')
            && value.first() != Some(&b'f') =>
        {
            compact(value).unwrap_or_else(raw)
        }
        _ => raw(),
    }
}

fn compact(value: &[u8]) -> Option<String> {
    serde_json::from_slice::<serde_json::Value>(value).ok().map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_flattened_and_numbers_keep_their_digits() {
        let object = r#" { "a" : 12345678901234.5678, "b": {"c": "x\"{", "d": {}, "e": [1, "p,q", null]},
            "f": [ {"g": 1} ], "h": 1.5e3, "i": true, "j": null, "k": [] } "#;
        let Piece::Record(fields) = piece(object.trim().as_bytes()) else { panic!("no record") };
        let shown: Vec<String> = fields
            .iter()
            .map(|(name, value)| match value {
                Value::One(text) => format!("{name}={text}"),
                Value::Many(items, _) => format!("{name}={items:?}"),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "a=12345678901234.5678",
                "b.c=x\"{",
                "b.d={}",
                "b.e=[\"1\", \"p,q\", \"\"]",
                "f=[{\"g\":1}]",
                "h=1500.0",
                "i=true",
                "j=",
                "k=[]",
            ]
        );
    }
}
