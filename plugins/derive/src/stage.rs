//! The stage `derive`: opened with options and schema, it adds or fills its columns one after the other.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field as ArrowField, FieldRef, Int64Type, Schema, SchemaRef};
use huiliu_stage::{
    Field, Finding, Findings, Host, OpenStage, Outcome, Problem, ROW, Stage, StageError, Text, column,
};

use crate::derived::{Derived, described};
use crate::options::{Column, Level, Options};
use crate::tags::{self, Tags};

/// Adds columns. See the head of the crate.
pub struct Derive {
    columns: Vec<(ArrowField, Maker)>,
    failed: Level,
}

enum Maker {
    Value(Box<Derived>),
    Tags(Tags),
}

impl OpenStage for Derive {
    const NAME: &'static str = "derive";
    const SUMMARY: &'static str = "adds columns that SQL computes, and tags";
    const OPTION_SCHEMA: &'static str = include_str!("derive.json");
    type Options = Options;

    fn open(
        options: Options,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let (mut schema, mut columns, mut problems) = (input, Vec::new(), Vec::new());
        for (i, column) in options.columns.iter().enumerate() {
            match maker(column, &schema, &*host) {
                Ok((field, maker)) => {
                    schema = with_column(&schema, &field);
                    columns.push((field, maker));
                }
                Err(wrong) => problems.extend(wrong.into_iter().map(|(key, message)| {
                    let dot = if key.is_empty() { "" } else { "." };
                    Problem { path: format!("columns[{i}]{dot}{key}"), message }
                })),
            }
        }
        StageError::all(problems)?;
        Ok((Self { columns, failed: options.failed }, schema))
    }
}

type Wrong = Vec<(String, String)>;

/// What fills a column, and the column.
fn maker(column: &Column, schema: &SchemaRef, host: &dyn Host) -> Result<(ArrowField, Maker), Wrong> {
    let one = |key: &str, why: String| vec![(key.to_owned(), why)];
    let name = &column.name;
    if name.is_empty() || name.starts_with('_') {
        let why = format!("`{name}` cannot name a column; names that begin with `_` are the engine's");
        return Err(one("name", why));
    }
    let (field, maker) = match (&column.value, column.tags.as_slice()) {
        (Some(sql), []) => {
            let derived = Derived::new(column, sql, schema, host).map_err(|(key, why)| one(key, why))?;
            (derived.field().clone(), Maker::Value(Box::new(derived)))
        }
        (None, [_, ..]) if column.kind.is_some_and(|kind| kind.arrow() != tags::data_type()) => {
            return Err(one("type", "a column of tags is of type `list`".to_owned()));
        }
        (None, tags @ [_, ..]) => {
            (described(column, tags::data_type()), Maker::Tags(Tags::new(tags, schema, host)?))
        }
        _ => return Err(one("", "a column needs either `value` or `tags`".to_owned())),
    };
    match schema.field_with_name(name) {
        Ok(there) if there.data_type() != field.data_type() => {
            let (found, made) = (there.data_type(), field.data_type());
            let why = format!(
                "there is a column `{name}` already, of type {found}, and this is {made}; \
                               say its `type`, or choose another name"
            );
            Err(one("name", why))
        }
        // What is known of a column that is there stays, unless it is described anew.
        Ok(there) if column.label.is_empty() && column.unit.is_none() => Ok((there.clone(), maker)),
        _ => Ok((field, maker)),
    }
}

/// A schema with a column put in its place, or at the end.
pub(crate) fn with_column(schema: &SchemaRef, field: &ArrowField) -> SchemaRef {
    let mut fields: Vec<FieldRef> = schema.fields.iter().cloned().collect();
    match schema.index_of(field.name()) {
        Ok(at) => fields[at] = Arc::new(field.clone()),
        Err(_) => fields.push(Arc::new(field.clone())),
    }
    Arc::new(Schema::new_with_metadata(fields, schema.metadata.clone()))
}

pub(crate) fn put(
    batch: &RecordBatch,
    field: &ArrowField,
    column: ArrayRef,
) -> Result<RecordBatch, StageError> {
    let mut columns = batch.columns().to_vec();
    match batch.schema_ref().index_of(field.name()) {
        Ok(at) => columns[at] = column,
        Err(_) => columns.push(column),
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(with_column(batch.schema_ref(), field), columns, &options)?)
}

impl Stage for Derive {
    fn process(&mut self, mut batch: RecordBatch) -> Result<Outcome, StageError> {
        let mut findings = Findings::none();
        for (field, maker) in &self.columns {
            let made = match maker {
                Maker::Tags(tags) => tags.add(&batch, batch.column_by_name(field.name()))?,
                Maker::Value(derived) => {
                    let values = derived.values(&batch)?;
                    self.tell(field, derived, &values.failed, &batch, &mut findings)?;
                    values.column
                }
            };
            batch = put(&batch, field, made)?;
        }
        findings.0.sort_by_key(|finding| finding.row);
        Ok(Outcome { batch, findings })
    }
}

impl Derive {
    /// Adds a finding for each row that has no value.
    fn tell(
        &self,
        field: &ArrowField,
        derived: &Derived,
        failed: &[(usize, String)],
        batch: &RecordBatch,
        findings: &mut Findings,
    ) -> Result<(), StageError> {
        let (Some(severity), [_, ..]) = (self.failed.0, failed) else { return Ok(()) };
        let rows = column(batch, ROW)?.as_primitive_opt::<Int64Type>();
        let rows = rows.ok_or_else(|| StageError::new(format!("column `{ROW}` is not whole numbers")))?;
        let title = Field::of(field).map_or_else(|| field.name().clone(), |known| known.title().to_owned());
        let source = derived.source().map(|at| batch.schema_ref().field(at).name());
        for (at, why) in failed {
            let text = Text::new(
                format!("“{title}”无法计算（{why}）；请检查本行数据"),
                format!("`{}` cannot be computed ({why}); check the row", field.name()),
            );
            let mut finding = Finding::new(Some(rows.value(*at)), severity, "underived", text);
            finding.field = source.cloned();
            findings.push(finding);
        }
        Ok(())
    }
}
