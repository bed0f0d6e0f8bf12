//! A Kubernetes Event at the object that was changed: what, by whom, how it ended.

use http::Method;
use serde_json::{Value, json};

use super::lease::{holder, request};
use crate::clients::kube::{Door, encode};
use crate::fleet::Step as At;
use crate::gate::machine::Ended;
use crate::gate::operation::{Actor, Outcome};
use crate::gate::plan::{Plan, Verb};
use crate::sources::kube::kinds::Resource;

/// What the server takes in a message; it refuses more (`core/v1` events: 1024 bytes).
const LONGEST: usize = 1000;

/// Best effort: an event that cannot be written changes nothing about what was done. What was not changed gets none.
pub(super) async fn leave(door: &Door, resource: &Resource, at: (&Plan, usize), told: (&Actor, &Ended)) {
    let Some((_, words)) = told.1.changed.iter().find(|(step, _)| *step == at.1) else { return };
    let namespace = &at.0.steps[at.1].object.key.namespace;
    let path = format!("/api/v1/namespaces/{}/events", encode(namespace));
    if let Ok(request) = request(Method::POST, &path, &event(resource, at, words, told)) {
        let _ = door.send(At::Announce, request).await;
    }
}

fn event(
    resource: &Resource,
    (plan, step): (&Plan, usize),
    words: &str,
    (actor, ended): (&Actor, &Ended),
) -> Value {
    let step = &plan.steps[step];
    let key = &step.object.key;
    let mut message = format!("{words} by {} (change {}): {}", holder(actor), plan.id, ended.outcome.name());
    if !plan.reason.is_empty() {
        message.push_str(&format!("; {}", plan.reason));
    }
    while message.len() > LONGEST {
        message.pop();
    }
    let version = resource.versions.first().map_or("v1", String::as_str);
    let api =
        if resource.group.is_empty() { version.to_owned() } else { format!("{}/{version}", resource.group) };
    let reason = match plan.verb {
        Verb::Scale => "Scaled",
        Verb::Restart => "Restarted",
        Verb::Traffic => "TrafficShifted",
        Verb::Undo => "TakenBack",
    };
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"generateName": "skydeck-", "namespace": &*key.namespace},
        "involvedObject": {
            "apiVersion": api, "kind": step.object.kind.name(), "namespace": &*key.namespace,
            "name": &*key.name, "uid": &*step.uid,
        },
        "reason": reason, "message": message, "count": 1,
        "type": if ended.outcome == Outcome::Done { "Normal" } else { "Warning" },
        "source": {"component": "skydeck"}, "reportingComponent": "skydeck",
        "firstTimestamp": ended.at.rfc3339(), "lastTimestamp": ended.at.rfc3339(),
    })
}
