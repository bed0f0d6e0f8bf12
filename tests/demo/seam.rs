//! What a test can do to a server: let it fail before or after the work, act between two requests, count.

use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use skydeck::demo::api::{Failure, Nature, Which};
use skydeck::demo::resource::Kind;
use skydeck::demo::store::Key;

use crate::wire::{Alone, PATIENCE};

const WEB: &str = "/apis/apps/v1/namespaces/a/deployments/web";
const SCALE: &str = "/apis/apps/v1/namespaces/a/deployments/web/scale";
const AGENT: (&str, &str) = ("User-Agent", "skydeck/0.1.0 change/01ABC");
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn alone() -> Alone {
    let alone = Alone::new(1_000);
    alone.store.put(Kind::Namespaces, json!({"metadata": {"name": "a"}, "status": {"phase": "Active"}}));
    alone.store.put(Kind::Deployments, json!({
        "metadata": {"name": "web", "namespace": "a", "generation": 1},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i:v1"}]},
        }},
    }));
    alone
}

fn replicas(alone: &Alone) -> Value {
    alone.store.get(Kind::Deployments, &Key::new("a", "web")).unwrap().value()["spec"]["replicas"].clone()
}

/// A wish for five, on what is there now.
fn wish(alone: &Alone) -> String {
    let mut scale = alone.client.get(SCALE).json();
    scale["spec"]["replicas"] = 5.into();
    scale.to_string()
}

fn until(what: &str, so: impl Fn() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 10 {
        if so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not {what}");
}

#[test]
fn a_failure_with_an_answer_is_before_the_work_or_after_it() {
    let table = [
        (Failure::Status(504), 504, "Timeout: request did not complete within the allotted timeout", false),
        (
            Failure::StatusAfter(504),
            504,
            "Timeout: request did not complete within the allotted timeout",
            true,
        ),
        (
            Failure::Status(409),
            409,
            "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified",
            false,
        ),
        (
            Failure::Status(403),
            403,
            "deployments.apps \"web\" is forbidden: User \"somebody\" cannot update resource \"deployments/scale\" in API \
             group \"apps\" in the namespace \"a\"",
            false,
        ),
        (Failure::Status(500), 500, "Internal error occurred", false),
        (
            Failure::Webhook(403, "no changes on Friday"),
            403,
            "admission webhook \"policy.example.com\" denied the request: no changes on Friday",
            false,
        ),
        (
            Failure::Webhook(400, "weights do not add up"),
            400,
            "admission webhook \"policy.example.com\" denied the request: weights do not add up",
            false,
        ),
    ];
    for (failure, code, words, applied) in table {
        let alone = alone();
        let body = wish(&alone);
        alone.server.seam().strike(Which::write().at("/scale").method("PUT"), 1, failure);
        let dry = alone.client.call("PUT", &format!("{SCALE}?dryRun=All"), &[JSON], &body);
        assert_eq!(dry.code, 200, "a dry run is no write: {}", dry.body);
        let answer = alone.client.call("PUT", SCALE, &[JSON], &body);
        let (own, message) = answer.refusal();
        assert_eq!(own, code);
        assert!(message.contains(words), "{message}");
        assert_eq!(replicas(&alone), if applied { 5 } else { 2 }, "{failure:?}");
        assert_eq!(alone.client.get(SCALE).code, 200, "it struck once");
    }
}

#[test]
fn too_many_requests_come_with_a_time() {
    let alone = alone();
    alone.server.seam().strike(Which::write(), 1, Failure::RetryAfter(429, 7));
    let answer = alone.client.merge(SCALE, &json!({"spec": {"replicas": 5}}));
    assert_eq!((answer.code, answer.header("retry-after")), (429, "7"));
    assert_eq!(answer.body, "Too many requests, please try again later.\n");
    assert_eq!(replicas(&alone), 2);
}

#[test]
fn a_reset_gives_no_answer_whether_it_was_done_or_not() {
    for (failure, after) in [(Failure::Reset, 2), (Failure::ResetAfter, 5)] {
        let alone = alone();
        let body = wish(&alone);
        alone.server.seam().strike(Which::write(), 1, failure);
        let mut stream = alone.client.send("PUT", SCALE, &[JSON], &body);
        let error = stream.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{failure:?}");
        assert_eq!(replicas(&alone), after, "{failure:?}");
        assert_eq!(alone.server.seam().count(&Which::write()), 1);
    }
}

#[test]
fn what_hangs_is_done_at_once_or_never_or_late() {
    for (failure, before, after) in [(Failure::Hang, 2, 2), (Failure::HangAfter, 5, 5), (Failure::Late, 2, 5)]
    {
        for client_stays in [true, false] {
            let alone = alone();
            let body = wish(&alone);
            let seam = alone.server.seam();
            seam.strike(Which::write(), 1, failure);
            let mut stream = alone.client.send("PUT", SCALE, &[JSON], &body);
            until("read", || seam.count(&Which::write()) == 1);
            stream.get_ref().set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let silence = stream.read(&mut [0]).unwrap_err();
            assert_eq!(silence.kind(), ErrorKind::WouldBlock, "{failure:?}");
            assert_eq!(replicas(&alone), before, "{failure:?}");
            if client_stays {
                stream.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
                seam.mend();
                assert_eq!(stream.read(&mut [0]).is_ok(), failure == Failure::Late, "{failure:?}");
            } else {
                drop(stream);
                seam.mend();
            }
            until("done", || replicas(&alone) == after);
            assert_eq!(seam.count(&Which::write()), 1, "one request is one request");
        }
    }
}

#[test]
fn somebody_else_comes_between_two_requests() {
    let alone = alone();
    let body = wish(&alone);
    let store = Arc::clone(&alone.store);
    alone.server.seam().before(Which::write().at("/scale"), move || {
        let key = Key::new("a", "web");
        let mut web = store.get(Kind::Deployments, &key).unwrap().value();
        web["spec"]["replicas"] = 9.into();
        store.put(Kind::Deployments, web);
    });
    assert_eq!(alone.client.call("PUT", &format!("{SCALE}?dryRun=All"), &[JSON], &body).code, 200);
    let (code, message) = alone.client.call("PUT", SCALE, &[JSON], &body).refusal();
    assert_eq!((code, message.contains("the object has been modified")), (409, true), "{message}");
    assert_eq!(replicas(&alone), 9);
    let store = Arc::clone(&alone.store);
    alone
        .server
        .seam()
        .after(Which::write(), move || drop(store.remove(Kind::Deployments, &Key::new("a", "web"))));
    assert_eq!(alone.client.merge(SCALE, &json!({"spec": {"replicas": 3}})).json()["spec"]["replicas"], 3);
    assert_eq!(alone.client.get(SCALE).code, 404, "it went after the write and before its answer");
}

#[test]
fn requests_are_counted_by_change_and_dry_runs_are_told_apart() {
    let alone = alone();
    let body = wish(&alone);
    let seam = alone.server.seam();
    seam.forget();
    let path = format!("{SCALE}?fieldManager=skydeck");
    alone.client.call("PUT", &format!("{path}&dryRun=All"), &[JSON, AGENT], &body);
    alone.client.call("PUT", &path, &[JSON, AGENT], &body);
    alone.client.call("PUT", &path, &[JSON, ("User-Agent", "kubectl/v1.36")], &body);
    alone.client.post(
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        &json!({
            "spec": {"resourceAttributes": {"verb": "patch", "resource": "deployments"}},
        }),
    );
    alone.client.delete(WEB, Some(&json!({"dryRun": ["All"]})));
    alone.client.get(WEB);
    assert_eq!(seam.count(&Which::write().of_change("01ABC")), 1);
    assert_eq!(seam.count(&Which::dry_run().of_change("01ABC")), 1);
    assert_eq!(seam.count(&Which::dry_run()), 2);
    assert_eq!(seam.count(&Which::any().nature(Nature::Review)), 1);
    let written = seam.record(&Which::write());
    assert_eq!(written.len(), 2);
    assert_eq!(
        (written[0].method.as_str(), written[0].path.as_str(), written[0].query.as_str()),
        ("PUT", SCALE, "fieldManager=skydeck")
    );
    assert_eq!((written[0].change(), written[1].change()), (Some("01ABC"), None));
    assert_eq!(seam.most_writes_at_once(), 1);
}

#[test]
fn writes_at_the_same_time_are_counted() {
    let alone = alone();
    let seam = alone.server.seam();
    seam.strike(Which::write(), 2, Failure::Late);
    let patch = r#"{"spec":{"replicas":4}}"#;
    let media = [("Content-Type", "application/merge-patch+json")];
    let streams = [1, 2].map(|_| alone.client.send("PATCH", WEB, &media, patch));
    until("both under way", || seam.most_writes_at_once() == 2);
    seam.mend();
    drop(streams);
    until("done", || replicas(&alone) == 4);
}

#[test]
fn a_server_hangs_up_on_everybody() {
    let alone = alone();
    let mut watch = alone.client.open("/apis/apps/v1/deployments?watch=1");
    assert_eq!(watch.told().1, "web");
    alone.server.seam().hang_up();
    assert!(watch.is_broken());
    assert_eq!(alone.client.get(WEB).code, 200, "and listens on");
}
