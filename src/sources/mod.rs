//! Where facts come from.
//!
//! A source runs by itself, tells what it hears as [`Fact`]s and knows nothing of who listens. It never ends
//! because a server is away; it says so and tries again. [`inventory`] says which clusters there are,
//! [`kube`] runs the sources of one.

mod diary;
pub mod inventory;
pub mod kube;

use std::sync::Arc;

use diary::Diary;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::fleet::{Clean, ClusterFact, ClusterId, Fact, Mono, SourceFact, SourceId};

/// Batches of facts that may wait to be folded. When it is full, sources wait, and so do their servers.
const BATCHES: usize = 256;

/// The console's own clock: milliseconds since it began.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
}

impl Clock {
    pub fn start() -> Self {
        Self { began: Instant::now() }
    }

    pub fn mono(&self) -> Mono {
        Mono(self.began.elapsed().as_millis() as u64)
    }
}

/// Where sources put what they hear.
#[derive(Debug, Clone)]
pub struct Out {
    facts: mpsc::Sender<Vec<Fact>>,
    clock: Clock,
    diary: Diary,
}

impl Out {
    pub fn new(clock: Clock) -> (Self, mpsc::Receiver<Vec<Fact>>) {
        let (facts, receiver) = mpsc::channel(BATCHES);
        (Self { facts, clock, diary: Diary::default() }, receiver)
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// How a cluster is called in the log.
    pub fn call(&self, cluster: ClusterId, name: &Clean) {
        self.diary.call(cluster, name);
    }

    /// Nobody listening any more means that the program is ending, so a failed send is not an error.
    pub async fn source(&self, source: SourceId, facts: impl IntoIterator<Item = SourceFact>) {
        let at = self.clock.mono();
        let facts = facts.into_iter().inspect(|fact| self.diary.source(source, fact));
        let facts: Vec<_> = facts.map(|fact| Fact::Source(source, at, fact)).collect();
        if !facts.is_empty() {
            let _ = self.facts.send(facts).await;
        }
    }

    pub async fn cluster(&self, cluster: ClusterId, fact: ClusterFact) {
        self.diary.cluster(cluster, &fact);
        let _ = self.facts.send(vec![Fact::Cluster(cluster, self.clock.mono(), fact)]).await;
    }
}

/// What sources need besides their cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub job_kinds: Arc<[crate::config::JobKind]>,
    pub version_labels: Arc<[String]>,
}
