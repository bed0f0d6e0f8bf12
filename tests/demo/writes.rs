//! Creating, changing, scaling, deleting: what a client may do, and what it hears when it may not.

use serde_json::{Value, json};
use skydeck::demo::resource::Kind;
use skydeck::demo::store::Key;

use crate::script::{Talk, definitions};
use crate::wire::{Alone, Answer};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/a/deployments";
const WEB: &str = "/apis/apps/v1/namespaces/a/deployments/web";
const SCALE: &str = "/apis/apps/v1/namespaces/a/deployments/web/scale";

fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i:v1"}]},
            },
        },
    })
}

/// A server with the namespace `a` and the deployment `web` in it.
fn alone() -> Alone {
    let alone = Alone::new(1_000);
    alone.store.put(Kind::Namespaces, json!({"metadata": {"name": "a"}, "status": {"phase": "Active"}}));
    assert_eq!(alone.client.post(DEPLOYMENTS, &deployment("web")).code, 201);
    alone
}

fn version(object: &Value) -> String {
    object["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

#[test]
fn the_server_sets_what_is_the_servers() {
    let alone = alone();
    let created = alone.client.get(WEB).json();
    let meta = &created["metadata"];
    assert_eq!((meta["generation"].as_i64(), meta["namespace"].as_str()), (Some(1), Some("a")));
    assert_eq!(meta["uid"].as_str().unwrap().len(), 36);
    assert_eq!(created["spec"]["revisionHistoryLimit"], 10);
    let mut wished = created.clone();
    wished["metadata"]["uid"] = Value::Null;
    wished["metadata"]["creationTimestamp"] = "2001-01-01T00:00:00Z".into();
    wished["metadata"]["generation"] = 77.into();
    wished["spec"]["replicas"] = 3.into();
    wished["status"] = json!({"replicas": 99});
    let changed = alone.client.put(WEB, &wished).json();
    assert_eq!(changed["metadata"]["creationTimestamp"], meta["creationTimestamp"]);
    assert_eq!(changed["metadata"]["uid"], meta["uid"]);
    assert_eq!(changed["metadata"]["generation"], 2);
    assert_eq!(changed["status"], json!({}), "the status belongs to its subresource");
    let status = alone
        .client
        .merge(&format!("{WEB}/status"), &json!({"status": {"replicas": 3}, "spec": {"replicas": 9}}));
    let status = status.json();
    assert_eq!((&status["status"]["replicas"], &status["spec"]["replicas"]), (&json!(3), &json!(3)));
    assert_eq!(status["metadata"]["generation"], 2);
    let same = alone.client.merge(WEB, &json!({"spec": {"replicas": 3}})).json();
    assert_eq!(version(&same), version(&status), "nothing changed, so there is no new version");
}

#[test]
fn generated_names_and_dry_runs() {
    let alone = alone();
    let mut object = deployment("web");
    object["metadata"] = json!({"generateName": "job-"});
    let made = alone.client.post(DEPLOYMENTS, &object).json();
    assert_eq!(made["metadata"]["name"].as_str().unwrap().len(), "job-".len() + 5);
    let before = alone.store.version();
    assert_eq!(alone.client.post(&format!("{DEPLOYMENTS}?dryRun=All"), &deployment("new")).code, 201);
    let scaled = alone.client.merge(&format!("{WEB}?dryRun=All"), &json!({"spec": {"replicas": 9}})).json();
    assert_eq!((&scaled["spec"]["replicas"], &scaled["metadata"]["generation"]), (&json!(9), &json!(2)));
    assert_eq!(
        alone.client.merge(&format!("{SCALE}?dryRun=All"), &json!({"spec": {"replicas": 9}})).code,
        200
    );
    assert_eq!(alone.client.delete(&format!("{WEB}?dryRun=All"), None).code, 200);
    assert_eq!(alone.client.delete(WEB, Some(&json!({"dryRun": ["All"]}))).code, 200);
    assert_eq!(alone.store.version(), before);
    assert_eq!(alone.client.get(&format!("{WEB}?dryRun=All")).code, 200);
    assert_eq!(alone.client.merge(&format!("{WEB}?dryRun=Some"), &json!({})).refusal().0, 422);
}

fn says(answer: &Answer, code: u16, message: &str) {
    let (own, text) = answer.refusal();
    assert_eq!(own, code, "{text}");
    assert!(text.contains(message), "{text:?} does not say {message:?}");
}

#[test]
fn refusals_are_those_of_kubernetes() {
    let alone = alone();
    let client = &alone.client;
    says(&client.get(&format!("{DEPLOYMENTS}/nope")), 404, "deployments.apps \"nope\" not found");
    says(&client.post(DEPLOYMENTS, &deployment("web")), 409, "deployments.apps \"web\" already exists");
    let elsewhere = "/apis/apps/v1/namespaces/none/deployments";
    says(&client.post(elsewhere, &deployment("web")), 404, "namespaces \"none\" not found");
    says(&client.merge(WEB, &json!({"spec": {"replicas": -1}})), 422, "must be greater than or equal to 0");
    says(&client.merge(WEB, &json!({"spec": {"replicas": "two"}})), 422, "cannot unmarshal string");
    says(
        &client.merge(WEB, &json!({"metadata": {"resourceVersion": "1"}})),
        409,
        "the object has been modified",
    );
    says(&client.merge(WEB, &json!({"metadata": {"uid": "x"}})), 422, "field is immutable");
    says(&client.merge(WEB, &json!({"metadata": {"name": "b"}})), 400, "does not match the name on the URL");
    says(
        &client.post(DEPLOYMENTS, &json!({"kind": "Pod", "apiVersion": "v1"})),
        400,
        "cannot be handled as a Deployment",
    );
}

#[test]
fn bodies_that_are_none_are_refused() {
    let alone = alone();
    let client = &alone.client;
    says(&client.post(WEB, &deployment("web")), 405, "does not allow this method");
    let patch = |media: &str, body: &str| client.call("PATCH", WEB, &[("Content-Type", media)], body);
    says(&patch("application/strategic-merge-patch+json", "{}"), 415, "accepted media types include");
    says(&patch("application/apply-patch+yaml", "{}"), 415, "accepted media types include");
    says(&patch("application/merge-patch+json", "{"), 400, "error decoding patch");
    says(
        &patch("application/json-patch+json", r#"[{"op":"test","path":"/spec/replicas","value":9}]"#),
        422,
        "",
    );
    says(&patch("application/json-patch+json", r#"[{"op":"replace","path":"","value":7}]"#), 422, "");
    says(
        &client.call("POST", DEPLOYMENTS, &[("Content-Type", "text/yaml")], "a: b"),
        415,
        "application/json",
    );
    let bad = json!({"metadata": {"name": "Bad_Name"}});
    says(&client.post("/api/v1/namespaces/a/configmaps", &bad), 422, "a lowercase RFC 1123 subdomain");
}

#[test]
fn whatever_comes_in_an_answer_goes_out() {
    let alone = alone();
    let bodies = [
        "",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{\"metadata\":7}",
        "{\"metadata\":{\"name\":7}}",
        "{\"spec\":[]}",
        "\u{0}",
        "{",
    ];
    let paths = [
        WEB,
        SCALE,
        DEPLOYMENTS,
        "/apis/ml.example.com/v1/namespaces/a/trainingjobs",
        "/api/v1/namespaces",
        "/api/v1/nodes/x",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/api/v1/namespaces/a/pods/x/log",
        "/%ff%00",
        "/apis//",
    ];
    let kinds = ["application/json", "application/merge-patch+json", "application/json-patch+json"];
    for path in paths {
        for body in bodies {
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                // The deployment itself is needed until the end.
                if method == "DELETE" && [DEPLOYMENTS, WEB].contains(&path) {
                    continue;
                }
                for media in kinds {
                    let code = alone.client.call(method, path, &[("Content-Type", media)], body).code;
                    assert!((200..500).contains(&code), "{method} {path} {body}: {code}");
                }
            }
        }
    }
    assert_eq!(alone.client.get(WEB).json()["spec"]["template"]["spec"]["containers"][0]["image"], "i:v1");
}

#[test]
fn scale_has_a_version_and_keeps_to_it() {
    let alone = alone();
    let scale = alone.client.get(SCALE).json();
    assert_eq!((&scale["kind"], &scale["spec"]["replicas"]), (&json!("Scale"), &json!(2)));
    assert_eq!(scale["status"]["selector"], "app=web");
    let mut wish = scale.clone();
    wish["spec"]["replicas"] = 5.into();
    assert_eq!(alone.client.put(SCALE, &wish).json()["spec"]["replicas"], 5);
    let (code, message) = alone.client.put(SCALE, &wish).refusal();
    assert_eq!((code, message.contains("deployments.apps \"web\"")), (409, true), "{message}");
    assert_eq!(alone.client.get(WEB).json()["metadata"]["generation"], 2);
    assert_eq!(alone.client.merge(SCALE, &json!({"spec": {"replicas": 0}})).json()["spec"], json!({}));
    assert_eq!(alone.client.merge(SCALE, &json!({"spec": {"replicas": -3}})).refusal().0, 422);
    assert_eq!(alone.client.merge(SCALE, &json!({"spec": {"replicas": 1.5}})).refusal().0, 400);
    assert_eq!(alone.client.get("/api/v1/namespaces/a/configmaps/x/scale").code, 404);
}

/// A pod that belongs to `web`.
fn owned(alone: &Alone, name: &str, owner: &Value) {
    alone.store.put(Kind::Pods, json!({
        "metadata": {"name": name, "namespace": "a", "ownerReferences": [{
            "apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": owner["metadata"]["uid"], "controller": true,
        }]},
        "spec": {"containers": []},
    }));
}

#[test]
fn what_is_owned_goes_with_its_owner() {
    for (policy, left) in [("Background", 0), ("Foreground", 0), ("Orphan", 1)] {
        let alone = alone();
        let web = alone.client.get(WEB).json();
        owned(&alone, "web-1", &web);
        let wrong = json!({"preconditions": {"uid": "x"}});
        assert_eq!(alone.client.delete(WEB, Some(&wrong)).refusal().0, 409);
        let old = json!({"preconditions": {"resourceVersion": "1"}});
        assert_eq!(alone.client.delete(WEB, Some(&old)).refusal().0, 409);
        let wish = json!({"propagationPolicy": policy, "preconditions": {"uid": web["metadata"]["uid"]}});
        assert_eq!(alone.client.delete(WEB, Some(&wish)).code, 200);
        assert_eq!(alone.client.get(WEB).code, 404, "{policy}");
        assert_eq!(alone.store.count(Kind::Pods), left, "{policy}");
    }
}

#[test]
fn a_body_makes_the_query_of_a_delete_unheard() {
    let alone = alone();
    assert_eq!(alone.client.delete(&format!("{WEB}?dryRun=All"), Some(&json!({}))).code, 200);
    assert_eq!(alone.client.get(WEB).code, 404, "as in Kubernetes: options in the body win");
}

#[test]
fn a_running_pod_and_a_finalizer_take_their_time() {
    let alone = alone();
    let pods = "/api/v1/namespaces/a/pods";
    alone.store.put(Kind::Pods, json!({
        "metadata": {"name": "runs", "namespace": "a"}, "spec": {"nodeName": "n", "containers": []}, "status": {"phase": "Running"},
    }));
    let marked = alone.client.delete(&format!("{pods}/runs"), None).json();
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 30);
    assert!(alone.store.get(Kind::Pods, &Key::new("a", "runs")).is_some(), "only its kubelet ends it");
    assert_eq!(alone.client.delete(&format!("{pods}/runs?gracePeriodSeconds=0"), None).code, 200);
    assert!(alone.store.get(Kind::Pods, &Key::new("a", "runs")).is_none());
    let config = "/api/v1/namespaces/a/configmaps";
    let held = json!({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}});
    assert_eq!(alone.client.post(config, &held).code, 201);
    assert_eq!(alone.client.delete(&format!("{config}/held"), None).code, 200);
    assert!(alone.client.get(&format!("{config}/held")).json()["metadata"]["deletionTimestamp"].is_string());
    alone.client.merge(&format!("{config}/held"), &json!({"metadata": {"finalizers": null}}));
    assert_eq!(alone.client.get(&format!("{config}/held")).code, 404);
}

#[test]
fn collections_and_namespaces_go_as_a_whole() {
    let alone = alone();
    assert_eq!(alone.client.post(DEPLOYMENTS, &deployment("db")).code, 201);
    let gone = alone.client.delete(&format!("{DEPLOYMENTS}?fieldSelector=metadata.name%3Ddb"), None).json();
    assert_eq!(gone["items"].as_array().unwrap().len(), 1);
    assert_eq!(alone.store.count(Kind::Deployments), 1);
    assert_eq!(alone.client.delete("/api/v1/namespaces/a", None).code, 200);
    assert_eq!(alone.store.count(Kind::Deployments), 0);
}

#[test]
fn access_reviews_are_answered_and_forgotten() {
    let alone = alone();
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let question = json!({"spec": {"resourceAttributes": {"verb": "delete", "resource": "pods"}}});
    let answer = alone.client.post(path, &question);
    assert_eq!((answer.code, answer.json()["status"]["allowed"].clone()), (201, json!(true)));
    assert_eq!(alone.client.post(path, &json!({"spec": {}})).refusal().0, 422);
    assert_eq!(alone.client.get(path).code, 405);
}

/// As kubectl asks, which knows only protobuf for it.
#[test]
fn a_review_in_protobuf_is_answered_for_who_asks() {
    let alone = alone();
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let within = |field: char, text: &str| format!("{field}{}{text}", char::from(text.len() as u8));
    let asks = |verb: &str, token: &str| {
        let attributes = within('\u{12}', verb);
        let raw = within('\u{12}', &within('\u{a}', &attributes));
        let body = format!("k8s\0{}", within('\u{12}', &raw));
        let bearer = format!("Bearer {token}");
        let headers =
            [("Content-Type", "application/vnd.kubernetes.protobuf"), ("Authorization", bearer.as_str())];
        alone.client.call("POST", path, &headers, &body).json()["status"]["allowed"].clone()
    };
    assert_eq!((asks("update", "secret"), asks("get", "secret")), (json!(true), json!(true)));
    assert_eq!((asks("update", "secret-viewer"), asks("get", "secret-viewer")), (json!(false), json!(true)));
}

/// Whether a real server says the same is asked in `tests/real/imitation.rs`, with the same script.
#[test]
fn a_writer_hears_what_the_script_says() {
    let alone = Alone::new(10_000);
    alone.store.put(Kind::Namespaces, json!({"metadata": {"name": "a"}, "status": {"phase": "Active"}}));
    for definition in definitions() {
        alone.store.put(Kind::CustomResourceDefinitions, definition);
    }
    let heard = Talk::with(&alone.client, &alone.client, Some("secret-viewer")).whole();
    assert!(heard.len() > 100, "{} lines", heard.len());
}
