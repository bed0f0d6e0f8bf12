//! What must not stand in a recording, taken out before it is written.
//!
//! Facts carry no secret by their making: no environment, no arguments, no annotations but those that mean something
//! here, no credential. What comes beside them does: objects as servers give them, lines of logs, and words of servers
//! with addresses in them. Of objects only what is known to be harmless is kept; lines of logs are not.

use serde_json::Value;

use super::line::Entry;
use crate::app::Answer;
use crate::fleet::{Clean, marks};
use crate::gate::machine::Event;

/// Stands where something was.
pub const LEFT_OUT: &str = "(not recorded)";

/// Fields of objects whose words are names, states and moments.
const KEPT: [&str; 64] = [
    "apiVersion",
    "apiversion",
    "apiGroup",
    "kind",
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "finalizers",
    "manager",
    "operation",
    "subresource",
    "time",
    "type",
    "status",
    "reason",
    "message",
    "lastTransitionTime",
    "lastUpdateTime",
    "lastProbeTime",
    "lastHeartbeatTime",
    "startTime",
    "startedAt",
    "finishedAt",
    "completionTime",
    "phase",
    "image",
    "imageID",
    "nodeName",
    "serviceName",
    "serviceAccountName",
    "schedulerName",
    "priorityClassName",
    "runtimeClassName",
    "storageClassName",
    "volumeName",
    "claimName",
    "topologyKey",
    "whenUnsatisfiable",
    "restartPolicy",
    "imagePullPolicy",
    "dnsPolicy",
    "protocol",
    "operator",
    "effect",
    "key",
    "host",
    "hosts",
    "hostname",
    "hostnames",
    "subset",
    "gateways",
    "sectionName",
    "group",
    "dnsName",
    "recordType",
    "setIdentifier",
    "targets",
    "qosClass",
    "hostIP",
    "podIP",
];
/// Maps of names to names or amounts.
const KEPT_MAPS: [&str; 12] = [
    "labels",
    "matchLabels",
    "selector",
    "nodeSelector",
    "requests",
    "limits",
    "capacity",
    "allocatable",
    "hard",
    "used",
    "rollingUpdate",
    "nodeInfo",
];
/// What stands in these is named by other names.
const KEPT_VALUES: [&str; 4] = ["tolerations", "taints", "matchExpressions", "matchFields"];

/// Takes out of a message what is not recorded.
pub fn redact(entry: &mut Entry) {
    let Entry::Answer(answer) = entry else { return };
    match &mut **answer {
        Answer::Object { outcome: Ok(object), .. } => self::object(object),
        Answer::Lines { lines, .. } => {
            for line in lines {
                line.text = Clean::from(LEFT_OUT);
            }
        }
        Answer::ProgramLog(Ok(lines)) => *lines = vec![Clean::from(LEFT_OUT)],
        Answer::Looked(looked) => {
            for seen in looked.outcome.iter_mut().flatten() {
                self::object(std::sync::Arc::make_mut(&mut seen.value));
            }
        }
        Answer::Gate(_, Event::Read { object: Ok(Some(object)), .. }) => {
            self::object(std::sync::Arc::make_mut(object));
        }
        _ => {}
    }
}

/// Keeps of an object its shape, its numbers, and the words that are known to be harmless.
fn object(object: &mut Value) {
    keep(object, false);
}

fn keep(value: &mut Value, is_harmless: bool) {
    match value {
        Value::String(text) if !is_harmless => LEFT_OUT.clone_into(text),
        Value::Array(list) => list.iter_mut().for_each(|it| keep(it, is_harmless)),
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                keep_field(name, value);
            }
        }
        _ => {}
    }
}

fn keep_field(name: &str, value: &mut Value) {
    match value {
        Value::Object(marks) if name == "annotations" => {
            for (mark, value) in marks.iter_mut() {
                keep(value, marks::is_kept(mark));
            }
        }
        // A selector may be more than a map of names.
        Value::Object(names) if KEPT_MAPS.contains(&name) => {
            for (name, value) in names.iter_mut() {
                if value.is_object() || value.is_array() {
                    keep_field(name, value);
                }
            }
        }
        Value::Array(list) if KEPT_VALUES.contains(&name) => {
            let fields = list.iter_mut().filter_map(Value::as_object_mut).flatten();
            fields.for_each(|(_, value)| keep(value, true));
        }
        value => keep(value, KEPT.contains(&name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn of_an_object_its_shape_is_kept_and_no_word_that_could_be_secret() {
        let mut pod = json!({"kind": "Pod", "metadata": {"name": "p", "labels": {"app": "x"},
            "annotations": {"vault": "canary", "argocd.argoproj.io/tracking-id": "app"}},
            "spec": {"replicas": 3, "containers": [{"name": "c", "image": "i:1", "command": ["sh", "canary"], "args": ["canary"],
                "env": [{"name": "MODE", "value": "canary"}],
                "resources": {"requests": {"cpu": "100m"}},
                "readinessProbe": {"httpGet": {"httpHeaders": [{"name": "X", "value": "canary"}]}}}],
                "tolerations": [{"key": "gpu", "operator": "Equal", "value": "yes"}],
                "selector": {"app": "x", "matchLabels": {"tier": "y"}}},
            "data": {"a": "canary"}, "stringData": {"name": "canary2"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        pod["stringData"] = json!({"b": ["canary"]});
        object(&mut pod);
        let text = pod.to_string();
        assert!(!text.contains("canary"), "{text}");
        for kept in [
            "\"app\":\"x\"",
            "\"tier\":\"y\"",
            "100m",
            "\"replicas\":3",
            "i:1",
            "yes",
            "MODE",
            "tracking-id\":\"app",
            "Ready",
        ] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
    }
}
