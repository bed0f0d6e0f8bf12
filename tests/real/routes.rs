//! Routes, endpoints and their owners as a real server tells them, against kubectl.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bed::{Cluster, Console, is_there};

const SOON: Duration = Duration::from_mins(1);

fn item<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    document["items"].as_array()?.iter().find(|it| it["name"] == name)
}

/// Weight, share and endpoints of the destinations of a rule.
fn destinations(document: &Value, name: &str, rule: usize) -> Vec<Value> {
    let found = item(document, name).map(|it| &it["cells"][0]["rules"][rule]["destinations"]);
    let found = found.and_then(Value::as_array).cloned().unwrap_or_default();
    let of = |it: &Value| json!([it["written"], it["weight"], it["share"], it["endpointsReady"]]);
    found.iter().map(of).collect()
}

#[test]
fn routes_agree_with_kubectl_and_follow_their_endpoints() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::up("routes", &["--controllers", "--nodes", "3", "--crds"]);
    cluster.apply("fleet.yaml");
    cluster.apply("routes.yaml");
    cluster.kubectl(&["-n", "ml", "rollout", "status", "deployment/serving", "--timeout", "60s"]);
    let ready =
        cluster.kubectl_json(&["-n", "ml", "get", "deployment/serving"])["status"]["readyReplicas"].clone();
    let console = Console::new(&[&cluster], &[]);
    let mut traffic = console.watch("traffic");
    traffic.until("every endpoint is counted", SOON, |it| {
        destinations(it, "split", 1)
            == [
                json!(["serving", 60, 0.6, ready]),
                json!(["far.example.com", 40, 0.4, null]),
                json!(["nobody", null, 0.0, 0]),
            ]
    });
    let document = console.status("traffic");
    assert_eq!(
        destinations(&document, "split", 0),
        [json!(["nobody", null, 1.0, 0])],
        "a single one gets all"
    );
    assert_eq!(
        destinations(&document, "web", 0)[1],
        json!(["nobody", 3, 0.75, 0]),
        "an omitted weight is 1 here"
    );
    assert_eq!(destinations(&document, "calls", 0), [json!(["serving", 1, 1.0, ready])]);
    assert_eq!(destinations(&document, "names", 0)[0], json!(["aws", 60, 0.75, null]));
    for (resource, name) in
        [("virtualservice", "split"), ("httproute", "web"), ("grpcroute", "calls"), ("dnsendpoint", "names")]
    {
        let real = cluster.kubectl_json(&["-n", "ml", "get", &format!("{resource}/{name}")]);
        let cell = &item(&document, name).unwrap()["cells"][0];
        for field in ["uid", "generation", "resourceVersion"] {
            assert_eq!(cell[field], real["metadata"][field], "{resource}/{name} {field}");
        }
        for rule in cell["rules"].as_array().unwrap() {
            let pointer = rule["pointer"].as_str().unwrap();
            assert!(real.pointer(pointer).is_some(), "{resource}/{name} has nothing at {pointer}");
        }
        assert_eq!(cell["owner"]["verdict"], "unmanaged", "every kind that could manage it was looked for");
    }
    let attention = console.status("attention");
    let findings = attention["items"].as_array().unwrap().iter();
    let dry = findings.filter(|it| it["rule"] == "route-without-endpoints");
    let mut dry: Vec<_> = dry.map(|it| it["subject"]["name"].as_str().unwrap().to_owned()).collect();
    dry.sort();
    assert_eq!(dry, ["split", "web"], "{attention:#}");

    cluster.kubectl(&["-n", "ml", "scale", "deployment/serving", "--replicas", "0"]);
    traffic.until("its endpoints are gone", SOON, |it| {
        destinations(it, "split", 1)[0] == json!(["serving", 60, 0.6, 0])
    });
    let weights = r#"[{"op":"replace","path":"/spec/http/1/route/0/weight","value":10}]"#;
    cluster.kubectl(&["-n", "ml", "patch", "virtualservice/split", "--type=json", "-p", weights]);
    traffic.until("the shift is seen", SOON, |it| {
        destinations(it, "split", 1)[0] == json!(["serving", 10, 0.2, 0])
    });
    let shown = console.command(&["traffic", "show", "vs/split", "-n", "ml"]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("ml/split") && !shown.contains("ml/web"), "{shown}");
}

#[test]
fn who_may_not_read_routes_is_told_once_and_sees_the_rest() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::up("routes-viewer", &["--crds"]);
    cluster.apply("fleet.yaml");
    cluster.apply("routes.yaml");
    let console = Console::of_viewer(&cluster);
    let clusters = console.status("clusters");
    assert_eq!(clusters["items"][0]["state"], "partial", "{clusters:#}");
    let attention = console.status("attention");
    let denied: Vec<_> =
        attention["items"].as_array().unwrap().iter().filter(|it| it["rule"] == "denied-source").collect();
    assert_eq!(denied.len(), 1, "{attention:#}");
    assert!(denied[0]["cause"].as_str().unwrap().contains("Istio routes"), "{denied:?}");
    let shown = console.command(&["traffic", "show", "split"]).output().unwrap();
    assert!(!shown.status.success());
    let told = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert!(told.contains("no route split is known"), "{told}");
}
