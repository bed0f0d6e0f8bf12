//! batch/v1 Jobs and CronJobs.

use std::sync::Arc;

use bytes::Bytes;

use super::{Cx, Read, controller, count, created, decode, key, meta, template_gpus};
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::wire::messages::batch::{self, JobCondition, JobSpec, JobStatus};
use crate::clients::kube::wire::messages::meta::{ObjectMeta, unix};
use crate::fleet::job::JobPods;
use crate::fleet::{Clean, CronJob, Job, JobPhase, Kind, Object, Unix};

pub const QUEUE_LABEL: &str = "kueue.x-k8s.io/queue-name";

pub fn job(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: batch::Job = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status.unwrap_or_default();
    let decided = decide(&spec, &status);
    let parallelism = count(spec.parallelism.unwrap_or(1));
    let wanted = spec.completions.map_or(parallelism, count);
    let at_once = parallelism.min(wanted.max(1));
    let template = spec.template.as_ref();
    let job = Job {
        kind: Kind::Job,
        key: key(&meta, cx),
        kind_name: cx.names.intern(Kind::Job.name()),
        uid: Clean::new(&meta.uid),
        phase: decided.phase,
        rule: cx.names.intern(decided.rule),
        reason: Clean::new(decided.condition.map_or("", |it| &it.reason)),
        message: Clean::new(decided.condition.map_or("", |it| &it.message)),
        created: created(&meta),
        started: unix(status.start_time.as_ref()),
        ended: ended(&status, &decided),
        pods: JobPods {
            wanted: Some(wanted),
            active: Some(count(status.active)),
            ready: status.ready.map(count),
            succeeded: Some(count(status.succeeded)),
            failed: Some(count(status.failed)),
        },
        progress: (wanted > 1).then(|| f64::from(status.succeeded) / f64::from(wanted)),
        gpus: Some(template.map(template_gpus).unwrap_or_default() * at_once),
        queue: queue(&meta, cx),
        restarts: Some(count(status.failed)),
        owner: controller(&meta, cx),
        metrics: Vec::new(),
        columns: Vec::new(),
    };
    Ok(Read::new(&meta, cx, Some(Object::Job(Arc::new(job)))))
}

pub fn cron_job(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: batch::CronJob = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status.unwrap_or_default();
    let schedule = match &*spec.time_zone {
        "" => spec.schedule,
        zone => format!("{} {zone}", spec.schedule),
    };
    let cron_job = CronJob {
        key: key(&meta, cx),
        schedule: schedule.into(),
        suspended: spec.suspend,
        active: status.active.len() as u32,
        last_scheduled: unix(status.last_schedule_time.as_ref()),
        last_succeeded: unix(status.last_successful_time.as_ref()),
        created: created(&meta),
    };
    Ok(Read::new(&meta, cx, Some(Object::CronJob(Box::new(cron_job)))))
}

pub(super) fn queue(meta: &ObjectMeta, cx: &mut Cx) -> Option<Clean> {
    meta.labels.get(QUEUE_LABEL).map(|name| cx.names.intern(name))
}

struct Decided<'a> {
    phase: JobPhase,
    rule: &'static str,
    condition: Option<&'a JobCondition>,
}

/// Only conditions with status True count, and the terminal ones before all else
/// (Kubernetes `api/batch/v1/types.go`, JobStatus).
fn decide<'a>(spec: &JobSpec, status: &'a JobStatus) -> Decided<'a> {
    let holds = |kind: &str| status.conditions.iter().find(|it| it.kind == kind && it.status == "True");
    for (kind, phase, rule) in [
        ("Failed", JobPhase::Failed, "condition Failed is True"),
        ("Complete", JobPhase::Succeeded, "condition Complete is True"),
        ("FailureTarget", JobPhase::Running, "condition FailureTarget is True: its pods are ending"),
        (
            "SuccessCriteriaMet",
            JobPhase::Running,
            "condition SuccessCriteriaMet is True: its pods are ending",
        ),
        ("Suspended", JobPhase::Suspended, "condition Suspended is True"),
    ] {
        if let Some(condition) = holds(kind) {
            return Decided { phase, rule, condition: Some(condition) };
        }
    }
    let (phase, rule) = if spec.suspend {
        (JobPhase::Suspended, "spec.suspend is true")
    } else if status.ready.unwrap_or(status.active) > 0 {
        (JobPhase::Running, "it has ready pods")
    } else if status.failed > 0 {
        (JobPhase::Restarting, "pods failed and none is ready: it tries again")
    } else if status.succeeded > 0 {
        (JobPhase::Running, "some of its pods have succeeded")
    } else {
        (JobPhase::Pending, "none of its pods is ready")
    };
    Decided { phase, rule, condition: None }
}

/// `completionTime` is only set on success; a failed job ended when its condition says so.
fn ended(status: &JobStatus, decided: &Decided<'_>) -> Option<Unix> {
    let of_condition = || unix(decided.condition?.last_transition_time.as_ref());
    if !decided.phase.has_ended() {
        return None;
    }
    unix(status.completion_time.as_ref()).or_else(of_condition)
}

#[cfg(test)]
mod tests {
    use super::super::test_cx;
    use super::*;

    fn read(spec: &str, status: &str) -> Arc<Job> {
        let json =
            format!(r#"{{"metadata":{{"name":"j","namespace":"ml"}},"spec":{spec},"status":{status}}}"#);
        match job(Encoding::Json, &Bytes::from(json), &mut test_cx()).unwrap().object {
            Some(Object::Job(job)) => job,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn phases_by_what_is_true() {
        let failed = r#"{"failed":4,"conditions":[{"type":"Complete","status":"False"},
            {"type":"Failed","status":"True","reason":"BackoffLimitExceeded","message":"Job has reached the specified backoff limit","lastTransitionTime":"2026-01-01T00:00:00Z"}]}"#;
        for (spec, status, phase, rule) in [
            ("{}", failed, JobPhase::Failed, "condition Failed is True"),
            (
                "{}",
                r#"{"conditions":[{"type":"Complete","status":"True"}]}"#,
                JobPhase::Succeeded,
                "condition Complete is True",
            ),
            (
                "{}",
                r#"{"conditions":[{"type":"Failed","status":"False"}],"active":1,"ready":1}"#,
                JobPhase::Running,
                "it has ready pods",
            ),
            ("{}", r#"{"active":1,"ready":0}"#, JobPhase::Pending, "none of its pods is ready"),
            (
                "{}",
                r#"{"active":1,"ready":0,"failed":1}"#,
                JobPhase::Restarting,
                "pods failed and none is ready: it tries again",
            ),
            (r#"{"suspend":true}"#, "{}", JobPhase::Suspended, "spec.suspend is true"),
            ("{}", "{}", JobPhase::Pending, "none of its pods is ready"),
            (
                "{}",
                r#"{"conditions":[{"type":"FailureTarget","status":"True"}],"active":1}"#,
                JobPhase::Running,
                "condition FailureTarget is True: its pods are ending",
            ),
        ] {
            let job = read(spec, status);
            assert_eq!((job.phase, job.rule.as_str()), (phase, rule), "{status}");
        }
    }

    #[test]
    fn a_failed_job_has_an_end_although_it_never_completed() {
        let job = read(
            "{}",
            r#"{"conditions":[{"type":"Failed","status":"True","reason":"DeadlineExceeded","lastTransitionTime":"2026-01-01T00:00:00Z"}]}"#,
        );
        assert_eq!(job.ended, Unix::parse("2026-01-01T00:00:00Z"));
        assert_eq!(job.reason, "DeadlineExceeded");
    }

    #[test]
    fn gpus_are_those_of_the_pods_that_run_at_once() {
        let template =
            r#""template":{"spec":{"containers":[{"resources":{"limits":{"nvidia.com/gpu":"8"}}}]}}"#;
        let gpus = |numbers: &str| read(&format!("{{{numbers}{template}}}"), "{}").gpus.unwrap().whole;
        assert_eq!(gpus(""), 8);
        assert_eq!(gpus(r#""parallelism":4,"completions":10,"#), 32);
        assert_eq!(gpus(r#""parallelism":4,"completions":2,"#), 16);
        let half = read(r#"{"parallelism":1,"completions":4}"#, r#"{"succeeded":2,"active":1,"ready":1}"#);
        assert_eq!(half.progress, Some(0.5));
    }
}
