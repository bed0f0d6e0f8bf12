//! The regular question whether the API server answers, and how fast.
//!
//! It notices within seconds what a quiet watch notices within a minute, and when the server is back it ends
//! the waits of all sources at once.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::Nudge;
use super::identity::Identity;
use crate::clients::kube::{Door, Question};
use crate::fleet::{Clean, ClusterFact, ClusterId, Fault, Step};
use crate::sources::Out;

const INTERVAL: Duration = Duration::from_secs(10);
/// While it does not answer it is asked more often, so that its return is noticed soon.
const INTERVAL_WHEN_AWAY: Duration = Duration::from_secs(4);

#[derive(Clone)]
pub struct Ping {
    pub door: Door,
    pub cluster: ClusterId,
    pub out: Out,
    pub identity: Arc<Identity>,
    pub nudge: Nudge,
    pub nudges: watch::Receiver<u64>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "gitVersion")]
    git_version: String,
}

impl Ping {
    /// Runs until it is aborted.
    pub async fn run(mut self) {
        let mut away = false;
        loop {
            let answered = self.once().await;
            self.tell(self.door.cost()).await;
            if answered && away {
                self.nudge.nudge();
            }
            away = !answered;
            let interval = if away { INTERVAL_WHEN_AWAY } else { INTERVAL };
            let interval = interval.mul_f64(0.8 + fastrand::f64() * 0.2);
            self.nudges.mark_unchanged();
            tokio::select! {
                () = sleep(interval) => {}
                Ok(()) = self.nudges.changed(), if away => {}
            }
        }
    }

    async fn once(&self) -> bool {
        let began = Instant::now();
        let answer: Result<(Version, Duration), Fault> =
            self.door.time_json(Question::json("/version", Step::Ping)).await;
        let outcome = match answer {
            Ok(answer) => self.identity.verify(&self.door, began).await.map(|()| answer),
            Err(fault) => {
                self.identity.failed();
                Err(fault)
            }
        };
        match outcome {
            Ok((version, round_trip)) => {
                let git_version = Clean::from(version.git_version);
                let round_trip_ms = round_trip.as_millis() as u32;
                self.tell(ClusterFact::Answered { round_trip_ms, git_version }).await;
                true
            }
            Err(fault) => {
                self.tell(ClusterFact::Unanswered(fault)).await;
                false
            }
        }
    }

    async fn tell(&self, fact: ClusterFact) {
        self.out.cluster(self.cluster, fact).await;
    }
}
