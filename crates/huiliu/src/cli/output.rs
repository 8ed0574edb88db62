//! Tables for people, JSON for programs, the log on stderr.

use std::io::{IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// Starts the log. `HUILIU_LOG` outranks `-v`; `quiet` says that without them only faults are logged.
pub(super) fn start_log(verbose: u8, json: bool, quiet: bool) -> anyhow::Result<()> {
    let level = match verbose {
        0 if quiet => "error",
        0 => "warn,huiliu=info",
        1 => "info,huiliu=debug,huiliu_pipeline=debug,huiliu_store=debug",
        _ => "trace",
    };
    let filter = match std::env::var("HUILIU_LOG") {
        Ok(text) => text.parse::<EnvFilter>()?,
        Err(_) => EnvFilter::new(level),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let started = match json {
        true => log.json().try_init(),
        false => log.with_ansi(color).with_target(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
}

/// A table with these headings: framed on a terminal, plain columns elsewhere.
pub(super) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    let terminal = std::io::stdout().is_terminal();
    table.load_style(if terminal { presets::UTF8_FULL_CONDENSED } else { presets::NOTHING });
    table.set_content_arrangement(if terminal {
        ContentArrangement::Dynamic
    } else {
        ContentArrangement::Disabled
    });
    table.set_header(headings);
    table
}

/// Writes text to stdout. A reader that goes away (`| head`) is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    quiet(std::io::stdout().lock().write_all(text.as_bytes()))
}

/// A broken pipe is no error.
pub(super) fn quiet(done: std::io::Result<()>) -> anyhow::Result<()> {
    match done {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// Prints a table, or a sentence when it is empty.
pub(super) fn print_table(table: &Table, when_empty: &str) -> anyhow::Result<()> {
    match table.row_count() {
        0 => print(&format!("{when_empty}\n")),
        _ => print(&format!(
            "{}\n",
            table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
        )),
    }
}

/// Prints JSON, one document.
pub(super) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// A time for people, in the machine's time zone.
pub(super) fn time(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => {
            at.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        Err(_) => ms.to_string(),
    }
}
