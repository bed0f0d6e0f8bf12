//! What belongs to which job of a cluster: the jobs that it made, its place in the queue, its pods.

use std::collections::HashMap;
use std::sync::Arc;

use crate::fleet::{Admission, Job, Kind, Owner, Pod, Trouble};
use crate::state::Cluster;
use crate::state::usage::{OwnerKey, PodCounts};

/// Built once for a look at all jobs, so that no job is searched for.
pub struct JobIndex<'a> {
    jobs: HashMap<Name<'a>, &'a Arc<Job>>,
    /// Its own, or that of a job that it made; one that waits before one that does not.
    admissions: HashMap<Name<'a>, &'a Admission>,
    pods: HashMap<Name<'a>, PodCounts>,
    troubles: HashMap<Name<'a>, &'a Trouble>,
}

/// Kind, namespace and name.
type Name<'a> = [&'a str; 3];

impl<'a> JobIndex<'a> {
    pub fn new(cluster: &'a Cluster) -> Self {
        let objects = &cluster.objects;
        let mut index = Self {
            jobs: objects.jobs.values().map(|job| (name(job), job)).collect(),
            admissions: HashMap::new(),
            pods: HashMap::new(),
            troubles: HashMap::new(),
        };
        for job in objects.jobs.values() {
            let own = objects.usage.of_owner(&owner_key(job));
            *index.pods.entry(name(index.top(job))).or_default() += own;
        }
        for admission in objects.admissions.values() {
            let of = [&*admission.job.kind, &*admission.key.namespace, &*admission.job.name];
            if let Some(job) = index.jobs.get(&of) {
                let known = index.admissions.entry(name(index.top(job))).or_insert(admission);
                if !admission.admitted {
                    *known = admission;
                }
            }
        }
        for pod in objects.usage.troubled().filter_map(|key| objects.pods.get(key)) {
            if let (Some(job), Some(trouble)) = (index.job_of(pod), pod.trouble.as_deref()) {
                let worst = index.troubles.entry(name(job)).or_insert(trouble);
                let order = |it: &'a Trouble| (it.kind, it.since, &it.container, &it.message);
                if order(trouble) < order(worst) {
                    *worst = trouble;
                }
            }
        }
        index
    }

    /// A job that another job made is that job's business.
    pub fn is_made_by_another(&self, job: &Job) -> bool {
        self.maker(job).is_some()
    }

    pub fn admission(&self, job: &Job) -> Option<&'a Admission> {
        self.admissions.get(&name(job)).copied()
    }

    /// Its pods and those of the jobs that it made.
    pub fn pods(&self, job: &Job) -> PodCounts {
        self.pods.get(&name(job)).copied().unwrap_or_default()
    }

    /// The worst trouble of these pods.
    pub fn trouble(&self, job: &Job) -> Option<&'a Trouble> {
        self.troubles.get(&name(job)).copied()
    }

    /// The job that a pod works for in the end, if it works for one.
    pub fn job_of(&self, pod: &'a Pod) -> Option<&'a Arc<Job>> {
        Some(self.top(self.owner_of(pod)?))
    }

    /// Whether a pod was made by a job, or by one that this job made.
    pub fn works_for(&self, pod: &'a Pod, job: &Job) -> bool {
        self.owner_of(pod).is_some_and(|owner| self.line(owner).any(|it| name(it) == name(job)))
    }

    fn owner_of(&self, pod: &'a Pod) -> Option<&'a Arc<Job>> {
        let owner = pod.owner.as_ref()?;
        self.jobs.get(&[&*owner.kind, &*pod.key.namespace, &*owner.name]).copied()
    }

    fn maker(&self, job: &Job) -> Option<&'a Arc<Job>> {
        let owner = job.owner.as_ref().filter(|owner| owner.kind != Kind::CronJob.name())?;
        self.jobs.get(&[&*owner.kind, &*job.key.namespace, &*owner.name]).copied()
    }

    fn top(&self, job: &'a Arc<Job>) -> &'a Arc<Job> {
        self.line(job).last().unwrap_or(job)
    }

    /// A job, the job that made it, and so on. Owners that own each other are possible in data.
    fn line(&self, job: &'a Arc<Job>) -> impl Iterator<Item = &'a Arc<Job>> {
        std::iter::successors(Some(job), |job| self.maker(job)).take(DEEPEST)
    }
}

/// TrainJob → JobSet → Job, and room for what comes.
const DEEPEST: usize = 8;

fn name(job: &Job) -> Name<'_> {
    [&*job.kind_name, &*job.key.namespace, &*job.key.name]
}

/// Pods that belong to a job, by kind and name of their owner.
fn owner_key(job: &Job) -> OwnerKey {
    OwnerKey {
        namespace: job.key.namespace.clone(),
        owner: Owner { kind: job.kind_name.clone(), name: job.key.name.clone() },
    }
}
