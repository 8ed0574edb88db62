//! What is asked for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The words behind the program's name.
pub(crate) struct Arguments {
    pub(crate) dataset: PathBuf,
    config: PathBuf,
    pub(crate) late: usize,
    pub(crate) batch: usize,
    pub(crate) single: usize,
    pub(crate) memory: bool,
    dir: PathBuf,
}

impl Arguments {
    pub(crate) fn read() -> Result<Self> {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dedup/examples/linkage");
        let shm = Path::new("/dev/shm");
        let mut arguments = Self {
            dataset: PathBuf::new(),
            config: shipped.join("zh-projects.json"),
            late: 10_000,
            batch: 10_000,
            single: 1_000,
            memory: false,
            dir: if shm.is_dir() { shm.to_owned() } else { std::env::temp_dir() },
        };
        let mut given = std::env::args().skip(1);
        while let Some(word) = given.next() {
            let mut value = || given.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--config" => arguments.config = value()?.into(),
                "--late" => arguments.late = value()?.parse()?,
                "--batch" => arguments.batch = value()?.parse()?,
                "--single" => arguments.single = value()?.parse()?,
                "--dir" => arguments.dir = value()?.into(),
                "--memory" => arguments.memory = true,
                _ if word.starts_with("--") => bail!("there is no {word}"),
                _ => arguments.dataset = word.into(),
            }
        }
        Ok(arguments)
    }

    /// What is compared.
    pub(crate) fn link(&self) -> Result<Value> {
        let text = fs::read_to_string(&self.config)
            .with_context(|| format!("cannot read {}", self.config.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no JSON", self.config.display()))
    }

    /// A folder for the store, which goes when the program ends.
    pub(crate) fn folder(&self) -> Result<tempfile::TempDir> {
        tempfile::tempdir_in(&self.dir)
            .with_context(|| format!("cannot make a folder in {}", self.dir.display()))
    }
}
