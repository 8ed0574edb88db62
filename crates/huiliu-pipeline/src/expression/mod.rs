//! SQL expressions over the columns of a batch: `completed <= total`, `0.4 * least(t / 300, 1)`.
//!
//! [`compile`] reads an expression, checks every name and type in it against a schema, simplifies it, and
//! tries it once; what it gives evaluates whole batches. The work is DataFusion's; its tables, aggregates
//! and executor are not here, and none of its types leave this module.
//!
//! Where SQL leaves room, the rules are those of people who check spreadsheets ([`types`]): a text is not
//! compared with a number, `0.15` beside an amount is exact, and a quotient of amounts is a number.
//! Null is SQL's: a comparison with a missing value is neither true nor false but null.

mod cache;
mod functions;
mod syntax;
mod types;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use datafusion_common::{DFSchema, DataFusionError};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_expr::simplify::SimplifyContext;
use datafusion_optimizer::simplify_expressions::ExprSimplifier;
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion_sql::planner::{PlannerContext, SqlToRel};
use huiliu_stage::{Expression, HostError};

pub use functions::{Call, Function, Functions};

/// Address space, not memory: only what is used is ever backed by it.
const COMPILE_STACK_BYTES: usize = 64 << 20;

/// Why an expression cannot be used. `Display` gives message and help in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// What is wrong; lower case, no full stop, names in backticks.
    pub message: String,
    /// How to mend it, if that is known.
    pub help: Option<String>,
}

impl ExpressionError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ExpressionError {}

/// What DataFusion complains of, without its prefixes and its hints to programmers.
impl From<DataFusionError> for ExpressionError {
    fn from(error: DataFusionError) -> Self {
        let text = error.find_root().message().into_owned();
        if text.contains("Divide by zero") {
            return Self::new("division by zero").with_help(Some("write `a / nullif(b, 0)`".into()));
        }
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        if text.contains("regex parse error") {
            let cause = lines().next_back().unwrap_or_default().trim_start_matches("error: ");
            return Self::new(format!("this is not a regular expression: {cause}"));
        }
        let text = lines().next().unwrap_or_default().trim_end_matches('.');
        if let Some(cause) = text.strip_prefix("Cast error: Cannot cast") {
            let help = "dates are written '2024-01-31'; `try_cast(… as …)` gives null where `cast` fails";
            return Self::new(format!("cannot convert{cause}")).with_help(Some(help.into()));
        }
        Self::new(text.chars().take(300).collect::<String>())
    }
}

/// Compiles an expression against a schema.
///
/// Batches given to the expression have the columns of the schema in its order.
///
/// # Errors
/// Syntax, unknown columns and functions (with the nearest that there is), types that do not go together,
/// and what a rule cannot do: look at other rows, ask for the time, or give a value that no column can hold.
pub fn compile(
    sql: &str,
    schema: &SchemaRef,
    functions: &Functions,
) -> Result<Box<dyn Expression>, ExpressionError> {
    // Names only: what columns carry along for stages (of which delivery they are, say) is no business of types.
    let bare: Vec<_> =
        schema.fields.iter().map(|field| field.as_ref().clone().with_metadata(Default::default())).collect();
    let bare = Arc::new(Schema::new(bare));
    if let Some(known) = functions.compiled.get(sql, &bare) {
        return Ok(Box::new(known));
    }
    let compiled = compile_apart(sql, &bare, functions)?;
    functions.compiled.put(sql, bare, compiled.clone());
    Ok(Box::new(compiled))
}

/// Compiles on a thread of its own.
fn compile_apart(sql: &str, schema: &SchemaRef, functions: &Functions) -> Result<Compiled, ExpressionError> {
    // No text may end the daemon, whatever parser and planner make of it. They go down the tree by
    // recursion, with large frames; how much stack the caller has left is not known here.
    let compiled = std::thread::scope(|scope| {
        let work = || compile_inner(sql, schema, functions);
        let thread = std::thread::Builder::new().name("compile".into()).stack_size(COMPILE_STACK_BYTES);
        thread.spawn_scoped(scope, work).map(|running| running.join())
    });
    match compiled {
        Ok(Ok(compiled)) => compiled,
        Ok(Err(_)) => Err(ExpressionError::new("this expression cannot be understood")),
        Err(error) => Err(ExpressionError::new(format!("no thread to compile in: {error}"))),
    }
}

fn compile_inner(sql: &str, schema: &SchemaRef, functions: &Functions) -> Result<Compiled, ExpressionError> {
    let parsed = syntax::parse(sql)?;
    syntax::check_names(&parsed, schema, functions)?;
    let known = Arc::new(DFSchema::try_from(schema.as_ref().clone())?);
    let expression = SqlToRel::new(functions).sql_to_expr(parsed, &known, &mut PlannerContext::new())?;
    let expression = types::settle(expression, &known)?;
    let context = SimplifyContext::builder()
        .with_schema(known.clone())
        .with_config_options(functions.options.clone())
        .build();
    let simplifier = ExprSimplifier::new(context);
    let expression = simplifier.simplify(simplifier.coerce(expression, &known)?)?;
    let planning = PhysicalPlanningContext::default();
    let physical = create_physical_expr(&expression, &known, &ExecutionProps::new(), &planning)?;
    let raw = physical.data_type(known.as_arrow())?;
    let data_type = result_type(&raw)?;
    let compiled = Compiled { physical, data_type, columns: schema.fields.len() };
    compiled.value(&one_row_of_nulls(schema)?)?;
    Ok(compiled)
}

/// The type that a column of a record can have for a value of type `raw`.
fn result_type(raw: &DataType) -> Result<DataType, ExpressionError> {
    use DataType as T;
    Ok(match raw {
        T::Utf8 | T::LargeUtf8 | T::Utf8View => T::Utf8,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => T::Int64,
        T::Float16 | T::Float32 | T::Float64 => T::Float64,
        T::Decimal128(..) | T::Boolean | T::Date32 => raw.clone(),
        T::Decimal32(precision, scale) | T::Decimal64(precision, scale) => T::Decimal128(*precision, *scale),
        T::Date64 => T::Date32,
        T::Timestamp(..) => T::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        T::Dictionary(_, value) => result_type(value)?,
        T::List(item) | T::LargeList(item) if result_type(item.data_type())? == T::Utf8 => {
            T::List(Arc::new(arrow::datatypes::Field::new("item", T::Utf8, true)))
        }
        T::Null => return Err(ExpressionError::new("this is always null")),
        other => {
            let message = format!("the value is of type {other}, which no column of a record can have");
            return Err(
                ExpressionError::new(message).with_help(Some("convert it with `cast(… as …)`".into()))
            );
        }
    })
}

/// Shows what only running shows: functions that refuse their constant arguments, say.
fn one_row_of_nulls(schema: &Schema) -> Result<RecordBatch, ExpressionError> {
    let nullable: Vec<_> =
        schema.fields.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let columns = nullable.iter().map(|field| new_null_array(field.data_type(), 1)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(nullable)), columns, &options)
        .map_err(|error| ExpressionError::new(error.to_string()))
}

#[derive(Clone)]
struct Compiled {
    physical: Arc<dyn PhysicalExpr>,
    data_type: DataType,
    columns: usize,
}

impl Compiled {
    fn value(&self, batch: &RecordBatch) -> Result<ArrayRef, ExpressionError> {
        if batch.num_columns() != self.columns {
            let (given, due) = (batch.num_columns(), self.columns);
            return Err(ExpressionError::new(format!(
                "the batch has {given} columns, the expression knows {due}"
            )));
        }
        let value = self.physical.evaluate(batch)?.into_array(batch.num_rows())?;
        if *value.data_type() == self.data_type {
            return Ok(value);
        }
        cast(&value, &self.data_type).map_err(|error| ExpressionError::new(error.to_string()))
    }
}

impl Expression for Compiled {
    fn data_type(&self) -> DataType {
        self.data_type.clone()
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, HostError> {
        match catch_unwind(AssertUnwindSafe(|| self.value(batch))) {
            Ok(value) => value.map_err(|error| HostError(error.to_string())),
            Err(_) => Err(HostError(format!("the expression `{}` failed", self.physical))),
        }
    }
}

#[cfg(test)]
mod tests;
