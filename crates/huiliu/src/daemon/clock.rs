//! The one clock of the daemon.
//!
//! What is recorded and compared (receipt times, deadlines) asks here and nowhere else. Tests set it with
//! `HUILIU_NOW`; waiting and settling use the system's monotonic clock and are not affected.

use std::time::{SystemTime, UNIX_EPOCH};

use huiliu_pipeline::run::Now;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Tells the time of day.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    /// The system's.
    System,
    /// Standing still, milliseconds since 1970 UTC.
    Fixed(i64),
}

impl Clock {
    /// From `HUILIU_NOW` (such as `2026-11-23T08:00:00Z`) if it is set, else the system's.
    ///
    /// # Errors
    /// The variable is set to something that is not a time.
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        match std::env::var("HUILIU_NOW") {
            Err(_) => Ok(Self::System),
            Ok(text) => {
                let at: Timestamp = text.parse().map_err(|error| {
                    anyhow::anyhow!(
                        "HUILIU_NOW is `{text}`, a time such as 2026-11-23T08:00:00Z is needed: {error}"
                    )
                })?;
                Ok(Self::Fixed(at.as_millisecond()))
            }
        }
    }

    /// Milliseconds since 1970 UTC.
    pub(crate) fn now_ms(self) -> i64 {
        match self {
            Self::Fixed(at) => at,
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
        }
    }

    /// Now, for stages of a pipeline in `zone`.
    pub(crate) fn now_in(self, zone: &TimeZone) -> Now {
        let utc_ms = self.now_ms();
        let at = Timestamp::from_millisecond(utc_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        Now { utc_ms, offset_ms: i64::from(zone.to_offset(at).seconds()) * 1000 }
    }
}
