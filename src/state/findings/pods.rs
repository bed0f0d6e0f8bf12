//! Troubles of pods, told once for the workload or job that they belong to.

use std::collections::BTreeMap;

use super::{Found, finding};
use crate::fleet::pod::{Pod, Trouble, TroubleKind};
use crate::fleet::{Age, Clean, JobPhase, Kind, ObjectId, ObjectKey, Rule, Severity, Subject, Workload};
use crate::state::select::job_index::JobIndex;
use crate::state::usage::OwnerKey;
use crate::state::{Cluster, State};

struct Troubled<'a> {
    pods: u32,
    restarts: u32,
    first: (&'a Pod, &'a Trouble),
}

pub(super) fn troubles(state: &State, cluster: &Cluster, found: &mut Found) {
    if cluster.objects.usage.troubled().next().is_none() {
        return;
    }
    let mut groups: BTreeMap<(Subject, TroubleKind), Troubled<'_>> = BTreeMap::new();
    let jobs = JobIndex::new(cluster);
    for key in cluster.objects.usage.troubled() {
        let Some(pod) = cluster.objects.pods.get(key) else { continue };
        let Some(trouble) = &pod.trouble else { continue };
        let subject = subject(&jobs, pod);
        if belongs_to_job_rules(cluster, &subject, trouble.kind) {
            continue;
        }
        let group = groups.entry((subject, trouble.kind)).or_insert(Troubled {
            pods: 0,
            restarts: 0,
            first: (pod, trouble),
        });
        group.pods += 1;
        group.restarts = group.restarts.max(pod.restarts);
        if trouble.since < group.first.1.since {
            group.first = (pod, trouble);
        }
    }
    for ((subject, kind), group) in groups {
        let (rule, severity, delay) = judge(state, kind);
        let of = total(cluster, group.first.0);
        let mut it = finding(rule, severity, cluster, subject);
        it.cause = cause(&group, of);
        it.since = group.first.1.since;
        found.add_after(delay, it);
    }
}

/// The first trouble among the pods of a workload.
pub(super) fn first_trouble<'a>(cluster: &'a Cluster, workload: &Workload) -> Option<&'a Trouble> {
    let mut troubled = cluster.objects.usage.troubled().filter_map(|key| cluster.objects.pods.get(key));
    let own = troubled.find(|pod| {
        pod.key.namespace == workload.key.namespace
            && pod
                .owner
                .as_ref()
                .is_some_and(|owner| owner.name == workload.key.name && owner.kind == workload.kind.name())
    });
    own.and_then(|pod| pod.trouble.as_deref())
}

/// What a pod's trouble is about: its job or workload where there is one, else itself.
fn subject(jobs: &JobIndex<'_>, pod: &Pod) -> Subject {
    if let Some(job) = jobs.job_of(pod) {
        return Subject::Job(job.id());
    }
    let Some(owner) = &pod.owner else { return Subject::Pod(pod.key.clone()) };
    let key = ObjectKey { namespace: pod.key.namespace.clone(), name: owner.name.clone() };
    match Kind::ALL.into_iter().find(|kind| kind.name() == owner.kind.as_str()) {
        Some(kind) if kind.is_workload() => Subject::Workload(ObjectId { kind, key }),
        Some(Kind::Job) => Subject::Job(ObjectId { kind: Kind::Job, key }),
        _ => Subject::Pod(pod.key.clone()),
    }
}

/// A job retries pods that fail, and says itself when it gives up; the scheduler's words about it are told
/// by the rule for waiting jobs.
fn belongs_to_job_rules(cluster: &Cluster, subject: &Subject, kind: TroubleKind) -> bool {
    let Subject::Job(id) = subject else { return false };
    match kind {
        TroubleKind::Failed | TroubleKind::Unschedulable => true,
        TroubleKind::CrashLoop | TroubleKind::ImagePull | TroubleKind::CannotStart => {
            cluster.objects.jobs.get(id).is_some_and(|job| job.phase == JobPhase::Failed)
        }
    }
}

fn judge(state: &State, kind: TroubleKind) -> (Rule, Severity, Age) {
    match kind {
        TroubleKind::CrashLoop => (Rule::CrashLoop, Severity::Critical, Age(0)),
        TroubleKind::ImagePull => (Rule::ImagePull, Severity::Critical, Age(0)),
        TroubleKind::CannotStart => (Rule::CannotStart, Severity::Critical, Age(0)),
        TroubleKind::Unschedulable => (Rule::Unschedulable, Severity::Warning, state.settings.pending_after),
        TroubleKind::Failed => (Rule::PodFailed, Severity::Info, Age(0)),
    }
}

/// `2 of 6 pods in CrashLoopBackOff, 7 restarts: server OOMKilled, exit 137`.
fn cause(group: &Troubled<'_>, of: u32) -> Clean {
    let (pod, trouble) = group.first;
    let mut text = if of > 1 {
        format!("{} of {of} pods in {}", group.pods, trouble.reason)
    } else {
        trouble.reason.to_string()
    };
    if trouble.kind == TroubleKind::CrashLoop && group.restarts > 0 {
        let noun = if group.restarts == 1 { "restart" } else { "restarts" };
        text.push_str(&format!(", {} {noun}", group.restarts));
    }
    let why = if trouble.last_end.is_empty() { &trouble.message } else { &trouble.last_end };
    match (trouble.container.is_empty(), why.is_empty()) {
        (false, false) => text.push_str(&format!(": {}: {why}", trouble.container)),
        (true, false) => text.push_str(&format!(": {why}")),
        (false, true) => text.push_str(&format!(": {}", trouble.container)),
        (true, true) => {}
    }
    if trouble.kind == TroubleKind::ImagePull && !text.contains(pod.image.as_str()) {
        text.push_str(&format!(" ({})", pod.image));
    }
    text.into()
}

fn total(cluster: &Cluster, pod: &Pod) -> u32 {
    let Some(owner) = pod.owner.clone() else { return 1 };
    let key = OwnerKey { namespace: pod.key.namespace.clone(), owner };
    cluster.objects.usage.of_owner(&key).total
}
