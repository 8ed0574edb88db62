//! The fields of the unified record, checked against the options when the stage is opened.

use arrow::datatypes::{DataType, Schema};
use huiliu_stage::{EXTRA, Field, Problem};

use crate::options::{MergeOptions, Options, Policy, default_tolerance, find};
use crate::policy::Choose;
use crate::value::may_be_kept;

/// A field of the unified record.
pub(crate) struct MergeField {
    pub(crate) name: String,
    pub(crate) title: String,
    /// The name as JSON, with its colon.
    pub(crate) json_name: String,
    pub(crate) column: usize,
    pub(crate) kind: DataType,
    pub(crate) choose: Choose,
}

/// The fields of the record: every column that is not the engine's, and what the schema does not know.
pub(crate) fn fields(
    options: Option<&MergeOptions>,
    input: &Schema,
    problems: &mut Vec<Problem>,
) -> Vec<MergeField> {
    let none = MergeOptions { tolerance: default_tolerance(), ..MergeOptions::default() };
    let options = options.unwrap_or(&none);
    if !matches!(options.default, Policy::Latest | Policy::First) {
        let message = "the default is `latest` or `first`; name other choices field by field".to_owned();
        problems.push(Problem { path: "merge.default".to_owned(), message });
    }
    if !(options.tolerance >= 0.0 && options.tolerance.is_finite()) {
        let message = "give a share of 0 or more, such as 0.005".to_owned();
        problems.push(Problem { path: "merge.tolerance".to_owned(), message });
    }
    for (name, policy) in &options.fields {
        let path = format!("merge.fields.{name}");
        let Some(at) = find(input, name, path.clone(), problems) else { continue };
        let kind = input.field(at).data_type();
        if let Some((word, why)) = Choose::mismatch(policy, kind) {
            let message = format!("`{word}` {why}; column `{name}` is {kind}");
            problems.push(Problem { path, message });
        }
    }
    let mut fields = Vec::new();
    for (column, field) in input.fields.iter().enumerate() {
        let (name, kind) = (field.name().clone(), field.data_type().clone());
        if name.starts_with('_') && name != EXTRA {
            continue;
        }
        if !may_be_kept(&kind) {
            let message = format!("column `{name}` is {kind}, which no record can hold");
            problems.push(Problem { path: String::new(), message });
        }
        let choose = match name == EXTRA {
            true => Choose::Object,
            false => options.fields.get(&name).map_or(Choose::By(options.default), Choose::of),
        };
        let title = Field::of(field).map_or_else(|| name.clone(), |described| described.title().to_owned());
        let json_name = format!("{}:", serde_json::Value::from(name.as_str()));
        fields.push(MergeField { name, title, json_name, column, kind, choose });
    }
    fields
}

/// The columns under `apart`.
pub(crate) fn apart(options: &Options, input: &Schema, problems: &mut Vec<Problem>) -> Vec<usize> {
    let mut columns = Vec::new();
    for (i, name) in options.apart.iter().enumerate() {
        let path = format!("apart[{i}]");
        let Some(at) = find(input, name, path.clone(), problems) else { continue };
        let kind = input.field(at).data_type();
        if kind != &DataType::Utf8 {
            let message = format!("column `{name}` is {kind}; discriminating words stand in texts");
            problems.push(Problem { path, message });
        }
        columns.push(at);
    }
    columns
}
