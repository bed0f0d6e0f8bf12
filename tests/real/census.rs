//! What the census asks of a server, a real one answers: how many objects there are, also of custom kinds, in one
//! namespace and for an account that may only read; and which, at which versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::config::Kubeconfig;
use skydeck::clients::kube::connect::{Connector, Target};
use skydeck::clients::kube::wire::Encoding;
use skydeck::clients::kube::wire::list::{ListDecoder, Part};
use skydeck::clients::kube::wire::messages::meta::ListMeta;
use skydeck::clients::kube::{ACCEPT_METADATA, Door, Question};
use skydeck::fleet::Step;
use skydeck::sources::kube::convert::name_of;

use crate::bed::{Cluster, is_there};

/// Path, name for kubectl, namespace.
const KINDS: [(&str, &str, Option<&str>); 6] = [
    ("/api/v1/pods", "pods", None),
    ("/api/v1/nodes", "nodes", None),
    ("/apis/apps/v1/replicasets", "replicasets", None),
    ("/api/v1/namespaces/ml/pods", "pods", Some("ml")),
    ("/apis/ml.example.com/v1/trainingjobs", "trainingjobs", None),
    ("/apis/ml.example.com/v1/namespaces/ml/trainingjobs", "trainingjobs", Some("ml")),
];

fn door(cluster: &Cluster, context: &str) -> Door {
    let kubeconfig: Kubeconfig = serde_json::from_value(cluster.kubeconfig.clone()).unwrap();
    let target = Target { kubeconfig: Arc::new(kubeconfig), context: context.to_owned() };
    Connector::of_environment().connect(&target).unwrap().door
}

/// Name → version, and what the list says of itself.
async fn page(door: &Door, path: &str) -> (ListMeta, BTreeMap<String, String>) {
    let question = Question { accept: ACCEPT_METADATA, ..Question::json(path, Step::List) };
    let answer = door.ask(question).await.unwrap();
    assert_eq!(answer.encoding, Encoding::Protobuf, "{path}");
    let (mut decoder, mut parts) = (ListDecoder::new(Encoding::Protobuf), Vec::new());
    decoder.feed(&answer.whole().await.unwrap(), &mut parts).unwrap();
    decoder.finish().unwrap();
    let (mut meta, mut names) = (ListMeta::default(), BTreeMap::new());
    for part in parts {
        match part {
            Part::Meta(told) => meta = told,
            Part::TooLarge => panic!("nothing is large here"),
            Part::Item(bytes) => {
                let (key, version) = name_of(Encoding::Protobuf, &bytes).unwrap();
                names.insert(key.to_string(), version);
            }
        }
    }
    (meta, names)
}

#[tokio::test]
async fn a_real_server_says_how_many_there_are_and_at_which_versions() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::up("census", &["--controllers", "--nodes", "3"]);
    cluster.apply("fleet.yaml");
    cluster.apply("../testbed/crds/trainingjob.yaml");
    let crd = "crd/trainingjobs.ml.example.com";
    cluster.kubectl(&["wait", "--for=condition=Established", crd, "--timeout", "30s"]);
    cluster.apply("training.yaml");
    // Another one of the same.
    let training = std::fs::read_to_string("tests/real/training.yaml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("another.yaml");
    std::fs::write(&file, training.replace("name: bert", "name: another")).unwrap();
    cluster.kubectl(&["apply", "-f", file.to_str().unwrap()]);
    cluster.kubectl(&["-n", "ml", "rollout", "status", "deployment/serving", "--timeout", "60s"]);
    let doors = [door(&cluster, &cluster.name), door(&cluster, &format!("{}-viewer", cluster.name))];
    for (path, kind, namespace) in KINDS {
        // The role `view` reads no nodes, and no custom kinds unless they ask for it.
        let may_read = if ["nodes", "trainingjobs"].contains(&kind) { &doors[..1] } else { &doors[..] };
        for door in may_read {
            let (one, first) = page(door, &format!("{path}?limit=1")).await;
            let (all, names) = page(door, &format!("{path}?limit=500")).await;
            println!("{path}: {} of {}, {:?} more", first.len(), names.len(), one.remaining_item_count);
            assert!(names.len() > 1, "{path} holds too few to say anything");
            assert_eq!(one.remaining_item_count, Some(names.len() as i64 - 1), "{path}");
            assert!(one.resource_version.parse::<u64>().is_ok(), "{one:?}");
            assert!(all.next_page.is_empty() && all.remaining_item_count.is_none(), "{all:?}");
            let place = namespace.map_or_else(|| vec!["-A"], |it| vec!["-n", it]);
            let told = cluster.kubectl_json(&[&["get", kind][..], &place].concat());
            let told = told["items"].as_array().unwrap().iter().map(|item| {
                let text = |field: &str| item["metadata"][field].as_str().unwrap_or_default().to_owned();
                (text("namespace"), text("name"), text("resourceVersion"))
            });
            let told = told.map(|(namespace, name, version)| {
                let key = skydeck::fleet::ObjectKey::new(&namespace, &name);
                (key.to_string(), version)
            });
            let told: BTreeMap<_, _> = told.collect();
            assert_eq!(names.keys().collect::<Vec<_>>(), told.keys().collect::<Vec<_>>(), "{path}");
            let same = names.iter().filter(|(name, version)| told[*name] == **version).count();
            assert!(same * 2 > names.len(), "{path}: versions are other ones: {names:?} {told:?}");
        }
    }
}
