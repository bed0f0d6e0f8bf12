//! The demo's servers send protobuf byte for byte as a real server does: of the same objects, in the same versions.

use std::io::Read;

use serde_json::Value;
use skydeck::demo::protobuf::{self, METADATA, STATUS, Type};
use skydeck::demo::resource::KINDS;

use crate::bed::{Cluster, is_there};
use crate::imitation::Proxy;
use crate::wire::head;

const AS_METADATA: &str = ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// The body of an answer, in JSON or protobuf.
fn asked(proxy: &Proxy, path: &str, media: &str) -> Vec<u8> {
    // Connections that end with the answer, and answers in one piece, as HTTP 1.0 has it.
    let mut stream = proxy.client.send_as("HTTP/1.0", ("GET", path), &[("Accept", media)], "");
    head(&mut stream);
    let mut body = Vec::new();
    stream.read_to_end(&mut body).unwrap();
    body
}

fn json(proxy: &Proxy, path: &str, parameters: &str) -> Value {
    let body = asked(proxy, path, &format!("application/json{parameters}"));
    serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn binary(proxy: &Proxy, path: &str, parameters: &str) -> Vec<u8> {
    asked(proxy, path, &format!("{}{parameters}", protobuf::MEDIA))
}

/// What the two begin to differ at, with what stands there.
fn assert_same(what: &str, real: &[u8], demo: &[u8]) {
    let common = real.iter().zip(demo).take_while(|(one, other)| one == other).count();
    let around = |bytes: &[u8]| {
        let (from, to) = (common.saturating_sub(60), (common + 30).min(bytes.len()));
        String::from_utf8_lossy(&bytes[from..to]).into_owned()
    };
    assert!(real == demo, "{what}: from {common} on\n real {:?}\n demo {:?}", around(real), around(demo));
}

#[test]
fn the_demo_sends_the_bytes_that_a_real_server_sends() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::up("protobuf", &["--controllers", "--nodes", "2"]);
    for file in ["protobuf.yaml", "fleet.yaml"] {
        cluster.apply(file);
    }
    let proxy = Proxy::to(&cluster, &cluster.name);
    let (mut kinds, mut objects) = (0, 0);
    for kind in KINDS.iter().filter(|kind| protobuf::knows(**kind)) {
        let (row, version) = (kind.row(), kind.row().api_version());
        let root = if row.group.is_empty() { "/api" } else { "/apis" };
        let path = format!("{root}/{version}/{}", row.plural);
        for (of, parameters) in [(Type { version: &version, name: row.kind }, ""), (METADATA, AS_METADATA)] {
            let list = json(&proxy, &path, parameters);
            let at = list["metadata"]["resourceVersion"].as_str().unwrap();
            // Just that version, so that nothing happens between the two.
            let path = format!("{path}?resourceVersion={at}&resourceVersionMatch=Exact");
            let (list, real) = (json(&proxy, &path, parameters), binary(&proxy, &path, parameters));
            let items = list["items"].as_array().unwrap();
            assert!(!items.is_empty(), "none of {}", row.plural);
            assert_same(row.plural, &real, &protobuf::list(of, &list["metadata"], items.iter()));
            objects += items.len();
        }
        kinds += 1;
    }
    println!("{objects} objects of {kinds} kinds compared");
    assert!(kinds >= 16, "{kinds} kinds");

    let (absent, real) = (json(&proxy, "/api/v1/namespaces/none", ""), "/api/v1/namespaces/none");
    assert_same("an error", &binary(&proxy, real, ""), &protobuf::object(STATUS, &absent));

    let version = json(&proxy, "/apis/apps/v1/deployments", "")["metadata"]["resourceVersion"].clone();
    cluster.kubectl(&["-n", "wire", "scale", "deployment/web", "--replicas", "1"]);
    cluster.kubectl(&["-n", "wire", "delete", "deployment/web"]);
    let since = version.as_str().unwrap();
    let watch =
        format!("/apis/apps/v1/namespaces/wire/deployments?watch=1&resourceVersion={since}&timeoutSeconds=2");
    let lines = asked(&proxy, &watch, "application/json;stream=watch");
    let (of, mut told) = (Type { version: "apps/v1", name: "Deployment" }, Vec::new());
    for line in String::from_utf8(lines).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        told.extend(protobuf::event(event["type"].as_str().unwrap(), of, &event["object"]));
    }
    let real = binary(&proxy, &watch, ";stream=watch");
    let verbs: Vec<&[u8]> = protobuf::frames(&real).map(|(verb, _)| verb).collect();
    assert!(verbs.contains(&&b"MODIFIED"[..]) && verbs.contains(&&b"DELETED"[..]), "{verbs:?}");
    assert_same("a watch", &real, &told);
}
