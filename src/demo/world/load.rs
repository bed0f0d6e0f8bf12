//! How busy the services are: a curve over the day for each, between 0 and 1. Autoscalers follow it.

use std::f64::consts::TAU;

use crate::demo::clock::seconds;
use crate::demo::programs::hash;

/// A demo's day is short, so that something moves while one looks.
const DAY: i64 = seconds(14 * 60);

pub struct Load {
    offset: u64,
}

impl Load {
    pub fn new(random: &mut fastrand::Rng) -> Load {
        Load { offset: random.u64(..) }
    }

    /// The share of its greatest demand that a service has at a tick.
    pub fn demand(&self, service: &str, tick: i64) -> f64 {
        let own = hash(&[service]) ^ self.offset;
        let phase = (own % 1_000) as f64 / 1_000.0;
        let wave = (TAU * (tick as f64 / DAY as f64 + phase)).sin();
        let bucket = tick.div_euclid(seconds(30)).to_string();
        let noise = (hash(&[service, &bucket]) % 1_000) as f64 / 1_000.0 - 0.5;
        (0.5 + 0.42 * wave + 0.12 * noise).clamp(0.02, 1.0)
    }
}
