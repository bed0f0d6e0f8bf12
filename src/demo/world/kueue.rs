//! Kueue: a job that names a queue stays suspended until its ClusterQueue has quota for it.

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::events::Involved;
use super::job::is_finished;
use super::quantity::Amounts;
use super::{World, is_terminating, json, owned_by, uid};
use crate::demo::resource::Kind;
use crate::demo::store::{Key, Query};

const QUEUE: &str = "kueue.x-k8s.io/queue-name";
const GPU: &str = "nvidia.com/gpu";

/// Is the job under Kueue's care?
pub fn is_queued(job: &Value) -> bool {
    !json::label(job, QUEUE).is_empty()
}

/// Makes the Workload of a job, if it has none yet.
pub fn submit(world: &mut World, job: &Value) {
    if !world.store.owned(uid(job), Kind::Workloads).is_empty() || is_finished(job) {
        return;
    }
    let (meta, spec) = (&job["metadata"], &job["spec"]);
    let short: String = uid(job).chars().take(5).collect();
    let workload = json!({
        "metadata": {
            "name": format!("job-{}-{short}", json::text(meta, "/name")), "namespace": meta["namespace"],
            "labels": {"kueue.x-k8s.io/job-uid": meta["uid"]}, "ownerReferences": owned_by(Kind::Jobs, job),
            "finalizers": [],
        },
        "spec": {
            "active": true, "priority": 0, "priorityClassSource": "", "queueName": json::label(job, QUEUE),
            "podSets": [{"name": "main", "count": json::int_or(spec, "/parallelism", 1), "template": spec["template"]}],
        },
    });
    // A name that is taken belongs to an earlier Workload on its way out; the next look makes a new one.
    let _ = world.create(Kind::Workloads, workload);
}

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(workload) = world.get(Kind::Workloads, key).filter(|object| !is_terminating(object)) else {
        return;
    };
    if json::is_true(&workload, "Finished") {
        return;
    }
    let owner = world.store.get(Kind::Workloads, key).and_then(|object| object.controller().cloned());
    let Some(job_key) = owner.map(|owner| Key::new(&key.namespace, &owner.name)) else { return };
    let Some(job) = world.get(Kind::Jobs, &job_key) else { return };
    if is_finished(&job) {
        finish(world, key, &job);
    } else if !json::is_true(&workload, "Admitted") {
        admit(world, key, &workload, &job_key);
    }
    count(world, &workload);
}

fn finish(world: &mut World, key: &Key, job: &Value) {
    let now = world.stamp();
    let (reason, message) = if json::is_true(job, "Complete") {
        ("Succeeded", "Reached expected number of succeeded pods")
    } else {
        ("Failed", "Job has reached the specified backoff limit")
    };
    world.edit(Kind::Workloads, key, |workload| {
        conditions::set(workload, Condition { kind: "Finished", status: true, reason, message }, &now);
    });
}

fn admit(world: &mut World, key: &Key, workload: &Value, job_key: &Key) {
    let local = Key::new(&key.namespace, json::text(workload, "/spec/queueName"));
    let queue = world.get(Kind::LocalQueues, &local);
    let name = queue.map(|queue| json::text(&queue, "/spec/clusterQueue").to_owned()).unwrap_or_default();
    let now = world.stamp();
    let Some(cluster_queue) = world.get(Kind::ClusterQueues, &Key::new("", &name)) else {
        let message = format!("LocalQueue {} doesn't exist", local.name);
        return wait(world, key, workload, ("Inadmissible", &message));
    };
    let need = gpus(workload);
    let used: i64 = admitted(world, &name).iter().map(gpus).fold(0, i64::saturating_add);
    let quota = json::text(&cluster_queue, "/spec/resourceGroups/0/flavors/0/resources/0/nominalQuota");
    let free = quota.parse::<i64>().unwrap_or(0).saturating_sub(used);
    let flavor = flavor(&cluster_queue);
    if need > free {
        let message = format!(
            "couldn't assign flavors to pod set main: insufficient unused quota for {GPU} in flavor {flavor}, {} more needed",
            need - free.max(0)
        );
        return wait(world, key, workload, ("Pending", &message));
    }
    let about = Involved { kind: Kind::Workloads, object: workload, component: "kueue-admission" };
    world.normal(about, "Admitted", &format!("Admitted by ClusterQueue {name}"));
    world.edit(Kind::Workloads, key, |workload| {
        json::put(workload, "/status/admission", json!({
            "clusterQueue": name,
            "podSetAssignments": [{
                "name": "main", "count": workload["spec"]["podSets"][0]["count"], "flavors": {GPU: flavor},
                "resourceUsage": {GPU: need.to_string()},
            }],
        }));
        let message = format!("Quota reserved in ClusterQueue {name}");
        let reserved = Condition { kind: "QuotaReserved", status: true, reason: "QuotaReserved", message: &message };
        conditions::set(workload, reserved, &now);
        let admitted = Condition { kind: "Admitted", reason: "Admitted", message: "The workload is admitted", ..reserved };
        conditions::set(workload, admitted, &now);
    });
    world.edit(Kind::Jobs, job_key, |job| json::put(job, "/spec/suspend", json!(false)));
}

fn wait(world: &mut World, key: &Key, workload: &Value, (reason, message): (&str, &str)) {
    let known = json::condition(workload, "QuotaReserved").is_some_and(|old| old["message"] == message);
    if known {
        return;
    }
    let now = world.stamp();
    let condition = Condition { kind: "QuotaReserved", status: false, reason, message };
    world.edit(Kind::Workloads, key, |workload| conditions::set(workload, condition, &now));
    let about = Involved { kind: Kind::Workloads, object: workload, component: "kueue-admission" };
    world.warning(about, "Pending", message);
}

/// The Workloads that hold quota of a ClusterQueue now.
fn admitted(world: &World, queue: &str) -> Vec<Value> {
    let all = world.store.list(Kind::Workloads, &Query::all()).objects;
    let holds = |workload: &Value| {
        json::text(workload, "/status/admission/clusterQueue") == queue
            && json::is_true(workload, "Admitted")
            && !json::is_true(workload, "Finished")
    };
    all.iter().map(|object| object.value()).filter(holds).collect()
}

fn gpus(workload: &Value) -> i64 {
    let set = &workload["spec"]["podSets"][0];
    let each = Amounts::requested(&set["template"]).get(GPU) / 1_000;
    each.saturating_mul(json::int_or(set, "/count", 1))
}

/// How many wait and how many are admitted, in the statuses of the queues.
fn count(world: &mut World, workload: &Value) {
    let local =
        Key::new(json::text(workload, "/metadata/namespace"), json::text(workload, "/spec/queueName"));
    let Some(queue) = world.get(Kind::LocalQueues, &local) else { return };
    let all: Vec<Value> = world
        .store
        .list(Kind::Workloads, &Query::all())
        .objects
        .iter()
        .map(|object| object.value())
        .collect();
    let open = || all.iter().filter(|workload| !json::is_true(workload, "Finished"));
    let (admitted, pending): (Vec<&Value>, Vec<&Value>) =
        open().partition(|workload| json::is_true(workload, "Admitted"));
    let status = json!({
        "pendingWorkloads": pending.len(), "reservingWorkloads": admitted.len(), "admittedWorkloads": admitted.len(),
    });
    world.set_status(Kind::LocalQueues, &local, status.clone());
    let name = json::text(&queue, "/spec/clusterQueue");
    let cluster_queue = Key::new("", name);
    let mut status = status;
    if let Some(flavor) = world.get(Kind::ClusterQueues, &cluster_queue).map(|it| flavor(&it)) {
        let used: i64 = self::admitted(world, name).iter().map(gpus).fold(0, i64::saturating_add);
        let of_gpus = json!({"name": GPU, "total": used.to_string(), "borrowed": "0"});
        let flavors = json!([{"name": flavor, "resources": [of_gpus]}]);
        json::put(&mut status, "/flavorsReservation", flavors.clone());
        json::put(&mut status, "/flavorsUsage", flavors);
    }
    world.set_status(Kind::ClusterQueues, &cluster_queue, status);
}

/// The one flavor of the one resource group.
fn flavor(cluster_queue: &Value) -> String {
    json::text(cluster_queue, "/spec/resourceGroups/0/flavors/0/name").to_owned()
}
