//! `land_start`: how long it took from the land to the permit and to the start (拿地即开工, domain.md section 11).
//!
//! ```yaml
//! - land_start: {calendar: {table: holidays}, limit_workdays: 5}
//! ```
//!
//! Adds `land_to_permit_days` and `land_to_start_days` (calendar days, the first not counted) and `starts_on_land`: the
//! permit came within so many working days of the land, or on the same day. What is missing, or lies before the land
//! (phased permits, leased plants), leaves its column empty. It refuses nothing; a row that starts on its land is noted
//! with both ways of counting, since published durations count both ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, Int64Type, Schema, SchemaRef};
use huiliu_stage::{
    Finding, Findings, Host, OpenStage, Outcome, Problem, ROW, Severity, Stage, StageError, Text, column,
    column_index, date_column, text_column,
};
use serde::Deserialize;

const ADDED: [(&str, DataType); 3] = [
    ("land_to_permit_days", DataType::Int64),
    ("land_to_start_days", DataType::Int64),
    ("starts_on_land", DataType::Boolean),
];

/// `land_start: {calendar: {table: NAME}, limit_workdays: 5, …}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandOptions {
    /// Column with the day on which the land was had.
    #[serde(default = "land")]
    pub land: String,
    /// Column with the day of the (first) construction permit.
    #[serde(default = "permit")]
    pub permit: String,
    /// Column with the day of the start.
    #[serde(default = "start")]
    pub start: String,
    /// Most working days from the land to the permit.
    #[serde(default = "five")]
    pub limit_workdays: i64,
    /// Days off and made up for; Monday to Friday when left out.
    #[serde(default)]
    pub calendar: Option<CalendarOptions>,
}

/// A reference table with `date` and `kind`: `holiday` or `workday`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarOptions {
    /// Its name under `tables`.
    pub table: String,
}

fn land() -> String {
    "land_date".to_owned()
}

fn permit() -> String {
    "permit_date".to_owned()
}

fn start() -> String {
    "start_date".to_owned()
}

fn five() -> i64 {
    5
}

/// Tells durations. See the head of the module.
pub struct LandStart {
    options: LandOptions,
    host: Arc<dyn Host>,
}

impl OpenStage for LandStart {
    const NAME: &'static str = "land_start";
    const SUMMARY: &'static str = "tells how long it took from the land to the permit and to the start";
    const OPTION_SCHEMA: &'static str = include_str!("land.json");
    type Options = LandOptions;

    fn open(
        options: LandOptions,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let mut problems = Vec::new();
        let columns = [("land", &options.land), ("permit", &options.permit), ("start", &options.start)];
        for (key, name) in columns {
            match column_index(&input, name) {
                Err(error) => problems.push(Problem { path: key.into(), message: error.to_string() }),
                Ok(at) if input.field(at).data_type() != &DataType::Date32 => {
                    problems.push(Problem { path: key.into(), message: format!("`{name}` is no date") });
                }
                Ok(_) => {}
            }
        }
        for (name, _) in ADDED.iter().filter(|(name, _)| input.index_of(name).is_ok()) {
            let message = format!("there is a column `{name}` already, which this stage adds");
            problems.push(Problem { path: String::new(), message });
        }
        if let Some(Err(error)) = options.calendar.as_ref().map(|chosen| Calendar::of(&*host, &chosen.table))
        {
            problems.push(Problem { path: "calendar.table".into(), message: error.to_string() });
        }
        StageError::all(problems)?;
        Ok((Self { options, host }, extended(&input)))
    }
}

/// The schema with the columns added at its end.
fn extended(input: &Schema) -> SchemaRef {
    let added = ADDED.iter().map(|(name, kind)| Arc::new(Field::new(*name, kind.clone(), true)));
    let fields = input.fields.iter().cloned().chain(added);
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), input.metadata.clone()))
}

impl Stage for LandStart {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let calendar = match &self.options.calendar {
            Some(chosen) => Calendar::of(&*self.host, &chosen.table)?,
            None => Calendar::default(),
        };
        let land = date_column(&batch, &self.options.land)?;
        let permit = date_column(&batch, &self.options.permit)?;
        let start = date_column(&batch, &self.options.start)?;
        let rows = column(&batch, ROW)?.as_primitive_opt::<Int64Type>();
        let rows = rows.ok_or_else(|| StageError::new(format!("column `{ROW}` is not whole numbers")))?;
        let mut findings = Findings::none();
        let flags: BooleanArray = (0..batch.num_rows())
            .map(|at| {
                let days = span(land, permit, at)?;
                let work = calendar.workdays(land.value(at), permit.value(at));
                let soon = days == 0 || work <= self.options.limit_workdays;
                if soon {
                    findings.push(note(rows.value(at), &self.options.permit, days, work));
                }
                Some(soon)
            })
            .collect();
        let spans = |until: &Date32Array| -> ArrayRef {
            Arc::new((0..batch.num_rows()).map(|at| span(land, until, at)).collect::<Int64Array>())
        };
        let added: [ArrayRef; 3] = [spans(permit), spans(start), Arc::new(flags)];
        let columns = batch.columns().iter().cloned().chain(added).collect();
        let batch = RecordBatch::try_new(extended(batch.schema_ref()), columns)?;
        Ok(Outcome { batch, findings })
    }
}

/// Days from one to the other; `None` when one is missing or they are the wrong way round.
fn span(from: &Date32Array, until: &Date32Array, at: usize) -> Option<i64> {
    if from.is_null(at) || until.is_null(at) {
        return None;
    }
    let days = i64::from(until.value(at)) - i64::from(from.value(at));
    (days >= 0).then_some(days)
}

fn note(row: i64, field: &str, days: i64, work: i64) -> Finding {
    let both = days + 1;
    let text = match days {
        0 => Text::new(
            "拿地当日即取得施工许可，属于拿地即开工（四证或五证齐发）",
            "the permit came on the day of the land: a start on the land",
        ),
        _ => Text::new(
            format!("拿地后{work}个工作日（{days}天，首尾都算为{both}天）取得施工许可，属于拿地即开工"),
            format!(
                "the permit came {work} working days after the land ({days} days, {both} with both ends): a start on the land"
            ),
        ),
    };
    Finding::new(Some(row), Severity::Info, "land-start", text).with_field(field)
}

/// Days that are not as their weekday says: `true` is a working day.
#[derive(Default)]
struct Calendar(BTreeMap<i32, bool>);

impl Calendar {
    fn of(host: &dyn Host, table: &str) -> Result<Self, StageError> {
        let table = host.table(table)?;
        let (dates, kinds) =
            (cast(column(&table, "date")?, &DataType::Date32)?, text_column(&table, "kind")?);
        let dates = dates.as_primitive::<Date32Type>();
        let known = (0..table.num_rows()).filter(|&at| dates.is_valid(at) && kinds.is_valid(at));
        Ok(Self(known.map(|at| (dates.value(at), kinds.value(at) == "workday")).collect()))
    }

    /// Working days after `from` up to `until`.
    fn workdays(&self, from: i32, until: i32) -> i64 {
        // 1970-01-01 was a Thursday.
        let week = |day: i32| (i64::from(day) + 3).rem_euclid(7) < 5;
        let plain = {
            let weeks = (i64::from(until) - i64::from(from)) / 7;
            let rest = from.saturating_add(i32::try_from(weeks * 7).unwrap_or(0)).saturating_add(1)..=until;
            weeks * 5 + rest.filter(|day| week(*day)).count() as i64
        };
        let changed = self.0.range(from.saturating_add(1)..=until.max(from.saturating_add(1)));
        let changed = changed.filter(|(day, _)| **day <= until);
        plain + changed.map(|(day, works)| i64::from(*works) - i64::from(week(*day))).sum::<i64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days since 1970 of 2026-05-01, a Friday and a holiday; the Saturday after the holidays (9 May) is made up.
    const MAY_FIRST: i32 = 20_574;

    #[test]
    fn working_days_know_weekends_holidays_and_days_made_up_for() {
        let mut calendar = Calendar::default();
        calendar.0.extend([
            (MAY_FIRST, false),
            (MAY_FIRST + 3, false),
            (MAY_FIRST + 4, false),
            (MAY_FIRST + 8, true),
        ]);
        for (from, until, days) in [
            (-1, -1, 0),
            (-1, 0, 0), // 1 May is a holiday.
            (-1, 5, 1), // Then a weekend and two more days off: the 6th is the first.
            (-1, 8, 4), // The Saturday counts.
            (-1, 9, 4),
            (10, 38, 20), // Four plain weeks.
        ] {
            assert_eq!(calendar.workdays(MAY_FIRST + from, MAY_FIRST + until), days, "{from} {until}");
        }
        assert_eq!(Calendar::default().workdays(MAY_FIRST - 1, MAY_FIRST + 8), 6);
    }

    #[test]
    fn a_span_counts_the_first_day_not_and_is_not_there_backwards() {
        // 23 February to 14 April: published as 51 days, which counts both ends.
        let from = Date32Array::from(vec![Some(0), Some(0), Some(5), None]);
        let until = Date32Array::from(vec![Some(50), Some(0), Some(4), Some(4)]);
        let spans: Vec<_> = (0..4).map(|at| span(&from, &until, at)).collect();
        assert_eq!(spans, [Some(50), Some(0), None, None]);
    }
}
