//! The engine with the merging stage, on a store or on a host in memory.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use arrow::array::RecordBatch;
use huiliu_pipeline::expression::Functions;
use huiliu_pipeline::host::{EngineHost, NoTables};
use huiliu_pipeline::ports::{Delivery, Store};
use huiliu_pipeline::run::{Now, Ran, ReadStop, Reader, Runner, Slot};
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{Host, Opened, Origin, Outcome, Stage, StageError};
use huiliu_store::SqliteStore;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use crate::table::Table;

const PIPELINE: &str = "linkage";
const STAGE: &str = "dedup";

/// What one delivery took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Took {
    /// In the stage.
    pub(crate) stage: Duration,
    /// Of the processor, by the thread that calls the stage.
    pub(crate) stage_cpu: Duration,
    /// From its line in the ledger to its commit.
    pub(crate) all: Duration,
    /// Of the processor, by all threads.
    pub(crate) all_cpu: Duration,
}

/// What a clock of the processor says.
pub(crate) fn cpu(clock: ClockId) -> Duration {
    let spent = clock_gettime(clock);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}

/// Two clocks that run.
struct Watch {
    begun: Instant,
    clock: ClockId,
    cpu: Duration,
}

impl Watch {
    fn start(clock: ClockId) -> Self {
        Self { begun: Instant::now(), clock, cpu: cpu(clock) }
    }

    fn stop(&self) -> (Duration, Duration) {
        (self.begun.elapsed(), cpu(self.clock).saturating_sub(self.cpu))
    }
}

/// What runs deliveries, one after the other.
pub(crate) struct Engine {
    way: Way,
    given: i64,
}

enum Way {
    Memory { host: Arc<MemoryHost>, stage: Box<dyn Stage> },
    Store { store: Arc<SqliteStore>, runner: Box<Runner>, took: Spent },
}

impl Engine {
    /// An engine on a store in a folder, else on a host in memory.
    pub(crate) fn open(folder: Option<&Path>, table: &Table, link: &Value) -> Result<Self> {
        // Only likeness decides, since no two rows have one id.
        let options = json!({"match": [{"fields": ["id"]}], "link": link}).to_string();
        let factory = huiliu_dedup::plugin().into_iter().find(|stage| stage.info.name == STAGE);
        let factory = factory.context("there is no stage `dedup`")?;
        let schema = table.schema();
        let Some(folder) = folder else {
            let host = Arc::new(MemoryHost::default());
            let stage = factory.open(&options, schema, host.clone())?.stage;
            return Ok(Self { way: Way::Memory { host, stage }, given: 0 });
        };
        let store = Arc::new(SqliteStore::open_exclusive(folder)?);
        let (functions, tables) = (Arc::new(Functions::new()), Arc::new(NoTables));
        let host = |store: Arc<dyn Store>| {
            Arc::new(EngineHost::new(
                &format!("{PIPELINE}/{STAGE}"),
                store,
                functions.clone(),
                tables.clone(),
            ))
        };
        let output = factory.open(&options, schema.clone(), host(store.clone()))?.output;
        let took = Spent::default();
        let timed = took.clone();
        let slot = Slot {
            name: STAGE.to_owned(),
            host: host(store.clone()),
            output,
            open: Box::new(move |host| {
                let Opened { stage, output } = factory.open(&options, schema.clone(), host)?;
                Ok(Opened { stage: Box::new(Timed { stage, took: timed.clone() }), output })
            }),
        };
        let runner = Box::new(Runner::new(vec![slot], store.clone(), 0));
        Ok(Self { way: Way::Store { store, runner, took }, given: 0 })
    }

    /// How many keys the stage keeps, and a hash of all of them with their values: what came out and why is in them.
    pub(crate) fn digest(&self) -> Result<(usize, u64)> {
        let (mut keys, mut hash) = (0, DefaultHasher::new());
        let mut each = |key: &[u8], value: &[u8]| {
            keys += 1;
            (key, value).hash(&mut hash);
            true
        };
        match &self.way {
            Way::Memory { host, .. } => host.state_scan(b"", &mut each)?,
            Way::Store { store, .. } => store.state_scan(&format!("{PIPELINE}/{STAGE}"), b"", &mut each)?,
        }
        Ok((keys, hash.finish()))
    }

    /// Gives some records as one delivery.
    pub(crate) fn give(&mut self, table: &Table, rows: &[usize]) -> Result<Took> {
        self.given += 1;
        let sender = rows.first().map_or("", |row| table.sender(*row)).to_owned();
        let delivery = Delivery {
            id: format!("{:016x}", self.given),
            pipeline: PIPELINE.to_owned(),
            sender,
            file: format!("{}.jsonl", self.given),
            origin: String::new(),
            content_hash: format!("{:064x}", self.given),
            bytes: 0,
            received_ms: 1_700_000_000_000 + self.given,
        };
        let origin = Origin {
            delivery: delivery.id.clone(),
            sender: delivery.sender.clone(),
            file: delivery.file.clone(),
            received_ms: delivery.received_ms,
            ..Origin::default()
        };
        let batch = table.batch(rows, &origin)?;
        match &mut self.way {
            Way::Memory { stage, .. } => {
                let watch = Watch::start(ClockId::ProcessCPUTime);
                stage.process(batch)?;
                stage.finish()?;
                let (stage, stage_cpu) = watch.stop();
                Ok(Took { stage, stage_cpu, all: stage, all_cpu: stage_cpu })
            }
            Way::Store { store, runner, took } => {
                let watch = Watch::start(ClockId::ProcessCPUTime);
                store.see(&delivery)?;
                let mut open = || -> Result<Box<dyn Reader>, _> { Ok(Box::new(One(Some(batch.clone())))) };
                let now = Now { utc_ms: delivery.received_ms, offset_ms: 0 };
                let ran = runner.run(&delivery, &mut open, 0, now, &|| false)?;
                let (all, all_cpu) = watch.stop();
                ensure!(matches!(ran, Ran::Committed { .. }), "a delivery was refused");
                let (stage, stage_cpu) =
                    took.lock().map(|mut took| std::mem::take(&mut *took)).unwrap_or_default();
                Ok(Took { stage, stage_cpu, all, all_cpu })
            }
        }
    }
}

/// What the calls of a stage took: time, and time of the processor.
type Spent = Arc<Mutex<(Duration, Duration)>>;

/// A stage whose calls are timed.
struct Timed {
    stage: Box<dyn Stage>,
    took: Spent,
}

impl Timed {
    fn time<T>(&mut self, call: impl FnOnce(&mut dyn Stage) -> T) -> T {
        let watch = Watch::start(ClockId::ThreadCPUTime);
        let answer = call(&mut *self.stage);
        let (time, cpu) = watch.stop();
        if let Ok(mut took) = self.took.lock() {
            *took = (took.0 + time, took.1 + cpu);
        }
        answer
    }
}

impl Stage for Timed {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        self.time(|stage| stage.process(batch))
    }

    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        self.time(|stage| stage.finish())
    }
}

/// A delivery of one batch.
struct One(Option<RecordBatch>);

impl Reader for One {
    fn next(&mut self) -> Option<Result<Outcome, ReadStop>> {
        self.0.take().map(|batch| Ok(batch.into()))
    }

    fn sheets(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn report(&self) -> Value {
        Value::Null
    }
}
