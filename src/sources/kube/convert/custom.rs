//! Custom resources whose shape the program knows: Argo Rollouts, LeaderWorkerSets, KEDA, Kueue.

use serde_json::Value;

use super::workload::{Made, workload};
use super::{Cx, Read, count, created, key, meta, template_gpus};
use crate::clients::kube::wire::messages::core::PodTemplateSpec;
use crate::clients::kube::wire::messages::meta::{ObjectMeta, unix};
use crate::fleet::autoscaler::{Maker, ScalingState};
use crate::fleet::rollout::Counts;
use crate::fleet::{Admission, Autoscaler, Clean, Kind, Object, ObjectId, ObjectKey, Owner, Rollout};

/// argo-rollouts `pkg/apis/rollouts/v1alpha1/types.go`. The observed generation is a text there, and the
/// phase is only valid for that generation.
pub fn rollout(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    let meta = metadata(object)?;
    let status = &object["status"];
    let counts = Counts {
        generation: meta.generation,
        observed_generation: observed(&status["observedGeneration"]),
        desired: number(&object["spec"]["replicas"]).unwrap_or(1),
        total: number(&status["replicas"]).unwrap_or(0),
        ready: number(&status["readyReplicas"]).unwrap_or(0),
        updated: number(&status["updatedReplicas"]).unwrap_or(0),
        available: number(&status["availableReplicas"]).unwrap_or(0),
    };
    let message = Clean::new(text(&status["message"]));
    let told = |fallback: &str| if message.is_empty() { fallback.into() } else { message.clone() };
    let rollout = if counts.observed_generation < counts.generation {
        Rollout::Progressing("the controller has not seen the new spec yet".into())
    } else {
        match text(&status["phase"]) {
            "Healthy" => Rollout::Complete,
            "Degraded" => Rollout::Stuck(told("degraded")),
            "Paused" => Rollout::Paused(told("paused at a step")),
            _ => Rollout::Progressing(told("progressing")),
        }
    };
    let template = template(&object["spec"]["template"]);
    let made = Made { kind: Kind::Rollout, counts, rollout, since: None };
    let mut read = workload(&meta, &template, made, cx);
    if let Some(Object::Workload(workload)) = &mut read.object {
        workload.steers = steered(&meta.namespace, &object["spec"]["strategy"]["canary"]["trafficRouting"]);
    }
    Ok(read)
}

/// The routes whose weights a Rollout writes: one or several VirtualServices, whose names may have a namespace
/// in front (argo-rollouts `utils/istio/istio.go`), and what its plugin for Gateway API is given.
fn steered(own: &str, routing: &Value) -> Box<[ObjectId]> {
    let istio = &routing["istio"];
    let services =
        istio["virtualServices"].as_array().into_iter().flatten().chain([&istio["virtualService"]]);
    let services = services.map(|it| {
        let (namespace, name) = text(&it["name"]).split_once('/').unwrap_or((own, text(&it["name"])));
        (Kind::VirtualService, namespace, name)
    });
    let plugin = &routing["plugins"]["argoproj-labs/gatewayAPI"];
    let namespace = plugin["namespace"].as_str().unwrap_or(own);
    let several = |key: &str| plugin[key].as_array().into_iter().flatten().map(|it| text(&it["name"]));
    let http = several("httpRoutes").chain([text(&plugin["httpRoute"])]);
    let grpc = several("grpcRoutes").chain([text(&plugin["grpcRoute"])]);
    let routes = http
        .map(|it| (Kind::HttpRoute, namespace, it))
        .chain(grpc.map(|it| (Kind::GrpcRoute, namespace, it)));
    let named = services.chain(routes).filter(|(_, _, name)| !name.is_empty());
    named.map(|(kind, namespace, name)| ObjectId { kind, key: ObjectKey::new(namespace, name) }).collect()
}

/// lws `api/leaderworkerset/v1/leaderworkerset_types.go`: a replica is a group of `size` pods.
pub fn leader_worker_set(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    let meta = metadata(object)?;
    let (spec, status) = (&object["spec"], &object["status"]);
    let ready = number(&status["readyReplicas"]).unwrap_or(0);
    let counts = Counts {
        generation: meta.generation,
        observed_generation: number(&status["observedGeneration"]).map_or(meta.generation, i64::from),
        desired: number(&spec["replicas"]).unwrap_or(1),
        total: number(&status["replicas"]).unwrap_or(0),
        ready,
        updated: number(&status["updatedReplicas"]).unwrap_or(0),
        available: ready,
    };
    let groups = &spec["leaderWorkerTemplate"];
    let workers = template(&groups["workerTemplate"]);
    let leader = if groups["leaderTemplate"].is_object() {
        template(&groups["leaderTemplate"])
    } else {
        workers.clone()
    };
    let size = count(number(&groups["size"]).unwrap_or(1)).max(1);
    let rollout = Rollout::of_deployment(counts, false, None);
    let made = Made { kind: Kind::LeaderWorkerSet, counts, rollout, since: None };
    let mut read = workload(&meta, &leader, made, cx);
    if let Some(Object::Workload(workload)) = &mut read.object {
        workload.gpus_per_replica = template_gpus(&leader) + template_gpus(&workers) * (size - 1);
    }
    Ok(read)
}

/// keda `apis/keda/v1alpha1/scaledobject_types.go`. A number alone pauses, and a `paused` that is not a
/// boolean counts as true.
pub fn scaled_object(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    let meta = metadata(object)?;
    let spec = &object["spec"];
    let target = &spec["scaleTargetRef"];
    let kind = match text(&target["kind"]) {
        "" => Kind::Deployment.name(),
        kind => kind,
    };
    let paused_at = meta.annotations.get("autoscaling.keda.sh/paused-replicas");
    let paused = meta.annotations.get("autoscaling.keda.sh/paused").is_some_and(|it| it != "false");
    let condition = conditions(object).find(|it| it.0 == "Ready" && it.1 == "False");
    let state = match (paused_at, paused, condition) {
        (Some(number), ..) => ScalingState::Paused(number.parse().ok()),
        (None, true, _) => ScalingState::Paused(None),
        (None, false, Some((_, _, condition))) => {
            ScalingState::Inactive(Clean::new(text(&condition["message"])))
        }
        (None, false, None) => ScalingState::Active,
    };
    let autoscaler = Autoscaler {
        key: key(&meta, cx),
        maker: Maker::Keda,
        target: Owner { kind: cx.names.intern(kind), name: cx.names.intern(text(&target["name"])) },
        min: count(number(&spec["minReplicaCount"]).unwrap_or(0)),
        max: count(number(&spec["maxReplicaCount"]).unwrap_or(100)),
        desired: None,
        state,
        since: None,
    };
    Ok(Read::new(&meta, cx, Some(Object::Autoscaler(Box::new(autoscaler)))))
}

/// kueue `apis/kueue/v1beta1/workload_types.go`.
pub fn queued_workload(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    let meta = metadata(object)?;
    let Some(owner) = meta.owner_references.first() else {
        return Ok(Read::new(&meta, cx, None));
    };
    let holds = |kind: &str| conditions(object).any(|it| it.0 == kind && it.1 == "True");
    if holds("Finished") {
        return Ok(Read::new(&meta, cx, None));
    }
    let waiting = conditions(object).find(|it| it.0 == "QuotaReserved" && it.1 == "False");
    let message = waiting.map(|(_, _, condition)| {
        let (reason, message) = (text(&condition["reason"]), text(&condition["message"]));
        if message.is_empty() { reason.to_owned() } else { message.to_owned() }
    });
    let admission = Admission {
        key: key(&meta, cx),
        job: Owner { kind: cx.names.intern(&owner.kind), name: cx.names.intern(&owner.name) },
        queue: cx.names.intern(text(&object["spec"]["queueName"])),
        admitted: holds("Admitted"),
        message: Clean::from(message.unwrap_or_else(|| "waits for quota".into())),
        created: created(&meta),
    };
    Ok(Read::new(&meta, cx, Some(Object::Admission(Box::new(admission)))))
}

/// The metadata of any object.
pub(super) fn metadata(object: &Value) -> Result<ObjectMeta, String> {
    let read: ObjectMeta = serde_json::from_value(object["metadata"].clone())
        .map_err(|_| "its metadata is not understood".to_owned())?;
    meta(Some(read))
}

/// Type, status and the condition itself.
pub(super) fn conditions(object: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.map(|it| (text(&it["type"]), text(&it["status"]), it))
}

/// When a condition changed.
pub(super) fn changed(condition: &Value) -> Option<crate::fleet::Unix> {
    let time = serde_json::from_value(condition["lastTransitionTime"].clone()).ok();
    unix(time.as_ref())
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

pub(super) fn template(value: &Value) -> PodTemplateSpec {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

fn number(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| i32::try_from(number).ok())
}

fn observed(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::test_cx;
    use super::*;
    use crate::fleet::Workload;
    use serde_json::json;

    fn of_workload(read: Result<Read, String>) -> Workload {
        match read.unwrap().object {
            Some(Object::Workload(workload)) => *workload,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_phase_of_a_rollout_counts_only_for_its_generation() {
        let object = |observed: &str, phase: &str| {
            json!({"metadata": {"name": "r", "generation": 4}, "spec": {"replicas": 3},
                "status": {"observedGeneration": observed, "phase": phase, "message": "more", "readyReplicas": 3}})
        };
        let of = |observed, phase| of_workload(rollout(&object(observed, phase), &mut test_cx())).rollout;
        assert_eq!(of("4", "Healthy"), Rollout::Complete);
        assert_eq!(of("3", "Healthy").words(), "the controller has not seen the new spec yet");
        assert_eq!(of("4", "Degraded"), Rollout::Stuck("more".into()));
        assert_eq!(of("4", "Paused"), Rollout::Paused("more".into()));
    }

    #[test]
    fn a_rollout_names_the_routes_it_steers() {
        let object = json!({"metadata": {"name": "r", "namespace": "ml"}, "spec": {"strategy": {"canary": {"trafficRouting": {
            "istio": {"virtualService": {"name": "edge/public"}, "virtualServices": [{"name": "own", "routes": ["primary"]}]},
            "plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "llm", "namespace": "gw"}}}}}}});
        let steers = of_workload(rollout(&object, &mut test_cx())).steers;
        let steers: Vec<_> = steers.iter().map(ToString::to_string).collect();
        assert_eq!(steers, ["VirtualService ml/own", "VirtualService edge/public", "HTTPRoute gw/llm"]);
    }

    #[test]
    fn a_replica_of_a_leader_worker_set_is_a_group() {
        let gpu =
            json!({"spec": {"containers": [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": 8}}}]}});
        let object = json!({"metadata": {"name": "big"}, "spec": {"replicas": 2, "leaderWorkerTemplate": {"size": 4, "workerTemplate": gpu}},
            "status": {"replicas": 2, "readyReplicas": 1, "updatedReplicas": 2}});
        let set = of_workload(leader_worker_set(&object, &mut test_cx()));
        assert_eq!((set.gpus_per_replica.whole, set.ready, set.desired), (32, 1, 2));
    }

    #[test]
    fn keda_pauses_in_several_ways() {
        let state = |annotations: Value| {
            let object = json!({"metadata": {"name": "s", "annotations": annotations},
                "spec": {"scaleTargetRef": {"name": "d"}, "maxReplicaCount": 9}});
            match scaled_object(&object, &mut test_cx()).unwrap().object {
                Some(Object::Autoscaler(it)) => (it.target.kind.to_string(), it.min, it.max, it.state),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(state(json!({})), ("Deployment".into(), 0, 9, ScalingState::Active));
        assert_eq!(
            state(json!({"autoscaling.keda.sh/paused-replicas": "4"})).3,
            ScalingState::Paused(Some(4))
        );
        assert_eq!(state(json!({"autoscaling.keda.sh/paused": "yes"})).3, ScalingState::Paused(None));
        assert_eq!(state(json!({"autoscaling.keda.sh/paused": "false"})).3, ScalingState::Active);
    }

    #[test]
    fn kueue_says_why_a_job_waits() {
        let object = json!({"metadata": {"name": "w", "ownerReferences": [{"kind": "Job", "name": "train"}]},
            "spec": {"queueName": "team"}, "status": {"conditions": [
                {"type": "QuotaReserved", "status": "False", "reason": "Pending", "message": "couldn't assign flavors"}]}});
        let Some(Object::Admission(it)) = queued_workload(&object, &mut test_cx()).unwrap().object else {
            panic!()
        };
        assert_eq!((&*it.queue, it.admitted, &*it.message), ("team", false, "couldn't assign flavors"));
    }

    #[test]
    fn hostile_shapes_are_errors_or_defaults_never_panics() {
        for object in
            [json!(null), json!([]), json!({}), json!({"metadata": 3}), json!({"metadata": {"name": 3}})]
        {
            assert!(rollout(&object, &mut test_cx()).is_err());
        }
        let odd =
            json!({"metadata": {"name": "x"}, "spec": 7, "status": {"conditions": "none", "replicas": 9e99}});
        assert!(rollout(&odd, &mut test_cx()).is_ok());
        assert!(leader_worker_set(&odd, &mut test_cx()).is_ok());
        assert!(scaled_object(&odd, &mut test_cx()).is_ok());
    }
}
