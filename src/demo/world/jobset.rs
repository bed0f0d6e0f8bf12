//! The JobSet controller: some jobs that are one run, and end together.

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::events::Involved;
use super::{World, is_terminating, json, owned_by, uid};
use crate::demo::resource::Kind;
use crate::demo::store::Key;

const LABEL: &str = "jobset.sigs.k8s.io";
/// So many replicas of a job are made at most.
const MOST_JOBS: i64 = 500;

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(set) = world.get(Kind::JobSets, key).filter(|object| !is_terminating(object)) else {
        return;
    };
    if !json::text(&set, "/status/terminalState").is_empty() {
        return;
    }
    let jobs: Vec<Value> =
        world.store.owned(uid(&set), Kind::Jobs).iter().map(|object| object.value()).collect();
    let suspended = json::flag(&set, "/spec/suspend");
    for replicated in json::list(&set, "/spec/replicatedJobs") {
        for index in 0..json::int_or(replicated, "/replicas", 1).min(MOST_JOBS) {
            let name = format!("{}-{}-{index}", key.name, json::text(replicated, "/name"));
            match jobs.iter().find(|job| json::text(job, "/metadata/name") == name) {
                None => create(world, &set, replicated, (&name, index)),
                Some(job) if json::flag(job, "/spec/suspend") != suspended => {
                    world.edit(Kind::Jobs, &Key::of(job), |job| {
                        json::put(job, "/spec/suspend", json!(suspended));
                    });
                }
                Some(_) => {}
            }
        }
    }
    report(world, key, &set, &jobs);
}

fn create(world: &mut World, set: &Value, replicated: &Value, (name, index): (&str, i64)) {
    let mut spec = replicated["template"]["spec"].clone();
    let labels = json!({
        format!("{LABEL}/jobset-name"): set["metadata"]["name"],
        format!("{LABEL}/replicatedjob-name"): replicated["name"],
        format!("{LABEL}/replicatedjob-replicas"): json::int_or(replicated, "/replicas", 1).to_string(),
        format!("{LABEL}/job-index"): index.to_string(),
    });
    json::put(&mut spec, "/suspend", json!(json::flag(set, "/spec/suspend")));
    for (label, value) in labels.as_object().into_iter().flatten() {
        json::put(
            &mut spec,
            &format!("/template/metadata/labels/{}", label.replace('/', "~1")),
            value.clone(),
        );
    }
    let job = json!({
        "metadata": {
            "name": name, "namespace": set["metadata"]["namespace"], "labels": labels,
            "ownerReferences": owned_by(Kind::JobSets, set),
        },
        "spec": spec,
    });
    // A job of that name that belongs to someone else stays, and the set waits, as the real one does.
    let _ = world.create(Kind::Jobs, job);
}

fn report(world: &mut World, key: &Key, set: &Value, jobs: &[Value]) {
    let mut object = set.clone();
    let mut statuses = Vec::new();
    for replicated in json::list(set, "/spec/replicatedJobs") {
        let name = json::text(replicated, "/name");
        let own: Vec<&Value> = jobs
            .iter()
            .filter(|job| json::label(job, "jobset.sigs.k8s.io/replicatedjob-name") == name)
            .collect();
        let count = |test: &dyn Fn(&Value) -> bool| own.iter().filter(|job| test(job)).count();
        let open = |job: &Value| !super::job::is_finished(job);
        statuses.push(json!({
            "name": name,
            "ready": count(&|job| open(job) && json::int(job, "/status/ready") >= json::int_or(job, "/spec/parallelism", 1)),
            "succeeded": count(&|job| json::is_true(job, "Complete")),
            "failed": count(&|job| json::is_true(job, "Failed")),
            "active": count(&|job| json::int(job, "/status/active") > 0),
            "suspended": count(&|job| json::flag(job, "/spec/suspend")),
        }));
    }
    json::put(&mut object, "/status/replicatedJobsStatus", statuses.into());
    json::put(&mut object, "/status/restarts", json!(json::int(set, "/status/restarts")));
    let now = world.stamp();
    let suspended = json::flag(set, "/spec/suspend");
    if suspended || json::condition(set, "Suspended").is_some() {
        let (reason, message) = if suspended {
            ("SuspendedJobs", "jobset is suspended")
        } else {
            ("ResumeJobs", "jobset is resumed")
        };
        conditions::set(
            &mut object,
            Condition { kind: "Suspended", status: suspended, reason, message },
            &now,
        );
    }
    let about = Involved { kind: Kind::JobSets, object: set, component: "jobset" };
    if jobs.iter().any(|job| json::is_true(job, "Failed")) {
        let message = "jobset failed due to one or more job failures";
        conditions::set(
            &mut object,
            Condition { kind: "Failed", status: true, reason: "FailedJobs", message },
            &now,
        );
        json::put(&mut object, "/status/terminalState", "Failed".into());
        world.warning(about, "FailedJobs", message);
    } else if !jobs.is_empty() && jobs.iter().all(|job| json::is_true(job, "Complete")) {
        let message = "jobset completed successfully";
        let done = Condition { kind: "Completed", status: true, reason: "AllJobsCompleted", message };
        conditions::set(&mut object, done, &now);
        json::put(&mut object, "/status/terminalState", "Completed".into());
        world.normal(about, "AllJobsCompleted", message);
    }
    world.set_status(Kind::JobSets, key, object["status"].take());
}
