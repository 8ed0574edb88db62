//! The C face of a stage, both sides of it.
//!
//! The contract is `include/huiliu.h`; [`tables`] repeats its structs. In a plugin, [`export_plugin!`]
//! puts any `OpenStage` behind these tables. In the daemon, [`load_folder`] finds libraries, checks
//! them and gives each of their stages as a [`StageFactory`], the same type as for stages that are
//! linked in. Neither the engine nor a stage can tell the difference.
//!
//! This is the only crate with `unsafe`. It knows stages and Arrow; it knows no pipeline, no engine
//! and no plugin. A library is never unloaded, since batches carry pointers into it.
//!
//! [`release_code`] forgets code pages while nothing runs, [`nobody_writes`] asks the kernel about a file; they are here
//! because they need `unsafe`.
//!
//! To follow a batch across, start at `loaded.rs` (the daemon's side) and go on in `export.rs` (the plugin's).

mod crossing;
mod elf;
mod export;
mod factory;
mod host_proxy;
mod host_side;
mod lease;
mod library;
mod loaded;
mod resident;
mod said;
pub mod tables;

pub use export::{Export, plugin_table};
pub use factory::{Plugin, PluginOrigin, StageFactory};
pub use lease::nobody_writes;
pub use library::{LoadError, load_folder, load_library};
pub use resident::release_code;
