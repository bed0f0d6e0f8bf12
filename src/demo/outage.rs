//! Which cluster stops answering, when, and for how long: by the seed and the tick.

use super::clock::seconds;

/// Not before this, so that a newcomer sees the whole fleet first.
const FIRST: i64 = seconds(90);

#[derive(Debug)]
pub struct Outages {
    random: fastrand::Rng,
    clusters: usize,
    current: Outage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    pub cluster: usize,
    /// The first tick of silence, and the first of speech again.
    pub from: i64,
    pub until: i64,
}

impl Outages {
    pub fn new(seed: u64, clusters: usize) -> Outages {
        let mut random = fastrand::Rng::with_seed(seed ^ 0x6f75_7461_6765);
        let from = FIRST + seconds(random.i64(0..60));
        let current = Outage::begin(&mut random, clusters, from);
        Outages { random, clusters, current }
    }

    /// The cluster that is silent at a tick, if one is. Ticks may only grow.
    pub fn silent_at(&mut self, tick: i64) -> Option<usize> {
        while tick >= self.current.until {
            let from = self.current.until + seconds(self.random.i64(150..300));
            self.current = Outage::begin(&mut self.random, self.clusters, from);
        }
        (tick >= self.current.from && self.clusters > 0).then_some(self.current.cluster)
    }
}

impl Outage {
    fn begin(random: &mut fastrand::Rng, clusters: usize, from: i64) -> Outage {
        let length = seconds(random.i64(40..=70));
        Outage { cluster: random.usize(..clusters.max(1)), from, until: from + length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_comes_late_is_short_and_repeats_with_the_seed() {
        let hour = || {
            let mut outages = Outages::new(7, 3);
            (0..seconds(3_600)).map(|tick| outages.silent_at(tick)).collect::<Vec<_>>()
        };
        let ticks = hour();
        assert_eq!(ticks, hour());
        assert!(ticks[..seconds(90) as usize].iter().all(Option::is_none));
        let lengths: Vec<usize> = ticks
            .chunk_by(|left, right| left == right)
            .filter(|run| run[0].is_some())
            .map(<[_]>::len)
            .collect();
        assert!(lengths.len() >= 8, "{lengths:?}");
        let full = &lengths[..lengths.len() - 1];
        assert!(
            full.iter().all(|length| (seconds(40)..=seconds(70)).contains(&(*length as i64))),
            "{lengths:?}"
        );
    }
}
