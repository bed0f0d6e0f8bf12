//! Cells of the core kinds, of leases and of CRDs.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Column, age, clock, json, name, number, or_none, since, text, wide};
use crate::demo::resource::selector_text;

pub const NAMESPACE: &[Column] = &[text("Name"), text("Status"), text("Age")];
pub const NODE: &[Column] = &[
    text("Name"),
    text("Status"),
    text("Roles"),
    text("Age"),
    text("Version"),
    wide("Internal-IP"),
    wide("External-IP"),
    wide("OS-Image"),
    wide("Kernel-Version"),
    wide("Container-Runtime"),
];
pub const POD: &[Column] = &[
    text("Name"),
    text("Ready"),
    text("Status"),
    text("Restarts"),
    text("Age"),
    wide("IP"),
    wide("Node"),
    wide("Nominated Node"),
    wide("Readiness Gates"),
];
pub const SERVICE: &[Column] = &[
    text("Name"),
    text("Type"),
    text("Cluster-IP"),
    text("External-IP"),
    text("Port(s)"),
    text("Age"),
    wide("Selector"),
];
pub const EVENT: &[Column] = &[
    text("Last Seen"),
    text("Type"),
    text("Reason"),
    text("Object"),
    wide("Subobject"),
    wide("Source"),
    text("Message"),
    wide("First Seen"),
    wide("Count"),
    wide("Name"),
];
pub const CONFIG_MAP: &[Column] = &[text("Name"), number("Data"), text("Age")];
pub const LEASE: &[Column] = &[text("Name"), text("Holder"), text("Age")];
pub const CRD: &[Column] = &[text("Name"), Column { name: "Created At", kind: "date", wide: false }];

pub fn namespace(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    vec![name(object), object["status"]["phase"].clone(), age(object, now)]
}

pub fn node(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let mut states = vec![match json::condition(object, "Ready") {
        Some(ready) if ready["status"] == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }];
    if json::flag(object, "/spec/unschedulable") {
        states.push("SchedulingDisabled");
    }
    let mut roles: Vec<&str> = json::pairs(object, "/metadata/labels")
        .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    roles.sort_unstable();
    let address = |kind: &str| {
        let all = json::list(object, "/status/addresses");
        let found = all.iter().find(|address| address["type"] == kind);
        or_none(found.map(|address| json::text(address, "/address").to_owned()).unwrap_or_default())
    };
    let info = |field: &str| or_none(json::text(&object["status"]["nodeInfo"], field).to_owned());
    vec![
        name(object),
        states.join(",").into(),
        or_none(roles.join(",")),
        age(object, now),
        info("/kubeletVersion"),
        address("InternalIP"),
        address("ExternalIP"),
        info("/osImage"),
        info("/kernelVersion"),
        info("/containerRuntimeVersion"),
    ]
}

pub fn pod(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let statuses = json::list(object, "/status/containerStatuses");
    let ready = statuses.iter().filter(|status| json::flag(status, "/ready")).count();
    let total = json::list(object, "/spec/containers").len();
    let or_empty = |pointer: &str| or_none(json::text(object, pointer).to_owned());
    vec![
        name(object),
        format!("{ready}/{total}").into(),
        pod_state(object).into(),
        restarts(statuses, now).into(),
        age(object, now),
        or_empty("/status/podIP"),
        or_empty("/spec/nodeName"),
        or_empty("/status/nominatedNodeName"),
        "<none>".into(),
    ]
}

/// The word in the column STATUS: the most telling of phase, reason, container states and deletion.
fn pod_state(pod: &Value) -> String {
    let mut state = json::text(pod, "/status/phase").to_owned();
    if json::condition(pod, "PodScheduled").is_some_and(|condition| condition["reason"] == "SchedulingGated")
    {
        "SchedulingGated".clone_into(&mut state);
    }
    let reason = json::text(pod, "/status/reason");
    if !reason.is_empty() {
        reason.clone_into(&mut state);
    }
    let mut running = false;
    for status in json::list(pod, "/status/containerStatuses").iter().rev() {
        if let Some(word) = container_state(&status["state"]) {
            state = word;
        } else if json::flag(status, "/ready") && status["state"].get("running").is_some() {
            running = true;
        }
    }
    if state == "Completed" && running {
        let word = if json::is_true(pod, "Ready") { "Running" } else { "NotReady" };
        word.clone_into(&mut state);
    }
    if pod["metadata"].get("deletionTimestamp").is_some() {
        let word = if reason == "NodeLost" { "Unknown" } else { "Terminating" };
        word.clone_into(&mut state);
    }
    state
}

fn container_state(state: &Value) -> Option<String> {
    let waiting = json::text(state, "/waiting/reason");
    if !waiting.is_empty() {
        return Some(waiting.to_owned());
    }
    let ended = state.get("terminated")?;
    let reason = json::text(ended, "/reason");
    Some(if reason.is_empty() {
        format!("ExitCode:{}", json::int(ended, "/exitCode"))
    } else {
        reason.to_owned()
    })
}

/// `0`, or `7 (2m ago)`.
fn restarts(statuses: &[Value], now: DateTime<Utc>) -> String {
    let count: i64 = statuses.iter().map(|status| json::int(status, "/restartCount")).sum();
    let last = statuses
        .iter()
        .filter_map(|status| clock::parse(json::text(status, "/lastState/terminated/finishedAt")))
        .max();
    match last {
        Some(last) if count > 0 => format!("{count} ({} ago)", clock::age(last, now)),
        _ => count.to_string(),
    }
}

pub fn service(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let ports: Vec<String> = json::list(object, "/spec/ports")
        .iter()
        .map(|port| {
            let protocol = json::text(port, "/protocol");
            match json::int(port, "/nodePort") {
                0 => format!("{}/{protocol}", port["port"]),
                node_port => format!("{}:{node_port}/{protocol}", port["port"]),
            }
        })
        .collect();
    let ingress = json::list(object, "/status/loadBalancer/ingress");
    let external: Vec<&str> = ingress
        .iter()
        .map(|entry| match json::text(entry, "/ip") {
            "" => json::text(entry, "/hostname"),
            ip => ip,
        })
        .collect();
    vec![
        name(object),
        object["spec"]["type"].clone(),
        or_none(json::text(object, "/spec/clusterIP").to_owned()),
        or_none(external.join(",")),
        or_none(ports.join(",")),
        age(object, now),
        or_none(selector_text(&json!({"matchLabels": object["spec"]["selector"]}))),
    ]
}

pub fn event(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let first = ["/firstTimestamp", "/eventTime", "/metadata/creationTimestamp"]
        .into_iter()
        .find(|pointer| !json::text(object, pointer).is_empty())
        .unwrap_or("/firstTimestamp");
    let last = if json::text(object, "/lastTimestamp").is_empty() { first } else { "/lastTimestamp" };
    let about = &object["involvedObject"];
    let subject = format!("{}/{}", json::text(about, "/kind").to_lowercase(), json::text(about, "/name"));
    let source = match (json::text(object, "/source/component"), json::text(object, "/source/host")) {
        (component, "") => component.to_owned(),
        (component, host) => format!("{component}, {host}"),
    };
    vec![
        since(object, last, now),
        object["type"].clone(),
        object["reason"].clone(),
        subject.into(),
        json::text(about, "/fieldPath").into(),
        source.into(),
        json::text(object, "/message").trim().into(),
        since(object, first, now),
        json::int_or(object, "/count", 1).into(),
        name(object),
    ]
}

pub fn config_map(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let count = |field: &str| object[field].as_object().map_or(0, serde_json::Map::len);
    vec![name(object), (count("data") + count("binaryData")).into(), age(object, now)]
}

pub fn lease(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    vec![name(object), json::text(object, "/spec/holderIdentity").into(), age(object, now)]
}

pub fn crd(object: &Value, _now: DateTime<Utc>) -> Vec<Value> {
    vec![name(object), object["metadata"]["creationTimestamp"].clone()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        clock::parse("2026-01-01T01:00:00Z").unwrap()
    }

    fn state(pod_status: &Value) -> String {
        pod_state(&json!({"metadata": {}, "status": pod_status}))
    }

    #[test]
    fn a_pods_state_is_the_most_telling_word() {
        assert_eq!(state(&json!({"phase": "Pending"})), "Pending");
        let waiting = json!({"phase": "Running", "containerStatuses": [
            {"ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        ]});
        assert_eq!(state(&waiting), "CrashLoopBackOff");
        let done = json!({"phase": "Succeeded", "containerStatuses": [
            {"ready": false, "state": {"terminated": {"reason": "Completed", "exitCode": 0}}},
        ]});
        assert_eq!(state(&done), "Completed");
        assert_eq!(state(&json!({"phase": "Failed", "reason": "Evicted"})), "Evicted");
        let leaving = json!({"metadata": {"deletionTimestamp": "x"}, "status": {"phase": "Running"}});
        assert_eq!(pod_state(&leaving), "Terminating");
    }

    #[test]
    fn restarts_tell_when_the_last_one_was() {
        let statuses =
            [json!({"restartCount": 7, "lastState": {"terminated": {"finishedAt": "2026-01-01T00:55:00Z"}}})];
        assert_eq!(restarts(&statuses, now()), "7 (5m ago)");
        assert_eq!(restarts(&[], now()), "0");
    }

    #[test]
    fn a_cordoned_node_says_so() {
        let node_object = json!({
            "metadata": {"name": "n", "labels": {"node-role.kubernetes.io/worker": ""}},
            "spec": {"unschedulable": true},
            "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
        });
        let cells = node(&node_object, now());
        assert_eq!(cells[1], "NotReady,SchedulingDisabled");
        assert_eq!(cells[2], "worker");
        assert_eq!(cells.len(), NODE.len());
    }
}
