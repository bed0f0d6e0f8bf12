//! The fields that objects of built-in kinds have, as deep as writers of them usually go: the object, its
//! metadata and its spec. Deeper down nothing is known here, and everything is let in.

use serde_json::Value;

use crate::demo::{json, resource::Kind};

const METADATA: &[&str] = &[
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
];

/// The fields of the spec; `None`: not known.
fn spec(kind: Kind) -> Option<&'static [&'static str]> {
    Some(match kind {
        Kind::Deployments => &[
            "replicas",
            "selector",
            "template",
            "strategy",
            "minReadySeconds",
            "revisionHistoryLimit",
            "paused",
            "progressDeadlineSeconds",
        ],
        Kind::ReplicaSets => &["replicas", "selector", "template", "minReadySeconds"],
        Kind::StatefulSets => &[
            "replicas",
            "selector",
            "template",
            "volumeClaimTemplates",
            "serviceName",
            "podManagementPolicy",
            "updateStrategy",
            "revisionHistoryLimit",
            "minReadySeconds",
            "persistentVolumeClaimRetentionPolicy",
            "ordinals",
        ],
        Kind::DaemonSets => {
            &["selector", "template", "updateStrategy", "minReadySeconds", "revisionHistoryLimit"]
        }
        Kind::HorizontalPodAutoscalers => {
            &["scaleTargetRef", "minReplicas", "maxReplicas", "metrics", "behavior"]
        }
        Kind::PodDisruptionBudgets => {
            &["minAvailable", "maxUnavailable", "selector", "unhealthyPodEvictionPolicy"]
        }
        Kind::Leases => &[
            "holderIdentity",
            "leaseDurationSeconds",
            "acquireTime",
            "renewTime",
            "leaseTransitions",
            "strategy",
            "preferredHolder",
        ],
        _ => return None,
    })
}

/// Takes the fields that nobody knows out of the object; gives their paths.
pub fn prune(kind: Kind, object: &mut Value) -> Vec<String> {
    let mut unknown = Vec::new();
    let top: &[&str] = match kind {
        Kind::Events => &[
            "kind",
            "apiVersion",
            "metadata",
            "involvedObject",
            "reason",
            "message",
            "source",
            "firstTimestamp",
            "lastTimestamp",
            "count",
            "type",
            "eventTime",
            "series",
            "action",
            "related",
            "reportingComponent",
            "reportingInstance",
        ],
        Kind::ConfigMaps => &["kind", "apiVersion", "metadata", "data", "binaryData", "immutable"],
        Kind::EndpointSlices => &["kind", "apiVersion", "metadata", "addressType", "endpoints", "ports"],
        _ => &["kind", "apiVersion", "metadata", "spec", "status"],
    };
    keep(object, "", top, &mut unknown);
    keep(object, "metadata", METADATA, &mut unknown);
    if let Some(known) = spec(kind) {
        keep(object, "spec", known, &mut unknown);
    }
    if json::list(object, "/metadata/managedFields").is_empty() {
        json::remove(object, "/metadata/managedFields");
    }
    unknown
}

fn keep(object: &mut Value, place: &str, known: &[&str], unknown: &mut Vec<String>) {
    let pointer = if place.is_empty() { String::new() } else { format!("/{place}") };
    let Some(Value::Object(map)) = object.pointer_mut(&pointer) else { return };
    map.retain(|field, _| {
        let stays = known.contains(&field.as_str());
        if !stays {
            unknown.push(if place.is_empty() { field.clone() } else { format!("{place}.{field}") });
        }
        stays
    });
}
