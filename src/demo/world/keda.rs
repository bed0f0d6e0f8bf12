//! KEDA: a ScaledObject owns an autoscaler, and can be paused at a number of replicas.

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::{World, is_terminating, json, owned_by};
use crate::demo::resource::Kind;
use crate::demo::store::Key;

const PAUSED: &str = "autoscaling.keda.sh/paused";
const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(scaled) = world.get(Kind::ScaledObjects, key).filter(|object| !is_terminating(object)) else {
        return;
    };
    let hpa = Key::new(&key.namespace, &format!("keda-hpa-{}", key.name));
    let pinned = scaled["metadata"]["annotations"].get(PAUSED_REPLICAS).is_some();
    let paused = pinned || !["", "false"].contains(&json::annotation(&scaled, PAUSED));
    let target = Key::new(&key.namespace, json::text(&scaled, "/spec/scaleTargetRef/name"));
    let kind = target_kind(&scaled);
    if paused {
        world.delete(Kind::HorizontalPodAutoscalers, &hpa);
        if let (Some(kind), Ok(replicas)) = (kind, json::annotation(&scaled, PAUSED_REPLICAS).parse::<i64>())
        {
            world.scale((kind, &target), replicas.max(0), "keda", "scale");
        }
    } else {
        keep_autoscaler(world, &scaled, &hpa);
    }
    write_status(world, key, &scaled, (paused, kind));
}

fn target_kind(scaled: &Value) -> Option<Kind> {
    let reference = &scaled["spec"]["scaleTargetRef"];
    match (json::text(reference, "/apiVersion"), json::text(reference, "/kind")) {
        ("", "" | "Deployment") => Some(Kind::Deployments),
        (version, kind) => Kind::named(version, kind),
    }
}

fn keep_autoscaler(world: &mut World, scaled: &Value, key: &Key) {
    let reference = &scaled["spec"]["scaleTargetRef"];
    let row = target_kind(scaled).unwrap_or(Kind::Deployments).row();
    let triggers = json::list(scaled, "/spec/triggers");
    let metrics: Vec<Value> = triggers
        .iter()
        .enumerate()
        .map(|(index, trigger)| {
            let name = format!("s{index}-{}", json::text(trigger, "/type"));
            let selector = json!({"matchLabels": {"scaledobject.keda.sh/name": scaled["metadata"]["name"]}});
            json!({"type": "External", "external": {
                "metric": {"name": name, "selector": selector},
                "target": {"type": "AverageValue", "averageValue": trigger["metadata"]["threshold"]},
            }})
        })
        .collect();
    let spec = json!({
        "scaleTargetRef": {"apiVersion": row.api_version(), "kind": row.kind, "name": reference["name"]},
        "minReplicas": json::int_or(scaled, "/spec/minReplicaCount", 1).max(1),
        "maxReplicas": json::int_or(scaled, "/spec/maxReplicaCount", 100),
        "metrics": metrics,
    });
    if world.get(Kind::HorizontalPodAutoscalers, key).is_some() {
        world.edit(Kind::HorizontalPodAutoscalers, key, |hpa| json::put(hpa, "/spec", spec));
        return;
    }
    let hpa = json!({
        "metadata": {
            "name": &*key.name, "namespace": &*key.namespace,
            "labels": {
                "app.kubernetes.io/managed-by": "keda-operator", "app.kubernetes.io/name": &*key.name,
                "app.kubernetes.io/part-of": scaled["metadata"]["name"],
                "scaledobject.keda.sh/name": scaled["metadata"]["name"],
            },
            "ownerReferences": owned_by(Kind::ScaledObjects, scaled),
        },
        "spec": spec,
    });
    // An autoscaler of that name which is somebody else's stays theirs.
    let _ = world.create(Kind::HorizontalPodAutoscalers, hpa);
}

fn write_status(world: &mut World, key: &Key, scaled: &Value, (paused, kind): (bool, Option<Kind>)) {
    let now = world.stamp();
    let row = kind.unwrap_or(Kind::Deployments).row();
    let mut types: Vec<&str> =
        json::list(scaled, "/spec/triggers").iter().map(|trigger| json::text(trigger, "/type")).collect();
    types.dedup();
    let mut object = scaled.clone();
    for (pointer, value) in [
        ("/status/scaleTargetKind", json!(format!("{}.{}", row.api_version(), row.kind))),
        (
            "/status/scaleTargetGVKR",
            json!({
                "group": row.group, "version": row.version, "kind": row.kind, "resource": row.plural,
            }),
        ),
        ("/status/triggersTypes", json!(types.join(","))),
        ("/status/hpaName", json!(format!("keda-hpa-{}", key.name))),
    ] {
        json::put(&mut object, pointer, value);
    }
    let ready = "ScaledObject is defined correctly and is ready for scaling";
    for condition in [
        Condition { kind: "Ready", status: true, reason: "ScaledObjectReady", message: ready },
        Condition {
            kind: "Active",
            status: !paused,
            reason: if paused { "ScalerNotActive" } else { "ScalerActive" },
            message: if paused {
                "Scaling is not performed because triggers are not active"
            } else {
                "Scaling is performed because triggers are active"
            },
        },
        Condition {
            kind: "Fallback",
            status: false,
            reason: "NoFallbackFound",
            message: "No fallbacks are active",
        },
        Condition {
            kind: "Paused",
            status: paused,
            reason: if paused { "ScaledObjectPaused" } else { "ScaledObjectUnpaused" },
            message: if paused {
                "ScaledObject is paused"
            } else {
                "pause annotation removed for ScaledObject"
            },
        },
    ] {
        conditions::set(&mut object, condition, &now);
    }
    world.set_status(Kind::ScaledObjects, key, object["status"].take());
}
