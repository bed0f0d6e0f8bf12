//! Rules about jobs.

use super::{Found, finding};
use crate::fleet::{Age, Clean, Finding, Job, JobPhase, Rule, Severity, Subject};
use crate::state::select::jobs::{self as select, JobRow};
use crate::state::{Cluster, State};

pub(super) fn jobs(state: &State, found: &mut Found) {
    for row in &select::worrying(state) {
        let Some(cluster) = state.cluster(row.cluster) else { continue };
        match row.phase {
            JobPhase::Failed => failed(state, cluster, row, found),
            _ if found.has(cluster.id, &Subject::Job(row.job.id())) => {}
            JobPhase::Queued => queued(cluster, row, found),
            _ => running(state, cluster, row, found),
        }
    }
}

fn failed(state: &State, cluster: &Cluster, row: &JobRow, found: &mut Found) {
    // A job that does not say when it ended may have ended just now: then it counts from when it was seen.
    let ended = row.job.ended.or_else(|| row.trouble.as_ref()?.since);
    if ended.is_some_and(|ended| state.now.age_of(ended) > state.settings.failed_job_for) {
        return;
    }
    let subject = Subject::Job(row.job.id());
    let mut it = finding(Rule::JobFailed, Severity::Critical, cluster, subject);
    it.cause = match &*row.message {
        "" => "failed".into(),
        message => Clean::from(format!("failed: {message}")),
    };
    it.since = ended;
    found.add(it);
}

fn queued(cluster: &Cluster, row: &JobRow, found: &mut Found) {
    let subject = Subject::Job(row.job.id());
    let mut it = finding(Rule::JobStuckPending, Severity::Info, cluster, subject);
    it.cause = Clean::from(format!("waits in its queue: {}", row.message));
    it.since = Some(row.job.created);
    found.add_after(Age::HOUR, it);
}

/// A job that should run: its pods may not start, or it may not get on.
fn running(state: &State, cluster: &Cluster, row: &JobRow, found: &mut Found) {
    if row.is_idle()
        && let Some(it) = stuck(cluster, row)
    {
        found.add_after(state.settings.pending_after, it);
    } else if matches!(row.phase, JobPhase::Running | JobPhase::Restarting) {
        no_progress(state, cluster, &row.job, found);
    }
}

/// A job whose pods cannot start, with the scheduler's words; or one that made no pods at all.
fn stuck(cluster: &Cluster, row: &JobRow) -> Option<Finding> {
    let job = &row.job;
    let homeless = row.homeless();
    if homeless.is_none() && row.phase != JobPhase::Pending {
        return None;
    }
    let subject = Subject::Job(job.id());
    let mut it = finding(Rule::JobStuckPending, Severity::Warning, cluster, subject);
    it.cause = match (homeless, &*row.message) {
        (Some(trouble), _) => trouble.words(),
        (None, "") => "has not started".into(),
        (None, message) => Clean::from(format!("has not started: {message}")),
    };
    it.since = homeless.and_then(|trouble| trouble.since).or(Some(job.created));
    Some(it)
}

fn no_progress(state: &State, cluster: &Cluster, job: &Job, found: &mut Found) {
    // Only what tells its progress can be without it; a plain Job may rightly run for days.
    let Some(progress) = job.progress else { return };
    let Some(moved) = cluster.objects.jobs.moved(&job.id()) else { return };
    let subject = Subject::Job(job.id());
    let mut it = finding(Rule::JobWithoutProgress, Severity::Warning, cluster, subject);
    it.cause = Clean::from(format!("runs without progress, at {:.0} %", progress * 100.0));
    it.since = Some(moved);
    found.add_after(state.settings.no_progress_after, it);
}
