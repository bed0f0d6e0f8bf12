//! What the doctor says of each thing that can be wrong on the way to a cluster.

use std::net::TcpListener;

use serde_json::{Value, json};
use skydeck::cli::doctor::examine;
use skydeck::config::Config;
use skydeck::demo::api::Failure;
use skydeck::fleet::Unix;
use skydeck::runtime::reload::Setup;
use skydeck::sources::inventory::{self, Places};

use crate::cluster::{Api, TOKEN};

/// The report for servers by name; each is asked with the token of the tests, or with another.
async fn report(servers: &[(&str, String, &str)]) -> (Value, u8) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let list = |of: &dyn Fn(&(&str, String, &str)) -> Value| servers.iter().map(of).collect::<Vec<_>>();
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": list(&|it| json!({"name": it.0, "cluster": {"server": it.1}})),
        "users": list(&|it| json!({"name": it.0, "user": {"token": it.2}})),
        "contexts": list(&|it| json!({"name": it.0, "context": {"cluster": it.0, "user": it.0}})),
    });
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    let config = Config::default();
    let inventory = inventory::find(&config, &Places { kubeconfig_files: vec![file] }, &[]).unwrap();
    let report = examine(Setup { config, inventory, files: Vec::new() }, now()).await;
    (serde_json::to_value(&report).unwrap(), report.exit_code())
}

#[expect(clippy::disallowed_methods, reason = "the servers' dates are those of this machine")]
fn now() -> Unix {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Unix(since.as_secs() as i64)
}

fn check<'a>(report: &'a Value, cluster: &str, name: &str) -> &'a Value {
    let item = report["items"].as_array().unwrap().iter().find(|it| it["cluster"] == cluster).unwrap();
    let checks = item["checks"].as_array().unwrap();
    checks.iter().find(|it| it["name"] == name).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cluster_is_looked_at_whatever_the_others_do() {
    let api = Api::start("one", None);
    let url = |api: &Api| format!("http://{}", api.address);
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let (report, code) = report(&[
        ("good", url(&api), TOKEN),
        ("refused", refused, TOKEN),
        ("stranger", format!("{}/", url(&Api::start("two", None))), "wrong"),
    ])
    .await;
    assert_eq!(code, 5);
    assert_eq!(check(&report, "good", "permissions")["verdict"], "good", "{report:#}");
    assert_eq!(check(&report, "good", "clock")["verdict"], "good", "{report:#}");
    assert!(
        check(&report, "good", "custom resources")["detail"].as_str().unwrap().contains("trainingjobs.ml.")
    );
    let refused = check(&report, "refused", "connect");
    assert_eq!(refused["verdict"], "broken");
    assert!(refused["detail"].as_str().unwrap().contains("connection refused"), "{refused}");
    assert!(check(&report, "refused", "answer").is_null(), "what lies behind is not looked at");
    let stranger = report["items"].as_array().unwrap().iter().find(|it| it["cluster"] == "stranger").unwrap();
    assert_eq!(stranger["verdict"], "broken", "{stranger:#}");
    assert!(stranger.to_string().contains("401 Unauthorized"), "{stranger:#}");
    assert!(
        !report.to_string().contains(TOKEN) && !report.to_string().contains("wrong\""),
        "no credential is told"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_may_change_is_told_and_to_look_only_is_no_fault() {
    let api = Api::start("one", None);
    let url = || format!("http://{}", api.address);
    let viewer = format!("{TOKEN}-viewer");
    let (full, _) = report(&[("all", url(), TOKEN)]).await;
    let all = check(&full, "all", "changes");
    assert!(all["detail"].as_str().unwrap().starts_with("all "), "{all}");
    let (report, code) = report(&[("viewer", url(), &viewer)]).await;
    let viewer = check(&report, "viewer", "changes");
    assert_eq!(
        (&viewer["verdict"], &viewer["detail"]),
        (&json!("good"), &json!("none: the account may only look"))
    );
    assert_eq!(code, 0, "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_is_broken_with_its_words_and_nothing_else_is() {
    let api = Api::start("one", None);
    api.seam().fail("/version", 1, Failure::Status(503));
    let (report, code) = report(&[("away", format!("http://{}", api.address), TOKEN)]).await;
    let answer = check(&report, "away", "answer");
    assert!(answer["detail"].as_str().unwrap().contains("503"), "{answer}");
    assert_eq!(code, 1, "the only cluster is broken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_plugin_that_fails_is_told_without_a_word_of_what_it_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let plugin = |script: &str| {
        json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh", "args": ["-c", script],
            "interactiveMode": "IfAvailable",
        }})
    };
    let api = Api::start("one", None);
    let scripts = [
        ("fails", "echo token=canary >&2; exit 3", "failed with exit status: 3"),
        ("prompts", "printf 'Password: canary: '; read answer; echo $answer", "needs login"),
        ("missing", "exec /no/such/plugin", "failed with"),
    ];
    let names: Vec<_> = scripts.iter().map(|(name, ..)| *name).collect();
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": names.iter().map(|name| json!({"name": name, "cluster": {"server": format!("http://{}/{name}", api.address)}})).collect::<Vec<_>>(),
        "users": scripts.iter().map(|(name, script, _)| json!({"name": name, "user": plugin(script)})).collect::<Vec<_>>(),
        "contexts": names.iter().map(|name| json!({"name": name, "context": {"cluster": name, "user": name}})).collect::<Vec<_>>(),
    });
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    let config = Config::default();
    let inventory = inventory::find(&config, &Places { kubeconfig_files: vec![file] }, &[]).unwrap();
    let report = examine(Setup { config, inventory, files: Vec::new() }, now()).await;
    let document = serde_json::to_value(&report).unwrap();
    assert_eq!(report.exit_code(), 1);
    for (name, _, words) in scripts {
        let credential = check(&document, name, "credential");
        assert!(credential["detail"].as_str().unwrap().contains(words), "{name}: {credential}");
    }
    assert!(!document.to_string().contains("canary"), "{document:#}");
    assert_eq!(api.seam().asked("/"), 0, "without a credential nothing is asked");
}
