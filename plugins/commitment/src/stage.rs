//! The stage itself: options to a checked stage, batches to verdicts.

use std::sync::Arc;

use arrow::array::{
    Array, AsArray, BooleanArray, Date32Array, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field as ArrowField, Int64Type, Schema, SchemaRef};
use huiliu_stage::{
    Expression, Finding, Findings, Host, Level, OpenStage, Outcome, Problem, ROW, Stage, StageError,
    column_index,
};

use crate::applicant::{Credit, Refused};
use crate::calendar::{self, Calendar, Days, MOST_WORKDAYS};
use crate::columns::{Claims, Columns, Lists};
use crate::course::{Pace, Status};
use crate::judge::{Node, Papers, Terms, Verdict, judge};
use crate::materials::Wanted;
use crate::options::{CalendarOptions, NodeOptions, OPTION_SCHEMA, Options};
use crate::report;

const ADDED: [&str; 7] = [
    "commitment_status",
    "commitment_due",
    "commitment_missing",
    "commitment_since",
    "commitment_history",
    "commitment_nodes",
    "blocked_until",
];

/// The stage `commitment`.
pub struct Commitment {
    options: Options,
    nodes: Vec<(Node, Box<dyn Expression>)>,
    columns: Columns,
    row_column: usize,
    output: SchemaRef,
    host: Arc<dyn Host>,
    /// Days given in the options.
    given: Days,
    /// Made for each delivery, since a table may have been loaded anew.
    calendar: Option<Calendar>,
    /// Read for each delivery, as the calendar.
    credit: Credit,
    /// The last year for which the lack of a calendar was logged in this delivery.
    told: Option<String>,
}

impl OpenStage for Commitment {
    const NAME: &'static str = "commitment";
    const SUMMARY: &'static str =
        "checks each node's materials, and lets some be missing against a commitment with a deadline";
    const OPTION_SCHEMA: &'static str = OPTION_SCHEMA;
    type Options = Options;

    fn open(
        options: Options,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let mut problems = Vec::new();
        let nodes = nodes(&options, &input, &*host, &mut problems);
        let columns = Columns::find(&options, &input, &mut problems);
        let given = given_days(&options.calendar, &mut problems);
        check_limits(&options, &mut problems);
        for name in ADDED.into_iter().filter(|name| input.index_of(name).is_ok()) {
            let message =
                format!("the input has a column `{name}` already, which this stage adds; rename it");
            problems.push(Problem { path: String::new(), message });
        }
        StageError::all(problems)?;
        let columns = columns.ok_or_else(|| StageError::new("the columns were not found"))?;
        let row_column = column_index(&input, ROW)?;
        let output: SchemaRef = Arc::new(output(&input));
        let stage = Self {
            options,
            nodes,
            columns,
            row_column,
            output: output.clone(),
            host,
            given,
            calendar: None,
            credit: Credit::default(),
            told: None,
        };
        Ok((stage, output))
    }
}

impl Stage for Commitment {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let calendar = match self.calendar.take() {
            Some(calendar) => calendar,
            None => {
                self.credit = self.read_credit()?;
                self.make_calendar()?
            }
        };
        let outcome = self.judge_batch(&batch, &calendar);
        self.calendar = Some(calendar);
        outcome
    }

    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        (self.calendar, self.told) = (None, None);
        Ok(None)
    }
}

impl Commitment {
    fn judge_batch(&mut self, batch: &RecordBatch, calendar: &Calendar) -> Result<Outcome, StageError> {
        let claimed =
            self.nodes.iter().map(|(_, when)| claims(&**when, batch)).collect::<Result<Vec<_>, _>>()?;
        let materials = Lists::of(batch, self.columns.materials)?;
        let lists = |at: Option<usize>| at.map(|at| Lists::of(batch, at)).transpose();
        let promised = lists(self.columns.letters.map(|(open, _)| open))?;
        let handed_in = lists(self.columns.letters.and_then(|(_, done)| done))?;
        let commitments = self.columns.claim.as_ref().map(|at| Claims::of(batch, at)).transpose()?;
        let rows = batch.column(self.row_column).as_primitive_opt::<Int64Type>();
        let rows: &Int64Array =
            rows.ok_or_else(|| StageError::new("column `_row` does not hold row numbers"))?;
        let terms = Terms {
            limit: self.options.limit_workdays,
            default: self.options.default_workdays(),
            lead: self.options.handling_lead_workdays,
            pace: Pace {
                due_soon: self.options.due_soon_workdays,
                breach: self.options.breach_workdays,
                block_months: self.options.block_months,
            },
            extension: self.options.extension_workdays,
            calendar,
            today: self.host.today(),
        };
        let fields = self.fields();
        let mut findings = Findings::none();
        let mut added = Added::default();
        let mut unknown_year = None;
        let previous = self.columns.previous.and_then(|at| batch.column(at).as_string_opt::<i32>());
        let mut changed = Vec::with_capacity(batch.num_rows());
        let mut nodes: Vec<&Node> = Vec::new();
        let siblings = self.siblings(batch, commitments.as_ref());
        for row in 0..batch.num_rows() {
            nodes.clear();
            let all = self.nodes.iter().zip(&claimed);
            nodes.extend(
                all.filter(|(_, claimed)| claimed.is_valid(row) && claimed.value(row)).map(|(n, _)| &n.0),
            );
            let mut claim = commitments.as_ref().and_then(|commitments| commitments.get(row));
            if let Some(claim) = &mut claim {
                claim.known = self.known(batch, row, claim, &terms)?;
            }
            if nodes.is_empty() && claim.is_none() {
                added.nothing();
                changed.push(true);
                continue;
            }
            let of =
                |lists: &Option<Lists<'_>>| lists.as_ref().map(|lists| lists.plain(row)).unwrap_or_default();
            let mut papers = Papers { given: materials.plain(row), promised: of(&promised) };
            papers.given.extend(of(&handed_in));
            if let Some(claim) = &claim {
                papers.promised.extend(self.promised_otherwise(batch, row, claim, &terms, &siblings)?);
            }
            let verdict = judge(&nodes, &papers, claim.as_ref(), &terms);
            let status = verdict.status.as_str();
            if previous.is_some_and(|texts| texts.is_valid(row) && texts.value(row) == status) {
                changed.push(false);
                findings.0.push(report::unchanged(rows.value(row)));
                added.push(&verdict, &nodes);
                continue;
            }
            changed.push(true);
            let said = report::findings(
                rows.value(row),
                &nodes,
                claim.as_ref(),
                &verdict,
                &terms,
                &self.options.severity,
                &fields,
            );
            let before = findings.0.len();
            findings.extend(said);
            let refused = match &claim {
                Some(claim) => self.applicant(batch, row, claim, &verdict, &terms, &findings)?,
                None => Vec::new(),
            };
            let tell = |why: &Refused| {
                let finding =
                    Finding::new(Some(rows.value(row)), self.options.severity.applicant, "V19", why.text());
                finding.with_field(&*fields.date)
            };
            findings.extend(refused.iter().map(tell));
            report::take_back_acceptance(&mut findings.0, before);
            unknown_year = unknown_year.or(verdict.due.filter(|&due| !calendar.knows(due)));
            added.push(&verdict, &nodes);
        }
        let mut batch = added.onto(batch, &self.output)?;
        if changed.contains(&false) {
            batch = filter_record_batch(&batch, &BooleanArray::from(changed))?;
        }
        self.tell_unknown_year(unknown_year);
        Ok(Outcome { batch, findings })
    }

    /// The columns that findings point at.
    fn fields(&self) -> report::Fields<'_> {
        let names = self.options.commitment.as_ref();
        let date = names.map_or("", |names| &names.date);
        let or_date = |name: Option<&'_ String>| name.map_or_else(|| date.to_owned(), Clone::clone);
        report::Fields {
            no: or_date(names.and_then(|names| names.no.as_ref())),
            materials: &self.options.materials,
            date: date.to_owned(),
            deadline: or_date(names.and_then(|names| names.deadline.as_ref())),
            fulfilled: or_date(names.and_then(|names| names.fulfilled.as_ref())),
            extended_to: or_date(names.and_then(|names| names.extended_to.as_ref())),
        }
    }

    /// Tells the operator once a delivery that holidays of a year are not known.
    fn tell_unknown_year(&mut self, due: Option<i32>) {
        let Some(year) = due.map(|due| calendar::show(due).chars().take(4).collect::<String>()) else {
            return;
        };
        if self.told.as_ref() != Some(&year) {
            let line =
                format!("the calendar knows no holidays of {year}; working days are Monday to Friday there");
            self.host.log(Level::Warn, &line);
            self.told = Some(year);
        }
    }

    fn make_calendar(&self) -> Result<Calendar, StageError> {
        let mut days = self.given.clone();
        if let Some(name) = &self.options.calendar.table {
            let table = self.host.table(name)?;
            let fault = |what: String| StageError::at("calendar.table", format!("table `{name}`: {what}"));
            days.add(&table).map_err(fault)?;
        }
        Ok(Calendar::new(&days))
    }
}

/// The added columns while they are filled.
#[derive(Default)]
struct Added {
    status: Vec<&'static str>,
    due: Vec<Option<i32>>,
    missing: ListBuilder<StringBuilder>,
    since: Vec<Option<i32>>,
    history: ListBuilder<StringBuilder>,
    nodes: ListBuilder<StringBuilder>,
    blocked: Vec<Option<i32>>,
}

impl Added {
    fn nothing(&mut self) {
        self.status.push(Status::None.as_str());
        for days in [&mut self.due, &mut self.since, &mut self.blocked] {
            days.push(None);
        }
        for lists in [&mut self.missing, &mut self.history, &mut self.nodes] {
            lists.append_null();
        }
    }

    fn push(&mut self, verdict: &Verdict, nodes: &[&Node]) {
        self.status.push(verdict.status.as_str());
        self.due.push(verdict.due);
        match &verdict.missing {
            Some(missing) => self.missing.append_value(missing.iter().map(Some)),
            None => self.missing.append_null(),
        }
        self.since.push(verdict.steps.last().map(|(day, _)| *day));
        let step = |(day, status): &(i32, Status)| format!("{} {}", calendar::show(*day), status.as_str());
        match verdict.steps.is_empty() {
            true => self.history.append_null(),
            false => self.history.append_value(verdict.steps.iter().map(|taken| Some(step(taken)))),
        }
        let resting = verdict.resting.iter().filter_map(|&at| nodes.get(at));
        match verdict.resting.is_empty() {
            true => self.nodes.append_null(),
            false => self.nodes.append_value(resting.map(|node| Some(node.title.as_str()))),
        }
        self.blocked.push(verdict.blocked_until);
    }

    fn onto(mut self, batch: &RecordBatch, output: &SchemaRef) -> Result<RecordBatch, StageError> {
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(StringArray::from(self.status)));
        columns.push(Arc::new(Date32Array::from(self.due)));
        columns.push(Arc::new(self.missing.finish()));
        columns.push(Arc::new(Date32Array::from(self.since)));
        columns.push(Arc::new(self.history.finish()));
        columns.push(Arc::new(self.nodes.finish()));
        columns.push(Arc::new(Date32Array::from(self.blocked)));
        // The facts of the delivery ride on.
        let schema = Schema::new_with_metadata(output.fields.clone(), batch.schema_ref().metadata.clone());
        Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
    }
}

fn claims(when: &dyn Expression, batch: &RecordBatch) -> Result<BooleanArray, StageError> {
    let value = when.evaluate(batch)?;
    let claimed = value.as_boolean_opt().cloned();
    claimed.ok_or_else(|| StageError::new(format!("`when` gave {}, not a boolean", value.data_type())))
}

fn nodes(
    options: &Options,
    input: &SchemaRef,
    host: &dyn Host,
    problems: &mut Vec<Problem>,
) -> Vec<(Node, Box<dyn Expression>)> {
    if options.nodes.is_empty() && options.commitment.is_none() {
        let message = "give at least one node with its `when` and `required`".to_owned();
        problems.push(Problem { path: "nodes".to_owned(), message });
    }
    let mut nodes = Vec::new();
    for (i, node) in options.nodes.iter().enumerate() {
        let mut problem = |path: &str, message: String| {
            problems.push(Problem { path: format!("nodes[{i}].{path}"), message });
        };
        if options.nodes[..i].iter().any(|other| other.node == node.node) {
            problem("node", format!("two nodes are named `{}`; rename one", node.node));
        }
        if !node.may_be_missing.is_empty() && options.commitment.is_none() {
            let message =
                "materials may be missing only against a commitment; name its columns under `commitment`";
            problem("may_be_missing", message.to_owned());
        }
        let required = required(node, &mut problem);
        match host.compile(&node.when, input) {
            Err(error) => problem("when", error.to_string()),
            Ok(when) if when.data_type() != DataType::Boolean => {
                problem("when", format!("this is {}, a condition is needed", when.data_type()));
            }
            Ok(when) => {
                let title = if node.label.is_empty() { &node.node } else { &node.label };
                nodes.push((Node { title: title.clone(), required }, when));
            }
        }
    }
    nodes
}

fn required(node: &NodeOptions, problem: &mut impl FnMut(&str, String)) -> Vec<(Wanted, bool)> {
    if node.required.is_empty() {
        problem("required", "name at least one material".to_owned());
    }
    let mut required: Vec<(Wanted, bool)> = Vec::new();
    for (i, text) in node.required.iter().enumerate() {
        match Wanted::parse(text) {
            Some(wanted) => required.push((wanted, false)),
            None => problem(&format!("required[{i}]"), "name a material".to_owned()),
        }
    }
    for (i, text) in node.may_be_missing.iter().enumerate() {
        let wanted = Wanted::parse(text);
        match required.iter_mut().find(|(other, _)| wanted.as_ref().is_some_and(|wanted| wanted.is(other))) {
            Some((_, may_be_missing)) => *may_be_missing = true,
            None => {
                let message =
                    format!("`{text}` is not among the required materials: {}", node.required.join(", "));
                problem(&format!("may_be_missing[{i}]"), message);
            }
        }
    }
    required
}

fn given_days(options: &CalendarOptions, problems: &mut Vec<Problem>) -> Days {
    let mut parse = |key: &str, texts: &[String]| {
        let mut days = Vec::new();
        for (i, text) in texts.iter().enumerate() {
            match calendar::parse(text) {
                Ok(day) => days.push(day),
                Err(message) => problems.push(Problem { path: format!("calendar.{key}[{i}]"), message }),
            }
        }
        days
    };
    let (holidays, workdays) = (parse("holidays", &options.holidays), parse("workdays", &options.workdays));
    for day in workdays.iter().filter(|day| holidays.contains(day)) {
        let message = format!("{} is among the holidays too", calendar::show(*day));
        problems.push(Problem { path: "calendar.workdays".to_owned(), message });
    }
    Days { holidays, workdays, unannounced: Vec::new() }
}

fn check_limits(options: &Options, problems: &mut Vec<Problem>) {
    let mut problem = |path: &str, message: String| {
        problems.push(Problem { path: path.to_owned(), message });
    };
    if !(1..=MOST_WORKDAYS).contains(&options.limit_workdays) {
        problem("limit_workdays", format!("give 1 to {MOST_WORKDAYS} working days"));
    }
    if !(1..=options.limit_workdays).contains(&options.default_workdays()) {
        problem("default_workdays", format!("give 1 to {} (`limit_workdays`)", options.limit_workdays));
    }
}

fn output(input: &Schema) -> Schema {
    let item = Arc::new(ArrowField::new_list_field(DataType::Utf8, true));
    let mut fields: Vec<Arc<ArrowField>> = input.fields.iter().cloned().collect();
    fields.push(Arc::new(ArrowField::new(ADDED[0], DataType::Utf8, false)));
    fields.push(Arc::new(ArrowField::new(ADDED[1], DataType::Date32, true)));
    let list = DataType::List(item);
    for (name, kind) in
        ADDED.into_iter().skip(2).zip([&list, &DataType::Date32, &list, &list, &DataType::Date32])
    {
        fields.push(Arc::new(ArrowField::new(name, kind.clone(), true)));
    }
    Schema::new_with_metadata(fields, input.metadata.clone())
}

mod applicants;
#[cfg(test)]
mod tests;
