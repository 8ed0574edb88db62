//! From the text of an object to names and values.
//!
//! The text is proved to be JSON once and then cut by its brackets and quotes. Numbers stay the text they are: a double
//! would round an amount of 17 digits.

use std::borrow::Cow;

use huiliu_stage::json::write_text;
use huiliu_stage::{Text, column_letters};
use serde::de::IgnoredAny;

use super::super::{LONGEST_NAME, MOST_NAMES, Piece, Value};

/// Longest piece of a faulty record that a finding repeats.
const SHOWN: usize = 1000;
/// How deep objects give names of their own; what is deeper stays JSON.
pub(super) const DEEPEST: usize = 16;
/// Most places by which an exponent moves the point of a number that is written out.
const MOST_PLACES: i32 = 40;

/// What a value is as a record; objects that lie up to `deep` within it give names of their own.
pub(super) fn piece(bytes: &[u8], deep: usize) -> Piece {
    match fields(bytes, deep) {
        Ok(fields) => Piece::Record(fields),
        Err(why) => fault(bytes, why),
    }
}

fn fields(bytes: &[u8], deep: usize) -> Result<Vec<(String, Value)>, Text> {
    let text = proven(bytes)?;
    if !text.starts_with('{') {
        return Err(Text::new("不是用花括号括起来的对象", "not an object"));
    }
    let mut fields = Vec::new();
    flatten("", text, deep, &mut fields)?;
    Ok(fields)
}

/// What an array of values is as a record; the names are those of its places.
pub(super) fn row(bytes: &[u8], names: &[String]) -> Piece {
    match values(bytes, names) {
        Ok(fields) => Piece::Record(fields),
        Err(why) => fault(bytes, why),
    }
}

fn fault(bytes: &[u8], why: Text) -> Piece {
    let raw = bytes.get(..bytes.len().min(SHOWN)).unwrap_or_default();
    Piece::Fault { why, raw: String::from_utf8_lossy(raw).into_owned() }
}

fn values(bytes: &[u8], names: &[String]) -> Result<Vec<(String, Value)>, Text> {
    let text = proven(bytes)?;
    if !text.starts_with('[') {
        return Err(Text::new("不是用方括号括起来的一行", "not an array"));
    }
    let (mut rest, mut fields) = (inner(text), Vec::new());
    while let Some((item, behind)) = part(rest, ',') {
        if fields.len() >= MOST_NAMES {
            return Err(Text::new(
                format!("超过 {MOST_NAMES} 格"),
                format!("it has more than {MOST_NAMES} values"),
            ));
        }
        // Values beyond the names go by their places.
        let at = fields.len();
        let name = names.get(at).filter(|name| !name.is_empty()).cloned();
        let name = name.unwrap_or_else(|| column_letters(at));
        fields.push((name, if item.starts_with('[') { list(item)? } else { Value::One(self::text(item)?) }));
        rest = behind;
    }
    Ok(fields)
}

/// The names that an array of texts holds; none if it holds anything else.
pub(super) fn names_in(bytes: &[u8]) -> Vec<String> {
    let names: Vec<String> = serde_json::from_slice(bytes).unwrap_or_default();
    let sound = names.len() <= MOST_NAMES
        && names.iter().all(|name| name.len() <= LONGEST_NAME)
        && names.iter().any(|name| !name.trim().is_empty());
    if sound { names } else { Vec::new() }
}

/// Characters that are shown of what stands before and behind a mistake.
const AROUND: usize = 12;

/// What is wrong, and where: the parser's lines are those of the record.
fn syntax(text: &str, error: &serde_json::Error) -> Text {
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let at = line.floor_char_boundary(error.column().saturating_sub(1).min(line.len()));
    let (before, behind) = line.split_at_checked(at).unwrap_or((line, ""));
    let from = before.char_indices().rev().nth(AROUND - 1).map_or(0, |(from, _)| from);
    let behind: String = behind.chars().take(AROUND).collect();
    let near = [before.get(from..).unwrap_or_default().trim_start(), behind.trim_end()].concat();
    let said = error.to_string();
    let what = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    Text::new(
        match error.is_eof() {
            true => format!("没有写完，断在“{near}”"),
            false => format!("“{near}”处不符合 JSON 语法"),
        },
        format!("{what} at `{near}`"),
    )
}

/// The text of bytes that are JSON.
fn proven(bytes: &[u8]) -> Result<&str, Text> {
    let text = simdutf8::basic::from_utf8(bytes)
        .map_err(|_| Text::new("含有无法解码的文字", "it holds bytes that are no text"))?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| syntax(text, &error))?;
    Ok(text.trim_ascii())
}

/// Objects within an object give names such as `a.b`. Names are bounded, since nested ones repeat those above them.
fn flatten(above: &str, object: &str, deep: usize, fields: &mut Vec<(String, Value)>) -> Result<(), Text> {
    let mut rest = inner(object);
    while let Some((key, behind)) = part(rest, ':') {
        let Some((value, behind)) = part(behind, ',') else { break };
        rest = behind;
        let key = string(key)?;
        if key.len() > LONGEST_NAME {
            return Err(Text::new(
                format!("有一个名称超过 {LONGEST_NAME} 字节"),
                format!("a name is longer than {LONGEST_NAME} bytes"),
            ));
        }
        if fields.len() >= MOST_NAMES {
            return Err(Text::new(
                format!("名称超过 {MOST_NAMES} 个"),
                format!("it has more than {MOST_NAMES} names"),
            ));
        }
        let name = if above.is_empty() { key.into_owned() } else { format!("{above}.{key}") };
        match value.as_bytes().first() {
            Some(b'{') if deep > 0 && part(inner(value), ':').is_some() => {
                flatten(&name, value, deep - 1, fields)?;
            }
            Some(b'[') => fields.push((name, list(value)?)),
            _ => fields.push((name, Value::One(text(value)?))),
        }
    }
    Ok(())
}

/// An array of plain values; one that holds others stays JSON.
fn list(array: &str) -> Result<Value, Text> {
    let (mut rest, mut items) = (inner(array), Vec::new());
    while let Some((item, behind)) = part(rest, ',') {
        if item.starts_with(['{', '[']) {
            return Ok(Value::One(text(array)?));
        }
        items.push(text(item)?);
        rest = behind;
    }
    Ok(Value::Many(items, '、'))
}

/// What stands between the brackets.
fn inner(value: &str) -> &str {
    value.get(1..value.len().saturating_sub(1)).unwrap_or_default()
}

/// The next value and what follows the sign behind it.
fn part(text: &str, sign: char) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let (value, behind) = text.split_at_checked(length_of(text.as_bytes())).filter(|(v, _)| !v.is_empty())?;
    let behind = behind.trim_ascii_start();
    Some((value, behind.strip_prefix(sign).unwrap_or(behind)))
}

/// The length of the value that a proper JSON text begins with.
fn length_of(bytes: &[u8]) -> usize {
    let Some(b'"' | b'{' | b'[') = bytes.first() else {
        let ends = |byte: &u8| matches!(byte, b',' | b':' | b'}' | b']') || byte.is_ascii_whitespace();
        return bytes.iter().position(ends).unwrap_or(bytes.len());
    };
    let (mut open, mut at) = (0_usize, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at += string_length(bytes.get(at..).unwrap_or_default()) - 1,
            b'{' | b'[' => open += 1,
            b'}' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if open == 0 {
            break;
        }
    }
    at.min(bytes.len())
}

/// The length of the string that a text begins with, quotes included; at least one.
fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2; // Whatever is escaped ends nothing.
    }
    bytes.len().max(1)
}

/// What stands in a string's quotes.
fn string(quoted: &str) -> Result<Cow<'_, str>, Text> {
    match memchr::memchr(b'\\', quoted.as_bytes()) {
        None => Ok(Cow::Borrowed(inner(quoted))),
        Some(_) => serde_json::from_str(quoted).map(Cow::Owned).map_err(|error| syntax(quoted, &error)),
    }
}

/// A value as a cell holds it.
fn text(value: &str) -> Result<String, Text> {
    match value.as_bytes().first() {
        Some(b'n') => Ok(String::new()),
        Some(b'"') => string(value).map(Cow::into_owned),
        Some(b'{' | b'[') => compact(value),
        Some(b't' | b'f') => Ok(value.to_owned()),
        _ => Ok(written_out(value).unwrap_or_else(|| value.to_owned())),
    }
}

/// Lists and objects without blanks and needless escapes, their numbers as they are.
fn compact(value: &str) -> Result<String, Text> {
    let (mut to, mut rest) = (String::with_capacity(value.len()), value);
    while let Some(at) = memchr::memchr(b'"', rest.as_bytes()) {
        let (before, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let (quoted, behind) =
            behind.split_at_checked(string_length(behind.as_bytes())).unwrap_or((behind, ""));
        to.extend(before.chars().filter(|c| !c.is_ascii_whitespace()));
        write_text(&mut to, &string(quoted)?);
        rest = behind;
    }
    to.extend(rest.chars().filter(|c| !c.is_ascii_whitespace()));
    Ok(to)
}

/// A number without its exponent: `1.5e3` is `1500`. `None` if it has none, or one that is too large to write out.
fn written_out(number: &str) -> Option<String> {
    let (mantissa, exponent) = number.split_once(['e', 'E'])?;
    let moved: i32 = exponent.parse().ok().filter(|places| (-MOST_PLACES..=MOST_PLACES).contains(places))?;
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa),
    };
    let (whole, behind) = digits.split_once('.').unwrap_or((digits, ""));
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let point = i32::try_from(whole.len()).ok()? + moved;
    let length = i32::try_from(whole.len() + behind.len()).ok()?;
    let all = format!("{}{whole}{behind}{}", zeros(1 - point), zeros(point - length));
    let (whole, behind) = all.split_at_checked(usize::try_from(point.max(1)).ok()?)?;
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if behind.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{behind}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponent_is_written_out_digit_by_digit() {
        for (number, expected) in [
            ("1.5e3", Some("1500")),
            ("-1.5E-3", Some("-0.0015")),
            ("123456789012345678901e1", Some("1234567890123456789010")),
            ("1.25e1", Some("12.5")),
            ("0.00015e+2", Some("0.015")),
            ("0e0", Some("0")),
            ("1.0", None),
            ("1e400", None),
        ] {
            assert_eq!(written_out(number).as_deref(), expected, "{number}");
        }
    }

    #[test]
    fn values_are_flattened_and_numbers_keep_their_digits() {
        let object = r#" { "a" : 12345678901234.5678, "b": {"c": "x\"{", "d": {}, "e": [1, "p,q", null]},
            "f": [ {"g": 9007199254740993, "\u4e2d": "x y"} ], "h": 1.5e3, "i": true, "j": null, "k": [] } "#;
        let Piece::Record(fields) = piece(object.trim().as_bytes(), DEEPEST) else { panic!("no record") };
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
                "f=[{\"g\":9007199254740993,\"中\":\"x y\"}]",
                "h=1500",
                "i=true",
                "j=",
                "k=[]",
            ]
        );
    }
}
