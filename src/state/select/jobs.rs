//! Every job of every kind, one row each, with what its queue and its pods say about it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::job_index::JobIndex;
use crate::fleet::{Admission, Age, Clean, ClusterId, Job, JobPhase, Kind, Now, Trouble, TroubleKind};
use crate::state::kept::Print;
use crate::state::usage::PodCounts;
use crate::state::{Cluster, Freshness, State};

#[derive(Debug, Clone)]
pub struct JobRow {
    pub cluster: ClusterId,
    pub cluster_name: Clean,
    pub cloud: Clean,
    pub tint: u8,
    pub job: Arc<Job>,
    /// `namespace/name`, which is sorted by and looked into with every key.
    pub name: Clean,
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
}

/// Jobs of a cluster that are not another job's business, by the phase that they say themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub running: u64,
    pub failed: u64,
}

/// What rows of jobs are made of.
const MADE_OF: [Kind; 2] = [Kind::Job, Kind::QueuedWorkload];

impl JobRow {
    /// Whether all its pods have ended, so that none being ready means nothing.
    pub fn pods_done(&self) -> bool {
        self.pods.total > 0 && self.pods.ended == self.pods.total
    }

    /// None of its pods is ready, although some should be.
    pub fn is_idle(&self) -> bool {
        self.pods.ready == 0 && !self.pods_done()
    }

    /// What keeps a pod of it from every node.
    pub fn homeless(&self) -> Option<&Trouble> {
        self.trouble.as_ref().filter(|trouble| trouble.kind == TroubleKind::Unschedulable)
    }

    /// What [`crate::state::findings`] says of jobs is said only of these.
    fn may_need_attention(&self) -> bool {
        match self.phase {
            JobPhase::Failed => true,
            phase if phase.has_ended() => false,
            JobPhase::Running | JobPhase::Restarting => {
                self.job.progress.is_some() || self.is_idle() && self.homeless().is_some()
            }
            _ => true,
        }
    }

    /// How long it runs, or ran.
    pub fn duration(&self, now: Now) -> Option<Age> {
        let started = self.job.started?;
        let ended = match (self.job.ended, self.job.phase.has_ended()) {
            (Some(ended), _) => ended,
            (None, false) => now.unix,
            (None, true) => return None,
        };
        Some(Age(u64::try_from(ended.0 - started.0).unwrap_or(0)))
    }

    /// Since it was made.
    pub fn age(&self, now: Now) -> Age {
        now.age_of(self.job.created)
    }
}

/// Jobs in scope, by cluster and name: rows that a column does not tell apart keep their order.
pub fn rows(state: &State) -> Arc<[Arc<JobRow>]> {
    state.kept.jobs.answer(Print::of(state, &MADE_OF), || {
        let counted: BTreeSet<_> = state.counted_clusters().map(|cluster| cluster.id).collect();
        let all = everywhere(state);
        let is_shown = |row: &&Arc<JobRow>| {
            counted.contains(&row.cluster) && state.scope.has_namespace(&row.job.key.namespace)
        };
        if all.iter().all(|row| is_shown(&row)) {
            all
        } else {
            all.iter().filter(is_shown).cloned().collect()
        }
    })
}

/// Every job of every cluster. A job that another job made is that job's business and not a row.
pub fn everywhere(state: &State) -> Arc<[Arc<JobRow>]> {
    state.kept.all_jobs.answer(Print::of(state, &MADE_OF), || {
        let each: Vec<_> = state.clusters().map(|cluster| of_cluster(state, cluster)).collect();
        each.iter().flat_map(|rows| rows.iter().cloned()).collect()
    })
}

/// Those of them that a rule may find something about, now or when time has passed: most jobs run or have ended well.
pub fn worrying(state: &State) -> Arc<[Arc<JobRow>]> {
    state.kept.worrying_jobs.answer(Print::of(state, &MADE_OF), || {
        everywhere(state).iter().filter(|row| row.may_need_attention()).cloned().collect()
    })
}

/// Jobs in scope by cluster.
pub fn counts(state: &State) -> Arc<BTreeMap<ClusterId, Counts>> {
    state.kept.job_counts.answer(Print::of(state, &MADE_OF), || {
        let each = state.counted_clusters().map(|cluster| (cluster.id, Counts::default()));
        let mut counts: BTreeMap<_, _> = each.collect();
        for row in rows(state).iter() {
            if let Some(counts) = counts.get_mut(&row.cluster) {
                counts.running += u64::from(row.job.phase == JobPhase::Running);
                counts.failed += u64::from(row.job.phase == JobPhase::Failed);
            }
        }
        Arc::new(counts)
    })
}

/// Those of one cluster are kept while others change.
fn of_cluster(state: &State, cluster: &Cluster) -> Arc<[Arc<JobRow>]> {
    let print = Print::of_one(state, cluster, &MADE_OF);
    state.kept.jobs_of.of(cluster.id).answer(print, || {
        let index = JobIndex::new(cluster);
        let jobs = cluster.objects.jobs.values().filter(|job| !index.is_made_by_another(job));
        let mut rows: Vec<_> = jobs.map(|job| row(state, cluster, &index, job)).collect();
        rows.sort_unstable_by(|a, b| (&a.name, a.job.kind).cmp(&(&b.name, b.job.kind)));
        // They lie in the memory in the order in which they are looked through, and so do their names.
        rows.into_iter().map(|row| Arc::new(JobRow { name: Clean::new(&row.name), ..row })).collect()
    })
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
        name: job.key.to_string().into(),
        phase,
        rule,
        queue: job.queue.clone().or_else(|| admission.map(|it| it.queue.clone())),
        message,
        pods,
        trouble: trouble.cloned(),
        freshness: cluster.freshness(job.kind, state.now, state.settings.stale_after),
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
