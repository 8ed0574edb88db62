//! `history`: compares each row with what was reported of the same project before.
//!
//! ```yaml
//! - history:
//!     key: [[project_code], [owner_uscc, project_name]]
//!     stages: [基坑|土方|桩基, 地下室|±0.000以下, ±0.000以上|主体]
//! ```
//!
//! It makes those checks of the catalogue (domain.md section 20) that need a memory: V07 unit, V08 fell, V09 months, V13
//! evidence that another project used, V14, V17 left out, V21 skipped, V22. What it knows is in the state of its slot:
//! `p/…` a project's [`Past`], `e/…` who used a file, `f/…` the projects of a sender's last file of one kind.
//!
//! It stands behind `validate`, sees no refused rows and remembers nothing of those that it refuses itself. A missing
//! value is compared with nothing; a row without a key passes untold. Start at [`History`].

mod files;
mod options;
mod past;
mod roll;
mod text;

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, Schema, SchemaRef};
use arrow::temporal_conversions::date32_to_datetime;
use hashbrown::HashMap;
use huiliu_stage::{
    Findings, Host, OpenStage, Origin, Outcome, Problem, ROW, Severity, Stage, StageError, column,
    column_index,
};

use self::files::Files;
pub use self::options::HistoryOptions;
use self::past::{Past, Report};
use self::roll::Roll;
use self::text::{Found, PARTS};

/// Most projects whose past is held in memory; of more each is asked for by itself.
const HELD: usize = 200_000;

/// Compares rows with the past of their projects. See the head of the module.
pub struct History {
    options: HistoryOptions,
    host: Arc<dyn Host>,
    keys: Vec<Vec<usize>>,
    fields: Fields,
    /// Words of each permit stage.
    stages: Vec<Vec<String>>,
    known: Known,
    roll: Roll,
}

/// Where the columns are that it looks at; those that the record lacks are not looked at.
struct Fields {
    month: Option<usize>,
    total: Option<usize>,
    plan: Option<usize>,
    in_month: Option<usize>,
    ytd: Option<usize>,
    cumulative: Option<usize>,
    works: Option<usize>,
    installation: Option<usize>,
    percent: Option<usize>,
    progress: Option<usize>,
    stage: Option<usize>,
    name: Option<usize>,
}

/// The past of projects, as far as it was read.
#[derive(Default)]
struct Known {
    read: bool,
    /// Whether all there is was read, so that what is not here is not anywhere.
    all: bool,
    pasts: HashMap<String, Past>,
}

impl OpenStage for History {
    const NAME: &'static str = "history";
    const SUMMARY: &'static str = "compares rows with what was reported of the same project before";
    const OPTION_SCHEMA: &'static str = include_str!("options.json");
    type Options = HistoryOptions;

    fn open(
        options: HistoryOptions,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let mut problems = Vec::new();
        let mut keys = Vec::new();
        for (at, names) in options.key.iter().enumerate() {
            let mut key = Vec::new();
            for (number, name) in names.iter().enumerate() {
                let path = format!("key[{at}][{number}]");
                match column_index(&input, name) {
                    Ok(column) if input.field(column).data_type() == &DataType::Utf8 => key.push(column),
                    Ok(_) => problems.push(Problem { path, message: format!("`{name}` is no text") }),
                    Err(error) => problems.push(Problem { path, message: error.to_string() }),
                }
            }
            if names.is_empty() {
                problems.push(Problem { path: format!("key[{at}]"), message: "a key needs a field".into() });
            }
            keys.push(key);
        }
        for key in options.unknown_keys() {
            let known: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
            let message = format!("`{key}` is not told by this stage; it tells {}", known.join(", "));
            problems.push(Problem { path: format!("severity.{key}"), message });
        }
        StageError::all(problems)?;
        let fields = Fields::of(&input, &options.month);
        let words = |stage: &String| stage.split('|').map(|word| word.trim().to_owned()).collect();
        let stages = options.stages.iter().map(words).collect();
        let (known, roll) = (Known::default(), Roll::default());
        Ok((Self { options, host, keys, fields, stages, known, roll }, input))
    }
}

impl Stage for History {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        self.known.read(&*self.host)?;
        let rows = column(&batch, ROW)?.clone();
        let rows = rows.as_primitive_opt::<Int64Type>();
        let rows = rows.ok_or_else(|| StageError::new(format!("column `{ROW}` is not whole numbers")))?;
        let (origin, files) = (Origin::of(&batch), Files::of(&batch)?);
        let mut findings = Findings::none();
        for at in 0..batch.num_rows() {
            let row = rows.value(at);
            let Some(key) = self.key(&batch, at) else { continue };
            let found = self.row(&batch, at, row, &key, &files, &mut findings)?;
            if let Some(month) = found {
                self.roll.note(&origin, month, &key, self.name(&batch, at, &key));
            }
        }
        Ok(Outcome { batch, findings })
    }

    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        let severity = self.options.severity("V17.missing", Severity::Warning);
        let missing = std::mem::take(&mut self.roll).close(&*self.host)?;
        let (Some(severity), Some((missing, schema))) = (severity, missing) else { return Ok(None) };
        let finding = text::left_out(&missing, severity);
        Ok(Some(Outcome { batch: RecordBatch::new_empty(schema), findings: Findings(vec![finding]) }))
    }
}

impl History {
    /// Compares one row; gives its month, or `None` when it is refused and so not remembered.
    fn row(
        &mut self,
        batch: &RecordBatch,
        at: usize,
        row: i64,
        key: &str,
        files: &Files,
        findings: &mut Findings,
    ) -> Result<Option<i32>, StageError> {
        let mut past = self.known.past(&*self.host, key)?;
        let report = self.fields.report(batch, at, month_of_day(self.host.today()).0);
        let month = report.month;
        let mut found = self.late(month);
        found.extend(past.take(report, &self.options));
        if let Some(skipped) = self.skipped(batch, at, &mut past) {
            found.push(("permit_stage", skipped));
        }
        let name = self.name(batch, at, key);
        found.extend(files.judge(&*self.host, row, key)?.into_iter().map(|found| ("evidence", found)));
        let mut refused = false;
        for (field, found) in found {
            let usual =
                PARTS.iter().find(|(part, _)| *part == found.name()).map_or(Severity::Warning, |(_, s)| *s);
            if let Some(severity) = self.options.severity(found.name(), usual) {
                refused |= severity == Severity::Error;
                findings.push(found.finding(row, field, severity));
            }
        }
        if refused {
            return Ok(None);
        }
        files.keep(&*self.host, row, key, &name)?;
        self.known.keep(&*self.host, key, past)?;
        self.roll.schema.get_or_insert_with(|| batch.schema());
        Ok(Some(month))
    }

    /// The key of a row: the first of which all parts are there, without blanks and in one case.
    fn key(&self, batch: &RecordBatch, at: usize) -> Option<String> {
        self.keys.iter().enumerate().find_map(|(number, columns)| {
            let mut key = format!("{number}");
            for column in columns {
                let texts = batch.column(*column).as_string_opt::<i32>()?;
                let tidy: String = texts.value(at).chars().filter(|c| !c.is_whitespace()).collect();
                if texts.is_null(at) || tidy.is_empty() {
                    return None;
                }
                key.push('\u{1f}');
                key.push_str(&tidy.to_uppercase());
            }
            Some(key)
        })
    }

    /// What to call the project of a row.
    fn name(&self, batch: &RecordBatch, at: usize, key: &str) -> String {
        let names = self.fields.name.and_then(|column| batch.column(column).as_string_opt::<i32>());
        let name = names.filter(|names| names.is_valid(at)).map(|names| names.value(at).to_owned());
        name.unwrap_or_else(|| key.split('\u{1f}').skip(1).collect::<Vec<_>>().join(" "))
    }

    /// Whether a report of `month` comes after its day in the month that follows.
    fn late(&self, month: i32) -> Vec<(&'static str, Found)> {
        let (now, day) = month_of_day(self.host.today());
        let late = now > month + 1 || (now == month + 1 && day > self.options.late_day);
        match late && self.fields.month.is_some() {
            true => vec![("report_month", Found::Late { month, day: self.options.late_day })],
            false => Vec::new(),
        }
    }

    fn skipped(&self, batch: &RecordBatch, at: usize, past: &mut Past) -> Option<Found> {
        let lists =
            batch.column(self.fields.stage?).as_list_opt::<i32>().filter(|lists| lists.is_valid(at))?;
        let items = lists.value(at);
        let items = items.as_string_opt::<i32>()?;
        let place =
            |text: &str| self.stages.iter().position(|words| words.iter().any(|word| text.contains(&**word)));
        let stages: Vec<usize> = items.iter().flatten().filter_map(place).collect();
        let (before, stage) = past.take_stages(&stages).filter(|_| !stages.is_empty())?;
        let title = |at: usize| self.options.stages[at].split('|').next().unwrap_or_default().to_owned();
        Some(Found::Skipped { stage: title(stage), before: title(before) })
    }
}

/// The month (counted from the year 0) and the day of the month of a day.
fn month_of_day(day: i32) -> (i32, u32) {
    // Through its text, 2026-05-06: arrow has no shorter way that it shows.
    let text = date32_to_datetime(day).map(|at| at.date().to_string()).unwrap_or_default();
    let mut parts = text.rsplitn(3, '-');
    let (date, month, year) = (parts.next(), parts.next(), parts.next());
    let number = |part: Option<&str>| part.and_then(|text| text.parse::<i32>().ok());
    match (number(year), number(month), date.and_then(|text| text.parse().ok())) {
        (Some(year), Some(month), Some(date)) => (year * 12 + month - 1, date),
        _ => (0, 1),
    }
}

impl Fields {
    fn of(schema: &Schema, month: &str) -> Self {
        let typed = |name: &str, fits: &dyn Fn(&DataType) -> bool| {
            schema.index_of(name).ok().filter(|at| fits(schema.field(*at).data_type()))
        };
        let money = |name| typed(name, &|kind| matches!(kind, DataType::Decimal128(..)));
        let text = |name| typed(name, &|kind| *kind == DataType::Utf8);
        Self {
            month: typed(month, &|kind| *kind == DataType::Date32),
            total: money("total_investment"),
            plan: money("annual_plan_investment"),
            in_month: money("month_investment"),
            ytd: money("ytd_investment"),
            cumulative: money("cumulative_investment"),
            works: money("works_investment"),
            installation: money("installation_investment"),
            percent: typed("progress_percent", &|kind| *kind == DataType::Float64),
            progress: text("progress_text"),
            stage: typed("permit_stage", &|kind| matches!(kind, DataType::List(_))),
            name: text("project_name"),
        }
    }

    /// What a row reports; without a month it reports that of `today`.
    fn report(&self, batch: &RecordBatch, at: usize, today: i32) -> Report {
        let money = |column: Option<usize>| {
            let amounts = batch.column(column?).as_primitive_opt::<Decimal128Type>()?;
            let scale = f64::from(10_u32.pow(u32::from(amounts.scale().unsigned_abs().min(9))));
            amounts.is_valid(at).then(|| amounts.value(at) as f64 / scale)
        };
        let days = self.month.and_then(|column| batch.column(column).as_primitive_opt::<Date32Type>());
        let percent = self.percent.and_then(|column| batch.column(column).as_primitive_opt::<Float64Type>());
        let progress = self.progress.and_then(|column| batch.column(column).as_string_opt::<i32>());
        let works = match (money(self.works), money(self.installation)) {
            (None, None) => None,
            (works, installation) => Some(works.unwrap_or(0.0) + installation.unwrap_or(0.0)),
        };
        Report {
            month: days.filter(|days| days.is_valid(at)).map_or(today, |days| month_of_day(days.value(at)).0),
            total: money(self.total),
            plan: money(self.plan),
            in_month: money(self.in_month),
            ytd: money(self.ytd),
            cumulative: money(self.cumulative),
            works,
            percent: percent.filter(|percent| percent.is_valid(at)).map(|percent| percent.value(at)),
            progress: progress.filter(|texts| texts.is_valid(at)).map(|texts| texts.value(at).to_owned()),
            same: 0,
            idle: 0,
        }
    }
}

impl Known {
    /// Reads what there is, once: a scan is much quicker than asking for each project.
    fn read(&mut self, host: &dyn Host) -> Result<(), StageError> {
        if std::mem::replace(&mut self.read, true) {
            return Ok(());
        }
        self.all = true;
        let mut broken = None;
        host.state_scan(b"p/", &mut |key, value| {
            match (std::str::from_utf8(&key[2..]), serde_json::from_slice::<Past>(value)) {
                (Ok(key), Ok(past)) => drop(self.pasts.insert(key.to_owned(), past)),
                (_, Err(error)) => broken = Some(error.to_string()),
                (Err(error), _) => broken = Some(error.to_string()),
            }
            self.all = self.pasts.len() < HELD;
            self.all && broken.is_none()
        })?;
        broken.map_or(Ok(()), |why| {
            Err(StageError::new(format!("what is remembered of a project is broken: {why}")))
        })
    }

    fn past(&self, host: &dyn Host, key: &str) -> Result<Past, StageError> {
        if let Some(past) = self.pasts.get(key) {
            return Ok(past.clone());
        }
        match if self.all { None } else { host.state_get(format!("p/{key}").as_bytes())? } {
            None => Ok(Past::default()),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                StageError::new(format!("what is remembered of project `{key}` is broken: {error}"))
            }),
        }
    }

    fn keep(&mut self, host: &dyn Host, key: &str, past: Past) -> Result<(), StageError> {
        let bytes = serde_json::to_vec(&past).map_err(|error| StageError::new(error.to_string()))?;
        host.state_put(format!("p/{key}").as_bytes(), &bytes)?;
        if self.pasts.len() < HELD || self.pasts.contains_key(key) {
            self.pasts.insert(key.to_owned(), past);
        } else {
            self.all = false;
        }
        Ok(())
    }
}
