//! SQL rules over whole rows.
//!
//! SQL's own logic lets rows through: `NULL AND false` is false, `NULL OR true` is true, and a null is not
//! false, so a filter for broken rows misses it. Here a rule first looks whether the values it needs are
//! there; `missing` says what becomes of a row in which one is not (see [`Missing`]). A row for which SQL
//! still leaves the answer open (a function that gives null) is treated like one with a missing value,
//! and a row for which it cannot be computed (a division by zero) breaks the rule.
//!
//! A row with a cell that could not be read is passed over by each rule that names the cell: it is refused
//! anyway, and comes again when the cell is mended.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, SchemaRef};
use huiliu_stage::{
    Field, Finding, Findings, Formula, Host, Problem, Severity, StageError, Text, column_index, present,
};

use crate::options::{Missing, Options, RuleOptions};
use crate::tell::{Kind, Note, shortened, shown, title};
use crate::unreadable::Unreadable;

/// A rule, ready to judge batches.
pub(crate) struct Rule {
    id: String,
    check: Formula,
    when: Option<Formula>,
    needs: Vec<usize>,
    missing: Missing,
    severity: Severity,
    /// Column to point at.
    target: usize,
    text: Text,
    /// Columns that check and condition name.
    named: Vec<Named>,
}

struct Named {
    column: usize,
    field: String,
    title: String,
    personal: bool,
    /// `None` when findings `unchecked` are switched off.
    unchecked: Option<Note>,
}

/// The answers of one rule about a batch, a bit a row.
struct Answers {
    broken: BooleanBuffer,
    open: BooleanBuffer,
    /// Rows that could not be computed, and why.
    failed: HashMap<usize, String>,
}

impl Rule {
    /// The rules that the options ask for, and what is wrong with them.
    pub(crate) fn of(
        schema: &SchemaRef,
        options: &Options,
        host: &dyn Host,
        problems: &mut Vec<Problem>,
    ) -> Vec<Self> {
        let mut all = Vec::new();
        for (i, rule) in options.rules.iter().enumerate() {
            let mut own = Vec::new();
            if rule.id.is_empty() {
                own.push(("id", "a rule needs a name".to_owned()));
            } else if options.rules[..i].iter().any(|other| other.id == rule.id) {
                own.push(("id", format!("two rules are named `{}`; rename one", rule.id)));
            }
            let made = Self::new(rule, schema, options, host, &mut own);
            let path = |key| format!("rules[{i}].{key}");
            problems.extend(own.into_iter().map(|(key, message)| Problem { path: path(key), message }));
            all.extend(made);
        }
        all
    }

    pub(crate) fn new(
        rule: &RuleOptions,
        schema: &SchemaRef,
        options: &Options,
        host: &dyn Host,
        problems: &mut Vec<(&'static str, String)>,
    ) -> Option<Self> {
        let mut compile = |key, sql: &str| match Formula::compile(host, sql, schema) {
            Err(error) => {
                problems.push((key, error.to_string()));
                None
            }
            Ok(formula) if formula.data_type() != DataType::Boolean => {
                let found = formula.data_type();
                problems.push((key, format!("this gives {found}, a condition (true or false) is needed")));
                None
            }
            Ok(formula) => Some(formula),
        };
        let check = compile("check", &rule.check);
        let when = rule.when.as_ref().map(|sql| compile("when", sql));
        let mut index = |key, name: &String| {
            let found = column_index(schema, name);
            found.map_err(|error| problems.push((key, error.to_string()))).ok()
        };
        let target = rule.field.as_ref().map(|name| index("field", name));
        let needs: Option<Vec<Option<usize>>> =
            rule.needs.as_ref().map(|names| names.iter().map(|name| index("needs", name)).collect());
        let check = check?;
        if check.columns().is_empty() {
            problems.push(("check", "this names no column, so it says nothing about a row".to_owned()));
            return None;
        }
        let when = when.map_or(Some(None), |when| when.map(Some))?;
        let target = target.map_or(check.columns().first().copied(), |at| at)?;
        let needs = needs.map_or_else(|| Some(check.columns().to_vec()), |n| n.into_iter().collect())?;
        let by_itself = if check.handles_missing() { Missing::Sql } else { Missing::Report };
        let mut columns = check.columns().to_vec();
        columns.extend(when.iter().flat_map(|w| w.columns()).chain(&needs));
        let mut named: Vec<Named> = Vec::new();
        for column in columns {
            if !named.iter().any(|other| other.column == column) {
                named.push(Named::new(column, schema, options));
            }
        }
        Some(Self {
            text: rule.message.clone().unwrap_or_else(|| default_text(rule)),
            id: rule.id.clone(),
            missing: rule.missing.unwrap_or(by_itself),
            severity: rule.severity.0?,
            check,
            when,
            needs,
            target,
            named,
        })
    }

    /// Adds the rows that break the rule.
    pub(crate) fn judge(
        &self,
        batch: &RecordBatch,
        rows: &[i64],
        cells: &Unreadable,
        findings: &mut Findings,
    ) -> Result<(), StageError> {
        let answers = self.answers(batch)?;
        let readable =
            |at: usize| cells.is_empty() || !self.named.iter().any(|named| cells.has(&named.field, rows[at]));
        for at in answers.broken.set_indices().filter(|at| readable(*at)) {
            let why = answers.failed.get(&at).map(|error| could_not(error));
            findings.push(self.finding(batch, rows, at, why));
        }
        if self.missing == Missing::Pass && answers.failed.is_empty() {
            return Ok(());
        }
        for at in answers.open.set_indices().filter(|at| readable(*at)) {
            let absent = self.absent(batch, at);
            let why = match (absent, answers.failed.get(&at)) {
                (None, Some(error)) => could_not(error),
                _ if self.missing == Missing::Pass => continue,
                (absent, _) => not_there(absent),
            };
            if self.missing == Missing::Report && (absent.is_some() || !answers.failed.contains_key(&at)) {
                self.report(rows[at], absent, findings);
            } else {
                findings.push(self.finding(batch, rows, at, Some(why)));
            }
        }
        Ok(())
    }

    /// Which rows break the rule, and which it leaves open.
    fn answers(&self, batch: &RecordBatch) -> Result<Answers, StageError> {
        let len = batch.num_rows();
        let mut failed = HashMap::new();
        let mut ask = |formula: &Formula, there: Option<NullBuffer>| -> Result<_, StageError> {
            let found = formula.evaluate(batch)?;
            failed.extend(found.failed);
            let values = found
                .values
                .as_boolean_opt()
                .ok_or_else(|| StageError::new(format!("rule `{}` did not give a truth value", self.id)))?;
            let known = NullBuffer::union(values.nulls(), there.as_ref());
            let known = known.map_or_else(|| BooleanBuffer::new_set(len), |n| n.inner().clone());
            Ok((values.values().clone(), known))
        };
        let sql = self.missing == Missing::Sql;
        let there = if sql { None } else { present(batch, &self.needs) };
        let (value, known) = ask(&self.check, there)?;
        let (condition, condition_known) = match &self.when {
            None => (BooleanBuffer::new_set(len), BooleanBuffer::new_set(len)),
            Some(when) => {
                let there = if sql || when.handles_missing() { None } else { when.present(batch) };
                ask(when, there)?
            }
        };
        let not_for_it = &condition_known & &!&condition;
        let decided = &known & &condition_known;
        let (broken, open) = if sql {
            (&!&not_for_it & &!&(&known & &value), BooleanBuffer::new_unset(len))
        } else {
            (&(&decided & &condition) & &!&value, &!&not_for_it & &!&decided)
        };
        Ok(Answers { broken, open, failed })
    }

    /// The first column, of those whose absence leaves the rule open, that is missing in a row.
    fn absent(&self, batch: &RecordBatch, at: usize) -> Option<&Named> {
        let when = self.when.iter().flat_map(Formula::columns);
        let column = self.needs.iter().chain(when).find(|&&column| batch.column(column).is_null(at))?;
        self.named.iter().find(|named| named.column == *column)
    }

    fn report(&self, row: i64, absent: Option<&Named>, findings: &mut Findings) {
        let named = absent.or_else(|| self.named.iter().find(|named| named.column == self.target));
        let Some(note) = named.or(self.named.first()).and_then(|named| named.unchecked.as_ref()) else {
            return;
        };
        let Text { zh, en } = not_there(absent);
        let id = &self.id;
        let text = Text::new(
            format!("规则“{id}”未检查：{zh}；如有请补填"),
            format!("rule `{id}` was not checked: {en}; fill it in if you can"),
        );
        findings.push(note.about(row, text));
    }

    /// A finding that the rule is broken, with the values of the columns it names.
    fn finding(&self, batch: &RecordBatch, rows: &[i64], at: usize, why: Option<Text>) -> Finding {
        let mut text = self.text.clone();
        let (mut zh, mut en, mut raw) = (Vec::new(), Vec::new(), Vec::new());
        for named in self.named.iter().filter(|named| !named.personal) {
            let value = shown(batch, named.column, at);
            let short = if value.is_empty() { "—".to_owned() } else { shortened(&value, 40) };
            zh.push(format!("{}：{short}", named.title));
            en.push(format!("{}: {short}", named.field));
            raw.push(format!("{}={}", named.field, shortened(&value, 200)));
        }
        if let Some(why) = why {
            zh.push(why.zh);
            en.push(why.en);
        }
        if !zh.is_empty() {
            text.zh.push_str(&format!("（{}）", zh.join("，")));
        }
        if !text.en.is_empty() && !en.is_empty() {
            text.en.push_str(&format!(" ({})", en.join(", ")));
        }
        Finding::new(Some(rows[at]), self.severity, &*self.id, text)
            .with_field(batch.schema_ref().field(self.target).name())
            .with_raw(raw.join("; "))
    }
}

impl Named {
    fn new(column: usize, schema: &SchemaRef, options: &Options) -> Self {
        let field = schema.field(column);
        Self {
            column,
            field: field.name().clone(),
            title: title(field),
            personal: Field::of(field).is_some_and(|described| described.personal),
            unchecked: Note::new(options, field, Kind::Unchecked),
        }
    }
}

fn default_text(rule: &RuleOptions) -> Text {
    let (id, check) = (&rule.id, &rule.check);
    Text::new(
        format!("不符合规则“{id}”（{check}），请核对相关数据"),
        format!("rule `{id}` does not hold (`{check}`); please check the values"),
    )
}

fn could_not(error: &str) -> Text {
    Text::new(format!("无法计算：{error}"), format!("cannot be computed: {error}"))
}

fn not_there(absent: Option<&Named>) -> Text {
    match absent {
        Some(named) => Text::new(format!("{}为空", named.title), format!("{} is missing", named.field)),
        None => Text::new("结果不确定", "the answer is open"),
    }
}
