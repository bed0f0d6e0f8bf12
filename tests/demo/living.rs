//! The running fleet: its contexts, its logs, its silence, and that a change through HTTP has effects.

use std::sync::OnceLock;
use std::time::Duration;

use kube::api::{Api, DynamicObject, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use skydeck::demo::{Fleet, Options};

use crate::wire::{Client, PATIENCE};

/// One fleet for all tests here; it ends with the process.
fn fleet() -> &'static Fleet {
    static FLEET: OnceLock<Fleet> = OnceLock::new();
    FLEET.get_or_init(|| Fleet::start(&Options { outages: false, ..Options::default() }).unwrap())
}

fn client(index: usize) -> Client {
    Client::new(&fleet().clusters()[index].url)
}

/// Reads until something is so.
fn until(client: &Client, path: &str, mut so: impl FnMut(&Value) -> bool) -> Value {
    let mut watch = 0;
    loop {
        let object = client.get(path).json();
        if so(&object) {
            return object;
        }
        watch += 1;
        assert!(watch < 300, "not within a minute: {path}: {object}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[tokio::test]
async fn every_context_of_the_kubeconfig_leads_to_its_cluster() {
    let kubeconfig = Kubeconfig::from_yaml(&fleet().kubeconfig()).unwrap();
    let names: Vec<&str> = fleet().clusters().iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["aws-east", "gcp-central", "azure-eastus"]);
    let clouds: Vec<&str> = fleet().clusters().iter().map(|member| member.cloud).collect();
    assert_eq!(clouds, ["aws", "gcp", "azure"]);
    for (name, nodes) in names.into_iter().zip([14, 14, 12]) {
        let options = KubeConfigOptions { context: Some(name.to_owned()), ..KubeConfigOptions::default() };
        let config = kube::Config::from_custom_kubeconfig(kubeconfig.clone(), &options).await.unwrap();
        let client = kube::Client::try_from(config).unwrap();
        let row = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Node"));
        let list = Api::<DynamicObject>::all_with(client, &row).list(&ListParams::default()).await.unwrap();
        assert_eq!(list.items.len(), nodes, "{name}");
    }
}

#[test]
fn versions_are_those_of_the_clouds() {
    let version = |index| client(index).get("/version").json()["gitVersion"].as_str().unwrap().to_owned();
    assert!(version(0).contains("-eks-") && version(1).contains("-gke.") && version(2) == "v1.33.4");
}

#[test]
fn a_scale_through_http_has_effect() {
    let client = client(0);
    let path = "/apis/apps/v1/namespaces/ml-platform/deployments/experiment-tracker";
    let scaled = client.merge(&format!("{path}/scale"), &json!({"spec": {"replicas": 3}}));
    assert_eq!(scaled.code, 200);
    let done = until(&client, path, |object| object["status"]["readyReplicas"] == 3);
    assert_eq!(done["status"]["observedGeneration"], done["metadata"]["generation"]);
}

#[test]
fn logs_are_read_and_followed() {
    let client = client(1);
    let pods = client
        .get("/api/v1/namespaces/ml-training/pods?labelSelector=training-job%3Dranker-two-tower-9")
        .json();
    let name = pods["items"][0]["metadata"]["name"].as_str().unwrap();
    let path = format!("/api/v1/namespaces/ml-training/pods/{name}/log");
    let lines = client.get(&format!("{path}?tailLines=3&timestamps=true")).body;
    assert_eq!(lines.lines().count(), 3);
    assert!(lines.lines().all(|line| line.contains("loss") && line.starts_with("20")), "{lines}");
    assert!(client.get(&format!("{path}?sinceSeconds=60")).body.lines().count() >= 10);
    let mut follow = client.open(&format!("{path}?follow=true&tailLines=1"));
    let (first, second) = (follow.line().unwrap(), follow.line().unwrap());
    assert_ne!(first, second);
    let crashing = client.get("/api/v1/namespaces/ml-platform/pods?labelSelector=app%3Dreranker").json();
    let restarts = |pod: &&Value| pod["status"]["containerStatuses"][0]["restartCount"].as_i64() > Some(5);
    let pod = crashing["items"].as_array().unwrap().iter().find(restarts).unwrap();
    let path =
        format!("/api/v1/namespaces/ml-platform/pods/{}/log", pod["metadata"]["name"].as_str().unwrap());
    assert!(client.get(&format!("{path}?previous=true")).body.contains("FileNotFoundError"));
    assert_eq!(client.get(&format!("{path}?container=nope")).refusal().0, 400);
    assert_eq!(client.get("/api/v1/namespaces/ml-platform/pods/nope/log").refusal().0, 404);
}

#[test]
fn a_silent_cluster_is_a_silent_cluster() {
    let member = &fleet().clusters()[2];
    let client = Client::new(&member.url);
    let mut watch = client.open("/apis/coordination.k8s.io/v1/leases?watch=1&resourceVersion=0");
    watch.event().unwrap();
    member.pause();
    let mut quiet = watch.is_silent(Duration::from_millis(100));
    while !quiet {
        // What was on its way when the silence began may still arrive.
        watch.event().unwrap();
        quiet = watch.is_silent(Duration::from_millis(100));
    }
    member.resume();
    assert_eq!(client.get("/livez").body, "ok");
}

#[test]
fn a_fleet_that_is_dropped_is_gone() {
    let fleet = Fleet::start(&Options { clusters: 1, ..Options::default() }).unwrap();
    let client = Client::new(&fleet.clusters()[0].url);
    assert_eq!(client.get("/livez").body, "ok");
    drop(fleet);
    for _ in 0..PATIENCE.as_millis() / 20 {
        if std::net::TcpStream::connect(&client.address).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("somebody still listens");
}
