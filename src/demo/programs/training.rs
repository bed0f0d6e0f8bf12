//! A training run as a function of time: step, loss, speed. The trainer's log and the status of its
//! TrainingJob are read from the same curve, so that they agree.

use serde_json::Value;

use super::voices::hash;
use crate::demo::json;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Training {
    pub seed: u64,
    pub steps: i64,
    pub step_millis: i64,
}

impl Training {
    pub fn new(name: &str, steps: i64, step_millis: i64) -> Training {
        Training {
            seed: hash(&[name]),
            steps: steps.clamp(1, 100_000_000),
            step_millis: step_millis.clamp(1, 3_600_000),
        }
    }

    /// From the environment of a trainer's container.
    pub fn of(container: &Value) -> Training {
        let env = |name: &str| {
            let all = json::list(container, "/env");
            all.iter().find(|entry| entry["name"] == name).map_or("", |entry| json::text(entry, "/value"))
        };
        let number = |name: &str, otherwise: i64| env(name).parse().unwrap_or(otherwise);
        Training::new(env("JOB_NAME"), number("MAX_STEPS", 2_000), number("STEP_MILLIS", 250))
    }

    pub fn seconds(&self) -> i64 {
        (self.steps * self.step_millis / 1000).max(1)
    }

    /// The step reached after some time of running.
    pub fn step_after(&self, millis: i64) -> i64 {
        (millis / self.step_millis).clamp(0, self.steps)
    }

    pub fn loss(&self, step: i64) -> f64 {
        let (start, end) = (2.2 + unit(self.seed) * 6.0, 0.35 + unit(self.seed >> 8) * 1.2);
        let decay = (-5.0 * step as f64 / self.steps as f64).exp();
        let noise = (unit(hash(&[&step.to_string()]) ^ self.seed) - 0.5) * 0.06;
        round((end + (start - end) * decay) * (1.0 + noise), 4)
    }

    pub fn accuracy(&self, step: i64) -> f64 {
        let best = 0.82 + unit(self.seed >> 16) * 0.14;
        round(best * (1.0 - (-4.0 * step as f64 / self.steps as f64).exp()), 4)
    }

    pub fn samples_per_second(&self, step: i64) -> f64 {
        let wobble = (unit(hash(&[&step.to_string(), "speed"]) ^ self.seed) - 0.5) * 0.04;
        round(64_000.0 / self.step_millis as f64 * (1.0 + wobble), 1)
    }

    pub fn learning_rate(&self, step: i64) -> f64 {
        let (warmup, peak) = (self.steps as f64 * 0.05, 3e-4);
        let step = step as f64;
        if step < warmup { peak * step / warmup } else { peak * (1.0 - (step - warmup) / self.steps as f64) }
    }
}

fn unit(bits: u64) -> f64 {
    (bits % 10_007) as f64 / 10_007.0
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_gets_better_and_ends() {
        let run = Training::new("bert-finetune-7", 4_000, 250);
        assert_eq!(run.seconds(), 1_000);
        assert!(run.loss(0) > run.loss(2_000) && run.loss(2_000) > run.loss(4_000));
        assert!(run.accuracy(4_000) > run.accuracy(100));
        assert_eq!(run.step_after(1_000_000_000), 4_000);
        assert_eq!(run, Training::new("bert-finetune-7", 4_000, 250));
    }
}
