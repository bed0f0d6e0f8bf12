//! Jobs of any kind, by rules that are data ([`JobKind`]).

use std::sync::Arc;

use serde_json::Value;

use super::custom::{changed, conditions, metadata, template, text};
use super::job::queue;
use super::{Cx, Read, controller, created, key, template_gpus};
use crate::clients::kube::wire::messages::core::PodTemplateSpec;
use crate::config::JobKind;
use crate::config::job_kind::{Path, PodGroup};
use crate::fleet::job::JobPods;
use crate::fleet::{Clean, GpuCount, Job, JobPhase, Kind, Object, Unix, quantity};

pub fn job(kind: Kind, rules: &JobKind, object: &Value, cx: &mut Cx) -> Result<Read, String> {
    let meta = metadata(object)?;
    let decided = decide(rules, object);
    let at = |path: &Option<Path>| path.as_ref().and_then(|path| path.first(object));
    let time = |path: &Option<Path>| at(path).and_then(Value::as_str).and_then(Unix::parse);
    let words = |path: &Option<Path>, fallback: &str| {
        Clean::new(at(path).and_then(Value::as_str).unwrap_or(fallback))
    };
    let condition = decided.condition;
    let ended = decided.phase.has_ended();
    let job = Job {
        kind,
        key: key(&meta, cx),
        kind_name: cx.names.intern(&rules.name),
        uid: Clean::new(&meta.uid),
        phase: decided.phase,
        rule: cx.names.intern(&decided.rule),
        reason: words(&rules.reason, condition.map_or("", |it| text(&it["reason"]))),
        message: words(&rules.message, condition.map_or("", |it| text(&it["message"]))),
        created: created(&meta),
        started: time(&rules.start),
        ended: if ended { time(&rules.end).or_else(|| changed(condition?)) } else { None },
        pods: pods(rules, object),
        progress: progress(rules, object),
        gpus: gpus(rules, object),
        queue: at(&rules.queue)
            .and_then(Value::as_str)
            .map(|it| cx.names.intern(it))
            .or_else(|| queue(&meta, cx)),
        restarts: sum(rules.restarts.as_ref(), object),
        owner: controller(&meta, cx),
        metrics: metrics(rules, object),
        columns: columns(rules, object, cx),
    };
    Ok(Read::new(&meta, cx, Some(Object::Job(Arc::new(job)))))
}

struct Decided<'a> {
    phase: JobPhase,
    rule: String,
    condition: Option<&'a Value>,
}

/// Rules first, then conditions that are true, then the phase; an object without any says that nothing has
/// happened yet, one with a value that nobody knows stays unknown.
fn decide<'a>(rules: &JobKind, object: &'a Value) -> Decided<'a> {
    for rule in &rules.rules {
        if rule.path.first(object).is_some_and(|value| plain(value) == rule.is) {
            let rule_text = format!("{} is {}", rule.path.text(), rule.is);
            let condition = by_condition(rules, object).map(|(_, condition)| condition);
            return Decided { phase: rule.phase, rule: rule_text, condition };
        }
    }
    if let Some((phase, condition)) = by_condition(rules, object) {
        let rule = format!("condition {} is True", text(&condition["type"]));
        return Decided { phase, rule, condition: Some(condition) };
    }
    let raw = rules.phase.as_ref().and_then(|path| Some((path, plain(path.first(object)?))));
    if let Some((path, raw)) = raw.filter(|(_, raw)| !raw.is_empty()) {
        let mapped = rules.phase_map.iter().find(|(known, _)| *known == raw).map(|(_, phase)| *phase);
        let phase = mapped.or_else(|| JobPhase::named(&raw)).unwrap_or(JobPhase::Unknown);
        return Decided { phase, rule: format!("{} is {raw}", path.text()), condition: None };
    }
    let running = sum(rules.active.as_ref(), object).is_some_and(|active| active > 0);
    let (phase, rule) = if running {
        (JobPhase::Running, "it has active pods")
    } else {
        (JobPhase::Pending, "nothing tells that it has begun")
    };
    Decided { phase, rule: rule.into(), condition: None }
}

fn by_condition<'a>(rules: &JobKind, object: &'a Value) -> Option<(JobPhase, &'a Value)> {
    rules.conditions.iter().find_map(|(phase, kind)| {
        let mut holding = conditions(object).filter(|it| it.1 == "True");
        holding.find(|it| it.0 == kind).map(|(_, _, condition)| (*phase, condition))
    })
}

fn pods(rules: &JobKind, object: &Value) -> JobPods {
    let wanted: u32 =
        rules.pods.iter().flat_map(|group| members(group, object)).map(|(count, _)| count).sum();
    JobPods {
        wanted: (wanted > 0).then_some(wanted),
        active: sum(rules.active.as_ref(), object),
        ready: None,
        succeeded: sum(rules.succeeded.as_ref(), object),
        failed: sum(rules.failed.as_ref(), object),
    }
}

fn progress(rules: &JobKind, object: &Value) -> Option<f64> {
    let value = rules.progress.as_ref()?.first(object)?;
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    // What does not fit is not bent until it does: 68 of 1 is a percentage, or nonsense.
    Some(number / rules.progress_whole).filter(|share| (0.0..=1.0).contains(share))
}

/// From the pods that the spec asks for, else a number of GPUs a worker, else not known.
fn gpus(rules: &JobKind, object: &Value) -> Option<GpuCount> {
    if !rules.pods.is_empty() {
        let groups = rules.pods.iter().flat_map(|group| members(group, object));
        let groups: Vec<_> = groups.collect();
        let total = groups.iter().map(|(count, template)| template_gpus(template) * *count).sum();
        return (!groups.is_empty()).then_some(total);
    }
    let value = rules.gpus.as_ref()?.first(object)?;
    let whole = match value {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok())?,
        other => quantity::pieces(other.as_str()?)?,
    };
    let counts = rules
        .workers_if
        .as_ref()
        .is_none_or(|path| path.first(object).and_then(Value::as_bool).unwrap_or(false));
    let workers = if counts { sum(rules.workers.as_ref(), object).unwrap_or(1) } else { 1 };
    Some(GpuCount { whole, ..GpuCount::NONE } * workers)
}

/// How many pods of which template a group asks for.
fn members(group: &PodGroup, object: &Value) -> Vec<(u32, PodTemplateSpec)> {
    let each = group.each.all(object).into_iter().filter(|each| each.is_object());
    each.map(|each| {
        let counts = group.count.iter().map(|path| {
            let count = path.first(each).and_then(Value::as_u64).unwrap_or(1);
            u32::try_from(count).unwrap_or(u32::MAX)
        });
        let count = counts.fold(1u32, u32::saturating_mul);
        (count, group.template.first(each).map(template).unwrap_or_default())
    })
    .collect()
}

/// The sum of the numbers at a path; `None` when there is none.
fn sum(path: Option<&Path>, object: &Value) -> Option<u32> {
    let numbers = path?.all(object).into_iter().filter_map(Value::as_u64);
    let numbers: Vec<_> = numbers.collect();
    (!numbers.is_empty()).then(|| u32::try_from(numbers.iter().sum::<u64>()).unwrap_or(u32::MAX))
}

fn metrics(rules: &JobKind, object: &Value) -> Vec<(Clean, f64)> {
    let metrics = rules.metrics.as_ref().and_then(|path| path.first(object));
    let metrics = metrics.and_then(Value::as_object).into_iter().flatten();
    metrics.filter_map(|(name, value)| Some((Clean::new(name), value.as_f64()?))).collect()
}

fn columns(rules: &JobKind, object: &Value, cx: &mut Cx) -> Vec<(Clean, Clean)> {
    let columns = rules.columns.iter();
    columns
        .filter_map(|(name, path)| {
            let value = plain(path.first(object)?);
            Some((cx.names.intern(name), cx.names.intern(&value)))
        })
        .collect()
}

/// A value as a rule names it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_cx;
    use super::*;
    use serde_json::json;

    fn read(kind: &str, object: Value) -> Arc<Job> {
        let kinds = crate::config::job_kind::built_in();
        let rules = kinds.iter().find(|it| it.name == kind).unwrap();
        let mut object = object;
        object["metadata"] = json!({"name": "j", "namespace": "ml"});
        match job(Kind::CustomJob(0), rules, &object, &mut test_cx()).unwrap().object {
            Some(Object::Job(job)) => job,
            other => panic!("{other:?}"),
        }
    }

    fn told(kind: &str, object: Value) -> (JobPhase, String) {
        let job = read(kind, object);
        (job.phase, job.rule.to_string())
    }

    #[test]
    fn a_training_job() {
        let job = read(
            "TrainingJob",
            json!({
                "spec": {"framework": "pytorch", "resources": {"gpus": 8}, "distributedTraining": {"enabled": true, "workers": 4}},
                "status": {"phase": "Running", "startTime": "2026-01-01T00:00:00Z", "metrics": {"loss": 0.25, "progress": 0.5}},
            }),
        );
        assert_eq!((job.phase, job.rule.as_str()), (JobPhase::Running, "status.phase is Running"));
        assert_eq!(job.gpus.unwrap().whole, 32);
        assert_eq!(job.progress, Some(0.5));
        let percent = json!({"status": {"phase": "Running", "metrics": {"progress": 68.1}}});
        assert_eq!(read("TrainingJob", percent).progress, None, "neither 100 % nor 6810 %");
        assert!(job.metrics.contains(&("loss".into(), 0.25)));
        assert!(job.columns.contains(&("Framework".into(), "pytorch".into())));
        let alone = read(
            "TrainingJob",
            json!({"spec": {"resources": {"gpus": 8}, "distributedTraining": {"enabled": false, "workers": 4}}}),
        );
        assert_eq!((alone.gpus.unwrap().whole, alone.phase), (8, JobPhase::Pending));
    }

    #[test]
    fn ray_has_two_axes_and_complete_is_not_success() {
        let ray = |job: &str, deployment: &str| {
            told("RayJob", json!({"status": {"jobStatus": job, "jobDeploymentStatus": deployment}}))
        };
        assert_eq!(ray("FAILED", "Complete").0, JobPhase::Failed);
        assert_eq!(ray("STOPPED", "Complete").0, JobPhase::Cancelled);
        assert_eq!(
            ray("SUCCEEDED", "Complete"),
            (JobPhase::Succeeded, "status.jobStatus is SUCCEEDED".into())
        );
        assert_eq!(ray("", "Initializing").0, JobPhase::Pending);
    }

    #[test]
    fn the_last_condition_is_not_the_state() {
        let object = json!({"status": {"conditions": [
            {"type": "Complete", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"},
            {"type": "Suspended", "status": "False"}]}});
        let job = read("TrainJob", object);
        assert_eq!((job.phase, job.ended), (JobPhase::Succeeded, Unix::parse("2026-01-01T00:00:00Z")));
        let running = json!({"status": {"jobsStatus": [{"active": 2}, {"active": 1}]}});
        assert_eq!(told("TrainJob", running).0, JobPhase::Running);
    }

    #[test]
    fn what_has_ended_outweighs_what_happened_on_the_way() {
        let object = json!({"status": {"conditions": [
            {"type": "Running", "status": "True"}, {"type": "Failed", "status": "True", "reason": "OOM"}]}});
        let job = read("PyTorchJob", object);
        assert_eq!((job.phase, job.reason.as_str()), (JobPhase::Failed, "OOM"));
    }

    #[test]
    fn gpus_of_groups_of_pods() {
        let template = json!({"spec": {"containers": [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": "2"}}}]}});
        let object = json!({"spec": {"replicatedJobs": [
            {"replicas": 2, "template": {"spec": {"parallelism": 3, "template": template.clone()}}},
            {"template": {"spec": {"template": template}}}]}});
        let job = read("JobSet", object);
        assert_eq!((job.gpus.unwrap().whole, job.pods.wanted), (14, Some(7)));
    }

    #[test]
    fn an_unknown_value_stays_unknown_and_is_shown() {
        let (phase, rule) = told("TrainingJob", json!({"status": {"phase": "Hibernating"}}));
        assert_eq!((phase, rule.as_str()), (JobPhase::Unknown, "status.phase is Hibernating"));
    }
}
