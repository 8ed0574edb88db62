//! The past of projects: read at once while they are few, else asked for one by one.

use hashbrown::HashMap;
use huiliu_stage::{Host, StageError};

use super::past::Past;

/// Most projects whose past is held in memory; of more each is asked for by itself.
const HELD: usize = 200_000;

/// The past of projects, as far as it was read.
#[derive(Default)]
pub(super) struct Known {
    read: bool,
    /// Whether all there is was read, so that what is not here is not anywhere.
    all: bool,
    pasts: HashMap<String, Past>,
}

impl Known {
    /// Reads what there is, once: a scan is much quicker than asking for each project.
    pub(super) fn read(&mut self, host: &dyn Host) -> Result<(), StageError> {
        if std::mem::replace(&mut self.read, true) {
            return Ok(());
        }
        self.all = true;
        let mut broken = None;
        host.state_scan(b"p/", &mut |key, value| {
            match (std::str::from_utf8(&key[2..]), serde_json::from_slice::<Past>(value)) {
                (Ok(key), Ok(past)) => drop(self.pasts.insert(key.to_owned(), past)),
                (_, Err(error)) => broken = Some(error.to_string()),
                (Err(error), _) => broken = Some(error.to_string()),
            }
            self.all = self.pasts.len() < HELD;
            self.all && broken.is_none()
        })?;
        broken.map_or(Ok(()), |why| {
            Err(StageError::new(format!("what is remembered of a project is broken: {why}")))
        })
    }

    pub(super) fn past(&self, host: &dyn Host, key: &str) -> Result<Past, StageError> {
        if let Some(past) = self.pasts.get(key) {
            return Ok(past.clone());
        }
        match if self.all { None } else { host.state_get(format!("p/{key}").as_bytes())? } {
            None => Ok(Past::default()),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                StageError::new(format!("what is remembered of project `{key}` is broken: {error}"))
            }),
        }
    }

    pub(super) fn keep(&mut self, host: &dyn Host, key: &str, past: Past) -> Result<(), StageError> {
        let bytes = serde_json::to_vec(&past).map_err(|error| StageError::new(error.to_string()))?;
        host.state_put(format!("p/{key}").as_bytes(), &bytes)?;
        if self.pasts.len() < HELD || self.pasts.contains_key(key) {
            self.pasts.insert(key.to_owned(), past);
        } else {
            self.all = false;
        }
        Ok(())
    }
}
