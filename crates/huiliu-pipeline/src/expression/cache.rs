//! Compiled expressions, kept: a stage is opened anew for each delivery and asks for the same ones each time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use arrow::datatypes::{Schema, SchemaRef};

use super::Compiled;

/// Most expressions that are kept; a plugin may make new ones for ever.
const MOST: usize = 1000;

/// Expressions by their text and the columns they were compiled against.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<String, Vec<(SchemaRef, Compiled)>>>);

impl Cache {
    /// The expression for exactly these columns, if it was compiled before.
    pub(super) fn get(&self, sql: &str, schema: &Schema) -> Option<Compiled> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, compiled) = known.get(sql)?.iter().find(|(columns, _)| columns.as_ref() == schema)?;
        Some(compiled.clone())
    }

    /// Keeps an expression.
    pub(super) fn put(&self, sql: &str, schema: SchemaRef, compiled: Compiled) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.values().map(Vec::len).sum::<usize>() >= MOST {
            known.clear();
        }
        known.entry(sql.to_owned()).or_default().push((schema, compiled));
    }

    /// Forgets all, since functions have changed.
    pub(super) fn clear(&mut self) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
