//! A SQL expression that knows which columns it reads, and so what a missing value does to it.
//!
//! SQL alone lets a missing value through: `NULL AND false` is false, `NULL OR true` is true,
//! `least(NULL, 10)` is 10. So whoever judges a row by an expression asks [`Formula::present`] first:
//! it tells the rows in which every column that the text names has a value. A text that itself speaks
//! of missing values (`IS NULL`, `COALESCE`, …) has taken the matter into its own hands
//! ([`Formula::handles_missing`]).
//!
//! An expression that cannot be computed for some row (a division by zero, a cast that fails) is an
//! error for the whole batch. [`Formula::evaluate`] finds the rows to blame and answers for the others.

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::concat;
use arrow::datatypes::{DataType, Schema, SchemaRef};

use crate::{Expression, Host, HostError};

/// A compiled expression and the columns it names.
pub struct Formula {
    expression: Box<dyn Expression>,
    columns: Vec<usize>,
    handles_missing: bool,
}

/// The values of a formula, and the rows for which there is none because the computation failed.
pub struct Evaluated {
    /// As long as the batch; null where the computation failed.
    pub values: ArrayRef,
    /// Index and reason of each row whose computation failed, in row order; nearly always empty.
    pub failed: Vec<(usize, String)>,
}

impl Formula {
    /// Compiles `sql` against a schema.
    pub fn compile(host: &dyn Host, sql: &str, schema: &SchemaRef) -> Result<Self, HostError> {
        let expression = host.compile(sql, schema)?;
        let words = words(sql);
        Ok(Self { expression, columns: columns(&words, schema), handles_missing: handles_missing(&words) })
    }

    /// The type of its value.
    pub fn data_type(&self) -> DataType {
        self.expression.data_type()
    }

    /// Indices of the columns that the text names, in the order in which it names them.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Whether the text itself says what becomes of a missing value.
    pub fn handles_missing(&self) -> bool {
        self.handles_missing
    }

    /// The rows in which every named column has a value; `None` when that is all of them.
    pub fn present(&self, batch: &RecordBatch) -> Option<NullBuffer> {
        present(batch, &self.columns)
    }

    /// The value for every row for which there is one.
    ///
    /// # Errors
    /// When the expression fails even on no rows, so that no row is to blame.
    pub fn evaluate(&self, batch: &RecordBatch) -> Result<Evaluated, HostError> {
        match self.expression.evaluate(batch) {
            Ok(values) => Ok(Evaluated { values, failed: Vec::new() }),
            Err(_) => {
                self.expression.evaluate(&batch.slice(0, 0))?;
                let (mut parts, mut failed) = (Vec::new(), Vec::new());
                self.halve(batch, 0, &mut parts, &mut failed);
                let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
                let values = concat(&parts).map_err(|error| HostError(error.to_string()))?;
                Ok(Evaluated { values, failed })
            }
        }
    }

    /// Halves a batch that failed until the rows to blame stand alone.
    fn halve(
        &self,
        batch: &RecordBatch,
        start: usize,
        parts: &mut Vec<ArrayRef>,
        failed: &mut Vec<(usize, String)>,
    ) {
        match self.expression.evaluate(batch) {
            Ok(values) => parts.push(values),
            Err(error) if batch.num_rows() <= 1 => {
                failed.push((start, error.to_string()));
                parts.push(new_null_array(&self.data_type(), batch.num_rows()));
            }
            Err(_) => {
                let half = batch.num_rows() / 2;
                self.halve(&batch.slice(0, half), start, parts, failed);
                self.halve(&batch.slice(half, batch.num_rows() - half), start + half, parts, failed);
            }
        }
    }
}

/// The rows in which all of `columns` have a value; `None` when that is every row.
pub fn present(batch: &RecordBatch, columns: &[usize]) -> Option<NullBuffer> {
    let nulls = columns.iter().filter_map(|&at| batch.columns().get(at)?.nulls());
    nulls.filter(|n| n.null_count() > 0).fold(None, |all, n| NullBuffer::union(all.as_ref(), Some(n)))
}

/// A word of an expression: a keyword, a function's or a column's name.
struct Word {
    /// In lower case unless quoted, as SQL reads it.
    text: String,
    quoted: bool,
    /// Whether `(` follows.
    called: bool,
}

/// The words of an expression; texts, numbers, comments and operators are passed over.
fn words(sql: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        if first == '\'' || first == '"' {
            let (inside, tail) = quoted(after, first);
            if first == '"' {
                found.push(Word { text: inside, quoted: true, called: false });
            }
            rest = tail;
        } else if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let called = rest[end..].trim_start().starts_with('(');
            if !first.is_numeric() {
                found.push(Word { text: rest[..end].to_lowercase(), quoted: false, called });
            }
            rest = &rest[end..];
        } else {
            rest = after;
        }
    }
    found
}

/// What stands up to the closing `quote` (doubled, it stands for itself), and the text behind it.
fn quoted(mut text: &str, quote: char) -> (String, &str) {
    let mut inside = String::new();
    while let Some(end) = text.find(quote) {
        inside.push_str(&text[..end]);
        text = &text[end + quote.len_utf8()..];
        match text.strip_prefix(quote) {
            Some(more) => {
                inside.push(quote);
                text = more;
            }
            None => return (inside, text),
        }
    }
    (inside + text, "")
}

fn columns(words: &[Word], schema: &Schema) -> Vec<usize> {
    let mut all = Vec::new();
    for word in words.iter().filter(|w| w.quoted || !w.called) {
        if let Ok(at) = schema.index_of(&word.text)
            && !all.contains(&at)
        {
            all.push(at);
        }
    }
    all
}

/// `x IS [NOT] NULL`, `IS TRUE`, `IS DISTINCT FROM`, `COALESCE(…)` and their like.
fn handles_missing(words: &[Word]) -> bool {
    const CALLS: [&str; 4] = ["coalesce", "ifnull", "nvl", "nvl2"];
    words.iter().any(|w| !w.quoted && (w.text == "is" || (w.called && CALLS.contains(&w.text.as_str()))))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::{Field, Int64Type};

    use super::*;
    use crate::testing::MemoryHost;

    fn schema() -> SchemaRef {
        let number = |name| Field::new(name, DataType::Int64, true);
        Arc::new(Schema::new(vec![number("a"), number("b"), number("least")]))
    }

    #[test]
    fn a_formula_knows_the_columns_it_names_and_whether_it_speaks_of_missing_values() {
        let table: [(&str, &[usize], bool); 9] = [
            ("a <= b", &[0, 1], false),
            ("B * 2 > A", &[1, 0], false),
            (r#""b" > 1 AND "B" > 2"#, &[1], false),
            ("least(a, 10)", &[0], false), // A function is not the column of its name.
            ("least > 0", &[2], false),
            ("x = 'a''b' /* b */ -- b\n OR a > 0", &[0], false),
            ("a IS NOT NULL AND b > 1", &[0, 1], true),
            ("coalesce (a, 0) < 1e5", &[0], true),
            ("1 < 2 AND 'a is null' = ''", &[], false),
        ];
        for (sql, expected, speaks) in table {
            let words = words(sql);
            assert_eq!(columns(&words, &schema()), expected, "{sql}");
            assert_eq!(handles_missing(&words), speaks, "{sql}");
        }
    }

    /// 10 / a, which refuses a batch with a zero as a whole.
    struct Tenth;

    impl Expression for Tenth {
        fn data_type(&self) -> DataType {
            DataType::Int64
        }

        fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, HostError> {
            let a = batch.column(0).as_primitive::<Int64Type>();
            match a.iter().any(|v| v == Some(0)) {
                true => Err(HostError("divide by zero".into())),
                false => Ok(Arc::new(a.unary::<_, Int64Type>(|v| 10 / v.max(1)))),
            }
        }
    }

    #[test]
    fn a_row_that_cannot_be_computed_does_not_take_the_others_with_it() {
        let mut host = MemoryHost::default();
        host.compiler = Some(Box::new(|_, _| Ok(Box::new(Tenth))));
        let formula = Formula::compile(&host, "10 / a", &schema()).unwrap();
        let a: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), Some(0), None, Some(2), Some(0)]));
        let batch = RecordBatch::try_new(schema(), vec![a.clone(), a.clone(), a]).unwrap();
        let found = formula.evaluate(&batch).unwrap();
        let values: Vec<_> = found.values.as_primitive::<Int64Type>().iter().collect();
        assert_eq!(values, [Some(2), None, None, Some(5), None]);
        let rows: Vec<usize> = found.failed.iter().map(|(row, _)| *row).collect();
        assert_eq!(rows, [1, 4]);
        assert_eq!(formula.present(&batch).unwrap().null_count(), 1);
    }
}
