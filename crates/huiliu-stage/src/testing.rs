//! A host in memory, for the tests of stages.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::{Expression, Host, HostError, Level};

/// Compiles an expression in the place of the engine.
pub type Compiler = Box<dyn Fn(&str, &SchemaRef) -> Result<Box<dyn Expression>, HostError> + Send + Sync>;

/// Keeps state in a map, and stands still in time.
#[derive(Default)]
pub struct MemoryHost {
    /// What [`Host::now_ms`] answers.
    pub now_ms: i64,
    /// What [`Host::compile`] does; without one it refuses.
    pub compiler: Option<Compiler>,
    /// What [`Host::table`] knows.
    pub tables: BTreeMap<String, RecordBatch>,
    state: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    lines: Mutex<Vec<(Level, String)>>,
}

impl MemoryHost {
    /// A host whose clock stands at midnight UTC of `day` (days since 1970-01-01).
    pub fn on_day(day: i32) -> Self {
        Self { now_ms: i64::from(day) * 86_400_000, ..Self::default() }
    }

    /// A copy of all state.
    pub fn state(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.held().clone()
    }

    /// Everything logged so far.
    pub fn lines(&self) -> Vec<(Level, String)> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host for MemoryHost {
    fn log(&self, level: Level, message: &str) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push((level, message.to_owned()));
    }

    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn today(&self) -> i32 {
        self.now_ms.div_euclid(86_400_000) as i32
    }

    fn state_get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.held().get(key).cloned())
    }

    fn state_put(&self, key: &[u8], value: &[u8]) -> Result<(), HostError> {
        self.held().insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn state_delete(&self, key: &[u8]) -> Result<(), HostError> {
        self.held().remove(key);
        Ok(())
    }

    fn state_scan(&self, prefix: &[u8], each: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), HostError> {
        // A copy of what is asked for only, so that `each` may write and a scan costs what it gives.
        let held = self.held();
        let under = held.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        let copy: Vec<(Vec<u8>, Vec<u8>)> = under.map(|(key, value)| (key.clone(), value.clone())).collect();
        drop(held);
        for (key, value) in copy {
            if !each(&key, &value) {
                break;
            }
        }
        Ok(())
    }

    fn compile(&self, sql: &str, schema: &SchemaRef) -> Result<Box<dyn Expression>, HostError> {
        match &self.compiler {
            Some(compile) => compile(sql, schema),
            None => Err(HostError("this host has no expressions".into())),
        }
    }

    fn table(&self, name: &str) -> Result<RecordBatch, HostError> {
        self.tables.get(name).cloned().ok_or_else(|| HostError(format!("there is no table `{name}`")))
    }

    fn count(&self, _name: &str, _add: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}
