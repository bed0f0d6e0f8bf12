//! The log of one run of a container, computed instead of kept: which lines lie between two moments.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::training::Training;
use super::voices::{Voice, hash};
use super::{Program, json};

/// Kubelets rotate logs; what is older than so many lines is gone.
const KEPT: i64 = 2_000;
const OPENING_MILLIS: i64 = 400;

/// One run of one container, from its start to its end, or to now.
#[derive(Debug)]
pub struct Log {
    voice: Voice,
    training: Training,
    seed: u64,
    start: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
}

impl Log {
    pub fn new(pod: &Value, container: &Value, start: DateTime<Utc>, end: Option<DateTime<Utc>>) -> Log {
        let once = json::text(pod, "/spec/restartPolicy") != "Always";
        let seed =
            hash(&[json::text(pod, "/metadata/uid"), json::text(container, "/name"), &start.to_rfc3339()]);
        Log { voice: Program::of(container, once).voice, training: Training::of(container), seed, start, end }
    }

    /// The lines after one moment up to another, oldest first.
    pub fn between(
        &self,
        after: Option<DateTime<Utc>>,
        until: DateTime<Utc>,
    ) -> Vec<(DateTime<Utc>, String)> {
        let until = self.end.map_or(until, |end| end.min(until));
        let last = self.number_at(until);
        let first = after.map_or(0, |after| self.number_at(after));
        (first.max(last - KEPT)..last).map(|number| (self.time_of(number), self.line(number))).collect()
    }

    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// How many lines there are at a moment.
    fn number_at(&self, time: DateTime<Utc>) -> i64 {
        let millis = (time - self.start).num_milliseconds();
        let opening = self.voice.opening().len() as i64;
        let mut count = (millis / OPENING_MILLIS).clamp(0, opening);
        if let Some(period) = self.voice.period_millis() {
            count += ((millis - opening * OPENING_MILLIS) / period).max(0);
        }
        count
    }

    fn millis_of(&self, number: i64) -> i64 {
        let opening = self.voice.opening().len() as i64;
        let spoken = (number + 1).min(opening) * OPENING_MILLIS;
        spoken + (number + 1 - opening).max(0) * self.voice.period_millis().unwrap_or(0)
    }

    fn time_of(&self, number: i64) -> DateTime<Utc> {
        self.start + TimeDelta::milliseconds(self.millis_of(number))
    }

    fn line(&self, number: i64) -> String {
        let opening = self.voice.opening();
        let stamp = self.time_of(number).format("%Y-%m-%d %H:%M:%S");
        match usize::try_from(number).ok().and_then(|number| opening.get(number)) {
            Some(line)
                if line.starts_with(' ') || line.contains("Error:") || line.starts_with("Traceback") =>
            {
                (*line).to_owned()
            }
            Some(line) => format!("{stamp} {line}"),
            None => {
                let number = number - opening.len() as i64;
                let millis = self.millis_of(number + opening.len() as i64);
                format!("{stamp} {}", self.voice.line(self.seed, number, millis, &self.training))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::clock;
    use serde_json::json;

    fn log(image: &str) -> Log {
        let container = json!({"name": "a", "image": image, "env": [{"name": "JOB_NAME", "value": "bert"}]});
        let pod =
            json!({"metadata": {"uid": "u"}, "spec": {"restartPolicy": "Always", "containers": [container]}});
        Log::new(&pod, &container, clock::parse("2026-01-01T00:00:00Z").unwrap(), None)
    }

    #[test]
    fn what_is_followed_is_what_is_read_later() {
        let log = log("x/ml-inference:v2.4.1");
        let at = |seconds| log.start + TimeDelta::seconds(seconds);
        let whole = log.between(None, at(60));
        let mut followed = Vec::new();
        for second in 0..60 {
            followed.extend(log.between(Some(at(second)), at(second + 1)));
        }
        assert_eq!(whole, followed);
        assert!(whole.len() > 30 && whole.is_sorted_by_key(|(time, _)| *time));
    }

    #[test]
    fn a_crash_tells_why() {
        let log = log("x/reranker:v0.7.0");
        let lines = log.between(None, log.start + TimeDelta::seconds(60));
        assert!(lines.last().unwrap().1.starts_with("FileNotFoundError"));
        assert_eq!(lines.len(), Voice::CrashMissingTokenizer.opening().len());
    }
}
