//! CSV by RFC 4180, safe to open in a spreadsheet.
//!
//! A text that begins with `=`, `+`, `-`, `@`, a tab or a line break (or a full-width form of those
//! signs) is taken for a formula by spreadsheets, whoever wrote it; such a text gets a leading
//! apostrophe. Numbers, days and truth values are never texts and stay as they are, `-5` among them. Where
//! programs read the file and nobody opens it, [`CsvOptions::formula_guard`] switches this off.
//!
//! A missing value is an empty cell; an empty text is `""`.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::cells::{Cells, Page, Values};
use super::columns::{Outgoing, WriteError, outgoing};
use super::scan::{CsvSpecial, Special, Texts};

/// What stands in the first line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CsvHeader {
    /// Column names, such as `total_investment`.
    #[default]
    Names,
    /// What people call them, such as 总投资.
    Labels,
    /// Nothing: the rows begin at once.
    Absent,
}

/// How CSV is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// Whether the file begins with a byte order mark, without which Excel reads UTF-8 as GBK.
    pub bom: bool,
    /// What stands in the first line.
    pub header: CsvHeader,
    /// Whether texts that look like formulas get a leading apostrophe.
    pub formula_guard: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { bom: true, header: CsvHeader::Names, formula_guard: true }
    }
}

/// Writes batches as CSV.
pub struct CsvEncoder {
    columns: Vec<Outgoing>,
    options: CsvOptions,
}

/// What stands between the items of a list; the reader takes it apart there again.
const BETWEEN_ITEMS: &str = "、";

impl CsvEncoder {
    /// Writes the `columns` named, by default all but the engine's, and `_extra` as `extra`.
    ///
    /// # Errors
    /// Names the column that is not there or cannot be written.
    pub fn new(
        schema: &SchemaRef,
        columns: Option<&[String]>,
        options: CsvOptions,
    ) -> Result<Self, WriteError> {
        Ok(Self { columns: outgoing(schema, columns)?, options })
    }

    /// Appends what a file begins with: byte order mark and header line, each if wanted.
    pub fn begin(&self, out: &mut Vec<u8>) {
        if self.options.bom {
            out.extend_from_slice("\u{feff}".as_bytes());
        }
        if self.options.header == CsvHeader::Absent {
            return;
        }
        let mut page = Page::new(out, 256);
        for (i, column) in self.columns.iter().enumerate() {
            if i > 0 {
                page.byte(b',');
            }
            let title = match self.options.header {
                CsvHeader::Labels => &column.title,
                _ => &column.name,
            };
            write_cell(&mut page, title.as_bytes(), self.options.formula_guard);
        }
        page.fixed(b"\r\n", 2);
        page.finish();
    }

    /// Appends the rows of `batch`.
    ///
    /// # Errors
    /// When the batch has other types than the schema this was made for; then nothing is written.
    pub fn encode(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let bind = |column| Cells::<CsvSpecial>::new(column, batch);
        let mut columns = self.columns.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
        let guard = self.options.formula_guard;
        // A line with nothing on it is no row to most readers.
        let alone = columns.len() == 1;
        let mut list = Vec::new();
        let mut page = Page::new(out, batch.num_rows() * 128);
        for row in 0..batch.num_rows() {
            for (i, cells) in columns.iter_mut().enumerate() {
                if i > 0 {
                    page.byte(b',');
                }
                match cells.is_null(row) {
                    true if alone => page.fixed(b"\"\"", 2),
                    true => {}
                    false => write_value(&mut page, cells, row, guard, &mut list),
                }
            }
            page.fixed(b"\r\n", 2);
        }
        page.finish();
        Ok(())
    }
}

#[inline]
fn write_value(
    page: &mut Page<'_>,
    cells: &mut Cells<'_, CsvSpecial>,
    row: usize,
    guard: bool,
    list: &mut Vec<u8>,
) {
    match &mut cells.values {
        Values::Text(texts) | Values::Json(texts) => write_text(page, texts, row, guard),
        Values::Integer(values) => page.integer(values[row]),
        Values::Number(values) => {
            page.float(values[row]);
        }
        Values::Amount(values, scale) => page.amount(values[row], *scale),
        Values::Boolean(values) => page.bytes(if values.value(row) { b"true" } else { b"false" }),
        Values::Day(values) => {
            page.day(values[row]);
        }
        Values::Time(values) => {
            page.time(values[row]);
        }
        Values::List(offsets, items, nulls) => {
            list.clear();
            for item in offsets[row] as usize..offsets[row + 1] as usize {
                let (start, end, _) = items.at(item);
                if nulls.is_some_and(|nulls| nulls.is_null(item)) {
                    continue;
                }
                if !list.is_empty() {
                    list.extend_from_slice(BETWEEN_ITEMS.as_bytes());
                }
                list.extend_from_slice(&items.bytes[start..end]);
            }
            write_cell(page, list, guard);
        }
    }
}

#[inline]
fn write_text(page: &mut Page<'_>, texts: &mut Texts<'_, CsvSpecial>, row: usize, guard: bool) {
    let (start, end, plain) = texts.at(row);
    let text = &texts.bytes[start..end];
    match plain && start < end && !(guard && is_formula(text)) {
        true => page.window(texts.bytes, start, end),
        false => write_cell(page, text, guard),
    }
}

fn write_cell(page: &mut Page<'_>, text: &[u8], guard: bool) {
    let formula = guard && is_formula(text);
    if !text.is_empty() && !text.iter().any(|&byte| CsvSpecial::is(byte)) {
        if formula {
            page.byte(b'\'');
        }
        return page.bytes(text);
    }
    page.byte(b'"');
    if formula {
        page.byte(b'\'');
    }
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'"', rest) {
        page.bytes(&rest[..=at]);
        page.byte(b'"');
        rest = &rest[at + 1..];
    }
    page.bytes(rest);
    page.byte(b'"');
}

/// Whether a spreadsheet may take the text for a formula.
#[inline]
fn is_formula(text: &[u8]) -> bool {
    match text.first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n') => true,
        // Full-width forms, which Chinese and Japanese versions take for the plain ones.
        Some(0xef) => ["＝", "＋", "－", "＠"].iter().any(|sign| text.starts_with(sign.as_bytes())),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, AsArray, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use proptest::prelude::*;

    use super::super::sample::{batches, rows};
    use super::*;

    fn written(batch: &RecordBatch, options: CsvOptions) -> String {
        let mut encoder = CsvEncoder::new(&batch.schema(), None, options).unwrap();
        let mut out = Vec::new();
        encoder.begin(&mut out);
        encoder.encode(batch, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The cells that csv-core finds.
    fn parsed(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv_core::Reader::new();
        let (mut input, mut found) = (text.as_bytes(), Vec::new());
        loop {
            let (mut cells, mut ends) = (vec![0; text.len() + 1], vec![0; 64]);
            let (result, read, _, count) = reader.read_record(input, &mut cells, &mut ends);
            input = &input[read..];
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let cell =
                |(start, &end): (usize, &usize)| String::from_utf8(cells[start..end].to_vec()).unwrap();
            let row: Vec<String> = starts.zip(&ends).take(count).map(cell).collect();
            match result {
                csv_core::ReadRecordResult::Record => found.push(row),
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::End => return found,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_file_has_a_header_and_tells_an_empty_text_from_none() {
        let options = CsvOptions { bom: true, header: CsvHeader::Labels, formula_guard: true };
        insta::assert_snapshot!(written(&rows(), options).replace('\r', ""), @r#"
        ﻿名称,count,share,总投资,open,day,at,list,其他列
        "a ""b""
        ",-7,0.1,12345.5,true,2024-05-01,2024-05-01T08:00:00.005Z,x、\,"{""备注"":1}"
        ,,,,,,,,
        "",0,,-0.0001,false,0001-01-01,1969-12-31T23:59:59.999Z,"",
        "#);
    }

    #[test]
    fn a_text_that_looks_like_a_formula_is_shown_and_not_run() {
        let table = [
            ("=1+1", "'=1+1"),
            ("+86 519", "'+86 519"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("\n=1", "\"'\n=1\""),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("＝1", "'＝1"),
            ("－", "'－"),
            ("1=1", "1=1"),
            ("项目-1", "项目-1"),
            ("，", "，"),
            ("'=1", "'=1"),
        ];
        let schema = Arc::new(Schema::new(vec![
            Field::new("=t", DataType::Utf8, true),
            Field::new("n", DataType::Int64, true),
        ]));
        for (text, expected) in table {
            let arrays: Vec<arrow::array::ArrayRef> = vec![
                Arc::new(StringArray::from(vec![text])),
                Arc::new(arrow::array::Int64Array::from(vec![-1])),
            ];
            let batch = RecordBatch::try_new(Arc::clone(&schema) as SchemaRef, arrays).unwrap();
            let guarded = CsvOptions { bom: false, ..CsvOptions::default() };
            assert_eq!(written(&batch, guarded), format!("'=t,n\r\n{expected},-1\r\n"));
            let plain = CsvOptions { formula_guard: false, ..guarded };
            assert_eq!(parsed(&written(&batch, plain))[1][0], text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(batch in batches()) {
            let options = CsvOptions { bom: false, header: CsvHeader::Names, formula_guard: false };
            let found = parsed(&written(&batch, options));
            prop_assert_eq!(found.len(), batch.num_rows() + 1);
            let names = batch.column(0).as_string::<i32>();
            for (row, cells) in found[1..].iter().enumerate() {
                prop_assert_eq!(&found[0][..3], ["name", "count", "share"]);
                prop_assert_eq!(cells.len(), 9);
                let name = if names.is_null(row) { "" } else { names.value(row) };
                prop_assert_eq!(&cells[0], name);
                // Numbers, amounts, days and times stand as in JSON, without quotes.
                for (column, cell) in cells.iter().enumerate().take(7).skip(1) {
                    let mut json = String::new();
                    huiliu_stage::json::write_value(&mut json, batch.column(column), row, false);
                    let expected = if json == "null" { "" } else { json.trim_matches('"') };
                    prop_assert_eq!(cell, expected);
                }
            }
        }
    }
}
