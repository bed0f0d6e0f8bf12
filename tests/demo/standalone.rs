//! One cluster for a test: it lives, falls silent, restarts, and is replaced by another at its address.

use std::time::Duration;

use serde_json::{Value, json};
use skydeck::demo::Standalone;
use skydeck::demo::api::Which;
use skydeck::demo::resource::Kind;

use crate::wire::{Client, PATIENCE};

const WEB: &str = "/apis/apps/v1/namespaces/a/deployments/web";

fn client(cluster: &Standalone) -> Client {
    Client::new(&cluster.url())
}

fn deployment(replicas: u8) -> Value {
    json!({"metadata": {"name": "web"}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i:v1"}]}},
    }})
}

fn node() -> Value {
    let size = json!({"cpu": "16", "memory": "64Gi", "pods": "110"});
    json!({"metadata": {"name": "n"}, "status": {
        "capacity": size, "allocatable": size, "conditions": [{"type": "Ready", "status": "True"}],
    }})
}

fn until(client: &Client, path: &str, so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..PATIENCE.as_millis() / 50 {
        let object = client.get(path).json();
        if so(&object) {
            return object;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("not in time: {}", client.get(path).body);
}

#[test]
fn a_living_cluster_brings_pods_up_in_seconds() {
    let cluster = Standalone::living("one").unwrap();
    cluster.store().put(Kind::Nodes, node());
    let client = client(&cluster);
    assert_eq!(client.post("/apis/apps/v1/namespaces/a/deployments", &deployment(1)).code, 201);
    until(&client, WEB, |web| web["status"]["readyReplicas"] == 1);
    let mut scale = client.get(&format!("{WEB}/scale")).json();
    scale["spec"]["replicas"] = 3.into();
    let put = client.put(&format!("{WEB}/scale?fieldManager=skydeck"), &scale);
    // The controller may have written the status in between: then it is said, and asked again.
    if put.code == 409 {
        scale["metadata"] = client.get(&format!("{WEB}/scale")).json()["metadata"].clone();
        assert_eq!(client.put(&format!("{WEB}/scale?fieldManager=skydeck"), &scale).code, 200);
    }
    let moving = client.get(WEB).json();
    assert_ne!(moving["status"]["readyReplicas"], 3, "it takes seconds: {moving}");
    let done = until(&client, WEB, |web| web["status"]["readyReplicas"] == 3);
    assert_eq!(done["status"]["observedGeneration"], done["metadata"]["generation"]);
    let who = &done["metadata"]["managedFields"][0];
    assert_eq!((&who["manager"], &who["subresource"]), (&json!("skydeck"), &json!("scale")));
}

#[test]
fn a_restart_keeps_the_objects_and_breaks_the_connections() {
    let mut cluster = Standalone::start("one").unwrap();
    let client = client(&cluster);
    assert_eq!(client.post("/apis/apps/v1/namespaces/a/deployments", &deployment(1)).code, 201);
    let mut watch = client.open("/apis/apps/v1/deployments?watch=1");
    assert_eq!(watch.told().1, "web");
    cluster.restart().unwrap();
    assert!(watch.is_broken());
    assert_eq!(client.get(WEB).code, 200);
    assert_eq!(cluster.seam().count(&Which::any()), 1, "it counts anew");
}

#[test]
fn another_cluster_answers_at_the_same_address() {
    let mut cluster = Standalone::start("one").unwrap();
    let client = client(&cluster);
    let identity =
        |client: &Client| client.get("/api/v1/namespaces/kube-system").json()["metadata"]["uid"].clone();
    assert_eq!(identity(&client), "one");
    cluster.store().put(Kind::Deployments, json!({"metadata": {"name": "web", "namespace": "a"}}));
    let mut watch = client.open("/apis/apps/v1/deployments?watch=1");
    assert_eq!(watch.told().1, "web");
    cluster.restart_as("two").unwrap();
    assert!(watch.is_broken());
    assert_eq!((identity(&client), client.get(WEB).code), (json!("two"), 404));
}

#[test]
fn a_cluster_falls_silent_and_goes_on() {
    let cluster = Standalone::start("one").unwrap();
    let client = client(&cluster);
    cluster.pause();
    let mut answer = client.send("GET", "/livez", &[], "");
    answer.get_ref().set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(std::io::Read::read(&mut answer, &mut [0]).is_err(), "nothing is answered");
    answer.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    cluster.resume();
    assert_eq!(crate::wire::head(&mut answer).0, 200);
}

#[tokio::test]
async fn its_kubeconfigs_lead_to_it_and_the_viewer_only_reads() {
    let cluster = Standalone::start("one").unwrap();
    let own = client(&cluster);
    assert_eq!(own.post("/apis/apps/v1/namespaces/a/deployments", &deployment(1)).code, 201);
    for (text, code) in [(cluster.kubeconfig("c"), 200), (cluster.viewer_kubeconfig("c"), 403)] {
        let kubeconfig = kube::config::Kubeconfig::from_yaml(&text).unwrap();
        let server = kubeconfig.clusters[0].cluster.as_ref().unwrap().server.clone().unwrap();
        assert_eq!(server, cluster.url());
        let token = text.lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap();
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/merge-patch+json")];
        assert_eq!(own.call("GET", WEB, &headers, "").code, 200);
        assert_eq!(own.call("PATCH", &format!("{WEB}?dryRun=All"), &headers, "{}").code, code);
    }
}
