//! JSON Lines: one object per row.
//!
//! Every row has the same keys in the same order, a missing value being `null`, so that whoever reads
//! the file sees a stable shape; only `extra` (the values of columns the record does not know) appears in
//! the rows that have it and in no other.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::cells::{Cells, Page, Piece, Values};
use super::columns::{Outgoing, WriteError, outgoing};
use super::scan::{JsonSpecial, Special, Texts};

/// Writes batches as JSON Lines.
///
/// Amounts are numbers without trailing zeros (`12345.5`), days `"2024-05-01"`, times RFC 3339 in UTC,
/// lists arrays, numbers that are not finite `null`. Columns of JSON text stand unquoted.
pub struct JsonLinesEncoder {
    columns: Vec<Outgoing>,
    /// What stands before each value: a comma (or the opening brace) and the key.
    keys: Vec<Piece>,
    /// How long the last rows were, to lay out room for the next.
    row_bytes: usize,
}

impl JsonLinesEncoder {
    /// Writes the `columns` named, by default all but the engine's, and `_extra` as `extra`.
    ///
    /// # Errors
    /// Names the column that is not there or cannot be written.
    pub fn new(schema: &SchemaRef, columns: Option<&[String]>) -> Result<Self, WriteError> {
        let columns = outgoing(schema, columns)?;
        let key = |(i, column): (usize, &Outgoing)| {
            let mut key = String::from(if i == 0 { "{" } else { "," });
            huiliu_stage::json::write_text(&mut key, &column.name);
            key.push(':');
            // A text nearly always follows with its quote.
            if matches!(column.data_type, arrow::datatypes::DataType::Utf8) && !column.json {
                key.push('"');
            }
            Piece::new(&key)
        };
        let keys = columns.iter().enumerate().map(key).collect();
        Ok(Self { columns, keys, row_bytes: 256 })
    }

    /// Appends the rows of `batch` to `out`.
    ///
    /// # Errors
    /// When the batch has other types than the schema this was made for; then nothing is written.
    pub fn encode(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let bind = |column| Cells::<JsonSpecial>::new(column, batch);
        let mut columns = self.columns.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
        let before = out.len();
        let mut page = Page::new(out, batch.num_rows() * self.row_bytes);
        for row in 0..batch.num_rows() {
            let mut opened = false;
            for ((cells, key), column) in columns.iter_mut().zip(&self.keys).zip(&self.columns) {
                let null = cells.is_null(row);
                if null && column.extra {
                    continue;
                }
                opened = true;
                page.piece(key);
                match null {
                    true => write_null(&mut page, cells),
                    false => write_value(&mut page, cells, row),
                }
            }
            if !opened {
                page.byte(b'{');
            }
            page.fixed(b"}\n", 2);
        }
        page.finish();
        if batch.num_rows() > 0 {
            self.row_bytes = (out.len() - before) / batch.num_rows() + 16;
        }
        Ok(())
    }
}

/// Writes `null`, in the place of the quote that the key of a text ends with.
fn write_null(page: &mut Page<'_>, cells: &Cells<'_, JsonSpecial>) {
    if matches!(cells.values, Values::Text(_)) {
        page.back();
    }
    page.fixed(b"null", 4);
}

#[inline]
fn write_value(page: &mut Page<'_>, cells: &mut Cells<'_, JsonSpecial>, row: usize) {
    let written = match &mut cells.values {
        Values::Text(texts) => {
            write_text(page, texts, row);
            true
        }
        Values::Json(texts) => {
            let (start, end, _) = texts.at(row);
            write_json(page, &texts.bytes[start..end])
        }
        Values::Integer(values) => {
            page.integer(values[row]);
            true
        }
        Values::Number(values) => page.float(values[row]),
        Values::Amount(values, scale) => {
            page.amount(values[row], *scale);
            true
        }
        Values::Boolean(values) => {
            let yes = values.value(row);
            page.fixed(if yes { b"true\0" } else { b"false" }, if yes { 4 } else { 5 });
            true
        }
        Values::Day(values) => quoted(page, |page| page.day(values[row])),
        Values::Time(values) => quoted(page, |page| page.time(values[row])),
        Values::List(offsets, items, nulls) => {
            let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
            page.byte(b'[');
            for item in start..end {
                if item > start {
                    page.byte(b',');
                }
                match nulls.is_some_and(|nulls| nulls.is_null(item)) {
                    true => page.fixed(b"null", 4),
                    false => {
                        page.byte(b'"');
                        write_text(page, items, item);
                    }
                }
            }
            page.byte(b']');
            true
        }
    };
    if !written {
        page.fixed(b"null", 4);
    }
}

/// Writes a quoted value; takes the quote back if there is none to write.
#[inline]
fn quoted(page: &mut Page<'_>, write: impl FnOnce(&mut Page<'_>) -> bool) -> bool {
    page.byte(b'"');
    let written = write(page);
    match written {
        true => page.byte(b'"'),
        false => page.back(),
    }
    written
}

/// Writes a text and its closing quote.
#[inline]
fn write_text(page: &mut Page<'_>, texts: &mut Texts<'_, JsonSpecial>, row: usize) {
    let (start, end, plain) = texts.at(row);
    match plain {
        true => page.window(texts.bytes, start, end),
        false => write_escaped(page, &texts.bytes[start..end]),
    }
    page.byte(b'"');
}

fn write_escaped(page: &mut Page<'_>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = text;
    loop {
        let clean = rest.iter().position(|&byte| JsonSpecial::is(byte)).unwrap_or(rest.len());
        page.bytes(&rest[..clean]);
        let Some(&byte) = rest.get(clean) else { return };
        match byte {
            b'"' | b'\\' => page.fixed(&[b'\\', byte], 2),
            b'\n' => page.fixed(b"\\n", 2),
            b'\r' => page.fixed(b"\\r", 2),
            b'\t' => page.fixed(b"\\t", 2),
            0x08 => page.fixed(b"\\b", 2),
            0x0c => page.fixed(b"\\f", 2),
            _ => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                page.fixed(&[b'\\', b'u', b'0', b'0', high, low], 6);
            }
        }
        rest = &rest[clean + 1..];
    }
}

/// Writes JSON text as it is. It comes from our own stages and is not parsed again; but what is plainly not
/// a JSON value becomes null, and its line breaks become blanks, so that one bad cell cannot spoil a line.
fn write_json(page: &mut Page<'_>, text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let whole = match (text.first(), text.last()) {
        (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) => text.len() > 1,
        (Some(_), _) => serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok(),
        (None, _) => false,
    };
    if !whole {
        return false;
    }
    // Inside a JSON string a line break is escaped, so a bare one is white space.
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\n', b'\r', rest) {
        page.bytes(&rest[..at]);
        page.byte(b' ');
        rest = &rest[at + 1..];
    }
    page.bytes(rest);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sample::{batches, rows};
    use super::*;

    #[test]
    fn keys_are_always_there_and_extra_only_where_there_is_one() {
        let mut out = Vec::new();
        let batch = rows();
        let mut encoder = JsonLinesEncoder::new(&batch.schema(), None).unwrap();
        encoder.encode(&batch, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        {"name":"a \"b\"\n","count":-7,"share":0.1,"total":12345.5,"open":true,"day":"2024-05-01","at":"2024-05-01T08:00:00.005Z","list":["x","\\"],"extra":{"备注":1}}
        {"name":null,"count":null,"share":null,"total":null,"open":null,"day":null,"at":null,"list":null}
        {"name":"","count":0,"share":null,"total":-0.0001,"open":false,"day":"0001-01-01","at":"1969-12-31T23:59:59.999Z","list":[]}
        "#);
    }

    #[test]
    fn columns_may_be_chosen_and_a_row_with_none_is_still_an_object() {
        let batch = rows();
        for (columns, expected) in [
            (
                vec!["_row", "count"],
                "{\"_row\":5,\"count\":-7}\n{\"_row\":6,\"count\":null}\n{\"_row\":7,\"count\":0}\n",
            ),
            (vec!["_extra"], "{\"extra\":{\"备注\":1}}\n{}\n{}\n"),
        ] {
            let columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
            let mut out = Vec::new();
            JsonLinesEncoder::new(&batch.schema(), Some(&columns)).unwrap().encode(&batch, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn json_text_that_is_none_becomes_null_and_never_breaks_the_line() {
        let field = huiliu_stage::json_field("j", true);
        let schema: SchemaRef = std::sync::Arc::new(arrow::datatypes::Schema::new(vec![field]));
        for (text, expected) in [
            ("{\"a\":\n1}", "{\"a\": 1}"),
            (" [1] ", "[1]"),
            ("true", "true"),
            ("\"x\"", "\"x\""),
            ("", "null"),
            ("{", "null"),
            ("not json", "null"),
        ] {
            let array = arrow::array::StringArray::from(vec![text]);
            let batch = RecordBatch::try_new(schema.clone(), vec![std::sync::Arc::new(array)]).unwrap();
            let mut out = Vec::new();
            JsonLinesEncoder::new(&schema, None).unwrap().encode(&batch, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("{{\"j\":{expected}}}\n"), "{text:?}");
        }
    }

    proptest! {
        /// Byte for byte what `huiliu_stage::json` writes value by value, and so what serde_json reads back.
        #[test]
        fn every_line_is_what_the_single_values_are(batch in batches()) {
            let mut out = b"before".to_vec();
            let mut encoder = JsonLinesEncoder::new(&batch.schema(), None).unwrap();
            encoder.encode(&batch, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            let mut lines = text.strip_prefix("before").unwrap().lines();
            for row in 0..batch.num_rows() {
                let mut expected = String::from("{");
                for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
                    let (extra, engine) = (field.name() == "_extra", field.name().starts_with('_'));
                    if (engine && !extra) || (extra && array.is_null(row)) {
                        continue;
                    }
                    if expected.len() > 1 {
                        expected.push(',');
                    }
                    expected += &format!("\"{}\":", if extra { "extra" } else { field.name() });
                    huiliu_stage::json::write_value(&mut expected, array, row, huiliu_stage::is_json(field));
                }
                expected.push('}');
                let line = lines.next().unwrap();
                prop_assert_eq!(line, &expected);
                prop_assert!(serde_json::from_str::<serde_json::Value>(line).is_ok());
            }
            prop_assert_eq!(lines.next(), None);
        }
    }
}
