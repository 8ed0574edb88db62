//! The one clock of the daemon.
//!
//! What is recorded and compared (receipt times, deadlines, ticks of schedules) asks here and nowhere else. Tests set
//! it with `HUILIU_NOW`: a time, at which it stands still, or `@FILE`, a file that holds the time and may be written
//! again. Settling of files uses the system's monotonic clock and is not affected.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use huiliu_pipeline::run::Now;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How often a clock that others set is looked at while something waits for it.
const LOOK: Duration = Duration::from_millis(20);
/// Longest sleep for a time of the system's clock, which may be set meanwhile, or the machine may sleep.
const LONGEST: Duration = Duration::from_secs(30);

/// Tells the time of day.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// The system's.
    System,
    /// Standing still, milliseconds since 1970 UTC.
    Fixed(i64),
    /// Set by others: a file that holds the time, and the last time that could be read in it.
    Set(Arc<PathBuf>, Arc<std::sync::atomic::AtomicI64>),
}

impl Clock {
    /// From `HUILIU_NOW` (such as `2026-11-23T08:00:00Z`, or `@FILE`) if it is set, else the system's.
    ///
    /// # Errors
    /// The variable is set to something that is not a time, or to a file without one.
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        match std::env::var("HUILIU_NOW") {
            Err(_) => Ok(Self::System),
            Ok(text) => match text.strip_prefix('@') {
                None => Ok(Self::Fixed(parse(&text)?)),
                Some(file) => {
                    let at = parse(&std::fs::read_to_string(file).map_err(|error| {
                        anyhow::anyhow!("HUILIU_NOW names `{file}`, which cannot be read: {error}")
                    })?)?;
                    Ok(Self::Set(Arc::new(file.into()), Arc::new(at.into())))
                }
            },
        }
    }

    /// Milliseconds since 1970 UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        use std::sync::atomic::Ordering::Relaxed;
        match self {
            Self::Fixed(at) => *at,
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
            Self::Set(file, last) => {
                // Read in the middle of being written it stands still for a moment.
                if let Some(at) = std::fs::read_to_string(&**file).ok().and_then(|text| parse(&text).ok()) {
                    last.store(at, Relaxed);
                }
                last.load(Relaxed)
            }
        }
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Now, for stages of a pipeline in `zone`.
    pub(crate) fn now_in(&self, zone: &TimeZone) -> Now {
        at_in(self.now_ms(), zone)
    }

    /// Sleeps until it may be `then`; whoever waits looks at the clock again.
    pub(crate) async fn nap(&self, then: Timestamp) {
        match self {
            Self::System => {
                let left = then.as_millisecond().saturating_sub(self.now_ms()).max(1);
                tokio::time::sleep(Duration::from_millis(left.unsigned_abs()).min(LONGEST)).await;
            }
            Self::Set(..) => tokio::time::sleep(LOOK).await,
            Self::Fixed(_) => std::future::pending().await,
        }
    }
}

/// A time, for stages of a pipeline in `zone`.
pub(crate) fn at_in(utc_ms: i64, zone: &TimeZone) -> Now {
    let at = Timestamp::from_millisecond(utc_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    Now { utc_ms, offset_ms: i64::from(zone.to_offset(at).seconds()) * 1000 }
}

fn parse(text: &str) -> anyhow::Result<i64> {
    let text = text.trim();
    let at: Timestamp = text.parse().map_err(|error| {
        anyhow::anyhow!("HUILIU_NOW is `{text}`, a time such as 2026-11-23T08:00:00Z is needed: {error}")
    })?;
    Ok(at.as_millisecond())
}
