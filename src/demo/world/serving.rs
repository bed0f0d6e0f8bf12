//! KServe in its standard mode: an InferenceService owns a Deployment and its autoscaler, and writes both as
//! its own spec says; who scales the Deployment by hand is overruled.

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::{World, is_terminating, json, owned_by};
use crate::demo::resource::Kind;
use crate::demo::store::Key;

const CLASS: &str = "serving.kserve.io/autoscalerClass";
const SERVICE: &str = "serving.kserve.io/inferenceservice";

pub fn reconcile(world: &mut World, key: &Key) {
    let found = world.get(Kind::InferenceServices, key).filter(|object| !is_terminating(object));
    let Some(service) = found else { return };
    let own = Key::new(&key.namespace, &format!("{}-predictor", key.name));
    let predictor = &service["spec"]["predictor"];
    let least = json::int_or(predictor, "/minReplicas", 1).max(0);
    let most = json::int_or(predictor, "/maxReplicas", least).max(least).max(1);
    let by_hpa = !["none", "external"].contains(&json::annotation(&service, CLASS));
    keep_deployment(world, &service, &own, (least, by_hpa));
    if by_hpa {
        keep_autoscaler(world, &service, &own, (least.max(1), most));
    } else {
        world.delete(Kind::HorizontalPodAutoscalers, &own);
    }
    write_status(world, key, &service, &own);
}

/// Under an autoscaler the replicas are its business; without one they are `minReplicas`, whatever they were.
fn keep_deployment(world: &mut World, service: &Value, key: &Key, (least, by_hpa): (i64, bool)) {
    let template = template(service, key);
    if let Some(known) = world.get(Kind::Deployments, key) {
        if !by_hpa && json::int_or(&known, "/spec/replicas", 1) != least {
            world.scale((Kind::Deployments, key), least, "manager", "");
        }
        let image = "/spec/template/spec/containers/0/image";
        if known.pointer(image) != template.pointer("/spec/containers/0/image") {
            let wanted = template["spec"]["containers"][0]["image"].clone();
            world.edit(Kind::Deployments, key, |deployment| json::put(deployment, image, wanted));
        }
        return;
    }
    let deployment = json!({
        "metadata": metadata(service, key),
        "spec": {
            "replicas": least, "selector": {"matchLabels": {"app": &*key.name}}, "template": template,
        },
    });
    // A Deployment of that name which is somebody else's stays theirs.
    let _ = world.create(Kind::Deployments, deployment);
}

fn metadata(service: &Value, key: &Key) -> Value {
    json!({
        "name": &*key.name, "namespace": &*key.namespace,
        "labels": {"app": &*key.name, "component": "predictor", SERVICE: service["metadata"]["name"]},
        "ownerReferences": owned_by(Kind::InferenceServices, service),
    })
}

fn template(service: &Value, key: &Key) -> Value {
    let model = &service["spec"]["predictor"]["model"];
    let image = match json::text(model, "/image") {
        "" => format!("docker.io/kserve/{}server:v0.17.0", json::text(model, "/modelFormat/name")),
        image => image.to_owned(),
    };
    json!({
        "metadata": {"labels": {"app": &*key.name, "component": "predictor", SERVICE: service["metadata"]["name"]}},
        "spec": {"containers": [{
            "name": "kserve-container", "image": image, "args": [format!("--model_dir={}", json::text(model, "/storageUri"))],
            "resources": model.get("resources").cloned().unwrap_or_else(|| json!({})),
        }]},
    })
}

fn keep_autoscaler(world: &mut World, service: &Value, key: &Key, (least, most): (i64, i64)) {
    if let Some(known) = world.get(Kind::HorizontalPodAutoscalers, key) {
        if (json::int(&known, "/spec/minReplicas"), json::int(&known, "/spec/maxReplicas")) != (least, most) {
            world.edit(Kind::HorizontalPodAutoscalers, key, |hpa| {
                json::put(hpa, "/spec/minReplicas", json!(least));
                json::put(hpa, "/spec/maxReplicas", json!(most));
            });
        }
        return;
    }
    let hpa = json!({
        "metadata": metadata(service, key),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": &*key.name},
            "minReplicas": least, "maxReplicas": most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}],
        },
    });
    // As above: what is somebody else's stays theirs.
    let _ = world.create(Kind::HorizontalPodAutoscalers, hpa);
}

fn write_status(world: &mut World, key: &Key, service: &Value, own: &Key) {
    let deployment = world.get(Kind::Deployments, own);
    let ready = deployment.is_some_and(|deployment| json::is_true(&deployment, "Available"));
    let now = world.stamp();
    let mut object = service.clone();
    json::put(
        &mut object,
        "/status/url",
        json!(format!("http://{}-{}.example.com", key.name, key.namespace)),
    );
    json::put(&mut object, "/status/deploymentMode", json!("Standard"));
    for kind in ["PredictorReady", "Ready"] {
        let reason = if ready { "" } else { "MinimumReplicasUnavailable" };
        conditions::set(&mut object, Condition { kind, status: ready, reason, message: "" }, &now);
    }
    world.set_status(Kind::InferenceServices, key, object["status"].take());
}
