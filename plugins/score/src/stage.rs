//! The stage: opened with options and schema, it adds the columns of the score.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Float64Builder, ListBuilder, RecordBatch, RecordBatchOptions,
    StringBuilder,
};
use arrow::datatypes::{DataType, Field as ArrowField, FieldRef, Int64Type, Schema, SchemaRef};
use huiliu_stage::{
    FieldType, Finding, Findings, Host, OpenStage, Outcome, Problem, ROW, Stage, StageError, Text, column,
    json_field,
};

use crate::dimension::{self, Points, Scored, Why};
use crate::options::{Incomplete, Level, Options, name_problems};
use crate::parts;
use crate::veto::{Barred, Said};

/// Scores rows. See the head of the crate.
pub struct Score {
    dimensions: Vec<Scored>,
    vetoes: Vec<Barred>,
    /// The columns it adds or fills, in this order.
    columns: Vec<(Column, ArrowField)>,
    decimals: u8,
    incomplete: Incomplete,
    unscored: Level,
    /// What the dimensions can give together.
    worth: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Score,
    Parts,
    Coverage,
    Vetoes,
}

impl OpenStage for Score {
    const NAME: &'static str = "score";
    const SUMMARY: &'static str = "scores rows by weighted dimensions and vetoes, and shows every part";
    const OPTION_SCHEMA: &'static str = include_str!("options.json");
    type Options = Options;

    fn open(
        options: Options,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let mut problems = name_problems(&options);
        let dimensions = each("dimensions", &options.dimensions, &mut problems, |dimension| {
            Scored::new(dimension, &input, &*host)
        });
        let vetoes = each("veto", &options.veto, &mut problems, |veto| Barred::new(veto, &input, &*host));
        let worth = worth(&options, &dimensions, &mut problems);
        let columns = columns(&options, &input, &mut problems);
        StageError::all(problems)?;
        let output = with_columns(&input, &columns);
        let stage = Self {
            dimensions,
            vetoes,
            columns,
            decimals: options.decimals,
            incomplete: options.incomplete,
            unscored: options.unscored,
            worth,
        };
        Ok((stage, output))
    }
}

/// Makes something of each option in a list; what is wrong goes to `problems` with its path.
fn each<O, T>(
    list: &str,
    options: &[O],
    problems: &mut Vec<Problem>,
    make: impl Fn(&O) -> Result<T, (&'static str, String)>,
) -> Vec<T> {
    let mut all = Vec::new();
    for (i, option) in options.iter().enumerate() {
        match make(option) {
            Ok(made) => all.push(made),
            Err((key, message)) => {
                let dot = if key.is_empty() { "" } else { "." };
                problems.push(Problem { path: format!("{list}[{i}]{dot}{key}"), message });
            }
        }
    }
    all
}

/// What the dimensions can give together. If one does not say, each counts by its weight.
fn worth(options: &Options, dimensions: &[Scored], problems: &mut Vec<Problem>) -> f64 {
    for (i, dimension) in options.dimensions.iter().enumerate() {
        if options.incomplete == Incomplete::Scale && dimension.points.is_some() && dimension.most.is_none() {
            let message = "`incomplete: scale` needs to know the most points this can give".to_owned();
            problems.push(Problem { path: format!("dimensions[{i}].most"), message });
        }
    }
    let known: Option<f64> = dimensions.iter().map(|d| d.worth).sum();
    known.unwrap_or_else(|| dimensions.iter().map(|d| d.weight).sum())
}

fn columns(options: &Options, input: &Schema, problems: &mut Vec<Problem>) -> Vec<(Column, ArrowField)> {
    let number = |name: &str| ArrowField::new(name, DataType::Float64, true);
    let mut all = vec![("output", Column::Score, number(&options.output))];
    if let Some(name) = options.parts.name("score_parts") {
        all.push(("parts", Column::Parts, json_field(name, true)));
    }
    if let Some(name) = options.coverage.name("score_coverage") {
        all.push(("coverage", Column::Coverage, number(name)));
    }
    if !options.veto.is_empty() {
        let list = ArrowField::new(&options.vetoes, FieldType::List.arrow(), true);
        all.push(("vetoes", Column::Vetoes, list));
    }
    for (i, (key, _, field)) in all.iter().enumerate() {
        let name = field.name();
        let mut problem = |message| problems.push(Problem { path: (*key).to_owned(), message });
        if name.is_empty() || name.starts_with('_') {
            problem(format!("`{name}` cannot name a column; names that begin with `_` are the engine's"));
        } else if all[..i].iter().any(|(_, _, other)| other.name() == name) {
            problem(format!("two columns would be named `{name}`"));
        } else if let Ok(there) = input.field_with_name(name)
            && there.data_type() != field.data_type()
        {
            let (found, needed) = (there.data_type(), field.data_type());
            problem(format!(
                "there is a column `{name}` already, of type {found}; make it {needed} or choose another name"
            ));
        }
    }
    all.into_iter().map(|(_, column, field)| (column, field)).collect()
}

/// A schema with the columns at its end. One that is there already keeps its place and description.
fn with_columns(schema: &SchemaRef, columns: &[(Column, ArrowField)]) -> SchemaRef {
    let added = columns.iter().filter(|(_, field)| schema.index_of(field.name()).is_err());
    let added = added.map(|(_, field)| FieldRef::new(field.clone()));
    let fields: Vec<FieldRef> = schema.fields.iter().cloned().chain(added).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata.clone()))
}

impl Stage for Score {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let rows = column(&batch, ROW)?.clone();
        let rows = rows.as_primitive_opt::<Int64Type>().filter(|rows| rows.null_count() == 0);
        let rows = rows.ok_or_else(|| StageError::new(format!("column `{ROW}` is not whole numbers")))?;
        let mut findings = Findings::none();
        let points = self
            .dimensions
            .iter()
            .map(|d| Ok((d, d.score(&batch)?)))
            .collect::<Result<Vec<_>, StageError>>()?;
        let said =
            self.vetoes.iter().map(|v| Ok((v, v.ask(&batch)?))).collect::<Result<Vec<_>, StageError>>()?;
        let points: Vec<(&Scored, &Points)> = points.iter().map(|(d, p)| (*d, p)).collect();
        let said: Vec<(&Barred, &Said)> = said.iter().map(|(v, s)| (*v, s)).collect();
        for (veto, said) in &said {
            veto.tell(said, &batch, rows.values(), &mut findings);
        }
        for (dimension, points) in &points {
            self.tell(dimension, points, &batch, rows.values(), &mut findings);
        }
        findings.0.sort_by_key(|finding| finding.row);
        let coverage = self.coverage(&points, batch.num_rows());
        let made = self.columns.iter().map(|(column, _)| match column {
            Column::Score => self.total(&points, &said, &coverage),
            Column::Parts => parts::column(&batch, &points, &said, self.decimals),
            Column::Coverage => {
                let rounded = coverage.iter().map(|share| parts::rounded(*share, 4));
                Arc::new(Float64Array::from_iter_values(rounded)) as ArrayRef
            }
            Column::Vetoes => vetoes(&said, batch.num_rows()),
        });
        let batch = self.put(&batch, made.collect())?;
        Ok(Outcome { batch, findings })
    }
}

impl Score {
    /// Adds a finding for each row that a dimension leaves unscored.
    fn tell(
        &self,
        dimension: &Scored,
        points: &Points,
        batch: &RecordBatch,
        rows: &[i64],
        findings: &mut Findings,
    ) {
        let (Some(severity), Some(scored)) = (self.unscored.0, &points.scored) else { return };
        let (name, title) = (&dimension.name, &dimension.title);
        for at in (!scored).set_indices() {
            let why = dimension.why(batch, points, at);
            let zh = match &why {
                Why::Missing(field) => format!("{}为空", dimension::title(batch, field)),
                Why::NoValue => "没有可评的数值".to_owned(),
                Why::NotListed(value) => format!("“{value}”不在评分表中"),
                Why::Failed(error) => format!("无法计算：{error}"),
            };
            let en = parts::reason(&why);
            let text = Text::new(
                format!("“{title}”未评分：{zh}；请补充后重报"),
                format!("dimension `{name}` is unscored: {en}; complete it and send it again"),
            );
            let mut finding = Finding::new(Some(rows[at]), severity, "unscored", text).with_raw(&**name);
            finding.field = match why {
                Why::Missing(field) => Some(field),
                _ => dimension.column().map(|at| batch.schema_ref().field(at).name().clone()),
            };
            findings.push(finding);
        }
    }

    /// The share of what can be given that was judged, by row.
    fn coverage(&self, points: &[(&Scored, &Points)], rows: usize) -> Vec<f64> {
        let by_worth = self.dimensions.iter().all(|d| d.worth.is_some());
        let mut coverage = vec![1.0; rows];
        if self.worth <= 0.0 {
            return coverage;
        }
        for (dimension, points) in points {
            let Some(scored) = &points.scored else { continue };
            let own = if by_worth { dimension.worth.unwrap_or(0.0) } else { dimension.weight };
            for at in (!scored).set_indices() {
                coverage[at] -= own / self.worth;
            }
        }
        coverage.iter_mut().for_each(|share| *share = share.max(0.0));
        coverage
    }

    fn total(&self, points: &[(&Scored, &Points)], said: &[(&Barred, &Said)], coverage: &[f64]) -> ArrayRef {
        let rows = coverage.len();
        let mut sums = vec![0.0; rows];
        let mut some = vec![false; rows];
        let mut all = vec![true; rows];
        for (dimension, points) in points {
            let weight = dimension.weight;
            match &points.scored {
                None => {
                    sums.iter_mut().zip(&points.points).for_each(|(sum, p)| *sum += weight * p);
                    some.fill(true);
                }
                Some(scored) => {
                    for (at, is) in scored.iter().enumerate() {
                        match is {
                            true => sums[at] += weight * points.points[at],
                            false => all[at] = false,
                        }
                        some[at] |= is;
                    }
                }
            }
        }
        let barred = |at: usize| said.iter().any(|(_, said)| said.holds.value(at));
        let mut column = Float64Builder::with_capacity(rows);
        for at in 0..rows {
            // A row of which nothing could be judged has no score, whatever is asked for.
            let score = match self.incomplete {
                _ if barred(at) => Some(0.0),
                _ if all[at] => Some(sums[at]),
                Incomplete::Sum if some[at] => Some(sums[at]),
                Incomplete::Scale if some[at] && coverage[at] > 1e-9 => Some(sums[at] / coverage[at]),
                _ => None,
            };
            let finite = score.filter(|score| score.is_finite());
            column.append_option(finite.map(|score| parts::rounded(score, self.decimals)));
        }
        Arc::new(column.finish())
    }

    /// The batch with the columns put in their places.
    fn put(&self, batch: &RecordBatch, made: Vec<ArrayRef>) -> Result<RecordBatch, StageError> {
        let mut all = batch.columns().to_vec();
        for ((_, field), array) in self.columns.iter().zip(made) {
            match batch.schema_ref().index_of(field.name()) {
                Ok(at) => all[at] = array,
                Err(_) => all.push(array),
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let schema = with_columns(batch.schema_ref(), &self.columns);
        Ok(RecordBatch::try_new_with_options(schema, all, &options)?)
    }
}

/// The names of the vetoes that hold, by row; an empty list where there is none.
fn vetoes(said: &[(&Barred, &Said)], rows: usize) -> ArrayRef {
    let item = ArrowField::new("item", DataType::Utf8, true);
    let mut column = ListBuilder::new(StringBuilder::new()).with_field(item);
    for at in 0..rows {
        for (veto, _) in said.iter().filter(|(_, said)| said.holds.value(at)) {
            column.values().append_value(&veto.name);
        }
        column.append(true);
    }
    Arc::new(column.finish())
}
