//! What people type. One file a command; this one holds the arguments and the exit codes.
//!
//! Exit codes: 0 done; 1 a delivery or sink failed; 2 wrong usage; 69 the store cannot be used; 78 the
//! configuration is wrong.

mod check;
mod deliveries;
mod demo;
mod explain;
mod linkage;
mod load;
mod mapping;
mod merges;
mod output;
mod pin;
mod places;
mod quarantine;
mod read;
mod review;
mod run;
mod stages;
mod test;
mod unmerge;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Something was wrong with a delivery.
const FAILED: u8 = 1;
/// The store cannot be used.
const UNAVAILABLE: u8 = 69;
/// The configuration is wrong (`EX_CONFIG` of sysexits).
const CONFIG: u8 = 78;

#[derive(Debug, Parser)]
#[command(
    name = "huiliu",
    version,
    about = "Huiliu (汇流): many departments' spreadsheets in, one clean record per project out",
    after_help = "Examples:
  huiliu demo                                    see it work, in a fresh folder
  huiliu check pipelines/                        is the configuration right?
  huiliu test pipelines/                         do the pipelines do what their cases say?
  huiliu run pipelines/projects.yaml --data /srv/huiliu
  huiliu run pipelines/ --data /srv/huiliu --once
  huiliu deliveries --data /srv/huiliu           what came in, and what became of it
  huiliu quarantine list --data /srv/huiliu      rows that wait to be repaired
  huiliu review list --data /srv/huiliu          records that may be one, for you to say
  huiliu explain 2208-320412-89-01-011527 --data /srv/huiliu"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Log more (-v: debug, -vv: trace); HUILIU_LOG=module=level says it finer
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,

    /// Write the log as JSON lines
    #[arg(long, global = true)]
    log_json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch the folders and run the pipelines
    Run(run::RunArgs),
    /// Check pipelines without running them: exit code 0, or 78 and every mistake
    Check(check::CheckArgs),
    /// Play the cases beside pipelines: exit code 0, or 1 and every difference
    Test(test::TestArgs),
    /// Read one file and print its table: the reader alone
    Read(read::ReadArgs),
    /// List deliveries and what became of them
    Deliveries(deliveries::DeliveriesArgs),
    /// Rows that were refused: list, show, retry, discard
    Quarantine(quarantine::QuarantineArgs),
    /// What senders' headers mean: list, set, remove
    Mapping(mapping::MappingArgs),
    /// Pairs that may be one: list, show, accept, reject
    Review(review::ReviewArgs),
    /// Take a record apart again
    Unmerge(unmerge::UnmergeArgs),
    /// Sets a value of a record by hand, or takes that back
    Pin(pin::PinArgs),
    /// Tell a record's story: each value, where it came from, what it was before
    Explain(explain::ExplainArgs),
    /// List the stages at hand, or describe one
    Stages(stages::StagesArgs),
    /// Show the whole of it on sample deliveries, in a fresh folder
    Demo(demo::DemoArgs),
}

/// The data folder, for commands that look at a store.
#[derive(Debug, Args)]
struct DataArgs {
    /// Folder with the store, the inbox and the outputs
    #[arg(long, env = "HUILIU_DATA", default_value = "huiliu-data", value_name = "DIR")]
    data: PathBuf,

    /// Print JSON, for programs
    #[arg(long)]
    json: bool,

    /// Language of findings
    #[arg(long, env = "HUILIU_LANGUAGE", default_value = "zh", value_parser = ["zh", "en"])]
    language: String,
}

/// Where stages come from besides the program itself.
#[derive(Debug, Args)]
struct PluginArgs {
    /// Folder with plugins (shared libraries)
    #[arg(long, env = "HUILIU_PLUGINS", value_name = "DIR")]
    plugins: Option<PathBuf>,

    /// Leave the built-in stages out, to use those of the plugin folder in their place
    #[arg(long, hide = true)]
    without_builtin: bool,
}

/// Parses the command line and runs the command.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    // Cases play hundreds of deliveries: what happens to each is in the report, not in the log.
    let quiet = matches!(cli.command, Command::Test(_));
    if let Err(error) = output::start_log(cli.verbose, cli.log_json, quiet) {
        eprintln!("huiliu: {error}");
    }
    let done = match cli.command {
        Command::Run(args) => run::run(args),
        Command::Check(args) => check::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Read(args) => read::run(&args),
        Command::Deliveries(args) => deliveries::run(&args),
        Command::Quarantine(args) => quarantine::run(&args),
        Command::Mapping(args) => mapping::run(args),
        Command::Review(args) => review::run(args),
        Command::Unmerge(args) => unmerge::run(args),
        Command::Pin(args) => pin::run(args),
        Command::Explain(args) => explain::run(&args),
        Command::Stages(args) => stages::run(&args),
        Command::Demo(args) => demo::run(args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("huiliu: {error:#}");
        let store = error.downcast_ref::<huiliu_pipeline::ports::StoreError>().is_some();
        ExitCode::from(if store { UNAVAILABLE } else { FAILED })
    })
}
