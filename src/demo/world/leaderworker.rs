//! LeaderWorkerSets: groups of pods that serve one model together. A stateful set of leaders, and for every
//! leader a stateful set of workers which it owns; so a leader that goes takes its group along.

use std::sync::Arc;

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::template::PodFacts;
use super::{World, admit, is_terminating, json, owned_by, template};
use crate::demo::resource::Kind;
use crate::demo::store::Key;

const LABEL: &str = "leaderworkerset.sigs.k8s.io";
/// On everything that belongs to a set, however deep: its changes concern the set.
pub const NAME: &str = "leaderworkerset.sigs.k8s.io/name";

pub fn reconcile(world: &mut World, key: &Key) {
    let found = world.get(Kind::LeaderWorkerSets, key).filter(|object| !is_terminating(object));
    let Some(set) = found else { return };
    let groups = json::int_or(&set, "/spec/replicas", 1);
    let size = json::int_or(&set, "/spec/leaderWorkerTemplate/size", 1);
    let work = &set["spec"]["leaderWorkerTemplate"];
    let worker = &work["workerTemplate"];
    let leader = work.get("leaderTemplate").unwrap_or(worker);
    let revision = template::hash(work);
    let labels = |index: &str| {
        json!({
            format!("{LABEL}/name"): &*key.name, format!("{LABEL}/worker-index"): index,
            format!("{LABEL}/template-revision-hash"): revision,
        })
    };
    let leaders = stateful_set(
        world,
        Kind::LeaderWorkerSets,
        &set,
        &Wish {
            name: key.name.to_string(),
            replicas: groups,
            first: 0,
            template: leader,
            labels: labels("0"),
        },
    );
    let Some(leaders) = leaders else { return };
    let pods = world.pods_of(&leaders);
    let mut ready = 0;
    for pod in pods.iter().filter(|pod| pod.active()) {
        let complete = size == 1 || workers(world, pod, (worker, size - 1), labels("1"));
        ready += i64::from(pod.ready && complete);
    }
    write_status(
        world,
        key,
        &set,
        &Count { groups: pods.len() as i64, ready, leaders: &pods, revision: &revision },
    );
}

/// The workers of one leader. True if all of them are ready.
fn workers(world: &mut World, leader: &PodFacts, (template, count): (&Value, i64), labels: Value) -> bool {
    let Some(pod) = world.get(Kind::Pods, &leader.key) else { return false };
    let set = stateful_set(
        world,
        Kind::Pods,
        &pod,
        &Wish { name: leader.key.name.to_string(), replicas: count, first: 1, template, labels },
    );
    set.is_some_and(|set| json::int(&set, "/status/readyReplicas") >= count)
}

struct Wish<'a> {
    name: String,
    replicas: i64,
    first: i64,
    template: &'a Value,
    labels: Value,
}

/// The stateful set as wished, made if it is not there.
fn stateful_set(world: &mut World, kind: Kind, owner: &Value, wish: &Wish<'_>) -> Option<Arc<Value>> {
    let namespace = json::text(owner, "/metadata/namespace");
    let key = Key::new(namespace, &wish.name);
    let mut pods = wish.template.clone();
    for (label, value) in wish.labels.as_object().into_iter().flatten() {
        json::put(&mut pods, &format!("/metadata/labels/{}", label.replace('/', "~1")), value.clone());
    }
    json::put(&mut pods, &format!("/metadata/labels/{LABEL}~1group"), json!(wish.name));
    if let Some(found) = world.get(Kind::StatefulSets, &key) {
        world.edit(Kind::StatefulSets, &key, |set| {
            json::put(set, "/spec/replicas", json!(wish.replicas));
            json::put(set, "/spec/template", pods);
            admit::apply_defaults(Kind::StatefulSets, set);
        });
        return Some(found);
    }
    let set = json!({
        "metadata": {
            "name": wish.name, "namespace": namespace, "labels": wish.labels, "ownerReferences": owned_by(kind, owner),
        },
        "spec": {
            "replicas": wish.replicas, "ordinals": {"start": wish.first}, "podManagementPolicy": "Parallel",
            "serviceName": wish.name, "template": pods,
            "selector": {"matchLabels": {format!("{LABEL}/group"): wish.name}},
        },
    });
    world.create(Kind::StatefulSets, set).ok().map(|set| world.store.value(&set))
}

struct Count<'a> {
    groups: i64,
    ready: i64,
    leaders: &'a [PodFacts],
    revision: &'a str,
}

fn write_status(world: &mut World, key: &Key, set: &Value, count: &Count<'_>) {
    let updated = count
        .leaders
        .iter()
        .filter_map(|pod| world.store.get(Kind::Pods, &pod.key))
        .filter(|pod| pod.label(&format!("{LABEL}/template-revision-hash")) == Some(count.revision))
        .count();
    let mut object = set.clone();
    for (field, value) in [
        ("replicas", json!(count.groups)),
        ("readyReplicas", json!(count.ready)),
        ("updatedReplicas", json!(updated)),
        ("hpaPodSelector", json!(format!("{LABEL}/name={},{LABEL}/worker-index=0", key.name))),
    ] {
        json::put(&mut object, &format!("/status/{field}"), value);
    }
    let all = count.ready >= json::int_or(set, "/spec/replicas", 1);
    let now = world.stamp();
    for condition in [
        Condition {
            kind: "Available",
            status: all,
            reason: if all { "AllGroupsReady" } else { "GroupsNotReady" },
            message: if all { "All replicas are ready" } else { "Some replicas are not ready" },
        },
        Condition {
            kind: "Progressing",
            status: !all,
            reason: "GroupsProgressing",
            message: if all { "" } else { "Replicas are progressing" },
        },
    ] {
        conditions::set(&mut object, condition, &now);
    }
    world.set_status(Kind::LeaderWorkerSets, key, object["status"].take());
}
