//! Argo Rollouts, the canary part: a new version gets a share of the replicas, waits, gets more, and takes
//! over. The old ReplicaSet stays until then.

use std::sync::Arc;

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::events::Involved;
use super::{World, is_terminating, json, owned_by, template, uid};
use crate::demo::clock::seconds;
use crate::demo::resource::{Kind, selector_text};
use crate::demo::store::Key;

const HASH: &str = "rollouts-pod-template-hash";

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(rollout) = world.get(Kind::Rollouts, key).filter(|object| !is_terminating(object)) else {
        return;
    };
    let hash = template::hash(&rollout["spec"]["template"]);
    let sets: Vec<Arc<Value>> = world
        .store
        .owned(uid(&rollout), Kind::ReplicaSets)
        .iter()
        .map(|object| world.store.value(object))
        .collect();
    let Some(new) = sets.iter().find(|set| json::label(set, HASH) == hash) else {
        create_set(world, &rollout, &hash);
        return;
    };
    let stable_hash = match json::text(&rollout, "/status/stableRS") {
        "" => hash.as_str(),
        stable => stable,
    };
    let stable = sets.iter().find(|set| json::label(set, HASH) == stable_hash).unwrap_or(new);
    let mut status = rollout["status"].clone();
    json::put(&mut status, "/stableRS", stable_hash.into());
    let restarted = json::text(&status, "/currentPodHash") != hash;
    if restarted {
        json::put(&mut status, "/currentPodHash", json!(hash));
        json::put(&mut status, "/currentStepIndex", json!(0));
        json::remove(&mut status, "/pauseConditions");
    }
    let wanted = json::int_or(&rollout, "/spec/replicas", 1);
    if stable_hash == hash {
        settle(world, &sets, new, wanted);
    } else if !json::flag(&status, "/abort") {
        canary(world, key, (&rollout, &mut status), (new, stable));
    }
    write_status(world, key, (&rollout, status), (&sets, new));
}

fn create_set(world: &mut World, rollout: &Value, hash: &str) {
    let meta = &rollout["metadata"];
    let mut template = rollout["spec"]["template"].clone();
    json::put(&mut template, &format!("/metadata/labels/{HASH}"), hash.into());
    let mut selector = rollout["spec"]["selector"].clone();
    json::put(&mut selector, &format!("/matchLabels/{HASH}"), hash.into());
    let set = json!({
        "metadata": {
            "name": format!("{}-{hash}", json::text(meta, "/name")), "namespace": meta["namespace"],
            "labels": template["metadata"]["labels"], "ownerReferences": owned_by(Kind::Rollouts, rollout),
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
    });
    // A ReplicaSet of that name which belongs to someone else stays; the rollout does not progress then.
    let _ = world.create(Kind::ReplicaSets, set);
}

fn scale(world: &mut World, set: &Value, replicas: i64) {
    if json::int(set, "/spec/replicas") != replicas {
        world.edit(Kind::ReplicaSets, &Key::of(set), |set| {
            json::put(set, "/spec/replicas", json!(replicas));
        });
    }
}

/// One version only: it has all replicas, the others none.
fn settle(world: &mut World, sets: &[Arc<Value>], new: &Value, wanted: i64) {
    for set in sets {
        scale(world, set, if uid(set) == uid(new) { wanted } else { 0 });
    }
}

fn canary(
    world: &mut World,
    key: &Key,
    (rollout, status): (&Value, &mut Value),
    (new, stable): (&Value, &Value),
) {
    let wanted = json::int_or(rollout, "/spec/replicas", 1);
    let steps = json::list(rollout, "/spec/strategy/canary/steps");
    let index = usize::try_from(json::int(status, "/currentStepIndex")).unwrap_or(0);
    let weight = steps
        .iter()
        .take(index + 1)
        .rev()
        .find_map(|step| step["setWeight"].as_i64())
        .unwrap_or(0)
        .clamp(0, 100);
    let weight = if index >= steps.len() { 100 } else { weight };
    let share = (wanted * weight + 99) / 100;
    scale(world, new, share);
    let ready = json::int(new, "/status/availableReplicas");
    // The stable version gives up a replica only when the canary has one more that works.
    scale(world, stable, wanted - share.min(ready));
    if ready < share {
        return;
    }
    if index >= steps.len() {
        let hash = json::text(status, "/currentPodHash").to_owned();
        json::put(status, "/stableRS", hash.into());
        world.normal(
            by_controller(rollout),
            "RolloutCompleted",
            "Rollout completed update to the latest revision",
        );
        return;
    }
    let Some(pause) = steps[index].get("pause") else {
        return next_step(world, rollout, status, index + 1);
    };
    let started = world.tick_of(json::text(status, "/pauseConditions/0/startTime"));
    let length = duration(json::text(pause, "/duration"));
    match (started, length) {
        (None, _) => {
            let since = world.stamp();
            json::put(status, "/pauseConditions", json!([{"reason": "CanaryPauseStep", "startTime": since}]));
            world.normal(
                by_controller(rollout),
                "RolloutPaused",
                &format!("Rollout is paused at step {index}"),
            );
            if let Some(length) = length {
                world.wake_after(length, Kind::Rollouts, key);
            }
        }
        (Some(started), Some(length)) if world.tick - started >= length => {
            json::remove(status, "/pauseConditions");
            next_step(world, rollout, status, index + 1);
        }
        // Without a duration it waits for a person to promote it.
        _ => {}
    }
}

fn next_step(world: &mut World, rollout: &Value, status: &mut Value, index: usize) {
    json::put(status, "/currentStepIndex", json!(index));
    let count = json::list(rollout, "/spec/strategy/canary/steps").len();
    let message = format!("Rollout step {index}/{count} completed");
    world.normal(by_controller(rollout), "RolloutStepCompleted", &message);
}

/// `30s`, `5m`, `1h` or a number of seconds, in ticks.
fn duration(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let number = number.parse::<i64>().ok()?.clamp(0, json::LARGEST);
    match unit {
        "" | "s" => Some(seconds(number)),
        "m" => Some(seconds(number * 60)),
        "h" => Some(seconds(number * 3_600)),
        _ => None,
    }
}

fn write_status(
    world: &mut World,
    key: &Key,
    (rollout, mut status): (&Value, Value),
    (sets, new): (&[Arc<Value>], &Value),
) {
    let wanted = json::int_or(rollout, "/spec/replicas", 1);
    let sum = |field: &str| -> i64 { sets.iter().map(|set| json::int(&set["status"], field)).sum() };
    let (replicas, available) = (sum("/replicas"), sum("/availableReplicas"));
    let updated = json::int(new, "/status/replicas");
    let stable = json::text(&status, "/stableRS") == json::text(&status, "/currentPodHash");
    let healthy = stable && available == wanted && replicas == wanted;
    let phase = if healthy {
        "Healthy"
    } else if status.get("pauseConditions").is_some() {
        "Paused"
    } else {
        "Progressing"
    };
    for (field, value) in [
        ("replicas", json!(replicas)),
        ("updatedReplicas", json!(updated)),
        ("readyReplicas", json!(sum("/readyReplicas"))),
        ("availableReplicas", json!(available)),
        ("HPAReplicas", json!(replicas)),
        ("selector", json!(selector_text(&rollout["spec"]["selector"]))),
        ("observedGeneration", json!(json::int(rollout, "/metadata/generation").to_string())),
        ("phase", json!(phase)),
    ] {
        json::put(&mut status, &format!("/{field}"), value);
    }
    let mut object = rollout.clone();
    json::put(&mut object, "/status", status);
    let now = world.stamp();
    let set = json::text(new, "/metadata/name").to_owned();
    let message = format!("ReplicaSet {set:?} has successfully progressed.");
    let moving = format!("ReplicaSet {set:?} is progressing.");
    for condition in [
        Condition {
            kind: "Available",
            status: available >= wanted,
            reason: "AvailableReason",
            message: "Rollout has minimum availability",
        },
        Condition {
            kind: "Progressing",
            status: true,
            reason: if healthy { "NewReplicaSetAvailable" } else { "ReplicaSetUpdated" },
            message: if healthy { &message } else { &moving },
        },
        Condition {
            kind: "Healthy",
            status: healthy,
            reason: "RolloutHealthy",
            message: "Rollout is healthy",
        },
    ] {
        conditions::set(&mut object, condition, &now);
    }
    world.set_status(Kind::Rollouts, key, object["status"].take());
}

fn by_controller(rollout: &Value) -> Involved<'_> {
    Involved { kind: Kind::Rollouts, object: rollout, component: "rollouts-controller" }
}
