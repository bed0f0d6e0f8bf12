//! Default values, as the API server writes them into objects.

use serde_json::{Value, json};

use crate::demo::{json, resource::Kind};

/// Fills in what was left out of the spec.
pub fn apply_defaults(kind: Kind, object: &mut Value) {
    match kind {
        Kind::Deployments => {
            let strategy = json::text(object, "/spec/strategy/type") != "Recreate";
            set(object, "/spec/replicas", json!(1));
            set(object, "/spec/revisionHistoryLimit", json!(10));
            set(object, "/spec/progressDeadlineSeconds", json!(600));
            set(object, "/spec/strategy/type", json!("RollingUpdate"));
            if strategy {
                set(object, "/spec/strategy/rollingUpdate/maxSurge", json!("25%"));
                set(object, "/spec/strategy/rollingUpdate/maxUnavailable", json!("25%"));
            }
        }
        Kind::StatefulSets => {
            set(object, "/spec/replicas", json!(1));
            set(object, "/spec/revisionHistoryLimit", json!(10));
            set(object, "/spec/podManagementPolicy", json!("OrderedReady"));
            set(object, "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted", json!("Retain"));
            set(object, "/spec/persistentVolumeClaimRetentionPolicy/whenScaled", json!("Retain"));
            set(object, "/spec/updateStrategy/type", json!("RollingUpdate"));
            set(object, "/spec/updateStrategy/rollingUpdate/partition", json!(0));
        }
        Kind::DaemonSets => {
            set(object, "/spec/revisionHistoryLimit", json!(10));
            set(object, "/spec/updateStrategy/type", json!("RollingUpdate"));
            set(object, "/spec/updateStrategy/rollingUpdate/maxSurge", json!(0));
            set(object, "/spec/updateStrategy/rollingUpdate/maxUnavailable", json!(1));
        }
        Kind::Jobs => job(object, ""),
        Kind::CronJobs => {
            set(object, "/spec/concurrencyPolicy", json!("Allow"));
            set(object, "/spec/suspend", json!(false));
            set(object, "/spec/successfulJobsHistoryLimit", json!(3));
            set(object, "/spec/failedJobsHistoryLimit", json!(1));
        }
        Kind::Services => service(object),
        Kind::HorizontalPodAutoscalers => set(object, "/spec/minReplicas", json!(1)),
        Kind::Namespaces => {
            set(object, "/spec/finalizers", json!(["kubernetes"]));
            let name = object["metadata"]["name"].clone();
            set(object, "/metadata/labels/kubernetes.io~1metadata.name", name);
        }
        Kind::Pods => {
            pod_spec(&mut object["spec"]);
            admission(object);
        }
        Kind::ReplicaSets | Kind::Rollouts | Kind::LeaderWorkerSets => {
            set(object, "/spec/replicas", json!(1));
        }
        _ => {}
    }
    // The schemas of custom kinds say nothing of what is usual in a pod.
    if !kind.row().custom && object.pointer("/spec/template/spec").is_some_and(Value::is_object) {
        pod_spec(&mut object["spec"]["template"]["spec"]);
    }
}

/// The status a new object of the kind begins with.
pub fn initial_status(kind: Kind, object: &Value) -> Value {
    match kind {
        Kind::Pods => json!({"phase": "Pending", "qosClass": qos_class(object)}),
        Kind::Namespaces => json!({"phase": "Active"}),
        Kind::Services => json!({"loadBalancer": {}}),
        Kind::ReplicaSets => json!({"replicas": 0}),
        Kind::StatefulSets => json!({"replicas": 0, "availableReplicas": 0}),
        Kind::HorizontalPodAutoscalers => json!({"desiredReplicas": 0, "currentMetrics": null}),
        _ => json!({}),
    }
}

/// Fills in a pod's spec, of a pod or of a template.
pub fn pod_spec(spec: &mut Value) {
    for (pointer, value) in [
        ("/restartPolicy", json!("Always")),
        ("/terminationGracePeriodSeconds", json!(30)),
        ("/dnsPolicy", json!("ClusterFirst")),
        ("/securityContext", json!({})),
        ("/schedulerName", json!("default-scheduler")),
    ] {
        set(spec, pointer, value);
    }
    let Some(Value::Array(containers)) = spec.get_mut("containers") else { return };
    for container in containers {
        let image = json::text(container, "/image").to_owned();
        let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map(|(_, tag)| tag);
        let policy = if tag.is_none_or(|tag| tag == "latest") { "Always" } else { "IfNotPresent" };
        set(container, "/imagePullPolicy", policy.into());
        set(container, "/terminationMessagePath", "/dev/termination-log".into());
        set(container, "/terminationMessagePolicy", "File".into());
        set(container, "/resources", json!({}));
        requests_from_limits(container);
        if let Some(Value::Array(ports)) = container.get_mut("ports") {
            for port in ports {
                set(port, "/protocol", "TCP".into());
            }
        }
    }
}

/// What has a limit and no request requests its limit.
fn requests_from_limits(container: &mut Value) {
    let Some(limits) = container.pointer("/resources/limits").and_then(Value::as_object).cloned() else {
        return;
    };
    for (name, amount) in limits {
        set(container, &format!("/resources/requests/{}", name.replace('/', "~1")), amount);
    }
}

fn job(object: &mut Value, base: &str) {
    let at = |field: &str| format!("{base}/spec/{field}");
    for (field, value) in [
        ("parallelism", json!(1)),
        ("completions", json!(1)),
        ("backoffLimit", json!(6)),
        ("completionMode", json!("NonIndexed")),
        ("suspend", json!(false)),
        ("manualSelector", json!(false)),
        ("podReplacementPolicy", json!("TerminatingOrFailed")),
    ] {
        set(object, &at(field), value);
    }
}

fn service(object: &mut Value) {
    set(object, "/spec/type", json!("ClusterIP"));
    set(object, "/spec/sessionAffinity", json!("None"));
    set(object, "/spec/internalTrafficPolicy", json!("Cluster"));
    if let Some(Value::Array(ports)) = object.pointer_mut("/spec/ports") {
        for port in ports {
            let number = port["port"].clone();
            set(port, "/protocol", "TCP".into());
            set(port, "/targetPort", number);
        }
    }
}

/// What admission plugins add to every pod.
fn admission(pod: &mut Value) {
    set(pod, "/spec/serviceAccountName", json!("default"));
    set(pod, "/spec/enableServiceLinks", json!(true));
    set(pod, "/spec/preemptionPolicy", json!("PreemptLowerPriority"));
    set(pod, "/spec/priority", json!(0));
    let mut tolerations = json::list(pod, "/spec/tolerations").to_vec();
    for taint in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        if !tolerations.iter().any(|toleration| toleration["key"] == taint) {
            tolerations.push(
                json!({"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}),
            );
        }
    }
    json::put(pod, "/spec/tolerations", tolerations.into());
}

fn qos_class(pod: &Value) -> &'static str {
    let containers = json::list(pod, "/spec/containers");
    let has =
        |container: &Value, what: &str, resource: &str| container["resources"][what].get(resource).is_some();
    let any = |container: &Value| {
        ["requests", "limits"]
            .into_iter()
            .any(|what| ["cpu", "memory"].into_iter().any(|r| has(container, what, r)))
    };
    let equal = |container: &Value| {
        let (requests, limits) = (&container["resources"]["requests"], &container["resources"]["limits"]);
        ["cpu", "memory"].into_iter().all(|r| limits.get(r).is_some() && limits.get(r) == requests.get(r))
    };
    if !containers.iter().any(any) {
        "BestEffort"
    } else if containers.iter().all(equal) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Puts a value where none is.
fn set(object: &mut Value, pointer: &str, value: Value) {
    if object.pointer(pointer).is_none_or(Value::is_null) {
        json::put(object, pointer, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_deployment_becomes_a_whole_one() {
        let mut object = json!({"metadata": {"name": "a"}, "spec": {"template": {"spec": {"containers": [
            {"name": "a", "image": "registry:5000/a", "resources": {"limits": {"nvidia.com/gpu": "2"}}},
        ]}}}});
        apply_defaults(Kind::Deployments, &mut object);
        assert_eq!(object["spec"]["replicas"], 1);
        assert_eq!(object["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");
        let container = &object["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["imagePullPolicy"], "Always");
        assert_eq!(container["resources"]["requests"]["nvidia.com/gpu"], "2");
    }

    #[test]
    fn quality_of_service_follows_requests_and_limits() {
        let pod = |resources: Value| json!({"spec": {"containers": [{"resources": resources}]}});
        assert_eq!(qos_class(&pod(json!({}))), "BestEffort");
        assert_eq!(qos_class(&pod(json!({"requests": {"cpu": "1"}}))), "Burstable");
        let same = json!({"cpu": "1", "memory": "1Gi"});
        assert_eq!(qos_class(&pod(json!({"requests": same, "limits": same}))), "Guaranteed");
    }
}
