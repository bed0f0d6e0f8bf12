//! Every job of every kind, one row each, with what its queue and its pods say about it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::job_index::JobIndex;
use crate::fleet::{
    Admission, Age, Clean, ClusterId, Job, JobPhase, Kind, Now, ObjectKey, Trouble, TroubleKind,
};
use crate::state::kept::Print;
use crate::state::usage::PodCounts;
use crate::state::{Cluster, Freshness, State};

#[derive(Debug, Clone, PartialEq)]
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

/// What one cluster has.
#[derive(Debug)]
pub struct Here {
    /// By name: rows that a column does not tell apart keep their order.
    rows: Vec<Arc<JobRow>>,
    worrying: Vec<Arc<JobRow>>,
    /// Of those in scope.
    counts: Counts,
}

/// Jobs in scope, by cluster and name. A job that another job made is that job's business and not a row.
pub fn rows(state: &State) -> Arc<[Arc<JobRow>]> {
    state.kept.jobs.answer(Print::of(state, &MADE_OF), || {
        let each: Vec<_> = state.counted_clusters().map(|cluster| of_cluster(state, cluster)).collect();
        let all = each.iter().flat_map(|here| &here.rows);
        if state.scope.hidden_namespaces.is_empty() {
            return all.cloned().collect();
        }
        all.filter(|row| state.scope.has_namespace(&row.job.key.namespace)).cloned().collect()
    })
}

/// Jobs of all clusters, also of those out of scope, that a rule may find something about, now or when time has passed:
/// most jobs run or have ended well.
pub fn worrying(state: &State) -> Vec<Arc<JobRow>> {
    let each: Vec<_> = state.clusters().map(|cluster| of_cluster(state, cluster)).collect();
    each.iter().flat_map(|here| &here.worrying).cloned().collect()
}

/// Jobs in scope by cluster.
pub fn counts(state: &State) -> BTreeMap<ClusterId, Counts> {
    state.counted_clusters().map(|cluster| (cluster.id, of_cluster(state, cluster).counts)).collect()
}

/// Kept while other clusters change; and rows of which nothing changed are the same as before.
fn of_cluster(state: &State, cluster: &Cluster) -> Arc<Here> {
    let print = Print::of_one(state, cluster, &MADE_OF);
    state.kept.jobs_of.of(cluster.id).answer_from(print, |before| {
        let rows = Maker::new(state, cluster).rows(before.map(|it| it.rows.as_slice()).unwrap_or_default());
        let mut counts = Counts::default();
        for row in rows.iter().filter(|row| state.scope.has_namespace(&row.job.key.namespace)) {
            counts.running += u64::from(row.job.phase == JobPhase::Running);
            counts.failed += u64::from(row.job.phase == JobPhase::Failed);
        }
        let worrying = rows.iter().filter(|row| row.may_need_attention()).cloned().collect();
        Arc::new(Here { rows, worrying, counts })
    })
}

/// One job, for its detail view.
pub fn one(state: &State, cluster: &Cluster, job: &Arc<Job>) -> JobRow {
    Maker::new(state, cluster).row(job, None)
}

/// Makes the rows of one cluster.
struct Maker<'a> {
    state: &'a State,
    cluster: &'a Cluster,
    index: JobIndex<'a>,
    cloud: Clean,
    /// Of each kind that it is told of.
    freshness: BTreeMap<Kind, Freshness>,
}

impl<'a> Maker<'a> {
    fn new(state: &'a State, cluster: &'a Cluster) -> Self {
        let kinds = cluster.sources.keys().map(|(kind, _)| *kind);
        Self {
            state,
            cluster,
            index: JobIndex::new(cluster),
            cloud: cluster.cloud().map(|cloud| Clean::new(cloud.name())).unwrap_or_default(),
            freshness: kinds.map(|kind| (kind, freshness(state, cluster, kind))).collect(),
        }
    }

    /// All of them in the order of their names. Those before are in it; what they still say is taken from them.
    fn rows(&self, before: &[Arc<JobRow>]) -> Vec<Arc<JobRow>> {
        let places: HashMap<(Kind, &ObjectKey), usize> =
            before.iter().enumerate().map(|(at, row)| ((row.job.kind, &row.job.key), at)).collect();
        let (mut known, mut new) = (vec![None; before.len()], Vec::new());
        let jobs = self.cluster.objects.jobs.values().filter(|job| !self.index.is_made_by_another(job));
        for job in jobs {
            match places.get(&(job.kind, &job.key)) {
                None => new.push(self.row(job, None)),
                Some(at) => {
                    let (row, before) = (self.row(job, Some(before[*at].name.clone())), &before[*at]);
                    known[*at] = Some(if row == **before { Arc::clone(before) } else { Arc::new(row) });
                }
            }
        }
        new.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
        // They lie in the memory in the order in which they are looked through, and so do their names.
        let new = new.into_iter().map(|row| Arc::new(JobRow { name: Clean::new(&row.name), ..row }));
        let mut rows: Vec<_> = known.into_iter().flatten().chain(new).collect();
        // Two parts that are in order already, of which this sort makes use.
        rows.sort_by(|a, b| order(a).cmp(&order(b)));
        rows
    }

    /// The name of a row is known to be this one, or is put together.
    fn row(&self, job: &Arc<Job>, name: Option<Clean>) -> JobRow {
        let (cluster, index) = (self.cluster, &self.index);
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
            cloud: self.cloud.clone(),
            tint: cluster.tint(),
            job: Arc::clone(job),
            name: name.unwrap_or_else(|| job.key.to_string().into()),
            phase,
            rule,
            queue: job.queue.clone().or_else(|| admission.map(|it| it.queue.clone())),
            message,
            pods,
            trouble: trouble.cloned(),
            freshness: match self.freshness.get(&job.kind) {
                Some(known) => known.clone(),
                None => freshness(self.state, cluster, job.kind),
            },
        }
    }
}

fn freshness(state: &State, cluster: &Cluster, kind: Kind) -> Freshness {
    cluster.freshness(kind, state.now, state.settings.stale_after)
}

fn order(row: &JobRow) -> (&Clean, Kind) {
    (&row.name, row.job.kind)
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
