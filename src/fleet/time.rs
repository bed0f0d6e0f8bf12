//! Moments and ages. Time is data here: the core never reads a clock, it is told.
//!
//! There are two clocks because they answer different questions. [`Mono`] tells how long ago something
//! arrived at this console and never jumps; [`Unix`] is what Kubernetes writes into its objects.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Milliseconds since the program began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mono(pub u64);

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Unix(pub i64);

/// Both clocks, read at one moment by the shell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    pub mono: Mono,
    pub unix: Unix,
}

/// A length of time, in whole seconds; never negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Age(pub u64);

impl Mono {
    #[must_use]
    pub fn plus_secs(self, secs: u64) -> Self {
        Self(self.0 + secs * 1000)
    }
}

impl Unix {
    /// RFC 3339 in UTC with seconds, as Kubernetes writes it; `?` when the year is out of range.
    pub fn rfc3339(self) -> String {
        self.utc().map_or_else(|| "?".into(), |utc| utc.format("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    /// `14:02:11Z`, for the header.
    pub fn clock(self) -> String {
        self.utc().map_or_else(|| "?".into(), |utc| utc.format("%H:%M:%SZ").to_string())
    }

    /// An RFC 3339 time, with any offset and fraction.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|time| Self(time.timestamp()))
    }

    /// A date of HTTP, as of the `Date` header.
    pub fn parse_http(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc2822(text).ok().map(|time| Self(time.timestamp()))
    }

    /// `2026-10-27`.
    pub fn date(self) -> String {
        self.utc().map_or_else(|| "?".into(), |utc| utc.format("%Y-%m-%d").to_string())
    }

    /// How long it is until `later`; zero when that has passed.
    pub fn until(self, later: Self) -> Age {
        Age(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }

    fn utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.0, 0)
    }
}

impl Now {
    /// How long ago `then` was heard.
    pub fn since(self, then: Mono) -> Age {
        Age(self.mono.0.saturating_sub(then.0) / 1000)
    }

    /// How long ago `then` was; zero for the future, since clocks of servers run ahead a little.
    pub fn age_of(self, then: Unix) -> Age {
        Age(u64::try_from(self.unix.0.saturating_sub(then.0)).unwrap_or(0))
    }

    /// The wall-clock time of a moment on the console's own clock.
    pub fn unix_of(self, then: Mono) -> Unix {
        Unix(self.unix.0 - self.since(then).0 as i64)
    }
}

impl Age {
    pub const MINUTE: Self = Self(60);
    pub const HOUR: Self = Self(3600);
    pub const DAY: Self = Self(24 * 3600);

    /// Reads what [`Age`]'s `Display` writes, and any sum of `d`, `h`, `m`, `s` parts: `90s`, `1h30m`, `2d`.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut total, mut digits) = (0u64, String::new());
        if text.is_empty() {
            return None;
        }
        for character in text.chars() {
            if character.is_ascii_digit() {
                digits.push(character);
                continue;
            }
            let unit = match character {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 24 * 3600,
                'w' => 7 * 24 * 3600,
                _ => return None,
            };
            total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
            digits.clear();
        }
        digits.is_empty().then_some(Self(total))
    }
}

/// Two units at most, the way `kubectl` does it: `12s`, `2m14s`, `1h12m`, `3d4h`, `120d`.
impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, hours) = (self.0 / 86_400, self.0 / 3600 % 24);
        let (minutes, seconds) = (self.0 / 60 % 60, self.0 % 60);
        let text = match (days, self.0 / 3600, self.0 / 60) {
            (8.., ..) => format!("{days}d"),
            (1.., ..) if hours == 0 => format!("{days}d"),
            (1.., ..) => format!("{days}d{hours}h"),
            (0, 8.., _) => format!("{hours}h"),
            (0, 1.., _) if minutes == 0 => format!("{hours}h"),
            (0, 1.., _) => format!("{hours}h{minutes}m"),
            (0, 0, 10..) => format!("{minutes}m"),
            (0, 0, 1..) if seconds == 0 => format!("{minutes}m"),
            (0, 0, 1..) => format!("{minutes}m{seconds}s"),
            (0, 0, 0) => format!("{seconds}s"),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_like_kubectl() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (134, "2m14s"),
            (599, "9m59s"),
            (600, "10m"),
            (3600, "1h"),
            (4320, "1h12m"),
            (8 * 3600 + 60, "8h"),
            (86_400 + 4 * 3600, "1d4h"),
            (120 * 86_400, "120d"),
        ] {
            assert_eq!(Age(seconds).to_string(), text);
        }
    }

    #[test]
    fn ages_are_read_back() {
        assert_eq!(Age::parse("1h30m"), Some(Age(5400)));
        assert_eq!(Age::parse("2d"), Some(Age(172_800)));
        for wrong in ["", "5", "h", "1x", "m5", "99999999999999999999s"] {
            assert_eq!(Age::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_clock_that_runs_ahead_gives_no_negative_age() {
        let now = Now { mono: Mono(5000), unix: Unix(100) };
        assert_eq!(now.age_of(Unix(130)), Age(0));
        assert_eq!(now.since(Mono(9000)), Age(0));
        assert_eq!(now.unix_of(Mono(2000)), Unix(97));
    }

    #[test]
    fn times_are_those_of_kubernetes() {
        let time = Unix::parse("2026-03-08T07:29:49Z").unwrap();
        assert_eq!(time.rfc3339(), "2026-03-08T07:29:49Z");
        assert_eq!(time.clock(), "07:29:49Z");
        assert_eq!(Unix::parse("2026-03-08T07:29:49.123456+02:00"), Some(Unix(time.0 - 7200)));
        assert_eq!(Unix::parse("yesterday"), None);
    }
}
