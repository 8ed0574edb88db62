//! Huiliu (汇流): the daemon and its command line.
//!
//! The one place where all crates meet. [`cli`] is what people type, [`daemon`] what runs, [`catalog`]
//! what there is: plugins, sources, sinks. To follow a file, start at [`daemon::Daemon::run`].

mod catalog;
mod cli;
mod daemon;
mod sinks;
mod sources;

use std::process::ExitCode;

/// Batches are large and short-lived; this allocator gives their pages back and takes them again with half
/// the faults of the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
