//! `keep: merge`: one unified record for each thing, field by field.
//!
//! Each batch is merged row by row into the kept records. Then each record that has changed comes out
//! once, whole, under the `_row` of the last row that touched it; its other rows are reported as merged, and
//! rows of records that did not change as unchanged. A value that is replaced and comes back within the
//! batch is no change, so the same rows again give nothing. A record that comes out of several batches of one delivery
//! tells the engine which of its rows is the last ([`REPLACES`]): the sinks get that one only.
//!
//! To follow one row: [`Merge::process`], then [`Recogniser::recognise`], then [`Merge::apply`].

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, StringBuilder, UInt32Array, new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use hashbrown::{HashMap, HashSet};
use huiliu_stage::{
    DECISIONS, Finding, Findings, Host, MERGED_INTO, Origin, Outcome, Problem, REPLACES, ROW, SHEET,
    StageError, column_index, json_field,
};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use crate::build;
use crate::codec::encode_value;
use crate::decided::Decided;
use crate::entity::{Held, Record, Source};
use crate::fields::{MergeField, apart, fields};
use crate::key::{KeyCells, KeyRule, Scratch};
use crate::linked::Linked;
use crate::options::{Options, default_tolerance, find};
use crate::parts::{Part, Parts};
use crate::recognise::{By, Known, Recognised, Recogniser, Row};
use crate::records::{RecordId, Records};
use crate::regroup::Made;
use crate::report;
use crate::value::Cells;
use crate::versions::Versions;
use crate::words::Words;

/// Records named in the finding about what a correction leaves out.
const NAMED: usize = 20;

const ADDED: [&str; 5] = ["record_id", "revision", "origins", "matched_by", MERGED_INTO];

pub(crate) struct Merge {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) recogniser: Recogniser,
    pub(crate) fields: Arc<[MergeField]>,
    pub(crate) tolerance: f64,
    pub(crate) row_column: usize,
    pub(crate) sheet_column: usize,
    pub(crate) input: SchemaRef,
    pub(crate) output: SchemaRef,
    pub(crate) records: Records,
    pub(crate) parts: Parts,
    versions: Versions,
    pub(crate) linked: Option<Linked>,
    pub(crate) decided: Decided,
    /// What decisions and the linkage changed, to be given out at the end of the delivery.
    pub(crate) made: Vec<Made>,
    /// A hash of the delivery whose rows came last; `None` before any, and where there are only decisions.
    pub(crate) delivery: Option<u32>,
}

/// A record touched by a batch.
pub(crate) struct Touched {
    pub(crate) id: RecordId,
    pub(crate) by: By,
    pub(crate) new: bool,
    pub(crate) last: usize,
    /// Values before the batch, for the fields that were changed; not kept for a new record.
    pub(crate) before: Vec<(usize, Option<Held>)>,
    pub(crate) changed: bool,
    /// What its first row gave, as long as no other row is kept.
    pub(crate) first: Option<Part>,
    /// What the rows of this batch gave, each with whether that changed the record.
    pub(crate) came: Vec<(Part, bool)>,
}

/// The keys of all rows of a batch, each with its rule.
#[derive(Default)]
struct RowKeys {
    keys: Vec<(Option<usize>, u128)>,
    /// Where those of each row end.
    ends: Vec<usize>,
}

impl RowKeys {
    fn of(&self, at: usize) -> &[(Option<usize>, u128)] {
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.keys[from..self.ends[at]]
    }
}

/// A batch taken apart for merging.
pub(crate) struct View<'a> {
    pub(crate) cells: Vec<Cells<'a>>,
    /// Sheet column plus one, for each field; 0 for none.
    pub(crate) columns: Vec<u32>,
    pub(crate) rows: &'a Int64Array,
    pub(crate) sheets: &'a StringArray,
    pub(crate) source: Arc<Source>,
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
            fields: fields.into(),
            tolerance: options.merge.as_ref().map_or_else(default_tolerance, |merge| merge.tolerance),
            row_column: column_index(input, ROW)?,
            sheet_column: column_index(input, SHEET)?,
            input: input.clone(),
            output: output.clone(),
            records: Records::new(host.clone(), kinds),
            parts: Parts::new(host.clone()),
            versions: Versions::new(host.clone()),
            decided: Decided::new(host.clone()),
            made: Vec::new(),
            delivery: None,
            host,
        };
        Ok((merge, output))
    }

    /// Ends a delivery: tells which records its file named before and does not name any more. Between deliveries
    /// nothing is held in memory.
    pub(crate) fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        // A record that was merged into another is not left out as long as that one is named.
        let gone = self.versions.finish(|id| self.decided.now(id))?;
        let mut names = Vec::new();
        for id in gone.iter().take(NAMED) {
            names.push(self.name_of(*id)?);
        }
        self.records.forget();
        let delivery = self.delivery.take();
        let left_out = (!gone.is_empty()).then(|| report::left_out(&names, gone.len()));
        if left_out.is_none() && self.made.is_empty() {
            return Ok(None);
        }
        Ok(Some(Outcome {
            batch: self.give_made(delivery)?,
            findings: Findings(left_out.into_iter().collect()),
        }))
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
        self.decided.begin()?;
        if let Some(decisions) = batch.schema_ref().metadata.get(DECISIONS) {
            return self.decide(decisions);
        }
        let mut view = self.view(batch)?;
        let delivery = xxh3_64(view.source.delivery.as_bytes()) as u32;
        self.delivery = Some(delivery);
        if let Some(linked) = &mut self.linked {
            linked.begin(&view.source.sender)?;
        }
        let keys =
            self.recogniser.rules.iter().map(|rule| rule.cells(batch)).collect::<Result<Vec<_>, _>>()?;
        let mut findings: Vec<Finding> = Vec::new();
        let mut touched: Vec<Touched> = Vec::new();
        let mut index: HashMap<RecordId, usize> = HashMap::new();
        let mut of_row = Vec::with_capacity(batch.num_rows());
        let row_keys = self.row_keys(&keys, &view);
        let fields = self.fields.clone();
        self.plan(&row_keys, &view, &mut findings)?;
        let mut words = Words::default();
        for at in 0..batch.num_rows() {
            let id = view.rows.value(at);
            view.enter(at);
            let keys = row_keys.of(at);
            if self.linked.is_none() && keys.iter().all(|(rule, _)| rule.is_none()) {
                findings.push(report::no_key(id, &self.recogniser.rules));
            }
            let sender = &*view.source.sender;
            let row = Row { id, at, keys, cells: &view.cells, fields: &fields, sender };
            let pinned = self.pinned(&row)?;
            let found = self.recognise(&row, pinned, &mut words, &mut findings)?;
            let i = *index.entry(found.record).or_insert_with(|| {
                touched.push(Touched::new(&found, at));
                touched.len() - 1
            });
            (touched[i].last, touched[i].by) = (at, found.by);
            of_row.push(i);
            self.join(&mut touched[i], &found, &view, &row, &mut findings)?;
        }
        if let Some(linked) = &mut self.linked {
            linked.end()?;
        }
        self.versions.note(&view.source, touched.iter().map(|touched| touched.id));
        let replaces = self.settle(&mut touched, &view, delivery)?;
        for &(later, earlier, id) in &replaces {
            findings.push(report::merged(earlier, id, later));
        }
        for (at, &i) in of_row.iter().enumerate() {
            let (touched, row) = (&touched[i], view.rows.value(at));
            if !touched.changed {
                findings.push(report::unchanged(row, touched.id));
            } else if at != touched.last {
                findings.push(report::merged(row, touched.id, view.rows.value(touched.last)));
            }
        }
        touched.retain(|touched| touched.changed);
        // What comes out now does not come out at the end as well.
        self.made.retain(|made| touched.iter().all(|touched| touched.id != made.id));
        touched.sort_by_key(|touched| touched.last);
        self.count(&touched, batch.num_rows());
        let pairs = replaces.iter().map(|&(later, earlier, _)| (later, earlier)).collect::<Vec<_>>();
        let batch = mark(self.give(batch, &touched)?, &pairs)?;
        Ok(Outcome { batch, findings: Findings(findings) })
    }

    /// Tells the linkage of all rows that it will be asked for: those with no key that is known, or comes before them.
    fn plan(
        &mut self,
        keys: &RowKeys,
        view: &View<'_>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), StageError> {
        if self.linked.is_none() {
            return Ok(());
        }
        let (fields, mut seen, mut rows) = (self.fields.clone(), HashSet::new(), Vec::new());
        for at in 0..view.rows.len() {
            let (id, keys, sender) = (view.rows.value(at), keys.of(at), &*view.source.sender);
            let row = Row { id, at, keys, cells: &view.cells, fields: &fields, sender };
            if self.pinned(&row)?.is_some() {
                continue;
            }
            let mut new = true;
            for &(_, key) in keys {
                new = new && !seen.contains(&key) && self.records.ids(key)?.is_empty();
            }
            seen.extend(keys.iter().map(|(_, key)| *key));
            if new {
                rows.push((at, row.compared(&self.recogniser.compared)));
            }
        }
        let Some(mut linked) = self.linked.take() else { return Ok(()) };
        let changes = linked.plan(rows, self);
        self.linked = Some(linked);
        self.revise(&changes?, findings)
    }

    /// The keys of all rows; a row without any has its whole content for one.
    fn row_keys(&self, rules: &[Vec<KeyCells<'_>>], view: &View<'_>) -> RowKeys {
        let (mut scratch, mut all) = (Scratch::default(), RowKeys::default());
        for at in 0..view.rows.len() {
            let from = all.keys.len();
            for (i, (rule, cells)) in self.recogniser.rules.iter().zip(rules).enumerate() {
                all.keys.extend(rule.key(cells, at, &mut scratch).map(|key| (Some(i), key)));
            }
            if all.keys.len() == from {
                all.keys.push((None, content_key(&view.cells, at)));
            }
            all.ends.push(all.keys.len());
        }
        all
    }

    fn recognise(
        &mut self,
        row: &Row<'_>,
        pinned: Option<RecordId>,
        words: &mut Words,
        findings: &mut Vec<Finding>,
    ) -> Result<Recognised, StageError> {
        let mut known = Known {
            host: &*self.host,
            records: &mut self.records,
            linked: self.linked.as_mut(),
            decided: &self.decided,
            parts: &self.parts,
            words,
        };
        self.recogniser.recognise(&mut known, row, pinned, findings)
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

    /// Finds out which records have changed, and keeps those. Gives the rows under which they come out now, with those
    /// under which they came out of an earlier batch of the same delivery.
    fn settle(
        &mut self,
        touched: &mut [Touched],
        view: &View<'_>,
        delivery: u32,
    ) -> Result<Vec<(i64, i64, RecordId)>, StageError> {
        let (mut buffer, mut replaces) = (Vec::new(), Vec::new());
        for touched in touched {
            let record = self.records.get(touched.id)?;
            touched.changed = touched.new;
            let mut moved = false;
            for (i, before) in touched.before.drain(..) {
                let same = match (&before, &record.values[i]) {
                    (Some(before), Some(now)) => before.value == now.value,
                    _ => false,
                };
                // Whose value it is decides what may replace it, even if the value is the one before.
                let source = |held: &Option<Held>| {
                    let place = held.as_ref().and_then(|held| record.places.get(held.place as usize));
                    place.map(|place| place.source.clone())
                };
                let (was, is) = (source(&before), source(&record.values[i]));
                let sender = |source: &Option<Arc<Source>>| source.as_ref().map(|s| s.sender.clone());
                let other_sender = self.fields[i].choose.trusts() && sender(&was) != sender(&is);
                // So does a value that another file still says, when the one that said it first is corrected: else the
                // correction of that other one would not reach it.
                let other_file =
                    was.as_ref().is_some_and(|was| was.is_corrected_by(&view.source)) && was != is;
                if same && (other_sender || other_file) {
                    moved = true;
                } else if same {
                    record.values[i] = before;
                } else {
                    touched.changed = true;
                }
            }
            record.tidy();
            let first = touched.first.take().filter(|_| !touched.came.is_empty());
            if touched.changed || moved || first.is_some() {
                record.revision += i64::from(touched.changed);
                record.parted |= first.is_some();
                let row = view.rows.value(touched.last);
                if touched.changed
                    && let Some((before, earlier)) = record.given.replace((delivery, row))
                    && before == delivery
                    && earlier != row
                {
                    replaces.push((row, earlier, touched.id));
                }
                self.records.keep(touched.id, &mut buffer)?;
            }
            let mut came = touched.came.drain(..);
            let mut fresh = first.is_some();
            if let Some(first) = first {
                // The second is another row: had it said the same, there would be no parts.
                let second = came.next().map(|(part, _)| part);
                for part in [Some(first), second].iter().flatten() {
                    self.parts.keep_new(&mut self.records, touched.id, part)?;
                }
            }
            for (part, changed) in came {
                // Behind a new row what was said before is said anew, even if the record comes out as it was.
                let again = changed && (touched.changed || fresh);
                fresh |= self.parts.keep(&mut self.records, touched.id, &part, again)?;
            }
        }
        self.parts.settle()?;
        Ok(replaces)
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
        let matched = out.iter().map(|touched| if touched.new { "new" } else { self.word(touched.by) });
        columns
            .push(Arc::new(StringArray::from_iter_values(out.iter().map(|touched| touched.id.to_string()))));
        columns.push(Arc::new(Int64Array::from_iter_values(records.iter().map(|record| record.revision))));
        columns.push(Arc::new(origins));
        columns.push(Arc::new(StringArray::from_iter_values(matched)));
        columns.push(new_null_array(&DataType::Utf8, out.len()));
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
        for at in 0..self.input.fields.len() {
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

    pub(crate) fn all_origins(&self, records: &[&Record]) -> Result<StringArray, StageError> {
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

impl Touched {
    fn new(found: &Recognised, at: usize) -> Self {
        Self {
            id: found.record,
            by: found.by,
            new: found.new,
            last: at,
            before: Vec::new(),
            changed: false,
            first: None,
            came: Vec::new(),
        }
    }
}

/// The key of a row for which no rule speaks: everything in it.
pub(crate) fn content_key(cells: &[Cells<'_>], at: usize) -> u128 {
    let mut bytes = Vec::new();
    for cell in cells {
        match cell.value(at) {
            Some(value) => encode_value(&mut bytes, &value),
            None => bytes.push(0),
        }
    }
    xxh3_128_with_seed(&bytes, xxh3_64(b"content"))
}

/// Tells the engine which rows of earlier batches the rows of this one stand for.
pub(crate) fn mark(batch: RecordBatch, pairs: &[(i64, i64)]) -> Result<RecordBatch, StageError> {
    if pairs.is_empty() {
        return Ok(batch);
    }
    let mut schema = batch.schema().as_ref().clone();
    let pairs = serde_json::to_string(pairs).map_err(|error| StageError::new(error.to_string()))?;
    schema.metadata.insert(REPLACES.to_owned(), pairs);
    Ok(batch.with_schema(Arc::new(schema))?)
}

fn output(input: &Schema) -> Schema {
    let mut fields: Vec<Arc<ArrowField>> = input.fields.iter().cloned().collect();
    fields.push(Arc::new(ArrowField::new("record_id", DataType::Utf8, false)));
    fields.push(Arc::new(ArrowField::new("revision", DataType::Int64, false)));
    fields.push(Arc::new(json_field("origins", false)));
    fields.push(Arc::new(ArrowField::new("matched_by", DataType::Utf8, false)));
    fields.push(Arc::new(ArrowField::new(MERGED_INTO, DataType::Utf8, true)));
    Schema::new_with_metadata(fields, input.metadata.clone())
}
