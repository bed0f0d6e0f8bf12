//! Every job of every kind, one row each, with what its queue and its pods say about it.

use std::sync::Arc;

use super::job_index::JobIndex;
use crate::fleet::{Admission, Age, Clean, ClusterId, Job, JobPhase, Trouble};
use crate::state::usage::PodCounts;
use crate::state::{Cluster, Freshness, State};

#[derive(Debug, Clone)]
pub struct JobRow {
    pub cluster: ClusterId,
    pub cluster_name: Clean,
    pub cloud: Clean,
    pub tint: u8,
    pub job: Arc<Job>,
    /// The phase with what Kueue knows: a suspended job that waits for quota is queued.
    pub phase: JobPhase,
    pub rule: Clean,
    pub queue: Option<Clean>,
    /// Why it is in this phase; empty when there is nothing to say.
    pub message: Clean,
    pub pods: PodCounts,
    /// The worst that its pods suffer from.
    pub trouble: Option<Trouble>,
    pub freshness: Freshness,
    /// How long it runs, or ran.
    pub duration: Option<Age>,
    /// Since it was made.
    pub age: Age,
}

impl JobRow {
    /// Whether all its pods have ended, so that none being ready means nothing.
    pub fn pods_done(&self) -> bool {
        self.pods.total > 0 && self.pods.ended == self.pods.total
    }
}

/// Jobs in scope, unsorted.
pub fn rows(state: &State) -> Vec<JobRow> {
    let clusters = state.counted_clusters();
    let mut rows: Vec<_> = clusters.flat_map(|cluster| of_cluster(state, cluster)).collect();
    rows.retain(|row| state.scope.has_namespace(&row.job.key.namespace));
    rows
}

/// Every job of a cluster. A job that another job made is that job's business and not a row.
pub fn of_cluster(state: &State, cluster: &Cluster) -> Vec<JobRow> {
    let index = JobIndex::new(cluster);
    let jobs = cluster.objects.jobs.values().filter(|job| !index.is_made_by_another(job));
    jobs.map(|job| row(state, cluster, &index, job)).collect()
}

/// One job, for its detail view.
pub fn one(state: &State, cluster: &Cluster, job: &Arc<Job>) -> JobRow {
    row(state, cluster, &JobIndex::new(cluster), job)
}

fn row(state: &State, cluster: &Cluster, index: &JobIndex<'_>, job: &Arc<Job>) -> JobRow {
    let admission = index.admission(job);
    let (phase, rule, message) = judged(job, admission);
    let pods = index.pods(job);
    let trouble = index.trouble(job).filter(|_| phase == JobPhase::Failed || suffers(phase, pods));
    let message = match trouble {
        Some(trouble) if message.is_empty() => trouble.words(),
        _ => message,
    };
    JobRow {
        cluster: cluster.id,
        cluster_name: cluster.spec.name.clone(),
        cloud: cluster.cloud().map(|cloud| Clean::new(cloud.name())).unwrap_or_default(),
        tint: cluster.tint(),
        job: Arc::clone(job),
        phase,
        rule,
        queue: job.queue.clone().or_else(|| admission.map(|it| it.queue.clone())),
        message,
        pods,
        trouble: trouble.cloned(),
        freshness: cluster.freshness(job.kind, state.now, state.settings.stale_after),
        duration: duration(state, job),
        age: state.now.age_of(job.created),
    }
}

/// Whether what its pods suffer from keeps it from working: none of them does.
fn suffers(phase: JobPhase, pods: PodCounts) -> bool {
    !phase.has_ended() && pods.ready == 0
}

fn judged(job: &Job, admission: Option<&Admission>) -> (JobPhase, Clean, Clean) {
    if let (JobPhase::Suspended | JobPhase::Pending, Some(admission)) = (job.phase, admission)
        && !admission.admitted
    {
        let rule = format!("{}, and its Kueue Workload is not admitted", job.phase.name().to_lowercase());
        return (JobPhase::Queued, rule.into(), admission.message.clone());
    }
    let message = match (job.reason.is_empty(), job.message.is_empty()) {
        (false, false) => Clean::from(format!("{}: {}", job.reason, job.message)),
        (false, true) => job.reason.clone(),
        (true, _) => job.message.clone(),
    };
    (job.phase, job.rule.clone(), message)
}

fn duration(state: &State, job: &Job) -> Option<Age> {
    let started = job.started?;
    let ended = match (job.ended, job.phase.has_ended()) {
        (Some(ended), _) => ended,
        (None, false) => state.now.unix,
        (None, true) => return None,
    };
    Some(Age(u64::try_from(ended.0 - started.0).unwrap_or(0)))
}
