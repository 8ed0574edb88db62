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
//! `p/…` a project's [`Past`], `n/…` under which key a name was permitted, `e/…` who used a file, `f/…` the projects of a sender's last file of one kind.
//!
//! It stands behind `validate`, sees no refused rows and remembers nothing of those that it refuses itself. A missing
//! value is compared with nothing; a row without a key passes untold. Start at [`History`].

mod fields;
mod files;
mod known;
mod options;
mod past;
mod roll;
mod stored;
mod text;

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use huiliu_stage::{
    Findings, Host, OpenStage, Origin, Outcome, Problem, ROW, Severity, Stage, StageError, column,
    column_index,
};

use self::fields::{Fields, month_in, month_of_day};
use self::files::Files;
use self::known::{Known, PREFIX};
pub use self::options::HistoryOptions;
use self::past::Past;
use self::roll::Roll;
use self::text::{Found, PARTS};

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

/// What is known of a row besides its columns.
struct Given<'a> {
    row: i64,
    /// The month in the name of its file.
    month: Option<i32>,
    /// The month and the day of the month of the delivery.
    today: (i32, u32),
    files: &'a Files,
}

/// How the project of a row is known.
#[derive(Clone, Copy)]
struct Project<'a> {
    /// Where its past is in the state: a prefix, then what makes it known.
    state: &'a str,
    name: &'a str,
}

impl<'a> Project<'a> {
    fn key(self) -> &'a str {
        self.state.strip_prefix(PREFIX).unwrap_or(self.state)
    }
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
        let today = month_of_day(self.host.today());
        let in_name = month_in(&origin.file, today.0);
        let mut findings = Findings::none();
        let mut state = String::new();
        for at in 0..batch.num_rows() {
            if !self.key(&batch, at, &mut state) {
                continue;
            }
            let name = self.name(&batch, at, &state);
            let project = Project { state: &state, name: &name };
            let given = Given { row: rows.value(at), month: in_name, today, files: &files };
            if let Some(month) = self.row(&batch, at, project, &given, &mut findings)? {
                self.roll.note(&origin, month, project.key(), project.name);
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
        project: Project<'_>,
        given: &Given<'_>,
        findings: &mut Findings,
    ) -> Result<Option<i32>, StageError> {
        let Given { row, month, today, files } = *given;
        let mut past = self.known.take(&*self.host, project.state)?;
        let report = self.fields.report(batch, at, month, today.0);
        let month = report.month;
        let mut found = if report.dated { self.late(month, today) } else { Vec::new() };
        found.extend(past.take(report, &self.options));
        if let Some(skipped) = self.skipped(batch, at, &mut past) {
            found.push(("permit_stage", skipped));
        }
        if let Some(other) = self.identity(batch, at, project, &mut past)? {
            found.push(other);
        }
        let files_found = files.judge(&*self.host, row, project.key())?;
        found.extend(files_found.into_iter().map(|found| ("evidence", found)));
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
            self.known.forget(&*self.host, project.state)?;
            return Ok(None);
        }
        files.keep(&*self.host, row, project.key(), project.name)?;
        self.known.keep(&*self.host, project.state, past)?;
        self.roll.schema.get_or_insert_with(|| batch.schema());
        Ok(Some(month))
    }

    /// Where the past of a row's project is: the first key of which all parts are there, without blanks and in one case.
    /// `false`: it has none.
    fn key(&self, batch: &RecordBatch, at: usize, key: &mut String) -> bool {
        self.keys.iter().enumerate().any(|(number, columns)| {
            key.clear();
            key.push_str(PREFIX);
            key.push_str(&number.to_string());
            columns.iter().all(|column| {
                let texts = batch.column(*column).as_string_opt::<i32>();
                let Some(texts) = texts.filter(|texts| texts.is_valid(at)) else { return false };
                key.push('\u{1f}');
                let start = key.len();
                push_tidy(texts.value(at), key);
                key.len() > start
            })
        })
    }

    /// What to call the project of a row.
    fn name<'a>(&self, batch: &'a RecordBatch, at: usize, state: &str) -> Cow<'a, str> {
        let names = self.fields.name.and_then(|column| batch.column(column).as_string_opt::<i32>());
        match names.filter(|names| names.is_valid(at)) {
            Some(names) => Cow::Borrowed(names.value(at)),
            None => Cow::Owned(shown(state)),
        }
    }

    /// Whether a report of `month` comes after its day in the month that follows; the delivery's month and day are given.
    fn late(&self, month: i32, (now, day): (i32, u32)) -> Vec<(&'static str, Found)> {
        let late = now > month + 1 || (now == month + 1 && day > self.options.late_day);
        match late {
            true => vec![("report_month", Found::Late { month, day: self.options.late_day })],
            false => Vec::new(),
        }
    }

    /// The permit stages that a row names, by their place in the profile.
    fn stages_of(&self, batch: &RecordBatch, at: usize) -> Vec<usize> {
        let lists = self.fields.stage.and_then(|column| batch.column(column).as_list_opt::<i32>());
        let Some(lists) = lists.filter(|lists| lists.is_valid(at)) else { return Vec::new() };
        let items = lists.value(at);
        let Some(items) = items.as_string_opt::<i32>() else { return Vec::new() };
        let place =
            |text: &str| self.stages.iter().position(|words| words.iter().any(|word| text.contains(&**word)));
        items.iter().flatten().filter_map(place).collect()
    }

    fn skipped(&self, batch: &RecordBatch, at: usize, past: &mut Past) -> Option<Found> {
        let stages = self.stages_of(batch, at);
        let (before, stage) = past.take_stages(&stages).filter(|_| !stages.is_empty())?;
        let title = |at: usize| self.options.stages[at].split('|').next().unwrap_or_default().to_owned();
        Some(Found::Skipped { stage: title(stage), before: title(before) })
    }

    /// Whether a stage of a permit comes under another name or code than the one before (V21).
    fn identity(
        &self,
        batch: &RecordBatch,
        at: usize,
        project: Project<'_>,
        past: &mut Past,
    ) -> Result<Option<(&'static str, Found)>, StageError> {
        if self.stages_of(batch, at).is_empty() {
            return Ok(None);
        }
        let (key, name) = (project.key(), project.name);
        let tidy: String = name.chars().filter(|c| !c.is_whitespace()).collect();
        let state = format!("n/{tidy}");
        let before = past.permitted_as.replace(name.to_owned());
        if let Some(before) =
            before.filter(|before| before.chars().filter(|c| !c.is_whitespace()).ne(tidy.chars()))
        {
            return Ok(Some(("project_name", Found::OtherName { name: name.to_owned(), before })));
        }
        let other = self.host.state_get(state.as_bytes())?;
        let other = other.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        // Only keys of one kind can be compared: a code with a code.
        match other.filter(|other| other != key && other.split('\u{1f}').next() == key.split('\u{1f}').next())
        {
            Some(other) => {
                let found = Found::OtherCode { code: shown(key), before: shown(&other) };
                Ok(Some(("project_code", found)))
            }
            None => {
                self.host.state_put(state.as_bytes(), key.as_bytes())?;
                Ok(None)
            }
        }
    }
}

/// The parts of a key as people read them.
fn shown(key: &str) -> String {
    key.split('\u{1f}').skip(1).collect::<Vec<_>>().join(" ")
}

/// Adds a text without its blanks and in one case.
fn push_tidy(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.extend(text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()));
    } else {
        let tidy: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        out.push_str(&tidy.to_uppercase());
    }
}
