//! The stage `filter`: the rows for which a condition is true go on, the others are left out and told.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use huiliu_stage::{
    Fate, Finding, Findings, Formula, Host, OpenStage, Outcome, ROW, Severity, Stage, StageError, Text,
    column,
};
use serde::Deserialize;

/// `filter: {keep: "project_type = '产业'"}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterOptions {
    /// SQL that is true for the rows that go on.
    pub keep: String,
    /// What the sender of a row that is left out is told.
    pub message: Option<Text>,
    /// The code under which it is told.
    #[serde(default = "code")]
    pub code: String,
}

fn code() -> String {
    "left-aside".to_owned()
}

/// Lets rows pass. See the head of the crate.
pub struct Filter {
    keep: Formula,
    message: Text,
    code: String,
}

impl OpenStage for Filter {
    const NAME: &'static str = "filter";
    const SUMMARY: &'static str = "lets the rows pass for which a condition is true";
    const OPTION_SCHEMA: &'static str = include_str!("filter.json");
    type Options = FilterOptions;

    fn open(
        options: FilterOptions,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError> {
        let keep = Formula::compile(&*host, &options.keep, &input)
            .map_err(|error| StageError::at("keep", error.to_string()))?;
        if keep.data_type() != DataType::Boolean {
            let why = format!("it must be true or false, and is of type {}", keep.data_type());
            return Err(StageError::at("keep", why));
        }
        let message = options.message.unwrap_or_else(|| {
            let sql = &options.keep;
            Text::new(
                format!("不属于本清单的范围（{sql}），未收录"),
                format!("left out: not true that {sql}"),
            )
        });
        Ok((Self { keep, message, code: options.code }, input))
    }
}

impl Stage for Filter {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let rows = column(&batch, ROW)?.as_primitive_opt::<Int64Type>();
        let rows = rows.ok_or_else(|| StageError::new(format!("column `{ROW}` is not whole numbers")))?;
        let evaluated = self.keep.evaluate(&batch).map_err(|error| StageError::new(error.to_string()))?;
        let said = evaluated.values.as_boolean_opt();
        let said = said.ok_or_else(|| StageError::new("the condition gave no truth values"))?;
        let mut failed = evaluated.failed.into_iter().peekable();
        let mut findings = Findings::none();
        // A row that cannot be judged comes out too, and is refused for its finding.
        let mut passes = Vec::with_capacity(batch.num_rows());
        for at in 0..batch.num_rows() {
            let row = Some(rows.value(at));
            if let Some((_, why)) = failed.next_if(|(failed, _)| *failed == at) {
                let text = Text::new(
                    format!("无法判断本行是否属于清单范围（{why}）；请检查本行数据"),
                    format!("it cannot be told whether the row belongs here ({why}); check the row"),
                );
                findings.push(Finding::new(row, Severity::Error, "undecided", text));
                passes.push(true);
                continue;
            }
            let holds = said.is_valid(at) && said.value(at);
            if !holds {
                let finding = Finding::new(row, Severity::Info, self.code.clone(), self.message.clone());
                findings.push(finding.with_fate(Fate::Dropped));
            }
            passes.push(holds);
        }
        let batch = match findings.0.is_empty() {
            true => batch,
            false => filter_record_batch(&batch, &BooleanArray::from(passes))?,
        };
        Ok(Outcome { batch, findings })
    }
}
