//! Is there anything left to wait for, for somebody who looks once? Does an empty table mean that there is
//! nothing?

use super::replicas::WORKLOAD_KINDS;
use crate::fleet::{Clean, Kind, SourceState};
use crate::state::cluster::CORE_KINDS;
use crate::state::{Cluster, State};

/// Every cluster is whole, or has said why it is not.
pub fn is_settled(state: &State) -> bool {
    state.clusters().all(cluster_is_settled)
}

/// The clusters that are still waited for.
pub fn unsettled(state: &State) -> Vec<Clean> {
    let waited = state.clusters().filter(|cluster| !cluster_is_settled(cluster));
    waited.map(|cluster| cluster.spec.name.clone()).collect()
}

fn cluster_is_settled(cluster: &Cluster) -> bool {
    let away = cluster.api.fault.is_some() && cluster.api.answered.is_none();
    if cluster.api.unusable.is_some() || away {
        return true;
    }
    let reported = |kind| cluster.sources.keys().any(|(known, _)| *known == kind);
    let served = cluster.served.as_deref().unwrap_or_default();
    let complete = cluster
        .sources
        .values()
        .all(|source| source.synced || matches!(source.state, SourceState::Denied(_) | SourceState::Absent));
    cluster.served.is_some()
        && cluster.api.answered.is_some()
        && built_in().chain(served.iter().copied()).all(reported)
        && complete
}

/// Every cluster in scope has told everything, and it is as of now.
pub fn everything_is_told(state: &State) -> bool {
    is_settled(state) && told(state, |kind| CORE_KINDS.contains(&kind))
}

/// Every cluster in scope has told its workloads, so that no row means no workload.
pub fn workloads_are_told(state: &State) -> bool {
    state.counted_clusters().all(|cluster| workloads_are_told_by(state, cluster))
}

/// The cluster has told its workloads, and they are as of now.
pub fn workloads_are_told_by(state: &State, cluster: &Cluster) -> bool {
    tells(state, cluster, |kind| WORKLOAD_KINDS.contains(&kind))
}

/// Every cluster in scope has told its routes of every kind.
pub fn routes_are_told(state: &State) -> bool {
    told(state, Kind::is_route)
}

/// Every cluster in scope has told its jobs of every kind.
pub fn jobs_are_told(state: &State) -> bool {
    state.counted_clusters().all(|cluster| jobs_are_told_by(state, cluster))
}

/// The cluster has told its jobs of every kind, and they are as of now.
pub fn jobs_are_told_by(state: &State, cluster: &Cluster) -> bool {
    tells(state, cluster, |kind| matches!(kind, Kind::Job | Kind::CustomJob(_)))
}

fn built_in() -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| kind.is_built_in())
}

fn told(state: &State, wanted: impl Fn(Kind) -> bool) -> bool {
    state.counted_clusters().all(|cluster| tells(state, cluster, &wanted))
}

fn tells(state: &State, cluster: &Cluster, wanted: impl Fn(Kind) -> bool) -> bool {
    let served = cluster.served.as_deref().unwrap_or_default();
    let kinds: Vec<_> = built_in().chain(served.iter().copied()).filter(|kind| wanted(*kind)).collect();
    let fresh = cluster.freshness_of(&kinds, state.now, state.settings.stale_after);
    cluster.served.is_some() && fresh.is_whole()
}
