//! The job controller: pods until enough have succeeded or too many have failed; suspended, it has none.

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::events::Involved;
use super::template::{PodFacts, PodPlan};
use super::{World, is_terminating, json, kueue, uid};
use crate::demo::clock::seconds;
use crate::demo::resource::Kind;
use crate::demo::store::Key;

const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// After a failed pod the next one waits, longer each time.
const FIRST_BACKOFF: i64 = seconds(10);

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(job) = world.get(Kind::Jobs, key).filter(|object| !is_terminating(object)) else {
        world.failures.remove(key);
        return;
    };
    if kueue::is_queued(&job) {
        kueue::submit(world, &job);
    }
    if is_finished(&job) {
        return finished(world, key, &job);
    }
    if json::text(&job, "/spec/template/metadata/labels/batch.kubernetes.io~1job-name").is_empty() {
        label(world, key, &job);
    } else {
        run(world, key, &job);
    }
}

pub fn is_finished(job: &Value) -> bool {
    json::is_true(job, "Complete") || json::is_true(job, "Failed")
}

/// Selector and labels that the API server generates for a job.
fn label(world: &mut World, key: &Key, job: &Value) {
    let (own, name) = (uid(job).to_owned(), key.name.to_string());
    world.edit(Kind::Jobs, key, |job| {
        for (label, value) in [
            ("batch.kubernetes.io~1controller-uid", &own),
            ("batch.kubernetes.io~1job-name", &name),
            ("controller-uid", &own),
            ("job-name", &name),
        ] {
            json::put(job, &format!("/spec/template/metadata/labels/{label}"), json!(value));
            json::put(job, &format!("/metadata/labels/{label}"), json!(value));
        }
        json::put(job, "/spec/selector/matchLabels", json!({"batch.kubernetes.io/controller-uid": own}));
    });
}

/// The pods of a job, counted.
struct Count {
    active: Vec<PodFacts>,
    ready: usize,
    succeeded: Vec<PodFacts>,
    failed: i64,
    terminating: usize,
}

fn run(world: &mut World, key: &Key, job: &Value) {
    let pods = world.pods_of(job);
    let (active, rest): (Vec<PodFacts>, Vec<PodFacts>) = pods.into_iter().partition(PodFacts::active);
    let restarts: i64 = active.iter().map(|pod| pod.restarts).sum();
    let count = Count {
        ready: active.iter().filter(|pod| pod.ready).count(),
        succeeded: rest.iter().filter(|pod| pod.phase == "Succeeded").cloned().collect(),
        failed: rest.iter().filter(|pod| pod.phase == "Failed").count() as i64 + restarts,
        terminating: rest.iter().filter(|pod| pod.terminating && !pod.ended()).count(),
        active,
    };
    let suspended = json::flag(job, "/spec/suspend");
    let now = world.stamp();
    let mut object = job.clone();
    let completions = json::int_or(job, "/spec/completions", 1);
    let deadline = json::int(job, "/spec/activeDeadlineSeconds");
    let running = world.tick_of(json::text(job, "/status/startTime")).map_or(0, |start| world.tick - start);
    if count.succeeded.len() as i64 >= completions {
        complete(world, &mut object, &now);
    } else if count.failed > json::int_or(job, "/spec/backoffLimit", 6) {
        fail(
            world,
            &mut object,
            ("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
            &count,
        );
    } else if deadline > 0 && running >= seconds(deadline) {
        let why = ("DeadlineExceeded", "Job was active longer than specified deadline");
        fail(world, &mut object, why, &count);
    } else if suspended {
        suspend(world, &mut object, &count);
    } else {
        start(world, key, &mut object, &count);
    }
    write_status(world, key, object);
}

fn start(world: &mut World, key: &Key, object: &mut Value, count: &Count) {
    let now = world.stamp();
    if json::is_true(object, "Suspended") {
        let resumed =
            Condition { kind: "Suspended", status: false, reason: "JobResumed", message: "Job resumed" };
        conditions::set(object, resumed, &now);
        world.normal(by_controller(object), "Resumed", "Job resumed");
    }
    if json::text(object, "/status/startTime").is_empty() {
        json::put(object, "/status/startTime", now.into());
        let deadline = json::int(object, "/spec/activeDeadlineSeconds");
        if deadline > 0 {
            world.wake_after(seconds(deadline), Kind::Jobs, key);
        }
    }
    let completions = json::int_or(object, "/spec/completions", 1);
    let open = (completions - count.succeeded.len() as i64).min(json::int_or(object, "/spec/parallelism", 1));
    let missing = open - count.active.len() as i64;
    let mut active = count.active.len() as i64;
    if missing > 0 && !backs_off(world, key, count.failed) {
        active += (0..missing).take_while(|_| create(world, object)).count() as i64;
    }
    counters(object, (active, count.ready), count);
}

/// After every failure there is a pause before the next pod.
fn backs_off(world: &mut World, key: &Key, failed: i64) -> bool {
    let (known, until) = world.failures.get(key).copied().unwrap_or_default();
    if failed > known {
        let until = world.tick + (FIRST_BACKOFF << (failed - 1).clamp(0, 5));
        world.failures.insert(key.clone(), (failed, until));
        world.wake_at(until, Kind::Jobs, key);
        return true;
    }
    failed > 0 && world.tick < until
}

fn counters(object: &mut Value, (active, ready): (i64, usize), count: &Count) {
    for (field, number) in
        [("active", active), ("succeeded", count.succeeded.len() as i64), ("failed", count.failed)]
    {
        let pointer = format!("/status/{field}");
        if number > 0 {
            json::put(object, &pointer, json!(number));
        } else {
            json::remove(object, &pointer);
        }
    }
    json::put(object, "/status/ready", json!(ready));
    json::put(object, "/status/terminating", json!(count.terminating));
    json::put(object, "/status/uncountedTerminatedPods", json!({}));
}

fn create(world: &mut World, job: &Value) -> bool {
    let name = json::text(job, "/metadata/name");
    let mut template = job["spec"]["template"].clone();
    let (mut prefix, mut labels) = (format!("{name}-"), Vec::new());
    if json::text(job, "/spec/completionMode") == "Indexed" {
        let taken: Vec<String> = world
            .store
            .owned(uid(job), Kind::Pods)
            .iter()
            .filter(|pod| pod.field("status.phase") != Some("Failed"))
            .filter_map(|pod| pod.label(INDEX).map(str::to_owned))
            .collect();
        let free = (0..=taken.len()).find(|index| !taken.contains(&index.to_string())).unwrap_or(0);
        prefix = format!("{name}-{free}-");
        labels.push((INDEX.to_owned(), free.to_string()));
        let pointer = format!("/metadata/annotations/{}", INDEX.replace('/', "~1"));
        json::put(&mut template, &pointer, free.to_string().into());
    }
    let plan = PodPlan { owner: (Kind::Jobs, job), template: &template, name: prefix, labels, node: None };
    let Ok(pod) = world.create_pod(plan) else { return false };
    world.normal(by_controller(job), "SuccessfulCreate", &format!("Created pod: {pod}"));
    true
}

fn suspend(world: &mut World, object: &mut Value, count: &Count) {
    let now = world.stamp();
    for pod in &count.active {
        world.delete(Kind::Pods, &pod.key);
    }
    if !json::is_true(object, "Suspended") {
        world.normal(by_controller(object), "Suspended", "Job suspended");
    }
    let condition =
        Condition { kind: "Suspended", status: true, reason: "JobSuspended", message: "Job suspended" };
    conditions::set(object, condition, &now);
    json::remove(object, "/status/startTime");
    counters(object, (0, 0), count);
}

fn complete(world: &mut World, object: &mut Value, now: &str) {
    let message = "Reached expected number of succeeded pods";
    for kind in ["SuccessCriteriaMet", "Complete"] {
        conditions::set(object, Condition { kind, status: true, reason: "CompletionsReached", message }, now);
    }
    json::put(object, "/status/completionTime", now.into());
    let done = world.pods_of(object).iter().filter(|pod| pod.phase == "Succeeded").count() as i64;
    json::put(object, "/status/succeeded", json!(done));
    ended(object);
    world.normal(by_controller(object), "Completed", "Job completed");
}

fn fail(world: &mut World, object: &mut Value, (reason, message): (&str, &str), count: &Count) {
    let now = world.stamp();
    for pod in &count.active {
        world.delete(Kind::Pods, &pod.key);
    }
    for kind in ["FailureTarget", "Failed"] {
        conditions::set(object, Condition { kind, status: true, reason, message }, &now);
    }
    json::put(object, "/status/failed", json!(count.failed));
    ended(object);
    world.warning(by_controller(object), reason, message);
}

fn ended(object: &mut Value) {
    json::remove(object, "/status/active");
    json::put(object, "/status/ready", json!(0));
    json::put(object, "/status/terminating", json!(0));
    json::put(object, "/status/uncountedTerminatedPods", json!({}));
}

fn write_status(world: &mut World, key: &Key, mut object: Value) {
    if let Some(Value::Array(conditions)) = object.pointer_mut("/status/conditions") {
        for condition in conditions {
            let since = condition["lastTransitionTime"].clone();
            json::put(condition, "/lastProbeTime", since);
        }
    }
    world.set_status(Kind::Jobs, key, object["status"].take());
}

/// A finished job goes after `ttlSecondsAfterFinished`.
fn finished(world: &mut World, key: &Key, job: &Value) {
    let Some(ttl) = job["spec"]["ttlSecondsAfterFinished"].as_i64() else { return };
    let ends = ["Complete", "Failed"].iter().filter_map(|kind| json::condition(job, kind));
    let end = ends.filter_map(|condition| world.tick_of(json::text(condition, "/lastTransitionTime"))).max();
    let due = end.unwrap_or(world.tick) + seconds(ttl);
    if world.tick >= due {
        world.delete(Kind::Jobs, key);
    } else {
        world.wake_at(due, Kind::Jobs, key);
    }
}

fn by_controller(job: &Value) -> Involved<'_> {
    Involved { kind: Kind::Jobs, object: job, component: "job-controller" }
}
