//! The scheduler: finds a node for every pod that has none, by what is free, and says why if there is none.
//! Its book of what is used follows the changes of pods and nodes; it never counts the cluster anew.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::events::Involved;
use super::quantity::Amounts;
use super::{World, json};
use crate::demo::clock::seconds;
use crate::demo::resource::Kind;
use crate::demo::store::{Key, Object};

/// A pod that finds no node is tried again, and says so again.
const TELL_EVERY: i64 = seconds(300);

#[derive(Default)]
pub struct Scheduler {
    nodes: BTreeMap<String, Node>,
    placed: HashMap<Key, (String, Amounts)>,
    /// Pods that found no node, and when that was last told.
    waiting: BTreeMap<Key, i64>,
}

#[derive(Debug, Default)]
struct Node {
    labels: BTreeMap<String, String>,
    taints: Vec<Value>,
    allocatable: Amounts,
    used: Amounts,
    cordoned: bool,
}

impl Scheduler {
    /// Pods that found no node.
    pub fn waiting(&self) -> impl Iterator<Item = (Kind, Key)> {
        self.waiting.keys().map(|key| (Kind::Pods, key.clone()))
    }

    pub fn observe_node(&mut self, object: &Object, gone: bool) {
        let name = object.key.name.to_string();
        if gone {
            self.nodes.remove(&name);
            return;
        }
        let value = object.value();
        let node = self.nodes.entry(name).or_default();
        node.labels =
            json::pairs(&value, "/metadata/labels").map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        node.taints = json::list(&value, "/spec/taints").to_vec();
        node.allocatable = Amounts::of(&value["status"]["allocatable"]);
        node.cordoned = json::flag(&value, "/spec/unschedulable");
    }

    /// Books a pod onto its node or off it. True if something became free.
    pub fn observe_pod(&mut self, object: &Object, gone: bool) -> bool {
        let key = &object.key;
        let ended = ["Succeeded", "Failed"].contains(&object.field("status.phase").unwrap_or_default());
        let node = object.field("spec.nodeName").unwrap_or_default();
        if gone {
            self.waiting.remove(key);
        }
        if gone || ended {
            let Some((node, amounts)) = self.placed.remove(key) else { return false };
            if let Some(node) = self.nodes.get_mut(&node) {
                node.used.add(&amounts, -1);
            }
            return true;
        }
        if !node.is_empty() && !self.placed.contains_key(key) {
            self.waiting.remove(key);
            self.book(key, &object.value());
        }
        false
    }

    /// Books a pod onto the node it is bound to.
    pub fn book(&mut self, key: &Key, pod: &Value) {
        let node = json::text(pod, "/spec/nodeName");
        let amounts = Amounts::requested(pod);
        self.nodes.entry(node.to_owned()).or_default().used.add(&amounts, 1);
        self.placed.insert(key.clone(), (node.to_owned(), amounts));
    }

    fn choose(&self, pod: &Value) -> Result<String, String> {
        let needed = Amounts::requested(pod);
        let wants_gpu = needed.get("nvidia.com/gpu") > 0;
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        let mut best: Option<(i64, &String)> = None;
        for (name, node) in &self.nodes {
            if let Some(why) = node.refuses(pod, &needed) {
                for reason in why {
                    *reasons.entry(reason).or_default() += 1;
                }
                continue;
            }
            let score = node.score(wants_gpu);
            if best.is_none_or(|(highest, _)| score > highest) {
                best = Some((score, name));
            }
        }
        match best {
            Some((_, name)) => Ok(name.clone()),
            None => Err(explain(self.nodes.len(), &reasons)),
        }
    }
}

impl Node {
    /// Why the pod cannot run here; `None`: it can.
    fn refuses(&self, pod: &Value, needed: &Amounts) -> Option<Vec<String>> {
        if self.cordoned {
            return Some(vec!["node(s) were unschedulable".to_owned()]);
        }
        if let Some(taint) = self.taints.iter().find(|taint| !tolerates(pod, taint)) {
            let (key, value) = (json::text(taint, "/key"), json::text(taint, "/value"));
            return Some(vec![format!("node(s) had untolerated taint {{{key}: {value}}}")]);
        }
        let mut wanted = json::pairs(pod, "/spec/nodeSelector");
        if !wanted.all(|(key, value)| self.labels.get(key).is_some_and(|own| own == value)) {
            return Some(vec!["node(s) didn't match Pod's node affinity/selector".to_owned()]);
        }
        let short = |(name, amount): &(&String, &i64)| {
            **amount > 0 && self.allocatable.get(name) - self.used.get(name) < **amount
        };
        let missing: Vec<String> = needed
            .0
            .iter()
            .filter(short)
            .map(
                |(name, _)| {
                    if name == "pods" { "Too many pods".to_owned() } else { format!("Insufficient {name}") }
                },
            )
            .collect();
        (!missing.is_empty()).then_some(missing)
    }

    /// Accelerators are packed, everything else is spread and keeps off the nodes with accelerators.
    fn score(&self, wants_gpu: bool) -> i64 {
        let free = |name: &str| {
            let all = self.allocatable.get(name).max(1);
            (all - self.used.get(name)) * 1_000 / all
        };
        let has_gpu = self.allocatable.get("nvidia.com/gpu") > 0;
        match (wants_gpu, has_gpu) {
            (true, _) => -free("nvidia.com/gpu"),
            (false, true) => free("cpu") - 10_000,
            (false, false) => free("cpu").min(free("pods")),
        }
    }
}

fn tolerates(pod: &Value, taint: &Value) -> bool {
    if taint["effect"] == "PreferNoSchedule" {
        return true;
    }
    json::list(pod, "/spec/tolerations").iter().any(|toleration| {
        let key = json::text(toleration, "/key");
        let effect = json::text(toleration, "/effect");
        let exists = json::text(toleration, "/operator") == "Exists";
        (key.is_empty() && exists || taint["key"] == key)
            && (effect.is_empty() || taint["effect"] == effect)
            && (exists || json::text(toleration, "/value") == json::text(taint, "/value"))
    })
}

/// The scheduler's sentence.
fn explain(nodes: usize, reasons: &BTreeMap<String, usize>) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let mut parts: Vec<String> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    parts.sort();
    format!(
        "0/{nodes} nodes are available: {}. preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful \
         for scheduling.",
        parts.join(", ")
    )
}

/// Binds the pod to a node, or says why not.
pub fn place(world: &mut World, key: &Key, pod: &Value) {
    let about = Involved { kind: Kind::Pods, object: pod, component: "default-scheduler" };
    let now = world.stamp();
    if !json::list(pod, "/spec/schedulingGates").is_empty() {
        let message = "Scheduling is blocked due to non-empty scheduling gates";
        let gated = Condition { kind: "PodScheduled", status: false, reason: "SchedulingGated", message };
        world.edit(Kind::Pods, key, |pod| conditions::set(pod, gated, &now));
        return;
    }
    match world.scheduler.choose(pod) {
        Ok(node) => {
            let message = format!("Successfully assigned {}/{} to {node}", key.namespace, key.name);
            let bound = Condition { kind: "PodScheduled", status: true, reason: "", message: "" };
            world.edit(Kind::Pods, key, |pod| {
                json::put(pod, "/spec/nodeName", json!(node));
                conditions::set(pod, bound, &now);
            });
            world.normal(about, "Scheduled", &message);
        }
        Err(why) => {
            let condition =
                Condition { kind: "PodScheduled", status: false, reason: "Unschedulable", message: &why };
            let known =
                json::condition(pod, "PodScheduled").is_some_and(|old| json::text(old, "/message") == why);
            world.edit(Kind::Pods, key, |pod| conditions::set(pod, condition, &now));
            let told = world.scheduler.waiting.get(key).copied().filter(|_| known);
            if told.is_none_or(|told| world.tick - told >= TELL_EVERY) {
                world.scheduler.waiting.insert(key.clone(), world.tick);
                world.warning(about, "FailedScheduling", &why);
                world.wake_after(TELL_EVERY, Kind::Pods, key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheduler(nodes: &[(&str, Value)]) -> Scheduler {
        let mut scheduler = Scheduler::default();
        for (name, allocatable) in nodes {
            let node = Node { allocatable: Amounts::of(allocatable), ..Node::default() };
            scheduler.nodes.insert((*name).to_owned(), node);
        }
        scheduler
    }

    fn pod(requests: &Value) -> Value {
        json!({"spec": {"containers": [{"resources": {"requests": requests}}]}})
    }

    #[test]
    fn a_pod_that_fits_nowhere_hears_the_known_sentence() {
        let size = json!({"cpu": "96", "pods": "110", "nvidia.com/gpu": "8"});
        let nodes: Vec<(String, Value)> = (0..14).map(|n| (format!("n{n}"), size.clone())).collect();
        let nodes: Vec<(&str, Value)> =
            nodes.iter().map(|(name, size)| (name.as_str(), size.clone())).collect();
        let why = scheduler(&nodes).choose(&pod(&json!({"nvidia.com/gpu": "16"}))).unwrap_err();
        assert!(why.starts_with("0/14 nodes are available: 14 Insufficient nvidia.com/gpu."), "{why}");
    }

    #[test]
    fn accelerators_are_kept_for_those_who_ask() {
        let scheduler = scheduler(&[
            ("a-gpu", json!({"cpu": "96", "pods": "110", "nvidia.com/gpu": "8"})),
            ("b-cpu", json!({"cpu": "16", "pods": "110"})),
        ]);
        assert_eq!(scheduler.choose(&pod(&json!({"cpu": "1"}))).unwrap(), "b-cpu");
        assert_eq!(scheduler.choose(&pod(&json!({"nvidia.com/gpu": "1"}))).unwrap(), "a-gpu");
    }

    #[test]
    fn taints_and_selectors_are_told_apart() {
        let mut scheduler =
            scheduler(&[("a", json!({"cpu": "1", "pods": "9"})), ("b", json!({"cpu": "1", "pods": "9"}))]);
        let taint = json!({"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"});
        scheduler.nodes.get_mut("a").unwrap().taints = vec![taint];
        let mut selective = pod(&json!({"cpu": "1"}));
        selective["spec"]["nodeSelector"] = json!({"disk": "ssd"});
        let why = scheduler.choose(&selective).unwrap_err();
        assert!(why.contains("1 node(s) didn't match Pod's node affinity/selector"), "{why}");
        assert!(why.contains("1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }"), "{why}");
    }
}
