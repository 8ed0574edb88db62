//! What is asked for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::Value;

/// Measures what records cost that come to a linkage which knows many.
#[derive(Parser)]
#[command(after_help = "Examples:
  cargo run --release -p huiliu --example warm_linkage -- zh-projects-1m
  cargo run --release -p huiliu --example warm_linkage -- zh-projects-1m --late 0 --single 5000 --memory")]
pub(crate) struct Arguments {
    /// A folder with `records.csv`: id, mostly source, fields
    pub(crate) dataset: PathBuf,
    /// What is compared, as JSON [default: as shipped for zh-projects]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// So many of the last records come in large deliveries
    #[arg(long, default_value_t = 10_000, value_name = "RECORDS")]
    pub(crate) late: usize,
    /// Records of all sources that come together
    #[arg(long, default_value_t = 10_000, value_name = "RECORDS")]
    pub(crate) batch: usize,
    /// So many of the last records come one by one
    #[arg(long, default_value_t = 1_000, value_name = "RECORDS")]
    pub(crate) single: usize,
    /// Keep the state in memory: nothing is committed
    #[arg(long)]
    pub(crate) memory: bool,
    /// Where the store lies [default: /dev/shm, or the system's folder for temporary files]
    #[arg(long)]
    dir: Option<PathBuf>,
}

impl Arguments {
    /// What is compared.
    pub(crate) fn link(&self) -> Result<Value> {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dedup/examples/linkage");
        let path = self.config.clone().unwrap_or_else(|| shipped.join("zh-projects.json"));
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
    }

    /// A folder for the store, which goes when the program ends.
    pub(crate) fn folder(&self) -> Result<tempfile::TempDir> {
        let shm = Some(PathBuf::from("/dev/shm")).filter(|shm| shm.is_dir());
        let dir = self.dir.clone().or(shm).unwrap_or_else(std::env::temp_dir);
        tempfile::tempdir_in(&dir).with_context(|| format!("cannot make a folder in {}", dir.display()))
    }
}
