//! The functions that expressions may call: those of SQL, and what the daemon adds.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DataFusionError, Result as FusionResult, not_impl_err};
use datafusion_expr::planner::{ContextProvider, ExprPlanner};
use datafusion_expr::{
    AggregateUDF, ColumnarValue, HigherOrderUDF, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TableSource, Volatility, WindowUDF,
};
use datafusion_functions::{core, datetime, math, regex, string, unicode};
use datafusion_functions_nested as lists;

use super::cache::Cache;

/// Left out: the same delivery must give the same result, and a rule sees nothing but its row.
const LEFT_OUT: &[&str] = &[
    "now",
    "current_timestamp",
    "current_date",
    "today",
    "current_time",
    "random",
    "rand",
    "uuid",
    "version",
    "input_file_name",
    "file_row_index",
    "arrow_metadata",
    "with_metadata",
    "arrow_field",
];

/// What a function of the daemon does, on whole columns of one length.
pub type Call = Arc<dyn Fn(&[ArrayRef]) -> Result<ArrayRef, String> + Send + Sync>;

/// A function that the daemon adds, such as `uscc_valid(x)`.
#[derive(Clone)]
pub struct Function {
    /// Its name in expressions, lower case.
    pub name: String,
    /// The types of its arguments; others are converted where that loses nothing.
    pub arguments: Vec<DataType>,
    /// The type of its value.
    pub returns: DataType,
    /// What it does. Given arrays of the argument types, all of one length; gives one as long.
    pub call: Call,
}

/// The functions that expressions may call.
pub struct Functions {
    by_name: HashMap<String, Arc<ScalarUDF>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
    pub(super) options: Arc<ConfigOptions>,
    pub(super) compiled: Cache,
}

impl Functions {
    /// The functions of SQL: text, regular expressions, dates, mathematics, `coalesce` and its like, and
    /// those by which a list is asked for its items.
    pub fn new() -> Self {
        let all = [
            core::functions(),
            string::functions(),
            unicode::functions(),
            regex::functions(),
            datetime::functions(),
            math::functions(),
            vec![
                lists::array_has::array_has_udf(),
                lists::array_has::array_has_all_udf(),
                lists::array_has::array_has_any_udf(),
                lists::length::array_length_udf(),
                lists::string::array_to_string_udf(),
                lists::make_array::make_array_udf(),
            ],
        ];
        let mut by_name = HashMap::new();
        for function in all.into_iter().flatten() {
            for name in function.aliases().iter().map(String::as_str).chain([function.name()]) {
                if !LEFT_OUT.contains(&name) {
                    by_name.insert(name.to_owned(), function.clone());
                }
            }
        }
        let planners: Vec<Arc<dyn ExprPlanner>> = vec![
            Arc::new(core::planner::CoreFunctionPlanner::default()),
            Arc::new(datetime::planner::DatetimeFunctionPlanner),
            Arc::new(unicode::planner::UnicodeFunctionPlanner),
        ];
        Self { by_name, planners, options: Arc::new(ConfigOptions::default()), compiled: Cache::default() }
    }

    /// Adds a function; one of the same name is replaced.
    pub fn register(&mut self, function: Function) {
        let name = function.name.clone();
        self.compiled.clear();
        self.by_name.insert(name, Arc::new(ScalarUDF::from(Added::from(function))));
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub(super) fn left_out(name: &str) -> bool {
        LEFT_OUT.contains(&name)
    }
}

impl Default for Functions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// The planner asks for tables, aggregates and windows too; there are none.
impl ContextProvider for Functions {
    fn get_table_source(&self, _: datafusion_common::TableReference) -> FusionResult<Arc<dyn TableSource>> {
        not_impl_err!("an expression sees no tables")
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.by_name.get(name).cloned()
    }

    fn get_higher_order_meta(&self, _: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, _: &str) -> Option<Arc<AggregateUDF>> {
        None
    }

    fn get_window_meta(&self, _: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.by_name.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The argument types of a function that the daemon added; `None` for those of SQL.
pub(super) fn declared(function: &ScalarUDF) -> Option<&[DataType]> {
    function.inner().downcast_ref::<Added>().map(|added| &*added.arguments)
}

/// A function of the daemon as DataFusion sees it.
struct Added {
    name: String,
    arguments: Vec<DataType>,
    signature: Signature,
    returns: DataType,
    call: Call,
}

impl From<Function> for Added {
    fn from(function: Function) -> Self {
        let Function { name, arguments, returns, call } = function;
        let signature = match arguments.is_empty() {
            true => Signature::nullary(Volatility::Immutable),
            false => Signature::exact(arguments.clone(), Volatility::Immutable),
        };
        Self { name, arguments, signature, returns, call }
    }
}

impl PartialEq for Added {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.call, &other.call)
    }
}

impl Eq for Added {}

impl std::hash::Hash for Added {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl ScalarUDFImpl for Added {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> FusionResult<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> FusionResult<ColumnarValue> {
        let rows = args.number_rows;
        let columns: Vec<ArrayRef> =
            args.args.into_iter().map(|arg| arg.into_array(rows)).collect::<FusionResult<_>>()?;
        let value = (self.call)(&columns)
            .map_err(|error| DataFusionError::Execution(format!("`{}`: {error}", self.name)))?;
        if value.len() != rows || *value.data_type() != self.returns {
            let got = format!("{} values of {}", value.len(), value.data_type());
            let message = format!("`{}` gave {got}; {rows} of {} were due", self.name, self.returns);
            return Err(DataFusionError::Execution(message));
        }
        Ok(ColumnarValue::Array(value))
    }
}
