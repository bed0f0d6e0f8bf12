//! The daemon set controller: one pod on every node that the selector allows, whatever its state.

use serde_json::{Value, json};

use super::events::Involved;
use super::template::{PodFacts, PodPlan};
use super::{World, is_terminating, json, template};
use crate::demo::resource::Kind;
use crate::demo::store::{Key, Query};

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(set) = world.get(Kind::DaemonSets, key).filter(|object| !is_terminating(object)) else {
        return;
    };
    let nodes: Vec<String> = world
        .store
        .list(Kind::Nodes, &Query::all())
        .objects
        .iter()
        .filter(|node| {
            json::pairs(&set, "/spec/template/spec/nodeSelector")
                .all(|(key, value)| node.label(key) == Some(value))
        })
        .map(|node| node.key.name.to_string())
        .collect();
    let revision = template::hash(&set["spec"]["template"]);
    let pods = world.pods_of(&set);
    for node in &nodes {
        if !pods.iter().any(|pod| pod.node == *node && !pod.ended()) {
            create(world, &set, node, &revision);
        }
    }
    for pod in pods.iter().filter(|pod| !pod.terminating && (!nodes.contains(&pod.node) || pod.ended())) {
        world.delete(Kind::Pods, &pod.key);
    }
    roll(world, &set, &pods, &revision);
    let pods = world.pods_of(&set);
    let count =
        |test: &dyn Fn(&PodFacts) -> bool| pods.iter().filter(|pod| pod.active() && test(pod)).count();
    let ready = count(&|pod| pod.ready);
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"], "numberMisscheduled": 0,
        "desiredNumberScheduled": nodes.len(), "currentNumberScheduled": count(&|_| true), "numberReady": ready,
    });
    for (field, count) in [
        ("updatedNumberScheduled", count(&|pod| pod.revision == revision)),
        ("numberAvailable", ready),
        ("numberUnavailable", nodes.len().saturating_sub(ready)),
    ] {
        if count > 0 {
            status[field] = count.into();
        }
    }
    world.set_status(Kind::DaemonSets, key, status);
}

fn create(world: &mut World, set: &Value, node: &str, revision: &str) {
    let mut template = set["spec"]["template"].clone();
    let mut tolerations = json::list(&template, "/spec/tolerations").to_vec();
    for (key, effect) in [
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ] {
        tolerations.push(json!({"key": key, "operator": "Exists", "effect": effect}));
    }
    json::put(&mut template, "/spec/tolerations", tolerations.into());
    let plan = PodPlan {
        owner: (Kind::DaemonSets, set),
        template: &template,
        name: format!("{}-", json::text(set, "/metadata/name")),
        labels: vec![("controller-revision-hash".to_owned(), revision.to_owned())],
        node: Some(node.to_owned()),
    };
    if let Ok(name) = world.create_pod(plan) {
        let about = Involved { kind: Kind::DaemonSets, object: set, component: "daemonset-controller" };
        world.normal(about, "SuccessfulCreate", &format!("Created pod: {name}"));
    }
}

/// Replaces pods of an older template, as many at a time as may be unavailable.
fn roll(world: &mut World, set: &Value, pods: &[PodFacts], revision: &str) {
    let most = super::rolling::share(
        &set["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"],
        pods.len() as i64,
        true,
    );
    let lost = |pod: &PodFacts| world.lost_nodes.contains_key(&pod.node);
    let unavailable = pods.iter().filter(|pod| !lost(pod) && (pod.terminating || !pod.ready)).count() as i64;
    let may = usize::try_from(most.max(1) - unavailable).unwrap_or(0);
    let old = pods.iter().filter(|pod| pod.active() && pod.revision != revision);
    let leaving: Vec<Key> = old.take(may).map(|pod| pod.key.clone()).collect();
    for pod in leaving {
        world.delete(Kind::Pods, &pod);
    }
}
