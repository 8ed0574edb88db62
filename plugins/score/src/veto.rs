//! Vetoes: conditions that make a score 0.
//!
//! SQL's logic of three values is right here: what is true whatever the missing values are is a veto,
//! what is false whatever they are is none, and the rest is told as undecided, never passed in silence.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, SchemaRef};
use huiliu_stage::{Finding, Findings, Formula, Host, Severity, StageError, Text};

use crate::dimension::title;
use crate::options::Veto;

/// A veto, ready to look at batches.
pub(crate) struct Barred {
    pub(crate) name: String,
    formula: Formula,
    severity: Option<Severity>,
    text: Text,
}

/// What a veto says of a batch, a bit a row.
pub(crate) struct Said {
    pub(crate) holds: BooleanBuffer,
    pub(crate) open: BooleanBuffer,
    failed: HashMap<usize, String>,
}

impl Barred {
    /// # Errors
    /// The key of the veto that is wrong, and why.
    pub(crate) fn new(
        veto: &Veto,
        schema: &SchemaRef,
        host: &dyn Host,
    ) -> Result<Self, (&'static str, String)> {
        let formula = Formula::compile(host, &veto.when, schema).map_err(|e| ("when", e.to_string()))?;
        let found = formula.data_type();
        if found != DataType::Boolean {
            return Err(("when", format!("this gives {found}, a condition (true or false) is needed")));
        }
        let name = &veto.name;
        let text = veto.message.clone().unwrap_or_else(|| {
            Text::new(
                format!("触发一票否决“{name}”（{}），评分记为0", veto.when),
                format!("veto `{name}` holds (`{}`), so the score is 0", veto.when),
            )
        });
        Ok(Self { name: name.clone(), formula, severity: veto.severity.0, text })
    }

    /// Asks for every row.
    pub(crate) fn ask(&self, batch: &RecordBatch) -> Result<Said, StageError> {
        let found = self.formula.evaluate(batch)?;
        let values = found.values.as_boolean_opt();
        let values = values
            .ok_or_else(|| StageError::new(format!("veto `{}` did not give a truth value", self.name)))?;
        let (holds, open) = match values.nulls() {
            None => (values.values().clone(), BooleanBuffer::new_unset(values.len())),
            Some(nulls) => (values.values() & nulls.inner(), !nulls.inner()),
        };
        Ok(Said { holds, open, failed: found.failed.into_iter().collect() })
    }

    /// Adds a finding for each row that is barred or left open.
    pub(crate) fn tell(&self, said: &Said, batch: &RecordBatch, rows: &[i64], findings: &mut Findings) {
        let field = |at: Option<usize>| at.map(|at| batch.schema_ref().field(at).name().clone());
        let first = field(self.formula.columns().first().copied());
        if let Some(severity) = self.severity {
            for at in said.holds.set_indices() {
                let mut finding = Finding::new(Some(rows[at]), severity, &*self.name, self.text.clone());
                finding.field = first.clone();
                findings.push(finding);
            }
        }
        for at in said.open.set_indices() {
            let missing = self.formula.columns().iter().find(|&&column| batch.column(column).is_null(at));
            let missing = field(missing.copied());
            let name = &self.name;
            let (zh, en) = match (&missing, said.failed.get(&at)) {
                (Some(field), _) => (format!("{}为空", title(batch, field)), format!("{field} is missing")),
                (None, Some(error)) => {
                    (format!("无法计算：{error}"), format!("it cannot be computed: {error}"))
                }
                (None, None) => ("结果不确定".to_owned(), "the answer is open".to_owned()),
            };
            let text = Text::new(
                format!("一票否决“{name}”未能判定（{zh}），请补充数据后复核"),
                format!("veto `{name}` is undecided ({en}); complete the data and look again"),
            );
            let mut finding = Finding::new(Some(rows[at]), Severity::Warning, "veto_undecided", text);
            finding.field = missing.or_else(|| first.clone());
            findings.push(finding);
        }
    }
}
