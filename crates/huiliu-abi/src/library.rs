//! From a file in the plugin folder to stages that can be opened, or the exact reason why not.
//!
//! What is checked before a library's code runs: that it is a whole library for this machine and has the
//! entry symbol (`elf.rs`). After: version and size of its tables, every text, every function.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use huiliu_stage::StageInfo;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use crate::elf::{Fault, MACHINE, exported_symbols};
use crate::factory::{PluginOrigin, StageFactory};
use crate::loaded::{self, Functions};
use crate::tables::{ABI_VERSION, Bytes, EntryFn, PluginTable, StageTable};

const PREFIX: &str = "huiliu_plugin_v";
const ENTRY: &str = "huiliu_plugin_v1";

/// No plugin has more stages; a greater number is a broken table.
const MOST_STAGES: usize = 10_000;

/// Why a library was not taken. Printed to the operator as it is.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The messages say it.
pub enum LoadError {
    #[error("there is no plugin `{}`", path.display())]
    Missing { path: PathBuf },
    #[error("cannot read plugin `{}`", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("`{}` is not a shared library: {what}", path.display())]
    NotALibrary { path: PathBuf, what: String },
    #[error("plugin `{}` was built for {has}, this program for {wanted}; build it for {wanted}", path.display())]
    WrongArchitecture { path: PathBuf, has: String, wanted: &'static str },
    #[error("the system cannot load plugin `{}`: {reason}", path.display())]
    Refused { path: PathBuf, reason: String },
    #[error("`{}` is a library but no plugin: it exports no symbol `{ENTRY}`", path.display())]
    NoEntry { path: PathBuf },
    #[error("plugin `{}` exports more than one entry symbol: {}", path.display(), found.join(", "))]
    SeveralEntries { path: PathBuf, found: Vec<String> },
    #[error("plugin `{}` speaks another version: it exports `{found}`, this program wants `{ENTRY}`", path.display())]
    OtherEntry { path: PathBuf, found: String },
    #[error("plugin `{}` has ABI version {has}, this program wants {wanted}; build it against the `huiliu.h` of this program", path.display())]
    WrongVersion { path: PathBuf, has: u32, wanted: u32 },
    #[error("plugin `{}`: the table of {table} has {has} bytes, at least {wanted} are needed", path.display())]
    TableTooSmall { path: PathBuf, table: String, has: usize, wanted: usize },
    #[error("plugin `{}`: {what} is missing", path.display())]
    Incomplete { path: PathBuf, what: String },
    #[error("plugin `{}`: {what} is unusable: {reason}", path.display())]
    Broken { path: PathBuf, what: String, reason: String },
    #[error("plugin `{}` has two stages named `{stage}`", path.display())]
    Duplicate { path: PathBuf, stage: String },
    #[error("cannot read plugin folder `{}`", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
}

/// Loads every `*.so` of a folder, in the order of their names. What cannot be loaded does not stop the others.
pub fn load_folder(folder: &Path) -> (Vec<StageFactory>, Vec<LoadError>) {
    let listed = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>());
    let mut paths = match listed {
        Ok(paths) => paths,
        Err(source) => return (Vec::new(), vec![LoadError::Folder { path: folder.to_owned(), source }]),
    };
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "so"));
    paths.sort();
    let (mut stages, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        match load_library(&path) {
            Ok(found) => stages.extend(found),
            Err(error) => errors.push(error),
        }
    }
    (stages, errors)
}

/// Loads a plugin, for good. It runs the library's code: load only what the operator put there.
///
/// # Errors
/// The exact reason; see [`LoadError`].
pub fn load_library(path: &Path) -> Result<Vec<StageFactory>, LoadError> {
    let own = || path.to_owned();
    let symbol = entry_symbol(path)?;
    // With a bare file name the system would search its own folders.
    let full = path.canonicalize().map_err(|source| LoadError::Unreadable { path: own(), source })?;
    let refused = |error: libloading::Error| LoadError::Refused { path: own(), reason: reason(&error) };
    // SAFETY: this runs the library's initialisers; the operator vouches for it by putting it there.
    let library = unsafe { Library::open(Some(full), RTLD_NOW | RTLD_LOCAL) }.map_err(refused)?;
    // SAFETY: a library with this symbol promises that it is the function of the header.
    let entry = match unsafe { library.get::<EntryFn>(symbol.as_bytes()) } {
        Ok(entry) => *entry,
        Err(_) => return Err(LoadError::NoEntry { path: own() }),
    };
    // Tables, stages and batches point into the library from here on.
    std::mem::forget(library);
    // SAFETY: called as the header has it; what it gives lives for ever.
    unsafe { plugin_stages(entry(), path) }
}

fn reason(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |source| source.to_string())
}

/// The name of the entry symbol, found without running anything.
fn entry_symbol(path: &Path) -> Result<String, LoadError> {
    let own = || path.to_owned();
    // To open a pipe would wait until somebody writes into it.
    if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return Err(LoadError::NotALibrary { path: own(), what: "no regular file".to_owned() });
    }
    let file = File::open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => LoadError::Missing { path: own() },
        _ => LoadError::Unreadable { path: own(), source },
    })?;
    let found = exported_symbols(&file, PREFIX).map_err(|fault| match fault {
        Fault::NotALibrary(what) => LoadError::NotALibrary { path: own(), what },
        Fault::Machine(has) => LoadError::WrongArchitecture { path: own(), has, wanted: MACHINE },
        Fault::Io(source) => LoadError::Unreadable { path: own(), source },
    })?;
    let Some(found) = found else { return Ok(ENTRY.to_owned()) };
    let is_entry =
        |name: &String| name.strip_prefix(ENTRY).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    let (mut ours, others): (Vec<String>, Vec<String>) = found.into_iter().partition(is_entry);
    match (ours.len(), others.into_iter().next()) {
        (1, _) => Ok(ours.remove(0)),
        (0, Some(found)) => Err(LoadError::OtherEntry { path: own(), found }),
        (0, None) => Err(LoadError::NoEntry { path: own() }),
        _ => Err(LoadError::SeveralEntries { path: own(), found: ours }),
    }
}

/// # Safety
/// `table` is null, or begins with version and size and has as many bytes as it says, for ever; its pointers
/// and functions keep the promises of the header.
pub(crate) unsafe fn plugin_stages(
    table: *const PluginTable,
    path: &Path,
) -> Result<Vec<StageFactory>, LoadError> {
    let own = || path.to_owned();
    if table.is_null() {
        return Err(LoadError::Incomplete { path: own(), what: "the plugin's table".into() });
    }
    // SAFETY: version and size come first in every version of the table.
    let (version, size) =
        unsafe { ((&raw const (*table).abi_version).read(), (&raw const (*table).size).read()) };
    if version != ABI_VERSION {
        return Err(LoadError::WrongVersion { path: own(), has: version, wanted: ABI_VERSION });
    }
    large_enough(size, size_of::<PluginTable>(), || "the plugin".into(), path)?;
    // SAFETY: the size says that all fields are there.
    let table = unsafe { *table };
    // SAFETY: texts of a plugin live for ever.
    let (name, version) =
        unsafe { (text(table.name, "its name", path)?, text(table.version, "its version", path)?) };
    if table.stages.is_null() || table.stage_count == 0 {
        return Err(LoadError::Incomplete { path: own(), what: "every stage".into() });
    }
    if table.stage_count > MOST_STAGES {
        let (what, reason) = ("the list of stages".into(), format!("it says it has {}", table.stage_count));
        return Err(LoadError::Broken { path: own(), what, reason });
    }
    let mut stages: Vec<StageFactory> = Vec::with_capacity(table.stage_count);
    for i in 0..table.stage_count {
        // SAFETY: `stages` has `stage_count` pointers, each null or a stage table.
        let stage = unsafe { stage_factory(*table.stages.add(i), &name, &version, path) }?;
        if stages.iter().any(|other| other.info.name == stage.info.name) {
            return Err(LoadError::Duplicate { path: own(), stage: stage.info.name });
        }
        stages.push(stage);
    }
    Ok(stages)
}

/// # Safety
/// As for [`plugin_stages`].
pub(crate) unsafe fn stage_factory(
    table: *const StageTable,
    plugin: &str,
    version: &str,
    path: &Path,
) -> Result<StageFactory, LoadError> {
    let missing = |what: String| LoadError::Incomplete { path: path.to_owned(), what };
    if table.is_null() {
        return Err(missing("the table of a stage".into()));
    }
    // SAFETY: the size comes first in every version of the table.
    let size = unsafe { (&raw const (*table).size).read() };
    large_enough(size, size_of::<StageTable>(), || "a stage".into(), path)?;
    // SAFETY: the size says that all fields are there.
    let table = unsafe { *table };
    // SAFETY: texts of a plugin live for ever.
    let name = unsafe { text(table.name, "the name of a stage", path) }?;
    if name.is_empty() {
        return Err(missing("the name of a stage".into()));
    }
    // SAFETY: as above.
    let summary = unsafe { text(table.summary, &format!("the summary of stage `{name}`"), path) }?;
    let what = format!("the option schema of stage `{name}`");
    // SAFETY: as above.
    let options = unsafe { text(table.option_schema, &what, path) }?;
    let options = serde_json::from_str(&options).map_err(|error| LoadError::Broken {
        path: path.to_owned(),
        what,
        reason: error.to_string(),
    })?;
    let lacks = |function: &str| missing(format!("function `{function}` of stage `{name}`"));
    let functions = Functions {
        open: table.open.ok_or_else(|| lacks("open"))?,
        process: table.process.ok_or_else(|| lacks("process"))?,
        finish: table.finish.ok_or_else(|| lacks("finish"))?,
        close: table.close.ok_or_else(|| lacks("close"))?,
    };
    let who = StageFactory::who(&name, plugin);
    Ok(StageFactory {
        info: StageInfo { name, summary, options },
        plugin: plugin.to_owned(),
        version: version.to_owned(),
        origin: PluginOrigin::Library(path.to_owned()),
        open: Arc::new(move |options, input, host| loaded::open(functions, &who, options, input, host)),
    })
}

fn large_enough(
    has: u32,
    wanted: usize,
    table: impl FnOnce() -> String,
    path: &Path,
) -> Result<(), LoadError> {
    let has = has as usize;
    if has >= wanted {
        return Ok(());
    }
    Err(LoadError::TableTooSmall { path: path.to_owned(), table: table(), has, wanted })
}

/// # Safety
/// The bytes are there for as long as this runs.
unsafe fn text(bytes: Bytes, what: &str, path: &Path) -> Result<String, LoadError> {
    // SAFETY: promised above.
    let found = std::str::from_utf8(unsafe { bytes.as_slice() });
    found.map(str::to_owned).map_err(|error| LoadError::Broken {
        path: path.to_owned(),
        what: what.to_owned(),
        reason: error.to_string(),
    })
}
