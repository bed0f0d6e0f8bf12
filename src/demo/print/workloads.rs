//! Cells of the kinds of `apps/v1`.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Column, age, containers, json, name, number, or_none, text, wide};
use crate::demo::resource::selector_text;

pub const DEPLOYMENT: &[Column] = &[
    text("Name"),
    text("Ready"),
    text("Up-to-date"),
    text("Available"),
    text("Age"),
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
pub const STATEFUL_SET: &[Column] =
    &[text("Name"), text("Ready"), text("Age"), wide("Containers"), wide("Images")];
pub const REPLICA_SET: &[Column] = &[
    text("Name"),
    number("Desired"),
    number("Current"),
    number("Ready"),
    text("Age"),
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
pub const DAEMON_SET: &[Column] = &[
    text("Name"),
    number("Desired"),
    number("Current"),
    number("Ready"),
    number("Up-to-date"),
    number("Available"),
    text("Node Selector"),
    text("Age"),
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

pub fn deployment(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let [names, images] = containers(object, "/spec/template/spec/containers");
    vec![
        name(object),
        ready_of_wanted(object),
        json::int(object, "/status/updatedReplicas").into(),
        json::int(object, "/status/availableReplicas").into(),
        age(object, now),
        names,
        images,
        selector_text(&object["spec"]["selector"]).into(),
    ]
}

pub fn stateful_set(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let [names, images] = containers(object, "/spec/template/spec/containers");
    vec![name(object), ready_of_wanted(object), age(object, now), names, images]
}

pub fn replica_set(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let [names, images] = containers(object, "/spec/template/spec/containers");
    vec![
        name(object),
        json::int(object, "/spec/replicas").into(),
        json::int(object, "/status/replicas").into(),
        json::int(object, "/status/readyReplicas").into(),
        age(object, now),
        names,
        images,
        selector_text(&object["spec"]["selector"]).into(),
    ]
}

pub fn daemon_set(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let [names, images] = containers(object, "/spec/template/spec/containers");
    let status = |field: &str| Value::from(json::int(&object["status"], field));
    let mut selector: Vec<String> = json::pairs(object, "/spec/template/spec/nodeSelector")
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    selector.sort();
    vec![
        name(object),
        status("/desiredNumberScheduled"),
        status("/currentNumberScheduled"),
        status("/numberReady"),
        status("/updatedNumberScheduled"),
        status("/numberAvailable"),
        or_none(selector.join(",")),
        age(object, now),
        names,
        images,
        selector_text(&object["spec"]["selector"]).into(),
    ]
}

fn ready_of_wanted(object: &Value) -> Value {
    let ready = json::int(object, "/status/readyReplicas");
    format!("{ready}/{}", json::int(object, "/spec/replicas")).into()
}
