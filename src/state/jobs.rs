//! The jobs of a cluster, and who made whom.
//!
//! A TrainJob makes a JobSet, and that makes Jobs. They know each other by name, as Kubernetes has it; nothing here
//! looks through all jobs to find one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::table::{Stamp, Table, Take};
use crate::fleet::{Clean, Job, Kind, ObjectId, ObjectKey, Owner, Unix};

#[derive(Debug, Default)]
pub struct Jobs {
    table: Table<ObjectId, Arc<Job>>,
    /// By the name that owners call them; kinds of different groups may share one.
    kinds: BTreeMap<Clean, BTreeSet<Kind>>,
    /// Jobs that something else than a CronJob owns: few among many.
    owned: BTreeSet<ObjectId>,
    /// When a job that has not ended was last seen to move.
    moved: HashMap<ObjectId, Unix>,
}

/// TrainJob → JobSet → Job, and room for what comes.
const DEEPEST: usize = 8;

impl Jobs {
    pub fn get(&self, id: &ObjectId) -> Option<&Arc<Job>> {
        self.table.get(id)
    }

    pub fn values(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.table.values()
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    pub fn changes(&self) -> u64 {
        self.table.changes()
    }

    /// The name of a kind of which there was a job.
    pub fn kind_name(&self, kind: Kind) -> Option<&Clean> {
        self.kinds.iter().find(|(_, kinds)| kinds.contains(&kind)).map(|(name, _)| name)
    }

    /// When phase, pods or progress of a running job last changed before our eyes; when it was first seen,
    /// if they never did.
    pub fn moved(&self, job: &ObjectId) -> Option<Unix> {
        self.moved.get(job).copied()
    }

    /// The job of this kind and name, as an owner is called by what it owns.
    pub fn named(&self, owner: &Owner, namespace: &Clean) -> Option<&Arc<Job>> {
        let key = ObjectKey { namespace: namespace.clone(), name: owner.name.clone() };
        let kinds = self.kinds.get(&owner.kind)?;
        kinds.iter().find_map(|kind| self.table.get(&ObjectId { kind: *kind, key: key.clone() }))
    }

    /// The job that made this one.
    pub fn maker(&self, job: &Job) -> Option<&Arc<Job>> {
        self.named(maker_of(job)?, &job.key.namespace)
    }

    /// A job, the job that made it, and so on. Owners that own each other are possible in data.
    pub fn line<'a>(&'a self, job: &'a Arc<Job>) -> impl Iterator<Item = &'a Arc<Job>> {
        std::iter::successors(Some(job), |job| self.maker(job)).take(DEEPEST)
    }

    /// The job whose business this one is in the end.
    pub fn top<'a>(&'a self, job: &'a Arc<Job>) -> &'a Arc<Job> {
        self.line(job).last().unwrap_or(job)
    }

    /// Jobs that another object than a CronJob owns, whether that is a job or not.
    pub fn owned(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.owned.iter().filter_map(|id| self.table.get(id))
    }

    pub(super) fn upsert(&mut self, job: Arc<Job>, stamp: Stamp, unix: Unix) {
        let id = job.id();
        if job.phase.has_ended() {
            self.moved.remove(&id);
        } else {
            let mark = |job: &Job| (job.progress.map(f64::to_bits), job.pods, job.phase);
            if self.table.get(&id).is_none_or(|old| mark(old) != mark(&job)) {
                self.moved.insert(id.clone(), unix);
            }
        }
        if maker_of(&job).is_some() {
            self.owned.insert(id.clone());
        } else {
            self.owned.remove(&id);
        }
        if !self.kinds.get(&job.kind_name).is_some_and(|kinds| kinds.contains(&job.kind)) {
            self.kinds.entry(job.kind_name.clone()).or_default().insert(job.kind);
        }
        self.table.upsert(id, job, stamp);
    }

    pub(super) fn remove(&mut self, id: &ObjectId) {
        self.table.remove(id);
        self.forget(id);
    }

    pub(super) fn take(&mut self, which: Take) {
        for (id, _) in self.table.take(which) {
            self.forget(&id);
        }
    }

    fn forget(&mut self, id: &ObjectId) {
        self.moved.remove(id);
        self.owned.remove(id);
    }
}

/// A CronJob makes jobs that are rows of their own.
fn maker_of(job: &Job) -> Option<&Owner> {
    job.owner.as_ref().filter(|owner| owner.kind != Kind::CronJob.name())
}
