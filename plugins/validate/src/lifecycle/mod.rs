//! `lifecycle`: the state of each project, and every state it had with its day (domain.md section 4).
//!
//! ```yaml
//! - lifecycle:
//!     states:
//!       - {state: 签约, date: sign_date}
//!       - {state: 开工, date: start_date, when: is_started}
//!     aside:
//!       - {state: 暂停, when: "regexp_like(coalesce(build_status, ''), '暂停|停工')"}
//! ```
//!
//! | column | holds |
//! |---|---|
//! | `project_state` | the state of now; null when none is reached |
//! | `project_state_since` | the day since when it holds |
//! | `project_state_history` | every state with its day (`2026-03-02 开工`), oldest first: on each day the last one up to it holds |
//!
//! It stands behind `dedup`, since only the unified record knows all days. Days are read off the record, so one that is
//! corrected moves its state; days that nobody tells, and states aside, are remembered in the state of its slot
//! (`s/…` by record). What holds when is decided in [`course`]. It refuses nothing and finds nothing.

mod course;
mod options;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Builder, ListBuilder, RecordBatch, RecordBatchOptions, StringBuilder,
};
use arrow::datatypes::{DataType, Date32Type, Schema, SchemaRef};
use arrow::temporal_conversions::date32_to_datetime;
use hashbrown::HashMap;
use huiliu_stage::{
    Field, FieldType, Findings, Formula, Host, OpenStage, Outcome, Problem, Stage, StageError, column_index,
    text_column,
};

use self::course::{Remembered, Told};
pub use self::options::{AsideOptions, LifecycleOptions, StateOptions};

/// Tells states. See the head of the module.
pub struct Lifecycle {
    options: LifecycleOptions,
    host: Arc<dyn Host>,
    states: Vec<Reached>,
    aside: Vec<Reached>,
    /// What is remembered, read once; `None` before.
    known: Option<HashMap<String, Remembered>>,
}

/// How it is told whether a state is reached.
struct Reached {
    state: String,
    date: Option<usize>,
    when: Option<Formula>,
    /// Place in the order of the state that ends it.
    until: Option<usize>,
}

/// The values of a batch by which a state is told.
struct Values<'a> {
    days: Option<&'a arrow::array::Date32Array>,
    holds: Option<ArrayRef>,
}

impl OpenStage for Lifecycle {
    const NAME: &'static str = "lifecycle";
    const SUMMARY: &'static str = "tells the state of each record, and every state it had with its day";
    const OPTION_SCHEMA: &'static str = include_str!("lifecycle.json");
    type Options = LifecycleOptions;

    fn open(
        options: LifecycleOptions,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let mut problems = Vec::new();
        let mut wrong = |path: String, message: String| problems.push(Problem { path, message });
        let reached = |key: String,
                       state: &str,
                       date: Option<&String>,
                       when: Option<&String>,
                       wrong: &mut dyn FnMut(String, String)| {
            let date = date.and_then(|name| match column_index(&input, name) {
                Ok(at) if input.field(at).data_type() == &DataType::Date32 => Some(at),
                Ok(_) => {
                    wrong(format!("{key}.date"), format!("`{name}` is no date"));
                    None
                }
                Err(error) => {
                    wrong(format!("{key}.date"), error.to_string());
                    None
                }
            });
            let when = when.and_then(|sql| match Formula::compile(&*host, sql, &input) {
                Ok(when) if when.data_type() == DataType::Boolean => Some(when),
                Ok(_) => {
                    wrong(format!("{key}.when"), "a condition (true or false) is needed".to_owned());
                    None
                }
                Err(error) => {
                    wrong(format!("{key}.when"), error.to_string());
                    None
                }
            });
            Reached { state: state.to_owned(), date, when, until: None }
        };
        let mut states = Vec::new();
        for (at, own) in options.states.iter().enumerate() {
            let key = format!("states[{at}]");
            if own.date.is_none() && own.when.is_none() {
                wrong(key.clone(), "a state needs `date` or `when`".to_owned());
            }
            if options.states[..at].iter().any(|other| other.state == own.state) {
                wrong(format!("{key}.state"), format!("the state `{}` stands here twice", own.state));
            }
            states.push(reached(key, &own.state, own.date.as_ref(), own.when.as_ref(), &mut wrong));
        }
        let mut aside = Vec::new();
        for (at, own) in options.aside.iter().enumerate() {
            let key = format!("aside[{at}]");
            let mut state = reached(key.clone(), &own.state, own.date.as_ref(), Some(&own.when), &mut wrong);
            if let Some(until) = &own.until {
                state.until = options.states.iter().position(|state| state.state == *until);
                if state.until.is_none() {
                    wrong(format!("{key}.until"), format!("`{until}` is no state of the order"));
                }
            }
            aside.push(state);
        }
        if let Err(error) = column_index(&input, &options.record) {
            wrong("record".to_owned(), error.to_string());
        }
        for field in added(&options.output).iter().filter(|field| input.index_of(&field.name).is_ok()) {
            let message = format!("there is a column `{}` already, which this stage adds", field.name);
            wrong("output".to_owned(), message);
        }
        StageError::all(problems)?;
        let output = extended(&input, &options.output);
        Ok((Self { options, host, states, aside, known: None }, output))
    }
}

/// The columns that it adds.
fn added(output: &str) -> [Field; 3] {
    let field = |suffix: &str, kind, label: &str| Field {
        name: format!("{output}{suffix}"),
        kind,
        label: label.to_owned(),
        ..Field::default()
    };
    [
        field("", FieldType::Text, "生命周期状态"),
        field("_since", FieldType::Date, "状态起始日期"),
        field("_history", FieldType::List, "状态沿革"),
    ]
}

fn extended(input: &Schema, output: &str) -> SchemaRef {
    let more = added(output).map(|field| Arc::new(field.to_arrow()));
    let fields = input.fields.iter().cloned().chain(more);
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), input.metadata.clone()))
}

impl Stage for Lifecycle {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let ids = text_column(&batch, &self.options.record)?;
        let states = values(&self.states, &batch)?;
        let aside = values(&self.aside, &batch)?;
        let known = match &mut self.known {
            Some(known) => known,
            none => none.insert(read(&*self.host)?),
        };
        let today = self.host.today();
        let (mut now, mut since) = (StringBuilder::new(), Date32Builder::new());
        let mut lists = ListBuilder::new(StringBuilder::new());
        for at in 0..batch.num_rows() {
            let told: Vec<(&str, Told)> = self
                .states
                .iter()
                .zip(&states)
                .map(|(state, values)| (&*state.state, values.told(at)))
                .collect();
            let furthest = told.iter().rposition(|(_, told)| *told != Told::No);
            let held = self.aside.iter().zip(&aside).find(|(state, values)| {
                values.holds(at) && state.until.is_none_or(|until| furthest.is_none_or(|far| far < until))
            });
            let held = held.map(|(state, values)| (&*state.state, values.day(at)));
            let id = if ids.is_valid(at) { ids.value(at) } else { "" };
            let before = known.get(id).cloned().unwrap_or_default();
            let mut past = before.clone();
            past.take(&told, held, today);
            let history = past.history(&told);
            now.append_option(history.last().map(|(_, state)| *state));
            since.append_option(history.last().map(|(day, _)| *day));
            match history.is_empty() {
                true => lists.append_null(),
                false => lists.append_value(history.iter().map(|(day, state)| Some(step(*day, state)))),
            }
            if past != before && !id.is_empty() {
                let bytes = serde_json::to_vec(&past).map_err(|error| StageError::new(error.to_string()))?;
                self.host.state_put(format!("s/{id}").as_bytes(), &bytes)?;
                known.insert(id.to_owned(), past);
            }
        }
        let more: [ArrayRef; 3] =
            [Arc::new(now.finish()), Arc::new(since.finish()), Arc::new(lists.finish())];
        let schema = extended(batch.schema_ref(), &self.options.output);
        let columns = batch.columns().iter().cloned().chain(more).zip(schema.fields());
        // A list's item may be named otherwise than in the record's own lists.
        let columns = columns.map(|(column, field)| match column.data_type() == field.data_type() {
            true => Ok(column),
            false => arrow::compute::cast(&column, field.data_type()),
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options)?;
        Ok(Outcome { batch, findings: Findings::none() })
    }
}

/// A state with its day, as it stands in the history.
fn step(day: i32, state: &str) -> String {
    let day = date32_to_datetime(day).map(|at| at.date().to_string()).unwrap_or_default();
    format!("{day} {state}")
}

/// All that is remembered.
fn read(host: &dyn Host) -> Result<HashMap<String, Remembered>, StageError> {
    let (mut known, mut broken) = (HashMap::new(), None);
    host.state_scan(b"s/", &mut |key, value| {
        let id = String::from_utf8_lossy(&key[2..]).into_owned();
        match serde_json::from_slice(value) {
            Ok(past) => drop(known.insert(id, past)),
            Err(error) => broken = Some(format!("what is remembered of record `{id}` is broken: {error}")),
        }
        broken.is_none()
    })?;
    broken.map_or(Ok(known), |why| Err(StageError::new(why)))
}

fn values<'a>(all: &[Reached], batch: &'a RecordBatch) -> Result<Vec<Values<'a>>, StageError> {
    let of = |reached: &Reached| -> Result<Values<'a>, StageError> {
        let days = reached.date.and_then(|at| batch.column(at).as_primitive_opt::<Date32Type>());
        let holds = reached.when.as_ref().map(|when| when.evaluate(batch)).transpose()?;
        Ok(Values { days, holds: holds.map(|evaluated| evaluated.values) })
    };
    all.iter().map(of).collect()
}

impl Values<'_> {
    fn day(&self, at: usize) -> Option<i32> {
        self.days.filter(|days| days.is_valid(at)).map(|days| days.value(at))
    }

    /// Whether the condition is true; one that cannot be computed is not.
    fn holds(&self, at: usize) -> bool {
        let holds = self.holds.as_ref().and_then(|holds| holds.as_boolean_opt());
        holds.is_some_and(|holds| holds.is_valid(at) && holds.value(at))
    }

    fn told(&self, at: usize) -> Told {
        match self.day(at) {
            Some(day) => Told::On(day),
            None if self.holds(at) => Told::Undated,
            None => Told::No,
        }
    }
}
