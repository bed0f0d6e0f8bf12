//! Read-only until unlocked: by cluster, for this session, for a while.

use std::collections::BTreeMap;

use super::Policy;
use crate::fleet::{Age, ClusterId, Mono, Now};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unlocks {
    /// When each was last used.
    used: BTreeMap<ClusterId, Mono>,
}

impl Unlocks {
    pub fn open(&mut self, cluster: ClusterId, now: Now) {
        self.used.insert(cluster, now.mono);
    }

    pub fn close(&mut self, cluster: ClusterId) {
        self.used.remove(&cluster);
    }

    /// It was used, so it stays open; one that is closed stays closed.
    pub fn touch(&mut self, cluster: ClusterId, now: Now, policy: &Policy) {
        if self.left(cluster, now, policy).is_some() {
            self.open(cluster, now);
        }
    }

    /// How long it stays open; `None` when it is read-only.
    pub fn left(&self, cluster: ClusterId, now: Now, policy: &Policy) -> Option<Age> {
        let idle = now.since(*self.used.get(&cluster)?);
        policy.unlock_for.0.checked_sub(idle.0).filter(|left| *left > 0).map(Age)
    }

    pub fn is_open(&self, cluster: ClusterId, now: Now, policy: &Policy) -> bool {
        self.left(cluster, now, policy).is_some()
    }

    /// Forgets what has run out; says whether anything did.
    pub fn expire(&mut self, now: Now, policy: &Policy) -> bool {
        let before = self.used.len();
        let open: Vec<_> = self.used.keys().filter(|id| self.is_open(**id, now, policy)).copied().collect();
        self.used.retain(|id, _| open.contains(id));
        self.used.len() != before
    }

    /// The machine slept: whoever comes back must unlock again.
    pub fn close_all(&mut self) {
        self.used.clear();
    }

    pub fn clusters(&self) -> impl Iterator<Item = ClusterId> {
        self.used.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unlock_runs_out_when_it_is_not_used() {
        let at = |seconds: u64| Now { mono: Mono(seconds * 1000), ..Now::default() };
        let policy = Policy { unlock_for: Age(60), ..Policy::default() };
        let (mut unlocks, cluster) = (Unlocks::default(), ClusterId(1));
        unlocks.touch(cluster, at(0), &policy);
        assert!(!unlocks.is_open(cluster, at(0), &policy), "a use opens nothing");
        unlocks.open(cluster, at(0));
        assert_eq!(unlocks.left(cluster, at(20), &policy), Some(Age(40)));
        unlocks.touch(cluster, at(50), &policy);
        assert!(unlocks.is_open(cluster, at(109), &policy));
        assert!(!unlocks.is_open(cluster, at(110), &policy));
        assert!(unlocks.expire(at(110), &policy));
        unlocks.touch(cluster, at(110), &policy);
        assert_eq!(unlocks.clusters().count(), 0);
    }
}
