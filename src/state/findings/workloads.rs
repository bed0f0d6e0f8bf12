//! Rules about what serves: rollouts, missing replicas, versions.

use super::{Found, finding, pods};
use crate::fleet::{Age, Clean, Finding, Rollout, Rule, Severity, Subject, Workload};
use crate::state::select::replicas;
use crate::state::{Cluster, State};

pub(super) fn stuck_rollouts(_: &State, cluster: &Cluster, found: &mut Found) {
    for workload in ailing(cluster) {
        let Rollout::Stuck(words) = &workload.rollout else { continue };
        let subject = Subject::Workload(workload.id());
        let mut it = finding(Rule::StuckRollout, Severity::Critical, cluster, subject);
        let counts = format!("rollout stuck, {}/{} ready", workload.ready, workload.desired);
        // What its pods say tells more than that the time was up.
        it.cause = match pods::first_trouble(cluster, workload) {
            Some(trouble) if !trouble.message.is_empty() => {
                Clean::from(format!("{counts}: {}: {}", trouble.reason, trouble.message))
            }
            _ => Clean::from(format!("{counts}: {words}")),
        };
        it.since = workload.rollout_since;
        found.add(it);
    }
}

/// Replicas that are missing and that nothing found before explains.
pub(super) fn short(state: &State, cluster: &Cluster, found: &mut Found) {
    for workload in ailing(cluster) {
        let subject = Subject::Workload(workload.id());
        if workload.ready >= workload.desired || found.has(cluster.id, &subject) {
            continue;
        }
        let severity = if workload.ready == 0 { Severity::Critical } else { Severity::Warning };
        let mut it = finding(Rule::ReplicasShort, severity, cluster, subject);
        let why = workload.rollout.words();
        it.cause = match why {
            "" => Clean::from(format!("{} of {} ready", workload.ready, workload.desired)),
            why => Clean::from(format!("{} of {} ready: {why}", workload.ready, workload.desired)),
        };
        found.add_after(state.settings.replicas_short_after, it);
    }
}

fn ailing(cluster: &Cluster) -> impl Iterator<Item = &Workload> {
    let ids = cluster.objects.usage.ailing_workloads();
    ids.filter_map(|id| cluster.objects.workloads.get(id))
}

/// The same service in other versions, although every rollout has ended.
pub(super) fn version_drift(state: &State, found: &mut Found) {
    for group in replicas::drifting(state).iter() {
        let Some((_, first)) = group.first() else { continue };
        let told = group.cells.iter().filter(|(_, cell)| cell.freshness.is_whole());
        let told = told.filter_map(|(id, cell)| {
            let versions = cell.versions.iter().map(Clean::as_str).collect::<Vec<_>>().join("+");
            Some(format!("{} {versions}", state.cluster(id)?.spec.name))
        });
        // It is so since the last rollout of them, if each tells; else since it was first seen.
        let rollouts = group.cells.values().map(|cell| cell.rollout_since).collect::<Option<Vec<_>>>();
        let since = rollouts.and_then(|all| all.into_iter().max());
        let finding = Finding {
            rule: Rule::VersionDrift,
            severity: Severity::Warning,
            cluster: None,
            subject: Subject::Workload(first.clone()),
            cause: Clean::from(format!("version differs: {}", told.collect::<Vec<_>>().join(", "))),
            since,
        };
        // Clusters are updated one after the other; what lasts is drift.
        found.add_after(Age::MINUTE, finding);
    }
}
