//! The documents of `skydeck status -o json`.

use serde_json::Value;
use skydeck::cli::status::document;

use crate::world::fleet;

fn json<T: serde::Serialize>(document: &document::Document<T>) -> Value {
    serde_json::to_value(document).unwrap()
}

fn item<'a>(document: &'a Value, name: &str) -> &'a Value {
    document["items"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()
}

#[test]
fn every_document_says_what_it_is_and_what_each_cluster_is_worth() {
    let world = fleet();
    let state = &world.state;
    for (document, kind) in [
        (json(&document::clusters(state)), "ClusterList"),
        (json(&document::replicas(state)), "ReplicaList"),
        (json(&document::jobs(state)), "JobList"),
        (json(&document::traffic(state)), "TrafficList"),
        (json(&document::attention(state)), "AttentionList"),
    ] {
        assert_eq!(document["apiVersion"], "skydeck/v1");
        assert_eq!(document["kind"], kind);
        assert_eq!(document["generatedAt"], "2026-03-08T14:03:13Z");
        let azure = item(&serde_json::json!({"items": document["clusters"]}), "azure-eastus").clone();
        assert_eq!((azure["state"].as_str(), azure["ageSeconds"].as_u64()), (Some("silent"), Some(196)));
        assert!(azure["problem"].as_str().unwrap().contains("401 Unauthorized"));
    }
}

#[test]
fn a_cell_says_what_its_numbers_are_worth() {
    let world = fleet();
    let document = json(&document::replicas(&world.state));
    let group = item(&document, "ml-platform/ml-inference");
    assert_eq!(group["versionDiffers"], true);
    let states: Vec<_> =
        group["cells"].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["live", "live", "stale"]);
    let workload = &group["cells"][0]["workloads"][0];
    assert_eq!((workload["desired"].as_u64(), workload["ready"].as_u64()), (Some(6), Some(6)));
    assert_eq!(workload["version"], "1.4.2");
    assert_eq!(group["cells"][0]["autoscaler"]["max"], 20);
}

#[test]
fn what_is_not_known_is_null_and_never_zero() {
    let mut world = fleet();
    world.configured("new");
    let document = json(&document::clusters(&world.state));
    let new = item(&document, "new");
    for field in ["nodes", "pods", "gpus", "version", "roundTripMs", "identity", "ageSeconds"] {
        assert!(new[field].is_null(), "{field} is {}", new[field]);
    }
    assert_eq!(new["state"], "connecting");
}

#[test]
fn jobs_and_findings() {
    let world = fleet();
    let jobs = json(&document::jobs(&world.state));
    let bert = item(&jobs, "bert-finetune-7");
    assert_eq!(
        (bert["phase"].as_str(), bert["rule"].as_str()),
        (Some("Failed"), Some("condition Failed is True"))
    );
    assert_eq!(bert["gpus"]["whole"], 8);
    let llama = item(&jobs, "llama-sft");
    assert_eq!((llama["progress"].as_f64(), llama["metrics"]["loss"].as_f64()), (Some(0.71), Some(0.4217)));
    let attention = json(&document::attention(&world.state));
    let first = &attention["items"][0];
    assert_eq!(
        (first["rule"].as_str(), first["cluster"].as_str()),
        (Some("silent-cluster"), Some("azure-eastus"))
    );
    assert_eq!(first["subject"]["kind"], "Cluster");
    assert_eq!(first["ageSeconds"], 196);
}
