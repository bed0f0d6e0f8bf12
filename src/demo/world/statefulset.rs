//! The stateful set controller: pods with numbers, one after the other, replaced from the last to the first.

use serde_json::{Value, json};

use super::events::Involved;
use super::template::{PodFacts, PodPlan};
use super::{World, is_terminating, json, template};
use crate::demo::resource::Kind;
use crate::demo::store::Key;

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(set) = world.get(Kind::StatefulSets, key).filter(|object| !is_terminating(object)) else {
        return;
    };
    let pods = world.pods_of(&set);
    let name = json::text(&set, "/metadata/name");
    let revision = format!("{name}-{}", template::hash(&set["spec"]["template"]));
    if !step(world, &set, &pods, &revision) && json::text(&set, "/spec/updateStrategy/type") != "OnDelete" {
        roll(world, &set, &pods, &revision);
    }
    let pods = world.pods_of(&set);
    write_status(world, key, &set, (&pods, &revision));
}

/// Creates what is missing and deletes what is too much. True if something is under way.
fn step(world: &mut World, set: &Value, pods: &[PodFacts], revision: &str) -> bool {
    let name = json::text(set, "/metadata/name");
    let first = json::int(set, "/spec/ordinals/start");
    let wanted = first..first + json::int_or(set, "/spec/replicas", 1);
    let in_order = json::text(set, "/spec/podManagementPolicy") != "Parallel";
    let find = |ordinal: i64| pods.iter().find(|pod| *pod.key.name == *format!("{name}-{ordinal}"));
    for ordinal in wanted.clone() {
        match find(ordinal) {
            None => {
                let created = create(world, set, ordinal, revision);
                if in_order || !created {
                    return true;
                }
            }
            Some(pod) if pod.ended() => {
                world.delete(Kind::Pods, &pod.key);
                return true;
            }
            Some(pod) if in_order && (pod.terminating || !pod.ready) => return true,
            Some(_) => {}
        }
    }
    let surplus = |pod: &&PodFacts| ordinal(pod).is_none_or(|number| !wanted.contains(&number));
    let mut leaving: Vec<&PodFacts> = pods.iter().filter(surplus).collect();
    leaving.sort_by_key(|pod| std::cmp::Reverse(ordinal(pod)));
    if in_order {
        leaving.truncate(1);
    }
    for pod in &leaving {
        if !pod.terminating {
            world.delete(Kind::Pods, &pod.key);
            let message = format!("delete Pod {} in StatefulSet {name} successful", pod.key.name);
            world.normal(by_controller(set), "SuccessfulDelete", &message);
        }
    }
    !leaving.is_empty()
}

fn create(world: &mut World, set: &Value, ordinal: i64, revision: &str) -> bool {
    let name = json::text(set, "/metadata/name");
    let pod = format!("{name}-{ordinal}");
    let labels = vec![
        ("apps.kubernetes.io/pod-index".to_owned(), ordinal.to_string()),
        ("controller-revision-hash".to_owned(), revision.to_owned()),
        ("statefulset.kubernetes.io/pod-name".to_owned(), pod.clone()),
    ];
    let template = &set["spec"]["template"];
    let plan = PodPlan { owner: (Kind::StatefulSets, set), template, name: pod.clone(), labels, node: None };
    if world.create_pod(plan).is_err() {
        return false;
    }
    let message = format!("create Pod {pod} in StatefulSet {name} successful");
    world.normal(by_controller(set), "SuccessfulCreate", &message);
    true
}

/// Replaces the last pod of an older revision, if all are well.
fn roll(world: &mut World, set: &Value, pods: &[PodFacts], revision: &str) {
    let partition = json::int(set, "/spec/updateStrategy/rollingUpdate/partition");
    if pods.iter().any(|pod| pod.terminating || !pod.ready && pod.revision == revision) {
        return;
    }
    let old =
        pods.iter().filter(|pod| pod.revision != revision && ordinal(pod).is_some_and(|n| n >= partition));
    if let Some(pod) = old.max_by_key(|pod| ordinal(pod)) {
        world.delete(Kind::Pods, &pod.key);
    }
}

fn ordinal(pod: &PodFacts) -> Option<i64> {
    pod.key.name.rsplit_once('-').and_then(|(_, number)| number.parse().ok())
}

fn write_status(world: &mut World, key: &Key, set: &Value, (pods, revision): (&[PodFacts], &str)) {
    let live = |pod: &&PodFacts| !pod.ended();
    let replicas = pods.iter().filter(live).count();
    let ready = pods.iter().filter(|pod| pod.ready && !pod.terminating).count();
    let updated = pods.iter().filter(live).filter(|pod| pod.revision == revision).count();
    let wanted = json::int_or(set, "/spec/replicas", 1);
    let before = json::text(set, "/status/currentRevision");
    let complete = updated as i64 == wanted && ready as i64 == wanted;
    let current = if complete || before.is_empty() { revision } else { before };
    let on_current = pods.iter().filter(live).filter(|pod| pod.revision == current).count();
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"], "replicas": replicas, "availableReplicas": ready,
        "currentRevision": current, "updateRevision": revision, "collisionCount": 0,
    });
    for (field, count) in
        [("readyReplicas", ready), ("currentReplicas", on_current), ("updatedReplicas", updated)]
    {
        if count > 0 {
            status[field] = count.into();
        }
    }
    world.set_status(Kind::StatefulSets, key, status);
}

fn by_controller(set: &Value) -> Involved<'_> {
    Involved { kind: Kind::StatefulSets, object: set, component: "statefulset-controller" }
}
