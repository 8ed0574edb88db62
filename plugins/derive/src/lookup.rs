//! The stage `lookup`: what a reference table says of each row, added as columns.
//!
//! The table is read anew for each delivery, so a list that people keep in a file, or that another pipeline keeps in a
//! register, is at hand as it is now. What is found is never written over what a row says itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{CastOptions, cast, cast_with_options, is_not_null};
use arrow::datatypes::{DataType, Field as ArrowField, Int64Type, SchemaRef};
use huiliu_stage::{
    Field, FieldType, Finding, Findings, Host, OpenStage, Outcome, Problem, ROW, Stage, StageError, Text,
    column, column_index,
};
use serde::Deserialize;

use crate::options::Level;
use crate::stage::{put, with_column};

/// `lookup: {table: items, by: {item: name}, take: {limit: workdays}}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupOptions {
    /// The table's name under `tables:`.
    pub table: String,
    /// Columns, each with the table's column that must be equal; of several such the first that finds something counts.
    pub by: By,
    /// Columns to add, each with the table's column that fills it.
    pub take: BTreeMap<String, Taken>,
    /// How a row is told for which nothing is found.
    #[serde(default = "off")]
    pub missing: Level,
    /// The code under which it is told.
    #[serde(default = "code")]
    pub code: String,
    /// What its sender is told.
    pub message: Option<Text>,
}

fn off() -> Level {
    Level(None)
}

fn code() -> String {
    "not-found".to_owned()
}

/// One key, or several in order.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum By {
    /// Column: the table's column.
    One(BTreeMap<String, String>),
    /// The first that finds something counts.
    Several(Vec<BTreeMap<String, String>>),
}

/// What fills a column.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Taken {
    /// A column of the table, as text.
    Text(String),
    /// A column of the table, turned into another type.
    As(Box<TakenAs>),
}

/// `{from: material, type: list, label: 容缺材料}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenAs {
    /// The table's column.
    pub from: String,
    /// What its texts are turned into; those that cannot be are missing.
    #[serde(rename = "type", default)]
    pub kind: FieldType,
    /// What people call the column.
    #[serde(default)]
    pub label: String,
}

/// Adds what a table says. See the head of the module.
pub struct Lookup {
    options: LookupOptions,
    /// Place of the row's column, name of the table's; for each key.
    keys: Vec<Vec<(usize, String)>>,
    columns: Vec<(ArrowField, TakenAs)>,
    host: Arc<dyn Host>,
    /// Read at the first batch of a delivery.
    table: Option<Table>,
}

impl OpenStage for Lookup {
    const NAME: &'static str = "lookup";
    const SUMMARY: &'static str = "adds what a reference table says of each row";
    const OPTION_SCHEMA: &'static str = include_str!("lookup.json");
    type Options = LookupOptions;

    fn open(
        options: LookupOptions,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let mut problems = Vec::new();
        let mut problem = |path: String, message: String| problems.push(Problem { path, message });
        let several = match &options.by {
            By::One(key) => std::slice::from_ref(key),
            By::Several(keys) => keys.as_slice(),
        };
        if several.iter().all(BTreeMap::is_empty) {
            problem("by".to_owned(), "name at least one column, with the table's that it equals".to_owned());
        }
        let mut keys = Vec::new();
        for key in several.iter().filter(|key| !key.is_empty()) {
            let mut found = Vec::new();
            for (name, of) in key {
                match column_index(&input, name) {
                    Ok(at) => found.push((at, of.clone())),
                    Err(error) => problem("by".to_owned(), error.to_string()),
                }
            }
            keys.push(found);
        }
        let mut output = input.clone();
        let mut columns = Vec::new();
        for (name, taken) in &options.take {
            let taken = match taken {
                Taken::Text(from) => {
                    TakenAs { from: from.clone(), kind: FieldType::Text, label: String::new() }
                }
                Taken::As(taken) => (**taken).clone(),
            };
            match field(name, &taken, &input) {
                Ok(field) => {
                    output = with_column(&output, &field);
                    columns.push((field, taken));
                }
                Err(why) => problem(format!("take.{name}"), why),
            }
        }
        if options.take.is_empty() {
            problem("take".to_owned(), "name at least one column to add".to_owned());
        }
        StageError::all(problems)?;
        Ok((Self { options, keys, columns, host, table: None }, output))
    }
}

/// The column that is added; one that is there already is kept as it is described.
fn field(name: &str, taken: &TakenAs, input: &SchemaRef) -> Result<ArrowField, String> {
    if name.is_empty() || name.starts_with('_') {
        return Err(format!("`{name}` cannot name a column; names that begin with `_` are the engine's"));
    }
    let field =
        Field { name: name.to_owned(), kind: taken.kind, label: taken.label.clone(), ..Field::default() };
    let field = field.to_arrow();
    match input.field_with_name(name) {
        Ok(there) if there.data_type() != field.data_type() => Err(format!(
            "there is a column `{name}` already, of type {}, and this is {}; say its `type`, or choose another name",
            there.data_type(),
            field.data_type()
        )),
        Ok(there) => Ok(there.clone().with_nullable(true)),
        Err(_) => Ok(field),
    }
}

/// The table, with its rows by key.
struct Table {
    texts: BTreeMap<String, StringArray>,
    /// For each key: its values, joined, and the rows that have them.
    rows: Vec<HashMap<String, Vec<usize>>>,
}

impl Table {
    fn read(
        name: &str,
        table: &RecordBatch,
        keys: &[Vec<(usize, String)>],
        taken: &[(ArrowField, TakenAs)],
    ) -> Result<Self, StageError> {
        let mut texts = BTreeMap::new();
        let wanted =
            keys.iter().flatten().map(|(_, of)| of).chain(taken.iter().map(|(_, taken)| &taken.from));
        for column in wanted {
            let found = table.column_by_name(column).ok_or_else(|| {
                let schema = table.schema();
                let known: Vec<String> =
                    schema.fields.iter().map(|field| format!("`{}`", field.name())).collect();
                StageError::new(format!(
                    "table `{name}` has no column `{column}`; there are {}",
                    known.join(", ")
                ))
            })?;
            texts.insert(column.clone(), text_of(found)?);
        }
        let mut rows = Vec::new();
        for key in keys {
            let columns: Vec<&StringArray> = key.iter().filter_map(|(_, of)| texts.get(of)).collect();
            let mut found: HashMap<String, Vec<usize>> = HashMap::new();
            for row in 0..table.num_rows() {
                if let Some(key) = key_of(&columns, row) {
                    found.entry(key).or_default().push(row);
                }
            }
            rows.push(found);
        }
        Ok(Self { texts, rows })
    }

    /// The rows that belong to a row with these keys, one of each kind.
    fn find(&self, keys: &[Option<String>]) -> &[usize] {
        let mut found = self.rows.iter().zip(keys).filter_map(|(rows, key)| rows.get(key.as_ref()?));
        found.next().map_or(&[], Vec::as_slice)
    }
}

fn text_of(column: &ArrayRef) -> Result<StringArray, StageError> {
    let texts = cast(column, &DataType::Utf8)?;
    let texts = texts.as_string_opt::<i32>().cloned();
    texts.ok_or_else(|| StageError::new("a column by which is looked up is no text"))
}

/// The values of a row as one text, in comparable form; `None` if one is missing.
fn key_of(columns: &[&StringArray], row: usize) -> Option<String> {
    let mut key = String::new();
    for column in columns {
        let text = column.is_valid(row).then(|| column.value(row).trim()).filter(|text| !text.is_empty())?;
        key.extend(text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase));
        key.push('\0');
    }
    Some(key)
}

impl Stage for Lookup {
    fn process(&mut self, mut batch: RecordBatch) -> Result<Outcome, StageError> {
        let table = match self.table.take() {
            Some(table) => table,
            None => {
                let name = &self.options.table;
                let table =
                    self.host.table(name).map_err(|error| StageError::at("table", error.to_string()))?;
                Table::read(name, &table, &self.keys, &self.columns)?
            }
        };
        let mut keys = Vec::new();
        for key in &self.keys {
            let texts: Vec<StringArray> =
                key.iter().map(|(at, _)| text_of(batch.column(*at))).collect::<Result<_, _>>()?;
            keys.push(texts);
        }
        let mut found: Vec<&[usize]> = Vec::with_capacity(batch.num_rows());
        let mut asked = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let of_row: Vec<Option<String>> =
                keys.iter().map(|key| key_of(&key.iter().collect::<Vec<_>>(), row)).collect();
            asked.push(of_row.iter().any(Option::is_some));
            found.push(table.find(&of_row));
        }
        let findings = self.tell(&batch, &found, &asked)?;
        for (field, taken) in &self.columns {
            let texts = table.texts.get(&taken.from);
            let texts = texts.ok_or_else(|| StageError::new("a column of the table went missing"))?;
            let made = made(field, texts, &found)?;
            let filled = match batch.column_by_name(field.name()) {
                Some(there) => zip(&is_not_null(there)?, there, &made)?,
                None => made,
            };
            batch = put(&batch, field, filled)?;
        }
        self.table = Some(table);
        Ok(Outcome { batch, findings })
    }

    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        // The table may be another one at the next delivery.
        self.table = None;
        Ok(None)
    }
}

impl Lookup {
    /// Tells of rows that say what is to be looked up, and for which nothing is found.
    fn tell(&self, batch: &RecordBatch, found: &[&[usize]], asked: &[bool]) -> Result<Findings, StageError> {
        let mut findings = Findings::none();
        let Some(severity) = self.options.missing.0 else { return Ok(findings) };
        let rows = column(batch, ROW)?.as_primitive_opt::<Int64Type>();
        let rows = rows.ok_or_else(|| StageError::new(format!("column `{ROW}` is not whole numbers")))?;
        let at = self.keys.first().and_then(|key| key.first()).map_or(0, |(at, _)| *at);
        let texts = text_of(batch.column(at))?;
        let title = Field::of(batch.schema_ref().field(at));
        let name = batch.schema_ref().field(at).name();
        for row in (0..batch.num_rows()).filter(|&row| asked[row] && found[row].is_empty()) {
            let raw = if texts.is_valid(row) { texts.value(row) } else { "" };
            let text = self.options.message.clone().unwrap_or_else(|| {
                let title = title.as_ref().map_or(name.as_str(), Field::title);
                Text::new(
                    format!("“{title}”（{raw}）不在对照表“{}”中；请核对", self.options.table),
                    format!("`{name}` ({raw}) is not in the table `{}`; check it", self.options.table),
                )
            });
            let finding = Finding::new(Some(rows.value(row)), severity, self.options.code.clone(), text);
            findings.push(finding.with_field(name.clone()).with_raw(raw));
        }
        Ok(findings)
    }
}

/// The column that is made of the rows found.
fn made(field: &ArrowField, texts: &StringArray, found: &[&[usize]]) -> Result<ArrayRef, StageError> {
    let value =
        |row: usize| texts.is_valid(row).then(|| texts.value(row).trim()).filter(|text| !text.is_empty());
    if *field.data_type() == FieldType::List.arrow() {
        let item = ArrowField::new("item", DataType::Utf8, true);
        let mut lists = ListBuilder::new(StringBuilder::new()).with_field(item);
        for rows in found {
            let mut items: Vec<String> = Vec::new();
            for item in rows.iter().filter_map(|&row| value(row)).flat_map(items_of) {
                if !items.contains(&item) {
                    items.push(item);
                }
            }
            match items.is_empty() {
                true => lists.append(false),
                false => lists.append_value(items.into_iter().map(Some)),
            }
        }
        return Ok(Arc::new(lists.finish()));
    }
    let first: StringArray = found.iter().map(|rows| rows.first().and_then(|&row| value(row))).collect();
    let lenient = CastOptions { safe: true, ..CastOptions::default() };
    Ok(cast_with_options(&(Arc::new(first) as ArrayRef), field.data_type(), &lenient)?)
}

/// The items of a text: a JSON array as queries give it, else parted as people part lists.
fn items_of(text: &str) -> Vec<String> {
    if let Ok(items) = serde_json::from_str::<Vec<Option<String>>>(text) {
        return items.into_iter().flatten().collect();
    }
    let parts = text.split(['、', ',', '，', ';', '；', '\n', '\r']);
    parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
