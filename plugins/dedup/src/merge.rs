//! `keep: merge`: one unified record for each thing, field by field.
//!
//! Each batch is merged row by row into the kept records. Then each record that has changed comes out
//! once, whole, under the `_row` of the last row that touched it; its other rows are reported as merged, and
//! rows of records that did not change as unchanged. A value that is replaced and comes back within the
//! batch is no change, so the same rows again give nothing. (Two rows of one delivery that contradict
//! each other and lie in different batches do give two changes each time.)
//!
//! To follow one row: [`Merge::process`], then [`Recogniser::recognise`], then [`Merge::apply`].

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, StringBuilder, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use hashbrown::HashMap;
use huiliu_stage::{
    Finding, Findings, Host, Origin, Outcome, Problem, ROW, SHEET, StageError, column_index, json_field,
};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use crate::build;
use crate::entity::{Held, Place, Record, Source, encode_value};
use crate::fields::{MergeField, apart, fields};
use crate::key::{KeyRule, Scratch};
use crate::linked::Linked;
use crate::options::{Options, default_tolerance, find};
use crate::policy::Choice;
use crate::recognise::{Recogniser, Row};
use crate::records::{RecordId, Records};
use crate::report;
use crate::value::Cells;
use crate::versions::Versions;

/// Records named in the finding about what a correction leaves out.
const NAMED: usize = 20;

const ADDED: [&str; 4] = ["record_id", "revision", "origins", "matched_by"];

pub(crate) struct Merge {
    host: Arc<dyn Host>,
    recogniser: Recogniser,
    fields: Vec<MergeField>,
    tolerance: f64,
    row_column: usize,
    sheet_column: usize,
    input_columns: usize,
    output: SchemaRef,
    records: Records,
    versions: Versions,
    linked: Option<Linked>,
}

/// A record touched by a batch.
struct Touched {
    id: RecordId,
    by: Option<usize>,
    linked: bool,
    new: bool,
    last: usize,
    /// Values before the batch, for the fields that were changed; not kept for a new record.
    before: Vec<(usize, Option<Held>)>,
    changed: bool,
}

/// A batch taken apart for merging.
struct View<'a> {
    cells: Vec<Cells<'a>>,
    /// Sheet column plus one, for each field; 0 for none.
    columns: Vec<u32>,
    rows: &'a Int64Array,
    sheets: &'a StringArray,
    source: Arc<Source>,
}

impl Merge {
    pub(crate) fn open(
        options: &Options,
        input: &SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let mut problems = Vec::new();
        let rules = KeyRule::all(&options.rules, input, &mut problems);
        let fields = fields(options.merge.as_ref(), input, &mut problems);
        let field_of = |column: usize| fields.iter().position(|field| field.column == column);
        let apart = apart(options, input, &mut problems);
        let apart = apart.into_iter().filter_map(field_of).collect();
        let normalise = |column: usize| {
            let mut all = rules.iter().flat_map(|rule| &rule.columns);
            all.find(|(at, _)| *at == column).map(|&(_, normalise)| normalise).unwrap_or_default()
        };
        let bound = |&column: &usize| Some((field_of(column)?, normalise(column)));
        let unless = rules.iter().map(|rule| rule.unless.iter().filter_map(bound).collect()).collect();
        let mut compared = Vec::new();
        for (i, field) in options.link.iter().flat_map(|link| &link.fields).enumerate() {
            let path = format!("link.fields[{i}].field");
            compared.extend(find(input, &field.field, path, &mut problems).and_then(field_of));
        }
        for name in ADDED.into_iter().filter(|name| input.index_of(name).is_ok()) {
            let message =
                format!("the input has a column `{name}` already, which this stage adds; rename it");
            problems.push(Problem { path: String::new(), message });
        }
        StageError::all(problems)?;
        let output: SchemaRef = Arc::new(output(input));
        let kinds = fields.iter().map(|field| (field.name.clone(), field.kind.clone())).collect();
        let merge = Self {
            recogniser: Recogniser { rules, apart, unless, compared },
            linked: options.link.clone().map(|config| Linked::new(host.clone(), config)),
            fields,
            tolerance: options.merge.as_ref().map_or_else(default_tolerance, |merge| merge.tolerance),
            row_column: column_index(input, ROW)?,
            sheet_column: column_index(input, SHEET)?,
            input_columns: input.fields.len(),
            output: output.clone(),
            records: Records::new(host.clone(), kinds),
            versions: Versions::new(host.clone()),
            host,
        };
        Ok((merge, output))
    }

    /// Ends a delivery: tells which records its file named before and does not name any more. Between deliveries
    /// nothing is held in memory.
    pub(crate) fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        let gone = self.versions.finish()?;
        let mut names = Vec::new();
        for id in gone.iter().take(NAMED) {
            names.push(self.name_of(*id)?);
        }
        self.records.forget();
        if gone.is_empty() {
            return Ok(None);
        }
        let findings = Findings(vec![report::left_out(&names, gone.len())]);
        Ok(Some(Outcome { batch: RecordBatch::new_empty(self.output.clone()), findings }))
    }

    /// What people call a record: of the columns that make its keys, a text in words, else the first value.
    fn name_of(&mut self, id: RecordId) -> Result<String, StageError> {
        let columns = self.recogniser.rules.iter().flat_map(|rule| &rule.columns).map(|(column, _)| *column);
        let fields: Vec<usize> = columns
            .filter_map(|column| self.fields.iter().position(|field| field.column == column))
            .collect();
        let record = self.records.get(id)?;
        let values = fields.iter().filter_map(|&at| record.values[at].as_ref().map(|held| (at, &held.value)));
        let shown: Vec<String> = values.map(|(at, value)| value.show(&self.fields[at].kind)).collect();
        let words = shown.iter().find(|text| !text.is_ascii());
        Ok(words.or(shown.first()).cloned().unwrap_or_else(|| id.to_string()))
    }

    pub(crate) fn process(&mut self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        self.records.make_room();
        let mut view = self.view(batch)?;
        if let Some(linked) = &mut self.linked {
            linked.begin(&view.source.sender)?;
        }
        let keys =
            self.recogniser.rules.iter().map(|rule| rule.cells(batch)).collect::<Result<Vec<_>, _>>()?;
        let mut findings: Vec<Finding> = Vec::new();
        let mut touched: Vec<Touched> = Vec::new();
        let mut index: HashMap<RecordId, usize> = HashMap::new();
        let mut of_row = Vec::with_capacity(batch.num_rows());
        let (mut scratch, mut row_keys) = (Scratch::default(), Vec::new());
        for at in 0..batch.num_rows() {
            let id = view.rows.value(at);
            row_keys.clear();
            let rules = self.recogniser.rules.iter().zip(&keys).enumerate();
            row_keys.extend(
                rules.filter_map(|(i, (rule, cells))| Some((Some(i), rule.key(cells, at, &mut scratch)?))),
            );
            if row_keys.is_empty() {
                if self.linked.is_none() {
                    findings.push(report::no_key(id, &self.recogniser.rules));
                }
                row_keys.push((None, content_key(&view.cells, at)));
            }
            let row = Row { id, at, keys: &row_keys, cells: &view.cells, fields: &self.fields };
            let found =
                self.recogniser.recognise(&mut self.records, self.linked.as_mut(), &row, &mut findings)?;
            let i = *index.entry(found.record).or_insert_with(|| {
                let before = Vec::new();
                touched.push(Touched {
                    id: found.record,
                    by: found.by,
                    linked: found.linked,
                    new: found.new,
                    last: at,
                    before,
                    changed: false,
                });
                touched.len() - 1
            });
            touched[i].last = at;
            touched[i].by = found.by;
            touched[i].linked = found.linked;
            of_row.push(i);
            view.enter(at);
            self.apply(&mut touched[i], &view, at, &mut findings)?;
        }
        self.versions.note(&view.source, touched.iter().map(|touched| touched.id));
        self.settle(&mut touched)?;
        for (at, &i) in of_row.iter().enumerate() {
            let (touched, row) = (&touched[i], view.rows.value(at));
            if !touched.changed {
                findings.push(report::unchanged(row, touched.id));
            } else if at != touched.last {
                findings.push(report::merged(row, touched.id, view.rows.value(touched.last)));
            }
        }
        touched.retain(|touched| touched.changed);
        touched.sort_by_key(|touched| touched.last);
        self.count(&touched, batch.num_rows());
        Ok(Outcome { batch: self.give(batch, &touched)?, findings: Findings(findings) })
    }

    fn count(&self, out: &[Touched], rows: usize) {
        let new = out.iter().filter(|touched| touched.new).count();
        self.host.count("records_new", new as u64);
        self.host.count("records_changed", (out.len() - new) as u64);
        self.host.count("rows_merged", (rows - out.len()) as u64);
    }

    fn view<'a>(&self, batch: &'a RecordBatch) -> Result<View<'a>, StageError> {
        let origin = Origin::of(batch);
        let cells = self.fields.iter().map(|field| Cells::of(batch.column(field.column)));
        let columns =
            self.fields.iter().map(|field| origin.columns.get(&field.name).map_or(0, |&c| c as u32 + 1));
        let sheets = batch.column(self.sheet_column).as_string_opt::<i32>();
        Ok(View {
            cells: cells.collect::<Result<_, _>>()?,
            columns: columns.collect(),
            rows: report::row_ids(batch, self.row_column)?,
            sheets: sheets.ok_or_else(|| StageError::new("column `_sheet` does not hold text"))?,
            source: Arc::new(Source::new(
                &origin.delivery,
                &origin.sender,
                &origin.file,
                "",
                origin.received_ms,
            )),
        })
    }

    /// Merges the values of a row into its record.
    fn apply(
        &mut self,
        touched: &mut Touched,
        view: &View<'_>,
        at: usize,
        findings: &mut Vec<Finding>,
    ) -> Result<(), StageError> {
        let record = self.records.get(touched.id)?;
        let mut place = None;
        for (i, field) in self.fields.iter().enumerate() {
            let held = record.values[i].as_ref();
            if held.is_some_and(|held| view.cells[i].is(at, &held.value)) {
                continue;
            }
            let Some(came) = view.cells[i].value(at) else { continue };
            let choice = match held {
                None => Choice::Take(came),
                // What a sender corrects in its own file counts, whatever the field's rule among senders is.
                Some(held) if field.choose.holds_one() && corrects(record, held, &view.source) => {
                    Choice::Take(came)
                }
                Some(held) => field.choose.choose(&held.value, came, self.tolerance),
            };
            match (choice, held) {
                (Choice::Take(value), _) => {
                    let place = *place.get_or_insert_with(|| {
                        let row = huiliu_stage::row_number(view.rows.value(at));
                        record.places.push(Place { source: view.source.clone(), row });
                        record.places.len() as u32 - 1
                    });
                    let before = record.values[i].replace(Held { value, place, column: view.columns[i] });
                    if !touched.new && touched.before.iter().all(|(field, _)| *field != i) {
                        touched.before.push((i, before));
                    }
                }
                (Choice::Clash(came), Some(held)) => {
                    let (sent, held) = (came.show(&field.kind), held.value.show(&field.kind));
                    let row = view.rows.value(at);
                    findings.push(report::other_value(
                        row,
                        touched.id,
                        &field.name,
                        &field.title,
                        sent,
                        &held,
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Finds out which records have changed, and keeps those.
    fn settle(&mut self, touched: &mut [Touched]) -> Result<(), StageError> {
        let mut buffer = Vec::new();
        for touched in touched {
            let record = self.records.get(touched.id)?;
            touched.changed = touched.new;
            for (i, before) in touched.before.drain(..) {
                let same = match (&before, &record.values[i]) {
                    (Some(before), Some(now)) => before.value == now.value,
                    _ => false,
                };
                if same {
                    record.values[i] = before;
                } else {
                    touched.changed = true;
                }
            }
            record.tidy();
            if touched.changed {
                record.revision += 1;
                self.records.keep(touched.id, &mut buffer)?;
            }
        }
        Ok(())
    }

    /// The batch of changed records.
    fn give(&self, batch: &RecordBatch, out: &[Touched]) -> Result<RecordBatch, StageError> {
        let records =
            out.iter().map(|touched| self.records.held(touched.id)).collect::<Result<Vec<_>, _>>()?;
        let mut columns = if out.len() == batch.num_rows() && out.iter().all(|touched| touched.new) {
            batch.columns().to_vec()
        } else {
            self.columns(batch, out, &records)?
        };
        let origins = self.all_origins(&records)?;
        let matched = out.iter().map(|touched| match touched.by {
            _ if touched.new => "new",
            _ if touched.linked => "likeness",
            Some(rule) => &self.recogniser.rules[rule].name,
            None => "content",
        });
        columns
            .push(Arc::new(StringArray::from_iter_values(out.iter().map(|touched| touched.id.to_string()))));
        columns.push(Arc::new(Int64Array::from_iter_values(records.iter().map(|record| record.revision))));
        columns.push(Arc::new(origins));
        columns.push(Arc::new(StringArray::from_iter_values(matched)));
        // The facts of the delivery ride on.
        let metadata = batch.schema_ref().metadata.clone();
        let schema = Schema::new_with_metadata(self.output.fields.clone(), metadata);
        Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
    }

    /// The input's columns with the records' values in them.
    fn columns(
        &self,
        batch: &RecordBatch,
        out: &[Touched],
        records: &[&Record],
    ) -> Result<Vec<ArrayRef>, StageError> {
        let last = UInt32Array::from_iter_values(out.iter().map(|touched| touched.last as u32));
        let mut columns = Vec::with_capacity(self.output.fields.len());
        for at in 0..self.input_columns {
            columns.push(match self.fields.iter().position(|field| field.column == at) {
                None => take(batch.column(at), &last, None)?,
                Some(i) => {
                    let values = records.iter().map(|r| r.values[i].as_ref().map(|held| &held.value));
                    build::column(&self.fields[i].kind, values)?
                }
            });
        }
        Ok(columns)
    }

    fn all_origins(&self, records: &[&Record]) -> Result<StringArray, StageError> {
        let mut origins = StringBuilder::with_capacity(records.len(), 0);
        let (mut text, mut total) = (String::new(), 0);
        for record in records {
            text.clear();
            self.write_origins(record, &mut text);
            total += text.len();
            if total > i32::MAX as usize {
                return Err(StageError::new("the origins of one batch exceed 2 GB; read smaller batches"));
            }
            origins.append_value(&text);
        }
        Ok(origins.finish())
    }

    /// Where each value of a record came from, as JSON in the order of the fields.
    fn write_origins(&self, record: &Record, out: &mut String) {
        out.push('{');
        for (field, held) in self.fields.iter().zip(&record.values) {
            let Some(held) = held.as_ref().filter(|_| !field.name.starts_with('_')) else { continue };
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&field.json_name);
            let place = &record.places[held.place as usize];
            place.source.write(out, held.column, place.row);
        }
        out.push('}');
    }
}

impl View<'_> {
    /// Moves on to a row; its sheet is nearly always that of the row before.
    fn enter(&mut self, at: usize) {
        let sheet = self.sheets.value(at);
        if self.source.sheet != sheet {
            self.source = Arc::new(self.source.with_sheet(sheet));
        }
    }
}

/// Whether the value that a record holds came from an earlier delivery of the file that `source` is.
fn corrects(record: &Record, held: &Held, source: &Source) -> bool {
    record.places.get(held.place as usize).is_some_and(|place| place.source.is_corrected_by(source))
}

/// The key of a row for which no rule speaks: everything in it.
fn content_key(cells: &[Cells<'_>], at: usize) -> u128 {
    let mut bytes = Vec::new();
    for cell in cells {
        match cell.value(at) {
            Some(value) => encode_value(&mut bytes, &value),
            None => bytes.push(0),
        }
    }
    xxh3_128_with_seed(&bytes, xxh3_64(b"content"))
}

fn output(input: &Schema) -> Schema {
    let mut fields: Vec<Arc<ArrowField>> = input.fields.iter().cloned().collect();
    fields.push(Arc::new(ArrowField::new("record_id", DataType::Utf8, false)));
    fields.push(Arc::new(ArrowField::new("revision", DataType::Int64, false)));
    fields.push(Arc::new(json_field("origins", false)));
    fields.push(Arc::new(ArrowField::new("matched_by", DataType::Utf8, false)));
    Schema::new_with_metadata(fields, input.metadata.clone())
}
