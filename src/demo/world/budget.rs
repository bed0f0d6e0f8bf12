//! Disruption budgets: how many pods could go now. They limit evictions, not scaling, and only tell here.

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::rolling::share;
use super::template::PodFacts;
use super::{World, is_terminating, json};
use crate::demo::resource::Kind;
use crate::demo::store::{Key, LabelSelector, Query};

pub fn reconcile(world: &mut World, key: &Key) {
    let found = world.get(Kind::PodDisruptionBudgets, key).filter(|object| !is_terminating(object));
    let Some(mut budget) = found.map(std::sync::Arc::unwrap_or_clone) else { return };
    let labels = LabelSelector::of(&budget["spec"]["selector"]);
    let query = Query { namespace: Some(key.namespace.to_string()), labels, ..Query::default() };
    let pods: Vec<PodFacts> = world
        .store
        .list(Kind::Pods, &query)
        .objects
        .iter()
        .map(|pod| world.facts.of(&world.store, pod))
        .filter(PodFacts::active)
        .collect();
    let expected = pods.len() as i64;
    let healthy = pods.iter().filter(|pod| pod.ready).count() as i64;
    let spec = &budget["spec"];
    let desired = if spec.get("maxUnavailable").is_some_and(|bound| !bound.is_null()) {
        expected - share(&spec["maxUnavailable"], expected, true)
    } else {
        share(&spec["minAvailable"], expected, true)
    };
    let allowed = (healthy - desired).max(0);
    let generation = budget["metadata"]["generation"].clone();
    for (field, value) in [
        ("observedGeneration", generation),
        ("expectedPods", json!(expected)),
        ("currentHealthy", json!(healthy)),
        ("desiredHealthy", json!(desired)),
        ("disruptionsAllowed", json!(allowed)),
    ] {
        json::put(&mut budget, &format!("/status/{field}"), value);
    }
    let now = world.stamp();
    let reason = if allowed > 0 { "SufficientPods" } else { "InsufficientPods" };
    conditions::set(
        &mut budget,
        Condition { kind: "DisruptionAllowed", status: allowed > 0, reason, message: "" },
        &now,
    );
    world.set_status(
        Kind::PodDisruptionBudgets,
        key,
        budget.get_mut("status").map_or(Value::Null, Value::take),
    );
}
