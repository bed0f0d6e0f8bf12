//! What the console says is what kubectl says, object by object, while other clusters are dead.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bed::{Cluster, Console, is_there, refusing, swallowing};

/// Kind, namespace, name → what is compared.
type Objects = BTreeMap<[String; 3], Value>;

#[test]
fn two_real_clusters_agree_with_kubectl_while_two_others_are_dead() {
    if !is_there() {
        return;
    }
    let whole = Cluster::up("agrees-a", &["--controllers", "--nodes", "4", "--gpus", "8", "--crds"]);
    let bare = Cluster::up("agrees-b", &["--cloud", "gcp"]);
    whole.apply("fleet.yaml");
    whole.apply("training.yaml");
    bare.apply("fleet.yaml");
    whole.kubectl(&["-n", "ml", "rollout", "status", "deployment/serving", "--timeout", "60s"]);
    let (_listener, silent) = swallowing();
    let console = Console::new(&[&whole, &bare], &[("silent", &silent), ("refused", &refusing())]);

    let clusters = console.status("clusters");
    let worth = |name: &str| {
        clusters["clusters"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap().clone()
    };
    assert_eq!((&worth(&whole.name)["state"], &worth(&bare.name)["state"]), (&json!("live"), &json!("live")));
    for (name, words) in [("silent", "no answer"), ("refused", "refused")] {
        assert_ne!(worth(name)["state"], "live");
        assert!(worth(name)["problem"].as_str().unwrap().contains(words), "{}", worth(name));
    }
    // Each cluster by itself: what is dead is waited for, and was looked at above.
    let console = Console::new(&[&whole, &bare], &[]);
    for cluster in [&whole, &bare] {
        agree(&console, cluster);
    }
    // And it goes on agreeing after changes.
    whole.kubectl(&["-n", "ml", "scale", "deployment/serving", "--replicas", "5"]);
    whole.kubectl(&["-n", "ml", "delete", "statefulset/store"]);
    whole.kubectl(&["-n", "ml", "rollout", "status", "deployment/serving", "--timeout", "60s"]);
    agree(&console, &whole);
}

/// Controllers are at work, so both are asked until they say the same; the last difference is told.
pub fn agree(console: &Console, cluster: &Cluster) {
    let began = Instant::now();
    loop {
        let told = told(console, cluster);
        let true_ones = real(cluster);
        if told == true_ones {
            assert!(told.len() > 3, "nothing was compared: {told:#?}");
            return;
        }
        let missing: Vec<_> = true_ones.iter().filter(|(key, value)| told.get(*key) != Some(value)).collect();
        let odd: Vec<_> = told.iter().filter(|(key, value)| true_ones.get(*key) != Some(value)).collect();
        assert!(began.elapsed() < Duration::from_mins(1), "kubectl: {missing:#?}\nskydeck: {odd:#?}");
    }
}

fn key(kind: &str, namespace: &Value, name: &Value) -> [String; 3] {
    [kind.to_owned(), namespace.as_str().unwrap_or("").to_owned(), name.as_str().unwrap_or("").to_owned()]
}

fn told(console: &Console, cluster: &Cluster) -> Objects {
    let mut objects = Objects::new();
    let own = |it: &&Value| it["cluster"] == cluster.name;
    let replicas = console.status("replicas");
    let cells = replicas["items"].as_array().unwrap().iter().flat_map(|it| it["cells"].as_array().unwrap());
    for workload in cells.filter(own).flat_map(|cell| cell["workloads"].as_array().unwrap()) {
        let mut fields = json!({});
        for field in ["uid", "desired", "ready", "updated", "available", "images"] {
            fields[field] = workload[field].clone();
        }
        fields["complete"] = json!(workload["rollout"] == "complete");
        objects.insert(
            key(workload["kind"].as_str().unwrap(), &workload["namespace"], &workload["name"]),
            fields,
        );
    }
    let jobs = console.status("jobs");
    for job in jobs["items"].as_array().unwrap().iter().filter(own) {
        let fields = json!({"uid": job["uid"], "phase": job["phase"]});
        objects.insert(key(job["kind"].as_str().unwrap(), &job["namespace"], &job["name"]), fields);
    }
    let clusters = console.status("clusters");
    let item = clusters["items"].as_array().unwrap().iter().find(|it| it["name"] == cluster.name).unwrap();
    let fields = json!({"nodes": item["nodes"], "pods": item["pods"], "identity": item["identity"]});
    objects.insert(key("Cluster", &Value::Null, &Value::Null), fields);
    objects
}

fn real(cluster: &Cluster) -> Objects {
    let mut objects = Objects::new();
    for (resource, kind) in [("deployments", "Deployment"), ("statefulsets", "StatefulSet")] {
        for object in cluster.objects(resource) {
            let (spec, status) = (&object["spec"], &object["status"]);
            let number = |name: &str| status[name].as_u64().unwrap_or(0);
            let containers = spec["template"]["spec"]["containers"].as_array().unwrap();
            let images: Vec<_> = containers.iter().map(|it| it["image"].clone()).collect();
            let place = (
                object["metadata"]["namespace"].as_str().unwrap(),
                object["metadata"]["name"].as_str().unwrap(),
            );
            let rollout = cluster.kubectl(&[
                "-n",
                place.0,
                "rollout",
                "status",
                "--watch=false",
                &format!("{kind}/{}", place.1),
            ]);
            let complete = rollout.contains("successfully rolled out") || rollout.contains("complete");
            let fields = json!({
                "uid": object["metadata"]["uid"], "desired": spec["replicas"], "ready": number("readyReplicas"),
                "updated": number("updatedReplicas"), "available": number("availableReplicas"), "images": images,
                "complete": complete,
            });
            objects.insert(key(kind, &object["metadata"]["namespace"], &object["metadata"]["name"]), fields);
        }
    }
    for object in cluster.objects("jobs") {
        let phase = phase_of_job(&object);
        let fields = json!({"uid": object["metadata"]["uid"], "phase": phase});
        objects.insert(key("Job", &object["metadata"]["namespace"], &object["metadata"]["name"]), fields);
    }
    if cluster.kubectl(&["api-resources", "-o", "name"]).contains("trainingjobs.") {
        for object in cluster.objects("trainingjobs") {
            let fields = json!({"uid": object["metadata"]["uid"], "phase": object["status"]["phase"]});
            objects.insert(
                key("TrainingJob", &object["metadata"]["namespace"], &object["metadata"]["name"]),
                fields,
            );
        }
    }
    let nodes = cluster.objects("nodes");
    let is_ready = |node: &&Value| {
        let conditions = node["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|it| it["type"] == "Ready" && it["status"] == "True"))
    };
    let identity = cluster.kubectl_json(&["get", "namespace", "kube-system"])["metadata"]["uid"].clone();
    let fields = json!({
        "nodes": {"ready": nodes.iter().filter(is_ready).count(), "total": nodes.len()},
        "pods": cluster.objects("pods").len(), "identity": identity,
    });
    objects.insert(key("Cluster", &Value::Null, &Value::Null), fields);
    objects
}

/// The rules of batch/v1, written down a second time.
fn phase_of_job(job: &Value) -> &'static str {
    let status = &job["status"];
    let is = |name: &str| {
        let conditions = status["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|it| it["type"] == name && it["status"] == "True"))
    };
    match () {
        () if is("Complete") => "Succeeded",
        () if is("Failed") => "Failed",
        () if job["spec"]["suspend"] == true => "Suspended",
        () if status["ready"].as_u64().unwrap_or(0) > 0 => "Running",
        () => "Pending",
    }
}
