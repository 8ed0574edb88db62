//! `keep: merge`: one unified record for each thing, field by field.
//!
//! Each batch is merged row by row into the kept records. Then each record that has changed comes out
//! once, whole, under the `_row` of the last row that touched it; its other rows are reported as merged, and
//! rows of records that did not change as unchanged. A value that is replaced and comes back within the
//! batch is no change, so the same rows again give nothing. A record that comes out of several batches of one delivery
//! tells the engine which of its rows is the last ([`REPLACES`](huiliu_stage::REPLACES)): the sinks get that one only.
//!
//! To follow one row: [`Merge::process`], then [`Recogniser::recognise`], then [`Merge::join`], then [`Merge::settle`].

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use hashbrown::{HashMap, HashSet};
use huiliu_stage::{
    DECISIONS, Finding, Findings, Host, MERGED_INTO, Origin, Outcome, Problem, ROW, SHEET, StageError,
    column_index,
};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use crate::codec::encode_value;
use crate::decided::Decided;
use crate::entity::Source;
use crate::fields::{MergeField, apart, fields};
use crate::give::{mark, output};
use crate::key::{KeyCells, KeyRule, Scratch};
use crate::linked::Linked;
use crate::options::{Options, default_tolerance, find};
use crate::parts::Parts;
use crate::recognise::{Known, Recognised, Recogniser, Row};
use crate::records::{RecordId, Records};
use crate::regroup::Made;
use crate::report;
use crate::settle::Touched;
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
        self.parts.forget();
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
            let bound = self.bound(&row)?;
            let found = self.recognise(&row, bound, &mut words, &mut findings)?;
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
            if self.bound(&row)?.is_some() {
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
        bound: Option<RecordId>,
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
        self.recogniser.recognise(&mut known, row, bound, findings)
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
