//! What the daemon does when nothing comes: it gives back the memory of code that ran once.
//!
//! Planning pipelines and reading a first delivery run through most of a large program; a daemon that waits for
//! next week's files needs almost none of it. Nothing is asked for while it waits: a delivery wakes this task.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;
use tracing::debug;

/// Nothing was answered for this long: the daemon is at rest.
const QUIET: Duration = Duration::from_secs(1);

/// Gives code pages back each time that nothing was `busy` for a while. Never ends.
pub(super) async fn rest(busy: Arc<Notify>) {
    loop {
        while timeout(QUIET, busy.notified()).await.is_ok() {}
        match huiliu_abi::release_code() {
            Ok(bytes) => debug!(bytes, "at rest, code pages given back"),
            Err(error) => debug!(%error, "code pages cannot be given back"),
        }
        busy.notified().await;
    }
}
