//! Each trouble of `troubles.yaml` becomes its finding, with the cause in words, and goes when it is mended.

use std::time::Duration;

use serde_json::Value;

use crate::bed::{Cluster, Console, is_there};

/// The node controller needs a minute to give a kubelet up that never spoke.
const SOON: Duration = Duration::from_mins(3);

/// Rule, subject, and words that its cause must have.
const TROUBLES: [(&str, &str, &str); 6] = [
    ("crash-loop", "crashing", "CrashLoopBackOff"),
    ("image-pull", "unpullable", "registry.example.com/ml/unpullable:9.9"),
    ("stuck-rollout", "stuck", "0/"),
    ("job-failed", "failing", "BackoffLimitExceeded"),
    ("job-stuck-pending", "homeless", "Insufficient nvidia.com/gpu"),
    ("node-not-ready", "node-down", "kubelet"),
];

fn finding<'a>(document: &'a Value, rule: &str, name: &str) -> Option<&'a Value> {
    let items = document["items"].as_array()?;
    items.iter().find(|it| it["rule"] == rule && it["subject"]["name"] == name)
}

#[test]
fn each_trouble_becomes_its_finding_and_goes_when_it_is_mended() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::up("troubles", &["--controllers", "--nodes", "2"]);
    let console = Console::new(&[&cluster], &[]);
    let mut attention = console.watch("attention");
    attention.until("calm", Duration::from_secs(30), |it| it["items"].as_array().is_some_and(Vec::is_empty));
    cluster.apply("troubles.yaml");
    for (rule, name, words) in TROUBLES {
        attention.until(&format!("{rule} of {name}"), SOON, |document| {
            finding(document, rule, name).is_some_and(|it| it["cause"].as_str().unwrap().contains(words))
        });
    }
    let healthy = r#"{"spec":{"template":{"metadata":{"labels":{"testbed/fate":"none"}},"spec":{"nodeSelector":null}}}}"#;
    for name in ["crashing", "unpullable", "stuck"] {
        cluster.kubectl(&["-n", "troubles", "patch", "deployment", name, "-p", healthy]);
    }
    cluster.kubectl(&["-n", "troubles", "delete", "job/failing", "job/homeless"]);
    cluster.kubectl(&["label", "node/node-down", "testbed/fate-"]);
    for (rule, name, _) in TROUBLES {
        attention.until(&format!("{name} mended"), SOON, |it| finding(it, rule, name).is_none());
    }
    attention.until("calm again", SOON, |it| it["items"].as_array().is_some_and(Vec::is_empty));
}
