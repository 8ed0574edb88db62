//! What the engine offers a stage: state of its own delivery, clock, expressions, tables.
//!
//! State is an overlay. Reads fall through to the committed state of the [`Store`]; writes stay here
//! until the delivery commits, and are forgotten when it fails. So a stage sees its own writes at
//! once and a crash leaves no half of them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use huiliu_stage::{Expression, Host, HostError, Level};

use crate::expression::Functions;
use crate::ports::{StateChange, Store};

const MS_PER_DAY: i64 = 86_400_000;

/// Reference tables, as they are now.
pub trait Tables: Send + Sync {
    /// The table that a pipeline declares under `name`.
    fn table(&self, name: &str) -> Result<RecordBatch, HostError>;
}

/// No tables at all.
pub struct NoTables;

impl Tables for NoTables {
    fn table(&self, name: &str) -> Result<RecordBatch, HostError> {
        Err(HostError(format!("there is no table `{name}`; tables are declared under `tables:`")))
    }
}

/// The engine's side of [`Host`], one for each stage of each pipeline.
pub struct EngineHost {
    slot: String,
    store: Option<Arc<dyn Store>>,
    functions: Arc<Functions>,
    tables: Arc<dyn Tables>,
    now_ms: AtomicI64,
    offset_ms: AtomicI64,
    cancelled: AtomicBool,
    keeps_state: AtomicBool,
    changes: Mutex<BTreeMap<Vec<u8>, Option<Vec<u8>>>>,
    counts: Mutex<BTreeMap<String, u64>>,
}

impl EngineHost {
    /// A host for the stage at `slot` (`{pipeline}/{stage}`).
    pub fn new(
        slot: &str,
        store: Arc<dyn Store>,
        functions: Arc<Functions>,
        tables: Arc<dyn Tables>,
    ) -> Self {
        Self { store: Some(store), ..Self::for_planning(slot, functions, tables) }
    }

    /// A host for planning only: it has no state, and a stage that asks for some is told so.
    pub fn for_planning(slot: &str, functions: Arc<Functions>, tables: Arc<dyn Tables>) -> Self {
        Self {
            slot: slot.to_owned(),
            store: None,
            functions,
            tables,
            now_ms: AtomicI64::new(0),
            offset_ms: AtomicI64::new(0),
            cancelled: AtomicBool::new(false),
            keeps_state: AtomicBool::new(false),
            changes: Mutex::default(),
            counts: Mutex::default(),
        }
    }

    /// The stage's slot.
    pub fn slot(&self) -> &str {
        &self.slot
    }

    /// Starts a delivery: the clock stands at `now_ms` until the next one; `offset_ms` is the offset
    /// of the pipeline's time zone from UTC at that time.
    pub fn begin(&self, now_ms: i64, offset_ms: i64) {
        self.now_ms.store(now_ms, Ordering::Relaxed);
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
        self.held().clear();
    }

    /// Asks the stage to give up.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// The state written since [`begin`](Self::begin), which is thereby forgotten.
    pub fn take_changes(&self) -> Vec<StateChange> {
        std::mem::take(&mut *self.held()).into_iter().collect()
    }

    /// Whether the stage has ever asked for its state.
    pub fn keeps_state(&self) -> bool {
        self.keeps_state.load(Ordering::Relaxed)
    }

    /// Whether it has changed it since [`begin`](Self::begin).
    pub fn has_changes(&self) -> bool {
        !self.held().is_empty()
    }

    /// The stage's counters so far.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Option<Vec<u8>>>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> Result<&dyn Store, HostError> {
        self.keeps_state.store(true, Ordering::Relaxed);
        self.store.as_deref().ok_or_else(|| {
            HostError("there is no state while a stage is opened; read it in the first `process`".into())
        })
    }
}

/// The changes under `prefix`, in key order.
fn changed<'a>(
    changes: &'a BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    prefix: &'a [u8],
) -> impl Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)> {
    changes
        .range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded))
        .take_while(move |(key, _)| key.starts_with(prefix))
}

impl Host for EngineHost {
    fn log(&self, level: Level, message: &str) {
        let stage = &*self.slot;
        match level {
            Level::Debug => tracing::debug!(stage, "{message}"),
            Level::Info => tracing::info!(stage, "{message}"),
            Level::Warn => tracing::warn!(stage, "{message}"),
            Level::Error => tracing::error!(stage, "{message}"),
        }
    }

    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn today(&self) -> i32 {
        let local = self.now_ms() + self.offset_ms.load(Ordering::Relaxed);
        i32::try_from(local.div_euclid(MS_PER_DAY)).unwrap_or(0)
    }

    fn state_get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        let store = self.store()?;
        if let Some(value) = self.held().get(key) {
            return Ok(value.clone());
        }
        store.state_get(&self.slot, key).map_err(|error| HostError(error.to_string()))
    }

    fn state_put(&self, key: &[u8], value: &[u8]) -> Result<(), HostError> {
        self.store()?;
        self.held().insert(key.to_vec(), Some(value.to_vec()));
        Ok(())
    }

    fn state_delete(&self, key: &[u8]) -> Result<(), HostError> {
        self.store()?;
        self.held().insert(key.to_vec(), None);
        Ok(())
    }

    fn state_scan(&self, prefix: &[u8], each: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), HostError> {
        // Merge the two ordered runs. The overlay is copied so that `each` may write.
        let mine: Vec<StateChange> =
            changed(&self.held(), prefix).map(|(k, v)| (k.clone(), v.clone())).collect();
        let mut mine = mine.into_iter().peekable();
        let mut going = true;
        self.store()?
            .state_scan(&self.slot, prefix, &mut |key, value| {
                while let Some((own, change)) = mine.next_if(|(own, _)| own.as_slice() < key) {
                    if let Some(change) = change {
                        going = each(&own, &change);
                        if !going {
                            return false;
                        }
                    }
                }
                going = match mine.next_if(|(own, _)| own.as_slice() == key) {
                    Some((_, None)) => true,
                    Some((_, Some(change))) => each(key, &change),
                    None => each(key, value),
                };
                going
            })
            .map_err(|error| HostError(error.to_string()))?;
        for (own, change) in mine {
            if !going {
                break;
            }
            if let Some(change) = change {
                going = each(&own, &change);
            }
        }
        Ok(())
    }

    fn compile(&self, sql: &str, schema: &SchemaRef) -> Result<Box<dyn Expression>, HostError> {
        crate::expression::compile(sql, schema, &self.functions).map_err(|error| HostError(error.to_string()))
    }

    fn table(&self, name: &str) -> Result<RecordBatch, HostError> {
        self.tables.table(name)
    }

    fn count(&self, name: &str, add: u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(name.to_owned()).or_default() += add;
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}
