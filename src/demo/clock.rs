//! The only place of the demo fleet that reads a clock.
//!
//! A cluster lives in logical time: its start plus a number of ticks. The scenario moves the ticks, and
//! every timestamp in every object comes from here; so the same seed gives the same day. An API server
//! without a scenario (as tests use it) runs on the wall's time instead. Nothing else asks what time it is.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// How long one tick of logical time lasts.
pub const TICK_MS: i64 = 500;

/// Ticks in a number of seconds.
pub const fn seconds(count: i64) -> i64 {
    count * 1000 / TICK_MS
}

/// What a cluster believes the time to be.
#[derive(Debug)]
pub struct Clock {
    start: DateTime<Utc>,
    /// Ticks since `start`; negative while the past is played. `None`: the wall's time.
    ticks: Option<AtomicI64>,
}

impl Clock {
    /// A clock that stands still at `start` until it is told the tick.
    pub fn logical(start: DateTime<Utc>) -> Clock {
        Clock { start, ticks: Some(AtomicI64::new(0)) }
    }

    /// A clock that follows the machine's.
    pub fn wall() -> Clock {
        Clock { start: wall(), ticks: None }
    }

    pub fn now(&self) -> DateTime<Utc> {
        match &self.ticks {
            Some(ticks) => self.at(ticks.load(Ordering::Relaxed)),
            None => wall(),
        }
    }

    /// The time at a tick.
    pub fn at(&self, tick: i64) -> DateTime<Utc> {
        self.start + TimeDelta::milliseconds(tick * TICK_MS)
    }

    /// The tick that a clock which runs with the wall's time would show.
    pub fn due(&self) -> i64 {
        (wall() - self.start).num_milliseconds().div_euclid(TICK_MS)
    }

    pub(in crate::demo) fn set(&self, tick: i64) {
        if let Some(ticks) = &self.ticks {
            ticks.store(tick, Ordering::Relaxed);
        }
    }
}

/// `2026-01-31T08:15:00Z`, as `metav1.Time` is written.
pub fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `2026-01-31T08:15:00.250000Z`, as `metav1.MicroTime` is written.
pub fn micro_stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A timestamp read back; `None` for anything that is not one.
pub fn parse(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc))
}

/// The time since `then` in the few characters `kubectl get` has for it: `42s`, `5m12s`, `3h`, `12d`.
pub fn age(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let total = (now - then).num_seconds();
    if total < -1 {
        return "<invalid>".to_owned();
    }
    let (s, m, h, d) = (total.max(0), total / 60, total / 3600, total / 86_400);
    match s {
        0..120 => format!("{s}s"),
        120..600 => two(m, "m", s % 60, "s"),
        600..10_800 => format!("{m}m"),
        10_800..28_800 => two(h, "h", m % 60, "m"),
        28_800..172_800 => format!("{h}h"),
        172_800..691_200 => two(d, "d", h % 24, "h"),
        691_200..63_072_000 => format!("{d}d"),
        63_072_000..252_288_000 => two(d / 365, "y", d % 365, "d"),
        _ => format!("{}y", d / 365),
    }
}

fn two(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit}{small}{small_unit}")
    }
}

#[expect(clippy::disallowed_methods, reason = "the demo fleet has its own clock, and this is it")]
pub fn wall() -> DateTime<Utc> {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_kubectl_prints_them() {
        let then = parse("2026-01-01T00:00:00Z").unwrap();
        let after = |seconds| age(then, then + TimeDelta::seconds(seconds));
        assert_eq!(after(0), "0s");
        assert_eq!(after(119), "119s");
        assert_eq!(after(130), "2m10s");
        assert_eq!(after(180), "3m");
        assert_eq!(after(3_600), "60m");
        assert_eq!(after(10_860), "3h1m");
        assert_eq!(after(86_400), "24h");
        assert_eq!(after(3 * 86_400 + 7_200), "3d2h");
        assert_eq!(after(30 * 86_400), "30d");
        assert_eq!(after(-5), "<invalid>");
    }

    #[test]
    fn logical_time_moves_only_when_told() {
        let clock = Clock::logical(parse("2026-01-01T00:00:00Z").unwrap());
        clock.set(seconds(90));
        assert_eq!(stamp(clock.now()), "2026-01-01T00:01:30Z");
        clock.set(-seconds(60));
        assert_eq!(stamp(clock.now()), "2025-12-31T23:59:00Z");
    }
}
