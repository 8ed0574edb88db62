//! The domain's functions in expressions: `uscc_valid(x)`, `project_code_valid(x)`.
//!
//! The engine knows none of them; the plugins that own the rules lend them.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::DataType;
use huiliu_pipeline::expression::{Function, Functions};

/// The functions of SQL and of the domain.
pub(crate) fn functions() -> Arc<Functions> {
    let mut all = Functions::new();
    all.register(text_test("uscc_valid", huiliu_validate::uscc::is_valid));
    all.register(text_test("project_code_valid", huiliu_validate::project_code::is_valid));
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
