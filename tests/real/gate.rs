//! The gate against real kube-apiservers with real controllers: what is written, what is left as it was, what is
//! refused, and what colleagues see with kubectl.

use serde_json::{Value, json};
use skydeck::fleet::{Age, ChangeId, Kind};
use skydeck::gate::intent::Weights;
use skydeck::gate::operation::{Outcome, Phase};
use skydeck::gate::{Amount, Intent, Override, Policy, StepState, Wish};

use crate::bed::{Cluster, is_there};
use crate::sitting::{Sitting, told};

use skydeck::gate::patch::ANNOTATION as CHANGE;

const KEDA: &str = "scaledobject.keda.sh/batch";

fn policy() -> Policy {
    Policy { bake: Age(3), ..Policy::default() }
}

fn kubeconfig(clusters: &[&Cluster], viewer: bool) -> String {
    let mut merged =
        json!({"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []});
    for cluster in clusters {
        for part in ["clusters", "users", "contexts"] {
            let entries = cluster.kubeconfig[part].as_array().unwrap().iter();
            let of_viewer = |it: &&Value| it["name"].as_str().unwrap().ends_with("-viewer");
            let own = entries.filter(|it| part != "contexts" || of_viewer(it) == viewer);
            merged[part].as_array_mut().unwrap().extend(own.cloned());
        }
    }
    merged.to_string()
}

fn furnish(cluster: &Cluster) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/gate.yaml");
    cluster.kubectl(&["create", "-f", path]);
    for name in ["web", "api", "batch"] {
        let deployment = format!("deployment/{name}");
        cluster.kubectl(&["-n", "gate", "rollout", "status", &deployment, "--timeout", "120s"]);
    }
    // Endpoints come a moment after the pods.
    let ready = || {
        let all = cluster.objects("endpointslices");
        let count = |name: &str| {
            let own = all.iter().filter(|it| it["metadata"]["labels"]["kubernetes.io/service-name"] == name);
            own.flat_map(|it| it["endpoints"].as_array().cloned().unwrap_or_default())
                .filter(|it| it["conditions"]["ready"] == true)
                .count()
        };
        count("web") == 2 && count("api") == 2
    };
    for _ in 0..300 {
        if ready() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    panic!("no endpoints in {}", cluster.name);
}

fn get(cluster: &Cluster, what: &str) -> Value {
    cluster.kubectl_json(&["-n", "gate", "get", what])
}

/// As it is without the server's bookkeeping and our mark.
fn essence(object: &Value) -> Value {
    let mut object = object.clone();
    let meta = object["metadata"].as_object_mut().unwrap();
    for bookkeeping in ["managedFields", "resourceVersion", "generation"] {
        meta.remove(bookkeeping);
    }
    if let Some(Value::Object(annotations)) = meta.get_mut("annotations") {
        annotations.remove(CHANGE);
        if annotations.is_empty() {
            meta.remove("annotations");
        }
    }
    object.as_object_mut().unwrap().remove("status");
    object
}

/// Lines that are in one text and not in the other, for people.
fn print_difference(what: &str, before: &str, after: &str) {
    println!("--- {what}");
    for line in before.lines().filter(|line| !after.lines().any(|other| other == *line)) {
        println!("- {line}");
    }
    for line in after.lines().filter(|line| !before.lines().any(|other| other == *line)) {
        println!("+ {line}");
    }
}

fn yaml(cluster: &Cluster, what: &str) -> String {
    cluster.kubectl(&["-n", "gate", "get", what, "-o", "yaml"])
}

fn weights(sitting: &Sitting, clusters: &[&Cluster], kind: Kind, rule: usize, to: [u32; 2]) -> Intent {
    let places: Vec<_> = clusters.iter().map(|it| sitting.place(&it.name, kind, "gate/split")).collect();
    Intent::new(Wish::Weights(Weights {
        route: places[0].object.clone(),
        clusters: places.iter().map(|it| it.cluster).collect(),
        left_out: Vec::new(),
        rule,
        to: to.to_vec(),
        ramp: None,
    }))
}

async fn done(sitting: &mut Sitting, intent: &Intent) -> ChangeId {
    let id = sitting.through(intent).await.unwrap_or_else(|no| panic!("{}", no.words()));
    let operation = sitting.operation(&id);
    println!("{}: {}", operation.plan.title, told(operation));
    assert_eq!(operation.phase, Phase::Ended(Outcome::Done), "{}", told(operation));
    id
}

async fn undone(sitting: &mut Sitting, id: ChangeId) {
    done(sitting, &Intent::new(Wish::Undo(id))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_real_clusters_are_changed_and_taken_back() {
    if !is_there() {
        return;
    }
    let options = ["--controllers", "--nodes", "20", "--crds"];
    let (one, two) = (Cluster::up("gate-a", &options), Cluster::up("gate-b", &options));
    furnish(&one);
    furnish(&two);
    let both = [&one, &two];
    let mut sitting = Sitting::new(&kubeconfig(&both, false), policy()).await;
    weights_there_and_back(&mut sitting, &both).await;
    changed_while_the_dialog_is_open(&mut sitting, &one).await;
    scaled_and_back(&mut sitting, &both).await;
    to_zero_and_back(&mut sitting, &one).await;
    autoscalers_and_back(&mut sitting, &one).await;
    gateway_weights(&mut sitting, &one).await;
    sitting.end().await;
    an_account_that_may_only_read(&one).await;
}

async fn weights_there_and_back(sitting: &mut Sitting, both: &[&Cluster; 2]) {
    const WHAT: &str = "virtualservice.networking.istio.io/split";
    let before = both.map(|it| (get(it, WHAT), yaml(it, WHAT)));
    let intent = weights(sitting, both, Kind::VirtualService, 1, [50, 50]);
    let id = sitting.asked(&intent).await.unwrap_or_else(|no| panic!("{}", no.words()));
    sitting.yes(&id);
    sitting.until(&id, "in the middle", |it| it.steps[0].state == StepState::Verified).await;
    for cluster in both {
        let lease = get(cluster, "lease/skydeck-virtualservice-split");
        assert_eq!(lease["metadata"]["annotations"][CHANGE], id.to_string());
        assert!(lease["spec"]["holderIdentity"].as_str().unwrap().contains(", process "));
    }
    print!("{}", both[0].kubectl(&["-n", "gate", "get", "lease"]));
    sitting.rest(&id).await;
    assert_eq!(sitting.operation(&id).phase, Phase::Ended(Outcome::Done), "{}", told(sitting.operation(&id)));
    for (cluster, (was, text)) in both.iter().zip(&before) {
        let now = get(cluster, WHAT);
        let mut expected = essence(was);
        expected["spec"]["http"][1]["route"][0]["weight"] = 50.into();
        expected["spec"]["http"][1]["route"][1]["weight"] = 50.into();
        assert_eq!(essence(&now), expected);
        print_difference("60/40 → 50/50", text, &yaml(cluster, WHAT));
    }
    undone(sitting, id.clone()).await;
    for (cluster, (was, text)) in both.iter().zip(&before) {
        assert_eq!(essence(&get(cluster, WHAT)), essence(was));
        print_difference("before and after the undo", text, &yaml(cluster, WHAT));
    }
    events(sitting, both[0], &id).await;
}

/// Leases are gone, and the event is there; both are written when the operation has ended already.
async fn events(sitting: &mut Sitting, cluster: &Cluster, id: &ChangeId) {
    let told = |cluster: &Cluster| {
        let all = cluster.objects("events");
        all.into_iter().any(|it| it["message"].as_str().unwrap_or_default().contains(&id.to_string()))
    };
    let leases =
        |cluster: &Cluster| cluster.objects("leases").iter().any(|it| it["metadata"]["namespace"] == "gate");
    for _ in 0..100 {
        if told(cluster) && !leases(cluster) {
            break;
        }
        sitting.driver.turn().await;
    }
    let selector = "involvedObject.name=split";
    let events = cluster.kubectl(&["-n", "gate", "get", "events", "--field-selector", selector]);
    println!("{events}");
    assert!(
        events.contains("TrafficShifted") && events.contains("http[1].route[0].weight 60 → 50"),
        "{events}"
    );
    assert!(events.contains("TakenBack"), "{events}");
    assert!(!leases(cluster), "given back");
}

async fn changed_while_the_dialog_is_open(sitting: &mut Sitting, one: &Cluster) {
    const WHAT: &str = "virtualservice.networking.istio.io/split";
    let edit = |timeout: &str| {
        let patch = json!([{"op": "replace", "path": "/spec/http/1/timeout", "value": timeout}]);
        one.kubectl(&["-n", "gate", "patch", WHAT, "--type=json", "-p", &patch.to_string()]);
    };
    let intent = weights(sitting, &[one], Kind::VirtualService, 1, [50, 50]);
    // Before the targets are asked.
    let plan = sitting.plan(&intent).await.unwrap_or_else(|no| panic!("{}", no.words()));
    edit("3s");
    let no = sitting.check(plan).await.expect_err("it was changed").words();
    println!("{no}");
    assert!(no.contains("changed since") && no.contains("spec.http[1].timeout shown 10s now 3s"), "{no}");
    // While the question is on the screen.
    let id = sitting.asked(&intent).await.unwrap_or_else(|no| panic!("{}", no.words()));
    edit("4s");
    sitting.yes(&id);
    sitting.rest(&id).await;
    let operation = sitting.operation(&id);
    println!("{}", told(operation));
    assert_eq!(operation.phase, Phase::Ended(Outcome::Conflict));
    let route = &get(one, WHAT)["spec"]["http"][1];
    assert_eq!((&route["timeout"], &route["route"][0]["weight"]), (&json!("4s"), &json!(60)));
}

async fn scaled_and_back(sitting: &mut Sitting, both: &[&Cluster; 2]) {
    let before = both.map(|it| get(it, "deployment/web"));
    let cells = both.map(|it| (it.name.as_str(), "gate/web", Amount::Replicas(4)));
    let intent = sitting.scale(&cells);
    let id = done(sitting, &intent).await;
    for cluster in both {
        let web = get(cluster, "deployment/web");
        assert_eq!((&web["spec"]["replicas"], &web["status"]["readyReplicas"]), (&json!(4), &json!(4)));
    }
    undone(sitting, id).await;
    for (cluster, was) in both.iter().zip(&before) {
        assert_eq!(essence(&get(cluster, "deployment/web")), essence(was));
    }
}

async fn to_zero_and_back(sitting: &mut Sitting, one: &Cluster) {
    let intent = sitting.scale(&[(&one.name, "gate/web", Amount::Replicas(0))]);
    let id = done(sitting, &intent).await;
    assert!(sitting.operation(&id).plan.confirm.phrase.ends_with("/web 0"));
    assert_eq!(get(one, "deployment/web")["spec"]["replicas"], 0);
    undone(sitting, id).await;
    assert_eq!(get(one, "deployment/web")["spec"]["replicas"], 2);
}

async fn autoscalers_and_back(sitting: &mut Sitting, one: &Cluster) {
    const HPA: &str = "horizontalpodautoscaler/api";
    let before = get(one, HPA);
    assert_eq!(before["metadata"]["annotations"], Value::Null, "the test for nothing is on the wire");
    let intent = sitting.scale(&[(&one.name, "gate/api", Amount::Range { min: 3, max: 6 })]);
    let id = done(sitting, &intent).await;
    let now = get(one, HPA);
    assert_eq!((&now["spec"]["minReplicas"], &now["spec"]["maxReplicas"]), (&json!(3), &json!(6)));
    assert_eq!(now["metadata"]["annotations"][CHANGE], format!("{id}-1"));
    undone(sitting, id).await;
    assert_eq!(essence(&get(one, HPA)), essence(&before));

    let before = get(one, KEDA);
    let intent = sitting.scale(&[(&one.name, "gate/batch", Amount::Replicas(3))]);
    let id = done(sitting, &intent).await;
    assert_eq!(get(one, KEDA)["metadata"]["annotations"]["autoscaling.keda.sh/paused-replicas"], "3");
    undone(sitting, id).await;
    assert_eq!(essence(&get(one, KEDA)), essence(&before));
}

async fn gateway_weights(sitting: &mut Sitting, one: &Cluster) {
    const WHAT: &str = "httproute.gateway.networking.k8s.io/split";
    let before = get(one, WHAT);
    let mut intent = weights(sitting, &[one], Kind::HttpRoute, 0, [80, 20]);
    intent.overrides.insert(Override::UnknownCapacity);
    let id = done(sitting, &intent).await;
    assert_eq!(get(one, WHAT)["spec"]["rules"][0]["backendRefs"][1]["weight"], 20);
    undone(sitting, id).await;
    assert_eq!(essence(&get(one, WHAT)), essence(&before));
}

async fn an_account_that_may_only_read(one: &Cluster) {
    // The role `view` knows no ScaledObjects; whether one decides must be known.
    let reads =
        ["create", "clusterrole", "keda", "--verb=get,list,watch", "--resource=scaledobjects.keda.sh"];
    one.kubectl(&reads);
    one.kubectl(&["create", "clusterrolebinding", "keda", "--clusterrole=keda", "--user=viewer"]);
    let mut sitting = Sitting::new(&kubeconfig(&[one], true), policy()).await;
    let name = format!("{}-viewer", one.name);
    let intent = sitting.scale(&[(&name, "gate/web", Amount::Replicas(3))]);
    let no = sitting.asked(&intent).await.expect_err("it may not").words();
    println!("{no}");
    assert!(no.contains("this account may not update deployments.apps/scale in gate"), "{no}");
    // It may scale now, and still tell nobody: the plan says so, and goes on.
    one.kubectl(&[
        "-n",
        "gate",
        "create",
        "role",
        "scaler",
        "--verb=update",
        "--resource=deployments.apps/scale",
    ]);
    one.kubectl(&["-n", "gate", "create", "rolebinding", "scaler", "--role=scaler", "--user=viewer"]);
    let id = loop {
        // The authorizer hears of the binding a moment later.
        match sitting.asked(&intent).await {
            Ok(id) => break id,
            Err(no) => assert!(no.words().contains("this account may not"), "{}", no.words()),
        }
    };
    let lines: Vec<_> =
        skydeck::gate::diff::lines(sitting.operation(&id)).iter().map(|it| it.text.to_string()).collect();
    println!("{}", lines.join("\n"));
    let said = lines.join("\n");
    assert!(
        said.contains("may not write leases in gate") && said.contains("may not write events in gate"),
        "{said}"
    );
    sitting.yes(&id);
    sitting.rest(&id).await;
    assert_eq!(sitting.operation(&id).phase, Phase::Ended(Outcome::Done), "{}", told(sitting.operation(&id)));
    assert_eq!(get(one, "deployment/web")["spec"]["replicas"], 3);
}
