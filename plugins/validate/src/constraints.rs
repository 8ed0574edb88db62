//! The constraints that the record schema puts on single fields.
//!
//! A missing value (null, the empty text, the empty list) breaks `required` and nothing else; so does
//! a list's missing item, which counts as not there. A cell that the reader could not read is not
//! missing: it was told of by the reader.

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, GenericListArray, PrimitiveArray, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, Schema};
use hashbrown::HashSet; // its hasher is far quicker on short words than the standard one
use huiliu_stage::{Field, Findings, Problem, Text};

use crate::options::Options;
use crate::pattern::Pattern;
use crate::tell::{Kind, Note, shown};
use crate::unreadable::Unreadable;

/// What is asked of one column.
pub(crate) struct Constraints {
    column: usize,
    required: Option<Note>,
    tests: Vec<(Test, Note, Text)>,
}

/// A constraint on values that are there.
enum Test {
    Least(f64),
    Greatest(f64),
    Shortest(usize),
    Longest(usize),
    Pattern(Pattern),
    OneOf(HashSet<String>),
}

impl Constraints {
    /// The constraints of all fields of a schema, and what is wrong with them.
    pub(crate) fn of(schema: &Schema, options: &Options, problems: &mut Vec<Problem>) -> Vec<Self> {
        let mut all = Vec::new();
        for (column, arrow) in schema.fields.iter().enumerate() {
            let Some(field) = Field::of(arrow) else { continue };
            let mut tests = Vec::new();
            for (kind, test) in tests_of(&field) {
                match test.and_then(|test| test.fits(arrow.data_type(), kind).map(|()| test)) {
                    Err(why) => problems.push(Problem {
                        path: String::new(),
                        message: format!("field `{}` of the record: {why}", field.name),
                    }),
                    Ok(test) => {
                        tests.extend(Note::new(options, arrow, kind).map(|note| {
                            let text = test.text(&note.title, &field);
                            (test, note, text)
                        }));
                    }
                }
            }
            let required = field.required.then(|| Note::new(options, arrow, Kind::Required)).flatten();
            if required.is_some() || !tests.is_empty() {
                all.push(Self { column, required, tests });
            }
        }
        all
    }

    /// Adds what is wrong with the column's cells.
    pub(crate) fn judge(
        &self,
        batch: &RecordBatch,
        rows: &[i64],
        cells: &Unreadable,
        findings: &mut Findings,
    ) {
        let array = batch.column(self.column);
        if let Some(note) = &self.required {
            for row in missing(array).into_iter().map(|at| rows[at]) {
                if !cells.has(&note.field, row) {
                    let title = &note.title;
                    let en = format!("{title} is missing; please fill it in");
                    findings.push(note.about(row, Text::new(format!("{title}不能为空，请填写"), en)));
                }
            }
        }
        for (test, note, text) in &self.tests {
            for at in test.broken(array) {
                findings.push(note.about_value(rows[at], &shown(batch, self.column, at), text.clone()));
            }
        }
    }
}

fn tests_of(field: &Field) -> Vec<(Kind, Result<Test, String>)> {
    let mut all = Vec::new();
    all.extend(field.min.map(|least| (Kind::Min, Ok(Test::Least(least)))));
    all.extend(field.max.map(|most| (Kind::Max, Ok(Test::Greatest(most)))));
    all.extend(field.min_length.map(|least| (Kind::MinLength, Ok(Test::Shortest(least)))));
    all.extend(field.max_length.map(|most| (Kind::MaxLength, Ok(Test::Longest(most)))));
    if let Some(pattern) = &field.pattern {
        let test = Pattern::new(pattern).map(Test::Pattern);
        all.push((Kind::Pattern, test.map_err(|why| format!("`pattern` `{pattern}` cannot be read: {why}"))));
    }
    if !field.values.is_empty() {
        all.push((Kind::Enum, Ok(Test::OneOf(field.values.iter().cloned().collect()))));
    }
    all
}

impl Test {
    /// Whether it can be put to columns of this type.
    fn fits(&self, found: &DataType, kind: Kind) -> Result<(), String> {
        let number = matches!(found, DataType::Int64 | DataType::Float64 | DataType::Decimal128(_, _));
        let text = match found {
            DataType::List(item) => item.data_type() == &DataType::Utf8,
            other => other == &DataType::Utf8,
        };
        match self {
            Self::Least(_) | Self::Greatest(_) if !number => {
                Err(format!("`{}` needs a number or an amount, the column is {found}", kind.name()))
            }
            Self::Least(bound) | Self::Greatest(bound) if !bound.is_finite() => {
                Err(format!("`{}` needs a finite number", kind.name()))
            }
            Self::Least(_) | Self::Greatest(_) => Ok(()),
            _ if text => Ok(()),
            _ => Err(format!("`{}` needs a text or a list, the column is {found}", kind.name())),
        }
    }

    /// What to tell when it is broken.
    fn text(&self, title: &str, field: &Field) -> Text {
        let unit = field.unit.as_deref().unwrap_or_default();
        match self {
            Self::Least(n) => Text::new(
                format!("{title}不能小于{n}{unit}，请核对数值和单位"),
                format!("{title} must not be less than {n}{unit}; check number and unit"),
            ),
            Self::Greatest(n) => Text::new(
                format!("{title}不能大于{n}{unit}，请核对数值和单位"),
                format!("{title} must not be more than {n}{unit}; check number and unit"),
            ),
            Self::Shortest(n) => Text::new(
                format!("{title}至少{n}个字，请补全"),
                format!("{title} needs at least {n} characters; please complete it"),
            ),
            Self::Longest(n) => Text::new(
                format!("{title}最多{n}个字，请缩短"),
                format!("{title} has room for {n} characters; please shorten it"),
            ),
            Self::Pattern(_) => {
                let pattern = field.pattern.as_deref().unwrap_or_default();
                Text::new(
                    format!("{title}的格式不对，应符合 {pattern}，请更正"),
                    format!("{title} is not of the form `{pattern}`; please correct it"),
                )
            }
            Self::OneOf(_) => {
                let shown = &field.values[..field.values.len().min(20)];
                let more = if shown.len() < field.values.len() { ["等", ", …"] } else { ["", ""] };
                Text::new(
                    format!("{title}不在允许的取值之内，请改为以下之一：{}{}", shown.join("、"), more[0]),
                    format!("{title} is not an allowed value; use one of: {}{}", shown.join(", "), more[1]),
                )
            }
        }
    }

    /// The indices of the values that break it.
    fn broken(&self, array: &ArrayRef) -> Vec<usize> {
        match self {
            Self::Least(n) => outside(array, *n, f64::INFINITY),
            Self::Greatest(n) => outside(array, f64::NEG_INFINITY, *n),
            Self::Shortest(n) => texts(array, |text| text.len() < *n || fewer(text, *n)),
            Self::Longest(n) => texts(array, |text| text.len() > *n && !fewer(text, n.saturating_add(1))),
            Self::Pattern(Pattern::Row(row)) => texts(array, |text| !row.matches(text.as_bytes())),
            Self::Pattern(pattern) => texts(array, |text| !pattern.matches(text)),
            Self::OneOf(words) => texts(array, |text| !words.contains(text)),
        }
    }
}

/// Whether a text has fewer characters than `n`.
fn fewer(text: &str, n: usize) -> bool {
    text.chars().count() < n
}

/// The indices of cells that hold nothing.
pub(crate) fn missing(array: &ArrayRef) -> Vec<usize> {
    let mut found: Vec<usize> = match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => (!nulls.inner()).set_indices().collect(),
        None => Vec::new(),
    };
    let nulls = found.len();
    let empty = |ends: &[i32], found: &mut Vec<usize>| {
        let lengths = ends.windows(2).enumerate();
        found.extend(lengths.filter(|(at, w)| w[0] == w[1] && array.is_valid(*at)).map(|(at, _)| at));
    };
    match array.data_type() {
        DataType::Utf8 => empty(array.as_string::<i32>().value_offsets(), &mut found),
        DataType::List(_) => empty(array.as_list::<i32>().value_offsets(), &mut found),
        _ => {}
    }
    if nulls > 0 && found.len() > nulls {
        found.sort_unstable();
    }
    found
}

/// The indices of numbers outside a range that includes both ends.
fn outside(array: &ArrayRef, least: f64, most: f64) -> Vec<usize> {
    match array.data_type() {
        DataType::Int64 => {
            let numbers = array.as_primitive::<Int64Type>();
            // `as` saturates, which is what is wanted of an infinite bound.
            let (least, most) = (least.ceil() as i64, most.floor() as i64);
            primitives(numbers, |n| n < least || n > most)
        }
        DataType::Float64 => {
            // Not a number is in no range.
            primitives(array.as_primitive::<Float64Type>(), |n| !(n >= least && n <= most))
        }
        DataType::Decimal128(_, scale) => {
            let (least, most) = (scaled(least, *scale, f64::ceil), scaled(most, *scale, f64::floor));
            primitives(array.as_primitive::<Decimal128Type>(), |n| n < least || n > most)
        }
        _ => Vec::new(),
    }
}

/// A bound in units of a decimal's last place: 0.1 is 1000 at four places, though 0.1 is not quite a tenth.
fn scaled(bound: f64, scale: i8, to_the_inside: fn(f64) -> f64) -> i128 {
    let exact = bound * 10_f64.powi(i32::from(scale));
    let near = exact.round();
    let hit = (exact - near).abs() <= near.abs().max(1.0) * 1e-12;
    (if hit { near } else { to_the_inside(exact) }) as i128
}

fn primitives<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    bad: impl Fn(T::Native) -> bool,
) -> Vec<usize> {
    let values = array.values().iter().enumerate();
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => values.filter(|(_, v)| bad(**v)).map(|(at, _)| at).collect(),
        Some(nulls) => values.filter(|(at, v)| bad(**v) && nulls.is_valid(*at)).map(|(at, _)| at).collect(),
    }
}

/// The indices of texts, or of lists with an item, that are bad. What is missing is passed over.
fn texts(array: &ArrayRef, bad: impl Fn(&str) -> bool) -> Vec<usize> {
    match array.data_type() {
        DataType::Utf8 => strings(array.as_string::<i32>(), bad),
        DataType::List(_) => lists(array.as_list::<i32>(), bad),
        _ => Vec::new(),
    }
}

fn strings(array: &StringArray, bad: impl Fn(&str) -> bool) -> Vec<usize> {
    let mut found = Vec::new();
    for at in 0..array.len() {
        let text = array.value(at);
        if !text.is_empty() && bad(text) && array.is_valid(at) {
            found.push(at);
        }
    }
    found
}

fn lists(array: &GenericListArray<i32>, bad: impl Fn(&str) -> bool) -> Vec<usize> {
    let items = strings(array.values().as_string::<i32>(), bad);
    let mut items = items.into_iter().peekable();
    let mut found = Vec::new();
    for (at, w) in array.value_offsets().windows(2).enumerate() {
        let (start, end) = (w[0] as usize, w[1] as usize);
        while items.next_if(|item| *item < start).is_some() {}
        if items.peek().is_some_and(|item| *item < end) && array.is_valid(at) {
            found.push(at);
        }
    }
    found
}
