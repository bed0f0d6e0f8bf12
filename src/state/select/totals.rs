//! The numbers of the header: the fleet in one line.

use serde::Serialize;

use super::settled::{jobs_are_told_by, workloads_are_told_by};
use super::{Tally, clusters, jobs};
use crate::fleet::{Kind, Rule, Severity};
use crate::state::{Cluster, State};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub clusters: u16,
    pub clusters_live: u16,
    pub nodes: Tally,
    pub nodes_ready: Tally,
    /// Whole GPUs; slices and shared replicas are not devices and are counted nowhere here.
    pub gpus_allocatable: Tally,
    pub gpus_requested: Tally,
    pub pods: Tally,
    pub jobs_running: Tally,
    pub jobs_failed: Tally,
    /// Workloads whose version differs between clusters.
    pub drift: Tally,
    pub critical: u16,
    pub warnings: u16,
}

pub fn totals(state: &State) -> Totals {
    let mut totals = Totals::default();
    let jobs = jobs::counts(state);
    for cluster in state.counted_clusters() {
        totals.clusters += 1;
        totals.clusters_live += u16::from(clusters::liveness(state, cluster).is_live());
        let usage = &cluster.objects.usage;
        let nodes = |value: u32| part(state, cluster, &[Kind::Node], value);
        totals.nodes.add(nodes(usage.nodes));
        totals.nodes_ready.add(nodes(usage.nodes_ready));
        totals.gpus_allocatable.add(nodes(usage.gpus_allocatable.whole));
        let pods = |value: u32| part(state, cluster, &[Kind::Pod], value);
        totals.pods.add(pods(usage.pods.total));
        totals.gpus_requested.add(pods(usage.gpus_requested.whole));
        totals.drift.add(workloads_are_told_by(state, cluster).then_some(0));
        let told = jobs_are_told_by(state, cluster);
        let counts = jobs.get(&cluster.id).copied().unwrap_or_default();
        totals.jobs_running.add(told.then_some(counts.running));
        totals.jobs_failed.add(told.then_some(counts.failed));
    }
    for finding in state.findings().in_scope(state) {
        totals.drift.known += u64::from(finding.rule == Rule::VersionDrift);
        totals.critical += u16::from(finding.severity == Severity::Critical);
        totals.warnings += u16::from(finding.severity == Severity::Warning);
    }
    totals
}

/// A cluster's part of a sum, if its kinds are live.
fn part(state: &State, cluster: &Cluster, kinds: &[Kind], value: u32) -> Option<u64> {
    let fresh = cluster.freshness_of(kinds, state.now, state.settings.stale_after);
    fresh.is_whole().then_some(u64::from(value))
}
