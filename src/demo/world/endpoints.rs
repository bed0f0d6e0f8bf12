//! The endpoints of Services: one slice for each Service with a selector, with the pods that have an address.
//!
//! A real controller begins a new slice after a hundred endpoints; no Service here has that many.

use serde_json::{Value, json};

use super::{World, is_terminating, json, owned_by};
use crate::demo::programs::hash;
use crate::demo::resource::Kind;
use crate::demo::store::{Key, LabelSelector, Query};

const SERVICE: &str = "kubernetes.io/service-name";

pub fn reconcile(world: &mut World, key: &Key) {
    let found = world.get(Kind::Services, key).filter(|object| !is_terminating(object));
    // The slice of a Service that went away goes with its owner.
    let Some(service) = found else { return };
    let Some(labels) = selector(&service) else { return };
    let place = Key::new(&key.namespace, &slice_name(key));
    let query = Query { namespace: Some(key.namespace.to_string()), labels, ..Query::default() };
    let pods = world.store.list(Kind::Pods, &query).objects;
    let pods = pods.iter().map(|pod| world.store.value(pod));
    let endpoints: Value = pods.filter_map(|pod| endpoint(&pod)).collect();
    let ports = ports(&service);
    match world.get(Kind::EndpointSlices, &place) {
        Some(known) if known["endpoints"] == endpoints && known["ports"] == ports => {}
        Some(_) => {
            world.edit(Kind::EndpointSlices, &place, |slice| {
                slice["endpoints"] = endpoints;
                slice["ports"] = ports;
            });
        }
        None => {
            let slice = json!({
                "metadata": {
                    "name": &*place.name, "namespace": &*place.namespace, "ownerReferences": owned_by(Kind::Services, &service),
                    "labels": {SERVICE: &*key.name, "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
                },
                "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
            });
            // Somebody else's slice of that name stays theirs.
            let _ = world.create(Kind::EndpointSlices, slice);
        }
    }
}

/// Which pods a Service chooses; `None` when somebody else says what its endpoints are.
pub fn selector(service: &Value) -> Option<LabelSelector> {
    let labels = service["spec"]["selector"].as_object().filter(|labels| !labels.is_empty())?;
    Some(LabelSelector::of(&json!({"matchLabels": labels})))
}

/// `ml-inference-x7k2p`: the same in every run.
fn slice_name(service: &Key) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut bits = hash(&[&service.namespace, &service.name, "slice"]);
    let mut suffix = String::new();
    for _ in 0..5 {
        suffix.push(char::from(LETTERS[(bits % LETTERS.len() as u64) as usize]));
        bits /= LETTERS.len() as u64;
    }
    format!("{}-{suffix}", service.name)
}

/// A pod with an address that has not ended.
fn endpoint(pod: &Value) -> Option<Value> {
    let address = json::text(pod, "/status/podIP");
    let ended = ["Succeeded", "Failed"].contains(&json::text(pod, "/status/phase"));
    if address.is_empty() || ended {
        return None;
    }
    let (serving, terminating) = (json::is_true(pod, "Ready"), is_terminating(pod));
    Some(json!({
        "addresses": [address],
        "conditions": {"ready": serving && !terminating, "serving": serving, "terminating": terminating},
        "nodeName": json::text(pod, "/spec/nodeName"),
        "targetRef": {
            "kind": "Pod", "namespace": json::text(pod, "/metadata/namespace"), "name": json::text(pod, "/metadata/name"),
            "uid": json::text(pod, "/metadata/uid"),
        },
    }))
}

fn ports(service: &Value) -> Value {
    let ports = json::list(service, "/spec/ports").iter();
    ports
        .map(|port| {
            let number = port.get("targetPort").filter(|it| it.is_number()).unwrap_or(&port["port"]);
            json!({"name": port.get("name").cloned().unwrap_or_else(|| json!("")), "port": number, "protocol": "TCP"})
        })
        .collect()
}
