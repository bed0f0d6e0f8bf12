//! What belongs to which job of a cluster: the jobs that it made, its place in the queue, its pods.

use std::collections::HashMap;
use std::sync::Arc;

use crate::fleet::{Admission, Job, ObjectId, Owner, Pod, Trouble};
use crate::state::Cluster;
use crate::state::objects::Objects;
use crate::state::usage::{OwnerKey, PodCounts};

/// Made of what is rare (jobs that jobs made, places in a queue, pods in trouble) and not of all jobs.
pub struct JobIndex<'a> {
    objects: &'a Objects,
    /// Further jobs whose pods are a job's own, since it made them.
    made: HashMap<ObjectId, Vec<&'a Job>>,
    /// Its own, or that of a job that it made; one that waits before one that does not.
    admissions: HashMap<ObjectId, &'a Admission>,
    troubles: HashMap<ObjectId, &'a Trouble>,
}

impl<'a> JobIndex<'a> {
    pub fn new(cluster: &'a Cluster) -> Self {
        let objects = &cluster.objects;
        let mut index =
            Self { objects, made: HashMap::new(), admissions: HashMap::new(), troubles: HashMap::new() };
        for job in objects.jobs.owned() {
            let top = objects.jobs.top(job);
            if !Arc::ptr_eq(top, job) {
                index.made.entry(top.id()).or_default().push(job);
            }
        }
        for admission in objects.admissions.values() {
            if let Some(job) = objects.jobs.named(&admission.job, &admission.key.namespace) {
                let known = index.admissions.entry(objects.jobs.top(job).id()).or_insert(admission);
                if !admission.admitted {
                    *known = admission;
                }
            }
        }
        for pod in objects.usage.troubled().filter_map(|key| objects.pods.get(key)) {
            if let (Some(job), Some(trouble)) = (index.job_of(pod), pod.trouble.as_deref()) {
                let worst = index.troubles.entry(job.id()).or_insert(trouble);
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
        self.objects.jobs.maker(job).is_some()
    }

    pub fn admission(&self, job: &Job) -> Option<&'a Admission> {
        self.admissions.get(&job.id()).copied()
    }

    /// Its pods and those of the jobs that it made.
    pub fn pods(&self, job: &Job) -> PodCounts {
        let mut counts = self.own_pods(job);
        for made in self.made.get(&job.id()).into_iter().flatten() {
            counts += self.own_pods(made);
        }
        counts
    }

    /// The worst trouble of these pods.
    pub fn trouble(&self, job: &Job) -> Option<&'a Trouble> {
        self.troubles.get(&job.id()).copied()
    }

    /// The job that a pod works for in the end, if it works for one.
    pub fn job_of(&self, pod: &Pod) -> Option<&'a Arc<Job>> {
        Some(self.objects.jobs.top(self.owner_of(pod)?))
    }

    /// Whether a pod was made by a job, or by one that this job made.
    pub fn works_for(&self, pod: &Pod, job: &Job) -> bool {
        let id = job.id();
        self.owner_of(pod).is_some_and(|owner| self.objects.jobs.line(owner).any(|it| it.id() == id))
    }

    fn owner_of(&self, pod: &Pod) -> Option<&'a Arc<Job>> {
        self.objects.jobs.named(pod.owner.as_ref()?, &pod.key.namespace)
    }

    fn own_pods(&self, job: &Job) -> PodCounts {
        let owner = Owner { kind: job.kind_name.clone(), name: job.key.name.clone() };
        self.objects.usage.of_owner(&OwnerKey { namespace: job.key.namespace.clone(), owner })
    }
}
