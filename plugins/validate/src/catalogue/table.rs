//! A reference table as a check reads it: columns of text by name, made into an index, and made anew when it changed.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use huiliu_stage::{Host, StageError};

/// What a check made of a table, and the table that it was made of.
pub(super) struct Indexed<T> {
    name: String,
    made_of: Option<ArrayRef>,
    index: T,
}

impl<T: Default> Indexed<T> {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), made_of: None, index: T::default() }
    }

    /// The index of the table as it is now. The host reads a file that changed anew; then so is the index made.
    ///
    /// # Errors
    /// There is no such table, or `make` cannot use it.
    pub(super) fn now(
        &mut self,
        host: &dyn Host,
        make: impl FnOnce(&RecordBatch) -> Result<T, StageError>,
    ) -> Result<&mut T, StageError> {
        let table = host.table(&self.name)?;
        let first = table.columns().first();
        let same = match (&self.made_of, first) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new) || old.to_data().ptr_eq(&new.to_data()),
            _ => false,
        };
        if !same {
            self.index = make(&table)?;
            self.made_of = first.cloned();
        }
        Ok(&mut self.index)
    }
}

/// A column of text of a table.
///
/// # Errors
/// Names the column and those that there are.
pub(super) fn texts<'a>(table: &'a RecordBatch, name: &str) -> Result<&'a StringArray, StageError> {
    huiliu_stage::text_column(table, name)
}

/// A column that a table may lack.
pub(super) fn maybe<'a>(table: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    table.column_by_name(name)?.as_string_opt::<i32>()
}

/// A cell without blanks around it; empty when there is nothing.
pub(super) fn cell(column: Option<&StringArray>, at: usize) -> &str {
    column.filter(|column| column.is_valid(at)).map_or("", |column| column.value(at).trim())
}
