//! Which list waits for which, when all of them are read for the first time.
//!
//! Events wait for pods. No server keeps events at hand: a list of the warnings makes it read every event of the last
//! hour from its store, which costs it as much as ten thousand pods and tells one column of one panel. Pods are what the
//! operator waits for; those of all clusters come through one line and one processor, so events wait a moment for the
//! pods of other clusters too, but not for a cluster that has answered nothing.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::fleet::Kind;

/// Pods that do not come hold up nothing for longer.
const LONGEST: Duration = Duration::from_secs(5);
/// Nor those of other clusters, once the own are there.
const LONGEST_FOR_OTHERS: Duration = Duration::from_secs(2);

/// The turns of all clusters.
#[derive(Debug, Clone)]
pub struct Turns {
    /// Clusters whose pods are on their way.
    coming: watch::Sender<usize>,
}

/// The turns of one connection to a cluster.
#[derive(Debug)]
pub struct Turn {
    turns: Turns,
    pods: watch::Sender<Pods>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pods {
    /// Nothing was answered yet.
    Asked,
    /// The cluster answers.
    Coming,
    /// They are there, or could not be listed, or nobody waits for them any longer.
    Tried,
}

impl Default for Turns {
    fn default() -> Self {
        Self { coming: watch::Sender::new(0) }
    }
}

impl Turns {
    pub fn of_one(&self) -> Turn {
        Turn { turns: self.clone(), pods: watch::Sender::new(Pods::Asked) }
    }
}

impl Turn {
    /// Returns when this kind may be listed.
    pub async fn comes(&self, kind: Kind) {
        if kind == Kind::Event {
            // The senders live as long as this.
            let mut own = self.pods.subscribe();
            if timeout(LONGEST, own.wait_for(|pods| *pods == Pods::Tried)).await.is_err() {
                self.pods_tried();
            }
            let mut others = self.turns.coming.subscribe();
            let _ = timeout(LONGEST_FOR_OTHERS, others.wait_for(|coming| *coming == 0)).await;
        }
    }

    /// A list is answered.
    pub fn answered(&self) {
        let is_first = self.pods.send_if_modified(|pods| {
            let is_first = *pods == Pods::Asked;
            if is_first {
                *pods = Pods::Coming;
            }
            is_first
        });
        if is_first {
            self.turns.coming.send_modify(|coming| *coming += 1);
        }
    }

    /// A kind was listed, or could not be.
    pub fn was_of(&self, kind: Kind) {
        if kind == Kind::Pod {
            self.pods_tried();
        }
    }

    fn pods_tried(&self) {
        let before = self.pods.send_replace(Pods::Tried);
        if before == Pods::Coming {
            self.turns.coming.send_modify(|coming| *coming -= 1);
        }
    }
}

/// A connection that ended is waited for by nobody.
impl Drop for Turn {
    fn drop(&mut self) {
        self.pods_tried();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_events_wait_for_pods_and_not_for_ever() {
        let (turn, began) = (Turns::default().of_one(), Instant::now());
        turn.comes(Kind::Node).await;
        turn.answered();
        turn.was_of(Kind::Node);
        assert_eq!(began.elapsed(), Duration::ZERO);
        turn.comes(Kind::Event).await;
        assert_eq!(began.elapsed(), LONGEST);
        turn.was_of(Kind::Pod);
        turn.comes(Kind::Event).await;
        assert_eq!(began.elapsed(), LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn events_wait_a_moment_for_pods_of_clusters_that_answer() {
        let turns = Turns::default();
        let (own, silent, slow, ended) = (turns.of_one(), turns.of_one(), turns.of_one(), turns.of_one());
        let began = Instant::now();
        own.was_of(Kind::Pod);
        own.comes(Kind::Event).await;
        assert_eq!(began.elapsed(), Duration::ZERO, "nobody answers");
        for turn in [&own, &slow, &slow, &ended] {
            turn.answered();
        }
        drop(ended);
        own.comes(Kind::Event).await;
        assert_eq!(began.elapsed(), LONGEST_FOR_OTHERS, "the slow one was waited for, as long as may be");
        slow.was_of(Kind::Pod);
        slow.answered();
        own.comes(Kind::Event).await;
        assert_eq!(began.elapsed(), LONGEST_FOR_OTHERS, "its pods are there");
        drop(silent);
    }
}
