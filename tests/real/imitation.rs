//! The demo's servers imitate a real one: the same script of requests, word for word the same answers.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use skydeck::demo::resource::Kind;

use crate::bed::{Cluster, is_there};
use crate::script::{Talk, definitions};
use crate::wire::{Alone, Client};

/// `kubectl proxy`: the real server in plain HTTP, as one account.
pub struct Proxy {
    child: Child,
    pub client: Client,
}

impl Proxy {
    pub fn to(cluster: &Cluster, context: &str) -> Proxy {
        let mut command: Command =
            cluster.kubectl_command(&["--context", context, "proxy", "--port", "0", "--accept-hosts", ".*"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        Proxy { child, client: Client { address } }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_demo_answers_a_writer_as_a_real_server_does() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::up("imitation", &["--crds"]);
    cluster.kubectl(&["create", "namespace", "a"]);
    let (admin, viewer) =
        (Proxy::to(&cluster, &cluster.name), Proxy::to(&cluster, &format!("{}-viewer", cluster.name)));
    let real = Talk::with(&admin.client, &viewer.client, None).whole();

    let alone = Alone::new(10_000);
    alone.store.put(Kind::Namespaces, json!({"metadata": {"name": "a"}, "status": {"phase": "Active"}}));
    for definition in definitions() {
        alone.store.put(Kind::CustomResourceDefinitions, definition);
    }
    let demo = Talk::with(&alone.client, &alone.client, Some("secret-viewer")).whole();

    assert_eq!(real.len(), demo.len());
    let mut odd = Vec::new();
    for ((name, real), (_, demo)) in real.iter().zip(&demo) {
        differences(name, real, demo, &mut odd);
    }
    println!("{} answers compared", real.len());
    assert!(odd.is_empty(), "{} differences:\n{}", odd.len(), odd.join("\n"));
}

/// What is not imitated: nobody reads who manages the fields of a question.
const LET_PASS: &str = "selfsubjectaccessreviews/body/metadata";

/// Who manages fields is sorted by the second of the change; two servers need not be in the same one.
fn by_manager(place: &str, all: &[Value]) -> Vec<Value> {
    let mut all = all.to_vec();
    if place.ends_with("/managedFields") {
        all.sort_by_key(|it| format!("{} {} {}", it["manager"], it["operation"], it["subresource"]));
    }
    all
}

fn differences(place: &str, real: &Value, demo: &Value, odd: &mut Vec<String>) {
    match (real, demo) {
        _ if place.ends_with(LET_PASS) => {}
        (Value::Object(one), Value::Object(other)) => {
            let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                differences(&format!("{place}/{name}"), &real[name], &demo[name], odd);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let (one, other) = (by_manager(place, one), by_manager(place, other));
            for (index, (real, demo)) in one.iter().zip(&other).enumerate() {
                differences(&format!("{place}/{index}"), real, demo, odd);
            }
        }
        _ if real == demo => {}
        _ => odd.push(format!("{place}\n    real {real}\n    demo {demo}")),
    }
}
