//! The deployment controller: one ReplicaSet a template, replaced step by step, and conditions that say how
//! it goes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::events::Involved;
use super::rolling::{self, Bounds, Set};
use super::{World, is_terminating, json, owned_by, template, uid};
use crate::demo::clock::seconds;
use crate::demo::resource::Kind;
use crate::demo::store::Key;

const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(deployment) = world.get(Kind::Deployments, key).filter(|object| !is_terminating(object)) else {
        return;
    };
    let hash = template::hash(&deployment["spec"]["template"]);
    let mut sets: Vec<Arc<Value>> = world
        .store
        .owned(uid(&deployment), Kind::ReplicaSets)
        .iter()
        .map(|object| world.store.value(object))
        .collect();
    sets.sort_by_key(|set| (revision(set), json::text(set, "/metadata/name").to_owned()));
    if !sets.iter().any(|set| json::label(set, HASH) == hash) {
        create_set(world, &deployment, &hash, sets.last().map_or(0, |set| revision(set)) + 1);
        return;
    }
    let (new, old): (Vec<Arc<Value>>, Vec<Arc<Value>>) =
        sets.into_iter().partition(|set| json::label(set, HASH) == hash);
    let Some(new) = new.into_iter().next() else { return };
    let newest = old.iter().map(|set| revision(set)).max().unwrap_or(0);
    if revision(&new) < newest {
        let number = (newest + 1).to_string();
        world.edit(Kind::ReplicaSets, &Key::of(&new), |set| annotate(set, REVISION, &number));
        return;
    }
    if !json::flag(&deployment, "/spec/paused") {
        scale_sets(world, &deployment, &new, &old);
    }
    write_status(world, key, &deployment, (&new, &old));
    clean_up(world, &deployment, &old);
}

fn revision(set: &Value) -> i64 {
    json::annotation(set, REVISION).parse().unwrap_or(0)
}

fn annotate(object: &mut Value, name: &str, text: &str) {
    json::put(object, &format!("/metadata/annotations/{}", name.replace('/', "~1")), text.into());
}

fn create_set(world: &mut World, deployment: &Value, hash: &str, revision: i64) {
    let meta = &deployment["metadata"];
    let mut template = deployment["spec"]["template"].clone();
    json::put(&mut template, &format!("/metadata/labels/{HASH}"), hash.into());
    let mut selector = deployment["spec"]["selector"].clone();
    json::put(&mut selector, &format!("/matchLabels/{HASH}"), hash.into());
    let desired = json::int_or(deployment, "/spec/replicas", 1);
    let set = json!({
        "metadata": {
            "name": format!("{}-{hash}", json::text(meta, "/name")), "namespace": meta["namespace"],
            "labels": template["metadata"]["labels"], "ownerReferences": owned_by(Kind::Deployments, deployment),
            "annotations": {
                REVISION: revision.to_string(),
                "deployment.kubernetes.io/desired-replicas": desired.to_string(),
            },
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
    });
    if let Ok(set) = world.create(Kind::ReplicaSets, set) {
        let (name, now) = (set.key.name.clone(), world.stamp());
        let message = format!("Created new replica set \"{name}\"");
        let progress = Condition {
            kind: "Progressing",
            status: true,
            reason: "NewReplicaSetCreated",
            message: &message,
        };
        world.edit(Kind::Deployments, &Key::of(deployment), |object| {
            annotate(object, REVISION, &revision.to_string());
            set_progress(object, progress, &now);
        });
    }
}

fn scale_sets(world: &mut World, deployment: &Value, new: &Value, old: &[Arc<Value>]) {
    let desired = json::int_or(deployment, "/spec/replicas", 1);
    let of = |set: &Value| Set {
        wanted: json::int(set, "/spec/replicas"),
        available: json::int(set, "/status/availableReplicas"),
    };
    let olds: Vec<Set> = old.iter().map(|set| of(set)).collect();
    let strategy = &deployment["spec"]["strategy"];
    let (wish, wishes) = if json::text(strategy, "/type") == "Recreate" {
        let pods_left: i64 = old.iter().map(|set| json::int(set, "/status/replicas")).sum();
        let gone = pods_left == 0 && olds.iter().all(|set| set.wanted == 0);
        (if gone { desired } else { of(new).wanted }, vec![0; old.len()])
    } else {
        let update = &strategy["rollingUpdate"];
        let bounds = Bounds::new(desired, &update["maxSurge"], &update["maxUnavailable"]);
        rolling::next(bounds, of(new), &olds)
    };
    scale(world, deployment, new, wish);
    for (set, wish) in old.iter().zip(wishes) {
        scale(world, deployment, set, wish);
    }
}

fn scale(world: &mut World, deployment: &Value, set: &Value, wish: i64) {
    let now = json::int(set, "/spec/replicas");
    if now == wish {
        return;
    }
    let desired = json::int_or(deployment, "/spec/replicas", 1).to_string();
    world.edit(Kind::ReplicaSets, &Key::of(set), |set| {
        json::put(set, "/spec/replicas", json!(wish));
        annotate(set, "deployment.kubernetes.io/desired-replicas", &desired);
    });
    let way = if wish > now { "up" } else { "down" };
    let message =
        format!("Scaled {way} replica set {} from {now} to {wish}", json::text(set, "/metadata/name"));
    world.normal(by_controller(deployment), "ScalingReplicaSet", &message);
}

fn by_controller(deployment: &Value) -> Involved<'_> {
    Involved { kind: Kind::Deployments, object: deployment, component: "deployment-controller" }
}

fn write_status(world: &mut World, key: &Key, deployment: &Value, (new, old): (&Value, &[Arc<Value>])) {
    let sum = |field: &str| -> i64 {
        std::iter::once(new)
            .chain(old.iter().map(Arc::as_ref))
            .map(|set| json::int(&set["status"], field))
            .sum()
    };
    let desired = json::int_or(deployment, "/spec/replicas", 1);
    let (replicas, ready, available) = (sum("/replicas"), sum("/readyReplicas"), sum("/availableReplicas"));
    let updated = json::int(new, "/status/replicas");
    let mut object = deployment.clone();
    let mut status = json!({"observedGeneration": deployment["metadata"]["generation"]});
    let wanted: i64 = std::iter::once(new)
        .chain(old.iter().map(Arc::as_ref))
        .map(|set| json::int(set, "/spec/replicas"))
        .sum();
    for (field, count) in [
        ("replicas", replicas),
        ("updatedReplicas", updated),
        ("readyReplicas", ready),
        ("availableReplicas", available),
        ("unavailableReplicas", (wanted - available).max(0)),
    ] {
        if count > 0 {
            status[field] = count.into();
        }
    }
    status["conditions"] = deployment["status"].get("conditions").cloned().unwrap_or_else(|| json!([]));
    let moved = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"]
        .iter()
        .any(|field| status.get(field) != deployment["status"].get(field));
    json::put(&mut object, "/status", status);
    let now = world.stamp();
    set_available(&mut object, deployment, available, &now);
    let complete = updated == desired && replicas == desired && available == desired;
    let name = json::text(new, "/metadata/name").to_owned();
    progress(world, key, &mut object, &Progress { complete, moved, new: &name, steady: replicas == updated });
    world.edit(Kind::Deployments, key, |current| {
        json::put(current, "/status", object["status"].take());
        annotate(current, REVISION, &revision(new).to_string());
    });
}

fn set_available(object: &mut Value, deployment: &Value, available: i64, now: &str) {
    let desired = json::int_or(deployment, "/spec/replicas", 1);
    let update = &deployment["spec"]["strategy"]["rollingUpdate"];
    let bounds = Bounds::new(desired, &update["maxSurge"], &update["maxUnavailable"]);
    let enough = available >= desired - bounds.unavailable;
    let condition = if enough {
        let message = "Deployment has minimum availability.";
        Condition { kind: "Available", status: true, reason: "MinimumReplicasAvailable", message }
    } else {
        let message = "Deployment does not have minimum availability.";
        Condition { kind: "Available", status: false, reason: "MinimumReplicasUnavailable", message }
    };
    let moved =
        json::is_true(object, "Available") != enough || json::condition(object, "Available").is_none();
    conditions::set(object, condition, now);
    if moved {
        touch(object, "Available", now);
    }
}

struct Progress<'a> {
    complete: bool,
    moved: bool,
    new: &'a str,
    /// No pod of an older template is left.
    steady: bool,
}

/// The condition Progressing: done, moving, or stuck for too long.
fn progress(world: &mut World, key: &Key, object: &mut Value, seen: &Progress<'_>) {
    let now = world.stamp();
    let current = json::condition(object, "Progressing");
    let reason = current.map_or("", |condition| json::text(condition, "/reason")).to_owned();
    if reason == "NewReplicaSetAvailable" && seen.steady && !seen.complete {
        return;
    }
    if seen.complete {
        if reason != "NewReplicaSetAvailable" {
            let message = format!("ReplicaSet \"{}\" has successfully progressed.", seen.new);
            let condition = Condition {
                kind: "Progressing",
                status: true,
                reason: "NewReplicaSetAvailable",
                message: &message,
            };
            set_progress(object, condition, &now);
        }
        return;
    }
    let deadline = seconds(json::int_or(object, "/spec/progressDeadlineSeconds", 600));
    let updated = current.map_or("", |condition| json::text(condition, "/lastUpdateTime"));
    let since = world.tick_of(updated).unwrap_or(world.tick);
    if seen.moved || updated.is_empty() || reason == "NewReplicaSetAvailable" {
        let message = format!("ReplicaSet \"{}\" is progressing.", seen.new);
        let condition =
            Condition { kind: "Progressing", status: true, reason: "ReplicaSetUpdated", message: &message };
        if reason != "ProgressDeadlineExceeded" {
            set_progress(object, condition, &now);
            world.wake_after(deadline + 2, Kind::Deployments, key);
        }
    } else if reason != "ProgressDeadlineExceeded" && world.tick - since >= deadline {
        let message = format!("ReplicaSet \"{}\" has timed out progressing.", seen.new);
        let condition = Condition {
            kind: "Progressing",
            status: false,
            reason: "ProgressDeadlineExceeded",
            message: &message,
        };
        set_progress(object, condition, &now);
    }
}

fn set_progress(object: &mut Value, condition: Condition<'_>, now: &str) {
    conditions::set(object, condition, now);
    touch(object, "Progressing", now);
}

fn touch(object: &mut Value, kind: &str, now: &str) {
    let Some(Value::Array(conditions)) = object.pointer_mut("/status/conditions") else { return };
    if let Some(condition) = conditions.iter_mut().find(|condition| condition["type"] == kind) {
        json::put(condition, "/lastUpdateTime", now.into());
    }
}

/// Old sets without pods are kept for `revisionHistoryLimit` revisions.
fn clean_up(world: &mut World, deployment: &Value, old: &[Arc<Value>]) {
    let limit = usize::try_from(json::int_or(deployment, "/spec/revisionHistoryLimit", 10)).unwrap_or(10);
    let empty: Vec<&Arc<Value>> = old
        .iter()
        .filter(|set| json::int(set, "/spec/replicas") == 0 && json::int(set, "/status/replicas") == 0)
        .collect();
    for set in &empty[..empty.len().saturating_sub(limit)] {
        world.delete(Kind::ReplicaSets, &Key::of(set));
    }
}
