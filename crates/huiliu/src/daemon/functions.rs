//! The domain's functions in expressions: `uscc_valid(x)`, `project_code_valid(x)`, `workdays_between(a, b)`,
//! `add_workdays(d, n)`.
//!
//! The engine knows none of them; the plugins that own the rules lend them. Working days are those of the pipeline's
//! table [`HOLIDAYS`], so a pipeline that has one has functions of its own ([`with_calendar`]).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use huiliu_commitment::calendar::{Calendar, Days};
use huiliu_pipeline::expression::{Function, Functions};
use huiliu_pipeline::host::{NoTables, Tables};

/// The table that holds the calendar of working days.
pub(crate) const HOLIDAYS: &str = "holidays";

/// The functions of SQL and of the domain.
pub(crate) fn functions() -> Arc<Functions> {
    with_calendar(Arc::new(NoTables))
}

/// The same for a pipeline with these tables.
pub(crate) fn with_calendar(tables: Arc<dyn Tables>) -> Arc<Functions> {
    let mut all = Functions::new();
    all.register(text_test("uscc_valid", huiliu_validate::uscc::is_valid));
    all.register(text_test("project_code_valid", huiliu_validate::project_code::is_valid));
    let (day, count) = (DataType::Date32, DataType::Int64);
    all.register(workdays(
        "workdays_between",
        [day.clone(), day.clone()],
        count.clone(),
        tables.clone(),
        between,
    ));
    all.register(workdays("add_workdays", [day.clone(), count], day, tables, add));
    Arc::new(all)
}

/// A yes/no function of a text; of a missing text it is missing.
fn text_test(name: &str, test: fn(&str) -> bool) -> Function {
    let call = move |arguments: &[ArrayRef]| -> Result<ArrayRef, String> {
        let texts = arguments.first().and_then(|a| a.as_string_opt::<i32>()).ok_or("a text is needed")?;
        Ok(Arc::new(texts.iter().map(|text| text.map(test)).collect::<BooleanArray>()))
    };
    Function {
        name: name.to_owned(),
        arguments: vec![DataType::Utf8],
        returns: DataType::Boolean,
        call: Arc::new(call),
    }
}

/// What a function of working days does with its two columns.
type Count = fn(&Calendar, &dyn Array, &dyn Array) -> Option<ArrayRef>;

/// A function of two columns by the calendar as it is now; where one is missing, so is the value.
fn workdays(
    name: &str,
    arguments: [DataType; 2],
    returns: DataType,
    tables: Arc<dyn Tables>,
    count: Count,
) -> Function {
    let call = move |arguments: &[ArrayRef]| -> Result<ArrayRef, String> {
        let [first, second] = arguments else { return Err("two values are needed".to_owned()) };
        let told = |why: String| format!("working days are counted by the table `{HOLIDAYS}`: {why}");
        let mut days = Days::default();
        let table = tables.table(HOLIDAYS).map_err(|error| told(error.to_string()))?;
        days.add(&table).map_err(told)?;
        let value = count(&Calendar::new(&days), first, second);
        value.ok_or_else(|| "days and whole numbers are needed".to_owned())
    };
    Function { name: name.to_owned(), arguments: arguments.to_vec(), returns, call: Arc::new(call) }
}

fn between(calendar: &Calendar, from: &dyn Array, to: &dyn Array) -> Option<ArrayRef> {
    let (from, to) = (from.as_primitive_opt::<Date32Type>()?, to.as_primitive_opt::<Date32Type>()?);
    let counts = from.iter().zip(to.iter()).map(|(from, to)| Some(calendar.between(from?, to?)));
    Some(Arc::new(counts.collect::<Int64Array>()))
}

fn add(calendar: &Calendar, from: &dyn Array, count: &dyn Array) -> Option<ArrayRef> {
    let (from, count) = (from.as_primitive_opt::<Date32Type>()?, count.as_primitive_opt::<Int64Type>()?);
    let days = from.iter().zip(count.iter()).map(|(from, count)| {
        let (from, count) = (from?, count?);
        let steps = u32::try_from(count.unsigned_abs()).unwrap_or(u32::MAX);
        Some(if count < 0 { calendar.before(from, steps) } else { calendar.after(from, steps) })
    });
    Some(Arc::new(days.collect::<Date32Array>()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use arrow::datatypes::{Field, Schema};
    use arrow::record_batch::RecordBatch;
    use huiliu_pipeline::config::Table;
    use huiliu_pipeline::expression::compile;

    use super::*;
    use crate::daemon::plan_tables;

    /// The first value of an expression over one row: `day`, 2026-09-18, a Friday; `none`, nothing.
    fn value(sql: &str) -> Result<String, String> {
        let home = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells it");
        let csv = Path::new(&home).join("../../pipelines/profiles/holidays.csv");
        let table = Table { csv, query: None, optional: false, span: None };
        let functions = with_calendar(plan_tables(&[(HOLIDAYS.to_owned(), table)].into()));
        let date = |name| Field::new(name, DataType::Date32, true);
        let schema = Arc::new(Schema::new(vec![date("day"), date("none")]));
        let days: Vec<ArrayRef> =
            vec![Arc::new(Date32Array::from(vec![20_714])), Arc::new(Date32Array::from(vec![None]))];
        let batch = RecordBatch::try_new(schema.clone(), days).unwrap();
        let compiled = compile(sql, &schema, &functions).map_err(|error| error.to_string())?;
        let mut text = String::new();
        let value = compiled.evaluate(&batch).map_err(|error| error.to_string())?;
        huiliu_stage::json::write_value(&mut text, &value, 0, false);
        Ok(text)
    }

    #[test]
    fn working_days_are_those_of_the_shipped_calendar() {
        for (sql, expected) in [
            ("cast(day AS varchar)", "\"2026-09-18\""),
            ("add_workdays(day, 1)", "\"2026-09-20\""), // A Sunday that is worked for 国庆.
            ("add_workdays(day, 5)", "\"2026-09-24\""), // Before 中秋.
            ("add_workdays(day, 6)", "\"2026-09-28\""),
            ("add_workdays(day, 9)", "\"2026-10-08\""), // Over 国庆.
            ("add_workdays(day, 11)", "\"2026-10-10\""), // A Saturday that is worked.
            ("add_workdays(day, 0)", "\"2026-09-18\""),
            ("add_workdays(day, -5)", "\"2026-09-11\""),
            ("workdays_between(day, date '2026-10-08')", "9"),
            ("workdays_between(date '2026-10-08', day)", "-9"),
            ("workdays_between(day, none)", "null"),
            ("add_workdays(none, 3)", "null"),
        ] {
            assert_eq!(value(sql).as_deref(), Ok(expected), "{sql}");
        }
        assert!(value("add_workdays(day)").is_err());
    }

    #[test]
    fn without_a_calendar_it_is_told_where_to_put_one() {
        let schema = Arc::new(Schema::new(vec![Field::new("day", DataType::Date32, true)]));
        let error = compile("add_workdays(day, 5)", &schema, &functions()).err().unwrap().to_string();
        assert!(error.contains("working days are counted by the table `holidays`"), "{error}");
        assert!(error.contains("declared under `tables:`"), "{error}");
    }
}
