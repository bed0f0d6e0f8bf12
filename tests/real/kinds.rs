//! A kind that appears or goes while the console runs is followed; an account that may not read everything is
//! told what it misses.

use std::time::Duration;

use serde_json::Value;

use crate::bed::{Cluster, Console, is_there};

/// Kinds are looked for every half minute.
const SOON: Duration = Duration::from_mins(2);

fn job<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    document["items"].as_array()?.iter().find(|it| it["name"] == name)
}

#[test]
fn a_kind_is_followed_from_its_first_day_to_its_last() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::up("kinds", &[]);
    cluster.kubectl(&["create", "namespace", "ml"]);
    let console = Console::new(&[&cluster], &[]);
    let mut jobs = console.watch("jobs");
    jobs.until("no jobs", Duration::from_secs(30), |it| it["items"].as_array().is_some_and(Vec::is_empty));
    cluster.apply("../testbed/crds/trainingjob.yaml");
    cluster.kubectl(&[
        "wait",
        "--for=condition=Established",
        "crd/trainingjobs.ml.example.com",
        "--timeout",
        "30s",
    ]);
    cluster.apply("training.yaml");
    jobs.until("the new kind is read", SOON, |it| job(it, "bert").is_some_and(|it| it["phase"] == "Running"));
    cluster.kubectl(&[
        "-n",
        "ml",
        "patch",
        "trainingjob/bert",
        "--type=merge",
        "-p",
        r#"{"status":{"phase":"Failed"}}"#,
    ]);
    jobs.until("and watched", SOON, |it| job(it, "bert").is_some_and(|it| it["phase"] == "Failed"));
    cluster.kubectl(&["delete", "crd/trainingjobs.ml.example.com"]);
    jobs.until("and gone with its definition", SOON, |it| it["items"].as_array().is_some_and(Vec::is_empty));
    let clusters = console.status("clusters");
    assert_eq!(
        clusters["items"][0]["state"], "live",
        "a kind that is not served is no problem: {clusters:#}"
    );
}

#[test]
fn an_account_that_may_not_read_nodes_is_told_what_it_misses() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::up("viewer", &["--controllers", "--nodes", "2"]);
    cluster.apply("fleet.yaml");
    let console = Console::of_viewer(&cluster);
    let clusters = console.status("clusters");
    let item = &clusters["items"][0];
    assert_eq!(item["state"], "partial", "{item:#}");
    assert!(item["problem"].as_str().unwrap().contains("may not read Node"), "{item:#}");
    assert!(item["nodes"].is_null() && item["gpus"].is_null(), "what may not be read is not zero: {item:#}");
    let replicas = console.status("replicas");
    assert!(replicas["items"].as_array().unwrap().iter().any(|it| it["name"] == "ml/serving"));
}
