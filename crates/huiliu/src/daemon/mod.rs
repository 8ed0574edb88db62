//! The daemon: every pipeline with its source, its worker, its sinks and its answers.
//!
//! ```text
//! folder ──files──> worker ──commit──> log ──> one drain per sink
//!    ^                 └──────────────> answerer ──> outbox, archive
//!    └──────────────verdicts────────────────┘
//! ```
//!
//! The folders are watched by tasks of one small tokio runtime; a worker, each sink and the answers have
//! threads, since all they do blocks. Start at [`Daemon::run`].

mod answer;
mod archive;
pub(crate) mod carried;
pub(crate) mod clock;
pub(crate) mod decision;
mod drain;
pub(crate) mod evidence;
pub(crate) mod functions;
pub(crate) mod identify;
mod quiet;
pub(crate) mod reader;
pub(crate) mod registers;
pub(crate) mod rehearse;
pub(crate) mod resend;
mod retry;
pub(crate) mod rules;
mod spool;
mod tables;
mod tick;
pub(crate) mod worker;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use huiliu_formats::read::FormatOptions;
use huiliu_formats::receipt::Language;
use huiliu_pipeline::config::{self, from_node};
use huiliu_pipeline::diagnostic::Diagnostic;
use huiliu_pipeline::expression::Functions;
use huiliu_pipeline::host::{EngineHost, Tables};
use huiliu_pipeline::plan::{Plan, PlannedSink};
use huiliu_pipeline::ports::Store;
use huiliu_pipeline::run::{Runner, Slot};
use huiliu_store::{RegisterQuery, SqliteStore};
use tokio::sync::{Notify, mpsc, watch};
use tracing::{error, info, warn};

use self::answer::Answerer;
use self::clock::Clock;
use self::drain::{Drain, Signal};
use self::rules::Rules;
use self::spool::Spool;
use self::tables::PlanTables;
use self::worker::{ToAnswer, Totals, Worker};
use crate::catalog::{self, SourceConfig};
use crate::sinks::{Place, SinkConfig};
use crate::sources::folder::FolderSource;
use crate::sources::folder::watch::FolderWatch;
use crate::sources::schedule::watch::ScheduleWatch;
use crate::sources::{Kind, Offer, RETRY, Verdict};

/// After an answer could not be given.
const ANSWER_PAUSE: Duration = Duration::from_secs(30);

/// What the daemon is started with.
pub(crate) struct Daemon {
    /// Store, inbox, outbox, archive and outputs live below it.
    pub(crate) data: PathBuf,
    /// The checked pipelines.
    pub(crate) plans: Vec<Plan>,
    /// The functions that expressions may call.
    pub(crate) functions: Arc<Functions>,
    /// Tells the time.
    pub(crate) clock: Clock,
    /// Take what is there, wait for every sink, end.
    pub(crate) once: bool,
    /// Bytes of waiting log above which a pipeline takes no new delivery.
    pub(crate) backlog: u64,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    /// Deliveries committed.
    pub(crate) committed: u64,
    /// Deliveries that had been taken before.
    pub(crate) known: u64,
    /// Deliveries refused as a whole, or that could not be handled.
    pub(crate) failed: u64,
    /// Sinks that did not catch up, each with its reason.
    pub(crate) behind: Vec<String>,
}

impl Summary {
    fn add(&mut self, more: Self) {
        self.committed += more.committed;
        self.known += more.known;
        self.failed += more.failed;
        self.behind.extend(more.behind);
    }
}

/// The task of a pipeline's source.
type SourceTask = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// The threads and signals of one running pipeline.
struct Running {
    committed: Arc<Signal>,
    delivered: Arc<Signal>,
    worker: JoinHandle<()>,
    answers: JoinHandle<()>,
    sinks: Vec<JoinHandle<Result<(), String>>>,
    totals: Arc<Totals>,
}

impl Daemon {
    /// Runs until `stop` turns true; with `once`, until all that is there is done.
    ///
    /// # Errors
    /// The data folder cannot be used. What goes wrong with a single file or sink ends nothing.
    pub(crate) async fn run(self, stop: watch::Receiver<bool>) -> anyhow::Result<Summary> {
        std::fs::create_dir_all(&self.data)
            .with_context(|| format!("cannot make data folder `{}`", self.data.display()))?;
        let store = Arc::new(SqliteStore::open_exclusive(&self.data)?);
        resend::finish_interrupted(&store, &self.data)?;
        let busy = Arc::new(Notify::new());
        let resting = (!self.once).then(|| tokio::spawn(quiet::rest(busy.clone())));
        // A single run has an end, so that one pipeline can find what others left in their registers.
        let groups = match self.once {
            true => registers::groups(&self.plans),
            false => vec![(0..self.plans.len()).collect()],
        };
        let mut summary = Summary::default();
        for group in groups {
            let plans = group.iter().filter_map(|&at| self.plans.get(at)).collect();
            summary.add(self.side_by_side(plans, &store, &busy, stop.clone()).await?);
            if *stop.borrow() {
                break;
            }
        }
        resting.inspect(tokio::task::JoinHandle::abort);
        Ok(summary)
    }

    /// Runs pipelines until they end.
    async fn side_by_side(
        &self,
        plans: Vec<&Plan>,
        store: &Arc<SqliteStore>,
        busy: &Arc<Notify>,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<Summary> {
        let mut running = Vec::new();
        let mut sources = tokio::task::JoinSet::new();
        for plan in &plans {
            let (pipeline, source) = self.start(plan, store, busy, stop.clone())?;
            running.push(pipeline);
            sources.spawn(source);
        }
        info!(pipelines = plans.len(), data = %self.data.display(), "ready");

        let stopping = {
            let signals: Vec<_> =
                running.iter().flat_map(|r| [r.committed.clone(), r.delivered.clone()]).collect();
            let mut stop = stop.clone();
            tokio::spawn(async move {
                // An error means that nobody can say stop any more; the sources end by themselves then.
                if stop.wait_for(|stop| *stop).await.is_ok() {
                    signals.iter().for_each(|signal| signal.stop());
                }
            })
        };
        while let Some(ended) = sources.join_next().await {
            if let Err(error) = ended.map_err(anyhow::Error::from).and_then(|result| result) {
                error!(error = format!("{error:#}"), "source ended");
            }
        }
        let joined = tokio::task::spawn_blocking(move || join(running)).await?;
        stopping.abort();
        Ok(joined)
    }

    /// Starts the threads of a pipeline; gives the task of its source.
    fn start(
        &self,
        plan: &Plan,
        store: &Arc<SqliteStore>,
        busy: &Arc<Notify>,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<(Running, SourceTask)> {
        let (kind, options) = &plan.source;
        let source =
            catalog::source(kind, options, &plan.timezone).map_err(|found| anyhow::anyhow!(told(&found)))?;
        let retry = FolderSource::own(&RETRY.replace("{pipeline}", &plan.name));
        // Of a schedule only what comes back out of quarantine is a file.
        let files_from = match &source {
            SourceConfig::Folder(folder) => &**folder,
            SourceConfig::Schedule(_) => &retry,
        };
        let (committed, delivered) = (Arc::new(Signal::default()), Arc::new(Signal::default()));
        let totals = Arc::new(Totals::default());
        let names: Vec<&str> = plan.sinks.iter().map(|sink| &*sink.name).collect();
        store.register_sinks(&plan.name, &names)?;
        let mut sinks = Vec::new();
        for sink in &plan.sinks {
            let drain = self.drain(plan, sink, store, &committed, &delivered)?;
            sinks.push(thread(&format!("sink-{}", sink.name), move || drain.run())?);
        }

        let (offers, offered) = mpsc::unbounded_channel();
        let (to_answer, answers_in) = channel();
        let answerer = self.answerer(plan, files_from, store)?;
        let left = store.unanswered(&plan.name)?;
        let answer_totals = totals.clone();
        let answer_stop = committed.clone();
        let answer_busy = busy.clone();
        let once = self.once;
        let answers = thread("answer", move || {
            for entry in &left {
                if entry.delivery.origin.starts_with(tick::ORIGIN) {
                    continue; // Offered again, since its source did not hear of its end.
                }
                let path = PathBuf::from(&entry.delivery.origin);
                let names = answerer.names_of(&path);
                if let Err(error) = answerer.answer(entry, &path, None, &names) {
                    warn!(id = entry.delivery.id, error = format!("{error:#}"), "answer put off");
                }
            }
            let answering =
                Answering { answerer: &answerer, totals: &answer_totals, busy: &answer_busy, once };
            answering.all(&answers_in, &answer_stop);
        })?;
        let worker = Worker {
            data: self.data.clone(),
            pipeline: plan.name.clone(),
            record: plan.record.clone(),
            format: format_options(plan)?,
            zone: catalog::time_zone(&plan.timezone).map_err(anyhow::Error::msg)?,
            clock: self.clock.clone(),
            spool: Spool::open(&self.data, &plan.name)
                .with_context(|| format!("cannot make the spool of `{}`", plan.name))?,
            runner: runner(
                plan,
                store.clone(),
                self.functions.clone(),
                Arc::new(registers::tables(plan, &self.plans, store)),
            ),
            query: registers::schedule_query(plan, &self.plans).and_then(Result::ok),
            stages: plan.stages.clone(),
            store: store.clone(),
            committed: committed.clone(),
            delivered: delivered.clone(),
            answers: to_answer,
            totals: totals.clone(),
            backlog: self.backlog,
            once: self.once,
            tries: HashMap::new(),
        };
        let sent = self.source(plan, source, worker.query.as_ref(), store, offers.clone(), stop.clone());
        let worker = thread("worker", move || worker.run(offered))?;
        let retry = FolderWatch::new(retry, &self.data, Kind::Retry, self.once).run(offers, stop);
        let task = async { tokio::try_join!(retry, sent).map(|_| ()) };
        Ok((Running { committed, delivered, worker, answers, sinks, totals }, Box::pin(task)))
    }

    /// The task that offers what a pipeline's source gives.
    fn source(
        &self,
        plan: &Plan,
        source: SourceConfig,
        query: Option<&RegisterQuery>,
        store: &Arc<SqliteStore>,
        offers: mpsc::UnboundedSender<Offer>,
        stop: watch::Receiver<bool>,
    ) -> SourceTask {
        match source {
            SourceConfig::Folder(folder) => {
                Box::pin(FolderWatch::new(*folder, &self.data, Kind::Sent, self.once).run(offers, stop))
            }
            SourceConfig::Schedule(schedule) => {
                let watch = ScheduleWatch {
                    pipeline: plan.name.clone(),
                    source: *schedule,
                    clock: self.clock.clone(),
                    store: store.clone(),
                    writers: query.map(|query| registers::writers(query, &self.plans)).unwrap_or_default(),
                    once: self.once,
                };
                Box::pin(watch.run(offers, stop))
            }
        }
    }

    fn drain(
        &self,
        plan: &Plan,
        sink: &PlannedSink,
        store: &Arc<SqliteStore>,
        committed: &Arc<Signal>,
        delivered: &Arc<Signal>,
    ) -> anyhow::Result<Drain> {
        let config = SinkConfig::parse(&sink.kind, &sink.options, &plan.output)
            .map_err(|found| anyhow::anyhow!(told(&found)))?;
        let place = Place {
            data: &self.data,
            store,
            pipeline: &plan.name,
            name: &sink.name,
            output: plan.output.clone(),
        };
        Ok(Drain {
            pipeline: plan.name.clone(),
            name: sink.name.clone(),
            sink: config.open(&place),
            store: store.clone(),
            committed: committed.clone(),
            delivered: delivered.clone(),
        })
    }

    fn answerer(
        &self,
        plan: &Plan,
        source: &FolderSource,
        store: &Arc<SqliteStore>,
    ) -> anyhow::Result<Answerer> {
        let [archive, returned, outbox, template] =
            Answerer::templates(source, plan.receipts.path.as_deref()).map_err(anyhow::Error::msg)?;
        let language = match plan.language {
            config::Language::Chinese => Language::Zh,
            config::Language::English => Language::En,
        };
        Ok(Answerer {
            data: self.data.clone(),
            store: store.clone(),
            archive,
            returned,
            outbox,
            source: template,
            json: plan.receipts.json,
            xlsx: plan.receipts.xlsx,
            language,
            zone: plan.timezone.parse()?,
            limits: format_options(plan)?.limits,
            titles: plan.record.fields.iter().map(|f| (f.name.clone(), f.title().to_owned())).collect(),
        })
    }
}

/// The engine of a pipeline on a store, with these tables.
pub(crate) fn runner(
    plan: &Plan,
    store: Arc<dyn Store>,
    functions: Arc<Functions>,
    tables: Arc<dyn Tables>,
) -> Runner {
    let functions = plan.functions.clone().unwrap_or(functions);
    let slots = plan.stages.iter().map(|stage| {
        let slot = format!("{}/{}", plan.name, stage.name);
        let host = Arc::new(EngineHost::new(&slot, store.clone(), functions.clone(), tables.clone()));
        let planned = stage.clone();
        Slot {
            name: stage.name.clone(),
            open: Box::new(move |host| planned.open(host)),
            host,
            output: stage.output.clone(),
        }
    });
    let rules = Rules::of(plan);
    Runner::new(slots.collect(), store.clone(), plan.receipts.findings)
        .with_labels(plan.labels.clone())
        .with_rules(Box::new(move || rules.version()))
}

/// The reference tables that a pipeline declares.
pub(crate) fn plan_tables(tables: &BTreeMap<String, config::Table>) -> Arc<dyn Tables> {
    Arc::new(PlanTables::new(tables))
}

/// The folders that a pipeline's receipts go to, as a template: the configured ones, or the usual.
pub(crate) fn outbox(configured: Option<&Path>) -> String {
    configured.map_or("outbox/{sender}".to_owned(), |path| path.to_string_lossy().into_owned())
}

/// How a pipeline's files are read.
pub(crate) fn format_options(plan: &Plan) -> anyhow::Result<FormatOptions> {
    match &plan.format {
        None => Ok(FormatOptions::default()),
        Some(node) => from_node(node).map_err(|found| anyhow::anyhow!(told(&found))),
    }
}

fn told(found: &[Diagnostic]) -> String {
    found.iter().map(|problem| problem.render(false)).collect()
}

fn thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<JoinHandle<T>> {
    // Linux shows 15 bytes of a thread's name.
    let name: String = name.chars().filter(char::is_ascii).take(15).collect();
    std::thread::Builder::new().name(name).spawn(work).context("cannot start a thread")
}

/// The thread that answers what the worker has done.
struct Answering<'a> {
    answerer: &'a Answerer,
    totals: &'a Totals,
    busy: &'a Notify,
    once: bool,
}

impl Answering<'_> {
    /// Answers until the worker ends.
    fn all(&self, done: &Receiver<ToAnswer>, stop: &Signal) {
        while let Ok(ToAnswer { id, path, taken, names, verdicts }) = done.recv() {
            let answered = self.answerer.store.delivery(&id).map_err(anyhow::Error::from);
            let answered =
                answered.and_then(|entry| self.answerer.answer(&entry, &path, Some(&taken), &names));
            let verdict = match answered {
                Ok(()) => Verdict::Done(path),
                Err(error) => {
                    warn!(id, error = format!("{error:#}"), "answer put off");
                    Totals::add(&self.totals.failed);
                    // Nothing is lost: what was committed is answered at the next start.
                    match self.once {
                        true => Verdict::Left(path),
                        false => Verdict::Again(path, ANSWER_PAUSE),
                    }
                }
            };
            // Nobody listens any more when the daemon stops.
            let _ = verdicts.send(verdict);
            self.busy.notify_one();
            if stop.stopped() {
                return;
            }
        }
    }
}

/// Waits for the threads, in the order in which data flows.
fn join(running: Vec<Running>) -> Summary {
    let mut summary = Summary::default();
    for pipeline in running {
        let mut all =
            vec![("worker", pipeline.worker.join().is_ok()), ("answers", pipeline.answers.join().is_ok())];
        pipeline.committed.finish();
        for sink in pipeline.sinks {
            match sink.join() {
                Ok(Ok(())) => {}
                Ok(Err(behind)) => summary.behind.push(behind),
                Err(_) => all.push(("sink", false)),
            }
        }
        for (part, fine) in all {
            if !fine {
                summary.behind.push(format!("a thread panicked: {part}"));
            }
        }
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        summary.committed += read(&pipeline.totals.committed);
        summary.known += read(&pipeline.totals.known);
        summary.failed += read(&pipeline.totals.failed);
    }
    summary
}

/// The data folder as an absolute path, so that what the ledger records means the same from anywhere.
pub(crate) fn absolute(data: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(data).with_context(|| format!("cannot use data folder `{}`", data.display()))
}
