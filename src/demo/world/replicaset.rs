//! The replica set controller: as many pods as wished, the sick and the young go first.

use serde_json::{Value, json};

use super::events::Involved;
use super::template::{PodFacts, PodPlan};
use super::{World, is_terminating, json};
use crate::demo::clock::seconds;
use crate::demo::resource::Kind;
use crate::demo::store::Key;

/// When pods cannot be created it is tried again, later.
const RETRY: i64 = seconds(30);

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(set) = world.get(Kind::ReplicaSets, key).filter(|object| !is_terminating(object)) else {
        return;
    };
    let pods: Vec<PodFacts> = world.pods_of(&set).into_iter().filter(PodFacts::active).collect();
    let wanted = json::int_or(&set, "/spec/replicas", 1);
    let missing = wanted - pods.len() as i64;
    if missing > 0 && !(0..missing).all(|_| create(world, &set)) {
        world.wake_after(RETRY, Kind::ReplicaSets, key);
    }
    if missing < 0 {
        let mut leaving = pods.clone();
        leaving.sort_by(|left, right| {
            go_first(left).cmp(&go_first(right)).then(right.created.cmp(&left.created))
        });
        leaving.truncate(missing.unsigned_abs() as usize);
        for pod in leaving {
            world.delete(Kind::Pods, &pod.key);
            let message = format!("Deleted pod: {}", pod.key.name);
            world.normal(by_controller(&set), "SuccessfulDelete", &message);
        }
    }
    let pods: Vec<PodFacts> = world.pods_of(&set).into_iter().filter(PodFacts::active).collect();
    let ready = pods.iter().filter(|pod| pod.ready).count();
    let mut status = json!({"observedGeneration": set["metadata"]["generation"], "replicas": pods.len()});
    for (field, count) in
        [("fullyLabeledReplicas", pods.len()), ("readyReplicas", ready), ("availableReplicas", ready)]
    {
        if count > 0 {
            status[field] = count.into();
        }
    }
    world.set_status(Kind::ReplicaSets, key, status);
}

/// Not placed before not ready before ready.
fn go_first(pod: &PodFacts) -> u8 {
    u8::from(!pod.node.is_empty()) + u8::from(pod.ready) * 2
}

fn create(world: &mut World, set: &Value) -> bool {
    let name = format!("{}-", json::text(set, "/metadata/name"));
    let plan = PodPlan {
        owner: (Kind::ReplicaSets, set),
        template: &set["spec"]["template"],
        name,
        labels: Vec::new(),
        node: None,
    };
    let Ok(name) = world.create_pod(plan) else { return false };
    world.normal(by_controller(set), "SuccessfulCreate", &format!("Created pod: {name}"));
    true
}

fn by_controller(set: &Value) -> Involved<'_> {
    Involved { kind: Kind::ReplicaSets, object: set, component: "replicaset-controller" }
}
