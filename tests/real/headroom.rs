//! The number is the scheduler's: so many more pods are placed, and not one more.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use skydeck::clients::kube::wire::Encoding;
use skydeck::fleet::{
    ClusterFact, ClusterId, Fact, Kind, Mono, ReplicaNeeds, Slot, SourceFact, SourceId, SourceState,
};
use skydeck::sources::kube::convert::Cx;
use skydeck::sources::kube::kinds;
use skydeck::state::select::headroom::{Place, headroom, quota};
use skydeck::state::{ClusterSpec, Settings, State};

use crate::bed::{Cluster, is_there};

const SOON: Duration = Duration::from_mins(1);
const HOME: ClusterId = ClusterId(0);

/// What the console would know: the same readers over what kubectl reads.
fn known(cluster: &Cluster) -> State {
    known_of(cluster, &[(Kind::Node, "nodes"), (Kind::Pod, "pods")])
}

fn known_of(cluster: &Cluster, names: &[(Kind, &str)]) -> State {
    let mut state = State::new(Settings::default());
    state.add_cluster(HOME, ClusterSpec::default());
    let served = names.iter().map(|(kind, _)| *kind).filter(|kind| !kind.is_built_in()).collect();
    state.apply(Fact::Cluster(HOME, Mono(0), ClusterFact::Served(served)));
    let mut cx = Cx::new(Vec::new().into());
    for (kind, name) in names {
        let kind = *kind;
        let mut resources = kinds::built_in().into_iter().chain(kinds::custom(&[]));
        let resource = resources.find(|it| it.kind == kind).unwrap();
        let source = SourceId { cluster: HOME, kind, slot: Slot(0) };
        let mut tell = |fact| state.apply(Fact::Source(source, Mono(0), fact));
        tell(SourceFact::Begin);
        for object in cluster.objects(name) {
            let read = resource.read(Encoding::Json, &Bytes::from(object.to_string()), &mut cx).unwrap();
            tell(SourceFact::Item(read.object.unwrap()));
        }
        tell(SourceFact::Complete);
        tell(SourceFact::State(SourceState::Watching));
    }
    state
}

fn deployment(name: &str, replicas: u32, spec: &Value) -> Value {
    let labels = json!({"app": name});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "room"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec}}})
}

fn asks(resources: &Value) -> Value {
    json!({"name": "main", "image": "registry.example.com/ml/server:1", "resources": {"requests": resources, "limits": gpus_of(resources)}})
}

/// Extended resources must be limited as they are asked for.
fn gpus_of(resources: &Value) -> Value {
    let extended = resources.as_object().unwrap().iter().filter(|(name, _)| name.contains('/'));
    Value::Object(extended.map(|(name, amount)| (name.clone(), amount.clone())).collect())
}

/// Pods that a node took, and pods of which the scheduler says that none does.
fn placed(cluster: &Cluster, name: &str) -> (u32, u32) {
    let (mut placed, mut refused) = (0, 0);
    for pod in cluster.objects("pods").iter().filter(|pod| pod["metadata"]["labels"]["app"] == name) {
        let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        placed += u32::from(pod["spec"]["nodeName"].is_string());
        refused += u32::from(conditions.clone().any(|it| it["reason"] == "Unschedulable"));
    }
    (placed, refused)
}

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < SOON, "not {what} within {SOON:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn apply(cluster: &Cluster, object: &Value) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, object.to_string().as_bytes()).unwrap();
    cluster.kubectl(&["apply", "-f", file.path().to_str().unwrap()]);
}

/// Three machines of 8 GPUs: one half taken, one cordoned away for a while, one with a taint.
fn cases() -> Vec<(&'static str, Value, u32)> {
    let tolerations =
        json!([{"key": "dedicated", "operator": "Equal", "value": "ml", "effect": "NoSchedule"}]);
    let affinity = |operator: &str, values: Value| {
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "rank", "operator": operator, "values": values}]}]}}})
    };
    let two = || json!([asks(&json!({"nvidia.com/gpu": "2"}))]);
    vec![
        ("eight", json!({"containers": [asks(&json!({"nvidia.com/gpu": "8"}))]}), 1),
        ("three", json!({"containers": [asks(&json!({"nvidia.com/gpu": "3"}))]}), 3),
        (
            "tolerant",
            json!({"containers": [asks(&json!({"nvidia.com/gpu": "8"}))], "tolerations": tolerations}),
            2,
        ),
        ("selected", json!({"containers": two(), "nodeSelector": {"rank": "0"}}), 2),
        ("greater", json!({"containers": two(), "affinity": affinity("Gt", json!(["0"]))}), 4),
        ("not-in", json!({"containers": two(), "affinity": affinity("NotIn", json!(["1", "2"]))}), 2),
        (
            "starts-large",
            json!({"containers": [asks(&json!({"cpu": "10"})), {"name": "side", "image": "i"}],
                "initContainers": [
                    {"name": "sidecar", "image": "i", "restartPolicy": "Always", "resources": {"requests": {"cpu": "5"}}},
                    {"name": "load", "image": "i", "resources": {"requests": {"cpu": "30"}}}]}),
            4,
        ),
        (
            "as-a-whole",
            json!({"resources": {"requests": {"cpu": "40", "memory": "1Gi"}}, "containers": [asks(&json!({"cpu": "1"}))]}),
            4,
        ),
        (
            "ports",
            json!({"containers": [{"name": "main", "image": "i", "ports": [{"containerPort": 80, "hostPort": 8080}]}]}),
            2,
        ),
    ]
}

#[test]
fn as_many_as_it_says_are_placed_and_not_one_more() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::up("headroom", &["--controllers", "--nodes", "3", "--gpus", "8"]);
    cluster.kubectl(&["create", "namespace", "room"]);
    for rank in 0..3 {
        cluster.kubectl(&["label", &format!("node/aws-node-{rank}"), &format!("rank={rank}")]);
    }
    cluster.kubectl(&["taint", "nodes", "aws-node-2", "dedicated=ml:NoSchedule"]);
    let half = json!({"containers": [asks(&json!({"nvidia.com/gpu": "4"}))], "nodeSelector": {"rank": "0"}});
    apply(&cluster, &deployment("half", 1, &half));
    until("half taken", || placed(&cluster, "half") == (1, 0));
    for (name, spec, wanted) in cases() {
        let object = deployment(name, 0, &spec);
        let needs = ReplicaNeeds::read(Kind::Deployment, &object).unwrap();
        let fits = headroom(&known(&cluster), HOME, &needs).fits.unwrap();
        assert_eq!(fits, wanted, "{name}");
        apply(&cluster, &deployment(name, fits, &spec));
        until(&format!("{fits} of {name} placed"), || placed(&cluster, name) == (fits, 0));
        let left = headroom(&known(&cluster), HOME, &needs);
        // Ports that others hold are not known, and it says so.
        if name == "ports" {
            assert!(left.notes.iter().any(|note| note.contains("ports of nodes")), "{left:?}");
        } else {
            assert_eq!(left.fits, Ok(0), "{name}");
        }
        apply(&cluster, &deployment(name, fits + 1, &spec));
        until(&format!("one more of {name} refused"), || placed(&cluster, name) == (fits, 1));
        let waiting = headroom(&known(&cluster), HOME, &needs).waiting;
        assert_eq!(waiting.map(|(count, _)| count), Some(1), "{name}");
        cluster.kubectl(&["-n", "room", "delete", "deployment", name]);
        until(&format!("{name} gone"), || placed(&cluster, name) == (0, 0));
        println!("{name}: {fits} placed, not one more");
    }
    cluster.kubectl(&["cordon", "aws-node-1"]);
    let needs = ReplicaNeeds::read(Kind::Deployment, &deployment("three", 0, &cases()[1].1)).unwrap();
    let room = headroom(&known(&cluster), HOME, &needs);
    assert_eq!((room.fits, room.refused.cordoned), (Ok(1), 1));
}

/// A real server keeps of an object only what the definition knows: names of fields are checked by it.
#[test]
fn queues_of_kueue_are_read_as_a_server_keeps_them() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::up("queues", &["--crds"]);
    cluster.kubectl(&["create", "namespace", "room"]);
    let queue = |name: &str| {
        json!({"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ClusterQueue", "metadata": {"name": name},
            "spec": {"cohortName": "ml", "namespaceSelector": {}, "resourceGroups": [{
                "coveredResources": ["cpu", "nvidia.com/gpu"], "flavors": [{"name": "a100", "resources": [
                    {"name": "cpu", "nominalQuota": "96"},
                    {"name": "nvidia.com/gpu", "nominalQuota": 16, "borrowingLimit": 4}]}]}]}})
    };
    for (name, used) in [("research", "10"), ("serving", "4")] {
        apply(&cluster, &queue(name));
        let stored = cluster.kubectl_json(&["get", &format!("clusterqueue/{name}")]);
        let reservation = json!([{"name": "a100", "resources": [
            {"name": "cpu", "total": "1500m", "borrowed": "0"}, {"name": "nvidia.com/gpu", "total": used, "borrowed": "0"}]}]);
        let status = json!({"pendingWorkloads": 2, "flavorsReservation": reservation});
        replace_status(&cluster, name, stored, status);
    }
    apply(
        &cluster,
        &json!({"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "LocalQueue",
            "metadata": {"name": "team", "namespace": "room"}, "spec": {"clusterQueue": "research"}}),
    );
    let mut object =
        deployment("llm", 1, &json!({"containers": [asks(&json!({"nvidia.com/gpu": "2", "cpu": "1"}))]}));
    object["metadata"]["labels"] = json!({"kueue.x-k8s.io/queue-name": "team"});
    let needs = ReplicaNeeds::read(Kind::Deployment, &object).unwrap();
    let state =
        known_of(&cluster, &[(Kind::ClusterQueue, "clusterqueues"), (Kind::LocalQueue, "localqueues")]);
    let place = Place { cluster: HOME, namespace: "room", queue: needs.queue.as_ref().unwrap() };
    let answer = quota(&state, &place, &needs, 9).unwrap();
    // 6 of 16 are left, and 4 more may be borrowed: 3 pods of 2, and 2.
    assert_eq!((answer.fits, answer.borrowed, answer.pending), (Ok(5), 2, 2));
}

fn replace_status(cluster: &Cluster, name: &str, mut stored: Value, status: Value) {
    stored["status"] = status;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, stored.to_string().as_bytes()).unwrap();
    let path = format!("/apis/kueue.x-k8s.io/v1beta2/clusterqueues/{name}/status");
    cluster.kubectl(&["replace", "--raw", &path, "-f", file.path().to_str().unwrap()]);
}
