//! Which list of a cluster waits for which, when all of them are read for the first time.
//!
//! Events wait for pods. No server keeps events at hand: a list of the warnings makes it read every event of the last
//! hour from its store, which costs it as much as ten thousand pods and tells one column of one panel. Pods are what the
//! operator waits for.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::fleet::Kind;

/// Pods that do not come hold up nothing for longer.
const LONGEST: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Turn {
    pods_tried: watch::Sender<bool>,
}

impl Default for Turn {
    fn default() -> Self {
        Self { pods_tried: watch::Sender::new(false) }
    }
}

impl Turn {
    /// Returns when this kind may be listed.
    pub async fn comes(&self, kind: Kind) {
        if kind == Kind::Event {
            let mut pods_tried = self.pods_tried.subscribe();
            // Too late is soon enough, and the sender lives as long as this.
            let _ = timeout(LONGEST, pods_tried.wait_for(|tried| *tried)).await;
        }
    }

    /// A kind was listed, or could not be.
    pub fn was_of(&self, kind: Kind) {
        if kind == Kind::Pod {
            self.pods_tried.send_replace(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_events_wait_for_pods_and_not_for_ever() {
        let (turn, began) = (Turn::default(), Instant::now());
        turn.comes(Kind::Node).await;
        turn.was_of(Kind::Node);
        assert_eq!(began.elapsed(), Duration::ZERO);
        turn.comes(Kind::Event).await;
        assert_eq!(began.elapsed(), LONGEST);
        turn.was_of(Kind::Pod);
        turn.comes(Kind::Event).await;
        assert_eq!(began.elapsed(), LONGEST);
    }
}
