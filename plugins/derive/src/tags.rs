//! Tags: texts that rules add to a column of lists.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, ListBuilder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field as ArrowField, SchemaRef};
use huiliu_stage::{FieldType, Formula, Host, StageError};

use crate::options::Tag;

/// The rules of one column.
pub(crate) struct Tags {
    rules: Vec<(String, Formula)>,
}

impl Tags {
    /// Compiles the rules. Gives the path of each that is wrong, and why.
    pub(crate) fn new(
        tags: &[Tag],
        schema: &SchemaRef,
        host: &dyn Host,
    ) -> Result<Self, Vec<(String, String)>> {
        let (mut rules, mut wrong) = (Vec::new(), Vec::new());
        for (i, tag) in tags.iter().enumerate() {
            if tag.tag.trim().is_empty() {
                wrong.push((format!("tags[{i}].tag"), "an empty text is no tag".to_owned()));
            }
            match Formula::compile(host, &tag.when, schema) {
                Ok(formula) if formula.data_type() == DataType::Boolean => {
                    rules.push((tag.tag.clone(), formula));
                }
                Ok(formula) => {
                    let why = format!("it must be true or false, and is of type {}", formula.data_type());
                    wrong.push((format!("tags[{i}].when"), why));
                }
                Err(error) => wrong.push((format!("tags[{i}].when"), error.to_string())),
            }
        }
        if wrong.is_empty() { Ok(Self { rules }) } else { Err(wrong) }
    }

    /// What is there, with the tags of each row behind it. A rule that fails on a row gives it no tag.
    pub(crate) fn add(&self, batch: &RecordBatch, there: Option<&ArrayRef>) -> Result<ArrayRef, StageError> {
        let mut said = Vec::new();
        for (tag, formula) in &self.rules {
            let evaluated = formula.evaluate(batch).map_err(|error| StageError::new(error.to_string()))?;
            said.push((tag, evaluated.values));
        }
        let there = there.and_then(|column| column.as_list_opt::<i32>());
        let item = ArrowField::new("item", DataType::Utf8, true);
        let mut column = ListBuilder::new(StringBuilder::new()).with_field(item);
        for row in 0..batch.num_rows() {
            let mut items = items(there, row);
            let known = items.is_some();
            for (tag, holds) in &said {
                let holds =
                    holds.as_boolean_opt().is_some_and(|holds| holds.is_valid(row) && holds.value(row));
                let items = items.get_or_insert_with(Vec::new);
                if holds && !items.contains(tag) {
                    items.push((*tag).clone());
                }
            }
            let items = items.filter(|items| known || !items.is_empty());
            match items {
                Some(items) => column.append_value(items.into_iter().map(Some)),
                None => column.append(false),
            }
        }
        Ok(Arc::new(column.finish()))
    }
}

/// The type of a column of tags.
pub(crate) fn data_type() -> DataType {
    FieldType::List.arrow()
}

fn items(there: Option<&ListArray>, row: usize) -> Option<Vec<String>> {
    let list = there.filter(|lists| lists.is_valid(row))?.value(row);
    let texts = list.as_string_opt::<i32>()?;
    Some(texts.iter().flatten().map(str::to_owned).collect())
}
