//! The bodies in which a server would send many pods: lists and watches, in protobuf and in JSON.

use prost::Message;
use prost::encoding::encode_varint;
use serde_json::{Value, json};
use skydeck::clients::kube::wire::MAGIC;
use skydeck::clients::kube::wire::messages::core as wire;
use skydeck::clients::kube::wire::messages::meta::{ObjectMeta, OwnerReference, Quantity, Time};

use crate::large::{CLUSTERS, NODES, node_name};
use crate::world::{
    crashing, deployment, destination, failed, job, pod, time, training_job, virtual_service,
};

/// One pod of a fleet as a watch would tell it, sick or well.
pub fn one_pod(rows: usize, sick: bool) -> Value {
    let row = (rows / CLUSTERS).saturating_sub(1);
    let replica = pod(&format!("team-{}/service-0-{row:05}", row % 5), "a", &node_name(row % NODES), 1);
    if sick { crashing(replica) } else { replica }
}

/// Its workload, short of a replica or whole.
pub fn one_workload(rows: usize, sick: bool) -> Value {
    let row = (rows / CLUSTERS).saturating_sub(1);
    deployment(&format!("team-{}/service-0-{row:05}", row % 5), u32::from(!sick), 1, "1.0.0", 1)
}

/// One job of a fleet, failed or running.
pub fn one_job(rows: usize, sick: bool) -> Value {
    let row = (rows / CLUSTERS).saturating_sub(1);
    let running = json!({"startTime": time(600), "active": 1, "ready": 1});
    job(&format!("team-{}/train-0-{row:05}", row % 5), &if sick { failed() } else { running })
}

/// A list of so many jobs of a custom kind.
pub fn training_jobs(jobs: usize) -> Vec<u8> {
    list_of(
        &(0..jobs)
            .map(|at| training_job(&format!("team-{}/train-{at:05}", at % 5), "Running", 0.5))
            .collect::<Vec<_>>(),
    )
}

/// A list of so many routes.
pub fn virtual_services(routes: usize) -> Vec<u8> {
    let split = json!([{"route": [destination("a", 60), destination("b", 40)]}]);
    list_of(
        &(0..routes)
            .map(|at| virtual_service(&format!("team-{}/split-{at:05}", at % 5), &split))
            .collect::<Vec<_>>(),
    )
}

fn list_of(items: &[Value]) -> Vec<u8> {
    json!({"kind": "List", "metadata": {"resourceVersion": "4711"}, "items": items}).to_string().into_bytes()
}

/// A pod as real servers send it, with the fields that are skipped: about 3 KB of protobuf.
fn wire_pod(at: usize) -> Vec<u8> {
    let name = format!("service-{:04}-6b7f9c9d4-{at:05}", at / 50);
    let quantity = |text: &str| Quantity { text: text.into() };
    let container = wire::Container {
        name: "server".into(),
        image: format!("registry.example.com/ml/service-{:04}:1.{}.0", at / 50, at % 9),
        resources: Some(wire::ResourceRequirements {
            requests: [("cpu".into(), quantity("10m")), ("memory".into(), quantity("64Mi"))].into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let condition =
        |kind: &str| wire::PodCondition { kind: kind.into(), status: "True".into(), ..Default::default() };
    let pod = wire::Pod {
        metadata: Some(ObjectMeta {
            name,
            namespace: format!("team-{}", at % 5),
            uid: format!("00000000-0000-4000-8000-{at:012}"),
            resource_version: (1000 + at).to_string(),
            creation_timestamp: Some(Time { seconds: 1_772_970_000 }),
            labels: [("pod-template-hash".into(), "6b7f9c9d4".into())].into(),
            owner_references: vec![OwnerReference {
                kind: "ReplicaSet".into(),
                name: format!("service-{:04}-6b7f9c9d4", at / 50),
                controller: true,
            }],
            ..Default::default()
        }),
        spec: Some(wire::PodSpec {
            containers: vec![container],
            node_name: node_name(at % NODES),
            ..Default::default()
        }),
        status: Some(wire::PodStatus {
            phase: "Running".into(),
            conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition).into(),
            container_statuses: vec![wire::ContainerStatus {
                name: "server".into(),
                ready: true,
                ..Default::default()
            }],
            ..Default::default()
        }),
    };
    let mut bytes = pod.encode_to_vec();
    // managedFields, field 17 of the metadata, are the larger half of every object; here behind it, where they are
    // skipped the same way.
    bytes.extend(field(63, &[b'x'; 2000]));
    bytes
}

/// A list of so many pods in protobuf.
pub fn protobuf_list(pods: usize) -> Vec<u8> {
    let meta = field(1, &field(2, b"4711"));
    let items: Vec<u8> = (0..pods).flat_map(|at| field(2, &wire_pod(at))).collect();
    envelope(&[meta, items].concat())
}

/// The changes of so many pods as a watch in protobuf tells them.
pub fn protobuf_watch(pods: usize) -> Vec<u8> {
    let events = (0..pods).flat_map(|at| {
        let object = field(1, &envelope(&wire_pod(at)));
        let event = [field(1, b"MODIFIED"), field(2, &object)].concat();
        [(event.len() as u32).to_be_bytes().to_vec(), event].concat()
    });
    events.collect()
}

/// The same list in JSON, with as much that is skipped.
pub fn json_list(pods: usize) -> Vec<u8> {
    let items: Vec<Value> = (0..pods).map(json_pod).collect();
    json!({"kind": "PodList", "metadata": {"resourceVersion": "4711"}, "items": items})
        .to_string()
        .into_bytes()
}

/// The same changes in JSON.
pub fn json_watch(pods: usize) -> Vec<u8> {
    let events = (0..pods).map(|at| format!("{}\n", json!({"type": "MODIFIED", "object": json_pod(at)})));
    events.collect::<String>().into_bytes()
}

fn json_pod(at: usize) -> Value {
    let mut json =
        pod(&format!("team-{}/service-{:04}", at % 5, at / 50), &at.to_string(), &node_name(at % NODES), 1);
    json["metadata"]["resourceVersion"] = json!((1000 + at).to_string());
    let skipped: Vec<Value> =
        (0..20).map(|it| json!({"f:name": {".": {}, "f:value": it.to_string().repeat(20)}})).collect();
    json["metadata"]["managedFields"] = skipped.into();
    json
}

fn envelope(raw: &[u8]) -> Vec<u8> {
    let kind = [field(1, b"v1"), field(2, b"Pod")].concat();
    [MAGIC.to_vec(), field(1, &kind), field(2, raw)].concat()
}

fn field(tag: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    encode_varint(u64::from(tag << 3 | 2), &mut out);
    encode_varint(bytes.len() as u64, &mut out);
    out.extend(bytes);
    out
}
