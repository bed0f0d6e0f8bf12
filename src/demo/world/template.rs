//! Pod templates: their hash, the pods made from them, and the names those get.

use serde_json::{Value, json};

use super::events::Involved;
use super::{World, is_terminating, json, owned_by, uid};
use crate::demo::refusal::{Outcome, Refusal};
use crate::demo::resource::Kind;
use crate::demo::store::{Key, Object};

/// More pods than its nodes can carry, and so many that wait, no cluster has.
const PODS_A_NODE: usize = 110;
const WAITING_PODS: usize = 200;
/// The characters of generated names: no vowels, no words.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The `pod-template-hash` of a template.
pub fn hash(template: &Value) -> String {
    let mut state: u32 = 0x811c_9dc5;
    digest(template, &mut state);
    state.to_string().bytes().map(|digit| char::from(LETTERS[usize::from(digit) % LETTERS.len()])).collect()
}

/// FNV-1a over the value with its keys in order, so that the order a patch leaves does not matter.
fn digest(value: &Value, state: &mut u32) {
    let mut feed = |text: &str| {
        for byte in text.bytes().chain([0]) {
            *state = (*state ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    };
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            for key in keys {
                let mut feed = |text: &str| {
                    for byte in text.bytes().chain([1]) {
                        *state = (*state ^ u32::from(byte)).wrapping_mul(0x0100_0193);
                    }
                };
                feed(key);
                digest(&map[key], state);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| digest(item, state)),
        leaf => feed(&leaf.to_string()),
    }
}

/// What a controller needs to know of one of its pods.
#[derive(Debug, Clone)]
pub struct PodFacts {
    pub key: Key,
    pub created: String,
    pub node: String,
    pub phase: String,
    pub ready: bool,
    pub terminating: bool,
    pub restarts: i64,
    pub revision: String,
}

impl PodFacts {
    pub fn of(object: &Object, pod: &Value) -> PodFacts {
        let statuses = json::list(pod, "/status/containerStatuses");
        let revision = ["controller-revision-hash", "pod-template-hash"]
            .into_iter()
            .map(|label| json::label(pod, label))
            .find(|text| !text.is_empty());
        PodFacts {
            key: object.key.clone(),
            created: json::text(pod, "/metadata/creationTimestamp").to_owned(),
            node: json::text(pod, "/spec/nodeName").to_owned(),
            phase: json::text(pod, "/status/phase").to_owned(),
            ready: json::is_true(pod, "Ready"),
            terminating: is_terminating(pod),
            restarts: statuses.iter().map(|status| json::int(status, "/restartCount")).sum(),
            revision: revision.unwrap_or_default().to_owned(),
        }
    }

    /// Neither ended nor on its way out.
    pub fn active(&self) -> bool {
        !self.terminating && !self.ended()
    }

    pub fn ended(&self) -> bool {
        ["Succeeded", "Failed"].contains(&self.phase.as_str())
    }
}

/// A pod to be made for an owner.
pub struct PodPlan<'a> {
    pub owner: (Kind, &'a Value),
    pub template: &'a Value,
    /// The whole name, or a prefix that ends in `-`.
    pub name: String,
    pub labels: Vec<(String, String)>,
    pub node: Option<String>,
}

impl World {
    pub(super) fn pods_of(&self, owner: &Value) -> Vec<PodFacts> {
        self.store.owned(uid(owner), Kind::Pods).iter().map(|pod| self.facts.of(&self.store, pod)).collect()
    }

    /// Makes a pod from a template; the name is completed if it is a prefix.
    ///
    /// Refused when the cluster is full: someone who asks for a million replicas gets a warning, not a million.
    pub(super) fn create_pod(&mut self, plan: PodPlan<'_>) -> Outcome<String> {
        let (kind, owner) = plan.owner;
        let most = self.store.count(Kind::Nodes) * PODS_A_NODE + WAITING_PODS;
        if self.store.count(Kind::Pods) >= most {
            let message =
                format!("pods {:?} is forbidden: exceeded quota: demo, limited: pods={most}", plan.name);
            let about = Involved { kind, object: owner, component: "quota" };
            self.warning(about, "FailedCreate", &format!("Error creating: {message}"));
            return Err(Refusal::bad_request(message));
        }
        let mut pod = json!({
            "metadata": {
                "namespace": owner["metadata"]["namespace"],
                "labels": plan.template["metadata"]["labels"],
                "ownerReferences": owned_by(kind, owner),
            },
            "spec": plan.template["spec"],
        });
        if plan.name.ends_with('-') {
            pod["metadata"]["generateName"] = plan.name.into();
        } else {
            pod["metadata"]["name"] = plan.name.into();
        }
        if let Some(annotations) = plan.template["metadata"].get("annotations") {
            pod["metadata"]["annotations"] = annotations.clone();
        }
        for (label, value) in plan.labels {
            json::put(&mut pod, &format!("/metadata/labels/{}", label.replace('/', "~1")), value.into());
        }
        if let Some(node) = plan.node {
            json::put(&mut pod, "/spec/nodeName", node.into());
        }
        self.create(Kind::Pods, pod).map(|object| object.key.name.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_of_the_content_not_of_the_order() {
        let one = json!({"a": 1, "b": {"c": "x", "d": [1, 2]}});
        let two = json!({"b": {"d": [1, 2], "c": "x"}, "a": 1});
        let other = json!({"a": 1, "b": {"c": "y", "d": [1, 2]}});
        assert_eq!(hash(&one), hash(&two));
        assert_ne!(hash(&one), hash(&other));
        assert!(hash(&one).bytes().all(|letter| LETTERS.contains(&letter)));
    }
}
