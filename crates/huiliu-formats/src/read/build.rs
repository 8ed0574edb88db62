//! From the cells of a sheet to typed Arrow batches, column by column.
//!
//! An [`Assembler`] belongs to one sheet. It is fed chunks and gives a batch when enough rows are there. Findings name
//! the cell as the sender sees it.

mod broken;
mod column;
mod nameless;
mod plain;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::SchemaRef;
use huiliu_stage::json::write_text;
use huiliu_stage::{
    Fate, Field, Finding, Findings, Outcome, RecordSchema, Severity, Text, UNREADABLE, column_letters, row_id,
};

use self::column::ColumnBuilder;
pub(super) use self::nameless::Nameless;
use super::chunk::{Chunk, View};
use super::error::ReadError;
use super::header::Layout;
use super::options::ReadOptions;
use super::value::{Note, trimmed};

/// Builds the batches of one sheet.
pub(super) struct Assembler {
    base: SchemaRef,
    schema: SchemaRef,
    options: ReadOptions,
    sheet: String,
    ordinal: u32,
    fields: Vec<(String, ColumnBuilder)>,
    /// Column of each field, and its unit; set from the layout.
    sources: Vec<Option<usize>>,
    /// Columns without a field, and their keys in `_extra`.
    unknown: Vec<(usize, String)>,
    nameless: Nameless,
    rows: Vec<i64>,
    extra: StringBuilder,
    findings: Vec<Finding>,
    unreadable: BTreeMap<String, Vec<i64>>,
    /// What rows are.
    unit: Unit,
}

/// What rows are, and so how one speaks of their values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Unit {
    /// Rows of cells, which have addresses.
    #[default]
    Cells,
    /// Lines that hold a record each.
    Lines,
    /// Records, which have a number.
    Records,
}

impl Assembler {
    pub(super) fn new(record: &RecordSchema, options: &ReadOptions, sheet: &str, ordinal: u32) -> Self {
        let builders =
            record.fields.iter().map(|field| (field.name.clone(), ColumnBuilder::new(field, options.today)));
        let base = record.to_arrow();
        Self {
            schema: base.clone(),
            base,
            options: options.clone(),
            sheet: sheet.to_owned(),
            ordinal,
            fields: builders.collect(),
            sources: vec![None; record.fields.len()],
            unknown: Vec::new(),
            nameless: Nameless::default(),
            rows: Vec::new(),
            extra: StringBuilder::new(),
            findings: Vec::new(),
            unreadable: BTreeMap::new(),
            unit: Unit::default(),
        }
    }

    /// Another one for the same sheet, without rows. What is told once in a sheet is for the first one to tell.
    pub(super) fn fork(&self) -> Self {
        Self {
            base: self.base.clone(),
            schema: self.schema.clone(),
            options: self.options.clone(),
            sheet: self.sheet.clone(),
            ordinal: self.ordinal,
            fields: self.fields.iter().map(|(name, builder)| (name.clone(), builder.fork())).collect(),
            sources: self.sources.clone(),
            unknown: self.unknown.clone(),
            nameless: Nameless::default(),
            rows: Vec::new(),
            extra: StringBuilder::new(),
            findings: Vec::new(),
            unreadable: BTreeMap::new(),
            unit: self.unit,
        }
    }

    /// Hands over the memory of columns without a header; nothing is told of them here any more.
    pub(super) fn take_nameless(&mut self) -> Nameless {
        std::mem::take(&mut self.nameless)
    }

    /// What was found since the last call.
    pub(super) fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Says what the rows are; those without cells are told by number and name in place of an address.
    pub(super) fn speak_of(&mut self, unit: Unit) {
        self.unit = unit;
    }

    /// Takes over which column is which field. Only between batches, since a batch has one set of origins.
    pub(super) fn lay_out(&mut self, layout: &Layout) {
        let mut origin = self.options.origin.clone();
        origin.columns.clear();
        for (index, (name, builder)) in self.fields.iter_mut().enumerate() {
            self.sources[index] = layout.column_of(index);
            if let Some(column) = self.sources[index] {
                if self.unit == Unit::Cells {
                    origin.columns.insert(name.clone(), column);
                }
                builder.set_unit(layout.columns[column].unit.as_ref(), layout.unit.as_ref());
            }
        }
        self.schema = Arc::new(origin.mark(&self.base));
        self.unknown = layout.extra_keys();
        self.nameless.lay_out(layout);
    }

    /// Ordinal of the sheet.
    pub(super) fn ordinal(&self) -> u32 {
        self.ordinal
    }

    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn has_findings(&self) -> bool {
        !self.findings.is_empty()
    }

    /// The sum of a field's values in these rows of the batch; amounts and numbers in units of a ten-thousandth.
    pub(super) fn sum(&self, field: usize, rows: Range<usize>) -> i128 {
        self.fields.get(field).map_or(0, |(_, builder)| builder.sum(rows))
    }

    /// Reads a text as the field's cells are read, in the units of [`Self::sum`].
    pub(super) fn amount(&self, field: usize, text: &str) -> Option<i128> {
        self.fields.get(field).and_then(|(_, builder)| builder.amount(text))
    }

    /// What a field is called when talking to people.
    pub(super) fn title(&self, field: usize) -> String {
        self.fields.get(field).map_or_else(String::new, |(_, builder)| builder.field().title().to_owned())
    }

    /// Name of a field.
    pub(super) fn name(&self, field: usize) -> String {
        self.fields.get(field).map_or_else(String::new, |(name, _)| name.clone())
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Adds the rows of a chunk.
    pub(super) fn take(&mut self, chunk: &mut Chunk, text: &str) {
        let nameless = match self.unit {
            Unit::Cells => self.nameless.told(self.ordinal, chunk, text),
            Unit::Lines | Unit::Records => Vec::new(),
        };
        self.add(chunk, text, nameless);
    }

    /// Adds the rows of a chunk; `nameless` is what there is to tell of its columns without a header.
    pub(super) fn add(&mut self, chunk: &mut Chunk, text: &str, nameless: Vec<Finding>) {
        let ordinal = self.ordinal;
        self.findings.append(&mut chunk.findings);
        self.rows.extend(chunk.numbers.iter().map(|&number| row_id(ordinal, number)));
        self.odd_rows(chunk);
        self.broken_cells(chunk, text);
        self.unread_rows(chunk);
        self.findings.extend(nameless);
        let view = chunk.view(text);
        for (index, (_, builder)) in self.fields.iter_mut().enumerate() {
            match place_of(self.sources[index], chunk, index, text) {
                Some((view, column)) => builder.append(chunk, view, column),
                None => builder.append_nulls(chunk.rows()),
            }
        }
        self.left_cells(chunk, text);
        self.append_extra(chunk, view);
    }

    /// Reads the cells that are not written plainly, and tells of them.
    fn left_cells(&mut self, chunk: &Chunk, text: &str) {
        let ordinal = self.ordinal;
        for (index, (name, builder)) in self.fields.iter_mut().enumerate() {
            let source = self.sources[index];
            let Some((view, column)) = place_of(source, chunk, index, text) else { continue };
            let (findings, unreadable) = (&mut self.findings, &mut self.unreadable);
            let field = Arc::clone(builder.field());
            let (unit, mut place) = (self.unit, None);
            let mut tell = |row: usize, raw: &str, note: Note| {
                let number = chunk.numbers[row];
                let id = row_id(ordinal, number);
                if note.severity == Severity::Error {
                    match unreadable.get_mut(name.as_str()) {
                        Some(rows) => rows.push(id),
                        None => drop(unreadable.insert(name.clone(), vec![id])),
                    }
                }
                let place = place.get_or_insert_with(|| Place::new(unit, source));
                findings.push(cell_finding(&field, id, place.of(number), raw, &note));
            };
            builder.append_rest(chunk, view, column, &mut tell);
        }
    }

    fn odd_rows(&mut self, chunk: &Chunk) {
        for &(number, cells) in &chunk.odd {
            let width = chunk.width;
            let text = Text::new(
                format!("第{number}行有{cells}格，表头有{width}格；请检查是否缺少或多出分隔符"),
                format!(
                    "row {number} has {cells} cells, the header has {width}; look for a missing or surplus delimiter"
                ),
            );
            // With a cell too many, some cell stands under another's heading; cells left out at the end harm none.
            let severity = if cells as usize > width { Severity::Error } else { Severity::Warning };
            self.findings.push(Finding::new(Some(row_id(self.ordinal, number)), severity, "width", text));
        }
    }

    fn append_extra(&mut self, chunk: &Chunk, view: View<'_>) {
        if self.unknown.is_empty() && chunk.surplus.is_empty() {
            self.extra.append_nulls(chunk.rows());
            return;
        }
        let mut surplus = chunk.surplus.iter().peekable();
        let mut json = String::new();
        for (row, &number) in chunk.numbers.iter().enumerate() {
            json.clear();
            let mut add = |key: &str, value: &str| {
                json.push(if json.is_empty() { '{' } else { ',' });
                write_text(&mut json, key);
                json.push(':');
                write_text(&mut json, value);
            };
            for (column, key) in &self.unknown {
                let value = trimmed(view.get(row, *column));
                if !value.is_empty() {
                    add(key, value);
                }
            }
            while let Some((_, column, span)) = surplus.next_if(|(of, ..)| *of == number) {
                add(&column_letters(*column as usize), trimmed(view.text(*span)));
            }
            match json.is_empty() {
                true => self.extra.append_null(),
                false => {
                    json.push('}');
                    self.extra.append_value(&json);
                }
            }
        }
    }

    /// The batch of the rows so far.
    pub(super) fn finish(&mut self) -> Result<Outcome, ReadError> {
        let rows = std::mem::take(&mut self.rows);
        let mut columns: Vec<ArrayRef> =
            self.fields.iter_mut().map(|(_, builder)| builder.finish()).collect();
        columns.push(Arc::new(StringArray::from_iter_values(rows.iter().map(|_| self.sheet.as_str()))));
        columns.push(Arc::new(Int64Array::from(rows)));
        columns.push(Arc::new(self.extra.finish()));
        let mut findings = std::mem::take(&mut self.findings);
        if !findings.is_sorted_by_key(|finding| finding.row) {
            // Findings are large: places are sorted, and each finding is moved once.
            findings.sort_by_cached_key(|finding| finding.row);
        }
        let schema = self.batch_schema();
        let batch = RecordBatch::try_new(schema, columns)
            .map_err(|e| ReadError::new(format!("内部错误：{e}"), format!("internal error: {e}")))?;
        Ok(Outcome { batch, findings: Findings(findings) })
    }

    fn batch_schema(&mut self) -> SchemaRef {
        if self.unreadable.is_empty() {
            return self.schema.clone();
        }
        let unreadable = serde_json::to_string(&std::mem::take(&mut self.unreadable)).unwrap_or_default();
        let mut schema = self.schema.as_ref().clone();
        schema.metadata.insert(UNREADABLE.to_owned(), unreadable);
        Arc::new(schema)
    }
}

/// Where the cells of the field `index` stand in a chunk; nowhere for one that the file does not have.
fn place_of<'a>(
    source: Option<usize>,
    chunk: &'a Chunk,
    index: usize,
    text: &'a str,
) -> Option<(View<'a>, usize)> {
    match source {
        Some(column) => Some((chunk.view(text), column)),
        // What a row got from elsewhere, such as the title of its group, is read as a cell is.
        None => chunk.view_added(index, text).map(|added| (added, 0)),
    }
}

/// Where values of a field stand: in cells, in records, or nowhere in their rows but given to them.
struct Place {
    /// What stands in front of and behind a row's number, in both languages.
    around: [(String, &'static str); 2],
    zh: String,
    en: String,
}

impl Place {
    fn new(unit: Unit, column: Option<usize>) -> Self {
        let around = match (unit, column) {
            (Unit::Records, _) => [("第".to_owned(), "条记录"), ("record ".to_owned(), "")],
            (Unit::Lines, _) => [("第".to_owned(), "行"), ("line ".to_owned(), "")],
            (Unit::Cells, Some(column)) => [(column_letters(column), ""), (column_letters(column), "")],
            (Unit::Cells, None) => [("第".to_owned(), "行"), ("row ".to_owned(), "")],
        };
        Self { around, zh: String::new(), en: String::new() }
    }

    /// The place in the row `number`, in both languages.
    fn of(&mut self, number: u32) -> [&str; 2] {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(number);
        for ((front, behind), text) in self.around.iter().zip([&mut self.zh, &mut self.en]) {
            text.clear();
            [front, digits, behind].into_iter().for_each(|part| text.push_str(part));
        }
        [&self.zh, &self.en]
    }
}

/// Characters of a cell that a sentence repeats.
const MOST_SHOWN: usize = 40;

/// Says of which cell a note is. There may be a million of them, so that a sentence is put together in one go.
fn cell_finding(field: &Field, row: i64, [zh, en]: [&str; 2], raw: &str, note: &Note) -> Finding {
    let title = field.title();
    // A whole paragraph in an amount's cell need not be repeated to its writer.
    let end =
        if raw.len() > MOST_SHOWN { raw.char_indices().nth(MOST_SHOWN).map(|(end, _)| end) } else { None };
    let (shown, more) = match end {
        Some(end) => (raw.get(..end).unwrap_or(raw), "…"),
        None => (raw, ""),
    };
    let zh = [zh, "（", title, "）“", shown, more, "”", &note.text.zh].concat();
    let en = [en, " (", title, ") `", shown, more, "` ", &note.text.en].concat();
    // Only what cannot be read counts as a fault of the field.
    let code = field.code.as_deref().filter(|_| note.severity == Severity::Error).unwrap_or(note.code);
    Finding {
        row: Some(row),
        field: Some(field.name.clone()),
        severity: note.severity,
        code: code.to_owned(),
        message: Text { zh, en },
        raw: Some(raw.to_owned()),
        fate: Fate::Stays,
    }
}
