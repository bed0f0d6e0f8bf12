//! Cron schedules: five fields, and when they are next. Pure. What it does not understand it never runs.

use chrono::{DateTime, Datelike, DurationRound, TimeDelta, Timelike, Utc};

#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    minutes: Vec<u32>,
    hours: Vec<u32>,
    days: Vec<u32>,
    months: Vec<u32>,
    weekdays: Vec<u32>,
}

impl Schedule {
    pub fn parse(text: &str) -> Option<Schedule> {
        let text = match text.trim() {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
        Some(Schedule {
            minutes: field(minutes, 0, 59)?,
            hours: field(hours, 0, 23)?,
            days: field(days, 1, 31)?,
            months: field(months, 1, 12)?,
            weekdays: field(weekdays, 0, 6)?,
        })
    }

    /// The first minute after a moment that it names, within a year.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut time = after.duration_trunc(TimeDelta::minutes(1)).ok()? + TimeDelta::minutes(1);
        let end = after + TimeDelta::days(366);
        while time < end {
            if !self.names_day(time) {
                time = time.duration_trunc(TimeDelta::days(1)).ok()? + TimeDelta::days(1);
            } else if !self.hours.contains(&time.hour()) {
                time = time.duration_trunc(TimeDelta::hours(1)).ok()? + TimeDelta::hours(1);
            } else if self.minutes.contains(&time.minute()) {
                return Some(time);
            } else {
                time += TimeDelta::minutes(1);
            }
        }
        None
    }

    /// When both day fields are restricted, either is enough.
    fn names_day(&self, time: DateTime<Utc>) -> bool {
        let day = self.days.contains(&time.day());
        let weekday = self.weekdays.contains(&time.weekday().num_days_from_sunday());
        let days = match (self.days.len() < 31, self.weekdays.len() < 7) {
            (true, true) => day || weekday,
            _ => day && weekday,
        };
        self.months.contains(&time.month()) && days
    }
}

/// `*`, `*/5`, `1-5`, `10-40/10`, `1,15`.
fn field(text: &str, low: u32, high: u32) -> Option<Vec<u32>> {
    let mut values = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*", _) => (low, high),
            (_, Some((from, to))) => (from.parse().ok()?, to.parse().ok()?),
            (single, None) => {
                let value = single.parse().ok()?;
                (value, if part.contains('/') { high } else { value })
            }
        };
        if from < low || to > high || from > to {
            return None;
        }
        values.extend((from..=to).step_by(step));
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::clock;

    fn next(schedule: &str, after: &str) -> Option<String> {
        Schedule::parse(schedule)?.next(clock::parse(after).unwrap()).map(clock::stamp)
    }

    #[test]
    fn the_next_time() {
        let at = "2026-03-31T23:58:30Z";
        assert_eq!(next("*/2 * * * *", at).unwrap(), "2026-04-01T00:00:00Z");
        assert_eq!(next("59 23 * * *", at).unwrap(), "2026-03-31T23:59:00Z");
        assert_eq!(next("0 3 * * 1", at).unwrap(), "2026-04-06T03:00:00Z");
        assert_eq!(next("@monthly", at).unwrap(), "2026-04-01T00:00:00Z");
        assert_eq!(next("15,45 1-3 1 6 *", at).unwrap(), "2026-06-01T01:15:00Z");
        assert_eq!(next("0 0 31 2 *", at), None);
    }

    #[test]
    fn nonsense_is_none() {
        for text in ["", "* * * *", "60 * * * *", "*/0 * * * *", "5-1 * * * *", "a * * * *", "@never"] {
            assert_eq!(Schedule::parse(text), None, "{text:?}");
        }
    }
}
