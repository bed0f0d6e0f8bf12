//! Is there anything left to wait for, for somebody who looks once?

use crate::fleet::SourceState;
use crate::state::cluster::CORE_KINDS;
use crate::state::{Cluster, State};

/// Every cluster is whole, or has said why it is not.
pub fn is_settled(state: &State) -> bool {
    state.clusters().all(cluster_is_settled)
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
        && CORE_KINDS.iter().chain(served).all(|kind| reported(*kind))
        && complete
}
