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

fn main() -> ExitCode {
    cli::main()
}
