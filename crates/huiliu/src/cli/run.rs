//! `huiliu run`: the daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{CONFIG, FAILED, PluginArgs, load};
use crate::catalog::Catalog;
use crate::daemon::clock::Clock;
use crate::daemon::functions::functions;
use crate::daemon::{Daemon, Summary, absolute};

/// Watches the folders that the pipelines name, runs what comes in, and writes the sinks and the receipts.
///
/// Stops on SIGTERM or SIGINT; killed in any other way, it goes on where it was when it is started again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  huiliu run pipelines/ --data /srv/huiliu
  huiliu run pipelines/projects.yaml --data /srv/huiliu --once")]
pub(super) struct RunArgs {
    /// Pipeline files, or folders with pipeline files
    #[arg(default_value = "pipelines", value_name = "CONFIG")]
    config: Vec<PathBuf>,

    /// Folder for the store, the inbox and the outputs; paths of sources and sinks are relative to it
    #[arg(long, env = "HUILIU_DATA", default_value = "huiliu-data", value_name = "DIR")]
    data: PathBuf,

    /// Take what is there, wait for every sink, and end: 0, or 1 if a delivery or a sink failed
    #[arg(long)]
    once: bool,

    /// Log that may wait for slow sinks, in MiB; a pipeline above it takes no new delivery
    #[arg(long, default_value_t = 4096, value_name = "MIB")]
    max_backlog: u64,

    #[command(flatten)]
    plugins: PluginArgs,
}

pub(super) fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    let catalog = Catalog::new(args.plugins.plugins.as_deref(), !args.plugins.without_builtin);
    let functions = functions();
    let checked = load::check(&args.config, &catalog, &functions)?;
    if !checked.problems.is_empty() {
        load::print_problems(&checked.problems);
        return Ok(ExitCode::from(CONFIG));
    }
    let daemon = Daemon {
        data: absolute(&args.data)?,
        plans: checked.plans,
        functions,
        clock: Clock::from_env()?,
        once: args.once,
        backlog: args.max_backlog.saturating_mul(1 << 20),
    };
    let summary = run_daemon(daemon)?;
    for behind in &summary.behind {
        tracing::error!(behind, "not finished");
    }
    let failed = summary.failed > 0 || !summary.behind.is_empty();
    Ok(if args.once && failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// Runs the daemon until it ends or is told to stop by a signal.
pub(super) fn run_daemon(daemon: Daemon) -> anyhow::Result<Summary> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let summary = runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::spawn(async move {
            tokio::select! {
                _ = term.recv() => tracing::info!("SIGTERM, stopping"),
                _ = int.recv() => tracing::info!("SIGINT, stopping"),
            }
            // An error means that the daemon has ended already.
            let _ = stop.send(true);
            // Without a sender the watch would count as closed; the task keeps it until the runtime ends.
            std::future::pending::<()>().await;
        });
        daemon.run(stopped).await
    });
    runtime.shutdown_background();
    summary
}
