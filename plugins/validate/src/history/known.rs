//! The past of projects: read at once while they are few, else asked for one by one.

use hashbrown::HashMap;
use huiliu_stage::{Host, StageError};

use super::past::Past;
use super::stored;

/// Most projects whose past is held in memory; of more each is asked for by itself.
const HELD: usize = 200_000;
/// What the keys of pasts begin with in the state.
pub(super) const PREFIX: &str = "p/";

/// The past of projects, as far as it was read. Keys are those of the state.
#[derive(Default)]
pub(super) struct Known {
    read: bool,
    /// Whether all there is was read, so that what is not here is not anywhere.
    all: bool,
    pasts: HashMap<String, Past>,
    /// What is written next; kept for its room.
    bytes: Vec<u8>,
}

impl Known {
    /// Reads what there is, once: a scan is much quicker than asking for each project.
    pub(super) fn read(&mut self, host: &dyn Host) -> Result<(), StageError> {
        if std::mem::replace(&mut self.read, true) {
            return Ok(());
        }
        self.all = true;
        let mut broken = None;
        host.state_scan(PREFIX.as_bytes(), &mut |key, value| {
            match (std::str::from_utf8(key), stored::read(value)) {
                (Ok(key), Ok(past)) => drop(self.pasts.insert(key.to_owned(), past)),
                (_, Err(why)) => broken = Some(why),
                (Err(error), _) => broken = Some(error.to_string()),
            }
            self.all = self.pasts.len() < HELD;
            self.all && broken.is_none()
        })?;
        broken.map_or(Ok(()), |why| {
            Err(StageError::new(format!("what is remembered of a project is broken: {why}")))
        })
    }

    /// The past of a project, which is taken out: it comes back with [`keep`](Self::keep) or [`forget`](Self::forget).
    pub(super) fn take(&mut self, host: &dyn Host, key: &str) -> Result<Past, StageError> {
        match self.pasts.get_mut(key) {
            Some(past) => Ok(std::mem::take(past)),
            None if self.all => Ok(Past::default()),
            None => stored_past(host, key),
        }
    }

    /// Remembers what a project's past has become.
    pub(super) fn keep(&mut self, host: &dyn Host, key: &str, past: Past) -> Result<(), StageError> {
        stored::write(&past, &mut self.bytes);
        host.state_put(key.as_bytes(), &self.bytes)?;
        if let Some(held) = self.pasts.get_mut(key) {
            *held = past;
        } else if self.pasts.len() < HELD {
            self.pasts.insert(key.to_owned(), past);
        } else {
            self.all = false;
        }
        Ok(())
    }

    /// Leaves a project's past as it was before it was taken.
    pub(super) fn forget(&mut self, host: &dyn Host, key: &str) -> Result<(), StageError> {
        if let Some(held) = self.pasts.get_mut(key) {
            *held = stored_past(host, key)?;
        }
        Ok(())
    }
}

/// What the state says of a project.
fn stored_past(host: &dyn Host, key: &str) -> Result<Past, StageError> {
    let Some(bytes) = host.state_get(key.as_bytes())? else { return Ok(Past::default()) };
    stored::read(&bytes).map_err(|why| {
        let key = key.strip_prefix(PREFIX).unwrap_or(key);
        StageError::new(format!("what is remembered of project `{key}` is broken: {why}"))
    })
}
