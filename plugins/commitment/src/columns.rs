//! The input's columns as this stage reads them, checked when it is opened.

use arrow::array::{Array, AsArray, Date32Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Date32Type, Int64Type, Schema};
use huiliu_stage::{Problem, StageError, column_index};

use crate::course::Ending;
use crate::judge::{Claim, Deadline};
use crate::materials::{plain, split};
use crate::options::{CommitmentColumns, Options};

/// Where the materials and the parts of a commitment stand in a batch.
pub(crate) struct Columns {
    pub(crate) materials: usize,
    pub(crate) claim: Option<ClaimColumns>,
    /// The status that was last known.
    pub(crate) previous: Option<usize>,
    /// What letters promise, and what came of them.
    pub(crate) letters: Option<(usize, Option<usize>)>,
    /// Company and project.
    pub(crate) applicant: Option<(usize, usize)>,
}

/// Where the parts of a commitment stand.
pub(crate) struct ClaimColumns {
    pub(crate) no: Option<usize>,
    pub(crate) date: usize,
    pub(crate) deadline: Option<usize>,
    pub(crate) handling: Option<usize>,
    pub(crate) missing: Option<usize>,
    pub(crate) fulfilled: Option<usize>,
    pub(crate) extended_to: Option<usize>,
    pub(crate) reason: Option<usize>,
    pub(crate) outcome: Option<usize>,
    pub(crate) outcome_date: Option<usize>,
}

impl Columns {
    /// Finds all columns; `None` if there is any problem, each of which is added to `problems`.
    pub(crate) fn find(options: &Options, input: &Schema, problems: &mut Vec<Problem>) -> Option<Self> {
        let materials = find(input, &options.materials, "materials", &LISTS, problems);
        let claim = options.commitment.as_ref().map(|names| ClaimColumns::find(names, input, problems));
        let previous = options.previous.as_ref().map(|name| find(input, name, "previous", &TEXTS, problems));
        let before = problems.len();
        let letters = options.letters.as_ref().and_then(|names| {
            let open = find(input, &names.open, "letters.open", &LISTS, problems);
            let done =
                names.done.as_ref().and_then(|done| find(input, done, "letters.done", &LISTS, problems));
            Some((open?, done))
        });
        if problems.len() > before {
            return None;
        }
        let applicant = options.applicant.as_ref().map(|names| {
            let company = find(input, &names.company, "applicant.company", &TEXTS, problems);
            let project = find(input, &names.project, "applicant.project", &TEXTS, problems);
            Some((company?, project?))
        });
        Some(Self {
            letters,
            applicant: match applicant {
                Some(found) => Some(found?),
                None => None,
            },
            previous: match previous {
                Some(found) => Some(found?),
                None => None,
            },
            materials: materials?,
            claim: match claim {
                Some(found) => Some(found?),
                None => None,
            },
        })
    }
}

impl ClaimColumns {
    fn find(names: &CommitmentColumns, input: &Schema, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let date = find(input, &names.date, "commitment.date", &DATES, problems);
        let mut maybe = |name: &Option<String>, key: &str, kinds: &Kinds| {
            let name = name.as_ref()?;
            find(input, name, &format!("commitment.{key}"), kinds, problems)
        };
        let no = maybe(&names.no, "no", &TEXTS);
        let deadline = maybe(&names.deadline, "deadline", &DEADLINES);
        let handling = maybe(&names.handling, "handling", &DEADLINES);
        let missing = maybe(&names.missing, "missing", &LISTS);
        let fulfilled = maybe(&names.fulfilled, "fulfilled", &DATES);
        let extended_to = maybe(&names.extended_to, "extended_to", &DATES);
        let reason = maybe(&names.extension_reason, "extension_reason", &TEXTS);
        let outcome = maybe(&names.outcome, "outcome", &TEXTS);
        let outcome_date = maybe(&names.outcome_date, "outcome_date", &DATES);
        let date = date?;
        let found = Self {
            no,
            date,
            deadline,
            handling,
            missing,
            fulfilled,
            extended_to,
            reason,
            outcome,
            outcome_date,
        };
        (problems.len() == before).then_some(found)
    }
}

/// What a column may hold, in words and as a test.
struct Kinds(&'static str, fn(&DataType) -> bool);

const TEXTS: Kinds = Kinds("text", |kind| kind == &DataType::Utf8);
const DATES: Kinds = Kinds("a date", |kind| kind == &DataType::Date32);
const DEADLINES: Kinds = Kinds("a date or a whole number of working days", |kind| {
    matches!(kind, DataType::Date32 | DataType::Int64)
});
const LISTS: Kinds = Kinds("a list of texts or text", |kind| match kind {
    DataType::List(item) => item.data_type() == &DataType::Utf8,
    other => other == &DataType::Utf8,
});

fn find(
    input: &Schema,
    name: &str,
    path: &str,
    Kinds(words, fits): &Kinds,
    problems: &mut Vec<Problem>,
) -> Option<usize> {
    let mut problem = |message| {
        problems.push(Problem { path: path.to_owned(), message });
        None
    };
    match column_index(input, name) {
        Err(error) => problem(error.problems.into_iter().next().map(|p| p.message).unwrap_or_default()),
        Ok(at) if fits(input.field(at).data_type()) => Some(at),
        Ok(at) => problem(format!("column `{name}` is {}, {words} is needed", input.field(at).data_type())),
    }
}

/// A column of lists, written as lists or as text.
pub(crate) enum Lists<'a> {
    Text(&'a StringArray),
    List(&'a ListArray, &'a StringArray),
}

impl<'a> Lists<'a> {
    pub(crate) fn of(batch: &'a RecordBatch, at: usize) -> Result<Self, StageError> {
        let array = batch.column(at);
        let text = array.as_string_opt::<i32>().map(Self::Text);
        let list = || {
            let list = array.as_list_opt::<i32>()?;
            Some(Self::List(list, list.values().as_string_opt()?))
        };
        text.or_else(list).ok_or_else(|| unexpected(array.as_ref()))
    }

    /// The items of a row in comparable form; none for a missing value.
    pub(crate) fn plain(&self, row: usize) -> Vec<String> {
        match self {
            Self::Text(texts) if texts.is_valid(row) => split(texts.value(row)).map(plain).collect(),
            Self::List(lists, items) if lists.is_valid(row) => {
                let offsets = lists.value_offsets();
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                // An item may itself be a list that was not taken apart.
                range.filter(|&i| items.is_valid(i)).flat_map(|i| split(items.value(i))).map(plain).collect()
            }
            _ => Vec::new(),
        }
    }
}

enum Deadlines<'a> {
    Days(&'a Date32Array),
    Workdays(&'a Int64Array),
}

/// The commitments of a batch.
pub(crate) struct Claims<'a> {
    no: Option<&'a StringArray>,
    date: &'a Date32Array,
    deadline: Option<Deadlines<'a>>,
    handling: Option<Deadlines<'a>>,
    missing: Option<Lists<'a>>,
    fulfilled: Option<&'a Date32Array>,
    extended_to: Option<&'a Date32Array>,
    reason: Option<&'a StringArray>,
    outcome: Option<&'a StringArray>,
    outcome_date: Option<&'a Date32Array>,
}

impl<'a> Claims<'a> {
    pub(crate) fn of(batch: &'a RecordBatch, at: &ClaimColumns) -> Result<Self, StageError> {
        let dates = |at: usize| {
            let array = batch.column(at);
            array.as_primitive_opt::<Date32Type>().ok_or_else(|| unexpected(array.as_ref()))
        };
        let texts = |at: usize| {
            let array = batch.column(at);
            array.as_string_opt::<i32>().ok_or_else(|| unexpected(array.as_ref()))
        };
        let deadlines = |at: usize| match batch.column(at).as_primitive_opt::<Int64Type>() {
            Some(workdays) => Ok(Deadlines::Workdays(workdays)),
            None => dates(at).map(Deadlines::Days),
        };
        Ok(Self {
            no: at.no.map(texts).transpose()?,
            date: dates(at.date)?,
            deadline: at.deadline.map(deadlines).transpose()?,
            handling: at.handling.map(deadlines).transpose()?,
            missing: at.missing.map(|at| Lists::of(batch, at)).transpose()?,
            fulfilled: at.fulfilled.map(dates).transpose()?,
            extended_to: at.extended_to.map(dates).transpose()?,
            reason: at.reason.map(texts).transpose()?,
            outcome: at.outcome.map(texts).transpose()?,
            outcome_date: at.outcome_date.map(dates).transpose()?,
        })
    }

    /// The commitment of a row; `None` when neither number, date nor deadline is given.
    pub(crate) fn get(&self, row: usize) -> Option<Claim> {
        let day = |array: &Date32Array| array.is_valid(row).then(|| array.value(row));
        let no =
            self.no.filter(|no| no.is_valid(row)).map(|no| no.value(row).trim()).filter(|no| !no.is_empty());
        let date = day(self.date);
        let limit = |limits: &Deadlines<'_>| match limits {
            Deadlines::Days(days) => day(days).map(Deadline::Day),
            Deadlines::Workdays(counts) => {
                counts.is_valid(row).then(|| Deadline::Workdays(counts.value(row)))
            }
        };
        let deadline = self.deadline.as_ref().and_then(limit);
        (no.is_some() || date.is_some() || deadline.is_some()).then(|| Claim {
            no: no.unwrap_or_default().to_owned(),
            date,
            deadline,
            handling: self.handling.as_ref().and_then(limit),
            promised: self.missing.as_ref().map(|lists| lists.plain(row)),
            fulfilled: self.fulfilled.and_then(day),
            extended_to: self.extended_to.and_then(day),
            without_reason: self.reason.is_some_and(|texts| text(texts, row).is_none()),
            ending: self.outcome.and_then(|texts| ending(text(texts, row)?)),
            ended_on: self.outcome_date.and_then(day),
            known: None,
        })
    }
}

/// A text that says something.
pub(crate) fn text(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row).trim()).filter(|text| !text.is_empty())
}

/// How an authority says that it has ended a commitment; `None` for whatever else stands there.
fn ending(text: &str) -> Option<Ending> {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["虚假", "不实", "false", "revoked"]) {
        Some(Ending::False)
    } else if says(&["终止", "退件", "撤回", "terminated"]) {
        Some(Ending::Terminated)
    } else {
        None
    }
}

fn unexpected(array: &dyn Array) -> StageError {
    StageError::new(format!("a column came as {}, which is not what was planned", array.data_type()))
}
