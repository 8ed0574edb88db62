//! The stage: a row in, a row out for each matter that it tells of.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field as ArrowField, FieldRef, Int64Type, Schema, SchemaRef};
use huiliu_stage::{
    Fate, Field, FieldType, Finding, Findings, Host, OpenStage, Outcome, Problem, ROW, Severity, Stage,
    StageError, Text, column,
};

use crate::kinds::{Kinds, Ready};
use crate::known::{Known, OVER, one_for_each_kind};
use crate::options::{Kinds as Described, Options};
use crate::statements::{says_nothing, statements};

/// State of a matter of which no word tells another.
pub(crate) const OPEN: &str = "open";

/// Parts rows into matters. See the head of the crate.
pub struct Classify {
    options: Options,
    columns: Vec<usize>,
    /// The column of known matters.
    known: Option<usize>,
    output: SchemaRef,
    host: Arc<dyn Host>,
    kinds: Option<Kinds>,
}

impl OpenStage for Classify {
    const NAME: &'static str = "classify";
    const SUMMARY: &'static str = "what remarks speak of, by keywords, one row for each matter";
    const OPTION_SCHEMA: &'static str = include_str!("options.json");
    type Options = Options;

    fn open(
        options: Options,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let mut problems = Vec::new();
        let mut problem = |path: String, message: String| problems.push(Problem { path, message });
        let mut columns = Vec::new();
        for (i, name) in options.text.iter().enumerate() {
            match text_column(&input, name) {
                Ok(at) => columns.push(at),
                Err(why) => problem(format!("text[{i}]"), why),
            }
        }
        let known = match options.known.as_ref().map(|name| text_column(&input, name)).transpose() {
            Ok(known) => known,
            Err(why) => {
                problem("known".to_owned(), why);
                None
            }
        };
        if options.text.is_empty() {
            problem("text".to_owned(), "name at least one column".to_owned());
        }
        let added = added(&options);
        for (i, (path, field)) in added.iter().enumerate() {
            let name = field.name();
            if name.is_empty() || name.starts_with('_') {
                problem(path.clone(), format!("`{name}` cannot name a column"));
            } else if input.index_of(name).is_ok() || added[..i].iter().any(|(_, other)| other.name() == name)
            {
                problem(path.clone(), format!("there is a column `{name}` already; choose another name"));
            }
        }
        StageError::all(problems)?;
        let fields: Vec<FieldRef> =
            input.fields.iter().cloned().chain(added.into_iter().map(|(_, field)| Arc::new(field))).collect();
        let output = Arc::new(Schema::new_with_metadata(fields, input.metadata.clone()));
        Ok((Self { options, columns, known, output: output.clone(), host, kinds: None }, output))
    }
}

/// The place of a column of texts or of lists of texts.
fn text_column(input: &Schema, name: &str) -> Result<usize, String> {
    let at = input.index_of(name).map_err(|_| format!("there is no column `{name}`"))?;
    match input.field(at).data_type() {
        kind if texts_of(kind) => Ok(at),
        kind => Err(format!("`{name}` is of type {kind}, not text or a list")),
    }
}

fn texts_of(kind: &DataType) -> bool {
    *kind == DataType::Utf8 || *kind == FieldType::List.arrow()
}

/// The columns that are added, each with the path of the option that names it.
fn added(options: &Options) -> Vec<(String, ArrowField)> {
    let output = &options.output;
    let field = |name: &str, label: &str| {
        let field = Field { name: name.to_owned(), label: label.to_owned(), ..Field::default() };
        field.to_arrow()
    };
    let mut all = vec![
        ("output.kind".to_owned(), field(&output.kind, "问题类型代码")),
        ("output.label".to_owned(), field(&output.label, "问题类型")),
        ("output.text".to_owned(), field(&output.text, "问题内容")),
        ("output.state".to_owned(), field(&output.state, "问题状态")),
    ];
    if options.known.is_some() {
        all.push(("output.since".to_owned(), field(&output.since, "提出时间")));
    }
    if let Described::Table(table) = &options.kinds {
        let copied = table.copy.keys().map(|name| (format!("kinds.copy.{name}"), field(name, "")));
        all.extend(copied);
    }
    all
}

/// A matter: the row it stands in, by place in the batch, what is said, and what that means.
pub(crate) struct Matter {
    pub(crate) at: usize,
    /// `None` for one that is told no more.
    pub(crate) text: Option<String>,
    pub(crate) kind: Arc<Ready>,
    pub(crate) state: String,
    /// Since when it is known.
    pub(crate) since: Option<String>,
}

impl Stage for Classify {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let rows = column(&batch, ROW)?.as_primitive_opt::<Int64Type>();
        let rows = rows.ok_or_else(|| StageError::new(format!("column `{ROW}` is not whole numbers")))?;
        let mut findings = Findings::none();
        let mut matters: Vec<Matter> = Vec::new();
        let kinds = match self.kinds.take() {
            Some(kinds) => kinds,
            None => Kinds::read(&self.options.kinds, &self.options.other, &*self.host)?,
        };
        for at in 0..batch.num_rows() {
            let before = matters.len();
            matters.extend(self.of_row(&batch, at, &kinds));
            if matters.len() == before {
                let text = Text::new("本行没有需协调的问题", "the row tells of no matter");
                let finding = Finding::new(Some(rows.value(at)), Severity::Info, "no-matter", text);
                findings.push(finding.with_fate(Fate::Dropped));
            }
        }
        self.kinds = Some(kinds);
        Ok(Outcome { batch: self.rows(&batch, &matters)?, findings })
    }

    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        // The table may be another one at the next delivery.
        self.kinds = None;
        Ok(None)
    }
}

impl Classify {
    /// The matters of a row, each text once.
    fn of_row(&self, batch: &RecordBatch, at: usize, kinds: &Kinds) -> Vec<Matter> {
        let nothing = &self.options.nothing;
        let mut texts: Vec<String> = Vec::new();
        for text in self.columns.iter().flat_map(|column| cell(batch.column(*column), at)) {
            if says_nothing(&text, nothing) {
                continue;
            }
            for matter in statements(&text) {
                if !texts.iter().any(|known| known == matter) && !says_nothing(matter, nothing) {
                    texts.push(matter.to_owned());
                }
            }
        }
        let matter = |text: String| {
            let (kind, state) =
                (kinds.of(&text).clone(), state(&text, &self.options.states, &self.options.still).to_owned());
            Matter { at, text: Some(text), kind, state, since: None }
        };
        let told = texts.into_iter().map(matter).collect();
        let Some(column) = self.known else { return told };
        let items = cell(batch.column(column), at);
        let known: Vec<Known> = items.iter().filter_map(|item| Known::parse(item)).collect();
        one_for_each_kind(at, told, &known, kinds)
    }

    fn rows(&self, batch: &RecordBatch, matters: &[Matter]) -> Result<RecordBatch, StageError> {
        let of = |at: &usize| u32::try_from(*at).unwrap_or(u32::MAX);
        let places = UInt32Array::from_iter_values(matters.iter().map(|matter| of(&matter.at)));
        let mut columns = take_record_batch(batch, &places)?.columns().to_vec();
        let mut add = |value: &dyn Fn(&Matter) -> Option<&str>| {
            columns.push(Arc::new(matters.iter().map(value).collect::<StringArray>()) as ArrayRef);
        };
        add(&|matter| Some(&*matter.kind.code));
        add(&|matter| Some(&*matter.kind.label));
        add(&|matter| matter.text.as_deref());
        add(&|matter| Some(&*matter.state));
        if self.known.is_some() {
            add(&|matter| matter.since.as_deref());
        }
        if let Described::Table(table) = &self.options.kinds {
            for name in table.copy.keys() {
                add(&|matter| {
                    matter.kind.copied.get(name).map(String::as_str).filter(|text| !text.is_empty())
                });
            }
        }
        let fields = self.output.fields.clone();
        let schema = Arc::new(Schema::new_with_metadata(fields, batch.schema_ref().metadata.clone()));
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

/// The state that the words of a matter tell of.
fn state<'a>(matter: &str, states: &'a BTreeMap<String, Vec<String>>, still: &[String]) -> &'a str {
    let told = |words: &[String]| words.iter().any(|word| !word.is_empty() && matter.contains(word.as_str()));
    let found = states.iter().find(|(_, words)| told(words)).map_or(OPEN, |(state, _)| state.as_str());
    if found == OVER && told(still) { OPEN } else { found }
}

/// The texts of a cell: one, or the items of a list.
fn cell(column: &ArrayRef, at: usize) -> Vec<String> {
    if column.is_null(at) {
        return Vec::new();
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return vec![texts.value(at).to_owned()];
    }
    let Some(lists) = column.as_list_opt::<i32>() else { return Vec::new() };
    let items = lists.value(at);
    items
        .as_string_opt::<i32>()
        .map(|items| items.iter().flatten().map(str::to_owned).collect())
        .unwrap_or_default()
}
