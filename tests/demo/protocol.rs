//! Discovery, lists, watches, Tables: what a client reads.

use std::time::Duration;

use serde_json::{Value, json};
use skydeck::demo::resource::Kind;
use skydeck::demo::store::Key;

use crate::wire::{Alone, head};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

fn pod(name: &str, phase: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "a", "labels": {"app": name.split('-').next()}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": phase},
    })
}

fn alone() -> Alone {
    let alone = Alone::new(1_000);
    alone.store.put(Kind::Namespaces, json!({"metadata": {"name": "a"}, "status": {"phase": "Active"}}));
    alone
}

fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn discovery_says_the_same_in_both_ways() {
    let client = &alone().client;
    let old = client.get("/apis/apps/v1").json();
    let new = client.get_as(AGGREGATED, "/apis");
    assert_eq!(new.header("content-type"), AGGREGATED);
    let groups = new.json();
    let apps =
        groups["items"].as_array().unwrap().iter().find(|group| group["metadata"]["name"] == "apps").unwrap();
    let deployment = |list: &Value, field: &str| {
        list.as_array().unwrap().iter().find(|row| row[field] == "deployments").unwrap().clone()
    };
    let (one, other) =
        (deployment(&old["resources"], "name"), deployment(&apps["versions"][0]["resources"], "resource"));
    assert_eq!(one["verbs"], other["verbs"]);
    assert_eq!(one["shortNames"], json!(["deploy"]));
    assert_eq!(other["subresources"][0]["responseKind"]["kind"], "Scale");
    let again =
        client.call("GET", "/apis", &[("Accept", AGGREGATED), ("If-None-Match", new.header("etag"))], "");
    assert_eq!((again.code, again.body.as_str()), (304, ""));
    assert_eq!(client.get("/api").json()["kind"], "APIVersions");
    assert_eq!(client.get("/apis").json()["kind"], "APIGroupList");
    assert_eq!(client.get("/apis/batch").json()["preferredVersion"]["groupVersion"], "batch/v1");
    assert_eq!(client.get("/version").json()["gitVersion"], "v1.34.0");
    assert_eq!(client.get("/livez").body, "ok");
    assert_eq!(client.get("/apis/nope/v1").code, 404);
}

#[test]
fn a_wrong_token_is_refused_and_what_nobody_speaks_is_too() {
    let client = &alone().client;
    let call = |header: (&str, &str)| client.call("GET", "/api/v1/pods", &[header], "").code;
    assert_eq!(call(("Authorization", "Bearer wrong")), 401);
    assert_eq!(call(("Authorization", "Bearer secret")), 200);
    assert_eq!(call(("Accept", "application/cbor")), 406);
    assert_eq!(call(("Accept", "application/vnd.kubernetes.protobuf, application/json")), 200);
}

#[test]
fn pages_belong_together_until_they_expire() {
    let alone = alone();
    for number in 0..7 {
        alone.store.put(Kind::Pods, pod(&format!("p-{number}"), "Running"));
    }
    let first = alone.client.get("/api/v1/pods?limit=3").json();
    assert_eq!(names(&first), ["p-0", "p-1", "p-2"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 4);
    assert!(first["items"][0].get("kind").is_none(), "items of built-in kinds have no kind");
    // What happens between the pages does not show in them.
    alone.store.remove(Kind::Pods, &Key::new("a", "p-4"));
    alone.store.put(Kind::Pods, pod("p-35", "Running"));
    alone.store.put(Kind::Pods, pod("p-5", "Failed"));
    let token = first["metadata"]["continue"].as_str().unwrap().to_owned();
    let rest = alone.client.get(&format!("/api/v1/pods?continue={token}")).json();
    assert_eq!(names(&rest), ["p-3", "p-4", "p-5", "p-6"]);
    assert_eq!(rest["items"][2]["status"]["phase"], "Running");
    assert_eq!(rest["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert_eq!(names(&alone.client.get("/api/v1/pods?limit=3&resourceVersion=0").json()).len(), 7);
    alone.store.compact();
    assert_eq!(alone.client.get(&format!("/api/v1/pods?continue={token}")).refusal().0, 410);
    assert_eq!(alone.client.get("/api/v1/pods?continue=nonsense").refusal().0, 400);
}

#[test]
fn lists_select() {
    let alone = alone();
    for (name, phase) in [("web-1", "Running"), ("web-2", "Failed"), ("db-1", "Running")] {
        alone.store.put(Kind::Pods, pod(name, phase));
    }
    let list = |query: &str| names(&alone.client.get(&format!("/api/v1/namespaces/a/pods?{query}")).json());
    assert_eq!(list("labelSelector=app%3Dweb"), ["web-1", "web-2"]);
    assert_eq!(list("labelSelector=app+notin+(web)"), ["db-1"]);
    assert_eq!(list("fieldSelector=status.phase!%3DFailed,spec.nodeName%3Dnode-1"), ["db-1", "web-1"]);
    assert_eq!(list("fieldSelector=metadata.name%3Ddb-1"), ["db-1"]);
    let refused = |query: &str| alone.client.get(&format!("/api/v1/pods?{query}")).refusal().0;
    assert_eq!(refused("fieldSelector=spec.color%3Dred"), 400);
    assert_eq!(refused("labelSelector=a+b"), 400);
    assert_eq!(refused("limit=x"), 400);
    assert_eq!(refused("resourceVersion=x"), 400);
    assert_eq!(refused("resourceVersion=99999999"), 504);
}

#[test]
fn a_watch_tells_what_comes_changes_and_goes() {
    let alone = alone();
    alone.store.put(Kind::Pods, pod("web-1", "Pending"));
    let version = alone.store.version();
    let mut whole = alone.client.open("/api/v1/pods?watch=1");
    assert_eq!(whole.told(), ("ADDED".into(), "web-1".into()));
    let mut running = alone.client.open(&format!(
        "/api/v1/pods?watch=true&resourceVersion={version}&fieldSelector=status.phase%3DRunning"
    ));
    alone.store.put(Kind::Pods, pod("web-1", "Running"));
    alone.store.put(Kind::Pods, pod("web-1", "Failed"));
    alone.store.put(Kind::ConfigMaps, json!({"metadata": {"name": "other", "namespace": "a"}}));
    alone.store.remove(Kind::Pods, &Key::new("a", "web-1"));
    for kind in ["MODIFIED", "MODIFIED", "DELETED"] {
        assert_eq!(whole.told(), (kind.into(), "web-1".into()));
    }
    assert_eq!(running.told().0, "ADDED");
    let (kind, object) = running.event().unwrap();
    assert_eq!((kind.as_str(), object["status"]["phase"].as_str()), ("DELETED", Some("Running")));
    assert!(running.is_silent(Duration::from_millis(150)));
}

#[test]
fn a_watch_ends_with_its_time_and_a_bookmark() {
    let alone = alone();
    let mut watch =
        alone.client.open("/api/v1/pods?watch=1&resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=1");
    let (kind, object) = watch.event().unwrap();
    assert_eq!((kind.as_str(), object["kind"].as_str()), ("BOOKMARK", Some("Pod")));
    assert_eq!(object["metadata"]["resourceVersion"], alone.store.version().to_string());
    assert!(watch.event().is_none());
    let mut listed = alone.client.open(
        "/api/v1/namespaces?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
    );
    assert_eq!(listed.told(), ("ADDED".into(), "a".into()));
    let (_, bookmark) = listed.event().unwrap();
    assert_eq!(bookmark["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
}

#[test]
fn a_version_that_is_too_old_is_gone() {
    let alone = Alone::new(4);
    alone.store.put(Kind::Namespaces, json!({"metadata": {"name": "a"}}));
    let old = alone.store.version();
    for number in 0..9 {
        alone.store.put(Kind::Pods, pod(&format!("p-{number}"), "Running"));
    }
    let path = format!("/api/v1/pods?watch=1&resourceVersion={old}");
    let mut watch = alone.client.open(&path);
    let (kind, status) = watch.event().unwrap();
    assert_eq!(
        (kind.as_str(), status["code"].as_i64(), status["reason"].as_str()),
        ("ERROR", Some(410), Some("Expired"))
    );
    assert!(watch.event().is_none());
    alone.server.answer_expired_watches_with_http_410(true);
    assert_eq!(alone.client.get(&path).refusal().0, 410);
    assert_eq!(alone.client.get("/api/v1/pods?watch=1&resourceVersion=99999").refusal().0, 504);
}

#[test]
fn tables_are_what_kubectl_prints() {
    let alone = alone();
    alone.store.put(Kind::Pods, pod("web-1", "Running"));
    let table = alone.client.get_as(TABLE, "/api/v1/pods").json();
    assert_eq!(table["kind"], "Table");
    let columns: Vec<&str> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(columns[..5], ["Name", "Ready", "Status", "Restarts", "Age"]);
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(cells[..4], ["web-1", "0/1", "Running", "0"]);
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let whole = alone.client.get_as(TABLE, "/api/v1/pods?includeObject=Object").json();
    assert_eq!(whole["rows"][0]["object"]["spec"]["nodeName"], "node-1");
    assert_eq!(
        alone.client.get_as(TABLE, "/api/v1/pods?includeObject=None").json()["rows"][0]["object"],
        Value::Null
    );
    let mut watch = alone.client.open_as(TABLE, "/api/v1/pods?watch=1");
    alone.store.put(Kind::Pods, pod("web-2", "Running"));
    let (first, second) = (watch.event().unwrap().1, watch.event().unwrap().1);
    assert!(first["columnDefinitions"].is_array() && second["columnDefinitions"].is_null());
    assert_eq!(second["rows"][0]["cells"][0], "web-2");
    let partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    let metadata = alone.client.get_as(partial, "/api/v1/pods").json();
    assert_eq!(metadata["items"][1]["metadata"]["name"], "web-2");
    assert!(metadata["items"][1].get("spec").is_none());
}

#[test]
fn every_resource_lists_and_prints() {
    let alone = alone();
    for kind in skydeck::demo::resource::KINDS.iter().map(|kind| kind.row()) {
        let root = if kind.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", kind.group) };
        let path = format!("{root}/{}/{}", kind.version, kind.plural);
        let answer = alone.client.get_as(TABLE, &path);
        if kind.verbs.names().contains(&"list") {
            assert_eq!((answer.code, answer.json()["kind"].clone()), (200, json!("Table")), "{path}");
        } else {
            assert_eq!(answer.code, 405, "{path}");
        }
    }
}

#[test]
fn a_paused_server_is_silent_and_goes_on() {
    let alone = alone();
    let mut watch = alone.client.open("/api/v1/pods?watch=1");
    alone.server.seam().pause();
    let mut waiting = alone.client.send("GET", "/api/v1/namespaces/a", &[], "");
    alone.store.put(Kind::Pods, pod("web-1", "Running"));
    assert!(watch.is_silent(Duration::from_millis(300)));
    waiting.get_ref().set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(std::io::BufRead::fill_buf(&mut waiting).is_err(), "a paused server has answered");
    alone.server.seam().resume();
    waiting.get_ref().set_read_timeout(Some(crate::wire::PATIENCE)).unwrap();
    assert_eq!(head(&mut waiting).0, 200);
    assert_eq!(watch.told(), ("ADDED".into(), "web-1".into()));
}
