//! The time zone by which a receipt prints times.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;

/// A time zone of the IANA database, such as `Asia/Shanghai`, which is also the default.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(TimeZone);

/// There is no time zone of that name.
#[derive(Debug, thiserror::Error)]
#[error("there is no time zone `{0}`; names are such as `Asia/Shanghai`")]
pub struct UnknownZone(String);

impl Default for Zone {
    fn default() -> Self {
        // Eight hours ahead the whole year, since 1991.
        Self("Asia/Shanghai".parse().map_or_else(|_| TimeZone::fixed(Offset::constant(8)), |Self(zone)| zone))
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        TimeZone::get(name).map(Self).map_err(|_| UnknownZone(name.to_owned()))
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, UnknownZone> {
        name.parse()
    }
}

impl Zone {
    /// Prints a time by `format`, in the manner of `strftime`; empty for a time outside the calendar.
    pub(super) fn print(&self, ms: i64, format: &str) -> String {
        let Ok(time) = Timestamp::from_millisecond(ms) else { return String::new() };
        time.to_zoned_datetime(self.0.clone()).strftime(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_by_the_clock_of_the_zone() {
        let format = "%Y-%m-%dT%H:%M:%S%:z";
        assert_eq!(Zone::default().print(1_717_200_000_000, format), "2024-06-01T08:00:00+08:00");
        let paris: Zone = "Europe/Paris".parse().unwrap();
        assert_eq!(paris.print(1_717_200_000_000, format), "2024-06-01T02:00:00+02:00");
        assert!("Asia/Shanghia".parse::<Zone>().is_err());
    }
}
