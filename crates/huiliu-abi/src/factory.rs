//! What the catalog holds: stages that can be opened, linked in or loaded, all alike.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use huiliu_stage::{Host, OpenStage, Opened, Outcome, Stage, StageError, StageInfo};

use crate::export::Export;
use crate::library::{LoadError, stage_factory};
use crate::said::panic_text;

/// The stages of one plugin.
pub type Plugin = Vec<StageFactory>;

/// Where a stage's code is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginOrigin {
    /// In the program itself.
    Builtin,
    /// In a shared library.
    Library(PathBuf),
}

impl fmt::Display for PluginOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin => f.write_str("built in"),
            Self::Library(path) => path.display().fmt(f),
        }
    }
}

pub(crate) type Opener = dyn Fn(&str, SchemaRef, Arc<dyn Host>) -> Result<Opened, StageError> + Send + Sync;

/// A kind of stage, ready to be opened any number of times.
#[derive(Clone)]
pub struct StageFactory {
    /// Name, summary and option schema.
    pub info: StageInfo,
    /// Name of the plugin it belongs to.
    pub plugin: String,
    /// Version of the plugin.
    pub version: String,
    /// Where its code is.
    pub origin: PluginOrigin,
    pub(crate) open: Arc<Opener>,
}

impl StageFactory {
    /// A stage that is linked in. Plugins made with [`export_plugin!`](crate::export_plugin) do this in `plugin()`.
    pub fn linked<T: OpenStage>(plugin: &str, version: &str) -> Self {
        Self {
            info: T::info(),
            plugin: plugin.to_owned(),
            version: version.to_owned(),
            origin: PluginOrigin::Builtin,
            open: Arc::new(T::open_json),
        }
    }

    /// The same stage behind its own C tables, as if it had been loaded: for tests that it behaves alike.
    ///
    /// # Errors
    /// The stage's description cannot cross, such as an option schema that is not JSON.
    pub fn across<T: OpenStage>(plugin: &str, version: &str) -> Result<Self, LoadError> {
        let origin = PathBuf::from("(this program)");
        // SAFETY: the table of an exported stage is complete and keeps the promises of the header.
        unsafe { stage_factory(Export::<T>::TABLE, plugin, version, &origin) }
    }

    /// "stage `x` of plugin `y`", for messages.
    pub(crate) fn who(stage: &str, plugin: &str) -> String {
        format!("stage `{stage}` of plugin `{plugin}`")
    }

    /// Opens a stage with its options (JSON). No panic of the stage gets past what is returned.
    ///
    /// # Errors
    /// What the stage refuses, or that it panicked.
    pub fn open(&self, options: &str, input: SchemaRef, host: Arc<dyn Host>) -> Result<Opened, StageError> {
        let who = Self::who(&self.info.name, &self.plugin);
        match catch_unwind(AssertUnwindSafe(|| (self.open)(options, input, host))) {
            Ok(opened) => opened.map(|Opened { stage, output }| {
                let guarded = Guarded { stage: Some(stage), who };
                Opened { stage: Box::new(guarded), output }
            }),
            Err(panic) => {
                Err(StageError::new(format!("{who} panicked when it was opened: {}", panic_text(panic))))
            }
        }
    }
}

impl fmt::Debug for StageFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { info, plugin, version, origin, open: _ } = self;
        write!(f, "{} ({plugin} {version}, {origin})", info.name)
    }
}

/// A stage whose panics become errors. After one it is left alone: neither called nor dropped.
struct Guarded {
    stage: Option<Box<dyn Stage>>,
    who: String,
}

impl Guarded {
    fn call<T>(
        &mut self,
        call: impl FnOnce(&mut dyn Stage) -> Result<T, StageError>,
    ) -> Result<T, StageError> {
        let Some(mut stage) = self.stage.take() else {
            return Err(StageError::new(format!("{} panicked before and is not called again", self.who)));
        };
        match catch_unwind(AssertUnwindSafe(|| call(stage.as_mut()))) {
            Ok(result) => {
                self.stage = Some(stage);
                result
            }
            Err(panic) => {
                std::mem::forget(stage);
                let text = panic_text(panic);
                Err(StageError::new(format!("{} panicked: {text}; it is not called again", self.who)))
            }
        }
    }
}

impl Stage for Guarded {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        self.call(|stage| stage.process(batch))
    }

    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        self.call(|stage| stage.finish())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let stage = self.stage.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(stage))) {
            // Nothing depends on a stage that is being put away.
            std::mem::forget(panic);
        }
    }
}
