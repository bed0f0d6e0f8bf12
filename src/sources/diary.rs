//! What sources tell, as lines of the program's log: what changed, and not each time that it is so again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::fleet::{Clean, ClusterFact, ClusterId, Kind, Slot, SourceFact, SourceId, SourceState};

#[derive(Debug, Clone, Default)]
pub struct Diary {
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    names: HashMap<ClusterId, Clean>,
    /// What was last wrong, of a cluster or of a source.
    wrong: HashMap<(ClusterId, Option<(Kind, Slot)>), String>,
    listed: HashMap<SourceId, u64>,
    identities: HashMap<ClusterId, Option<Clean>>,
}

impl Diary {
    pub fn call(&self, cluster: ClusterId, name: &Clean) {
        self.known().names.insert(cluster, name.clone());
    }

    pub fn cluster(&self, id: ClusterId, fact: &ClusterFact) {
        let mut known = self.known();
        let cluster = known.name(id);
        match fact {
            ClusterFact::Client(it) => {
                let proxy = it.proxy.as_deref().unwrap_or("none");
                let (server, credential, insecure) = (&it.server, &it.credential, it.insecure);
                tracing::info!(%cluster, %server, %credential, proxy, insecure, "connects");
            }
            ClusterFact::Unusable(fault) if known.is_news((id, None), &fault.to_string()) => {
                tracing::error!(%cluster, "cannot be used: {fault}");
            }
            ClusterFact::Unanswered(fault) if known.is_news((id, None), &fault.to_string()) => {
                tracing::warn!(%cluster, "does not answer: {fault}");
            }
            ClusterFact::Answered { round_trip_ms, git_version }
                if known.wrong.insert((id, None), String::new()) != Some(String::new()) =>
            {
                tracing::info!(%cluster, version = %git_version, round_trip_ms, "answers");
            }
            ClusterFact::Identity(uid) => {
                let before = known.identities.insert(id, uid.clone());
                if let (Some(Some(before)), Some(uid)) = (before, uid)
                    && before != *uid
                {
                    tracing::warn!(%cluster, %before, now = %uid, "another cluster answers at its address");
                }
            }
            ClusterFact::Namespaces(names) if names.is_empty() => {
                tracing::info!(%cluster, "the whole cluster is read");
            }
            ClusterFact::Namespaces(names) => {
                let names = names.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
                tracing::info!(%cluster, names, "only some namespaces are read");
            }
            _ => {}
        }
    }

    pub fn source(&self, id: SourceId, fact: &SourceFact) {
        let place = (id.cluster, Some((id.kind, id.slot)));
        match fact {
            SourceFact::Begin => {
                let mut known = self.known();
                let times = known.listed.entry(id).or_default();
                *times += 1;
                let (times, cluster) = (*times, known.name(id.cluster));
                if times > 1 {
                    tracing::info!(%cluster, kind = id.kind.name(), times, "listed anew");
                }
            }
            SourceFact::State(SourceState::Retrying { fault, attempt, next_ms }) => {
                let mut known = self.known();
                if known.is_news(place, &fault.to_string()) {
                    let (cluster, kind) = (known.name(id.cluster), id.kind.name());
                    tracing::warn!(%cluster, kind, attempt, next_ms, "{fault}");
                }
            }
            SourceFact::State(SourceState::Denied(words)) => {
                let mut known = self.known();
                if known.is_news(place, words) {
                    tracing::warn!(cluster = %known.name(id.cluster), kind = id.kind.name(), "may not be read: {words}");
                }
            }
            SourceFact::State(SourceState::Failed(fault)) => {
                tracing::error!(cluster = %self.known().name(id.cluster), kind = id.kind.name(), "{fault}");
            }
            SourceFact::State(SourceState::Watching) => {
                let mut known = self.known();
                if known.wrong.remove(&place).is_some() {
                    tracing::info!(cluster = %known.name(id.cluster), kind = id.kind.name(), "is watched again");
                }
            }
            _ => {}
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn name(&self, cluster: ClusterId) -> Clean {
        self.names.get(&cluster).cloned().unwrap_or_else(|| Clean::from(format!("#{}", cluster.0)))
    }

    fn is_news(&mut self, of: (ClusterId, Option<(Kind, Slot)>), words: &str) -> bool {
        self.wrong.insert(of, words.to_owned()).is_none_or(|before| before != words)
    }
}
