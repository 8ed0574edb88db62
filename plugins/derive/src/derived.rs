//! One computed column: its formula, what its value is turned into, and the rows for which there is none.

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options};
use arrow::datatypes::{DataType, Field as ArrowField, SchemaRef};
use huiliu_stage::{Field, FieldType, Formula, Host, StageError};

use crate::options::Column;

/// A formula and the column it fills.
pub(crate) struct Derived {
    formula: Formula,
    field: ArrowField,
}

/// The values of a batch, and the rows that have none though SQL gave a value or failed, with the reason.
pub(crate) struct Values {
    pub(crate) column: ArrayRef,
    pub(crate) failed: Vec<(usize, String)>,
}

impl Derived {
    /// Compiles against the columns there are so far. Gives the key that is wrong, and why.
    pub(crate) fn new(
        column: &Column,
        sql: &str,
        schema: &SchemaRef,
        host: &dyn Host,
    ) -> Result<Self, (&'static str, String)> {
        let formula = Formula::compile(host, sql, schema).map_err(|error| ("value", error.to_string()))?;
        let made = formula.data_type();
        let wanted = match column.kind {
            Some(kind) => kind.arrow(),
            None => plain(&made)
                .ok_or_else(|| ("value", format!("its value is of type {made}; say its `type`")))?,
        };
        if !can_cast_types(&made, &wanted) {
            return Err(("type", format!("a value of type {made} cannot become {wanted}")));
        }
        let field = described(column, wanted);
        Ok(Self { formula, field })
    }

    pub(crate) fn field(&self) -> &ArrowField {
        &self.field
    }

    /// The index of the first column that the formula names, for findings.
    pub(crate) fn source(&self) -> Option<usize> {
        self.formula.columns().first().copied()
    }

    /// The values of a batch.
    pub(crate) fn values(&self, batch: &RecordBatch) -> Result<Values, StageError> {
        let evaluated = self.formula.evaluate(batch).map_err(|error| StageError::new(error.to_string()))?;
        let mut failed = evaluated.failed;
        let made = evaluated.values;
        let lenient = CastOptions { safe: true, ..CastOptions::default() };
        let column = cast_with_options(&made, self.field.data_type(), &lenient)?;
        if column.null_count() > made.null_count() {
            let lost = (0..made.len()).filter(|at| made.is_valid(*at) && column.is_null(*at));
            failed.extend(lost.map(|at| (at, format!("it is no {}", self.field.data_type()))));
            failed.sort_by_key(|(at, _)| *at);
        }
        Ok(Values { column, failed })
    }
}

/// The column as an Arrow field, with what people call it.
pub(crate) fn described(column: &Column, data_type: DataType) -> ArrowField {
    let Some(kind) = KINDS.into_iter().find(|kind| kind.arrow() == data_type) else {
        return ArrowField::new(&column.name, data_type, true);
    };
    let field = Field {
        name: column.name.clone(),
        kind,
        label: column.label.clone(),
        unit: column.unit.clone(),
        ..Field::default()
    };
    field.to_arrow()
}

const KINDS: [FieldType; 8] = [
    FieldType::Text,
    FieldType::Integer,
    FieldType::Number,
    FieldType::Money,
    FieldType::Date,
    FieldType::Boolean,
    FieldType::List,
    FieldType::Timestamp,
];

/// The type of record columns that holds what SQL made, if there is one.
fn plain(made: &DataType) -> Option<DataType> {
    Some(match made {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        made if made.is_integer() => DataType::Int64,
        made if made.is_floating() => DataType::Float64,
        DataType::Decimal128(..) | DataType::Boolean | DataType::Date32 => made.clone(),
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(..) => FieldType::Timestamp.arrow(),
        DataType::List(_) | DataType::LargeList(_) => FieldType::List.arrow(),
        _ => return None,
    })
}
