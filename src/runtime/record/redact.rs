//! What must not stand in a recording, taken out before it is written.
//!
//! Facts carry no secret by their making: no environment, no arguments, no annotations but those that mean something
//! here, no credential. What comes beside them does: objects as servers give them, lines of logs, and words of servers
//! with addresses in them. Of objects only what is known to be harmless is kept; lines of logs are not.

use std::sync::LazyLock;

use regex::Regex;
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

/// Credentials in addresses, and tokens as they travel: whoever wrote them into a message, they go no further.
static TELLTALE: LazyLock<[(Option<Regex>, &str); 4]> = LazyLock::new(|| {
    [
        (r#"://[^/\s"\\@<>]{1,512}@"#, "://(left out)@"),
        (r"(?i)\b(bearer|authorization:? basic)(?:\s|%20)+[a-z0-9._~+/=\-]{8,}", "$1 (left out)"),
        (
            r#"(?i)([?&;](?:[a-z0-9_.\-]*(?:token|signature|secret|password|passwd|credential|apikey|api_key|accesskeyid)|sig|key|code)=)[^&\s"\\<>]+"#,
            "$1(left out)",
        ),
        (r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*", "(left out)"),
    ]
    .map(|(pattern, instead)| (Regex::new(pattern).ok(), instead))
});

/// The same text without what looks like a credential. It takes nothing that ends a JSON string, so that a line of JSON
/// stays one.
pub fn scrub(text: String) -> String {
    TELLTALE.iter().fold(text, |text, (pattern, instead)| {
        let Some(pattern) = pattern else { return text };
        match pattern.replace_all(&text, *instead) {
            std::borrow::Cow::Borrowed(_) => text,
            std::borrow::Cow::Owned(scrubbed) => scrubbed,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
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

    #[test]
    fn what_looks_like_a_credential_is_left_out_of_any_text() {
        for (text, scrubbed) in [
            ("dial https://me:canary@proxy:3128/x failed", "dial https://(left out)@proxy:3128/x failed"),
            ("Authorization: Bearer canary-canary", "Authorization: Bearer (left out)"),
            ("Authorization: Basic Y2FuYXJ5OmNhbmFyeQ==", "Authorization: Basic (left out)"),
            ("GET /o?X-Amz-Signature=canary&X-Amz-Date=1", "GET /o?X-Amz-Signature=(left out)&X-Amz-Date=1"),
            ("https://h/b?sv=1&sig=canary%3D", "https://h/b?sv=1&sig=(left out)"),
            ("got eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", "got (left out)"),
            (
                "an at@sign, a monkey=banana and basic training",
                "an at@sign, a monkey=banana and basic training",
            ),
            ("registry.example.com/ml/server@sha256:0123", "registry.example.com/ml/server@sha256:0123"),
        ] {
            assert_eq!(scrub(text.into()), scrubbed);
        }
    }

    proptest! {
        #[test]
        fn a_line_of_json_stays_one(texts in proptest::collection::vec(".{0,20}(://|Bearer |[?]token=|eyJ)?[\"\\\\@ -~]{0,40}", 1..5)) {
            let line = scrub(serde_json::to_string(&texts).unwrap());
            let read: Vec<String> = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(read.len(), texts.len());
        }
    }
}
