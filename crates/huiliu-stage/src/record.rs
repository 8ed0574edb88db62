//! The record schema: the fields of the records that a pipeline carries.
//!
//! Written in YAML by IT staff, it becomes an Arrow schema whose fields carry their own
//! description as metadata. So whoever holds a batch (the reader that names columns by alias, the
//! stage that checks constraints) needs nothing but the batch's schema.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::origin::{EXTRA, ROW, SHEET};

const FIELD: &str = "huiliu.field";

/// What kind of value a field holds, and so how its cells are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// Text, as sent (blanks at both ends taken off).
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// A number (double precision).
    Number,
    /// An amount, decimal with 4 places in the field's unit: units in headers and cells are converted.
    Money,
    /// A calendar day; month, quarter and year forms become their first day.
    Date,
    /// 是/否/√/×/有/无…; an empty cell is unknown, not false.
    Boolean,
    /// Texts separated by `、`, `,`, `，`, `;` or line breaks.
    List,
    /// A point in time.
    Timestamp,
}

impl FieldType {
    /// The Arrow type of the field's column.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Money => DataType::Decimal128(18, 4),
            Self::Date => DataType::Date32,
            Self::Boolean => DataType::Boolean,
            Self::List => DataType::List(Arc::new(ArrowField::new("item", DataType::Utf8, true))),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        }
    }
}

/// One field of a record schema.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Column name: lower case, digits, `_`; does not begin with `_`.
    pub name: String,
    /// What kind of value.
    #[serde(default, rename = "type")]
    pub kind: FieldType,
    /// What people call it; also recognised as a header.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Unit of the stored value, such as 万元 or 亩.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Other headers under which it is sent, besides those of the shipped dictionary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Whether a row without it is refused (checked by `validate`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Least value (numbers, amounts).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Greatest value (numbers, amounts).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Least number of characters (text).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<usize>,
    /// Greatest number of characters (text).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// Regular expression that the whole text must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The only values allowed (text; each item of a list).
    #[serde(default, rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Read strictly: numbers as plain digits (`12000.5`), no units, no thousands separators, no Chinese
    /// numerals. For data from programs, where leniency would hide a fault.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// An empty cell takes the value of the cell above it, as merged cells mean it. In a workbook whose column has merged
    /// cells only these are filled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fill_down: bool,
    /// The code of findings about this field's value (from the reader and from `validate`, except
    /// `required`) in place of the usual one, for those who count by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Personal data: masked in logs and in exports that do not ask for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub personal: bool,
}

impl Field {
    /// As an Arrow field that carries this description.
    pub fn to_arrow(&self) -> ArrowField {
        let description = serde_json::to_string(self).unwrap_or_default();
        ArrowField::new(&self.name, self.kind.arrow(), true)
            .with_metadata(HashMap::from([(FIELD.to_owned(), description)]))
    }

    /// The description that an Arrow field carries; `None` for a column that a stage added.
    pub fn of(field: &ArrowField) -> Option<Self> {
        serde_json::from_str(field.metadata().get(FIELD)?).ok()
    }

    /// What to call the field when talking to people: its label, else its name.
    pub fn title(&self) -> &str {
        if self.label.is_empty() { &self.name } else { &self.label }
    }
}

const FORMAT: &str = "huiliu.format";

/// A Utf8 column whose texts are JSON values. Sinks that speak JSON write them as they are, not quoted.
pub fn json_field(name: &str, nullable: bool) -> ArrowField {
    let json = HashMap::from([(FORMAT.to_owned(), "json".to_owned())]);
    ArrowField::new(name, DataType::Utf8, nullable).with_metadata(json)
}

/// Whether a column was made by [`json_field`].
pub fn is_json(field: &ArrowField) -> bool {
    field.metadata().get(FORMAT).is_some_and(|format| format == "json")
}

/// The fields of the records that a pipeline carries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSchema {
    /// Name of the record, such as `project`.
    pub record: String,
    /// What people call it, such as 重大项目.
    #[serde(default)]
    pub label: String,
    /// The fields, in the order in which sinks write them.
    pub fields: Vec<Field>,
}

impl RecordSchema {
    /// The schema of the batches that the reader makes: the fields, then `_sheet`, `_row`, `_extra`.
    pub fn to_arrow(&self) -> SchemaRef {
        let mut fields: Vec<ArrowField> = self.fields.iter().map(Field::to_arrow).collect();
        fields.push(ArrowField::new(SHEET, DataType::Utf8, false));
        fields.push(ArrowField::new(ROW, DataType::Int64, false));
        fields.push(json_field(EXTRA, true));
        Arc::new(Schema::new(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_travels_on_its_arrow_field() {
        let field = Field {
            name: "total_investment".into(),
            kind: FieldType::Money,
            label: "总投资".into(),
            unit: Some("万元".into()),
            required: true,
            min: Some(0.0),
            ..Field::default()
        };
        let arrow = field.to_arrow();
        assert_eq!(arrow.data_type(), &DataType::Decimal128(18, 4));
        assert_eq!(Field::of(&arrow), Some(field));
    }
}
