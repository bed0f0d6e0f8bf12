//! Rollout status, by the rules of `kubectl rollout status`, in its order.
//!
//! Source: kubectl `pkg/polymorphichelpers/rollout_status.go`. The sentences are our own.

use serde::{Deserialize, Serialize};

use super::Clean;

/// How far a workload is on its way to what its spec asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rollout {
    Complete,
    /// On its way, and what it waits for.
    Progressing(Clean),
    /// It will not arrive by itself, and why.
    Stuck(Clean),
    /// Held by a person or a controller, and by what.
    Paused(Clean),
}

/// The counts that the rules read; each is what the object says, absent counts are 0 as in Kubernetes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub generation: i64,
    pub observed_generation: i64,
    pub desired: i32,
    pub total: i32,
    pub ready: i32,
    pub updated: i32,
    pub available: i32,
}

impl Rollout {
    /// A Deployment. `deadline_exceeded` is its Progressing condition with that reason.
    pub fn of_deployment(counts: Counts, paused: bool, deadline_exceeded: Option<&str>) -> Self {
        if counts.generation > counts.observed_generation {
            return Self::Progressing("the controller has not seen the new spec yet".into());
        }
        if let Some(message) = deadline_exceeded {
            return Self::Stuck(Clean::from(format!("progress deadline exceeded: {message}")));
        }
        let waiting = counts.waiting_for();
        match (paused, waiting) {
            (true, Some(waiting)) => Self::Paused(Clean::from(format!("paused: {waiting}"))),
            (true, None) => Self::Paused("paused".into()),
            (false, Some(waiting)) => Self::Progressing(waiting.into()),
            (false, None) => Self::Complete,
        }
    }

    /// A StatefulSet; `None` for `strategy` is `OnDelete`, of which kubectl gives no status either.
    pub fn of_stateful_set(counts: Counts, strategy: Option<Partition>, revisions: Revisions) -> Self {
        let Some(partition) = strategy else { return Self::Complete };
        if counts.observed_generation == 0 || counts.generation > counts.observed_generation {
            return Self::Progressing("the controller has not seen the new spec yet".into());
        }
        if counts.ready < counts.desired {
            let missing = counts.desired - counts.ready;
            return Self::Progressing(Clean::from(format!("{missing} {} not ready", pods(missing))));
        }
        if let Partition(Some(partition)) = partition {
            let wanted = counts.desired - partition;
            if counts.updated < wanted {
                let text = format!("{} of {wanted} pods above the partition updated", counts.updated);
                return Self::Progressing(text.into());
            }
            return Self::Complete;
        }
        if revisions == Revisions::Differ {
            let text = format!("{} of {} pods updated", counts.updated, counts.desired);
            return Self::Progressing(text.into());
        }
        Self::Complete
    }

    pub fn is_complete(&self) -> bool {
        *self == Self::Complete
    }

    /// What is said about it; empty when there is nothing to say.
    pub fn words(&self) -> &str {
        match self {
            Self::Complete => "",
            Self::Progressing(words) | Self::Stuck(words) | Self::Paused(words) => words,
        }
    }
}

/// The partition of a rolling update; `None` inside when the object has no `rollingUpdate` block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition(pub Option<i32>);

/// Whether `currentRevision` and `updateRevision` of a StatefulSet are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revisions {
    Same,
    Differ,
}

impl Counts {
    fn waiting_for(self) -> Option<String> {
        if self.updated < self.desired {
            return Some(format!("{} of {} new replicas updated", self.updated, self.desired));
        }
        if self.total > self.updated {
            let old = self.total - self.updated;
            let noun = if old == 1 { "replica" } else { "replicas" };
            return Some(format!("{old} old {noun} pending termination"));
        }
        if self.available < self.updated {
            return Some(format!("{} of {} updated replicas available", self.available, self.updated));
        }
        None
    }
}

fn pods(count: i32) -> &'static str {
    if count == 1 { "pod" } else { "pods" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE: Counts = Counts {
        generation: 7,
        observed_generation: 7,
        desired: 6,
        total: 6,
        ready: 6,
        updated: 6,
        available: 6,
    };

    #[test]
    fn deployments_in_the_order_of_kubectl() {
        let of = |counts| Rollout::of_deployment(counts, false, None);
        assert_eq!(of(DONE), Rollout::Complete);
        for (counts, words) in [
            (Counts { generation: 8, updated: 0, ..DONE }, "the controller has not seen the new spec yet"),
            (Counts { updated: 2, total: 7, ..DONE }, "2 of 6 new replicas updated"),
            (Counts { total: 7, ..DONE }, "1 old replica pending termination"),
            (Counts { total: 8, available: 4, ..DONE }, "2 old replicas pending termination"),
            (Counts { available: 4, ..DONE }, "4 of 6 updated replicas available"),
        ] {
            assert_eq!(of(counts), Rollout::Progressing(words.into()));
        }
        let late = Counts { updated: 2, ..DONE };
        let stuck = Rollout::of_deployment(late, false, Some("ReplicaSet \"x\" has timed out"));
        assert!(matches!(&stuck, Rollout::Stuck(words) if words.contains("progress deadline")));
        // A deadline of the generation before says nothing about this one.
        let unseen = Counts { generation: 8, ..late };
        assert!(matches!(Rollout::of_deployment(unseen, false, Some("old")), Rollout::Progressing(_)));
        assert_eq!(Rollout::of_deployment(DONE, true, None), Rollout::Paused("paused".into()));
    }

    #[test]
    fn stateful_sets_in_the_order_of_kubectl() {
        let of =
            |counts, partition| Rollout::of_stateful_set(counts, Some(Partition(partition)), Revisions::Same);
        assert_eq!(of(DONE, Some(0)), Rollout::Complete);
        assert_eq!(
            of(Counts { observed_generation: 0, ..DONE }, None).words(),
            "the controller has not seen the new spec yet"
        );
        assert_eq!(of(Counts { ready: 5, ..DONE }, None).words(), "1 pod not ready");
        assert_eq!(
            of(Counts { updated: 1, ..DONE }, Some(4)).words(),
            "1 of 2 pods above the partition updated"
        );
        assert_eq!(of(Counts { updated: 2, ..DONE }, Some(4)), Rollout::Complete);
        let differ =
            Rollout::of_stateful_set(Counts { updated: 3, ..DONE }, Some(Partition(None)), Revisions::Differ);
        assert_eq!(differ.words(), "3 of 6 pods updated");
        assert!(Rollout::of_stateful_set(Counts { ready: 0, ..DONE }, None, Revisions::Same).is_complete());
    }
}
