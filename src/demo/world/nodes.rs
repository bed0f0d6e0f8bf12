//! Nodes: their heartbeats, and what happens when one falls silent: not ready after forty seconds, its pods
//! replaced after five minutes more, and nobody there to stop them.

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::events::Involved;
use super::{World, json};
use crate::demo::clock::{micro_stamp, seconds};
use crate::demo::programs::hash;
use crate::demo::resource::Kind;
use crate::demo::store::{Change, Key, Query};

const LEASE_EVERY: i64 = seconds(10);
const REPORT_EVERY: i64 = seconds(300);
const SILENT_AFTER: i64 = seconds(40);
const EVICTED_AFTER: i64 = seconds(340);
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

impl World {
    /// From now on the kubelet of that node says and does nothing.
    pub fn lose_node(&mut self, name: &str) {
        let key = Key::new("", name);
        if let Some(node) = self.get(Kind::Nodes, &key) {
            self.beats.remove(&key);
            beat(self, &key, &node);
        }
        self.lost_nodes.insert(name.to_owned(), self.tick);
        for after in [SILENT_AFTER, EVICTED_AFTER] {
            self.wake_after(after, Kind::Nodes, &key);
        }
    }
}

/// Did something change that decides where pods run?
pub fn matters(change: &Change) -> bool {
    let (Some(before), now) = (&change.before, change.object.value()) else { return true };
    let before = before.value();
    ["/spec", "/metadata/labels", "/status/allocatable"]
        .iter()
        .any(|part| before.pointer(part) != now.pointer(part))
}

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(node) = world.get(Kind::Nodes, key) else { return };
    match world.lost_nodes.get(&*key.name).map(|since| world.tick - since) {
        None => beat(world, key, &node),
        Some(silent) if silent >= EVICTED_AFTER => evict(world, key),
        Some(silent) if silent >= SILENT_AFTER && json::list(&node, "/spec/taints").is_empty() => {
            mark_lost(world, key, &node);
        }
        Some(_) => {}
    }
}

/// The node's lease, renewed every ten seconds of the present.
fn beat(world: &mut World, key: &Key, node: &Value) {
    let lease = Key::new("kube-node-lease", &key.name);
    let offset = (hash(&[&key.name]) % LEASE_EVERY as u64) as i64;
    let next = (world.tick.max(-seconds(20)) + LEASE_EVERY).div_euclid(LEASE_EVERY) * LEASE_EVERY + offset;
    let renewed = micro_stamp(world.now());
    match world.get(Kind::Leases, &lease) {
        None => {
            let lease = json!({
                "metadata": {
                    "name": &*key.name, "namespace": "kube-node-lease",
                    "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": &*key.name, "uid": node["metadata"]["uid"]}],
                },
                "spec": {"holderIdentity": &*key.name, "leaseDurationSeconds": 40, "renewTime": renewed},
            });
            // Without the namespace of leases there are none; the node goes on.
            let _ = world.create(Kind::Leases, lease);
        }
        Some(_) if world.tick >= world.beats.get(key).copied().unwrap_or(i64::MIN) => {
            world.edit(Kind::Leases, &lease, |lease| {
                json::put(lease, "/spec/renewTime", renewed.into());
            });
        }
        Some(_) => return,
    }
    world.beats.insert(key.clone(), next);
    world.wake_at(next, Kind::Nodes, key);
    report(world, key, node);
}

/// The conditions are confirmed every five minutes, also when nothing changes.
fn report(world: &mut World, key: &Key, node: &Value) {
    let told = world.tick_of(json::text(node, "/status/conditions/0/lastHeartbeatTime"));
    if told.is_some_and(|told| world.tick - told < REPORT_EVERY) {
        return;
    }
    let now = world.stamp();
    world.edit(Kind::Nodes, key, |node| {
        if let Some(Value::Array(conditions)) = node.pointer_mut("/status/conditions") {
            for condition in conditions {
                json::put(condition, "/lastHeartbeatTime", now.as_str().into());
            }
        }
    });
}

fn mark_lost(world: &mut World, key: &Key, node: &Value) {
    let now = world.stamp();
    let message = "Kubelet stopped posting node status.";
    world.edit(Kind::Nodes, key, |node| {
        for kind in ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"] {
            let unknown = Condition { kind, status: false, reason: "NodeStatusUnknown", message };
            conditions::set(node, unknown, &now);
            if let Some(Value::Array(list)) = node.pointer_mut("/status/conditions") {
                let own = list.iter_mut().find(|condition| condition["type"] == kind);
                if let Some(condition) = own {
                    if condition["status"] != "Unknown" {
                        condition["lastTransitionTime"] = now.as_str().into();
                    }
                    condition["status"] = "Unknown".into();
                }
            }
        }
        let taints = ["NoSchedule", "NoExecute"]
            .map(|effect| json!({"key": UNREACHABLE, "effect": effect, "timeAdded": now}));
        json::put(node, "/spec/taints", taints.to_vec().into());
    });
    let status = format!("Node {} status is now: NodeNotReady", key.name);
    world.normal(
        Involved { kind: Kind::Nodes, object: node, component: "node-controller" },
        "NodeNotReady",
        &status,
    );
    for pod in pods_on(world, key) {
        let unready = Condition { kind: "Ready", status: false, reason: "NodeNotReady", message: "" };
        world.edit(Kind::Pods, &pod, |pod| conditions::set(pod, unready, &now));
    }
}

/// Every pod that does not tolerate it is asked to go; there is no kubelet that could make it go.
fn evict(world: &mut World, key: &Key) {
    for pod in pods_on(world, key) {
        let Some(value) = world.get(Kind::Pods, &pod) else { continue };
        let stays = json::list(&value, "/spec/tolerations").iter().any(|toleration| {
            toleration["key"] == UNREACHABLE
                && toleration["effect"] == "NoExecute"
                && toleration.get("tolerationSeconds").is_none()
        });
        if !stays && !super::is_terminating(&value) {
            let about = Involved { kind: Kind::Pods, object: &value, component: "taint-eviction-controller" };
            world.normal(
                about,
                "TaintManagerEviction",
                &format!("Marking for deletion Pod {}/{}", pod.namespace, pod.name),
            );
            world.delete(Kind::Pods, &pod);
        }
    }
}

fn pods_on(world: &World, node: &Key) -> Vec<Key> {
    let pods = world.store.list(Kind::Pods, &Query::all()).objects;
    pods.iter()
        .filter(|pod| pod.field("spec.nodeName") == Some(&node.name))
        .map(|pod| pod.key.clone())
        .collect()
}
