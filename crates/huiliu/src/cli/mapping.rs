//! `huiliu mapping`: what senders' headers mean, where a person has said so.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use huiliu_store::{Mapping, SqliteStore};

use super::{DataArgs, output};
use crate::daemon::clock::Clock;

/// A header that the reader did not know, or took for another field, is named once and remembered.
///
/// How the columns of a delivery were understood is in its receipt. What is said here goes before all that the reader
/// would find by itself, from the sender's next file on, and is shown in its receipts as confirmed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  huiliu mapping set projects 投资额 total_investment --data /srv/huiliu
  huiliu mapping set projects 进度 progress_text --sender 住建局 --data /srv/huiliu
  huiliu mapping list --data /srv/huiliu
  huiliu mapping remove projects 投资额 --data /srv/huiliu")]
pub(super) struct MappingArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what was confirmed
    List {
        /// Only this pipeline's
        #[arg(long)]
        pipeline: Option<String>,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Remember that a header names a field
    Set {
        #[command(flatten)]
        what: What,
        /// The field of the record schema that it names
        field: String,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Forget what was confirmed
    Remove {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        data: DataArgs,
    },
}

#[derive(Debug, Args)]
struct What {
    /// Name of the pipeline
    pipeline: String,
    /// The header as it was sent
    header: String,
    /// Only in files of this sender; else of all
    #[arg(long, default_value = "")]
    sender: String,
}

pub(super) fn run(args: MappingArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List { pipeline, data } => list(pipeline.as_deref(), &data)?,
        Command::Set { what, field, data } => {
            let mapping = Mapping {
                pipeline: what.pipeline,
                sender: what.sender,
                header: what.header.trim().to_owned(),
                field,
                confirmed_ms: Clock::from_env()?.now_ms(),
            };
            if mapping.header.is_empty() {
                bail!("a header without text cannot be remembered; give the column a name in the file");
            }
            SqliteStore::open_shared(&data.data)?.set_mapping(&mapping)?;
            if data.json {
                output::print_json(&mapping)?;
            } else {
                output::print(&format!("`{}` is `{}` from now on\n", mapping.header, mapping.field))?;
            }
        }
        Command::Remove { what, data } => {
            let store = SqliteStore::open_shared(&data.data)?;
            if !store.remove_mapping(&what.pipeline, &what.sender, what.header.trim())? {
                bail!("nothing was confirmed for `{}`; `huiliu mapping list` shows what was", what.header);
            }
            output::print("forgotten\n")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(pipeline: Option<&str>, data: &DataArgs) -> anyhow::Result<()> {
    let found = SqliteStore::open_reader(&data.data)?.mappings(pipeline)?;
    if data.json {
        return output::print_json(&found);
    }
    let mut table = output::table(&["pipeline", "sender", "header", "field", "confirmed"]);
    for mapping in found {
        let sender = if mapping.sender.is_empty() { "(all)".to_owned() } else { mapping.sender };
        table.add_row([
            mapping.pipeline,
            sender,
            mapping.header,
            mapping.field,
            output::time(mapping.confirmed_ms),
        ]);
    }
    output::print_table(&table, "nothing was confirmed yet")
}
